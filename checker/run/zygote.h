/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"
#include "channel.h"
#include "config.h"
#include "worker.h"

/*
 * The zygote: a process that is prepared once and then forks workers. It runs no foreign code. It
 * adopts what workers leave behind (it is a subreaper) and ends it with them.
 */
struct kc_zygote {
	pid_t pid;
	struct kc_channel channel; /* frames PREPARED, SPAWNED, EXITED */
};

/*
 * Starts it, before the profile is read: of config, only what is known by then reaches the workers.
 * It prepares itself while the caller goes on, and says by a first frame, PREPARED, how
 * that went; frames sent before wait.
 */
int kc_zygote_start(const struct kc_run_config *config, const struct kc_slots *slots,
		    struct kc_err *err, struct kc_zygote *ret_zygote);

/* Asks for a worker. The descriptors stay the caller's. */
int kc_zygote_spawn(struct kc_zygote *zygote, uint32_t id, const struct kc_worker_birth *birth);

/* Asks for a worker's end. */
int kc_zygote_kill(struct kc_zygote *zygote, uint32_t id);

/* Ends it with all workers; waits for a second at most. */
void kc_zygote_stop(struct kc_zygote *zygote);
