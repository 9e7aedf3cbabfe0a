/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/fdio.h"
#include "profile/profile.h"

/*
 * A profile, over the manifest in plugins/. Lines at its beginning that start with "#--set " or
 * "#--var " are options of the command line.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	MEMORY_MAX = 64 * 1024 * 1024,
	OPTIONS_MAX = 8
};

struct options {
	char *owned[2 * OPTIONS_MAX];
	size_t n_owned;
	const char *sets[OPTIONS_MAX + 1], *vars[OPTIONS_MAX + 1];
	size_t n_sets, n_vars;
};

static void read_options(const char *text, size_t size, struct options *o)
{
	while (size > 7 && o->n_sets < OPTIONS_MAX && o->n_vars < OPTIONS_MAX) {
		const char *end = memchr(text, '\n', size);
		bool set = memcmp(text, "#--set ", 7) == 0;
		char *s;

		if (!end || end - text < 7 || (!set && memcmp(text, "#--var ", 7) != 0))
			return;
		s = strndup(text + 7, (size_t)(end - text) - 7);
		if (!s)
			abort();
		o->owned[o->n_owned++] = s;
		if (set)
			o->sets[o->n_sets++] = s;
		else
			o->vars[o->n_vars++] = s;
		size -= (size_t)(end + 1 - text);
		text = end + 1;
	}
}

static void check_origin(const struct kc_profile *p, const struct kc_origin *o)
{
	if (o->source >= p->n_sources)
		abort();
}

static void check_rule(const struct kc_profile *p, const struct kc_rule *rule)
{
	if (!rule->id || !rule->title || !rule->check || !rule->plugin)
		abort();
	if (!kc_severity_name(rule->severity) || !kc_stage_name(rule->stage) ||
	    !kc_fix_policy_name(rule->fix))
		abort();
	for (size_t i = 0; i < KC_RULE_FIELD_MAX; i++)
		check_origin(p, rule->origins + i);
	for (uint32_t i = 0; i < rule->check->n_params; i++) {
		const struct kc_manifest_param *param = rule->check->params + i;

		check_origin(p, rule->param_origins + i);
		if (rule->params[i].type != param->type &&
		    (rule->params[i].type != 0 || param->required))
			abort();
	}
	for (uint32_t i = 0; i < rule->n_when; i++) {
		if (!rule->when[i].fact || !rule->when[i].values || !rule->when[i].values[0])
			abort();
	}
}

/* Whole lines, and nothing in them that a terminal would obey. */
static void check_diagnostics(const struct kc_diagnostics *d)
{
	if (d->n_errors == 0 || d->text.len == 0 || d->text.data[d->text.len - 1] != '\n')
		abort();
	for (size_t i = 0; i < d->text.len; i++) {
		unsigned char c = (unsigned char)d->text.data[i];

		if ((c < ' ' && c != '\n') || c == 0x7f)
			abort();
	}
}

static void load(const char *path, const struct options *o)
{
	const struct kc_profile_request request = {
		.profiles = (const char *const[]){ path, NULL },
		.sets = o->sets,
		.vars = o->vars,
		.profile_dirs = (const char *const[]){ KC_FUZZ_DIR "/profiles", NULL },
		.plugin_dirs = (const char *const[]){ KC_FUZZ_DIR "/plugins", NULL },
	};
	struct kc_arena arena = { .limit = MEMORY_MAX };
	struct kc_diagnostics diagnostics = { 0 };
	const struct kc_profile *p = NULL;
	int r = kc_profile_load(&request, &arena, &diagnostics, &p);

	if (r < 0)
		check_diagnostics(&diagnostics);
	else if (p->n_rules == 0)
		abort();
	for (uint32_t i = 0; r == 0 && i < p->n_rules; i++)
		check_rule(p, p->rules + i);
	kc_diagnostics_done(&diagnostics);
	kc_arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct options o = { .n_owned = 0 };
	char path[64];
	int fd = memfd_create("profile", MFD_CLOEXEC);

	if (fd < 0 || kc_write_all(fd, data, size) < 0)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_options((const char *)data, size, &o);
	load(path, &o);
	for (size_t i = 0; i < o.n_owned; i++)
		free(o.owned[i]);
	(void)kc_close(fd);
	return 0;
}
