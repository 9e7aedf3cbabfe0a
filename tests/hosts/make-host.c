/* SPDX-License-Identifier: Apache-2.0 */

/*
 * make-host HOSTS NAME FOLDER: makes the tree of a fixture host in FOLDER, which must not be there
 * yet, as a disk that is mounted elsewhere has it: what `make` says is made, files belong to whom
 * `owners` says, and /proc, /sys and /run are empty. Prints the arguments that judge it, one a
 * line.
 */

#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

static void run(struct world *w, const char *const *argv)
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

/* Another's disk has nothing of what its kernel showed while it ran. */
static void empty(struct world *w, const char *folder, const char *name)
{
	const char *path = world_text(w, "%s%s", folder, name);

	run(w, (const char *const[]){ "rm", "-rf", path, NULL });
	if (mkdir(path, 0755) < 0)
		world_broken(w, path, strerror(errno));
}

static void own(struct world *w, const char *folder)
{
	const struct kc_yaml_node *owners = kc_yaml_get(w->yaml, "owners");

	for (uint32_t i = 0; owners && i < owners->n; i++)
		run(w, (const char *const[]){
			       "chown", "-h", owners->pair[i].value->scalar,
			       world_text(w, "%s%s", folder, owners->pair[i].key->scalar), NULL });
}

static void print_arguments(struct world *w)
{
	const struct kc_yaml_node *vars = kc_yaml_get(w->yaml, "vars");

	(void)printf("--profile\n%s\n", world_scalar(w->yaml, "profile"));
	for (uint32_t i = 0; vars && i < vars->n; i++)
		(void)printf("--var\n%s=%s\n", vars->pair[i].key->scalar,
			     vars->pair[i].value->scalar);
}

int main(int argc, char **argv)
{
	static struct world w;

	if (argc != 4) {
		(void)fprintf(stderr, "make-host HOSTS NAME FOLDER\n");
		return 2;
	}
	(void)umask(022);
	world_open(&w, argv[1], argv[2], "host.yaml");
	if (mkdir(argv[3], 0755) < 0)
		world_broken(&w, argv[3], strerror(errno));
	/* Owner, and who else may write, are those of a checkout, and nothing of the host's. */
	run(&w, (const char *const[]){ "cp", "-R", "--preserve=timestamps,links",
				       world_text(&w, "%s/.", w.root), argv[3], NULL });
	empty(&w, argv[3], "/proc");
	empty(&w, argv[3], "/sys");
	empty(&w, argv[3], "/run");
	own(&w, argv[3]);
	print_arguments(&w);
	world_close(&w);
	return 0;
}
