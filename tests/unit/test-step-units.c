/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/xattr.h>

#include "fix-step.h"

/*
 * What enabling, disabling and masking comes to, held against systemctl(1) itself, which does the
 * same in a copy of the root, where this machine has one.
 */

#define UNITS "/usr/lib/systemd/system/"
#define ETC   "/etc/systemd/system/"

static void link_to(const char *dir, const char *path, const char *target)
{
	kc_cleanup(kc_freep) char *full = kc_asprintf("%s%s", dir, path);

	assert_int_equal(symlink(target, full), 0);
}

static void unit(const char *dir, const char *path, const char *install)
{
	kc_cleanup(kc_freep) char *text =
		kc_asprintf("[Service]\nExecStart=/bin/true\n%s%s", install ? "[Install]\n" : "",
			    install ? install : "");

	put(dir, path, text, 0644);
}

static void make_units(const char *dir)
{
	static const char *const folders[] = {
		"/usr",
		"/usr/lib",
		"/usr/lib/systemd",
		"/usr/lib/systemd/system",
		UNITS "drop.service.d",
		"/etc/systemd",
		"/etc/systemd/system",
		ETC "there.target.wants",
		NULL,
	};
	static const char *const targets[] = { "multi-user.target", "there.target", "b.target",
					       NULL };

	KC_FOREACH_STR (folder, folders)
		make(dir, folder, 0755);
	KC_FOREACH_STR (target, targets) {
		kc_cleanup(kc_freep) char *path = kc_asprintf(UNITS "%s", target);

		put(dir, path, "[Unit]\nDescription=x\n", 0644);
	}
	unit(dir, UNITS "wanted.service", "WantedBy=multi-user.target\n");
	unit(dir, UNITS "required.service", "RequiredBy=multi-user.target b.target\n");
	unit(dir, UNITS "upheld.service", "UpheldBy=multi-user.target\n");
	unit(dir, UNITS "several.service",
	     "WantedBy=multi-user.target there.target\nWantedBy=b.target\nRequiredBy=b.target\n");
	unit(dir, UNITS "reset.service", "WantedBy=b.target\nWantedBy=\nWantedBy=there.target\n");
	unit(dir, UNITS "aliased.service",
	     "WantedBy=multi-user.target\nAlias=other-name.service third.service\n");
	unit(dir, UNITS "also.service",
	     "WantedBy=multi-user.target\nAlso=also.socket wanted.service\n");
	put(dir, UNITS "also.socket",
	    "[Socket]\nListenStream=/run/x\n[Install]\nWantedBy=b.target\nAlso=also.service\n",
	    0644);
	unit(dir, UNITS "instance@.service", "WantedBy=multi-user.target\n");
	unit(dir, UNITS "default@.service", "WantedBy=multi-user.target\nDefaultInstance=one\n");
	unit(dir, UNITS "drop.service", "WantedBy=multi-user.target\n");
	put(dir, UNITS "drop.service.d/10.conf", "[Install]\nWantedBy=b.target\n", 0644);
	unit(dir, UNITS "static.service", NULL);
	unit(dir, ETC "local.service", "WantedBy=multi-user.target\n");
	unit(dir, UNITS "over.service", "WantedBy=multi-user.target\n");
	unit(dir, ETC "over.service", "WantedBy=b.target\n");
	unit(dir, UNITS "masked.service", "WantedBy=multi-user.target\n");
	link_to(dir, ETC "masked.service", "/dev/null");
	link_to(dir, UNITS "shipped-alias.service", "wanted.service");
	unit(dir, UNITS "enabled.service",
	     "WantedBy=there.target\nRequiredBy=b.target\nAlias=by-alias.service\n");
	link_to(dir, ETC "there.target.wants/enabled.service", UNITS "enabled.service");
	link_to(dir, ETC "by-alias.service", UNITS "enabled.service");
	/* Wanted by hand, by a name of another, and relative. */
	unit(dir, UNITS "by-hand.service", "WantedBy=multi-user.target\n");
	link_to(dir, ETC "there.target.wants/by-hand.service",
		"../../../../usr/lib/systemd/system/by-hand.service");
	unit(dir, UNITS "specifier.service", "WantedBy=%p.target\n");
	unit(dir, UNITS "path.service", "WantedBy=../x.target\n");
	unit(dir, UNITS "quoted.service", "WantedBy=\"multi-user.target\"\n");
	unit(dir, UNITS "chain1.service", "Also=chain2.service\nWantedBy=b.target\n");
	unit(dir, UNITS "chain2.service", "Also=none.service\nWantedBy=b.target\n");
	unit(dir, UNITS "taken.service", "Alias=local.service\n");
	put(dir, UNITS "dev-sda2.swap", "[Swap]\nWhat=/dev/sda2\n", 0644);
}

