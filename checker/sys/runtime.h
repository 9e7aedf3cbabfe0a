/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ask.h"

/*
 * The door to container runtimes (KC_ASK_RUNTIME): CRI over HTTP/2 on a unix socket below the root,
 * and CRI-O's two documents over HTTP/1.1 on the same socket. Only the questions of enum
 * kc_runtime_question can be asked, all of them read-only and empty. *state keeps one connection,
 * that the next question to the same socket uses again.
 */
kc_door kc_door_runtime;

/* Closes the connection; for those that outlive it (tests). NULL is allowed. */
void kc_door_runtime_close(void *state);

enum {
	KC_RUNTIME_ANSWER_MAX = 4 * 1024 * 1024,
	KC_RUNTIME_DOCUMENT_MAX = 1024 * 1024, /* of /info and /config */
};
