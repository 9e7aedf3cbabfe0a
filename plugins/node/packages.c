/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/program-version.h"
#include "node.h"

/* Those of every program whose version is a fact, so that one look into the database is enough. */
static const char *const all_packages[] = {
	"cri-o",       "containerd", "containerd.io", "docker-ce", "docker.io",
	"moby-engine", "docker",     "kubelet",	      "kubeadm",   NULL,
};

static struct node_value known(const char *value, const char *source)
{
	return (struct node_value){ KC_FACT_KNOWN, value, source };
}

static struct node_value unknown(const char *why)
{
	return (struct node_value){ KC_FACT_UNKNOWN, NULL, why };
}

const char *node_find_version(struct node *n, const char *text)
{
	return kc_version_in(&n->arena, text);
}

static const char *describe(struct node *n, const struct kc_package *package)
{
	if (n->packages.system == KC_PACKAGES_RPM)
		return package->source;
	return node_text(n, "%s: package %s %s", package->source, package->name, package->full);
}

/* What the database says; one that cannot be read says nothing. */
static bool find_package(struct node *n, const char *const *names, struct node_value *ret_value)
{
	const char *why;

	if (!n->looked)
		(void)kc_packages_find(n->host, n->run, &n->arena, all_packages, &n->packages,
				       &why);
	n->looked = true;
	KC_FOREACH_STR (name, names) {
		for (size_t i = 0; i < n->packages.n; i++) {
			const struct kc_package *package = &n->packages.item[i];

			if (!package->installed || !*package->version ||
			    !kc_streq(package->name, name))
				continue;
			*ret_value = known(package->version, describe(n, package));
			return true;
		}
	}
	return false;
}

static struct node_value ask_program(struct node *n, const struct node_program *program)
{
	const char *const argv[] = { program->path, program->option, program->option2, NULL };
	const char *version, *why;

	if (kc_program_version(n->host, n->run, &n->arena, argv, &version, &why) < 0)
		return unknown(why);
	return known(version, node_text(n, "%s %s", program->path, program->option));
}

struct node_value node_program_version(struct node *n, const struct node_program *program)
{
	struct node_value value;

	if (kc_is_packaged_path(program->path) && find_package(n, program->packages, &value))
		return value;
	if (!n->live)
		return unknown(node_text(
			n, "%s is there, is of no package of dpkg's, and is not run offline",
			program->path));
	return ask_program(n, program);
}
