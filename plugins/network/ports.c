/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>

#include "network-descriptor.h"
#include "network.h"

enum {
	RANGES_MAX = 256,
	SOCKETS_MAX = 256, /* remembered of one protocol */
	SHOWN_MAX = 32, /* ports that one item of the rule shows */
	HOLDERS_MAX = 64, /* sockets whose process is asked for, in one rule */
	LINE_SIZE = 128, /* less than a line of the tables */
	COUNT_MAX = 4096,
	PROGRAM_MAX =
		15, /* what the kernel keeps of a program's name, TASK_COMM_LEN less its NUL */
};

/* A socket that is in the way. */
struct holder {
	struct network_socket socket;
	const char *table; /* "/proc/net/tcp" */
};

/* An item of the rule's list. */
struct range {
	struct network_ports ports;
	const char *text;
};

/* A table of sockets, and where the kernel counts those that are in it. */
struct table {
	const char *path;
	const char *count_path, *count_name;
};

static const struct table tcp_tables[] = {
	{ "/proc/net/tcp", "/proc/net/sockstat", "TCP" },
	{ "/proc/net/tcp6", "/proc/net/sockstat6", "TCP6" },
};
static const struct table udp_tables[] = {
	{ "/proc/net/udp", "/proc/net/sockstat", "UDP" },
	{ "/proc/net/udp6", "/proc/net/sockstat6", "UDP6" },
};

/* Both protocols are judged alike. */
struct protocol {
	uint32_t number; /* enum kc_protocol */
	const char *name, *parameter;
	const struct table *tables; /* two of them: of IPv4 and of IPv6 */
	uint8_t state; /* of a socket that holds its port */
	/*
	 * The table has those that listen before all others (net/ipv4/tcp_ipv4.c, tcp_get_idx());
	 * for the others the kernel walks a hash of some 100,000 buckets, which takes milliseconds.
	 */
	bool listening_first;
	struct range *range;
	size_t n_ranges;
	uint8_t wanted[65536 / 8];
	struct holder holder[SOCKETS_MAX];
	size_t n, more;
	const char *source;
};

struct ports {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
	struct kc_strings allow;
	const char *expected;
	unsigned asked; /* for processes */
};

/* The finding of one port, while it is put together. */
struct port {
	const char *found, *source, *unseen;
	bool allowed;
};

static int read_ranges(const struct ports *p, struct protocol *protocol)
{
	struct kc_strings texts;
	int r = kc_param_list(p->host, p->run, protocol->parameter, &texts);

	if (r == -ENOENT)
		return 0;
	if (r)
		return r;
	if (texts.n > RANGES_MAX)
		return kc_report(p->host, p->run, KC_NOW, KC_ERROR, NULL, NULL, NULL, NULL,
				 "The rule names more than 256 ports and ranges of a protocol.");
	protocol->range = kc_arena_zalloc(p->arena, texts.n + 1, sizeof(*protocol->range));
	if (!protocol->range)
		return -ENOMEM;
	for (size_t i = 0; !r && i < texts.n; i++) {
		struct range *range = &protocol->range[protocol->n_ranges];

		range->text = texts.item[i];
		if (network_ports_parse(range->text, &range->ports) < 0) {
			r = kc_report(p->host, p->run, KC_NOW, KC_ERROR, range->text,
				      "PORT or FIRST-LAST, from 1 to 65535", range->text, NULL,
				      kc_text(p->host, p->run,
					      "The rule's parameter \"%s\" has what is no port.",
					      protocol->parameter));
			continue;
		}
		for (unsigned port = range->ports.first; port <= range->ports.last; port++)
			protocol->wanted[port / 8] |= (uint8_t)(1u << port % 8);
		protocol->n_ranges++;
	}
	return r;
}

/* Remembers a socket; others of the same address (SO_REUSEPORT) are the same for the rule. */
static void note(struct protocol *protocol, const struct network_socket *socket, const char *table)
{
	for (size_t i = 0; i < protocol->n; i++) {
		const struct network_socket *other = &protocol->holder[i].socket;

		if (other->port == socket->port &&
		    other->address.family == socket->address.family &&
		    kc_cidr_overlap(&other->address, &socket->address))
			return;
	}
	if (protocol->n < SOCKETS_MAX)
		protocol->holder[protocol->n++] =
			(struct holder){ .socket = *socket, .table = table };
	else
		protocol->more++;
}

