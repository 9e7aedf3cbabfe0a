/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "formats/boot-loader-entry.h"
#include "formats/grub-config.h"
#include "formats/grub-environment.h"
#include "formats/unified-image.h"
#include "formats/version-order.h"

/* ---- orders ---- */

/* Each is newer than the one before it. */
static void assert_ascending(int (*order)(const char *, const char *), const char *const *versions)
{
	for (size_t i = 0; versions[i]; i++) {
		assert_int_equal(order(versions[i], versions[i]), 0);
		for (size_t j = 0; j < i; j++) {
			if (order(versions[i], versions[j]) <= 0 ||
			    order(versions[j], versions[i]) >= 0)
				fail_msg("%s is not newer than %s", versions[i], versions[j]);
		}
	}
}

static void test_order_blscfg(void **state)
{
	assert_ascending(kc_version_order_blscfg,
			 (const char *const[]){ "4ba-0-rescue", "4ba-4.18.0-80.el8.x86_64",
						"4ba-4.18.0-193.el8.x86_64",
						"4ba-4.18.0-193.28.1.el8_2.x86_64",
						"4ba-5.4.0-1.x86_64", NULL });
	assert_ascending(kc_version_order_blscfg,
			 (const char *const[]){ "a-1.0~rc1-1", "a-1.0-1", "a-1.0+x-1", "a-1.10-1",
						"b-1-1", NULL });
	assert_int_equal(kc_version_order_blscfg("a-1.0-1", "a-1_0-1"), 0);
	assert_int_equal(kc_version_order_blscfg("a-01-1", "a-1-1"), 0);
}

static void test_order_systemd(void **state)
{
	/* The example of the Version Format Specification. */
	assert_ascending(kc_version_order_systemd,
			 (const char *const[]){ "1~rc1", "1", "1-1", "1^git1", "1.1", "11", "12",
						"123", NULL });
	assert_ascending(kc_version_order_systemd,
			 (const char *const[]){ "~", "", "a", "b", "1", NULL });
	assert_ascending(kc_version_order_systemd,
			 (const char *const[]){ "arch-6.1.9.conf", "arch-6.1.10.conf", NULL });
}

/* ---- entries ---- */

static const char centos_entry[] = "title CentOS Linux (4.18.0-193.el8.x86_64) 8 (Core)\n"
				   "version 4.18.0-193.el8.x86_64\n"
				   "linux /vmlinuz-4.18.0-193.el8.x86_64\n"
				   "initrd /initramfs-4.18.0-193.el8.x86_64.img $tuned_initrd\n"
				   "options $kernelopts $tuned_params\n"
				   "id centos-20200513132354-4.18.0-193.el8.x86_64\n"
				   "grub_users $grub_users\n"
				   "grub_arg --unrestricted\n"
				   "grub_class kernel\n";

static void parse_entry(const char *text, enum kc_boot_loader loader, struct kc_arena *arena,
			struct kc_boot_entry *ret_entry)
{
	assert_int_equal(kc_boot_entry_parse("x", text, strlen(text), loader, arena, ret_entry), 0);
}

static void test_entry(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_boot_entry e;

	parse_entry(centos_entry, KC_BOOT_LOADER_GRUB, &arena, &e);
	assert_string_equal(e.title, "CentOS Linux (4.18.0-193.el8.x86_64) 8 (Core)");
	assert_string_equal(e.kernel, "/vmlinuz-4.18.0-193.el8.x86_64");
	assert_string_equal(e.options, "$kernelopts $tuned_params");
	assert_int_equal(e.line, 5);
	assert_null(e.sort_key);
	parse_entry("\ttitle\tA b \r\n# linux /no\n", KC_BOOT_LOADER_GRUB, &arena, &e);
	assert_string_equal(e.title, "A b");
	assert_null(e.kernel);
	assert_null(e.options);
}

