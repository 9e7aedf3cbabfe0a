/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "fix/node.h"

#define SHA "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void assert_same_time(const struct timespec *a, const struct timespec *b)
{
	assert_int_equal(a->tv_sec, b->tv_sec);
	assert_int_equal(a->tv_nsec, b->tv_nsec);
}

static void round_trip(const struct kc_node *node)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 }, again = { 0 };
	struct kc_node got;

	kc_node_put(&b, node);
	if (kc_node_get(b.data, &arena, &got) < 0)
		fail_msg("%s cannot be read again", b.data);
	assert_true(kc_node_same(node, &got));
	assert_int_equal(node->size, got.size);
	assert_int_equal(node->mode, got.mode);
	assert_same_time(&node->atime, &got.atime);
	assert_same_time(&node->mtime, &got.mtime);
	kc_node_put(&again, &got);
	assert_string_equal(again.data, b.data);
}

static void test_round_trips(void **state)
{
	static const struct kc_node_xattr xattrs[] = {
		{ "security.selinux", "system_u:object_r:etc_t:s0", 27 },
		{ "user.,:=%", "\0\1,:\n\377", 6 },
		{ "user.empty", "", 0 },
	};
	const struct kc_node nodes[] = {
		{ 0 },
		{ .type = KC_FILE_REGULAR, .mode = 0644, .sha256 = SHA, .size = 12 },
		{ .type = KC_FILE_REGULAR, .mode = 07777, .uid = UINT32_MAX, .gid = UINT32_MAX },
		{ .type = KC_FILE_REGULAR,
		  .mode = 0600,
		  .size = UINT64_MAX,
		  .sha256 = SHA,
		  .atime = { -1, 500000000 },
		  .mtime = { INT64_MIN, 999999999 },
		  .xattrs = xattrs,
		  .n_xattrs = 3 },
		{ .type = KC_FILE_REGULAR, .atime = { INT64_MAX, 0 }, .mtime = { 0, 1 } },
		{ .type = KC_FILE_DIRECTORY, .mode = 01777, .xattrs = xattrs, .n_xattrs = 1 },
		{ .type = KC_FILE_SYMLINK, .mode = 0777, .link = "/dev/null" },
		{ .type = KC_FILE_SYMLINK, .mode = 0777, .link = "../a,b:c %\n\377" },
		{ .type = KC_FILE_SYMLINK, .link = "x", .xattrs = xattrs, .n_xattrs = 2 },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(nodes); i++)
		round_trip(nodes + i);
}

/* What was cut off, or is no node, is refused, and nothing of it is read behind its end. */
static void test_no_nodes(void **state)
{
	static const char *const texts[] = {
		"",
		"x",
		"absent,",
		"absent,1",
		"file",
		"file,",
		"device,420,0,0,0,0.000000000,0.000000000,",
		"file,4096,0,0,0,0.000000000,0.000000000,",
		"file,-1,0,0,0,0.000000000,0.000000000,",
		"file,420,4294967296,0,0,0.000000000,0.000000000,",
		"file,420,0,0,18446744073709551616,0.000000000,0.000000000,",
		"file,420,0,0,0,0,0.000000000,",
		"file,420,0,0,0,0.00000000,0.000000000,",
		"file,420,0,0,0,0.0000000000,0.000000000,",
		"file,420,0,0,0,0.-00000001,0.000000000,",
		"file,420,0,0,0,9223372036854775808.000000000,0.000000000,",
		"file,420,0,0,0,0.000000000,0.000000000",
		"file,420,0,0,0,0.000000000,0.000000000,abc",
		"file,420,0,0,0,0.000000000,0.000000000," SHA "0",
		"file,420,0,0,0,0.000000000,0.000000000," SHA ",",
		"file,420,0,0,0,0.000000000,0.000000000," SHA ",61",
		"file,420,0,0,0,0.000000000,0.000000000," SHA ",:61",
		"file,420,0,0,0,0.000000000,0.000000000," SHA ",6:61",
		"file,420,0,0,0,0.000000000,0.000000000," SHA ",00:61",
		"file,420,0,0,0,0.000000000,0.000000000," SHA ",61:6",
		"file,420,0,0,0,0.000000000,0.000000000," SHA ",61:6g",
		"folder,493,0,0,0,0.000000000,0.000000000,61",
		"link,511,0,0,0,0.000000000,0.000000000,",
		"link,511,0,0,0,0.000000000,0.000000000,6",
		"link,511,0,0,0,0.000000000,0.000000000,6100",
		NULL,
	};

	KC_FOREACH_STR (text, texts) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		struct kc_node node;

		if (kc_node_get(text, &arena, &node) != -EBADMSG)
			fail_msg("'%s' is taken for a node", text);
	}
}

