/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "formats/module-index.h"
#include "formats/module-lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first line is the module, the rest the index: what is found lies in it, and is the module's.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *path, *rest, *name;
	const char *newline = size > 0 ? memchr(text, '\n', size) : NULL;
	size_t path_size, rest_size, n;
	kc_cleanup(kc_freep) char *module = NULL;

	if (!newline)
		return 0;
	module = strndup(text, (size_t)(newline - text));
	size -= (size_t)(newline + 1 - text);
	text = newline + 1;
	if (!module ||
	    !kc_module_find_line(text, size, module, &path, &path_size, &rest, &rest_size))
		return 0;
	if (path < text || path + path_size > text + size || rest < path + path_size ||
	    rest + rest_size > text + size || memchr(path, '\n', path_size) ||
	    memchr(rest, '\n', rest_size))
		abort();
	n = kc_module_name_of_path(path, path_size, &name);
	if (n == 0 || name < path || name + n > path + path_size || !kc_module_is(name, n, module))
		abort();
	return 0;
}
