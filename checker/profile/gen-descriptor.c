/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>

#include "base/fdio.h"
#include "profile.h"

/*
 * k8scheck-descriptor MANIFEST OUTDIR: prints a plugin's descriptor in C from its manifest, so that
 * the two cannot say different things. Writes OUTDIR/NAME-descriptor.h, which declares what the
 * plugin has to define, and OUTDIR/NAME-descriptor.c, which has the tables and the exported symbol.
 */

enum {
	MANIFEST_SIZE_MAX = 1024 * 1024
};

/* As a C string literal, in ASCII, whatever the bytes. */
static void add_literal(struct kc_buf *b, const char *s)
{
	if (!s) {
		kc_buf_adds(b, "NULL");
		return;
	}
	kc_buf_addc(b, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			kc_buf_addf(b, "\\%c", c);
		else if (c < ' ' || c > '~' || c == '?')
			kc_buf_addf(b, "\\%03o", c);
		else
			kc_buf_addc(b, (char)c);
	}
	kc_buf_addc(b, '"');
}

/* An id as part of a C name. */
static void add_name(struct kc_buf *b, const char *id)
{
	for (; *id; id++)
		kc_buf_addc(b, *id == '-' || *id == '.' ? '_' : *id);
}

static void add_function(struct kc_buf *b, const char *id, const char *what)
{
	add_name(b, id);
	kc_buf_addf(b, "_%s", what);
}

static void declare(struct kc_buf *b, const char *id, const char *what)
{
	kc_buf_adds(b, "int ");
	add_function(b, id, what);
	kc_buf_adds(b, "(void *state, const struct kc_host *host, struct kc_run *run);\n");
}

static void print_header(struct kc_buf *b, const struct kc_manifest *m)
{
	kc_buf_addf(b,
		    "/* Generated from %s.yaml by k8scheck-descriptor. What the plugin has to "
		    "define. */\n"
		    "#pragma once\n\n#include \"k8scheck-plugin.h\"\n\n",
		    m->name);
	if (m->state) {
		kc_buf_adds(b, "int ");
		add_function(b, m->name, "open");
		kc_buf_adds(b, "(const struct kc_host *host, struct kc_run *run, void "
			       "**ret_state);\nvoid ");
		add_function(b, m->name, "close");
		kc_buf_adds(b, "(void *state);\n");
	}
	if (m->n_facts > 0)
		declare(b, m->name, "gather");
	for (uint32_t i = 0; i < m->n_checks; i++) {
		declare(b, m->checks[i].id, "run");
		if (m->checks[i].flags & KC_CHECK_PLANS)
			declare(b, m->checks[i].id, "plan");
	}
}

static void print_params(struct kc_buf *b, const struct kc_manifest_check *check, uint32_t number)
{
	for (uint32_t i = 0; i < check->n_params; i++) {
		const struct kc_manifest_param *p = check->params + i;

		if (p->choices) {
			kc_buf_addf(b, "static const char *const choices_%u_%u[] = { ", number, i);
			KC_FOREACH_STR (choice, p->choices) {
				add_literal(b, choice);
				kc_buf_adds(b, ", ");
			}
			kc_buf_adds(b, "NULL };\n");
		}
		kc_buf_addf(b,
			    "static const struct kc_param param_%u_%u = {\n"
			    "\t.size = sizeof(struct kc_param),\n\t.type = %u,\n\t.name = ",
			    number, i, p->type);
		add_literal(b, p->name);
		kc_buf_adds(b, ",\n\t.fallback = ");
		add_literal(b, p->fallback);
		if (p->choices)
			kc_buf_addf(b, ",\n\t.choices = choices_%u_%u", number, i);
		kc_buf_addf(b, ",\n\t.required = %d,\n};\n", p->required);
	}
	if (check->n_params == 0)
		return;
	kc_buf_addf(b, "static const struct kc_param *const params_%u[] = {", number);
	for (uint32_t i = 0; i < check->n_params; i++)
		kc_buf_addf(b, "%s&param_%u_%u", i > 0 ? ", " : " ", number, i);
	kc_buf_adds(b, " };\n");
}

static void print_check(struct kc_buf *b, const struct kc_manifest_check *check, uint32_t number)
{
	print_params(b, check, number);
	if (check->n_reasons > 0) {
		kc_buf_addf(b, "static const char *const reasons_%u[] = { ", number);
		for (uint32_t i = 0; i < check->n_reasons; i++) {
			add_literal(b, check->reasons[i].id);
			kc_buf_adds(b, ", ");
		}
		kc_buf_adds(b, "NULL };\n");
	}
	kc_buf_addf(b,
		    "static const struct kc_check check_%u = {\n"
		    "\t.size = sizeof(struct kc_check),\n\t.flags = 0x%xu,\n\t.id = ",
		    number, check->flags);
	add_literal(b, check->id);
	if (check->n_params > 0)
		kc_buf_addf(b, ",\n\t.params = params_%u,\n\t.n_params = %u", number,
			    check->n_params);
	if (check->n_reasons > 0)
		kc_buf_addf(b, ",\n\t.reasons = reasons_%u,\n\t.n_reasons = %u", number,
			    check->n_reasons);
	kc_buf_adds(b, ",\n\t.run = ");
	add_function(b, check->id, "run");
	if (check->flags & KC_CHECK_PLANS) {
		kc_buf_adds(b, ",\n\t.plan = ");
		add_function(b, check->id, "plan");
	}
	kc_buf_adds(b, ",\n};\n\n");
}

