/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fdio.h"
#include "sys/autoload.h"
#include "sys/inet-diag.h"
#include "sys/sockets.h"

enum {
	SEQUENCE = 7,
	LISTEN = 10, /* include/net/tcp_states.h */
	CLOSE = 7,
};

static const struct kc_inet_diag tcp4 = { AF_INET, KC_PROTOCOL_TCP, SEQUENCE };
static const struct kc_inet_diag tcp6 = { AF_INET6, KC_PROTOCOL_TCP, SEQUENCE };
static const struct kc_inet_diag udp4 = { AF_INET, KC_PROTOCOL_UDP, SEQUENCE };

/* ---- what the kernel is asked ---- */

static void test_request(void **state)
{
	unsigned char bytes[KC_INET_DIAG_REQUEST_SIZE];
	struct inet_diag_req_v2 body;
	struct nlmsghdr h;

	kc_inet_diag_request(&tcp6, bytes);
	memcpy(&h, bytes, sizeof(h));
	memcpy(&body, bytes + sizeof(h), sizeof(body));
	assert_int_equal(h.nlmsg_len, sizeof(bytes));
	assert_int_equal(h.nlmsg_type, SOCK_DIAG_BY_FAMILY);
	assert_int_equal(h.nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
	assert_int_equal(h.nlmsg_seq, SEQUENCE);
	assert_int_equal(body.sdiag_family, AF_INET6);
	assert_int_equal(body.sdiag_protocol, IPPROTO_TCP);
	/* Anything more would have the kernel walk its connections. */
	assert_int_equal(body.idiag_states, 1 << LISTEN);
	assert_int_equal(body.id.idiag_dport, 0);
	kc_inet_diag_request(&udp4, bytes);
	memcpy(&body, bytes + sizeof(h), sizeof(body));
	assert_int_equal(body.sdiag_family, AF_INET);
	assert_int_equal(body.sdiag_protocol, IPPROTO_UDP);
	assert_int_equal(body.idiag_states, 1 << CLOSE);
}

/* ---- what comes back ---- */

struct datagram {
	unsigned char bytes[4096];
	size_t n;
};

static struct nlmsghdr *add(struct datagram *d, uint16_t type, const void *body, size_t size)
{
	struct nlmsghdr *h = (void *)(d->bytes + d->n);

	assert_true(d->n + NLMSG_SPACE(size) <= sizeof(d->bytes));
	*h = (struct nlmsghdr){ .nlmsg_len = (uint32_t)NLMSG_LENGTH(size),
				.nlmsg_type = type,
				.nlmsg_flags = NLM_F_MULTI,
				.nlmsg_seq = SEQUENCE };
	if (size > 0)
		memcpy(d->bytes + d->n + NLMSG_HDRLEN, body, size);
	d->n += NLMSG_ALIGN(h->nlmsg_len);
	return h;
}

static struct nlmsghdr *add_socket(struct datagram *d, const char *address, uint16_t port,
				   uint32_t inode, uint8_t of_state)
{
	/* The attribute that each socket has (its shutdown), of five bytes: padding follows. */
	struct {
		struct inet_diag_msg m;
		unsigned char attribute[5];
	} body = { .m = { .idiag_state = of_state,
			  .idiag_uid = 1000,
			  .idiag_inode = inode,
			  .id.idiag_sport = htons(port) },
		   .attribute = { 5, 0, INET_DIAG_SHUTDOWN, 0, 0 } };

	body.m.idiag_family = strchr(address, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(body.m.idiag_family, address, body.m.id.idiag_src), 1);
	return add(d, SOCK_DIAG_BY_FAMILY, &body, sizeof(body.m) + 5);
}

static struct nlmsghdr *add_end(struct datagram *d, int32_t code)
{
	return add(d, NLMSG_DONE, &code, sizeof(code));
}

static int read_all(const struct datagram *d, const struct kc_inet_diag *dump,
		    struct kc_arena *arena, struct kc_socket_list *list)
{
	/* In memory of just that size, so that a sanitizer sees a read beyond it. */
	unsigned char *copy = malloc(d->n ? d->n : 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, d->bytes, d->n);
	r = kc_inet_diag_read(copy, d->n, dump, arena, list);
	free(copy);
	return r;
}

static void test_read(void **state)
{
	static const uint8_t loopback[16] = { 127, 0, 0, 1 }, loopback6[16] = { [15] = 1 };
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_socket_list list = { 0 };
	struct datagram d = { .n = 0 };

	(void)add_socket(&d, "127.0.0.1", 6443, 31, LISTEN);
	(void)add_socket(&d, "0.0.0.0", 65535, UINT32_MAX, LISTEN);
	assert_int_equal(read_all(&d, &tcp4, &arena, &list), 0);
	d.n = 0;
	(void)add_end(&d, 0);
	assert_int_equal(read_all(&d, &tcp4, &arena, &list), 1);
	assert_int_equal(list.n, 2);
	assert_int_equal(list.item[0].family, 4);
	assert_int_equal(list.item[0].port, 6443);
	assert_int_equal(list.item[0].inode, 31);
	assert_int_equal(list.item[0].uid, 1000);
	assert_memory_equal(list.item[0].address, loopback, 16);
	assert_int_equal(list.item[1].port, 65535);
	assert_int_equal(list.item[1].inode, UINT32_MAX);
	/* The end in the same datagram; what lies behind it is nothing of the dump. */
	d.n = 0;
	(void)add_socket(&d, "::1", 10250, 0, LISTEN);
	(void)add_end(&d, 0);
	(void)add_socket(&d, "::1", 1, 1, LISTEN);
	assert_int_equal(read_all(&d, &tcp6, &arena, &list), 1);
	assert_int_equal(list.n, 3);
	assert_int_equal(list.item[2].family, 6);
	assert_memory_equal(list.item[2].address, loopback6, 16);
	assert_int_equal(list.item[2].inode, 0);
	d.n = 0;
	(void)add_socket(&d, "192.0.2.1", 53, 5, CLOSE);
	assert_int_equal(read_all(&d, &udp4, &arena, &list), 0);
	assert_int_equal(list.n, 4);
	/* An end without a word about how it ended. */
	d.n = 0;
	(void)add(&d, NLMSG_DONE, NULL, 0);
	assert_int_equal(read_all(&d, &udp4, &arena, &list), 1);
}

static void expect(const struct datagram *d, const struct kc_inet_diag *dump, int code)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_socket_list list = { 0 };

	assert_int_equal(read_all(d, dump, &arena, &list), code);
}

