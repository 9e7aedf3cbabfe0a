/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/* Microseconds of CLOCK_MONOTONIC, which no change of the time of day moves. */
uint64_t kc_now_usec(void);

/* Microseconds since 1970 of the host's clock. */
uint64_t kc_realtime_usec(void);

/* RFC 3339 in UTC with the zone ("2026-01-31T08:00:00Z"), or without it as JUnit's schema wants. */
enum {
	KC_TIME_MAX = sizeof("2026-01-31T08:00:00Z") + 8
};
void kc_format_time(uint64_t usec, int with_zone, char buf[KC_TIME_MAX]);
