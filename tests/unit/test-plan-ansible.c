/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/yaml.h"
#include "golden.h"
#include "harmless.h"
#include "make-plan.h"
#include "make-report.h"
#include "reports/plan-ansible.h"

static int setup(void **state)
{
	static struct kc_arena arena;

	*state = &arena;
	return 0;
}

static int teardown(void **state)
{
	kc_arena_done(*state);
	return 0;
}

static char *write_plan(struct kc_arena *arena, const struct kc_plan *plan, size_t *ret_size)
{
	static const struct kc_report_style style = { 0 };
	char *text;

	assert_non_null(plan);
	text = kc_write_plan(arena, kc_plan_ansible_write, plan, &style, ret_size);
	assert_non_null(text);
	return text;
}

/* Our reader takes no tags: the one that playbooks have is left out, and what it marks stays. */
static char *without_tags(struct kc_arena *arena, const char *text, size_t *ret_size)
{
	static const char tag[] = "!unsafe \"";
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	char *copy;

	for (const char *at; (at = strstr(text, tag)); text = at + sizeof(tag) - 2)
		kc_buf_add(&b, text, (size_t)(at - text));
	kc_buf_adds(&b, text);
	assert_int_equal(kc_buf_error(&b), 0);
	copy = kc_arena_memdup(arena, b.data, b.len);
	assert_non_null(copy);
	*ret_size = b.len;
	return copy;
}

/* The tasks of the one play. */
static const struct kc_yaml_node *parse(struct kc_arena *arena, const char *text)
{
	const struct kc_yaml_node *node = NULL, *tasks;
	struct kc_err err = { 0 };
	size_t size;
	char *plain = without_tags(arena, text, &size);

	if (kc_yaml_parse("playbook", plain, size, 0, arena, &err, &node) < 0)
		fail_msg("%s", err.text);
	assert_non_null(node);
	assert_int_equal(node->type, KC_YAML_SEQUENCE);
	assert_int_equal(node->n, 1);
	tasks = kc_yaml_get(node->item[0], "tasks");
	assert_non_null(tasks);
	assert_int_equal(tasks->type, KC_YAML_SEQUENCE);
	return tasks;
}

static void test_golden(void **state)
{
	size_t size;
	char *text = write_plan(*state, kc_make_plan(*state), &size);

	kc_assert_golden("plan.yaml", text, size);
	kc_assert_harmless(text, size);
	assert_true(parse(*state, text)->n > 20);
}

static void test_empty(void **state)
{
	char *text = write_plan(*state, kc_make_empty_plan(*state), NULL);

	assert_int_equal(parse(*state, text)->n, 0);
}

/* The argument of the first task with the module. */
static const char *argument(const struct kc_yaml_node *tasks, const char *module, const char *name)
{
	for (uint32_t i = 0; i < tasks->n; i++) {
		const struct kc_yaml_node *m = kc_yaml_get(tasks->item[i], module);
		const struct kc_yaml_node *value = m ? kc_yaml_get(m, name) : NULL;

		if (m)
			return value ? value->scalar : NULL;
	}
	return NULL;
}

/* One rule, one step, one change: a new file with the content. */
static char *write_content(struct kc_arena *arena, const char *content, size_t size)
{
	struct kc_plan_change change = {
		.path = "/etc/x",
		.after = { .type = KC_FILE_REGULAR,
			   .mode = 0640,
			   .uid = 7,
			   .text = content,
			   .size = size },
	};
	struct kc_plan_step step = { .kind = KC_STEP_WRITE_FILE,
				     .state = KC_STATE_NEEDED,
				     .target = "/etc/x",
				     .changes = &change,
				     .n_changes = 1 };
	struct kc_rule rule = { .id = "x", .title = "X" };
	struct kc_plan_rule plan_rule = { .rule = &rule, .steps = &step, .n_steps = 1 };
	struct kc_plan plan = { .rules = &plan_rule, .n_rules = 1 };

	return write_plan(arena, &plan, NULL);
}

static void assert_content(struct kc_arena *arena, const char *content)
{
	char *text = write_content(arena, content, strlen(content));
	const struct kc_yaml_node *tasks = parse(arena, text);

	kc_assert_harmless(text, strlen(text));
	assert_string_equal(argument(tasks, "ansible.builtin.copy", "content"), content);
}

