/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "node.h"

/* Whether this is a container or a virtual machine, by the marks that systemd-detect-virt(1) knows.
 */

enum {
	MARK_MAX = 4096,
	CGROUP_MAX = 64 * 1024,
	ENVIRON_MAX = 1024 * 1024,
	CPUINFO_HEAD = 16 * 1024, /* the first processor's lines */
};

/* A kind of ours, or what a mark has as one: a word of few characters, else "other". */
static const char *kind_of(struct node *n, const char *text, size_t size)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	length = KC_MIN(length, size);
	if (length == 0 || length > 32 || (text[length] && text[length] != '\n'))
		return "other";
	return node_text(n, "%.*s", (int)length, text);
}

static bool set_container(struct node *n, const char *kind, const char *source)
{
	node_known(n, "virt", node_text(n, "container:%s", kind), source);
	return true;
}

/* Files whose text is the kind of the container. */
static bool find_named_mark(struct node *n)
{
	static const char *const files[] = { "/run/systemd/container",
					     "/run/host/container-manager", NULL };

	KC_FOREACH_STR (file, files) {
		struct kc_bytes text;

		if (kc_read_file(n->host, n->run, file, MARK_MAX, &text) >= 0)
			return set_container(n, kind_of(n, text.data, text.size), file);
	}
	return false;
}

/* container=KIND in the environment of pid 1, which only root reads. */
static bool find_variable(struct node *n)
{
	struct kc_bytes environ;
	const char *p, *end;

	if (kc_read_file(n->host, n->run, "/proc/1/environ", ENVIRON_MAX, &environ) < 0)
		return false;
	end = environ.data + environ.size;
	for (p = environ.data; p < end; p += strlen(p) + 1) {
		const char *value = kc_after_prefix(p, "container=");

		if (value && *value)
			return set_container(n, kind_of(n, value, strlen(value)),
					     "/proc/1/environ: container=");
	}
	return false;
}

static const struct {
	const char *text, *kind;
} container_files[] = {
	{ "/.dockerenv", "docker" },
	{ "/run/.containerenv", "podman" },
}, container_cgroups[] = {
	{ "/docker/", "docker" },
	{ "/docker-", "docker" },
	{ "kubepods", "kubernetes" },
	{ "/libpod", "podman" },
	{ "/lxc/", "lxc" },
	{ "/lxc.payload", "lxc" },
}, container_kernels[] = {
	{ "Microsoft", "wsl" },
	{ "microsoft-standard", "wsl" },
};

/*
 * Disks of machines are made from images of containers too, marks and all: there pid 2 is the
 * kernel's, and the root is a file system of its own. A container has one of the two at most.
 */
static bool is_whole_machine(struct node *n)
{
	struct kc_bytes comm;
	const char *root;
	int r;

	if (kc_read_file(n->host, n->run, "/proc/2/comm", MARK_MAX, &comm) < 0 ||
	    !kc_streq(comm.data, "kthreadd\n"))
		return false;
	root = node_mount_type(n, "/", &r);
	return root && !kc_streq(root, "overlay");
}

static bool find_other_mark(struct node *n)
{
	struct kc_bytes cgroup;

	for (size_t i = 0; i < KC_ARRAY_SIZE(container_files); i++)
		if (node_exists(n, container_files[i].text) > 0 && !is_whole_machine(n))
			return set_container(n, container_files[i].kind, container_files[i].text);
	if (kc_read_file(n->host, n->run, "/proc/1/cgroup", CGROUP_MAX, &cgroup) >= 0)
		for (size_t i = 0; i < KC_ARRAY_SIZE(container_cgroups); i++)
			if (strstr(cgroup.data, container_cgroups[i].text))
				return set_container(n, container_cgroups[i].kind,
						     node_text(n, "/proc/1/cgroup: %s",
							       container_cgroups[i].text));
	if (n->release)
		for (size_t i = 0; i < KC_ARRAY_SIZE(container_kernels); i++)
			if (strstr(n->release, container_kernels[i].text))
				return set_container(
					n, container_kernels[i].kind,
					node_text(n, "the kernel's release %s", n->release));
	return false;
}

