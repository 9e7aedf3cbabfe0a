/* SPDX-License-Identifier: Apache-2.0 */
#include "host-descriptor.h"
#include "host.h"
#include "mounts.h"
#include "space.h"

enum {
	PATH_LENGTH_MAX = 4096,
};

/* One thing that a rule asks of the file system. */
static const struct measure {
	enum host_measure measure;
	const char *parameter, *what;
	int64_t max;
	bool inodes, percent;
} measures[HOST_MEASURES] = {
	{ HOST_SIZE, "at-least", "size", INT64_MAX, false, false },
	{ HOST_FREE, "free", "free space", INT64_MAX, false, false },
	{ HOST_FREE_PERCENT, "free-percent", "free space", 100, false, true },
	{ HOST_INODES_FREE, "inodes-free", "free inodes", INT64_MAX, true, false },
	{ HOST_INODES_FREE_PERCENT, "inodes-free-percent", "free inodes", 100, true, true },
};

struct place {
	const char *path; /* as the rule has it */
	const char *existing; /* the path, or the nearest folder above it that is there */
	const char *source;
	const char *note; /* a sentence, or NULL */
	struct kc_filesystem figures;
};

struct wanted {
	bool asked[HOST_MEASURES];
	uint64_t value[HOST_MEASURES];
	unsigned tolerance;
};

static int report_place(const struct host_rule *rule, const char *path, const char *message)
{
	return kc_report(rule->host, rule->run, KC_NOW, KC_ERROR, path, NULL, NULL, NULL, message);
}

/* With a slash at its end a link would be followed, and be taken for a missing folder. */
static void cut_slashes(char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	path[n] = 0;
}

static void cut_component(char *path)
{
	strrchr(path, '/')[1] = 0;
	cut_slashes(path);
}

/*
 * The figures behind the path, or the nearest folder above it. A link that leads nowhere is no
 * missing folder: what it leads to will lie elsewhere. 1: it has been reported.
 */
static int find_figures(const struct host_rule *rule, struct place *place)
{
	char *path = kc_arena_strdup(rule->arena, place->path);

	if (!path)
		return -ENOMEM;
	cut_slashes(path);
	place->path = kc_text(rule->host, rule->run, "%s", path);
	for (;;) {
		struct kc_stat st = { .size_of = sizeof(st) };
		int r;

		place->figures = (struct kc_filesystem){ .size_of = sizeof(place->figures) };
		r = kc_filesystem(rule->host, rule->run, path, &place->figures);
		if (r == 0) {
			place->existing = path;
			return 0;
		}
		if (r != -ENOENT || kc_streq(path, "/")) {
			r = kc_report_error(rule->host, rule->run, KC_NOW, place->path, path);
			return r < 0 ? r : 1;
		}
		if (kc_stat(rule->host, rule->run, path, KC_NOFOLLOW, &st) == 0) {
			r = report_place(rule, place->path,
					 kc_text(rule->host, rule->run,
						 "%s is a link that leads nowhere: which file "
						 "system will be behind it cannot be seen.",
						 path));
			return r < 0 ? r : 1;
		}
		cut_component(path);
	}
}

/* Where the figures are from: path, mount and device. Which mount that is decides nothing. */
static int describe(const struct host_rule *rule, struct place *place)
{
	const char *resolved, *above = "";
	struct host_mount mount;
	struct kc_bytes mountinfo;
	int r;

	if (!kc_streq(place->existing, place->path)) {
		above = kc_text(rule->host, rule->run, ", which stands for %s", place->path);
		place->note = kc_text(rule->host, rule->run,
				      "There is no %s yet: %s, the nearest folder above it, "
				      "decides.",
				      place->path, place->existing);
	}
	place->source = kc_text(rule->host, rule->run, "statfs of %s%s", place->existing, above);
	r = kc_resolve(rule->host, rule->run, place->existing, &resolved);
	if (!r)
		r = kc_mountinfo(rule->host, rule->run, &mountinfo);
	if (!r)
		r = host_mount_find(mountinfo.data, mountinfo.size, resolved, rule->arena, &mount);
	if (r == -ENOMEM)
		return r;
	if (!r)
		place->source = kc_text(rule->host, rule->run, "%s; %s on %s, %s", place->source,
					mount.source, mount.point, mount.type);
	return 0;
}

static const char *amount(const struct host_rule *rule, const struct measure *m, uint64_t n)
{
	return m->inodes ? kc_text(rule->host, rule->run, "%llu", (unsigned long long)n)
			 : host_size_text(rule, n, HOST_DOWN);
}

