/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"
#include "base/num.h"

enum option {
	OPT_PROFILE,
	OPT_ROOT,
	OPT_LIVE,
	OPT_HORIZON,
	OPT_RULE,
	OPT_SKIP,
	OPT_STAGE,
	OPT_TAG,
	OPT_SET,
	OPT_VAR,
	OPT_VARS,
	OPT_FIX,
	OPT_DRY_RUN,
	OPT_YES,
	OPT_ALLOW_WEAKEN,
	OPT_DRAINED,
	OPT_RESUME,
	OPT_FORMAT,
	OPT_LIST,
	OPT_FORCE,
	OPT_FORGET,
	OPT_REPORT,
	OPT_PLUGIN_DIR,
	OPT_JOBS,
	OPT_TIMEOUT,
	OPT_DEADLINE,
	OPT_STRICT,
	OPT_SANDBOX,
	OPT_COLOR,
	OPT_EFFECTIVE,
	OPT_QUIET,
	OPT_VERBOSE,
	OPT_VERSION,
	OPT_HELP,
	OPT_MAX,
};

const char *const kc_option_names[] = {
	[OPT_PROFILE] = "--profile",
	[OPT_ROOT] = "--root",
	[OPT_LIVE] = "--live",
	[OPT_HORIZON] = "--horizon",
	[OPT_RULE] = "--rule",
	[OPT_SKIP] = "--skip",
	[OPT_STAGE] = "--stage",
	[OPT_TAG] = "--tag",
	[OPT_SET] = "--set",
	[OPT_VAR] = "--var",
	[OPT_VARS] = "--vars",
	[OPT_FIX] = "--fix",
	[OPT_DRY_RUN] = "--dry-run",
	[OPT_YES] = "--yes",
	[OPT_ALLOW_WEAKEN] = "--allow-weaken",
	[OPT_DRAINED] = "--drained",
	[OPT_RESUME] = "--resume",
	[OPT_FORMAT] = "--format",
	[OPT_LIST] = "--list",
	[OPT_FORCE] = "--force",
	[OPT_FORGET] = "--forget",
	[OPT_REPORT] = "--report",
	[OPT_PLUGIN_DIR] = "--plugin-dir",
	[OPT_JOBS] = "--jobs",
	[OPT_TIMEOUT] = "--timeout",
	[OPT_DEADLINE] = "--deadline",
	[OPT_STRICT] = "--strict",
	[OPT_SANDBOX] = "--sandbox",
	[OPT_COLOR] = "--color",
	[OPT_EFFECTIVE] = "--effective",
	[OPT_QUIET] = "--quiet",
	[OPT_VERBOSE] = "--verbose",
	[OPT_VERSION] = "--version",
	[OPT_HELP] = "--help",
	[OPT_MAX] = NULL,
};

static const char *const verb_names[] = { "check",    "list", "explain", "lint",
					  "rollback", "help", "version", NULL };

static const bool takes_value[OPT_MAX] = {
	[OPT_PROFILE] = true, [OPT_ROOT] = true,    [OPT_HORIZON] = true,  [OPT_RULE] = true,
	[OPT_SKIP] = true,    [OPT_STAGE] = true,   [OPT_TAG] = true,	   [OPT_SET] = true,
	[OPT_VAR] = true,     [OPT_VARS] = true,    [OPT_REPORT] = true,   [OPT_PLUGIN_DIR] = true,
	[OPT_JOBS] = true,    [OPT_TIMEOUT] = true, [OPT_DEADLINE] = true, [OPT_COLOR] = true,
	[OPT_SANDBOX] = true, [OPT_FORMAT] = true,  [OPT_FORGET] = true,
};

