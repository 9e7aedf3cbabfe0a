/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "plan-ansible.h"
#include "playbook.h"
#include "yaml-text.h"

static void playbook_done(struct kc_playbook *p)
{
	kc_buf_done(&p->tasks);
}

enum {
	NEEDS_TARGET = 1,
	NEEDS_CONTENT = 2
};

static unsigned needs(uint32_t kind)
{
	switch (kind) {
	case KC_STEP_SYSCTL:
	case KC_STEP_FIREWALLD_PORT:
		return NEEDS_TARGET | NEEDS_CONTENT;
	case KC_STEP_SELINUX_MODE:
	case KC_STEP_FIREWALLD_ZONE:
		return NEEDS_CONTENT;
	case KC_STEP_LOAD_MODULE:
	case KC_STEP_SWAP_OFF:
	case KC_STEP_UNIT_ENABLE:
	case KC_STEP_UNIT_DISABLE:
	case KC_STEP_UNIT_MASK:
	case KC_STEP_UNIT_START:
	case KC_STEP_UNIT_STOP:
	case KC_STEP_UNIT_RESTART:
		return NEEDS_TARGET;
	default:
		return 0;
	}
}

static void needed(struct kc_playbook *p, const struct kc_plan_step *step)
{
	switch (step->kind) {
	case KC_STEP_SYSCTL:
		kc_playbook_sysctl(p, step);
		break;
	case KC_STEP_LOAD_MODULE:
		kc_playbook_load_module(p, step);
		break;
	case KC_STEP_SWAP_OFF:
		kc_playbook_swap_off(p, step);
		break;
	case KC_STEP_SELINUX_MODE:
		kc_playbook_selinux_mode(p, step);
		break;
	case KC_STEP_UNIT_ENABLE:
		kc_playbook_unit(p, step, "enabled", "true");
		break;
	case KC_STEP_UNIT_DISABLE:
		kc_playbook_unit(p, step, "enabled", "false");
		break;
	case KC_STEP_UNIT_MASK:
		kc_playbook_unit(p, step, "masked", "true");
		break;
	case KC_STEP_UNIT_START:
		kc_playbook_unit(p, step, "state", "started");
		break;
	case KC_STEP_UNIT_STOP:
		kc_playbook_unit(p, step, "state", "stopped");
		break;
	case KC_STEP_UNIT_RESTART:
		kc_playbook_restart(p, step);
		break;
	case KC_STEP_SYSTEMD_RELOAD:
		kc_playbook_systemd_reload(p, step);
		break;
	case KC_STEP_FIREWALLD_ZONE:
		kc_playbook_default_zone(p, step);
		break;
	case KC_STEP_FIREWALLD_PORT:
		kc_playbook_port(p, step);
		break;
	default:
		kc_playbook_files(p, step);
		break;
	}
}

static void marks(struct kc_playbook *p, const struct kc_plan_step *step)
{
	kc_playbook_comment_masked(p, "", step->why);
	if (step->flags & KC_STEP_WEAKENS)
		kc_playbook_comment(p, "It weakens the host.");
	if (step->flags & KC_STEP_DISTURBS)
		kc_playbook_comment(p, "It touches what runs: the node is to be drained first.");
	if (step->flags & KC_STEP_NEEDS_REBOOT)
		kc_playbook_comment(p, "A reboot completes it.");
}

static void by_hand(struct kc_playbook *p, const struct kc_plan_step *step)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	const char *s;

	p->left++;
	kc_playbook_comment(p, "by hand:");
	kc_plan_masked(&text, step->content);
	for (s = text.data && !text.failed ? text.data : ""; *s;) {
		size_t n = strcspn(s, "\n");
		kc_cleanup(kc_freep) char *command = kc_asprintf("  %.*s", (int)KC_MIN(n, 4096), s);

		if (!command)
			p->tasks.failed = true;
		else if (n > 0)
			kc_playbook_comment(p, command);
		s += n;
		s += *s == '\n';
	}
	p->tasks.failed = p->tasks.failed || text.failed;
}

