/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "kernel-arguments.h"

/*
 * The arguments that the kernel will be given at the next start: those of the boot loader's entry
 * that it takes by default.
 *
 * GRUB: grub.cfg (/boot/grub2, /boot/grub, /boot/efi/EFI/<any>: the first that makes a menu) with
 * the variables of grubenv beside it or in /boot/grub2; where it calls blscfg, the entries of the
 * Boot Loader Specification (/boot/loader/entries, /efi/loader/entries, /boot/efi/loader/entries),
 * with $kernelopts, $tuned_params and others put in. See grub-config.h and boot-loader-entry.h.
 *
 * systemd-boot, where there is no such menu, or where it started the running system (LoaderInfo)
 * and has a loader.conf: the same entries and unified kernel images (EFI/Linux of /efi, /boot and
 * /boot/efi; unified-image.h), by LoaderEntryOneShot, LoaderEntryDefault, loader.conf, or the
 * first.
 *
 * /etc/default/grub and /etc/kernel/cmdline are what entries are made from; they are not read.
 */
struct kc_boot_arguments {
	const struct kc_kernel_argument *item;
	size_t n;
	const char *source; /* "FILE:LINE", "FILE, section .cmdline", or "/proc/cmdline" */
	bool present; /* no entry was found: these are the arguments of the running kernel */
	const char *note; /* a sentence that a finding shall carry where the arguments decided, or
			     NULL: why they are only the present ones, which of several entries was
			     taken, what of an entry could not be expanded */
};

/*
 * Never more than is there: a file that may not be read, or is malformed, is a negative errno with
 * a sentence in *ret_why (in the arena). -ENOENT: neither an entry nor, offline, a running kernel;
 * nothing can be said, and callers judge as if there were no arguments, and say so. The arena owns
 * what is returned.
 */
int kc_boot_arguments_read(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			   struct kc_boot_arguments *ret_arguments, const char **ret_why);
