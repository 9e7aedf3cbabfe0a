/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "kubelet-file.h"

#define API_VERSION "kubelet.config.k8s.io/v1beta1"
#define KIND	    "KubeletConfiguration"

enum {
	TEXT_MAX = 4096,
	KEY_MAX = 128,
};

/* Puts a sentence and its place; the first one stays. */
static int tell(struct kc_kubelet_file *file, struct kc_arena *arena, bool refused, uint32_t line,
		const char *sentence)
{
	if (file->refusal || file->unread)
		return 0;
	if (!sentence)
		return -ENOMEM;
	file->at = line ? kc_arena_printf(arena, "%s:%u", file->path, line) : file->path;
	if (!file->at)
		return -ENOMEM;
	if (refused)
		file->refusal = sentence;
	else
		file->unread = sentence;
	return 0;
}

static int warn(struct kc_kubelet_file *file, struct kc_arena *arena, uint32_t line,
		const char *sentence)
{
	if (file->warning)
		return 0;
	file->warning_at = kc_arena_printf(arena, "%s:%u", file->path, line);
	file->warning = sentence;
	return file->warning_at && file->warning ? 0 : -ENOMEM;
}

static bool is_marker(const char *line, const char *end, const char *marker)
{
	size_t n = strlen(marker);

	return (size_t)(end - line) >= n && memcmp(line, marker, n) == 0 &&
	       ((size_t)(end - line) == n || kc_isspace(line[n]));
}

/*
 * The kubelet decodes the first document of several and never looks at the others. Returns the
 * length of the first, and the line that the second begins in (0: there is none).
 */
static size_t first_document(const char *text, size_t size, uint32_t *ret_second)
{
	const char *end = text + size;
	bool content = false;
	uint32_t number = 1;

	*ret_second = 0;
	for (const char *line = text; line < end; number++) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end;
		const char *first = line;

		while (first < stop && kc_isspace(*first))
			first++;
		if (is_marker(line, stop, "---")) {
			if (content) {
				*ret_second = number;
				return (size_t)(line - text);
			}
			content = true;
		} else if (is_marker(line, stop, "...") && content) {
			return (size_t)(line - text);
		} else if (first < stop && *first != '#' && *line != '%') {
			content = true;
		}
		line = newline ? newline + 1 : end;
	}
	return size;
}

/* Splits a message of the YAML reader, which was given no name: ":LINE:COLUMN: what". */
static const char *split_message(const struct kc_err *err, size_t *ret_place)
{
	const char *sep = err->text[0] == ':' ? strstr(err->text, ": ") : NULL;

	*ret_place = sep ? (size_t)(sep - err->text) : 0;
	return sep ? sep + 2 : err->text;
}

/* Strict first, as the kubelet does; what only strictness refuses becomes a warning. */
static int parse_tree(struct kc_kubelet_file *file, const char *text, size_t size,
		      struct kc_arena *arena)
{
	struct kc_err strict = { 0 }, err = { 0 };
	const char *what;
	size_t place;
	int r;

	r = kc_yaml_parse("", text, size, KC_YAML_ALIASES, arena, &strict, &file->root);
	if (r == 0 || r == -ENOMEM)
		return r;
	r = kc_yaml_parse("", text, size, KC_YAML_ALIASES | KC_YAML_DUPLICATES, arena, &err,
			  &file->root);
	if (r == -ENOMEM)
		return r;
	what = split_message(r == 0 ? &strict : &err, &place);
	if (r == 0) {
		file->warning_at =
			kc_arena_printf(arena, "%s%.*s", file->path, (int)place, strict.text);
		file->warning = kc_arena_printf(
			arena, "%s; the kubelet only warns of it and takes the last one", what);
		return file->warning && file->warning_at ? 0 : -ENOMEM;
	}
	file->root = NULL;
	/* The kubelet knows tags; the reader of this tree does not. */
	r = tell(file, arena, !strstr(what, "not supported"), 0, kc_arena_strdup(arena, what));
	if (r < 0)
		return r;
	file->at = kc_arena_printf(arena, "%s%.*s", file->path, (int)place, err.text);
	return file->at ? 0 : -ENOMEM;
}

static bool is_word_of(const char *s, const char *const *words)
{
	KC_FOREACH_STR (word, words)
		if (strcasecmp(s, word) == 0)
			return true;
	return false;
}

/* What YAML 1.1, and with it the kubelet's reader, makes of a plain scalar. */
static bool is_true(const char *s)
{
	static const char *const words[] = { "true", "yes", "on", "y", NULL };

	return is_word_of(s, words);
}

