/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#include "root-place.h"

static int mount_proc(struct place *p)
{
	kc_cleanup(kc_freep) char *proc = in(p->root, "proc");

	if (own_namespace() < 0 || mkdir(proc, 0755) < 0)
		return -1;
	return mount("proc", proc, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

/* Mounts and unmounts in a namespace of its own, without a pause, until it is killed. */
static pid_t start_mounting(const char *path)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent || own_namespace() < 0)
		_exit(1);
	while (mount("none", path, "tmpfs", 0, NULL) == 0 && umount2(path, MNT_DETACH) == 0)
		;
	_exit(1);
}

/* A kernel may begin a path anew when something is mounted, wherever that is, and count its links
 * twice. */
static void test_links_while_others_mount(void **state)
{
	struct place *p = *state;
	kc_cleanup(kc_root_freep) struct kc_root *root = open_root(p->root, KC_ROOT_LIVE);
	kc_cleanup(kc_freep) char *over = in(p->outside, "over");
	pid_t pid;
	char text[64];
	int r = 0, status;

	folder(p->outside, "over");
	pid = start_mounting(over);
	assert_true(pid > 0);
	for (unsigned i = 0; r == 0 && i < 5000; i++)
		r = read_text(root, "/c0", text, sizeof(text));
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* Who may not mount has nothing to try. */
	if (WIFEXITED(status))
		skip();
	assert_int_equal(r, 0);
	assert_int_equal(read_text(root, "/d0", text, sizeof(text)), -ELOOP);
}

static int procfs_offline(struct place *p)
{
	static const char *const paths[] = { "/proc",	       "/proc/self/status",
					     "/proc/version",  "/proc/sys/kernel/osrelease",
					     "/proc/self/exe", "/proc/self/root/etc/hostname",
					     "/run/version" };
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_strings names;
	char text[4096];

	if (mount_proc(p) < 0)
		return 77;
	folder(p->root, "run");
	link_to(p->root, "run/version", "/proc/version");
	for (size_t w = 0; w < KC_ARRAY_SIZE(ways); w++) {
		struct kc_root *root;

		MUST(kc_root_open(p->root, ways[w], NULL, &root) == 0);
		MUST(read_text(root, "/proc/version", text, sizeof(text)) == -EOPNOTSUPP);
		MUST(read_text(root, "/run/version", text, sizeof(text)) == -EOPNOTSUPP);
		MUST(read_text(root, "/proc/self/root/etc/hostname", text, sizeof(text)) == -ELOOP);
		MUST(kc_root_list(root, "/proc", &arena, NULL, &names) == -EOPNOTSUPP);
		kc_root_free(root);
	}
	compare_ways(p->root, 0, paths, KC_ARRAY_SIZE(paths));
	return 0;
}

static void test_procfs_offline(void **state)
{
	in_child(procfs_offline, *state);
}

