/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/mount.h>

#include "base/num.h"
#include "base/str.h"
#include "mountinfo-line.h"

enum {
	NOSYMFOLLOW = 256, /* MS_NOSYMFOLLOW, since Linux 5.10; older headers lack it */
};

/* What stands before the next space, which may be nothing; NULL behind the last. */
static char *next_field(char **rest)
{
	char *field = *rest, *space = field ? strchr(field, ' ') : NULL;

	if (space)
		*space++ = '\0';
	*rest = space;
	return field;
}

static bool is_octal(char c, char max)
{
	return c >= '0' && c <= max;
}

static const char *unescape(char *text)
{
	char *to = text;

	for (const char *p = text; *p; to++) {
		if (p[0] == '\\' && is_octal(p[1], '3') && is_octal(p[2], '7') &&
		    is_octal(p[3], '7') && memcmp(p + 1, "000", 3) != 0) {
			*to = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			p += 4;
		} else {
			*to = *p++;
		}
	}
	*to = '\0';
	return text;
}

static unsigned long flags_of(char *options)
{
	static const struct {
		const char *name;
		unsigned long flag;
	} known[] = {
		{ "ro", MS_RDONLY },	     { "nosuid", MS_NOSUID },
		{ "nodev", MS_NODEV },	     { "noexec", MS_NOEXEC },
		{ "noatime", MS_NOATIME },   { "nodiratime", MS_NODIRATIME },
		{ "relatime", MS_RELATIME }, { "nosymfollow", NOSYMFOLLOW },
	};
	unsigned long flags = 0;
	char *save = NULL;

	for (char *o = strtok_r(options, ",", &save); o; o = strtok_r(NULL, ",", &save)) {
		for (size_t i = 0; i < KC_ARRAY_SIZE(known); i++) {
			if (kc_streq(o, known[i].name))
				flags |= known[i].flag;
		}
	}
	return flags & (MS_NOATIME | MS_RELATIME) ? flags : flags | MS_STRICTATIME;
}

int kc_mountinfo_line(char *text, struct kc_mountinfo_line *ret_line)
{
	struct kc_mountinfo_line line = { 0 };
	char *rest = text, *id, *parent, *device, *root, *point, *options, *optional, *type,
	     *source;

	id = next_field(&rest);
	parent = next_field(&rest);
	device = next_field(&rest);
	root = next_field(&rest);
	point = next_field(&rest);
	options = next_field(&rest);
	/* "shared:1" and the like, as many as there are. */
	do
		optional = next_field(&rest);
	while (optional && !kc_streq(optional, "-"));
	type = next_field(&rest);
	source = next_field(&rest);
	/* Each is NULL where the one before it is. */
	if (!rest || !*device || !*type || !*options || *point != '/' ||
	    kc_parse_u64(id, &line.id) < 0 || kc_parse_u64(parent, &line.parent) < 0)
		return -EBADMSG;
	line.root = unescape(root);
	line.point = unescape(point);
	line.flags = flags_of(options);
	line.type = unescape(type);
	line.source = unescape(source);
	line.options = rest;
	*ret_line = line;
	return 0;
}

int kc_mountinfo_next(char **rest, struct kc_mountinfo_line *ret_line)
{
	char *text = *rest, *end = strchr(text, '\n');
	int r;

	if (!*text)
		return 0;
	if (end)
		*end = '\0';
	*rest = end ? end + 1 : text + strlen(text);
	r = kc_mountinfo_line(text, ret_line);
	return r < 0 ? r : 1;
}
