/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "commands.h"
#include "reports/text.h"
#include "reports/value.h"
#include "sys/trust.h"

int kc_complain(int exit_code, const char *fmt, ...)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 }, safe = { 0 };
	va_list ap;

	va_start(ap, fmt);
	kc_buf_addv(&text, fmt, ap);
	va_end(ap);
	/* Messages quote file names and values, which may be anybody's. */
	if (kc_buf_error(&text) >= 0)
		kc_value_add(&safe, text.data, KC_MESSAGE_MAX);
	(void)fprintf(stderr, "k8scheck: %s\n",
		      kc_buf_error(&safe) < 0 || !safe.data ? "out of memory" : safe.data);
	return exit_code;
}

static void print_diagnostics(const struct kc_diagnostics *diagnostics)
{
	const char *p = diagnostics->text.data;

	while (p && *p) {
		kc_cleanup(kc_buf_done) struct kc_buf raw = { 0 }, line = { 0 };
		size_t n = strcspn(p, "\n");

		/* Escaped already, but for what a CI system would obey. */
		kc_buf_add(&raw, p, n);
		if (kc_buf_error(&raw) >= 0)
			kc_value_add_line(&line, raw.data, KC_MESSAGE_MAX);
		if (kc_buf_error(&raw) >= 0 && kc_buf_error(&line) >= 0)
			(void)fprintf(stderr, "%s\n", line.data ? line.data : "");
		p += n + (p[n] == '\n');
	}
}

const struct kc_profile *kc_command_profile(const struct kc_command *command, kc_on_need *on_need,
					    void *context)
{
	const struct kc_options *o = command->options;
	const struct kc_profile_request request = {
		.profiles = o->profiles.item,
		.var_files = o->var_files.item,
		.vars = o->vars.item,
		.sets = o->sets.item,
		.profile_dirs = command->paths.profiles,
		.plugin_dirs = command->paths.plugins,
		/* Texts about repairs are part of a plan. */
		.brief = on_need != NULL && !o->fix,
		/* For digests, which the text report has none of. */
		.keep_texts = o->reports.n > 0,
		.on_need = on_need,
		.context = context,
	};
	struct kc_diagnostics diagnostics = { 0 };
	const struct kc_profile *profile = NULL;
	const char *const *names;
	kc_cleanup(kc_buf_done) struct kc_buf all = { 0 };
	int r;

	if (o->profiles.n == 0) {
		if (kc_profile_names(command->paths.profiles, command->arena, NULL, &names) >= 0)
			KC_FOREACH_STR (name, names)
				kc_buf_addf(&all, "%s%s", all.len ? ", " : "", name);
		(void)kc_complain(0, "say which profile by --profile NAME or FILE; installed: %s",
				  all.data ? all.data : "none");
		return NULL;
	}
	r = kc_profile_load(&request, command->arena, &diagnostics, &profile);
	if (r < 0) {
		print_diagnostics(&diagnostics);
		(void)kc_complain(0, "the profile has %u fault%s%s", diagnostics.n_errors,
				  diagnostics.n_errors == 1 ? "" : "s",
				  o->verb == KC_VERB_CHECK ? ", so nothing was judged" : "");
		profile = NULL;
	} else if (diagnostics.n_warnings > 0) {
		print_diagnostics(&diagnostics);
	}
	kc_diagnostics_done(&diagnostics);
	return profile;
}

static int trust(int root_fd, const char *path, struct kc_err *err, int *ret_fd)
{
	return kc_trust_open(root_fd, path, KC_TRUST_STICKY, err, ret_fd);
}

struct kc_report_formats kc_command_formats(const struct kc_command *command)
{
	static const struct kc_report_format *const built_in[] = { &kc_report_text_format, NULL };

	return (struct kc_report_formats){
		.built_in = built_in,
		.dirs = command->paths.reports,
		.trust = trust,
	};
}

const struct kc_manifest *const *kc_command_manifests(const struct kc_command *command)
{
	struct kc_manifest_cache cache = { 0 };
	const struct kc_manifest **list;
	const char *const *names;
	struct kc_err err = { 0 };

	if (kc_profile_names(command->paths.plugins, command->arena, &err, &names) < 0) {
		(void)kc_complain(0, "%s", err.text);
		return NULL;
	}
	if (!names[0]) {
		(void)kc_complain(0, "there is no plugin in %s", command->paths.plugins[0]);
		return NULL;
	}
	list = kc_arena_zalloc(command->arena, kc_strv_len(names) + 1, sizeof(*list));
	if (!list)
		return NULL;
	KC_FOREACH_STR (name, names) {
		if (kc_manifest_load(command->paths.plugins, name, &cache, command->arena, &err,
				     &list[cache.n]) < 0)
			(void)kc_complain(0, "%s", err.text);
	}
	return list;
}
