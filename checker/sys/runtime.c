/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "connect.h"
#include "cri-answer.h"
#include "grpc.h"
#include "http1.h"
#include "http2.h"
#include "runtime-socket.h"
#include "runtime.h"

/* The connection that is kept, and which socket it leads to: a daemon that starts anew makes
 * another. */
struct kept {
	char *path;
	struct kc_http2 *h2;
	dev_t device;
	ino_t inode;
};

/* A question on its way. */
struct inquiry {
	uint32_t question;
	const char *path;
	struct kc_socket_file file;
	uint64_t started, deadline;
	struct kept *kept;
	struct kc_arena *arena;
	struct kc_err err;
};

/* In the order in which the kubelet tries them: v1 came with Kubernetes 1.23, v1alpha2 went
 * with 1.26. */
static const char *const versions[] = { "v1", "v1alpha2" };

static void inquiry_done(struct inquiry *q)
{
	kc_socket_file_done(&q->file);
}

static void drop_connection(struct kept *kept)
{
	if (kept->h2)
		kc_http2_free(kept->h2);
	free(kept->path);
	*kept = (struct kept){ 0 };
}

void kc_door_runtime_close(void *state)
{
	if (state)
		drop_connection(state);
	free(state);
}

static int connect_peer(struct inquiry *q, const char *name, struct kc_peer *ret_peer)
{
	int fd, r;

	r = kc_socket_connect(&q->file, q->path, q->started, q->deadline, &q->err, &fd);
	if (r < 0)
		return r;
	kc_peer_init(ret_peer, fd, name);
	kc_peer_begin(ret_peer, q->started, q->deadline);
	return 0;
}

static int connect_anew(struct inquiry *q)
{
	struct kept *kept = q->kept;
	struct kc_peer peer;
	int r;

	drop_connection(kept);
	kept->path = kc_asprintf("%s", q->path);
	if (!kept->path)
		return kc_err_set(&q->err, -ENOMEM, "%s: out of memory", q->path);
	kept->device = q->file.device;
	kept->inode = q->file.inode;
	r = connect_peer(q, kept->path, &peer);
	if (r < 0)
		return r;
	return kc_http2_new(&peer, &q->err, &kept->h2);
}

static bool can_reuse(const struct inquiry *q)
{
	const struct kept *kept = q->kept;

	return kept->h2 && kc_streq(kept->path, q->path) && kept->device == q->file.device &&
	       kept->inode == q->file.inode && kc_http2_is_usable(kept->h2);
}

/* One call, on the connection that is kept when there is one; that may end just now, so once more
 * then. */
static int call(struct inquiry *q, const char *method, struct kc_http2_answer *answer)
{
	bool reused = can_reuse(q);
	int r;

	for (;;) {
		r = reused ? 0 : connect_anew(q);
		if (r == 0)
			r = kc_http2_call(q->kept->h2, q->started, q->deadline, method,
					  kc_grpc_empty_request, sizeof(kc_grpc_empty_request),
					  KC_RUNTIME_ANSWER_MAX, &q->err, answer);
		if (r != -ECONNRESET || !reused)
			break;
		reused = false;
	}
	if (r < 0)
		drop_connection(q->kept);
	return r;
}

static const char *method_of(uint32_t question, const char **ret_service)
{
	*ret_service = question == KC_RUNTIME_IMAGES ? "ImageService" : "RuntimeService";
	switch (question) {
	case KC_RUNTIME_VERSION:
		return "Version";
	case KC_RUNTIME_STATUS:
		return "Status";
	case KC_RUNTIME_CONFIG:
		return "RuntimeConfig";
	case KC_RUNTIME_PODS:
	case KC_RUNTIME_PODS_OWNED:
		return "ListPodSandbox";
	case KC_RUNTIME_IMAGES:
		return "ListImages";
	default:
		return NULL;
	}
}

/* What a whole answer says beside its message: 0 when that can be read. */
static int judge_statuses(struct inquiry *q, const char *method,
			  const struct kc_http2_answer *answer)
{
	kc_cleanup(kc_buf_done) struct kc_buf words = { 0 };
	char buf[KC_GRPC_STATUS_TEXT];

	if (answer->grpc_status < 0 && answer->http_status != 200)
		return kc_err_set(
			&q->err, -EPROTO,
			"%s: answers %s with HTTP status %d: whoever listens is no container "
			"runtime",
			q->path, method, answer->http_status);
	if (!kc_after_prefix(answer->content_type, "application/grpc"))
		return kc_err_set(&q->err, -EPROTO,
				  "%s: answers %s with content of type \"%s\", not with gRPC",
				  q->path, method, answer->content_type);
	if (answer->grpc_status < 0)
		return kc_err_set(&q->err, -EBADMSG, "%s: its answer to %s lacks a grpc-status",
				  q->path, method);
	if (answer->grpc_status == KC_GRPC_OK)
		return 0;
	kc_escape(&words, answer->grpc_message.data, answer->grpc_message.len);
	return kc_err_set(&q->err, kc_grpc_status_errno(answer->grpc_status),
			  "%s: answers %s with %s%s%.600s", q->path, method,
			  kc_grpc_status_name(answer->grpc_status, buf), words.len > 0 ? ": " : "",
			  words.len > 0 ? words.data : "");
}

