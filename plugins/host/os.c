/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/os-release.h"
#include "host-descriptor.h"
#include "host.h"

enum {
	OS_RELEASE_MAX = 64 * 1024,
};

/* What a rule asks for. */
struct wanted {
	struct kc_strings ids, versions;
	bool like;
};

static int report_error(const struct host_rule *rule, const char *source, const char *message)
{
	return kc_report(rule->host, rule->run, KC_BOOT, KC_ERROR, "system", NULL, NULL, source,
			 message);
}

/* Whether a list of words separated by spaces has one. */
static bool words_have(const char *words, const char *word)
{
	const size_t length = strlen(word);

	for (const char *p = words; *p; p += strspn(p, " \t")) {
		size_t n = strcspn(p, " \t");

		if (n == length && memcmp(p, word, n) == 0)
			return true;
		p += n;
	}
	return false;
}

static bool is_like_wanted(const struct wanted *wanted, const struct kc_os_release *os)
{
	for (size_t i = 0; os->like.text && i < wanted->ids.n; i++)
		if (words_have(os->like.text, wanted->ids.item[i]))
			return true;
	return false;
}

static bool id_is_wanted(const struct wanted *wanted, const struct kc_os_release *os)
{
	for (size_t i = 0; i < wanted->ids.n; i++)
		if (kc_streq(os->id.text, wanted->ids.item[i]))
			return true;
	return wanted->like && is_like_wanted(wanted, os);
}

/* "8" is met by 8 and by 8.5, not by 80. */
static bool version_is_wanted(const struct wanted *wanted, const char *version)
{
	for (size_t i = 0; version && i < wanted->versions.n; i++) {
		const char *rest = kc_after_prefix(version, wanted->versions.item[i]);

		if (rest && (!*rest || *rest == '.'))
			return true;
	}
	return wanted->versions.n == 0;
}

static const char *list_text(const struct host_rule *rule, const struct kc_strings *list)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

	for (size_t i = 0; i < list->n; i++)
		kc_buf_addf(&b, "%s%s", i > 0 ? " or " : "", list->item[i]);
	return kc_text(rule->host, rule->run, "%s", b.data && !b.failed ? b.data : "");
}

static const char *expected_text(const struct host_rule *rule, const struct wanted *wanted)
{
	return kc_text(rule->host, rule->run, "%s%s%s%s", list_text(rule, &wanted->ids),
		       wanted->like ? ", or like it" : "",
		       wanted->versions.n > 0 ? ", version " : "",
		       list_text(rule, &wanted->versions));
}

static const char *found_text(const struct host_rule *rule, const struct wanted *wanted,
			      const struct kc_os_release *os)
{
	const char *like = "";

	if (wanted->like && os->like.text)
		like = kc_text(rule->host, rule->run, ", like %s", os->like.text);
	return kc_text(rule->host, rule->run, "%s%s%s (%s)%s", os->id.text,
		       os->version.text ? " " : " without a version",
		       os->version.text ? os->version.text : "", os->name.text, like);
}

static int judge(const struct host_rule *rule, const struct wanted *wanted, const char *file,
		 const struct kc_os_release *os)
{
	const bool id = id_is_wanted(wanted, os),
		   version = version_is_wanted(wanted, os->version.text);
	const struct kc_place *place = id && os->version.text ? &os->version.place : &os->id.place;
	const char *message = NULL;

	if (!os->id.place.line)
		message = "The file has no ID, which stands for \"linux\".";
	else if (id && !version && !os->version.text)
		message = "The file has no VERSION_ID: the system is one without versions.";
	else if (!id && !wanted->like && is_like_wanted(wanted, os))
		message =
			kc_text(rule->host, rule->run,
				"It calls itself like %s, which counts with \"like: true\" alone.",
				os->like.text);
	return kc_report(rule->host, rule->run, KC_BOOT, id && version ? KC_PASS : KC_FAIL,
			 "system", expected_text(rule, wanted), found_text(rule, wanted, os),
			 place->line ? kc_text(rule->host, rule->run, "%s:%u", file, place->line)
				     : file,
			 message);
}

/* The file of the administrator counts, wholly, where there is one (os-release(5)). */
static int judge_files(const struct host_rule *rule, const struct wanted *wanted)
{
	static const char *const files[] = { "/etc/os-release", "/usr/lib/os-release", NULL };

	KC_FOREACH_STR (file, files) {
		struct kc_os_release os;
		struct kc_bytes text;
		int r;

		r = kc_read_file(rule->host, rule->run, file, OS_RELEASE_MAX, &text);
		if (r == -ENOENT)
			continue;
		if (r < 0)
			return kc_report_error(rule->host, rule->run, KC_BOOT, "system", file);
		r = kc_os_release_parse(file, text.data, text.size, rule->arena, &os);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			return report_error(rule, file,
					    kc_text(rule->host, rule->run,
						    "%s: is not in the format of os-release(5).",
						    file));
		return judge(rule, wanted, file, &os);
	}
	return report_error(rule, files[0],
			    "There is neither /etc/os-release nor /usr/lib/os-release: nothing "
			    "says which system this is.");
}

int host_os_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = HOST_RULE_MEMORY_MAX };
	const struct host_rule rule = { .host = host, .run = run, .arena = &arena };
	struct wanted wanted = { 0 };
	int64_t like;
	int r;

	r = kc_param_list(host, run, "ids", &wanted.ids);
	if (!r)
		r = kc_param_number(host, run, "like", &like);
	if (r < 0)
		return r;
	r = kc_param_list(host, run, "versions", &wanted.versions);
	if (r < 0 && r != -ENOENT)
		return r;
	if (wanted.ids.n == 0)
		return report_error(&rule, NULL, "The rule asks for nothing: \"ids\" is empty.");
	wanted.like = like != 0;
	return judge_files(&rule, &wanted);
}