static void add_step(struct kc_playbook *p, const struct kc_plan_step *step)
{
	unsigned lacks = needs(step->kind);

	/* It is so on the host that the plan was made on, and is no part of what it would do. */
	if (step->state == KC_STATE_ALREADY)
		return;
	kc_buf_addc(&p->tasks, '\n');
	marks(p, step);
	if (step->state == KC_STATE_BY_HAND || step->kind == KC_STEP_MANUAL) {
		by_hand(p, step);
	} else if (step->state != KC_STATE_NEEDED) {
		kc_playbook_begin_comment(p, step,
					  step->state == KC_STATE_HELD ? "held: " : "not done: ");
		kc_playbook_comment_masked(p, "", step->text);
	} else if (((lacks & NEEDS_TARGET) && !kc_playbook_can_hold(step->target)) ||
		   ((lacks & NEEDS_CONTENT) && !kc_playbook_can_hold(step->content))) {
		kc_playbook_leave(p, step,
				  "A name of it is no text, which a playbook cannot hold.");
	} else {
		needed(p, step);
	}
}

static void add_rule(struct kc_playbook *p)
{
	const struct kc_plan_rule *rule = kc_playbook_rule_of(p);
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };

	kc_buf_addf(&text, "%s: %s", rule->rule->id, rule->rule->title ? rule->rule->title : "");
	kc_buf_addc(&p->tasks, '\n');
	kc_playbook_comment(p, text.failed ? "" : text.data);
	kc_playbook_comment_masked(p, "left as it is: ", rule->text);
	if (rule->n_steps == 0 && !rule->text)
		kc_playbook_comment(p, "by hand: its check knows no repair");
	p->left += rule->text || rule->n_steps == 0;
	p->first_of_rule = p->registered + 1;
	for (p->step = 0; p->step < rule->n_steps; p->step++)
		add_step(p, rule->steps + p->step);
}

/* Who does not read comments is told at the end of the play. */
static void add_rest(struct kc_playbook *p)
{
	char text[160];

	if (p->left == 0)
		return;
	(void)snprintf(text, sizeof(text),
		       "%u of the plan's steps are left to a person: the comments of this playbook "
		       "have them",
		       p->left);
	kc_buf_addf(&p->tasks, "\n%*s- name: \"what is left to a person\"\n", KC_PLAYBOOK_TASK, "");
	kc_playbook_module(p, "ansible.builtin.debug");
	kc_playbook_argument_text(p, "msg", text);
	p->n_tasks++;
}

static void add_head(struct kc_buf *b, const struct kc_plan *plan)
{
	kc_cleanup(kc_buf_done) struct kc_buf name = { 0 };

	kc_yaml_add_comment(
		b,
		"What k8scheck --fix would do, as a playbook. A plan is made for one host and one "
		"moment: a task in\n"
		"front of each file stops where another file is found. Nothing here takes it back, "
		"as k8scheck\n"
		"rollback does. Say --extra-vars k8scheck_hosts=NAME for another host than this "
		"one.\n"
		"It needs the collections ansible.posix and community.general.",
		0);
	if (plan->root && !kc_streq(plan->root, "/")) {
		kc_buf_addf(&name,
			    "The plan was made below %s: this playbook is for a host that "
			    "runs from it.",
			    plan->root);
		kc_yaml_add_comment(b, name.failed ? "" : name.data, 0);
		kc_buf_reset(&name);
	}
	if (plan->refusal)
		kc_yaml_add_comment(b, plan->refusal, 0);
	kc_buf_adds(b, "- name: ");
	kc_buf_addf(&name, "k8scheck, profile %s", plan->profile ? plan->profile : "(none)");
	kc_playbook_add_name(b, name.failed ? "" : name.data);
	kc_buf_adds(b, "\n  hosts: \"{{ k8scheck_hosts | default('localhost') }}\"\n"
		       "  become: true\n"
		       "  gather_facts: false\n");
}

int kc_plan_ansible_write(const struct kc_plan *plan, const struct kc_report_style *style,
			  FILE *out, struct kc_err *err)
{
	kc_cleanup(playbook_done) struct kc_playbook p = { .plan = plan };
	kc_cleanup(kc_buf_done) struct kc_buf head = { 0 };

	for (p.rule = 0; p.rule < plan->n_rules; p.rule++)
		add_rule(&p);
	add_rest(&p);
	add_head(&head, plan);
	kc_buf_adds(&head, p.n_tasks > 0 ? "  tasks:" : "  tasks: []\n");
	if (p.n_tasks > 0 && (!p.tasks.data || *p.tasks.data != '\n'))
		kc_buf_addc(&head, '\n');
	if (p.tasks.failed || head.failed)
		return kc_err_set(err, -ENOMEM, "no memory for the plan as a playbook");
	(void)fwrite_unlocked(head.data, 1, head.len, out);
	if (p.tasks.len > 0)
		(void)fwrite_unlocked(p.tasks.data, 1, p.tasks.len, out);
	if (ferror(out))
		return kc_err_set(err, -EIO, "the plan could not be written as a playbook");
	return 0;
}
