/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <strings.h>

#include "cni.h"

enum {
	DEPTH_MAX = 64,
	WHY_MAX = 256
};

/* What Go's decoder wants of a member of types.PluginConf; null is as good as nothing. */
enum kind {
	TEXT,
	TEXTS,
	TRUTHS,
	OBJECT,
	IPAM,
	DNS
};

struct member {
	const char *name;
	enum kind kind;
};

static const struct member plugin_members[] = {
	{ "cniVersion", TEXT },	  { "name", TEXT },
	{ "type", TEXT },	  { "capabilities", TRUTHS },
	{ "ipam", IPAM },	  { "dns", DNS },
	{ "prevResult", OBJECT }, { 0 },
};

static const struct member ipam_members[] = { { "type", TEXT }, { 0 } };

static const struct member dns_members[] = {
	{ "nameservers", TEXTS },
	{ "domain", TEXT },
	{ "search", TEXTS },
	{ "options", TEXTS },
	{ 0 },
};

static int skipped(struct kc_arena *arena, struct cni_network *network, const char *fmt, ...)
	kc_printf(3, 4);

/* Notes why the runtime leaves the file out. */
static int skipped(struct kc_arena *arena, struct cni_network *network, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	network->state = CNI_SKIPPED;
	network->why = kc_arena_vprintf(arena, fmt, ap);
	va_end(ap);
	return network->why ? 0 : -ENOMEM;
}

static int unsure(struct cni_network *network, const char *why)
{
	network->state = CNI_UNSURE;
	network->why = why;
	return 0;
}

/* How deep objects and arrays are nested; what is inside strings does not count. */
static unsigned depth_of(const char *text, size_t size)
{
	unsigned depth = 0, deepest = 0;
	bool quoted = false;

	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
			deepest = KC_MAX(deepest, ++depth);
		else if (!quoted && (c == '}' || c == ']') && depth)
			depth--;
	}
	return deepest;
}

static bool all_are(const json_t *array, json_type type)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *item = json_array_get(array, i);

		if (!json_is_null(item) && json_typeof(item) != type)
			return false;
	}
	return true;
}

static bool all_truths(json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		if (!json_is_boolean(value) && !json_is_null(value))
			return false;
	}
	return true;
}

static const char *misfit(json_t *object, const struct member *members);

static bool fits(json_t *value, enum kind kind)
{
	if (json_is_null(value))
		return true;
	switch (kind) {
	case TEXT:
		return json_is_string(value);
	case TEXTS:
		return json_is_array(value) && all_are(value, JSON_STRING);
	case TRUTHS:
		return json_is_object(value) && all_truths(value);
	case OBJECT:
		return json_is_object(value);
	case IPAM:
		return json_is_object(value) && !misfit(value, ipam_members);
	case DNS:
		return json_is_object(value) && !misfit(value, dns_members);
	}
	return false;
}

/* The first key that Go's decoder would refuse the object for; NULL when it takes it. */
static const char *misfit(json_t *object, const struct member *members)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		for (const struct member *m = members; m->name; m++) {
			if (strcasecmp(key, m->name) == 0 && !fits(value, m->kind))
				return m->name;
		}
	}
	return NULL;
}

/* The text of a member, by its name in any case; "" when there is none. */
static const char *text_of(json_t *object, const char *name)
{
	const char *key, *text = "";
	json_t *value;

	json_object_foreach(object, key, value)
	{
		if (strcasecmp(key, name) == 0 && json_is_string(value))
			text = json_string_value(value);
	}
	return text;
}

/* A plugin's object: its type, or why libcni refuses it (*ret_type is NULL). */
static int read_plugin(json_t *plugin, struct kc_arena *arena, struct cni_network *network,
		       const char **ret_type)
{
	const char *key, *type;

	*ret_type = NULL;
	if (!json_is_object(plugin))
		return skipped(arena, network, "a plugin in it is no object");
	key = misfit(plugin, plugin_members);
	if (key)
		return skipped(arena, network, "\"%s\" has a value of the wrong type", key);
	type = text_of(plugin, "type");
	if (!*type)
		return skipped(arena, network, "a plugin in it has no \"type\"");
	*ret_type = kc_arena_strdup(arena, type);
	return *ret_type ? 0 : -ENOMEM;
}

/* The network is usable; `name` may be empty. */
static int usable(struct kc_arena *arena, struct cni_network *network, const char *name,
		  const char *const *types)
{
	network->name = kc_arena_strdup(arena, *name ? name : network->file);
	network->types = types;
	network->state = CNI_USABLE;
	return network->name ? 0 : -ENOMEM;
}

