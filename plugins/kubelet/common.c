/* SPDX-License-Identifier: Apache-2.0 */
#include "kubelet.h"

const char *kubelet_fact(const struct judgement *j, const char *name)
{
	struct kc_fact fact = { .size = sizeof(fact) };

	if (kc_fact(j->host, j->run, name, &fact) < 0 || fact.state != KC_FACT_KNOWN)
		return NULL;
	return fact.value;
}

const char *kubelet_pair(const struct kc_pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (kc_streq(pairs->item[i].key, key))
			return pairs->item[i].value;
	return NULL;
}

const char *kubelet_join(const struct judgement *j, const char *a, const char *b)
{
	if (!a || !*a)
		return b ? b : "";
	if (!b || !*b)
		return a;
	return kc_text(j->host, j->run, "%s %s", a, b);
}

int kubelet_load(struct judgement *j)
{
	const char *version = kubelet_fact(j, "kubelet.version");

	return j->horizon == KC_NOW
		       ? kc_kubelet_now(j->host, j->run, j->arena, version, &j->config)
		       : kc_kubelet_boot(j->host, j->run, j->arena, version, &j->config);
}

/* Without a command line nothing is known, not even that nothing is set. */
static bool is_unknown(const struct judgement *j)
{
	return j->config.unread && !j->config.refusal && j->config.flags.n == 0 &&
	       (j->horizon == KC_NOW || !j->config.config_path);
}

bool kubelet_is_judged(const struct judgement *j)
{
	return j->config.state == KC_KUBELET_READ && !is_unknown(j);
}

static int judge_horizon(struct judgement *j, kubelet_judge *judge)
{
	int r = kubelet_load(j);

	if (r < 0)
		return r;
	if (j->config.state == KC_KUBELET_ABSENT)
		return kc_report_skip(j->host, j->run, j->horizon, NULL, "not-installed", NULL);
	if (j->config.state == KC_KUBELET_STOPPED)
		return kc_report_skip(j->host, j->run, j->horizon, NULL, "not-running",
				      j->config.not_running);
	if (is_unknown(j))
		return kc_report(j->host, j->run, j->horizon, KC_ERROR, NULL, NULL, NULL,
				 j->config.unread_source, j->config.unread);
	return judge(j);
}

int kubelet_each_horizon(const struct kc_host *host, struct kc_run *run, kubelet_judge *judge)
{
	/* From files while the bus and the runtime get ready. */
	static const uint32_t order[] = { KC_BOOT, KC_NOW };
	uint32_t horizons = kc_horizons(host, run);
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	int r = 0;

	for (size_t i = 0; r >= 0 && i < KC_ARRAY_SIZE(order); i++) {
		struct judgement j = {
			.host = host,
			.run = run,
			.arena = &arena,
			.horizon = order[i],
		};

		if (horizons & order[i])
			r = judge_horizon(&j, judge);
	}
	return r < 0 ? r : 0;
}

int kubelet_report(const struct judgement *j, uint32_t verdict, const char *subject,
		   const char *expected, const char *found, const char *source, const char *message)
{
	if (!j->planning)
		return kc_report(j->host, j->run, j->horizon, verdict, subject, expected, found,
				 source, message);
	*j->planning = verdict;
	return 0;
}

int kubelet_report_skip(const struct judgement *j, const char *subject, const char *reason,
			const char *message)
{
	if (!j->planning)
		return kc_report_skip(j->host, j->run, j->horizon, subject, reason, message);
	*j->planning = KC_SKIP;
	return 0;
}

int kubelet_value(const struct judgement *j, const char *key_or_flag,
		  struct kc_kubelet_value *ret_value)
{
	const struct kc_kubelet_setting *setting = kc_kubelet_setting_by_key(key_or_flag);

	if (!setting)
		setting = kc_kubelet_setting_by_flag(key_or_flag);
	return setting ? kc_kubelet_value(&j->config, setting, j->arena, ret_value) : -EINVAL;
}

int kubelet_report_doubt(const struct judgement *j, const char *subject, const char *expected,
			 const struct kc_kubelet_value *value)
{
	const struct kc_kubelet_config *config = &j->config;
	int r;

	if (config->refusal)
		r = kubelet_report(j, KC_FAIL, subject, expected, "the kubelet would not start",
				   config->refusal_source,
				   kubelet_join(j, config->refusal, config->shadow));
	else if (value->origin == KC_KUBELET_FROM_FLAG)
		return 0;
	else if (config->unread)
		r = kubelet_report(j, KC_ERROR, subject, expected, NULL, config->unread_source,
				   config->unread);
	else if (j->horizon == KC_NOW && config->config_missing)
		r = kubelet_report(
			j, KC_ERROR, subject, expected, NULL, config->config_path,
			"The configuration file that the running kubelet was started with is "
			"gone, so what it said is not known.");
	else
		return 0;
	return r < 0 ? r : 1;
}

bool kubelet_is_stale(const struct judgement *j, const struct kc_kubelet_value *value)
{
	return j->config.changed && value->origin != KC_KUBELET_FROM_FLAG;
}

const char *kubelet_stale_text(const struct judgement *j)
{
	return kc_text(
		j->host, j->run,
		"%s changed after the kubelet (process %u) started, so what it says need not be "
		"in effect; restart the kubelet to be sure.",
		j->config.changed, j->config.pid);
}

static bool is_true(const char *s)
{
	static const char *const words[] = { "1", "t", "T", "true", "TRUE", "True", NULL };

	return kc_strv_has(words, s);
}

bool kubelet_same(const struct judgement *j, const struct kc_kubelet_setting *setting,
		  const char *flag, const char *a, const char *b)
{
	if (setting && setting->type == KC_KUBELET_ENDPOINT)
		return kc_streq0(kc_endpoint_path(a, j->arena), kc_endpoint_path(b, j->arena));
	if (kc_kubelet_flag_is_boolean(flag))
		return is_true(a) == is_true(b);
	return kc_streq(a, b);
}
