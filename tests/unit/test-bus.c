/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/fake-bus.h"
#include "base/clock.h"
#include "base/str.h"
#include "sys/absent.h"
#include "sys/bus-rules.h"
#include "sys/bus.h"

#define SECOND 1000000ull

#define SYSTEMD	 "org.freedesktop.systemd1"
#define MANAGER	 SYSTEMD, "/org/freedesktop/systemd1", SYSTEMD ".Manager"
#define UNIT_OF	 "/org/freedesktop/systemd1/unit/"
#define FIREWALL "org.fedoraproject.FirewallD1", "/org/fedoraproject/FirewallD1"

/* A root with a bus in it, and the door to that bus. */
struct bus {
	char path[64];
	struct kc_root *root;
	pid_t pid;
	void *state;
	struct kc_arena arena;
	uint64_t timeout;
	bool absent; /* what was said of the last question without the door */
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int setup(void **state)
{
	struct bus *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	(void)snprintf(b->path, sizeof(b->path), "/tmp/k8scheck-bus-XXXXXX");
	assert_non_null(mkdtemp(b->path));
	assert_int_equal(kc_root_open(b->path, KC_ROOT_LIVE, NULL, &b->root), 0);
	b->timeout = 20 * SECOND;
	*state = b;
	return 0;
}

static void stop(struct bus *b)
{
	if (b->pid > 0)
		fake_bus_stop(b->pid);
	b->pid = 0;
}

static void start(struct bus *b, enum fake_bus_manner manner)
{
	b->pid = fake_bus_start(b->path, manner);
	assert_true(b->pid > 0);
}

static int teardown(void **state)
{
	struct bus *b = *state;

	stop(b);
	kc_bus_state_free(b->state);
	kc_root_free(b->root);
	kc_arena_done(&b->arena);
	(void)nftw(b->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(b);
	return 0;
}

static struct kc_answer ask(struct bus *b, uint32_t kind, int64_t number,
			    const char *const *strings)
{
	const struct kc_door_host host = { .root = b->root };
	struct kc_question question = { .kind = kind,
					.timeout_usec = b->timeout,
					.number = number };
	struct kc_answer answer, early = { 0 };
	bool absent;

	question.strings.item = strings;
	question.strings.n = kc_strv_len(strings);
	absent = kc_is_absent(b->root, &question, &b->arena, &early);
	b->absent = absent;
	/* Where the broker has no door to ask, it says what the door would. */
	absent = absent && !b->state;
	kc_door_bus(&host, &b->state, &question, &b->arena, &answer);
	if (absent) {
		assert_int_equal(early.code, answer.code);
		assert_string_equal(early.why, answer.why);
	}
	/* A failure always has its sentence. */
	assert_true(answer.code == 0 || (answer.why && answer.why[0]));
	return answer;
}

static struct kc_answer ask_unit(struct bus *b, const char *name)
{
	const char *const strings[] = { name, NULL };

	return ask(b, KC_ASK_UNIT, 0, strings);
}

#define ask_method(b, ...)   ask(b, KC_ASK_BUS, 0, (const char *const[]){ __VA_ARGS__, NULL })
#define ask_property(b, ...) ask(b, KC_ASK_BUS, 1, (const char *const[]){ __VA_ARGS__, NULL })

static const char *value(const struct kc_answer *answer, const char *key)
{
	assert_int_equal(answer->n_items % 2, 0);
	for (size_t i = 0; i < answer->n_items; i += 2)
		if (kc_streq(answer->items[i].data, key))
			return answer->items[i + 1].data;
	return NULL;
}

#define assert_value(answer, key, expected)             \
	do {                                            \
		const char *_v = value(&(answer), key); \
		assert_non_null(_v);                    \
		assert_string_equal(_v, expected);      \
	} while (0)

static void test_loaded(void **state)
{
	struct bus *b = *state;
	struct kc_answer a;

	start(b, FAKE_BUS_GOOD);
	a = ask_unit(b, "crio.service");
	assert_int_equal(a.code, 0);
	assert_int_equal(a.n_items, 16);
	assert_value(a, "LoadState", "loaded");
	assert_value(a, "ActiveState", "active");
	assert_value(a, "SubState", "running");
	assert_value(a, "UnitFileState", "enabled");
	assert_value(a, "FragmentPath", "/usr/lib/systemd/system/crio.service");
	assert_value(a, "NeedDaemonReload", "yes");
	assert_value(a, "Result", "success");
	assert_value(a, "MainPID", "4242");
	a = ask_unit(b, "kubelet.service");
	assert_value(a, "ActiveState", "failed");
	assert_value(a, "Result", "exit-code");
	assert_value(a, "NeedDaemonReload", "no");
	a = ask_unit(b, "masked.service");
	assert_value(a, "LoadState", "masked");
	a = ask_unit(b, "swap.target");
	assert_value(a, "LoadState", "loaded");
	assert_null(value(&a, "Result"));
	assert_null(value(&a, "MainPID"));
}

static void test_not_loaded(void **state)
{
	struct bus *b = *state;
	struct kc_answer a;

	start(b, FAKE_BUS_GOOD);
	a = ask_unit(b, "stopped.service");
	assert_int_equal(a.code, 0);
	assert_value(a, "LoadState", "not-loaded");
	assert_value(a, "ActiveState", "inactive");
	assert_value(a, "UnitFileState", "disabled");
	a = ask_unit(b, "masked-file.service");
	assert_value(a, "LoadState", "not-loaded");
	assert_value(a, "UnitFileState", "masked");
	a = ask_unit(b, "none.service");
	assert_int_equal(a.code, 0);
	assert_value(a, "LoadState", "not-found");
	assert_value(a, "UnitFileState", "");
	a = ask_unit(b, "getty@.service");
	assert_value(a, "LoadState", "not-loaded");
	assert_value(a, "UnitFileState", "enabled");
}

/* A bus that dies under a question: its socket may still take a connection for a moment. */
static void assert_lost(struct kc_answer a)
{
	assert_true(a.code == -ENOTCONN || a.code == -ECONNRESET);
}

static void test_refusals(void **state)
{
	struct bus *b = *state;
	struct kc_answer a;

	start(b, FAKE_BUS_GOOD);
	a = ask_unit(b, "denied.service");
	assert_int_equal(a.code, -EACCES);
	assert_non_null(strstr(a.why, "SELinux policy denies access"));
	a = ask_unit(b, "unowned.service");
	assert_int_equal(a.code, -ENOTCONN);
	assert_non_null(strstr(a.why, "systemd is not on the bus"));
	a = ask_unit(b, "types.service");
	assert_int_equal(a.code, -EBADMSG);
	a = ask_unit(b, "odd.service");
	assert_int_equal(a.code, -EBADMSG);
	a = ask_unit(b, "gone-away.service");
	assert_int_equal(a.code, -ECONNRESET);
	a = ask_unit(b, "strange.service");
	assert_int_equal(a.code, -EBADMSG);
	assert_non_null(strstr(a.why, "org.example.Strange"));
	a = ask_unit(b, "crio.service");
	assert_int_equal(a.code, 0);
	assert_lost(ask_unit(b, "exit.service"));
}

static void test_hung(void **state)
{
	struct bus *b = *state;
	struct kc_answer a, again;
	uint64_t begin;

	start(b, FAKE_BUS_GOOD);
	/* A service that hangs is remembered, and costs those of others nothing. */
	b->timeout = SECOND * 3 / 10;
	begin = kc_now_usec();
	a = ask_method(b, FIREWALL, "org.fedoraproject.FirewallD1", "getDefaultZone");
	assert_int_equal(a.code, -ETIMEDOUT);
	assert_in_range(kc_now_usec() - begin, SECOND / 4, 2 * SECOND);
	begin = kc_now_usec();
	again = ask_method(b, FIREWALL, "org.fedoraproject.FirewallD1", "getDefaultZone");
	assert_int_equal(again.code, -ETIMEDOUT);
	assert_string_equal(again.why, a.why);
	assert_true(kc_now_usec() - begin < SECOND / 4);
	b->timeout = 20 * SECOND;
	assert_int_equal(ask_unit(b, "crio.service").code, 0);
	/* A time-out too short for an answer proves nothing. */
	b->timeout = SECOND / 100;
	assert_int_equal(ask_unit(b, "hang.service").code, -ETIMEDOUT);
	b->timeout = 20 * SECOND;
	assert_int_equal(ask_unit(b, "crio.service").code, 0);
	b->timeout = SECOND * 3 / 10;
	assert_int_equal(ask_unit(b, "hang.service").code, -ETIMEDOUT);
	b->timeout = 20 * SECOND;
	assert_int_equal(ask_unit(b, "crio.service").code, -ETIMEDOUT);
}

static void test_silent(void **state)
{
	static const enum fake_bus_manner manners[] = { FAKE_BUS_SILENT, FAKE_BUS_DEAF,
							FAKE_BUS_NO_HELLO };
	struct bus *b = *state;

	b->timeout = SECOND * 3 / 10;
	for (size_t i = 0; i < KC_ARRAY_SIZE(manners); i++) {
		struct kc_answer a;
		uint64_t begin;

		start(b, manners[i]);
		begin = kc_now_usec();
		a = ask_unit(b, "crio.service");
		assert_int_equal(a.code, -ETIMEDOUT);
		assert_in_range(kc_now_usec() - begin, SECOND / 4, 2 * SECOND);
		begin = kc_now_usec();
		a = ask_property(b, MANAGER, "Version");
		assert_int_equal(a.code, -ETIMEDOUT);
		assert_true(kc_now_usec() - begin < SECOND / 4);
		stop(b);
		kc_bus_state_free(b->state);
		b->state = NULL;
	}
}

/* Those that wait in the queue of a bus that does not accept fill it: then connect() itself waits.
 */
static void test_full_queue(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct bus *b = *state;
	int fds[16];
	uint64_t begin;

	start(b, FAKE_BUS_DEAF);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/run/dbus/system_bus_socket",
		       b->path);
	for (size_t i = 0; i < KC_ARRAY_SIZE(fds); i++) {
		fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		assert_true(fds[i] >= 0);
		(void)connect(fds[i], (struct sockaddr *)&address, sizeof(address));
	}
	b->timeout = SECOND * 3 / 10;
	begin = kc_now_usec();
	assert_int_equal(ask_unit(b, "crio.service").code, -ETIMEDOUT);
	assert_in_range(kc_now_usec() - begin, SECOND / 4, 2 * SECOND);
	for (size_t i = 0; i < KC_ARRAY_SIZE(fds); i++)
		(void)close(fds[i]);
}

static void test_no_bus(void **state)
{
	struct bus *b = *state;
	char path[128];
	struct kc_answer a;
	int fd;

	a = ask_unit(b, "crio.service");
	assert_int_equal(a.code, -ENOTCONN);
	assert_string_equal(a.why,
			    "there is no system bus: /run/dbus/system_bus_socket is missing");
	assert_true(b->absent);
	/* What may not be asked is refused all the same, by the door. */
	assert_int_equal(ask_unit(b, "no unit").code, -EINVAL);
	assert_false(b->absent);
	assert_int_equal(
		ask(b, KC_ASK_BUS, 0, (const char *const[]){ "a", "/b", "c", "d", NULL }).code,
		-EPERM);
	assert_false(b->absent);
	/* What is found later is taken: a bus may come up during a run. */
	start(b, FAKE_BUS_GOOD);
	assert_int_equal(ask_unit(b, "crio.service").code, 0);
	assert_false(b->absent);
	stop(b);
	a = ask_unit(b, "crio.service");
	assert_int_equal(a.code, -ENOTCONN);
	assert_non_null(strstr(a.why, "nobody listens"));
	(void)snprintf(path, sizeof(path), "%s/run/dbus/system_bus_socket", b->path);
	assert_int_equal(unlink(path), 0);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(ask_unit(b, "crio.service").code, -ENOTSOCK);
	assert_false(b->absent);
}

static void test_bad_bus(void **state)
{
	static const struct {
		enum fake_bus_manner manner;
		int code;
	} cases[] = {
		{ FAKE_BUS_REFUSES, -EACCES },
		{ FAKE_BUS_RUBBISH, -EPROTO },
		{ FAKE_BUS_HANGS_UP, -ECONNRESET },
	};
	struct bus *b = *state;

	for (size_t i = 0; i < KC_ARRAY_SIZE(cases); i++) {
		start(b, cases[i].manner);
		assert_int_equal(ask_unit(b, "crio.service").code, cases[i].code);
		stop(b);
	}
}

static void test_reconnects(void **state)
{
	struct bus *b = *state;

	/* The connection closes after GetUnit, so the unit is seen once its questions are begun
	 * anew. */
	start(b, FAKE_BUS_ONE_ANSWER);
	assert_int_equal(ask_property(b, MANAGER, "Version").code, 0);
	assert_int_equal(ask_unit(b, "none.service").code, -ECONNRESET);
	assert_int_equal(ask_property(b, MANAGER, "Version").code, 0);
	stop(b);
	start(b, FAKE_BUS_GOOD);
	assert_int_equal(ask_property(b, MANAGER, "Version").code, 0);
	/* The service takes the bus with it, in the middle of a question. */
	assert_lost(ask_method(b, FIREWALL, "org.fedoraproject.FirewallD1", "listServices"));
}

static void test_values(void **state)
{
	struct bus *b = *state;
	struct kc_answer a;

	start(b, FAKE_BUS_GOOD);
	a = ask_property(b, MANAGER, "Version");
	assert_int_equal(a.n_items, 1);
	assert_string_equal(a.items[0].data, "252.39");
	a = ask_property(b, MANAGER, "NNames");
	assert_string_equal(a.items[0].data, "17");
	a = ask_property(b, MANAGER, "UnitPath");
	assert_int_equal(a.n_items, 2);
	assert_string_equal(a.items[1].data, "/usr/lib/systemd/system");
	a = ask_method(b, FIREWALL, "org.fedoraproject.FirewallD1.zone", "getPorts", "public");
	assert_int_equal(a.code, 0);
	assert_int_equal(a.n_items, 2);
	assert_string_equal(a.items[0].data, "6443 tcp");
	a = ask_method(b, FIREWALL, "org.fedoraproject.FirewallD1.zone", "getActiveZones");
	assert_int_equal(a.n_items, 2);
	assert_string_equal(a.items[0].data, "public");
	assert_string_equal(a.items[1].data, "interfaces=eth0 eth1 sources=10.0.0.0/8");
	a = ask_method(b, FIREWALL, "org.fedoraproject.FirewallD1.zone", "queryPort", "public",
		       "6443", "tcp");
	assert_string_equal(a.items[0].data, "yes");
	a = ask_method(b, FIREWALL, "org.fedoraproject.FirewallD1.zone", "getPorts", "none");
	assert_int_equal(a.code, -EBADMSG);
	assert_non_null(strstr(a.why, "INVALID_ZONE"));
	a = ask_method(b, FIREWALL, "org.fedoraproject.FirewallD1.zone", "getZones");
	assert_int_equal(a.code, -EBADMSG);
	a = ask_method(b, FIREWALL, "org.fedoraproject.FirewallD1.zone", "getSources", "public");
	assert_int_equal(a.code, -ENOTSUP);
	a = ask_property(b, MANAGER, "Virtualization");
	assert_int_equal(a.code, -ENOTSUP);
	a = ask_property(b, SYSTEMD, UNIT_OF "crio_2eservice", SYSTEMD ".Service", "MainPID");
	assert_string_equal(a.items[0].data, "4242");
	/* Speaking to its object would have systemd load the unit. */
	a = ask_property(b, SYSTEMD, UNIT_OF "stopped_2eservice", SYSTEMD ".Unit", "LoadState");
	assert_int_equal(a.code, -ENOENT);
}

static void test_list(void **state)
{
	struct bus *b = *state;

	start(b, FAKE_BUS_GOOD);
	assert_int_equal(ask_method(b, MANAGER, "LoadUnit", "crio.service").code, -EPERM);
	assert_int_equal(ask_method(b, MANAGER, "StartUnit", "crio.service", "replace").code,
			 -EPERM);
	assert_int_equal(ask_method(b, MANAGER, "Version").code, -EPERM);
	assert_int_equal(ask_property(b, MANAGER, "GetUnit").code, -EPERM);
	assert_int_equal(ask_property(b, MANAGER, "Environment").code, -EPERM);
	assert_int_equal(ask_method(b, "org.example", "/", "org.example", "Get").code, -EPERM);
	assert_int_equal(ask_property(b, SYSTEMD, UNIT_OF, SYSTEMD ".Unit", "LoadState").code,
			 -EPERM);
	assert_int_equal(ask_property(b, SYSTEMD, UNIT_OF "a/b", SYSTEMD ".Unit", "LoadState").code,
			 -EPERM);
	assert_int_equal(ask_property(b, SYSTEMD, UNIT_OF "a_2", SYSTEMD ".Unit", "LoadState").code,
			 -EINVAL);
	assert_int_equal(ask_method(b, MANAGER, "GetUnit").code, -EINVAL);
	assert_int_equal(ask_method(b, MANAGER, "GetUnit", "a.service", "b").code, -EINVAL);
	assert_int_equal(ask_method(b, MANAGER, "GetUnit", "no unit").code, -EINVAL);
	assert_int_equal(ask_method(b, SYSTEMD).code, -EINVAL);
	assert_int_equal(ask_unit(b, "crio").code, -EINVAL);
	assert_int_equal(ask_unit(b, "../crio.service").code, -EINVAL);
	/* It still answers, so LoadUnit was not called. */
	assert_int_equal(ask_unit(b, "crio.service").code, 0);
}

static void test_offline(void **state)
{
	struct bus *b = *state;

	start(b, FAKE_BUS_GOOD);
	kc_root_free(b->root);
	assert_int_equal(kc_root_open(b->path, 0, NULL, &b->root), 0);
	assert_int_equal(ask_unit(b, "crio.service").code, -EOPNOTSUPP);
}

static void test_unit_names(void **state)
{
	static const char *const good[] = {
		"crio.service", "a@b.service", "dev-disk-by\\x2dlabel.swap",
		"system.slice", "a.b.c.mount", "-.mount",
		"x@y@z.timer"
	};
	static const char *const bad[] = { "",		 "crio",	".service",
					   "a.txt",	 "a b.service", "a/b.service",
					   "@x.service", "a.service\n", "\xc3\xa9.service" };
	char name[KC_UNIT_NAME_SIZE], longest[KC_UNIT_NAME_SIZE + 8];

	for (size_t i = 0; i < KC_ARRAY_SIZE(good); i++)
		assert_int_equal(kc_unit_name_check(good[i]), KC_UNIT_NAME_PLAIN);
	for (size_t i = 0; i < KC_ARRAY_SIZE(bad); i++)
		assert_int_equal(kc_unit_name_check(bad[i]), KC_UNIT_NAME_INVALID);
	assert_int_equal(kc_unit_name_check("getty@.service"), KC_UNIT_NAME_TEMPLATE);
	memset(longest, 'a', sizeof(longest));
	memcpy(longest + 247, ".service", sizeof(".service"));
	assert_int_equal(kc_unit_name_check(longest), KC_UNIT_NAME_PLAIN);
	memcpy(longest + 248, ".service", sizeof(".service"));
	assert_int_equal(kc_unit_name_check(longest), KC_UNIT_NAME_INVALID);

	assert_int_equal(kc_unit_name_of_path(UNIT_OF "a_40b_2dc_2eservice", name), 1);
	assert_string_equal(name, "a@b-c.service");
	assert_int_equal(kc_unit_name_of_path("/org/freedesktop/systemd1", name), 0);
	assert_int_equal(kc_unit_name_of_path(UNIT_OF "_", name), -EINVAL);
	assert_int_equal(kc_unit_name_of_path(UNIT_OF "_00_2eservice", name), -EINVAL);
}

int main(void)
{
#define bus_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		bus_test(test_loaded),
		bus_test(test_not_loaded),
		bus_test(test_refusals),
		bus_test(test_hung),
		bus_test(test_silent),
		bus_test(test_full_queue),
		bus_test(test_no_bus),
		bus_test(test_bad_bus),
		bus_test(test_reconnects),
		bus_test(test_values),
		bus_test(test_list),
		bus_test(test_offline),
		cmocka_unit_test(test_unit_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
