/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "run/host.h"

/* ---- a rule with a parameter of every type ---- */

enum {
	P_STRING,
	P_INTEGER,
	P_BOOLEAN,
	P_DURATION,
	P_SIZE,
	P_CHOICE,
	P_LIST,
	P_MAP,
	P_UNSET,
	N_PARAMS
};

static const struct kc_manifest_param params[N_PARAMS] = {
	{ .name = "string", .type = KC_TYPE_STRING },
	{ .name = "integer", .type = KC_TYPE_INTEGER },
	{ .name = "boolean", .type = KC_TYPE_BOOLEAN },
	{ .name = "duration", .type = KC_TYPE_DURATION },
	{ .name = "size", .type = KC_TYPE_SIZE },
	{ .name = "choice", .type = KC_TYPE_CHOICE },
	{ .name = "list", .type = KC_TYPE_LIST },
	{ .name = "map", .type = KC_TYPE_MAP },
	{ .name = "unset", .type = KC_TYPE_STRING },
};
static const char *const list[] = { "a", "b", NULL };
static const struct kc_pair map[] = { { "k", "v" }, { "l", "w" } };
static const struct kc_value values[N_PARAMS] = {
	{ .type = KC_TYPE_STRING, .string = "text" },
	{ .type = KC_TYPE_INTEGER, .number = INT64_MIN },
	{ .type = KC_TYPE_BOOLEAN, .number = 1 },
	{ .type = KC_TYPE_DURATION, .number = 1500000 },
	{ .type = KC_TYPE_SIZE, .number = 1ll << 40 },
	{ .type = KC_TYPE_CHOICE, .string = "equal" },
	{ .type = KC_TYPE_LIST, .n = 2, .list = list },
	{ .type = KC_TYPE_MAP, .n = 2, .map = map },
};
static const struct kc_manifest_text reasons[] = { { .id = "absent", .text = "It is not there." } };
static const struct kc_manifest_check check = {
	.id = "p.check",
	.params = params,
	.n_params = N_PARAMS,
	.reasons = reasons,
	.n_reasons = 1,
};
static const struct kc_manifest_fact listed[] = { { .name = "os.id" }, { .name = "os.version" } };
static const struct kc_manifest manifest = { .name = "p", .facts = listed, .n_facts = 2 };
static const struct kc_fact_value facts[] = {
	{ .name = "os.id",
	  .state = KC_FACT_KNOWN,
	  .value = "debian",
	  .source = "/etc/os-release:1" },
	{ .name = "role", .state = KC_FACT_ABSENT },
};

/* ---- a root, who answers, and who looks on ---- */

struct place {
	char top[32];
	struct kc_root *live, *offline;
	struct kc_rule rule;
	struct kc_run run;
	/* the next answer, and the last question */
	struct kc_answer answer;
	uint32_t n_asked, asked_kind;
	int64_t asked_number;
	uint64_t asked_timeout;
	char asked[256]; /* its strings, each followed by | */
	/* the last thing handed in */
	uint32_t n_handed;
	struct kc_finding finding;
	struct kc_fact fact;
	struct kc_step step;
	char text[KC_RUN_TEXT_MAX + 100];
};

static const struct kc_host *const host = &kc_host_table;

static void ask(void *context, const struct kc_question *question, struct kc_arena *arena,
		struct kc_answer *ret_answer)
{
	struct place *p = context;
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

	for (size_t i = 0; i < question->strings.n; i++)
		kc_buf_addf(&b, "%s|", question->strings.item[i]);
	assert_null(question->strings.n ? question->strings.item[question->strings.n] : NULL);
	(void)snprintf(p->asked, sizeof(p->asked), "%s", b.data ? b.data : "");
	p->n_asked++;
	p->asked_kind = question->kind;
	p->asked_number = question->number;
	p->asked_timeout = question->timeout_usec;
	*ret_answer = p->answer;
}

static void on_finding(void *context, const struct kc_finding *finding)
{
	struct place *p = context;

	p->n_handed++;
	p->finding = *finding;
	(void)snprintf(p->text, sizeof(p->text), "%s", finding->found ? finding->found : "");
}

static void on_fact(void *context, const struct kc_fact *fact)
{
	struct place *p = context;

	p->n_handed++;
	p->fact = *fact;
	(void)snprintf(p->text, sizeof(p->text), "%s", fact->value ? fact->value : "");
}

static void on_step(void *context, const struct kc_step *step)
{
	struct place *p = context;

	p->n_handed++;
	p->step = *step;
}

static void on_log(void *context, uint32_t level, const char *text)
{
	struct place *p = context;

	p->n_handed++;
	(void)snprintf(p->text, sizeof(p->text), "%u %s", level, text);
}

