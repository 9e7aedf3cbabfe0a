/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/grow.h"
#include "base/utf8.h"
#include "fault.h"

static void add(const struct kc_where *where, uint32_t line, uint32_t column, bool warning,
		const char *fmt, va_list ap) kc_printf(5, 0);

static void add(const struct kc_where *where, uint32_t line, uint32_t column, bool warning,
		const char *fmt, va_list ap)
{
	struct kc_faults *f = where->faults;
	struct kc_buf text = { 0 };
	struct kc_fault *items;

	if (!warning)
		f->n_errors++;
	items = kc_grow(f->items, f->n, &f->size, sizeof(*items));
	if (!items) {
		f->failed = true;
		return;
	}
	f->items = items;
	kc_buf_addv(&text, fmt, ap);
	f->items[f->n] = (struct kc_fault){ .file = where->file,
					    .order = where->order,
					    .line = where->option ? 0 : line,
					    .column = column,
					    .number = f->n,
					    .warning = warning,
					    .text = kc_buf_take(&text) };
	if (f->items[f->n].text)
		f->n++;
	else
		f->failed = true;
}

void kc_fault_at(const struct kc_where *where, const struct kc_yaml_node *node, const char *fmt,
		 ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(where, node ? node->line : 0, node ? node->column : 0, false, fmt, ap);
	va_end(ap);
}

void kc_warn_at(const struct kc_where *where, const struct kc_yaml_node *node, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(where, node ? node->line : 0, node ? node->column : 0, true, fmt, ap);
	va_end(ap);
}

void kc_fault_in(const struct kc_where *where, uint32_t line, uint32_t column, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(where, line, column, false, fmt, ap);
	va_end(ap);
}

void kc_fault_said(const struct kc_where *where, const struct kc_yaml_node *node,
		   const char *sentence)
{
	struct kc_where as_is = *where;

	as_is.file = NULL;
	kc_fault_at(&as_is, node, "%s", sentence);
}

static int compare(const void *a, const void *b)
{
	const struct kc_fault *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->line != 0 && x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

static void sort(struct kc_faults *faults)
{
	if (faults->n > 1)
		qsort(faults->items, faults->n, sizeof(*faults->items), compare);
}

/* Escaped as a whole: keys and values of a foreign file must not move the terminal they are shown
 * on. */
static int line_of(const struct kc_fault *f, struct kc_buf *b)
{
	struct kc_buf raw = { 0 };
	int r;

	if (f->file && f->line)
		kc_buf_addf(&raw, "%s:%u:%u: ", f->file, f->line, f->column);
	else if (f->file)
		kc_buf_addf(&raw, "%s: ", f->file);
	kc_buf_addf(&raw, "%s%s", f->warning ? "warning: " : "", f->text);
	r = kc_buf_error(&raw);
	if (r == 0)
		kc_escape(b, raw.data, raw.len);
	kc_buf_done(&raw);
	return r;
}

int kc_faults_tell(struct kc_faults *faults, struct kc_diagnostics *diagnostics)
{
	sort(faults);
	for (uint32_t i = 0; i < faults->n; i++) {
		int r = line_of(faults->items + i, &diagnostics->text);

		if (r < 0)
			return r;
		kc_buf_addc(&diagnostics->text, '\n');
		if (faults->items[i].warning)
			diagnostics->n_warnings++;
		else
			diagnostics->n_errors++;
	}
	return faults->failed ? -ENOMEM : kc_buf_error(&diagnostics->text);
}

int kc_faults_first(struct kc_faults *faults, struct kc_err *err)
{
	struct kc_buf text = { 0 };
	int r;

	if (faults->failed)
		return kc_err_set(err, -ENOMEM, "%s", kc_strerror(ENOMEM));
	sort(faults);
	for (uint32_t i = 0; i < faults->n; i++) {
		if (faults->items[i].warning)
			continue;
		r = line_of(faults->items + i, &text);
		if (r == 0)
			r = kc_buf_error(&text);
		if (r == 0)
			r = kc_err_set(err, -EINVAL, "%s", text.data);
		else
			(void)kc_err_set(err, r, "%s", kc_strerror(r));
		kc_buf_done(&text);
		return r;
	}
	return 0;
}

void kc_faults_done(struct kc_faults *faults)
{
	for (uint32_t i = 0; i < faults->n; i++)
		free(faults->items[i].text);
	free(faults->items);
	*faults = (struct kc_faults){ 0 };
}

void kc_diagnostics_done(struct kc_diagnostics *d)
{
	kc_buf_done(&d->text);
	*d = (struct kc_diagnostics){ 0 };
}

struct kc_hint kc_hint(const char *word, const char *const *list)
{
	/* All single letters are near each other. */
	const char *near = strlen(word) > 1 ? kc_nearest(word, list) : NULL;
	struct kc_hint hint = { "" };

	if (near)
		(void)snprintf(hint.text, sizeof(hint.text), "; did you mean '%s'?", near);
	return hint;
}