static const char help[] =
	"k8scheck says whether a Linux host is ready to be a Kubernetes node, what is wrong, and "
	"where.\n"
	"\n"
	"  k8scheck --profile crio-1.18            judge this host\n"
	"  k8scheck --profile crio-1.18 --root DIR judge an image, a chroot, a mounted disk\n"
	"  k8scheck list profiles|rules|checks|plugins|facts|reports\n"
	"  k8scheck explain RULE|CHECK             what it judges, from where, why, how to mend "
	"it\n"
	"  k8scheck lint PROFILE…                  look for faults in profiles\n"
	"  k8scheck --profile P --fix              repair what failed, after it was shown and "
	"asked\n"
	"  k8scheck --profile P … -- COMMAND ARG…  run COMMAND if the gate is open; else exit 125\n"
	"  k8scheck rollback [ID]                  take the last repair back\n"
	"\n"
	"What is judged\n"
	"  --profile NAME|FILE|-   the profile; several are merged, a later one overrides\n"
	"  --root DIR              a folder that is the root of another system: its next boot "
	"alone\n"
	"  --live                  DIR (or this chroot or container) shows the running machine\n"
	"  --horizon now|boot|all  the running system, the next boot, or both (the default)\n"
	"  --rule ID, --skip ID    only these rules, or all but these; patterns with * and ?\n"
	"  --stage S, --tag T      only rules of these stages (host, runtime, kubelet, cluster), "
	"tags\n"
	"  --var NAME=VALUE        a variable of the profile; --vars FILE: several, from YAML\n"
	"  --set RULE.FIELD=VALUE  a field or parameter of a rule\n"
	"\n"
	"How\n"
	"  --timeout TIME          for one rule (10s); --deadline TIME: for the whole run (2m)\n"
	"  --jobs N                most workers that judge at a time (64)\n"
	"  --sandbox best-effort|require|off  what plugins run in (best-effort: all that can be "
	"had)\n"
	"  --plugin-dir DIR        where plugins are, instead of the installed folder\n"
	"  --strict                recommended rules count like required ones\n"
	"\n"
	"Repair\n"
	"  --dry-run               show what --fix, or rollback, would change; change nothing\n"
	"  --format text|json|ansible  the form of that plan\n"
	"  --yes                   do not ask; what weakens the host needs --allow-weaken then\n"
	"  --drained               the node runs no pods but daemon sets: what runs may be "
	"touched\n"
	"  --resume                go on with a repair that was cut off, in the same transaction\n"
	"  rollback --list, --forget ID, --force  the transactions; remove one; undo it although\n"
	"                          others have changed the same files since\n"
	"\n"
	"What is printed\n"
	"  --report FORMAT[=FILE]  text (the default), json, junit; several times for several\n"
	"  --color auto|always|never, --quiet, --verbose\n"
	"  --effective             list rules: with every field, and who set it\n"
	"  --version, --help\n"
	"\n"
	"Exit: 0 the gate is open; 1 closed, a required rule failed; 2 nothing was judged; 3 "
	"closed,\n"
	"a required rule could not be decided, or none applied; 4 a repair failed; 5 repaired, and "
	"a\n"
	"reboot is needed; 6 a report could not be written; with -- COMMAND: its own, or 125.\n"
	"See k8scheck(1), and k8scheck-profile(5) for how to write profiles.\n";

const char *kc_options_help(void)
{
	return help;
}

static int add(struct kc_list *list, const char *text, struct kc_err *err)
{
	const char **grown = realloc(list->item, (list->n + 2) * sizeof(*grown));

	if (!grown)
		return kc_err_set(err, -ENOMEM, "out of memory");
	list->item = grown;
	grown[list->n++] = text;
	grown[list->n] = NULL;
	return 0;
}

static int one_of(const char *option, const char *value, const char *const *names,
		  struct kc_err *err)
{
	const char *near = kc_nearest(value, names);
	kc_cleanup(kc_buf_done) struct kc_buf all = { 0 };
	int i = kc_enum_from_name(names, value);

	if (i > 0)
		return i;
	KC_FOREACH_STR (name, names)
		kc_buf_addf(&all, "%s%s", all.len ? ", " : "", name);
	return kc_err_set(err, -EINVAL, "%s %s: there is %s%s%s%s", option, value,
			  all.data ? all.data : "", near ? "; did you mean " : "", near ? near : "",
			  near ? "?" : "");
}

