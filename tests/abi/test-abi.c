/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "layout.h"
#include "profile/profile.h"
#include "run/host.h"
#include "run/loader.h"

/*
 * Plugins that were built with another header than this k8scheck: by the real loader, against the
 * real table of services.
 */

static const char *plugin_dir;

struct place {
	struct kc_arena arena;
	char top[32];
	struct kc_root *root;
	const struct kc_manifest *manifest;
	struct kc_buf said; /* a line for everything that was handed in */
};

static void write_file(const char *dir, const char *name, const char *text)
{
	kc_cleanup(kc_freep) char *path = kc_asprintf("%s/%s", dir, name);
	kc_cleanup(kc_fclosep) FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	kc_cleanup(kc_freep) char *etc = NULL;

	assert_non_null(p);
	(void)snprintf(p->top, sizeof(p->top), "/tmp/kc-abi-XXXXXX");
	assert_non_null(mkdtemp(p->top));
	etc = kc_asprintf("%s/etc", p->top);
	assert_int_equal(mkdir(etc, 0755), 0);
	write_file(etc, "hostname", "node1\n");
	assert_int_equal(kc_root_open(p->top, KC_ROOT_LIVE, NULL, &p->root), 0);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	static const char *const names[] = { "/etc/hostname", "/etc", "" };

	kc_root_free(p->root);
	kc_buf_done(&p->said);
	for (size_t i = 0; i < KC_ARRAY_SIZE(names); i++) {
		kc_cleanup(kc_freep) char *path = kc_asprintf("%s%s", p->top, names[i]);

		assert_int_equal(remove(path), 0);
	}
	kc_arena_done(&p->arena);
	free(p);
	return 0;
}

/* ---- who looks on, and who answers ---- */

static void on_finding(void *context, const struct kc_finding *f)
{
	struct place *p = context;

	kc_buf_addf(&p->said, "%u %u %s: %s\n", f->verdict, f->horizon, f->subject,
		    f->found ? f->found : "");
}

static void on_fact(void *context, const struct kc_fact *f)
{
	struct place *p = context;

	kc_buf_addf(&p->said, "fact %u %s\n", f->state, f->value);
}

static void on_step(void *context, const struct kc_step *s)
{
	struct place *p = context;

	kc_buf_addf(&p->said, "step %u %u %o %s %.*s", s->kind, s->horizon, s->mode, s->target,
		    (int)s->content_size, (const char *)s->content);
}

static void on_log(void *context, uint32_t level, const char *text)
{
	struct place *p = context;

	kc_buf_addf(&p->said, "log %u %s\n", level, text);
}

static void ask(void *context, const struct kc_question *question, struct kc_arena *arena,
		struct kc_answer *ret_answer)
{
	if (question->kind == KC_ASK_PROGRAM) {
		ret_answer->numbers[0] = 3;
		kc_answer_adds(ret_answer, arena, "output");
		kc_answer_adds(ret_answer, arena, "");
	} else {
		kc_answer_adds(ret_answer, arena, question->strings.item[3]);
	}
}

static struct kc_run start(struct place *p)
{
	static const struct kc_fact_value fact = { .name = "os.id",
						   .state = KC_FACT_KNOWN,
						   .value = "debian" };

	return (struct kc_run){
		.root = p->root,
		.plugin = p->manifest,
		.facts = &fact,
		.n_facts = 1,
		.deadline_usec = kc_now_usec() + 60 * 1000000ull,
		.ask = ask,
		.sink = { .context = p,
			  .finding = on_finding,
			  .fact = on_fact,
			  .step = on_step,
			  .log = on_log },
	};
}

static int load(struct place *p, const char *name, struct kc_err *err,
		struct kc_plugin_file *ret_file, const struct kc_plugin **ret_plugin)
{
	const char *dirs[] = { plugin_dir, NULL };
	struct kc_manifest_cache cache = { 0 };
	enum kc_refusal refusal;
	int r;

	r = kc_manifest_load(dirs, name, &cache, &p->arena, err, &p->manifest);
	if (r >= 0)
		r = kc_plugin_file_open(p->manifest, NULL, err, ret_file);
	if (r >= 0)
		r = kc_plugin_load(name, ret_file->path, ret_file->fd, err, &refusal, ret_plugin);
	return r < 0 ? r : kc_plugin_compare(*ret_plugin, p->manifest, err);
}

