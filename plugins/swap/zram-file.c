/* SPDX-License-Identifier: Apache-2.0 */
#include "zram-file.h"

enum {
	DEVICES_MAX = 256,
};

struct parse {
	const char *file;
	struct kc_arena *arena;
	struct swap_zram_devices *devices;
	struct swap_zram_device *device; /* of the section; NULL: another section, or none */
	unsigned line;
};

static int refuse(struct parse *p, const char *fault)
{
	if (!p->devices->bad_line) {
		p->devices->bad_line = p->line;
		p->devices->bad_file = p->file;
		p->devices->fault = fault;
	}
	return 0;
}

/* "zram" and a decimal number. */
static bool is_device(const char *section)
{
	const char *number = kc_after_prefix(section, "zram");
	uint64_t value;

	return number && kc_parse_u64(number, &value) == 0;
}

static int open_section(struct parse *p, char *text)
{
	struct swap_zram_devices *d = p->devices;
	char *end = strchr(text, ']');

	p->device = NULL;
	if (!end)
		return refuse(p, "a section's name has no closing bracket");
	*end = '\0';
	text = kc_strstrip(text + 1);
	if (!is_device(text))
		return 0;
	for (size_t i = 0; i < d->n && !p->device; i++)
		if (kc_streq(d->item[i].name, text))
			p->device = &d->item[i];
	if (!p->device) {
		if (d->n == DEVICES_MAX)
			return -E2BIG;
		if (!d->item)
			d->item = kc_arena_zalloc(p->arena, DEVICES_MAX, sizeof(*d->item));
		if (!d->item)
			return -ENOMEM;
		p->device = &d->item[d->n];
		p->device->name = kc_arena_strdup(p->arena, text);
		if (!p->device->name)
			return -ENOMEM;
		d->n++;
	}
	p->device->file = p->file;
	p->device->line = p->line;
	return 0;
}

static const char **place_of(struct swap_zram_device *device, const char *key)
{
	if (kc_streq(key, "zram-size"))
		return &device->size;
	if (kc_streq(key, "zram-fraction"))
		return &device->fraction;
	if (kc_streq(key, "max-zram-size"))
		return &device->max_size;
	if (kc_streq(key, "host-memory-limit") || kc_streq(key, "memory-limit"))
		return &device->host_limit;
	if (kc_streq(key, "fs-type"))
		return &device->fs_type;
	return kc_streq(key, "mount-point") ? &device->mount_point : NULL;
}

static char *unquote(char *value)
{
	size_t n = strlen(value);

	if (n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n - 1] == value[0]) {
		value[n - 1] = '\0';
		value++;
	}
	return value;
}

static int take_line(struct parse *p, char *text)
{
	const char **place;
	char *value;

	text = kc_strstrip(text);
	if (!*text || *text == '#' || *text == ';')
		return 0;
	if (*text == '[')
		return open_section(p, text);
	value = strpbrk(text, "=:");
	if (!value)
		return refuse(p, "a line has neither a section nor a key with its value");
	*value = '\0';
	if (!p->device)
		return 0;
	place = place_of(p->device, kc_strstrip(text));
	if (!place)
		return 0;
	*place = kc_arena_strdup(p->arena, unquote(kc_strstrip(value + 1)));
	return *place ? 0 : -ENOMEM;
}

int swap_zram_file_parse(const char *file, const char *text, size_t size, struct kc_arena *arena,
			 struct swap_zram_devices *devices)
{
	struct parse p = { .file = file, .arena = arena, .devices = devices, .line = 1 };
	char *copy = kc_arena_memdup(arena, text, size);
	int r = 0;

	if (!copy)
		return -ENOMEM;
	if (size && memchr(copy, '\0', size))
		return refuse(&p, "the file has NUL bytes");
	while (!r && *copy) {
		char *end = strchrnul(copy, '\n');
		bool last = !*end;

		*end = '\0';
		r = take_line(&p, copy);
		copy = last ? end : end + 1;
		p.line++;
	}
	return r;
}

bool swap_zram_is_swap(const struct swap_zram_device *device)
{
	if (device->fs_type)
		return kc_streq(device->fs_type, "swap");
	return !device->mount_point;
}

/* "0", "0.0": the number; expressions are not worked out. */
static bool is_zero(const char *text)
{
	return text && strchr(text, '0') && !text[strspn(text, "0.")];
}

bool swap_zram_is_empty(const struct swap_zram_device *device)
{
	/* The two older settings beat zram-size. */
	if (device->fraction || device->max_size)
		return is_zero(device->fraction) || is_zero(device->max_size);
	return is_zero(device->size);
}
