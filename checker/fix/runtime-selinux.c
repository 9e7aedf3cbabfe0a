/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>

#include "base/fdio.h"
#include "runtime.h"

/* selinuxfs: "1" is enforcing, "0" permissive (security/selinux/selinuxfs.c). */
#define ENFORCE "/sys/fs/selinux/enforce"

static int get(struct kc_fix *fix, const char *target, const char *content, struct kc_err *err,
	       const char **ret_value)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	int r = kc_root_read(fix->root, ENFORCE, 16, err, &text);

	if (r == -ENOENT)
		return kc_err_set(err, r, "SELinux is not in use here");
	if (r < 0)
		return r;
	*ret_value = text.len > 0 && text.data[0] == '1' ? "enforcing" : "permissive";
	return 0;
}

static int set(struct kc_fix *fix, const char *target, const char *content, const char *value,
	       struct kc_err *err)
{
	kc_cleanup(kc_closep) int at = -EBADF, fd = -EBADF;
	int r = kc_root_path_fd(fix->root, ENFORCE, KC_NOFOLLOW, err, &at);

	if (r < 0)
		return r;
	fd = kc_fd_reopen(at, O_WRONLY | O_CLOEXEC);
	r = fd < 0 ? fd : kc_write_all(fd, kc_streq(value, "enforcing") ? "1" : "0", 1);
	if (r < 0)
		return kc_err_set(err, r, "SELinux cannot be made %s: %s", value, kc_strerror(r));
	return 0;
}

const struct kc_runtime_kind kc_runtime_selinux = {
	.kind = KC_STEP_SELINUX_MODE,
	.get = get,
	.set = set,
	.inverse = "is set back, within this boot",
};
