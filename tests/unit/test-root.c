/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "../shims/no-openat2.h"
#include "root-place.h"

static int read_below(struct kc_root *root, const char *path, size_t max, struct kc_buf *b)
{
	struct kc_err err = { 0 };
	int r = kc_root_read(root, path, max, &err, b);

	if (r < 0) {
		assert_int_equal(err.code, r);
		assert_memory_equal(err.text, path, KC_MIN(strlen(path), (size_t)200));
	}
	return r;
}

struct answer {
	const char *path;
	int code;
	const char *text; /* NULL: what comes is not looked at */
};

static void check_reads(const char *dir, unsigned flags, const struct answer *table, size_t n)
{
	for (size_t w = 0; w < KC_ARRAY_SIZE(ways); w++) {
		kc_cleanup(kc_root_freep) struct kc_root *root = open_root(dir, ways[w] | flags);

		for (size_t i = 0; i < n; i++) {
			kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
			int r = read_below(root, table[i].path, 4096, &b);

			if (r != table[i].code)
				fail_msg("%s, way %zu: %d (%s), not %d", table[i].path, w, r,
					 strerror(-r), table[i].code);
			if (r == 0 && table[i].text)
				assert_string_equal(b.data, table[i].text);
			if (r < 0)
				assert_int_equal(b.len, 0);
		}
	}
}

static void test_reads(void **state)
{
	struct place *p = *state;
	static const struct answer table[] = {
		{ "/etc/hostname", 0, "inside" },
		{ "//etc///hostname", 0, "inside" },
		{ "/./etc/./hostname", 0, "inside" },
		{ "/etc/sub/../hostname", 0, "inside" },
		{ "/etc/sub/../../etc/sub/../sub/file", 0, "deep" },
		{ "/../../../etc/hostname", 0, "inside" },
		{ "/etc/../../../../etc/hostname", 0, "inside" },
		{ "/etc/absolute", 0, "inside" },
		{ "/etc/relative", 0, "inside" },
		{ "/etc/above", 0, "inside" },
		{ "/etc/dotted", 0, "inside" },
		{ "/folder/hostname", 0, "inside" },
		{ "/folder/../etc/hostname", 0, "inside" },
		{ "/here/here/here/etc/hostname", 0, "inside" },
		{ "/top/top/top/../etc/hostname", 0, "inside" },
		{ "/slashed-folder/hostname", 0, "inside" },
		{ "/c0", 0, "inside" },
		{ "/d1", 0, "inside" },
		{ "/d0", -ELOOP, NULL },
		{ "/loop1", -ELOOP, NULL },
		{ "/loop1/x", -ELOOP, NULL },
		{ "/self/", -ELOOP, NULL },
		{ "/outward/secret", -ENOENT, NULL },
		{ "/outfile", -ENOENT, NULL },
		{ "/climb", -ENOENT, NULL },
		{ "/../outside/secret", -ENOENT, NULL },
		{ "/dangling", -ENOENT, NULL },
		{ "/dangling/", -ENOENT, NULL },
		{ "/missing", -ENOENT, NULL },
		{ "/missing/../etc/hostname", -ENOENT, NULL },
		{ "/etc/hostname/", -ENOTDIR, NULL },
		{ "/etc/hostname/.", -ENOTDIR, NULL },
		{ "/etc/hostname/..", -ENOTDIR, NULL },
		{ "/etc/hostname/x", -ENOTDIR, NULL },
		{ "/etc/relative/", -ENOTDIR, NULL },
		{ "/etc/relative/..", -ENOTDIR, NULL },
		{ "/slashed", -ENOTDIR, NULL },
		{ "/fifo/", -ENOTDIR, NULL },
		{ "/etc", -EISDIR, NULL },
		{ "/", -EISDIR, NULL },
		{ "/..", -EISDIR, NULL },
		{ "/folder", -EISDIR, NULL },
		{ "/fifo", -EINVAL, NULL },
		{ "/socket", -EINVAL, NULL },
		{ "etc/hostname", -EINVAL, NULL },
		{ "", -EINVAL, NULL },
	};

	check_reads(p->root, 0, table, KC_ARRAY_SIZE(table));
	check_reads(p->root, KC_ROOT_LIVE, table, KC_ARRAY_SIZE(table));
}

