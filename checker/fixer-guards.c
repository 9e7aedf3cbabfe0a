/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "fixer.h"
#include "run/broker.h"
#include "surroundings.h"

enum {
	ASK_USEC = 3 * 1000 * 1000,
};

/* What cannot be looked at is not taken for missing. */
static bool is_there(struct kc_fixer *fixer, const char *path)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	int r = kc_root_stat(fixer->fix.root, path, 0, NULL, &st);

	return r != -ENOENT && r != -ENOTDIR;
}

static const char *find_first(struct kc_fixer *fixer, const char *const *paths)
{
	KC_FOREACH_STR (path, paths) {
		if (is_there(fixer, path))
			return path;
	}
	return NULL;
}

static bool is_read_only(struct kc_fixer *fixer, const char *path)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	struct statvfs figures;

	return kc_root_path_fd(fixer->fix.root, path, 0, NULL, &fd) == 0 &&
	       fstatvfs(fd, &figures) == 0 && (figures.f_flag & ST_RDONLY);
}

static bool is_folder(int fd, const char *path)
{
	struct stat ours, theirs;

	return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
	       ours.st_ino == theirs.st_ino;
}

/* Whether nothing keeps the root apart from the system that runs: it is ours, or process 1's. */
static bool is_root_that_runs(struct kc_fixer *fixer)
{
	kc_cleanup(kc_closep) int fd = -EBADF;

	if (kc_root_path_fd(fixer->fix.root, "/", 0, NULL, &fd) < 0)
		return false;
	if (is_folder(fd, "/"))
		return !kc_surroundings_foreign();
	return !kc_surroundings_in_container() && is_folder(fd, "/proc/1/root/.");
}

int kc_fixer_vet_root(struct kc_fixer *fixer, struct kc_err *err)
{
	const char *root = kc_root_path(fixer->fix.root);

	if (fixer->fix.live)
		return 0;
	/* sd_booted(3) asks for no more. */
	if (is_there(fixer, "/run/systemd/system"))
		return kc_err_set(err, -EBUSY,
				  "%s shows a system that runs (/run/systemd/system is there), and "
				  "not an image: add --live, by which its kernel, units and pods "
				  "are asked, too",
				  root);
	if (is_root_that_runs(fixer))
		return kc_err_set(err, -EBUSY,
				  "%s is the system that runs here, and not an image: leave --root "
				  "out, or add --live",
				  root);
	return 0;
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
	"/run/k3s/containerd/containerd.sock",
	"/run/k0s/containerd.sock",
	"/var/snap/microk8s/common/run/containerd.sock",
	NULL,
};

/* What a kubelet logs in to its cluster with: kubeadm's and what others make in its place. */
static const char *const credentials[] = {
	"/etc/kubernetes/kubelet.conf",
	"/var/lib/kubelet/kubeconfig",
	"/var/lib/rancher/k3s/agent/kubelet.kubeconfig",
	"/var/lib/rancher/rke2/agent/kubelet.kubeconfig",
	"/var/lib/k0s/kubelet.conf",
	"/var/snap/microk8s/current/credentials/kubelet.config",
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

static void add_pods(struct kc_buf *names, const struct kc_answer *answer, bool drained)
{
	for (size_t i = 0; i + 1 < answer->n_items; i += 2) {
		const char *pod = answer->items[i + 1].data;
		const char *state = strstr(pod, " Ready ");

		/* kubectl drain leaves daemon sets and static pods where they are. */
		if (!state || (drained && !kc_streq(state, " Ready other")))
			continue;
		kc_buf_addf(names, "%s%.*s", names->len ? ", " : "", (int)(state - pod), pod);
	}
}

/* Nobody listens, as where a dead runtime has left its socket, or no CRI, as in Docker's own. */
static bool has_no_pods(int code)
{
	return code == -ECONNREFUSED || code == -ENOENT || code == -ENOTSUP;
}

/* Pods that run, by their names; *ret_silent: an endpoint that is there and does not say. */
static int list_pods(struct kc_fixer *fixer, bool drained, struct kc_buf *names,
		     const char **ret_silent)
{
	const struct kc_run_config config = {
		.root = kc_root_path(fixer->fix.root),
		.live = true,
		.timeout_usec = ASK_USEC,
		.jobs = 1,
		.sandbox = KC_SANDBOX_BEST_EFFORT,
		.door_dirs = fixer->command.paths.doors,
	};
	struct kc_broker broker = { 0 };

	*ret_silent = NULL;
	KC_FOREACH_STR (endpoint, endpoints) {
		struct kc_answer answer = { 0 };

		if (!is_there(fixer, endpoint))
			continue;
		if ((broker.pid == 0 && kc_broker_start(&config, NULL, &broker) < 0) ||
		    ask(&broker, endpoint, fixer->arena, &answer) < 0)
			answer.code = -EIO;
		if (answer.code == 0)
			add_pods(names, &answer, drained);
		else if (!has_no_pods(answer.code))
			*ret_silent = endpoint;
	}
	kc_broker_stop(&broker);
	return kc_buf_error(names);
}

const char *kc_fixer_hold(struct kc_fixer *fixer)
{
	const bool drained = fixer->command.options->drained;
	kc_cleanup(kc_buf_done) struct kc_buf pods = { 0 };
	const char *joined, *silent;

	if (!fixer->fix.live)
		return NULL;
	joined = find_first(fixer, credentials);
	if (list_pods(fixer, drained, &pods, &silent) < 0)
		return "out of memory, so that the pods of this node cannot be told";
	if (pods.len)
		return kc_arena_printf(
			fixer->arena,
			drained ? "--drained does not hold: %.400s run here; kubectl drain this "
				  "node first"
				: "pods run here (%.400s): drain the node, then add --drained",
			pods.data);
	if (silent)
		return kc_arena_printf(
			fixer->arena,
			"%sthe runtime behind %s does not say which pods run: mend it first, or "
			"stop it",
			drained ? "--drained cannot be believed: " : "", silent);
	if (joined && !drained)
		return kc_arena_printf(fixer->arena,
				       "this node has joined a cluster (%s): drain it, then add "
				       "--drained",
				       joined);
	return NULL;
}
