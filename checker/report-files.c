/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "report-files.h"
#include "report-target.h"

enum {
	NAME_LONGEST = 255,
	RANDOM_LENGTH = 6,
	TRIES = 100,
	STALL_SECONDS = 30, /* that the reader of a FIFO may take nothing */
	BUFFER_SIZE = 64 * 1024
};

struct kc_report_output {
	char *format;
	char *name; /* for messages: the path as given, or "standard output" */
	struct kc_report_target target;
	int fd; /* written to */
	int descriptor; /* that fd is a copy of; -EBADF for none */
	char *temp; /* name of the file under way, in the target's folder; NULL for none */
	int error; /* of the first write that failed: negative errno */
	bool written;
};

/* ---- --report FORMAT[=FILE] ---- */

int kc_report_spec_parse(const char *text, struct kc_err *err, struct kc_report_spec *ret_spec)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
	struct kc_report_spec spec = { 0 };

	if (n == 0 || *text == '-' || (text[n] && text[n] != '='))
		return kc_err_set(
			err, -EINVAL,
			"give a format, or FORMAT=FILE; `k8scheck list reports` has them");
	if (text[n] == '=' && !text[n + 1])
		return kc_err_set(err, -EINVAL, "the name of a file is missing after =");
	spec.format = strndup(text, n);
	if (text[n] == '=' && !kc_streq(text + n, "=-"))
		spec.path = strdup(text + n + 1);
	if (!spec.format || (!spec.path && text[n] == '=' && !kc_streq(text + n, "=-"))) {
		kc_report_spec_done(&spec);
		return kc_err_set(err, -ENOMEM, "no memory");
	}
	*ret_spec = spec;
	return 0;
}

void kc_report_spec_done(struct kc_report_spec *spec)
{
	free(spec->format);
	free(spec->path);
	*spec = (struct kc_report_spec){ 0 };
}

/* ---- opening ---- */

static int fail(const struct kc_report_output *o, struct kc_err *err, int code, const char *why)
{
	return kc_err_set(err, code, "could not write the report %s to %s: %s", o->format, o->name,
			  why);
}

static int fail_errno(const struct kc_report_output *o, struct kc_err *err, int code)
{
	if (o->target.foreign && (code == -EACCES || code == -EPERM))
		return kc_err_set(
			err, code,
			"could not write the report %s to %s: %s, with the rights of user %u, "
			"whose folder or link it is",
			o->format, o->name, kc_strerror(code), (unsigned)o->target.uid);
	if (code == -ESTALE)
		return fail(o, err, code, "it was exchanged meanwhile");
	if (code == -ETIMEDOUT && S_ISFIFO(o->target.type))
		return kc_err_set(
			err, code,
			"could not write the report %s to %s: its reader took nothing for "
			"%d s",
			o->format, o->name, STALL_SECONDS);
	return fail(o, err, code, kc_strerror(code));
}

/*
 * A copy, so that closing it asks the file system for errors that it kept back. What execve(2)
 * would have closed was not handed in: it is a descriptor of this program's own.
 */
static int open_descriptor(struct kc_report_output *o, int fd, struct kc_err *err)
{
	int flags = fcntl(fd, F_GETFL), own = fcntl(fd, F_GETFD);

	if (flags < 0 || own < 0 || own & FD_CLOEXEC)
		return fail(o, err, -EBADF, "it is closed");
	if ((flags & O_ACCMODE) == O_RDONLY || flags & O_PATH)
		return fail(o, err, -EBADF, "it is not open for writing");
	o->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (o->fd < 0)
		return fail_errno(o, err, -errno);
	o->descriptor = fd;
	return 0;
}

static int open_device(struct kc_report_output *o, struct kc_err *err)
{
	struct kc_report_rights rights;
	struct stat st;
	int r = kc_report_rights_enter(&o->target, &rights);

	if (r < 0)
		return fail_errno(o, err, r);
	o->fd = openat(o->target.dir, o->target.name,
		       O_WRONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
	r = o->fd < 0 ? -errno : 0;
	kc_report_rights_leave(&rights);
	if (r == -ENXIO && S_ISFIFO(o->target.type))
		return fail(o, err, r, "nobody reads from this FIFO");
	if (r < 0)
		return fail_errno(o, err, r);
	if (fstat(o->fd, &st) < 0 || (st.st_mode & S_IFMT) != o->target.type)
		return fail_errno(o, err, -ESTALE);
	return 0;
}

static int random_suffix(char text[RANDOM_LENGTH + 1])
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	unsigned char bytes[RANDOM_LENGTH];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -EIO;
	for (unsigned i = 0; i < RANDOM_LENGTH; i++)
		text[i] = digits[bytes[i] % (sizeof(digits) - 1)];
	text[RANDOM_LENGTH] = 0;
	return 0;
}

