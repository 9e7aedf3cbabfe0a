/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <sys/sysmacros.h>

#include "mount-library.h"
#include "mount-plain.h"
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

KC_DEFINE_CLEANUP(FILE *, fclose);

struct parse {
	struct kc_libmount lib;
	struct libmnt_table *raw; /* NULL: libmount is not needed so far */
	enum kc_mount_format format;
	bool is_part; /* what was left out by the caller's wish may be read without libmount */
	struct kc_arena *arena;
	struct kc_mount_table out;
	size_t room;
	size_t passed_over; /* entries that were not asked for */
};

static void parse_done(struct parse *p)
{
	if (p->raw)
		p->lib.unref_table(p->raw);
}

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
	return p->lib.parse_stream(p->raw, stream, "") == -ENOMEM ? -ENOMEM : 0;
}

/* Brings libmount in, once a line needs it. */
static int open_library(struct parse *p)
{
	int r;

	if (p->raw)
		return 0;
	r = kc_libmount_bind(&p->lib);
	if (r < 0)
		return r;
	p->raw = p->lib.new_table();
	if (!p->raw)
		return -ENOMEM;
	(void)p->lib.set_parser_errcb(p->raw, skip_line);
	r = feed(p, first_lines[p->format], strlen(first_lines[p->format]));
	(void)p->lib.reset_table(p->raw);
	return r;
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
static bool hide_root(const struct parse *p, char *line)
{
	char *source = p->format == KC_MOUNT_INFO ? source_of(line) : NULL, *end;
	kc_cleanup(kc_freep) char *copy = NULL, *plain = NULL;

	if (!source)
		return false;
	end = source + strcspn(source, BLANK "\r\n");
	copy = strndup(source, (size_t)(end - source));
	plain = copy ? p->lib.unmangle(copy) : NULL;
	if (!plain || !kc_streq(plain, "/dev/root"))
		return false;
	/* In the same room, as libmount takes any text without white space. */
	memset(source, '-', (size_t)(end - source));
	return true;
}

/* Room for one more entry; *ret_entry is its place. */
static int add_entry(struct parse *p, struct kc_mount_entry **ret_entry)
{
	struct kc_mount_entry *items;

	if (p->out.n + p->passed_over == ENTRIES_MAX)
		return -EFBIG;
	items = kc_arena_grow(p->arena, p->out.item, p->out.n, &p->room, sizeof(*items));
	if (!items)
		return -ENOMEM;
	p->out.item = items;
	*ret_entry = &p->out.item[p->out.n++];
	return 0;
}

/* Takes back the entry that was added last, if the caller asked for others. */
static void pass_over(struct parse *p, struct kc_mount_entry *e)
{
	if (!p->is_part)
		return;
	e->options = p->format == KC_MOUNT_INFO ? "" : e->options;
	if (p->format == KC_MOUNT_FSTAB && !kc_streq(e->type, "swap")) {
		p->out.n--;
		p->passed_over++;
	}
}

static int take_entry(struct parse *p, struct libmnt_fs *fs, bool is_root, unsigned line)
{
	const struct kc_libmount *lib = &p->lib;
	struct kc_mount_entry *e;
	dev_t device = lib->devno(fs);
	const char *what = is_root ? "/dev/root" : lib->source(fs);
	const char *where = lib->target(fs), *root = lib->root(fs);
	const char *type = p->format == KC_MOUNT_SWAPS ? lib->swaptype(fs) : lib->fstype(fs);
	const char *options = lib->options(fs);
	int r;

	r = add_entry(p, &e);
	if (r < 0)
		return r;
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
		e->id = lib->id(fs);
		e->parent = lib->parent_id(fs);
		e->major = major(device);
		e->minor = minor(device);
	} else if (p->format == KC_MOUNT_SWAPS) {
		e->size = (int64_t)lib->size(fs) * 1024;
		e->priority = lib->priority(fs);
	}
	pass_over(p, e);
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

/* 1 for a line that a part is read from without libmount. */
static int take_plain(struct parse *p, const char *line, size_t size, unsigned number)
{
	struct kc_mount_entry *e, plain = { .line = number };
	int r;

	if (!p->is_part)
		return 0;
	if (p->format == KC_MOUNT_FSTAB) {
		if (!kc_mount_plain_but_swap(line, size))
			return 0;
		if (p->out.n + p->passed_over++ == ENTRIES_MAX)
			return -EFBIG;
		return 1;
	}
	r = kc_mount_plain_place(line, size, p->arena, &plain);
	if (r <= 0)
		return r;
	r = add_entry(p, &e);
	if (r < 0)
		return r;
	*e = plain;
	return 1;
}

/* One line at a time, for libmount keeps no line numbers. */
static int parse_line(struct parse *p, char *line, size_t size, unsigned number)
{
	struct libmnt_fs *fs = NULL;
	bool is_root;
	int r;

	if (says_nothing(p, line))
		return 0;
	r = take_plain(p, line, size, number);
	if (r)
		return r < 0 ? r : 0;
	r = open_library(p);
	if (r)
		return r;
	is_root = hide_root(p, line);
	r = feed(p, line, size);
	if (r)
		return r;
	if (p->lib.last_fs(p->raw, &fs) != 0 || !fs) {
		if (!p->out.bad_line)
			p->out.bad_line = number;
		return 0;
	}
	r = take_entry(p, fs, is_root, number);
	(void)p->lib.remove_fs(p->raw, fs);
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

static int parse(struct parse *p, const char *text, size_t size, struct kc_mount_table *ret_table)
{
	char *copy;
	int r;

	if (size > TEXT_MAX)
		return -EFBIG;
	if (size && memchr(text, '\0', size))
		return -EBADMSG;
	copy = kc_arena_memdup(p->arena, text, size);
	if (!copy)
		return -ENOMEM;
	r = parse_text(p, copy);
	if (!r)
		*ret_table = p->out;
	return r;
}

int kc_mount_table_parse(enum kc_mount_format format, const char *text, size_t size,
			 struct kc_arena *arena, struct kc_mount_table *ret_table)
{
	kc_cleanup(parse_done) struct parse p = { .format = format, .arena = arena };

	return parse(&p, text, size, ret_table);
}

int kc_mount_table_parse_part(enum kc_mount_format format, const char *text, size_t size,
			      struct kc_arena *arena, struct kc_mount_table *ret_table)
{
	kc_cleanup(parse_done) struct parse p = {
		.format = format,
		.is_part = format != KC_MOUNT_SWAPS,
		.arena = arena,
	};

	return parse(&p, text, size, ret_table);
}

bool kc_mount_option(const char *options, const char *name, const char **ret_value,
		     struct kc_arena *arena)
{
	struct kc_libmount lib;
	char *value = NULL;
	size_t size = 0;

	if (!options || kc_libmount_bind_options(&lib) < 0 ||
	    lib.get_option(options, name, &value, &size) != 0)
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
	struct kc_libmount lib;

	if (!at || !*at || kc_libmount_bind_options(&lib) < 0 ||
	    lib.next_option(&at, &name, &name_size, &value, &value_size) != 0)
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
