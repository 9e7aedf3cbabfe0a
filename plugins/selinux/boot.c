/* SPDX-License-Identifier: Apache-2.0 */
#include "arguments.h"
#include "judge.h"

static const char policy_folder[] = "/etc/selinux/targeted/policy";

/* What decides the mode of the next start. */
struct deciding {
	const struct selinux_rule *rule;
	struct selinux_judgement *j;
	bool live;
	const char *shows; /* where the running kernel shows SELinux */
	bool have_config;
	struct selinux_config config;
	int arguments_error; /* of reading them; 0, or -ENOENT where there are none to be found */
	struct kc_boot_arguments loader;
	struct selinux_arguments arguments;
	bool uncertain; /* whether the kernel has SELinux cannot be told */
};

static void say(struct deciding *d, const char *fmt, ...) kc_printf(2, 3);

static void say(struct deciding *d, const char *fmt, ...)
{
	const char *sentence;
	va_list ap;

	va_start(ap, fmt);
	sentence = kc_arena_vprintf(d->rule->arena, fmt, ap);
	va_end(ap);
	selinux_say(d->rule, d->j,
		    sentence ? kc_text(d->rule->host, d->rule->run, "%s", sentence)
			     : "(out of memory)");
}

static void skip(struct deciding *d, const char *message)
{
	d->j->verdict = KC_SKIP;
	d->j->message = message;
}

static void fail_to_tell(struct deciding *d, const char *source, const char *why)
{
	d->j->verdict = KC_ERROR;
	d->j->source = source;
	d->j->message = kc_text(d->rule->host, d->rule->run, "%s", why);
}

/* ---- what is read ---- */

/* 0, or 1 when it cannot be read, which is judged then. */
static int read_config(struct deciding *d)
{
	const struct selinux_rule *rule = d->rule;
	struct kc_bytes bytes;
	int r = kc_read_file(rule->host, rule->run, SELINUX_CONFIG, SELINUX_CONFIG_MAX, &bytes);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0) {
		fail_to_tell(d, SELINUX_CONFIG, kc_why(rule->host, rule->run));
		return 1;
	}
	d->have_config = true;
	d->j->text = bytes;
	selinux_config_parse(bytes.data, bytes.size, &d->config);
	d->j->config = d->config;
	return 0;
}

static void read_kernel(struct deciding *d)
{
	const struct selinux_rule *rule = d->rule;
	struct kc_stat st = { .size_of = sizeof(st) };

	d->live = kc_is_live(rule->host, rule->run);
	if (!d->live)
		return;
	if (kc_stat(rule->host, rule->run, "/sys/fs/selinux/enforce", 0, &st) == 0)
		d->shows = "/sys/fs/selinux";
	else
		d->shows = selinux_kernel_shows(rule->host, rule->run);
}

/* 0, or 1 when they cannot be read and would matter, which is judged then. */
static int read_arguments(struct deciding *d)
{
	const struct selinux_rule *rule = d->rule;
	const char *why = NULL;
	int r;

	r = kc_boot_arguments_read(rule->host, rule->run, rule->arena, &d->loader, &why);
	d->arguments_error = r;
	if (r == 0)
		r = selinux_arguments_read(d->loader.item, d->loader.n, rule->arena, &d->arguments);
	/* Nothing beats SELINUX=disabled. */
	if (r == 0 || r == -ENOENT || (d->config.mode == SELINUX_DISABLED && r != -ENOMEM))
		return 0;
	fail_to_tell(d, NULL, why ? why : "Memory is short.");
	return 1;
}

/* ---- what decides ---- */

static void decide(struct deciding *d, enum selinux_mode mode, enum selinux_cause cause,
		   const char *source)
{
	selinux_judge_mode(d->rule, mode, d->j);
	d->j->cause = cause;
	d->j->source = source;
}

static const char *config_place(const struct deciding *d)
{
	return kc_text(d->rule->host, d->rule->run, SELINUX_CONFIG ":%u", d->config.line);
}

/* An argument decides; what it makes of the configuration is said. */
static void decide_by_argument(struct deciding *d, enum selinux_mode mode, const char *argument)
{
	decide(d, mode, SELINUX_BY_ARGUMENTS,
	       kc_text(d->rule->host, d->rule->run, "%s", d->loader.source));
	d->j->argument = kc_text(d->rule->host, d->rule->run, "%s", argument);
	if (d->config.mode && d->config.mode != mode)
		say(d, "The kernel's argument %s beats SELINUX=%s in %s.", argument,
		    selinux_mode_name(d->config.mode), config_place(d));
	else
		say(d, "The kernel's argument %s decides.", argument);
}

/*
 * Whether the kernel brings SELinux up: judges and returns true where it does not. What it shows
 * now may be the work of arguments or of a configuration that have been changed since.
 */
static bool is_off_by_kernel(struct deciding *d)
{
	const char *source = NULL;
	enum selinux_kernel built;

	if (d->shows)
		return false;
	built = selinux_kernel_built(d->rule->host, d->rule->run, d->rule->arena, &source);
	switch (built) {
	case SELINUX_KERNEL_WITHOUT:
		skip(d, kc_text(d->rule->host, d->rule->run,
				"The kernel was built without SELinux, says %s.", source));
		return true;
	case SELINUX_KERNEL_OFF:
		if (d->arguments.on)
			return false;
		decide(d, SELINUX_DISABLED, SELINUX_BY_KERNEL,
		       kc_text(d->rule->host, d->rule->run, "%s", source));
		say(d, "The kernel does not use SELinux unless an argument (security=selinux, "
		       "selinux=1) says so, and none does.");
		return true;
	case SELINUX_KERNEL_ON:
		return false;
	default:
		d->uncertain = true;
		return false;
	}
}

