/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "firewalld/conf-file.h"
#include "firewalld/zone-file.h"

static int read_conf(struct kc_arena *arena, const char *text, struct firewalld_conf *conf)
{
	return firewalld_conf_parse(text, strlen(text), arena, conf);
}

/* Text, the zone that comes of it, its line. */
static void test_conf(void **state)
{
	static const struct {
		const char *text, *zone;
		unsigned line;
	} table[] = {
		{ "DefaultZone=trusted\n", "trusted", 1 },
		{ "DefaultZone=trusted", "trusted", 1 },
		{ "\n# DefaultZone=a\n\t DefaultZone \t=\x0b trusted\x0c\n", "trusted", 3 },
		{ "a\rb\r\nDefaultZone=trusted\r", "trusted", 3 },
		{ "DefaultZone=\xc2\xa0trusted\xe3\x80\x80\xe2\x80\x8a\xc2\x85\x1c", "trusted", 1 },
		{ "DefaultZone=tr\xc2\xa0usted", "tr\xc2\xa0usted", 1 },
		{ "DefaultZone=\nDefaultZone=a=b\nDefaultZone=c\nDefaultZone=d\n", "c", 3 },
		{ "defaultzone=trusted\nDefaultZone x=trusted\nDefaultZone\n=\n==\n", NULL, 0 },
		{ "DefaultZone=\"trusted\"", "\"trusted\"", 1 },
		{ "DefaultZone=\xe2\x80\x8btrusted", "\xe2\x80\x8btrusted", 1 },
		{ "", NULL, 0 },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		struct firewalld_conf conf;

		assert_int_equal(read_conf(&arena, table[i].text, &conf), 0);
		assert_true(kc_streq0(conf.default_zone.value, table[i].zone));
		assert_int_equal(conf.default_zone.line, table[i].line);
		assert_int_equal(conf.undecodable, 0);
	}
}

static void test_conf_ignored(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct firewalld_conf conf;

	assert_int_equal(read_conf(&arena,
				   "DefaultZone=a=b\nDefaultZone=c\nCleanupOnExit=no\n"
				   "CleanupOnExit=yes\nCleanupOnExit=\nCleanupOnExit=a=b\n",
				   &conf),
			 0);
	assert_string_equal(conf.ignored.value, "a=b");
	assert_int_equal(conf.ignored.line, 1);
	assert_non_null(conf.ignored_why);
	assert_string_equal(conf.cleanup_on_exit.value, "no");
	assert_int_equal(conf.cleanup_on_exit.line, 3);
	assert_int_equal(read_conf(&arena, "x\n\xff\n\xfe", &conf), 0);
	assert_int_equal(conf.undecodable, 2);
	assert_int_equal(read_conf(&arena, "\xed\xa0\x80", &conf), 0);
	assert_int_equal(conf.undecodable, 1);
}

static void test_conf_bounds(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 }, tiny = { .limit = 4 };
	static char large[FIREWALLD_CONF_MAX + 1];
	struct firewalld_conf conf;

	assert_int_equal(firewalld_conf_parse("a\0b", 3, &arena, &conf), -EBADMSG);
	memset(large, '#', sizeof(large));
	assert_int_equal(firewalld_conf_parse(large, sizeof(large), &arena, &conf), -EFBIG);
	assert_int_equal(firewalld_conf_parse(large, sizeof(large) - 1, &arena, &conf), 0);
	assert_int_equal(read_conf(&tiny, "DefaultZone=trusted", &conf), -ENOMEM);
}

static int read_zone(struct kc_arena *arena, const char *text, struct firewalld_zone *zone,
		     unsigned *line)
{
	const char *fault;

	return firewalld_zone_parse(text, strlen(text), arena, zone, line, &fault);
}

