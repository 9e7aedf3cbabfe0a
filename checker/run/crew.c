/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "assignment.h"
#include "base/clock.h"
#include "base/fdio.h"
#include "base/utf8.h"
#include "crew.h"

static void free_member(struct kc_crew *crew, struct kc_member *m)
{
	kc_channel_done(&m->channel);
	(void)kc_close(m->log_fd);
	if (m->slot)
		kc_slots_give(&crew->slots, m->slot_index);
	free(m->todo);
	free(m);
}

int kc_crew_start(struct kc_crew *crew, const struct kc_run_config *config, struct kc_err *err)
{
	kc_cleanup(kc_root_freep) struct kc_root *root = NULL;
	int r;

	*crew = (struct kc_crew){ .config = config };
	/* So that a root that cannot be opened is said before anything is started. */
	r = kc_root_open(config->root, config->live ? KC_ROOT_LIVE : 0, err, &root);
	if (r < 0)
		return r;
	r = kc_slots_map(&crew->slots);
	if (r < 0)
		return kc_err_set(err, r, "mmap: %s", kc_strerror(r));
	r = kc_zygote_start(config, &crew->slots, err, &crew->zygote);
	/* Where it cannot be, the first question tries again, and says why. */
	if (r >= 0 && config->live)
		(void)kc_broker_start(config, NULL, &crew->broker);
	return r;
}

void kc_crew_done(struct kc_crew *crew)
{
	for (size_t i = 0; i < crew->n_members; i++)
		free_member(crew, crew->members[i]);
	free(crew->members);
	crew->members = NULL;
	crew->n_members = 0;
	kc_broker_stop(&crew->broker);
	kc_zygote_stop(&crew->zygote);
	kc_slots_unmap(&crew->slots);
}

static int start(struct kc_crew *crew, struct kc_member *m, const struct kc_plugin_file *file)
{
	struct kc_worker_birth birth = {
		.name = file->manifest->name,
		.path = file->path,
		.channel = -EBADF,
		.log = -EBADF,
		.plugin = file->fd,
		.mountinfo = -EBADF,
	};
	int pair[2] = { -EBADF, -EBADF }, log[2] = { -EBADF, -EBADF };
	int r;

	r = kc_slots_take(&crew->slots, &m->slot_index);
	if (r < 0)
		return r;
	m->slot = kc_slots_at(&crew->slots, m->slot_index);
	birth.slot = m->slot_index;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0 ||
	    pipe2(log, O_CLOEXEC | O_NONBLOCK) < 0)
		r = -errno;
	if (r >= 0) {
		kc_channel_init(&m->channel, pair[0]);
		m->log_fd = log[0];
		birth.channel = pair[1];
		birth.log = log[1];
		if (crew->config->live)
			birth.mountinfo = kc_mountinfo_open(crew->config->root);
		r = kc_zygote_spawn(&crew->zygote, m->id, &birth);
	} else {
		(void)kc_close(pair[0]);
	}
	(void)kc_close(pair[1]);
	(void)kc_close(log[1]);
	(void)kc_close(birth.mountinfo);
	return r;
}

static int add(struct kc_crew *crew, const struct kc_plugin_file *file,
	       struct kc_member **ret_member)
{
	struct kc_member **grown, *m;
	int r;

