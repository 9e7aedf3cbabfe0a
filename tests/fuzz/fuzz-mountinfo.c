/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/mount.h>

#include "base/str.h"
#include "sys/mountinfo-line.h"
#include "sys/root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
	if (!condition)
		abort();
}

/* As the kernel writes it: seq_path() and mangle(). */
static void put_escaped(struct kc_buf *b, const char *text)
{
	for (; *text; text++) {
		if (strchr(" \t\n\\#", *text))
			kc_buf_addf(b, "\\%03o", *text);
		else
			kc_buf_addc(b, *text);
	}
	kc_buf_addc(b, ' ');
}

static void put_flags(struct kc_buf *b, unsigned long flags)
{
	static const struct {
		unsigned long flag;
		const char *text;
	} known[] = {
		{ MS_NOSUID, ",nosuid" },     { MS_NODEV, ",nodev" },
		{ MS_NOEXEC, ",noexec" },     { MS_NOATIME, ",noatime" },
		{ 256, ",nosymfollow" },      { MS_NODIRATIME, ",nodiratime" },
		{ MS_RELATIME, ",relatime" },
	};

	kc_buf_adds(b, flags & MS_RDONLY ? "ro" : "rw");
	for (size_t i = 0; i < KC_ARRAY_SIZE(known); i++)
		kc_buf_adds(b, flags & known[i].flag ? known[i].text : "");
}

static void hold_same(const struct kc_mountinfo_line *a, const struct kc_mountinfo_line *b)
{
	must(a->id == b->id && a->parent == b->parent && a->flags == b->flags);
	must(kc_streq(a->root, b->root) && kc_streq(a->point, b->point));
	must(kc_streq(a->type, b->type) && kc_streq(a->source, b->source));
	must(kc_streq(a->options, b->options));
}

/* What was read, written as the kernel would, reads the same. */
static void hold_round(const struct kc_mountinfo_line *line)
{
	struct kc_mountinfo_line again;
	struct kc_buf b = { 0 };

	kc_buf_addf(&b, "%llu %llu 0:1 ", (unsigned long long)line->id,
		    (unsigned long long)line->parent);
	put_escaped(&b, line->root);
	put_escaped(&b, line->point);
	put_flags(&b, line->flags);
	kc_buf_adds(&b, " shared:1 - ");
	put_escaped(&b, line->type);
	put_escaped(&b, line->source);
	kc_buf_adds(&b, line->options);
	must(kc_buf_error(&b) == 0);
	must(kc_mountinfo_line(b.data, &again) == 0);
	hold_same(line, &again);
	kc_buf_done(&b);
}

static void hold_inside(const char *text, size_t size, const struct kc_mountinfo_line *line)
{
	const char *const parts[] = { line->root, line->point, line->type, line->source,
				      line->options };

	for (size_t i = 0; i < KC_ARRAY_SIZE(parts); i++)
		must(parts[i] >= text && parts[i] + strlen(parts[i]) <= text + size);
	must(*line->point == '/' && !strchr(line->options, '\n'));
}

/* A table of mounts: each line is of the text, and what is said of /proc in it is a group or none.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), *copy = strndup((const char *)data, size);
	struct kc_mountinfo_line line;
	size_t length;
	int64_t group;
	char *rest = text;
	int r;

	must(text && copy);
	length = strlen(text);
	while ((r = kc_mountinfo_next(&rest, &line)) != 0) {
		must(rest >= text && rest <= text + length);
		if (r < 0)
			continue;
		hold_inside(text, length, &line);
		hold_round(&line);
	}
	group = kc_proc_group_parse(copy, "/proc");
	must(group >= -1 && group <= UINT32_MAX);
	free(text);
	free(copy);
	return 0;
}
