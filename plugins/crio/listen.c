/* SPDX-License-Identifier: Apache-2.0 */
#include "crio.h"

/* The path behind unix:// (or unix:), with /run for /var/run, which is a link to it on every
 * system. */
static const char *normal(const struct judgement *j, const char *endpoint)
{
	const char *path = kc_after_prefix(endpoint, "unix://"), *rest;

	if (!path)
		path = kc_after_prefix(endpoint, "unix:");
	if (!path)
		path = endpoint;
	rest = kc_after_prefix(path, "/var/run/");
	return rest ? kc_text(j->host, j->run, "/run/%s", rest) : path;
}

int crio_listen_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	const struct kc_crio_value *value;
	const char *endpoint;
	struct judgement j;
	bool refused, equal;
	int r = kc_param_string(host, run, "endpoint", &endpoint);

	if (r == 0)
		r = crio_begin(&j, host, run, &arena, false);
	if (r <= 0)
		return r;
	r = crio_boot_refused(&j, "crio.api.listen", endpoint, &refused);
	if (r < 0 || refused)
		return r;
	value = &j.config->listen;
	equal = kc_streq(normal(&j, value->text), normal(&j, endpoint));
	return kc_report(host, run, KC_BOOT, equal ? KC_PASS : KC_FAIL, "crio.api.listen", endpoint,
			 value->text, value->source, NULL);
}
