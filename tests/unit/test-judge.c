/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/str.h"
#include "run/judge.h"

/* Three checks, and a rule or two of each. */
enum {
	BOTH,
	NOW_ALONE,
	BOOT_ALONE,
	CONDITIONAL,
	UNSELECTED,
	N_RULES
};

static const struct kc_manifest_check checks[] = {
	{ .id = "p.both", .flags = KC_CHECK_NOW | KC_CHECK_BOOT },
	{ .id = "p.now", .flags = KC_CHECK_NOW },
	{ .id = "p.boot", .flags = KC_CHECK_BOOT },
};
static const char *const debian[] = { "debian", NULL };
static const struct kc_condition when = { .fact = "os.id", .op = KC_OP_EQUAL, .values = debian };

struct place {
	struct kc_rule rules[N_RULES];
	struct kc_profile profile;
	struct kc_run_config config;
	struct kc_arena arena;
	struct kc_judge judge;
};

static struct place *start(uint32_t horizons, bool live)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	for (uint32_t i = 0; i < N_RULES; i++)
		p->rules[i] = (struct kc_rule){ .index = i,
						.id = "rule",
						.check = checks + (i < 3 ? i : 0),
						.selected = i != UNSELECTED };
	p->rules[CONDITIONAL].when = &when;
	p->rules[CONDITIONAL].n_when = 1;
	p->profile = (struct kc_profile){ .rules = p->rules, .n_rules = N_RULES };
	p->config = (struct kc_run_config){
		.profile = &p->profile,
		.live = live,
		.horizons = horizons,
		.offline_reason = live ? NULL : "it is looked at offline",
	};
	assert_int_equal(kc_judge_init(&p->judge, &p->config, &p->arena), 0);
	return p;
}

static void end(struct place *p)
{
	assert_false(p->judge.failed);
	kc_judge_done(&p->judge);
	kc_arena_done(&p->arena);
	free(p);
}

static void find(struct place *p, uint32_t rule, uint32_t horizon, uint32_t verdict,
		 const char *found)
{
	const struct kc_finding finding = {
		.size = sizeof(finding), .verdict = verdict, .horizon = horizon, .found = found
	};

	kc_judge_finding(&p->judge, rule, &finding);
}

static const struct kc_judgement *judgement(struct place *p, uint32_t rule, unsigned k)
{
	return p->judge.results[rule].judgements + k;
}

/* One finding of that verdict, with that message. */
static void assert_only(struct place *p, uint32_t rule, unsigned k, uint32_t verdict,
			const char *message)
{
	const struct kc_judgement *j = judgement(p, rule, k);

	assert_int_equal(j->n_findings, 1);
	assert_int_equal(j->verdict, verdict);
	assert_string_equal(j->findings[0].message, message);
}

static void test_open(void **state)
{
	struct place *p = start(KC_NOW | KC_BOOT, true);

	assert_int_equal(p->judge.n_open, N_RULES - 1);
	assert_null(p->judge.results[UNSELECTED].rule);
	assert_ptr_equal(p->judge.results[BOTH].rule, p->rules + BOTH);
	/* Findings of rules that were never settled must not leak. */
	find(p, BOTH, KC_NOW, KC_PASS, "x");
	end(p);
}

