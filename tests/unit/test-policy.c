/* SPDX-License-Identifier: Apache-2.0 */
#include "policy-step.h"

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
	/* Of others that run as root, or say who may come in. */
	"/etc/.pwd.lock",
	"/etc/adduser.conf",
	"/etc/hosts.allow",
	"/etc/hosts.deny",
	"/etc/nologin",
	"/etc/libuser.conf",
	"/etc/exports.d/x.exports",
	"/etc/samba/smb.conf",
	"/etc/cockpit/cockpit.conf",
	"/etc/openldap/ldap.conf",
	"/var/lib/sudo/ts/x",
	"/etc/crypto-policies/config",
	"/etc/apparmor/parser.conf",
	"/etc/apparmor.d/local/x",
	"/etc/fapolicyd/fapolicyd.rules",
	"/etc/usbguard/rules.conf",
	"/etc/audit/plugins.d/x.conf",
	"/etc/audit/auditd.conf",
	"/etc/audit/rules.d/x.rules",
	"/etc/audisp/plugins.d/x.conf",
	"/etc/selinux/semanage.conf",
	"/etc/ufw/before.init",
	"/etc/pkcs11/modules/x",
	"/etc/perl/sitecustomize.pl",
	"/etc/python3.11/sitecustomize.py",
	"/etc/gitconfig",
	"/etc/vimrc",
	"/etc/vim/vimrc.local",
	"/etc/gdbinit",
	"/etc/screenrc",
	"/etc/mailcap",
	"/etc/pip.conf",
	"/etc/manpath.config",
	"/etc/init/x.conf",
	"/etc/sv/x/run",
	"/etc/systemd/network/10-x.network",
	"/etc/systemd/user-generators/x",
	"/etc/systemd/system-preset/00-x.preset",
	"/etc/systemd/system-shutdown/x",
	"/etc/systemd/nspawn/x.nspawn",
	"/etc/repart.d/x.conf",
	"/etc/extensions/x.raw",
	"/etc/pm/sleep.d/x",
	"/etc/request-key.conf",
	"/etc/request-key.d/x.conf",
	"/etc/modprobe.conf",
	"/etc/dkms/x.conf",
	"/etc/kernel-img.conf",
	"/etc/kdump.conf",
	"/etc/kdump/post.d/x",
	"/etc/cloud/cloud.cfg.d/x.cfg",
	"/etc/waagent.conf",
	"/etc/auto.master",
	"/etc/auto.master.d/x.autofs",
	"/etc/autofs.conf",
	"/etc/supervisor/conf.d/x.conf",
	"/etc/supervisord.d/x.ini",
	"/etc/monitrc",
	"/var/lib/extensions/x",
	"/var/lib/extensions.mutable/usr",
	"/var/lib/confexts/x",
	"/var/lib/portables/x",
	"/etc/sysconfig/network-scripts/ifcfg-eth0",
	"/etc/sysconfig/crond",
	"/etc/sysconfig/kubelet/x",
	"/etc/sysconfig",
	"/etc/default/ssh",
	"/etc/default/useradd",
	"/etc/console-setup/cached_setup_font.sh",
	"/etc/e2scrub.conf",
	"/etc/needrestart/conf.d/x",
	"/etc/sysstat/sysstat",
	"/etc/apt/apt.conf",
	"/etc/apt/apt.conf.d/99x",
	"/etc/apt/sources.list",
	"/etc/apt/sources.list.d/x.list",
	"/etc/apt/trusted.gpg.d/x.gpg",
	"/etc/apt/keyrings/x.gpg",
	"/etc/dpkg/dpkg.cfg.d/x",
	"/etc/yum/pluginconf.d/x.conf",
	"/etc/yum/vars/x",
	"/etc/dnf/plugins/x.conf",
	"/etc/dnf/automatic.conf",
	"/etc/dnf/vars/x",
	"/etc/rhsm/pluginconf.d/x",
	"/etc/NetworkManager/VPN/x.name",
	"/etc/NetworkManager/system-connections/x.nmconnection",
	"/etc/NetworkManager/dnsmasq.d/x.conf",
	"/etc/dhcpcd.enter-hook",
	"/etc/resolvconf/update.d/x",
	"/etc/dnsmasq.d/x",
	"/etc/openvpn/client/x.conf",
	"/etc/wireguard/wg0.conf",
	"/etc/ipsec.conf",
	"/etc/strongswan/x",
	"/etc/keepalived/keepalived.conf",
	"/etc/lvm/lvm.conf",
	"/etc/multipath.conf",
	"/etc/multipath/conf.d/x.conf",
	"/etc/mdadm.conf",
	"/etc/mdadm/mdadm.conf",
	"/etc/smartd.conf",
	"/etc/smartmontools/run.d/x",
	"/etc/iscsi/iscsid.conf",
	"/etc/zfs/zed.d/x.sh",
	"/etc/tuned/x/script.sh",
	"/etc/mcelog/triggers/x",
	"/etc/libvirt/hooks/qemu",
	"/etc/qemu-ga/fsfreeze-hook.d/x",
	"/etc/vbox/vbox.cfg",
	"/etc/vmware-tools/scripts/x",
	"/etc/libreport/events.d/x.conf",
	"/etc/rsyslog.conf",
	"/etc/rsyslog.d/x.conf",
	"/etc/syslog-ng/syslog-ng.conf",
	"/etc/aliases",
	"/etc/aliases.db",
	"/etc/postfix/master.cf",
	"/etc/exim4/conf.d/x",
	"/etc/snmp/snmpd.conf",
	"/etc/zabbix/zabbix_agentd.conf",
	"/etc/zabbix_agentd.conf",
	"/etc/puppetlabs/puppet/puppet.conf",
	"/etc/httpd/conf.d/x.conf",
	"/etc/apache2/mods-enabled/x.load",
	"/etc/haproxy/haproxy.cfg",
	"/etc/rsyncd.conf",
	"/etc/rmt",
	"/etc/kubernetes/pki/ca.crt",
	"/etc/kubernetes/kubelet.conf",
	"/etc/kubernetes/admin.conf",
	"/etc/rancher/k3s/config.yaml",
	"/etc/docker/daemon.json",
	"/etc/cdi/x.yaml",
	"/etc/containers/oci/hooks.d/x.json",
	"/etc/containers/systemd/x.container",
	"/etc/containers/containers.conf.d/x.conf",
	"/etc/containers/policy.json",
	"/var/lib/kubelet/pki/x.pem",
	"/var/lib/kubelet/pods/x/y",
	"/var/lib/kubelet/plugins/x",
	"/var/lib/kubelet/plugins_registry/x.sock",
	"/var/lib/containers/storage/x",
	"/var/lib/etcd/member/x",
	"/var/lib/certmonger/requests/x",
	"/etc/usr/lib/x",
	"/etc/lib/x",
	/* By the same names where what is built by hand looks for it. */
	"/usr/local/etc/sudoers",
	"/usr/local/etc/ssh/sshd_config",
	"/usr/local/etc/rc.d/x",
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
		"/etc/crio/crio.conf",
		"/etc/containerd/config.toml",
		"/etc/containers/registries.conf.d/x.conf",
		"/etc/systemd/zram-generator.conf",
		"/etc/systemd/journald.conf.d/x.conf",
		"/etc/NetworkManager/conf.d/calico.conf",
		"/etc/firewalld/firewalld.conf",
		"/etc/chrony.conf",
		"/etc/hostname",
		"/etc/crictl.yaml",
		"/var/lib/kubelet",
		"/var/lib/kubelet/config.yaml",
		"/var/lib/kubelet/cpu_manager_state",
		"/usr/local/etc/x.conf",
		/* Names that only begin as sealed ones do. */
		"/etc/polkit-1x/y",
		"/etc/sshx/y",
		"/etc/services",
		"/etc/yum-x",
		"/etc/host.conf",
		"/etc/kubernetesx",
		NULL,
	};

	KC_FOREACH_STR (path, open) {
		expect_one(KC_STEP_WRITE_FILE, path, "# x = 1\n", 0);
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
		struct kc_step step = make(KC_STEP_EDIT_FILE, path, "# a\n");

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
		{ KC_STEP_WRITE_FILE, "/etc/nftables.conf", "", KC_STEP_WEAKENS },
		{ KC_STEP_REMOVE_FILE, "/etc/iptables/rules.v4", NULL, KC_STEP_WEAKENS },
		{ KC_STEP_EDIT_FILE, "/etc/selinux/config", "a\nSELINUX=permissive\n",
		  KC_STEP_WEAKENS },
		{ KC_STEP_WRITE_FILE, "/etc/selinux/config", " SELINUX = disabled\n",
		  KC_STEP_WEAKENS },
		{ KC_STEP_WRITE_FILE, "/etc/selinux/config", "SELINUX=Enforcing\n", 0 },
		{ KC_STEP_WRITE_FILE, "/etc/selinux/config", "#SELINUX=permissive\n", 0 },
		{ KC_STEP_MOVE_ASIDE, "/etc/selinux/config", NULL, KC_STEP_WEAKENS },
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
		cmocka_unit_test(test_sealed_paths), cmocka_unit_test(test_long_paths),
		cmocka_unit_test(test_open_paths),   cmocka_unit_test(test_edited_only),
		cmocka_unit_test(test_modes),	     cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
