/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "profile/manifest-brief.h"
#include "profile/profile.h"

#define TOP   "name: demo\nversion: 1.0\ntitle: Demo\n"
#define CHECK TOP "checks:\n  one:\n    title: One\n    doc: what\n    horizons: now\n"
#define PARAM CHECK "    parameters:\n      p: "

static const struct kc_manifest *parse(struct kc_arena *arena, const char *text)
{
	const struct kc_manifest *m = NULL;
	struct kc_err err = { 0 };

	if (kc_manifest_parse("f", text, strlen(text), arena, &err, &m) < 0)
		fail_msg("%s", err.text);
	return m;
}

static void test_whole(void **state)
{
	static const char text[] = "name: demo-two\n"
				   "version: 0.1.0\n"
				   "title: Kernel parameters\n"
				   "doc: Words.\n"
				   "state: true\n"
				   "facts:\n"
				   "  os.id: \"ID of os-release(5)\"\n"
				   "checks:\n"
				   "  value:\n"
				   "    title: A value\n"
				   "    doc: What it judges.\n"
				   "    horizons: [now, boot]\n"
				   "    plans: true\n"
				   "    runs-program: true\n"
				   "    runs-own-program: true\n"
				   "    asks-bus: true\n"
				   "    parameters:\n"
				   "      keys: {type: list, required: true, doc: d}\n"
				   "      compare: {type: choice, choices: [equal, at-least], "
				   "default: at-least, doc: d}\n"
				   "      wait: {type: duration, default: 1m30s, doc: d}\n"
				   "      size: {type: size, default: 4Gi, doc: d}\n"
				   "      deep: {type: boolean, default: yes, doc: d}\n"
				   "      count: {type: integer, default: -3, doc: d}\n"
				   "      more: {type: list, default: [a, b c], doc: d}\n"
				   "      map: {type: map, default: {k: v, w: x}, doc: d}\n"
				   "      text: {type: string, default: \"\", doc: d}\n"
				   "    reasons:\n"
				   "      no-module: It is not there.\n"
				   "    results: {pass: P, fail: F, error: E, manual: M}\n"
				   "    reads: [/proc/sys, /etc/sysctl.d]\n"
				   "    touches: [/etc/sysctl.d, $keys]\n"
				   "    remedy: by hand\n"
				   "    references: one\n"
				   "  other:\n"
				   "    title: Other\n"
				   "    doc: d\n"
				   "    horizons: boot\n";
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	const struct kc_manifest *m = parse(&arena, text);
	const struct kc_manifest_check *c;

	assert_string_equal(m->file, "f");
	assert_string_equal(m->name, "demo-two");
	assert_string_equal(m->version, "0.1.0");
	assert_string_equal(m->title, "Kernel parameters");
	assert_string_equal(m->doc, "Words.");
	assert_true(m->state);
	assert_int_equal(m->n_facts, 1);
	assert_string_equal(m->facts[0].name, "os.id");
	assert_string_equal(m->facts[0].doc, "ID of os-release(5)");
	assert_int_equal(m->n_checks, 2);
	c = kc_manifest_check(m, "demo-two.other");
	assert_ptr_equal(c, m->checks + 1);
	assert_int_equal(c->flags, KC_CHECK_BOOT);
	assert_false(c->asks_bus);
	assert_int_equal(c->n_params, 0);
	assert_null(c->remedy);
	c = kc_manifest_check(m, "demo-two.value");
	assert_string_equal(c->title, "A value");
	assert_string_equal(c->doc, "What it judges.");
	assert_int_equal(c->flags, KC_CHECK_NOW | KC_CHECK_BOOT | KC_CHECK_PLANS |
					   KC_CHECK_RUNS_PROGRAM | KC_CHECK_RUNS_OWN_PROGRAM);
	assert_true(c->asks_bus);
	assert_string_equal(kc_manifest_reason(c, "no-module"), "It is not there.");
	assert_int_equal(c->n_results, 4);
	assert_string_equal(c->results[3].id, "manual");
	assert_string_equal(c->results[3].text, "M");
	assert_string_equal(c->reads[1], "/etc/sysctl.d");
	assert_string_equal(c->touches[1], "$keys");
	assert_null(c->touches[2]);
	assert_string_equal(c->remedy, "by hand");
	assert_string_equal(c->references[0], "one");
	assert_int_equal(c->n_params, 9);
	assert_true(c->params[0].required);
	assert_false(c->params[0].has_value);
	assert_null(c->params[0].fallback);
	assert_string_equal(c->params[1].choices[1], "at-least");
	assert_string_equal(c->params[1].value.string, "at-least");
	assert_int_equal(c->params[2].value.number, 90000000);
	assert_string_equal(c->params[2].fallback, "1m30s");
	assert_true(c->params[3].value.number == 4ll << 30);
	assert_int_equal(c->params[4].value.number, 1);
	assert_int_equal(c->params[5].value.number, -3);
	assert_int_equal(c->params[6].value.n, 2);
	assert_string_equal(c->params[6].value.list[1], "b c");
	assert_string_equal(c->params[6].fallback, "[a, b c]");
	assert_int_equal(c->params[7].value.n, 2);
	assert_string_equal(c->params[7].value.map[1].key, "w");
	assert_string_equal(c->params[7].fallback, "{k: v, w: x}");
	assert_true(c->params[8].has_value);
	assert_string_equal(c->params[8].value.string, "");
}