static int procfs_live(struct place *p)
{
	static const char *const paths[] = { "/proc",
					     "/proc/self",
					     "/proc/self/",
					     "/proc/self/status",
					     "/proc/self/exe",
					     "/proc/self/cwd",
					     "/proc/self/cwd/",
					     "/proc/self/root",
					     "/proc/self/root/etc",
					     "/proc/self/fd",
					     "/proc/self/fd/0",
					     "/proc/self/fd/0/",
					     "/proc/self/fd/1/x",
					     "/proc/self/fd/999",
					     "/proc/self/ns/mnt",
					     "/proc/self/ns/net",
					     "/proc/self/map_files",
					     "/proc/thread-self",
					     "/proc/thread-self/status",
					     "/proc/thread-self/cwd",
					     "/proc/mounts",
					     "/proc/net",
					     "/proc/net/dev",
					     "/proc/self/net/dev",
					     "/proc/self/task",
					     "/proc/1/exe",
					     "/proc/1/root",
					     "/proc/1/cwd/x",
					     "/proc/sys/kernel",
					     "/proc/sys/kernel/ostype",
					     "/proc/version",
					     "/proc/version/",
					     "/proc/version/x",
					     "/proc//version",
					     "/proc/./version",
					     "/proc/../proc/version",
					     "/proc/../etc/hostname",
					     "/proc/cmdline",
					     "/proc/filesystems",
					     "/proc/tty/drivers",
					     "/proc/tty",
					     "/proc/selfish",
					     "/proc/1/comm",
					     "/proc/1/comm/x",
					     "/proc/netting/dev",
					     "/proc/",
					     "/bound/cwd",
					     "/bound/exe",
					     "/bound/status",
					     "/bound/fd/0" };
	kc_cleanup(kc_freep) char *bound = in(p->root, "bound");
	char self[64], text[16384];

	if (mount_proc(p) < 0)
		return 77;
	/* The folder of a process alone, at another place: its links are as magic there. */
	snprintf(self, sizeof(self), "/proc/%d", (int)getpid());
	MUST(mkdir(bound, 0755) == 0);
	MUST(mount(self, bound, NULL, MS_BIND, NULL) == 0);
	for (size_t w = 0; w < KC_ARRAY_SIZE(ways); w++) {
		struct kc_root *root;

		MUST(kc_root_open(p->root, ways[w] | KC_ROOT_LIVE, NULL, &root) == 0);
		/* A file that says it is empty. */
		MUST(read_text(root, "/proc/self/status", text, sizeof(text)) == 0);
		MUST(kc_after_prefix(text, "Name:") != NULL);
		MUST(read_text(root, "/proc/self/exe", text, sizeof(text)) == -ELOOP);
		MUST(read_text(root, "/proc/self/cwd/x", text, sizeof(text)) == -ELOOP);
		MUST(read_text(root, "/proc/mounts", text, sizeof(text)) == 0);
		kc_root_free(root);
	}
	compare_ways(p->root, KC_ROOT_LIVE, paths, KC_ARRAY_SIZE(paths));
	return 0;
}

static void test_procfs_live(void **state)
{
	in_child(procfs_live, *state);
}

static int other_kernel_fs(struct place *p)
{
	static const struct {
		const char *type;
		const char *file;
	} table[] = {
		{ "sysfs", "/mnt/kernel" },  { "cgroup2", "/mnt/cgroup.procs" },
		{ "devtmpfs", "/mnt/null" }, { "debugfs", "/mnt" },
		{ "securityfs", "/mnt" },    { "tracefs", "/mnt" },
		{ "mqueue", "/mnt" },	     { "devpts", "/mnt" },
	};
	kc_cleanup(kc_freep) char *mnt = in(p->root, "mnt");
	unsigned tried = 0;

	if (own_namespace() < 0)
		return 77;
	MUST(mkdir(mnt, 0755) == 0);
	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		struct kc_stat st = { .size_of = sizeof(st) };
		struct kc_root *root;

		if (mount(table[i].type, mnt, table[i].type, 0, NULL) < 0)
			continue; /* this kernel does not have it */
		tried++;
		for (size_t w = 0; w < KC_ARRAY_SIZE(ways); w++) {
			struct kc_err err = { 0 };

			MUST(kc_root_open(p->root, ways[w], NULL, &root) == 0);
			if (kc_root_stat(root, table[i].file, 0, &err, &st) != -EOPNOTSUPP) {
				fprintf(stderr, "%s: %s\n", table[i].type, err.text);
				return 1;
			}
			kc_root_free(root);
		}
		MUST(umount2(mnt, MNT_DETACH) == 0);
	}
	return tried > 0 ? 0 : 77;
}

static void test_other_kernel_fs(void **state)
{
	in_child(other_kernel_fs, *state);
}