static int set_time(const char *option, const char *value, struct kc_err *err, uint64_t *to)
{
	uint64_t usec;

	if (kc_parse_duration(value, &usec) < 0 || usec == 0 || usec > 86400ull * 1000000)
		return kc_err_set(err, -EINVAL,
				  "%s %s: give a time such as 500ms, 10s or 2m, at most 24h",
				  option, value);
	*to = usec;
	return 0;
}

static int set_jobs(const char *value, struct kc_err *err, uint32_t *to)
{
	uint64_t n;

	if (kc_parse_u64(value, &n) < 0 || n == 0 || n > 1024)
		return kc_err_set(err, -EINVAL, "--jobs %s: give a number from 1 to 1024", value);
	*to = (uint32_t)n;
	return 0;
}

static int set_horizon(const char *value, struct kc_err *err, uint32_t *to)
{
	static const char *const names[] = { "now", "boot", "all", NULL };
	int i = one_of("--horizon", value, names, err);

	if (i < 0)
		return i;
	/* 1, 2 and 3 are the bits themselves. */
	*to = (uint32_t)i;
	return 0;
}

static int set_stage(struct kc_options *o, const char *value, struct kc_err *err)
{
	int i = one_of("--stage", value, kc_stage_names, err);

	return i < 0 ? i : add(&o->stages, value, err);
}

static int set_color(struct kc_options *o, const char *value, struct kc_err *err)
{
	static const char *const names[] = { "auto", "always", "never", NULL };
	int i = one_of("--color", value, names, err);

	if (i < 0)
		return i;
	o->color = (enum kc_color)(i - 1);
	return 0;
}

static int set_sandbox(struct kc_options *o, const char *value, struct kc_err *err)
{
	static const char *const names[] = { "best-effort", "require", "off", NULL };
	int i = one_of("--sandbox", value, names, err);

	if (i < 0)
		return i;
	o->sandbox = (enum kc_sandbox_policy)(i - 1);
	return 0;
}

static int set_format(struct kc_options *o, const char *value, struct kc_err *err)
{
	static const char *const names[] = { "text", "json", "ansible", NULL };
	int i = one_of("--format", value, names, err);

	if (i < 0)
		return i;
	o->format = (enum kc_plan_format)(i - 1);
	o->has_format = true;
	return 0;
}

static int set_value(struct kc_options *o, enum option option, const char *value,
		     struct kc_err *err)
{
	switch (option) {
	case OPT_PROFILE:
		return add(&o->profiles, value, err);
	case OPT_ROOT:
		o->root = value;
		return 0;
	case OPT_HORIZON:
		return set_horizon(value, err, &o->horizons);
	case OPT_RULE:
		return add(&o->rules, value, err);
	case OPT_SKIP:
		return add(&o->skips, value, err);
	case OPT_STAGE:
		return set_stage(o, value, err);
	case OPT_TAG:
		return add(&o->tags, value, err);
	case OPT_SET:
		return add(&o->sets, value, err);
	case OPT_VAR:
		return add(&o->vars, value, err);
	case OPT_VARS:
		return add(&o->var_files, value, err);
	case OPT_REPORT:
		return add(&o->reports, value, err);
	case OPT_PLUGIN_DIR:
		return add(&o->plugin_dirs, value, err);
	case OPT_JOBS:
		return set_jobs(value, err, &o->jobs);
	case OPT_TIMEOUT:
		return set_time("--timeout", value, err, &o->timeout_usec);
	case OPT_DEADLINE:
		return set_time("--deadline", value, err, &o->deadline_usec);
	case OPT_SANDBOX:
		return set_sandbox(o, value, err);
	case OPT_COLOR:
		return set_color(o, value, err);
	case OPT_FORMAT:
		return set_format(o, value, err);
	case OPT_FORGET:
		o->forget = value;
		return 0;
	default:
		return -EINVAL;
	}
}

