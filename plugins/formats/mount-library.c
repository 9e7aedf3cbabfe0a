/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>

#include "formats.h"
#include "mount-library.h"

struct symbol {
	const char *name;
	void *to; /* a pointer to a function */
};

/* It stays mapped, so that to open it again costs little. */
static int bind_symbols(const struct symbol *symbols, size_t n)
{
	void *library = dlopen("libmount.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

	if (!library)
		return -ELIBACC;
	for (size_t i = 0; i < n; i++) {
		void *symbol = dlsym(library, symbols[i].name);

		if (!symbol)
			return -ELIBACC;
		memcpy(symbols[i].to, &symbol, sizeof(symbol));
	}
	return 0;
}

int kc_libmount_bind(struct kc_libmount *ret_lib)
{
	const struct symbol symbols[] = {
		{ "mnt_new_table", &ret_lib->new_table },
		{ "mnt_unref_table", &ret_lib->unref_table },
		{ "mnt_reset_table", &ret_lib->reset_table },
		{ "mnt_table_set_parser_errcb", &ret_lib->set_parser_errcb },
		{ "mnt_table_parse_stream", &ret_lib->parse_stream },
		{ "mnt_table_last_fs", &ret_lib->last_fs },
		{ "mnt_table_remove_fs", &ret_lib->remove_fs },
		{ "mnt_unmangle", &ret_lib->unmangle },
		{ "mnt_fs_get_devno", &ret_lib->devno },
		{ "mnt_fs_get_source", &ret_lib->source },
		{ "mnt_fs_get_target", &ret_lib->target },
		{ "mnt_fs_get_root", &ret_lib->root },
		{ "mnt_fs_get_fstype", &ret_lib->fstype },
		{ "mnt_fs_get_swaptype", &ret_lib->swaptype },
		{ "mnt_fs_get_options", &ret_lib->options },
		{ "mnt_fs_get_id", &ret_lib->id },
		{ "mnt_fs_get_parent_id", &ret_lib->parent_id },
		{ "mnt_fs_get_size", &ret_lib->size },
		{ "mnt_fs_get_priority", &ret_lib->priority },
	};

	return bind_symbols(symbols, KC_ARRAY_SIZE(symbols));
}

int kc_libmount_bind_options(struct kc_libmount *ret_lib)
{
	const struct symbol symbols[] = {
		{ "mnt_optstr_get_option", &ret_lib->get_option },
		{ "mnt_optstr_next_option", &ret_lib->next_option },
	};

	return bind_symbols(symbols, KC_ARRAY_SIZE(symbols));
}
