/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Runs the fixture cases of one plugin; README.md beside this file has their format.
 * Arguments: folder with manifests, folder of the plugin's cases, name of the plugin.
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/num.h"
#include "base/yaml.h"
#include "profile/profile.h"
#include "run/host.h"

#define X(name) extern const struct kc_plugin kc_plugin_##name;
KC_TEST_PLUGINS
#undef X

static const struct kc_plugin *const all_plugins[] = {
#define X(name) &kc_plugin_##name,
	KC_TEST_PLUGINS
#undef X
};

/* Of one case: everything dies with the arena, the copy of the root with tmp. */
struct fixture {
	const char *name, *dir, *plugin_dir;
	const struct kc_yaml_node *yaml;
	struct kc_arena arena;
	char tmp[64], root[4096];
	bool live;
	const struct kc_plugin *plugin;
	const struct kc_rule *rule;
	const struct kc_manifest *manifest;
	struct kc_fact_value *facts;
	uint32_t n_facts;
	bool *asked; /* answers that were used */
	/* what came of it */
	struct kc_result result;
	struct kc_buf steps, got_facts;
	unsigned failures;
};

static void complain(struct fixture *f, const char *fmt, ...) kc_printf(2, 3);

static void complain(struct fixture *f, const char *fmt, ...)
{
	va_list ap;

	f->failures++;
	(void)printf("  %s: ", f->name);
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)printf("\n");
}

static kc_noreturn void broken(struct fixture *f, const char *what, const char *detail)
{
	(void)printf("  %s: the case is broken: %s: %s\n", f->name, what, detail);
	exit(1);
}

static const char *scalar(const struct kc_yaml_node *mapping, const char *key)
{
	const struct kc_yaml_node *node = kc_yaml_get(mapping, key);

	return node && node->type == KC_YAML_SCALAR && !kc_yaml_is_null(node) ? node->scalar : NULL;
}

static const char *printable(struct fixture *f, const char *fmt, ...) kc_printf(2, 3);

static const char *printable(struct fixture *f, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = kc_arena_vprintf(&f->arena, fmt, ap);
	va_end(ap);
	if (!s)
		abort();
	return s;
}

/* ---- the tree that is looked at ---- */

static void run_program(struct fixture *f, const char *const *argv)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		(void)execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		broken(f, argv[0], "failed");
}

static void make_parents(struct fixture *f, const char *path)
{
	const char *dir = printable(f, "%s", path);
	char *slash = strrchr(dir, '/');

	*slash = 0;
	run_program(f, (const char *const[]){ "mkdir", "-p", dir, NULL });
}

