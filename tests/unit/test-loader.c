/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "run/loader.h"

/* ---- the object as a file: real ones, and what is left of them ---- */

static const char *const *objects; /* of plugins, from the command line */

static struct kc_buf read_object(const char *path)
{
	kc_cleanup(kc_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct kc_buf b = { 0 };

	assert_true(fd >= 0);
	assert_int_equal(kc_read_all(fd, KC_PLUGIN_FILE_MAX, &b), 0);
	return b;
}

static int look(const char *data, size_t size)
{
	struct kc_err err = { 0 };
	int r = kc_plugin_elf_check("p.so", (const unsigned char *)data, size, &err);

	if (r == 0)
		return 0;
	/* Every refusal has its sentence, and none is a crash. */
	assert_true(r == -ENOEXEC || r == -EPERM);
	assert_int_equal(err.code, r);
	assert_non_null(strstr(err.text, "p.so"));
	return r;
}

/* In memory of just that size, so that a sanitizer sees a read beyond it. */
static int look_at_copy(const char *data, size_t size)
{
	char *copy = malloc(size ? size : 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, data, size);
	r = look(copy, size);
	free(copy);
	return r;
}

static void test_whole(void **state)
{
	assert_non_null(objects[0]);
	KC_FOREACH_STR (path, objects) {
		struct kc_buf b = read_object(path);

		assert_int_equal(look_at_copy(b.data, b.len), 0);
		kc_buf_done(&b);
	}
}

/* The table of sections is at the end, so that no beginning is a plugin. */
static void test_truncated(void **state)
{
	struct kc_buf b = read_object(objects[0]);

	for (size_t n = 0; n < b.len; n += n < 4096 || n + 8192 > b.len ? 1 : 31)
		assert_true(look_at_copy(b.data, n) < 0);
	kc_buf_done(&b);
}

/* Bytes of the tables that are read, each changed in some ways; and some of all the others. */
static void test_flipped(void **state)
{
	static const unsigned char flips[] = { 0x01, 0x80, 0xff };
	struct kc_buf b = read_object(objects[0]);
	const ElfW(Ehdr) *header = (const void *)b.data;
	size_t sections = header->e_shoff;
	unsigned refused = 0;

	for (size_t at = 0; at < b.len; at += at < 4096 || at >= sections ? 1 : 41) {
		for (size_t i = 0; i < KC_ARRAY_SIZE(flips); i++) {
			b.data[at] = (char)(b.data[at] ^ flips[i]);
			refused += look(b.data, b.len) < 0;
			b.data[at] = (char)(b.data[at] ^ flips[i]);
		}
	}
	assert_int_equal(look(b.data, b.len), 0);
	assert_true(refused > 100);
	kc_buf_done(&b);
}

static void refused(struct kc_buf *b, const char *part)
{
	struct kc_err err = { 0 };

	assert_true(kc_plugin_elf_check("p.so", (const unsigned char *)b->data, b->len, &err) < 0);
	if (!strstr(err.text, part))
		fail_msg("%s is not in %s", part, err.text);
	kc_buf_done(b);
}

static void test_headers(void **state)
{
	struct kc_buf b = read_object(objects[0]);
	ElfW(Ehdr) *header = (void *)b.data;

	header->e_machine ^= 1;
	refused(&b, "another machine");
	b = read_object(objects[0]);
	header = (void *)b.data;
	header->e_ident[EI_CLASS] ^= 3;
	refused(&b, "another machine");
	b = read_object(objects[0]);
	header = (void *)b.data;
	header->e_type = ET_EXEC;
	refused(&b, "no shared object");
	b = read_object(objects[0]);
	header = (void *)b.data;
	header->e_shnum = 0;
	refused(&b, "no table of dynamic symbols");
	b = read_object(objects[0]);
	header = (void *)b.data;
	header->e_shoff = UINT64_MAX - 10;
	refused(&b, "its end is missing");
	b = (struct kc_buf){ 0 };
	kc_buf_adds(
		&b,
		"#!/bin/sh\necho this is no object, however long it may be, and never was one\n");
	refused(&b, "no ELF header");
}

/* Changes a text wherever it stands in an object; at least once. */
static struct kc_buf replace(const void *text, size_t size, size_t at, char to)
{
	struct kc_buf b = read_object(objects[0]);
	char *p = b.data;
	unsigned n = 0;

