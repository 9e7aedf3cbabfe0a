/* SPDX-License-Identifier: Apache-2.0 */
#include "kubelet.h"

#define SUBJECT "end point"

/*
 * What instance-config.yaml has to add, as a sentence; "" when there is none, or it names the same.
 * The kubelet does not read it, so it never decides.
 */
static int instance_note(const struct judgement *j, const char *endpoint, const char **ret_note)
{
	struct kc_kubelet_file file;
	const struct kc_yaml_node *node;
	struct kc_bytes bytes;
	const char *own, *other;
	int r;

	*ret_note = "";
	r = kc_read_file(j->host, j->run, KC_KUBELET_INSTANCE_CONFIG, KC_KUBELET_FILE_MAX, &bytes);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = kc_kubelet_file_parse(KC_KUBELET_INSTANCE_CONFIG, bytes.data, bytes.size, false,
				  j->arena, &file);
	if (r < 0)
		return r;
	node = kc_kubelet_file_get(&file, "containerRuntimeEndpoint");
	if (!node || node->type != KC_YAML_SCALAR)
		return 0;
	own = kc_endpoint_path(endpoint ? endpoint : "", j->arena);
	other = kc_endpoint_path(node->scalar, j->arena);
	if (!own || !other)
		return -ENOMEM;
	if (!kc_streq(own, other))
		*ret_note = kc_text(
			j->host, j->run,
			"%s:%u names %s; the kubelet does not read that file, but kubeadm "
			"(from 1.32 on, NodeLocalCRISocket) writes it into config.yaml at its "
			"next run.",
			KC_KUBELET_INSTANCE_CONFIG, node->line, node->scalar);
	return 0;
}

/* Up to 1.23 the kubelet brings its own runtime for Docker. 1 when it does and that was reported.
 */
static int report_docker(const struct judgement *j, const char *wanted, const char **ret_note)
{
	struct kc_kubelet_value runtime;
	int r = kubelet_value(j, "container-runtime", &runtime);

	if (r < 0)
		return r;
	*ret_note = runtime.value
			    ? ""
			    : "Before 1.24 it uses Docker unless --container-runtime=remote is "
			      "given, too; its version is not known.";
	if (!runtime.value || kc_streq(runtime.value, "remote"))
		return 0;
	r = kc_report(j->host, j->run, j->horizon, KC_FAIL, SUBJECT, wanted,
		      kc_text(j->host, j->run, "runtime %s", runtime.value), runtime.source,
		      "This kubelet asks the runtime at the end point only with "
		      "--container-runtime=remote.");
	return r < 0 ? r : 1;
}

static int report_none(const struct judgement *j, const char *wanted,
		       const struct kc_kubelet_value *value, const char *note)
{
	if (value->value)
		return kc_report(
			j->host, j->run, j->horizon, KC_FAIL, SUBJECT, wanted, "none",
			value->source,
			kubelet_join(j,
				     "There is none, and this kubelet does not start without "
				     "--container-runtime-endpoint.",
				     note));
	return kc_report(j->host, j->run, j->horizon, KC_ERROR, SUBJECT, wanted, NULL,
			 value->source,
			 kubelet_join(j,
				      "Nothing sets it, and the default depends on the kubelet's "
				      "version, which is not known.",
				      note));
}

static int judge(struct judgement *j)
{
	struct kc_kubelet_value value;
	const char *wanted, *docker_note, *note, *message;
	bool same;
	int r;

	r = kc_param_string(j->host, j->run, "endpoint", &wanted);
	r = r < 0 ? r : kubelet_value(j, "containerRuntimeEndpoint", &value);
	if (r < 0)
		return r;
	r = kubelet_report_doubt(j, SUBJECT, wanted, &value);
	if (r != 0)
		return r;
	if (j->horizon == KC_BOOT && j->config.config_missing &&
	    value.origin == KC_KUBELET_FROM_DEFAULT)
		return kc_report_skip(
			j->host, j->run, j->horizon, SUBJECT, "no-config",
			kc_text(j->host, j->run,
				"kubeadm has yet to write %s, and the end point there or "
				"into kubeadm-flags.env.",
				j->config.config_path));
	r = report_docker(j, wanted, &docker_note);
	r = r != 0 ? r : instance_note(j, value.value, &note);
	if (r != 0)
		return r;
	if (!value.value || !*value.value)
		return report_none(j, wanted, &value, note);
	if (kubelet_is_stale(j, &value))
		return kc_report(j->host, j->run, j->horizon, KC_MANUAL, SUBJECT, wanted,
				 value.value, value.source, kubelet_stale_text(j));
	same = kubelet_same(j, kc_kubelet_setting_by_key("containerRuntimeEndpoint"),
			    "container-runtime-endpoint", value.value, wanted);
	message = kubelet_join(j, kc_kubelet_beaten_text(&value, j->arena), note);
	message = kubelet_join(j, message, docker_note);
	return kc_report(j->host, j->run, j->horizon, same ? KC_PASS : KC_FAIL, SUBJECT, wanted,
			 value.value, value.source, *message ? message : NULL);
}

int kubelet_endpoint_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	return kubelet_each_horizon(host, run, judge);
}
