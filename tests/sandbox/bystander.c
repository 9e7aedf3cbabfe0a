/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The other worker, to which hostile.c does what it can. It says by its name where its word is
 * ('@', then hexadecimal digits), and looks at itself once a worker is named '#done', or is gone.
 */

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bystander-descriptor.h"

enum {
	MOUNTINFO_LEAST = 20,
	PAUSES = 250,
};

static int read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* Whether it has said so, or has come and gone. */
static int other_is_through(int *seen)
{
	char path[64], list[4096], name[64], *save = NULL;
	int n = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)getppid(),
		       (int)getppid());
	if (!read_text(path, list, sizeof(list)))
		return 0;
	for (char *p = strtok_r(list, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
		if (strtol(p, NULL, 10) == getpid())
			continue;
		n++;
		(void)snprintf(path, sizeof(path), "/proc/%s/comm", p);
		if (read_text(path, name, sizeof(name)) && name[0] == '#')
			return 1;
	}
	*seen |= n > 0;
	return *seen && n == 0;
}

/* Limits, CPUs and priority, as one text. */
static void look(char *text, size_t size)
{
	struct rlimit limit = { 0 };
	char stat[1024];
	cpu_set_t cpus;
	long nice = 0;
	const char *p;

	CPU_ZERO(&cpus);
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	(void)sched_getaffinity(0, sizeof(cpus), &cpus);
	/* The 19th field of proc(5)'s stat, the 17th behind the name. */
	p = read_text("/proc/self/stat", stat, sizeof(stat)) ? strrchr(stat, ')') : NULL;
	for (int i = 0; p && i < 17; i++)
		p = strchr(p + 1, ' ');
	if (p)
		nice = strtol(p + 1, NULL, 10);
	(void)snprintf(text, size, "files %llu, CPUs %d, nice %ld",
		       (unsigned long long)limit.rlim_cur, CPU_COUNT(&cpus), nice);
}

static int say(const struct kc_host *host, struct kc_run *run, const char *found)
{
	const struct kc_finding finding = {
		.size = sizeof(finding),
		.verdict = found ? KC_FAIL : KC_PASS,
		.horizon = KC_NOW,
		.expected = found ? "undisturbed" : NULL,
		.found = found,
		.source = "bystander",
	};

	return kc_finding(host, run, &finding);
}

int bystander_stand_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	const struct timespec pause = { .tv_nsec = 2 * 1000 * 1000 };
	volatile char mark[16] = "kept";
	char before[128], after[128], name[24];
	struct kc_strings names;
	struct kc_bytes mounts;
	int seen = 0;

	(void)state;
	look(before, sizeof(before));
	(void)snprintf(name, sizeof(name), "@%llx", (unsigned long long)(uintptr_t)mark);
	(void)prctl(PR_SET_NAME, name, 0, 0, 0);
	for (int i = 0; i < PAUSES && !other_is_through(&seen); i++)
		(void)nanosleep(&pause, NULL);
	look(after, sizeof(after));
	if (mark[0] != 'k' || mark[1] != 'e')
		return say(host, run, "its memory was written");
	if (strcmp(before, after) != 0)
		return say(host, run, after);
	if (kc_mountinfo(host, run, &mounts) < 0 || mounts.size < MOUNTINFO_LEAST)
		return say(host, run, "it sees no mounts");
	if (kc_list_dir(host, run, "/", &names) < 0 || names.n == 0)
		return say(host, run, "it sees no files");
	return say(host, run, NULL);
}

/* ---- what is seen */

struct seeing {
	const struct kc_host *host;
	struct kc_run *run;
};

static int show(const struct seeing *s, const char *what, const char *found)
{
	const struct kc_finding finding = {
		.size = sizeof(finding),
		.verdict = KC_FAIL,
		.horizon = KC_NOW,
		.subject = what,
		.found = found,
		.source = "bystander",
	};

	return kc_finding(s->host, s->run, &finding);
}

/* How long it is, and its FNV-1a: a table of thousands of mounts is no finding. */
static int show_mounts(const struct seeing *s)
{
	uint64_t hash = 0xcbf29ce484222325;
	struct kc_bytes mounts;
	char text[64];

	if (kc_mountinfo(s->host, s->run, &mounts) < 0)
		return show(s, "mounts", kc_why(s->host, s->run));
	for (size_t i = 0; i < mounts.size; i++)
		hash = (hash ^ (unsigned char)mounts.data[i]) * 0x100000001b3;
	(void)snprintf(text, sizeof(text), "%zu %016llx", mounts.size, (unsigned long long)hash);
	return show(s, "mounts", text);
}

/* The mounts of its own namespace: how many, and of those how many let it write, or open devices.
 */
static int show_own(const struct seeing *s, const char *place)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	unsigned n = 0, writable = 0, devices = 0, there = 0;
	char line[4096], path[2048], options[1024], text[128];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %*s %*s %*s %2047s %1023s", path, options) != 2)
			continue;
		n++;
		writable += strncmp(options, "ro", 2) != 0;
		devices += strstr(options, "nodev") == NULL;
		there += strcmp(path, place) == 0;
	}
	if (f)
		(void)fclose(f);
	(void)snprintf(text, sizeof(text),
		       "%u mounts, %u writable, %u with devices, %u at the place", n, writable,
		       devices, there);
	return show(s, "own", text);
}

int bystander_see_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	const struct timespec pause = { .tv_nsec = 2 * 1000 * 1000 };
	const struct seeing s = { host, run };
	const char *place = "", *until = "", *value;
	struct kc_strings keys = { 0 };
	int r = 0;

	(void)state;
	(void)kc_param_string(host, run, "place", &place);
	(void)kc_param_string(host, run, "until", &until);
	(void)kc_param_list(host, run, "keys", &keys);
	(void)prctl(PR_SET_NAME, "@", 0, 0, 0);
	while (until[0] && access(until, F_OK) < 0)
		(void)nanosleep(&pause, NULL);
	for (size_t i = 0; r == 0 && i < keys.n; i++)
		r = show(&s, keys.item[i],
			 kc_sysctl(host, run, keys.item[i], &value) < 0 ? kc_why(host, run)
									: value);
	if (r == 0)
		r = show_mounts(&s);
	return r == 0 ? show_own(&s, place) : r;
}
