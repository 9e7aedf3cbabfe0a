/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "commands.h"
#include "reports/value.h"
#include "rule-text.h"

enum {
	FOLD_AT = 96
};

/* `explain RULE` and `explain CHECK`: what it judges, from which places, why, how to mend it by
 * hand. */

/* How much of a line fits: all of it, or as many words as do. A word is never broken. */
static size_t fold(const char *text, size_t line)
{
	size_t n = FOLD_AT;

	if (line <= FOLD_AT)
		return line;
	while (n > 0 && text[n] != ' ')
		n--;
	if (n == 0)
		n = strcspn(text, " \n");
	return n;
}

/* A line of n bytes, which no terminal and no reader of logs obeys; "" for an empty one. */
static void print_line(const char *indent, const char *text, size_t n)
{
	kc_cleanup(kc_freep) char *line = strndup(text, n);
	kc_cleanup(kc_buf_done) struct kc_buf safe = { 0 };

	kc_value_add_line(&safe, line, SIZE_MAX);
	(void)printf("%s%s\n", n ? indent : "", safe.data ? safe.data : "");
}

/* The same within a line. */
static void print_word(const char *text)
{
	kc_cleanup(kc_buf_done) struct kc_buf safe = { 0 };

	kc_value_add(&safe, text, SIZE_MAX);
	(void)fputs(safe.data ? safe.data : "", stdout);
}

/* A paragraph, line by line with an indent. */
static void print_text(const char *indent, const char *text)
{
	while (text && *text) {
		size_t n = strcspn(text, "\n");

		print_line(indent, text, n);
		text += n + (text[n] == '\n');
	}
}

/* Sentences, filled anew: authors break lines where their editor does. Empty lines part paragraphs.
 */
static void print_prose(const char *indent, const char *text)
{
	kc_cleanup(kc_buf_done) struct kc_buf joined = { 0 };
	const char *p;

	for (p = text; p && *p; p++)
		kc_buf_addc(&joined, *p == '\n' && p[1] && p[1] != '\n' && p[1] != ' ' &&
						     (p == text || p[-1] != '\n')
					     ? ' '
					     : *p);
	for (p = joined.data; p && *p;) {
		size_t line = strcspn(p, "\n"), n = fold(p, line);

		print_line(indent, p, n);
		p += n;
		/* The space that a line was folded at, or its end. */
		p += *p == '\n' || (n < line && *p == ' ');
	}
}

static void print_section(const char *title, const char *text)
{
	if (!text || !*text)
		return;
	(void)printf("\n%s\n", title);
	print_text("  ", text);
}

static void print_list(const char *title, const char *const *list)
{
	if (!list || !list[0])
		return;
	(void)printf("\n%s\n", title);
	KC_FOREACH_STR (item, list)
		print_text("  ", item);
}

static void print_texts(const char *title, const struct kc_manifest_text *texts, uint32_t n)
{
	if (n > 0)
		(void)printf("\n%s\n", title);
	for (uint32_t i = 0; i < n; i++) {
		(void)printf("  %s\n", texts[i].id);
		print_prose("    ", texts[i].text);
	}
}

static void print_params(const struct kc_manifest_check *check)
{
	if (check->n_params > 0)
		(void)printf("\nParameters\n");
	for (uint32_t i = 0; i < check->n_params; i++) {
		const struct kc_manifest_param *p = check->params + i;

		(void)printf("  %s (%s", p->name, kc_type_name(p->type));
		KC_FOREACH_STR (choice, p->choices) {
			(void)printf("%s", choice == p->choices[0] ? ": " : ", ");
			print_word(choice);
		}
		if (p->required) {
			(void)printf("; required");
		} else if (p->fallback) {
			(void)printf("; ");
			print_word(*p->fallback ? p->fallback : "empty");
			(void)printf(" by default");
		}
		(void)printf(")\n");
		print_prose("    ", p->doc);
	}
}

static void explain_check(const struct kc_manifest *manifest, const struct kc_manifest_check *check)
{
	(void)printf("%s: ", check->id);
	print_text("", check->title);
	print_prose("  ", check->doc);
	(void)printf("\nJudges\n");
	if (check->flags & KC_CHECK_NOW)
		(void)printf("  now   the running system\n");
	if (check->flags & KC_CHECK_BOOT)
		(void)printf("  boot  what the next start will make of it\n");
	print_texts("Verdicts", check->results, check->n_results);
	print_texts("Skipped when", check->reasons, check->n_reasons);
	print_list("Looks at", check->reads);
	print_params(check);
	print_section("To mend it by hand", check->remedy);
	print_list("A repair (--fix) may touch", check->touches);
	print_list("See", check->references);
	(void)printf("\nFrom plugin %s ", manifest->name);
	print_word(manifest->version);
	(void)printf(" (");
	print_word(manifest->file);
	(void)printf(")\n");
}

/* With what the rule asks its check. */
static void print_values(const struct kc_rule *rule)
{
	bool begun = false;

	for (uint32_t i = 0; i < rule->check->n_params; i++) {
		kc_cleanup(kc_buf_done) struct kc_buf value = { 0 };

		if (rule->params[i].type == 0)
			continue;
		if (!begun)
			(void)printf("\nParameters of this rule\n");
		begun = true;
		kc_buf_addf(&value, "%s: ", rule->check->params[i].name);
		kc_rule_text_value(&value, rule->params + i);
		print_text("  ", value.data ? value.data : "");
	}
}

