/* SPDX-License-Identifier: Apache-2.0 */
#include "mount-descriptor.h"
#include "mount.h"

static int read_list(const struct kc_host *host, struct kc_run *run, const char *name,
		     struct kc_strings *ret_list)
{
	int r = kc_param_list(host, run, name, ret_list);

	return r == -ENOENT ? 0 : r;
}

static int read_rule(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		     struct mount_rule *ret_rule)
{
	struct mount_rule rule = { .host = host, .run = run, .arena = arena };
	int64_t mount_point = 0;
	int r;

	r = kc_param_string(host, run, "path", &rule.path);
	if (!r)
		r = read_list(host, run, "has", &rule.has);
	if (!r)
		r = read_list(host, run, "lacks", &rule.lacks);
	if (!r)
		r = read_list(host, run, "type", &rule.types);
	if (!r)
		r = kc_param_number(host, run, "mount-point", &mount_point);
	rule.mount_point = mount_point != 0;
	if (!r)
		*ret_rule = rule;
	return r;
}

/*
 * Follows links as far as the path is there. A link that leads nowhere is no missing folder: what
 * it leads to will lie elsewhere. -ENOLINK: there is one, *ret_link.
 */
static int resolve(struct mount_rule *rule, const char **ret_link)
{
	char *path = kc_arena_strdup(rule->arena, rule->path);
	struct kc_stat st = { .size_of = sizeof(st) };
	const char *resolved;
	size_t end;
	int r;

	if (!path)
		return -ENOMEM;
	end = strlen(path);
	while (end > 1 && path[end - 1] == '/')
		path[--end] = '\0';
	for (unsigned depth = 0; depth < MOUNT_DEPTH_MAX; depth++) {
		r = kc_resolve(rule->host, rule->run, *path ? path : "/", &resolved);
		if (r == 0) {
			rule->resolved = kc_arena_printf(
				rule->arena, "%s%s",
				kc_streq(resolved, "/") && rule->missing ? "" : resolved,
				rule->missing ? rule->path + end : "");
			return rule->resolved ? 0 : -ENOMEM;
		}
		if (r != -ENOENT || !*path)
			return r;
		if (kc_stat(rule->host, rule->run, path, KC_NOFOLLOW, &st) == 0) {
			*ret_link = path;
			return -ENOLINK;
		}
		rule->missing = true;
		while (end > 0 && path[end - 1] != '/')
			end--;
		while (end > 0 && path[end - 1] == '/')
			end--;
		path[end] = '\0';
	}
	return -ELOOP;
}

static const char *join(const struct mount_rule *rule, const struct kc_strings *list,
			const char *before)
{
	const char *text = "";

	for (size_t i = 0; i < list->n; i++)
		text = kc_text(rule->host, rule->run, "%s%s%s%s", text, *text ? ", " : "", before,
			       list->item[i]);
	return text;
}

static const char *describe_wanted(const struct mount_rule *rule)
{
	const char *has = join(rule, &rule->has, ""), *lacks = join(rule, &rule->lacks, "not ");
	const char *types = join(rule, &rule->types, "");

	return kc_text(rule->host, rule->run, "%s%s%s%s%s%s", has, *has && *lacks ? ", " : "",
		       lacks, *has || *lacks ? (*types ? " on " : "") : "", types,
		       rule->mount_point
			       ? (*has || *lacks || *types ? ", a mount point" : "a mount point")
			       : "");
}

/* "rw,relatime (ext4, /dev/sda2 on /)" */
static const char *describe_found(const struct mount_rule *rule, const struct mount_found *found)
{
	return kc_text(rule->host, rule->run, "%s (%s, %s on %s)",
		       *found->options ? found->options : "defaults", found->type, found->what,
		       found->where);
}

static int fail(const struct mount_rule *rule, uint32_t horizon, const struct mount_found *found,
		const char *expected, const char *note)
{
	return kc_report(rule->host, rule->run, horizon, KC_FAIL, rule->path, expected,
			 describe_found(rule, found), found->source, note);
}

