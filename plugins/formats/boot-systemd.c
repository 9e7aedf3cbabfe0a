/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>

#include "boot-internal.h"
#include "os-release.h"
#include "unified-image.h"

enum {
	CONF_MAX = 64 * 1024,
	VARIABLE_MAX = 4096,
	IMAGES_MAX = 64,
	PATTERN_MAX = 256,
	STARS_MAX = 8
};

/* Where bootctl looks for the EFI system partition. */
static const char *const partitions[] = { "/efi", "/boot", "/boot/efi" };

/* What sd-boot chooses from, and by what. */
struct loader {
	struct boot_reader *reader;
	struct boot_entries entries;
	struct kc_boot_entry *all; /* entries and images, in the order of the menu */
	size_t n, room;
	const char *conf; /* the path of loader.conf, or NULL */
	struct kc_bytes text;
	const char *note;
};

/*
 * A variable of the Boot Loader Interface, in lower case; NULL when it is not set. Those of the
 * firmware are four bytes of attributes and UTF-16; names of entries are ASCII.
 */
static const char *read_variable(const struct boot_reader *reader, const char *name)
{
	struct kc_bytes bytes;
	const char *path;
	char *text;
	size_t n;

	if (!kc_is_live(reader->host, reader->run))
		return NULL;
	path = kc_arena_printf(reader->arena,
			       "/sys/firmware/efi/efivars/%s-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f",
			       name);
	if (!path || kc_read_file(reader->host, reader->run, path, VARIABLE_MAX, &bytes) < 0 ||
	    bytes.size < 4)
		return NULL;
	n = (bytes.size - 4) / 2;
	text = kc_arena_zalloc(reader->arena, n + 1, 1);
	for (size_t i = 0; text && i < n; i++) {
		char c = bytes.data[4 + 2 * i];

		text[i] = bytes.data[5 + 2 * i]	 ? '?'
			  : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a')
						 : c;
	}
	return text && *text ? text : NULL;
}

int boot_systemd_configured(const struct boot_reader *reader)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	int unseen = 0;

	for (size_t i = 0; i < KC_ARRAY_SIZE(partitions); i++) {
		const char *path =
			kc_arena_printf(reader->arena, "%s/loader/loader.conf", partitions[i]);

		int r = path ? kc_stat(reader->host, reader->run, path, 0, &st) : -ENOMEM;

		if (r == 0)
			return 1;
		if (r != -ENOENT && r != -ENOTDIR)
			unseen = r;
	}
	return unseen;
}

bool boot_systemd_started(const struct boot_reader *reader)
{
	const char *info = read_variable(reader, "LoaderInfo");

	return info && kc_after_prefix(info, "systemd-boot");
}

/* ---- unified kernel images ---- */

static int read_section(int fd, const char *head, size_t size, const char *name,
			struct kc_arena *arena, const char **ret_text)
{
	struct kc_unified_section section;
	char *text;
	ssize_t n;
	int r;

	r = kc_unified_image_find(head, size, name, &section);
	if (r < 0)
		return r;
	text = kc_arena_zalloc(arena, section.size + 1, 1);
	if (!text)
		return -ENOMEM;
	n = pread(fd, text, section.size, (off_t)section.offset);
	if (n < 0)
		return -errno;
	if ((size_t)n != section.size)
		return -EBADMSG;
	*ret_text = text;
	return 0;
}

/* Of the OS inside, what sorts the image in the menu. */
static int read_release(const char *path, const char *text, struct kc_arena *arena,
			struct kc_boot_entry *entry)
{
	struct kc_os_release os;
	int r = kc_os_release_parse(path, text, strlen(text), arena, &os);

	if (r == 0) {
		entry->sort_key = os.id.text;
		entry->version = os.version.text;
		entry->title = os.name.text;
	}
	return r == -ENOMEM ? r : 0;
}

/* -ENOENT: it is no image of a kernel. */
static int read_image(struct boot_reader *reader, const char *path, struct kc_boot_entry *entry)
{
	char *head = kc_arena_alloc(reader->arena, KC_UNIFIED_IMAGE_HEAD);
	kc_cleanup(kc_closep) int fd = -1;
	const char *release = NULL;
	ssize_t n;
	int r;

	if (!head)
		return -ENOMEM;
	r = kc_open_file(reader->host, reader->run, path, 0, &fd);
	if (r < 0) {
		reader->why = kc_arena_strdup(reader->arena, kc_why(reader->host, reader->run));
		return reader->why ? r : -ENOMEM;
	}
	n = pread(fd, head, KC_UNIFIED_IMAGE_HEAD, 0);
	if (n < 0)
		return boot_fault(reader, path, -errno);
	/* Without it, neither sd-boot nor GRUB takes the file for an image. */
	r = read_section(fd, head, (size_t)n, ".osrel", reader->arena, &release);
	if (r == 0)
		r = read_release(path, release, reader->arena, entry);
	if (r == 0)
		r = read_section(fd, head, (size_t)n, ".cmdline", reader->arena, &entry->options);
	/* An image without arguments of its own takes those of its entry: none. */
	if (r == -ENOENT && entry->sort_key)
		r = 0;
	return r < 0 && r != -ENOENT ? boot_fault(reader, path, r) : r;
}

