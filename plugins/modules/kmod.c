/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <libkmod.h>

#include "modules.h"

/*
 * libkmod is opened when it is first asked, and not linked: with what it links itself (libcrypto,
 * libzstd and liblzma on Debian) it takes 1.5 to 2.5 ms to map, and /proc and the text indexes
 * answer for every module that is in order.
 */
struct modules_kmod {
	struct kmod_ctx *context;
	int folder; /* the descriptor behind the folder that the library was given */
	char prefix[64]; /* that folder: paths begin with it */
	struct kmod_ctx *(*new)(const char *, const char *const *);
	struct kmod_ctx *(*unref)(struct kmod_ctx *);
	void (*set_log_fn)(struct kmod_ctx *,
			   void (*)(void *, int, const char *, int, const char *, const char *,
				    va_list),
			   const void *);
	int (*lookup)(struct kmod_ctx *, const char *, struct kmod_list **);
	int (*unref_list)(struct kmod_list *);
	struct kmod_module *(*get_module)(const struct kmod_list *);
	const char *(*get_name)(const struct kmod_module *);
	const char *(*get_path)(const struct kmod_module *);
	struct kmod_module *(*unref_module)(struct kmod_module *);
	bool has_index; /* modules.dep.bin */
};

enum {
	INDEX_MAX = 64 << 20
};

static void keep_quiet(void *data, int priority, const char *file, int line, const char *function,
		       const char *format, va_list ap)
{
}

/* Looks at every file that the library may open, since it would block on a FIFO. */
static int vet(const struct kc_host *host, struct kc_run *run, const char *release,
	       const char **ret_why)
{
	static const char *const files[] = {
		"modules.dep.bin",     "modules.alias.bin",	    "modules.symbols.bin",
		"modules.builtin.bin", "modules.builtin.alias.bin", "modules.builtin.modinfo",
		"modules.softdep",     "modules.weakdep",	    NULL
	};

	KC_FOREACH_STR (file, files) {
		const char *path = kc_text(host, run, "/lib/modules/%s/%s", release, file);
		struct kc_stat st = { .size_of = sizeof(st) };
		int r = kc_stat(host, run, path, KC_NOFOLLOW, &st);

		if (r == -ENOENT)
			continue;
		if (r < 0) {
			*ret_why = kc_why(host, run);
			return r;
		}
		if (st.type != KC_FILE_REGULAR || st.size > INDEX_MAX) {
			*ret_why = kc_text(host, run, "%s: is no index that libkmod may be given",
					   path);
			return -EINVAL;
		}
	}
	return 0;
}

