/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "sys/doors.h"
#include "sys/program.h"
#include "sys/trust.h"

#define SECOND 1000000ull

/* ---- running
 * ------------------------------------------------------------------------------------- */

/* Runs an open program; the answer lives in the arena. */
static struct kc_answer run_fd(int fd, bool script, struct kc_arena *arena, uint64_t timeout,
			       const char *const *argv)
{
	const struct kc_program_file file = { .fd = fd, .script = script };
	struct kc_answer answer = { 0 };

	kc_program_run(&file, "(test)", (char *const *)argv, timeout, arena, &answer);
	return answer;
}

static struct kc_answer run_shell(struct kc_arena *arena, uint64_t timeout, const char *text)
{
	const char *const argv[] = { "sh", "-c", text, NULL };
	kc_cleanup(kc_closep) int fd = open("/bin/sh", O_PATH | O_CLOEXEC);

	assert_true(fd >= 0);
	return run_fd(fd, false, arena, timeout, argv);
}

/* True when a process has the word among its arguments; every test that leaves one uses its own. */
static bool process_exists(const char *word)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	bool found = false;

	assert_non_null(proc);
	while (!found && (e = readdir(proc))) {
		char path[300], text[4096] = "";
		ssize_t n;
		int fd;

		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%s/cmdline", e->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
		(void)kc_close(fd);
		found = n > 0 && memmem(text, (size_t)n, word, strlen(word)) != NULL;
	}
	(void)closedir(proc);
	return found;
}

/* What is killed may take a moment to be gone from the list. */
static bool process_stays(const char *word)
{
	for (unsigned i = 0; i < 100; i++) {
		if (!process_exists(word))
			return false;
		(void)nanosleep(&(const struct timespec){ .tv_nsec = 10 * 1000 * 1000 }, NULL);
	}
	return true;
}

static void test_exit_codes(void **state)
{
	struct kc_arena arena = { 0 };
	struct kc_answer a;

	a = run_shell(&arena, 10 * SECOND, "echo out; echo err >&2; exit 7");
	assert_int_equal(a.code, 0);
	assert_int_equal(a.numbers[0], 7);
	assert_int_equal(a.numbers[1], 0);
	assert_int_equal(a.n_items, 2);
	assert_string_equal(a.items[0].data, "out\n");
	assert_string_equal(a.items[1].data, "err\n");
	a = run_shell(&arena, 10 * SECOND, ":");
	assert_int_equal(a.code, 0);
	assert_int_equal(a.numbers[0], 0);
	assert_int_equal(a.items[0].size, 0);
	a = run_shell(&arena, 10 * SECOND, "kill -SEGV $$");
	assert_int_equal(a.code, 0);
	assert_int_equal(a.numbers[0], -1);
	assert_int_equal(a.numbers[1], SIGSEGV);
	/* Nothing of ours is left to be waited for. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	kc_arena_done(&arena);
}

static void test_surroundings(void **state)
{
	/* One that a careless program would hand on to its children. */
	kc_cleanup(kc_closep) int leak = open("/", O_RDONLY);
	struct kc_arena arena = { 0 };
	struct kc_answer a;

	(void)setenv("KC_TEST_SECRET", "leaked", 1);
	a = run_shell(&arena, 10 * SECOND,
		      "echo $LC_ALL $PATH $HOME; pwd; umask; echo ${KC_TEST_SECRET-none}");
	assert_string_equal(a.items[0].data,
			    "C /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "
			    "/\n/\n0077\nnone\n");
	a = run_shell(&arena, 10 * SECOND, "cat; ls /proc/self/fd");
	assert_string_equal(a.items[0].data, "0\n1\n2\n3\n");
	a = run_shell(&arena, 10 * SECOND,
		      "ulimit -n; ulimit -f; grep -c 'NoNewPrivs:.1' /proc/self/status");
	assert_string_equal(a.items[0].data, "256\n0\n1\n");
	a = run_shell(&arena, 10 * SECOND,
		      "set -e; f=$(mktemp); trap 'rm -f $f' EXIT; echo x > $f");
	assert_int_not_equal(a.numbers[0], 0);
	kc_arena_done(&arena);
}

/* Namespaces need privileges, and a kernel or container that gives them. */
static bool namespaces_can_be_had(void)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(unshare(CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC) < 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status == 0;
}

