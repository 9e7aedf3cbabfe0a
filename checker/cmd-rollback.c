/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/fields.h"
#include "commands.h"
#include "fix-message.h"
#include "fix-process.h"
#include "reports/value.h"
#include "terminal.h"

enum {
	TEXT_MAX = 4096
};

/* A line of what a host says, made harmless. */
static void print(const char *fmt, ...) kc_printf(1, 2);

static void print(const char *fmt, ...)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 }, safe = { 0 };
	va_list ap;

	va_start(ap, fmt);
	kc_buf_addv(&text, fmt, ap);
	va_end(ap);
	if (kc_buf_error(&text) >= 0)
		kc_value_add_line(&safe, text.data, TEXT_MAX);
	(void)printf("%s\n", kc_buf_error(&safe) < 0 || !safe.data ? "(out of memory)" : safe.data);
}

static int print_list(const struct kc_fix_list *list)
{
	if (list->n == 0)
		print("no repair was made here");
	for (uint32_t i = 0; i < list->n; i++) {
		const struct kc_fix_listed *item = list->items + i;

		print("%s  %s  %s: %u change%s", item->id, item->profile, item->state,
		      item->changes, item->changes == 1 ? "" : "s");
	}
	return 0;
}

static const char *verb_of(const struct kc_fix_undo *item)
{
	switch (item->state) {
	case KC_STATE_NEEDED:
		return "takes back";
	case KC_STATE_HELD:
		return "conflict  ";
	case KC_STATE_REFUSED:
		return "cannot    ";
	default:
		return "nothing   ";
	}
}

static unsigned print_rollback(const struct kc_fix_rollback *r)
{
	unsigned conflicts = 0;

	print("repair %s of profile %s at %s: %s", r->transaction, r->profile, r->time, r->state);
	for (uint32_t i = 0; i < r->n; i++) {
		const struct kc_fix_undo *item = r->items + i;

		print("  %s %-12s %s%s%s", verb_of(item), item->what, item->target,
		      item->text ? ": " : "", item->text ? item->text : "");
		conflicts += item->state == KC_STATE_HELD;
	}
	return conflicts;
}

static int send_consent(const struct kc_fix_process *fixer, const char *hash)
{
	const struct kc_fix_consent consent = { .hash = hash };
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

	kc_put_consent(&b, &consent);
	return kc_fix_send(fixer->socket, KC_FIX_CONSENT, &b);
}

static int on_outcome(const struct kc_command *command, const struct kc_fix_message *message)
{
	struct kc_fix_outcome outcome;

	if (kc_get_outcome(&message->data, command->arena, &outcome) < 0)
		return kc_complain(KC_EXIT_REPAIR_FAILED, "what the fixer says cannot be read");
	for (size_t i = 0; i < outcome.notes.n; i++)
		(void)kc_complain(0, "%s", outcome.notes.item[i]);
	if (outcome.result != KC_FIX_DONE)
		return kc_complain(KC_EXIT_REPAIR_FAILED, "%s",
				   outcome.text ? outcome.text : "it failed");
	if (command->options->forget)
		print("repair %s is forgotten, with its backups", outcome.transaction);
	else
		print("repair %s is taken back", outcome.transaction);
	return 0;
}

/* -1: go on and hear the outcome; else an exit code. */
static int on_rollback(const struct kc_command *command, const struct kc_fix_process *fixer,
		       const struct kc_fix_message *message)
{
	const struct kc_options *o = command->options;
	struct kc_fix_rollback rollback;
	unsigned conflicts;

	if (kc_get_rollback(&message->data, command->arena, &rollback) < 0)
		return kc_complain(KC_EXIT_USAGE, "what the fixer says cannot be read");
	if (!rollback.transaction) {
		print("there is no repair to be taken back");
		return 0;
	}
	conflicts = print_rollback(&rollback);
	if (conflicts > 0)
		print("  Others have changed what is marked as a conflict. %s",
		      o->force ? "By --force it is overwritten; theirs is kept as a copy."
			       : "It is left as it is; --force would overwrite it.");
	if (rollback.refusal)
		return kc_complain(o->dry_run ? 0 : KC_EXIT_USAGE, "%s; nothing was changed",
				   rollback.refusal);
	if (o->dry_run)
		return 0;
	if (!o->yes) {
		if (!kc_terminal_there())
			return kc_complain(
				KC_EXIT_USAGE,
				"rollback asks before it changes anything, and there is "
				"no terminal to ask at: add --yes, or --dry-run; nothing "
				"was changed");
		if (!kc_terminal_ask("Take repair %s back?", rollback.transaction))
			return kc_complain(KC_EXIT_USAGE, "nothing was changed");
	}
	(void)send_consent(fixer, rollback.hash);
	return -1;
}

static int on_message(const struct kc_command *command, const struct kc_fix_process *fixer,
		      const struct kc_fix_message *message)
{
	struct kc_fix_list list;
	struct kc_reader r;
	const char *text;

	switch (message->type) {
	case KC_FIX_REFUSED:
		kc_reader_start(&r, message->data.data, message->data.len);
		text = kc_reader_text(&r);
		return kc_complain(KC_EXIT_USAGE, "%s; nothing was changed",
				   text ? text : "the fixer refused, without a word");
	case KC_FIX_LIST:
		if (kc_get_list(&message->data, command->arena, &list) < 0)
			return kc_complain(KC_EXIT_USAGE, "what the fixer says cannot be read");
		return print_list(&list);
	case KC_FIX_ROLLBACK:
		return on_rollback(command, fixer, message);
	case KC_FIX_OUTCOME:
		return on_outcome(command, message);
	default:
		return -1;
	}
}

int kc_command_rollback(const struct kc_command *command)
{
	struct kc_fix_process fixer = { .socket = -EBADF };
	struct kc_err err = { 0 };
	int code = -1;

	if (kc_fix_process_start(command, &err, &fixer) < 0)
		return kc_complain(KC_EXIT_USAGE, "%s; nothing was changed", err.text);
	while (code < 0) {
		struct kc_fix_message message = { 0 };
		int r = kc_fix_receive(fixer.socket, &message);

		if (r < 0) {
			code = kc_complain(KC_EXIT_REPAIR_FAILED,
					   "the fixer is gone (%s); run k8scheck rollback again",
					   kc_strerror(r));
			break;
		}
		code = on_message(command, &fixer, &message);
		kc_fix_message_done(&message);
	}
	kc_fix_process_end(&fixer);
	return code;
}
