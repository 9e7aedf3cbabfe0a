/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/str.h"
#include "model/touches.h"

static const struct kc_pair map[] = { { "net.ipv4.ip_forward", "1" }, { "vm.swappiness", "0" } };
static const char *const list[] = { "br_netfilter", "/etc/a", "crio", "b.socket", NULL };

static const struct kc_manifest_param params[] = {
	{ .name = "path", .type = KC_TYPE_STRING },
	{ .name = "unit", .type = KC_TYPE_STRING },
	{ .name = "names", .type = KC_TYPE_LIST },
	{ .name = "settings", .type = KC_TYPE_MAP },
	{ .name = "number", .type = KC_TYPE_INTEGER },
	{ .name = "mode",
	  .type = KC_TYPE_CHOICE,
	  .has_value = true,
	  .value = { .type = KC_TYPE_CHOICE, .string = "trusted" } },
	{ .name = "unset", .type = KC_TYPE_STRING },
};

static const struct kc_value values[] = {
	{ .type = KC_TYPE_STRING, .string = "/etc/x*" },
	{ .type = KC_TYPE_STRING, .string = "kubelet" },
	{ .type = KC_TYPE_LIST, .n = 4, .list = list },
	{ .type = KC_TYPE_MAP, .n = 2, .map = map },
	{ .type = KC_TYPE_INTEGER, .number = 7 },
	{ .type = 0 },
	{ .type = 0 },
};

/* Whether a single entry names a target. */
static bool names(const char *entry, const char *target)
{
	const char *const touches[] = { entry, NULL };
	const struct kc_manifest_check check = {
		.id = "a.b",
		.params = params,
		.n_params = KC_ARRAY_SIZE(params),
		.touches = touches,
	};
	const struct kc_rule rule = { .id = "r", .check = &check, .params = values };

	return kc_touches_name(&rule, target);
}

static void test_names(void **state)
{
	static const struct {
		const char *entry, *target;
		bool yes;
	} table[] = {
		{ "/etc/a.conf", "/etc/a.conf", true },
		{ "/etc/a.conf", "/etc/a.confx", false },
		{ "/etc/a.conf", "/etc/a.conf/x", false },
		{ "/etc/a.conf", "/ETC/a.conf", false },
		{ "/etc/a.conf", "etc/a.conf", false },
		{ "/etc/a.conf", "", false },
		{ "/etc/a.d", "/etc/a.d/x", false },
		{ "/etc/a.d", "/etc/a.d/", false },
		/* "*" stands for something within one component. */
		{ "/etc/a.d/*.conf", "/etc/a.d/x.conf", true },
		{ "/etc/a.d/*.conf", "/etc/a.d/x.conf.d", false },
		{ "/etc/a.d/*.conf", "/etc/a.d/x/y.conf", false },
		{ "/etc/a.d/*.conf", "/etc/a.d/../y.conf", false },
		{ "/etc/*/b", "/etc/x/b", true },
		{ "/etc/*/b", "/etc/x/y/b", false },
		{ "/etc/*", "/etc/x", true },
		{ "/etc/*", "/etc/x/y", false },
		{ "*.swap", "dev-sda2.swap", true },
		{ "*.swap", "a/b.swap", false },
		{ "*.swap", "dev-disk-by\\x2duuid.swap", true },
		/* Of a parameter: its value, which is no pattern. */
		{ "$path", "/etc/x*", true },
		{ "$path", "/etc/xy", false },
		{ "$path", "/etc/x", false },
		{ "$path", "/etc/x*/y", false },
		{ "$path/*.conf", "/etc/x*/y.conf", true },
		{ "$path/*.conf", "/etc/xy/y.conf", false },
		{ "$path/*.conf", "/etc/x*/y/z.conf", false },
		{ "$path/*.conf", "/etc/x*y.conf", false },
		{ "$unit", "kubelet.service", true },
		{ "$unit", "kubelet", true },
		{ "$unit", "kubelet.socket", false },
		{ "$unit", "kubelet.service.d", false },
		{ "$unit", "kubelet.serviceX", false },
		{ "$names", "br_netfilter", true },
		{ "$names", "/etc/a", true },
		{ "$names", "crio.service", true },
		{ "$names", "b.socket", true },
		/* A name that has its type already gets no other. */
		{ "$names", "b.socket.service", false },
		{ "$names", "b", false },
		{ "$names/x", "/etc/a/x", true },
		{ "$names/x", "/etc/a", false },
		{ "$settings", "vm.swappiness", true },
		{ "$settings", "vm/swappiness", false },
		{ "$settings", "1", false },
		{ "$settings", "vm.overcommit_memory", false },
		/* A default is a value, too; a number, and what was not given, names nothing. */
		{ "$mode", "trusted", true },
		{ "$mode", "public", false },
		{ "$number", "7", false },
		{ "$unset", "", false },
		{ "$unset", "x", false },
		{ "$unset/x", "/x", false },
		/* No parameter is called so. */
		{ "$none", "$none", false },
		{ "$pat", "/etc/x*", false },
		{ "$paths", "/etc/x*", false },
		{ "$", "", false },
		{ "$", "$", false },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		if (names(table[i].entry, table[i].target) != table[i].yes)
			fail_msg("%s %s %s", table[i].entry,
				 table[i].yes ? "does not name" : "names", table[i].target);
	}
}

