/* SPDX-License-Identifier: Apache-2.0 */
#include "kubelet-config.h"
#include "kubelet-internal.h"
#include "unit.h"

static const char *const usual_programs[] = {
	"/usr/bin/kubelet", "/usr/local/bin/kubelet", "/opt/bin/kubelet", "/usr/sbin/kubelet", NULL,
};

int kc_kubelet_set_unread(struct kc_kubelet_config *config, struct kc_arena *arena,
			  const char *what, const char *source)
{
	if (config->unread)
		return 0;
	config->unread = kc_arena_strdup(arena, what);
	config->unread_source = source;
	return config->unread ? 0 : -ENOMEM;
}

static int load_file(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		     const char *path, bool dropin, struct kc_kubelet_file *ret_file)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	struct kc_bytes bytes;
	int r;

	r = kc_read_file(host, run, path, KC_KUBELET_FILE_MAX, &bytes);
	if (r == 0) {
		r = kc_kubelet_file_parse(path, bytes.data, bytes.size, dropin, arena, ret_file);
		if (r == 0 && kc_stat(host, run, path, 0, &st) == 0)
			ret_file->mtime_usec = st.mtime_usec;
		return r;
	}
	*ret_file = (struct kc_kubelet_file){ .path = path, .dropin = dropin, .at = path };
	if (r == -ENOMEM)
		return r;
	if (r == -ENOENT)
		ret_file->missing = true;
	else if (r == -EISDIR)
		ret_file->refusal = "it is a folder";
	else
		ret_file->unread = kc_arena_strdup(arena, kc_why(host, run));
	return r == -ENOENT || ret_file->refusal || ret_file->unread ? 0 : -ENOMEM;
}

/* What a file says of the whole: the first refusal and the first thing unread stay. */
static int take_file(struct kc_kubelet_config *config, struct kc_arena *arena,
		     const struct kc_kubelet_file *file)
{
	config->n_unread_files += file->unread ? 1 : 0;
	if (file->unread)
		return kc_kubelet_set_unread(config, arena, file->unread, file->at);
	if (file->refusal && !config->refusal) {
		config->refusal = kc_arena_printf(arena, "the kubelet does not start with %s: %s",
						  file->path, file->refusal);
		config->refusal_source = file->at;
		config->refusal_of_file = true;
		if (!config->refusal)
			return -ENOMEM;
	}
	return 0;
}

struct dropins {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
	struct kc_kubelet_config *config;
	struct kc_kubelet_file *file;
	size_t n, room;
};

static int load_dropin(struct dropins *d, const char *path)
{
	int r;

	if (d->n == d->room)
		return kc_kubelet_set_unread(d->config, d->arena,
					     "there are more drop-in files than are read here",
					     path);
	r = load_file(d->host, d->run, d->arena, path, true, &d->file[d->n]);
	if (r < 0)
		return r;
	if (d->file[d->n].missing) {
		d->file[d->n].missing = false;
		if (kc_is_link(d->host, d->run, path))
			d->file[d->n].refusal = "the link leads nowhere";
		else
			d->file[d->n].unread = KC_CAME_OR_WENT;
	}
	return take_file(d->config, d->arena, &d->file[d->n++]);
}

/* As filepath.WalkDir goes: by name, folders where their name stands, links not followed. */
static int walk_dropins(struct dropins *d, const char *dir, unsigned depth)
{
	struct kc_strings names;
	int r;

	r = kc_list_dir(d->host, d->run, dir, &names);
	if (r < 0 && r != -ENOMEM)
		return kc_kubelet_set_unread(d->config, d->arena, kc_why(d->host, d->run), dir);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		struct kc_stat st = { .size_of = sizeof(st) };
		const char *path = kc_arena_printf(d->arena, "%s/%s", dir, names.item[i]);

		if (!path)
			return -ENOMEM;
		if (kc_stat(d->host, d->run, path, KC_NOFOLLOW, &st) == 0 &&
		    st.type == KC_FILE_DIRECTORY)
			r = depth < KC_KUBELET_DROPIN_DEPTH
				    ? walk_dropins(d, path, depth + 1)
				    : kc_kubelet_set_unread(d->config, d->arena,
							    "folders are nested too deep here",
							    path);
		else if (kc_endswith(names.item[i], ".conf"))
			r = load_dropin(d, path);
	}
	return r;
}

static const char *absolute(const char *path, struct kc_arena *arena)
{
	/* kubelet.service sets no working folder, so relative names start at the root. */
	return path[0] == '/' ? path : kc_arena_printf(arena, "/%s", path);
}

