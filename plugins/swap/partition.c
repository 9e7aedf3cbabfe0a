/* SPDX-License-Identifier: Apache-2.0 */
#include "partition.h"

#define UDEV_DATA "/run/udev/data"
#define GPT_SWAP  "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f"

enum {
	LAYERS_MAX = 8, /* of device mapper and the like, between file system and disk */
	DEVICES_MAX = 16384, /* of all kinds */
};

/* "Do not mount automatically", of the Discoverable Partitions Specification. */
static const uint64_t no_auto = UINT64_C(1) << 63;

/* A property of a device in udev's database: a line E:NAME=VALUE; NULL: it has none. */
static const char *property(struct swap_boot *boot, const char *text, const char *name)
{
	size_t n = strlen(name);

	while (*text) {
		const char *end = strchrnul(text, '\n');

		if (strncmp(text, "E:", 2) == 0 && strncmp(text + 2, name, n) == 0 &&
		    text[2 + n] == '=')
			return kc_text(boot->host, boot->run, "%.*s",
				       (int)(end - text - 3 - (ptrdiff_t)n), text + 3 + n);
		text = *end ? end + 1 : end;
	}
	return NULL;
}

/* Reads an entry of udev's database; -EBADMSG, with a sentence, for what udev does not write. */
static int read_entry(struct swap_boot *boot, const char *path, struct kc_bytes *ret_text,
		      const char **ret_why)
{
	struct kc_bytes text;
	int r = kc_read_file(boot->host, boot->run, path, SWAP_FILE_MAX, &text);

	if (r) {
		*ret_why = kc_text(boot->host, boot->run, "%s", kc_why(boot->host, boot->run));
		return r;
	}
	if (strlen(text.data) != text.size || memchr(text.data, '\r', text.size)) {
		*ret_why = kc_text(boot->host, boot->run, "%s is not what udev writes.", path);
		return -EBADMSG;
	}
	*ret_text = text;
	return 0;
}

/* An entry that says a part of what udev knows of a partition. */
static int is_cut(struct swap_boot *boot, const char *path, const char **ret_why)
{
	*ret_why = kc_text(boot->host, boot->run, "%s does not say all of a partition.", path);
	return -EBADMSG;
}

/* A GUID, which is the type of a partition of GPT. */
static bool is_type(const char *type)
{
	size_t n = strlen(type);

	for (size_t i = 0; i < n; i++)
		if (type[i] != '-' && kc_hex_digit(type[i]) < 0)
			return false;
	return n == strlen(GPT_SWAP);
}

/* "8:2" of a file of sysfs; NULL when it is not there, or holds something else. */
static const char *read_number(struct swap_boot *boot, const char *path)
{
	struct kc_bytes text;
	size_t n;

	if (kc_read_file(boot->host, boot->run, path, 4096, &text) != 0)
		return NULL;
	n = strspn(text.data, "0123456789:");
	return n ? kc_text(boot->host, boot->run, "%.*s", (int)n, text.data) : NULL;
}

/* The device of a mount; NULL when it lies on none. */
static const char *device_of(struct swap_boot *boot, const struct kc_mount_entry *mount)
{
	const char *path;

	if (mount->major)
		return kc_text(boot->host, boot->run, "%u:%u", mount->major, mount->minor);
	/* btrfs has a number that is no device's. */
	if (!kc_after_prefix(mount->what, "/dev/") ||
	    kc_resolve(boot->host, boot->run, mount->what, &path) != 0)
		return NULL;
	return read_number(boot, kc_text(boot->host, boot->run, "/sys/class/block/%s/dev",
					 strrchr(path, '/') + 1));
}

/* What lies below encryption and volumes; NULL when that is more than one. */
static const char *lowest(struct swap_boot *boot, const char *device)
{
	for (unsigned layer = 0; device && layer < LAYERS_MAX; layer++) {
		const char *slaves =
			kc_text(boot->host, boot->run, "/sys/dev/block/%s/slaves", device);
		struct kc_strings names;

		if (kc_list_dir(boot->host, boot->run, slaves, &names) != 0 || names.n == 0)
			break;
		device = names.n > 1 ? NULL
				     : read_number(boot, kc_text(boot->host, boot->run, "%s/%s/dev",
								 slaves, names.item[0]));
	}
	return device;
}

/* True for a disk that has no partitions, and a file system on the whole of it. */
static bool is_whole(struct swap_boot *boot, const char *device)
{
	const char *folder = kc_text(boot->host, boot->run, "/sys/dev/block/%s", device);
	struct kc_stat st = { .size_of = sizeof(st) };

	return kc_stat(boot->host, boot->run, folder, 0, &st) == 0 &&
	       kc_stat(boot->host, boot->run,
		       kc_text(boot->host, boot->run, "%s/partition", folder), 0, &st) == -ENOENT;
}

