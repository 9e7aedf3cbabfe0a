/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fdio.h"
#include "expect.h"

/* The path below the case's own tree; NULL where a link leads on, which no case shall write by. */
static const char *below_root(struct world *w, const char *target)
{
	const char *path = world_text(w, "%s%s", w->root, target), *name = strrchr(path, '/');
	const char *parent = world_text(w, "%.*s", (int)(name - path), path), *rest;
	char resolved[PATH_MAX];
	struct stat st;

	if (!realpath(parent, resolved))
		return NULL;
	rest = kc_after_prefix(resolved, w->root);
	if (!rest || (*rest && *rest != '/') || (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)))
		return NULL;
	return path;
}

static bool write_file(struct world *w, const struct kc_step *step)
{
	const char *path = below_root(w, step->target);
	kc_cleanup(kc_closep) int fd =
		path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644) : -1;

	return fd >= 0 && kc_write_all(fd, step->content, step->content_size) == 0;
}

static bool mask(struct world *w, const char *unit)
{
	const char *path = below_root(w, world_text(w, "/etc/systemd/system/%s", unit));

	if (!path)
		return false;
	(void)unlink(path);
	return symlink("/dev/null", path) == 0;
}

/* What a host has, and the tree of a case need not. */
static void make_usual_folders(struct world *w)
{
	static const char *const folders[] = {
		"/etc",		  "/etc/default", "/etc/firewalld",
		"/etc/sysconfig", "/etc/systemd", "/etc/systemd/system",
		"/var",		  "/var/lib",	  NULL,
	};

	KC_FOREACH_STR (folder, folders)
		(void)mkdir(world_text(w, "%s%s", w->root, folder), 0755);
}

static bool apply(struct world *w, const struct kc_step *step)
{
	const char *path;

	switch (step->kind) {
	case KC_STEP_MAKE_DIR:
		path = below_root(w, step->target);
		return path && mkdir(path, 0755) == 0;
	case KC_STEP_WRITE_FILE:
	case KC_STEP_EDIT_FILE:
		return write_file(w, step);
	case KC_STEP_MOVE_ASIDE:
	case KC_STEP_REMOVE_FILE:
		path = below_root(w, step->target);
		return path && unlink(path) == 0;
	case KC_STEP_UNIT_MASK:
		return mask(w, step->target);
	default:
		return false;
	}
}

bool expect_apply(struct world *w, const struct kc_step *const *steps, size_t n)
{
	bool any = false;

	/* What is loaded, set or started leaves the tree as it is. */
	for (size_t i = 0; i < n; i++) {
		if (steps[i]->kind == KC_STEP_UNIT_DISABLE ||
		    steps[i]->kind == KC_STEP_UNIT_ENABLE || steps[i]->kind == KC_STEP_SET_MODE ||
		    steps[i]->kind == KC_STEP_MANUAL)
			return false;
		any |= steps[i]->horizon == KC_BOOT;
	}
	if (any)
		make_usual_folders(w);
	for (size_t i = 0; any && i < n; i++)
		if (steps[i]->horizon == KC_BOOT && !apply(w, steps[i])) {
			world_complain(w, "step %zu cannot be carried out: %s", i + 1,
				       expect_shown(steps[i]->target));
			return false;
		}
	return any;
}
