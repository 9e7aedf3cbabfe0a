/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/environment-place.h"
#include "formats/kubelet-arguments.h"
#include "formats/unit.h"
#include "kubelet.h"

enum {
	FILE_MAX = 1 << 20
};

#define KUBEADM_FLAGS "/var/lib/kubelet/kubeadm-flags.env"

/* Of the RHEL family, and of Debian and Ubuntu (kubeadm's drop-in 10-kubeadm.conf of each). */
static const char *const files[] = { "/etc/sysconfig/kubelet", "/etc/default/kubelet", NULL };

static const char *flags_text(const struct judgement *j, const struct kc_pair *flags, size_t n)
{
	const char *text = "";

	for (size_t i = 0; i < n; i++)
		text = kc_text(j->host, j->run, "%s%s--%s=%s", text, i ? " " : "", flags[i].key,
			       flags[i].value);
	return text;
}

static int by_hand(const struct judgement *j, const struct kc_pair *flags, size_t n,
		   const char *place, const char *why)
{
	return kc_plan_by_hand(j->host, j->run, KC_BOOT,
			       kc_text(j->host, j->run,
				       "# In %s give the kubelet: %s\n"
				       "systemctl daemon-reload && systemctl restart kubelet\n",
				       place, flags_text(j, flags, n)),
			       why);
}

/* A flag that kubeadm wrote, or that this kubelet has not. 1: said by hand. */
static int plan_refused(const struct judgement *j, const struct kc_pair *flag)
{
	const struct kc_kubelet_flag *given = kc_kubelet_flags_last(&j->config.flags, flag->key);
	const struct kc_kubelet_removed_flag *removed = kc_kubelet_flag_removed(flag->key);
	int r;

	if (removed && j->config.release.minor >= removed->minor) {
		r = kc_plan_by_hand(
			j->host, j->run, KC_BOOT,
			kc_text(j->host, j->run, "# Take --%s out of the rule's arguments.\n",
				flag->key),
			kc_text(j->host, j->run, "%s has no such flag: it was removed in 1.%u.",
				kc_kubelet_release_name(&j->config.release, j->arena),
				removed->minor));
		return r < 0 ? r : 1;
	}
	if (!given || !kc_after_prefix(given->source, KUBEADM_FLAGS ":"))
		return 0;
	r = by_hand(
		j, flag, 1, KUBEADM_FLAGS,
		kc_text(j->host, j->run,
			"kubeadm wrote --%s=%s there, and writes that file again at its next run: "
			"change what it takes that from, too (nodeRegistration of its "
			"configuration).",
			given->name, given->value));
	return r < 0 ? r : 1;
}

/* The file's path as EnvironmentFile= names it, if the last such file of those known; or NULL. */
static const char *find_file(const struct judgement *j, const struct kc_unit_file *unit)
{
	const struct kc_unit_setting **list;
	const char *found = NULL;
	size_t n;

	if (kc_unit_file_list(unit, "Service", "EnvironmentFile", j->arena, &list, &n) < 0)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		const char *path = list[i]->value + (*list[i]->value == '-');

		KC_FOREACH_STR (file, files)
			if (kc_streq(file, path))
				found = file;
	}
	return found;
}

/* Whether the variable's words come last of all, each a word of its own. */
static bool comes_last(const struct judgement *j, const struct kc_unit_file *unit)
{
	const struct kc_unit_setting **list;
	const char *value;
	size_t n;

	if (kc_unit_file_list(unit, "Service", "ExecStart", j->arena, &list, &n) < 0 || n != 1)
		return false;
	value = list[0]->value;
	return kc_endswith(value, " $" KC_KUBELET_EXTRA_ARGS);
}

/* The variable as the unit has it; NULL: nothing sets it. */
static const struct kc_environment_variable *find_variable(const struct kc_service_command *service)
{
	for (size_t i = 0; i < service->n_environment; i++)
		if (kc_streq(service->environment[i].name, KC_KUBELET_EXTRA_ARGS))
			return &service->environment[i];
	return NULL;
}

