/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <stdio.h>

#include "addresses.h"

static unsigned ones(const unsigned char *mask, size_t size)
{
	unsigned n = 0;

	for (size_t i = 0; i < size; i++)
		n += (unsigned)__builtin_popcount(mask[i]);
	return n;
}

/* "ADDRESS/PREFIX", or empty for families that are none of ours. */
static void format(const struct ifaddrs *item, char *buf, size_t size)
{
	char text[INET6_ADDRSTRLEN] = "";
	const void *address, *mask;
	size_t length;

	buf[0] = 0;
	if (!item->ifa_addr || !item->ifa_netmask)
		return;
	if (item->ifa_addr->sa_family == AF_INET) {
		address = &((const struct sockaddr_in *)(const void *)item->ifa_addr)->sin_addr;
		mask = &((const struct sockaddr_in *)(const void *)item->ifa_netmask)->sin_addr;
		length = sizeof(struct in_addr);
	} else if (item->ifa_addr->sa_family == AF_INET6) {
		address = &((const struct sockaddr_in6 *)(const void *)item->ifa_addr)->sin6_addr;
		mask = &((const struct sockaddr_in6 *)(const void *)item->ifa_netmask)->sin6_addr;
		length = sizeof(struct in6_addr);
	} else {
		return;
	}
	if (inet_ntop(item->ifa_addr->sa_family, address, text, sizeof(text)))
		(void)snprintf(buf, size, "%s/%u", text, ones(mask, length));
}

void kc_door_addresses(const struct kc_door_host *host, void **state,
		       const struct kc_question *question, struct kc_arena *arena,
		       struct kc_answer *ret_answer)
{
	struct ifaddrs *list = NULL;

	*ret_answer = (struct kc_answer){ 0 };
	if (!kc_streq(kc_root_path(host->root), "/")) {
		kc_answer_fail(ret_answer, arena, -EOPNOTSUPP,
			       "the addresses of %s cannot be seen from here",
			       kc_root_path(host->root));
		return;
	}
	if (getifaddrs(&list) < 0) {
		kc_answer_fail(ret_answer, arena, -errno, "getifaddrs: %s", kc_strerror(errno));
		return;
	}
	for (const struct ifaddrs *item = list; item; item = item->ifa_next) {
		char text[INET6_ADDRSTRLEN + 8];

		format(item, text, sizeof(text));
		if (!text[0])
			continue;
		kc_answer_adds(ret_answer, arena, item->ifa_name);
		kc_answer_adds(ret_answer, arena, text);
	}
	freeifaddrs(list);
}
