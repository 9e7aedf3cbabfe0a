/* SPDX-License-Identifier: Apache-2.0 */
#include "json-text.h"
#include "value.h"

void kc_json_done(struct kc_json *w)
{
	kc_buf_done(&w->text);
	kc_buf_done(&w->encoded);
}

json_t *kc_json_text(struct kc_json *w, const char *s)
{
	if (!s)
		return json_null();
	kc_buf_reset(&w->text);
	kc_buf_add(&w->text, NULL, 0);
	kc_value_add_utf8(&w->text, s, KC_JSON_VALUE_MAX);
	if (w->text.failed)
		return NULL;
	return json_stringn_nocheck(w->text.data, w->text.len);
}

json_t *kc_json_text_list(struct kc_json *w, const char *const *list)
{
	kc_cleanup(json_decrefp) json_t *array = json_array();

	KC_FOREACH_STR (item, list) {
		if (json_array_append_new(array, kc_json_text(w, item)) < 0)
			return NULL;
	}
	return TAKE_PTR(array);
}

json_t *kc_json_bytes(struct kc_json *w, const char *s, size_t n)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };

	if (!s)
		return json_null();
	/* No text has a NUL: one is written as other bytes are that are no text. */
	for (size_t at = 0; at < n;) {
		size_t len = strnlen(s + at, n - at);

		kc_buf_add(&text, s + at, len);
		at += len;
		if (at < n) {
			kc_buf_adds(&text, "\\x00");
			at++;
		}
	}
	if (text.failed)
		return NULL;
	return kc_json_text(w, text.data ? text.data : "");
}

int kc_json_set(json_t *object, const char *name, json_t *value)
{
	return json_object_set_new_nocheck(object, name, value) < 0 ? -ENOMEM : 0;
}

int kc_json_set_text(struct kc_json *w, json_t *object, const char *name, const char *s)
{
	return kc_json_set(object, name, kc_json_text(w, s));
}

int kc_json_set_text_if(struct kc_json *w, json_t *object, const char *name, const char *s)
{
	return s ? kc_json_set_text(w, object, name, s) : 0;
}

int kc_json_set_number(json_t *object, const char *name, uint64_t number)
{
	return kc_json_set(object, name,
			   json_integer((json_int_t)KC_MIN(number, (uint64_t)INT64_MAX)));
}

static int append(const char *data, size_t size, void *context)
{
	kc_buf_add(context, data, size);
	return 0;
}

int kc_json_encode(struct kc_json *w, const json_t *json)
{
	return json_dump_callback(json, append, &w->encoded,
				  JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY) < 0
		       ? -ENOMEM
		       : 0;
}

/*
 * Some CI systems look for the marks of their commands anywhere in a line. The bracket of such a
 * mark is written as an escape, which JSON reads as the same character; outside of strings no #
 * stands.
 */
void kc_json_put_encoded(struct kc_json *w)
{
	const char *from = w->encoded.data, *at = from, *end = from + w->encoded.len;

	while ((at = memchr(at, '#', (size_t)(end - at)))) {
		size_t n = kc_ci_mark(at);

		if (n == 0) {
			at++;
			continue;
		}
		(void)fwrite_unlocked(from, 1, (size_t)(at - from) + n - 1, w->out);
		(void)fputs_unlocked("\\u005b", w->out);
		at += n;
		from = at;
	}
	(void)fwrite_unlocked(from, 1, (size_t)(end - from), w->out);
}

int kc_json_put(struct kc_json *w, json_t *value)
{
	kc_cleanup(json_decrefp) json_t *json = value;

	kc_buf_reset(&w->encoded);
	if (!json || kc_json_encode(w, json) < 0 || w->encoded.failed)
		return -ENOMEM;
	kc_json_put_encoded(w);
	return 0;
}

int kc_json_put_member(struct kc_json *w, const char *name, json_t *value)
{
	(void)fprintf(w->out, ",\n\"%s\": ", name);
	return kc_json_put(w, value);
}
