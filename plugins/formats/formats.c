/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "formats.h"

int kc_report(const struct kc_host *host, struct kc_run *run, uint32_t horizon, uint32_t verdict,
	      const char *subject, const char *expected, const char *found, const char *source,
	      const char *message)
{
	const struct kc_finding finding = {
		.size = sizeof(finding),
		.verdict = verdict,
		.horizon = horizon,
		.subject = subject,
		.expected = expected,
		.found = found,
		.source = source,
		.message = message,
	};

	return kc_finding(host, run, &finding);
}

int kc_report_skip(const struct kc_host *host, struct kc_run *run, uint32_t horizon,
		   const char *subject, const char *reason, const char *message)
{
	const struct kc_finding finding = {
		.size = sizeof(finding),
		.verdict = KC_SKIP,
		.horizon = horizon,
		.subject = subject,
		.message = message,
		.reason = reason,
	};

	return kc_finding(host, run, &finding);
}

int kc_report_error(const struct kc_host *host, struct kc_run *run, uint32_t horizon,
		    const char *subject, const char *source)
{
	return kc_report(host, run, horizon, KC_ERROR, subject, NULL, NULL, source,
			 kc_why(host, run));
}

bool kc_is_link(const struct kc_host *host, struct kc_run *run, const char *path)
{
	struct kc_stat st = { .size_of = sizeof(st) };

	return kc_stat(host, run, path, KC_NOFOLLOW, &st) == 0 && st.type == KC_FILE_SYMLINK;
}

int kc_plan_by_hand(const struct kc_host *host, struct kc_run *run, uint32_t horizon,
		    const char *commands, const char *why)
{
	const struct kc_step step = {
		.size = sizeof(step),
		.kind = KC_STEP_MANUAL,
		.horizon = horizon,
		.content = commands,
		.content_size = strlen(commands),
		.why = why,
	};

	return kc_step(host, run, &step);
}

int kc_plan_folder(const struct kc_host *host, struct kc_run *run, const char *path,
		   const char *why)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	const struct kc_step step = {
		.size = sizeof(step),
		.kind = KC_STEP_MAKE_DIR,
		.horizon = KC_BOOT,
		.mode = 0755,
		.target = path,
		.why = why,
	};

	if (kc_stat(host, run, path, 0, &st) != -ENOENT)
		return 0;
	return kc_step(host, run, &step);
}

const char *kc_text(const struct kc_host *host, struct kc_run *run, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	text = n < 0 ? NULL : kc_alloc(host, run, (size_t)n + 1);
	if (!text)
		return "(out of memory)";
	va_start(ap, fmt);
	(void)vsnprintf(text, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return text;
}
