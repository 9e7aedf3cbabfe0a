/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Stands in for CRI-O 1.18 in tests. It reads crio.conf and every file of the drop-in folder, the
 * later ones over the earlier ones, does not start with a conmon that is not there, and answers on
 * its socket: gRPC of CRI v1 and v1alpha2, and GET /info and /config with what it was started with.
 * It has no pods.
 */

#include <errno.h>
#include <fts.h>
#include <nghttp2/nghttp2.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONFIG	"/etc/crio/crio.conf"
#define FOLDER	"/etc/crio/crio.conf.d"
#define VERSION "1.18.4"

struct setting {
	const char *section, *key;
	char value[256];
};

enum {
	CONMON,
	MANAGER,
	LISTEN
};

static struct setting settings[] = {
	[CONMON] = { "crio.runtime", "conmon", "" },
	[MANAGER] = { "crio.runtime", "cgroup_manager", "systemd" },
	[LISTEN] = { "crio.api", "listen", "/var/run/crio/crio.sock" },
};

static void fatal(const char *format, const char *value, const char *why)
{
	(void)fprintf(stderr, "level=fatal msg=\"");
	(void)fprintf(stderr, format, value, why);
	(void)fprintf(stderr, "\"\n");
	exit(1);
}

/* ---- the configuration: of TOML no more than tables and keys with a text ---- */

static void take_line(const char *section, const char *line)
{
	char key[64], value[256] = "";

	if (sscanf(line, " %63[A-Za-z0-9_] = \"%255[^\"]\"", key, value) < 1)
		return;
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		if (strcmp(settings[i].section, section) == 0 && strcmp(settings[i].key, key) == 0)
			(void)snprintf(settings[i].value, sizeof(settings[i].value), "%s", value);
	}
}

static void read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	char line[1024], section[64] = "";

	if (!f)
		fatal("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, " [%63[^]]", section) != 1)
			take_line(section, line);
	}
	(void)fclose(f);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void read_configuration(void)
{
	char folder[] = FOLDER, *const tops[] = { folder, NULL };
	FTS *fts;

	if (access(CONFIG, F_OK) == 0)
		read_file(CONFIG);
	fts = fts_open(tops, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	for (FTSENT *e; fts && (e = fts_read(fts));) {
		if (e->fts_info == FTS_F || e->fts_info == FTS_SL)
			read_file(e->fts_path);
	}
	if (fts)
		(void)fts_close(fts);
}

/* Over all files; of its flags that one which the tests give. */
static void take_flags(char **argv)
{
	for (; *argv; argv++) {
		if (strcmp(*argv, "--listen") == 0 && argv[1])
			(void)snprintf(settings[LISTEN].value, sizeof(settings[LISTEN].value), "%s",
				       argv[1]);
	}
}

static void check_conmon(void)
{
	static const char *const folders[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
					       "/usr/bin" };
	struct setting *conmon = &settings[CONMON];
	struct stat st;

	for (size_t i = 0; !conmon->value[0] && i < sizeof(folders) / sizeof(*folders); i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "%s/conmon", folders[i]);
		if (access(path, X_OK) == 0)
			(void)snprintf(conmon->value, sizeof(conmon->value), "%s", path);
	}
	if (!conmon->value[0])
		fatal("invalid conmon path: exec: \\\"conmon\\\": executable file not found in "
		      "%s%s",
		      "$PATH", "");
	if (stat(conmon->value, &st) < 0)
		fatal("invalid conmon path: stat %s: %s", conmon->value, strerror(errno));
}

/* ---- answers ---- */

struct server {
	nghttp2_session *session;
	char path[128];
	uint8_t body[512];
	size_t size, sent;
};

static void put(struct server *s, const void *data, size_t size)
{
	if (s->size + size > sizeof(s->body))
		_exit(1);
	memcpy(s->body + s->size, data, size);
	s->size += size;
}

/* Field and length fit into a byte each. */
static void put_text(struct server *s, unsigned field, const char *text)
{
	const uint8_t head[] = { (uint8_t)(field << 3 | 2), (uint8_t)strlen(text) };

	put(s, head, sizeof(head));
	put(s, text, strlen(text));
}

