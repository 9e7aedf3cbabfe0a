/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/str.h"
#include "host.h"

/* Of a question that names no time-out of its own, as long as the rule has that much left. */
enum {
	ASK_TIMEOUT_USEC = 1000000
};

static int fail(struct kc_run *run, int code, const char *fmt, ...) kc_printf(3, 4);

static int fail(struct kc_run *run, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(run->why, sizeof(run->why), fmt, ap);
	va_end(ap);
	return code;
}

static int fail_err(struct kc_run *run, const struct kc_err *err)
{
	return fail(run, err->code, "%s", err->text);
}

static int fail_memory(struct kc_run *run)
{
	return fail(run, -ENOMEM, "the rule used up the memory it may have");
}

static struct kc_arena *arena_of(struct kc_run *run)
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

static uint64_t host_time_left(struct kc_run *run)
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
	const struct kc_value *value;
	uint32_t type = 0;

	value = find_param(run, name, &type);
	if (!value || !(types & (1u << type)))
		return fail(run, -EINVAL, "the check has no parameter %s of the type asked for",
			    name);
	if (value->type == 0)
		return fail(run, -ENOENT, "the rule gives no %s, and there is no default", name);
	*ret_value = value;
	return 0;
}

static int host_param_string(struct kc_run *run, const char *name, const char **ret_value)
{
	const struct kc_value *value;
	int r = get_param(run, name, 1u << KC_TYPE_STRING | 1u << KC_TYPE_CHOICE, &value);

	if (r < 0)
		return r;
	*ret_value = value->string;
	return 0;
}

static int host_param_number(struct kc_run *run, const char *name, int64_t *ret_value)
{
	const struct kc_value *value;
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
	const struct kc_value *value;
	int r = get_param(run, name, 1u << KC_TYPE_LIST, &value);

	if (r < 0)
		return r;
	*ret_value = (struct kc_strings){ .n = value->n, .item = value->list };
	return 0;
}

static int host_param_map(struct kc_run *run, const char *name, struct kc_pairs *ret_value)
{
	const struct kc_value *value;
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
	return fail(run, -ENOENT, "nobody gathers the fact %s", name);
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
	return fail(run, code, "%s", what);
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
	copy = kc_arena_printf(arena_of(run), "%.*s[cut here: %zu bytes in all]", max, *text, n);
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
	return kc_arena_alloc(arena_of(run), size);
}

/* ---- files below the root ---- */

/* Moves what a reader put into a buffer into the run's memory. */
static int keep(struct kc_run *run, const struct kc_buf *b, struct kc_bytes *ret_bytes)
{
	char *copy;

	if (kc_buf_error(b) < 0)
		return fail_memory(run);
	copy = kc_arena_memdup(arena_of(run), b->data, b->len);
	if (!copy)
		return fail_memory(run);
	*ret_bytes = (struct kc_bytes){ .data = copy, .size = b->len };
	return 0;
}

static int keep_string(struct kc_run *run, const struct kc_buf *b, const char **ret_text)
{
	struct kc_bytes bytes;
	int r = keep(run, b, &bytes);

	if (r < 0)
		return r;
	*ret_text = bytes.data;
	return 0;
}

static int host_read_file(struct kc_run *run, const char *path, size_t max,
			  struct kc_bytes *ret_bytes)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_err err = { 0 };
	int r;

	r = kc_root_read(run->root, path, KC_MIN(max, (size_t)KC_RUN_MEMORY_MAX), &err, &b);
	if (r < 0)
		return fail_err(run, &err);
	return keep(run, &b, ret_bytes);
}

static int host_open_file(struct kc_run *run, const char *path, uint32_t flags, int *ret_fd)
{
	struct kc_err err = { 0 };
	int r = kc_root_open_file(run->root, path, flags, &err, ret_fd);

	return r < 0 ? fail_err(run, &err) : 0;
}

