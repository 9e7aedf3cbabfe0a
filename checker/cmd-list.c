/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "commands.h"
#include "reports/value.h"
#include "rule-text.h"
#include "select.h"

/* `list`: what there is, a line each, the name first, so that it can be read by eye and by cut(1).
 */

static void print_row(const char *name, int width, const char *text)
{
	kc_cleanup(kc_buf_done) struct kc_buf safe = { 0 };

	kc_value_add(&safe, text, KC_MESSAGE_MAX);
	(void)printf("%-*s  %s\n", width, name, safe.data ? safe.data : "");
}

static int widest(const char *const *names)
{
	size_t width = 0;

	KC_FOREACH_STR (name, names)
		width = KC_MAX(width, strlen(name));
	return (int)width;
}

static int list_profiles(const struct kc_command *command)
{
	const char *const *names;
	struct kc_err err = { 0 };

	if (kc_profile_names(command->paths.profiles, command->arena, &err, &names) < 0)
		return kc_complain(KC_EXIT_USAGE, "%s", err.text);
	KC_FOREACH_STR (name, names) {
		const char *one[] = { name, NULL };
		const struct kc_profile_request request = {
			.profiles = one,
			.profile_dirs = command->paths.profiles,
			.plugin_dirs = command->paths.plugins,
		};
		struct kc_diagnostics diagnostics = { 0 };
		const struct kc_profile *profile;

		if (kc_profile_load(&request, command->arena, &diagnostics, &profile) < 0)
			print_row(name, widest(names), "(has faults; see k8scheck lint)");
		else
			print_row(name, widest(names), profile->title ? profile->title : "");
		kc_diagnostics_done(&diagnostics);
	}
	return 0;
}

static int list_plugins(const struct kc_command *command)
{
	const struct kc_manifest *const *all = kc_command_manifests(command);
	int width = 0;

	for (size_t i = 0; all && all[i]; i++)
		width = KC_MAX(width, (int)strlen(all[i]->name));
	for (size_t i = 0; all && all[i]; i++)
		print_row(all[i]->name, width, all[i]->title);
	return all ? 0 : KC_EXIT_USAGE;
}

static int list_checks(const struct kc_command *command)
{
	const struct kc_manifest *const *all = kc_command_manifests(command);
	int width = 0;

	for (size_t i = 0; all && all[i]; i++) {
		for (uint32_t k = 0; k < all[i]->n_checks; k++)
			width = KC_MAX(width, (int)strlen(all[i]->checks[k].id));
	}
	for (size_t i = 0; all && all[i]; i++) {
		for (uint32_t k = 0; k < all[i]->n_checks; k++)
			print_row(all[i]->checks[k].id, width, all[i]->checks[k].title);
	}
	return all ? 0 : KC_EXIT_USAGE;
}

static int list_facts(const struct kc_command *command)
{
	const struct kc_manifest *const *all = kc_command_manifests(command);
	int width = 0;

	for (size_t i = 0; all && all[i]; i++) {
		for (uint32_t k = 0; k < all[i]->n_facts; k++)
			width = KC_MAX(width, (int)strlen(all[i]->facts[k].name));
	}
	for (size_t i = 0; all && all[i]; i++) {
		for (uint32_t k = 0; k < all[i]->n_facts; k++)
			print_row(all[i]->facts[k].name, width, all[i]->facts[k].doc);
	}
	return all ? 0 : KC_EXIT_USAGE;
}

static int list_reports(const struct kc_command *command)
{
	const struct kc_report_formats formats = kc_command_formats(command);
	const char *const *names;
	struct kc_err err = { 0 };

	if (kc_report_format_names(&formats, command->arena, &names) < 0)
		return kc_complain(KC_EXIT_USAGE, "out of memory");
	KC_FOREACH_STR (name, names) {
		const struct kc_report_format *format;

		if (kc_report_format_find(&formats, name, &err, &format) < 0)
			print_row(name, widest(names), err.text);
		else
			print_row(name, widest(names), format->title);
	}
	return 0;
}

/* ---- rules ---- */

