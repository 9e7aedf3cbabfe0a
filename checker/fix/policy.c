/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>
#include <stdbool.h>

#include "base/fields.h"
#include "base/num.h"
#include "policy.h"
#include "sys/root.h"

enum {
	PATH_LENGTH_MAX = 1024,
	NAME_LENGTH_MAX = 255,
	CONTENT_MAX = 1024 * 1024,
	SYSCTL_LINE_MAX = 2048,
};

/* Where files may be written at all. */
static const char *const writable[] = { "/etc/", "/usr/local/etc/", "/var/lib/", NULL };

/* And where not: accounts, who may do what, what is executed, and what boots. An entry stands for
 * all that is below it, too. */
static const char *const sealed[] = {
	"/etc/passwd*",
	"/etc/shadow*",
	"/etc/group*",
	"/etc/gshadow*",
	"/etc/subuid*",
	"/etc/subgid*",
	"/etc/login.defs",
	"/etc/securetty",
	"/etc/shells",
	"/etc/nsswitch.conf",
	"/etc/pam.conf",
	"/etc/pam.d/",
	"/etc/security/",
	"/etc/authselect/",
	"/etc/sssd/",
	"/etc/sudo*",
	"/etc/sudoers.d/",
	"/etc/doas*",
	"/etc/polkit-1/",
	"/etc/dbus-1/",
	"/etc/ssh/",
	"/etc/krb5*",
	"/etc/ssl/",
	"/etc/pki/",
	"/etc/ca-certificates*",
	"/etc/cron*",
	"/etc/cron.d/",
	"/etc/cron.hourly/",
	"/etc/cron.daily/",
	"/etc/cron.weekly/",
	"/etc/cron.monthly/",
	"/etc/anacrontab",
	"/etc/at.*",
	"/etc/ld.so*",
	"/etc/ld.so.conf.d/",
	"/etc/profile*",
	"/etc/profile.d/",
	"/etc/bash*",
	"/etc/zsh*",
	"/etc/environment*",
	"/etc/environment.d/",
	"/etc/csh*",
	"/etc/skel/",
	"/etc/init.d/",
	"/etc/rc*",
	"/etc/rc.d/",
	"/etc/inittab",
	"/etc/udev/",
	"/etc/acpi/",
	"/etc/update-motd.d/",
	"/etc/rpm/",
	"/etc/depmod.d/",
	"/etc/systemd/system/",
	"/etc/systemd/user/",
	"/etc/systemd/system.control/",
	"/etc/systemd/system.attached/",
	"/etc/systemd/*-generators/",
	"/etc/systemd/system.conf*",
	"/etc/systemd/user.conf*",
	"/etc/tmpfiles.d/",
	"/etc/sysusers.d/",
	"/etc/binfmt.d/",
	"/etc/NetworkManager/dispatcher.d/",
	"/etc/network/",
	"/etc/networkd-dispatcher/",
	"/etc/dhcp/",
	"/etc/ppp/",
	"/etc/logrotate*",
	"/etc/logrotate.d/",
	"/etc/xinetd*",
	"/etc/inetd*",
	"/etc/kernel/",
	"/etc/default/grub*",
	"/etc/default/grub.d/",
	"/etc/grub*",
	"/etc/grub.d/",
	"/etc/dracut*",
	"/etc/dracut.conf.d/",
	"/etc/initramfs-tools/",
	"/etc/crypttab",
	"/etc/kubernetes/manifests/",
	"/etc/k8scheck/",
	"/etc/machine-id",
	"/etc/alternatives/",
	"/etc/X11/",
	"/etc/xdg/",
	"/etc/selinux/*/*/",
	"/var/lib/k8scheck/",
	"/var/lib/dpkg/",
	"/var/lib/rpm/",
	"/var/lib/systemd/",
	"/var/lib/sss/",
	"/var/lib/selinux/",
	"/var/lib/polkit-1/",
	"/var/lib/AccountsService/",
	"/var/lib/cloud/",
	NULL,
};