/* Whether the rest of the table has nothing that holds a port. */
static bool is_last(const struct protocol *protocol, const struct network_socket *socket)
{
	/* Before Linux 4.4, connections that are being made stood among those that listen. */
	return protocol->listening_first && socket->state != NETWORK_LISTEN &&
	       socket->state != NETWORK_SYN_RECV;
}

/* How many sockets a table has; all there can be where the kernel does not say. */
static uint64_t count_sockets(const struct ports *p, const struct table *table)
{
	struct kc_bytes text;
	uint64_t n;

	if (kc_read_file(p->host, p->run, table->count_path, COUNT_MAX, &text) < 0 ||
	    network_in_use_parse(text.data, table->count_name, &n) < 0)
		return UINT64_MAX;
	return n;
}

static void add_source(const struct ports *p, struct protocol *protocol, const char *source)
{
	protocol->source = protocol->source
				   ? kc_text(p->host, p->run, "%s, %s", protocol->source, source)
				   : source;
}

/*
 * Reads a table as far as it matters: no further than there are sockets, since looking for the end
 * of it takes the kernel as long as the table could be. 0, 1 when an error has been reported, or a
 * negative errno.
 */
static int read_table(const struct ports *p, struct protocol *protocol, const struct table *of,
		      bool optional)
{
	kc_cleanup(network_lines_close) struct network_lines lines = { .fd = -EBADF };
	const char *line, *message, *table = of->path;
	uint64_t left = count_sockets(p, of);
	struct network_socket socket;
	int r;

	/* That nothing is in the table, its count says. */
	if (left == 0) {
		add_source(p, protocol, table);
		return 0;
	}

	r = network_lines_open(p->host, p->run, table, protocol->listening_first ? LINE_SIZE : 0,
			       &lines);
	if (r == -ENOMEM || (r == -ENOENT && optional))
		return r == -ENOENT ? 0 : r;
	if (r) {
		r = kc_report_error(p->host, p->run, KC_NOW, protocol->name, table);
		return r ? r : 1;
	}
	while ((r = left > 0 ? network_lines_next(&lines, &line) : 0) > 0) {
		if (lines.number == 1)
			continue;
		r = network_socket_parse(line, &socket);
		if (r || is_last(protocol, &socket))
			break;
		/* Those that are about to be connections are not counted. */
		left -= socket.state != NETWORK_SYN_RECV;
		if (socket.state == protocol->state &&
		    protocol->wanted[socket.port / 8] & 1u << socket.port % 8)
			note(protocol, &socket, table);
	}
	/* The kernel writes a head above no socket at all. */
	if (!r && lines.number == 0) {
		lines.number = 1;
		r = -EBADMSG;
	}
	if (!r) {
		add_source(p, protocol, table);
		return 0;
	}
	message = r == -EBADMSG
			  ? "The line cannot be understood."
			  : kc_text(p->host, p->run, "The table cannot be read: %s.", strerror(-r));
	r = kc_report(p->host, p->run, KC_NOW, KC_ERROR, protocol->name, "a table of sockets", NULL,
		      kc_text(p->host, p->run, "%s:%llu", table, (unsigned long long)lines.number),
		      message);
	return r ? r : 1;
}

/*
 * Asks the kernel for those that hold a port, which spares both of us its connections. 1: they are
 * noted; 0: it is not to be asked here, so that its tables have to be read; -ENOMEM.
 */
