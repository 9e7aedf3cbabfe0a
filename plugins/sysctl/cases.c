/* SPDX-License-Identifier: Apache-2.0 */
#include "sysctl.h"

static int fault(const char **ret_fault, const char *text)
{
	*ret_fault = text;
	return -EINVAL;
}

/* A key as the profile has it, as a path; NULL with a fault when it is none. */
static const char *path_of(const struct kc_host *host, struct kc_run *run, const char *name,
			   const char **ret_fault)
{
	size_t n = strlen(name);
	char *key = kc_alloc(host, run, n + 1);

	if (!key) {
		*ret_fault = "the rule used up the memory it may have";
		return NULL;
	}
	memcpy(key, name, n + 1);
	/* Slips that a file may have are faults in a profile. */
	if (name[0] != '/' && name[0] != '.' && !kc_endswith(name, "/") &&
	    !kc_endswith(name, ".") && !strstr(name, "//") && !strstr(name, "..") && n < 4000) {
		sysctl_normalize(key);
		if (sysctl_key_valid(key))
			return key;
	}
	*ret_fault = kc_text(host, run,
			     "%s is no key of a sysctl; write it like net.ipv4.ip_forward", name);
	return NULL;
}

static int read_want(const struct kc_host *host, struct kc_run *run, struct sysctl_want *ret_want,
		     const char **ret_fault)
{
	static const char *const names[] = { "equal", "at-least", "at-most", "one-of", NULL };
	const char *compare = "equal";

	*ret_want = (struct sysctl_want){ .compare = SYSCTL_EQUAL };
	(void)kc_param_string(host, run, "compare", &compare);
	for (size_t i = 0; names[i]; i++) {
		if (kc_streq(names[i], compare))
			ret_want->compare = (enum sysctl_compare)i;
	}
	(void)kc_param_string(host, run, "value", &ret_want->value);
	(void)kc_param_list(host, run, "values", &ret_want->values);
	if (ret_want->compare == SYSCTL_ONE_OF && ret_want->values.n == 0)
		return fault(ret_fault, "compare: one-of needs values, a list that is not empty");
	if (ret_want->compare != SYSCTL_ONE_OF && ret_want->values.n > 0)
		return fault(ret_fault, "values belongs to compare: one-of; give value instead");
	return 0;
}

static int add(const struct kc_host *host, struct kc_run *run, struct sysctl_cases *cases,
	       const char *name, const struct sysctl_want *want, const char **ret_fault)
{
	struct sysctl_case *c = cases->item + cases->n;

	*c = (struct sysctl_case){ .name = name, .want = *want };
	c->key = path_of(host, run, name, ret_fault);
	if (!c->key)
		return -EINVAL;
	if (!sysctl_want_valid(want))
		return fault(ret_fault,
			     kc_text(host, run,
				     "%s: at-least and at-most compare numbers, and '%s' is "
				     "none",
				     name, want->value));
	cases->n++;
	return 0;
}

int sysctl_cases(const struct kc_host *host, struct kc_run *run, struct sysctl_cases *ret_cases,
		 const char **ret_fault)
{
	struct kc_strings keys = { 0 };
	struct kc_pairs settings = { 0 };
	struct sysctl_cases out = { 0 };
	struct sysctl_want want;
	int r;

	(void)kc_param_list(host, run, "keys", &keys);
	(void)kc_param_map(host, run, "settings", &settings);
	r = read_want(host, run, &want, ret_fault);
	if (r < 0)
		return r;
	if (keys.n == 0 && settings.n == 0)
		return fault(ret_fault, "give keys with a value, or settings, or both");
	if (keys.n > 0 && want.compare != SYSCTL_ONE_OF && !want.value)
		return fault(ret_fault, "keys needs a value to compare with");
	if (settings.n > 0 && want.compare == SYSCTL_ONE_OF)
		return fault(ret_fault,
			     "settings have one value each; compare: one-of is for keys");
	out.item = kc_alloc(host, run, (keys.n + settings.n) * sizeof(*out.item));
	if (!out.item)
		return fault(ret_fault, "the rule used up the memory it may have");
	for (size_t i = 0; i < keys.n && r == 0; i++)
		r = add(host, run, &out, keys.item[i], &want, ret_fault);
	for (size_t i = 0; i < settings.n && r == 0; i++) {
		want.value = settings.item[i].value;
		r = add(host, run, &out, settings.item[i].key, &want, ret_fault);
	}
	if (r == 0)
		*ret_cases = out;
	return r;
}
