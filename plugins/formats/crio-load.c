/* SPDX-License-Identifier: Apache-2.0 */
#include "crio-config.h"
#include "toml.h"

enum {
	DEPTH_MAX = 16, /* folders below the drop-in folder */
};

struct loader {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
	struct kc_crio_options options;
	struct kc_crio_file *file;
	size_t n_files, room;
};

static const char *why(const struct loader *l)
{
	return kc_arena_strdup(l->arena, kc_why(l->host, l->run));
}

static int add_file(struct loader *l, const struct kc_crio_file *file)
{
	struct kc_crio_file *files;

	if (l->n_files >= KC_CRIO_FILES_MAX)
		return -E2BIG;
	files = kc_arena_grow(l->arena, l->file, l->n_files, &l->room, sizeof(*files));
	if (!files)
		return -ENOMEM;
	l->file = files;
	files[l->n_files++] = *file;
	return 0;
}

/* A file that could not be read, for the merge to judge. */
static int add_unread(struct loader *l, const char *path, const struct kc_place *asked, bool dropin,
		      int code)
{
	struct kc_crio_file file = {
		.path = path,
		.asked = asked,
		.dropin = dropin,
		.code = code,
		.why = why(l),
	};

	if (code == -ENOENT && !asked && !kc_is_link(l->host, l->run, path)) {
		file.code = -ESTALE;
		file.why = KC_CAME_OR_WENT;
	}
	return file.why ? add_file(l, &file) : -ENOMEM;
}

/* A link to /dev/null reads as an empty file, which is how some turn a drop-in off. */
static bool is_masked(const struct loader *l, const char *path)
{
	const char *target;

	return kc_read_link(l->host, l->run, path, &target) == 0 && kc_streq(target, "/dev/null");
}

static int read_file(struct loader *l, const char *path, const struct kc_place *asked, bool dropin)
{
	struct kc_crio_file file = { .path = path, .asked = asked, .dropin = dropin, .text = "" };
	struct kc_bytes bytes;
	int r;

	if (is_masked(l, path))
		return add_file(l, &file);
	r = kc_read_file(l->host, l->run, path, KC_TOML_SIZE_MAX, &bytes);
	if (r < 0)
		return add_unread(l, path, asked, dropin, r);
	file.text = kc_arena_memdup(l->arena, bytes.data, bytes.size);
	file.size = bytes.size;
	return file.text ? add_file(l, &file) : -ENOMEM;
}

static int walk(struct loader *l, const char *path, unsigned depth);

/* The entries of a folder in byte order, folders at their place, as Go's filepath.Walk() has them.
 */
static int walk_dir(struct loader *l, const char *path, unsigned depth)
{
	struct kc_strings names;
	int r = kc_list_dir(l->host, l->run, path, &names);

	if (r < 0)
		return add_unread(l, path, NULL, false, r);
	if (depth >= DEPTH_MAX)
		return add_file(l, &(struct kc_crio_file){
					   .path = path,
					   .code = -EFBIG,
					   .why = "folders are nested here deeper than k8scheck "
						  "looks, and CRI-O reads what is in them",
				   });
	for (size_t i = 0; i < names.n; i++) {
		const char *below = kc_arena_printf(
			l->arena, "%s%s%s", path, kc_endswith(path, "/") ? "" : "/", names.item[i]);

		r = below ? walk(l, below, depth + 1) : -ENOMEM;
		if (r < 0)
			return r;
	}
	return 0;
}

static int walk(struct loader *l, const char *path, unsigned depth)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	int r = kc_stat(l->host, l->run, path, KC_NOFOLLOW, &st);

	if (r < 0)
		return add_unread(l, path, NULL, depth > 0, r);
	if (st.type == KC_FILE_DIRECTORY)
		return walk_dir(l, path, depth);
	/* At depth 0 it stands in the folder's place, as a file or a link: Walk() reads that, too.
	 */
	return read_file(l, path, NULL, depth > 0);
}

static const char *absolute(struct loader *l, const char *path)
{
	/* Services work in "/". */
	return *path == '/' ? path : kc_arena_printf(l->arena, "/%s", path);
}

