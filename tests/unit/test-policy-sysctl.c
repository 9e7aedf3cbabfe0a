/* SPDX-License-Identifier: Apache-2.0 */
#include "policy-step.h"

static void test_sysctls(void **state)
{
	static const char *const open[] = {
		"net.ipv4.ip_forward",
		"net/ipv4/ip_forward",
		"net.bridge.bridge-nf-call-iptables",
		"vm.swappiness",
		"fs.inotify.max_user_watches",
		"kernel.panic",
		"net.ipv4.conf.eth0/1.forwarding",
		NULL,
	};
	static const char *const closed[] = {
		"kernel.core_pattern",	   "kernel/core_pattern",
		"kernel.modprobe",	   "kernel.hotplug",
		"kernel.poweroff_cmd",	   "kernel.usermodehelper.bset",
		"kernel.reboot-cmd",	   "kernel.core_pipe_limit",
		"kernel.modules_disabled", "kernel.yama.other",
		"fs.binfmt_misc.register", "fs/binfmt_misc/register",
		"fs.protected_others",	   "dev.scsi.logging_level",
		"sunrpc.rpc_debug",	   NULL,
	};
	static const char *const odd[] = {
		"-net.ipv4.ip_forward",
		".net.ipv4",
		"kernel..core_pattern",
		"kernel//core_pattern",
		"kernel/./core_pattern",
		"kernel./.core_pattern",
		"kernel/../kernel/core_pattern",
		"kernel.//.kernel.core_pattern",
		"net.ipv4.ip_forward ",
		"net.ipv4.*",
		"net.ipv4\n.x",
		"net.ipv4.ip_forward=1",
		NULL,
	};

	KC_FOREACH_STR (key, open)
		expect_one(KC_STEP_SYSCTL, key, "1", 0);
	KC_FOREACH_STR (key, closed)
		expect_one(KC_STEP_SYSCTL, key, "1", -EPERM);
	KC_FOREACH_STR (key, odd)
		expect_one(KC_STEP_SYSCTL, key, "1", -EINVAL);
	expect_one(KC_STEP_SYSCTL, "net.ipv4.ip_forward", NULL, -EINVAL);
	expect_one(KC_STEP_SYSCTL, "net.ipv4.ip_forward", "", -EINVAL);
	expect_one(KC_STEP_SYSCTL, "net.ipv4.ip_forward", "1\nx", -EINVAL);
	expect_one(KC_STEP_SYSCTL, "net.ipv4.ip_local_port_range", "1024\t65000", 0);
}

/* What guards the kernel gets values that are strict, and no other. */
static const struct {
	const char *key;
	const char *strict[4], *weak[5];
	const char *final; /* strict, and kept by the running kernel */
} guards[] = {
	{ "kernel.dmesg_restrict", { "1" }, { "0", "2" } },
	{ "kernel.kptr_restrict", { "1", "2" }, { "0", "3", "-1" } },
	{ "kernel/kptr_restrict", { "1", "2" }, { "0" } },
	{ "kernel.randomize_va_space", { "2" }, { "0", "1", "3" } },
	{ "kernel.perf_event_paranoid", { "2", "3", "4" }, { "-1", "0", "1" } },
	{ "kernel.unprivileged_bpf_disabled", { "2" }, { "0", "3" }, "1" },
	{ "kernel.kexec_load_disabled", { NULL }, { "0", "2" }, "1" },
	{ "kernel.yama.ptrace_scope", { "1", "2" }, { "0", "4" }, "3" },
	{ "kernel.sysrq", { "0", "16" }, { "1", "4", "176", "438" } },
	{ "fs.protected_fifos", { "1", "2" }, { "0", "3" } },
	{ "fs.protected_hardlinks", { "1" }, { "0" } },
	{ "fs.protected_regular", { "1", "2" }, { "0" } },
	{ "fs.protected_symlinks", { "1" }, { "0" } },
	{ "fs.suid_dumpable", { "0" }, { "1", "2", "-0", "00" } },
	{ "vm.mmap_min_addr", { "65536", "1048576" }, { "0", "4096", "65535", "4294967296" } },
	{ "vm.unprivileged_userfaultfd", { "0" }, { "1" } },
	{ "dev.tty.ldisc_autoload", { "0" }, { "1" } },
	{ "dev.tty.legacy_tiocsti", { "0" }, { "1" } },
};

static void expect_line(const char *key, const char *value, int code)
{
	kc_cleanup(kc_freep) char *line = kc_asprintf("-%s = %s \n", key, value);
	kc_cleanup(kc_freep) char *comment = kc_asprintf("%s = %s # so\n", key, value);

	expect_one(KC_STEP_WRITE_FILE, "/etc/sysctl.d/x.conf", line, code);
	expect_one(KC_STEP_WRITE_FILE, "/usr/local/etc/x.conf", line, 0);
	expect_edit("/etc/sysctl.conf", "# x\n", line, code);
	expect_edit("/etc/sysctl.conf", line, line, 0);
	/* It would be part of the value. */
	expect_one(KC_STEP_WRITE_FILE, "/etc/sysctl.d/x.conf", comment, -EPERM);
}

