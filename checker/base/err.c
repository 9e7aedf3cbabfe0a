/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"

int kc_err_setv(struct kc_err *err, int code, const char *fmt, va_list ap)
{
	if (!err)
		return code;
	err->code = code;
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
	return code;
}

int kc_err_set(struct kc_err *err, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)kc_err_setv(err, code, fmt, ap);
	va_end(ap);
	return code;
}

int kc_err_prefix(struct kc_err *err, const char *fmt, ...)
{
	char old[sizeof(err->text) / 2];
	va_list ap;
	size_t n;
	int r;

	if (!err)
		return -1;
	(void)snprintf(old, sizeof(old), "%.*s", (int)sizeof(old) - 1, err->text);
	va_start(ap, fmt);
	r = vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	if (r < 0)
		return err->code;
	n = KC_MIN((size_t)r, sizeof(err->text) - 1);
	(void)snprintf(err->text + n, sizeof(err->text) - n, ": %s", old);
	return err->code;
}

const char *kc_strerror(int code)
{
	const char *s;

	/* Of glibc 2.32; older ones have the list only as a symbol that newer ones hide. */
#if __GLIBC_PREREQ(2, 32)
	s = strerrordesc_np(abs(code));
#else
	s = abs(code) < sys_nerr ? sys_errlist[abs(code)] : NULL;
#endif
	return s ? s : "unknown error";
}
