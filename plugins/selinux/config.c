/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "config.h"

static const struct {
	const char *name;
	enum selinux_mode mode;
} modes[] = {
	{ "enforcing", SELINUX_ENFORCING },
	{ "permissive", SELINUX_PERMISSIVE },
	{ "disabled", SELINUX_DISABLED },
};

const char *selinux_mode_name(enum selinux_mode mode)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(modes); i++)
		if (modes[i].mode == mode)
			return modes[i].name;
	return NULL;
}

enum selinux_mode selinux_mode_of(const char *name)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(modes); i++)
		if (kc_streq(modes[i].name, name))
			return modes[i].mode;
	return SELINUX_UNSET;
}

/* Whether the text at `value`, up to `end`, begins with a mode. */
static bool begins_with_mode(const char *value, const char *end, struct selinux_config *config)
{
	const char *word = value;

	while (word < end && kc_isspace(*word))
		word++;
	for (size_t i = 0; i < KC_ARRAY_SIZE(modes); i++) {
		size_t n = strlen(modes[i].name);

		if ((size_t)(end - word) < n || strncasecmp(word, modes[i].name, n) != 0)
			continue;
		config->mode = modes[i].mode;
		config->spaced = word > value;
		config->value_size = (size_t)(word - value) + n;
		return true;
	}
	return false;
}

void selinux_config_parse(const char *text, size_t size, struct selinux_config *ret_config)
{
	static const char tag[] = "SELINUX=";
	const char *end = text + size;
	struct selinux_config config = { 0 };
	unsigned line = 1;

	for (const char *s = text; s < end; line++) {
		const char *eol = memchr(s, '\n', (size_t)(end - s));
		const char *stop = eol ? eol : end;
		size_t n = strlen(tag);

		if ((size_t)(stop - s) >= n && memcmp(s, tag, n) == 0 &&
		    begins_with_mode(s + n, stop, &config)) {
			config.line = line;
			config.value = (size_t)(s + n - text);
			break;
		}
		s = stop + 1;
	}
	*ret_config = config;
}