static int ask_kernel(const struct ports *p, struct protocol *protocol)
{
	struct kc_stat ignored = { .size_of = sizeof(ignored) };
	struct kc_sockets sockets;
	int r = kc_sockets(p->host, p->run, protocol->number, &sockets);

	if (r)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < sockets.n; i++) {
		const struct kc_socket *s = &sockets.item[i];
		struct network_socket socket = {
			.address = { .family = (uint8_t)s->family,
				     .prefix = s->family == 4 ? 32 : 128 },
			.port = s->port,
			.state = protocol->state,
			.inode = s->inode,
		};

		memcpy(socket.address.address, s->address, sizeof(s->address));
		if (protocol->wanted[socket.port / 8] & 1u << socket.port % 8)
			note(protocol, &socket, protocol->tables[s->family == 6].path);
	}
	add_source(p, protocol, protocol->tables[0].path);
	if (kc_stat(p->host, p->run, protocol->tables[1].path, 0, &ignored) == 0)
		add_source(p, protocol, protocol->tables[1].path);
	return 1;
}

/* The same from the tables. 0, 1 when an error has been reported, or a negative errno. */
static int read_tables(const struct ports *p, struct protocol *protocol)
{
	int r = 0;

	/* The second one is that of IPv6, which a kernel may be without. */
	for (size_t i = 0; !r && i < KC_ARRAY_SIZE(tcp_tables); i++)
		r = read_table(p, protocol, protocol->tables + i, i > 0);
	return r;
}

static bool is_allowed(const struct ports *p, const char *program)
{
	for (size_t i = 0; i < p->allow.n; i++) {
		if (*program && strncmp(p->allow.item[i], program, PROGRAM_MAX) == 0)
			return true;
	}
	return false;
}

/* "*:6443", "127.0.0.1:6443", "[::1]:6443" */
static const char *address_text(const struct ports *p, const struct network_socket *socket)
{
	static const uint8_t any[16];
	char text[INET6_ADDRSTRLEN];
	bool v6 = socket->address.family == 6;

	if (memcmp(socket->address.address, any, sizeof(any)) == 0)
		return kc_text(p->host, p->run, v6 ? "[::]:%u" : "*:%u", socket->port);
	if (!inet_ntop(v6 ? AF_INET6 : AF_INET, socket->address.address, text, sizeof(text)))
		return "?";
	return kc_text(p->host, p->run, v6 ? "[%s]:%u" : "%s:%u", text, socket->port);
}

/* Adds a socket, and the process that has it, to what is found of its port. */
static void add_holder(struct ports *p, const struct holder *holder, struct port *port)
{
	const char *address = address_text(p, &holder->socket), *program = "", *found;
	uint32_t pid = 0;
	int r = -ENOENT;

	if (holder->socket.inode && p->asked++ < HOLDERS_MAX)
		r = kc_socket_holder(p->host, p->run, holder->socket.inode, &pid, &program);
	if (r && r != -ENOENT && !port->unseen)
		port->unseen = kc_text(p->host, p->run, "%s", kc_why(p->host, p->run));
	if (r)
		found = kc_text(p->host, p->run, "a process that cannot be seen, on %s", address);
	else
		found = kc_text(p->host, p->run, "%s (PID %u) on %s", *program ? program : "?", pid,
				address);
	port->allowed = port->allowed && !r && is_allowed(p, program);
	port->found = port->found ? kc_text(p->host, p->run, "%s; %s", port->found, found) : found;
	if (!port->source)
		port->source = kc_text(p->host, p->run, "%s (inode %llu)", holder->table,
				       (unsigned long long)holder->socket.inode);
}

static int judge_port(struct ports *p, const struct protocol *protocol, uint16_t number)
{
	struct port port = { .allowed = true };
	uint32_t verdict = KC_FAIL;
	const char *message = NULL;

	for (size_t i = 0; i < protocol->n; i++) {
		if (protocol->holder[i].socket.port == number)
			add_holder(p, &protocol->holder[i], &port);
	}
	if (port.allowed) {
		verdict = KC_PASS;
		message = "The rule allows this program to have it.";
	} else if (port.unseen) {
		/* Who may have it might be the one that has it. */
		verdict = p->allow.n ? KC_ERROR : KC_FAIL;
		message = port.unseen;
	}
	return kc_report(p->host, p->run, KC_NOW, verdict,
			 kc_text(p->host, p->run, "%s %u", protocol->name, number), p->expected,
			 port.found, port.source, message);
}

