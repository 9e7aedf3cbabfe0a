/* SPDX-License-Identifier: Apache-2.0 */
#include "network-descriptor.h"
#include "network.h"

enum {
	PODS_MAX = 64,
	OVERLAPS_MAX = 16, /* shown of one network */
};

/* What has addresses in common with a pod network. */
struct overlap {
	struct kc_cidr with;
	const char *interface;
	const char *found, *source;
};

struct pod_network {
	const char *text; /* as the rule has it */
	struct kc_cidr cidr;
	struct overlap overlap[OVERLAPS_MAX];
	size_t n, more;
	const char *own; /* the first overlap that the pod network itself has made */
};

struct pods {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
	struct kc_strings ignore;
	struct pod_network *network;
	size_t n;
	size_t addresses, routes; /* that were held against them */
	bool families[7]; /* by number: that a network has */
	const char *source;
};

static int report(const struct pods *p, uint32_t verdict, const struct pod_network *network,
		  const char *found, const char *source, const char *message)
{
	return kc_report(p->host, p->run, KC_NOW, verdict, network->text,
			 "no address in common with the host", found, source, message);
}

/* Reads the rule's networks; what is none is an error that names it. */
static int read_networks(struct pods *p)
{
	struct kc_strings texts;
	int r = kc_param_list(p->host, p->run, "networks", &texts);

	if (r)
		return r;
	if (!texts.n || texts.n > PODS_MAX)
		return kc_report(p->host, p->run, KC_NOW, KC_ERROR, NULL, NULL, NULL, NULL,
				 "The rule names no network, or more than 64.");
	p->network = kc_arena_zalloc(p->arena, texts.n, sizeof(*p->network));
	if (!p->network)
		return -ENOMEM;
	for (size_t i = 0; !r && i < texts.n; i++) {
		struct pod_network *network = &p->network[p->n];

		network->text = texts.item[i];
		if (!strchr(network->text, '/') ||
		    kc_cidr_parse(network->text, &network->cidr) < 0) {
			r = kc_report(p->host, p->run, KC_NOW, KC_ERROR, network->text,
				      "ADDRESS/PREFIX", network->text, NULL,
				      "The rule's parameter \"networks\" has what is no network.");
			continue;
		}
		p->families[network->cidr.family] = true;
		p->n++;
	}
	return r;
}

/* Networks of one cluster (pods, services) must not overlap one another. */
static int judge_each_other(const struct pods *p)
{
	int r = 0;

	for (size_t i = 0; i < p->n; i++) {
		for (size_t j = i + 1; !r && j < p->n; j++) {
			if (kc_cidr_overlap(&p->network[i].cidr, &p->network[j].cidr))
				r = kc_report(p->host, p->run, KC_NOW, KC_FAIL, p->network[i].text,
					      "no address in common with the rule's other networks",
					      p->network[j].text, NULL,
					      "Two networks of this rule overlap.");
		}
	}
	return r;
}

/* The same network on the same interface: the route that comes with an address, or another metric.
 */
static bool is_there(const struct pod_network *network, const struct kc_cidr *with,
		     const char *interface)
{
	for (size_t i = 0; i < network->n; i++) {
		const struct overlap *o = &network->overlap[i];

		if (o->with.prefix == with->prefix && kc_cidr_overlap(&o->with, with) &&
		    kc_streq(o->interface, interface))
			return true;
	}
	return false;
}

/* Whether an overlap is to be noted; one that is told already, or that is one too many, is not. */
static bool is_news(struct pod_network *network, const struct kc_cidr *with, const char *interface)
{
	if (is_there(network, with, interface))
		return false;
	if (network->n < OVERLAPS_MAX)
		return true;
	network->more++;
	return false;
}

static int note(const struct pods *p, struct pod_network *network, const struct kc_cidr *with,
		const char *interface, const char *found, const char *source)
{
	struct overlap *o = &network->overlap[network->n];

	*o = (struct overlap){ .with = *with, .found = found, .source = source };
	o->interface = kc_arena_strdup(p->arena, interface);
	if (!o->interface)
		return -ENOMEM;
	network->n++;
	return 0;
}

static int look_at_address(struct pods *p, const char *interface, const char *text)
{
	bool ignored = network_glob_any(&p->ignore, interface);
	struct kc_cidr address;
	int r = 0;

	if (kc_cidr_parse(text, &address) < 0)
		return -EBADMSG;
	if (kc_cidr_is_loopback(&address))
		return 0;
	p->addresses += !ignored;
	for (size_t i = 0; !r && i < p->n; i++) {
		struct pod_network *network = &p->network[i];
		const char *found;

		if (!kc_cidr_overlap(&network->cidr, &address) ||
		    (ignored ? network->own != NULL : !is_news(network, &address, interface)))
			continue;
		found = kc_text(p->host, p->run, "%s on %s", text, interface);
		if (ignored)
			network->own = found;
		else
			r = note(p, network, &address, interface, found, "the host's addresses");
	}
	return r;
}

static int look_at_addresses(struct pods *p)
{
	struct kc_pairs addresses;
	int r = kc_addresses(p->host, p->run, &addresses);

	if (r)
		return r;
	for (size_t i = 0; !r && i < addresses.n; i++)
		r = look_at_address(p, addresses.item[i].key, addresses.item[i].value);
	return r;
}

