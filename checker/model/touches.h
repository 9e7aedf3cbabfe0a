/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "rule.h"

/*
 * What a check's repair may touch, by `touches` of its manifest. An entry is
 *
 *     /etc/a.conf, a.service, net.ipv4.ip_forward   itself
 *     /etc/a.d/ *.conf                              with "*" within one component of a path
 *     $NAME                                         a parameter of the rule: its value, each item
 *                                                   of a list, each key of a map
 *     $NAME/REST                                    what lies below the path that it names
 *
 * A value is a name, never a pattern; that of a unit may be without its type, as for systemctl(1).
 *
 * An entry, or value, is for the steps that its form is of, and for no other:
 *
 *     /…                  files, and swaps to be turned off
 *     /proc/swaps         whatever swap is to be turned off
 *     ends in a unit's type (.service, .socket, …)  units
 *     has a "." or "/"    sysctls
 *     any other           modules, and zones of firewalld; as a value units, too
 *
 * Where a parameter is called unit, units, service or services, its values are units alone; module
 * or modules, modules alone.
 */

/* True when an entry names the target of a step of that kind (enum kc_step_kind). */
bool kc_touches_name(const struct kc_rule *rule, uint32_t kind, const char *target);

/* True when entries name all that a step of a plan touches. */
bool kc_touches_step(const struct kc_rule *rule, const struct kc_step *step);
