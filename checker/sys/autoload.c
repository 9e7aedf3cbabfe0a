/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "autoload.h"
#include "base/str.h"

enum {
	LIST_MAX = 4 * 1024 * 1024
};

/*
 * "tcp_diag 16384 0 - Live 0x0000000000000000": one that is being loaded or unloaded, which the
 * fifth word says, is not there.
 */
static bool is_live(const char *line, const char *module)
{
	size_t name = strcspn(line, " \n"), word;

	if (name != strlen(module) || strncmp(line, module, name) != 0)
		return false;
	line += name;
	for (unsigned i = 0; i < 4; i++) {
		line += strspn(line, " ");
		word = strcspn(line, " \n");
		if (i == 3)
			return word == strlen("Live") && strncmp(line, "Live", word) == 0;
		line += word;
	}
	return false;
}

/* "kernel/net/ipv4/tcp_diag.ko" */
static bool is_builtin(const char *line, const char *module)
{
	size_t n = strcspn(line, "\n"), name = strlen(module);
	static const char suffix[] = ".ko";
	size_t tail = name + strlen(suffix);

	return n > tail && line[n - tail - 1] == '/' &&
	       strncmp(line + n - tail, module, name) == 0 &&
	       strncmp(line + n - strlen(suffix), suffix, strlen(suffix)) == 0;
}

static bool any_line(const char *text, const char *module,
		     bool (*is_it)(const char *line, const char *module))
{
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (is_it(line, module))
			return true;
	}
	return false;
}

/* The text of a file; its error, which 0 stands for when it was read. */
static int has_line(const struct kc_root *root, const char *path, const char *module,
		    bool (*is_it)(const char *line, const char *module), bool *ret_has)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	struct kc_err ignored = { 0 };
	int r = kc_root_read(root, path, LIST_MAX, &ignored, &text);

	*ret_has = r >= 0 && text.data && any_line(text.data, module, is_it);
	return r;
}

/* What /proc/sys says of modules: 1 none is ever loaded, 0 one may be, negative: nothing. */
static int never_loads(const struct kc_root *root)
{
	kc_cleanup(kc_buf_done) struct kc_buf value = { 0 };
	struct kc_err ignored = { 0 };
	int r = kc_root_sysctl(root, "kernel.modules_disabled", &ignored, &value);

	if (r < 0)
		return r;
	return value.data && kc_streq(value.data, "1");
}

int kc_autoload_is_ruled_out(const struct kc_root *root, const char *module)
{
	kc_cleanup(kc_buf_done) struct kc_buf release = { 0 };
	kc_cleanup(kc_freep) char *path = NULL;
	struct kc_err ignored = { 0 };
	int never = never_loads(root), r;
	bool has = false;

	if (never == 1)
		return 1;
	r = has_line(root, "/proc/modules", module, is_live, &has);
	if (has)
		return 1;
	/* A /proc/sys that has other keys would have this one: so both are absent of the kernel. */
	if (kc_root_sysctl(root, "kernel.osrelease", &ignored, &release) < 0 || !release.data ||
	    strchr(release.data, '/'))
		return 0;
	if (never == -ENOENT && r == -ENOENT)
		return 1;
	path = kc_asprintf("/lib/modules/%s/modules.builtin", release.data);
	if (!path)
		return 0;
	(void)has_line(root, path, module, is_builtin, &has);
	return has;
}
