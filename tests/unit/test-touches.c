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

static const char *const others[] = { "loop", "/etc/y", "loop.service", "vm.swappiness", NULL };

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
	{ .name = "units", .type = KC_TYPE_LIST },
	{ .name = "modules", .type = KC_TYPE_LIST },
};

static const struct kc_value values[] = {
	{ .type = KC_TYPE_STRING, .string = "/etc/x*" },
	{ .type = KC_TYPE_STRING, .string = "kubelet" },
	{ .type = KC_TYPE_LIST, .n = 4, .list = list },
	{ .type = KC_TYPE_MAP, .n = 2, .map = map },
	{ .type = KC_TYPE_INTEGER, .number = 7 },
	{ .type = 0 },
	{ .type = 0 },
	{ .type = KC_TYPE_LIST, .n = 4, .list = others },
	{ .type = KC_TYPE_LIST, .n = 4, .list = others },
};

/* Whether a single entry names the target of a step of that kind. */
static bool names_for(const char *entry, uint32_t kind, const char *target)
{
	const char *const touches[] = { entry, NULL };
	const struct kc_manifest_check check = {
		.id = "a.b",
		.params = params,
		.n_params = KC_ARRAY_SIZE(params),
		.touches = touches,
	};
	const struct kc_rule rule = { .id = "r", .check = &check, .params = values };

	return kc_touches_name(&rule, kind, target);
}

/* A step of each kind that has a target of one name; two of files. */
static const uint32_t kinds[] = { KC_STEP_WRITE_FILE, KC_STEP_SET_MODE, KC_STEP_UNIT_STOP,
				  KC_STEP_SYSCTL, KC_STEP_LOAD_MODULE };

