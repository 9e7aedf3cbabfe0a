/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "check.h"
#include "surroundings.h"

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

int kc_check_want_reports(struct kc_check_run *c)
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
bool kc_check_write_reports(struct kc_check_run *c, const struct kc_report *report)
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

int kc_check_make_report(struct kc_check_run *c, const struct kc_outcome *outcome, uint64_t started,
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

void kc_check_reports_done(struct kc_check_run *c)
{
	for (size_t i = 0; i < c->n_wanted; i++) {
		kc_report_output_free(c->wanted[i].output);
		kc_report_spec_done(&c->wanted[i].spec);
	}
}
