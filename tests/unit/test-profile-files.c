/* SPDX-License-Identifier: Apache-2.0 */
#include "profile-place.h"

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
	expect_faults(p, &(struct options){ .profiles = LIST("pp", "../p", ".p") },
		      "--profile: there is no profile 'pp' in @/profiles; did you mean 'p'?\n"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stdin),	    TEST(test_names_and_files), TEST(test_trust_of_modes),
		TEST(test_trust_of_owners), TEST(test_trust_of_links),	TEST(test_untrusted_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
