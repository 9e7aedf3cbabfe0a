/* SPDX-License-Identifier: Apache-2.0 */
#include "key.h"
#include "sysctl-descriptor.h"
#include "sysctl.h"

enum {
	FILE_MAX = 1 << 20
};

/* What is to be mended; pointers are into the run's memory. */
struct planning {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena arena; /* for looking at the file that is to be changed */
	const struct sysctl_case **now, **boot;
	size_t n_now, n_boot;
	const struct sysctl_module *missing_boot;
	const char *missing_now; /* a module to load */
	const char *last; /* the name of the last file that sets one of the keys */
};

static void planning_done(struct planning *p)
{
	kc_arena_done(&p->arena);
}

static const char *wanted(const struct sysctl_case *c)
{
	return c->want.compare == SYSCTL_ONE_OF ? c->want.values.item[0] : c->want.value;
}

static void collect(struct planning *p, struct sysctl_state *state, const struct sysctl_case *c)
{
	const uint32_t horizons = kc_horizons(p->host, p->run);
	struct sysctl_judgement j;

	if (horizons & KC_NOW) {
		sysctl_judge_now(p->host, p->run, c, &j);
		if (j.verdict == KC_FAIL) {
			const char *module = sysctl_key_module(c->key);

			p->now[p->n_now++] = c;
			if (module && kc_streq(j.found, "no such key"))
				p->missing_now = module;
		}
	}
	if (!(horizons & KC_BOOT))
		return;
	sysctl_judge_boot(state, p->host, p->run, c, &j);
	if (j.verdict != KC_FAIL)
		return;
	p->boot[p->n_boot++] = c;
	if (j.module)
		p->missing_boot = j.module;
	if (j.winner) {
		const char *name = strrchr(j.winner->file, '/') + 1;

		if (!p->last || strcmp(name, p->last) > 0)
			p->last = name;
	}
}

static int step(struct planning *p, uint32_t horizon, uint32_t kind, const char *target,
		const char *content, const struct kc_bytes *before, const char *why)
{
	const struct kc_step s = {
		.size = sizeof(s),
		.kind = kind,
		.horizon = horizon,
		.mode = 0644,
		.flags = before ? KC_STEP_KEEP_OWNER : 0,
		.target = target,
		.content = content,
		.content_size = content ? strlen(content) : 0,
		.before = before ? before->data : NULL,
		.before_size = before ? before->size : 0,
		.why = why,
	};

	return kc_step(p->host, p->run, &s);
}

/* True for a line of the file that sets one of the keys to be set. */
static bool is_replaced(struct planning *p, const char *text, size_t n)
{
	struct sysctl_lines lines = { 0 };

	if (sysctl_file_parse("", text, n, &p->arena, &lines) < 0 || lines.n == 0 ||
	    lines.item[0].ignored)
		return false;
	for (size_t i = 0; i < p->n_boot; i++) {
		if (kc_streq(lines.item[0].key, p->boot[i]->key))
			return true;
	}
	return false;
}

/* The file's new text: its other lines as they are, and the keys behind them. */
static char *new_text(struct planning *p, const struct kc_bytes *before)
{
	struct kc_buf b = { 0 };
	const char *at = before->data, *end = at + before->size;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *next = newline ? newline + 1 : end;

		if (!is_replaced(p, at, (size_t)(next - at)))
			kc_buf_add(&b, at, (size_t)(next - at));
		at = next;
	}
	if (b.len > 0 && b.data[b.len - 1] != '\n')
		kc_buf_addc(&b, '\n');
	for (size_t i = 0; i < p->n_boot; i++)
		kc_buf_addf(&b, "%s = %s\n", p->boot[i]->name, wanted(p->boot[i]));
	return kc_buf_take(&b);
}

/* Writes the file, unless it is there and no plain file (a mask, say). 1 when it is not to be used.
 */
