/* SPDX-License-Identifier: Apache-2.0 */
#include "unit-path.h"

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

const char *kc_unit_of_path(struct kc_arena *arena, const char *path, const char *suffix)
{
	kc_cleanup(kc_buf_done) struct kc_buf name = { 0 };

	while (*path) {
		const char *end;

		path += strspn(path, "/");
		if (!*path)
			break;
		end = path + strcspn(path, "/");
		if (!kc_streq(path, ".") && !kc_after_prefix(path, "./")) {
			if (name.len)
				kc_buf_addc(&name, '-');
			for (; path < end; path++) {
				if (is_alnum(*path) || *path == ':' || *path == '_' ||
				    (*path == '.' && name.len))
					kc_buf_addc(&name, *path);
				else
					kc_buf_addf(&name, "\\x%02x", (unsigned char)*path);
			}
		}
		path = end;
	}
	if (!name.len)
		kc_buf_addc(&name, '-');
	kc_buf_adds(&name, suffix);
	return kc_buf_error(&name) ? NULL : kc_arena_memdup(arena, name.data, name.len);
}

/* As udev names its links. */
static void add_encoded(struct kc_buf *out, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		/* Characters beyond ASCII are kept, as udev keeps valid UTF-8. */
		if ((unsigned char)text[i] >= 0x80 || is_alnum(text[i]) ||
		    strchr("#+-.:=@_", text[i]))
			kc_buf_addc(out, text[i]);
		else
			kc_buf_addf(out, "\\x%02x", (unsigned char)text[i]);
	}
}

const char *kc_device_of_source(struct kc_arena *arena, const char *what)
{
	static const struct {
		const char *tag, *folder;
	} tags[] = {
		{ "UUID=", "by-uuid" },
		{ "LABEL=", "by-label" },
		{ "PARTUUID=", "by-partuuid" },
		{ "PARTLABEL=", "by-partlabel" },
		{ "ID=", "by-id" },
	};
	kc_cleanup(kc_buf_done) struct kc_buf path = { 0 };

	for (size_t i = 0; i < KC_ARRAY_SIZE(tags); i++) {
		const char *value = kc_after_prefix(what, tags[i].tag);
		size_t n;

		if (!value)
			continue;
		n = strlen(value);
		if (n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n - 1] == value[0]) {
			value++;
			n -= 2;
		}
		kc_buf_addf(&path, "/dev/disk/%s/", tags[i].folder);
		add_encoded(&path, value, n);
		return kc_buf_error(&path) ? NULL : kc_arena_memdup(arena, path.data, path.len);
	}
	return kc_arena_strdup(arena, what);
}
