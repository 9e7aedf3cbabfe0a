/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One plugin, built three times: as of ABI 1.0, with the header frozen then (ABI_FROZEN); as of a
 * minor to come, whose structures have more at their ends (ABI_NEWER); and of another major
 * (ABI_OTHER). The first two must find the very same on a host.
 */

#ifdef ABI_FROZEN
#include "k8scheck-plugin-1.0.h"
#else
#include <k8scheck-plugin.h>
#endif

#include <stdio.h>
#include <string.h>

#if defined(ABI_FROZEN)
#define NAME "abi-frozen"
#define FACT "abi.frozen"
#elif defined(ABI_NEWER)
#define NAME "abi-newer"
#define FACT "abi.newer"
#else
#define NAME "abi-other"
#define FACT "abi.other"
#endif

/* What a newer header adds behind a structure. */
#ifdef ABI_NEWER
#define BEHIND uint64_t more[6];
#else
#define BEHIND
#endif

/* A structure as this build has it; `now` is what 1.0 knows of it. */
#define OWN(type)         \
	struct {          \
		type now; \
		BEHIND    \
	}

/* Fills what is behind, so that a host that reads or writes it is found out. */
#ifdef ABI_NEWER
#define FILL(x)	     memset((x).more, 0x5a, sizeof((x).more))
#define UNTOUCHED(x) untouched((x).more)
#else
#define FILL(x)	     ((void)0)
#define UNTOUCHED(x) 1
#endif

struct probe {
	const struct kc_host *host;
	struct kc_run *run;
	int harmed; /* something was written behind a structure */
};

#ifdef ABI_NEWER
static int untouched(const uint64_t more[6])
{
	for (int i = 0; i < 6; i++) {
		if (more[i] != 0x5a5a5a5a5a5a5a5aull)
			return 0;
	}
	return 1;
}
#endif

static void say(struct probe *p, uint32_t horizon, const char *subject, const char *found)
{
	OWN(struct kc_finding)
	f = { .now = {
		      .size = sizeof(f),
		      .verdict = KC_PASS,
		      .horizon = horizon,
		      .subject = subject,
		      .found = found,
		      .source = "here",
	      } };

	FILL(f);
	(void)kc_finding(p->host, p->run, &f.now);
}

static void say_number(struct probe *p, const char *subject, int64_t number)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%lld", (long long)number);
	say(p, KC_NOW, subject, text);
}

static void use_params(struct probe *p)
{
	const char *text = "";
	struct kc_strings list = { 0 };
	struct kc_pairs map = { 0 };
	int64_t number = 0;

	(void)kc_param_string(p->host, p->run, "text", &text);
	(void)kc_param_number(p->host, p->run, "number", &number);
	(void)kc_param_list(p->host, p->run, "list", &list);
	(void)kc_param_map(p->host, p->run, "map", &map);
	say(p, KC_NOW, "text", text);
	say_number(p, "number", number);
	say(p, KC_NOW, "list", list.n == 2 ? list.item[1] : "lost");
	say(p, KC_NOW, "map", map.n == 1 ? map.item[0].value : "lost");
}

static void use_fact(struct probe *p)
{
	OWN(struct kc_fact) f = { .now = { .size = sizeof(f) } };

	FILL(f);
	if (kc_fact(p->host, p->run, "os.id", &f.now) == 0)
		say(p, KC_NOW, "fact", f.now.value);
	p->harmed |= !UNTOUCHED(f);
}

static void use_files(struct probe *p)
{
	OWN(struct kc_stat) st = { .now = { .size_of = sizeof(st) } };
	OWN(struct kc_filesystem) fs = { .now = { .size_of = sizeof(fs) } };
	struct kc_bytes bytes = { 0 };

	FILL(st);
	FILL(fs);
	if (kc_read_file(p->host, p->run, "/etc/hostname", 100, &bytes) == 0)
		say(p, KC_BOOT, "file", bytes.data);
	if (kc_stat(p->host, p->run, "/etc/hostname", 0, &st.now) == 0)
		say_number(p, "size", (int64_t)st.now.size);
	if (kc_filesystem(p->host, p->run, "/", &fs.now) == 0)
		say(p, KC_NOW, "filesystem", fs.now.bytes > 0 ? "some" : "none");
	if (kc_read_file(p->host, p->run, "/etc/missing", 100, &bytes) == -ENOENT)
		say(p, KC_NOW, "why", kc_why(p->host, p->run));
	p->harmed |= !UNTOUCHED(st) || !UNTOUCHED(fs);
}

