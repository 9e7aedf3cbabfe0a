/* SPDX-License-Identifier: Apache-2.0 */
#include "modules.h"

/* What decides about one module at the next start. */
struct boot {
	struct modules_case *c;
	struct modules_state *state;
	struct modules_judgement j;
	struct kc_module_found found; /* for the kernel that starts next */
	struct kc_module_files files;
	bool no_kernel; /* none is installed: the files decide alone */
};

static const char load_folders[] = "/etc/modules-load.d, /usr/local/lib/modules-load.d, "
				   "/usr/lib/modules-load.d";

static void say(struct boot *b, const char *sentence)
{
	const struct modules_case *c = b->c;

	if (!sentence)
		return;
	b->j.message =
		b->j.message ? kc_text(c->host, c->run, "%s %s", b->j.message, sentence) : sentence;
}

static const char *place_text(const struct boot *b, const struct kc_place *place)
{
	if (!place->file)
		return b->state->arguments.source ? b->state->arguments.source
						  : "the kernel's arguments";
	if (!place->line)
		return place->file;
	return kc_text(b->c->host, b->c->run, "%s:%u", place->file, place->line);
}

/* "/etc/x.conf:1 loads it" as a sentence. */
static const char *sentence_of(const struct boot *b, const char *clause)
{
	return kc_text(b->c->host, b->c->run, "%c%s.",
		       *clause >= 'a' && *clause <= 'z' ? *clause - 'a' + 'A' : *clause,
		       clause + 1);
}

static void fail(struct boot *b, enum modules_cause cause, const char *found, const char *source)
{
	b->j.verdict = KC_FAIL;
	b->j.cause = cause;
	b->j.found = found;
	b->j.source = source;
}

static void doubt(struct boot *b, const char *source, const char *why)
{
	b->j.verdict = KC_ERROR;
	b->j.found = NULL;
	b->j.source = source;
	say(b,
	    kc_text(b->c->host, b->c->run, "What the next start makes of it cannot be told: %s%s",
		    why, kc_endswith(why, ".") ? "" : "."));
}

/* Which kernel was looked at, where there is more than one. */
static void say_kernel(struct boot *b)
{
	const struct modules_case *c = b->c;

	if (b->state->kernels.n > 1)
		say(b, kc_text(c->host, c->run, "Linux %s is taken to start next: %s.",
			       b->state->next.kernel->release, b->state->next.why));
}

/* The kernel that starts next cannot load it. True when that decides. */
static bool judge_missing(struct boot *b)
{
	const struct modules_case *c = b->c;
	const char *release = b->state->next.kernel->release, *hint;

	switch (b->found.state) {
	case KC_MODULE_ABSENT:
		fail(b, MODULES_MISSING, kc_text(c->host, c->run, "missing for Linux %s", release),
		     kc_text(c->host, c->run, "/lib/modules/%s", release));
		say_kernel(b);
		hint = modules_hint(c->host, c->run, release, &b->j.hint);
		say(b, hint);
		return true;
	case KC_MODULE_FILE_GONE:
		fail(b, MODULES_MISSING, "its file is gone", b->found.path);
		say_kernel(b);
		say(b, kc_text(c->host, c->run,
			       "The index of Linux %s names this file, which is not there: install "
			       "the kernel's package again, or run depmod.",
			       release));
		return true;
	case KC_MODULE_UNKNOWN:
		doubt(b, kc_text(c->host, c->run, "/lib/modules/%s", release), b->found.unknown);
		return true;
	case KC_MODULE_BUILTIN:
		b->j.verdict = KC_PASS;
		b->j.found = "built in";
		b->j.source = kc_text(c->host, c->run, "/lib/modules/%s/modules.builtin", release);
		say_kernel(b);
		return true;
	default:
		return false;
	}
}

/* A newer kernel than the one that starts next lacks it: whoever starts that one misses it. */
static int say_newest(struct boot *b)
{
	struct modules_state *s = b->state;
	const struct modules_case *c = b->c;
	struct kc_module_found found;
	struct kc_module_kernel *newest;
	int r;

	if (s->kernels.n < 2)
		return 0;
	newest = s->kernels.item + s->kernels.n - 1;
	if (newest == s->next.kernel)
		return 0;
	r = kc_module_kernel_find(c->host, c->run, &s->arena, newest, c->name, &found);
	if (r < 0)
		return r;
	if (found.state == KC_MODULE_ABSENT || found.state == KC_MODULE_FILE_GONE)
		say(b, kc_text(c->host, c->run, "Linux %s, which is newer, lacks it.",
			       newest->release));
	return 0;
}