static void put_message(struct server *s, const char *method)
{
	/* RuntimeStatus: the condition has a type, and status = true. */
	static const char status[] = "\x0a\x24\x0a\x10\x0a\x0cRuntimeReady\x10\x01"
				     "\x0a\x10\x0a\x0cNetworkReady\x10\x01";
	/* linux.cgroup_driver: SYSTEMD is 0, CGROUPFS 1. */
	static const char systemd[] = "\x0a\x02\x08\x00", cgroupfs[] = "\x0a\x02\x08\x01";

	if (strcmp(method, "Version") == 0) {
		put_text(s, 1, "0.1.0");
		put_text(s, 2, "cri-o");
		put_text(s, 3, VERSION);
		put_text(s, 4, "v1alpha1");
	} else if (strcmp(method, "Status") == 0) {
		put(s, status, sizeof(status) - 1);
	} else if (strcmp(method, "RuntimeConfig") == 0) {
		put(s, strcmp(settings[MANAGER].value, "systemd") == 0 ? systemd : cgroupfs, 4);
	}
	/* What it lists is empty, and so is the message. */
}

#define FIELD(n, v)                                                                    \
	{                                                                              \
		.name = (uint8_t *)(uintptr_t)(n), .value = (uint8_t *)(uintptr_t)(v), \
		.namelen = strlen(n), .valuelen = strlen(v),                           \
	}

static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *data, size_t size,
			 uint32_t *flags, nghttp2_data_source *source, void *user)
{
	const nghttp2_nv trailers[] = { FIELD("grpc-status", "0") };
	struct server *s = user;
	const size_t left = s->size - s->sent, n = left < size ? left : size;

	(void)source;
	memcpy(data, s->body + s->sent, n);
	s->sent += n;
	if (s->sent == s->size) {
		*flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
		(void)nghttp2_submit_trailer(session, stream, trailers, 1);
	}
	return (ssize_t)n;
}

static bool known(const char *version, const char *service, const char *method)
{
	static const char *const calls[][2] = {
		{ "RuntimeService", "Version" },
		{ "RuntimeService", "Status" },
		{ "RuntimeService", "RuntimeConfig" },
		{ "RuntimeService", "ListPodSandbox" },
		{ "RuntimeService", "ListContainers" },
		{ "RuntimeService", "ListContainerStats" },
		{ "RuntimeService", "ListPodSandboxStats" },
		{ "ImageService", "ListImages" },
		{ "ImageService", "ImageFsInfo" },
	};

	if (strcmp(version, "v1") != 0 && strcmp(version, "v1alpha2") != 0)
		return false;
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		if (strcmp(calls[i][0], service) == 0 && strcmp(calls[i][1], method) == 0)
			return true;
	}
	return false;
}

static int answer(struct server *s, int32_t stream)
{
	const nghttp2_data_provider provider = { .read_callback = read_body };
	const nghttp2_nv good[] = { FIELD(":status", "200"),
				    FIELD("content-type", "application/grpc") };
	const nghttp2_nv unimplemented[] = { FIELD(":status", "200"),
					     FIELD("content-type", "application/grpc"),
					     FIELD("grpc-status", "12"),
					     FIELD("grpc-message", "unknown method") };
	char version[16] = "", service[32] = "", method[32] = "";

	if (sscanf(s->path, "/runtime.%15[^.].%31[^/]/%31s", version, service, method) != 3 ||
	    !known(version, service, method))
		return nghttp2_submit_headers(s->session, NGHTTP2_FLAG_END_STREAM, stream, NULL,
					      unimplemented, 4, NULL);
	s->sent = 0;
	s->size = 5;
	put_message(s, method);
	memset(s->body, 0, 3);
	s->body[3] = (uint8_t)((s->size - 5) >> 8);
	s->body[4] = (uint8_t)(s->size - 5);
	return nghttp2_submit_response(s->session, stream, good, 2, &provider);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
		     void *user)
{
	struct server *s = user;

	(void)session, (void)frame, (void)flags;
	if (name_size == 5 && memcmp(name, ":path", 5) == 0)
		(void)snprintf(s->path, sizeof(s->path), "%.*s", (int)value_size,
			       (const char *)value);
	return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	const bool call = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;

	(void)session;
	return call && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		       ? answer(user, frame->hd.stream_id)
		       : 0;
}

static void write_all(int fd, const void *data, size_t size)
{
	for (const char *p = data; size > 0;) {
		const ssize_t n = send(fd, p, size, MSG_NOSIGNAL);

		if (n < 0)
			_exit(0);
		p += n;
		size -= (size_t)n;
	}
}

static void flush(struct server *s, int fd)
{
	const uint8_t *data;
	ssize_t n;

	while ((n = nghttp2_session_mem_send(s->session, &data)) > 0)
		write_all(fd, data, (size_t)n);
}

