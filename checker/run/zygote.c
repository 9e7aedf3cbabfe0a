/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "process.h"
#include "zygote.h"

enum {
	STOP_USEC = 1000 * 1000,
	KILLED_USEC = 100 * 1000,
	SWEEP_USEC = 100 * 1000,
	SWEEP_AGAIN_MSEC = 20,
};

struct child {
	uint32_t id;
	pid_t pid;
};

struct zygote {
	const struct kc_run_config *config;
	const struct kc_slots *slots;
	struct kc_root *root;
	struct kc_sandbox sandbox;
	struct kc_channel channel;
	int signals;
	pid_t pid;
	struct child *children;
	size_t n_children;
	bool unswept; /* strays may be left */
};

static struct child *find_id(struct zygote *z, uint32_t id)
{
	for (size_t i = 0; i < z->n_children; i++) {
		if (z->children[i].id == id)
			return z->children + i;
	}
	return NULL;
}

static struct child *find_pid(struct zygote *z, pid_t pid)
{
	for (size_t i = 0; i < z->n_children; i++) {
		if (z->children[i].pid == pid)
			return z->children + i;
	}
	return NULL;
}

static bool is_worker(const void *context, pid_t pid)
{
	const struct zygote *z = context;

	for (size_t i = 0; i < z->n_children; i++) {
		if (z->children[i].pid == pid)
			return true;
	}
	return false;
}

/*
 * Ends what workers forked, and this process inherited. What is left when this has taken too long
 * is for the next time: who forks without end holds up nobody else.
 */
static unsigned sweep(struct zygote *z)
{
	unsigned n = 0;

	z->unswept = !kc_end_strays(is_worker, z, kc_now_usec() + SWEEP_USEC, &n);
	return n;
}

static void report_exit(struct zygote *z, uint32_t id, int status, unsigned strays)
{
	size_t begin = kc_frame_begin(&z->channel.out, KC_FRAME_EXITED, id);

	kc_put_u32(&z->channel.out, (uint32_t)status);
	kc_put_u32(&z->channel.out, strays);
	kc_frame_end(&z->channel.out, begin);
}

/* Takes the dead, and ends what they left. */
static void reap(struct zygote *z)
{
	for (;;) {
		int status = 0;
		pid_t pid = waitpid(-1, &status, WNOHANG);
		struct child *child;
		uint32_t id;

		if (pid <= 0)
			return;
		child = find_pid(z, pid);
		if (!child)
			continue;
		id = child->id;
		*child = z->children[--z->n_children];
		/* Its group first, which may still hold members; then what left the group. */
		(void)kill(-pid, SIGKILL);
		report_exit(z, id, status, sweep(z));
	}
}

static void child_main(struct zygote *z, const struct kc_worker_birth *birth)
{
	int flags = fcntl(birth->channel, F_GETFL);
	int keep[3 + KC_ROOT_FDS] = { birth->channel, birth->log, birth->plugin };

	kc_root_keep_mountinfo(z->root, birth->mountinfo);
	kc_root_fds(z->root, keep + 3);
	kc_close_all_but(keep, KC_ARRAY_SIZE(keep));
	if (kc_slots_leave(z->slots, birth->slot) < 0)
		_exit(1);
	/* It waits for one thing at a time. */
	if (flags >= 0)
		(void)fcntl(birth->channel, F_SETFL, flags & ~O_NONBLOCK);
	kc_worker_main(z->config, z->root, &z->sandbox, birth, kc_slots_at(z->slots, birth->slot),
		       z->pid);
}