static bool names(const char *entry, const char *target)
{
	bool any = false;

	for (size_t i = 0; i < KC_ARRAY_SIZE(kinds); i++)
		any = any || names_for(entry, kinds[i], target);
	return any;
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
		{ "$names", "crio", true },
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

/* What an entry names is for steps of its form alone. */
static void test_kinds(void **state)
{
	static const struct {
		const char *entry, *target;
		uint32_t kind; /* the one that it is for */
	} table[] = {
		{ "/etc/a.conf", "/etc/a.conf", KC_STEP_WRITE_FILE },
		{ "/etc/*.conf", "/etc/a.conf", KC_STEP_WRITE_FILE },
		{ "/etc/a.service", "/etc/a.service", KC_STEP_WRITE_FILE },
		{ "$path", "/etc/x*", KC_STEP_WRITE_FILE },
		{ "$path/*", "/etc/x*/y", KC_STEP_WRITE_FILE },
		{ "$names", "/etc/a", KC_STEP_WRITE_FILE },
		{ "a.service", "a.service", KC_STEP_UNIT_STOP },
		{ "*.swap", "a.swap", KC_STEP_UNIT_STOP },
		{ "$names", "b.socket", KC_STEP_UNIT_STOP },
		{ "$names", "crio.service", KC_STEP_UNIT_STOP },
		{ "$unit", "kubelet", KC_STEP_UNIT_STOP },
		{ "$unit", "kubelet.service", KC_STEP_UNIT_STOP },
		{ "$units", "loop", KC_STEP_UNIT_STOP },
		{ "net.ipv4.ip_forward", "net.ipv4.ip_forward", KC_STEP_SYSCTL },
		{ "net/ipv4/*", "net/ipv4/ip_forward", KC_STEP_SYSCTL },
		{ "net.ipv4.*", "net.ipv4.ip_forward", KC_STEP_SYSCTL },
		{ "$settings", "vm.swappiness", KC_STEP_SYSCTL },
		{ "br_netfilter", "br_netfilter", KC_STEP_LOAD_MODULE },
		{ "br_*", "br_netfilter", KC_STEP_LOAD_MODULE },
		{ "$modules", "loop", KC_STEP_LOAD_MODULE },
		/* The list of swaps is for those alone. */
		{ "/proc/swaps", "/swap.img", 0 },
		{ "/proc/swaps", "/etc/xswapx", 0 },
		/* By a parameter's name, whatever the value looks like. */
		{ "$units", "/etc/y", 0 },
		{ "$modules", "/etc/y", 0 },
		{ "$modules", "loop.service", 0 },
		{ "$modules", "vm.swappiness", 0 },
		/* Of zones, which no step has for its only target. */
		{ "$mode", "trusted", KC_STEP_LOAD_MODULE },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		for (size_t k = 0; k < KC_ARRAY_SIZE(kinds); k++) {
			bool file = table[i].kind == KC_STEP_WRITE_FILE;
			bool yes =
				kinds[k] == table[i].kind || (file && kinds[k] == KC_STEP_SET_MODE);

			/* A word of a parameter of any name may be a unit's, or a module's. */
			if (kc_streq(table[i].entry, "$mode") && kinds[k] == KC_STEP_UNIT_STOP)
				yes = true;
			if (names_for(table[i].entry, kinds[k], table[i].target) != yes)
				fail_msg("%s %s %s for kind %u", table[i].entry,
					 yes ? "does not name" : "names", table[i].target,
					 kinds[k]);
		}
	}
}

/* Every kind by itself, with a target of its form and with all others. */
static void test_every_kind(void **state)
{
	static const char *const paths = "/a", *const unit = "a.service", *const key = "a.b",
				 *const module = "a";

	for (uint32_t kind = 0; kind < 32; kind++) {
		bool file = (kind >= KC_STEP_MAKE_DIR && kind <= KC_STEP_SET_MODE) ||
			    kind == KC_STEP_SWAP_OFF;
		bool of_unit = kind >= KC_STEP_UNIT_ENABLE && kind <= KC_STEP_UNIT_RESTART;

		assert_int_equal(names_for(paths, kind, paths), file);
		assert_int_equal(names_for(unit, kind, unit), of_unit);
		assert_int_equal(names_for(key, kind, key), kind == KC_STEP_SYSCTL);
		assert_int_equal(names_for(module, kind, module), kind == KC_STEP_LOAD_MODULE);
	}
}

static void test_swaps(void **state)
{
	assert_true(names_for("/proc/swaps", KC_STEP_SWAP_OFF, "/swap.img"));
	assert_true(names_for("/proc/swaps", KC_STEP_SWAP_OFF, "/dev/sda2"));
	assert_true(names_for("/proc/swaps", KC_STEP_SWAP_OFF, "/var/swap file"));
	assert_false(names_for("/proc/swaps", KC_STEP_SWAP_OFF, "swap"));
	assert_false(names_for("/proc/swaps", KC_STEP_SWAP_OFF, ""));
	assert_false(names_for("/proc/*", KC_STEP_SWAP_OFF, "/swap.img"));
	/* As manifests had it before. */
	assert_true(names_for("/dev/*", KC_STEP_SWAP_OFF, "/dev/sda2"));
	assert_false(names_for("/dev/*", KC_STEP_SWAP_OFF, "/swap.img"));
}

static void test_nothing(void **state)
{
	const struct kc_manifest_check check = { .id = "a.b" };
	const struct kc_rule rule = { .id = "r", .check = &check };

	for (uint32_t kind = 0; kind < 32; kind++) {
		assert_false(kc_touches_name(&rule, kind, "/etc/a"));
		assert_false(kc_touches_name(&rule, kind, ""));
	}
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
	/* Each in its own form. */
	assert_false(touches((const char *const[]){ "$unit", "$mode", NULL },
			     KC_STEP_FIREWALLD_ZONE, "kubelet.socket", "trusted"));
	assert_false(touches((const char *const[]){ "/trusted", "$unit", NULL },
			     KC_STEP_FIREWALLD_ZONE, "kubelet.service", "/trusted"));
	assert_true(touches((const char *const[]){ "public", "*/tcp", NULL },
			    KC_STEP_FIREWALLD_PORT, "public", "6443/tcp"));
	assert_false(touches((const char *const[]){ "public", "*/tcp", NULL },
			     KC_STEP_FIREWALLD_PORT, "public", "6443/udp"));
	/* It has a place that no target names. */
	assert_true(touches(enforce, KC_STEP_SELINUX_MODE, NULL, "permissive"));
	assert_false(touches(path, KC_STEP_SELINUX_MODE, "/etc/x*", "permissive"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	   cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_every_kind), cmocka_unit_test(test_swaps),
		cmocka_unit_test(test_nothing),	   cmocka_unit_test(test_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