static void put(const struct place *p, const char *path, const char *text)
{
	kc_cleanup(kc_freep) char *full = kc_asprintf("%s%s", p->top, path);
	kc_cleanup(kc_closep) int fd = -EBADF;

	for (char *slash = full + strlen(p->top) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		(void)mkdir(full, 0755);
		*slash = '/';
	}
	fd = open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0640), 0);
	assert_int_equal(kc_write_all(fd, text, strlen(text)), 0);
}

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	kc_cleanup(kc_freep) char *link = NULL;

	assert_non_null(p);
	(void)snprintf(p->top, sizeof(p->top), "/tmp/kc-host-XXXXXX");
	assert_non_null(mkdtemp(p->top));
	put(p, "/etc/hostname", "node1\n");
	put(p, "/etc/large", "0123456789");
	put(p, "/proc/sys/net/ipv4/ip_forward", "1\n");
	put(p, "/proc/sys/kernel/osrelease", "6.1.0\n");
	put(p, "/proc/sys/kernel/hostname", "node1\n");
	put(p, "/proc/sys/kernel/arch", "x86_64\n");
	put(p, "/proc/1/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
	link = kc_asprintf("%s/etc/link", p->top);
	assert_int_equal(symlink("hostname", link), 0);
	assert_int_equal(kc_root_open(p->top, KC_ROOT_LIVE, NULL, &p->live), 0);
	assert_int_equal(kc_root_open(p->top, 0, NULL, &p->offline), 0);
	p->rule = (struct kc_rule){ .id = "rule", .check = &check, .params = values };
	p->run = (struct kc_run){
		.root = p->live,
		.rule = &p->rule,
		.plugin = &manifest,
		.facts = facts,
		.n_facts = KC_ARRAY_SIZE(facts),
		.horizons = KC_NOW,
		.deadline_usec = kc_now_usec() + 10 * 1000000,
		.ask = ask,
		.ask_context = p,
		.sink = { .context = p,
			  .finding = on_finding,
			  .fact = on_fact,
			  .step = on_step,
			  .log = on_log },
	};
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const paths[] = {
		"/etc/hostname",
		"/etc/large",
		"/etc/link",
		"/etc",
		"/proc/sys/net/ipv4/ip_forward",
		"/proc/sys/net/ipv4",
		"/proc/sys/net",
		"/proc/sys/kernel/osrelease",
		"/proc/sys/kernel/hostname",
		"/proc/sys/kernel/arch",
		"/proc/sys/kernel",
		"/proc/sys",
		"/proc/1/mountinfo",
		"/proc/1",
		"/proc",
		"",
	};
	struct place *p = *state;

	kc_run_done(&p->run);
	kc_root_free(p->live);
	kc_root_free(p->offline);
	for (size_t i = 0; i < KC_ARRAY_SIZE(paths); i++) {
		kc_cleanup(kc_freep) char *path = kc_asprintf("%s%s", p->top, paths[i]);

		assert_int_equal(remove(path), 0);
	}
	free(p);
	return 0;
}

/* A call fails with that code, and says why. */
static void assert_fails(struct place *p, int r, int code, const char *part)
{
	assert_int_equal(r, code);
	if (!strstr(kc_why(host, &p->run), part))
		fail_msg("%s is not in %s", part, kc_why(host, &p->run));
}

/* ---- the rule ---- */

static void test_params(void **state)
{
	static const struct {
		unsigned param;
		unsigned kind; /* 0 string, 1 number, 2 list, 3 map */
	} table[] = {
		{ P_STRING, 0 }, { P_INTEGER, 1 }, { P_BOOLEAN, 1 }, { P_DURATION, 1 },
		{ P_SIZE, 1 },	 { P_CHOICE, 0 },  { P_LIST, 2 },    { P_MAP, 3 },
	};
	struct place *p = *state;

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		const struct kc_value *v = values + table[i].param;
		const char *name = params[table[i].param].name, *text = NULL;
		struct kc_strings strings = { 0 };
		struct kc_pairs pairs = { 0 };
		int64_t number = 99;
		const int r[] = {
			kc_param_string(host, &p->run, name, &text),
			kc_param_number(host, &p->run, name, &number),
			kc_param_list(host, &p->run, name, &strings),
			kc_param_map(host, &p->run, name, &pairs),
		};

		/* By its own type, and by no other. */
		for (unsigned k = 0; k < 4; k++)
			assert_int_equal(r[k], k == table[i].kind ? 0 : -EINVAL);
		assert_true(text == (table[i].kind == 0 ? v->string : NULL));
		assert_true(number == (table[i].kind == 1 ? v->number : 99));
		assert_int_equal(strings.n, table[i].kind == 2 ? 2 : 0);
		assert_int_equal(pairs.n, table[i].kind == 3 ? 2 : 0);
	}
	assert_fails(p, kc_param_string(host, &p->run, "unset", &(const char *){ NULL }), -ENOENT,
		     "gives no unset");
	assert_fails(p, kc_param_number(host, &p->run, "nothing", &(int64_t){ 0 }), -EINVAL,
		     "no parameter nothing");
	/* Without a rule, as when the plugin is opened, there is no parameter at all. */
	p->run.rule = NULL;
	assert_int_equal(kc_param_string(host, &p->run, "string", &(const char *){ NULL }),
			 -EINVAL);
}

static void test_of_the_rule(void **state)
{
	struct place *p = *state;
	uint64_t left = kc_time_left(host, &p->run);

	assert_string_equal(kc_why(host, &p->run), "nothing failed");
	assert_int_equal(kc_horizons(host, &p->run), KC_NOW);
	assert_int_equal(kc_is_live(host, &p->run), 1);
	assert_true(left > 0 && left <= 10 * 1000000);
	p->run.root = p->offline;
	p->run.deadline_usec = kc_now_usec() - 1;
	assert_int_equal(kc_is_live(host, &p->run), 0);
	assert_int_equal(kc_time_left(host, &p->run), 0);
}

static void await(struct kc_run *run)
{
	run->facts = facts;
	run->n_facts = KC_ARRAY_SIZE(facts);
}

static void test_facts(void **state)
{
	struct {
		struct kc_fact now;
		uint64_t more;
	} larger = { .now = { .size = sizeof(larger) }, .more = 77 };
	struct kc_fact fact = { .size = sizeof(fact) };
	struct kc_fact small = { .size = offsetof(struct kc_fact, value), .value = "kept" };
	struct place *p = *state;

	assert_int_equal(kc_fact(host, &p->run, "os.id", &fact), 0);
	assert_int_equal(fact.state, KC_FACT_KNOWN);
	assert_string_equal(fact.value, "debian");
	assert_string_equal(fact.source, "/etc/os-release:1");
	assert_int_equal(kc_fact(host, &p->run, "role", &fact), 0);
	assert_int_equal(fact.state, KC_FACT_ABSENT);
	assert_null(fact.value);
	assert_fails(p, kc_fact(host, &p->run, "os", &fact), -ENOENT, "nobody gathers the fact os");
	/* The smaller of the two sizes, and nothing behind. */
	assert_int_equal(kc_fact(host, &p->run, "os.id", &larger.now), 0);
	assert_string_equal(larger.now.value, "debian");
	assert_int_equal(larger.more, 77);
	assert_int_equal(kc_fact(host, &p->run, "os.id", &small), 0);
	assert_string_equal(small.name, "os.id");
	assert_string_equal(small.value, "kept");
	assert_int_equal(small.size, offsetof(struct kc_fact, value));
	/* One that is still gathered is waited for. */
	p->run.facts = NULL;
	p->run.n_facts = 0;
	p->run.await_facts = await;
	assert_int_equal(kc_fact(host, &p->run, "os.id", &fact), 0);
	assert_string_equal(fact.value, "debian");
}

