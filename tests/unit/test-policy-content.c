/* SPDX-License-Identifier: Apache-2.0 */
#include "policy-step.h"

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
		"# a \\\\\ninstall loop /tmp/x\n",
		NULL,
	};
	static const char *const good[] = {
		"blacklist pcspkr\n",
		"# install loop /tmp/x\n",
		"options overlay metacopy=off\n",
		"alias install overlay\n",
		"installed x\n",
		"# a \\\ninstall loop /tmp/x\n",
		"options a b=\\\\\n",
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
	/* A line that was part of a comment, and one that becomes part of it. */
	expect_edit("/etc/modprobe.d/x.conf", "# a \\\ninstall loop /tmp/x\n",
		    "# a\ninstall loop /tmp/x\n", -EPERM);
	expect_edit("/etc/modprobe.d/x.conf", "blacklist \\\n br-netfilter\n",
		    "# blacklist \\\n br-netfilter\n", 0);
}

/* Each of a list is refused when it is gained, and stays when it was there. */
static void expect_bad(const char *path, const char *const *list)
{
	KC_FOREACH_STR (text, list) {
		expect_edit(path, "# x\n", text, -EPERM);
		expect_edit(path, text, text, 0);
	}
}

static void expect_good(const char *path, const char *const *list)
{
	KC_FOREACH_STR (text, list)
		expect_edit(path, "# x\n", text, 0);
}

static void test_runtime_files(void **state)
{
	static const char *const files[] = { "/etc/crio/crio.conf", "/etc/crio/crio.conf.d/10-x",
					     "/etc/containerd/config.toml",
					     "/etc/containers/storage.conf", NULL };
	static const char *const good[] = {
		"",
		"# conmon = \"/tmp/x\"\n",
		"[crio.runtime]\nconmon = \"/usr/bin/conmon\"\n",
		"[crio.runtime]\ncgroup_manager = \"systemd\" # so\n",
		"conmon = \"\"\n",
		"conmon = \"conmon\"\n",
		"\tconmon='/usr/libexec/crio/conmon'\n",
		"runtime_path = \"/usr/local/bin/crun\"\nruntime_type = \"oci\"\n",
		"hooks_dir = [\"/usr/share/containers/oci/hooks.d\", \"/opt/hooks\"]\n",
		"plugin_dirs = [ \"/opt/cni/bin/\" ]\nnetwork_dir = \"/etc/cni/net.d/\"\n",
		"conmon_env = []\nlisten = \"/var/run/crio/crio.sock\"\n",
		"[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc.options]\n"
		"  SystemdCgroup = true\n  BinaryName = \"/usr/bin/runc\"\n",
		"[[registry]]\nlocation = \"registry.example\"\n",
		NULL,
	};
	static const char *const bad[] = {
		"conmon = \"/tmp/x\"\n",
		"conmon = '/tmp/x'\n",
		"conmon = \"tmp/x\"\n",
		"conmon = \"..\"\n",
		"conmon = \"/usr/../tmp/x\"\n",
		"conmon = \"/usrx/y\"\n",
		"CONMON = \"/tmp/x\"\n",
		"crio.runtime.conmon = \"/tmp/x\"\n",
		"crio . runtime . conmon = \"/tmp/x\"\n",
		"\"conmon\" = \"/tmp/x\"\n",
		"\"con\\u006don\" = \"/tmp/x\"\n",
		"conmon = \"/usr/\\u002e\\u002e/tmp/x\"\n",
		"conmon = \"\"\"\n/tmp/x\"\"\"\n",
		"conmon = '''/tmp/x'''\n",
		"conmon = \n",
		"runtime_path = \"/var/lib/kubelet/pods/x/runc\"\n",
		"runtime_type = \"/tmp/shim\"\n",
		"monitor_path = \"/home/x\"\n",
		"pinns_path = \"/tmp/x\"\n",
		"hooks_dir = [\"/usr/share/x\", \"/tmp/x\"]\n",
		"hooks_dir = [\n",
		"\"/tmp/x\",\n",
		"  \"/tmp/x\"\n]\n",
		"runtimes = { x = { runtime_path = \"/tmp/x\" } }\n",
		"conmon_env = [\"LD_PRELOAD=/tmp/x\"]\n",
		"monitor_env = [\"X=1\"]\n",
		"BinaryName = \"/tmp/x\"\n",
		"imports = [\"/tmp/x.toml\"]\n",
		"mount_program = \"/tmp/x\"\n",
		"credential-helpers = [\"../x/y\"]\n",
		"[proxy_plugins]\n",
		"[proxy_plugins.x]\n  address = \"/tmp/x.sock\"\n",
		"[stream_processors.\"x\"]\n",
		"[a] conmon = \"/tmp/x\"\n",
		"# x\rconmon = \"/tmp/x\"\n",
		"conmon\n",
		"a = 1\vconmon = \"/tmp/x\"\n",
		NULL,
	};

	KC_FOREACH_STR (file, files) {
		expect_good(file, good);
		expect_bad(file, bad);
		KC_FOREACH_STR (text, bad)
			expect_one(KC_STEP_WRITE_FILE, file, text, -EPERM);
	}
	/* An edit of another line leaves what was there, and no more than that. */
	expect_edit("/etc/crio/crio.conf", "conmon = \"/home/a\"\nx = 1\n",
		    "conmon = \"/home/a\"\nx = 2\n", 0);
	expect_edit("/etc/crio/crio.conf", "#conmon = \"/home/a\"\n", "conmon = \"/home/a\"\n",
		    -EPERM);
	expect_edit("/etc/crio/crio.conf", "conmon = \"/home/ab\"\n", "conmon = \"/home/a\"\n",
		    -EPERM);
	expect_one(KC_STEP_WRITE_FILE, "/etc/cryo/crio.conf", "conmon = \"/tmp/x\"\n", 0);
}