static char *lower(struct kc_arena *arena, const char *name)
{
	char *copy = kc_arena_strdup(arena, name);

	for (char *c = copy; c && *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return copy;
}

static int read_images(struct loader *l, const char *partition)
{
	struct boot_reader *reader = l->reader;
	const char *folder = kc_arena_printf(reader->arena, "%s/EFI/Linux", partition);
	struct kc_strings names;
	size_t most = l->entries.n + IMAGES_MAX;
	int r;

	if (!folder)
		return -ENOMEM;
	r = kc_list_dir(reader->host, reader->run, folder, &names);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0) {
		reader->why = kc_arena_strdup(reader->arena, kc_why(reader->host, reader->run));
		return reader->why ? r : -ENOMEM;
	}
	for (size_t i = 0; i < names.n && l->n < most; i++) {
		struct kc_boot_entry entry = { 0 }, *all;

		if (names.item[i][0] == '.' || !kc_endswith(names.item[i], ".efi"))
			continue;
		entry.file = kc_arena_printf(reader->arena, "%s/%s", folder, names.item[i]);
		entry.efi = entry.file;
		entry.id = lower(reader->arena, names.item[i]);
		if (!entry.file || !entry.id)
			return -ENOMEM;
		r = read_image(reader, entry.file, &entry);
		if (r == -ENOENT)
			continue;
		if (r < 0)
			return r;
		all = kc_arena_grow(reader->arena, l->all, l->n, &l->room, sizeof(*all));
		if (!all)
			return -ENOMEM;
		l->all = all;
		l->all[l->n++] = entry;
	}
	return 0;
}

/* ---- the choice ---- */

static int order(const void *a, const void *b)
{
	return kc_boot_entry_order(a, b, KC_BOOT_LOADER_SYSTEMD);
}

static int read_menu(struct loader *l)
{
	int r = boot_entries_read(l->reader, KC_BOOT_LOADER_SYSTEMD, &l->entries);

	if (r < 0)
		return r;
	l->all = l->entries.item;
	l->n = l->entries.n;
	l->room = l->entries.room;
	for (size_t i = 0; !r && i < KC_ARRAY_SIZE(partitions); i++)
		r = read_images(l, partitions[i]);
	if (r == 0 && !l->n)
		r = -ENOENT;
	if (r == 0)
		qsort(l->all, l->n, sizeof(*l->all), order);
	return r;
}

static int read_conf(struct loader *l)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(partitions); i++) {
		const char *path =
			kc_arena_printf(l->reader->arena, "%s/loader/loader.conf", partitions[i]);
		int r = path ? boot_read(l->reader, path, CONF_MAX, &l->text) : -ENOMEM;

		if (r == 0)
			l->conf = path;
		if (r != -ENOENT)
			return r;
	}
	return 0;
}

/* A pattern with many stars would take fnmatch(3) too long. */
static bool is_bounded(const char *pattern)
{
	size_t stars = 0;

	for (const char *c = pattern; *c; c++)
		stars += *c == '*';
	return strlen(pattern) <= PATTERN_MAX && stars <= STARS_MAX;
}

static const struct kc_boot_entry *find(const struct loader *l, const char *pattern)
{
	for (size_t i = 0; pattern && is_bounded(pattern) && i < l->n; i++)
		if (fnmatch(pattern, l->all[i].id, 0) == 0)
			return &l->all[i];
	return NULL;
}

static int find_by_conf(struct loader *l, const struct kc_boot_entry **ret_entry)
{
	const char *pattern = NULL, *name;
	unsigned line;
	int r;

	*ret_entry = NULL;
	if (!l->conf)
		return 0;
	r = kc_loader_conf_get(l->text.data, l->text.size, "default", l->reader->arena, &pattern,
			       &line);
	if (r < 0)
		return boot_fault(l->reader, l->conf, r);
	if (!pattern)
		return 0;
	name = kc_streq(pattern, "@saved") ? read_variable(l->reader, "LoaderEntryLastBooted")
					   : lower(l->reader->arena, pattern);
	*ret_entry = find(l, name);
	if (*ret_entry)
		return 0;
	return boot_note(
		l->reader, &l->note,
		"%s:%u names no entry that is there, so that systemd-boot takes the first.",
		l->conf, line);
}

/* In the order of config_default_entry_select() of systemd's boot.c, 246 and later. */
static int find_default(struct loader *l, const struct kc_boot_entry **ret_entry)
{
	*ret_entry = find(l, read_variable(l->reader, "LoaderEntryOneShot"));
	if (*ret_entry)
		return boot_note(l->reader, &l->note,
				 "The firmware's variable LoaderEntryOneShot chooses %s for the "
				 "next start alone.",
				 (*ret_entry)->file);
	*ret_entry = find(l, read_variable(l->reader, "LoaderEntryDefault"));
	if (*ret_entry)
		return boot_note(l->reader, &l->note,
				 "The firmware's variable LoaderEntryDefault chooses %s.",
				 (*ret_entry)->file);
	return find_by_conf(l, ret_entry);
}

int boot_systemd_choose(struct boot_reader *reader, struct boot_choice *ret_choice)
{
	struct loader l = { .reader = reader };
	const struct kc_boot_entry *entry = NULL;
	const char *source;
	int r;

	r = read_menu(&l);
	if (r == 0)
		r = read_conf(&l);
	if (r == 0)
		r = find_default(&l, &entry);
	if (r < 0)
		return r;
	if (!entry)
		entry = &l.all[0];
	source = entry->line ? kc_arena_printf(reader->arena, "%s:%u", entry->file, entry->line)
			     : kc_arena_printf(reader->arena, "%s, section .cmdline", entry->file);
	if (!source)
		return -ENOMEM;
	*ret_choice = (struct boot_choice){
		.options = entry->options ? entry->options : "",
		.source = source,
		.note = l.note,
	};
	return 0;
}
