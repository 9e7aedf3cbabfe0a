/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/fdio.h"
#include "formats/crio-config.h"

#define FILES_MAX 8

/* A merge in a few lines: files in order, an environment, a command line. */
struct scene {
	struct kc_arena arena;
	unsigned version;
	bool complete;
	struct kc_crio_file file[FILES_MAX];
	size_t n_files;
	struct kc_environment_variable variable[FILES_MAX];
	size_t n_variables;
	struct kc_word word[2 * FILES_MAX];
	size_t n_words;
	struct kc_buf bytes[FILES_MAX];
};

static int setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->word[s->n_words++] = (struct kc_word){ "/usr/bin/crio", { "crio.service", 1 } };
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	for (size_t i = 0; i < FILES_MAX; i++)
		kc_buf_done(&s->bytes[i]);
	kc_arena_done(&s->arena);
	free(s);
	return 0;
}

static void add_text(struct scene *s, const char *path, const char *text)
{
	s->file[s->n_files] = (struct kc_crio_file){
		.path = path,
		.text = text,
		.size = strlen(text),
		.dropin = s->n_files > 0,
	};
	s->n_files++;
}

static void add_unread(struct scene *s, const char *path, int code)
{
	s->file[s->n_files++] = (struct kc_crio_file){ .path = path, .dropin = true, .code = code };
}

static void add_sample(struct scene *s, const char *path, const char *sample)
{
	struct kc_buf *b = &s->bytes[s->n_files];
	kc_cleanup(kc_freep) char *name =
		kc_asprintf("%s/samples/%s", getenv("KC_TEST_DATA"), sample);
	kc_cleanup(kc_closep) int fd = open(name, O_RDONLY | O_CLOEXEC);

	assert_int_equal(kc_read_all(fd, 1 << 20, b), 0);
	add_text(s, path, b->data);
}

static void add_variable(struct scene *s, const char *name, const char *value)
{
	s->variable[s->n_variables] = (struct kc_environment_variable){
		name, value, { "/etc/sysconfig/crio", (unsigned)s->n_variables + 1 }
	};
	s->n_variables++;
}

static void add_word(struct scene *s, const char *word)
{
	s->word[s->n_words++] = (struct kc_word){ word, { "/etc/default/crio", 7 } };
}

static const struct kc_crio_config *merge(struct scene *s)
{
	const struct kc_service_command service = {
		.command = { .word = s->word, .n = s->n_words },
		.environment = s->variable,
		.n_environment = s->n_variables,
	};
	struct kc_crio_options options;
	struct kc_crio_input input = {
		.version = s->version,
		.complete = s->complete,
		.file = s->file,
		.n_files = s->n_files,
		.options = &options,
	};
	struct kc_crio_config *config = NULL;

	assert_int_equal(kc_crio_options_parse(&service, &s->arena, &options), 0);
	assert_int_equal(kc_crio_config_merge(&input, &s->arena, &config), 0);
	return config;
}

static void assert_value(const struct kc_crio_value *value, const char *text, const char *source)
{
	assert_string_equal(value->text, text);
	assert_string_equal(value->source, source);
}

static const struct kc_crio_handler *handler(const struct kc_crio_config *config, const char *name)
{
	for (size_t i = 0; i < config->n_handlers; i++)
		if (kc_streq(config->handler[i].name, name))
			return &config->handler[i];
	return NULL;
}

static const struct kc_crio_fault *fault(const struct kc_crio_config *config, uint32_t kind)
{
	for (size_t i = 0; i < config->n_faults; i++)
		if (config->fault[i].kind == kind)
			return &config->fault[i];
	return NULL;
}

static void assert_fault(const struct kc_crio_config *config, uint32_t kind, const char *source,
			 const char *text)
{
	const struct kc_crio_fault *f = fault(config, kind);

	assert_non_null(f);
	assert_string_equal(f->source, source);
	if (!strstr(f->text, text))
		fail_msg("\"%s\" is not in \"%s\"", text, f->text);
}

