/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "fix/policy.h"
#include "formats/module-lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	READER_MEMORY_MAX = 64 * 1024 * 1024,
	TEXT_MAX = 1024 * 1024, /* what a step may hold */
};

static int judge(uint32_t kind, const char *path, const char *text, size_t size, const char *old,
		 size_t old_size)
{
	const struct kc_step step = {
		.size = sizeof(step),
		.kind = kind,
		.target = path,
		.content = text,
		.content_size = size,
		.before = old,
		.before_size = old_size,
	};

	return kc_policy_content(&step, path, NULL);
}

/* A file that is let pass has no line that the reader of the plugins takes for a command. */
static void compare_modprobe(const char *text, size_t size)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = READER_MEMORY_MAX };
	struct kc_module_lines lines = { 0 };

	if (kc_modprobe_parse("", text, size, &arena, &lines) < 0)
		return;
	for (size_t i = 0; i < lines.n; i++) {
		if (lines.item[i].verb == KC_MODULE_INSTALL)
			abort();
	}
}

/*
 * What is there may stay, in every file that is judged by its lines; and what may be written anew,
 * an edit may make of anything.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = { "/etc/sysctl.d/x.conf",
					     "/etc/modprobe.d/x.conf",
					     "/etc/systemd/zram-generator.conf",
					     "/etc/crio/crio.conf",
					     "/etc/cni/net.d/x.conflist",
					     "/etc/sysconfig/kubelet",
					     "/var/lib/kubelet/config.yaml",
					     "/etc/yum.repos.d/x.repo",
					     "/etc/fstab",
					     NULL };
	const char *text = size > 0 ? (const char *)data : "";

	if (size > TEXT_MAX)
		return 0;
	KC_FOREACH_STR (path, paths) {
		int r = judge(KC_STEP_WRITE_FILE, path, text, size, NULL, 0);

		if (judge(KC_STEP_EDIT_FILE, path, text, size, text, size) < 0 ||
		    judge(KC_STEP_EDIT_FILE, path, text, size, "", 0) != r)
			abort();
		if (r == 0 && kc_after_prefix(path, "/etc/modprobe.d/"))
			compare_modprobe(text, size);
	}
	return 0;
}