static void test_entry_options_repeat(void **state)
{
	static const char text[] = "linux /a\noptions root=/dev/sda ro\n\noptions selinux=0\n";
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_boot_entry e;

	parse_entry(text, KC_BOOT_LOADER_SYSTEMD, &arena, &e);
	assert_string_equal(e.options, "root=/dev/sda ro selinux=0");
	assert_int_equal(e.line, 2);
	/* An empty line ends the file for GRUB. */
	parse_entry(text, KC_BOOT_LOADER_GRUB, &arena, &e);
	assert_string_equal(e.options, "root=/dev/sda ro");
	assert_int_equal(e.n_options, 1);
	parse_entry("options a\noptions b\n", KC_BOOT_LOADER_GRUB, &arena, &e);
	assert_string_equal(e.options, "a");
	assert_int_equal(e.n_options, 2);
	parse_entry("options a\ngrub_users\noptions b\nlinux /x\n", KC_BOOT_LOADER_GRUB, &arena,
		    &e);
	assert_null(e.kernel);
}

static void test_entry_bounds(void **state)
{
	static char large[64 * 1024 + 1];
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_boot_entry e;

	memset(large, 'x', sizeof(large));
	assert_int_equal(
		kc_boot_entry_parse("x", large, sizeof(large), KC_BOOT_LOADER_GRUB, &arena, &e),
		-EFBIG);
	assert_int_equal(kc_boot_entry_parse("x", "a\0b", 3, KC_BOOT_LOADER_GRUB, &arena, &e),
			 -EBADMSG);
}

static void test_entry_order(void **state)
{
	const struct kc_boot_entry key = { .id = "a.conf", .sort_key = "k", .version = "1" };
	const struct kc_boot_entry newer = { .id = "a.conf", .sort_key = "k", .version = "2" };
	const struct kc_boot_entry none = { .id = "z-9.conf" }, older = { .id = "z-8.conf" };
	const struct kc_boot_entry tried = { .id = "z-10.conf", .tried_out = true };

	assert_true(kc_boot_entry_order(&newer, &key, KC_BOOT_LOADER_SYSTEMD) < 0);
	assert_true(kc_boot_entry_order(&key, &none, KC_BOOT_LOADER_SYSTEMD) < 0);
	assert_true(kc_boot_entry_order(&none, &older, KC_BOOT_LOADER_SYSTEMD) < 0);
	assert_true(kc_boot_entry_order(&older, &tried, KC_BOOT_LOADER_SYSTEMD) < 0);
	assert_true(kc_boot_entry_order(&none, &older, KC_BOOT_LOADER_GRUB) < 0);
	assert_true(kc_boot_entry_order(&tried, &none, KC_BOOT_LOADER_GRUB) < 0);
}

static void test_loader_conf(void **state)
{
	static const char text[] =
		"#default no\ntimeout 3\ndefault arch-*.conf\nconsole-mode max\n";
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	const char *value;
	unsigned line;

	assert_int_equal(
		kc_loader_conf_get(text, sizeof(text) - 1, "default", &arena, &value, &line), 0);
	assert_string_equal(value, "arch-*.conf");
	assert_int_equal(line, 3);
	assert_int_equal(kc_loader_conf_get("default\n", 8, "default", &arena, &value, &line), 0);
	assert_null(value);
}

/* ---- the environment block ---- */

static const char centos_block[] =
	"# GRUB Environment Block\n"
	"saved_entry=4ba-4.18.0-193.el8.x86_64\n"
	"kernelopts=root=/dev/mapper/cl-root ro crashkernel=auto rhgb quiet \n"
	"boot_success=0\n"
	"####################";

static void parse_block(const char *text, struct kc_arena *arena,
			struct kc_grub_environment *ret_environment)
{
	assert_int_equal(kc_grub_environment_parse(text, strlen(text), arena, ret_environment), 0);
}

