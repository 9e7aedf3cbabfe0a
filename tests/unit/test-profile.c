/* SPDX-License-Identifier: Apache-2.0 */
#include "profile-place.h"

/* ---- what a rule comes to */

static void test_every_key(void **state)
{
	struct place *p = *state;
	const struct kc_profile *profile =
		must_load(p, with_text(p, "title: A title\n"
					  "vars: {x: y}\n"
					  "rules:\n"
					  "  - id: a-1\n"
					  "    check: demo.value\n"
					  "    title: T\n"
					  "    why: W\n"
					  "    remedy: R\n"
					  "    severity: recommended\n"
					  "    stage: kubelet\n"
					  "    tags: [t1, t2]\n"
					  "    references: https://example.org\n"
					  "    with:\n"
					  "      keys: [k1, k2]\n"
					  "      compare: at-least\n"
					  "      value: 007\n"
					  "      wait: 1m30s\n"
					  "      room: 4Gi\n"
					  "      deep: yes\n"
					  "      count: -5\n"
					  "      map: {m: 1, n: two}\n"
					  "    when: {os.id: [debian, ubuntu], os.version: '>= "
					  "11', demo.version: '!=2'}\n"
					  "    fix: never\n"
					  "    disabled: false\n"));
	const struct kc_rule *r = rule_of(profile, "a-1");

	assert_string_equal(profile->name, "p");
	assert_string_equal(profile->title, "A title");
	assert_int_equal(profile->n_rules, 1);
	assert_string_equal(r->check->id, "demo.value");
	assert_string_equal(r->plugin->name, "demo");
	assert_string_equal(r->title, "T");
	assert_string_equal(r->why, "W");
	assert_string_equal(r->remedy, "R");
	assert_int_equal(r->severity, KC_RECOMMENDED);
	assert_int_equal(r->stage, KC_STAGE_KUBELET);
	assert_int_equal(r->fix, KC_FIX_NEVER);
	assert_true(r->selected);
	assert_false(r->runs_untrusted);
	assert_string_equal(r->tags[1], "t2");
	assert_null(r->tags[2]);
	assert_string_equal(r->references[0], "https://example.org");
	assert_int_equal(param_of(r, "keys")->type, KC_TYPE_LIST);
	assert_int_equal(param_of(r, "keys")->n, 2);
	assert_string_equal(param_of(r, "keys")->list[1], "k2");
	assert_string_equal(param_of(r, "compare")->string, "at-least");
	assert_string_equal(param_of(r, "value")->string, "007");
	assert_int_equal(param_of(r, "wait")->number, 90000000);
	assert_true(param_of(r, "room")->number == 4ll << 30);
	assert_int_equal(param_of(r, "deep")->number, 1);
	assert_int_equal(param_of(r, "count")->number, -5);
	assert_int_equal(param_of(r, "map")->n, 2);
	assert_string_equal(param_of(r, "map")->map[1].value, "two");
	assert_int_equal(r->n_when, 3);
	assert_string_equal(r->when[0].fact, "os.id");
	assert_int_equal(r->when[0].op, KC_OP_EQUAL);
	assert_string_equal(r->when[0].values[1], "ubuntu");
	assert_int_equal(r->when[1].op, KC_OP_GREATER_EQUAL);
	assert_string_equal(r->when[1].values[0], "11");
	assert_int_equal(r->when[2].op, KC_OP_NOT_EQUAL);
	assert_string_equal(r->when[2].values[0], "2");
	/* The check's plugin first, then that of the facts. */
	assert_int_equal(profile->n_plugins, 2);
	assert_string_equal(profile->plugins[0]->name, "demo");
	assert_string_equal(profile->plugins[1]->name, "os");
	assert_null(profile->sources[0].text);
	assert_null(profile->sources[0].warning);
	expect_origin(p, r->origins + KC_RULE_CHECK, "p.yaml:5:5");
	expect_origin(p, r->origins + KC_RULE_FIX, "p.yaml:23:5");
	expect_param_origin(p, r, "room", "p.yaml:18:7");
}

