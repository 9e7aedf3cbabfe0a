/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <yaml.h>

#include "grow.h"
#include "hash.h"
#include "utf8.h"
#include "yaml.h"

enum {
	SIZE_LIMIT = 16 * 1024 * 1024,
	DEPTH_LIMIT = 64,
	NODE_LIMIT = 2 * 1000 * 1000,
	ANCHOR_LIMIT = 1000,
	INTERNED = 1024, /* a power of two */
	INTERN_LENGTH = 64,
	FEW_KEYS = 16,
};

/* A list or mapping whose end has not come yet. */
struct frame {
	struct kc_yaml_node *node;
	size_t first; /* of its children on the stack */
	uint32_t counted; /* nodes before its first child */
	uint32_t height; /* levels below it so far */
	int32_t anchor; /* index, or -1 */
};

struct anchor {
	char *name; /* libyaml's allocation, freed by us */
	const struct kc_yaml_node *node;
	uint32_t nodes, height; /* what an alias to it adds */
	bool complete;
};

struct interned {
	const char *text;
	size_t size;
};

/* Who writes `when: {a: !=b}` meant text. */
#define TAGS_REFUSED "tags are not supported; text that begins with ! stands in quotes"

struct reader {
	const char *name;
	unsigned flags;
	struct kc_arena *nodes, *texts;
	struct kc_err *err;
	yaml_parser_t parser;
	const struct kc_yaml_node **stack; /* children of all open frames, in scratch memory */
	size_t n_stack, stack_size;
	struct frame frames[DEPTH_LIMIT];
	uint32_t n_frames;
	uint32_t n_nodes;
	struct anchor *anchors;
	uint32_t n_anchors;
	const struct kc_yaml_node *root;
	/* Texts that were seen lately: keys and choices repeat in every rule of a long profile. */
	struct interned interned[INTERNED];
};

/* Foreign text reaches a message through this alone, so that nothing in it moves a terminal. */
static int refuse(struct reader *r, uint32_t line, uint32_t column, const char *fmt, ...)
	kc_printf(4, 5);

static int refuse(struct reader *r, uint32_t line, uint32_t column, const char *fmt, ...)
{
	struct kc_buf text = { 0 }, escaped = { 0 };
	va_list ap;

	kc_buf_addf(&text, "%s:%u:%u: ", r->name, line, column);
	va_start(ap, fmt);
	kc_buf_addv(&text, fmt, ap);
	va_end(ap);
	if (!text.failed)
		kc_escape(&escaped, text.data, text.len);
	(void)kc_err_set(r->err, -EINVAL, "%s",
			 text.failed || escaped.failed ? kc_strerror(ENOMEM) : escaped.data);
	kc_buf_done(&text);
	kc_buf_done(&escaped);
	return -EINVAL;
}

static int refuse_at(struct reader *r, const yaml_mark_t *mark, const char *what)
{
	return refuse(r, (uint32_t)mark->line + 1, (uint32_t)mark->column + 1, "%s", what);
}

static int no_memory(struct reader *r)
{
	return kc_err_set(r->err, -ENOMEM, "%s: %s", r->name, kc_strerror(ENOMEM));
}

/* libyaml's reader knows the byte only. */
static int refuse_byte(struct reader *r, const char *text, size_t offset, const char *what)
{
	uint32_t line = 1, column = 1;

	for (size_t i = 0; i < offset; i++) {
		if (text[i] == '\n') {
			line++;
			column = 1;
		} else if ((text[i] & 0xc0) != 0x80) {
			column++;
		}
	}
	return refuse(r, line, column, "%s", what);
}

static int refuse_problem(struct reader *r, const char *text, size_t size)
{
	const yaml_parser_t *p = &r->parser;
	uint32_t line = (uint32_t)p->problem_mark.line + 1;
	uint32_t column = (uint32_t)p->problem_mark.column + 1;

	if (p->error == YAML_MEMORY_ERROR)
		return no_memory(r);
	if (p->error == YAML_READER_ERROR)
		return refuse_byte(r, text, KC_MIN(p->problem_offset, size),
				   "this is not UTF-8 text, or a control character");
	if (p->context && kc_streq(p->context, "while scanning a block scalar"))
		return refuse(r, line, column, "%s; text that begins with > or | stands in quotes",
			      p->problem);
	if (p->context && p->context_mark.line != p->problem_mark.line)
		return refuse(r, line, column, "%s, %s that begins in line %zu",
			      p->problem ? p->problem : "this is not YAML", p->context,
			      p->context_mark.line + 1);
	return refuse(r, line, column, "%s%s%s", p->problem ? p->problem : "this is not YAML",
		      p->context ? ", " : "", p->context ? p->context : "");
}

