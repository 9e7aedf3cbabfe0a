/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "formats/kernel-threads.h"
#include "formats/kubelet-config.h"
#include "run/host.h"

/* ---- a host of files, over the real table of services ---- */

struct fake {
	char dir[64];
	struct kc_root *root;
	struct kc_run run;
	struct kc_arena arena;
};

static void answer_nothing(void *context, const struct kc_question *question,
			   struct kc_arena *arena, struct kc_answer *ret_answer)
{
	kc_answer_fail(ret_answer, arena, -ENOTCONN, "there is no bus in a test");
}

static int setup(void **state)
{
	struct fake *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/k8scheck-kubelet-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(kc_root_open(f->dir, KC_ROOT_LIVE, NULL, &f->root), 0);
	f->run.root = f->root;
	f->run.horizons = KC_NOW | KC_BOOT;
	f->run.deadline_usec = kc_now_usec() + 60 * UINT64_C(1000000);
	f->run.ask = answer_nothing;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fake *f = *state;
	const char *const argv[] = { "rm", "-rf", f->dir, NULL };
	pid_t pid = fork();

	if (pid == 0) {
		(void)execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	kc_run_done(&f->run);
	kc_root_free(f->root);
	kc_arena_done(&f->arena);
	free(f);
	return pid < 0 ? -1 : 0;
}

static void put(struct fake *f, const char *path, const char *text)
{
	kc_cleanup(kc_freep) char *full = kc_asprintf("%s%s", f->dir, path);
	kc_cleanup(kc_closep) int fd = -EBADF;

	for (char *slash = strchr(full + strlen(f->dir) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(full, 0755);
		*slash = '/';
	}
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(kc_write_all(fd, text, strlen(text)), 0);
}

/* A real file of tests/data. */
static void put_sample(struct fake *f, const char *path, const char *sample)
{
	kc_cleanup(kc_freep) char *from =
		kc_asprintf("%s/samples/%s", getenv("KC_TEST_DATA"), sample);
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	kc_cleanup(kc_closep) int fd = open(from, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(kc_read_all(fd, 1024 * 1024, &b), 0);
	put(f, path, b.data);
}

static void boot(struct fake *f, const char *version, struct kc_kubelet_config *config)
{
	assert_int_equal(kc_kubelet_boot(&kc_host_table, &f->run, &f->arena, version, config), 0);
}

static void now(struct fake *f, const char *version, struct kc_kubelet_config *config)
{
	assert_int_equal(kc_kubelet_now(&kc_host_table, &f->run, &f->arena, version, config), 0);
}

static struct kc_kubelet_value value_of(struct fake *f, const struct kc_kubelet_config *config,
					const char *key)
{
	const struct kc_kubelet_setting *setting = kc_kubelet_setting_by_key(key);
	struct kc_kubelet_value value;

	if (!setting)
		setting = kc_kubelet_setting_by_flag(key);
	assert_non_null(setting);
	assert_int_equal(kc_kubelet_value(config, setting, &f->arena, &value), 0);
	return value;
}

#define HEADER "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"

/* The files of the Kubernetes packages, as an RPM lays them out. */
static void put_package(struct fake *f)
{
	put_sample(f, "/usr/lib/systemd/system/kubelet.service", "kubelet.service");
	put_sample(f, "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf",
		   "10-kubeadm.conf");
}

/* ---- releases and defaults ---- */

static void test_release(void **state)
{
	static const struct {
		const char *text;
		unsigned minor;
	} good[] = {
		{ "v1.18.20", 18 }, { "1.18.20-0", 18 },	   { "0:1.28.2-1.1", 28 },
		{ "1.31", 31 },	    { "1.33.0-alpha.1", 33 },	   { "1.30+build", 30 },
		{ "1.5.0", 5 },	    { "v1.27.3 (something)", 27 },
	};
	static const char *const bad[] = { "",	  "v",	   "1",	      "1.",	 "2.0.1", "1.0",
					   "1.x", "1.18x", "1.99999", "18.1.20", "::1.2", NULL };
	struct kc_kubelet_release release;

	for (size_t i = 0; i < KC_ARRAY_SIZE(good); i++) {
		assert_int_equal(kc_kubelet_release_parse(good[i].text, &release), 0);
		assert_int_equal(release.minor, good[i].minor);
	}
	KC_FOREACH_STR (text, bad)
		assert_int_equal(kc_kubelet_release_parse(text, &release), -EINVAL);
	assert_int_equal(kc_kubelet_release_parse(NULL, &release), 0);
	assert_int_equal(release.minor, 0);
}

static void test_defaults(void **state)
{
	static const struct {
		const char *setting, *version;
		bool has_file;
		const char *value;
	} rows[] = {
		{ "cgroupDriver", "1.18.20", true, "cgroupfs" },
		{ "cgroupDriver", "1.37.0", true, "cgroupfs" },
		{ "cgroupDriver", NULL, true, "cgroupfs" },
		{ "containerRuntimeEndpoint", "1.23.9", true, "unix:///var/run/dockershim.sock" },
		{ "containerRuntimeEndpoint", "1.26.0", true, "" },
		{ "containerRuntimeEndpoint", "1.27.0", true,
		  "unix:///run/containerd/containerd.sock" },
		{ "containerRuntimeEndpoint", NULL, true, NULL },
		{ "container-runtime", "1.23.0", true, "docker" },
		{ "container-runtime", "1.24.0", true, "remote" },
		{ "failCgroupV1", "1.34.0", true, "false" },
		{ "failCgroupV1", "1.35.0", true, "true" },
		{ "failCgroupV1", "1.30.0", true, NULL },
		{ "readOnlyPort", "1.18.0", true, "0" },
		{ "readOnlyPort", "1.18.0", false, "10255" },
		{ "failSwapOn", NULL, true, "true" },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(rows); i++) {
		const struct kc_kubelet_setting *s = kc_kubelet_setting_by_key(rows[i].setting);
		struct kc_kubelet_release release;
		const char *value;

		s = s ? s : kc_kubelet_setting_by_flag(rows[i].setting);
		assert_non_null(s);
		assert_int_equal(kc_kubelet_release_parse(rows[i].version, &release), 0);
		value = kc_kubelet_setting_default(s, &release, rows[i].has_file);
		assert_true(kc_streq0(value, rows[i].value));
	}
}

static void test_endpoint(void **state)
{
	static const char *const pairs[][2] = {
		{ "unix:///var/run/crio/crio.sock", "/run/crio/crio.sock" },
		{ "/var/run/crio/crio.sock", "/run/crio/crio.sock" },
		{ "unix:/run/crio/crio.sock", "/run/crio/crio.sock" },
		{ "unix:////var//run/crio/crio.sock", "/run/crio/crio.sock" },
		{ "/var/runner/x", "/var/runner/x" },
		{ "tcp://localhost:3735", "tcp://localhost:3735" },
		{ "", "" },
		{ "unix:relative", "unix:relative" },
	};
	struct kc_arena arena = { 0 };

	for (size_t i = 0; i < KC_ARRAY_SIZE(pairs); i++)
		assert_string_equal(kc_endpoint_path(pairs[i][0], &arena), pairs[i][1]);
	kc_arena_done(&arena);
}

/* ---- flags ---- */

static void parse_words(struct kc_arena *arena, const char *const *words,
			struct kc_kubelet_flags *flags)
{
	struct kc_kubelet_argument argument[64];
	size_t n = 0;

	KC_FOREACH_STR (word, words)
		argument[n++] = (struct kc_kubelet_argument){ word, "here" };
	assert_int_equal(kc_kubelet_flags_parse(argument, n, arena, flags), 0);
}

static void test_flags(void **state)
{
	static const char *const words[] = { "--config=/a",
					     "--cgroup_driver",
					     "systemd",
					     "--fail-swap-on",
					     "-v",
					     "2",
					     "--node-ip=",
					     "--runonce=false",
					     "-v=4",
					     "-v6",
					     "--cgroup-driver=cgroupfs",
					     "--unknown",
					     "--other",
					     "x",
					     "--last",
					     "--",
					     NULL };
	struct kc_arena arena = { 0 };
	struct kc_kubelet_flags flags;

	parse_words(&arena, words, &flags);
	assert_null(flags.refusal);
	assert_int_equal(flags.n, 12);
	assert_string_equal(kc_kubelet_flags_last(&flags, "cgroup-driver")->value, "cgroupfs");
	assert_string_equal(flags.flag[1].value, "systemd");
	assert_string_equal(kc_kubelet_flags_last(&flags, "fail-swap-on")->value, "true");
	assert_string_equal(kc_kubelet_flags_last(&flags, "runonce")->value, "false");
	assert_string_equal(kc_kubelet_flags_last(&flags, "node-ip")->value, "");
	assert_string_equal(kc_kubelet_flags_last(&flags, "v")->value, "6");
	assert_string_equal(kc_kubelet_flags_last(&flags, "unknown")->value, "true");
	assert_string_equal(kc_kubelet_flags_last(&flags, "other")->value, "x");
	assert_null(kc_kubelet_flags_last(&flags, "x"));
	kc_arena_done(&arena);
}

static void test_flags_refused(void **state)
{
	static const char *const cases[][4] = {
		{ "--fail-swap-on", "false", NULL }, /* a boolean takes no word */
		{ "run", NULL },
		{ "--cgroup-driver", NULL },
		{ "--=x", NULL },
		{ "---x", NULL },
		{ "-x", NULL },
		{ "--", "x", NULL },
		{ "-v", NULL },
		{ "", NULL },
		{ "-", NULL },
	};
	struct kc_arena arena = { 0 };
	struct kc_kubelet_flags flags;

	for (size_t i = 0; i < KC_ARRAY_SIZE(cases); i++) {
		parse_words(&arena, cases[i], &flags);
		assert_non_null(flags.refusal);
		assert_string_equal(flags.refusal_source, "here");
	}
	kc_arena_done(&arena);
}

static void test_flags_of_release(void **state)
{
	static const char *const remote[] = { "--container-runtime=remote", NULL };
	static const char *const dropins[] = { "--config-dir=/x", NULL };
	static const struct {
		const char *const *words;
		const char *version;
		bool refused;
	} rows[] = {
		{ remote, "1.26.9", false }, { remote, "1.27.0", true },   { remote, NULL, false },
		{ dropins, "1.27.0", true }, { dropins, "1.28.0", false },
	};
	struct kc_arena arena = { 0 };

	for (size_t i = 0; i < KC_ARRAY_SIZE(rows); i++) {
		struct kc_kubelet_release release;
		struct kc_kubelet_flags flags;

		parse_words(&arena, rows[i].words, &flags);
		assert_int_equal(kc_kubelet_release_parse(rows[i].version, &release), 0);
		assert_int_equal(kc_kubelet_flags_check(&flags, &release, &arena), 0);
		assert_true(!!flags.refusal == rows[i].refused);
	}
	kc_arena_done(&arena);
}

/* ---- one file ---- */

static void parse_file(struct kc_arena *arena, const char *text, struct kc_kubelet_file *file)
{
	assert_int_equal(kc_kubelet_file_parse("/f", text, strlen(text), false, arena, file), 0);
}

static void test_file_refused(void **state)
{
	static const char *const cases[][2] = {
		/* text, place */
		{ "", "/f" },
		{ "# nothing\n", "/f" },
		{ "- a\n", "/f:1" },
		{ "kind: KubeletConfiguration\n", "/f:1" },
		{ "apiVersion: kubelet.config.k8s.io/v1alpha1\nkind: KubeletConfiguration\n",
		  "/f:1" },
		{ "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: ClusterConfiguration\n",
		  "/f:2" },
		{ HEADER "cgroupDriver: true\n", "/f:3" },
		{ HEADER "cgroupDriver: [systemd]\n", "/f:3" },
		{ HEADER "failSwapOn: \"false\"\n", "/f:3" },
		{ HEADER "clusterDNS: 10.96.0.10\n", "/f:3" },
		{ HEADER "authentication: webhook\n", "/f:3" },
		{ HEADER "readOnlyPort: none\n", "/f:3" },
		{ HEADER "\tcgroupDriver: systemd\n", "/f:3:1" },
		{ HEADER "a: [1, 2\n", "/f:4:1" },
	};
	struct kc_arena arena = { 0 };
	struct kc_kubelet_file file;

	for (size_t i = 0; i < KC_ARRAY_SIZE(cases); i++) {
		parse_file(&arena, cases[i][0], &file);
		assert_non_null(file.refusal);
		assert_null(file.root);
		assert_string_equal(file.at, cases[i][1]);
	}
	kc_arena_done(&arena);
}

static void test_file_unread(void **state)
{
	struct kc_arena arena = { 0 };
	struct kc_kubelet_file file;

	/* The kubelet reads both; that this reader does not is no word against the kubelet. */
	parse_file(&arena, HEADER "cgroupDriver: !!str systemd\n", &file);
	assert_non_null(file.unread);
	assert_null(file.refusal);
	parse_file(&arena, HEADER "a: &a {x: y}\n<<: *a\n", &file);
	assert_non_null(file.unread);
	kc_arena_done(&arena);
}

static const char *text_of(struct kc_arena *arena, const struct kc_kubelet_file *file,
			   const char *key)
{
	const struct kc_yaml_node *node = kc_kubelet_file_get(file, key);

	return node ? kc_kubelet_node_text(node, kc_kubelet_setting_by_key(key)->type, arena)
		    : NULL;
}

static void test_file_accepted(void **state)
{
	static const struct {
		const char *text, *key, *value, *warning;
	} rows[] = {
		{ HEADER "cgroupDriver: systemd\n", "cgroupDriver", "systemd", NULL },
		{ HEADER "cgroupDriver: \"systemd\" # c\n", "cgroupDriver", "systemd", NULL },
		{ HEADER "cgroupDriver: a\ncgroupDriver: b\n", "cgroupDriver", "b", "twice" },
		{ HEADER "cgroupdriver: systemd\n", "cgroupDriver", NULL, "cgroupDriver is" },
		{ HEADER "cgroupDriver:\n", "cgroupDriver", NULL, NULL },
		{ HEADER "cgroupDriver: \"\"\n", "cgroupDriver", NULL, NULL },
		{ HEADER "failSwapOn: no\n", "failSwapOn", "false", NULL },
		{ HEADER "clusterDNS: [10.96.0.10, \"::1\"]\n", "clusterDNS", "[10.96.0.10, ::1]",
		  NULL },
		{ HEADER "authentication:\n  x509:\n    clientCAFile: /ca\n",
		  "authentication.x509.clientCAFile", "/ca", NULL },
		{ "---\n" HEADER "cgroupDriver: systemd\n---\nx: y\n", "cgroupDriver", "systemd",
		  "second document" },
		{ HEADER "unknownField: 1\n", "cgroupDriver", NULL, NULL },
		{ "{\"apiVersion\": \"kubelet.config.k8s.io/v1beta1\",\n"
		  "\t\"kind\": \"KubeletConfiguration\", \"cgroupDriver\": \"systemd\"}\n",
		  "cgroupDriver", "systemd", NULL },
	};
	struct kc_arena arena = { 0 };
	struct kc_kubelet_file file;

	for (size_t i = 0; i < KC_ARRAY_SIZE(rows); i++) {
		parse_file(&arena, rows[i].text, &file);
		assert_null(file.refusal);
		assert_null(file.unread);
		assert_true(kc_streq0(text_of(&arena, &file, rows[i].key), rows[i].value));
		assert_true(!!file.warning == !!rows[i].warning);
		if (rows[i].warning)
			assert_non_null(strstr(file.warning, rows[i].warning));
	}
	kc_arena_done(&arena);
}

static void test_file_set(void **state)
{
	static const char *const good[][2] = {
		{ HEADER "cgroupDriver: cgroupfs # why\nport: 1\n",
		  HEADER "cgroupDriver: systemd # why\nport: 1\n" },
		{ HEADER "cgroupDriver:   'cgroupfs'\n", HEADER "cgroupDriver:   systemd\n" },
		{ "# own\n" HEADER "port: 1", "# own\n" HEADER "port: 1\ncgroupDriver: systemd\n" },
		{ "{"
		  "\"apiVersion\": \"kubelet.config.k8s.io/v1beta1\", \"kind\": "
		  "\"KubeletConfiguration\", \"cgroupDriver\": \"cgroupfs\"}",
		  "{"
		  "\"apiVersion\": \"kubelet.config.k8s.io/v1beta1\", \"kind\": "
		  "\"KubeletConfiguration\", \"cgroupDriver\": systemd}" },
	};
	static const char *const bad[] = {
		HEADER "cgroupDriver: a\ncgroupDriver: b\n",
		HEADER "cgroupDriver:\n",
		HEADER "cgroupDriver: &a cgroupfs\nx: *a\n",
		HEADER "port: 1\n...\n",
		HEADER "port: 1\n---\na: b\n",
		HEADER "cgroupDriver: >\n  cgroupfs\n",
		"{apiVersion: kubelet.config.k8s.io/v1beta1, kind: KubeletConfiguration}",
		NULL,
	};
	struct kc_arena arena = { 0 };
	struct kc_kubelet_file file;
	const char *text;
	size_t size;

	for (size_t i = 0; i < KC_ARRAY_SIZE(good); i++) {
		parse_file(&arena, good[i][0], &file);
		assert_int_equal(
			kc_kubelet_file_set(&file, "cgroupDriver", "systemd", &arena, &text, &size),
			0);
		assert_string_equal(text, good[i][1]);
		assert_int_equal(size, strlen(good[i][1]));
	}
	KC_FOREACH_STR (before, bad) {
		parse_file(&arena, before, &file);
		assert_int_equal(
			kc_kubelet_file_set(&file, "cgroupDriver", "systemd", &arena, &text, &size),
			-ENOTSUP);
	}
	kc_arena_done(&arena);
}

/* ---- the next start ---- */

static void test_boot_absent(void **state)
{
	struct kc_kubelet_config config;

	boot(*state, NULL, &config);
	assert_int_equal(config.state, KC_KUBELET_ABSENT);
}

static void test_boot_package(void **state)
{
	struct fake *f = *state;
	struct kc_kubelet_config config;
	struct kc_kubelet_value value;

	put_package(f);
	boot(f, "1.18.20", &config);
	assert_int_equal(config.state, KC_KUBELET_READ);
	assert_null(config.unread);
	assert_null(config.refusal);
	assert_true(config.config_missing);
	assert_string_equal(config.config_path, "/var/lib/kubelet/config.yaml");
	assert_string_equal(config.config_source,
			    "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf:4 "
			    "(KUBELET_CONFIG_ARGS)");
	assert_int_equal(config.flags.n, 3);
	value = value_of(f, &config, "cgroupDriver");
	assert_string_equal(value.value, "cgroupfs");
	assert_string_equal(value.source, "default of kubelet 1.18.20");
}

static void test_boot_guide(void **state)
{
	struct fake *f = *state;
	struct kc_kubelet_config config;
	struct kc_kubelet_value value;

	put_package(f);
	put(f, "/etc/sysconfig/kubelet",
	    "KUBELET_EXTRA_ARGS=--container-runtime=remote --cgroup-driver=systemd "
	    "--container-runtime-endpoint='unix:///var/run/crio/crio.sock'\n");
	put(f, "/var/lib/kubelet/config.yaml", HEADER "cgroupDriver: cgroupfs\n");
	boot(f, "1.18.20", &config);
	assert_null(config.refusal);
	value = value_of(f, &config, "cgroupDriver");
	assert_string_equal(value.value, "systemd");
	assert_string_equal(value.source, "/etc/sysconfig/kubelet:1 (KUBELET_EXTRA_ARGS)");
	assert_int_equal(value.n_beaten, 1);
	assert_string_equal(value.beaten[0].source, "/var/lib/kubelet/config.yaml:3");
	assert_string_equal(kc_kubelet_beaten_text(&value, &f->arena),
			    "systemd wins over cgroupfs in /var/lib/kubelet/config.yaml:3.");
	put(f, "/var/lib/kubelet/kubeadm-flags.env",
	    "KUBELET_KUBEADM_ARGS=\"--cgroup-driver=systemd\"\n");
	boot(f, "1.18.20", &config);
	value = value_of(f, &config, "cgroupDriver");
	assert_string_equal(kc_kubelet_beaten_text(&value, &f->arena),
			    "systemd wins over cgroupfs in /var/lib/kubelet/config.yaml:3. The "
			    "same stands in /var/lib/kubelet/kubeadm-flags.env:1 "
			    "(KUBELET_KUBEADM_ARGS).");
	value = value_of(f, &config, "containerRuntimeEndpoint");
	assert_string_equal(value.value, "unix:///var/run/crio/crio.sock");
	assert_int_equal(value.origin, KC_KUBELET_FROM_FLAG);
	value = value_of(f, &config, "container-runtime");
	assert_string_equal(value.value, "remote");
	boot(f, "1.27.1", &config);
	assert_non_null(strstr(config.refusal, "removed in 1.27"));
}

static void test_boot_env_order(void **state)
{
	struct fake *f = *state;
	struct kc_kubelet_config config;
	struct kc_kubelet_value value;

	put_package(f);
	put(f, "/var/lib/kubelet/kubeadm-flags.env",
	    "KUBELET_KUBEADM_ARGS=\"--cgroup-driver=cgroupfs "
	    "--container-runtime-endpoint=unix:///var/run/crio/crio.sock\"\n");
	put(f, "/etc/sysconfig/kubelet", "KUBELET_EXTRA_ARGS=--cgroup-driver=systemd\n");
	boot(f, "1.24.0", &config);
	value = value_of(f, &config, "cgroupDriver");
	assert_string_equal(value.value, "systemd");
	assert_int_equal(value.n_beaten, 1);
	assert_string_equal(value.beaten[0].source,
			    "/var/lib/kubelet/kubeadm-flags.env:1 (KUBELET_KUBEADM_ARGS)");
}

static void test_boot_dropins(void **state)
{
	struct fake *f = *state;
	struct kc_kubelet_config config;
	struct kc_kubelet_value value;

	put_package(f);
	put(f, "/etc/sysconfig/kubelet", "KUBELET_EXTRA_ARGS=--config-dir=/etc/kubelet.d\n");
	put(f, "/var/lib/kubelet/config.yaml",
	    HEADER "cgroupDriver: cgroupfs\nclusterDNS: [1.1.1.1]\nfeatureGates: {A: true, "
		   "KubeletCgroupDriverFromCRI: true}\n");
	put(f, "/etc/kubelet.d/20-b.conf", HEADER "cgroupDriver: systemd\n");
	put(f, "/etc/kubelet.d/10-a.conf",
	    HEADER "cgroupDriver: other\nclusterDNS: [2.2.2.2]\nfeatureGates: {B: false}\n");
	put(f, "/etc/kubelet.d/30-c.yaml", HEADER "cgroupDriver: ignored\n");
	put(f, "/etc/kubelet.d/15-sub/x.conf", HEADER "failSwapOn: false\ncgroupDriver: null\n");
	boot(f, "1.30.0", &config);
	assert_null(config.refusal);
	assert_null(config.unread);
	assert_int_equal(config.n_files, 4);
	value = value_of(f, &config, "cgroupDriver");
	assert_string_equal(value.value, "systemd");
	assert_string_equal(value.source, "/etc/kubelet.d/20-b.conf:3");
	assert_int_equal(value.n_beaten, 2);
	assert_string_equal(value_of(f, &config, "clusterDNS").value, "[2.2.2.2]");
	assert_string_equal(value_of(f, &config, "failSwapOn").source,
			    "/etc/kubelet.d/15-sub/x.conf:3");
	boot(f, "1.29.0", &config);
	assert_non_null(strstr(config.refusal, "KUBELET_CONFIG_DROPIN_DIR_ALPHA"));
	put(f, "/etc/kubelet.d/40-bad.conf", "cgroupDriver: systemd\n");
	boot(f, "1.30.0", &config);
	assert_string_equal(config.refusal_source, "/etc/kubelet.d/40-bad.conf:1");
}

static void test_boot_dropin_folder_missing(void **state)
{
	struct fake *f = *state;
	struct kc_kubelet_config config;

	put_package(f);
	put(f, "/etc/sysconfig/kubelet", "KUBELET_EXTRA_ARGS=--config-dir=/etc/nothing.d\n");
	boot(f, "1.30.0", &config);
	assert_non_null(strstr(config.refusal, "/etc/nothing.d is not there"));
}

static void test_boot_key_of_later_release(void **state)
{
	struct fake *f = *state;
	struct kc_kubelet_config config;

	put_package(f);
	put(f, "/var/lib/kubelet/config.yaml",
	    HEADER "containerRuntimeEndpoint: unix:///var/run/crio/crio.sock\n");
	boot(f, "1.26.0", &config);
	assert_string_equal(value_of(f, &config, "containerRuntimeEndpoint").value, "");
	boot(f, "1.27.0", &config);
	assert_string_equal(value_of(f, &config, "containerRuntimeEndpoint").value,
			    "unix:///var/run/crio/crio.sock");
}

static void test_boot_plain_unit(void **state)
{
	struct fake *f = *state;
	struct kc_kubelet_config config;

	/* Without the drop-in of kubeadm no configuration file is read, wherever one lies. */
	put_sample(f, "/usr/lib/systemd/system/kubelet.service", "kubelet.service");
	put(f, "/var/lib/kubelet/config.yaml", HEADER "cgroupDriver: systemd\n");
	boot(f, "1.30.0", &config);
	assert_null(config.config_path);
	assert_string_equal(value_of(f, &config, "cgroupDriver").value, "cgroupfs");
	assert_string_equal(value_of(f, &config, "readOnlyPort").value, "10255");
}

static void test_boot_unit_faults(void **state)
{
	struct fake *f = *state;
	struct kc_kubelet_config config;

	put(f, "/etc/systemd/system/kubelet.service",
	    "[Service]\nExecStart=/usr/bin/hyperkube k\n");
	boot(f, NULL, &config);
	assert_non_null(config.unread);
	assert_string_equal(config.unread_source, "/etc/systemd/system/kubelet.service:2");
	put(f, "/etc/systemd/system/kubelet.service", "[Service]\nRestart=always\n");
	boot(f, NULL, &config);
	assert_non_null(config.refusal);
	put(f, "/etc/systemd/system/kubelet.service", "");
	boot(f, NULL, &config);
	assert_int_equal(config.state, KC_KUBELET_STOPPED);
	assert_null(config.refusal);
	assert_non_null(strstr(config.not_running, "masked"));
}

static void test_boot_shadow(void **state)
{
	struct fake *f = *state;
	struct kc_kubelet_config config;

	put_package(f);
	put(f, "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
	    "[Service]\nExecStart=\nExecStart=/usr/bin/kubelet --cgroup-driver=cgroupfs\n");
	boot(f, "1.30.0", &config);
	assert_non_null(
		strstr(config.shadow, "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf"));
	assert_string_equal(value_of(f, &config, "cgroupDriver").source,
			    "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf:3");
}

static void test_boot_file_of_wrong_kind(void **state)
{
	struct fake *f = *state;
	struct kc_kubelet_config config;
	kc_cleanup(kc_freep) char *path = kc_asprintf("%s/var/lib/kubelet/config.yaml", f->dir);
	kc_cleanup(kc_freep) char *inner = kc_asprintf("%s/x", path);

	put_package(f);
	put(f, "/var/lib/kubelet/config.yaml/x", "");
	boot(f, NULL, &config);
	assert_non_null(strstr(config.refusal, "folder"));
	/* A FIFO is never opened, so nothing can be said of it. */
	assert_int_equal(unlink(inner), 0);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0644), 0);
	boot(f, NULL, &config);
	assert_null(config.refusal);
	assert_non_null(config.unread);
}

/* ---- the running one ---- */

static void put_process(struct fake *f, unsigned pid, const char *comm, const char *stat)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	put(f, path, comm);
	(void)snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	put(f, path, stat);
}

