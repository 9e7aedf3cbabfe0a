/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "selinux/arguments.h"
#include "selinux/config.h"
#include "selinux/kernel-config.h"

static void test_config_place(void **state)
{
	static const char text[] = "# a\nSELINUX=\t Enforcing # b\n";
	struct selinux_config c;

	selinux_config_parse(text, sizeof(text) - 1, &c);
	assert_int_equal(c.mode, SELINUX_ENFORCING);
	assert_int_equal(c.line, 2);
	assert_true(c.spaced);
	assert_int_equal(c.value, 12);
	assert_int_equal(c.value_size, 11);
	/* Cut at any place before the word's end, there is no mode. */
	for (size_t n = 0; n < 23; n++) {
		selinux_config_parse(text, n, &c);
		assert_int_equal(c.mode, SELINUX_UNSET);
	}
	selinux_config_parse("SELINUX=\nenforcing\n", 19, &c);
	assert_int_equal(c.mode, SELINUX_UNSET);
}

static void test_kernel_config(void **state)
{
	static const struct {
		const char *text;
		enum selinux_kernel kernel;
	} cases[] = {
		{ "", SELINUX_KERNEL_UNKNOWN },
		{ "rubbish CONFIG_SECURITY_SELINUX=y\n", SELINUX_KERNEL_UNKNOWN },
		{ "CONFIG_NET=y\n# CONFIG_SECURITY_SELINUX is not set\n", SELINUX_KERNEL_WITHOUT },
		{ "CONFIG_NET=y\n# CONFIG_AUDIT is not set\n", SELINUX_KERNEL_WITHOUT },
		/* Cut, or spoiled: Kconfig writes a line for all that could have been chosen. */
		{ "CONFIG_NET=y\nCONFIG_SECURITY=y\n", SELINUX_KERNEL_UNKNOWN },
		{ "CONFIG_NET=y\nCONFIG_SECURITY_SELINUX=y\r\n", SELINUX_KERNEL_UNKNOWN },
		{ "CONFIG_SECURITY_SELINUX=y", SELINUX_KERNEL_ON },
		{ "A=1\nCONFIG_SECURITY_SELINUX=y\nCONFIG_LSM=\"yama,selinux,apparmor\"\n",
		  SELINUX_KERNEL_ON },
		{ "CONFIG_SECURITY_SELINUX=y\nCONFIG_LSM=\"yama,smack,selinux\"\n",
		  SELINUX_KERNEL_OFF },
		{ "CONFIG_SECURITY_SELINUX=y\nCONFIG_LSM=\"\"\n", SELINUX_KERNEL_OFF },
		{ "CONFIG_SECURITY_SELINUX=y\nCONFIG_DEFAULT_SECURITY=\"apparmor\"\n",
		  SELINUX_KERNEL_OFF },
		{ "CONFIG_SECURITY_SELINUX=y\nCONFIG_SECURITY_SELINUX_BOOTPARAM_VALUE=0\n",
		  SELINUX_KERNEL_OFF },
		{ "CONFIG_SECURITY_SELINUX_X=y\nCONFIG_SECURITY_SELINUX=y\n", SELINUX_KERNEL_ON },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(cases); i++)
		assert_int_equal(selinux_kernel_config_parse(cases[i].text, strlen(cases[i].text)),
				 cases[i].kernel);
}

static void read_arguments(const char *text, struct kc_arena *arena,
			   struct selinux_arguments *ret_arguments)
{
	struct kc_kernel_argument *item;
	size_t n;

	assert_int_equal(kc_kernel_arguments_parse(text, strlen(text), arena, &item, &n), 0);
	assert_int_equal(selinux_arguments_read(item, n, arena, ret_arguments), 0);
}

static void test_arguments(void **state)
{
	static const struct {
		const char *text, *off;
		bool on;
		const char *enforcing;
		bool enforces, several;
	} cases[] = {
		{ .text = "ro quiet" },
		{ .text = "selinux=0", .off = "selinux=0" },
		{ .text = "selinux=0x0", .off = "selinux=0x0" },
		{ .text = "selinux=00 selinux=x", .off = "selinux=00" },
		{ .text = "selinux=0 selinux=+1", .on = true },
		{ .text = "selinux" },
		{ .text = "security=selinux", .on = true },
		{ .text = "security=" },
		{ .text = "security=apparmor selinux=1", .off = "security=apparmor" },
		{ .text = "lsm=a,b", .off = "lsm=a,b" },
		{ .text = "lsm=a,selinux security=apparmor", .on = true },
		{ .text = "enforcing=1", .enforcing = "enforcing=1", .enforces = true },
		{ .text = "enforcing=01x", .enforcing = "enforcing=01x", .enforces = true },
		{ .text = "enforcing=", .enforcing = "enforcing=" },
		{ .text = "enforcing=0 enforcing=0", .enforcing = "enforcing=0" },
		{ .text = "enforcing=0 enforcing=1", .enforcing = "enforcing=0", .several = true },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(cases); i++) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		struct selinux_arguments a;

		read_arguments(cases[i].text, &arena, &a);
		if (!kc_streq0(a.off, cases[i].off) || a.on != cases[i].on ||
		    !kc_streq0(a.enforcing, cases[i].enforcing) ||
		    a.enforces != cases[i].enforces || a.several != cases[i].several)
			fail_msg("%s is not read as it should be", cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config_place),
		cmocka_unit_test(test_kernel_config),
		cmocka_unit_test(test_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
