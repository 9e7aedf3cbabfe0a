/* SPDX-License-Identifier: Apache-2.0 */
#include "kubelet.h"

#define WANTED "KubeletConfiguration of kubelet.config.k8s.io/v1beta1"

static int judge_file(const struct judgement *j, const struct kc_kubelet_file *file)
{
	if (file->refusal)
		return kc_report(j->host, j->run, j->horizon, KC_FAIL, file->path, WANTED,
				 "the kubelet would not start", file->at, file->refusal);
	if (file->unread)
		return kc_report(j->host, j->run, j->horizon, KC_ERROR, file->path, WANTED, NULL,
				 file->at, file->unread);
	if (file->warning)
		return kc_report(j->host, j->run, j->horizon, KC_FAIL, file->path, WANTED,
				 "not what it seems to say", file->warning_at, file->warning);
	return kc_report(j->host, j->run, j->horizon, KC_PASS, file->path, WANTED,
			 kc_text(j->host, j->run, "that, with %u fields", file->root->n),
			 file->path, NULL);
}

static int judge_missing(const struct judgement *j, const char *path, const char *source,
			 const char *text)
{
	int64_t required;
	int r = kc_param_number(j->host, j->run, "required", &required);

	if (r < 0)
		return r;
	if (required)
		return kc_report(j->host, j->run, j->horizon, KC_FAIL, path, WANTED, "not there",
				 source, text);
	return kc_report_skip(j->host, j->run, j->horizon, path, "no-config", text);
}

static int judge(struct judgement *j)
{
	const struct kc_kubelet_config *config = &j->config;
	int r = 0;

	/* The unit alone stands in the way: there are no flags, so no file is known. */
	if (config->refusal && config->flags.n == 0)
		return kc_report(j->host, j->run, j->horizon, KC_FAIL, NULL, WANTED,
				 "the kubelet would not start", config->refusal_source,
				 config->refusal);
	if (!config->config_path && config->n_files == 0)
		return judge_missing(j, NULL, config->start_source,
				     "The kubelet is started without --config, so no configuration "
				     "file is read.");
	if (config->dropin_dir_missing)
		r = kc_report(
			j->host, j->run, j->horizon, KC_FAIL, config->dropin_dir, WANTED,
			"not there", config->dropin_dir_source,
			"The kubelet does not start without the drop-in folder that it is given.");
	for (size_t i = 0; r >= 0 && i < config->n_files; i++) {
		const struct kc_kubelet_file *file = &config->file[i];

		r = file->missing
			    ? judge_missing(j, file->path, config->config_source,
					    "The file of --config is not there; kubeadm writes it.")
			    : judge_file(j, file);
	}
	/* A drop-in folder that could not be read leaves no file behind that would say so. */
	if (r >= 0 && config->unread && config->n_unread_files == 0)
		r = kc_report(j->host, j->run, j->horizon, KC_ERROR, NULL, WANTED, NULL,
			      config->unread_source, config->unread);
	return r;
}

int kubelet_config_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	return kubelet_each_horizon(host, run, judge);
}
