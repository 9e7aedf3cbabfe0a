/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fdio.h"
#include "exchange.h"
#include "lease.h"

enum {
	/* Each turn means that somebody replaced the file in the microseconds since the last. */
	TURNS_MAX = 100
};

struct guard {
	int fd; /* of the expected file; -EBADF: nothing is guarded */
	bool held;
	int new_fd; /* of the staged file */
	bool new_held;
};

static void guard_done(struct guard *g)
{
	if (g->held)
		kc_lease_give_up(g->fd);
	if (g->new_held)
		kc_lease_give_up(g->new_fd);
	(void)kc_close(g->new_fd);
}

static bool is_object(int dir, const char *name, uint64_t device, uint64_t inode)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_dev == device &&
	       st.st_ino == inode;
}

/* Whether it is what was expected that is in the slot now. */
static bool is_expected(const struct kc_exchange *x)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_node node;

	if (is_object(x->stage, x->slot, x->expected->device, x->expected->inode))
		return true;
	return x->expected->overlay &&
	       kc_node_read(x->stage, x->slot, KC_NODE_CONTENT, &arena, NULL, &node, NULL, NULL) ==
		       0 &&
	       kc_node_untouched(&node, x->expected);
}

static int changed(const struct kc_exchange *x, struct kc_err *err)
{
	return kc_err_set(err, -EBUSY,
			  "%s was changed by somebody else meanwhile, and is left as "
			  "they made it",
			  x->place->path);
}

static int failed(const struct kc_exchange *x, int code, struct kc_err *err)
{
	if (code == -EINVAL || code == -ENOSYS)
		return kc_err_set(err, -EOPNOTSUPP,
				  "the file system of %s cannot exchange files in one step",
				  x->place->path);
	/* One mount, one device: that was seen to. */
	if (code == -EXDEV)
		return kc_err_set(err, code,
				  "%s cannot be replaced: its file system lets nothing be moved "
				  "into that folder from where new files are made, as of another "
				  "quota project (lsattr -pd shows it), subvolume or layer",
				  x->place->path);
	if (code == -EBUSY)
		return kc_err_set(err, -EBUSY, "%s is a mount of its own, which cannot be replaced",
				  x->place->path);
	return kc_err_set(err, code, "%s cannot be replaced: %s", x->place->path,
			  kc_strerror(code));
}

/* Nobody writes to it from here on, and it is what was read. */
static int guard_expected(const struct kc_exchange *x, struct guard *g, struct kc_err *err)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_node now;
	int r;

	g->fd = x->expected_fd;
	if (g->fd >= 0) {
		r = kc_lease_take(g->fd, err, &g->held);
		if (r < 0)
			return kc_err_prefix(err, "%s", x->place->path);
	}
	r = kc_node_read(x->place->dir, kc_place_name(x->place), KC_NODE_CONTENT, &arena, err, &now,
			 NULL, NULL);
	if (r < 0)
		return r;
	return kc_node_untouched(&now, x->expected) ? 0 : changed(x, err);
}

/* Who opens the new file for writing while it may still be taken back waits as well. */
static int guard_staged(const struct kc_exchange *x, struct guard *g, struct kc_err *err)
{
	struct stat st;

	if (fstatat(x->stage, x->slot, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return kc_err_set(err, -errno, "%s: what is to be put there is gone",
				  x->place->path);
	if (!S_ISREG(st.st_mode))
		return 0;
	g->new_fd = openat(x->stage, x->slot, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (g->new_fd < 0)
		return kc_err_set(err, -errno, "%s: what is to be put there cannot be opened: %s",
				  x->place->path, kc_strerror(errno));
	return kc_lease_take(g->new_fd, err, &g->new_held);
}

static int swap(const struct kc_exchange *x)
{
	return renameat2(x->stage, x->slot, x->place->dir, kc_place_name(x->place),
			 RENAME_EXCHANGE) < 0
		       ? -errno
		       : 0;
}

/*
 * Ours goes back into the slot. Where something else than was put there last comes out of the name,
 * it is somebody's newer file, which goes back with the next turn.
 */
static void swap_back(const struct kc_exchange *x, const struct stat *ours)
{
	struct stat at_name = *ours, in_slot;

	for (unsigned turn = 0; turn < TURNS_MAX; turn++) {
		struct stat put;

		if (fstatat(x->stage, x->slot, &put, AT_SYMLINK_NOFOLLOW) < 0 || swap(x) < 0 ||
		    fstatat(x->stage, x->slot, &in_slot, AT_SYMLINK_NOFOLLOW) < 0)
			return;
		if (in_slot.st_dev == at_name.st_dev && in_slot.st_ino == at_name.st_ino)
			return;
		at_name = put;
	}
}

static int put_over(const struct kc_exchange *x, const struct stat *ours, struct guard *g,
		    struct kc_err *err)
{
	int r = swap(x);

	if (r < 0)
		return failed(x, r, err);
	if (!is_expected(x) || (g->held && !kc_lease_holds(g->fd))) {
		swap_back(x, ours);
		return changed(x, err);
	}
	r = kc_place_check(x->root, x->place, err);
	if (r < 0)
		swap_back(x, ours);
	return r;
}

static int put_new(const struct kc_exchange *x, struct kc_err *err)
{
	const char *name = kc_place_name(x->place);
	int r;

	if (renameat2(x->stage, x->slot, x->place->dir, name, RENAME_NOREPLACE) < 0)
		return errno == EEXIST ? changed(x, err) : failed(x, -errno, err);
	r = kc_place_check(x->root, x->place, err);
	if (r < 0)
		(void)renameat2(x->place->dir, name, x->stage, x->slot, RENAME_NOREPLACE);
	return r;
}

static int make_durable(const struct kc_exchange *x, struct kc_err *err)
{
	if (fsync(x->place->dir) < 0 || fsync(x->stage) < 0)
		return kc_err_set(err, -errno, "%s cannot be made durable: %s", x->place->path,
				  kc_strerror(errno));
	return 0;
}

int kc_exchange_put(const struct kc_exchange *x, struct kc_err *err)
{
	kc_cleanup(guard_done) struct guard g = { .fd = -EBADF, .new_fd = -EBADF };
	struct stat ours;
	int r = guard_expected(x, &g, err);

	if (r == 0)
		r = guard_staged(x, &g, err);
	if (r == 0)
		r = kc_place_check(x->root, x->place, err);
	if (r < 0)
		return r;
	if (fstatat(x->stage, x->slot, &ours, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(x, -errno, err);
	r = x->expected->type ? put_over(x, &ours, &g, err) : put_new(x, err);
	return r < 0 ? r : make_durable(x, err);
}

int kc_exchange_take(const struct kc_exchange *x, struct kc_err *err)
{
	kc_cleanup(guard_done) struct guard g = { .fd = -EBADF, .new_fd = -EBADF };
	const char *name = kc_place_name(x->place);
	int r = guard_expected(x, &g, err);

	if (r == 0)
		r = kc_place_check(x->root, x->place, err);
	if (r < 0)
		return r;
	if (renameat2(x->place->dir, name, x->stage, x->slot, RENAME_NOREPLACE) < 0)
		return errno == ENOENT ? changed(x, err) : failed(x, -errno, err);
	if (!is_expected(x) || (g.held && !kc_lease_holds(g.fd)))
		r = changed(x, err);
	else
		r = kc_place_check(x->root, x->place, err);
	if (r < 0) {
		/* Where somebody has put another there by now, theirs is the newer one. */
		(void)renameat2(x->stage, x->slot, x->place->dir, name, RENAME_NOREPLACE);
		return r;
	}
	return make_durable(x, err);
}
