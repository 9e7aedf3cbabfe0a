/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "silent-fs.h"
#include "sys/layers.h"
#include "sys/mountinfo-line.h"

/*
 * Mounts of a namespace of the test's own, made read-only by mount_setattr(2) and, on a kernel that
 * seems to lack it, one after another. Each test is a process, for what it does is for good.
 */

/* A name that the host mounts nothing at, in a folder that hides the host's. */
#define PLACE "/tmp/kc-layer-mounts"

enum {
	SKIPPED = 77,
	MANY = 3000,
	PATIENCE_USEC = 200 * 1000,
	/* On a slow machine: 17 ms were measured for as many. */
	MANY_USEC = 5 * 1000 * 1000,
};

static const struct kind {
	const char *name;
	unsigned long flags;
	const char *has; /* among its options, once it is read-only */
} kinds[] = {
	{ "plain", 0, ",relatime," },
	{ "nosuid", MS_NOSUID, ",nosuid," },
	{ "noexec", MS_NOEXEC, ",noexec," },
	{ "nodev", MS_NODEV, ",nodev," },
	{ "noatime", MS_NOATIME, ",noatime," },
	{ "nodiratime", MS_NODIRATIME | MS_RELATIME, ",nodiratime,relatime," },
	{ "strictatime", MS_STRICTATIME, "ro," },
	{ "strict-nodiratime", MS_STRICTATIME | MS_NODIRATIME, ",nodiratime," },
	{ "ro", MS_RDONLY, "ro," },
	{ "all", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME, ",nosuid,nodev,noexec,noatime," },
	{ "two words\n", MS_NOSUID, ",nosuid," },
};

/* cmocka's assertions leave by a jump, which a forked process must not. */
#define MUST(condition)                                                                   \
	do {                                                                              \
		if (!(condition)) {                                                       \
			(void)fprintf(stderr, "line %d: %s (%s)\n", __LINE__, #condition, \
				      strerror(errno));                                   \
			_exit(1);                                                         \
		}                                                                         \
	} while (0)

static void in_process(int (*body)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(body());
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
		skip();
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A namespace with an empty PLACE; it takes root, and a root that is a mount. */
static bool begin(void)
{
	if (unshare(CLONE_NEWNS) < 0)
		return false;
	/* A chroot whose root is no mount has no propagation to change. */
	if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 && errno == EINVAL)
		return false;
	MUST(mount("none", "/tmp", "tmpfs", 0, "mode=0755") == 0);
	MUST(mkdir(PLACE, 0755) == 0);
	MUST(mount("none", PLACE, "tmpfs", 0, "mode=0755") == 0);
	return true;
}

static void lose_mount_setattr(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 442, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = KC_ARRAY_SIZE(code), .filter = code };

	MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void mount_one(const char *path, unsigned long flags)
{
	MUST(mkdir(path, 0755) == 0);
	MUST(mount(PLACE, path, "none", MS_BIND, NULL) == 0);
	if (flags)
		MUST(mount("none", path, "none", MS_REMOUNT | MS_BIND | flags, NULL) == 0);
}

static void mount_kinds(void)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(kinds); i++) {
		char path[128];

		(void)snprintf(path, sizeof(path), PLACE "/%s", kinds[i].name);
		mount_one(path, kinds[i].flags);
	}
}

static void read_mounts(struct kc_buf *text)
{
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

	MUST(fd >= 0 && kc_read_all(fd, 64 * 1024 * 1024, text) >= 0 && text->data);
	(void)close(fd);
}

/* The options of a mount, with a comma behind; path as mountinfo has it. */
static void options_of(const char *mounts, const char *path, char *options, size_t size)
{
	char pattern[160];
	const char *p;

	(void)snprintf(pattern, sizeof(pattern), " %s ", path);
	p = strstr(mounts, pattern);
	MUST(p);
	p += strlen(pattern);
	(void)snprintf(options, size, "%.*s,", (int)strcspn(p, " "), p);
}

/* A table of mounts, and its text. */
struct table {
	struct kc_buf text;
	struct kc_mountinfo_line *lines;
	size_t n;
};

