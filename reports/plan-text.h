/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/plan.h"

/*
 * Plans that are made to be read, in the manner of the text report: a host's bytes never begin a
 * line, and never reach the stream raw. `quiet` leaves a line a step and the last lines; `verbose`
 * adds what is so already, whole diffs and the plan's hash.
 */

/*
 * What would be done, rule by rule; "plan: " begins the line of figures, and "next: " those behind
 * it.
 */
kc_plan_writer kc_plan_text_write;

/* The same without the lines "next: ", for who asks a question behind it. */
kc_plan_writer kc_plan_text_show;

/*
 * What has become of it, a line a step, once it was carried out or given up; "repair: " begins
 * the line of figures.
 */
kc_plan_writer kc_plan_text_outcome;
