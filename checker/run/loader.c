/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <stdio.h>

#include "loader.h"

/* The size of a structure up to and with a member. */
#define SIZE_WITH(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

enum {
	CHECKS_MAX = 1024,
	/* What ABI 1.0 has, and what is read here without asking; smaller ones there never were. */
	PLUGIN_SIZE_MIN = SIZE_WITH(struct kc_plugin, close),
	CHECK_SIZE_MIN = SIZE_WITH(struct kc_check, plan),
	PARAM_SIZE_MIN = SIZE_WITH(struct kc_param, reserved),
	FACT_SOURCE_SIZE_MIN = SIZE_WITH(struct kc_fact_source, gather),
};

static int disagree(const struct kc_manifest *manifest, struct kc_err *err, const char *what,
		    const char *which)
{
	return kc_err_set(err, -EINVAL,
			  "plugin %s disagrees with its manifest %s: %s %s; build the two together",
			  manifest->name, manifest->file, what, which);
}

static int compare_param(const struct kc_param *param, const struct kc_manifest_param *want,
			 const struct kc_manifest *manifest, struct kc_err *err)
{
	if (param->size < PARAM_SIZE_MIN || !param->name || !kc_streq(param->name, want->name))
		return disagree(manifest, err, "another parameter stands in the place of",
				want->name);
	if (param->type != want->type || (param->required != 0) != want->required)
		return disagree(manifest, err, "another type has the parameter", want->name);
	return 0;
}

static int compare_check(const struct kc_check *check, const struct kc_manifest *manifest,
			 struct kc_err *err)
{
	const struct kc_manifest_check *want;
	int r;

	if (!check || check->size < CHECK_SIZE_MIN || !check->id || !check->run)
		return disagree(manifest, err, "a check is incomplete in", manifest->name);
	want = kc_manifest_check(manifest, check->id);
	if (!want)
		return disagree(manifest, err, "the manifest lacks the check", check->id);
	if (check->flags != want->flags)
		return disagree(manifest, err, "other flags has the check", check->id);
	if (check->n_params != want->n_params || (check->n_params > 0 && !check->params))
		return disagree(manifest, err, "another number of parameters has the check",
				check->id);
	for (uint32_t i = 0; i < check->n_params; i++) {
		r = check->params[i]
			    ? compare_param(check->params[i], want->params + i, manifest, err)
			    : disagree(manifest, err, "no parameter in", check->id);
		if (r < 0)
			return r;
	}
	if (check->n_reasons != want->n_reasons || (check->n_reasons > 0 && !check->reasons))
		return disagree(manifest, err, "other reasons to skip has the check", check->id);
	for (uint32_t i = 0; i < check->n_reasons; i++) {
		if (!check->reasons[i] || !kc_streq(check->reasons[i], want->reasons[i].id))
			return disagree(manifest, err, "other reasons to skip has the check",
					check->id);
	}
	return 0;
}

static bool lists_fact(const struct kc_manifest *manifest, const char *name)
{
	for (uint32_t i = 0; name && i < manifest->n_facts; i++) {
		if (kc_streq(manifest->facts[i].name, name))
			return true;
	}
	return false;
}

static int compare_facts(const struct kc_plugin *plugin, const struct kc_manifest *manifest,
			 struct kc_err *err)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < plugin->n_facts; i++) {
		const struct kc_fact_source *source = plugin->facts ? plugin->facts[i] : NULL;

		if (!source || source->size < FACT_SOURCE_SIZE_MIN || !source->gather ||
		    (source->n_names > 0 && !source->names))
			return disagree(manifest, err, "a source of facts is incomplete in",
					manifest->name);
		n += source->n_names;
		for (uint32_t k = 0; k < source->n_names && n <= manifest->n_facts; k++) {
			if (!lists_fact(manifest, source->names[k]))
				return disagree(manifest, err, "the manifest lacks a fact of",
						manifest->name);
		}
	}
	if (n != manifest->n_facts)
		return disagree(manifest, err, "another number of facts has", manifest->name);
	return 0;
}

int kc_plugin_compare(const struct kc_plugin *plugin, const struct kc_manifest *manifest,
		      struct kc_err *err)
{
	int r;

	if (plugin->magic != KC_PLUGIN_MAGIC || plugin->abi_major != KC_ABI_MAJOR)
		return kc_err_set(err, -EINVAL, "plugin %s is built for another ABI",
				  manifest->name);
	if (plugin->size < PLUGIN_SIZE_MIN || !plugin->name || !plugin->version ||
	    plugin->n_checks > CHECKS_MAX || plugin->n_facts > CHECKS_MAX ||
	    (plugin->n_checks > 0 && !plugin->checks))
		return disagree(manifest, err, "it is incomplete:", "kc_plugin");
	if (!kc_streq(plugin->name, manifest->name))
		return disagree(manifest, err, "it calls itself", plugin->name);
	if (!kc_streq(plugin->version, manifest->version))
		return disagree(manifest, err, "it is of version", plugin->version);
	if (plugin->n_checks != manifest->n_checks)
		return disagree(manifest, err, "another number of checks has", plugin->name);
	for (uint32_t i = 0; i < plugin->n_checks; i++) {
		r = compare_check(plugin->checks[i], manifest, err);
		if (r < 0)
			return r;
	}
	return compare_facts(plugin, manifest, err);
}

int kc_plugin_load(const char *name, const char *path, int fd, struct kc_err *err,
		   enum kc_refusal *ret_refusal, const struct kc_plugin **ret_plugin)
{
	const struct kc_plugin *plugin;
	char link[64];
	void *handle;

	/* The file that was vetted, whatever its name means by now. The descriptor stays open,
	 * since the loader takes an equal name for the same object. */
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	handle = dlopen(link, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!handle) {
		const char *why = dlerror();

		*ret_refusal = KC_REFUSED_UNLOADABLE;
		return kc_err_set(err, -ELIBACC, "plugin %s (%s) cannot be loaded: %s", name, path,
				  why ? why : "no reason given");
	}
	*ret_refusal = KC_REFUSED_UNFIT;
	plugin = dlsym(handle, "kc_plugin");
	if (!plugin)
		return kc_err_set(err, -EINVAL, "%s exports no kc_plugin", path);
	*ret_plugin = plugin;
	return 0;
}

const struct kc_check *kc_plugin_check(const struct kc_plugin *plugin, const char *id)
{
	for (uint32_t i = 0; i < plugin->n_checks; i++) {
		if (kc_streq(plugin->checks[i]->id, id))
			return plugin->checks[i];
	}
	return NULL;
}
