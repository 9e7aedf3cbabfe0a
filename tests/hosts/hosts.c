/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Judges a fixture host by a whole profile; README.md beside this file has the format.
 * Arguments: folder with manifests, folder of profiles, folder of hosts, name of the host; with
 * --got behind them it prints what came, as `expect` has it, and compares nothing.
 */

#include <stdio.h>

#include "base/clock.h"
#include "base/num.h"
#include "expect.h"
#include "model/report.h"
#include "run/judge.h"
#include "verdicts.h"

enum {
	RULE_USEC = 20 * 1000 * 1000,
	PLUGINS_MAX = 256,
};

struct fixture_host {
	struct world world;
	struct kc_host table;
	const char *plugin_dir, *profile_dir;
	const struct kc_profile *profile;
	struct kc_run_config config;
	/* of one pass over the profile */
	const struct kc_root *root;
	struct kc_judge judge;
	uint32_t rule; /* index of the one that is judged */
	struct kc_fact_value *facts;
	uint32_t n_facts;
	struct kc_buf got_facts; /* pointers to them */
	void *states[PLUGINS_MAX]; /* as linked_plugins[] */
	bool opened[PLUGINS_MAX];
};

/* ---- the profile ---- */

static const char **read_vars(struct world *w)
{
	const struct kc_yaml_node *vars = kc_yaml_get(w->yaml, "vars");
	uint32_t n = vars ? vars->n : 0;
	const char **list = kc_arena_zalloc(&w->arena, n + 1, sizeof(*list));

	if (!list)
		abort();
	for (uint32_t i = 0; i < n; i++)
		list[i] = world_text(w, "%s=%s", vars->pair[i].key->scalar,
				     vars->pair[i].value->scalar);
	return list;
}

static void load_profile(struct fixture_host *h)
{
	const char *name = world_scalar(h->world.yaml, "profile");
	const char *profiles[] = { name, NULL }, *profile_dirs[] = { h->profile_dir, NULL };
	const char *plugin_dirs[] = { h->plugin_dir, NULL };
	const struct kc_profile_request request = {
		.profiles = profiles,
		.vars = read_vars(&h->world),
		.profile_dirs = profile_dirs,
		.plugin_dirs = plugin_dirs,
	};
	struct kc_diagnostics diagnostics = { 0 };

	if (!name)
		world_broken(&h->world, "host.yaml", "it names no profile");
	if (kc_profile_load(&request, &h->world.arena, &diagnostics, &h->profile) < 0)
		world_broken(&h->world, name, diagnostics.text.data);
	kc_diagnostics_done(&diagnostics);
	h->config = (struct kc_run_config){
		.profile = h->profile,
		.root = h->world.root,
		.live = h->world.live,
		.horizons = KC_NOW | KC_BOOT,
		.offline_reason = "the root is looked at offline",
	};
}

/* ---- what plugins hand in ---- */

static void on_finding(void *context, const struct kc_finding *finding)
{
	struct fixture_host *h = context;

	kc_judge_finding(&h->judge, h->rule, finding);
}

static void on_fact(void *context, const struct kc_fact *fact)
{
	struct fixture_host *h = context;

	for (uint32_t i = 0; i < h->n_facts; i++) {
		if (!kc_streq(h->facts[i].name, fact->name))
			continue;
		h->facts[i].state = fact->state;
		h->facts[i].value = world_keep(&h->world, fact->value);
		h->facts[i].source = world_keep(&h->world, fact->source);
	}
}

static void init_run(struct fixture_host *h, const struct kc_manifest *manifest,
		     const struct kc_rule *rule, struct kc_run *run)
{
	*run = (struct kc_run){
		.root = h->root,
		.rule = rule,
		.plugin = manifest,
		.facts = h->facts,
		.n_facts = h->n_facts,
		.horizons = rule ? kc_config_horizons(&h->config, rule) : 0,
		.deadline_usec = kc_now_usec() + RULE_USEC,
		.ask = world_ask,
		.ask_context = &h->world,
		.sink = { .context = h, .finding = on_finding, .fact = on_fact },
	};
	h->world.rule = rule;
}

