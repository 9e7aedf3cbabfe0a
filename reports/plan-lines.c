/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "plan-common.h"
#include "plan-lines.h"
#include "value.h"

enum {
	ROW_WIDTH = 11, /* of the longest label, "taken back:" */
	DIFF_LINES_MAX = 120, /* of a file, without --verbose */
};

const char *kc_plan_lines_text(struct kc_plan_lines *t)
{
	t->failed = t->failed || t->line.failed;
	return t->line.data && !t->line.failed ? t->line.data : "";
}

/* The raw text, escaped behind what the line has. */
void kc_plan_lines_escape(struct kc_plan_lines *t)
{
	t->failed = t->failed || t->raw.failed;
	kc_value_add(&t->line, t->raw.failed ? NULL : t->raw.data, KC_PLAN_VALUE_MAX);
}

void kc_plan_lines_row(struct kc_plan_lines *t, const char *label)
{
	kc_layout_line(&t->layout, KC_PLAN_DETAIL_INDENT, KC_INK_DIM, label, ROW_WIDTH,
		       kc_plan_lines_text(t));
}

/* A sentence of its own. */
void kc_plan_lines_sentence(struct kc_plan_lines *t, const char *s)
{
	if (!s)
		return;
	kc_buf_reset(&t->raw);
	kc_plan_masked(&t->raw, s);
	kc_buf_reset(&t->line);
	t->failed = t->failed || t->raw.failed;
	kc_value_add_line(&t->line, t->raw.failed ? NULL : t->raw.data, KC_PLAN_VALUE_MAX);
	kc_layout_line(&t->layout, KC_PLAN_DETAIL_INDENT, KC_INK_NONE, "", 0,
		       kc_plan_lines_text(t));
}

static void add_owner_and_mode(struct kc_buf *b, const struct kc_plan_node *node)
{
	kc_buf_addf(b, "owner %u:%u", node->uid, node->gid);
	if (node->type != KC_FILE_SYMLINK)
		kc_buf_addf(b, ", mode %04o", node->mode & 07777);
}

static const char *type_name(uint32_t type)
{
	return type == KC_FILE_REGULAR	   ? "file"
	       : type == KC_FILE_DIRECTORY ? "folder"
	       : type == KC_FILE_SYMLINK   ? "link"
					   : "special file";
}

/* "link PATH -> TEXT" */
static void add_link(struct kc_plan_lines *t, const char *path, const char *target)
{
	kc_buf_adds(&t->line, "link ");
	kc_value_add(&t->line, path, KC_PLAN_VALUE_MAX);
	kc_buf_adds(&t->line, " -> ");
	kc_value_add(&t->line, target ? target : "(not shown)", KC_PLAN_VALUE_MAX);
}

/* What becomes of the node, apart from the content of a file. */
static void node_rows(struct kc_plan_lines *t, const struct kc_plan_change *change)
{
	const struct kc_plan_node *before = &change->before, *after = &change->after;

	kc_buf_reset(&t->line);
	if (after->type == KC_FILE_SYMLINK) {
		add_link(t, change->path, after->text);
		kc_plan_lines_row(t, before->type ? "becomes:" : "new:");
	} else if (after->type == 0 && before->type == KC_FILE_SYMLINK) {
		add_link(t, change->path, before->text);
		kc_plan_lines_row(t, "removed:");
	} else if (after->type == 0) {
		kc_buf_addf(&t->line, "%s ", type_name(before->type));
		kc_value_add(&t->line, change->path, KC_PLAN_VALUE_MAX);
		kc_plan_lines_row(t, "removed:");
	} else if (before->type != after->type) {
		kc_buf_addf(&t->line, "%s ", type_name(after->type));
		kc_value_add(&t->line, change->path, KC_PLAN_VALUE_MAX);
		kc_buf_adds(&t->line, ", ");
		add_owner_and_mode(&t->line, after);
		kc_plan_lines_row(t, before->type ? "becomes:" : "new:");
	} else if (before->mode != after->mode || before->uid != after->uid ||
		   before->gid != after->gid) {
		kc_value_add(&t->line, change->path, KC_PLAN_VALUE_MAX);
		kc_buf_adds(&t->line, ": ");
		add_owner_and_mode(&t->line, before);
		kc_buf_adds(&t->line, " -> ");
		add_owner_and_mode(&t->line, after);
		kc_plan_lines_row(t, "changed:");
	}
}

