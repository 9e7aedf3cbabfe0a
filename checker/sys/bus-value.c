/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "base/str.h"
#include "bus-value.h"

enum {
	MAX_DEPTH = 8,
	MAX_VALUES = 65536,
	MAX_BYTES = 1024 * 1024,
};

/* A reader and what it has used up of its bounds. */
struct reader {
	sd_bus_message *m;
	struct kc_arena *arena;
	struct kc_answer *answer;
	size_t n_values, n_bytes;
};

/* sd-bus has many codes for "not that type, not that shape". */
static int bad(int code)
{
	return code == -ENOMEM ? code : -EBADMSG;
}

static void add_basic(struct kc_buf *b, char type, const void *p)
{
	switch (type) {
	case 'b':
		kc_buf_adds(b, *(const int *)p ? "yes" : "no");
		break;
	case 'y':
		kc_buf_addf(b, "%u", *(const uint8_t *)p);
		break;
	case 'n':
		kc_buf_addf(b, "%d", *(const int16_t *)p);
		break;
	case 'q':
		kc_buf_addf(b, "%u", *(const uint16_t *)p);
		break;
	case 'i':
		kc_buf_addf(b, "%" PRId32, *(const int32_t *)p);
		break;
	case 'u':
		kc_buf_addf(b, "%" PRIu32, *(const uint32_t *)p);
		break;
	case 'x':
		kc_buf_addf(b, "%" PRId64, *(const int64_t *)p);
		break;
	case 't':
		kc_buf_addf(b, "%" PRIu64, *(const uint64_t *)p);
		break;
	case 'd':
		kc_buf_addf(b, "%.17g", *(const double *)p);
		break;
	default:
		kc_buf_adds(b, *(const char *const *)p);
	}
}

static int read_basic(struct reader *reader, char type, struct kc_buf *b)
{
	union {
		uint64_t number;
		double real;
		const char *string;
	} value = { 0 };
	int r;

	if (!strchr("ybnqiuxtdsog", type))
		return -EBADMSG;
	r = sd_bus_message_read_basic(reader->m, type, &value);
	if (r <= 0)
		return r < 0 ? bad(r) : -EBADMSG;
	if (++reader->n_values > MAX_VALUES)
		return -EBADMSG;
	if (strchr("sog", type))
		reader->n_bytes += strlen(value.string);
	if (reader->n_bytes > MAX_BYTES)
		return -EBADMSG;
	add_basic(b, type, &value);
	return kc_buf_error(b);
}

static int add_item(struct reader *reader, const struct kc_buf *b)
{
	if (kc_buf_error(b) < 0)
		return -ENOMEM;
	kc_answer_add(reader->answer, reader->arena, b->data ? b->data : "", b->len);
	return reader->answer->code;
}

/* One complete value, of whatever depth, as one text: members joined by spaces, keys as KEY=VALUE.
 */
static int read_text(struct reader *reader, struct kc_buf *b, unsigned depth)
{
	const char *contents;
	const char *separator = " ";
	bool first = true;
	char type;
	int r;

	r = sd_bus_message_peek_type(reader->m, &type, &contents);
	if (r <= 0 || depth > MAX_DEPTH)
		return r < 0 ? bad(r) : -EBADMSG;
	if (!strchr("avre", type))
		return read_basic(reader, type, b);
	if (type == 'e')
		separator = "=";
	r = sd_bus_message_enter_container(reader->m, type, contents);
	if (r <= 0)
		return r < 0 ? bad(r) : -EBADMSG;
	for (;;) {
		r = sd_bus_message_at_end(reader->m, 0);
		if (r != 0)
			break;
		if (!first)
			kc_buf_adds(b, separator);
		first = false;
		r = read_text(reader, b, depth + 1);
		if (r < 0)
			return r;
	}
	if (r > 0)
		r = sd_bus_message_exit_container(reader->m);
	return r < 0 ? bad(r) : 0;
}

static int read_item(struct reader *reader, unsigned depth)
{
	struct kc_buf b = { 0 };
	int r;

	/* Empty containers count too: an array of them is not bounded by its values. */
	if (++reader->n_values > MAX_VALUES)
		return -EBADMSG;
	r = read_text(reader, &b, depth);
	if (r >= 0)
		r = add_item(reader, &b);
	kc_buf_done(&b);
	return r;
}

