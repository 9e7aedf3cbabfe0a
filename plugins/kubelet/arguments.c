/* SPDX-License-Identifier: Apache-2.0 */
#include "kubelet.h"

/* From this release on there is no other runtime than a remote one. */
enum {
	REMOTE_ALONE = 24,
};

struct argument {
	const char *flag; /* without dashes */
	const char *wanted;
	const struct kc_kubelet_setting *setting; /* or NULL */
	const struct kc_kubelet_flag *given; /* or NULL */
	struct kc_kubelet_value value;
};

/* The value of a flag that no table knows, with the earlier ones that it beats. */
static int value_of_flag(const struct judgement *j, struct argument *a)
{
	const struct kc_kubelet_setting alone = { .flag = a->flag };

	return kc_kubelet_value(&j->config, &alone, j->arena, &a->value);
}

static int judge_given(const struct judgement *j, const struct argument *a)
{
	bool same = kubelet_same(j, a->setting, a->flag, a->value.value, a->wanted);
	const char *beaten = kc_kubelet_beaten_text(&a->value, j->arena);

	if (!beaten)
		return -ENOMEM;
	if (!same)
		beaten = kubelet_join(j, beaten, j->config.shadow);
	return kubelet_report(j, same ? KC_PASS : KC_FAIL, a->flag, a->wanted, a->value.value,
			      a->value.source, *beaten ? beaten : NULL);
}

static int report_missing(const struct judgement *j, const struct argument *a)
{
	const char *message = kc_text(j->host, j->run, "--%s is not among the arguments%s%s%s.",
				      a->flag, j->config.config_missing ? ", and " : "",
				      j->config.config_missing ? j->config.config_path : "",
				      j->config.config_missing ? " is not there yet" : "");

	return kubelet_report(j, KC_FAIL, a->flag, a->wanted, "not given", j->config.start_source,
			      kubelet_join(j, message, j->config.shadow));
}

/* By the file or the default, for a flag that is not given. */
static int judge_equivalent(const struct judgement *j, const struct argument *a)
{
	const struct kc_kubelet_value *value = &a->value;
	const char *message;
	bool same;
	int r;

	/* What the file will say is not known before there is one. */
	if (j->config.config_missing && value->origin == KC_KUBELET_FROM_DEFAULT &&
	    a->setting->key && j->horizon == KC_BOOT && !j->config.refusal)
		return report_missing(j, a);
	if (j->config.refusal_of_file || j->config.unread ||
	    (j->horizon == KC_NOW && j->config.config_missing)) {
		r = a->setting->key ? kubelet_report_doubt(j, a->flag, a->wanted, value) : 0;
		if (r != 0)
			return r;
	}
	if (!value->value)
		return kubelet_report(
			j, KC_ERROR, a->flag, a->wanted, NULL, j->config.start_source,
			kc_text(j->host, j->run,
				"--%s is not given, and the default depends on the kubelet's "
				"version, which is not known.",
				a->flag));
	if (a->setting->key && kubelet_is_stale(j, value))
		return kubelet_report(j, KC_MANUAL, a->flag, a->wanted, value->value, value->source,
				      kubelet_stale_text(j));
	same = kubelet_same(j, a->setting, a->flag, value->value, a->wanted);
	if (kc_streq(a->flag, "container-runtime") && j->config.release.minor >= REMOTE_ALONE)
		message =
			"The flag is not needed: a kubelet of 1.24 or later uses a remote runtime.";
	else
		message =
			kc_text(j->host, j->run, "--%s is not given; %s.", a->flag,
				same ? "this has the same effect" : "this is what counts instead");
	return kubelet_report(j, same ? KC_PASS : KC_FAIL, a->flag, a->wanted,
			      *value->value ? value->value : "none", value->source, message);
}

/* Which driver counts without the flag may be the runtime's to say. 1 when it was judged here. */
static int judge_runtimes_driver(const struct judgement *j, const struct argument *a)
{
	struct kubelet_driver driver;
	bool same;
	int r;

	if (!a->setting || !kc_streq0(a->setting->key, "cgroupDriver"))
		return 0;
	r = kubelet_driver(j, &driver);
	if (r < 0)
		return r;
	/* Which runtime is asked, kubeadm has yet to write. */
	if (kubelet_driver_waits(j, &driver))
		return 0;
	if (driver.undecided)
		r = kubelet_report(j, KC_ERROR, a->flag, a->wanted, NULL, driver.value.source,
				   driver.note);
	if (driver.undecided || !driver.from_runtime)
		return r < 0 ? r : driver.undecided;
	same = kubelet_same(j, a->setting, a->flag, driver.value.value, a->wanted);
	r = kubelet_report(j, same ? KC_PASS : KC_FAIL, a->flag, a->wanted, driver.value.value,
			   driver.value.source, driver.note);
	return r < 0 ? r : 1;
}

