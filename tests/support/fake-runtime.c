/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "fake-runtime.h"

enum {
	DRIP_USEC = 50 * 1000,
	HUGE_BODY = 5 * 1024 * 1024
};

const struct fake_mode fake_modes[] = {
	{ "crio", "cri-o 1.18.4: v1 and v1alpha2, /info and /config; no RuntimeConfig" },
	{ "drained", "crio, with a pod of a daemon set beside the static one" },
	{ "busy", "drained, and one more that runs" },
	{ "crio-1.37", "cri-o 1.37.0: v1 alone, with RuntimeConfig; /info and /config" },
	{ "grpc-only", "a runtime without HTTP/1.1, v1 alone, whose SETTINGS come at once" },
	{ "v1alpha2", "v1alpha2 alone" },
	{ "unimplemented", "gRPC, but neither version of CRI" },
	{ "not-ready", "RuntimeReady is false" },
	{ "starting", "answers UNAVAILABLE" },
	{ "forbidden", "answers PERMISSION_DENIED" },
	{ "deadline", "answers DEADLINE_EXCEEDED" },
	{ "internal", "answers INTERNAL with a message in UTF-8" },
	{ "secrets", "answers INTERNAL with a password and a token in the message" },
	{ "silent", "accepts and says nothing" },
	{ "full", "accepts nobody, and its queue is full" },
	{ "drip", "sends a byte now and then, for ever" },
	{ "stall", "sends half an answer and stops" },
	{ "rubbish", "speaks no protocol at all" },
	{ "http1", "a web server" },
	{ "http2-web", "a web server with HTTP/2" },
	{ "close", "closes at once" },
	{ "hang-up", "reads the question and closes" },
	{ "half", "sends half an answer and closes" },
	{ "crash", "greets and dies" },
	{ "truncated", "ends its answer in the middle of a message" },
	{ "undecodable", "answers with a message that is none" },
	{ "empty", "answers with a message without fields" },
	{ "compressed", "answers compressed" },
	{ "no-status", "answers without grpc-status" },
	{ "reset", "breaks off the answer by RST_STREAM" },
	{ "goaway", "says GOAWAY in place of an answer" },
	{ "huge", "answers with 5 MiB" },
	{ "fields", "answers with very many header fields" },
	{ "pings", "sends PING frames without end" },
	{ "bad-frame", "breaks HTTP/2: a frame of DATA on no stream" },
	{ "once", "closes the connection after each answer" },
	{ "goaway-after", "says GOAWAY after each answer" },
	{ "second-dies", "reads a second question on a connection and closes" },
	{ NULL, NULL },
};

struct server {
	const char *mode;
	nghttp2_session *session;
	char path[128];
	struct kc_buf body;
	size_t sent, stop_at; /* stop_at: cut the body there */
	bool cut, answered;
	unsigned answers;
};

static bool is(const struct server *s, const char *mode)
{
	return kc_streq(s->mode, mode);
}

static void write_all(int fd, const void *data, size_t size)
{
	const char *p = data;

	while (size > 0) {
		ssize_t n = send(fd, p, size, MSG_NOSIGNAL);

		if (n < 0)
			_exit(0);
		p += n;
		size -= (size_t)n;
	}
}

/* ---- messages, by hand: tag, length, bytes ---- */

static void put_bytes(struct kc_buf *b, unsigned field, const void *data, size_t size)
{
	kc_buf_addc(b, (char)(field << 3 | 2));
	if (size > 127)
		kc_buf_addc(b, (char)(size & 127) | (char)128);
	kc_buf_addc(b, (char)(size > 127 ? size >> 7 : size));
	kc_buf_add(b, data, size);
}

static void put_text(struct kc_buf *b, unsigned field, const char *text)
{
	put_bytes(b, field, text, strlen(text));
}

static void put_version(const struct server *s, struct kc_buf *b)
{
	bool new = is(s, "crio-1.37");

	put_text(b, 1, "0.1.0");
	put_text(b, 2, is(s, "grpc-only") ? "containerd" : "cri-o");
	put_text(b, 3, is(s, "grpc-only") ? "1.6.20~ds1" : new ? "1.37.0" : "1.18.4");
	put_text(b, 4, new || is(s, "grpc-only") ? "v1" : "v1alpha1");
}

