/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "crio-merge.h"

enum {
	FAULTS_MAX = 1000, /* a person reads them one by one */
};

bool kc_crio_is_full(const struct kc_crio_merge *m, uint32_t kind)
{
	if (m->n_faults < FAULTS_MAX)
		return false;
	if (kind != KC_CRIO_REFUSED && kind != KC_CRIO_UNSEEN)
		return true;
	for (size_t i = 0; i < m->n_faults; i++)
		if (m->fault[i].kind == kind)
			return true;
	return false;
}

int kc_crio_note(struct kc_crio_merge *m, uint32_t kind, const char *subject, const char *source,
		 const char *fmt, ...)
{
	struct kc_crio_fault *fault;
	const char *text;
	va_list ap;

	if (kc_crio_is_full(m, kind))
		return 0;
	fault = kc_arena_grow(m->arena, m->fault, m->n_faults, &m->size_faults, sizeof(*fault));
	if (!fault)
		return -ENOMEM;
	va_start(ap, fmt);
	text = kc_arena_vprintf(m->arena, fmt, ap);
	va_end(ap);
	if (!text)
		return -ENOMEM;
	m->fault = fault;
	m->fault[m->n_faults++] = (struct kc_crio_fault){
		.kind = kind,
		.subject = subject,
		.source = source,
		.text = text,
	};
	return 0;
}

struct kc_crio_draft *kc_crio_draft(struct kc_crio_merge *m, const char *name)
{
	for (size_t i = 0; i < m->n_drafts; i++)
		if (kc_streq(m->draft[i].handler.name, name))
			return &m->draft[i];
	return NULL;
}

struct kc_crio_draft *kc_crio_draft_new(struct kc_crio_merge *m, const char *name,
					const char *source)
{
	struct kc_crio_draft *draft = kc_crio_draft(m, name);
	const struct kc_crio_value empty = { "", source, { 0 } };

	if (!draft) {
		draft = kc_arena_grow(m->arena, m->draft, m->n_drafts, &m->size_drafts,
				      sizeof(*draft));
		if (!draft)
			return NULL;
		m->draft = draft;
		draft = &m->draft[m->n_drafts++];
	}
	*draft = (struct kc_crio_draft){
		.handler = {
			.name = name,
			.source = source,
			.runtime_path = empty,
			.runtime_type = empty,
			.monitor_path = empty,
			.monitor_cgroup = empty,
		},
	};
	return draft;
}

/* ---- what is built in ---- */

static const char *builtin_pids_limit(unsigned version)
{
	if (version == 0)
		return NULL;
	return version < 24 ? "1024" : version < 29 ? "0" : "-1";
}

/* The handler of a version that is not known: runc or crun. */
static const char unknown_builtin[] = "built-in";

static int set_builtin(struct kc_crio_merge *m)
{
	struct kc_crio_config *config = m->config;
	unsigned version = m->version;
	const char *from =
		version ? kc_arena_printf(m->arena, "built-in default of CRI-O 1.%u", version)
			: "built-in default of CRI-O";
	const char *runtime = version == 0 ? "" : version < 31 ? "runc" : "crun";
	struct kc_crio_draft *draft;

	if (!from)
		return -ENOMEM;
	config->conmon = (struct kc_crio_value){ "", from, { 0 } };
	config->conmon_cgroup = (struct kc_crio_value){
		version && version < KC_CRIO_MONITOR_SINCE ? "system.slice" : "", from, { 0 }
	};
	config->cgroup_manager = (struct kc_crio_value){ "systemd", from, { 0 } };
	config->listen = (struct kc_crio_value){ KC_CRIO_SOCKET, from, { 0 } };
	config->default_runtime = (struct kc_crio_value){ runtime, from, { 0 } };
	config->selinux =
		(struct kc_crio_value){ NULL, "whether SELinux is on when crio starts", { 0 } };
	config->pids_limit = (struct kc_crio_value){ builtin_pids_limit(version), from, { 0 } };
	config->network_dir = (struct kc_crio_value){ "/etc/cni/net.d/", from, { 0 } };
	config->plugin_dirs = (struct kc_crio_value){ "/opt/cni/bin/", from, { 0 } };
	if (m->complete)
		return 0;
	draft = kc_crio_draft_new(m, version == 0 ? unknown_builtin : runtime, from);
	if (!draft)
		return -ENOMEM;
	draft->handler.runtime_type.text = "oci";
	/* Where it is not known, an empty one comes to the same with systemd. */
	if (version >= KC_CRIO_MONITOR_SINCE)
		draft->handler.monitor_cgroup.text = "system.slice";
	return 0;
}