static int host_open_dir(struct kc_run *run, const char *path, int *ret_fd)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	struct kc_err err = { 0 };
	struct stat st;

	if (kc_root_path_fd(run->root, path, 0, &err, &fd) < 0)
		return fail_err(run, &err);
	if (fstat(fd, &st) < 0)
		return fail(run, -errno, "%s: %s", path, kc_strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return fail(run, -ENOTDIR, "%s: is not a folder", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int host_read_link(struct kc_run *run, const char *path, const char **ret_target)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_err err = { 0 };

	if (kc_root_read_link(run->root, path, &err, &b) < 0)
		return fail_err(run, &err);
	return keep_string(run, &b, ret_target);
}

static int host_list_dir(struct kc_run *run, const char *path, struct kc_strings *ret_names)
{
	struct kc_err err = { 0 };
	int r = kc_root_list(run->root, path, arena_of(run), &err, ret_names);

	return r < 0 ? fail_err(run, &err) : 0;
}

static int host_stat(struct kc_run *run, const char *path, uint32_t flags, struct kc_stat *ret_stat)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	struct kc_err err = { 0 };
	uint32_t size = ret_stat->size_of;
	int r;

	r = kc_root_stat(run->root, path, flags, &err, &st);
	if (r < 0)
		return fail_err(run, &err);
	memcpy(ret_stat, &st, KC_MIN((size_t)size, sizeof(st)));
	ret_stat->size_of = size;
	return 0;
}

static int host_resolve(struct kc_run *run, const char *path, const char **ret_path)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_err err = { 0 };

	if (kc_root_resolve(run->root, path, &err, &b) < 0)
		return fail_err(run, &err);
	return keep_string(run, &b, ret_path);
}

static int host_filesystem(struct kc_run *run, const char *path, struct kc_filesystem *ret_figures)
{
	struct kc_filesystem figures = { .size_of = sizeof(figures) };
	struct kc_err err = { 0 };
	uint32_t size = ret_figures->size_of;

	if (kc_root_filesystem(run->root, path, &err, &figures) < 0)
		return fail_err(run, &err);
	memcpy(ret_figures, &figures, KC_MIN((size_t)size, sizeof(figures)));
	ret_figures->size_of = size;
	return 0;
}

static int host_label(struct kc_run *run, const char *path, const char **ret_label)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_err err = { 0 };

	if (kc_root_label(run->root, path, &err, &b) < 0)
		return fail_err(run, &err);
	return keep_string(run, &b, ret_label);
}

/* ---- others, by question ---- */

static int ask(struct kc_run *run, struct kc_question *question, struct kc_answer *ret_answer)
{
	uint64_t left = host_time_left(run);

	if (!run->ask)
		return fail(run, -ENOSYS, "there is nobody to ask");
	if (left == 0)
		return fail(run, -ETIMEDOUT, "the rule's time was up before it could ask");
	if (question->timeout_usec == 0)
		question->timeout_usec = ASK_TIMEOUT_USEC;
	/* A tenth stays for the check to say what became of it. */
	question->timeout_usec = KC_MIN(question->timeout_usec, left - left / 10);
	*ret_answer = (struct kc_answer){ 0 };
	run->ask(run->ask_context, question, arena_of(run), ret_answer);
	if (ret_answer->code < 0)
		return fail(run, ret_answer->code, "%s", ret_answer->why ? ret_answer->why : "");
	return 0;
}

static int ask_live(struct kc_run *run, struct kc_question *question, struct kc_answer *ret_answer)
{
	if (!kc_root_is_live(run->root))
		return fail(run, -EOPNOTSUPP, "%s is looked at offline, so nobody can be asked",
			    kc_root_path(run->root));
	return ask(run, question, ret_answer);
}

static int answer_pairs(struct kc_run *run, const struct kc_answer *answer,
			struct kc_pairs *ret_pairs)
{
	size_t n = answer->n_items / 2;
	struct kc_pair *pairs;

