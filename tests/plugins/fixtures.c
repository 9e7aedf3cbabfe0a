/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Runs the fixture cases of one plugin; README.md beside this file has their format.
 * Arguments: folder with manifests, folder of the plugin's cases, name of the plugin.
 */

#include <dirent.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "expect.h"

/* Of one case: everything dies with the world's arena. */
struct fixture {
	struct world world;
	struct kc_host table;
	const char *plugin_dir;
	const struct kc_plugin *plugin;
	const struct kc_manifest *manifest;
	struct kc_memo *memo; /* NULL: without */
	bool repaired; /* what was planned for the next start has been carried out */
	struct kc_fact_value *facts;
	uint32_t n_facts;
	/* what came of it */
	struct kc_result result;
	struct kc_buf steps, got_facts; /* pointers to the arena */
};

/* ---- the rule: through a profile, so that parameters are validated as a user's are ---- */

static void load_rule(struct fixture *f, const char *check)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	const struct kc_yaml_node *with = kc_yaml_get(f->world.yaml, "with");
	const char *plugin_dirs[] = { f->plugin_dir, NULL }, *none[] = { NULL };
	char path[] = "/tmp/k8scheck-case-XXXXXX.yaml";
	const char *profiles[] = { path, NULL };
	const struct kc_profile_request request = {
		.profiles = profiles,
		.profile_dirs = none,
		.plugin_dirs = plugin_dirs,
	};
	struct kc_diagnostics diagnostics = { 0 };
	const struct kc_profile *profile;
	kc_cleanup(kc_closep) int fd = mkstemps(path, 5);
	int r;

	kc_buf_addf(&b, "rules:\n  - id: case\n    check: %s\n    title: a case\n", check);
	if (with) {
		kc_buf_adds(&b, "    with: ");
		world_write_flow(&b, with);
		kc_buf_adds(&b, "\n");
	}
	if (fd < 0 || kc_write_all(fd, b.data, b.len) < 0)
		world_broken(&f->world, path, strerror(errno));
	r = kc_profile_load(&request, &f->world.arena, &diagnostics, &profile);
	(void)unlink(path);
	if (r < 0)
		world_broken(&f->world, check, diagnostics.text.data);
	kc_diagnostics_done(&diagnostics);
	f->world.rule = profile->rules;
	f->manifest = profile->rules->plugin;
}

static void load_facts(struct fixture *f)
{
	const struct kc_yaml_node *facts = kc_yaml_get(f->world.yaml, "facts");

	f->n_facts = facts ? facts->n : 0;
	f->facts = kc_arena_zalloc(&f->world.arena, f->n_facts + 1, sizeof(*f->facts));
	for (uint32_t i = 0; i < f->n_facts; i++) {
		const struct kc_yaml_node *value = facts->pair[i].value;
		bool unknown = kc_streq(value->scalar, "?");

		f->facts[i] = (struct kc_fact_value){
			.name = facts->pair[i].key->scalar,
			.state = kc_yaml_is_null(value) ? KC_FACT_ABSENT
				 : unknown		? KC_FACT_UNKNOWN
							: KC_FACT_KNOWN,
			.value = kc_yaml_is_null(value) || unknown ? NULL : value->scalar,
			.source = "case.yaml",
		};
	}
}

/* ---- what comes back ---- */

static void on_finding(void *context, const struct kc_finding *finding)
{
	struct fixture *f = context;
	struct kc_judgement *j =
		f->result.judgements + (finding->horizon == KC_NOW ? KC_J_NOW : KC_J_BOOT);
	struct kc_result_finding *grown;

	grown = realloc(j->findings, (j->n_findings + 1) * sizeof(*grown));
	if (!grown)
		abort();
	j->findings = grown;
	grown[j->n_findings++] = (struct kc_result_finding){
		.verdict = finding->verdict,
		.subject = world_keep(&f->world, finding->subject),
		.expected = world_keep(&f->world, finding->expected),
		.found = world_keep(&f->world, finding->found),
		.source = world_keep(&f->world, finding->source),
		.message = world_keep(&f->world, finding->message),
		.reason = world_keep(&f->world, finding->reason),
	};
}

/* Facts and steps are kept as lines of fields, one field a text of its own, ended by NUL. */
static void on_fact(void *context, const struct kc_fact *fact)
{
	struct fixture *f = context;
	struct kc_fact_value *v = kc_arena_alloc(&f->world.arena, sizeof(*v));

	*v = (struct kc_fact_value){
		.name = world_keep(&f->world, fact->name),
		.state = fact->state,
		.value = world_keep(&f->world, fact->value),
		.source = world_keep(&f->world, fact->source),
	};
	kc_buf_add(&f->got_facts, &v, sizeof(v));
}

