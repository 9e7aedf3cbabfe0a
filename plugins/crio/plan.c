/* SPDX-License-Identifier: Apache-2.0 */
#include "crio.h"

int crio_plan_manual(const struct judgement *j, const char *content, const char *why)
{
	const struct kc_step step = {
		.size = sizeof(step),
		.kind = KC_STEP_MANUAL,
		.horizon = KC_BOOT,
		.content = content,
		.content_size = strlen(content),
		.why = why,
	};

	return kc_step(j->host, j->run, &step);
}

int crio_plan_restart(const struct judgement *j)
{
	const struct kc_step step = {
		.size = sizeof(step),
		.kind = KC_STEP_UNIT_RESTART,
		.flags = KC_STEP_DISTURBS,
		.horizon = KC_NOW,
		.target = KC_CRIO_UNIT,
		.why = "crio takes this setting at its start alone; a reload does not change it.",
	};

	return kc_is_live(j->host, j->run) ? kc_step(j->host, j->run, &step) : 0;
}

/* True when a drop-in of that name comes behind whatever sets the value now. */
static bool dropin_wins(const struct judgement *j, const struct kc_crio_value *value,
			const char *path)
{
	const char *file = value->place.file;

	if (!kc_streq(j->config->dir, CRIO_DROPIN_DIR))
		return false;
	if (strstr(value->source, " (--") || strstr(value->source, " (CONTAINER_"))
		return false;
	if (!file || !kc_after_prefix(file, CRIO_DROPIN_DIR "/"))
		return true;
	return strcmp(file, path) <= 0;
}

static int plan_dir(const struct judgement *j)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	const struct kc_step step = {
		.size = sizeof(step),
		.kind = KC_STEP_MAKE_DIR,
		.horizon = KC_BOOT,
		.mode = 0755,
		.target = CRIO_DROPIN_DIR,
		.why = "CRI-O reads drop-in files from here.",
	};

	if (kc_stat(j->host, j->run, CRIO_DROPIN_DIR, 0, &st) != -ENOENT)
		return 0;
	return kc_step(j->host, j->run, &step);
}

int crio_plan_blocked(const struct judgement *j)
{
	const struct kc_crio_config *config = j->config;
	const struct kc_crio_fault *fault = config->refused ? config->refused : config->unseen;
	int r;

	if (!fault)
		return 0;
	r = crio_plan_manual(
		j,
		kc_text(j->host, j->run, "# %s %s: %s",
			config->refused ? "Correct" : "Make readable", fault->source, fault->text),
		config->refused ? "No drop-in helps while CRI-O refuses its configuration."
				: "What cannot be read may win over any drop-in.");
	return r < 0 ? r : 1;
}

int crio_plan_setting(const struct judgement *j, const struct kc_crio_value *value,
		      const char *name, const char *key, const char *setting)
{
	const char *path = kc_text(j->host, j->run, CRIO_DROPIN_DIR "/%s", name);
	const char *content =
		kc_text(j->host, j->run,
			"# Written by k8scheck; wins over what stands in files before it.\n"
			"[crio.runtime]\n%s = \"%s\"\n",
			key, setting);
	struct kc_step step = {
		.size = sizeof(step),
		.kind = KC_STEP_WRITE_FILE,
		.horizon = KC_BOOT,
		.mode = 0644,
		.target = path,
		.content = content,
		.content_size = strlen(content),
	};
	int r;

	if (!dropin_wins(j, value, path))
		return crio_plan_manual(
			j,
			kc_text(j->host, j->run,
				"# In %s, set %s to \"%s\", or take the setting out.",
				value->source, key, setting),
			"A drop-in file would not win against that place.");
	step.why = kc_text(j->host, j->run, "%s is \"%s\" by %s; a later file wins.", key,
			   value->text, value->source);
	r = plan_dir(j);
	if (r == 0)
		r = kc_step(j->host, j->run, &step);
	return r < 0 ? r : 1;
}