static void test_guards(void **state)
{
	/* Other ways to write a number, of which the kernel makes its own: 0x2, eight, one of two.
	 */
	static const char *const odd[] = { "02", "0x2", "+2",  " 2",   "2 ",
					   "2.", "2 0", "two", "2\t0", NULL };

	for (size_t i = 0; i < KC_ARRAY_SIZE(guards); i++) {
		for (const char *const *v = guards[i].strict; *v; v++) {
			expect_one(KC_STEP_SYSCTL, guards[i].key, *v, 0);
			expect_line(guards[i].key, *v, 0);
		}
		for (const char *const *v = guards[i].weak; *v; v++) {
			expect_one(KC_STEP_SYSCTL, guards[i].key, *v, -EPERM);
			expect_line(guards[i].key, *v, -EPERM);
		}
		KC_FOREACH_STR (v, odd)
			expect_one(KC_STEP_SYSCTL, guards[i].key, v, -EPERM);
		expect_one(KC_STEP_WRITE_FILE, "/etc/sysctl.d/x.conf", guards[i].key, -EPERM);
		if (!guards[i].final)
			continue;
		/* What cannot be taken back is for the next start. */
		expect_one(KC_STEP_SYSCTL, guards[i].key, guards[i].final, -EPERM);
		expect_line(guards[i].key, guards[i].final, 0);
	}
}

/* Texts of /etc/sysctl.d that come to a setting that is sealed, for systemd-sysctl or sysctl(8). */
static const char *const bad_sysctl_texts[] = {
	"kernel.core_pattern = |/tmp/x\n",
	"kernel/core_pattern=|/tmp/x",
	"  - kernel.core_pattern=|/tmp/x\n",
	"-kernel.core_pattern=|/tmp/x\n",
	"a.b = 1\nkernel.modprobe = /tmp/x\n",
	/* Both take more than a newline for the end of a line. */
	"# nothing\rkernel.core_pattern = |/tmp/x\n",
	"a.b = 1\r\nkernel.core_pattern = |/tmp/x\r\n",
	/* Ways to the same file. */
	"kernel//core_pattern = |/tmp/x\n",
	"kernel..core_pattern = |/tmp/x\n",
	"kernel/./core_pattern = |/tmp/x\n",
	"net/../kernel/core_pattern = |/tmp/x\n",
	"net.//.kernel.core_pattern = |/tmp/x\n",
	/* Patterns. */
	"kernel.core_pat* = |/tmp/x\n",
	"kern*.core_pattern = |/tmp/x\n",
	"net/../kernel/core_patter[n] = |/tmp/x\n",
	"net.//.kernel.core_patter? = |/tmp/x\n",
	"net{/{.}./kernel,}/core_patter? = |/tmp/x\n",
	"* = 1\n",
	/* strtok(3) of older sysctl(8) passes over it. */
	"=kernel.core_pattern=|/tmp/x\n",
	" == kernel.core_pattern = |/tmp/x\n",
	NULL,
};

static void test_sysctl_files(void **state)
{
	static const char *const good[] = {
		"",
		"\n\n",
		"# kernel.core_pattern = |/tmp/x\n",
		"; kernel.core_pattern = |/tmp/x\n",
		"net.ipv4.ip_forward = 1\nnet.bridge.bridge-nf-call-iptables=1\n",
		"net.ipv4.conf.*.rp_filter = 0\n",
		"-net.ipv4.conf.all.rp_filter = 0\n",
		"vm.swappiness = 0",
		NULL,
	};
	static const char nul[] = "# nothing\0kernel.core_pattern = |/tmp/x\n";
	struct kc_step step = make(KC_STEP_WRITE_FILE, "/etc/sysctl.d/x.conf", "");
	kc_cleanup(kc_buf_done) struct kc_buf line = { 0 };

	KC_FOREACH_STR (text, bad_sysctl_texts) {
		expect_one(KC_STEP_WRITE_FILE, "/etc/sysctl.d/99-x.conf", text, -EPERM);
		step = make(KC_STEP_EDIT_FILE, "/etc/sysctl.conf", text);
		step.before = "";
		expect(&step, -EPERM);
		/* It was there before: an edit of another line may leave it. */
		step.before = step.content;
		step.before_size = step.content_size;
		expect(&step, 0);
		/* What a new file is said to be made from was never looked at. */
		step.kind = KC_STEP_WRITE_FILE;
		expect(&step, -EPERM);
		/* Elsewhere it means nothing. */
		expect_one(KC_STEP_WRITE_FILE, "/etc/x.d/99-x.conf", text, 0);
	}
	KC_FOREACH_STR (text, good)
		expect_one(KC_STEP_WRITE_FILE, "/etc/sysctl.d/99-x.conf", text, 0);
	step = make(KC_STEP_WRITE_FILE, "/etc/sysctl.d/x.conf", nul);
	step.content_size = sizeof(nul) - 1;
	expect(&step, -EPERM);
	/* A comment that is more than sysctl(8) of EL 8 reads at once. */
	kc_buf_addc(&line, '#');
	for (size_t i = 0; i < 4094; i++)
		kc_buf_addc(&line, 'x');
	kc_buf_adds(&line, "kernel.core_pattern = |/tmp/x\n");
	expect_one(KC_STEP_WRITE_FILE, "/etc/sysctl.d/x.conf", line.data, -EPERM);
}

/* To take the "#" away from a line is to gain it. */
static void test_line_that_was_a_comment(void **state)
{
	struct kc_step step =
		make(KC_STEP_EDIT_FILE, "/etc/sysctl.conf", "kernel.core_pattern=|/tmp/x\n");

	step.before = "#kernel.core_pattern=|/tmp/x\n";
	step.before_size = strlen(step.before);
	expect(&step, -EPERM);
	step.before = "kernel.core_pattern=|/tmp/x/y\n";
	step.before_size = strlen(step.before);
	expect(&step, -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sysctls),
		cmocka_unit_test(test_guards),
		cmocka_unit_test(test_sysctl_files),
		cmocka_unit_test(test_line_that_was_a_comment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
