/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Stands in for the kubelet in tests: takes what it is told from its flags and its configuration
 * file, does not start without that file or with swap on, and answers on 127.0.0.1:10248 that it is
 * healthy.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "record.h"

/* The last one counts, as for the kubelet itself. */
static const char *flag(char **argv, const char *name, const char *otherwise)
{
	const size_t n = strlen(name);

	for (; *argv; argv++) {
		if (strncmp(*argv, name, n) == 0 && (*argv)[n] == '=')
			otherwise = *argv + n + 1;
		else if (strcmp(*argv, name) == 0 && argv[1])
			otherwise = argv[1];
	}
	return otherwise;
}

/* The value of a key at the top of the file; NULL without one. */
static const char *setting(const char *path, const char *key)
{
	static char line[512];
	FILE *f = fopen(path, "re");
	const size_t n = strlen(key);
	const char *value = NULL;

	if (!f) {
		(void)fprintf(stderr, "failed to load Kubelet config file %s, error %s\n", path,
			      strerror(errno));
		exit(255);
	}
	while (!value && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\r\n")] = '\0';
		if (strncmp(line, key, n) == 0 && line[n] == ':')
			value = line + n + 1 + strspn(line + n + 1, " \"");
	}
	(void)fclose(f);
	return value;
}

static bool swap_is_on(void)
{
	FILE *f = fopen("/proc/swaps", "re");
	char line[512];
	unsigned lines = 0;

	while (f && fgets(line, sizeof(line), f))
		lines++;
	if (f)
		(void)fclose(f);
	return lines > 1;
}

static void serve(void)
{
	static const char ok[] =
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
	static const char no[] =
		"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(10248),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 16) < 0) {
		perror("127.0.0.1:10248");
		exit(255);
	}
	for (;;) {
		const int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		char request[1024] = "";
		const char *answer;

		if (peer < 0)
			continue;
		if (recv(peer, request, sizeof(request) - 1, 0) > 0) {
			answer = strncmp(request, "GET /healthz ", 13) == 0 ? ok : no;
			(void)send(peer, answer, strlen(answer), MSG_NOSIGNAL);
		}
		(void)close(peer);
	}
}

int main(int argc, char **argv)
{
	const char *config, *kind, *driver;

	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		(void)puts("Kubernetes v1.18.20");
		return 0;
	}
	record_call("kubelet", argv);
	config = flag(argv, "--config", NULL);
	if (config) {
		kind = setting(config, "kind");
		if (!kind || strcmp(kind, "KubeletConfiguration") != 0) {
			(void)fprintf(stderr, "failed to load Kubelet config file %s: no kind\n",
				      config);
			return 255;
		}
	}
	if (swap_is_on()) {
		(void)fprintf(stderr,
			      "failed to run Kubelet: running with swap on is not supported, "
			      "please disable swap\n");
		return 255;
	}
	driver = config ? setting(config, "cgroupDriver") : NULL;
	(void)fprintf(stderr, "stand-in kubelet: cgroup driver %s\n",
		      flag(argv, "--cgroup-driver", driver ? driver : "cgroupfs"));
	serve();
	return 0;
}
