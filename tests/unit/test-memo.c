/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "root-place.h"
#include "run/host.h"

/*
 * What a worker knows of paths that it was not asked for: each test lets the host change behind its
 * back, so that an answer shows whether it was worked out or looked up.
 */

static const struct kc_host *const host = &kc_host_table;

struct look {
	struct kc_root *root;
	struct kc_memo memo;
	struct kc_run run;
	struct kc_strings names;
	struct kc_bytes bytes;
	struct kc_stat st;
	const char *text;
};

static void look_done(struct look *l)
{
	kc_run_done(&l->run);
	kc_memo_done(&l->memo);
	kc_root_free(l->root);
}

/* At a fixed address, as the run points into it. */
static void begin(const struct place *p, unsigned flags, struct look *l)
{
	*l = (struct look){ .st.size_of = sizeof(l->st) };
	l->root = open_root(p->root, flags);
	l->run = (struct kc_run){
		.root = l->root,
		.horizons = KC_NOW,
		.deadline_usec = kc_now_usec() + 10 * 1000000,
		.memo = &l->memo,
	};
}

static int stat_of(struct look *l, const char *path, uint32_t flags)
{
	return kc_stat(host, &l->run, path, flags, &l->st);
}

/* Every question about a path comes to this errno, with the sentence of a look-up. */
static void assert_gone(struct look *l, const char *path)
{
	kc_cleanup(kc_freep) char *why = kc_asprintf("%s: there is no such file or folder", path);
	int fd;

	assert_int_equal(stat_of(l, path, 0), -ENOENT);
	assert_string_equal(kc_why(host, &l->run), why);
	assert_int_equal(stat_of(l, path, KC_NOFOLLOW), -ENOENT);
	assert_int_equal(kc_read_file(host, &l->run, path, 99, &l->bytes), -ENOENT);
	assert_string_equal(kc_why(host, &l->run), why);
	assert_int_equal(kc_open_file(host, &l->run, path, 0, &fd), -ENOENT);
	assert_int_equal(kc_read_link(host, &l->run, path, &l->text), -ENOENT);
	assert_string_equal(kc_why(host, &l->run), why);
	assert_int_equal(kc_list_dir(host, &l->run, path, &l->names), -ENOENT);
	assert_int_equal(kc_list_links(host, &l->run, path, &l->names), -ENOENT);
	assert_int_equal(kc_resolve(host, &l->run, path, &l->text), -ENOENT);
	assert_string_equal(kc_why(host, &l->run), why);
}

static void test_lacking_in_a_list(void **state)
{
	struct place *p = *state;

	for (unsigned flags = 0; flags <= KC_ROOT_LIVE; flags += KC_ROOT_LIVE) {
		kc_cleanup(look_done) struct look l = { 0 };

		begin(p, flags, &l);
		if (flags) { /* the first round has made them */
			kc_cleanup(kc_freep) char *new = in(p->root, "etc/new/file");
			kc_cleanup(kc_freep) char *folder_of_it = in(p->root, "etc/new");

			assert_int_equal(unlink(new), 0);
			assert_int_equal(rmdir(folder_of_it), 0);
		}
		assert_int_equal(kc_list_dir(host, &l.run, "/etc", &l.names), 0);
		assert_int_equal(kc_list_dir(host, &l.run, "/folder", &l.names), 0);
		folder(p->root, "etc/new");
		put(p->root, "etc/new/file", "new");
		assert_gone(&l, "/etc/new");
		assert_gone(&l, "/etc/new/file");
		assert_gone(&l, "/folder/new/file");
		/* By other texts the folder was not listed. */
		assert_int_equal(stat_of(&l, "/here/etc/new/file", 0), 0);
		assert_int_equal(stat_of(&l, "/etc/./new/file", 0), 0);
		assert_int_equal(stat_of(&l, "/etc//new/file", 0), 0);
		assert_int_equal(stat_of(&l, "/etc/sub/../new/file", 0), 0);
		assert_gone(&l, "/etc/new/");
	}
}

