/* SPDX-License-Identifier: Apache-2.0 */
#include "model/mask.h"
#include "playbook.h"
#include "yaml-text.h"

/* Whether the plan knows enough to tell one file from another of the same size. */
static bool by_digest(const struct kc_plan_change *change)
{
	return (change->before.type != KC_FILE_REGULAR ||
		kc_plan_digest(change, &change->before)) &&
	       (change->after.type != KC_FILE_REGULAR || kc_plan_digest(change, &change->after));
}

static void add_known(struct kc_playbook *p, const struct kc_plan_node *node, bool digest,
		      const char **separator)
{
	if (node->type != KC_FILE_REGULAR)
		return;
	if (digest)
		kc_buf_addf(&p->tasks, "%s'%s'", *separator, node->sha256);
	else
		kc_buf_addf(&p->tasks, "%s%zu", *separator, node->size);
	*separator = ", ";
}

/*
 * Two tasks that stop the play for a host whose file is neither what the plan saw nor what it is to
 * be: a plan is made for one host, and of one moment.
 */
static void guard(struct kc_playbook *p, const struct kc_plan_change *change)
{
	kc_cleanup(kc_buf_done) struct kc_buf what = { 0 };
	bool digest = by_digest(change);
	const char *separator = "";

	kc_buf_addf(&what, "look at %s", change->path);
	kc_playbook_task(p, what.failed ? "" : what.data);
	kc_playbook_module(p, "ansible.builtin.stat");
	kc_playbook_argument_text(p, "path", change->path);
	kc_playbook_argument(p, "checksum_algorithm", "sha256");
	kc_buf_addf(&p->tasks, "%*sregister: k8scheck_seen_%u\n", KC_PLAYBOOK_MODULE, "",
		    ++p->seen);
	kc_buf_reset(&what);
	kc_buf_addf(&what, "%s is as the plan was made from it, or as it is to be", change->path);
	kc_playbook_task(p, what.failed ? "" : what.data);
	kc_playbook_module(p, "ansible.builtin.assert");
	kc_buf_addf(&p->tasks, "%*sthat:\n%*s- \"", KC_PLAYBOOK_ARGUMENT, "", KC_PLAYBOOK_VALUE,
		    "");
	if (change->before.type == 0 || change->after.type == 0)
		kc_buf_addf(&p->tasks, "not k8scheck_seen_%u.stat.exists or ", p->seen);
	kc_buf_addf(&p->tasks, "k8scheck_seen_%u.stat.%s in [", p->seen,
		    digest ? "checksum | default('')" : "size | default(-1)");
	add_known(p, &change->before, digest, &separator);
	add_known(p, &change->after, digest, &separator);
	kc_buf_adds(&p->tasks, "]\"\n");
	kc_playbook_argument(p, "fail_msg",
			     "\"it has changed since the plan was made: make a new one\"");
}

static void owner_and_mode(struct kc_playbook *p, const struct kc_plan_node *node)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", node->uid);
	kc_playbook_argument_text(p, "owner", node->uid == 0 ? "root" : text);
	(void)snprintf(text, sizeof(text), "%u", node->gid);
	kc_playbook_argument_text(p, "group", node->gid == 0 ? "root" : text);
	(void)snprintf(text, sizeof(text), "%04o", node->mode & 07777);
	kc_playbook_argument_text(p, "mode", text);
}

const char *kc_playbook_why_no_content(const struct kc_plan_change *change)
{
	const struct kc_plan_node *after = &change->after;

	if (change->secret)
		return "Others than its owner may not read it, so its content is not here. "
		       "k8scheck --fix does it.";
	if (!after->text)
		return "Its content is not here. k8scheck --fix does it.";
	if (kc_mask_needed(after->text, after->size)) {
		kc_cleanup(kc_buf_done) struct kc_buf masked = { 0 };

		if (kc_mask(&masked, after->text, after->size) > 0 || masked.failed)
			return "It has what looks like a secret, so its content is not here. "
			       "k8scheck --fix does it.";
	}
	if (!kc_yaml_can_hold(after->text, after->size))
		return "Its content is no text, which a playbook cannot hold. k8scheck --fix does "
		       "it.";
	return NULL;
}

static void copy(struct kc_playbook *p, const struct kc_plan_step *step,
		 const struct kc_plan_change *change)
{
	guard(p, change);
	kc_playbook_step_task(p, step);
	kc_playbook_module(p, "ansible.builtin.copy");
	kc_playbook_argument_text(p, "dest", change->path);
	kc_playbook_argument_bytes(p, "content", change->after.text, change->after.size);
	owner_and_mode(p, &change->after);
	(void)kc_playbook_register_result(p);
}

