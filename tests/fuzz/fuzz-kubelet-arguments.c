/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "formats/kubelet-arguments.h"
#include "formats/unit-internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct kc_pair wanted[] = {
	{ "cgroup-driver", "systemd" },
	{ "container-runtime-endpoint", "unix:///run/crio/crio.sock" },
};

/* What a file comes to: its other variables, and the flags of the one. */
struct meaning {
	struct kc_environment_variable *variable;
	size_t n;
	struct kc_kubelet_flags flags;
};

static bool read_meaning(const char *text, size_t size, struct kc_arena *arena,
			 struct meaning *ret_meaning)
{
	struct meaning m = { 0 };
	struct kc_kubelet_argument *argument = kc_arena_zalloc(arena, size + 1, sizeof(*argument));
	size_t n = 0;

	if (!argument || kc_environment_file_parse("", text, size, arena, &m.variable, &m.n) < 0)
		return false;
	for (size_t i = 0; i < m.n; i++) {
		const char *value = m.variable[i].value;
		char *word;

		if (!kc_streq(m.variable[i].name, KC_KUBELET_EXTRA_ARGS))
			continue;
		while (kc_unit_word(&value, KC_WORD_RELAX, arena, &word) > 0 && n < size)
			argument[n++].text = word;
	}
	if (kc_kubelet_flags_parse(argument, n, arena, &m.flags) < 0)
		return false;
	*ret_meaning = m;
	return true;
}

static bool is_wanted(const char *name)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(wanted); i++)
		if (kc_streq(name, wanted[i].key))
			return true;
	return false;
}

static void compare_variables(const struct meaning *before, const struct meaning *after)
{
	size_t k = 0;

	for (size_t i = 0; i < after->n; i++) {
		if (kc_streq(after->variable[i].name, KC_KUBELET_EXTRA_ARGS))
			continue;
		while (k < before->n && kc_streq(before->variable[k].name, KC_KUBELET_EXTRA_ARGS))
			k++;
		if (k == before->n ||
		    !kc_streq(before->variable[k].name, after->variable[i].name) ||
		    !kc_streq(before->variable[k].value, after->variable[i].value))
			abort();
		k++;
	}
}

static void compare_flags(const struct meaning *before, const struct meaning *after)
{
	size_t k = 0;

	for (size_t i = 0; i < after->flags.n; i++) {
		if (is_wanted(after->flags.flag[i].name))
			continue;
		while (k < before->flags.n && is_wanted(before->flags.flag[k].name))
			k++;
		if (k == before->flags.n ||
		    !kc_streq(before->flags.flag[k].name, after->flags.flag[i].name) ||
		    !kc_streq(before->flags.flag[k].value, after->flags.flag[i].value))
			abort();
		k++;
	}
	for (size_t i = 0; i < KC_ARRAY_SIZE(wanted); i++) {
		const struct kc_kubelet_flag *flag =
			kc_kubelet_flags_last(&after->flags, wanted[i].key);

		if (!flag || !kc_streq(flag->value, wanted[i].value))
			abort();
	}
}

/* The flags are in effect then, and nothing else has changed for systemd or the kubelet. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = 256 << 20 };
	kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };
	const char *text = (const char *)data;
	struct meaning before, after;

	if (size > 16384 ||
	    kc_kubelet_arguments_edit(text, size, KC_KUBELET_EXTRA_ARGS, wanted,
				      KC_ARRAY_SIZE(wanted), &arena, &out) < 0 ||
	    !read_meaning(text, size, &arena, &before))
		return 0;
	if (!read_meaning(out.data, out.len, &arena, &after))
		abort();
	compare_variables(&before, &after);
	compare_flags(&before, &after);
	return 0;
}
