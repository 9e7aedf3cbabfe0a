/* SPDX-License-Identifier: Apache-2.0 */
#include "kubelet.h"

#define SUBJECT "cgroup driver"

static const char *explain(const struct judgement *j, const struct kubelet_driver *driver,
			   bool same)
{
	const char *beaten = kc_kubelet_beaten_text(&driver->value, j->arena);
	const char *text = kubelet_join(j, driver->note, beaten);

	if (j->config.config_missing && driver->value.origin == KC_KUBELET_FROM_DEFAULT &&
	    !driver->from_runtime)
		text = kubelet_join(
			j, text,
			kc_text(j->host, j->run,
				"%s is not there yet, and kubeadm before 1.22 writes no "
				"driver into it.",
				j->config.config_path));
	else if (!j->config.config_path && driver->value.origin == KC_KUBELET_FROM_DEFAULT &&
		 !driver->from_runtime)
		text = kubelet_join(j, text,
				    "The kubelet is started without --config, so no configuration "
				    "file is read.");
	if (!same)
		text = kubelet_join(j, text, j->config.shadow);
	return *text ? text : NULL;
}

static int judge(struct judgement *j)
{
	struct kubelet_driver driver;
	const char *wanted;
	bool same;
	int r;

	r = kc_param_string(j->host, j->run, "driver", &wanted);
	r = r < 0 ? r : kubelet_driver(j, &driver);
	if (r < 0)
		return r;
	r = kubelet_report_doubt(j, SUBJECT, wanted, &driver.value);
	if (r != 0)
		return r;
	if (kubelet_driver_waits(j, &driver))
		return kubelet_report_skip(
			j, SUBJECT, "no-config",
			kc_text(j->host, j->run,
				"%s is not there yet; kubeadm writes it, with %s as "
				"driver unless it is told another one.",
				j->config.config_path, "systemd"));
	if (driver.undecided)
		return kubelet_report(j, KC_ERROR, SUBJECT, wanted, NULL, driver.value.source,
				      driver.note);
	same = kc_streq(driver.value.value, wanted);
	if (kubelet_is_stale(j, &driver.value))
		return kubelet_report(j, KC_MANUAL, SUBJECT, wanted, driver.value.value,
				      driver.value.source, kubelet_stale_text(j));
	return kubelet_report(j, same ? KC_PASS : KC_FAIL, SUBJECT, wanted, driver.value.value,
			      driver.value.source, explain(j, &driver, same));
}

int kubelet_cgroup_driver_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	return kubelet_each_horizon(host, run, judge);
}

/* ---- plan ---- */

static int step_manual(const struct judgement *j, const char *text)
{
	return kc_plan_by_hand(j->host, j->run, KC_BOOT, text, "No step mends that place.");
}

static int step_edit(const struct judgement *j, const char *wanted)
{
	const struct kc_kubelet_file *file = &j->config.file[0];
	const char *text;
	size_t size;
	int r;

	r = kc_kubelet_file_set(file, "cgroupDriver", wanted, j->arena, &text, &size);
	if (r == -ENOTSUP)
		return step_manual(j, kc_text(j->host, j->run, "# In %s set: cgroupDriver: %s\n",
					      file->path, wanted));
	if (r < 0)
		return r;
	return kc_step(j->host, j->run,
		       &(struct kc_step){
			       .size = sizeof(struct kc_step),
			       .kind = KC_STEP_EDIT_FILE,
			       .flags = KC_STEP_KEEP_OWNER | KC_STEP_DISTURBS,
			       .horizon = KC_BOOT,
			       .target = file->path,
			       .content = text,
			       .content_size = size,
			       .before = file->text,
			       .before_size = file->size,
			       .why = kc_text(j->host, j->run,
					      "The kubelet's cgroup driver becomes %s.", wanted),
		       });
}

