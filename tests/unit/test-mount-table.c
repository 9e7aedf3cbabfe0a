/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "formats/mount-plain.h"

/* On the heap at its exact size, so that a look behind the end is seen. */
static int parse(enum kc_mount_format format, const char *text, size_t size, struct kc_arena *arena,
		 struct kc_mount_table *table)
{
	kc_cleanup(kc_freep) char *copy = malloc(KC_MAX(size, (size_t)1));

	assert_non_null(copy);
	memcpy(copy, text, size);
	return kc_mount_table_parse(format, copy, size, arena, table);
}

static void read_table(enum kc_mount_format format, const char *text, struct kc_arena *arena,
		       struct kc_mount_table *table)
{
	assert_int_equal(parse(format, text, strlen(text), arena, table), 0);
}

static void test_fstab(void **state)
{
	static const char text[] = "# /etc/fstab\n"
				   "UUID=abc / ext4 defaults 0 1\n"
				   "\r\n"
				   "  # swap\n"
				   "/dev/sda2\tnone\tswap\tsw,pri=5\t0 0\r\n"
				   "only-one-word\n"
				   "LABEL=my\\040swap none swap\n"
				   "1 2 swap noauto\n"
				   "two words\n"
				   "/swap\\040file none swap defaults 0 0";
	struct kc_arena arena = { 0 };
	struct kc_mount_table t;

	read_table(KC_MOUNT_FSTAB, text, &arena, &t);
	assert_int_equal(t.n, 5);
	assert_string_equal(t.item[0].what, "UUID=abc");
	assert_string_equal(t.item[0].where, "/");
	assert_string_equal(t.item[0].type, "ext4");
	assert_int_equal(t.item[0].line, 2);
	assert_null(t.item[0].root);
	assert_string_equal(t.item[1].what, "/dev/sda2");
	assert_string_equal(t.item[1].options, "sw,pri=5");
	assert_int_equal(t.item[1].line, 5);
	assert_string_equal(t.item[2].what, "LABEL=my swap");
	assert_int_equal(t.item[2].line, 7);
	/* Not taken for a line of mountinfo, which begins with two numbers. */
	assert_string_equal(t.item[3].what, "1");
	assert_string_equal(t.item[3].options, "noauto");
	assert_string_equal(t.item[4].what, "/swap file");
	assert_int_equal(t.item[4].line, 10);
	assert_int_equal(t.bad_line, 6);
	kc_arena_done(&arena);
}

/* A first line of numbers would make libmount take the whole file for mountinfo. */
static void test_fstab_of_numbers(void **state)
{
	struct kc_arena arena = { 0 };
	struct kc_mount_table t;

	read_table(KC_MOUNT_FSTAB, "1 2 swap sw 0 0\n", &arena, &t);
	assert_int_equal(t.n, 1);
	assert_string_equal(t.item[0].type, "swap");
	read_table(KC_MOUNT_FSTAB, "Filename\tnone\tswap\n", &arena, &t);
	assert_int_equal(t.n, 1);
	assert_string_equal(t.item[0].what, "Filename");
	read_table(KC_MOUNT_FSTAB, "", &arena, &t);
	assert_int_equal(t.n, 0);
	assert_int_equal(t.bad_line, 0);
	kc_arena_done(&arena);
}

static void test_swaps(void **state)
{
	static const char text[] =
		"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
		"/dev/zram0                              partition\t4194300\t\t0\t\t100\n"
		"/var/swap\\040file (deleted)             file\t\t1048572\t12\t\t-2\n"
		"/dev/sda2 partition many\n";
	struct kc_arena arena = { 0 };
	struct kc_mount_table t;

	read_table(KC_MOUNT_SWAPS, text, &arena, &t);
	assert_int_equal(t.n, 1);
	assert_string_equal(t.item[0].what, "/dev/zram0");
	assert_string_equal(t.item[0].type, "partition");
	assert_true(t.item[0].size == INT64_C(4194300) * 1024);
	assert_int_equal(t.item[0].priority, 100);
	assert_int_equal(t.item[0].line, 2);
	assert_int_equal(t.bad_line, 3);
	read_table(KC_MOUNT_SWAPS, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n", &arena,
		   &t);
	assert_int_equal(t.n, 0);
	read_table(KC_MOUNT_SWAPS,
		   "Filename\tType\tSize\tUsed\tPriority\n"
		   "/var/swap\\040file\\040(deleted) file 8 0 -2\n",
		   &arena, &t);
	assert_int_equal(t.n, 1);
	assert_string_equal(t.item[0].what, "/var/swap file");
	assert_int_equal(t.item[0].priority, -2);
	kc_arena_done(&arena);
}