/* A module that it depends on is kept away. *ret_decided is set when that decides. */
static int judge_dependencies(struct boot *b, bool *ret_decided)
{
	const struct modules_case *c = b->c;
	const char *at = b->found.dependencies;

	while (at && *(at += strspn(at, " \t"))) {
		size_t n = strcspn(at, " \t"), size;
		struct kc_module_files files;
		const char *name, *copy;
		int r;

		size = kc_module_name_of_path(at, n, &name);
		copy = kc_text(c->host, c->run, "%.*s", (int)KC_MIN(size, (size_t)255), name);
		at += n;
		r = kc_module_files_judge_dependency(&b->state->config, &b->state->arena, copy,
						     b->state->arguments.item,
						     b->state->arguments.n, &files);
		if (r < 0)
			return r;
		*ret_decided = files.refused_by || files.unknown_bars;
		if (files.refused_by) {
			fail(b, MODULES_BARRED, "not loadable", place_text(b, &files.refused_at));
			say(b, kc_text(c->host, c->run, "It depends on %s, and %s.", copy,
				       files.refused_by));
		} else if (files.unknown_bars) {
			doubt(b, "/etc/modprobe.d", files.unknown);
		}
		if (*ret_decided)
			return 0;
	}
	return 0;
}

/* What the arguments rest on, where they decide or may. */
static void say_arguments(struct boot *b, bool decided)
{
	const struct modules_state *s = b->state;

	if (s->no_arguments)
		say(b, "No entry of a boot loader was found, so that no arguments of the kernel "
		       "were considered.");
	else if (decided && s->arguments.note)
		say(b, kc_text(b->c->host, b->c->run, "%s%s",
			       s->arguments.present ? "" : "As for the arguments: ",
			       s->arguments.note));
}

static bool judge_barred(struct boot *b)
{
	const bool loadable = b->c->loadable;
	const char *clause = loadable ? b->files.refused_by : b->files.barred_by;
	const struct kc_place *at = loadable ? &b->files.refused_at : &b->files.barred_at;

	if (!clause)
		return false;
	fail(b, b->files.barred_by_blacklist ? MODULES_BLACKLISTED : MODULES_BARRED,
	     loadable ? "kept from being loaded" : "not loaded at boot", place_text(b, at));
	say(b, sentence_of(b, clause));
	if (!loadable && b->files.loaded_by)
		say(b, kc_text(b->c->host, b->c->run,
			       "That %s has no effect, for systemd-modules-load passes over it.",
			       b->files.loaded_by));
	say_arguments(b, !at->file);
	return true;
}

static bool judge_doubts(struct boot *b)
{
	const struct kc_module_files *f = &b->files;

	if (f->unknown && (f->unknown_bars || (!b->c->loadable && !f->loaded_by)))
		doubt(b, f->unknown_bars ? "/etc/modprobe.d" : "/etc/modules-load.d", f->unknown);
	else if (b->state->arguments_why)
		doubt(b, "the kernel's arguments", b->state->arguments_why);
	else
		return false;
	return true;
}

static void judge_listed(struct boot *b)
{
	const struct kc_module_files *f = &b->files;

	if (f->loaded_by) {
		b->j.verdict = KC_PASS;
		b->j.found = "loaded at boot";
		b->j.source = place_text(b, &f->loaded_at);
		if (!f->loaded_at.file)
			say(b, sentence_of(b, f->loaded_by));
	} else {
		fail(b, MODULES_NOT_LISTED, "nothing loads it at boot", load_folders);
		say(b, "No file of modules-load.d and no argument of the next start names it.");
	}
	say_arguments(b, !f->loaded_at.file);
}

static void judge_loadable(struct boot *b)
{
	b->j.verdict = KC_PASS;
	b->j.found = "loadable on demand";
	b->j.source = b->found.path;
	if (b->files.loaded_by && !b->files.barred_by) {
		b->j.found = "loaded at boot";
		b->j.source = place_text(b, &b->files.loaded_at);
	} else if (b->no_kernel) {
		b->j.verdict = KC_SKIP;
	}
	say_arguments(b, false);
}