/* ---- plugins: opened once, before the first that they are asked ---- */

static const struct kc_plugin *open_plugin(struct fixture_host *h,
					   const struct kc_manifest *manifest, void **ret_state)
{
	struct kc_run run;
	size_t i = 0;

	while (linked_plugins[i] && !kc_streq(linked_plugins[i]->name, manifest->name))
		i++;
	if (!linked_plugins[i] || i >= PLUGINS_MAX)
		world_broken(&h->world, manifest->name, "this plugin is not linked into the test");
	if (!h->opened[i] && linked_plugins[i]->open) {
		init_run(h, manifest, NULL, &run);
		if (linked_plugins[i]->open(&h->table, &run, &h->states[i]) < 0)
			world_broken(&h->world, manifest->name, run.why);
		kc_run_done(&run);
	}
	h->opened[i] = true;
	*ret_state = h->states[i];
	return linked_plugins[i];
}

static void close_plugins(struct fixture_host *h)
{
	for (size_t i = 0; linked_plugins[i]; i++) {
		if (h->opened[i] && linked_plugins[i]->close)
			linked_plugins[i]->close(h->states[i]);
		h->opened[i] = false;
		h->states[i] = NULL;
	}
}

/* ---- facts ---- */

/* Facts begin as unknown, as in the program. */
static void list_facts(struct fixture_host *h, const struct kc_manifest *manifest)
{
	uint32_t n = h->n_facts + manifest->n_facts;
	struct kc_fact_value *facts = kc_arena_zalloc(&h->world.arena, n, sizeof(*facts));

	if (!facts)
		abort();
	if (h->n_facts > 0)
		memcpy(facts, h->facts, h->n_facts * sizeof(*facts));
	for (uint32_t i = 0; i < manifest->n_facts; i++)
		facts[h->n_facts + i] = (struct kc_fact_value){
			.name = manifest->facts[i].name,
			.state = KC_FACT_UNKNOWN,
		};
	h->facts = facts;
	h->n_facts = n;
}

static void gather_from(struct fixture_host *h, const struct kc_manifest *manifest)
{
	const struct kc_plugin *plugin;
	void *state;

	list_facts(h, manifest);
	plugin = open_plugin(h, manifest, &state);
	for (uint32_t i = 0; i < plugin->n_facts; i++) {
		struct kc_run run;
		int r;

		init_run(h, manifest, NULL, &run);
		run.gathering = true;
		run.source = plugin->facts[i];
		r = plugin->facts[i]->gather(state, &h->table, &run);
		if (r < 0 || run.refused)
			world_complain(&h->world, "facts of %s: %s", plugin->name, run.why);
		kc_run_done(&run);
	}
}

/* By every plugin that gathers any, as the program does it. */
static void gather(struct fixture_host *h)
{
	const char *dirs[] = { h->plugin_dir, NULL };

	for (size_t i = 0; linked_plugins[i]; i++) {
		struct kc_manifest_cache cache = { 0 };
		const struct kc_manifest *manifest;
		struct kc_err err = { 0 };

		if (linked_plugins[i]->n_facts == 0)
			continue;
		if (kc_manifest_load(dirs, linked_plugins[i]->name, &cache, &h->world.arena, &err,
				     &manifest) < 0)
			world_broken(&h->world, linked_plugins[i]->name, err.text);
		gather_from(h, manifest);
	}
}

/* ---- rules ---- */

static void run_rule(struct fixture_host *h, uint32_t index)
{
	const struct kc_rule *rule = h->profile->rules + index;
	const struct kc_plugin *plugin;
	struct kc_run run;
	void *state;
	int r;

	if (h->judge.settled[index])
		return;
	h->rule = index;
	plugin = open_plugin(h, rule->plugin, &state);
	init_run(h, rule->plugin, rule, &run);
	r = plugin_check(plugin, rule->check->id)->run(state, &h->table, &run);
	if (run.refused)
		world_complain(&h->world, "rule %s: what it handed in was refused: %s", rule->id,
			       run.refusal);
	kc_judge_settle(&h->judge, index, KC_MIN(r, 0), r < 0 ? run.why : NULL, 0);
	kc_run_done(&run);
	h->world.rule = NULL;
}