static void put_cmdline(struct fake *f, unsigned pid, const char *const *words)
{
	kc_cleanup(kc_freep) char *path = kc_asprintf("%s/proc/%u/cmdline", f->dir, pid);
	kc_cleanup(kc_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	KC_FOREACH_STR (word, words)
		assert_int_equal(kc_write_all(fd, word, strlen(word) + 1), 0);
}

#define STAT(parent) \
	"812 (kubelet) S " parent " 812 812 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 14 0 2500 1 1 1\n"

static const char *const running[] = { "/usr/bin/kubelet", "--config=/var/lib/kubelet/config.yaml",
				       "--cgroup-driver", "systemd", NULL };

static void test_now(void **state)
{
	struct fake *f = *state;
	struct kc_kubelet_config config;
	struct kc_kubelet_value value;

	now(f, NULL, &config);
	assert_non_null(config.unread);
	put_process(f, 1, "systemd\n", "1 (systemd) S 0\n");
	now(f, NULL, &config);
	assert_int_equal(config.state, KC_KUBELET_STOPPED);
	put_process(f, 812, "kubelet\n", STAT("1"));
	put_cmdline(f, 812, running);
	put(f, "/var/lib/kubelet/config.yaml", HEADER "failSwapOn: false\n");
	put(f, "/proc/stat", "cpu 1\nbtime 1600000000\n");
	now(f, "1.18.20", &config);
	assert_int_equal(config.state, KC_KUBELET_READ);
	assert_int_equal(config.pid, 812);
	assert_int_equal(config.started_usec, INT64_C(1600000025000000));
	assert_string_equal(config.changed, "/var/lib/kubelet/config.yaml");
	value = value_of(f, &config, "cgroupDriver");
	assert_string_equal(value.value, "systemd");
	assert_string_equal(value.source, "/proc/812/cmdline, argument 2");
	assert_string_equal(value_of(f, &config, "failSwapOn").value, "false");
	put(f, "/proc/stat", "cpu 1\nbtime 4000000000\n");
	now(f, "1.18.20", &config);
	assert_null(config.changed);
}

static void test_now_several(void **state)
{
	struct fake *f = *state;
	struct kc_kubelet_config config;

	put_process(f, 700, "kubelet\n", STAT("690"));
	put_process(f, 812, "kubelet\n", STAT("1"));
	put_cmdline(f, 700, running);
	put_cmdline(f, 812, running);
	now(f, NULL, &config);
	assert_int_equal(config.pid, 812);
	put_process(f, 700, "kubelet\n", STAT("1"));
	now(f, NULL, &config);
	assert_int_equal(config.pid, 0);
	assert_non_null(strstr(config.unread, "several"));
}

static void test_now_zombie(void **state)
{
	static const char *const none[] = { NULL };
	struct fake *f = *state;
	struct kc_kubelet_config config;

	put_process(f, 1, "systemd\n", STAT("0"));
	put_process(f, 812, "kubelet\n", STAT("1"));
	put_cmdline(f, 812, none);
	now(f, NULL, &config);
	assert_int_equal(config.state, KC_KUBELET_STOPPED);
}

#define KTHREADD(flags) "2 (kthreadd) S 0 0 0 0 -1 " flags " 0 0 0 0 0 1 0 0 20 0 1 0 24 0\n"

/* What the kernel lists as its own is not looked at, if it is the kernel that lists it. */
static void test_now_kernel_threads(void **state)
{
	struct fake *f = *state;
	struct kc_kubelet_config config;

	put_process(f, 1, "systemd\n", STAT("0"));
	put_process(f, 2, "kthreadd\n", KTHREADD("2129984"));
	put_process(f, 812, "kubelet\n", STAT("1"));
	put_cmdline(f, 812, running);
	put(f, "/proc/2/task/2/children", "3 4 813 ");
	now(f, NULL, &config);
	assert_int_equal(config.pid, 812);
	put(f, "/proc/2/task/2/children", "900 812 3 ");
	now(f, NULL, &config);
	assert_int_equal(config.state, KC_KUBELET_STOPPED);
	put(f, "/proc/2/task/2/children", "rubbish 812x -812 99999999999999999999999999 0812\n 3");
	now(f, NULL, &config);
	assert_int_equal(config.pid, 812);
	put(f, "/proc/2/task/2/children", "900 812 3 ");
	put_process(f, 2, "kthreadd\n", KTHREADD("4194560"));
	now(f, NULL, &config);
	assert_int_equal(config.pid, 812);
	put_process(f, 2, "kthreadd\n", "2 (kthreadd) S 0 0\n");
	now(f, NULL, &config);
	assert_int_equal(config.pid, 812);
}

static void test_kernel_thread(void **state)
{
	static const char *const not [] = {
		"",
		"2",
		"2 (a)",
		"2 (a) S 0 0 0 0 -1",
		"2 (a) S 0 0 0 0 -1 x",
		KTHREADD("4194560"),
		"2 (a) S 0 0 0 0 2129984 0 0",
		"2 (a S 0 0 0 0 -1 2129984",
		NULL,
	};

	assert_true(kc_is_kernel_thread(KTHREADD("2129984")));
	assert_true(kc_is_kernel_thread("2 (a) S 1 2 (b) S 0 0 0 0 -1 2129984"));
	KC_FOREACH_STR (text, not )
		assert_false(kc_is_kernel_thread(text));
}

static void test_stat(void **state)
{
	static const char *const bad[] = { "", "1", "1 (x)", "1 (x) S", "1 (x) S 1 2 3", NULL };
	uint32_t parent;
	uint64_t ticks;

	assert_int_equal(kc_kubelet_stat_parse(
				 "9 (a) S 7) (b) R 5 1 1 0 -1 4 1 0 0 0 0 0 0 0 20 0 14 0 77 1",
				 &parent, &ticks),
			 0);
	assert_int_equal(parent, 5);
	assert_int_equal(ticks, 77);
	KC_FOREACH_STR (text, bad)
		assert_int_equal(kc_kubelet_stat_parse(text, &parent, &ticks), -EBADMSG);
}

static void test_cmdline(void **state)
{
	static const char bytes[] = "kubelet\0--a=b\0\0last";
	struct kc_arena arena = { 0 };
	struct kc_kubelet_argument *argument;
	size_t n;

	assert_int_equal(
		kc_kubelet_cmdline_parse("/p", bytes, sizeof(bytes) - 1, &arena, &argument, &n), 0);
	assert_int_equal(n, 3);
	assert_string_equal(argument[0].text, "--a=b");
	assert_string_equal(argument[1].text, "");
	assert_string_equal(argument[2].text, "last");
	assert_string_equal(argument[2].source, "/p, argument 3");
	kc_arena_done(&arena);
}

/* ---- feature gates ---- */

static void test_gate(void **state)
{
	static const char gate[] = "KubeletCgroupDriverFromCRI";
	struct fake *f = *state;
	struct kc_kubelet_config config;
	const char *source;
	static const struct {
		const char *version, *file, *flag;
		int state;
	} rows[] = {
		{ "1.27.0", "true", "true", 0 },  { "1.28.0", NULL, NULL, 0 },
		{ "1.28.0", "true", NULL, 1 },	  { "1.31.0", NULL, NULL, 1 },
		{ "1.31.0", "false", NULL, 0 },	  { "1.31.0", "false", "true", 1 },
		{ "1.31.0", "true", "false", 0 }, { "1.34.0", "false", "false", 1 },
		{ NULL, NULL, NULL, -ENODATA },	  { NULL, "true", NULL, 1 },
	};

	put_package(f);
	for (size_t i = 0; i < KC_ARRAY_SIZE(rows); i++) {
		kc_cleanup(kc_freep) char *file = kc_asprintf(
			HEADER "%s%s%s\n",
			rows[i].file ? "featureGates: {KubeletCgroupDriverFromCRI: " : "",
			rows[i].file ? rows[i].file : "", rows[i].file ? "}" : "");
		kc_cleanup(kc_freep) char *flag =
			kc_asprintf("KUBELET_EXTRA_ARGS=--feature-gates=X=true,%s%s,Y=false\n",
				    rows[i].flag ? "KubeletCgroupDriverFromCRI=" : "Z=true",
				    rows[i].flag ? rows[i].flag : "");

		put(f, "/var/lib/kubelet/config.yaml", file);
		put(f, "/etc/sysconfig/kubelet", flag);
		boot(f, rows[i].version, &config);
		assert_int_equal(kc_kubelet_gate(&config, gate, &f->arena, &source), rows[i].state);
	}
}

int main(void)
{
#define HOSTED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_endpoint),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_flags_refused),
		cmocka_unit_test(test_flags_of_release),
		cmocka_unit_test(test_file_refused),
		cmocka_unit_test(test_file_unread),
		cmocka_unit_test(test_file_accepted),
		cmocka_unit_test(test_file_set),
		HOSTED(test_boot_absent),
		HOSTED(test_boot_package),
		HOSTED(test_boot_guide),
		HOSTED(test_boot_env_order),
		HOSTED(test_boot_dropins),
		HOSTED(test_boot_dropin_folder_missing),
		HOSTED(test_boot_key_of_later_release),
		HOSTED(test_boot_plain_unit),
		HOSTED(test_boot_unit_faults),
		HOSTED(test_boot_shadow),
		HOSTED(test_boot_file_of_wrong_kind),
		HOSTED(test_now),
		HOSTED(test_now_several),
		HOSTED(test_now_zombie),
		HOSTED(test_now_kernel_threads),
		cmocka_unit_test(test_kernel_thread),
		cmocka_unit_test(test_stat),
		cmocka_unit_test(test_cmdline),
		HOSTED(test_gate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