/* Files of which a line may be changed, and that are never written or taken away as a whole. */
static const char *const edited_only[] = {
	"/etc/fstab", "/etc/yum.repos.d/", "/etc/yum.conf",    "/etc/dnf/",
	"/etc/apt/",  "/etc/hosts",	   "/etc/resolv.conf", NULL,
};

/* Owner and mode may be set more widely: checks of permissions judge those of all the node's files.
 */
static const char *const mode_only[] = { "/etc/",     "/usr/local/etc/", "/var/lib/", "/var/log/",
					 "/opt/cni/", "/run/",		 NULL };

static const char *const mode_sealed[] = {
	"/etc/shadow*", "/etc/gshadow*",      "/etc/sudo*",	"/etc/sudoers.d/", "/etc/ssh/",
	"/etc/pam.d/",	"/var/lib/k8scheck/", "/var/lib/dpkg/", "/var/lib/rpm/",   NULL
};

/* A value of these is, or chooses, a program that runs as root, or guards against one. */
static const char *const sealed_sysctls[] = {
	"kernel/core_pattern",
	"kernel/core_pipe_limit",
	"kernel/modprobe",
	"kernel/hotplug",
	"kernel/poweroff_cmd",
	"kernel/usermodehelper/*",
	"kernel/modules_disabled",
	"kernel/kexec_load_disabled",
	"kernel/sysrq",
	"kernel/unprivileged_bpf_disabled",
	"kernel/yama/*",
	"kernel/kptr_restrict",
	"kernel/cap_last_cap",
	"fs/binfmt_misc/*",
	"fs/suid_dumpable",
	"fs/protected_*",
	"vm/mmap_min_addr",
	"dev/*",
	"sunrpc/*",
	NULL,
};

/* Whether a path is one of a list's, or below one. */
static bool is_listed(const char *const *list, const char *path)
{
	KC_FOREACH_STR (entry, list) {
		size_t n = strlen(entry);
		kc_cleanup(kc_freep) char *name = strndup(entry, n - kc_endswith(entry, "/"));

		/* Without memory all is refused. */
		if (!name || fnmatch(name, path, FNM_PATHNAME | FNM_LEADING_DIR) == 0)
			return true;
	}
	return false;
}

static bool is_below(const char *const *list, const char *path)
{
	KC_FOREACH_STR (entry, list) {
		if (kc_after_prefix(path, entry))
			return true;
	}
	return false;
}

static bool is_plain_path(const char *path)
{
	size_t n = strlen(path);

	if (*path != '/' || n >= PATH_LENGTH_MAX || kc_endswith(path, "/") || strstr(path, "//"))
		return false;
	for (const char *p = path; (p = strchr(p, '/')); p++) {
		size_t part = strcspn(p + 1, "/");

		if (part > NAME_LENGTH_MAX || (part == 1 && p[1] == '.') ||
		    (part == 2 && p[1] == '.' && p[2] == '.'))
			return false;
	}
	for (const char *p = path; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	}
	return true;
}

int kc_policy_path(uint32_t kind, const char *path, struct kc_err *err)
{
	if (!is_plain_path(path))
		return kc_err_set(err, -EINVAL, "%.200s is no path that a repair may have", path);
	if (kind == KC_STEP_SET_MODE) {
		if (is_below(mode_only, path) && !is_listed(mode_sealed, path))
			return 0;
		return kc_err_set(err, -EPERM, "%s: no repair may set its owner or mode", path);
	}
	if (!is_below(writable, path))
		return kc_err_set(err, -EPERM,
				  "%s: a repair changes files below /etc, /usr/local/etc and "
				  "/var/lib alone",
				  path);
	if (is_listed(sealed, path))
		return kc_err_set(
			err, -EPERM,
			"%s: no repair may touch that (accounts, rights, what is executed, "
			"what boots)",
			path);
	if (kind != KC_STEP_EDIT_FILE && is_listed(edited_only, path))
		return kc_err_set(err, -EPERM, "%s: a repair may change lines of it, and no more",
				  path);
	return 0;
}

