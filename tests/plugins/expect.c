/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fdio.h"
#include "expect.h"
#ifdef KC_TEST_POLICY
#include "fix/policy.h"
#endif
#include "model/touches.h"

bool expect_match(struct world *w, const struct kc_yaml_node *want, const char *key,
		  const char *got)
{
	const char *exact = world_scalar(want, key),
		   *part = world_scalar(want, world_text(w, "%s~", key));

	if (kc_yaml_get(want, key) && kc_yaml_is_null(kc_yaml_get(want, key)) && got)
		return false;
	if (exact && !kc_streq0(exact, got))
		return false;
	return !part || (got && strstr(got, part));
}

const char *expect_shown(const char *text)
{
	return text ? text : "(none)";
}

static void compare_finding(struct world *w, const char *horizon, unsigned i,
			    const struct kc_yaml_node *want, const struct kc_result_finding *got)
{
	bool ok = expect_match(w, want, "verdict", kc_verdict_name(got->verdict)) &&
		  expect_match(w, want, "subject", got->subject) &&
		  expect_match(w, want, "expected", got->expected) &&
		  expect_match(w, want, "found", got->found) &&
		  expect_match(w, want, "source", got->source) &&
		  expect_match(w, want, "message", got->message) &&
		  expect_match(w, want, "reason", got->reason);

	if (!ok)
		world_complain(
			w,
			"finding %u at %s is: verdict %s, subject %s, expected %s, found %s, "
			"source %s, "
			"message %s, reason %s",
			i + 1, horizon, kc_verdict_name(got->verdict), expect_shown(got->subject),
			expect_shown(got->expected), expect_shown(got->found),
			expect_shown(got->source), expect_shown(got->message),
			expect_shown(got->reason));
}

void expect_judgement(struct world *w, const char *horizon, const struct kc_judgement *got)
{
	const struct kc_yaml_node *want = kc_yaml_get(kc_yaml_get(w->yaml, "expect"), horizon);
	const struct kc_yaml_node *findings = kc_yaml_get(want, "findings");
	const char *verdict = kc_verdict_name(got->verdict), *expected;

	if (!want) {
		if (got->n_findings > 0)
			world_complain(w, "judged at %s (%s), and the case does not expect it",
				       horizon, expect_shown(verdict));
		return;
	}
	expected = want->type == KC_YAML_SCALAR ? want->scalar : world_scalar(want, "verdict");
	if (!kc_streq0(expected, verdict ? verdict : "none")) {
		world_complain(w, "at %s the verdict is %s, expected %s", horizon,
			       expect_shown(verdict), expect_shown(expected));
		for (unsigned i = 0; i < got->n_findings; i++)
			(void)printf("    %s: %s; %s; %s; %s; %s\n",
				     kc_verdict_name(got->findings[i].verdict),
				     expect_shown(got->findings[i].subject),
				     expect_shown(got->findings[i].found),
				     expect_shown(got->findings[i].source),
				     expect_shown(got->findings[i].message),
				     expect_shown(got->findings[i].reason));
	}
	if (!findings)
		return;
	if (findings->n != got->n_findings)
		world_complain(w, "at %s there are %u findings, expected %u", horizon,
			       got->n_findings, findings->n);
	for (uint32_t i = 0; i < KC_MIN(findings->n, got->n_findings); i++)
		compare_finding(w, horizon, i, findings->item[i], got->findings + i);
}

static const char *step_kind(uint32_t kind)
{
	static const char *const names[] = {
		"",
		"make-dir",
		"write-file",
		"edit-file",
		"move-aside",
		"remove-file",
		"set-mode",
		"sysctl",
		"load-module",
		"swap-off",
		"selinux-mode",
		"unit-enable",
		"unit-disable",
		"unit-mask",
		"unit-start",
		"unit-stop",
		"unit-restart",
		"systemd-reload",
		"firewalld-zone",
		"firewalld-port",
		"manual",
	};

	return names[kind];
}

static bool match_number(const struct kc_yaml_node *want, const char *key, uint32_t got, int base)
{
	const char *text = world_scalar(want, key);

	return !text || strtoul(text, NULL, base) == got;
}

static bool match_horizon(const struct kc_yaml_node *want, uint32_t got)
{
	const char *text = world_scalar(want, "horizon");

	return !text || kc_streq(text, got == KC_NOW ? "now" : "boot");
}

/* "weakens disturbs"; "" for none. */
static const char *flags_text(struct world *w, uint32_t flags)
{
	static const char *const names[] = { "weakens", "disturbs", "reboot" };
	const char *text = "";

	for (size_t i = 0; i < KC_ARRAY_SIZE(names); i++)
		if (flags & (1u << i))
			text = world_text(w, "%s%s%s", text, *text ? " " : "", names[i]);
	return text;
}

