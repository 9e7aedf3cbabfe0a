/* SPDX-License-Identifier: Apache-2.0 */
#include "node-descriptor.h"
#include "node.h"

void node_set(struct node *n, const char *name, const struct node_value *value)
{
	const struct kc_fact fact = {
		.size = sizeof(fact),
		.state = value->state,
		.name = name,
		.value = value->value,
		.source = value->source,
	};

	(void)kc_set_fact(n->host, n->run, &fact);
}

void node_known(struct node *n, const char *name, const char *value, const char *source)
{
	node_set(n, name, &(const struct node_value){ KC_FACT_KNOWN, value, source });
}

void node_absent(struct node *n, const char *name, const char *why)
{
	node_set(n, name, &(const struct node_value){ KC_FACT_ABSENT, NULL, why });
}

void node_unknown(struct node *n, const char *name, const char *why)
{
	node_set(n, name, &(const struct node_value){ KC_FACT_UNKNOWN, NULL, why });
}

const char *node_why(struct node *n)
{
	return node_text(n, "%s", kc_why(n->host, n->run));
}

int node_exists(struct node *n, const char *path)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	int r = kc_stat(n->host, n->run, path, 0, &st);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	return r < 0 ? r : 1;
}

int node_first_of(struct node *n, const char *const *paths, const char **ret_path)
{
	KC_FOREACH_STR (path, paths) {
		int r = node_exists(n, path);

		if (r == 0)
			continue;
		*ret_path = path;
		return r;
	}
	return 0;
}

int node_gather(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_freep) struct node *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	n->host = host;
	n->run = run;
	n->live = kc_is_live(host, run);
	node_gather_os(n);
	node_gather_kernel(n);
	node_gather_init(n);
	node_gather_virt(n);
	node_gather_selinux(n);
	node_gather_cgroup(n);
	node_gather_runtime(n);
	node_gather_kubernetes(n);
	kc_arena_done(&n->arena);
	return 0;
}
