/* SPDX-License-Identifier: Apache-2.0 */
#include "program-version.h"

enum {
	PROGRAM_USEC = 2 * 1000 * 1000,
	VERSION_MAX = 64
};

const char *kc_version_in(struct kc_arena *arena, const char *text)
{
	/* Up to a "+", behind which builds of the same version tell themselves apart. */
	static const char characters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";

	for (const char *p = text; *p; p += strcspn(p, " \t\r\n\"")) {
		size_t numbers, length;

		p += strspn(p, " \t\r\n\"");
		if (*p == 'v')
			p++;
		numbers = strspn(p, "0123456789.");
		length = strspn(p, characters);
		/* "1.18" at least: a bare number is none. */
		if (*p >= '0' && *p <= '9' && numbers >= 3 && memchr(p, '.', numbers) &&
		    length < VERSION_MAX)
			return kc_arena_memdup(arena, p, length);
	}
	return NULL;
}

bool kc_is_packaged_path(const char *path)
{
	return kc_after_prefix(path, "/usr/bin/") || kc_after_prefix(path, "/usr/sbin/") ||
	       kc_after_prefix(path, "/bin/") || kc_after_prefix(path, "/sbin/");
}

int kc_program_version(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		       const char *const *argv, const char **ret_version, const char **ret_why)
{
	const struct kc_program program = {
		.size = sizeof(program),
		.path = argv[0],
		.argv = argv,
		.timeout_usec = PROGRAM_USEC,
	};
	struct kc_program_result result = { .size_of = sizeof(result) };
	const char *version = NULL, *why;
	int r;

	r = kc_program(host, run, &program, &result);
	if (r < 0) {
		why = kc_arena_strdup(arena, kc_why(host, run));
	} else {
		version = result.exit_code == 0 ? kc_version_in(arena, result.out.data) : NULL;
		why = kc_arena_printf(arena, "%s %s does not tell its version", argv[0],
				      argv[1] ? argv[1] : "");
	}
	if (!version)
		*ret_why = why ? why : "out of memory";
	else
		*ret_version = version;
	return version ? 0 : r < 0 ? r : -EBADMSG;
}