/* What a YAML reader gets out is what is to be in the file, byte for byte. */
static void test_contents(void **state)
{
	static const char *const contents[] = {
		"",
		"a",
		"a\n",
		"\n",
		"\n\n\n",
		"a\nb",
		"  indented\n\ttabs\n \n\n  \nend  \n",
		"\"quoted\" \\n \\ 'x'\n# no comment\n- no: list\n",
		"---\n...\n--- a\n+++ b\n::error::x\n  ::error::y\n\t::z\n1..3\nok 1\n<3>x\n",
		"##[error]x\n## fine\n##vso[a]b\n",
		"{{ x }} {% y %} {# z #} {\n",
		"J\xc3\xbcrgen \xe2\x80\xa8 \xef\xbb\xbf "
		"\xf0\x9f\x98\x80\n\x01\x1b[2J\r\n\x7f\xc2\x85",
		NULL,
	};

	KC_FOREACH_STR (content, contents)
		assert_content(*state, content);
}

static void test_owner_and_mode(void **state)
{
	const struct kc_yaml_node *tasks = parse(*state, write_content(*state, "a\n", 2));

	assert_string_equal(argument(tasks, "ansible.builtin.copy", "owner"), "7");
	assert_string_equal(argument(tasks, "ansible.builtin.copy", "group"), "root");
	assert_string_equal(argument(tasks, "ansible.builtin.copy", "mode"), "0640");
}

/* A template engine is kept from contents of its own kind alone. */
static void test_templates(void **state)
{
	assert_null(strstr(write_content(*state, "{ x }", 5), "!unsafe"));
	assert_non_null(
		strstr(write_content(*state, "{{ x }}", 7), "content: !unsafe \"{{ x }}\""));
	assert_non_null(strstr(write_content(*state, "a\n{% x %}", 9), "content: !unsafe \"\\\n"));
}

/* What is secret or no text is said, and no task writes it. */
static void test_left_out(void **state)
{
	static const char secret[] = "password = hunter2\n";
	char *text = write_content(*state, secret, sizeof(secret) - 1);

	assert_null(strstr(text, "hunter2"));
	assert_non_null(strstr(text, "# It has what looks like a secret"));
	assert_null(argument(parse(*state, text), "ansible.builtin.copy", "dest"));
	text = write_content(*state, "a\0b", 3);
	assert_null(argument(parse(*state, text), "ansible.builtin.copy", "dest"));
	text = write_content(*state, "a\xff", 2);
	assert_null(argument(parse(*state, text), "ansible.builtin.copy", "dest"));
	assert_non_null(strstr(text, "what is left to a person"));
}

static bool has_path(const struct kc_yaml_node *tasks, const char *module, const char *path)
{
	for (uint32_t i = 0; i < tasks->n; i++) {
		const struct kc_yaml_node *m = kc_yaml_get(tasks->item[i], module);
		const struct kc_yaml_node *value = m ? kc_yaml_get(m, "path") : NULL;

		value = value || !m ? value : kc_yaml_get(m, "dest");
		if (value && strcmp(value->scalar, path) == 0)
			return true;
	}
	return false;
}

/* No file is written or removed that was not looked at in front of it. */
static void test_files_are_looked_at(void **state)
{
	const struct kc_yaml_node *tasks =
		parse(*state, write_plan(*state, kc_make_plan(*state), NULL));
	unsigned n = 0;

	for (uint32_t i = 0; i < tasks->n; i++) {
		const struct kc_yaml_node *copy =
			kc_yaml_get(tasks->item[i], "ansible.builtin.copy");

		if (!copy || kc_yaml_get(copy, "remote_src"))
			continue;
		assert_true(
			has_path(tasks, "ansible.builtin.stat", kc_yaml_get(copy, "dest")->scalar));
		n++;
	}
	assert_true(n >= 5);
	assert_true(has_path(tasks, "ansible.builtin.stat", "/etc/sysctl.d/old.conf"));
	assert_true(has_path(tasks, "ansible.builtin.stat", "/etc/cni/net.d/87-podman.conflist"));
}

/* Modules, and nothing that runs a command. */
static void test_no_commands(void **state)
{
	char *text = write_plan(*state, kc_make_plan(*state), NULL);

	assert_null(strstr(text, "ansible.builtin.command"));
	assert_null(strstr(text, "ansible.builtin.shell"));
	assert_null(strstr(text, "ansible.builtin.raw"));
}