static void serve_grpc(int fd)
{
	struct server s = { 0 };
	nghttp2_session_callbacks *callbacks;
	uint8_t data[4096];
	ssize_t n;

	if (nghttp2_session_callbacks_new(&callbacks) != 0)
		_exit(1);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	if (nghttp2_session_server_new(&s.session, callbacks, &s) != 0 ||
	    nghttp2_submit_settings(s.session, NGHTTP2_FLAG_NONE, NULL, 0) != 0)
		_exit(1);
	flush(&s, fd);
	while ((n = read(fd, data, sizeof(data))) > 0) {
		if (nghttp2_session_mem_recv(s.session, data, (size_t)n) < 0)
			break;
		flush(&s, fd);
	}
	_exit(0);
}

static void serve_document(int fd, const char *request)
{
	char head[128], body[1024];
	const char *status = "200 OK";

	if (strncmp(request, "GET /info ", 10) == 0) {
		(void)snprintf(body, sizeof(body),
			       "{\"storage_driver\":\"overlay\",\"storage_root\":\"/var/lib/"
			       "containers/storage\","
			       "\"cgroup_driver\":\"%s\",\"default_id_mappings\":{\"uids\":[]}}",
			       settings[MANAGER].value);
	} else if (strncmp(request, "GET /config ", 12) == 0) {
		(void)snprintf(body, sizeof(body),
			       "[crio]\n  [crio.api]\n    listen = \"%s\"\n  [crio.runtime]\n"
			       "    cgroup_manager = \"%s\"\n    conmon = \"%s\"\n"
			       "    default_runtime = \"runc\"\n    [crio.runtime.runtimes]\n"
			       "      [crio.runtime.runtimes.runc]\n"
			       "        runtime_path = \"\"\n",
			       settings[LISTEN].value, settings[MANAGER].value,
			       settings[CONMON].value);
	} else {
		status = "404 Not Found";
		body[0] = '\0';
	}
	(void)snprintf(head, sizeof(head),
		       "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", status,
		       strlen(body));
	write_all(fd, head, strlen(head));
	write_all(fd, body, strlen(body));
	_exit(0);
}

static void serve(int fd)
{
	char request[1024] = "";

	if (recv(fd, request, sizeof(request) - 1, MSG_PEEK) > 0 &&
	    strncmp(request, "GET ", 4) == 0) {
		/* What nobody has read by the end makes the answer an error at the other side. */
		(void)recv(fd, request, sizeof(request) - 1, 0);
		serve_document(fd, request);
	}
	serve_grpc(fd);
}

/* ---- the daemon ---- */

static void tell_systemd(void)
{
	static const char ready[] = "READY=1";
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (!path || strlen(path) >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, strlen(path));
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	(void)sendto(fd, ready, sizeof(ready) - 1, 0, (const struct sockaddr *)&address,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
	(void)close(fd);
}

/* As CRI-O, which takes its socket along when it is stopped, and not when it is killed. */
static void stop(int signal)
{
	(void)signal;
	(void)unlink(settings[LISTEN].value);
	_exit(0);
}

/* As containers/storage does before it looks whether there is overlayfs; that it fails says
 * nothing. */
static void load_overlay(void)
{
	char *const command[] = { (char *)"modprobe", (char *)"-q", (char *)"overlay", NULL };
	pid_t pid;

	if (posix_spawnp(&pid, command[0], NULL, NULL, command, environ) == 0)
		(void)waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (argc > 1 && strstr(argv[1], "version")) {
		(void)puts("crio version " VERSION);
		return 0;
	}
	read_configuration();
	take_flags(argv);
	check_conmon();
	load_overlay();
	(void)mkdir("/var/run/crio", 0755);
	(void)unlink(settings[LISTEN].value);
	if (strlen(settings[LISTEN].value) >= sizeof(address.sun_path))
		fatal("listen %s: %s", settings[LISTEN].value, strerror(ENAMETOOLONG));
	memcpy(address.sun_path, settings[LISTEN].value, strlen(settings[LISTEN].value));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 64) < 0)
		fatal("listen %s: %s", settings[LISTEN].value, strerror(errno));
	(void)signal(SIGCHLD, SIG_IGN);
	(void)signal(SIGTERM, stop);
	tell_systemd();
	for (;;) {
		const int peer = accept(fd, NULL, NULL);

		if (peer >= 0 && fork() == 0) {
			(void)signal(SIGTERM, SIG_DFL);
			serve(peer);
		}
		if (peer >= 0)
			(void)close(peer);
	}
}
