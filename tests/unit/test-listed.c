/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "formats/crio-config.h"
#include "formats/kubelet-config.h"
#include "root-place.h"
#include "run/host.h"

/*
 * Files that a folder names and that are not there when they are read: what others write and rename
 * while a node is looked at must not be judged as a fault of the node.
 */

#define UNIT "[Service]\nExecStart=/usr/bin/%s --config-dir /etc/drop.d\n"

struct scene {
	struct kc_root *root;
	struct kc_run run;
	struct kc_arena arena;
	struct kc_host host;
};

/* The names of a folder, and in the drop-in folder one that is gone already. */
static int list_one_more(struct kc_run *run, const char *path, struct kc_strings *ret_names)
{
	int r = kc_host_table.list_dir(run, path, ret_names);
	const char **names;

	if (r < 0 || !kc_streq(path, "/etc/drop.d"))
		return r;
	names = kc_host_table.alloc(run, (ret_names->n + 2) * sizeof(*names));
	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < ret_names->n; i++)
		names[i] = ret_names->item[i];
	names[ret_names->n] = "60-gone.conf";
	ret_names->item = names;
	ret_names->n++;
	return 0;
}

static void answer_nothing(void *context, const struct kc_question *question,
			   struct kc_arena *arena, struct kc_answer *ret_answer)
{
	kc_answer_fail(ret_answer, arena, -ENOTCONN, "there is no bus in a test");
}

static void begin(const struct place *p, struct scene *s)
{
	*s = (struct scene){ .root = open_root(p->root, 0), .host = kc_host_table };
	s->host.list_dir = list_one_more;
	s->run = (struct kc_run){
		.root = s->root,
		.horizons = KC_BOOT,
		.deadline_usec = kc_now_usec() + 60 * UINT64_C(1000000),
		.ask = answer_nothing,
	};
}

static void scene_done(struct scene *s)
{
	kc_run_done(&s->run);
	kc_root_free(s->root);
	kc_arena_done(&s->arena);
}

static void put_unit(const struct place *p, const char *program)
{
	kc_cleanup(kc_freep) char *name = kc_asprintf("etc/systemd/system/%s.service", program);
	kc_cleanup(kc_freep) char *text = kc_asprintf(UNIT, program);

	folder(p->root, "etc/systemd");
	folder(p->root, "etc/systemd/system");
	put(p->root, name, text);
	folder(p->root, "etc/drop.d");
}

static void test_crio(void **state)
{
	struct place *p = *state;
	kc_cleanup(scene_done) struct scene s = { 0 };
	struct kc_crio_config *config;

	put_unit(p, "crio");
	begin(p, &s);
	assert_int_equal(kc_crio_config_load(&s.host, &s.run, &s.arena, 18, &config), 0);
	assert_null(config->refused);
	assert_non_null(config->unseen);
	assert_string_equal(config->unseen->source, "/etc/drop.d/60-gone.conf");
	assert_string_equal(config->unseen->text, KC_CAME_OR_WENT);
}

static void test_crio_link(void **state)
{
	struct place *p = *state;
	kc_cleanup(scene_done) struct scene s = { 0 };
	struct kc_crio_config *config;

	put_unit(p, "crio");
	link_to(p->root, "etc/drop.d/60-gone.conf", "/nowhere");
	begin(p, &s);
	assert_int_equal(kc_crio_config_load(&kc_host_table, &s.run, &s.arena, 18, &config), 0);
	assert_null(config->unseen);
	assert_non_null(config->refused);
	assert_string_equal(config->refused->source, "/etc/drop.d/60-gone.conf");
}

/* More than are read: nothing is certain, whichever of them it is. */
static void test_crio_many(void **state)
{
	struct place *p = *state;
	kc_cleanup(scene_done) struct scene s = { 0 };
	struct kc_crio_config *config;
	char name[64];

	put_unit(p, "crio");
	for (unsigned i = 0; i < KC_CRIO_FILES_MAX + 2; i++) {
		(void)snprintf(name, sizeof(name), "etc/drop.d/%04u.conf", i);
		put(p->root, name, "");
	}
	begin(p, &s);
	assert_int_equal(kc_crio_config_load(&kc_host_table, &s.run, &s.arena, 18, &config), 0);
	assert_non_null(config->unseen);
	assert_string_equal(config->unseen->source, "/etc/drop.d");
	assert_non_null(strstr(config->unseen->text, "more than 1024"));
}

static void test_kubelet(void **state)
{
	struct place *p = *state;
	kc_cleanup(scene_done) struct scene s = { 0 };
	struct kc_kubelet_config config;

	put_unit(p, "kubelet");
	begin(p, &s);
	assert_int_equal(kc_kubelet_boot(&s.host, &s.run, &s.arena, "1.30.0", &config), 0);
	assert_null(config.refusal);
	assert_non_null(config.unread);
	assert_string_equal(config.unread, KC_CAME_OR_WENT);
	assert_string_equal(config.unread_source, "/etc/drop.d/60-gone.conf");
}

static void test_kubelet_link(void **state)
{
	struct place *p = *state;
	kc_cleanup(scene_done) struct scene s = { 0 };
	struct kc_kubelet_config config;

	put_unit(p, "kubelet");
	link_to(p->root, "etc/drop.d/60-gone.conf", "/nowhere");
	begin(p, &s);
	assert_int_equal(kc_kubelet_boot(&kc_host_table, &s.run, &s.arena, "1.30.0", &config), 0);
	assert_null(config.unread);
	assert_non_null(config.refusal);
	assert_non_null(strstr(config.refusal, "the link leads nowhere"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(test_crio),	  PLACE_TEST(test_crio_link),	 PLACE_TEST(test_crio_many),
		PLACE_TEST(test_kubelet), PLACE_TEST(test_kubelet_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
