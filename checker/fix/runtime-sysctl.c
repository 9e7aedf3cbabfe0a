/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>

#include "base/fdio.h"
#include "runtime.h"

/* The kernel writes tabs between numbers, people write spaces. */
static const char *plain(struct kc_arena *arena, const char *text)
{
	char *copy = kc_arena_strdup(arena, text);

	for (char *p = copy; p && *p; p++) {
		if (*p == '\t' || *p == '\n')
			*p = ' ';
	}
	return copy ? kc_strstrip(copy) : NULL;
}

static int get(struct kc_fix *fix, const char *target, const char *content, struct kc_err *err,
	       const char **ret_value)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	const char *value;
	int r = kc_root_sysctl(fix->root, target, err, &text);

	if (r < 0)
		return r;
	value = plain(fix->arena, text.data ? text.data : "");
	if (!value)
		return kc_err_set(err, -ENOMEM, "out of memory");
	/* As the profile writes it, where that is the same but for white space. */
	*ret_value =
		content && plain(fix->arena, content) && kc_streq(plain(fix->arena, content), value)
			? kc_arena_strdup(fix->arena, content)
			: value;
	return *ret_value ? 0 : kc_err_set(err, -ENOMEM, "out of memory");
}

static int set(struct kc_fix *fix, const char *target, const char *content, const char *value,
	       struct kc_err *err)
{
	kc_cleanup(kc_buf_done) struct kc_buf path = { 0 };
	kc_cleanup(kc_closep) int at = -EBADF, fd = -EBADF;
	int r = kc_sysctl_path(target, &path);

	if (r < 0)
		return kc_err_set(err, r, "'%.100s' is no name of a sysctl", target);
	r = kc_root_path_fd(fix->root, "/proc/sys", KC_NOFOLLOW, err, &at);
	if (r < 0)
		return r;
	fd = openat(at, path.data, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	/* A list may be empty, which nothing written would not make it. */
	value = *value ? value : "\n";
	r = fd < 0 ? -errno : kc_write_all(fd, value, strlen(value));
	if (r < 0)
		return kc_err_set(err, r, "%s cannot be set to %s: %s", target,
				  *value == '\n' ? "nothing" : value, kc_strerror(r));
	return 0;
}

const struct kc_runtime_kind kc_runtime_sysctl = {
	.kind = KC_STEP_SYSCTL,
	.get = get,
	.set = set,
	.inverse = "is set back, within this boot",
};
