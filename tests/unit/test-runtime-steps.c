/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <sys/utsname.h>

#include "fix-step.h"
#include "fix/runtime.h"

/* What runs, over a root that has plain files in the kernel's places. */

#define MEMINFO(available) "MemTotal:       4096000 kB\nMemAvailable:   " available " kB\n"
#define SWAPS(used, priority)                                                                      \
	"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"                                       \
	"/dev/sda2                               partition\t2097148\t\t" used "\t\t" priority "\n" \
	"/swap\\040file                          file\t\t1024\t\t0\t\t-3\n"

static int setup_live(void **state)
{
	static const char *const folders[] = {
		"/proc", "/proc/sys", "/proc/sys/net",	 "/proc/sys/net/ipv4",
		"/sys",	 "/sys/fs",   "/sys/fs/selinux", NULL,
	};
	struct place *p;
	int r = setup_root(state, KC_ROOT_LIVE);

	p = *state;
	KC_FOREACH_STR (folder, folders)
		make(p->dir, folder, 0755);
	put(p->dir, "/proc/sys/net/ipv4/ip_forward", "0\n", 0644);
	put(p->dir, "/proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n", 0644);
	put(p->dir, "/sys/fs/selinux/enforce", "1", 0644);
	put(p->dir, "/proc/swaps", SWAPS("0", "-2"), 0644);
	put(p->dir, "/proc/meminfo", MEMINFO("2048000"), 0644);
	/* Such a boot as there is one only here. */
	p->t.boot_id = "11111111-2222-3333-4444-555555555555";
	return r;
}

static const struct kc_record *last_runtime(struct place *p)
{
	for (uint32_t i = p->t.text.n; i-- > 0;) {
		if (kc_streq(p->t.text.records[i].verb, "runtime"))
			return p->t.text.records + i;
	}
	fail_msg("nothing is recorded");
	return NULL;
}

/* The last byte of the kernel's files is a newline, which a write does not take away here. */
static void assert_value(struct place *p, const char *path, const char *value)
{
	kc_cleanup(kc_freep) char *text = text_of(p->dir, path);

	assert_non_null(text);
	text[strcspn(text, "\n")] = '\0';
	assert_string_equal(text, value);
}

/* Two things that are done alike: a sysctl and the mode of SELinux. */
static const struct {
	uint32_t kind;
	const char *target, *content, *path, *before, *after, *value_before, *value_after;
} alike[] = {
	{ KC_STEP_SYSCTL, "net.ipv4.ip_forward", "1", "/proc/sys/net/ipv4/ip_forward", "0", "1",
	  "0", "1" },
	{ KC_STEP_SELINUX_MODE, NULL, "permissive", "/sys/fs/selinux/enforce", "1", "0",
	  "enforcing", "permissive" },
};

static void test_do_and_undo(void **state)
{
	struct place *p = *state;

	for (size_t i = 0; i < KC_ARRAY_SIZE(alike); i++) {
		struct kc_err err = { 0 };
		struct steps s;

		begin_steps(p, &s);
		assert_state(look_new(&s, alike[i].kind, alike[i].target, alike[i].content),
			     KC_STATE_NEEDED);
		assert_string_equal(s.item[0].value_before, alike[i].value_before);
		assert_string_equal(s.item[0].value_after, alike[i].value_after);
		assert_string_equal(s.item[0].inverse, "is set back, within this boot");
		assert_value(p, alike[i].path, alike[i].before);
		apply_all(p, &s);
		assert_value(p, alike[i].path, alike[i].after);
		assert_done_once(p, &s);
		assert_int_equal(kc_fix_undoable(&s.fix, &p->t, last_runtime(p), &err), 1);
		undo_all(p, &s);
		assert_value(p, alike[i].path, alike[i].before);
		assert_int_equal(kc_fix_undoable(&s.fix, &p->t, last_runtime(p), &err), 0);
		undo_all(p, &s);
		assert_value(p, alike[i].path, alike[i].before);
		end_steps(&s);
	}
}

static void test_changed_since_the_plan(void **state)
{
	struct place *p = *state;

	for (size_t i = 0; i < KC_ARRAY_SIZE(alike); i++) {
		struct kc_err err = { 0 };
		struct steps s;

		begin_steps(p, &s);
		(void)look_new(&s, alike[i].kind, alike[i].target, alike[i].content);
		put(p->dir, alike[i].path, alike[i].after, 0644);
		assert_int_equal(kc_fix_apply(&s.fix, &p->t, s.item, &err), -EBUSY);
		assert_non_null(strstr(err.text, "has changed since the plan was made"));
		end_steps(&s);
	}
}

