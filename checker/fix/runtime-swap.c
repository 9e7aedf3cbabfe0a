/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <sys/swap.h>

#include "base/fdio.h"
#include "base/num.h"
#include "runtime.h"

enum {
	PROC_MAX = 1024 * 1024,
	/* What has to stay available behind it: a twentieth of the memory, and this at least. */
	MARGIN_KIB = 128 * 1024,
};

/* A line of /proc/swaps (proc(5)): FILE TYPE SIZE USED PRIORITY, blanks in FILE as \040. */
struct swap {
	uint64_t used_kib;
	int64_t priority;
};

static void unescape(char *s)
{
	char *to = s;

	for (const char *p = s; *p; p++) {
		if (*p == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' &&
		    p[3] >= '0' && p[3] <= '7') {
			*to++ = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0'));
			p += 3;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
}

/* -ENOENT: it is not in use. */
static int find_swap(struct kc_fix *fix, const char *target, struct kc_err *err, struct swap *ret)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	char *rest, *line;
	int r = kc_root_read(fix->root, "/proc/swaps", PROC_MAX, err, &text);

	if (r < 0)
		return r;
	rest = text.data;
	while (rest && (line = strsep(&rest, "\n"))) {
		char *word[5], *at = line;
		size_t n = 0;

		while (n < KC_ARRAY_SIZE(word) && at) {
			at += strspn(at, " \t");
			word[n] = strsep(&at, " \t");
			n += *word[n] != '\0';
		}
		if (n < KC_ARRAY_SIZE(word))
			continue;
		unescape(word[0]);
		if (!kc_streq(word[0], target))
			continue;
		if (kc_parse_u64(word[3], &ret->used_kib) < 0 ||
		    kc_parse_i64(word[4], &ret->priority) < 0)
			return kc_err_set(err, -EBADMSG, "/proc/swaps has a line that is none");
		return 0;
	}
	return -ENOENT;
}

static int get(struct kc_fix *fix, const char *target, const char *content, struct kc_err *err,
	       const char **ret_value)
{
	struct swap swap;
	int r = find_swap(fix, target, err, &swap);

	if (r == -ENOENT) {
		*ret_value = "off";
		return 0;
	}
	if (r < 0)
		return r;
	*ret_value = kc_arena_printf(fix->arena, "on, priority %lld", (long long)swap.priority);
	return *ret_value ? 0 : kc_err_set(err, -ENOMEM, "out of memory");
}

static const char *wanted(const char *content)
{
	return "off";
}

static int set(struct kc_fix *fix, const char *target, const char *content, const char *value,
	       struct kc_err *err)
{
	const char *priority = kc_after_prefix(value, "on, priority ");
	const char *root = kc_root_path(fix->root);
	kc_cleanup(kc_freep) char *path =
		kc_asprintf("%s%s", kc_streq(root, "/") ? "" : root, target);
	int64_t number = -1;
	int flags = 0;

	if (!path)
		return kc_err_set(err, -ENOMEM, "out of memory");
	if (kc_streq(value, "off")) {
		if (swapoff(path) == 0)
			return 0;
		return kc_err_set(err, -errno, "swap %s cannot be turned off: %s", target,
				  kc_strerror(errno));
	}
	if (!priority || kc_parse_i64(priority, &number) < 0 || number > SWAP_FLAG_PRIO_MASK)
		return kc_err_set(err, -EBADMSG, "swap %s: '%.40s' is no state of it", target,
				  value);
	/* Negative ones are the kernel's own choice (swapon(2)). */
	if (number >= 0)
		flags = SWAP_FLAG_PREFER | (int)(number << SWAP_FLAG_PRIO_SHIFT);
	if (swapon(path, flags) < 0)
		return kc_err_set(err, -errno, "swap %s cannot be turned on again: %s", target,
				  kc_strerror(errno));
	return 0;
}

static int read_memory(struct kc_fix *fix, const char *name, struct kc_err *err, uint64_t *ret_kib)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	char *at, *number;
	int r = kc_root_read(fix->root, "/proc/meminfo", PROC_MAX, err, &text);

	if (r < 0)
		return r;
	at = text.data ? strstr(text.data, name) : NULL;
	if (!at)
		return kc_err_set(err, -EBADMSG, "/proc/meminfo has no %s", name);
	at += strlen(name);
	at += strspn(at, ": ");
	number = strsep(&at, " \n");
	r = kc_parse_u64(number, ret_kib);
	return r < 0 ? kc_err_set(err, -EBADMSG, "/proc/meminfo: %s is no number", name) : 0;
}

/* What a swap holds has to go somewhere: where there is no room, the kernel kills programs. */
static int guard(struct kc_fix *fix, const char *target, struct kc_err *err)
{
	uint64_t available, total, margin;
	struct swap swap;
	int r = find_swap(fix, target, err, &swap);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = read_memory(fix, "MemAvailable", err, &available);
	if (r == 0)
		r = read_memory(fix, "MemTotal", err, &total);
	if (r < 0)
		return r;
	margin = KC_MAX(total / 20, (uint64_t)MARGIN_KIB);
	if (swap.used_kib + margin <= available || swap.used_kib == 0)
		return 0;
	return kc_err_set(err, -EBUSY,
			  "swap %s holds %llu MiB, and %llu MiB of memory are available, of which "
			  "%llu have to stay free: end something first",
			  target, (unsigned long long)swap.used_kib / 1024,
			  (unsigned long long)available / 1024, (unsigned long long)margin / 1024);
}

const struct kc_runtime_kind kc_runtime_swap = {
	.kind = KC_STEP_SWAP_OFF,
	.get = get,
	.wanted = wanted,
	.set = set,
	.inverse = "is turned on again, within this boot",
	.guard = guard,
};