	grown = realloc(crew->members, (crew->n_members + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	crew->members = grown;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	*m = (struct kc_member){
		.id = ++crew->last_id,
		.plugin = KC_NO_PLUGIN,
		.manifest = file->manifest,
		.state = KC_MEMBER_LOADING,
		.channel = { .fd = -EBADF },
		.log_fd = -EBADF,
		.open = true,
		.seen_usec = kc_now_usec(),
	};
	r = start(crew, m, file);
	if (r < 0) {
		free_member(crew, m);
		return r;
	}
	crew->members[crew->n_members++] = m;
	*ret_member = m;
	return 0;
}

int kc_crew_expect(struct kc_crew *crew, const struct kc_plugin_file *file)
{
	struct kc_member *m;

	return add(crew, file, &m);
}

void kc_crew_settle(struct kc_crew *crew)
{
	for (size_t i = 0; i < crew->n_members; i++) {
		struct kc_member *m = crew->members[i];

		if (m->plugin == KC_NO_PLUGIN && !m->dismissed) {
			m->dismissed = true;
			m->dismissed_usec = kc_now_usec();
			(void)kc_zygote_kill(&crew->zygote, m->id);
		}
	}
}

static int compare_indexes(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Tells it all that it is to know before it opens its plugin. */
static int tell(struct kc_crew *crew, struct kc_member *m)
{
	const struct kc_rule *rules = crew->config->profile->rules;
	kc_cleanup(kc_freep) uint32_t *order = malloc(((size_t)m->n_todo + 1) * sizeof(*order));
	struct kc_buf *out = &m->channel.out;

	if (!order)
		return -ENOMEM;
	if (m->n_todo > 0) {
		memcpy(order, m->todo, m->n_todo * sizeof(*order));
		qsort(order, m->n_todo, sizeof(*order), compare_indexes);
	}
	kc_frame_manifest(out, m->manifest);
	for (uint32_t i = 0; i < m->n_todo; i++)
		kc_frame_rule(out, rules + order[i]);
	kc_frame_end(out, kc_frame_begin(out, KC_FRAME_OPEN, 0));
	if (out->failed)
		return -ENOMEM;
	return 0;
}

static struct kc_member *find_expected(const struct kc_crew *crew,
				       const struct kc_manifest *manifest)
{
	for (size_t i = 0; i < crew->n_members; i++) {
		struct kc_member *m = crew->members[i];

		if (m->plugin == KC_NO_PLUGIN && m->manifest == manifest)
			return m;
	}
	return NULL;
}

int kc_crew_add(struct kc_crew *crew, uint32_t plugin, uint32_t *todo, uint32_t n_todo,
		struct kc_member **ret_member)
{
	const struct kc_plugin_file *file = crew->config->plugins + plugin;
	struct kc_member *m = find_expected(crew, file->manifest);
	int r = m ? 0 : add(crew, file, &m);

	if (r < 0) {
		free(todo);
		return r;
	}
	m->plugin = plugin;
	m->todo = todo;
	m->n_todo = n_todo;
	m->seen_usec = kc_now_usec();
	r = tell(crew, m);
	if (r < 0) {
		kc_crew_remove(crew, m);
		return r;
	}
	if (ret_member)
		*ret_member = m;
	return 0;
}

struct kc_member *kc_crew_find(const struct kc_crew *crew, uint32_t id)
{
	for (size_t i = 0; i < crew->n_members; i++) {
		if (crew->members[i]->id == id)
			return crew->members[i];
	}
	return NULL;
}

void kc_crew_remove(struct kc_crew *crew, struct kc_member *member)
{
	for (size_t i = 0; i < crew->n_members; i++) {
		if (crew->members[i] == member) {
			free_member(crew, member);
			crew->members[i] = crew->members[--crew->n_members];
			return;
		}
	}
}

void kc_member_dismiss(struct kc_crew *crew, struct kc_member *m, const char *fmt, ...)
{
	va_list ap;

	if (m->dismissed)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(m->cause_text, sizeof(m->cause_text), fmt, ap);
	va_end(ap);
	m->cause = m->cause_text;
	m->dismissed = true;
	m->dismissed_usec = kc_now_usec();
	(void)kc_zygote_kill(&crew->zygote, m->id);
}

void kc_member_push(struct kc_member *m)
{
	if (kc_channel_flush(&m->channel) >= 0)
		return;
	kc_buf_reset(&m->channel.out);
	m->channel.out_sent = 0;
}

int kc_member_run(struct kc_member *m)
{
	struct kc_buf *out = &m->channel.out;
	size_t begin = kc_frame_begin(out, KC_FRAME_RUN, 0), at = out->len;
	uint32_t n = 0;

	kc_put_u32(out, 0);
	for (uint32_t i = m->next; i < m->cleared;) {
		uint32_t first = m->todo[i], count = 1;

		while (i + count < m->cleared && m->todo[i + count] == first + count)
			count++;
		kc_put_u32(out, first);
		kc_put_u32(out, count);
		i += count;
		n++;
	}
	if (!out->failed)
		memcpy(out->data + at, &n, sizeof(n));
	kc_frame_end(out, begin);
	m->state = KC_MEMBER_RUNNING;
	m->seen = m->next;
	m->seen_usec = kc_now_usec();
	return kc_channel_flush(&m->channel);
}

int kc_member_gather(struct kc_member *m)
{
	kc_frame_end(&m->channel.out, kc_frame_begin(&m->channel.out, KC_FRAME_GATHER, 0));
	m->state = KC_MEMBER_GATHERING;
	m->seen_usec = kc_now_usec();
	return kc_channel_flush(&m->channel);
}

int kc_member_facts(struct kc_member *m, const struct kc_fact_value *facts, uint32_t n)
{
	m->has_facts = true;
	kc_frame_facts(&m->channel.out, facts, n);
	return kc_channel_flush(&m->channel);
}

void kc_member_read_log(struct kc_member *m)
{
	char chunk[4096];

	for (unsigned i = 0; m->log_fd >= 0 && i < 64; i++) {
		ssize_t n = read(m->log_fd, chunk, sizeof(chunk));
		size_t keep, over;

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0) {
			m->log_fd = kc_close(m->log_fd);
			return;
		}
		if (n < 0)
			return;
		m->log_total += (size_t)n;
		keep = KC_MIN((size_t)n, sizeof(m->log));
		over = m->log_len + keep > sizeof(m->log) ? m->log_len + keep - sizeof(m->log) : 0;
		memmove(m->log, m->log + over, m->log_len - over);
		m->log_len -= over;
		memcpy(m->log + m->log_len, chunk + ((size_t)n - keep), keep);
		m->log_len += keep;
	}
}

int64_t kc_member_doing(struct kc_member *m, uint64_t *ret_since_usec)
{
	uint32_t doing = __atomic_load_n(&m->slot->doing, __ATOMIC_ACQUIRE), i = m->next;
	uint64_t since = __atomic_load_n(&m->slot->since_usec, __ATOMIC_RELAXED);

	*ret_since_usec = m->seen_usec;
	if (m->state != KC_MEMBER_RUNNING)
		return -1;
	while (i < m->cleared && m->todo[i] + 1 != doing)
		i++;
	if (i == m->cleared)
		return -1;
	if (i >= m->seen) {
		m->seen = i + 1;
		m->seen_usec = kc_now_usec();
		m->waited = false;
	}
	/* Who dates a start forward gains nothing: what was seen counts. */
	*ret_since_usec = since > m->seen_usec || since == 0 ? m->seen_usec : since;
	return i;
}

static void add_log(const struct kc_member *m, struct kc_buf *b)
{
	const char *text = m->log;
	size_t len = m->log_len;
	enum {
		SHOWN = 400
	};

	while (len > 0 && kc_isspace(text[len - 1]))
		len--;
	if (len == 0)
		return;
	kc_buf_adds(b, "; it last wrote: ");
	if (len > SHOWN) {
		kc_buf_adds(b, "…");
		text += len - SHOWN;
		len = SHOWN;
	}
	kc_escape(b, text, len);
}

const char *kc_member_epitaph(const struct kc_member *m, uint32_t status, struct kc_arena *arena)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	const char *text;
	int s = (int)status;

	if (m->cause)
		kc_buf_adds(&b, m->cause);
	else if (WIFSIGNALED(s))
		kc_buf_addf(&b, "its worker died of signal %d (%s)", WTERMSIG(s),
			    WTERMSIG(s) == SIGXCPU ? "CPU time limit" : strsignal(WTERMSIG(s)));
	else
		kc_buf_addf(&b, "its worker exited with status %d in the middle of the check",
			    WEXITSTATUS(s));
	add_log(m, &b);
	text = kc_buf_error(&b) < 0 ? NULL : kc_arena_strdup(arena, b.data);
	return text ? text : "its worker died";
}
