/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "answers.h"
#include "base/clock.h"
#include "base/fdio.h"
#include "broker.h"
#include "door.h"
#include "process.h"
#include "sys/absent.h"
#include "sys/addresses.h"
#include "sys/sockets.h"

enum {
	/* What a door may take beyond a question's own time-out, to say that it ran out. */
	GRACE_USEC = 300 * 1000,
	DOORS_MAX = 64,
	PENDING_MAX = 256,
	STOP_USEC = 500 * 1000,
	SWEEP_USEC = 100 * 1000,
	/* Longer than any run: who asks for more has forged its question. */
	TIMEOUT_MAX_USEC = 1000 * 1000 * 1000,
};

struct door_process {
	pid_t pid;
	char *key; /* "" for one question alone */
	struct kc_channel channel;
};

struct pending {
	uint32_t number;
	pid_t door;
	uint64_t timeout_usec;
	uint64_t deadline_usec; /* UINT64_MAX: the door is at another, asked before */
	char *late; /* what to say at the deadline; NULL: the door has to, within some grace */
};

struct broker {
	const struct kc_run_config *config;
	struct kc_root *root;
	struct kc_err root_err;
	struct kc_channel channel;
	pid_t pid;
	struct kc_memo answers; /* of its own; each door has those that it gave */
	size_t n_doors, n_pending;
	struct door_process doors[DOORS_MAX];
	struct pending pending[PENDING_MAX];
};

static void fail(struct broker *b, uint32_t number, int code, const char *why)
{
	const struct kc_answer answer = { .code = code, .why = why };

	kc_frame_answer(&b->channel.out, number, &answer);
}

static void drop_pending(struct broker *b, size_t index)
{
	free(b->pending[index].late);
	b->pending[index] = b->pending[--b->n_pending];
}

static bool is_door(const void *context, pid_t pid)
{
	const struct broker *b = context;

	for (size_t i = 0; i < b->n_doors; i++) {
		if (b->doors[i].pid == pid)
			return true;
	}
	return false;
}

static void kill_door(const struct door_process *d)
{
	(void)kill(-d->pid, SIGKILL);
	(void)kill(d->pid, SIGKILL);
}

static void forget_door(struct broker *b, size_t index)
{
	struct door_process *d = b->doors + index;
	int status;

	(void)kc_wait_until(d->pid, kc_now_usec() + STOP_USEC, &status);
	kc_channel_done(&d->channel);
	free(d->key);
	*d = b->doors[--b->n_doors];
}

/* What a door has started is a child of ours once it is gone. */
static void end_strays(struct broker *b)
{
	unsigned strays = 0;

	(void)kc_end_strays(is_door, b, kc_now_usec() + SWEEP_USEC, &strays);
}

/* Ends a door with all that it started. */
static void end_door(struct broker *b, size_t index, const char *why)
{
	const struct door_process *d = b->doors + index;

	for (size_t i = 0; i < b->n_pending;) {
		if (b->pending[i].door != d->pid) {
			i++;
			continue;
		}
		fail(b, b->pending[i].number, -EIO, why);
		drop_pending(b, i);
	}
	kill_door(d);
	forget_door(b, index);
	end_strays(b);
}

/* All at once, so that one is waited for while the others die. */
static kc_noreturn void end_all(struct broker *b)
{
	for (size_t i = 0; i < b->n_doors; i++)
		kill_door(b->doors + i);
	while (b->n_doors > 0)
		forget_door(b, b->n_doors - 1);
	end_strays(b);
	_exit(0);
}

/*
 * What kc_process_begin() made of the broker holds for its children, too, but for the group and the
 * signal at the end of the parent.
 */
static kc_noreturn void door_child(struct broker *b, int fd)
{
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != b->pid)
		_exit(1);
	(void)kc_close(b->channel.fd);
	for (size_t i = 0; i < b->n_doors; i++)
		(void)kc_close(b->doors[i].channel.fd);
	kc_door_main(b->config, b->root, fd);
}

static struct door_process *start_door(struct broker *b, const char *key)
{
	struct door_process *d = b->doors + b->n_doors;
	int pair[2];

