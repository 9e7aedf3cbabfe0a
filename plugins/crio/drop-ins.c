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

static bool is_stray(const struct judgement *j, const char *file, size_t n)
{
	for (size_t i = 0; i < j->config->n_faults; i++) {
		const struct kc_crio_fault *fault = &j->config->fault[i];

		if (fault->kind == KC_CRIO_STRAY && strlen(fault->subject) == n &&
		    strncmp(fault->subject, file, n) == 0)
			return true;
	}
	return false;
}

/* A file of CRI-O's own drop-in folder, or of a folder in it; others are no part of it. */
static bool is_usual_place(const char *file)
{
	const char *name = kc_after_prefix(file, CRIO_DROPIN_DIR "/");
	const char *slash = name ? strchr(name, '/') : NULL;

	return name && (!slash || !strchr(slash + 1, '/'));
}

static int plan_stray(const struct judgement *j, const char *file)
{
	const struct kc_step step = {
		.size = sizeof(step),
		.kind = KC_STEP_MOVE_ASIDE,
		.horizon = KC_BOOT,
		.target = file,
		.why = "CRI-O reads every file of this folder, and this one looks like a copy that "
		       "was put aside.",
	};

	if (!is_usual_place(file))
		return crio_plan_manual(j, kc_text(j->host, j->run, "mv '%s' /root/\n", file),
					"CRI-O reads every file of that folder.");
	return kc_step(j->host, j->run, &step);
}

/* What a stray file has goes with it; other faults are for a person, at their places. */
static int plan_fault(const struct judgement *j, const struct kc_crio_fault *fault)
{
	if (fault->kind == KC_CRIO_STRAY)
		return plan_stray(j, fault->subject);
	if (kinds[fault->kind].verdict != KC_FAIL ||
	    is_stray(j, fault->source, strcspn(fault->source, ":")))
		return 0;
	return crio_plan_manual(
		j, kc_text(j->host, j->run, "# Correct %s: %s\n", fault->source, fault->text),
		"What was meant there is for a person to say.");
}

int crio_drop_ins_plan(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct judgement j;
	int r = crio_begin(&j, host, run, &arena, true);

	if (r <= 0)
		return r;
	r = 0;
	for (size_t i = 0; i < j.config->n_faults && r == 0; i++)
		r = plan_fault(&j, &j.config->fault[i]);
	return r;
}
