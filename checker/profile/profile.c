/* SPDX-License-Identifier: Apache-2.0 */
#include "loader.h"

/*
 * The format of a profile. A key that is not listed here is an error.
 *
 *     title: CRI-O 1.18 on a node     # optional
 *     extends: [base, other]          # optional: names of profiles, merged before this one
 *     vars:                           # optional: texts, used as ${name}; $${ stands for ${
 *       socket: /run/crio/crio.sock
 *     rules:
 *       - id: ip-forward              # [a-z0-9-]+, once in a file
 *         check: sysctl.value         # PLUGIN.CHECK, of a manifest
 *         title: ...                  # one line; the check's own when left out
 *         why: ...
 *         remedy: ...
 *         severity: required          # the default; recommended, info
 *         stage: host                 # the default; runtime, kubelet, cluster
 *         tags: [network]
 *         references: [https://...]
 *         with:                       # the check's parameters, as its manifest types them
 *           keys: [net.ipv4.ip_forward]
 *         when:                       # all must hold, else the rule is skipped
 *           os.id: [debian, ubuntu]   # one of
 *           kubelet.version: ">=1.24" # != < <= > >=, in quotes
 *         fix: ask                    # the default; auto, never
 *         disabled: true              # drops a rule of an earlier file; false brings it back
 *
 * A rule of the same id in a later file overrides the earlier one field by field, `with` key by
 * key, and lists whole; it keeps its place. The order is: files that are extended, the file that
 * extends them, the next --profile, --set. Of variables: `vars` of files in that order, --vars,
 * --var. Variables stand in all texts of a rule but `id` and `check`, in keys of mappings too, and
 * in the values of variables.
 */

/* "crio-1.18" of a name or of DIR/crio-1.18.yaml; several joined with +. */
static const char *name_of(struct kc_loader *l)
{
	struct kc_buf b = { 0 };
	const char *name;

	KC_FOREACH_STR (argument, l->request->profiles) {
		const char *slash = strrchr(argument, '/');
		const char *base = slash ? slash + 1 : argument;
		size_t n = strlen(base);

		if (kc_endswith(base, ".yaml"))
			n -= strlen(".yaml");
		else if (kc_endswith(base, ".yml"))
			n -= strlen(".yml");
		kc_buf_adds(&b, b.len ? "+" : "");
		kc_buf_add(&b, base, n);
	}
	name = b.failed ? NULL : kc_arena_memdup(l->arena, b.data ? b.data : "", b.len);
	kc_buf_done(&b);
	return name;
}

static int keep_sources(struct kc_loader *l, struct kc_profile *profile)
{
	struct kc_source *sources = kc_arena_zalloc(l->arena, l->n_inputs, sizeof(*sources));

	if (!sources)
		return -ENOMEM;
	for (uint32_t i = 0; i < l->n_inputs; i++) {
		const struct kc_input *input = l->inputs + i;

		sources[i].name = kc_arena_strdup(l->arena, input->name);
		sources[i].text = input->text;
		sources[i].size = input->size;
		sources[i].warning = input->warning;
		if (!sources[i].name)
			return -ENOMEM;
	}
	profile->sources = sources;
	profile->n_sources = l->n_inputs;
	return 0;
}

static int keep_variables(struct kc_loader *l, struct kc_profile *profile)
{
	struct kc_variable *variables =
		kc_arena_zalloc(l->arena, l->n_variables, sizeof(*variables));

	if (!variables)
		return -ENOMEM;
	for (uint32_t i = 0; i < l->n_variables; i++) {
		variables[i].name = l->variables[i].name;
		variables[i].value = l->variables[i].value;
		variables[i].origin = l->variables[i].origin;
	}
	profile->variables = variables;
	profile->n_variables = l->n_variables;
	return 0;
}

static int load(struct kc_loader *l, struct kc_profile *profile)
{
	struct kc_where where = { .faults = &l->faults, .order = UINT32_MAX, .option = true };
	int r = 0;

	KC_FOREACH_STR (argument, l->request->profiles) {
		r = kc_loader_profile(l, argument);
		if (r < 0)
			return r;
	}
	r = kc_variables_options(l);
	if (r == 0)
		r = kc_sets_apply(l);
	if (r == 0)
		r = kc_variables_expand(l);
	if (r == 0)
		r = kc_rules_build(l, profile);
	if (r < 0)
		return r;
	profile->title = l->title;
	profile->name = name_of(l);
	if (!profile->name)
		return -ENOMEM;
	if (l->faults.n_errors == 0 && profile->n_rules == 0)
		kc_fault_at(&where, NULL,
			    "the profile %s comes down to no rule at all; nothing would be judged",
			    profile->name);
	r = keep_sources(l, profile);
	if (r < 0)
		return r;
	return keep_variables(l, profile);
}

int kc_profile_load(const struct kc_profile_request *request, struct kc_arena *arena,
		    struct kc_diagnostics *diagnostics, const struct kc_profile **ret_profile)
{
	kc_cleanup(kc_loader_done) struct kc_loader l = { .request = request, .arena = arena };
	struct kc_profile *profile = kc_arena_zalloc(arena, 1, sizeof(*profile));
	int r;

	l.manifests.folder = &l.folder;
	l.manifests.brief = request->brief;
	r = profile ? load(&l, profile) : -ENOMEM;

	if (r == 0 || l.faults.n_errors > 0) {
		int told = kc_faults_tell(&l.faults, diagnostics);

		r = told < 0 ? told : r;
	}
	if (r < 0) {
		kc_buf_addf(&diagnostics->text, "the profile cannot be loaded: %s\n",
			    kc_strerror(r));
		diagnostics->n_errors++;
		return r;
	}
	if (l.faults.n_errors > 0)
		return -EINVAL;
	*ret_profile = profile;
	return 0;
}