static void test_defaults(void **state)
{
	struct place *p = *state;
	const struct kc_profile *profile = must_load(p, with_text(p, RULE));
	const struct kc_rule *r = rule_of(profile, "a");

	assert_null(profile->title);
	assert_string_equal(r->title, "Values are set");
	assert_null(r->why);
	assert_null(r->remedy);
	assert_int_equal(r->severity, KC_REQUIRED);
	assert_int_equal(r->stage, KC_STAGE_HOST);
	assert_int_equal(r->fix, KC_FIX_AUTO);
	assert_null(r->tags);
	assert_null(r->references);
	assert_int_equal(r->n_when, 0);
	assert_int_equal(param_of(r, "keys")->n, 1);
	assert_string_equal(param_of(r, "keys")->list[0], "k");
	assert_string_equal(param_of(r, "compare")->string, "equal");
	assert_int_equal(param_of(r, "wait")->number, 2000000);
	assert_int_equal(param_of(r, "value")->type, 0);
	expect_origin(p, r->origins + KC_RULE_TITLE, "manifest:0:0");
	expect_origin(p, r->origins + KC_RULE_SEVERITY, "default:0:0");
	expect_param_origin(p, r, "keys", "p.yaml:4:12");
	expect_param_origin(p, r, "wait", "manifest:0:0");
}

static void test_text_kept(void **state)
{
	struct place *p = *state;
	struct options o = *with_text(p, RULE);
	const struct kc_profile *profile;

	o.keep_texts = true;
	profile = must_load(p, &o);
	assert_int_equal(profile->sources[0].size, strlen(RULE));
	assert_memory_equal(profile->sources[0].text, RULE, strlen(RULE));
	/* "default" and "manifest" are no files. */
	for (uint32_t i = 1; i < profile->n_sources; i++)
		assert_null(profile->sources[i].text);
}

/* ---- merging */

static void test_override(void **state)
{
	struct place *p = *state;
	const struct kc_profile *profile;
	const struct kc_rule *r;

	put(p, "profiles/base.yaml",
	    "title: Base\n"
	    "rules:\n"
	    "  - id: a\n    check: demo.value\n    title: T\n    why: W\n    tags: [x, y]\n"
	    "    with: {keys: [k1, k2], value: 1, count: 3}\n"
	    "  - id: b\n    check: demo.other\n"
	    "  - {id: c, check: demo.other, disabled: true}\n"
	    "  - {id: d, check: demo.other}\n");
	profile = must_load(
		p,
		with_text(
			p,
			"extends: base\n"
			"rules:\n"
			"  - {id: e, check: demo.other}\n"
			"  - {id: b, disabled: true}\n"
			"  - id: a\n    title: T2\n    tags: z\n    with: {keys: [k3], value: 2}\n"
			"  - {id: c, disabled: false}\n"));
	/* The place of a rule is that of its first mention. */
	assert_int_equal(profile->n_rules, 4);
	assert_string_equal(profile->rules[0].id, "a");
	assert_string_equal(profile->rules[1].id, "c");
	assert_string_equal(profile->rules[2].id, "d");
	assert_string_equal(profile->rules[3].id, "e");
	assert_string_equal(profile->title, "Base");
	r = rule_of(profile, "a");
	assert_string_equal(r->title, "T2");
	assert_string_equal(r->why, "W");
	assert_string_equal(r->tags[0], "z");
	assert_null(r->tags[1]);
	assert_int_equal(param_of(r, "keys")->n, 1);
	assert_string_equal(param_of(r, "keys")->list[0], "k3");
	assert_string_equal(param_of(r, "value")->string, "2");
	assert_int_equal(param_of(r, "count")->number, 3);
	expect_origin(p, r->origins + KC_RULE_CHECK, "base.yaml:4:5");
	expect_origin(p, r->origins + KC_RULE_WHY, "base.yaml:6:5");
	expect_origin(p, r->origins + KC_RULE_TITLE, "p.yaml:6:5");
	expect_origin(p, r->origins + KC_RULE_TAGS, "p.yaml:7:5");
	expect_param_origin(p, r, "value", "p.yaml:8:24");
	expect_param_origin(p, r, "count", "base.yaml:8:38");
}

