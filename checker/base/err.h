/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdarg.h>

#include "macro.h"

/*
 * A sentence for a person, beside the negative errno for the program. The caller owns it, usually
 * on the stack; it never allocates, so an error can be told when memory is short.
 *
 * A function that takes one accepts NULL and writes it only when it fails.
 */
struct kc_err {
	int code;
	char text[1024];
};

/* Sets code and text (cut when too long) and returns code, so that a caller can return the call. */
int kc_err_set(struct kc_err *err, int code, const char *fmt, ...) kc_printf(3, 4);
int kc_err_setv(struct kc_err *err, int code, const char *fmt, va_list ap) kc_printf(3, 0);

/* Puts "prefix: " in front of a text that is there; returns err->code. For context on the way up.
 */
int kc_err_prefix(struct kc_err *err, const char *fmt, ...) kc_printf(2, 3);

/* strerror() without its shared buffer: takes positive or negative errno, returns a constant text.
 */
const char *kc_strerror(int code);