static void test_settle(void **state)
{
	struct place *p = start(KC_NOW | KC_BOOT, true);
	const struct kc_judgement *j;

	kc_judge_scope(&p->judge);
	assert_int_equal(p->judge.n_open, N_RULES - 1);
	for (unsigned i = 0; i < 100; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%u", i);
		find(p, BOTH, KC_NOW, i == 50 ? KC_FAIL : KC_PASS, text);
	}
	find(p, BOTH, KC_BOOT, KC_SKIP, NULL);
	kc_judge_settle(&p->judge, BOTH, 0, NULL, 7);
	assert_int_equal(p->judge.n_open, N_RULES - 2);
	j = judgement(p, BOTH, KC_J_NOW);
	assert_int_equal(j->n_findings, 100);
	for (unsigned i = 0; i < 100; i++) {
		char text[16];

		/* In the order in which they were found. */
		snprintf(text, sizeof(text), "%u", i);
		assert_string_equal(j->findings[i].found, text);
	}
	assert_int_equal(j->verdict, KC_FAIL);
	assert_int_equal(judgement(p, BOTH, KC_J_BOOT)->verdict, KC_SKIP);
	assert_int_equal(p->judge.results[BOTH].verdict, KC_FAIL);
	assert_int_equal(p->judge.results[BOTH].duration_usec, 7);
	/* What is settled stays so, whatever comes late. */
	find(p, BOTH, KC_NOW, KC_PASS, "late");
	kc_judge_settle(&p->judge, BOTH, -EIO, "late", 8);
	kc_judge_error(&p->judge, BOTH, "late");
	kc_judge_again(&p->judge, BOTH);
	assert_int_equal(judgement(p, BOTH, KC_J_NOW)->n_findings, 100);
	assert_int_equal(p->judge.results[BOTH].verdict, KC_FAIL);
	assert_int_equal(p->judge.n_open, N_RULES - 2);
	end(p);
}

/* A check that says nothing has not passed. */
static void test_silent(void **state)
{
	struct place *p = start(KC_NOW | KC_BOOT, true);

	kc_judge_settle(&p->judge, BOTH, 0, NULL, 0);
	assert_only(p, BOTH, KC_J_NOW, KC_ERROR, "the check ended without a verdict");
	assert_only(p, BOTH, KC_J_BOOT, KC_ERROR, "the check ended without a verdict");
	kc_judge_settle(&p->judge, NOW_ALONE, -EACCES, "/etc/shadow: not allowed", 0);
	assert_only(p, NOW_ALONE, KC_J_NOW, KC_ERROR, "/etc/shadow: not allowed");
	assert_int_equal(judgement(p, NOW_ALONE, KC_J_BOOT)->verdict, KC_VERDICT_NONE);
	kc_judge_settle(&p->judge, BOOT_ALONE, -EACCES, "", 0);
	assert_only(p, BOOT_ALONE, KC_J_BOOT, KC_ERROR, "Permission denied");
	/* One horizon was judged: an error says something of the other alone. */
	find(p, CONDITIONAL, KC_NOW, KC_PASS, NULL);
	kc_judge_settle(&p->judge, CONDITIONAL, -EIO, NULL, 0);
	assert_int_equal(judgement(p, CONDITIONAL, KC_J_NOW)->verdict, KC_PASS);
	assert_only(p, CONDITIONAL, KC_J_BOOT, KC_ERROR, "Input/output error");
	assert_int_equal(p->judge.results[CONDITIONAL].verdict, KC_ERROR);
	assert_int_equal(p->judge.n_open, 0);
	end(p);
}

static void test_error(void **state)
{
	struct place *p = start(KC_NOW | KC_BOOT, true);

	find(p, BOTH, KC_NOW, KC_PASS, "forget this");
	find(p, BOTH, KC_NOW, KC_FAIL, "and this");
	kc_judge_error(&p->judge, BOTH, "its worker died");
	assert_only(p, BOTH, KC_J_NOW, KC_ERROR, "its worker died");
	assert_only(p, BOTH, KC_J_BOOT, KC_ERROR, "its worker died");
	kc_judge_error(&p->judge, BOOT_ALONE, "its worker died");
	assert_int_equal(judgement(p, BOOT_ALONE, KC_J_NOW)->n_findings, 0);
	assert_only(p, BOOT_ALONE, KC_J_BOOT, KC_ERROR, "its worker died");
	kc_judge_error(&p->judge, UNSELECTED, "nobody asked");
	assert_int_equal(judgement(p, UNSELECTED, KC_J_NOW)->n_findings, 0);
	assert_int_equal(p->judge.n_open, N_RULES - 3);
	end(p);
}

