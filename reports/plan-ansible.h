/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/plan.h"

/*
 * A plan as an Ansible playbook: a task a step, by modules of ansible.builtin, ansible.posix and
 * community.general, never by a shell. What no module does, what a person has to do, and contents
 * that are secret, or look as if they held one, are comments. Before a file is written or removed a
 * task holds it against the one that the plan was made from.
 */
kc_plan_writer kc_plan_ansible_write;