static void test_sysctl_path(void **state)
{
	static const char *const good[][2] = {
		{ "net.ipv4.ip_forward", "net/ipv4/ip_forward" },
		{ "net/ipv4/ip_forward", "net/ipv4/ip_forward" },
		{ "net/ipv4/conf/eth0.1/forwarding", "net/ipv4/conf/eth0.1/forwarding" },
		{ "net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding" },
		{ "kernel.panic", "kernel/panic" },
		{ "single", "single" },
	};
	static const char *const bad[] = { "",	   ".",	    "/",     "..",   ".net",	 "/net",
					   "net.", "net/",  "a..b",  "a//b", "net/../x", "net.//.x",
					   "../x", "a/./b", "a./.b", "a/.." };

	for (size_t i = 0; i < KC_ARRAY_SIZE(good); i++) {
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

		assert_int_equal(kc_sysctl_path(good[i][0], &b), 0);
		assert_string_equal(b.data, good[i][1]);
	}
	for (size_t i = 0; i < KC_ARRAY_SIZE(bad); i++) {
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

		if (kc_sysctl_path(bad[i], &b) != -EINVAL)
			fail_msg("%s is taken for a key", bad[i]);
		assert_int_equal(b.len, 0);
	}
}

static int sysctl(struct kc_root *root, const char *key, char *value, size_t size)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_err err = { 0 };
	int r = kc_root_sysctl(root, key, &err, &b);

	snprintf(value, size, "%.255s", r == 0 ? b.data : err.text);
	return r;
}

static void test_sysctl_fixture(void **state)
{
	struct place *p = *state;
	kc_cleanup(kc_freep) char *large = malloc(65538);
	char value[256];

	folder(p->root, "proc");
	folder(p->root, "proc/sys");
	folder(p->root, "proc/sys/net");
	put(p->root, "proc/sys/net/one", "1\n");
	put(p->root, "proc/sys/net/two", "1\t2\n\n");
	put(p->root, "proc/sys/net/empty", "");
	put(p->root, "proc/sys/net/eth0.1", "dotted");
	link_to(p->root, "proc/sys/net/link", "one");
	link_to(p->root, "proc/sys/alias", "net");
	assert_non_null(large);
	memset(large, '1', 65537);
	large[65537] = 0;
	put(p->root, "proc/sys/net/large", large);
	large[65536] = 0;
	put(p->root, "proc/sys/net/full", large);
	for (size_t w = 0; w < KC_ARRAY_SIZE(ways); w++) {
		kc_cleanup(kc_root_freep) struct kc_root *root =
			open_root(p->root, ways[w] | KC_ROOT_LIVE);
		kc_cleanup(kc_root_freep) struct kc_root *offline = open_root(p->root, ways[w]);
		kc_cleanup(kc_buf_done) struct kc_buf full = { 0 };

		assert_int_equal(sysctl(root, "net.one", value, sizeof(value)), 0);
		assert_string_equal(value, "1");
		assert_int_equal(sysctl(root, "net/two", value, sizeof(value)), 0);
		assert_string_equal(value, "1\t2\n");
		assert_int_equal(sysctl(root, "net.empty", value, sizeof(value)), 0);
		assert_string_equal(value, "");
		assert_int_equal(sysctl(root, "net.eth0/1", value, sizeof(value)), 0);
		assert_string_equal(value, "dotted");
		assert_int_equal(kc_root_sysctl(root, "net.full", NULL, &full), 0);
		assert_int_equal(full.len, 65536);
		assert_int_equal(sysctl(root, "net.large", value, sizeof(value)), -EFBIG);
		assert_int_equal(sysctl(root, "net.missing", value, sizeof(value)), -ENOENT);
		assert_string_equal(value, "/proc/sys/net/missing: this kernel has no such key");
		assert_int_equal(sysctl(root, "net.link", value, sizeof(value)), -ELOOP);
		assert_int_equal(sysctl(root, "alias.one", value, sizeof(value)), -ELOOP);
		assert_int_equal(sysctl(root, "net", value, sizeof(value)), -EISDIR);
		assert_int_equal(sysctl(root, "../etc/hostname", value, sizeof(value)), -EINVAL);
		assert_int_equal(sysctl(offline, "net.one", value, sizeof(value)), -EOPNOTSUPP);
	}
}