static void test_environment(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	const struct kc_grub_variable *v;
	struct kc_grub_environment e;

	parse_block(centos_block, &arena, &e);
	assert_int_equal(e.n, 3);
	v = kc_grub_environment_get(&e, "kernelopts");
	assert_string_equal(v->value, "root=/dev/mapper/cl-root ro crashkernel=auto rhgb quiet ");
	assert_int_equal(v->line, 3);
	assert_null(kc_grub_environment_get(&e, "next_entry"));
	parse_block("# GRUB Environment Block\na=b\\\\c\\\nd\ne=\nrubbish\nf=1", &arena, &e);
	assert_string_equal(kc_grub_environment_get(&e, "a")->value, "b\\c\nd");
	assert_string_equal(kc_grub_environment_get(&e, "e")->value, "");
	assert_int_equal(kc_grub_environment_get(&e, "e")->line, 4);
	assert_int_equal(kc_grub_environment_get(&e, "f")->line, 6);
	assert_int_equal(e.n, 3);
}

static void test_environment_malformed(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_grub_environment e;

	assert_int_equal(kc_grub_environment_parse("a=b\n", 4, &arena, &e), -EBADMSG);
	assert_int_equal(kc_grub_environment_parse("", 0, &arena, &e), -EBADMSG);
}

/* ---- grub.cfg ---- */

/* What every grub.cfg of GRUB's own tools begins with. */
#define HEAD                                                           \
	"if [ -s $prefix/grubenv ]; then\n"                            \
	"  set have_grubenv=true\n  load_env\nfi\n"                    \
	"if [ \"${next_entry}\" ] ; then\n"                            \
	"   set default=\"${next_entry}\"\n   set next_entry=\n"       \
	"   save_env next_entry\n   set boot_once=true\nelse\n"        \
	"   set default=\"%s\"\nfi\n"                                  \
	"if [ x\"${feature_menuentry_id}\" = xy ]; then\n"             \
	"  menuentry_id_option=\"--id\"\nelse\n"                       \
	"  menuentry_id_option=\"\"\nfi\nexport menuentry_id_option\n" \
	"if [ \"${prev_saved_entry}\" ]; then\n"                       \
	"  set saved_entry=\"${prev_saved_entry}\"\nfi\n"              \
	"function savedefault {\n  if [ -z \"${boot_once}\" ]; then\n" \
	"    saved_entry=\"${chosen}\"\n    save_env saved_entry\n  fi\n}\n"

static const char debian_menu[] =
	"menuentry 'Debian GNU/Linux' --class debian --class gnu-linux --class os "
	"$menuentry_id_option 'gnulinux-simple-1f' {\n"
	"\tload_video\n\tinsmod gzio\n"
	"\tif [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi\n"
	"\tset root='hd0,gpt2'\n"
	"\techo\t'Loading Linux 6.1.0-13-amd64 ...'\n"
	"\tlinux\t/boot/vmlinuz-6.1.0-13-amd64 root=UUID=1f ro  quiet\n"
	"\tinitrd\t/boot/initrd.img-6.1.0-13-amd64\n}\n"
	"submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option "
	"'gnulinux-advanced-1f' {\n"
	"\tmenuentry 'Debian GNU/Linux, with Linux 6.1.0-13-amd64' $menuentry_id_option "
	"'gnulinux-6.1.0-13-amd64-advanced-1f' {\n"
	"\t\tlinux\t/boot/vmlinuz-6.1.0-13-amd64 root=UUID=1f ro  quiet\n\t}\n"
	"\tmenuentry 'Debian GNU/Linux, with Linux 6.1.0-10-amd64' $menuentry_id_option "
	"'gnulinux-6.1.0-10-amd64-advanced-1f' {\n"
	"\t\tlinux\t/boot/vmlinuz-6.1.0-10-amd64 root=UUID=1f ro selinux=0\n\t}\n"
	"}\n"
	"if [ \"$grub_platform\" = \"efi\" ]; then\n"
	"\tfwsetup --is-supported\n\tif [ \"$?\" = 0 ]; then\n"
	"\t\tmenuentry 'UEFI Firmware Settings' $menuentry_id_option 'uefi-firmware' {\n"
	"\t\t\tfwsetup\n\t\t}\n\tfi\nfi\n";

