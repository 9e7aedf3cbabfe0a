/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats.h"

/*
 * How boot loaders sort the versions of kernels. Both return less than, equal to or greater than 0
 * as a is older than, the same as or newer than b. Pure.
 */

/*
 * As the blscfg command of Fedora's GRUB compares the names of entries (NAME-VERSION-RELEASE, each
 * part by rpm's comparison of versions): grub-core/commands/blscfg.c.
 */
int kc_version_order_blscfg(const char *a, const char *b);

/* The comparison that the Boot Loader Specification names: strverscmp_improved() of systemd. */
int kc_version_order_systemd(const char *a, const char *b);