/* Folders may be told to take these for the same. */
static void test_names_that_fold(void **state)
{
	struct place *p = *state;
	kc_cleanup(look_done) struct look l = { 0 };

	begin(p, KC_ROOT_LIVE, &l);
	assert_int_equal(kc_list_dir(host, &l.run, "/etc", &l.names), 0);
	put(p->root, "etc/HostName", "other");
	assert_int_equal(stat_of(&l, "/etc/HostName", 0), 0);
	put(p->root, "etc/h\xc3\xb6st", "beyond ASCII");
	assert_int_equal(stat_of(&l, "/etc/h\xc3\xb6st", 0), 0);
	/* What is listed may fold to ASCII, then (a Kelvin sign to k). */
	put(p->root, "etc/sub/\xe2\x84\xaa", "kelvin");
	assert_int_equal(kc_list_dir(host, &l.run, "/etc/sub", &l.names), 0);
	put(p->root, "etc/sub/k", "k");
	assert_int_equal(stat_of(&l, "/etc/sub/k", 0), 0);
}

/* Paths and names that the kernel refuses with other words. */
static void test_too_long(void **state)
{
	struct place *p = *state;
	kc_cleanup(look_done) struct look l = { 0 };
	char name[NAME_MAX + 2 + 5], path[PATH_MAX + 1];

	begin(p, KC_ROOT_LIVE, &l);
	assert_int_equal(kc_list_dir(host, &l.run, "/etc", &l.names), 0);
	memset(name, 'n', sizeof(name));
	memcpy(name, "/etc/", 5);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(stat_of(&l, name, 0), -ENAMETOOLONG);
	assert_int_equal(stat_of(&l, name, KC_NOFOLLOW), -ENAMETOOLONG);
	memset(path, '/', sizeof(path));
	memcpy(path, "/etc/no", 7);
	path[PATH_MAX] = '\0';
	assert_int_equal(stat_of(&l, path, 0), -ENAMETOOLONG);
}

static void test_below_what_was_not_there(void **state)
{
	struct place *p = *state;
	kc_cleanup(look_done) struct look l = { 0 };

	begin(p, KC_ROOT_LIVE, &l);
	assert_int_equal(kc_list_dir(host, &l.run, "/a", &l.names), -ENOENT);
	assert_int_equal(stat_of(&l, "/b", KC_NOFOLLOW), -ENOENT);
	assert_int_equal(kc_resolve(host, &l.run, "/c", &l.text), -ENOENT);
	assert_int_equal(kc_read_link(host, &l.run, "/d", &l.text), -ENOENT);
	assert_int_equal(stat_of(&l, "/e/f", 0), -ENOENT);
	for (const char *name = "abcde"; *name; name++) {
		char path[] = "?/file", full[] = "/?/file";

		path[0] = full[1] = *name;
		path[1] = '\0';
		folder(p->root, path);
		path[1] = '/';
		put(p->root, path, "there now");
		if (*name == 'e') /* of which nothing was said */
			assert_int_equal(stat_of(&l, full, 0), 0);
		else
			assert_gone(&l, full);
	}
}

/* A link that leads nowhere is there, and nothing is behind it. */
static void test_dangling(void **state)
{
	struct place *p = *state;
	kc_cleanup(look_done) struct look l = { 0 };

	begin(p, KC_ROOT_LIVE, &l);
	assert_int_equal(stat_of(&l, "/dangling", 0), -ENOENT);
	assert_int_equal(kc_resolve(host, &l.run, "/dangling", &l.text), -ENOENT);
	assert_int_equal(stat_of(&l, "/dangling", KC_NOFOLLOW), 0);
	assert_int_equal(l.st.type, KC_FILE_SYMLINK);
	assert_int_equal(kc_read_link(host, &l.run, "/dangling", &l.text), 0);
	assert_string_equal(l.text, "/nowhere/at/all");
	assert_gone(&l, "/dangling/file");
}

/* Asked of the folder or by the path: the same of each name, and the same words. */
static void test_asked_of_the_folder(void **state)
{
	static const char *const folders[] = { "", "/etc", "/etc/sub", "/folder", "/shut" };
	static const uint32_t hows[] = { 0, KC_NOFOLLOW };
	struct place *p = *state;
	kc_cleanup(look_done) struct look l = { 0 };
	kc_cleanup(look_done) struct look plain = { 0 };

	begin(p, KC_ROOT_LIVE, &l);
	begin(p, KC_ROOT_LIVE, &plain);
	plain.run.memo = NULL;
	for (size_t i = 0; i < KC_ARRAY_SIZE(folders); i++) {
		struct kc_strings names;

		assert_int_equal(kc_list_dir(host, &l.run, *folders[i] ? folders[i] : "/", &names),
				 0);
		for (size_t k = 0; k < names.n; k++) {
			kc_cleanup(kc_freep) char *path =
				kc_asprintf("%s/%s", folders[i], names.item[k]);
			int r = kc_read_link(host, &plain.run, path, &plain.text);

			assert_int_equal(kc_read_link(host, &l.run, path, &l.text), r);
			if (r == 0)
				assert_string_equal(l.text, plain.text);
			else
				assert_string_equal(kc_why(host, &l.run), kc_why(host, &plain.run));
			for (size_t h = 0; h < KC_ARRAY_SIZE(hows); h++) {
				r = stat_of(&plain, path, hows[h]);
				assert_int_equal(stat_of(&l, path, hows[h]), r);
				if (r == 0)
					assert_memory_equal(&l.st, &plain.st, sizeof(l.st));
				else
					assert_string_equal(kc_why(host, &l.run),
							    kc_why(host, &plain.run));
			}
		}
	}
}

