/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "packages.h"

#define DPKG_STATUS   "/var/lib/dpkg/status"
#define DPKG_STATUS_D "/var/lib/dpkg/status.d"
#define RPM	      "/usr/bin/rpm"
/* A line a package, its fields parted by what no field has. */
#define RPM_FORMAT "%{NAME}\\t%{EPOCHNUM}\\t%{VERSION}\\t%{RELEASE}\\t%{ARCH}\\n"

enum {
	NAME_MAX_BYTES = 128,
	NAMES_MAX = 200, /* a program is given no more arguments than 256 */
	DPKG_MAX = 32 * 1024 * 1024,
	DPKG_FILE_MAX = 64 * 1024,
	STATUS_BUFFER = 32 * 1024, /* at first: a stanza takes what it takes */
	STATUS_BUFFER_MAX = 1024 * 1024,
	RPM_USEC = 4 * 1000 * 1000,
};

/* One lookup. */
struct query {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
	const char *const *names; /* those that a package can have */
	size_t n;
	struct kc_package *package; /* of each of them */
	const char *why;
};

static int fail(struct query *q, int code, const char *why)
{
	q->why = why ? why : "out of memory";
	return code;
}

/* With the host's own clause. */
static int fail_host(struct query *q, int code)
{
	return fail(q, code, kc_arena_strdup(q->arena, kc_why(q->host, q->run)));
}

bool kc_package_name_valid(const char *name)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	static const char all[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._";
	size_t n = strspn(name, all);

	return n > 0 && n <= NAME_MAX_BYTES && !name[n] && strspn(name, letters) > 0;
}

/* ---- dpkg ---- */

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

static int set_dpkg(struct query *q, size_t i, const char *file,
		    const struct kc_dpkg_package *found)
{
	struct kc_package *package = &q->package[i];

	*package = (struct kc_package){
		.name = q->names[i],
		.installed = true,
		.held = found->held,
		.version = kc_dpkg_upstream(found->version, q->arena),
		.full = found->version,
		.source = kc_arena_printf(q->arena, "%s:%u", file, found->line),
	};
	return package->version && package->source ? 0 : -ENOMEM;
}

/* What of the names a part of a file has, as kc_dpkg_scan(). */
static int find_in(struct query *q, struct kc_dpkg_scan *scan, const char *file, const char *part,
		   size_t size, bool at_end, size_t *ret_used)
{
	int left = kc_dpkg_scan(scan, part, size, at_end, ret_used);

	if (left == -ENOMEM)
		return fail(q, left, NULL);
	if (left < 0)
		return fail(q, left,
			    kc_arena_printf(q->arena,
					    "%s has a package whose version is none, or two "
					    "packages in one paragraph",
					    file));
	for (size_t i = 0; i < q->n; i++) {
		if (scan->packages[i].version && !q->package[i].installed &&
		    set_dpkg(q, i, file, &scan->packages[i]) < 0)
			return fail(q, -ENOMEM, NULL);
	}
	return left;
}

/* Room for a stanza that does not fit. */
static int enlarge(struct query *q, char **buffer, size_t *room)
{
	char *larger;

	if (*room >= STATUS_BUFFER_MAX)
		return fail(q, -EFBIG, DPKG_STATUS " has a stanza of more than 1 MiB");
	larger = realloc(*buffer, *room * 2);
	if (!larger)
		return fail(q, -ENOMEM, NULL);
	*buffer = larger;
	*room *= 2;
	return 0;
}

/*
 * Through one buffer, since the file has megabytes: fresh memory for all of it costs several times
 * what looking through it does.
 */
static int scan_status(struct query *q, int fd, struct kc_dpkg_scan *scan)
{
	kc_cleanup(kc_freep) char *buffer = malloc(STATUS_BUFFER);
	size_t size = 0, total = 0, room = STATUS_BUFFER;
	int more = 1, left = 1, r;

	if (!buffer)
		return fail(q, -ENOMEM, NULL);
	while (more > 0 && left > 0) {
		size_t used;

		r = size == room ? enlarge(q, &buffer, &room) : 0;
		if (r < 0)
			return r;
		more = fill(fd, buffer, room, &size);
		if (more < 0)
			return fail(q, more, DPKG_STATUS " cannot be read to its end");
		if (total > DPKG_MAX)
			return fail(q, -EFBIG, DPKG_STATUS " has more than 32 MiB");
		left = find_in(q, scan, DPKG_STATUS, buffer, size, more == 0, &used);
		if (left < 0)
			return left;
		total += used;
		size -= used;
		memmove(buffer, buffer + used, size);
	}
	return 0;
}

