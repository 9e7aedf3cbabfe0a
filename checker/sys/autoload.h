/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "root.h"

/*
 * A question to the kernel can make it load the module that has the answer (request_module()),
 * which a check may not cause. 1: it is certain that a question for what `module` ("tcp_diag") does
 * loads nothing, because
 *
 *   - it is loaded (/proc/modules), and with it those it depends on; or
 *   - it is built in (modules.builtin of the running kernel, kbuild's documentation), and so are
 *     those, which Kconfig sees to; or
 *   - this kernel loads no module at all (it has no CONFIG_MODULES, or kernel.modules_disabled is
 *     1, which nothing can set back).
 *
 * 0: that is not certain. Whoever unloads the module between this look and the question gets back
 * what was there at the look.
 */
int kc_autoload_is_ruled_out(const struct kc_root *root, const char *module);
