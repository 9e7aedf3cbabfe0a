/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/str.h"
#include "fix/policy.h"

static void expect(const struct kc_step *step, int code)
{
	struct kc_err err = { 0 };
	int r = kc_policy_step(step, &err);

	if (r != code)
		fail_msg("kind %u, %s, '%s': %d (%s), and not %d", step->kind,
			 step->target ? step->target : "NULL",
			 step->content ? (const char *)step->content : "NULL", r, err.text, code);
	if (r < 0)
		assert_true(*err.text);
}

static struct kc_step make(uint32_t kind, const char *target, const char *content)
{
	return (struct kc_step){
		.size = sizeof(struct kc_step),
		.kind = kind,
		.horizon = KC_BOOT,
		.target = target,
		.content = content,
		.content_size = content ? strlen(content) : 0,
	};
}

static void expect_one(uint32_t kind, const char *target, const char *content, int code)
{
	const struct kc_step step = make(kind, target, content);

	expect(&step, code);
}

static const char *const sealed[] = {
	"/etc/passwd",
	"/etc/passwd-",
	"/etc/shadow",
	"/etc/gshadow-",
	"/etc/group",
	"/etc/subuid",
	"/etc/login.defs",
	"/etc/nsswitch.conf",
	"/etc/pam.d/sshd",
	"/etc/pam.d",
	"/etc/security/limits.d/90.conf",
	"/etc/sudoers",
	"/etc/sudoers.d/admin",
	"/etc/sudo.conf",
	"/etc/polkit-1/rules.d/10.rules",
	"/etc/dbus-1/system.d/x.conf",
	"/etc/ssh/sshd_config.d/x.conf",
	"/etc/krb5.conf.d/x",
	"/etc/pki/ca-trust/source/anchors/x.pem",
	"/etc/ssl/certs/x.pem",
	"/etc/crontab",
	"/etc/cron.d/x",
	"/etc/cron.yearly/x",
	"/etc/cron.allow",
	"/etc/anacrontab",
	"/etc/ld.so.preload",
	"/etc/ld.so.conf",
	"/etc/ld.so.conf.d/x.conf",
	"/etc/profile",
	"/etc/profile.d/x.sh",
	"/etc/bash.bashrc",
	"/etc/bashrc",
	"/etc/bash_completion.d/x",
	"/etc/zsh/zshrc",
	"/etc/environment",
	"/etc/environment.d/x.conf",
	"/etc/rc.local",
	"/etc/rc3.d/S99x",
	"/etc/init.d/x",
	"/etc/udev/rules.d/99.rules",
	"/etc/systemd/system/x.service",
	"/etc/systemd/system/kubelet.service.d/10.conf",
	"/etc/systemd/system.control/x.service.d/50.conf",
	"/etc/systemd/system.conf",
	"/etc/systemd/system.conf.d/x.conf",
	"/etc/systemd/user.conf.d/x.conf",
	"/etc/systemd/system-generators/x",
	"/etc/systemd/system-environment-generators/x",
	"/etc/tmpfiles.d/x.conf",
	"/etc/sysusers.d/x.conf",
	"/etc/binfmt.d/x.conf",
	"/etc/NetworkManager/dispatcher.d/x",
	"/etc/network/if-up.d/x",
	"/etc/dhcp/dhclient-exit-hooks.d/x",
	"/etc/logrotate.d/x",
	"/etc/xinetd.d/x",
	"/etc/default/grub",
	"/etc/default/grub.d/x.cfg",
	"/etc/grub.d/40_custom",
	"/etc/grub2.cfg",
	"/etc/kernel/install.d/x",
	"/etc/kernel/cmdline",
	"/etc/dracut.conf.d/x.conf",
	"/etc/crypttab",
	"/etc/kubernetes/manifests/x.yaml",
	"/etc/k8scheck/profiles/x.yaml",
	"/etc/alternatives/x",
	"/etc/depmod.d/x.conf",
	"/etc/rpm/macros",
	"/etc/selinux/targeted/seusers",
	"/etc/selinux/targeted/policy/policy.33",
	"/var/lib/k8scheck/transactions/1/journal",
	"/var/lib/dpkg/info/x.postinst",
	"/var/lib/rpm/rpmdb.sqlite",
	"/var/lib/systemd/linger/x",
	/* Below none of the folders that may be written in. */
	"/usr/bin/ls",
	"/usr/lib/systemd/system/x.service",
	"/usr/local/bin/x",
	"/root/.ssh/authorized_keys",
	"/boot/grub/grub.cfg",
	"/run/systemd/system/x.service",
	"/proc/sys/kernel/core_pattern",
	"/sys/kernel/uevent_helper",
	"/dev/sda",
	"/opt/x",
	"/var/libx/y",
	"/etcx/y",
	NULL,
};

