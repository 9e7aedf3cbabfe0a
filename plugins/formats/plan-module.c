/* SPDX-License-Identifier: Apache-2.0 */
#include "plan-module.h"

enum {
	FILE_SIZE_MAX = 1 << 20
};

#define FOLDER "/etc/modules-load.d"

static const char why[] = "systemd-modules-load loads what is named there at every start.";

static int plan_new(const struct kc_host *host, struct kc_run *run, const char *path,
		    const char *module)
{
	const char *content = kc_text(host, run, "%s\n", module);
	const struct kc_step step = {
		.size = sizeof(step),
		.kind = KC_STEP_WRITE_FILE,
		.horizon = KC_BOOT,
		.mode = 0644,
		.target = path,
		.content = content,
		.content_size = strlen(content),
		.why = why,
	};
	int r = kc_plan_folder(host, run, FOLDER, "systemd-modules-load reads what is in it.");

	return r < 0 ? r : kc_step(host, run, &step);
}

static int plan_edit(const struct kc_host *host, struct kc_run *run, const char *path,
		     const char *module)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	struct kc_step step = {
		.size = sizeof(step),
		.kind = KC_STEP_EDIT_FILE,
		.flags = KC_STEP_KEEP_OWNER,
		.horizon = KC_BOOT,
		.target = path,
		.why = why,
	};
	struct kc_bytes before;
	int r = kc_read_file(host, run, path, FILE_SIZE_MAX, &before);

	if (r < 0)
		return r;
	kc_buf_add(&text, before.data, before.size);
	if (before.size > 0 && before.data[before.size - 1] != '\n')
		kc_buf_addc(&text, '\n');
	kc_buf_addf(&text, "%s\n", module);
	if (kc_buf_error(&text))
		return -ENOMEM;
	step.content = text.data;
	step.content_size = text.len;
	step.before = before.data;
	step.before_size = before.size;
	return kc_step(host, run, &step);
}

/* 1: what is there is no file (a mask, say). */
static int plan_file(const struct kc_host *host, struct kc_run *run, const char *path,
		     const char *module)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	int r = kc_stat(host, run, path, KC_NOFOLLOW, &st);

	if (r == -ENOENT)
		return plan_new(host, run, path, module);
	if (r < 0)
		return r;
	return st.type == KC_FILE_REGULAR ? plan_edit(host, run, path, module) : 1;
}

int kc_plan_module_listing(const struct kc_host *host, struct kc_run *run, const char *module)
{
	static const char *const prefixes[] = { "", "kubernetes-", NULL };
	int r;

	KC_FOREACH_STR (prefix, prefixes) {
		r = plan_file(host, run, kc_text(host, run, FOLDER "/%s%s.conf", prefix, module),
			      module);
		if (r <= 0)
			return r;
	}
	return kc_plan_by_hand(
		host, run, KC_BOOT,
		kc_text(host, run, "echo %s >" FOLDER "/99-%s.conf\n", module, module),
		"What is there under the usual names is no file.");
}
