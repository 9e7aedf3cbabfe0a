/* SPDX-License-Identifier: Apache-2.0 */
#include "policy-step.h"

static void test_units(void **state)
{
	static const uint32_t kinds[] = { KC_STEP_UNIT_ENABLE, KC_STEP_UNIT_DISABLE,
					  KC_STEP_UNIT_MASK,   KC_STEP_UNIT_START,
					  KC_STEP_UNIT_STOP,   KC_STEP_UNIT_RESTART };
	static const char *const open[] = { "crio.service",
					    "kubelet.service",
					    "dev-sda2.swap",
					    "dev-disk-by\\x2duuid-1.swap",
					    "a@b.service",
					    "podman.socket",
					    "systemd-zram-setup@zram0.service",
					    NULL };
	static const char *const closed[] = { "sshd.service",
					      "ssh.socket",
					      "systemd-journald.service",
					      "systemd-logind.service",
					      "dbus.service",
					      "dbus-broker.service",
					      "getty@tty1.service",
					      "multi-user.target",
					      "emergency.target",
					      "poweroff.target",
					      "runlevel6.target",
					      "debug-shell.service",
					      "serial-getty@ttyS0.service",
					      "rescue.service",
					      "basic.target",
					      "network-online.target",
					      NULL };
	static const char *const odd[] = { "crio",	  "-crio.service", "--now.service",
					   ".service",	  "../x.service",  "a/b.service",
					   "a b.service", "a\n.service",   "crio.slice",
					   "init.scope",  "*.service",	   NULL };

	for (size_t i = 0; i < KC_ARRAY_SIZE(kinds); i++) {
		KC_FOREACH_STR (unit, open)
			expect_one(kinds[i], unit, NULL, 0);
		KC_FOREACH_STR (unit, closed)
			expect_one(kinds[i], unit, NULL, -EPERM);
		KC_FOREACH_STR (unit, odd)
			expect_one(kinds[i], unit, NULL, -EINVAL);
	}
}

static void test_unit_links(void **state)
{
	static const char *const good[] = {
		"/etc/systemd/system/crio.service",
		"/etc/systemd/system/multi-user.target.wants",
		"/etc/systemd/system/multi-user.target.wants/crio.service",
		"/etc/systemd/system/multi-user.target.requires/crio.service",
		"/etc/systemd/system/multi-user.target.upholds/crio.service",
		NULL,
	};
	static const char *const bad[] = {
		"/etc/systemd/system",
		"/etc/systemd/system/",
		"/etc/systemd/system/crio.service.d/x.conf",
		"/etc/systemd/system/a.wants/b/c",
		"/etc/systemd/system/a.wants/../b",
		"/etc/systemd/system/../system.conf",
		"/etc/systemd/system.conf",
		"/etc/systemd/user/a.wants/b",
		"/usr/lib/systemd/system/a.wants/b",
		"/etc/passwd",
		NULL,
	};

	KC_FOREACH_STR (path, good)
		assert_int_equal(kc_policy_unit_link(path, NULL), 0);
	KC_FOREACH_STR (path, bad)
		assert_int_equal(kc_policy_unit_link(path, NULL), -EPERM);
}

