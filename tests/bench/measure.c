/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Times a command as a whole, and finds the most memory that it and all its descendants hold
 * together. measure RUNS COMMAND ARGUMENT… prints one line of JSON: wall-clock milliseconds (min,
 * median, max), CPU milliseconds (median), and the peak of the sum of PSS in KiB, by sampling as
 * fast as can be in as many further runs. What a process shares with others counts by its share
 * there, so the sum counts nothing twice.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	RUNS_MAX = 1000,
	DESCENDANTS_MAX = 256
};

static double now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static pid_t start(char **argv)
{
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		(void)dup2(null, 1);
		(void)dup2(null, 2);
		(void)execv(argv[0], argv);
		_exit(127);
	}
	return pid;
}

static size_t read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, size - 1);

	if (fd >= 0)
		(void)close(fd);
	n = n < 0 ? 0 : n;
	buf[n] = 0;
	return (size_t)n;
}

static uint64_t pss_of(pid_t pid)
{
	char path[64], text[4096];
	const char *line;

	(void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	(void)read_file(path, text, sizeof(text));
	line = strstr(text, "\nPss:");
	return line ? strtoull(line + 5, NULL, 10) : 0;
}

/* The sum over a process and what descends from it; how many there are in *ret_n. */
static uint64_t pss_of_tree(pid_t root, unsigned *ret_n)
{
	pid_t list[DESCENDANTS_MAX] = { root };
	unsigned n = 1;
	uint64_t sum = 0;

	for (unsigned i = 0; i < n; i++) {
		char path[64], text[4096], *save = NULL;

		sum += pss_of(list[i]);
		(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)list[i],
			       (int)list[i]);
		(void)read_file(path, text, sizeof(text));
		for (char *word = strtok_r(text, " ", &save); word && n < DESCENDANTS_MAX;
		     word = strtok_r(NULL, " ", &save))
			list[n++] = (pid_t)strtoul(word, NULL, 10);
	}
	*ret_n = n;
	return sum;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double cpu_ms(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e3 +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e3;
}

int main(int argc, char **argv)
{
	static double wall[RUNS_MAX], cpu[RUNS_MAX];
	unsigned long runs = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	unsigned processes = 0;
	uint64_t peak = 0;
	int status = 0;

	if (runs == 0 || runs > RUNS_MAX) {
		(void)fprintf(stderr, "usage: measure RUNS COMMAND ARGUMENT...\n");
		return 2;
	}
	for (unsigned long i = 0; i <= runs; i++) {
		double begin = now_ms();
		struct rusage usage;
		pid_t pid = start(argv + 2);

		(void)wait4(pid, &status, 0, &usage);
		/* The first fills caches, and is not counted. */
		if (i > 0) {
			wall[i - 1] = now_ms() - begin;
			cpu[i - 1] = cpu_ms(&usage);
		}
	}
	for (unsigned long i = 0; i < runs; i++) {
		pid_t pid = start(argv + 2);

		while (waitpid(pid, &status, WNOHANG) == 0) {
			unsigned n = 0;
			uint64_t pss = pss_of_tree(pid, &n);

			peak = pss > peak ? pss : peak;
			processes = n > processes ? n : processes;
		}
	}
	qsort(wall, runs, sizeof(*wall), compare);
	qsort(cpu, runs, sizeof(*cpu), compare);
	(void)printf(
		"{\"wall_ms\": {\"min\": %.2f, \"median\": %.2f, \"max\": %.2f}, \"cpu_ms\": %.2f, "
		"\"pss_kib\": %llu, \"processes\": %u, \"status\": %d}\n",
		wall[0], wall[runs / 2], wall[runs - 1], cpu[runs / 2], (unsigned long long)peak,
		processes, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	return 0;
}