/* The lowest port from `from` to `last` that somebody has; 0 when none is held. */
static unsigned next_held(const struct protocol *protocol, unsigned from, unsigned last)
{
	unsigned lowest = 0;

	for (size_t i = 0; i < protocol->n; i++) {
		unsigned port = protocol->holder[i].socket.port;

		if (port >= from && port <= last && (!lowest || port < lowest))
			lowest = port;
	}
	return lowest;
}

static int judge_range(struct ports *p, const struct protocol *protocol, const struct range *range)
{
	const char *subject = kc_text(p->host, p->run, "%s %s", protocol->name, range->text);
	unsigned shown = 0, port, from = range->ports.first;
	int r = 0;

	while (!r && (port = next_held(protocol, from, range->ports.last))) {
		/* Who is allowed may have the others, too. */
		if (shown++ == SHOWN_MAX)
			return kc_report(p->host, p->run, KC_NOW, p->allow.n ? KC_ERROR : KC_FAIL,
					 subject, p->expected, "more ports that are held",
					 protocol->source,
					 p->allow.n ? "Of so many ports nobody is asked for: name "
						      "fewer in one range."
						    : NULL);
		r = judge_port(p, protocol, (uint16_t)port);
		from = port + 1;
	}
	if (r || shown)
		return r;
	return kc_report(p->host, p->run, KC_NOW, KC_PASS, subject, p->expected, "free",
			 protocol->source, NULL);
}

static int judge_protocol(struct ports *p, struct protocol *protocol)
{
	int r = 0;

	if (!protocol->n_ranges)
		return 0;
	r = ask_kernel(p, protocol);
	if (!r)
		r = read_tables(p, protocol);
	else if (r > 0)
		r = 0;
	if (r)
		return r < 0 ? r : 0;
	for (size_t i = 0; !r && i < protocol->n_ranges; i++)
		r = judge_range(p, protocol, &protocol->range[i]);
	if (!r && protocol->more)
		r = kc_report(p->host, p->run, KC_NOW, p->allow.n ? KC_ERROR : KC_FAIL,
			      protocol->name, p->expected,
			      kc_text(p->host, p->run, "%zu sockets more in these ranges",
				      protocol->more),
			      protocol->source, NULL);
	return r;
}

static struct protocol *new_protocol(struct kc_arena *arena, uint32_t number, const char *name,
				     const char *parameter, const struct table *tables,
				     uint8_t state)
{
	struct protocol *protocol = kc_arena_zalloc(arena, 1, sizeof(*protocol));

	if (!protocol)
		return NULL;
	protocol->number = number;
	protocol->name = name;
	protocol->parameter = parameter;
	protocol->tables = tables;
	protocol->state = state;
	protocol->listening_first = state == NETWORK_LISTEN;
	return protocol;
}

static int read_rule(struct ports *p, struct protocol *tcp, struct protocol *udp)
{
	int r = kc_param_list(p->host, p->run, "allow", &p->allow);

	if (r == -ENOENT)
		r = 0;
	if (!r)
		r = read_ranges(p, tcp);
	if (!r)
		r = read_ranges(p, udp);
	p->expected = p->allow.n ? kc_text(p->host, p->run, "free, or held by %s",
					   network_join(p->host, p->run, &p->allow, ""))
				 : "free";
	return r;
}

int network_ports_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = NETWORK_MEMORY_MAX };
	struct ports p = { .host = host, .run = run, .arena = &arena };
	struct protocol *tcp, *udp;
	int r;

	tcp = new_protocol(&arena, KC_PROTOCOL_TCP, "TCP", "tcp", tcp_tables, NETWORK_LISTEN);
	udp = new_protocol(&arena, KC_PROTOCOL_UDP, "UDP", "udp", udp_tables, NETWORK_CLOSE);
	if (!tcp || !udp)
		return -ENOMEM;
	r = read_rule(&p, tcp, udp);
	if (r)
		return r;
	if (!tcp->n_ranges && !udp->n_ranges)
		return kc_report(host, run, KC_NOW, KC_ERROR, NULL, NULL, NULL, NULL,
				 "The rule asks for no port: give it \"tcp\" or \"udp\".");
	r = network_is_hosts(host, run);
	if (r != 1)
		return r;
	r = judge_protocol(&p, tcp);
	return r ? r : judge_protocol(&p, udp);
}
