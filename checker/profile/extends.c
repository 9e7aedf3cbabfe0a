/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "base/fdio.h"
#include "loader.h"
#include "open.h"
#include "search.h"

enum {
	DEPTH_MAX = 32
};

/* A profile that is being read, and who asked for it. */
struct link {
	const struct link *child;
	const char *name; /* of the file */
	dev_t dev;
	ino_t ino;
	unsigned depth;
};

static int read_profile(struct kc_loader *l, int fd, const char *name,
			const struct kc_err *distrust, const struct link *child,
			const struct kc_where *asked, const struct kc_yaml_node *at);

/* "a.yaml extends b.yaml extends NAME". */
static void describe(struct kc_buf *b, const struct link *link, const char *name)
{
	const struct link *order[DEPTH_MAX + 1];
	size_t n = 0;

	for (; link && n < KC_ARRAY_SIZE(order); link = link->child)
		order[n++] = link;
	while (n > 0)
		kc_buf_addf(b, "%s extends ", order[--n]->name);
	kc_buf_adds(b, name);
}

static void refuse(struct kc_loader *l, const struct kc_where *where, const struct kc_yaml_node *at,
		   const struct link *link, const char *name, const char *what)
{
	struct kc_buf chain = { 0 };

	l->incomplete = true;
	describe(&chain, link, name);
	kc_fault_at(where, at, "%s (%s)", what, chain.failed ? name : chain.data);
	kc_buf_done(&chain);
}

/* The folder of the extending file first, so that a set of profiles can be kept in one place. */
static int folders(struct kc_loader *l, const char *file, const char *const **ret_dirs)
{
	size_t n = kc_strv_len(l->request->profile_dirs), k = 0;
	const char **dirs = kc_arena_zalloc(&l->scratch, n + 2, sizeof(*dirs));
	const char *slash = strrchr(file, '/');

	if (!dirs)
		return -ENOMEM;
	if (slash)
		dirs[k++] = kc_arena_memdup(&l->scratch, file,
					    (size_t)(slash - file) + (slash == file));
	else if (!kc_streq(file, "-"))
		dirs[k++] = ".";
	if (k > 0 && !dirs[0])
		return -ENOMEM;
	KC_FOREACH_STR (dir, l->request->profile_dirs) {
		if (k == 0 || !kc_streq(dir, dirs[0]))
			dirs[k++] = dir;
	}
	*ret_dirs = dirs;
	return 0;
}

static int read_parent(struct kc_loader *l, const struct link *link, const struct kc_where *where,
		       const struct kc_yaml_node *at)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	const char *const *dirs = NULL;
	const char *path = NULL;
	struct kc_err err = { 0 }, distrust;
	int r;

	if (at->type != KC_YAML_SCALAR || kc_yaml_is_null(at)) {
		kc_fault_at(where, at,
			    "'extends' must be the name of a profile, or a list of names");
		return 0;
	}
	r = folders(l, link->name, &dirs);
	if (r < 0)
		return r;
	r = kc_search_open(dirs, "profile", at->scalar, NULL, l->arena, &err, &fd, &path,
			   &distrust);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		refuse(l, where, at, link, at->scalar, err.text);
		return 0;
	}
	return read_profile(l, fd, path, &distrust, link, where, at);
}

static int merge(struct kc_loader *l, uint16_t input, const struct kc_yaml_node *node,
		 const struct link *link)
{
	enum {
		TITLE,
		EXTENDS,
		VARS,
		RULES,
		KEYS
	};
	static const struct kc_key keys[KEYS] = {
		[TITLE] = { "title", KC_IS_SCALAR, false },
		[EXTENDS] = { "extends", KC_IS_SCALAR | KC_IS_LIST, false },
		[VARS] = { "vars", KC_IS_MAPPING, false },
		[RULES] = { "rules", KC_IS_LIST, false },
	};
	struct kc_where where = kc_loader_where(l, input);
	const struct kc_yaml_node *v[KEYS];
	int r = 0;

	kc_schema_read(&where, node, "a profile", keys, KEYS, v);
	if (v[EXTENDS] && v[EXTENDS]->type == KC_YAML_SCALAR)
		r = read_parent(l, link, &where, v[EXTENDS]);
	else if (v[EXTENDS])
		for (uint32_t i = 0; i < v[EXTENDS]->n && r == 0; i++)
			r = read_parent(l, link, &where, v[EXTENDS]->item[i]);
	if (r == 0 && v[VARS])
		r = kc_variables_merge(l, input, v[VARS]);
	for (uint32_t i = 0; v[RULES] && i < v[RULES]->n && r == 0; i++)
		r = kc_draft_merge(l, input, v[RULES]->item[i]);
	if (v[TITLE])
		l->title = v[TITLE]->scalar;
	return r;
}