static void test_too_many_xattrs(void **state)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

	kc_buf_adds(&b, "file,420,0,0,0,0.000000000,0.000000000,");
	for (size_t i = 0; i < 1025; i++) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		struct kc_node node;

		kc_buf_adds(&b, ",61:61");
		if (i == 1023)
			assert_int_equal(kc_node_get(b.data, &arena, &node), 0);
		else if (i == 1024)
			assert_int_equal(kc_node_get(b.data, &arena, &node), -EBADMSG);
	}
}

/* ---- real files ---- */

struct place {
	char dir[64];
	int fd;
	bool has_user, has_acl, is_root;
};

/* An access control list as the kernel has it (linux/posix_acl_xattr.h): u::rw-, u:UID:r--, g::r--,
 * m::r--, o::---. */
static const char acl[] = "\2\0\0\0"
			  "\1\0\6\0\377\377\377\377"
			  "\2\0\4\0\350\3\0\0"
			  "\4\0\4\0\377\377\377\377"
			  "\20\0\4\0\377\377\377\377"
			  "\40\0\0\0\377\377\377\377";
#define ACL_NAME "system.posix_acl_access"

static int create(struct place *p, const char *name)
{
	int fd = openat(p->fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	const char *where = getenv("TMPDIR");
	int fd;

	assert_non_null(p);
	(void)snprintf(p->dir, sizeof(p->dir), "%.40s/k8scheck-node-XXXXXX",
		       where ? where : "/var/tmp");
	assert_non_null(mkdtemp(p->dir));
	p->fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p->fd >= 0);
	fd = create(p, "probe");
	p->has_user = fsetxattr(fd, "user.k8scheck", "1", 1, 0) == 0;
	p->has_acl = fsetxattr(fd, ACL_NAME, acl, sizeof(acl) - 1, 0) == 0;
	p->is_root = geteuid() == 0 && fchown(fd, 1234, 5678) == 0;
	(void)kc_close(fd);
	assert_int_equal(unlinkat(p->fd, "probe", 0), 0);
	print_message("user attributes: %s, lists: %s, other owners: %s\n",
		      p->has_user ? "yes" : "no", p->has_acl ? "yes" : "no",
		      p->is_root ? "yes" : "no");
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "a", "b", "l", "m", NULL };
	struct place *p = *state;

	KC_FOREACH_STR (name, names)
		(void)unlinkat(p->fd, name, 0);
	(void)unlinkat(p->fd, "d", AT_REMOVEDIR);
	p->fd = kc_close(p->fd);
	assert_int_equal(rmdir(p->dir), 0);
	free(p);
	return 0;
}

static void read_node(struct place *p, const char *name, struct kc_arena *arena,
		      struct kc_node *ret)
{
	struct kc_err err = { 0 };

	if (kc_node_read(p->fd, name, KC_NODE_CONTENT, arena, &err, ret, NULL, NULL) < 0)
		fail_msg("%s", err.text);
}

/* All that one file has goes onto another, and what the other had besides goes. */
static void test_apply(void **state)
{
	struct place *p = *state;
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_closep) int a = create(p, "a"), b = create(p, "b");
	const struct timespec times[] = { { -5, 250000000 }, { 1000000000, 123456789 } };
	struct kc_node of_a, of_b;
	struct kc_err err = { 0 };

	assert_int_equal(kc_write_all(a, "x", 1), 0);
	assert_int_equal(kc_write_all(b, "x", 1), 0);
	if (p->is_root)
		assert_int_equal(fchown(a, 1234, 5678), 0);
	assert_int_equal(fchmod(a, 06750), 0);
	if (p->has_user) {
		assert_int_equal(fsetxattr(a, "user.of.a", "\0\1\2", 3, 0), 0);
		assert_int_equal(fsetxattr(a, "user.empty", "", 0, 0), 0);
		assert_int_equal(fsetxattr(b, "user.of.b", "x", 1, 0), 0);
	}
	if (p->has_acl)
		assert_int_equal(fsetxattr(a, ACL_NAME, acl, sizeof(acl) - 1, 0), 0);
	assert_int_equal(futimens(a, times), 0);
	read_node(p, "a", &arena, &of_a);
	if (p->has_acl)
		assert_int_equal(of_a.n_xattrs, p->has_user ? 3 : 1);
	round_trip(&of_a);
	if (kc_node_apply(b, &of_a, true, &err) < 0)
		fail_msg("%s", err.text);
	read_node(p, "b", &arena, &of_b);
	assert_true(kc_node_same(&of_a, &of_b));
	assert_same_time(&of_b.mtime, &times[1]);
	assert_same_time(&of_b.atime, &of_a.atime);
	/* A list that the other has, and the node has not. */
	if (p->has_acl) {
		struct kc_node plain = of_a;

		plain.xattrs = NULL;
		plain.n_xattrs = 0;
		plain.mode = 0640;
		assert_int_equal(kc_node_apply(b, &plain, false, &err), 0);
		read_node(p, "b", &arena, &of_b);
		assert_true(kc_node_same(&plain, &of_b));
	}
}

