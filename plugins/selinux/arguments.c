/* SPDX-License-Identifier: Apache-2.0 */
#include "arguments.h"
#include "kernel-config.h"

/* A number as the kernel's kstrtoul() takes it, of which only zero or not counts. */
static bool read_number(const char *value, bool *ret_set)
{
	const char *digits = value + (*value == '+');
	bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
	size_t n;

	digits += hex ? 2 : 0;
	n = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");
	if (!n || digits[n])
		return false;
	*ret_set = strspn(digits, "0") < n;
	return true;
}

static const char *written(const struct kc_kernel_argument *argument, struct kc_arena *arena)
{
	return kc_arena_printf(arena, "%s=%s", argument->name, argument->value);
}

/* selinux=: the last one that is a number. */
static int read_selinux(const struct kc_kernel_argument *item, size_t n, struct kc_arena *arena,
			struct selinux_arguments *out)
{
	while (n--) {
		bool set;

		if (item[n].for_init || !item[n].value ||
		    !kc_kernel_argument_is(&item[n], "selinux") ||
		    !read_number(item[n].value, &set))
			continue;
		out->on = set;
		if (set)
			return 0;
		out->off = written(&item[n], arena);
		return out->off ? 0 : -ENOMEM;
	}
	return 0;
}

/* lsm=, else security=. */
static int read_modules(const struct kc_kernel_argument *item, size_t n, struct kc_arena *arena,
			struct selinux_arguments *out)
{
	const struct kc_kernel_argument *lsm = kc_kernel_argument_last(item, n, "lsm");
	const struct kc_kernel_argument *one = kc_kernel_argument_last(item, n, "security");
	bool brings;

	if (lsm && lsm->value)
		brings = selinux_comes_first(lsm->value, strlen(lsm->value));
	else if (one && one->value && *one->value)
		brings = kc_streq(one->value, "selinux");
	else
		return 0;
	if (!out->off && !brings) {
		out->off = written(lsm && lsm->value ? lsm : one, arena);
		if (!out->off)
			return -ENOMEM;
	}
	out->on = brings;
	return 0;
}

static int read_enforcing(const struct kc_kernel_argument *item, size_t n, struct kc_arena *arena,
			  struct selinux_arguments *out)
{
	for (size_t i = 0; i < n; i++) {
		bool enforces;

		/* libselinux looks for this very text, behind "--", too. */
		if (!item[i].value || !kc_streq(item[i].name, "enforcing"))
			continue;
		enforces = item[i].value[strspn(item[i].value, "0")] >= '1' &&
			   item[i].value[strspn(item[i].value, "0")] <= '9';
		if (out->enforcing) {
			out->several = out->several || enforces != out->enforces;
			continue;
		}
		out->enforces = enforces;
		out->enforcing = written(&item[i], arena);
		if (!out->enforcing)
			return -ENOMEM;
	}
	return 0;
}

int selinux_arguments_read(const struct kc_kernel_argument *item, size_t n, struct kc_arena *arena,
			   struct selinux_arguments *ret_arguments)
{
	struct selinux_arguments out = { 0 };
	int r;

	r = read_selinux(item, n, arena, &out);
	if (r == 0)
		r = read_modules(item, n, arena, &out);
	if (r == 0)
		r = read_enforcing(item, n, arena, &out);
	if (r == 0)
		*ret_arguments = out;
	return r;
}
