/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "commands.h"
#include "gate.h"

/*
 * Descriptors 0, 1 and 2 may be closed by who starts this; then a report would go into a plugin's
 * file. What stands in their place refuses to be used, so that no report is lost in silence.
 */
static void open_standard_fds(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null",
				   (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
	}
}

static int finish(int code)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return kc_complain(KC_EXIT_REPORT_FAILED, "standard output could not be written");
	return code;
}

static int run(const struct kc_command *command)
{
	switch (command->options->verb) {
	case KC_VERB_CHECK:
		return kc_command_check(command);
	case KC_VERB_LIST:
		return kc_command_list(command);
	case KC_VERB_EXPLAIN:
		return kc_command_explain(command);
	case KC_VERB_LINT:
		return kc_command_lint(command);
	case KC_VERB_ROLLBACK:
		return kc_command_rollback(command);
	case KC_VERB_HELP:
		(void)fputs(kc_options_help(), stdout);
		return 0;
	case KC_VERB_VERSION:
		(void)printf("k8scheck %s (plugin ABI %u.%u)\n", KC_VERSION, KC_ABI_MAJOR,
			     KC_ABI_MINOR);
		return 0;
	}
	return KC_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct kc_arena arena = { 0 };
	struct kc_options options;
	struct kc_command command = { .argv = argv, .options = &options, .arena = &arena };
	struct kc_err err = { 0 };
	struct kc_gate gate;
	int r;

	open_standard_fds();
	kc_gate_begin(&gate);
	if (kc_options_parse(argc, argv, &err, &options) < 0)
		return kc_complain(kc_gate_is_asked(argv) ? KC_GATE_CLOSED : KC_EXIT_USAGE, "%s",
				   err.text);
	if (kc_paths_find(&options, &arena, &err, &command.paths) < 0)
		r = kc_complain(KC_EXIT_USAGE, "%s", err.text);
	else
		r = finish(run(&command));
	if (options.command && options.verb == KC_VERB_CHECK)
		r = kc_gate_pass(&gate, r, options.command);
	kc_options_done(&options);
	kc_arena_done(&arena);
	return r;
}
