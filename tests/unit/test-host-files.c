/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/cpu-list.h"
#include "host/hosts-file.h"
#include "host/mounts.h"
#include "host/node-name.h"
#include "host/proc-text.h"
#include "host/space.h"

static int count_cpus(const char *text)
{
	struct host_cpus cpus;
	int r = host_cpus_parse(text, strlen(text), &cpus);

	return r < 0 ? r : (int)host_cpus_count(&cpus);
}

static void test_cpu_list(void **state)
{
	assert_int_equal(count_cpus("0\n"), 1);
	assert_int_equal(count_cpus("0-3"), 4);
	assert_int_equal(count_cpus("0-3,8,10-11\n"), 7);
	assert_int_equal(count_cpus("63-64"), 2);
	assert_int_equal(count_cpus("0-3,2-5"), 6);
	assert_int_equal(count_cpus("0-8191"), 8192);
	assert_int_equal(count_cpus("\n"), 0);
	assert_int_equal(count_cpus(""), 0);
}

static void test_cpu_list_malformed(void **state)
{
	static const char *const texts[] = { ",",   "0,",    ",0",	"0-",	"-3",
					     "3-1", "0--3",  "0 1",	"0-3x", "0x1f",
					     "a",   "0\n\n", "0-3:1/2", NULL };

	KC_FOREACH_STR (text, texts)
		assert_int_equal(count_cpus(text), -EINVAL);
	assert_int_equal(count_cpus("8192"), -ERANGE);
	assert_int_equal(count_cpus("0-99999999999999999999"), -ERANGE);
}

static void test_cpus_intersect(void **state)
{
	struct host_cpus allowed, online;

	assert_int_equal(host_cpus_parse("0-127", 5, &allowed), 0);
	assert_int_equal(host_cpus_parse("0,2-3", 5, &online), 0);
	host_cpus_intersect(&allowed, &online);
	assert_int_equal(host_cpus_count(&allowed), 3);
}

static void test_proc_field(void **state)
{
	static const char text[] =
		"Name:\tcat\nCpus_allowed:\t3\nCpus_allowed_list:\t0-1\nLast: x ";
	const char *value;
	size_t n;

	value = host_proc_field(text, sizeof(text) - 1, "Cpus_allowed_list", &n);
	assert_non_null(value);
	assert_int_equal(n, 3);
	assert_memory_equal(value, "0-1", 3);
	value = host_proc_field(text, sizeof(text) - 1, "Last", &n);
	assert_non_null(value);
	assert_int_equal(n, 1);
	assert_null(host_proc_field(text, sizeof(text) - 1, "Cpus", &n));
	assert_null(host_proc_field(text, sizeof(text) - 1, "at", &n));
	assert_null(host_proc_field("Last", 4, "Last", &n));
	assert_non_null(host_proc_field("Last:", 5, "Last", &n));
	assert_int_equal(n, 0);
}

static int memory_of(const char *text, uint64_t *ret_bytes)
{
	return host_proc_kilobytes(text, strlen(text), "MemTotal", ret_bytes);
}

static void test_meminfo(void **state)
{
	uint64_t bytes = 0;

	assert_int_equal(memory_of("MemTotal:        3825564 kB\nMemFree: 1 kB\n", &bytes), 0);
	assert_true(bytes == (uint64_t)3825564 * 1024);
	assert_int_equal(memory_of("MemFree: 1 kB\nMemTotal: 0 kB", &bytes), 0);
	assert_true(bytes == 0);
	assert_int_equal(memory_of("MemFree: 1 kB\n", &bytes), -ENOENT);
	assert_int_equal(memory_of("MemTotal: 1\n", &bytes), -EINVAL);
	assert_int_equal(memory_of("MemTotal: kB\n", &bytes), -EINVAL);
	assert_int_equal(memory_of("MemTotal: -1 kB\n", &bytes), -EINVAL);
	assert_int_equal(memory_of("MemTotal: 1 MB\n", &bytes), -EINVAL);
	assert_int_equal(memory_of("MemTotal: 0x10 kB\n", &bytes), -EINVAL);
	assert_int_equal(memory_of("MemTotal: 18446744073709551615 kB\n", &bytes), -ERANGE);
	assert_int_equal(memory_of("MemTotal: 999999999999999999999999999999 kB\n", &bytes),
			 -EINVAL);
}