/* The disk that the system lies on, as "8:0"; NULL: none that has partitions of GPT. */
static int find_disk(struct swap_boot *boot, const char **ret_disk, const char **ret_why)
{
	struct kc_mount_table table;
	struct kc_bytes text;
	const char *device, *path, *scheme, *why = NULL;
	const struct kc_mount_entry *mount;
	int r;

	r = kc_mountinfo(boot->host, boot->run, &text);
	if (!r)
		r = kc_mount_table_parse_part(KC_MOUNT_INFO, text.data, text.size, boot->arena,
					      &table);
	mount = r ? NULL : kc_mount_behind(&table, "/");
	if (!mount) {
		*ret_why = r == -ELIBACC ? KC_MOUNT_NO_LIBRARY
					 : "What the root file system lies on is not to be seen.";
		return r ? r : -ENODATA;
	}
	*ret_disk = NULL;
	device = device_of(boot, mount);
	if (!device)
		device = device_of(boot, kc_mount_behind(&table, "/usr"));
	device = lowest(boot, device);
	if (!device || is_whole(boot, device))
		return 0;
	path = kc_text(boot->host, boot->run, UDEV_DATA "/b%s", device);
	r = read_entry(boot, path, &text, &why);
	if (r) {
		*ret_why = kc_text(boot->host, boot->run,
				   "udev's database says nothing of the disk that the system lies "
				   "on: %s",
				   why);
		return r;
	}
	scheme = property(boot, text.data, "ID_PART_ENTRY_SCHEME");
	if (!scheme)
		return is_cut(boot, path, ret_why);
	if (kc_streq(scheme, "gpt"))
		*ret_disk = property(boot, text.data, "ID_PART_ENTRY_DISK");
	if (kc_streq(scheme, "gpt") && !*ret_disk)
		return is_cut(boot, path, ret_why);
	return 0;
}

/* "0x8000000000000000" */
static uint64_t parse_flags(const char *text)
{
	uint64_t flags = 0;

	text = text ? kc_after_prefix(text, "0x") : NULL;
	for (unsigned i = 0; text && i < 16 && kc_hex_digit(text[i]) >= 0; i++)
		flags = flags << 4 | (unsigned)kc_hex_digit(text[i]);
	return flags;
}

static int look_at(struct swap_boot *boot, const char *name, const char *disk,
		   struct swap_partitions *out, const char **ret_why)
{
	const char *path = kc_text(boot->host, boot->run, UDEV_DATA "/%s", name);
	const char *parent, *type, *link;
	struct kc_bytes text;
	int r;

	r = read_entry(boot, path, &text, ret_why);
	if (r == -ENOENT)
		return 0;
	if (r)
		return r;
	parent = property(boot, text.data, "ID_PART_ENTRY_DISK");
	type = property(boot, text.data, "ID_PART_ENTRY_TYPE");
	/* Disks, loop devices and the like have neither. */
	if (!parent != !type)
		return is_cut(boot, path, ret_why);
	if (!parent || !kc_streq(parent, disk))
		return 0;
	if (!is_type(type))
		return is_cut(boot, path, ret_why);
	if (!kc_streq(type, GPT_SWAP) ||
	    (parse_flags(property(boot, text.data, "ID_PART_ENTRY_FLAGS")) & no_auto))
		return 0;
	r = kc_read_link(boot->host, boot->run,
			 kc_text(boot->host, boot->run, "/sys/dev/block/%s", name + 1), &link);
	link = r == 0 && strrchr(link, '/') ? strrchr(link, '/') + 1 : NULL;
	out->item[out->n++] = (struct swap_partition){
		.device = link ? kc_text(boot->host, boot->run, "/dev/%s", link)
			       : kc_text(boot->host, boot->run, "/dev/block/%s", name + 1),
		.source = path,
	};
	return 0;
}

int swap_partitions_read(struct swap_boot *boot, struct swap_partitions *ret_partitions,
			 const char **ret_why)
{
	struct swap_partitions out = { 0 };
	struct kc_strings names;
	const char *disk;
	int r;

	r = find_disk(boot, &disk, ret_why);
	if (r)
		return r;
	*ret_partitions = out;
	if (!disk)
		return 0;
	r = kc_list_dir(boot->host, boot->run, UDEV_DATA, &names);
	if (r) {
		*ret_why = kc_text(boot->host, boot->run, "%s", kc_why(boot->host, boot->run));
		return r;
	}
	if (names.n > DEVICES_MAX) {
		*ret_why = "udev's database has more devices than k8scheck reads.";
		return -E2BIG;
	}
	out.item = kc_arena_zalloc(boot->arena, names.n + 1, sizeof(*out.item));
	if (!out.item)
		return -ENOMEM;
	for (size_t i = 0; i < names.n && !r; i++)
		if (names.item[i][0] == 'b')
			r = look_at(boot, names.item[i], disk, &out, ret_why);
	if (!r)
		*ret_partitions = out;
	return r;
}
