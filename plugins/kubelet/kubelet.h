/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/kubelet-config.h"
#include "kubelet-descriptor.h"

/* What the checks of this plugin share. */

/* One judgement: a horizon of a rule. */
struct judgement {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
	uint32_t horizon; /* KC_NOW or KC_BOOT */
	struct kc_kubelet_config config;
	uint32_t *planning; /* in `plan`: takes the verdict, and nothing is reported; else NULL */
};

/* Judges one horizon of a rule. */
typedef int kubelet_judge(struct judgement *j);

/*
 * Reads the kubelet's configuration for each horizon that is asked, and has it judged. What is no
 * kubelet, or does not run, is skipped here; a process that cannot be made out is an error.
 */
int kubelet_each_horizon(const struct kc_host *host, struct kc_run *run, kubelet_judge *judge);

/* Reads it for one horizon, without any report. */
int kubelet_load(struct judgement *j);

/* Whether there is something to judge, of a configuration that was read without any report. */
bool kubelet_is_judged(const struct judgement *j);

/* As kc_report() and kc_report_skip(), unless a plan is made. */
int kubelet_report(const struct judgement *j, uint32_t verdict, const char *subject,
		   const char *expected, const char *found, const char *source,
		   const char *message);
int kubelet_report_skip(const struct judgement *j, const char *subject, const char *reason,
			const char *message);

/* The value of a fact, or NULL when it is not known. */
const char *kubelet_fact(const struct judgement *j, const char *name);

/* Finds the value of a setting by its key or, where it has none, its flag. */
int kubelet_value(const struct judgement *j, const char *key_or_flag,
		  struct kc_kubelet_value *ret_value);

/*
 * Reports why a value does not count, if anything speaks against it: the kubelet would not start
 * (fail), or something that decides could not be read (error). Returns 1 when it reported, 0 when
 * the value counts.
 */
int kubelet_report_doubt(const struct judgement *j, const char *subject, const char *expected,
			 const struct kc_kubelet_value *value);

/* True when the file that gave the value, or would have, changed after the kubelet started. */
bool kubelet_is_stale(const struct judgement *j, const struct kc_kubelet_value *value);

/* The sentence for that. */
const char *kubelet_stale_text(const struct judgement *j);

/* "a b", either may be empty or NULL; never NULL. */
const char *kubelet_join(const struct judgement *j, const char *a, const char *b);

/* True when two values of a setting mean the same; `setting` may be NULL. */
bool kubelet_same(const struct judgement *j, const struct kc_kubelet_setting *setting,
		  const char *flag, const char *a, const char *b);

/* The pair's value, or NULL. */
const char *kubelet_pair(const struct kc_pairs *pairs, const char *key);

/* What the kubelet's cgroup driver comes to, the runtime's part in it included. */
struct kubelet_driver {
	struct kc_kubelet_value value; /* from_runtime: its origin is that of the end point */
	bool from_runtime; /* the runtime's answer, or what CRI-O's files will make it answer */
	bool undecided; /* it comes from the runtime, which could not be asked; `note` says why */
	const char *note; /* a sentence, or "" */
};

int kubelet_driver(const struct judgement *j, struct kubelet_driver *ret_driver);

/* True when the file that will decide is still to be written by kubeadm, and with it the driver. */
bool kubelet_driver_waits(const struct judgement *j, const struct kubelet_driver *driver);

/* CRI-O's side, from its files. */
enum crio_state {
	CRIO_ABSENT = 1,
	CRIO_UNKNOWN = 2, /* `why` and `why_source` say what stands in the way */
	CRIO_READ = 3,
};

struct crio_side {
	uint32_t state; /* enum crio_state */
	const char *driver, *driver_source;
	const char *socket, *socket_source;
	const char *why, *why_source;
};

int kubelet_crio_side(const struct judgement *j, struct crio_side *ret_side);

/* ---- repair ---- */

/*
 * Plans that the next start of the kubelet has these flags, in the environment file of the
 * distribution; says what to do by hand where that cannot be, or kubeadm's own file has another
 * value. 1: planned; 0: by hand; negative errno. Touches /etc/sysconfig/kubelet and
 * /etc/default/kubelet.
 */
int kubelet_plan_flags(const struct judgement *j, const struct kc_pair *flags, size_t n);

/* Plans the restart for what is wrong now. */
int kubelet_plan_restart(const struct judgement *j, const char *why);
