/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "sys/root.h"

/* Which group sees the processes of all, where procfs hides them: proc(5), hidepid= and gid=. */

#define LINE(options)                                                            \
	"24 30 0:22 / /sys rw,nosuid - sysfs sysfs rw\n"                         \
	"23 30 0:21 / /proc rw,nosuid,nodev shared:13 - proc proc " options "\n" \
	"30 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"

static void test_group(void **state)
{
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
		int64_t group = kc_proc_group_parse(table[i].text, "/proc");

		if (group != table[i].group)
			fail_msg("%zu: %lld", i, (long long)group);
	}
	assert_int_equal(
		kc_proc_group_parse("23 30 0:21 / /host/proc rw - proc p hidepid=1,gid=5\n",
				    "/host/proc"),
		5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
