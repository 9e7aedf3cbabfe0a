/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/num.h"
#include "digest.h"
#include "journal.h"

enum {
	CHECK = 16, /* digits of a line's checksum */
	ALLOCATED_AT_ONCE = 16 * 1024,
};

const char *kc_record_get(const struct kc_record *record, const char *key)
{
	for (size_t i = 0; i < record->pairs.n; i++) {
		if (kc_streq(record->pairs.item[i].key, key))
			return record->pairs.item[i].value;
	}
	return NULL;
}

static void put_value(struct kc_buf *b, const char *value)
{
	for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
		if (*p > 0x20 && *p < 0x7f && *p != '%')
			kc_buf_addc(b, (char)*p);
		else
			kc_buf_addf(b, "%%%02X", *p);
	}
}

void kc_record_put(struct kc_buf *b, const struct kc_record *record)
{
	kc_cleanup(kc_buf_done) struct kc_buf line = { 0 };
	char hex[KC_DIGEST_TEXT];

	kc_buf_addf(&line, " %u %s", record->number, record->verb);
	for (size_t i = 0; i < record->pairs.n; i++) {
		kc_buf_addf(&line, " %s=", record->pairs.item[i].key);
		put_value(&line, record->pairs.item[i].value);
	}
	if (kc_buf_error(&line) < 0) {
		b->failed = true;
		return;
	}
	kc_digest(line.data, line.len, hex);
	kc_buf_add(b, hex, CHECK);
	kc_buf_add(b, line.data, line.len);
	kc_buf_addc(b, '\n');
}

