/* SPDX-License-Identifier: Apache-2.0 */
#include "grub-config.h"
#include "grub-script.h"

enum {
	SUBMENUS_MAX = 8,
	OPTIONS_MAX = 64 * 1024
};

/* What is looked for in the menu, and what is found. */
struct choice {
	struct grub_script *s;
	const struct kc_boot_entry *entries;
	size_t n_entries;
	const struct grub_item *item;
	const struct kc_boot_entry *entry; /* of item, when that stands for all entries */
	struct kc_grub_boot *boot;
};

/* Whether a name is the first part of what is wanted: ">" ends it, ">>" is a ">". */
static bool is_wanted(const char *name, const char *wanted)
{
	for (; name; name++, wanted++) {
		if (*wanted == '>' && wanted[1] != '>')
			return !*name;
		wanted += *wanted == '>';
		if (*name != *wanted)
			return false;
		if (!*name)
			return true;
	}
	return false;
}

/* What is wanted within the submenu: behind the first single ">"; "" when there is nothing. */
static const char *rest_of(const char *wanted)
{
	for (; *wanted; wanted++) {
		if (*wanted != '>')
			continue;
		if (wanted[1] != '>')
			return wanted + 1;
		wanted++;
	}
	return wanted;
}

/* The items one by one, each of the entries as one of its own. False behind the last one. */
static bool item_at(struct choice *c, size_t index)
{
	for (size_t i = 0; i < c->s->n_items; i++) {
		const struct grub_item *item = &c->s->item[i];
		size_t n = item->entries ? c->n_entries : 1;

		if (index < n) {
			c->item = item;
			c->entry = item->entries ? &c->entries[index] : NULL;
			return true;
		}
		index -= n;
	}
	return false;
}

static bool find_by_name(struct choice *c, const char *wanted, bool by_id)
{
	for (size_t i = 0; item_at(c, i); i++) {
		const char *id = c->entry ? c->entry->id : c->item->id;
		const char *title = c->entry ? c->entry->title : c->item->title;

		if (is_wanted(by_id ? id : title, wanted))
			return true;
	}
	return false;
}

static bool find_by_number(struct choice *c, const char *wanted)
{
	size_t n = strspn(wanted, "0123456789"), index = 0;

	if (!n || n > 4 || (wanted[n] && wanted[n] != '>'))
		return false;
	for (size_t i = 0; i < n; i++)
		index = index * 10 + (size_t)(wanted[i] - '0');
	return item_at(c, index);
}

static int find_item(struct choice *c, const char *wanted)
{
	if (*wanted && (find_by_name(c, wanted, true) || find_by_name(c, wanted, false) ||
			find_by_number(c, wanted)))
		return 0;
	c->boot->missing = c->boot->missing || *wanted;
	return item_at(c, 0) ? 0 : -ENOENT;
}

/* An item before the one that is taken may not be there at all, which moves a number. */
static bool is_uncertain(const struct choice *c)
{
	for (size_t i = 0; i < c->s->n_items && &c->s->item[i] <= c->item; i++)
		if (c->s->item[i].maybe)
			return true;
	return false;
}

/* The body of the item, as GRUB runs it when it is chosen. */
static int run_body(struct choice *c)
{
	struct grub_script *s = c->s;

	s->at = c->item->at;
	s->line = c->item->line;
	if (c->item->submenu)
		s->n_items = 0;
	return grub_script_run(s);
}

/* Adds the value of $NAME, as expand_val() of blscfg does: a space behind it, nothing if unset. */
static void expand_variable(struct choice *c, const char *name, struct kc_buf *buf)
{
	const struct grub_variable *variable = grub_script_variable(c->s, name);

	if (!variable || !*variable->value)
		return;
	kc_buf_adds(buf, variable->value);
	kc_buf_addc(buf, ' ');
	c->boot->uncertain = c->boot->uncertain || variable->unknown;
	if (c->boot->from.name)
		return;
	c->boot->from.name = variable->name;
	c->boot->from.in_environment = variable->in_environment;
	c->boot->from.line = variable->line;
}

static int expand_options(struct choice *c, const char *text)
{
	kc_cleanup(kc_buf_done) struct kc_buf options = { 0 };
	const char *default_options = "$default_kernelopts";

	if (!text)
		text = default_options;
	while (*text) {
		size_t n = strcspn(text, "$");
		char *name;

		kc_buf_add(&options, text, n);
		text += n;
		if (!*text)
			break;
		n = strspn(++text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789_");
		name = kc_arena_memdup(c->s->arena, text, n);
		if (!name)
			return -ENOMEM;
		text += n;
		expand_variable(c, name, &options);
		text += *text == ' ';
		if (options.len > OPTIONS_MAX)
			return -E2BIG;
	}
	if (kc_buf_error(&options) < 0)
		return -ENOMEM;
	c->boot->options =
		kc_arena_memdup(c->s->arena, options.data ? options.data : "", options.len);
	return c->boot->options ? 0 : -ENOMEM;
}

static int take_entry(struct choice *c)
{
	c->boot->entry = c->entry;
	c->boot->title = c->entry->id;
	c->boot->kernel = c->entry->kernel;
	return expand_options(c, c->entry->options);
}

static int take_item(struct choice *c)
{
	int r = run_body(c);

	if (r < 0)
		return r;
	c->boot->title = c->item->title;
	c->boot->kernel = c->s->kernel.path;
	c->boot->options = c->s->kernel.options ? c->s->kernel.options : "";
	c->boot->line = c->s->kernel.path ? c->s->kernel.line : c->item->line;
	c->boot->unexpanded = c->s->kernel.unexpanded;
	c->boot->uncertain = c->boot->uncertain || c->s->kernel.maybe;
	return 0;
}

static int choose(struct choice *c)
{
	const struct grub_variable *variable = grub_script_variable(c->s, "default");
	const char *wanted = variable ? variable->value : "";

	c->boot->wanted = wanted;
	c->boot->uncertain = variable && variable->unknown;
	for (unsigned i = 0; i < SUBMENUS_MAX; i++) {
		int r = find_item(c, wanted);

		if (r < 0)
			return r;
		c->boot->uncertain = c->boot->uncertain || is_uncertain(c);
		if (!c->item->submenu)
			return c->entry ? take_entry(c) : take_item(c);
		wanted = c->boot->missing ? "" : rest_of(wanted);
		r = run_body(c);
		if (r < 0)
			return r;
	}
	return -E2BIG;
}

int kc_grub_config_default(const char *text, size_t size,
			   const struct kc_grub_environment *environment,
			   const struct kc_boot_entry *entries, size_t n_entries,
			   struct kc_arena *arena, struct kc_grub_boot *ret_boot)
{
	kc_cleanup(grub_script_done) struct grub_script script = { 0 };
	struct kc_grub_boot boot = { 0 };
	struct choice c = {
		.s = &script,
		.entries = entries,
		.n_entries = n_entries,
		.boot = &boot,
	};
	int r;

	r = grub_script_open(&script, text, size, environment, arena);
	if (r == 0)
		r = grub_script_run(&script);
	if (r == 0)
		r = choose(&c);
	if (r == 0)
		*ret_boot = boot;
	return r;
}