struct menu {
	struct kc_arena arena;
	struct kc_grub_boot boot;
	int r;
};

static void menu_done(struct menu *menu)
{
	kc_arena_done(&menu->arena);
}

/* Runs a whole script with a block, or none, and entries. */
static void run_menu(struct menu *menu, const char *text, const char *block,
		     const struct kc_boot_entry *entries, size_t n)
{
	struct kc_grub_environment environment;

	if (block)
		parse_block(block, &menu->arena, &environment);
	menu->r = kc_grub_config_default(text, strlen(text), block ? &environment : NULL, entries,
					 n, &menu->arena, &menu->boot);
}

/* The head with that default, and the menu. */
static const char *with_head(struct menu *menu, const char *wanted, const char *rest)
{
	char *head = kc_arena_printf(&menu->arena, HEAD, wanted);

	return kc_arena_printf(&menu->arena, "%s%s", head, rest);
}

static void test_debian(void **state)
{
	kc_cleanup(menu_done) struct menu m = { 0 };

	run_menu(&m, with_head(&m, "0", debian_menu), NULL, NULL, 0);
	assert_int_equal(m.r, 0);
	assert_string_equal(m.boot.title, "Debian GNU/Linux");
	assert_string_equal(m.boot.kernel, "/boot/vmlinuz-6.1.0-13-amd64");
	assert_string_equal(m.boot.options, "root=UUID=1f ro quiet");
	assert_int_equal(m.boot.line, 34);
	assert_false(m.boot.missing);
	assert_false(m.boot.uncertain);
	assert_null(m.boot.unexpanded);
}

static void test_submenu(void **state)
{
	static const char *const wanted[] = {
		"1>1", "gnulinux-advanced-1f>gnulinux-6.1.0-10-amd64-advanced-1f",
		"Advanced options for Debian GNU/Linux>Debian GNU/Linux, with Linux 6.1.0-10-amd64"
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(wanted); i++) {
		kc_cleanup(menu_done) struct menu m = { 0 };

		run_menu(&m, with_head(&m, wanted[i], debian_menu), NULL, NULL, 0);
		assert_int_equal(m.r, 0);
		assert_string_equal(m.boot.options, "root=UUID=1f ro selinux=0");
		assert_false(m.boot.missing);
	}
}

static void test_saved_and_next(void **state)
{
	kc_cleanup(menu_done) struct menu m = { 0 };

	run_menu(&m, with_head(&m, "${saved_entry}", debian_menu),
		 "# GRUB Environment Block\nsaved_entry=1>1\n", NULL, 0);
	assert_string_equal(m.boot.options, "root=UUID=1f ro selinux=0");
	run_menu(&m, with_head(&m, "0", debian_menu), "# GRUB Environment Block\nnext_entry=1>1\n",
		 NULL, 0);
	assert_string_equal(m.boot.options, "root=UUID=1f ro selinux=0");
	assert_string_equal(m.boot.wanted, "1>1");
	/* An item that is gone: the first. */
	run_menu(&m, with_head(&m, "${saved_entry}", debian_menu),
		 "# GRUB Environment Block\nsaved_entry=gone\n", NULL, 0);
	assert_string_equal(m.boot.title, "Debian GNU/Linux");
	assert_true(m.boot.missing);
	run_menu(&m, with_head(&m, "9", debian_menu), NULL, NULL, 0);
	assert_true(m.boot.missing);
}

