/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest.h"
#include "base/str.h"

const struct kc_manifest_check *kc_manifest_check(const struct kc_manifest *manifest,
						  const char *id)
{
	for (uint32_t i = 0; i < manifest->n_checks; i++) {
		if (kc_streq(manifest->checks[i].id, id))
			return manifest->checks + i;
	}
	return NULL;
}

int kc_manifest_param(const struct kc_manifest_check *check, const char *name)
{
	for (uint32_t i = 0; i < check->n_params; i++) {
		if (kc_streq(check->params[i].name, name))
			return (int)i;
	}
	return -ENOENT;
}

const char *kc_manifest_reason(const struct kc_manifest_check *check, const char *id)
{
	for (uint32_t i = 0; i < check->n_reasons; i++) {
		if (kc_streq(check->reasons[i].id, id))
			return check->reasons[i].text;
	}
	return NULL;
}
