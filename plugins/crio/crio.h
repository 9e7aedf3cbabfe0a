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
	bool quiet; /* in `plan`: nothing is reported */
	const struct kc_crio_config *config;
};

/* Loads the configuration. 1: go on; 0: what could be said is reported; negative errno. */
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

/* Says what a person has to do for the next start. */
int crio_plan_manual(const struct judgement *j, const char *content, const char *why);

/*
 * When CRI-O refuses its files, or one cannot be read, says what to do by hand: then nothing else
 * may be planned, a restart least of all. 1: said; 0: go on; negative errno.
 */
int crio_plan_blocked(const struct judgement *j);

/* A setting of [crio.runtime] in a drop-in of its own. */
struct crio_setting {
	const char *dropin; /* its name below CRIO_DROPIN_DIR */
	const char *key, *value;
	uint32_t flags; /* of the step */
};

/*
 * Describes a drop-in with the setting. Where it would not win against `beaten`, says what to do by
 * hand instead. 1: planned; 0: by hand; negative errno.
 */
int crio_plan_setting(const struct judgement *j, const struct kc_crio_value *beaten,
		      const struct crio_setting *setting);

/* Describes the restart that makes the running crio take its files, for what is wrong now. */
int crio_plan_restart(const struct judgement *j);
