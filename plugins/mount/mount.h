/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/mount-table.h"
#include "formats/unit-path.h"
#include "formats/unit.h"

enum {
	MOUNT_MEMORY_MAX = 64 << 20, /* of the readers, for one rule */
	MOUNT_FILE_MAX = 4 << 20,
	MOUNT_DEPTH_MAX = 256, /* folders in a path */
};

/* A rule's parameters, and what was made of its path. */
struct mount_rule {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
	const char *path; /* as the rule has it */
	const char *resolved; /* without links; what is not there is appended as it is */
	bool missing; /* the path is not there */
	struct kc_strings has, lacks, types;
	bool mount_point;
};

/* A mount that was found, or that will be made. */
struct mount_found {
	const char *where, *what, *type, *options;
	const char *source; /* evidence */
};

/* What options say of one, by name or NAME=VALUE. `boot`: they are asked for in a file, and not
 * those that the kernel has in effect. */
bool mount_setting_is_on(struct kc_arena *arena, const char *options, const char *name, bool boot);

/* Reports whether the mount is as the rule asks. `note`: a sentence, or NULL. */
int mount_judge(const struct mount_rule *rule, uint32_t horizon, const struct mount_found *found,
		const char *note);

/* Judge one horizon by findings. */
int mount_judge_now(const struct mount_rule *rule);
int mount_judge_boot(const struct mount_rule *rule);
