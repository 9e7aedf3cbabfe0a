/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "formats/boot-loader-entry.h"
#include "formats/version-order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int sign(int n)
{
	return n < 0 ? -1 : n > 0;
}

/* An order that is none would let qsort(3) run wild. */
static void compare(const char *a, const char *b)
{
	if (kc_version_order_systemd(a, a) != 0 || kc_version_order_blscfg(a, a) != 0 ||
	    sign(kc_version_order_systemd(a, b)) != -sign(kc_version_order_systemd(b, a)))
		abort();
	(void)kc_version_order_blscfg(a, b);
}

/* Options stand in the file's lines, and lines are those of the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = 64 << 20 };
	const char *text = (const char *)data, *value = NULL;
	struct kc_boot_entry grub = { 0 }, systemd = { 0 };
	unsigned line = 0;

	if (kc_boot_entry_parse("fuzz", text, size, KC_BOOT_LOADER_GRUB, &arena, &grub) < 0)
		return 0;
	if (kc_boot_entry_parse("fuzz", text, size, KC_BOOT_LOADER_SYSTEMD, &arena, &systemd) ==
	    0) {
		if (grub.n_options > systemd.n_options || systemd.line > size + 1 ||
		    !systemd.options != !systemd.n_options)
			abort();
		if (systemd.version && systemd.title)
			compare(systemd.version, systemd.title);
	}
	if (kc_loader_conf_get(text, size, "default", &arena, &value, &line) == 0 &&
	    (!value != !line || line > size + 1))
		abort();
	return 0;
}
