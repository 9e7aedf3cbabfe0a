/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "model/report.h"

/*
 * Reports made up for tests and benchmarks: nothing of the machine, its clock or its name is in
 * them, so that what is written from them is the same everywhere. All memory is the arena's; each
 * returns NULL when there is none.
 */

/* Every verdict, severity, stage and combination of horizons that a report has to tell apart. */
struct kc_report *kc_make_report(struct kc_arena *arena);

/*
 * The same rules with `text` in every place where a host's bytes may stand: evidence, messages,
 * facts, names of the host, warnings.
 */
struct kc_report *kc_make_report_of(struct kc_arena *arena, const char *text);

/*
 * The same rules after --fix: ip-forward is fixed, bridge-calls waits for a reboot. With a `text`
 * the repair failed, for that reason, with `changed` saying that not all was taken back.
 */
struct kc_report *kc_make_report_repaired(struct kc_arena *arena, const char *text, bool changed);

/*
 * n rules of one check, each judged at both horizons: as a large profile gives. Of every
 * `fail_every` rules one fails (0: none).
 */
struct kc_report *kc_make_report_large(struct kc_arena *arena, uint32_t n, uint32_t fail_every);

/*
 * Texts that a host may hand out to do harm, NULL-terminated: control characters, escape sequences,
 * broken UTF-8, characters that XML does not have, marks of CI commands, a megabyte.
 */
const char *const *kc_hostile_texts(struct kc_arena *arena);

/* What a writer writes, NUL-terminated, in the arena; NULL when it fails. */
char *kc_write_report(struct kc_arena *arena, kc_report_writer *writer,
		      const struct kc_report *report, const struct kc_report_style *style,
		      size_t *ret_size);
