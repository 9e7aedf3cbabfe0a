/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "kubelet-config.h"

/* Most places that a sentence lists. */
enum {
	BEATEN_MAX = 8,
};

/* What one file says of a setting; NULL value when nothing. */
static int file_layer(const struct kc_kubelet_file *file, const struct kc_kubelet_setting *setting,
		      struct kc_arena *arena, struct kc_kubelet_layer *ret_layer)
{
	const struct kc_yaml_node *node = kc_kubelet_file_get(file, setting->key);

	*ret_layer = (struct kc_kubelet_layer){
		.origin = file->dropin ? KC_KUBELET_FROM_DROPIN : KC_KUBELET_FROM_FILE,
	};
	if (!node)
		return 0;
	ret_layer->value = kc_kubelet_node_text(node, setting->type, arena);
	ret_layer->source = kc_arena_printf(arena, "%s:%u", file->path, node->line);
	return ret_layer->value && ret_layer->source ? 0 : -ENOMEM;
}

static const char *default_source(const struct kc_kubelet_config *config, struct kc_arena *arena)
{
	if (!config->release.minor)
		return "default of the kubelet";
	return kc_arena_printf(arena, "default of %s",
			       kc_kubelet_release_name(&config->release, arena));
}

int kc_kubelet_value(const struct kc_kubelet_config *config,
		     const struct kc_kubelet_setting *setting, struct kc_arena *arena,
		     struct kc_kubelet_value *ret_value)
{
	bool in_file = setting->key &&
		       (!config->release.minor || config->release.minor >= setting->key_since);
	struct kc_kubelet_layer *layer, *top;
	size_t n = 0;

	layer = kc_arena_zalloc(arena, 1 + config->n_files + config->flags.n, sizeof(*layer));
	if (!layer)
		return -ENOMEM;
	layer[n++] = (struct kc_kubelet_layer){
		.value = kc_kubelet_setting_default(setting, &config->release, config->n_files > 0),
		.source = default_source(config, arena),
		.origin = KC_KUBELET_FROM_DEFAULT,
	};
	for (size_t i = 0; in_file && i < config->n_files; i++) {
		int r = file_layer(&config->file[i], setting, arena, &layer[n]);

		if (r < 0)
			return r;
		n += layer[n].value ? 1 : 0;
	}
	for (size_t i = 0; setting->flag && i < config->flags.n; i++) {
		const struct kc_kubelet_flag *flag = &config->flags.flag[i];

		if (kc_streq(flag->name, setting->flag))
			layer[n++] = (struct kc_kubelet_layer){ flag->value, flag->source,
								KC_KUBELET_FROM_FLAG };
	}
	top = &layer[n - 1];
	*ret_value = (struct kc_kubelet_value){
		.value = top->value,
		.source = top->source,
		.origin = top->origin,
		.beaten = layer + 1,
		.n_beaten = n > 2 ? n - 2 : 0,
	};
	return top->source ? 0 : -ENOMEM;
}

const char *kc_kubelet_beaten_text(const struct kc_kubelet_value *value, struct kc_arena *arena)
{
	kc_cleanup(kc_buf_done) struct kc_buf wins = { 0 }, same = { 0 };
	size_t told = KC_MIN(value->n_beaten, (size_t)BEATEN_MAX);

	for (size_t i = 0; i < told; i++) {
		const struct kc_kubelet_layer *layer = &value->beaten[value->n_beaten - 1 - i];

		if (kc_streq(layer->value, value->value))
			kc_buf_addf(&same, "%s%s",
				    same.len > 0 ? ", and in " : "The same stands in ",
				    layer->source);
		else if (wins.len > 0)
			kc_buf_addf(&wins, ", and over %s in %s", layer->value, layer->source);
		else
			kc_buf_addf(&wins, "%s wins over %s in %s", value->value, layer->value,
				    layer->source);
	}
	if (value->n_beaten > told)
		kc_buf_addf(wins.len > 0 ? &wins : &same, ", and %s %zu more",
			    wins.len > 0 ? "over" : "in", value->n_beaten - told);
	if (wins.len > 0 && same.len > 0)
		kc_buf_add(&wins, ". ", 2);
	if (same.len > 0)
		kc_buf_add(&wins, same.data, same.len);
	if (wins.len > 0)
		kc_buf_addc(&wins, '.');
	if (kc_buf_error(&wins) < 0 || kc_buf_error(&same) < 0)
		return NULL;
	return kc_arena_memdup(arena, wins.len > 0 ? wins.data : "", wins.len);
}

/* As strconv.ParseBool of Go takes it. */
static bool is_go_true(const char *s, size_t n)
{
	return (n == 1 && strchr("1tT", *s)) || (n == 4 && strncasecmp(s, "true", 4) == 0);
}

/* The last word on a gate in "A=true,B=false"; -1 when it is not named. */
static int gate_in_flag(const char *value, const char *gate)
{
	size_t n = strlen(gate);
	int state = -1;

	for (const char *s = value; *s;) {
		size_t length = strcspn(s, ",");

		if (length > n + 1 && memcmp(s, gate, n) == 0 && s[n] == '=')
			state = is_go_true(s + n + 1, length - n - 1);
		s += length;
		s += *s == ',';
	}
	return state;
}

int kc_kubelet_gate(const struct kc_kubelet_config *config, const char *gate,
		    struct kc_arena *arena, const char **ret_source)
{
	bool locked = false;
	int state = kc_kubelet_gate_default(gate, &config->release, &locked);
	const char *source = default_source(config, arena);
	const char *key = kc_arena_printf(arena, "featureGates.%s", gate);

	if (!source || !key)
		return -ENOMEM;
	for (size_t i = 0; !locked && i < config->n_files; i++) {
		const struct kc_yaml_node *node = kc_kubelet_file_get(&config->file[i], key);

		if (!node || node->type != KC_YAML_SCALAR)
			continue;
		state = kc_streq(kc_kubelet_node_text(node, KC_KUBELET_BOOLEAN, arena), "true");
		source = kc_arena_printf(arena, "%s:%u", config->file[i].path, node->line);
		if (!source)
			return -ENOMEM;
	}
	for (size_t i = 0; !locked && i < config->flags.n; i++) {
		const struct kc_kubelet_flag *flag = &config->flags.flag[i];
		int set = kc_streq(flag->name, "feature-gates") ? gate_in_flag(flag->value, gate)
								: -1;

		if (set < 0)
			continue;
		state = set;
		source = flag->source;
	}
	*ret_source = source;
	return state;
}
