/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/fdio.h"
#include "base/num.h"
#include "world-internal.h"

enum {
	BASES_MAX = 4,
};

static void run_program(struct world *w, const char *const *argv)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		(void)execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		world_broken(w, argv[0], "failed");
}

static void make_parents(struct world *w, const char *path)
{
	const char *dir = world_text(w, "%s", path);
	char *slash = strrchr(dir, '/');

	*slash = 0;
	run_program(w, (const char *const[]){ "mkdir", "-p", dir, NULL });
}

static void make_socket(struct world *w, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	kc_cleanup(kc_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		world_broken(w, path, "too long for a socket");
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		world_broken(w, path, strerror(errno));
}

static void make_file(struct world *w, const struct kc_yaml_node *item, const char *path)
{
	kc_cleanup(kc_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	const char *text = world_scalar(item, "text"), *size_text = world_scalar(item, "size");
	uint64_t size = 0;

	if (fd < 0 || (text && kc_write_all(fd, text, strlen(text)) < 0))
		world_broken(w, path, strerror(errno));
	if (size_text && (kc_parse_size(size_text, &size) < 0 || ftruncate(fd, (off_t)size) < 0))
		world_broken(w, path, "size");
}

static void make_one(struct world *w, const struct kc_yaml_node *item)
{
	static const char *const kinds[] = { "dir",    "fifo", "socket", "link", "file",
					     "sparse", "path", "remove", NULL };
	const char *kind = NULL, *path = NULL, *mode = world_scalar(item, "mode");
	int r = 0;

	KC_FOREACH_STR (k, kinds) {
		if (!path && world_scalar(item, k)) {
			kind = k;
			path = world_text(w, "%s%s", w->root, world_scalar(item, k));
		}
	}
	if (!path)
		world_broken(w, "make", "an item of no known kind");
	make_parents(w, path);
	if (kc_streq(kind, "dir"))
		run_program(w, (const char *const[]){ "mkdir", "-p", path, NULL });
	else if (kc_streq(kind, "remove"))
		run_program(w, (const char *const[]){ "rm", "-r", path, NULL });
	else if (kc_streq(kind, "fifo"))
		r = mkfifo(path, 0644);
	else if (kc_streq(kind, "socket"))
		make_socket(w, path);
	else if (kc_streq(kind, "link"))
		r = symlink(world_scalar(item, "to"), path);
	else if (kc_streq(kind, "file") || kc_streq(kind, "sparse"))
		make_file(w, item, path);
	if (r < 0)
		world_broken(w, path, strerror(errno));
	if (mode)
		run_program(w, (const char *const[]){ "chmod", mode, path, NULL });
}

/* Lays a folder's tree over what is there already: its base's first, then its own. */
static void lay(struct world *w, const char *dir, const struct kc_yaml_node *yaml, unsigned depth)
{
	const struct kc_yaml_node *make = kc_yaml_get(yaml, "make");
	const char *base = world_scalar(yaml, "base");

	if (depth > BASES_MAX)
		world_broken(w, dir, "too many bases, one on another");
	if (base) {
		const char *below = world_text(w, "%s/../%s", dir, base);

		lay(w, below, world_read_yaml(w, below), depth + 1);
	}
	if (access(world_text(w, "%s/root", dir), F_OK) == 0)
		run_program(w, (const char *const[]){ "cp", "-a", world_text(w, "%s/root/.", dir),
						      w->root, NULL });
	for (uint32_t i = 0; make && i < make->n; i++)
		make_one(w, make->item[i]);
}

void world_make_root(struct world *w)
{
	const char *own = world_text(w, "%s/root", w->dir);

	if (!kc_yaml_get(w->yaml, "make") && !kc_yaml_get(w->yaml, "base") &&
	    !kc_yaml_get(kc_yaml_get(w->yaml, "expect"), "steps") && access(own, F_OK) == 0) {
		(void)snprintf(w->root, sizeof(w->root), "%s", own);
		return;
	}
	(void)snprintf(w->tmp, sizeof(w->tmp), "/tmp/k8scheck-fixture-XXXXXX");
	if (!mkdtemp(w->tmp))
		world_broken(w, w->tmp, strerror(errno));
	(void)snprintf(w->root, sizeof(w->root), "%s/root", w->tmp);
	run_program(w, (const char *const[]){ "mkdir", w->root, NULL });
	lay(w, w->dir, w->yaml, 0);
}

void world_remove_root(struct world *w)
{
	if (w->tmp[0])
		run_program(w, (const char *const[]){ "rm", "-rf", w->tmp, NULL });
}