static bool is_boolean(const char *s)
{
	static const char *const words[] = { "false", "no", "off", "n", NULL };

	return is_true(s) || is_word_of(s, words);
}

/* As YAML's reader in Go takes a plain scalar for a float or an integer: 127.0.0.1 is neither. */
static bool is_number(const char *s)
{
	static const char digits[] = "0123456789_";
	const char *p = s + (*s == '+' || *s == '-');

	if (*p < '0' || *p > '9')
		return false;
	p += strspn(p, digits);
	if (*p == '.')
		p += 1 + strspn(p + 1, digits);
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '+' || *p == '-';
		if (*p < '0' || *p > '9')
			return false;
		p += strspn(p, digits);
	}
	return *p == '\0';
}

static bool is_integer(const char *s)
{
	const char *p = s + strspn(s, "+-");

	return *p && p[strspn(p, "0123456789_")] == '\0';
}

static bool is_text(const struct kc_yaml_node *node)
{
	return !node->plain || (!is_boolean(node->scalar) && !is_number(node->scalar));
}

/* What is wrong with the type of a value; NULL when it is right. */
static const char *wrong_type(const struct kc_yaml_node *node, uint8_t type)
{
	bool scalar = node->type == KC_YAML_SCALAR;

	switch (type) {
	case KC_KUBELET_STRING:
	case KC_KUBELET_ENDPOINT:
		return scalar && is_text(node) ? NULL : "text";
	case KC_KUBELET_BOOLEAN:
		return scalar && node->plain && is_boolean(node->scalar) ? NULL : "true or false";
	case KC_KUBELET_INTEGER:
		return scalar && node->plain && is_integer(node->scalar) ? NULL : "a number";
	case KC_KUBELET_LIST:
		return node->type == KC_YAML_SEQUENCE ? NULL : "a list";
	default:
		return node->type == KC_YAML_MAPPING ? NULL : "a mapping";
	}
}

/* Walks "a.b.c". *ret_wrong is set to a node on the way that is no mapping. */
static const struct kc_yaml_node *descend(const struct kc_yaml_node *node, const char *key,
					  const struct kc_yaml_node **ret_wrong)
{
	char part[KEY_MAX];

	*ret_wrong = NULL;
	while (node && key) {
		const char *dot = strchr(key, '.');
		size_t n = dot ? (size_t)(dot - key) : strlen(key);

		if (node->type != KC_YAML_MAPPING) {
			*ret_wrong = kc_yaml_is_null(node) ? NULL : node;
			return NULL;
		}
		if (n >= sizeof(part))
			return NULL;
		memcpy(part, key, n);
		part[n] = '\0';
		node = kc_yaml_get(node, part);
		key = dot ? dot + 1 : NULL;
	}
	return node && !kc_yaml_is_null(node) ? node : NULL;
}

static int check_header(struct kc_kubelet_file *file, struct kc_arena *arena, const char *key,
			const char *wanted)
{
	const struct kc_yaml_node *node = kc_yaml_get(file->root, key);

	if (!node || kc_yaml_is_null(node))
		return tell(file, arena, true, 1,
			    kc_arena_printf(arena, "there is no %s; it must be %s", key, wanted));
	if (node->type == KC_YAML_SCALAR && kc_streq(node->scalar, wanted))
		return 0;
	return tell(file, arena, true, node->line,
		    kc_arena_printf(arena, "%s must be %s, and is %s", key, wanted,
				    node->type == KC_YAML_SCALAR ? node->scalar
								 : kc_yaml_type_name(node)));
}

static int check_types(struct kc_kubelet_file *file, struct kc_arena *arena)
{
	const struct kc_kubelet_setting *setting;
	size_t n;
	int r = 0;

	setting = kc_kubelet_settings(&n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct kc_yaml_node *node, *wrong;
		const char *wanted;

		if (!setting[i].key)
			continue;
		node = descend(file->root, setting[i].key, &wrong);
		wanted = wrong ? "a mapping" : node ? wrong_type(node, setting[i].type) : NULL;
		if (wrong)
			node = wrong;
		if (wanted)
			r = tell(file, arena, true, node->line,
				 kc_arena_printf(
					 arena, "%s must be %s, and %s%s%s", setting[i].key, wanted,
					 node->type == KC_YAML_SCALAR ? "\"" : "is ",
					 node->type == KC_YAML_SCALAR ? node->scalar
								      : kc_yaml_type_name(node),
					 node->type == KC_YAML_SCALAR ? "\" is not" : ""));
	}
	return r;
}