/* Somebody has set it to a third value since: theirs stays, unless it is forced. */
static void test_set_by_somebody_else(void **state)
{
	struct place *p = *state;
	struct kc_err err = { 0 };
	struct steps s;

	begin_steps(p, &s);
	(void)look_new(&s, KC_STEP_SYSCTL, "net.ipv4.ip_forward", "1");
	apply_all(p, &s);
	put(p->dir, "/proc/sys/net/ipv4/ip_forward", "2\n", 0644);
	assert_int_equal(kc_fix_undoable(&s.fix, &p->t, last_runtime(p), &err), -EBUSY);
	assert_int_equal(kc_fix_undo(&s.fix, &p->t, last_runtime(p), 0, &err), -EBUSY);
	assert_non_null(strstr(err.text, "somebody has set it since"));
	assert_value(p, "/proc/sys/net/ipv4/ip_forward", "2");
	assert_int_equal(kc_fix_undo(&s.fix, &p->t, last_runtime(p), KC_UNDO_FORCE, &err), 0);
	assert_value(p, "/proc/sys/net/ipv4/ip_forward", "0");
	end_steps(&s);
}

/* What runs by then has forgotten it, and may be so for another reason. */
static void test_another_boot(void **state)
{
	static const char *const boots[] = { "99999999-2222-3333-4444-555555555555", "", NULL };
	struct place *p = *state;

	KC_FOREACH_STR (boot, boots) {
		struct kc_err err = { 0 };
		struct steps s;

		put(p->dir, "/proc/sys/net/ipv4/ip_forward", "0\n", 0644);
		p->t.boot_id = "11111111-2222-3333-4444-555555555555";
		begin_steps(p, &s);
		(void)look_new(&s, KC_STEP_SYSCTL, "net.ipv4.ip_forward", "1");
		apply_all(p, &s);
		p->t.boot_id = boot;
		assert_int_equal(kc_fix_undoable(&s.fix, &p->t, last_runtime(p), &err), 0);
		assert_int_equal(kc_fix_undo(&s.fix, &p->t, last_runtime(p), 0, &err), 0);
		assert_value(p, "/proc/sys/net/ipv4/ip_forward", "1");
		assert_int_equal(kc_fix_undo(&s.fix, &p->t, last_runtime(p), KC_UNDO_FORCE, &err),
				 0);
		assert_value(p, "/proc/sys/net/ipv4/ip_forward", "1");
		end_steps(&s);
	}
	/* Not known then, and not known now: it is not the same for that. */
	{
		struct kc_err err = { 0 };
		struct steps s;

		put(p->dir, "/proc/sys/net/ipv4/ip_forward", "0\n", 0644);
		p->t.boot_id = "";
		begin_steps(p, &s);
		(void)look_new(&s, KC_STEP_SYSCTL, "net.ipv4.ip_forward", "1");
		apply_all(p, &s);
		assert_int_equal(kc_fix_undo(&s.fix, &p->t, last_runtime(p), 0, &err), 0);
		assert_value(p, "/proc/sys/net/ipv4/ip_forward", "1");
		end_steps(&s);
	}
}

/* As --root of a disk that was repaired while it ran. */
static void test_offline(void **state)
{
	struct place *p = *state;
	struct kc_err err = { 0 };
	struct steps s;

	begin_steps(p, &s);
	(void)look_new(&s, KC_STEP_SYSCTL, "net.ipv4.ip_forward", "1");
	apply_all(p, &s);
	s.fix.live = false;
	assert_int_equal(kc_fix_undoable(&s.fix, &p->t, last_runtime(p), &err), 0);
	assert_int_equal(kc_fix_undo(&s.fix, &p->t, last_runtime(p), KC_UNDO_FORCE, &err), 0);
	assert_value(p, "/proc/sys/net/ipv4/ip_forward", "1");
	end_steps(&s);
}

