/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "commands.h"
#include "reports/value.h"

/* Text of a profile's author, made safe for a terminal and a log; in the arena. */
static const char *safe_text(struct kc_arena *arena, const char *text)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	const char *copy;

	kc_value_add_line(&b, text, KC_MESSAGE_MAX);
	copy = kc_buf_error(&b) < 0 || !b.data ? NULL : kc_arena_strdup(arena, b.data);
	return copy ? copy : "";
}

/* What is no fault, and all the same leaves a reader of the report alone. */
static unsigned advise(const struct kc_command *command, const struct kc_profile *profile)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < profile->n_rules; i++) {
		const struct kc_rule *rule = profile->rules + i;
		const struct kc_origin *origin = rule->origins + KC_RULE_CHECK;
		const char *missing = !rule->why      ? "why"
				      : !rule->remedy ? "remedy of its own"
						      : NULL;

		if (!missing)
			continue;
		(void)printf("%s:%u:%u: rule %s has no %s\n",
			     safe_text(command->arena, profile->sources[origin->source].name),
			     origin->line, origin->column, rule->id, missing);
		n++;
	}
	for (uint32_t i = 0; i < profile->n_sources; i++) {
		if (!profile->sources[i].warning)
			continue;
		(void)printf("%s\n", safe_text(command->arena, profile->sources[i].warning));
		n++;
	}
	return n;
}

int kc_command_lint(const struct kc_command *command)
{
	const struct kc_profile *profile;
	struct kc_options options = *command->options;
	struct kc_command own = *command;
	unsigned advice;

	if (options.rules.n || options.skips.n || options.stages.n || options.tags.n)
		return kc_complain(
			KC_EXIT_USAGE,
			"lint looks at whole profiles; --rule, --skip, --stage and --tag "
			"choose what is judged or listed");
	/* `lint FILE…` and `lint --profile FILE` mean the same. */
	own.options = &options;
	if (options.words.n > 0)
		options.profiles = options.words;
	profile = kc_command_profile(&own, NULL, NULL);
	if (!profile)
		return KC_EXIT_USAGE;
	advice = advise(command, profile);
	(void)printf("profile %s: no faults, %u rule%s, %u piece%s of advice\n",
		     safe_text(command->arena, profile->name), profile->n_rules,
		     profile->n_rules == 1 ? "" : "s", advice, advice == 1 ? "" : "s");
	return 0;
}
