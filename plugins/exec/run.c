/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "exec-descriptor.h"
#include "formats/formats.h"

enum {
	EXIT_PASS = 0,
	EXIT_FAIL = 1,
	EXIT_SKIP = 3,
	SHOWN_MAX = 512, /* of a line that is shown */
};

struct exec_rule {
	const struct kc_host *host;
	struct kc_run *run;
	const char *path;
	struct kc_strings arguments;
	uint64_t timeout_usec;
};

static int read_rule(const struct kc_host *host, struct kc_run *run, struct exec_rule *ret_rule)
{
	struct exec_rule rule = { .host = host, .run = run };
	int64_t timeout = 0;
	int r;

	r = kc_param_string(host, run, "program", &rule.path);
	if (!r)
		r = kc_param_list(host, run, "arguments", &rule.arguments);
	if (!r)
		r = kc_param_number(host, run, "timeout", &timeout);
	if (r)
		return r;
	rule.timeout_usec = timeout > 0 ? (uint64_t)timeout : 0;
	*ret_rule = rule;
	return 0;
}

/* The first line that is not blank, without white space around it; "" when there is none. A NUL
 * would end the text, and is shown as what it is. */
static const char *first_line(const struct exec_rule *rule, const struct kc_bytes *bytes)
{
	kc_cleanup(kc_buf_done) struct kc_buf line = { 0 };
	size_t begin = 0, end, n;

	while (begin < bytes->size && kc_isspace(bytes->data[begin]))
		begin++;
	end = begin;
	while (end < bytes->size && bytes->data[end] != '\n')
		end++;
	while (end > begin && kc_isspace(bytes->data[end - 1]))
		end--;
	n = KC_MIN(end - begin, (size_t)SHOWN_MAX);
	for (size_t i = begin; i < begin + n; i++) {
		if (bytes->data[i])
			kc_buf_addc(&line, bytes->data[i]);
		else
			kc_buf_adds(&line, "\\x00");
	}
	if (end - begin > n)
		kc_buf_addf(&line, " [cut here: %zu bytes in all]", end - begin);
	return kc_text(rule->host, rule->run, "%s", line.data ? line.data : "");
}

static const char *signal_name(int number)
{
	switch (number) {
	case SIGABRT:
		return " (SIGABRT)";
	case SIGBUS:
		return " (SIGBUS)";
	case SIGFPE:
		return " (SIGFPE)";
	case SIGILL:
		return " (SIGILL)";
	case SIGKILL:
		return " (SIGKILL)";
	case SIGPIPE:
		return " (SIGPIPE)";
	case SIGSEGV:
		return " (SIGSEGV)";
	case SIGSYS:
		return " (SIGSYS)";
	case SIGTERM:
		return " (SIGTERM)";
	default:
		return "";
	}
}

/* The command, for people: arguments with a blank between them. */
static const char *command(const struct exec_rule *rule)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };

	kc_buf_adds(&text, rule->path);
	for (size_t i = 0; i < rule->arguments.n; i++)
		kc_buf_addf(&text, " %s", rule->arguments.item[i]);
	return kc_text(rule->host, rule->run, "%s", text.data ? text.data : rule->path);
}

static int run_program(const struct exec_rule *rule, struct kc_program_result *ret_result)
{
	const char **argv =
		kc_alloc(rule->host, rule->run, (rule->arguments.n + 2) * sizeof(*argv));
	const struct kc_program program = {
		.size = sizeof(program),
		.path = rule->path,
		.argv = argv,
		.timeout_usec = rule->timeout_usec,
	};

	if (!argv)
		return -ENOMEM;
	argv[0] = rule->path;
	for (size_t i = 0; i < rule->arguments.n; i++)
		argv[i + 1] = rule->arguments.item[i];
	argv[rule->arguments.n + 1] = NULL;
	return kc_program(rule->host, rule->run, &program, ret_result);
}

/* How it ended otherwise than by one of the codes that mean something, and what it says of it. */
static int report_end(const struct exec_rule *rule, const struct kc_program_result *result)
{
	const char *said = first_line(rule, &result->err);
	const char *out = first_line(rule, &result->out);
	const char *how =
		result->exit_code < 0
			? kc_text(rule->host, rule->run, "It was ended by signal %d%s",
				  (int)result->signal, signal_name(result->signal))
			: kc_text(rule->host, rule->run,
				  "It ended with exit code %d, which is neither 0 (pass), 1 (fail) "
				  "nor 3 (skip)",
				  (int)result->exit_code);

	return kc_report(rule->host, rule->run, KC_NOW, KC_ERROR, rule->path, NULL,
			 *out ? out : NULL, command(rule),
			 *said ? kc_text(rule->host, rule->run, "%s; it says: %s", how, said)
			       : kc_text(rule->host, rule->run, "%s.", how));
}

static int report_result(const struct exec_rule *rule, const struct kc_program_result *result)
{
	const char *out = first_line(rule, &result->out);
	bool pass = result->exit_code == EXIT_PASS;

	if (result->exit_code == EXIT_SKIP)
		return kc_report_skip(rule->host, rule->run, KC_NOW, rule->path, "said-so",
				      *out ? out : NULL);
	if (!pass && result->exit_code != EXIT_FAIL)
		return report_end(rule, result);
	return kc_report(rule->host, rule->run, KC_NOW, pass ? KC_PASS : KC_FAIL, rule->path,
			 "exit code 0",
			 *out ? out
			      : kc_text(rule->host, rule->run, "exit code %d, and no output",
					(int)result->exit_code),
			 command(rule), pass || !*out ? NULL : "It ended with exit code 1.");
}

int exec_run_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	struct kc_program_result result = { .size_of = sizeof(result) };
	struct exec_rule rule;
	int r;

	if (!(kc_horizons(host, run) & KC_NOW))
		return 0;
	r = read_rule(host, run, &rule);
	if (r)
		return r;
	r = run_program(&rule, &result);
	if (r)
		return kc_report_error(host, run, KC_NOW, rule.path, command(&rule));
	return report_result(&rule, &result);
}
