/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "network/cni.h"
#include "network/tables.h"

static struct kc_cidr cidr(const char *text)
{
	struct kc_cidr c;

	assert_int_equal(kc_cidr_parse(text, &c), 0);
	return c;
}

static void test_cidr_parse(void **state)
{
	static const char *const texts[][2] = {
		{ "10.244.0.0/16", "10.244.0.0/16" },
		{ "10.244.7.9/16", "10.244.0.0/16" },
		{ "10.244.7.9/13", "10.240.0.0/13" },
		{ "192.0.2.1", "192.0.2.1/32" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "255.255.255.255/1", "128.0.0.0/1" },
		{ "fd00:10:244:5::1/56", "fd00:10:244::/56" },
		{ "::1", "::1/128" },
		{ "ffff::/3", "e000::/3" },
		{ "fe80::1%eth0/64", "fe80::/64" },
		{ "::ffff:192.0.2.1/128", "::ffff:192.0.2.1/128" },
	};
	static const char *const bad[] = { "",
					   "/",
					   "10.244.0.0/33",
					   "10.244.0/16",
					   "10.0.0.0/",
					   "10.0.0.0/-1",
					   "10.0.0.0/+8",
					   "10.0.0.0/8/",
					   "10.0.0.0/ 8",
					   "::1/129",
					   ":::/1",
					   "fd00::/99999999999999999999",
					   "pods",
					   " 10.0.0.1",
					   "10.0.0.1%eth0",
					   "%/64",
					   "300.0.0.1",
					   NULL };
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_cidr c;
	char longest[200];

	for (size_t i = 0; i < KC_ARRAY_SIZE(texts); i++) {
		c = cidr(texts[i][0]);
		assert_string_equal(kc_cidr_text(&c, &arena), texts[i][1]);
	}
	KC_FOREACH_STR (text, bad)
		assert_int_equal(kc_cidr_parse(text, &c), -EINVAL);
	memset(longest, '1', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	assert_int_equal(kc_cidr_parse(longest, &c), -EINVAL);
}

static void test_cidr_overlap(void **state)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} table[] = {
		{ "10.244.0.0/16", "10.244.255.255", true },
		{ "10.244.0.0/16", "10.245.0.0", false },
		{ "10.244.0.0/16", "10.0.0.0/8", true },
		{ "10.244.0.0/15", "10.245.0.0/16", true },
		{ "10.244.0.0/15", "10.246.0.0/16", false },
		{ "10.244.0.128/25", "10.244.0.0/25", false },
		{ "0.0.0.0/0", "203.0.113.1", true },
		{ "0.0.0.0/0", "::/0", false },
		{ "fd00::/48", "fd00:0:0:ffff::1", true },
		{ "fd00::/48", "fd00:0:1::/64", false },
		{ "fd00::/47", "fd00:0:1::/64", true },
		{ "::/0", "ffff::1", true },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		const struct kc_cidr a = cidr(table[i].a), b = cidr(table[i].b);

		assert_int_equal(kc_cidr_overlap(&a, &b), table[i].overlap);
		assert_int_equal(kc_cidr_overlap(&b, &a), table[i].overlap);
	}
}

static void test_cidr_kinds(void **state)
{
	struct kc_cidr c = cidr("127.8.9.1/8");

	assert_true(kc_cidr_is_loopback(&c));
	c = cidr("::1");
	assert_true(kc_cidr_is_loopback(&c));
	c = cidr("::2");
	assert_false(kc_cidr_is_loopback(&c));
	c = cidr("128.0.0.1");
	assert_false(kc_cidr_is_loopback(&c));
	assert_false(kc_cidr_is_link_local(&c));
	c = cidr("169.254.1.1/16");
	assert_true(kc_cidr_is_link_local(&c));
	c = cidr("febf::1/10");
	assert_true(kc_cidr_is_link_local(&c));
	c = cidr("fec0::1");
	assert_false(kc_cidr_is_link_local(&c));
}

