/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "formats/dpkg.h"
#include "node.h"

enum {
	DPKG_MAX = 32 * 1024 * 1024,
	DPKG_FILE_MAX = 64 * 1024,
	PROGRAM_USEC = 2 * 1000 * 1000,
};

#define DPKG_STATUS "/var/lib/dpkg/status"

const char *node_find_version(struct node *n, const char *text)
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
		    length < 64)
			return node_text(n, "%.*s", (int)length, p);
	}
	return NULL;
}

static struct node_value known(const char *value, const char *source)
{
	return (struct node_value){ KC_FACT_KNOWN, value, source };
}

static struct node_value unknown(const char *why)
{
	return (struct node_value){ KC_FACT_UNKNOWN, NULL, why };
}

static void find_in(struct node *n, const char *file, const char *text, size_t size,
		    const char *name, struct node_value *value)
{
	struct kc_dpkg_package package;
	int r;

	r = kc_dpkg_find(text, size, name, &n->arena, &package);
	if (r > 0) {
		const char *version = kc_dpkg_upstream(package.version, &n->arena);

		if (version && *version)
			*value = known(version, node_text(n, "%s:%u: package %s %s", file,
							  package.line, name, package.version));
	}
}

/*
 * Into memory of its own at once: the file has megabytes, which the table of services would have to
 * copy for the sake of its bounds.
 */
static int read_status(struct node *n)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	struct kc_stat st = { .size_of = sizeof(st) };
	size_t size = 0;
	int r;

	r = kc_open_file(n->host, n->run, DPKG_STATUS, 0, &fd);
	if (r >= 0)
		r = kc_stat(n->host, n->run, DPKG_STATUS, 0, &st);
	if (r < 0)
		return r;
	if (st.size > DPKG_MAX)
		return -EFBIG;
	n->dpkg = malloc((size_t)st.size + 1);
	if (!n->dpkg)
		return -ENOMEM;
	while (size < st.size) {
		ssize_t got = read(fd, n->dpkg + size, (size_t)st.size - size);

		if (got < 0 && errno != EINTR)
			return -errno;
		if (got == 0)
			break;
		size += got > 0 ? (size_t)got : 0;
	}
	n->dpkg_size = size;
	return 0;
}

/* The database of dpkg, or of an image that has been made without it. */
static void find_dpkg(struct node *n, const char *const *packages, struct node_value *value)
{
	if (!n->dpkg_read) {
		n->dpkg_code = read_status(n);
		n->dpkg_read = true;
	}
	KC_FOREACH_STR (name, packages) {
		const char *file = node_text(n, "/var/lib/dpkg/status.d/%s", name);
		struct kc_bytes text;

		if (value->state == KC_FACT_KNOWN)
			return;
		if (n->dpkg_code >= 0)
			find_in(n, DPKG_STATUS, n->dpkg, n->dpkg_size, name, value);
		else if (kc_read_file(n->host, n->run, file, DPKG_FILE_MAX, &text) >= 0)
			find_in(n, file, text.data, text.size, name, value);
	}
}

static int run(struct node *n, const char *const *argv, struct kc_program_result *ret_result)
{
	const struct kc_program program = {
		.size = sizeof(program),
		.path = argv[0],
		.argv = argv,
		.timeout_usec = PROGRAM_USEC,
	};

	*ret_result = (struct kc_program_result){ .size_of = sizeof(*ret_result) };
	return kc_program(n->host, n->run, &program, ret_result);
}

/* Rpm's databases are of formats that only librpm reads. */
static void find_rpm(struct node *n, const char *const *packages, struct node_value *value)
{
	static const char *const databases[] = { "/usr/lib/sysimage/rpm", "/var/lib/rpm", NULL };
	const char *ignored;

	if (node_first_of(n, databases, &ignored) <= 0 || node_exists(n, "/usr/bin/rpm") <= 0)
		return;
	KC_FOREACH_STR (name, packages) {
		const char *const argv[] = { "/usr/bin/rpm",  "-q", "--queryformat",
					     "%{VERSION}\\n", name, NULL };
		struct kc_program_result result;
		const char *version;

		/* What rpm cannot say, it cannot say of the next package either. */
		if (run(n, argv, &result) < 0)
			return;
		version = result.exit_code == 0 ? node_find_version(n, result.out.data) : NULL;
		if (version) {
			*value = known(version, node_text(n, "rpm -q %s", name));
			return;
		}
	}
}

static struct node_value ask_program(struct node *n, const struct node_program *program)
{
	const char *const argv[] = { program->path, program->option, program->option2, NULL };
	struct kc_program_result result;
	const char *version;

	if (run(n, argv, &result) < 0)
		return unknown(node_why(n));
	version = result.exit_code == 0 ? node_find_version(n, result.out.data) : NULL;
	if (!version)
		return unknown(node_text(n, "%s %s does not tell its version", program->path,
					 program->option));
	return known(version, node_text(n, "%s %s", program->path, program->option));
}

/* Packages put programs into these folders, and administrators put theirs elsewhere. */
static bool is_packaged_path(const char *path)
{
	return kc_after_prefix(path, "/usr/bin/") || kc_after_prefix(path, "/usr/sbin/") ||
	       kc_after_prefix(path, "/bin/") || kc_after_prefix(path, "/sbin/");
}

struct node_value node_program_version(struct node *n, const struct node_program *program)
{
	struct node_value value = { 0 };

	if (is_packaged_path(program->path)) {
		find_dpkg(n, program->packages, &value);
		if (value.state != KC_FACT_KNOWN && n->live && n->dpkg_code == -ENOENT)
			find_rpm(n, program->packages, &value);
	}
	if (value.state == KC_FACT_KNOWN)
		return value;
	if (!n->live)
		return unknown(node_text(
			n, "%s is there, is of no package of dpkg's, and is not run offline",
			program->path));
	return ask_program(n, program);
}
