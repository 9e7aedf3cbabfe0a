/* SPDX-License-Identifier: Apache-2.0 */
#include "mount.h"

/* Flags that are there unless their opposite is given. */
static const struct pair {
	const char *off, *on; /* "noexec", "exec" */
	bool by_user, by_owner; /* off by the options user and users, owner and group (mount(8)) */
	bool by_defaults; /* on again by the option defaults */
} pairs[] = {
	{ "noexec", "exec", true, false, true },
	{ "nosuid", "suid", true, true, true },
	{ "nodev", "dev", true, true, true },
	{ "ro", "rw", false, false, true },
	{ "sync", "async", false, false, true },
	{ "noatime", "atime", false, false, false },
	{ "nodiratime", "diratime", false, false, false },
};

/* Whether the pair is off by one more option. */
static bool apply(const struct pair *pair, const char *option, bool off)
{
	if (kc_streq(option, pair->off))
		return true;
	if (kc_streq(option, pair->on) || (pair->by_defaults && kc_streq(option, "defaults")))
		return false;
	if (pair->by_user && (kc_streq(option, "user") || kc_streq(option, "users")))
		return true;
	if (pair->by_owner && (kc_streq(option, "owner") || kc_streq(option, "group")))
		return true;
	return off;
}

static bool is_off(struct kc_arena *arena, const char *options, const struct pair *pair)
{
	const char *option;
	bool off = false;

	while ((option = kc_mount_option_next(&options, arena)))
		off = apply(pair, option, off);
	return off;
}

/* NAME, NAME=VALUE, or NAME with any value. */
static bool is_given(struct kc_arena *arena, const char *options, const char *name)
{
	const char *option, *rest;

	while ((option = kc_mount_option_next(&options, arena))) {
		rest = kc_after_prefix(option, name);
		if (rest && (!*rest || (*rest == '=' && !strchr(name, '='))))
			return true;
	}
	return false;
}

bool mount_setting_is_on(struct kc_arena *arena, const char *options, const char *name, bool boot)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(pairs); i++) {
		if (kc_streq(name, pairs[i].off))
			return is_off(arena, options, &pairs[i]);
		if (kc_streq(name, pairs[i].on))
			return !is_off(arena, options, &pairs[i]);
	}
	/* The kernel's own choice since 2.6.30, where nothing else is asked for. */
	if (boot && kc_streq(name, "relatime"))
		return !is_given(arena, options, "noatime") &&
		       !is_given(arena, options, "strictatime") &&
		       !is_given(arena, options, "norelatime");
	return is_given(arena, options, name);
}