static void print_facts(struct kc_buf *b, const struct kc_manifest *m)
{
	kc_buf_adds(b, "static const char *const fact_names[] = {\n");
	for (uint32_t i = 0; i < m->n_facts; i++) {
		kc_buf_addc(b, '\t');
		add_literal(b, m->facts[i].name);
		kc_buf_adds(b, ",\n");
	}
	kc_buf_addf(b,
		    "\tNULL,\n};\nstatic const struct kc_fact_source fact_source = {\n"
		    "\t.size = sizeof(struct kc_fact_source),\n\t.n_names = %u,\n"
		    "\t.names = fact_names,\n\t.gather = ",
		    m->n_facts);
	add_function(b, m->name, "gather");
	kc_buf_adds(
		b,
		",\n};\nstatic const struct kc_fact_source *const facts[] = { &fact_source };\n\n");
}

static void print_source(struct kc_buf *b, const struct kc_manifest *m)
{
	kc_buf_addf(b,
		    "/* Generated from %s.yaml by k8scheck-descriptor. */\n"
		    "#include \"%s-descriptor.h\"\n\n",
		    m->name, m->name);
	for (uint32_t i = 0; i < m->n_checks; i++)
		print_check(b, m->checks + i, i);
	if (m->n_checks > 0) {
		kc_buf_adds(b, "static const struct kc_check *const checks[] = {");
		for (uint32_t i = 0; i < m->n_checks; i++)
			kc_buf_addf(b, "%s&check_%u", i > 0 ? ", " : " ", i);
		kc_buf_adds(b, " };\n\n");
	}
	if (m->n_facts > 0)
		print_facts(b, m);
	kc_buf_adds(
		b, "KC_PLUGIN_EXPORT = {\n"
		   "\t.magic = KC_PLUGIN_MAGIC,\n\t.abi_major = KC_ABI_MAJOR,\n"
		   "\t.abi_minor = KC_ABI_MINOR,\n\t.size = sizeof(struct kc_plugin),\n\t.name = ");
	add_literal(b, m->name);
	kc_buf_adds(b, ",\n\t.version = ");
	add_literal(b, m->version);
	if (m->n_checks > 0)
		kc_buf_addf(b, ",\n\t.n_checks = %u,\n\t.checks = checks", m->n_checks);
	if (m->n_facts > 0)
		kc_buf_adds(b, ",\n\t.n_facts = 1,\n\t.facts = facts");
	if (m->state) {
		kc_buf_adds(b, ",\n\t.open = ");
		add_function(b, m->name, "open");
		kc_buf_adds(b, ",\n\t.close = ");
		add_function(b, m->name, "close");
	}
	kc_buf_adds(b, ",\n};\n");
}

typedef void printer(struct kc_buf *b, const struct kc_manifest *m);

static int write_file(const char *dir, const struct kc_manifest *m, const char *suffix,
		      printer *print)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	kc_cleanup(kc_freep) char *path = kc_asprintf("%s/%s-descriptor.%s", dir, m->name, suffix);
	kc_cleanup(kc_closep) int fd = -EBADF;
	int r;

	if (!path)
		return -ENOMEM;
	print(&b, m);
	r = kc_buf_error(&b);
	if (r < 0)
		return r;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		r = -errno;
	else
		r = kc_write_all(fd, b.data, b.len);
	if (r < 0)
		(void)fprintf(stderr, "k8scheck-descriptor: cannot write %s: %s\n", path,
			      kc_strerror(r));
	return r;
}

static int read_manifest(const char *file, struct kc_buf *text, struct kc_arena *arena,
			 const struct kc_manifest **ret)
{
	kc_cleanup(kc_closep) int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct kc_err err = { 0 };
	int r;

	r = fd < 0 ? -errno : kc_read_all(fd, MANIFEST_SIZE_MAX, text);
	if (r < 0)
		(void)kc_err_set(&err, r, "cannot read %s: %s", file, kc_strerror(r));
	else
		r = kc_manifest_parse(file, text->data, text->len, arena, &err, ret);
	if (r < 0)
		(void)fprintf(stderr, "k8scheck-descriptor: %s\n", err.text);
	return r;
}

static int write_index(const char *path, char *const *manifests, int n)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	kc_cleanup(kc_closep) int fd = -EBADF;
	int r;

	kc_manifest_index_begin(&b, (uint32_t)n);
	for (int i = 0; i < n; i++) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
		const struct kc_manifest *m = NULL;

		r = read_manifest(manifests[i], &text, &arena, &m);
		if (r < 0)
			return r;
		kc_manifest_index_add(&b, m, text.data, text.len);
	}
	r = kc_buf_error(&b);
	if (r == 0)
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (r == 0)
		r = fd < 0 ? -errno : kc_write_all(fd, b.data, b.len);
	if (r < 0)
		(void)fprintf(stderr, "k8scheck-descriptor: cannot write %s: %s\n", path,
			      kc_strerror(r));
	return r;
}

int main(int argc, char **argv)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	const struct kc_manifest *m = NULL;

	if (argc > 2 && kc_streq(argv[1], "--index"))
		return write_index(argv[2], argv + 3, argc - 3) < 0;
	if (argc != 3) {
		(void)fprintf(stderr, "usage: k8scheck-descriptor MANIFEST OUTDIR\n"
				      "       k8scheck-descriptor --index FILE MANIFEST...\n");
		return 2;
	}
	if (read_manifest(argv[1], &text, &arena, &m) < 0)
		return 1;
	if (write_file(argv[2], m, "h", print_header) < 0 ||
	    write_file(argv[2], m, "c", print_source) < 0)
		return 1;
	return 0;
}
