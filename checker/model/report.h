/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdio.h>

#include "base/err.h"
#include "result.h"

/* Everything that reports print. Plain values; nothing here asks the host anything. */

struct kc_report_plugin {
	const char *name, *version, *path;
	const char *sha256; /* hexadecimal; NULL where no format prints it */
	uint64_t size; /* bytes of the file */
};

struct kc_report_host {
	const char *hostname;
	const char *kernel; /* release, of the running kernel; NULL for an offline root */
	const char *machine; /* architecture; NULL for an offline root */
	const char *os; /* PRETTY_NAME of os-release; NULL when unknown */
	const char
		*machine_id_hash; /* SHA-256 of "k8scheck" and the machine id; NULL when unknown */
	const char *root; /* "/" or what --root named */
	bool live;
};

/* What is asked of the sandbox that plugins run in. */
enum kc_sandbox_policy {
	KC_SANDBOX_BEST_EFFORT, /* whatever this kernel and this user can have */
	KC_SANDBOX_REQUIRE, /* all of it, or nothing is judged */
	KC_SANDBOX_OFF,
};

struct kc_report_run {
	const char *version; /* of k8scheck */
	uint64_t started_usec; /* since 1970 */
	uint64_t duration_usec;
	uint64_t facts_usec; /* of that, for the facts */
	uint32_t programs_run; /* other programs that were run */
	uint64_t programs_usec;
	uint32_t horizons; /* KC_NOW, KC_BOOT */
	bool strict;
	uint32_t uid; /* who ran it */
	const char *const *sandbox; /* layers in force, NULL-terminated; empty: none */
	const char *const *sandbox_missing; /* those that are not, with why; NULL-terminated; empty:
					       it is off */
	const char *const
		*warnings; /* NULL-terminated, may be NULL: "profile X can be written by …" */
};

/* What --fix has done. */
struct kc_report_repair {
	bool asked; /* --fix was given, and not as a dry run */
	bool changed; /* something of the host was changed, and stayed */
	bool reboot_required; /* what was repaired is complete after a reboot alone */
	bool failed; /* a step failed: all was taken back, or `text` says what was not */
	const char *transaction; /* id, for k8scheck rollback; NULL: there is none */
	const char *text; /* a sentence; may be NULL */
	const char *const *notes; /* sentences, NULL-terminated; may be NULL */
};

struct kc_summary {
	uint32_t n_rules;
	uint32_t by_verdict[KC_VERDICT_MAX];
	uint32_t required_failed, required_undecided, required_applied, required_pending;
	uint32_t exit_code; /* enum kc_exit, but for KC_EXIT_REPORT_FAILED */
};

struct kc_report {
	struct kc_report_host host;
	struct kc_report_run run;
	struct kc_report_repair repair;
	const struct kc_profile *profile;
	const char *const
		*source_digests; /* of the profile's sources; NULL where no format prints it */
	const struct kc_report_plugin *plugins;
	uint32_t n_plugins;
	const struct kc_fact_value *facts;
	uint32_t n_facts;
	const struct kc_result *results; /* of the selected rules, in the profile's order */
	uint32_t n_results;
	struct kc_summary summary;
};

/* Counts verdicts and decides the exit code (strict: recommended rules count as required ones). */
void kc_report_conclude(struct kc_report *report);

/* How to write; a writer ignores what its format does not have. */
struct kc_report_style {
	bool color;
	bool quiet; /* failures and summary only */
	bool verbose; /* every finding, passes too, and durations */
	uint32_t columns; /* of the terminal; 0: no limit */
};

/* Writes a report to a stream. 0, or negative errno with a sentence. Never writes to anything else.
 */
typedef int kc_report_writer(const struct kc_report *report, const struct kc_report_style *style,
			     FILE *out, struct kc_err *err);

/* A report format. Those that need a library are modules REPORT.so that export one
 * `kc_report_format`. */
#define KC_REPORT_MAGIC 0x6b386372u

struct kc_plan;

struct kc_report_format {
	uint32_t magic;
	uint32_t size; /* of struct kc_report: a module of another build is refused */
	const char *name, *title;
	kc_report_writer *write;
	/* SHA-256 in hexadecimal, of a format that prints digests of plugins and profiles; else
	 * NULL.
	 */
	void (*sha256)(const void *data, size_t size, char ret_hex[65]);
	/* A kc_plan_writer (plan.h), of a format that repairs are shown in; else NULL. */
	int (*plan)(const struct kc_plan *plan, const struct kc_report_style *style, FILE *out,
		    struct kc_err *err);
};