static const char *text_new(struct reader *r, const char *text, size_t size)
{
	struct interned *seen;

	if (size > INTERN_LENGTH)
		return kc_arena_memdup(r->texts, text, size);
	seen = r->interned + (kc_hash(text, size) & (INTERNED - 1));
	if (seen->text && seen->size == size && memcmp(seen->text, text, size) == 0)
		return seen->text;
	seen->text = kc_arena_memdup(r->texts, text, size);
	seen->size = size;
	return seen->text;
}

/* Counts what comes into the tree; an alias brings all that is below it, as who walks the tree sees
 * it. */
static int count(struct reader *r, const yaml_mark_t *at, uint32_t nodes)
{
	if (nodes > NODE_LIMIT - r->n_nodes)
		return refuse(r, (uint32_t)at->line + 1, (uint32_t)at->column + 1,
			      "there are more than %d nodes", NODE_LIMIT);
	r->n_nodes += nodes;
	return 0;
}

static struct kc_yaml_node *node_new(struct reader *r, enum kc_yaml_type type,
				     const yaml_mark_t *at)
{
	struct kc_yaml_node *node = kc_arena_zalloc(r->nodes, 1, sizeof(*node));

	if (!node)
		return NULL;
	node->type = (uint8_t)type;
	node->line = (uint32_t)at->line + 1;
	node->column = (uint16_t)KC_MIN(at->column + 1, (size_t)UINT16_MAX);
	return node;
}

static struct frame *innermost(struct reader *r)
{
	return r->n_frames > 0 ? r->frames + r->n_frames - 1 : NULL;
}

/* Gives a node to the list or mapping that is open. */
static int push(struct reader *r, const struct kc_yaml_node *node, uint32_t height)
{
	struct frame *f = innermost(r);
	const struct kc_yaml_node **stack;

	if (!f) {
		r->root = node;
		return 0;
	}
	if (f->node->type == KC_YAML_MAPPING && (r->n_stack - f->first) % 2 == 0 &&
	    node->type != KC_YAML_SCALAR)
		return refuse(r, node->line, node->column, "a key must be text, this is %s",
			      kc_yaml_type_name(node));
	stack = kc_grow(r->stack, r->n_stack, &r->stack_size, sizeof(*stack));
	if (!stack)
		return no_memory(r);
	r->stack = stack;
	r->stack[r->n_stack++] = node;
	f->height = KC_MAX(f->height, height + 1);
	return 0;
}

/* Takes the name from the event. Sets *ret_index to -1 when nothing is to be remembered. */
static int anchor_new(struct reader *r, yaml_char_t **name, const struct kc_yaml_node *node,
		      int32_t *ret_index)
{
	struct anchor *a;

	*ret_index = -1;
	if (!*name || !(r->flags & KC_YAML_ALIASES))
		return 0;
	if (r->n_anchors == ANCHOR_LIMIT)
		return refuse(r, node->line, node->column, "there are more than %d anchors",
			      ANCHOR_LIMIT);
	if (!r->anchors)
		r->anchors = calloc(ANCHOR_LIMIT, sizeof(*r->anchors));
	if (!r->anchors)
		return no_memory(r);
	a = r->anchors + r->n_anchors;
	*a = (struct anchor){ .name = (char *)*name,
			      .node = node,
			      .nodes = 1,
			      .complete = node->type == KC_YAML_SCALAR };
	*name = NULL;
	*ret_index = (int32_t)r->n_anchors++;
	return 0;
}

static int on_scalar(struct reader *r, yaml_event_t *e)
{
	const char *value = (const char *)e->data.scalar.value;
	size_t size = e->data.scalar.length;
	struct kc_yaml_node *node;
	int32_t anchor;
	int k;

	if (e->data.scalar.tag)
		return refuse_at(r, &e->start_mark, TAGS_REFUSED);
	if (memchr(value, 0, size))
		return refuse_at(r, &e->start_mark, "a NUL byte cannot stand in text");
	k = count(r, &e->start_mark, 1);
	if (k < 0)
		return k;
	node = node_new(r, KC_YAML_SCALAR, &e->start_mark);
	if (!node)
		return no_memory(r);
	node->scalar = text_new(r, value, size);
	if (!node->scalar)
		return no_memory(r);
	node->n = (uint32_t)size;
	node->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	k = anchor_new(r, &e->data.scalar.anchor, node, &anchor);
	if (k < 0)
		return k;
	return push(r, node, 0);
}

