/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The door to container runtimes: its pure parts over real answers cut at every byte, and
 * conversations with runtimes of every kind (tests/support/fake-runtime.c) over real sockets.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "../support/fake-runtime.h"
#include "base/clock.h"
#include "base/fdio.h"
#include "sys/absent.h"
#include "sys/cri-answer.h"
#include "sys/grpc.h"
#include "sys/http2.h"
#include "sys/runtime-socket.h"
#include "sys/runtime.h"

/* Slow runtimes are given up after this; good ones have much more, for a machine that is busy. */
enum {
	SHORT_USEC = 200 * 1000,
	LONG_USEC = 10 * 1000 * 1000
};

/* ---- samples ---- */

static void read_sample(const char *name, struct kc_buf *b)
{
	const char *data = getenv("KC_TEST_DATA");
	kc_cleanup(kc_freep) char *path = NULL;
	kc_cleanup(kc_closep) int fd = -EBADF;

	assert_non_null(data);
	path = kc_asprintf("%s/samples/cri/%s", data, name);
	assert_non_null(path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(kc_read_all(fd, 1 << 20, b), 0);
	assert_true(b->len > 0);
}

static const char *value_of(const struct kc_answer *answer, const char *key)
{
	assert_int_equal(answer->n_items % 2, 0);
	for (size_t i = 0; i + 1 < answer->n_items; i += 2) {
		if (kc_streq(answer->items[i].data, key))
			return answer->items[i + 1].data;
	}
	return NULL;
}

static void assert_value(const struct kc_answer *answer, const char *key, const char *wanted)
{
	const char *value = value_of(answer, key);

	if (!value)
		fail_msg("the answer has no %s", key);
	assert_string_equal(value, wanted);
}

static int decode(uint32_t question, const char *data, size_t size, struct kc_arena *arena,
		  struct kc_answer *answer)
{
	/* Memory of just this size, so that a read beyond it is seen. */
	kc_cleanup(kc_freep) char *copy = malloc(size + 1);
	const void *message;
	struct kc_err err = { 0 };
	size_t n;
	int r;

	assert_non_null(copy);
	copy = realloc(copy, size ? size : 1);
	assert_non_null(copy);
	if (size > 0)
		memcpy(copy, data, size);
	*answer = (struct kc_answer){ 0 };
	r = kc_grpc_message(copy, size, &err, &message, &n);
	if (r == 0)
		r = kc_cri_answer(question, "v1", message, n, arena, &err, answer);
	if (r < 0) {
		assert_int_equal(err.code, r);
		assert_true(strlen(err.text) > 0);
	}
	return r;
}

static void test_samples(void **state)
{
	kc_cleanup(kc_buf_done) struct kc_buf version = { 0 }, status = { 0 }, config = { 0 };
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_answer answer;

	read_sample("crio-1.37-v1-Version.grpc", &version);
	assert_int_equal(decode(KC_RUNTIME_VERSION, version.data, version.len, &arena, &answer), 0);
	assert_value(&answer, "api", "v1");
	assert_value(&answer, "runtime_name", "cri-o");
	assert_value(&answer, "runtime_version", "1.37.0");
	assert_value(&answer, "runtime_api_version", "v1");

	read_sample("crio-1.37-v1-Status.grpc", &status);
	assert_int_equal(decode(KC_RUNTIME_STATUS, status.data, status.len, &arena, &answer), 0);
	assert_value(&answer, "RuntimeReady", "true");
	assert_value(&answer, "NetworkReady", "false");
	assert_value(&answer, "NetworkReady.reason", "NetworkPluginNotReady");
	assert_non_null(strstr(value_of(&answer, "NetworkReady.message"), "/etc/cni/net.d"));

	read_sample("crio-1.37-v1-RuntimeConfig.grpc", &config);
	assert_int_equal(decode(KC_RUNTIME_CONFIG, config.data, config.len, &arena, &answer), 0);
	assert_value(&answer, "cgroup_driver", "cgroupfs");
}

static void test_samples_cut(void **state)
{
	static const struct {
		const char *name;
		uint32_t question;
	} samples[] = {
		{ "crio-1.37-v1-Version.grpc", KC_RUNTIME_VERSION },
		{ "crio-1.37-v1-Status.grpc", KC_RUNTIME_STATUS },
		{ "crio-1.37-v1-RuntimeConfig.grpc", KC_RUNTIME_CONFIG },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(samples); i++) {
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		struct kc_answer answer;

		read_sample(samples[i].name, &b);
		for (size_t n = 0; n < b.len; n++)
			assert_int_equal(decode(samples[i].question, b.data, n, &arena, &answer),
					 -EBADMSG);
		/* The message cut, its prefix put right: cuts between fields leave a message. */
		for (size_t n = KC_GRPC_PREFIX; n < b.len; n++) {
			int r;

			b.data[3] = (char)((n - KC_GRPC_PREFIX) >> 8);
			b.data[4] = (char)((n - KC_GRPC_PREFIX) & 255);
			r = decode(samples[i].question, b.data, n, &arena, &answer);
			assert_true(r == 0 || r == -EBADMSG);
		}
	}
}

static void test_hostile_messages(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf many = { 0 };
	struct kc_answer answer = { 0 };
	struct kc_err err = { 0 };

	/* Four MiB of conditions of no bytes each: what they decode to is bounded. */
	kc_buf_addc(&many, 0x0a);
	kc_buf_add(&many, "\xfe\xff\xff\x01", 4);
	for (size_t i = 0; i < 0x3ffffe / 2; i++)
		kc_buf_add(&many, "\x0a\x00", 2);
	assert_int_equal(kc_buf_error(&many), 0);
	assert_int_equal(
		kc_cri_answer(KC_RUNTIME_STATUS, "v1", many.data, many.len, &arena, &err, &answer),
		-EBADMSG);
	/* A driver that there is not, an answer about no Linux, and no question at all. */
	assert_int_equal(kc_cri_answer(KC_RUNTIME_CONFIG, "v1", "\x0a\x02\x08\x07", 4, &arena, &err,
				       &answer),
			 -EBADMSG);
	assert_int_equal(kc_cri_answer(KC_RUNTIME_CONFIG, "v1", "", 0, &arena, &err, &answer),
			 -EBADMSG);
	assert_int_equal(kc_cri_answer(KC_RUNTIME_INFO, "v1", "", 0, &arena, &err, &answer),
			 -EINVAL);
	assert_int_equal(answer.n_items, 0);
	/* A message of no pods says that there are none. */
	assert_int_equal(kc_cri_answer(KC_RUNTIME_PODS, "v1", "", 0, &arena, &err, &answer), 0);
	assert_int_equal(answer.n_items, 0);
}

/* An answer that does not fit into the rule's memory is an error, never half of it. */
static void test_bounded_arena(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = 64 };
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_answer answer = { 0 };
	struct kc_err err = { 0 };

	read_sample("crio-1.37-v1-Status.grpc", &b);
	assert_int_equal(kc_cri_answer(KC_RUNTIME_STATUS, "v1", b.data + KC_GRPC_PREFIX,
				       b.len - KC_GRPC_PREFIX, &arena, &err, &answer),
			 -ENOMEM);
}