static const char *expected_text(const struct host_rule *rule, const struct measure *m,
				 const struct wanted *wanted, uint64_t least)
{
	const uint64_t value = wanted->value[m->measure];
	const char *text;

	if (m->percent || m->inodes)
		return kc_text(rule->host, rule->run, "at least %llu%s", (unsigned long long)value,
			       m->percent ? " %" : "");
	text = host_wanted_text(rule, value);
	if (least < value)
		return kc_text(rule->host, rule->run, "at least %s, less %u %%: %s", text,
			       wanted->tolerance, host_size_text(rule, least, HOST_UP));
	return kc_text(rule->host, rule->run, "at least %s", text);
}

static const char *found_text(const struct host_rule *rule, const struct measure *m,
			      const struct kc_filesystem *figures)
{
	const uint64_t whole = m->inodes ? figures->inodes : figures->bytes;
	const uint64_t part = m->inodes ? figures->inodes_free : figures->bytes_available;

	if (m->measure == HOST_SIZE)
		return host_size_text(rule, whole, HOST_DOWN);
	if (!m->percent)
		return amount(rule, m, part);
	return kc_text(rule->host, rule->run, "%u %% (%s of %s)", host_percent_of(part, whole),
		       amount(rule, m, part), amount(rule, m, whole));
}

/* A file system that makes inodes as it needs them has none to run out of; one without a size says
 * nothing. */
static int report_uncounted(const struct host_rule *rule, const struct measure *m,
			    const struct place *place, const char *expected)
{
	const char *message = m->inodes ? "This file system makes inodes as it needs them: they "
					  "run out with its space alone."
					: "This file system does not say how large it is.";

	if (place->note)
		message = kc_text(rule->host, rule->run, "%s %s", message, place->note);
	return kc_report(rule->host, rule->run, KC_NOW, m->inodes ? KC_PASS : KC_ERROR,
			 kc_text(rule->host, rule->run, "%s of %s", m->what, place->path), expected,
			 m->inodes ? "no fixed number of inodes" : NULL, place->source, message);
}

static int judge(const struct host_rule *rule, const struct measure *m, const struct wanted *wanted,
		 const struct place *place)
{
	uint64_t least = wanted->value[m->measure];
	const char *expected;
	int met;

	if (m->measure == HOST_SIZE)
		least -= host_share(least, wanted->tolerance);
	expected = expected_text(rule, m, wanted, least);
	met = host_space_meets(&place->figures, m->measure, least);
	if (met < 0)
		return report_uncounted(rule, m, place, expected);
	return kc_report(rule->host, rule->run, KC_NOW, met ? KC_PASS : KC_FAIL,
			 kc_text(rule->host, rule->run, "%s of %s", m->what, place->path), expected,
			 found_text(rule, m, &place->figures), place->source, place->note);
}

/* 1: it asks for nothing. */
static int read_wanted(const struct host_rule *rule, struct wanted *ret_wanted)
{
	struct wanted wanted = { 0 };
	uint64_t tolerance;
	bool any = false;
	int r;

	r = host_param(rule, "tolerance-percent", 0, 99, &tolerance);
	if (r < 0)
		return r;
	wanted.tolerance = (unsigned)tolerance;
	for (size_t i = 0; i < HOST_MEASURES; i++) {
		r = host_param(rule, measures[i].parameter, 1, measures[i].max, &wanted.value[i]);
		if (r < 0 && r != -ENOENT)
			return r;
		wanted.asked[i] = r == 0;
		any = any || r == 0;
	}
	*ret_wanted = wanted;
	return any ? 0 : 1;
}

int host_filesystem_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = HOST_RULE_MEMORY_MAX };
	const struct host_rule rule = { .host = host, .run = run, .arena = &arena };
	struct place place = { 0 };
	struct wanted wanted;
	int r;

	r = kc_param_string(host, run, "path", &place.path);
	if (r < 0)
		return r;
	r = read_wanted(&rule, &wanted);
	if (r < 0)
		return host_judged(r);
	if (r > 0)
		return host_report_rule(&rule, "The rule asks for nothing: give it at-least, free, "
					       "free-percent, inodes-free or inodes-free-percent.");
	if (place.path[0] != '/' || strlen(place.path) >= PATH_LENGTH_MAX)
		return report_place(&rule, place.path, "The path must begin with a slash.");
	r = find_figures(&rule, &place);
	if (!r)
		r = describe(&rule, &place);
	if (r != 0)
		return r < 0 ? r : 0;
	for (size_t i = 0; r == 0 && i < HOST_MEASURES; i++) {
		if (wanted.asked[i])
			r = judge(&rule, &measures[i], &wanted, &place);
	}
	return r;
}
