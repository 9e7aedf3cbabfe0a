/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/plan-module.h"
#include "key.h"
#include "sysctl-descriptor.h"
#include "sysctl-edit.h"
#include "sysctl.h"

enum {
	FILE_MAX = 1 << 20
};

/* A key that the next start gets wrong. */
struct wrong {
	struct sysctl_edit edit;
	const char
		*winner; /* the file whose line decides now, and a drop-in may not beat; or NULL */
	bool in_place; /* it is to be mended in that file */
};

/* What is to be mended; pointers are into the run's memory. */
struct planning {
	const struct kc_host *host;
	struct kc_run *run;
	const struct sysctl_boot *boot;
	const struct sysctl_case **now;
	struct wrong *wrong;
	size_t n_now, n_wrong;
	bool masked; /* no file counts */
	const struct sysctl_module *missing_boot;
	const char *missing_now; /* a module to load */
	bool keyless; /* the running kernel has not the key, and no module is known to bring it */
};

/* In their order; the first is the guide's. */
static const char *const names[] = { "99-kubernetes-cri.conf", "99-zz-kubernetes-cri.conf",
				     "zz-kubernetes-cri.conf", "zzzz-kubernetes-cri.conf", NULL };

#define LAST_NAME "zzzz-kubernetes-cri.conf"

static const char *wanted(const struct sysctl_case *c)
{
	return c->want.compare == SYSCTL_ONE_OF ? c->want.values.item[0] : c->want.value;
}

static const char *base_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

static void collect_now(struct planning *p, const struct sysctl_case *c)
{
	const char *module = sysctl_key_module(c->key);
	struct sysctl_judgement j;

	sysctl_judge_now(p->host, p->run, c, &j);
	if (j.verdict != KC_FAIL)
		return;
	if (!kc_streq0(j.found, "no such key")) {
		p->now[p->n_now++] = c;
	} else if (module) {
		p->now[p->n_now++] = c;
		p->missing_now = module;
	} else {
		p->keyless = true;
	}
}

/* Whether the line that wins has the right value, and something else is wrong. */
static bool is_line_right(const struct planning *p, const struct sysctl_case *c,
			  const struct sysctl_line *line)
{
	struct sysctl_judgement j = { 0 };

	sysctl_judge_value(p->host, p->run, &c->want, line->value, &j);
	return j.verdict == KC_PASS;
}

static void collect_boot(struct planning *p, struct sysctl_state *state,
			 const struct sysctl_case *c)
{
	struct sysctl_judgement j;
	struct wrong *w;

	sysctl_judge_boot(state, p->host, p->run, c, &j);
	if (j.verdict != KC_FAIL)
		return;
	p->boot = &state->boot;
	p->masked |= state->boot.masked != NULL;
	if (j.module)
		p->missing_boot = j.module;
	if (j.winner && is_line_right(p, c, j.winner))
		return;
	w = &p->wrong[p->n_wrong++];
	w->edit = (struct sysctl_edit){ .key = c->key,
					.alias = sysctl_key_alias(c->key),
					.name = c->name,
					.value = wanted(c) };
	/* A key that is named beats every pattern, whatever the names of the files. */
	if (j.winner && !j.winner->glob)
		w->winner = j.winner->file;
	w->in_place = w->winner && strcmp(base_name(w->winner), LAST_NAME) > 0;
}

static int step(const struct planning *p, uint32_t horizon, uint32_t kind, uint32_t flags,
		const char *target, const char *content, const char *why)
{
	const struct kc_step s = {
		.size = sizeof(s),
		.kind = kind,
		.flags = flags,
		.horizon = horizon,
		.mode = kind == KC_STEP_WRITE_FILE ? 0644 : 0,
		.target = target,
		.content = content,
		.content_size = content ? strlen(content) : 0,
		.why = why,
	};

	return kc_step(p->host, p->run, &s);
}

/* The edits of one file: those that a drop-in has (`file` NULL), or those in place. */
static int edits_of(const struct planning *p, const char *file, struct sysctl_edit *edits,
		    size_t *ret_n)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_wrong; i++) {
		const struct wrong *w = &p->wrong[i];

		if (file ? w->in_place && kc_streq(w->winner, file) : !w->in_place)
			edits[n++] = w->edit;
	}
	*ret_n = n;
	return n > 0;
}

