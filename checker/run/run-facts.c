/* SPDX-License-Identifier: Apache-2.0 */

#include "run-internal.h"

enum {
	FACTS_SIZE_MAX = 4 * 1024 * 1024, /* of all texts: each worker gets all facts in a frame */
};

void kc_run_set_fact(struct kc_running *run, const struct kc_member *m, const char *name,
		     uint32_t state, const char *value, const char *source)
{
	const struct kc_manifest *manifest = m->manifest;
	struct kc_fact_value *fact = NULL;

	for (uint32_t i = 0; i < manifest->n_facts; i++) {
		if (kc_streq(manifest->facts[i].name, name))
			name = manifest->facts[i].name;
	}
	for (uint32_t i = 0; i < run->n_facts; i++) {
		/* The manifests' own strings, so that what no manifest lists finds nothing. */
		if (run->facts[i].name == name)
			fact = run->facts + i;
	}
	if (!fact)
		return;
	fact->state = state;
	fact->value = kc_judge_text(&run->judge, value);
	fact->source = kc_judge_text(&run->judge, source);
}

void kc_run_excuse_facts(struct kc_running *run, const struct kc_member *m, const char *why)
{
	const struct kc_manifest *manifest = m->manifest;

	for (uint32_t i = 0; i < run->n_facts; i++) {
		for (uint32_t k = 0; k < manifest->n_facts; k++) {
			if (run->facts[i].name == manifest->facts[k].name && !run->facts[i].source)
				run->facts[i].source = kc_judge_text(&run->judge, why);
		}
	}
}

void kc_run_excuse_orphans(struct kc_running *run)
{
	for (uint32_t i = 0; i < run->config->profile->n_rules; i++) {
		if (!run->judge.settled[i] &&
		    kc_config_plugin(run->config, run->config->profile->rules[i].plugin) < 0)
			kc_judge_error(&run->judge, i, "its plugin is not there");
	}
}

void kc_run_bound_facts(struct kc_running *run)
{
	size_t size = 0;

	for (uint32_t i = 0; i < run->n_facts; i++) {
		struct kc_fact_value *f = run->facts + i;

		size += (f->value ? strlen(f->value) : 0) + (f->source ? strlen(f->source) : 0);
		if (size > FACTS_SIZE_MAX) {
			f->state = KC_FACT_UNKNOWN;
			f->value = NULL;
			f->source = "there is more to the facts than a run can hold";
		}
	}
}

int kc_run_list_facts(struct kc_running *run)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < run->config->n_plugins; i++)
		n += run->config->plugins[i].manifest->n_facts;
	run->facts = kc_arena_zalloc(run->arena, (size_t)n + 1, sizeof(*run->facts));
	if (!run->facts)
		return -ENOMEM;
	for (uint32_t i = 0; i < run->config->n_plugins; i++) {
		const struct kc_manifest *manifest = run->config->plugins[i].manifest;

		for (uint32_t k = 0; k < manifest->n_facts; k++)
			run->facts[run->n_facts++] = (struct kc_fact_value){
				.name = manifest->facts[k].name,
				.state = KC_FACT_UNKNOWN,
			};
	}
	return 0;
}