static void put_status(const struct server *s, struct kc_buf *b)
{
	kc_cleanup(kc_buf_done) struct kc_buf ready = { 0 }, network = { 0 }, status = { 0 };

	put_text(&ready, 1, "RuntimeReady");
	if (is(s, "not-ready")) {
		put_text(&ready, 3, "StorageNotReady");
		put_text(&ready, 4, "storage is not mounted");
	} else {
		kc_buf_add(&ready, "\x10\x01", 2);
	}
	put_text(&network, 1, "NetworkReady");
	put_text(&network, 3, "NetworkPluginNotReady");
	put_text(&network, 4, "Missing CNI default network");
	put_bytes(&status, 1, ready.data, ready.len);
	put_bytes(&status, 1, network.data, network.len);
	put_bytes(b, 1, status.data, status.len);
}

static void put_pair(struct kc_buf *b, unsigned field, const char *key, const char *value)
{
	kc_cleanup(kc_buf_done) struct kc_buf pair = { 0 };

	put_text(&pair, 1, key);
	put_text(&pair, 2, value);
	put_bytes(b, field, pair.data, pair.len);
}

/* One of the kubelet's own, one that has ended, one of a daemon set; a busy node has one more. */
static void put_pods(const struct server *s, struct kc_buf *b)
{
	static const char *const pods[][3] = {
		{ "0a1b", "etcd-node1", "kube-system" },
		{ "2c3d", "web-0", "default" },
		{ "4e5f", "proxy-x7k2p", "networking" },
		{ "6a7b", "web-1", "default" },
	};
	const size_t n = is(s, "busy") ? 4 : is(s, "drained") ? 3 : 2;

	for (size_t i = 0; i < n; i++) {
		kc_cleanup(kc_buf_done) struct kc_buf pod = { 0 }, metadata = { 0 };

		put_text(&metadata, 1, pods[i][1]);
		put_text(&metadata, 3, pods[i][2]);
		put_text(&pod, 1, pods[i][0]);
		put_bytes(&pod, 2, metadata.data, metadata.len);
		if (i == 1)
			kc_buf_add(&pod, "\x18\x01", 2);
		if (i == 2)
			put_pair(&pod, 5, "pod-template-generation", "1");
		put_pair(&pod, 6, "kubernetes.io/config.source", i == 0 ? "file" : "api");
		put_bytes(b, 1, pod.data, pod.len);
	}
}

static void put_images(struct kc_buf *b)
{
	kc_cleanup(kc_buf_done) struct kc_buf tagged = { 0 }, pinned = { 0 };

	put_text(&tagged, 1, "80d28bedfe5d");
	put_text(&tagged, 2, "k8s.gcr.io/pause:3.2");
	put_text(&pinned, 1, "aa11");
	put_text(&pinned, 3, "k8s.gcr.io/etcd@sha256:00");
	put_bytes(b, 1, tagged.data, tagged.len);
	put_bytes(b, 1, pinned.data, pinned.len);
}

static void put_message(const struct server *s, const char *method, struct kc_buf *b)
{
	if (is(s, "empty"))
		return;
	if (is(s, "undecodable"))
		kc_buf_add(b, "\x0a\x7f rubbish", 10);
	else if (kc_streq(method, "Version"))
		put_version(s, b);
	else if (kc_streq(method, "Status"))
		put_status(s, b);
	else if (kc_streq(method, "RuntimeConfig"))
		kc_buf_add(b, "\x0a\x02\x08\x01", 4);
	else if (kc_streq(method, "ListPodSandbox"))
		put_pods(s, b);
	else if (kc_streq(method, "ListImages"))
		put_images(b);
}

static void put_frame(struct kc_buf *b, bool compressed, const struct kc_buf *message)
{
	kc_buf_addc(b, compressed ? 1 : 0);
	for (int shift = 24; shift >= 0; shift -= 8)
		kc_buf_addc(b, (char)(message->len >> shift & 255));
	kc_buf_add(b, message->data, message->len);
}

/* ---- HTTP/2 ---- */

#define FIELD(n, v)                                                                    \
	{                                                                              \
		.name = (uint8_t *)(uintptr_t)(n), .value = (uint8_t *)(uintptr_t)(v), \
		.namelen = strlen(n), .valuelen = strlen(v),                           \
	}