/* 1, 0, or the negative errno of what could not be looked at. */
static int has_policy(const struct deciding *d)
{
	struct kc_strings names;
	int r = kc_list_dir(d->rule->host, d->rule->run, policy_folder, &names);

	if (r < 0)
		return r == -ENOENT || r == -ENOTDIR ? 0 : r;
	for (size_t i = 0; i < names.n; i++)
		if (kc_after_prefix(names.item[i], "policy."))
			return 1;
	return 0;
}

/* Without a configuration, libselinux loads the policy "targeted", if there is one. */
static void decide_without_config(struct deciding *d)
{
	int policy = has_policy(d);

	if (policy < 0)
		fail_to_tell(d, policy_folder, kc_why(d->rule->host, d->rule->run));
	else if (d->arguments.enforcing && d->arguments.enforces) {
		decide_by_argument(d, SELINUX_ENFORCING, d->arguments.enforcing);
		if (!policy)
			say(d, "There is no policy to load: systemd will not start the system.");
	} else if (policy) {
		decide(d, SELINUX_PERMISSIVE, SELINUX_BY_KERNEL, policy_folder);
		say(d, "There is no " SELINUX_CONFIG ": libselinux loads the policy targeted and "
		       "leaves it permissive.");
	} else {
		decide(d, SELINUX_DISABLED, SELINUX_BY_KERNEL, SELINUX_CONFIG);
		say(d, "There is neither " SELINUX_CONFIG " nor a policy to load.");
	}
}

/* The order of selinux_init_load_policy(): disabled, then the argument, then the configuration. */
static void decide_by_files(struct deciding *d)
{
	const struct selinux_arguments *a = &d->arguments;

	if (d->config.mode == SELINUX_DISABLED) {
		decide(d, SELINUX_DISABLED, SELINUX_BY_CONFIG, config_place(d));
		if (a->enforcing && a->enforces)
			say(d, "The kernel's argument %s changes nothing of that.", a->enforcing);
	} else if (!d->have_config) {
		decide_without_config(d);
	} else if (a->enforcing) {
		decide_by_argument(d, a->enforces ? SELINUX_ENFORCING : SELINUX_PERMISSIVE,
				   a->enforcing);
	} else if (d->config.mode) {
		decide(d, d->config.mode, SELINUX_BY_CONFIG, config_place(d));
	} else {
		decide(d, SELINUX_PERMISSIVE, SELINUX_BY_CONFIG, SELINUX_CONFIG);
		say(d, "No line of it sets SELINUX= to a mode that libselinux knows, so that it "
		       "leaves it permissive.");
	}
	if (a->several && d->config.mode != SELINUX_DISABLED)
		say(d, "enforcing= is there more than once: libselinux 3.9 and later may take "
		       "another.");
	if (d->j->cause == SELINUX_BY_CONFIG && d->config.spaced)
		say(d, "Older versions of libselinux do not take a value behind white space.");
}

/* ---- what is said besides ---- */

static void say_uncertain(struct deciding *d)
{
	if (!d->uncertain)
		return;
	if (!d->live) {
		say(d, "No kernel's configuration is there to tell whether it has SELinux; that it "
		       "has is taken for granted.");
	} else if (d->rule->allowed[d->j->mode] != d->rule->allowed[SELINUX_DISABLED]) {
		d->j->verdict = KC_ERROR;
		say(d, "The running kernel does not use SELinux, and whether the next start does "
		       "cannot be told without /boot/config-VERSION.");
	}
}

static void say_arguments(struct deciding *d)
{
	if (d->arguments_error == -ENOENT)
		say(d, "No boot loader's entry was found: the kernel's arguments are judged as if "
		       "there were none.");
	else if (d->loader.note && (d->loader.present || d->j->cause == SELINUX_BY_ARGUMENTS))
		say(d, "%s", d->loader.note);
}

static void say_relabel(struct deciding *d)
{
	struct kc_stat st = { .size_of = sizeof(st) };

	if (d->j->mode != SELINUX_DISABLED &&
	    kc_stat(d->rule->host, d->rule->run, "/.autorelabel", KC_NOFOLLOW, &st) == 0)
		say(d, "/.autorelabel is there: the next start labels all files anew, and starts "
		       "again.");
}

static void judge(struct deciding *d)
{
	if (read_config(d))
		return;
	read_kernel(d);
	if (!d->have_config && !d->shows) {
		skip(d,
		     d->live ? "This kernel does not use SELinux, and there is no " SELINUX_CONFIG
			       "."
			     : "There is no " SELINUX_CONFIG ".");
		return;
	}
	if (read_arguments(d))
		return;
	if (d->arguments.off)
		decide_by_argument(d, SELINUX_DISABLED, d->arguments.off);
	else if (!is_off_by_kernel(d))
		decide_by_files(d);
	if (d->j->verdict == KC_SKIP)
		return;
	say_uncertain(d);
	say_arguments(d);
	say_relabel(d);
}

void selinux_judge_boot(const struct selinux_rule *rule, struct selinux_judgement *ret_judgement)
{
	struct selinux_judgement j = { 0 };
	struct deciding d = { .rule = rule, .j = &j };

	judge(&d);
	*ret_judgement = j;
}
