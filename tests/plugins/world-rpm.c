/* SPDX-License-Identifier: Apache-2.0 */
#include "world-internal.h"

/*
 * rpm as `rpm -q --queryformat FORMAT NAME…` answers, over the packages that `rpm` of the world
 * lists as NAME-[EPOCH:]VERSION-RELEASE.ARCH. Tags as rpm(8) has them; FORMAT's \n and \t are the
 * only escapes.
 */
struct package {
	const char *name, *epoch, *version, *release, *arch;
};

/* Cuts a text at the last such character; NULL when it has none. */
static char *cut_last(char *text, char at)
{
	char *p = strrchr(text, at);

	if (p)
		*p++ = '\0';
	return p;
}

static struct package package_of(struct world *w, const char *text)
{
	char *copy = kc_arena_strdup(&w->arena, text), *epoch;
	struct package p = { .epoch = "(none)" };

	if (!copy)
		abort();
	p.arch = cut_last(copy, '.');
	p.release = p.arch ? cut_last(copy, '-') : NULL;
	p.version = p.release ? cut_last(copy, '-') : NULL;
	p.name = copy;
	if (!p.version)
		world_broken(w, "rpm: not NAME-VERSION-RELEASE.ARCH", text);
	epoch = strchr(p.version, ':');
	if (epoch) {
		*epoch = '\0';
		p.epoch = p.version;
		p.version = epoch + 1;
	}
	return p;
}

static const char *tag_of(struct world *w, const struct package *p, const char *tag)
{
	if (kc_streq(tag, "NAME"))
		return p->name;
	if (kc_streq(tag, "EPOCH"))
		return p->epoch;
	if (kc_streq(tag, "EPOCHNUM"))
		return kc_streq(p->epoch, "(none)") ? "0" : p->epoch;
	if (kc_streq(tag, "VERSION"))
		return p->version;
	if (kc_streq(tag, "RELEASE"))
		return p->release;
	if (kc_streq(tag, "ARCH"))
		return p->arch;
	world_broken(w, "rpm: a tag that the test does not know", tag);
}

static void expand(struct world *w, struct kc_buf *b, const char *format, const struct package *p)
{
	for (const char *c = format; *c; c++) {
		if (c[0] == '\\' && c[1]) {
			kc_buf_addc(b, *++c == 'n' ? '\n' : *c == 't' ? '\t' : *c);
		} else if (c[0] == '%' && c[1] == '{') {
			size_t n = strcspn(c + 2, "}");

			kc_buf_adds(b, tag_of(w, p, world_text(w, "%.*s", (int)n, c + 2)));
			c += 2 + n;
		} else {
			kc_buf_addc(b, *c);
		}
	}
}

/* One name; false when no package has it. */
static bool query(struct world *w, const struct kc_yaml_node *list, const char *format,
		  const char *name, struct kc_buf *b)
{
	bool found = false;

	for (uint32_t i = 0; i < list->n; i++) {
		struct package p = package_of(w, list->item[i]->scalar);

		if (!kc_streq(p.name, name))
			continue;
		expand(w, b, format, &p);
		found = true;
	}
	if (!found)
		kc_buf_addf(b, "package %s is not installed\n", name);
	return found;
}

bool world_ask_rpm(struct world *w, const struct kc_question *question, struct kc_arena *arena,
		   struct kc_answer *answer)
{
	const struct kc_yaml_node *list = kc_yaml_get(w->yaml, "rpm");
	const char *const *argv = question->strings.item + 1;
	kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };
	const char *format = NULL;

	if (!list || question->kind != KC_ASK_PROGRAM ||
	    !kc_streq(question->strings.item[0], "/usr/bin/rpm") || question->strings.n < 5)
		return false;
	format = kc_after_prefix(argv[2], "--queryformat=");
	if (!kc_streq(argv[1], "-q") || (!format && !kc_streq(argv[2], "--queryformat")))
		return false;
	for (size_t i = format ? 4 : 5; i < question->strings.n; i++)
		answer->numbers[0] +=
			!query(w, list, format ? format : argv[3], question->strings.item[i], &out);
	kc_answer_adds(answer, arena, out.data ? out.data : "");
	kc_answer_adds(answer, arena, "");
	return true;
}
