/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "run/assignment.h"

/* What a worker is told of its plugin and its rules, there and back, and cut at every byte. */

static const struct kc_manifest_param params[] = {
	{ .name = "path", .type = KC_TYPE_STRING, .required = true },
	{ .name = "compare", .type = KC_TYPE_CHOICE },
	{ .name = "count", .type = KC_TYPE_INTEGER },
	{ .name = "keys", .type = KC_TYPE_LIST },
	{ .name = "values", .type = KC_TYPE_MAP },
	{ .name = "left-out", .type = KC_TYPE_SIZE },
};

static const struct kc_manifest_text reasons[] = { { "no-module", "it is not loaded" } };
static const struct kc_manifest_fact gathered[] = { { "os.id", "the ID" } };

static const struct kc_manifest_check checks[] = {
	{ .id = "one.first", .title = "First", .flags = KC_CHECK_NOW },
	{ .id = "one.second",
	  .title = "Second",
	  .flags = KC_CHECK_NOW | KC_CHECK_BOOT,
	  .params = params,
	  .n_params = KC_ARRAY_SIZE(params),
	  .reasons = reasons,
	  .n_reasons = 1 },
};

static const struct kc_manifest manifest = {
	.file = "/plugins/one.yaml",
	.name = "one",
	.version = "0.1.0",
	.title = "One",
	.checks = checks,
	.n_checks = KC_ARRAY_SIZE(checks),
	.facts = gathered,
	.n_facts = 1,
};

static const char *const list[] = { "a", "", "two words", NULL };
static const struct kc_pair map[] = { { "key", "value" }, { "", "empty" } };
static const struct kc_value values[] = {
	{ .type = KC_TYPE_STRING, .string = "/etc/fstab" },
	{ .type = KC_TYPE_CHOICE, .string = "equal" },
	{ .type = KC_TYPE_INTEGER, .number = INT64_MIN },
	{ .type = KC_TYPE_LIST, .n = 3, .list = list },
	{ .type = KC_TYPE_MAP, .n = 2, .map = map },
	{ .type = 0 },
};

static struct kc_rule rule_of(uint32_t index, uint32_t check)
{
	return (struct kc_rule){ .index = index,
				 .id = check ? "with" : "without",
				 .plugin = &manifest,
				 .check = checks + check,
				 .params = check ? values : NULL };
}

/* Reads all frames of b; what the first that is refused was refused with. */
static int read_all(const struct kc_buf *b, size_t len, struct kc_arena *arena,
		    struct kc_assignment *a)
{
	size_t at = 0, used = 0;
	struct kc_frame frame;
	int r;

	while ((r = kc_frame_next(b->data + at, len - at, &frame, &used)) > 0) {
		r = frame.type == KC_FRAME_MANIFEST ? kc_read_manifest(&frame, arena, a)
						    : kc_read_rule(&frame, arena, a);
		if (r < 0)
			return r;
		at += used;
	}
	return r;
}

