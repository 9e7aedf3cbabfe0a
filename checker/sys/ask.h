/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/k8scheck-plugin.h"
#include "base/arena.h"
#include "root.h"

/*
 * Questions that are put to others than the file system. A worker sends them, the broker answers
 * them through its doors; a test scripts the answers. A question and an answer are plain values: no
 * descriptor ever goes with them.
 */
enum kc_ask_kind {
	KC_ASK_UNIT = 1, /* strings: unit. Answer: Property, value, … */
	KC_ASK_BUS = 2, /* number: property or method; strings: destination, path, interface,
			   member, args… */
	/* number: enum kc_runtime_question; strings: end point. Answer: key, value, … */
	KC_ASK_RUNTIME = 3,
	KC_ASK_HEALTH = 4, /* strings: url. Answer: number status; body */
	KC_ASK_LOOKUP = 5, /* strings: name. Answer: addresses */
	KC_ASK_PORT = 6, /* number: port; strings: address. Answer: nothing */
	KC_ASK_PROGRAM = 7, /* strings: path, argv…. Answer: numbers exit code, signal; out, err */
	KC_ASK_PROCESS = 8, /* number: pid; strings: "exe", "cwd", "root", "fd/N". Answer: target */
	KC_ASK_SYSCTL = 9, /* strings: path below /proc/sys. Answer: value */
	KC_ASK_ADDRESSES = 10, /* answer: interface, ADDRESS/PREFIX, … */
	KC_ASK_SOCKET_HOLDER = 11, /* number: inode. Answer: number pid; name of the process */
	KC_ASK_SOCKETS = 12, /* number: enum kc_protocol. Answer: a struct kc_socket an item */
	KC_ASK_MAX = 13,
};

/*
 * Of KC_ASK_RUNTIME, beside enum kc_runtime_question and for k8scheck's own use: pods as
 * KC_RUNTIME_PODS has them, and behind the state " static" (the kubelet's own), " daemon-set" or
 * " other": who drains a node leaves the first two.
 */
enum {
	KC_RUNTIME_PODS_OWNED = 8
};

struct kc_question {
	uint32_t kind;
	uint64_t timeout_usec; /* for the whole conversation; never 0 */
	int64_t number;
	struct kc_strings strings;
};

struct kc_answer {
	int code; /* 0 or negative errno, as k8scheck-plugin.h lists them */
	const char *why; /* with a code: one sentence that names the place; else NULL */
	int64_t numbers[2];
	const struct kc_bytes *items;
	size_t n_items;
};

/*
 * A door: answers questions of some kinds. `arena` receives the answer. Returns nothing: a failure
 * is an answer with a code. Runs in a process of its own, but for what the kernel answers at once,
 * which the broker asks itself; may keep a connection in
 * *state (NULL at first). Never hands out a descriptor, never writes anything but the question's
 * own bytes.
 */
struct kc_door_host {
	const struct kc_root *root; /* sockets are found below it */
	const char *plugin_dir; /* unused by doors but the module loader */
};

typedef void kc_door(const struct kc_door_host *host, void **state,
		     const struct kc_question *question, struct kc_arena *arena,
		     struct kc_answer *ret_answer);

/* Doors that need a library live in modules NAME.so that export one `kc_door_module`. */
#define KC_DOOR_MAGIC 0x6b386364u

struct kc_door_module {
	uint32_t magic;
	uint32_t size; /* of struct kc_question: a module of another build is refused */
	kc_door *door;
};

/* Sets an answer's code and sentence; for doors. */
void kc_answer_fail(struct kc_answer *answer, struct kc_arena *arena, int code, const char *fmt,
		    ...) kc_printf(4, 5);

/* The same from an error that has a sentence. */
void kc_answer_err(struct kc_answer *answer, struct kc_arena *arena, const struct kc_err *err);

/* Appends an item to an answer that is being built; -ENOMEM makes it fail with that code. */
void kc_answer_add(struct kc_answer *answer, struct kc_arena *arena, const void *data, size_t size);
void kc_answer_adds(struct kc_answer *answer, struct kc_arena *arena, const char *text);
