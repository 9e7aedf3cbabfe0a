/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A root with every kind of file in it, for the tests of checker/sys/root.h. */
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "sys/root.h"

enum {
	NOBODY = 65534
};

/* A folder with a root in it, and things outside the root that nothing may reach. */
struct place {
	char top[64];
	char *root, *outside;
};

static inline char *in(const char *dir, const char *name)
{
	char *path = kc_asprintf("%s/%s", dir, name);

	assert_non_null(path);
	return path;
}

static inline void put(const char *dir, const char *name, const char *text)
{
	kc_cleanup(kc_freep) char *path = in(dir, name);
	kc_cleanup(kc_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(kc_write_all(fd, text, strlen(text)), 0);
}

static inline void folder(const char *dir, const char *name)
{
	kc_cleanup(kc_freep) char *path = in(dir, name);

	assert_int_equal(mkdir(path, 0755), 0);
}

static inline void link_to(const char *dir, const char *name, const char *target)
{
	kc_cleanup(kc_freep) char *path = in(dir, name);

	assert_int_equal(symlink(target, path), 0);
}

/* Chains NAME0 to NAME1 to … to a file, by n links. */
static inline void chain(const char *dir, const char *name, unsigned n)
{
	char from[32], to[32];

	for (unsigned i = 0; i < n; i++) {
		snprintf(from, sizeof(from), "%s%u", name, i);
		snprintf(to, sizeof(to), "%s%u", name, i + 1);
		link_to(dir, from, i + 1 == n ? "etc/hostname" : to);
	}
}

static inline void make_socket(const char *dir, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", dir, name);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

static inline int set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct place *p = calloc(1, sizeof(*p));
	kc_cleanup(kc_freep) char *fifo = NULL;
	kc_cleanup(kc_freep) char *shut = NULL;
	kc_cleanup(kc_freep) char *mine = NULL;
	kc_cleanup(kc_freep) char *secret = NULL;

	assert_non_null(p);
	snprintf(p->top, sizeof(p->top), "%s/kc-root-XXXXXX",
		 tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	assert_non_null(mkdtemp(p->top));
	assert_int_equal(chmod(p->top, 0755), 0);
	folder(p->top, "root");
	folder(p->top, "outside");
	p->root = in(p->top, "root");
	p->outside = in(p->top, "outside");
	put(p->outside, "secret", "outside");
	secret = in(p->outside, "secret");

	folder(p->root, "etc");
	folder(p->root, "etc/sub");
	put(p->root, "etc/hostname", "inside");
	put(p->root, "etc/sub/file", "deep");
	link_to(p->root, "etc/absolute", "/etc/hostname");
	link_to(p->root, "etc/relative", "hostname");
	link_to(p->root, "etc/above", "../../../../../etc/hostname");
	link_to(p->root, "etc/dotted", "./sub/.././/hostname");
	link_to(p->root, "outward", p->outside);
	link_to(p->root, "outfile", secret);
	link_to(p->root, "climb", "../outside/secret");
	link_to(p->root, "loop1", "loop2");
	link_to(p->root, "loop2", "loop1");
	link_to(p->root, "self", "self");
	link_to(p->root, "here", ".");
	link_to(p->root, "top", "/");
	link_to(p->root, "dangling", "/nowhere/at/all");
	link_to(p->root, "folder", "etc");
	link_to(p->root, "slashed", "etc/hostname/");
	link_to(p->root, "slashed-folder", "etc/");
	chain(p->root, "c", 40);
	chain(p->root, "d", 41);
	fifo = in(p->root, "fifo");
	assert_int_equal(mkfifo(fifo, 0644), 0);
	make_socket(p->root, "socket");
	folder(p->root, "shut");
	put(p->root, "shut/file", "shut");
	shut = in(p->root, "shut");
	assert_int_equal(chmod(shut, 0700), 0);
	put(p->root, "private", "mine");
	mine = in(p->root, "private");
	assert_int_equal(chmod(mine, 0600), 0);
	*state = p;
	return 0;
}

static inline int tear_down(void **state)
{
	struct place *p = *state;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execlp("rm", "rm", "-rf", "--", p->top, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	free(p->root);
	free(p->outside);
	free(p);
	return 0;
}

static inline struct kc_root *open_root(const char *path, unsigned flags)
{
	struct kc_root *root;

	assert_int_equal(kc_root_open(path, flags, NULL, &root), 0);
	return root;
}

/* Both ways to resolve a path: the kernel's and the walk. */
static const unsigned ways[] = { 0, KC_ROOT_NO_OPENAT2 };

/*
 * Runs a test body in a child, which may give up privileges, change its namespace, or take a filter
 * on. The body returns 0 when all is well, 77 to skip, and anything else when not.
 */
static inline void in_child(int (*body)(struct place *p), struct place *p)
{
	pid_t pid;
	int status;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* An assertion that fails would jump back and run the parent's tests again. */
		setenv("CMOCKA_TEST_ABORT", "1", 1);
		_exit(body(p));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define MUST(condition)                                                                 \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			return 1;                                                       \
		}                                                                       \
	} while (0)

static inline int read_text(struct kc_root *root, const char *path, char *text, size_t size)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	int r = kc_root_read(root, path, size - 1, NULL, &b);

	snprintf(text, size, "%s", r == 0 && b.data ? b.data : "");
	return r;
}

/* Every path at once: the same object or the same errno both ways, followed or not. */
static inline void compare_ways(const char *dir, unsigned flags, const char *const *paths, size_t n)
{
	kc_cleanup(kc_root_freep) struct kc_root *one = open_root(dir, flags);
	kc_cleanup(kc_root_freep) struct kc_root *two = open_root(dir, flags | KC_ROOT_NO_OPENAT2);

	for (size_t i = 0; i < 2 * n; i++) {
		struct kc_stat a = { .size_of = sizeof(a) }, b = { .size_of = sizeof(b) };
		const char *path = paths[i / 2];
		unsigned how = i % 2 ? KC_NOFOLLOW : 0;
		int r = kc_root_stat(one, path, how, NULL, &a);
		int q = kc_root_stat(two, path, how, NULL, &b);

		if (r != q)
			fail_msg("%s (%u): %d by openat2, %d by the walk", path, how, r, q);
		if (r == 0 && (a.inode != b.inode || a.device != b.device || a.type != b.type))
			fail_msg("%s (%u): different files", path, how);
	}
}

static inline int own_namespace(void)
{
	if (unshare(CLONE_NEWNS) < 0)
		return -errno;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? -errno : 0;
}

#define PLACE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
