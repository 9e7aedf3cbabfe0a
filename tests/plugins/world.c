/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>

#include "base/fdio.h"
#include "world-internal.h"

void world_complain(struct world *w, const char *fmt, ...)
{
	va_list ap;

	w->failures++;
	(void)printf("%s%s: ", w->prefix, w->name);
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)printf("\n");
}

kc_noreturn void world_broken(struct world *w, const char *what, const char *detail)
{
	(void)printf("  %s: the case is broken: %s: %s\n", w->name, what, detail);
	exit(1);
}

const char *world_text(struct world *w, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = kc_arena_vprintf(&w->arena, fmt, ap);
	va_end(ap);
	if (!s)
		abort();
	return s;
}

const char *world_keep(struct world *w, const char *text)
{
	return text ? world_text(w, "%s", text) : NULL;
}

const char *world_scalar(const struct kc_yaml_node *mapping, const char *key)
{
	const struct kc_yaml_node *node = kc_yaml_get(mapping, key);

	return node && node->type == KC_YAML_SCALAR && !kc_yaml_is_null(node) ? node->scalar : NULL;
}

static void write_quoted(struct kc_buf *b, const char *text)
{
	kc_buf_addc(b, '"');
	for (const char *p = text; *p; p++) {
		if (*p == '"' || *p == '\\')
			kc_buf_addf(b, "\\%c", *p);
		else if (*p == '\n')
			kc_buf_adds(b, "\\n");
		else if ((unsigned char)*p < 0x20)
			kc_buf_addf(b, "\\x%02x", (unsigned)(unsigned char)*p);
		else
			kc_buf_addc(b, *p);
	}
	kc_buf_addc(b, '"');
}

void world_write_text(struct kc_buf *b, const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/";
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "/_.- ()=";
	static const char *const other[] = { "null", "true", "false", "yes", "no", NULL };
	size_t n = strlen(text);

	if (n > 0 && strspn(text, letters) > 0 && strspn(text, safe) == n && text[n - 1] != ' ' &&
	    !kc_strv_has(other, text))
		kc_buf_adds(b, text);
	else
		write_quoted(b, text);
}

void world_write_flow(struct kc_buf *b, const struct kc_yaml_node *node)
{
	bool list = node->type == KC_YAML_SEQUENCE;

	if (node->type == KC_YAML_SCALAR && node->plain) {
		kc_buf_adds(b, node->scalar);
		return;
	}
	if (node->type == KC_YAML_SCALAR) {
		write_quoted(b, node->scalar);
		return;
	}
	kc_buf_addc(b, list ? '[' : '{');
	for (uint32_t i = 0; i < node->n; i++) {
		kc_buf_adds(b, i ? ", " : "");
		if (list) {
			world_write_flow(b, node->item[i]);
			continue;
		}
		world_write_flow(b, node->pair[i].key);
		kc_buf_adds(b, ": ");
		world_write_flow(b, node->pair[i].value);
	}
	kc_buf_addc(b, list ? ']' : '}');
}

const struct kc_yaml_node *world_read_yaml(struct world *w, const char *dir)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	const char *path = world_text(w, "%s/%s", dir, w->file);
	kc_cleanup(kc_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	const struct kc_yaml_node *yaml;
	struct kc_err err = { 0 };

	if (fd < 0 || kc_read_all(fd, 1 << 20, &text) < 0)
		world_broken(w, path, kc_strerror(errno));
	if (kc_yaml_parse(w->file, text.data, text.len, 0, &w->arena, &err, &yaml) < 0)
		world_broken(w, dir, err.text);
	return yaml;
}

void world_open(struct world *w, const char *dir, const char *name, const char *file)
{
	const char *live;

	*w = (struct world){ .name = name, .prefix = "  ", .file = file };
	w->dir = world_text(w, "%s/%s", dir, name);
	w->yaml = world_read_yaml(w, w->dir);
	if (!kc_yaml_get(w->yaml, "expect"))
		world_broken(w, name, "it expects nothing");
	live = world_scalar(w->yaml, "live");
	w->live = !live || kc_streq(live, "true");
	world_make_root(w);
	world_rewind(w);
}

void world_close(struct world *w)
{
	world_remove_root(w);
	kc_buf_done(&w->unanswered);
	kc_arena_done(&w->arena);
}
