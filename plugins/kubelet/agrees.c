/* SPDX-License-Identifier: Apache-2.0 */
#include "kubelet.h"

#define DRIVER "cgroup driver"
#define SOCKET "socket"

static int skip_no_config(const struct judgement *j, const char *subject)
{
	return kc_report_skip(j->host, j->run, j->horizon, subject, "no-config",
			      kc_text(j->host, j->run, "%s is not there yet; kubeadm writes it.",
				      j->config.config_path));
}

static bool unwritten(const struct judgement *j, const struct kc_kubelet_value *value)
{
	return j->horizon == KC_BOOT && j->config.config_missing &&
	       value->origin == KC_KUBELET_FROM_DEFAULT;
}

/* Compares what both have, and names both sides and their places. */
static int compare(const struct judgement *j, const char *subject,
		   const struct kc_kubelet_value *kubelet, const char *crio,
		   const char *crio_source, bool same, const char *consequence)
{
	const char *text;

	if (kubelet_is_stale(j, kubelet))
		return kc_report(j->host, j->run, j->horizon, KC_MANUAL, subject, crio,
				 kubelet->value, kubelet->source, kubelet_stale_text(j));
	text = same ? kc_text(j->host, j->run, "CRI-O has the same from %s.", crio_source)
		    : kc_text(j->host, j->run,
			      "The kubelet has %s from %s, and CRI-O has %s from %s. %s",
			      kubelet->value, kubelet->source, crio, crio_source, consequence);
	text = kubelet_join(j, text, kc_kubelet_beaten_text(kubelet, j->arena));
	return kc_report(
		j->host, j->run, j->horizon, same ? KC_PASS : KC_FAIL, subject,
		kc_text(j->host, j->run, "%s, as CRI-O has it", crio), kubelet->value,
		kc_text(j->host, j->run, "kubelet: %s; CRI-O: %s", kubelet->source, crio_source),
		text);
}

static int compare_drivers(const struct judgement *j, const char *crio, const char *crio_source)
{
	struct kubelet_driver driver;
	int r = kubelet_driver(j, &driver);

	if (r < 0)
		return r;
	r = kubelet_report_doubt(j, DRIVER, crio, &driver.value);
	if (r != 0)
		return r;
	if (driver.from_runtime)
		return kc_report(j->host, j->run, j->horizon, KC_PASS, DRIVER,
				 kc_text(j->host, j->run, "%s, as CRI-O has it", crio),
				 driver.value.value, driver.value.source, driver.note);
	if (kubelet_driver_waits(j, &driver))
		return skip_no_config(j, DRIVER);
	if (driver.undecided)
		return kc_report(j->host, j->run, j->horizon, KC_ERROR, DRIVER, crio, NULL,
				 driver.value.source, driver.note);
	return compare(
		j, DRIVER, &driver.value, crio, crio_source, kc_streq(driver.value.value, crio),
		"Set both to systemd: with two drivers pods do not start, or their limits do not "
		"hold.");
}

static int compare_sockets(const struct judgement *j, const struct kc_kubelet_value *endpoint,
			   const char *crio, const char *crio_source)
{
	return compare(j, SOCKET, endpoint, crio, crio_source,
		       kubelet_same(j, kc_kubelet_setting_by_key("containerRuntimeEndpoint"),
				    "container-runtime-endpoint", endpoint->value, crio),
		       "The kubelet does not find CRI-O there.");
}

/* 0: there is an end point to compare. 1: reported why there is none. */
static int need_endpoint(const struct judgement *j, struct kc_kubelet_value *ret_endpoint)
{
	struct kc_kubelet_value runtime;
	int r;

	r = kubelet_value(j, "containerRuntimeEndpoint", ret_endpoint);
	r = r < 0 ? r : kubelet_value(j, "container-runtime", &runtime);
	r = r != 0 ? r : kubelet_report_doubt(j, SOCKET, NULL, ret_endpoint);
	if (r != 0)
		return r;
	if (unwritten(j, ret_endpoint))
		r = skip_no_config(j, SOCKET);
	else if (runtime.value && !kc_streq(runtime.value, "remote"))
		r = kc_report(j->host, j->run, j->horizon, KC_FAIL, SOCKET, "CRI-O's",
			      kc_text(j->host, j->run, "runtime %s", runtime.value), runtime.source,
			      "The kubelet uses no runtime at a socket without "
			      "--container-runtime=remote.");
	else if (!ret_endpoint->value)
		r = kc_report(
			j->host, j->run, j->horizon, KC_ERROR, SOCKET, NULL, NULL,
			ret_endpoint->source,
			"Nothing sets the kubelet's end point, and the default depends on its "
			"version, which is not known.");
	else if (!*ret_endpoint->value)
		r = kc_report(
			j->host, j->run, j->horizon, KC_FAIL, SOCKET, "CRI-O's", "none",
			ret_endpoint->source,
			"Nothing sets the kubelet's end point, and it does not start without.");
	else
		return 0;
	return r < 0 ? r : 1;
}