static int plan_file(struct planning *p, const char *path)
{
	kc_cleanup(kc_freep) char *text = NULL;
	struct kc_stat st = { .size_of = sizeof(st) };
	struct kc_bytes before = { .data = "" };
	int r;

	r = kc_stat(p->host, p->run, path, KC_NOFOLLOW, &st);
	if (r == 0 && st.type != KC_FILE_REGULAR)
		return 1;
	if (r == 0)
		r = kc_read_file(p->host, p->run, path, FILE_MAX, &before);
	if (r < 0 && r != -ENOENT)
		return r;
	text = new_text(p, &before);
	if (!text)
		return -ENOMEM;
	return step(p, KC_BOOT, r == 0 ? KC_STEP_EDIT_FILE : KC_STEP_WRITE_FILE, path, text,
		    r == 0 ? &before : NULL,
		    "systemd-sysctl applies it at every start, behind the files that set other "
		    "values.");
}

static int plan_sysctl_file(struct planning *p)
{
	/* In their order; the first that sorts behind every file that sets one of the keys is
	 * taken. */
	static const char *const names[] = { "99-kubernetes-cri.conf", "99-zz-kubernetes-cri.conf",
					     "zz-kubernetes-cri.conf", "zzzz-kubernetes-cri.conf",
					     NULL };
	int r = 1;

	KC_FOREACH_STR (name, names) {
		if (p->last && strcmp(name, p->last) < 0)
			continue;
		r = plan_file(p, kc_text(p->host, p->run, "/etc/sysctl.d/%s", name));
		if (r <= 0)
			return r;
	}
	return step(
		p, KC_BOOT, KC_STEP_MANUAL, NULL,
		kc_text(p->host, p->run, "Take the keys out of %s, or rename that file.", p->last),
		NULL, "No name for a new file sorts behind it.");
}

static int plan_modules(struct planning *p)
{
	const struct sysctl_module *m = p->missing_boot;
	int r = 0;

	if (m) {
		const char *path = kc_text(p->host, p->run, "/etc/modules-load.d/%s.conf", m->name);
		struct kc_stat st = { .size_of = sizeof(st) };

		/* The file is there and names the module not, or something else keeps it away. */
		if (kc_stat(p->host, p->run, path, KC_NOFOLLOW, &st) != -ENOENT ||
		    !kc_streq(m->text, "no file in modules-load.d names it"))
			r = step(
				p, KC_BOOT, KC_STEP_MANUAL, NULL,
				kc_text(p->host, p->run,
					"See to it that systemd-modules-load loads %s: %s.",
					m->name, m->text),
				NULL,
				"Somebody decided otherwise, in a place that is not changed here.");
		else
			r = step(p, KC_BOOT, KC_STEP_WRITE_FILE, path,
				 kc_text(p->host, p->run, "%s\n", m->name), NULL,
				 "The module must be loaded before systemd-sysctl runs.");
	}
	if (r == 0 && p->missing_now)
		r = step(p, KC_NOW, KC_STEP_LOAD_MODULE, p->missing_now, NULL, NULL,
			 "It brings the keys.");
	return r;
}

int sysctl_value_plan(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(planning_done) struct planning p = { .host = host, .run = run };
	struct sysctl_cases cases;
	const char *fault;
	int r;

	r = sysctl_cases(host, run, &cases, &fault);
	if (r < 0)
		return r;
	p.now = kc_alloc(host, run, cases.n * sizeof(*p.now));
	p.boot = kc_alloc(host, run, cases.n * sizeof(*p.boot));
	if (!p.now || !p.boot)
		return -ENOMEM;
	for (size_t i = 0; i < cases.n; i++)
		collect(&p, state, cases.item + i);
	r = plan_modules(&p);
	if (r == 0 && p.n_boot > 0)
		r = plan_sysctl_file(&p);
	for (size_t i = 0; i < p.n_now && r == 0; i++)
		r = step(&p, KC_NOW, KC_STEP_SYSCTL, p.now[i]->name, wanted(p.now[i]), NULL,
			 "The running kernel has another value.");
	return r;
}
