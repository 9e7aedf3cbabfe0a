/* SPDX-License-Identifier: Apache-2.0 */

/* A server that sends the input, whatever it is asked, and closes. */

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "sys/grpc.h"
#include "sys/http2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	MAX_BODY = 4096,
	MAX_INPUT = 64 * 1024
};

static void call(struct kc_http2 *h2)
{
	struct kc_http2_answer answer = { 0 };
	struct kc_err err = { 0 };
	uint64_t now = kc_now_usec();
	int r;

	r = kc_http2_call(h2, now, now + 10 * 1000 * 1000, "/runtime.v1.RuntimeService/Version",
			  kc_grpc_empty_request, sizeof(kc_grpc_empty_request), MAX_BODY, &err,
			  &answer);
	if (r > 0 || (r < 0 && (err.code != r || err.text[0] == '\0')))
		abort();
	if (answer.body.len > MAX_BODY || answer.grpc_status < -1 || r == -ETIMEDOUT)
		abort();
	kc_http2_answer_done(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kc_http2 *h2 = NULL;
	struct kc_peer peer;
	int fd[2];

	if (size > MAX_INPUT)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0 ||
	    send(fd[1], data, size, MSG_NOSIGNAL) != (ssize_t)size || shutdown(fd[1], SHUT_WR) < 0)
		abort();
	kc_peer_init(&peer, fd[0], "peer");
	if (kc_http2_new(&peer, NULL, &h2) < 0)
		abort();
	call(h2);
	kc_http2_free(h2);
	(void)close(fd[1]);
	return 0;
}