static enum kc_ink diff_ink(const char *s)
{
	switch (*s) {
	case '-':
		return KC_INK_RED;
	case '+':
		return KC_INK_GREEN;
	case '@':
		return KC_INK_CYAN;
	default:
		return KC_INK_NONE;
	}
}

/* kc_value_add() for bytes that may have NUL among them. */
static void add_bytes(struct kc_buf *b, char *s, size_t n)
{
	size_t at = 0;

	while (at < n) {
		size_t len = strnlen(s + at, n - at);

		if (len > 0) {
			char behind = s[at + len];

			s[at + len] = 0;
			kc_value_add(b, s + at, KC_PLAN_VALUE_MAX);
			s[at + len] = behind;
			at += len;
		} else {
			kc_buf_adds(b, "\\x00");
			at++;
		}
	}
}

/*
 * In front of each line stands a bar: "---" and "+++" at the beginning of a line, white space or
 * not, are commands to a CI system. Lines are not wrapped, so that columns stay what they are.
 */
static void diff_lines(struct kc_plan_lines *t, struct kc_buf *diff)
{
	size_t at = 0, n = 0, more = 0;

	while (at < diff->len) {
		const char *end = memchr(diff->data + at, '\n', diff->len - at);
		size_t len = end ? (size_t)(end - diff->data) - at : diff->len - at;

		if (n >= DIFF_LINES_MAX && !t->style->verbose) {
			more++;
		} else {
			enum kc_ink ink = diff_ink(diff->data + at);

			kc_buf_reset(&t->line);
			kc_buf_adds(&t->line, "| ");
			add_bytes(&t->line, diff->data + at, len);
			kc_layout_line(&t->layout, KC_PLAN_DETAIL_INDENT, ink,
				       kc_plan_lines_text(t), 0, "");
			n++;
		}
		at += len + 1;
	}
	if (more > 0) {
		kc_buf_reset(&t->line);
		kc_buf_addf(&t->line, "and %zu more lines, which --verbose shows", more);
		kc_layout_line(&t->layout, KC_PLAN_DETAIL_INDENT, KC_INK_DIM, kc_plan_lines_text(t),
			       0, "");
	}
}

static void content(struct kc_plan_lines *t, const struct kc_plan_step *step,
		    const struct kc_plan_change *change)
{
	kc_cleanup(kc_buf_done) struct kc_buf diff = { 0 };
	bool masked = false;
	int r;

	if (step->kind == KC_STEP_SET_MODE || step->kind == KC_STEP_MOVE_ASIDE ||
	    !kc_plan_text_differs(change))
		return;
	if (!kc_plan_has_text(change)) {
		kc_plan_lines_sentence(
			t, change->secret ? "Its content is not shown: others than its owner "
					    "may not read it."
					  : "Its content is not shown.");
		return;
	}
	r = kc_plan_diff(&diff, change, &masked);
	t->failed = t->failed || r == -ENOMEM;
	if (r == -EFBIG)
		kc_plan_lines_sentence(t, "It is too large to be shown.");
	else if (r == 0 && diff.len == 0 && masked)
		kc_plan_lines_sentence(t, "What it changes looks like a secret, and is not shown.");
	else if (r == 0)
		diff_lines(t, &diff);
	if (r == 0 && diff.len > 0 && masked)
		kc_plan_lines_sentence(t, "What looks like a secret stands as ***.");
}

void kc_plan_lines_change(struct kc_plan_lines *t, const struct kc_plan_step *step,
			  const struct kc_plan_change *change)
{
	node_rows(t, change);
	content(t, step, change);
}