static void make_socket(struct fixture *f, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	kc_cleanup(kc_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		broken(f, path, "too long for a socket");
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		broken(f, path, strerror(errno));
}

static void make_file(struct fixture *f, const struct kc_yaml_node *item, const char *path)
{
	kc_cleanup(kc_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	const char *text = scalar(item, "text"), *size_text = scalar(item, "size");
	uint64_t size = 0;

	if (fd < 0 || (text && kc_write_all(fd, text, strlen(text)) < 0))
		broken(f, path, strerror(errno));
	if (size_text && (kc_parse_size(size_text, &size) < 0 || ftruncate(fd, (off_t)size) < 0))
		broken(f, path, "size");
}

static void make_one(struct fixture *f, const struct kc_yaml_node *item)
{
	static const char *const kinds[] = { "dir",  "fifo",   "socket", "link",
					     "file", "sparse", "path",	 NULL };
	const char *kind = NULL, *path = NULL, *mode = scalar(item, "mode");
	int r = 0;

	KC_FOREACH_STR (k, kinds) {
		if (!path && scalar(item, k)) {
			kind = k;
			path = printable(f, "%s%s", f->root, scalar(item, k));
		}
	}
	if (!path)
		broken(f, "make", "an item of no known kind");
	make_parents(f, path);
	if (kc_streq(kind, "dir"))
		run_program(f, (const char *const[]){ "mkdir", "-p", path, NULL });
	else if (kc_streq(kind, "fifo"))
		r = mkfifo(path, 0644);
	else if (kc_streq(kind, "socket"))
		make_socket(f, path);
	else if (kc_streq(kind, "link"))
		r = symlink(scalar(item, "to"), path);
	else if (kc_streq(kind, "file") || kc_streq(kind, "sparse"))
		make_file(f, item, path);
	if (r < 0)
		broken(f, path, strerror(errno));
	if (mode)
		run_program(f, (const char *const[]){ "chmod", mode, path, NULL });
}

static void make_root(struct fixture *f)
{
	const struct kc_yaml_node *make = kc_yaml_get(f->yaml, "make");
	const char *own = printable(f, "%s/root", f->dir);
	bool there = access(own, F_OK) == 0;

	if (there && !make) {
		(void)snprintf(f->root, sizeof(f->root), "%s", own);
		return;
	}
	(void)snprintf(f->tmp, sizeof(f->tmp), "/tmp/k8scheck-fixture-XXXXXX");
	if (!mkdtemp(f->tmp))
		broken(f, f->tmp, strerror(errno));
	(void)snprintf(f->root, sizeof(f->root), "%s/root", f->tmp);
	if (there)
		run_program(f, (const char *const[]){ "cp", "-a", own, f->root, NULL });
	else
		run_program(f, (const char *const[]){ "mkdir", f->root, NULL });
	for (uint32_t i = 0; make && i < make->n; i++)
		make_one(f, make->item[i]);
}

static void remove_root(struct fixture *f)
{
	if (f->tmp[0])
		run_program(f, (const char *const[]){ "rm", "-rf", f->tmp, NULL });
}

/* ---- the rule: through a profile, so that parameters are validated as a user's are ---- */

static void write_flow(struct kc_buf *b, const struct kc_yaml_node *node)
{
	if (node->type == KC_YAML_SCALAR && node->plain) {
		kc_buf_adds(b, node->scalar);
	} else if (node->type == KC_YAML_SCALAR) {
		kc_buf_addc(b, '"');
		for (const char *p = node->scalar; *p; p++) {
			if (*p == '"' || *p == '\\' || (unsigned char)*p < 0x20)
				kc_buf_addf(b, "\\x%02x", (unsigned)(unsigned char)*p);
			else
				kc_buf_addc(b, *p);
		}
		kc_buf_addc(b, '"');
	} else if (node->type == KC_YAML_SEQUENCE) {
		kc_buf_addc(b, '[');
		for (uint32_t i = 0; i < node->n; i++) {
			kc_buf_adds(b, i ? ", " : "");
			write_flow(b, node->item[i]);
		}
		kc_buf_addc(b, ']');
	} else {
		kc_buf_addc(b, '{');
		for (uint32_t i = 0; i < node->n; i++) {
			kc_buf_adds(b, i ? ", " : "");
			write_flow(b, node->pair[i].key);
			kc_buf_adds(b, ": ");
			write_flow(b, node->pair[i].value);
		}
		kc_buf_addc(b, '}');
	}
}

static void load_rule(struct fixture *f, const char *check)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	const struct kc_yaml_node *with = kc_yaml_get(f->yaml, "with");
	const char *plugin_dirs[] = { f->plugin_dir, NULL }, *none[] = { NULL };
	char path[] = "/tmp/k8scheck-case-XXXXXX.yaml";
	const char *profiles[] = { path, NULL };
	const struct kc_profile_request request = {
		.profiles = profiles,
		.profile_dirs = none,
		.plugin_dirs = plugin_dirs,
	};
	struct kc_diagnostics diagnostics = { 0 };
	const struct kc_profile *profile;
	kc_cleanup(kc_closep) int fd = mkstemps(path, 5);
	int r;

	kc_buf_addf(&b, "rules:\n  - id: case\n    check: %s\n    title: a case\n", check);
	if (with) {
		kc_buf_adds(&b, "    with: ");
		write_flow(&b, with);
		kc_buf_adds(&b, "\n");
	}
	if (fd < 0 || kc_write_all(fd, b.data, b.len) < 0)
		broken(f, path, strerror(errno));
	r = kc_profile_load(&request, &f->arena, &diagnostics, &profile);
	(void)unlink(path);
	if (r < 0)
		broken(f, check, diagnostics.text.data);
	kc_diagnostics_done(&diagnostics);
	f->rule = profile->rules;
	f->manifest = f->rule->plugin;
}

static void load_facts(struct fixture *f)
{
	const struct kc_yaml_node *facts = kc_yaml_get(f->yaml, "facts");

	f->n_facts = facts ? facts->n : 0;
	f->facts = kc_arena_zalloc(&f->arena, f->n_facts + 1, sizeof(*f->facts));
	for (uint32_t i = 0; i < f->n_facts; i++) {
		const struct kc_yaml_node *value = facts->pair[i].value;
		bool unknown = kc_streq(value->scalar, "?");

		f->facts[i] = (struct kc_fact_value){
			.name = facts->pair[i].key->scalar,
			.state = kc_yaml_is_null(value) ? KC_FACT_ABSENT
				 : unknown		? KC_FACT_UNKNOWN
							: KC_FACT_KNOWN,
			.value = kc_yaml_is_null(value) || unknown ? NULL : value->scalar,
			.source = "case.yaml",
		};
	}
}

/* ---- the scripted broker ---- */

static const struct {
	const char *name;
	int code;
} errnos[] = {
#define E(x)          \
	{             \
#x, x \
	}
	E(ENOENT),     E(EACCES),	E(EPERM),	    E(EOPNOTSUPP), E(ENOSYS), E(ENOTSUP),
	E(ETIMEDOUT),  E(ECONNREFUSED), E(ENOTSOCK),	    E(EISDIR),	   E(ELOOP),  E(EFBIG),
	E(ECONNRESET), E(EPROTO),	E(EBADMSG),	    E(ENOTCONN),   E(ENOMEM), E(EINVAL),
	E(EAGAIN),     E(EIO),		E(EPROTONOSUPPORT), E(EREMOTEIO),
#undef E
};

static int errno_of(struct fixture *f, const char *name)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(errnos); i++) {
		if (kc_streq(errnos[i].name, name))
			return -errnos[i].code;
	}
	broken(f, "answers: no such errno", name);
}

