/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel-threads.h"

enum {
	FLAGS_FIELD = 9,
	PF_KTHREAD = 0x00200000, /* include/linux/sched.h, since 2.6.27 */
	STAT_MAX = 8 * 1024,
	CHILDREN_MAX = 1024 * 1024,
};

bool kc_is_kernel_thread(const char *stat)
{
	/* after the name, which may have any bytes: state is field 3 */
	const char *s = strrchr(stat, ')');
	uint64_t flags;
	char word[24];
	size_t n;

	if (!s)
		return false;
	s++;
	for (int field = 3; field < FLAGS_FIELD; field++) {
		s += strspn(s, " ");
		s += strcspn(s, " ");
	}
	s += strspn(s, " ");
	n = strcspn(s, " \n");
	if (n == 0 || n >= sizeof(word))
		return false;
	memcpy(word, s, n);
	word[n] = '\0';
	return kc_parse_u64(word, &flags) == 0 && flags & PF_KTHREAD;
}

static int order(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

bool kc_kernel_threads_have(const struct kc_kernel_threads *threads, uint32_t pid)
{
	return threads->n > 0 &&
	       bsearch(&pid, threads->pid, threads->n, sizeof(pid), order) != NULL;
}

/* Numbers with a space behind each; what is none is passed over. */
static int read_numbers(const struct kc_bytes *bytes, struct kc_arena *arena,
			struct kc_kernel_threads *threads)
{
	const char *s = bytes->data, *end = s + bytes->size;

	/* No number is shorter than a digit and a space. */
	threads->pid = kc_arena_zalloc(arena, bytes->size / 2 + 1, sizeof(*threads->pid));
	if (!threads->pid)
		return -ENOMEM;
	while (s < end) {
		const char *space = memchr(s, ' ', (size_t)(end - s));
		size_t n = space ? (size_t)(space - s) : (size_t)(end - s);
		uint64_t pid;
		char word[24];

		if (n > 0 && n < sizeof(word)) {
			memcpy(word, s, n);
			word[n] = '\0';
			if (kc_parse_u64(word, &pid) == 0 && pid <= UINT32_MAX)
				threads->pid[threads->n++] = (uint32_t)pid;
		}
		s += n + 1;
	}
	if (threads->n > 1)
		qsort(threads->pid, threads->n, sizeof(*threads->pid), order);
	return 0;
}

int kc_kernel_threads_read(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			   struct kc_kernel_threads *ret_threads)
{
	struct kc_kernel_threads threads = { 0 };
	struct kc_bytes bytes;
	int r;

	r = kc_read_file(host, run, "/proc/2/stat", STAT_MAX, &bytes);
	if (r == 0 && kc_is_kernel_thread(bytes.data))
		r = kc_read_file(host, run, "/proc/2/task/2/children", CHILDREN_MAX, &bytes);
	else
		r = r < 0 ? r : -ENOENT;
	if (r == 0)
		r = read_numbers(&bytes, arena, &threads);
	if (r == -ENOMEM)
		return r;
	*ret_threads = threads;
	return 0;
}
