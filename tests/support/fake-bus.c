/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "fake-bus.h"

/* What a unit's object tells; the offsets are those of the vtables below. */
struct unit {
	const char *name, *path;
	const char *load, *active, *sub, *file, *fragment, *result;
	int reload;
	uint32_t pid;
};

#define UNITS "/org/freedesktop/systemd1/unit/"

static struct unit units[] = {
	{ "crio.service", UNITS "crio_2eservice", "loaded", "active", "running", "enabled",
	  "/usr/lib/systemd/system/crio.service", "success", 1, 4242 },
	{ "kubelet.service", UNITS "kubelet_2eservice", "loaded", "failed", "failed", "disabled",
	  "/usr/lib/systemd/system/kubelet.service", "exit-code", 0, 0 },
	{ "masked.service", UNITS "masked_2eservice", "masked", "inactive", "dead", "masked",
	  "/dev/null", "success", 0, 0 },
	{ "swap.target", UNITS "swap_2etarget", "loaded", "active", "active", "static",
	  "/usr/lib/systemd/system/swap.target", "success", 0, 0 },
	{ "odd.service", UNITS "odd_2eservice", "", "", "", "", "", "", 0, 0 },
};

const char *const fake_bus_manners[] = {
	"good",	       "silent",   "deaf",	 "no-hello", "refuses",
	"rubbish",     "hangs-up", "one-answer", "answers",  "rejects",
	"other-types", "garbage",  "endless",	 "cut",	     NULL,
};

struct server {
	enum fake_bus_manner manner;
	bool answered;
	uint32_t number;
};

static int on_hello(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const struct server *s = userdata;

	if (s->manner == FAKE_BUS_NO_HELLO)
		return 1;
	if (s->manner == FAKE_BUS_REFUSES)
		return sd_bus_error_set_const(error, SD_BUS_ERROR_ACCESS_DENIED, "not you");
	return sd_bus_reply_method_return(m, "s", ":1.1");
}

static const struct {
	const char *unit, *error, *text;
} unit_errors[] = {
	{ "denied.service", SD_BUS_ERROR_ACCESS_DENIED, "SELinux policy denies access" },
	{ "unowned.service", SD_BUS_ERROR_SERVICE_UNKNOWN, "The name is not activatable" },
	{ "gone-away.service", SD_BUS_ERROR_NO_REPLY, "Message recipient disconnected" },
	{ "strange.service", "org.example.Strange", "never heard of it" },
};

static int on_get_unit(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct server *s = userdata;
	const char *name;
	int r;

	r = sd_bus_message_read(m, "s", &name);
	if (r < 0)
		return r;
	if (sd_bus_message_get_auto_start(m))
		return sd_bus_error_set_const(error, SD_BUS_ERROR_FAILED,
					      "auto-start was not forbidden");
	if (strcmp(name, "hang.service") == 0)
		return 1;
	if (strcmp(name, "exit.service") == 0)
		_exit(0);
	if (s->manner == FAKE_BUS_OTHER_TYPES || strcmp(name, "types.service") == 0)
		return sd_bus_reply_method_return(m, "u", 7u);
	for (size_t i = 0; i < sizeof(unit_errors) / sizeof(*unit_errors); i++)
		if (strcmp(name, unit_errors[i].unit) == 0)
			return sd_bus_error_set(error, unit_errors[i].error, unit_errors[i].text);
	s->answered = true;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (strcmp(name, units[i].name) == 0)
			return sd_bus_reply_method_return(m, "o", units[i].path);
	return sd_bus_error_setf(error, "org.freedesktop.systemd1.NoSuchUnit",
				 "Unit %s not loaded.", name);
}

static int on_file_state(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *name;
	int r;

	r = sd_bus_message_read(m, "s", &name);
	if (r < 0)
		return r;
	if (strcmp(name, "stopped.service") == 0)
		return sd_bus_reply_method_return(m, "s", "disabled");
	if (strcmp(name, "masked-file.service") == 0)
		return sd_bus_reply_method_return(m, "s", "masked");
	if (strcmp(name, "getty@.service") == 0)
		return sd_bus_reply_method_return(m, "s", "enabled");
	return sd_bus_error_setf(error, SD_BUS_ERROR_FILE_NOT_FOUND, "No such file or directory");
}

/* Nobody may call it: it is what a look must never do. */
static int on_load_unit(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	_exit(99);
}

static int on_zone_ports(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *zone;

	if (sd_bus_message_read(m, "s", &zone) < 0 || strcmp(zone, "public") != 0)
		return sd_bus_error_set_const(error, "org.fedoraproject.FirewallD1.Exception",
					      "INVALID_ZONE: none");
	return sd_bus_reply_method_return(m, "aas", 2, 2, "6443", "tcp", 2, "8472", "udp");
}

