/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is known of keys beforehand. Keys are paths below /proc/sys. */

/* Another name of the same value in the kernel, or NULL: who writes one has written the other. */
const char *sysctl_key_alias(const char *key);

/* The module that brings the key; NULL for keys of the kernel itself. */
const char *sysctl_key_module(const char *key);

/*
 * The value that a kernel starts with, where it is the same for all configurations in use (see
 * key.c for the sources); NULL where that is not known. For keys of a module: once the module is
 * loaded.
 */
const char *sysctl_key_default(const char *key);