static void test_info(void **state)
{
	static const char *const bad[] = {
		"",   "[]", "\"text\"", "{\"a\":", "{} {}", "{\"a\":1,\"a\":2}", "{\"a\":\"\xff\"}",
		"nil"
	};
	static const char mixed[] = "{\"text\":\"a\",\"n\":-7,\"real\":1.5,\"yes\":true,"
				    "\"none\":null,\"list\":[\"x\"]}";
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_answer answer = { 0 };
	struct kc_err err = { 0 };

	read_sample("crio-1.37-info.json", &b);
	assert_int_equal(kc_crio_info(b.data, b.len, &arena, &err, &answer), 0);
	assert_int_equal(answer.n_items, 2 * 4);
	assert_value(&answer, "cgroup_driver", "cgroupfs");
	assert_value(&answer, "storage_root", "/var/lib/containers/storage");
	assert_null(value_of(&answer, "default_id_mappings"));
	for (size_t n = 0; n < b.len - 1; n++) {
		answer = (struct kc_answer){ 0 };
		assert_int_equal(kc_crio_info(b.data, n, &arena, &err, &answer), -EBADMSG);
	}
	for (size_t i = 0; i < KC_ARRAY_SIZE(bad); i++)
		assert_int_equal(kc_crio_info(bad[i], strlen(bad[i]), &arena, &err, &answer),
				 -EBADMSG);
	answer = (struct kc_answer){ 0 };
	assert_int_equal(kc_crio_info(mixed, strlen(mixed), &arena, &err, &answer), 0);
	assert_int_equal(answer.n_items, 2 * 3);
	assert_value(&answer, "text", "a");
	assert_value(&answer, "n", "-7");
	assert_value(&answer, "real", "1.5");
}