static void test_there_and_back(void **state)
{
	kc_cleanup(kc_assignment_done) struct kc_assignment a = { 0 };
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	const struct kc_rule first = rule_of(3, 1), second = rule_of(70000, 0);
	const struct kc_rule *rule;

	kc_frame_manifest(&b, &manifest);
	kc_frame_rule(&b, &first);
	kc_frame_rule(&b, &second);
	assert_int_equal(read_all(&b, b.len, &arena, &a), 0);
	assert_string_equal(a.manifest.name, "one");
	assert_string_equal(a.manifest.version, "0.1.0");
	assert_string_equal(a.manifest.file, "/plugins/one.yaml");
	assert_int_equal(a.manifest.n_checks, 2);
	assert_int_equal(a.manifest.checks[1].flags, KC_CHECK_NOW | KC_CHECK_BOOT);
	assert_string_equal(a.manifest.checks[1].reasons[0].id, "no-module");
	assert_string_equal(a.manifest.facts[0].name, "os.id");
	for (uint32_t i = 0; i < KC_ARRAY_SIZE(params); i++) {
		const struct kc_manifest_param *p = a.manifest.checks[1].params + i;

		assert_string_equal(p->name, params[i].name);
		assert_int_equal(p->type, params[i].type);
		assert_int_equal(p->required, params[i].required);
	}
	assert_null(kc_assignment_rule(&a, 0));
	assert_null(kc_assignment_rule(&a, 4));
	rule = kc_assignment_rule(&a, 70000);
	assert_non_null(rule);
	assert_string_equal(rule->check->id, "one.first");
	rule = kc_assignment_rule(&a, 3);
	assert_non_null(rule);
	assert_string_equal(rule->id, "with");
	assert_string_equal(rule->params[0].string, "/etc/fstab");
	assert_string_equal(rule->params[1].string, "equal");
	assert_true(rule->params[2].number == INT64_MIN);
	assert_int_equal(rule->params[3].n, 3);
	assert_string_equal(rule->params[3].list[2], "two words");
	assert_null(rule->params[3].list[3]);
	assert_string_equal(rule->params[4].map[1].value, "empty");
	assert_int_equal(rule->params[5].type, 0);
}

static void test_too_large(void **state)
{
	kc_cleanup(kc_assignment_done) struct kc_assignment a = { 0 };
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	kc_cleanup(kc_freep) char *text = malloc(KC_FRAME_SIZE_MAX + 1);
	struct kc_value large[KC_ARRAY_SIZE(values)];
	struct kc_rule rule = rule_of(1, 1);

	assert_non_null(text);
	memset(text, 'x', KC_FRAME_SIZE_MAX);
	text[KC_FRAME_SIZE_MAX] = 0;
	memcpy(large, values, sizeof(values));
	large[0].string = text;
	rule.params = large;
	kc_frame_manifest(&b, &manifest);
	kc_frame_rule(&b, &rule);
	assert_int_equal(read_all(&b, b.len, &arena, &a), 0);
	assert_non_null(kc_assignment_rule(&a, 1));
	assert_null(kc_assignment_rule(&a, 1)->check);
}

/* A frame that ends early, with a size that says so. */
static void cut(struct kc_buf *b, size_t begin, size_t len)
{
	uint32_t size = (uint32_t)(len - begin);

	memcpy(b->data + begin, &size, sizeof(size));
	b->len = len;
}

static void test_cut(void **state)
{
	const struct kc_rule rule = rule_of(0, 1);
	size_t whole = SIZE_MAX;

	for (size_t len = 12; len < whole; len++) {
		kc_cleanup(kc_assignment_done) struct kc_assignment a = { 0 };
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

		kc_frame_manifest(&b, &manifest);
		whole = b.len;
		cut(&b, 0, len);
		assert_int_equal(read_all(&b, b.len, &arena, &a), len < whole ? -EBADMSG : 0);
	}
	whole = SIZE_MAX;
	for (size_t len = 12; len < whole; len++) {
		kc_cleanup(kc_assignment_done) struct kc_assignment a = { 0 };
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
		size_t begin;

		kc_frame_manifest(&b, &manifest);
		begin = b.len;
		kc_frame_rule(&b, &rule);
		whole = b.len - begin;
		cut(&b, begin, begin + len);
		assert_int_equal(read_all(&b, b.len, &arena, &a), len < whole ? -EBADMSG : 0);
	}
}

static void test_order(void **state)
{
	kc_cleanup(kc_assignment_done) struct kc_assignment a = { 0 };
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	const struct kc_rule later = rule_of(2, 0), earlier = rule_of(1, 0);

	kc_frame_rule(&b, &earlier);
	assert_int_equal(read_all(&b, b.len, &arena, &a), -EBADMSG);
	kc_buf_reset(&b);
	kc_frame_manifest(&b, &manifest);
	kc_frame_rule(&b, &later);
	kc_frame_rule(&b, &earlier);
	assert_int_equal(read_all(&b, b.len, &arena, &a), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