static int edit_by_hand(const struct planning *p, const char *file, const struct sysctl_edit *edits,
			size_t n, const char *why)
{
	const char *text = "";

	for (size_t i = 0; i < n; i++)
		text = kc_text(p->host, p->run, "%s# In %s, set %s = %s.\n", text, file,
			       edits[i].name, edits[i].value);
	return kc_plan_by_hand(p->host, p->run, KC_BOOT, text, why);
}

static int plan_edit(const struct planning *p, const char *path, const struct sysctl_edit *edits,
		     size_t n, const char *why)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	struct kc_step s = {
		.size = sizeof(s),
		.kind = KC_STEP_EDIT_FILE,
		.flags = KC_STEP_KEEP_OWNER,
		.horizon = KC_BOOT,
		.target = path,
		.why = why,
	};
	struct kc_bytes before;
	int r = kc_read_file(p->host, p->run, path, FILE_MAX, &before);

	if (r == 0)
		r = sysctl_edit_text(before.data, before.size, edits, n, &text);
	if (r == -ENOTSUP)
		return edit_by_hand(p, path, edits, n,
				    "The file is too odd to be edited by a program.");
	if (r < 0)
		return r;
	s.content = text.data;
	s.content_size = text.len;
	s.before = before.data;
	s.before_size = before.size;
	return kc_step(p->host, p->run, &s);
}

/* A file of that name in /etc would hide one that a package brings. */
static bool hides_another(const struct planning *p, const char *name)
{
	static const char *const folders[] = { "/run/sysctl.d", "/usr/local/lib/sysctl.d",
					       "/usr/lib/sysctl.d", "/lib/sysctl.d", NULL };
	struct kc_stat st = { .size_of = sizeof(st) };

	KC_FOREACH_STR (folder, folders)
		if (kc_stat(p->host, p->run, kc_text(p->host, p->run, "%s/%s", folder, name),
			    KC_NOFOLLOW, &st) != -ENOENT)
			return true;
	return false;
}

/* Writes the file, or edits it where it is there. 1 when it is not to be used (a mask, say). */
static int plan_file(const struct planning *p, const char *name, const struct sysctl_edit *edits,
		     size_t n)
{
	static const char why[] = "systemd-sysctl applies it at every start, behind the files that "
				  "set other values.";
	const char *path = kc_text(p->host, p->run, "/etc/sysctl.d/%s", name), *content = "";
	struct kc_stat st = { .size_of = sizeof(st) };
	int r = kc_stat(p->host, p->run, path, KC_NOFOLLOW, &st);

	if (r == 0)
		return st.type == KC_FILE_REGULAR ? plan_edit(p, path, edits, n, why) : 1;
	if (r != -ENOENT)
		return r;
	if (hides_another(p, name))
		return 1;
	for (size_t i = 0; i < n; i++)
		content = kc_text(p->host, p->run, "%s%s = %s\n", content, edits[i].name,
				  edits[i].value);
	r = kc_plan_folder(p->host, p->run, "/etc/sysctl.d", "systemd-sysctl reads what is in it.");
	return r < 0 ? r : step(p, KC_BOOT, KC_STEP_WRITE_FILE, 0, path, content, why);
}

/* The first of our names that sorts behind every file that sets one of the keys is taken. */
static int plan_dropin(const struct planning *p, struct sysctl_edit *edits)
{
	const char *last = "";
	size_t n;
	int r = 1;

	if (!edits_of(p, NULL, edits, &n))
		return 0;
	for (size_t i = 0; i < p->n_wrong; i++) {
		const struct wrong *w = &p->wrong[i];

		if (!w->in_place && w->winner && strcmp(base_name(w->winner), last) > 0)
			last = base_name(w->winner);
	}
	KC_FOREACH_STR (name, names) {
		r = strcmp(name, last) < 0 ? 1 : plan_file(p, name, edits, n);
		if (r <= 0)
			return r;
	}
	return edit_by_hand(p, *last ? last : "a file of /etc/sysctl.d", edits, n,
			    "None of the names that k8scheck takes for a new file is free.");
}

