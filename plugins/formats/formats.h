/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What plugins of this tree share. A plugin includes k8scheck-plugin.h and headers of this folder,
 * and nothing else of the tree; this header opens the small part of base/ that has no knowledge of
 * the project: ownership, strings, UTF-8, numbers, arenas, a hash.
 */
#include "base/arena.h"
#include "base/fdio.h"
#include "base/hash.h"
#include "base/num.h"
#include "base/str.h"
#include "base/utf8.h"
#include "k8scheck-plugin.h"

/* A finding in one call; every text may be NULL. Returns what kc_finding() returns. */
int kc_report(const struct kc_host *host, struct kc_run *run, uint32_t horizon, uint32_t verdict,
	      const char *subject, const char *expected, const char *found, const char *source,
	      const char *message);

/* A skip for one of the check's reasons. */
int kc_report_skip(const struct kc_host *host, struct kc_run *run, uint32_t horizon,
		   const char *subject, const char *reason, const char *message);

/* An error: what a service failed with, by kc_why(). */
int kc_report_error(const struct kc_host *host, struct kc_run *run, uint32_t horizon,
		    const char *subject, const char *source);

/*
 * Of a name that a listing gave, and that -ENOENT met when it was read: true for a link that leads
 * nowhere, which the daemon meets as well. Anything else came or went while it was looked at, so
 * that nothing can be said of it.
 */
bool kc_is_link(const struct kc_host *host, struct kc_run *run, const char *path);

/* The sentence for the others. */
#define KC_CAME_OR_WENT "it came or went while its folder was read"

/* What stands before a line that a repair makes a comment of, so that people know who did it. */
#define KC_MARK "# k8scheck: "

/* A step for a person: commands to type, and why nothing does it for them. */
int kc_plan_by_hand(const struct kc_host *host, struct kc_run *run, uint32_t horizon,
		    const char *commands, const char *why);

/* A step for the next start that makes a folder, of root and with mode 0755, if it is not there. */
int kc_plan_folder(const struct kc_host *host, struct kc_run *run, const char *path,
		   const char *why);

/* Text in the run's memory, for a finding; never NULL ("(out of memory)" at worst). */
const char *kc_text(const struct kc_host *host, struct kc_run *run, const char *fmt, ...)
	kc_printf(3, 4);
