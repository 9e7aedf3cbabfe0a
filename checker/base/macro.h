/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Ownership by attribute: a variable declared with kc_cleanup(f) is handed to f() when it goes out
 * of scope. TAKE_PTR() and TAKE_FD() give ownership away.
 */

#define kc_cleanup(f)	    __attribute__((cleanup(f)))
#define kc_printf(fmt, arg) __attribute__((format(printf, fmt, arg)))
#define kc_must_check	    __attribute__((warn_unused_result))
#define kc_noreturn	    __attribute__((noreturn))

/* A name out of two, the second of which may be a macro such as __LINE__. */
#define KC_PASTE_NOW(a, b) a##b
#define KC_PASTE(a, b)	   KC_PASTE_NOW(a, b)

#define KC_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define KC_MIN(a, b)	 ((a) < (b) ? (a) : (b))
#define KC_MAX(a, b)	 ((a) > (b) ? (a) : (b))

#define TAKE_PTR(p)                                \
	({                                         \
		__typeof__(&(p)) _take_pp = &(p);  \
		__typeof__(p) _take_p = *_take_pp; \
		*_take_pp = NULL;                  \
		_take_p;                           \
	})

/* The sentinel of a descriptor that is not there is -EBADF, so that a slip is a clear error. */
#define TAKE_FD(fd)                        \
	({                                 \
		int *_take_pfd = &(fd);    \
		int _take_fd = *_take_pfd; \
		*_take_pfd = -EBADF;       \
		_take_fd;                  \
	})

/* Defines TYPE_cleanupp(TYPE *p), to be named in kc_cleanup(), from a destructor that takes NULL.
 */
#define KC_DEFINE_CLEANUP(type, func)       \
	static inline void func##p(type *p) \
	{                                   \
		if (*p)                     \
			func(*p);           \
	}                                   \
	struct kc_swallow_semicolon