static const char *question_text(struct fixture *f, const struct kc_question *q)
{
	static const char *const words[KC_ASK_MAX] = {
		[KC_ASK_UNIT] = "unit",	      [KC_ASK_BUS] = "bus",
		[KC_ASK_RUNTIME] = "runtime", [KC_ASK_HEALTH] = "health",
		[KC_ASK_LOOKUP] = "lookup",   [KC_ASK_PORT] = "port",
		[KC_ASK_PROGRAM] = "program", [KC_ASK_PROCESS] = "process",
		[KC_ASK_SYSCTL] = "sysctl",   [KC_ASK_ADDRESSES] = "addresses",
		[KC_ASK_SOCKET_HOLDER] = "socket-holder",
	};
	static const char *const runtime[] = { "",     "version", "status", "config",
					       "pods", "images",  "info",   "config-file" };
	const char *text = words[q->kind];

	if (q->kind == KC_ASK_BUS && q->number)
		text = "property";
	if (q->kind == KC_ASK_PROCESS || q->kind == KC_ASK_SOCKET_HOLDER)
		text = printable(f, "%s %lld", text, (long long)q->number);
	for (size_t i = 0; i < q->strings.n; i++)
		text = printable(f, "%s %s", text, q->strings.item[i]);
	if (q->kind == KC_ASK_RUNTIME)
		text = printable(f, "%s %s", text, runtime[q->number]);
	if (q->kind == KC_ASK_PORT)
		text = printable(f, "%s %lld", text, (long long)q->number);
	return text;
}

static void fill_answer(struct fixture *f, const struct kc_yaml_node *item, struct kc_arena *arena,
			struct kc_answer *answer)
{
	const struct kc_yaml_node *node = kc_yaml_get(item, "answer");
	const char *error = scalar(item, "error"), *why = scalar(item, "why");
	const char *numbers[] = { scalar(item, "number"), scalar(item, "number2") };

	if (error) {
		kc_answer_fail(answer, arena, errno_of(f, error), "%s", why ? why : error);
		return;
	}
	for (unsigned i = 0; i < 2; i++) {
		if (numbers[i] && kc_parse_i64(numbers[i], &answer->numbers[i]) < 0)
			broken(f, "answers: not a number", numbers[i]);
	}
	for (uint32_t i = 0; node && i < node->n; i++) {
		if (node->type == KC_YAML_SCALAR) {
			kc_answer_adds(answer, arena, node->scalar);
			return;
		}
		if (node->type == KC_YAML_SEQUENCE) {
			kc_answer_adds(answer, arena, node->item[i]->scalar);
			continue;
		}
		kc_answer_adds(answer, arena, node->pair[i].key->scalar);
		kc_answer_adds(answer, arena, node->pair[i].value->scalar);
	}
	if (node && node->type == KC_YAML_SCALAR && node->n == 0)
		kc_answer_adds(answer, arena, "");
}