static const char *const no_paths[] = {
	"",
	"etc/x",
	"/",
	"/etc/",
	"/etc//x",
	"/etc/./x",
	"/etc/../root/x",
	"/etc/sysctl.d/..",
	"/etc/sysctl.d/.",
	"/etc/a\nb",
	"/etc/a\033[2Jb",
	"/etc/a\177b",
	NULL,
};

static void test_sealed_paths(void **state)
{
	static const uint32_t kinds[] = { KC_STEP_MAKE_DIR, KC_STEP_WRITE_FILE, KC_STEP_MOVE_ASIDE,
					  KC_STEP_REMOVE_FILE };

	for (size_t k = 0; k < KC_ARRAY_SIZE(kinds); k++) {
		KC_FOREACH_STR (path, sealed) {
			expect_one(kinds[k], path, "x\n", -EPERM);
			assert_int_equal(kc_policy_path(kinds[k], path, NULL), -EPERM);
		}
		KC_FOREACH_STR (path, no_paths)
			expect_one(kinds[k], path, "x\n", -EINVAL);
		expect_one(kinds[k], NULL, "x\n", -EINVAL);
	}
	KC_FOREACH_STR (path, sealed) {
		struct kc_step step = make(KC_STEP_EDIT_FILE, path, "x\n");

		step.before = "y\n";
		step.before_size = 2;
		expect(&step, -EPERM);
	}
}

static void test_long_paths(void **state)
{
	char name[300] = "/etc/", path[1200] = "/etc";

	memset(name + 5, 'a', 255);
	expect_one(KC_STEP_WRITE_FILE, name, "x", 0);
	name[260] = 'a';
	expect_one(KC_STEP_WRITE_FILE, name, "x", -EINVAL);
	for (size_t i = 4; i < 1022; i += 2)
		memcpy(path + i, "/a", 3);
	expect_one(KC_STEP_WRITE_FILE, path, "x", 0);
	memcpy(path + strlen(path), "/a", 3);
	expect_one(KC_STEP_WRITE_FILE, path, "x", -EINVAL);
}

static void test_open_paths(void **state)
{
	static const char *const open[] = {
		"/etc/sysctl.d/99-kubernetes.conf",
		"/etc/modules-load.d/k8s.conf",
		"/etc/selinux/config",
		"/etc/crio/crio.conf.d/10-conmon.conf",
		"/etc/cni/net.d/87-podman-bridge.conflist",
		"/etc/default/kubelet",
		"/etc/sysconfig/kubelet",
		"/etc/systemd/zram-generator.conf",
		"/etc/firewalld/firewalld.conf",
		"/var/lib/kubelet/config.yaml",
		"/usr/local/etc/x.conf",
		/* Names that only begin as sealed ones do. */
		"/etc/polkit-1x/y",
		"/etc/sshx/y",
		NULL,
	};

	KC_FOREACH_STR (path, open) {
		expect_one(KC_STEP_WRITE_FILE, path, "x = 1\n", 0);
		expect_one(KC_STEP_REMOVE_FILE, path, NULL, 0);
		expect_one(KC_STEP_MOVE_ASIDE, path, NULL, 0);
		expect_one(KC_STEP_MAKE_DIR, path, NULL, 0);
		expect_one(KC_STEP_SET_MODE, path, NULL, 0);
	}
}

static void test_edited_only(void **state)
{
	static const char *const paths[] = {
		"/etc/fstab", "/etc/yum.repos.d/kubernetes.repo", "/etc/dnf/dnf.conf",
		"/etc/hosts", "/etc/apt/preferences.d/k8s",	  NULL,
	};

	KC_FOREACH_STR (path, paths) {
		struct kc_step step = make(KC_STEP_EDIT_FILE, path, "a\n");

		expect(&step, -EINVAL);
		step.before = "b\n";
		step.before_size = 2;
		expect(&step, 0);
		expect_one(KC_STEP_WRITE_FILE, path, "a\n", -EPERM);
		expect_one(KC_STEP_REMOVE_FILE, path, NULL, -EPERM);
		expect_one(KC_STEP_MOVE_ASIDE, path, NULL, -EPERM);
		expect_one(KC_STEP_MAKE_DIR, path, NULL, -EPERM);
	}
}

