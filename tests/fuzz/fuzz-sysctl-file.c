/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "sysctl/settings.h"
#include "sysctl/sysctl-edit.h"

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

/* After an edit the key has the value, and nothing but the mark and the line was added. */
static void check_edit(const char *text, size_t size)
{
	static const struct sysctl_edit edit = { "net/ipv4/ip_forward",
						 "net/ipv4/conf/all/forwarding",
						 "net.ipv4.ip_forward", "1" };
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = 256 << 20 };
	kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };
	struct sysctl_settings s = { 0 };
	struct sysctl_winner own, alias;

	if (sysctl_edit_text(text, size, &edit, 1, &out) < 0)
		return;
	if (out.len < size || out.len > size + strlen(KC_MARK "\nnet.ipv4.ip_forward = 1\n"))
		abort();
	if (sysctl_file_parse("", out.data, out.len, &arena, &s.lines) < 0)
		return;
	s.n_systemd = s.lines.n;
	if (sysctl_settings_index(&s, &arena) < 0)
		return;
	sysctl_settings_find(&s, SYSCTL_SYSTEMD, edit.key, &own);
	sysctl_settings_find(&s, SYSCTL_SYSTEMD, edit.alias, &alias);
	if (!own.line || own.line->glob || !kc_streq(own.line->value, "1"))
		abort();
	if (alias.line && !alias.line->glob && alias.place > own.place)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = 256 << 20 };
	struct sysctl_settings s = { 0 };

	check_edit((const char *)data, size);
	if (sysctl_file_parse("/etc/sysctl.d/x.conf", (const char *)data, size, &arena, &s.lines) <
	    0)
		return 0;
	s.n_systemd = s.lines.n;
	if (sysctl_settings_index(&s, &arena) == 0)
		check(&s);
	return 0;
}
