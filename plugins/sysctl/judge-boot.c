/* SPDX-License-Identifier: Apache-2.0 */
#include "key.h"
#include "sysctl.h"

enum {
	BEATEN_SHOWN = 4
};

/* All that is known of one key, and the sentences about it. */
struct judging {
	const struct kc_host *host;
	struct kc_run *run;
	const struct sysctl_boot *boot;
	const struct sysctl_case *c;
	const char *alias;
	struct sysctl_winner systemd, procps;
	struct kc_buf message;
};

static void load(struct sysctl_state *s, const struct kc_host *host, struct kc_run *run)
{
	if (s->loaded)
		return;
	s->loaded = true;
	s->code = sysctl_boot_load(host, run, &s->arena, &s->boot);
	if (s->code == -E2BIG)
		(void)snprintf(
			s->why, sizeof(s->why),
			"the files of sysctl.d are too many, or have too many lines or patterns");
	else if (s->code < 0)
		(void)snprintf(s->why, sizeof(s->why), "%s", kc_why(host, run));
}

/* A key, and the other name of the same value: whichever is written last. */
static void find(const struct judging *j, enum sysctl_reader reader,
		 struct sysctl_winner *ret_winner)
{
	struct sysctl_winner own, other = { 0 };

	sysctl_settings_find(&j->boot->settings, reader, j->c->key, &own);
	if (j->alias)
		sysctl_settings_find(&j->boot->settings, reader, j->alias, &other);
	if (other.line && (!own.line || other.place > own.place)) {
		own.line = other.line;
		own.place = other.place;
	}
	*ret_winner = own;
}

static void say(struct judging *j, const char *fmt, ...) kc_printf(2, 3);

/* Appends a sentence. */
static void say(struct judging *j, const char *fmt, ...)
{
	va_list ap;

	if (j->message.len > 0)
		kc_buf_addc(&j->message, ' ');
	va_start(ap, fmt);
	kc_buf_addv(&j->message, fmt, ap);
	va_end(ap);
}

static const char *place_of(const struct judging *j, const struct sysctl_line *line)
{
	return kc_text(j->host, j->run, "%s:%u", line->file, line->line);
}

static void say_beaten(struct judging *j)
{
	const struct sysctl_line *list[BEATEN_SHOWN + 1];
	size_t n;

	n = sysctl_settings_beaten(&j->boot->settings, j->c->key, j->systemd.line, list,
				   KC_ARRAY_SIZE(list));
	if (j->alias && n < KC_ARRAY_SIZE(list))
		n += sysctl_settings_beaten(&j->boot->settings, j->alias, j->systemd.line, list + n,
					    KC_ARRAY_SIZE(list) - n);
	if (n == 0)
		return;
	say(j, "The line that wins beats");
	for (size_t i = 0; i < KC_MIN(n, (size_t)BEATEN_SHOWN); i++)
		say(j, "%s:%u (which says %s)%s", list[i]->file, list[i]->line, list[i]->value,
		    i + 1 < n && i + 1 < BEATEN_SHOWN ? ","
		    : n > BEATEN_SHOWN		      ? " and others."
						      : ".");
}

/* What the kernel takes of a text that a file, or an argument, gives. */
static const char *taken_of(struct judging *j, const char *written)
{
	kc_cleanup(kc_buf_done) struct kc_buf taken = { 0 };

	/* A key of text takes the very text. */
	if (kc_streq0(written, j->c->want.value) || !sysctl_taken(written, &taken) ||
	    kc_buf_error(&taken) < 0)
		return written;
	say(j, "Of '%s' the kernel takes %s.", written, taken.data);
	return kc_text(j->host, j->run, "%s", taken.data);
}

/* What decides, where it is not a plain line for this very key. */
static void say_winner(struct judging *j, bool taken_whole)
{
	const struct sysctl_line *line = j->systemd.line;

	if (line->glob)
		say(j, "The pattern %s sets it.", line->key);
	else if (j->alias && kc_streq(line->key, j->alias))
		say(j, "It sets %s, which is the same value under another name.", line->key);
	if (taken_whole && strpbrk(line->value, "#;"))
		say(j, "A comment cannot stand behind a value: all of '%s' is written.",
		    line->value);
	say_beaten(j);
}

static bool same_value(const char *a, const char *b)
{
	const struct sysctl_want want = { .compare = SYSCTL_EQUAL, .value = a };

	return sysctl_compare(&want, b) == 1;
}

/* Where `sysctl --system` of procps would come to something else. */
static void say_procps(struct judging *j)
{
	const struct sysctl_line *a = j->systemd.line, *b = j->procps.line;

	if (j->boot->sysctl_conf_why) {
		say(j, "What `sysctl --system` would do cannot be told: %s.",
		    j->boot->sysctl_conf_why);
		return;
	}
	if (b && (!a || !same_value(a->value, b->value)))
		say(j,
		    "`sysctl --system` would set %s, from %s:%u, which systemd-sysctl does not "
		    "read at "
		    "boot.",
		    b->value, b->file, b->line);
	else if (a && !b && j->procps.excluded)
		say(j, "`sysctl --system` would not set it: %s:%u takes it out of every pattern.",
		    j->procps.excluded->file, j->procps.excluded->line);
	else if (a && !b)
		say(j, "`sysctl --system` would not set it: procps does not expand the braces.");
}

/* Lines that somebody may take for the one that sets the key. */
static void say_without_effect(struct judging *j)
{
	if (j->systemd.excluded)
		say(j, "%s:%u takes it out of every pattern.", j->systemd.excluded->file,
		    j->systemd.excluded->line);
	if (j->systemd.ignored)
		say(j, "%s:%u is no assignment, for want of '=', and is passed over.",
		    j->systemd.ignored->file, j->systemd.ignored->line);
}