int kc_policy_unit_link(const char *path, struct kc_err *err)
{
	const char *rest = kc_after_prefix(path, "/etc/systemd/system/");

	if (rest && is_plain_path(path) &&
	    (!strchr(rest, '/') || fnmatch("*.wants", rest, FNM_PATHNAME) == 0 ||
	     fnmatch("*.wants/*", rest, FNM_PATHNAME) == 0 ||
	     fnmatch("*.requires/*", rest, FNM_PATHNAME) == 0 ||
	     fnmatch("*.upholds/*", rest, FNM_PATHNAME) == 0))
		return 0;
	return kc_err_set(err, -EPERM, "%.200s is no link that enables or masks a unit", path);
}

static bool is_name(const char *name, const char *more)
{
	size_t n = strlen(name);

	if (n == 0 || n > NAME_LENGTH_MAX || *name == '-' || *name == '.')
		return false;
	for (const char *p = name; *p; p++) {
		bool word = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			    (*p >= '0' && *p <= '9');

		if (!word && !strchr(more, *p))
			return false;
	}
	return true;
}

/* `path` is below /proc/sys, as kc_sysctl_path() has it. */
static bool is_sealed_sysctl(const char *path)
{
	KC_FOREACH_STR (pattern, sealed_sysctls) {
		if (fnmatch(pattern, path, 0) == 0)
			return true;
	}
	return false;
}

static int check_sysctl(const char *key, const char *value, struct kc_err *err)
{
	kc_cleanup(kc_buf_done) struct kc_buf path = { 0 };

	if (!is_name(key, "./-_:@") || kc_sysctl_path(key, &path) < 0)
		return kc_err_set(err, -EINVAL, "'%.100s' is no name of a sysctl", key);
	if (!value || !*value || strlen(value) > CONTENT_MAX / 1024 || strpbrk(value, "\r\n"))
		return kc_err_set(err, -EINVAL, "%s: a value is a line of text", key);
	if (is_sealed_sysctl(path.data))
		return kc_err_set(err, -EPERM,
				  "%s: no repair may set that (it chooses a program, or "
				  "guards the kernel)",
				  key);
	return 0;
}

/* Units by which somebody comes in, and what everything hangs on. */
static int check_unit(const char *unit, struct kc_err *err)
{
	static const char *const types[] = { ".service", ".socket", ".target", ".swap",
					     ".timer",	 ".path",   ".mount",  NULL };
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
	bool typed = false;

	KC_FOREACH_STR (type, types)
		typed = typed || kc_endswith(unit, type);
	if (!typed || !is_name(unit, ".-_@:\\"))
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
	    (!kc_streq(slash + 1, "tcp") && !kc_streq(slash + 1, "udp")) || !is_name(zone, "-_"))
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
		return is_name(target, "-_")
			       ? 0
			       : kc_err_set(err, -EINVAL, "'%.100s' is no name of a module",
					    target);
	case KC_STEP_SWAP_OFF:
		return is_plain_path(target)
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
		return content && is_name(content, "-_")
			       ? 0
			       : kc_err_set(err, -EINVAL, "'%.100s' is no name of a zone",
					    content ? content : "");
	case KC_STEP_FIREWALLD_PORT:
		return check_port(target, content, err);
	default:
		return kc_err_set(err, -EINVAL, "step kind %u touches nothing that runs", kind);
	}
}

/* A line ends where any of its readers ends it: systemd takes a CR and a NUL for it, too. */
static const char *line_end(const char *p, const char *end)
{
	while (p < end && *p != '\n' && *p != '\r' && *p != '\0')
		p++;
	return p;
}

static bool has_line(const char *text, uint64_t size, const char *line, size_t n)
{
	const char *end = text + size;

	for (const char *p = text; p < end;) {
		const char *stop = line_end(p, end);

		if ((size_t)(stop - p) == n && memcmp(p, line, n) == 0)
			return true;
		p = stop + 1;
	}
	return false;
}

