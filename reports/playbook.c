/* SPDX-License-Identifier: Apache-2.0 */
#include "playbook.h"
#include "value.h"
#include "yaml-text.h"

const struct kc_plan_rule *kc_playbook_rule_of(const struct kc_playbook *p)
{
	return p->plan->rules + p->rule;
}

void kc_playbook_comment(struct kc_playbook *p, const char *text)
{
	kc_yaml_add_comment(&p->tasks, text, KC_PLAYBOOK_TASK);
}

void kc_playbook_comment_masked(struct kc_playbook *p, const char *before, const char *text)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

	if (!text)
		return;
	kc_buf_adds(&b, before);
	kc_plan_masked(&b, text);
	if (b.failed)
		p->tasks.failed = true;
	else
		kc_playbook_comment(p, b.data);
}

void kc_playbook_add_name(struct kc_buf *b, const char *raw)
{
	kc_cleanup(kc_buf_done) struct kc_buf shown = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf apart = { 0 };

	kc_value_add(&shown, raw, 512);
	for (size_t i = 0; i < shown.len; i++) {
		kc_buf_addc(&apart, shown.data[i]);
		if (shown.data[i] == '{')
			kc_buf_addc(&apart, ' ');
	}
	if (shown.failed || apart.failed)
		b->failed = true;
	else
		kc_yaml_add_scalar(b, apart.data ? apart.data : "", apart.len, 0);
}

void kc_playbook_task(struct kc_playbook *p, const char *what)
{
	kc_cleanup(kc_buf_done) struct kc_buf name = { 0 };

	kc_buf_addf(&name, "%s: %s", kc_playbook_rule_of(p)->rule->id, what);
	kc_buf_addf(&p->tasks, "%*s- name: ", KC_PLAYBOOK_TASK, "");
	kc_playbook_add_name(&p->tasks, name.failed ? "" : name.data);
	kc_buf_addc(&p->tasks, '\n');
	p->n_tasks++;
}

void kc_playbook_step_task(struct kc_playbook *p, const struct kc_plan_step *step)
{
	kc_cleanup(kc_buf_done) struct kc_buf title = { 0 };

	kc_plan_step_title(&title, step);
	kc_playbook_task(p, title.failed ? "" : title.data);
}

void kc_playbook_module(struct kc_playbook *p, const char *name)
{
	kc_buf_addf(&p->tasks, "%*s%s:\n", KC_PLAYBOOK_MODULE, "", name);
}

void kc_playbook_argument(struct kc_playbook *p, const char *name, const char *constant)
{
	kc_buf_addf(&p->tasks, "%*s%s: %s\n", KC_PLAYBOOK_ARGUMENT, "", name, constant);
}

void kc_playbook_argument_bytes(struct kc_playbook *p, const char *name, const char *s, size_t n)
{
	kc_buf_addf(&p->tasks, "%*s%s: ", KC_PLAYBOOK_ARGUMENT, "", name);
	kc_yaml_add_scalar(&p->tasks, s, n, KC_PLAYBOOK_VALUE);
	kc_buf_addc(&p->tasks, '\n');
}

void kc_playbook_argument_text(struct kc_playbook *p, const char *name, const char *s)
{
	kc_playbook_argument_bytes(p, name, s, strlen(s));
}

uint32_t kc_playbook_register_result(struct kc_playbook *p)
{
	p->registered++;
	kc_buf_addf(&p->tasks, "%*sregister: k8scheck_%u\n", KC_PLAYBOOK_MODULE, "", p->registered);
	return p->registered;
}

void kc_playbook_begin_comment(struct kc_playbook *p, const struct kc_plan_step *step,
			       const char *what)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };

	kc_buf_adds(&text, what);
	kc_plan_step_title(&text, step);
	if (text.failed)
		p->tasks.failed = true;
	else
		kc_playbook_comment(p, text.data);
	p->left++;
}

void kc_playbook_leave(struct kc_playbook *p, const struct kc_plan_step *step, const char *why)
{
	kc_playbook_begin_comment(p, step, "not here: ");
	kc_playbook_comment(p, why);
}

bool kc_playbook_can_hold(const char *s)
{
	return s && kc_yaml_can_hold(s, strlen(s));
}
