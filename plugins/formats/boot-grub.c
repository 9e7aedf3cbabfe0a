/* SPDX-License-Identifier: Apache-2.0 */
#include "boot-internal.h"
#include "grub-config.h"

enum {
	CONFIG_MAX = 1024 * 1024,
	ENVIRONMENT_MAX = 64 * 1024,
	VENDORS_MAX = 64
};

static const char efi_vendors[] = "/boot/efi/EFI";

/* What GRUB decides from. */
struct grub {
	struct boot_reader *reader;
	const char *config_path;
	struct kc_bytes config;
	const char *environment_path; /* NULL: there is none */
	struct kc_grub_environment environment;
	struct boot_entries entries;
	const char *note;
};

static int read_environment(struct grub *g, const char *path)
{
	struct kc_bytes bytes;
	int r = boot_read(g->reader, path, ENVIRONMENT_MAX, &bytes);

	if (r < 0)
		return r;
	r = kc_grub_environment_parse(bytes.data, bytes.size, g->reader->arena, &g->environment);
	if (r == -EBADMSG)
		return boot_note(g->reader, &g->note,
				 "GRUB takes nothing from %s, which is no environment block.",
				 path);
	if (r < 0)
		return boot_fault(g->reader, path, r);
	g->environment_path = path;
	return 0;
}

/* The environment block beside grub.cfg, else that of /boot. */
static int find_environment(struct grub *g)
{
	const char *slash = strrchr(g->config_path, '/');
	const char *own = kc_arena_printf(g->reader->arena, "%.*s/grubenv",
					  (int)(slash - g->config_path), g->config_path);
	int r;

	if (!own)
		return -ENOMEM;
	r = read_environment(g, own);
	if (r == -ENOENT && !kc_streq(own, "/boot/grub2/grubenv"))
		r = read_environment(g, "/boot/grub2/grubenv");
	return r == -ENOENT ? 0 : r;
}

static bool calls_blscfg(const struct kc_bytes *config)
{
	return memmem(config->data, config->size, "blscfg", strlen("blscfg")) ||
	       memmem(config->data, config->size, "bls_import", strlen("bls_import"));
}

static const char *source_of(struct grub *g, const struct kc_grub_boot *boot)
{
	if (boot->line)
		return kc_arena_printf(g->reader->arena, "%s:%u", g->config_path, boot->line);
	return kc_arena_printf(g->reader->arena, "%s:%u", boot->entry->file, boot->entry->line);
}

/* Why this item, where that is not plain. */
static int note_choice(struct grub *g, const struct kc_grub_boot *boot)
{
	const struct kc_grub_variable *next =
		kc_grub_environment_get(&g->environment, "next_entry");
	int r = 0;

	if (next && *next->value && kc_streq(next->value, boot->wanted))
		r = boot_note(g->reader, &g->note,
			      "%s:%u chooses the entry '%s' for the next start alone.",
			      g->environment_path, next->line, boot->title);
	if (!r && boot->missing)
		r = boot_note(g->reader, &g->note,
			      "GRUB's default '%s' is no entry of its menu, so that it takes the "
			      "first.",
			      boot->wanted);
	if (!r && boot->uncertain)
		r = boot_note(
			g->reader, &g->note,
			"Which entry or kernel it takes depends on conditions in %s that only "
			"GRUB can tell.",
			g->config_path);
	return r;
}

static int note_options(struct grub *g, const struct kc_grub_boot *boot)
{
	int r = 0;

	if (boot->from.name)
		r = boot_note(g->reader, &g->note, "$%s is set in %s:%u.", boot->from.name,
			      boot->from.in_environment ? g->environment_path : g->config_path,
			      boot->from.line);
	if (!r && boot->unexpanded)
		r = boot_note(g->reader, &g->note, "What GRUB puts in for %s is not known.",
			      boot->unexpanded);
	if (!r && boot->entry && boot->entry->n_options > 1)
		r = boot_note(g->reader, &g->note,
			      "GRUB takes the first line of options alone; %s has %u.",
			      boot->entry->file, boot->entry->n_options);
	if (!r && !boot->kernel)
		r = boot_note(g->reader, &g->note,
			      "The entry '%s' that GRUB takes by default loads no Linux kernel.",
			      boot->title);
	return r;
}