static void test_apply_to_folder_and_link(void **state)
{
	struct place *p = *state;
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_closep) int fd = -EBADF;
	struct kc_node node = { .type = KC_FILE_DIRECTORY,
				.mode = 02755,
				.uid = geteuid(),
				.gid = getegid(),
				.mtime = { 1, 2 },
				.atime = { 3, 4 } };
	struct kc_node got;
	struct kc_err err = { 0 };

	assert_int_equal(mkdirat(p->fd, "d", 0700), 0);
	fd = openat(p->fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(kc_node_apply(fd, &node, true, &err), 0);
	read_node(p, "d", &arena, &got);
	assert_true(kc_node_same(&node, &got));
	assert_same_time(&got.mtime, &node.mtime);

	node.type = KC_FILE_SYMLINK;
	node.link = "nowhere";
	if (p->is_root)
		node.uid = node.gid = 4321;
	assert_int_equal(symlinkat("nowhere", p->fd, "l"), 0);
	assert_int_equal(kc_node_apply_link(p->fd, "l", &node, true, &err), 0);
	read_node(p, "l", &arena, &got);
	assert_true(kc_node_same(&node, &got));
	assert_same_time(&got.mtime, &node.mtime);
}

static void test_told_apart(void **state)
{
	struct place *p = *state;
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_closep) int fd = create(p, "a");
	struct kc_node first, second;

	assert_int_equal(kc_write_all(fd, "x", 1), 0);
	read_node(p, "a", &arena, &first);
	read_node(p, "a", &arena, &second);
	assert_true(kc_node_untouched(&first, &second));
	assert_int_equal(fchmod(fd, 0640), 0);
	read_node(p, "a", &arena, &second);
	assert_false(kc_node_untouched(&first, &second));
	assert_false(kc_node_same_owner(&first, &second));
	assert_true(kc_node_same_content(&first, &second));
	assert_int_equal(fchmod(fd, 0600), 0);
	if (p->has_user) {
		assert_int_equal(fsetxattr(fd, "user.x", "1", 1, 0), 0);
		read_node(p, "a", &arena, &second);
		assert_false(kc_node_same(&first, &second));
		assert_int_equal(fremovexattr(fd, "user.x"), 0);
	}
	read_node(p, "a", &arena, &second);
	assert_true(kc_node_same(&first, &second));
	assert_int_equal(pwrite(fd, "y", 1, 0), 1);
	read_node(p, "a", &arena, &second);
	assert_false(kc_node_same_content(&first, &second));
	assert_int_equal(unlinkat(p->fd, "a", 0), 0);
	read_node(p, "a", &arena, &second);
	assert_int_equal(second.type, 0);
	assert_false(kc_node_same_content(&first, &second));
}

static void test_limits(void **state)
{
	struct place *p = *state;
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_closep) int fd = create(p, "a");
	struct kc_err err = { 0 };
	struct kc_node node;

	assert_int_equal(ftruncate(fd, KC_NODE_SIZE_MAX), 0);
	read_node(p, "a", &arena, &node);
	assert_int_equal(node.size, KC_NODE_SIZE_MAX);
	assert_int_equal(ftruncate(fd, KC_NODE_SIZE_MAX + 1), 0);
	assert_int_equal(kc_node_read(p->fd, "a", KC_NODE_CONTENT, &arena, &err, &node, NULL, NULL),
			 -EFBIG);
	assert_non_null(strstr(err.text, "4 MiB"));
	/* Owner and mode are had without its content. */
	assert_int_equal(kc_node_read(p->fd, "a", 0, &arena, &err, &node, NULL, NULL), 0);
	assert_null(node.sha256);
	/* A FIFO is told by its type, and never opened: that would wait. */
	assert_int_equal(mkfifoat(p->fd, "m", 0600), 0);
	read_node(p, "m", &arena, &node);
	assert_int_equal(node.type, KC_FILE_FIFO);
}

