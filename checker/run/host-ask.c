/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <sys/utsname.h>

#include "answers.h"
#include "base/clock.h"
#include "base/str.h"
#include "host-internal.h"

/* Of a question that names no time-out of its own, as long as the rule has that much left. */
enum {
	ASK_TIMEOUT_USEC = 1000000
};

/* What stands for a question in the memo; NULL for one whose answer may change from rule to rule.
 */
static const char *question_text(struct kc_run *run, const struct kc_question *question)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

	if (!run->memo || !kc_question_text(question, &b))
		return NULL;
	/* Failures are remembered here, too, and who was given less time may have been silent for
	 * want of it. */
	kc_buf_addf(&b, " %llu", (unsigned long long)question->timeout_usec);
	return kc_buf_error(&b) < 0 ? NULL : kc_arena_strdup(kc_host_arena(run), b.data);
}

static int take_answer(struct kc_run *run, const struct kc_answer *answer,
		       struct kc_answer *ret_answer)
{
	*ret_answer = *answer;
	if (answer->code < 0)
		return kc_host_fail(run, answer->code, "%s", answer->why ? answer->why : "");
	return 0;
}

static int ask(struct kc_run *run, struct kc_question *question, struct kc_answer *ret_answer)
{
	const char *text = question_text(run, question);
	const struct kc_memo_entry *known =
		text ? kc_memo_find(run->memo, KC_MEMO_ANSWER, 0, text) : NULL;
	uint64_t left = kc_host_time_left(run);

	/* Who was silent once would be waited for by every rule. */
	if (known)
		return take_answer(run, &known->answer, ret_answer);

	if (!run->ask)
		return kc_host_fail(run, -ENOSYS, "there is nobody to ask");
	if (left == 0)
		return kc_host_fail(run, -ETIMEDOUT, "the rule's time was up before it could ask");
	if (question->timeout_usec == 0)
		question->timeout_usec = ASK_TIMEOUT_USEC;
	/* A tenth stays for the check to say what became of it. */
	question->timeout_usec = KC_MIN(question->timeout_usec, left - left / 10);
	*ret_answer = (struct kc_answer){ 0 };
	run->ask(run->ask_context, question, kc_host_arena(run), ret_answer);
	/* What was lost on k8scheck's own side may be had by asking again. */
	if (text && ret_answer->code != -EIO && ret_answer->code != -ENOMEM)
		kc_memo_answer(run->memo, text, ret_answer);
	return take_answer(run, ret_answer, ret_answer);
}

static int ask_live(struct kc_run *run, struct kc_question *question, struct kc_answer *ret_answer)
{
	if (!kc_root_is_live(run->root))
		return kc_host_fail(run, -EOPNOTSUPP,
				    "%s is looked at offline, so nobody can be asked",
				    kc_root_path(run->root));
	return ask(run, question, ret_answer);
}

static int answer_pairs(struct kc_run *run, const struct kc_answer *answer,
			struct kc_pairs *ret_pairs)
{
	size_t n = answer->n_items / 2;
	struct kc_pair *pairs;

	if (answer->n_items % 2)
		return kc_host_fail(run, -EBADMSG, "the answer has a name without a value");
	pairs = kc_arena_zalloc(kc_host_arena(run), n + 1, sizeof(*pairs));
	if (!pairs)
		return kc_host_fail_memory(run);
	for (size_t i = 0; i < n; i++)
		pairs[i] = (struct kc_pair){ .key = answer->items[2 * i].data,
					     .value = answer->items[2 * i + 1].data };
	*ret_pairs = (struct kc_pairs){ .n = n, .item = pairs };
	return 0;
}

static int answer_strings(struct kc_run *run, const struct kc_answer *answer,
			  struct kc_strings *ret_strings)
{
	const char **list = kc_arena_zalloc(kc_host_arena(run), answer->n_items + 1, sizeof(*list));

	if (!list)
		return kc_host_fail_memory(run);
	for (size_t i = 0; i < answer->n_items; i++)
		list[i] = answer->items[i].data;
	*ret_strings = (struct kc_strings){ .n = answer->n_items, .item = list };
	return 0;
}