static int on_start(struct reader *r, yaml_event_t *e, enum kc_yaml_type type, yaml_char_t **anchor,
		    const yaml_char_t *tag)
{
	struct kc_yaml_node *node;
	struct frame *f;
	int32_t index;
	int k;

	if (tag)
		return refuse_at(r, &e->start_mark, TAGS_REFUSED);
	if (r->n_frames == DEPTH_LIMIT)
		return refuse(r, (uint32_t)e->start_mark.line + 1,
			      (uint32_t)e->start_mark.column + 1,
			      "lists and mappings are nested more than %d deep", DEPTH_LIMIT);
	k = count(r, &e->start_mark, 1);
	if (k < 0)
		return k;
	node = node_new(r, type, &e->start_mark);
	if (!node)
		return no_memory(r);
	k = push(r, node, 0);
	if (k < 0)
		return k;
	k = anchor_new(r, anchor, node, &index);
	if (k < 0)
		return k;
	f = r->frames + r->n_frames++;
	*f = (struct frame){ .node = node,
			     .first = r->n_stack,
			     .counted = r->n_nodes,
			     .height = 1,
			     .anchor = index };
	return 0;
}

static int repeated(struct reader *r, const struct kc_yaml_node *first,
		    const struct kc_yaml_node *second)
{
	return refuse(r, second->line, second->column,
		      "the key '%.64s' stands here twice, first in line %u", second->scalar,
		      first->line);
}

static bool same_key(const struct kc_yaml_node *a, const struct kc_yaml_node *b)
{
	return a->n == b->n && (a->scalar == b->scalar || memcmp(a->scalar, b->scalar, a->n) == 0);
}

static int compare_keys(const void *a, const void *b)
{
	const struct kc_yaml_node *x = (*(const struct kc_yaml_pair *const *)a)->key;
	const struct kc_yaml_node *y = (*(const struct kc_yaml_pair *const *)b)->key;
	int c = strcmp(x->scalar, y->scalar);

	if (c != 0)
		return c;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return (x->column > y->column) - (x->column < y->column);
}

/* By sorting and not by a hash, which hostile keys could make slow. */
static int check_many_keys(struct reader *r, const struct kc_yaml_node *mapping)
{
	kc_cleanup(kc_freep) const struct kc_yaml_pair **order = NULL;

	order = calloc(mapping->n, sizeof(*order));
	if (!order)
		return no_memory(r);
	for (uint32_t i = 0; i < mapping->n; i++)
		order[i] = mapping->pair + i;
	qsort(order, mapping->n, sizeof(*order), compare_keys);
	for (uint32_t i = 1; i < mapping->n; i++) {
		if (same_key(order[i - 1]->key, order[i]->key))
			return repeated(r, order[i - 1]->key, order[i]->key);
	}
	return 0;
}

static int check_keys(struct reader *r, const struct kc_yaml_node *mapping)
{
	if (r->flags & KC_YAML_DUPLICATES)
		return 0;
	if (mapping->n > FEW_KEYS)
		return check_many_keys(r, mapping);
	for (uint32_t i = 1; i < mapping->n; i++) {
		for (uint32_t j = 0; j < i; j++) {
			if (same_key(mapping->pair[j].key, mapping->pair[i].key))
				return repeated(r, mapping->pair[j].key, mapping->pair[i].key);
		}
	}
	return 0;
}

static int close_mapping(struct reader *r, struct frame *f, const struct kc_yaml_node *const *child,
			 size_t n)
{
	struct kc_yaml_pair *pairs = kc_arena_alloc(r->nodes, n / 2 * sizeof(*pairs));

	if (!pairs)
		return no_memory(r);
	for (size_t i = 0; i < n / 2; i++)
		pairs[i] = (struct kc_yaml_pair){ child[2 * i], child[2 * i + 1] };
	f->node->pair = pairs;
	f->node->n = (uint32_t)(n / 2);
	return check_keys(r, f->node);
}

static int on_end(struct reader *r)
{
	struct frame *f = innermost(r), *outer;
	const struct kc_yaml_node **child = r->stack + f->first;
	size_t n = r->n_stack - f->first;
	int k;

	if (f->node->type == KC_YAML_MAPPING) {
		k = close_mapping(r, f, child, n);
		if (k < 0)
			return k;
	} else {
		void *items = kc_arena_alloc(r->nodes, n * sizeof(*child));

		if (!items)
			return no_memory(r);
		if (n > 0)
			memcpy(items, child, n * sizeof(*child));
		f->node->item = items;
		f->node->n = (uint32_t)n;
	}
	if (f->anchor >= 0) {
		struct anchor *a = r->anchors + f->anchor;

		a->nodes = r->n_nodes - f->counted + 1;
		a->height = f->height;
		a->complete = true;
	}
	r->n_stack = f->first;
	r->n_frames--;
	outer = innermost(r);
	if (outer)
		outer->height = KC_MAX(outer->height, f->height + 1);
	return 0;
}

