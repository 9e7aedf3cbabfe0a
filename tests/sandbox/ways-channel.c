/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "ways.h"

/* The worker's end of its channel, which a plugin is not handed and can look for. */
static int find_channel(void)
{
	for (int fd = 3; fd < 256; fd++) {
		struct stat st;

		if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode))
			return fd;
	}
	return -1;
}

static int send_descriptor(const struct target *t)
{
	char byte = 0, space[CMSG_SPACE(sizeof(int))] = "";
	struct iovec piece = { .iov_base = &byte, .iov_len = 0 };
	struct msghdr message = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = space,
		.msg_controllen = sizeof(space),
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	const int fd = STDERR_FILENO;

	(void)t;
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	return result(sendmsg(find_channel(), &message, MSG_NOSIGNAL));
}

/* FINDING, of another plugin's rule: it passes, and now. */
static int forge_finding(const struct target *t)
{
	const uint32_t none = UINT32_MAX;
	const uint32_t frame[] = { 44, 3, t->rule, 0, 1, none, none, none, none, none, none };

	return result(write(find_channel(), frame, sizeof(frame)));
}

/* DONE, of another plugin's rule. */
static int forge_done(const struct target *t)
{
	const uint32_t frame[] = { 32, 7, t->rule, 0, 0, 1, 0, UINT32_MAX };

	return result(write(find_channel(), frame, sizeof(frame)));
}

/* What k8scheck looks into to see how far a worker is: those of others would be beside it. */
static int write_slots(const struct target *t)
{
	unsigned long at = 0, end = 0, page = (unsigned long)sysconf(_SC_PAGESIZE);
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];

	(void)t;
	while (maps && fgets(line, sizeof(line), maps)) {
		if (strstr(line, "/dev/zero") && strstr(line, " rw-s ") &&
		    sscanf(line, "%lx-%lx", &at, &end) == 2)
			break;
	}
	if (maps)
		(void)fclose(maps);
	if (!at)
		return -ENOTSUP;
	if (end - at == page)
		return -EACCES;
	memset((void *)(at + page), 0x77, page);
	return 0;
}

/* Descriptors that other workers may have as well: where each stands, and how it is read. */
static int disturb_descriptors(const struct target *t)
{
	int channel = find_channel(), n = 0;

	(void)t;
	for (int fd = 3; fd < 256; fd++) {
		if (fd == channel)
			continue;
		n += lseek(fd, 1 << 20, SEEK_SET) >= 0;
		n += fcntl(fd, F_SETFL, O_NONBLOCK | O_APPEND) >= 0;
	}
	return n > 0 ? 0 : -EBADF;
}

static int load_object(const struct target *t)
{
	return dlopen(PATH(t, "object.so"), RTLD_NOW | RTLD_LOCAL) ? 0 : -EACCES;
}

const struct way ways_of_channel[] = {
	{ "send-descriptor", send_descriptor },
	{ "forge-finding", forge_finding },
	{ "forge-done", forge_done },
	{ "write-slots", write_slots },
	{ "shared-descriptors", disturb_descriptors },
	{ "dlopen", load_object },
	{ NULL, NULL },
};
