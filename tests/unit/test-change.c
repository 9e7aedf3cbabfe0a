/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "fix/change.h"

/* A small system in a folder, and a transaction in it. */
struct place {
	char dir[64];
	struct kc_root *root;
	struct kc_store store;
	struct kc_transaction t;
	char *before; /* snapshot */
};

static void put(const char *dir, const char *path, const char *text, mode_t mode)
{
	kc_cleanup(kc_freep) char *full = kc_asprintf("%s%s", dir, path);
	int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(kc_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	(void)kc_close(fd);
}

static void make(const char *dir, const char *path, mode_t mode)
{
	kc_cleanup(kc_freep) char *full = kc_asprintf("%s%s", dir, path);

	assert_int_equal(mkdir(full, 0700), 0);
	assert_int_equal(chmod(full, mode), 0);
}

static char *text_of(const char *dir, const char *path)
{
	kc_cleanup(kc_freep) char *full = kc_asprintf("%s%s", dir, path);
	kc_cleanup(kc_closep) int fd = open(full, O_RDONLY | O_CLOEXEC);
	struct kc_buf b = { 0 };

	if (fd < 0)
		return NULL;
	assert_int_equal(kc_read_all(fd, 1 << 20, &b), 0);
	return kc_buf_take(&b);
}

static void assert_text(const char *dir, const char *path, const char *expected)
{
	kc_cleanup(kc_freep) char *text = text_of(dir, path);

	assert_non_null(text);
	assert_string_equal(text, expected);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Everything but the access times, and but the state of k8scheck's own. */
static void snapshot(int dir, const char *path, struct kc_buf *out)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	const char *names[256];
	size_t n = 0;
	DIR *d = fdopendir(dup(dir));
	struct dirent *entry;

	assert_non_null(d);
	while ((entry = readdir(d))) {
		if (!kc_streq(entry->d_name, ".") && !kc_streq(entry->d_name, ".."))
			names[n++] = kc_arena_strdup(&arena, entry->d_name);
		assert_true(n < KC_ARRAY_SIZE(names));
	}
	rewinddir(d);
	(void)closedir(d);
	qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 0; i < n; i++) {
		kc_cleanup(kc_freep) char *full = kc_asprintf("%s/%s", path, names[i]);
		struct kc_node node;

		if (kc_streq(full, KC_STORE_PATH))
			continue;
		assert_int_equal(kc_node_read(dir, names[i], KC_NODE_CONTENT, &arena, NULL, &node,
					      NULL, NULL),
				 0);
		node.atime = (struct timespec){ 0 };
		if (node.type == KC_FILE_DIRECTORY)
			node.size = 0;
		kc_buf_addf(out, "%s ", full);
		kc_node_put(out, &node);
		kc_buf_addc(out, '\n');
		if (node.type == KC_FILE_DIRECTORY) {
			int sub = openat(dir, names[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

			assert_true(sub >= 0);
			snapshot(sub, full, out);
			(void)kc_close(sub);
		}
	}
}

static char *snapshot_all(const char *dir)
{
	kc_cleanup(kc_closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct kc_buf out = { 0 };
	struct stat st;

	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	kc_buf_addf(&out, "/ %lld.%09ld\n", (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	snapshot(fd, "", &out);
	return kc_buf_take(&out);
}

static void open_all(struct place *p)
{
	struct kc_err err = { 0 };

	if (kc_store_open(p->root, KC_STORE_LOCK | KC_STORE_MAKE, &err, &p->store) < 0)
		fail_msg("%s", err.text);
}

static void begin(struct place *p)
{
	struct kc_err err = { 0 };

	if (kc_transaction_begin(&p->store, NULL, 0, &err, &p->t) < 0)
		fail_msg("%s", err.text);
}

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	const struct timespec old[] = { { 1000000000, 1 }, { 1000000000, 123456789 } };
	static const char *const folders[] = { "/etc", "/etc/sysctl.d", "/var", "/var/lib", NULL };

	(void)umask(022);
	assert_non_null(p);
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/k8scheck-test-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	assert_int_equal(chmod(p->dir, 0755), 0);
	KC_FOREACH_STR (folder, folders)
		make(p->dir, folder, 0755);
	put(p->dir, "/etc/sysctl.d/50-old.conf", "a = 1\n", 0644);
	put(p->dir, "/etc/secret", "key\n", 04640);
	KC_FOREACH_STR (folder, folders) {
		kc_cleanup(kc_freep) char *full = kc_asprintf("%s%s", p->dir, folder);

		assert_int_equal(utimensat(AT_FDCWD, full, old, 0), 0);
	}
	assert_int_equal(kc_root_open(p->dir, 0, NULL, &p->root), 0);
	p->before = snapshot_all(p->dir);
	open_all(p);
	begin(p);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;
	kc_cleanup(kc_freep) char *command = kc_asprintf("%s", p->dir);
	pid_t pid;

	kc_transaction_done(&p->t);
	kc_store_done(&p->store);
	kc_root_free(p->root);
	free(p->before);
	pid = fork();
	if (pid == 0) {
		(void)execlp("rm", "rm", "-rf", command, (char *)NULL);
		_exit(1);
	}
	(void)waitpid(pid, NULL, 0);
	free(p);
	return 0;
}

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

static void assert_as_before(struct place *p)
{
	kc_cleanup(kc_freep) char *now = snapshot_all(p->dir);

	assert_string_equal(now, p->before);
}

/* As after a crash: all that is known is in the journal. */
static void reopen(struct place *p)
{
	kc_cleanup(kc_freep) char *id = strdup(p->t.id);
	struct kc_err err = { 0 };

	kc_transaction_done(&p->t);
	kc_store_done(&p->store);
	open_all(p);
	if (kc_transaction_open(&p->store, id, false, &err, &p->t) < 0)
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

	assert_int_equal(kc_store_open(p->root, KC_STORE_LOCK, &err, &other), -EBUSY);
	assert_non_null(strstr(err.text, "another k8scheck"));
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
		cmocka_unit_test_setup_teardown(test_others_changed_it, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed_since_the_plan, setup, teardown),
		cmocka_unit_test_setup_teardown(test_folder_gone_in_use, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_somebody_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_states, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_at_a_time, setup, teardown),
	};
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)sigaction(SIGIO, &ignore, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