/* Names and paths at the kernel's limits. */
static void test_lengths(void **state)
{
	struct place *p = *state;
	char name[NAME_MAX + 3] = "/", path[PATH_MAX + 1], deep[PATH_MAX];
	const struct answer table[] = {
		{ name, -ENAMETOOLONG, NULL },
		{ path, -ENAMETOOLONG, NULL },
		{ deep, 0, "inside" },
	};
	const char tail[] = "etc/hostname";
	size_t n = sizeof(deep) - sizeof(tail);

	memset(name + 1, 'a', NAME_MAX + 1);
	memset(path, '/', PATH_MAX);
	path[PATH_MAX] = 0;
	/* As long as a path may be: "/here" has a link each, "etc/.." none. */
	memset(deep, '/', sizeof(deep));
	for (size_t i = 0; i + 7 <= n; i += 7)
		memcpy(deep + i, "/etc/..", 7);
	memcpy(deep + n, tail, sizeof(tail));
	check_reads(p->root, 0, table, KC_ARRAY_SIZE(table));
}

static const char *const all_paths[] = {
	"/",
	"/etc",
	"/etc/",
	"/etc/.",
	"/etc/..",
	"/etc/relative",
	"/etc/relative/",
	"/etc/above",
	"/folder",
	"/folder/",
	"/folder/.",
	"/folder/..",
	"/folder/sub/..",
	"/loop1",
	"/loop1/",
	"/self",
	"/here",
	"/here/",
	"/here/..",
	"/top",
	"/top/",
	"/top/..",
	"/dangling",
	"/dangling/",
	"/dangling/x",
	"/slashed",
	"/slashed/",
	"/slashed-folder",
	"/c0",
	"/d0",
	"/d1",
	"/fifo",
	"/fifo/x",
	"/socket",
	"/socket/..",
	"/outward",
	"/outward/secret",
	"/outfile",
	"/shut",
	"/shut/",
	"/shut/.",
	"/shut/..",
	"/shut/file",
	"/shut/missing",
	"/shut/../etc",
	"/shut/file/x",
	"/private",
	"/private/",
	"/...",
	"/etc/...",
	"/.",
	"/..",
	"/./../.",
	"/etc//sub//..//hostname",
};

static void test_same_answers(void **state)
{
	struct place *p = *state;

	compare_ways(p->root, 0, all_paths, KC_ARRAY_SIZE(all_paths));
	compare_ways(p->root, KC_ROOT_LIVE, all_paths, KC_ARRAY_SIZE(all_paths));
	compare_ways(p->outside, 0, all_paths, KC_ARRAY_SIZE(all_paths));
}

static int unprivileged(struct place *p)
{
	char text[64];

	if (setegid(NOBODY) < 0 || seteuid(NOBODY) < 0)
		return 77;
	for (size_t w = 0; w < KC_ARRAY_SIZE(ways); w++) {
		struct kc_root *root;

		MUST(kc_root_open(p->root, ways[w], NULL, &root) == 0);
		MUST(read_text(root, "/private", text, sizeof(text)) == -EACCES);
		MUST(read_text(root, "/shut/file", text, sizeof(text)) == -EACCES);
		MUST(read_text(root, "/shut/../etc/hostname", text, sizeof(text)) == -EACCES);
		MUST(read_text(root, "/shut/.", text, sizeof(text)) == -EACCES);
		MUST(read_text(root, "/shut", text, sizeof(text)) == -EISDIR);
		MUST(read_text(root, "/etc/hostname", text, sizeof(text)) == 0);
		MUST(kc_streq(text, "inside"));
		kc_root_free(root);
	}
	compare_ways(p->root, 0, all_paths, KC_ARRAY_SIZE(all_paths));
	return 0;
}

