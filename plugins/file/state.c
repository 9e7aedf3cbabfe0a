/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"
#include "file-descriptor.h"

/* A text that need not be given. */
static int read_text(const struct kc_host *host, struct kc_run *run, const char *name,
		     const char **text)
{
	int r = kc_param_string(host, run, name, text);

	return r == -ENOENT ? 0 : r;
}

static int read_size(const struct kc_host *host, struct kc_run *run, const char *name,
		     int64_t *ret_size)
{
	int r = kc_param_number(host, run, name, ret_size);

	if (r == -ENOENT)
		*ret_size = -1;
	return r == -ENOENT ? 0 : r;
}

static int read_flag(const struct kc_host *host, struct kc_run *run, const char *name,
		     bool *ret_flag)
{
	int64_t value;
	int r = kc_param_number(host, run, name, &value);

	if (!r)
		*ret_flag = value != 0;
	return r;
}

int state_rule_read(const struct kc_host *host, struct kc_run *run, struct state_rule *rule,
		    const char **ret_path)
{
	int r = kc_param_string(host, run, "path", ret_path);

	if (!r)
		r = kc_param_string(host, run, "type", &rule->type);
	if (!r)
		r = read_flag(host, run, "exists", &rule->exists);
	if (!r)
		r = read_flag(host, run, "follow", &rule->follow);
	if (!r)
		r = read_text(host, run, "mode", &rule->mode);
	if (!r)
		r = read_text(host, run, "at-most-mode", &rule->at_most_mode);
	if (!r)
		r = read_text(host, run, "owner", &rule->owner);
	if (!r)
		r = read_text(host, run, "group", &rule->group);
	if (!r)
		r = read_text(host, run, "label", &rule->label);
	if (!r)
		r = read_size(host, run, "at-least-size", &rule->at_least_size);
	if (!r)
		r = read_size(host, run, "at-most-size", &rule->at_most_size);
	/* A link that leads nowhere is there, too. */
	if (!r && (kc_streq(rule->type, "symlink") || !rule->exists))
		rule->follow = false;
	return r;
}

/* ---- type ---- */

static const char *type_text(uint32_t type)
{
	switch (type) {
	case KC_FILE_REGULAR:
		return "a regular file";
	case KC_FILE_DIRECTORY:
		return "a directory";
	case KC_FILE_SYMLINK:
		return "a symbolic link";
	case KC_FILE_SOCKET:
		return "a socket";
	case KC_FILE_FIFO:
		return "a FIFO";
	case KC_FILE_CHAR_DEVICE:
		return "a character device";
	case KC_FILE_BLOCK_DEVICE:
		return "a block device";
	default:
		return "a file of an unknown kind";
	}
}

/* What the rule wants it to be, in the same words. */
static const char *wanted_text(const struct state_rule *rule)
{
	static const char *const words[][2] = {
		{ "regular", "a regular file" },
		{ "directory", "a directory" },
		{ "symlink", "a symbolic link" },
		{ "socket", "a socket" },
		{ "fifo", "a FIFO" },
		{ "device", "a device" },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(words); i++)
		if (kc_streq(rule->type, words[i][0]))
			return words[i][1];
	return "there";
}

bool state_is_type(const struct state_rule *rule, uint32_t type)
{
	if (kc_streq(rule->type, "any"))
		return true;
	if (kc_streq(rule->type, "device"))
		return type == KC_FILE_CHAR_DEVICE || type == KC_FILE_BLOCK_DEVICE;
	return kc_streq(wanted_text(rule), type_text(type));
}

/* ---- mode ---- */

bool state_mode(const char *text, uint32_t *ret_mode)
{
	uint32_t mode = 0;
	size_t n = strlen(text);

	if (n < 3 || n > 5 || strspn(text, "01234567") != n)
		return false;
	for (size_t i = 0; i < n; i++)
		mode = mode * 8 + (uint32_t)(text[i] - '0');
	*ret_mode = mode;
	return mode <= 07777;
}

static int judge_mode(const struct state_rule *rule, const struct kc_stat *st, const char *text,
		      bool at_most)
{
	const struct file_place *place = &rule->place;
	const char *expected =
		kc_text(place->host, place->run, "mode %s%s", text, at_most ? " or less" : "");
	const char *found =
		kc_text(place->host, place->run, "mode %04o", (unsigned)st->mode & 07777);
	uint32_t wanted;
	bool met;

	if (!state_mode(text, &wanted))
		return file_report(place, KC_ERROR, expected, found,
				   kc_text(place->host, place->run,
					   "\"%s\" is no mode: give three or four octal digits, as "
					   "\"0644\".",
					   text));
	met = at_most ? (st->mode & 07777 & ~wanted) == 0 : (st->mode & 07777) == wanted;
	return file_report(place, met ? KC_PASS : KC_FAIL, expected, found,
			   met || !at_most ? NULL
					   : kc_text(place->host, place->run,
						     "It has %04o more than it may have.",
						     (unsigned)(st->mode & 07777 & ~wanted)));
}