static int choose(struct grub *g, struct boot_choice *ret_choice)
{
	struct kc_grub_boot boot;
	int r;

	r = kc_grub_config_default(g->config.data, g->config.size,
				   g->environment_path ? &g->environment : NULL, g->entries.item,
				   g->entries.n, g->reader->arena, &boot);
	if (r == -ENOENT)
		return r;
	if (r < 0)
		return boot_fault(g->reader, g->config_path, r);
	r = note_choice(g, &boot);
	if (r == 0)
		r = note_options(g, &boot);
	if (r < 0)
		return r;
	*ret_choice = (struct boot_choice){
		.options = boot.kernel ? boot.options : NULL,
		.source = source_of(g, &boot),
		.note = g->note,
	};
	return ret_choice->source ? 0 : -ENOMEM;
}

/* One grub.cfg. -ENOENT: it is not there, or makes no menu. */
static int try_config(struct boot_reader *reader, const char *path, struct boot_choice *ret_choice)
{
	struct grub g = { .reader = reader, .config_path = path };
	int r;

	r = boot_read(reader, path, CONFIG_MAX, &g.config);
	if (r == 0)
		r = find_environment(&g);
	if (r == 0 && calls_blscfg(&g.config))
		r = boot_entries_read(reader, KC_BOOT_LOADER_GRUB, &g.entries);
	return r ? r : choose(&g, ret_choice);
}

/* The folders of vendors on the EFI system partition. */
static int try_vendors(struct boot_reader *reader, struct boot_choice *ret_choice)
{
	struct kc_strings names;
	int r = kc_list_dir(reader->host, reader->run, efi_vendors, &names);

	if (r == -ENOENT || r == -ENOTDIR)
		return -ENOENT;
	if (r < 0) {
		reader->why = kc_arena_strdup(reader->arena, kc_why(reader->host, reader->run));
		return reader->why ? r : -ENOMEM;
	}
	r = -ENOENT;
	for (size_t i = 0; r == -ENOENT && i < names.n && i < VENDORS_MAX; i++) {
		const char *path = kc_arena_printf(reader->arena, "%s/%s/grub.cfg", efi_vendors,
						   names.item[i]);

		r = path ? try_config(reader, path, ret_choice) : -ENOMEM;
	}
	return r;
}

/* Entries and an environment block, and no grub.cfg: as the one that grub2-mkconfig writes. */
static int try_environment(struct boot_reader *reader, struct boot_choice *ret_choice)
{
	static const char config[] =
		"if [ \"${next_entry}\" ]; then set default=\"${next_entry}\"\n"
		"else set default=\"${saved_entry}\"; fi\nblscfg\n";
	struct grub g = {
		.reader = reader,
		.config_path = "/boot/grub2/grub.cfg",
		.config = { .data = config, .size = sizeof(config) - 1 },
	};
	int r;

	r = read_environment(&g, "/boot/grub2/grubenv");
	if (r == 0)
		r = boot_entries_read(reader, KC_BOOT_LOADER_GRUB, &g.entries);
	if (r == 0)
		r = boot_note(reader, &g.note, "There is no grub.cfg.");
	return r ? r : choose(&g, ret_choice);
}

int boot_grub_choose(struct boot_reader *reader, struct boot_choice *ret_choice)
{
	int r;

	r = try_config(reader, "/boot/grub2/grub.cfg", ret_choice);
	if (r == -ENOENT)
		r = try_config(reader, "/boot/grub/grub.cfg", ret_choice);
	if (r == -ENOENT)
		r = try_vendors(reader, ret_choice);
	if (r == -ENOENT)
		r = try_environment(reader, ret_choice);
	return r;
}