static void test_sysctl_without_folder(void **state)
{
	struct place *p = *state;
	kc_cleanup(kc_root_freep) struct kc_root *root = open_root(p->root, KC_ROOT_LIVE);
	char value[256];

	/* Nothing says that the key is not there: the place to look is not. */
	assert_int_equal(sysctl(root, "net.one", value, sizeof(value)), -EACCES);
	assert_non_null(strstr(value, "mount /proc"));
}

static int sysctl_procfs(struct place *p)
{
	struct kc_buf ports = { 0 }, want = { 0 };
	int fd;

	/* Ports of a network namespace of its own: a value longer than the usual buffer. */
	if (mount_proc(p) < 0 || unshare(CLONE_NEWNET) < 0)
		return 77;
	for (unsigned i = 1; i < 4000; i += 2)
		kc_buf_addf(&want, "%s%u", i > 1 ? "," : "", i);
	fd = open("/proc/sys/net/ipv4/ip_local_reserved_ports", O_WRONLY | O_CLOEXEC);
	MUST(fd >= 0 && kc_write_all(fd, want.data, want.len) == 0);
	close(fd);
	for (size_t w = 0; w < KC_ARRAY_SIZE(ways); w++) {
		struct kc_root *root;
		char value[256], again[256];

		MUST(kc_root_open(p->root, ways[w] | KC_ROOT_LIVE, NULL, &root) == 0);
		MUST(sysctl(root, "net.ipv4.ip_forward", value, sizeof(value)) == 0);
		MUST(kc_streq(value, "0") || kc_streq(value, "1"));
		MUST(sysctl(root, "net/ipv4/ip_forward", again, sizeof(again)) == 0);
		MUST(kc_streq(value, again));
		MUST(sysctl(root, "net.ipv4", value, sizeof(value)) == -EISDIR);
		MUST(sysctl(root, "net.ipv4.no_such_key", value, sizeof(value)) == -ENOENT);
		MUST(sysctl(root, "net.ipv4.ip_forward.x", value, sizeof(value)) == -ENOTDIR);
		if (sysctl(root, "net.ipv6.conf.all.forwarding", value, sizeof(value)) == 0) {
			MUST(sysctl(root, "net.ipv6.conf.default.stable_secret", value,
				    sizeof(value)) == -EIO);
			MUST(strstr(value, "the kernel does not show its value") != NULL);
		}
		kc_buf_reset(&ports);
		MUST(kc_root_sysctl(root, "net.ipv4.ip_local_reserved_ports", NULL, &ports) == 0);
		MUST(ports.len > 4096 && kc_streq(ports.data, want.data));
		kc_root_free(root);
	}
	kc_buf_done(&ports);
	kc_buf_done(&want);
	return 0;
}

static void test_sysctl_procfs(void **state)
{
	in_child(sysctl_procfs, *state);
}

/* A mount below /proc/sys (binfmt_misc, or an automount that waits) is not entered. */
static int sysctl_mount(struct place *p)
{
	kc_cleanup(kc_freep) char *over = in(p->root, "proc/sys/kernel/random");
	char value[256];

	if (mount_proc(p) < 0 || mount("tmpfs", over, "tmpfs", 0, NULL) < 0)
		return 77;
	put(over, "uuid", "not the kernel's");
	for (size_t w = 0; w < KC_ARRAY_SIZE(ways); w++) {
		struct kc_root *root;

		MUST(kc_root_open(p->root, ways[w] | KC_ROOT_LIVE, NULL, &root) == 0);
		MUST(sysctl(root, "kernel.random.uuid", value, sizeof(value)) == -EPERM);
		MUST(strstr(value, "file system of its own") != NULL);
		kc_root_free(root);
	}
	return 0;
}

