/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "profile/profile.h"

/*
 * A folder with plugins/demo.yaml, plugins/os.yaml and profiles/. In expected messages @ stands for
 * that folder.
 */
struct place {
	char dir[64];
	char profiles[80], plugins[80];
	struct kc_arena arena;
	struct kc_diagnostics diagnostics;
	const struct kc_profile *profile;
	int stdin_copy;
};

static const char demo[] =
	"name: demo\nversion: 1.0\ntitle: Demo\n"
	"facts:\n  demo.version: v\n"
	"checks:\n"
	"  value:\n"
	"    title: Values are set\n    doc: d\n    horizons: [now, boot]\n"
	"    parameters:\n"
	"      keys: {type: list, required: true, doc: d}\n"
	"      compare: {type: choice, choices: [equal, at-least], default: equal, doc: d}\n"
	"      value: {type: string, doc: d}\n"
	"      wait: {type: duration, default: 2s, doc: d}\n"
	"      room: {type: size, doc: d}\n"
	"      deep: {type: boolean, doc: d}\n"
	"      count: {type: integer, doc: d}\n"
	"      map: {type: map, doc: d}\n"
	"  other:\n"
	"    title: Another\n    doc: d\n    horizons: now\n"
	"    parameters:\n      value: {type: string, doc: d}\n";

static const char os[] = "name: os\nversion: 1.0\ntitle: OS\nfacts:\n  os.id: i\n  os.version: v\n";

static const char *at(const struct place *p, const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", p->dir, name);
	return path;
}