static void test_namespaces(void **state)
{
	static const char *const names[] = { "pid", "net", "ipc" };
	bool expected = namespaces_can_be_had();
	struct kc_arena arena = { 0 };
	struct kc_answer a;

	for (size_t i = 0; i < KC_ARRAY_SIZE(names); i++) {
		char path[32], command[64], ours[64] = "";

		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		(void)snprintf(command, sizeof(command), "readlink %s | tr -d '\\n'", path);
		assert_true(readlink(path, ours, sizeof(ours) - 1) > 0);
		a = run_shell(&arena, 10 * SECOND, command);
		assert_int_equal(a.code, 0);
		assert_memory_equal(a.items[0].data, names[i], 3);
		assert_int_equal(!kc_streq(a.items[0].data, ours), expected);
	}
	kc_arena_done(&arena);
}

static void test_flood(void **state)
{
	struct kc_arena arena = { 0 };
	struct kc_answer a;

	a = run_shell(&arena, 30 * SECOND,
		      "head -c 10000000 /dev/zero; head -c 10000000 /dev/zero >&2; exit 3");
	assert_int_equal(a.code, 0);
	assert_int_equal(a.numbers[0], 3);
	assert_int_equal(a.items[0].size, 64 * 1024);
	assert_int_equal(a.items[1].size, 64 * 1024);
	a = run_shell(&arena, SECOND / 2, "cat /dev/zero");
	assert_int_equal(a.code, -ETIMEDOUT);
	kc_arena_done(&arena);
}

static void check_deadline(void)
{
	struct kc_arena arena = { 0 };
	struct kc_answer a;
	uint64_t start = kc_now_usec();

	a = run_shell(&arena, SECOND / 2,
		      "setsid sh -c 'sleep 97531.1; :' & trap '' TERM INT HUP; sleep 97531.2; "
		      "sleep 97531.3");
	assert_int_equal(a.code, -ETIMEDOUT);
	assert_non_null(strstr(a.why, "500 ms"));
	assert_true(kc_now_usec() - start < 3 * SECOND);
	assert_false(process_stays("97531."));
	/* The end of the program itself ends what it left behind, and does not wait for it. */
	start = kc_now_usec();
	a = run_shell(&arena, 20 * SECOND,
		      "setsid sleep 97532.1 & setsid sleep 97532.2 & echo done");
	assert_int_equal(a.code, 0);
	assert_string_equal(a.items[0].data, "done\n");
	assert_true(kc_now_usec() - start < 10 * SECOND);
	assert_false(process_stays("97532."));
	kc_arena_done(&arena);
}