static void scripted(void *context, const struct kc_question *question, struct kc_arena *arena,
		     struct kc_answer *ret_answer)
{
	struct fixture *f = context;
	const struct kc_yaml_node *answers = kc_yaml_get(f->yaml, "answers");
	const char *text = question_text(f, question);

	for (uint32_t i = 0; answers && i < answers->n; i++) {
		const char *ask = scalar(answers->item[i], "ask");

		if (!ask || !kc_streq(ask, text))
			continue;
		f->asked[i] = true;
		fill_answer(f, answers->item[i], arena, ret_answer);
		return;
	}
	complain(f, "asked what the case does not answer: %s", text);
	kc_answer_fail(ret_answer, arena, -ENOSYS, "no answer in the case");
}

/* ---- what comes back ---- */

static const char *keep(struct fixture *f, const char *text)
{
	return text ? kc_arena_strdup(&f->arena, text) : NULL;
}

static void on_finding(void *context, const struct kc_finding *finding)
{
	struct fixture *f = context;
	struct kc_judgement *j =
		f->result.judgements + (finding->horizon == KC_NOW ? KC_J_NOW : KC_J_BOOT);
	struct kc_result_finding *grown;

	grown = realloc(j->findings, (j->n_findings + 1) * sizeof(*grown));
	if (!grown)
		abort();
	j->findings = grown;
	grown[j->n_findings++] = (struct kc_result_finding){
		.verdict = finding->verdict,
		.subject = keep(f, finding->subject),
		.expected = keep(f, finding->expected),
		.found = keep(f, finding->found),
		.source = keep(f, finding->source),
		.message = keep(f, finding->message),
		.reason = keep(f, finding->reason),
	};
}

/* Facts and steps are kept as lines of fields, one field a text of its own, ended by NUL. */
static void on_fact(void *context, const struct kc_fact *fact)
{
	struct fixture *f = context;
	struct kc_fact_value *v = kc_arena_alloc(&f->arena, sizeof(*v));

	*v = (struct kc_fact_value){
		.name = keep(f, fact->name),
		.state = fact->state,
		.value = keep(f, fact->value),
		.source = keep(f, fact->source),
	};
	kc_buf_add(&f->got_facts, &v, sizeof(v));
}

static void on_step(void *context, const struct kc_step *step)
{
	struct fixture *f = context;
	struct kc_step *copy = kc_arena_alloc(&f->arena, sizeof(*copy));

	*copy = *step;
	copy->target = keep(f, step->target);
	copy->content = step->content
				? kc_arena_memdup(&f->arena, step->content, step->content_size)
				: NULL;
	copy->why = keep(f, step->why);
	kc_buf_add(&f->steps, &copy, sizeof(copy));
}

static bool matches(struct fixture *f, const struct kc_yaml_node *want, const char *key,
		    const char *got)
{
	const char *exact = scalar(want, key), *part = scalar(want, printable(f, "%s~", key));

	if (kc_yaml_get(want, key) && kc_yaml_is_null(kc_yaml_get(want, key)) && got)
		return false;
	if (exact && !kc_streq0(exact, got))
		return false;
	return !part || (got && strstr(got, part));
}

static const char *show(const char *text)
{
	return text ? text : "(none)";
}

static void compare_finding(struct fixture *f, const char *horizon, unsigned i,
			    const struct kc_yaml_node *want, const struct kc_result_finding *got)
{
	bool ok = matches(f, want, "verdict", kc_verdict_name(got->verdict)) &&
		  matches(f, want, "subject", got->subject) &&
		  matches(f, want, "expected", got->expected) &&
		  matches(f, want, "found", got->found) &&
		  matches(f, want, "source", got->source) &&
		  matches(f, want, "message", got->message) &&
		  matches(f, want, "reason", got->reason);

	if (!ok)
		complain(f,
			 "finding %u at %s is: verdict %s, subject %s, expected %s, found %s, "
			 "source %s, "
			 "message %s, reason %s",
			 i + 1, horizon, kc_verdict_name(got->verdict), show(got->subject),
			 show(got->expected), show(got->found), show(got->source),
			 show(got->message), show(got->reason));
}

