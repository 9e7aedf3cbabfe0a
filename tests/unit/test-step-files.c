/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/xattr.h>

#include "fix-step.h"

/* Carries out, repeats, and takes back after a crash. */
static void do_and_undo(struct place *p, struct steps *s)
{
	apply_all(p, s);
	assert_done_once(p, s);
	reopen(p);
	undo_all(p, s);
	assert_as_before(p);
	undo_all(p, s);
	assert_as_before(p);
}

static void test_make_dir(void **state)
{
	struct place *p = *state;
	struct steps s;
	struct kc_step step = new_step(KC_STEP_MAKE_DIR, "/etc/new.d", NULL);

	begin_steps(p, &s);
	step.mode = 0750;
	assert_state(look_step(&s, &step), KC_STATE_NEEDED);
	assert_string_equal(s.item[0].inverse, "is removed again, if nothing else is in it");
	assert_int_equal(s.item[0].changes[0].change.after.mode, 0750);
	/* What is in it is looked at before it is there. */
	assert_state(look_new(&s, KC_STEP_WRITE_FILE, "/etc/new.d/a", "x\n"), KC_STATE_NEEDED);
	do_and_undo(p, &s);
	end_steps(&s);
}

static void test_make_dir_refused(void **state)
{
	struct place *p = *state;
	struct steps s;
	struct kc_step step = new_step(KC_STEP_MAKE_DIR, "/etc/sysctl.d", NULL);

	begin_steps(p, &s);
	/* One that is there is left as it is. */
	step.mode = 0700;
	assert_state(look_step(&s, &step), KC_STATE_ALREADY);
	assert_refusal(look_new(&s, KC_STEP_MAKE_DIR, "/etc/secret", NULL), "no folder");
	assert_refusal(look_new(&s, KC_STEP_MAKE_DIR, "/etc/a/b", NULL), "/etc/a");
	assert_refusal(look_new(&s, KC_STEP_MAKE_DIR, "/etc/ssh/x", NULL), "no repair");
	assert_refusal(look_new(&s, KC_STEP_WRITE_FILE, "/etc/a/b", "x"), "/etc/a");
	end_steps(&s);
	assert_as_before(p);
}

static void test_write_new(void **state)
{
	struct place *p = *state;
	struct steps s;
	struct kc_step step = new_step(KC_STEP_WRITE_FILE, "/etc/sysctl.d/99.conf", "a = 2\n");

	begin_steps(p, &s);
	step.mode = 0600;
	assert_state(look_step(&s, &step), KC_STATE_NEEDED);
	assert_string_equal(s.item[0].inverse, "is removed again");
	assert_int_equal(s.item[0].n_changes, 1);
	assert_int_equal(s.item[0].changes[0].change.before.type, 0);
	assert_int_equal(s.item[0].changes[0].change.after.mode, 0600);
	do_and_undo(p, &s);
	end_steps(&s);
}

/* Owner and mode are then as everything below /etc has them, whatever else the step says. */
static void test_write_new_keep_owner(void **state)
{
	struct place *p = *state;
	struct steps s;
	struct kc_step step = new_step(KC_STEP_WRITE_FILE, "/etc/sysctl.d/99.conf", "");

	begin_steps(p, &s);
	step.flags = KC_STEP_KEEP_OWNER;
	step.mode = 0400;
	step.uid = step.gid = 4321;
	assert_state(look_step(&s, &step), KC_STATE_NEEDED);
	assert_int_equal(s.item[0].changes[0].change.after.mode, 0644);
	assert_int_equal(s.item[0].changes[0].change.after.uid, geteuid());
	do_and_undo(p, &s);
	end_steps(&s);
}

/* One that is there keeps owner and mode; who else may not read it is not shown it. */
static void test_write_over(void **state)
{
	struct place *p = *state;
	struct steps s;
	struct kc_step step = new_step(KC_STEP_WRITE_FILE, "/etc/secret", "other\n");
	struct stat st;
	char path[128];

	begin_steps(p, &s);
	step.mode = 0600;
	assert_state(look_step(&s, &step), KC_STATE_NEEDED);
	assert_string_equal(s.item[0].inverse, "gets its old content back");
	assert_true(s.item[0].changes[0].secret);
	apply_all(p, &s);
	(void)snprintf(path, sizeof(path), "%s/etc/secret", p->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 04640);
	assert_text(p->dir, "/etc/secret", "other\n");
	assert_done_once(p, &s);
	undo_all(p, &s);
	assert_as_before(p);
	end_steps(&s);
}

