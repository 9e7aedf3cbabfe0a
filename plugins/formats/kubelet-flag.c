/* SPDX-License-Identifier: Apache-2.0 */
#include "kubelet-flag.h"

struct parser {
	const struct kc_kubelet_argument *argument;
	size_t n, at;
	struct kc_arena *arena;
	struct kc_kubelet_flag *flag;
	size_t n_flags;
	struct kc_kubelet_flags *flags;
};

static int refuse(struct parser *p, size_t at, const char *fmt, const char *what)
{
	if (p->flags->refusal)
		return 0;
	p->flags->refusal = kc_arena_printf(p->arena, fmt, what);
	p->flags->refusal_source = p->argument[at].source;
	return p->flags->refusal ? 0 : -ENOMEM;
}

static void add(struct parser *p, const char *name, const char *value, const char *source)
{
	p->flag[p->n_flags++] = (struct kc_kubelet_flag){
		.name = name,
		.value = value,
		.source = source,
	};
}

bool kc_kubelet_flag_takes_value(const char *name)
{
	return !kc_kubelet_flag_is_boolean(name) &&
	       (kc_kubelet_setting_by_flag(name) || kc_streq(name, "config") ||
		kc_streq(name, "config-dir"));
}

/* A name that no table knows may be boolean or not; what follows tells, as far as anything does. */
static bool stands_alone(const struct parser *p, const char *name)
{
	if (kc_kubelet_flag_is_boolean(name))
		return true;
	if (kc_kubelet_flag_takes_value(name))
		return false;
	return p->at + 1 >= p->n || p->argument[p->at + 1].text[0] == '-';
}

static int parse_long(struct parser *p, const char *text)
{
	const struct kc_kubelet_argument *first = &p->argument[p->at];
	const char *equals = strchr(text, '=');
	char *name =
		kc_arena_memdup(p->arena, text, equals ? (size_t)(equals - text) : strlen(text));
	const char *value;

	if (!name)
		return -ENOMEM;
	if (!*name || *name == '-')
		return refuse(p, p->at, "\"%s\" is no flag", first->text);
	kc_kubelet_flag_name(name);
	if (equals) {
		value = kc_arena_strdup(p->arena, equals + 1);
		if (!value)
			return -ENOMEM;
	} else if (stands_alone(p, name)) {
		value = "true";
	} else if (p->at + 1 < p->n) {
		value = kc_arena_strdup(p->arena, p->argument[++p->at].text);
		if (!value)
			return -ENOMEM;
	} else {
		return refuse(p, p->at, "--%s stands at the end and lacks its value", name);
	}
	add(p, name, value, first->source);
	return 0;
}

/* The kubelet has two short flags: -h and -v. */
static int parse_short(struct parser *p, const char *text)
{
	const struct kc_kubelet_argument *first = &p->argument[p->at];
	const char *value;

	if (kc_streq(text, "h")) {
		add(p, "help", "true", first->source);
		return 0;
	}
	if (text[0] != 'v')
		return refuse(p, p->at, "\"%s\" is no flag of the kubelet", first->text);
	if (text[1] == '=')
		value = text + 2;
	else if (text[1])
		value = text + 1;
	else if (p->at + 1 < p->n)
		value = p->argument[++p->at].text;
	else
		return refuse(p, p->at, "%s lacks its value", "-v");
	value = kc_arena_strdup(p->arena, value);
	if (!value)
		return -ENOMEM;
	add(p, "v", value, first->source);
	return 0;
}

int kc_kubelet_flags_parse(const struct kc_kubelet_argument *argument, size_t n,
			   struct kc_arena *arena, struct kc_kubelet_flags *ret_flags)
{
	struct kc_kubelet_flags flags = { 0 };
	struct parser p = { .argument = argument, .n = n, .arena = arena, .flags = &flags };

	if (n > KC_KUBELET_ARGUMENTS_MAX)
		return -E2BIG;
	p.flag = kc_arena_zalloc(arena, n + 1, sizeof(*p.flag));
	if (!p.flag)
		return -ENOMEM;
	for (p.at = 0; p.at < n; p.at++) {
		const char *text = argument[p.at].text;
		int r = 0;

		if (kc_streq(text, "--")) {
			if (p.at + 1 < n)
				r = refuse(&p, p.at + 1, "\"%s\" is no flag",
					   argument[p.at + 1].text);
			if (r < 0)
				return r;
			break;
		}
		if (text[0] == '-' && text[1] == '-')
			r = parse_long(&p, text + 2);
		else if (text[0] == '-' && text[1])
			r = parse_short(&p, text + 1);
		else
			r = refuse(&p, p.at, "\"%s\" is no flag: the kubelet takes nothing else",
				   text);
		if (r < 0)
			return r;
	}
	flags.flag = p.flag;
	flags.n = p.n_flags;
	*ret_flags = flags;
	return 0;
}

const struct kc_kubelet_flag *kc_kubelet_flags_last(const struct kc_kubelet_flags *flags,
						    const char *name)
{
	for (size_t i = flags->n; i > 0; i--)
		if (kc_streq(flags->flag[i - 1].name, name))
			return &flags->flag[i - 1];
	return NULL;
}

int kc_kubelet_flags_check(struct kc_kubelet_flags *flags, const struct kc_kubelet_release *release,
			   struct kc_arena *arena)
{
	for (size_t i = 0; release->minor && !flags->refusal && i < flags->n; i++) {
		const struct kc_kubelet_flag *flag = &flags->flag[i];
		const struct kc_kubelet_removed_flag *removed = kc_kubelet_flag_removed(flag->name);

		if (removed && release->minor >= removed->minor)
			flags->refusal = kc_arena_printf(
				arena,
				"%s does not start with --%s, which was removed in 1.%u (%s). %s",
				kc_kubelet_release_name(release, arena), flag->name, removed->minor,
				removed->source, removed->instead);
		else if (kc_streq(flag->name, "config-dir") && release->minor < 28)
			flags->refusal = kc_arena_printf(
				arena, "%s does not start with --config-dir, which came with 1.28",
				kc_kubelet_release_name(release, arena));
		else
			continue;
		if (!flags->refusal)
			return -ENOMEM;
		flags->refusal_source = flag->source;
	}
	return 0;
}
