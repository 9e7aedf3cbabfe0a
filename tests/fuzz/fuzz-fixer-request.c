/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fdio.h"
#include "fix-message.h"
#include "fix/fix.h"
#include "fix/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * A request, looked at on a small system, and carried out by nobody. No step may come out as needed
 * that changes a place where none may: the table of these is written down here once more.
 */
static const char *const allowed[] = { "/etc/", "/usr/local/etc/", "/var/lib/", NULL };
static const char *const mode_too[] = { "/var/log/", "/opt/cni/", "/run/", NULL };

/* "*" stands for slashes, too. */
static const char *const forbidden[] = {
	"/etc/passwd*",
	"/etc/shadow*",
	"/etc/group*",
	"/etc/gshadow*",
	"/etc/sudoers*",
	"/etc/pam.d*",
	"/etc/ssh/*",
	"/etc/cron*",
	"/etc/ld.so*",
	"/etc/profile*",
	"/etc/security/*",
	"/etc/udev/*",
	"/etc/rc*",
	"/etc/init.d*",
	"/etc/default/grub*",
	"/etc/systemd/system.conf*",
	"/etc/k8scheck/*",
	"/var/lib/k8scheck/*",
	"/var/lib/dpkg/*",
	"/var/lib/rpm/*",
	"*/../*",
	"*/./*",
	"*//*",
	NULL,
};
static const char *const mode_forbidden[] = { "/etc/shadow*",
					      "/etc/gshadow*",
					      "/etc/sudoers*",
					      "/etc/ssh/*",
					      "/etc/pam.d/*",
					      "*/../*",
					      NULL };

static char dir[64];
static struct kc_root *root;

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	return remove(path);
}

static void remove_all(void)
{
	kc_root_free(root);
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *path, const char *text)
{
	kc_cleanup(kc_freep) char *full = kc_asprintf("%s%s", dir, path);
	int fd = full ? open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0644) : -1;

	if (fd < 0 || kc_write_all(fd, text, strlen(text)) < 0)
		abort();
	(void)kc_close(fd);
}

static void make(const char *path)
{
	kc_cleanup(kc_freep) char *full = kc_asprintf("%s%s", dir, path);

	if (!full || mkdir(full, 0755) < 0)
		abort();
}

static void lead(const char *path, const char *target)
{
	kc_cleanup(kc_freep) char *full = kc_asprintf("%s%s", dir, path);

	if (!full || symlink(target, full) < 0)
		abort();
}

static void make_system(void)
{
	static const char *const folders[] = { "/etc",
					       "/etc/sysctl.d",
					       "/etc/cron.d",
					       "/etc/systemd",
					       "/etc/systemd/system",
					       "/etc/systemd/system/a.target.wants",
					       "/root",
					       "/usr",
					       "/usr/lib",
					       "/usr/lib/systemd",
					       "/usr/lib/systemd/system",
					       "/var",
					       "/var/lib",
					       NULL };

	(void)umask(022);
	(void)snprintf(dir, sizeof(dir), "/tmp/k8scheck-fuzz-XXXXXX");
	if (!mkdtemp(dir) || chmod(dir, 0755) < 0)
		abort();
	KC_FOREACH_STR (folder, folders)
		make(folder);
	put("/etc/a", "a\n");
	put("/etc/sysctl.d/a.conf", "a = 1\n");
	put("/etc/shadow", "root:*:1::::::\n");
	put("/etc/fstab", "UUID=1 / ext4\n");
	put("/root/x", "x\n");
	lead("/etc/l", "shadow");
	lead("/etc/up", "..");
	lead("/etc/d", "cron.d");
	lead("/etc/r", "/root");
	put("/usr/lib/systemd/system/a.service",
	    "[Install]\nWantedBy=a.target b.target\nAlias=c.service\nAlso=b.service\n");
	put("/usr/lib/systemd/system/b.service", "[Install]\nRequiredBy=b.target\n");
	lead("/etc/systemd/system/a.target.wants/a.service", "/usr/lib/systemd/system/a.service");
	if (kc_root_open(dir, 0, NULL, &root) < 0)
		abort();
	(void)atexit(remove_all);
}

static bool begins(const char *path, const char *const *prefixes)
{
	KC_FOREACH_STR (prefix, prefixes) {
		if (kc_after_prefix(path, prefix))
			return true;
	}
	return false;
}

static bool matches(const char *path, const char *const *patterns)
{
	KC_FOREACH_STR (pattern, patterns) {
		if (fnmatch(pattern, path, 0) == 0)
			return true;
	}
	return false;
}

static void check_change(const struct kc_fix_step *step, const struct kc_change *change)
{
	const uint32_t kind = step->step.kind;
	const bool link = kind == KC_STEP_UNIT_ENABLE || kind == KC_STEP_UNIT_DISABLE ||
			  kind == KC_STEP_UNIT_MASK;

	if (kind == KC_STEP_SET_MODE) {
		if ((!begins(change->path, allowed) && !begins(change->path, mode_too)) ||
		    matches(change->path, mode_forbidden))
			abort();
		return;
	}
	if (!begins(change->path, allowed) || matches(change->path, forbidden))
		abort();
	/* Units are enabled by links, and nothing else is ever put where they are. */
	if (link != !!kc_after_prefix(change->path, "/etc/systemd/system/") ||
	    (link && change->after.type == KC_FILE_REGULAR))
		abort();
	if (change->after.type == KC_FILE_REGULAR && !change->before.type &&
	    (change->after.mode & ~0644u))
		abort();
	if (kc_streq(change->path, "/etc/fstab") && kind != KC_STEP_EDIT_FILE)
		abort();
}

static void check_step(const struct kc_fix_step *step)
{
	if (step->state == KC_STATE_REFUSED && (!step->text || !*step->text || step->n_changes))
		abort();
	if (step->state != KC_STATE_NEEDED)
		return;
	/* Nothing runs here; and a step that is needed has something to do. */
	if (step->n_changes == 0 || kc_policy_step(&step->step, NULL) < 0)
		abort();
	for (size_t i = 0; i < step->n_changes; i++)
		check_change(step, &step->changes[i].change);
}

static void look(const struct kc_fix_rule *rule, struct kc_arena *arena)
{
	struct kc_fix fix = { .root = root, .arena = arena };
	struct kc_fix_step steps[8];
	size_t n = 0;

	for (size_t i = 0; i < rule->n && n < KC_ARRAY_SIZE(steps); i++) {
		steps[n] = (struct kc_fix_step){ .step = rule->steps[i] };
		if (kc_fix_look(&fix, steps + n, steps, n, NULL) < 0)
			break;
		check_step(steps + n);
		n++;
	}
	kc_fix_done(&fix);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = 64 << 20 };
	const struct kc_buf b = { .data = (char *)(uintptr_t)data, .len = size };
	struct kc_fix_request request;

	if (!root)
		make_system();
	if (size > 64 * 1024 || kc_get_request(&b, &arena, &request) < 0)
		return 0;
	for (uint32_t i = 0; i < request.n && i < 8; i++)
		look(request.rules + i, &arena);
	return 0;
}