static void test_refusals(void **state)
{
	struct place *p = *state;
	struct steps s;

	begin_steps(p, &s);
	assert_refusal(look_new(&s, KC_STEP_SYSCTL, "net.ipv4.none", "1"), "no such key");
	assert_refusal(look_new(&s, KC_STEP_SYSCTL, "net.ipv4", "1"), "folder of keys");
	assert_refusal(look_new(&s, KC_STEP_SYSCTL, "kernel.core_pattern", "x"), "no repair");
	assert_refusal(look_new(&s, KC_STEP_SELINUX_MODE, NULL, "disabled"), "no mode");
	end_steps(&s);
}

static void test_selinux_not_there(void **state)
{
	struct place *p = *state;
	kc_cleanup(kc_freep) char *path = kc_asprintf("%s/sys/fs/selinux/enforce", p->dir);
	struct steps s;

	assert_int_equal(unlink(path), 0);
	begin_steps(p, &s);
	assert_refusal(look_new(&s, KC_STEP_SELINUX_MODE, NULL, "permissive"), "not in use here");
	end_steps(&s);
}

/* The kernel writes tabs between numbers, people write spaces. */
static void test_white_space(void **state)
{
	struct place *p = *state;
	struct steps s;

	begin_steps(p, &s);
	assert_state(look_new(&s, KC_STEP_SYSCTL, "net.ipv4.ip_local_port_range", "32768 60999"),
		     KC_STATE_ALREADY);
	assert_state(look_new(&s, KC_STEP_SYSCTL, "net.ipv4.ip_local_port_range", "1024 65000"),
		     KC_STATE_NEEDED);
	assert_string_equal(s.item[1].value_before, "32768 60999");
	end_steps(&s);
}

/* A link in the place of a key, which only a root that is no kernel's can have. */
static void test_sysctl_that_leads_elsewhere(void **state)
{
	struct place *p = *state;
	kc_cleanup(kc_freep) char *path = kc_asprintf("%s/proc/sys/net/ipv4/link", p->dir);
	struct steps s;

	put(p->dir, "/etc/target", "0\n", 0644);
	assert_int_equal(symlink("/etc/target", path), 0);
	begin_steps(p, &s);
	assert_state(look_new(&s, KC_STEP_SYSCTL, "net.ipv4.link", "1"), KC_STATE_REFUSED);
	end_steps(&s);
	assert_text(p->dir, "/etc/target", "0\n");
}

/* ---- swap: looked at alone, for to carry it out is to turn off what this machine has ---- */

static void look_at_swap(struct place *p, const char *target, uint32_t state, const char *part)
{
	struct steps s;

	begin_steps(p, &s);
	(void)look_new(&s, KC_STEP_SWAP_OFF, target, NULL);
	if (part)
		assert_refusal(s.item, part);
	assert_state(s.item, state);
	end_steps(&s);
}

static void test_swap(void **state)
{
	struct place *p = *state;
	struct steps s;

	begin_steps(p, &s);
	assert_state(look_new(&s, KC_STEP_SWAP_OFF, "/dev/sda2", NULL), KC_STATE_NEEDED);
	assert_string_equal(s.item[0].value_before, "on, priority -2");
	assert_string_equal(s.item[0].value_after, "off");
	assert_state(look_new(&s, KC_STEP_SWAP_OFF, "/swap file", NULL), KC_STATE_NEEDED);
	end_steps(&s);
	look_at_swap(p, "/dev/sda3", KC_STATE_ALREADY, NULL);
	look_at_swap(p, "dev/sda2", KC_STATE_REFUSED, "no device");
	/* A twentieth of 4000 MiB stays free: 1800 fit into 2000, and 1900 do not. */
	put(p->dir, "/proc/swaps", SWAPS("1843200", "-2"), 0644);
	look_at_swap(p, "/dev/sda2", KC_STATE_NEEDED, NULL);
	put(p->dir, "/proc/swaps", SWAPS("1945600", "-2"), 0644);
	look_at_swap(p, "/dev/sda2", KC_STATE_REFUSED, "holds 1900 MiB");
	look_at_swap(p, "/dev/sda2", KC_STATE_REFUSED, "2000 MiB of memory are available");
	/* An empty one takes nothing, however little there is. */
	put(p->dir, "/proc/meminfo", MEMINFO("1"), 0644);
	put(p->dir, "/proc/swaps", SWAPS("0", "-2"), 0644);
	look_at_swap(p, "/dev/sda2", KC_STATE_NEEDED, NULL);
	put(p->dir, "/proc/swaps", SWAPS("1", "-2"), 0644);
	look_at_swap(p, "/dev/sda2", KC_STATE_REFUSED, "holds 0 MiB");
	put(p->dir, "/proc/swaps", SWAPS("x", "-2"), 0644);
	look_at_swap(p, "/dev/sda2", KC_STATE_REFUSED, "a line that is none");
	put(p->dir, "/proc/swaps", SWAPS("5", "-2"), 0644);
	put(p->dir, "/proc/meminfo", "MemTotal: 1 kB\n", 0644);
	look_at_swap(p, "/dev/sda2", KC_STATE_REFUSED, "no MemAvailable");
	put(p->dir, "/proc/meminfo", "MemTotal: 1 kB\nMemAvailable: x kB\n", 0644);
	look_at_swap(p, "/dev/sda2", KC_STATE_REFUSED, "no number");
}

