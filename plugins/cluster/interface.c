/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster.h"

#define NET "/sys/class/net"

/* Findings at most: a node that was full has a hundred cali interfaces. */
enum {
	REPORTED_MAX = 16,
};

/*
 * Interfaces that network add-ons and kube-proxy make, by name or (prefix) by its beginning. tunl0
 * is left out: loading a module makes it.
 */
static const struct {
	const char *name, *maker;
	bool prefix;
} makers[] = {
	{ "cni0", "the CNI plugin bridge (Flannel, CRI-O)", false },
	{ "flannel.", "Flannel", true },
	{ "flannel-", "Flannel", true },
	{ "cali", "Calico", true },
	{ "vxlan.calico", "Calico", false },
	{ "vxlan-v6.calico", "Calico", false },
	{ "cilium_", "Cilium", true },
	{ "lxc_health", "Cilium", false },
	{ "kube-ipvs0", "kube-proxy", false },
	{ "kube-bridge", "kube-router", false },
	{ "nodelocaldns", "NodeLocal DNSCache", false },
	{ "antrea-gw0", "Antrea", false },
	{ "ovn-k8s-mp0", "OVN-Kubernetes", false },
	{ "weave", "Weave Net", false },
};

static const char *maker_of(const char *interface)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(makers); i++)
		if (makers[i].prefix ? kc_after_prefix(interface, makers[i].name) != NULL
				     : kc_streq(interface, makers[i].name))
			return makers[i].maker;
	return NULL;
}

/* "there, with 10.244.1.1/24"; addresses that cannot be read are left out, for they decide nothing.
 */
static const char *describe(const struct leftovers *l, const char *interface)
{
	struct kc_pairs addresses;
	const char *text = "there";

	if (kc_addresses(l->host, l->run, &addresses))
		return text;
	for (size_t i = 0; i < addresses.n; i++)
		if (kc_streq(addresses.item[i].key, interface))
			text = left_text(l, "%s%s%s", text,
					 kc_streq(text, "there") ? ", with " : " ",
					 addresses.item[i].value);
	return text;
}

static int report_interface(struct leftovers *l, const char *interface, const char *maker)
{
	l->n_reported++;
	return kc_report(
		l->host, l->run, KC_NOW, KC_FAIL, interface, "no such interface",
		describe(l, interface), left_text(l, NET "/%s", interface),
		left_text(l,
			  "%s made it for an earlier cluster; with the addresses of another pod "
			  "network it breaks the new one.",
			  maker));
}

int leftover_interfaces(struct leftovers *l)
{
	struct kc_strings names;
	size_t n = 0;
	int r;

	r = kc_list_dir(l->host, l->run, NET, &names);
	if (r) {
		l->n_reported++;
		return kc_report_error(l->host, l->run, KC_NOW, "interfaces", NET);
	}
	for (size_t i = 0; i < names.n && !r; i++) {
		const char *maker = maker_of(names.item[i]);

		l->n_looked_at++;
		if (maker && n++ < REPORTED_MAX)
			r = report_interface(l, names.item[i], maker);
	}
	if (r || n <= REPORTED_MAX)
		return r;
	return kc_report(l->host, l->run, KC_NOW, KC_FAIL, "interfaces", "none of an add-on",
			 left_text(l, "%zu more", n - REPORTED_MAX), NET, NULL);
}