static void read_table(struct table *t)
{
	char *rest;

	*t = (struct table){ 0 };
	read_mounts(&t->text);
	t->lines = calloc(t->text.len, sizeof(*t->lines));
	MUST(t->lines);
	rest = t->text.data;
	while (kc_mountinfo_next(&rest, t->lines + t->n) == 1)
		t->n++;
	MUST(t->n > 0 && !*rest);
}

static void table_done(struct table *t)
{
	kc_buf_done(&t->text);
	free(t->lines);
}

/* Something lies on it, or on a folder above it: by the tree of mounts, not by asking for a path.
 */
static bool is_covered(const struct table *t, const struct kc_mountinfo_line *line)
{
	const struct kc_mountinfo_line *parent = NULL;
	size_t length;

	for (size_t i = 0; i < t->n; i++) {
		if (t->lines[i].parent == line->id && t->lines[i].id != line->id &&
		    strcmp(t->lines[i].point, line->point) == 0 && strcmp(line->point, "/") != 0)
			return true;
		if (t->lines[i].id == line->parent)
			parent = t->lines + i;
	}
	while (parent && parent != line && strcmp(line->point, "/") != 0) {
		const struct kc_mountinfo_line *above = NULL;

		for (size_t i = 0; i < t->n; i++) {
			const struct kc_mountinfo_line *other = t->lines + i;

			length = strlen(other->point);
			if (other->parent == parent->id && other->id != line->id &&
			    strcmp(other->point, "/") != 0 &&
			    strncmp(line->point, other->point, length) == 0 &&
			    (line->point[length] == '/' || !line->point[length]))
				return true;
			if (other->id == parent->parent)
				above = other;
		}
		line = parent;
		parent = above;
	}
	return false;
}

/* Each mount has what it had and is read-only besides, but those that no path leads to: these are
 * as they were. Returns how many. */
static unsigned hold_flags(const struct table *before, const struct table *after,
			   unsigned long wanted, bool all)
{
	unsigned n_covered = 0;

	MUST(before->n == after->n);
	for (size_t i = 0; i < before->n; i++) {
		const struct kc_mountinfo_line *line = before->lines + i;
		bool left = !all && is_covered(before, line) && (line->flags & wanted) != wanted;

		MUST(strcmp(line->point, after->lines[i].point) == 0);
		if (after->lines[i].flags != (left ? line->flags : line->flags | wanted)) {
			(void)fprintf(stderr, "%s: %lx is %lx\n", line->point, line->flags,
				      after->lines[i].flags);
			_exit(1);
		}
		n_covered += left;
	}
	return n_covered;
}

static unsigned count(const char *text, const char *part)
{
	unsigned n = 0;

	while (text && (text = strstr(text, part))) {
		text += strlen(part);
		n++;
	}
	return n;
}

/* Those that are left are said, and to be beneath others. */
static void hold_left(const struct kc_buf *left, unsigned n_left, unsigned n_covered)
{
	MUST(n_left == n_covered);
	if (n_left <= 16)
		MUST(count(left->data, " beneath another mount") == n_left);
}

