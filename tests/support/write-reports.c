/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write-reports FOLDER: writes made up reports into the folder, NAME-NN.json for each text that a
 * host may hand out to do harm, for tests by programs that are not ours.
 */
#include <stdio.h>
#include <string.h>

#include "make-report.h"

extern const struct kc_report_format kc_report_format_json;

static int write_one(const char *folder, const char *name, unsigned number,
		     const struct kc_report *report)
{
	static const struct kc_report_style style = { 0 };
	struct kc_err err = { 0 };
	char path[4096];
	FILE *out;
	int r;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s-%02u.json", folder, name, number) >=
	    sizeof(path))
		return -1;
	out = report ? fopen(path, "we") : NULL;
	if (!out)
		return -1;
	r = kc_report_format_json.write(report, &style, out, &err);
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
	int failed = argc != 2 || !texts;

	for (unsigned i = 0; !failed && texts[i]; i++) {
		struct kc_report *report = kc_make_report_of(&arena, texts[i]);

		if (report && strlen(texts[i]) > 1000)
			report->n_results = 2;
		failed = write_one(argv[1], "hostile", i, report) < 0;
	}
	if (!failed)
		failed =
			write_one(argv[1], "plain", 0, kc_make_report(&arena)) < 0 ||
			write_one(argv[1], "large", 0, kc_make_report_large(&arena, 1000, 7)) < 0 ||
			write_one(argv[1], "empty", 0, kc_make_report_large(&arena, 0, 0)) < 0;
	kc_arena_done(&arena);
	return failed;
}
