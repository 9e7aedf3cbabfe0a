/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats.h"

/*
 * Plans that systemd-modules-load loads a module at every start (modules-load.d(5)): a file of its
 * own below /etc, or its name at the end of that file where it is there. The same steps for whoever
 * wants the same module. Touches /etc/modules-load.d and its *.conf. Errors as those of kc_step()
 * and of reading the file.
 */
int kc_plan_module_listing(const struct kc_host *host, struct kc_run *run, const char *module);