	if (b->n_doors == DOORS_MAX || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return NULL;
	/* The door waits for one thing at a time, and nothing keeps it from blocking. */
	(void)fcntl(pair[0], F_SETFL, O_NONBLOCK);
	*d = (struct door_process){ .key = strdup(key) };
	d->pid = d->key ? fork() : -1;
	if (d->pid == 0) {
		(void)kc_close(pair[0]);
		door_child(b, pair[1]);
	}
	(void)kc_close(pair[1]);
	if (d->pid < 0) {
		(void)kc_close(pair[0]);
		free(d->key);
		return NULL;
	}
	kc_channel_init(&d->channel, pair[0]);
	b->n_doors++;
	return d;
}

static struct door_process *find_door(struct broker *b, const char *key)
{
	for (size_t i = 0; *key && i < b->n_doors; i++) {
		if (kc_streq(b->doors[i].key, key))
			return b->doors + i;
	}
	return NULL;
}

/* The time of a question begins when its door is done with those before it. */
static void start_next(struct broker *b, pid_t door)
{
	struct pending *first = NULL;

	for (size_t i = 0; i < b->n_pending; i++) {
		struct pending *p = b->pending + i;

		if (p->door == door && (!first || p->number < first->number))
			first = p;
	}
	if (first && first->deadline_usec == UINT64_MAX)
		first->deadline_usec =
			kc_now_usec() + first->timeout_usec + (first->late ? 0 : GRACE_USEC);
}

/*
 * The kernel answers for its addresses and sockets at once: a process for that would cost more than
 * the answer. NULL for a question that others have to be asked.
 */
static kc_door *own_door(uint32_t kind)
{
	switch (kind) {
	case KC_ASK_ADDRESSES:
		return kc_door_addresses;
	case KC_ASK_SOCKETS:
		return kc_door_sockets;
	default:
		return NULL;
	}
}

static void answer_here(struct broker *b, kc_door *door, const struct kc_question *question,
			uint32_t number, struct kc_arena *arena)
{
	const struct kc_door_host host = { .root = b->root };
	struct kc_answer answer = { 0 };
	void *state = NULL;

	if (!kc_answers_find(&b->answers, question, &answer)) {
		door(&host, &state, question, arena, &answer);
		kc_answers_keep(&b->answers, question, &answer);
	}
	kc_frame_answer(&b->channel.out, number, &answer);
}

static void pass_on(struct broker *b, const struct kc_frame *frame)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_answer absent = { 0 };
	struct kc_question question;
	struct door_process *d;
	const char *key, *late;
	kc_door *own;

	if (kc_read_question(frame, &arena, &question) < 0) {
		fail(b, frame->rule, -EIO, "the question cannot be read");
		return;
	}
	if (!b->root) {
		fail(b, frame->rule, b->root_err.code, b->root_err.text);
		return;
	}
	own = own_door(question.kind);
	if (own) {
		answer_here(b, own, &question, frame->rule, &arena);
		return;
	}
	key = kc_door_key(&question, &arena);
	d = find_door(b, key);
	/* A door that runs may have a connection yet, and what it remembers of its time-outs. */
	if (!d && kc_is_absent(b->root, &question, &arena, &absent)) {
		kc_frame_answer(&b->channel.out, frame->rule, &absent);
		return;
	}
	if (!d && b->n_pending < PENDING_MAX)
		d = start_door(b, key);
	if (!d || b->n_pending == PENDING_MAX) {
		fail(b, frame->rule, -EIO,
		     "the broker has too many questions to answer at once; ask for less with "
		     "--jobs");
		return;
	}
	late = kc_door_late(&question, &arena);
	b->pending[b->n_pending++] = (struct pending){
		.number = frame->rule,
		.door = d->pid,
		.timeout_usec = KC_MIN(question.timeout_usec, (uint64_t)TIMEOUT_MAX_USEC),
		.deadline_usec = UINT64_MAX,
		.late = late ? strdup(late) : NULL,
	};
	start_next(b, d->pid);
	kc_frame_question(&d->channel.out, frame->rule, &question);
	(void)kc_channel_flush(&d->channel);
}

