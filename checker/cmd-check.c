/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "check.h"
#include "model/mask.h"
#include "reports/value.h"
#include "select.h"
#include "surroundings.h"

static void warn(struct kc_check_run *c, const char *text)
{
	if (text && c->warnings)
		c->warnings[c->n_warnings++] = text;
}

/* ---- reports ---- */

static int want(struct kc_check_run *c, const char *text, struct kc_wanted *w)
{
	const struct kc_report_formats formats = kc_command_formats(c->command);
	struct kc_err err = { 0 };
	int r;

	r = kc_report_spec_parse(text, &err, &w->spec);
	if (r >= 0)
		r = kc_report_format_find(&formats, w->spec.format, &err, &w->format);
	if (r < 0)
		return kc_complain(KC_EXIT_USAGE, "--report %s: %s", text, err.text);
	r = kc_report_output_open(&w->spec, &err, &w->output);
	if (r < 0)
		return kc_complain(KC_EXIT_REPORT_FAILED, "%s; nothing was judged yet", err.text);
	return 0;
}

/* The later report would replace the earlier one, without a word. */
static int refuse_same(const struct kc_check_run *c)
{
	const struct kc_wanted *last = c->wanted + c->n_wanted - 1;

	for (const struct kc_wanted *w = c->wanted; w < last; w++) {
		const char *path = last->spec.path ? last->spec.path : w->spec.path;

		if (path && kc_report_output_same(w->output, last->output))
			return kc_complain(KC_EXIT_USAGE,
					   "two reports go to %s (%s and %s); give each a file of "
					   "its own",
					   path, w->spec.format, last->spec.format);
	}
	return 0;
}

static int want_all(struct kc_check_run *c)
{
	static const char *const text[] = { "text", NULL }, *const none[] = { NULL };
	/* The plan of a dry run stands where the report would. */
	const char *const *by_default = c->options->dry_run ? none : text;
	const char *const *specs = c->options->reports.n ? c->options->reports.item : by_default;
	unsigned on_stdout = 0;

	c->wanted = kc_arena_zalloc(c->arena, kc_strv_len(specs) + 1, sizeof(*c->wanted));
	if (!c->wanted)
		return kc_complain(KC_EXIT_USAGE, "out of memory");
	KC_FOREACH_STR (spec, specs) {
		int r = want(c, spec, c->wanted + c->n_wanted);

		c->n_wanted++;
		if (!r)
			r = refuse_same(c);
		if (r)
			return r;
		on_stdout += !c->wanted[c->n_wanted - 1].spec.path;
	}
	if (c->options->dry_run && on_stdout > 0)
		return kc_complain(
			KC_EXIT_USAGE,
			"with --dry-run the plan goes to standard output; give the report a "
			"file, as in --report json=FILE");
	if (on_stdout > 1)
		return kc_complain(
			KC_EXIT_USAGE,
			"only one report can go to standard output; give the others a file, "
			"as in --report json=FILE");
	return 0;
}

static bool use_color(const struct kc_check_run *c, int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	switch (c->options->color) {
	case KC_COLOR_ALWAYS:
		return true;
	case KC_COLOR_NEVER:
		return false;
	default:
		/* no-color.org: any value but an empty one */
		return fd >= 0 && isatty(fd) && !(no_color && *no_color) &&
		       !(term && kc_streq(term, "dumb"));
	}
}

