/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fdio.h"
#include "slot.h"

void kc_slot_name(uint32_t record, char ret_name[KC_SLOT_MAX])
{
	(void)snprintf(ret_name, KC_SLOT_MAX, "%06u", record);
}

int kc_slot_write(int dir, const char *name, const char *content, size_t size,
		  const struct kc_node *node, bool times, struct kc_err *err)
{
	kc_cleanup(kc_closep) int fd =
		openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : kc_write_all(fd, content, size);

	if (r < 0)
		return kc_err_set(err, r, "it cannot be written: %s", kc_strerror(r));
	r = kc_node_apply(fd, node, times, err);
	if (r == 0 && fsync(fd) < 0)
		r = kc_err_set(err, -errno, "it cannot be made durable: %s", kc_strerror(errno));
	return r;
}

static int make_folder(int dir, const char *name, const struct kc_node *node, struct kc_err *err)
{
	kc_cleanup(kc_closep) int fd = -EBADF;

	if (mkdirat(dir, name, 0700) < 0)
		return kc_err_set(err, -errno, "the folder cannot be made: %s", kc_strerror(errno));
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return kc_err_set(err, -errno, "the folder cannot be opened: %s",
				  kc_strerror(errno));
	return kc_node_apply(fd, node, false, err);
}

/* Half a file is ours by its name: what another name has in a stage may be somebody else's. */
static void part_name(const char *slot, char ret_name[KC_SLOT_PART_MAX])
{
	(void)snprintf(ret_name, KC_SLOT_PART_MAX, "%s.part", slot);
}

int kc_slot_remove_part(int dir, const char *slot, struct kc_err *err)
{
	char part[KC_SLOT_PART_MAX];

	part_name(slot, part);
	if (unlinkat(dir, part, 0) < 0 && errno != ENOENT)
		return kc_err_set(err, -errno, "%s cannot be removed: %s", part,
				  kc_strerror(errno));
	return 0;
}

static int stage_file(int dir, const char *slot, const char *content, size_t size,
		      const struct kc_node *node, bool times, struct kc_err *err)
{
	char part[KC_SLOT_PART_MAX];
	int r = kc_slot_remove_part(dir, slot, err);

	part_name(slot, part);
	if (r == 0)
		r = kc_slot_write(dir, part, content, size, node, times, err);
	if (r == 0 && renameat2(dir, part, dir, slot, RENAME_NOREPLACE) < 0)
		r = kc_err_set(err, -errno, "it cannot be staged: %s", kc_strerror(errno));
	return r;
}

int kc_slot_put(int dir, const char *slot, const struct kc_node *node, const char *content,
		size_t size, bool times, struct kc_err *err)
{
	switch (node->type) {
	case KC_FILE_REGULAR:
		return stage_file(dir, slot, content, size, node, times, err);
	case KC_FILE_DIRECTORY:
		return make_folder(dir, slot, node, err);
	default:
		if (symlinkat(node->link, dir, slot) < 0)
			return kc_err_set(err, -errno, "the link cannot be made: %s",
					  kc_strerror(errno));
		return kc_node_apply_link(dir, slot, node, times, err);
	}
}