static void test_cni_files(void **state)
{
	static const char *const good[] = {
		"",
		"{}\n",
		"{ \"type\": \"bridge\", \"ipam\": { \"type\" : \"host-local\" } }\n",
		"{\"cniVersion\":\"0.3.1\",\"plugins\":[{\"type\":\"portmap\"}],\"a\":\"/b\"}",
		"{ \"x\": \"type\", \"dst\": \"0.0.0.0/0\" }",
		"{ \"types\": \"/x\", \"a\": \"\\\"type\\\": \\\"/x\\\"\" }",
		NULL,
	};
	static const char *const bad[] = {
		"{ \"type\": \"../../../tmp/x\" }\n",
		"{ \"type\": \"/tmp/x\" }\n",
		"{ \"ipam\": { \"type\":\"a/b\" } }\n",
		"{ \"Type\": \"/tmp/x\" }\n",
		"{ \"type\"\n:\n\n\"/tmp/x\" }\n",
		"{ \"t\\u0079pe\": \"/tmp/x\" }\n",
		"{ \"type\": \"\\u002ftmp\\u002fx\" }\n",
		"{ \"type\": [\"/tmp/x\"] }\n",
		"{ \"type\": \"/tmp/x\n",
		"{ \"type\": \"x\n",
		"{ \"",
		"{ \"a\\",
		NULL,
	};

	expect_good("/etc/cni/net.d/10-x.conflist", good);
	expect_bad("/etc/cni/net.d/10-x.conf", bad);
	KC_FOREACH_STR (text, bad)
		expect_one(KC_STEP_WRITE_FILE, "/etc/cni/net.d/x.json", text, -EPERM);
	expect_edit("/etc/cni/net.d/x.conf", "{\"type\":\"/opt/a\"}", "{\"type\":\"/opt/b\"}",
		    -EPERM);
	expect_edit("/etc/cni/net.d/x.conf", "{\"type\":\"/opt/a\"}",
		    "{ \"mtu\": 1, \"type\": \"/opt/a\" }", 0);
}

