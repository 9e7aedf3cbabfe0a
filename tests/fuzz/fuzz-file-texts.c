/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "file/accounts.h"
#include "file/text-lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Lines come one after another, none of them outside the text; a name that was found has its id. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	const char *text = kc_arena_memdup(&arena, data, size), *at = text, *name;
	unsigned number = 0, last = 0;
	size_t left = size;
	struct file_line line;
	uint32_t id;

	while (text && file_line_next(&at, &left, &number, "#", &line)) {
		if (line.text < text || line.text + line.length > at || line.number <= last ||
		    line.length == 0 || line.text[0] == '#')
			abort();
		last = line.number;
	}
	if (!text || at != text + size || file_line_of_nul(text, size) > number + 1)
		abort();
	if (file_account_id(text, size, "root", &id) == 0 &&
	    !file_account_name(text, size, id, &arena))
		abort();
	/* Whatever is first with that number has a name, which is found to have one. */
	name = file_account_name(text, size, 0, &arena);
	if (name && *name && !memchr(text, '\0', size) &&
	    file_account_id(text, size, name, &id) < 0)
		abort();
	return 0;
}
