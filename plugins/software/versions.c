/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/program-version.h"
#include "formats/search-path.h"
#include "software.h"

enum {
	ANSWER_USEC = 1000 * 1000
};

/* What is known of a program, before a host is looked at. */
struct program {
	const char *name, *package;
	const char *unit; /* NULL: no daemon */
	const char *fact; /* the version of its file; NULL: none */
	const char *option, *option2; /* that make it say its version */
};

static const struct program programs[] = {
	{ "crio", "cri-o", "crio.service", NULL, "--version", NULL },
	{ "kubelet", "kubelet", "kubelet.service", "kubelet.version", "--version", NULL },
	{ "kubeadm", "kubeadm", NULL, "kubeadm.version", "version", "--output=short" },
	{ "kubectl", "kubectl", NULL, NULL, "version", "--client" },
};

struct versions_rule {
	struct software_rule rule;
	const char *wanted, *missing, *endpoint;
	const char *expected;
};

/* A version, or why there is none. */
struct answer {
	const char *version; /* NULL: see below */
	const char *source;
	const char *unseen; /* why it is not known: a clause; NULL: it is not there */
};

static struct answer unseen(const struct versions_rule *r, const char *source, const char *why)
{
	return (struct answer){ .source = source, .unseen = software_text(&r->rule, "%s", why) };
}

static struct answer unseen_host(const struct versions_rule *r, const char *source)
{
	return unseen(r, source, kc_why(r->rule.host, r->rule.run));
}

/* ---- of a file ---- */

/* Last of all, as running it costs more than the rest together. */
static struct answer ask_program(const struct versions_rule *r, const struct program *program,
				 const char *path)
{
	const char *const argv[] = { path, program->option, program->option2, NULL };
	const char *version, *why;

	if (!kc_is_live(r->rule.host, r->rule.run))
		return unseen(r, path,
			      "no package database knows the file, and no program of an offline "
			      "root is run");
	if (kc_program_version(r->rule.host, r->rule.run, r->rule.arena, argv, &version, &why) < 0)
		return unseen(r, path, why);
	return (struct answer){ .version = version,
				.source = software_text(&r->rule, "%s %s", path, program->option) };
}

/* The package that brought a file, where it lies among those of packages. */
static struct answer ask_database(const struct versions_rule *r, const struct program *program,
				  const char *path)
{
	const char *const names[] = { program->package, NULL };
	struct kc_packages found;
	const char *why;

	if (!kc_is_packaged_path(path))
		return (struct answer){ 0 };
	if (software_find(&r->rule, names, &found, &why) < 0)
		return unseen(r, path, why);
	if (!found.item[0].installed)
		return (struct answer){ 0 };
	return (struct answer){ .version = found.item[0].version, .source = found.item[0].source };
}

static struct answer version_of_file(const struct versions_rule *r, const struct program *program,
				     const char *path)
{
	struct answer answer = ask_database(r, program, path);

	if (answer.version && *answer.version)
		return answer;
	return answer.unseen ? answer : ask_program(r, program, path);
}

/* The file that its service starts, or a shell finds: NULL with neither answer's member set. */
static struct answer find_file(const struct versions_rule *r, const struct program *program,
			       const char **ret_path)
{
	const struct software_rule *rule = &r->rule;
	struct kc_service_command service = { 0 };
	const struct kc_unit_file *unit = NULL;
	struct kc_search_result result;
	const char *name = program->name;
	struct kc_search_path path;
	int code = 0;

	*ret_path = NULL;
	if (program->unit)
		code = kc_unit_file_load(rule->host, rule->run, rule->arena, program->unit, &unit);
	if (code == 0 && unit)
		code = kc_unit_service_command(rule->host, rule->run, rule->arena, unit, &service);
	if (code == 0)
		code = kc_search_path_of(rule->host, rule->run, rule->arena, unit, &service, &path);
	if (code < 0)
		return unseen_host(r, program->unit);
	/* A wrapper is no crio. */
	if (service.command.n && kc_endswith(service.command.word[0].text, name))
		name = service.command.word[0].text;
	if (kc_search_path_find(rule->host, rule->run, rule->arena, path.text, name, &result) < 0)
		return unseen(r, program->unit, "out of memory");
	if (!result.path && result.unseen)
		return unseen(r, path.source, result.unseen);
	*ret_path = result.path;
	return (struct answer){ .source = path.source };
}

