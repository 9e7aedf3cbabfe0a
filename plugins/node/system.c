/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/os-release.h"
#include "node.h"

enum {
	SMALL_FILE_MAX = 64 * 1024
};

static const char *place_text(struct node *n, const struct kc_place *place)
{
	return place->line ? node_text(n, "%s:%u", place->file, place->line)
			   : node_text(n, "%s (the default, since it does not say)", place->file);
}

static void set_os_unknown(struct node *n, const char *why)
{
	node_unknown(n, "os.id", why);
	node_unknown(n, "os.version", why);
	node_unknown(n, "os.name", why);
}

static void set_os(struct node *n, const char *file, const struct kc_os_release *os)
{
	node_known(n, "os.id", os->id.text, place_text(n, &os->id.place));
	node_known(n, "os.name", os->name.text, place_text(n, &os->name.place));
	if (os->version.text)
		node_known(n, "os.version", os->version.text, place_text(n, &os->version.place));
	else
		node_absent(n, "os.version", node_text(n, "%s has no VERSION_ID", file));
}

void node_gather_os(struct node *n)
{
	static const char *const files[] = { "/etc/os-release", "/usr/lib/os-release", NULL };

	KC_FOREACH_STR (file, files) {
		struct kc_os_release os;
		struct kc_bytes text;
		int r;

		r = kc_read_file(n->host, n->run, file, SMALL_FILE_MAX, &text);
		if (r == -ENOENT)
			continue;
		if (r < 0) {
			set_os_unknown(n, node_why(n));
			return;
		}
		r = kc_os_release_parse(file, text.data, text.size, &n->arena, &os);
		if (r < 0)
			set_os_unknown(
				n, node_text(n, "%s is not in the format of os-release(5)", file));
		else
			set_os(n, file, &os);
		return;
	}
	set_os_unknown(n, "there is neither /etc/os-release nor /usr/lib/os-release");
}

void node_gather_kernel(struct node *n)
{
	static const char offline[] =
		"an offline root does not say on which machine and kernel it will run";
	const char *hostname;

	if (!n->live) {
		node_unknown(n, "kernel.release", offline);
		node_unknown(n, "machine", offline);
		return;
	}
	if (kc_kernel(n->host, n->run, &n->release, &n->machine, &hostname) < 0) {
		node_unknown(n, "kernel.release", node_why(n));
		node_unknown(n, "machine", node_why(n));
		return;
	}
	node_known(n, "kernel.release", n->release, "the running kernel");
	node_known(n, "machine", n->machine, "the running kernel");
}

/* What will run as pid 1, where nothing runs yet. The kernel starts /sbin/init unless it is told
 * otherwise. */
static void gather_init_offline(struct node *n)
{
	const char *path;
	int r;

	r = kc_resolve(n->host, n->run, "/sbin/init", &path);
	if (r == -ENOENT)
		node_absent(n, "init", "there is no /sbin/init");
	else if (r < 0)
		node_unknown(n, "init", node_why(n));
	else
		node_known(n, "init", kc_endswith(path, "/systemd") ? "systemd" : "other",
			   node_text(n, "/sbin/init is %s", path));
}

void node_gather_init(struct node *n)
{
	struct kc_bytes comm;
	int r;

	if (!n->live) {
		gather_init_offline(n);
		return;
	}
	r = kc_read_file(n->host, n->run, "/proc/1/comm", SMALL_FILE_MAX, &comm);
	if (r >= 0) {
		int length = (int)strcspn(comm.data, "\n");
		bool systemd = length == 7 && strncmp(comm.data, "systemd", 7) == 0;

		node_known(n, "init", systemd ? "systemd" : "other",
			   node_text(n, "/proc/1/comm: %.*s", length, comm.data));
		return;
	}
	/* What sd_booted(3) looks at. */
	if (node_exists(n, "/run/systemd/system") > 0)
		node_known(n, "init", "systemd", "/run/systemd/system");
	else
		node_unknown(n, "init",
			     "neither /proc/1/comm can be read nor is there /run/systemd/system");
}

