/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"
#include "model/plan.h"
#include "plan-common.h"

/* A playbook under way: what plan-ansible.c and the files of its tasks share. */

enum {
	KC_PLAYBOOK_TASK = 4, /* columns in front of a task */
	KC_PLAYBOOK_MODULE = KC_PLAYBOOK_TASK + 2,
	KC_PLAYBOOK_ARGUMENT = KC_PLAYBOOK_MODULE + 2,
	KC_PLAYBOOK_VALUE = KC_PLAYBOOK_ARGUMENT + 2,
};

struct kc_playbook {
	const struct kc_plan *plan;
	struct kc_buf tasks;
	uint32_t rule, step; /* which is under way */
	uint32_t n_tasks, left; /* left: steps that are comments */
	uint32_t seen; /* files that were looked at */
	uint32_t registered; /* variables with results, numbered from 1 */
	uint32_t first_of_rule; /* the first number that the rule under way can have */
	bool scratch; /* the folder of the scratch file is made by a task */
};

/* ---- lines ---- */

const struct kc_plan_rule *kc_playbook_rule_of(const struct kc_playbook *p);

void kc_playbook_comment(struct kc_playbook *p, const char *text);

/* A text of the fixer or of a plugin, with its secrets masked; NULL: no comment. */
void kc_playbook_comment_masked(struct kc_playbook *p, const char *before, const char *text);

/* Appends what is a name for people: what a template engine would take for its own is broken. */
void kc_playbook_add_name(struct kc_buf *b, const char *raw);

/* Begins a task with its name, "RULE: WHAT"; the second with what the step does. */
void kc_playbook_task(struct kc_playbook *p, const char *what);
void kc_playbook_step_task(struct kc_playbook *p, const struct kc_plan_step *step);

void kc_playbook_module(struct kc_playbook *p, const char *name);

/* Arguments of a module: one that is YAML already, and texts that kc_playbook_can_hold(). */
void kc_playbook_argument(struct kc_playbook *p, const char *name, const char *constant);
void kc_playbook_argument_text(struct kc_playbook *p, const char *name, const char *s);
void kc_playbook_argument_bytes(struct kc_playbook *p, const char *name, const char *s, size_t n);

/* Keeps the result of a task, for a later one to ask; returns its number. */
uint32_t kc_playbook_register_result(struct kc_playbook *p);

/* A step that is a comment. `leave` says why it is no task. */
void kc_playbook_begin_comment(struct kc_playbook *p, const struct kc_plan_step *step,
			       const char *what);
void kc_playbook_leave(struct kc_playbook *p, const struct kc_plan_step *step, const char *why);

/* Whether a text is there and a scalar holds it. */
bool kc_playbook_can_hold(const char *s);

/* ---- files ---- */

/* Why a playbook does not carry the content that a change makes; NULL: it does. */
const char *kc_playbook_why_no_content(const struct kc_plan_change *change);

void kc_playbook_files(struct kc_playbook *p, const struct kc_plan_step *step);

/* ---- what runs: steps with the target and content that their kind has ---- */

void kc_playbook_sysctl(struct kc_playbook *p, const struct kc_plan_step *step);
void kc_playbook_load_module(struct kc_playbook *p, const struct kc_plan_step *step);
void kc_playbook_swap_off(struct kc_playbook *p, const struct kc_plan_step *step);
void kc_playbook_selinux_mode(struct kc_playbook *p, const struct kc_plan_step *step);
void kc_playbook_default_zone(struct kc_playbook *p, const struct kc_plan_step *step);
void kc_playbook_port(struct kc_playbook *p, const struct kc_plan_step *step);

/* A unit of systemd with one argument of its module: "enabled", "true". */
void kc_playbook_unit(struct kc_playbook *p, const struct kc_plan_step *step, const char *name,
		      const char *value);
void kc_playbook_restart(struct kc_playbook *p, const struct kc_plan_step *step);
void kc_playbook_systemd_reload(struct kc_playbook *p, const struct kc_plan_step *step);