/* Beginnings of DMI fields, as systemd's detect-virt.c has them. */
static const struct {
	const char *prefix, *kind;
} vendors[] = {
	{ "KVM", "kvm" },
	{ "OpenStack", "kvm" },
	{ "KubeVirt", "kvm" },
	{ "Amazon EC2", "amazon" },
	{ "QEMU", "qemu" },
	{ "VMware", "vmware" },
	{ "VMW", "vmware" },
	{ "innotek GmbH", "oracle" },
	{ "VirtualBox", "oracle" },
	{ "Oracle Corporation", "oracle" },
	{ "Xen", "xen" },
	{ "Bochs", "bochs" },
	{ "Parallels", "parallels" },
	{ "BHYVE", "bhyve" },
	{ "Hyper-V", "microsoft" },
	{ "Virtual Machine", "microsoft" },
	{ "Apple Virtualization", "apple" },
	{ "Google Compute Engine", "google" },
};

static const char *find_vendor(struct node *n, const char **ret_source)
{
	static const char *const files[] = {
		"/sys/class/dmi/id/product_name",    "/sys/class/dmi/id/sys_vendor",
		"/sys/class/dmi/id/board_vendor",    "/sys/class/dmi/id/bios_vendor",
		"/sys/class/dmi/id/product_version", NULL,
	};

	KC_FOREACH_STR (file, files) {
		struct kc_bytes text;

		if (kc_read_file(n->host, n->run, file, MARK_MAX, &text) < 0)
			continue;
		for (size_t i = 0; i < KC_ARRAY_SIZE(vendors); i++)
			if (kc_after_prefix(text.data, vendors[i].prefix)) {
				*ret_source = node_text(n, "%s: %.*s", file,
							(int)strcspn(text.data, "\n"), text.data);
				return vendors[i].kind;
			}
	}
	return NULL;
}

enum flag {
	FLAG_NO_SUCH = 0, /* this architecture does not have it */
	FLAG_SET = 1,
	FLAG_CLEAR = 2,
};

/* The bit that every hypervisor on x86 sets for its guests. Negative errno: it cannot be read. */
static int read_hypervisor_flag(struct node *n, enum flag *ret_flag)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	char text[CPUINFO_HEAD + 1];
	char *flags;
	ssize_t size;
	int r;

	r = kc_open_file(n->host, n->run, "/proc/cpuinfo", 0, &fd);
	if (r < 0)
		return r;
	size = read(fd, text, CPUINFO_HEAD);
	if (size < 0)
		return -errno;
	text[size] = '\0';
	*ret_flag = FLAG_NO_SUCH;
	flags = strstr(text, "\nflags\t");
	if (!flags)
		return 0;
	flags[1 + strcspn(flags + 1, "\n")] = '\0';
	*ret_flag = strstr(flags, " hypervisor") ? FLAG_SET : FLAG_CLEAR;
	return 0;
}

/* Xen's first domain runs on the machine itself, although below a hypervisor. */
static bool find_xen(struct node *n)
{
	struct kc_bytes text;

	if (kc_read_file(n->host, n->run, "/sys/hypervisor/type", MARK_MAX, &text) < 0 ||
	    !kc_after_prefix(text.data, "xen"))
		return false;
	if (kc_read_file(n->host, n->run, "/proc/xen/capabilities", MARK_MAX, &text) >= 0 &&
	    strstr(text.data, "control_d"))
		node_known(n, "virt", "none", "/proc/xen/capabilities: control_d");
	else
		node_known(n, "virt", "vm:xen", "/sys/hypervisor/type");
	return true;
}

static void gather_machine(struct node *n)
{
	const char *source = NULL, *kind;
	enum flag flag;

	if (find_xen(n))
		return;
	if (read_hypervisor_flag(n, &flag) < 0) {
		node_unknown(n, "virt",
			     node_text(n, "no mark of a container, and %s", node_why(n)));
		return;
	}
	/* Clouds rent out whole machines under the vendor's name of their virtual ones. */
	if (flag == FLAG_CLEAR) {
		node_known(n, "virt", "none", "/proc/cpuinfo: no flag hypervisor");
		return;
	}
	kind = find_vendor(n, &source);
	if (kind)
		node_known(n, "virt", node_text(n, "vm:%s", kind), source);
	else if (flag == FLAG_SET)
		node_known(n, "virt", "vm:other", "/proc/cpuinfo: the flag hypervisor");
	else
		node_known(n, "virt", "none", "no mark of a container or a virtual machine");
}

void node_gather_virt(struct node *n)
{
	if (!n->live) {
		node_unknown(n, "virt",
			     "an offline root does not say on which machine it will run");
		return;
	}
	if (!find_named_mark(n) && !find_variable(n) && !find_other_mark(n))
		gather_machine(n);
}