static void test_faults(void **state)
{
	static const struct {
		const char *text, *message;
	} table[] = {
		{ "", "f: the manifest is empty" },
		{ "- a\n", "f:1:1: a manifest must be a mapping, this is a list" },
		{ "a: 1\na: 2\n", "f:2:1: the key 'a' stands here twice, first in line 1" },
		{ "name: demo\ntitle: x\nfacts: {a: b}\n",
		  "f:1:1: a manifest lacks the key 'version'" },
		{ TOP, "f:1:1: a manifest needs 'checks' or 'facts'" },
		{ TOP "check: {}\n", "f:1:1: a manifest needs 'checks' or 'facts'" },
		{ TOP "facts: {a: b}\ncheks: {}\n",
		  "f:5:1: a manifest has no key 'cheks'; did you mean 'checks'?" },
		{ TOP "facts: [a]\n",
		  "f:4:8: 'facts' of a manifest must be a mapping, this is a list" },
		{ TOP "facts:\n", "f:4:1: 'facts' of a manifest has no value" },
		{ TOP "facts: {A: b}\n", "f:4:9: a fact's name is [a-z0-9.-]+, this is 'A'" },
		{ TOP "facts: {a: }\n", "f:4:12: the fact 'a' needs a sentence" },
		{ TOP "facts: {a: b}\nstate: perhaps\n",
		  "f:5:8: 'state' must be true or false, this is 'perhaps'" },
		{ "name: De mo\nversion: 1\ntitle: x\nfacts: {a: b}\n",
		  "f:1:7: a plugin's name is [a-z][a-z0-9-]*, this is 'De mo'" },
		{ "name: 9p\nversion: 1\ntitle: x\nfacts: {a: b}\n",
		  "f:1:7: a plugin's name is [a-z][a-z0-9-]*, this is '9p'" },
		{ "name: a\nversion: 1\ntitle: \"x\\ny\"\nfacts: {a: b}\n",
		  "f:3:8: 'title' must be one line" },
		{ TOP "checks:\n  O.ne: {title: t, doc: d, horizons: now}\n",
		  "f:5:3: a check's id is [a-z0-9-]+, this is 'O.ne'" },
		{ TOP "checks:\n  one: {title: t, horizons: now}\n",
		  "f:5:8: a check lacks the key 'doc'" },
		{ TOP "checks:\n  one: {title: t, doc: d}\n",
		  "f:5:8: a check lacks the key 'horizons'" },
		{ TOP "checks:\n  one: {title: t, doc: d, horizons: [bot]}\n",
		  "f:5:38: a horizon is now or boot; did you mean 'boot'?" },
		{ TOP "checks:\n  one: {title: t, doc: d, horizons: []}\n",
		  "f:5:37: 'horizons' is empty; a check judges now, boot or both" },
		{ CHECK "    planz: true\n",
		  "f:9:5: a check has no key 'planz'; did you mean 'plans'?" },
		{ CHECK "    reasons: {offline: x}\n",
		  "f:9:15: the reason 'offline' is k8scheck's own; choose another id" },
		{ CHECK "    reasons: {condition: x}\n",
		  "f:9:15: the reason 'condition' is k8scheck's own; choose another id" },
		{ CHECK "    reasons: {horizon: x}\n",
		  "f:9:15: the reason 'horizon' is k8scheck's own; choose another id" },
		{ CHECK "    reasons: {not-selected: x}\n",
		  "f:9:15: the reason 'not-selected' is k8scheck's own; choose another id" },
		{ CHECK "    reasons: {a_b: x}\n",
		  "f:9:15: a reason's id is [a-z0-9-]+, this is 'a_b'" },
		{ CHECK "    reasons: {ab: }\n", "f:9:19: 'ab' of reasons needs a sentence" },
		{ CHECK "    results: {pas: x}\n", "f:9:15: 'results' explains pass, fail, error "
						   "and manual, not 'pas'; did you mean 'pass'?" },
		{ CHECK "    results: {skip: x}\n",
		  "f:9:15: 'results' explains pass, fail, error and manual, not 'skip'" },
		{ CHECK "    reads: [[a]]\n",
		  "f:9:13: an item of 'reads' must be text, this is a list" },
		{ CHECK "    reads: [~]\n", "f:9:13: an item of 'reads' is empty" },
		{ CHECK "    touches: [$p]\n",
		  "f:9:14: 'touches' names $p, and there is no parameter 'p'" },
		{ PARAM "{type: list, doc: d}\n    touches: [$pp]\n",
		  "f:11:14: 'touches' names $pp, and there is no parameter 'pp'; did you mean "
		  "'p'?" },
		{ PARAM "{type: list}\n", "f:10:10: a parameter lacks the key 'doc'" },
		{ PARAM "{doc: d}\n", "f:10:10: a parameter lacks the key 'type'" },
		{ PARAM "{type: lst, doc: d}\n",
		  "f:10:17: there is no type 'lst'; did you mean 'list'?" },
		{ PARAM "{type: choice, doc: d}\n",
		  "f:10:10: the parameter 'p' is a choice and lacks 'choices'" },
		{ PARAM "{type: list, choices: [a], doc: d}\n",
		  "f:10:10: the parameter 'p' has 'choices' and is no choice" },
		{ PARAM "{type: choice, choices: [abc, def], default: abd, doc: d}\n",
		  "f:10:55: 'p' must be one of abc, def; this is 'abd'; did you mean 'abc'?" },
		{ PARAM "{type: integer, default: x, doc: d}\n",
		  "f:10:35: 'p' must be an integer, this is 'x'" },
		{ PARAM "{type: list, required: true, default: x, doc: d}\n",
		  "f:10:48: the required parameter 'p' cannot have a default" },
		{ CHECK "    parameters: {P: {type: list, doc: d}}\n",
		  "f:9:18: a parameter's name is [a-z0-9-]+, this is 'P'" },
		{ CHECK "    parameters: {p: list}\n",
		  "f:9:21: a parameter must be a mapping, this is text" },
		/* Of several, the first in the text. */
		{ "nam: x\nversion: 1\ntitle: x\nfacts: {A: b}\n",
		  "f:1:1: a manifest has no key 'nam'; did you mean 'name'?" },
		{ TOP "\"\\e[31m\": x\nfacts: {a: b}\n",
		  "f:4:1: a manifest has no key '\\x1b[31m'" },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		const struct kc_manifest *m = NULL;
		struct kc_err err = { 0 };

		assert_int_equal(kc_manifest_parse("f", table[i].text, strlen(table[i].text),
						   &arena, &err, &m),
				 -EINVAL);
		assert_null(m);
		assert_string_equal(err.text, table[i].message);
	}
}

