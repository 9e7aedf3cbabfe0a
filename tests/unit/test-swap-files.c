/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "formats/unit-path.h"
#include "swap/swap.h"
#include "swap/zram-file.h"

/* What systemd-escape --path --suffix=swap of systemd 252 says, and what udev names its links. */
static void test_unit_names(void **state)
{
	static const struct {
		const char *path, *unit;
	} cases[] = {
		{ "/dev/sda2", "dev-sda2.swap" },
		{ "//dev//sda2/", "dev-sda2.swap" },
		{ "/swap.img", "swap.img.swap" },
		{ "/.swap", "\\x2eswap.swap" },
		{ "/a/.b", "a-.b.swap" },
		{ "/a/./b", "a-b.swap" },
		{ "/dev/disk/by-uuid/0a-b", "dev-disk-by\\x2duuid-0a\\x2db.swap" },
		{ "/a b\\c", "a\\x20b\\x5cc.swap" },
		{ "/\xc3\xa9", "\\xc3\\xa9.swap" },
		{ "/", "-.swap" },
	};
	struct kc_arena arena = { 0 };

	for (size_t i = 0; i < KC_ARRAY_SIZE(cases); i++)
		assert_string_equal(kc_unit_of_path(&arena, cases[i].path, ".swap"), cases[i].unit);
	kc_arena_done(&arena);
}

static void test_devices(void **state)
{
	static const struct {
		const char *what, *device;
	} cases[] = {
		{ "/dev/sda2", "/dev/sda2" },
		{ "UUID=0a-b", "/dev/disk/by-uuid/0a-b" },
		{ "UUID=\"0a-b\"", "/dev/disk/by-uuid/0a-b" },
		{ "LABEL=my swap/1", "/dev/disk/by-label/my\\x20swap\\x2f1" },
		{ "LABEL=\xc3\xa9", "/dev/disk/by-label/\xc3\xa9" },
		{ "PARTUUID=ab", "/dev/disk/by-partuuid/ab" },
		{ "PARTLABEL='x'", "/dev/disk/by-partlabel/x" },
		{ "ID=dm-name-x", "/dev/disk/by-id/dm-name-x" },
		{ "LABEL=", "/dev/disk/by-label/" },
		{ "LABEL=\"", "/dev/disk/by-label/\\x22" },
	};
	struct kc_arena arena = { 0 };

	for (size_t i = 0; i < KC_ARRAY_SIZE(cases); i++)
		assert_string_equal(kc_device_of_source(&arena, cases[i].what), cases[i].device);
	kc_arena_done(&arena);
}

/* On the heap at its exact size, so that a look behind the end is seen. */
static int parse(const char *file, const char *text, struct kc_arena *arena,
		 struct swap_zram_devices *devices)
{
	size_t size = strlen(text);
	kc_cleanup(kc_freep) char *copy = malloc(KC_MAX(size, (size_t)1));

	assert_non_null(copy);
	memcpy(copy, text, size);
	return swap_zram_file_parse(file, copy, size, arena, devices);
}

static void test_zram(void **state)
{
	struct kc_arena arena = { 0 };
	struct swap_zram_devices d = { 0 };

	assert_int_equal(parse("/a",
			       "# comment\n; another\nzram-size = 1\n[ zram0 ]\r\n"
			       "  zram-size = \"min(ram, 4096)\"\r\nZram-Size = 0\n[zram]\nx=1\n"
			       "[zram1]\nfs-type: ext4\n[zram-x]\nmount-point = /x",
			       &arena, &d),
			 0);
	assert_int_equal(d.n, 2);
	assert_int_equal(d.bad_line, 0);
	assert_string_equal(d.item[0].name, "zram0");
	assert_string_equal(d.item[0].size, "min(ram, 4096)");
	assert_int_equal(d.item[0].line, 4);
	assert_true(swap_zram_is_swap(&d.item[0]));
	assert_false(swap_zram_is_empty(&d.item[0]));
	assert_string_equal(d.item[1].fs_type, "ext4");
	assert_false(swap_zram_is_swap(&d.item[1]));
	assert_int_equal(parse("/b", "[zram0]\nzram-size=0.0\n[zram2]\n", &arena, &d), 0);
	assert_int_equal(d.n, 3);
	assert_string_equal(d.item[0].file, "/b");
	assert_true(swap_zram_is_empty(&d.item[0]));
	assert_int_equal(parse("/c", "[zram0]\nmax-zram-size=512\n", &arena, &d), 0);
	assert_false(swap_zram_is_empty(&d.item[0]));
	assert_int_equal(parse("/d", "[zram0]\nfs-type=swap\nmount-point=/x\n", &arena, &d), 0);
	assert_true(swap_zram_is_swap(&d.item[0]));
	kc_arena_done(&arena);
}

static void test_zram_malformed(void **state)
{
	struct kc_arena arena = { 0 };
	struct swap_zram_devices d = { 0 };
	struct kc_buf text = { 0 };

	assert_int_equal(parse("/a", "[zram0]\n\nrubbish\n[zram1\n", &arena, &d), 0);
	assert_int_equal(d.bad_line, 3);
	assert_string_equal(d.bad_file, "/a");
	assert_int_equal(d.n, 1);
	assert_int_equal(swap_zram_file_parse("/b", "a\0b", 3, &arena, &d), 0);
	assert_int_equal(d.bad_line, 3);
	for (unsigned i = 0; i <= 256; i++)
		kc_buf_addf(&text, "[zram%u]\n", i);
	assert_int_equal(kc_buf_error(&text), 0);
	assert_int_equal(parse("/c", text.data, &arena, &d), -E2BIG);
	kc_buf_done(&text);
	kc_arena_done(&arena);
}

static void test_comment_lines(void **state)
{
	static const char text[] = "a\n\nb\r\nc";
	static const unsigned lines[] = { 3, 4, 9 };
	struct kc_buf out = { 0 };

	assert_int_equal(swap_comment_lines(text, sizeof(text) - 1, lines, 3, &out), 0);
	assert_string_equal(out.data, "a\n\n" KC_MARK "b\r\n" KC_MARK "c");
	kc_buf_done(&out);
}

/* What a device has is gone for the generator, and what others have is not. */
static void test_comment_device(void **state)
{
	static const struct {
		const char *before, *after;
	} cases[] = {
		{ "", NULL },
		{ "x=1\n[zram1]\ny\n", "x=1\n[zram1]\ny\n" },
		{ "[zram0]\n", KC_MARK "[zram0]\n" },
		{ " [ zram0 ] ; c\n\n; k\n\tz=1\n[a]\nb=1\n[zram0]\nq=1",
		  KC_MARK " [ zram0 ] ; c\n\n; k\n" KC_MARK "\tz=1\n[a]\nb=1\n" KC_MARK
			  "[zram0]\n" KC_MARK "q=1" },
		{ "[zram0\nx=1\n", "[zram0\nx=1\n" },
		{ "[zram01]\n[zram]\n[]\n[ ]\n", "[zram01]\n[zram]\n[]\n[ ]\n" },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(cases); i++) {
		kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };

		assert_int_equal(swap_comment_device(cases[i].before, strlen(cases[i].before),
						     "zram0", &out),
				 0);
		if (cases[i].after)
			assert_string_equal(out.data, cases[i].after);
		else
			assert_int_equal(out.len, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unit_names),    cmocka_unit_test(test_devices),
		cmocka_unit_test(test_zram),	      cmocka_unit_test(test_zram_malformed),
		cmocka_unit_test(test_comment_lines), cmocka_unit_test(test_comment_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