/* Where there is no bus, nobody will be asked. */
static void expect_bus(struct broker *b)
{
	const struct kc_question question = { .kind = KC_ASK_BUS };
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	const char *key = kc_door_key(&question, &arena);
	struct door_process *d;

	if (!b->root || kc_is_bus_absent(b->root) || find_door(b, key))
		return;
	d = start_door(b, key);
	if (!d)
		return;
	kc_frame_end(&d->channel.out, kc_frame_begin(&d->channel.out, KC_FRAME_EXPECT, 0));
	(void)kc_channel_flush(&d->channel);
}

static void receive_questions(struct broker *b)
{
	struct kc_frame frame;
	int r = kc_channel_receive(&b->channel, NULL);

	if (r == -EAGAIN)
		return;
	if (r <= 0)
		end_all(b);
	while ((r = kc_channel_next(&b->channel, &frame)) > 0) {
		if (frame.type == KC_FRAME_EXPECT)
			expect_bus(b);
		else if (frame.type == KC_FRAME_ASK)
			pass_on(b, &frame);
		else
			_exit(1);
	}
	if (r < 0)
		_exit(1);
}

/* False when this door was not asked that: a hostile answer may have taken it over. */
static bool settle(struct broker *b, const struct door_process *d, uint32_t number)
{
	for (size_t i = 0; i < b->n_pending; i++) {
		if (b->pending[i].number == number && b->pending[i].door == d->pid) {
			drop_pending(b, i);
			return true;
		}
	}
	return false;
}

/* Answers of one door. False when the door is gone. */
static bool receive_answers(struct broker *b, size_t index)
{
	struct door_process *d = b->doors + index;
	struct kc_frame frame;
	int r = kc_channel_receive(&d->channel, NULL);

	if (r == -EAGAIN)
		return true;
	if (r <= 0) {
		end_door(b, index,
			 "whoever asked it died of the answer (this is a fault of k8scheck)");
		return false;
	}
	while ((r = kc_channel_next(&d->channel, &frame)) > 0) {
		size_t begin;

		if (frame.type != KC_FRAME_ANSWER || !settle(b, d, frame.rule))
			break;
		begin = kc_frame_begin(&b->channel.out, KC_FRAME_ANSWER, frame.rule);
		kc_buf_add(&b->channel.out, frame.data, frame.size);
		kc_frame_end(&b->channel.out, begin);
		if (!*d->key) {
			end_door(b, index, "");
			return false;
		}
		start_next(b, d->pid);
	}
	if (r != 0) {
		end_door(b, index, "the answer cannot be read");
		return false;
	}
	return true;
}

static void end_late(struct broker *b)
{
	uint64_t now = kc_now_usec();

	for (size_t i = 0; i < b->n_pending; i++) {
		pid_t door = b->pending[i].door;

		if (b->pending[i].deadline_usec > now)
			continue;
		if (b->pending[i].late)
			fail(b, b->pending[i].number, -ETIMEDOUT, b->pending[i].late);
		else
			fail(b, b->pending[i].number, -EIO,
			     "whoever asks it did not say in time that there is no answer, which "
			     "is a fault of k8scheck, or of a machine that is too busy");
		drop_pending(b, i);
		for (size_t k = 0; k < b->n_doors; k++) {
			if (b->doors[k].pid == door) {
				end_door(b, k, "the one before it took too long");
				break;
			}
		}
		end_late(b);
		return;
	}
}

static int time_to_wait(const struct broker *b)
{
	uint64_t next = UINT64_MAX, now = kc_now_usec();

	for (size_t i = 0; i < b->n_pending; i++)
		next = KC_MIN(next, b->pending[i].deadline_usec);
	if (next == UINT64_MAX)
		return -1;
	return next <= now ? 0 : (int)((next - now) / 1000 + 1);
}