static void test_several_profiles(void **state)
{
	struct place *p = *state;
	const struct options *o = with_text(p, "title: P\n" RULE);
	const struct options two = { .profiles = LIST("p", at(p, "profiles/q.yml")) };

	(void)o;
	put(p, "profiles/q.yml", "title: Q\nrules: [{id: a, severity: info}]\n");
	must_load(p, &two);
	assert_string_equal(p->profile->name, "p+q");
	assert_string_equal(p->profile->title, "Q");
	assert_int_equal(rule_of(p->profile, "a")->severity, KC_INFO);
}

/* What two parents extend comes once, before both. */
static void test_diamond(void **state)
{
	struct place *p = *state;

	put(p, "profiles/top.yaml", RULE "    title: top\n");
	put(p, "profiles/l.yaml", "extends: top\nrules: [{id: a, title: left}]\n");
	put(p, "profiles/r.yaml", "extends: [top]\nrules: [{id: a, why: right}]\n");
	must_load(p, with_text(p, "extends: [l, r]\n"));
	assert_string_equal(rule_of(p->profile, "a")->title, "left");
	assert_string_equal(rule_of(p->profile, "a")->why, "right");
	assert_int_equal(p->profile->n_sources, 4 + 2);
}

/* The folder of the extending file goes before the installed ones. */
static void test_extends_beside(void **state)
{
	struct place *p = *state;
	const struct options o = { .profiles = LIST(at(p, "site.yaml")) };

	put(p, "profiles/base.yaml", RULE "    title: installed\n");
	put(p, "site.yaml", "extends: base\n");
	must_load(p, &o);
	assert_string_equal(rule_of(p->profile, "a")->title, "installed");
	put(p, "base.yaml", RULE "    title: beside\n");
	must_load(p, &o);
	assert_string_equal(rule_of(p->profile, "a")->title, "beside");
}

static void test_extends_faults(void **state)
{
	struct place *p = *state;

	expect_faults(p, with_text(p, "extends: p\n"),
		      "@/profiles/p.yaml:1:10: the profiles extend each other in a circle "
		      "(@/profiles/p.yaml "
		      "extends @/profiles/p.yaml)\n");
	put(p, "profiles/q.yaml", "extends: [p]\n");
	expect_faults(p, with_text(p, "title: x\nextends: q\n"),
		      "@/profiles/q.yaml:1:11: the profiles extend each other in a circle "
		      "(@/profiles/p.yaml "
		      "extends @/profiles/q.yaml extends @/profiles/p.yaml)\n");
	put(p, "profiles/q.yaml", "extends: basis\n");
	put(p, "profiles/bases.yaml", RULE);
	/* What the missing one might have had is not complained of. */
	expect_faults(
		p, with_text(p, "extends: q\nrules: [{id: b, title: '${x}'}]\n"),
		"@/profiles/q.yaml:1:10: there is no profile 'basis' in @/profiles; did you mean "
		"'bases'? (@/profiles/p.yaml extends @/profiles/q.yaml extends basis)\n");
	expect_faults(p, with_text(p, "extends: ../q\n" RULE),
		      "@/profiles/p.yaml:1:10: a profile's name is [a-z0-9.-]+ without a dash or "
		      "dot at its "
		      "start, this is '../q' (@/profiles/p.yaml extends ../q)\n");
	expect_faults(p, with_text(p, "extends: [[a]]\n" RULE),
		      "@/profiles/p.yaml:1:11: 'extends' must be the name of a profile, or a list "
		      "of names\n");
}

static void test_extends_deep(void **state)
{
	struct place *p = *state;
	char name[64], text[64];

	for (int i = 0; i < 32; i++) {
		(void)snprintf(name, sizeof(name), "profiles/n%d.yaml", i);
		(void)snprintf(text, sizeof(text), "extends: n%d\n", i + 1);
		put(p, name, text);
	}
	put(p, "profiles/n32.yaml", RULE);
	assert_int_equal(load(p, &(struct options){ .profiles = LIST("n0") }), -EINVAL);
	assert_non_null(
		strstr(p->diagnostics.text.data, "profiles extend each other more than 32 deep"));
	must_load(p, &(struct options){ .profiles = LIST("n1") });
}