/* A file of one plugin. */
static int read_conf(json_t *root, struct kc_arena *arena, struct cni_network *network)
{
	const char **types = kc_arena_zalloc(arena, 2, sizeof(*types));
	int r;

	if (!types)
		return -ENOMEM;
	if (json_object_get(root, "plugins") && !*text_of(root, "type"))
		return skipped(arena, network,
			       "it has no \"type\": a list of plugins is a .conflist");
	r = read_plugin(root, arena, network, &types[0]);
	if (r || !types[0])
		return r;
	return usable(arena, network, text_of(root, "name"), types);
}

/* A key of a list that must be a truth: true, false, or one of the two as text. */
static bool is_truth(const json_t *value)
{
	const char *text = json_string_value(value);

	return !value || json_is_boolean(value) ||
	       (text && (strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0));
}

/* What libcni looks at before the plugins; true: it goes on. */
static bool head_fits(json_t *root, const char **ret_why)
{
	static const char *const truths[] = { "disableCheck", "disableGC", "loadOnlyInlinedPlugins",
					      NULL };
	const json_t *version = json_object_get(root, "cniVersion");

	if (!json_is_string(json_object_get(root, "name"))) {
		*ret_why = "it has no \"name\"";
		return false;
	}
	if (version && !json_is_string(version)) {
		*ret_why = "\"cniVersion\" is no text";
		return false;
	}
	KC_FOREACH_STR (name, truths) {
		if (!is_truth(json_object_get(root, name))) {
			*ret_why = "a key of the list that is a truth has another value";
			return false;
		}
	}
	return true;
}

/* A file with a list of plugins. */
static int read_conflist(json_t *root, struct kc_arena *arena, struct cni_network *network)
{
	json_t *plugins = json_object_get(root, "plugins");
	const char **types, *why = NULL;
	size_t n = json_array_size(plugins);

	if (!head_fits(root, &why))
		return skipped(arena, network, "%s", why);
	/* libcni 1.3 takes them from a folder of the network's name, older ones leave it out. */
	if (!plugins)
		return unsure(network, "it has no \"plugins\", which libcni before 1.3 leaves out, "
				       "and later ones take from a folder of the network's name");
	if (!json_is_array(plugins) || !n)
		return skipped(arena, network, "its \"plugins\" are no list, or an empty one");
	if (n > CNI_PLUGINS_MAX)
		return unsure(network, "it has more than 64 plugins");
	types = kc_arena_zalloc(arena, n + 1, sizeof(*types));
	if (!types)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		int r = read_plugin(json_array_get(plugins, i), arena, network, &types[i]);

		if (r || !types[i])
			return r;
	}
	return usable(arena, network, json_string_value(json_object_get(root, "name")), types);
}

/* Go replaces what is no UTF-8 and keeps NULs, where this reader gives up. */
static bool is_read_by_go(const json_error_t *error)
{
	enum json_error_code code = json_error_code(error);

	return code == json_error_invalid_utf8 || code == json_error_null_character ||
	       code == json_error_null_byte_in_key;
}

bool cni_name_counts(const char *file)
{
	static const char *const endings[] = { ".conf", ".conflist", ".json", NULL };
	const char *dot = strrchr(file, '.');

	return dot && kc_strv_has(endings, dot);
}

int cni_file_parse(const char *file, const char *text, size_t size, struct kc_arena *arena,
		   struct cni_network *ret_network)
{
	kc_cleanup(json_decrefp) json_t *root = NULL;
	struct cni_network network = { .file = file };
	json_error_t error;
	int r;

	if (size > CNI_FILE_MAX || depth_of(text, size) > DEPTH_MAX) {
		*ret_network = network;
		return unsure(ret_network, "it is larger, or nested deeper, than is read here");
	}
	root = json_loadb(text, size, JSON_DECODE_INT_AS_REAL, &error);
	if (!root && is_read_by_go(&error))
		r = unsure(&network, "it has bytes that are no UTF-8, or a NUL");
	else if (!root)
		r = skipped(arena, &network, "it is no JSON object (line %d: %.*s)", error.line,
			    WHY_MAX, error.text);
	else if (!json_is_object(root))
		r = skipped(arena, &network, "it is no JSON object");
	else if (kc_endswith(file, ".conflist"))
		r = read_conflist(root, arena, &network);
	else
		r = read_conf(root, arena, &network);
	if (r)
		return r;
	*ret_network = network;
	return 0;
}