static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *data, size_t size,
			 uint32_t *flags, nghttp2_data_source *source, void *user)
{
	const nghttp2_nv trailers[] = { FIELD("grpc-status", "0"), FIELD("grpc-message", "") };
	struct server *s = user;
	size_t end = s->stop_at ? s->stop_at : s->body.len;
	size_t n = KC_MIN(size, end - s->sent);

	if (s->stop_at && n == 0) {
		s->cut = true;
		return NGHTTP2_ERR_DEFERRED;
	}
	memcpy(data, s->body.data + s->sent, n);
	s->sent += n;
	if (s->sent == s->body.len) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		if (!is(s, "no-status") && !is(s, "http2-web")) {
			*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
			(void)nghttp2_submit_trailer(session, stream, trailers, 2);
		}
		s->answered = true;
		s->answers++;
	}
	return (ssize_t)n;
}

static int answer_status(struct server *s, int32_t stream, const char *status, const char *message)
{
	const nghttp2_nv fields[] = {
		FIELD(":status", "200"),
		FIELD("content-type", "application/grpc"),
		FIELD("grpc-status", status),
		FIELD("grpc-message", message),
	};

	s->answered = true;
	s->answers++;
	return nghttp2_submit_headers(s->session, NGHTTP2_FLAG_END_STREAM, stream, NULL, fields, 4,
				      NULL);
}

static bool knows(const struct server *s, const char *version, const char *method)
{
	bool old = kc_streq(version, "v1alpha2");

	if (is(s, "unimplemented") || (is(s, "v1alpha2") && !old))
		return false;
	if (old && (is(s, "crio-1.37") || is(s, "grpc-only")))
		return false;
	return !kc_streq(method, "RuntimeConfig") || is(s, "crio-1.37");
}

static void make_body(struct server *s, const char *method)
{
	kc_cleanup(kc_buf_done) struct kc_buf message = { 0 };

	kc_buf_reset(&s->body);
	put_message(s, method, &message);
	if (is(s, "huge")) {
		char *zeros = calloc(1, HUGE_BODY);

		if (!zeros)
			_exit(1);
		kc_buf_add(&message, zeros, HUGE_BODY);
		free(zeros);
	}
	put_frame(&s->body, is(s, "compressed"), &message);
	if (is(s, "truncated"))
		s->body.len -= 7;
	if (is(s, "http2-web")) {
		kc_buf_reset(&s->body);
		kc_buf_adds(&s->body, "<html></html>");
	}
	s->sent = 0;
	s->stop_at = is(s, "half") || is(s, "stall") || is(s, "reset") ? s->body.len / 2 : 0;
}

static int answer_message(struct server *s, int32_t stream, const char *method)
{
	const char *type = is(s, "http2-web") ? "text/html" : "application/grpc";
	const char *status = is(s, "http2-web") ? "404" : "200";
	const nghttp2_data_provider provider = { .read_callback = read_body };
	nghttp2_nv fields[80] = { FIELD(":status", status), FIELD("content-type", type) };
	size_t n = 2;

	make_body(s, method);
	if (is(s, "fields")) {
		const nghttp2_nv more = FIELD("x-more", "and more");

		while (n < KC_ARRAY_SIZE(fields))
			fields[n++] = more;
	}
	return nghttp2_submit_response(s->session, stream, fields, n, &provider);
}