/* What is asked of a folder after it was listed is what is there under that name by then. */
static void test_folder_that_moved(void **state)
{
	struct place *p = *state;
	kc_cleanup(look_done) struct look l = { 0 };
	kc_cleanup(kc_freep) char *from = in(p->root, "etc"), *to = in(p->root, "etc.old");

	begin(p, KC_ROOT_LIVE, &l);
	assert_int_equal(kc_list_dir(host, &l.run, "/etc", &l.names), 0);
	assert_int_equal(rename(from, to), 0);
	/* The same folder, for as long as the worker judges. */
	assert_int_equal(stat_of(&l, "/etc/hostname", 0), 0);
	assert_int_equal(kc_read_link(host, &l.run, "/etc/relative", &l.text), 0);
	assert_int_equal(stat_of(&l, "/etc/relative", 0), -ENOENT);
}

/* More folders than descriptors are kept of. */
static void test_many_folders(void **state)
{
	struct place *p = *state;
	kc_cleanup(look_done) struct look l = { 0 };
	char name[32], path[64];
	int first = -1, last = -1;

	begin(p, KC_ROOT_LIVE, &l);
	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "m%03u", i);
		folder(p->root, name);
		(void)snprintf(path, sizeof(path), "%s/file", name);
		put(p->root, path, "text");
		(void)snprintf(path, sizeof(path), "/%s", name);
		assert_int_equal(kc_list_dir(host, &l.run, path, &l.names), 0);
		last = dup(0);
		first = i == 0 ? last : first;
		close(last);
	}
	assert_in_range(last - first, 0, 64);
	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(path, sizeof(path), "/m%03u/file", i);
		assert_int_equal(stat_of(&l, path, 0), 0);
	}
	kc_memo_done(&l.memo);
	last = dup(0);
	close(last);
	assert_in_range(last, 0, first);
}

/* procfs finds what it does not list: threads by their numbers. */
static void test_lists_that_are_not_all(void **state)
{
	struct kc_root *root = open_root("/", KC_ROOT_LIVE);
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_folder proc = { 0 };
	struct kc_err err;

	assert_int_equal(kc_folder_list(root, "/proc", false, &arena, &err, &proc), 0);
	assert_true(proc.names.n > 10);
	assert_false(kc_folder_lacks(&proc, "surely-not-there"));
	close(proc.fd);
	kc_root_free(root);
}

/* Who may read a folder but not search it is told that, and not that names are not there. */
static int look_without_search(struct place *p)
{
	kc_cleanup(kc_freep) char *path = in(p->root, "etc/sub");
	struct look l = { 0 };

	begin(p, KC_ROOT_LIVE, &l);
	MUST(chmod(path, 0744) == 0);
	if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
		return 77;
	MUST(kc_list_dir(host, &l.run, "/etc/sub", &l.names) == 0);
	MUST(l.names.n == 1);
	MUST(stat_of(&l, "/etc/sub/none", 0) == -EACCES);
	MUST(stat_of(&l, "/etc/sub/file", 0) == -EACCES);
	MUST(kc_list_links(host, &l.run, "/shut", &l.names) == -EACCES);
	look_done(&l);
	return 0;
}

static void test_without_search(void **state)
{
	in_child(look_without_search, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(test_lacking_in_a_list),
		PLACE_TEST(test_names_that_fold),
		PLACE_TEST(test_too_long),
		PLACE_TEST(test_below_what_was_not_there),
		PLACE_TEST(test_dangling),
		PLACE_TEST(test_asked_of_the_folder),
		PLACE_TEST(test_folder_that_moved),
		PLACE_TEST(test_many_folders),
		cmocka_unit_test(test_lists_that_are_not_all),
		PLACE_TEST(test_without_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