/* True when the new text has a line that is bad, and the text that it was made from has not. */
static bool gains_line(const struct kc_step *step, bool (*is_bad)(const char *line, size_t n))
{
	const char *text = step->content, *end = text + step->content_size;
	/* Of an edit alone is it known to be what is there. */
	const char *old = step->kind == KC_STEP_EDIT_FILE ? step->before : NULL;

	while (text < end) {
		size_t n = (size_t)(line_end(text, end) - text);

		if (is_bad(text, n) && !(old && has_line(old, step->before_size, text, n)))
			return true;
		text += n + 1;
	}
	return false;
}

/* True for a line of sysctl.d(5) that sets what no repair may set, or whose meaning is not sure. */
static bool sets_sealed_sysctl(const char *line, size_t n)
{
	kc_cleanup(kc_buf_done) struct kc_buf path = { 0 };
	char key[NAME_LENGTH_MAX + 1];
	size_t start = 0, length = 0;

	/* Older sysctl(8) goes on with the rest as with a line of its own. */
	if (n > SYSCTL_LINE_MAX)
		return true;
	while (start < n && strchr(" \t-", line[start]))
		start++;
	while (start + length < n && line[start + length] != '=')
		length++;
	while (length > 0 && strchr(" \t", line[start + length - 1]))
		length--;
	if (length == 0 || line[start] == '#' || line[start] == ';')
		return false;
	if (length >= sizeof(key))
		return true;
	memcpy(key, line + start, length);
	key[length] = '\0';
	if (!is_name(key, "./-_:@*?[]!^") || kc_sysctl_path(key, &path) < 0)
		return true;
	/* A pattern could come to anything. */
	return strpbrk(key, "*?[") ? !kc_after_prefix(path.data, "net/")
				   : is_sealed_sysctl(path.data);
}

/* modprobe.d(5): lines of these run a command as root. */
static bool runs_command(const char *line, size_t n)
{
	static const char *const verbs[] = { "install", "remove", NULL };
	size_t start = 0;

	/* libkmod drops it, with the newline behind it: any word can be put together by that. */
	if (memchr(line, '\\', n))
		return true;
	while (start < n && (line[start] == ' ' || line[start] == '\t'))
		start++;
	KC_FOREACH_STR (verb, verbs) {
		size_t length = strlen(verb);

		if (n - start > length && strncmp(line + start, verb, length) == 0 &&
		    (line[start + length] == ' ' || line[start + length] == '\t'))
			return true;
	}
	return false;
}

int kc_policy_content(const struct kc_step *step, const char *path, struct kc_err *err)
{
	if (!step->content || step->content_size > CONTENT_MAX)
		return kc_err_set(err, -EINVAL, "%s: its new text is missing or too large", path);
	if (step->kind == KC_STEP_EDIT_FILE && !step->before)
		return kc_err_set(err, -EINVAL, "%s: an edit without the text it was made from",
				  path);
	if ((kc_after_prefix(path, "/etc/sysctl.d/") || kc_streq(path, "/etc/sysctl.conf")) &&
	    gains_line(step, sets_sealed_sysctl))
		return kc_err_set(err, -EPERM, "%s: it would set a sysctl that no repair may set",
				  path);
	if (kc_after_prefix(path, "/etc/modprobe.d/") && gains_line(step, runs_command))
		return kc_err_set(err, -EPERM,
				  "%s: it would gain a line by which modprobe runs a command",
				  path);
	return 0;
}

/* What is made anew is its owner's to write, and no program. */
static int check_mode(const struct kc_step *step, struct kc_err *err)
{
	uint32_t most = 07777;

	if (step->kind == KC_STEP_MAKE_DIR)
		most = 0755;
	else if (step->kind == KC_STEP_WRITE_FILE)
		most = 0644;
	if (step->mode & ~most)
		return kc_err_set(err, -EINVAL, "%.200s: mode %04o is none that a repair may give",
				  step->target ? step->target : "the step", step->mode);
	return 0;
}