static void defaults_by_version(void **state)
{
	static const struct {
		unsigned version;
		const char *runtime, *pids, *monitor_cgroup, *conmon_cgroup;
	} cases[] = {
		{ 18, "runc", "1024", "", "system.slice" },
		{ 23, "runc", "1024", "", "system.slice" },
		{ 24, "runc", "0", "system.slice", "" },
		{ 28, "runc", "0", "system.slice", "" },
		{ 29, "runc", "-1", "system.slice", "" },
		{ 31, "crun", "-1", "system.slice", "" },
		{ 37, "crun", "-1", "system.slice", "" },
	};
	struct scene *s = *state;

	for (size_t i = 0; i < KC_ARRAY_SIZE(cases); i++) {
		const struct kc_crio_config *c;

		s->version = cases[i].version;
		c = merge(s);
		assert_string_equal(c->default_runtime.text, cases[i].runtime);
		assert_string_equal(c->pids_limit.text, cases[i].pids);
		assert_string_equal(c->conmon_cgroup.text, cases[i].conmon_cgroup);
		assert_string_equal(handler(c, cases[i].runtime)->monitor_cgroup.text,
				    cases[i].monitor_cgroup);
		assert_string_equal(c->cgroup_manager.text, "systemd");
		assert_string_equal(c->listen.text, "/var/run/crio/crio.sock");
		assert_string_equal(c->network_dir.text, "/etc/cni/net.d/");
		assert_int_equal(c->n_handlers, 1);
		assert_null(c->refused);
	}
	s->version = 18;
	assert_value(&merge(s)->conmon, "", "built-in default of CRI-O 1.18");
	s->version = 0;
	assert_null(merge(s)->pids_limit.text);
	assert_string_equal(merge(s)->default_runtime.text, "");
	assert_null(merge(s)->refused);
}

static void sample_1_17(void **state)
{
	struct scene *s = *state;
	const struct kc_crio_config *c;

	s->version = 18;
	add_sample(s, "/etc/crio/crio.conf", "crio-1.17-full.conf");
	c = merge(s);
	assert_value(&c->cgroup_manager, "cgroupfs", "/etc/crio/crio.conf:124");
	assert_string_equal(c->conmon.text, "");
	assert_string_equal(c->conmon_cgroup.text, "system.slice");
	assert_string_equal(c->plugin_dirs.text, "/opt/cni/bin/");
	assert_string_equal(c->pids_limit.text, "1024");
	assert_string_equal(c->selinux.text, "false");
	assert_string_equal(handler(c, "runc")->runtime_type.text, "oci");
	assert_int_equal(c->n_faults, 0);
}

static void sample_1_37(void **state)
{
	struct scene *s = *state;
	const struct kc_crio_config *c;

	s->version = 37;
	add_sample(s, "/etc/crio/crio.conf", "crio-1.37-default.conf");
	c = merge(s);
	assert_string_equal(c->cgroup_manager.text, "systemd");
	assert_string_equal(c->default_runtime.text, "crun");
	assert_string_equal(handler(c, "crun")->monitor_cgroup.text, "system.slice");
	assert_null(kc_crio_conmon(c, handler(c, "crun")));
	for (size_t i = 0; i < c->n_faults; i++)
		print_message("%s: %s\n", c->fault[i].source, c->fault[i].text);
	assert_int_equal(c->n_faults, 0);
}