/* A file that sorts behind all our names: its own line is changed. */
static int plan_in_place(const struct planning *p, const char *file, struct sysctl_edit *edits)
{
	const char *path;
	size_t n;

	if (!edits_of(p, file, edits, &n))
		return 0;
	if (kc_resolve(p->host, p->run, file, &path) < 0)
		path = file;
	if (!kc_after_prefix(path, "/etc/sysctl.d/") && !kc_streq(path, "/etc/sysctl.conf"))
		return edit_by_hand(
			p, path, edits, n,
			"A package brings the file, and no name that k8scheck takes for "
			"a new one sorts behind it.");
	return plan_edit(p, path, edits, n,
			 "No name that k8scheck takes for a new file sorts behind it.");
}

static int plan_files(const struct planning *p)
{
	struct sysctl_edit *edits = kc_alloc(p->host, p->run, (p->n_wrong + 1) * sizeof(*edits));
	int r;

	if (!edits)
		return -ENOMEM;
	r = plan_dropin(p, edits);
	for (size_t i = 0; i < p->n_wrong && r == 0; i++) {
		const struct wrong *w = &p->wrong[i];
		bool done = !w->in_place;

		for (size_t k = 0; k < i && !done; k++)
			done = p->wrong[k].in_place && kc_streq(p->wrong[k].winner, w->winner);
		if (!done)
			r = plan_in_place(p, w->winner, edits);
	}
	return r;
}

static int plan_modules(const struct planning *p)
{
	const struct sysctl_module *m = p->missing_boot;
	int r = 0;

	if (m && kc_streq(m->text, "no file in modules-load.d names it"))
		r = kc_plan_module_listing(p->host, p->run, m->name);
	else if (m)
		r = kc_plan_by_hand(
			p->host, p->run, KC_BOOT,
			kc_text(p->host, p->run,
				"# See to it that systemd-modules-load loads %s: %s.\n", m->name,
				m->text),
			"Somebody decided otherwise, in a place that is not changed here.");
	if (r == 0 && p->missing_now)
		r = step(p, KC_NOW, KC_STEP_LOAD_MODULE, 0, p->missing_now, NULL,
			 "It brings the keys.");
	return r;
}

/* To stop forwarding cuts pods off from other nodes. */
static uint32_t flags_of(const struct sysctl_case *c)
{
	bool forwarding =
		kc_streq(c->key, "net/ipv4/ip_forward") ||
		(kc_endswith(c->key, "/forwarding") && (kc_after_prefix(c->key, "net/ipv4/conf/") ||
							kc_after_prefix(c->key, "net/ipv6/conf/")));

	return forwarding && kc_streq(wanted(c), "0") ? KC_STEP_DISTURBS : 0;
}

static int plan(const struct planning *p)
{
	int r = plan_modules(p);

	if (r == 0 && p->masked)
		r = kc_plan_by_hand(p->host, p->run, KC_BOOT,
				    "systemctl unmask systemd-sysctl.service\n",
				    "Somebody masked what applies the files; whether that still "
				    "holds is for a person to say.");
	if (r == 0 && p->n_wrong > 0)
		r = plan_files(p);
	for (size_t i = 0; i < p->n_now && r == 0; i++)
		r = step(p, KC_NOW, KC_STEP_SYSCTL, flags_of(p->now[i]), p->now[i]->name,
			 wanted(p->now[i]), "The running kernel has another value.");
	if (r == 0 && p->keyless)
		r = kc_plan_by_hand(p->host, p->run, KC_NOW,
				    "# Start a kernel that has the key, or load the module that "
				    "brings it.\n",
				    "The running kernel has no such key.");
	return r;
}

int sysctl_value_plan(void *state, const struct kc_host *host, struct kc_run *run)
{
	const uint32_t horizons = kc_horizons(host, run);
	struct planning p = { .host = host, .run = run };
	struct sysctl_cases cases;
	const char *fault;
	int r;

	r = sysctl_cases(host, run, &cases, &fault);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	p.now = kc_alloc(host, run, (cases.n + 1) * sizeof(*p.now));
	p.wrong = kc_alloc(host, run, (cases.n + 1) * sizeof(*p.wrong));
	if (!p.now || !p.wrong)
		return -ENOMEM;
	for (size_t i = 0; i < cases.n; i++) {
		p.wrong[i] = (struct wrong){ 0 };
		if (horizons & KC_NOW)
			collect_now(&p, &cases.item[i]);
		if (horizons & KC_BOOT)
			collect_boot(&p, state, &cases.item[i]);
	}
	return plan(&p);
}
