/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/version-order.h"
#include "judge.h"

enum {
	LIST_MAX = 64 * 1024,
	BUILT_MAX = 1 << 20
};

/* Whether a word stands in a text, between what is no part of a name. */
static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *s = text; (s = strstr(s, word)); s += n)
		if ((s == text || strchr(" \t\n,", s[-1])) && (!s[n] || strchr(" \t\n,", s[n])))
			return true;
	return false;
}

const char *selinux_kernel_shows(const struct kc_host *host, struct kc_run *run)
{
	static const struct {
		const char *path, *word;
	} places[] = {
		{ "/proc/filesystems", "selinuxfs" },
		{ "/sys/kernel/security/lsm", "selinux" },
	};
	struct kc_bytes bytes;

	for (size_t i = 0; i < KC_ARRAY_SIZE(places); i++)
		if (kc_read_file(host, run, places[i].path, LIST_MAX, &bytes) == 0 &&
		    has_word(bytes.data, places[i].word))
			return places[i].path;
	return NULL;
}

static enum selinux_kernel read_built(const struct kc_host *host, struct kc_run *run,
				      const char *path)
{
	struct kc_bytes bytes;

	if (kc_read_file(host, run, path, BUILT_MAX, &bytes) < 0)
		return SELINUX_KERNEL_UNKNOWN;
	return selinux_kernel_config_parse(bytes.data, bytes.size);
}

/* The newest kernel's name in a folder, of names with that prefix; NULL when there is none. */
static const char *newest(const struct kc_host *host, struct kc_run *run, const char *folder,
			  const char *prefix)
{
	const char *found = NULL;
	struct kc_strings names;

	if (kc_list_dir(host, run, folder, &names) < 0)
		return NULL;
	for (size_t i = 0; i < names.n; i++) {
		const char *release = kc_after_prefix(names.item[i], prefix);

		if (release && (!found || kc_version_order_systemd(release, found) > 0))
			found = release;
	}
	return found;
}

enum selinux_kernel selinux_kernel_built(const struct kc_host *host, struct kc_run *run,
					 struct kc_arena *arena, const char **ret_source)
{
	const char *release = NULL, *machine, *name, *path = NULL;
	enum selinux_kernel built = SELINUX_KERNEL_UNKNOWN;

	*ret_source = NULL;
	if (kc_is_live(host, run)) {
		if (kc_kernel(host, run, &release, &machine, &name) < 0)
			return built;
	} else {
		release = newest(host, run, "/boot", "config-");
		if (!release)
			release = newest(host, run, "/lib/modules", "");
	}
	if (!release)
		return built;
	path = kc_arena_printf(arena, "/boot/config-%s", release);
	if (path)
		built = read_built(host, run, path);
	if (built == SELINUX_KERNEL_UNKNOWN) {
		path = kc_arena_printf(arena, "/lib/modules/%s/config", release);
		if (path)
			built = read_built(host, run, path);
	}
	if (built != SELINUX_KERNEL_UNKNOWN)
		*ret_source = path;
	return built;
}