static void test_hostile(void **state)
{
	const char *const *texts = kc_hostile_texts(*state);

	assert_non_null(texts);
	KC_FOREACH_STR (hostile, texts) {
		struct kc_plan *plan = kc_make_plan_of(*state, hostile);
		size_t size;
		char *text;

		if (plan && strlen(hostile) == 1024 * 1024)
			plan->n_rules = 1;
		text = write_plan(*state, plan, &size);
		kc_assert_harmless(text, size);
		if (strlen(hostile) < 1024 * 1024)
			(void)parse(*state, text);
	}
}

/* By systemd-escape --path --suffix=swap. */
static void assert_swap_unit(struct kc_arena *arena, const char *path, const char *unit)
{
	struct kc_plan_step step = { .kind = KC_STEP_SWAP_OFF,
				     .state = KC_STATE_NEEDED,
				     .target = path };
	struct kc_rule rule = { .id = "x", .title = "X" };
	struct kc_plan_rule plan_rule = { .rule = &rule, .steps = &step, .n_steps = 1 };
	struct kc_plan plan = { .rules = &plan_rule, .n_rules = 1 };
	const struct kc_yaml_node *tasks = parse(arena, write_plan(arena, &plan, NULL));
	const char *name = argument(tasks, "ansible.builtin.systemd", "name");

	if (unit)
		assert_string_equal(name, unit);
	else
		assert_null(name);
}

static void test_swap_units(void **state)
{
	assert_swap_unit(*state, "/dev/sda2", "dev-sda2.swap");
	assert_swap_unit(*state, "/dev/dm-1", "dev-dm\\x2d1.swap");
	assert_swap_unit(*state, "/.swap//a b/", "\\x2eswap-a\\x20b.swap");
	assert_swap_unit(*state, "/swapfile", "swapfile.swap");
	assert_swap_unit(*state, "/swap\\040file", NULL);
	assert_swap_unit(*state, "swapfile", NULL);
}

/* A module that would change the next boot as well is not for a step that does not. */
static void test_selinux_alone(void **state)
{
	struct kc_plan_step step = { .kind = KC_STEP_SELINUX_MODE,
				     .state = KC_STATE_NEEDED,
				     .content = "permissive" };
	struct kc_rule rule = { .id = "x", .title = "X" };
	struct kc_plan_rule plan_rule = { .rule = &rule, .steps = &step, .n_steps = 1 };
	struct kc_plan plan = { .rules = &plan_rule, .n_rules = 1 };
	char *text = write_plan(*state, &plan, NULL);

	assert_null(argument(parse(*state, text), "ansible.posix.selinux", "state"));
	assert_non_null(strstr(text, "#   setenforce 0\n"));
	text = write_plan(*state, kc_make_plan(*state), NULL);
	assert_string_equal(argument(parse(*state, text), "ansible.posix.selinux", "state"),
			    "permissive");
}

/* With digests a file is known by them, and never one of which something is masked. */
static void test_digests(void **state)
{
	struct kc_plan *plan = kc_make_plan(*state);
	struct kc_plan_change *change = (struct kc_plan_change *)plan->rules[1].steps[0].changes;
	static const char digest[] =
		"3333333333333333333333333333333333333333333333333333333333333333";
	char *text;

	change->after.sha256 = digest;
	text = write_plan(*state, plan, NULL);
	assert_non_null(strstr(text, ".stat.checksum | default('') in ['3333333333333333"));
	assert_null(strstr(text, "1111111111111111"));
	change->after.sha256 = "'] or true or ['";
	text = write_plan(*state, plan, NULL);
	assert_null(strstr(text, "or true"));
}

static void test_full_device_is_an_error(void **state)
{
	struct kc_report_style style = { 0 };
	struct kc_err err = { 0 };
	struct kc_plan *plan = kc_make_plan(*state);
	FILE *out = fopen("/dev/full", "w");

	assert_non_null(out);
	assert_int_equal(setvbuf(out, NULL, _IOFBF, 16), 0);
	assert_int_equal(kc_plan_ansible_write(plan, &style, out, &err), -EIO);
	assert_true(*err.text);
	(void)fclose(out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_golden, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_contents, setup, teardown),
		cmocka_unit_test_setup_teardown(test_owner_and_mode, setup, teardown),
		cmocka_unit_test_setup_teardown(test_templates, setup, teardown),
		cmocka_unit_test_setup_teardown(test_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files_are_looked_at, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_commands, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_swap_units, setup, teardown),
		cmocka_unit_test_setup_teardown(test_selinux_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_digests, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_device_is_an_error, setup, teardown),
	};

	return cmocka_run_group_tests_name("plan-ansible", tests, NULL, NULL);
}