/* A rule that runs again says everything again. */
static void test_again(void **state)
{
	struct place *p = start(KC_NOW, true);

	find(p, NOW_ALONE, KC_NOW, KC_FAIL, "first");
	kc_judge_again(&p->judge, NOW_ALONE);
	find(p, NOW_ALONE, KC_NOW, KC_PASS, "second");
	kc_judge_settle(&p->judge, NOW_ALONE, 0, NULL, 0);
	assert_int_equal(judgement(p, NOW_ALONE, KC_J_NOW)->n_findings, 1);
	assert_string_equal(judgement(p, NOW_ALONE, KC_J_NOW)->findings[0].found, "second");
	assert_int_equal(p->judge.results[NOW_ALONE].verdict, KC_PASS);
	end(p);
}

static void test_offline(void **state)
{
	struct place *p = start(KC_NOW | KC_BOOT, false);

	assert_int_equal(kc_config_horizons(&p->config, p->rules + BOTH), KC_BOOT);
	assert_int_equal(kc_config_horizons(&p->config, p->rules + NOW_ALONE), 0);
	kc_judge_scope(&p->judge);
	/* What only the running system could tell is settled without a worker. */
	assert_int_equal(p->judge.n_open, N_RULES - 2);
	assert_only(p, NOW_ALONE, KC_J_NOW, KC_SKIP, "it is looked at offline");
	assert_string_equal(judgement(p, NOW_ALONE, KC_J_NOW)->findings[0].reason, "offline");
	assert_int_equal(p->judge.results[NOW_ALONE].verdict, KC_SKIP);
	find(p, BOTH, KC_BOOT, KC_PASS, NULL);
	kc_judge_settle(&p->judge, BOTH, 0, NULL, 0);
	assert_only(p, BOTH, KC_J_NOW, KC_SKIP, "it is looked at offline");
	assert_int_equal(p->judge.results[BOTH].verdict, KC_PASS);
	kc_judge_error(&p->judge, BOOT_ALONE, "died");
	assert_int_equal(judgement(p, BOOT_ALONE, KC_J_NOW)->verdict, KC_VERDICT_NONE);
	end(p);
}

/* A rule that a variable excludes needs no worker, and no fact. */
static void test_variable(void **state)
{
	static const char *const worker[] = { "worker", NULL };
	const struct kc_condition condition = {
		.fact = "var.role", .value = "any", .op = KC_OP_EQUAL, .values = worker
	};
	static const char text[] = "it applies when var.role is worker; here it is any";

	/* Also where the root is none that runs: what the profile says comes first. */
	for (int live = 0; live < 2; live++) {
		struct place *p = start(KC_NOW | KC_BOOT, live);

		p->rules[BOTH].when = p->rules[NOW_ALONE].when = &condition;
		p->rules[BOTH].n_when = p->rules[NOW_ALONE].n_when = 1;
		kc_judge_scope(&p->judge);
		assert_int_equal(p->judge.n_open, N_RULES - 3);
		assert_only(p, BOTH, KC_J_NOW, KC_SKIP, text);
		assert_only(p, BOTH, KC_J_BOOT, KC_SKIP, text);
		assert_string_equal(judgement(p, BOTH, KC_J_NOW)->findings[0].reason, "condition");
		assert_only(p, NOW_ALONE, KC_J_NOW, KC_SKIP, text);
		assert_int_equal(judgement(p, NOW_ALONE, KC_J_BOOT)->verdict, KC_VERDICT_NONE);
		end(p);
	}
}

/* A check that judges no horizon that was asked for. */
static void test_scope(void **state)
{
	struct place *p = start(KC_BOOT, true);

	kc_judge_scope(&p->judge);
	assert_only(p, NOW_ALONE, KC_J_BOOT, KC_SKIP,
		    "this check judges no horizon that was asked for");
	assert_string_equal(judgement(p, NOW_ALONE, KC_J_BOOT)->findings[0].reason, "horizon");
	assert_int_equal(judgement(p, NOW_ALONE, KC_J_NOW)->verdict, KC_VERDICT_NONE);
	assert_int_equal(p->judge.n_open, N_RULES - 2);
	find(p, BOTH, KC_BOOT, KC_PASS, NULL);
	kc_judge_settle(&p->judge, BOTH, 0, NULL, 0);
	assert_int_equal(judgement(p, BOTH, KC_J_NOW)->verdict, KC_VERDICT_NONE);
	end(p);
}

