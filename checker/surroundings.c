/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/fdio.h"
#include "model/mask.h"
#include "surroundings.h"
#include "sys/root.h"

enum {
	SMALL_FILE_MAX = 64 * 1024,
	MOUNTINFO_MAX = 16 * 1024 * 1024
};

static int read_own(const char *path, size_t max, struct kc_buf *b)
{
	kc_cleanup(kc_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	return fd < 0 ? -errno : kc_read_all(fd, max, b);
}

/*
 * What is mounted at "/" as a process sees it, "MAJOR:MINOR ROOT", appended to b: 1; 0 when nothing
 * is, as in a chroot into a plain folder; or an error.
 */
static int find_root_mount(const char *path, struct kc_buf *b)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	char *save = NULL;
	int r = read_own(path, MOUNTINFO_MAX, &text);

	if (r < 0)
		return r;
	for (char *line = strtok_r(text.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *field_save = NULL, *field[5] = { NULL };

		/* ID parent major:minor root MOUNT-POINT …, proc(5) */
		for (size_t i = 0; i < KC_ARRAY_SIZE(field); i++)
			field[i] = strtok_r(i ? NULL : line, " ", &field_save);
		if (!field[4] || !kc_streq(field[4], "/"))
			continue;
		/* The last one lies on top. */
		kc_buf_reset(b);
		kc_buf_addf(b, "%s %s", field[2], field[3]);
	}
	r = kc_buf_error(b);
	return r < 0 ? r : b->len > 0;
}

static bool in_chroot(void)
{
	kc_cleanup(kc_buf_done) struct kc_buf ours = { 0 }, theirs = { 0 };
	struct stat a, b;
	int r;

	if (stat("/", &a) < 0)
		return false;
	if (stat("/proc/1/root/.", &b) == 0)
		return a.st_dev != b.st_dev || a.st_ino != b.st_ino;
	/* Ordinary users may not look there, and some kernels let nobody. */
	r = find_root_mount("/proc/self/mountinfo", &ours);
	if (r <= 0)
		return r == 0;
	r = find_root_mount("/proc/1/mountinfo", &theirs);
	return r > 0 && !kc_streq(ours.data, theirs.data);
}

/* PROC_PID_INIT_INO of the kernel's include/linux/proc_ns.h: fixed since Linux 3.8. */
static bool in_pid_namespace(void)
{
	static const char initial[] = "pid:[4026531836]";
	char name[64];
	ssize_t n = readlink("/proc/self/ns/pid", name, sizeof(name) - 1);

	return n > 0 && ((size_t)n != sizeof(initial) - 1 || memcmp(name, initial, (size_t)n) != 0);
}

bool kc_surroundings_in_container(void)
{
	return access("/run/systemd/container", F_OK) == 0 || in_pid_namespace();
}

const char *kc_surroundings_foreign(void)
{
	if (in_chroot())
		return "k8scheck runs in a chroot (the root of process 1 is another), so the "
		       "running "
		       "kernel is not this system's; say --live to judge it all the same";
	if (access("/run/systemd/container", F_OK) == 0)
		return "k8scheck runs in a container (/run/systemd/container is there), so the "
		       "running "
		       "kernel is not this system's; say --live to judge it all the same";
	if (in_pid_namespace())
		return "k8scheck runs in a container (its processes are in a namespace of their "
		       "own), "
		       "so the running kernel is not this system's; say --live to judge it all the "
		       "same";
	return NULL;
}

static const char *fact(const struct kc_fact_value *facts, uint32_t n, const char *name)
{
	for (uint32_t i = 0; i < n; i++) {
		if (kc_streq(facts[i].name, name) && facts[i].state == KC_FACT_KNOWN)
			return facts[i].value;
	}
	return NULL;
}

/* First line of a small file below the root, masked, in the arena; NULL when there is none. */
static const char *first_line(const struct kc_root *root, const char *path, struct kc_arena *arena)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 }, masked = { 0 };

	if (kc_root_read(root, path, SMALL_FILE_MAX, NULL, &b) < 0 || !b.data)
		return NULL;
	b.data[strcspn(b.data, "\n")] = 0;
	if (!*b.data)
		return NULL;
	(void)kc_mask(&masked, b.data, strlen(b.data));
	if (kc_buf_error(&masked) < 0)
		return NULL;
	return kc_arena_strdup(arena, kc_strstrip(masked.data));
}

/* machine-id(5) asks that the id itself be kept confidential, and hashed with an application's key.
 */
static const char *hash_machine_id(const char *id,
				   void (*sha256)(const void *data, size_t size, char ret_hex[65]),
				   struct kc_arena *arena)
{
	char *hex, *keyed;

	if (!id || strlen(id) != 32)
		return NULL;
	keyed = kc_arena_printf(arena, "k8scheck%s", id);
	hex = kc_arena_alloc(arena, 65);
	if (!keyed || !hex)
		return NULL;
	sha256(keyed, strlen(keyed), hex);
	return hex;
}

static const char *find_hostname(const struct kc_root *root, bool live, struct kc_arena *arena)
{
	struct utsname names;

	if (live && kc_streq(kc_root_path(root), "/") && uname(&names) == 0)
		return kc_arena_strdup(arena, names.nodename);
	if (live)
		return first_line(root, "/proc/sys/kernel/hostname", arena);
	return first_line(root, "/etc/hostname", arena);
}

void kc_surroundings_host(const char *path, bool live, const struct kc_fact_value *facts,
			  uint32_t n_facts,
			  void (*sha256)(const void *data, size_t size, char ret_hex[65]),
			  struct kc_arena *arena, struct kc_report_host *ret_host)
{
	kc_cleanup(kc_root_freep) struct kc_root *root = NULL;
	struct kc_report_host host = {
		.root = path,
		.live = live,
		.os = fact(facts, n_facts, "os.name"),
	};

	if (live) {
		host.kernel = fact(facts, n_facts, "kernel.release");
		host.machine = fact(facts, n_facts, "machine");
	}
	if (kc_root_open(path, live ? KC_ROOT_LIVE : 0, NULL, &root) >= 0) {
		host.hostname = find_hostname(root, live, arena);
		if (sha256)
			host.machine_id_hash = hash_machine_id(
				first_line(root, "/etc/machine-id", arena), sha256, arena);
	}
	*ret_host = host;
}