/* The flag that an option sets; NULL for one that sets none. */
static bool *flag_of(struct kc_options *o, enum option option)
{
	switch (option) {
	case OPT_LIVE:
		return &o->live;
	case OPT_STRICT:
		return &o->strict;
	case OPT_EFFECTIVE:
		return &o->effective;
	case OPT_QUIET:
		return &o->quiet;
	case OPT_VERBOSE:
		return &o->verbose;
	case OPT_FIX:
		return &o->fix;
	case OPT_DRY_RUN:
		return &o->dry_run;
	case OPT_YES:
		return &o->yes;
	case OPT_ALLOW_WEAKEN:
		return &o->allow_weaken;
	case OPT_DRAINED:
		return &o->drained;
	case OPT_RESUME:
		return &o->resume;
	case OPT_LIST:
		return &o->list;
	case OPT_FORCE:
		return &o->force;
	default:
		return NULL;
	}
}

static void set_flag(struct kc_options *o, enum option option)
{
	bool *flag = flag_of(o, option);

	if (flag)
		*flag = true;
	else if (option == OPT_VERSION)
		o->verb = KC_VERB_VERSION;
	else if (option == OPT_HELP)
		o->verb = KC_VERB_HELP;
}

/* The option of an argument, with *ret_value behind its "=", or NULL. */
static int find_option(const char *arg, struct kc_err *err, const char **ret_value)
{
	static const struct {
		const char *name;
		enum option option;
	} letters[] = { { "-h", OPT_HELP },
			{ "-q", OPT_QUIET },
			{ "-v", OPT_VERBOSE },
			{ "-V", OPT_VERSION } };
	const char *equals = strchr(arg, '=');
	kc_cleanup(kc_freep) char *name =
		strndup(arg, equals ? (size_t)(equals - arg) : strlen(arg));
	const char *near;

	if (!name)
		return kc_err_set(err, -ENOMEM, "out of memory");
	*ret_value = equals ? equals + 1 : NULL;
	for (size_t i = 0; i < KC_ARRAY_SIZE(letters); i++) {
		if (kc_streq(arg, letters[i].name))
			return (int)letters[i].option;
	}
	for (int i = 0; i < OPT_MAX; i++) {
		if (kc_streq(name, kc_option_names[i]))
			return i;
	}
	near = kc_nearest(name, kc_option_names);
	return kc_err_set(err, -EINVAL, "unknown option %s%s%s; k8scheck --help lists all", name,
			  near ? ", did you mean " : "", near ? near : "");
}

static int parse_option(struct kc_options *o, int argc, char **argv, int *i, struct kc_err *err)
{
	const char *value = NULL;
	int option = find_option(argv[*i], err, &value);

	if (option < 0)
		return option;
	if (!takes_value[option]) {
		if (value)
			return kc_err_set(err, -EINVAL, "%s takes no value",
					  kc_option_names[option]);
		set_flag(o, (enum option)option);
		return 0;
	}
	if (!value) {
		if (*i + 1 >= argc)
			return kc_err_set(err, -EINVAL, "%s needs a value behind it",
					  kc_option_names[option]);
		value = argv[++*i];
	}
	if (!*value)
		return kc_err_set(err, -EINVAL, "%s needs a value that is not empty",
				  kc_option_names[option]);
	return set_value(o, (enum option)option, value, err);
}

static int parse_word(struct kc_options *o, const char *word, bool *verb_seen, struct kc_err *err)
{
	const char *near;
	int i;

	if (*verb_seen)
		return add(&o->words, word, err);
	i = kc_enum_from_name(verb_names, word);
	if (i < 0) {
		near = kc_nearest(word, verb_names);
		return kc_err_set(err, -EINVAL,
				  "unknown verb %s%s%s; there is list, explain, lint and rollback, "
				  "and without "
				  "a verb the host is judged by --profile NAME",
				  word, near ? ", did you mean " : "", near ? near : "");
	}
	*verb_seen = true;
	/* --help and --version win over any verb. */
	if (o->verb == KC_VERB_CHECK)
		o->verb = (enum kc_verb)i;
	return 0;
}

