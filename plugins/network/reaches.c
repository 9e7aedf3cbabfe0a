/* SPDX-License-Identifier: Apache-2.0 */
#include "network-descriptor.h"
#include "network.h"

enum {
	ADDRESSES_MAX = 8 /* of a name that are tried */
};

struct target {
	const struct kc_host *host;
	struct kc_run *run;
	const char *name; /* a name, or a numeric address */
	const char *subject;
	uint16_t port;
	uint64_t timeout;
};

static const char *end_point(const struct target *t, const char *address)
{
	return kc_text(t->host, t->run, strchr(address, ':') ? "[%s]:%u" : "%s:%u", address,
		       t->port);
}

static int report(const struct target *t, uint32_t verdict, const char *found, const char *source,
		  const char *message)
{
	return kc_report(t->host, t->run, KC_NOW, verdict, t->subject,
			 kc_text(t->host, t->run, "an answer within %llu ms",
				 (unsigned long long)(t->timeout / 1000)),
			 found, source, message);
}

/* What the network said; NULL when the answer says nothing about the network. */
static const char *refusal(int code)
{
	switch (code) {
	case -ECONNREFUSED:
		return "refused";
	case -ETIMEDOUT:
		return "no answer";
	case -EHOSTUNREACH:
		return "no route to the host";
	case -ENETUNREACH:
		return "the network is unreachable";
	case -ENETDOWN:
	case -EHOSTDOWN:
		return "down";
	case -ECONNRESET:
		return "reset";
	default:
		return NULL;
	}
}

/* What one address may take: what the rule says, as long as it has it. */
static uint64_t patience(const struct target *t)
{
	uint64_t left = kc_time_left(t->host, t->run);

	return KC_MIN(t->timeout, left - left / 8);
}

/* Tries one after another, until one answers. */
static int try_addresses(const struct target *t, const struct kc_strings *addresses)
{
	const char *found = NULL, *unknown = NULL, *where = NULL;

	for (size_t i = 0; i < addresses->n && i < ADDRESSES_MAX; i++) {
		const char *address = addresses->item[i], *point = end_point(t, address);
		const char *said;
		int r = kc_try_port(t->host, t->run, address, t->port, patience(t));

		if (!r)
			return report(t, KC_PASS, "an answer", point,
				      found ? kc_text(t->host, t->run, "Before it: %s.", found)
					    : NULL);
		said = refusal(r);
		if (!said && !unknown)
			unknown = kc_text(t->host, t->run, "%s", kc_why(t->host, t->run));
		said = kc_text(t->host, t->run, "%s: %s", point, said ? said : "not tried");
		found = found ? kc_text(t->host, t->run, "%s; %s", found, said) : said;
		where = where ? kc_text(t->host, t->run, "%s, %s", where, point) : point;
	}
	return report(t, unknown ? KC_ERROR : KC_FAIL, found, where, unknown);
}

static int look_up(const struct target *t)
{
	struct kc_strings addresses;
	struct kc_cidr numeric;
	const char *why;
	int r;

	if (kc_cidr_parse(t->name, &numeric) == 0 && !strchr(t->name, '/')) {
		const char *item[] = { t->name, NULL };

		addresses = (struct kc_strings){ .n = 1, .item = item };
		return try_addresses(t, &addresses);
	}
	r = kc_lookup(t->host, t->run, t->name, patience(t), &addresses);
	if (!r && addresses.n)
		return try_addresses(t, &addresses);
	if (!r)
		return report(t, KC_ERROR, NULL, t->name, "The resolver gave no address.");
	why = kc_text(t->host, t->run, "%s", kc_why(t->host, t->run));
	/* Who joins looks the name up in the same way, and gets no further. */
	if (r == -ENOENT || r == -ETIMEDOUT)
		return report(t, KC_FAIL,
			      r == -ENOENT ? "the name has no address" : "no answer about the name",
			      t->name, why);
	return report(t, KC_ERROR, NULL, t->name, why);
}

static int read_target(struct target *t, struct kc_arena *arena, const char *address, int64_t port)
{
	uint16_t own;
	int r = network_endpoint_parse(address, arena, &t->name, &own);

	if (r)
		return r;
	if (!own && (port < 1 || port > 65535))
		return -EINVAL;
	t->port = own ? own : (uint16_t)port;
	t->subject = end_point(t, t->name);
	return 0;
}

int network_reaches_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = NETWORK_MEMORY_MAX };
	struct target t = { .host = host, .run = run };
	const char *address;
	int64_t port, timeout;
	int r;

	r = kc_param_string(host, run, "address", &address);
	if (!r)
		r = kc_param_number(host, run, "port", &port);
	if (!r)
		r = kc_param_number(host, run, "timeout", &timeout);
	if (r)
		return r;
	if (!*address)
		return kc_report_skip(host, run, KC_NOW, NULL, "not-given",
				      "The rule names no address to reach.");
	t.timeout = timeout > 0 ? (uint64_t)timeout : 1;
	r = read_target(&t, &arena, address, port);
	if (r == -EINVAL)
		return kc_report(host, run, KC_NOW, KC_ERROR, address,
				 "ADDRESS, NAME or ADDRESS:PORT, and a port from 1 to 65535",
				 kc_text(host, run, "%s, port %lld", address, (long long)port),
				 NULL, "The rule's parameters name no end point.");
	if (r)
		return r;
	r = network_is_hosts(host, run);
	return r == 1 ? look_up(&t) : r;
}