static void compare_judgement(struct fixture *f, const char *horizon,
			      const struct kc_judgement *got)
{
	const struct kc_yaml_node *want = kc_yaml_get(kc_yaml_get(f->yaml, "expect"), horizon);
	const struct kc_yaml_node *findings = kc_yaml_get(want, "findings");
	const char *verdict = kc_verdict_name(got->verdict), *expected;

	if (!want) {
		if (got->n_findings > 0)
			complain(f, "judged at %s (%s), and the case does not expect it", horizon,
				 show(verdict));
		return;
	}
	expected = want->type == KC_YAML_SCALAR ? want->scalar : scalar(want, "verdict");
	if (!kc_streq0(expected, verdict ? verdict : "none")) {
		complain(f, "at %s the verdict is %s, expected %s", horizon, show(verdict),
			 show(expected));
		for (unsigned i = 0; i < got->n_findings; i++)
			(void)printf("    %s: %s; %s; %s; %s; %s\n",
				     kc_verdict_name(got->findings[i].verdict),
				     show(got->findings[i].subject), show(got->findings[i].found),
				     show(got->findings[i].source), show(got->findings[i].message),
				     show(got->findings[i].reason));
	}
	if (!findings)
		return;
	if (findings->n != got->n_findings)
		complain(f, "at %s there are %u findings, expected %u", horizon, got->n_findings,
			 findings->n);
	for (uint32_t i = 0; i < KC_MIN(findings->n, got->n_findings); i++)
		compare_finding(f, horizon, i, findings->item[i], got->findings + i);
}

static const char *step_kind(uint32_t kind)
{
	static const char *const names[] = {
		"",
		"make-dir",
		"write-file",
		"edit-file",
		"move-aside",
		"remove-file",
		"set-mode",
		"sysctl",
		"load-module",
		"swap-off",
		"selinux-mode",
		"unit-enable",
		"unit-disable",
		"unit-mask",
		"unit-start",
		"unit-stop",
		"unit-restart",
		"systemd-reload",
		"firewalld-zone",
		"firewalld-port",
		"manual",
	};

	return names[kind];
}

static void compare_steps(struct fixture *f)
{
	const struct kc_yaml_node *want = kc_yaml_get(kc_yaml_get(f->yaml, "expect"), "steps");
	const struct kc_step *const *got = (const void *)f->steps.data;
	size_t n = f->steps.len / sizeof(*got);

	if (!want)
		return;
	if (want->n != n)
		complain(f, "the plan has %zu steps, expected %u", n, want->n);
	for (size_t i = 0; i < n; i++) {
		bool ok = i < want->n &&
			  matches(f, want->item[i], "kind", step_kind(got[i]->kind)) &&
			  matches(f, want->item[i], "target", got[i]->target) &&
			  matches(f, want->item[i], "content", got[i]->content) &&
			  matches(f, want->item[i], "why", got[i]->why);

		if (!ok)
			complain(f, "step %zu is: %s %s: %s (%s)", i + 1, step_kind(got[i]->kind),
				 show(got[i]->target), show(got[i]->content), show(got[i]->why));
	}
}

static void compare_facts(struct fixture *f)
{
	static const char *const states[] = { "", "known", "absent", "unknown" };
	const struct kc_yaml_node *want = kc_yaml_get(kc_yaml_get(f->yaml, "expect"), "facts");
	const struct kc_fact_value *const *got = (const void *)f->got_facts.data;
	size_t n = f->got_facts.len / sizeof(*got);

	for (uint32_t i = 0; want && i < want->n; i++) {
		const struct kc_yaml_node *w = want->pair[i].value;
		const struct kc_fact_value *v = NULL;
		bool ok;

		for (size_t k = 0; k < n; k++) {
			if (kc_streq(got[k]->name, want->pair[i].key->scalar))
				v = got[k];
		}
		if (!v) {
			complain(f, "the fact %s was not set", want->pair[i].key->scalar);
			continue;
		}
		if (w->type == KC_YAML_MAPPING)
			ok = matches(f, w, "state", states[v->state]) &&
			     matches(f, w, "value", v->value) && matches(f, w, "source", v->source);
		else if (kc_yaml_is_null(w))
			ok = v->state == KC_FACT_ABSENT;
		else if (kc_streq(w->scalar, "?"))
			ok = v->state == KC_FACT_UNKNOWN;
		else
			ok = kc_streq0(w->scalar, v->value);
		if (!ok)
			complain(f, "the fact %s is %s: %s (%s)", v->name, states[v->state],
				 show(v->value), show(v->source));
	}
}