static void test_change_of_check(void **state)
{
	struct place *p = *state;

	put(p, "profiles/base.yaml", RULE);
	expect_faults(p, with_text(p, "extends: base\nrules:\n  - {id: a, check: demo.other}\n"),
		      "@/profiles/base.yaml:4:12: demo.other has no parameter 'keys'\n");
	put(p, "profiles/base.yaml",
	    "rules: [{id: a, check: demo.value, with: {keys: k, value: v}}]\n");
	put(p, "profiles/base.yaml", "rules: [{id: a, check: demo.other, with: {value: v}}]\n");
	must_load(p, with_text(p, "extends: base\nrules:\n"
				  "  - {id: a, check: demo.value, with: {keys: k}}\n"));
	assert_string_equal(param_of(rule_of(p->profile, "a"), "value")->string, "v");
}

/* ---- variables */

static void test_variables(void **state)
{
	struct place *p = *state;
	const struct options *o = with_text(p, "vars:\n"
					       "  name: one\n"
					       "  both: ${name}-${other_1}\n"
					       "  other_1: two\n"
					       "  none: ''\n"
					       "rules:\n"
					       "  - id: a\n"
					       "    check: demo.value\n"
					       "    title: 'T ${both} $${name} $name $$ $'\n"
					       "    disabled: ${no}\n"
					       "    with:\n"
					       "      keys: ['${name}', k]\n"
					       "      value: '${none}'\n"
					       "      map: {'k-${name}': 'v-${name}'}\n"
					       "    when: {os.id: '!=${name}', var.both: "
					       "'${name}-two'}\n");
	const struct kc_rule *r;

	expect_faults(p, o, "@/profiles/p.yaml:10:15: there is no variable 'no'\n");
	put(p, "profiles/q.yaml", "extends: p\nvars: {no: no, name: three}\n");
	must_load(p, &(struct options){ .profiles = LIST("q") });
	r = rule_of(p->profile, "a");
	assert_string_equal(r->title, "T three-two ${name} $name $$ $");
	assert_string_equal(param_of(r, "keys")->list[0], "three");
	assert_string_equal(param_of(r, "keys")->list[1], "k");
	assert_string_equal(param_of(r, "value")->string, "");
	assert_string_equal(param_of(r, "map")->map[0].key, "k-three");
	assert_string_equal(param_of(r, "map")->map[0].value, "v-three");
	assert_string_equal(r->when[0].values[0], "three");
	assert_null(r->when[0].value);
	assert_string_equal(r->when[1].fact, "var.both");
	assert_string_equal(r->when[1].values[0], "three-two");
	assert_string_equal(r->when[1].value, "three-two");
	assert_int_equal(p->profile->n_variables, 5);
	assert_string_equal(p->profile->variables[1].name, "both");
	assert_string_equal(p->profile->variables[1].value, "three-two");
	expect_origin(p, &p->profile->variables[0].origin, "q.yaml:2:16");
	expect_origin(p, &p->profile->variables[2].origin, "p.yaml:4:3");
}

static void test_variable_options(void **state)
{
	struct place *p = *state;
	char vars[160], expected[256];
	struct options o;

	(void)with_text(p, "vars: {x: file, y: file, z: file}\n"
			   "rules: [{id: a, check: demo.other, title: '${x} ${y} ${z}'}]\n");
	put(p, "vars.yaml", "x: vars\ny: vars\nqqq: vars\n");
	(void)snprintf(vars, sizeof(vars), "%s/vars.yaml", p->dir);
	o = (struct options){ .profiles = LIST("p"),
			      .var_files = (const char *[]){ vars, NULL },
			      .vars = LIST("x=a=b c") };
	must_load(p, &o);
	assert_string_equal(rule_of(p->profile, "a")->title, "a=b c vars file");
	expect_origin(p, &p->profile->variables[0].origin, "--var:0:0");
	assert_string_equal(p->profile->sources[p->profile->variables[1].origin.source].name, vars);
	assert_int_equal(p->profile->variables[1].origin.line, 2);
	/* Other profiles may have it. */
	assert_int_equal(p->diagnostics.n_warnings, 1);
	(void)snprintf(expected, sizeof(expected),
		       "%s:3:1: warning: the profile has no variable 'qqq'\n", vars);
	assert_string_equal(p->diagnostics.text.data, expected);

	o = (struct options){ .profiles = LIST("p"), .vars = LIST("xx=secret", "y", "=z", "z=") };
	expect_faults(p, &o,
		      "--var xx: the profile has no variable 'xx'; did you mean 'x'?\n"
		      "--var y: this must be NAME=VALUE\n"
		      "--var : a variable's name is [A-Za-z0-9_.-]+, this is ''\n");
	put(p, "vars.yaml", "- x\n");
	o = (struct options){ .profiles = LIST("p"),
			      .var_files = (const char *[]){ vars, "/nonexistent", NULL } };
	expect_faults(p, &o,
		      "@/vars.yaml:1:1: a file of variables must be a mapping of names to texts, "
		      "this is a "
		      "list\n"
		      "--vars: cannot open /nonexistent: No such file or directory\n");
}

