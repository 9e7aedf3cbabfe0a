/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "label.h"

#ifdef KC_WITH_SELINUX
#include <selinux/label.h>
#include <sys/stat.h>

static void close_handle(struct selabel_handle **handle)
{
	if (*handle)
		selabel_close(*handle);
}

static int no_log(int type, const char *format, ...)
{
	return 0;
}

static int find_policy(struct kc_fix *fix, char type[64])
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	const char *at;
	size_t n;

	if (kc_root_read(fix->root, "/etc/selinux/config", 65536, NULL, &text) < 0)
		return -ENOENT;
	for (at = text.data; at; at = strchr(at, '\n')) {
		const char *value;

		at += *at == '\n';
		value = kc_after_prefix(at, "SELINUXTYPE=");
		n = value ? strcspn(value, " \t\r\n") : 0;
		if (n == 0 || n >= 64)
			continue;
		memcpy(type, value, n);
		type[n] = '\0';
		return strspn(type, "abcdefghijklmnopqrstuvwxyz0123456789-_") == n ? 0 : -EINVAL;
	}
	return -ENOENT;
}

static int mode_of(uint32_t type)
{
	return type == KC_FILE_DIRECTORY ? S_IFDIR : type == KC_FILE_SYMLINK ? S_IFLNK : S_IFREG;
}

/* The file contexts of the root that is repaired, which need not be this machine's. */
static char *ask_policy(struct kc_fix *fix, const struct kc_change *change)
{
	kc_cleanup(close_handle) struct selabel_handle *handle = NULL;
	kc_cleanup(kc_freep) char *path = NULL;
	char type[64], *context = NULL, *copy;
	struct selinux_opt option = { .type = SELABEL_OPT_PATH };
	const char *root = kc_root_path(fix->root);

	if (find_policy(fix, type) < 0)
		return NULL;
	path = kc_asprintf("%s/etc/selinux/%s/contexts/files/file_contexts",
			   kc_streq(root, "/") ? "" : root, type);
	if (!path)
		return NULL;
	selinux_set_callback(SELINUX_CB_LOG, (union selinux_callback){ .func_log = no_log });
	option.value = path;
	handle = selabel_open(SELABEL_CTX_FILE, &option, 1);
	if (!handle ||
	    selabel_lookup_raw(handle, &context, change->path, mode_of(change->after.type)) < 0)
		return NULL;
	copy = kc_arena_strdup(fix->arena, context);
	freecon(context);
	return copy;
}
#else
static char *ask_policy(struct kc_fix *fix, const struct kc_change *change)
{
	return NULL;
}
#endif

/* The nearest folder above that is there. */
static char *ask_folder(struct kc_fix *fix, const char *path)
{
	kc_cleanup(kc_freep) char *folder = strdup(path);

	for (char *slash; folder && (slash = strrchr(folder, '/'));) {
		kc_cleanup(kc_buf_done) struct kc_buf label = { 0 };
		int r;

		*slash = '\0';
		r = kc_root_label(fix->root, *folder ? folder : "/", NULL, &label);
		if (r == 0)
			return kc_arena_strdup(fix->arena, label.data);
		if (r != -ENOENT)
			break;
	}
	return NULL;
}

int kc_label_new(struct kc_fix *fix, struct kc_change *change, struct kc_err *err)
{
	struct kc_node_xattr *xattr;
	char *folder = ask_folder(fix, change->path), *label;

	/* Without labels around it, it gets none either. */
	if (!folder)
		return 0;
	label = ask_policy(fix, change);
	label = label ? label : folder;
	xattr = kc_arena_zalloc(fix->arena, 1, sizeof(*xattr));
	if (!xattr)
		return kc_err_set(err, -ENOMEM, "out of memory");
	/* With the NUL, as setfilecon(3) writes it. */
	*xattr = (struct kc_node_xattr){ .name = "security.selinux",
					 .value = label,
					 .size = strlen(label) + 1 };
	change->after.xattrs = xattr;
	change->after.n_xattrs = 1;
	return 0;
}
