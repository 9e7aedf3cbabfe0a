/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mount.h>

#include <cmocka.h>

#include "sys/mountinfo-line.h"
#include "sys/root.h"

static int parse(const char *text, char *copy, size_t size, struct kc_mountinfo_line *line)
{
	assert_in_range(snprintf(copy, size, "%s", text), 0, size - 1);
	return kc_mountinfo_line(copy, line);
}

/* Lines of real hosts: Debian 12, EL 8, and what the kernel's source says it writes. */
static void test_lines(void **state)
{
	static const struct {
		const char *text;
		struct kc_mountinfo_line line;
	} table[] = {
		{ "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard",
		  { 27, 1, "/", "/", MS_RELATIME, "ext4", "/dev/vda", "rw,discard" } },
		{ "23 30 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc rw",
		  { 23, 30, "/", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME, "proc",
		    "proc", "rw" } },
		{ "36 35 98:0 /mnt1 /mnt2 ro,noatime,nodiratime master:1 propagate_from:2 - ext3 "
		  "/dev/root rw,errors=continue",
		  { 36, 35, "/mnt1", "/mnt2", MS_RDONLY | MS_NOATIME | MS_NODIRATIME, "ext3",
		    "/dev/root", "rw,errors=continue" } },
		/* Neither noatime nor relatime. */
		{ "61 27 0:40 / /a rw,nodiratime,nosymfollow,idmapped unbindable - tmpfs none rw",
		  { 61, 27, "/", "/a", MS_NODIRATIME | 256 | MS_STRICTATIME, "tmpfs", "none",
		    "rw" } },
		{ "62 27 0:41 /a\\040b /two\\040words\\011tab\\012line\\134040 rw,relatime - "
		  "fuse.x\\040y "
		  "a\\043b rw,user_id=0",
		  { 62, 27, "/a b", "/two words\ttab\nline\\040", MS_RELATIME, "fuse.x y", "a#b",
		    "rw,user_id=0" } },
		/* A source can be empty, and options have escapes and spaces of their own. */
		{ "63 27 0:42 / /e rw,relatime - tmpfs  rw,lowerdir=/a\\054b c",
		  { 63, 27, "/", "/e", MS_RELATIME, "tmpfs", "", "rw,lowerdir=/a\\054b c" } },
		{ "64 27 0:43 / /o rw,relatime - tmpfs - ",
		  { 64, 27, "/", "/o", MS_RELATIME, "tmpfs", "-", "" } },
		{ "4026531841 4294967296 0:4 net:[4026531840] /run/netns/a rw,relatime - nsfs nsfs "
		  "rw",
		  { 4026531841, 4294967296, "net:[4026531840]", "/run/netns/a", MS_RELATIME, "nsfs",
		    "nsfs", "rw" } },
		/* What is no escape stays. */
		{ "65 27 0:44 / /a\\b\\1\\08\\400\\000\\ rw,relatime - tmpfs t rw",
		  { 65, 27, "/", "/a\\b\\1\\08\\400\\000\\", MS_RELATIME, "tmpfs", "t", "rw" } },
	};

	(void)state;
	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		const struct kc_mountinfo_line *want = &table[i].line;
		struct kc_mountinfo_line got;
		char copy[256];

		assert_int_equal(parse(table[i].text, copy, sizeof(copy), &got), 0);
		assert_int_equal(got.id, want->id);
		assert_int_equal(got.parent, want->parent);
		assert_string_equal(got.root, want->root);
		assert_string_equal(got.point, want->point);
		assert_int_equal(got.flags, want->flags);
		assert_string_equal(got.type, want->type);
		assert_string_equal(got.source, want->source);
		assert_string_equal(got.options, want->options);
	}
}