static void later_files_win(void **state)
{
	struct scene *s = *state;
	const struct kc_crio_config *c;

	add_text(s, "/etc/crio/crio.conf",
		 "[crio.runtime]\nconmon = '/a'\ncgroup_manager = 'cgroupfs'\n");
	add_text(s, "/etc/crio/crio.conf.d/10-a.conf", "[crio.runtime]\nconmon = '/b'\r\n");
	add_text(s, "/etc/crio/crio.conf.d/10-a.conf~", "\n\n[crio.runtime]\nConmon = '/c'\n");
	add_text(s, "/etc/crio/crio.conf.d/20-b.conf",
		 "[crio.network]\nplugin_dirs = ['/x', '/y']\n");
	c = merge(s);
	assert_value(&c->conmon, "/c", "/etc/crio/crio.conf.d/10-a.conf~:4");
	assert_value(&c->cgroup_manager, "cgroupfs", "/etc/crio/crio.conf:3");
	assert_value(&c->plugin_dirs, "/x, /y", "/etc/crio/crio.conf.d/20-b.conf:2");
	assert_fault(c, KC_CRIO_STRAY, "/etc/crio/crio.conf.d/10-a.conf~", "put aside");
	assert_int_equal(c->n_faults, 1);
	assert_string_equal(c->files[3], "/etc/crio/crio.conf.d/20-b.conf");
	assert_null(c->files[4]);
}

static void names_of_strays(void **state)
{
	static const struct {
		const char *name;
		bool stray;
	} cases[] = {
		{ "10-crio.conf", false },     { "00-default", false },
		{ "a.toml", false },	       { "10-crio.conf~", true },
		{ ".10-crio.conf.swp", true }, { "x.conf.rpmsave", true },
		{ "x.conf.rpmnew", true },     { "x.conf.bak", true },
		{ "x.conf.dpkg-old", true },   { "x.conf.dpkg-dist", true },
		{ "#x.conf#", true },	       { "x.conf.20240131", true },
		{ "x.conf.disabled", true },   { ".hidden", true },
		{ "notes.md", true },
	};
	struct scene *s = *state;

	add_text(s, "/etc/crio/crio.conf", "");
	for (size_t i = 0; i < KC_ARRAY_SIZE(cases); i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "/etc/crio/crio.conf.d/%s", cases[i].name);
		s->n_files = 1;
		add_text(s, path, "");
		if ((fault(merge(s), KC_CRIO_STRAY) != NULL) != cases[i].stray)
			fail_msg("%s is judged wrong", path);
	}
}

static void variables_and_flags(void **state)
{
	struct scene *s = *state;
	const struct kc_crio_config *c;

	add_text(s, "/etc/crio/crio.conf",
		 "[crio.runtime]\nconmon = '/file'\n[crio.api]\nlisten = '/file.sock'\n");
	add_variable(s, "CONTAINER_CONMON", "/variable");
	add_variable(s, "CONTAINER_LISTEN", "/variable.sock");
	add_variable(s, "CONTAINER_CGROUP_MANAGER", "cgroupfs");
	add_word(s, "--enable-metrics");
	add_word(s, "--log-level");
	add_word(s, "--conmon");
	add_word(s, "--listen=/one.sock");
	add_word(s, "-listen");
	add_word(s, "/two.sock");
	add_word(s, "--selinux");
	add_word(s, "--pids-limit=5");
	add_word(s, "config");
	add_word(s, "--conmon=/never");
	c = merge(s);
	/* What looks like a flag is the value of --log-level. */
	assert_value(&c->conmon, "/variable", "/etc/sysconfig/crio:1 (CONTAINER_CONMON)");
	assert_value(&c->listen, "/two.sock", "/etc/default/crio:7 (--listen)");
	assert_value(&c->cgroup_manager, "cgroupfs",
		     "/etc/sysconfig/crio:3 (CONTAINER_CGROUP_MANAGER)");
	assert_string_equal(c->selinux.text, "true");
	assert_string_equal(c->pids_limit.text, "5");
}

static void flag_without_value(void **state)
{
	struct scene *s = *state;

	add_word(s, "--conmon");
	assert_string_equal(merge(s)->refused->subject, "--conmon");
}