static void test_nothing(void **state)
{
	const struct kc_manifest_check check = { .id = "a.b" };
	const struct kc_rule rule = { .id = "r", .check = &check };

	assert_false(kc_touches_name(&rule, "/etc/a"));
	assert_false(kc_touches_name(&rule, ""));
}

static bool touches(const char *const *entries, uint32_t kind, const char *target,
		    const char *content)
{
	const struct kc_manifest_check check = {
		.id = "a.b",
		.params = params,
		.n_params = KC_ARRAY_SIZE(params),
		.touches = entries,
	};
	const struct kc_rule rule = { .id = "r", .check = &check, .params = values };
	const struct kc_step step = {
		.kind = kind,
		.target = target,
		.content = content,
		.content_size = content ? strlen(content) : 0,
	};

	return kc_touches_step(&rule, &step);
}

static void test_steps(void **state)
{
	static const char *const none[] = { NULL };
	static const char *const zone[] = { "firewalld.service", "$mode", NULL };
	static const char *const enforce[] = { "/sys/fs/selinux/enforce", NULL };
	static const char *const path[] = { "$path", NULL };

	assert_true(touches(none, KC_STEP_MANUAL, NULL, "x"));
	assert_true(touches(none, KC_STEP_SYSTEMD_RELOAD, NULL, NULL));
	for (uint32_t kind = 0; kind < KC_STEP_MANUAL; kind++) {
		if (kind != KC_STEP_SYSTEMD_RELOAD)
			assert_false(touches(none, kind, "/etc/x*", "x"));
		if (kind != KC_STEP_SYSTEMD_RELOAD)
			assert_false(touches(path, kind, NULL, "x"));
	}
	for (uint32_t kind = KC_STEP_MAKE_DIR; kind <= KC_STEP_SET_MODE; kind++) {
		assert_true(touches(path, kind, "/etc/x*", "x"));
		assert_false(touches(path, kind, "/etc/y", "x"));
	}
	/* Both of them. */
	assert_true(touches(zone, KC_STEP_FIREWALLD_ZONE, "firewalld.service", "trusted"));
	assert_false(touches(zone, KC_STEP_FIREWALLD_ZONE, "firewalld.service", "public"));
	assert_false(touches(zone, KC_STEP_FIREWALLD_ZONE, "trusted", "x"));
	assert_false(touches(zone, KC_STEP_FIREWALLD_ZONE, "firewalld.service", NULL));
	assert_false(touches(zone, KC_STEP_FIREWALLD_PORT, "trusted", "1/tcp"));
	/* It has a place that no target names. */
	assert_true(touches(enforce, KC_STEP_SELINUX_MODE, NULL, "permissive"));
	assert_false(touches(path, KC_STEP_SELINUX_MODE, "/etc/x*", "permissive"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
