/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster.h"

#define BOTH	      (CLUSTER_CONTROL_PLANE | CLUSTER_WORKER)
#define CONTROL_PLANE CLUSTER_CONTROL_PLANE
#define WORKER	      CLUSTER_WORKER
#define MANIFESTS     "/etc/kubernetes/manifests"
#define PKI	      "/etc/kubernetes/pki"
#define KUBELET_PKI   "/var/lib/kubelet/pki"

/* Why a file is in the way: cmd/kubeadm/app/preflight/checks.go, and the phases behind it. */
static const char refused_and_run[] = "kubeadm init and kubeadm join --control-plane refuse to "
				      "overwrite it (FileAvailable), and the "
				      "kubelet would run it.";
static const char refused_by_join[] = "kubeadm join refuses to overwrite it (FileAvailable).";
static const char old_identity[] =
	"kubeadm init takes it over, and stops when it is of another certificate authority.";
static const char old_certificate[] = "kubeadm init takes it over, and stops when the new "
				      "authority did not sign it, or a name is "
				      "missing in it.";

static const struct place {
	uint32_t roles;
	const char *path, *why;
} files[] = {
	{ BOTH, MANIFESTS "/kube-apiserver.yaml", refused_and_run },
	{ BOTH, MANIFESTS "/kube-controller-manager.yaml", refused_and_run },
	{ BOTH, MANIFESTS "/kube-scheduler.yaml", refused_and_run },
	{ BOTH, MANIFESTS "/etcd.yaml", refused_and_run },
	{ BOTH, "/etc/kubernetes/kubelet.conf",
	  "kubeadm join refuses to overwrite it (FileAvailable), and the kubelet would go to that "
	  "cluster." },
	{ BOTH, "/etc/kubernetes/bootstrap-kubelet.conf", refused_by_join },
	{ WORKER, PKI "/ca.crt", refused_by_join },
	{ CONTROL_PLANE, "/etc/kubernetes/admin.conf", old_identity },
	{ CONTROL_PLANE, "/etc/kubernetes/super-admin.conf", old_identity },
	{ CONTROL_PLANE, "/etc/kubernetes/controller-manager.conf", old_identity },
	{ CONTROL_PLANE, "/etc/kubernetes/scheduler.conf", old_identity },
	{ CONTROL_PLANE, PKI "/apiserver.crt", old_certificate },
	{ CONTROL_PLANE, PKI "/apiserver-kubelet-client.crt", old_certificate },
	{ CONTROL_PLANE, PKI "/apiserver-etcd-client.crt", old_certificate },
	{ CONTROL_PLANE, PKI "/front-proxy-client.crt", old_certificate },
	{ CONTROL_PLANE, PKI "/etcd/server.crt", old_certificate },
	{ CONTROL_PLANE, PKI "/etcd/peer.crt", old_certificate },
	{ CONTROL_PLANE, PKI "/etcd/healthcheck-client.crt", old_certificate },
};

static int report_left(struct leftovers *l, const char *path, const char *expected,
		       const char *found, const char *why)
{
	l->n_reported++;
	return kc_report(l->host, l->run, KC_BOOT, KC_FAIL, path, expected, found, path, why);
}

static int report_unseen(struct leftovers *l, const char *path)
{
	l->n_reported++;
	return kc_report_error(l->host, l->run, KC_BOOT, path, path);
}

/* 1 when it is there, behind links, as kubeadm looks. */
static int exists(const struct leftovers *l, const char *path, struct kc_stat *ret_stat)
{
	int r;

	*ret_stat = (struct kc_stat){ .size_of = sizeof(*ret_stat) };
	r = kc_stat(l->host, l->run, path, 0, ret_stat);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	return r < 0 ? r : 1;
}

/* The names in a folder; none when there is no such folder. */
static int list(const struct leftovers *l, const char *path, struct kc_strings *ret_names)
{
	int r = kc_list_dir(l->host, l->run, path, ret_names);
	struct kc_stat st;

	/* Also below what is no folder itself; one in its own place is left over. */
	if (r == -ENOENT || (r == -ENOTDIR && exists(l, path, &st) == 0)) {
		*ret_names = (struct kc_strings){ 0 };
		r = 0;
	}
	return r;
}

static int look_at_files(struct leftovers *l)
{
	int r = 0;

	for (size_t i = 0; i < KC_ARRAY_SIZE(files) && !r; i++) {
		struct kc_stat st;
		int found;

		if (!(files[i].roles & l->roles))
			continue;
		l->n_looked_at++;
		found = exists(l, files[i].path, &st);
		if (found < 0)
			r = report_unseen(l, files[i].path);
		else if (found > 0)
			r = report_left(l, files[i].path, "no such file",
					st.type == KC_FILE_REGULAR ? "a file" : "there",
					files[i].why);
	}
	return r;
}

