/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "host/cpu-list.h"
#include "host/hosts-file.h"
#include "host/mounts.h"
#include "host/node-name.h"
#include "host/proc-text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_mounts(const char *text, size_t size, struct kc_arena *arena)
{
	struct host_mount mount;

	/* What is found is in the text: its mount point is "/" or lies on the way. */
	if (host_mount_find(text, size, "/var/lib/kubelet/pods", arena, &mount) == 0 &&
	    !kc_after_prefix("/var/lib/kubelet/pods", mount.point))
		abort();
}

static void read_names(const char *text, size_t size, struct kc_arena *arena)
{
	struct host_hosts_entry entries[4];
	const char *name;
	unsigned line;

	if (host_hostname_parse(text, size, arena, &name, &line) == 0 &&
	    !host_node_name_fault(name) &&
	    host_hosts_find(text, size, name, arena, entries, KC_ARRAY_SIZE(entries)) > 0 &&
	    entries[0].line == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = 64 << 20 };
	const char *text = (const char *)data, *value;
	struct host_cpus cpus;
	uint64_t bytes;
	size_t n;

	if (size > 64 * 1024)
		return 0;
	if (host_cpus_parse(text, size, &cpus) == 0 && host_cpus_count(&cpus) > HOST_CPUS_MAX)
		abort();
	value = host_proc_field(text, size, "Cpus_allowed_list", &n);
	if (value && (value < text || value + n > text + size))
		abort();
	(void)host_proc_kilobytes(text, size, "MemTotal", &bytes);
	read_mounts(text, size, &arena);
	read_names(text, size, &arena);
	return 0;
}