static void put(const struct place *p, const char *name, const char *text)
{
	kc_cleanup(kc_closep) int fd =
		open(at(p, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(kc_write_all(fd, text, strlen(text)), 0);
}

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/k8scheck-profile-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(p->profiles, sizeof(p->profiles), "%s/profiles", p->dir);
	(void)snprintf(p->plugins, sizeof(p->plugins), "%s/plugins", p->dir);
	assert_int_equal(mkdir(p->profiles, 0755), 0);
	assert_int_equal(mkdir(p->plugins, 0755), 0);
	put(p, "plugins/demo.yaml", demo);
	put(p, "plugins/os.yaml", os);
	p->stdin_copy = -EBADF;
	*state = p;
	return 0;
}

static void forget(struct place *p)
{
	kc_arena_done(&p->arena);
	kc_diagnostics_done(&p->diagnostics);
	p->profile = NULL;
}

static int teardown(void **state)
{
	struct place *p = *state;
	char *const argv[] = { (char[]){ "rm" }, (char[]){ "-rf" }, p->dir, NULL };
	pid_t pid;
	int status;

	if (p->stdin_copy >= 0) {
		assert_int_equal(dup2(p->stdin_copy, STDIN_FILENO), STDIN_FILENO);
		(void)kc_close(p->stdin_copy);
	}
	pid = fork();
	if (pid == 0) {
		(void)execv("/bin/rm", argv);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	forget(p);
	free(p);
	return 0;
}

struct options {
	const char *const *profiles, *const *var_files, *const *vars, *const *sets;
};

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

static int load(struct place *p, const struct options *o)
{
	const char *const profile_dirs[] = { p->profiles, NULL };
	const char *const plugin_dirs[] = { p->plugins, NULL };
	const struct kc_profile_request request = {
		.profiles = o->profiles,
		.var_files = o->var_files,
		.vars = o->vars,
		.sets = o->sets,
		.profile_dirs = profile_dirs,
		.plugin_dirs = plugin_dirs,
	};

	forget(p);
	return kc_profile_load(&request, &p->arena, &p->diagnostics, &p->profile);
}

static const struct kc_profile *must_load(struct place *p, const struct options *o)
{
	int r = load(p, o);

	if (r < 0)
		fail_msg("%d: %s", r, p->diagnostics.text.data);
	assert_int_equal(p->diagnostics.n_errors, 0);
	return p->profile;
}

/* The messages must be these, line by line. */
static void expect_faults(struct place *p, const struct options *o, const char *expected)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	unsigned lines = 0;
	int r = load(p, o);

	for (; *expected; expected++) {
		lines += *expected == '\n';
		if (*expected == '@')
			kc_buf_adds(&b, p->dir);
		else
			kc_buf_addc(&b, *expected);
	}
	assert_string_equal(p->diagnostics.text.data ? p->diagnostics.text.data : "", b.data);
	assert_int_equal(r, -EINVAL);
	assert_null(p->profile);
	assert_int_equal(p->diagnostics.n_errors, lines);
}

static const struct kc_rule *rule_of(const struct kc_profile *profile, const char *id)
{
	for (uint32_t i = 0; i < profile->n_rules; i++) {
		if (kc_streq(profile->rules[i].id, id)) {
			assert_int_equal(profile->rules[i].index, i);
			return profile->rules + i;
		}
	}
	fail_msg("no rule %s", id);
	return NULL;
}

static const struct kc_value *param_of(const struct kc_rule *rule, const char *name)
{
	int i = kc_manifest_param(rule->check, name);

	assert_true(i >= 0);
	return rule->params + i;
}

static void expect_origin(const struct place *p, const struct kc_origin *o, const char *expected)
{
	const char *name = p->profile->sources[o->source].name;
	size_t n = strlen(p->profiles);
	char text[256];

	if (strncmp(name, p->profiles, n) == 0)
		name += n + 1;
	(void)snprintf(text, sizeof(text), "%s:%u:%u", name, o->line, o->column);
	assert_string_equal(text, expected);
}

static void expect_param_origin(const struct place *p, const struct kc_rule *rule, const char *name,
				const char *expected)
{
	expect_origin(p, rule->param_origins + kc_manifest_param(rule->check, name), expected);
}

/* One profile "p" with this text. */
static const struct options *with_text(struct place *p, const char *text)
{
	static const char *const profiles[] = { "p", NULL };
	static const struct options o = { .profiles = profiles };

	put(p, "profiles/p.yaml", text);
	return &o;
}

#define RULE "rules:\n  - id: a\n    check: demo.value\n    with: {keys: k}\n"

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
	assert_int_equal(strlen(profile->sources[0].sha256), 64);
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
	assert_int_equal(r->fix, KC_FIX_ASK);
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

static void test_digest(void **state)
{
	struct place *p = *state;
	const struct kc_profile *profile = must_load(p, with_text(p, RULE));

	/* By sha256sum(1). */
	assert_string_equal(profile->sources[0].sha256,
			    "e2a485bd373a8349c179e29fca9208e6cc78dc1bdf609b78b6e9c394ff86c456");
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
					       "    when: {os.id: '!=${name}'}\n");
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

static void test_set_faults(void **state)
{
	struct place *p = *state;
	struct options o = {
		.profiles = LIST("p"),
		.sets = LIST("a", "a.b", "rul-b.title=x", "a.id=x", "a.titel=x", "a.cuont=1",
			     "a.severity=infos", "a.count=many", "a.with.kyes=k", "a.title=[x]",
			     "a.why=[x", "a.why=", "a.with=x"),
	};

	(void)with_text(p, RULE "  - {id: rule-b, check: demo.other}\n");
	expect_faults(
		p, &o,
		"--set a: this must be RULE.FIELD=VALUE\n"
		"--set a.b: this must be RULE.FIELD=VALUE\n"
		"--set rul-b.title: the profile has no rule 'rul-b'; did you mean 'rule-b'?\n"
		"--set a.id: the id of a rule cannot be set\n"
		"--set a.titel: a rule has no field 'titel', and demo.value no such parameter; did "
		"you mean "
		"'title'?\n"
		"--set a.cuont: a rule has no field 'cuont', and demo.value no such parameter; did "
		"you mean "
		"'count'?\n"
		"--set a.severity: 'severity' must be one of required, recommended, info; this is "
		"'infos'; did "
		"you mean 'info'?\n"
		"--set a.count: 'count' must be an integer, this is 'many'\n"
		"--set a.with.kyes: demo.value has no parameter 'kyes'; did you mean 'keys'?\n"
		"--set a.title: 'title' of a rule must be text, this is a list\n"
		"--set a.why: the value is not YAML: did not find expected ',' or ']', while "
		"parsing a flow "
		"sequence that begins in line 1\n"
		"--set a.why: 'why' of a rule has no value\n"
		"--set a.with: 'with' of a rule must be a mapping, this is text\n");
}

/* ---- faults of rules */

static void test_rule_faults(void **state)
{
	static const struct {
		const char *text, *messages;
	} table[] = {
		{ "", "@/profiles/p.yaml: the profile is empty\n" },
		{ "- a\n", "@/profiles/p.yaml:1:1: a profile must be a mapping, this is a list\n" },
		{ "title: [x]\n" RULE,
		  "@/profiles/p.yaml:1:8: 'title' of a profile must be text, this is a list\n" },
		{ "ruels: []\n" RULE,
		  "@/profiles/p.yaml:1:1: a profile has no key 'ruels'; did you mean 'rules'?\n" },
		{ "rules: {a: b}\n", "@/profiles/p.yaml:1:8: 'rules' of a profile must be a list, "
				     "this is a mapping\n" },
		{ "rules:\n", "@/profiles/p.yaml:1:1: 'rules' of a profile has no value\n" },
		{ "title: x\n",
		  "the profile p comes down to no rule at all; nothing would be judged\n" },
		{ "rules: []\n",
		  "the profile p comes down to no rule at all; nothing would be judged\n" },
		{ RULE "    disabled: true\n",
		  "the profile p comes down to no rule at all; nothing would be judged\n" },
		{ "rules: [x]\n",
		  "@/profiles/p.yaml:1:9: a rule must be a mapping, this is text\n" },
		{ "rules: [{check: demo.other}]\n",
		  "@/profiles/p.yaml:1:9: a rule lacks the key 'id'\n" },
		{ "rules: [{id: A.b, check: demo.other}]\n",
		  "@/profiles/p.yaml:1:14: a rule's id is [a-z0-9-]+, this is 'A.b'\n" },
		{ "rules: [{id: [a], check: demo.other}]\n",
		  "@/profiles/p.yaml:1:14: a rule's id is [a-z0-9-]+, this is a list\n" },
		{ "rules: [{id: a}]\n",
		  "@/profiles/p.yaml:1:14: the rule 'a' has no 'check', and there is no "
		  "rule of that id before that it could override\n" },
		{ "rules: [{id: a, disabled: true}]\n",
		  "@/profiles/p.yaml:1:14: the rule 'a' has no 'check', and there is no rule of "
		  "that id before "
		  "that it could override\n" },
		{ RULE "  - id: a\n    check: demo.other\n",
		  "@/profiles/p.yaml:5:9: the rule 'a' stands here twice, first in line 2\n" },
		{ RULE "    severty: info\n", "@/profiles/p.yaml:5:5: a rule has no key 'severty'; "
					      "did you mean 'severity'?\n" },
		{ RULE "    severity:\n",
		  "@/profiles/p.yaml:5:5: 'severity' of a rule has no value\n" },
		{ RULE "    severity: [info]\n",
		  "@/profiles/p.yaml:5:15: 'severity' of a rule must be text, this is a list\n" },
		{ RULE "    severity: Info\n", "@/profiles/p.yaml:5:15: 'severity' must be one of "
					       "required, recommended, info; this is "
					       "'Info'; did you mean 'info'?\n" },
		{ RULE "    stage: node\n",
		  "@/profiles/p.yaml:5:12: 'stage' must be one of host, runtime, "
		  "kubelet, cluster; this is 'node'\n" },
		{ RULE "    fix: atuo\n", "@/profiles/p.yaml:5:10: 'fix' must be one of auto, ask, "
					  "never; this is 'atuo'; did you mean "
					  "'auto'?\n" },
		{ RULE "    tags: {a: b}\n", "@/profiles/p.yaml:5:11: 'tags' of a rule must be "
					     "text or a list, this is a mapping\n" },
		{ RULE "    tags: [[a]]\n",
		  "@/profiles/p.yaml:5:12: an item of 'tags' must be text, this is a list\n" },
		{ RULE "    title: \"a\\nb\"\n",
		  "@/profiles/p.yaml:5:12: 'title' must be one line\n" },
		{ RULE "    disabled: maybe\n",
		  "@/profiles/p.yaml:5:15: 'disabled' must be true or false, this is 'maybe'\n" },
		{ "rules: [{id: a, check: other}]\n",
		  "@/profiles/p.yaml:1:24: a check is named PLUGIN.CHECK, this is 'other'\n" },
		{ "rules: [{id: a, check: a.b.c}]\n",
		  "@/profiles/p.yaml:1:24: a check is named PLUGIN.CHECK, this is 'a.b.c'\n" },
		{ "rules: [{id: a, check: demi.other}]\n",
		  "@/profiles/p.yaml:1:24: there is no plugin 'demi' in @/plugins; did you mean "
		  "'demo'?\n" },
		{ "rules: [{id: a, check: demo.othr}]\n",
		  "@/profiles/p.yaml:1:24: the plugin demo has no check 'demo.othr'; did you mean "
		  "'demo.other'?\n" },
		{ "rules: [{id: a, check: '${x}'}]\n",
		  "@/profiles/p.yaml:1:24: a check is named PLUGIN.CHECK, this is '${x}'\n" },
		{ "rules: [{id: a, check: demo.value}]\n",
		  "@/profiles/p.yaml:1:24: the rule 'a' lacks the parameter 'keys' of "
		  "demo.value\n" },
		{ "rules: [{id: a, check: demo.other, with: {vlaue: x}}]\n",
		  "@/profiles/p.yaml:1:43: demo.other has no parameter 'vlaue'; did you mean "
		  "'value'?\n" },
		{ "a: [1\n",
		  "@/profiles/p.yaml:2:1: did not find expected ',' or ']', while parsing a flow "
		  "sequence that begins in line 1\n" },
		{ RULE "    why: \"\\e[31m${x}\"\n    \"\\e[2J\": x\n",
		  "@/profiles/p.yaml:5:10: there is no variable 'x'\n"
		  "@/profiles/p.yaml:6:5: a rule has no key '\\x1b[2J'\n" },
	};
	struct place *p = *state;

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++)
		expect_faults(p, with_text(p, table[i].text), table[i].messages);
}