static void test_sysctl_mount(void **state)
{
	in_child(sysctl_mount, *state);
}

static int sysctl_speed(struct place *p)
{
	struct timespec from, to;
	struct kc_root *root;
	struct kc_buf b = { 0 };
	double ms;

	if (mount_proc(p) < 0)
		return 77;
	MUST(kc_root_open(p->root, KC_ROOT_LIVE, NULL, &root) == 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (unsigned i = 0; i < 10000; i++) {
		kc_buf_reset(&b);
		MUST(kc_root_sysctl(root, "net.ipv4.ip_forward", NULL, &b) == 0);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	ms = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
	print_message("10,000 sysctls: %.1f ms of CPU\n", ms);
	kc_root_free(root);
	kc_buf_done(&b);
	/* Far above what it takes (30 ms): against a slip that makes it a multiple, not against
	 * noise. */
	MUST(ms < 400);
	return 0;
}

static void test_sysctl_speed(void **state)
{
	in_child(sysctl_speed, *state);
}

/* The name of a process, which is read by fewer calls, whatever it is and however much may be read.
 */
static int read_names(struct place *p)
{
	static const char *const names[] = { "x", "fifteen letters", "line\nline\n", "\n",
					     "\n\n\n" };
	kc_cleanup(kc_freep) char *path = kc_asprintf("/proc/%d/comm", (int)getpid());
	kc_cleanup(kc_root_freep) struct kc_root *root = open_root("/", KC_ROOT_LIVE);

	for (size_t i = 0; i < KC_ARRAY_SIZE(names); i++) {
		size_t size = strlen(names[i]) + 1; /* with the kernel's newline */

		MUST(prctl(PR_SET_NAME, names[i]) == 0);
		for (size_t max = 0; max < 200; max++) {
			kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

			MUST(kc_root_read(root, path, max, NULL, &b) == (max < size ? -EFBIG : 0));
			MUST(max < size ||
			     (b.len == size && memcmp(b.data, names[i], size - 1) == 0));
		}
	}
	return 0;
}

static void test_process_names(void **state)
{
	in_child(read_names, *state);
}

/* What somebody has mounted on a process's file is looked at before it is opened. */
static int read_covered(struct place *p)
{
	kc_cleanup(kc_freep) char *path = kc_asprintf("/proc/%d/comm", (int)getpid());
	kc_cleanup(kc_freep) char *fifo = in(p->root, "fifo");
	kc_cleanup(kc_freep) char *file = in(p->root, "etc/hostname");
	kc_cleanup(kc_root_freep) struct kc_root *root = NULL;
	char text[32];

	if (own_namespace() < 0)
		return 77;
	root = open_root("/", KC_ROOT_LIVE);
	MUST(mount(file, path, NULL, MS_BIND, NULL) == 0);
	MUST(read_text(root, path, text, sizeof(text)) == 0);
	MUST(kc_streq(text, "inside"));
	MUST(mount(fifo, path, NULL, MS_BIND, NULL) == 0);
	MUST(read_text(root, path, text, sizeof(text)) == -EINVAL);
	return 0;
}

static void test_covered_process_files(void **state)
{
	in_child(read_covered, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(test_links_while_others_mount),
		PLACE_TEST(test_procfs_offline),
		PLACE_TEST(test_procfs_live),
		PLACE_TEST(test_other_kernel_fs),
		cmocka_unit_test(test_sysctl_path),
		PLACE_TEST(test_sysctl_fixture),
		PLACE_TEST(test_sysctl_without_folder),
		PLACE_TEST(test_sysctl_procfs),
		PLACE_TEST(test_sysctl_mount),
		PLACE_TEST(test_sysctl_speed),
		PLACE_TEST(test_process_names),
		PLACE_TEST(test_covered_process_files),
	};

	return cmocka_run_group_tests_name("root-kernel", tests, NULL, NULL);
}
