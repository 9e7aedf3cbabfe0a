/* SPDX-License-Identifier: Apache-2.0 */
#include "profile-place.h"

/* ---- --set */

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

static void test_variable_condition_faults(void **state)
{
	struct place *p = *state;

	expect_faults(p,
		      with_text(p,
				"vars: {role: any, broken: '${nothing}'}\n" RULE
				"    when: {var.rule: x, var.role: '', var.: x, var.broken: x}\n"),
		      "@/profiles/p.yaml:1:27: there is no variable 'nothing'\n"
		      "@/profiles/p.yaml:6:12: the profile has no variable 'rule'; did you mean "
		      "'role'?\n"
		      "@/profiles/p.yaml:6:35: the condition on 'var.role' has no value\n"
		      "@/profiles/p.yaml:6:39: the profile has no variable ''\n");
	must_load(p, with_text(p, "vars: {role: any}\n" RULE "    when: {var.role: [x, any]}\n"));
}

static void test_broken_manifest(void **state)
{
	struct place *p = *state;

	put(p, "plugins/bad.yaml", "name: bad\n");
	expect_faults(p, with_text(p, "rules: [{id: a, check: bad.check}]\n"),
		      "@/profiles/p.yaml:1:24: @/plugins/bad.yaml:1:1: a manifest lacks the key "
		      "'version'\n");
	/* It may have been the one that gathers the fact. */
	expect_faults(p, with_text(p, RULE "    when: {bad.fact: x}\n"),
		      "@/profiles/p.yaml:5:12: no plugin gathers the fact 'bad.fact'\n"
		      "@/plugins/bad.yaml:1:1: a manifest lacks the key 'version'\n");
	/* Who does not use it is not troubled. */
	must_load(p, with_text(p, RULE "    when: {os.id: x}\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_set_faults),	    TEST(test_rule_faults),
		TEST(test_value_faults),    TEST(test_condition_faults),
		TEST(test_broken_manifest), TEST(test_variable_condition_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