/* The fact says the same, and was found out already; false when it says nothing. */
static bool ask_fact(const struct versions_rule *r, const char *name, struct answer *ret_answer)
{
	struct kc_fact fact = { .size = sizeof(fact) };

	if (!name || kc_fact(r->rule.host, r->rule.run, name, &fact) < 0 ||
	    fact.state == KC_FACT_UNKNOWN)
		return false;
	*ret_answer = (struct answer){
		.version = fact.state == KC_FACT_KNOWN ? fact.value : NULL,
		.source = fact.source,
	};
	return true;
}

/* What is installed: what the next start runs. */
static struct answer installed(const struct versions_rule *r, const struct program *program)
{
	struct answer answer;
	const char *path;

	if (ask_fact(r, program->fact, &answer))
		return answer;
	answer = find_file(r, program, &path);
	return path ? version_of_file(r, program, path) : answer;
}

/* ---- of a daemon ---- */

static const char *pair(const struct kc_pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (kc_streq(pairs->item[i].key, key))
			return pairs->item[i].value;
	return "";
}

static const char *without_v(const char *version)
{
	return version + (*version == 'v');
}

/* CRI-O by its own answer, which the facts may have already. */
static struct answer running_crio(const struct versions_rule *r)
{
	const char *source = software_text(&r->rule, "Version at %s%s",
					   *r->endpoint == '/' ? "unix://" : "", r->endpoint);
	struct kc_pairs pairs;
	struct answer answer;
	int code;

	if (ask_fact(r, "runtime.version", &answer) && answer.version &&
	    kc_streq0(answer.source, source)) {
		struct answer name;

		if (ask_fact(r, "runtime.name", &name) && kc_streq0(name.version, "cri-o"))
			return answer;
	}
	code = kc_runtime(r->rule.host, r->rule.run, r->endpoint, KC_RUNTIME_VERSION, ANSWER_USEC,
			  &pairs);
	if (code == -ENOENT || code == -ENOTDIR || code == -ECONNREFUSED)
		return (struct answer){ 0 };
	if (code < 0)
		return unseen_host(r, r->endpoint);
	if (!kc_streq(pair(&pairs, "runtime_name"), "cri-o"))
		return unseen(r, source,
			      software_text(&r->rule, "%s answers there, and not CRI-O",
					    pair(&pairs, "runtime_name")));
	return (struct answer){ .version = without_v(pair(&pairs, "runtime_version")),
				.source = source };
}

/*
 * The kubelet tells nobody its version, so it is that of the file that its process runs, unless
 * that has been replaced.
 */
static struct answer running_kubelet(const struct versions_rule *r, const struct program *program)
{
	const struct software_rule *rule = &r->rule;
	const char *exe, *source;
	struct kc_pairs pairs;
	uint64_t pid = 0;
	int code;

	code = kc_unit(rule->host, rule->run, program->unit, &pairs);
	if (code < 0)
		return unseen_host(r, program->unit);
	if (kc_parse_u64(pair(&pairs, "MainPID"), &pid) < 0 || pid == 0 || pid > UINT32_MAX)
		return (struct answer){ 0 };
	source = software_text(rule, "/proc/%u/exe", (unsigned)pid);
	code = kc_process_link(rule->host, rule->run, (uint32_t)pid, "exe", &exe);
	if (code == -ENOENT)
		return (struct answer){ 0 };
	if (code < 0)
		return unseen_host(r, source);
	if (kc_endswith(exe, " (deleted)"))
		return unseen(
			r, source,
			software_text(rule,
				      "the file that the running %s was started from has been "
				      "replaced since, and its version is gone with it: "
				      "restart %s",
				      program->name, program->name));
	return version_of_file(r, program, exe);
}

/* ---- verdicts ---- */

static int report(const struct versions_rule *r, uint32_t horizon, uint32_t verdict,
		  const struct program *program, const struct answer *answer, const char *message)
{
	return software_report_at(&r->rule, horizon, verdict, program->name, r->expected,
				  answer->version, answer->source, message);
}

static int report_version(const struct versions_rule *r, uint32_t horizon,
			  const struct program *program, const struct answer *answer,
			  const char *message)
{
	if (answer->unseen)
		return report(
			r, horizon, KC_ERROR, program, answer,
			software_text(&r->rule, "The version is not known: %s.", answer->unseen));
	return report(r, horizon,
		      software_version_matches(answer->version, r->wanted) ? KC_PASS : KC_FAIL,
		      program, answer, message);
}