static void test_variable_faults(void **state)
{
	struct place *p = *state;
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

	expect_faults(
		p, with_text(p, "vars:\n  a: ${b}\n  b: x${a}\n  c: ${a}\n" RULE "    why: ${c}\n"),
		"@/profiles/p.yaml:3:6: the variable 'a' is made of itself\n");
	expect_faults(
		p, with_text(p, "vars: {a: ~, b: [c], C/: d, -e: f}\n" RULE),
		"@/profiles/p.yaml:1:11: the variable 'a' must be text, this is nothing\n"
		"@/profiles/p.yaml:1:17: the variable 'b' must be text, this is a list\n"
		"@/profiles/p.yaml:1:22: a variable's name is [A-Za-z0-9_.-]+, this is 'C/'\n"
		"@/profiles/p.yaml:1:29: a variable's name is [A-Za-z0-9_.-]+, this is '-e'\n");
	expect_faults(p,
		      with_text(p, "vars: {abcd: x}\n" RULE
				   "    why: 'a ${abcb} b'\n    remedy: ${abcd\n"),
		      "@/profiles/p.yaml:6:10: there is no variable 'abcb'; did you mean 'abcd'?\n"
		      "@/profiles/p.yaml:7:13: '${abcd' lacks its closing brace; ${ itself is "
		      "written $${\n");
	expect_faults(p,
		      with_text(p, "vars: {x: k}\n"
				   "rules: [{id: a, check: demo.value, with: {keys: k, "
				   "map: {'${x}': 1, k: 2}}}]\n"),
		      "@/profiles/p.yaml:2:69: the key 'k' stands here twice\n");
	/* 2^20 bytes in twenty lines. */
	kc_buf_adds(&b, "vars:\n  v0: xx\n");
	for (int i = 1; i < 20; i++)
		kc_buf_addf(&b, "  v%d: ${v%d}${v%d}\n", i, i - 1, i - 1);
	kc_buf_adds(&b, RULE);
	expect_faults(p, with_text(p, b.data),
		      "@/profiles/p.yaml:18:8: with 'v15' put in, this is longer than 64 KiB\n");
	kc_buf_reset(&b);
	kc_buf_adds(&b, "vars:\n");
	for (int i = 0; i < 40; i++)
		kc_buf_addf(&b, "  v%d: ${v%d}\n", i, i + 1);
	kc_buf_adds(&b, "  v40: x\n" RULE);
	expect_faults(p, with_text(p, b.data),
		      "@/profiles/p.yaml:34:8: variables lead to each other more than 32 deep, at "
		      "'v33'\n");
}

/* ---- --set */

