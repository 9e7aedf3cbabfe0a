/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/clock.h"
#include "base/str.h"
#include "host-internal.h"

int kc_host_fail(struct kc_run *run, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(run->why, sizeof(run->why), fmt, ap);
	va_end(ap);
	return code;
}

int kc_host_fail_err(struct kc_run *run, const struct kc_err *err)
{
	return kc_host_fail(run, err->code, "%s", err->text);
}

int kc_host_fail_memory(struct kc_run *run)
{
	return kc_host_fail(run, -ENOMEM, "the rule used up the memory it may have");
}

struct kc_arena *kc_host_arena(struct kc_run *run)
{
	run->arena.limit = KC_RUN_MEMORY_MAX;
	return &run->arena;
}

void kc_run_done(struct kc_run *run)
{
	kc_arena_done(&run->arena);
}

/* ---- the rule ---- */

static uint32_t host_horizons(struct kc_run *run)
{
	return run->horizons;
}

static int host_is_live(struct kc_run *run)
{
	return kc_root_is_live(run->root);
}

uint64_t kc_host_time_left(struct kc_run *run)
{
	uint64_t now = kc_now_usec();

	return now < run->deadline_usec ? run->deadline_usec - now : 0;
}

static const char *host_why(struct kc_run *run)
{
	return run->why[0] ? run->why : "nothing failed";
}

static const struct kc_value *find_param(struct kc_run *run, const char *name, uint32_t *ret_type)
{
	int i;

	if (!run->rule)
		return NULL;
	i = kc_manifest_param(run->rule->check, name);
	if (i < 0)
		return NULL;
	*ret_type = run->rule->check->params[i].type;
	return run->rule->params + i;
}

/* The value of a parameter whose type is one of a set (bits by type). */
static int get_param(struct kc_run *run, const char *name, uint32_t types,
		     const struct kc_value **ret_value)
{
	const struct kc_value *value = NULL;
	uint32_t type = 0;

	value = find_param(run, name, &type);
	if (!value || !(types & (1u << type)))
		return kc_host_fail(run, -EINVAL,
				    "the check has no parameter %s of the type asked for", name);
	if (value->type == 0)
		return kc_host_fail(run, -ENOENT, "the rule gives no %s, and there is no default",
				    name);
	*ret_value = value;
	return 0;
}

static int host_param_string(struct kc_run *run, const char *name, const char **ret_value)
{
	const struct kc_value *value = NULL;
	int r = get_param(run, name, 1u << KC_TYPE_STRING | 1u << KC_TYPE_CHOICE, &value);

	if (r < 0)
		return r;
	*ret_value = value->string;
	return 0;
}

static int host_param_number(struct kc_run *run, const char *name, int64_t *ret_value)
{
	const struct kc_value *value = NULL;
	int r = get_param(run, name,
			  1u << KC_TYPE_INTEGER | 1u << KC_TYPE_BOOLEAN | 1u << KC_TYPE_DURATION |
				  1u << KC_TYPE_SIZE,
			  &value);

	if (r < 0)
		return r;
	*ret_value = value->number;
	return 0;
}

static int host_param_list(struct kc_run *run, const char *name, struct kc_strings *ret_value)
{
	const struct kc_value *value = NULL;
	int r = get_param(run, name, 1u << KC_TYPE_LIST, &value);

	if (r < 0)
		return r;
	*ret_value = (struct kc_strings){ .n = value->n, .item = value->list };
	return 0;
}

static int host_param_map(struct kc_run *run, const char *name, struct kc_pairs *ret_value)
{
	const struct kc_value *value = NULL;
	int r = get_param(run, name, 1u << KC_TYPE_MAP, &value);

	if (r < 0)
		return r;
	*ret_value = (struct kc_pairs){ .n = value->n, .item = value->map };
	return 0;
}