static void runtimes_flag(void **state)
{
	struct scene *s = *state;
	const struct kc_crio_config *c;

	s->version = 37;
	add_text(s, "/etc/crio/crio.conf",
		 "[crio.runtime.runtimes.crun]\nmonitor_path = '/m'\nruntime_path = '/r'\n");
	add_variable(s, "CONTAINER_RUNTIMES", "never:/x:/y");
	add_word(s, "--runtimes");
	add_word(s, "crun:/c:/run/crun,kata:/k:/run/kata:vm");
	c = merge(s);
	assert_int_equal(c->n_handlers, 2);
	assert_string_equal(handler(c, "crun")->runtime_path.text, "/c");
	assert_string_equal(handler(c, "crun")->monitor_path.text, "");
	assert_false(kc_crio_handler_has_conmon(handler(c, "kata")));
	add_word(s, "--runtimes=half:/c");
	assert_fault(merge(s), KC_CRIO_REFUSED, "/etc/default/crio:7 (--runtimes)",
		     "NAME:PATH:ROOT");
}

static void conmon_overrides(void **state)
{
	struct scene *s = *state;
	const struct kc_crio_config *c;

	add_text(s, "/etc/crio/crio.conf",
		 "[crio.runtime]\ndefault_runtime = 'crun'\n"
		 "[crio.runtime.runtimes.crun]\nmonitor_path = '/m'\n"
		 "[crio.runtime.runtimes.runc]\n");
	s->version = 30;
	c = merge(s);
	assert_string_equal(kc_crio_conmon(c, handler(c, "crun"))->text, "/m");
	assert_string_equal(kc_crio_conmon(c, handler(c, "crun"))->source, "/etc/crio/crio.conf:4");
	assert_null(kc_crio_conmon(c, handler(c, "runc")));
	assert_null(kc_crio_conmon(c, NULL));
	s->version = 23; /* does not know monitor_path */
	c = merge(s);
	assert_null(kc_crio_conmon(c, handler(c, "crun")));
	assert_fault(c, KC_CRIO_IGNORED, "/etc/crio/crio.conf:4", "came with CRI-O 1.24");
	s->version = 30;
	add_text(s, "/etc/crio/crio.conf.d/1.conf", "[crio.runtime]\nconmon = '/old'");
	c = merge(s);
	assert_string_equal(kc_crio_conmon(c, handler(c, "crun"))->text, "/old");
	assert_string_equal(kc_crio_conmon(c, handler(c, "runc"))->text, "/old");
}

static void handler_replaced(void **state)
{
	struct scene *s = *state;
	const struct kc_crio_config *c;

	s->version = 37;
	add_text(s, "/etc/crio/crio.conf.d/10-crio.conf",
		 "[crio.runtime.runtimes.crun]\nruntime_path = '/usr/libexec/crio/crun'\n"
		 "monitor_path = '/usr/libexec/crio/conmon'\nruntime_root = '/run/crun'\n");
	add_text(s, "/etc/crio/crio.conf.d/20-mine.conf",
		 "# mine\n[crio.runtime.runtimes.crun]\nruntime_root = '/run/mine'\n");
	c = merge(s);
	assert_string_equal(handler(c, "crun")->monitor_path.text, "");
	assert_string_equal(handler(c, "crun")->runtime_path.text, "");
	assert_fault(
		c, KC_CRIO_REPLACED, "/etc/crio/crio.conf.d/20-mine.conf:2",
		"/etc/crio/crio.conf.d/10-crio.conf:1; what stood there is lost: runtime_path, "
		"monitor_path");
	assert_null(strstr(fault(c, KC_CRIO_REPLACED)->text, "runtime_root"));
}