static void test_modes(void **state)
{
	struct kc_step step = make(KC_STEP_SET_MODE, "/var/log/audit", NULL);

	expect(&step, 0);
	step.target = "/etc/passwd";
	expect(&step, 0);
	step.target = "/usr/bin/sudo";
	expect(&step, -EPERM);
	step.target = "/etc/shadow";
	expect(&step, -EPERM);
	step.target = "/etc/ssh/ssh_host_rsa_key";
	expect(&step, -EPERM);
	step.target = "/etc/sudoers.d/x";
	expect(&step, -EPERM);
	step.target = "/etc/crontab";
	step.mode = 07777;
	expect(&step, 0);
	step.mode = 010000;
	expect(&step, -EINVAL);
	step.mode = 0100644;
	expect(&step, -EINVAL);

	/* A new file is no program, and nobody else's to write. */
	step = make(KC_STEP_WRITE_FILE, "/etc/sysctl.d/x.conf", "a = 1\n");
	for (uint32_t mode = 0; mode <= 07777; mode++) {
		step.mode = mode;
		expect(&step, mode & ~0644 ? -EINVAL : 0);
	}
	step = make(KC_STEP_MAKE_DIR, "/etc/sysctl.d", NULL);
	for (uint32_t mode = 0; mode <= 07777; mode++) {
		step.mode = mode;
		expect(&step, mode & ~0755 ? -EINVAL : 0);
	}
	/* Without a target to be named in the sentence. */
	step = make(KC_STEP_MANUAL, NULL, "true\n");
	step.mode = UINT32_MAX;
	expect(&step, -EINVAL);
}

static void test_kinds(void **state)
{
	for (uint32_t kind = 21; kind < 40; kind++)
		expect_one(kind, "/etc/x", "x", -EINVAL);
	expect_one(0, "/etc/x", "x", -EINVAL);
	expect_one(UINT32_MAX, "/etc/x", "x", -EINVAL);
	expect_one(KC_STEP_SYSTEMD_RELOAD, NULL, NULL, 0);
	expect_one(KC_STEP_MANUAL, NULL, "swapoff -a\n", 0);
	for (uint32_t kind = 1; kind <= 20; kind++) {
		if (kind == KC_STEP_SYSTEMD_RELOAD || kind == KC_STEP_MANUAL ||
		    kind == KC_STEP_SELINUX_MODE)
			continue;
		expect_one(kind, NULL, "x", -EINVAL);
		expect_one(kind, "", "x", -EINVAL);
	}
}

static void test_contents(void **state)
{
	struct kc_step step = make(KC_STEP_WRITE_FILE, "/etc/x.conf", NULL);
	kc_cleanup(kc_freep) char *large = calloc(1, 1024 * 1024 + 1);

	expect(&step, -EINVAL);
	step.content = large;
	step.content_size = 1024 * 1024;
	expect(&step, 0);
	step.content_size++;
	expect(&step, -EINVAL);
	step.content_size = 0;
	expect(&step, 0);
}

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
		"kernel.core_pattern",
		"kernel/core_pattern",
		"kernel.modprobe",
		"kernel.hotplug",
		"kernel.poweroff_cmd",
		"kernel.usermodehelper.bset",
		"kernel.modules_disabled",
		"kernel.kexec_load_disabled",
		"kernel.yama.ptrace_scope",
		"kernel.kptr_restrict",
		"fs.binfmt_misc.register",
		"fs/binfmt_misc/register",
		"fs.suid_dumpable",
		"fs.protected_symlinks",
		"vm.mmap_min_addr",
		"dev.tty.ldisc_autoload",
		NULL,
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

static void test_modprobe_files(void **state)
{
	static const char *const bad[] = {
		"install loop /tmp/x\n",
		"install\tloop /tmp/x\n",
		" \tinstall loop /tmp/x",
		"remove loop /tmp/x\n",
		"options a b=1\ninstall loop /tmp/x\n",
		/* libkmod joins what a backslash parts, and drops it. */
		"inst\\\nall loop /tmp/x\n",
		"in\\stall loop /tmp/x\n",
		"\\install loop /tmp/x\n",
		"install\\\n loop /tmp/x\n",
		NULL,
	};
	static const char *const good[] = {
		"blacklist pcspkr\n",
		"# install loop /tmp/x\n",
		"options overlay metacopy=off\n",
		"alias install overlay\n",
		"installed x\n",
		NULL,
	};
	struct kc_step step;

	KC_FOREACH_STR (text, bad) {
		expect_one(KC_STEP_WRITE_FILE, "/etc/modprobe.d/x.conf", text, -EPERM);
		step = make(KC_STEP_EDIT_FILE, "/etc/modprobe.d/x.conf", text);
		step.before = step.content;
		step.before_size = step.content_size;
		expect(&step, 0);
	}
	KC_FOREACH_STR (text, good)
		expect_one(KC_STEP_WRITE_FILE, "/etc/modprobe.d/x.conf", text, 0);
}

/* A link that leads to a file of another kind is held to that one's rules. */
static void test_contents_behind_links(void **state)
{
	struct kc_step step =
		make(KC_STEP_WRITE_FILE, "/etc/x.conf", "kernel.core_pattern=|/tmp/x\n");

	expect(&step, 0);
	assert_int_equal(kc_policy_content(&step, "/etc/sysctl.d/x.conf", NULL), -EPERM);
}

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

