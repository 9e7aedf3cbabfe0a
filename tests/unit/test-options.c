/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "options.h"

enum {
	ARGUMENTS_MAX = 32
};

/* Arguments behind the program's name, separated by | so that each may have spaces. */
static int parse(const char *line, struct kc_err *err, struct kc_options *o, char **ret_copy)
{
	char *copy = strdup(line), *save = NULL, *argv[ARGUMENTS_MAX + 2] = { (char *)"k8scheck" };
	int argc = 1;

	assert_non_null(copy);
	for (char *word = strtok_r(copy, "|", &save); word; word = strtok_r(NULL, "|", &save)) {
		assert_true(argc < ARGUMENTS_MAX);
		argv[argc++] = word;
	}
	*ret_copy = copy;
	return kc_options_parse(argc, argv, err, o);
}

static struct kc_options parse_ok(const char *line, char **copy)
{
	struct kc_err err = { 0 };
	struct kc_options o;

	if (parse(line, &err, &o, copy) < 0)
		fail_msg("%s: %s", line, err.text);
	return o;
}

static void done(struct kc_options *o, char *copy)
{
	kc_options_done(o);
	kc_options_done(o);
	free(copy);
}

static void test_defaults(void **state)
{
	char *copy;
	struct kc_options o = parse_ok("", &copy);

	assert_int_equal(o.verb, KC_VERB_CHECK);
	assert_int_equal(o.horizons, KC_NOW | KC_BOOT);
	assert_int_equal(o.timeout_usec, 10 * 1000000);
	assert_int_equal(o.deadline_usec, 120 * 1000000);
	assert_int_equal(o.jobs, 64);
	assert_int_equal(o.color, KC_COLOR_AUTO);
	assert_int_equal(o.sandbox, KC_SANDBOX_BEST_EFFORT);
	assert_null(o.root);
	assert_false(o.live || o.strict || o.quiet || o.verbose || o.effective);
	assert_int_equal(o.profiles.n + o.rules.n + o.reports.n + o.words.n, 0);
	done(&o, copy);
}

static void test_values(void **state)
{
	char *copy;
	struct kc_options o = parse_ok("--profile|a|--profile=b|--root=/x|--live|--horizon=now|"
				       "--rule|r*|--skip=s|--stage|host|--stage=kubelet|--tag=t|"
				       "--jobs=3|-q|-v",
				       &copy);

	assert_int_equal(o.profiles.n, 2);
	assert_string_equal(o.profiles.item[0], "a");
	assert_string_equal(o.profiles.item[1], "b");
	assert_null(o.profiles.item[2]);
	assert_string_equal(o.root, "/x");
	assert_true(o.live && o.quiet && o.verbose);
	assert_int_equal(o.horizons, KC_NOW);
	assert_string_equal(o.rules.item[0], "r*");
	assert_string_equal(o.skips.item[0], "s");
	assert_int_equal(o.stages.n, 2);
	assert_string_equal(o.tags.item[0], "t");
	assert_int_equal(o.jobs, 3);
	done(&o, copy);
	o = parse_ok("--set=a.b=c=d|--var|x=|--vars=f|--report=json=out|--report|text|"
		     "--plugin-dir=.|--timeout=500ms|--deadline|1m|--strict|--color=never|--"
		     "sandbox=require|"
		     "--effective|--horizon|boot",
		     &copy);
	/* Only the first = parts the option from its value. */
	assert_string_equal(o.sets.item[0], "a.b=c=d");
	assert_string_equal(o.vars.item[0], "x=");
	assert_string_equal(o.var_files.item[0], "f");
	assert_int_equal(o.reports.n, 2);
	assert_string_equal(o.reports.item[0], "json=out");
	assert_string_equal(o.plugin_dirs.item[0], ".");
	assert_int_equal(o.timeout_usec, 500000);
	assert_int_equal(o.deadline_usec, 60000000);
	assert_true(o.strict && o.effective);
	assert_int_equal(o.color, KC_COLOR_NEVER);
	assert_int_equal(o.sandbox, KC_SANDBOX_REQUIRE);
	assert_int_equal(o.horizons, KC_BOOT);
	done(&o, copy);
	/* A value may look like an option, when it stands where a value must. */
	o = parse_ok("--profile|-|--tag|--strict", &copy);
	assert_string_equal(o.profiles.item[0], "-");
	assert_string_equal(o.tags.item[0], "--strict");
	assert_false(o.strict);
	done(&o, copy);
}