static kc_noreturn void serve(struct broker *b)
{
	for (;;) {
		struct pollfd pfd[DOORS_MAX + 1];
		size_t n = b->n_doors;

		pfd[0] = (struct pollfd){ .fd = b->channel.fd, .events = POLLIN };
		if (b->channel.out.len > 0)
			pfd[0].events |= POLLOUT;
		for (size_t i = 0; i < n; i++) {
			pfd[i + 1] =
				(struct pollfd){ .fd = b->doors[i].channel.fd, .events = POLLIN };
			if (b->doors[i].channel.out.len > 0)
				pfd[i + 1].events |= POLLOUT;
		}
		if (poll(pfd, n + 1, time_to_wait(b)) < 0 && errno != EINTR)
			_exit(1);
		/* From the last on, since a door that ends gives its place to the last. */
		for (size_t i = n; i-- > 0;) {
			if (pfd[i + 1].revents && receive_answers(b, i))
				(void)kc_channel_flush(&b->doors[i].channel);
		}
		if (pfd[0].revents)
			receive_questions(b);
		end_late(b);
		(void)kc_channel_flush(&b->channel);
	}
}

/* What a broker needs, it needs for questions, and many runs have none. */
static void wait_for_first(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLRDHUP };

	while (poll(&pfd, 1, -1) < 0) {
		if (errno != EINTR)
			_exit(1);
	}
	/* Who has hung up waits for no answer. */
	if (pfd.revents & (POLLRDHUP | POLLHUP | POLLERR))
		_exit(0);
}

static kc_noreturn void answer_all(const struct kc_run_config *config, int fd)
{
	struct broker b;

	/* The lists behind are as long as they say: most of their pages are never touched. */
	memset(&b, 0, offsetof(struct broker, doors));
	b.config = config;
	b.pid = getpid();
	/* It ends when its channel does, and takes its doors and their programs with it. */
	(void)prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	/* What others are asked in: no locale, no proxy, no bus of a user's. */
	(void)clearenv();
	(void)setenv("LC_ALL", "C", 1);
	(void)setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	kc_sandbox_broker(config->sandbox);
	/* Only now: what was left to wait for a mount without an answer is no stray of a door. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (kc_root_open(config->root,
			 (config->live ? KC_ROOT_LIVE : 0) |
				 (config->no_openat2 ? KC_ROOT_NO_OPENAT2 : 0),
			 &b.root_err, &b.root) < 0)
		b.root = NULL;
	kc_channel_init(&b.channel, fd);
	serve(&b);
}

static kc_noreturn void broker_main(const struct kc_run_config *config, int fd, pid_t parent)
{
	kc_reset_all_signals();
	kc_process_deafen();
	kc_process_begin(parent, -EBADF);
	kc_process_name("broker");
	kc_close_all_but(&fd, 1);
	wait_for_first(fd);
	answer_all(config, fd);
}

int kc_broker_start(const struct kc_run_config *config, struct kc_err *err,
		    struct kc_broker *ret_broker)
{
	pid_t parent = getpid(), pid;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return kc_err_set(err, -errno, "socketpair: %s", kc_strerror(errno));
	pid = kc_fork();
	if (pid == 0)
		broker_main(config, pair[1], parent);
	(void)kc_close(pair[1]);
	if (pid < 0) {
		(void)kc_close(pair[0]);
		return kc_err_set(err, -errno, "fork: %s", kc_strerror(errno));
	}
	kc_channel_init(&ret_broker->channel, pair[0]);
	ret_broker->pid = pid;
	return 0;
}

void kc_broker_expect_bus(struct kc_broker *broker)
{
	struct kc_buf *out = &broker->channel.out;

	if (broker->pid <= 0)
		return;
	kc_frame_end(out, kc_frame_begin(out, KC_FRAME_EXPECT, 0));
	(void)kc_channel_flush(&broker->channel);
}

void kc_broker_stop(struct kc_broker *broker)
{
	int status;

	if (broker->pid <= 0)
		return;
	kc_channel_shut(&broker->channel);
	kc_channel_drain(&broker->channel, kc_now_usec() + 2 * STOP_USEC);
	kc_channel_done(&broker->channel);
	if (!kc_wait_until(broker->pid, kc_now_usec() + STOP_USEC, &status)) {
		(void)kill(broker->pid, SIGKILL);
		(void)kc_wait_until(broker->pid, kc_now_usec() + SWEEP_USEC, &status);
	}
	broker->pid = 0;
}
