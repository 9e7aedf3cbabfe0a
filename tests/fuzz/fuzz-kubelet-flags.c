/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "formats/kubelet-config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const struct kc_kubelet_config *config, struct kc_arena *arena)
{
	const struct kc_kubelet_setting *setting;
	struct kc_kubelet_value value;
	const char *source;
	size_t n;

	setting = kc_kubelet_settings(&n);
	for (size_t i = 0; i < n; i++)
		if (kc_kubelet_value(config, &setting[i], arena, &value) < 0 || !value.source ||
		    !kc_kubelet_beaten_text(&value, arena))
			abort();
	if (kc_kubelet_gate(config, "KubeletCgroupDriverFromCRI", arena, &source) == -ENOMEM)
		abort();
}

/* The first byte chooses a release; the rest is a command line, and the stat line of a process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kc_arena arena = { 0 };
	struct kc_kubelet_config config = { .state = KC_KUBELET_READ };
	struct kc_kubelet_argument *argument;
	uint32_t parent;
	uint64_t ticks;
	char *text;
	size_t n;

	if (size == 0 || size > 64 * 1024)
		return 0;
	config.release.minor = data[0] % 40;
	config.release.text = "1.x";
	text = kc_arena_memdup(&arena, data + 1, size - 1);
	if (!text)
		return 0;
	(void)kc_kubelet_stat_parse(text, &parent, &ticks);
	if (!kc_endpoint_path(text, &arena))
		abort();
	if (kc_kubelet_cmdline_parse("fuzz", text, size - 1, &arena, &argument, &n) < 0)
		abort();
	if (n <= KC_KUBELET_ARGUMENTS_MAX) {
		if (kc_kubelet_flags_parse(argument, n, &arena, &config.flags) < 0 ||
		    kc_kubelet_flags_check(&config.flags, &config.release, &arena) < 0)
			abort();
		read_all(&config, &arena);
	}
	kc_arena_done(&arena);
	return 0;
}