static void on_step(void *context, const struct kc_step *step)
{
	struct fixture *f = context;
	struct kc_step *copy = kc_arena_alloc(&f->world.arena, sizeof(*copy));

	*copy = *step;
	copy->target = world_keep(&f->world, step->target);
	copy->content =
		step->content ? kc_arena_memdup(&f->world.arena, step->content, step->content_size)
			      : NULL;
	copy->before = step->before
			       ? kc_arena_memdup(&f->world.arena, step->before, step->before_size)
			       : NULL;
	copy->why = world_keep(&f->world, step->why);
	kc_buf_add(&f->steps, &copy, sizeof(copy));
}

/* ---- one case ---- */

static uint32_t horizons_of(struct fixture *f)
{
	const struct kc_yaml_node *list = kc_yaml_get(f->world.yaml, "horizons");
	uint32_t horizons = 0;

	if (!f->world.rule)
		return 0;
	for (uint32_t i = 0; list && i < list->n; i++)
		horizons |= kc_streq(list->item[i]->scalar, "now") ? KC_NOW : KC_BOOT;
	if (!list)
		horizons = KC_NOW | KC_BOOT;
	if (!f->world.live || f->repaired)
		horizons &= ~(uint32_t)KC_NOW;
	if (!(f->world.rule->check->flags & KC_CHECK_NOW))
		horizons &= ~(uint32_t)KC_NOW;
	if (!(f->world.rule->check->flags & KC_CHECK_BOOT))
		horizons &= ~(uint32_t)KC_BOOT;
	return horizons;
}

static void init_run(struct fixture *f, const struct kc_root *root, struct kc_run *run)
{
	*run = (struct kc_run){
		.root = root,
		.rule = f->world.rule,
		.plugin = f->manifest,
		.facts = f->facts,
		.n_facts = f->n_facts,
		.horizons = horizons_of(f),
		.deadline_usec = kc_now_usec() + 20000000,
		.ask = world_ask,
		.ask_context = &f->world,
		.memo = f->memo,
		.sink = { .context = f, .finding = on_finding, .fact = on_fact, .step = on_step },
	};
}

static void run_check(struct fixture *f, const struct kc_check *check, void *state,
		      const struct kc_root *root)
{
	bool plan = kc_yaml_get(kc_yaml_get(f->world.yaml, "expect"), "steps");
	struct kc_run run;
	int r;

	init_run(f, root, &run);
	r = check->run(state, &f->table, &run);
	if (r < 0)
		world_complain(&f->world, "run() returned %d (%s): %s", r, kc_strerror(r), run.why);
	if (run.refused)
		world_complain(&f->world, "what it handed in was refused: %s", run.why);
	if (run.reported != run.horizons)
		world_complain(&f->world, "it was asked for horizons %u and judged %u",
			       run.horizons, run.reported);
	kc_run_done(&run);
	if (!plan)
		return;
	init_run(f, root, &run);
	run.planning = true;
	r = check->plan ? check->plan(state, &f->table, &run) : -ENOSYS;
	if (r < 0)
		world_complain(&f->world, "plan() returned %d (%s): %s", r, kc_strerror(r),
			       run.why);
	kc_run_done(&run);
}

static void run_gather(struct fixture *f, void *state, const struct kc_root *root)
{
	struct kc_run run;

	for (uint32_t i = 0; i < f->plugin->n_facts; i++) {
		int r;

		init_run(f, root, &run);
		run.gathering = true;
		r = f->plugin->facts[i]->gather(state, &f->table, &run);
		if (r < 0)
			world_complain(&f->world, "gather() returned %d (%s): %s", r,
				       kc_strerror(r), run.why);
		if (run.refused)
			world_complain(&f->world, "what it handed in was refused: %s", run.why);
		kc_run_done(&run);
	}
}

static void compare(struct fixture *f)
{
	struct kc_result *result = &f->result;

	kc_result_conclude(result);
	expect_judgement(&f->world, "now", result->judgements + KC_J_NOW);
	expect_judgement(&f->world, "boot", result->judgements + KC_J_BOOT);
	expect_steps(&f->world, (const void *)f->steps.data, f->steps.len / sizeof(void *));
	expect_facts(&f->world, kc_yaml_get(kc_yaml_get(f->world.yaml, "expect"), "facts"),
		     (const void *)f->got_facts.data, f->got_facts.len / sizeof(void *));
	world_settle(&f->world);
}