static int setup_units(void **state)
{
	struct place *p;
	int r = setup_root(state, 0);

	p = *state;
	make_units(p->dir);
	free(p->before);
	p->before = snapshot_all(p->dir);
	return r;
}

/* ---- the oracle ---- */

static int run(const char *const *argv, const char *out)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = open(out ? out : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600);

		if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
			_exit(126);
		(void)setenv("SYSTEMD_LOG_LEVEL", "err", 1);
		(void)execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool has_systemctl(void)
{
	return run((const char *const[]){ "systemctl", "--version", NULL }, NULL) == 0;
}

/* UpheldBy= came with systemd 254; older ones say nothing of it, and do nothing. */
static unsigned systemctl_version(void)
{
	char path[] = "/tmp/k8scheck-version-XXXXXX";
	kc_cleanup(kc_closep) int fd = mkstemp(path);
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	unsigned version = 0;

	assert_true(fd >= 0);
	assert_int_equal(run((const char *const[]){ "systemctl", "--version", NULL }, path), 0);
	assert_int_equal(kc_read_all(fd, 1 << 16, &text), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(sscanf(text.data, "systemd %u", &version), 1);
	return version;
}

/* All links and folders below /etc/systemd/system; where a link leads, its folder apart. */
static void list_links(const char *dir, const char *path, struct kc_buf *out)
{
	kc_cleanup(kc_freep) char *full = kc_asprintf("%s%s", dir, path);
	const char *names[256];
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	DIR *d = opendir(full);
	struct dirent *entry;
	size_t n = 0;

	assert_non_null(d);
	while ((entry = readdir(d))) {
		if (!kc_streq(entry->d_name, ".") && !kc_streq(entry->d_name, ".."))
			names[n++] = kc_arena_strdup(&arena, entry->d_name);
	}
	(void)closedir(d);
	qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 0; i < n; i++) {
		kc_cleanup(kc_freep) char *name = kc_asprintf("%s/%s", path, names[i]);
		kc_cleanup(kc_freep) char *at = kc_asprintf("%s/%s", full, names[i]);
		char target[256];
		ssize_t size = readlink(at, target, sizeof(target) - 1);
		struct stat st;

		assert_int_equal(lstat(at, &st), 0);
		if (size >= 0) {
			const char *base;

			target[size] = '\0';
			base = strrchr(target, '/');
			kc_buf_addf(out, "%s -> %s\n", name, base ? base + 1 : target);
		} else if (S_ISDIR(st.st_mode)) {
			list_links(dir, name, out);
		}
	}
}

static char *links_of(const char *dir)
{
	struct kc_buf out = { 0 };

	list_links(dir, "/etc/systemd/system", &out);
	return kc_buf_take(&out);
}

static void remove_tree(const char *dir)
{
	assert_int_equal(run((const char *const[]){ "rm", "-rf", dir, NULL }, NULL), 0);
}

/* The links behind `systemctl VERB UNIT` in a fresh root; NULL: it refuses. */
static char *ask_systemctl(const char *verb, const char *name)
{
	char dir[] = "/tmp/k8scheck-oracle-XXXXXX";
	char *links = NULL;

	assert_non_null(mkdtemp(dir));
	make(dir, "/etc", 0755);
	make_units(dir);
	{
		kc_cleanup(kc_freep) char *root = kc_asprintf("--root=%s", dir);
		const char *const argv[] = { "systemctl", root, "--no-warn", verb, name, NULL };
		const char *const older[] = { "systemctl", root, verb, name, NULL };

		if (run(argv, NULL) == 0 || run(older, NULL) == 0)
			links = links_of(dir);
	}
	remove_tree(dir);
	return links;
}

/* ---- each unit of the table, both ways ---- */

