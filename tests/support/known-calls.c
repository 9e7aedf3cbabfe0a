/* SPDX-License-Identifier: Apache-2.0 */
/*
 * known-calls FOLDER [LIMIT]: makes system calls that change FOLDER, one after the other, with
 * others between them that change nothing; with LIMIT, no more than so many. Prints what each
 * returned, or minus its errno. With "threads" for LIMIT: one file from a thread, one from a child.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/num.h"

struct state {
	uint64_t done;
	uint64_t limit;
	int file; /* -1 where it could not be opened */
};

/* Whether one more call may be made. */
static bool more(struct state *s)
{
	if (s->done >= s->limit)
		return false;
	s->done++;
	return true;
}

static void tell(const char *what, long result)
{
	printf("%s %ld\n", what, result < 0 ? -errno : result);
}

/* A call that changes something. */
#define DO(s, what, call)                   \
	do {                                \
		if (more(s))                \
			tell(what, (call)); \
	} while (0)

/* None of these may be counted. */
static void change_nothing(const struct state *s)
{
	int pipes[2], memory = memfd_create("known", MFD_CLOEXEC);
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int file = open("file", O_RDONLY | O_CLOEXEC);
	void *map;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return;
	if (write(pipes[1], "pipe", 4) != 4 || write(memory, "memory", 6) != 6 ||
	    write(null, "null", 4) != 4)
		tell("nothing", -1);
	(void)ioctl(file, FS_IOC_GETFLAGS, &(int){ 0 });
	(void)fcntl(file, F_GETFD);
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
	if (map != MAP_FAILED)
		(void)munmap(map, 4096);
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	if (map != MAP_FAILED)
		(void)munmap(map, 4096);
	(void)flock(file, LOCK_SH);
	(void)fcntl(file, F_SETLEASE, F_UNLCK);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	(void)close(memory);
	(void)close(null);
	(void)close(file);
}

static void change_content(struct state *s)
{
	char text[] = "one two three ";
	struct iovec vector[] = {
		{ .iov_base = text, .iov_len = 4 },
		{ .iov_base = text + 4, .iov_len = 4 },
		{ .iov_base = text + 8, .iov_len = 6 },
	};
	loff_t at = 0;

	DO(s, "write", write(s->file, "twelve bytes", 12));
	DO(s, "writev", writev(s->file, vector, 3));
	/* The caller's own bytes are as they were. */
	if (vector[0].iov_len != 4 || vector[1].iov_len != 4 || vector[2].iov_len != 6)
		printf("vector was changed\n");
	DO(s, "pwrite", pwrite(s->file, "T", 1, 0));
	DO(s, "fallocate", fallocate(s->file, 0, 0, 64));
	DO(s, "ftruncate", ftruncate(s->file, 32));
	DO(s, "copy_file_range", copy_file_range(s->file, &at, s->file, &(loff_t){ 40 }, 8, 0));
	DO(s, "fsync", fsync(s->file));
}

static void change_attributes(struct state *s)
{
	struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 2, .tv_nsec = 3 } };
	int flags = 0;

	/* The file system's own stay as they are. */
	(void)ioctl(s->file, FS_IOC_GETFLAGS, &flags);
	flags |= FS_NODUMP_FL;
	DO(s, "fchmod", fchmod(s->file, 0640));
	DO(s, "fchown", fchown(s->file, getuid(), getgid()));
	DO(s, "fsetxattr", fsetxattr(s->file, "user.known", "value", 5, 0));
	DO(s, "ioctl", ioctl(s->file, FS_IOC_SETFLAGS, &flags));
	DO(s, "utimensat", utimensat(AT_FDCWD, "file", times, 0));
	DO(s, "lremovexattr", lremovexattr("file", "user.known"));
}

static int open_by_how(const char *path, uint64_t flags, uint64_t mode)
{
	const struct {
		uint64_t flags, mode, resolve;
	} how = { .flags = flags | O_CLOEXEC, .mode = mode };

	return (int)syscall(437 /* openat2 */, AT_FDCWD, path, &how, sizeof(how));
}

/* Kernels before 5.6 have none, and others may hide it. To open what is there changes nothing. */
static void change_by_how(struct state *s)
{
	int fd = open_by_how(".", O_RDONLY, 0);

	if (fd < 0 || !more(s)) {
		(void)kc_close(fd);
		return;
	}
	(void)close(fd);
	fd = open_by_how("other", O_WRONLY | O_CREAT | O_EXCL, 0600);
	tell("openat2", fd < 0 ? fd : 0);
	(void)kc_close(fd);
}

static void change_names(struct state *s)
{
	DO(s, "mkdirat", mkdirat(AT_FDCWD, "folder", 0700));
	DO(s, "linkat", linkat(AT_FDCWD, "file", AT_FDCWD, "folder/link", 0));
	DO(s, "symlinkat", symlinkat("file", AT_FDCWD, "symbolic"));
	DO(s, "renameat2",
	   (int)syscall(SYS_renameat2, AT_FDCWD, "folder/link", AT_FDCWD, "moved",
			1 /* RENAME_NOREPLACE */));
	DO(s, "unlinkat", unlinkat(AT_FDCWD, "symbolic", 0));
	DO(s, "unlinkat", unlinkat(AT_FDCWD, "folder", AT_REMOVEDIR));
}

static void change_by_memory_and_name(struct state *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	void *map = MAP_FAILED;

	DO(s, "bind", bind(fd, (struct sockaddr *)&a, sizeof(a)));
	if (more(s)) {
		map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, s->file, 0);
		tell("mmap", map == MAP_FAILED ? -1 : 0);
	}
	if (map != MAP_FAILED)
		(void)munmap(map, 4096);
	(void)close(fd);
}

static void *make_file(void *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0)
		(void)close(fd);
	return NULL;
}

static int make_files_elsewhere(void)
{
	char of_thread[] = "of-thread", of_child[] = "of-child";
	pthread_t thread;
	pid_t pid;

	if (pthread_create(&thread, NULL, make_file, of_thread) != 0)
		return 1;
	(void)pthread_join(thread, NULL);
	pid = fork();
	if (pid == 0) {
		(void)make_file(of_child);
		_exit(0);
	}
	return waitpid(pid, NULL, 0) == pid ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct state s = { .limit = UINT64_MAX, .file = -1 };

	/* Only pipes are written to and not counted, and a buffer makes one write of all. */
	if (argc < 2 || chdir(argv[1]) < 0)
		return 2;
	if (argc > 2 && !strcmp(argv[2], "threads"))
		return make_files_elsewhere();
	if (argc > 2 && kc_parse_u64(argv[2], &s.limit) < 0)
		return 2;
	(void)umask(022);
	change_nothing(&s);
	if (more(&s)) {
		s.file = open("file", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		tell("open", s.file < 0 ? s.file : 0);
	}
	change_nothing(&s);
	change_content(&s);
	change_attributes(&s);
	change_names(&s);
	change_by_how(&s);
	change_by_memory_and_name(&s);
	return 7;
}
