/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A small system in a folder, and a transaction in it, for the tests of checker/fix. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "fix/change.h"

struct place {
	char dir[64];
	struct kc_root *root;
	struct kc_store store;
	struct kc_transaction t;
	char *before; /* snapshot */
};

static inline void put(const char *dir, const char *path, const char *text, mode_t mode)
{
	kc_cleanup(kc_freep) char *full = kc_asprintf("%s%s", dir, path);
	int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(kc_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	(void)kc_close(fd);
}

static inline void make(const char *dir, const char *path, mode_t mode)
{
	kc_cleanup(kc_freep) char *full = kc_asprintf("%s%s", dir, path);

	assert_int_equal(mkdir(full, 0700), 0);
	assert_int_equal(chmod(full, mode), 0);
}

static inline void take_away(const char *dir, const char *path)
{
	kc_cleanup(kc_freep) char *full = kc_asprintf("%s%s", dir, path);

	assert_non_null(full);
	assert_int_equal(unlink(full), 0);
}

static inline char *text_of(const char *dir, const char *path)
{
	kc_cleanup(kc_freep) char *full = kc_asprintf("%s%s", dir, path);
	kc_cleanup(kc_closep) int fd = open(full, O_RDONLY | O_CLOEXEC);
	struct kc_buf b = { 0 };

	if (fd < 0)
		return NULL;
	assert_int_equal(kc_read_all(fd, 1 << 20, &b), 0);
	return kc_buf_take(&b);
}

static inline void assert_text(const char *dir, const char *path, const char *expected)
{
	kc_cleanup(kc_freep) char *text = text_of(dir, path);

	assert_non_null(text);
	assert_string_equal(text, expected);
}

static inline int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Everything but the access times, and but the state of k8scheck's own. */
static inline void snapshot(int dir, const char *path, struct kc_buf *out)
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

static inline char *snapshot_all(const char *dir)
{
	kc_cleanup(kc_closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct kc_buf out = { 0 };
	struct stat st;

	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	kc_buf_addf(&out, "/ %lld.%09ld\n", (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	snapshot(fd, "", &out);
	return kc_buf_take(&out);
}

static inline void open_all(struct place *p)
{
	struct kc_err err = { 0 };

	if (kc_store_open(p->root, KC_STORE_LOCK | KC_STORE_MAKE, &err, &p->store) < 0)
		fail_msg("%s", err.text);
}

static inline void begin(struct place *p)
{
	struct kc_err err = { 0 };

	if (kc_transaction_begin(&p->store, NULL, 0, &err, &p->t) < 0)
		fail_msg("%s", err.text);
}

static inline int setup_root(void **state, unsigned flags)
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
	assert_int_equal(kc_root_open(p->dir, flags, NULL, &p->root), 0);
	p->before = snapshot_all(p->dir);
	open_all(p);
	begin(p);
	*state = p;
	return 0;
}

static inline int setup(void **state)
{
	return setup_root(state, 0);
}

static inline int teardown(void **state)
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

static inline void assert_as_before(struct place *p)
{
	kc_cleanup(kc_freep) char *now = snapshot_all(p->dir);

	assert_string_equal(now, p->before);
}

/* As after a crash: all that is known is in the journal. */
static inline void reopen(struct place *p)
{
	kc_cleanup(kc_freep) char *id = strdup(p->t.id);
	struct kc_err err = { 0 };

	kc_transaction_done(&p->t);
	kc_store_done(&p->store);
	open_all(p);
	if (kc_transaction_open(&p->store, id, false, &err, &p->t) < 0)
		fail_msg("%s", err.text);
}