static const struct {
	const char *name;
	uint32_t kind;
	const char *refusal; /* words of the sentence; NULL: it is not refused */
	bool differs; /* systemctl does it, by what k8scheck leaves to it; or it does not know it */
} table[] = {
	{ "wanted.service", KC_STEP_UNIT_ENABLE },
	{ "required.service", KC_STEP_UNIT_ENABLE },
	{ "upheld.service", KC_STEP_UNIT_ENABLE },
	{ "several.service", KC_STEP_UNIT_ENABLE },
	{ "reset.service", KC_STEP_UNIT_ENABLE },
	{ "aliased.service", KC_STEP_UNIT_ENABLE },
	{ "also.service", KC_STEP_UNIT_ENABLE },
	{ "also.socket", KC_STEP_UNIT_ENABLE },
	{ "instance@a.service", KC_STEP_UNIT_ENABLE },
	{ "instance@a\\x2db.service", KC_STEP_UNIT_ENABLE },
	{ "instance@.service", KC_STEP_UNIT_ENABLE, "name an instance" },
	{ "default@.service", KC_STEP_UNIT_ENABLE, "name an instance", .differs = true },
	{ "default@two.service", KC_STEP_UNIT_ENABLE },
	{ "drop.service", KC_STEP_UNIT_ENABLE },
	{ "static.service", KC_STEP_UNIT_ENABLE },
	{ "local.service", KC_STEP_UNIT_ENABLE },
	{ "over.service", KC_STEP_UNIT_ENABLE },
	{ "masked.service", KC_STEP_UNIT_ENABLE, "is masked" },
	{ "shipped-alias.service", KC_STEP_UNIT_ENABLE },
	{ "enabled.service", KC_STEP_UNIT_ENABLE },
	{ "by-hand.service", KC_STEP_UNIT_ENABLE },
	{ "none.service", KC_STEP_UNIT_ENABLE, "there is no unit" },
	{ "specifier.service", KC_STEP_UNIT_ENABLE, "systemctl enable", .differs = true },
	{ "path.service", KC_STEP_UNIT_ENABLE, "systemctl enable", .differs = true },
	{ "quoted.service", KC_STEP_UNIT_ENABLE, "systemctl enable", .differs = true },
	{ "chain1.service", KC_STEP_UNIT_ENABLE, "there is no unit none.service", .differs = true },
	{ "taken.service", KC_STEP_UNIT_ENABLE, "is there, and no link" },
	{ "enabled.service", KC_STEP_UNIT_DISABLE },
	{ "by-hand.service", KC_STEP_UNIT_DISABLE },
	{ "wanted.service", KC_STEP_UNIT_DISABLE },
	{ "local.service", KC_STEP_UNIT_DISABLE },
	{ "masked.service", KC_STEP_UNIT_DISABLE },
	{ "also.service", KC_STEP_UNIT_DISABLE },
	{ "by-alias.service", KC_STEP_UNIT_DISABLE },
	{ "wanted.service", KC_STEP_UNIT_MASK },
	{ "dev-sda2.swap", KC_STEP_UNIT_MASK },
	{ "dev-zram0.swap", KC_STEP_UNIT_MASK },
	{ "masked.service", KC_STEP_UNIT_MASK },
	{ "local.service", KC_STEP_UNIT_MASK, "is there, and no link" },
	{ "by-alias.service", KC_STEP_UNIT_MASK, "no mask can be put there", .differs = true },
};

static const char *verb_of(uint32_t kind)
{
	return kind == KC_STEP_UNIT_ENABLE    ? "enable"
	       : kind == KC_STEP_UNIT_DISABLE ? "disable"
					      : "mask";
}

static void test_against_systemctl(void **state)
{
	struct place *p = *state;
	unsigned version, compared = 0;

	if (!has_systemctl()) {
		print_message("skipped: there is no systemctl here\n");
		skip();
	}
	version = systemctl_version();
	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		kc_cleanup(kc_freep) char *theirs =
			ask_systemctl(verb_of(table[i].kind), table[i].name);
		kc_cleanup(kc_freep) char *ours = NULL;
		struct steps s;

		if (version < 254 && kc_streq(table[i].name, "upheld.service"))
			continue;
		begin_steps(p, &s);
		(void)look_new(&s, table[i].kind, table[i].name, NULL);
		if (table[i].refusal) {
			assert_refusal(s.item, table[i].refusal);
			if (!table[i].differs && theirs) {
				kc_cleanup(kc_freep) char *as_is = links_of(p->dir);

				/* Some that it warns of, and leaves as they are, count as done. */
				if (!kc_streq(theirs, as_is))
					fail_msg("systemctl does %s %s:\n%s",
						 verb_of(table[i].kind), table[i].name, theirs);
			}
			end_steps(&s);
			continue;
		}
		apply_all(p, &s);
		ours = links_of(p->dir);
		if (!theirs)
			fail_msg("systemctl refuses to %s %s, and here it comes to:\n%s",
				 verb_of(table[i].kind), table[i].name, ours);
		if (!kc_streq(ours, theirs))
			fail_msg("%s %s\nsystemctl:\n%s\nk8scheck:\n%s", verb_of(table[i].kind),
				 table[i].name, theirs, ours);
		compared++;
		undo_all(p, &s);
		assert_as_before(p);
		end_steps(&s);
	}
	print_message("systemctl %u and k8scheck agree on %u units\n", version, compared);
	assert_true(compared > 20);
}