static void test_deadline(void **state)
{
	check_deadline();
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* The same without the privilege to make namespaces. */
static void test_deadline_unprivileged(void **state)
{
	int status = 0;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct kc_arena arena = { 0 };
		struct kc_answer a;
		bool bad;

		if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
			_exit(90);
		a = run_shell(&arena, SECOND / 2,
			      "setsid sh -c 'sleep 97533.1; :' & sleep 97533.2; sleep 97533.3");
		bad = a.code != -ETIMEDOUT || process_stays("97533.");
		a = run_shell(&arena, 20 * SECOND, "setsid sleep 97534.1 & echo done");
		bad = bad || a.code != 0 || process_stays("97534.");
		_exit(bad);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* The test's own program, started again with a word that says what to do. */
static struct kc_answer run_self(struct kc_arena *arena, const char *word)
{
	const char *const argv[] = { "test-program", word, NULL };
	kc_cleanup(kc_closep) int fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);

	assert_true(fd >= 0);
	return run_fd(fd, false, arena, 20 * SECOND, argv);
}

/* As a Go program does at its start: a large part of the address space, none of it used. */
static int reserve(void)
{
	return mmap(NULL, (size_t)16 << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0) == MAP_FAILED;
}

static int allocate(void)
{
	return mmap(NULL, (size_t)1 << 30, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED;
}

static void test_memory(void **state)
{
	struct kc_arena arena = { 0 };
	struct kc_answer a;

	a = run_self(&arena, "--reserve");
	assert_int_equal(a.code, 0);
	assert_int_equal(a.numbers[0], 0);
#if !defined(__SANITIZE_ADDRESS__)
	a = run_self(&arena, "--allocate");
	assert_int_equal(a.code, 0);
	assert_int_equal(a.numbers[0], 1);
#endif
	kc_arena_done(&arena);
}

/* ---- trust
 * --------------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

struct folder {
	char path[64];
	int fd;
};

/* A folder that stands for "/" and is only ours. */
static int setup_folder(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->path, sizeof(f->path), "/tmp/k8scheck-program-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->fd >= 0);
	*state = f;
	return 0;
}

static int teardown_folder(void **state)
{
	struct folder *f = *state;

	(void)kc_close(f->fd);
	(void)nftw(f->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static void put(const struct folder *f, const char *path, mode_t mode, const char *text)
{
	kc_cleanup(kc_closep) int fd =
		openat(f->fd, path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0700);

	assert_true(fd >= 0);
	assert_int_equal(kc_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
}

static void make_dir(const struct folder *f, const char *path, mode_t mode)
{
	assert_int_equal(mkdirat(f->fd, path, 0700), 0);
	assert_int_equal(fchmodat(f->fd, path, mode, 0), 0);
}

static int try_flags(const struct folder *f, const char *path, unsigned flags, struct kc_err *err)
{
	int fd = -EBADF;
	int r;

	*err = (struct kc_err){ 0 };
	r = kc_trust_open(f->fd, path, flags, err, &fd);
	(void)kc_close(fd);
	return r;
}

static int try_open(const struct folder *f, const char *path, struct kc_err *err)
{
	return try_flags(f, path, 0, err);
}

static void test_trust(void **state)
{
	const struct folder *f = *state;
	struct kc_err err;

	make_dir(f, "bin", 0755);
	make_dir(f, "open", 0777);
	make_dir(f, "sticky", 01777);
	make_dir(f, "group", 0775);
	put(f, "bin/good", 0755, "x");
	put(f, "bin/world", 0757, "x");
	put(f, "bin/group", 0775, "x");
	put(f, "open/good", 0755, "x");
	put(f, "sticky/good", 0755, "x");
	put(f, "group/good", 0755, "x");
	assert_int_equal(symlinkat("good", f->fd, "bin/relative"), 0);
	assert_int_equal(symlinkat("/bin/good", f->fd, "bin/absolute"), 0);
	assert_int_equal(symlinkat("../../../../bin/good", f->fd, "bin/above"), 0);
	assert_int_equal(symlinkat("../open/good", f->fd, "bin/via-open"), 0);
	assert_int_equal(symlinkat("/bin", f->fd, "sbin"), 0);
	assert_int_equal(symlinkat("loop", f->fd, "bin/loop"), 0);
	assert_int_equal(mkfifoat(f->fd, "bin/fifo", 0600), 0);

	assert_int_equal(try_open(f, "/bin/good", &err), 0);
	assert_int_equal(try_open(f, "//bin/./good", &err), 0);
	assert_int_equal(try_open(f, "/bin/relative", &err), 0);
	assert_int_equal(try_open(f, "/bin/absolute", &err), 0);
	assert_int_equal(try_open(f, "/bin/above", &err), 0);
	assert_int_equal(try_open(f, "/sbin/absolute", &err), 0);
	assert_int_equal(try_open(f, "/open/../bin/good", &err), -EPERM);
	assert_int_equal(try_open(f, "/bin/world", &err), -EPERM);
	assert_non_null(strstr(err.text, "/bin/world (its mode is 0757)"));
	assert_int_equal(try_open(f, "/bin/group", &err), -EPERM);
	assert_int_equal(try_open(f, "/open/good", &err), -EPERM);
	assert_non_null(strstr(err.text, "/open (its mode is 0777)"));
	assert_int_equal(try_open(f, "/sticky/good", &err), -EPERM);
	assert_int_equal(try_open(f, "/group/good", &err), -EPERM);
	assert_int_equal(try_open(f, "/bin/via-open", &err), -EPERM);
	assert_int_equal(try_open(f, "/bin/loop", &err), -ELOOP);
	assert_int_equal(try_open(f, "/bin/fifo", &err), -EINVAL);
	assert_int_equal(try_open(f, "/bin/none", &err), -ENOENT);
	assert_int_equal(try_open(f, "/bin/good/more", &err), -ENOTDIR);
	assert_int_equal(try_open(f, "/bin/good/", &err), -ENOTDIR);
	assert_int_equal(try_open(f, "/bin", &err), -EISDIR);
	assert_int_equal(try_open(f, "/", &err), -EISDIR);
	assert_int_equal(try_open(f, "bin/good", &err), -EINVAL);
	assert_int_equal(fchmod(f->fd, 0777), 0);
	assert_int_equal(try_open(f, "/bin/good", &err), -EPERM);
}

static int try_near(const struct folder *f, struct kc_trust_folder *near, const char *path,
		    unsigned flags, struct kc_err *err)
{
	char whole[PATH_MAX];
	int fd = -EBADF, r;

	*err = (struct kc_err){ 0 };
	(void)snprintf(whole, sizeof(whole), "%s%s", f->path, path);
	r = kc_trust_open_near(near, whole, flags, err, &fd);
	assert_int_equal(r == 0, fd >= 0);
	(void)kc_close(fd);
	return r;
}

/* A folder that was walked to once answers for what lies in it, and for nothing else. */
static void test_trust_near(void **state)
{
	const struct folder *f = *state;
	struct kc_trust_folder near = { 0 };
	struct kc_err err;

	make_dir(f, "bin", 0755);
	make_dir(f, "bin/deep", 0755);
	make_dir(f, "open", 0777);
	put(f, "bin/good", 0755, "x");
	put(f, "bin/other", 0755, "x");
	put(f, "bin/world", 0757, "x");
	put(f, "bin/deep/good", 0755, "x");
	put(f, "open/good", 0755, "x");
	assert_int_equal(symlinkat("../open/good", f->fd, "bin/via-open"), 0);
	assert_int_equal(symlinkat("bin", f->fd, "sbin"), 0);

	assert_int_equal(try_near(f, NULL, "/bin/good", KC_TRUST_STICKY, &err), 0);
	assert_int_equal(try_near(f, &near, "/bin/good", KC_TRUST_STICKY, &err), 0);
	assert_non_null(near.path);
	assert_true(kc_endswith(near.path, "/bin/"));
	/* The way is not walked again: what has become of it does not show. */
	assert_int_equal(fchmodat(f->fd, ".", 0777, 0), 0);
	assert_int_equal(try_near(f, &near, "/bin/other", KC_TRUST_STICKY, &err), 0);
	assert_int_equal(try_near(f, &near, "/bin/deep/good", KC_TRUST_STICKY, &err), -EPERM);
	assert_int_equal(try_near(f, &near, "/bin/other", 0, &err), -EPERM);
	assert_int_equal(fchmodat(f->fd, ".", 0755, 0), 0);
	assert_int_equal(try_near(f, &near, "/bin/world", KC_TRUST_STICKY, &err), -EPERM);
	assert_non_null(strstr(err.text, "/bin/world (its mode is 0757)"));
	assert_int_equal(try_near(f, &near, "/bin/via-open", KC_TRUST_STICKY, &err), -EPERM);
	assert_non_null(strstr(err.text, "/open"));
	assert_int_equal(try_near(f, &near, "/bin/none", KC_TRUST_STICKY, &err), -ENOENT);
	/* A folder behind a link is not kept. */
	assert_int_equal(try_near(f, &near, "/sbin/good", KC_TRUST_STICKY, &err), 0);
	assert_null(near.path);
	assert_int_equal(try_near(f, &near, "/bin/deep/good", KC_TRUST_STICKY, &err), 0);
	assert_true(kc_endswith(near.path, "/bin/deep/"));
	kc_trust_folder_done(&near);
	kc_trust_folder_done(&near);
}

static void test_trust_owner(void **state)
{
	const struct folder *f = *state;
	struct kc_err err;

	if (geteuid() != 0)
		skip();
	make_dir(f, "his", 0755);
	put(f, "his/good", 0755, "x");
	put(f, "his-file", 0755, "x");
	assert_int_equal(fchownat(f->fd, "his", 1234, 1234, 0), 0);
	assert_int_equal(fchownat(f->fd, "his-file", 1234, 1234, 0), 0);
	assert_int_equal(try_open(f, "/his/good", &err), -EPERM);
	assert_non_null(strstr(err.text, "/his belongs to uid 1234"));
	assert_int_equal(try_open(f, "/his-file", &err), -EPERM);

	make_dir(f, "sticky", 01777);
	put(f, "sticky/good", 0755, "x");
	put(f, "sticky/his", 0755, "x");
	assert_int_equal(symlinkat("good", f->fd, "sticky/link"), 0);
	assert_int_equal(symlinkat("good", f->fd, "sticky/his-link"), 0);
	assert_int_equal(fchownat(f->fd, "sticky/his", 1234, 1234, 0), 0);
	assert_int_equal(fchownat(f->fd, "sticky/his-link", 1234, 1234, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(try_flags(f, "/sticky/good", KC_TRUST_STICKY, &err), 0);
	assert_int_equal(try_flags(f, "/sticky/link", KC_TRUST_STICKY, &err), 0);
	assert_int_equal(try_flags(f, "/sticky/his", KC_TRUST_STICKY, &err), -EPERM);
	assert_int_equal(try_flags(f, "/sticky/his-link", KC_TRUST_STICKY, &err), -EPERM);
	assert_int_equal(try_flags(f, "/sticky/good", 0, &err), -EPERM);
}

static void test_script(void **state)
{
	const char *const argv[] = { "hello", "one", "two words", NULL };
	const struct folder *f = *state;
	struct kc_program_file file = { .fd = -EBADF };
	struct kc_arena arena = { 0 };
	struct kc_answer a;
	struct kc_err err;

	make_dir(f, "bin", 0755);
	make_dir(f, "open", 0777);
	/* Looked at here; what the kernel then starts is the real one of the same path. */
	put(f, "bin/sh", 0755, "\177ELF");
	put(f, "open/sh", 0755, "\177ELF");
	put(f, "hello", 0755, "#! /bin/sh -e\necho \"$1:$2\"; exit 4\n");
	put(f, "nested", 0755, "#!/hello\n");
	put(f, "untrusted", 0755, "#!/open/sh\n");
	put(f, "missing", 0755, "#!/bin/none\n");
	put(f, "plain", 0755, "echo no\n");

	assert_int_equal(kc_program_open(f->fd, "/hello", &err, &file), 0);
	assert_true(file.script);
	a = run_fd(file.fd, file.script, &arena, 10 * SECOND, argv);
	(void)kc_close(file.fd);
	assert_int_equal(a.code, 0);
	assert_int_equal(a.numbers[0], 4);
	assert_string_equal(a.items[0].data, "one:two words\n");

	assert_int_equal(kc_program_open(f->fd, "/nested", &err, &file), -EPERM);
	assert_int_equal(kc_program_open(f->fd, "/untrusted", &err, &file), -EPERM);
	assert_non_null(strstr(err.text, "/open"));
	assert_int_equal(kc_program_open(f->fd, "/missing", &err, &file), -ENOENT);
	assert_int_equal(kc_program_open(f->fd, "/plain", &err, &file), 0);
	a = run_fd(file.fd, file.script, &arena, 10 * SECOND, argv);
	(void)kc_close(file.fd);
	assert_int_equal(a.code, -ENOEXEC);
	kc_arena_done(&arena);
}

/* ---- the door
 * ------------------------------------------------------------------------------------ */

static struct kc_answer ask(const char *root_path, struct kc_arena *arena, const char *path,
			    const char *arg)
{
	const char *const strings[] = { path, "sh", "-c", arg, NULL };
	const struct kc_question question = { .kind = KC_ASK_PROGRAM,
					      .timeout_usec = 10 * SECOND,
					      .strings = { .n = 4, .item = strings } };
	kc_cleanup(kc_root_freep) struct kc_root *root = NULL;
	struct kc_door_host host = { 0 };
	struct kc_answer answer;
	void *state = NULL;

	assert_int_equal(kc_root_open(root_path, KC_ROOT_LIVE, NULL, &root), 0);
	host.root = root;
	kc_door_program(&host, &state, &question, arena, &answer);
	return answer;
}

static void test_door(void **state)
{
	const struct folder *f = *state;
	struct kc_arena arena = { 0 };
	struct kc_answer a;
	struct kc_err err;
	int fd = -EBADF;

	a = ask(f->path, &arena, "/bin/sh", "exit 0");
	assert_int_equal(a.code, -EOPNOTSUPP);
	assert_non_null(a.why);
	a = ask("/", &arena, "bin/sh", "exit 0");
	assert_int_equal(a.code, -EINVAL);
	a = ask("/", &arena, "/nowhere/at/all", "exit 0");
	assert_int_equal(a.code, -ENOENT);
	/* A machine whose own shell is not to be trusted has to refuse it, with the same words. */
	if (kc_trust_open(AT_FDCWD, "/bin/sh", 0, &err, &fd) < 0) {
		a = ask("/", &arena, "/bin/sh", "exit 5");
		assert_int_equal(a.code, err.code);
		assert_string_equal(a.why, err.text);
	} else {
		a = ask("/", &arena, "/bin/sh", "exit 5");
		assert_int_equal(a.code, 0);
		assert_int_equal(a.numbers[0], 5);
	}
	(void)kc_close(fd);
	kc_arena_done(&arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_codes),
		cmocka_unit_test(test_surroundings),
		cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_deadline_unprivileged),
		cmocka_unit_test(test_memory),
		cmocka_unit_test_setup_teardown(test_trust, setup_folder, teardown_folder),
		cmocka_unit_test_setup_teardown(test_trust_near, setup_folder, teardown_folder),
		cmocka_unit_test_setup_teardown(test_trust_owner, setup_folder, teardown_folder),
		cmocka_unit_test_setup_teardown(test_script, setup_folder, teardown_folder),
		cmocka_unit_test_setup_teardown(test_door, setup_folder, teardown_folder),
	};

	/* Not by return: what checks for leaks at the end does not work in a PID namespace. */
	if (argc > 1 && kc_streq(argv[1], "--reserve"))
		_exit(reserve());
	if (argc > 1 && kc_streq(argv[1], "--allocate"))
		_exit(allocate());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