static bool same_with(const char *first, const char *second, const char *third)
{
	const struct kc_node_xattr both[] = { { first, "1", 1 }, { second, "1", 1 } };
	const struct kc_node_xattr one = { third, "1", 1 };
	const struct kc_node a = { .type = KC_FILE_REGULAR, .xattrs = both, .n_xattrs = 2 };
	const struct kc_node b = { .type = KC_FILE_REGULAR, .xattrs = &one, .n_xattrs = 1 };
	bool same = kc_node_same(&a, &b);

	assert_int_equal(kc_node_same(&b, &a), same);
	return same;
}

static void test_labels(void **state)
{
	const struct kc_node_xattr old = { "security.selinux", "a", 1 };
	const struct kc_node_xattr new = { "security.selinux", "b", 1 };
	const struct kc_node a = { .type = KC_FILE_REGULAR, .xattrs = &old, .n_xattrs = 1 };
	const struct kc_node b = { .type = KC_FILE_REGULAR, .xattrs = &new, .n_xattrs = 1 };

	assert_true(same_with("security.SMACK64", "user.x", "user.x"));
	assert_true(same_with("a", "security.selinux", "a"));
	assert_false(same_with("security.SMACK64", "user.x", "user.y"));
	assert_false(same_with("security.SMACK64", "user.x", "security.SMACK64"));
	assert_false(same_with("security.capability", "user.x", "user.x"));
	assert_false(same_with("system.posix_acl_access", "user.x", "user.x"));
	assert_false(kc_node_same(&a, &b));
}

/* What a security module has put on a new file stays; an access control list does not. */
static void test_labels_stay(void **state)
{
	struct place *p = *state;
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_closep) int fd = create(p, "a");
	const struct kc_node wanted = {
		.type = KC_FILE_REGULAR, .mode = 0600, .uid = geteuid(), .gid = getegid()
	};
	struct kc_node got;

	if (fsetxattr(fd, "security.SMACK64", "_", 1, 0) < 0)
		skip();
	assert_int_equal(fsetxattr(fd, "security.SMACK64EXEC", "_", 1, 0), 0);
	if (p->has_user)
		assert_int_equal(fsetxattr(fd, "user.x", "1", 1, 0), 0);
	assert_int_equal(kc_node_apply(fd, &wanted, false, NULL), 0);
	read_node(p, "a", &arena, &got);
	assert_int_equal(got.n_xattrs, 2);
	assert_true(kc_node_same_owner(&got, &wanted));
}

static void test_copied_up(void **state)
{
	const struct kc_node lower = {
		.type = KC_FILE_REGULAR,
		.sha256 = SHA,
		.device = 1,
		.inode = 2,
		.mtime = { 3, 4 },
		.ctime = { 5, 6 },
		.overlay = true,
	};
	struct kc_node upper = lower, folder = lower;

	upper.device = 7;
	upper.inode = 8;
	upper.ctime.tv_nsec++;
	assert_true(kc_node_untouched(&lower, &upper));
	upper.overlay = false;
	assert_false(kc_node_untouched(&lower, &upper));
	upper.overlay = true;
	upper.mtime.tv_nsec++;
	assert_false(kc_node_untouched(&lower, &upper));
	upper.mtime = lower.mtime;
	upper.mode++;
	assert_false(kc_node_untouched(&lower, &upper));
	folder.type = KC_FILE_DIRECTORY;
	folder.sha256 = NULL;
	upper = folder;
	assert_true(kc_node_untouched(&folder, &upper));
	upper.inode++;
	assert_false(kc_node_untouched(&folder, &upper));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_no_nodes),
		cmocka_unit_test(test_too_many_xattrs),
		cmocka_unit_test(test_copied_up),
		cmocka_unit_test(test_labels),
		cmocka_unit_test_setup_teardown(test_labels_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_apply, setup, teardown),
		cmocka_unit_test_setup_teardown(test_apply_to_folder_and_link, setup, teardown),
		cmocka_unit_test_setup_teardown(test_told_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