/* A kernel with SELinux labels whatever is made: what was not meant to be so would be others'. */
static void test_labels(void **state)
{
	static const char label[] = "system_u:object_r:systemd_unit_file_t:s0";
	static const char *const made[] = { ETC "multi-user.target.wants",
					    ETC "multi-user.target.wants/wanted.service", NULL };
	struct place *p = *state;
	kc_cleanup(kc_freep) char *folder = kc_asprintf("%s%s", p->dir, ETC);
	struct steps s;

	if (setxattr(folder, "security.selinux", label, sizeof(label), 0) < 0) {
		print_message("skipped: no labels can be set here\n");
		skip();
	}
	begin_steps(p, &s);
	(void)look_new(&s, KC_STEP_UNIT_ENABLE, "wanted.service", NULL);
	apply_all(p, &s);
	KC_FOREACH_STR (path, made) {
		kc_cleanup(kc_freep) char *full = kc_asprintf("%s%s", p->dir, path);
		char has[128];

		assert_int_equal(lgetxattr(full, "security.selinux", has, sizeof(has)),
				 sizeof(label));
		assert_string_equal(has, label);
	}
	undo_all(p, &s);
	assert_int_equal(removexattr(folder, "security.selinux"), 0);
	assert_as_before(p);
	end_steps(&s);
}

/* Do, repeat, undo, and undo again, with no oracle. */
static void test_do_and_undo(void **state)
{
	struct place *p = *state;

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		struct steps s;

		begin_steps(p, &s);
		(void)look_new(&s, table[i].kind, table[i].name, NULL);
		if (table[i].refusal) {
			assert_refusal(s.item, table[i].refusal);
		} else {
			assert_true(s.item[0].state == KC_STATE_NEEDED ||
				    s.item[0].state == KC_STATE_ALREADY);
			assert_int_equal(s.item[0].state == KC_STATE_NEEDED,
					 s.item[0].n_changes > 0);
			apply_all(p, &s);
			assert_done_once(p, &s);
			reopen(p);
			undo_all(p, &s);
			assert_as_before(p);
			undo_all(p, &s);
		}
		assert_as_before(p);
		end_steps(&s);
	}
}

static void assert_links(struct place *p, const struct steps *s, const char *const *expected)
{
	kc_cleanup(kc_buf_done) struct kc_buf ours = { 0 }, theirs = { 0 };

	for (size_t i = 0; i < s->n; i++) {
		for (size_t k = 0; k < s->item[i].n_changes; k++) {
			const struct kc_change *change = &s->item[i].changes[k].change;

			kc_buf_addf(&ours, "%s%s%s\n", change->path,
				    change->after.link ? " -> " : "",
				    change->after.link ? change->after.link : "");
		}
	}
	KC_FOREACH_STR (line, expected)
		kc_buf_addf(&theirs, "%s\n", line);
	assert_string_equal(ours.data ? ours.data : "", theirs.data ? theirs.data : "");
}

static void test_folders_of_links(void **state)
{
	static const char *const expected[] = {
		ETC "multi-user.target.wants",
		ETC "multi-user.target.wants/several.service -> " UNITS "several.service",
		ETC "there.target.wants/several.service -> " UNITS "several.service",
		ETC "b.target.wants",
		ETC "b.target.wants/several.service -> " UNITS "several.service",
		ETC "b.target.requires",
		ETC "b.target.requires/several.service -> " UNITS "several.service",
		/* A second one finds the folder on its way. */
		ETC "multi-user.target.wants/wanted.service -> " UNITS "wanted.service",
		NULL,
	};
	struct place *p = *state;
	struct steps s;

	begin_steps(p, &s);
	assert_state(look_new(&s, KC_STEP_UNIT_ENABLE, "several.service", NULL), KC_STATE_NEEDED);
	assert_state(look_new(&s, KC_STEP_UNIT_ENABLE, "wanted.service", NULL), KC_STATE_NEEDED);
	assert_links(p, &s, expected);
	assert_string_equal(s.item[0].inverse, "has its links removed again");
	apply_all(p, &s);
	undo_all(p, &s);
	assert_as_before(p);
	end_steps(&s);
}

