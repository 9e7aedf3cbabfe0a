/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write-plans FORMAT FOLDER: writes made up plans into the folder, NAME-NN.json or NAME-NN.yaml,
 * one for each text that a host may hand out to do harm, for tests by programs that are not ours.
 */
#include <stdio.h>
#include <string.h>

#include "make-plan.h"
#include "make-report.h"
#include "reports/plan-ansible.h"

#ifdef WITH_JSON
extern const struct kc_report_format kc_report_format_json;
#endif

static int write_one(const char *format, const char *folder, const char *name, unsigned number,
		     const struct kc_plan *plan)
{
	static const struct kc_report_style style = { 0 };
	kc_plan_writer *writer = kc_plan_ansible_write;
	struct kc_err err = { 0 };
	char path[4096];
	FILE *out;
	int r;

#ifdef WITH_JSON
	if (strcmp(format, "json") == 0)
		writer = kc_report_format_json.plan;
#endif
	if ((size_t)snprintf(path, sizeof(path), "%s/%s-%02u.%s", folder, name, number, format) >=
	    sizeof(path))
		return -1;
	out = plan ? fopen(path, "we") : NULL;
	if (!out)
		return -1;
	r = writer(plan, &style, out, &err);
	if (fclose(out) != 0 || r < 0) {
		(void)fprintf(stderr, "%s: %s\n", path, err.text);
		return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct kc_arena arena = { 0 };
	const char *const *texts = kc_hostile_texts(&arena);
	int failed = argc != 3 || !texts;

	for (unsigned i = 0; !failed && texts[i]; i++) {
		struct kc_plan *plan = kc_make_plan_of(&arena, texts[i]);

		if (plan && strlen(texts[i]) > 1000)
			plan->n_rules = 2;
		failed = write_one(argv[1], argv[2], "hostile", i, plan) < 0;
	}
	if (!failed)
		failed = write_one(argv[1], argv[2], "plain", 0, kc_make_plan(&arena)) < 0 ||
			 write_one(argv[1], argv[2], "outcome", 0, kc_make_outcome(&arena)) < 0 ||
			 write_one(argv[1], argv[2], "empty", 0, kc_make_empty_plan(&arena)) < 0;
	kc_arena_done(&arena);
	return failed;
}