static int add_child(struct zygote *z, uint32_t id, pid_t pid)
{
	struct child *grown = realloc(z->children, (z->n_children + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	z->children = grown;
	grown[z->n_children++] = (struct child){ .id = id, .pid = pid };
	return 0;
}

static void spawn(struct zygote *z, const struct kc_frame *frame, const int *fds)
{
	struct kc_worker_birth birth = {
		.channel = fds[0],
		.log = fds[1],
		.plugin = fds[2],
		.mountinfo = fds[3],
	};
	struct kc_reader r;
	size_t begin;
	pid_t pid = -1;
	int code = 0;

	kc_reader_init(&r, frame);
	birth.slot = kc_reader_u32(&r);
	birth.name = kc_reader_text(&r);
	birth.path = kc_reader_text(&r);
	if (kc_reader_end(&r) < 0 || birth.slot >= KC_SLOTS_MAX || !birth.name || !birth.path ||
	    fds[0] < 0 || fds[1] < 0 || fds[2] < 0) {
		code = -EINVAL;
	} else {
		pid = kc_fork();
		if (pid == 0)
			child_main(z, &birth);
		code = pid < 0 ? -errno : 0;
	}
	if (pid > 0) {
		/* Here too, so that the group is there whoever runs first. */
		(void)setpgid(pid, pid);
		code = add_child(z, frame->rule, pid);
		if (code < 0)
			(void)kill(pid, SIGKILL);
	}
	begin = kc_frame_begin(&z->channel.out, KC_FRAME_SPAWNED, frame->rule);
	kc_put_u64(&z->channel.out, (uint64_t)(int64_t)(code < 0 ? code : pid));
	kc_frame_end(&z->channel.out, begin);
}

static void handle(struct zygote *z, const struct kc_frame *frame, const int *fds)
{
	struct child *child;

	switch (frame->type) {
	case KC_FRAME_SPAWN:
		spawn(z, frame, fds);
		break;
	case KC_FRAME_KILL:
		child = find_id(z, frame->rule);
		if (child) {
			(void)kill(-child->pid, SIGKILL);
			(void)kill(child->pid, SIGKILL);
		}
		break;
	default:
		_exit(1);
	}
}

/* k8scheck has closed its end, in order or not: nothing of the run stays behind. */
static void finish(struct zygote *z)
{
	uint64_t deadline = kc_now_usec() + STOP_USEC;

	for (size_t i = 0; i < z->n_children; i++) {
		(void)kill(-z->children[i].pid, SIGKILL);
		(void)kill(z->children[i].pid, SIGKILL);
	}
	z->n_children = 0;
	for (;;) {
		struct pollfd pfd = { .fd = z->signals, .events = POLLIN };
		struct signalfd_siginfo info;
		uint64_t now = kc_now_usec();
		pid_t pid;

		(void)sweep(z);
		do
			pid = waitpid(-1, NULL, WNOHANG);
		while (pid > 0);
		/* One that cannot die is waited for no longer than this. */
		if (pid < 0 || now >= deadline)
			break;
		(void)poll(&pfd, 1, (int)((deadline - now) / 1000 + 1));
		while (read(z->signals, &info, sizeof(info)) > 0)
			;
	}
	_exit(0);
}

static void receive(struct zygote *z)
{
	int fds[KC_CHANNEL_FDS_MAX];
	struct kc_frame frame;
	int r;

	r = kc_channel_receive(&z->channel, fds);
	if (r == -EAGAIN)
		return;
	if (r <= 0)
		finish(z);
	for (;;) {
		r = kc_channel_next(&z->channel, &frame);
		if (r < 0)
			_exit(1);
		if (r == 0)
			break;
		handle(z, &frame, fds);
	}
	for (size_t i = 0; i < KC_CHANNEL_FDS_MAX; i++)
		(void)kc_close(fds[i]);
}

static void serve(struct zygote *z)
{
	for (;;) {
		struct pollfd pfd[] = {
			{ .fd = z->channel.fd, .events = POLLIN },
			{ .fd = z->signals, .events = POLLIN },
		};
		struct signalfd_siginfo info;

		if (z->channel.out.len > 0)
			pfd[0].events |= POLLOUT;
		if (poll(pfd, KC_ARRAY_SIZE(pfd), z->unswept ? SWEEP_AGAIN_MSEC : -1) < 0 &&
		    errno != EINTR)
			_exit(1);
		if (pfd[1].revents) {
			while (read(z->signals, &info, sizeof(info)) > 0)
				;
			reap(z);
		}
		if (pfd[0].revents)
			receive(z);
		if (z->unswept)
			report_exit(z, 0, 0, sweep(z));
		/* The end of k8scheck is seen by receive(), which cleans up. */
		(void)kc_channel_flush(&z->channel);
	}
}

static int prepare(struct zygote *z, struct kc_err *err)
{
	sigset_t mask;

	(void)sigemptyset(&mask);
	(void)sigaddset(&mask, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return kc_err_set(err, -errno, "sigprocmask: %s", kc_strerror(errno));
	z->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (z->signals < 0)
		return kc_err_set(err, -errno, "signalfd: %s", kc_strerror(errno));
	return 0;
}

static int enter(struct zygote *z, struct kc_err *err)
{
	bool walk = z->config->no_openat2;
	int r;

	/* Opens /dev/null for writing, which is the last that can be. */
	kc_process_deafen();
	kc_sandbox_begin(&z->sandbox);
	/* Only now: what was left to wait for a mount without an answer is no stray of a worker. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	walk = walk || kc_sandbox_hides_openat2(&z->sandbox);
	r = kc_root_open(z->config->root,
			 (z->config->live ? KC_ROOT_LIVE : 0) | (walk ? KC_ROOT_NO_OPENAT2 : 0),
			 err, &z->root);
	if (r < 0)
		return r;
	/* Where k8scheck was started may lie beneath another mount, which no path leads to. */
	if (chdir("/") < 0)
		return kc_err_set(err, -errno, "chdir /: %s", kc_strerror(errno));
	kc_process_limit(z->config->deadline_usec ? z->config->deadline_usec
						  : z->config->timeout_usec * 64);
	kc_sandbox_complete(&z->sandbox);
	return kc_sandbox_insist(&z->sandbox, err);
}

static kc_noreturn void zygote_main(const struct kc_run_config *config,
				    const struct kc_slots *slots, int fd)
{
	struct zygote z = {
		.config = config,
		.slots = slots,
		.signals = -EBADF,
		.pid = getpid(),
	};
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct kc_err err = { 0 };
	size_t begin;
	int r;

	/* A terminal's interrupt reaches k8scheck, whose end ends this. */
	kc_process_name("zygote");
	(void)setpgid(0, 0);
	/* Who started k8scheck may have SIGCHLD ignored, and then no child's end would be seen. */
	kc_reset_all_signals();
	(void)sigaction(SIGINT, &ignore, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	kc_close_all_but(&fd, 1);
	kc_channel_init(&z.channel, fd);
	z.sandbox.policy = config->sandbox;
	z.sandbox.group = config->live ? kc_proc_group(config->root) : -1;
	r = prepare(&z, &err);
	if (r >= 0)
		r = enter(&z, &err);
	begin = kc_frame_begin(&z.channel.out, KC_FRAME_PREPARED, 0);
	kc_put_u64(&z.channel.out, (uint64_t)(int64_t)r);
	kc_put_text(&z.channel.out, r < 0 ? err.text : NULL);
	kc_sandbox_put(&z.channel.out, &z.sandbox);
	kc_frame_end(&z.channel.out, begin);
	if (kc_channel_flush_all(&z.channel) < 0 || r < 0)
		_exit(1);
	serve(&z);
	_exit(0);
}

int kc_zygote_start(const struct kc_run_config *config, const struct kc_slots *slots,
		    struct kc_err *err, struct kc_zygote *ret_zygote)
{
	struct kc_zygote zygote = { 0 };
	int pair[2];
	int r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return kc_err_set(err, -errno, "socketpair: %s", kc_strerror(errno));
	zygote.pid = kc_fork();
	if (zygote.pid == 0)
		zygote_main(config, slots, pair[1]);
	(void)kc_close(pair[1]);
	if (zygote.pid < 0) {
		r = -errno;
		(void)kc_close(pair[0]);
		return kc_err_set(err, r, "fork: %s", kc_strerror(r));
	}
	kc_channel_init(&zygote.channel, pair[0]);
	*ret_zygote = zygote;
	return 0;
}

int kc_zygote_spawn(struct kc_zygote *zygote, uint32_t id, const struct kc_worker_birth *birth)
{
	const int list[] = { birth->channel, birth->log, birth->plugin, birth->mountinfo };
	size_t n_list = birth->mountinfo < 0 ? KC_ARRAY_SIZE(list) - 1 : KC_ARRAY_SIZE(list);
	size_t begin;
	int r;

	/* Descriptors come with the first byte of their frame, so nothing may stand before it. */
	r = kc_channel_flush_all(&zygote->channel);
	if (r < 0)
		return r;
	begin = kc_frame_begin(&zygote->channel.out, KC_FRAME_SPAWN, id);
	kc_put_u32(&zygote->channel.out, birth->slot);
	kc_put_text(&zygote->channel.out, birth->name);
	kc_put_text(&zygote->channel.out, birth->path);
	kc_frame_end(&zygote->channel.out, begin);
	return kc_channel_send_fds(&zygote->channel, list, n_list);
}

int kc_zygote_kill(struct kc_zygote *zygote, uint32_t id)
{
	kc_frame_end(&zygote->channel.out, kc_frame_begin(&zygote->channel.out, KC_FRAME_KILL, id));
	return kc_channel_flush_all(&zygote->channel);
}

void kc_zygote_stop(struct kc_zygote *zygote)
{
	int status;

	if (zygote->pid <= 0)
		return;
	kc_channel_shut(&zygote->channel);
	kc_channel_drain(&zygote->channel, kc_now_usec() + 2 * STOP_USEC);
	kc_channel_done(&zygote->channel);
	if (!kc_wait_until(zygote->pid, kc_now_usec() + STOP_USEC, &status)) {
		(void)kill(zygote->pid, SIGKILL);
		(void)kc_wait_until(zygote->pid, kc_now_usec() + KILLED_USEC, &status);
	}
	zygote->pid = 0;
}
