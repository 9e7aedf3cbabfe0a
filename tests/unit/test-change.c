/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "fix-place.h"

/* Looks as a plan does. */
static void look_at(struct place *p, const char *path, unsigned flags, struct kc_change *change)
{
	struct kc_fix_place place;
	struct kc_err err = { 0 };

	if (kc_place_open(p->root, path, 0, &err, &place) < 0)
		fail_msg("%s", err.text);
	if (kc_change_look(&place, flags, &p->t.arena, &err, &change->before, NULL) < 0)
		fail_msg("%s", err.text);
	kc_place_done(&place);
	change->path = path;
	change->after = change->before;
}

static void want_text(struct place *p, const char *path, const char *text, struct kc_change *change)
{
	char hex[KC_DIGEST_TEXT];

	look_at(p, path, KC_NODE_CONTENT, change);
	kc_digest(text, strlen(text), hex);
	change->after.sha256 = kc_arena_strdup(&p->t.arena, hex);
	change->content = text;
	change->size = strlen(text);
	change->after.size = change->size;
	if (!change->before.type) {
		change->after.type = KC_FILE_REGULAR;
		change->after.mode = 0640;
		change->after.uid = geteuid();
		change->after.gid = getegid();
	}
}

static uint32_t done(struct place *p, const struct kc_change *change)
{
	struct kc_err err = { 0 };
	uint32_t record;

	if (kc_change_do(&p->t, change, &err, &record) < 0)
		fail_msg("%s", err.text);
	assert_true(record > 0);
	return record;
}

static int undo(struct place *p, uint32_t record, unsigned flags, struct kc_err *err)
{
	return kc_change_undo(&p->t, &p->t.text.records[record - 1], flags, err);
}

static void undone(struct place *p, uint32_t record)
{
	struct kc_err err = { 0 };

	if (undo(p, record, 0, &err) < 0)
		fail_msg("%s", err.text);
}