/* Why a line in the file would not do what it says; NULL: it does. */
static const char *find_obstacle(const struct judgement *j, const struct kc_unit_file *unit,
				 const char *file, const struct kc_bytes *text)
{
	const struct kc_environment_variable *variable;
	struct kc_service_command service;
	struct kc_environment_place place;
	int r;

	if (!comes_last(j, unit))
		return "ExecStart= of kubelet.service does not end in $" KC_KUBELET_EXTRA_ARGS ".";
	if (kc_unit_service_command(j->host, j->run, j->arena, unit, &service) < 0)
		return "What kubelet.service starts could not be read.";
	variable = find_variable(&service);
	if (variable && !kc_streq0(variable->place.file, file))
		return kc_text(j->host, j->run, KC_KUBELET_EXTRA_ARGS " is set in %s:%u.",
			       variable->place.file, variable->place.line);
	r = kc_environment_find(text->data, text->size, KC_KUBELET_EXTRA_ARGS, &place);
	if (r < 0)
		return "The file is too odd to be edited by a program.";
	if (r > 0 && !variable)
		return "Something takes " KC_KUBELET_EXTRA_ARGS " out of the environment again.";
	return NULL;
}

static int plan_file(const struct judgement *j, const char *file, const struct kc_bytes *before,
		     bool is_new, const struct kc_pair *flags, size_t n)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	struct kc_step step = {
		.size = sizeof(step),
		.kind = is_new ? KC_STEP_WRITE_FILE : KC_STEP_EDIT_FILE,
		.flags = is_new ? 0 : KC_STEP_KEEP_OWNER,
		.horizon = KC_BOOT,
		.mode = is_new ? 0644 : 0,
		.target = file,
		.why = "The unit takes flags from this file, behind all others, so that they win.",
	};
	int r = kc_kubelet_arguments_edit(before->data, before->size, KC_KUBELET_EXTRA_ARGS, flags,
					  n, j->arena, &text);

	if (r == -ENOTSUP)
		return by_hand(j, flags, n, file, "The file is too odd to be edited by a program.");
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (kc_streq(flags[i].key, "cgroup-driver"))
			step.flags |= KC_STEP_DISTURBS;
	step.content = text.data;
	step.content_size = text.len;
	if (!is_new) {
		step.before = before->data;
		step.before_size = before->size;
	}
	r = kc_step(j->host, j->run, &step);
	return r < 0 ? r : 1;
}

/* Where the flag is given now, or may be. */
static const char *place_of(const struct judgement *j, const struct kc_pair *flag)
{
	const struct kc_kubelet_flag *given = kc_kubelet_flags_last(&j->config.flags, flag->key);

	return given ? given->source : "a drop-in of kubelet.service (systemctl edit kubelet)";
}

int kubelet_plan_flags(const struct judgement *j, const struct kc_pair *flags, size_t n)
{
	struct kc_bytes text = { .data = "" };
	const struct kc_unit_file *unit;
	const char *file, *obstacle;
	int r = 0, refused = 0;

	for (size_t i = 0; r >= 0 && i < n; i++) {
		r = plan_refused(j, &flags[i]);
		refused |= r > 0;
	}
	if (r < 0 || refused)
		return KC_MIN(r, 0);
	r = kc_unit_file_load(j->host, j->run, j->arena, KC_KUBELET_UNIT, &unit);
	if (r < 0)
		return r;
	file = find_file(j, unit);
	if (!file)
		return by_hand(j, flags, n, place_of(j, &flags[0]),
			       "kubelet.service takes no flags from /etc/sysconfig/kubelet or "
			       "/etc/default/kubelet.");
	r = kc_read_file(j->host, j->run, file, FILE_MAX, &text);
	if (r < 0 && r != -ENOENT)
		return r;
	obstacle = find_obstacle(j, unit, file, &text);
	if (obstacle)
		return by_hand(j, flags, n, file, obstacle);
	return plan_file(j, file, &text, r == -ENOENT, flags, n);
}

int kubelet_plan_restart(const struct judgement *j, const char *why)
{
	return kc_step(j->host, j->run,
		       &(struct kc_step){
			       .size = sizeof(struct kc_step),
			       .kind = KC_STEP_UNIT_RESTART,
			       .flags = KC_STEP_DISTURBS,
			       .horizon = KC_NOW,
			       .target = KC_KUBELET_UNIT,
			       .why = why,
		       });
}
