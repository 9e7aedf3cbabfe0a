/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of toml++ on the side of C: one function, a tree in an arena, no exception. */

namespace
{
struct broken_promise {
};

/*
 * toml++ asserts what it takes for granted about a text, and assumes it where NDEBUG is set; a
 * hostile text breaks such promises (3.3.0: a table header that begins with a parenthesis). Then
 * parsing ends.
 */
constexpr void promise(bool kept)
{
	if (!kept)
		throw broken_promise();
}
} /* namespace */

#undef NDEBUG
#define TOML_ASSERT(expression) promise(static_cast<bool>(expression))
#define TOML_EXCEPTIONS		0
#define TOML_HEADER_ONLY	1
#define TOML_ENABLE_FORMATTERS	0
#define TOML_MAX_NESTED_VALUES	64

/*
 * Its tests for white space reach what they say is unreachable with many a letter that is not ASCII
 * (3.3.0: in a quoted key); the answer is no. What else it cannot reach ends the process, defined.
 */
#if __has_include(<toml++/impl/forward_declarations.h>) && __has_include(<toml++/impl/unicode.h>)
#include <toml++/impl/forward_declarations.h>
#undef TOML_UNREACHABLE
#define TOML_UNREACHABLE return false
#include <toml++/impl/unicode.h>
#undef TOML_UNREACHABLE
#define TOML_UNREACHABLE __builtin_trap()
#endif
#if __has_include(<toml++/toml.hpp>)
#include <toml++/toml.hpp>
#else
#include <toml++/toml.h>
#endif

#include <algorithm>
#include <cerrno>
#include <new>

#include "toml-scan.h"

namespace
{
struct builder {
	const char *name;
	struct kc_arena *arena;
	struct kc_err *err;

	int beyond(const kc_toml_node &node, const char *what) const
	{
		return kc_err_set(err, -EFBIG, "%s:%u:%u: %s", name, node.line, node.column, what);
	}

	int no_memory() const
	{
		return kc_err_set(err, -ENOMEM, "%s: no memory for its values", name);
	}

	int children(size_t n, kc_toml_node **ret) const
	{
		*ret = static_cast<kc_toml_node *>(
			kc_arena_zalloc(arena, n ? n : 1, sizeof(kc_toml_node)));
		return *ret ? 0 : no_memory();
	}

	int table(const toml::table &t, kc_toml_node &out, unsigned depth) const;
	int array(const toml::array &a, kc_toml_node &out, unsigned depth) const;
	int value(const toml::node &v, kc_toml_node &out, unsigned depth) const;
};

void place(kc_toml_node &out, const toml::source_position &at)
{
	out.line = static_cast<uint32_t>(at.line);
	out.column = static_cast<uint32_t>(at.column);
}

bool earlier(const kc_toml_node &a, const kc_toml_node &b)
{
	return a.line != b.line ? a.line < b.line : a.column < b.column;
}

int builder::table(const toml::table &t, kc_toml_node &out, unsigned depth) const
{
	kc_toml_node *child;
	int r = children(t.size(), &child);

	if (r < 0)
		return r;
	for (auto &&[key, node] : t) {
		kc_toml_node &c = child[out.n++];
		const auto header = node.source().begin;

		/* Others may name a table before its own header does, which people look for. */
		place(c, node.is_table() && header ? header : key.source().begin);
		if (key.str().size() > KC_TOML_KEY_MAX)
			return beyond(c, "a key is too long (more than 1024 bytes)");
		if (key.str().find('\0') != std::string_view::npos)
			return beyond(c, "a key with a NUL character");
		c.key = kc_arena_memdup(arena, key.str().data(), key.str().size());
		if (!c.key)
			return no_memory();
		r = value(node, c, depth);
		if (r < 0)
			return r;
	}
	std::stable_sort(child, child + out.n, earlier);
	out.type = KC_TOML_TABLE;
	out.child = child;
	return 0;
}

int builder::array(const toml::array &a, kc_toml_node &out, unsigned depth) const
{
	kc_toml_node *child;
	int r = children(a.size(), &child);

	for (auto &&node : a) {
		if (r < 0)
			return r;
		kc_toml_node &c = child[out.n++];
		place(c, node.source().begin);
		r = value(node, c, depth);
	}
	out.type = KC_TOML_ARRAY;
	out.child = child;
	return r;
}

int builder::value(const toml::node &v, kc_toml_node &out, unsigned depth) const
{
	if (depth > 2 * KC_TOML_DEPTH_MAX)
		return beyond(out, "values are nested too deep");
	if (const auto *t = v.as_table())
		return table(*t, out, depth + 1);
	if (const auto *a = v.as_array())
		return array(*a, out, depth + 1);
	if (const auto *s = v.as_string()) {
		out.type = KC_TOML_STRING;
		out.size = s->get().size();
		out.text = kc_arena_memdup(arena, s->get().data(), out.size);
		return out.text ? 0 : no_memory();
	}
	if (const auto *i = v.as_integer()) {
		out.type = KC_TOML_INTEGER;
		out.number = i->get();
	} else if (const auto *b = v.as_boolean()) {
		out.type = KC_TOML_BOOLEAN;
		out.number = b->get() ? 1 : 0;
	} else {
		out.type = v.is_floating_point() ? KC_TOML_FLOAT : KC_TOML_TIME;
	}
	return 0;
}

int parse(const builder &b, std::string_view text, const kc_toml_node **ret_root)
{
	const auto result = toml::parse(text);

	if (!result) {
		const auto &e = result.error();
		const auto what = e.description();

		return kc_err_set(b.err, -EINVAL, "%s:%u:%u: %.*s", b.name,
				  static_cast<unsigned>(e.source().begin.line),
				  static_cast<unsigned>(e.source().begin.column),
				  static_cast<int>(std::min<size_t>(what.size(), 512)),
				  what.data());
	}

	kc_toml_node *root;
	int r = b.children(1, &root);

	if (r == 0)
		r = b.table(result.table(), *root, 0);
	if (r == 0)
		*ret_root = root;
	return r;
}
} /* namespace */

extern "C" int kc_toml_parse(const char *name, const char *text, size_t size,
			     struct kc_arena *arena, struct kc_err *err,
			     const struct kc_toml_node **ret_root)
{
	int r = kc_toml_scan(name, text, size, err);

	if (r < 0)
		return r;
	try {
		return parse(builder{ name, arena, err }, std::string_view(text, size), ret_root);
	} catch (const std::bad_alloc &) {
		return kc_err_set(err, -ENOMEM, "%s: no memory to parse it", name);
	} catch (const broken_promise &) {
		return kc_err_set(err, -EINVAL, "%s: no TOML, and toml++ cannot say where", name);
	}
}
