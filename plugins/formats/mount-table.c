/* SPDX-License-Identifier: Apache-2.0 */
#include <libmount.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#include "mount-table.h"

#define BLANK " \t"

enum {
	TEXT_MAX = 4 << 20,
	ENTRIES_MAX = 65536,
};

/* Lines that tell libmount the format, which it guesses by the first line that it reads. */
static const char *const first_lines[] = {
	[KC_MOUNT_FSTAB] = "none none none none 0 0\n",
	[KC_MOUNT_INFO] = "1 1 0:1 / / rw - none none rw\n",
	[KC_MOUNT_SWAPS] = "Filename\tType\tSize\tUsed\tPriority\n",
};

KC_DEFINE_CLEANUP(struct libmnt_table *, mnt_unref_table);
KC_DEFINE_CLEANUP(FILE *, fclose);

struct parse {
	struct libmnt_table *raw;
	enum kc_mount_format format;
	struct kc_arena *arena;
	struct kc_mount_table out;
	size_t room;
};

/* A line that cannot be read is left out; the caller sees that no entry came of it. */
static int skip_line(struct libmnt_table *table, const char *file, int line)
{
	return 1;
}

static int feed(struct parse *p, const char *line, size_t size)
{
	kc_cleanup(fclosep) FILE *stream = fmemopen((void *)line, size, "r");

	if (!stream)
		return -ENOMEM;
	return mnt_table_parse_stream(p->raw, stream, "") == -ENOMEM ? -ENOMEM : 0;
}

/*
 * Where the source of a line of mountinfo begins: behind six fields, the separator and the type.
 * NULL when the line has none.
 */
static char *source_of(char *line)
{
	char *s = line + strspn(line, BLANK);

	for (unsigned field = 0; field < 6; field++) {
		s += strcspn(s, BLANK);
		if (field < 5)
			s += strspn(s, BLANK);
	}
	s = strstr(s, " - ");
	if (!s)
		return NULL;
	s += 3 + strspn(s + 3, BLANK);
	s += strcspn(s, BLANK "\n");
	return s + strspn(s, BLANK);
}

/*
 * libmount looks "/dev/root" up on the machine that runs it. True when that is the source: it is
 * then replaced in the line.
 */
static bool hide_root(char *line)
{
	char *source = source_of(line), *end;
	kc_cleanup(kc_freep) char *copy = NULL, *plain = NULL;

	if (!source)
		return false;
	end = source + strcspn(source, BLANK "\r\n");
	copy = strndup(source, (size_t)(end - source));
	plain = copy ? mnt_unmangle(copy) : NULL;
	if (!plain || !kc_streq(plain, "/dev/root"))
		return false;
	/* In the same room, as libmount takes any text without white space. */
	memset(source, '-', (size_t)(end - source));
	return true;
}

static int take_entry(struct parse *p, struct libmnt_fs *fs, bool is_root, unsigned line)
{
	struct kc_mount_entry *e;
	dev_t device = mnt_fs_get_devno(fs);
	const char *what = is_root ? "/dev/root" : mnt_fs_get_source(fs);
	const char *where = mnt_fs_get_target(fs), *root = mnt_fs_get_root(fs);
	const char *type =
		p->format == KC_MOUNT_SWAPS ? mnt_fs_get_swaptype(fs) : mnt_fs_get_fstype(fs);
	const char *options = mnt_fs_get_options(fs);

	if (p->out.n == ENTRIES_MAX)
		return -EFBIG;
	e = kc_arena_grow(p->arena, p->out.item, p->out.n, &p->room, sizeof(*e));
	if (!e)
		return -ENOMEM;
	p->out.item = e;
	e = &p->out.item[p->out.n++];
	*e = (struct kc_mount_entry){
		.what = kc_arena_strdup(p->arena, what ? what : ""),
		.where = kc_arena_strdup(p->arena, where ? where : ""),
		.type = kc_arena_strdup(p->arena, type ? type : ""),
		.options = kc_arena_strdup(p->arena, options ? options : ""),
		.root = root ? kc_arena_strdup(p->arena, root) : NULL,
		.line = line,
	};
	if (!e->what || !e->where || !e->type || !e->options || (root && !e->root))
		return -ENOMEM;
	if (p->format == KC_MOUNT_INFO) {
		e->id = mnt_fs_get_id(fs);
		e->parent = mnt_fs_get_parent_id(fs);
		e->major = major(device);
		e->minor = minor(device);
	} else if (p->format == KC_MOUNT_SWAPS) {
		e->size = (int64_t)mnt_fs_get_size(fs) * 1024;
		e->priority = mnt_fs_get_priority(fs);
	}
	return 0;
}

/* True for what libmount passes over in silence. */
static bool says_nothing(const struct parse *p, const char *line)
{
	const char *s = line + strspn(line, BLANK);

	if (!*s || kc_streq(s, "\n") || kc_streq(s, "\r\n") || kc_streq(s, "\r") || *s == '#')
		return true;
	return p->format == KC_MOUNT_SWAPS && kc_after_prefix(s, "Filename\t");
}