/* A field in the wrong case is unknown to the kubelet: it warns in its log and goes on without. */
static int check_case(struct kc_kubelet_file *file, struct kc_arena *arena)
{
	const struct kc_kubelet_setting *setting;
	size_t n;

	setting = kc_kubelet_settings(&n);
	for (uint32_t i = 0; i < file->root->n; i++) {
		const struct kc_yaml_node *key = file->root->pair[i].key;

		for (size_t k = 0; k < n; k++) {
			if (!setting[k].key || strcasecmp(key->scalar, setting[k].key) != 0 ||
			    kc_streq(key->scalar, setting[k].key))
				continue;
			return warn(
				file, arena, key->line,
				kc_arena_printf(arena,
						"%s is no field, and the kubelet ignores it; %s is "
						"one",
						key->scalar, setting[k].key));
		}
	}
	return 0;
}

int kc_kubelet_file_parse(const char *path, const char *text, size_t size, bool dropin,
			  struct kc_arena *arena, struct kc_kubelet_file *ret_file)
{
	struct kc_kubelet_file file = {
		.path = path, .dropin = dropin, .text = text, .size = size
	};
	uint32_t second;
	size_t length = first_document(text, size, &second);
	int r;

	r = parse_tree(&file, text, length, arena);
	if (r < 0)
		return r;
	if (file.refusal || file.unread) {
		*ret_file = file;
		return 0;
	}
	if (!file.root)
		r = tell(&file, arena, true, 0, kc_arena_strdup(arena, "it is empty"));
	else if (file.root->type != KC_YAML_MAPPING)
		r = tell(&file, arena, true, file.root->line,
			 kc_arena_printf(arena, "it must be a mapping, and is %s",
					 kc_yaml_type_name(file.root)));
	else if (kc_yaml_get(file.root, "<<"))
		r = tell(&file, arena, false, kc_yaml_get(file.root, "<<")->line,
			 kc_arena_strdup(arena, "merge keys (<<) are not supported"));
	if (r == 0 && !file.refusal && !file.unread) {
		r = check_header(&file, arena, "apiVersion", API_VERSION);
		r = r < 0 ? r : check_header(&file, arena, "kind", KIND);
		r = r < 0 ? r : check_types(&file, arena);
		r = r < 0 ? r : check_case(&file, arena);
		if (r == 0 && second)
			r = warn(&file, arena, second,
				 kc_arena_strdup(arena, "a second document begins here, which the "
							"kubelet never reads"));
	}
	if (r < 0)
		return r;
	if (file.refusal || file.unread)
		file.root = NULL;
	*ret_file = file;
	return 0;
}

const struct kc_yaml_node *kc_kubelet_file_get(const struct kc_kubelet_file *file, const char *key)
{
	const struct kc_yaml_node *wrong, *node;

	if (!file->root)
		return NULL;
	node = descend(file->root, key, &wrong);
	if (node && !file->dropin && node->type == KC_YAML_SCALAR && node->n == 0)
		return NULL;
	return node;
}

static void write_node(struct kc_buf *b, const struct kc_yaml_node *node)
{
	if (b->len > TEXT_MAX)
		return;
	if (node->type == KC_YAML_SCALAR) {
		kc_buf_adds(b, node->scalar);
		return;
	}
	kc_buf_addc(b, node->type == KC_YAML_SEQUENCE ? '[' : '{');
	for (uint32_t i = 0; i < node->n && b->len <= TEXT_MAX; i++) {
		if (i > 0)
			kc_buf_adds(b, ", ");
		if (node->type == KC_YAML_SEQUENCE) {
			write_node(b, node->item[i]);
			continue;
		}
		kc_buf_addf(b, "%s: ", node->pair[i].key->scalar);
		write_node(b, node->pair[i].value);
	}
	kc_buf_addc(b, node->type == KC_YAML_SEQUENCE ? ']' : '}');
}

const char *kc_kubelet_node_text(const struct kc_yaml_node *node, uint8_t type,
				 struct kc_arena *arena)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

	if (node->type == KC_YAML_SCALAR) {
		if (type == KC_KUBELET_BOOLEAN && is_boolean(node->scalar))
			return is_true(node->scalar) ? "true" : "false";
		return node->scalar;
	}
	write_node(&b, node);
	if (kc_buf_error(&b) < 0)
		return NULL;
	if (b.len <= TEXT_MAX)
		return kc_arena_memdup(arena, b.data, b.len);
	return kc_arena_printf(arena, "%.*s…", TEXT_MAX, b.data);
}

