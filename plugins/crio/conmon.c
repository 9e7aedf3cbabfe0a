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

enum {
	PATH_DIRS_MAX = 256,
};

/* One conmon that is judged. */
struct candidate {
	const char *path; /* absolute; NULL: nowhere in PATH */
	const char *fault; /* what it is instead of an executable file; NULL: it is one */
	const char *unseen; /* why it could not be looked at; or NULL */
};

/* As os.Stat() and the kernel's exec will find it: behind links, a regular file with an x bit. */
static struct candidate look_at(const struct judgement *j, const char *path)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	/* Services work in "/". */
	struct candidate c = { .path = *path == '/' ? path
						    : kc_text(j->host, j->run, "/%s", path) };
	int r = kc_stat(j->host, j->run, c.path, 0, &st);

	if (r == -ENOENT || r == -ENOTDIR)
		c.fault = "not there";
	else if (r == -ELOOP)
		c.fault = "a link that leads in a circle";
	else if (r < 0)
		c.unseen = kc_text(j->host, j->run, "%s", kc_why(j->host, j->run));
	else if (st.type == KC_FILE_DIRECTORY)
		c.fault = "a folder";
	else if (st.type != KC_FILE_REGULAR)
		c.fault = "not a regular file";
	else if (!(st.mode & 0111))
		c.fault = kc_text(j->host, j->run, "not executable (mode %04o)", st.mode);
	return c;
}

/* The first executable conmon in PATH, as Go's exec.LookPath() has it. */
static struct candidate search(const struct judgement *j, const char *search_path)
{
	struct candidate none = { .fault = "in no folder of PATH" };
	char *rest = kc_arena_strdup(j->arena, search_path), *dir;

	for (int i = 0; rest && i < PATH_DIRS_MAX && (dir = strsep(&rest, ":")); i++) {
		struct candidate c;

		if (*dir != '/')
			continue;
		c = look_at(j, kc_text(j->host, j->run, "%s/conmon", dir));
		if (c.unseen && !none.unseen)
			none = c;
		else if (!c.unseen && !c.fault)
			return c;
	}
	return none;
}

static struct candidate candidate_of(const struct judgement *j, const struct kc_crio_config *config,
				     const struct kc_crio_value *value)
{
	return value ? look_at(j, value->text) : search(j, config->search_path.text);
}

/* A conmon that is fine, in one of the usual places; or NULL. */
static const char *elsewhere(const struct judgement *j)
{
	KC_FOREACH_STR (path, usual_places) {
		struct candidate c = look_at(j, path);

		if (!c.unseen && !c.fault)
			return path;
	}
	return NULL;
}

static const char *advice(const struct judgement *j)
{
	const char *path = elsewhere(j);

	if (!path)
		return "No conmon is in the usual places either; its package is missing.";
	return kc_text(j->host, j->run, "%s is there and executable; set conmon to it.", path);
}

static int report(const struct judgement *j, uint32_t horizon, const struct kc_crio_config *config,
		  const char *subject, const struct kc_crio_value *value, const char *drift)
{
	struct candidate c = candidate_of(j, config, value);
	const char *source = value ? value->source : config->search_path.source;
	const char *expected = value ? EXPECTED : "an executable conmon in PATH";
	const char *found, *message = drift;

	if (c.unseen)
		return kc_report(j->host, j->run, horizon, KC_ERROR, subject, expected, NULL,
				 source, c.unseen);
	if (!c.fault) {
		if (!value && !drift)
			message = kc_text(j->host, j->run,
					  "conmon is empty (%s), so crio searches its PATH.",
					  config->conmon.source);
		return kc_report(j->host, j->run, horizon, KC_PASS, subject, expected, c.path,
				 source, message);
	}
	found = c.path ? kc_text(j->host, j->run, "%s: %s", c.path, c.fault)
		       : kc_text(j->host, j->run, "%s (%s)", c.fault, config->search_path.text);
	message = drift ? kc_text(j->host, j->run, "%s %s", advice(j), drift) : advice(j);
	return kc_report(j->host, j->run, horizon, KC_FAIL, subject, expected, found, source,
			 message);
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
		struct candidate c;

		if (config->default_runtime.text[0] &&
		    !kc_streq(handler->name, config->default_runtime.text))
			continue;
		c = candidate_of(j, config, value);
		*ret_path = c.path;
		*ret_source = value ? value->source : config->search_path.source;
		return c.path && !c.unseen;
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
	r = j.horizons & KC_NOW ? judge_now(&j) : 0;
	if (r == 0 && j.horizons & KC_BOOT)
		r = judge_boot(&j);
	return r;
}

/* The setting that has to give way: the first that names no conmon. NULL: all are fine. */
static const struct kc_crio_value *faulty(const struct judgement *j)
{
	const struct kc_crio_config *config = j->config;
	struct candidate c;

	if (kc_crio_conmon(config, NULL)) {
		c = look_at(j, config->conmon.text);
		return c.fault ? &config->conmon : NULL;
	}
	for (size_t i = 0; i < config->n_handlers; i++) {
		const struct kc_crio_handler *handler = &config->handler[i];

		if (!kc_crio_handler_has_conmon(handler))
			continue;
		c = candidate_of(j, config, kc_crio_conmon(config, handler));
		if (c.fault)
			return &config->conmon; /* wins over all handlers' own */
	}
	return NULL;
}

int crio_conmon_plan(void *state, const struct kc_host *host, struct kc_run *run)
{
	static const char install[] =
		"# Install conmon: dnf install conmon, or apt-get install conmon";
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	const struct kc_step missing = {
		.size = sizeof(missing),
		.kind = KC_STEP_MANUAL,
		.horizon = KC_BOOT,
		.content = install,
		.content_size = sizeof(install) - 1,
		.why = "There is no conmon in any of its usual places.",
	};
	const struct kc_crio_value *value;
	struct judgement j;
	const char *path;
	int r = crio_begin(&j, host, run, &arena, true);

	if (r <= 0)
		return r;
	r = crio_plan_blocked(&j);
	if (r != 0)
		return KC_MIN(r, 0);
	value = faulty(&j);
	path = value ? elsewhere(&j) : NULL;
	if (value && !path)
		return kc_step(host, run, &missing);
	r = value ? crio_plan_setting(&j, value, DROPIN, "conmon", path) : 1;
	return r <= 0 ? r : crio_plan_restart(&j);
}
