/* SPDX-License-Identifier: Apache-2.0 */
#include "crio.h"

#define EXPECTED "an executable file"
#define DROPIN	 "99-k8scheck-conmon.conf"

/* Where packages have put conmon over the years. */
static const char *const usual_places[] = {
	"/usr/bin/conmon",	 "/usr/libexec/crio/conmon",
	"/usr/local/bin/conmon", "/usr/local/libexec/crio/conmon",
	"/usr/bin/crio-conmon",	 NULL,
};

/* What a setting names, or what the search finds where it names nothing. */
static struct kc_search_result look_for(const struct judgement *j,
					const struct kc_crio_config *config,
					const struct kc_crio_value *value)
{
	struct kc_search_result result;
	const char *name = !value		 ? "conmon"
			   : *value->text == '/' ? value->text
						 : kc_text(j->host, j->run, "/%s", value->text);

	if (kc_search_path_find(j->host, j->run, j->arena, config->search_path.text, name,
				&result) < 0)
		return (struct kc_search_result){ .unseen = "out of memory" };
	return result;
}

/*
 * A conmon that is fine, in one of the usual places; or NULL. *ret_near: what the first of those
 * has that cannot be executed; or NULL.
 */
static const char *elsewhere(const struct judgement *j, const char **ret_near)
{
	*ret_near = NULL;
	KC_FOREACH_STR (path, usual_places) {
		const struct kc_crio_value value = { .text = path };
		const struct kc_search_result result = look_for(j, j->config, &value);

		if (result.path)
			return path;
		if (!*ret_near)
			*ret_near = result.near;
	}
	return NULL;
}

static const char *advice(const struct judgement *j)
{
	const char *near, *path = elsewhere(j, &near);

	if (!path && near)
		return kc_text(j->host, j->run, "There is no other: %s.", near);
	if (!path)
		return "No conmon is in the usual places either; its package is missing.";
	return kc_text(j->host, j->run, "%s is there and executable; set conmon to it.", path);
}

/* What is there instead of an executable. */
static const char *describe_none(const struct judgement *j, const struct kc_crio_config *config,
				 const struct kc_crio_value *value,
				 const struct kc_search_result *result)
{
	if (value)
		return result->near ? result->near
				    : kc_text(j->host, j->run, "%s: not there", value->text);
	return kc_text(j->host, j->run, "in no folder of PATH (%s)%s%s", config->search_path.text,
		       result->near ? "; " : "", result->near ? result->near : "");
}

static int report(const struct judgement *j, uint32_t horizon, const struct kc_crio_config *config,
		  const char *subject, const struct kc_crio_value *value, const char *drift)
{
	struct kc_search_result result = look_for(j, config, value);
	const char *source = value ? value->source : config->search_path.source;
	const char *expected = value ? EXPECTED : "an executable conmon in PATH";
	const char *message = drift;

	if (result.path) {
		if (!value && !drift)
			message = kc_text(j->host, j->run,
					  "conmon is empty (%s), so crio searches its PATH.",
					  config->conmon.source);
		return kc_report(j->host, j->run, horizon, KC_PASS, subject, expected, result.path,
				 source, message);
	}
	if (result.unseen)
		return kc_report(j->host, j->run, horizon, KC_ERROR, subject, expected, NULL,
				 source, result.unseen);
	message = drift ? kc_text(j->host, j->run, "%s %s", advice(j), drift) : advice(j);
	return kc_report(j->host, j->run, horizon, KC_FAIL, subject, expected,
			 describe_none(j, config, value, &result), source, message);
}

static const char *handler_subject(const struct judgement *j, const struct kc_crio_handler *handler)
{
	return kc_text(j->host, j->run, "crio.runtime.runtimes.%s.monitor_path", handler->name);
}

/* Every setting that names a conmon once, and the search once for all handlers that have none. */
static int judge(const struct judgement *j, uint32_t horizon, const struct kc_crio_config *config,
		 const char *drift)
{
	bool searched = false, any = false;
	int r = 0;

	if (kc_crio_conmon(config, NULL))
		return report(j, horizon, config, "crio.runtime.conmon", &config->conmon, drift);
	for (size_t i = 0; i < config->n_handlers && r == 0; i++) {
		const struct kc_crio_handler *handler = &config->handler[i];
		const struct kc_crio_value *value = kc_crio_conmon(config, handler);

		if (!kc_crio_handler_has_conmon(handler) || (!value && searched))
			continue;
		any = true;
		searched |= !value;
		r = report(j, horizon, config, value ? handler_subject(j, handler) : "conmon",
			   value, drift);
	}
	/* CRI-O 1.23 and before look for conmon whatever the handlers are. */
	if (r == 0 && !any && config->version && config->version < KC_CRIO_MONITOR_SINCE)
		return report(j, horizon, config, "conmon", NULL, drift);
	if (r == 0 && !any)
		return kc_report_skip(j->host, j->run, horizon, NULL, "not-used", NULL);
	return r;
}