static const char mountinfo[] =
	"22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/root rw,errors=remount-ro\n"
	"23 22 0:21 / /proc rw,nosuid,nodev,noexec - proc proc rw\n"
	"30 22 8:3 /@var /var rw,nodev shared:2 master:1 - xfs /dev/sda3 ro,seclabel\n"
	"31 30 0:40 / /var/lib rw - tmpfs tmpfs rw,size=64k\n"
	/* Laid over /var later on: what is on the folder beneath is no longer to be seen. */
	"40 30 8:4 / /var rw,noexec - ext4 /dev/sda4 rw\n"
	"41 22 8:5 / /data rw - ext4 /dev/sda5 rw\n"
	"42 41 8:6 / /data rw,nosuid - ext4 /dev/sda6 rw\n"
	"43 22 8:7 / /database rw - ext4 /dev/sda7 rw\n"
	"44 22 0:50 / /with\\040space rw - tmpfs \\057dev\\057root rw\n";

static void check_behind(const struct kc_mount_table *t, const char *path, const char *what)
{
	const struct kc_mount_entry *e = kc_mount_behind(t, path);

	assert_non_null(e);
	assert_string_equal(e->what, what);
}

static void test_mountinfo(void **state)
{
	struct kc_arena arena = { 0 };
	struct kc_mount_table t;

	read_table(KC_MOUNT_INFO, mountinfo, &arena, &t);
	assert_int_equal(t.n, 9);
	assert_int_equal(t.bad_line, 0);
	assert_string_equal(t.item[0].what, "/dev/root");
	assert_int_equal(t.item[0].major, 8);
	assert_int_equal(t.item[0].minor, 2);
	assert_string_equal(t.item[2].root, "/@var");
	assert_int_equal(t.item[2].id, 30);
	assert_int_equal(t.item[2].parent, 22);
	/* The file system is read-only, so that the mount is. */
	assert_true(kc_mount_option(t.item[2].options, "ro", NULL, &arena));
	assert_false(kc_mount_option(t.item[2].options, "rw", NULL, &arena));
	assert_true(kc_mount_option(t.item[2].options, "nodev", NULL, &arena));
	assert_true(kc_mount_option(t.item[2].options, "seclabel", NULL, &arena));
	assert_string_equal(t.item[8].where, "/with space");
	assert_string_equal(t.item[8].what, "/dev/root");
	check_behind(&t, "/", "/dev/root");
	check_behind(&t, "/etc/kubernetes", "/dev/root");
	check_behind(&t, "/proc/1", "proc");
	check_behind(&t, "/var", "/dev/sda4");
	check_behind(&t, "/var/lib/kubelet", "/dev/sda4");
	check_behind(&t, "/data/x", "/dev/sda6");
	check_behind(&t, "/database", "/dev/sda7");
	check_behind(&t, "/datab", "/dev/root");
	kc_arena_done(&arena);
}

static void test_no_root(void **state)
{
	struct kc_arena arena = { 0 };
	struct kc_mount_table t;

	read_table(KC_MOUNT_INFO, "23 22 0:21 / /proc rw - proc proc rw\nrubbish\n", &arena, &t);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.bad_line, 2);
	assert_null(kc_mount_behind(&t, "/proc"));
	/* Mounts that lie on each other in a circle, which no kernel has. */
	read_table(KC_MOUNT_INFO,
		   "1 0 0:1 / / rw - a a rw\n"
		   "2 1 0:2 / /x rw - b b rw\n"
		   "3 2 0:2 / /x rw - c c rw\n"
		   "2 3 0:2 / /x rw - d d rw\n",
		   &arena, &t);
	assert_non_null(kc_mount_behind(&t, "/x"));
	kc_arena_done(&arena);
}

static void test_options(void **state)
{
	static const char list[] = "rw,noexec,size=64m,x=\"a,b\",sw";
	struct kc_arena arena = { 0 };
	const char *value = "untouched", *rest = list;

	assert_true(kc_mount_option(list, "size", &value, &arena));
	assert_string_equal(value, "64m");
	assert_true(kc_mount_option(list, "sw", &value, &arena));
	assert_null(value);
	assert_false(kc_mount_option(list, "exec", NULL, &arena));
	assert_false(kc_mount_option("", "exec", NULL, &arena));
	assert_string_equal(kc_mount_option_next(&rest, &arena), "rw");
	assert_string_equal(kc_mount_option_next(&rest, &arena), "noexec");
	assert_string_equal(kc_mount_option_next(&rest, &arena), "size=64m");
	assert_string_equal(kc_mount_option_next(&rest, &arena), "x=\"a,b\"");
	assert_string_equal(kc_mount_option_next(&rest, &arena), "sw");
	assert_null(kc_mount_option_next(&rest, &arena));
	kc_arena_done(&arena);
}