static int read_message(struct inquiry *q, const char *api, const char *method,
			const struct kc_http2_answer *reply, struct kc_answer *answer)
{
	const void *message;
	size_t size;
	int r;

	r = kc_grpc_message(reply->body.data, reply->body.len, &q->err, &message, &size);
	if (r == 0)
		r = kc_cri_answer(q->question, api, message, size, q->arena, &q->err, answer);
	if (r < 0)
		(void)kc_err_prefix(&q->err, "%s: its answer to %s cannot be understood", q->path,
				    method);
	return r;
}

static int ask_cri(struct inquiry *q, struct kc_answer *answer)
{
	const char *service, *name = method_of(q->question, &service);
	struct kc_err first = { 0 };

	for (size_t i = 0; i < KC_ARRAY_SIZE(versions); i++) {
		kc_cleanup(kc_http2_answer_done) struct kc_http2_answer reply = { 0 };
		kc_cleanup(kc_freep) char *path = NULL;
		int r;

		path = kc_asprintf("/runtime.%s.%s/%s", versions[i], service, name);
		if (!path)
			return kc_err_set(&q->err, -ENOMEM, "%s: out of memory", q->path);
		r = call(q, path, &reply);
		if (r == 0)
			r = judge_statuses(q, path, &reply);
		if (r == 0)
			return read_message(q, versions[i], path, &reply, answer);
		if (r != -ENOTSUP)
			return r;
		if (i == 0)
			first = q->err;
	}
	return kc_err_set(
		&q->err, -ENOTSUP,
		"%.600s; nor does it know %s of runtime.v1alpha2: it does not speak this part "
		"of CRI",
		first.text, name);
}

/* Whoever closes, or answers in something else, when HTTP/1.1 is asked, is a runtime without these
 * documents. */
static bool is_not_crio(int code, const struct kc_peer *peer)
{
	return code == -EPROTO || (code == -ECONNRESET && peer->received == 0);
}

static int ask_document(struct inquiry *q, const char *document, struct kc_answer *answer)
{
	kc_cleanup(kc_http1_answer_done) struct kc_http1_answer reply = { 0 };
	kc_cleanup(kc_peer_done) struct kc_peer peer = { .fd = -EBADF };
	int r;

	r = connect_peer(q, q->path, &peer);
	if (r < 0)
		return r;
	r = kc_http1_get(&peer, "localhost", document, KC_RUNTIME_DOCUMENT_MAX, &q->err, &reply);
	if (is_not_crio(r, &peer))
		return kc_err_set(&q->err, -ENOTSUP,
				  "%s: is not CRI-O: it does not answer GET %s over HTTP/1.1",
				  q->path, document);
	if (r < 0)
		return r;
	if (reply.status == 404)
		return kc_err_set(&q->err, -ENOTSUP, "%s: is not CRI-O: it has no %s (HTTP 404)",
				  q->path, document);
	if (reply.status != 200)
		return kc_err_set(&q->err, -EREMOTEIO, "%s: answers GET %s with HTTP status %d",
				  q->path, document, reply.status);
	if (q->question == KC_RUNTIME_INFO) {
		r = kc_crio_info(reply.body.data ? reply.body.data : "", reply.body.len, q->arena,
				 &q->err, answer);
		if (r < 0)
			(void)kc_err_prefix(&q->err,
					    "%s: its answer to GET %s cannot be understood",
					    q->path, document);
		return r;
	}
	kc_answer_adds(answer, q->arena, "config");
	kc_answer_add(answer, q->arena, reply.body.data, reply.body.len);
	return 0;
}

static int ask(const struct kc_door_host *host, const struct kc_question *question,
	       struct inquiry *q, struct kc_answer *answer)
{
	int r;

	r = kc_runtime_question_path(question, &q->err, &q->path);
	if (r >= 0)
		r = kc_runtime_find(host->root, q->path, &q->err, &q->file);
	if (r < 0)
		return r;
	q->question = (uint32_t)question->number;
	if (q->question == KC_RUNTIME_INFO)
		return ask_document(q, "/info", answer);
	if (q->question == KC_RUNTIME_CONFIG_FILE)
		return ask_document(q, "/config", answer);
	return ask_cri(q, answer);
}

void kc_door_runtime(const struct kc_door_host *host, void **state,
		     const struct kc_question *question, struct kc_arena *arena,
		     struct kc_answer *ret_answer)
{
	kc_cleanup(inquiry_done) struct inquiry q = {
		.file.path_fd = -EBADF,
		.started = kc_now_usec(),
		.arena = arena,
	};
	struct kc_answer answer = { 0 };

	q.deadline = q.started + question->timeout_usec;
	if (!*state)
		*state = calloc(1, sizeof(struct kept));
	q.kept = *state;
	if (!q.kept)
		kc_answer_fail(&answer, arena, -ENOMEM, "out of memory");
	else if (ask(host, question, &q, &answer) < 0)
		kc_answer_err(&answer, arena, &q.err);
	*ret_answer = answer;
}
