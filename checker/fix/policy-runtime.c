/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>

#include "base/num.h"
#include "policy-parts.h"
#include "policy.h"
#include "sys/root.h"

enum {
	VALUE_MAX = 1024, /* of a sysctl */
};

static int check_sysctl(const char *key, const char *value, struct kc_err *err)
{
	kc_cleanup(kc_buf_done) struct kc_buf path = { 0 };
	const char *fault;

	if (!kc_policy_is_name(key, "./-_:@") || kc_sysctl_path(key, &path) < 0)
		return kc_err_set(err, -EINVAL, "'%.100s' is no name of a sysctl", key);
	if (!value || !*value || strlen(value) > VALUE_MAX || strpbrk(value, "\r\n"))
		return kc_err_set(err, -EINVAL, "%s: a value is a line of text", key);
	fault = kc_policy_sysctl_fault(path.data, value, true);
	return fault ? kc_err_set(err, -EPERM, "%s: %s", key, fault) : 0;
}

bool kc_policy_is_unit_name(const char *name)
{
	static const char *const types[] = { ".service", ".socket", ".target", ".swap",
					     ".timer",	 ".path",   ".mount",  NULL };

	KC_FOREACH_STR (type, types) {
		if (kc_endswith(name, type))
			return kc_policy_is_name(name, ".-_@:\\");
	}
	return false;
}

/* Units by which somebody comes in, and what everything hangs on. */
static int check_unit(const char *unit, struct kc_err *err)
{
	static const char *const closed[] = { "ssh*",	     "systemd-*",      "dbus*",
					      "getty*",	     "user@*",	       "init.scope",
					      "emergency.*", "rescue.*",       "basic.*",
					      "sysinit.*",   "multi-user.*",   "network*.target",
					      "*getty*",     "autovt@*",       "debug-shell.*",
					      "default.*",   "graphical.*",    "runlevel*.target",
					      "initrd*",     "reboot.*",       "poweroff.*",
					      "halt.*",	     "kexec.*",	       "soft-reboot.*",
					      "shutdown.*",  "final.*",	       "umount.*",
					      "exit.*",	     "sleep.*",	       "suspend*.target",
					      "hibernate.*", "hybrid-sleep.*", "ctrl-alt-del.*",
					      NULL };
	static const char *const open[] = { "systemd-zram-setup@*.service", "systemd-swap.service",
					    NULL };

	if (!kc_policy_is_unit_name(unit))
		return kc_err_set(err, -EINVAL, "'%.100s' is no unit that a repair may have", unit);
	KC_FOREACH_STR (pattern, open) {
		if (fnmatch(pattern, unit, 0) == 0)
			return 0;
	}
	KC_FOREACH_STR (pattern, closed) {
		if (fnmatch(pattern, unit, 0) == 0)
			return kc_err_set(err, -EPERM, "%s: no repair may touch that unit", unit);
	}
	return 0;
}

static int check_port(const char *zone, const char *content, struct kc_err *err)
{
	kc_cleanup(kc_freep) char *copy = content ? strdup(content) : NULL;
	char *slash = copy ? strchr(copy, '/') : NULL;
	uint64_t port;

	if (slash)
		*slash = '\0';
	if (!slash || kc_parse_u64(copy, &port) < 0 || port == 0 || port > 65535 ||
	    (!kc_streq(slash + 1, "tcp") && !kc_streq(slash + 1, "udp")) ||
	    !kc_policy_is_name(zone, "-_"))
		return kc_err_set(err, -EINVAL, "'%.100s' in zone '%.100s' is no port to be opened",
				  content ? content : "", zone);
	return 0;
}

int kc_policy_runtime(uint32_t kind, const char *target, const char *content, struct kc_err *err)
{
	switch (kind) {
	case KC_STEP_SYSCTL:
		return check_sysctl(target, content, err);
	case KC_STEP_LOAD_MODULE:
		return kc_policy_is_name(target, "-_")
			       ? 0
			       : kc_err_set(err, -EINVAL, "'%.100s' is no name of a module",
					    target);
	case KC_STEP_SWAP_OFF:
		return kc_policy_is_plain_path(target)
			       ? 0
			       : kc_err_set(err, -EINVAL, "'%.100s' is no device or file", target);
	case KC_STEP_SELINUX_MODE:
		return content && (kc_streq(content, "permissive") ||
				   kc_streq(content, "enforcing"))
			       ? 0
			       : kc_err_set(err, -EINVAL, "SELinux has no mode '%.100s' to be set",
					    content ? content : "");
	case KC_STEP_UNIT_ENABLE:
	case KC_STEP_UNIT_DISABLE:
	case KC_STEP_UNIT_MASK:
	case KC_STEP_UNIT_START:
	case KC_STEP_UNIT_STOP:
	case KC_STEP_UNIT_RESTART:
		return check_unit(target, err);
	case KC_STEP_FIREWALLD_ZONE:
		return content && kc_policy_is_name(content, "-_")
			       ? 0
			       : kc_err_set(err, -EINVAL, "'%.100s' is no name of a zone",
					    content ? content : "");
	case KC_STEP_FIREWALLD_PORT:
		return check_port(target, content, err);
	default:
		return kc_err_set(err, -EINVAL, "step kind %u touches nothing that runs", kind);
	}
}
