/* SPDX-License-Identifier: Apache-2.0 */
#include "os-release.h"

struct variables {
	const struct kc_environment_variable *list;
	size_t n;
};

static struct kc_os_field find(const struct variables *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (kc_streq(v->list[i].name, name) && v->list[i].value[0])
			return (struct kc_os_field){ v->list[i].value, v->list[i].place };
	return (struct kc_os_field){ 0 };
}

static struct kc_os_field or_default(struct kc_os_field field, const char *file,
				     const char *fallback)
{
	if (!field.text)
		field = (struct kc_os_field){ .text = fallback, .place.file = file };
	return field;
}

int kc_os_release_parse(const char *file, const char *text, size_t size, struct kc_arena *arena,
			struct kc_os_release *ret_os)
{
	struct kc_environment_variable *list = NULL;
	struct kc_os_field version;
	struct kc_os_release os;
	struct variables v;
	int r;

	r = kc_environment_file_parse(file, text, size, arena, &list, &v.n);
	if (r < 0)
		return r;
	v.list = list;
	os.id = or_default(find(&v, "ID"), file, "linux");
	os.like = find(&v, "ID_LIKE");
	os.version = find(&v, "VERSION_ID");
	os.name = find(&v, "PRETTY_NAME");
	version = find(&v, "VERSION");
	if (!os.name.text) {
		os.name = or_default(find(&v, "NAME"), file, "Linux");
		if (version.text)
			os.name.text = kc_arena_printf(arena, "%s %s", os.name.text, version.text);
		if (!os.name.text)
			return -ENOMEM;
	}
	*ret_os = os;
	return 0;
}