static int bind_library(struct modules_kmod *k)
{
	void *library = dlopen("libkmod.so.2", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	const struct {
		const char *name;
		void *to;
	} symbols[] = {
		{ "kmod_new", &k->new },
		{ "kmod_unref", &k->unref },
		{ "kmod_set_log_fn", &k->set_log_fn },
		{ "kmod_module_new_from_lookup", &k->lookup },
		{ "kmod_module_unref_list", &k->unref_list },
		{ "kmod_module_get_module", &k->get_module },
		{ "kmod_module_get_name", &k->get_name },
		{ "kmod_module_get_path", &k->get_path },
		{ "kmod_module_unref", &k->unref_module },
	};

	if (!library)
		return -ENOENT;
	for (size_t i = 0; i < KC_ARRAY_SIZE(symbols); i++) {
		void *symbol = dlsym(library, symbols[i].name);

		if (!symbol)
			return -ENOENT;
		memcpy(symbols[i].to, &symbol, sizeof(symbol));
	}
	return 0;
}

void modules_kmod_done(struct modules_kmod *kmod)
{
	if (!kmod)
		return;
	if (kmod->context)
		kmod->unref(kmod->context);
	(void)kc_close(kmod->folder);
	free(kmod);
}

static void kmod_donep(struct modules_kmod **kmod)
{
	modules_kmod_done(*kmod);
}

static int open_kmod(const struct kc_host *host, struct kc_run *run, const char *release,
		     struct modules_kmod **ret_kmod, const char **ret_why)
{
	/* modprobe.d is read by module-files.h; an empty list keeps the library from it. */
	static const char *const no_configuration[] = { NULL };
	kc_cleanup(kmod_donep) struct modules_kmod *k = calloc(1, sizeof(*k));
	struct kc_stat st = { .size_of = sizeof(st) };
	int r;

	if (!k)
		return -ENOMEM;
	k->folder = -EBADF;
	r = vet(host, run, release, ret_why);
	if (r < 0)
		return r;
	k->has_index =
		kc_stat(host, run, kc_text(host, run, "/lib/modules/%s/modules.dep.bin", release),
			KC_NOFOLLOW, &st) == 0;
	r = kc_open_dir(host, run, kc_text(host, run, "/lib/modules/%s", release), &k->folder);
	if (r < 0) {
		*ret_why = kc_why(host, run);
		return r;
	}
	if (bind_library(k) < 0) {
		*ret_why = "libkmod.so.2 is not installed";
		return -ENOENT;
	}
	(void)snprintf(k->prefix, sizeof(k->prefix), "/proc/self/fd/%d", k->folder);
	k->context = k->new (k->prefix, no_configuration);
	if (!k->context)
		return -ENOMEM;
	k->set_log_fn(k->context, keep_quiet, NULL);
	*ret_kmod = k;
	k = NULL;
	return 0;
}

/* Whether the file of a path, which is below the library's folder, is there. */
static uint32_t state_of(const struct kc_host *host, struct kc_run *run, const char *path)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	int r = kc_stat(host, run, path, 0, &st);

	if (r < 0 && r != -ENOENT && r != -ENOTDIR)
		return KC_MODULE_UNKNOWN;
	return r < 0 || st.type != KC_FILE_REGULAR ? KC_MODULE_FILE_GONE : KC_MODULE_THERE;
}

static void describe(const struct modules_kmod *k, const struct kc_host *host, struct kc_run *run,
		     const char *release, const struct kmod_module *module,
		     struct modules_kmod_answer *answer)
{
	const char *path = k->get_path(module), *rest;

	answer->name = kc_text(host, run, "%s", k->get_name(module));
	answer->state = KC_MODULE_BUILTIN;
	if (!path)
		return;
	rest = kc_after_prefix(path, k->prefix);
	answer->path = rest ? kc_text(host, run, "/lib/modules/%s%s", release, rest)
			    : kc_text(host, run, "%s", path);
	answer->state = state_of(host, run, answer->path);
	if (answer->state == KC_MODULE_UNKNOWN)
		answer->unknown = kc_text(host, run, "%s", kc_why(host, run));
}

int modules_kmod_ask(struct modules_kmod **kmod, const struct kc_host *host, struct kc_run *run,
		     const char *release, const char *name, struct modules_kmod_answer *ret_answer,
		     const char **ret_why)
{
	struct modules_kmod_answer answer = { .state = KC_MODULE_ABSENT };
	struct kmod_list *list = NULL;
	int r;

	*ret_why = "memory is short";
	if (!*kmod) {
		r = open_kmod(host, run, release, kmod, ret_why);
		if (r < 0)
			return r;
	}
	/* Without it modprobe finds nothing; libkmod before 30 calls that an error of the lookup.
	 */
	if (!(*kmod)->has_index) {
		*ret_answer = answer;
		return 0;
	}
	r = (*kmod)->lookup((*kmod)->context, name, &list);
	if (r < 0) {
		*ret_why = "libkmod cannot read its indexes";
		return r;
	}
	if (list) {
		/* Of several modules of one alias modprobe loads all; the first stands for them. */
		struct kmod_module *module = (*kmod)->get_module(list);

		describe(*kmod, host, run, release, module, &answer);
		(*kmod)->unref_module(module);
		(*kmod)->unref_list(list);
	}
	*ret_answer = answer;
	return 0;
}
