/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fdio.h"
#include "fix-process.h"
#include "sys/child.h"
#include "sys/trust.h"

enum {
	SOCKET_FD = 3, /* where the fixer looks for it */
};

/* A build for tests has its leaks looked for as the test wants it: who traces it switches that off.
 */
static char *sanitizer_options(void)
{
#ifdef __SANITIZE_ADDRESS__
	const char *options = getenv("ASAN_OPTIONS");

	return options ? kc_asprintf("ASAN_OPTIONS=%s", options) : NULL;
#else
	return NULL;
#endif
}

static kc_noreturn void become_fixer(int program, int socket, char *const *argv)
{
	char *environment[] = {
		(char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		(char *)"LC_ALL=C",
		(char *)"DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/dbus/system_bus_socket",
		sanitizer_options(),
		NULL,
	};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char path[64];

	/* No terminal's hang-up ends it half way. */
	(void)setsid();
	/* Above the place of the socket, whatever numbers they have now. */
	program = fcntl(program, F_DUPFD_CLOEXEC, 10);
	socket = fcntl(socket, F_DUPFD_CLOEXEC, 10);
	/*
	 * What stands for a standard error that is closed would be closed by exec, and a file of
	 * the repair be opened in its place.
	 */
	if (null < 0 || program < 0 || socket < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    fcntl(STDERR_FILENO, F_SETFD, 0) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0 ||
	    dup2(socket, SOCKET_FD) < 0 || kc_child_cloexec_from(SOCKET_FD + 1) < 0)
		_exit(126);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", program);
	(void)execve(path, argv, environment);
	_exit(127);
}

int kc_fix_process_start(const struct kc_command *command, struct kc_err *err,
			 struct kc_fix_process *ret_process)
{
	kc_cleanup(kc_closep) int program = -EBADF;
	int sockets[2], r;
	pid_t pid;

	r = kc_trust_open(AT_FDCWD, command->paths.fixer, KC_TRUST_STICKY, err, &program);
	if (r == -ENOENT)
		return kc_err_set(err, r,
				  "%s is not there: this k8scheck was built or packaged without "
				  "what repairs",
				  command->paths.fixer);
	if (r < 0)
		return kc_err_prefix(err, "the fixer is refused");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
		return kc_err_set(err, -errno, "the fixer cannot be started: %s",
				  kc_strerror(errno));
	pid = fork();
	if (pid == 0)
		become_fixer(program, sockets[1], command->argv);
	r = pid < 0 ? -errno : 0;
	(void)kc_close(sockets[1]);
	if (r < 0) {
		(void)kc_close(sockets[0]);
		return kc_err_set(err, r, "the fixer cannot be started: %s", kc_strerror(r));
	}
	*ret_process = (struct kc_fix_process){ .pid = pid, .socket = sockets[0] };
	return 0;
}

void kc_fix_process_end(struct kc_fix_process *process)
{
	int status;

	if (process->pid <= 0)
		return;
	process->socket = kc_close(process->socket);
	while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
		;
	process->pid = 0;
}
