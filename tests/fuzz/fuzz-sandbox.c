/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "run/sandbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
	if (!condition)
		abort();
}

static size_t count(const char *const *list)
{
	size_t n = 0;

	while (list[n])
		n++;
	return n;
}

/* What the zygote tells of its layers, and what it would tell were the bytes its state. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kc_arena arena = { .limit = 64 * 1024 * 1024 };
	struct kc_sandbox sandbox = { 0 };
	struct kc_sandbox_told told;
	struct kc_buf b = { 0 };
	struct kc_reader r;

	kc_reader_start(&r, (const char *)data, size);
	if (kc_sandbox_get(&r, &arena, &told) == 0) {
		must(count(told.layers) <= KC_LAYER_MAX);
		must(count(told.missing) <= KC_LAYER_MAX + 1);
	}
	if (size >= 3) {
		sandbox.policy = data[0] % 3;
		sandbox.in_force = data[1] & ((1u << KC_LAYER_MAX) - 1);
		sandbox.n_left = data[2];
		kc_buf_add(&sandbox.left, data + 3, strnlen((const char *)data + 3, size - 3));
		kc_buf_addc(&sandbox.left, 0);
		kc_sandbox_put(&b, &sandbox);
		kc_reader_start(&r, b.data, b.len);
		must(kc_sandbox_get(&r, &arena, &told) == 0 && kc_reader_end(&r) == 0);
		must(count(told.layers) == (size_t)__builtin_popcount(sandbox.in_force));
		kc_sandbox_done(&sandbox);
		kc_buf_done(&b);
	}
	kc_arena_done(&arena);
	return 0;
}
