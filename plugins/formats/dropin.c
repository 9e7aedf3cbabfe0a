/* SPDX-License-Identifier: Apache-2.0 */
#include "dropin.h"

enum {
	FOLDERS_MAX = 8,
	FILES_MAX = 4096, /* in all folders together */
};

struct listing {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
	const char *suffix;
	const char *resolved[FOLDERS_MAX];
	size_t n_folders;
	struct found {
		const char *name, *path;
		size_t folder;
	} * found;
	size_t n, room;
	const char *no_folder;
};

/* "/dev/null", and "../../dev/null" as it is written in images without a /dev. */
static bool names_null(const char *target)
{
	const char *rest;

	while ((rest = kc_after_prefix(target, "../")))
		target = rest;
	return kc_streq(target, "/dev/null") || kc_streq(target, "dev/null");
}

static int is_masked(const struct listing *l, const char *path)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	const char *target;
	int r;

	r = kc_read_link(l->host, l->run, path, &target);
	if (r == -EINVAL)
		return 0;
	if (r < 0)
		return r;
	if (names_null(target))
		return 1;
	r = kc_stat(l->host, l->run, path, 0, &st);
	return r == -ENOENT || (r == 0 && st.type == KC_FILE_CHAR_DEVICE);
}

static int add(struct listing *l, const char *folder, const char *name)
{
	if (l->n == FILES_MAX)
		return -E2BIG;
	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 64;
		struct found *grown = kc_arena_zalloc(l->arena, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		if (l->n > 0)
			memcpy(grown, l->found, l->n * sizeof(*grown));
		l->found = grown;
		l->room = room;
	}
	l->found[l->n] = (struct found){
		.path = kc_arena_printf(l->arena, "%s/%s", folder, name),
		.folder = l->n_folders,
	};
	if (!l->found[l->n].path)
		return -ENOMEM;
	l->found[l->n].name = strrchr(l->found[l->n].path, '/') + 1;
	l->n++;
	return 0;
}

static int add_folder(struct listing *l, const char *folder)
{
	struct kc_strings names;
	const char *resolved;
	int r;

	r = kc_resolve(l->host, l->run, folder, &resolved);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return r;
	for (size_t i = 0; i < l->n_folders; i++) {
		if (kc_streq(l->resolved[i], resolved))
			return 0;
	}
	r = kc_list_dir(l->host, l->run, folder, &names);
	if (r == -ENOTDIR) {
		l->no_folder = l->no_folder ? l->no_folder : folder;
		return 0;
	}
	for (size_t i = 0; r >= 0 && i < names.n; i++) {
		if (names.item[i][0] != '.' && kc_endswith(names.item[i], l->suffix))
			r = add(l, folder, names.item[i]);
	}
	l->resolved[l->n_folders++] = resolved;
	return r;
}

static int compare(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	int d = strcmp(x->name, y->name);

	return d != 0 ? d : (x->folder > y->folder) - (x->folder < y->folder);
}

/* Files of one name stand together, the one that counts first. */
static int merge(struct listing *l, struct kc_dropins *out)
{
	const char **hidden;
	size_t n_hidden = 0;

	out->n = 0;
	out->item = kc_arena_zalloc(l->arena, l->n + 1, sizeof(*out->item));
	/* Every file has at most its own place and the NULL of its list here. */
	hidden = kc_arena_zalloc(l->arena, 2 * l->n + 1, sizeof(*hidden));
	if (!out->item || !hidden)
		return -ENOMEM;
	for (size_t i = 0; i < l->n;) {
		struct kc_dropin *d = out->item + out->n++;
		int r = is_masked(l, l->found[i].path);

		if (r < 0)
			return r;
		*d = (struct kc_dropin){
			.name = l->found[i].name,
			.path = l->found[i].path,
			.masked = r,
			.hidden = hidden + n_hidden,
		};
		while (++i < l->n && kc_streq(l->found[i].name, d->name))
			hidden[n_hidden++] = l->found[i].path;
		n_hidden++;
	}
	return 0;
}

int kc_dropins_list(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		    const char *const *folders, const char *suffix, struct kc_dropins *ret_dropins)
{
	struct listing l = { .host = host, .run = run, .arena = arena, .suffix = suffix };
	struct kc_dropins out = { 0 };
	int r;

	KC_FOREACH_STR (folder, folders) {
		if (l.n_folders == FOLDERS_MAX)
			return -E2BIG;
		r = add_folder(&l, folder);
		if (r < 0)
			return r;
	}
	if (l.n > 0)
		qsort(l.found, l.n, sizeof(*l.found), compare);
	r = merge(&l, &out);
	out.no_folder = l.no_folder;
	if (r == 0)
		*ret_dropins = out;
	return r;
}