static void print_origin(const struct kc_profile *profile, const struct kc_origin *origin)
{
	kc_cleanup(kc_buf_done) struct kc_buf safe = { 0 };
	const char *source;

	kc_value_add(&safe,
		     origin->source < profile->n_sources ? profile->sources[origin->source].name
							 : "?",
		     KC_MESSAGE_MAX);
	source = safe.data ? safe.data : "?";
	if (origin->line > 0)
		(void)printf("  # %s:%u:%u\n", source, origin->line, origin->column);
	else
		(void)printf("  # %s\n", source);
}

static void print_line(const char *indent, const char *name, const struct kc_buf *value)
{
	kc_cleanup(kc_buf_done) struct kc_buf safe = { 0 };

	kc_value_add(&safe, value->data, SIZE_MAX);
	(void)printf("%s%s: %s", indent, name, safe.data ? safe.data : "");
}

static void print_effective(const struct kc_profile *profile, const struct kc_rule *rule)
{
	(void)printf("- id: %s\n", rule->id);
	for (int f = 0; f < KC_RULE_FIELD_MAX; f++) {
		kc_cleanup(kc_buf_done) struct kc_buf value = { 0 };

		kc_rule_text_field(&value, rule, (enum kc_rule_field)f);
		print_line("  ", kc_rule_field_names[f], &value);
		print_origin(profile, rule->origins + f);
	}
	if (rule->check->n_params > 0)
		(void)printf("  with:\n");
	for (uint32_t i = 0; i < rule->check->n_params; i++) {
		kc_cleanup(kc_buf_done) struct kc_buf value = { 0 };

		if (rule->params[i].type == 0)
			continue;
		kc_rule_text_value(&value, rule->params + i);
		print_line("    ", rule->check->params[i].name, &value);
		print_origin(profile, rule->param_origins + i);
	}
}

static int list_rules(const struct kc_command *command)
{
	const struct kc_profile *profile = kc_command_profile(command, NULL, NULL);
	size_t width = 0, check_width = 0;
	struct kc_err err = { 0 };

	if (!profile)
		return KC_EXIT_USAGE;
	if (kc_select(profile, command->options, &err) < 0)
		return kc_complain(KC_EXIT_USAGE, "%s", err.text);
	for (uint32_t i = 0; i < profile->n_rules; i++) {
		width = KC_MAX(width, strlen(profile->rules[i].id));
		check_width = KC_MAX(check_width, strlen(profile->rules[i].check->id));
	}
	for (uint32_t i = 0; i < profile->n_rules; i++) {
		const struct kc_rule *rule = profile->rules + i;
		kc_cleanup(kc_buf_done) struct kc_buf safe = { 0 };

		if (!rule->selected)
			continue;
		if (command->options->effective) {
			print_effective(profile, rule);
			continue;
		}
		kc_value_add(&safe, rule->title, KC_MESSAGE_MAX);
		(void)printf("%-*s  %-*s  %-7s  %-11s  %s\n", (int)width, rule->id,
			     (int)check_width, rule->check->id, kc_stage_name(rule->stage),
			     kc_severity_name(rule->severity), safe.data ? safe.data : "");
	}
	return 0;
}

int kc_command_list(const struct kc_command *command)
{
	static const struct {
		const char *name;
		int (*list)(const struct kc_command *command);
	} kinds[] = {
		{ "profiles", list_profiles }, { "rules", list_rules }, { "checks", list_checks },
		{ "plugins", list_plugins },   { "facts", list_facts }, { "reports", list_reports },
	};
	static const char *const names[] = { "profiles", "rules",   "checks", "plugins",
					     "facts",	 "reports", NULL };
	const struct kc_list *words = &command->options->words;
	const char *near;

	if (words->n == 0)
		return kc_complain(KC_EXIT_USAGE, "say what to list: profiles, rules, checks, "
						  "plugins, facts or reports");
	if (words->n > 1)
		return kc_complain(KC_EXIT_USAGE,
				   "say what to list by one word; %s is one too many, and a "
				   "profile is given by --profile",
				   words->item[1]);
	for (size_t i = 0; i < KC_ARRAY_SIZE(kinds); i++) {
		if (kc_streq(words->item[0], kinds[i].name))
			return kinds[i].list(command);
	}
	near = kc_nearest(words->item[0], names);
	return kc_complain(KC_EXIT_USAGE,
			   "there is no list of %s%s%s; there is profiles, rules, checks, plugins, "
			   "facts and reports",
			   words->item[0], near ? ", did you mean " : "", near ? near : "");
}