static int on_alias(struct reader *r, const yaml_event_t *e)
{
	const char *name = (const char *)e->data.alias.anchor;
	uint32_t line = (uint32_t)e->start_mark.line + 1,
		 column = (uint32_t)e->start_mark.column + 1;
	const struct anchor *a = NULL;
	int k;

	if (!(r->flags & KC_YAML_ALIASES))
		return refuse(r, line, column, "aliases (*%.64s) are not supported", name);
	for (uint32_t i = r->n_anchors; i > 0 && !a; i--) {
		if (kc_streq(r->anchors[i - 1].name, name))
			a = r->anchors + i - 1;
	}
	if (!a)
		return refuse(r, line, column, "there is no anchor &%.64s before this alias", name);
	if (!a->complete)
		return refuse(r, line, column, "the alias *%.64s stands within its own anchor",
			      name);
	if (r->n_frames + a->height > DEPTH_LIMIT)
		return refuse(r, line, column, "lists and mappings are nested more than %d deep",
			      DEPTH_LIMIT);
	k = count(r, &e->start_mark, a->nodes);
	if (k < 0)
		return k;
	return push(r, a->node, a->height);
}

static int on_event(struct reader *r, yaml_event_t *e)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(r, e);
	case YAML_SEQUENCE_START_EVENT:
		return on_start(r, e, KC_YAML_SEQUENCE, &e->data.sequence_start.anchor,
				e->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return on_start(r, e, KC_YAML_MAPPING, &e->data.mapping_start.anchor,
				e->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_end(r);
	case YAML_ALIAS_EVENT:
		return on_alias(r, e);
	case YAML_DOCUMENT_START_EVENT:
		if (r->root)
			return refuse_at(
				r, &e->start_mark,
				"a second document begins here, and one is all that is read");
		return 0;
	default:
		return 0;
	}
}

static int read_events(struct reader *r, const char *text, size_t size)
{
	bool done = false;
	int k = 0;

	while (!done && k == 0) {
		yaml_event_t event;

		if (!yaml_parser_parse(&r->parser, &event))
			return refuse_problem(r, text, size);
		done = event.type == YAML_STREAM_END_EVENT;
		k = on_event(r, &event);
		yaml_event_delete(&event);
	}
	return k;
}

static void reader_free(struct reader *r)
{
	for (uint32_t i = 0; i < r->n_anchors; i++)
		free(r->anchors[i].name);
	free(r->anchors);
	free(r->stack);
	free(r);
}

int kc_yaml_parse(const char *name, const char *text, size_t size, unsigned flags,
		  struct kc_arena *arena, struct kc_err *err, const struct kc_yaml_node **ret_node)
{
	return kc_yaml_parse_apart(name, text, size, flags, arena, arena, err, ret_node);
}

int kc_yaml_parse_apart(const char *name, const char *text, size_t size, unsigned flags,
			struct kc_arena *nodes, struct kc_arena *texts, struct kc_err *err,
			const struct kc_yaml_node **ret_node)
{
	struct reader *r;
	int k;

	if (size > SIZE_LIMIT)
		return kc_err_set(err, -EINVAL, "%s:1:1: this is larger than %d MiB", name,
				  SIZE_LIMIT >> 20);
	/* Without it libyaml, told that it is UTF-8, counts the mark as the first column. */
	if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		size -= 3;
	}
	r = calloc(1, sizeof(*r));
	if (!r)
		return kc_err_set(err, -ENOMEM, "%s: %s", name, kc_strerror(ENOMEM));
	r->name = name;
	r->flags = flags;
	r->nodes = nodes;
	r->texts = texts;
	r->err = err;
	if (!yaml_parser_initialize(&r->parser)) {
		k = no_memory(r);
		reader_free(r);
		return k;
	}
	/* Else libyaml would take a mark of UTF-16 as leave to read that. */
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r->parser, (const unsigned char *)text, size);
	k = read_events(r, text, size);
	if (k == 0)
		*ret_node = r->root && kc_yaml_is_null(r->root) && r->root->n == 0 ? NULL : r->root;
	yaml_parser_delete(&r->parser);
	reader_free(r);
	return k;
}

const struct kc_yaml_node *kc_yaml_get(const struct kc_yaml_node *mapping, const char *key)
{
	if (!mapping || mapping->type != KC_YAML_MAPPING)
		return NULL;
	for (uint32_t i = mapping->n; i > 0; i--) {
		if (kc_streq(mapping->pair[i - 1].key->scalar, key))
			return mapping->pair[i - 1].value;
	}
	return NULL;
}

bool kc_yaml_is_null(const struct kc_yaml_node *node)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL", NULL };

	return node->type == KC_YAML_SCALAR && node->plain && kc_strv_has(words, node->scalar);
}

const char *kc_yaml_type_name(const struct kc_yaml_node *node)
{
	switch (node->type) {
	case KC_YAML_MAPPING:
		return "a mapping";
	case KC_YAML_SEQUENCE:
		return "a list";
	default:
		return "text";
	}
}