/* ---- what is handed in ---- */

static struct kc_finding good_finding(void)
{
	return (struct kc_finding){ .size = sizeof(struct kc_finding),
				    .verdict = KC_PASS,
				    .horizon = KC_NOW,
				    .found = "1" };
}

static void test_findings(void **state)
{
	struct place *p = *state;
	struct kc_finding f = good_finding();
	struct {
		struct kc_finding now;
		uint64_t more;
	} larger = { .now = f, .more = UINT64_MAX };

	for (uint32_t v = KC_PASS; v <= KC_FAIL; v++) {
		f.verdict = v;
		f.reason = v == KC_SKIP ? "absent" : "of a pass, nobody asks";
		assert_int_equal(kc_finding(host, &p->run, &f), 0);
		assert_int_equal(p->finding.verdict, v);
		assert_true(kc_streq0(p->finding.reason, v == KC_SKIP ? "absent" : NULL));
	}
	assert_int_equal(p->n_handed, 5);
	assert_int_equal(p->run.reported, KC_NOW);
	assert_int_equal(p->run.refused, 0);
	larger.now.size = sizeof(larger);
	assert_int_equal(kc_finding(host, &p->run, &larger.now), 0);
	assert_int_equal(p->finding.size, sizeof(struct kc_finding));
	/* What an older plugin does not have is nothing. */
	f = good_finding();
	f.size = offsetof(struct kc_finding, found);
	assert_int_equal(kc_finding(host, &p->run, &f), 0);
	assert_null(p->finding.found);
	p->run.sink.finding = NULL;
	assert_int_equal(kc_finding(host, &p->run, &f), 0);
}

static void test_findings_refused(void **state)
{
	static const struct {
		uint32_t verdict, horizon;
		const char *reason, *part;
	} table[] = {
		{ 0, KC_NOW, NULL, "a verdict that there is not" },
		{ KC_FAIL + 1, KC_NOW, NULL, "a verdict that there is not" },
		{ KC_WAIVED, KC_NOW, NULL, "a verdict that there is not" },
		{ UINT32_MAX, KC_NOW, NULL, "a verdict that there is not" },
		{ KC_PASS, 0, NULL, "a horizon it was not asked for" },
		{ KC_PASS, KC_BOOT, NULL, "a horizon it was not asked for" },
		{ KC_PASS, KC_NOW | KC_BOOT, NULL, "a horizon it was not asked for" },
		{ KC_PASS, 4, NULL, "a horizon it was not asked for" },
		{ KC_SKIP, KC_NOW, NULL, "does not list" },
		{ KC_SKIP, KC_NOW, "", "does not list" },
		{ KC_SKIP, KC_NOW, "offline", "does not list" },
	};
	struct place *p = *state;

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		struct kc_finding f = good_finding();

		p->run.refused = 0;
		f.verdict = table[i].verdict;
		f.horizon = table[i].horizon;
		f.reason = table[i].reason;
		assert_fails(p, kc_finding(host, &p->run, &f), -EINVAL, table[i].part);
		/* It is not forgotten, whatever comes after. */
		assert_int_equal(p->run.refused, -EINVAL);
		assert_non_null(strstr(p->run.refusal, table[i].part));
	}
	assert_int_equal(p->n_handed, 0);
	assert_int_equal(p->run.reported, 0);
	/* A structure of no size has no verdict. */
	assert_int_equal(kc_finding(host, &p->run, &(struct kc_finding){ 0 }), -EINVAL);
	p->run.rule = NULL;
	assert_int_equal(kc_finding(host, &p->run,
				    &(struct kc_finding){ .size = sizeof(struct kc_finding),
							  .verdict = KC_SKIP,
							  .horizon = KC_NOW,
							  .reason = "absent" }),
			 -EINVAL);
}

static void test_too_many_findings(void **state)
{
	struct place *p = *state;
	const struct kc_finding f = good_finding();

	for (uint32_t i = 0; i < KC_RUN_FINDINGS_MAX; i++)
		assert_int_equal(kc_finding(host, &p->run, &f), 0);
	assert_int_equal(p->run.refused, 0);
	assert_fails(p, kc_finding(host, &p->run, &f), -E2BIG, "more findings");
	assert_int_equal(p->run.refused, -E2BIG);
	assert_int_equal(p->n_handed, KC_RUN_FINDINGS_MAX);
}

static void test_long_texts(void **state)
{
	struct place *p = *state;
	struct kc_finding f = good_finding();
	char *text = malloc(KC_RUN_TEXT_MAX + 2);

	assert_non_null(text);
	memset(text, 'x', KC_RUN_TEXT_MAX + 1);
	text[KC_RUN_TEXT_MAX] = 0;
	f.found = text;
	assert_int_equal(kc_finding(host, &p->run, &f), 0);
	assert_string_equal(p->text, text);
	text[KC_RUN_TEXT_MAX] = 'x';
	text[KC_RUN_TEXT_MAX + 1] = 0;
	assert_int_equal(kc_finding(host, &p->run, &f), 0);
	assert_string_equal(p->text + KC_RUN_TEXT_MAX, "[cut here: 65537 bytes in all]");
	kc_log(host, &p->run, KC_LOG_INFO, text);
	assert_non_null(strstr(p->text, "[cut here"));
	free(text);
}

static void test_logs(void **state)
{
	struct place *p = *state;

	kc_log(host, &p->run, KC_LOG_WARNING, "a line");
	assert_string_equal(p->text, "4 a line");
	kc_log(host, &p->run, KC_LOG_WARNING, NULL);
	assert_int_equal(p->n_handed, 1);
}

