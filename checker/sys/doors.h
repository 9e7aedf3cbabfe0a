/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ask.h"

/*
 * The doors that need no library. Each is a kc_door (ask.h) for the questions of one kind, and
 * answers within question->timeout_usec. The bus is in a module of its own, bus.so (bus.h); so is
 * what speaks to runtimes. Questions that make sense on the running system alone are refused for an
 * offline root by whoever asks; the doors do so too where an answer would be about another machine.
 */

/*
 * KC_ASK_LOOKUP: numeric addresses of strings.item[0], each once, in the order of the resolver, an
 * item each. It takes all rights from the process that it runs in, which is good for nothing else
 * then, and it watches no deadline, since the resolver does not: who asks ends that process, and
 * kc_lookup_late() says what that means. -ENOENT: the name has no address; -ETIMEDOUT: no name
 * server answered; -EOPNOTSUPP: the root is not "/", whose resolver alone we have.
 */
kc_door kc_door_lookup;

/* The sentence of -ETIMEDOUT for a look-up that was ended, in the arena; NULL without memory. */
const char *kc_lookup_late(const struct kc_question *question, struct kc_arena *arena);

/*
 * KC_ASK_PORT: connects to the numeric address strings.item[0] at TCP port `number`, says nothing,
 * and closes. -ECONNREFUSED: nobody listens; -ETIMEDOUT: no answer; -ENETUNREACH, -EHOSTUNREACH: no
 * way there; -EINVAL: not a numeric address or port.
 */
kc_door kc_door_port;

/*
 * KC_ASK_PROGRAM: runs the program at the absolute path strings.item[0] with the arguments
 * strings.item[1]…, argv[0] first. Answer: numbers exit code (-1 after a signal) and signal (0 for
 * none); items standard output and standard error, each cut at 64 KiB.
 *
 * Trust: program and every folder above it, through links, belong to root or to who runs this and
 * are writable by nobody else (trust.h); else -EPERM. A script is held to the same rules together
 * with its interpreter, which must not be a script; it gets /dev/fd/N as its name. -EOPNOTSUPP: the
 * root is not "/".
 *
 * The program has a fixed environment, / as its folder, /dev/null as its input, limits (see
 * program.c), no new privileges, and, when this process may make them, PID, network and IPC
 * namespaces of its own: it has no network then, and nothing of it outlives the answer. Without
 * that privilege whatever it left behind is looked for and killed. -ETIMEDOUT: it did not end in
 * time and was killed.
 */
kc_door kc_door_program;

/*
 * KC_ASK_PROCESS: text of the link strings.item[0] ("exe", "cwd", "root", "fd/N") below
 * /proc/`number` of the root. Never follows it. -ENOENT: no such process or descriptor; -EINVAL:
 * another name.
 */
kc_door kc_door_process;

/*
 * KC_ASK_SOCKET_HOLDER: the process with the lowest PID that has the socket of inode `number` open,
 * by the links in /proc/PID/fd of the root, and what /proc/PID/comm calls it ("" when it is gone).
 * -EACCES: none of those that may be seen has it, and there are others. -ENOENT: none has it.
 */
kc_door kc_door_socket_holder;

/* KC_ASK_SYSCTL: the value of strings.item[0], by kc_root_sysctl(). */
kc_door kc_door_sysctl;