static void test_framing(void **state)
{
	const void *message;
	struct kc_err err = { 0 };
	size_t n;

	assert_int_equal(kc_grpc_message("\0\0\0\0\0", 5, &err, &message, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(kc_grpc_message("\0\0\0\0\1x", 6, &err, &message, &n), 0);
	assert_int_equal(n, 1);
	assert_memory_equal(message, "x", 1);
	assert_int_equal(kc_grpc_message("\1\0\0\0\1x", 6, &err, &message, &n), -EBADMSG);
	assert_non_null(strstr(err.text, "compressed"));
	assert_int_equal(kc_grpc_message("\2\0\0\0\1x", 6, &err, &message, &n), -EBADMSG);
	assert_int_equal(kc_grpc_message("\0\0\0\0\1xy", 7, &err, &message, &n), -EBADMSG);
	assert_int_equal(kc_grpc_message("\0\xff\xff\xff\xffx", 6, &err, &message, &n), -EBADMSG);
	assert_non_null(strstr(err.text, "1 of 4294967295 bytes"));
	assert_true(kc_grpc_expected("\0\xff\xff\xff\xff", 5) == 4294967300u);
	assert_int_equal(kc_grpc_expected("\0\0\0", 3), 0);
}

static void assert_words(const char *text, const char *wanted)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

	kc_grpc_message_text(text, strlen(text), &b);
	kc_buf_add(&b, NULL, 0);
	assert_string_equal(b.data, wanted);
}

static void test_status(void **state)
{
	char buf[KC_GRPC_STATUS_TEXT];
	int status = -1;

	assert_words("plain", "plain");
	assert_words("100%25 caf%C3%a9", "100% caf\xc3\xa9");
	assert_words("%", "%");
	assert_words("%4", "%4");
	assert_words("%zz%41", "%zzA");
	assert_int_equal(kc_grpc_status_parse("12", 2, &status), 0);
	assert_int_equal(status, 12);
	assert_int_equal(kc_grpc_status_parse("", 0, &status), -EBADMSG);
	assert_int_equal(kc_grpc_status_parse("-1", 2, &status), -EBADMSG);
	assert_int_equal(kc_grpc_status_parse("1000", 4, &status), -EBADMSG);
	assert_string_equal(kc_grpc_status_name(14, buf), "UNAVAILABLE");
	assert_string_equal(kc_grpc_status_name(17, buf), "status 17");
	assert_int_equal(kc_grpc_status_errno(7), -EACCES);
	assert_int_equal(kc_grpc_status_errno(16), -EACCES);
	assert_int_equal(kc_grpc_status_errno(4), -ETIMEDOUT);
	assert_int_equal(kc_grpc_status_errno(12), -ENOTSUP);
	assert_int_equal(kc_grpc_status_errno(14), -EAGAIN);
	assert_int_equal(kc_grpc_status_errno(2), -EREMOTEIO);
	assert_int_equal(kc_grpc_status_errno(999), -EREMOTEIO);
}

static void test_endpoints(void **state)
{
	static const char *const bad[] = { "",
					   "crio.sock",
					   "unix://crio.sock",
					   "tcp://127.0.0.1:1234",
					   "npipe:////./pipe/x",
					   "http://localhost/",
					   "unix:",
					   "UNIX:///run/x" };
	struct kc_err err = { 0 };
	const char *path;

	assert_int_equal(kc_runtime_endpoint_path("unix:///run/x.sock", &err, &path), 0);
	assert_string_equal(path, "/run/x.sock");
	assert_int_equal(kc_runtime_endpoint_path("unix:/run/x.sock", &err, &path), 0);
	assert_string_equal(path, "/run/x.sock");
	assert_int_equal(kc_runtime_endpoint_path("/run/x.sock", &err, &path), 0);
	assert_string_equal(path, "/run/x.sock");
	for (size_t i = 0; i < KC_ARRAY_SIZE(bad); i++)
		assert_int_equal(kc_runtime_endpoint_path(bad[i], &err, &path), -EPERM);
}

/* ---- what a real containerd sent, frame by frame ---- */

/* A server that has sent these bytes, and then closes. */
static int replay(const char *data, size_t size, struct kc_err *err, struct kc_http2_answer *answer)
{
	kc_cleanup(kc_http2_freep) struct kc_http2 *h2 = NULL;
	uint64_t now = kc_now_usec();
	struct kc_peer peer;
	int fd[2], r;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	assert_int_equal(send(fd[1], data, size, 0), (ssize_t)size);
	assert_int_equal(shutdown(fd[1], SHUT_WR), 0);
	kc_peer_init(&peer, fd[0], "/s");
	assert_int_equal(kc_http2_new(&peer, err, &h2), 0);
	r = kc_http2_call(h2, now, now + LONG_USEC, "/", kc_grpc_empty_request,
			  sizeof(kc_grpc_empty_request), KC_RUNTIME_ANSWER_MAX, err, answer);
	assert_int_equal(close(fd[1]), 0);
	return r;
}

static void test_frames(void **state)
{
	static const char *const names[] = { "containerd-1.6-v1-Version.http2",
					     "containerd-1.6-v1-Status.http2" };

	for (size_t i = 0; i < KC_ARRAY_SIZE(names); i++) {
		kc_cleanup(kc_http2_answer_done) struct kc_http2_answer reply = { 0 };
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
		struct kc_answer answer;
		struct kc_err err = { 0 };

		read_sample(names[i], &b);
		assert_int_equal(replay(b.data, b.len, &err, &reply), 0);
		assert_int_equal(reply.http_status, 200);
		assert_int_equal(reply.grpc_status, 0);
		assert_string_equal(reply.content_type, "application/grpc");
		assert_int_equal(decode(i == 0 ? KC_RUNTIME_VERSION : KC_RUNTIME_STATUS,
					reply.body.data, reply.body.len, &arena, &answer),
				 0);
		assert_value(&answer, i == 0 ? "runtime_name" : "RuntimeReady",
			     i == 0 ? "containerd" : "true");
		for (size_t n = 0; n < b.len; n++) {
			assert_int_equal(replay(b.data, n, &err, &reply), -ECONNRESET);
			assert_non_null(strstr(err.text, n == 0 ? "without a byte" : " after "));
		}
		/* Whatever byte is wrong: an answer, or an error with a sentence; never a hang. */
		for (size_t n = 0; n < b.len; n++) {
			int r;

			b.data[n] = (char)~b.data[n];
			r = replay(b.data, b.len, &err, &reply);
			assert_true(r <= 0 && r != -ETIMEDOUT);
			b.data[n] = (char)~b.data[n];
		}
	}
}

/* ---- conversations ---- */

struct stage {
	char dir[64], socket[128];
	struct kc_root *root;
	pid_t pid;
	void *door;
	struct kc_arena arena;
	struct kc_answer answer;
	uint64_t took;
};

static void stage_open(struct stage *s)
{
	struct kc_err err = { 0 };

	*s = (struct stage){ 0 };
	(void)snprintf(s->dir, sizeof(s->dir), "/tmp/k8scheck-cri-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	(void)snprintf(s->socket, sizeof(s->socket), "%s/s", s->dir);
	assert_int_equal(kc_root_open(s->dir, KC_ROOT_LIVE, &err, &s->root), 0);
}

static void stage_stop(struct stage *s)
{
	fake_runtime_stop(s->pid);
	s->pid = 0;
	(void)unlink(s->socket);
}

static void stage_close(struct stage *s)
{
	stage_stop(s);
	kc_door_runtime_close(s->door);
	kc_root_free(s->root);
	kc_arena_done(&s->arena);
	assert_int_equal(rmdir(s->dir), 0);
}

static void ask(struct stage *s, const char *endpoint, int64_t number, uint64_t timeout)
{
	const struct kc_door_host host = { .root = s->root };
	const struct kc_question question = {
		.kind = KC_ASK_RUNTIME,
		.timeout_usec = timeout,
		.number = number,
		.strings = { .n = 1, .item = (const char *const[]){ endpoint, NULL } },
	};
	uint64_t began = kc_now_usec();

	kc_door_runtime(&host, &s->door, &question, &s->arena, &s->answer);
	s->took = kc_now_usec() - began;
	if (s->answer.code < 0)
		assert_non_null(s->answer.why);
	else
		assert_null(s->answer.why);
}

/* Whether the runtime is said to be missing without its door, and as that says it. */
static bool is_absent(struct stage *s, const char *endpoint, int64_t number)
{
	const struct kc_question question = {
		.kind = KC_ASK_RUNTIME,
		.timeout_usec = LONG_USEC,
		.number = number,
		.strings = { .n = 1, .item = (const char *const[]){ endpoint, NULL } },
	};
	struct kc_answer early = { 0 };

	if (!kc_is_absent(s->root, &question, &s->arena, &early))
		return false;
	ask(s, endpoint, number, LONG_USEC);
	assert_int_equal(early.code, s->answer.code);
	assert_string_equal(early.why, s->answer.why);
	return true;
}

static void start(struct stage *s, const char *mode)
{
	s->pid = fake_runtime_start(s->socket, mode);
	assert_true(s->pid > 0);
}

static void assert_failed(const struct stage *s, int code, const char *words)
{
	if (s->answer.code != code)
		fail_msg("the code is %d, not %d: %s", s->answer.code, code,
			 s->answer.why ? s->answer.why : "an answer");
	if (!strstr(s->answer.why, words))
		fail_msg("\"%s\" lacks \"%s\"", s->answer.why, words);
	/* Every sentence begins with the socket as seen from the root. */
	assert_int_equal(strncmp(s->answer.why, "/s: ", 4), 0);
}

static void assert_fine(const struct stage *s)
{
	if (s->answer.code != 0)
		fail_msg("%d: %s", s->answer.code, s->answer.why);
}

static void test_good(void **state)
{
	struct stage s;

	stage_open(&s);
	start(&s, "crio");
	ask(&s, "unix:///s", KC_RUNTIME_VERSION, LONG_USEC);
	assert_fine(&s);
	assert_value(&s.answer, "api", "v1");
	assert_value(&s.answer, "runtime_name", "cri-o");
	assert_value(&s.answer, "runtime_version", "1.18.4");
	ask(&s, "/s", KC_RUNTIME_STATUS, LONG_USEC);
	assert_fine(&s);
	assert_value(&s.answer, "RuntimeReady", "true");
	assert_value(&s.answer, "NetworkReady", "false");
	ask(&s, "/s", KC_RUNTIME_PODS, LONG_USEC);
	assert_fine(&s);
	assert_int_equal(s.answer.n_items, 2 * 2);
	assert_value(&s.answer, "0a1b", "kube-system/etcd-node1 Ready");
	assert_value(&s.answer, "2c3d", "default/web-0 NotReady");
	ask(&s, "/s", KC_RUNTIME_PODS_OWNED, LONG_USEC);
	assert_fine(&s);
	assert_value(&s.answer, "0a1b", "kube-system/etcd-node1 Ready static");
	assert_value(&s.answer, "2c3d", "default/web-0 NotReady other");
	ask(&s, "/s", KC_RUNTIME_IMAGES, LONG_USEC);
	assert_fine(&s);
	assert_value(&s.answer, "80d28bedfe5d", "k8s.gcr.io/pause:3.2");
	assert_value(&s.answer, "aa11", "k8s.gcr.io/etcd@sha256:00");
	ask(&s, "/s", KC_RUNTIME_INFO, LONG_USEC);
	assert_fine(&s);
	assert_value(&s.answer, "cgroup_driver", "systemd");
	ask(&s, "/s", KC_RUNTIME_CONFIG_FILE, LONG_USEC);
	assert_fine(&s);
	assert_non_null(strstr(value_of(&s.answer, "config"), "cgroup_manager = \"systemd\""));
	/* What 1.18 does not know. */
	ask(&s, "/s", KC_RUNTIME_CONFIG, LONG_USEC);
	assert_failed(&s, -ENOTSUP, "v1alpha2");
	stage_close(&s);
}

static void test_versions(void **state)
{
	struct stage s;

	stage_open(&s);
	start(&s, "v1alpha2");
	ask(&s, "/s", KC_RUNTIME_VERSION, LONG_USEC);
	assert_fine(&s);
	assert_value(&s.answer, "api", "v1alpha2");
	ask(&s, "/s", KC_RUNTIME_STATUS, LONG_USEC);
	assert_fine(&s);
	assert_value(&s.answer, "api", "v1alpha2");
	stage_stop(&s);
	start(&s, "crio-1.37");
	ask(&s, "/s", KC_RUNTIME_CONFIG, LONG_USEC);
	assert_fine(&s);
	assert_value(&s.answer, "cgroup_driver", "cgroupfs");
	stage_stop(&s);
	start(&s, "unimplemented");
	ask(&s, "/s", KC_RUNTIME_VERSION, LONG_USEC);
	assert_failed(&s, -ENOTSUP, "unknown service runtime.v1.RuntimeService");
	stage_close(&s);
}

static void test_not_crio(void **state)
{
	/* A web server has no /info; who closes, or speaks HTTP/2 alone, is a runtime of another
	 * kind. */
	static const char *const modes[] = { "grpc-only", "close", "rubbish", "hang-up" };
	struct stage s;

	stage_open(&s);
	for (size_t i = 0; i < KC_ARRAY_SIZE(modes); i++) {
		start(&s, modes[i]);
		ask(&s, "/s", KC_RUNTIME_INFO, LONG_USEC);
		assert_failed(&s, -ENOTSUP, "is not CRI-O");
		stage_stop(&s);
	}
	start(&s, "http1");
	ask(&s, "/s", KC_RUNTIME_INFO, LONG_USEC);
	assert_failed(&s, -EREMOTEIO, "HTTP status 400");
	stage_stop(&s);
	start(&s, "silent");
	ask(&s, "/s", KC_RUNTIME_INFO, SHORT_USEC);
	assert_failed(&s, -ETIMEDOUT, "not one byte in 200 ms");
	stage_close(&s);
}

static void test_bad_runtimes(void **state)
{
	static const struct {
		const char *mode;
		int code;
		const char *words;
	} cases[] = {
		{ "starting", -EAGAIN, "UNAVAILABLE: server is not initialized yet" },
		{ "forbidden", -EACCES, "PERMISSION_DENIED: not for you" },
		{ "deadline", -ETIMEDOUT, "DEADLINE_EXCEEDED" },
		{ "internal", -EREMOTEIO, "INTERNAL: no caf\xc3\xa9 100%" },
		{ "rubbish", -EPROTO, "its 22 bytes begin \"\\x1b[31mSSH-2.0-OpenSSH\\r\\n\"" },
		{ "http1", -EPROTO, "answers HTTP/1.1, not the HTTP/2 of CRI" },
		{ "http2-web", -EPROTO, "HTTP status 404" },
		{ "bad-frame", -EPROTO, "breaks the rules of HTTP/2" },
		{ "close", -ECONNRESET, "closed it without a byte in answer" },
		{ "hang-up", -ECONNRESET, "closed it without a byte in answer" },
		{ "half", -ECONNRESET, "after 18 of 37 bytes of its answer" },
		{ "crash", -ECONNRESET, "after 9 bytes" },
		{ "reset", -ECONNRESET, "RST_STREAM, INTERNAL_ERROR" },
		{ "goaway", -ECONNRESET, "GOAWAY, ENHANCE_YOUR_CALM: too_many_pings" },
		{ "truncated", -EBADMSG, "ends after 25 of 32 bytes" },
		{ "undecodable", -EBADMSG, "its 10 bytes are no VersionResponse" },
		{ "empty", -EBADMSG, "lacks the runtime's name or version" },
		{ "compressed", -EBADMSG, "compressed" },
		{ "no-status", -EBADMSG, "lacks a grpc-status" },
		{ "huge", -EFBIG, "larger than 4194304 bytes" },
		{ "fields", -EFBIG, "header fields" },
	};
	struct stage s;

	stage_open(&s);
	for (size_t i = 0; i < KC_ARRAY_SIZE(cases); i++) {
		start(&s, cases[i].mode);
		ask(&s, "/s", KC_RUNTIME_VERSION, LONG_USEC);
		assert_failed(&s, cases[i].code, cases[i].words);
		stage_stop(&s);
	}
	stage_close(&s);
}

/* Each is given up at the deadline, not much later, whatever it sends meanwhile. */
static void test_slow_runtimes(void **state)
{
	static const char *const modes[][2] = {
		{ "silent", "sent not one byte in 200 ms" },
		{ "full", "nobody accepted a connection in 200 ms" },
		{ "drip", " bytes in 200 ms and no whole answer" },
		{ "stall", " bytes in 200 ms and no whole answer" },
		{ "pings", " bytes" },
	};
	struct stage s;

	stage_open(&s);
	for (size_t i = 0; i < KC_ARRAY_SIZE(modes); i++) {
		start(&s, modes[i][0]);
		ask(&s, "/s", KC_RUNTIME_VERSION, SHORT_USEC);
		if (kc_streq(modes[i][0], "pings") && s.answer.code == -EFBIG)
			assert_failed(&s, -EFBIG, modes[i][1]);
		else
			assert_failed(&s, -ETIMEDOUT, modes[i][1]);
		assert_true(s.took < SHORT_USEC + 2 * 1000 * 1000);
		stage_stop(&s);
	}
	stage_close(&s);
}

static void test_reuse(void **state)
{
	static const char *const modes[] = { "crio", "once", "goaway-after", "second-dies" };
	struct stage s;

	stage_open(&s);
	for (size_t i = 0; i < KC_ARRAY_SIZE(modes); i++) {
		start(&s, modes[i]);
		for (int n = 0; n < 3; n++) {
			ask(&s, "/s", n == 1 ? KC_RUNTIME_STATUS : KC_RUNTIME_VERSION, LONG_USEC);
			assert_fine(&s);
		}
		stage_stop(&s);
		/* The daemon is gone: its connection is not an answer any more. */
		ask(&s, "/s", KC_RUNTIME_VERSION, LONG_USEC);
		assert_failed(&s, -ENOENT, "there is no such socket");
	}
	/* Another daemon at the same path is asked itself. */
	start(&s, "crio");
	ask(&s, "/s", KC_RUNTIME_VERSION, LONG_USEC);
	assert_value(&s.answer, "runtime_version", "1.18.4");
	(void)unlink(s.socket);
	{
		pid_t first = s.pid;

		start(&s, "crio-1.37");
		ask(&s, "/s", KC_RUNTIME_VERSION, LONG_USEC);
		assert_value(&s.answer, "runtime_version", "1.37.0");
		fake_runtime_stop(first);
	}
	stage_close(&s);
}

static void bind_only(const char *path, int type, struct sockaddr_un *ret_address, int *ret_fd)
{
	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(ret_address->sun_path, sizeof(ret_address->sun_path), "%s", path);
	*ret_fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	assert_true(*ret_fd >= 0);
	assert_int_equal(bind(*ret_fd, (struct sockaddr *)ret_address, sizeof(*ret_address)), 0);
}

static void test_no_runtime(void **state)
{
	struct sockaddr_un address;
	struct stage s;
	int fd;

	stage_open(&s);
	ask(&s, "/s", KC_RUNTIME_VERSION, LONG_USEC);
	assert_failed(&s, -ENOENT, "there is no such socket");

	bind_only(s.socket, SOCK_STREAM, &address, &fd);
	assert_int_equal(close(fd), 0);
	ask(&s, "/s", KC_RUNTIME_VERSION, LONG_USEC);
	assert_failed(&s, -ECONNREFUSED, "left behind by a daemon that is gone");
	ask(&s, "/s", KC_RUNTIME_INFO, LONG_USEC);
	assert_failed(&s, -ECONNREFUSED, "left behind by a daemon that is gone");
	assert_int_equal(unlink(s.socket), 0);

	bind_only(s.socket, SOCK_DGRAM, &address, &fd);
	ask(&s, "/s", KC_RUNTIME_VERSION, LONG_USEC);
	assert_failed(&s, -EPROTO, "not one of streams");
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(s.socket), 0);

	assert_int_equal(mkdir(s.socket, 0755), 0);
	ask(&s, "/s", KC_RUNTIME_VERSION, LONG_USEC);
	assert_failed(&s, -ENOTSOCK, "is a folder, not a socket");
	assert_int_equal(rmdir(s.socket), 0);

	assert_int_equal(mkfifo(s.socket, 0600), 0);
	ask(&s, "/s", KC_RUNTIME_VERSION, LONG_USEC);
	assert_failed(&s, -ENOTSOCK, "is a FIFO, not a socket");
	stage_close(&s);
}

static void make_below(const struct stage *s, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s%s", s->dir, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

/* Without a door, so without its libraries. */
static void test_absent(void **state)
{
	static const char *const made[] = { "/run/x/sock", "/run/x", "/var/run",
					    "/var",	   "/run",   NULL };
	struct sockaddr_un address;
	struct stage s;
	char path[128];
	int fd;

	stage_open(&s);
	assert_true(is_absent(&s, "/run/crio/crio.sock", KC_RUNTIME_VERSION));
	assert_true(is_absent(&s, "unix:///var/run/crio/crio.sock", KC_RUNTIME_CONFIG_FILE));
	make_below(&s, "/run");
	make_below(&s, "/run/x");
	make_below(&s, "/var");
	(void)snprintf(path, sizeof(path), "%s/var/run", s.dir);
	assert_int_equal(symlink("../run", path), 0);
	assert_true(is_absent(&s, "/var/run/x/sock", KC_RUNTIME_VERSION));
	/* Elsewhere a look could take for ever; and what is no question is not answered. */
	assert_false(is_absent(&s, "/s", KC_RUNTIME_VERSION));
	assert_false(is_absent(&s, "/run/../s", KC_RUNTIME_VERSION));
	assert_false(is_absent(&s, "/running/s", KC_RUNTIME_VERSION));
	assert_false(is_absent(&s, "/run/s", 0));
	assert_false(is_absent(&s, "tcp://127.0.0.1:1", KC_RUNTIME_VERSION));
	/* Anything that is there is for the door to tell. */
	assert_false(is_absent(&s, "/run/x", KC_RUNTIME_VERSION));
	(void)snprintf(path, sizeof(path), "%s/run/x/sock", s.dir);
	bind_only(path, SOCK_STREAM, &address, &fd);
	assert_false(is_absent(&s, "/run/x/sock", KC_RUNTIME_VERSION));
	assert_false(is_absent(&s, "/var/run/x/sock", KC_RUNTIME_VERSION));
	assert_int_equal(close(fd), 0);
	KC_FOREACH_STR (name, made) {
		(void)snprintf(path, sizeof(path), "%s%s", s.dir, name);
		assert_int_equal(remove(path), 0);
	}
	stage_close(&s);
}

/* A link leads where it does below the root, never out of it. */
static void test_links(void **state)
{
	struct stage s, outside;
	char link[128];

	stage_open(&outside);
	start(&outside, "crio");
	stage_open(&s);
	start(&s, "crio");
	(void)snprintf(link, sizeof(link), "%s/link", s.dir);
	assert_int_equal(symlink("/s", link), 0);
	ask(&s, "/link", KC_RUNTIME_VERSION, LONG_USEC);
	assert_fine(&s);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink(outside.socket, link), 0);
	ask(&s, "/link", KC_RUNTIME_VERSION, LONG_USEC);
	assert_int_equal(s.answer.code, -ENOENT);
	assert_int_equal(unlink(link), 0);
	stage_close(&s);
	stage_close(&outside);
}

static void test_forbidden_questions(void **state)
{
	static const int64_t numbers[] = { 0, -1, 9, INT64_MAX, INT64_MIN };
	struct kc_root *offline;
	struct kc_err err = { 0 };
	struct stage s;

	stage_open(&s);
	start(&s, "crio");
	for (size_t i = 0; i < KC_ARRAY_SIZE(numbers); i++) {
		ask(&s, "/s", numbers[i], LONG_USEC);
		assert_int_equal(s.answer.code, -EPERM);
	}
	ask(&s, "tcp://127.0.0.1:1", KC_RUNTIME_VERSION, LONG_USEC);
	assert_int_equal(s.answer.code, -EPERM);
	assert_int_equal(kc_root_open(s.dir, 0, &err, &offline), 0);
	kc_root_free(s.root);
	s.root = offline;
	ask(&s, "/s", KC_RUNTIME_VERSION, LONG_USEC);
	assert_failed(&s, -EOPNOTSUPP, "only on a running system");
	stage_close(&s);
}

/* root may connect to every socket, so the one who is refused is a child that has become somebody
 * else. */
static void test_denied(void **state)
{
	struct stage s;
	int status = 0;
	pid_t pid;

	stage_open(&s);
	start(&s, "crio");
	assert_int_equal(chmod(s.socket, 0600), 0);
	assert_int_equal(chmod(s.dir, 0755), 0);
	pid = fork();
	if (pid == 0) {
		bool denied;

		if (geteuid() == 0 ? setuid(65534) < 0 : chmod(s.socket, 0) < 0)
			_exit(1);
		ask(&s, "/s", KC_RUNTIME_VERSION, LONG_USEC);
		denied = s.answer.code == -EACCES && strstr(s.answer.why, "may not connect") &&
			 strstr(s.answer.why, "mode 0");
		_exit(denied ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	stage_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_samples_cut),
		cmocka_unit_test(test_hostile_messages),
		cmocka_unit_test(test_bounded_arena),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_framing),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_not_crio),
		cmocka_unit_test(test_bad_runtimes),
		cmocka_unit_test(test_slow_runtimes),
		cmocka_unit_test(test_reuse),
		cmocka_unit_test(test_no_runtime),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_forbidden_questions),
		cmocka_unit_test(test_denied),
	};

	return cmocka_run_group_tests_name("cri", tests, NULL, NULL);
}