static void test_kubelet_flags(void **state)
{
	static const char *const files[] = { "/etc/sysconfig/kubelet", "/etc/default/kubelet",
					     "/var/lib/kubelet/kubeadm-flags.env", NULL };
	static const char *const good[] = {
		"",
		"# LD_PRELOAD=/tmp/x\n; x\n",
		"KUBELET_EXTRA_ARGS=--cgroup-driver=systemd --node-ip=192.0.2.1\n",
		"KUBELET_EXTRA_ARGS=\"--fail-swap-on=false '--v=2'\"\n",
		"KUBELET_EXTRA_ARGS=--anonymous-auth=false --read-only-port=0 "
		"--authorization-mode=Webhook\n",
		"KUBELET_EXTRA_ARGS=--container-runtime-endpoint=unix:///var/run/crio/crio.sock\n",
		"KUBELET_EXTRA_ARGS=--pod-manifest-path=/etc/kubernetes/manifests\n",
		"KUBELET_EXTRA_ARGS=--volume-plugin-dir=/opt/libexec\n",
		"KUBELET_EXTRA_ARGS=--configs=x --eviction-hard=memory.available<100Mi\n",
		NULL,
	};
	static const char *const bad[] = {
		"LD_PRELOAD=/tmp/x\n",
		"PATH=/tmp\n",
		"export KUBELET_EXTRA_ARGS=\n",
		"KUBELET_EXTRA_ARGS\n",
		"--config=/tmp/x\n",
		"KUBELET_EXTRA_ARGS=--v=2 \\\n",
		"# x \\\n",
		"KUBELET_X=\"\n",
		"KUBELET_X='\n",
		"KUBELET_EXTRA_ARGS=--anonymous-auth=true\n",
		"KUBELET_EXTRA_ARGS=--anonymous-auth\n",
		"KUBELET_EXTRA_ARGS=--v=2 --anonymous_auth=true\n",
		"KUBELET_EXTRA_ARGS=\"--anony\"\"mous-auth=true\"\n",
		"KUBELET_EXTRA_ARGS=--anony''mous-auth=true\n",
		"KUBELET_EXTRA_ARGS=--authorization-mode=AlwaysAllow\n",
		"KUBELET_EXTRA_ARGS=--authorization-mode AlwaysAllow\n",
		"KUBELET_EXTRA_ARGS=--authorization-mode=Webhook,AlwaysAllow\n",
		"KUBELET_EXTRA_ARGS=--read-only-port=10255\n",
		"KUBELET_EXTRA_ARGS=--image-credential-provider-bin-dir=/tmp\n",
		"KUBELET_EXTRA_ARGS=--config=/tmp/x\n",
		"KUBELET_EXTRA_ARGS=--kubeconfig /tmp/x\n",
		"KUBELET_EXTRA_ARGS=--client-ca-file=/tmp/x\n",
		"KUBELET_EXTRA_ARGS=--pod-manifest-path=/tmp/x\n",
		"KUBELET_EXTRA_ARGS=--manifest-url=http://192.0.2.1/x\n",
		"KUBELET_EXTRA_ARGS=--volume-plugin-dir=/tmp\n",
		"KUBELET_EXTRA_ARGS=--volume-plugin-dir=/usr/../tmp\n",
		"KUBELET_EXTRA_ARGS=--container-runtime-endpoint=unix:///tmp/x.sock\n",
		"KUBELET_EXTRA_ARGS=--container-runtime-endpoint=tcp://192.0.2.1:1\n",
		"KUBELET_KUBEADM_ARGS=--v=2\t--config=/tmp/x\n",
		"a\rLD_PRELOAD=/tmp/x\n",
		"# --config=/tmp/x\n",
		NULL,
	};

	KC_FOREACH_STR (file, files) {
		expect_good(file, good);
		expect_bad(file, bad);
	}
	/* Words that were there stay, and may be joined by others. */
	expect_edit(files[0], "KUBELET_EXTRA_ARGS=--config=/etc/x --v=1\n",
		    "KUBELET_EXTRA_ARGS=\"--v=2 --config=/etc/x\"\n", 0);
	expect_edit(files[0], "KUBELET_EXTRA_ARGS=--config=/etc/x\n",
		    "KUBELET_EXTRA_ARGS=--config=/etc/y\n", -EPERM);
	expect_edit(files[0], "#KUBELET_EXTRA_ARGS=--v=1 --config=/tmp/x\n",
		    "KUBELET_EXTRA_ARGS=--v=1 --config=/tmp/x\n", -EPERM);
}

