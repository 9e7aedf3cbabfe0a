/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A plugin for tests: shows what plugins get to see of a host, leaves a trace when it runs, and
 * runs the program that a rule names.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe-descriptor.h"

enum {
	FILE_MAX = 4 * 1024 * 1024,
	NAMES_SHOWN = 20,
	ARGUMENTS_MAX = 16
};

struct probe {
	const struct kc_host *host;
	struct kc_run *run;
	uint32_t horizon;
	const char *path;
};

static int say(const struct probe *p, uint32_t verdict, const char *way, const char *found)
{
	const struct kc_finding finding = {
		.size = sizeof(finding),
		.verdict = verdict,
		.horizon = p->horizon,
		.subject = way,
		.found = verdict == KC_ERROR ? NULL : found,
		.source = p->path,
		.message = verdict == KC_ERROR ? found : NULL,
	};

	return kc_finding(p->host, p->run, &finding);
}

static int say_why(const struct probe *p, const char *way)
{
	return say(p, KC_ERROR, way, kc_why(p->host, p->run));
}

static int read_whole(const struct probe *p)
{
	struct kc_bytes bytes;

	if (kc_read_file(p->host, p->run, p->path, FILE_MAX, &bytes) < 0)
		return say_why(p, "read");
	return say(p, KC_FAIL, "read", bytes.data);
}

static int read_opened(const struct probe *p)
{
	char text[4096] = "";
	ssize_t n;
	int fd;

	if (kc_open_file(p->host, p->run, p->path, 0, &fd) < 0)
		return say_why(p, "open");
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	return n < 0 ? say(p, KC_ERROR, "open", strerror(errno)) : say(p, KC_FAIL, "open", text);
}

static int list(const struct probe *p)
{
	struct kc_strings names;
	char text[4096] = "";
	size_t n = 0;

	if (kc_list_dir(p->host, p->run, p->path, &names) < 0)
		return say_why(p, "list");
	for (size_t i = 0; i < names.n && i < NAMES_SHOWN && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s ", names.item[i]);
	return say(p, KC_FAIL, "list", text);
}

static int resolve(const struct probe *p)
{
	const char *path;

	if (kc_resolve(p->host, p->run, p->path, &path) < 0)
		return say_why(p, "resolve");
	return say(p, KC_FAIL, "resolve", path);
}

static int look(struct probe *p)
{
	int r = read_whole(p);

	if (r == 0)
		r = read_opened(p);
	if (r == 0)
		r = list(p);
	return r == 0 ? resolve(p) : r;
}

int probe_files_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	static const uint32_t each[] = { KC_NOW, KC_BOOT };
	uint32_t horizons = kc_horizons(host, run);
	struct kc_strings paths;
	int r = kc_param_list(host, run, "paths", &paths);

	(void)state;
	for (size_t h = 0; h < sizeof(each) / sizeof(*each); h++) {
		for (size_t i = 0; r == 0 && horizons & each[h] && i < paths.n; i++) {
			struct probe p = { host, run, each[h], paths.item[i] };

			r = look(&p);
		}
	}
	return r;
}

int probe_trace_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	static const uint32_t each[] = { KC_NOW, KC_BOOT };
	uint32_t horizons = kc_horizons(host, run);
	int r = 0;

	(void)state;
	kc_log(host, run, KC_LOG_INFO, "the probe has run");
	for (size_t h = 0; r == 0 && h < sizeof(each) / sizeof(*each); h++) {
		const struct probe p = { host, run, each[h], NULL };

		if (horizons & each[h])
			r = say(&p, KC_PASS, NULL, NULL);
	}
	return r;
}

int probe_say_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	static const uint32_t each[] = { KC_NOW, KC_BOOT };
	uint32_t horizons = kc_horizons(host, run);
	const char *text;
	int r = kc_param_string(host, run, "text", &text);

	(void)state;
	if (r < 0)
		return r;
	kc_log(host, run, KC_LOG_INFO, text);
	for (size_t h = 0; r == 0 && h < sizeof(each) / sizeof(*each); h++) {
		const struct kc_finding finding = {
			.size = sizeof(finding),
			.verdict = KC_FAIL,
			.horizon = each[h],
			.subject = text,
			.expected = text,
			.found = text,
			.source = text,
			.message = text,
		};

		if (horizons & each[h])
			r = kc_finding(host, run, &finding);
	}
	return r;
}

int probe_crash_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	const char *text;
	int r = kc_param_string(host, run, "text", &text);

	(void)state;
	if (r < 0)
		return r;
	(void)fprintf(stderr, "%s\n", text);
	abort();
}

int probe_program_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	struct probe p = { host, run, KC_NOW, NULL };
	struct kc_program_result result = { .size_of = sizeof(result) };
	const char *argv[ARGUMENTS_MAX + 2] = { NULL };
	struct kc_strings arguments = { 0 };
	struct kc_program program = { .size = sizeof(program), .argv = argv };
	int r = kc_param_string(host, run, "path", &p.path);

	(void)state;
	if (r < 0)
		return r;
	kc_log(host, run, KC_LOG_INFO, "the probe has run");
	program.path = argv[0] = p.path;
	if (kc_param_list(host, run, "arguments", &arguments) == 0) {
		for (size_t i = 0; i < arguments.n && i < ARGUMENTS_MAX; i++)
			argv[i + 1] = arguments.item[i];
	}
	if (kc_program(host, run, &program, &result) < 0)
		return say_why(&p, "program");
	return say(&p, KC_PASS, "program", result.out.data);
}