static int judge_argument(const struct judgement *j, const struct kc_pair *pair)
{
	struct argument a = { .wanted = pair->value };
	char *flag;
	int r;

	flag = kc_arena_strdup(j->arena, pair->key + strspn(pair->key, "-"));
	if (!flag)
		return -ENOMEM;
	kc_kubelet_flag_name(flag);
	a.flag = flag;
	a.setting = kc_kubelet_setting_by_flag(flag);
	a.given = kc_kubelet_flags_last(&j->config.flags, flag);
	if (a.setting)
		r = kc_kubelet_value(&j->config, a.setting, j->arena, &a.value);
	else
		r = value_of_flag(j, &a);
	if (r < 0)
		return r;
	if (a.given)
		return judge_given(j, &a);
	r = judge_runtimes_driver(j, &a);
	if (r)
		return r < 0 ? r : 0;
	return a.setting ? judge_equivalent(j, &a) : report_missing(j, &a);
}

static int judge(struct judgement *j)
{
	const struct kc_kubelet_config *config = &j->config;
	struct kc_pairs arguments;
	int r;

	r = kc_param_map(j->host, j->run, "arguments", &arguments);
	if (r < 0)
		return r;
	if (config->refusal && !config->refusal_of_file) {
		r = kubelet_report(j, KC_FAIL, "start", "a kubelet that starts",
				   "the kubelet would not start", config->refusal_source,
				   kubelet_join(j, config->refusal, config->shadow));
		if (r < 0 || config->flags.n == 0)
			return r;
	}
	for (size_t i = 0; r >= 0 && i < arguments.n; i++)
		r = judge_argument(j, &arguments.item[i]);
	return r;
}

int kubelet_arguments_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	return kubelet_each_horizon(host, run, judge);
}

/* ---- plan ---- */

/* The arguments that fail at a horizon; `failed` has room for all of them. */
static int find_failed(struct judgement *j, const struct kc_pairs *arguments,
		       struct kc_pair *failed, size_t *ret_n)
{
	uint32_t verdict = 0;
	size_t n = 0;
	int r = kubelet_load(j);

	j->planning = &verdict;
	for (size_t i = 0; r >= 0 && kubelet_is_judged(j) && i < arguments->n; i++) {
		const struct kc_pair *pair = &arguments->item[i];
		char *flag = kc_arena_strdup(j->arena, pair->key + strspn(pair->key, "-"));

		if (!flag)
			return -ENOMEM;
		kc_kubelet_flag_name(flag);
		verdict = 0;
		r = judge_argument(j, pair);
		if (r >= 0 && verdict == KC_FAIL)
			failed[n++] = (struct kc_pair){ flag, pair->value };
	}
	j->planning = NULL;
	*ret_n = n;
	return r < 0 ? r : 0;
}

/* 1: the next start is right, or planned to be; 0: it needs a person. */
static int plan_boot(struct judgement *j, const struct kc_pair *failed, size_t n)
{
	const struct kc_kubelet_config *config = &j->config;

	if (config->refusal && !config->refusal_of_file)
		return kc_plan_by_hand(j->host, j->run, KC_BOOT,
				       kc_text(j->host, j->run, "# Correct %s: %s\n",
					       config->refusal_source, config->refusal),
				       "The kubelet would not start.");
	return n ? kubelet_plan_flags(j, failed, n) : 1;
}

int kubelet_arguments_plan(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct judgement boot = { .host = host, .run = run, .arena = &arena, .horizon = KC_BOOT };
	struct judgement now = { .host = host, .run = run, .arena = &arena, .horizon = KC_NOW };
	uint32_t horizons = kc_horizons(host, run);
	struct kc_pair *failed;
	struct kc_pairs arguments;
	size_t n_now = 0, n_boot;
	int r;

	r = kc_param_map(host, run, "arguments", &arguments);
	if (r < 0)
		return r;
	failed = kc_arena_zalloc(&arena, arguments.n + 1, sizeof(*failed));
	if (!failed)
		return -ENOMEM;
	if (horizons & KC_NOW)
		r = find_failed(&now, &arguments, failed, &n_now);
	if (r == 0)
		r = find_failed(&boot, &arguments, failed, &n_boot);
	if (r < 0 || !kubelet_is_judged(&boot) || !(n_now || horizons & KC_BOOT))
		return r;
	r = plan_boot(&boot, failed, n_boot);
	if (r <= 0 || !n_now)
		return KC_MIN(r, 0);
	return kubelet_plan_restart(&now, "The kubelet takes its arguments when it starts.");
}
