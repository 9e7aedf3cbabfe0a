/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/fdio.h"
#include "make-report.h"
#include "report-files.h"

enum {
	OTHER_USER = 12345,
	OTHER_GROUP = 12346,
	THIRD_USER = 12347
};

struct fixture {
	char *dir;
	struct kc_buf path; /* scratch */
	struct kc_err err;
	mode_t mask;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");

	if (!f)
		return -1;
	f->dir = kc_asprintf("%s/k8scheck-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!f->dir || !mkdtemp(f->dir))
		return -1;
	f->mask = umask(022);
	*state = f;
	return 0;
}

static void remove_tree(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent *entry;
	DIR *dir;

	if (fd < 0) {
		(void)unlinkat(parent, name, 0);
		return;
	}
	(void)fchmod(fd, 0700);
	dir = fdopendir(fd);
	while (dir && (entry = readdir(dir))) {
		if (!kc_streq(entry->d_name, ".") && !kc_streq(entry->d_name, ".."))
			remove_tree(dirfd(dir), entry->d_name);
	}
	if (dir)
		(void)closedir(dir);
	(void)unlinkat(parent, name, AT_REMOVEDIR);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	remove_tree(AT_FDCWD, f->dir);
	(void)umask(f->mask);
	kc_buf_done(&f->path);
	free(f->dir);
	free(f);
	return 0;
}

/* ---- helpers
 * ---------------------------------------------------------------------------------------- */

/* Valid until the next call. */
static const char *at(struct fixture *f, const char *name)
{
	kc_buf_reset(&f->path);
	kc_buf_addf(&f->path, "%s/%s", f->dir, name);
	assert_int_equal(kc_buf_error(&f->path), 0);
	return f->path.data;
}

static int write_words(const struct kc_report *report, const struct kc_report_style *style,
		       FILE *out, struct kc_err *err)
{
	(void)fputs("the new report\n", out);
	return 0;
}

static int write_much(const struct kc_report *report, const struct kc_report_style *style,
		      FILE *out, struct kc_err *err)
{
	for (unsigned i = 0; i < 100000; i++)
		(void)fputs("0123456789\n", out);
	return ferror(out) ? kc_err_set(err, -EIO, "it could not be written") : 0;
}

static int write_half(const struct kc_report *report, const struct kc_report_style *style,
		      FILE *out, struct kc_err *err)
{
	(void)fputs("half a rep", out);
	return kc_err_set(err, -ENOMEM, "no memory for the rest");
}

/* Parses, opens, writes and commits, as the program does. */
static int report_to(struct fixture *f, const char *path, kc_report_writer *writer)
{
	kc_cleanup(kc_freep) char *text = kc_asprintf("json=%s", path);
	kc_cleanup(kc_report_spec_done) struct kc_report_spec spec = { 0 };
	kc_cleanup(kc_report_output_freep) struct kc_report_output *output = NULL;
	int r;

	assert_non_null(text);
	f->err = (struct kc_err){ 0 };
	assert_int_equal(kc_report_spec_parse(text, &f->err, &spec), 0);
	r = kc_report_output_open(&spec, &f->err, &output);
	if (r == 0)
		r = kc_report_output_write(output, writer, NULL, NULL, &f->err);
	if (r == 0)
		r = kc_report_output_commit(output, &f->err);
	if (r < 0) {
		assert_int_equal(f->err.code, r);
		assert_non_null(strstr(f->err.text, "could not write the report json"));
		assert_non_null(strstr(f->err.text, path));
	}
	return r;
}

static void put_file(const char *path, const char *text, mode_t mode)
{
	kc_cleanup(kc_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(kc_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
}

static void assert_content(const char *path, const char *text)
{
	kc_cleanup(kc_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

	assert_true(fd >= 0);
	assert_int_equal(kc_read_all(fd, 1 << 20, &b), 0);
	assert_string_equal(b.data, text);
}

static unsigned count_entries(const char *path)
{
	DIR *dir = opendir(path);
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n - 2;
}

static struct stat stat_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st;
}

/* ---- the option
 * ------------------------------------------------------------------------------------- */

static void assert_spec(const char *text, const char *format, const char *path)
{
	kc_cleanup(kc_report_spec_done) struct kc_report_spec spec = { 0 };

	assert_int_equal(kc_report_spec_parse(text, NULL, &spec), 0);
	assert_string_equal(spec.format, format);
	if (path)
		assert_string_equal(spec.path, path);
	else
		assert_null(spec.path);
}

static void test_spec(void **state)
{
	static const char *const wrong[] = { "",     "=x",  "json=", "../json",
					     "Json", "a b", "-json", NULL };
	struct kc_report_spec spec = { 0 };

	assert_spec("text", "text", NULL);
	assert_spec("json=-", "json", NULL);
	assert_spec("junit=a=b", "junit", "a=b");
	assert_spec("junit=/x/-", "junit", "/x/-");
	KC_FOREACH_STR (text, wrong) {
		struct kc_err err = { 0 };

		assert_int_equal(kc_report_spec_parse(text, &err, &spec), -EINVAL);
		assert_true(*err.text);
	}
}

/* ---- files
 * ------------------------------------------------------------------------------------------ */

static void test_new_file(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(report_to(f, at(f, "r.json"), write_words), 0);
	assert_content(at(f, "r.json"), "the new report\n");
	assert_int_equal(stat_of(at(f, "r.json")).st_mode & 07777, 0644);
	assert_int_equal(count_entries(f->dir), 1);
	(void)umask(077);
	assert_int_equal(report_to(f, at(f, "s.json"), write_words), 0);
	assert_int_equal(stat_of(at(f, "s.json")).st_mode & 07777, 0600);
}

static void test_long_name(void **state)
{
	struct fixture *f = *state;
	char name[256];

	memset(name, 'n', 255);
	name[255] = 0;
	assert_int_equal(report_to(f, at(f, name), write_words), 0);
	assert_content(at(f, name), "the new report\n");
}

static void test_replaces_and_keeps_mode(void **state)
{
	struct fixture *f = *state;

	put_file(at(f, "r.json"), "the old report\n", 0640);
	assert_int_equal(report_to(f, at(f, "r.json"), write_words), 0);
	assert_content(at(f, "r.json"), "the new report\n");
	assert_int_equal(stat_of(at(f, "r.json")).st_mode & 07777, 0640);
	assert_int_equal(count_entries(f->dir), 1);
}

static void test_failure_keeps_the_old_file(void **state)
{
	struct fixture *f = *state;

	put_file(at(f, "r.json"), "the old report\n", 0640);
	assert_int_equal(report_to(f, at(f, "r.json"), write_half), -ENOMEM);
	assert_non_null(strstr(f->err.text, "no memory for the rest"));
	assert_content(at(f, "r.json"), "the old report\n");
	assert_int_equal(count_entries(f->dir), 1);
}

static void test_opening_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	kc_cleanup(kc_report_output_freep) struct kc_report_output *output = NULL;
	struct kc_report_spec spec = { .format = (char *)"json" };

	spec.path = (char *)at(f, "r.json");
	assert_int_equal(kc_report_output_open(&spec, &f->err, &output), 0);
	assert_int_equal(count_entries(f->dir), 0);
	assert_int_equal(kc_report_output_fd(output), -EBADF);
	assert_int_equal(kc_report_output_commit(output, &f->err), -EINVAL);
	assert_int_equal(count_entries(f->dir), 0);
	assert_int_equal(kc_report_output_write(output, write_words, NULL, NULL, &f->err), 0);
	assert_int_equal(kc_report_output_write(output, write_words, NULL, NULL, &f->err),
			 -EALREADY);
	assert_int_equal(count_entries(f->dir), 1);
	kc_report_output_free(TAKE_PTR(output));
	assert_int_equal(count_entries(f->dir), 0);
}

/* What came to stand there while the rules were judged is no report, and stays. */
static void test_exchanged_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct kc_report_spec spec = { .format = (char *)"json" };

	for (unsigned kind = 0; kind < 3; kind++) {
		kc_cleanup(kc_report_output_freep) struct kc_report_output *output = NULL;
		mode_t type;

		put_file(at(f, "r.json"), "the old report\n", 0640);
		spec.path = (char *)at(f, "r.json");
		assert_int_equal(kc_report_output_open(&spec, &f->err, &output), 0);
		assert_int_equal(kc_report_output_write(output, write_words, NULL, NULL, &f->err),
				 0);
		assert_int_equal(unlink(at(f, "r.json")), 0);
		if (kind == 0)
			assert_int_equal(mkfifo(at(f, "r.json"), 0600), 0);
		else if (kind == 1)
			assert_int_equal(symlink("/dev/null", at(f, "r.json")), 0);
		else
			assert_int_equal(mkdir(at(f, "r.json"), 0700), 0);
		type = stat_of(at(f, "r.json")).st_mode & S_IFMT;
		assert_int_equal(kc_report_output_commit(output, &f->err), -ESTALE);
		assert_non_null(strstr(f->err.text, "it was exchanged meanwhile"));
		assert_int_equal(stat_of(at(f, "r.json")).st_mode & S_IFMT, type);
		kc_report_output_free(TAKE_PTR(output));
		assert_int_equal(count_entries(f->dir), 1);
		remove_tree(AT_FDCWD, at(f, "r.json"));
	}
}

static void test_wrong_places(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	kc_cleanup(kc_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(report_to(f, f->dir, write_words), -EISDIR);
	assert_int_equal(report_to(f, at(f, "."), write_words), -EISDIR);
	assert_int_equal(report_to(f, at(f, "r/"), write_words), -ENOENT);
	assert_int_equal(report_to(f, at(f, "no/r.json"), write_words), -ENOENT);
	put_file(at(f, "file"), "x", 0600);
	assert_int_equal(report_to(f, at(f, "file/r.json"), write_words), -ENOTDIR);
	assert_int_equal(report_to(f, "/", write_words), -EISDIR);

	assert_true(fd >= 0);
	assert_true((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s",
				     at(f, "socket")) < sizeof(address.sun_path));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(report_to(f, at(f, "socket"), write_words), -ENXIO);
	assert_true(S_ISSOCK(stat_of(at(f, "socket")).st_mode));
}

static void test_read_only_folder(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdir(at(f, "d"), 0700), 0);
	/* Root writes everywhere but where it takes the rights of another. */
	if (geteuid() == 0)
		assert_int_equal(chown(at(f, "d"), OTHER_USER, OTHER_GROUP), 0);
	assert_int_equal(chmod(at(f, "d"), 0555), 0);
	assert_int_equal(report_to(f, at(f, "d/r.json"), write_words), -EACCES);
	assert_int_equal(count_entries(at(f, "d")), 0);
}

static void test_relative_path(void **state)
{
	struct fixture *f = *state;
	kc_cleanup(kc_closep) int cwd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(cwd >= 0);
	assert_int_equal(chdir(f->dir), 0);
	assert_int_equal(mkdir("d", 0755), 0);
	assert_int_equal(report_to(f, "r.json", write_words), 0);
	assert_int_equal(report_to(f, "./d/.././d//s.json", write_words), 0);
	assert_int_equal(fchdir(cwd), 0);
	assert_content(at(f, "r.json"), "the new report\n");
	assert_content(at(f, "d/s.json"), "the new report\n");
}

/* ---- links
 * ------------------------------------------------------------------------------------------ */

static void test_link_to_a_file(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdir(at(f, "d"), 0755), 0);
	put_file(at(f, "d/real"), "the old report\n", 0600);
	assert_int_equal(symlink("d/real", at(f, "link")), 0);
	assert_int_equal(symlink("d/new", at(f, "dangling")), 0);
	assert_int_equal(report_to(f, at(f, "link"), write_words), 0);
	assert_true(S_ISLNK(stat_of(at(f, "link")).st_mode));
	assert_content(at(f, "d/real"), "the new report\n");
	assert_int_equal(report_to(f, at(f, "dangling"), write_words), 0);
	assert_content(at(f, "d/new"), "the new report\n");
	assert_int_equal(count_entries(at(f, "d")), 2);
	assert_int_equal(count_entries(f->dir), 3);
}

