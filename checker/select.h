/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/rule.h"
#include "options.h"

/*
 * Chooses the rules that --rule, --skip, --stage and --tag leave. -EINVAL when a name fits no rule,
 * or none is left; then with a sentence and the nearest name.
 */
int kc_select(const struct kc_profile *profile, const struct kc_options *options,
	      struct kc_err *err);
