/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/kernel-arguments.h"
#include "host-descriptor.h"
#include "host.h"
#include "proc-text.h"
#include "space.h"

enum {
	MEMINFO_MAX = 64 * 1024,
	CMDLINE_MAX = 64 * 1024,
	RESERVED_MAX = 64,
};

static const char meminfo_file[] = "/proc/meminfo", cmdline_file[] = "/proc/cmdline";
static const char reserved_file[] = "/sys/kernel/kexec_crash_size";

/* How much the kernel has put aside for a crash kernel; 0 when nobody says. */
static uint64_t read_reserved(const struct host_rule *rule)
{
	struct kc_bytes text;
	uint64_t bytes;
	char *number;

	if (kc_read_file(rule->host, rule->run, reserved_file, RESERVED_MAX, &text) < 0)
		return 0;
	number = kc_arena_memdup(rule->arena, text.data, text.size);
	return number && kc_parse_u64(kc_strstrip(number), &bytes) == 0 ? bytes : 0;
}

/* The kernel's arguments that take memory away, as they were given. */
static const char *find_arguments(const struct host_rule *rule, bool *ret_crashkernel)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_kernel_argument *argument = NULL;
	struct kc_bytes text;
	size_t n = 0;

	if (kc_read_file(rule->host, rule->run, cmdline_file, CMDLINE_MAX, &text) < 0 ||
	    kc_kernel_arguments_parse(text.data, text.size, rule->arena, &argument, &n) < 0)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		const struct kc_kernel_argument *a = argument + i;
		const bool crashkernel = kc_kernel_argument_is(a, "crashkernel");

		if (!a->value || a->for_init || (!crashkernel && !kc_kernel_argument_is(a, "mem")))
			continue;
		*ret_crashkernel = *ret_crashkernel || crashkernel;
		kc_buf_addf(&b, "%s%s=%s", b.len > 0 ? " " : "", a->name, a->value);
	}
	return b.len > 0 && !b.failed ? kc_text(rule->host, rule->run, "%s", b.data) : NULL;
}

/* Why the kernel counts less than the machine has. */
static const char *explain(const struct host_rule *rule)
{
	bool crashkernel = false;
	const char *arguments = find_arguments(rule, &crashkernel), *reserved = "";
	uint64_t bytes;

	if (!arguments)
		return NULL;
	bytes = crashkernel ? read_reserved(rule) : 0;
	if (bytes > 0)
		reserved = kc_text(rule->host, rule->run, "; %s are reserved for a crash kernel",
				   host_size_text(rule, bytes, HOST_DOWN));
	return kc_text(rule->host, rule->run,
		       "The kernel was started with %s (%s), which keeps memory from it%s.",
		       arguments, cmdline_file, reserved);
}

static int judge(const struct host_rule *rule, uint64_t wanted, unsigned tolerance, uint64_t found)
{
	const uint64_t least = wanted - host_share(wanted, tolerance);
	const char *expected =
		kc_text(rule->host, rule->run, "at least %s", host_wanted_text(rule, wanted));

	if (tolerance > 0)
		expected = kc_text(rule->host, rule->run, "%s, less %u %%: %s", expected, tolerance,
				   host_size_text(rule, least, HOST_UP));
	return kc_report(rule->host, rule->run, KC_NOW, found >= least ? KC_PASS : KC_FAIL,
			 "memory", expected, host_size_text(rule, found, HOST_DOWN),
			 kc_text(rule->host, rule->run, "%s: MemTotal", meminfo_file),
			 found >= least ? NULL : explain(rule));
}

int host_memory_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = HOST_RULE_MEMORY_MAX };
	const struct host_rule rule = { .host = host, .run = run, .arena = &arena };
	uint64_t wanted, tolerance, found;
	struct kc_bytes text;
	int r;

	r = host_param(&rule, "at-least", 1, INT64_MAX, &wanted);
	if (!r)
		r = host_param(&rule, "tolerance-percent", 0, 99, &tolerance);
	if (r < 0)
		return host_judged(r);
	r = kc_read_file(host, run, meminfo_file, MEMINFO_MAX, &text);
	if (r < 0)
		return kc_report_error(host, run, KC_NOW, "memory", meminfo_file);
	r = host_proc_kilobytes(text.data, text.size, "MemTotal", &found);
	if (r < 0)
		return kc_report(host, run, KC_NOW, KC_ERROR, "memory", NULL, NULL, meminfo_file,
				 "/proc/meminfo: has no line \"MemTotal: N kB\".");
	return judge(&rule, wanted, (unsigned)tolerance, found);
}
