/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>

#include "answers.h"
#include "base/fdio.h"
#include "channel.h"
#include "door.h"
#include "process.h"
#include "sys/doors.h"
#include "sys/health.h"
#include "sys/objects.h"
#include "sys/trust.h"

enum {
	ANSWER_MEMORY_MAX = 32 * 1024 * 1024
};

/* A door is in this program, or in a module that links its library. */
struct door_kind {
	kc_door *door;
	const char *module;
	bool own_process; /* for every question */
	bool runs_program; /* which is held to looking by itself */
	uint32_t keep; /* capabilities: bits of linux/capability.h */
};

enum {
	/* A socket may be another user's or group's than root's. */
	CONNECTS = 1u << 1 | 1u << 2, /* CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH */
	READS = 1u << 2,
	READS_PROCESSES = 1u << 2 | 1u << 19, /* and CAP_SYS_PTRACE, for links of /proc/PID */
	/* The resolver becomes nobody before it asks. */
	CHANGES_USER = 1u << 2 | 1u << 6 | 1u << 7, /* CAP_SETGID, CAP_SETUID */
};

static const struct door_kind kinds[KC_ASK_MAX] = {
	[KC_ASK_UNIT] = { .module = "bus", .keep = CONNECTS },
	[KC_ASK_BUS] = { .module = "bus", .keep = CONNECTS },
	[KC_ASK_RUNTIME] = { .module = "runtime", .keep = CONNECTS },
	[KC_ASK_HEALTH] = { .door = kc_door_health, .own_process = true },
	[KC_ASK_LOOKUP] = { .door = kc_door_lookup, .own_process = true, .keep = CHANGES_USER },
	[KC_ASK_PORT] = { .door = kc_door_port, .own_process = true },
	[KC_ASK_PROGRAM] = { .door = kc_door_program, .own_process = true, .runs_program = true },
	[KC_ASK_PROCESS] = { .door = kc_door_process, .keep = READS_PROCESSES },
	[KC_ASK_SYSCTL] = { .door = kc_door_sysctl, .keep = READS_PROCESSES },
	[KC_ASK_SOCKET_HOLDER] = { .door = kc_door_socket_holder, .keep = READS_PROCESSES },
};

const char *kc_door_key(const struct kc_question *question, struct kc_arena *arena)
{
	const struct door_kind *kind = kinds + question->kind;
	const char *key;

	if (kind->own_process)
		return "";
	if (!kind->module)
		return "kernel";
	if (question->kind != KC_ASK_RUNTIME || question->strings.n == 0)
		return kind->module;
	key = kc_arena_printf(arena, "%s %s", kind->module, question->strings.item[0]);
	return key ? key : kind->module;
}

const char *kc_door_late(const struct kc_question *question, struct kc_arena *arena)
{
	return question->kind == KC_ASK_LOOKUP ? kc_lookup_late(question, arena) : NULL;
}

/* A module that is there and trusted; the first folder that has it decides. */
static int open_module(const char *const *dirs, const char *name, struct kc_err *err, int *ret_fd)
{
	int r = -ENOENT;

	KC_FOREACH_STR (dir, dirs) {
		kc_cleanup(kc_freep) char *path = kc_asprintf("%s/%s.so", dir, name);

		if (!path)
			return kc_err_set(err, -ENOMEM, "out of memory");
		r = kc_trust_open(AT_FDCWD, path, KC_TRUST_STICKY, err, ret_fd);
		if (r != -ENOENT)
			return r;
	}
	return kc_err_set(err, r,
			  "this k8scheck has no module %s.so, which asks such questions; "
			  "it was built or packaged without it",
			  name);
}