static int load_dropin_dir(struct dropins *d, const struct kc_kubelet_flag *flag)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	const char *dir = absolute(flag->value, d->arena);

	if (!dir)
		return -ENOMEM;
	d->config->dropin_dir = dir;
	d->config->dropin_dir_source = flag->source;
	if (kc_stat(d->host, d->run, dir, 0, &st) == -ENOENT) {
		d->config->dropin_dir_missing = true;
		if (!d->config->refusal) {
			d->config->refusal = kc_arena_printf(
				d->arena,
				"the kubelet does not start: the drop-in folder %s is not there",
				dir);
			d->config->refusal_source = flag->source;
			d->config->refusal_of_file = true;
		}
		return d->config->refusal ? 0 : -ENOMEM;
	}
	return walk_dropins(d, dir, 0);
}

int kc_kubelet_load_files(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			  struct kc_kubelet_config *config)
{
	const struct kc_kubelet_flag *base = kc_kubelet_flags_last(&config->flags, "config");
	const struct kc_kubelet_flag *dir = kc_kubelet_flags_last(&config->flags, "config-dir");
	struct dropins d = { .host = host, .run = run, .arena = arena, .config = config };
	int r;

	d.room = KC_KUBELET_DROPINS_MAX + 1;
	d.file = kc_arena_zalloc(arena, d.room, sizeof(*d.file));
	if (!d.file)
		return -ENOMEM;
	/* An empty name counts as none, as in the kubelet. */
	if (base && base->value[0]) {
		config->config_path = absolute(base->value, arena);
		config->config_source = base->source;
		if (!config->config_path)
			return -ENOMEM;
		r = load_file(host, run, arena, config->config_path, false, &d.file[0]);
		if (r < 0)
			return r;
		d.n = 1;
		config->config_missing = d.file[0].missing;
		r = take_file(config, arena, &d.file[0]);
		if (r < 0)
			return r;
	}
	if (dir && dir->value[0]) {
		r = load_dropin_dir(&d, dir);
		if (r < 0)
			return r;
	}
	config->file = d.file;
	config->n_files = d.n;
	return 0;
}

int kc_kubelet_take_flags(struct kc_kubelet_config *config, struct kc_arena *arena,
			  const struct kc_kubelet_argument *argument, size_t n)
{
	int r;

	r = kc_kubelet_flags_parse(argument, n, arena, &config->flags);
	if (r == -E2BIG)
		return kc_kubelet_set_unread(config, arena,
					     "there are more arguments than are read here",
					     config->start_source);
	r = r < 0 ? r : kc_kubelet_flags_check(&config->flags, &config->release, arena);
	if (r < 0)
		return r;
	if (!config->refusal) {
		config->refusal = config->flags.refusal;
		config->refusal_source = config->flags.refusal_source;
	}
	return 0;
}

/* "FILE:LINE", and the variable that the word came out of. */
static const char *word_source(const struct kc_word *word, const struct kc_service_command *service,
			       struct kc_arena *arena)
{
	const struct kc_environment_variable *from = NULL;

	for (size_t i = 0; i < service->n_environment; i++) {
		const struct kc_environment_variable *v = &service->environment[i];

		if (word->place.line != v->place.line ||
		    !kc_streq0(word->place.file, v->place.file))
			continue;
		/* Environment= may set several in one line. */
		if (!from || strstr(v->value, word->text))
			from = v;
	}
	if (from)
		return kc_arena_printf(arena, "%s:%u (%s)", word->place.file, word->place.line,
				       from->name);
	return kc_arena_printf(arena, "%s:%u", word->place.file, word->place.line);
}

static int take_command(struct kc_kubelet_config *config, struct kc_arena *arena,
			const struct kc_service_command *service)
{
	const struct kc_command *command = &service->command;
	const char *program, *slash;
	struct kc_kubelet_argument *argument;

	config->start_source =
		kc_arena_printf(arena, "%s:%u", command->place.file, command->place.line);
	argument = kc_arena_zalloc(arena, command->n, sizeof(*argument));
	if (!config->start_source || !argument)
		return -ENOMEM;
	program = command->word[0].text;
	slash = strrchr(program, '/');
	if (!kc_streq(slash ? slash + 1 : program, "kubelet")) {
		const char *what = kc_arena_printf(
			arena, "%s starts %s, so the kubelet's flags cannot be told from it",
			KC_KUBELET_UNIT, program);

		return what ? kc_kubelet_set_unread(config, arena, what, config->start_source)
			    : -ENOMEM;
	}
	for (size_t i = 1; i < command->n; i++) {
		argument[i - 1].text = command->word[i].text;
		argument[i - 1].source = word_source(&command->word[i], service, arena);
		if (!argument[i - 1].source)
			return -ENOMEM;
	}
	return kc_kubelet_take_flags(config, arena, argument, command->n - 1);
}

