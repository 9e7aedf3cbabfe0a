/* SPDX-License-Identifier: Apache-2.0 */
#include "base/num.h"
#include "node.h"

/*
 * "absent", or TYPE,MODE,UID,GID,SIZE,ATIME,MTIME,CONTENT and ,NAME:VALUE for each extended
 * attribute; texts in hexadecimal.
 */

static const char *const type_names[] = { "absent", "file", "folder", "link", NULL };

enum {
	XATTRS_MAX = 1024
};

static void put_hex(struct kc_buf *b, const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		kc_buf_addf(b, "%02x", (unsigned char)data[i]);
}

void kc_node_put(struct kc_buf *b, const struct kc_node *node)
{
	if (node->type > KC_FILE_SYMLINK || node->type == 0) {
		kc_buf_adds(b, "absent");
		return;
	}
	kc_buf_addf(b, "%s,%u,%u,%u,%llu,%lld.%09ld,%lld.%09ld,", type_names[node->type],
		    node->mode, node->uid, node->gid, (unsigned long long)node->size,
		    (long long)node->atime.tv_sec, node->atime.tv_nsec,
		    (long long)node->mtime.tv_sec, node->mtime.tv_nsec);
	if (node->sha256)
		kc_buf_adds(b, node->sha256);
	else if (node->link)
		put_hex(b, node->link, strlen(node->link));
	for (uint32_t i = 0; i < node->n_xattrs; i++) {
		kc_buf_addc(b, ',');
		put_hex(b, node->xattrs[i].name, strlen(node->xattrs[i].name));
		kc_buf_addc(b, ':');
		put_hex(b, node->xattrs[i].value, node->xattrs[i].size);
	}
}

static int get_u32(char **rest, uint32_t *ret)
{
	const char *word = strsep(rest, ",");
	uint64_t value;

	if (!word || kc_parse_u64(word, &value) < 0 || value > UINT32_MAX)
		return -EBADMSG;
	*ret = (uint32_t)value;
	return 0;
}

static int get_time(char **rest, struct timespec *ret)
{
	char *word = strsep(rest, ","), *dot = word ? strchr(word, '.') : NULL;
	int64_t seconds;
	uint64_t nanoseconds;

	if (!dot || strlen(dot + 1) != 9)
		return -EBADMSG;
	*dot = '\0';
	if (kc_parse_i64(word, &seconds) < 0 || kc_parse_u64(dot + 1, &nanoseconds) < 0)
		return -EBADMSG;
	*ret = (struct timespec){ .tv_sec = seconds, .tv_nsec = (long)nanoseconds };
	return 0;
}

/* In place. The bytes of a text hold no NUL where `text`. */
static int get_hex(char *hex, bool text, size_t *ret_size)
{
	size_t n = strlen(hex);

	if (n % 2)
		return -EBADMSG;
	for (size_t i = 0; i < n / 2; i++) {
		int high = kc_hex_digit(hex[2 * i]), low = kc_hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0 || (text && high + low == 0))
			return -EBADMSG;
		hex[i] = (char)(high * 16 + low);
	}
	hex[n / 2] = '\0';
	*ret_size = n / 2;
	return 0;
}

static int get_xattrs(char *rest, struct kc_arena *arena, struct kc_node *node)
{
	struct kc_node_xattr *xattrs = NULL;
	size_t n = 0, room = 0;
	char *word;

	while ((word = strsep(&rest, ","))) {
		char *colon = strchr(word, ':');
		size_t size, value_size;
		void *grown;

		if (!colon || n == XATTRS_MAX)
			return -EBADMSG;
		*colon = '\0';
		if (get_hex(word, true, &size) < 0 || size == 0 ||
		    get_hex(colon + 1, false, &value_size) < 0)
			return -EBADMSG;
		grown = kc_arena_grow(arena, xattrs, n, &room, sizeof(*xattrs));
		if (!grown)
			return -ENOMEM;
		xattrs = grown;
		xattrs[n++] = (struct kc_node_xattr){ .name = word,
						      .value = colon + 1,
						      .size = value_size };
	}
	node->xattrs = xattrs;
	node->n_xattrs = (uint32_t)n;
	return 0;
}

static int get_content(char **rest, struct kc_node *node)
{
	char *word = strsep(rest, ",");
	size_t size;

	if (!word)
		return -EBADMSG;
	switch (node->type) {
	case KC_FILE_REGULAR:
		/* Of an owner or mode alone the content was not read. */
		if (!*word)
			return 0;
		if (strlen(word) != KC_DIGEST_TEXT - 1 ||
		    word[strspn(word, "0123456789abcdef")] != '\0')
			return -EBADMSG;
		node->sha256 = word;
		return 0;
	case KC_FILE_SYMLINK:
		if (get_hex(word, true, &size) < 0 || size == 0)
			return -EBADMSG;
		node->link = word;
		return 0;
	default:
		return *word ? -EBADMSG : 0;
	}
}

int kc_node_get(const char *text, struct kc_arena *arena, struct kc_node *ret_node)
{
	char *rest = kc_arena_strdup(arena, text), *word;
	struct kc_node node = { 0 };
	uint64_t size;
	int type, r;

	if (!rest)
		return -ENOMEM;
	word = strsep(&rest, ",");
	for (type = 0; type_names[type] && !kc_streq(type_names[type], word);)
		type++;
	if (!type_names[type] || (type == 0) != (rest == NULL))
		return -EBADMSG;
	node.type = (uint32_t)type;
	if (type != 0) {
		if (get_u32(&rest, &node.mode) < 0 || node.mode > 07777 ||
		    get_u32(&rest, &node.uid) < 0 || get_u32(&rest, &node.gid) < 0)
			return -EBADMSG;
		word = strsep(&rest, ",");
		if (!word || kc_parse_u64(word, &size) < 0)
			return -EBADMSG;
		node.size = size;
		if (get_time(&rest, &node.atime) < 0 || get_time(&rest, &node.mtime) < 0 ||
		    get_content(&rest, &node) < 0)
			return -EBADMSG;
		r = rest ? get_xattrs(rest, arena, &node) : 0;
		if (r < 0)
			return r;
	}
	*ret_node = node;
	return 0;
}