/* In place; -EBADMSG for what put_value() does not write. */
static int take_value(char *value)
{
	char *to = value;

	for (const char *p = value; *p; p++) {
		if (*p == '%') {
			int high = kc_hex_digit(p[1]), low = high < 0 ? -1 : kc_hex_digit(p[2]);

			if (low < 0 || high * 16 + low == 0)
				return -EBADMSG;
			*to++ = (char)(high * 16 + low);
			p += 2;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
	return 0;
}

static bool is_word(const char *s)
{
	return *s && s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789.-")] == '\0';
}

static int take_pairs(char *text, struct kc_arena *arena, struct kc_pairs *ret)
{
	struct kc_pair *pairs = NULL;
	size_t n = 0, room = 0;
	char *rest = text, *word;

	while ((word = strsep(&rest, " "))) {
		char *equal = strchr(word, '=');
		void *grown;

		if (!equal || n == KC_RECORD_PAIRS_MAX)
			return -EBADMSG;
		*equal = '\0';
		if (!is_word(word) || take_value(equal + 1) < 0)
			return -EBADMSG;
		grown = kc_arena_grow(arena, pairs, n, &room, sizeof(*pairs));
		if (!grown)
			return -ENOMEM;
		pairs = grown;
		pairs[n++] = (struct kc_pair){ .key = word, .value = equal + 1 };
	}
	*ret = (struct kc_pairs){ .n = n, .item = pairs };
	return 0;
}

/* One line without its newline, which lives in the arena and is cut up. */
static int take_line(char *line, size_t size, struct kc_arena *arena, struct kc_record *ret)
{
	char hex[KC_DIGEST_TEXT], *rest, *number, *verb;
	struct kc_record record = { 0 };
	uint64_t value;
	int r;

	if (size <= CHECK || line[CHECK] != ' ' || memchr(line, '\0', size))
		return -EBADMSG;
	kc_digest(line + CHECK, size - CHECK, hex);
	if (memcmp(hex, line, CHECK) != 0)
		return -EBADMSG;
	rest = line + CHECK + 1;
	number = strsep(&rest, " ");
	verb = strsep(&rest, " ");
	if (!verb || !is_word(verb) || kc_parse_u64(number, &value) < 0 || value > UINT32_MAX)
		return -EBADMSG;
	record.number = (uint32_t)value;
	record.verb = verb;
	r = rest ? take_pairs(rest, arena, &record.pairs) : 0;
	if (r == 0)
		*ret = record;
	return r;
}

int kc_journal_parse(const char *text, size_t size, struct kc_arena *arena, struct kc_err *err,
		     struct kc_journal_text *ret_journal)
{
	struct kc_journal_text journal = { 0 };
	size_t room = 0, at = 0;

	while (at < size) {
		const char *newline = memchr(text + at, '\n', size - at);
		size_t n = newline ? (size_t)(newline - text) - at : size - at;
		struct kc_record record;
		char *line;
		void *grown;
		int r;

		/* Only whole lines were made durable. */
		if (!newline)
			break;
		line = n <= KC_RECORD_MAX ? kc_arena_memdup(arena, text + at, n) : NULL;
		if (!line && n <= KC_RECORD_MAX)
			return kc_err_set(err, -ENOMEM, "out of memory");
		r = line ? take_line(line, n, arena, &record) : -EBADMSG;
		if (r == 0 && record.number != journal.n + 1)
			r = -EBADMSG;
		/* Half of it may have been written, newlines of older blocks behind it. */
		if (r == -EBADMSG && at + n + 1 == size)
			break;
		if (r < 0)
			return kc_err_set(err, r, "line %u of the journal is not as it was written",
					  journal.n + 1);
		grown = kc_arena_grow(arena, journal.records, journal.n, &room, sizeof(record));
		if (!grown)
			return kc_err_set(err, -ENOMEM, "out of memory");
		journal.records = grown;
		journal.records[journal.n++] = record;
		at += n + 1;
	}
	journal.good = at;
	*ret_journal = journal;
	return 0;
}

int kc_journal_create(int dir, const char *name, struct kc_err *err, struct kc_journal *ret)
{
	int fd = openat(dir, name, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);

	if (fd < 0)
		return kc_err_set(err, -errno, "the journal cannot be made: %s",
				  kc_strerror(errno));
	*ret = (struct kc_journal){ .fd = fd };
	return 0;
}

static int lay_aside(struct kc_journal *journal, size_t end, struct kc_err *err)
{
	size_t wanted = (end + ALLOCATED_AT_ONCE - 1) / ALLOCATED_AT_ONCE * ALLOCATED_AT_ONCE;

	if (end <= journal->allocated)
		return 0;
	if (end > KC_JOURNAL_MAX)
		return kc_err_set(err, -EFBIG, "the journal is too large for more");
	/* Not every file system can; there an undo goes on without what it would have written. */
	if (fallocate(journal->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)wanted) < 0 &&
	    errno != EOPNOTSUPP)
		return kc_err_set(err, -errno,
				  "no room can be laid aside in the journal for taking it back: %s",
				  kc_strerror(errno));
	journal->allocated = wanted;
	return 0;
}

/* What is behind the last whole record goes, and with it what was laid aside there: anew, then. */
static int cut_off(struct kc_journal *journal)
{
	struct stat st;

	if (fstat(journal->fd, &st) < 0 || ftruncate(journal->fd, (off_t)journal->size) < 0)
		return -errno;
	journal->allocated = 0;
	(void)lay_aside(journal, KC_MIN((size_t)st.st_blocks * 512, (size_t)KC_JOURNAL_MAX), NULL);
	return 0;
}

static int open_file(int dir, const char *name, bool read_only, struct kc_err *err, int *ret_fd)
{
	int fd = openat(dir, name,
			(read_only ? O_RDONLY : O_RDWR | O_APPEND) | O_NOFOLLOW | O_NONBLOCK |
				O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return kc_err_set(err, -errno, "the journal cannot be opened: %s",
				  kc_strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1) {
		(void)kc_close(fd);
		return kc_err_set(err, -EINVAL, "the journal is no plain file");
	}
	*ret_fd = fd;
	return 0;
}

int kc_journal_open(int dir, const char *name, bool read_only, struct kc_arena *arena,
		    struct kc_err *err, struct kc_journal_text *ret_text, struct kc_journal *ret)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	kc_cleanup(kc_closep) int fd = -EBADF;
	struct kc_journal_text journal;
	struct kc_journal opened;
	int r = open_file(dir, name, read_only, err, &fd);

	if (r < 0)
		return r;
	r = kc_read_all(fd, KC_JOURNAL_MAX, &text);
	if (r < 0)
		return kc_err_set(err, r, "the journal cannot be read: %s", kc_strerror(r));
	r = kc_journal_parse(text.data, text.len, arena, err, &journal);
	if (r < 0)
		return r;
	opened = (struct kc_journal){ .fd = fd, .last = journal.n, .size = journal.good };
	if (!read_only && journal.good < text.len && (cut_off(&opened) < 0 || fsync(fd) < 0))
		return kc_err_set(err, -errno, "the journal's torn end cannot be cut off: %s",
				  kc_strerror(errno));
	*ret_text = journal;
	*ret = opened;
	(void)TAKE_FD(fd);
	return 0;
}

void kc_journal_done(struct kc_journal *journal)
{
	journal->fd = kc_close(journal->fd);
}

int kc_journal_append(struct kc_journal *journal, const char *verb, const struct kc_pair *pairs,
		      size_t n, size_t ahead, struct kc_err *err)
{
	kc_cleanup(kc_buf_done) struct kc_buf line = { 0 };
	const struct kc_record record = {
		.number = journal->last + 1,
		.verb = verb,
		.pairs = { .n = n, .item = pairs },
	};
	int r;

	kc_record_put(&line, &record);
	r = kc_buf_error(&line);
	if (r == 0 && (line.len > KC_RECORD_MAX || journal->size + line.len > KC_JOURNAL_MAX))
		r = -EFBIG;
	if (r < 0)
		return kc_err_set(err, r, "the journal cannot be written: %s", kc_strerror(r));
	if (ahead > 0)
		r = lay_aside(journal, journal->size + line.len + ahead, err);
	if (r < 0)
		return r;
	r = kc_write_all(journal->fd, line.data, line.len);
	if (r == 0 && fdatasync(journal->fd) < 0)
		r = -errno;
	if (r < 0) {
		/* Half a line would be lost together with the next. */
		if (cut_off(journal) < 0)
			journal->fd = kc_close(journal->fd);
		return kc_err_set(err, r, "the journal cannot be written: %s", kc_strerror(r));
	}
	journal->last++;
	journal->size += line.len;
	return 0;
}
