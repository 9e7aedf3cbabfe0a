/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "schema.h"

/*
 * The value of a parameter from a node: strictly of the parameter's type, but that any scalar is
 * text, and one text is a list of one. The value points into the node's texts; lists and maps are
 * in the arena. -EINVAL with a fault noted, -ENOMEM.
 */
int kc_value_parse(const struct kc_where *where, const struct kc_manifest_param *param,
		   const struct kc_yaml_node *node, struct kc_arena *arena,
		   struct kc_value *ret_value);