static void ask_others(struct probe *p)
{
	static const char *const argv[] = { "true", NULL };
	OWN(struct kc_bus_question)
	q = { .now = {
		      .size = sizeof(q),
		      .destination = "org.freedesktop.systemd1",
		      .path = "/org/freedesktop/systemd1",
		      .interface = "org.freedesktop.systemd1.Manager",
		      .member = "Version",
		      .property = 1,
	      } };
	OWN(struct kc_program)
	program = { .now = { .size = sizeof(program), .path = "/bin/true", .argv = argv } };
	OWN(struct kc_program_result) result = { .now = { .size_of = sizeof(result) } };
	struct kc_strings values = { 0 };

	FILL(q);
	FILL(program);
	FILL(result);
	if (kc_bus(p->host, p->run, &q.now, &values) == 0 && values.n == 1)
		say(p, KC_NOW, "bus", values.item[0]);
	if (kc_program(p->host, p->run, &program.now, &result.now) == 0) {
		say_number(p, "exit code", result.now.exit_code);
		say(p, KC_NOW, "output", result.now.out.data);
	}
	p->harmed |= !UNTOUCHED(result);
}

static int check_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	struct probe p = { .host = host, .run = run };
	char *memory = (char *)kc_alloc(host, run, 8);

	if (!memory)
		return -ENOMEM;
	(void)snprintf(memory, 8, "%u", (unsigned)kc_horizons(host, run));
	say(&p, KC_NOW, "horizons", memory);
	say(&p, KC_NOW, "state", state == (void *)memory ? "wrong" : (const char *)state);
	kc_log(host, run, KC_LOG_INFO, "a line");
	use_params(&p);
	use_fact(&p);
	use_files(&p);
	ask_others(&p);
	say(&p, KC_NOW, "behind", p.harmed ? "written over" : "left alone");
	return 0;
}

static int check_plan(void *state, const struct kc_host *host, struct kc_run *run)
{
	OWN(struct kc_step)
	s = { .now = {
		      .size = sizeof(s),
		      .kind = KC_STEP_WRITE_FILE,
		      .horizon = KC_BOOT,
		      .mode = 0644,
		      .target = "/etc/hostname",
		      .content = "node\n",
		      .content_size = 5,
	      } };

	FILL(s);
	return kc_step(host, run, &s.now);
}

static int gather(void *state, const struct kc_host *host, struct kc_run *run)
{
	OWN(struct kc_fact)
	f = { .now = {
		      .size = sizeof(f),
		      .state = KC_FACT_KNOWN,
		      .name = FACT,
		      .value = "gathered",
		      .source = "here",
	      } };

	FILL(f);
	return kc_set_fact(host, run, &f.now);
}

static int open_state(const struct kc_host *host, struct kc_run *run, void **ret_state)
{
	static const char state[] = "opened";

	*ret_state = (void *)(uintptr_t)state;
	return 0;
}

static void close_state(void *state)
{
}

static const OWN(struct kc_param) params[] = {
	{ .now = { .size = sizeof(params[0]),
		   .type = KC_TYPE_STRING,
		   .name = "text",
		   .required = 1 } },
	{ .now = { .size = sizeof(params[0]),
		   .type = KC_TYPE_INTEGER,
		   .name = "number",
		   .fallback = "5" } },
	{ .now = { .size = sizeof(params[0]), .type = KC_TYPE_LIST, .name = "list" } },
	{ .now = { .size = sizeof(params[0]), .type = KC_TYPE_MAP, .name = "map" } },
};

static const struct kc_param *const all_params[] = { &params[0].now, &params[1].now, &params[2].now,
						     &params[3].now };
static const char *const reasons[] = { "nothing" };

static const OWN(struct kc_check) check = { .now = {
						    .size = sizeof(check),
						    .flags = KC_CHECK_NOW | KC_CHECK_BOOT |
							     KC_CHECK_PLANS | KC_CHECK_RUNS_PROGRAM,
						    .id = NAME ".check",
						    .params = all_params,
						    .n_params = 4,
						    .n_reasons = 1,
						    .reasons = reasons,
						    .run = check_run,
						    .plan = check_plan,
					    } };

static const char *const fact_names[] = { FACT };

static const OWN(struct kc_fact_source) source = {
	.now = { .size = sizeof(source), .n_names = 1, .names = fact_names, .gather = gather }
};

static const struct kc_check *const checks[] = { &check.now };
static const struct kc_fact_source *const facts[] = { &source.now };

struct own_plugin {
	struct kc_plugin now;
	BEHIND
};

extern const struct own_plugin kc_plugin __attribute__((visibility("default")));

const struct own_plugin kc_plugin = { .now = {
					      .magic = KC_PLUGIN_MAGIC,
#ifdef ABI_OTHER
					      .abi_major = KC_ABI_MAJOR + 1,
#else
					      .abi_major = KC_ABI_MAJOR,
#endif
#ifdef ABI_NEWER
					      .abi_minor = KC_ABI_MINOR + 1,
#else
					      .abi_minor = KC_ABI_MINOR,
#endif
					      .size = sizeof(kc_plugin),
					      .n_checks = 1,
					      .n_facts = 1,
					      .name = NAME,
					      .version = "7",
					      .checks = checks,
					      .facts = facts,
					      .open = open_state,
					      .close = close_state,
				      } };
