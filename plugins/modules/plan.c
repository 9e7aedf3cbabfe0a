/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/plan-module.h"
#include "modules-descriptor.h"
#include "modules.h"

enum {
	FILE_MAX = 1 << 20
};

/* What is to be mended; texts are in the run's memory, or the state's. */
struct planning {
	const struct kc_host *host;
	struct kc_run *run;
	struct modules_state *state;
	const char **blacklisted; /* modules whose blacklist is to be taken back */
	size_t n_blacklisted;
};

static int step(const struct planning *p, uint32_t horizon, uint32_t kind, uint32_t flags,
		const char *target, const char *content, const struct kc_bytes *before,
		const char *why)
{
	const struct kc_step s = {
		.size = sizeof(s),
		.kind = kind,
		.horizon = horizon,
		.mode = 0644,
		.flags = flags | (before ? KC_STEP_KEEP_OWNER : 0),
		.target = target,
		.content = content,
		.content_size = content ? strlen(content) : 0,
		.before = before ? before->data : NULL,
		.before_size = before ? before->size : 0,
		.why = why,
	};

	return kc_step(p->host, p->run, &s);
}

static int by_hand(const struct planning *p, uint32_t horizon, const char *commands,
		   const char *why)
{
	return kc_plan_by_hand(p->host, p->run, horizon, commands, why);
}

/* Loaded by the name that the rule has, which libkmod looks up as modprobe does. */
static int plan_now(const struct planning *p, const char *asked, const struct modules_judgement *j)
{
	if (j->cause == MODULES_NOT_LOADED)
		return step(p, KC_NOW, KC_STEP_LOAD_MODULE, 0, asked, NULL, NULL,
			    "It is there for the running kernel, and not loaded.");
	if (j->hint)
		return by_hand(p, KC_NOW, kc_text(p->host, p->run, "%s\n", j->hint),
			       "The package that has the module is not installed.");
	if (j->cause == MODULES_MISSING)
		return by_hand(p, KC_NOW, "reboot\n",
			       "The running kernel's modules are not there; the kernel that is "
			       "installed may have them.");
	return 0;
}

static int plan_boot(struct planning *p, const struct modules_judgement *j, bool loadable)
{
	switch (j->cause) {
	case MODULES_NOT_LISTED:
		return kc_plan_module_listing(p->host, p->run, j->name);
	case MODULES_BLACKLISTED:
		p->blacklisted[p->n_blacklisted++] = j->name;
		return loadable || j->listed ? 0 : kc_plan_module_listing(p->host, p->run, j->name);
	case MODULES_MISSING:
		if (j->hint)
			return by_hand(p, KC_BOOT, kc_text(p->host, p->run, "%s\n", j->hint),
				       "The package that has the module is not installed.");
		return by_hand(p, KC_BOOT,
			       kc_text(p->host, p->run,
				       "Install the kernel's package that has %s, or start a "
				       "kernel that has it.\n",
				       j->name),
			       "No step installs packages or chooses kernels.");
	case MODULES_BARRED:
		return by_hand(p, KC_BOOT,
			       kc_text(p->host, p->run, "See to it that %s can be loaded: %s\n",
				       j->name, j->message),
			       "Somebody decided otherwise, in a place that is not changed here.");
	default:
		return 0;
	}
}

static int plan_module(struct modules_case *c, void *context)
{
	struct planning *p = context;
	struct modules_judgement j;
	int r = 0;

	if (!modules_is_name(c->asked))
		return 0;
	if (kc_horizons(c->host, c->run) & KC_NOW) {
		r = modules_judge_now(c, &j);
		if (r == 0 && j.verdict == KC_FAIL)
			r = plan_now(p, c->asked, &j);
	}
	if (r == 0 && (kc_horizons(c->host, c->run) & KC_BOOT)) {
		r = modules_judge_boot(c, &j);
		if (r == 0 && j.verdict == KC_FAIL)
			r = plan_boot(p, &j, c->loadable);
	}
	return r;
}

static int plan_unlisting(const struct planning *p, const char *path,
			  const struct kc_strings *names)
{
	struct kc_bytes before;
	const char *text;
	int r;

	if (!kc_after_prefix(path, "/etc/"))
		return by_hand(p, KC_BOOT,
			       kc_text(p->host, p->run,
				       "cp %s /etc/modprobe.d/\nTake the blacklist lines out of "
				       "the copy, which then counts alone.\n",
				       path),
			       "A package brings the file that blacklists the module.");
	r = kc_read_file(p->host, p->run, path, FILE_MAX, &before);
	if (r < 0)
		return r;
	text = modules_without_blacklist(p->host, p->run, &before, names);
	if (!text)
		return -ENOMEM;
	return step(p, KC_BOOT, KC_STEP_EDIT_FILE, KC_STEP_WEAKENS, path, text, &before,
		    "It blacklists a module that the node needs; the line becomes a comment.");
}

/* Every file that has a line of them, once. */
static int plan_blacklists(const struct planning *p)
{
	const struct kc_strings names = { .n = p->n_blacklisted, .item = p->blacklisted };
	const struct kc_module_lines *lines = &p->state->config.probe;
	const char *done = NULL;
	int r = 0;

	/* Lines of one file stand together. */
	for (size_t i = 0; i < lines->n && names.n > 0 && r == 0; i++) {
		const struct kc_module_line *line = lines->item + i;
		bool named = false;

		if (line->verb != KC_MODULE_BLACKLIST || kc_streq0(done, line->place.file))
			continue;
		for (size_t k = 0; k < names.n; k++)
			named = named ||
				kc_module_is(line->name, strlen(line->name), names.item[k]);
		if (!named)
			continue;
		done = line->place.file;
		r = plan_unlisting(p, done, &names);
	}
	return r;
}

int modules_loaded_plan(void *state, const struct kc_host *host, struct kc_run *run)
{
	struct planning p = { .host = host, .run = run, .state = state };
	struct kc_strings names;
	int r;

	r = kc_param_list(host, run, "modules", &names);
	if (r < 0)
		return r;
	p.blacklisted = kc_alloc(host, run, (names.n + 1) * sizeof(*p.blacklisted));
	if (!p.blacklisted)
		return -ENOMEM;
	r = modules_each(state, host, run, plan_module, &p);
	return r < 0 ? r : plan_blacklists(&p);
}
