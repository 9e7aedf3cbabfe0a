/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/packages.h"

/* What all parts of the gathering share. */
struct node {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena arena;
	bool live;
	const char *release, *machine; /* of the running kernel; NULL when they are not known */
	bool looked; /* the package database was read, or cannot be: then it has none */
	struct kc_packages packages;
};

/* The three states of a fact. Errors of the host's are those of a fact that it does not know: none.
 */
void node_known(struct node *n, const char *name, const char *value, const char *source);
void node_absent(struct node *n, const char *name, const char *why);
void node_unknown(struct node *n, const char *name, const char *why);

/* What was found for a fact, so that it can be said once all places have been looked at. */
struct node_value {
	uint32_t state; /* enum kc_fact_state */
	const char *value, *source;
};
void node_set(struct node *n, const char *name, const struct node_value *value);

/* Text in the run's memory, by kc_text(). */
#define node_text(n, ...) kc_text((n)->host, (n)->run, __VA_ARGS__)

/* The run's sentence about what failed last, kept. */
const char *node_why(struct node *n);

/* 1: something is there; 0: nothing; negative errno: it could not be seen, with node_why(). */
int node_exists(struct node *n, const char *path);

/*
 * The type of the file system at a mount point of the running system; NULL when nothing is mounted
 * there, or nothing can be said, with the code in *ret_code.
 */
const char *node_mount_type(struct node *n, const char *path, int *ret_code);

void node_gather_os(struct node *n);
void node_gather_kernel(struct node *n); /* sets n->release and n->machine; first of all */
void node_gather_init(struct node *n);
void node_gather_selinux(struct node *n);
void node_gather_cgroup(struct node *n);
void node_gather_virt(struct node *n);
void node_gather_runtime(struct node *n);
void node_gather_kubernetes(struct node *n);

/*
 * The version of a program that is there, by the cheapest place that knows: the package databases
 * if it lies in /usr/bin or /usr/sbin (dpkg's file, or `rpm`), then its own answer to `option`
 * (and `option2`, which may be NULL). `packages` are the names to look for, NULL-terminated.
 */
struct node_program {
	const char *path;
	const char *const *packages;
	const char *option, *option2;
};
struct node_value node_program_version(struct node *n, const struct node_program *program);

/* The first of the paths that is there: 1, 0, or negative errno with node_why(). */
int node_first_of(struct node *n, const char *const *paths, const char **ret_path);

/* The first version in a text: "1.18.4" of "Kubernetes v1.18.4+k3s1", "1.30.0-rc.1"; NULL for none.
 */
const char *node_find_version(struct node *n, const char *text);
