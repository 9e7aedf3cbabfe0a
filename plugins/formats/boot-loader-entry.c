/* SPDX-License-Identifier: Apache-2.0 */
#include "boot-loader-entry.h"
#include "version-order.h"

enum {
	TEXT_MAX = 64 * 1024
};

/* The lines of a copy of the text, one after another. */
struct lines {
	char *rest;
	unsigned number; /* of the line that was returned last */
};

static int open_lines(const char *text, size_t size, struct kc_arena *arena,
		      struct lines *ret_lines)
{
	char *copy;

	if (size > TEXT_MAX)
		return -EFBIG;
	if (memchr(text, '\0', size))
		return -EBADMSG;
	copy = kc_arena_memdup(arena, text, size);
	if (!copy)
		return -ENOMEM;
	*ret_lines = (struct lines){ .rest = copy };
	return 0;
}

/* The next line, without white space at its ends; NULL behind the last one. */
static char *next_line(struct lines *lines)
{
	char *line = lines->rest, *end;

	if (!line || !*line)
		return NULL;
	end = line + strcspn(line, "\n");
	lines->rest = *end ? end + 1 : end;
	*end = '\0';
	lines->number++;
	return kc_strstrip(line);
}

/* Cuts a line behind its first word, and returns the rest, which may be empty. */
static char *cut_value(char *line)
{
	size_t n = strcspn(line, " \t");
	char *value = line + n;

	if (*value)
		*value++ = '\0';
	return value + strspn(value, " \t");
}

static int add_options(struct kc_boot_entry *entry, const char *value, unsigned line,
		       enum kc_boot_loader loader, struct kc_arena *arena)
{
	entry->n_options++;
	if (!entry->options) {
		entry->options = value;
		entry->line = line;
		return 0;
	}
	if (loader == KC_BOOT_LOADER_GRUB)
		return 0;
	/* Joining line by line would take the square of a hostile file's size. */
	if (entry->n_options > 256)
		return -EFBIG;
	entry->options = kc_arena_printf(arena, "%s %s", entry->options, value);
	return entry->options ? 0 : -ENOMEM;
}

static void set_field(struct kc_boot_entry *entry, const char *name, const char *value,
		      enum kc_boot_loader loader)
{
	const struct {
		const char *name;
		const char **field;
	} fields[] = {
		{ "title", &entry->title },	  { "version", &entry->version },
		{ "linux", &entry->kernel },	  { "machine-id", &entry->machine_id },
		{ "sort-key", &entry->sort_key }, { "efi", &entry->efi },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(fields); i++)
		if (kc_streq(name, fields[i].name) &&
		    (!*fields[i].field || loader == KC_BOOT_LOADER_SYSTEMD))
			*fields[i].field = value;
}

int kc_boot_entry_parse(const char *id, const char *text, size_t size, enum kc_boot_loader loader,
			struct kc_arena *arena, struct kc_boot_entry *ret_entry)
{
	struct kc_boot_entry entry = { .id = id, .line = 1 };
	struct lines lines;
	char *line;
	int r;

	r = open_lines(text, size, arena, &lines);
	while (r == 0 && (line = next_line(&lines))) {
		char *value;

		if (*line == '#')
			continue;
		value = cut_value(line);
		if (!*value && loader == KC_BOOT_LOADER_GRUB)
			break;
		if (!*value)
			continue;
		if (kc_streq(line, "options"))
			r = add_options(&entry, value, lines.number, loader, arena);
		else
			set_field(&entry, line, value, loader);
	}
	if (r == 0)
		*ret_entry = entry;
	return r;
}

static int order_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int order_systemd(const struct kc_boot_entry *a, const struct kc_boot_entry *b)
{
	int r;

	if (a->tried_out != b->tried_out)
		return a->tried_out ? 1 : -1;
	if (!a->sort_key != !b->sort_key)
		return a->sort_key ? -1 : 1;
	if (a->sort_key) {
		r = order_text(a->sort_key, b->sort_key);
		if (!r)
			r = order_text(a->machine_id, b->machine_id);
		if (!r)
			r = -kc_version_order_systemd(a->version ? a->version : "",
						      b->version ? b->version : "");
		if (r)
			return r;
	}
	return -kc_version_order_systemd(a->id, b->id);
}

int kc_boot_entry_order(const struct kc_boot_entry *a, const struct kc_boot_entry *b,
			enum kc_boot_loader loader)
{
	return loader == KC_BOOT_LOADER_GRUB ? -kc_version_order_blscfg(a->id, b->id)
					     : order_systemd(a, b);
}

int kc_loader_conf_get(const char *text, size_t size, const char *name, struct kc_arena *arena,
		       const char **ret_value, unsigned *ret_line)
{
	const char *found = NULL;
	unsigned found_line = 0;
	struct lines lines;
	char *line;
	int r;

	r = open_lines(text, size, arena, &lines);
	if (r < 0)
		return r;
	while ((line = next_line(&lines))) {
		char *value;

		if (*line == '#')
			continue;
		value = cut_value(line);
		if (*value && kc_streq(line, name)) {
			found = value;
			found_line = lines.number;
		}
	}
	*ret_value = found;
	*ret_line = found_line;
	return 0;
}