static void test_read_none(void **state)
{
	struct datagram d = { .n = 0 };
	struct inet_diag_msg small = { .idiag_family = AF_INET, .idiag_state = LISTEN };

	expect(&d, &tcp4, -EBADMSG);
	(void)add_socket(&d, "127.0.0.1", 1, 1, LISTEN);
	/* Another dump's: of another family, another state, another question. */
	expect(&d, &tcp6, -EBADMSG);
	expect(&d, &udp4, -EBADMSG);
	((struct nlmsghdr *)(void *)d.bytes)->nlmsg_seq++;
	expect(&d, &tcp4, -EBADMSG);
	d.n = 0;
	add_socket(&d, "127.0.0.1", 1, 1, LISTEN)->nlmsg_flags |= NLM_F_DUMP_INTR;
	expect(&d, &tcp4, -EINTR);
	d.n = 0;
	add_end(&d, 0)->nlmsg_flags |= NLM_F_DUMP_INTR;
	expect(&d, &tcp4, -EINTR);
	d.n = 0;
	(void)add_end(&d, -ENOBUFS);
	expect(&d, &tcp4, -ENOBUFS);
	d.n = 0;
	(void)add_end(&d, INT32_MIN);
	expect(&d, &tcp4, -EBADMSG);
	d.n = 0;
	(void)add(&d, NLMSG_ERROR, &(struct nlmsgerr){ .error = -EPERM }, sizeof(struct nlmsgerr));
	expect(&d, &tcp4, -EPERM);
	d.n = 0;
	(void)add(&d, NLMSG_ERROR, &(struct nlmsgerr){ .error = 0 }, sizeof(struct nlmsgerr));
	expect(&d, &tcp4, -EBADMSG);
	d.n = 0;
	(void)add(&d, NLMSG_MIN_TYPE + 1, &small, sizeof(small));
	expect(&d, &tcp4, -EBADMSG);
	d.n = 0;
	(void)add(&d, SOCK_DIAG_BY_FAMILY, &small, sizeof(small) - 1);
	expect(&d, &tcp4, -EBADMSG);
	/* Lengths that lie. */
	for (uint32_t length = 0; length < NLMSG_HDRLEN; length++) {
		d.n = 0;
		add_end(&d, 0)->nlmsg_len = length;
		expect(&d, &tcp4, -EBADMSG);
	}
	d.n = 0;
	add_end(&d, 0)->nlmsg_len = UINT32_MAX;
	expect(&d, &tcp4, -EBADMSG);
	d.n = 0;
	(void)add_socket(&d, "127.0.0.1", 1, 1, LISTEN);
	for (size_t n = d.n; n > 0; n--) {
		/* The padding at its end may be missing. */
		struct datagram cut = d;

		cut.n = n;
		expect(&cut, &tcp4, d.n - n <= 3 ? 0 : -EBADMSG);
	}
}