static void test_below(void **state)
{
	assert_string_equal(kc_mount_path_below("/var/lib", "/var"), "/lib");
	assert_string_equal(kc_mount_path_below("/var", "/var/"), "");
	assert_string_equal(kc_mount_path_below("/var", "/"), "/var");
	assert_string_equal(kc_mount_path_below("/", "/"), "/");
	assert_null(kc_mount_path_below("/variable", "/var"));
	assert_null(kc_mount_path_below("/", "/var"));
}

static void test_bounds(void **state)
{
	struct kc_arena arena = { 0 }, small = { .limit = 64 };
	struct kc_mount_table t;
	struct kc_buf text = { 0 };

	assert_int_equal(parse(KC_MOUNT_FSTAB, "a b\0c\n", 6, &arena, &t), -EBADMSG);
	assert_int_equal(parse(KC_MOUNT_INFO, mountinfo, sizeof(mountinfo) - 1, &small, &t),
			 -ENOMEM);
	for (size_t i = 0; i <= 65536; i++)
		kc_buf_adds(&text, "a b c\n");
	assert_int_equal(kc_buf_error(&text), 0);
	assert_int_equal(parse(KC_MOUNT_FSTAB, text.data, text.len, &arena, &t), -EFBIG);
	assert_int_equal(parse(KC_MOUNT_FSTAB, text.data, text.len - 6, &arena, &t), 0);
	assert_int_equal(t.n, 65536);
	while (text.len <= 4 << 20)
		kc_buf_adds(&text, "#################################################\n");
	assert_int_equal(parse(KC_MOUNT_FSTAB, text.data, text.len, &arena, &t), -EFBIG);
	kc_buf_done(&text);
	kc_arena_done(&small);
	kc_arena_done(&arena);
}

/* The part is what libmount makes of the whole, but for what was not asked for. */
static void compare_part(enum kc_mount_format format, const char *text, bool is_plain)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_mount_table whole, part;
	size_t n = 0;

	read_table(format, text, &arena, &whole);
	assert_int_equal(kc_mount_table_parse_part(format, text, strlen(text), &arena, &part), 0);
	assert_int_equal(part.bad_line, whole.bad_line);
	for (size_t i = 0; i < whole.n; i++) {
		const struct kc_mount_entry *a = &whole.item[i], *b = &part.item[n];

		if (format == KC_MOUNT_FSTAB && strcmp(a->type, "swap") != 0)
			continue;
		assert_true(n++ < part.n);
		assert_string_equal(b->what, a->what);
		assert_string_equal(b->where, a->where);
		assert_string_equal(b->type, a->type);
		assert_string_equal(b->options, format == KC_MOUNT_INFO ? "" : a->options);
		assert_int_equal(b->line, a->line);
		assert_true(!b->root == !a->root && (!a->root || kc_streq(b->root, a->root)));
		assert_true(b->id == a->id && b->parent == a->parent);
		assert_true(b->major == a->major && b->minor == a->minor);
	}
	assert_int_equal(part.n, n);
	if (format == KC_MOUNT_FSTAB)
		assert_int_equal(kc_mount_plain_but_swap(text, strlen(text)), is_plain);
	else
		assert_int_equal(kc_mount_plain_place(text, strlen(text), &arena,
						      &(struct kc_mount_entry){ 0 }),
				 is_plain);
}

