/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "unit.h"

/* What the files that read units share among themselves; nobody else includes it. */

/* White space, ends of lines and comments as systemd has them; vertical tab and form feed are none.
 */
#define KC_UNIT_WHITE	 " \t\n\r"
#define KC_UNIT_NEWLINE	 "\n\r"
#define KC_UNIT_COMMENTS "#;"

enum {
	KC_UNIT_FILE_MAX = 1 << 20,
	KC_UNIT_SETTINGS_MAX = 65536,
	KC_UNIT_DROPINS_MAX = 1024,
	KC_UNIT_NAME_MAX = 255,
	KC_UNIT_HOPS_MAX = 8, /* of aliases, as systemd has it */
	KC_UNIT_TYPES = 11,
	KC_UNIT_WORDS_MAX = 65536,
	KC_UNIT_VARIABLES_MAX = 4096,
	KC_UNIT_ALIASES_MAX = 1024,
};

static inline bool kc_unit_is_white(char c)
{
	return c && strchr(KC_UNIT_WHITE, c);
}

/* True for well-formed UTF-8 without NUL. */
bool kc_unit_is_utf8(const char *s, size_t n);

/* ---- settings ---- */

struct kc_unit_settings {
	struct kc_unit_setting *item;
	size_t n, size;
};

/*
 * Appends the settings of a text. *ret_fault is NULL, or a sentence why systemd stops reading at a
 * line; the settings before it are there.
 */
int kc_unit_parse(const char *file, const char *text, size_t size, struct kc_arena *arena,
		  struct kc_unit_settings *settings, const char **ret_fault);

/* ---- names ---- */

enum kc_unit_name_kind {
	KC_UNIT_PLAIN = 1,
	KC_UNIT_TEMPLATE = 2, /* foo@.service */
	KC_UNIT_INSTANCE = 3, /* foo@bar.service */
};

/* The kind of a valid unit name; -EINVAL for others. */
int kc_unit_name_kind(const char *name);

/* The type without its dot ("service"); NULL when it is none of systemd's. */
const char *kc_unit_name_type(const char *name);

/* An index for the type, below KC_UNIT_TYPES. The name must be valid. */
size_t kc_unit_type_index(const char *name);

/* Parts, in the arena; NULL: no memory. The name must be valid. */
const char *kc_unit_name_prefix(struct kc_arena *arena, const char *name); /* before @ or the dot */
const char *kc_unit_name_instance(struct kc_arena *arena,
				  const char *name); /* "" when there is none */
const char *kc_unit_name_template(struct kc_arena *arena, const char *name); /* foo@bar.x: foo@.x */
/* The template (or instance) with this instance. */
const char *kc_unit_name_with(struct kc_arena *arena, const char *name, const char *instance);

/* Whether links and templates are allowed for units of the name's type. */
bool kc_unit_type_may_alias(const char *name);
bool kc_unit_type_may_template(const char *name);

/* ---- folders ---- */

struct kc_unit_dir {
	const char *path; /* as listed in kc_unit_dirs */
	const char *resolved; /* behind links */
	struct kc_strings names;
	struct kc_strings links; /* those of them that are links, once they are asked for */
	bool links_known;
};

/* A link from one unit name to another, of any folder. */
struct kc_unit_alias {
	const char *name, *to;
	/* What systemd takes the name for, once that was asked; NULL when it is no alias at all. */
	const char *canonical;
	uint32_t followed; /* the last question that it was followed for */
	bool known;
};

struct kc_unit_aliases {
	struct kc_unit_alias *item;
	size_t n, size;
	uint32_t questions;
	bool known;
};

struct kc_unit_folders {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
	struct kc_unit_dir dir[8];
	size_t n;
	struct kc_unit_aliases
		aliases[KC_UNIT_TYPES]; /* by type, found when they are first asked for */
};

/* Lists the unit folders that are there, each once however many links lead to it. */
int kc_unit_folders_open(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			 struct kc_unit_folders *ret_folders);

/* The same folders, with no names. */
int kc_unit_folders_find(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			 struct kc_unit_folders *ret_folders);

/*
 * 1 when no unit folder has a name, nor the template of that: there is no such unit, for a folder
 * lists no name that is not found in it. To look a name up takes far less than a list of some
 * hundred others. 0 when one may have it, also where a folder cannot be looked into; -ENOMEM.
 */
int kc_unit_is_nowhere(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		       const char *name);

/* True when the folder has the name (by its listing). */
bool kc_unit_dir_has(const struct kc_unit_dir *dir, const char *name);

/* 1 for a name of the folder that is a link. */
int kc_unit_dir_has_link(const struct kc_unit_folders *folders, struct kc_unit_dir *dir,
			 const char *name);

/* The path of a name in a folder. */
const char *kc_unit_path(struct kc_arena *arena, const char *dir, const char *name);

/*
 * Where a link leads, one step: an absolute path whose parent has no links; the last component need
 * not exist and is not followed. -EINVAL when `path` is no link.
 */
int kc_unit_link_target(const struct kc_unit_folders *folders, const char *path,
			const char **ret_target);