static const char mountinfo[] =
	"21 1 253:0 / / rw,relatime shared:1 - xfs /dev/mapper/cl-root rw,seclabel\n"
	"22 21 0:20 / /proc rw,nosuid - proc proc rw\n"
	"rubbish\n"
	"30 21 253:2 / /var rw shared:3 master:1 - ext4 /dev/mapper/cl-var rw\n"
	"31 30 0:40 / /var/lib/with\\040space rw - tmpfs what\\134ever rw\n"
	"32 21 253:3 / /a/b rw - ext4 /dev/hidden rw\n"
	"33 21 253:4 / /a rw - ext4 /dev/a rw\n"
	"34 30 253:5 / /var/log rw - ext4 /dev/log1 rw\n"
	"35 34 253:6 / /var/log rw - ext4 /dev/log2 rw\n";

static void assert_mount(const char *text, const char *path, const char *source, const char *point)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct host_mount mount;

	assert_int_equal(host_mount_find(text, strlen(text), path, &arena, &mount), 0);
	assert_string_equal(mount.source, source);
	assert_string_equal(mount.point, point);
}

static void test_mounts(void **state)
{
	assert_mount(mountinfo, "/", "/dev/mapper/cl-root", "/");
	assert_mount(mountinfo, "/usr", "/dev/mapper/cl-root", "/");
	assert_mount(mountinfo, "/variable", "/dev/mapper/cl-root", "/");
	assert_mount(mountinfo, "/var", "/dev/mapper/cl-var", "/var");
	assert_mount(mountinfo, "/var/lib/kubelet", "/dev/mapper/cl-var", "/var");
	assert_mount(mountinfo, "/var/lib/with space/x", "what\\ever", "/var/lib/with space");
	assert_mount(mountinfo, "/a/b/c", "/dev/a", "/a");
	assert_mount(mountinfo, "/var/log/pods", "/dev/log2", "/var/log");
}

static void test_mounts_over_root(void **state)
{
	static const char over[] = "2 1 0:2 / / rw - rootfs rootfs rw\n"
				   "5 2 8:1 / / rw - ext4 /dev/sda1 rw\n"
				   "9 2 8:2 / /var rw - ext4 /dev/hidden rw\n";
	static const char turned[] = "5 2 8:1 / / rw - ext4 /dev/sda1 rw\n"
				     "2 1 0:2 / / rw - rootfs rootfs rw\n";

	assert_mount(over, "/var", "/dev/sda1", "/");
	assert_mount(turned, "/var", "/dev/sda1", "/");
}

static void test_mounts_malformed(void **state)
{
	static const char loop[] = "2 3 0:2 / / rw - ext4 a rw\n3 2 0:2 / / rw - ext4 b rw\n";
	static const char *const empty[] = { "",
					     "\n",
					     "1 2\n",
					     "1 2 0:1 / / rw shared:1\n",
					     "1 2 0:1 / / rw -\n",
					     "x 2 0:1 / / rw - a b\n",
					     "1 2 0:1 / /var rw - a b c\n",
					     NULL };
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct host_mount mount;

	KC_FOREACH_STR (text, empty)
		assert_int_equal(host_mount_find(text, strlen(text), "/var/x", &arena, &mount),
				 -ENOENT);
	assert_int_equal(host_mount_find(loop, sizeof(loop) - 1, "/", &arena, &mount), -ELOOP);
}

static void test_space(void **state)
{
	const struct kc_filesystem fs = { .bytes = 1000,
					  .bytes_free = 150,
					  .bytes_available = 99,
					  .inodes = 200,
					  .inodes_free = 10 };
	const struct kc_filesystem none = { .bytes = 1000, .bytes_available = 1000 };
	const struct kc_filesystem sizeless = { .inodes = 10, .inodes_free = 10 };

	assert_int_equal(host_space_meets(&fs, HOST_SIZE, 1000), 1);
	assert_int_equal(host_space_meets(&fs, HOST_SIZE, 1001), 0);
	assert_int_equal(host_space_meets(&fs, HOST_FREE, 99), 1);
	assert_int_equal(host_space_meets(&fs, HOST_FREE, 100), 0);
	assert_int_equal(host_space_meets(&fs, HOST_FREE_PERCENT, 9), 1);
	assert_int_equal(host_space_meets(&fs, HOST_FREE_PERCENT, 10), 0);
	assert_int_equal(host_space_meets(&fs, HOST_INODES_FREE, 10), 1);
	assert_int_equal(host_space_meets(&fs, HOST_INODES_FREE, 11), 0);
	assert_int_equal(host_space_meets(&fs, HOST_INODES_FREE_PERCENT, 5), 1);
	assert_int_equal(host_space_meets(&fs, HOST_INODES_FREE_PERCENT, 6), 0);
	assert_int_equal(host_space_meets(&none, HOST_INODES_FREE, 1), -ENODATA);
	assert_int_equal(host_space_meets(&none, HOST_INODES_FREE_PERCENT, 1), -ENODATA);
	assert_int_equal(host_space_meets(&sizeless, HOST_SIZE, 1), -ENODATA);
	assert_int_equal(host_space_meets(&sizeless, HOST_FREE_PERCENT, 1), -ENODATA);
}

