/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/k8scheck-plugin.h"
#include "base/err.h"

/*
 * What no manifest and no profile can widen: the paths that each kind of step may touch, and the
 * settings by which a value would become a program. Pure. -EPERM with a sentence that names what is
 * refused; -EINVAL for a step that makes no sense.
 */

/* The step itself, as a plan has it. */
int kc_policy_step(const struct kc_step *step, struct kc_err *err);

/* The path that a step's target comes to, behind all links; also of each undo. */
int kc_policy_path(uint32_t kind, const char *path, struct kc_err *err);

/* What a file that is written or edited may hold, at the path that it comes to. */
int kc_policy_content(const struct kc_step *step, const char *path, struct kc_err *err);

/* Links that enable, disable or mask units, which no other step may touch. */
int kc_policy_unit_link(const char *path, struct kc_err *err);

/*
 * What such a link may lead to, by its text as readlink(2) has it: /dev/null, a unit in a folder of
 * systemd (below /usr/lib, /usr/local/lib, /lib, /etc and /run), or a unit beside it, by name or by
 * "../" and name. Leading "../" up to the root are as good as "/"; others are refused.
 */
int kc_policy_unit_link_target(const char *link, struct kc_err *err);

/* A sysctl that may be set, and a module, unit, zone or port by its name; also of each undo. */
int kc_policy_runtime(uint32_t kind, const char *target, const char *content, struct kc_err *err);

/*
 * KC_STEP_WEAKENS and KC_STEP_DISTURBS as this table has them, whatever a plugin says of its step.
 */
uint32_t kc_policy_flags(const struct kc_step *step);