static void use(struct place *p, const struct kc_plugin *plugin)
{
	static const char *const list[] = { "one", "two", NULL };
	static const struct kc_pair map[] = { { "key", "value" } };
	const struct kc_manifest_check *check = p->manifest->checks;
	const struct kc_value values[] = {
		{ .type = KC_TYPE_STRING, .string = "some text" },
		{ .type = KC_TYPE_INTEGER, .number = -7 },
		{ .type = KC_TYPE_LIST, .n = 2, .list = list },
		{ .type = KC_TYPE_MAP, .n = 1, .map = map },
	};
	const struct kc_rule rule = { .id = "rule", .check = check, .params = values };
	const struct kc_check *own = kc_plugin_check(plugin, check->id);
	struct kc_run run = start(p);
	void *plugin_state = NULL;

	assert_non_null(own);
	assert_int_equal(plugin->open(&kc_host_table, &run, &plugin_state), 0);
	run.rule = &rule;
	run.horizons = KC_NOW | KC_BOOT;
	assert_int_equal(own->run(plugin_state, &kc_host_table, &run), 0);
	assert_int_equal(run.refused, 0);
	assert_int_equal(run.reported, KC_NOW | KC_BOOT);
	kc_run_done(&run);
	run = start(p);
	run.rule = &rule;
	run.planning = true;
	assert_int_equal(own->plan(plugin_state, &kc_host_table, &run), 0);
	kc_run_done(&run);
	run = start(p);
	run.gathering = true;
	run.source = plugin->facts[0];
	assert_int_equal(plugin->facts[0]->gather(plugin_state, &kc_host_table, &run), 0);
	kc_run_done(&run);
	plugin->close(plugin_state);
}

/* What both must have found. */
static const char expected[] = "1 1 horizons: 3\n"
			       "1 1 state: opened\n"
			       "log 6 a line\n"
			       "1 1 text: some text\n"
			       "1 1 number: -7\n"
			       "1 1 list: two\n"
			       "1 1 map: value\n"
			       "1 1 fact: debian\n"
			       "1 2 file: node1\n\n"
			       "1 1 size: 6\n"
			       "1 1 filesystem: some\n"
			       "1 1 why: /etc/missing: there is no such file or folder\n"
			       "1 1 bus: Version\n"
			       "1 1 exit code: 3\n"
			       "1 1 output: output\n"
			       "1 1 behind: left alone\n"
			       "step 2 2 644 /etc/hostname node\n"
			       "fact 1 gathered\n";

/* The loader takes an equal name, and so an equal descriptor, for the same object: both stay open.
 */
static struct kc_plugin_file open_files[2] = { { .fd = -EBADF }, { .fd = -EBADF } };

static void find_the_same(struct place *p, const char *name, struct kc_plugin_file *file)
{
	const struct kc_plugin *plugin = NULL;
	struct kc_err err = { 0 };

	if (load(p, name, &err, file, &plugin) < 0)
		fail_msg("%s", err.text);
	use(p, plugin);
	assert_string_equal(p->said.data, expected);
}

static void test_frozen(void **state)
{
	find_the_same(*state, "abi-frozen", open_files);
}

static void test_newer(void **state)
{
	find_the_same(*state, "abi-newer", open_files + 1);
}

static void test_other(void **state)
{
	struct kc_plugin_file file = { .fd = -EBADF };
	const struct kc_plugin *plugin = NULL;
	struct kc_err err = { 0 };

	assert_int_equal(load(*state, "abi-other", &err, &file, &plugin), -ENOEXEC);
	assert_non_null(strstr(err.text, "is built for plugin ABI 2.0, and this k8scheck has 1.0"));
	assert_int_equal(file.fd, -EBADF);
}

/* Nothing has moved since 1.0, and nothing has another meaning; structures may have grown. */
static void test_layout(void **state)
{
	size_t n = 0;

	for (; layout_frozen[n].name; n++) {
		const struct layout *was = layout_frozen + n, *is = layout_now + n;

		assert_string_equal(was->name, is->name);
		if (was->offset != is->offset || was->size != is->size || was->least > is->least)
			fail_msg("%s is not where it was in ABI 1.0", was->name);
	}
	assert_true(n > 200);
}

#define ABI_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		ABI_TEST(test_frozen),
		ABI_TEST(test_newer),
		ABI_TEST(test_other),
		cmocka_unit_test(test_layout),
	};

	int r;

	if (argc != 2)
		return 2;
	plugin_dir = argv[1];
	r = cmocka_run_group_tests(tests, NULL, NULL);
	for (size_t i = 0; i < KC_ARRAY_SIZE(open_files); i++)
		kc_plugin_file_done(open_files + i);
	return r;
}
