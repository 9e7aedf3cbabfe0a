/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/*
 * The times of a folder as text, "ATIME-MTIME" in seconds with nine digits behind the point: what
 * is made and removed in it changes them, and a rollback brings them back.
 */
enum {
	KC_FOLDER_TIMES_MAX = 80
};

int kc_folder_times(int fd, char ret_text[KC_FOLDER_TIMES_MAX], struct kc_err *err);

/* -EBADMSG: that is no text of kc_folder_times(). */
int kc_folder_times_set(int fd, const char *text, struct kc_err *err);

/* True when the folder was last changed (its mtime) when the text says. */
bool kc_folder_times_are(int fd, const char *text);