static int judge_now(const struct versions_rule *r, const struct program *program,
		     const struct answer *file)
{
	struct answer answer =
		kc_streq(program->name, "crio") ? running_crio(r) : running_kubelet(r, program);
	const char *message = NULL;

	if (!answer.version && !answer.unseen)
		return software_skip(&r->rule, KC_NOW, program->name, "not-running");
	if (answer.version && file->version && !kc_streq(answer.version, file->version))
		message = software_text(&r->rule,
					"The installed %s is %s (%s), and the running one was not "
					"restarted since.",
					program->name, file->version, file->source);
	return report_version(r, KC_NOW, program, &answer, message);
}

static int judge_boot(const struct versions_rule *r, const struct program *program,
		      const struct answer *file)
{
	const struct answer none = { .version = "not installed", .source = file->source };

	if (file->version || file->unseen)
		return report_version(r, KC_BOOT, program, file, NULL);
	if (kc_streq(r->missing, "skip"))
		return software_skip(&r->rule, KC_BOOT, program->name, "not-installed");
	return report(r, KC_BOOT, KC_FAIL, program, &none, NULL);
}

static const struct program *find_program(const char *name)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(programs); i++)
		if (kc_streq(programs[i].name, name))
			return &programs[i];
	return NULL;
}

/* One that the plugin does not know is a fault of the rule. */
static int report_unknown(const struct versions_rule *r, uint32_t horizons, const char *name)
{
	const char *message = software_text(
		&r->rule, "k8scheck knows crio, kubelet, kubeadm and kubectl, not \"%s\".", name);
	int code = 0;

	if (horizons & KC_NOW)
		code = software_report_at(&r->rule, KC_NOW, KC_ERROR, name, NULL, NULL, NULL,
					  message);
	if (code == 0 && horizons & KC_BOOT)
		code = software_report(&r->rule, KC_ERROR, name, NULL, NULL, NULL, message);
	return code;
}

static int judge(const struct versions_rule *r, const struct kc_strings *names)
{
	uint32_t horizons = kc_horizons(r->rule.host, r->rule.run);
	bool daemon = false;
	int code = 0;

	for (size_t i = 0; code == 0 && i < names->n; i++) {
		const struct program *program = find_program(names->item[i]);
		struct answer file;

		if (!program) {
			daemon = true;
			code = report_unknown(r, horizons, names->item[i]);
			continue;
		}
		file = installed(r, program);
		/* From files while the bus and the runtime get ready. */
		if (horizons & KC_BOOT)
			code = judge_boot(r, program, &file);
		if (code == 0 && horizons & KC_NOW && program->unit) {
			daemon = true;
			code = judge_now(r, program, &file);
		}
	}
	if (code == 0 && horizons & KC_NOW && !daemon)
		code = software_skip(&r->rule, KC_NOW, NULL, "no-daemon");
	return code;
}

/* Reads the rule, and judges it. */
static int judge_rule(void *state, const struct kc_host *host, struct kc_run *run,
		      software_plan *plan)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = SOFTWARE_MEMORY_MAX };
	struct versions_rule r = { .rule = { host, run, &arena, state, plan } };
	struct kc_strings names;
	int code;

	code = kc_param_list(host, run, "programs", &names);
	if (code == 0)
		code = kc_param_string(host, run, "version", &r.wanted);
	if (code == 0)
		code = kc_param_string(host, run, "missing", &r.missing);
	if (code == 0)
		code = kc_param_string(host, run, "endpoint", &r.endpoint);
	if (code < 0)
		return code;
	r.expected = software_text(&r.rule, "version %s", r.wanted);
	return judge(&r, &names);
}

int software_versions_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	return judge_rule(state, host, run, NULL);
}

/* What runs is started anew, which pods notice; what is installed is for a package manager. */
static int plan_version(const struct software_rule *rule, uint32_t horizon, const char *subject,
			const char *found)
{
	const struct versions_rule *r = (const struct versions_rule *)rule;
	const struct program *program = find_program(subject);

	if (horizon == KC_NOW)
		return kc_plan_by_hand(
			rule->host, rule->run, horizon,
			software_text(rule, "systemctl restart %s\n", program->unit),
			"Once the right version is installed; drain the node first.");
	return kc_plan_by_hand(
		rule->host, rule->run, horizon,
		software_text(rule,
			      "dnf install -y '%s-%s*' --disableexcludes=all || "
			      "apt-get install -y --allow-change-held-packages '%s=%s*'\n",
			      program->package, r->wanted, program->package, r->wanted),
		"No step installs packages.");
}

int software_versions_plan(void *state, const struct kc_host *host, struct kc_run *run)
{
	return judge_rule(state, host, run, plan_version);
}
