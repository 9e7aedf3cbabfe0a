/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "formats/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct kc_toml_node *node, unsigned depth)
{
	if (depth > 2 * KC_TOML_DEPTH_MAX + 2 || node->type < KC_TOML_TABLE ||
	    node->type > KC_TOML_TIME || (depth > 0 && (node->line == 0 || node->column == 0)))
		abort();
	if (node->type == KC_TOML_STRING && node->text[node->size] != '\0')
		abort();
	for (uint32_t i = 0; i < node->n; i++)
		check(&node->child[i], depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kc_arena arena = { 0 };
	const struct kc_toml_node *root;
	struct kc_err err = { 0 };

	if (kc_toml_parse("fuzz", (const char *)data, size, &arena, &err, &root) == 0)
		check(root, 0);
	else if (err.text[0] == '\0')
		abort();
	kc_arena_done(&arena);
	return 0;
}