/* Makes .NAME.XXXXXX; the caller has taken the rights. */
static int make_temp(struct kc_report_output *o)
{
	const size_t room = NAME_LONGEST - RANDOM_LENGTH - 2;

	for (unsigned i = 0; i < TRIES; i++) {
		kc_cleanup(kc_freep) char *name = NULL;
		char suffix[RANDOM_LENGTH + 1];
		int r = random_suffix(suffix);

		if (r < 0)
			return r;
		name = kc_asprintf(".%.*s.%s", (int)room, o->target.name, suffix);
		if (!name)
			return -ENOMEM;
		o->fd = openat(o->target.dir, name,
			       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC,
			       0666);
		if (o->fd < 0 && errno == EEXIST)
			continue;
		if (o->fd < 0)
			return -errno;
		o->temp = TAKE_PTR(name);
		return 0;
	}
	return -EEXIST;
}

static void remove_temp(struct kc_report_output *o)
{
	if (o->temp)
		(void)unlinkat(o->target.dir, o->temp, 0);
	free(o->temp);
	o->temp = NULL;
	o->fd = kc_close(o->fd);
}

/*
 * Makes a file and removes it: nothing else says for sure that one can be made. It does not stay,
 * because the run between here and the report may be killed.
 */
static int probe_folder(struct kc_report_output *o, struct kc_err *err)
{
	struct kc_report_rights rights;
	int r = kc_report_rights_enter(&o->target, &rights);

	if (r < 0)
		return fail_errno(o, err, r);
	r = make_temp(o);
	remove_temp(o);
	kc_report_rights_leave(&rights);
	return r < 0 ? fail_errno(o, err, r) : 0;
}

static int open_path(struct kc_report_output *o, const char *path, struct kc_err *err)
{
	int r = kc_report_target_find(path, err, &o->target);

	if (r < 0)
		return kc_err_prefix(err, "could not write the report %s", o->format);
	if (o->target.descriptor >= 0)
		return open_descriptor(o, o->target.descriptor, err);
	if (o->target.type && !S_ISREG(o->target.type))
		return open_device(o, err);
	return probe_folder(o, err);
}

int kc_report_output_open(const struct kc_report_spec *spec, struct kc_err *err,
			  struct kc_report_output **ret_output)
{
	kc_cleanup(kc_report_output_freep) struct kc_report_output *o = calloc(1, sizeof(*o));
	int r;

	if (!o)
		return kc_err_set(err, -ENOMEM, "no memory for the report %s", spec->format);
	o->fd = o->descriptor = -EBADF;
	o->target.dir = -EBADF;
	o->format = strdup(spec->format);
	o->name = strdup(spec->path ? spec->path : "standard output");
	if (!o->format || !o->name)
		return kc_err_set(err, -ENOMEM, "no memory for the report %s", spec->format);
	if (spec->path)
		r = open_path(o, spec->path, err);
	else
		r = open_descriptor(o, STDOUT_FILENO, err);
	if (r < 0)
		return r;
	*ret_output = TAKE_PTR(o);
	return 0;
}

static bool is_file(const struct kc_report_output *o)
{
	return o->target.dir >= 0 && (!o->target.type || S_ISREG(o->target.type));
}

