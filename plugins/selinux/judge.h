/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config.h"
#include "formats/boot-arguments.h"
#include "kernel-config.h"

#define SELINUX_CONFIG "/etc/selinux/config"

enum {
	SELINUX_CONFIG_MAX = 1 << 20
};

struct selinux_rule {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
	struct kc_strings modes; /* as the rule has them */
	bool allowed[SELINUX_ENFORCING + 1]; /* by mode */
	const char *expected;
};

/* What decides the mode at the next start, for a repair. */
enum selinux_cause {
	SELINUX_BY_CONFIG = 1, /* /etc/selinux/config */
	SELINUX_BY_ARGUMENTS = 2,
	SELINUX_BY_KERNEL = 3, /* nothing that could be written elsewhere */
};

/* What came of one horizon; texts in the run's memory or the rule's arena. */
struct selinux_judgement {
	uint32_t verdict; /* enum kc_verdict */
	enum selinux_mode mode; /* SELINUX_UNSET where none was found out */
	const char *found, *source, *message;
	enum selinux_cause cause; /* of the boot horizon */
	const char *argument; /* with SELINUX_BY_ARGUMENTS, as it is written */
	struct selinux_config config; /* with SELINUX_BY_CONFIG */
	struct kc_bytes text; /* of /etc/selinux/config; data NULL when it is not there */
};

/* Judge one horizon; an error of the host is a verdict, too. */
void selinux_judge_now(const struct selinux_rule *rule, struct selinux_judgement *ret_judgement);
void selinux_judge_boot(const struct selinux_rule *rule, struct selinux_judgement *ret_judgement);

/* Sets the verdict of a mode. */
void selinux_judge_mode(const struct selinux_rule *rule, enum selinux_mode mode,
			struct selinux_judgement *judgement);

/* An error, with kc_why(). */
void selinux_judge_error(const struct selinux_rule *rule, struct selinux_judgement *judgement);

/* Appends a sentence to the message. */
void selinux_say(const struct selinux_rule *rule, struct selinux_judgement *judgement,
		 const char *sentence);

/* Reads the parameters. -EINVAL: the rule has a mode that there is not, or none; in *ret_why. */
int selinux_rule_read(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		      struct selinux_rule *ret_rule, const char **ret_why);

/*
 * Where the running kernel shows that it has SELinux ("/proc/filesystems"); NULL when it does not,
 * or there is none.
 */
const char *selinux_kernel_shows(const struct kc_host *host, struct kc_run *run);

/*
 * What the kernel that is there does with SELinux of its own accord, by the configuration it was
 * built with: of the running one, on an offline root of the newest. *ret_source is its file.
 */
enum selinux_kernel selinux_kernel_built(const struct kc_host *host, struct kc_run *run,
					 struct kc_arena *arena, const char **ret_source);