static void test_unprivileged(void **state)
{
	if (geteuid() != 0)
		skip(); /* needs two users */
	in_child(unprivileged, *state);
}

/* A folder for all, a stranger's link in it: what fs.protected_symlinks says holds both ways. */
static void test_sticky_folder(void **state)
{
	static const char *const paths[] = { "/sticky/link", "/sticky/link/",
					     "/sticky/dir/hostname", "/sticky/own" };
	struct place *p = *state;
	kc_cleanup(kc_freep) char *sticky = in(p->root, "sticky");
	kc_cleanup(kc_freep) char *link = in(sticky, "link");
	kc_cleanup(kc_freep) char *dir = in(sticky, "dir");

	if (geteuid() != 0)
		skip(); /* needs two users */
	folder(p->root, "sticky");
	assert_int_equal(chmod(sticky, 01777), 0);
	link_to(sticky, "link", "/etc/hostname");
	link_to(sticky, "dir", "/etc");
	link_to(sticky, "own", "/etc/hostname");
	assert_int_equal(lchown(link, NOBODY, NOBODY), 0);
	assert_int_equal(lchown(dir, NOBODY, NOBODY), 0);
	compare_ways(p->root, 0, paths, KC_ARRAY_SIZE(paths));
}

static void test_devices(void **state)
{
	static const struct answer table[] = { { "/zero", -EINVAL, NULL },
					       { "/block", -EINVAL, NULL } };
	struct place *p = *state;
	kc_cleanup(kc_freep) char *zero = in(p->root, "zero");
	kc_cleanup(kc_freep) char *block = in(p->root, "block");

	if (mknod(zero, S_IFCHR | 0666, makedev(1, 5)) < 0 ||
	    mknod(block, S_IFBLK | 0666, makedev(7, 250)) < 0) {
		print_message("devices cannot be made here: %s\n", strerror(errno));
		skip();
	}
	check_reads(p->root, 0, table, KC_ARRAY_SIZE(table));
}

/* A FIFO's writer notices when it is opened: it must not. */
static void test_fifo_untouched(void **state)
{
	struct place *p = *state;
	kc_cleanup(kc_freep) char *path = in(p->root, "fifo");
	kc_cleanup(kc_closep) int fd = -EBADF;

	for (size_t w = 0; w < KC_ARRAY_SIZE(ways); w++) {
		kc_cleanup(kc_root_freep) struct kc_root *root = open_root(p->root, ways[w]);
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

		assert_int_equal(read_below(root, "/fifo", 10, &b), -EINVAL);
		/* Without a reader a writer that does not wait is refused. */
		fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		assert_true(fd < 0 && errno == ENXIO);
	}
}

static void test_sizes(void **state)
{
	struct place *p = *state;
	kc_cleanup(kc_freep) char *path = in(p->root, "sparse");

	put(p->root, "sparse", "");
	put(p->root, "ten", "0123456789");
	assert_int_equal(truncate(path, (off_t)1 << 36), 0);
	for (size_t w = 0; w < KC_ARRAY_SIZE(ways); w++) {
		kc_cleanup(kc_root_freep) struct kc_root *root = open_root(p->root, ways[w]);
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

		assert_int_equal(read_below(root, "/sparse", 1 << 20, &b), -EFBIG);
		assert_int_equal(b.len, 0);
		assert_int_equal(read_below(root, "/ten", 9, &b), -EFBIG);
		assert_int_equal(read_below(root, "/ten", 0, &b), -EFBIG);
		assert_int_equal(read_below(root, "/ten", 10, &b), 0);
		assert_string_equal(b.data, "0123456789");
		assert_int_equal(read_below(root, "/ten", SIZE_MAX, &b), 0);
		assert_int_equal(b.len, 20);
		assert_int_equal(read_below(root, "/ten", 9, &b), -EFBIG);
		assert_string_equal(b.data, "01234567890123456789");
	}
}

