/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A plugin that does one thing wrong, chosen by FAULT when it is built. Each stands for a way in
 * which a plugin can go bad, or be bad; each must cost its own verdicts and nobody else's.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <k8scheck-plugin.h>

static void pass(const struct kc_host *host, struct kc_run *run)
{
	const struct kc_finding finding = {
		.size = sizeof(finding),
		.verdict = KC_PASS,
		.horizon = KC_NOW,
		.message = "nothing was looked at",
	};

	(void)kc_finding(host, run, &finding);
}

/* The worker's end of its channel, which a plugin is not handed and can look for. */
static int find_channel(void)
{
	for (int fd = 0; fd < 256; fd++) {
		struct stat st;

		if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode))
			return fd;
	}
	return -1;
}

static void write_raw(const void *data, size_t size)
{
	ssize_t n = write(find_channel(), data, size);

	(void)n;
}

#if FAULT_IS_CONSTRUCTOR
__attribute__((constructor)) static void crash_early(void)
{
	raise(SIGSEGV);
}
#endif

#if FAULT_IS_SPEAK_EARLY
__attribute__((constructor)) static void speak_early(void)
{
	const char words[64] = { 1 };

	write_raw(words, sizeof(words));
	_exit(0);
}
#endif

#if FAULT_IS_HANG_EARLY
__attribute__((constructor)) static void hang_early(void)
{
	(void)sleep(1000);
}
#endif

/* The memory by which k8scheck sees what is judged (its rule's index, plus one), and since when. */
static volatile uint32_t *find_slot(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long at = 0, end = 0;
	char line[512];

	while (maps && fgets(line, sizeof(line), maps)) {
		if (strstr(line, "/dev/zero") && strstr(line, " rw-s ") &&
		    sscanf(line, "%lx-%lx", &at, &end) == 2)
			break;
	}
	if (maps)
		(void)fclose(maps);
	/* Those of others would be the pages beside it. */
	if (!at || end - at != (unsigned long)sysconf(_SC_PAGESIZE))
		abort();
	return (volatile uint32_t *)at;
}

static uint32_t own_rule(void)
{
	return find_slot()[0] - 1;
}

/* A frame ASK: size, type, rule, kind, time-out, number, one text of three bytes. */
static void ask_raw(void)
{
	const uint32_t frame[] = { 44, 8, own_rule(), 1, UINT32_MAX, UINT32_MAX,
				   0,  0, 1,	      3, 0x632e61 };

	write_raw(frame, sizeof(frame));
}

static void misbehave(const struct kc_host *host, struct kc_run *run)
{
#if FAULT_IS_SEGFAULT
	(void)raise(SIGSEGV);
#elif FAULT_IS_ABORT
	(void)fprintf(stderr, "free(): invalid pointer\n");
	abort();
#elif FAULT_IS_EXIT
	pass(host, run);
	exit(0);
#elif FAULT_IS_LOOP
	for (volatile unsigned i = 0;; i++)
		;
#elif FAULT_IS_SLEEP
	for (;;)
		(void)sleep(1000);
#elif FAULT_IS_ALLOCATE
	for (;;) {
		char *p = malloc(1 << 20);

		memset(p, 1, 1 << 20);
	}
#elif FAULT_IS_FLOOD
	for (;;)
		(void)fprintf(stderr, "all work and no play makes a dull plugin, ");
#elif FAULT_IS_FLOOD_CHANNEL
	for (;;)
		kc_log(host, run, KC_LOG_INFO, "all work and no play makes a dull plugin");
#elif FAULT_IS_FORK
	if (fork() == 0) {
		(void)sleep(1000);
		_exit(0);
	}
	pass(host, run);
#elif FAULT_IS_VFORK
	pid_t pid = vfork();

	if (pid == 0)
		_exit(0);
	(void)waitpid(pid, NULL, 0);
	pass(host, run);
#elif FAULT_IS_DAEMON
	if (fork() == 0) {
		(void)setsid();
		if (fork() == 0)
			(void)sleep(1000);
		_exit(0);
	}
	(void)sleep(1);
	(void)raise(SIGSEGV);
#elif FAULT_IS_CLOSE
	for (int fd = 0; fd < 1024; fd++)
		(void)close(fd);
	(void)sleep(1000);
#elif FAULT_IS_FORGE
	/* DONE for rule 0: size, type, rule, code, microseconds, no text. */
	const uint32_t frame[] = { 32, 7, 0, 0, 0, 1, 0, UINT32_MAX };

	write_raw(frame, sizeof(frame));
	pass(host, run);
#elif FAULT_IS_RUBBISH
	write_raw("\xff\xfe rubbish of a plugin that writes where it should not", 48);
	(void)sleep(1000);
#elif FAULT_IS_HALF
	/* What comes behind is swallowed by a frame that never ends. */
	const uint32_t frame[] = { 1000000, 6, own_rule() };

	write_raw(frame, sizeof(frame));
	pass(host, run);
#elif FAULT_IS_ASK_TWICE
	ask_raw();
	ask_raw();
	(void)sleep(1000);
#elif FAULT_IS_DEAF
	(void)shutdown(find_channel(), SHUT_RD);
	ask_raw();
	(void)sleep(1000);
#elif FAULT_IS_STALL
	volatile uint32_t *slot = find_slot();

	for (uint32_t i = 0;; i++) {
		slot[0] = i;
		slot[1] = 1;
		slot[2] = slot[3] = UINT32_MAX;
		(void)usleep(100);
	}
#elif FAULT_IS_REASON
	/* A finding: size, type, rule, skip, now, five texts that are not there, a reason. */
	const uint32_t none = UINT32_MAX;
	const uint32_t frame[] = { 48,	 3,    own_rule(), KC_SKIP, KC_NOW, none,
				   none, none, none,	   none,    3,	    0x636261 };

	write_raw(frame, sizeof(frame));
	(void)sleep(1000);
#elif FAULT_IS_SILENT
	;
#elif FAULT_IS_LIE
	const struct kc_finding finding = {
		.size = sizeof(finding),
		.verdict = 42,
		.horizon = KC_NOW,
	};

	pass(host, run);
	(void)kc_finding(host, run, &finding);
#elif FAULT_IS_CONSTRUCTOR || FAULT_IS_HANG_EARLY || FAULT_IS_SPEAK_EARLY
	pass(host, run);
#else
#error "no such fault"
#endif
}

int FAULT_RUN(void *state, const struct kc_host *host, struct kc_run *run)
{
	(void)state;
	(void)write_raw;
	(void)ask_raw;
	(void)pass;
	misbehave(host, run);
	return 0;
}
