/* SPDX-License-Identifier: Apache-2.0 */
#include "crio.h"

#define DROPIN "99-k8scheck-cgroup-manager.conf"

/* CRI-O whose cgroupfs takes "system.slice", the default, for nothing said. */
enum {
	SLICE_FORGIVEN_SINCE = 33
};

/*
 * What is wrong with the cgroup of conmon under this manager, or NULL. Rules of
 * RuntimeConfig.Validate() up to 1.23, of TranslateMonitorFieldsForHandler() from 1.24 on.
 */
static const char *group_fault(const struct kc_crio_config *config, const char *group)
{
	bool handlers = !config->version || config->version >= KC_CRIO_MONITOR_SINCE;
	bool slice = kc_endswith(group, ".slice");

	if (kc_streq(group, "pod") || (handlers && *group == '\0'))
		return NULL;
	if (kc_streq(config->cgroup_manager.text, "systemd"))
		return slice ? NULL
			     : "With systemd as manager it must be \"pod\" or the name of a slice; "
			       "crio does not start.";
	if (!handlers)
		return slice ? "With cgroupfs as manager CRI-O's documentation asks for \"pod\"."
			     : "It must be \"pod\" or the name of a slice; crio does not start.";
	if (config->version >= SLICE_FORGIVEN_SINCE && kc_streq(group, "system.slice"))
		return NULL;
	return "With cgroupfs as manager it must be \"pod\" or empty; crio does not start.";
}

static int report_group(const struct judgement *j, const char *subject,
			const struct kc_crio_value *group)
{
	const char *fault = group_fault(j->config, group->text);
	bool systemd = kc_streq(j->config->cgroup_manager.text, "systemd");
	const char *expected = systemd ? "\"pod\" or a slice" : "\"pod\" or empty";
	const char *found = kc_text(j->host, j->run, "\"%s\"%s", group->text,
				    systemd && !fault && !*group->text ? ", for system.slice" : "");

	return kc_report(j->host, j->run, KC_BOOT, fault ? KC_FAIL : KC_PASS, subject, expected,
			 found, group->source, fault);
}

/* conmon_cgroup over all handlers' monitor_cgroup, where it is not empty. */
static int judge_groups(const struct judgement *j)
{
	const struct kc_crio_config *config = j->config;
	int r = 0;

	if (config->conmon_cgroup.text[0] ||
	    (config->version && config->version < KC_CRIO_MONITOR_SINCE))
		return report_group(j, "crio.runtime.conmon_cgroup", &config->conmon_cgroup);
	for (size_t i = 0; i < config->n_handlers && r == 0; i++) {
		const struct kc_crio_handler *handler = &config->handler[i];

		if (kc_crio_handler_has_conmon(handler))
			r = report_group(j,
					 kc_text(j->host, j->run,
						 "crio.runtime.runtimes.%s.monitor_cgroup",
						 handler->name),
					 &handler->monitor_cgroup);
	}
	return r;
}

static int judge_boot(const struct judgement *j, const char *manager)
{
	const struct kc_crio_value *value = &j->config->cgroup_manager;
	bool refused, equal;
	int r = crio_boot_refused(j, "crio.runtime.cgroup_manager", manager, &refused);

	if (r < 0 || refused)
		return r;
	equal = kc_streq(value->text, manager);
	r = kc_report(j->host, j->run, KC_BOOT, equal ? KC_PASS : KC_FAIL,
		      "crio.runtime.cgroup_manager", manager, value->text, value->source, NULL);
	return r < 0 ? r : judge_groups(j);
}

static int judge_now(const struct judgement *j, const char *manager)
{
	const struct kc_crio_value *value = &j->config->cgroup_manager;
	const char *endpoint = j->config->listen.text, *driver, *drift = NULL;
	const char *source = kc_text(j->host, j->run, "%s GET /info", endpoint);
	struct kc_pairs answer;
	int r = kc_runtime(j->host, j->run, endpoint, KC_RUNTIME_INFO, 0, &answer);

	if (r < 0)
		return crio_report_unasked(j, "cgroup_driver", r);
	driver = crio_pair(&answer, "cgroup_driver");
	if (!driver)
		return kc_report(j->host, j->run, KC_NOW, KC_ERROR, "cgroup_driver", manager, NULL,
				 source, "The answer has no cgroup_driver in it.");
	if (!j->config->refused && !j->config->unseen && !kc_streq(driver, value->text))
		drift = kc_text(j->host, j->run,
				"The running crio still uses %s; its next start takes %s (%s): "
				"restart it.",
				driver, value->text, value->source);
	return kc_report(j->host, j->run, KC_NOW, kc_streq(driver, manager) ? KC_PASS : KC_FAIL,
			 "cgroup_driver", manager, driver, source, drift);
}

