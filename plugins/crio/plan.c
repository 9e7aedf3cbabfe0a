/* SPDX-License-Identifier: Apache-2.0 */
#include "crio.h"

int crio_plan_manual(const struct judgement *j, const char *content, const char *why)
{
	return kc_plan_by_hand(j->host, j->run, KC_BOOT, content, why);
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

	return kc_step(j->host, j->run, &step);
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

int crio_plan_blocked(const struct judgement *j)
{
	const struct kc_crio_config *config = j->config;
	const struct kc_crio_fault *fault = config->refused ? config->refused : config->unseen;
	int r;

	if (!fault)
		return 0;
	r = crio_plan_manual(
		j,
		kc_text(j->host, j->run, "# %s %s: %s\n",
			config->refused ? "Correct" : "Make readable", fault->source, fault->text),
		config->refused ? "No drop-in helps while CRI-O refuses its configuration."
				: "What cannot be read may win over any drop-in.");
	return r < 0 ? r : 1;
}

int crio_plan_setting(const struct judgement *j, const struct kc_crio_value *beaten,
		      const struct crio_setting *setting)
{
	const char *path = kc_text(j->host, j->run, CRIO_DROPIN_DIR "/%s", setting->dropin);
	const char *content =
		kc_text(j->host, j->run,
			"# Written by k8scheck; wins over what stands in files before it.\n"
			"[crio.runtime]\n%s = \"%s\"\n",
			setting->key, setting->value);
	struct kc_step step = {
		.size = sizeof(step),
		.kind = KC_STEP_WRITE_FILE,
		.flags = setting->flags,
		.horizon = KC_BOOT,
		.mode = 0644,
		.target = path,
		.content = content,
		.content_size = strlen(content),
	};
	int r;

	if (!dropin_wins(j, beaten, path))
		return crio_plan_manual(
			j,
			kc_text(j->host, j->run,
				"# In %s, set %s to \"%s\", or take the setting out; then:\n"
				"systemctl restart crio\n",
				beaten->source, setting->key, setting->value),
			"A drop-in file would not win against that place.");
	step.why = kc_text(j->host, j->run, "%s is \"%s\" by %s; a later file wins.", setting->key,
			   beaten->text, beaten->source);
	r = kc_plan_folder(j->host, j->run, CRIO_DROPIN_DIR,
			   "CRI-O reads drop-in files from here.");
	if (r == 0)
		r = kc_step(j->host, j->run, &step);
	return r < 0 ? r : 1;
}
