/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <libmount.h>

/*
 * libmount is opened when a line needs it, and not linked: with what it links itself (libblkid,
 * libselinux, libpcre2) it takes 1 ms to map.
 */
struct kc_libmount {
	__typeof__(mnt_new_table) *new_table;
	__typeof__(mnt_unref_table) *unref_table;
	__typeof__(mnt_reset_table) *reset_table;
	__typeof__(mnt_table_set_parser_errcb) *set_parser_errcb;
	__typeof__(mnt_table_parse_stream) *parse_stream;
	__typeof__(mnt_table_last_fs) *last_fs;
	__typeof__(mnt_table_remove_fs) *remove_fs;
	__typeof__(mnt_unmangle) *unmangle;
	__typeof__(mnt_fs_get_devno) *devno;
	__typeof__(mnt_fs_get_source) *source;
	__typeof__(mnt_fs_get_target) *target;
	__typeof__(mnt_fs_get_root) *root;
	__typeof__(mnt_fs_get_fstype) *fstype;
	__typeof__(mnt_fs_get_swaptype) *swaptype;
	__typeof__(mnt_fs_get_options) *options;
	__typeof__(mnt_fs_get_id) *id;
	__typeof__(mnt_fs_get_parent_id) *parent_id;
	__typeof__(mnt_fs_get_size) *size;
	__typeof__(mnt_fs_get_priority) *priority;
	__typeof__(mnt_optstr_get_option) *get_option;
	__typeof__(mnt_optstr_next_option) *next_option;
};

/* All functions but those of options. -ELIBACC: the library is not installed, or not this one. */
int kc_libmount_bind(struct kc_libmount *ret_lib);

/* The two of options alone. */
int kc_libmount_bind_options(struct kc_libmount *ret_lib);
