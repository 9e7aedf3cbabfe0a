/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "fields.h"

enum {
	NO_TEXT = UINT32_MAX
};

void kc_put_u32(struct kc_buf *b, uint32_t value)
{
	kc_buf_add(b, &value, sizeof(value));
}

void kc_put_u64(struct kc_buf *b, uint64_t value)
{
	kc_buf_add(b, &value, sizeof(value));
}

void kc_put_bytes(struct kc_buf *b, const void *data, size_t size)
{
	kc_put_u32(b, (uint32_t)size);
	kc_buf_add(b, data, size);
	kc_buf_addc(b, 0);
}

void kc_put_text(struct kc_buf *b, const char *text)
{
	if (text)
		kc_put_bytes(b, text, strlen(text));
	else
		kc_put_u32(b, NO_TEXT);
}

void kc_reader_start(struct kc_reader *r, const char *data, size_t size)
{
	*r = (struct kc_reader){ .p = data, .end = data + size };
}

static bool take(struct kc_reader *r, void *to, size_t size)
{
	if (r->failed || (size_t)(r->end - r->p) < size) {
		r->failed = true;
		return false;
	}
	if (to)
		memcpy(to, r->p, size);
	r->p += size;
	return true;
}

uint32_t kc_reader_u32(struct kc_reader *r)
{
	uint32_t v = 0;

	(void)take(r, &v, sizeof(v));
	return v;
}

uint64_t kc_reader_u64(struct kc_reader *r)
{
	uint64_t v = 0;

	(void)take(r, &v, sizeof(v));
	return v;
}

static const char *sized(struct kc_reader *r, uint32_t size)
{
	const char *data = r->p;

	if (!take(r, NULL, (size_t)size + 1) || data[size] != 0) {
		r->failed = true;
		return "";
	}
	return data;
}

const char *kc_reader_sized(struct kc_reader *r, size_t *ret_size)
{
	uint32_t size = kc_reader_u32(r);
	const char *data = sized(r, size);

	*ret_size = r->failed ? 0 : size;
	return data;
}

const char *kc_reader_text(struct kc_reader *r)
{
	uint32_t size = kc_reader_u32(r);
	const char *text;

	if (r->failed || size == NO_TEXT)
		return NULL;
	text = sized(r, size);
	if (!r->failed && strlen(text) != size)
		r->failed = true;
	return text;
}

const char *kc_reader_name(struct kc_reader *r)
{
	const char *text = kc_reader_text(r);

	if (!text)
		r->failed = true;
	return text;
}

uint32_t kc_reader_count(struct kc_reader *r, size_t size)
{
	uint32_t n = kc_reader_u32(r);

	if (r->failed || n > (size_t)(r->end - r->p) / size) {
		r->failed = true;
		return 0;
	}
	return n;
}

int kc_reader_end(const struct kc_reader *r)
{
	return r->failed || r->p != r->end ? -EBADMSG : 0;
}