static void test_kubelet_config(void **state)
{
	static const char *const file = "/var/lib/kubelet/config.yaml";
	static const char *const good[] = {
		"",
		"apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
		"cgroupDriver: systemd\n",
		"cgroupDriver: \"systemd\" # so\n",
		"clusterDNS:\n- 10.96.0.10\n  - '10.96.0.11'\n",
		"evictionHard:\n  memory.available: 100Mi\n  nodefs.available: \"10%\"\n",
		"readOnlyPort: 0\n  mode: Webhook\nstaticPodPath: /etc/kubernetes/manifests\n",
		"containerRuntimeEndpoint: unix:///run/crio/crio.sock\n",
		"protectKernelDefaults: true\n",
		"# readOnlyPort: 1\n",
		NULL,
	};
	static const char *const bad[] = {
		"readOnlyPort: 10255\n",
		"readOnlyPort: '10255'\n",
		"readOnlyPort:\n",
		"  mode: AlwaysAllow\n",
		"  mode: AlwaysAllow # Webhook\n",
		"    enabled: true\n",
		"  anonymous:\n",
		"authentication:\n",
		"authentication: {anonymous: {enabled: true}}\n",
		"{\"readOnlyPort\": 1}\n",
		"\"readOnlyPort\": 1\n",
		"? readOnlyPort\n",
		"readOnlyPort : 1\n",
		"\"readOnly\\u0050ort\": 1\n",
		"x: &a 1\n",
		"x: *a\n",
		"x: !!str 1\n",
		"x: |\n",
		"AlwaysAllow\n",
		"---\n",
		"staticPodPath: /tmp\n",
		"staticPodURL: http://192.0.2.1/x\n",
		"volumePluginDir: /tmp\n",
		"clientCAFile: /tmp/x\n",
		"containerRuntimeEndpoint: unix:///tmp/x\n",
		"protectKernelDefaults: false\n",
		"allowedUnsafeSysctls:\n",
		"- staticPodPath: /tmp\n",
		"a: 1\rreadOnlyPort: 1\n",
		NULL,
	};

	expect_good(file, good);
	expect_bad(file, bad);
	expect_one(KC_STEP_WRITE_FILE, file, good[1], 0);
	expect_edit(file, "authentication:\n  anonymous:\n    enabled: false\ncgroupDriver: x\n",
		    "authentication:\n  anonymous:\n    enabled: false\ncgroupDriver: systemd\n",
		    0);
	expect_edit(file, "    enabled: false\n", "    enabled: true\n", -EPERM);
}

static void test_package_files(void **state)
{
	static const char *const files[] = { "/etc/yum.repos.d/x.repo", "/etc/yum.conf",
					     "/etc/dnf/dnf.conf", NULL };
	static const char *const good[] = {
		"",
		"# gpgcheck=0\n; gpgcheck=0\n",
		"exclude=kubelet kubeadm\n",
		"exclude: kubelet\n",
		"excludepkgs = kubelet\n",
		"gpgcheck=1\nrepo_gpgcheck = True\nsslverify=yes\nenabled=0\n",
		NULL,
	};
	static const char *const bad[] = {
		"gpgcheck=0\n",
		"gpgcheck = no\n",
		"gpgcheck=False\n",
		"gpgcheck=10\n",
		"GPGCHECK=0\n",
		"gpgcheck: 0\n",
		"repo_gpgcheck=0\n",
		"localpkg_gpgcheck=0\n",
		"sslverify=0\n",
		"sslverify=false\n",
		"baseurl=http://192.0.2.1/\n",
		"mirrorlist=http://192.0.2.1/\n",
		"gpgkey=http://192.0.2.1/\n",
		" http://192.0.2.1/\n",
		"\thttp://192.0.2.1/\n",
		"[evil]\n",
		"enabled=1\n",
		"proxy=http://192.0.2.1/\n",
		"pluginpath=/tmp\n",
		"x\n",
		"excludes\n",
		"exclude=a\rgpgcheck=0\n",
		NULL,
	};

	KC_FOREACH_STR (file, files) {
		expect_good(file, good);
		expect_bad(file, bad);
		/* The default is not to ask. */
		expect_edit(file, "[a]\ngpgcheck=1\n", "[a]\n", -EPERM);
		expect_edit(file, "[a]\nsslverify = 1\n", "[a]\n#sslverify = 1\n", -EPERM);
		expect_edit(file, "[a]\ngpgcheck=1\n", "[a]\ngpgcheck=1\nexclude=kubelet\n", 0);
		expect_edit(file, "[a]\ngpgcheck=0\n", "[a]\ngpgcheck=1\n", 0);
	}
}