static void test_value_faults(void **state)
{
	struct place *p = *state;

	expect_faults(
		p,
		with_text(p, "rules:\n"
			     "  - id: a\n"
			     "    check: demo.value\n"
			     "    with:\n"
			     "      keys: {a: b}\n"
			     "      compare: at-leest\n"
			     "      value: [a]\n"
			     "      wait: 2 s\n"
			     "      room: 4GiB\n"
			     "      deep: 1\n"
			     "      count: 9223372036854775808\n"
			     "      map: [a]\n"
			     "  - id: b\n"
			     "    check: demo.value\n"
			     "    with: {keys: [a, ~], compare: ~, room: 9223372036854775808, "
			     "map: {a: ~}, count: 0x1, wait: -1s}\n"),
		"@/profiles/p.yaml:5:13: 'keys' must be a list of texts, this is a mapping\n"
		"@/profiles/p.yaml:6:16: 'compare' must be one of equal, at-least; this is "
		"'at-leest'; did "
		"you mean 'at-least'?\n"
		"@/profiles/p.yaml:7:14: 'value' must be one value, this is a list\n"
		"@/profiles/p.yaml:8:13: 'wait' must be a duration such as 2s, 500ms or 1m30s, "
		"this is '2 "
		"s'\n"
		"@/profiles/p.yaml:9:13: 'room' must be a size such as 4Gi, 512M or 4096, this is "
		"'4GiB'\n"
		"@/profiles/p.yaml:10:13: 'deep' must be true or false, this is '1'\n"
		"@/profiles/p.yaml:11:14: 'count' must be an integer, this is "
		"'9223372036854775808', which "
		"is too large\n"
		"@/profiles/p.yaml:12:12: 'map' must be a mapping, this is a list\n"
		"@/profiles/p.yaml:15:22: an item of 'keys' is empty\n"
		"@/profiles/p.yaml:15:35: 'compare' must be one value, this is nothing\n"
		"@/profiles/p.yaml:15:44: 'room' must be a size such as 4Gi, 512M or 4096, this is "
		"'9223372036854775808', which is too large\n"
		"@/profiles/p.yaml:15:74: the value of 'a' in 'map' must be text, this is nothing\n"
		"@/profiles/p.yaml:15:85: 'count' must be an integer, this is '0x1'\n"
		"@/profiles/p.yaml:15:96: 'wait' must be a duration such as 2s, 500ms or 1m30s, "
		"this is "
		"'-1s'\n");
}