static void test_bounds(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	const struct kc_manifest *m = NULL;
	struct kc_err err = { 0 };

	kc_buf_adds(&b, CHECK "    parameters:\n");
	for (int i = 0; i < 65; i++)
		kc_buf_addf(&b, "      p%d: {type: list, doc: d}\n", i);
	assert_int_equal(kc_manifest_parse("f", b.data, b.len, &arena, &err, &m), -EINVAL);
	assert_string_equal(err.text, "f:10:7: there are more than 64 parameters");
}

static void test_no_memory(void **state)
{
	static const char text[] =
		PARAM "{type: list, default: [a], doc: d}\n    reasons: {a: b}\n";

	for (size_t limit = 8; limit < 65536; limit += 8) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = limit };
		const struct kc_manifest *m = NULL;
		struct kc_err err = { 0 };
		int r = kc_manifest_parse("f", text, strlen(text), &arena, &err, &m);

		if (r == 0)
			return;
		assert_int_equal(r, -ENOMEM);
		assert_string_equal(err.text, "f: Cannot allocate memory");
	}
	fail_msg("it needs more than 64 KiB");
}

/* ---- files */

struct folder {
	char path[64];
};

static int setup(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->path, sizeof(f->path), "/tmp/k8scheck-manifest-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	*state = f;
	return 0;
}