static void test_part_of_fstab(void **state)
{
	static const struct {
		bool is_plain;
		const char *text;
	} lines[] = {
		{ true, "UUID=abc / ext4 defaults 0 1\n" },
		{ true, "UUID= / ext4 defaults\n" },
		{ true, "/dev/sda1\t/boot \text4\tro,noatime,errors=remount-ro\t0 2" },
		{ true, "swap /swap swapfs swap 0 0\n" },
		{ true, "host:/swap /data nfs4 rw,addr=10.0.0.1 0\n" },
		{ true, "//srv/share /mnt cifs uid=0,gid=0 0 0\n" },
		{ false, "tmpfs /tmp tmpfs defaults,,nosuid 0 0\n" },
		{ false, "/dev/sda2 none swap sw 0 0\n" },
		{ false, "/dev/sda2 none sw\\141p sw 0 0\n" },
		{ false, "/dev/sda2 none \\163wap sw 0 0\n" },
		{ false, "/dev/sda2 none swap\n" },
		{ false, "/dev/sda2 none swap\r\n" },
		{ false, "/dev/sda2 none ext4\n" },
		{ false, "/dev/sda2\n" },
		{ false, "/dev/sda2 none\n" },
		{ false, "LABEL=\"a /x ext4 defaults 0 0\n" },
		{ false, "/dev/sda2 none ext4 =x 0 0\n" },
		{ false, "/dev/sda2 none ext4 a,=x 0 0\n" },
		{ false, "/dev/sda2 none ext4 a\"b 0 0\n" },
		{ false, "/dev/sda2 none ext4 defaults zero 0\n" },
		{ false, "/dev/sda2 none ext4 defaults 0 -1\n" },
		{ false, "/dev/sda2 none ext4 defaults 0 99999999999999999999\n" },
		{ false, "/dev/sda2 none ext4 defaults 0 0 0\n" },
		{ false, "/dev/sda2 none ext4 defaults 0 0 # text\n" },
		{ false, " /dev/sda2 none swap defaults 0 0\n" },
		{ false, "/dev/sda2\vnone swap swap defaults 0 0\n" },
		{ false, "/dev/s\xc3\xa4 none ext4 defaults 0 0\n" },
	};
	kc_cleanup(kc_buf_done) struct kc_buf all = { 0 };

	for (size_t i = 0; i < KC_ARRAY_SIZE(lines); i++) {
		compare_part(KC_MOUNT_FSTAB, lines[i].text, lines[i].is_plain);
		kc_buf_adds(&all, lines[i].text);
		if (all.data[all.len - 1] != '\n')
			kc_buf_addc(&all, '\n');
	}
	compare_part(KC_MOUNT_FSTAB, all.data, false);
}

static void test_part_of_mountinfo(void **state)
{
	static const struct {
		bool is_plain;
		const char *text;
	} lines[] = {
		{ true,
		  "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n" },
		{ true, "23 22 0:21 / /proc rw - proc none rw\n" },
		{ true,
		  "24 22 0:4 net:[4026532008] /run/netns/a rw shared:3 master:2 - nsfs nsfs rw\n" },
		{ true, "25 22 0:31 /@ /var rw - btrfs /dev/root ro,space_cache=v2,subvol=/@\n" },
		{ true,
		  "26 22 0:50 / /m rw - tmpfs shm rw,context=\"u:o:t:s0:c1,c2\",size=64000k" },
		{ true,
		  "27 22 0:51 / /o rw - overlay overlay rw,lowerdir=/a:/b,upperdir=/c,workdir=/d" },
		{ true, "28 22 0:52 / /u rw - fuse.x UUID=1 rw\n" },
		{ false, "29 22 8:1 / /with\\040blank rw - ext4 /dev/sda1 rw\n" },
		{ false, "30 22 8:1 / /gone\\040(deleted) rw - ext4 /dev/sda1 rw\n" },
		{ false, "31 22 0:50 / /m rw - tmpfs shm rw,context=\"open,size=64000k\n" },
		{ false, "32 22 0:50 / /m rw - tmpfs sh\"m\" rw\n" },
		{ false, "33 22 0:50 / /m rw - tmpfs shm \"rw\"\n" },
		{ false, "34 22 0:50 / /m rw - tmpfs  rw\n" },
		{ false, "35 22 0:50 / /m rw - tmpfs shm\n" },
		{ false, "36 22 0:50 / /m rw tmpfs shm rw\n" },
		{ false, "37 22 0:50 / m rw - tmpfs shm rw\n" },
		{ false, "38 22 50 / /m rw - tmpfs shm rw\n" },
		{ false, "39 x 0:50 / /m rw - tmpfs shm rw\n" },
		{ false, "9999999999 22 0:50 / /m rw - tmpfs shm rw\n" },
		{ false, "40  22 0:50 / /m rw - tmpfs shm rw\n" },
		{ false, "41 22 0:50 / /m rw - tmpfs shm rw more\n" },
	};
	kc_cleanup(kc_buf_done) struct kc_buf all = { 0 };

	for (size_t i = 0; i < KC_ARRAY_SIZE(lines); i++) {
		compare_part(KC_MOUNT_INFO, lines[i].text, lines[i].is_plain);
		kc_buf_adds(&all, lines[i].text);
		if (all.data[all.len - 1] != '\n')
			kc_buf_addc(&all, '\n');
	}
	compare_part(KC_MOUNT_INFO, all.data, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fstab),	      cmocka_unit_test(test_fstab_of_numbers),
		cmocka_unit_test(test_swaps),	      cmocka_unit_test(test_mountinfo),
		cmocka_unit_test(test_no_root),	      cmocka_unit_test(test_options),
		cmocka_unit_test(test_below),	      cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_part_of_fstab), cmocka_unit_test(test_part_of_mountinfo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