	if (answer->n_items % 2)
		return fail(run, -EBADMSG, "the answer has a name without a value");
	pairs = kc_arena_zalloc(arena_of(run), n + 1, sizeof(*pairs));
	if (!pairs)
		return fail_memory(run);
	for (size_t i = 0; i < n; i++)
		pairs[i] = (struct kc_pair){ .key = answer->items[2 * i].data,
					     .value = answer->items[2 * i + 1].data };
	*ret_pairs = (struct kc_pairs){ .n = n, .item = pairs };
	return 0;
}

static int answer_strings(struct kc_run *run, const struct kc_answer *answer,
			  struct kc_strings *ret_strings)
{
	const char **list = kc_arena_zalloc(arena_of(run), answer->n_items + 1, sizeof(*list));

	if (!list)
		return fail_memory(run);
	for (size_t i = 0; i < answer->n_items; i++)
		list[i] = answer->items[i].data;
	*ret_strings = (struct kc_strings){ .n = answer->n_items, .item = list };
	return 0;
}

static int answer_string(struct kc_run *run, const struct kc_answer *answer, const char **ret_text)
{
	if (answer->n_items != 1)
		return fail(run, -EBADMSG, "the answer is not one value");
	*ret_text = answer->items[0].data;
	return 0;
}

static struct kc_question question_of(uint32_t kind, const char *const *string)
{
	return (struct kc_question){
		.kind = kind,
		.strings = { .n = string[0] ? 1 : 0, .item = string },
	};
}

static int host_sysctl(struct kc_run *run, const char *key, const char **ret_value)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 }, path = { 0 };
	struct kc_err err = { 0 };
	const char *strings[2] = { 0 };
	struct kc_question question;
	struct kc_answer answer;
	int r;

	r = kc_root_sysctl(run->root, key, &err, &b);
	if (r >= 0)
		return keep_string(run, &b, ret_value);
	if (r != -EACCES && r != -EPERM)
		return fail_err(run, &err);
	/* Of mode 0600, or closed to a worker: the broker may see it. */
	if (kc_sysctl_path(key, &path) < 0)
		return fail_err(run, &err);
	strings[0] = path.data;
	question = question_of(KC_ASK_SYSCTL, strings);
	r = ask_live(run, &question, &answer);
	return r < 0 ? r : answer_string(run, &answer, ret_value);
}

static int host_mountinfo(struct kc_run *run, struct kc_bytes *ret_bytes)
{
	static const char *const own[] = { "/proc/self/mountinfo", "/proc/1/mountinfo" };
	bool here = kc_streq(kc_root_path(run->root), "/");
	int r;

	/* Below /host, "self" would be the container's: pid 1 has the machine's mounts. */
	r = host_read_file(run, own[!here], KC_RUN_MEMORY_MAX, ret_bytes);
	if (r == -ENOENT || r == -EACCES)
		r = host_read_file(run, own[here], KC_RUN_MEMORY_MAX, ret_bytes);
	return r;
}

static int host_kernel(struct kc_run *run, const char **ret_release, const char **ret_machine,
		       const char **ret_hostname)
{
	const char *release, *hostname, *machine;
	struct utsname names;
	int r;

	/* uname(2) would be the looking process's own UTS namespace, and no fixture could have it.
	 */
	r = host_sysctl(run, "kernel.osrelease", &release);
	if (r < 0)
		return r;
	r = host_sysctl(run, "kernel.hostname", &hostname);
	if (r < 0)
		return r;
	if (host_sysctl(run, "kernel.arch", &machine) < 0) { /* since Linux 6.1 */
		if (uname(&names) < 0)
			return fail(run, -errno, "uname: %s", kc_strerror(errno));
		machine = kc_arena_strdup(arena_of(run), names.machine);
		if (!machine)
			return fail_memory(run);
	}
	*ret_release = release;
	*ret_machine = machine;
	*ret_hostname = hostname;
	return 0;
}

static int host_addresses(struct kc_run *run, struct kc_pairs *ret_addresses)
{
	struct kc_question question = { .kind = KC_ASK_ADDRESSES };
	struct kc_answer answer;
	int r = ask_live(run, &question, &answer);

	return r < 0 ? r : answer_pairs(run, &answer, ret_addresses);
}

