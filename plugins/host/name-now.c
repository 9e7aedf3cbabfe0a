/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/cidr.h"
#include "name.h"
#include "node-name.h"

static const char expected_address[] = "an address of an interface, not loopback or link-local";

/* What the addresses of a name come to. */
struct answer {
	const char *name;
	struct kc_strings addresses;
	struct kc_pairs local; /* interface to ADDRESS/PREFIX */
	struct kc_buf found, foreign;
	unsigned n_good, n_loopback, n_foreign;
};

static void answer_done(struct answer *answer)
{
	kc_buf_done(&answer->found);
	kc_buf_done(&answer->foreign);
}

static bool same_address(const struct kc_cidr *a, const struct kc_cidr *b)
{
	return a->family == b->family &&
	       memcmp(a->address, b->address, a->family == 4 ? 4 : 16) == 0;
}

/* The interface that has an address, or NULL. */
static const char *find_interface(const struct kc_pairs *local, const struct kc_cidr *address)
{
	for (size_t i = 0; i < local->n; i++) {
		struct kc_cidr own;

		if (kc_cidr_parse(local->item[i].value, &own) == 0 && same_address(&own, address))
			return local->item[i].key;
	}
	return NULL;
}

/* Counts an address as the kubelet would take or refuse it for its node. */
static int sort_address(struct answer *answer, const char *text)
{
	const char *comma = answer->found.len > 0 ? ", " : "", *interface;
	struct kc_cidr address;
	int r;

	r = kc_cidr_parse(text, &address);
	if (r < 0)
		return r;
	interface = find_interface(&answer->local, &address);
	if (kc_cidr_is_loopback(&address)) {
		answer->n_loopback++;
		kc_buf_addf(&answer->found, "%s%s (loopback)", comma, text);
	} else if (kc_cidr_is_link_local(&address)) {
		kc_buf_addf(&answer->found, "%s%s (link-local)", comma, text);
	} else if (interface) {
		answer->n_good++;
		kc_buf_addf(&answer->found, "%s%s (%s)", comma, text, interface);
	} else {
		answer->n_foreign++;
		kc_buf_addf(&answer->foreign, "%s%s", answer->foreign.len > 0 ? ", " : "", text);
		kc_buf_addf(&answer->found, "%s%s (on no interface)", comma, text);
	}
	return 0;
}

/* A sentence about what is wrong, or odd though it passes; NULL where there is nothing to say. */
static const char *explain(const struct host_name_rule *rule, const struct answer *answer)
{
	const struct host_rule *base = &rule->base;
	const char *source, *addresses;
	bool loopback;

	if (answer->n_foreign > 0)
		return kc_text(base->host, base->run,
			       answer->n_good > 0
				       ? "No interface has %s: who looks up the name may reach "
					 "another host."
				       : "No interface has %s: the name is another host's, or its "
					 "entry is out of date.",
			       answer->foreign.data);
	if (answer->n_good > 0 || answer->n_loopback == 0)
		return NULL;
	if (host_name_in_hosts(rule, answer->name, &loopback, &source, &addresses) == 0 && loopback)
		return host_name_loopback_advice(rule, source, answer->name);
	return "The name leads to this host from itself alone: give it an address in DNS or "
	       "/etc/hosts.";
}

static int report_answer(const struct host_name_rule *rule, struct answer *answer,
			 const char *source)
{
	const struct host_rule *base = &rule->base;

	for (size_t i = 0; i < answer->addresses.n; i++) {
		if (sort_address(answer, answer->addresses.item[i]) < 0)
			return kc_report(base->host, base->run, KC_NOW, KC_ERROR, "address",
					 expected_address, answer->addresses.item[i], source,
					 "What the lookup gave is no address.");
	}
	if (kc_buf_error(&answer->found) < 0 || kc_buf_error(&answer->foreign) < 0)
		return -ENOMEM;
	return kc_report(base->host, base->run, KC_NOW, answer->n_good > 0 ? KC_PASS : KC_FAIL,
			 "address", expected_address,
			 answer->found.data ? answer->found.data : "no address", source,
			 explain(rule, answer));
}

/* The lookup failed. Who was not given the time that the rule allows has not failed. */
static int report_failure(const struct host_name_rule *rule, int code, uint64_t left,
			  const char *source)
{
	const struct host_rule *base = &rule->base;
	const bool answered = code == -ENOENT || (code == -ETIMEDOUT && left >= rule->timeout_usec);

	if (!answered)
		return kc_report_error(base->host, base->run, KC_NOW, "address", source);
	return kc_report(base->host, base->run, KC_NOW, KC_FAIL, "address", expected_address,
			 code == -ENOENT ? "no address" : "no answer", source,
			 kc_why(base->host, base->run));
}

static int judge_address(const struct host_name_rule *rule, const char *name)
{
	const struct host_rule *base = &rule->base;
	kc_cleanup(answer_done) struct answer answer = { .name = name };
	/* A lookup is never given the rule's whole time: a tenth of it stays. */
	const uint64_t left = kc_time_left(base->host, base->run) / 10 * 9;
	const char *source =
		kc_text(base->host, base->run, "lookup of %s, as /etc/nsswitch.conf says", name);
	int r;

	r = kc_lookup(base->host, base->run, name, rule->timeout_usec, &answer.addresses);
	if (r < 0)
		return report_failure(rule, r, left, source);
	r = kc_addresses(base->host, base->run, &answer.local);
	if (r < 0)
		return kc_report_error(base->host, base->run, KC_NOW, "address", "the interfaces");
	return report_answer(rule, &answer, source);
}

int host_name_judge_now(const struct host_name_rule *rule)
{
	const struct host_rule *base = &rule->base;
	const char *source = "the rule's parameter \"name\"", *name = rule->given, *fault;
	int r;

	if (!name) {
		source = "/proc/sys/kernel/hostname";
		r = host_name_running(rule, &name);
		if (r < 0)
			return kc_report_error(base->host, base->run, KC_NOW, "name", source);
	}
	fault = host_node_name_fault(name);
	if (fault)
		return host_name_report_fault(rule, KC_NOW, name, source, fault);
	r = kc_report(base->host, base->run, KC_NOW, KC_PASS, "name", "a name that a node can have",
		      name, source, NULL);
	return r < 0 ? r : judge_address(rule, name);
}