static const char *const files[] = { "demo.yaml",  "other.yaml", "broken.yaml", "Not A Name.yaml",
				     "-dash.yaml", "text.txt",	 NULL };

static int teardown(void **state)
{
	struct folder *f = *state;
	char path[128];

	KC_FOREACH_STR (name, files) {
		(void)snprintf(path, sizeof(path), "%s/%s", f->path, name);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(f->path), 0);
	free(f);
	return 0;
}

static void put(const struct folder *f, const char *name, const char *text)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", f->path, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(kc_write_all(fd, text, strlen(text)), 0);
}

static void test_load(void **state)
{
	const struct folder *f = *state;
	const char *const dirs[] = { "/nonexistent", f->path, NULL };
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_manifest_cache cache = { 0 };
	const struct kc_manifest *m = NULL, *again = NULL;
	const char *const *names = NULL;
	struct kc_err err = { 0 };
	char expected[256];

	put(f, "demo.yaml", TOP "facts: {a: b}\n");
	put(f, "other.yaml", TOP "facts: {a: b}\n");
	put(f, "broken.yaml", TOP);
	put(f, "Not A Name.yaml", TOP);
	put(f, "-dash.yaml", TOP);
	put(f, "text.txt", TOP);
	assert_int_equal(kc_manifest_load(dirs, "demo", &cache, &arena, &err, &m), 0);
	assert_string_equal(m->name, "demo");
	(void)snprintf(expected, sizeof(expected), "%s/demo.yaml", f->path);
	assert_string_equal(m->file, expected);
	assert_int_equal(kc_manifest_load(dirs, "demo", &cache, &arena, &err, &again), 0);
	assert_ptr_equal(m, again);
	assert_int_equal(cache.n, 1);

	assert_int_equal(kc_manifest_load(dirs, "dmeo", &cache, &arena, &err, &m), -ENOENT);
	(void)snprintf(expected, sizeof(expected),
		       "there is no plugin 'dmeo' in /nonexistent, %s; did you mean 'demo'?",
		       f->path);
	assert_string_equal(err.text, expected);
	assert_int_equal(kc_manifest_load(dirs, "other", &cache, &arena, &err, &m), -EINVAL);
	(void)snprintf(expected, sizeof(expected),
		       "%s/other.yaml: this is the manifest of 'demo'; it must be called demo.yaml",
		       f->path);
	assert_string_equal(err.text, expected);
	assert_int_equal(kc_manifest_load(dirs, "broken", &cache, &arena, &err, &m), -EINVAL);
	(void)snprintf(expected, sizeof(expected),
		       "%s/broken.yaml:1:1: a manifest needs 'checks' or 'facts'", f->path);
	assert_string_equal(err.text, expected);
	assert_int_equal(kc_manifest_load(dirs, "../demo", &cache, &arena, &err, &m), -EINVAL);
	assert_string_equal(
		err.text, "a plugin's name is [a-z0-9.-]+ without a dash or dot at its start, this "
			  "is '../demo'");

	assert_int_equal(kc_profile_names(dirs, &arena, &err, &names), 0);
	assert_string_equal(names[0], "broken");
	assert_string_equal(names[1], "demo");
	assert_string_equal(names[2], "other");
	assert_null(names[3]);
}

/* ---- without what people read ---- */

static void same_text(const char *a, const char *b)
{
	assert_int_equal(a != NULL, b != NULL);
	if (a)
		assert_string_equal(a, b);
}

static void same_list(const char *const *a, const char *const *b)
{
	assert_int_equal(kc_strv_len(a), kc_strv_len(b));
	for (size_t i = 0; i < kc_strv_len(a); i++)
		assert_string_equal(a[i], b[i]);
}