static void test_depends_on_the_machine(void **state)
{
	kc_cleanup(menu_done) struct menu m = { 0 };

	run_menu(&m, with_head(&m, "2", debian_menu), NULL, NULL, 0);
	assert_int_equal(m.r, 0);
	assert_string_equal(m.boot.title, "UEFI Firmware Settings");
	assert_true(m.boot.uncertain);
	assert_null(m.boot.kernel);
	run_menu(&m, "menuentry a {\nif [ -e /x ]; then\nlinux /k one\nelse\nlinux /k two\nfi\n}\n",
		 NULL, NULL, 0);
	assert_true(m.boot.uncertain);
	run_menu(&m, "menuentry a {\nlinux /k root=$root ${cmdpath}x $unset end\n}\n", NULL, NULL,
		 0);
	assert_string_equal(m.boot.unexpanded, "$root, $cmdpath");
	assert_string_equal(m.boot.options, "root= x end");
}

/* As Ubuntu 24.04 writes it. */
static void test_ubuntu(void **state)
{
	static const char text[] =
		"function recordfail {\n  set recordfail=1\n"
		"  if [ -n \"${have_grubenv}\" ]; then if [ -z \"${boot_once}\" ]; then "
		"save_env recordfail; fi; fi\n}\n"
		"function gfxmode {\n\tset gfxpayload=\"${1}\"\n"
		"\tif [ \"${1}\" = \"keep\" ]; then\n\t\tset vt_handoff=vt.handoff=7\n"
		"\telse\n\t\tset vt_handoff=\n\tfi\n}\n"
		"set linux_gfx_mode=keep\nexport linux_gfx_mode\n"
		"menuentry 'Ubuntu' --class ubuntu $menuentry_id_option 'gnulinux-simple-9' {\n"
		"\trecordfail\n\tload_video\n\tgfxmode $linux_gfx_mode\n"
		"\tif [ \"${initrdfail}\" = 1 ]; then\n"
		"\t  linux\t/vmlinuz-6.8.0-31-generic root=/dev/mapper/u panic=1\n"
		"\telse\n"
		"\t  linux\t/vmlinuz-6.8.0-31-generic root=/dev/mapper/u ro  quiet splash "
		"$vt_handoff\n"
		"\tfi\n}\n";
	kc_cleanup(menu_done) struct menu m = { 0 };

	run_menu(&m, with_head(&m, "0", text), NULL, NULL, 0);
	assert_int_equal(m.r, 0);
	assert_string_equal(m.boot.options, "root=/dev/mapper/u ro quiet splash vt.handoff=7");
	assert_false(m.boot.uncertain);
	assert_null(m.boot.unexpanded);
}

/* As openSUSE Leap 15.5 writes it. */
static void test_suse(void **state)
{
	static const char text[] =
		"set btrfs_relative_path=\"y\"\nexport btrfs_relative_path\n"
		"if [ -f ${config_directory}/grubenv ]; then\n"
		"  load_env -f ${config_directory}/grubenv\n"
		"elif [ -s $prefix/grubenv ]; then\n  load_env\nfi\n"
		"if [ \"${env_block}\" ] ; then\n  set env_block=\"(${root})${env_block}\"\n"
		"  load_env -f \"${env_block}\"\nfi\n"
		"if [ \"${next_entry}\" ] ; then\n   set default=\"${next_entry}\"\n"
		"else\n   set default=\"${saved_entry}\"\nfi\n"
		"menuentry 'openSUSE Leap 15.5'  --class opensuse $menuentry_id_option "
		"'gnulinux-simple-3' {\n"
		"\tlinux\t/boot/vmlinuz-5.14.21-150500.53-default root=UUID=3  "
		"${extra_cmdline} splash=silent \"dyndbg=file x +p\" security=apparmor\n}\n";
	kc_cleanup(menu_done) struct menu m = { 0 };

	run_menu(&m, text, "# GRUB Environment Block\n", NULL, 0);
	assert_int_equal(m.r, 0);
	assert_string_equal(m.boot.options,
			    "root=UUID=3 splash=silent \"dyndbg=file x +p\" security=apparmor");
	run_menu(&m, text,
		 "# GRUB Environment Block\nextra_cmdline=a b\nsaved_entry=openSUSE Leap 15.5\n",
		 NULL, 0);
	assert_string_equal(m.boot.options, "root=UUID=3 a b splash=silent \"dyndbg=file x +p\" "
					    "security=apparmor");
	assert_false(m.boot.missing);
}

