/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Between the lists and the tool that makes them (gen-syscalls.c). */
enum {
	/* Stands in a list where the process's own id has to, which is known when it is taken. */
	KC_OWN_PID = 0x6b385049,
};