static int look_at_route(struct pods *p, const struct network_route *route, const char *path,
			 uint64_t line)
{
	bool ignored;
	int r = 0;

	if (!route->counts || kc_cidr_is_loopback(&route->to))
		return 0;
	ignored = network_glob_any(&p->ignore, route->interface);
	p->routes += !ignored;
	for (size_t i = 0; !r && i < p->n; i++) {
		struct pod_network *network = &p->network[i];
		const char *found, *to;

		if (!kc_cidr_overlap(&network->cidr, &route->to) ||
		    (ignored ? network->own != NULL
			     : !is_news(network, &route->to, route->interface)))
			continue;
		to = kc_cidr_text(&route->to, p->arena);
		if (!to)
			return -ENOMEM;
		found = kc_text(p->host, p->run, "the route to %s on %s", to, route->interface);
		if (ignored)
			network->own = found;
		else
			r = note(p, network, &route->to, route->interface, found,
				 kc_text(p->host, p->run, "%s:%llu", path,
					 (unsigned long long)line));
	}
	return r;
}

/* What has been reported ends the judgement. */
static int told(int r)
{
	return r ? r : 1;
}

/*
 * Holds a routing table against the networks. -ENOENT: there is no such table. What fails is
 * reported with its place, and 1 returned.
 */
static int look_at_routes(struct pods *p, const char *path,
			  int (*parse)(const char *, struct network_route *), bool header)
{
	kc_cleanup(network_lines_close) struct network_lines lines = { .fd = -EBADF };
	struct network_route route;
	const char *line;
	int r;

	r = network_lines_open(p->host, p->run, path, 0, &lines);
	if (r == -ENOENT || r == -ENOMEM)
		return r;
	if (r)
		return told(kc_report_error(p->host, p->run, KC_NOW, NULL, path));
	while ((r = network_lines_next(&lines, &line)) > 0) {
		if (header && lines.number == 1)
			continue;
		r = parse(line, &route);
		if (r)
			break;
		r = look_at_route(p, &route, path, lines.number);
		if (r)
			return r;
	}
	/* The kernel writes a head above no route at all. */
	if (!r && header && lines.number == 0) {
		lines.number = 1;
		r = -EBADMSG;
	}
	if (!r)
		return 0;
	return told(kc_report(
		p->host, p->run, KC_NOW, KC_ERROR, NULL, "a routing table", NULL,
		kc_text(p->host, p->run, "%s:%llu", path, (unsigned long long)lines.number),
		r == -EBADMSG
			? "The line cannot be understood."
			: kc_text(p->host, p->run, "The table cannot be read: %s.", strerror(-r))));
}

/* 0, 1 when an error has been reported, or a negative errno. */
static int look_at_host(struct pods *p)
{
	int r;

	r = look_at_addresses(p);
	if (r == -EBADMSG)
		return told(kc_report(p->host, p->run, KC_NOW, KC_ERROR, NULL, NULL, NULL,
				      "the host's addresses", "One of them cannot be understood."));
	if (r == -ENOMEM)
		return r;
	if (r)
		return told(kc_report_error(p->host, p->run, KC_NOW, NULL, "the host's addresses"));
	p->source = "the host's addresses";
	if (p->families[4]) {
		r = look_at_routes(p, "/proc/net/route", network_route4_parse, true);
		if (r == -ENOENT)
			return told(
				kc_report_error(p->host, p->run, KC_NOW, NULL, "/proc/net/route"));
		if (r)
			return r;
		p->source = kc_text(p->host, p->run, "%s, /proc/net/route", p->source);
	}
	if (p->families[6]) {
		r = look_at_routes(p, "/proc/net/ipv6_route", network_route6_parse, false);
		/* A kernel without IPv6, or with ipv6.disable=1, has no such table. */
		if (r && r != -ENOENT)
			return r;
		if (!r)
			p->source = kc_text(p->host, p->run, "%s, /proc/net/ipv6_route", p->source);
	}
	return 0;
}

static int judge_network(const struct pods *p, const struct pod_network *network)
{
	const char *message = NULL;
	int r = 0;

	if (network->own)
		message = kc_text(p->host, p->run,
				  "Not counted: %s, as one of the pod network's own interfaces.",
				  network->own);
	if (!network->n)
		return report(p, KC_PASS, network,
			      kc_text(p->host, p->run, "none (addresses: %zu, routes: %zu)",
				      p->addresses, p->routes),
			      p->source, message);
	for (size_t i = 0; !r && i < network->n; i++)
		r = report(p, KC_FAIL, network, network->overlap[i].found,
			   network->overlap[i].source, i ? NULL : message);
	if (!r && network->more)
		r = report(p, KC_FAIL, network,
			   kc_text(p->host, p->run, "%zu routes or addresses more", network->more),
			   p->source, NULL);
	return r;
}

int network_pod_networks_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = NETWORK_MEMORY_MAX };
	struct pods p = { .host = host, .run = run, .arena = &arena };
	int r;

	r = kc_param_list(host, run, "ignore", &p.ignore);
	if (!r)
		r = read_networks(&p);
	if (r || !p.n)
		return r;
	r = judge_each_other(&p);
	if (r)
		return r;
	r = network_is_hosts(host, run);
	if (r != 1)
		return r;
	r = look_at_host(&p);
	if (r)
		return r == 1 ? 0 : r;
	if (!p.addresses && !p.routes)
		return kc_report(host, run, KC_NOW, KC_ERROR, NULL, NULL, "no address, no route",
				 p.source,
				 "There is no network that the pods' could overlap yet: judge "
				 "again when the host is connected.");
	for (size_t i = 0; !r && i < p.n; i++)
		r = judge_network(&p, &p.network[i]);
	return r;
}
