/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"
#include "channel.h"
#include "config.h"

/*
 * The broker: the only process of a run that has a connection to anybody. k8scheck starts it,
 * passes questions and answers on as frames, and workers never see a descriptor of its. Behind it
 * every door has a process of its own: one for the bus, one a runtime's socket, one a program; so
 * one that hangs or falls over a reply holds up nobody else. What the kernel answers at once
 * (addresses, sockets) the broker asks it itself.
 */
struct kc_broker {
	pid_t pid; /* 0: not started */
	struct kc_channel
		channel; /* ASK out, ANSWER in; `rule` of a frame is the question's number */
};

/*
 * It does nothing until it is asked, and is better started early: what the caller has in memory by
 * then, both would pay for page by page. It ends with the caller, or with the channel. -errno.
 */
int kc_broker_start(const struct kc_run_config *config, struct kc_err *err,
		    struct kc_broker *ret_broker);

/*
 * Says that the bus will most likely be asked, so that its door gets ready while nobody waits yet.
 * Changes no answer.
 */
void kc_broker_expect_bus(struct kc_broker *broker);

/* Ends it with all doors. */
void kc_broker_stop(struct kc_broker *broker);
