/* SPDX-License-Identifier: Apache-2.0 */
#include "crio.h"

static unsigned version_of(const struct judgement *j)
{
	struct kc_fact name = { .size = sizeof(name) }, version = { .size = sizeof(version) };

	if (kc_fact(j->host, j->run, "runtime.name", &name) < 0 || name.state != KC_FACT_KNOWN ||
	    !kc_streq(name.value, "cri-o"))
		return 0;
	if (kc_fact(j->host, j->run, "runtime.version", &version) < 0 ||
	    version.state != KC_FACT_KNOWN)
		return 0;
	return kc_crio_version(version.value);
}

static int report_unread(const struct judgement *j)
{
	int r = 0;

	for (uint32_t horizon = KC_NOW; horizon <= KC_BOOT && r == 0; horizon <<= 1)
		if (j->horizons & horizon)
			r = kc_report_error(j->host, j->run, horizon, KC_CRIO_UNIT, KC_CRIO_UNIT);
	return r;
}

static int report_not_installed(const struct judgement *j)
{
	int r = 0;

	for (uint32_t horizon = KC_NOW; horizon <= KC_BOOT && r == 0; horizon <<= 1)
		if (j->horizons & horizon)
			r = kc_report_skip(j->host, j->run, horizon, NULL, "not-installed", NULL);
	return r;
}

int crio_begin(struct judgement *j, const struct kc_host *host, struct kc_run *run,
	       struct kc_arena *arena, bool quiet)
{
	struct kc_crio_config *config;
	int r;

	*j = (struct judgement){ .host = host, .run = run, .arena = arena, .quiet = quiet };
	j->horizons = kc_horizons(host, run);
	r = kc_crio_config_load(host, run, arena, version_of(j), &config);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return quiet ? 0 : report_unread(j);
	if (!config->installed)
		return quiet ? 0 : report_not_installed(j);
	j->config = config;
	return 1;
}

int crio_boot_refused(const struct judgement *j, const char *subject, const char *expected,
		      bool *ret_refused)
{
	const struct kc_crio_fault *refused = j->config->refused, *unseen = j->config->unseen;
	const char *message;

	*ret_refused = refused || unseen;
	/* Faults are in one array: what could not be seen may lead elsewhere only behind itself. */
	if (unseen && (!refused || unseen < refused))
		return kc_report(j->host, j->run, KC_BOOT, KC_ERROR, subject, expected, NULL,
				 unseen->source, unseen->text);
	if (!refused)
		return 0;
	message = kc_text(j->host, j->run, "crio would not start: %s: %s", refused->source,
			  refused->text);
	return kc_report(j->host, j->run, KC_BOOT, KC_FAIL, subject, expected,
			 "a configuration that CRI-O refuses", refused->source, message);
}

const char *crio_pair(const struct kc_pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (kc_streq(pairs->item[i].key, key))
			return pairs->item[i].value;
	return NULL;
}

int crio_report_unasked(const struct judgement *j, const char *subject, int code)
{
	if (j->quiet)
		return 0;
	if (code == -ENOENT || code == -ECONNREFUSED)
		return kc_report_skip(j->host, j->run, KC_NOW, subject, "not-running",
				      kc_why(j->host, j->run));
	return kc_report_error(j->host, j->run, KC_NOW, subject, j->config->listen.text);
}

int crio_daemon(const struct judgement *j, const char *subject, struct kc_crio_config **ret_config)
{
	const char *endpoint = j->config->listen.text;
	struct kc_crio_file file = {
		.path = kc_text(j->host, j->run, "%s GET /config", endpoint),
	};
	struct kc_crio_config *config;
	struct kc_pairs answer;
	int r;

	r = kc_runtime(j->host, j->run, endpoint, KC_RUNTIME_CONFIG_FILE, 0, &answer);
	if (r < 0)
		return crio_report_unasked(j, subject, r);
	file.text = crio_pair(&answer, "config");
	if (!file.text && j->quiet)
		return 0;
	if (!file.text)
		return kc_report(j->host, j->run, KC_NOW, KC_ERROR, subject, NULL, NULL, file.path,
				 "The answer has no configuration in it.");
	file.size = strlen(file.text);
	r = kc_crio_config_merge(&(struct kc_crio_input){ .version = j->config->version,
							  .complete = true,
							  .file = &file,
							  .n_files = 1 },
				 j->arena, &config);
	if (r < 0)
		return r;
	if ((config->refused || config->unseen) && j->quiet)
		return 0;
	if (config->refused || config->unseen) {
		const struct kc_crio_fault *fault =
			config->unseen ? config->unseen : config->refused;

		return kc_report(j->host, j->run, KC_NOW, KC_ERROR, subject, NULL, NULL,
				 fault->source, fault->text);
	}
	config->search_path = j->config->search_path;
	*ret_config = config;
	return 1;
}