static void test_new_file(void **state)
{
	struct place *p = *state;
	struct kc_change change = { 0 };
	struct kc_err err = { 0 };
	uint32_t record;
	struct stat st;
	char path[128];

	want_text(p, "/etc/sysctl.d/99-new.conf", "b = 2\n", &change);
	record = done(p, &change);
	assert_text(p->dir, "/etc/sysctl.d/99-new.conf", "b = 2\n");
	(void)snprintf(path, sizeof(path), "%s/etc/sysctl.d/99-new.conf", p->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	/* A second time it is there already, which is not what was planned. */
	assert_int_equal(kc_change_do(&p->t, &change, &err, &record), -EBUSY);
	assert_int_equal(record, 0);
	reopen(p);
	undone(p, 2);
	assert_as_before(p);
	undone(p, 2);
	assert_as_before(p);
}

static void test_edit(void **state)
{
	struct place *p = *state;
	struct kc_change change = { 0 };
	uint32_t record;

	want_text(p, "/etc/secret", "other\n", &change);
	record = done(p, &change);
	assert_text(p->dir, "/etc/secret", "other\n");
	assert_int_equal(kc_change_undoable(&p->t, &p->t.text.records[record - 1], NULL), 1);
	undone(p, record);
	assert_as_before(p);
	assert_int_equal(kc_change_undoable(&p->t, &p->t.text.records[record - 1], NULL), 0);
}

/* The displaced file is the first way back, the backup the second. */
static void test_edit_back_from_backup(void **state)
{
	struct place *p = *state;
	struct kc_change change = { 0 };
	uint32_t record;

	want_text(p, "/etc/secret", "other\n", &change);
	record = done(p, &change);
	assert_int_equal(unlinkat(p->t.stages[0].fd, "000002", 0), 0);
	undone(p, record);
	assert_as_before(p);
}

static void test_backup_forged(void **state)
{
	struct place *p = *state;
	struct kc_change change = { 0 };
	struct kc_err err = { 0 };
	uint32_t record;
	int fd;

	want_text(p, "/etc/secret", "other\n", &change);
	record = done(p, &change);
	assert_int_equal(unlinkat(p->t.stages[0].fd, "000002", 0), 0);
	fd = openat(p->t.backup, "000002", O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(kc_write_all(fd, "x", 1), 0);
	(void)kc_close(fd);
	assert_int_equal(undo(p, record, 0, &err), -EBADMSG);
	assert_text(p->dir, "/etc/secret", "other\n");
}

static void test_take_away(void **state)
{
	struct place *p = *state;
	struct kc_change change = { 0 };
	uint32_t record;

	look_at(p, "/etc/sysctl.d/50-old.conf", KC_NODE_CONTENT, &change);
	change.after = (struct kc_node){ 0 };
	record = done(p, &change);
	assert_null(text_of(p->dir, "/etc/sysctl.d/50-old.conf"));
	reopen(p);
	undone(p, record);
	assert_as_before(p);
}

static void test_folder_link_mode(void **state)
{
	struct place *p = *state;
	struct kc_change folder = { 0 }, link = { 0 }, mode = { 0 };
	uint32_t first, second, third;

	look_at(p, "/etc/new.d", KC_NODE_CONTENT, &folder);
	folder.after = (struct kc_node){
		.type = KC_FILE_DIRECTORY, .mode = 0750, .uid = geteuid(), .gid = getegid()
	};
	first = done(p, &folder);
	look_at(p, "/etc/new.d/x.service", KC_NODE_CONTENT, &link);
	link.after = (struct kc_node){
		.type = KC_FILE_SYMLINK, .link = "/dev/null", .uid = geteuid(), .gid = getegid()
	};
	second = done(p, &link);
	look_at(p, "/etc/secret", 0, &mode);
	mode.after.mode = 0600;
	third = done(p, &mode);
	reopen(p);
	undone(p, third);
	undone(p, second);
	undone(p, first);
	assert_as_before(p);
}

/* What comes into a folder between the plan and its own turn is no change of its mode. */
static void test_mode_of_folder_in_use(void **state)
{
	struct place *p = *state;
	struct kc_change file = { 0 }, mode = { 0 };
	uint32_t first, second;

	look_at(p, "/etc/sysctl.d", 0, &mode);
	mode.after.mode = 0750;
	want_text(p, "/etc/sysctl.d/99-new.conf", "b = 2\n", &file);
	first = done(p, &file);
	second = done(p, &mode);
	reopen(p);
	undone(p, second);
	undone(p, first);
	assert_as_before(p);
}

/* A package that was removed took its folder along: others' change, and no obstacle for ever. */
static void test_folder_gone_since(void **state)
{
	struct place *p = *state;
	struct kc_change edit = { 0 }, new = { 0 };
	uint32_t first, second;
	struct kc_err err = { 0 };
	char from[128], to[128];

	want_text(p, "/etc/sysctl.d/50-old.conf", "a = 2\n", &edit);
	first = done(p, &edit);
	want_text(p, "/etc/sysctl.d/99-new.conf", "b = 2\n", &new);
	second = done(p, &new);
	(void)snprintf(from, sizeof(from), "%s/etc/sysctl.d", p->dir);
	(void)snprintf(to, sizeof(to), "%s/etc/gone.d", p->dir);
	assert_int_equal(rename(from, to), 0);
	undone(p, second);
	assert_int_equal(kc_change_undoable(&p->t, &p->t.text.records[first - 1], &err), -EBUSY);
	assert_int_equal(undo(p, first, 0, &err), -EBUSY);
	assert_non_null(strstr(err.text, "somebody has removed it"));
}

static void test_others_changed_it(void **state)
{
	struct place *p = *state;
	struct kc_change change = { 0 };
	struct kc_err err = { 0 };
	uint32_t record;

	want_text(p, "/etc/sysctl.d/50-old.conf", "a = 2\n", &change);
	record = done(p, &change);
	put(p->dir, "/etc/sysctl.d/50-old.conf", "a = 3\n", 0644);
	assert_int_equal(kc_change_undoable(&p->t, &p->t.text.records[record - 1], &err), -EBUSY);
	assert_int_equal(undo(p, record, 0, &err), -EBUSY);
	assert_non_null(strstr(err.text, "/etc/sysctl.d/50-old.conf"));
	assert_text(p->dir, "/etc/sysctl.d/50-old.conf", "a = 3\n");
	/* By force theirs is kept beside. */
	assert_int_equal(undo(p, record, KC_UNDO_FORCE, &err), 0);
	assert_text(p->dir, "/etc/sysctl.d/50-old.conf", "a = 1\n");
	assert_int_equal(p->t.kept.n, 1);
	assert_text(p->dir, p->t.kept.item[0], "a = 3\n");
}

static void test_changed_since_the_plan(void **state)
{
	struct place *p = *state;
	struct kc_change change = { 0 };
	struct kc_err err = { 0 };
	uint32_t record;

	want_text(p, "/etc/sysctl.d/50-old.conf", "a = 2\n", &change);
	put(p->dir, "/etc/sysctl.d/50-old.conf", "a = 3\n", 0644);
	assert_int_equal(kc_change_do(&p->t, &change, &err, &record), -EBUSY);
	assert_int_equal(record, 0);
	assert_text(p->dir, "/etc/sysctl.d/50-old.conf", "a = 3\n");
}

static void test_folder_gone_in_use(void **state)
{
	struct place *p = *state;
	struct kc_change folder = { 0 };
	struct kc_err err = { 0 };
	uint32_t record;

	look_at(p, "/etc/new.d", KC_NODE_CONTENT, &folder);
	folder.after = (struct kc_node){
		.type = KC_FILE_DIRECTORY, .mode = 0755, .uid = geteuid(), .gid = getegid()
	};
	record = done(p, &folder);
	put(p->dir, "/etc/new.d/theirs", "x\n", 0644);
	assert_int_equal(undo(p, record, 0, &err), -EBUSY);
	assert_text(p->dir, "/etc/new.d/theirs", "x\n");
}

static void assert_refused(struct place *p, const char *path, int code, const char *part)
{
	struct kc_fix_place place = { .dir = -EBADF };
	struct kc_err err = { 0 };
	struct kc_node node;
	int r = kc_place_open(p->root, path, 0, &err, &place);

	if (r == 0)
		r = kc_change_look(&place, KC_NODE_CONTENT, &p->t.arena, &err, &node, NULL);
	kc_place_done(&place);
	if (r != code || !strstr(err.text, part))
		fail_msg("%s: %d (%s), not %d with '%s'", path, r, err.text, code, part);
}

static void test_refusals(void **state)
{
	struct place *p = *state;
	char a[128], b[128];

	(void)snprintf(a, sizeof(a), "%s/etc/secret", p->dir);
	(void)snprintf(b, sizeof(b), "%s/etc/other-name", p->dir);
	assert_int_equal(link(a, b), 0);
	assert_refused(p, "/etc/secret", -EMLINK, "hard links");
	(void)snprintf(a, sizeof(a), "%s/etc/fifo", p->dir);
	assert_int_equal(mkfifo(a, 0600), 0);
	assert_refused(p, "/etc/fifo", -EINVAL, "FIFO");
	make(p->dir, "/etc/open.d", 0777);
	assert_refused(p, "/etc/open.d/file", -EPERM, "/etc/open.d can be written by others");
	assert_refused(p, "/etc/missing.d/file", -ENOENT, "/etc/missing.d");
	assert_refused(p, "/etc/secret/file", -ENOTDIR, "/etc/secret");
}

/* A writer that comes while the lease is held waits, and none of what it writes is lost. */
static void test_somebody_writes(void **state)
{
	struct place *p = *state;
	struct kc_change change = { 0 };
	struct kc_err err = { 0 };
	uint32_t record;
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/etc/sysctl.d/50-old.conf", p->dir);
	want_text(p, "/etc/sysctl.d/50-old.conf", "a = 2\n", &change);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(kc_change_do(&p->t, &change, &err, &record), -EBUSY);
	assert_non_null(strstr(err.text, "open for writing"));
	(void)kc_close(fd);
	assert_text(p->dir, "/etc/sysctl.d/50-old.conf", "a = 1\n");
	undone(p, record);
	assert_as_before(p);
}

static void test_states(void **state)
{
	struct place *p = *state;
	struct kc_change change = { 0 };

	assert_int_equal(kc_transaction_state(&p->t.text), KC_TRANSACTION_EMPTY);
	want_text(p, "/etc/sysctl.d/99-new.conf", "b = 2\n", &change);
	(void)done(p, &change);
	assert_int_equal(kc_transaction_state(&p->t.text), KC_TRANSACTION_OPEN);
	assert_int_equal(kc_transaction_note(&p->t, "committed", NULL, 0, NULL, NULL), 0);
	reopen(p);
	assert_int_equal(kc_transaction_state(&p->t.text), KC_TRANSACTION_COMMITTED);
}

static void test_one_at_a_time(void **state)
{
	struct place *p = *state;
	struct kc_store other;
	struct kc_err err = { 0 };
	struct statfs figures;
	char process[32];

	assert_int_equal(kc_store_open(p->root, KC_STORE_LOCK, &err, &other), -EBUSY);
	assert_non_null(strstr(err.text, "another k8scheck"));
	assert_true(kc_store_is_locked(p->root));
	/* Not every file system has the numbers in the kernel's list that stat(2) has. */
	if (fstatfs(p->store.dir, &figures) == 0 && figures.f_type == EXT4_SUPER_MAGIC) {
		(void)snprintf(process, sizeof(process), "(process %d)", (int)getpid());
		assert_non_null(strstr(err.text, process));
	}
	p->store.lock = kc_close(p->store.lock);
	assert_false(kc_store_is_locked(p->root));
	assert_int_equal(kc_store_open(p->root, KC_STORE_LOCK, &err, &other), 0);
	kc_store_done(&other);
}

/* What anybody may open anybody may lock, and so bars nothing. */
static void test_locks_of_others(void **state)
{
	static const char *const folders[] = { "", "/var", "/var/lib" };
	struct place *p = *state;
	kc_cleanup(kc_freep) char *store = kc_asprintf("%s" KC_STORE_PATH, p->dir);
	kc_cleanup(kc_freep) char *away = kc_asprintf("%s/away", p->dir);
	struct kc_store other = { 0 };
	struct kc_err err = { 0 };
	int fds[KC_ARRAY_SIZE(folders)];

	kc_store_done(&p->store);
	for (size_t i = 0; i < KC_ARRAY_SIZE(fds); i++) {
		kc_cleanup(kc_freep) char *full = kc_asprintf("%s%s", p->dir, folders[i]);

		fds[i] = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(fds[i] >= 0);
		assert_int_equal(flock(fds[i], LOCK_EX | LOCK_NB), 0);
	}
	for (unsigned there = 0; there < 2; there++) {
		assert_false(kc_store_is_locked(p->root));
		if (kc_store_open(p->root, KC_STORE_LOCK | KC_STORE_MAKE, &err, &other) < 0)
			fail_msg("%s", err.text);
		assert_true(kc_store_is_locked(p->root));
		kc_store_done(&other);
		/* And when it has to be made. */
		if (!there)
			assert_int_equal(rename(store, away), 0);
	}
	for (size_t i = 0; i < KC_ARRAY_SIZE(fds); i++)
		(void)kc_close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_new_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_edit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_edit_back_from_backup, setup, teardown),
		cmocka_unit_test_setup_teardown(test_backup_forged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_take_away, setup, teardown),
		cmocka_unit_test_setup_teardown(test_folder_link_mode, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mode_of_folder_in_use, setup, teardown),
		cmocka_unit_test_setup_teardown(test_folder_gone_since, setup, teardown),
		cmocka_unit_test_setup_teardown(test_others_changed_it, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed_since_the_plan, setup, teardown),
		cmocka_unit_test_setup_teardown(test_folder_gone_in_use, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_somebody_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_states, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_at_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_locks_of_others, setup, teardown),
	};
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)sigaction(SIGIO, &ignore, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
