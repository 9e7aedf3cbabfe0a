/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/num.h"
#include "base/str.h"
#include "folder-times.h"

int kc_folder_times(int fd, char ret_text[KC_FOLDER_TIMES_MAX], struct kc_err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return kc_err_set(err, -errno, "the times of a folder cannot be read: %s",
				  kc_strerror(errno));
	(void)snprintf(ret_text, KC_FOLDER_TIMES_MAX, "%lld.%09ld-%lld.%09ld",
		       (long long)st.st_atim.tv_sec, st.st_atim.tv_nsec,
		       (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	return 0;
}

static int take_time(char *text, struct timespec *ret)
{
	char *dot = strchr(text, '.');
	int64_t sec;
	uint64_t nsec;

	if (!dot || strlen(dot + 1) != 9)
		return -EBADMSG;
	*dot = '\0';
	if (kc_parse_i64(text, &sec) < 0 || kc_parse_u64(dot + 1, &nsec) < 0)
		return -EBADMSG;
	*ret = (struct timespec){ .tv_sec = sec, .tv_nsec = (long)nsec };
	return 0;
}

static int take_times(const char *text, struct timespec ret_times[2])
{
	char copy[KC_FOLDER_TIMES_MAX], *second;
	size_t n = strlen(text);

	if (n >= sizeof(copy))
		return -EBADMSG;
	memcpy(copy, text, n + 1);
	/* Behind the first point, since a time before 1970 begins with the same sign. */
	second = strchr(copy, '.');
	second = second ? strchr(second, '-') : NULL;
	if (!second)
		return -EBADMSG;
	*second++ = '\0';
	return take_time(copy, ret_times) < 0 ? -EBADMSG : take_time(second, ret_times + 1);
}

int kc_folder_times_set(int fd, const char *text, struct kc_err *err)
{
	struct timespec times[2];

	if (take_times(text, times) < 0)
		return kc_err_set(err, -EBADMSG, "'%.80s' are no times of a folder", text);
	if (futimens(fd, times) < 0)
		return kc_err_set(err, -errno, "the times of a folder cannot be set: %s",
				  kc_strerror(errno));
	return 0;
}

bool kc_folder_times_are(int fd, const char *text)
{
	struct timespec times[2];
	struct stat st;

	return take_times(text, times) == 0 && fstat(fd, &st) == 0 &&
	       st.st_mtim.tv_sec == times[1].tv_sec && st.st_mtim.tv_nsec == times[1].tv_nsec;
}
