/* SPDX-License-Identifier: Apache-2.0 */
#include "crio-config.h"

/* The flags whose values matter here; NULL: no variable sets it. */
static const struct {
	const char *name, *alias, *variable;
} flags[] = {
	{ "config", "c", "CONTAINER_CONFIG" },
	{ "config-dir", "d", "CONTAINER_CONFIG_DIR" },
	{ "conmon", NULL, "CONTAINER_CONMON" },
	{ "conmon-cgroup", NULL, "CONTAINER_CONMON_CGROUP" },
	{ "cgroup-manager", NULL, "CONTAINER_CGROUP_MANAGER" },
	{ "listen", NULL, "CONTAINER_LISTEN" },
	{ "default-runtime", NULL, "CONTAINER_DEFAULT_RUNTIME" },
	{ "runtimes", NULL, "CONTAINER_RUNTIMES" },
	{ "selinux", NULL, "CONTAINER_SELINUX" },
	{ "pids-limit", NULL, "CONTAINER_PIDS_LIMIT" },
	{ "cni-config-dir", NULL, "CONTAINER_CNI_CONFIG_DIR" },
	{ "cni-plugin-dir", NULL, "CONTAINER_CNI_PLUGIN_DIR" },
};

/* Flags that take no word of their own; every other takes the next one. */
static const char *const switches[] = {
	"selinux",
	"blockio-reload",
	"log-journald",
	"add-inheritable-capabilities",
	"profile",
	"enable-profile-unix-socket",
	"enable-metrics",
	"enable-tracing",
	"enable-nri",
	"read-only",
	"device-ownership-from-security-context",
	"enable-criu-support",
	"drop-infra-ctr",
	"no-pivot",
	"stream-enable-tls",
	"internal-wipe",
	"internal-repair",
	"enable-pod-events",
	"hostnetwork-disable-selinux",
	"disable-hostport-mapping",
	"manage-ns-lifecycle",
	"manage-network-ns-lifecycle",
	"auto-reload-registries",
	"oci-artifact-mount-support",
	"help",
	"h",
	"version",
	"v",
	NULL,
};

struct options {
	struct kc_arena *arena;
	struct kc_crio_option *item;
	size_t n;
	struct kc_crio_fault *refused;
};

static const char *place_text(struct kc_arena *arena, struct kc_place place, const char *name)
{
	return kc_arena_printf(arena, "%s:%u (%s)", place.file ? place.file : "environment",
			       place.line, name);
}

static int add(struct options *o, const char *name, const char *value, const char *written,
	       struct kc_place place)
{
	struct kc_crio_option *option = &o->item[o->n];

	option->name = name;
	option->value = value;
	option->place = place;
	option->source = place_text(o->arena, place, written);
	if (!option->source)
		return -ENOMEM;
	o->n++;
	return 0;
}

static int add_variables(struct options *o, const struct kc_service_command *service)
{
	for (size_t f = 0; f < KC_ARRAY_SIZE(flags); f++) {
		const struct kc_environment_variable *last = NULL;

		for (size_t i = 0; i < service->n_environment; i++)
			if (kc_streq(service->environment[i].name, flags[f].variable))
				last = &service->environment[i];
		if (last) {
			int r = add(o, flags[f].name, last->value, last->name, last->place);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int refuse(struct options *o, const struct kc_word *word, const char *text)
{
	struct kc_crio_fault *fault = kc_arena_zalloc(o->arena, 1, sizeof(*fault));

	if (!fault)
		return -ENOMEM;
	fault->kind = KC_CRIO_REFUSED;
	fault->subject = word->text;
	fault->source = place_text(o->arena, word->place, word->text);
	fault->text = text;
	o->refused = fault;
	return fault->source ? 0 : -ENOMEM;
}

static int add_flag(struct options *o, const struct kc_word *word, const char *name,
		    const char *value)
{
	for (size_t f = 0; f < KC_ARRAY_SIZE(flags); f++)
		if (kc_streq(name, flags[f].name) || kc_streq0(name, flags[f].alias)) {
			const char *written = kc_arena_printf(o->arena, "--%s", flags[f].name);

			return written ? add(o, flags[f].name, value, written, word->place)
				       : -ENOMEM;
		}
	return 0;
}

/* Go's flag parser: "-x" and "--x" alike, the value behind "=" or in the next word. */
static int add_flags(struct options *o, const struct kc_command *command)
{
	for (size_t i = 1; i < command->n && !o->refused; i++) {
		const struct kc_word *word = &command->word[i];
		const char *text = word->text, *equals;
		const char *name, *value;
		int r;

		if (text[0] != '-' || text[1] == '\0' || kc_streq(text, "--"))
			return 0;
		text += text[1] == '-' ? 2 : 1;
		equals = strchr(text, '=');
		name = equals ? kc_arena_memdup(o->arena, text, (size_t)(equals - text)) : text;
		if (!name)
			return -ENOMEM;
		if (equals)
			value = equals + 1;
		else if (kc_strv_has(switches, name))
			value = "true";
		else if (i + 1 < command->n)
			value = command->word[++i].text;
		else
			return refuse(o, word, "a flag that needs a value has none");
		r = add_flag(o, word, name, value);
		if (r < 0)
			return r;
	}
	return 0;
}

int kc_crio_options_parse(const struct kc_service_command *service, struct kc_arena *arena,
			  struct kc_crio_options *ret_options)
{
	struct options o = { .arena = arena };
	int r;

	o.item = kc_arena_zalloc(arena, KC_ARRAY_SIZE(flags) + service->command.n + 1,
				 sizeof(*o.item));
	if (!o.item)
		return -ENOMEM;
	r = add_variables(&o, service);
	if (r == 0)
		r = add_flags(&o, &service->command);
	if (r < 0)
		return r;
	*ret_options = (struct kc_crio_options){
		.option = o.item,
		.n = o.n,
		.refused = o.refused,
	};
	return 0;
}

const struct kc_crio_option *kc_crio_option(const struct kc_crio_options *options, const char *name)
{
	for (size_t i = options ? options->n : 0; i > 0; i--)
		if (kc_streq(options->option[i - 1].name, name))
			return &options->option[i - 1];
	return NULL;
}
