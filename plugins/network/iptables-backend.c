/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/search-path.h"
#include "network-descriptor.h"
#include "network.h"

#define USED_BY "kubelet.service" /* whose PATH decides which iptables is meant */

enum {
	NAMES_MAX = 4096 /* of /proc/net/ip_tables_names */
};

struct backend {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
	const char *wanted; /* "nft", "legacy" */
	struct kc_search_path path;
};

/* A program of the PATH, and what its links lead to. */
struct program {
	const char *name; /* "iptables" */
	const char *path; /* where it is found; NULL: nowhere */
	const char *resolved;
	const char *kind; /* "nft", "legacy"; NULL: neither that is known */
	const char *unseen; /* why it could not be found out; or NULL */
};

/* What the multi-call programs of iptables 1.4 to 1.8 are called, by their back end. */
static const char *kind_of(const char *path)
{
	static const char *const nft[] = { "xtables-nft-multi", "xtables-compat-multi", NULL };
	static const char *const legacy[] = { "xtables-legacy-multi", "xtables-multi", NULL };
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (kc_strv_has(nft, name))
		return "nft";
	return kc_strv_has(legacy, name) ? "legacy" : NULL;
}

static int find_program(const struct backend *b, const char *name, struct program *ret_program)
{
	struct program program = { .name = name };
	struct kc_search_result found;
	int r;

	r = kc_search_path_find(b->host, b->run, b->arena, b->path.text, name, &found);
	if (r)
		return r;
	program.path = found.path;
	/* A folder that could not be looked at may have one that goes before it. */
	program.unseen = found.unseen;
	if (found.path && !program.unseen) {
		r = kc_resolve(b->host, b->run, found.path, &program.resolved);
		if (r == -ENOMEM)
			return r;
		if (r)
			program.unseen = kc_text(b->host, b->run, "%s", kc_why(b->host, b->run));
		else
			program.kind = kind_of(program.resolved);
	}
	*ret_program = program;
	return 0;
}

/* "/usr/sbin/iptables -> /etc/alternatives/iptables -> … /usr/sbin/xtables-nft-multi" */
static const char *links_of(const struct backend *b, const struct program *program)
{
	const char *target;

	if (!program->resolved || kc_streq(program->path, program->resolved))
		return program->path;
	if (kc_read_link(b->host, b->run, program->path, &target) || *target != '/' ||
	    kc_streq(target, program->resolved))
		return kc_text(b->host, b->run, "%s -> %s", program->path, program->resolved);
	return kc_text(b->host, b->run, "%s -> %s -> %s", program->path, target, program->resolved);
}

static int report(const struct backend *b, uint32_t horizon, uint32_t verdict,
		  const struct program *program, const char *found, const char *message)
{
	return kc_report(b->host, b->run, horizon, verdict, program->name, b->wanted, found,
			 links_of(b, program), message);
}

/* Where a program's links lead, for a horizon. */
static int judge_program(const struct backend *b, uint32_t horizon, const struct program *program)
{
	if (program->unseen)
		return report(b, horizon, KC_ERROR, program, NULL, program->unseen);
	if (!program->kind)
		return report(b, horizon, KC_ERROR, program, program->resolved,
			      "This is none of the programs of iptables, so that its back end "
			      "cannot be told.");
	if (kc_streq(program->kind, b->wanted))
		return report(b, horizon, KC_PASS, program, program->kind, NULL);
	return report(b, horizon, KC_FAIL, program, program->kind,
		      "The kubelet writes its rules by this one.");
}

/*
 * Whether the other back end has tables in the kernel: both see every packet. The kernel tells the
 * names of the old one's tables alone.
 */
static int judge_tables(const struct backend *b, const char *path)
{
	struct kc_strings names = { 0 };
	const char *item[16];
	struct kc_bytes bytes;
	int r = kc_read_file(b->host, b->run, path, NAMES_MAX, &bytes);

	if (r == -ENOENT)
		return 0;
	if (r)
		return kc_report_error(b->host, b->run, KC_NOW, path, path);
	for (const char *at = bytes.data; *at && names.n < KC_ARRAY_SIZE(item);) {
		size_t n = strcspn(at, "\n");

		if (n)
			item[names.n++] = kc_text(b->host, b->run, "%.*s", (int)n, at);
		at += n + (at[n] == '\n');
	}
	names.item = item;
	if (!names.n)
		return 0;
	return kc_report(b->host, b->run, KC_NOW, KC_FAIL, path, "no table of the legacy back end",
			 network_join(b->host, b->run, &names, ""), path,
			 "Something on this host uses the legacy back end beside nftables, and "
			 "packets pass both: iptables-legacy-save shows its rules.");
}

static int judge(const struct backend *b, uint32_t horizon, const struct program *iptables,
		 const struct program *ip6tables)
{
	int r = judge_program(b, horizon, iptables);

	if (!r && (ip6tables->path || ip6tables->unseen))
		r = judge_program(b, horizon, ip6tables);
	if (r || horizon != KC_NOW || !kc_streq(b->wanted, "nft"))
		return r;
	r = judge_tables(b, "/proc/net/ip_tables_names");
	return r ? r : judge_tables(b, "/proc/net/ip6_tables_names");
}

static int skip(const struct backend *b, uint32_t horizons)
{
	static const char reason[] = "not-installed";
	const char *message = kc_text(b->host, b->run, "There is no iptables in %s.", b->path.text);
	int r = 0;

	if (horizons & KC_NOW)
		r = kc_report_skip(b->host, b->run, KC_NOW, "iptables", reason, message);
	if (!r && (horizons & KC_BOOT))
		r = kc_report_skip(b->host, b->run, KC_BOOT, "iptables", reason, message);
	return r;
}

int network_iptables_backend_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = NETWORK_MEMORY_MAX };
	struct backend b = { .host = host, .run = run, .arena = &arena };
	uint32_t horizons = kc_horizons(host, run);
	struct program iptables, ip6tables;
	int r;

	r = kc_param_string(host, run, "backend", &b.wanted);
	if (!r)
		r = kc_search_path_read(host, run, &arena, USED_BY, &b.path);
	if (!r)
		r = find_program(&b, "iptables", &iptables);
	if (r)
		return r;
	/* Without it the other is not judged, so not looked for either. */
	if (!iptables.path && !iptables.unseen)
		return skip(&b, horizons);
	r = find_program(&b, "ip6tables", &ip6tables);
	if (r)
		return r;
	if (horizons & KC_NOW)
		r = judge(&b, KC_NOW, &iptables, &ip6tables);
	if (!r && (horizons & KC_BOOT))
		r = judge(&b, KC_BOOT, &iptables, &ip6tables);
	return r;
}
