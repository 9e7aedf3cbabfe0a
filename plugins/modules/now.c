/* SPDX-License-Identifier: Apache-2.0 */
#include "modules.h"

/* A line of /proc/modules: NAME SIZE USERS DEPENDENTS STATE ADDRESS. */
struct loaded {
	unsigned line;
	const char *state; /* "Live", "Loading", "Unloading" */
	size_t state_size;
};

static bool find_loaded(const char *text, const char *name, struct loaded *ret_loaded)
{
	unsigned line = 1;

	for (const char *at = text; at && *at; line++) {
		const char *newline = strchr(at, '\n'), *p = at;

		if (kc_module_is(at, strcspn(at, " \n"), name)) {
			for (int field = 0; field < 4; field++) {
				p += strcspn(p, " \n");
				p += *p == ' ' ? 1 : 0;
			}
			*ret_loaded = (struct loaded){
				.line = line,
				.state = p,
				.state_size = strcspn(p, " \n"),
			};
			return true;
		}
		at = newline ? newline + 1 : NULL;
	}
	return false;
}

static void judge_loaded(const struct modules_case *c, const struct loaded *loaded,
			 struct modules_judgement *j)
{
	j->source = kc_text(c->host, c->run, "/proc/modules:%u", loaded->line);
	if (loaded->state_size == 4 && memcmp(loaded->state, "Live", 4) == 0) {
		j->verdict = KC_PASS;
		j->found = "loaded";
		return;
	}
	j->verdict = KC_FAIL;
	j->found = kc_text(c->host, c->run, "in the state '%.*s'",
			   (int)KC_MIN(loaded->state_size, (size_t)32), loaded->state);
	j->message = "A module that stays in this state is stuck in its own start or end: dmesg "
		     "may say why.";
}

static bool is_there(const struct modules_case *c, const char *path)
{
	struct kc_stat st = { .size_of = sizeof(st) };

	return kc_stat(c->host, c->run, path, 0, &st) == 0 && st.type == KC_FILE_DIRECTORY;
}

/* What modules show of themselves, whether they are built in or loaded. */
enum trace {
	TRACE_NONE, /* nothing is known to show */
	TRACE_ABSENT, /* it would show, and does not */
	TRACE_PRESENT,
};

static bool has_filesystem(const struct modules_case *c, const char *name, bool *ret_read)
{
	enum {
		FILE_MAX = 1 << 16
	};
	kc_cleanup(kc_buf_done) struct kc_buf needle = { 0 };
	struct kc_bytes bytes;

	*ret_read = kc_read_file(c->host, c->run, "/proc/filesystems", FILE_MAX, &bytes) == 0;
	kc_buf_addf(&needle, "\t%s\n", name);
	return *ret_read && kc_buf_error(&needle) == 0 && strstr(bytes.data, needle.data);
}

static enum trace trace_of(const struct modules_case *c, const char **ret_source)
{
	bool read;

	if (kc_module_is(c->name, strlen(c->name), "br_netfilter")) {
		*ret_source = "/proc/sys/net/bridge";
		return is_there(c, *ret_source) ? TRACE_PRESENT : TRACE_ABSENT;
	}
	*ret_source = "/proc/filesystems";
	if (has_filesystem(c, c->name, &read))
		return TRACE_PRESENT;
	return read && kc_streq(c->name, "overlay") ? TRACE_ABSENT : TRACE_NONE;
}

/* Built in: the kernel shows it, or its list says so. True when that is found. */
static bool judge_builtin(const struct modules_case *c, enum trace trace, const char *trace_source,
			  const struct kc_module_found *indexed, struct modules_judgement *j)
{
	kc_cleanup(kc_freep) char *name = strdup(c->name);

	for (char *p = name; p && *p; p++)
		*p = *p == '-' ? '_' : *p;
	j->found = "built in";
	j->verdict = KC_PASS;
	j->source = kc_text(c->host, c->run, "/sys/module/%s", name ? name : c->name);
	if (is_there(c, j->source))
		return true;
	j->source = trace_source;
	if (trace == TRACE_PRESENT)
		return true;
	j->source = kc_text(c->host, c->run, "/lib/modules/%s/modules.builtin", c->state->release);
	return indexed->state == KC_MODULE_BUILTIN;
}

static void fail_missing(const struct modules_case *c, const char *release,
			 struct modules_judgement *j)
{
	const char *hint = modules_hint(c->host, c->run, release, &j->hint);