/* ---- one case ---- */

static const struct kc_check *find_check(const struct kc_plugin *plugin, const char *id)
{
	for (uint32_t i = 0; i < plugin->n_checks; i++) {
		if (kc_streq(plugin->checks[i]->id, id))
			return plugin->checks[i];
	}
	return NULL;
}

static uint32_t horizons_of(struct fixture *f)
{
	const struct kc_yaml_node *list = kc_yaml_get(f->yaml, "horizons");
	uint32_t horizons = 0;

	if (!f->rule)
		return 0;
	for (uint32_t i = 0; list && i < list->n; i++)
		horizons |= kc_streq(list->item[i]->scalar, "now") ? KC_NOW : KC_BOOT;
	if (!list)
		horizons = KC_NOW | KC_BOOT;
	if (!f->live)
		horizons &= ~(uint32_t)KC_NOW;
	if (!(f->rule->check->flags & KC_CHECK_NOW))
		horizons &= ~(uint32_t)KC_NOW;
	if (!(f->rule->check->flags & KC_CHECK_BOOT))
		horizons &= ~(uint32_t)KC_BOOT;
	return horizons;
}

static void init_run(struct fixture *f, const struct kc_root *root, struct kc_run *run)
{
	*run = (struct kc_run){
		.root = root,
		.rule = f->rule,
		.plugin = f->manifest,
		.facts = f->facts,
		.n_facts = f->n_facts,
		.horizons = horizons_of(f),
		.deadline_usec = kc_now_usec() + 20000000,
		.ask = scripted,
		.ask_context = f,
		.sink = { .context = f, .finding = on_finding, .fact = on_fact, .step = on_step },
	};
}

static void run_check(struct fixture *f, const struct kc_check *check, void *state,
		      const struct kc_root *root)
{
	bool plan = kc_yaml_get(kc_yaml_get(f->yaml, "expect"), "steps");
	struct kc_run run;
	int r;

	init_run(f, root, &run);
	r = check->run(state, &kc_host_table, &run);
	if (r < 0)
		complain(f, "run() returned %d (%s): %s", r, kc_strerror(r), run.why);
	if (run.refused)
		complain(f, "what it handed in was refused: %s", run.why);
	if (run.reported != run.horizons)
		complain(f, "it was asked for horizons %u and judged %u", run.horizons,
			 run.reported);
	kc_run_done(&run);
	if (!plan)
		return;
	init_run(f, root, &run);
	run.planning = true;
	r = check->plan ? check->plan(state, &kc_host_table, &run) : -ENOSYS;
	if (r < 0)
		complain(f, "plan() returned %d (%s): %s", r, kc_strerror(r), run.why);
	kc_run_done(&run);
}

static void run_gather(struct fixture *f, void *state, const struct kc_root *root)
{
	struct kc_run run;

	for (uint32_t i = 0; i < f->plugin->n_facts; i++) {
		int r;

		init_run(f, root, &run);
		run.gathering = true;
		r = f->plugin->facts[i]->gather(state, &kc_host_table, &run);
		if (r < 0)
			complain(f, "gather() returned %d (%s): %s", r, kc_strerror(r), run.why);
		if (run.refused)
			complain(f, "what it handed in was refused: %s", run.why);
		kc_run_done(&run);
	}
}