/* One line at a time, for libmount keeps no line numbers. */
static int parse_line(struct parse *p, char *line, size_t size, unsigned number)
{
	struct libmnt_fs *fs = NULL;
	bool is_root = p->format == KC_MOUNT_INFO && hide_root(line);
	int r;

	if (says_nothing(p, line))
		return 0;
	r = feed(p, line, size);
	if (r)
		return r;
	if (mnt_table_last_fs(p->raw, &fs) != 0 || !fs) {
		if (!p->out.bad_line)
			p->out.bad_line = number;
		return 0;
	}
	r = take_entry(p, fs, is_root, number);
	(void)mnt_table_remove_fs(p->raw, fs);
	return r;
}

static int parse_text(struct parse *p, char *text)
{
	unsigned number = 0;
	int r = 0;

	while (!r && *text) {
		char *end = strchrnul(text, '\n');
		char last = *end;

		/* A line that is a text of its own, with its newline. */
		if (last == '\n') {
			char next = end[1];

			end[1] = '\0';
			r = parse_line(p, text, (size_t)(end + 1 - text), ++number);
			end[1] = next;
			text = end + 1;
		} else {
			r = parse_line(p, text, (size_t)(end - text), ++number);
			text = end;
		}
	}
	return r;
}

int kc_mount_table_parse(enum kc_mount_format format, const char *text, size_t size,
			 struct kc_arena *arena, struct kc_mount_table *ret_table)
{
	kc_cleanup(mnt_unref_tablep) struct libmnt_table *raw = NULL;
	struct parse p = { .format = format, .arena = arena };
	char *copy;
	int r;

	if (size > TEXT_MAX)
		return -EFBIG;
	if (size && memchr(text, '\0', size))
		return -EBADMSG;
	copy = kc_arena_memdup(arena, text, size);
	raw = mnt_new_table();
	if (!copy || !raw)
		return -ENOMEM;
	p.raw = raw;
	(void)mnt_table_set_parser_errcb(raw, skip_line);
	r = feed(&p, first_lines[format], strlen(first_lines[format]));
	(void)mnt_reset_table(raw);
	if (!r)
		r = parse_text(&p, copy);
	if (!r)
		*ret_table = p.out;
	return r;
}

bool kc_mount_option(const char *options, const char *name, const char **ret_value,
		     struct kc_arena *arena)
{
	char *value = NULL;
	size_t size = 0;

	if (!options || mnt_optstr_get_option(options, name, &value, &size) != 0)
		return false;
	if (ret_value)
		*ret_value = value ? kc_arena_memdup(arena, value, size) : NULL;
	return true;
}

const char *kc_mount_option_next(const char **rest, struct kc_arena *arena)
{
	char *at = (char *)*rest, *name = NULL, *value = NULL;
	size_t name_size = 0, value_size = 0;
	const char *option = NULL;

	if (!at || mnt_optstr_next_option(&at, &name, &name_size, &value, &value_size) != 0)
		return NULL;
	if (value)
		option = kc_arena_printf(arena, "%.*s=%.*s", (int)name_size, name, (int)value_size,
					 value);
	else
		option = kc_arena_memdup(arena, name, name_size);
	*rest = at;
	return option;
}

const char *kc_mount_path_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	while (n && folder[n - 1] == '/')
		n--;
	if (strncmp(path, folder, n) != 0 || (path[n] && path[n] != '/'))
		return NULL;
	return path + n;
}

static const struct kc_mount_entry *find_root(const struct kc_mount_table *table)
{
	const struct kc_mount_entry *root = NULL;

	for (size_t i = 0; i < table->n; i++) {
		const struct kc_mount_entry *e = &table->item[i];
		bool has_parent = false;

		if (!kc_streq(e->where, "/"))
			continue;
		for (size_t k = 0; k < table->n && !has_parent; k++)
			has_parent = k != i && table->item[k].id == e->parent;
		if (!has_parent)
			root = e;
	}
	return root;
}

/* The mount on `under` that a way to the path meets first. */
static const struct kc_mount_entry *next_mount(const struct kc_mount_table *table,
					       const struct kc_mount_entry *under, const char *path)
{
	const struct kc_mount_entry *next = NULL;

	for (size_t i = 0; i < table->n; i++) {
		const struct kc_mount_entry *e = &table->item[i];

		if (e == under || e->parent != under->id || e->id == under->id ||
		    !kc_mount_path_below(path, e->where) ||
		    !kc_mount_path_below(e->where, under->where))
			continue;
		/* Of two on the same folder the later one. */
		if (!next || strlen(e->where) <= strlen(next->where))
			next = e;
	}
	return next;
}

const struct kc_mount_entry *kc_mount_behind(const struct kc_mount_table *table, const char *path)
{
	const struct kc_mount_entry *at = find_root(table);

	/* Bounded, for a table that was made up may lead in a circle. */
	for (size_t hop = 0; at && hop < 64; hop++) {
		const struct kc_mount_entry *next = next_mount(table, at, path);

		if (!next)
			break;
		at = next;
	}
	return at;
}