static void test_conditions(void **state)
{
	static const struct {
		struct kc_fact_value fact;
		uint32_t verdict;
		const char *reason;
	} table[] = {
		{ { .name = "os.id", .state = KC_FACT_KNOWN, .value = "debian" },
		  KC_VERDICT_NONE,
		  NULL },
		{ { .name = "os.id", .state = KC_FACT_KNOWN, .value = "rhel" },
		  KC_SKIP,
		  "condition" },
		{ { .name = "os.id", .state = KC_FACT_ABSENT }, KC_SKIP, "condition" },
		{ { .name = "os.id", .state = KC_FACT_UNKNOWN }, KC_ERROR, NULL },
		{ { .name = "other", .state = KC_FACT_KNOWN, .value = "debian" }, KC_ERROR, NULL },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		struct place *p = start(KC_NOW | KC_BOOT, i % 2);
		const struct kc_judgement *j = judgement(p, CONDITIONAL, KC_J_BOOT);

		kc_judge_conditions(&p->judge, &table[i].fact, 1);
		assert_int_equal(p->judge.n_open, N_RULES - 1 - (table[i].verdict != 0));
		assert_int_equal(j->verdict, table[i].verdict);
		if (table[i].verdict != KC_VERDICT_NONE) {
			assert_true(kc_streq0(j->findings[0].reason, table[i].reason));
			assert_non_null(strstr(j->findings[0].message, "os.id"));
			/* The other horizon, too, or that it cannot be seen from here. */
			assert_int_equal(judgement(p, CONDITIONAL, KC_J_NOW)->n_findings, 1);
			if (table[i].verdict == KC_SKIP)
				assert_only(p, CONDITIONAL, KC_J_NOW, KC_SKIP,
					    j->findings[0].message);
		}
		end(p);
	}
}

/* What anybody says is masked, whichever way it comes in. */
static void test_masked(void **state)
{
	static const char secret[] = "password=Pl4nt3d";
	const struct kc_finding all = {
		.size = sizeof(all),
		.verdict = KC_FAIL,
		.horizon = KC_NOW,
		.subject = secret,
		.expected = secret,
		.found = secret,
		.source = secret,
		.message = secret,
	};
	struct place *p = start(KC_NOW, true);
	const struct kc_result_finding *f;

	kc_judge_finding(&p->judge, BOTH, &all);
	kc_judge_settle(&p->judge, BOTH, 0, NULL, 0);
	f = judgement(p, BOTH, KC_J_NOW)->findings;
	assert_string_equal(f->subject, "password=***");
	assert_string_equal(f->expected, "password=***");
	assert_string_equal(f->found, "password=***");
	assert_string_equal(f->source, "password=***");
	assert_string_equal(f->message, "password=***");
	assert_null(f->reason);
	kc_judge_settle(&p->judge, NOW_ALONE, -EIO, secret, 0);
	assert_only(p, NOW_ALONE, KC_J_NOW, KC_ERROR, "password=***");
	kc_judge_error(&p->judge, CONDITIONAL, secret);
	assert_only(p, CONDITIONAL, KC_J_NOW, KC_ERROR, "password=***");
	assert_string_equal(kc_judge_text(&p->judge, secret), "password=***");
	assert_null(kc_judge_text(&p->judge, NULL));
	end(p);
}

static void test_no_memory(void **state)
{
	struct place *p = start(KC_NOW, true);

	p->arena.limit = p->arena.used;
	find(p, BOTH, KC_NOW, KC_PASS, "text");
	assert_true(p->judge.failed);
	kc_judge_settle(&p->judge, BOTH, 0, NULL, 0);
	/* It is no pass that nobody can show. */
	assert_int_equal(p->judge.results[BOTH].verdict, KC_VERDICT_NONE);
	p->judge.failed = false;
	end(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),	   cmocka_unit_test(test_settle),
		cmocka_unit_test(test_silent),	   cmocka_unit_test(test_error),
		cmocka_unit_test(test_again),	   cmocka_unit_test(test_offline),
		cmocka_unit_test(test_variable),   cmocka_unit_test(test_scope),
		cmocka_unit_test(test_conditions), cmocka_unit_test(test_masked),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