static void test_set_fact(void **state)
{
	static const char *const names[] = { "os.id" };
	const struct kc_fact_source source = { .size = sizeof(source),
					       .n_names = 1,
					       .names = names };
	struct place *p = *state;
	struct kc_fact f = {
		.size = sizeof(f), .state = KC_FACT_KNOWN, .name = "os.id", .value = "debian"
	};
	char *text = malloc(KC_RUN_FACT_MAX + 2);

	assert_fails(p, kc_set_fact(host, &p->run, &f), -EINVAL, "by gather() alone");
	p->run.refused = 0;
	p->run.gathering = true;
	assert_int_equal(kc_set_fact(host, &p->run, &f), 0);
	assert_string_equal(p->text, "debian");
	f.name = "os.version";
	assert_int_equal(kc_set_fact(host, &p->run, &f), 0);
	/* Those of the source that gathers now. */
	p->run.source = &source;
	assert_fails(p, kc_set_fact(host, &p->run, &f), -EINVAL, "does not list");
	f.name = "role";
	p->run.source = NULL;
	assert_fails(p, kc_set_fact(host, &p->run, &f), -EINVAL, "does not list");
	f.name = NULL;
	assert_fails(p, kc_set_fact(host, &p->run, &f), -EINVAL, "does not list");
	f.name = "os.id";
	for (uint32_t s = 0; s < 5; s++) {
		/* A value belongs to what is known, and to nothing else. */
		f.state = s;
		f.value = s == KC_FACT_KNOWN ? NULL : "value";
		assert_fails(p, kc_set_fact(host, &p->run, &f), -EINVAL, "known by its value");
		f.value = s == KC_FACT_KNOWN ? "value" : NULL;
		assert_int_equal(kc_set_fact(host, &p->run, &f),
				 s >= KC_FACT_KNOWN && s <= KC_FACT_UNKNOWN ? 0 : -EINVAL);
	}
	assert_non_null(text);
	memset(text, 'x', KC_RUN_FACT_MAX + 1);
	text[KC_RUN_FACT_MAX + 1] = 0;
	f.state = KC_FACT_KNOWN;
	f.value = text;
	assert_int_equal(kc_set_fact(host, &p->run, &f), 0);
	assert_non_null(strstr(p->text, "[cut here: 4097 bytes in all]"));
	free(text);
	/* Nothing is judged while facts are gathered. */
	p->run.refused = 0;
	assert_fails(p, kc_finding(host, &p->run, &(struct kc_finding){ 0 }), -EINVAL,
		     "belong into run()");
	assert_int_equal(p->run.refused, -EINVAL);
}

static void test_steps(void **state)
{
	struct place *p = *state;
	struct kc_step s = { .size = sizeof(s),
			     .kind = KC_STEP_WRITE_FILE,
			     .horizon = KC_BOOT,
			     .target = "/etc/x",
			     .content = "x",
			     .content_size = 1 };
	struct kc_step small;

	assert_fails(p, kc_step(host, &p->run, &s), -EINVAL, "by plan() alone");
	p->run.refused = 0;
	p->run.planning = true;
	assert_int_equal(kc_step(host, &p->run, &s), 0);
	assert_string_equal(p->step.target, "/etc/x");
	small = s;
	small.size = offsetof(struct kc_step, content);
	assert_int_equal(kc_step(host, &p->run, &small), 0);
	assert_null(p->step.content);
	assert_int_equal(p->step.content_size, 0);
	assert_int_equal(p->run.refused, 0);
	s.kind = 0;
	assert_fails(p, kc_step(host, &p->run, &s), -EINVAL, "a kind that there is not");
	s.kind = KC_STEP_MANUAL + 1;
	assert_fails(p, kc_step(host, &p->run, &s), -EINVAL, "a kind that there is not");
	s.kind = KC_STEP_MANUAL;
	s.horizon = KC_NOW | KC_BOOT;
	assert_fails(p, kc_step(host, &p->run, &s), -EINVAL, "one horizon");
	assert_fails(p, kc_finding(host, &p->run, &(struct kc_finding){ 0 }), -EINVAL,
		     "belong into run()");
}

/* What a rule may hold is bounded, and one that runs over it has not passed. */
static void test_memory(void **state)
{
	struct place *p = *state;
	struct kc_finding f = good_finding();
	size_t sum = 0;
	char *text = malloc(KC_RUN_TEXT_MAX + 2);
	struct kc_bytes bytes;

	assert_non_null(text);
	assert_null(kc_alloc(host, &p->run, KC_RUN_MEMORY_MAX + 1));
	assert_null(kc_alloc(host, &p->run, SIZE_MAX));
	while (kc_alloc(host, &p->run, 1 << 20))
		sum += 1 << 20;
	assert_int_equal(sum, KC_RUN_MEMORY_MAX);
	assert_fails(p, kc_read_file(host, &p->run, "/etc/hostname", 100, &bytes), -ENOMEM,
		     "used up the memory");
	assert_int_equal(p->run.refused, 0);
	memset(text, 'x', KC_RUN_TEXT_MAX + 1);
	text[KC_RUN_TEXT_MAX + 1] = 0;
	f.found = text;
	assert_fails(p, kc_finding(host, &p->run, &f), -ENOMEM, "used up the memory");
	assert_int_equal(p->run.refused, -ENOMEM);
	free(text);
}

/* ---- files ---- */