static void test_write_refused(void **state)
{
	struct place *p = *state;
	struct steps s;

	begin_steps(p, &s);
	assert_refusal(look_new(&s, KC_STEP_WRITE_FILE, "/etc/sysctl.d", "x\n"), "no file");
	assert_refusal(look_new(&s, KC_STEP_WRITE_FILE, "/etc/passwd", "x\n"), "no repair");
	assert_refusal(look_new(&s, KC_STEP_WRITE_FILE, "/etc/fstab", "x\n"), "lines of it");
	assert_refusal(look_new(&s, KC_STEP_WRITE_FILE, "/etc/x", NULL), "missing");
	assert_refusal(look_new(&s, KC_STEP_WRITE_FILE, "/etc/secret/x", "x"), "/etc/secret");
	end_steps(&s);
	assert_as_before(p);
}

static void test_edit(void **state)
{
	struct place *p = *state;
	struct steps s;
	struct kc_step step =
		new_step(KC_STEP_EDIT_FILE, "/etc/sysctl.d/50-old.conf", "# a\na = 2\n");

	begin_steps(p, &s);
	step.before = "a = 1\n";
	step.before_size = 6;
	assert_state(look_step(&s, &step), KC_STATE_NEEDED);
	assert_string_equal(s.item[0].changes[0].old, "a = 1\n");
	do_and_undo(p, &s);
	end_steps(&s);
}

static void test_edit_refused(void **state)
{
	struct place *p = *state;
	struct steps s;
	struct kc_step step = new_step(KC_STEP_EDIT_FILE, "/etc/sysctl.d/50-old.conf", "a = 2\n");

	begin_steps(p, &s);
	assert_refusal(look_step(&s, &step), "without the text");
	step.before = "a = 3\n";
	step.before_size = 6;
	assert_refusal(look_step(&s, &step), "has changed since");
	step.target = "/etc/sysctl.d/none.conf";
	assert_refusal(look_step(&s, &step), "is not there");
	end_steps(&s);
	assert_as_before(p);
}

static void link_to(struct place *p, const char *path, const char *target)
{
	kc_cleanup(kc_freep) char *full = kc_asprintf("%s%s", p->dir, path);

	assert_int_equal(symlink(target, full), 0);
}

static void begin_anew(struct place *p)
{
	free(p->before);
	p->before = snapshot_all(p->dir);
}

/* A file behind a link is changed where it is, and the link stays one. */
static void test_links(void **state)
{
	struct place *p = *state;
	struct steps s;
	struct kc_step step = new_step(KC_STEP_WRITE_FILE, "/etc/l", "a = 2\n");

	link_to(p, "/etc/l", "sysctl.d/50-old.conf");
	link_to(p, "/etc/d", "sysctl.d");
	begin_anew(p);
	begin_steps(p, &s);
	assert_state(look_step(&s, &step), KC_STATE_NEEDED);
	assert_string_equal(s.item[0].changes[0].change.path, "/etc/sysctl.d/50-old.conf");
	assert_state(look_new(&s, KC_STEP_WRITE_FILE, "/etc/d/x.conf", "b = 2\n"), KC_STATE_NEEDED);
	assert_string_equal(s.item[1].changes[0].change.path, "/etc/sysctl.d/x.conf");
	do_and_undo(p, &s);
	end_steps(&s);
}

/* To what no repair may touch none leads, and none leads to what it may not say there. */
static void test_links_that_lead_out(void **state)
{
	static const char *const targets[] = { "/etc/shadow", "../usr/lib/x", "/root/x",
					       "/etc/cron.d/x", NULL };
	struct place *p = *state;
	struct steps s;

	make(p->dir, "/root", 0700);
	make(p->dir, "/usr", 0755);
	make(p->dir, "/usr/lib", 0755);
	make(p->dir, "/etc/cron.d", 0755);
	put(p->dir, "/etc/shadow", "x\n", 0600);
	link_to(p, "/etc/up", "/usr/lib");
	link_to(p, "/etc/loop", "loop");
	link_to(p, "/etc/sysctl", "sysctl.d/50-old.conf");
	KC_FOREACH_STR (target, targets) {
		kc_cleanup(kc_freep) char *full = kc_asprintf("%s/etc/out", p->dir);

		/* There, and not there. */
		for (int there = 0; there < 2; there++) {
			if (there && *target == '/')
				put(p->dir, target, "x\n", 0600);
			link_to(p, "/etc/out", target);
			begin_anew(p);
			begin_steps(p, &s);
			(void)look_new(&s, KC_STEP_WRITE_FILE, "/etc/out", "x\n");
			if (there || kc_streq(target, "/etc/shadow"))
				assert_refusal(s.item, " repair ");
			else
				assert_refusal(s.item, "no file");
			assert_state(look_new(&s, KC_STEP_REMOVE_FILE, "/etc/out", NULL),
				     KC_STATE_NEEDED);
			assert_string_equal(s.item[1].changes[0].change.path, "/etc/out");
			end_steps(&s);
			assert_as_before(p);
			assert_int_equal(unlink(full), 0);
			if (*target != '/')
				break;
		}
	}
	begin_anew(p);
	begin_steps(p, &s);
	assert_refusal(look_new(&s, KC_STEP_WRITE_FILE, "/etc/up/x.conf", "x\n"), "below /etc");
	assert_refusal(look_new(&s, KC_STEP_MAKE_DIR, "/etc/up/x", NULL), "below /etc");
	assert_state(look_new(&s, KC_STEP_WRITE_FILE, "/etc/loop", "x\n"), KC_STATE_REFUSED);
	assert_refusal(look_new(&s, KC_STEP_WRITE_FILE, "/etc/sysctl", "kernel.core_pattern=|/x\n"),
		       "no repair may set");
	end_steps(&s);
	assert_as_before(p);
}