/* Turned off, and filled, between the plan and the step. */
static void test_swap_that_changed(void **state)
{
	struct place *p = *state;
	struct kc_err err = { 0 };
	struct steps s;

	begin_steps(p, &s);
	(void)look_new(&s, KC_STEP_SWAP_OFF, "/dev/sda2", NULL);
	put(p->dir, "/proc/swaps", SWAPS("2000000", "-2"), 0644);
	assert_int_equal(kc_fix_apply(&s.fix, &p->t, s.item, &err), -EBUSY);
	assert_non_null(strstr(err.text, "holds 1953 MiB"));
	put(p->dir, "/proc/swaps", SWAPS("0", "5"), 0644);
	assert_int_equal(kc_fix_apply(&s.fix, &p->t, s.item, &err), -EBUSY);
	assert_non_null(strstr(err.text, "on, priority 5, and was on, priority -2"));
	end_steps(&s);
}

/* ---- modules: of the running kernel, as libkmod knows them ---- */

static void test_modules(void **state)
{
	struct place *p = *state;
	struct dirent *entry;
	struct steps s;
	DIR *d;

	begin_steps(p, &s);
	(void)look_new(&s, KC_STEP_LOAD_MODULE, "k8scheck_no_such_module", NULL);
	assert_state(s.item, KC_STATE_REFUSED);
	if (strstr(s.item[0].text, "built without libkmod")) {
		print_message("left out: built without libkmod\n");
		end_steps(&s);
		return;
	}
	assert_refusal(look_new(&s, KC_STEP_LOAD_MODULE, "k8scheck_no_such_module", NULL),
		       "k8scheck_no_such_module");
	assert_refusal(look_new(&s, KC_STEP_LOAD_MODULE, "../x", NULL), "no name of a module");
	end_steps(&s);
	/* One of those that are there, where libkmod has an index to find it by. */
	d = opendir("/sys/module");
	while (d && (entry = readdir(d))) {
		bool already;

		if (*entry->d_name == '.')
			continue;
		begin_steps(p, &s);
		(void)look_new(&s, KC_STEP_LOAD_MODULE, entry->d_name, NULL);
		already = s.item[0].state == KC_STATE_ALREADY;
		if (already)
			assert_null(s.item[0].inverse);
		end_steps(&s);
		if (already) {
			print_message("%s is loaded already\n", entry->d_name);
			break;
		}
	}
	if (d)
		(void)closedir(d);
}

/* The key is there when the step before it has been carried out, whatever its value is by then. */
static void test_sysctl_of_a_module(void **state)
{
	static const char *const values[] = { "0\n", "1\n", NULL };
	static const char key[] = "net.bridge.bridge-nf-call-iptables";
	static const char path[] = "/proc/sys/net/bridge/bridge-nf-call-iptables";
	struct place *p = *state;
	struct kc_err err = { 0 };
	struct steps s;

	begin_steps(p, &s);
	assert_refusal(look_new(&s, KC_STEP_SYSCTL, key, "1"), "no such key");
	end_steps(&s);
	make(p->dir, "/proc/sys/net/bridge", 0755);
	KC_FOREACH_STR (value, values) {
		struct kc_fix_step *step;

		begin_steps(p, &s);
		s.item[s.n++] = (struct kc_fix_step){
			.step = new_step(KC_STEP_LOAD_MODULE, "br_netfilter", NULL),
			.state = KC_STATE_NEEDED,
		};
		step = look_new(&s, KC_STEP_SYSCTL, key, "1");
		assert_state(step, KC_STATE_NEEDED);
		assert_null(step->value_before);
		assert_string_equal(step->value_after, "1");
		/* The module brought nothing. */
		assert_int_equal(kc_fix_apply(&s.fix, &p->t, step, &err), -ENOENT);
		put(p->dir, path, value, 0644);
		assert_int_equal(kc_fix_apply(&s.fix, &p->t, step, &err), 0);
		assert_value(p, path, "1");
		undo_all(p, &s);
		assert_value(p, path, kc_streq(value, "0\n") ? "0" : "1");
		take_away(p->dir, path);
		p->t.text.n = 0;
		end_steps(&s);
	}
}