/* ---- flags ---- */

static const struct {
	const char *name;
	size_t offset;
} option_slots[] = {
	{ "conmon", offsetof(struct kc_crio_config, conmon) },
	{ "conmon-cgroup", offsetof(struct kc_crio_config, conmon_cgroup) },
	{ "cgroup-manager", offsetof(struct kc_crio_config, cgroup_manager) },
	{ "listen", offsetof(struct kc_crio_config, listen) },
	{ "default-runtime", offsetof(struct kc_crio_config, default_runtime) },
	{ "selinux", offsetof(struct kc_crio_config, selinux) },
	{ "pids-limit", offsetof(struct kc_crio_config, pids_limit) },
	{ "cni-config-dir", offsetof(struct kc_crio_config, network_dir) },
	{ "cni-plugin-dir", offsetof(struct kc_crio_config, plugin_dirs) },
};

/* One handler of --runtimes, NAME:PATH:ROOT[:TYPE[:…]]; replaces the whole of an earlier one. */
static int merge_runtime(struct kc_crio_merge *m, const struct kc_crio_option *option, char *text)
{
	char *rest = text, *field[7];
	struct kc_crio_draft *draft;
	size_t n = 0;

	while (rest && n < KC_ARRAY_SIZE(field))
		field[n++] = strsep(&rest, ":");
	if (rest || n < 3)
		return kc_crio_note(m, KC_CRIO_REFUSED, "--runtimes", option->source,
				    "\"%s\" is not NAME:PATH:ROOT", option->value);
	draft = kc_crio_draft_new(m, field[0], option->source);
	if (!draft)
		return -ENOMEM;
	draft->handler.runtime_path.text = field[1];
	draft->handler.runtime_type.text = n > 3 ? field[3] : "oci";
	return 0;
}

static int merge_runtimes(struct kc_crio_merge *m, const struct kc_crio_option *option)
{
	char *rest = kc_arena_strdup(m->arena, option->value);
	int r = rest ? 0 : -ENOMEM;

	while (r == 0 && rest && *rest)
		r = merge_runtime(m, option, strsep(&rest, ","));
	return r;
}