/* ---- size ---- */

static int judge_size(const struct state_rule *rule, const struct kc_stat *st)
{
	const struct file_place *place = &rule->place;
	bool low = rule->at_least_size >= 0, high = rule->at_most_size >= 0;
	const char *expected, *found;
	bool met;

	if (low && high)
		expected = kc_text(place->host, place->run, "%lld to %lld bytes",
				   (long long)rule->at_least_size, (long long)rule->at_most_size);
	else
		expected =
			kc_text(place->host, place->run, "at %s %lld bytes", low ? "least" : "most",
				(long long)(low ? rule->at_least_size : rule->at_most_size));
	if (st->type != KC_FILE_REGULAR)
		return file_report(place, KC_ERROR, expected, type_text(st->type),
				   "Only a regular file has a size.");
	found = kc_text(place->host, place->run, "%llu bytes", (unsigned long long)st->size);
	met = (!low || st->size >= (uint64_t)rule->at_least_size) &&
	      (!high || st->size <= (uint64_t)rule->at_most_size);
	return file_report(place, met ? KC_PASS : KC_FAIL, expected, found, NULL);
}

/* ---- label ---- */

/* The third part, USER:ROLE:TYPE:LEVEL; "" when there is none. */
static const char *label_type(const struct file_place *place, const char *label)
{
	const char *p = strchr(label, ':');

	p = p ? strchr(p + 1, ':') : NULL;
	return p ? kc_text(place->host, place->run, "%.*s", (int)strcspn(p + 1, ":"), p + 1) : "";
}

static int judge_label(const struct state_rule *rule, const struct kc_stat *st)
{
	const struct file_place *place = &rule->place;
	const char *expected = kc_text(place->host, place->run, "label %s", rule->label);
	const char *label;
	bool met;
	int r;

	if (st->type == KC_FILE_SYMLINK)
		return file_report(place, KC_ERROR, expected, NULL,
				   "The label of a link itself cannot be read; follow it.");
	r = kc_label(place->host, place->run, place->path, &label);
	if (r == -ENODATA)
		return file_report(place, KC_FAIL, expected, "no label",
				   "A host without SELinux has no labels: a condition on "
				   "selinux.present leaves it out.");
	if (r < 0)
		return file_report_error(place);
	met = strchr(rule->label, ':') ? kc_streq(label, rule->label)
				       : kc_streq(label_type(place, label), rule->label);
	return file_report(place, met ? KC_PASS : KC_FAIL, expected,
			   kc_text(place->host, place->run, "label %s", label), NULL);
}

/* ---- the check ---- */

bool state_asks_more(const struct state_rule *rule)
{
	return rule->mode || rule->at_most_mode || rule->owner || rule->group || rule->label ||
	       rule->at_least_size >= 0 || rule->at_most_size >= 0 || !kc_streq(rule->type, "any");
}

static int judge_attributes(const struct state_rule *rule, const struct kc_stat *st)
{
	const struct file_place *place = &rule->place;
	int r = 0;

	if (rule->mode)
		r = judge_mode(rule, st, rule->mode, false);
	if (!r && rule->at_most_mode)
		r = judge_mode(rule, st, rule->at_most_mode, true);
	if (!r && rule->owner)
		r = file_judge_owner(place, false, rule->owner, st->uid);
	if (!r && rule->group)
		r = file_judge_owner(place, true, rule->group, st->gid);
	if (!r && (rule->at_least_size >= 0 || rule->at_most_size >= 0))
		r = judge_size(rule, st);
	if (!r && rule->label)
		r = judge_label(rule, st);
	return r;
}

static int judge(const struct state_rule *rule)
{
	const struct file_place *place = &rule->place;
	const char *expected = rule->exists ? wanted_text(rule) : "not there";
	struct kc_stat st = { .size_of = sizeof(st) };
	bool met;
	int r;

	if (!rule->exists && state_asks_more(rule))
		return file_report(
			place, KC_ERROR, expected, NULL,
			"The rule asks that there be no such file, and how it shall be.");
	r = kc_stat(place->host, place->run, place->path, rule->follow ? 0 : KC_NOFOLLOW, &st);
	if (file_is_absent(r) && !rule->exists)
		return file_report(place, KC_PASS, expected, "not there", NULL);
	if (file_is_absent(r))
		return file_report_absent(place, expected);
	if (r < 0)
		return file_report_error(place);
	met = rule->exists && state_is_type(rule, st.type);
	r = file_report(place, met ? KC_PASS : KC_FAIL, expected, type_text(st.type), NULL);
	/* Of something else it says nothing how it is. */
	return r || !met ? r : judge_attributes(rule, &st);
}

int file_state_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	struct state_rule rule = { 0 };
	const char *path;
	int r = state_rule_read(host, run, &rule, &path);

	if (!r)
		r = file_place_find(host, run, path, rule.follow, &rule.place);
	if (r || !rule.place.judged)
		return r;
	return judge(&rule);
}
