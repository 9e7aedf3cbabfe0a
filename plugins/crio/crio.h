/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "crio-descriptor.h"
#include "formats/crio-config.h"

#define CRIO_DROPIN_DIR KC_CRIO_CONFIG_DIR

/* One rule's run: the configuration of the next start, and whom to report to. */
struct judgement {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
	uint32_t horizons;
	const struct kc_crio_config *config;
};

/*
 * Loads the configuration. 1: go on; 0: what could be said is reported; negative errno. In `plan`
 * with `quiet`, nothing is reported.
 */
int crio_begin(struct judgement *j, const struct kc_host *host, struct kc_run *run,
	       struct kc_arena *arena, bool quiet);

/*
 * Judges a boot that cannot be: a configuration that CRI-O refuses is a fail, one that cannot be
 * read an error. True when it was one of them, and is reported.
 */
int crio_boot_refused(const struct judgement *j, const char *subject, const char *expected,
		      bool *ret_refused);

/*
 * The configuration of the crio that runs, by its own answer. 1: *ret_config is set; 0: reported as
 * not running, or as an error; negative errno.
 */
int crio_daemon(const struct judgement *j, const char *subject, struct kc_crio_config **ret_config);

/* Reports for `now` what asking the daemon failed with: it does not run, or it is an error. */
int crio_report_unasked(const struct judgement *j, const char *subject, int code);

/* The value of a pair, or NULL. */
const char *crio_pair(const struct kc_pairs *pairs, const char *key);

/* Says what a person has to do. */
int crio_plan_manual(const struct judgement *j, const char *content, const char *why);

/*
 * When CRI-O refuses its files, or one cannot be read, says what to do by hand: then nothing else
 * may be planned, a restart least of all. 1: said; 0: go on; negative errno.
 */
int crio_plan_blocked(const struct judgement *j);

/*
 * Describes a drop-in NAME below CRIO_DROPIN_DIR with one setting of [crio.runtime]. Where a
 * drop-in would not win against `value`, says what to do by hand instead. 1: planned; 0: by hand;
 * negative errno.
 */
int crio_plan_setting(const struct judgement *j, const struct kc_crio_value *value,
		      const char *name, const char *key, const char *setting);

/* Describes the restart that makes the running crio take its files. */
int crio_plan_restart(const struct judgement *j);
