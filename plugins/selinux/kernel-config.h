/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

/* What a kernel does with SELinux when no argument says anything. */
enum selinux_kernel {
	SELINUX_KERNEL_UNKNOWN = 0,
	SELINUX_KERNEL_WITHOUT = 1, /* it is not compiled in */
	SELINUX_KERNEL_OFF = 2, /* it is, and another module of its kind comes first */
	SELINUX_KERNEL_ON = 3,
};

/*
 * Reads the configuration that a kernel was built with (config-VERSION): CONFIG_SECURITY_SELINUX,
 * its boot parameter's value (before Linux 5.8 or so), CONFIG_LSM, and before Linux 5.1
 * CONFIG_DEFAULT_SECURITY. SELINUX_KERNEL_UNKNOWN for a text that is no such configuration. Pure.
 */
enum selinux_kernel selinux_kernel_config_parse(const char *text, size_t size);

/*
 * Whether a list of security modules (CONFIG_LSM, the argument lsm=) brings SELinux up: of SELinux,
 * AppArmor and Smack the first one alone does. Pure.
 */
bool selinux_comes_first(const char *list, size_t size);
