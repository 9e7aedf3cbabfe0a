/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster-descriptor.h"
#include "cluster.h"

static int read_parameters(struct leftovers *l)
{
	const char *role;
	int r;

	r = kc_param_string(l->host, l->run, "role", &role);
	if (!r)
		r = kc_param_string(l->host, l->run, "etcd-data", &l->etcd_data);
	if (r)
		return r;
	if (kc_streq(role, "control-plane"))
		l->roles = CLUSTER_CONTROL_PLANE;
	else if (kc_streq(role, "worker"))
		l->roles = CLUSTER_WORKER;
	else
		l->roles = CLUSTER_CONTROL_PLANE | CLUSTER_WORKER;
	return 0;
}

static int report_horizon(struct leftovers *l, uint32_t horizon, const char *what,
			  const char *source, int (*report)(struct leftovers *))
{
	int r;

	l->n_looked_at = 0;
	l->n_reported = 0;
	l->note = NULL;
	r = report(l);
	if (r || l->n_reported > 0)
		return r;
	return kc_report(l->host, l->run, horizon, KC_PASS, what, "nothing left",
			 left_text(l, "nothing left (%zu looked at)", l->n_looked_at), source,
			 l->note);
}

int cluster_leftovers_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	struct leftovers l = { .host = host, .run = run };
	uint32_t horizons = kc_horizons(host, run);
	int r = read_parameters(&l);

	if (!r && (horizons & KC_NOW))
		r = report_horizon(&l, KC_NOW, "interfaces", "/sys/class/net", leftover_interfaces);
	if (!r && (horizons & KC_BOOT))
		r = report_horizon(&l, KC_BOOT, "files", "/etc/kubernetes", leftover_places);
	return r;
}
