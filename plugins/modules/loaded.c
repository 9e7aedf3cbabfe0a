/* SPDX-License-Identifier: Apache-2.0 */
#include "modules-descriptor.h"
#include "modules.h"

enum {
	NAME_SIZE = 255
};

bool modules_is_name(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= NAME_SIZE && *name != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") ==
		       n;
}

int modules_each(void *state, const struct kc_host *host, struct kc_run *run,
		 int (*each)(struct modules_case *c, void *context), void *context)
{
	struct kc_strings names;
	const char *at_boot;
	int r;

	r = kc_param_list(host, run, "modules", &names);
	if (r == 0)
		r = kc_param_string(host, run, "at-boot", &at_boot);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		struct modules_case c = {
			.state = state,
			.host = host,
			.run = run,
			.asked = names.item[i],
			.name = names.item[i],
			.loadable = kc_streq(at_boot, "loadable"),
		};

		r = each(&c, context);
	}
	return r;
}

static void report(const struct modules_case *c, uint32_t horizon,
		   const struct modules_judgement *j)
{
	if (j->verdict == KC_SKIP)
		(void)kc_report_skip(c->host, c->run, horizon, c->asked, "no-kernel", NULL);
	else
		(void)kc_report(c->host, c->run, horizon, j->verdict, c->asked, j->expected,
				j->found, j->source, j->message);
}

/* A finding about the rule itself, at every horizon that is judged. */
static void report_rule(const struct kc_host *host, struct kc_run *run, const char *subject,
			const char *message)
{
	for (uint32_t h = KC_NOW; h <= KC_BOOT; h <<= 1) {
		if (kc_horizons(host, run) & h)
			(void)kc_report(host, run, h, KC_ERROR, subject, NULL, NULL, NULL, message);
	}
}

static int judge(struct modules_case *c, void *context)
{
	const uint32_t horizons = kc_horizons(c->host, c->run);
	struct modules_judgement j;
	bool *any = context;
	int r = 0;

	*any = true;
	if (!modules_is_name(c->asked)) {
		report_rule(
			c->host, c->run, c->asked,
			kc_text(c->host, c->run, "'%s' is not the name of a module.", c->asked));
		return 0;
	}
	if (horizons & KC_NOW) {
		r = modules_judge_now(c, &j);
		if (r < 0)
			return r;
		report(c, KC_NOW, &j);
	}
	if (horizons & KC_BOOT) {
		r = modules_judge_boot(c, &j);
		if (r < 0)
			return r;
		report(c, KC_BOOT, &j);
	}
	return r;
}

int modules_loaded_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	bool any = false;
	int r;

	r = modules_each(state, host, run, judge, &any);
	if (r == 0 && !any)
		report_rule(host, run, NULL, "The rule names no module: give it \"modules\".");
	return r;
}
