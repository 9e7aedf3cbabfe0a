/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

const char *host_size_text(const struct host_rule *rule, uint64_t bytes,
			   enum host_rounding rounding)
{
	const uint64_t gib = 1 << 30, mib = 1 << 20;
	uint64_t n;

	if (bytes < gib) {
		n = (bytes + (rounding == HOST_UP ? mib - 1 : 0)) / mib;
		return kc_text(rule->host, rule->run, "%llu MiB", (unsigned long long)n);
	}
	n = (bytes % gib * 100 + (rounding == HOST_UP ? gib - 1 : 0)) / gib;
	return kc_text(rule->host, rule->run, "%llu.%02llu GiB",
		       (unsigned long long)(bytes / gib + n / 100), (unsigned long long)n % 100);
}

const char *host_wanted_text(const struct host_rule *rule, uint64_t bytes)
{
	const uint64_t gb = 1000000000, gib = 1 << 30;

	if (bytes >= gib && bytes % gib == 0)
		return kc_text(rule->host, rule->run, "%llu GiB",
			       (unsigned long long)(bytes / gib));
	if (bytes >= gb && bytes % gb == 0)
		return kc_text(rule->host, rule->run, "%llu GB (%s)",
			       (unsigned long long)(bytes / gb),
			       host_size_text(rule, bytes, HOST_UP));
	return host_size_text(rule, bytes, HOST_UP);
}

int host_param(const struct host_rule *rule, const char *name, int64_t min, int64_t max,
	       uint64_t *ret_value)
{
	int64_t value;
	int r;

	r = kc_param_number(rule->host, rule->run, name, &value);
	if (r < 0)
		return r;
	if (value < min || value > max) {
		const char *text =
			max < INT64_MAX
				? kc_text(rule->host, rule->run, "%s must be from %lld to %lld",
					  name, (long long)min, (long long)max)
				: kc_text(rule->host, rule->run, "%s must be at least %lld", name,
					  (long long)min);

		r = host_report_rule(rule, text);
		return r < 0 ? r : -ERANGE;
	}
	*ret_value = (uint64_t)value;
	return 0;
}

int host_report_rule(const struct host_rule *rule, const char *message)
{
	return kc_report(rule->host, rule->run, KC_NOW, KC_ERROR, NULL, NULL, NULL, NULL, message);
}

int host_judged(int code)
{
	return code == -ERANGE ? 0 : code;
}
