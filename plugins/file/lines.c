/* SPDX-License-Identifier: Apache-2.0 */
#include "file-descriptor.h"
#include "file.h"
#include "text-lines.h"

enum {
	FILE_MAX = 4 * 1024 * 1024,
	SHOWN_MAX = 256, /* of a line, as evidence */
};

/* A rule's parameters. */
struct lines_rule {
	struct file_place place;
	const char *comment;
	struct kc_strings has, lacks, matches, lacks_matches;
	struct kc_bytes bytes;
};

static const char *quoted(const struct lines_rule *rule, const char *what, const char *text)
{
	return kc_text(rule->place.host, rule->place.run, "%s: %s", what, text);
}

/* A finding at a line of the file. */
static int report_line(const struct lines_rule *rule, uint32_t verdict, const char *expected,
		       const char *found, unsigned number)
{
	struct file_place place = rule->place;

	place.source = kc_text(place.host, place.run, "%s:%u", place.source, number);
	return file_report(&place, verdict, expected, found, NULL);
}

static bool find_line(const struct lines_rule *rule, const char *wanted, struct file_line *ret_line)
{
	const char *at = rule->bytes.data;
	size_t left = rule->bytes.size;
	unsigned number = 0;

	while (file_line_next(&at, &left, &number, rule->comment, ret_line))
		if (file_line_equals(ret_line, wanted))
			return true;
	return false;
}

static int judge_line(const struct lines_rule *rule, const char *wanted, bool shall)
{
	const char *expected = quoted(rule, shall ? "the line" : "no line", wanted);
	struct file_line line;

	if (!find_line(rule, wanted, &line))
		return file_report(&rule->place, shall ? KC_FAIL : KC_PASS, expected,
				   "no such line", NULL);
	return report_line(rule, shall ? KC_PASS : KC_FAIL, expected,
			   kc_text(rule->place.host, rule->place.run, "%.*s",
				   (int)KC_MIN(line.length, (size_t)SHOWN_MAX), line.text),
			   line.number);
}

static int judge_pattern(const struct lines_rule *rule, const char *pattern, bool shall)
{
	const char *expected =
		quoted(rule, shall ? "a line that matches" : "no line that matches", pattern);
	const char *why = "There is not enough memory to match it.";
	struct file_match match;
	int r = file_match_lines(&rule->place, pattern, rule->comment, &rule->bytes, &match, &why);

	if (r < 0)
		return file_report(&rule->place, KC_ERROR, expected, NULL, why);
	if (match.text)
		return report_line(rule, shall ? KC_PASS : KC_FAIL, expected, match.text,
				   match.number);
	if (match.cut)
		return file_report(
			&rule->place, KC_ERROR, expected, NULL,
			kc_text(rule->place.host, rule->place.run,
				"No line matches, but of line %u only the first 4096 bytes were "
				"matched.",
				match.cut));
	return file_report(&rule->place, shall ? KC_FAIL : KC_PASS, expected, "no such line", NULL);
}

static int judge_list(const struct lines_rule *rule, const struct kc_strings *list, bool shall,
		      int (*judge)(const struct lines_rule *, const char *, bool))
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->n; i++)
		r = judge(rule, list->item[i], shall);
	return r;
}

static int judge_text(const struct lines_rule *rule)
{
	int r = judge_list(rule, &rule->has, true, judge_line);

	if (!r)
		r = judge_list(rule, &rule->lacks, false, judge_line);
	if (!r)
		r = judge_list(rule, &rule->matches, true, judge_pattern);
	if (!r)
		r = judge_list(rule, &rule->lacks_matches, false, judge_pattern);
	return r;
}

static int judge_file(struct lines_rule *rule)
{
	const struct file_place *place = &rule->place;
	unsigned line;
	int r;

	if (rule->has.n + rule->lacks.n + rule->matches.n + rule->lacks_matches.n == 0)
		return file_report(place, KC_ERROR, NULL, NULL,
				   "The rule asks for nothing: give it \"has\", \"lacks\", "
				   "\"matches\" or \"lacks-matches\".");
	r = kc_read_file(place->host, place->run, place->path, FILE_MAX, &rule->bytes);
	if (file_is_absent(r))
		return file_report_absent(place, "a text file");
	if (r < 0)
		return file_report_error(place);
	line = file_line_of_nul(rule->bytes.data, rule->bytes.size);
	if (line)
		return file_report(place, KC_ERROR, "a text file", NULL,
				   kc_text(place->host, place->run,
					   "Line %u has a NUL byte: this is no text.", line));
	return judge_text(rule);
}

static int read_rule(const struct kc_host *host, struct kc_run *run, struct lines_rule *rule,
		     const char **ret_path)
{
	int r = kc_param_string(host, run, "path", ret_path);

	if (!r)
		r = kc_param_string(host, run, "comment", &rule->comment);
	if (!r)
		r = kc_param_list(host, run, "has", &rule->has);
	if (!r)
		r = kc_param_list(host, run, "lacks", &rule->lacks);
	if (!r)
		r = kc_param_list(host, run, "matches", &rule->matches);
	if (!r)
		r = kc_param_list(host, run, "lacks-matches", &rule->lacks_matches);
	return r;
}

int file_lines_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	struct lines_rule rule = { 0 };
	const char *path;
	int r = read_rule(host, run, &rule, &path);

	if (!r)
		r = file_place_find(host, run, path, true, &rule.place);
	if (r || !rule.place.judged)
		return r;
	return judge_file(&rule);
}
