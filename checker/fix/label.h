/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "fix.h"

/*
 * Gives a new file, folder or link the security label that it has to have: what the policy's file
 * contexts say, else that of the folder it will lie in. Where that has none, there is none.
 */
int kc_label_new(struct kc_fix *fix, struct kc_change *change, struct kc_err *err);
