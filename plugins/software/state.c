/* SPDX-License-Identifier: Apache-2.0 */
#include "software.h"

enum {
	STATE_MEMORY_MAX = 8 << 20
};

struct software {
	struct kc_arena arena;
	struct kc_packages known;
	bool looked;
	int code; /* what looking failed with, which it would again */
	const char *why;
};

int software_open(const struct kc_host *host, struct kc_run *run, void **ret_state)
{
	struct software *state = calloc(1, sizeof(*state));

	if (!state)
		return -ENOMEM;
	state->arena.limit = STATE_MEMORY_MAX;
	*ret_state = state;
	return 0;
}

void software_close(void *state)
{
	struct software *s = state;

	kc_arena_done(&s->arena);
	free(s);
}

static const struct kc_package *find_known(const struct software *state, const char *name)
{
	for (size_t i = 0; i < state->known.n; i++)
		if (kc_streq(state->known.item[i].name, name))
			return &state->known.item[i];
	return NULL;
}

/* Adds those of the names that are not known to a list with room for them. */
static int collect(struct software *state, const char *const *names, const char **list)
{
	size_t n = kc_strv_len(list);

	KC_FOREACH_STR (name, names) {
		if (find_known(state, name) || kc_strv_has(list, name))
			continue;
		list[n] = kc_arena_strdup(&state->arena, name);
		if (!list[n++])
			return -ENOMEM;
	}
	return 0;
}

static int append(struct software *state, const struct kc_packages *more)
{
	size_t n = state->known.n + more->n;
	struct kc_package *item = kc_arena_zalloc(&state->arena, n + 1, sizeof(*item));

	if (!item)
		return -ENOMEM;
	if (state->known.n)
		memcpy(item, state->known.item, state->known.n * sizeof(*item));
	if (more->n)
		memcpy(item + state->known.n, more->item, more->n * sizeof(*item));
	state->known = (struct kc_packages){ .system = more->system, .item = item, .n = n };
	return 0;
}

static int look_up(const struct software_rule *rule, const char *const *names)
{
	/* What the guide's rules ask for: one look is enough for all of them. */
	static const char *const usual[] = { "cri-o",	   "kubelet",  "kubeadm", "kubectl",
					     "iproute-tc", "iproute2", NULL };
	struct software *state = rule->state;
	const char **list = kc_arena_zalloc(
		&state->arena, kc_strv_len(names) + KC_ARRAY_SIZE(usual) + 1, sizeof(*list));
	struct kc_packages found;
	int r = list ? 0 : -ENOMEM;

	state->why = "out of memory";
	if (r == 0 && !state->looked)
		r = collect(state, usual, list);
	if (r == 0)
		r = collect(state, names, list);
	if (r == 0 && !list[0])
		return 0;
	state->looked = true;
	if (r == 0)
		r = kc_packages_find(rule->host, rule->run, &state->arena, list, &found,
				     &state->why);
	return r < 0 ? r : append(state, &found);
}

int software_find(const struct software_rule *rule, const char *const *names,
		  struct kc_packages *ret_packages, const char **ret_why)
{
	struct software *state = rule->state;
	size_t n = kc_strv_len(names);
	struct kc_package *item = kc_arena_zalloc(rule->arena, n + 1, sizeof(*item));

	if (state->code == 0)
		state->code = look_up(rule, names);
	*ret_why = item ? state->why : "out of memory";
	if (state->code < 0 || !item)
		return item ? state->code : -ENOMEM;
	for (size_t i = 0; i < n; i++)
		item[i] = *find_known(state, names[i]);
	*ret_packages = (struct kc_packages){ state->known.system, item, n };
	return 0;
}

static bool has_prefix(const char *version, const char *wanted)
{
	const char *rest = kc_after_prefix(version, wanted);

	return rest && (!*rest || strchr(".-~+^", *rest));
}

bool software_version_matches(const char *version, const char *wanted)
{
	const char *colon = strchr(version, ':');

	return *wanted && (has_prefix(version, wanted) || (colon && has_prefix(colon + 1, wanted)));
}

int software_report_at(const struct software_rule *rule, uint32_t horizon, uint32_t verdict,
		       const char *subject, const char *expected, const char *found,
		       const char *source, const char *message)
{
	if (rule->plan)
		return verdict == KC_FAIL ? rule->plan(rule, horizon, subject, found) : 0;
	return kc_report(rule->host, rule->run, horizon, verdict, subject, expected, found, source,
			 message);
}

int software_skip(const struct software_rule *rule, uint32_t horizon, const char *subject,
		  const char *reason)
{
	if (rule->plan)
		return 0;
	return kc_report_skip(rule->host, rule->run, horizon, subject, reason, NULL);
}

int software_report(const struct software_rule *rule, uint32_t verdict, const char *subject,
		    const char *expected, const char *found, const char *source,
		    const char *message)
{
	return software_report_at(rule, KC_BOOT, verdict, subject, expected, found, source,
				  message);
}
