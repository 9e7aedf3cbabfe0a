/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/plan.h"

/*
 * A plan, or what has become of it, as k8scheck-plan.schema.json describes it. Secrets are masked,
 * in contents as well: it is to be read, not to be carried out.
 */
kc_plan_writer kc_plan_json_write;