static void compare_exit(struct fixture_host *h)
{
	const char *text = world_scalar(h->world.yaml, "exit");
	struct kc_report report = {
		.profile = h->profile,
		.results = h->judge.results,
		.n_results = h->profile->n_rules,
	};
	uint64_t code = 0;

	if (!text)
		return;
	kc_report_conclude(&report);
	if (kc_parse_u64(text, &code) < 0)
		world_broken(&h->world, "exit", text);
	if (code != report.summary.exit_code)
		world_complain(&h->world, "the exit code is %u, expected %s",
			       report.summary.exit_code, text);
}

static void compare(struct fixture_host *h)
{
	for (uint32_t i = 0; i < h->n_facts; i++) {
		const struct kc_fact_value *fact = h->facts + i;

		kc_buf_add(&h->got_facts, &fact, sizeof(fact));
	}
	expect_facts(&h->world, kc_yaml_get(h->world.yaml, "facts"),
		     (const void *)h->got_facts.data, h->n_facts);
	kc_buf_done(&h->got_facts);
	verdicts_compare(&h->world, h->profile, h->judge.results);
	compare_exit(h);
	world_settle(&h->world);
}

static void print(struct fixture_host *h)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };

	verdicts_write(&text, h->profile, h->judge.results);
	(void)printf("%s", text.data ? text.data : "");
	if (h->world.unanswered.len > 0)
		(void)printf("# not answered:\n%s", h->world.unanswered.data);
	kc_buf_done(&h->world.unanswered);
}

static void judge_all(struct fixture_host *h, unsigned root_flags, bool got)
{
	kc_cleanup(kc_root_freep) struct kc_root *root = NULL;
	struct kc_err err = { 0 };

	root_flags |= h->world.live ? KC_ROOT_LIVE : 0;
	if (kc_root_open(h->world.root, root_flags, &err, &root) < 0)
		world_broken(&h->world, h->world.root, err.text);
	h->root = root;
	h->facts = NULL;
	h->n_facts = 0;
	if (kc_judge_init(&h->judge, &h->config, &h->world.arena) < 0)
		abort();
	kc_judge_scope(&h->judge);
	gather(h);
	kc_judge_conditions(&h->judge, h->facts, h->n_facts);
	for (uint32_t i = 0; i < h->profile->n_rules; i++)
		run_rule(h, i);
	close_plugins(h);
	if (got)
		print(h);
	else
		compare(h);
	kc_judge_done(&h->judge);
	world_rewind(&h->world);
}

int main(int argc, char **argv)
{
	bool got = argc == 6 && kc_streq(argv[5], "--got");
	struct fixture_host h = { 0 };
	unsigned failures;

	if (argc != 5 && !got) {
		(void)fprintf(stderr, "usage: hosts MANIFESTS PROFILES HOSTS HOST [--got]\n");
		return 2;
	}
	world_open(&h.world, argv[3], argv[4], "host.yaml");
	h.plugin_dir = argv[1];
	h.profile_dir = argv[2];
	world_host_table(&h.table);
	load_profile(&h);
	if (got)
		h.world.prefix = "# ";
	judge_all(&h, 0, got);
	/* What the first pass complains of, the second one would once more. */
	if (!got && h.world.failures == 0)
		judge_all(&h, KC_ROOT_NO_OPENAT2, false);
	failures = h.world.failures;
	(void)printf("%s%s: %u rules\n", got ? "# " : (failures ? "not ok " : "ok "), h.world.name,
		     h.profile->n_rules);
	world_close(&h.world);
	return failures > 0 && !got;
}
