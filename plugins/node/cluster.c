/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/unit.h"
#include "node.h"

#define KUBELET_CONF "/etc/kubernetes/kubelet.conf"
#define KUBELET_CERT "/var/lib/kubelet/pki/kubelet-client-current.pem"
#define API_SERVER   "/etc/kubernetes/manifests/kube-apiserver.yaml"

/* The program that kubelet.service starts; NULL when there is no such unit, or it says none. */
static const char *unit_program(struct node *n)
{
	struct kc_service_command service;
	const struct kc_unit_file *unit;

	if (kc_unit_file_load(n->host, n->run, &n->arena, "kubelet.service", &unit) < 0 ||
	    !unit->fragment || unit->masked ||
	    kc_unit_service_command(n->host, n->run, &n->arena, unit, &service) < 0 ||
	    service.command.n == 0)
		return NULL;
	return service.command.word[0].text;
}

static int find_kubelet(struct node *n, const char **ret_path)
{
	static const char *const usual[] = { "/usr/bin/kubelet", "/usr/local/bin/kubelet", NULL };
	const char *program = unit_program(n);

	if (program && program[0] == '/') {
		int r = node_exists(n, program);

		if (r != 0) {
			*ret_path = program;
			return r;
		}
	}
	return node_first_of(n, usual, ret_path);
}

static void set_version(struct node *n, const char *fact, int found,
			const struct node_program *program)
{
	struct node_value value;

	if (found < 0) {
		node_unknown(n, fact, node_why(n));
		return;
	}
	value = node_program_version(n, program);
	node_set(n, fact, &value);
}

static void gather_versions(struct node *n)
{
	static const char *const kubeadm_paths[] = { "/usr/bin/kubeadm", "/usr/local/bin/kubeadm",
						     NULL };
	static const char *const kubelet_packages[] = { "kubelet", NULL };
	static const char *const kubeadm_packages[] = { "kubeadm", NULL };
	struct node_program kubelet = { .packages = kubelet_packages, .option = "--version" };
	struct node_program kubeadm = { .packages = kubeadm_packages,
					.option = "version",
					.option2 = "--output=short" };
	int r;

	r = find_kubelet(n, &kubelet.path);
	if (r == 0)
		node_absent(n, "kubelet.version",
			    "no program of kubelet.service, /usr/bin/kubelet or "
			    "/usr/local/bin/kubelet");
	else
		set_version(n, "kubelet.version", r, &kubelet);
	r = node_first_of(n, kubeadm_paths, &kubeadm.path);
	if (r == 0)
		node_absent(n, "kubeadm.version",
			    "neither /usr/bin/kubeadm nor /usr/local/bin/kubeadm");
	else
		set_version(n, "kubeadm.version", r, &kubeadm);
}

static void gather_role(struct node *n)
{
	int r = node_exists(n, API_SERVER);

	if (r > 0) {
		node_known(n, "role", "control-plane", API_SERVER);
		return;
	}
	if (r == 0)
		r = node_exists(n, KUBELET_CONF);
	if (r < 0)
		node_unknown(n, "role", node_why(n));
	else if (r > 0)
		node_known(n, "role", "worker", KUBELET_CONF);
	else
		node_absent(n, "role", "neither " API_SERVER " nor " KUBELET_CONF);
}

static void gather_cluster(struct node *n)
{
	static const char *const paths[] = { KUBELET_CONF, KUBELET_CERT, NULL };
	const char *path;
	int r;

	r = node_first_of(n, paths, &path);
	if (r < 0)
		node_unknown(n, "cluster", node_why(n));
	else if (r > 0)
		node_known(n, "cluster", "joined", path);
	else
		node_absent(n, "cluster", "neither " KUBELET_CONF " nor " KUBELET_CERT);
}

void node_gather_kubernetes(struct node *n)
{
	gather_versions(n);
	gather_role(n);
	gather_cluster(n);
}