static void test_route4(void **state)
{
	static const struct {
		const char *line, *to, *interface;
		bool counts;
	} table[] = {
		{ "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0      ", "0.0.0.0/0",
		  "eth0", false },
		{ "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0", "192.0.2.0/24",
		  "eth0", true },
		{ "*\t0000F40A\t00000000\t0001\t0\t0\t0\tC0FFFFFF\t0\t0\t0", "10.244.0.0/26", "*",
		  false },
		{ "*\t007100CB\t00000000\t0201\t0\t0\t0\t00FFFFFF\t0\t0\t0", "203.0.113.0/24", "*",
		  false },
		{ "fifteen-bytes-x\t0100000A\t0\t0005\t0\t0\t0\tFFFFFFFF", "10.0.0.1/32",
		  "fifteen-bytes-x", true },
		{ "eth0\t0000000A\t0\t0000\t0\t0\t0\t000000FF", "10.0.0.0/8", "eth0", false },
	};
	static const char *const bad[] = {
		"",
		"eth0",
		"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask",
		"eth0\t000200C0\t0\t0001\t0\t0\t0\t00FF00FF",
		"eth0\t000200C0\t0\t0001\t0\t0\t0\t00FFFFF",
		"eth0\t000200C\t0\t0001\t0\t0\t0\t00FFFFFF",
		"eth0\t000200G0\t0\t0001\t0\t0\t0\t00FFFFFF",
		"eth0\t000200C0\t0\t000100000\t0\t0\t0\t00FFFFFF",
		"a-name-of-sixteen\t000200C0\t0\t0001\t0\t0\t0\t00FFFFFF",
		NULL,
	};
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct network_route route;

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		assert_int_equal(network_route4_parse(table[i].line, &route), 0);
		assert_string_equal(kc_cidr_text(&route.to, &arena), table[i].to);
		assert_string_equal(route.interface, table[i].interface);
		assert_int_equal(route.counts, table[i].counts);
	}
	KC_FOREACH_STR (line, bad)
		assert_int_equal(network_route4_parse(line, &route), -EBADMSG);
}

#define ZEROS "00000000000000000000000000000000"
#define ROUTE6(to, prefix, flags, interface)                                             \
	to " " prefix " " ZEROS " 00 " ZEROS " 00000100 00000001 00000000 " flags "    " \
	   " " interface

static void test_route6(void **state)
{
	static const struct {
		const char *line, *to;
		bool counts;
	} table[] = {
		{ ROUTE6("fd000010024400050000000000000000", "40", "00000001", "tun0"),
		  "fd00:10:244:5::/64", true },
		{ ROUTE6(ZEROS, "00", "00000003", "eth0"), "::/0", false },
		{ ROUTE6(ZEROS, "00", "00200200", "lo"), "::/0", false },
		{ ROUTE6("fd000000000000000000000000000002", "80", "80200001", "eth0"),
		  "fd00::2/128", false },
		{ ROUTE6("fd000000000000000000000000000000", "80", "00300001", "eth0"),
		  "fd00::/128", false },
		{ ROUTE6("fd000000000000000000000000000000", "40", "00000201", "eth0"), "fd00::/64",
		  false },
		{ ROUTE6("ff000000000000000000000000000000", "08", "00000001", "eth0"), "ff00::/8",
		  false },
		{ ROUTE6("fe800000000000000000000000000000", "40", "00000001", "eth0"), "fe80::/64",
		  true },
	};
	static const char *const bad[] = {
		"",
		ROUTE6("fd00", "40", "00000001", "eth0"),
		ROUTE6("fd00001002440005000000000000000x", "40", "00000001", "eth0"),
		ROUTE6(ZEROS, "81", "00000001", "eth0"),
		ROUTE6(ZEROS, "40", "flags", "eth0"),
		ROUTE6(ZEROS, "40", "00000001", ""),
		ROUTE6(ZEROS, "40", "00000001", "a-name-of-sixteen"),
		NULL,
	};
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct network_route route;

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		assert_int_equal(network_route6_parse(table[i].line, &route), 0);
		assert_string_equal(kc_cidr_text(&route.to, &arena), table[i].to);
		assert_int_equal(route.counts, table[i].counts);
	}
	KC_FOREACH_STR (line, bad)
		assert_int_equal(network_route6_parse(line, &route), -EBADMSG);
}

#define SOCKET(local, st, inode)                                                              \
	"   0: " local " 00000000:0000 " st " 00000000:00000000 00:00000000 00000000     0  " \
	"      0 " inode " 1 000000002928c232 100 0 0 10 0"

static void test_socket(void **state)
{
	static const struct {
		const char *line, *address;
		unsigned port, socket_state, inode;
	} table[] = {
		{ SOCKET("00000000:192B", "0A", "1589"), "0.0.0.0/32", 6443, NETWORK_LISTEN, 1589 },
		{ SOCKET("0100007F:FFFF", "07", "0"), "127.0.0.1/32", 65535, NETWORK_CLOSE, 0 },
		{ SOCKET("00000000000000000000000001000000:0277", "0A", "2"), "::1/128", 631,
		  NETWORK_LISTEN, 2 },
		{ SOCKET("0000000000000000FFFF0000020200C0:0016", "01", "3"),
		  "::ffff:192.0.2.2/128", 22, 1, 3 },
	};
	static const char *const bad[] = {
		"",
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid "
		" timeout inode",
		SOCKET("00000000:192", "0A", "1"),
		SOCKET("00000000-192B", "0A", "1"),
		SOCKET("0000000000:192B", "0A", "1"),
		SOCKET("00000000:192B", "0AA", "1"),
		SOCKET("00000000:192B", "0A", "-1"),
		SOCKET("00000000:192B", "0A", "99999999999999999999999"),
		SOCKET("0000G000:192B", "0A", "1"),
		NULL,
	};
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct network_socket s;

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		assert_int_equal(network_socket_parse(table[i].line, &s), 0);
		assert_string_equal(kc_cidr_text(&s.address, &arena), table[i].address);
		assert_int_equal(s.port, table[i].port);
		assert_int_equal(s.state, table[i].socket_state);
		assert_int_equal(s.inode, table[i].inode);
	}
	KC_FOREACH_STR (line, bad)
		assert_int_equal(network_socket_parse(line, &s), -EBADMSG);
}