/* True when the kernel lists the type of file system: a line that ends in it. */
static bool lists_filesystem(const struct kc_bytes *filesystems, const char *type)
{
	size_t n = strlen(type);

	for (const char *p = filesystems->data; (p = strstr(p, type)); p += n)
		if (p > filesystems->data && p[-1] == '\t' && (p[n] == '\n' || p[n] == '\0'))
			return true;
	return false;
}

void node_gather_selinux(struct node *n)
{
	static const char name[] = "selinux.present";
	struct kc_bytes filesystems;
	int r;

	if (n->live) {
		r = kc_read_file(n->host, n->run, "/proc/filesystems", SMALL_FILE_MAX,
				 &filesystems);
		if (r < 0) {
			node_unknown(n, name, node_why(n));
			return;
		}
		if (lists_filesystem(&filesystems, "selinuxfs")) {
			node_known(n, name, "true", "/proc/filesystems: selinuxfs");
			return;
		}
	}
	r = node_exists(n, "/etc/selinux/config");
	if (r < 0)
		node_unknown(n, name, node_why(n));
	else if (r > 0)
		node_known(n, name, "true", "/etc/selinux/config");
	else
		node_known(n, name, "false",
			   n->live ? "no selinuxfs in /proc/filesystems, no /etc/selinux/config"
				   : "no /etc/selinux/config");
}

/* The field of a line of mountinfo, counted from 0, and its length; NULL when there are fewer. */
static const char *field_of(const char *line, const char *end, unsigned index, size_t *ret_n)
{
	for (;; index--) {
		const char *space = memchr(line, ' ', (size_t)(end - line));

		if (index == 0) {
			*ret_n = (size_t)((space ? space : end) - line);
			return line;
		}
		if (!space)
			return NULL;
		line = space + 1;
	}
}

static bool field_is(const char *field, size_t n, const char *text)
{
	return field && n == strlen(text) && memcmp(field, text, n) == 0;
}

/* The last of several mounts at a place lies on top. */
const char *node_mount_type(struct node *n, const char *path, int *ret_code)
{
	struct kc_bytes mountinfo;
	const char *type = NULL;

	*ret_code = kc_mountinfo(n->host, n->run, &mountinfo);
	if (*ret_code < 0)
		return NULL;
	for (const char *line = mountinfo.data, *end; *line; line = *end ? end + 1 : end) {
		const char *point, *separator, *field;
		size_t size;

		end = line + strcspn(line, "\n");
		point = field_of(line, end, 4, &size);
		if (!field_is(point, size, path))
			continue;
		separator = memmem(line, (size_t)(end - line), " - ", 3);
		field = separator ? field_of(separator + 3, end, 0, &size) : NULL;
		if (field)
			type = node_text(n, "%.*s", (int)size, field);
	}
	return type;
}

void node_gather_cgroup(struct node *n)
{
	static const char name[] = "cgroup.version";
	const char *type;
	int r;

	if (!n->live) {
		node_unknown(n, name,
			     "the start of a system decides on it, by kernel arguments too");
		return;
	}
	type = node_mount_type(n, "/sys/fs/cgroup", &r);
	if (r < 0)
		node_unknown(n, name, node_why(n));
	else if (!type)
		node_absent(n, name, "nothing is mounted at /sys/fs/cgroup");
	else if (kc_streq(type, "cgroup2"))
		node_known(n, name, "2", "/sys/fs/cgroup is cgroup2");
	else if (kc_streq(type, "tmpfs") || kc_streq(type, "cgroup"))
		node_known(n, name, "1", node_text(n, "/sys/fs/cgroup is %s", type));
	else
		node_unknown(n, name, node_text(n, "/sys/fs/cgroup is %s", type));
}
