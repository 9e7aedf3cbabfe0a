/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>

#include "base/num.h"
#include "policy-parts.h"
#include "sys/root.h"

enum {
	LINE_MAX_SURE = 2048,
};

/*
 * A value of these is, or chooses, a program that runs as root, or lets nobody go back: sealed
 * whatever the value (Documentation/admin-guide/sysctl/kernel.rst of the kernel).
 */
static const char *const sealed[] = {
	"kernel/core_pattern",
	"kernel/core_pipe_limit",
	"kernel/modprobe",
	"kernel/hotplug",
	"kernel/poweroff_cmd",
	"kernel/reboot-cmd",
	"kernel/usermodehelper/*",
	"kernel/modules_disabled",
	"kernel/cap_last_cap",
	"kernel/yama/*",
	"fs/binfmt_misc/*",
	"dev/*",
	"sunrpc/*",
	NULL,
};

/*
 * These guard the kernel: they may get values from `least` to `most`, of which each is as strict as
 * `least` or more, and none else. `final`: a value that the kernel keeps until the next start; one
 * that is out of bounds where there is none.
 */
static const struct guard {
	const char *path;
	uint64_t least, most, final;
} guards[] = {
	/* admin-guide/sysctl/kernel.rst */
	{ "kernel/dmesg_restrict", 1, 1, 0 }, /* 1: the log is for CAP_SYSLOG */
	{ "kernel/kptr_restrict", 1, 2, 0 }, /* 1: addresses for CAP_SYSLOG; 2: for nobody */
	{ "kernel/randomize_va_space", 2, 2, 0 }, /* 2: the heap, too */
	{ "kernel/perf_event_paranoid", 2, 4, 0 }, /* 2: no kernel profiling; 3, 4: distributions */
	{ "kernel/unprivileged_bpf_disabled", 1, 2, 1 }, /* 2: may be changed again */
	{ "kernel/kexec_load_disabled", 1, 1, 1 },
	/* admin-guide/LSM/Yama.rst; 1: descendants; 2: CAP_SYS_PTRACE; 3: nobody */
	{ "kernel/yama/ptrace_scope", 1, 3, 3 },
	/* admin-guide/sysctl/fs.rst */
	{ "fs/protected_fifos", 1, 2, 0 },
	{ "fs/protected_hardlinks", 1, 1, 0 },
	{ "fs/protected_regular", 1, 2, 0 },
	{ "fs/protected_symlinks", 1, 1, 0 },
	{ "fs/suid_dumpable", 0, 0, UINT64_MAX }, /* 2 dumps to where core_pattern says, as root */
	/* admin-guide/sysctl/vm.rst: 64k serves most; what is far above stops programs */
	{ "vm/mmap_min_addr", 65536, 1048576, 0 },
	{ "vm/unprivileged_userfaultfd", 0, 0, UINT64_MAX },
	/* drivers/tty/Kconfig: LDISC_AUTOLOAD, LEGACY_TIOCSTI */
	{ "dev/tty/ldisc_autoload", 0, 0, UINT64_MAX },
	{ "dev/tty/legacy_tiocsti", 0, 0, UINT64_MAX },
};

/* admin-guide/sysrq.rst: bits, of which 16, to write out what is in memory, opens nothing. */
static bool is_strict_sysrq(const char *value)
{
	return kc_streq(value, "0") || kc_streq(value, "16");
}

/* As the kernel would read it: "010" is eight there. */
static bool is_within(const struct guard *guard, const char *value, uint64_t *ret)
{
	return kc_parse_u64(value, ret) == 0 && (*value != '0' || !value[1]) && *value != '+' &&
	       *ret >= guard->least && *ret <= guard->most;
}

const char *kc_policy_sysctl_fault(const char *path, const char *value, bool now)
{
	static const char *const weak = "no repair may set it to less than is strict";
	uint64_t number;

	if (kc_streq(path, "kernel/sysrq"))
		return is_strict_sysrq(value) ? NULL : weak;
	for (size_t i = 0; i < KC_ARRAY_SIZE(guards); i++) {
		if (!kc_streq(path, guards[i].path))
			continue;
		if (!is_within(&guards[i], value, &number))
			return weak;
		return now && number == guards[i].final
			       ? "the running kernel would not take that back; a file of "
				 "/etc/sysctl.d and a restart set it"
			       : NULL;
	}
	KC_FOREACH_STR (pattern, sealed) {
		if (fnmatch(pattern, path, 0) == 0)
			return "no repair may set that (it chooses a program, or guards the "
			       "kernel)";
	}
	/* Files that a later kernel may have. */
	return fnmatch("fs/protected_*", path, 0) == 0 ? weak : NULL;
}

/* Cuts blanks at both ends. */
static char *strip(char *s)
{
	size_t n;

	s += strspn(s, " \t");
	for (n = strlen(s); n > 0 && strchr(" \t", s[n - 1]); n--)
		;
	s[n] = '\0';
	return s;
}

bool kc_policy_sysctl_line(const char *line)
{
	kc_cleanup(kc_buf_done) struct kc_buf path = { 0 };
	char text[LINE_MAX_SURE + 1], *key, *equal, *value;
	size_t n = strlen(line);

	/* Older sysctl(8) goes on with the rest as with a line of its own. */
	if (n > LINE_MAX_SURE)
		return true;
	memcpy(text, line, n + 1);
	equal = strchr(text, '=');
	if (equal)
		*equal = '\0';
	value = equal ? strip(equal + 1) : text + n;
	key = strip(text + strspn(text, " \t-"));
	/* Older sysctl(8) passes over "=" before a key (strtok(3)). */
	if (!*key)
		return equal != NULL;
	if (*key == '#' || *key == ';')
		return false;
	if (!kc_policy_is_name(key, "./-_:@*?[]!^") || kc_sysctl_path(key, &path) < 0)
		return true;
	/* A pattern could come to anything. */
	if (strpbrk(key, "*?["))
		return !kc_after_prefix(path.data, "net/");
	return kc_policy_sysctl_fault(path.data, value, false) != NULL;
}