static void test_malformed(void **state)
{
	static const char *const table[] = {
		"",
		" ",
		"-",
		"27",
		"27 1 254:0 / / rw,relatime shared:1",
		"27 1 254:0 / / rw,relatime shared:1 -",
		"27 1 254:0 / / rw,relatime shared:1 - ext4",
		"27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda",
		"27 1 254:0 / / rw,relatime -  /dev/vda rw",
		"27 1 254:0 / /  - ext4 /dev/vda rw",
		"27 1  / / rw - ext4 /dev/vda rw",
		"27 1 254:0 / mnt rw - ext4 /dev/vda rw",
		"27 1 254:0 /  rw - ext4 /dev/vda rw",
		"x 1 254:0 / / rw - ext4 /dev/vda rw",
		"27 -1 254:0 / / rw - ext4 /dev/vda rw",
		"99999999999999999999 1 254:0 / / rw - ext4 /dev/vda rw",
		" 27 1 254:0 / / rw - ext4 /dev/vda rw",
	};
	struct kc_mountinfo_line line = { .id = 77 };
	char copy[256];

	(void)state;
	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		if (parse(table[i], copy, sizeof(copy), &line) != -EBADMSG)
			fail_msg("%s", table[i]);
		assert_int_equal(line.id, 77);
	}
}

static void test_table(void **state)
{
	char text[] = "27 1 254:0 / / rw - ext4 /dev/vda rw\n"
		      "\n"
		      "28 27 254:0 / /a rw - ext4 /dev/vda\n"
		      "29 27 254:0 / /b rw - ext4 /dev/vda rw";
	struct kc_mountinfo_line line;
	char *rest = text;

	(void)state;
	assert_int_equal(kc_mountinfo_next(&rest, &line), 1);
	assert_int_equal(line.id, 27);
	assert_int_equal(kc_mountinfo_next(&rest, &line), -EBADMSG);
	assert_int_equal(kc_mountinfo_next(&rest, &line), -EBADMSG);
	assert_int_equal(kc_mountinfo_next(&rest, &line), 1);
	assert_int_equal(line.id, 29);
	assert_int_equal(kc_mountinfo_next(&rest, &line), 0);
	assert_int_equal(kc_mountinfo_next(&rest, &line), 0);
}

/* Which group sees the processes of all, where procfs hides them: proc(5), hidepid= and gid=. */

#define LINE(options)                                                            \
	"24 30 0:22 / /sys rw,nosuid - sysfs sysfs rw\n"                         \
	"23 30 0:21 / /proc rw,nosuid,nodev shared:13 - proc proc " options "\n" \
	"30 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"

static void test_group(void **state)
{
	char elsewhere[] = "23 30 0:21 / /my\\040hosts/proc rw - proc p hidepid=1,gid=5\n";
	static const struct {
		const char *text;
		int64_t group;
	} table[] = {
		{ LINE("rw"), -1 },
		{ LINE("rw,hidepid=0"), -1 },
		{ LINE("rw,hidepid=off"), -1 },
		{ LINE("rw,hidepid=1"), 0 },
		{ LINE("rw,hidepid=2"), 0 },
		{ LINE("rw,hidepid=noaccess"), 0 },
		{ LINE("rw,hidepid=invisible"), 0 },
		{ LINE("rw,gid=993,hidepid=invisible"), 993 },
		{ LINE("rw,hidepid=2,gid=4294967295"), 4294967295 },
		/* No group is asked. */
		{ LINE("rw,hidepid=ptraceable,gid=993"), -1 },
		{ LINE("rw,hidepid=4,gid=993"), -1 },
		/* What the kernel does not write is none. */
		{ LINE("rw,hidepid=2,gid=x"), -1 },
		{ LINE("rw,hidepid=2,gid=99999999999"), -1 },
		{ LINE("rw,hidepid=2,gid=4294967296"), -1 },
		{ LINE("rw,nohidepid=2"), -1 },
		/* The one that lies on top counts. */
		{ LINE("rw") LINE("rw,hidepid=2,gid=7"), 7 },
		{ LINE("rw,hidepid=2,gid=7") LINE("rw"), -1 },
		{ "23 30 0:21 / /proc/sys rw - proc proc rw,hidepid=2\n", -1 },
		{ "23 30 0:21 / /proc rw - tmpfs proc rw,hidepid=2\n", -1 },
		{ "23 30 0:21 / /proc rw - proc proc rw,hidepid=2", 0 },
		{ "23 30 0:21 / /proc rw - proc ", -1 },
		{ "23 30", -1 },
		{ "\n\n  \n", -1 },
		{ "", -1 },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		char copy[512];
		int64_t group;

		(void)snprintf(copy, sizeof(copy), "%s", table[i].text);
		group = kc_proc_group_parse(copy, "/proc");
		if (group != table[i].group)
			fail_msg("%zu: %lld", i, (long long)group);
	}
	assert_int_equal(kc_proc_group_parse(elsewhere, "/my hosts/proc"), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