static void test_condition_faults(void **state)
{
	struct place *p = *state;
	const struct options *o = with_text(p, RULE "    when:\n"
						    "      os.idd: x\n"
						    "      os.id: ['>=1', x]\n"
						    "      os.version: '< latest'\n"
						    "      demo.version: {a: b}\n");

	expect_faults(
		p, o,
		"@/profiles/p.yaml:6:7: no plugin gathers the fact 'os.idd'; did you mean "
		"'os.id'?\n"
		"@/profiles/p.yaml:7:15: an item of the condition on 'os.id' cannot begin with an "
		"operator\n"
		"@/profiles/p.yaml:8:19: the condition on 'os.version' compares versions, and "
		"'latest' is "
		"none\n"
		"@/profiles/p.yaml:9:21: the condition on 'demo.version' must be text or a list, "
		"this is a "
		"mapping\n");
	expect_faults(
		p, with_text(p, RULE "    when: {os.id: '!=', os.version: [], demo.version: ''}\n"),
		"@/profiles/p.yaml:5:19: the condition on 'os.id' has no value\n"
		"@/profiles/p.yaml:5:37: the condition on 'os.version' has no value\n"
		"@/profiles/p.yaml:5:55: the condition on 'demo.version' has no value\n");
}

static void test_broken_manifest(void **state)
{
	struct place *p = *state;

	put(p, "plugins/bad.yaml", "name: bad\n");
	expect_faults(p, with_text(p, "rules: [{id: a, check: bad.check}]\n"),
		      "@/plugins/bad.yaml:1:1: a manifest lacks the key 'version'\n");
	/* It may have been the one that gathers the fact. */
	expect_faults(p, with_text(p, RULE "    when: {bad.fact: x}\n"),
		      "@/profiles/p.yaml:5:12: no plugin gathers the fact 'bad.fact'\n"
		      "@/plugins/bad.yaml:1:1: a manifest lacks the key 'version'\n");
	/* Who does not use it is not troubled. */
	must_load(p, with_text(p, RULE "    when: {os.id: x}\n"));
}

