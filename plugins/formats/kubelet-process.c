/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel-threads.h"
#include "kubelet-internal.h"

enum {
	COMM_MAX = 64,
	STAT_MAX = 8 * 1024,
	PROC_STAT_MAX = 4 * 1024 * 1024, /* its interrupt line is long on large machines */
	CANDIDATES_MAX = 64,
	TICK_USEC = 10000, /* USER_HZ is 100 on every architecture */
	SLACK_USEC = 2000000, /* btime has whole seconds, and moves with the clock */
};

struct process {
	uint32_t pid, parent;
	uint64_t start_ticks;
};

int kc_kubelet_cmdline_parse(const char *source, const char *bytes, size_t size,
			     struct kc_arena *arena, struct kc_kubelet_argument **ret_argument,
			     size_t *ret_n)
{
	struct kc_kubelet_argument *argument;
	size_t n = 0, k = 0;

	for (size_t i = 0; i < size; i++)
		n += bytes[i] == '\0';
	n += size > 0 && bytes[size - 1] != '\0';
	argument = kc_arena_zalloc(arena, n + 1, sizeof(*argument));
	if (!argument)
		return -ENOMEM;
	for (size_t i = 0, word = 0; i < size; word++) {
		const char *end = memchr(bytes + i, '\0', size - i);
		size_t length = end ? (size_t)(end - bytes) - i : size - i;

		if (word > 0) {
			argument[k].text = kc_arena_memdup(arena, bytes + i, length);
			argument[k].source =
				kc_arena_printf(arena, "%s, argument %zu", source, word);
			if (!argument[k].text || !argument[k].source)
				return -ENOMEM;
			k++;
		}
		i += length + 1;
	}
	*ret_argument = argument;
	*ret_n = k;
	return 0;
}

int kc_kubelet_stat_parse(const char *text, uint32_t *ret_parent, uint64_t *ret_start_ticks)
{
	/* after the name, which may have any bytes: state is field 3, parent 4, start time 22 */
	const char *s = strrchr(text, ')');
	char word[24];
	uint64_t parent = 0, start = 0;

	if (!s)
		return -EBADMSG;
	s++;
	for (int field = 3; field <= 22; field++) {
		size_t n;

		s += strspn(s, " \n");
		n = strcspn(s, " \n");
		if (n == 0 || n >= sizeof(word))
			return -EBADMSG;
		memcpy(word, s, n);
		word[n] = '\0';
		s += n;
		if (field == 4 && (kc_parse_u64(word, &parent) < 0 || parent > UINT32_MAX))
			return -EBADMSG;
		if (field == 22 && kc_parse_u64(word, &start) < 0)
			return -EBADMSG;
	}
	*ret_parent = (uint32_t)parent;
	*ret_start_ticks = start;
	return 0;
}

/* Microseconds since 1970 when the machine started; 0 when /proc/stat does not say. */
static int64_t boot_time(const struct kc_host *host, struct kc_run *run)
{
	struct kc_bytes bytes;
	const char *s;
	int64_t seconds = 0;

	if (kc_read_file(host, run, "/proc/stat", PROC_STAT_MAX, &bytes) < 0)
		return 0;
	s = strstr(bytes.data, "\nbtime ");
	if (!s)
		return 0;
	for (s += strlen("\nbtime "); *s >= '0' && *s <= '9' && seconds < INT32_MAX; s++)
		seconds = seconds * 10 + (*s - '0');
	return seconds * 1000000;
}

/* 1 when the process is a kubelet that runs (a dead one that nobody waited for has no arguments).
 */
static int look_at(const struct kc_host *host, struct kc_run *run, uint32_t pid,
		   struct process *ret_process)
{
	struct kc_bytes bytes;
	struct process p = { .pid = pid };

