/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "formats/ini.h"
#include "software/exclude-edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECTION "kubernetes"

static const char added[] = "kubelet kubeadm";

static bool is_exclude(const struct kc_ini_setting *setting)
{
	return kc_streq(setting->section, SECTION) &&
	       (kc_streq(setting->key, "exclude") || kc_streq(setting->key, "excludepkgs"));
}

/* What excludes nothing there is as it was, in its order. */
static void compare_others(const struct kc_ini *before, const struct kc_ini *after)
{
	size_t k = 0;

	for (size_t i = 0; i < after->n; i++) {
		if (is_exclude(&after->item[i]))
			continue;
		while (k < before->n && is_exclude(&before->item[k]))
			k++;
		if (k == before->n || !kc_streq(before->item[k].section, after->item[i].section) ||
		    !kc_streq(before->item[k].key, after->item[i].key) ||
		    !kc_streq(before->item[k].value, after->item[i].value))
			abort();
		k++;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = 256 << 20 };
	kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };
	const struct kc_ini_setting *setting;
	struct kc_ini before, after;
	const char *text = (const char *)data;

	if (exclude_edit(text, size, SECTION, added, &out) < 0)
		return 0;
	if (out.len < size || out.len > size + strlen(added) + strlen("\nexclude="))
		abort();
	if (kc_ini_parse(text, size, &arena, &before) < 0 ||
	    kc_ini_parse(out.data, out.len, &arena, &after) < 0)
		return 0;
	compare_others(&before, &after);
	setting = kc_ini_get(&after, SECTION, "exclude");
	if (!setting)
		setting = kc_ini_get(&after, SECTION, "excludepkgs");
	if (!setting || !strstr(setting->value, added) || after.bad_line)
		abort();
	return 0;
}