static int host_fact(struct kc_run *run, const char *name, struct kc_fact *ret_fact)
{
	if (!run->facts && run->await_facts)
		run->await_facts(run);
	for (uint32_t i = 0; i < run->n_facts; i++) {
		const struct kc_fact_value *f = run->facts + i;
		struct kc_fact fact = {
			.size = sizeof(fact),
			.state = f->state,
			.name = f->name,
			.value = f->value,
			.source = f->source,
		};
		uint32_t size = ret_fact->size;

		if (!kc_streq(f->name, name))
			continue;
		memcpy(ret_fact, &fact, KC_MIN((size_t)size, sizeof(fact)));
		ret_fact->size = size;
		return 0;
	}
	return kc_host_fail(run, -ENOENT, "nobody gathers the fact %s", name);
}

/* ---- what a plugin hands in ---- */

/*
 * What a plugin hands in counts wholly or makes the rule an error: a fail that was lost must not
 * pass. `what` is a constant, of which the first is kept.
 */
static int refuse(struct kc_run *run, int code, const char *what)
{
	if (run->refused == 0) {
		run->refused = code;
		run->refusal = what;
	}
	return kc_host_fail(run, code, "%s", what);
}

static int cut(struct kc_run *run, const char **text, int max)
{
	size_t n;
	char *copy;

	if (!*text)
		return 0;
	n = strlen(*text);
	if (n <= (size_t)max)
		return 0;
	copy = kc_arena_printf(kc_host_arena(run), "%.*s[cut here: %zu bytes in all]", max, *text,
			       n);
	if (!copy)
		return -ENOMEM;
	*text = copy;
	return 0;
}

static int host_finding(struct kc_run *run, const struct kc_finding *finding)
{
	struct kc_finding f = { 0 };

	memcpy(&f, finding, KC_MIN((size_t)finding->size, sizeof(f)));
	f.size = sizeof(f);
	if (run->gathering || run->planning)
		return refuse(run, -EINVAL, "findings belong into run()");
	if (finding->size < offsetof(struct kc_finding, reserved))
		return refuse(run, -EINVAL,
			      "the check reported a finding without its size "
			      "(.size = sizeof(struct kc_finding))");
	if (f.verdict < KC_PASS || f.verdict > KC_FAIL)
		return refuse(run, -EINVAL, "the check reported a verdict that there is not");
	if ((f.horizon != KC_NOW && f.horizon != KC_BOOT) || !(f.horizon & run->horizons))
		return refuse(run, -EINVAL, "the check reported a horizon it was not asked for");
	if (f.verdict == KC_SKIP &&
	    (!f.reason || !run->rule || !kc_manifest_reason(run->rule->check, f.reason)))
		return refuse(run, -EINVAL,
			      "the check skipped for a reason that its manifest does not list");
	if (run->n_findings >= KC_RUN_FINDINGS_MAX)
		return refuse(run, -E2BIG, "the check reported more findings than a rule may have");
	if (cut(run, &f.subject, KC_RUN_TEXT_MAX) < 0 ||
	    cut(run, &f.expected, KC_RUN_TEXT_MAX) < 0 || cut(run, &f.found, KC_RUN_TEXT_MAX) < 0 ||
	    cut(run, &f.source, KC_RUN_TEXT_MAX) < 0 || cut(run, &f.message, KC_RUN_TEXT_MAX) < 0)
		return refuse(run, -ENOMEM, "the rule used up the memory it may have");
	if (f.verdict != KC_SKIP)
		f.reason = NULL;
	run->n_findings++;
	run->reported |= f.horizon;
	if (run->sink.finding)
		run->sink.finding(run->sink.context, &f);
	return 0;
}

/* The manifest lists it, and the source that gathers now. */
static bool gathers(const struct kc_run *run, const char *name)
{
	const struct kc_fact_source *source = run->source;
	bool own = !source, listed = false;

	for (uint32_t i = 0; source && i < source->n_names; i++)
		own = own || kc_streq(source->names[i], name);
	for (uint32_t i = 0; run->plugin && i < run->plugin->n_facts; i++)
		listed = listed || kc_streq(run->plugin->facts[i].name, name);
	return own && listed;
}

