/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
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
	if (kc_check_make_report(c, &outcome, started, kc_now_usec() - start, &report) < 0) {
		kc_run_wait(&outcome);
		return kc_complain(KC_EXIT_REPORT_FAILED, "out of memory for the report");
	}
	report.repair = repair;
	kc_report_conclude(&report);
	written = kc_check_write_reports(c, &report);
	kc_run_wait(&outcome);
	return written ? (int)report.summary.exit_code : KC_EXIT_REPORT_FAILED;
}

static int read_profile(struct kc_check_run *c)
{
	struct kc_err err = { 0 };

	c->profile = kc_command_profile(c->command, kc_check_on_need, c);
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
		r = kc_check_open_plugins(c);
	c->config.plugins = c->plugins;
	c->config.n_plugins = c->n_plugins;
	if (r == 0)
		r = kc_check_want_reports(c);
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
	kc_check_reports_done(&c);
	kc_check_plugins_done(&c);
	return r;
}