static void test_flags(void **state)
{
	static const struct {
		uint32_t kind;
		const char *target, *content;
		uint32_t flags;
	} table[] = {
		{ KC_STEP_SELINUX_MODE, NULL, "permissive", KC_STEP_WEAKENS },
		{ KC_STEP_SELINUX_MODE, NULL, "enforcing", KC_STEP_DISTURBS },
		{ KC_STEP_FIREWALLD_ZONE, "firewalld.service", "trusted",
		  KC_STEP_WEAKENS | KC_STEP_DISTURBS },
		{ KC_STEP_FIREWALLD_PORT, "public", "1/tcp", KC_STEP_WEAKENS | KC_STEP_DISTURBS },
		{ KC_STEP_SWAP_OFF, "/dev/sda2", NULL, KC_STEP_DISTURBS },
		{ KC_STEP_UNIT_STOP, "firewalld.service", NULL,
		  KC_STEP_WEAKENS | KC_STEP_DISTURBS },
		{ KC_STEP_UNIT_DISABLE, "firewalld.service", NULL, KC_STEP_WEAKENS },
		{ KC_STEP_UNIT_MASK, "nftables.service", NULL, KC_STEP_WEAKENS },
		{ KC_STEP_UNIT_MASK, "apparmor.service", NULL, KC_STEP_WEAKENS },
		{ KC_STEP_UNIT_DISABLE, "auditd.service", NULL, KC_STEP_WEAKENS },
		{ KC_STEP_UNIT_STOP, "x.service", NULL, KC_STEP_DISTURBS },
		{ KC_STEP_UNIT_RESTART, "crio.service", NULL, KC_STEP_DISTURBS },
		{ KC_STEP_UNIT_RESTART, "containerd.service", NULL, KC_STEP_DISTURBS },
		{ KC_STEP_UNIT_RESTART, "x.service", NULL, 0 },
		{ KC_STEP_UNIT_START, "firewalld.service", NULL, KC_STEP_DISTURBS },
		{ KC_STEP_UNIT_START, "kubelet.service", NULL, 0 },
		{ KC_STEP_UNIT_ENABLE, "firewalld.service", NULL, 0 },
		{ KC_STEP_WRITE_FILE, "/etc/cni/net.d/x.conf", "", KC_STEP_DISTURBS },
		{ KC_STEP_MOVE_ASIDE, "/etc/cni/net.d/x.conf", NULL, KC_STEP_DISTURBS },
		{ KC_STEP_EDIT_FILE, "/etc/firewalld/firewalld.conf", "", KC_STEP_WEAKENS },
		{ KC_STEP_WRITE_FILE, "/etc/sysctl.d/x.conf", "", 0 },
		{ KC_STEP_SYSCTL, "net.ipv4.ip_forward", "0", KC_STEP_DISTURBS },
		{ KC_STEP_SYSCTL, "net.ipv4.ip_forward", "1", 0 },
		{ KC_STEP_SYSCTL, "net.ipv6.conf.all.forwarding", "0", KC_STEP_DISTURBS },
		{ KC_STEP_SYSCTL, "vm.swappiness", "0", 0 },
		{ KC_STEP_MANUAL, NULL, "x", 0 },
		{ KC_STEP_SYSTEMD_RELOAD, NULL, NULL, 0 },
		{ KC_STEP_LOAD_MODULE, "x", NULL, 0 },
	};

	/* What is refused is asked for its flags, too. */
	for (uint32_t kind = 0; kind < 30; kind++) {
		const struct kc_step step = make(kind, NULL, NULL);

		assert_int_equal(kc_policy_flags(&step) & ~(KC_STEP_WEAKENS | KC_STEP_DISTURBS), 0);
	}
	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		struct kc_step step = make(table[i].kind, table[i].target, table[i].content);

		if (kc_policy_flags(&step) != table[i].flags)
			fail_msg("%u %s %s: %u, and not %u", table[i].kind, table[i].target,
				 table[i].content, kc_policy_flags(&step), table[i].flags);
		/* What a plugin says of it takes nothing away. */
		step.flags = UINT32_MAX;
		assert_int_equal(kc_policy_flags(&step), table[i].flags);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sealed_paths),
		cmocka_unit_test(test_long_paths),
		cmocka_unit_test(test_open_paths),
		cmocka_unit_test(test_edited_only),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_sysctls),
		cmocka_unit_test(test_sysctl_files),
		cmocka_unit_test(test_line_that_was_a_comment),
		cmocka_unit_test(test_modprobe_files),
		cmocka_unit_test(test_contents_behind_links),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_unit_links),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
