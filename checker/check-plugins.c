/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

static bool is_needed(const struct kc_check_run *c, const char *name)
{
	for (uint32_t i = 0; i < c->profile->n_rules; i++) {
		const struct kc_rule *rule = c->profile->rules + i;

		if (rule->selected && kc_streq(rule->plugin->name, name))
			return true;
	}
	return false;
}

static bool take_early(struct kc_check_run *c, const struct kc_manifest *manifest)
{
	for (size_t i = 0; i < c->n_early; i++) {
		if (c->early[i].manifest == manifest) {
			c->plugins[c->n_plugins++] = c->early[i];
			c->early[i] = c->early[--c->n_early];
			return true;
		}
	}
	return false;
}

static void open_plugin(struct kc_check_run *c, const struct kc_manifest *manifest, int *worst)
{
	struct kc_err err = { 0 };

	if (take_early(c, manifest))
		return;
	if (kc_plugin_file_open(manifest, &c->folder, &err, c->plugins + c->n_plugins) < 0)
		*worst = kc_complain(KC_EXIT_USAGE, "plugin %s is refused: %s", manifest->name,
				     err.text);
	else
		c->n_plugins++;
}

/* The manifest that the profile has read already, or NULL. */
static const struct kc_manifest *of_profile(const struct kc_check_run *c, const char *name)
{
	for (uint32_t i = 0; i < c->profile->n_plugins; i++) {
		if (kc_streq(c->profile->plugins[i]->name, name))
			return c->profile->plugins[i];
	}
	return NULL;
}

static void open_gatherers(struct kc_check_run *c, const char *const *names, int *worst)
{
	struct kc_manifest_cache cache = { .folder = &c->folder, .brief = true };
	struct kc_err err = { 0 };

	for (const struct kc_manifest *const *m = c->profile->gatherers; m && *m; m++) {
		if (!is_needed(c, (*m)->name) && c->n_plugins < c->max_plugins)
			open_plugin(c, *m, worst);
	}
	if (c->profile->gatherers)
		return;
	KC_FOREACH_STR (name, names) {
		const struct kc_manifest *manifest = of_profile(c, name);

		if (is_needed(c, name) ||
		    (!manifest &&
		     !kc_manifest_may_gather(c->command->paths.plugins, name, &cache, c->arena)))
			continue;
		if (!manifest && kc_manifest_load(c->command->paths.plugins, name, &cache, c->arena,
						  &err, &manifest) < 0) {
			*worst = kc_complain(KC_EXIT_USAGE, "%s", err.text);
			continue;
		}
		if (manifest->n_facts > 0 && c->n_plugins < c->max_plugins)
			open_plugin(c, manifest, worst);
	}
}

static bool selects(const struct kc_options *o)
{
	return o->rules.n > 0 || o->skips.n > 0 || o->stages.n > 0 || o->tags.n > 0;
}

/* What goes wrong here is told when all plugins are opened. */
static void load_early(struct kc_check_run *c, const struct kc_manifest *plugin)
{
	struct kc_plugin_file file;
	void *grown;

	grown = kc_arena_grow(c->arena, c->early, c->n_early, &c->early_room, sizeof(*c->early));
	if (!grown)
		return;
	c->early = grown;
	if (kc_plugin_file_open(plugin, &c->folder, NULL, &file) < 0)
		return;
	c->early[c->n_early++] = file;
	(void)kc_crew_expect(&c->crew, &file);
}

void kc_check_on_need(void *context, const struct kc_manifest *plugin, const struct kc_rule *rule,
		      bool first)
{
	struct kc_check_run *c = context;

	if (selects(c->options))
		return;
	if (first)
		load_early(c, plugin);
	if (!c->asks_bus && rule && rule->check->asks_bus &&
	    (kc_config_horizons(&c->config, rule) & KC_NOW)) {
		kc_broker_expect_bus(&c->crew.broker);
		c->asks_bus = true;
	}
}

int kc_check_open_plugins(struct kc_check_run *c)
{
	const char *const *names;
	struct kc_err err = { 0 };
	int worst = 0;

	if (kc_profile_names(c->command->paths.plugins, c->arena, &err, &names) < 0)
		return kc_complain(KC_EXIT_USAGE, "%s", err.text);
	c->max_plugins = c->profile->n_plugins + (uint32_t)kc_strv_len(names);
	c->plugins = kc_arena_zalloc(c->arena, c->max_plugins + 1, sizeof(*c->plugins));
	if (!c->plugins)
		return kc_complain(KC_EXIT_USAGE, "out of memory");
	for (uint32_t i = 0; i < c->profile->n_plugins; i++) {
		if (is_needed(c, c->profile->plugins[i]->name))
			open_plugin(c, c->profile->plugins[i], &worst);
	}
	open_gatherers(c, names, &worst);
	return worst;
}

void kc_check_plugins_done(struct kc_check_run *c)
{
	kc_trust_folder_done(&c->folder);
	for (uint32_t i = 0; i < c->n_plugins; i++)
		kc_plugin_file_done(c->plugins + i);
	for (size_t i = 0; i < c->n_early; i++)
		kc_plugin_file_done(c->early + i);
}
