/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"
#include "model/report.h"

/*
 * Where reports go: `--report FORMAT[=FILE]`. A file is written whole or not at all: under a
 * temporary name in the same folder, then renamed, so that a reader has the old report or the new
 * one, never half of one. Character devices and FIFOs are written to and never replaced; a FIFO
 * whose reader takes nothing for 30 s is given up. Every failure ends in a sentence that begins
 * "could not write the report FORMAT to FILE".
 *
 * Whoever calls this ignores SIGPIPE; a reader that went away is an error like others then.
 */
struct kc_report_spec {
	char *format;
	char *path; /* NULL: standard output */
};

/*
 * "FORMAT", "FORMAT=-" (both standard output) or "FORMAT=FILE". -EINVAL for a text that is none of
 * them. Whether there is such a format is not looked at.
 */
int kc_report_spec_parse(const char *text, struct kc_err *err, struct kc_report_spec *ret_spec);
void kc_report_spec_done(struct kc_report_spec *spec);

struct kc_report_output;

/*
 * Opens the place before anything is judged, so that a report that cannot be written is said at
 * once: the folder is there and files can be made in it, the FIFO has a reader. Leaves nothing
 * behind in the folder yet. -EBADF for a descriptor that is closed or is one of this program's own;
 * what kc_report_target_find() gives; -ENXIO for a FIFO that nobody reads; and what open(2) gives.
 */
int kc_report_output_open(const struct kc_report_spec *spec, struct kc_err *err,
			  struct kc_report_output **ret_output);

/*
 * True when one report would be lost or both mixed: they go to the same name, to the same pipe or
 * descriptor, or one takes the name of the file that the other is written to. A device takes both.
 */
bool kc_report_output_same(const struct kc_report_output *a, const struct kc_report_output *b);

/* Writes one report, once. What stands under the name in FILE is untouched until
 * kc_report_output_commit(). */
int kc_report_output_write(struct kc_report_output *output, kc_report_writer *writer,
			   const struct kc_report *report, const struct kc_report_style *style,
			   struct kc_err *err);

/* Puts the report in its place, durably. Only after a write that succeeded. -ESTALE when what
 * stands there is no regular file any more. */
int kc_report_output_commit(struct kc_report_output *output, struct kc_err *err);

/* Frees, and removes what was written and not committed. */
void kc_report_output_free(struct kc_report_output *output);
KC_DEFINE_CLEANUP(struct kc_report_output *, kc_report_output_free);

/* The descriptor of standard output, a device or a FIFO, to ask what it is; -EBADF for a file. */
int kc_report_output_fd(const struct kc_report_output *output);
