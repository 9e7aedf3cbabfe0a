/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/utf8.h"
#include "model/diff.h"
#include "model/mask.h"
#include "plan-common.h"

static bool needs_person(const struct kc_plan_rule *rule)
{
	for (uint32_t i = 0; i < rule->n_steps; i++) {
		uint32_t state = rule->steps[i].state;

		if (state == KC_STATE_BY_HAND || state == KC_STATE_HELD ||
		    state == KC_STATE_REFUSED)
			return true;
	}
	return rule->text || rule->n_steps == 0;
}

void kc_plan_figures(const struct kc_plan *plan, struct kc_plan_figures *ret_figures)
{
	struct kc_plan_figures f = { 0 };

	for (uint32_t i = 0; i < plan->n_rules; i++) {
		const struct kc_plan_rule *rule = plan->rules + i;
		bool changes = false;

		for (uint32_t k = 0; k < rule->n_steps; k++) {
			const struct kc_plan_step *step = rule->steps + k;

			if (step->state < KC_STATE_MAX)
				f.states[step->state]++;
			if (step->state != KC_STATE_NEEDED && step->state != KC_STATE_DONE)
				continue;
			changes = true;
			f.weakens += (step->flags & KC_STEP_WEAKENS) != 0;
			f.disturbs += (step->flags & KC_STEP_DISTURBS) != 0;
			f.restarts += step->kind == KC_STEP_UNIT_RESTART;
			f.reboots += (step->flags & KC_STEP_NEEDS_REBOOT) != 0;
		}
		f.changed_rules += changes;
		f.person_rules += needs_person(rule);
	}
	*ret_figures = f;
}

void kc_plan_masked(struct kc_buf *b, const char *text)
{
	if (text)
		(void)kc_mask(b, text, strlen(text));
}

static const char *or_unnamed(const char *s)
{
	return s ? s : "(unnamed)";
}

/* "%t" is the target, "%c" the content. */
static const char *const titles[] = {
	[KC_STEP_MAKE_DIR] = "make the folder %t",
	[KC_STEP_WRITE_FILE] = "write %t",
	[KC_STEP_EDIT_FILE] = "edit %t",
	[KC_STEP_MOVE_ASIDE] = "move %t aside",
	[KC_STEP_REMOVE_FILE] = "remove %t",
	[KC_STEP_SET_MODE] = "set owner and mode of %t",
	[KC_STEP_SYSCTL] = "set %t to %c",
	[KC_STEP_LOAD_MODULE] = "load the module %t",
	[KC_STEP_SWAP_OFF] = "turn off the swap %t",
	[KC_STEP_SELINUX_MODE] = "make SELinux %c",
	[KC_STEP_UNIT_ENABLE] = "enable %t",
	[KC_STEP_UNIT_DISABLE] = "disable %t",
	[KC_STEP_UNIT_MASK] = "mask %t",
	[KC_STEP_UNIT_START] = "start %t",
	[KC_STEP_UNIT_STOP] = "stop %t",
	[KC_STEP_UNIT_RESTART] = "restart %t",
	[KC_STEP_SYSTEMD_RELOAD] = "make systemd read its units again",
	[KC_STEP_FIREWALLD_ZONE] = "make %c the default zone of firewalld",
	[KC_STEP_FIREWALLD_PORT] = "open %c in the zone %t of firewalld",
	[KC_STEP_MANUAL] = "commands for a person",
};

void kc_plan_step_title(struct kc_buf *b, const struct kc_plan_step *step)
{
	const char *title = step->kind < KC_ARRAY_SIZE(titles) && titles[step->kind]
				    ? titles[step->kind]
				    : "(unknown step) %t";

	for (const char *at; (at = strchr(title, '%')); title = at + 2) {
		kc_buf_add(b, title, (size_t)(at - title));
		if (at[1] == 't')
			kc_buf_adds(b, or_unnamed(step->target));
		else
			kc_plan_masked(b, or_unnamed(step->content));
	}
	kc_buf_adds(b, title);
}

/* A file with its text, or nothing at all. */
static bool shows(const struct kc_plan_node *node)
{
	return node->type == 0 || (node->type == KC_FILE_REGULAR && node->text);
}

bool kc_plan_has_text(const struct kc_plan_change *change)
{
	return !change->secret && shows(&change->before) && shows(&change->after) &&
	       (change->before.type != 0 || change->after.type != 0);
}

bool kc_plan_text_differs(const struct kc_plan_change *change)
{
	const struct kc_plan_node *a = &change->before, *b = &change->after;

	if (a->type != KC_FILE_REGULAR || b->type != KC_FILE_REGULAR)
		return a->type == KC_FILE_REGULAR || b->type == KC_FILE_REGULAR;
	if (a->size != b->size)
		return true;
	if (a->text && b->text)
		return a->size > 0 && memcmp(a->text, b->text, a->size) != 0;
	/* Not to be seen here: who only sets owner and mode says so by its kind. */
	return !a->sha256 || !b->sha256 || !kc_streq(a->sha256, b->sha256);
}

const char *kc_plan_digest(const struct kc_plan_change *change, const struct kc_plan_node *node)
{
	const char *s = node->sha256;
	kc_cleanup(kc_buf_done) struct kc_buf masked = { 0 };

	if (!s || change->secret || node->type != KC_FILE_REGULAR || strlen(s) != 64 ||
	    strspn(s, "0123456789abcdef") != 64)
		return NULL;
	if (node->text && kc_mask_needed(node->text, node->size) &&
	    (kc_mask(&masked, node->text, node->size) > 0 || masked.failed))
		return NULL;
	return s;
}

/* Escaped: a name may have line ends, and these are lines of their own. */
static void add_name(struct kc_buf *b, const char *mark, const struct kc_plan_node *node,
		     const char *path)
{
	kc_buf_adds(b, mark);
	if (!node->type)
		path = "/dev/null";
	kc_escape(b, path, strlen(path));
	kc_buf_addc(b, '\n');
}

int kc_plan_diff(struct kc_buf *b, const struct kc_plan_change *change, bool *ret_masked)
{
	kc_cleanup(kc_buf_done) struct kc_buf before = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf after = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf hunks = { 0 };
	unsigned masked = 0;
	int r;

	if (change->before.text)
		masked += kc_mask(&before, change->before.text, change->before.size);
	if (change->after.text)
		masked += kc_mask(&after, change->after.text, change->after.size);
	if (before.failed || after.failed)
		return -ENOMEM;
	r = kc_diff(before.data, before.len, after.data, after.len, &hunks);
	if (r < 0)
		return r;
	if (hunks.len > 0) {
		add_name(b, "--- ", &change->before, change->path);
		add_name(b, "+++ ", &change->after, change->path);
		kc_buf_add(b, hunks.data, hunks.len);
	}
	*ret_masked = masked > 0;
	return kc_buf_error(b);
}