static bool same_name(const struct kc_report_output *a, const struct kc_report_output *b)
{
	struct stat x, y;

	return kc_streq(a->target.name, b->target.name) && fstat(a->target.dir, &x) == 0 &&
	       fstat(b->target.dir, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool stat_of(const struct kc_report_output *o, struct stat *ret_st)
{
	if (!is_file(o))
		return fstat(o->fd, ret_st) == 0;
	return o->target.type &&
	       fstatat(o->target.dir, o->target.name, ret_st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool kc_report_output_same(const struct kc_report_output *a, const struct kc_report_output *b)
{
	struct stat x, y;

	if (is_file(a) && is_file(b))
		return same_name(a, b);
	if (a->descriptor >= 0 && a->descriptor == b->descriptor)
		return true;
	return stat_of(a, &x) && stat_of(b, &y) && !S_ISCHR(x.st_mode) && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

int kc_report_output_fd(const struct kc_report_output *output)
{
	return output->temp ? -EBADF : output->fd;
}

/* ---- writing ---- */

/* Whoever opened a FIFO and does not read it is not waited for like a person at a terminal. */
static int write_fifo(int fd, const char *data, size_t size)
{
	while (size > 0) {
		struct pollfd pfd = { .fd = fd, .events = POLLOUT };
		ssize_t n = write(fd, data, size);
		int r;

		if (n >= 0) {
			data += n;
			size -= (size_t)n;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		r = poll(&pfd, 1, STALL_SECONDS * 1000);
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r == 0)
			return -ETIMEDOUT;
	}
	return 0;
}

static int write_data(struct kc_report_output *o, const char *data, size_t size)
{
	if (S_ISFIFO(o->target.type))
		return write_fifo(o->fd, data, size);
	return kc_write_all(o->fd, data, size);
}

/* The first failure is kept: stdio forgets which one it was. */
static ssize_t write_through(void *cookie, const char *data, size_t size)
{
	struct kc_report_output *o = cookie;
	int r = o->error ? o->error : write_data(o, data, size);

	if (r < 0) {
		o->error = r;
		errno = -r;
		return 0;
	}
	return (ssize_t)size;
}

static int start_file(struct kc_report_output *o, struct kc_err *err)
{
	struct kc_report_rights rights;
	struct stat st;
	int r = kc_report_rights_enter(&o->target, &rights);

	if (r < 0)
		return fail_errno(o, err, r);
	r = make_temp(o);
	/* The permissions of a file of ours stay; those of a foreign one, or of one that somebody
	 * may have given this name, were another's choice. */
	if (r == 0 && o->target.type && o->target.n_links == 1 && fstat(o->fd, &st) == 0 &&
	    st.st_uid == o->target.owner && fchmod(o->fd, o->target.mode & 0777) < 0)
		r = -errno;
	kc_report_rights_leave(&rights);
	return r < 0 ? fail_errno(o, err, r) : 0;
}

int kc_report_output_write(struct kc_report_output *o, kc_report_writer *writer,
			   const struct kc_report *report, const struct kc_report_style *style,
			   struct kc_err *err)
{
	static const cookie_io_functions_t functions = { .write = write_through };
	struct kc_err why = { 0 };
	FILE *out;
	int r;

	if (o->written)
		return fail(o, err, -EALREADY, "it was written before");
	if (is_file(o)) {
		r = start_file(o, err);
		if (r < 0)
			return r;
	}
	out = fopencookie(o, "w", functions);
	if (!out)
		return fail_errno(o, err, -ENOMEM);
	(void)setvbuf(out, NULL, _IOFBF, BUFFER_SIZE);
	r = writer(report, style, out, &why);
	if (fclose(out) != 0 && r == 0)
		r = -EIO;
	if (o->error)
		return fail_errno(o, err, o->error);
	if (r < 0)
		return fail(o, err, r, *why.text ? why.text : kc_strerror(r));
	o->written = true;
	return 0;
}

/* What a rename would take away, and what was not there before the rules were judged. */
static bool is_exchanged(const struct kc_report_output *o)
{
	struct stat st;

	return fstatat(o->target.dir, o->target.name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       !S_ISREG(st.st_mode);
}

static int put_in_place(struct kc_report_output *o)
{
	struct kc_report_rights rights;
	int folder, r;

	if (fsync(o->fd) < 0)
		return -errno;
	r = close(o->fd) < 0 ? -errno : 0;
	o->fd = -EBADF;
	if (r < 0)
		return r;
	r = kc_report_rights_enter(&o->target, &rights);
	if (r < 0)
		return r;
	if (is_exchanged(o)) {
		r = -ESTALE;
	} else if (renameat(o->target.dir, o->temp, o->target.dir, o->target.name) < 0) {
		r = -errno;
	} else {
		free(o->temp);
		o->temp = NULL;
		/* A folder that may be written and not read cannot be synchronized; the file is
		 * there all the same. */
		folder = openat(o->target.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (folder >= 0)
			(void)fsync(folder);
		(void)kc_close(folder);
	}
	kc_report_rights_leave(&rights);
	return r;
}

int kc_report_output_commit(struct kc_report_output *o, struct kc_err *err)
{
	int r = 0;

	if (!o->written)
		return fail(o, err, -EINVAL, "it was not made");
	if (is_file(o)) {
		r = put_in_place(o);
	} else {
		if (close(o->fd) < 0)
			r = -errno;
		o->fd = -EBADF;
	}
	o->written = false;
	return r < 0 ? fail_errno(o, err, r) : 0;
}

void kc_report_output_free(struct kc_report_output *o)
{
	struct kc_report_rights rights;

	if (!o)
		return;
	if (o->temp && kc_report_rights_enter(&o->target, &rights) == 0) {
		remove_temp(o);
		kc_report_rights_leave(&rights);
	}
	kc_closep(&o->fd);
	kc_report_target_done(&o->target);
	free(o->temp);
	free(o->format);
	free(o->name);
	free(o);
}