static void explain_rule(const struct kc_profile *profile, const struct kc_rule *rule)
{
	const struct kc_origin *origin = rule->origins + KC_RULE_CHECK;

	(void)printf("%s: ", rule->id);
	print_text("", rule->title);
	(void)printf("  %s, stage %s; fix: %s (has no effect in this version)\n",
		     kc_severity_name(rule->severity), kc_stage_name(rule->stage),
		     kc_fix_policy_name(rule->fix));
	if (rule->why && *rule->why)
		(void)printf("\nWhy\n");
	print_prose("  ", rule->why);
	print_section("To mend it by hand", rule->remedy);
	print_list("See", rule->references);
	print_list("Tags", rule->tags);
	print_values(rule);
	(void)printf("\nFrom ");
	print_text("", profile->sources[origin->source].name);
	(void)printf("\n");
	explain_check(rule->plugin, rule->check);
}

/* Names that may have been meant. Without memory for one there is a suggestion less. */
static void add_name(struct kc_list *names, const char *name)
{
	const char **grown = realloc(names->item, (names->n + 2) * sizeof(*grown));

	if (!grown)
		return;
	names->item = grown;
	grown[names->n++] = name;
	grown[names->n] = NULL;
}

static void names_done(struct kc_list *names)
{
	free(names->item);
}

static const struct kc_rule *search_profile(const struct kc_profile *profile, const char *id,
					    struct kc_list *names)
{
	for (uint32_t i = 0; i < profile->n_rules; i++) {
		if (kc_streq(profile->rules[i].id, id))
			return profile->rules + i;
		add_name(names, profile->rules[i].id);
	}
	return NULL;
}

/* The installed profiles, until one has the rule. */
static const struct kc_rule *search_profiles(const struct kc_command *command, const char *id,
					     struct kc_list *near,
					     const struct kc_profile **ret_profile)
{
	const char *const *names;

	if (kc_profile_names(command->paths.profiles, command->arena, NULL, &names) < 0)
		return NULL;
	KC_FOREACH_STR (name, names) {
		const char *one[] = { name, NULL };
		const struct kc_profile_request request = {
			.profiles = one,
			.profile_dirs = command->paths.profiles,
			.plugin_dirs = command->paths.plugins,
		};
		struct kc_diagnostics diagnostics = { 0 };
		const struct kc_profile *profile;
		const struct kc_rule *rule = NULL;

		if (kc_profile_load(&request, command->arena, &diagnostics, &profile) >= 0)
			rule = search_profile(profile, id, near);
		kc_diagnostics_done(&diagnostics);
		if (rule) {
			*ret_profile = profile;
			return rule;
		}
	}
	return NULL;
}

static const struct kc_manifest_check *search_checks(const struct kc_manifest *const *all,
						     const char *id, struct kc_list *names,
						     const struct kc_manifest **ret_manifest)
{
	for (; *all; all++) {
		for (uint32_t i = 0; i < (*all)->n_checks; i++) {
			if (kc_streq((*all)->checks[i].id, id)) {
				*ret_manifest = *all;
				return (*all)->checks + i;
			}
			add_name(names, (*all)->checks[i].id);
		}
	}
	return NULL;
}

static int explain(const struct kc_command *command, const struct kc_profile *profile,
		   const char *what)
{
	const struct kc_manifest *const *all = kc_command_manifests(command);
	kc_cleanup(names_done) struct kc_list names = { 0 };
	const struct kc_manifest_check *check;
	const struct kc_manifest *manifest;
	const struct kc_rule *rule;
	const char *near;

	if (!all)
		return KC_EXIT_USAGE;
	check = search_checks(all, what, &names, &manifest);
	if (check) {
		explain_check(manifest, check);
		return 0;
	}
	rule = profile ? search_profile(profile, what, &names)
		       : search_profiles(command, what, &names, &profile);
	if (rule) {
		explain_rule(profile, rule);
		return 0;
	}
	near = kc_nearest(what, names.item);
	if (!near && !profile)
		return kc_complain(KC_EXIT_USAGE,
				   "there is no rule or check %s; a rule of a profile that is not "
				   "installed needs --profile FILE",
				   what);
	return kc_complain(KC_EXIT_USAGE, "there is no rule or check %s%s%s%s", what,
			   near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

int kc_command_explain(const struct kc_command *command)
{
	const struct kc_options *o = command->options;
	const struct kc_profile *profile = NULL;
	int worst = 0;

	if (o->words.n == 0)
		return kc_complain(KC_EXIT_USAGE,
				   "say which rule or check to explain; see k8scheck "
				   "list rules --profile NAME, or k8scheck list checks");
	if (o->profiles.n > 0) {
		profile = kc_command_profile(command, NULL, NULL);
		if (!profile)
			return KC_EXIT_USAGE;
	}
	for (size_t i = 0; i < o->words.n; i++) {
		int r;

		if (i > 0)
			(void)printf("\n");
		r = explain(command, profile, o->words.item[i]);
		worst = KC_MAX(worst, r);
	}
	return worst;
}
