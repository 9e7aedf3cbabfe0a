/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#define X(name) extern const struct kc_plugin kc_plugin_##name;
KC_TEST_PLUGINS
#undef X

const struct kc_plugin *const linked_plugins[] = {
#define X(name) &kc_plugin_##name,
	KC_TEST_PLUGINS
#undef X
		NULL,
};

const struct kc_plugin *linked_plugin(const char *name)
{
	for (size_t i = 0; linked_plugins[i]; i++) {
		if (kc_streq(linked_plugins[i]->name, name))
			return linked_plugins[i];
	}
	return NULL;
}

const struct kc_check *plugin_check(const struct kc_plugin *plugin, const char *id)
{
	for (uint32_t i = 0; i < plugin->n_checks; i++) {
		if (kc_streq(plugin->checks[i]->id, id))
			return plugin->checks[i];
	}
	return NULL;
}
