/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "sysctl/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every key that was read is found again, and has the last line that gives it. */
static void check(const struct sysctl_settings *s)
{
	for (size_t i = 0; i < s->lines.n && i < 64; i++) {
		const struct sysctl_line *beaten[4], *line = s->lines.item + i;
		struct sysctl_winner w;

		sysctl_settings_find(s, SYSCTL_PROCPS, line->key, &w);
		sysctl_settings_find(s, SYSCTL_SYSTEMD, line->key, &w);
		if (!line->ignored && !line->glob && line->value && !w.line && !w.excluded)
			abort();
		if (w.line && !w.line->glob &&
		    (!kc_streq(w.line->key, line->key) || !w.line->value))
			abort();
		if (sysctl_settings_beaten(s, line->key, w.line, beaten, KC_ARRAY_SIZE(beaten)) >
		    KC_ARRAY_SIZE(beaten))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = 256 << 20 };
	struct sysctl_settings s = { 0 };

	if (sysctl_file_parse("/etc/sysctl.d/x.conf", (const char *)data, size, &arena, &s.lines) <
	    0)
		return 0;
	s.n_systemd = s.lines.n;
	if (sysctl_settings_index(&s, &arena) == 0)
		check(&s);
	return 0;
}