static const struct kc_boot_entry centos_entries[] = {
	{ .id = "4ba-4.18.0-240.el8.x86_64",
	  .title = "CentOS Linux (4.18.0-240.el8.x86_64) 8",
	  .kernel = "/vmlinuz-4.18.0-240.el8.x86_64",
	  .options = "$kernelopts $tuned_params selinux=1" },
	{ .id = "4ba-4.18.0-193.el8.x86_64",
	  .title = "CentOS Linux (4.18.0-193.el8.x86_64) 8 (Core)",
	  .kernel = "/vmlinuz-4.18.0-193.el8.x86_64",
	  .options = "$kernelopts $tuned_params" },
};

static const char centos_config[] =
	"if [ -f ${config_directory}/grubenv ]; then\n"
	"  load_env -f ${config_directory}/grubenv\nelif [ -s $prefix/grubenv ]; then\n"
	"  load_env\nfi\n"
	"if [ \"${next_entry}\" ] ; then\n   set default=\"${next_entry}\"\n"
	"   set next_entry=\n   save_env next_entry\n   set boot_once=true\n"
	"else\n   set default=\"${saved_entry}\"\nfi\n"
	"if [ -z \"${kernelopts}\" ]; then\n"
	"  set kernelopts=\"root=/dev/fallback ro \"\nfi\n"
	"insmod blscfg\nblscfg\n"
	"if [ \"${boot_success}\" = \"1\" -o \"${boot_indeterminate}\" = \"1\" ]; then\n"
	"  set menu_hide_ok=1\nelse\n  set menu_hide_ok=0 \nfi\n";

static void test_blscfg(void **state)
{
	kc_cleanup(menu_done) struct menu m = { 0 };

	run_menu(&m, centos_config, centos_block, centos_entries, 2);
	assert_int_equal(m.r, 0);
	assert_ptr_equal(m.boot.entry, &centos_entries[1]);
	assert_string_equal(m.boot.options,
			    "root=/dev/mapper/cl-root ro crashkernel=auto rhgb quiet  ");
	assert_string_equal(m.boot.from.name, "kernelopts");
	assert_true(m.boot.from.in_environment);
	assert_int_equal(m.boot.from.line, 3);
	assert_int_equal(m.boot.line, 0);
	/* Neither a saved entry nor options: the first, and what grub.cfg has for them. */
	run_menu(&m, centos_config, "# GRUB Environment Block\n", centos_entries, 2);
	assert_ptr_equal(m.boot.entry, &centos_entries[0]);
	assert_string_equal(m.boot.options, "root=/dev/fallback ro  selinux=1");
	assert_false(m.boot.from.in_environment);
	assert_int_equal(m.boot.from.line, 15);
	run_menu(&m, centos_config, "# GRUB Environment Block\nsaved_entry=1\n", centos_entries, 2);
	assert_ptr_equal(m.boot.entry, &centos_entries[1]);
	/* Not a number, though it begins with one. */
	run_menu(&m, centos_config, "# GRUB Environment Block\nsaved_entry=1x\n", centos_entries,
		 2);
	assert_ptr_equal(m.boot.entry, &centos_entries[0]);
	assert_true(m.boot.missing);
}

static void test_blscfg_default_options(void **state)
{
	static const struct kc_boot_entry bare = { .id = "a", .kernel = "/k" };
	kc_cleanup(menu_done) struct menu m = { 0 };

	run_menu(&m, "set default_kernelopts=\"ro quiet\"\nblscfg\n", NULL, &bare, 1);
	assert_string_equal(m.boot.options, "ro quiet ");
	run_menu(&m, "blscfg\n", NULL, NULL, 0);
	assert_int_equal(m.r, -ENOENT);
}