static int hold_kinds(bool no_devices, bool loop)
{
	const unsigned long wanted = MS_RDONLY | (no_devices ? MS_NODEV : 0);
	struct kc_buf mounts = { 0 }, left = { 0 };
	struct table before, after;
	unsigned n_left = 99;

	if (!begin())
		return SKIPPED;
	mount_kinds();
	if (loop)
		lose_mount_setattr();
	MUST(kc_layer_mounts(NULL) == 0);
	read_table(&before);
	MUST(kc_layer_read_only(no_devices, PATIENCE_USEC, &left, &n_left, NULL) == 0);
	read_table(&after);
	hold_left(&left, n_left, hold_flags(&before, &after, wanted, !loop));
	MUST(!strstr(left.data ? left.data : "", PLACE));
	table_done(&before);
	table_done(&after);
	read_mounts(&mounts);
	for (size_t i = 0; i < KC_ARRAY_SIZE(kinds); i++) {
		bool words = strchr(kinds[i].name, ' ');
		char path[128], options[256];

		(void)snprintf(path, sizeof(path), PLACE "/%s",
			       words ? "two\\040words\\012" : kinds[i].name);
		options_of(mounts.data, path, options, sizeof(options));
		MUST(strncmp(options, "ro,", 3) == 0);
		MUST(strstr(options, kinds[i].has));
		MUST(!no_devices == !strstr(options, ",nodev,") || kinds[i].flags & MS_NODEV);
		/* What it was not, it has not become. */
		MUST(!strstr(options, ",noexec,") == !(kinds[i].flags & MS_NOEXEC));
		MUST(!strstr(options, ",nosuid,") == !(kinds[i].flags & MS_NOSUID));
	}
	MUST(open(PLACE "/plain/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0 && errno == EROFS);
	MUST(open(PLACE "/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0 && errno == EROFS);
	MUST((open("/dev/null", O_RDONLY | O_CLOEXEC) < 0) == no_devices);
	kc_buf_done(&mounts);
	kc_buf_done(&left);
	return 0;
}

static int kinds_at_once(void)
{
	return hold_kinds(true, false);
}

static int kinds_by_loop(void)
{
	return hold_kinds(true, true);
}

static int kinds_with_devices(void)
{
	return hold_kinds(false, true);
}

static void test_kinds(void **state)
{
	(void)state;
	in_process(kinds_at_once);
}

static void test_kinds_by_loop(void **state)
{
	(void)state;
	in_process(kinds_by_loop);
}

static void test_devices_stay(void **state)
{
	(void)state;
	in_process(kinds_with_devices);
}

static int hold_many(bool loop)
{
	struct kc_buf mounts = { 0 };
	unsigned n_left = 99, n = 0;
	uint64_t start, between, end;
	char *save = NULL;

	if (!begin())
		return SKIPPED;
	for (int i = 0; i < MANY; i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), PLACE "/%d", i);
		mount_one(path, 0);
	}
	if (loop)
		lose_mount_setattr();
	start = kc_now_usec();
	MUST(kc_layer_mounts(NULL) == 0);
	between = kc_now_usec();
	MUST(kc_layer_read_only(true, PATIENCE_USEC, NULL, &n_left, NULL) == 0);
	end = kc_now_usec();
	read_mounts(&mounts);
	for (char *s = strtok_r(mounts.data, "\n", &save); s; s = strtok_r(NULL, "\n", &save)) {
		char *options = strstr(s, " " PLACE "/");

		if (!options)
			continue;
		n++;
		options = strchr(options + 1, ' ');
		MUST(options && strncmp(options, " ro,nodev,", 10) == 0);
	}
	MUST(n == MANY);
	(void)printf("%d mounts %s: namespace %llu us, read-only %llu us\n", MANY,
		     loop ? "one after another" : "by mount_setattr",
		     (unsigned long long)(between - start), (unsigned long long)(end - between));
	(void)fflush(stdout);
	MUST(end - start < MANY_USEC);
	kc_buf_done(&mounts);
	return 0;
}

static int many_at_once(void)
{
	return hold_many(false);
}

static int many_by_loop(void)
{
	return hold_many(true);
}

static void test_many(void **state)
{
	(void)state;
	in_process(many_at_once);
}

static void test_many_by_loop(void **state)
{
	(void)state;
	in_process(many_by_loop);
}

/* What the host unmounts goes here as well, and what happens here does not reach the host. */
static int slave(void)
{
	int go[2], gone[2], status;
	struct kc_buf mounts = { 0 };
	unsigned n_left;
	char byte;
	pid_t pid;

	if (!begin())
		return SKIPPED;
	MUST(mount("none", "/", "none", MS_REC | MS_SHARED, NULL) == 0);
	MUST(mkdir(PLACE "/volume", 0755) == 0);
	MUST(mount("none", PLACE "/volume", "tmpfs", 0, NULL) == 0);
	MUST(pipe(go) == 0 && pipe(gone) == 0);
	pid = fork();
	MUST(pid >= 0);
	if (pid == 0) {
		MUST(kc_layer_mounts(NULL) == 0);
		MUST(kc_layer_read_only(true, PATIENCE_USEC, NULL, &n_left, NULL) == 0);
		MUST(write(go[1], "x", 1) == 1 && read(gone[0], &byte, 1) == 1);
		read_mounts(&mounts);
		MUST(!strstr(mounts.data, " " PLACE "/volume "));
		_exit(0);
	}
	MUST(read(go[0], &byte, 1) == 1);
	read_mounts(&mounts);
	MUST(strstr(mounts.data, " " PLACE "/volume rw,"));
	MUST(umount(PLACE "/volume") == 0);
	MUST(write(gone[1], "x", 1) == 1);
	MUST(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	kc_buf_done(&mounts);
	return 0;
}

static void test_slave(void **state)
{
	(void)state;
	in_process(slave);
}

static void mount_at(const char *path, unsigned long flags)
{
	MUST(mkdir(path, 0755) == 0 || errno == EEXIST);
	MUST(mount("none", path, "tmpfs", flags, "mode=0755") == 0);
}

static bool may_write(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	MUST(fd >= 0 || errno == EROFS);
	return fd >= 0 && close(fd) == 0;
}

/* On one another, below a folder that is covered, and on the root itself, to which "/.." leads. */
static void mount_covered(void)
{
	mount_at(PLACE "/twice", MS_NOSUID);
	mount_at(PLACE "/twice", MS_NOEXEC);
	mount_at(PLACE "/thrice", MS_NOSUID);
	mount_at(PLACE "/thrice", MS_NOATIME);
	mount_at(PLACE "/thrice", MS_NODEV);
	MUST(mkdir(PLACE "/above", 0755) == 0);
	mount_at(PLACE "/above/same", MS_NOSUID);
	mount_at(PLACE "/above/gone", MS_NOSUID);
	MUST(mount("none", PLACE "/above", "tmpfs", 0, "mode=0755") == 0);
	mount_at(PLACE "/above/same", MS_NOEXEC);
	MUST(mount("none", "/", "tmpfs", 0, "mode=0755") == 0);
	MUST(may_write("/../on-root"));
}

static int covered(void)
{
	static const char *const names[] = { PLACE "/twice beneath another mount",
					     PLACE "/thrice beneath another mount",
					     PLACE "/above/same beneath another mount",
					     PLACE "/above/gone beneath another mount" };
	struct table before, after;
	struct kc_buf left = { 0 };
	unsigned n_left = 99;

	if (!begin())
		return SKIPPED;
	mount_covered();
	lose_mount_setattr();
	MUST(kc_layer_mounts(NULL) == 0);
	read_table(&before);
	MUST(kc_layer_read_only(true, PATIENCE_USEC, &left, &n_left, NULL) == 0);
	read_table(&after);
	hold_left(&left, n_left, hold_flags(&before, &after, MS_RDONLY | MS_NODEV, false));
	for (size_t i = 0; i < KC_ARRAY_SIZE(names); i++)
		MUST(count(left.data, names[i]) == (strstr(names[i], "thrice") ? 2 : 1));
	MUST(!may_write(PLACE "/twice/new") && !may_write(PLACE "/thrice/new"));
	MUST(!may_write(PLACE "/above/new") && !may_write(PLACE "/above/same/new"));
	MUST(!may_write("/new") && !may_write("/../new"));
	/* Why they are said: who takes the upper one away brings the lower one to light. */
	MUST(umount(PLACE "/twice") == 0);
	MUST(may_write(PLACE "/twice/new"));
	table_done(&before);
	table_done(&after);
	kc_buf_done(&left);
	return 0;
}

static void test_covered(void **state)
{
	(void)state;
	in_process(covered);
}

/* More than a report has room to name. */
static int many_covered(void)
{
	struct kc_buf left = { 0 };
	unsigned n_left = 0;

	if (!begin())
		return SKIPPED;
	for (int i = 0; i < 200; i++)
		mount_at(PLACE "/pile", 0);
	lose_mount_setattr();
	MUST(kc_layer_mounts(NULL) == 0);
	MUST(kc_layer_read_only(true, PATIENCE_USEC, &left, &n_left, NULL) == 0);
	MUST(n_left >= 199 && left.len < 16 * 128);
	MUST(strstr(left.data, " more"));
	kc_buf_done(&left);
	return 0;
}

static void test_many_covered(void **state)
{
	(void)state;
	in_process(many_covered);
}

/* Serves a file system at a folder, until this process ends; 0 where there is none to be had. */
static pid_t start_silent(const char *path)
{
	int fd = silent_fs_mount(path);
	pid_t pid = fd < 0 ? 0 : fork();

	MUST(pid >= 0);
	if (fd >= 0 && pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		silent_fs_serve(fd);
	}
	(void)kc_close(fd);
	return pid;
}

/* What lies below a mount whose server is dead is given up, named, and nobody waits for longer. */
static int hung(uint64_t patience_usec)
{
	struct kc_buf left = { 0 };
	struct table after;
	unsigned n_left = 99, n_read_only = 0;
	uint64_t took;
	pid_t server;

	if (!begin())
		return SKIPPED;
	MUST(mkdir(PLACE "/hung", 0755) == 0);
	server = start_silent(PLACE "/hung");
	if (server == 0)
		return SKIPPED;
	for (int i = 0; i < 8; i++)
		MUST(mount("none", PLACE "/hung/below", "tmpfs", 0, NULL) == 0);
	mount_at(PLACE "/later", 0);
	MUST(kill(server, SIGUSR1) == 0);
	lose_mount_setattr();
	MUST(kc_layer_mounts(NULL) == 0);
	took = kc_now_usec();
	MUST(kc_layer_read_only(true, patience_usec, &left, &n_left, NULL) == 0);
	took = kc_now_usec() - took;
	/* Each of a few, and then none any more. */
	MUST(took >= 5 * patience_usec && took < 5 * patience_usec + 1000 * 1000);
	MUST(n_left >= 8 && count(left.data, PLACE "/hung/below") == 8);
	read_table(&after);
	for (size_t i = 0; i < after.n; i++) {
		const char *point = after.lines[i].point;
		bool below = strcmp(point, PLACE "/hung/below") == 0;

		if (strncmp(point, PLACE "/", strlen(PLACE "/")) != 0)
			continue;
		if (patience_usec > 0 || strstr(point, "hung") == NULL)
			MUST(!(after.lines[i].flags & MS_RDONLY) == below);
		n_read_only += after.lines[i].flags & MS_RDONLY;
	}
	MUST(n_read_only == (patience_usec > 0 ? 2 : 1));
	/* What waits is nobody's here. */
	MUST(waitpid(-1, NULL, WNOHANG) == 0 && kill(server, SIGKILL) == 0);
	MUST(waitpid(-1, NULL, 0) == server && waitpid(-1, NULL, WNOHANG) < 0);
	table_done(&after);
	kc_buf_done(&left);
	return 0;
}

static int hung_for_a_while(void)
{
	return hung(PATIENCE_USEC);
}

static int hung_untried(void)
{
	return hung(0);
}

static void test_hung(void **state)
{
	(void)state;
	in_process(hung_for_a_while);
}

static void test_hung_untried(void **state)
{
	(void)state;
	in_process(hung_untried);
}

/* In a chroot "/" is no mount, and nothing of it can be had; it is said. */
static int in_chroot(void)
{
	struct kc_err err = { 0 };

	if (!begin())
		return SKIPPED;
	MUST(mkdir(PLACE "/root", 0755) == 0);
	MUST(chroot(PLACE "/root") == 0 && chdir("/") == 0);
	MUST(kc_layer_mounts(&err) == -EINVAL);
	MUST(strstr(err.text, "chroot"));
	return 0;
}

static void test_chroot(void **state)
{
	(void)state;
	in_process(in_chroot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),	     cmocka_unit_test(test_kinds_by_loop),
		cmocka_unit_test(test_devices_stay), cmocka_unit_test(test_many),
		cmocka_unit_test(test_many_by_loop), cmocka_unit_test(test_slave),
		cmocka_unit_test(test_hung),	     cmocka_unit_test(test_hung_untried),
		cmocka_unit_test(test_covered),	     cmocka_unit_test(test_many_covered),
		cmocka_unit_test(test_chroot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
