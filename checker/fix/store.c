/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/num.h"
#include "folder-times.h"
#include "lock.h"
#include "place.h"
#include "store.h"

/*
 * To make the folder changes the times of the one above, which a rollback has to bring back. They
 * stand in the name that it is made under, and then in a file within, until they are back.
 */
static const char *const times_file = "parent-times";
static const char *const making_prefix = ".k8scheck-";
static const char *const transactions_name = "transactions";

enum {
	NUMBER_DIGITS = 4,
	REMOVE_DEPTH_MAX = 4,
};

static int store_failed(struct kc_err *err, int code, const char *what)
{
	return kc_err_set(err, code, KC_STORE_PATH ": %s: %s", what, kc_strerror(code));
}

/* ---- removal ---- */

static int remove_tree(int at, const char *name, unsigned depth)
{
	kc_cleanup(kc_closep) int fd =
		openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int own = fd < 0 ? -EBADF : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	DIR *dir = own < 0 ? NULL : fdopendir(own);
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		r = errno == ENOENT ? 0 : -errno;
		(void)kc_close(own);
		return r;
	}
	while (r == 0 && (entry = readdir(dir))) {
		if (kc_streq(entry->d_name, ".") || kc_streq(entry->d_name, ".."))
			continue;
		if (unlinkat(fd, entry->d_name, 0) == 0)
			continue;
		r = errno == EISDIR && depth < REMOVE_DEPTH_MAX
			    ? remove_tree(fd, entry->d_name, depth + 1)
			    : -errno;
	}
	(void)closedir(dir);
	if (r == 0 && unlinkat(at, name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
}

/* ---- making ---- */

static int write_times(int dir, const char *text)
{
	kc_cleanup(kc_closep) int fd =
		openat(dir, times_file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : kc_write_all(fd, text, strlen(text));

	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}

/* Locked before it has its name; *ret_lock is -EBADF where that failed. */
static int make_content(int parent, const char *name, const char *times, struct kc_err *err,
			int *ret_lock)
{
	kc_cleanup(kc_closep) int dir =
		openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = dir < 0 ? -errno : 0;

	*ret_lock = -EBADF;
	if (r == 0)
		r = kc_lock_take(dir, err);
	if (r == 0 && fchmod(dir, 0700) < 0)
		r = -errno;
	if (r == 0)
		r = write_times(dir, times);
	if (r == 0 && mkdirat(dir, transactions_name, 0700) < 0)
		r = -errno;
	if (r == 0 && fsync(dir) < 0)
		r = -errno;
	if (r == 0)
		*ret_lock = TAKE_FD(dir);
	return r;
}

/* The times are back; what says so is needed no more. */
static int settle(const struct kc_fix_place *place)
{
	kc_cleanup(kc_closep) int dir = openat(place->dir, kc_place_name(place),
					       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	kc_cleanup(kc_closep) int file =
		dir < 0 ? -EBADF : openat(dir, times_file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	int r;

	if (file < 0)
		return errno == ENOENT ? 0 : -errno;
	r = kc_read_all(file, 256, &text);
	if (r == 0)
		r = kc_folder_times_set(place->dir, text.data, NULL);
	/* What is no time was not written by us, or not to its end: then there is nothing to undo.
	 */
	if (r == 0 || r == -EBADMSG)
		r = unlinkat(dir, times_file, 0) < 0 ? -errno : 0;
	if (r == 0 && fsync(place->dir) < 0)
		r = -errno;
	return r;
}

/* What a start that was cut off has left: it goes, and the folder has its times back. */
static int clear_away(const struct kc_fix_place *place)
{
	kc_cleanup(kc_closep) int making = -EBADF;
	int own = openat(place->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = own < 0 ? NULL : fdopendir(own);
	char name[NAME_MAX + 1] = "";
	struct dirent *entry;
	int r;

	if (!dir) {
		r = -errno;
		(void)kc_close(own);
		return r;
	}
	while (!*name && (entry = readdir(dir))) {
		const char *rest = kc_after_prefix(entry->d_name, making_prefix);

		/* A staging folder of a transaction is called alike. */
		if (rest && !kc_store_is_id(rest))
			memcpy(name, entry->d_name, strlen(entry->d_name) + 1);
	}
	(void)closedir(dir);
	if (!*name)
		return 0;
	making = openat(place->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* Somebody is about to make it in this moment, or has just done so. */
	if (making < 0 || kc_lock_is_taken(making))
		return -EBUSY;
	r = remove_tree(place->dir, name, 0);
	if (r == 0)
		r = kc_folder_times_set(place->dir, kc_after_prefix(name, making_prefix), NULL);
	return r == -EBADMSG ? 0 : r;
}

static int make(const struct kc_fix_place *place, struct kc_err *err, int *ret_lock)
{
	kc_cleanup(kc_closep) int lock = -EBADF;
	kc_cleanup(kc_freep) char *name = NULL;
	char times[KC_FOLDER_TIMES_MAX];
	int r = kc_folder_times(place->dir, times, NULL);

	if (r < 0)
		return r;
	name = kc_asprintf("%s%s", making_prefix, times);
	if (!name)
		return -ENOMEM;
	if (mkdirat(place->dir, name, 0700) < 0)
		return -errno;
	r = make_content(place->dir, name, times, err, &lock);
	if (r == 0 &&
	    renameat2(place->dir, name, place->dir, kc_place_name(place), RENAME_NOREPLACE) < 0)
		r = -errno;
	if (r == 0) {
		r = settle(place);
		if (r == 0) {
			*ret_lock = TAKE_FD(lock);
			return 0;
		}
		(void)remove_tree(place->dir, kc_place_name(place), 0);
		(void)kc_folder_times_set(place->dir, times, NULL);
	}
	lock = kc_close(lock);
	(void)clear_away(place);
	return r;
}

/* ---- opening ---- */

bool kc_store_is_locked(const struct kc_root *root)
{
	struct kc_store store;
	bool locked;

	if (kc_store_open(root, 0, NULL, &store) < 0)
		return false;
	locked = store.dir >= 0 && kc_lock_is_taken(store.dir);
	kc_store_done(&store);
	return locked;
}

static int vet(int dir, struct kc_err *err)
{
	struct stat st;

	if (fstat(dir, &st) < 0)
		return store_failed(err, -errno, "it cannot be looked at");
	if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & 022))
		return kc_err_set(err, -EPERM,
				  KC_STORE_PATH " belongs to user %u and has mode %04o: others "
						"than root could forge what is kept there",
				  (unsigned)st.st_uid, (unsigned)st.st_mode & 07777);
	return 0;
}

static int open_dirs(const struct kc_fix_place *place, struct kc_store *store, struct kc_err *err)
{
	store->dir = openat(place->dir, kc_place_name(place),
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (store->dir < 0)
		return errno == ENOENT ? -ENOENT : store_failed(err, -errno, "it cannot be opened");
	if (vet(store->dir, err) < 0)
		return -EPERM;
	store->transactions = openat(store->dir, transactions_name,
				     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (store->transactions < 0)
		return store_failed(err, errno == ENOENT ? -ENOTDIR : -errno,
				    "its folder of transactions cannot be opened");
	return vet(store->transactions, err);
}

static int lock_store(struct kc_store *store, struct kc_err *err)
{
	int r;

	store->lock = openat(store->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->lock < 0)
		return store_failed(err, -errno, "it cannot be locked");
	r = kc_lock_take(store->lock, err);
	return r < 0 && r != -EBUSY && err ? kc_err_prefix(err, KC_STORE_PATH) : r;
}

static int not_cleared(struct kc_err *err, int code)
{
	return code == -EBUSY
		       ? kc_err_set(err, code,
				    "another k8scheck is about to repair this system; try "
				    "again when it has ended")
		       : store_failed(err, code, "what an earlier start left cannot be put right");
}

/* It is there: what a start that was cut off left above it, or in it, is put right. */
static int prepare_old(const struct kc_fix_place *place, struct kc_store *store, struct kc_err *err)
{
	int r = lock_store(store, err);

	if (r < 0)
		return r;
	r = settle(place);
	if (r == 0)
		r = clear_away(place);
	return r < 0 ? not_cleared(err, r) : 0;
}

static int prepare_new(const struct kc_fix_place *place, unsigned flags, struct kc_store *store,
		       struct kc_err *err)
{
	struct kc_err why = { 0 };
	int r = clear_away(place);

	if (r < 0)
		return not_cleared(err, r);
	if (!(flags & KC_STORE_MAKE))
		return 0;
	r = make(place, &why, &store->lock);
	if (r < 0 && *why.text)
		return kc_err_set(err, r, "%s", why.text);
	if (r < 0)
		return store_failed(err, r, "it cannot be made");
	r = open_dirs(place, store, err);
	return r == -ENOENT ? store_failed(err, r, "it was made and is gone") : r;
}

static int prepare(const struct kc_fix_place *place, unsigned flags, struct kc_store *store,
		   struct kc_err *err)
{
	int r;

	if (flags & KC_STORE_LOCK)
		kc_lock_await_turn(place->dir);
	r = open_dirs(place, store, err);
	if (!(flags & KC_STORE_LOCK))
		return r == -ENOENT ? 0 : r;
	if (r == 0)
		return prepare_old(place, store, err);
	return r == -ENOENT ? prepare_new(place, flags, store, err) : r;
}

int kc_store_open(const struct kc_root *root, unsigned flags, struct kc_err *err,
		  struct kc_store *ret_store)
{
	struct kc_store store = {
		.root = root, .dir = -EBADF, .transactions = -EBADF, .lock = -EBADF
	};
	struct kc_fix_place place = { .dir = -EBADF };
	int r = kc_place_open(root, KC_STORE_PATH, 0, err, &place);

	/* A system without /var/lib, or one that is read-only, has no transactions to list. */
	if ((r == -ENOENT || r == -EROFS) && !(flags & KC_STORE_MAKE))
		r = 0;
	else if (r == 0)
		r = prepare(&place, flags, &store, err);
	else if (r < 0 && r != -EBUSY)
		(void)kc_err_prefix(err, "the journal of repairs is kept in " KC_STORE_PATH);
	kc_place_done(&place);
	if (r < 0) {
		kc_store_done(&store);
		return r;
	}
	*ret_store = store;
	return 0;
}

void kc_store_done(struct kc_store *store)
{
	store->dir = kc_close(store->dir);
	store->transactions = kc_close(store->transactions);
	store->lock = kc_close(store->lock);
}

/* ---- transactions ---- */

bool kc_store_is_id(const char *id)
{
	size_t digits = strspn(id, "0123456789");

	return digits >= NUMBER_DIGITS && digits < 10 && id[digits] == '-' &&
	       strlen(id + digits + 1) == strlen("20260131T080000Z") &&
	       id[digits + 1 + strspn(id + digits + 1, "0123456789TZ")] == '\0';
}

/* 0 for what is no id. */
static uint64_t number_of(const char *id)
{
	char digits[16] = "";
	uint64_t number;

	memcpy(digits, id, KC_MIN(strspn(id, "0123456789"), sizeof(digits) - 1));
	return kc_parse_u64(digits, &number) < 0 ? 0 : number;
}

static int by_number(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	uint64_t p = number_of(x), q = number_of(y);

	return p < q ? -1 : p > q ? 1 : strcmp(x, y);
}

int kc_store_list(const struct kc_store *store, struct kc_arena *arena, struct kc_err *err,
		  struct kc_strings *ret_ids)
{
	int own = store->transactions < 0
			  ? -EBADF
			  : openat(store->transactions, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = own < 0 ? NULL : fdopendir(own);
	const char **ids = NULL;
	size_t n = 0, room = 0;
	struct dirent *entry;
	int r = 0;

	if (store->transactions < 0) {
		*ret_ids = (struct kc_strings){ 0 };
		return 0;
	}
	if (!dir) {
		r = -errno;
		(void)kc_close(own);
		return store_failed(err, r, "its transactions cannot be listed");
	}
	while (r == 0 && (entry = readdir(dir))) {
		void *grown;

		if (!kc_store_is_id(entry->d_name))
			continue;
		grown = kc_arena_grow(arena, ids, n, &room, sizeof(*ids));
		ids = grown ? grown : ids;
		if (!grown || !(ids[n++] = kc_arena_strdup(arena, entry->d_name)))
			r = kc_err_set(err, -ENOMEM, "out of memory");
	}
	(void)closedir(dir);
	if (r < 0)
		return r;
	if (n > 0)
		qsort(ids, n, sizeof(*ids), by_number);
	*ret_ids = (struct kc_strings){ .n = n, .item = ids };
	return 0;
}

int kc_store_add(const struct kc_store *store, struct kc_arena *arena, struct kc_err *err,
		 const char **ret_id, int *ret_dir)
{
	struct kc_strings ids;
	uint64_t number;
	time_t now = (time_t)(kc_realtime_usec() / 1000000);
	struct tm tm;
	const char *id;
	int dir, r = kc_store_list(store, arena, err, &ids);

	if (r < 0)
		return r;
	number = ids.n ? number_of(ids.item[ids.n - 1]) + 1 : 1;
	if (!gmtime_r(&now, &tm))
		return kc_err_set(err, -EOVERFLOW, "the clock shows no time");
	id = kc_arena_printf(arena, "%0*llu-%04d%02d%02dT%02d%02d%02dZ", NUMBER_DIGITS,
			     (unsigned long long)number, tm.tm_year + 1900, tm.tm_mon + 1,
			     tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (!id)
		return kc_err_set(err, -ENOMEM, "out of memory");
	if (mkdirat(store->transactions, id, 0700) < 0)
		return store_failed(err, -errno, "a transaction cannot be begun");
	dir = openat(store->transactions, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return store_failed(err, -errno, "a transaction cannot be begun");
	*ret_id = id;
	*ret_dir = dir;
	return 0;
}

int kc_store_find(const struct kc_store *store, const char *id, struct kc_err *err, int *ret_dir)
{
	int dir = store->transactions < 0 || !kc_store_is_id(id)
			  ? -EBADF
			  : openat(store->transactions, id,
				   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return kc_err_set(err, dir == -1 ? -errno : -ENOENT,
				  "there is no transaction '%.64s'", id);
	*ret_dir = dir;
	return 0;
}

int kc_store_remove(const struct kc_store *store, const char *id, struct kc_err *err)
{
	int r = kc_store_is_id(id) ? remove_tree(store->transactions, id, 0) : -EINVAL;

	if (r < 0)
		return kc_err_set(err, r, "transaction %.64s cannot be removed: %s", id,
				  kc_strerror(r));
	return fsync(store->transactions) < 0 ? store_failed(err, -errno, "fsync") : 0;
}