static int step_create(const struct judgement *j, const char *wanted)
{
	const char *text = kc_text(j->host, j->run,
				   "apiVersion: kubelet.config.k8s.io/v1beta1\n"
				   "kind: KubeletConfiguration\n"
				   "cgroupDriver: %s\n",
				   wanted);
	struct kc_stat st = { .size_of = sizeof(st) };
	struct kc_step step = {
		.size = sizeof(step),
		.kind = KC_STEP_MAKE_DIR,
		.horizon = KC_BOOT,
		.mode = 0755,
		.target = "/var/lib/kubelet",
		.why = "The kubelet's folder is not there yet.",
	};
	int r = 0;

	if (kc_stat(j->host, j->run, step.target, 0, &st) == -ENOENT)
		r = kc_step(j->host, j->run, &step);
	if (r < 0)
		return r;
	step.kind = KC_STEP_WRITE_FILE;
	step.flags = KC_STEP_DISTURBS;
	step.mode = 0600;
	step.target = KC_KUBELET_CONFIG_FILE;
	step.content = text;
	step.content_size = strlen(text);
	step.why =
		"The kubelet has no configuration yet, and its default driver is not the one that "
		"is wanted.";
	return kc_step(j->host, j->run, &step);
}

/* 1: planned what mends the next start; 0: it needs a person, or nothing. */
static int plan_boot(struct judgement *j, const char *wanted, bool *ret_right)
{
	const struct kc_kubelet_config *config = &j->config;
	struct kubelet_driver driver;
	bool usual;
	int r;

	*ret_right = false;
	r = kubelet_load(j);
	if (r < 0 || config->state != KC_KUBELET_READ || config->unread)
		return r;
	r = kubelet_driver(j, &driver);
	if (r < 0)
		return r;
	if (config->refusal)
		return step_manual(j, kc_text(j->host, j->run, "# Correct %s: %s\n",
					      config->refusal_source, config->refusal));
	if (driver.undecided || kubelet_driver_waits(j, &driver))
		return 0;
	*ret_right = kc_streq(driver.value.value, wanted);
	if (*ret_right)
		return 0;
	if (driver.from_runtime)
		return step_manual(j,
				   kc_text(j->host, j->run,
					   "# The kubelet takes its driver from the runtime: set "
					   "it there (%s).\n",
					   driver.value.source));
	usual = config->config_path && kc_streq(config->config_path, KC_KUBELET_CONFIG_FILE) &&
		(driver.value.origin == KC_KUBELET_FROM_FILE ||
		 driver.value.origin == KC_KUBELET_FROM_DEFAULT);
	if (driver.value.origin == KC_KUBELET_FROM_FLAG)
		return kubelet_plan_flags(j, &(const struct kc_pair){ "cgroup-driver", wanted }, 1);
	if (!usual)
		return step_manual(
			j, kc_text(j->host, j->run,
				   "# In %s change the kubelet's cgroup driver from %s to %s.\n"
				   "systemctl daemon-reload && systemctl restart kubelet\n",
				   driver.value.source, driver.value.value, wanted));
	r = config->config_missing ? step_create(j, wanted) : step_edit(j, wanted);
	return r < 0 ? r : 1;
}

/* Whether the running kubelet has another driver; not when that cannot be told. */
static int fails_now(struct judgement *j)
{
	uint32_t verdict = 0;
	int r = kubelet_load(j);

	j->planning = &verdict;
	if (r >= 0 && kubelet_is_judged(j))
		r = judge(j);
	j->planning = NULL;
	return r < 0 ? r : verdict == KC_FAIL;
}

int kubelet_cgroup_driver_plan(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct judgement boot = { .host = host, .run = run, .arena = &arena, .horizon = KC_BOOT };
	struct judgement now = { .host = host, .run = run, .arena = &arena, .horizon = KC_NOW };
	uint32_t horizons = kc_horizons(host, run);
	const char *wanted;
	bool right;
	int r, failing = 0;

	r = kc_param_string(host, run, "driver", &wanted);
	if (r == 0 && horizons & KC_NOW)
		failing = r = fails_now(&now);
	if (r < 0 || !(failing || horizons & KC_BOOT))
		return r;
	r = plan_boot(&boot, wanted, &right);
	if (r < 0 || !failing || !(r > 0 || right))
		return KC_MIN(r, 0);
	return kubelet_plan_restart(&now,
				    "The kubelet reads its configuration when it starts. Pods that "
				    "run were made with the old driver: drain the node first.");
}
