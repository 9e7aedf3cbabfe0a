/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Who is greedy: a plugin's check, or a program that a check has run. */
struct greedy {
	const char *at; /* a file or a folder that it may use up */
	uint32_t key; /* of names and of System V objects, and of so many behind it as it likes */
	char said[128]; /* what it came to */
};

/* 0: it has all that it wanted. Negative errno: what the first call that was refused gave. */
typedef int greed(struct greedy *g);

struct want {
	const char *name;
	greed *take;
};

/* Each ends with an empty one. */
extern const struct want wants_of_memory[], wants_of_processes[];

/* NULL: no such. */
greed *find_greed(const char *name);

/*
 * Nothing that the kernel lets go on goes on for longer than this: what k8scheck does not end shall
 * be seen to be there, and not use up the machine of who runs the test.
 */
enum {
	AT_MOST_SECONDS = 20,
};

/* Whether that time is over; `since` is of the first call, 0 before it. */
int is_over(int64_t *since);
