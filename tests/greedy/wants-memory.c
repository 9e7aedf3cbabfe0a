/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "greedy.h"

enum {
	MIB = 1024 * 1024,
	OBJECTS = 64,
	SEGMENTS = 8, /* of so many MiB: */
	SEGMENT_MIB = 16,
	SHARED_MAX_MIB = 4096,
	PRIVATE_MAX_MIB = 1024,
	FILE_MAX_MIB = 256,
	FILES_MAX = 100 * 1000,
};

/* ---- System V and POSIX objects, which outlive who made them */

static int take_segments(struct greedy *g)
{
	for (uint32_t i = 0; i < SEGMENTS; i++) {
		int id = shmget((key_t)(g->key + i), SEGMENT_MIB * MIB, IPC_CREAT | 0600);
		char *memory = id < 0 ? (char *)-1 : shmat(id, NULL, 0);

		if (memory == (char *)-1)
			return -errno;
		memset(memory, 1, SEGMENT_MIB * MIB);
		if (shmdt(memory) < 0)
			return -errno;
	}
	return 0;
}

static int take_semaphores(struct greedy *g)
{
	for (uint32_t i = 0; i < OBJECTS; i++) {
		if (semget((key_t)(g->key + i), 32, IPC_CREAT | 0600) < 0)
			return -errno;
	}
	return 0;
}

static int take_queues(struct greedy *g)
{
	const struct {
		long type;
		char text[1024];
	} message = { .type = 1 };

	for (uint32_t i = 0; i < OBJECTS; i++) {
		int id = msgget((key_t)(g->key + i), IPC_CREAT | 0600);

		if (id < 0)
			return -errno;
		while (msgsnd(id, &message, sizeof(message.text), IPC_NOWAIT) == 0)
			;
	}
	return 0;
}

/* mq_open(3) of old libraries is in one of its own. */
static int take_posix_queue(struct greedy *g)
{
	char name[32];
	long fd;

	(void)snprintf(name, sizeof(name), "greedy-%u", g->key);
	fd = syscall(SYS_mq_open, name, O_CREAT | O_RDWR, 0600, NULL);
	return fd < 0 ? -errno : 0;
}

/* ---- memory */

static int map_until_refused(struct greedy *g, int protection, int flags, unsigned max_mib)
{
	volatile char seen = 0;
	unsigned mib = 0;

	while (mib < max_mib) {
		char *memory = mmap(NULL, MIB, protection, flags | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED)
			break;
		/* A page of it: that the rest could be had is known. */
		if (protection & PROT_WRITE)
			*memory = 1;
		seen = *memory;
		mib++;
	}
	(void)seen;
	(void)snprintf(g->said, sizeof(g->said), "%u MiB", mib);
	return mib == max_mib ? 0 : -ENOMEM;
}

/* A limit on data does not count this. */
static int take_shared_memory(struct greedy *g)
{
	return map_until_refused(g, PROT_READ | PROT_WRITE, MAP_SHARED, SHARED_MAX_MIB);
}

static int take_memory(struct greedy *g)
{
	return map_until_refused(g, PROT_READ | PROT_WRITE, MAP_PRIVATE, PRIVATE_MAX_MIB);
}

/* Nor this, of which page tables alone take memory. */
static int take_space(struct greedy *g)
{
	return map_until_refused(g, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, SHARED_MAX_MIB);
}

static int deeper(volatile char *above, unsigned long depth)
{
	volatile char here[4096];

	here[0] = above[0];
	/* Not the last thing that it does, so that each has its own place. */
	return depth == 0 ? 0 : deeper(here, depth - 1) + here[0];
}

static int take_stack(struct greedy *g)
{
	volatile char first[1] = { 0 };

	(void)snprintf(g->said, sizeof(g->said), "%d", deeper(first, 1000 * 1000));
	return 0;
}

/* ---- files */

static int fill(int fd)
{
	static const char block[65536] = "x";
	int r = 0;

	for (unsigned i = 0; i < FILE_MAX_MIB * (MIB / sizeof(block)) && r == 0; i++) {
		if (write(fd, block, sizeof(block)) < 0)
			r = -errno;
	}
	/* Not by way of write(2). */
	if (r < 0 && ftruncate(fd, FILE_MAX_MIB * MIB) == 0)
		r = 0;
	if (r < 0 && fallocate(fd, 0, 0, FILE_MAX_MIB * MIB) == 0)
		r = 0;
	return r;
}

static int fill_file(const char *path)
{
	int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600), r;

	if (fd < 0)
		return -errno;
	r = fill(fd);
	(void)close(fd);
	return r;
}

static int fill_folder(struct greedy *g)
{
	char path[512];

	/* The limit makes it an error then, and not the end. */
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)snprintf(path, sizeof(path), "%s/greedy-%u", g->at, g->key);
	return fill_file(path);
}

static int fill_shm(struct greedy *g)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/dev/shm/greedy-%u", g->key);
	return fill_file(path);
}

static int fill_memory_file(struct greedy *g)
{
	int fd = (int)syscall(SYS_memfd_create, "greedy", 0), r;

	if (fd < 0)
		return -errno;
	(void)signal(SIGXFSZ, SIG_IGN);
	r = fill(fd);
	(void)close(fd);
	(void)g;
	return r;
}

static int take_descriptors(struct greedy *g)
{
	unsigned n = 0;

	while (n < FILES_MAX && open("/proc/self/status", O_RDONLY | O_CLOEXEC) >= 0)
		n++;
	(void)snprintf(g->said, sizeof(g->said), "%u descriptors", n);
	return n == FILES_MAX ? 0 : -errno;
}

/* ---- output */

static int flood(int fd)
{
	static const char line[] = "all work and no play makes a dull plugin\n";
	int64_t since = 0;

	while (!is_over(&since)) {
		if (write(fd, line, sizeof(line) - 1) < 0 && errno != EAGAIN)
			return -errno;
	}
	return 0;
}

static int flood_output(struct greedy *g)
{
	(void)g;
	return flood(STDOUT_FILENO);
}

static int flood_errors(struct greedy *g)
{
	(void)g;
	return flood(STDERR_FILENO);
}

const struct want wants_of_memory[] = {
	{ "shm", take_segments },
	{ "sem", take_semaphores },
	{ "msg", take_queues },
	{ "mq", take_posix_queue },
	{ "shared-memory", take_shared_memory },
	{ "memory", take_memory },
	{ "space", take_space },
	{ "stack", take_stack },
	{ "folder", fill_folder },
	{ "dev-shm", fill_shm },
	{ "memfd", fill_memory_file },
	{ "descriptors", take_descriptors },
	{ "output", flood_output },
	{ "errors", flood_errors },
	{ NULL, NULL },
};