	j->verdict = KC_FAIL;
	j->cause = MODULES_MISSING;
	j->found = kc_text(c->host, c->run, "missing for Linux %s", release);
	j->source = kc_text(c->host, c->run, "/lib/modules/%s", release);
	j->message = kc_text(c->host, c->run,
			     "The running kernel has no such module, neither built in nor as a "
			     "file.%s%s",
			     hint ? " " : "", hint ? hint : "");
}

static void fail_gone(const struct modules_case *c, const char *path, struct modules_judgement *j)
{
	j->verdict = KC_FAIL;
	j->cause = MODULES_MISSING;
	j->found = "not loaded, and its file is gone";
	j->source = path;
	j->message = kc_text(c->host, c->run,
			     "The index of Linux %s names this file, which is not there: install "
			     "the kernel's package again, or run depmod.",
			     c->state->release);
}

static void fail_not_loaded(const struct modules_case *c, const char *path,
			    struct modules_judgement *j)
{
	j->verdict = KC_FAIL;
	j->cause = MODULES_NOT_LOADED;
	j->found = "not loaded";
	j->source = c->state->loaded ? "/proc/modules" : "/sys/module";
	j->message = kc_text(c->host, c->run, "It is there for this kernel (%s): modprobe %s", path,
			     c->name);
}

/* The running kernel's folder is not there: what is left decides. */
static int judge_without_index(const struct modules_case *c, enum trace trace,
			       struct modules_judgement *j)
{
	struct modules_state *s = c->state;
	bool builtin_elsewhere = false;

	for (size_t i = 0; i < s->kernels.n; i++) {
		struct kc_module_found found;
		int r = kc_module_kernel_find(c->host, c->run, &s->arena, s->kernels.item + i,
					      c->name, &found);

		if (r < 0)
			return r;
		builtin_elsewhere = builtin_elsewhere || found.state == KC_MODULE_BUILTIN ||
				    found.state == KC_MODULE_UNKNOWN;
	}
	j->source = kc_text(c->host, c->run, "/lib/modules/%s", s->release);
	if (trace == TRACE_ABSENT || (s->kernels.n > 0 && !builtin_elsewhere && trace == 0)) {
		j->verdict = KC_FAIL;
		j->cause = MODULES_MISSING;
		j->found = "not loaded, and the modules of the running kernel are gone";
		j->message =
			s->kernels.n > 0
				? kc_text(c->host, c->run,
					  "Linux %s runs and is not installed any more; %s is. "
					  "Nothing can be loaded before the next start.",
					  s->release, s->kernels.item[s->kernels.n - 1].release)
				: kc_text(c->host, c->run,
					  "No modules of Linux %s are installed here, and the "
					  "running kernel does not have it built in.",
					  s->release);
		return 0;
	}
	j->verdict = KC_ERROR;
	j->found = NULL;
	j->message = kc_text(c->host, c->run,
			     "It is not loaded; whether Linux %s has it built in cannot be told, "
			     "since its folder is not there.",
			     s->release);
	return 0;
}

/* The text index has it, and the one that modprobe reads has not, or is not there at all. */
static void fail_stale(const struct modules_case *c, struct modules_judgement *j)
{
	struct kc_stat st = { .size_of = sizeof(st) };

	j->verdict = KC_FAIL;
	j->cause = MODULES_MISSING;
	j->hint = "depmod";
	j->source = kc_text(c->host, c->run, "/lib/modules/%s/modules.dep.bin", c->state->release);
	if (kc_stat(c->host, c->run, j->source, 0, &st) == -ENOENT) {
		j->found = "not loaded, and modprobe has no index";
		j->message = "modules.dep names it; modprobe reads this file instead, which is not "
			     "there, so that it finds no module at all: depmod makes it.";
		return;
	}
	j->found = "not loaded, and not in modprobe's index";
	j->message = "modules.dep names it and this index does not, so that modprobe cannot find "
		     "it: depmod makes both anew.";
}

/* Judges the module that a name stands for; libkmod has that one under its own name. */
static int judge_behind_alias(struct modules_case *c, const char *name, struct modules_judgement *j)
{
	int r;

	c->name = name;
	r = modules_judge_now(c, j);
	if (r == 0)
		j->message = kc_text(c->host, c->run, "%s is another name of %s.%s%s", c->asked,
				     c->name, j->message ? " " : "", j->message ? j->message : "");
	return r;
}

