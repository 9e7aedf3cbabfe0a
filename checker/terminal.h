/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/macro.h"

/*
 * Questions to who sits at the terminal. Standard input is not asked: it may be a pipe with an
 * answer that was never given to this question.
 */

/* Whether there is a terminal to ask at. */
bool kc_terminal_there(void);

/* Asks; anything but y or yes, the end of input too, is no. */
bool kc_terminal_ask(const char *fmt, ...) kc_printf(1, 2);