static int answer_string(struct kc_run *run, const struct kc_answer *answer, const char **ret_text)
{
	if (answer->n_items != 1)
		return kc_host_fail(run, -EBADMSG, "the answer is not one value");
	*ret_text = answer->items[0].data;
	return 0;
}

static struct kc_question question_of(uint32_t kind, const char *const *string)
{
	return (struct kc_question){
		.kind = kind,
		.strings = { .n = string[0] ? 1 : 0, .item = string },
	};
}

int kc_host_sysctl(struct kc_run *run, const char *key, const char **ret_value)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 }, path = { 0 };
	struct kc_err err = { 0 };
	const char *strings[2] = { 0 };
	struct kc_question question;
	struct kc_answer answer;
	int r;

	r = kc_root_sysctl(run->root, key, &err, &b);
	if (r >= 0)
		return kc_host_keep_string(run, &b, ret_value);
	if (r != -EACCES && r != -EPERM)
		return kc_host_fail_err(run, &err);
	/* Of mode 0600, or closed to a worker: the broker may see it. */
	if (kc_sysctl_path(key, &path) < 0)
		return kc_host_fail_err(run, &err);
	strings[0] = path.data;
	question = question_of(KC_ASK_SYSCTL, strings);
	r = ask_live(run, &question, &answer);
	return r < 0 ? r : answer_string(run, &answer, ret_value);
}

/* As the host has it: a worker's own would be that of its sandbox. */
static int read_kept_mountinfo(struct kc_run *run, struct kc_bytes *ret_bytes)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	struct kc_err err = { 0 };
	char *copy;
	int r = kc_root_read_mountinfo(run->root, KC_RUN_MEMORY_MAX, &err, &text);

	if (r == -EOPNOTSUPP)
		return r;
	if (r < 0)
		return kc_host_fail_err(run, &err);
	copy = kc_arena_memdup(kc_host_arena(run), text.data ? text.data : "", text.len);
	if (!copy)
		return kc_host_fail_memory(run);
	*ret_bytes = (struct kc_bytes){ .data = copy, .size = text.len };
	return 0;
}

int kc_host_mountinfo(struct kc_run *run, struct kc_bytes *ret_bytes)
{
	static const char *const own[] = { "/proc/self/mountinfo", "/proc/1/mountinfo" };
	bool here = kc_streq(kc_root_path(run->root), "/");
	int r = read_kept_mountinfo(run, ret_bytes);

	if (r != -EOPNOTSUPP)
		return r;
	/* Below /host, "self" would be the container's: pid 1 has the machine's mounts. */
	r = kc_host_read_file(run, own[!here], KC_RUN_MEMORY_MAX, ret_bytes);
	if (r == -ENOENT || r == -EACCES)
		r = kc_host_read_file(run, own[here], KC_RUN_MEMORY_MAX, ret_bytes);
	return r;
}

int kc_host_kernel(struct kc_run *run, const char **ret_release, const char **ret_machine,
		   const char **ret_hostname)
{
	const char *release, *hostname, *machine;
	struct utsname names;
	int r;

	/* uname(2) would be the looking process's own UTS namespace, and no fixture could have it.
	 */
	r = kc_host_sysctl(run, "kernel.osrelease", &release);
	if (r < 0)
		return r;
	r = kc_host_sysctl(run, "kernel.hostname", &hostname);
	if (r < 0)
		return r;
	if (kc_host_sysctl(run, "kernel.arch", &machine) < 0) { /* since Linux 6.1 */
		if (uname(&names) < 0)
			return kc_host_fail(run, -errno, "uname: %s", kc_strerror(errno));
		machine = kc_arena_strdup(kc_host_arena(run), names.machine);
		if (!machine)
			return kc_host_fail_memory(run);
	}
	*ret_release = release;
	*ret_machine = machine;
	*ret_hostname = hostname;
	return 0;
}

int kc_host_addresses(struct kc_run *run, struct kc_pairs *ret_addresses)
{
	struct kc_question question = { .kind = KC_ASK_ADDRESSES };
	struct kc_answer answer;
	int r = ask_live(run, &question, &answer);

	return r < 0 ? r : answer_pairs(run, &answer, ret_addresses);
}