/* Whether a file that could not be read may decide the key. */
static bool is_uncertain(const struct judging *j)
{
	const struct sysctl_line *line = j->systemd.line;
	size_t at;

	if (!j->boot->unreadable)
		return false;
	if (!line || line->glob)
		return true;
	at = j->alias ? j->systemd.place : (size_t)(line - j->boot->settings.lines.item);
	return at < j->boot->n_certain;
}

/* The module of the key is not there, or may not be, when the files are applied. True when that
 * decides. */
static bool judge_module(struct judging *j, struct sysctl_judgement *out)
{
	const struct sysctl_module *m = sysctl_boot_module(j->boot, sysctl_key_module(j->c->key));

	if (!m || m->state == SYSCTL_MODULE_READY)
		return false;
	if (m->state == SYSCTL_MODULE_UNKNOWN) {
		out->verdict = KC_ERROR;
		say(j, "Whether the module %s is loaded at boot cannot be told: %s.", m->name,
		    m->text);
		return true;
	}
	out->verdict = KC_FAIL;
	out->found = "not set";
	out->module = m;
	if (j->systemd.line) {
		out->source = place_of(j, j->systemd.line);
		say(j,
		    "This line sets it, but the module %s is not loaded by then (%s): the key is "
		    "not "
		    "there when systemd-sysctl runs, which passes over it.",
		    m->name, m->text);
	} else {
		out->source = "/etc/modules-load.d";
		say(j, "The module %s, which brings this key, is not loaded at boot: %s.", m->name,
		    m->text);
	}
	return true;
}

/* No file decides: an argument of the kernel, its default, or nothing that is known. */
static void judge_unset(struct judging *j, struct sysctl_judgement *out)
{
	const struct sysctl_argument *argument = NULL;
	const char *value = sysctl_key_default(j->c->key);

	/* The kernel applies its arguments before any module is loaded. */
	if (!sysctl_key_module(j->c->key))
		argument = sysctl_boot_argument(j->boot, j->c->key);
	if (!argument && j->alias)
		argument = sysctl_boot_argument(j->boot, j->alias);
	if (argument) {
		out->source = kc_text(j->host, j->run, "%s", j->boot->kernel.source);
		say(j, "No file sets it; an argument of the kernel does.");
		if (j->boot->kernel.note)
			say(j, "%s", j->boot->kernel.note);
		sysctl_judge_value(j->host, j->run, &j->c->want, taken_of(j, argument->value), out);
	} else if (j->boot->cmdline_why) {
		out->verdict = KC_ERROR;
		out->source = "the kernel's arguments";
		say(j, "No file sets it; whether an argument of the kernel does cannot be told: %s",
		    j->boot->cmdline_why);
	} else if (value) {
		out->source = "the kernel's default";
		say(j, "No file sets it.");
		sysctl_judge_value(j->host, j->run, &j->c->want, value, out);
	} else {
		out->verdict = KC_FAIL;
		out->found = "not set by any file";
		out->source = "/etc/sysctl.d, /usr/local/lib/sysctl.d, /usr/lib/sysctl.d";
		say(j,
		    "What the kernel starts with is not known, so that nothing ensures the value.");
	}
}

static void judge(struct judging *j, struct sysctl_judgement *out)
{
	const struct sysctl_boot *boot = j->boot;

	find(j, SYSCTL_SYSTEMD, &j->systemd);
	find(j, SYSCTL_PROCPS, &j->procps);
	out->winner = j->systemd.line;
	if (is_uncertain(j)) {
		out->verdict = KC_ERROR;
		out->source = boot->unreadable;
		say(j, "This file may decide, and cannot be read: %s", boot->unreadable_why);
		return;
	}
	if (boot->mask_why) {
		out->verdict = KC_ERROR;
		out->source = "/etc/systemd/system/systemd-sysctl.service";
		say(j, "Whether any file is applied cannot be told: %s", boot->mask_why);
		return;
	}
	if (judge_module(j, out))
		return;
	if (boot->masked && out->winner) {
		say(j,
		    "%s masks systemd-sysctl.service, so that no file is applied; %s:%u would set "
		    "%s.",
		    boot->masked, out->winner->file, out->winner->line, out->winner->value);
		judge_unset(j, out);
		if (out->verdict == KC_FAIL)
			out->source = boot->masked;
		return;
	}
	if (out->winner) {
		const char *value = taken_of(j, out->winner->value);

		out->source = place_of(j, out->winner);
		sysctl_judge_value(j->host, j->run, &j->c->want, value, out);
		say_winner(j, value == out->winner->value);
		/* The rule's remedy may add a line that this one beats. */
		if (out->verdict == KC_FAIL)
			say(j, "This line decides: change it, or set the key in a file whose name "
			       "sorts behind.");
	} else {
		judge_unset(j, out);
		say_without_effect(j);
	}
	say_procps(j);
}

void sysctl_judge_boot(struct sysctl_state *state, const struct kc_host *host, struct kc_run *run,
		       const struct sysctl_case *c, struct sysctl_judgement *ret_judgement)
{
	struct sysctl_judgement out = { 0 };
	struct judging j = {
		.host = host,
		.run = run,
		.boot = &state->boot,
		.c = c,
		.alias = sysctl_key_alias(c->key),
	};

	load(state, host, run);
	if (state->code < 0) {
		out.verdict = KC_ERROR;
		out.message = state->why;
		*ret_judgement = out;
		return;
	}
	judge(&j, &out);
	if (out.message)
		say(&j, "%s", out.message);
	if (j.message.len > 0)
		out.message = kc_text(host, run, "%s", j.message.data);
	kc_buf_done(&j.message);
	*ret_judgement = out;
}
