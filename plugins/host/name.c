/* SPDX-License-Identifier: Apache-2.0 */
#include "name.h"
#include "formats/cidr.h"
#include "host-descriptor.h"
#include "hosts-file.h"
#include "node-name.h"

enum {
	HOSTS_MAX = 1 << 20,
	ENTRIES_MAX = 16,
};

static const char hosts_file[] = "/etc/hosts";

int host_name_running(const struct host_name_rule *rule, const char **ret_name)
{
	const char *release, *machine;

	return kc_kernel(rule->base.host, rule->base.run, &release, &machine, ret_name);
}

int host_name_report_fault(const struct host_name_rule *rule, uint32_t horizon, const char *name,
			   const char *source, const char *fault)
{
	return kc_report(rule->base.host, rule->base.run, horizon, KC_FAIL, "name",
			 "a name that a node can have", *name ? name : "no name", source,
			 kc_text(rule->base.host, rule->base.run, "'%.300s': %s.", name, fault));
}

static bool is_loopback(const char *address)
{
	struct kc_cidr cidr;

	return kc_cidr_parse(address, &cidr) == 0 && kc_cidr_is_loopback(&cidr);
}

int host_name_in_hosts(const struct host_name_rule *rule, const char *name, bool *ret_loopback,
		       const char **ret_source, const char **ret_addresses)
{
	const struct host_rule *base = &rule->base;
	struct host_hosts_entry entries[ENTRIES_MAX];
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_bytes text;
	bool loopback = true;
	int r;

	r = kc_read_file(base->host, base->run, hosts_file, HOSTS_MAX, &text);
	if (r < 0)
		return r;
	r = host_hosts_find(text.data, text.size, name, base->arena, entries, ENTRIES_MAX);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	for (int i = 0; i < KC_MIN(r, (int)ENTRIES_MAX); i++) {
		loopback = loopback && is_loopback(entries[i].address);
		kc_buf_addf(&b, "%s%s", i > 0 ? ", " : "", entries[i].address);
	}
	if (kc_buf_error(&b) < 0)
		return -ENOMEM;
	*ret_loopback = loopback && r <= ENTRIES_MAX;
	*ret_source = kc_text(base->host, base->run, "%s:%u", hosts_file, entries[0].line);
	*ret_addresses = kc_text(base->host, base->run, "%s", b.data);
	return 0;
}

const char *host_name_loopback_advice(const struct host_name_rule *rule, const char *source,
				      const char *name)
{
	return kc_text(rule->base.host, rule->base.run,
		       "%s gives %s a loopback address, as Debian's installer does with 127.0.1.1 "
		       "where a host has no fixed address: put the address of its interface in "
		       "that place.",
		       source, name);
}

int host_name_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = HOST_RULE_MEMORY_MAX };
	struct host_name_rule rule = { .base = { .host = host, .run = run, .arena = &arena } };
	const uint32_t horizons = kc_horizons(host, run);
	int64_t timeout;
	int r;

	r = kc_param_number(host, run, "timeout", &timeout);
	if (r < 0)
		return r;
	r = kc_param_string(host, run, "name", &rule.given);
	if (r < 0 && r != -ENOENT)
		return r;
	rule.timeout_usec = timeout > 0 ? (uint64_t)timeout : 1;
	r = horizons & KC_NOW ? host_name_judge_now(&rule) : 0;
	if (!r && horizons & KC_BOOT)
		r = host_name_judge_boot(&rule);
	return r;
}