/* ---- files */

static void feed_stdin(struct place *p, const char *text)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(kc_write_all(fds[1], text, strlen(text)), 0);
	(void)kc_close(fds[1]);
	if (p->stdin_copy < 0)
		p->stdin_copy = dup(STDIN_FILENO);
	assert_int_equal(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
	(void)kc_close(fds[0]);
}

static void test_stdin(void **state)
{
	struct place *p = *state;
	const struct kc_rule *r;

	(void)with_text(p, RULE);
	feed_stdin(p, "extends: p\nrules: [{id: a, title: T}]\n");
	must_load(p, &(struct options){ .profiles = LIST("-") });
	assert_string_equal(p->profile->name, "-");
	r = rule_of(p->profile, "a");
	assert_string_equal(r->title, "T");
	assert_false(r->runs_untrusted);
	expect_origin(p, r->origins + KC_RULE_TITLE, "-:2:17");
	feed_stdin(p, "rules: [{id: a, titel: T}]\n");
	expect_faults(p, &(struct options){ .profiles = LIST("-", "-") },
		      "-:1:14: the rule 'a' has no 'check', and there is no rule of that id before "
		      "that it could "
		      "override\n"
		      "-:1:17: a rule has no key 'titel'; did you mean 'title'?\n"
		      "--profile -: standard input can be read only once\n");
}

