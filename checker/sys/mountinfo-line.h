/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/*
 * A line of /proc/PID/mountinfo: proc_pid_mountinfo(5), and show_mountinfo() in the kernel's
 * fs/proc_namespace.c. Texts are without the escapes of the kernel (\040 and the like), but for
 * `options`, in which they keep a comma of a value apart from one between values.
 */
struct kc_mountinfo_line {
	uint64_t id, parent; /* of mounts; the parent of a root need not be listed */
	const char *root; /* the folder or file of the file system that is mounted */
	const char *point; /* where, seen from the root of the process; it need not be reached by
			      that */
	/*
	 * MS_* of this mount, as mount(2) takes them to leave it as it is: with neither MS_NOATIME
	 * nor MS_RELATIME, MS_STRICTATIME, without which mount(2) would choose for itself.
	 */
	unsigned long flags;
	const char *type; /* with the subtype: "fuse.sshfs" */
	const char *source; /* may be empty */
	const char *options; /* of the file system, with commas between */
};

/*
 * Cuts a line, which has no newline, in place: all texts of *ret_line are parts of it. -EBADMSG for
 * one that the kernel does not write.
 */
int kc_mountinfo_line(char *text, struct kc_mountinfo_line *ret_line);

/*
 * Goes through a whole table, which is cut in place: *rest is its text first, and then what follows
 * the line. 1; 0 when there is no further line; -EBADMSG for a line that cannot be read, which can
 * be passed over by asking again.
 */
int kc_mountinfo_next(char **rest, struct kc_mountinfo_line *ret_line);
