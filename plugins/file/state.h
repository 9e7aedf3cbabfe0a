/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "file.h"

/* What the judgement of file.state and its repair share. */

/* A rule's parameters. */
struct state_rule {
	struct file_place place;
	const char *type; /* "any", or what it shall be */
	const char *mode, *at_most_mode, *owner, *group, *label; /* NULL: not asked */
	int64_t at_least_size, at_most_size; /* -1: not asked */
	bool exists, follow;
};

/* Reads them; `place` is left to be found for the path. */
int state_rule_read(const struct kc_host *host, struct kc_run *run, struct state_rule *rule,
		    const char **ret_path);

/* Whether a file of the type (enum kc_file_type) is what the rule wants. */
bool state_is_type(const struct state_rule *rule, uint32_t type);

/* Whether it asks for more than that the file be there. */
bool state_asks_more(const struct state_rule *rule);

/* Reads octal digits; false when they are no mode. */
bool state_mode(const char *text, uint32_t *ret_mode);
