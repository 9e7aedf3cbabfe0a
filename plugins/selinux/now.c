/* SPDX-License-Identifier: Apache-2.0 */
#include <selinux/selinux.h>

#include "judge.h"

static const char mount_point[] = "/sys/fs/selinux";

enum {
	CONTEXT_MAX = 4096
};

/*
 * SELinux without a policy decides nothing: getenforce(8) calls that disabled. Every process is
 * then "kernel", which has no colon as contexts of a policy have. The count of loads in selinuxfs's
 * file "status" does not tell: it begins at 0 when that file is first opened, and that is behind
 * the first load (security/selinux/ss/status.c).
 */
static bool has_policy(const struct selinux_rule *rule)
{
	struct kc_bytes bytes;

	if (kc_read_file(rule->host, rule->run, "/proc/1/attr/current", CONTEXT_MAX, &bytes) < 0 ||
	    bytes.size == 0)
		return true;
	return memchr(bytes.data, ':', bytes.size);
}

/* libselinux follows links and waits on a FIFO: what it opens has to be a file. */
static int check_enforce(const struct selinux_rule *rule)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	int r = kc_stat(rule->host, rule->run, "/sys/fs/selinux/enforce", KC_NOFOLLOW, &st);

	if (r == -ENOTDIR)
		return -ENOENT;
	return r < 0 ? r : st.type == KC_FILE_REGULAR ? 0 : -EINVAL;
}

/* 1, 0, or -1 as security_getenforce(3) says; a negative errno below that when it is not asked. */
static int ask_library(const struct selinux_rule *rule, int *ret_enforce)
{
	kc_cleanup(kc_closep) int fd = -1;
	const char *path;
	int r;

	r = kc_open_dir(rule->host, rule->run, mount_point, &fd);
	if (r < 0)
		return r;
	path = kc_arena_printf(rule->arena, "/proc/self/fd/%d", fd);
	if (!path)
		return -ENOMEM;
	/* The library finds the place by itself when it is loaded; that is not below the root. */
	fini_selinuxmnt();
	set_selinuxmnt(path);
	*ret_enforce = security_getenforce();
	fini_selinuxmnt();
	return 0;
}

static void judge_mounted(const struct selinux_rule *rule, struct selinux_judgement *j)
{
	int enforce, r;

	if (!has_policy(rule)) {
		selinux_judge_mode(rule, SELINUX_DISABLED, j);
		selinux_say(rule, j, "The kernel has SELinux, and no policy is loaded.");
		return;
	}
	r = ask_library(rule, &enforce);
	if (r < 0) {
		selinux_judge_error(rule, j);
		return;
	}
	if (enforce < 0) {
		j->verdict = KC_ERROR;
		j->message = "libselinux cannot tell the mode: /sys/fs/selinux/enforce cannot be "
			     "read, or has no number.";
		return;
	}
	selinux_judge_mode(rule, enforce ? SELINUX_ENFORCING : SELINUX_PERMISSIVE, j);
}

/* Without its file system nothing of SELinux is in force; is it there at all? */
static void judge_unmounted(const struct selinux_rule *rule, struct selinux_judgement *j)
{
	const char *shows = selinux_kernel_shows(rule->host, rule->run);
	struct kc_stat st = { .size_of = sizeof(st) };

	if (!shows && kc_stat(rule->host, rule->run, SELINUX_CONFIG, 0, &st) < 0) {
		j->verdict = KC_SKIP;
		j->message =
			"This kernel does not use SELinux, and there is no " SELINUX_CONFIG ".";
		return;
	}
	selinux_judge_mode(rule, SELINUX_DISABLED, j);
	selinux_say(rule, j,
		    shows ? "The kernel has SELinux, and its file system is not mounted."
			  : "The running kernel does not use SELinux.");
}

void selinux_judge_now(const struct selinux_rule *rule, struct selinux_judgement *ret_judgement)
{
	struct selinux_judgement j = { .source = "/sys/fs/selinux/enforce" };
	int r = check_enforce(rule);

	if (r == 0) {
		judge_mounted(rule, &j);
	} else if (r == -ENOENT) {
		j.source = mount_point;
		judge_unmounted(rule, &j);
	} else if (r == -EINVAL) {
		j.verdict = KC_ERROR;
		j.message = "/sys/fs/selinux/enforce is no file.";
	} else {
		selinux_judge_error(rule, &j);
	}
	*ret_judgement = j;
}