static void test_zone(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct firewalld_zone zone;
	unsigned line = 0;
	static const char text[] =
		"\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- <zone> -->\n"
		"<zone version='1' target = \"ACCEPT\" >\n"
		" <short>a > b<![CDATA[<interface name=\"no\"/>]]></short>\n"
		" <interface name=\"eth0\"/><interface\n name='eth1'></interface>\n"
		" <source address=\"192.0.2.0/24\"/><source mac=\"00:00:5e:00:53:01\"/>\n"
		" <source ipset=\"bad\"/><source/>\n"
		" <rule><source address=\"198.51.100.1\"/></rule>\n"
		"</zone>\n<!-- end -->\n";
	static const struct {
		const char *name;
		unsigned line;
		bool source;
	} want[] = {
		{ "eth0", 5, false },	     { "eth1", 6, false },
		{ "192.0.2.0/24", 7, true }, { "00:00:5e:00:53:01", 7, true },
		{ "ipset:bad", 8, true },
	};

	assert_int_equal(read_zone(&arena, text, &zone, &line), 0);
	assert_string_equal(zone.target, "ACCEPT");
	assert_int_equal(zone.n_bindings, KC_ARRAY_SIZE(want));
	for (size_t i = 0; i < KC_ARRAY_SIZE(want); i++) {
		assert_string_equal(zone.binding[i].name, want[i].name);
		assert_int_equal(zone.binding[i].line, want[i].line);
		assert_int_equal(zone.binding[i].source, want[i].source);
	}
	assert_int_equal(read_zone(&arena, "<zone/>", &zone, &line), 0);
	assert_null(zone.target);
	assert_int_equal(zone.n_bindings, 0);
}

static void test_zone_malformed(void **state)
{
	static const char *const texts[] = {
		"",
		"\n\n",
		"text",
		"<service/>",
		"<zone>",
		"<zone",
		"<zone/",
		"<zone/><zone/>",
		"<zone></zones>",
		"</zone>",
		"<zone></zone>x",
		"<zone><a></zone></a>",
		"<zone a></zone>",
		"<zone a=></zone>",
		"<zone a=b></zone>",
		"<zone a=\"b></zone>",
		"<zone a=\"<\"></zone>",
		"<zone a=\"1\" a=\"2\"></zone>",
		"<zone a=\"1\"\"></zone>",
		"<zone></zone a=\"1\">",
		"<zone></zone/>",
		"<>",
		"< zone/>",
		"<!-- <zone/>",
		"<?xml <zone/>",
		"<zone><![CDATA[</zone>",
		"<![CDATA[]]><zone/>",
		"<!DOCTYPE zone [<!ENTITY a \"b\">]><zone/>",
		"<zone><interface/></zone>",
		"<zone><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>",
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(texts); i++) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		struct firewalld_zone zone;
		const char *fault = NULL;
		unsigned line = 0;

		assert_int_equal(firewalld_zone_parse(texts[i], strlen(texts[i]), &arena, &zone,
						      &line, &fault),
				 -EBADMSG);
		assert_true(line > 0);
		assert_non_null(fault);
	}
}

static void test_zone_bounds(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 }, tiny = { .limit = 4 };
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	static char large[FIREWALLD_ZONE_MAX + 1];
	struct firewalld_zone zone;
	const char *fault;
	unsigned line;

	assert_int_equal(firewalld_zone_parse("<zone>\0</zone>", 14, &arena, &zone, &line, &fault),
			 -EBADMSG);
	assert_int_equal(firewalld_zone_parse(large, sizeof(large), &arena, &zone, &line, &fault),
			 -EFBIG);
	kc_buf_adds(&b, "<zone>");
	for (size_t i = 0; i < FIREWALLD_BINDINGS_MAX; i++)
		kc_buf_adds(&b, "<interface name=\"a\"/>");
	assert_int_equal(kc_buf_error(&b), 0);
	assert_int_equal(firewalld_zone_parse(b.data, b.len, &arena, &zone, &line, &fault),
			 -EBADMSG);
	kc_buf_adds(&b, "<interface name=\"a\"/>");
	assert_int_equal(firewalld_zone_parse(b.data, b.len, &arena, &zone, &line, &fault), -E2BIG);
	assert_int_equal(read_zone(&tiny, "<zone target=\"ACCEPT\"/>", &zone, &line), -ENOMEM);
	assert_int_equal(read_zone(&tiny, "<zone><interface name=\"a\"/></zone>", &zone, &line),
			 -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conf),	       cmocka_unit_test(test_conf_ignored),
		cmocka_unit_test(test_conf_bounds),    cmocka_unit_test(test_zone),
		cmocka_unit_test(test_zone_malformed), cmocka_unit_test(test_zone_bounds),
	};

	return cmocka_run_group_tests_name("firewalld-files", tests, NULL, NULL);
}