/* What is not a failure any more, and wants no further step, has been repaired. */
static void compare_repaired(struct fixture *f)
{
	struct kc_judgement *boot = &f->result.judgements[KC_J_BOOT];
	const struct kc_step *const *steps = (const void *)f->steps.data;

	for (uint32_t i = 0; i < boot->n_findings; i++)
		if (boot->findings[i].verdict == KC_FAIL)
			world_complain(&f->world, "fails after its repair: %s, %s (%s)",
				       expect_shown(boot->findings[i].subject),
				       expect_shown(boot->findings[i].found),
				       expect_shown(boot->findings[i].source));
	for (size_t i = 0; i < f->steps.len / sizeof(*steps); i++)
		if (steps[i]->horizon == KC_BOOT)
			world_complain(&f->world, "a second plan has a step for %s",
				       expect_shown(steps[i]->target));
}

static void forget(struct fixture *f)
{
	for (unsigned j = 0; j < KC_J_MAX; j++)
		free(f->result.judgements[j].findings);
	f->result = (struct kc_result){ 0 };
	kc_buf_done(&f->steps);
	kc_buf_done(&f->got_facts);
	world_rewind(&f->world);
}

/* As workers have it, and what stands for old kernels without a memo, too: verdicts are the same.
 */
static void run_once(struct fixture *f, unsigned root_flags)
{
	const char *check = world_scalar(f->world.yaml, "check");
	kc_cleanup(kc_memo_done) struct kc_memo memo = { 0 };
	kc_cleanup(kc_root_freep) struct kc_root *root = NULL;
	struct kc_err err = { 0 };
	struct kc_run run;
	void *state = NULL;

	f->memo = root_flags & KC_ROOT_NO_OPENAT2 ? NULL : &memo;
	root_flags |= f->world.live ? KC_ROOT_LIVE : 0;
	if (kc_root_open(f->world.root, root_flags, &err, &root) < 0)
		world_broken(&f->world, f->world.root, err.text);
	init_run(f, root, &run);
	if (f->plugin->open && f->plugin->open(&f->table, &run, &state) < 0)
		world_complain(&f->world, "open() failed: %s", run.why);
	kc_run_done(&run);
	if (check && !plugin_check(f->plugin, check))
		world_broken(&f->world, check, "the plugin has no such check");
	if (check)
		run_check(f, plugin_check(f->plugin, check), state, root);
	else
		run_gather(f, state, root);
	if (f->plugin->close)
		f->plugin->close(state);
	if (f->repaired)
		compare_repaired(f);
	else
		compare(f);
}

static bool run_case(const char *plugin_dir, const char *dir, const char *name,
		     const struct kc_plugin *plugin)
{
	struct fixture f = { .plugin_dir = plugin_dir, .plugin = plugin };
	struct kc_err err = { 0 };
	unsigned failures;

	world_open(&f.world, dir, name, "case.yaml");
	world_host_table(&f.table);
	if (world_scalar(f.world.yaml, "check")) {
		load_rule(&f, world_scalar(f.world.yaml, "check"));
	} else {
		const char *dirs[] = { plugin_dir, NULL };
		struct kc_manifest_cache cache = { 0 };

		if (kc_manifest_load(dirs, plugin->name, &cache, &f.world.arena, &err,
				     &f.manifest) < 0)
			world_broken(&f.world, plugin->name, err.text);
	}
	load_facts(&f);
	run_once(&f, 0);
	forget(&f);
	run_once(&f, KC_ROOT_NO_OPENAT2);
	if (f.world.tmp[0] && f.world.failures == 0 &&
	    expect_apply(&f.world, (const void *)f.steps.data, f.steps.len / sizeof(void *))) {
		forget(&f);
		f.repaired = true;
		run_once(&f, 0);
	}
	forget(&f);
	failures = f.world.failures;
	world_close(&f.world);
	return failures == 0;
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	unsigned passed = 0, failed = 0;
	const struct kc_plugin *plugin;
	struct dirent **names = NULL;
	int n;

	if (argc < 4) {
		(void)fprintf(stderr, "usage: fixtures MANIFESTS CASES PLUGIN [CASE]\n");
		return 2;
	}
	plugin = linked_plugin(argv[3]);
	n = plugin ? scandir(argv[2], &names, visible, alphasort) : -1;
	if (n < 0) {
		(void)printf("%s: no such plugin, or no cases in %s\n", argv[3], argv[2]);
		return 1;
	}
	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;

		if (argc < 5 || kc_streq(argv[4], name)) {
			bool ok = run_case(argv[1], argv[2], name, plugin);

			(void)printf("%s %s\n", ok ? "ok" : "not ok", name);
			passed += ok;
			failed += !ok;
		}
		free(names[i]);
	}
	free(names);
	(void)printf("%s: %u cases passed, %u failed\n", argv[3], passed, failed);
	return failed > 0 || passed == 0;
}