/* No kernel is installed below the root: it is brought from elsewhere. True when that decides. */
static int judge_no_kernel(struct boot *b, bool *ret_decided)
{
	struct modules_case *c = b->c;
	struct modules_judgement now;
	int r;

	*ret_decided = true;
	if (kc_is_live(c->host, c->run)) {
		r = modules_judge_now(c, &now);
		if (r < 0)
			return r;
		if (now.verdict == KC_PASS && kc_streq(now.found, "built in")) {
			b->j.verdict = KC_PASS;
			b->j.found = now.found;
			b->j.source = now.source;
			say(b, "The running kernel has it; no other is installed here.");
			return 0;
		}
		if (!b->state->loaded && !b->state->loaded_why && now.verdict == KC_ERROR) {
			doubt(b, now.source,
			      "no other kernel is installed here, the running one takes no "
			      "modules, and nothing tells whether it has this one built in");
			return 0;
		}
		if (!b->state->loaded && !b->state->loaded_why) {
			fail(b, MODULES_MISSING, "missing", "/proc/modules");
			say(b, "The running kernel takes no modules, and does not have it built "
			       "in; no other kernel is installed here.");
			return 0;
		}
	}
	if (c->loadable && kc_is_live(c->host, c->run)) {
		doubt(b, "/lib/modules", "no kernel is installed here");
		return 0;
	}
	b->no_kernel = true;
	*ret_decided = false;
	return 0;
}

static int judge_kernel(struct boot *b, bool *ret_decided)
{
	struct modules_state *s = b->state;
	int r;

	if (s->kernels_why) {
		doubt(b, "/lib/modules", s->kernels_why);
		*ret_decided = true;
		return 0;
	}
	if (!s->next.kernel)
		return judge_no_kernel(b, ret_decided);
	r = kc_module_kernel_find(b->c->host, b->c->run, &s->arena, s->next.kernel, b->c->name,
				  &b->found);
	if (r < 0)
		return r;
	*ret_decided = judge_missing(b);
	return 0;
}

/* The name behind an alias, which only the running kernel's index tells. */
static int resolve_alias(struct modules_case *c)
{
	struct modules_state *s = c->state;
	struct modules_kmod_answer answer;
	struct kc_module_found found;
	const char *why;
	int r;

	if (!kc_is_live(c->host, c->run) || !s->next.kernel || !kc_streq(c->name, c->asked))
		return 0;
	r = modules_read_now(s, c->host, c->run);
	if (r < 0 || !s->release || !kc_module_kernels_find(&s->kernels, s->release))
		return r;
	r = kc_module_kernel_find(c->host, c->run, &s->arena, s->next.kernel, c->name, &found);
	if (r < 0 || found.state != KC_MODULE_ABSENT)
		return r;
	r = modules_kmod_ask(&s->kmod, c->host, c->run, s->release, c->name, &answer, &why);
	if (r == 0 && answer.state != KC_MODULE_ABSENT)
		c->name = answer.name;
	return r == -ENOMEM ? r : 0;
}

static int judge_files(struct boot *b)
{
	struct modules_state *s = b->state;
	bool decided = false;
	int r;

	r = kc_module_files_judge(&s->config, &s->arena, b->c->name, s->arguments.item,
				  s->arguments.n, &b->files);
	if (r < 0)
		return r;
	b->j.listed = b->files.loaded_by != NULL;
	if (!judge_barred(b))
		r = judge_dependencies(b, &decided);
	else
		decided = true;
	if (r < 0)
		return r;
	if (decided || judge_doubts(b))
		return 0;
	if (b->c->loadable)
		judge_loadable(b);
	else
		judge_listed(b);
	if (b->no_kernel)
		say(b, "No kernel is installed here, so that only the files were judged.");
	else
		say_kernel(b);
	return say_newest(b);
}

int modules_judge_boot(struct modules_case *c, struct modules_judgement *ret_judgement)
{
	struct boot b = {
		.c = c,
		.state = c->state,
		.j = { .expected = c->loadable ? "loadable" : "loaded at boot, or built in" },
	};
	bool decided = false;
	int r;

	r = modules_read_boot(c->state, c->host, c->run);
	if (r == 0)
		r = resolve_alias(c);
	if (r == 0)
		r = judge_kernel(&b, &decided);
	if (r == 0 && !decided)
		r = judge_files(&b);
	else if (r == 0 && b.j.verdict == KC_PASS)
		r = say_newest(&b);
	b.j.name = c->name;
	if (r == 0)
		*ret_judgement = b.j;
	return r;
}