static int host_clock(struct kc_run *run, int64_t *ret_realtime_usec, int64_t *ret_monotonic_usec)
{
	*ret_realtime_usec = (int64_t)kc_realtime_usec();
	*ret_monotonic_usec = (int64_t)kc_now_usec();
	return 0;
}

static int host_process_link(struct kc_run *run, uint32_t pid, const char *name,
			     const char **ret_target)
{
	const char *strings[] = { name, NULL };
	struct kc_question question = question_of(KC_ASK_PROCESS, strings);
	struct kc_answer answer;
	int r;

	question.number = pid;
	r = ask_live(run, &question, &answer);
	return r < 0 ? r : answer_string(run, &answer, ret_target);
}

static int host_socket_holder(struct kc_run *run, uint64_t inode, uint32_t *ret_pid,
			      const char **ret_program)
{
	struct kc_question question = { .kind = KC_ASK_SOCKET_HOLDER };
	struct kc_answer answer;
	const char *program = NULL;
	int r;

	if (inode > INT64_MAX)
		return fail(run, -EINVAL, "socket:[%llu] is no inode", (unsigned long long)inode);
	question.number = (int64_t)inode;
	r = ask_live(run, &question, &answer);
	if (r >= 0)
		r = answer_string(run, &answer, &program);
	if (r < 0)
		return r;
	if (answer.numbers[0] < 1 || answer.numbers[0] > UINT32_MAX)
		return fail(run, -EBADMSG, "the answer has no PID");
	*ret_pid = (uint32_t)answer.numbers[0];
	*ret_program = program;
	return 0;
}

static int host_unit(struct kc_run *run, const char *name, struct kc_pairs *ret_properties)
{
	const char *strings[] = { name, NULL };
	struct kc_question question = question_of(KC_ASK_UNIT, strings);
	struct kc_answer answer;
	int r = ask_live(run, &question, &answer);

	return r < 0 ? r : answer_pairs(run, &answer, ret_properties);
}

static int host_bus(struct kc_run *run, const struct kc_bus_question *asked,
		    struct kc_strings *ret_values)
{
	struct kc_bus_question q = { 0 };
	struct kc_question question;
	struct kc_answer answer;
	const char **strings;
	size_t n = 4, i = 4;
	int r;

	memcpy(&q, asked, KC_MIN((size_t)asked->size, sizeof(q)));
	if (!q.destination || !q.path || !q.interface || !q.member)
		return fail(run, -EINVAL,
			    "a question to the bus needs destination, path, interface and member");
	n += kc_strv_len(q.args);
	strings = kc_arena_zalloc(arena_of(run), n + 1, sizeof(*strings));
	if (!strings)
		return fail_memory(run);
	strings[0] = q.destination;
	strings[1] = q.path;
	strings[2] = q.interface;
	strings[3] = q.member;
	KC_FOREACH_STR (arg, q.args)
		strings[i++] = arg;
	question = (struct kc_question){
		.kind = KC_ASK_BUS,
		.number = q.property != 0,
		.strings = { .n = n, .item = strings },
	};
	r = ask_live(run, &question, &answer);
	return r < 0 ? r : answer_strings(run, &answer, ret_values);
}

static int host_runtime(struct kc_run *run, const char *endpoint, uint32_t asked,
			uint64_t timeout_usec, struct kc_pairs *ret_answer)
{
	const char *strings[] = { endpoint, NULL };
	struct kc_question question = question_of(KC_ASK_RUNTIME, strings);
	struct kc_answer answer;
	int r;

	question.number = asked;
	question.timeout_usec = timeout_usec;
	r = ask_live(run, &question, &answer);
	return r < 0 ? r : answer_pairs(run, &answer, ret_answer);
}

static int host_health(struct kc_run *run, const char *url, uint64_t timeout_usec, int *ret_status,
		       struct kc_bytes *ret_body)
{
	const char *strings[] = { url, NULL };
	struct kc_question question = question_of(KC_ASK_HEALTH, strings);
	struct kc_answer answer;
	int r;