/* What two profiles extend is merged once, before the first of them: else it undid what that one
 * says. */
static bool is_merged(const struct kc_loader *l, const struct stat *st)
{
	for (uint32_t i = 0; i < l->n_inputs; i++) {
		const struct kc_input *input = l->inputs + i;

		if (input->merged && input->dev == st->st_dev && input->ino == st->st_ino)
			return true;
	}
	return false;
}

static int read_profile(struct kc_loader *l, int fd, const char *name,
			const struct kc_err *distrust, const struct link *child,
			const struct kc_where *asked, const struct kc_yaml_node *at)
{
	struct link link = { .child = child, .name = name, .depth = child ? child->depth + 1 : 0 };
	const struct kc_yaml_node *node = NULL;
	uint16_t input = 0;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	link.dev = st.st_dev;
	link.ino = st.st_ino;
	for (const struct link *i = child; i; i = i->child) {
		if (i->dev == st.st_dev && i->ino == st.st_ino) {
			refuse(l, asked, at, child, name,
			       "the profiles extend each other in a circle");
			return 0;
		}
	}
	if (is_merged(l, &st))
		return 0;
	if (link.depth == DEPTH_MAX) {
		refuse(l, asked, at, child, name, "profiles extend each other more than 32 deep");
		return 0;
	}
	r = kc_loader_read(l, fd, name, distrust, "profile", &input, &node);
	if (r == 0 && node)
		r = merge(l, input, node, &link);
	l->inputs[input].merged = true;
	l->inputs[input].dev = st.st_dev;
	l->inputs[input].ino = st.st_ino;
	return r;
}

/* Standard input can be a pipe or a terminal, which nobody but who runs this has filled. */
static int read_stdin(struct kc_loader *l)
{
	struct kc_where where = { .faults = &l->faults, .file = "--profile -", .option = true };
	struct kc_err distrust;
	struct stat st;

	where.order = l->n_inputs;
	for (uint32_t i = 0; i < l->n_inputs; i++) {
		if (kc_streq(l->inputs[i].name, "-")) {
			kc_fault_at(&where, NULL, "standard input can be read only once");
			return 0;
		}
	}
	if (fstat(STDIN_FILENO, &st) < 0 || S_ISDIR(st.st_mode)) {
		l->incomplete = true;
		kc_fault_at(&where, NULL, "standard input is not open for reading");
		return 0;
	}
	kc_profile_stdin(STDIN_FILENO, &distrust);
	return read_profile(l, STDIN_FILENO, "-", &distrust, NULL, &where, NULL);
}

static bool is_file(const char *argument)
{
	return strchr(argument, '/') || kc_endswith(argument, ".yaml") ||
	       kc_endswith(argument, ".yml");
}

int kc_loader_profile(struct kc_loader *l, const char *argument)
{
	struct kc_where where = { .faults = &l->faults, .file = "--profile", .option = true };
	kc_cleanup(kc_closep) int fd = -EBADF;
	const char *path = argument;
	struct kc_err err = { 0 }, distrust;
	int r;

	if (kc_streq(argument, "-"))
		return read_stdin(l);
	where.order = l->n_inputs;
	if (is_file(argument))
		r = kc_profile_open(argument, NULL, &err, &fd, &distrust);
	else
		r = kc_search_open(l->request->profile_dirs, "profile", argument, NULL, l->arena,
				   &err, &fd, &path, &distrust);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		l->incomplete = true;
		kc_fault_at(&where, NULL, "%s", err.text);
		return 0;
	}
	return read_profile(l, fd, path, &distrust, NULL, &where, NULL);
}
