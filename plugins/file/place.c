/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

enum {
	STEPS_MAX = 64, /* folders up, and links that lead nowhere */
};

/* Whether a running system makes the file, at every start anew. */
static bool is_run_time(const char *path)
{
	static const char *const tops[] = { "/dev", "/proc", "/run", "/sys", NULL };

	KC_FOREACH_STR (top, tops) {
		const char *rest = kc_after_prefix(path, top);

		if (rest && (*rest == '\0' || *rest == '/'))
			return true;
	}
	return false;
}

static const char *parent(const struct file_place *place, const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	while (n > 0 && path[n - 1] != '/')
		n--;
	while (n > 1 && path[n - 1] == '/')
		n--;
	return n > 0 ? kc_text(place->host, place->run, "%.*s", (int)n, path) : "/";
}

/* Where a link leads that cannot be followed to its end; NULL when the path is none. */
static const char *link_target(const struct file_place *place, const char *path)
{
	const char *target;

	if (kc_read_link(place->host, place->run, path, &target) < 0)
		return NULL;
	if (*target == '/')
		return target;
	return kc_text(place->host, place->run, "%s/%s", parent(place, path), target);
}

/* The nearest folder that is there, of a file that is not. */
static const char *nearest(const struct file_place *place, const char *path)
{
	const char *resolved = path;

	for (unsigned i = 0; i < STEPS_MAX && !kc_streq(path, "/"); i++) {
		const char *target;
		int r = kc_resolve(place->host, place->run, path, &resolved);

		if (r == 0)
			return resolved;
		if (!file_is_absent(r))
			break;
		target = link_target(place, path);
		path = target ? target : parent(place, path);
	}
	return path;
}

static void find_source(struct file_place *place, bool follow)
{
	const char *resolved;

	if (!follow) {
		place->horizon =
			is_run_time(nearest(place, parent(place, place->path))) ? KC_NOW : KC_BOOT;
		return;
	}
	if (kc_resolve(place->host, place->run, place->path, &resolved) == 0)
		place->source = resolved;
	else
		resolved = nearest(place, place->path);
	place->horizon = is_run_time(resolved) ? KC_NOW : KC_BOOT;
}

static int report_relative(const struct file_place *place, uint32_t horizons)
{
	int r = 0;

	for (uint32_t horizon = KC_NOW; r == 0 && horizon <= KC_BOOT; horizon <<= 1)
		if (horizons & horizon)
			r = kc_report(place->host, place->run, horizon, KC_ERROR, place->path, NULL,
				      NULL, NULL,
				      "The rule's path must be absolute: it begins with \"/\".");
	return r;
}

int file_place_locate(const struct kc_host *host, struct kc_run *run, const char *path, bool follow,
		      struct file_place *ret_place)
{
	struct file_place place = { .host = host, .run = run, .path = path, .source = path };

	if (*path == '/') {
		find_source(&place, follow);
		place.judged = kc_horizons(host, run) & place.horizon;
	}
	*ret_place = place;
	return 0;
}

int file_place_find(const struct kc_host *host, struct kc_run *run, const char *path, bool follow,
		    struct file_place *ret_place)
{
	struct file_place place;
	uint32_t horizons = kc_horizons(host, run);
	int r = file_place_locate(host, run, path, follow, &place);

	if (!r && *path != '/')
		r = report_relative(&place, horizons);
	else if (!r && (horizons & ~place.horizon))
		r = kc_report_skip(host, run, place.horizon == KC_NOW ? KC_BOOT : KC_NOW, path,
				   place.horizon == KC_NOW ? "run-time" : "on-disk", NULL);
	*ret_place = place;
	return r;
}

int file_report(const struct file_place *place, uint32_t verdict, const char *expected,
		const char *found, const char *message)
{
	return kc_report(place->host, place->run, place->horizon, verdict, place->path, expected,
			 found, place->source, message);
}

int file_report_error(const struct file_place *place)
{
	return kc_report_error(place->host, place->run, place->horizon, place->path, place->source);
}

bool file_is_absent(int code)
{
	return code == -ENOENT || code == -ENOTDIR;
}

/* Why a name that a folder lists leads to nothing. */
static const char *explain_absence(const struct file_place *place)
{
	const char *target;

	if (kc_read_link(place->host, place->run, place->path, &target) < 0)
		return NULL;
	return kc_text(place->host, place->run, "It is a link to %s, which leads to nothing.",
		       target);
}

int file_report_absent(const struct file_place *place, const char *expected)
{
	const char *missing;
	int r = kc_param_string(place->host, place->run, "missing", &missing);

	if (r)
		return r;
	if (kc_streq(missing, "skip"))
		return kc_report_skip(place->host, place->run, place->horizon, place->path,
				      "not-there", NULL);
	return file_report(place, kc_streq(missing, "pass") ? KC_PASS : KC_FAIL, expected,
			   "not there", explain_absence(place));
}
