/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>

#include "base/fdio.h"
#include "model/manifest-fields.h"
#include "profile/profile.h"

/* The index says of every manifest in the tree what parsing it says, and of no other text. */

struct one {
	const char *name, *text;
	size_t size;
	const struct kc_manifest *manifest;
};

struct all {
	struct kc_arena arena;
	struct one items[64];
	size_t n;
	struct kc_buf index;
};

static void read_one(struct all *all, const char *name)
{
	struct one *one = all->items + all->n;
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	kc_cleanup(kc_closep) int fd = -EBADF;
	struct kc_err err = { 0 };
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s/%s.yaml", PLUGINS_DIR, name, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	assert_true(all->n < KC_ARRAY_SIZE(all->items));
	assert_int_equal(kc_read_all(fd, 1 << 20, &text), 0);
	one->name = kc_arena_strdup(&all->arena, name);
	one->text = kc_arena_memdup(&all->arena, text.data, text.len);
	one->size = text.len;
	assert_int_equal(
		kc_manifest_parse(path, one->text, one->size, &all->arena, &err, &one->manifest),
		0);
	all->n++;
}

static int setup(void **state)
{
	static struct all all;
	DIR *dir = opendir(PLUGINS_DIR);
	const struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		read_one(&all, entry->d_name);
	(void)closedir(dir);
	assert_true(all.n >= 6);
	kc_manifest_index_begin(&all.index, (uint32_t)all.n);
	for (size_t i = 0; i < all.n; i++)
		kc_manifest_index_add(&all.index, all.items[i].manifest, all.items[i].text,
				      all.items[i].size);
	assert_int_equal(kc_buf_error(&all.index), 0);
	*state = &all;
	return 0;
}

static int teardown(void **state)
{
	struct all *all = *state;

	kc_arena_done(&all->arena);
	kc_buf_done(&all->index);
	return 0;
}

static int find(const struct all *all, size_t len, const char *name, const char *text, size_t size,
		struct kc_arena *arena, const struct kc_manifest **ret)
{
	const struct kc_manifest_index index = { .data = all->index.data, .size = len };

	return kc_manifest_index_find(&index, name, "/plugins/some.yaml", text, size, arena, ret);
}

static void test_same(void **state)
{
	struct all *all = *state;
	const struct kc_manifest_index index = {
		.data = all->index.data,
		.size = all->index.len,
		.mtime_usec = 5,
	};

	for (size_t i = 0; i < all->n; i++) {
		const struct one *one = all->items + i;
		kc_cleanup(kc_buf_done) struct kc_buf a = { 0 }, b = { 0 };
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		struct kc_manifest parsed = *one->manifest;
		const struct kc_manifest *found = NULL;

		assert_int_equal(
			find(all, all->index.len, one->name, one->text, one->size, &arena, &found),
			0);
		assert_string_equal(found->file, "/plugins/some.yaml");
		assert_int_equal(kc_manifest_index_gathers(&index, one->name, one->size, 5),
				 parsed.n_facts > 0);
		assert_int_equal(kc_manifest_index_gathers(&index, one->name, one->size + 1, 5),
				 -ENOENT);
		assert_int_equal(kc_manifest_index_gathers(&index, one->name, one->size, 6),
				 -ENOENT);
		parsed.file = found->file;
		kc_put_manifest(&a, &parsed);
		kc_put_manifest(&b, found);
		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.data, b.data, a.len);
		for (uint32_t k = 0; k < found->n_checks; k++) {
			assert_non_null(found->checks[k].doc);
			for (uint32_t p = 0; p < found->checks[k].n_params; p++)
				assert_int_equal(found->checks[k].params[p].has_value,
						 parsed.checks[k].params[p].has_value);
		}
	}
}

static void test_other_text(void **state)
{
	struct all *all = *state;

	for (size_t i = 0; i < all->n; i++) {
		const struct one *one = all->items + i;
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		char *text = kc_arena_memdup(&arena, one->text, one->size);
		const struct kc_manifest *found = NULL;

		for (size_t at = 0; at < one->size; at++) {
			text[at] ^= 1;
			assert_int_equal(find(all, all->index.len, one->name, text, one->size,
					      &arena, &found),
					 -ENOENT);
			text[at] ^= 1;
		}
		assert_int_equal(
			find(all, all->index.len, one->name, text, one->size - 1, &arena, &found),
			-ENOENT);
		assert_int_equal(
			find(all, all->index.len, "nobody", text, one->size, &arena, &found),
			-ENOENT);
		assert_null(found);
	}
}

/* Wherever it ends: what stands before the end is as good as ever. */
static void test_truncated(void **state)
{
	struct all *all = *state;
	const struct one *last = all->items + all->n - 1;

	for (size_t len = 0; len < all->index.len; len++) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		kc_cleanup(kc_freep) char *copy = malloc(len + 1);
		const struct kc_manifest_index index = { .data = copy, .size = len };
		const struct kc_manifest *found = NULL;

		assert_non_null(copy);
		memcpy(copy, all->index.data, len);
		assert_int_equal(kc_manifest_index_find(&index, last->name, "x", last->text,
							last->size, &arena, &found),
				 -EBADMSG);
		assert_int_equal(kc_manifest_index_gathers(&index, last->name, last->size, 0),
				 -EBADMSG);
	}
}

/* Any byte of the index is another: refused, or a manifest that can be read to its end. */
static void test_flipped(void **state)
{
	struct all *all = *state;
	const struct one *first = all->items;

	for (size_t at = 0; at < all->index.len; at += 7) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };
		const struct kc_manifest *found = NULL;
		int r;

		all->index.data[at] ^= 0x81;
		r = find(all, all->index.len, first->name, first->text, first->size, &arena,
			 &found);
		if (r == 0)
			kc_put_manifest(&out, found);
		else
			assert_true(r == -EBADMSG || r == -ENOENT);
		all->index.data[at] ^= 0x81;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_other_text),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_flipped),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