static int on_active_zones(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	return sd_bus_reply_method_return(m, "a{sa{sas}}", 1, "public", 2, "interfaces", 2, "eth0",
					  "eth1", "sources", 1, "10.0.0.0/8");
}

static int on_default_zone(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const struct server *s = userdata;

	if (s->manner == FAKE_BUS_OTHER_TYPES)
		return sd_bus_reply_method_return(m, "as", 1, "trusted");
	if (s->manner == FAKE_BUS_ANSWERS)
		return sd_bus_reply_method_return(m, "s", "trusted");
	/* Hangs, while systemd answers. */
	return 1;
}

static int on_zones(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	/* A descriptor, which is no text. */
	return sd_bus_reply_method_return(m, "h", STDERR_FILENO);
}

static int on_query_port(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *zone, *port, *protocol;

	if (sd_bus_message_read(m, "sss", &zone, &port, &protocol) < 0)
		return -EINVAL;
	return sd_bus_reply_method_return(m, "b", strcmp(port, "6443") == 0);
}

static int on_services(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	kill(getpid(), SIGKILL);
	return 1;
}

static const sd_bus_vtable daemon_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Hello", "", "s", on_hello, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

static int get_number(sd_bus *bus, const char *path, const char *interface, const char *property,
		      sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	return sd_bus_message_append(reply, "u", 17u);
}

static int get_paths(sd_bus *bus, const char *path, const char *interface, const char *property,
		     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	return sd_bus_message_append(reply, "as", 2, "/etc/systemd/system",
				     "/usr/lib/systemd/system");
}

static int get_version(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	return sd_bus_message_append(reply, "s", "252.39");
}