/* The path that the default handler is watched by, and who says so; false when there is none. */
static bool effective(const struct judgement *j, const struct kc_crio_config *config,
		      const char **ret_path, const char **ret_source)
{
	for (size_t i = 0; i < config->n_handlers; i++) {
		const struct kc_crio_handler *handler = &config->handler[i];
		const struct kc_crio_value *value = kc_crio_conmon(config, handler);
		struct kc_search_result result;

		if (config->default_runtime.text[0] &&
		    !kc_streq(handler->name, config->default_runtime.text))
			continue;
		result = look_for(j, config, value);
		*ret_path = value ? value->text : result.path;
		*ret_source = value ? value->source : config->search_path.source;
		return result.path || (value && !result.unseen);
	}
	return false;
}

/* A sentence when the running crio has another conmon than the files say; else NULL. */
static const char *drift_of(const struct judgement *j, const struct kc_crio_config *daemon)
{
	const char *now, *boot, *now_source, *boot_source;

	if (j->config->refused || j->config->unseen || !effective(j, daemon, &now, &now_source) ||
	    !effective(j, j->config, &boot, &boot_source) || kc_streq(now, boot))
		return NULL;
	return kc_text(j->host, j->run,
		       "The running crio still uses %s; its next start takes %s (%s): restart it.",
		       now, boot, boot_source);
}

static int judge_now(const struct judgement *j)
{
	struct kc_crio_config *daemon;
	int r = crio_daemon(j, "conmon", &daemon);

	return r <= 0 ? r : judge(j, KC_NOW, daemon, drift_of(j, daemon));
}

static int judge_boot(const struct judgement *j)
{
	bool refused;
	int r = crio_boot_refused(j, "conmon", EXPECTED, &refused);

	return r < 0 || refused ? r : judge(j, KC_BOOT, j->config, NULL);
}

int crio_conmon_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct judgement j;
	int r = crio_begin(&j, host, run, &arena, false);

	if (r <= 0)
		return r;
	/* From files while the runtime gets ready. */
	r = j.horizons & KC_BOOT ? judge_boot(&j) : 0;
	if (r == 0 && j.horizons & KC_NOW)
		r = judge_now(&j);
	return r;
}

static bool is_missing(const struct judgement *j, const struct kc_crio_config *config,
		       const struct kc_crio_value *value)
{
	struct kc_search_result result = look_for(j, config, value);

	return !result.path && !result.unseen;
}

/* The setting that has to give way: the first that names no conmon. NULL: all are fine. */
static const struct kc_crio_value *faulty(const struct judgement *j,
					  const struct kc_crio_config *config)
{
	if (kc_crio_conmon(config, NULL))
		return is_missing(j, config, &config->conmon) ? &config->conmon : NULL;
	for (size_t i = 0; i < config->n_handlers; i++) {
		const struct kc_crio_handler *handler = &config->handler[i];

		/* conmon wins over all handlers' own. */
		if (kc_crio_handler_has_conmon(handler) &&
		    is_missing(j, config, kc_crio_conmon(config, handler)))
			return &config->conmon;
	}
	return NULL;
}

/* 1: the running crio has a conmon that is missing; 0: not, or it cannot be asked. */
static int fails_now(const struct judgement *j)
{
	struct kc_crio_config *daemon;
	int r = j->horizons & KC_NOW ? crio_daemon(j, "conmon", &daemon) : 0;

	return r <= 0 ? r : faulty(j, daemon) != NULL;
}

/* 1: the next start is right, or planned to be; 0: it needs a person. */
static int plan_boot(const struct judgement *j)
{
	const struct kc_crio_value *value = faulty(j, j->config);
	struct crio_setting setting = { .dropin = DROPIN, .key = "conmon" };
	const char *near;

	if (!value)
		return 1;
	setting.value = elsewhere(j, &near);
	if (!setting.value)
		return crio_plan_manual(j, "dnf install -y conmon || apt-get install -y conmon\n",
					"No conmon in any of its usual places can be run.");
	return crio_plan_setting(j, value, &setting);
}

int crio_conmon_plan(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct judgement j;
	int now, r = crio_begin(&j, host, run, &arena, true);

	if (r <= 0)
		return r;
	r = crio_plan_blocked(&j);
	if (r != 0)
		return KC_MIN(r, 0);
	now = fails_now(&j);
	if (now < 0)
		return now;
	r = now || j.horizons & KC_BOOT ? plan_boot(&j) : 0;
	return r > 0 && now ? crio_plan_restart(&j) : KC_MIN(r, 0);
}
