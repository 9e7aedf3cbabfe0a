/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fdio.h"
#include "runtime.h"

#ifdef KC_WITH_KMOD
#include <libkmod.h>
#include <sys/utsname.h>
#endif

static const char *const loaded = "loaded";

#ifdef KC_WITH_KMOD
static void unref(struct kmod_ctx **ctx)
{
	(void)kmod_unref(*ctx);
}

static void unref_list(struct kmod_list **list)
{
	(void)kmod_module_unref_list(*list);
}

/* Silent: what it would say on standard error is in the return value. */
static void no_log(void *data, int priority, const char *file, int line, const char *fn,
		   const char *format, va_list args)
{
}

/* Modules and their settings of the system that is repaired; from a container not the own ones. */
static struct kmod_ctx *open_modules(struct kc_fix *fix)
{
	const char *root = kc_root_path(fix->root), *dir, *paths[4] = { NULL };
	struct utsname name;

	if (kc_streq(root, "/"))
		return kmod_new(NULL, NULL);
	if (uname(&name) < 0)
		return NULL;
	dir = kc_arena_printf(fix->arena, "%s/lib/modules/%s", root, name.release);
	paths[0] = kc_arena_printf(fix->arena, "%s/etc/modprobe.d", root);
	paths[1] = kc_arena_printf(fix->arena, "%s/run/modprobe.d", root);
	paths[2] = kc_arena_printf(fix->arena, "%s/lib/modprobe.d", root);
	return dir && paths[0] && paths[1] && paths[2] ? kmod_new(dir, paths) : NULL;
}

static int find(struct kmod_ctx *ctx, const char *target, struct kc_err *err,
		struct kmod_list **ret_list)
{
	int r;

	if (!ctx)
		return kc_err_set(err, -ENOMEM, "libkmod cannot be used");
	kmod_set_log_fn(ctx, no_log, NULL);
	r = kmod_module_new_from_lookup(ctx, target, ret_list);
	if (r < 0)
		return kc_err_set(err, r, "module %s cannot be looked for: %s", target,
				  kc_strerror(r));
	if (!*ret_list)
		return kc_err_set(err, -ENOENT, "there is no module %s for the running kernel",
				  target);
	return 0;
}

static int get(struct kc_fix *fix, const char *target, const char *content, struct kc_err *err,
	       const char **ret_value)
{
	kc_cleanup(unref) struct kmod_ctx *ctx = open_modules(fix);
	kc_cleanup(unref_list) struct kmod_list *list = NULL;
	struct kmod_module *module;
	int state, r = find(ctx, target, err, &list);

	if (r < 0)
		return r;
	module = kmod_module_get_module(list);
	state = kmod_module_get_initstate(module);
	(void)kmod_module_unref(module);
	*ret_value =
		state == KMOD_MODULE_BUILTIN || state == KMOD_MODULE_LIVE ? loaded : "not loaded";
	return 0;
}

static int set(struct kc_fix *fix, const char *target, const char *content, const char *value,
	       struct kc_err *err)
{
	kc_cleanup(unref) struct kmod_ctx *ctx = open_modules(fix);
	kc_cleanup(unref_list) struct kmod_list *list = NULL;
	struct kmod_list *item;
	int r = find(ctx, target, err, &list);

	if (r < 0)
		return r;
	kmod_list_foreach(item, list)
	{
		struct kmod_module *module = kmod_module_get_module(item);

		/* Lines "install" of modprobe.d would be run by system(3). */
		r = kmod_module_probe_insert_module(module, KMOD_PROBE_IGNORE_COMMAND, NULL, NULL,
						    NULL, NULL);
		(void)kmod_module_unref(module);
		if (r < 0)
			return kc_err_set(err, r, "module %s cannot be loaded: %s", target,
					  kc_strerror(r));
	}
	return 0;
}
#else
static int get(struct kc_fix *fix, const char *target, const char *content, struct kc_err *err,
	       const char **ret_value)
{
	return kc_err_set(err, -ENOSYS, "k8scheck was built without libkmod: type modprobe %s",
			  target);
}

static int set(struct kc_fix *fix, const char *target, const char *content, const char *value,
	       struct kc_err *err)
{
	return -ENOSYS;
}
#endif

static const char *wanted(const char *content)
{
	return loaded;
}

/* To unload one would take away what others may use by then. */
const struct kc_runtime_kind kc_runtime_module = {
	.kind = KC_STEP_LOAD_MODULE,
	.get = get,
	.wanted = wanted,
	.set = set,
};