/* A file a package, in images that were made without dpkg. */
static int read_status_files(struct query *q, struct kc_dpkg_scan *scan)
{
	for (size_t i = 0; i < q->n; i++) {
		const char *file = kc_arena_printf(q->arena, DPKG_STATUS_D "/%s", q->names[i]);
		struct kc_bytes text;
		size_t used;
		int r;

		if (!file)
			return fail(q, -ENOMEM, NULL);
		scan->line = 0;
		r = kc_read_file(q->host, q->run, file, DPKG_FILE_MAX, &text);
		if (r < 0 && r != -ENOENT)
			return fail_host(q, r);
		if (r == 0)
			r = find_in(q, scan, file, text.data, text.size, true, &used);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

static int find_dpkg(struct query *q)
{
	struct kc_dpkg_scan scan = {
		.names = q->names,
		.n = q->n,
		.arena = q->arena,
		.packages = kc_arena_zalloc(q->arena, q->n + 1, sizeof(*scan.packages)),
	};
	kc_cleanup(kc_closep) int fd = -EBADF;
	int r;

	if (!scan.packages)
		return fail(q, -ENOMEM, NULL);
	r = kc_open_file(q->host, q->run, DPKG_STATUS, 0, &fd);
	for (size_t i = 0; i < q->n; i++)
		q->package[i].source = r == -ENOENT ? DPKG_STATUS_D : DPKG_STATUS;
	if (r == -ENOENT)
		return read_status_files(q, &scan);
	return r < 0 ? fail_host(q, r) : scan_status(q, fd, &scan);
}

/* ---- rpm ---- */

static int run_rpm(struct query *q, struct kc_program_result *ret_result)
{
	const char **argv = kc_arena_zalloc(q->arena, q->n + 5, sizeof(*argv));
	const struct kc_program program = {
		.size = sizeof(program),
		.path = RPM,
		.argv = argv,
		.timeout_usec = RPM_USEC,
	};
	size_t n = 0;
	int r;

	if (!argv)
		return fail(q, -ENOMEM, NULL);
	argv[n++] = RPM;
	argv[n++] = "-q";
	argv[n++] = "--queryformat";
	argv[n++] = RPM_FORMAT;
	for (size_t i = 0; i < q->n; i++)
		argv[n++] = q->names[i];
	*ret_result = (struct kc_program_result){ .size_of = sizeof(*ret_result) };
	r = kc_program(q->host, q->run, &program, ret_result);
	return r < 0 ? fail_host(q, r) : 0;
}

/* The fields of a line; false when it is not one of a package. */
static bool split_fields(char *line, const char *field[5])
{
	size_t n = 0;
	char *next;

	while (n < 5 && (next = strsep(&line, "\t")))
		field[n++] = next;
	return n == 5 && !line;
}

static int set_rpm(struct query *q, const char *const field[5])
{
	const char *name = field[0], *epoch = field[1], *version = field[2];

	for (size_t i = 0; i < q->n; i++) {
		bool none = kc_streq(epoch, "0") || kc_streq(epoch, "(none)");

		if (!kc_streq(q->names[i], name))
			continue;
		q->package[i].installed = true;
		q->package[i].version = version;
		q->package[i].full = kc_arena_printf(q->arena, "%s%s%s-%s.%s", none ? "" : epoch,
						     none ? "" : ":", version, field[3], field[4]);
		if (!q->package[i].full)
			return -ENOMEM;
	}
	return 0;
}

/* Whether rpm said that a package is not there; that alone makes it so. */
static int mark_missing(struct query *q, const char *line, bool *missing)
{
	for (size_t i = 0; i < q->n; i++) {
		const char *text =
			kc_arena_printf(q->arena, "package %s is not installed", q->names[i]);

		if (!text)
			return -ENOMEM;
		missing[i] |= kc_streq(line, text);
	}
	return 0;
}

static int read_rpm(struct query *q, const struct kc_bytes *out, bool *missing)
{
	char *rest = kc_arena_memdup(q->arena, out->data, out->size), *line;
	const char *field[5];
	int r = rest ? 0 : -ENOMEM;

	while (r == 0 && (line = strsep(&rest, "\n"))) {
		if (kc_after_prefix(line, "package "))
			r = mark_missing(q, line, missing);
		else if (split_fields(line, field))
			r = set_rpm(q, field);
	}
	return r < 0 ? fail(q, r, NULL) : 0;
}

/*
 * What rpm complains of: where it cannot open its database it goes on to say that no package is
 * installed.
 */
static int judge_rpm(struct query *q, const struct kc_program_result *result, const bool *missing)
{
	const char *error = strstr(result->err.data, "error:");

	if (error)
		return fail(q, -EREMOTEIO,
			    kc_arena_printf(q->arena, "rpm -q: %.*s", (int)strcspn(error, "\n"),
					    error));
	for (size_t i = 0; i < q->n; i++)
		if (!q->package[i].installed && !missing[i])
			return fail(q, -EBADMSG,
				    kc_arena_printf(q->arena,
						    "rpm -q does not say whether %s is installed "
						    "(exit code %d)",
						    q->names[i], result->exit_code));
	return 0;
}

static int find_rpm(struct query *q)
{
	bool *missing = kc_arena_zalloc(q->arena, q->n + 1, sizeof(*missing));
	struct kc_program_result result;
	int r;

	if (!missing)
		return fail(q, -ENOMEM, NULL);
	if (!kc_is_live(q->host, q->run))
		return fail(q, -EOPNOTSUPP,
			    "the package database is rpm's, which takes rpm's own program to read, "
			    "and no program of an offline root is run");
	if (q->n == 0)
		return 0;
	r = run_rpm(q, &result);
	if (r == 0)
		r = read_rpm(q, &result.out, missing);
	if (r == 0)
		r = judge_rpm(q, &result, missing);
	for (size_t i = 0; r == 0 && i < q->n; i++) {
		q->package[i].source = kc_arena_printf(q->arena, "rpm -q %s", q->names[i]);
		if (!q->package[i].source)
			return fail(q, -ENOMEM, NULL);
	}
	return r;
}

/* ---- either ---- */

/* Whether there is something, of a file at least so many bytes: 1, 0, or a negative errno. */
static int exists(struct query *q, const char *path, uint64_t size)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	int r = kc_stat(q->host, q->run, path, 0, &st);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return fail_host(q, r);
	return st.type != KC_FILE_REGULAR || st.size >= size;
}

static int find_system(struct query *q, enum kc_package_system *ret_system)
{
	/* Of ndb, sqlite and Berkeley's; a folder alone is what rpm makes of none. */
	static const char *const rpm[] = {
		"/usr/lib/sysimage/rpm/rpmdb.sqlite",
		"/var/lib/rpm/rpmdb.sqlite",
		"/usr/lib/sysimage/rpm/Packages.db",
		"/var/lib/rpm/Packages.db",
		"/var/lib/rpm/Packages",
		NULL,
	};
	/* Who has dpkg as a tool alone has an empty one. */
	int r = exists(q, DPKG_STATUS, 1);

	if (r == 0)
		r = exists(q, DPKG_STATUS_D, 0);
	if (r != 0) {
		*ret_system = KC_PACKAGES_DPKG;
		return KC_MIN(r, 0);
	}
	*ret_system = KC_PACKAGES_NONE;
	KC_FOREACH_STR (path, rpm) {
		r = exists(q, path, 0);
		if (r == 0)
			continue;
		*ret_system = KC_PACKAGES_RPM;
		return KC_MIN(r, 0);
	}
	return 0;
}

int kc_packages_system(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		       enum kc_package_system *ret_system, const char **ret_why)
{
	struct query q = { .host = host, .run = run, .arena = arena };
	enum kc_package_system system;
	int r = find_system(&q, &system);

	if (r < 0)
		*ret_why = q.why;
	else
		*ret_system = system;
	return r;
}

/* Names that no package can have, and repeated ones, are not asked for. */
static int select_names(struct query *q, const char *const *names, size_t n)
{
	const char **kept = kc_arena_zalloc(q->arena, n + 1, sizeof(*kept));

	q->package = kc_arena_zalloc(q->arena, n + 1, sizeof(*q->package));
	if (!kept || !q->package)
		return fail(q, -ENOMEM, NULL);
	for (size_t i = 0; i < n; i++)
		if (kc_package_name_valid(names[i]) && !kc_strv_has(kept, names[i]))
			kept[q->n++] = names[i];
	q->names = kept;
	return q->n > NAMES_MAX ? fail(q, -E2BIG, "more than 200 packages are asked for") : 0;
}

/* Back in the order of those that were asked. */
static int set_result(const struct query *q, const char *const *names, size_t n,
		      struct kc_packages *packages)
{
	packages->item = kc_arena_zalloc(q->arena, n + 1, sizeof(*packages->item));
	packages->n = n;
	if (!packages->item)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < q->n; k++)
			if (kc_streq(q->names[k], names[i]))
				packages->item[i] = q->package[k];
		packages->item[i].name = names[i];
	}
	return 0;
}

int kc_packages_find(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		     const char *const *names, struct kc_packages *ret_packages,
		     const char **ret_why)
{
	struct query q = { .host = host, .run = run, .arena = arena };
	struct kc_packages packages = { 0 };
	size_t n = kc_strv_len(names);
	int r = select_names(&q, names, n);

	if (r == 0)
		r = find_system(&q, &packages.system);
	if (r == 0 && packages.system == KC_PACKAGES_DPKG)
		r = find_dpkg(&q);
	else if (r == 0 && packages.system == KC_PACKAGES_RPM)
		r = find_rpm(&q);
	if (r == 0 && set_result(&q, names, n, &packages) < 0)
		r = fail(&q, -ENOMEM, NULL);
	if (r < 0)
		*ret_why = q.why;
	else
		*ret_packages = packages;
	return r;
}
