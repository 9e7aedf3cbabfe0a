/* SPDX-License-Identifier: Apache-2.0 */
#include "boot-internal.h"

enum {
	CMDLINE_MAX = 64 * 1024
};

int boot_read(struct boot_reader *reader, const char *path, size_t max, struct kc_bytes *ret_bytes)
{
	int r = kc_read_file(reader->host, reader->run, path, max, ret_bytes);

	if (r == -ENOTDIR)
		r = -ENOENT;
	if (r == 0 || r == -ENOENT)
		return r;
	reader->why = kc_arena_strdup(reader->arena, kc_why(reader->host, reader->run));
	return reader->why ? r : -ENOMEM;
}

int boot_fault(struct boot_reader *reader, const char *path, int error)
{
	const char *what = error == -EFBIG || error == -E2BIG
				   ? "is larger or deeper than such a file can be"
				   : "cannot be understood";

	if (error == -ENOMEM)
		return error;
	reader->why = kc_arena_printf(reader->arena, "%s %s.", path, what);
	return reader->why ? error : -ENOMEM;
}

int boot_note(struct boot_reader *reader, const char **note, const char *fmt, ...)
{
	const char *sentence;
	va_list ap;

	va_start(ap, fmt);
	sentence = kc_arena_vprintf(reader->arena, fmt, ap);
	va_end(ap);
	if (sentence && *note)
		sentence = kc_arena_printf(reader->arena, "%s %s", *note, sentence);
	if (!sentence)
		return -ENOMEM;
	*note = sentence;
	return 0;
}

/* The loader that starts the next kernel, and what it starts. */
static int choose(struct boot_reader *reader, struct boot_choice *ret_choice)
{
	bool live = kc_is_live(reader->host, reader->run);
	int systemd = boot_systemd_configured(reader), r;

	/* The firmware's variables can be read where the partition of the loader cannot. */
	if (systemd != 0 && live && boot_systemd_started(reader)) {
		r = boot_systemd_choose(reader, ret_choice);
		if (r != -ENOENT)
			return r;
	}
	r = boot_grub_choose(reader, ret_choice);
	if (r == -ENOENT)
		return boot_systemd_choose(reader, ret_choice);
	if (r == 0 && systemd > 0)
		r = boot_note(reader, &ret_choice->note,
			      "GRUB's menu is taken, though systemd-boot is set up, too.");
	return r;
}

static int split(struct boot_reader *reader, const char *text, size_t size, const char *source,
		 struct kc_boot_arguments *arguments)
{
	struct kc_kernel_argument *item;
	int r;

	r = kc_kernel_arguments_parse(text, size, reader->arena, &item, &arguments->n);
	if (r < 0)
		return boot_fault(reader, source, r);
	arguments->item = item;
	arguments->source = source;
	return 0;
}

/* Without an entry that can be read, the best that can be said. */
static int take_present(struct boot_reader *reader, const char *note,
			struct kc_boot_arguments *arguments)
{
	struct kc_bytes bytes;
	int r = -ENOENT;

	if (kc_is_live(reader->host, reader->run))
		r = boot_read(reader, "/proc/cmdline", CMDLINE_MAX, &bytes);
	if (r == -ENOENT)
		reader->why = note;
	if (r == 0)
		r = boot_note(reader, &note,
			      "The arguments are those of the running kernel; the next start may "
			      "have others.");
	if (r < 0)
		return r;
	arguments->present = true;
	arguments->note = note;
	return split(reader, bytes.data, bytes.size, "/proc/cmdline", arguments);
}

static int read_arguments(struct boot_reader *reader, struct kc_boot_arguments *arguments)
{
	struct boot_choice choice = { 0 };
	int r = choose(reader, &choice);

	if (r == -ENOENT)
		return take_present(reader, "No entry of a boot loader was found.", arguments);
	if (r < 0)
		return r;
	if (!choice.options)
		return take_present(reader, choice.note, arguments);
	arguments->note = choice.note;
	return split(reader, choice.options, strlen(choice.options), choice.source, arguments);
}

int kc_boot_arguments_read(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			   struct kc_boot_arguments *ret_arguments, const char **ret_why)
{
	struct boot_reader reader = { .host = host, .run = run, .arena = arena };
	struct kc_boot_arguments arguments = { 0 };
	int r;

	r = read_arguments(&reader, &arguments);
	if (r == 0)
		*ret_arguments = arguments;
	else
		*ret_why = reader.why ? reader.why : "Memory is short.";
	return r;
}
