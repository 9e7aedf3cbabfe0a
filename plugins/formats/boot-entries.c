/* SPDX-License-Identifier: Apache-2.0 */
#include "boot-internal.h"

enum {
	FILE_MAX = 64 * 1024,
	ENTRIES_MAX = 256
};

/* Where $BOOT and the EFI system partition are mounted. */
static const char *const folders[] = { "/boot/loader/entries", "/efi/loader/entries",
				       "/boot/efi/loader/entries" };

/* A folder that is there under two names counts once. */
struct seen {
	uint64_t device[KC_ARRAY_SIZE(folders)], inode[KC_ARRAY_SIZE(folders)];
	size_t n;
};

static bool is_new(const struct boot_reader *reader, const char *folder, struct seen *seen)
{
	struct kc_stat st = { .size_of = sizeof(st) };

	if (kc_stat(reader->host, reader->run, folder, 0, &st) < 0)
		return true;
	for (size_t i = 0; i < seen->n; i++)
		if (seen->device[i] == st.device && seen->inode[i] == st.inode)
			return false;
	seen->device[seen->n] = st.device;
	seen->inode[seen->n++] = st.inode;
	return true;
}

/*
 * The name that settings know the entry by. GRUB: the file's without its suffix. sd-boot: in lower
 * case, without the counter of boot tries ("+3-1" before the suffix).
 */
static char *id_of(struct boot_reader *reader, const char *name, enum kc_boot_loader loader,
		   bool *ret_tried_out)
{
	size_t stem = strlen(name) - strlen(".conf");
	char *id = kc_arena_memdup(reader->arena, name, stem), *plus;

	*ret_tried_out = false;
	if (!id || loader == KC_BOOT_LOADER_GRUB)
		return id;
	for (char *c = id; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	plus = strrchr(id, '+');
	if (plus && plus[1] && !plus[1 + strspn(plus + 1, "0123456789-")]) {
		*ret_tried_out = plus[1] == '0' && (!plus[2] || plus[2] == '-');
		*plus = '\0';
	}
	return kc_arena_printf(reader->arena, "%s.conf", id);
}

static int read_entry(struct boot_reader *reader, const char *folder, const char *name,
		      enum kc_boot_loader loader, struct boot_entries *entries)
{
	const char *path = kc_arena_printf(reader->arena, "%s/%s", folder, name);
	struct kc_boot_entry *entry;
	struct kc_bytes bytes;
	bool tried_out = false;
	const char *id;
	int r;

	id = path ? id_of(reader, name, loader, &tried_out) : NULL;
	entry = kc_arena_grow(reader->arena, entries->item, entries->n, &entries->room,
			      sizeof(*entry));
	if (!id || !entry)
		return -ENOMEM;
	entries->item = entry;
	entry += entries->n;
	r = boot_read(reader, path, FILE_MAX, &bytes);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = kc_boot_entry_parse(id, bytes.data, bytes.size, loader, reader->arena, entry);
	if (r < 0)
		return boot_fault(reader, path, r);
	entry->file = path;
	entry->tried_out = tried_out;
	entries->n += entry->kernel || entry->efi;
	return 0;
}

static int read_folder(struct boot_reader *reader, const char *folder, enum kc_boot_loader loader,
		       struct boot_entries *entries)
{
	struct kc_strings names;
	int r = kc_list_dir(reader->host, reader->run, folder, &names);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0) {
		reader->why = kc_arena_strdup(reader->arena, kc_why(reader->host, reader->run));
		return reader->why ? r : -ENOMEM;
	}
	for (size_t i = 0; i < names.n; i++) {
		const char *name = names.item[i];

		if (name[0] == '.' || strlen(name) <= strlen(".conf") ||
		    !kc_endswith(name, ".conf"))
			continue;
		if (entries->n == ENTRIES_MAX)
			return boot_fault(reader, folder, -EFBIG);
		r = read_entry(reader, folder, name, loader, entries);
		if (r < 0)
			return r;
	}
	return 0;
}

static int order_grub(const void *a, const void *b)
{
	return kc_boot_entry_order(a, b, KC_BOOT_LOADER_GRUB);
}

static int order_systemd(const void *a, const void *b)
{
	return kc_boot_entry_order(a, b, KC_BOOT_LOADER_SYSTEMD);
}

int boot_entries_read(struct boot_reader *reader, enum kc_boot_loader loader,
		      struct boot_entries *ret_entries)
{
	struct boot_entries entries = { 0 };
	struct seen seen = { 0 };
	int r = 0;

	for (size_t i = 0; !r && i < KC_ARRAY_SIZE(folders); i++)
		if (is_new(reader, folders[i], &seen))
			r = read_folder(reader, folders[i], loader, &entries);
	if (r < 0)
		return r;
	if (entries.n)
		qsort(entries.item, entries.n, sizeof(*entries.item),
		      loader == KC_BOOT_LOADER_GRUB ? order_grub : order_systemd);
	*ret_entries = entries;
	return 0;
}
