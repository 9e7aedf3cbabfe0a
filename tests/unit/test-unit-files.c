/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "formats/unit.h"
#include "run/host.h"

/* A root in a folder of its own, looked at through the real table of services. */
struct fixture {
	char path[64];
	struct kc_root *root;
	struct kc_run run;
	struct kc_arena arena;
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct kc_err err;

	assert_non_null(f);
	strncpy(f->path, "/tmp/kc-unit-XXXXXX", sizeof(f->path) - 1);
	assert_non_null(mkdtemp(f->path));
	assert_int_equal(kc_root_open(f->path, 0, &err, &f->root), 0);
	f->run = (struct kc_run){
		.root = f->root,
		.horizons = KC_BOOT,
		.deadline_usec = kc_now_usec() + 60 * 1000000,
	};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	kc_run_done(&f->run);
	kc_root_free(f->root);
	kc_arena_done(&f->arena);
	assert_int_equal(nftw(f->path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	free(f);
	return 0;
}

/* The path on this machine of one below the root, its folders made. */
static char *on_disk(struct fixture *f, const char *path)
{
	char *full = kc_asprintf("%s%s", f->path, path);

	assert_non_null(full);
	for (char *slash = full + strlen(f->path) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(full, 0755) < 0)
			assert_int_equal(errno, EEXIST);
		*slash = '/';
	}
	return full;
}

static void put_bytes(struct fixture *f, const char *path, const char *data, size_t n)
{
	kc_cleanup(kc_freep) char *full = on_disk(f, path);
	int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(kc_write_all(fd, data, n), 0);
	(void)kc_close(fd);
}

static void put(struct fixture *f, const char *path, const char *text)
{
	put_bytes(f, path, text, strlen(text));
}

static void put_link(struct fixture *f, const char *path, const char *target)
{
	kc_cleanup(kc_freep) char *full = on_disk(f, path);

	assert_int_equal(symlink(target, full), 0);
}

static void put_sample(struct fixture *f, const char *path, const char *sample)
{
	kc_cleanup(kc_freep) char *from =
		kc_asprintf("%s/samples/%s", getenv("KC_TEST_DATA"), sample);
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	int fd;

	assert_non_null(from);
	fd = open(from, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(kc_read_all(fd, 1 << 20, &b), 0);
	(void)kc_close(fd);
	put_bytes(f, path, b.data, b.len);
}

static const struct kc_unit_file *load(struct fixture *f, const char *name)
{
	const struct kc_unit_file *unit = NULL;

	assert_int_equal(kc_unit_file_load(&kc_host_table, &f->run, &f->arena, name, &unit), 0);
	assert_non_null(unit);
	return unit;
}

static struct kc_service_command command(struct fixture *f, const char *name)
{
	struct kc_service_command service;

	assert_int_equal(kc_unit_service_command(&kc_host_table, &f->run, &f->arena, load(f, name),
						 &service),
			 0);
	return service;
}

/* Holds the words of a command against a NULL-terminated list. */
static void assert_words(const struct kc_command *command, const char *const *words)
{
	for (size_t i = 0; i < command->n || words[i]; i++) {
		assert_non_null(words[i]);
		assert_true(i < command->n);
		assert_string_equal(command->word[i].text, words[i]);
	}
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Writes a service with these lines and holds the words of its command. */
static void assert_service(struct fixture *f, const char *lines, const char *const *words)
{
	kc_cleanup(kc_freep) char *text = kc_asprintf("[Service]\n%s\n", lines);
	struct kc_service_command service;

	put(f, "/etc/systemd/system/x-y@a\\x2db-c.service", text);
	service = command(f, "x-y@a\\x2db-c.service");
	if (service.fault)
		fail_msg("%s: %s", lines, service.fault);
	assert_words(&service.command, words);
}

static void assert_service_fault(struct fixture *f, const char *lines, const char *fault)
{
	kc_cleanup(kc_freep) char *text = kc_asprintf("[Service]\n%s\n", lines);
	struct kc_service_command service;

	put(f, "/etc/systemd/system/fault.service", text);
	service = command(f, "fault.service");
	assert_non_null(service.fault);
	assert_non_null(strstr(service.fault, fault));
}

/* ---- parser ---- */

static struct kc_unit_setting *parse(struct fixture *f, const char *text, size_t size,
				     size_t *ret_n)
{
	struct kc_unit_setting *settings = NULL;

	assert_int_equal(kc_unit_file_parse("f", text, size, &f->arena, &settings, ret_n), 0);
	return settings;
}

static void test_parse_lines(void **state)
{
	static const char text[] = "Lost=1\n"
				   "[Unit]\n"
				   "# comment\n; another\n"
				   "  Description = a = b  \n"
				   "=nothing\nno equals sign\n"
				   "[X-Mine]\r\nKey=with CR\r\n"
				   "[Service]\n"
				   "ExecStart=/bin/a \\\n"
				   "# within\n"
				   "   b \\\n"
				   "c\n"
				   "Even=\\\\\n"
				   "Last=no newline \\";
	struct fixture *f = *state;
	struct kc_unit_setting *s;
	size_t n;

	s = parse(f, text, sizeof(text) - 1, &n);
	assert_int_equal(n, 5);
	assert_string_equal(s[0].section, "Unit");
	assert_string_equal(s[0].key, "Description");
	assert_string_equal(s[0].value, "a = b");
	assert_int_equal(s[0].place.line, 5);
	assert_string_equal(s[1].section, "X-Mine");
	assert_string_equal(s[1].value, "with CR");
	assert_string_equal(s[2].key, "ExecStart");
	assert_string_equal(s[2].value, "/bin/a     b  c");
	assert_int_equal(s[2].place.line, 11);
	assert_string_equal(s[3].value, "\\\\");
	assert_string_equal(s[4].value, "no newline");
}

static void test_parse_odd_bytes(void **state)
{
	static const char bom[] = "\xef\xbb\xbf[Unit]\nA=1\n";
	static const char nul[] = "[Unit]\nA=1\0B=2\rC=3";
	struct fixture *f = *state;
	struct kc_unit_setting *s;
	size_t n;

	s = parse(f, bom, sizeof(bom) - 1, &n);
	assert_int_equal(n, 1);
	assert_string_equal(s[0].key, "A");
	s = parse(f, nul, sizeof(nul) - 1, &n);
	assert_int_equal(n, 3);
	assert_string_equal(s[0].value, "1");
	assert_string_equal(s[1].value, "2");
	assert_string_equal(s[2].value, "3");
	(void)parse(f, "", 0, &n);
	assert_int_equal(n, 0);
}

static void test_parse_refused(void **state)
{
	static const char *const texts[] = { "[Unit\nA=1\n", "[Un\"it]\n", "[Unit]\nA=\xff\n",
					     "[" };
	struct fixture *f = *state;
	struct kc_unit_setting *s;
	size_t n;

	for (size_t i = 0; i < KC_ARRAY_SIZE(texts); i++)
		assert_int_equal(
			kc_unit_file_parse("f", texts[i], strlen(texts[i]), &f->arena, &s, &n),
			-EBADMSG);
}

/* Many continued lines cost as many steps, not the square of them. */
static void test_parse_many_lines(void **state)
{
	static char text[1 << 20];
	struct fixture *f = *state;
	struct kc_unit_setting *s;
	size_t n = (size_t)snprintf(text, sizeof(text), "[A]\nB=");

	while (n + 2 < sizeof(text)) {
		text[n++] = '\\';
		text[n++] = '\n';
	}
	s = parse(f, text, n, &n);
	assert_int_equal(n, 1);
	assert_string_equal(s[0].value, "");
}

/* ---- environment files ---- */

static void assert_environment(struct fixture *f, const char *text, const char *const *expected)
{
	struct kc_environment_variable *v = NULL;
	size_t n = 0, wanted = kc_strv_len(expected) / 2;

	assert_int_equal(kc_environment_file_parse("f", text, strlen(text), &f->arena, &v, &n), 0);
	assert_int_equal(n, wanted);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(v[i].name, expected[2 * i]);
		assert_string_equal(v[i].value, expected[2 * i + 1]);
	}
}

static void test_environment_file(void **state)
{
	struct fixture *f = *state;

	assert_environment(f, "A=b\nC=d", WORDS("A", "b", "C", "d"));
	assert_environment(f, " A  =  b c  \n", WORDS("A", "b c"));
	assert_environment(f, "A='b c'  \"d e\" \n", WORDS("A", "b cd e"));
	assert_environment(f, "A=x\"y\"\n", WORDS("A", "x\"y\""));
	assert_environment(f, "A=b\\\nc\n", WORDS("A", "bc"));
	assert_environment(f, "A=\"b\\\nc\\\"\\n\\$\"\n", WORDS("A", "bc\"\\n$"));
	assert_environment(f, "A='b\nc'\n", WORDS("A", "b\nc"));
	assert_environment(f, "A=b\\ \\\\\n", WORDS("A", "b \\"));
	assert_environment(f, "# A=b\n;C=d\nE=#f\n", WORDS("E", "#f"));
	assert_environment(f, "A=1\r\nB=2\r\n", WORDS("A", "1", "B", "2"));
	assert_environment(f, "A=1\nA=2\n", WORDS("A", "2"));
	assert_environment(f, "export A=1\n1B=2\nno value\nC=\n", WORDS("C", ""));
	assert_environment(f, "A=\"open\nB=2\n", WORDS("A", "open\nB=2\n"));
	assert_environment(f, "# a \\\nA=1\n", WORDS("A", "1"));
	assert_environment(f, "A=1 # not a comment\n", WORDS("A", "1 # not a comment"));
}

static void test_environment_file_refused(void **state)
{
	struct fixture *f = *state;
	struct kc_environment_variable *v;
	size_t n;

	assert_int_equal(kc_environment_file_parse("f", "A=\xff\n", 5, &f->arena, &v, &n),
			 -EBADMSG);
	assert_int_equal(kc_environment_file_parse("f", "A=1\0B", 5, &f->arena, &v, &n), -EBADMSG);
}

static void test_environment_file_places(void **state)
{
	static const char text[] = "# one\r\nA=1\r\n\nB='x\ny'\nC=3\n";
	struct fixture *f = *state;
	struct kc_environment_variable *v;
	size_t n;

	assert_int_equal(kc_environment_file_parse("/e", text, sizeof(text) - 1, &f->arena, &v, &n),
			 0);
	assert_int_equal(n, 3);
	assert_string_equal(v[0].place.file, "/e");
	assert_int_equal(v[0].place.line, 2);
	assert_int_equal(v[1].place.line, 4);
	assert_int_equal(v[2].place.line, 6);
}

/* ---- command lines ---- */

static void test_command_quotes(void **state)
{
	struct fixture *f = *state;

	assert_service(f, "ExecStart=/bin/a b 'c d' \"e f\" g'h i'j \"\"",
		       WORDS("/bin/a", "b", "c d", "e f", "gh ij", ""));
	assert_service(f, "ExecStart=/bin/a \\x41\\101\\u00e9\\t\\s\\q",
		       WORDS("/bin/a", "AA\xc3\xa9\t \\q"));
	assert_service(f, "ExecStart=/bin/a '\\n' \"\\\"\"", WORDS("/bin/a", "\n", "\""));
	assert_service(f, "ExecStart=/bin/a \\\n  b \\\n c", WORDS("/bin/a", "b", "c"));
	assert_service(f, "ExecStart=@/bin/a name b", WORDS("/bin/a", "b"));
	assert_service(f, "ExecStart=-+/bin/a b", WORDS("/bin/a", "b"));
	assert_service(f, "ExecStart=!!/bin/a b", WORDS("/bin/a", "b"));
	assert_service(f, "ExecStart=-/bin/a 'open", (const char *const[]){ NULL });
}

static void test_command_lists(void **state)
{
	struct fixture *f = *state;

	assert_service(f, "ExecStart=/bin/a\nExecStart=\nExecStart=/bin/b", WORDS("/bin/b"));
	assert_service(f, "Type=oneshot\nExecStart=/bin/a ; /bin/b \\; ;x",
		       WORDS("/bin/b", ";", ";x"));
	assert_service(f, "Type=oneshot\nExecStart=/bin/a\nExecStart=/bin/c", WORDS("/bin/c"));
	assert_service(f, "ExecStart=", (const char *const[]){ NULL });
	assert_service_fault(f, "ExecStart=/bin/a\nExecStart=/bin/c", "fault.service:3");
	assert_service_fault(f, "ExecStart=/bin/a 'b", "not closed");
	assert_service_fault(f, "ExecStart=bin/a", "relative");
	assert_service_fault(f, "ExecStart=/bin/", "folder");
	assert_service_fault(f, "EnvironmentFile=/nowhere\nExecStart=/bin/a",
			     "/nowhere is not there");
}

static void test_command_specifiers(void **state)
{
	struct fixture *f = *state;

	assert_service(f, "ExecStart=/bin/%p %i %I %n %N %j %% %t %H %x %",
		       WORDS("/bin/x-y", "a\\x2db-c", "a-b/c", "x-y@a\\x2db-c.service",
			     "x-y@a\\x2db-c", "y", "%", "/run", "%H", "%x", "%"));
}

static void test_command_variables(void **state)
{
	struct fixture *f = *state;

	put(f, "/etc/x.env", "B=file\nE='p \"q r\" s'\n");
	assert_service(
		f,
		"Environment=\"A=one two\" B=unit 'C=' bad=1=2 -x\n"
		"EnvironmentFile=-/etc/missing\nEnvironmentFile=/etc/x.env\n"
		"ExecStart=/bin/a $A ${A} $B x${B}y $C ${C} $D ${D} $$A $B/z ${bad} ${A:-x} $E",
		WORDS("/bin/a", "one", "two", "one two", "file", "xfiley", "", "", "$A", "1=2",
		      "${A:-x}", "p", "q r", "s"));
	assert_service(f, "Environment=A=b\nExecStart=:/bin/a $A ${A} $$",
		       WORDS("/bin/a", "$A", "${A}", "$$"));
	assert_service(f, "Environment=A=b\nEnvironment=\nExecStart=/bin/a $A", WORDS("/bin/a"));
	assert_service(f, "Environment=A=b B=c\nUnsetEnvironment=A B=x\nExecStart=/bin/a $A $B",
		       WORDS("/bin/a", "c"));
	put(f, "/etc/env.d/1.env", "A=1\nB=1\n");
	put(f, "/etc/env.d/2.env", "A=2\n");
	assert_service(f, "EnvironmentFile=/etc/env.?/*.env\nExecStart=/bin/a $A $B",
		       WORDS("/bin/a", "2", "1"));
}

/* kubelet as its packages and kubeadm set it up. */
static void test_kubelet(void **state)
{
	struct fixture *f = *state;
	struct kc_service_command service;

	put_sample(f, "/usr/lib/systemd/system/kubelet.service", "kubelet.service");
	put_sample(f, "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf",
		   "10-kubeadm.conf");
	put(f, "/var/lib/kubelet/kubeadm-flags.env",
	    "KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint=unix:///run/crio/crio.sock "
	    "--pod-infra-container-image=registry.k8s.io/pause:3.9\"\n");
	put(f, "/etc/sysconfig/kubelet", "KUBELET_EXTRA_ARGS=--cgroup-driver=systemd\n");
	service = command(f, "kubelet.service");
	assert_null(service.fault);
	assert_words(&service.command,
		     WORDS("/usr/bin/kubelet",
			   "--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf",
			   "--kubeconfig=/etc/kubernetes/kubelet.conf",
			   "--config=/var/lib/kubelet/config.yaml",
			   "--container-runtime-endpoint=unix:///run/crio/crio.sock",
			   "--pod-infra-container-image=registry.k8s.io/pause:3.9",
			   "--cgroup-driver=systemd"));
	assert_string_equal(service.command.place.file,
			    "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf");
	assert_string_equal(service.command.word[6].place.file, "/etc/sysconfig/kubelet");
	assert_int_equal(service.command.word[6].place.line, 1);
	assert_string_equal(service.command.word[4].place.file,
			    "/var/lib/kubelet/kubeadm-flags.env");
	assert_int_equal(service.n_environment, 4);
}

static void test_crio(void **state)
{
	struct fixture *f = *state;
	struct kc_service_command service;

	put_sample(f, "/usr/lib/systemd/system/crio.service", "crio-1.18.service");
	put_sample(f, "/etc/sysconfig/crio", "crio-1.18.sysconfig");
	service = command(f, "crio.service");
	assert_null(service.fault);
	assert_words(&service.command, WORDS("/usr/local/bin/crio"));
	assert_int_equal(service.command.place.line, 11);
}

/* ---- folders ---- */

static void test_load_folders(void **state)
{
	struct fixture *f = *state;
	const struct kc_unit_file *unit;

	unit = load(f, "none.service");
	assert_null(unit->fragment);
	assert_false(unit->masked);
	put(f, "/usr/lib/systemd/system/a.service", "[Unit]\nDescription=usr\n");
	put_link(f, "/lib", "usr/lib");
	assert_string_equal(load(f, "a.service")->fragment, "/usr/lib/systemd/system/a.service");
	put(f, "/usr/local/lib/systemd/system/a.service", "[Unit]\nDescription=local\n");
	assert_string_equal(load(f, "a.service")->fragment,
			    "/usr/local/lib/systemd/system/a.service");
	put_link(f, "/etc/systemd/system/a.service", "/dev/null");
	unit = load(f, "a.service");
	assert_true(unit->masked);
	assert_string_equal(unit->fragment, "/etc/systemd/system/a.service");
	put(f, "/etc/systemd/system.control/a.service", "");
	assert_string_equal(load(f, "a.service")->fragment,
			    "/etc/systemd/system.control/a.service");
	assert_int_equal(kc_unit_file_load(&kc_host_table, &f->run, &f->arena, "../x", &unit),
			 -EINVAL);
}

static void test_load_aliases(void **state)
{
	struct fixture *f = *state;
	const struct kc_unit_file *unit;

	put(f, "/usr/lib/systemd/system/real.service", "[Unit]\nA=1\n");
	put_link(f, "/etc/systemd/system/other.service", "/usr/lib/systemd/system/real.service");
	put_link(f, "/etc/systemd/system/third.service", "other.service");
	put(f, "/etc/systemd/system/third.service.d/x.conf", "[Unit]\nA=2\n");
	unit = load(f, "third.service");
	assert_string_equal(unit->canonical, "real.service");
	assert_string_equal(unit->fragment, "/usr/lib/systemd/system/real.service");
	assert_string_equal(kc_unit_file_last(unit, "Unit", "A")->value, "2");
	assert_string_equal(kc_unit_file_last(load(f, "real.service"), "Unit", "A")->value, "2");
	/* An alias of another type is none. */
	put_link(f, "/etc/systemd/system/bad.socket", "/usr/lib/systemd/system/real.service");
	assert_null(load(f, "bad.socket")->fragment);
	put_link(f, "/etc/systemd/system/l1.service", "l2.service");
	put_link(f, "/etc/systemd/system/l2.service", "l1.service");
	unit = load(f, "l1.service");
	assert_null(unit->fragment);
	assert_non_null(strstr(unit->fault, "chain"));
	put_link(f, "/etc/systemd/system/out.service", "/opt/out.service");
	unit = load(f, "out.service");
	assert_null(unit->fragment);
	assert_non_null(strstr(unit->fault, "/opt/out.service"));
	put(f, "/opt/out.service", "[Unit]\nA=3\n");
	assert_string_equal(load(f, "out.service")->fragment, "/etc/systemd/system/out.service");
}

static void test_load_templates(void **state)
{
	struct fixture *f = *state;
	const struct kc_unit_file *unit;

	put(f, "/usr/lib/systemd/system/t@.service", "[Service]\nExecStart=/bin/t %i\n");
	put_link(f, "/usr/lib/systemd/system/alias@.service", "t@.service");
	unit = load(f, "t@one.service");
	assert_string_equal(unit->fragment, "/usr/lib/systemd/system/t@.service");
	assert_string_equal(unit->canonical, "t@one.service");
	assert_string_equal(load(f, "alias@two.service")->canonical, "t@two.service");
	put(f, "/etc/systemd/system/t@one.service", "[Service]\nExecStart=/bin/own\n");
	assert_string_equal(load(f, "t@one.service")->fragment,
			    "/etc/systemd/system/t@one.service");
}

static void test_load_dropins(void **state)
{
	static const char *const expected[] = {
		"/etc/systemd/system/foo-bar@i.service.d/10-a.conf",
		"/etc/systemd/system/foo-bar@.service.d/20-b.conf",
		"/usr/lib/systemd/system/foo-@i.service.d/30-c.conf",
		"/usr/lib/systemd/system/foo-@.service.d/40-d.conf",
		"/etc/systemd/system/service.d/50-e.conf",
	};
	struct fixture *f = *state;
	const struct kc_unit_file *unit;

	put(f, "/usr/lib/systemd/system/foo-bar@.service", "[Unit]\n");
	put(f, "/usr/lib/systemd/system/foo-bar@i.service.d/10-a.conf", "[Unit]\nA=beaten\n");
	for (size_t i = 0; i < KC_ARRAY_SIZE(expected); i++)
		put(f, expected[i], "[Unit]\nA=1\n");
	put(f, "/etc/systemd/system/foo-bar@i.service.d/.hidden.conf", "[Unit]\nA=no\n");
	put(f, "/etc/systemd/system/foo-bar@i.service.d/note.txt", "[Unit]\nA=no\n");
	put(f, "/usr/lib/systemd/system/foo-bar@i.service.d/60-void.conf", "[Unit]\nA=no\n");
	put_link(f, "/etc/systemd/system/foo-bar@i.service.d/60-void.conf", "/dev/null");
	put(f, "/etc/systemd/system/foo-bar@i.service.d/70-cut.conf",
	    "[Unit]\nA=cut\n[Unit\nA=no\n");
	unit = load(f, "foo-bar@i.service");
	for (size_t i = 0; i < KC_ARRAY_SIZE(expected); i++)
		assert_string_equal(unit->dropins[i], expected[i]);
	assert_non_null(strstr(unit->dropins[5], "70-cut"));
	assert_null(unit->dropins[6]);
	assert_int_equal(unit->n_settings, 6);
	assert_string_equal(kc_unit_file_last(unit, "Unit", "A")->value, "cut");
}

/* A unit that is nowhere is looked up alone; what may be one has its folders listed. */
static void test_load_nowhere(void **state)
{
	static const char dir[] = "/usr/lib/systemd/system";
	static const struct {
		const char *name;
		bool listed;
	} units[] = {
		{ "none.service", false },	{ "none@a.service", false },
		{ "prefix.service", false },	{ "templated.service", false },
		{ "t@instance.service", true }, { "dangling.service", true },
		{ "real.service", true },
	};
	struct fixture *f = *state;

	put(f, "/usr/lib/systemd/system/real.service", "[Unit]\nA=1\n");
	put(f, "/usr/lib/systemd/system/t@.service", "[Unit]\nA=2\n");
	put(f, "/usr/lib/systemd/system/templated@.service", "");
	put(f, "/usr/lib/systemd/system/prefix.service.d/a.conf", "[Unit]\nA=3\n");
	put(f, "/usr/lib/systemd/system/folder.service/x", "");
	put_link(f, "/usr/lib/systemd/system/dangling.service", "/opt/nowhere.service");
	put(f, "/etc/systemd/system", "no folder");
	for (size_t i = 0; i < KC_ARRAY_SIZE(units); i++) {
		struct kc_memo memo = { 0 };
		struct kc_unit_enabled enabled;
		const struct kc_unit_file *unit;
		bool listed;

		f->run.memo = &memo;
		unit = load(f, units[i].name);
		listed = kc_memo_find(&memo, KC_MEMO_LIST, 0, dir);
		assert_int_equal(listed, units[i].listed);
		assert_string_equal(unit->name, units[i].name);
		assert_string_equal(unit->canonical, units[i].name);
		assert_null(unit->dropins[0]);
		if (!listed)
			assert_true(!unit->fragment && !unit->fault && unit->n_settings == 0);
		kc_memo_done(&memo);
		if (!listed) {
			assert_int_equal(kc_unit_enablement(&kc_host_table, &f->run, &f->arena,
							    units[i].name, &enabled),
					 0);
			listed = kc_memo_find(&memo, KC_MEMO_LIST, 0, dir);
			assert_false(listed);
			assert_int_equal(enabled.state, KC_UNIT_NOT_FOUND);
			assert_string_equal(enabled.source, dir);
			assert_string_equal(enabled.unit, units[i].name);
		}
		kc_memo_done(&memo);
		f->run.memo = NULL;
	}
	assert_string_equal(kc_unit_file_last(load(f, "t@x.service"), "Unit", "A")->value, "2");
	assert_non_null(strstr(load(f, "dangling.service")->fault, "/opt/nowhere.service"));
	assert_int_equal(kc_unit_file_load(&kc_host_table, &f->run, &f->arena, "folder.service",
					   &(const struct kc_unit_file *){ NULL }),
			 -EISDIR);
}

static void test_load_hostile(void **state)
{
	struct fixture *f = *state;
	const struct kc_unit_file *unit;
	kc_cleanup(kc_freep) char *fifo = on_disk(f, "/etc/systemd/system/fifo.service");
	kc_cleanup(kc_freep) char *large = on_disk(f, "/etc/systemd/system/large.service");

	assert_int_equal(mkfifo(fifo, 0644), 0);
	assert_int_equal(
		kc_unit_file_load(&kc_host_table, &f->run, &f->arena, "fifo.service", &unit),
		-EINVAL);
	put(f, "/etc/systemd/system/large.service", "x");
	assert_int_equal(truncate(large, 1 << 21), 0);
	assert_int_equal(
		kc_unit_file_load(&kc_host_table, &f->run, &f->arena, "large.service", &unit),
		-EFBIG);
	put(f, "/etc/systemd/system/bad.service", "[Unit]\nA=1\nB=\xff\nC=1\n");
	unit = load(f, "bad.service");
	assert_non_null(strstr(unit->fault, "bad.service:3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_parse_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parse_odd_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parse_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parse_many_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_environment_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_environment_file_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_environment_file_places, setup, teardown),
		cmocka_unit_test_setup_teardown(test_command_quotes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_command_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(test_command_specifiers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_command_variables, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kubelet, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crio, setup, teardown),
		cmocka_unit_test_setup_teardown(test_load_folders, setup, teardown),
		cmocka_unit_test_setup_teardown(test_load_aliases, setup, teardown),
		cmocka_unit_test_setup_teardown(test_load_templates, setup, teardown),
		cmocka_unit_test_setup_teardown(test_load_dropins, setup, teardown),
		cmocka_unit_test_setup_teardown(test_load_nowhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_load_hostile, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