static void test_in_use(void **state)
{
	static const char text[] = "sockets: used 12\n"
				   "TCP: inuse 17 orphan 0 tw 3 alloc 19 mem 2\n"
				   "UDP: inuse 0 mem 0\n"
				   "UDPLITE: inuse 4\n"
				   "RAW: in use 1\n"
				   "FRAG: inuse 99999999999999999999 memory 0";
	uint64_t n = 7;

	assert_int_equal(network_in_use_parse(text, "TCP", &n), 0);
	assert_int_equal(n, 17);
	assert_int_equal(network_in_use_parse(text, "UDP", &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(network_in_use_parse(text, "TCP6", &n), -ENOENT);
	assert_int_equal(network_in_use_parse(text, "RAW", &n), -ENOENT);
	assert_int_equal(network_in_use_parse(text, "FRAG", &n), -ENOENT);
	assert_int_equal(network_in_use_parse("", "TCP", &n), -ENOENT);
	assert_int_equal(n, 0);
}

static void test_ports(void **state)
{
	static const char *const bad[] = { "",	  "0",	 "65536", "-",	   "1-",  "-1", "2-1", "a",
					   "1-b", "1,2", " 1",	  "1-2-3", "0-5", "+1", NULL };
	struct network_ports p;

	assert_int_equal(network_ports_parse("6443", &p), 0);
	assert_int_equal(p.first, 6443);
	assert_int_equal(p.last, 6443);
	assert_int_equal(network_ports_parse("30000-32767", &p), 0);
	assert_int_equal(p.first, 30000);
	assert_int_equal(p.last, 32767);
	assert_int_equal(network_ports_parse("1-65535", &p), 0);
	KC_FOREACH_STR (text, bad)
		assert_int_equal(network_ports_parse(text, &p), -EINVAL);
}

static void test_endpoint(void **state)
{
	static const struct {
		const char *text, *address;
		unsigned port;
	} table[] = {
		{ "node1", "node1", 0 },
		{ "node1.example:6443", "node1.example", 6443 },
		{ "192.0.2.1:1", "192.0.2.1", 1 },
		{ "[fd00::1]:65535", "fd00::1", 65535 },
		{ "[fd00::1]", "fd00::1", 0 },
		{ "fd00::1", "fd00::1", 0 },
		{ "::", "::", 0 },
	};
	static const char *const bad[] = { "",	      ":6443", "node1:", "node1:0",  "node1:65536",
					   "node1:x", "[",     "[]",	 "[fd00::1", "[fd00::1]x",
					   "[::1]:",  NULL };
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	const char *address;
	uint16_t port;

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		assert_int_equal(network_endpoint_parse(table[i].text, &arena, &address, &port), 0);
		assert_string_equal(address, table[i].address);
		assert_int_equal(port, table[i].port);
	}
	KC_FOREACH_STR (text, bad)
		assert_int_equal(network_endpoint_parse(text, &arena, &address, &port), -EINVAL);
}

static void test_cni_names(void **state)
{
	assert_true(cni_name_counts("10-calico.conflist"));
	assert_true(cni_name_counts(".conf"));
	assert_true(cni_name_counts(".hidden.json"));
	assert_true(cni_name_counts("a.disabled.conf"));
	assert_false(cni_name_counts("10-crio-bridge.conflist.disabled"));
	assert_false(cni_name_counts("a.conf~"));
	assert_false(cni_name_counts("a.CONF"));
	assert_false(cni_name_counts("conf"));
	assert_false(cni_name_counts("a."));
}

static uint32_t parse_cni(struct kc_arena *arena, const char *file, const char *text,
			  struct cni_network *ret_network)
{
	assert_int_equal(cni_file_parse(file, text, strlen(text), arena, ret_network), 0);
	return ret_network->state;
}

static void test_cni_usable(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct cni_network n;

	assert_int_equal(parse_cni(&arena, "a.conf", "{\"name\":\"x\",\"type\":\"bridge\"}", &n),
			 CNI_USABLE);
	assert_string_equal(n.name, "x");
	assert_string_equal(n.types[0], "bridge");
	assert_null(n.types[1]);
	assert_int_equal(
		parse_cni(&arena, "a.json", "{\"TYPE\":\"lo\",\"dns\":null,\"ipam\":{}}", &n),
		CNI_USABLE);
	assert_string_equal(n.name, "a.json");
	assert_int_equal(parse_cni(&arena, "a.conflist",
				   "{\"name\":\"\",\"disableCheck\":\"TRUE\",\"plugins\":"
				   "[{\"type\":\"a\",\"x\":1e5},{\"type\":\"b\",\"capabilities\":"
				   "{\"c\":true,\"d\":null}}]}",
				   &n),
			 CNI_USABLE);
	assert_string_equal(n.name, "a.conflist");
	assert_string_equal(n.types[0], "a");
	assert_string_equal(n.types[1], "b");
	assert_null(n.types[2]);
}

static void test_cni_refused(void **state)
{
	static const char *const confs[] = {
		"",
		"{",
		"nul",
		"[]",
		"\"bridge\"",
		"{\"type\":\"\"}",
		"{\"type\":null}",
		"{\"type\":[]}",
		"{\"name\":1,\"type\":\"a\"}",
		"{\"type\":\"a\",\"Name\":false}",
		"{\"type\":\"a\"}}",
		"{\"type\":\"a\",}",
		"{\"type\":\"a\",\"ipam\":\"host-local\"}",
		"{\"type\":\"a\",\"ipam\":{\"type\":3}}",
		"{\"type\":\"a\",\"capabilities\":{\"b\":1}}",
		"{\"type\":\"a\",\"dns\":{\"search\":[1]}}",
		"{\"type\":\"a\",\"prevResult\":[]}",
		"\xef\xbb\xbf{\"type\":\"a\"}",
		NULL,
	};
	static const char *const lists[] = {
		"{\"plugins\":[{\"type\":\"a\"}]}",
		"{\"Name\":\"x\",\"plugins\":[{\"type\":\"a\"}]}",
		"{\"name\":\"x\",\"plugins\":[]}",
		"{\"name\":\"x\",\"plugins\":null}",
		"{\"name\":\"x\",\"plugins\":[1]}",
		"{\"name\":\"x\",\"cniVersion\":null,\"plugins\":[{\"type\":\"a\"}]}",
		"{\"name\":\"x\",\"disableCheck\":1,\"plugins\":[{\"type\":\"a\"}]}",
		NULL,
	};
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct cni_network n;

	KC_FOREACH_STR (text, confs) {
		assert_int_equal(parse_cni(&arena, "a.conf", text, &n), CNI_SKIPPED);
		assert_non_null(n.why);
	}
	KC_FOREACH_STR (text, lists)
		assert_int_equal(parse_cni(&arena, "a.conflist", text, &n), CNI_SKIPPED);
}

static void test_cni_unsure(void **state)
{
	static char large[CNI_FILE_MAX + 2];
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct cni_network n;

	assert_int_equal(parse_cni(&arena, "a.conflist", "{\"name\":\"x\"}", &n), CNI_UNSURE);
	assert_int_equal(parse_cni(&arena, "a.conf", "{\"type\":\"\xff\"}", &n), CNI_UNSURE);
	assert_int_equal(parse_cni(&arena, "a.conf", "{\"type\":\"a\\u0000b\"}", &n), CNI_UNSURE);
	memset(large, ' ', sizeof(large) - 1);
	assert_int_equal(parse_cni(&arena, "a.conf", large, &n), CNI_UNSURE);
	memset(large, '[', 65);
	large[65] = 0;
	assert_int_equal(parse_cni(&arena, "a.conf", large, &n), CNI_UNSURE);
	assert_int_equal(
		parse_cni(&arena, "a.conf",
			  "{\"type\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
			  "[[[[[[[[[[[[[\\\"[[[[[[\"}",
			  &n),
		CNI_USABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cidr_parse), cmocka_unit_test(test_cidr_overlap),
		cmocka_unit_test(test_cidr_kinds), cmocka_unit_test(test_route4),
		cmocka_unit_test(test_route6),	   cmocka_unit_test(test_socket),
		cmocka_unit_test(test_in_use),	   cmocka_unit_test(test_ports),
		cmocka_unit_test(test_endpoint),   cmocka_unit_test(test_cni_names),
		cmocka_unit_test(test_cni_usable), cmocka_unit_test(test_cni_refused),
		cmocka_unit_test(test_cni_unsure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
