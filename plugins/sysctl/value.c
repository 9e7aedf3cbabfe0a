/* SPDX-License-Identifier: Apache-2.0 */
#include "key.h"
#include "sysctl-descriptor.h"
#include "sysctl.h"

int sysctl_open(const struct kc_host *host, struct kc_run *run, void **ret_state)
{
	struct sysctl_state *state = calloc(1, sizeof(*state));

	if (!state)
		return -ENOMEM;
	*ret_state = state;
	return 0;
}

void sysctl_close(void *state)
{
	struct sysctl_state *s = state;

	if (s)
		kc_arena_done(&s->arena);
	free(s);
}

const char *sysctl_expected(const struct kc_host *host, struct kc_run *run,
			    const struct sysctl_want *want)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

	switch (want->compare) {
	case SYSCTL_AT_LEAST:
		return kc_text(host, run, "at least %s", want->value);
	case SYSCTL_AT_MOST:
		return kc_text(host, run, "at most %s", want->value);
	case SYSCTL_ONE_OF:
		for (size_t i = 0; i < want->values.n; i++)
			kc_buf_addf(&b, "%s%s", i > 0 ? ", " : "one of ", want->values.item[i]);
		return kc_text(host, run, "%s", b.data ? b.data : "");
	default:
		return want->value;
	}
}

void sysctl_judge_value(const struct kc_host *host, struct kc_run *run,
			const struct sysctl_want *want, const char *value,
			struct sysctl_judgement *judgement)
{
	int r = sysctl_compare(want, value);

	judgement->found = value;
	judgement->verdict = r < 0 ? KC_ERROR : r ? KC_PASS : KC_FAIL;
	if (r < 0)
		judgement->message =
			kc_text(host, run,
				"'%s' cannot be compared with '%s': both must be as many "
				"numbers",
				value, want->value);
}

void sysctl_judge_now(const struct kc_host *host, struct kc_run *run, const struct sysctl_case *c,
		      struct sysctl_judgement *ret_judgement)
{
	struct sysctl_judgement out = { .source = kc_text(host, run, "/proc/sys/%s", c->key) };
	const char *value, *module = sysctl_key_module(c->key);
	int r;

	r = kc_sysctl(host, run, c->key, &value);
	if (r == 0) {
		sysctl_judge_value(host, run, &c->want, value, &out);
	} else if (r == -ENOENT || r == -ENOTDIR) {
		out.verdict = KC_FAIL;
		out.found = "no such key";
		out.message = "This kernel has no such key.";
		if (module)
			out.message =
				kc_text(host, run,
					"The module %s, which brings this key, is not loaded; load "
					"it with: modprobe %s",
					module, module);
	} else {
		out.verdict = KC_ERROR;
		out.message = kc_why(host, run);
	}
	*ret_judgement = out;
}

static void report(const struct kc_host *host, struct kc_run *run, uint32_t horizon,
		   const struct sysctl_case *c, const char *expected,
		   const struct sysctl_judgement *j)
{
	(void)kc_report(host, run, horizon, j->verdict, c->name, expected, j->found, j->source,
			j->message);
}

int sysctl_value_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	const uint32_t horizons = kc_horizons(host, run);
	struct sysctl_judgement j;
	struct sysctl_cases cases;
	const char *fault;

	if (sysctl_cases(host, run, &cases, &fault) < 0) {
		for (uint32_t h = KC_NOW; h <= KC_BOOT; h <<= 1) {
			if (horizons & h)
				(void)kc_report(host, run, h, KC_ERROR, NULL, NULL, NULL, NULL,
						fault);
		}
		return 0;
	}
	for (size_t i = 0; i < cases.n; i++) {
		const struct sysctl_case *c = cases.item + i;
		const char *expected = sysctl_expected(host, run, &c->want);

		if (horizons & KC_NOW) {
			sysctl_judge_now(host, run, c, &j);
			report(host, run, KC_NOW, c, expected, &j);
		}
		if (horizons & KC_BOOT) {
			sysctl_judge_boot(state, host, run, c, &j);
			report(host, run, KC_BOOT, c, expected, &j);
		}
	}
	return 0;
}
