/* SPDX-License-Identifier: Apache-2.0 */
#include "policy.h"
#include "policy-parts.h"

/* What is made anew is its owner's to write, and no program. */
static int check_mode(const struct kc_step *step, struct kc_err *err)
{
	uint32_t most = 07777;

	if (step->kind == KC_STEP_MAKE_DIR)
		most = 0755;
	else if (step->kind == KC_STEP_WRITE_FILE)
		most = 0644;
	if (step->mode & ~most)
		return kc_err_set(err, -EINVAL, "%.200s: mode %04o is none that a repair may give",
				  step->target ? step->target : "the step", step->mode);
	return 0;
}

int kc_policy_step(const struct kc_step *step, struct kc_err *err)
{
	const bool needs_target = step->kind != KC_STEP_SYSTEMD_RELOAD &&
				  step->kind != KC_STEP_MANUAL &&
				  step->kind != KC_STEP_SELINUX_MODE;
	int r;

	if (needs_target && (!step->target || !*step->target))
		return kc_err_set(err, -EINVAL, "a step of kind %u has no target", step->kind);
	r = check_mode(step, err);
	if (r < 0)
		return r;
	switch (step->kind) {
	case KC_STEP_MAKE_DIR:
	case KC_STEP_MOVE_ASIDE:
	case KC_STEP_REMOVE_FILE:
	case KC_STEP_SET_MODE:
		return kc_policy_path(step->kind, step->target, err);
	case KC_STEP_WRITE_FILE:
	case KC_STEP_EDIT_FILE:
		r = kc_policy_path(step->kind, step->target, err);
		return r < 0 ? r : kc_policy_content(step, step->target, err);
	case KC_STEP_SYSTEMD_RELOAD:
	case KC_STEP_MANUAL:
		return 0;
	default:
		return kc_policy_runtime(step->kind, step->target, step->content, err);
	}
}

static bool is_unit_of(const char *target, const char *const *units)
{
	KC_FOREACH_STR (unit, units) {
		if (kc_after_prefix(target, unit))
			return true;
	}
	return false;
}

static uint32_t flags_of_unit(uint32_t kind, const char *unit)
{
	static const char *const guards[] = { "firewalld.", "nftables.", "iptables.", "ufw.",
					      "auditd.",    "apparmor.", NULL };
	static const char *const carries[] = { "crio.",	     "cri-o.",	 "containerd.", "docker.",
					       "cri-docker", "kubelet.", "firewalld.",	NULL };
	const bool ends = kind == KC_STEP_UNIT_DISABLE || kind == KC_STEP_UNIT_MASK ||
			  kind == KC_STEP_UNIT_STOP;
	const bool now = kind == KC_STEP_UNIT_STOP || kind == KC_STEP_UNIT_RESTART ||
			 (kind == KC_STEP_UNIT_START && kc_after_prefix(unit, "firewalld."));
	uint32_t flags = 0;

	if (ends && is_unit_of(unit, guards))
		flags |= KC_STEP_WEAKENS;
	if (now && (kind == KC_STEP_UNIT_STOP || is_unit_of(unit, carries)))
		flags |= KC_STEP_DISTURBS;
	return flags;
}

uint32_t kc_policy_flags(const struct kc_step *step)
{
	/* Rules of filters, of which it is not told whether they let more through. */
	static const char *const filters[] = { "/etc/firewalld", "/etc/nftables*", "/etc/iptables",
					       NULL };
	/* One without is refused, and yet has flags to be shown. */
	const char *target = step->target ? step->target : "";

	switch (step->kind) {
	case KC_STEP_SELINUX_MODE:
		return step->content && kc_streq(step->content, "permissive") ? KC_STEP_WEAKENS
									      : KC_STEP_DISTURBS;
	case KC_STEP_FIREWALLD_ZONE:
	case KC_STEP_FIREWALLD_PORT:
		return KC_STEP_WEAKENS | KC_STEP_DISTURBS;
	case KC_STEP_SWAP_OFF:
		return KC_STEP_DISTURBS;
	case KC_STEP_UNIT_DISABLE:
	case KC_STEP_UNIT_MASK:
	case KC_STEP_UNIT_START:
	case KC_STEP_UNIT_STOP:
	case KC_STEP_UNIT_RESTART:
		return flags_of_unit(step->kind, target);
	case KC_STEP_WRITE_FILE:
	case KC_STEP_EDIT_FILE:
	case KC_STEP_MOVE_ASIDE:
	case KC_STEP_REMOVE_FILE:
		/* The runtime watches that folder. */
		if (kc_after_prefix(target, "/etc/cni/"))
			return KC_STEP_DISTURBS;
		if (kc_policy_is_listed(filters, target) ||
		    kc_policy_is_content_weaker(step, target))
			return KC_STEP_WEAKENS;
		return 0;
	case KC_STEP_SYSCTL:
		if (kc_endswith(target, "forwarding") || kc_endswith(target, "ip_forward"))
			return step->content && kc_streq(step->content, "0") ? KC_STEP_DISTURBS : 0;
		return 0;
	default:
		return 0;
	}
}