static void test_no_menu(void **state)
{
	static const char stub[] =
		"search --no-floppy --fs-uuid --set=dev 7f\nset prefix=($dev)/grub2\n"
		"export $prefix\nconfigfile $prefix/grub.cfg\n";
	kc_cleanup(menu_done) struct menu m = { 0 };

	run_menu(&m, stub, NULL, NULL, 0);
	assert_int_equal(m.r, -ENOENT);
	run_menu(&m, "", NULL, NULL, 0);
	assert_int_equal(m.r, -ENOENT);
}

static void test_conditions(void **state)
{
	static const struct {
		const char *condition;
		const char *options;
	} cases[] = {
		{ "[ a = a ]", "yes" },
		{ "[ a == b ]", "no" },
		{ "[ a != b ]", "yes" },
		{ "! [ a = a ]", "no" },
		{ "[ ! a = a ]", "no" },
		{ "[ -z \"$none\" ]", "yes" },
		{ "[ -n \"$none\" ]", "no" },
		{ "[ \"$none\" ]", "no" },
		{ "[ ]", "no" },
		{ "[ a = b -o a = a ]", "yes" },
		{ "[ a = b -o a = a -a c = d ]", "no" },
		{ "[ -n \"x\" -a \"y\" = \"y\" ]", "yes" },
		{ "test a = a", "yes" },
		{ "true", "yes" },
		{ "false", "no" },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(cases); i++) {
		kc_cleanup(menu_done) struct menu m = { 0 };

		run_menu(&m,
			 kc_arena_printf(&m.arena,
					 "menuentry 'a' {\nif %s; then linux /k yes; else linux /k "
					 "no; fi\n}\n",
					 cases[i].condition),
			 NULL, NULL, 0);
		assert_int_equal(m.r, 0);
		if (!kc_streq(m.boot.options, cases[i].options) || m.boot.uncertain)
			fail_msg("%s comes to %s", cases[i].condition, m.boot.options);
	}
}

static void test_quoting(void **state)
{
	kc_cleanup(menu_done) struct menu m = { 0 };

	run_menu(&m,
		 "menuentry 'It'\\''s \"x\"' --id=\"i>d\" {\n linux16 /k a\\ b 'c' \"d\\\"e\" \\\n "
		 "f "
		 "# no\n}\nset default='i>>d'\n",
		 NULL, NULL, 0);
	assert_int_equal(m.r, 0);
	assert_string_equal(m.boot.title, "It's \"x\"");
	assert_string_equal(m.boot.options, "\"a b\" c d\\\"e f");
	assert_false(m.boot.missing);
}

static void test_malformed(void **state)
{
	static const char *const texts[] = { "menuentry 'a' {\nlinux /k\n", "if [ a = a ]; then\n",
					     "menuentry\n", "if x\nfi\n", "while true; do\nfi\n" };

	for (size_t i = 0; i < KC_ARRAY_SIZE(texts); i++) {
		kc_cleanup(menu_done) struct menu m = { 0 };

		run_menu(&m, texts[i], NULL, NULL, 0);
		assert_int_equal(m.r, -EBADMSG);
	}
}

/* Doubling a variable over and over, and functions that call themselves, come to an end. */
static void test_bombs(void **state)
{
	kc_cleanup(menu_done) struct menu m = { .arena = { .limit = 256 << 20 } };
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };

	run_menu(&m, "function f {\nf\nf\n}\nf\nmenuentry a {\nlinux /k\n}\n", NULL, NULL, 0);
	assert_int_equal(m.r, -E2BIG);
	kc_buf_adds(&text, "set a=xxxxxxxxxxxxxxxx\n");
	for (size_t i = 0; i < 40; i++)
		kc_buf_adds(&text, "set a=$a$a\n");
	run_menu(&m, text.data, NULL, NULL, 0);
	assert_int_equal(m.r, -E2BIG);
	/* A function of one long comment, called again and again. */
	kc_buf_reset(&text);
	kc_buf_adds(&text, "function f {\n#");
	for (size_t i = 0; i < 512 * 1024; i++)
		kc_buf_addc(&text, 'x');
	kc_buf_adds(&text, "\n}\n");
	for (size_t i = 0; i < 1000; i++)
		kc_buf_adds(&text, "f\n");
	run_menu(&m, text.data, NULL, NULL, 0);
	assert_int_equal(m.r, -E2BIG);
}

