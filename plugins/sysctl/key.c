/* SPDX-License-Identifier: Apache-2.0 */
#include "key.h"
#include "formats/formats.h"

/* One variable under two names (net/ipv4/devinet.c, net/netfilter/nf_conntrack_standalone.c). */
static const char *const aliases[][2] = {
	{ "net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding" },
	{ "net/netfilter/nf_conntrack_max", "net/nf_conntrack_max" },
};

/*
 * Defaults, with the place in the kernel's sources or documentation that says so:
 *   net.bridge.bridge-nf-call-*    net/bridge/br_netfilter_hooks.c
 *   net.ipv4.ip_forward            Documentation/networking/ip-sysctl.rst
 *   net.ipv6.conf.*.forwarding     Documentation/networking/ip-sysctl.rst
 *   vm.swappiness                  Documentation/admin-guide/sysctl/vm.rst
 *   vm.overcommit_memory           Documentation/admin-guide/sysctl/vm.rst
 *   vm.panic_on_oom                Documentation/admin-guide/sysctl/vm.rst
 *   fs.inotify.max_user_instances  fs/notify/inotify/inotify_user.c
 *   kernel.keys.root_max*          security/keys/key.c, since Linux 3.17
 *   kernel.panic                   CONFIG_PANIC_TIMEOUT: 0 in all large distributions
 * kernel.panic_on_oops has none: CONFIG_PANIC_ON_OOPS is set in the kernels of the RHEL family
 * alone.
 */
static const char *const defaults[][2] = {
	{ "net/bridge/bridge-nf-call-iptables", "1" },
	{ "net/bridge/bridge-nf-call-ip6tables", "1" },
	{ "net/bridge/bridge-nf-call-arptables", "1" },
	{ "net/ipv4/ip_forward", "0" },
	{ "net/ipv4/conf/all/forwarding", "0" },
	{ "net/ipv6/conf/all/forwarding", "0" },
	{ "net/ipv6/conf/default/forwarding", "0" },
	{ "vm/swappiness", "60" },
	{ "vm/overcommit_memory", "0" },
	{ "vm/panic_on_oom", "0" },
	{ "kernel/keys/root_maxkeys", "1000000" },
	{ "kernel/keys/root_maxbytes", "25000000" },
	{ "kernel/panic", "0" },
	{ "fs/inotify/max_user_instances", "128" },
};

static const char *const modules[][2] = {
	{ "net/bridge/", "br_netfilter" },
};

const char *sysctl_key_alias(const char *key)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(aliases); i++) {
		if (kc_streq(key, aliases[i][0]))
			return aliases[i][1];
		if (kc_streq(key, aliases[i][1]))
			return aliases[i][0];
	}
	return NULL;
}

const char *sysctl_key_module(const char *key)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(modules); i++) {
		if (kc_after_prefix(key, modules[i][0]))
			return modules[i][1];
	}
	return NULL;
}

const char *sysctl_key_default(const char *key)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(defaults); i++) {
		if (kc_streq(key, defaults[i][0]))
			return defaults[i][1];
	}
	return NULL;
}
