/* SPDX-License-Identifier: Apache-2.0 */
#include "tables.h"

/* include/uapi/linux/route.h, ipv6_route.h */
enum {
	RTF_UP = 0x0001,
	RTF_REJECT = 0x0200,
	RTF_ANYCAST = 0x00100000,
	RTF_CACHE = 0x01000000,
};
#define RTF_LOCAL 0x80000000u

enum {
	FIELDS_MAX = 12
};

struct field {
	const char *text;
	size_t n;
};

/* The first fields of a line; those behind them do not matter. */
static size_t split(const char *line, struct field *fields, size_t max)
{
	size_t n = 0;

	while (n < max) {
		while (*line == ' ' || *line == '\t')
			line++;
		if (!*line)
			break;
		fields[n].text = line;
		fields[n].n = strcspn(line, " \t");
		line += fields[n++].n;
	}
	return n;
}

/* Exactly `digits` hexadecimal digits. */
static bool read_hex(const char *text, size_t digits, uint32_t *ret_value)
{
	uint32_t value = 0;

	for (size_t i = 0; i < digits; i++) {
		int digit = kc_hex_digit(text[i]);

		if (digit < 0)
			return false;
		value = value << 4 | (uint32_t)digit;
	}
	*ret_value = value;
	return true;
}

/* A whole field of at most eight hexadecimal digits. */
static bool field_hex(const struct field *f, uint32_t *ret_value)
{
	return f->n >= 1 && f->n <= 8 && read_hex(f->text, f->n, ret_value);
}

static bool field_number(const struct field *f, uint64_t *ret_value)
{
	char text[24];

	if (f->n >= sizeof(text))
		return false;
	memcpy(text, f->text, f->n);
	text[f->n] = 0;
	return kc_parse_u64(text, ret_value) == 0;
}

static bool read_interface(const struct field *f, char *ret_name)
{
	if (f->n >= NETWORK_INTERFACE_MAX)
		return false;
	memcpy(ret_name, f->text, f->n);
	ret_name[f->n] = 0;
	return true;
}

/* Words of this processor that hold an address in network order. */
static bool read_words(const char *text, size_t words, uint8_t *ret_address)
{
	for (size_t i = 0; i < words; i++) {
		uint32_t word;

		if (!read_hex(text + 8 * i, 8, &word))
			return false;
		memcpy(ret_address + 4 * i, &word, sizeof(word));
	}
	return true;
}

/* The length of a netmask; -1 when its bits are not in one piece. */
static int mask_length(const uint8_t *mask)
{
	uint32_t value = (uint32_t)mask[0] << 24 | (uint32_t)mask[1] << 16 |
			 (uint32_t)mask[2] << 8 | mask[3];
	int n = __builtin_popcount(value);

	return value == (n ? ~0u << (32 - n) : 0) ? n : -1;
}

int network_route4_parse(const char *line, struct network_route *ret_route)
{
	struct network_route route = { .to = { .family = 4 } };
	struct field f[FIELDS_MAX];
	uint8_t mask[4];
	uint32_t flags;
	int length;

	if (split(line, f, 8) < 8 || !read_interface(&f[0], route.interface) || f[1].n != 8 ||
	    !read_words(f[1].text, 1, route.to.address) || !field_hex(&f[3], &flags) ||
	    f[7].n != 8 || !read_words(f[7].text, 1, mask))
		return -EBADMSG;
	length = mask_length(mask);
	if (length < 0)
		return -EBADMSG;
	route.to.prefix = (uint8_t)length;
	/* Blackhole and throw have no flag of their own, but no interface either. */
	route.counts = (flags & RTF_UP) && !(flags & RTF_REJECT) && length > 0 &&
		       !kc_streq(route.interface, "*");
	*ret_route = route;
	return 0;
}