static void test_files(void **state)
{
	struct place *p = *state;
	struct kc_strings names;
	struct kc_bytes bytes;
	const char *text;
	int fd;

	assert_int_equal(kc_read_file(host, &p->run, "/etc/hostname", 6, &bytes), 0);
	assert_int_equal(bytes.size, 6);
	assert_string_equal(bytes.data, "node1\n");
	assert_fails(p, kc_read_file(host, &p->run, "/etc/hostname", 5, &bytes), -EFBIG,
		     "/etc/hostname");
	assert_fails(p, kc_read_file(host, &p->run, "/etc", 100, &bytes), -EISDIR, "/etc");
	assert_fails(p, kc_read_file(host, &p->run, "/none", 100, &bytes), -ENOENT, "/none");
	assert_int_equal(kc_open_file(host, &p->run, "/etc/link", 0, &fd), 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	assert_true(kc_open_file(host, &p->run, "/etc/link", KC_NOFOLLOW, &fd) < 0);
	assert_int_equal(kc_read_link(host, &p->run, "/etc/link", &text), 0);
	assert_string_equal(text, "hostname");
	assert_fails(p, kc_read_link(host, &p->run, "/etc/hostname", &text), -EINVAL, "/etc");
	assert_int_equal(kc_list_dir(host, &p->run, "/etc", &names), 0);
	assert_int_equal(names.n, 3);
	assert_string_equal(names.item[0], "hostname");
	assert_null(names.item[3]);
	assert_fails(p, kc_list_dir(host, &p->run, "/none", &names), -ENOENT, "/none");
	assert_fails(p, kc_list_links(host, &p->run, "/none", &names), -ENOENT, "/none");
	assert_fails(p, kc_list_links(host, &p->run, "/etc/link", &names), -ENOTDIR, "/etc/link");
	assert_int_equal(kc_resolve(host, &p->run, "/etc/../etc/link", &text), 0);
	assert_string_equal(text, "/etc/hostname");
	assert_fails(p, kc_resolve(host, &p->run, "/none", &text), -ENOENT, "/none");
	assert_true(kc_label(host, &p->run, "/none", &text) < 0);
}

/* What was seen once is what later rules of the worker see, failures too; sizes are each rule's. */
static void test_memo(void **state)
{
	struct place *p = *state;
	struct kc_memo memo = { 0 };
	struct kc_strings names;
	struct kc_bytes bytes;
	struct kc_stat st = { .size_of = sizeof(st) };
	const char *text;

	p->run.memo = &memo;
	for (unsigned i = 0; i < 2; i++) {
		assert_fails(p, kc_read_file(host, &p->run, "/etc/hostname", 5, &bytes), -EFBIG,
			     "/etc/hostname");
		assert_int_equal(kc_read_file(host, &p->run, "/etc/hostname", 6, &bytes), 0);
		assert_string_equal(bytes.data, "node1\n");
		assert_int_equal(bytes.size, 6);
		assert_int_equal(kc_resolve(host, &p->run, "/etc/link", &text), 0);
		assert_string_equal(text, "/etc/hostname");
		assert_int_equal(kc_read_link(host, &p->run, "/etc/link", &text), 0);
		assert_string_equal(text, "hostname");
		assert_int_equal(kc_list_dir(host, &p->run, "/etc", &names), 0);
		assert_int_equal(names.n, 3);
		assert_string_equal(names.item[0], "hostname");
		assert_null(names.item[3]);
		assert_int_equal(kc_list_links(host, &p->run, "/etc", &names), 0);
		assert_int_equal(names.n, 1);
		assert_string_equal(names.item[0], "link");
		assert_null(names.item[1]);
		assert_int_equal(kc_stat(host, &p->run, "/etc/link", 0, &st), 0);
		assert_int_equal(st.type, KC_FILE_REGULAR);
		assert_int_equal(kc_stat(host, &p->run, "/etc/link", KC_NOFOLLOW, &st), 0);
		assert_int_equal(st.type, KC_FILE_SYMLINK);
		assert_fails(p, kc_read_file(host, &p->run, "/none", 9, &bytes), -ENOENT, "/none");
		assert_fails(p, kc_stat(host, &p->run, "/none", 0, &st), -ENOENT, "/none");
		assert_fails(p, kc_list_dir(host, &p->run, "/none", &names), -ENOENT, "/none");
		assert_fails(p, kc_resolve(host, &p->run, "/none", &text), -ENOENT, "/none");
		/* Another rule, for which the host has changed. */
		kc_run_done(&p->run);
		put(p, "/etc/hostname", "changed\n");
	}
	p->run.memo = NULL;
	assert_int_equal(kc_read_file(host, &p->run, "/etc/hostname", 9, &bytes), 0);
	assert_string_equal(bytes.data, "changed\n");
	kc_memo_done(&memo);
}

/* What does not fit is read again, and nothing of the memo is lost. */
static void test_memo_bounds(void **state)
{
	struct kc_memo memo = { 0 };
	const struct kc_memo_entry *entry;
	char path[32];
	char *large = calloc(1, 1 << 20);
	unsigned known = 0;

	assert_non_null(large);
	assert_null(kc_memo_find(NULL, KC_MEMO_FILE, 0, "/a"));
	assert_null(kc_memo_find(&memo, KC_MEMO_FILE, 0, "/a"));
	assert_null(kc_memo_bytes(NULL, KC_MEMO_FILE, "/a", "x", 1));
	assert_null(kc_memo_bytes(&memo, KC_MEMO_FILE, "/large", large, 1 << 20));
	assert_null(kc_memo_arena(NULL));
	kc_memo_failure(&memo, KC_MEMO_FILE, 0, "/large",
			&(struct kc_err){ .code = -EFBIG, .text = "too large" });
	assert_null(kc_memo_find(&memo, KC_MEMO_FILE, 0, "/large"));
	for (unsigned i = 0; i < 40000; i++) {
		(void)snprintf(path, sizeof(path), "/%u", i);
		known += kc_memo_bytes(&memo, KC_MEMO_FILE, path, path, strlen(path)) != NULL;
	}
	assert_in_range(known, 10000, 20000);
	for (unsigned i = 0; i < known; i++) {
		(void)snprintf(path, sizeof(path), "/%u", i);
		entry = kc_memo_find(&memo, KC_MEMO_FILE, 0, path);
		assert_non_null(entry);
		assert_string_equal(entry->bytes.data, path);
		assert_null(kc_memo_find(&memo, KC_MEMO_LINK, 0, path));
	}
	for (unsigned i = 0; i < 100; i++) {
		(void)snprintf(path, sizeof(path), "/%u.large", i);
		(void)kc_memo_bytes(&memo, KC_MEMO_FILE, path, large, 100 << 10);
	}
	assert_true(memo.arena.used <= 8 << 20);
	assert_null(kc_memo_arena(&memo));
	kc_memo_done(&memo);
	free(large);
}

static void test_figures(void **state)
{
	struct {
		struct kc_stat now;
		uint64_t more;
	} st = { .now = { .size_of = sizeof(st) }, .more = 77 };
	struct {
		struct kc_filesystem now;
		uint64_t more;
	} fs = { .now = { .size_of = sizeof(fs) }, .more = 77 };
	struct kc_stat small = { .size_of = offsetof(struct kc_stat, size), .size = 1234 };
	struct kc_filesystem tiny = { .size_of = offsetof(struct kc_filesystem, bytes),
				      .bytes = 1234 };
	struct place *p = *state;

	assert_int_equal(kc_stat(host, &p->run, "/etc/link", 0, &st.now), 0);
	assert_int_equal(st.now.type, KC_FILE_REGULAR);
	assert_int_equal(st.now.mode, 0640);
	assert_int_equal(st.now.size, 6);
	assert_int_equal(st.now.size_of, sizeof(st));
	assert_int_equal(st.more, 77);
	assert_int_equal(kc_stat(host, &p->run, "/etc/link", KC_NOFOLLOW, &small), 0);
	assert_int_equal(small.type, KC_FILE_SYMLINK);
	assert_int_equal(small.size, 1234);
	assert_fails(p, kc_stat(host, &p->run, "/none", 0, &small), -ENOENT, "/none");
	assert_int_equal(kc_filesystem(host, &p->run, "/", &fs.now), 0);
	assert_true(fs.now.bytes > 0 && fs.now.type != 0);
	assert_int_equal(fs.more, 77);
	assert_int_equal(kc_filesystem(host, &p->run, "/", &tiny), 0);
	assert_true(tiny.type != 0);
	assert_int_equal(tiny.bytes, 1234);
}

static void test_kernel(void **state)
{
	struct place *p = *state;
	const char *release, *machine, *hostname, *value;
	int64_t realtime, monotonic;
	struct kc_bytes bytes;

	assert_int_equal(kc_sysctl(host, &p->run, "net.ipv4.ip_forward", &value), 0);
	assert_string_equal(value, "1");
	assert_fails(p, kc_sysctl(host, &p->run, "net.none", &value), -ENOENT, "/net/none");
	assert_int_equal(kc_kernel(host, &p->run, &release, &machine, &hostname), 0);
	assert_string_equal(release, "6.1.0");
	assert_string_equal(machine, "x86_64");
	assert_string_equal(hostname, "node1");
	/* Pid 1's: "self" would be whoever looks. */
	assert_int_equal(kc_mountinfo(host, &p->run, &bytes), 0);
	assert_string_equal(bytes.data, "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
	assert_int_equal(kc_clock(host, &p->run, &realtime, &monotonic), 0);
	assert_true(realtime > 1600000000ll * 1000000 && monotonic > 0);
	p->run.root = p->offline;
	assert_int_equal(kc_sysctl(host, &p->run, "net.ipv4.ip_forward", &value), -EOPNOTSUPP);
	assert_int_equal(kc_kernel(host, &p->run, &release, &machine, &hostname), -EOPNOTSUPP);
	assert_int_equal(p->n_asked, 0);
}

/* ---- questions ---- */

static struct kc_bytes items[8];

static void answer_with(struct place *p, size_t n, ...)
{
	va_list ap;

	va_start(ap, n);
	for (size_t i = 0; i < n; i++) {
		const char *text = va_arg(ap, const char *);

		items[i] = (struct kc_bytes){ .data = text, .size = strlen(text) };
	}
	va_end(ap);
	p->answer = (struct kc_answer){ .items = items, .n_items = n, .numbers = { 3, 9 } };
}

/* Two sockets, the second of that family and size. */
static void answer_with_sockets(struct place *p, uint32_t family, size_t size)
{
	static struct kc_socket sockets[2];

	sockets[0] = (struct kc_socket){ .family = 4, .port = 22 };
	sockets[1] = (struct kc_socket){ .family = family, .port = 6443, .inode = 77 };
	items[0] = (struct kc_bytes){ .data = (const char *)sockets, .size = sizeof(*sockets) };
	items[1] = (struct kc_bytes){ .data = (const char *)(sockets + 1), .size = size };
	p->answer = (struct kc_answer){ .items = items, .n_items = 2 };
}

static void assert_asked(struct place *p, uint32_t kind, int64_t number, const char *strings)
{
	assert_int_equal(p->asked_kind, kind);
	assert_true(p->asked_number == number);
	assert_string_equal(p->asked, strings);
}

static void test_questions(void **state)
{
	static const char *const args[] = { "a.service", NULL };
	const struct kc_bus_question q = { .size = sizeof(q),
					   .destination = "d",
					   .path = "/p",
					   .interface = "i",
					   .member = "m",
					   .args = args };
	struct kc_bus_question without_args = q;
	struct place *p = *state;
	struct kc_sockets sockets;
	struct kc_strings strings;
	struct kc_bytes body;
	struct kc_pairs pairs;
	const char *text;
	uint32_t pid = 0;
	int status;

	answer_with(p, 4, "LoadState", "loaded", "ActiveState", "active");
	assert_int_equal(kc_unit(host, &p->run, "u.service", &pairs), 0);
	assert_asked(p, KC_ASK_UNIT, 0, "u.service|");
	assert_int_equal(pairs.n, 2);
	assert_string_equal(pairs.item[1].value, "active");
	assert_int_equal(kc_runtime(host, &p->run, "/run/x.sock", KC_RUNTIME_STATUS, 500, &pairs),
			 0);
	assert_asked(p, KC_ASK_RUNTIME, KC_RUNTIME_STATUS, "/run/x.sock|");
	assert_int_equal(p->asked_timeout, 500);
	assert_int_equal(kc_addresses(host, &p->run, &pairs), 0);
	assert_asked(p, KC_ASK_ADDRESSES, 0, "");
	assert_int_equal(kc_bus(host, &p->run, &q, &strings), 0);
	assert_asked(p, KC_ASK_BUS, 0, "d|/p|i|m|a.service|");
	assert_int_equal(strings.n, 4);
	assert_null(strings.item[4]);
	/* An older plugin has no arguments to give. */
	without_args.size = offsetof(struct kc_bus_question, args);
	assert_int_equal(kc_bus(host, &p->run, &without_args, &strings), 0);
	assert_asked(p, KC_ASK_BUS, 0, "d|/p|i|m|");
	without_args.member = NULL;
	assert_fails(p, kc_bus(host, &p->run, &without_args, &strings), -EINVAL, "member");
	assert_int_equal(kc_lookup(host, &p->run, "name", 0, &strings), 0);
	assert_asked(p, KC_ASK_LOOKUP, 0, "name|");
	assert_int_equal(kc_try_port(host, &p->run, "::1", 65535, 0), 0);
	assert_asked(p, KC_ASK_PORT, 65535, "::1|");
	answer_with(p, 1, "target");
	assert_int_equal(kc_process_link(host, &p->run, 7, "exe", &text), 0);
	assert_asked(p, KC_ASK_PROCESS, 7, "exe|");
	assert_string_equal(text, "target");
	assert_int_equal(kc_socket_holder(host, &p->run, 77, &pid, &text), 0);
	assert_asked(p, KC_ASK_SOCKET_HOLDER, 77, "");
	assert_int_equal(pid, 3);
	assert_string_equal(text, "target");
	p->answer.n_items = 0;
	assert_int_equal(kc_sockets(host, &p->run, KC_PROTOCOL_UDP, &sockets), 0);
	assert_asked(p, KC_ASK_SOCKETS, KC_PROTOCOL_UDP, "");
	assert_int_equal(sockets.n, 0);
	answer_with_sockets(p, 6, sizeof(struct kc_socket));
	assert_int_equal(kc_sockets(host, &p->run, KC_PROTOCOL_TCP, &sockets), 0);
	assert_asked(p, KC_ASK_SOCKETS, KC_PROTOCOL_TCP, "");
	assert_int_equal(sockets.n, 2);
	assert_int_equal(sockets.item[1].family, 6);
	assert_int_equal(sockets.item[1].port, 6443);
	assert_int_equal(sockets.item[1].inode, 77);
	answer_with(p, 1, "target");
	assert_int_equal(kc_health(host, &p->run, "http://127.0.0.1:1/", 0, &status, &body), 0);
	assert_asked(p, KC_ASK_HEALTH, 0, "http://127.0.0.1:1/|");
	assert_int_equal(status, 3);
	assert_string_equal(body.data, "target");
}

/* systemd and the runtime are asked once; who may answer otherwise the next time is asked again. */
static void test_memo_answers(void **state)
{
	struct place *p = *state;
	struct kc_memo memo = { 0 };
	struct kc_pairs pairs = { 0 };
	struct kc_strings strings;

	p->run.memo = &memo;
	answer_with(p, 2, "LoadState", "loaded");
	assert_int_equal(kc_unit(host, &p->run, "a.service", &pairs), 0);
	kc_run_done(&p->run);
	answer_with(p, 2, "LoadState", "other");
	p->n_asked = 0;
	assert_int_equal(kc_unit(host, &p->run, "a.service", &pairs), 0);
	assert_int_equal(p->n_asked, 0);
	assert_string_equal(pairs.item[0].value, "loaded");
	assert_int_equal(kc_unit(host, &p->run, "b.service", &pairs), 0);
	assert_string_equal(pairs.item[0].value, "other");
	assert_int_equal(p->n_asked, 1);
	/* A failure, for those who waited as long. */
	p->answer = (struct kc_answer){ .code = -ETIMEDOUT, .why = "it is silent" };
	for (unsigned i = 0; i < 2; i++)
		assert_fails(p, kc_runtime(host, &p->run, "/s", KC_RUNTIME_VERSION, 5000, &pairs),
			     -ETIMEDOUT, "it is silent");
	assert_int_equal(p->n_asked, 2);
	(void)kc_runtime(host, &p->run, "/s", KC_RUNTIME_VERSION, 9000, &pairs);
	(void)kc_runtime(host, &p->run, "/s", KC_RUNTIME_STATUS, 5000, &pairs);
	assert_int_equal(p->n_asked, 4);
	p->answer = (struct kc_answer){ .code = -EIO, .why = "lost" };
	for (unsigned i = 0; i < 2; i++)
		assert_fails(p, kc_unit(host, &p->run, "c.service", &pairs), -EIO, "lost");
	assert_int_equal(p->n_asked, 6);
	p->answer = (struct kc_answer){ 0 };
	for (unsigned i = 0; i < 2; i++)
		(void)kc_lookup(host, &p->run, "name", 0, &strings);
	assert_int_equal(p->n_asked, 8);
	kc_memo_done(&memo);
	p->run.memo = NULL;
}

/* An answer of the wrong shape is no answer; a code is passed on with its sentence. */
static void test_answers_that_are_none(void **state)
{
	struct place *p = *state;
	struct kc_pairs pairs = { .n = 99 };
	struct kc_sockets sockets;
	struct kc_bytes body;
	const char *text;
	uint32_t pid = 0;
	int status;

	answer_with(p, 3, "a", "b", "c");
	assert_fails(p, kc_unit(host, &p->run, "u", &pairs), -EBADMSG, "without a value");
	assert_fails(p, kc_process_link(host, &p->run, 1, "exe", &text), -EBADMSG, "one value");
	assert_fails(p, kc_socket_holder(host, &p->run, 1, &pid, &text), -EBADMSG, "one value");
	assert_fails(p, kc_socket_holder(host, &p->run, UINT64_MAX, &pid, &text), -EINVAL,
		     "no inode");
	assert_fails(p, kc_health(host, &p->run, "http://[::1]:1/", 0, &status, &body), -EBADMSG,
		     "no body");
	assert_fails(p, kc_sockets(host, &p->run, KC_PROTOCOL_TCP, &sockets), -EBADMSG,
		     "no socket");
	answer_with_sockets(p, 5, sizeof(struct kc_socket));
	assert_fails(p, kc_sockets(host, &p->run, KC_PROTOCOL_TCP, &sockets), -EBADMSG,
		     "no socket");
	answer_with_sockets(p, 6, sizeof(struct kc_socket) - 1);
	assert_fails(p, kc_sockets(host, &p->run, KC_PROTOCOL_TCP, &sockets), -EBADMSG,
		     "no socket");
	p->answer = (struct kc_answer){ .code = -ECONNREFUSED, .why = "nobody listens at x" };
	assert_fails(p, kc_unit(host, &p->run, "u", &pairs), -ECONNREFUSED, "nobody listens at x");
	p->answer.why = NULL;
	assert_int_equal(kc_unit(host, &p->run, "u", &pairs), -ECONNREFUSED);
	assert_int_equal(pairs.n, 99);
	p->run.ask = NULL;
	assert_fails(p, kc_unit(host, &p->run, "u", &pairs), -ENOSYS, "nobody to ask");
	p->run.ask = ask;
	p->run.root = p->offline;
	p->n_asked = 0;
	assert_fails(p, kc_unit(host, &p->run, "u", &pairs), -EOPNOTSUPP, "offline");
	assert_int_equal(kc_addresses(host, &p->run, &pairs), -EOPNOTSUPP);
	assert_int_equal(kc_lookup(host, &p->run, "n", 0, &(struct kc_strings){ 0 }), -EOPNOTSUPP);
	assert_int_equal(p->n_asked, 0);
}

/* A question gets what the rule has left, but for a tenth to say what became of it. */
static void test_time_outs(void **state)
{
	struct place *p = *state;
	struct kc_strings strings;

	answer_with(p, 0);
	assert_int_equal(kc_lookup(host, &p->run, "n", 0, &strings), 0);
	assert_int_equal(p->asked_timeout, 1000000);
	assert_int_equal(kc_lookup(host, &p->run, "n", UINT64_MAX, &strings), 0);
	assert_in_range(p->asked_timeout, 1, 9 * 1000000);
	p->run.deadline_usec = kc_now_usec() + 100000;
	assert_int_equal(kc_lookup(host, &p->run, "n", 0, &strings), 0);
	assert_in_range(p->asked_timeout, 1, 90000);
	p->run.deadline_usec = kc_now_usec();
	p->n_asked = 0;
	assert_fails(p, kc_lookup(host, &p->run, "n", 0, &strings), -ETIMEDOUT, "time was up");
	assert_int_equal(p->n_asked, 0);
}

static void test_programs(void **state)
{
	static const char *const argv[] = { "true", "-x", NULL };
	struct kc_program program = { .size = sizeof(program), .path = "/bin/true", .argv = argv };
	struct {
		struct kc_program_result now;
		uint64_t more;
	} result = { .now = { .size_of = sizeof(result) }, .more = 77 };
	struct kc_program_result small = { .size_of = offsetof(struct kc_program_result, out),
					   .out = { .size = 1234 } };
	struct place *p = *state;

	answer_with(p, 2, "out", "err");
	assert_int_equal(kc_program(host, &p->run, &program, &result.now), 0);
	assert_asked(p, KC_ASK_PROGRAM, 0, "/bin/true|true|-x|");
	assert_int_equal(result.now.exit_code, 3);
	assert_int_equal(result.now.signal, 9);
	assert_string_equal(result.now.out.data, "out");
	assert_string_equal(result.now.err.data, "err");
	assert_int_equal(result.more, 77);
	assert_int_equal(kc_program(host, &p->run, &program, &small), 0);
	assert_int_equal(small.exit_code, 3);
	assert_int_equal(small.out.size, 1234);
	/* Without a time-out of its own it has what the rule has left. */
	assert_true(p->asked_timeout > 5 * 1000000);
	program.timeout_usec = 1000;
	assert_int_equal(kc_program(host, &p->run, &program, &small), 0);
	assert_int_equal(p->asked_timeout, 1000);
	answer_with(p, 1, "out");
	assert_fails(p, kc_program(host, &p->run, &program, &small), -EBADMSG, "output was lost");
	p->n_asked = 0;
	program.size = offsetof(struct kc_program, argv);
	assert_fails(p, kc_program(host, &p->run, &program, &small), -EINVAL, "its arguments");
	program.size = sizeof(program);
}

/* A host that lacks a service says so, and crashes nobody. */
static void test_smaller_host(void **state)
{
	struct place *p = *state;
	struct kc_host old = kc_host_table;
	struct kc_pairs pairs;
	const char *text;

	old.size = offsetof(struct kc_host, unit);
	answer_with(p, 0);
	assert_int_equal(kc_unit(&old, &p->run, "u", &pairs), -ENOSYS);
	assert_int_equal(kc_sysctl(&old, &p->run, "net.ipv4.ip_forward", &text), 0);
	old.size = 8;
	assert_int_equal(kc_horizons(&old, &p->run), 0);
	assert_int_equal(kc_time_left(&old, &p->run), 0);
	assert_string_equal(kc_why(&old, &p->run), "");
	assert_null(kc_alloc(&old, &p->run, 1));
	kc_log(&old, &p->run, KC_LOG_INFO, "lost");
	assert_int_equal(p->n_handed, 0);
	assert_int_equal(kc_host_table.size, sizeof(struct kc_host));
	assert_int_equal(kc_host_table.abi_major, KC_ABI_MAJOR);
}

#define HOST_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOST_TEST(test_params),
		HOST_TEST(test_of_the_rule),
		HOST_TEST(test_facts),
		HOST_TEST(test_findings),
		HOST_TEST(test_findings_refused),
		HOST_TEST(test_too_many_findings),
		HOST_TEST(test_long_texts),
		HOST_TEST(test_logs),
		HOST_TEST(test_set_fact),
		HOST_TEST(test_steps),
		HOST_TEST(test_memory),
		HOST_TEST(test_files),
		HOST_TEST(test_memo),
		HOST_TEST(test_memo_answers),
		HOST_TEST(test_memo_bounds),
		HOST_TEST(test_figures),
		HOST_TEST(test_kernel),
		HOST_TEST(test_questions),
		HOST_TEST(test_answers_that_are_none),
		HOST_TEST(test_time_outs),
		HOST_TEST(test_programs),
		HOST_TEST(test_smaller_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
