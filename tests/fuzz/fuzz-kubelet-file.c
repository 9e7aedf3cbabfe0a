/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "formats/kubelet-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const struct kc_kubelet_file *file, struct kc_arena *arena)
{
	const struct kc_kubelet_setting *setting;
	size_t n;

	setting = kc_kubelet_settings(&n);
	for (size_t i = 0; i < n; i++) {
		const struct kc_yaml_node *node;

		if (!setting[i].key)
			continue;
		node = kc_kubelet_file_get(file, setting[i].key);
		if (node && !kc_kubelet_node_text(node, setting[i].type, arena))
			abort();
	}
}

/* What was set must be what is read afterwards. */
static void set_one(const struct kc_kubelet_file *file, struct kc_arena *arena)
{
	struct kc_kubelet_file after;
	const struct kc_yaml_node *node;
	const char *text;
	size_t size;

	if (kc_kubelet_file_set(file, "cgroupDriver", "systemd", arena, &text, &size) < 0)
		return;
	if (kc_kubelet_file_parse("fuzz", text, size, false, arena, &after) < 0)
		abort();
	node = kc_kubelet_file_get(&after, "cgroupDriver");
	if (!node || !kc_streq(node->scalar, "systemd"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kc_arena arena = { 0 };
	struct kc_kubelet_file file;
	const char *text = size <= KC_KUBELET_FILE_MAX ? kc_arena_memdup(&arena, data, size) : NULL;

	if (text && kc_kubelet_file_parse("fuzz", text, size, size & 1, &arena, &file) == 0) {
		if (!file.root == (!file.refusal && !file.unread))
			abort();
		if (!file.root && !file.at)
			abort();
		read_all(&file, &arena);
		set_one(&file, &arena);
	}
	kc_arena_done(&arena);
	return 0;
}