static void test_verbs(void **state)
{
	static const struct {
		const char *line;
		enum kc_verb verb;
		size_t n_words;
	} table[] = {
		{ "check|--profile|x", KC_VERB_CHECK, 0 },
		{ "list|rules", KC_VERB_LIST, 1 },
		{ "--profile=x|list|rules|--effective", KC_VERB_LIST, 1 },
		{ "explain|a|b", KC_VERB_EXPLAIN, 2 },
		{ "lint|a.yaml|b.yaml|c.yaml", KC_VERB_LINT, 3 },
		{ "help", KC_VERB_HELP, 0 },
		{ "version", KC_VERB_VERSION, 0 },
		{ "--version", KC_VERB_VERSION, 0 },
		{ "-V", KC_VERB_VERSION, 0 },
		{ "-h", KC_VERB_HELP, 0 },
		/* They win over any verb, before it or behind. */
		{ "list|rules|--help", KC_VERB_HELP, 1 },
		{ "--help|list|rules", KC_VERB_HELP, 1 },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		char *copy;
		struct kc_options o = parse_ok(table[i].line, &copy);

		assert_int_equal(o.verb, table[i].verb);
		assert_int_equal(o.words.n, table[i].n_words);
		done(&o, copy);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *line, *part;
	} table[] = {
		{ "--profil=x", "did you mean --profile" },
		{ "--banana", "unknown option --banana" },
		{ "--", "-- needs a command behind it" },
		{ "--profile|p|--", "-- needs a command behind it" },
		{ "list|rules|--|ls", "goes with a profile" },
		{ "rollback|--|ls", "goes with a profile" },
		{ "--fix|--dry-run|--|ls", "--dry-run changes nothing" },
		{ "-x", "unknown option -x" },
		{ "-qv", "unknown option -qv" },
		{ "--profile", "needs a value" },
		{ "--profile=", "not empty" },
		{ "--live=yes", "takes no value" },
		{ "--strict=", "takes no value" },
		{ "lsit", "did you mean list" },
		{ "check|extra", "nothing is expected there" },
		{ "--horizon=later", "there is now, boot, all" },
		{ "--horizon=bot", "did you mean boot?" },
		{ "--stage=kublet", "did you mean kubelet?" },
		{ "--color=sometimes", "there is auto, always, never" },
		{ "--sandbox=on", "there is best-effort, require, off" },
		{ "--jobs=0", "1 to 1024" },
		{ "--jobs=1025", "1 to 1024" },
		{ "--jobs=-1", "1 to 1024" },
		{ "--jobs=4x", "1 to 1024" },
		{ "--timeout=0", "give a time" },
		{ "--timeout=-1s", "give a time" },
		{ "--timeout=25h", "at most 24h" },
		{ "--deadline=soon", "give a time" },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		struct kc_options o = { .jobs = 77 };
		struct kc_err err = { 0 };
		char *copy;

		assert_int_equal(parse(table[i].line, &err, &o, &copy), -EINVAL);
		if (!strstr(err.text, table[i].part))
			fail_msg("%s: %s", table[i].line, err.text);
		/* Nothing is set, and nothing is left to free. */
		assert_int_equal(o.jobs, 77);
		free(copy);
	}
}

/* Whatever stands behind it is the command's, options and verbs too. */
static void test_command(void **state)
{
	static const char *const words[] = { "kubeadm", "init", "--fix", "--", "-x", NULL };
	char *copy;
	struct kc_options o = parse_ok("--profile|p|--|kubeadm|init|--fix|--|-x", &copy);

	assert_false(o.fix);
	assert_int_equal(o.words.n, 0);
	for (size_t i = 0; words[i]; i++)
		assert_string_equal(o.command[i], words[i]);
	done(&o, copy);
	o = parse_ok("--profile|p", &copy);
	assert_null(o.command);
	done(&o, copy);
}

/* Every option that there is takes what --help says it takes. */
static void test_help(void **state)
{
	KC_FOREACH_STR (name, kc_option_names) {
		kc_cleanup(kc_freep) char *word = kc_asprintf("%s", name);

		if (!strstr(kc_options_help(), word))
			fail_msg("--help does not know %s", name);
	}
	assert_int_equal(kc_strv_len(kc_option_names), 34);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults), cmocka_unit_test(test_values),
		cmocka_unit_test(test_verbs),	 cmocka_unit_test(test_refused),
		cmocka_unit_test(test_help),	 cmocka_unit_test(test_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