int network_route6_parse(const char *line, struct network_route *ret_route)
{
	const uint32_t others = RTF_REJECT | RTF_ANYCAST | RTF_CACHE | RTF_LOCAL;
	struct network_route route = { .to = { .family = 6 } };
	struct field f[FIELDS_MAX];
	uint32_t length, flags;

	if (split(line, f, 10) < 10 || f[0].n != 32 || !field_hex(&f[1], &length) || length > 128 ||
	    !field_hex(&f[8], &flags) || !read_interface(&f[9], route.interface))
		return -EBADMSG;
	for (size_t i = 0; i < 16; i++) {
		uint32_t byte;

		if (!read_hex(f[0].text + 2 * i, 2, &byte))
			return -EBADMSG;
		route.to.address[i] = (uint8_t)byte;
	}
	route.to.prefix = (uint8_t)length;
	route.counts = (flags & RTF_UP) && !(flags & others) && length > 0 &&
		       route.to.address[0] != 0xff && !kc_streq(route.interface, "lo");
	*ret_route = route;
	return 0;
}

int network_socket_parse(const char *line, struct network_socket *ret_socket)
{
	struct network_socket s = { 0 };
	struct field f[FIELDS_MAX];
	uint32_t port, state;
	size_t words;

	if (split(line, f, 10) < 10)
		return -EBADMSG;
	if (f[1].n == 8 + 5)
		words = 1;
	else if (f[1].n == 32 + 5)
		words = 4;
	else
		return -EBADMSG;
	if (!read_words(f[1].text, words, s.address.address) || f[1].text[8 * words] != ':' ||
	    !read_hex(f[1].text + 8 * words + 1, 4, &port) || f[3].n != 2 ||
	    !field_hex(&f[3], &state) || !field_number(&f[9], &s.inode))
		return -EBADMSG;
	s.address.family = words == 1 ? 4 : 6;
	s.address.prefix = words == 1 ? 32 : 128;
	s.port = (uint16_t)port;
	s.state = (uint8_t)state;
	*ret_socket = s;
	return 0;
}

static bool port_of(const char *text, size_t n, uint16_t *ret_port)
{
	const struct field f = { .text = text, .n = n };
	uint64_t value;

	if (!field_number(&f, &value) || value < 1 || value > 65535)
		return false;
	*ret_port = (uint16_t)value;
	return true;
}

int network_in_use_parse(const char *text, const char *protocol, uint64_t *ret_n)
{
	size_t n = strlen(protocol);

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *number;
		char digits[24];
		size_t length;

		if (strncmp(line, protocol, n) != 0)
			continue;
		number = kc_after_prefix(line + n, ": inuse ");
		length = number ? strspn(number, "0123456789") : 0;
		if (length == 0 || length >= sizeof(digits))
			continue;
		memcpy(digits, number, length);
		digits[length] = '\0';
		return kc_parse_u64(digits, ret_n) < 0 ? -ENOENT : 0;
	}
	return -ENOENT;
}

int network_ports_parse(const char *text, struct network_ports *ret_ports)
{
	const char *hyphen = strchr(text, '-');
	struct network_ports ports;

	if (!port_of(text, hyphen ? (size_t)(hyphen - text) : strlen(text), &ports.first))
		return -EINVAL;
	ports.last = ports.first;
	if (hyphen &&
	    (!port_of(hyphen + 1, strlen(hyphen + 1), &ports.last) || ports.last < ports.first))
		return -EINVAL;
	*ret_ports = ports;
	return 0;
}

int network_endpoint_parse(const char *text, struct kc_arena *arena, const char **ret_address,
			   uint16_t *ret_port)
{
	const char *begin = text, *end, *colon = NULL;
	uint16_t port = 0;
	const char *address;

	if (*text == '[') {
		begin = text + 1;
		end = strchr(begin, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		colon = end[1] ? end + 1 : NULL;
	} else {
		end = text + strlen(text);
		/* More than one colon is an address of IPv6, which has no port without brackets. */
		if (strchr(text, ':') && strchr(text, ':') == strrchr(text, ':'))
			end = colon = strchr(text, ':');
	}
	if (end == begin || (colon && !port_of(colon + 1, strlen(colon + 1), &port)))
		return -EINVAL;
	address = kc_arena_memdup(arena, begin, (size_t)(end - begin));
	if (!address)
		return -ENOMEM;
	*ret_address = address;
	*ret_port = port;
	return 0;
}