static void test_move_aside_and_remove(void **state)
{
	static const uint32_t kinds[] = { KC_STEP_MOVE_ASIDE, KC_STEP_REMOVE_FILE };
	struct place *p = *state;

	for (size_t i = 0; i < KC_ARRAY_SIZE(kinds); i++) {
		struct steps s;

		begin_steps(p, &s);
		assert_state(look_new(&s, kinds[i], "/etc/secret", NULL), KC_STATE_NEEDED);
		assert_string_equal(s.item[0].inverse, "is put back");
		assert_state(look_new(&s, kinds[i], "/etc/none", NULL), KC_STATE_ALREADY);
		assert_refusal(look_new(&s, kinds[i], "/etc/sysctl.d", NULL), "is a folder");
		assert_refusal(look_new(&s, kinds[i], "/etc/fstab", NULL), "lines of it");
		apply_all(p, &s);
		assert_null(text_of(p->dir, "/etc/secret"));
		reopen(p);
		undo_all(p, &s);
		assert_as_before(p);
		end_steps(&s);
	}
}

static void test_set_mode(void **state)
{
	struct place *p = *state;
	struct steps s;
	struct kc_step step = new_step(KC_STEP_SET_MODE, "/etc/secret", NULL);

	begin_steps(p, &s);
	step.mode = 0600;
	step.uid = geteuid() == 0 ? 1234 : geteuid();
	step.gid = getegid();
	assert_state(look_step(&s, &step), KC_STATE_NEEDED);
	assert_string_equal(s.item[0].inverse, "gets its owner and mode back");
	step.target = "/etc/sysctl.d";
	step.mode = 0700;
	step.uid = geteuid();
	assert_state(look_step(&s, &step), KC_STATE_NEEDED);
	do_and_undo(p, &s);
	end_steps(&s);
}

static void test_set_mode_refused(void **state)
{
	struct place *p = *state;
	struct steps s;
	struct kc_step step = new_step(KC_STEP_SET_MODE, "/etc/none", NULL);

	put(p->dir, "/etc/shadow", "x\n", 0600);
	begin_anew(p);
	begin_steps(p, &s);
	step.mode = 0644;
	assert_refusal(look_step(&s, &step), "is not there");
	step.target = "/etc/shadow";
	assert_refusal(look_step(&s, &step), "no repair");
	/* It has the one bit already, and gets no other. */
	step.target = "/etc/secret";
	step.mode = 06755;
	assert_refusal(look_step(&s, &step), "rights of its owner");
	step.target = "/etc/sysctl.d/50-old.conf";
	step.mode = 04755;
	assert_refusal(look_step(&s, &step), "rights of its owner");
	end_steps(&s);
	assert_as_before(p);
}

/* To put the list back, as every attribute is, would put the mode back, too. */
static void test_set_mode_of_a_list(void **state)
{
	/* Version 2; owner rw, user 65534 r, group r, mask r, others r. */
	static const unsigned char list[] = {
		2, 0,	0,   0,	  1,   0,   6,	0, 255, 255, 255, 255, 2,   0,	4,
		0, 254, 255, 0,	  0,   4,   0,	4, 0,	255, 255, 255, 255, 16, 0,
		4, 0,	255, 255, 255, 255, 32, 0, 4,	0,   255, 255, 255, 255
	};
	struct place *p = *state;
	kc_cleanup(kc_freep) char *path = kc_asprintf("%s/etc/listed", p->dir);
	struct kc_step step = new_step(KC_STEP_SET_MODE, "/etc/listed", NULL);
	struct steps s;

	put(p->dir, "/etc/listed", "x\n", 0644);
	if (setxattr(path, "system.posix_acl_access", list, sizeof(list), 0) < 0) {
		print_message("skipped: no access control lists here\n");
		skip();
	}
	begin_steps(p, &s);
	step.mode = 0600;
	assert_refusal(look_step(&s, &step), "setfacl");
	end_steps(&s);
}