static void same_check(const struct kc_manifest_check *a, const struct kc_manifest_check *b)
{
	assert_string_equal(a->id, b->id);
	assert_string_equal(a->title, b->title);
	assert_int_equal(a->flags, b->flags);
	same_text(a->remedy, b->remedy);
	assert_int_equal(a->n_params, b->n_params);
	for (uint32_t i = 0; i < a->n_params; i++) {
		assert_string_equal(a->params[i].name, b->params[i].name);
		assert_int_equal(a->params[i].type, b->params[i].type);
		assert_int_equal(a->params[i].required, b->params[i].required);
		same_text(a->params[i].fallback, b->params[i].fallback);
		same_list(a->params[i].choices, b->params[i].choices);
	}
	assert_int_equal(a->n_reasons, b->n_reasons);
	for (uint32_t i = 0; i < a->n_reasons; i++) {
		assert_string_equal(a->reasons[i].id, b->reasons[i].id);
		assert_string_equal(a->reasons[i].text, b->reasons[i].text);
	}
}

/* Both texts mean the same; how much of it is left, in percent. */
static unsigned expect_same(const char *text, size_t size)
{
	kc_cleanup(kc_buf_done) struct kc_buf less = { 0 };
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	const struct kc_manifest *a = parse(&arena, text), *b;

	kc_manifest_brief(text, size, &less);
	assert_int_equal(kc_buf_error(&less), 0);
	b = parse(&arena, less.data);
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->version, b->version);
	assert_string_equal(a->title, b->title);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->n_facts, b->n_facts);
	for (uint32_t i = 0; i < a->n_facts; i++)
		assert_string_equal(a->facts[i].name, b->facts[i].name);
	assert_int_equal(a->n_checks, b->n_checks);
	for (uint32_t i = 0; i < a->n_checks; i++)
		same_check(a->checks + i, b->checks + i);
	return (unsigned)(less.len * 100 / size);
}

/* Every manifest of the tree. */
static void test_brief_plugins(void **state)
{
	static const char *const dirs[] = { PLUGINS_DIR, NULL };
	DIR *dir = opendir(dirs[0]);
	const struct dirent *entry;
	unsigned n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
		kc_cleanup(kc_closep) int fd = -EBADF;
		char path[PATH_MAX];

		(void)snprintf(path, sizeof(path), "%s/%s/%s.yaml", dirs[0], entry->d_name,
			       entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		assert_int_equal(kc_read_all(fd, 1 << 20, &text), 0);
		assert_in_range(expect_same(text.data, text.len), 10, 95);
		n++;
	}
	(void)closedir(dir);
	assert_true(n >= 6);
}

/* Layouts that others may use, and texts that look like keys. */
static void test_brief_layouts(void **state)
{
	static const char wide[] = "checks:\n"
				   "     doc:\n" /* a check of that name */
				   "          title: T\n"
				   "          doc: >\n"
				   "            words\n"
				   "\n"
				   "            more\n"
				   "          horizons: now\n"
				   "          remedy: |\n"
				   "            doc: not a key\n"
				   "            reads: neither\n"
				   "          results:\n"
				   "             pass: a\n"
				   "             fail: b\n"
				   "          parameters:\n"
				   "              doc:\n" /* a parameter */
				   "                  type: string\n"
				   "                  doc: |\n"
				   "                   words\n"
				   "                  default: reads\n"
				   "              reads: {type: list, default: [a], doc: d}\n"
				   "          reasons: {doc: a reason}\n"
				   "name: demo\nversion: 1.0\ntitle: Demo\n"
				   "doc: \"at the\n"
				   "  end\"";
	static const char flow[] =
		TOP "checks: {one: {title: One, doc: what, horizons: now,\n  reads: [a,\n  b]}}\n";
	/* A list at the indentation of its key: what is left is no YAML, and the whole is read. */
	static const char level[] = CHECK "    reads:\n    - a\n    remedy: r\n";
	kc_cleanup(kc_buf_done) struct kc_buf less = { 0 };

	assert_in_range(expect_same(wide, strlen(wide)), 50, 90);
	assert_int_equal(expect_same(flow, strlen(flow)), 100);
	kc_manifest_brief(level, strlen(level), &less);
	assert_string_equal(less.data, TOP "checks:\n  one:\n    title: One\n    doc: left out\n"
					   "    horizons: now\n    - a\n    remedy: r\n");
	kc_manifest_brief("", 0, &less);
	kc_manifest_brief("\n:\n - x: y\n\t", 11, &less);
	assert_int_equal(kc_buf_error(&less), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_brief_plugins),
		cmocka_unit_test(test_brief_layouts),
		cmocka_unit_test_setup_teardown(test_load, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
