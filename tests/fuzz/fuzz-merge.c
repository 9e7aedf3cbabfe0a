/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "model/merge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct text {
	const char *s;
	size_t n;
};

/* What stands in front of the next NUL byte, or all that is left. */
static struct text take(struct text *rest)
{
	const char *end = rest->n > 0 ? memchr(rest->s, 0, rest->n) : NULL;
	struct text t = { rest->s, end ? (size_t)(end - rest->s) : rest->n };
	size_t skip = t.n + (end != NULL);

	rest->s += skip;
	rest->n -= skip;
	return t;
}

static int merge(struct text base, struct text a, struct text b, struct kc_buf *out)
{
	int r = kc_merge3(base.s, base.n, a.s, a.n, b.s, b.n, out);

	if (r < 0 && r != -EBUSY && r != -EFBIG && r != -ENOMEM)
		abort();
	return r;
}

static void expect(struct text base, struct text a, struct text b, struct text merged)
{
	kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };
	int r = merge(base, a, b, &out);

	if (r == -ENOMEM)
		return;
	if (r < 0 || out.len != merged.n ||
	    (merged.n > 0 && memcmp(out.data, merged.s, merged.n) != 0))
		abort();
}

/* Three texts with NUL bytes between them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kc_cleanup(kc_buf_done) struct kc_buf ab = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf ba = { 0 };
	struct text rest = { (const char *)data, size };
	struct text base, a, b;

	if (size > KC_LINES_SIZE_MAX)
		return 0;
	base = take(&rest);
	a = take(&rest);
	b = rest;
	expect(base, a, base, a);
	expect(base, base, b, b);
	expect(base, a, a, a);
	/* Who comes first decides about the order of what both insert, and about nothing else. */
	if ((merge(base, a, b, &ab) == -EBUSY) != (merge(base, b, a, &ba) == -EBUSY))
		abort();
	return 0;
}