static int answer_call(struct server *s, int32_t stream)
{
	static const char *const codes[][3] = {
		{ "starting", "14", "server is not initialized yet" },
		{ "forbidden", "7", "not for you" },
		{ "deadline", "4", "context deadline exceeded" },
		{ "internal", "13", "no caf%C3%A9 100%25" },
		{ "secrets", "13",
		  "https://puller:Zq7runtime1@registry.example/: token=Zq7runtime2 is no good" },
	};
	char version[32] = "", service[32] = "", method[32] = "";

	if (is(s, "second-dies") && s->answers > 0)
		_exit(0);
	for (size_t i = 0; i < KC_ARRAY_SIZE(codes); i++) {
		if (is(s, codes[i][0]))
			return answer_status(s, stream, codes[i][1], codes[i][2]);
	}
	if (is(s, "goaway"))
		return nghttp2_submit_goaway(s->session, NGHTTP2_FLAG_NONE, 0,
					     NGHTTP2_ENHANCE_YOUR_CALM,
					     (const uint8_t *)"too_many_pings", 14);
	if (sscanf(s->path, "/runtime.%31[^.].%31[^/]/%31s", version, service, method) != 3 ||
	    !knows(s, version, method)) {
		char message[200];

		(void)snprintf(message, sizeof(message), "unknown service runtime.%s.%s", version,
			       service);
		return answer_status(s, stream, "12", message);
	}
	return answer_message(s, stream, method);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
		     void *user)
{
	struct server *s = user;

	if (name_size == 5 && memcmp(name, ":path", 5) == 0)
		(void)snprintf(s->path, sizeof(s->path), "%.*s", (int)value_size,
			       (const char *)value);
	return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	bool call = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;

	if (call && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		return answer_call(user, frame->hd.stream_id);
	return 0;
}

static void flush(struct server *s, int fd)
{
	const uint8_t *data;
	ssize_t n;

	while ((n = nghttp2_session_mem_send(s->session, &data)) > 0)
		write_all(fd, data, (size_t)n);
	if (n < 0)
		_exit(1);
}

/* What a mode does after a whole or a cut answer. */
static void misbehave(struct server *s, int fd)
{
	if (s->cut && is(s, "half"))
		_exit(0);
	if (s->cut && is(s, "reset")) {
		s->cut = false;
		(void)nghttp2_submit_rst_stream(s->session, NGHTTP2_FLAG_NONE, 1,
						NGHTTP2_INTERNAL_ERROR);
		flush(s, fd);
	}
	if (s->answered && is(s, "once"))
		_exit(0);
	if (s->answered && is(s, "goaway-after")) {
		(void)nghttp2_session_terminate_session(s->session, NGHTTP2_NO_ERROR);
		flush(s, fd);
	}
	s->answered = false;
}

static void serve_http2(int fd, const char *mode)
{
	struct server s = { .mode = mode };
	nghttp2_session_callbacks *callbacks;
	uint8_t data[4096];
	ssize_t n;

	if (nghttp2_session_callbacks_new(&callbacks) != 0)
		_exit(1);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	if (nghttp2_session_server_new(&s.session, callbacks, &s) != 0 ||
	    nghttp2_submit_settings(s.session, NGHTTP2_FLAG_NONE, NULL, 0) != 0)
		_exit(1);
	flush(&s, fd);
	while ((n = read(fd, data, sizeof(data))) > 0) {
		/* As grpc-go does with what is no preface: the connection ends. */
		if (nghttp2_session_mem_recv(s.session, data, (size_t)n) < 0)
			break;
		flush(&s, fd);
		misbehave(&s, fd);
	}
	_exit(0);
}

/* ---- HTTP/1.1 ---- */

static void serve_document(int fd, const char *request)
{
	static const char info[] = "{\"storage_driver\":\"overlay\",\"storage_root\":"
				   "\"/var/lib/containers/storage\",\"cgroup_driver\":\"systemd\","
				   "\"default_id_mappings\":{\"uids\":[]}}";
	static const char config[] =
		"[crio]\n  [crio.runtime]\n    cgroup_manager = \"systemd\"\n"
		"    conmon = \"/usr/bin/conmon\"\n    default_runtime = \"runc\"\n"
		"    [crio.runtime.runtimes.runc]\n"
		"      runtime_path = \"/usr/bin/runc\"\n";
	char head[256];

	if (kc_after_prefix(request, "GET /info HTTP/1.1\r\n")) {
		(void)snprintf(head, sizeof(head),
			       "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
			       "Content-Length: %zu\r\nConnection: close\r\n\r\n",
			       strlen(info));
		write_all(fd, head, strlen(head));
		write_all(fd, info, strlen(info));
	} else if (kc_after_prefix(request, "GET /config HTTP/1.1\r\n")) {
		(void)snprintf(head, sizeof(head),
			       "HTTP/1.1 200 OK\r\nContent-Type: application/toml\r\n"
			       "Transfer-Encoding: chunked\r\n\r\n%zx\r\n",
			       strlen(config));
		write_all(fd, head, strlen(head));
		write_all(fd, config, strlen(config));
		write_all(fd, "\r\n0\r\n\r\n", 7);
	} else {
		static const char missing[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

		write_all(fd, missing, strlen(missing));
	}
	_exit(0);
}

static void sniff(int fd, const char *mode)
{
	char request[1024] = "";
	ssize_t n = recv(fd, request, sizeof(request) - 1, MSG_PEEK);

	if (n > 0 && memcmp(request, "GET ", 4) == 0)
		serve_document(fd, request);
	serve_http2(fd, mode);
}

/* ---- those that speak neither ---- */

static const char settings_frame[9] = { 0, 0, 0, NGHTTP2_SETTINGS, 0, 0, 0, 0, 0 };

static kc_noreturn void stay(void)
{
	for (;;)
		(void)pause();
}

static void drip(int fd)
{
	/* Twenty settings, so that every byte is one of a good answer. */
	static const char frame[9] = { 0, 0, 120, NGHTTP2_SETTINGS, 0, 0, 0, 0, 0 };

	for (size_t i = 0;; i++) {
		write_all(fd, i < sizeof(frame) ? frame + i : "", 1);
		(void)usleep(DRIP_USEC);
	}
}

static void ping(int fd)
{
	static const char frame[17] = { 0, 0, 8, NGHTTP2_PING };

	write_all(fd, settings_frame, sizeof(settings_frame));
	for (;;)
		write_all(fd, frame, sizeof(frame));
}

static void serve_connection(int fd, const char *mode)
{
	char data[4096];

	if (kc_streq(mode, "silent"))
		stay();
	if (kc_streq(mode, "close"))
		_exit(0);
	if (kc_streq(mode, "drip"))
		drip(fd);
	if (kc_streq(mode, "pings"))
		ping(fd);
	if (kc_streq(mode, "rubbish")) {
		write_all(fd, "\033[31mSSH-2.0-OpenSSH\r\n", 22);
		stay();
	}
	if (kc_streq(mode, "grpc-only"))
		serve_http2(fd, mode);
	if (kc_streq(mode, "hang-up") || kc_streq(mode, "http1") || kc_streq(mode, "crash") ||
	    kc_streq(mode, "bad-frame")) {
		static const char bad[] = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n"
					  "Connection: close\r\n\r\n400 Bad Request";
		static const char data_on_no_stream[10] = { 0, 0, 1, NGHTTP2_DATA };

		if (read(fd, data, sizeof(data)) <= 0)
			_exit(0);
		if (kc_streq(mode, "http1"))
			write_all(fd, bad, strlen(bad));
		else if (!kc_streq(mode, "hang-up"))
			write_all(fd, settings_frame, sizeof(settings_frame));
		if (kc_streq(mode, "bad-frame")) {
			write_all(fd, data_on_no_stream, sizeof(data_on_no_stream));
			stay();
		}
		_exit(0);
	}
	sniff(fd, mode);
}

static int bind_address(const char *path, struct sockaddr_un *ret_address)
{
	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(ret_address->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(ret_address->sun_path, path, strlen(path) + 1);
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

int fake_runtime_listen(const char *path, const char *mode)
{
	struct sockaddr_un address;
	int fd = bind_address(path, &address);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, kc_streq(mode, "full") ? 0 : 16) < 0)
		return -1;
	return fd;
}

/* Connects until the queue of those who wait is full. */
static void fill_queue(const char *path)
{
	for (;;) {
		struct sockaddr_un address;
		int fd = bind_address(path, &address);
		struct timeval tv = { .tv_usec = 1000 };

		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
		if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
			return;
	}
}

static bool is_known(const char *mode)
{
	for (const struct fake_mode *m = fake_modes; m->name; m++) {
		if (kc_streq(m->name, mode))
			return true;
	}
	return false;
}

void fake_runtime_serve(int fd, const char *path, const char *mode)
{
	if (!is_known(mode))
		return;
	if (kc_streq(mode, "full")) {
		fill_queue(path);
		stay();
	}
	(void)signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int connection = accept(fd, NULL, NULL);

		if (connection < 0)
			continue;
		if (fork() == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			(void)close(fd);
			serve_connection(connection, mode);
			_exit(1);
		}
		(void)close(connection);
	}
}

pid_t fake_runtime_start(const char *path, const char *mode)
{
	int fd = fake_runtime_listen(path, mode);
	pid_t pid;

	if (fd < 0 || !is_known(mode)) {
		(void)fprintf(stderr, "fake runtime: %s: mode %s: %s\n", path, mode,
			      strerror(errno));
		exit(1);
	}
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		fake_runtime_serve(fd, path, mode);
		_exit(1);
	}
	(void)close(fd);
	if (pid > 0 && kc_streq(mode, "full"))
		(void)usleep(50 * 1000);
	return pid;
}

void fake_runtime_stop(pid_t pid)
{
	if (pid <= 0)
		return;
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}