	if (kc_read_file(host, run, kc_text(host, run, "/proc/%u/comm", pid), COMM_MAX, &bytes) <
		    0 ||
	    !kc_streq(bytes.data, "kubelet\n"))
		return 0;
	if (kc_read_file(host, run, kc_text(host, run, "/proc/%u/cmdline", pid),
			 KC_KUBELET_CMDLINE_MAX, &bytes) == 0 &&
	    bytes.size == 0)
		return 0;
	if (kc_read_file(host, run, kc_text(host, run, "/proc/%u/stat", pid), STAT_MAX, &bytes) ==
	    0)
		(void)kc_kubelet_stat_parse(bytes.data, &p.parent, &p.start_ticks);
	*ret_process = p;
	return 1;
}

static const char *pair(const struct kc_pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (kc_streq(pairs->item[i].key, key))
			return pairs->item[i].value;
	return NULL;
}

/* What systemd says: the main process (0: none), and a text for people. -errno when it cannot be
 * asked. */
static int ask_systemd(const struct kc_host *host, struct kc_run *run, uint32_t *ret_pid,
		       const char **ret_text)
{
	struct kc_pairs properties;
	const char *main_pid, *active, *sub;
	uint64_t pid = 0;
	int r;

	r = kc_unit(host, run, KC_KUBELET_UNIT, &properties);
	if (r < 0)
		return r;
	main_pid = pair(&properties, "MainPID");
	active = pair(&properties, "ActiveState");
	sub = pair(&properties, "SubState");
	if (main_pid && (kc_parse_u64(main_pid, &pid) < 0 || pid > UINT32_MAX))
		pid = 0;
	*ret_pid = (uint32_t)pid;
	*ret_text = active ? kc_text(host, run, "systemd says of %s: %s%s%s%s", KC_KUBELET_UNIT,
				     active, sub ? " (" : "", sub ? sub : "", sub ? ")" : "")
			   : NULL;
	return 0;
}

/* What systemd says of the unit; `code` is what asking it failed with. */
struct main_process {
	uint32_t pid; /* 0: none */
	const char *text;
	int code;
};

/* None was seen: that says something only when systemd does not know of one. */
static int none_seen(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		     const struct main_process *main, struct kc_kubelet_config *config)
{
	config->state = KC_KUBELET_STOPPED;
	if (main->code < 0)
		return 0;
	config->not_running = main->text;
	if (main->pid == 0)
		return 0;
	config->state = KC_KUBELET_READ;
	return kc_kubelet_set_unread(
		config, arena,
		kc_text(host, run,
			"systemd has the kubelet running as process %u, which /proc does "
			"not show here as a kubelet",
			main->pid),
		kc_text(host, run, "/proc/%u", main->pid));
}

/* Which of several counts. NULL: it cannot be told. */
static const struct process *choose(const struct main_process *main, const struct process *p,
				    size_t n)
{
	const struct process *chosen = NULL;

	if (n == 1)
		return p;
	for (size_t i = 0; main->pid != 0 && i < n; i++)
		if (p[i].pid == main->pid)
			return &p[i];
	for (size_t i = 0; i < n; i++) {
		if (p[i].parent != 1)
			continue;
		if (chosen)
			return NULL;
		chosen = &p[i];
	}
	return chosen;
}

/* Where procfs hides the processes of others (hidepid=, proc(5)), process 1 is not listed, or not
 * to be read. */
static bool are_hidden(const struct kc_host *host, struct kc_run *run,
		       const struct kc_strings *names)
{
	struct kc_bytes bytes;
	bool any = false;
	int r;

	for (size_t i = 0; i < names->n; i++) {
		uint64_t pid;

		if (kc_parse_u64(names->item[i], &pid) < 0)
			continue;
		any = true;
		if (pid == 1) {
			r = kc_read_file(host, run, "/proc/1/comm", COMM_MAX, &bytes);
			return r == -EACCES || r == -EPERM;
		}
	}
	return any;
}

/* Through all processes, for one that systemd does not know. */
static int search(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		  const struct main_process *main, struct kc_kubelet_config *config,
		  struct process *ret_process)
{
	struct process candidate[CANDIDATES_MAX];
	struct kc_kernel_threads threads;
	const struct process *chosen;
	struct kc_strings names;
	size_t n = 0;
	int r;