static int report_crio(const struct judgement *j, const struct crio_side *crio)
{
	if (crio->state == CRIO_ABSENT)
		return kc_report_skip(j->host, j->run, j->horizon, NULL, "no-crio", NULL);
	return kc_report(j->host, j->run, j->horizon, KC_ERROR, NULL, NULL, NULL, crio->why_source,
			 crio->why);
}

static int judge_boot(const struct judgement *j)
{
	struct kc_kubelet_value endpoint;
	struct crio_side crio;
	int r;

	r = kubelet_crio_side(j, &crio);
	if (r < 0)
		return r;
	if (crio.state != CRIO_READ)
		return report_crio(j, &crio);
	r = compare_drivers(j, crio.driver, crio.driver_source);
	if (r < 0 || j->config.refusal)
		return r;
	r = need_endpoint(j, &endpoint);
	if (r != 0)
		return r;
	return compare_sockets(j, &endpoint, crio.socket, crio.socket_source);
}

/* Nobody who answers is CRI-O: with another socket in its files that is why. */
static int judge_silence(const struct judgement *j, const struct kc_kubelet_value *endpoint,
			 const char *found)
{
	struct crio_side crio;
	const char *own, *other;
	int r = kubelet_crio_side(j, &crio);

	if (r < 0)
		return r;
	if (crio.state == CRIO_ABSENT)
		return report_crio(j, &crio);
	if (crio.state == CRIO_READ) {
		own = kc_endpoint_path(endpoint->value, j->arena);
		other = kc_endpoint_path(crio.socket, j->arena);
		if (!own || !other)
			return -ENOMEM;
		if (!kc_streq(own, other))
			return compare_sockets(j, endpoint, crio.socket, crio.socket_source);
	}
	return kc_report_skip(j->host, j->run, j->horizon, SOCKET, "not-running",
			      kc_text(j->host, j->run,
				      "CRI-O does not answer at %s, the kubelet's end "
				      "point (%s): %s",
				      endpoint->value, endpoint->source, found));
}

static int judge_info(const struct judgement *j, const struct kc_kubelet_value *endpoint)
{
	struct kc_pairs info;
	const char *driver;
	int r;

	r = kc_runtime(j->host, j->run, endpoint->value, KC_RUNTIME_INFO, 0, &info);
	if (r < 0)
		return r == -ENOMEM ? r
				    : kc_report_error(j->host, j->run, j->horizon, DRIVER,
						      endpoint->value);
	driver = kubelet_pair(&info, "cgroup_driver");
	if (!driver)
		return kc_report(j->host, j->run, j->horizon, KC_ERROR, DRIVER, NULL, NULL,
				 endpoint->value, "CRI-O's /info does not name a cgroup driver.");
	return compare_drivers(j, driver,
			       kc_text(j->host, j->run, "GET /info at %s", endpoint->value));
}

static int judge_now(const struct judgement *j)
{
	struct kc_kubelet_value endpoint;
	const char *name, *version;
	struct kc_pairs answer;
	int r;

	r = need_endpoint(j, &endpoint);
	if (r != 0)
		return r;
	if (kubelet_is_stale(j, &endpoint))
		return kc_report(j->host, j->run, j->horizon, KC_MANUAL, SOCKET, NULL,
				 endpoint.value, endpoint.source, kubelet_stale_text(j));
	r = kc_runtime(j->host, j->run, endpoint.value, KC_RUNTIME_VERSION, 0, &answer);
	if (r == -ENOMEM)
		return r;
	if (r == -ENOENT || r == -ECONNREFUSED || r == -ENOTSOCK)
		return judge_silence(j, &endpoint,
				     kc_text(j->host, j->run, "%s", kc_why(j->host, j->run)));
	if (r < 0)
		return kc_report_error(j->host, j->run, j->horizon, SOCKET, endpoint.value);
	name = kubelet_pair(&answer, "runtime_name");
	version = kubelet_pair(&answer, "runtime_version");
	if (!name || !kc_streq(name, "cri-o"))
		return judge_silence(j, &endpoint,
				     kc_text(j->host, j->run, "%s %s answers",
					     name ? name : "a runtime", version ? version : ""));
	r = judge_info(j, &endpoint);
	if (r < 0)
		return r;
	return kc_report(
		j->host, j->run, j->horizon, KC_PASS, SOCKET, "CRI-O's", endpoint.value,
		endpoint.source,
		kc_text(j->host, j->run, "CRI-O %s answers there.", version ? version : ""));
}

static int judge(struct judgement *j)
{
	return j->horizon == KC_NOW ? judge_now(j) : judge_boot(j);
}

int kubelet_agrees_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	return kubelet_each_horizon(host, run, judge);
}