/* libkmod's answer, by the index that modprobe itself reads. */
static int judge_answer(struct modules_case *c, const struct modules_kmod_answer *answer,
			const struct kc_module_found *text, struct modules_judgement *j)
{
	if (answer->state == KC_MODULE_ABSENT && text->state == KC_MODULE_THERE) {
		fail_stale(c, j);
		return 0;
	}
	if (answer->state == KC_MODULE_ABSENT) {
		fail_missing(c, c->state->release, j);
		return 0;
	}
	if (!kc_module_is(answer->name, strlen(answer->name), c->name)) {
		/* What an alias stands for is a module; a broken index may lead in a circle. */
		if (kc_streq(c->name, c->asked))
			return judge_behind_alias(c, answer->name, j);
		fail_missing(c, c->state->release, j);
	} else if (answer->state == KC_MODULE_UNKNOWN) {
		j->verdict = KC_ERROR;
		j->found = NULL;
		j->source = answer->path;
		j->message = answer->unknown;
	} else if (answer->state == KC_MODULE_BUILTIN) {
		j->verdict = KC_PASS;
		j->found = "built in";
		j->source = kc_text(c->host, c->run, "/lib/modules/%s/modules.builtin.bin",
				    c->state->release);
	} else if (answer->state == KC_MODULE_FILE_GONE) {
		fail_gone(c, answer->path, j);
	} else {
		fail_not_loaded(c, answer->path, j);
	}
	return 0;
}

/* Where libkmod cannot be asked, the text index says the same but for aliases. */
static void judge_text(const struct modules_case *c, const struct kc_module_found *found,
		       const char *why, struct modules_judgement *j)
{
	if (found->state == KC_MODULE_ABSENT)
		fail_missing(c, c->state->release, j);
	else if (found->state == KC_MODULE_FILE_GONE)
		fail_gone(c, found->path, j);
	else if (found->state == KC_MODULE_THERE)
		fail_not_loaded(c, found->path, j);
	if (found->state == KC_MODULE_UNKNOWN) {
		j->verdict = KC_ERROR;
		j->found = NULL;
		j->source = kc_text(c->host, c->run, "/lib/modules/%s", c->state->release);
		j->message = kc_text(c->host, c->run, "%s", found->unknown);
	} else {
		j->message = kc_text(c->host, c->run,
				     "%s This is by modules.dep, since libkmod cannot be asked: "
				     "%s.",
				     j->message, why);
	}
}

static int judge_index(struct modules_case *c, enum trace trace, const char *trace_source,
		       struct modules_judgement *j)
{
	struct modules_state *s = c->state;
	struct kc_module_found found = { .state = KC_MODULE_ABSENT };
	struct modules_kmod_answer answer;
	struct kc_module_kernel *kernel;
	const char *why;
	int r;

	kernel = kc_module_kernels_find(&s->kernels, s->release);
	if (kernel) {
		r = kc_module_kernel_find(c->host, c->run, &s->arena, kernel, c->name, &found);
		if (r < 0)
			return r;
	}
	if (judge_builtin(c, trace, trace_source, &found, j))
		return 0;
	if (s->kernels_why) {
		j->verdict = KC_ERROR;
		j->found = NULL;
		j->source = "/lib/modules";
		j->message = s->kernels_why;
		return 0;
	}
	if (!kernel)
		return judge_without_index(c, trace, j);
	r = modules_kmod_ask(&s->kmod, c->host, c->run, s->release, c->name, &answer, &why);
	if (r == -ENOMEM)
		return r;
	if (r == 0)
		return judge_answer(c, &answer, &found, j);
	judge_text(c, &found, why, j);
	return 0;
}

int modules_judge_now(struct modules_case *c, struct modules_judgement *ret_judgement)
{
	struct modules_judgement j = { .expected = "loaded or built in", .name = c->name };
	struct modules_state *s = c->state;
	const char *trace_source, *unseen;
	struct loaded loaded;
	enum trace trace;
	int r;

	r = modules_read_now(s, c->host, c->run);
	if (r < 0)
		return r;
	unseen = s->loaded_why ? s->loaded_why : s->release_why;
	if (s->loaded && find_loaded(s->loaded, c->name, &loaded)) {
		judge_loaded(c, &loaded, &j);
	} else if (unseen) {
		j.verdict = KC_ERROR;
		j.source = s->loaded_why ? "/proc/modules" : "/proc/sys/kernel/osrelease";
		j.message = unseen;
	} else {
		trace = trace_of(c, &trace_source);
		r = 0;
		if (!judge_builtin(c, trace, trace_source,
				   &(struct kc_module_found){ .state = KC_MODULE_ABSENT }, &j)) {
			r = modules_read_kernels(s, c->host, c->run);
			if (r == 0)
				r = judge_index(c, trace, trace_source, &j);
		}
	}
	if (r == 0)
		*ret_judgement = j;
	return r;
}
