/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

uint32_t kc_config_horizons(const struct kc_run_config *config, const struct kc_rule *rule)
{
	uint32_t horizons = config->horizons;

	if (!config->live)
		horizons &= ~(uint32_t)KC_NOW;
	if (!(rule->check->flags & KC_CHECK_NOW))
		horizons &= ~(uint32_t)KC_NOW;
	if (!(rule->check->flags & KC_CHECK_BOOT))
		horizons &= ~(uint32_t)KC_BOOT;
	return horizons;
}

int kc_config_plugin(const struct kc_run_config *config, const struct kc_manifest *manifest)
{
	for (uint32_t i = 0; i < config->n_plugins; i++) {
		if (config->plugins[i].manifest == manifest)
			return (int)i;
	}
	return -ENOENT;
}