int kc_host_clock(struct kc_run *run, int64_t *ret_realtime_usec, int64_t *ret_monotonic_usec)
{
	*ret_realtime_usec = (int64_t)kc_realtime_usec();
	*ret_monotonic_usec = (int64_t)kc_now_usec();
	return 0;
}

int kc_host_process_link(struct kc_run *run, uint32_t pid, const char *name,
			 const char **ret_target)
{
	const char *strings[] = { name, NULL };
	struct kc_question question = question_of(KC_ASK_PROCESS, strings);
	struct kc_answer answer;
	int r;

	question.number = pid;
	r = ask_live(run, &question, &answer);
	return r < 0 ? r : answer_string(run, &answer, ret_target);
}

int kc_host_socket_holder(struct kc_run *run, uint64_t inode, uint32_t *ret_pid,
			  const char **ret_program)
{
	struct kc_question question = { .kind = KC_ASK_SOCKET_HOLDER };
	struct kc_answer answer;
	const char *program = NULL;
	int r;

	if (inode > INT64_MAX)
		return kc_host_fail(run, -EINVAL, "socket:[%llu] is no inode",
				    (unsigned long long)inode);
	question.number = (int64_t)inode;
	r = ask_live(run, &question, &answer);
	if (r >= 0)
		r = answer_string(run, &answer, &program);
	if (r < 0)
		return r;
	if (answer.numbers[0] < 1 || answer.numbers[0] > UINT32_MAX)
		return kc_host_fail(run, -EBADMSG, "the answer has no PID");
	*ret_pid = (uint32_t)answer.numbers[0];
	*ret_program = program;
	return 0;
}

/* A socket as the answer's bytes have it, which may be anything. */
static int read_socket(const struct kc_bytes *bytes, struct kc_socket *ret_socket)
{
	if (bytes->size != sizeof(*ret_socket))
		return -EBADMSG;
	memcpy(ret_socket, bytes->data, sizeof(*ret_socket));
	return ret_socket->family == 4 || ret_socket->family == 6 ? 0 : -EBADMSG;
}

int kc_host_sockets(struct kc_run *run, uint32_t protocol, struct kc_sockets *ret_sockets)
{
	struct kc_question question = { .kind = KC_ASK_SOCKETS, .number = protocol };
	struct kc_socket *sockets;
	struct kc_answer answer;
	int r = ask_live(run, &question, &answer);

	if (r < 0)
		return r;
	sockets = kc_arena_zalloc(kc_host_arena(run), answer.n_items + 1, sizeof(*sockets));
	if (!sockets)
		return kc_host_fail_memory(run);
	for (size_t i = 0; i < answer.n_items; i++) {
		if (read_socket(&answer.items[i], &sockets[i]) < 0)
			return kc_host_fail(run, -EBADMSG, "the answer has what is no socket");
	}
	*ret_sockets = (struct kc_sockets){ .n = answer.n_items, .item = sockets };
	return 0;
}

int kc_host_unit(struct kc_run *run, const char *name, struct kc_pairs *ret_properties)
{
	const char *strings[] = { name, NULL };
	struct kc_question question = question_of(KC_ASK_UNIT, strings);
	struct kc_answer answer;
	int r = ask_live(run, &question, &answer);

	return r < 0 ? r : answer_pairs(run, &answer, ret_properties);
}

int kc_host_bus(struct kc_run *run, const struct kc_bus_question *asked,
		struct kc_strings *ret_values)
{
	struct kc_bus_question q = { 0 };
	struct kc_question question;
	struct kc_answer answer;
	const char **strings;
	size_t n = 4, i = 4;
	int r;

	memcpy(&q, asked, KC_MIN((size_t)asked->size, sizeof(q)));
	if (!q.destination || !q.path || !q.interface || !q.member)
		return kc_host_fail(
			run, -EINVAL,
			"a question to the bus needs destination, path, interface and member");
	n += kc_strv_len(q.args);
	strings = kc_arena_zalloc(kc_host_arena(run), n + 1, sizeof(*strings));
	if (!strings)
		return kc_host_fail_memory(run);
	strings[0] = q.destination;
	strings[1] = q.path;
	strings[2] = q.interface;
	strings[3] = q.member;
	KC_FOREACH_STR (arg, q.args)
		strings[i++] = arg;
	question = (struct kc_question){
		.kind = KC_ASK_BUS,
		.number = q.property != 0,
		.strings = { .n = n, .item = strings },
	};
	r = ask_live(run, &question, &answer);
	return r < 0 ? r : answer_strings(run, &answer, ret_values);
}