static int judge_type(const struct mount_rule *rule, uint32_t horizon,
		      const struct mount_found *found, const char *note)
{
	const char *types = join(rule, &rule->types, "");

	for (size_t i = 0; i < rule->types.n; i++)
		if (kc_streq(rule->types.item[i], found->type))
			return 0;
	if (kc_streq(found->type, "auto"))
		return kc_report(rule->host, rule->run, horizon, KC_ERROR, rule->path, types,
				 "auto", found->source,
				 "The type is found out when the file system is mounted.");
	return fail(rule, horizon, found, kc_text(rule->host, rule->run, "the type %s", types),
		    note);
}

static bool is_met(const struct mount_rule *rule, const struct mount_found *found, bool boot)
{
	for (size_t i = 0; i < rule->has.n; i++)
		if (!mount_setting_is_on(rule->arena, found->options, rule->has.item[i], boot))
			return false;
	for (size_t i = 0; i < rule->lacks.n; i++)
		if (mount_setting_is_on(rule->arena, found->options, rule->lacks.item[i], boot))
			return false;
	return (!rule->types.n || kc_strv_has(rule->types.item, found->type)) &&
	       (!rule->mount_point || kc_streq(found->where, rule->resolved));
}

int mount_judge(const struct mount_rule *rule, uint32_t horizon, const struct mount_found *found,
		const char *note)
{
	bool boot = horizon == KC_BOOT;
	int r = 0;

	if (rule->missing && !note)
		note = "The path is not there yet, and is judged by what it would be made in.";
	if (is_met(rule, found, boot))
		return kc_report(rule->host, rule->run, horizon, KC_PASS, rule->path,
				 describe_wanted(rule), describe_found(rule, found), found->source,
				 note);
	for (size_t i = 0; i < rule->has.n && !r; i++)
		if (!mount_setting_is_on(rule->arena, found->options, rule->has.item[i], boot))
			r = fail(rule, horizon, found, rule->has.item[i], note);
	for (size_t i = 0; i < rule->lacks.n && !r; i++)
		if (mount_setting_is_on(rule->arena, found->options, rule->lacks.item[i], boot))
			r = fail(rule, horizon, found,
				 kc_text(rule->host, rule->run, "not %s", rule->lacks.item[i]),
				 note);
	if (!r && rule->types.n)
		r = judge_type(rule, horizon, found, note);
	if (!r && rule->mount_point && !kc_streq(found->where, rule->resolved))
		r = fail(rule, horizon, found, "a mount point", note);
	return r;
}

/* An error at every horizon that is judged. */
static int report_rule(const struct mount_rule *rule, uint32_t horizons, const char *message)
{
	int r = 0;

	if (horizons & KC_NOW)
		r = kc_report(rule->host, rule->run, KC_NOW, KC_ERROR, rule->path, NULL, NULL, NULL,
			      message);
	if (!r && (horizons & KC_BOOT))
		r = kc_report(rule->host, rule->run, KC_BOOT, KC_ERROR, rule->path, NULL, NULL,
			      NULL, message);
	return r;
}

static int judge(struct mount_rule *rule)
{
	uint32_t horizons = kc_horizons(rule->host, rule->run);
	const char *link = NULL;
	int r;

	if (*rule->path != '/')
		return report_rule(rule, horizons, "The rule's path is not absolute.");
	if (!rule->has.n && !rule->lacks.n && !rule->types.n && !rule->mount_point)
		return report_rule(
			rule, horizons,
			"The rule asks for nothing: give it \"has\", \"lacks\", \"type\" "
			"or \"mount-point\".");
	r = resolve(rule, &link);
	if (r == -ENOMEM)
		return r;
	if (r == -ENOLINK)
		return report_rule(rule, horizons,
				   kc_text(rule->host, rule->run,
					   "%s is a link that leads nowhere: which mount will be "
					   "behind it cannot be seen.",
					   link));
	if (r)
		return report_rule(
			rule, horizons,
			kc_text(rule->host, rule->run, "%s", kc_why(rule->host, rule->run)));
	if (horizons & KC_NOW)
		r = mount_judge_now(rule);
	if (!r && (horizons & KC_BOOT))
		r = mount_judge_boot(rule);
	return r;
}

int mount_options_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = MOUNT_MEMORY_MAX };
	struct mount_rule rule;
	int r;

	r = read_rule(host, run, &arena, &rule);
	return r ? r : judge(&rule);
}