/* What follows a unit folder in a path ("foo.service"); NULL when it lies in none of them. */
const char *kc_unit_in_folders(const struct kc_unit_folders *folders, const char *path);

enum kc_unit_entry_type {
	KC_ENTRY_NONE = 0,
	KC_ENTRY_FILE = 1, /* a file, or a link that leaves the unit folders */
	KC_ENTRY_MASK = 2, /* empty, or a link to /dev/null */
	KC_ENTRY_ALIAS = 3, /* a link to another unit */
	KC_ENTRY_BROKEN = 4, /* a link that leaves the unit folders and leads nowhere */
};

struct kc_unit_entry {
	uint32_t type; /* enum kc_unit_entry_type */
	const char *path; /* the file or link */
	const char *target; /* of a link; NULL for a file */
	size_t dir; /* index of its folder */
};

/* The entry of a name that systemd uses: of the first folder that has a valid one. */
int kc_unit_entry(const struct kc_unit_folders *folders, const char *name,
		  struct kc_unit_entry *ret_entry);

/* Behind aliases, templates included: the unit that stands for a name. */
struct kc_unit_found {
	struct kc_unit_entry entry; /* type NONE: there is no such unit */
	const char *name; /* its name; an instance keeps its instance */
	bool loops; /* more than KC_UNIT_HOPS_MAX aliases */
};

int kc_unit_find(const struct kc_unit_folders *folders, const char *name,
		 struct kc_unit_found *ret_found);

/* Whether systemd accepts a link of one unit name to another; -ENOMEM. */
int kc_unit_alias_valid(struct kc_arena *arena, const char *name, const char *target);

/* A set of names, in the order they were found. */
struct kc_unit_names {
	const char **item;
	size_t n, size;
};

int kc_unit_names_add(struct kc_unit_names *names, struct kc_arena *arena, const char *name);

/* All names of a unit: its own first, then its aliases. */
int kc_unit_names_of(struct kc_unit_folders *folders, const char *canonical,
		     struct kc_unit_names *ret_names);

/* As kc_unit_file_load(), in folders that are open. */
int kc_unit_load(struct kc_unit_folders *folders, const char *name,
		 const struct kc_unit_file **ret_unit);

/* ---- files of several folders ---- */

struct kc_conf_file {
	const char *base; /* behind the last slash of path */
	const char *path;
};

struct kc_conf_files {
	struct kc_conf_file *item;
	size_t n, size;
};

/*
 * Adds the files and links of a folder whose names have the suffix; a name that is there already,
 * from a folder that was added before, beats the new one. A folder that is not there is none.
 */
int kc_conf_files_add(const struct kc_unit_folders *folders, const char *dir, const char *suffix,
		      struct kc_conf_files *files);

/* Adds one name of a folder, whatever it is, unless the name is there already. */
int kc_conf_files_put(const struct kc_unit_folders *folders, const char *dir, const char *base,
		      struct kc_conf_files *files);

/* Orders them by name, whatever folder they are in. */
void kc_conf_files_sort(struct kc_conf_files *files);

/* Whether a file says nothing: 1 when it is a link to /dev/null, 2 when it is one that leads
 * nowhere. */
int kc_conf_file_is_void(const struct kc_unit_folders *folders, const char *path);

/* Appends the settings of a unit file or drop-in. */
int kc_unit_read(const struct kc_unit_folders *folders, const char *path,
		 struct kc_unit_settings *settings, const char **ret_fault);

/* ---- presets ---- */

/* What the presets say of a unit, and where; NULL when no file names it. */
int kc_unit_preset(const struct kc_unit_folders *folders, const char *name,
		   const char **ret_preset);

/* ---- words ---- */

enum {
	KC_WORD_CUNESCAPE = 1u << 0, /* C escapes; what is no escape stays as it is */
	KC_WORD_RELAX = 1u << 1, /* an open quote ends with the text */
	KC_WORD_RETAIN = 1u << 2, /* backslashes are like other characters */
};

/*
 * The next word of a text, unquoted, in the arena; *text moves behind it. 1: a word; 0: none is
 * left
 * (*text is NULL); -EINVAL: a quote is not closed.
 */
int kc_unit_word(const char **text, unsigned flags, struct kc_arena *arena, char **ret_word);

/* Replaces what is known of %-specifiers for a unit of this name. */
int kc_unit_specifiers(const char *name, const char *text, struct kc_arena *arena,
		       const char **ret_text);

/* [A-Za-z_][A-Za-z0-9_]* */
bool kc_environment_name_valid(const char *name, size_t n);

/* Appends, or replaces the variable of that name. */
struct kc_environment {
	struct kc_environment_variable *item;
	size_t n, size;
};

int kc_environment_set(struct kc_environment *environment, struct kc_arena *arena,
		       const struct kc_environment_variable *variable);

/* The service's environment: Environment=, then EnvironmentFile=, then UnsetEnvironment=.
 * *ret_fault as in struct kc_service_command. */
int kc_unit_environment(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			const struct kc_unit_file *unit, struct kc_environment *ret_environment,
			const char **ret_fault);
