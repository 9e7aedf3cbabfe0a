/* SPDX-License-Identifier: Apache-2.0 */
#include "judge.h"
#include "selinux-descriptor.h"

/*
 * The nearest mode that the rule allows. One that weakens the host least comes first: down by one
 * step, else up, and all the way only where nothing else will do.
 */
static enum selinux_mode choose(const struct selinux_rule *rule, enum selinux_mode found)
{
	static const enum selinux_mode orders[][2] = {
		[SELINUX_DISABLED] = { SELINUX_PERMISSIVE, SELINUX_ENFORCING },
		[SELINUX_PERMISSIVE] = { SELINUX_ENFORCING, SELINUX_DISABLED },
		[SELINUX_ENFORCING] = { SELINUX_PERMISSIVE, SELINUX_DISABLED },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(orders[found]); i++)
		if (rule->allowed[orders[found][i]])
			return orders[found][i];
	return found;
}

static int by_hand(const struct selinux_rule *rule, uint32_t horizon, uint32_t flags,
		   const char *commands, const char *why)
{
	const struct kc_step step = {
		.size = sizeof(step),
		.kind = KC_STEP_MANUAL,
		.flags = flags,
		.horizon = horizon,
		.content = commands,
		.content_size = strlen(commands),
		.why = why,
	};

	return kc_step(rule->host, rule->run, &step);
}

/* Between enforcing and permissive a running system changes, too; on and off takes a restart. */
static uint32_t flags_of(enum selinux_mode from, enum selinux_mode to)
{
	bool restart = from != to && (from == SELINUX_DISABLED || to == SELINUX_DISABLED);

	return (to < from ? KC_STEP_WEAKENS : 0) | (restart ? KC_STEP_NEEDS_REBOOT : 0);
}

static int plan_now(const struct selinux_rule *rule)
{
	struct selinux_judgement j;
	enum selinux_mode to;
	const char *name;

	selinux_judge_now(rule, &j);
	if (j.verdict != KC_FAIL)
		return 0;
	to = choose(rule, j.mode);
	name = selinux_mode_name(to);
	if (j.mode == SELINUX_DISABLED || to == SELINUX_DISABLED)
		return by_hand(rule, KC_NOW, flags_of(j.mode, to), "systemctl reboot\n",
			       "SELinux is turned on and off by a restart alone; what is planned "
			       "for the next start comes first.");
	return kc_step(rule->host, rule->run,
		       &(const struct kc_step){
			       .size = sizeof(struct kc_step),
			       .kind = KC_STEP_SELINUX_MODE,
			       .flags = to < j.mode ? KC_STEP_WEAKENS : KC_STEP_DISTURBS,
			       .horizon = KC_NOW,
			       .content = name,
			       .content_size = strlen(name),
			       .why = "It holds until the next start; the configuration decides "
				      "from then on.",
		       });
}

/* The text with the mode in place of the value, or in a line of its own at the end. */
static int edit_text(const struct selinux_judgement *j, enum selinux_mode to, struct kc_buf *text)
{
	const struct selinux_config *c = &j->config;

	if (c->mode) {
		kc_buf_add(text, j->text.data, c->value);
		kc_buf_adds(text, selinux_mode_name(to));
		kc_buf_adds(text, j->text.data + c->value + c->value_size);
	} else {
		kc_buf_add(text, j->text.data, j->text.size);
		if (j->text.size && j->text.data[j->text.size - 1] != '\n')
			kc_buf_addc(text, '\n');
		kc_buf_addf(text, "SELINUX=%s\n", selinux_mode_name(to));
	}
	return kc_buf_error(text);
}

static int plan_config(const struct selinux_rule *rule, const struct selinux_judgement *j,
		       enum selinux_mode to)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	int r = edit_text(j, to, &text);

	if (r < 0)
		return r;
	return kc_step(rule->host, rule->run,
		       &(const struct kc_step){
			       .size = sizeof(struct kc_step),
			       .kind = KC_STEP_EDIT_FILE,
			       .flags = KC_STEP_KEEP_OWNER | flags_of(j->mode, to),
			       .horizon = KC_BOOT,
			       .target = SELINUX_CONFIG,
			       .content = text.data,
			       .content_size = text.len,
			       .before = j->text.data,
			       .before_size = j->text.size,
			       .why = j->mode == SELINUX_DISABLED
					      ? "Files that were made without SELinux have no "
						"labels: the first start with it labels all of "
						"them, which takes long (touch /.autorelabel)."
					      : "Programs run in that mode from the next start "
						"on.",
		       });
}

/* The commands that change an argument, by where the entry was found. */
static const char *argument_commands(const struct selinux_rule *rule,
				     const struct selinux_judgement *j)
{
	const char *name =
		kc_arena_printf(rule->arena, "%.*s", (int)strcspn(j->argument, "="), j->argument);

	if (!name)
		return "(out of memory)";
	if (strstr(j->source, "/loader/entries/") && kc_after_prefix(j->source, "/boot/loader/"))
		return kc_text(
			rule->host, rule->run,
			"grubby --update-kernel=ALL --remove-args=%s\n"
			"# With systemd-boot: take %s out of /etc/kernel/cmdline, then "
			"kernel-install add VERSION IMAGE; bootctl list shows the entries.\n",
			name, j->argument);
	if (strstr(j->source, "/grub.cfg:"))
		return kc_text(rule->host, rule->run,
			       "# Take %s out of GRUB_CMDLINE_LINUX in /etc/default/grub, then:\n"
			       "update-grub || grub2-mkconfig -o %.*s\n",
			       j->argument, (int)strcspn(j->source, ":"), j->source);
	return kc_text(rule->host, rule->run,
		       "# Take %s out of /etc/kernel/cmdline, and install the kernel again "
		       "(kernel-install add VERSION IMAGE); bootctl list shows what is started.\n",
		       j->argument);
}

static int plan_boot(const struct selinux_rule *rule)
{
	struct selinux_judgement j;
	enum selinux_mode to;
	uint32_t flags;

	selinux_judge_boot(rule, &j);
	if (j.verdict != KC_FAIL)
		return 0;
	to = choose(rule, j.mode);
	flags = flags_of(j.mode, to);
	if (j.cause == SELINUX_BY_ARGUMENTS)
		return by_hand(rule, KC_BOOT, flags, argument_commands(rule, &j),
			       "No step touches the boot loader.");
	if (j.cause == SELINUX_BY_CONFIG)
		return plan_config(rule, &j, to);
	return by_hand(rule, KC_BOOT, flags,
		       kc_text(rule->host, rule->run,
			       "# Install a policy (selinux-policy-targeted, selinux-basics), set "
			       "SELINUX=%s in " SELINUX_CONFIG
			       ", and on Debian run selinux-activate.\n",
			       selinux_mode_name(to)),
		       "Neither a file of SELinux's nor an argument decides, but what is not "
		       "installed or built.");
}

int selinux_mode_plan(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = 64 << 20 };
	uint32_t horizons = kc_horizons(host, run);
	struct selinux_rule rule;
	const char *why;
	int r;

	r = selinux_rule_read(host, run, &arena, &rule, &why);
	if (r == -EINVAL)
		return 0;
	if (r == 0 && (horizons & KC_BOOT))
		r = plan_boot(&rule);
	if (r == 0 && (horizons & KC_NOW))
		r = plan_now(&rule);
	return r;
}
