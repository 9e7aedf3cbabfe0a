/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A plugin that tries to change the host, in one way a rule, and says what the kernel answered.
 * Whether anything changed is for the test to see, from outside.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "hostile-descriptor.h"
#include "ways.h"

static try_way *find_way(const char *name)
{
	static const struct way *const tables[] = {
		ways_of_files, ways_of_processes, ways_of_sockets, ways_of_kernel, ways_of_channel,
	};

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		for (const struct way *w = tables[i]; w->name; w++) {
			if (strcmp(w->name, name) == 0)
				return w->try;
		}
	}
	return NULL;
}

static int say(const struct kc_host *host, struct kc_run *run, const char *found)
{
	const struct kc_finding finding = {
		.size = sizeof(finding),
		.verdict = KC_FAIL,
		.horizon = KC_NOW,
		.found = found,
		.expected = "refused",
		.source = "hostile",
	};

	return kc_finding(host, run, &finding);
}

/* What takes another worker. */
static int is_beside(const char *name)
{
	return strncmp(name, "sibling-", 8) == 0 || strncmp(name, "forge-", 6) == 0 ||
	       strcmp(name, "send-descriptor") == 0 || strcmp(name, "shared-descriptors") == 0;
}

static void wait_for_sibling(void)
{
	const struct timespec pause = { .tv_nsec = 2 * 1000 * 1000 };
	uint64_t mark;

	for (unsigned i = 0; i < 500 && find_sibling(&mark) == 0; i++)
		(void)nanosleep(&pause, NULL);
}

int hostile_try_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	int64_t victim = 0, other = 0, key = 0, rule = 0;
	struct target target = { 0 };
	const char *name = "", *mark = "0";
	char found[64];
	try_way *way;
	int r;

	(void)state;
	if (kc_param_string(host, run, "way", &name) < 0 ||
	    kc_param_string(host, run, "at", &target.at) < 0)
		return -EINVAL;
	(void)kc_param_number(host, run, "victim", &victim);
	(void)kc_param_number(host, run, "other", &other);
	(void)kc_param_number(host, run, "key", &key);
	(void)kc_param_number(host, run, "rule", &rule);
	(void)kc_param_string(host, run, "mark", &mark);
	target.victim = (pid_t)victim;
	target.other = (pid_t)other;
	target.key = (uint32_t)key;
	target.rule = (uint32_t)rule;
	target.mark = strtoull(mark, NULL, 16);
	way = find_way(name);
	if (!way)
		return -EINVAL;
	if (is_beside(name))
		wait_for_sibling();
	/* A limit lets no file grow, which is an error then, and not the end. */
	(void)signal(SIGXFSZ, SIG_IGN);
	r = way(&target);
	(void)prctl(PR_SET_NAME, "#done", 0, 0, 0);
	if (r == 0)
		return say(host, run, "done");
	(void)snprintf(found, sizeof(found), "%s %d", r == -ENOTSUP ? "not tried" : "refused", -r);
	return say(host, run, found);
}

/* The same before anybody has looked at this object: "way=folder way=folder", of the environment.
 */
__attribute__((constructor)) static void try_early(void)
{
	const char *wanted = getenv("K8SCHECK_TEST_EARLY"),
		   *victim = getenv("K8SCHECK_TEST_VICTIM");
	char *copy = wanted ? strdup(wanted) : NULL, *save = NULL;

	(void)signal(SIGXFSZ, SIG_IGN);
	for (char *p = copy ? strtok_r(copy, " ", &save) : NULL; p;
	     p = strtok_r(NULL, " ", &save)) {
		char *at = strchr(p, '=');
		struct target target = { 0 };
		try_way *way;

		if (!at)
			continue;
		*at++ = '\0';
		target.at = at;
		target.victim = victim ? (pid_t)strtol(victim, NULL, 10) : 0;
		way = find_way(p);
		if (way)
			(void)way(&target);
	}
	free(copy);
}