static int merge_options(struct kc_crio_merge *m, const struct kc_crio_options *options)
{
	bool flag = false;

	for (size_t i = 0; i < KC_ARRAY_SIZE(option_slots); i++) {
		const struct kc_crio_option *o = kc_crio_option(options, option_slots[i].name);
		char *to = (char *)m->config + option_slots[i].offset;

		if (o)
			*(struct kc_crio_value *)(void *)to =
				(struct kc_crio_value){ o->value, o->source, o->place };
	}
	/* Flags are added up, and stand for the variable. */
	for (size_t i = 0; i < options->n; i++)
		flag |= kc_streq(options->option[i].name, "runtimes") &&
			strstr(options->option[i].source, "(--") != NULL;
	for (size_t i = 0; i < options->n; i++) {
		const struct kc_crio_option *o = &options->option[i];

		if (kc_streq(o->name, "runtimes") && (!flag || strstr(o->source, "(--"))) {
			int r = merge_runtimes(m, o);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* ---- the whole ---- */

/* default_runtime must be among the handlers; an empty one means the built-in. */
static int check_default_runtime(struct kc_crio_merge *m)
{
	const struct kc_crio_value *name = &m->config->default_runtime;
	const char *builtin = m->version && m->version < 31 ? "runc" : "crun";

	if (kc_crio_draft(m, name->text))
		return 0;
	if (*name->text == '\0') {
		/* As CRI-O does at start; where the version is not known, a built-in one is there.
		 */
		if (m->version && !kc_crio_draft(m, builtin) &&
		    !kc_crio_draft_new(m, builtin, name->source))
			return -ENOMEM;
		return 0;
	}
	if (m->version == 0 && (kc_streq(name->text, "runc") || kc_streq(name->text, "crun")))
		return 0;
	return kc_crio_note(m, KC_CRIO_REFUSED, "default_runtime", name->source,
			    "default_runtime is \"%s\", and there is no "
			    "[crio.runtime.runtimes.%s]",
			    name->text, name->text);
}

/* Whichever of the two is built in, a table took its place. */
static bool unknown_builtin_is_replaced(struct kc_crio_merge *m)
{
	return kc_crio_draft(m, "runc") && kc_crio_draft(m, "crun");
}

static int finish(struct kc_crio_merge *m, const struct kc_crio_input *input)
{
	struct kc_crio_config *config = m->config;
	struct kc_crio_handler *handler;
	const char **files;

	handler = kc_arena_zalloc(m->arena, m->n_drafts + 1, sizeof(*handler));
	files = kc_arena_zalloc(m->arena, input->n_files + 1, sizeof(*files));
	if (!handler || !files)
		return -ENOMEM;
	for (size_t i = 0; i < m->n_drafts; i++)
		if (m->draft[i].handler.name != unknown_builtin || !unknown_builtin_is_replaced(m))
			handler[config->n_handlers++] = m->draft[i].handler;
	for (size_t i = 0; i < input->n_files; i++)
		files[i] = input->file[i].path;
	config->handler = handler;
	config->files = files;
	config->fault = m->fault;
	config->n_faults = m->n_faults;
	for (size_t i = m->n_faults; i > 0; i--) {
		const struct kc_crio_fault *fault = &m->fault[i - 1];

		if (fault->kind == KC_CRIO_REFUSED)
			config->refused = fault;
		if (fault->kind == KC_CRIO_UNSEEN)
			config->unseen = fault;
	}
	return 0;
}

int kc_crio_config_merge(const struct kc_crio_input *input, struct kc_arena *arena,
			 struct kc_crio_config **ret_config)
{
	struct kc_crio_merge m = {
		.arena = arena,
		.version = input->version,
		.complete = input->complete,
	};
	int r;

	m.config = kc_arena_zalloc(arena, 1, sizeof(*m.config));
	if (!m.config)
		return -ENOMEM;
	m.config->installed = true;
	m.config->version = input->version;
	r = set_builtin(&m);
	if (r == 0 && input->options && input->options->refused)
		r = kc_crio_note(&m, KC_CRIO_REFUSED, input->options->refused->subject,
				 input->options->refused->source, "%s",
				 input->options->refused->text);
	for (size_t i = 0; i < input->n_files && r == 0; i++)
		r = kc_crio_merge_file(&m, &input->file[i]);
	if (r == 0 && input->options)
		r = merge_options(&m, input->options);
	if (r == 0)
		r = check_default_runtime(&m);
	if (r == 0)
		r = finish(&m, input);
	if (r == 0)
		*ret_config = m.config;
	return r;
}

bool kc_crio_handler_has_conmon(const struct kc_crio_handler *handler)
{
	return handler->runtime_type.text[0] == '\0' || kc_streq(handler->runtime_type.text, "oci");
}

const struct kc_crio_value *kc_crio_conmon(const struct kc_crio_config *config,
					   const struct kc_crio_handler *handler)
{
	if (config->conmon.text[0])
		return &config->conmon;
	if (!handler || (config->version && config->version < KC_CRIO_MONITOR_SINCE))
		return NULL;
	return handler->monitor_path.text[0] ? &handler->monitor_path : NULL;
}

unsigned kc_crio_version(const char *text)
{
	unsigned minor = 0;
	const char *digit;

	text += *text == 'v';
	digit = kc_after_prefix(text, "1.");
	for (int i = 0; digit && i < 3 && *digit >= '0' && *digit <= '9'; i++)
		minor = minor * 10 + (unsigned)(*digit++ - '0');
	return digit && (*digit == '.' || *digit == '\0' || *digit == '-') ? minor : 0;
}