/* An option that would mean nothing is most likely a slip, and a dangerous one beside --yes. */
static int check_repair(const struct kc_options *o, struct kc_err *err)
{
	const bool rollback = o->verb == KC_VERB_ROLLBACK;
	const struct {
		bool given, fits;
		const char *name, *with;
	} table[] = {
		{ o->fix, !rollback, "--fix", "a profile" },
		{ o->dry_run, o->fix || rollback, "--dry-run", "--fix or rollback" },
		{ o->yes, o->fix || rollback, "--yes", "--fix or rollback" },
		{ o->drained, o->fix || rollback, "--drained", "--fix or rollback" },
		{ o->allow_weaken, o->fix, "--allow-weaken", "--fix" },
		{ o->resume, o->fix, "--resume", "--fix" },
		{ o->has_format, o->fix && o->dry_run, "--format", "--fix --dry-run" },
		{ o->list, rollback, "--list", "rollback" },
		{ o->force, rollback, "--force", "rollback" },
		{ o->forget != NULL, rollback, "--forget", "rollback" },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		if (table[i].given && !table[i].fits)
			return kc_err_set(err, -EINVAL, "%s goes with %s", table[i].name,
					  table[i].with);
	}
	if (o->forget && o->dry_run)
		return kc_err_set(err, -EINVAL,
				  "--forget removes at once: --dry-run does not go with it, "
				  "rollback --list does");
	if (rollback && (o->words.n > 1 || (o->list && o->words.n > 0) ||
			 (o->forget && (o->words.n > 0 || o->list))))
		return kc_err_set(err, -EINVAL,
				  "rollback takes one id at most, or --list, or --forget ID");
	return 0;
}

static int check_command(const struct kc_options *o, struct kc_err *err)
{
	if (!*o->command || !**o->command)
		return kc_err_set(err, -EINVAL, "-- needs a command behind it");
	if (o->dry_run)
		return kc_err_set(err, -EINVAL,
				  "--dry-run changes nothing, and so runs no command behind --");
	if (o->verb != KC_VERB_CHECK && o->verb != KC_VERB_HELP && o->verb != KC_VERB_VERSION)
		return kc_err_set(err, -EINVAL, "a command behind -- goes with a profile");
	return 0;
}

int kc_options_parse(int argc, char **argv, struct kc_err *err, struct kc_options *ret_options)
{
	struct kc_options o = {
		.verb = KC_VERB_CHECK,
		.horizons = KC_NOW | KC_BOOT,
		.timeout_usec = 10 * 1000000,
		.deadline_usec = 120 * 1000000,
		.jobs = 64,
	};
	bool verb_seen = false;
	int r = 0;

	for (int i = 1; i < argc && r >= 0; i++) {
		if (kc_streq(argv[i], "--")) {
			o.command = argv + i + 1;
			break;
		}
		if (argv[i][0] == '-' && argv[i][1])
			r = parse_option(&o, argc, argv, &i, err);
		else
			r = parse_word(&o, argv[i], &verb_seen, err);
	}
	if (r >= 0)
		r = check_repair(&o, err);
	if (r >= 0 && o.command)
		r = check_command(&o, err);
	if (r >= 0 && o.verb == KC_VERB_CHECK && o.words.n > 0)
		r = kc_err_set(err, -EINVAL,
			       "%s: nothing is expected there; profiles are given by "
			       "--profile",
			       o.words.item[0]);
	if (r < 0) {
		kc_options_done(&o);
		return r;
	}
	*ret_options = o;
	return 0;
}

void kc_options_done(struct kc_options *o)
{
	struct kc_list *const lists[] = {
		&o->profiles, &o->var_files, &o->vars,	  &o->sets,	   &o->rules, &o->skips,
		&o->stages,   &o->tags,	     &o->reports, &o->plugin_dirs, &o->words,
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(lists); i++) {
		free(lists[i]->item);
		*lists[i] = (struct kc_list){ 0 };
	}
}