	r = kc_list_dir(host, run, "/proc", &names);
	if (r < 0)
		return r == -ENOMEM
			       ? r
			       : kc_kubelet_set_unread(config, arena, kc_why(host, run), "/proc");
	r = kc_kernel_threads_read(host, run, arena, &threads);
	if (r < 0)
		return r;
	for (size_t i = 0; i < names.n && n < CANDIDATES_MAX; i++) {
		uint64_t pid;

		if (kc_parse_u64(names.item[i], &pid) < 0 || pid == 0 || pid > INT32_MAX ||
		    kc_kernel_threads_have(&threads, (uint32_t)pid))
			continue;
		n += (size_t)look_at(host, run, (uint32_t)pid, &candidate[n]);
	}
	if (n == 0 && main->pid == 0 && are_hidden(host, run, &names))
		return kc_kubelet_set_unread(config, arena,
					     "the processes of others are hidden here (/proc is "
					     "mounted with hidepid=): whether the kubelet runs "
					     "cannot be seen",
					     "/proc");
	if (n == 0)
		return none_seen(host, run, arena, main, config);
	chosen = choose(main, candidate, n);
	if (!chosen)
		return kc_kubelet_set_unread(
			config, arena,
			"several processes are called kubelet, and it cannot be "
			"told which of them is this node's",
			kc_text(host, run, "/proc/%u", candidate[0].pid));
	*ret_process = *chosen;
	return 0;
}

/* systemd's main process first, which on a node saves a look at every other. */
static int find(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		struct kc_kubelet_config *config, struct process *ret_process)
{
	struct main_process main = { 0 };

	main.code = ask_systemd(host, run, &main.pid, &main.text);
	if (main.code < 0)
		main = (struct main_process){ .code = main.code };
	if (main.pid != 0 && look_at(host, run, main.pid, ret_process))
		return 0;
	return search(host, run, arena, &main, config, ret_process);
}

static int load_process(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			const struct process *process, struct kc_kubelet_config *config)
{
	struct kc_kubelet_argument *argument;
	struct kc_bytes bytes;
	int64_t boot;
	size_t n;
	int r;

	config->pid = process->pid;
	config->start_source = kc_arena_printf(arena, "/proc/%u/cmdline", process->pid);
	if (!config->start_source)
		return -ENOMEM;
	boot = boot_time(host, run);
	if (boot > 0 && process->start_ticks > 0 &&
	    process->start_ticks < INT64_MAX / TICK_USEC / 2)
		config->started_usec = boot + (int64_t)process->start_ticks * TICK_USEC;
	r = kc_read_file(host, run, config->start_source, KC_KUBELET_CMDLINE_MAX, &bytes);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return kc_kubelet_set_unread(config, arena, kc_why(host, run),
					     config->start_source);
	r = kc_kubelet_cmdline_parse(config->start_source, bytes.data, bytes.size, arena, &argument,
				     &n);
	r = r < 0 ? r : kc_kubelet_take_flags(config, arena, argument, n);
	if (r < 0)
		return r;
	/* It runs, so whatever its flags are, this kubelet takes them. */
	config->refusal = NULL;
	config->refusal_source = NULL;
	r = kc_kubelet_load_files(host, run, arena, config);
	for (size_t i = 0; r == 0 && i < config->n_files && !config->changed; i++)
		if (config->started_usec > 0 &&
		    config->file[i].mtime_usec > config->started_usec + SLACK_USEC)
			config->changed = config->file[i].path;
	return r;
}

int kc_kubelet_now(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		   const char *version, struct kc_kubelet_config *ret_config)
{
	struct kc_kubelet_config config = { .state = KC_KUBELET_READ };
	struct process process = { 0 };
	int r;

	if (kc_kubelet_release_parse(version, &config.release) < 0)
		(void)kc_kubelet_release_parse(NULL, &config.release);
	r = find(host, run, arena, &config, &process);
	if (r == 0 && process.pid != 0)
		r = load_process(host, run, arena, &process, &config);
	if (r < 0)
		return r;
	*ret_config = config;
	return 0;
}
