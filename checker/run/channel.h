/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "proto.h"

/*
 * One end of a stream socket that carries frames. Not blocking in k8scheck, the broker and the
 * zygote, which wait for many; blocking in a worker, which waits for one.
 */
struct kc_channel {
	int fd;
	struct kc_buf in, out;
	size_t in_used; /* bytes of `in` that were handed out */
	size_t out_sent; /* bytes of `out` that the kernel has taken */
	bool more; /* the last that was received filled its room: there may be more of it */
};

enum {
	KC_CHANNEL_FDS_MAX = 4
};

void kc_channel_init(struct kc_channel *c, int fd);
void kc_channel_done(struct kc_channel *c);

/* Sends what can be sent without waiting. 0, or -EPIPE and the like when the other end is gone. */
int kc_channel_flush(struct kc_channel *c);

/* Sends all, waiting until then. */
int kc_channel_flush_all(struct kc_channel *c);

/*
 * Sends what is queued, at least one frame, waiting until then; the descriptors (1 to
 * KC_CHANNEL_FDS_MAX of them) go with its first byte, and stay the caller's. -EINVAL when nothing
 * is queued, or a part of it is sent already.
 */
int kc_channel_send_fds(struct kc_channel *c, const int *fds, size_t n);

/*
 * Reads what is there, at most 64 KiB, and 4 KiB of the first. 1: something came; 0: the other end
 * closed; -EAGAIN: nothing now. With fds: descriptors that came along, at most KC_CHANNEL_FDS_MAX,
 * -EBADF behind the last; without, they are closed.
 */
int kc_channel_receive(struct kc_channel *c, int fds[KC_CHANNEL_FDS_MAX]);

/* The next whole frame; as kc_frame_next(). It points into the channel until the next call. */
int kc_channel_next(struct kc_channel *c, struct kc_frame *ret_frame);

/*
 * Waits for a whole frame until the deadline (kc_now_usec()), UINT64_MAX for as long as it takes.
 * -ETIMEDOUT, -EPIPE, -EBADMSG.
 */
int kc_channel_wait(struct kc_channel *c, uint64_t deadline_usec, struct kc_frame *ret_frame);

/* Tells the other end that nothing more will come. */
void kc_channel_shut(struct kc_channel *c);

/* Waits until the other end has closed too, or the deadline. Reads and drops what still comes. */
void kc_channel_drain(struct kc_channel *c, uint64_t deadline_usec);
