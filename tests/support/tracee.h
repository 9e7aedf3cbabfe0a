/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/*
 * A thread that stands still for its tracer, ptrace(2): what it is about to call, and with what;
 * its memory, descriptors and names. What it is asked of may have been killed meanwhile: then there
 * is no answer, which is never the tracer's end.
 */

/* The call that it stands before. False: there is none. */
bool tracee_call(pid_t pid, uint64_t *ret_nr, uint64_t args[6]);

/* Skips the call that it stands before. */
bool tracee_skip_call(pid_t pid);

bool tracee_set_arg(pid_t pid, unsigned number, uint64_t value);

/* What the call has returned that it stands behind. */
bool tracee_set_result(pid_t pid, long value);

/* All of len bytes. */
bool tracee_read(pid_t pid, uint64_t address, void *data, size_t len);

/* A word of 8 bytes, at whatever the process itself may write to or not. */
bool tracee_write_word(pid_t pid, uint64_t address, uint64_t value);

/* Whether a descriptor is of a regular file, no memfd, or of a block device. */
bool tracee_fd_is_file(pid_t pid, int fd);

/* The process that it is a thread of, or itself. */
pid_t tracee_process(pid_t pid);

/* Whether this is the name of it, of its process, or of the file that it executes. Names of
 * processes end after 15 bytes. */
bool tracee_is(pid_t pid, const char *name);

/* Write what an argument stands for; bytes that are no text as \xNN. */
void tracee_put_fd(FILE *f, pid_t pid, int fd);
void tracee_put_text(FILE *f, pid_t pid, uint64_t address);
/* What is relative is put behind the path of the folder; without a path, it is the folder's own. */
void tracee_put_path(FILE *f, pid_t pid, int dir_fd, uint64_t address);
