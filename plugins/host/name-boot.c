/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/boot-arguments.h"
#include "name.h"
#include "node-name.h"

enum {
	HOSTNAME_MAX = 64 * 1024,
};

static const char hostname_file[] = "/etc/hostname";

/* The name that the next start will set, and where it stands. */
struct boot_name {
	const char *name, *source;
	const char *note; /* a sentence about the kernel's arguments, or NULL */
};

static int report_error(const struct host_name_rule *rule, const char *source, const char *message)
{
	int r = kc_report(rule->base.host, rule->base.run, KC_BOOT, KC_ERROR, "name", NULL, NULL,
			  source, message);

	return r < 0 ? r : 1;
}

/* What the kernel will be told (systemd.hostname=), which beats the file since systemd 246. 1: it
 * has been reported. */
static int find_argument(const struct host_name_rule *rule, struct boot_name *name)
{
	const struct host_rule *base = &rule->base;
	struct kc_boot_arguments arguments = { 0 };
	const struct kc_kernel_argument *argument;
	const char *why;
	int r;

	r = kc_boot_arguments_read(base->host, base->run, base->arena, &arguments, &why);
	if (r == -ENOMEM)
		return r;
	if (r == -ENOENT)
		name->note = "No entry of a boot loader was found, which could name the host, too.";
	else if (r < 0)
		return report_error(rule, "systemd.hostname= of the kernel's arguments",
				    kc_text(base->host, base->run, "%s", why));
	if (r < 0)
		return 0;
	argument = kc_kernel_argument_last(arguments.item, arguments.n, "systemd.hostname");
	if (!argument || !argument->value || !*argument->value)
		return 0;
	*name = (struct boot_name){
		.name = kc_text(base->host, base->run, "%s", argument->value),
		.source = kc_text(base->host, base->run, "%s: systemd.hostname=", arguments.source),
		.note = arguments.note ? kc_text(base->host, base->run, "%s", arguments.note)
				       : NULL,
	};
	return 0;
}

/* What /etc/hostname says. 1: it has been reported. */
static int find_in_file(const struct host_name_rule *rule, struct boot_name *name)
{
	const struct host_rule *base = &rule->base;
	struct kc_bytes text;
	unsigned line;
	int r;

	r = kc_read_file(base->host, base->run, hostname_file, HOSTNAME_MAX, &text);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return report_error(rule, hostname_file, kc_why(base->host, base->run));
	r = host_hostname_parse(text.data, text.size, base->arena, &name->name, &line);
	if (r == -EBADMSG)
		return report_error(rule, hostname_file,
				    "/etc/hostname: has NUL bytes, and is no text.");
	if (!r)
		name->source = kc_text(base->host, base->run, "%s:%u", hostname_file, line);
	return r == -ENOENT ? 0 : r;
}

/* 1: it has been reported. */
static int find_name(const struct host_name_rule *rule, struct boot_name *ret_name)
{
	struct boot_name name = { 0 };
	int r;

	r = find_argument(rule, &name);
	if (r == 0 && !name.name)
		r = find_in_file(rule, &name);
	if (r != 0)
		return r;
	if (!name.name || host_name_is_localhost(name.name)) {
		r = kc_report_skip(rule->base.host, rule->base.run, KC_BOOT, "name", "set-at-start",
				   name.name ? kc_text(rule->base.host, rule->base.run,
						       "%s says localhost, which a name from the "
						       "network replaces.",
						       name.source)
					     : "/etc/hostname does not name the host.");
		return r < 0 ? r : 1;
	}
	*ret_name = name;
	return 0;
}

/* A node that comes back under another name is another node. 1: it has been reported. */
static int judge_change(const struct host_name_rule *rule, const struct boot_name *next)
{
	const struct host_rule *base = &rule->base;
	const char *running;
	int r;

	if (rule->given || !kc_is_live(base->host, base->run))
		return 0;
	r = host_name_running(rule, &running);
	if (r < 0) {
		r = kc_report_error(base->host, base->run, KC_BOOT, "name",
				    "/proc/sys/kernel/hostname");
		return r < 0 ? r : 1;
	}
	if (kc_streq(running, next->name))
		return 0;
	r = kc_report(
		base->host, base->run, KC_BOOT, KC_FAIL, "name", running, next->name, next->source,
		kc_text(base->host, base->run,
			"The running system is called '%s': after the next start the kubelet "
			"registers a second node. hostnamectl set-hostname sets both names.%s%s",
			running, next->note ? " " : "", next->note ? next->note : ""));
	return r < 0 ? r : 1;
}

/* /etc/hosts is what a lookup asks first; what DNS will say then cannot be known now. */
static int judge_hosts(const struct host_name_rule *rule, const struct boot_name *next)
{
	const struct host_rule *base = &rule->base;
	static const char expected[] = "no loopback address in /etc/hosts";
	const char *source, *addresses;
	bool loopback;
	int r;

	r = host_name_in_hosts(rule, next->name, &loopback, &source, &addresses);
	if (r == -ENOMEM)
		return r;
	if (r == -ENOENT)
		return kc_report(base->host, base->run, KC_BOOT, KC_PASS, "address", expected,
				 "not in /etc/hosts", "/etc/hosts",
				 "What DNS says of the name is judged now alone.");
	if (r < 0)
		return kc_report_error(base->host, base->run, KC_BOOT, "address", "/etc/hosts");
	return kc_report(base->host, base->run, KC_BOOT, loopback ? KC_FAIL : KC_PASS, "address",
			 expected, addresses, source,
			 loopback ? host_name_loopback_advice(rule, source, next->name) : NULL);
}

int host_name_judge_boot(const struct host_name_rule *rule)
{
	struct boot_name next = { .name = rule->given, .source = "the rule's parameter \"name\"" };
	const char *fault;
	int r;

	r = next.name ? 0 : find_name(rule, &next);
	if (r != 0)
		return r < 0 ? r : 0;
	fault = host_node_name_fault(next.name);
	if (fault)
		return host_name_report_fault(rule, KC_BOOT, next.name, next.source, fault);
	r = judge_change(rule, &next);
	if (r != 0)
		return r < 0 ? r : 0;
	r = kc_report(rule->base.host, rule->base.run, KC_BOOT, KC_PASS, "name",
		      "a name that a node can have", next.name, next.source, next.note);
	return r < 0 ? r : judge_hosts(rule, &next);
}