static void test_sets(void **state)
{
	struct place *p = *state;
	const struct kc_rule *r;
	struct options o = {
		.profiles = LIST("p"),
		.vars = LIST("v=var"),
		.sets = LIST("a.severity=info", "a.tags=[x, '${v}']", "a.with.count=7", "a.value=8",
			     "a.map={k: v}", "a.with={deep: true, wait: 3s}", "a.title='T: ${v}'",
			     "b.disabled=true", "a.when={os.id: '!=${v}'}", "a.count=9"),
	};

	(void)with_text(p, "vars: {v: file}\n" RULE "  - {id: b, check: demo.other}\n");
	must_load(p, &o);
	assert_int_equal(p->profile->n_rules, 1);
	r = rule_of(p->profile, "a");
	assert_int_equal(r->severity, KC_INFO);
	assert_string_equal(r->tags[1], "var");
	assert_int_equal(param_of(r, "count")->number, 9);
	assert_string_equal(param_of(r, "value")->string, "8");
	assert_string_equal(param_of(r, "map")->map[0].value, "v");
	assert_int_equal(param_of(r, "deep")->number, 1);
	assert_int_equal(param_of(r, "wait")->number, 3000000);
	assert_string_equal(param_of(r, "keys")->list[0], "k");
	assert_string_equal(r->title, "T: var");
	assert_string_equal(r->when[0].values[0], "var");
	expect_origin(p, r->origins + KC_RULE_SEVERITY, "--set:0:0");
	expect_param_origin(p, r, "count", "--set:0:0");
	expect_param_origin(p, r, "deep", "--set:0:0");
	expect_param_origin(p, r, "keys", "p.yaml:5:12");
	assert_false(r->runs_untrusted);
}

/* ---- sizes */

static void add_rules(struct kc_buf *b, int n)
{
	kc_buf_adds(b, "rules:\n");
	for (int i = 0; i < n; i++)
		kc_buf_addf(b,
			    "  - id: rule-%05d\n    check: demo.value\n    title: Value number %d "
			    "is set\n"
			    "    severity: required\n    tags: [one, two]\n    with:\n"
			    "      keys: [net.ipv4.conf.eth%d.rp_filter]\n      value: %d\n",
			    i, i, i, i);
}

static void test_many_rules(void **state)
{
	struct place *p = *state;
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	const struct kc_rule *r;

	add_rules(&b, 10000);
	must_load(p, with_text(p, b.data));
	assert_int_equal(p->profile->n_rules, 10000);
	r = rule_of(p->profile, "rule-09999");
	assert_string_equal(param_of(r, "value")->string, "9999");
	/* Equal lists are kept once, and all of it stays small. */
	assert_ptr_equal(r->tags, p->profile->rules[0].tags);
	assert_true(p->arena.used < 6 * 1024 * 1024);
	/* Every one of them faulty: all are told of. */
	kc_buf_reset(&b);
	add_rules(&b, 10000);
	for (char *s = b.data; (s = strstr(s, "required")) != NULL;)
		*s = 'R';
	assert_int_equal(load(p, with_text(p, b.data)), -EINVAL);
	assert_int_equal(p->diagnostics.n_errors, 10000);
}

static void test_no_memory(void **state)
{
	struct place *p = *state;
	const char *const dirs[] = { p->profiles, NULL }, *const plugins[] = { p->plugins, NULL };
	const struct kc_profile_request request = {
		.profiles = LIST("p"),
		.vars = LIST("v=w"),
		.sets = LIST("a.value=${v}"),
		.profile_dirs = dirs,
		.plugin_dirs = plugins,
	};

	(void)with_text(p, "vars: {v: x}\n" RULE "    when: {os.id: x}\n    tags: [t]\n");
	for (size_t limit = 8; limit < 1024 * 1024; limit += 64) {
		struct kc_arena arena = { .limit = limit };
		struct kc_diagnostics d = { 0 };
		const struct kc_profile *profile = NULL;
		int r = kc_profile_load(&request, &arena, &d, &profile);

		if (r < 0)
			assert_string_equal(
				d.text.data,
				"the profile cannot be loaded: Cannot allocate memory\n");
		kc_diagnostics_done(&d);
		kc_arena_done(&arena);
		if (r == 0)
			return;
		assert_int_equal(r, -ENOMEM);
	}
	fail_msg("it needs more than a megabyte");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_key),	     TEST(test_defaults),
		TEST(test_text_kept),	     TEST(test_override),
		TEST(test_several_profiles), TEST(test_diamond),
		TEST(test_extends_beside),   TEST(test_extends_faults),
		TEST(test_extends_deep),     TEST(test_change_of_check),
		TEST(test_variables),	     TEST(test_variable_options),
		TEST(test_variable_faults),  TEST(test_sets),
		TEST(test_many_rules),	     TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