static void test_loop_of_links(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(symlink("b", at(f, "a")), 0);
	assert_int_equal(symlink("a", at(f, "b")), 0);
	assert_int_equal(report_to(f, at(f, "a"), write_words), -ELOOP);
}

static void test_link_to_a_device(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(symlink("/dev/null", at(f, "null")), 0);
	assert_int_equal(symlink("/dev/full", at(f, "full")), 0);
	assert_int_equal(report_to(f, at(f, "null"), write_words), 0);
	assert_true(S_ISCHR(stat_of("/dev/null").st_mode));
	assert_true(S_ISLNK(stat_of(at(f, "null")).st_mode));
	assert_int_equal(report_to(f, at(f, "full"), write_words), -ENOSPC);
	assert_int_equal(report_to(f, "/dev/full", write_much), -ENOSPC);
	assert_true(S_ISCHR(stat_of("/dev/full").st_mode));
}

/* ---- FIFOs and descriptors
 * -------------------------------------------------------------------------- */

static void test_fifo_without_reader(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkfifo(at(f, "fifo"), 0600), 0);
	assert_int_equal(report_to(f, at(f, "fifo"), write_words), -ENXIO);
	assert_non_null(strstr(f->err.text, "nobody reads"));
	assert_true(S_ISFIFO(stat_of(at(f, "fifo")).st_mode));
}

