/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "kernel-arguments.h"

/*
 * The arguments that the kernel will be given at the next start: those of the boot loader's entry
 * that it takes by default. Read from, in this order: Boot Loader Specification entries
 * (/boot/loader/entries, /efi/loader/entries, /boot/efi/loader/entries; which one is the default by
 * loader.conf, or saved_entry of grubenv; $kernelopts and $tuned_params from grubenv or grub.cfg),
 * grub.cfg (/boot/grub2, /boot/grub, /boot/efi/EFI/<any>), a unified kernel image's .cmdline
 * section (/boot/efi/EFI/Linux, /efi/EFI/Linux, /boot/EFI/Linux). The bootloader
 * specification of the UAPI group and GRUB's manual have the formats.
 */
struct kc_boot_arguments {
	const struct kc_kernel_argument *item;
	size_t n;
	const char *source; /* "FILE:LINE", or "/proc/cmdline" */
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