/* ---- unified kernel images ---- */

static void put_u32(uint8_t *p, uint32_t value)
{
	for (size_t i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

/* The headers of an image with .osrel and .cmdline, as objcopy lays them out. */
static void make_image(uint8_t *image)
{
	uint8_t *section = image + 0x80 + 24 + 0xf0;

	memcpy(image, "MZ", 2);
	put_u32(image + 0x3c, 0x80);
	memcpy(image + 0x80, "PE\0\0", 4);
	image[0x80 + 6] = 2;
	image[0x80 + 20] = 0xf0;
	memcpy(section, ".osrel", 6);
	memcpy(section + 40, ".cmdline", 8);
	put_u32(section + 40 + 8, 10);
	put_u32(section + 40 + 16, 512);
	put_u32(section + 40 + 20, 0x400);
}

static void test_unified_image(void **state)
{
	uint8_t image[1024] = { 0 }, *size = image + 0x80 + 24 + 0xf0 + 40 + 16;
	struct kc_unified_section section;

	make_image(image);
	assert_int_equal(kc_unified_image_find(image, sizeof(image), ".cmdline", &section), 0);
	assert_int_equal(section.offset, 0x400);
	assert_int_equal(section.size, 10);
	assert_int_equal(kc_unified_image_find(image, sizeof(image), ".cmd", &section), -ENOENT);
	assert_int_equal(kc_unified_image_find(image, sizeof(image), ".toolongname", &section),
			 -ENOENT);
	/* A linker that leaves the size in memory at 0. */
	put_u32(size - 8, 0);
	assert_int_equal(kc_unified_image_find(image, sizeof(image), ".cmdline", &section), 0);
	assert_int_equal(section.size, 512);
	put_u32(size, 64 * 1024 + 1);
	assert_int_equal(kc_unified_image_find(image, sizeof(image), ".cmdline", &section), -EFBIG);
}

static void test_unified_image_malformed(void **state)
{
	struct kc_unified_section section;
	uint8_t image[1024] = { 0 };

	assert_int_equal(kc_unified_image_find(image, sizeof(image), ".cmdline", &section),
			 -EBADMSG);
	make_image(image);
	/* Cut at any place before the end of the table. */
	for (size_t n = 0; n < 0x80 + 24 + 0xf0 + 80; n++)
		assert_int_equal(kc_unified_image_find(image, n, ".cmdline", &section), -EBADMSG);
	put_u32(image + 0x3c, UINT32_MAX);
	assert_int_equal(kc_unified_image_find(image, sizeof(image), ".cmdline", &section),
			 -EBADMSG);
	make_image(image);
	image[0x80 + 7] = 0xff;
	assert_int_equal(kc_unified_image_find(image, sizeof(image), ".cmdline", &section),
			 -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_blscfg),
		cmocka_unit_test(test_order_systemd),
		cmocka_unit_test(test_entry),
		cmocka_unit_test(test_entry_options_repeat),
		cmocka_unit_test(test_entry_bounds),
		cmocka_unit_test(test_entry_order),
		cmocka_unit_test(test_loader_conf),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_environment_malformed),
		cmocka_unit_test(test_debian),
		cmocka_unit_test(test_submenu),
		cmocka_unit_test(test_saved_and_next),
		cmocka_unit_test(test_depends_on_the_machine),
		cmocka_unit_test(test_ubuntu),
		cmocka_unit_test(test_suse),
		cmocka_unit_test(test_blscfg),
		cmocka_unit_test(test_blscfg_default_options),
		cmocka_unit_test(test_no_menu),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_quoting),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_unified_image),
		cmocka_unit_test(test_unified_image_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