static void runc_taken_away(void **state)
{
	struct scene *s = *state;

	add_text(s, "/etc/crio/crio.conf", "[crio.runtime.runtimes.kata]\nruntime_type = 'vm'\n");
	s->version = 18;
	assert_null(handler(merge(s), "runc"));
	assert_fault(merge(s), KC_CRIO_REFUSED, "built-in default of CRI-O 1.18",
		     "default_runtime is \"runc\"");
	s->version = 26;
	assert_non_null(handler(merge(s), "runc"));
	assert_null(merge(s)->refused);
	s->version = 0;
	assert_null(merge(s)->refused);
	s->version = 18;
	add_text(s, "/etc/crio/crio.conf.d/1", "[crio.runtime.runtimes.runc]\n");
	assert_null(merge(s)->refused);
}

static void refused_files(void **state)
{
	static const struct {
		const char *text, *source, *what;
	} cases[] = {
		{ "<<<<<<< HEAD\n", "/x.conf:1:1", "not TOML" },
		{ "[crio]\nroot = \n", "/x.conf:2:8", "not TOML" },
		{ "[crio.runtime]\nconmon = 5\n", "/x.conf:2",
		  "must be a string, and is a number" },
		{ "[crio.runtime]\nselinux = 'true'\n", "/x.conf:2", "without quotes" },
		{ "[crio.network]\nplugin_dirs = '/x'\n", "/x.conf:2", "a list of strings" },
		{ "[crio.network]\nplugin_dirs = ['/x', 1]\n", "/x.conf:2", "a list of strings" },
		{ "[crio]\nruntime = 1\n", "/x.conf:2", "a table" },
		{ "crio = 'x'\n", "/x.conf:1", "a table" },
		{ "[crio.runtime]\nruntimes = { runc = 1 }\n", "/x.conf:2", "tables" },
		{ "[crio.runtime]\npids_limit = 1.5\n", "/x.conf:2", "a number" },
		{ "[crio.runtime]\nconmon = \"a\\u0000b\"\n", "/x.conf:2", "NUL" },
		{ "[crio.runtime]\ndefault_runtime = 'none'\n", "/x.conf:2", "runtimes.none" },
	};
	struct scene *s = *state;

	for (size_t i = 0; i < KC_ARRAY_SIZE(cases); i++) {
		s->n_files = 0;
		add_text(s, "/x.conf", cases[i].text);
		assert_fault(merge(s), KC_CRIO_REFUSED, cases[i].source, cases[i].what);
		assert_non_null(merge(s)->refused);
	}
}

static void unread_files(void **state)
{
	struct scene *s = *state;
	const struct kc_crio_config *c;

	add_text(s, "/etc/crio/crio.conf", "");
	add_unread(s, "/d/1.conf", -EACCES);
	add_unread(s, "/d/2.conf", -ENOENT);
	add_unread(s, "/d/3.conf", -EISDIR);
	add_unread(s, "/d/4.conf", -EINVAL);
	add_unread(s, "/d/5.conf", -EFBIG);
	c = merge(s);
	assert_string_equal(c->unseen->subject, "/d/1.conf");
	assert_string_equal(c->refused->subject, "/d/2.conf");
	assert_int_equal(c->n_faults, 5);
}

static void ignored_keys(void **state)
{
	static const struct {
		unsigned version;
		const char *text, *source, *what;
	} cases[] = {
		{ 18, "[crio.runtime]\nconmonn = '/x'\n", "/x.conf:2", "it has \"conmon\"" },
		{ 18, "[crio.runtimes.runc]\n", "/x.conf:1", "crio.runtimes" },
		{ 18, "[runtime]\nconmon = '/x'\n", "/x.conf:1", "CRI-O has no key runtime" },
		{ 18, "[crio]\ncgroup_manager = 'systemd'\n", "/x.conf:2", "crio.cgroup_manager" },
		{ 37, "[crio.runtime.runtimes.crun]\nmonitorpath = '/x'\n", "/x.conf:2",
		  "it has \"monitor_path\"" },
		{ 37,
		  "[crio.runtime.runtimes.crun]\ntimezone = ''\ndisable_hostport_mapping = true\n",
		  "/x.conf:3", "disable_hostport_mapping" },
		{ 29, "[crio.runtime]\ntimezone = 'Local'\n", "/x.conf:2", "came with CRI-O 1.30" },
	};
	struct scene *s = *state;

	for (size_t i = 0; i < KC_ARRAY_SIZE(cases); i++) {
		s->n_files = 0;
		s->version = cases[i].version;
		add_text(s, "/x.conf", cases[i].text);
		assert_fault(merge(s), KC_CRIO_IGNORED, cases[i].source, cases[i].what);
		assert_null(merge(s)->refused);
	}
	s->n_files = 0;
	s->version = 40; /* newer than what is known here */
	add_text(s, "/x.conf", "[crio.runtime]\nbrand_new = 1\n");
	assert_null(fault(merge(s), KC_CRIO_IGNORED));
	assert_fault(merge(s), KC_CRIO_UNJUDGED, "/x.conf:2", "1.37");
	s->version = 21; /* gone: said by nobody, and harmless */
	s->n_files = 0;
	add_text(s, "/x.conf", "[crio.runtime]\nmanage_ns_lifecycle = true\n");
	assert_int_equal(merge(s)->n_faults, 0);
}