static const sd_bus_vtable manager_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("GetUnit", "s", "o", on_get_unit, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("GetUnitFileState", "s", "s", on_file_state, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("LoadUnit", "s", "o", on_load_unit, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Version", "s", get_version, 0, 0),
	SD_BUS_PROPERTY("NNames", "u", get_number, 0, 0),
	SD_BUS_PROPERTY("UnitPath", "as", get_paths, 0, 0),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable unit_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Documentation", "as", get_paths, 0, 0),
	SD_BUS_PROPERTY("LoadState", "s", NULL, offsetof(struct unit, load), 0),
	SD_BUS_PROPERTY("ActiveState", "s", NULL, offsetof(struct unit, active), 0),
	SD_BUS_PROPERTY("SubState", "s", NULL, offsetof(struct unit, sub), 0),
	SD_BUS_PROPERTY("UnitFileState", "s", NULL, offsetof(struct unit, file), 0),
	SD_BUS_PROPERTY("FragmentPath", "s", NULL, offsetof(struct unit, fragment), 0),
	SD_BUS_PROPERTY("NeedDaemonReload", "b", NULL, offsetof(struct unit, reload), 0),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable odd_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("LoadState", "as", get_paths, 0, 0),
	SD_BUS_PROPERTY("ActiveState", "u", get_number, 0, 0),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable service_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("MainPID", "u", NULL, offsetof(struct unit, pid), 0),
	SD_BUS_PROPERTY("Result", "s", NULL, offsetof(struct unit, result), 0),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable firewall_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("getDefaultZone", "", "s", on_default_zone, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("listServices", "", "as", on_services, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable zone_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("getPorts", "s", "aas", on_zone_ports, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("getActiveZones", "", "a{sa{sas}}", on_active_zones,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("getZones", "", "h", on_zones, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("queryPort", "sss", "b", on_query_port, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

static void must(int r)
{
	if (r < 0)
		_exit(98);
}

static void add_objects(sd_bus *bus, struct server *s)
{
	const char *firewall = "/org/fedoraproject/FirewallD1";

	must(sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/DBus", "org.freedesktop.DBus",
				      daemon_vtable, s));
	must(sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/systemd1",
				      "org.freedesktop.systemd1.Manager", manager_vtable, s));
	must(sd_bus_add_object_vtable(bus, NULL, firewall, "org.fedoraproject.FirewallD1",
				      firewall_vtable, s));
	must(sd_bus_add_object_vtable(bus, NULL, firewall, "org.fedoraproject.FirewallD1.zone",
				      zone_vtable, s));
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		struct unit *u = &units[i];

		must(sd_bus_add_object_vtable(bus, NULL, u->path, "org.freedesktop.systemd1.Unit",
					      u->load[0] ? unit_vtable : odd_vtable, u));
		if (strstr(u->name, ".service"))
			must(sd_bus_add_object_vtable(bus, NULL, u->path,
						      "org.freedesktop.systemd1.Service",
						      service_vtable, u));
	}
}

static void serve_bus(int fd, enum fake_bus_manner manner)
{
	struct server s = { .manner = manner };
	sd_id128_t id = { { 0 } };
	sd_bus *bus = NULL;
	int r;

	id.bytes[0] = 1;
	must(sd_bus_new(&bus));
	must(sd_bus_set_fd(bus, fd, fd));
	must(sd_bus_set_server(bus, 1, id));
	must(sd_bus_set_anonymous(bus, 1));
	must(sd_bus_negotiate_fds(bus, 1));
	add_objects(bus, &s);
	must(sd_bus_start(bus));
	for (;;) {
		r = sd_bus_process(bus, NULL);
		if (r < 0)
			break;
		if (manner == FAKE_BUS_ONE_ANSWER && s.answered) {
			(void)sd_bus_flush(bus);
			break;
		}
		if (r == 0)
			(void)sd_bus_wait(bus, UINT64_MAX);
	}
	sd_bus_close(bus);
	(void)sd_bus_unref(bus);
}

/* ---- those that speak the protocol by themselves ---- */

static void send_all(int fd, const void *data, size_t size)
{
	for (const char *p = data; size > 0;) {
		ssize_t n = write(fd, p, size);

		if (n <= 0)
			_exit(0);
		p += n;
		size -= (size_t)n;
	}
}

/* Authenticates anybody: its lines end where BEGIN does. */
static void greet(int fd, bool rejects)
{
	static const char ok[] = "OK 01000000000000000000000000000000\r\nAGREE_UNIX_FD\r\n";
	static const char rejected[] = "REJECTED EXTERNAL\r\n";
	char text[4096];
	size_t n = 0;

	if (!rejects)
		send_all(fd, ok, sizeof(ok) - 1);
	while (n < sizeof(text)) {
		ssize_t got = read(fd, text + n, sizeof(text) - n);

		if (got <= 0)
			_exit(0);
		n += (size_t)got;
		if (rejects)
			send_all(fd, rejected, sizeof(rejected) - 1);
		else if (memmem(text, n, "BEGIN\r\n", 7))
			return;
	}
}

static void speak(int fd, enum fake_bus_manner manner)
{
	/* A signal whose body has 100 MiB, of a header without fields. */
	static const unsigned char head[16] = { 'l', 4, 0, 1, 0, 0, 64, 6, 1 };
	static const char text[65536] = "no message of any kind";

	greet(fd, manner == FAKE_BUS_REJECTS);
	if (manner == FAKE_BUS_GARBAGE)
		send_all(fd, text, sizeof(text));
	if (manner == FAKE_BUS_CUT)
		send_all(fd, head, sizeof(head) - 4);
	while (manner == FAKE_BUS_ENDLESS) {
		send_all(fd, head, sizeof(head));
		for (int i = 0; i < 1600; i++)
			send_all(fd, text, sizeof(text));
	}
	_exit(0);
}

static void serve(int listener, enum fake_bus_manner manner)
{
	for (;;) {
		int fd;

		if (manner == FAKE_BUS_DEAF) {
			(void)pause();
			continue;
		}
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			_exit(97);
		if (manner == FAKE_BUS_SILENT)
			continue;
		if (manner == FAKE_BUS_REJECTS || manner >= FAKE_BUS_GARBAGE) {
			if (fork() == 0)
				speak(fd, manner);
			(void)close(fd);
			continue;
		}
		if (manner == FAKE_BUS_HANGS_UP || manner == FAKE_BUS_RUBBISH) {
			static const char text[] = "HTTP/1.1 400 Bad Request\r\n"
						   "Content-Length: 0\r\nServer: x\r\n\r\n";

			/* Left open, so that the text is read before its end. */
			if (manner == FAKE_BUS_RUBBISH && write(fd, text, sizeof(text) - 1) < 0)
				_exit(96);
			if (manner == FAKE_BUS_HANGS_UP)
				(void)close(fd);
			continue;
		}
		serve_bus(fd, manner);
	}
}

pid_t fake_bus_start(const char *root, enum fake_bus_manner manner)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char path[sizeof(address.sun_path)];
	int listener;
	pid_t pid;

	(void)snprintf(path, sizeof(path), "%s/run", root);
	(void)mkdir(path, 0755);
	(void)snprintf(path, sizeof(path), "%s/run/dbus", root);
	(void)mkdir(path, 0755);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/run/dbus/system_bus_socket",
		       root);
	(void)unlink(address.sun_path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, manner == FAKE_BUS_DEAF ? 0 : 16) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)signal(SIGPIPE, SIG_IGN);
		serve(listener, manner);
	}
	(void)close(listener);
	return pid;
}

void fake_bus_stop(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}