/* ---- records that are none ---- */

static void test_forged_records(void **state)
{
	static const struct {
		const char *kind, *target, *content, *before;
		int code;
	} table[] = {
		{ "sysctl", "kernel.core_pattern", "x", "|/tmp/x", -EPERM },
		{ "sysctl", "kernel/../kernel/core_pattern", "x", "|/tmp/x", -EPERM },
		{ "unit-stop", "sshd.service", "", "active", -EPERM },
		{ "load-module", "../x", "", "", -EPERM },
		{ "swap-off", "../x", "", "on, priority -2", -EPERM },
		{ "firewalld-zone", "firewalld.service", "../x", "x", -EPERM },
		{ "write-file", "/etc/passwd", "x", "x", -EBADMSG },
		{ "manual", "x", "x", "x", -EBADMSG },
		{ "none", "x", "x", "x", -EBADMSG },
		{ "", "x", "x", "x", -EBADMSG },
	};
	struct place *p = *state;
	struct steps s;

	begin_steps(p, &s);
	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		const struct kc_pair pairs[] = {
			{ "kind", table[i].kind },
			{ "target", table[i].target },
			{ "content", table[i].content },
			{ "before", table[i].before },
			{ "after", "1" },
			{ "boot", p->t.boot_id },
		};
		const struct kc_record record = {
			.number = 2,
			.verb = "runtime",
			.pairs = { .n = KC_ARRAY_SIZE(pairs), .item = pairs },
		};
		struct kc_err err = { 0 };

		if (kc_fix_undo(&s.fix, &p->t, &record, KC_UNDO_FORCE, &err) != table[i].code)
			fail_msg("%s %s: %s", table[i].kind, table[i].target, err.text);
		assert_true(*err.text);
		assert_int_equal(kc_fix_undoable(&s.fix, &p->t, &record, &err), table[i].code);
		/* Without one of its pairs it is none. */
		for (size_t k = 0; k < KC_ARRAY_SIZE(pairs); k++) {
			struct kc_pair fewer[KC_ARRAY_SIZE(pairs)];
			struct kc_record cut = record;

			memcpy(fewer, pairs, sizeof(pairs));
			fewer[k].key = "other";
			cut.pairs.item = fewer;
			assert_true(kc_fix_undo(&s.fix, &p->t, &cut, 0, &err) < 0);
		}
	}
	end_steps(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_do_and_undo, setup_live, teardown),
		cmocka_unit_test_setup_teardown(test_changed_since_the_plan, setup_live, teardown),
		cmocka_unit_test_setup_teardown(test_set_by_somebody_else, setup_live, teardown),
		cmocka_unit_test_setup_teardown(test_another_boot, setup_live, teardown),
		cmocka_unit_test_setup_teardown(test_offline, setup_live, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup_live, teardown),
		cmocka_unit_test_setup_teardown(test_selinux_not_there, setup_live, teardown),
		cmocka_unit_test_setup_teardown(test_white_space, setup_live, teardown),
		cmocka_unit_test_setup_teardown(test_sysctl_that_leads_elsewhere, setup_live,
						teardown),
		cmocka_unit_test_setup_teardown(test_swap, setup_live, teardown),
		cmocka_unit_test_setup_teardown(test_swap_that_changed, setup_live, teardown),
		cmocka_unit_test_setup_teardown(test_modules, setup_live, teardown),
		cmocka_unit_test_setup_teardown(test_sysctl_of_a_module, setup_live, teardown),
		cmocka_unit_test_setup_teardown(test_forged_records, setup_live, teardown),
	};
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)sigaction(SIGIO, &ignore, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
