/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/dropin.h"
#include "swap.h"
#include "zram-file.h"

#define CONFIG	"zram-generator.conf"
#define DROPINS CONFIG ".d"

/* /run has them too, and is empty when a system starts. */
static const char *const folders[] = { "/etc/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd",
				       NULL };

static int read_file(struct swap_boot *boot, const char *path, struct swap_zram_devices *devices)
{
	struct kc_bytes text;
	int r;

	r = kc_read_file(boot->host, boot->run, path, SWAP_FILE_MAX, &text);
	if (r)
		return r == -ENOENT ? -EIO : r;
	return swap_zram_file_parse(path, text.data, text.size, boot->arena, devices);
}

/* The first of the folders that has the main file is the only one. */
static int read_main(struct swap_boot *boot, struct swap_zram_devices *devices)
{
	KC_FOREACH_STR (folder, folders) {
		struct kc_stat st = { .size_of = sizeof(st) };
		const char *path = kc_text(boot->host, boot->run, "%s/" CONFIG, folder), *target;
		int r;

		/* Offline there need be no /dev/null. */
		if (kc_read_link(boot->host, boot->run, path, &target) == 0 &&
		    kc_endswith(target, "dev/null"))
			return 0;
		r = kc_stat(boot->host, boot->run, path, 0, &st);
		if (r == -ENOENT || r == -ENOTDIR)
			continue;
		return r ? r : read_file(boot, path, devices);
	}
	return 0;
}

static int read_dropins(struct swap_boot *boot, struct swap_zram_devices *devices)
{
	const char *dirs[KC_ARRAY_SIZE(folders)] = { NULL };
	struct kc_dropins list;
	int r;

	for (size_t i = 0; folders[i]; i++)
		dirs[i] = kc_text(boot->host, boot->run, "%s/" DROPINS, folders[i]);
	r = kc_dropins_list(boot->host, boot->run, boot->arena, dirs, ".conf", &list);
	for (size_t i = 0; r == 0 && i < list.n; i++)
		if (!list.item[i].masked)
			r = read_file(boot, list.item[i].path, devices);
	return r;
}

/* MemTotal of the machine in MiB; -EOPNOTSUPP offline. */
static int read_memory(struct swap_boot *boot, uint64_t *ret_mib)
{
	struct kc_bytes text;
	const char *line;
	uint64_t kib = 0;
	int r;

	if (!kc_is_live(boot->host, boot->run))
		return -EOPNOTSUPP;
	r = kc_read_file(boot->host, boot->run, "/proc/meminfo", SWAP_FILE_MAX, &text);
	if (r)
		return r;
	line = strstr(text.data, "MemTotal:");
	if (!line)
		return -EBADMSG;
	for (line += strlen("MemTotal:"); *line == ' '; line++)
		;
	for (; *line >= '0' && *line <= '9' && kib < UINT64_MAX / 16; line++)
		kib = kib * 10 + (uint64_t)(*line - '0');
	*ret_mib = kib / 1024;
	return 0;
}

/* 1: the machine has more memory than the device is meant for; 0: not; -ENODATA: who knows. */
static int is_above_limit(struct swap_boot *boot, const struct swap_zram_device *device)
{
	uint64_t limit, memory;

	if (!device->host_limit || kc_streq(device->host_limit, "none"))
		return 0;
	if (kc_parse_u64(device->host_limit, &limit) != 0)
		return -ENODATA;
	if (limit == 0)
		return 1;
	if (read_memory(boot, &memory) != 0)
		return -ENODATA;
	return limit < memory;
}

/* The swap unit itself, or the service that makes the device. */
static int is_stopped(struct swap_boot *boot, const struct swap_zram_device *device,
		      const char *unit, const char **ret_by)
{
	int r;

	r = swap_wanted_unit_stopped(boot, unit, true, ret_by);
	if (r)
		return r;
	return swap_unit_stopped(
		boot, kc_text(boot->host, boot->run, "systemd-zram-setup@%s.service", device->name),
		false, ret_by);
}

/* What the files and the kernel's arguments have besides one device. */
struct besides {
	bool argument; /* systemd.zram=1 makes zram0 without any file, too */
	bool other_use; /* a device that is no swap */
};

/* Whether its file does not decide alone, or its loss would take more away. */
static bool is_shared(const struct swap_zram_device *device, const struct besides *besides)
{
	if (!device->file || strstr(device->file, "/" DROPINS "/"))
		return true;
	if (besides->argument && kc_streq(device->name, "zram0"))
		return true;
	return besides->other_use && !kc_after_prefix(device->file, "/etc/");
}