static int host_set_fact(struct kc_run *run, const struct kc_fact *fact)
{
	struct kc_fact f = { 0 };

	memcpy(&f, fact, KC_MIN((size_t)fact->size, sizeof(f)));
	f.size = sizeof(f);
	if (!run->gathering)
		return refuse(run, -EINVAL, "facts are set by gather() alone");
	if (!f.name || !gathers(run, f.name))
		return refuse(run, -EINVAL, "the manifest does not list the fact that was set");
	if (f.state < KC_FACT_KNOWN || f.state > KC_FACT_UNKNOWN ||
	    (f.state == KC_FACT_KNOWN) != (f.value != NULL))
		return refuse(run, -EINVAL, "a fact is known by its value, else absent or unknown");
	if (cut(run, &f.value, KC_RUN_FACT_MAX) < 0 || cut(run, &f.source, KC_RUN_FACT_MAX) < 0)
		return refuse(run, -ENOMEM, "the rule used up the memory it may have");
	if (run->sink.fact)
		run->sink.fact(run->sink.context, &f);
	return 0;
}

static int host_step(struct kc_run *run, const struct kc_step *step)
{
	struct kc_step s = { 0 };

	memcpy(&s, step, KC_MIN((size_t)step->size, sizeof(s)));
	s.size = sizeof(s);
	if (!run->planning)
		return refuse(run, -EINVAL, "steps are described by plan() alone");
	if (s.kind < KC_STEP_MAKE_DIR || s.kind > KC_STEP_MANUAL)
		return refuse(run, -EINVAL, "the plan has a step of a kind that there is not");
	if (s.horizon != KC_NOW && s.horizon != KC_BOOT)
		return refuse(run, -EINVAL, "a step mends one horizon");
	if (run->sink.step)
		run->sink.step(run->sink.context, &s);
	return 0;
}

static void host_log(struct kc_run *run, uint32_t level, const char *text)
{
	if (text && cut(run, &text, KC_RUN_TEXT_MAX) == 0 && run->sink.log)
		run->sink.log(run->sink.context, level, text);
}

static void *host_alloc(struct kc_run *run, size_t size)
{
	return kc_arena_alloc(kc_host_arena(run), size);
}

const struct kc_host kc_host_table = {
	.size = sizeof(struct kc_host),
	.abi_major = KC_ABI_MAJOR,
	.abi_minor = KC_ABI_MINOR,
	.horizons = host_horizons,
	.is_live = host_is_live,
	.time_left = kc_host_time_left,
	.why = host_why,
	.param_string = host_param_string,
	.param_number = host_param_number,
	.param_list = host_param_list,
	.param_map = host_param_map,
	.fact = host_fact,
	.finding = host_finding,
	.set_fact = host_set_fact,
	.step = host_step,
	.log = host_log,
	.alloc = host_alloc,
	.read_file = kc_host_read_file,
	.open_file = kc_host_open_file,
	.read_link = kc_host_read_link,
	.list_dir = kc_host_list_dir,
	.stat = kc_host_stat,
	.resolve = kc_host_resolve,
	.filesystem = kc_host_filesystem,
	.label = kc_host_label,
	.sysctl = kc_host_sysctl,
	.mountinfo = kc_host_mountinfo,
	.kernel = kc_host_kernel,
	.addresses = kc_host_addresses,
	.clock = kc_host_clock,
	.process_link = kc_host_process_link,
	.unit = kc_host_unit,
	.bus = kc_host_bus,
	.runtime = kc_host_runtime,
	.health = kc_host_health,
	.lookup = kc_host_lookup,
	.try_port = kc_host_try_port,
	.program = kc_host_program,
	.open_dir = kc_host_open_dir,
	.socket_holder = kc_host_socket_holder,
	.list_links = kc_host_list_links,
	.sockets = kc_host_sockets,
};