static void test_unit_link_targets(void **state)
{
	static const char *const good[] = {
		"/dev/null",
		"/usr/lib/systemd/system/crio.service",
		"/lib/systemd/system/crio.service",
		"/usr/local/lib/systemd/system/crio.service",
		"/etc/systemd/system/own.service",
		"/etc/systemd/system/other.target.wants/own.service",
		"/run/systemd/generator/x.mount",
		"/usr/lib/systemd/system/dev-disk-by\\x2duuid-1.swap",
		"crio.service",
		"a@.service",
		"../crio.service",
		"../../../usr/lib/systemd/system/crio.service",
		"../../../../lib/systemd/system/crio.service",
		NULL,
	};
	static const char *const bad[] = {
		"",
		"/",
		"/tmp/x.service",
		"/home/x/x.service",
		"/opt/x/x.service",
		"/usr/lib/systemd/user/x.service",
		"/usr/lib/systemd/system",
		"/usr/lib/systemd/system/",
		"/usr/lib/systemd/system/../../../../tmp/x.service",
		"/usr/lib/systemd/system//x.service",
		"/usr/lib/systemd/system/x",
		"/usr/lib/systemd/system/x.sh",
		"/usr/lib/systemd/systemd",
		"/dev/null/x.service",
		"/dev/zero",
		"/run/x.service",
		"dev/null",
		"x",
		".",
		"..",
		"../..",
		"../../x.service",
		"../x/y.service",
		"x/y.service",
		"../../../tmp/x.service",
		"../../../../tmp/x.service",
		"../../../usr/lib/systemd/system/../../../../tmp/x.service",
		"./x.service",
		"x/../y.service",
		"/usr/lib/systemd/system/a\nb.service",
		NULL,
	};

	KC_FOREACH_STR (link, good)
		assert_int_equal(kc_policy_unit_link_target(link, NULL), 0);
	KC_FOREACH_STR (link, bad) {
		struct kc_err err = { 0 };

		assert_int_equal(kc_policy_unit_link_target(link, &err), -EPERM);
		assert_true(*err.text);
	}
	/* Where the wrong number of ".." would lead from a folder of links, nothing is written. */
	expect_one(KC_STEP_WRITE_FILE, "/etc/usr/lib/systemd/system/x.service", "", -EPERM);
	expect_one(KC_STEP_WRITE_FILE, "/etc/lib/systemd/system/x.service", "", -EPERM);
	expect_one(KC_STEP_WRITE_FILE, "/etc/run/systemd/x.service", "", -EPERM);
	expect_one(KC_STEP_WRITE_FILE, "/etc/etc/systemd/system/x.service", "", -EPERM);
}

static void test_others(void **state)
{
	expect_one(KC_STEP_LOAD_MODULE, "br_netfilter", NULL, 0);
	expect_one(KC_STEP_LOAD_MODULE, "nf-conntrack", NULL, 0);
	expect_one(KC_STEP_LOAD_MODULE, "-r", NULL, -EINVAL);
	expect_one(KC_STEP_LOAD_MODULE, "../x", NULL, -EINVAL);
	expect_one(KC_STEP_LOAD_MODULE, "a b", NULL, -EINVAL);
	expect_one(KC_STEP_LOAD_MODULE, "a.ko", NULL, -EINVAL);
	expect_one(KC_STEP_SWAP_OFF, "/dev/sda2", NULL, 0);
	expect_one(KC_STEP_SWAP_OFF, "/swap file", NULL, 0);
	expect_one(KC_STEP_SWAP_OFF, "dev/sda2", NULL, -EINVAL);
	expect_one(KC_STEP_SWAP_OFF, "/dev/../x", NULL, -EINVAL);
	expect_one(KC_STEP_SWAP_OFF, "/a\nb", NULL, -EINVAL);
	expect_one(KC_STEP_SELINUX_MODE, NULL, "permissive", 0);
	expect_one(KC_STEP_SELINUX_MODE, NULL, "enforcing", 0);
	expect_one(KC_STEP_SELINUX_MODE, NULL, "disabled", -EINVAL);
	expect_one(KC_STEP_SELINUX_MODE, NULL, NULL, -EINVAL);
	expect_one(KC_STEP_FIREWALLD_ZONE, "firewalld.service", "trusted", 0);
	expect_one(KC_STEP_FIREWALLD_ZONE, "firewalld.service", NULL, -EINVAL);
	expect_one(KC_STEP_FIREWALLD_ZONE, "firewalld.service", "../x", -EINVAL);
	expect_one(KC_STEP_FIREWALLD_ZONE, "firewalld.service", "-x", -EINVAL);
	expect_one(KC_STEP_FIREWALLD_PORT, "public", "6443/tcp", 0);
	expect_one(KC_STEP_FIREWALLD_PORT, "public", "65535/udp", 0);
	expect_one(KC_STEP_FIREWALLD_PORT, "public", "0/tcp", -EINVAL);
	expect_one(KC_STEP_FIREWALLD_PORT, "public", "65536/tcp", -EINVAL);
	expect_one(KC_STEP_FIREWALLD_PORT, "public", "1/icmp", -EINVAL);
	expect_one(KC_STEP_FIREWALLD_PORT, "public", "1", -EINVAL);
	expect_one(KC_STEP_FIREWALLD_PORT, "public", "1/tcp/x", -EINVAL);
	expect_one(KC_STEP_FIREWALLD_PORT, "public", NULL, -EINVAL);
	/* The zone's name is that of a file. */
	expect_one(KC_STEP_FIREWALLD_PORT, "../public", "1/tcp", -EINVAL);
	expect_one(KC_STEP_FIREWALLD_PORT, "a/b", "1/tcp", -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_unit_links),
		cmocka_unit_test(test_unit_link_targets),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