	while ((p = memmem(p, b.len - (size_t)(p - b.data), text, size)) != NULL) {
		p[at] = to;
		p += size;
		n++;
	}
	assert_true(n > 0);
	return b;
}

/* Its name, its magic number and its ABI. */
static void test_symbol(void **state)
{
	const struct {
		uint32_t magic;
		uint16_t major, minor;
	} ours = { KC_PLUGIN_MAGIC, KC_ABI_MAJOR, KC_ABI_MINOR };
	char part[80];
	struct kc_buf b;

	b = replace(&ours, sizeof(ours), 4, KC_ABI_MAJOR + 1);
	(void)snprintf(part, sizeof(part),
		       "built for plugin ABI %d.%d, and this k8scheck has %d.%d", KC_ABI_MAJOR + 1,
		       KC_ABI_MINOR, KC_ABI_MAJOR, KC_ABI_MINOR);
	refused(&b, part);
	b = replace(&ours, sizeof(ours), 0, 'x');
	refused(&b, "another magic number");
	/* A newer minor adds members at the end, which nobody here reads. */
	b = replace(&ours, sizeof(ours), 6, 99);
	assert_int_equal(look(b.data, b.len), 0);
	kc_buf_done(&b);
	b = replace("kc_plugin", 10, 0, 'K');
	refused(&b, "exports no kc_plugin");
}

/* What the loader reads is the segment, whatever a table of sections says. */
static void test_runpath(void **state)
{
	for (unsigned hide = 0; hide < 2; hide++) {
		struct kc_buf b = read_object(objects[0]);
		const ElfW(Ehdr) *header = (const void *)b.data;
		ElfW(Dyn) *dynamic = NULL;

		for (unsigned i = 0; i < header->e_phnum; i++) {
			const ElfW(Phdr) *p = (const void *)(b.data + header->e_phoff);

			if (p[i].p_type == PT_DYNAMIC)
				dynamic = (void *)(b.data + p[i].p_offset);
		}
		assert_non_null(dynamic);
		for (unsigned i = 0; hide && i < header->e_shnum; i++) {
			ElfW(Shdr) *s = (void *)(b.data + header->e_shoff);

			if (s[i].sh_type == SHT_DYNAMIC)
				s[i].sh_size = 0;
		}
		assert_int_equal(look(b.data, b.len), 0);
		dynamic->d_tag = hide ? DT_RPATH : DT_RUNPATH;
		refused(&b, "RPATH or RUNPATH");
	}
}

/* ---- the descriptor against the manifest ---- */

static int run(void *plugin_state, const struct kc_host *host, struct kc_run *r)
{
	return 0;
}

/* A plugin and its manifest that agree; everything may be changed. */
struct pair {
	struct kc_param param;
	const struct kc_param *params[2];
	const char *reasons[2];
	struct kc_check check;
	const struct kc_check *checks[2];
	const char *names[3];
	struct kc_fact_source source;
	const struct kc_fact_source *sources[2];
	struct kc_plugin plugin;
	struct kc_manifest_param want_param;
	struct kc_manifest_text want_reason;
	struct kc_manifest_check want_check;
	struct kc_manifest_fact want_facts[2];
	struct kc_manifest manifest;
};

static void agree(struct pair *p)
{
	*p = (struct pair){
		.param = { .size = sizeof(p->param),
			   .type = KC_TYPE_INTEGER,
			   .name = "value",
			   .required = 7 },
		.reasons = { "absent" },
		.names = { "os.id", "os.version" },
		.want_param = { .name = "value", .type = KC_TYPE_INTEGER, .required = true },
		.want_reason = { .id = "absent", .text = "It is not there." },
		.want_facts = { { .name = "os.id" }, { .name = "os.version" } },
	};
	p->params[0] = &p->param;
	p->check = (struct kc_check){
		.size = sizeof(p->check),
		.flags = KC_CHECK_NOW,
		.id = "p.check",
		.params = p->params,
		.n_params = 1,
		.n_reasons = 1,
		.reasons = p->reasons,
		.run = run,
	};
	p->checks[0] = &p->check;
	p->source = (struct kc_fact_source){
		.size = sizeof(p->source), .n_names = 2, .names = p->names, .gather = run
	};
	p->sources[0] = &p->source;
	p->plugin = (struct kc_plugin){
		.magic = KC_PLUGIN_MAGIC,
		.abi_major = KC_ABI_MAJOR,
		.abi_minor = KC_ABI_MINOR,
		.size = sizeof(p->plugin),
		.n_checks = 1,
		.n_facts = 1,
		.name = "p",
		.version = "1",
		.checks = p->checks,
		.facts = p->sources,
	};
	p->want_check = (struct kc_manifest_check){
		.id = "p.check",
		.flags = KC_CHECK_NOW,
		.params = &p->want_param,
		.n_params = 1,
		.reasons = &p->want_reason,
		.n_reasons = 1,
	};
	p->manifest = (struct kc_manifest){
		.file = "/plugins/p.yaml",
		.name = "p",
		.version = "1",
		.checks = &p->want_check,
		.n_checks = 1,
		.facts = p->want_facts,
		.n_facts = 2,
	};
}

static void test_agreement(void **state)
{
	struct pair p;

	agree(&p);
	assert_int_equal(kc_plugin_compare(&p.plugin, &p.manifest, NULL), 0);
	assert_ptr_equal(kc_plugin_check(&p.plugin, "p.check"), &p.check);
	assert_null(kc_plugin_check(&p.plugin, "p.other"));
	/* Larger structures are of a newer minor, and have all that is read here. */
	p.plugin.abi_minor = 99;
	p.plugin.size += 64;
	p.check.size += 64;
	p.param.size += 64;
	p.source.size += 64;
	assert_int_equal(kc_plugin_compare(&p.plugin, &p.manifest, NULL), 0);
}

#define DISAGREE(change, part)                                                              \
	do {                                                                                \
		struct kc_err err = { 0 };                                                  \
		struct pair p;                                                              \
                                                                                            \
		agree(&p);                                                                  \
		change;                                                                     \
		assert_int_equal(kc_plugin_compare(&p.plugin, &p.manifest, &err), -EINVAL); \
		assert_non_null(strstr(err.text, "plugin p"));                              \
		if (!strstr(err.text, part))                                                \
			fail_msg("%s: %s", #change, err.text);                              \
	} while (0)

static void test_plugin_disagrees(void **state)
{
	DISAGREE(p.plugin.magic ^= 1, "another ABI");
	DISAGREE(p.plugin.abi_major += 1, "another ABI");
	DISAGREE(p.plugin.size = 0, "incomplete");
	DISAGREE(p.plugin.size = offsetof(struct kc_plugin, close), "incomplete");
	DISAGREE(p.plugin.name = NULL, "incomplete");
	DISAGREE(p.plugin.name = "q", "calls itself q");
	DISAGREE(p.plugin.version = NULL, "incomplete");
	DISAGREE(p.plugin.version = "2", "of version 2");
	DISAGREE(p.plugin.checks = NULL, "incomplete");
	DISAGREE(p.plugin.n_checks = 0, "number of checks");
	DISAGREE(p.plugin.n_checks = UINT32_MAX, "incomplete");
	DISAGREE(p.manifest.n_checks = 0, "number of checks");
	DISAGREE(p.plugin.n_facts = UINT32_MAX, "incomplete");
}

static void test_check_disagrees(void **state)
{
	DISAGREE(p.checks[0] = NULL, "incomplete");
	DISAGREE(p.check.size = 8, "incomplete");
	DISAGREE(p.check.size = offsetof(struct kc_check, plan), "incomplete");
	DISAGREE(p.check.id = NULL, "incomplete");
	DISAGREE(p.check.run = NULL, "incomplete");
	DISAGREE(p.check.id = "p.other", "lacks the check p.other");
	DISAGREE(p.check.flags |= KC_CHECK_RUNS_PROGRAM, "other flags");
	DISAGREE(p.check.flags = 0, "other flags");
	DISAGREE(p.check.n_params = 0, "number of parameters");
	DISAGREE(p.check.n_params = UINT32_MAX, "number of parameters");
	DISAGREE(p.check.params = NULL, "number of parameters");
	DISAGREE(p.params[0] = NULL, "no parameter");
	DISAGREE(p.param.size = 4, "another parameter");
	DISAGREE(p.param.name = NULL, "another parameter");
	DISAGREE(p.param.name = "values", "another parameter");
	DISAGREE(p.param.type = KC_TYPE_STRING, "another type");
	DISAGREE(p.param.required = 0, "another type");
	DISAGREE(p.check.n_reasons = 0, "other reasons");
	DISAGREE(p.check.reasons = NULL, "other reasons");
	DISAGREE(p.reasons[0] = NULL, "other reasons");
	DISAGREE(p.reasons[0] = "elsewhere", "other reasons");
}

static void test_facts_disagree(void **state)
{
	DISAGREE(p.plugin.facts = NULL, "source of facts");
	DISAGREE(p.sources[0] = NULL, "source of facts");
	DISAGREE(p.source.size = 8, "source of facts");
	DISAGREE(p.source.gather = NULL, "source of facts");
	DISAGREE(p.source.names = NULL, "source of facts");
	DISAGREE(p.source.n_names = 1, "number of facts");
	DISAGREE(p.source.n_names = 3, "number of facts");
	DISAGREE(p.source.n_names = UINT32_MAX, "number of facts");
	DISAGREE(p.names[1] = "role", "lacks a fact");
	DISAGREE(p.names[1] = NULL, "lacks a fact");
	DISAGREE(p.plugin.n_facts = 0, "number of facts");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_flipped),		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_symbol),		cmocka_unit_test(test_runpath),
		cmocka_unit_test(test_agreement),	cmocka_unit_test(test_plugin_disagrees),
		cmocka_unit_test(test_check_disagrees), cmocka_unit_test(test_facts_disagree),
	};

	objects = (const char *const *)argv + (argc > 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