static int add_device(struct swap_boot *boot, const struct swap_zram_device *device,
		      const struct besides *besides, const char *source)
{
	const bool shared = is_shared(device, besides);
	const char *unit = kc_text(boot->host, boot->run, "dev-%s.swap", device->name);

	return swap_add(
		boot,
		&(struct swap_cause){
			.verdict = KC_FAIL,
			.origin = SWAP_FROM_ZRAM,
			.subject = device->name,
			.found = kc_text(boot->host, boot->run, "swap in compressed memory%s%s",
					 device->size ? ", zram-size = " : "",
					 device->size ? device->size : ""),
			.source = source,
			.message = kc_text(boot->host, boot->run,
					   "swap.target starts %s, which zram-generator makes "
					   "of this.%s",
					   unit,
					   shared ? ""
						  : " An empty /etc/systemd/" CONFIG
						    " would switch off the main file."),
			.unit = unit,
			.fragment = device->file,
			.shared = shared,
		});
}

static int judge_device(struct swap_boot *boot, const struct swap_zram_device *device,
			const struct besides *besides)
{
	const char *by, *unit = kc_text(boot->host, boot->run, "dev-%s.swap", device->name);
	const char *source =
		device->file ? kc_text(boot->host, boot->run, "%s:%u", device->file, device->line)
			     : boot->arguments.source;
	int r;

	if (!swap_zram_is_swap(device)) {
		swap_note(boot, "%s holds a file system, no swap (%s).", device->name, source);
		return 0;
	}
	if (swap_zram_is_empty(device)) {
		swap_note(boot, "%s has a size of 0 (%s).", device->name, source);
		return 0;
	}
	r = is_above_limit(boot, device);
	if (r == -ENODATA)
		return swap_add_unseen(
			boot, device->name, source,
			kc_text(boot->host, boot->run,
				"It is made on machines of at most host-memory-limit = %s MB, and "
				"this one's memory is not known.",
				device->host_limit));
	if (r > 0) {
		swap_note(boot, "%s is for machines of less memory (%s).", device->name, source);
		return 0;
	}
	r = is_stopped(boot, device, unit, &by);
	if (r < 0)
		return swap_add_unseen(boot, device->name, source, NULL);
	if (r > 0) {
		swap_note(boot, "%s (%s) is not used: %s.", device->name, source, by);
		return 0;
	}
	return add_device(boot, device, besides, source);
}

static int judge_devices(struct swap_boot *boot, const struct swap_zram_devices *devices)
{
	static const struct swap_zram_device by_argument = { .name = "zram0" };
	struct besides besides = { 0 };
	const char *source;
	bool has_first = false;
	int asked, r = 0;

	asked = swap_argument(boot, "systemd.zram", &source);
	if (asked == 0) {
		swap_note(boot,
			  "systemd.zram=0 of the kernel's arguments (%s) keeps "
			  "zram-generator from making any.",
			  source);
		return 0;
	}
	if (devices->bad_file)
		return swap_add_unseen(boot, "zram-generator",
				       kc_text(boot->host, boot->run, "%s:%u", devices->bad_file,
					       devices->bad_line),
				       kc_text(boot->host, boot->run,
					       "zram-generator may refuse the file: %s.",
					       devices->fault));
	besides.argument = asked == 1;
	for (size_t i = 0; i < devices->n; i++)
		besides.other_use |= !swap_zram_is_swap(&devices->item[i]);
	for (size_t i = 0; i < devices->n && !r; i++) {
		has_first = has_first || kc_streq(devices->item[i].name, by_argument.name);
		r = judge_device(boot, &devices->item[i], &besides);
	}
	return r || asked != 1 || has_first ? r : judge_device(boot, &by_argument, &besides);
}

int swap_collect_zram(struct swap_boot *boot)
{
	struct swap_zram_devices devices = { 0 };
	const char *by;
	int r;

	r = swap_generator(boot, "zram-generator", &by);
	if (r == -EPERM)
		swap_note(boot, "zram-generator is masked by %s.", by);
	if (r == 0 || r == -EPERM)
		return 0;
	if (r < 0)
		return swap_add_unseen(boot, "zram-generator", NULL, NULL);
	r = read_main(boot, &devices);
	if (r == 0)
		r = read_dropins(boot, &devices);
	if (r == -ENOMEM)
		return r;
	if (r)
		return swap_add_unseen(boot, "zram-generator", "/etc/systemd/" CONFIG,
				       r == -E2BIG ? "The configuration of zram-generator has more "
						     "devices than k8scheck reads."
						   : NULL);
	return judge_devices(boot, &devices);
}