/* Offset of a place of the tree; columns count characters. SIZE_MAX when the text has no such
 * place. */
static size_t offset_of(const struct kc_kubelet_file *file, uint32_t line, uint32_t column)
{
	const char *p = file->text, *end = p + file->size;

	for (uint32_t i = 1; i < line; i++) {
		p = memchr(p, '\n', (size_t)(end - p));
		if (!p)
			return SIZE_MAX;
		p++;
	}
	for (uint32_t i = 1; i < column; i++) {
		if (p >= end || *p == '\n')
			return SIZE_MAX;
		p++;
		while (p < end && ((unsigned char)*p & 0xc0) == 0x80)
			p++;
	}
	return (size_t)(p - file->text);
}

/* Where a scalar of one word ends, quotes included; SIZE_MAX for any other. */
static size_t scalar_end(const struct kc_kubelet_file *file, const struct kc_yaml_node *node,
			 size_t at)
{
	size_t quotes = node->plain ? 0 : 1;

	if (node->n + 2 * quotes > file->size - at ||
	    memcmp(file->text + at + quotes, node->scalar, node->n) != 0)
		return SIZE_MAX;
	if (quotes) {
		char quote = file->text[at];

		if ((quote != '"' && quote != '\'') || file->text[at + 1 + node->n] != quote)
			return SIZE_MAX;
	}
	return at + node->n + 2 * quotes;
}

/* Holds that two trees of mappings at the top differ in one key alone. */
static bool differs_in(const struct kc_yaml_node *before, const struct kc_yaml_node *after,
		       const char *key, struct kc_arena *arena)
{
	if (after->type != KC_YAML_MAPPING ||
	    after->n != before->n + (kc_yaml_get(before, key) ? 0 : 1))
		return false;
	for (uint32_t i = 0; i < before->n; i++) {
		const struct kc_yaml_pair *b = &before->pair[i], *a = &after->pair[i];
		const char *x, *y;

		if (!kc_streq(b->key->scalar, a->key->scalar))
			return false;
		if (kc_streq(b->key->scalar, key))
			continue;
		x = kc_kubelet_node_text(b->value, 0, arena);
		y = kc_kubelet_node_text(a->value, 0, arena);
		if (!x || !y || !kc_streq(x, y))
			return false;
	}
	return true;
}

static int splice(const struct kc_kubelet_file *file, const struct kc_yaml_node *node,
		  const char *key, const char *word, struct kc_buf *b)
{
	size_t from, to;

	if (!node) {
		/* A block mapping at the margin takes another line; braces do not. */
		from = offset_of(file, file->root->line, 1);
		if (file->root->column != 1 || from >= file->size || file->text[from] == '{')
			return -ENOTSUP;
		kc_buf_add(b, file->text, file->size);
		if (file->size > 0 && file->text[file->size - 1] != '\n')
			kc_buf_addc(b, '\n');
		kc_buf_addf(b, "%s: %s\n", key, word);
		return kc_buf_error(b);
	}
	from = offset_of(file, node->line, node->column);
	if (node->type != KC_YAML_SCALAR || from >= file->size)
		return -ENOTSUP;
	to = scalar_end(file, node, from);
	if (to == SIZE_MAX || node->n == 0)
		return -ENOTSUP;
	kc_buf_add(b, file->text, from);
	kc_buf_adds(b, word);
	kc_buf_add(b, file->text + to, file->size - to);
	return kc_buf_error(b);
}

int kc_kubelet_file_set(const struct kc_kubelet_file *file, const char *key, const char *word,
			struct kc_arena *arena, const char **ret_text, size_t *ret_size)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	const struct kc_yaml_node *after;
	const char *text;
	uint32_t second;
	int r;

	if (!file->root || !file->text || strchr(key, '.') ||
	    first_document(file->text, file->size, &second) != file->size)
		return -ENOTSUP;
	r = splice(file, kc_yaml_get(file->root, key), key, word, &b);
	if (r < 0)
		return r;
	text = kc_arena_memdup(arena, b.data, b.len);
	if (!text)
		return -ENOMEM;
	r = kc_yaml_parse(file->path, text, b.len, KC_YAML_ALIASES, arena, NULL, &after);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || !after || !differs_in(file->root, after, key, arena) ||
	    !kc_yaml_get(after, key) || kc_yaml_get(after, key)->type != KC_YAML_SCALAR ||
	    !kc_streq(kc_yaml_get(after, key)->scalar, word))
		return -ENOTSUP;
	*ret_text = text;
	*ret_size = b.len;
	return 0;
}