static uint32_t terminal_columns(int fd)
{
	struct winsize size;

	if (fd < 0 || !isatty(fd) || ioctl(fd, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col;
}

struct kc_report_style kc_check_style(const struct kc_check_run *c, int fd)
{
	return (struct kc_report_style){
		.color = use_color(c, fd),
		.quiet = c->options->quiet,
		.verbose = c->options->verbose,
		.columns = terminal_columns(fd),
	};
}

bool kc_check_owns_stdout(const struct kc_check_run *c)
{
	for (size_t i = 0; i < c->n_wanted; i++) {
		if (!c->wanted[i].spec.path && !kc_streq(c->wanted[i].format->name, "text"))
			return true;
	}
	return false;
}

static bool write_one(struct kc_check_run *c, struct kc_wanted *w, const struct kc_report *report)
{
	const struct kc_report_style style = kc_check_style(c, kc_report_output_fd(w->output));
	struct kc_err err = { 0 };
	int r;

	r = kc_report_output_write(w->output, w->format->write, report, &style, &err);
	if (r >= 0)
		r = kc_report_output_commit(w->output, &err);
	if (r < 0)
		(void)kc_complain(0, "%s", err.text);
	return r >= 0;
}

/* Files first: whoever reads from a pipe may let it wait. */
static bool write_reports(struct kc_check_run *c, const struct kc_report *report)
{
	bool written = true;

	for (unsigned turn = 0; turn < 2; turn++) {
		for (struct kc_wanted *w = c->wanted; w < c->wanted + c->n_wanted; w++) {
			if ((kc_report_output_fd(w->output) >= 0) == (turn == 1))
				written = write_one(c, w, report) && written;
		}
	}
	return written;
}

/* ---- plugins ---- */

static bool is_needed(const struct kc_check_run *c, const char *name)
{
	for (uint32_t i = 0; i < c->profile->n_rules; i++) {
		const struct kc_rule *rule = c->profile->rules + i;

		if (rule->selected && kc_streq(rule->plugin->name, name))
			return true;
	}
	return false;
}

static bool take_early(struct kc_check_run *c, const struct kc_manifest *manifest)
{
	for (size_t i = 0; i < c->n_early; i++) {
		if (c->early[i].manifest == manifest) {
			c->plugins[c->n_plugins++] = c->early[i];
			c->early[i] = c->early[--c->n_early];
			return true;
		}
	}
	return false;
}

static void open_plugin(struct kc_check_run *c, const struct kc_manifest *manifest, int *worst)
{
	struct kc_err err = { 0 };

	if (take_early(c, manifest))
		return;
	if (kc_plugin_file_open(manifest, &c->folder, &err, c->plugins + c->n_plugins) < 0)
		*worst = kc_complain(KC_EXIT_USAGE, "plugin %s is refused: %s", manifest->name,
				     err.text);
	else
		c->n_plugins++;
}

/* The manifest that the profile has read already, or NULL. */
static const struct kc_manifest *of_profile(const struct kc_check_run *c, const char *name)
{
	for (uint32_t i = 0; i < c->profile->n_plugins; i++) {
		if (kc_streq(c->profile->plugins[i]->name, name))
			return c->profile->plugins[i];
	}
	return NULL;
}

static void open_gatherers(struct kc_check_run *c, const char *const *names, int *worst)
{
	struct kc_manifest_cache cache = { .folder = &c->folder, .brief = true };
	struct kc_err err = { 0 };

	for (const struct kc_manifest *const *m = c->profile->gatherers; m && *m; m++) {
		if (!is_needed(c, (*m)->name) && c->n_plugins < c->max_plugins)
			open_plugin(c, *m, worst);
	}
	if (c->profile->gatherers)
		return;
	KC_FOREACH_STR (name, names) {
		const struct kc_manifest *manifest = of_profile(c, name);

		if (is_needed(c, name) ||
		    (!manifest &&
		     !kc_manifest_may_gather(c->command->paths.plugins, name, &cache, c->arena)))
			continue;
		if (!manifest && kc_manifest_load(c->command->paths.plugins, name, &cache, c->arena,
						  &err, &manifest) < 0) {
			*worst = kc_complain(KC_EXIT_USAGE, "%s", err.text);
			continue;
		}
		if (manifest->n_facts > 0 && c->n_plugins < c->max_plugins)
			open_plugin(c, manifest, worst);
	}
}

static bool selects(const struct kc_options *o)
{
	return o->rules.n > 0 || o->skips.n > 0 || o->stages.n > 0 || o->tags.n > 0;
}

/* What goes wrong here is told when all plugins are opened. */
static void load_early(struct kc_check_run *c, const struct kc_manifest *plugin)
{
	struct kc_plugin_file file;
	void *grown;

	grown = kc_arena_grow(c->arena, c->early, c->n_early, &c->early_room, sizeof(*c->early));
	if (!grown)
		return;
	c->early = grown;
	if (kc_plugin_file_open(plugin, &c->folder, NULL, &file) < 0)
		return;
	c->early[c->n_early++] = file;
	(void)kc_crew_expect(&c->crew, &file);
}

/*
 * While the rest of the profile is read, a worker loads the plugin, in the sandbox that it would be
 * loaded in anyway, and the broker gets ready for what will be asked.
 */
static void on_need(void *context, const struct kc_manifest *plugin, const struct kc_rule *rule,
		    bool first)
{
	struct kc_check_run *c = context;

	if (selects(c->options))
		return;
	if (first)
		load_early(c, plugin);
	if (!c->asks_bus && rule && rule->check->asks_bus &&
	    (kc_config_horizons(&c->config, rule) & KC_NOW)) {
		kc_broker_expect_bus(&c->crew.broker);
		c->asks_bus = true;
	}
}

/* Those whose rules are selected, and those that gather facts, which reports carry. */
static int open_plugins(struct kc_check_run *c)
{
	const char *const *names;
	struct kc_err err = { 0 };
	int worst = 0;

	if (kc_profile_names(c->command->paths.plugins, c->arena, &err, &names) < 0)
		return kc_complain(KC_EXIT_USAGE, "%s", err.text);
	c->max_plugins = c->profile->n_plugins + (uint32_t)kc_strv_len(names);
	c->plugins = kc_arena_zalloc(c->arena, c->max_plugins + 1, sizeof(*c->plugins));
	if (!c->plugins)
		return kc_complain(KC_EXIT_USAGE, "out of memory");
	for (uint32_t i = 0; i < c->profile->n_plugins; i++) {
		if (is_needed(c, c->profile->plugins[i]->name))
			open_plugin(c, c->profile->plugins[i], &worst);
	}
	open_gatherers(c, names, &worst);
	return worst;
}

/* ---- the run ---- */

static int refuse_programs(const struct kc_check_run *c)
{
	int worst = 0;

	for (uint32_t i = 0; i < c->profile->n_rules; i++) {
		const struct kc_rule *rule = c->profile->rules + i;

		if (rule->selected && rule->runs_untrusted &&
		    (rule->check->flags & KC_CHECK_RUNS_PROGRAM))
			worst = kc_complain(
				KC_EXIT_USAGE,
				"rule %s runs a program, and its profile can be written by "
				"others than root; that is refused",
				rule->id);
	}
	return worst;
}

static void clear_progress(struct kc_check_run *c)
{
	if (c->progress_shown)
		(void)fputs("\r\033[K", stderr);
	c->progress_shown = false;
}

static void on_progress(void *context, uint32_t done, uint32_t all, const char *running)
{
	struct kc_check_run *c = context;

	(void)fprintf(stderr, "\r\033[K%u of %u rules judged%s%.60s", done, all,
		      running ? ", now " : "", running ? running : "");
	(void)fflush(stderr);
	c->progress_shown = true;
}

/* A line that is written over: only where it can be. */
static bool shows_progress(const struct kc_check_run *c)
{
	const char *term = getenv("TERM");

	return !c->options->quiet && isatty(STDERR_FILENO) && !(term && kc_streq(term, "dumb"));
}

static void on_log(void *context, uint32_t level, const char *plugin, const char *text)
{
	kc_cleanup(kc_buf_done) struct kc_buf masked = { 0 }, safe = { 0 };
	struct kc_check_run *c = context;

	(void)kc_mask(&masked, text, strlen(text));
	if (kc_buf_error(&masked) >= 0)
		kc_value_add(&safe, masked.data, KC_MESSAGE_MAX);
	if (kc_buf_error(&masked) < 0 || kc_buf_error(&safe) < 0)
		return;
	clear_progress(c);
	(void)fprintf(stderr, "k8scheck: %s: %s\n", plugin, safe.data ? safe.data : "");
}

/*
 * A folder that holds no system, such as a mount point without its disk, would fulfil every rule
 * that asks for something not to be there.
 */
static int refuse_empty_root(const char *path)
{
	static const char *const marks[] = { "etc", "usr" };
	kc_cleanup(kc_closep) int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	for (size_t i = 0; i < KC_ARRAY_SIZE(marks); i++) {
		/* What is wrong with the folder itself is said by who opens it. */
		if (dir < 0 || fstatat(dir, marks[i], &st, AT_SYMLINK_NOFOLLOW) == 0 ||
		    errno != ENOENT)
			return 0;
	}
	return kc_complain(KC_EXIT_USAGE,
			   "%s: holds no system, neither etc nor usr; mount it first, or name its "
			   "top folder; nothing was judged",
			   path);
}

/* Verdicts of who may not see everything are worth less; each says so, and the run as well. */
static void warn_of_user(struct kc_check_run *c)
{
	if (geteuid() != 0)
		warn(c, kc_arena_printf(c->arena,
					"k8scheck runs as user %u, not as root: what this user may "
					"not see could not be decided; run it as root",
					(unsigned)geteuid()));
}

static void configure(struct kc_check_run *c)
{
	const struct kc_options *o = c->options;
	const char *foreign = NULL;
	bool live = true;

	if (o->root) {
		live = o->live;
		foreign = kc_arena_printf(
			c->arena, "%s is looked at offline (--root), where nothing runs", o->root);
	} else if (!o->live) {
		foreign = kc_surroundings_foreign();
		live = !foreign;
	}
	c->config = (struct kc_run_config){
		.root = o->root ? o->root : "/",
		.live = live,
		.horizons = o->horizons,
		.offline_reason = foreign,
		.timeout_usec = o->timeout_usec,
		.deadline_usec = o->deadline_usec,
		.jobs = o->jobs,
		.sandbox = o->sandbox,
		.door_dirs = c->command->paths.doors,
	};
}

static const struct kc_report_format *who_digests(const struct kc_check_run *c)
{
	for (size_t i = 0; i < c->n_wanted; i++) {
		if (c->wanted[i].format->sha256)
			return c->wanted[i].format;
	}
	return NULL;
}

static int digest_sources(const struct kc_check_run *c, const struct kc_report_format *format,
			  const char *const **ret_digests)
{
	uint32_t n = c->profile->n_sources;
	const char **digests = kc_arena_zalloc(c->arena, (size_t)n + 1, sizeof(*digests));

	if (!digests)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		const struct kc_source *source = c->profile->sources + i;
		char *hex;

		if (!source->text)
			continue;
		hex = kc_arena_zalloc(c->arena, 1, 65);
		if (!hex)
			return -ENOMEM;
		format->sha256(source->text, source->size, hex);
		digests[i] = hex;
	}
	*ret_digests = digests;
	return 0;
}

static int make_report(struct kc_check_run *c, const struct kc_outcome *outcome, uint64_t started,
		       uint64_t duration, struct kc_report *ret_report)
{
	static const char *const nothing[] = { NULL };
	const struct kc_report_format *format = who_digests(c);
	struct kc_report_plugin *plugins =
		kc_arena_zalloc(c->arena, c->n_plugins + 1, sizeof(*plugins));
	struct kc_report report = {
		.profile = c->profile,
		.plugins = plugins,
		.n_plugins = c->n_plugins,
		.facts = outcome->facts,
		.n_facts = outcome->n_facts,
		.results = outcome->results,
		.n_results = outcome->n_results,
		.run = {
			.version = KC_VERSION,
			.started_usec = started,
			.duration_usec = duration,
			.facts_usec = outcome->facts_usec,
			.programs_run = outcome->programs_run,
			.programs_usec = outcome->programs_usec,
			.horizons = c->options->horizons,
			.strict = c->options->strict,
			.uid = geteuid(),
			.sandbox = outcome->sandbox.layers ? outcome->sandbox.layers : nothing,
			.sandbox_missing =
				outcome->sandbox.missing ? outcome->sandbox.missing : nothing,
			.warnings = c->warnings,
		},
	};

	if (!plugins || (format && digest_sources(c, format, &report.source_digests) < 0))
		return -ENOMEM;
	for (uint32_t i = 0; i < c->n_plugins; i++) {
		char *sha256 = NULL;

		if (format) {
			sha256 = kc_arena_zalloc(c->arena, 1, 65);
			if (!sha256 ||
			    kc_plugin_file_hash(c->plugins + i, format->sha256, NULL, sha256) < 0)
				return -ENOMEM;
		}
		plugins[i] = (struct kc_report_plugin){
			.name = c->plugins[i].manifest->name,
			.version = c->plugins[i].manifest->version,
			.path = c->plugins[i].path,
			.sha256 = sha256,
			.size = c->plugins[i].size,
		};
	}
	kc_surroundings_host(c->config.root, c->config.live, outcome->facts, outcome->n_facts,
			     format ? format->sha256 : NULL, c->arena, &report.host);
	*ret_report = report;
	return 0;
}

static void take_warnings(struct kc_check_run *c, const struct kc_outcome *outcome)
{
	KC_FOREACH_STR (text, outcome->warnings) {
		const char **grown = kc_arena_zalloc(c->arena, c->n_warnings + 2, sizeof(*grown));

		if (!grown || kc_strv_has(c->warnings, text))
			continue;
		memcpy(grown, c->warnings, c->n_warnings * sizeof(*grown));
		c->warnings = grown;
		warn(c, text);
	}
}

static int run_once(struct kc_check_run *c, struct kc_err *err, struct kc_outcome *ret_outcome)
{
	const struct kc_run_watch watch = {
		.context = c,
		.progress = shows_progress(c) ? on_progress : NULL,
		.log = c->options->verbose ? on_log : NULL,
	};
	int r = kc_run_rules(&c->crew, &watch, c->arena, err, ret_outcome);

	clear_progress(c);
	if (r == 0)
		take_warnings(c, ret_outcome);
	return r;
}

int kc_check_again(struct kc_check_run *c, bool planning, struct kc_err *err,
		   struct kc_outcome *ret_outcome)
{
	int r;

	kc_crew_done(&c->crew);
	c->config.planning = planning;
	r = kc_crew_start(&c->crew, &c->config, err);
	return r < 0 ? r : run_once(c, err, ret_outcome);
}

static int judge(struct kc_check_run *c)
{
	uint64_t started = kc_realtime_usec(), start = kc_now_usec();
	struct kc_report_repair repair = { 0 };
	struct kc_outcome outcome = { 0 };
	struct kc_report report;
	struct kc_err err = { 0 };
	bool written;
	int r;

	r = run_once(c, &err, &outcome);
	if (r < 0)
		return kc_complain(KC_EXIT_USAGE, "%s; nothing was judged", err.text);
	if (c->options->fix) {
		r = kc_check_fix(c, &outcome, &repair);
		if (r) {
			kc_run_wait(&outcome);
			return r;
		}
	}
	if (make_report(c, &outcome, started, kc_now_usec() - start, &report) < 0) {
		kc_run_wait(&outcome);
		return kc_complain(KC_EXIT_REPORT_FAILED, "out of memory for the report");
	}
	report.repair = repair;
	kc_report_conclude(&report);
	written = write_reports(c, &report);
	kc_run_wait(&outcome);
	return written ? (int)report.summary.exit_code : KC_EXIT_REPORT_FAILED;
}

static int read_profile(struct kc_check_run *c)
{
	struct kc_err err = { 0 };

	c->profile = kc_command_profile(c->command, on_need, c);
	if (!c->profile)
		return KC_EXIT_USAGE;
	c->config.profile = c->profile;
	c->warnings = kc_arena_zalloc(c->arena, c->profile->n_sources + 3, sizeof(*c->warnings));
	for (uint32_t i = 0; i < c->profile->n_sources; i++)
		warn(c, c->profile->sources[i].warning);
	if (!c->options->root)
		warn(c, c->config.offline_reason);
	warn_of_user(c);
	if (kc_select(c->profile, c->options, &err) < 0)
		return kc_complain(KC_EXIT_USAGE, "%s", err.text);
	return 0;
}

static int prepare(struct kc_check_run *c)
{
	struct kc_err err = { 0 };
	int r;

	/* Files are looked at first and opened through their descriptor then. */
	if (access("/proc/self/fd", X_OK) < 0)
		return kc_complain(KC_EXIT_USAGE,
				   "/proc is not mounted here, and nothing can be judged without "
				   "it; mount it (mount -t proc proc /proc), or judge this system "
				   "from outside by --root");
	r = c->options->root && !c->options->live ? refuse_empty_root(c->options->root) : 0;
	if (r)
		return r;
	configure(c);
	/* Workers are made ready while the profile is read. */
	if (kc_crew_start(&c->crew, &c->config, &err) < 0)
		return kc_complain(KC_EXIT_USAGE, "%s; nothing was judged", err.text);
	r = read_profile(c);
	if (r == 0)
		r = refuse_programs(c);
	if (r == 0)
		r = open_plugins(c);
	c->config.plugins = c->plugins;
	c->config.n_plugins = c->n_plugins;
	if (r == 0)
		r = want_all(c);
	return r;
}

int kc_command_check(const struct kc_command *command)
{
	struct kc_check_run c = {
		.command = command,
		.options = command->options,
		.arena = command->arena,
	};
	int r;

	r = prepare(&c);
	if (r == 0)
		r = judge(&c);
	kc_crew_done(&c.crew);
	kc_trust_folder_done(&c.folder);
	for (size_t i = 0; i < c.n_wanted; i++) {
		kc_report_output_free(c.wanted[i].output);
		kc_report_spec_done(&c.wanted[i].spec);
	}
	for (uint32_t i = 0; i < c.n_plugins; i++)
		kc_plugin_file_done(c.plugins + i);
	for (size_t i = 0; i < c.n_early; i++)
		kc_plugin_file_done(c.early + i);
	return r;
}
