/* SPDX-License-Identifier: Apache-2.0 */
#include "modules.h"

/* Distributions that part their kernels' modules, and the package that has the rarer ones. */
static const struct {
	const char *const ids[7];
	const char *infix; /* of the releases that lack some */
	const char *command;
	bool with_release;
	const char *sentence;
} packages[] = {
	{ { "rhel", "centos", "rocky", "almalinux", "ol", "fedora", NULL },
	  "",
	  "dnf install kernel-modules-extra-",
	  true,
	  "It may be in the package kernel-modules-extra, which images often lack." },
	{ { "ubuntu", NULL },
	  "",
	  "apt-get install linux-modules-extra-",
	  true,
	  "It may be in the package linux-modules-extra, which images for clouds lack." },
	{ { "debian", NULL },
	  "-cloud-",
	  "apt-get install linux-image-amd64",
	  false,
	  "Debian's kernel for clouds leaves modules out that linux-image-amd64 has." },
	{ { "opensuse-leap", "opensuse-tumbleweed", "sles", NULL },
	  "-default",
	  "zypper install kernel-default",
	  false,
	  "The package kernel-default-base leaves modules out that kernel-default has." },
};

const char *modules_hint(const struct kc_host *host, struct kc_run *run, const char *release,
			 const char **ret_hint)
{
	struct kc_fact fact = { .size = sizeof(fact) };

	*ret_hint = NULL;
	if (kc_fact(host, run, "os.id", &fact) < 0 || fact.state != KC_FACT_KNOWN || !fact.value)
		return NULL;
	for (size_t i = 0; i < KC_ARRAY_SIZE(packages); i++) {
		if (!kc_strv_has(packages[i].ids, fact.value) ||
		    !strstr(release, packages[i].infix))
			continue;
		*ret_hint = kc_text(host, run, "%s%s", packages[i].command,
				    packages[i].with_release ? release : "");
		return packages[i].sentence;
	}
	return NULL;
}