static void test_names_and_files(void **state)
{
	struct place *p = *state;
	char path[160];

	(void)with_text(p, RULE);
	expect_faults(p, &(struct options){ .profiles = LIST("q", "../p", ".p") },
		      "--profile: there is no profile 'q' in @/profiles; did you mean 'p'?\n"
		      "--profile: cannot open ../p: No such file or directory\n"
		      "--profile: a profile's name is [a-z0-9.-]+ without a dash or dot at its "
		      "start, this is "
		      "'.p'\n");
	assert_int_equal(mkfifo(at(p, "profiles/fifo.yaml"), 0644), 0);
	expect_faults(p, &(struct options){ .profiles = LIST("fifo") },
		      "--profile: @/profiles/fifo.yaml is a FIFO, not a file; what comes through a "
		      "pipe is read "
		      "as -\n");
	expect_faults(p, &(struct options){ .profiles = LIST("/dev/null", "/tmp/") },
		      "--profile: /dev/null is a device, not a file\n"
		      "--profile: /tmp/ is a folder, not a file\n");
	(void)snprintf(path, sizeof(path), "%s/big.yaml", p->dir);
	put(p, "big.yaml", "");
	assert_int_equal(truncate(path, 16 * 1024 * 1024 + 1), 0);
	expect_faults(p, &(struct options){ .profiles = (const char *[]){ path, NULL } },
		      "@/big.yaml: cannot read the profile: it is larger than 16 MiB\n");
}

/* ---- trust */

enum {
	STRANGER = 12345
};

static void expect_untrusted(struct place *p, const struct options *o, const char *format)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

	for (; *format; format++) {
		if (*format == '@')
			kc_buf_adds(&b, p->dir);
		else
			kc_buf_addc(&b, *format);
	}
	must_load(p, o);
	assert_non_null(p->profile->sources[0].warning);
	assert_string_equal(p->profile->sources[0].warning, b.data);
	assert_true(rule_of(p->profile, "a")->runs_untrusted);
}

static void test_trust_of_modes(void **state)
{
	struct place *p = *state;
	const struct options *o = with_text(p, RULE);

	assert_int_equal(chmod(at(p, "profiles/p.yaml"), 0664), 0);
	expect_untrusted(p, o,
			 "@/profiles/p.yaml is not trusted: others can write to @/profiles/p.yaml "
			 "(its mode is "
			 "0664)");
	assert_int_equal(chmod(at(p, "profiles/p.yaml"), 0644), 0);
	assert_int_equal(chmod(p->profiles, 0777), 0);
	expect_untrusted(p, o,
			 "@/profiles/p.yaml is not trusted: others can write to @/profiles (its "
			 "mode is 0777)");
	/* As /tmp is, in which all of this stands. */
	assert_int_equal(chmod(p->profiles, 01777), 0);
	must_load(p, o);
	assert_null(p->profile->sources[0].warning);
	assert_false(rule_of(p->profile, "a")->runs_untrusted);
}