/* 1.28 and 1.29 refuse --config-dir without a variable in their environment. */
static void check_alpha_dropins(struct kc_kubelet_config *config,
				const struct kc_service_command *service)
{
	const struct kc_kubelet_flag *dir = kc_kubelet_flags_last(&config->flags, "config-dir");

	if (!dir || config->refusal || config->release.minor < 28 || config->release.minor > 29)
		return;
	for (size_t i = 0; i < service->n_environment; i++)
		if (kc_streq(service->environment[i].name, "KUBELET_CONFIG_DROPIN_DIR_ALPHA"))
			return;
	config->refusal = "this kubelet does not start with --config-dir unless "
			  "KUBELET_CONFIG_DROPIN_DIR_ALPHA is set in its environment";
	config->refusal_source = dir->source;
}

/* Without a unit: the configuration file at its usual place is all that can be judged. */
static int load_without_unit(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			     struct kc_kubelet_config *config)
{
	static const struct kc_kubelet_argument usual = {
		"--config=" KC_KUBELET_CONFIG_FILE,
		"no " KC_KUBELET_UNIT "; where kubeadm puts the file",
	};
	struct kc_stat st = { .size_of = sizeof(st) };
	bool installed = kc_stat(host, run, KC_KUBELET_CONFIG_FILE, 0, &st) != -ENOENT;
	int r;

	KC_FOREACH_STR (program, usual_programs) {
		if (!installed)
			installed = kc_stat(host, run, program, 0, &st) != -ENOENT;
	}
	if (!installed) {
		config->state = KC_KUBELET_ABSENT;
		return 0;
	}
	r = kc_kubelet_take_flags(config, arena, &usual, 1);
	return r < 0 ? r : kc_kubelet_load_files(host, run, arena, config);
}

/* A drop-in below /etc hides the one of the same name that a package brings, with all its newer
 * lines. */
static int note_shadow(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		       const struct kc_unit_file *unit, struct kc_kubelet_config *config)
{
	static const char etc[] = "/etc/systemd/system/";

	KC_FOREACH_STR (dropin, unit->dropins) {
		const char *rest = kc_after_prefix(dropin, etc), *packaged;
		struct kc_stat st = { .size_of = sizeof(st) };

		if (!rest)
			continue;
		packaged = kc_arena_printf(arena, "/usr/lib/systemd/system/%s", rest);
		if (!packaged)
			return -ENOMEM;
		if (kc_stat(host, run, packaged, 0, &st) < 0)
			continue;
		config->shadow = kc_arena_printf(arena, "%s hides %s.", dropin, packaged);
		return config->shadow ? 0 : -ENOMEM;
	}
	return 0;
}

static int load_unit(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		     const struct kc_unit_file *unit, struct kc_kubelet_config *config)
{
	struct kc_service_command service = { 0 };
	int r;

	if (unit->masked) {
		config->state = KC_KUBELET_STOPPED;
		config->not_running = KC_KUBELET_UNIT " is masked, so nothing starts the kubelet.";
		return 0;
	}
	r = kc_unit_service_command(host, run, arena, unit, &service);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return kc_kubelet_set_unread(config, arena, kc_why(host, run), unit->fragment);
	if (unit->fault || service.fault) {
		config->refusal = unit->fault ? unit->fault : service.fault;
		config->refusal_source = unit->fragment;
	} else if (service.command.n == 0) {
		config->refusal = KC_KUBELET_UNIT
			" has no ExecStart= that counts, so systemd does not start it";
		config->refusal_source = unit->fragment;
	}
	if (service.command.n == 0)
		return 0;
	r = note_shadow(host, run, arena, unit, config);
	r = r < 0 ? r : take_command(config, arena, &service);
	if (r < 0)
		return r;
	check_alpha_dropins(config, &service);
	return kc_kubelet_load_files(host, run, arena, config);
}

int kc_kubelet_boot(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		    const char *version, struct kc_kubelet_config *ret_config)
{
	struct kc_kubelet_config config = { .state = KC_KUBELET_READ };
	const struct kc_unit_file *unit;
	int r;

	if (kc_kubelet_release_parse(version, &config.release) < 0)
		(void)kc_kubelet_release_parse(NULL, &config.release);
	r = kc_unit_file_load(host, run, arena, KC_KUBELET_UNIT, &unit);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		r = kc_kubelet_set_unread(&config, arena, kc_why(host, run), KC_KUBELET_UNIT);
	else if (!unit->fragment)
		r = load_without_unit(host, run, arena, &config);
	else
		r = load_unit(host, run, arena, unit, &config);
	if (r < 0)
		return r;
	*ret_config = config;
	return 0;
}
