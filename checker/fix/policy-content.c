/* SPDX-License-Identifier: Apache-2.0 */
#include "policy-parts.h"
#include "policy.h"

struct text {
	const char *data;
	size_t size;
};

/* What files of some places must not gain, or lose, by a repair. */
struct rule {
	const char *paths[6];
	kc_policy_spread *spread; /* NULL: the file's own lines */
	kc_policy_line *gains, *loses; /* either may be NULL */
	const char *fault;
};

static const struct rule rules[] = {
	{ { "/etc/sysctl.d", "/etc/sysctl.conf" },
	  .gains = kc_policy_sysctl_line,
	  .fault = "it would set a sysctl that no repair may set, or to less than is strict" },
	{ { "/etc/modprobe.d" },
	  .spread = kc_policy_modprobe_lines,
	  .gains = kc_policy_modprobe_line,
	  .fault = "it would gain a line by which modprobe runs a command" },
	{ { "/etc/systemd/zram-generator.conf*" },
	  .gains = kc_policy_zram_line,
	  .fault = "it would gain a line by which a program is run, or something is mounted" },
	{ { "/etc/crio/*.conf*", "/etc/containerd", "/etc/containers/*.conf*" },
	  .gains = kc_policy_runtime_line,
	  .fault = "it would gain a line that names a program out of another place than /usr and "
		   "/opt, or whose meaning is not sure" },
	{ { "/etc/cni" },
	  .spread = kc_policy_cni_types,
	  .gains = kc_policy_cni_type,
	  .fault = "it would gain a \"type\" that is a path, and not the name of a plugin" },
	{ { "/etc/sysconfig/kubelet", "/etc/default/kubelet", "/var/lib/kubelet/*.env" },
	  .gains = kc_policy_kubelet_line,
	  .fault = "it would gain a line that is no variable of the kubelet's own" },
	{ { "/etc/sysconfig/kubelet", "/etc/default/kubelet", "/var/lib/kubelet/*.env" },
	  .spread = kc_policy_kubelet_words,
	  .gains = kc_policy_kubelet_word,
	  .fault = "it would gain a flag by which the kubelet lets others in, or runs what they "
		   "have" },
	{ { "/var/lib/kubelet/config*" },
	  .gains = kc_policy_kubelet_config_line,
	  .fault = "it would gain a line by which the kubelet lets others in or runs what they "
		   "have, or whose meaning is not sure" },
	{ { "/etc/yum.repos.d", "/etc/yum.conf", "/etc/dnf" },
	  .gains = kc_policy_package_line,
	  .loses = kc_policy_package_guard,
	  .fault = "no repair may change where packages come from, and whether they are signed" },
	{ { "/etc/fstab" },
	  .spread = kc_policy_mounts,
	  .gains = kc_policy_mount,
	  .loses = kc_policy_mount_guard,
	  .fault = "it would mount something else, or with options that let more happen" },
};

/* A line ends where any of its readers ends it: systemd takes a CR and a NUL for it, too. */
static const char *line_end(const char *p, const char *end)
{
	while (p < end && *p != '\n' && *p != '\r' && *p != '\0')
		p++;
	return p;
}

static bool has_line(const struct text *text, const char *line, size_t n)
{
	const char *end = text->data + text->size;

	for (const char *p = text->data; p < end;) {
		const char *stop = line_end(p, end);

		if ((size_t)(stop - p) == n && memcmp(p, line, n) == 0)
			return true;
		p = stop + 1;
	}
	return false;
}

static bool has_control(const char *line)
{
	for (const char *p = line; *p; p++) {
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
			return true;
	}
	return false;
}

/* True when `text` has a line that is one of those, and `old` has not. */
static bool gains_line(const struct text *text, const struct text *old, kc_policy_line *is_one)
{
	const char *p = text->data, *end = p + text->size;
	kc_cleanup(kc_buf_done) struct kc_buf line = { 0 };

	for (const char *stop; p < end; p = stop + 1) {
		stop = line_end(p, end);
		if (stop == p)
			continue;
		kc_buf_reset(&line);
		kc_buf_add(&line, p, (size_t)(stop - p));
		if (kc_buf_error(&line))
			return true;
		if ((has_control(line.data) || is_one(line.data)) &&
		    !has_line(old, p, (size_t)(stop - p)))
			return true;
	}
	return false;
}

static bool is_broken(const struct rule *rule, const struct text *text, const struct text *old)
{
	return (rule->gains && gains_line(text, old, rule->gains)) ||
	       (rule->loses && gains_line(old, text, rule->loses));
}

/* The same of what the texts say, where lines alone do not tell. */
static bool is_broken_spread(const struct rule *rule, const struct text *text,
			     const struct text *old)
{
	kc_cleanup(kc_buf_done) struct kc_buf new_facts = { 0 }, old_facts = { 0 };

	rule->spread(text->data, text->size, &new_facts);
	rule->spread(old->data, old->size, &old_facts);
	if (kc_buf_error(&new_facts) || kc_buf_error(&old_facts))
		return true;
	return is_broken(rule, &(struct text){ new_facts.data, new_facts.len },
			 &(struct text){ old_facts.data, old_facts.len });
}

/* Of an edit alone is it known to be what is there. */
static struct text old_text(const struct kc_step *step)
{
	if (step->kind == KC_STEP_EDIT_FILE && step->before)
		return (struct text){ step->before, step->before_size };
	return (struct text){ "", 0 };
}

int kc_policy_content(const struct kc_step *step, const char *path, struct kc_err *err)
{
	const struct text text = { step->content, step->content_size }, old = old_text(step);

	if (!step->content || step->content_size > KC_POLICY_CONTENT_MAX)
		return kc_err_set(err, -EINVAL, "%s: its new text is missing or too large", path);
	if (step->kind == KC_STEP_EDIT_FILE && !step->before)
		return kc_err_set(err, -EINVAL, "%s: an edit without the text it was made from",
				  path);
	for (size_t i = 0; i < KC_ARRAY_SIZE(rules); i++) {
		const struct rule *rule = &rules[i];

		if (kc_policy_is_listed(rule->paths, path) &&
		    (rule->spread ? is_broken_spread : is_broken)(rule, &text, &old))
			return kc_err_set(err, -EPERM, "%s: %s", path, rule->fault);
	}
	return 0;
}

bool kc_policy_is_content_weaker(const struct kc_step *step, const char *path)
{
	const struct text text = { step->content, step->content_size }, old = old_text(step);

	/* Without the file there is no mode to be enforced. */
	return kc_streq(path, "/etc/selinux/config") &&
	       (!step->content || gains_line(&text, &old, kc_policy_selinux_line));
}