	question.timeout_usec = timeout_usec;
	r = ask_live(run, &question, &answer);
	if (r < 0)
		return r;
	if (answer.n_items != 1)
		return fail(run, -EBADMSG, "the answer of %s has no body", url);
	*ret_status = (int)answer.numbers[0];
	*ret_body = answer.items[0];
	return 0;
}

static int host_lookup(struct kc_run *run, const char *name, uint64_t timeout_usec,
		       struct kc_strings *ret_addresses)
{
	const char *strings[] = { name, NULL };
	struct kc_question question = question_of(KC_ASK_LOOKUP, strings);
	struct kc_answer answer;
	int r;

	question.timeout_usec = timeout_usec;
	r = ask_live(run, &question, &answer);
	return r < 0 ? r : answer_strings(run, &answer, ret_addresses);
}

static int host_try_port(struct kc_run *run, const char *address, uint16_t port,
			 uint64_t timeout_usec)
{
	const char *strings[] = { address, NULL };
	struct kc_question question = question_of(KC_ASK_PORT, strings);
	struct kc_answer answer;

	question.number = port;
	question.timeout_usec = timeout_usec;
	return ask_live(run, &question, &answer);
}

static int host_program(struct kc_run *run, const struct kc_program *program,
			struct kc_program_result *ret_result)
{
	struct kc_program_result result = { .size_of = sizeof(result) };
	uint32_t size = ret_result->size_of;
	struct kc_program p = { 0 };
	struct kc_question question;
	struct kc_answer answer;
	const char **strings;
	size_t n = 1;
	int r;

	memcpy(&p, program, KC_MIN((size_t)program->size, sizeof(p)));
	if (!p.path || !p.argv || !p.argv[0])
		return fail(run, -EINVAL, "a program needs a path and its arguments");
	if (run->rule && run->rule->runs_untrusted)
		return fail(
			run, -EPERM,
			"%s is not run for rule %s, because others than root can write its profile",
			p.path, run->rule->id);
	strings = kc_arena_zalloc(arena_of(run), kc_strv_len(p.argv) + 2, sizeof(*strings));
	if (!strings)
		return fail_memory(run);
	strings[0] = p.path;
	KC_FOREACH_STR (arg, p.argv)
		strings[n++] = arg;
	question = (struct kc_question){
		.kind = KC_ASK_PROGRAM,
		.timeout_usec = p.timeout_usec ? p.timeout_usec : host_time_left(run),
		.strings = { .n = n, .item = strings },
	};
	r = ask_live(run, &question, &answer);
	if (r < 0)
		return r;
	if (answer.n_items != 2)
		return fail(run, -EBADMSG, "%s: its output was lost", p.path);
	result.exit_code = (int32_t)answer.numbers[0];
	result.signal = (int32_t)answer.numbers[1];
	result.out = answer.items[0];
	result.err = answer.items[1];
	memcpy(ret_result, &result, KC_MIN((size_t)size, sizeof(result)));
	ret_result->size_of = size;
	return 0;
}

const struct kc_host kc_host_table = {
	.size = sizeof(struct kc_host),
	.abi_major = KC_ABI_MAJOR,
	.abi_minor = KC_ABI_MINOR,
	.horizons = host_horizons,
	.is_live = host_is_live,
	.time_left = host_time_left,
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
	.read_file = host_read_file,
	.open_file = host_open_file,
	.read_link = host_read_link,
	.list_dir = host_list_dir,
	.stat = host_stat,
	.resolve = host_resolve,
	.filesystem = host_filesystem,
	.label = host_label,
	.sysctl = host_sysctl,
	.mountinfo = host_mountinfo,
	.kernel = host_kernel,
	.addresses = host_addresses,
	.clock = host_clock,
	.process_link = host_process_link,
	.unit = host_unit,
	.bus = host_bus,
	.runtime = host_runtime,
	.health = host_health,
	.lookup = host_lookup,
	.try_port = host_try_port,
	.program = host_program,
	.open_dir = host_open_dir,
	.socket_holder = host_socket_holder,
};
