/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "fixer.h"
#include "run/broker.h"

enum {
	ASK_USEC = 3 * 1000 * 1000,
};

static bool is_there(struct kc_fixer *fixer, const char *path)
{
	struct kc_stat st = { .size_of = sizeof(st) };

	return kc_root_stat(fixer->fix.root, path, 0, NULL, &st) == 0;
}

static bool is_read_only(struct kc_fixer *fixer, const char *path)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	struct statvfs figures;

	return kc_root_path_fd(fixer->fix.root, path, 0, NULL, &fd) == 0 &&
	       fstatvfs(fd, &figures) == 0 && (figures.f_flag & ST_RDONLY);
}

const char *kc_fixer_refusal(struct kc_fixer *fixer)
{
	if (!fixer->fix.live)
		return NULL;
	if (is_there(fixer, "/run/ostree-booted"))
		return "this system is made of an image (ostree, bootc): what is changed here is "
		       "no "
		       "part of it; put the files of this plan into the image's build "
		       "(k8scheck --fix --root DIR there, or COPY lines of its Containerfile)";
	if (is_there(fixer, "/usr/sbin/transactional-update") && is_read_only(fixer, "/usr"))
		return "this system changes by transactional updates: run "
		       "transactional-update shell, and k8scheck --fix in it, then reboot";
	if (is_read_only(fixer, "/etc"))
		return "/etc is read-only: nothing on this system can be repaired while it runs; "
		       "put "
		       "the files of this plan into the image that it is made of";
	return NULL;
}

/* ---- pods ---- */

static const char *const endpoints[] = {
	"/run/crio/crio.sock",
	"/run/containerd/containerd.sock",
	"/run/cri-dockerd.sock",
	NULL,
};

static int ask(struct kc_broker *broker, const char *endpoint, struct kc_arena *arena,
	       struct kc_answer *ret_answer)
{
	const char *strings[] = { endpoint, NULL };
	const struct kc_question question = {
		.kind = KC_ASK_RUNTIME,
		.timeout_usec = ASK_USEC,
		.number = KC_RUNTIME_PODS_OWNED,
		.strings = { .n = 1, .item = strings },
	};
	struct kc_frame frame;
	int r;

	kc_frame_question(&broker->channel.out, 1, &question);
	r = kc_channel_flush_all(&broker->channel);
	if (r >= 0)
		r = kc_channel_wait(&broker->channel, kc_now_usec() + 2 * ASK_USEC, &frame);
	if (r >= 0)
		r = frame.type == KC_FRAME_ANSWER ? kc_read_answer(&frame, arena, ret_answer)
						  : -EBADMSG;
	return r;
}

/* Pods that run, by their names; "" for none. NULL: whom to ask is there and does not say. */
static const char *list_pods(struct kc_fixer *fixer, bool drained)
{
	const struct kc_run_config config = {
		.root = kc_root_path(fixer->fix.root),
		.live = true,
		.timeout_usec = ASK_USEC,
		.jobs = 1,
		.sandbox = KC_SANDBOX_BEST_EFFORT,
		.door_dirs = fixer->command.paths.doors,
	};
	kc_cleanup(kc_buf_done) struct kc_buf names = { 0 };
	struct kc_broker broker = { 0 };
	bool unsaid = false;

	KC_FOREACH_STR (endpoint, endpoints) {
		struct kc_answer answer = { 0 };

		if (!is_there(fixer, endpoint))
			continue;
		if (broker.pid == 0 && kc_broker_start(&config, NULL, &broker) < 0)
			return NULL;
		if (ask(&broker, endpoint, fixer->arena, &answer) < 0) {
			unsaid = true;
			continue;
		}
		/* Nobody listens: what is left of a dead runtime runs nothing that can be asked. */
		if (answer.code == -ECONNREFUSED || answer.code == -ENOENT)
			continue;
		unsaid = unsaid || answer.code < 0;
		for (size_t i = 0; answer.code == 0 && i + 1 < answer.n_items; i += 2) {
			const char *pod = answer.items[i + 1].data;
			const char *state = strstr(pod, " Ready ");

			/* kubectl drain leaves daemon sets and static pods where they are. */
			if (!state || (drained && !kc_streq(state, " Ready other")))
				continue;
			kc_buf_addf(&names, "%s%.*s", names.len ? ", " : "", (int)(state - pod),
				    pod);
		}
	}
	kc_broker_stop(&broker);
	if (kc_buf_error(&names) < 0 || (unsaid && names.len == 0))
		return NULL;
	return kc_arena_strdup(fixer->arena, names.data ? names.data : "");
}

const char *kc_fixer_hold(struct kc_fixer *fixer)
{
	const bool drained = fixer->command.options->drained;
	bool joined;
	const char *pods;

	if (!fixer->fix.live)
		return NULL;
	joined = is_there(fixer, "/etc/kubernetes/kubelet.conf");
	pods = list_pods(fixer, drained);
	if (drained) {
		if (!pods)
			return "--drained cannot be believed: the runtime does not say which pods "
			       "run";
		if (*pods)
			return kc_arena_printf(fixer->arena,
					       "--drained does not hold: %.400s run here; kubectl "
					       "drain this node first",
					       pods);
		return NULL;
	}
	if (pods && *pods)
		return kc_arena_printf(fixer->arena,
				       "pods run here (%.400s): drain the node, then add --drained",
				       pods);
	if (joined)
		return "this node has joined a cluster (/etc/kubernetes/kubelet.conf): drain it, "
		       "then "
		       "add --drained";
	return NULL;
}