/* An edit must have been computed from what is there. */
static void check_before(struct world *w, const struct kc_step *step)
{
	const char *path = world_text(w, "%s%s", w->root, step->target);
	kc_cleanup(kc_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	char chunk[4096];
	ssize_t n;

	if (step->kind != KC_STEP_EDIT_FILE)
		return;
	while (fd >= 0 && (n = read(fd, chunk, sizeof(chunk))) > 0)
		kc_buf_add(&text, chunk, (size_t)n);
	if (fd < 0 || text.len != step->before_size ||
	    (text.len > 0 && memcmp(text.data, step->before, text.len) != 0))
		world_complain(w, "the edit of %s was not computed from what is there",
			       step->target);
}

/* The fixer would carry it out: no plugin of the tree plans what it refuses. */
static void check_policy(struct world *w, const struct kc_step *step)
{
#ifdef KC_TEST_POLICY
	const bool of_unit =
		step->kind >= KC_STEP_UNIT_ENABLE && step->kind <= KC_STEP_UNIT_RESTART;
	struct kc_step whole = *step;
	struct kc_err err = { 0 };

	/* As the fixer has it: a service needs no type. */
	if (of_unit && !strchr(step->target, '.'))
		whole.target = world_text(w, "%s.service", step->target);
	if (kc_policy_step(&whole, &err) < 0)
		world_complain(w, "the fixer refuses the step: %s", err.text);
#endif
}

void expect_steps(struct world *w, const struct kc_step *const *got, size_t n)
{
	const struct kc_yaml_node *want = kc_yaml_get(kc_yaml_get(w->yaml, "expect"), "steps");

	if (!want)
		return;
	if (want->n != n)
		world_complain(w, "the plan has %zu steps, expected %u", n, want->n);
	for (size_t i = 0; i < n; i++) {
		bool ok = i < want->n &&
			  expect_match(w, want->item[i], "kind", step_kind(got[i]->kind)) &&
			  expect_match(w, want->item[i], "target", got[i]->target) &&
			  expect_match(w, want->item[i], "content", got[i]->content) &&
			  expect_match(w, want->item[i], "why", got[i]->why) &&
			  expect_match(w, want->item[i], "flags", flags_text(w, got[i]->flags)) &&
			  match_horizon(want->item[i], got[i]->horizon) &&
			  match_number(want->item[i], "mode", got[i]->mode, 8) &&
			  match_number(want->item[i], "uid", got[i]->uid, 10) &&
			  match_number(want->item[i], "gid", got[i]->gid, 10);

		if (!ok)
			world_complain(w, "step %zu is: %s %s at %s: %s (%s) [%s] %04o %u:%u",
				       i + 1, step_kind(got[i]->kind), expect_shown(got[i]->target),
				       got[i]->horizon == KC_NOW ? "now" : "boot",
				       expect_shown(got[i]->content), expect_shown(got[i]->why),
				       flags_text(w, got[i]->flags), got[i]->mode, got[i]->uid,
				       got[i]->gid);
		check_before(w, got[i]);
		if (!kc_touches_step(w->rule, got[i]))
			world_complain(w, "step %zu has a target that `touches` does not name: %s",
				       i + 1, expect_shown(got[i]->target));
		check_policy(w, got[i]);
	}
}

void expect_facts(struct world *w, const struct kc_yaml_node *want,
		  const struct kc_fact_value *const *got, size_t n)
{
	static const char *const states[] = { "", "known", "absent", "unknown" };

	for (uint32_t i = 0; want && i < want->n; i++) {
		const struct kc_yaml_node *fact = want->pair[i].value;
		const struct kc_fact_value *v = NULL;
		bool ok;

		for (size_t k = 0; k < n; k++) {
			if (kc_streq(got[k]->name, want->pair[i].key->scalar))
				v = got[k];
		}
		if (!v) {
			world_complain(w, "the fact %s was not set", want->pair[i].key->scalar);
			continue;
		}
		if (fact->type == KC_YAML_MAPPING)
			ok = expect_match(w, fact, "state", states[v->state]) &&
			     expect_match(w, fact, "value", v->value) &&
			     expect_match(w, fact, "source", v->source);
		else if (kc_yaml_is_null(fact))
			ok = v->state == KC_FACT_ABSENT;
		else if (kc_streq(fact->scalar, "?"))
			ok = v->state == KC_FACT_UNKNOWN;
		else
			ok = kc_streq0(fact->scalar, v->value);
		if (!ok)
			world_complain(w, "the fact %s is %s: %s (%s)", v->name, states[v->state],
				       expect_shown(v->value), expect_shown(v->source));
	}
}
