/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"
#include "base/str.h"

const char *const kc_step_kind_names[] = {
	"make-dir",	"write-file",	  "edit-file",	    "move-aside",     "remove-file",
	"set-mode",	"sysctl",	  "load-module",    "swap-off",	      "selinux-mode",
	"unit-enable",	"unit-disable",	  "unit-mask",	    "unit-start",     "unit-stop",
	"unit-restart", "systemd-reload", "firewalld-zone", "firewalld-port", "manual",
	NULL,
};

const char *const kc_step_state_names[] = {
	"needed", "already",	"by-hand", "held",	"refused", "done",
	"failed", "taken-back", "stuck",   "not-begun", NULL,
};

const char *kc_step_kind_name(uint32_t kind)
{
	if (kind < KC_STEP_MAKE_DIR || kind > KC_STEP_MANUAL)
		return NULL;
	return kc_step_kind_names[kind - KC_STEP_MAKE_DIR];
}

const char *kc_step_state_name(uint32_t state)
{
	if (state < KC_STATE_NEEDED || state >= KC_STATE_MAX)
		return NULL;
	return kc_step_state_names[state - KC_STATE_NEEDED];
}

uint32_t kc_plan_count(const struct kc_plan *plan, uint32_t state)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < plan->n_rules; i++) {
		for (uint32_t k = 0; k < plan->rules[i].n_steps; k++)
			n += plan->rules[i].steps[k].state == state;
	}
	return n;
}

bool kc_plan_step_restarts(const struct kc_plan_step *step)
{
	return step->kind == KC_STEP_UNIT_RESTART || (step->flags & KC_STEP_NEEDS_REBOOT);
}

static bool same_owner(const struct kc_step *a, const struct kc_step *b)
{
	return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid;
}

static bool same_content(const struct kc_step *a, const struct kc_step *b)
{
	return a->content_size == b->content_size &&
	       (a->content_size == 0 || memcmp(a->content, b->content, a->content_size) == 0);
}

bool kc_step_same(const struct kc_step *does, const struct kc_step *wanted)
{
	if (!kc_streq0(does->target, wanted->target))
		return false;
	if (does->kind == KC_STEP_UNIT_RESTART && wanted->kind == KC_STEP_UNIT_START)
		return true;
	return does->kind == wanted->kind && same_content(does, wanted) &&
	       (does->kind > KC_STEP_SET_MODE || same_owner(does, wanted));
}