static void test_fstab(void **state)
{
	static const char *const old =
		"# x\nUUID=1 / xfs defaults 0 0\n/dev/b\t/tmp\text4\tdefaults,nosuid\t0 0\n"
		"/swap.img none swap sw 0 0\n";
	static const struct {
		const char *text;
		int code;
	} table[] = {
		{ "UUID=1 / xfs defaults 0 0\n/dev/b /tmp ext4 nosuid,defaults 0 0\n", 0 },
		{ "UUID=1 / xfs defaults 0 0\n/dev/b /tmp ext4 defaults,nosuid,nodev,noexec 0 2\n",
		  0 },
		{ "/dev/b /tmp ext4 nosuid 0 0\n#UUID=1 / xfs defaults\n", 0 },
		{ "/dev/b /tmp ext4 defaults 0 0\n", -EPERM },
		{ "#/dev/b /tmp ext4 defaults,nosuid 0 0\n", -EPERM },
		{ "/dev/b /tmp ext4 nosuid,suid 0 0\n", -EPERM },
		{ "/dev/b /tmp ext4 nosuid,bind 0 0\n", -EPERM },
		{ "/dev/b /tmp ext4 nosuid,user 0 0\n", -EPERM },
		{ "/dev/b /tmp ext4 nosuid,x-systemd.requires=x.service 0 0\n", -EPERM },
		{ "/dev/b /usr ext4 nosuid 0 0\n/dev/b /tmp ext4 nosuid\n", -EPERM },
		{ "/dev/c /tmp ext4 nosuid 0 0\n", -EPERM },
		{ "/dev/b /tmp fuse.x nosuid 0 0\n", -EPERM },
		{ "/dev/b /tmp ext4 nosuid 0 0\n/home/x /usr none bind 0 0\n", -EPERM },
		{ "/dev/b /tmp ext4 nosuid 0 0\n  /tmp /usr\n", -EPERM },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++)
		expect_edit("/etc/fstab", old, table[i].text, table[i].code);
	expect_edit("/etc/fstab", "/swap.img none swap sw 0 0\n", "#/swap.img none swap sw 0 0\n",
		    0);
	expect_edit("/etc/fstab", "#/swap.img none swap sw 0 0\n", "/swap.img none swap sw 0 0\n",
		    -EPERM);
}

static void test_zram_files(void **state)
{
	static const char *const good[] = { "", "# set!x = /tmp/x\n", "[zram0]\nzram-size = 1\n",
					    NULL };
	static const char *const bad[] = { "set!x = /tmp/x\n", "  set!x=y\n",
					   "mount-point = /etc\n", "se\\\nt!x = y\n", NULL };

	expect_good("/etc/systemd/zram-generator.conf", good);
	expect_bad("/etc/systemd/zram-generator.conf", bad);
	expect_bad("/etc/systemd/zram-generator.conf.d/x.conf", bad);
}

/* A link that leads to a file of another kind is held to that one's rules. */
static void test_contents_behind_links(void **state)
{
	struct kc_step step =
		make(KC_STEP_WRITE_FILE, "/etc/x.conf", "kernel.core_pattern=|/tmp/x\n");

	expect(&step, 0);
	assert_int_equal(kc_policy_content(&step, "/etc/sysctl.d/x.conf", NULL), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contents),      cmocka_unit_test(test_modprobe_files),
		cmocka_unit_test(test_runtime_files), cmocka_unit_test(test_cni_files),
		cmocka_unit_test(test_kubelet_flags), cmocka_unit_test(test_kubelet_config),
		cmocka_unit_test(test_package_files), cmocka_unit_test(test_fstab),
		cmocka_unit_test(test_zram_files),    cmocka_unit_test(test_contents_behind_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