static void test_fifo_with_reader(void **state)
{
	struct fixture *f = *state;
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	int reader, status;
	pid_t pid;

	assert_int_equal(mkfifo(at(f, "fifo"), 0600), 0);
	reader = open(at(f, "fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(reader >= 0);
	assert_int_equal(fcntl(reader, F_SETFL, 0), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* More than the pipe holds: the writer has to wait for its reader. */
		(void)close(reader);
		_exit(report_to(f, at(f, "fifo"), write_much) == 0 ? 0 : 1);
	}
	while (b.len < 1100000) {
		char chunk[65536];
		ssize_t n = read(reader, chunk, sizeof(chunk));

		if (n == 0) {
			/* The writer has not opened it yet, or is gone. */
			if (waitpid(pid, &status, WNOHANG) != 0)
				break;
			(void)usleep(1000);
			continue;
		}
		assert_true(n > 0);
		kc_buf_add(&b, chunk, (size_t)n);
	}
	assert_int_equal(b.len, 1100000);
	(void)close(reader);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(S_ISFIFO(stat_of(at(f, "fifo")).st_mode));
}

static void test_reader_goes_away(void **state)
{
	struct fixture *f = *state;
	kc_cleanup(kc_report_output_freep) struct kc_report_output *output = NULL;
	struct kc_report_spec spec = { .format = (char *)"json" };
	int reader;

	assert_int_equal(mkfifo(at(f, "fifo"), 0600), 0);
	reader = open(at(f, "fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(reader >= 0);
	spec.path = (char *)at(f, "fifo");
	assert_int_equal(kc_report_output_open(&spec, &f->err, &output), 0);
	(void)close(reader);
	assert_int_equal(kc_report_output_write(output, write_words, NULL, NULL, &f->err), -EPIPE);
	assert_non_null(strstr(f->err.text, "could not write the report json"));
}

/* In a process whose standard output is the file; 0 when the report came through. */
static int with_stdout(struct fixture *f, const char *file, int flags, const char *spec_text)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct kc_report_spec spec = { 0 };
		struct kc_report_output *output = NULL;
		int fd = open(file, flags | O_CLOEXEC);
		int r = fd < 0 || dup2(fd, STDOUT_FILENO) < 0 ? -errno : 0;

		if (r == 0)
			r = kc_report_spec_parse(spec_text, &f->err, &spec);
		if (r == 0)
			r = kc_report_output_open(&spec, &f->err, &output);
		if (r == 0)
			r = kc_report_output_write(output, write_words, NULL, NULL, &f->err);
		if (r == 0)
			r = kc_report_output_commit(output, &f->err);
		kc_report_output_free(output);
		kc_report_spec_done(&spec);
		_exit(-r);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void test_standard_output(void **state)
{
	static const char *const specs[] = {
		"json", "json=-", "json=/dev/stdout", "json=/dev/fd/1", "json=/proc/self/fd/1", NULL
	};
	struct fixture *f = *state;
	kc_cleanup(kc_closep) int own = -EBADF;
	char text[64];

	KC_FOREACH_STR (spec, specs) {
		ino_t inode;

		put_file(at(f, "out"), "before\n", 0600);
		inode = stat_of(at(f, "out")).st_ino;
		assert_int_equal(with_stdout(f, at(f, "out"), O_WRONLY | O_APPEND, spec), 0);
		assert_content(at(f, "out"), "before\nthe new report\n");
		assert_true(stat_of(at(f, "out")).st_ino == inode);
		assert_int_equal(with_stdout(f, "/dev/full", O_WRONLY, spec), -ENOSPC);
		assert_int_equal(with_stdout(f, "/dev/null", O_RDONLY, spec), -EBADF);
	}
	assert_int_equal(with_stdout(f, "/dev/null", O_WRONLY, "json=/dev/fd/777"), -ENOENT);
	own = open("/dev/null", O_WRONLY | O_CLOEXEC);
	assert_true(own >= 0);
	(void)snprintf(text, sizeof(text), "json=/dev/fd/%d", own);
	assert_int_equal(with_stdout(f, "/dev/null", O_WRONLY, text), -EBADF);
	assert_int_equal(with_stdout(f, "/dev/null", O_WRONLY, "json=/proc/self/exe"), -ELOOP);
	assert_int_equal(with_stdout(f, "/dev/null", O_WRONLY, "json=/proc/self/root/tmp/x"),
			 -ELOOP);
}

/* ---- root in the folders of others
 * ------------------------------------------------------------------ */

static void need_root(void)
{
	if (geteuid() != 0) {
		print_message("needs root, to take the rights of others\n");
		skip();
	}
}

static void make_foreign_folder(struct fixture *f, const char *name, uid_t uid)
{
	assert_int_equal(chmod(f->dir, 0711), 0);
	assert_int_equal(mkdir(at(f, name), 0755), 0);
	assert_int_equal(chown(at(f, name), uid, OTHER_GROUP), 0);
}

static void test_foreign_folder(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	need_root();
	make_foreign_folder(f, "home", OTHER_USER);
	assert_int_equal(report_to(f, at(f, "home/r.json"), write_words), 0);
	st = stat_of(at(f, "home/r.json"));
	assert_int_equal(st.st_uid, OTHER_USER);
	assert_int_equal(st.st_gid, OTHER_GROUP);
	assert_content(at(f, "home/r.json"), "the new report\n");
	/* And all is as before: what root makes is root's again. */
	assert_int_equal(report_to(f, at(f, "r.json"), write_words), 0);
	assert_int_equal(stat_of(at(f, "r.json")).st_uid, 0);
}

/* The rights of a link's owner end with the walk over it. */
static void test_rights_come_back_after_a_walk(void **state)
{
	struct fixture *f = *state;

	need_root();
	make_foreign_folder(f, "home", OTHER_USER);
	assert_int_equal(mkdir(at(f, "closed"), 0700), 0);
	assert_int_equal(symlink("../closed/r.json", at(f, "home/r.json")), 0);
	assert_int_equal(report_to(f, at(f, "home/r.json"), write_words), -EACCES);
	assert_int_equal(report_to(f, at(f, "closed/r.json"), write_words), 0);
	assert_int_equal(stat_of(at(f, "closed/r.json")).st_uid, 0);
}

static void test_groups_come_back(void **state)
{
	static const gid_t wanted[] = { 0, 4242 };
	struct fixture *f = *state;
	gid_t before[64], after[64];
	int n = getgroups(64, before);

	need_root();
	assert_true(n >= 0);
	if (setgroups(KC_ARRAY_SIZE(wanted), wanted) < 0)
		skip();
	make_foreign_folder(f, "home", OTHER_USER);
	assert_int_equal(report_to(f, at(f, "home/r.json"), write_words), 0);
	assert_int_equal(getgroups(64, after), (int)KC_ARRAY_SIZE(wanted));
	assert_memory_equal(after, wanted, sizeof(wanted));
	assert_int_equal(setgroups((size_t)n, before), 0);
}

/* A user's links lead root into folders and at files where the user may not write. */
static void test_links_of_others(void **state)
{
	struct fixture *f = *state;
	kc_cleanup(kc_freep) char *etc = NULL;
	kc_cleanup(kc_freep) char *passwd = NULL;

	need_root();
	make_foreign_folder(f, "home", OTHER_USER);
	assert_int_equal(mkdir(at(f, "etc"), 0755), 0);
	put_file(at(f, "etc/passwd"), "root\n", 0644);
	etc = strdup(at(f, "etc"));
	passwd = strdup(at(f, "etc/passwd"));
	assert_true(etc && passwd);
	assert_int_equal(symlink(etc, at(f, "home/out")), 0);
	assert_int_equal(symlink(passwd, at(f, "home/r.json")), 0);
	assert_int_equal(symlink("../etc/new", at(f, "home/s.json")), 0);
	assert_int_equal(report_to(f, at(f, "home/out/r.json"), write_words), -EACCES);
	assert_non_null(strstr(f->err.text, "with the rights of user 12345"));
	assert_int_equal(report_to(f, at(f, "home/r.json"), write_words), -EACCES);
	assert_int_equal(report_to(f, at(f, "home/s.json"), write_words), -EACCES);
	assert_int_equal(count_entries(etc), 1);
	assert_content(passwd, "root\n");
	assert_int_equal(stat_of(passwd).st_uid, 0);

	/* A link in a folder that all may write, made by a user. */
	assert_int_equal(symlink("etc/new", at(f, "link")), 0);
	assert_int_equal(lchown(at(f, "link"), OTHER_USER, OTHER_GROUP), 0);
	assert_int_equal(report_to(f, at(f, "link"), write_words), -EACCES);
	assert_int_equal(count_entries(etc), 1);
}

static void test_links_of_several_users(void **state)
{
	struct fixture *f = *state;

	need_root();
	make_foreign_folder(f, "one", OTHER_USER);
	make_foreign_folder(f, "two", THIRD_USER);
	assert_int_equal(symlink("../two/link", at(f, "one/link")), 0);
	assert_int_equal(symlink("../r.json", at(f, "two/link")), 0);
	assert_int_equal(report_to(f, at(f, "one/link"), write_words), -EPERM);
	assert_int_equal(report_to(f, at(f, "two/link"), write_words), -EACCES);
}

static void test_fifo_as_a_trap(void **state)
{
	struct fixture *f = *state;
	int reader;

	need_root();
	assert_int_equal(chmod(f->dir, 01777), 0);
	assert_int_equal(mkfifo(at(f, "fifo"), 0666), 0);
	assert_int_equal(chown(at(f, "fifo"), OTHER_USER, OTHER_GROUP), 0);
	reader = open(at(f, "fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(reader >= 0);
	assert_int_equal(report_to(f, at(f, "fifo"), write_words), -EACCES);
	(void)close(reader);
}

/* The permissions that another gave a file are not those of root's report. */
static void test_foreign_file_in_a_shared_folder(void **state)
{
	struct fixture *f = *state;

	need_root();
	assert_int_equal(chmod(f->dir, 01777), 0);
	put_file(at(f, "r.json"), "mine\n", 0666);
	assert_int_equal(chown(at(f, "r.json"), OTHER_USER, OTHER_GROUP), 0);
	assert_int_equal(report_to(f, at(f, "r.json"), write_words), 0);
	assert_int_equal(stat_of(at(f, "r.json")).st_uid, 0);
	assert_int_equal(stat_of(at(f, "r.json")).st_mode & 07777, 0644);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spec),
		cmocka_unit_test_setup_teardown(test_new_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replaces_and_keeps_mode, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failure_keeps_the_old_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_opening_leaves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exchanged_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_places, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_only_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_relative_path, setup, teardown),
		cmocka_unit_test_setup_teardown(test_link_to_a_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loop_of_links, setup, teardown),
		cmocka_unit_test_setup_teardown(test_link_to_a_device, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fifo_without_reader, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fifo_with_reader, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reader_goes_away, setup, teardown),
		cmocka_unit_test_setup_teardown(test_standard_output, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rights_come_back_after_a_walk, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_groups_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links_of_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links_of_several_users, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fifo_as_a_trap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_file_in_a_shared_folder, setup,
						teardown),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("report-files", tests, NULL, NULL);
}