static void test_links_and_stat(void **state)
{
	struct place *p = *state;

	for (size_t w = 0; w < KC_ARRAY_SIZE(ways); w++) {
		kc_cleanup(kc_root_freep) struct kc_root *root = open_root(p->root, ways[w]);
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
		struct kc_stat st = { .size_of = sizeof(st) };
		struct kc_filesystem fs = { .size_of = sizeof(fs) };
		struct kc_err err;
		int fd;

		assert_int_equal(kc_root_read_link(root, "/etc/absolute", &err, &b), 0);
		assert_string_equal(b.data, "/etc/hostname");
		assert_int_equal(kc_root_read_link(root, "/etc/hostname", &err, &b), -EINVAL);
		assert_int_equal(kc_root_read_link(root, "/missing", &err, &b), -ENOENT);
		assert_int_equal(kc_root_stat(root, "/etc/absolute", KC_NOFOLLOW, &err, &st), 0);
		assert_int_equal(st.type, KC_FILE_SYMLINK);
		assert_int_equal(kc_root_stat(root, "/etc/absolute", 0, &err, &st), 0);
		assert_int_equal(st.type, KC_FILE_REGULAR);
		assert_int_equal(st.size, 6);
		assert_int_equal(kc_root_stat(root, "/private", 0, &err, &st), 0);
		assert_int_equal(st.mode, 0600);
		assert_int_equal(st.uid, geteuid());
		assert_int_equal(kc_root_stat(root, "/fifo", 0, &err, &st), 0);
		assert_int_equal(st.type, KC_FILE_FIFO);
		assert_int_equal(kc_root_stat(root, "/socket", 0, &err, &st), 0);
		assert_int_equal(st.type, KC_FILE_SOCKET);
		assert_int_equal(kc_root_open_file(root, "/etc/absolute", KC_NOFOLLOW, &err, &fd),
				 -ELOOP);
		assert_int_equal(kc_root_filesystem(root, "/etc", &err, &fs), 0);
		assert_true(fs.bytes >= fs.bytes_free && fs.type != 0);
		kc_buf_reset(&b);
		assert_int_equal(kc_root_label(root, "/missing", &err, &b), -ENOENT);
	}
}

static void test_resolve(void **state)
{
	static const char *const table[][2] = {
		{ "/", "/" },
		{ "/../..", "/" },
		{ "/etc/", "/etc" },
		{ "/etc/absolute", "/etc/hostname" },
		{ "/etc/above", "/etc/hostname" },
		{ "/folder/sub/../relative", "/etc/hostname" },
		{ "/top/here/etc/./sub", "/etc/sub" },
		{ "/etc/sub/..", "/etc" },
		{ "/etc/sub/../..", "/" },
	};
	struct place *p = *state;

	for (size_t w = 0; w < KC_ARRAY_SIZE(ways); w++) {
		kc_cleanup(kc_root_freep) struct kc_root *root = open_root(p->root, ways[w]);
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
		struct kc_err err;

		for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
			kc_buf_reset(&b);
			assert_int_equal(kc_root_resolve(root, table[i][0], &err, &b), 0);
			assert_string_equal(b.data, table[i][1]);
		}
		kc_buf_reset(&b);
		assert_int_equal(kc_root_resolve(root, "/dangling", &err, &b), -ENOENT);
		assert_int_equal(b.len, 0);
	}
}

static void test_list(void **state)
{
	static const char *const names[] = { "above",	 "absolute", "dotted",
					     "hostname", "relative", "sub" };
	struct place *p = *state;

	for (size_t w = 0; w < KC_ARRAY_SIZE(ways); w++) {
		kc_cleanup(kc_root_freep) struct kc_root *root = open_root(p->root, ways[w]);
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		struct kc_strings list = { 0 };
		struct kc_err err;

		assert_int_equal(kc_root_list(root, "/folder", &arena, &err, &list), 0);
		assert_int_equal(list.n, KC_ARRAY_SIZE(names));
		for (size_t i = 0; i < list.n; i++)
			assert_string_equal(list.item[i], names[i]);
		assert_null(list.item[list.n]);
		assert_int_equal(kc_root_list(root, "/etc/sub/..", &arena, &err, &list), 0);
		assert_int_equal(list.n, KC_ARRAY_SIZE(names));
		assert_int_equal(kc_root_list(root, "/etc/hostname", &arena, &err, &list),
				 -ENOTDIR);
		assert_int_equal(kc_root_list(root, "/fifo", &arena, &err, &list), -ENOTDIR);
		assert_int_equal(kc_root_list(root, "/missing", &arena, &err, &list), -ENOENT);
	}
}

