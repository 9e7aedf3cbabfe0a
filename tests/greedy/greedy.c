/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A plugin that takes all that it can get of one thing, a rule, and says what that came to. What is
 * left of it then is for the test to see, from outside.
 */

#include <string.h>

#include "greedy-descriptor.h"
#include "greedy.h"

static int say(const struct kc_host *host, struct kc_run *run, const char *found)
{
	const struct kc_finding finding = {
		.size = sizeof(finding),
		.verdict = KC_PASS,
		.horizon = KC_NOW,
		.found = found,
		.source = "greedy",
		.message = "it has all that it wanted",
	};

	return kc_finding(host, run, &finding);
}

/* As often as it is let, and whatever is answered. */
static int say_without_end(const struct kc_host *host, struct kc_run *run)
{
	static char text[4096];
	int64_t since = 0;

	memset(text, 'x', sizeof(text) - 1);
	while (!is_over(&since))
		(void)say(host, run, text);
	return 0;
}

/* What the services need is gone with what was taken. */
static int read_without_descriptors(const struct kc_host *host, struct kc_run *run,
				    struct greedy *g)
{
	struct kc_bytes bytes;
	int r = find_greed("descriptors")(g);

	if (r == -EMFILE)
		r = kc_read_file(host, run, "/etc/sysctl.d/99-test.conf", 1 << 16, &bytes);
	return r;
}

static int say_refused(const struct kc_host *host, struct kc_run *run, int code,
		       const struct greedy *g)
{
	const struct kc_finding finding = {
		.size = sizeof(finding),
		.verdict = KC_ERROR,
		.horizon = KC_NOW,
		.found = g->said[0] ? g->said : NULL,
		.message = strerror(-code),
	};

	return kc_finding(host, run, &finding);
}

int greedy_take_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	struct greedy g = { .at = "" };
	const char *what = "";
	int64_t key = 0;
	greed *take;
	int r;

	(void)state;
	if (kc_param_string(host, run, "what", &what) < 0 ||
	    kc_param_string(host, run, "at", &g.at) < 0 ||
	    kc_param_number(host, run, "key", &key) < 0)
		return -EINVAL;
	g.key = (uint32_t)key;
	if (strcmp(what, "findings") == 0)
		return say_without_end(host, run);
	if (strcmp(what, "service") == 0)
		return read_without_descriptors(host, run, &g);
	take = find_greed(what);
	if (!take)
		return -EINVAL;
	r = take(&g);
	return r < 0 ? say_refused(host, run, r, &g) : say(host, run, g.said);
}
