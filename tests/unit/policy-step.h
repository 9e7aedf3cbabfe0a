/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A step as a plan has it, and what the policy says of it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/str.h"
#include "fix/policy.h"

static inline void expect(const struct kc_step *step, int code)
{
	struct kc_err err = { 0 };
	int r = kc_policy_step(step, &err);

	if (r != code)
		fail_msg("kind %u, %s, '%s': %d (%s), and not %d", step->kind,
			 step->target ? step->target : "NULL",
			 step->content ? (const char *)step->content : "NULL", r, err.text, code);
	if (r < 0)
		assert_true(*err.text);
}

static inline struct kc_step make(uint32_t kind, const char *target, const char *content)
{
	return (struct kc_step){
		.size = sizeof(struct kc_step),
		.kind = kind,
		.horizon = KC_BOOT,
		.target = target,
		.content = content,
		.content_size = content ? strlen(content) : 0,
	};
}

static inline void expect_one(uint32_t kind, const char *target, const char *content, int code)
{
	const struct kc_step step = make(kind, target, content);

	expect(&step, code);
}

/* Of a file that is edited, from one text to another. */
static inline void expect_edit(const char *path, const char *before, const char *after, int code)
{
	struct kc_step step = make(KC_STEP_EDIT_FILE, path, after);

	step.before = before;
	step.before_size = strlen(before);
	expect(&step, code);
}