/* Whether the file is one of those that have a finding of their own. */
static bool has_row(const struct leftovers *l, const char *path)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(files); i++)
		if ((files[i].roles & l->roles) && kc_streq(files[i].path, path))
			return true;
	return false;
}

/*
 * The other static pods. A control plane may have some on purpose before it is made (kube-vip);
 * a worker has none, and kubeadm join before 1.23 wants the folder empty. The kubelet passes over
 * hidden files (pkg/kubelet/config/file.go); packages of 1.24 and later keep the folder by one.
 */
static int look_at_manifests(struct leftovers *l)
{
	const char *first = NULL;
	struct kc_strings names;
	size_t n = 0;
	int r;

	l->n_looked_at++;
	r = list(l, MANIFESTS, &names);
	if (r == -ENOTDIR)
		return report_left(l, MANIFESTS, "no such folder, or one for static pods",
				   "something that is no folder",
				   "kubeadm could not write its manifests there.");
	if (r)
		return report_unseen(l, MANIFESTS);
	for (size_t i = 0; i < names.n; i++) {
		if (*names.item[i] == '.' ||
		    has_row(l, left_text(l, MANIFESTS "/%s", names.item[i])))
			continue;
		first = first ? first : names.item[i];
		n++;
	}
	if (n == 0)
		return 0;
	if (l->roles == CLUSTER_WORKER)
		return report_left(
			l, MANIFESTS, "an empty folder",
			n == 1 ? first : left_text(l, "%zu files, %s among them", n, first),
			"The kubelet would run them as static pods, and kubeadm join "
			"before 1.23 refuses a folder that is not empty (DirAvailable).");
	if (n == 1)
		l->note = left_text(l, "%s has one more file, %s: the kubelet will run it.",
				    MANIFESTS, first);
	else
		l->note = left_text(l,
				    "%s has %zu more files, %s among them: the kubelet will run "
				    "them.",
				    MANIFESTS, n, first);
	return 0;
}

/*
 * A certificate authority may be provided beforehand, so that it is told and not judged; nor is one
 * that cannot be seen.
 */
static void look_at_authority(struct leftovers *l)
{
	struct kc_stat st;

	if (exists(l, PKI "/ca.crt", &st) > 0)
		l->note = left_text(l, "%s%skubeadm will use the certificate authority in %s.",
				    l->note ? l->note : "", l->note ? " " : "", PKI);
}

static int look_at_etcd(struct leftovers *l)
{
	struct kc_strings names;
	int r;

	if (!*l->etcd_data)
		return 0;
	l->n_looked_at++;
	r = kc_list_dir(l->host, l->run, l->etcd_data, &names);
	if (r == -ENOENT)
		return 0;
	if (r == -ENOTDIR)
		return report_left(l, l->etcd_data, "no such folder, or an empty one",
				   "something that is no folder",
				   "etcd could not keep its data there.");
	if (r)
		return report_unseen(l, l->etcd_data);
	if (names.n == 0)
		return 0;
	return report_left(
		l, l->etcd_data, "no such folder, or an empty one",
		left_text(l, "%zu entries, %s among them", names.n, names.item[0]),
		"kubeadm init and kubeadm join --control-plane refuse it (DirAvailable); "
		"it may be the data of a cluster.");
}

/*
 * Of a kubelet that was in a cluster: what it had signed. kubelet.crt and kubelet.key are none of
 * it, for a kubelet that waits for kubeadm makes them for itself.
 */
static int look_at_kubelet(struct leftovers *l)
{
	const char *first = NULL;
	struct kc_strings names;

	l->n_looked_at++;
	if (list(l, KUBELET_PKI, &names))
		return report_unseen(l, KUBELET_PKI);
	for (size_t i = 0; i < names.n && !first; i++)
		if (kc_after_prefix(names.item[i], "kubelet-client-") ||
		    kc_after_prefix(names.item[i], "kubelet-server-"))
			first = names.item[i];
	if (!first)
		return 0;
	return report_left(l, left_text(l, KUBELET_PKI "/%s", first), "no such file",
			   "a certificate of an earlier cluster",
			   "The kubelet would go on using it instead of asking the new cluster for "
			   "one.");
}

int leftover_places(struct leftovers *l)
{
	int r = look_at_files(l);

	if (!r)
		r = look_at_manifests(l);
	if (!(l->roles & CLUSTER_WORKER))
		look_at_authority(l);
	if (!r && (l->roles & CLUSTER_CONTROL_PLANE))
		r = look_at_etcd(l);
	return r ? r : look_at_kubelet(l);
}