static void test_read_too_many(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_socket_list list = { 0 };
	struct datagram d = { .n = 0 };

	for (unsigned i = 0; i < 16; i++)
		(void)add_socket(&d, "127.0.0.1", 1, 1, LISTEN);
	while (list.n < KC_INET_DIAG_SOCKETS_MAX)
		assert_int_equal(read_all(&d, &tcp4, &arena, &list), 0);
	assert_int_equal(read_all(&d, &tcp4, &arena, &list), -EFBIG);
	arena.limit = arena.used;
	list = (struct kc_socket_list){ 0 };
	assert_int_equal(read_all(&d, &tcp4, &arena, &list), -ENOMEM);
}

/* ---- whether a module could be loaded ---- */

#define DISABLED "/proc/sys/kernel/modules_disabled"
#define RELEASE	 "/proc/sys/kernel/osrelease"
#define MODULES	 "/proc/modules"
#define BUILTIN	 "/lib/modules/6.1.0-1-amd64/modules.builtin"

struct kernel {
	const char *disabled, *release, *modules, *builtin;
	int ruled_out;
};

/* A file below a folder, and what lies between them. */
static void put(const char *top, const char *path, const char *text)
{
	kc_cleanup(kc_freep) char *full = kc_asprintf("%s%s", top, path);
	kc_cleanup(kc_closep) int fd = -EBADF;

	if (!text)
		return;
	assert_non_null(full);
	for (char *slash = full + strlen(top) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(kc_write_all(fd, text, strlen(text)), 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void test_autoload(void **state)
{
	static const char release[] = "6.1.0-1-amd64\n";
	static const struct kernel kernels[] = {
		/* It is loaded, alone or among others. */
		{ "0\n", release, "tcp_diag 16384 0 - Live 0x0000000000000000\n", NULL, 1 },
		{ "0\n", release,
		  "udp_diag 16384 0 - Live 0x0\ntcp_diag 16384 1 x,y, Live 0x0 (E)\n", NULL, 1 },
		/* Not it, or not yet, or no longer. */
		{ "0\n", release, "udp_diag 1 0 - Live 0x0\nxtcp_diag 1 0 - Live 0x0\n", NULL, 0 },
		{ "0\n", release, "tcp_diag2 1 0 - Live 0x0\ntcp 1 0 tcp_diag Live 0x0\n", NULL,
		  0 },
		{ "0\n", release, "tcp_diag 16384 0 - Loading 0x0\n", NULL, 0 },
		{ "0\n", release, "tcp_diag 16384 0 - Unloading 0x0\n", NULL, 0 },
		{ "0\n", release, "tcp_diag 16384 0 -\ntcp_diag", NULL, 0 },
		{ "0\n", release, "", NULL, 0 },
		/* It is built in; this kernel's list says so, no other's. */
		{ "0\n", release, "", "kernel/a.ko\nkernel/net/ipv4/tcp_diag.ko\n", 1 },
		{ "0\n", release, "", "kernel/net/ipv4/tcp_diag.ko", 1 },
		{ "0\n", release, "",
		  "kernel/net/ipv4/xtcp_diag.ko\nkernel/tcp_diag.ko.x\ntcp_diag.ko\n", 0 },
		{ "0\n", "6.1.0-2-amd64\n", "", "kernel/net/ipv4/tcp_diag.ko\n", 0 },
		{ "0\n", "../6.1.0-1-amd64\n", "", "kernel/net/ipv4/tcp_diag.ko\n", 0 },
		{ "0\n", NULL, "", "kernel/net/ipv4/tcp_diag.ko\n", 0 },
		/* No module is loaded any more, or ever. */
		{ "1\n", release, "", NULL, 1 },
		{ NULL, release, NULL, NULL, 1 },
		/* One of the two is missing, or /proc is. */
		{ NULL, release, "", NULL, 0 },
		{ "0\n", release, NULL, NULL, 0 },
		{ NULL, NULL, NULL, NULL, 0 },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(kernels); i++) {
		const struct kernel *k = &kernels[i];
		char top[] = "/tmp/kc-sockets-XXXXXX";
		struct kc_root *root;
		int ruled_out;

		assert_non_null(mkdtemp(top));
		put(top, DISABLED, k->disabled);
		put(top, RELEASE, k->release);
		put(top, MODULES, k->modules);
		put(top, BUILTIN, k->builtin);
		assert_int_equal(kc_root_open(top, KC_ROOT_LIVE, NULL, &root), 0);
		ruled_out = kc_autoload_is_ruled_out(root, "tcp_diag");
		kc_root_free(root);
		assert_int_equal(nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
		if (ruled_out != k->ruled_out)
			fail_msg("kernel %zu: %d", i, ruled_out);
	}
}

/* ---- the whole question ---- */

static struct kc_answer ask(const char *top, int64_t protocol, struct kc_arena *arena)
{
	struct kc_question question = { .timeout_usec = 1000000, .number = protocol };
	struct kc_door_host host = { 0 };
	struct kc_answer answer;
	struct kc_root *root;
	void *state = NULL;

	assert_int_equal(kc_root_open(top, KC_ROOT_LIVE, NULL, &root), 0);
	host.root = root;
	kc_door_sockets(&host, &state, &question, arena, &answer);
	kc_root_free(root);
	assert_null(state);
	assert_true(answer.code == 0 || (answer.why && answer.why[0]));
	return answer;
}

static void test_refused(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };

	assert_int_equal(ask("/", 0, &arena).code, -EINVAL);
	assert_int_equal(ask("/", IPPROTO_SCTP, &arena).code, -EINVAL);
	assert_int_equal(ask("/", 256 + IPPROTO_TCP, &arena).code, -EINVAL);
	/* Its sockets are those of another machine, for all we know. */
	assert_int_equal(ask("/tmp", IPPROTO_TCP, &arena).code, -EOPNOTSUPP);
}

/* A socket of ours on a port of the kernel's choice. */
static int open_port(int family, int type, uint16_t *ret_port)
{
	struct sockaddr_in6 address = { 0 };
	socklen_t size = sizeof(address);
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	address.sin6_family = (sa_family_t)family;
	assert_true(fd >= 0);
	if (bind(fd, (void *)&address, family == AF_INET ? sizeof(struct sockaddr_in) : size) < 0)
		return kc_close(fd);
	assert_true(type == SOCK_DGRAM || listen(fd, 1) == 0);
	assert_int_equal(getsockname(fd, (void *)&address, &size), 0);
	/* At the same place for both families. */
	*ret_port = ntohs(address.sin6_port);
	return fd;
}

static const struct kc_socket *find(const struct kc_answer *answer, uint32_t family, uint16_t port)
{
	for (size_t i = 0; i < answer->n_items; i++) {
		const struct kc_socket *s = (const void *)answer->items[i].data;

		assert_int_equal(answer->items[i].size, sizeof(*s));
		if (s->family == family && s->port == port)
			return s;
	}
	return NULL;
}

static void test_own(void **state)
{
	static const int families[] = { AF_INET, AF_INET6 }, types[] = { SOCK_STREAM, SOCK_DGRAM };
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };

	for (unsigned i = 0; i < 4; i++) {
		int family = families[i % 2], type = types[i / 2];
		uint32_t version = family == AF_INET ? 4 : 6;
		const struct kc_socket *s;
		struct kc_answer answer;
		struct stat st;
		uint16_t port = 0;
		int fd = open_port(family, type, &port);

		if (fd < 0)
			continue; /* no IPv6 here */
		assert_int_equal(fstat(fd, &st), 0);
		answer = ask("/", type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP, &arena);
		/* A kernel that could load a module for the answer is not asked. */
		if (answer.code == -EOPNOTSUPP) {
			(void)kc_close(fd);
			skip();
		}
		assert_int_equal(answer.code, 0);
		s = find(&answer, version, port);
		assert_non_null(s);
		assert_int_equal(s->inode, st.st_ino);
		assert_int_equal(s->uid, getuid());
		(void)kc_close(fd);
		answer = ask("/", type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP, &arena);
		assert_null(find(&answer, version, port));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),	  cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_none), cmocka_unit_test(test_read_too_many),
		cmocka_unit_test(test_autoload),  cmocka_unit_test(test_refused),
		cmocka_unit_test(test_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