int crio_cgroup_manager_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct judgement j;
	const char *manager;
	int r = kc_param_string(host, run, "manager", &manager);

	if (r == 0)
		r = crio_begin(&j, host, run, &arena, false);
	if (r <= 0)
		return r;
	/* From files while the runtime gets ready. */
	r = j.horizons & KC_BOOT ? judge_boot(&j, manager) : 0;
	if (r == 0 && j.horizons & KC_NOW)
		r = judge_now(&j, manager);
	return r;
}

/* The first cgroup of conmon that does not go with the manager, or NULL. */
static const struct kc_crio_value *faulty_group(const struct kc_crio_config *config)
{
	bool handlers = !config->version || config->version >= KC_CRIO_MONITOR_SINCE;

	if (config->conmon_cgroup.text[0] || !handlers)
		return group_fault(config, config->conmon_cgroup.text) ? &config->conmon_cgroup
								       : NULL;
	for (size_t i = 0; i < config->n_handlers; i++) {
		const struct kc_crio_handler *handler = &config->handler[i];

		if (kc_crio_handler_has_conmon(handler) &&
		    group_fault(config, handler->monitor_cgroup.text))
			return &handler->monitor_cgroup;
	}
	return NULL;
}

/* With the manager that is wanted and this cgroup crio might not start; 1: said by hand. */
static int plan_group(const struct judgement *j, const char *manager)
{
	struct kc_crio_config wanted = *j->config;
	const struct kc_crio_value *group;
	int r;

	wanted.cgroup_manager.text = manager;
	group = faulty_group(&wanted);
	if (!group)
		return 0;
	r = crio_plan_manual(j,
			     kc_text(j->host, j->run,
				     "# Set cgroup_manager to \"%s\" and, in place of \"%s\" (%s), "
				     "conmon_cgroup to \"pod\"; then restart crio.",
				     manager, group->text, group->source),
			     "The cgroup of conmon does not go with that manager.");
	return r < 0 ? r : 1;
}

/* Whether the running crio has another manager; not when it cannot be asked. */
static bool fails_now(const struct judgement *j, const char *manager)
{
	const char *driver;
	struct kc_pairs answer;

	if (!(j->horizons & KC_NOW) ||
	    kc_runtime(j->host, j->run, j->config->listen.text, KC_RUNTIME_INFO, 0, &answer) < 0)
		return false;
	driver = crio_pair(&answer, "cgroup_driver");
	return driver && !kc_streq(driver, manager);
}

/* 1: the next start is right, or planned to be; 0: it needs a person. */
static int plan_boot(const struct judgement *j, const char *manager)
{
	const struct crio_setting setting = {
		.dropin = DROPIN,
		.key = "cgroup_manager",
		.value = manager,
		.flags = KC_STEP_DISTURBS,
	};
	int r = plan_group(j, manager);

	if (r != 0)
		return KC_MIN(r, 0);
	if (kc_streq(j->config->cgroup_manager.text, manager))
		return 1;
	return crio_plan_setting(j, &j->config->cgroup_manager, &setting);
}

int crio_cgroup_manager_plan(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct judgement j;
	const char *manager;
	bool now;
	int r = kc_param_string(host, run, "manager", &manager);

	if (r == 0)
		r = crio_begin(&j, host, run, &arena, true);
	if (r <= 0)
		return r;
	r = crio_plan_blocked(&j);
	if (r != 0)
		return KC_MIN(r, 0);
	now = fails_now(&j, manager);
	r = now || j.horizons & KC_BOOT ? plan_boot(&j, manager) : 0;
	return r > 0 && now ? crio_plan_restart(&j) : KC_MIN(r, 0);
}