int kc_host_runtime(struct kc_run *run, const char *endpoint, uint32_t asked, uint64_t timeout_usec,
		    struct kc_pairs *ret_answer)
{
	const char *strings[] = { endpoint, NULL };
	struct kc_question question = question_of(KC_ASK_RUNTIME, strings);
	struct kc_answer answer;
	int r;

	question.number = asked;
	question.timeout_usec = timeout_usec;
	r = ask_live(run, &question, &answer);
	return r < 0 ? r : answer_pairs(run, &answer, ret_answer);
}

int kc_host_health(struct kc_run *run, const char *url, uint64_t timeout_usec, int *ret_status,
		   struct kc_bytes *ret_body)
{
	const char *strings[] = { url, NULL };
	struct kc_question question = question_of(KC_ASK_HEALTH, strings);
	struct kc_answer answer;
	int r;

	question.timeout_usec = timeout_usec;
	r = ask_live(run, &question, &answer);
	if (r < 0)
		return r;
	if (answer.n_items != 1)
		return kc_host_fail(run, -EBADMSG, "the answer of %s has no body", url);
	*ret_status = (int)answer.numbers[0];
	*ret_body = answer.items[0];
	return 0;
}

int kc_host_lookup(struct kc_run *run, const char *name, uint64_t timeout_usec,
		   struct kc_strings *ret_addresses)
{
	const char *strings[] = { name, NULL };
	struct kc_question question = question_of(KC_ASK_LOOKUP, strings);
	struct kc_answer answer;
	int r;

	question.timeout_usec = timeout_usec;
	r = ask_live(run, &question, &answer);
	return r < 0 ? r : answer_strings(run, &answer, ret_addresses);
}

int kc_host_try_port(struct kc_run *run, const char *address, uint16_t port, uint64_t timeout_usec)
{
	const char *strings[] = { address, NULL };
	struct kc_question question = question_of(KC_ASK_PORT, strings);
	struct kc_answer answer;

	question.number = port;
	question.timeout_usec = timeout_usec;
	return ask_live(run, &question, &answer);
}

int kc_host_program(struct kc_run *run, const struct kc_program *program,
		    struct kc_program_result *ret_result)
{
	struct kc_program_result result = { .size_of = sizeof(result) };
	uint32_t size = ret_result->size_of;
	struct kc_program p = { 0 };
	struct kc_question question;
	struct kc_answer answer;
	const char **strings;
	size_t n = 1;
	int r;

	memcpy(&p, program, KC_MIN((size_t)program->size, sizeof(p)));
	if (!p.path || !p.argv || !p.argv[0])
		return kc_host_fail(run, -EINVAL, "a program needs a path and its arguments");
	strings = kc_arena_zalloc(kc_host_arena(run), kc_strv_len(p.argv) + 2, sizeof(*strings));
	if (!strings)
		return kc_host_fail_memory(run);
	strings[0] = p.path;
	KC_FOREACH_STR (arg, p.argv)
		strings[n++] = arg;
	question = (struct kc_question){
		.kind = KC_ASK_PROGRAM,
		.timeout_usec = p.timeout_usec ? p.timeout_usec : kc_host_time_left(run),
		.strings = { .n = n, .item = strings },
	};
	r = ask_live(run, &question, &answer);
	if (r < 0)
		return r;
	if (answer.n_items != 2)
		return kc_host_fail(run, -EBADMSG, "%s: its output was lost", p.path);
	result.exit_code = (int32_t)answer.numbers[0];
	result.signal = (int32_t)answer.numbers[1];
	result.out = answer.items[0];
	result.err = answer.items[1];
	memcpy(ret_result, &result, KC_MIN((size_t)size, sizeof(result)));
	ret_result->size_of = size;
	return 0;
}