static void test_percent(void **state)
{
	assert_true(host_share(UINT64_MAX, 100) == UINT64_MAX);
	assert_true(host_share(1, 1) == 1);
	assert_true(host_share(0, 100) == 0);
	assert_true(host_share(200, 5) == 10);
	assert_int_equal(host_percent_of(99, 1000), 9);
	assert_int_equal(host_percent_of(1000, 1000), 100);
	assert_int_equal(host_percent_of(2000, 1000), 100);
	assert_int_equal(host_percent_of(UINT64_MAX - 1, UINT64_MAX), 99);
	assert_int_equal(host_percent_of(UINT64_MAX / 2, UINT64_MAX), 50);
}

static void test_hosts_file(void **state)
{
	static const char text[] = "127.0.0.1\tlocalhost\n"
				   "# 192.0.2.9 node1\n"
				   "127.0.1.1 node1.example.com node1 # 192.0.2.8\n"
				   "192.0.2.1 other # node1\n"
				   "  192.0.2.2\tNODE1\r\n"
				   "node1\n"
				   "192.0.2.3 node10 node";
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct host_hosts_entry entry[2] = { 0 };

	assert_int_equal(host_hosts_find(text, sizeof(text) - 1, "node1", &arena, entry, 2), 2);
	assert_string_equal(entry[0].address, "127.0.1.1");
	assert_int_equal(entry[0].line, 3);
	assert_string_equal(entry[1].address, "192.0.2.2");
	assert_int_equal(entry[1].line, 5);
	assert_int_equal(host_hosts_find(text, sizeof(text) - 1, "node1", &arena, entry, 1), 2);
	assert_int_equal(host_hosts_find(text, sizeof(text) - 1, "node", &arena, entry, 2), 1);
	assert_int_equal(entry[0].line, 7);
	assert_int_equal(host_hosts_find(text, sizeof(text) - 1, "192.0.2.1", &arena, entry, 2), 0);
	assert_int_equal(host_hosts_find("", 0, "node1", &arena, entry, 2), 0);
}

static void test_node_name(void **state)
{
	static const char *const good[] = { "node1",	  "n",
					    "1",	  "node-1.example.com",
					    "10-0-0-1",	  "xn--bcher-kva",
					    "localhosts", NULL };
	static const char *const bad[] = {
		"",	 "(none)",    "Node1",	     "node_1", "-node",	    "node-",
		"node.", ".node",     "a..b",	     "a.-b.c", "localhost", "LocalHost.localdomain",
		"n ode", "b\xc3\xbc", "x.localhost", NULL
	};
	char label[70], name[300];

	KC_FOREACH_STR (text, good)
		assert_null(host_node_name_fault(text));
	KC_FOREACH_STR (text, bad)
		assert_non_null(host_node_name_fault(text));
	memset(label, 'a', sizeof(label));
	label[63] = 0;
	assert_null(host_node_name_fault(label));
	label[63] = 'a';
	label[64] = 0;
	assert_non_null(host_node_name_fault(label));
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 2 ? '.' : 'a';
	name[253] = 0;
	assert_null(host_node_name_fault(name));
	name[253] = '.';
	name[255] = 0;
	assert_non_null(host_node_name_fault(name));
}

static void test_hostname_file(void **state)
{
	static const char text[] = "# a comment\n\n  node1.example.com \r\nnode2\n";
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	const char *name = NULL;
	unsigned line = 0;

	assert_int_equal(host_hostname_parse(text, sizeof(text) - 1, &arena, &name, &line), 0);
	assert_string_equal(name, "node1.example.com");
	assert_int_equal(line, 3);
	assert_int_equal(host_hostname_parse("n", 1, &arena, &name, &line), 0);
	assert_string_equal(name, "n");
	assert_int_equal(host_hostname_parse("", 0, &arena, &name, &line), -ENOENT);
	assert_int_equal(host_hostname_parse("\n#x\n", 4, &arena, &name, &line), -ENOENT);
	assert_int_equal(host_hostname_parse("n\0", 2, &arena, &name, &line), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpu_list),
		cmocka_unit_test(test_cpu_list_malformed),
		cmocka_unit_test(test_cpus_intersect),
		cmocka_unit_test(test_proc_field),
		cmocka_unit_test(test_meminfo),
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_mounts_over_root),
		cmocka_unit_test(test_mounts_malformed),
		cmocka_unit_test(test_space),
		cmocka_unit_test(test_percent),
		cmocka_unit_test(test_hosts_file),
		cmocka_unit_test(test_node_name),
		cmocka_unit_test(test_hostname_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