static void test_trust_of_owners(void **state)
{
	struct place *p = *state;
	const struct options *o = with_text(p, RULE);

	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(at(p, "profiles/p.yaml"), STRANGER, 0), 0);
	expect_untrusted(p, o,
			 "@/profiles/p.yaml is not trusted: @/profiles/p.yaml belongs to uid "
			 "12345, who could "
			 "change it");
	assert_int_equal(chown(at(p, "profiles/p.yaml"), 0, 0), 0);
	assert_int_equal(chown(p->profiles, STRANGER, 0), 0);
	expect_untrusted(p, o,
			 "@/profiles/p.yaml is not trusted: @/profiles belongs to uid 12345, who "
			 "could change it");
	/* A stranger's own sticky folder is no better: he can remove what is in it. */
	assert_int_equal(chmod(p->profiles, 01777), 0);
	expect_untrusted(p, o,
			 "@/profiles/p.yaml is not trusted: @/profiles belongs to uid 12345, who "
			 "could change it");
}

/* A link is as good as the folder it stands in, and what it leads to is judged as well. */
static void test_trust_of_links(void **state)
{
	struct place *p = *state;
	const struct options *o;
	char target[160];

	(void)snprintf(target, sizeof(target), "%s/open", p->dir);
	assert_int_equal(mkdir(target, 0755), 0);
	assert_int_equal(chmod(target, 0777), 0);
	o = with_text(p, RULE);
	assert_int_equal(unlink(at(p, "profiles/p.yaml")), 0);
	put(p, "open/p.yaml", RULE);
	assert_int_equal(symlink("../open/p.yaml", at(p, "profiles/p.yaml")), 0);
	expect_untrusted(
		p, o,
		"@/profiles/p.yaml is not trusted: others can write to @/open (its mode is 0777)");
}

static void test_untrusted_marks(void **state)
{
	struct place *p = *state;
	char vars[160];

	put(p, "profiles/base.yaml",
	    "vars: {v: x}\n" RULE
	    "  - {id: b, check: demo.other}\n  - {id: c, check: demo.other, why: '${v}'}\n");
	(void)with_text(p, "rules: [{id: b, why: W}, {id: d, check: demo.other}]\n");
	assert_int_equal(chmod(at(p, "profiles/p.yaml"), 0666), 0);
	must_load(p, &(struct options){ .profiles = LIST("base", "p") });
	assert_false(rule_of(p->profile, "a")->runs_untrusted);
	assert_true(rule_of(p->profile, "b")->runs_untrusted);
	assert_false(rule_of(p->profile, "c")->runs_untrusted);
	assert_true(rule_of(p->profile, "d")->runs_untrusted);
	assert_null(p->profile->sources[0].warning);
	assert_non_null(p->profile->sources[1].warning);
	/* A variable that others can set marks the rules that use it. */
	put(p, "vars.yaml", "v: y\n");
	(void)snprintf(vars, sizeof(vars), "%s/vars.yaml", p->dir);
	assert_int_equal(chmod(vars, 0666), 0);
	must_load(p, &(struct options){ .profiles = LIST("base"),
					.var_files = (const char *[]){ vars, NULL } });
	assert_false(rule_of(p->profile, "b")->runs_untrusted);
	assert_true(rule_of(p->profile, "c")->runs_untrusted);
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_key),	     TEST(test_defaults),
		TEST(test_digest),	     TEST(test_override),
		TEST(test_several_profiles), TEST(test_diamond),
		TEST(test_extends_beside),   TEST(test_extends_faults),
		TEST(test_extends_deep),     TEST(test_change_of_check),
		TEST(test_variables),	     TEST(test_variable_options),
		TEST(test_variable_faults),  TEST(test_sets),
		TEST(test_set_faults),	     TEST(test_rule_faults),
		TEST(test_value_faults),     TEST(test_condition_faults),
		TEST(test_broken_manifest),  TEST(test_stdin),
		TEST(test_names_and_files),  TEST(test_trust_of_modes),
		TEST(test_trust_of_owners),  TEST(test_trust_of_links),
		TEST(test_untrusted_marks),  TEST(test_many_rules),
		TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