static void file(struct kc_playbook *p, const struct kc_plan_step *step,
		 const struct kc_plan_change *change, const char *state)
{
	kc_playbook_step_task(p, step);
	kc_playbook_module(p, "ansible.builtin.file");
	kc_playbook_argument_text(p, "path", change->path);
	if (state)
		kc_playbook_argument(p, "state", state);
	if (change->after.type == KC_FILE_SYMLINK)
		kc_playbook_argument_text(p, "src", change->after.text);
	else if (change->after.type != 0)
		owner_and_mode(p, &change->after);
	(void)kc_playbook_register_result(p);
}

/* ansible.builtin.file takes away folders with all that is in them. */
static void removal(struct kc_playbook *p, const struct kc_plan_step *step,
		    const struct kc_plan_change *change)
{
	if (change->before.type == KC_FILE_DIRECTORY) {
		kc_playbook_leave(p, step,
				  "A module would remove the folder with all that is in it.");
		return;
	}
	if (change->before.type == KC_FILE_REGULAR)
		guard(p, change);
	file(p, step, change, "absent");
}

static void change_of_file(struct kc_playbook *p, const struct kc_plan_step *step,
			   const struct kc_plan_change *change)
{
	const struct kc_plan_node *after = &change->after;
	const char *why = NULL;

	if (!kc_playbook_can_hold(change->path) ||
	    (after->type == KC_FILE_SYMLINK &&
	     (change->secret || !kc_playbook_can_hold(after->text)))) {
		kc_playbook_leave(p, step,
				  "A name of it is no text, which a playbook cannot hold.");
		return;
	}
	if (after->type == 0) {
		removal(p, step, change);
	} else if (after->type == KC_FILE_DIRECTORY) {
		file(p, step, change, "directory");
	} else if (after->type == KC_FILE_SYMLINK) {
		file(p, step, change, "link");
	} else if (after->type != KC_FILE_REGULAR) {
		kc_playbook_leave(p, step, "No module makes such a file.");
	} else if (step->kind == KC_STEP_SET_MODE || !kc_plan_text_differs(change)) {
		file(p, step, change, NULL);
	} else {
		why = kc_playbook_why_no_content(change);
		if (why)
			kc_playbook_leave(p, step, why);
		else
			copy(p, step, change);
	}
}

/* The change that a file goes away by, or comes by. */
static const struct kc_plan_change *find_change(const struct kc_plan_step *step, bool comes)
{
	for (uint32_t i = 0; i < step->n_changes; i++) {
		const struct kc_plan_change *c = step->changes + i;

		if (comes ? c->before.type == 0 && c->after.type == KC_FILE_REGULAR
			  : c->before.type == KC_FILE_REGULAR && c->after.type == 0)
			return c;
	}
	return NULL;
}

static void move_aside(struct kc_playbook *p, const struct kc_plan_step *step)
{
	const struct kc_plan_change *from = find_change(step, false), *to = find_change(step, true);

	if (!from || !to || !kc_playbook_can_hold(from->path) || !kc_playbook_can_hold(to->path)) {
		kc_playbook_leave(p, step, "No module moves it. k8scheck --fix does it.");
		return;
	}
	guard(p, to);
	guard(p, from);
	kc_playbook_task(p, "keep what is moved aside");
	kc_playbook_module(p, "ansible.builtin.copy");
	kc_playbook_argument_text(p, "src", from->path);
	kc_playbook_argument_text(p, "dest", to->path);
	kc_playbook_argument(p, "remote_src", "true");
	kc_playbook_argument(p, "force", "false");
	owner_and_mode(p, &to->after);
	kc_buf_addf(&p->tasks, "%*swhen: k8scheck_seen_%u.stat.exists\n", KC_PLAYBOOK_MODULE, "",
		    p->seen);
	file(p, step, from, "absent");
}

void kc_playbook_files(struct kc_playbook *p, const struct kc_plan_step *step)
{
	if (step->n_changes == 0)
		kc_playbook_leave(p, step,
				  "The plan does not say what it changes. k8scheck --fix does it.");
	else if (step->kind == KC_STEP_MOVE_ASIDE)
		move_aside(p, step);
	else
		for (uint32_t i = 0; i < step->n_changes; i++)
			change_of_file(p, step, step->changes + i);
}
