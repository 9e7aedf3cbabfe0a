/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/report.h"

/*
 * The report that is made to be read. Heeds every member of the style: `quiet` leaves failures,
 * rules that could not be decided, and the last line; `verbose` adds every finding, facts and
 * durations. The last line begins "gate: ". A host's bytes never begin a line and never reach the
 * stream raw.
 */
kc_report_writer kc_report_text;

/* The same as a format, for the list of those that are built in. */
extern const struct kc_report_format kc_report_text_format;