static int load_module(const char *const *dirs, const char *name, struct kc_err *err,
		       kc_door **ret_door)
{
	const struct kc_door_module *module;
	struct kc_objects objects;
	void *handle;
	char path[64];
	int fd = -EBADF, r;

	r = open_module(dirs, name, err, &fd);
	if (r < 0)
		return r;
	/* The descriptor stays open as long as the object: the loader compares names. */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	kc_objects_begin(&objects);
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	module = handle ? dlsym(handle, "kc_door_module") : NULL;
	if (!module) {
		const char *why = dlerror();

		return kc_err_set(err, -ELIBACC, "the module %s.so cannot be loaded: %s", name,
				  why ? why : "no reason given");
	}
	if (kc_objects_vet(&objects, err) < 0)
		return kc_err_prefix(err, "the module %s.so is refused", name);
	if (module->magic != KC_DOOR_MAGIC || module->size != sizeof(struct kc_question))
		return kc_err_set(err, -ELIBACC, "the module %s.so is of another build", name);
	*ret_door = module->door;
	return 0;
}

struct door {
	const struct kc_run_config *config;
	const struct kc_root *root;
	kc_door *module; /* loaded when first needed */
	struct kc_err refused; /* why there is none, once that was tried */
	bool tried;
	void *state[KC_ASK_MAX];
	struct kc_memo answers;
	bool held; /* to looking */
};

/* By the first question, which others of its key are like. */
static void hold(struct door *d, const struct door_kind *kind)
{
	if (!d->held && !kind->runs_program)
		kc_sandbox_door(d->config->sandbox, kind->keep, kind->keep == READS_PROCESSES);
	d->held = true;
}

/* Once: a second try would find mapped, and take for granted, what the first one refused. */
static void need_module(struct door *d, const struct door_kind *kind)
{
	if (!kind->module || d->tried)
		return;
	d->tried = true;
	(void)load_module(d->config->door_dirs, kind->module, &d->refused, &d->module);
}

/* Does what comes before any answer. What goes wrong, the first question is told. */
static void get_ready(struct door *d, const struct door_kind *kind)
{
	hold(d, kind);
	need_module(d, kind);
}

static void answer(struct door *d, const struct kc_question *question, struct kc_arena *arena,
		   struct kc_answer *ret_answer)
{
	const struct kc_door_host host = { .root = d->root };
	const struct door_kind *kind = kinds + question->kind;
	/* The bus answers two kinds over one connection. */
	uint32_t slot = question->kind == KC_ASK_UNIT ? KC_ASK_BUS : question->kind;
	kc_door *door;

	hold(d, kind);
	if (kc_answers_find(&d->answers, question, ret_answer))
		return;
	need_module(d, kind);
	door = kind->door ? kind->door : d->module;
	if (!door) {
		kc_answer_fail(ret_answer, arena, -ENOSYS, "%s", d->refused.text);
		return;
	}
	door(&host, &d->state[slot], question, arena, ret_answer);
	kc_answers_keep(&d->answers, question, ret_answer);
}

kc_noreturn void kc_door_main(const struct kc_run_config *config, const struct kc_root *root,
			      int channel_fd)
{
	struct door d = { .config = config, .root = root };
	struct kc_channel channel;

	kc_process_name("door");
	kc_channel_init(&channel, channel_fd);
	for (;;) {
		struct kc_arena arena = { .limit = ANSWER_MEMORY_MAX };
		struct kc_answer got = { 0 };
		struct kc_question question;
		struct kc_frame frame;

		if (kc_channel_wait(&channel, UINT64_MAX, &frame) < 0)
			_exit(0);
		if (frame.type == KC_FRAME_EXPECT) {
			get_ready(&d, kinds + KC_ASK_BUS);
			continue;
		}
		if (frame.type != KC_FRAME_ASK || kc_read_question(&frame, &arena, &question) < 0)
			_exit(1);
		answer(&d, &question, &arena, &got);
		kc_frame_answer(&channel.out, frame.rule, &got);
		if (kc_channel_flush_all(&channel) < 0)
			_exit(0);
		kc_arena_done(&arena);
	}
}
