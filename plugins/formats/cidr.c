/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>

#include "cidr.h"

enum {
	TEXT_MAX = 128
};

static unsigned bits_of(const struct kc_cidr *c)
{
	return c->family == 4 ? 32 : 128;
}

/* Whether the first n bits are the same. */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned n)
{
	unsigned rest = n % 8;

	if (memcmp(a, b, n / 8) != 0)
		return false;
	return !rest || ((a[n / 8] ^ b[n / 8]) & (0xff00u >> rest) & 0xff) == 0;
}

int kc_cidr_parse(const char *text, struct kc_cidr *ret_cidr)
{
	struct kc_cidr c = { 0 };
	char address[TEXT_MAX];
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	uint64_t prefix;
	char *zone;

	if (n >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, n);
	address[n] = 0;
	zone = strchr(address, '%');
	if (zone)
		*zone = 0;
	if (inet_pton(AF_INET, address, c.address) == 1 && !zone)
		c.family = 4;
	else if (inet_pton(AF_INET6, address, c.address) == 1)
		c.family = 6;
	else
		return -EINVAL;
	prefix = bits_of(&c);
	if (slash && (kc_parse_u64(slash + 1, &prefix) < 0 || prefix > bits_of(&c)))
		return -EINVAL;
	c.prefix = (uint8_t)prefix;
	*ret_cidr = c;
	return 0;
}

bool kc_cidr_overlap(const struct kc_cidr *a, const struct kc_cidr *b)
{
	return a->family == b->family &&
	       same_bits(a->address, b->address, KC_MIN(a->prefix, b->prefix));
}

bool kc_cidr_is_loopback(const struct kc_cidr *c)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (c->family == 4)
		return c->address[0] == 127;
	return memcmp(c->address, one, sizeof(one)) == 0;
}

bool kc_cidr_is_link_local(const struct kc_cidr *c)
{
	if (c->family == 4)
		return c->address[0] == 169 && c->address[1] == 254;
	return c->address[0] == 0xfe && (c->address[1] & 0xc0) == 0x80;
}

const char *kc_cidr_text(const struct kc_cidr *c, struct kc_arena *arena)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t address[16] = { 0 };
	unsigned whole = c->prefix / 8, rest = c->prefix % 8;

	memcpy(address, c->address, whole);
	if (rest)
		address[whole] = c->address[whole] & (uint8_t)(0xff00u >> rest);
	if (!inet_ntop(c->family == 4 ? AF_INET : AF_INET6, address, text, sizeof(text)))
		return NULL;
	return kc_arena_printf(arena, "%s/%u", text, c->prefix);
}
