/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu-list.h"
#include "host-descriptor.h"
#include "host.h"
#include "proc-text.h"

enum {
	STATUS_MAX = 64 * 1024,
	LIST_MAX = 64 * 1024,
};

static const char status_file[] = "/proc/self/status",
		  online_file[] = "/sys/devices/system/cpu/online";
static const char present_file[] = "/sys/devices/system/cpu/present";

static int read_list(const struct host_rule *rule, const char *file, struct host_cpus *ret_cpus)
{
	struct kc_bytes text;
	int r;

	r = kc_read_file(rule->host, rule->run, file, LIST_MAX, &text);
	return r < 0 ? r : host_cpus_parse(text.data, text.size, ret_cpus);
}

/* Those that the scheduler may put this process on; the kernel lists CPUs here that are not there,
 * too. */
static int read_allowed(const struct host_rule *rule, struct host_cpus *ret_cpus)
{
	struct kc_bytes text;
	const char *value;
	size_t n;
	int r;

	r = kc_read_file(rule->host, rule->run, status_file, STATUS_MAX, &text);
	if (r < 0)
		return r;
	value = host_proc_field(text.data, text.size, "Cpus_allowed_list", &n);
	return value ? host_cpus_parse(value, n, ret_cpus) : -EBADMSG;
}

/* A list that cannot be had: what the door says, or that its text is none. */
static int report_unreadable(const struct host_rule *rule, int code, const char *file)
{
	if (code == -EINVAL || code == -ERANGE || code == -EBADMSG)
		return kc_report(rule->host, rule->run, KC_NOW, KC_ERROR, "CPUs", NULL, NULL, file,
				 kc_text(rule->host, rule->run, "%s: has no list of CPUs.", file));
	return kc_report_error(rule->host, rule->run, KC_NOW, "CPUs", file);
}

/* What could give more of them, where there is such a thing. */
static const char *explain(const struct host_rule *rule, unsigned usable, unsigned online)
{
	struct host_cpus present;
	unsigned n;

	if (usable < online)
		return kc_text(rule->host, rule->run,
			       "%u are online: an affinity (taskset, CPUAffinity= of systemd) or a "
			       "cpuset keeps this process, and kubeadm started like it, from the "
			       "others.",
			       online);
	if (read_list(rule, present_file, &present) < 0)
		return NULL;
	n = host_cpus_count(&present);
	if (n <= online)
		return NULL;
	return kc_text(rule->host, rule->run,
		       "%u are there and switched off (%s has %u): nosmt, maxcpus= or nr_cpus= of "
		       "the kernel's arguments, or the CPUs' own files below /sys, do that.",
		       n - online, present_file, n);
}

static int judge(const struct host_rule *rule, uint64_t wanted, const struct host_cpus *allowed,
		 const struct host_cpus *online)
{
	struct host_cpus usable = *allowed;
	const char *message = NULL;
	unsigned n, all = host_cpus_count(online);

	host_cpus_intersect(&usable, online);
	n = host_cpus_count(&usable);
	if (n < wanted || n < all)
		message = explain(rule, n, all);
	return kc_report(
		rule->host, rule->run, KC_NOW, n >= wanted ? KC_PASS : KC_FAIL, "CPUs",
		kc_text(rule->host, rule->run, "at least %llu", (unsigned long long)wanted),
		n < all ? kc_text(rule->host, rule->run, "%u of the %u online", n, all)
			: kc_text(rule->host, rule->run, "%u", n),
		n < all ? kc_text(rule->host, rule->run, "%s: Cpus_allowed_list; %s", status_file,
				  online_file)
			: online_file,
		message);
}

int host_cpus_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	const struct host_rule rule = { .host = host, .run = run };
	struct host_cpus allowed, online;
	uint64_t wanted;
	int r;

	r = host_param(&rule, "at-least", 1, HOST_CPUS_MAX, &wanted);
	if (r < 0)
		return host_judged(r);
	r = read_allowed(&rule, &allowed);
	if (r < 0)
		return report_unreadable(&rule, r, status_file);
	r = read_list(&rule, online_file, &online);
	if (r < 0)
		return report_unreadable(&rule, r, online_file);
	return judge(&rule, wanted, &allowed, &online);
}
