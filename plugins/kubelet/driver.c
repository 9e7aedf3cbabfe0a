/* SPDX-License-Identifier: Apache-2.0 */
#include "kubelet.h"

#define GATE "KubeletCgroupDriverFromCRI"

/* kubeadm writes the driver, systemd, from this release on (its release notes). */
enum {
	KUBEADM_WRITES_DRIVER = 22,
};

/* What CRI-O's files will make it answer, when the kubelet asks CRI-O; 1 when they decide. */
static int ask_files(const struct judgement *j, const struct kc_kubelet_value *endpoint,
		     struct kubelet_driver *driver)
{
	const char *asked = kc_endpoint_path(endpoint->value, j->arena), *listens;
	struct crio_side crio;
	int r = kubelet_crio_side(j, &crio);

	if (r < 0)
		return r;
	if (crio.state != CRIO_READ)
		return 0;
	listens = kc_endpoint_path(crio.socket, j->arena);
	if (!asked || !listens)
		return -ENOMEM;
	if (!kc_streq(asked, listens))
		return 0;
	driver->value = (struct kc_kubelet_value){
		.value = crio.driver,
		.source = crio.driver_source,
		.origin = endpoint->origin,
	};
	return 1;
}

static void take_answer(const struct judgement *j, const struct kc_kubelet_value *endpoint,
			const char *answer, struct kubelet_driver *driver)
{
	driver->value = (struct kc_kubelet_value){
		.value = answer,
		.source = kc_text(j->host, j->run, "RuntimeConfig of %s", endpoint->value),
		.origin = endpoint->origin,
	};
}

/* The gate is on: what the runtime says counts, unless it does not know the question. */
static int ask_runtime(const struct judgement *j, const char *gate_source,
		       struct kubelet_driver *driver)
{
	const struct kc_kubelet_value own = driver->value;
	struct kc_kubelet_value endpoint;
	const char *answer, *why;
	struct kc_pairs pairs;
	int live = kc_is_live(j->host, j->run), r, by_files = 0;

	r = kubelet_value(j, "containerRuntimeEndpoint", &endpoint);
	if (r < 0)
		return r;
	if (!endpoint.value || !*endpoint.value)
		return 0;
	r = live ? kc_runtime(j->host, j->run, endpoint.value, KC_RUNTIME_CONFIG, 0, &pairs)
		 : -ENODATA;
	if (r == -ENOTSUP) {
		driver->note =
			kc_text(j->host, j->run,
				"The runtime at %s does not say its driver (RuntimeConfig), so "
				"the kubelet's own setting counts.",
				endpoint.value);
		return 0;
	}
	why = kc_text(j->host, j->run, "which does not say: %s",
		      r == 0 ? "its answer has no driver" : kc_why(j->host, j->run));
	answer = r == 0 ? kubelet_pair(&pairs, "cgroup_driver") : NULL;
	if (j->horizon == KC_BOOT)
		by_files = ask_files(j, &endpoint, driver);
	if (by_files < 0)
		return by_files;
	if (!by_files && answer)
		take_answer(j, &endpoint, answer, driver);
	if (!by_files && !answer) {
		driver->undecided = true;
		driver->note =
			kc_text(j->host, j->run,
				"The kubelet takes its driver from the runtime "
				"at %s (%s, %s), %s",
				endpoint.value, GATE, gate_source,
				live ? why : "and an offline root has none that could be asked.");
		return 0;
	}
	driver->from_runtime = true;
	driver->note =
		kc_text(j->host, j->run,
			"The kubelet takes its driver from the runtime (%s, %s); its own setting, "
			"%s in %s, does not count.",
			GATE, gate_source, own.value ? own.value : "none", own.source);
	return 0;
}

int kubelet_driver(const struct judgement *j, struct kubelet_driver *ret_driver)
{
	struct kubelet_driver driver = { .note = "" };
	const char *source;
	int r = kubelet_value(j, "cgroupDriver", &driver.value);

	if (r < 0)
		return r;
	r = kc_kubelet_gate(&j->config, GATE, j->arena, &source);
	if (r == -ENOMEM)
		return r;
	if (r == 1)
		r = ask_runtime(j, source, &driver);
	if (r == -ENOMEM)
		return r;
	*ret_driver = driver;
	return 0;
}

bool kubelet_driver_waits(const struct judgement *j, const struct kubelet_driver *driver)
{
	return j->horizon == KC_BOOT && j->config.config_missing && !driver->from_runtime &&
	       driver->value.origin == KC_KUBELET_FROM_DEFAULT &&
	       (!j->config.release.minor || j->config.release.minor >= KUBEADM_WRITES_DRIVER);
}