/* All values up to the end of the container, an item each; entries of a dictionary are two. */
static int read_items(struct reader *reader, unsigned depth)
{
	const char *contents;
	char type;
	int r;

	for (;;) {
		r = sd_bus_message_at_end(reader->m, 0);
		if (r != 0)
			return r < 0 ? bad(r) : 0;
		r = sd_bus_message_peek_type(reader->m, &type, &contents);
		if (r <= 0)
			return -EBADMSG;
		if (type != 'e') {
			r = read_item(reader, depth);
			if (r < 0)
				return r;
			continue;
		}
		r = sd_bus_message_enter_container(reader->m, type, contents);
		if (r > 0)
			r = read_item(reader, depth + 1);
		if (r >= 0)
			r = read_item(reader, depth + 1);
		if (r >= 0)
			r = sd_bus_message_exit_container(reader->m);
		if (r < 0)
			return bad(r);
	}
}

/* One value of the body: what a container holds becomes items, what a variant holds is looked at.
 */
static int read_body_value(struct reader *reader, unsigned depth)
{
	const char *contents;
	char type;
	int r;

	r = sd_bus_message_peek_type(reader->m, &type, &contents);
	if (r <= 0 || depth > MAX_DEPTH)
		return r < 0 ? bad(r) : -EBADMSG;
	if (!strchr("avr", type))
		return read_item(reader, depth);
	r = sd_bus_message_enter_container(reader->m, type, contents);
	if (r <= 0)
		return r < 0 ? bad(r) : -EBADMSG;
	r = type == 'v' ? read_body_value(reader, depth + 1) : read_items(reader, depth + 1);
	if (r < 0)
		return r;
	r = sd_bus_message_exit_container(reader->m);
	return r < 0 ? bad(r) : 0;
}

int kc_bus_read_reply(sd_bus_message *reply, struct kc_arena *arena, struct kc_answer *answer)
{
	struct reader reader = { .m = reply, .arena = arena, .answer = answer };
	int r;

	for (;;) {
		r = sd_bus_message_at_end(reply, 1);
		if (r != 0)
			return r < 0 ? bad(r) : 0;
		r = read_body_value(&reader, 0);
		if (r < 0)
			return r;
	}
}

static int find_name(const char *const *names, const char *name)
{
	for (int i = 0; names[i]; i++)
		if (kc_streq(names[i], name))
			return i;
	return -ENOENT;
}

/* Enters the variant of an entry and reads the basic value in it. */
static int read_variant(struct reader *reader, struct kc_buf *b)
{
	const char *contents;
	char type;
	int r;

	r = sd_bus_message_peek_type(reader->m, &type, &contents);
	if (r <= 0 || type != 'v' || strlen(contents) != 1)
		return -EBADMSG;
	r = sd_bus_message_enter_container(reader->m, type, contents);
	if (r > 0)
		r = read_basic(reader, contents[0], b);
	if (r >= 0)
		r = sd_bus_message_exit_container(reader->m);
	return r < 0 ? bad(r) : 0;
}

static int read_entry(struct reader *reader, const char *const *names, const char **values)
{
	struct kc_buf b = { 0 };
	const char *name;
	int i, r;

	if (++reader->n_values > MAX_VALUES ||
	    sd_bus_message_read_basic(reader->m, 's', &name) <= 0)
		return -EBADMSG;
	i = find_name(names, name);
	if (i < 0) {
		r = sd_bus_message_skip(reader->m, "v");
		return r < 0 ? bad(r) : 0;
	}
	r = read_variant(reader, &b);
	if (r >= 0) {
		values[i] = kc_arena_memdup(reader->arena, b.data ? b.data : "", b.len);
		r = values[i] ? 0 : -ENOMEM;
	}
	kc_buf_done(&b);
	return r;
}

int kc_bus_read_properties(sd_bus_message *reply, const char *const *names, struct kc_arena *arena,
			   const char **values)
{
	struct reader reader = { .m = reply, .arena = arena };
	int r;

	r = sd_bus_message_enter_container(reply, 'a', "{sv}");
	if (r <= 0)
		return r < 0 ? bad(r) : -EBADMSG;
	while ((r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
		r = read_entry(&reader, names, values);
		if (r < 0)
			return r;
		r = sd_bus_message_exit_container(reply);
		if (r < 0)
			return bad(r);
	}
	return r < 0 ? bad(r) : 0;
}
