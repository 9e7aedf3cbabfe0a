/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

#define FIREWALLD_UNIT "firewalld.service"
#define FIREWALLD_NAME "org.fedoraproject.FirewallD1"
#define FIREWALLD_PATH "/org/fedoraproject/FirewallD1"

enum {
	FIREWALLD_MEMORY_MAX = 64 << 20, /* of the readers of files, for one rule */
	FIREWALLD_BOUND_MAX = 64, /* findings about interfaces, at one horizon */
};

/* An interface or source that something binds to a zone by name. */
struct zone_bound {
	const char *name, *zone, *source;
	bool is_source; /* traffic from an address, and no interface */
};

struct zone_bounds {
	struct zone_bound *item;
	size_t n, room;
};

/* What firewalld's files make of its next start. */
struct permanent {
	const char *conf; /* the path of firewalld.conf */
	const char *zone; /* the default zone that comes of it; NULL: cannot be told */
	const char *source;
	bool has_zone; /* there is a zone of the name that the rule asks for */
	const char *note; /* a sentence: why it is not what one might read in the file; or NULL */
	const char *target; /* of the file that the zone "trusted" is read from; or NULL */
	const char *target_source;
	struct zone_bounds bounds;
	bool keeps_rules; /* CleanupOnExit is no */
	const char *keeps_source;
	/* The first thing that could not be read, or that firewalld refuses; or NULL. */
	const char *trouble, *trouble_source;
};

struct zone_rule {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
	const char *zone;
	bool stopped; /* a firewalld that does not run meets the rule */
	bool repair_stops; /* a repair stops it, and leaves its zone */
	struct kc_strings others; /* zones that interfaces may be bound to besides */
	struct permanent permanent;
	bool permanent_known;
};

/* What came of one horizon; texts in the run's memory. */
struct zone_judgement {
	uint32_t verdict; /* enum kc_verdict */
	const char *found, *source, *message;
	const char *reason; /* with KC_SKIP */
	struct zone_bounds bounds; /* interfaces and sources in zones that the rule does not have */
	const char *trouble, *trouble_source; /* what could not be looked at besides; or NULL */
	bool runs; /* it runs; it will be started */
	bool masked; /* nothing can start it */
	bool only_enabled; /* to disable its unit is enough to keep it from starting */
};

#define zone_text(rule, ...) kc_text((rule)->host, (rule)->run, __VA_ARGS__)

/* The run's sentence about what failed last, kept. */
const char *zone_why(const struct zone_rule *rule);

/* Reads the parameters. */
int zone_rule_read(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		   struct zone_rule *ret_rule);

/* Judge one horizon; an error of the host is a verdict, too. Only -ENOMEM is returned. */
int zone_judge_now(struct zone_rule *rule, struct zone_judgement *ret_judgement);
int zone_judge_boot(struct zone_rule *rule, struct zone_judgement *ret_judgement);

/* 1: its unit or its program is there; 0: neither; negative errno: it could not be seen. */
int firewalld_installed(const struct zone_rule *rule);

/* The judgement of a host that has no firewalld. */
void zone_judge_missing(struct zone_judgement *judgement);

/* Reads rule->permanent, once. Only -ENOMEM is returned. */
int permanent_read(struct zone_rule *rule);

/* Remembers the first trouble. */
void permanent_trouble(struct permanent *p, const char *source, const char *trouble);

/* Adds what NetworkManager's profiles and ifcfg files bind to zones. Only -ENOMEM is returned. */
int bounds_of_profiles(struct zone_rule *rule);

int bounds_add(const struct zone_rule *rule, struct zone_bounds *bounds,
	       const struct zone_bound *bound);

/* Leaves those that are in other zones than the rule has. */
int bounds_elsewhere(const struct zone_rule *rule, const struct zone_bounds *all,
		     struct zone_bounds *ret_elsewhere);