/* A mode by which more may be done than before is asked for apart. */
static void test_set_mode_weakens(void **state)
{
	static const struct {
		uint32_t mode;
		bool weakens;
	} table[] = {
		{ 0600, false }, { 0644, false }, { 04640, false },
		{ 0666, true },	 { 0642, true },  { 01644, false },
	};
	struct place *p = *state;

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		struct steps s;
		struct kc_step step = new_step(KC_STEP_SET_MODE, "/etc/secret", NULL);

		begin_steps(p, &s);
		step.mode = table[i].mode;
		(void)look_step(&s, &step);
		if (!!(s.item[0].step.flags & KC_STEP_WEAKENS) != table[i].weakens)
			fail_msg("mode %04o %s", table[i].mode,
				 table[i].weakens ? "does not weaken" : "weakens");
		end_steps(&s);
	}
}

/* What came in between is not overwritten. */
static void test_changed_since_the_look(void **state)
{
	struct place *p = *state;
	struct kc_err err = { 0 };
	struct steps s;

	begin_steps(p, &s);
	(void)look_new(&s, KC_STEP_WRITE_FILE, "/etc/sysctl.d/50-old.conf", "a = 2\n");
	(void)look_new(&s, KC_STEP_WRITE_FILE, "/etc/sysctl.d/99.conf", "a = 2\n");
	(void)look_new(&s, KC_STEP_REMOVE_FILE, "/etc/secret", NULL);
	put(p->dir, "/etc/sysctl.d/50-old.conf", "a = 3\n", 0644);
	put(p->dir, "/etc/sysctl.d/99.conf", "a = 3\n", 0644);
	put(p->dir, "/etc/secret", "new\n", 0600);
	begin_anew(p);
	for (size_t i = 0; i < s.n; i++) {
		assert_state(s.item + i, KC_STATE_NEEDED);
		assert_int_equal(kc_fix_apply(&s.fix, &p->t, s.item + i, &err), -EBUSY);
		assert_non_null(strstr(err.text, "has changed since the plan"));
	}
	assert_as_before(p);
	end_steps(&s);
}

/* Nothing runs in an image; what a person does is shown, and refused to nobody. */
static void test_offline(void **state)
{
	static const struct {
		uint32_t kind;
		const char *target, *content;
	} table[] = {
		{ KC_STEP_SYSCTL, "net.ipv4.ip_forward", "1" },
		{ KC_STEP_LOAD_MODULE, "overlay", NULL },
		{ KC_STEP_SWAP_OFF, "/dev/sda2", NULL },
		{ KC_STEP_SELINUX_MODE, NULL, "permissive" },
		{ KC_STEP_UNIT_START, "crio.service", NULL },
		{ KC_STEP_FIREWALLD_ZONE, "firewalld.service", "trusted" },
		{ KC_STEP_SYSTEMD_RELOAD, NULL, NULL },
	};
	struct place *p = *state;
	struct steps s;

	begin_steps(p, &s);
	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++)
		assert_refusal(look_new(&s, table[i].kind, table[i].target, table[i].content),
			       "nothing runs in an image");
	assert_state(look_new(&s, KC_STEP_MANUAL, NULL, "reboot\n"), KC_STATE_BY_HAND);
	end_steps(&s);
	assert_as_before(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_make_dir, setup, teardown),
		cmocka_unit_test_setup_teardown(test_make_dir_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_write_new, setup, teardown),
		cmocka_unit_test_setup_teardown(test_write_new_keep_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(test_write_over, setup, teardown),
		cmocka_unit_test_setup_teardown(test_write_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_edit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_edit_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links_that_lead_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_move_aside_and_remove, setup, teardown),
		cmocka_unit_test_setup_teardown(test_set_mode, setup, teardown),
		cmocka_unit_test_setup_teardown(test_set_mode_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_set_mode_of_a_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_set_mode_weakens, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed_since_the_look, setup, teardown),
		cmocka_unit_test_setup_teardown(test_offline, setup, teardown),
	};
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)sigaction(SIGIO, &ignore, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