static void run_once(struct fixture *f, unsigned root_flags)
{
	const struct kc_yaml_node *answers = kc_yaml_get(f->yaml, "answers");
	const char *check = scalar(f->yaml, "check");
	kc_cleanup(kc_root_freep) struct kc_root *root = NULL;
	struct kc_err err = { 0 };
	struct kc_run run;
	void *state = NULL;

	f->asked = kc_arena_zalloc(&f->arena, answers ? answers->n + 1 : 1, sizeof(bool));
	if (kc_root_open(f->root, root_flags | (f->live ? KC_ROOT_LIVE : 0), &err, &root) < 0)
		broken(f, f->root, err.text);
	init_run(f, root, &run);
	if (f->plugin->open && f->plugin->open(&kc_host_table, &run, &state) < 0)
		complain(f, "open() failed: %s", run.why);
	kc_run_done(&run);
	if (check && !find_check(f->plugin, check))
		broken(f, check, "the plugin has no such check");
	if (check)
		run_check(f, find_check(f->plugin, check), state, root);
	else
		run_gather(f, state, root);
	if (f->plugin->close)
		f->plugin->close(state);
	kc_result_conclude(&f->result);
	for (unsigned j = 0; j < KC_J_MAX; j++)
		compare_judgement(f, j == KC_J_NOW ? "now" : "boot", f->result.judgements + j);
	compare_steps(f);
	compare_facts(f);
	for (uint32_t i = 0; answers && i < answers->n; i++) {
		if (!f->asked[i] && !scalar(answers->item[i], "optional"))
			complain(f, "never asked: %s", show(scalar(answers->item[i], "ask")));
	}
	for (unsigned j = 0; j < KC_J_MAX; j++)
		free(f->result.judgements[j].findings);
	f->result = (struct kc_result){ 0 };
	kc_buf_done(&f->steps);
	kc_buf_done(&f->got_facts);
}

static bool run_case(const char *plugin_dir, const char *dir, const char *name,
		     const struct kc_plugin *plugin)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	struct fixture f = { .name = name, .plugin_dir = plugin_dir, .plugin = plugin };
	struct kc_err err = { 0 };
	kc_cleanup(kc_closep) int fd = -EBADF;
	const char *live;

	f.dir = printable(&f, "%s/%s", dir, name);
	fd = open(printable(&f, "%s/case.yaml", f.dir), O_RDONLY | O_CLOEXEC);
	if (fd < 0 || kc_read_all(fd, 1 << 20, &text) < 0)
		broken(&f, "case.yaml", strerror(errno));
	if (kc_yaml_parse("case.yaml", text.data, text.len, 0, &f.arena, &err, &f.yaml) < 0)
		broken(&f, name, err.text);
	live = scalar(f.yaml, "live");
	f.live = !live || kc_streq(live, "true");
	if (!kc_yaml_get(f.yaml, "expect"))
		broken(&f, name, "it expects nothing");
	make_root(&f);
	if (scalar(f.yaml, "check")) {
		load_rule(&f, scalar(f.yaml, "check"));
	} else {
		const char *dirs[] = { plugin_dir, NULL };
		struct kc_manifest_cache cache = { 0 };

		if (kc_manifest_load(dirs, plugin->name, &cache, &f.arena, &err, &f.manifest) < 0)
			broken(&f, plugin->name, err.text);
	}
	load_facts(&f);
	run_once(&f, 0);
	run_once(&f, KC_ROOT_NO_OPENAT2);
	remove_root(&f);
	kc_arena_done(&f.arena);
	return f.failures == 0;
}

static const struct kc_plugin *find_plugin(const char *name)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(all_plugins); i++) {
		if (kc_streq(all_plugins[i]->name, name))
			return all_plugins[i];
	}
	return NULL;
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	unsigned passed = 0, failed = 0;
	const struct kc_plugin *plugin;
	struct dirent **names = NULL;
	int n;

	if (argc < 4) {
		(void)fprintf(stderr, "usage: fixtures MANIFESTS CASES PLUGIN [CASE]\n");
		return 2;
	}
	plugin = find_plugin(argv[3]);
	n = plugin ? scandir(argv[2], &names, visible, alphasort) : -1;
	if (n < 0) {
		(void)printf("%s: no such plugin, or no cases in %s\n", argv[3], argv[2]);
		return 1;
	}
	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;

		if (argc < 5 || kc_streq(argv[4], name)) {
			bool ok = run_case(argv[1], argv[2], name, plugin);

			(void)printf("%s %s\n", ok ? "ok" : "not ok", name);
			passed += ok;
			failed += !ok;
		}
		free(names[i]);
	}
	free(names);
	(void)printf("%s: %u cases passed, %u failed\n", argv[3], passed, failed);
	return failed > 0 || passed == 0;
}
