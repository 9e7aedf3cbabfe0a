/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "formats/dpkg.h"
#include "node.h"

enum {
	DPKG_MAX = 32 * 1024 * 1024,
	DPKG_FILE_MAX = 64 * 1024,
	STATUS_BUFFER = 32 * 1024, /* at first: a stanza takes what it takes */
	STATUS_BUFFER_MAX = 1024 * 1024,
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

/* `line` is how many lines of the file stand before the text. */
static void find_in(struct node *n, const char *file, const char *text, size_t size, unsigned line,
		    const char *name, struct node_value *value)
{
	struct kc_dpkg_package package;
	int r;

	r = kc_dpkg_find(text, size, name, &n->arena, &package);
	if (r > 0) {
		const char *version = kc_dpkg_upstream(package.version, &n->arena);

		if (version && *version)
			*value = known(version,
				       node_text(n, "%s:%u: package %s %s", file,
						 line + package.line, name, package.version));
	}
}

/* How many of the bytes are whole stanzas; all of them at the end of the file. */
static size_t whole_stanzas(const char *text, size_t size, bool at_end)
{
	if (at_end)
		return size;
	for (size_t i = size; i >= 2; i--) {
		if (text[i - 1] == '\n' && text[i - 2] == '\n')
			return i;
	}
	return 0;
}

/* More of the file, behind what of the buffer was not looked at yet. 1, 0 at its end. */
static int fill(int fd, char *buffer, size_t room, size_t *size)
{
	for (;;) {
		ssize_t got = read(fd, buffer + *size, room - *size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		*size += (size_t)got;
		return got > 0;
	}
}

/*
 * Through one buffer, since the file has megabytes: fresh memory for all of it costs several times
 * what looking through it does. -ENOENT: there is no such file.
 */
static int find_in_status(struct node *n, const char *name, struct node_value *value)
{
	kc_cleanup(kc_freep) char *buffer = NULL;
	kc_cleanup(kc_closep) int fd = -EBADF;
	size_t size = 0, total = 0, room = STATUS_BUFFER;
	unsigned line = 0;
	int more = 1, r;

	r = kc_open_file(n->host, n->run, DPKG_STATUS, 0, &fd);
	if (r < 0)
		return r;
	buffer = malloc(STATUS_BUFFER);
	if (!buffer)
		return -ENOMEM;
	while (more > 0 && value->state != KC_FACT_KNOWN) {
		size_t whole;

		if (size == room) {
			char *larger = room < STATUS_BUFFER_MAX ? realloc(buffer, room * 2) : NULL;

			if (!larger)
				return room < STATUS_BUFFER_MAX ? -ENOMEM : -EFBIG;
			buffer = larger;
			room *= 2;
		}
		more = fill(fd, buffer, room, &size);
		if (more < 0)
			return more;
		if (total > DPKG_MAX)
			return -EFBIG;
		whole = whole_stanzas(buffer, size, more == 0);
		find_in(n, DPKG_STATUS, buffer, whole, line, name, value);
		for (size_t i = 0; i < whole; i++)
			line += buffer[i] == '\n';
		total += whole;
		size -= whole;
		memmove(buffer, buffer + whole, size);
	}
	return 0;
}

/* The database of dpkg, or of an image that has been made without it. */
static void find_dpkg(struct node *n, const char *const *packages, struct node_value *value)
{
	KC_FOREACH_STR (name, packages) {
		const char *file = node_text(n, "/var/lib/dpkg/status.d/%s", name);
		struct kc_bytes text;

		if (value->state == KC_FACT_KNOWN)
			return;
		n->dpkg_code = find_in_status(n, name, value);
		if (n->dpkg_code < 0 &&
		    kc_read_file(n->host, n->run, file, DPKG_FILE_MAX, &text) >= 0)
			find_in(n, file, text.data, text.size, 0, name, value);
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
