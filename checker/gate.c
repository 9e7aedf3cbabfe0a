/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <unistd.h>

#include "base/str.h"
#include "commands.h"
#include "gate.h"

void kc_gate_begin(struct kc_gate *ret_gate)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	/* A reader that goes away, or a limit of size, is an error of writing, with a sentence. */
	(void)sigaction(SIGPIPE, &ignore, &ret_gate->pipe);
	(void)sigaction(SIGXFSZ, &ignore, &ret_gate->file_size);
}

static const char *why_closed(int exit_code)
{
	switch (exit_code) {
	case KC_EXIT_CLOSED:
		return "the gate is closed, since a rule that counts failed";
	case KC_EXIT_UNDECIDED:
		return "the gate is closed, since a rule that counts could not be decided, or none "
		       "applied";
	case KC_EXIT_REPAIR_FAILED:
		return "the repair failed";
	case KC_EXIT_REBOOT:
		return "the gate stays closed until a reboot completes the repair";
	case KC_EXIT_REPORT_FAILED:
		return "a report could not be written";
	default:
		return "nothing was judged";
	}
}

int kc_gate_pass(const struct kc_gate *gate, int exit_code, char *const *command)
{
	if (exit_code != KC_EXIT_OPEN)
		return kc_complain(KC_GATE_CLOSED, "%s (%d): %s is not run", why_closed(exit_code),
				   exit_code, *command);
	(void)sigaction(SIGPIPE, &gate->pipe, NULL);
	(void)sigaction(SIGXFSZ, &gate->file_size, NULL);
	(void)execvp(*command, command);
	return kc_complain(errno == ENOENT ? KC_GATE_NOT_FOUND : KC_GATE_CANNOT_RUN,
			   "the gate is open, and %s cannot be run: %s", *command,
			   kc_strerror(errno));
}

bool kc_gate_is_asked(char *const *argv)
{
	for (char *const *word = argv; *word; word++) {
		if (kc_streq(*word, "--"))
			return true;
	}
	return false;
}