static void test_list_many(void **state)
{
	struct place *p = *state;
	kc_cleanup(kc_freep) char *many = in(p->root, "many");
	kc_cleanup(kc_root_freep) struct kc_root *root = open_root(p->root, 0);
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_closep) int dir = -EBADF;
	struct kc_strings list = { 0 };
	struct kc_err err;
	char name[16];

	assert_int_equal(mkdir(many, 0755), 0);
	dir = open(many, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (unsigned i = 0; i < 65536; i++) {
		snprintf(name, sizeof(name), "%05u", i);
		assert_int_equal(symlinkat("x", dir, name), 0);
	}
	assert_int_equal(kc_root_list(root, "/many", &arena, &err, &list), 0);
	assert_int_equal(list.n, 65536);
	for (unsigned i = 0; i < list.n; i++) {
		snprintf(name, sizeof(name), "%05u", i);
		assert_string_equal(list.item[i], name);
	}
	assert_null(list.item[list.n]);
	assert_int_equal(symlinkat("x", dir, "one-more"), 0);
	assert_int_equal(kc_root_list(root, "/many", &arena, &err, &list), -EFBIG);
}

/* Swaps two names for ever, by one atomic step each time. */
struct swapper {
	char *a, *b;
	atomic_bool stop;
	atomic_uint swaps;
};

static void *swap(void *arg)
{
	struct swapper *s = arg;

	while (!atomic_load(&s->stop)) {
		if (syscall(SYS_renameat2, AT_FDCWD, s->a, AT_FDCWD, s->b,
			    2 /* RENAME_EXCHANGE */) == 0)
			atomic_fetch_add(&s->swaps, 1);
	}
	return NULL;
}

/* Reads paths while names are swapped; whatever comes must be from inside. */
static void read_while_swapping(struct place *p, struct swapper *s, const char *const *paths)
{
	for (size_t w = 0; w < KC_ARRAY_SIZE(ways); w++) {
		kc_cleanup(kc_root_freep) struct kc_root *root = open_root(p->root, ways[w]);
		unsigned hits = 0;
		pthread_t thread;

		atomic_store(&s->stop, false);
		atomic_store(&s->swaps, 0);
		assert_int_equal(pthread_create(&thread, NULL, swap, s), 0);
		for (unsigned i = 0; i < 20000 || (atomic_load(&s->swaps) < 100 && i < 2000000);
		     i++) {
			kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

			if (kc_root_read(root, paths[i % 2], 64, NULL, &b) < 0)
				continue;
			hits++;
			if (!kc_streq(b.data, "inside")) {
				atomic_store(&s->stop, true);
				fail_msg("%s led to: %s", paths[i % 2], b.data);
			}
		}
		atomic_store(&s->stop, true);
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_true(atomic_load(&s->swaps) >= 100);
		assert_true(hits > 0);
	}
}

static void test_swapped_link(void **state)
{
	static const char *const paths[] = { "/real/secret", "/real/../real/secret" };
	struct place *p = *state;
	struct swapper s = { .a = in(p->root, "real"), .b = in(p->root, "trap") };

	folder(p->root, "real");
	put(p->root, "real/secret", "inside");
	link_to(p->root, "trap", p->outside);
	read_while_swapping(p, &s, paths);
	free(s.a);
	free(s.b);
}

