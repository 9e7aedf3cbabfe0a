/* SPDX-License-Identifier: Apache-2.0 */
#include "crio.h"

static const struct {
	uint32_t verdict;
	const char *expected;
} kinds[] = {
	[KC_CRIO_REFUSED] = { KC_FAIL, "a configuration that CRI-O starts with" },
	[KC_CRIO_UNSEEN] = { KC_ERROR, NULL },
	[KC_CRIO_IGNORED] = { KC_FAIL, "a key that CRI-O knows" },
	[KC_CRIO_UNJUDGED] = { KC_MANUAL, "a key that CRI-O knows" },
	[KC_CRIO_REPLACED] = { KC_FAIL, "one table a handler, or one with all its keys" },
	[KC_CRIO_STRAY] = { KC_FAIL, "files that are meant to be read" },
};

static int report_fault(const struct judgement *j, const struct kc_crio_fault *fault)
{
	const char *message = fault->text;

	if (fault->kind == KC_CRIO_REFUSED)
		message = kc_text(j->host, j->run, "crio would not start: %s", fault->text);
	return kc_report(j->host, j->run, KC_BOOT, kinds[fault->kind].verdict, fault->subject,
			 kinds[fault->kind].expected, NULL, fault->source, message);
}

static int report_files(const struct judgement *j)
{
	const char *const *files = j->config->files;
	const char *list = files[0] ? files[0] : NULL;

	if (!list)
		return kc_report_skip(j->host, j->run, KC_BOOT, NULL, "no-files", NULL);
	for (size_t i = 1; files[i]; i++) {
		list = kc_arena_printf(j->arena, "%s, %s", list, files[i]);
		if (!list)
			return -ENOMEM;
	}
	return kc_report(j->host, j->run, KC_BOOT, KC_PASS, NULL, "files that say what they mean",
			 list, j->config->dir, NULL);
}

int crio_drop_ins_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct judgement j;
	int r = crio_begin(&j, host, run, &arena, false);

	if (r <= 0)
		return r;
	if (j.config->n_faults == 0)
		return report_files(&j);
	r = 0;
	for (size_t i = 0; i < j.config->n_faults && r == 0; i++)
		r = report_fault(&j, &j.config->fault[i]);
	return r;
}
