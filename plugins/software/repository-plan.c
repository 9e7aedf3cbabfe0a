/* SPDX-License-Identifier: Apache-2.0 */
#include "exclude-edit.h"
#include "repository.h"

enum {
	FILE_SIZE_MAX = 1 << 20
};

static int by_hand(const struct software_rule *rule, const char *commands, const char *why)
{
	return kc_plan_by_hand(rule->host, rule->run, KC_BOOT, commands, why);
}

static const struct dnf_repository *find(const struct dnf *dnf, const char *id)
{
	for (size_t i = 0; i < dnf->n; i++)
		if (kc_streq(dnf->repository[i].id, id))
			return &dnf->repository[i];
	return NULL;
}

/* "kubelet kubeadm", of what is not excluded; "" for none. */
static const char *missing_of(const struct repository_rule *r,
			      const struct dnf_repository *repository)
{
	const char *text = "";

	for (size_t i = 0; i < r->exclude.n; i++)
		if (!dnf_excluded(r->dnf, repository, r->exclude.item[i]))
			text = software_text(&r->rule, "%s%s%s", text, *text ? " " : "",
					     r->exclude.item[i]);
	return text;
}

/* "/etc/yum.repos.d/x.repo" of "/etc/yum.repos.d/x.repo:3". */
static const char *file_of(const struct software_rule *rule, const char *source)
{
	const char *colon = strrchr(source, ':');

	return software_text(rule, "%.*s", colon ? (int)(colon - source) : (int)strlen(source),
			     source);
}

static int set_by_hand(const struct repository_rule *r, const char *id, const char *setting,
		       const char *why)
{
	const char *form = r->dnf->kind == DNF_5 ? "dnf config-manager setopt '%s.%s'\n"
						 : "dnf config-manager --save --setopt='%s.%s'\n";

	return by_hand(&r->rule, software_text(&r->rule, form, id, setting), why);
}

static int plan_edit(const struct repository_rule *r, const struct dnf_repository *repository,
		     const char *file, const char *names)
{
	const struct software_rule *rule = &r->rule;
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	struct kc_step step = {
		.size = sizeof(step),
		.kind = KC_STEP_EDIT_FILE,
		.flags = KC_STEP_KEEP_OWNER,
		.horizon = KC_BOOT,
		.target = file,
		.why = "An update leaves what is excluded as it is.",
	};
	struct kc_bytes before;
	int code = kc_read_file(rule->host, rule->run, file, FILE_SIZE_MAX, &before);

	if (code == 0)
		code = exclude_edit(before.data, before.size, repository->id, names, &text);
	if (code == -ENOTSUP || code == -ENOENT)
		return set_by_hand(r, repository->id, software_text(rule, "exclude=%s", names),
				   "The file is too odd to be edited by a program.");
	if (code < 0)
		return code;
	step.content = text.data;
	step.content_size = text.len;
	step.before = before.data;
	step.before_size = before.size;
	return kc_step(rule->host, rule->run, &step);
}

static int plan_excludes(const struct repository_rule *r, const struct dnf_repository *repository,
			 const char *names)
{
	const char *const *off = r->dnf->unexcluded;
	const char *file = file_of(&r->rule, repository->source);
	const char *name = kc_after_prefix(file, "/etc/yum.repos.d/");

	if (kc_strv_has(off, "all") || kc_strv_has(off, repository->id))
		return by_hand(
			&r->rule,
			software_text(&r->rule, "# Take disable_excludes= out of %s.\n",
				      file_of(&r->rule, r->dnf->unexcluded_source)),
			"Somebody turned excludes off on purpose; whether that still holds is "
			"for a person to say.");
	if (!name || strchr(name, '/') || !kc_endswith(name, ".repo"))
		return set_by_hand(r, repository->id, software_text(&r->rule, "exclude=%s", names),
				   "The repository does not stand in a file of /etc/yum.repos.d.");
	return plan_edit(r, repository, file, names);
}

int repository_plan(const struct software_rule *rule, uint32_t horizon, const char *subject,
		    const char *found)
{
	const struct repository_rule *r = (const struct repository_rule *)rule;
	const struct dnf_repository *repository = find(r->dnf, subject);
	const char *missing;
	int code = 0;

	if (!repository)
		return by_hand(
			rule,
			software_text(rule,
				      "# Put a file with the repository %s, its baseurl= and "
				      "gpgkey=, into /etc/yum.repos.d; then:\ndnf makecache\n",
				      subject),
			"Whom packages are taken from is for a person to say.");
	if (kc_streq(r->state, "absent"))
		return by_hand(rule,
			       software_text(rule, "# Take the section [%s] out of %s.\n",
					     repository->id, file_of(rule, repository->source)),
			       "Whom packages are taken from is for a person to say.");
	missing = missing_of(r, repository);
	if (*missing)
		code = plan_excludes(r, repository, missing);
	if (code == 0 && kc_streq(r->state, "enabled") && !repository->enabled)
		code = set_by_hand(r, repository->id, "enabled=1",
				   "Whom packages are taken from is for a person to say.");
	return code;
}
