/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <time.h>

#include "clock.h"

static uint64_t clock_usec(clockid_t id)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

uint64_t kc_now_usec(void)
{
	return clock_usec(CLOCK_MONOTONIC);
}

uint64_t kc_realtime_usec(void)
{
	return clock_usec(CLOCK_REALTIME);
}

void kc_format_time(uint64_t usec, int with_zone, char buf[KC_TIME_MAX])
{
	time_t t = (time_t)(usec / 1000000u);
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(buf, KC_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
		(void)snprintf(buf, KC_TIME_MAX, "1970-01-01T00:00:00");
	}
	if (with_zone) {
		size_t n = 0;

		while (buf[n])
			n++;
		if (n + 1 < KC_TIME_MAX) {
			buf[n] = 'Z';
			buf[n + 1] = 0;
		}
	}
}