static void faults_are_bounded(void **state)
{
	struct scene *s = *state;
	const struct kc_crio_config *c;
	struct kc_buf b = { 0 };

	for (int i = 0; i < 5000; i++)
		kc_buf_addf(&b, "x%d = 1\n", i);
	kc_buf_adds(&b, "[crio.runtime]\nconmon = 1\nselinux = 1\n");
	add_text(s, "/x.conf", b.data);
	c = merge(s);
	assert_int_equal(c->n_faults, 1001);
	assert_string_equal(c->refused->subject, "conmon");
	kc_buf_done(&b);
}

static void no_memory(void **state)
{
	struct scene *s = *state;

	add_sample(s, "/etc/crio/crio.conf", "crio-1.17-full.conf");
	add_text(s, "/d/1.conf", "[crio.runtime.runtimes.x]\nnonsense = 1\n");
	for (size_t limit = 256; limit < 65536; limit += 1024) {
		struct kc_arena arena = { .limit = limit };
		struct kc_crio_config *config = NULL;
		const struct kc_crio_input input = { .file = s->file, .n_files = s->n_files };
		int r = kc_crio_config_merge(&input, &arena, &config);

		assert_true(r == 0 ? config != NULL : r == -ENOMEM && !config);
		kc_arena_done(&arena);
	}
}

static void answer_of_a_daemon(void **state)
{
	struct scene *s = *state;
	const struct kc_crio_config *c;

	s->complete = true;
	s->version = 18;
	add_text(s, "GET /config",
		 "[crio]\n[crio.runtime]\ndefault_runtime = 'crun'\nconmon = ''\n"
		 "[crio.runtime.runtimes]\n[crio.runtime.runtimes.crun]\nmonitor_path = '/m'\n");
	c = merge(s);
	assert_int_equal(c->n_handlers, 1);
	assert_null(c->refused);
}

static void versions(void **state)
{
	(void)state;
	assert_int_equal(kc_crio_version("1.18.6"), 18);
	assert_int_equal(kc_crio_version("v1.37.0-dev"), 37);
	assert_int_equal(kc_crio_version("1.24"), 24);
	assert_int_equal(kc_crio_version("2.0.1"), 0);
	assert_int_equal(kc_crio_version("1."), 0);
	assert_int_equal(kc_crio_version("1.99999999999"), 0);
	assert_int_equal(kc_crio_version(""), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(defaults_by_version), T(sample_1_17),	    T(sample_1_37),
		T(later_files_win),	T(names_of_strays), T(variables_and_flags),
		T(flag_without_value),	T(runtimes_flag),   T(conmon_overrides),
		T(handler_replaced),	T(runc_taken_away), T(refused_files),
		T(unread_files),	T(ignored_keys),    T(answer_of_a_daemon),
		T(faults_are_bounded),	T(no_memory),	    T(versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