static int read_main(struct loader *l)
{
	const struct kc_crio_option *option = kc_crio_option(&l->options, "config");
	const char *path = absolute(l, option ? option->value : KC_CRIO_CONFIG);
	struct kc_stat st = { .size_of = sizeof(st) };

	if (!path)
		return -ENOMEM;
	if (option && *option->value == '\0')
		return 0;
	if (!option && kc_stat(l->host, l->run, path, 0, &st) == -ENOENT)
		return 0;
	return read_file(l, path, option ? &option->place : NULL, false);
}

static int read_dropins(struct loader *l, const char **ret_dir)
{
	const struct kc_crio_option *option = kc_crio_option(&l->options, "config-dir");
	const char *path = option && !*option->value
				   ? ""
				   : absolute(l, option ? option->value : KC_CRIO_CONFIG_DIR);
	struct kc_stat st = { .size_of = sizeof(st) };

	if (!path)
		return -ENOMEM;
	*ret_dir = path;
	if (*path == '\0' || kc_stat(l->host, l->run, path, 0, &st) == -ENOENT)
		return 0;
	return walk(l, path, 0);
}

/* True when crio is there by one of its usual names. */
static bool has_program(const struct loader *l)
{
	static const char *const paths[] = { "/usr/bin/crio", "/usr/local/bin/crio",
					     "/usr/sbin/crio", NULL };
	struct kc_stat st = { .size_of = sizeof(st) };

	KC_FOREACH_STR (path, paths)
		if (kc_stat(l->host, l->run, path, 0, &st) == 0)
			return true;
	return false;
}

/* A unit with a fault, or a wrapper, hides the flags that crio gets. */
static int note_unit(struct loader *l, const struct kc_unit_file *unit,
		     const struct kc_service_command *service)
{
	const char *program = service->command.n ? service->command.word[0].text : NULL;
	const char *slash = program ? strrchr(program, '/') : NULL;
	struct kc_crio_file file = { .path = KC_CRIO_UNIT, .code = -ENOTSUP };

	if (unit->fault) {
		file.why = unit->fault;
		return add_file(l, &file);
	}
	if (!program || kc_streq(slash ? slash + 1 : program, "crio"))
		return 0;
	file.why = kc_arena_printf(
		l->arena, "%s:%u starts %s, so the flags that crio gets from it cannot be seen",
		service->command.place.file, service->command.place.line, program);
	return file.why ? add_file(l, &file) : -ENOMEM;
}

static int load_files(struct loader *l, const struct kc_unit_file *unit,
		      const struct kc_service_command *service, const char **ret_dir)
{
	int r = note_unit(l, unit, service);

	if (r == 0)
		r = kc_crio_options_parse(service, l->arena, &l->options);
	if (r == 0)
		r = read_main(l);
	if (r == 0)
		r = read_dropins(l, ret_dir);
	if (r != -E2BIG)
		return r;
	/* In the place of the last: nothing is certain any more. */
	l->n_files -= l->n_files == KC_CRIO_FILES_MAX;
	return add_file(l, &(struct kc_crio_file){
				   .path = *ret_dir,
				   .code = -E2BIG,
				   .why = "more than 1024 files in CRI-O's drop-in folder",
			   });
}

int kc_crio_config_load(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			unsigned version, struct kc_crio_config **ret_config)
{
	struct loader *l = kc_arena_zalloc(arena, 1, sizeof(*l));
	struct kc_service_command service = { 0 };
	const struct kc_unit_file *unit;
	struct kc_crio_config *config;
	const char *dir = "";
	int r;

	if (!l)
		return -ENOMEM;
	l->host = host;
	l->run = run;
	l->arena = arena;
	r = kc_unit_file_load(host, run, arena, KC_CRIO_UNIT, &unit);
	if (r == 0)
		r = kc_unit_service_command(host, run, arena, unit, &service);
	if (r == 0)
		r = load_files(l, unit, &service, &dir);
	if (r < 0)
		return r;
	r = kc_crio_config_merge(&(struct kc_crio_input){ .version = version,
							  .file = l->file,
							  .n_files = l->n_files,
							  .options = &l->options },
				 arena, &config);
	if (r == 0)
		r = kc_search_path_of(host, run, arena, unit, &service, &config->search_path);
	if (r < 0)
		return r;
	config->dir = dir;
	config->installed = unit->fragment || l->n_files > 0 || has_program(l);
	*ret_config = config;
	return 0;
}
