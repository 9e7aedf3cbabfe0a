/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Profiles and manifests in a folder of their own, for the tests of checker/profile/profile.h. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "profile/profile.h"

/*
 * A folder with plugins/demo.yaml, plugins/os.yaml and profiles/. In expected messages @ stands for
 * that folder.
 */
struct place {
	char dir[64];
	char profiles[80], plugins[80];
	struct kc_arena arena;
	struct kc_diagnostics diagnostics;
	const struct kc_profile *profile;
	int stdin_copy;
};

static const char demo[] =
	"name: demo\nversion: 1.0\ntitle: Demo\n"
	"facts:\n  demo.version: v\n"
	"checks:\n"
	"  value:\n"
	"    title: Values are set\n    doc: d\n    horizons: [now, boot]\n"
	"    parameters:\n"
	"      keys: {type: list, required: true, doc: d}\n"
	"      compare: {type: choice, choices: [equal, at-least], default: equal, doc: d}\n"
	"      value: {type: string, doc: d}\n"
	"      wait: {type: duration, default: 2s, doc: d}\n"
	"      room: {type: size, doc: d}\n"
	"      deep: {type: boolean, doc: d}\n"
	"      count: {type: integer, doc: d}\n"
	"      map: {type: map, doc: d}\n"
	"  other:\n"
	"    title: Another\n    doc: d\n    horizons: now\n"
	"    parameters:\n      value: {type: string, doc: d}\n";

static const char os[] = "name: os\nversion: 1.0\ntitle: OS\nfacts:\n  os.id: i\n  os.version: v\n";

static inline const char *at(const struct place *p, const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", p->dir, name);
	return path;
}

static inline void put(const struct place *p, const char *name, const char *text)
{
	kc_cleanup(kc_closep) int fd =
		open(at(p, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(kc_write_all(fd, text, strlen(text)), 0);
}

static inline int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/k8scheck-profile-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(p->profiles, sizeof(p->profiles), "%s/profiles", p->dir);
	(void)snprintf(p->plugins, sizeof(p->plugins), "%s/plugins", p->dir);
	assert_int_equal(mkdir(p->profiles, 0755), 0);
	assert_int_equal(mkdir(p->plugins, 0755), 0);
	put(p, "plugins/demo.yaml", demo);
	put(p, "plugins/os.yaml", os);
	p->stdin_copy = -EBADF;
	*state = p;
	return 0;
}

static inline void forget(struct place *p)
{
	kc_arena_done(&p->arena);
	kc_diagnostics_done(&p->diagnostics);
	p->profile = NULL;
}

static inline int teardown(void **state)
{
	struct place *p = *state;
	char *const argv[] = { (char[]){ "rm" }, (char[]){ "-rf" }, p->dir, NULL };
	pid_t pid;
	int status;

	if (p->stdin_copy >= 0) {
		assert_int_equal(dup2(p->stdin_copy, STDIN_FILENO), STDIN_FILENO);
		(void)kc_close(p->stdin_copy);
	}
	pid = fork();
	if (pid == 0) {
		(void)execv("/bin/rm", argv);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	forget(p);
	free(p);
	return 0;
}

struct options {
	const char *const *profiles, *const *var_files, *const *vars, *const *sets;
	bool keep_texts;
};

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

static inline int load(struct place *p, const struct options *o)
{
	const char *const profile_dirs[] = { p->profiles, NULL };
	const char *const plugin_dirs[] = { p->plugins, NULL };
	const struct kc_profile_request request = {
		.profiles = o->profiles,
		.var_files = o->var_files,
		.vars = o->vars,
		.sets = o->sets,
		.profile_dirs = profile_dirs,
		.plugin_dirs = plugin_dirs,
		.keep_texts = o->keep_texts,
	};

	forget(p);
	return kc_profile_load(&request, &p->arena, &p->diagnostics, &p->profile);
}

static inline const struct kc_profile *must_load(struct place *p, const struct options *o)
{
	int r = load(p, o);

	if (r < 0)
		fail_msg("%d: %s", r, p->diagnostics.text.data);
	assert_int_equal(p->diagnostics.n_errors, 0);
	return p->profile;
}

/* The messages must be these, line by line. */
static inline void expect_faults(struct place *p, const struct options *o, const char *expected)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	unsigned lines = 0;
	int r = load(p, o);

	for (; *expected; expected++) {
		lines += *expected == '\n';
		if (*expected == '@')
			kc_buf_adds(&b, p->dir);
		else
			kc_buf_addc(&b, *expected);
	}
	assert_string_equal(p->diagnostics.text.data ? p->diagnostics.text.data : "", b.data);
	assert_int_equal(r, -EINVAL);
	assert_null(p->profile);
	assert_int_equal(p->diagnostics.n_errors, lines);
}

static inline const struct kc_rule *rule_of(const struct kc_profile *profile, const char *id)
{
	for (uint32_t i = 0; i < profile->n_rules; i++) {
		if (kc_streq(profile->rules[i].id, id)) {
			assert_int_equal(profile->rules[i].index, i);
			return profile->rules + i;
		}
	}
	fail_msg("no rule %s", id);
	return NULL;
}

static inline const struct kc_value *param_of(const struct kc_rule *rule, const char *name)
{
	int i = kc_manifest_param(rule->check, name);

	assert_true(i >= 0);
	return rule->params + i;
}

static inline void expect_origin(const struct place *p, const struct kc_origin *o,
				 const char *expected)
{
	const char *name = p->profile->sources[o->source].name;
	size_t n = strlen(p->profiles);
	char text[256];

	if (strncmp(name, p->profiles, n) == 0)
		name += n + 1;
	(void)snprintf(text, sizeof(text), "%s:%u:%u", name, o->line, o->column);
	assert_string_equal(text, expected);
}

static inline void expect_param_origin(const struct place *p, const struct kc_rule *rule,
				       const char *name, const char *expected)
{
	expect_origin(p, rule->param_origins + kc_manifest_param(rule->check, name), expected);
}

/* One profile "p" with this text. */
static inline const struct options *with_text(struct place *p, const char *text)
{
	static const char *const profiles[] = { "p", NULL };
	static const struct options o = { .profiles = profiles };

	put(p, "profiles/p.yaml", text);
	return &o;
}

#define RULE "rules:\n  - id: a\n    check: demo.value\n    with: {keys: k}\n"

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