int kc_policy_step(const struct kc_step *step, struct kc_err *err)
{
	const bool needs_target = step->kind != KC_STEP_SYSTEMD_RELOAD &&
				  step->kind != KC_STEP_MANUAL &&
				  step->kind != KC_STEP_SELINUX_MODE;
	int r;

	if (needs_target && (!step->target || !*step->target))
		return kc_err_set(err, -EINVAL, "a step of kind %u has no target", step->kind);
	r = check_mode(step, err);
	if (r < 0)
		return r;
	switch (step->kind) {
	case KC_STEP_MAKE_DIR:
	case KC_STEP_MOVE_ASIDE:
	case KC_STEP_REMOVE_FILE:
	case KC_STEP_SET_MODE:
		return kc_policy_path(step->kind, step->target, err);
	case KC_STEP_WRITE_FILE:
	case KC_STEP_EDIT_FILE:
		r = kc_policy_path(step->kind, step->target, err);
		return r < 0 ? r : kc_policy_content(step, step->target, err);
	case KC_STEP_SYSTEMD_RELOAD:
	case KC_STEP_MANUAL:
		return 0;
	default:
		return kc_policy_runtime(step->kind, step->target, step->content, err);
	}
}

static bool is_unit_of(const char *target, const char *const *units)
{
	KC_FOREACH_STR (unit, units) {
		if (kc_after_prefix(target, unit))
			return true;
	}
	return false;
}

static uint32_t flags_of_unit(uint32_t kind, const char *unit)
{
	static const char *const guards[] = { "firewalld.", "nftables.", "iptables.", "ufw.",
					      "auditd.",    "apparmor.", NULL };
	static const char *const carries[] = { "crio.",	     "cri-o.",	 "containerd.", "docker.",
					       "cri-docker", "kubelet.", "firewalld.",	NULL };
	const bool ends = kind == KC_STEP_UNIT_DISABLE || kind == KC_STEP_UNIT_MASK ||
			  kind == KC_STEP_UNIT_STOP;
	const bool now = kind == KC_STEP_UNIT_STOP || kind == KC_STEP_UNIT_RESTART ||
			 (kind == KC_STEP_UNIT_START && kc_after_prefix(unit, "firewalld."));
	uint32_t flags = 0;

	if (ends && is_unit_of(unit, guards))
		flags |= KC_STEP_WEAKENS;
	if (now && (kind == KC_STEP_UNIT_STOP || is_unit_of(unit, carries)))
		flags |= KC_STEP_DISTURBS;
	return flags;
}

uint32_t kc_policy_flags(const struct kc_step *step)
{
	/* One without is refused, and yet has flags to be shown. */
	const char *target = step->target ? step->target : "";

	switch (step->kind) {
	case KC_STEP_SELINUX_MODE:
		return step->content && kc_streq(step->content, "permissive") ? KC_STEP_WEAKENS
									      : KC_STEP_DISTURBS;
	case KC_STEP_FIREWALLD_ZONE:
	case KC_STEP_FIREWALLD_PORT:
		return KC_STEP_WEAKENS | KC_STEP_DISTURBS;
	case KC_STEP_SWAP_OFF:
		return KC_STEP_DISTURBS;
	case KC_STEP_UNIT_DISABLE:
	case KC_STEP_UNIT_MASK:
	case KC_STEP_UNIT_START:
	case KC_STEP_UNIT_STOP:
	case KC_STEP_UNIT_RESTART:
		return flags_of_unit(step->kind, target);
	case KC_STEP_WRITE_FILE:
	case KC_STEP_EDIT_FILE:
	case KC_STEP_MOVE_ASIDE:
	case KC_STEP_REMOVE_FILE:
		/* The runtime watches that folder. */
		if (kc_after_prefix(target, "/etc/cni/"))
			return KC_STEP_DISTURBS;
		if (kc_after_prefix(target, "/etc/firewalld/"))
			return KC_STEP_WEAKENS;
		return 0;
	case KC_STEP_SYSCTL:
		if (kc_endswith(target, "forwarding") || kc_endswith(target, "ip_forward"))
			return step->content && kc_streq(step->content, "0") ? KC_STEP_DISTURBS : 0;
		return 0;
	default:
		return 0;
	}
}