/* A folder that leaves the root while the walk stands in it: its ".." lies outside. */
static void test_moved_folder(void **state)
{
	static const char *const paths[] = { "/a/b/c/../../../secret", "/a/b/c/.././../secret" };
	struct place *p = *state;
	struct swapper s = { .a = in(p->root, "a/b"), .b = in(p->outside, "b") };

	folder(p->root, "a");
	folder(p->root, "a/b");
	folder(p->root, "a/b/c");
	folder(p->outside, "b");
	folder(p->outside, "b/c");
	put(p->root, "secret", "inside");
	put(p->root, "a/secret", "inside");
	read_while_swapping(p, &s, paths);
	free(s.a);
	free(s.b);
}

static int without_proc(struct place *p)
{
	struct kc_err err = { 0 };
	struct kc_root *root;
	struct kc_buf b = { 0 };

	if (own_namespace() < 0 || umount2("/proc", MNT_DETACH) < 0)
		return 77;
	MUST(kc_root_open(p->root, 0, &err, &root) == 0);
	MUST(kc_root_read(root, "/etc/hostname", 100, &err, &b) == -EACCES);
	MUST(strstr(err.text, "/proc is not mounted") != NULL);
	kc_root_free(root);
	return 0;
}

static void test_without_proc(void **state)
{
	in_child(without_proc, *state);
}

static int filtered(struct place *p, int error)
{
	struct kc_root *before, *after;
	char text[64];

	MUST(kc_root_open(p->root, KC_ROOT_LIVE, NULL, &before) == 0);
	if (kc_test_deny_openat2(error) < 0)
		return 77;
	MUST(kc_root_open(p->root, KC_ROOT_LIVE, NULL, &after) == 0);
	MUST(syscall(437, AT_FDCWD, "/", NULL, 0) < 0 && errno == error);
	MUST(read_text(before, "/etc/above", text, sizeof(text)) == 0 && kc_streq(text, "inside"));
	MUST(read_text(after, "/etc/above", text, sizeof(text)) == 0 && kc_streq(text, "inside"));
	MUST(read_text(before, "/outfile", text, sizeof(text)) == -ENOENT);
	kc_root_free(before);
	kc_root_free(after);
	return 0;
}

static int filtered_enosys(struct place *p)
{
	return filtered(p, ENOSYS);
}

static int filtered_eperm(struct place *p)
{
	return filtered(p, EPERM);
}

static void test_filtered(void **state)
{
	in_child(filtered_enosys, *state);
	in_child(filtered_eperm, *state);
}

static void test_open(void **state)
{
	struct place *p = *state;
	kc_cleanup(kc_freep) char *missing = in(p->top, "missing");
	kc_cleanup(kc_freep) char *file = in(p->root, "etc/hostname");
	kc_cleanup(kc_root_freep) struct kc_root *root = NULL;
	struct kc_err err;

	assert_int_equal(kc_root_open(missing, 0, &err, &root), -ENOENT);
	assert_non_null(strstr(err.text, "there is no such folder"));
	assert_int_equal(kc_root_open(file, 0, &err, &root), -ENOTDIR);
	assert_non_null(strstr(err.text, "is no folder"));
	assert_int_equal(kc_root_open(p->root, KC_ROOT_LIVE, &err, &root), 0);
	assert_string_equal(kc_root_path(root), p->root);
	assert_true(kc_root_is_live(root));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(test_reads),		 PLACE_TEST(test_lengths),
		PLACE_TEST(test_same_answers),	 PLACE_TEST(test_unprivileged),
		PLACE_TEST(test_sticky_folder),	 PLACE_TEST(test_devices),
		PLACE_TEST(test_fifo_untouched), PLACE_TEST(test_sizes),
		PLACE_TEST(test_links_and_stat), PLACE_TEST(test_resolve),
		PLACE_TEST(test_list),		 PLACE_TEST(test_list_many),
		PLACE_TEST(test_swapped_link),	 PLACE_TEST(test_moved_folder),
		PLACE_TEST(test_without_proc),	 PLACE_TEST(test_filtered),
		PLACE_TEST(test_open),
	};

	return cmocka_run_group_tests_name("root", tests, NULL, NULL);
}