static void test_upheld(void **state)
{
	static const char *const expected[] = {
		ETC "multi-user.target.upholds",
		ETC "multi-user.target.upholds/upheld.service -> " UNITS "upheld.service",
		NULL,
	};
	struct place *p = *state;
	struct steps s;

	begin_steps(p, &s);
	assert_state(look_new(&s, KC_STEP_UNIT_ENABLE, "upheld.service", NULL), KC_STATE_NEEDED);
	assert_links(p, &s, expected);
	end_steps(&s);
}

/* A name without its type is a service's, as systemctl(1) has it. */
static void test_names(void **state)
{
	struct place *p = *state;
	struct steps s;

	begin_steps(p, &s);
	assert_state(look_new(&s, KC_STEP_UNIT_ENABLE, "wanted", NULL), KC_STATE_NEEDED);
	assert_string_equal(s.item[0].step.target, "wanted.service");
	assert_refusal(look_new(&s, KC_STEP_UNIT_ENABLE, "sshd", NULL), "no repair");
	assert_refusal(look_new(&s, KC_STEP_UNIT_MASK, "systemd-journald.service", NULL),
		       "no repair");
	assert_refusal(look_new(&s, KC_STEP_UNIT_MASK, "../x.service", NULL), "no unit");
	end_steps(&s);
	assert_as_before(p);
}

/* Many that name one another. */
static void test_also_without_end(void **state)
{
	struct place *p = *state;
	struct steps s;

	for (unsigned i = 0; i < 40; i++) {
		kc_cleanup(kc_freep) char *path = kc_asprintf(UNITS "n%u.service", i);
		kc_cleanup(kc_freep) char *also = kc_asprintf(
			"Also=n%u.service n%u.service\nWantedBy=b.target\n", i, (i + 1) % 40);

		unit(p->dir, path, also);
	}
	begin_steps(p, &s);
	assert_refusal(look_new(&s, KC_STEP_UNIT_ENABLE, "n0.service", NULL), "too many units");
	end_steps(&s);
}

/* Where others may write in a folder of links, nothing is put into it. */
static void test_folder_of_others(void **state)
{
	struct place *p = *state;
	struct steps s;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s" ETC "there.target.wants", p->dir);
	assert_int_equal(chmod(path, 0777), 0);
	begin_steps(p, &s);
	assert_refusal(look_new(&s, KC_STEP_UNIT_ENABLE, "several.service", NULL),
		       "can be written by others");
	end_steps(&s);
}

/* A folder of links that is itself a link, to a place where no repair may put one. */
static void test_folder_that_leads_out(void **state)
{
	struct place *p = *state;
	struct steps s;

	make(p->dir, "/etc/cron.d", 0755);
	link_to(p->dir, ETC "multi-user.target.wants", "/etc/cron.d");
	begin_steps(p, &s);
	assert_refusal(look_new(&s, KC_STEP_UNIT_ENABLE, "wanted.service", NULL),
		       "no link that enables");
	end_steps(&s);
}

static void test_changed_since_the_look(void **state)
{
	struct place *p = *state;
	struct kc_err err = { 0 };
	struct steps s;

	begin_steps(p, &s);
	assert_state(look_new(&s, KC_STEP_UNIT_MASK, "wanted.service", NULL), KC_STATE_NEEDED);
	unit(p->dir, ETC "wanted.service", NULL);
	assert_int_equal(kc_fix_apply(&s.fix, &p->t, s.item, &err), -EBUSY);
	end_steps(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_against_systemctl, setup_units, teardown),
		cmocka_unit_test_setup_teardown(test_labels, setup_units, teardown),
		cmocka_unit_test_setup_teardown(test_do_and_undo, setup_units, teardown),
		cmocka_unit_test_setup_teardown(test_folders_of_links, setup_units, teardown),
		cmocka_unit_test_setup_teardown(test_upheld, setup_units, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup_units, teardown),
		cmocka_unit_test_setup_teardown(test_also_without_end, setup_units, teardown),
		cmocka_unit_test_setup_teardown(test_folder_of_others, setup_units, teardown),
		cmocka_unit_test_setup_teardown(test_folder_that_leads_out, setup_units, teardown),
		cmocka_unit_test_setup_teardown(test_changed_since_the_look, setup_units, teardown),
	};
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)sigaction(SIGIO, &ignore, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
