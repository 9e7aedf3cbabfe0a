/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fdio.h"
#include "place.h"

static int vet_folder(int fd, const char *path, struct kc_err *err, uint64_t *ret_device)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return kc_err_set(err, -errno, "%s: %s", path, kc_strerror(errno));
	*ret_device = st.st_dev;
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return kc_err_set(
			err, -EPERM,
			"%s belongs to user %u, who could exchange what is in it: nothing "
			"is changed there",
			path, (unsigned)st.st_uid);
	if (st.st_mode & 022)
		return kc_err_set(err, -EPERM,
				  "%s can be written by others than its owner (mode %04o): nothing "
				  "is changed there",
				  path, (unsigned)st.st_mode & 07777);
	return 0;
}

/* Goes down a path without links; `where` (may be NULL) gets its mount, device and top. */
static int walk(const struct kc_root *root, const char *path, struct kc_err *err,
		struct kc_fix_place *where, int *ret_fd)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	char so_far[PATH_MAX] = "/";
	uint64_t device = 0, id;
	size_t n = 0;
	int r = kc_root_path_fd(root, "/", 0, err, &fd);

	if (r < 0)
		return r;
	for (const char *p = path;;) {
		size_t length;
		int next;

		r = vet_folder(fd, so_far, err, &device);
		if (r == 0 && where) {
			r = kc_fd_mount(fd, &id);
			if (r < 0)
				return kc_err_set(err, r, "%s: its mount cannot be told: %s",
						  so_far, kc_strerror(r));
			if (!*where->top || id != where->mount || device != where->device)
				memcpy(where->top, so_far, strlen(so_far) + 1);
			where->mount = id;
			where->device = device;
		}
		if (r < 0)
			return r;
		p += strspn(p, "/");
		length = strcspn(p, "/");
		if (length == 0)
			break;
		if (n + 1 + length >= sizeof(so_far))
			return kc_err_set(err, -ENAMETOOLONG, "%s: the path is too long", path);
		so_far[n] = '/';
		memcpy(so_far + n + 1, p, length);
		n += 1 + length;
		so_far[n] = '\0';
		next = openat(fd, so_far + n - length,
			      O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return kc_err_set(err, -errno, "%s: %s", so_far, kc_strerror(errno));
		(void)kc_close(fd);
		fd = next;
		p += length;
	}
	r = kc_fd_reopen(fd, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r < 0)
		return kc_err_set(err, r, "%s: %s", path, kc_strerror(r));
	*ret_fd = r;
	return 0;
}

/* The path without links, but for the last component unless that is followed. */
static int resolve(const struct kc_root *root, const char *path, bool follow, struct kc_err *err,
		   struct kc_buf *b)
{
	const char *name = strrchr(path, '/');
	kc_cleanup(kc_freep) char *folder = NULL;
	int r;

	if (*path != '/' || !name[1] || kc_streq(name, "/.") || kc_streq(name, "/.."))
		return kc_err_set(err, -EINVAL, "%s is no path of a file", path);
	if (follow) {
		r = kc_root_resolve(root, path, err, b);
		if (r != -ENOENT)
			return r;
		kc_buf_reset(b);
	}
	folder = strndup(path, name == path ? 1 : (size_t)(name - path));
	if (!folder)
		return kc_err_set(err, -ENOMEM, "out of memory");
	r = kc_root_resolve(root, folder, err, b);
	if (r < 0)
		return r;
	kc_buf_adds(b, b->len == 1 ? name + 1 : name);
	return kc_buf_error(b) < 0 ? kc_err_set(err, -ENOMEM, "out of memory") : 0;
}

/* What every change would founder on, so that none is begun. */
static int vet_change(int dir, const char *folder, struct kc_err *err)
{
	struct statvfs figures;
	int flags;

	if (fstatvfs(dir, &figures) < 0)
		return kc_err_set(err, -errno, "%s: %s", folder, kc_strerror(errno));
	if (figures.f_flag & ST_RDONLY)
		return kc_err_set(err, -EROFS, "%s is read-only: nothing can be changed there",
				  folder);
	/* A file system without such flags has none set. */
	if (ioctl(dir, FS_IOC_GETFLAGS, &flags) == 0 && (flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)))
		return kc_err_set(err, -EPERM,
				  "%s is %s (lsattr -d shows it): nothing can be changed there",
				  folder, flags & FS_IMMUTABLE_FL ? "immutable" : "append-only");
	return 0;
}

int kc_place_open(const struct kc_root *root, const char *path, unsigned flags, struct kc_err *err,
		  struct kc_fix_place *ret_place)
{
	kc_cleanup(kc_buf_done) struct kc_buf real = { 0 };
	struct kc_fix_place place = { .dir = -EBADF };
	char folder[PATH_MAX];
	int r = resolve(root, path, flags & KC_PLACE_FOLLOW, err, &real);

	if (r < 0)
		return r;
	if (real.len >= sizeof(place.path) || real.len < 2)
		return kc_err_set(err, -EINVAL, "%s is no path of a file", path);
	memcpy(place.path, real.data, real.len + 1);
	place.name_at = (size_t)(strrchr(place.path, '/') - place.path) + 1;
	kc_place_folder(&place, folder);
	r = walk(root, folder, err, &place, &place.dir);
	if (r == 0)
		r = vet_change(place.dir, folder, err);
	if (r < 0) {
		kc_place_done(&place);
		return r;
	}
	*ret_place = place;
	return 0;
}

void kc_place_done(struct kc_fix_place *place)
{
	place->dir = kc_close(place->dir);
}

void kc_place_folder(const struct kc_fix_place *place, char ret_folder[PATH_MAX])
{
	size_t n = KC_MAX(place->name_at - 1, (size_t)1);

	memcpy(ret_folder, place->path, n);
	ret_folder[n] = '\0';
}

int kc_place_check(const struct kc_root *root, const struct kc_fix_place *place, struct kc_err *err)
{
	kc_cleanup(kc_closep) int now = -EBADF;
	char folder[PATH_MAX];
	struct stat a, b;
	int r;

	kc_place_folder(place, folder);
	r = walk(root, folder, err, NULL, &now);
	if (r < 0)
		return r;
	if (fstat(now, &a) < 0 || fstat(place->dir, &b) < 0 || a.st_dev != b.st_dev ||
	    a.st_ino != b.st_ino)
		return kc_err_set(err, -ESTALE, "%s is another folder now than it was before",
				  folder);
	return 0;
}

int kc_place_open_folder(const struct kc_root *root, const char *path, struct kc_err *err,
			 int *ret_fd)
{
	return walk(root, path, err, NULL, ret_fd);
}
