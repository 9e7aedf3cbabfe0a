/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "hostname-descriptor.h"

enum {
	FILE_SIZE_MAX = 4096,
	LABEL_LONGEST = 63,
	NAME_LONGEST = 253,
};

static int is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* What is wrong with a label of n characters; NULL when nothing is. */
static const char *label_fault(const char *label, size_t n)
{
	if (n == 0)
		return "It is empty, or has two dots in a row, or one at an end.";
	if (n > LABEL_LONGEST)
		return "A part of it is longer than 63 characters.";
	for (size_t i = 0; i < n; i++) {
		if (label[i] >= 'A' && label[i] <= 'Z')
			return "It has a capital letter.";
		if (!is_alphanumeric(label[i]) && label[i] != '-')
			return "It has a character that is no letter, digit or \"-\".";
	}
	if (label[0] == '-' || label[n - 1] == '-')
		return "A part of it begins or ends with \"-\".";
	return NULL;
}

static const char *name_fault(const char *name, const struct kc_strings *refused)
{
	if (strlen(name) > NAME_LONGEST)
		return "It is longer than 253 characters.";
	for (const char *p = name;; p++) {
		size_t n = strcspn(p, ".");
		const char *fault = label_fault(p, n);

		if (fault)
			return fault;
		p += n;
		if (!*p)
			break;
	}
	for (size_t i = 0; i < refused->n; i++) {
		if (strcmp(name, refused->item[i]) == 0)
			return "It is among the names that no node shall have.";
	}
	return NULL;
}

static int judge(const struct kc_host *host, struct kc_run *run, uint32_t horizon, const char *name,
		 const char *source)
{
	struct kc_finding finding = {
		.size = sizeof(finding),
		.verdict = KC_PASS,
		.horizon = horizon,
		.expected = "a lower-case RFC 1123 name",
		.found = name,
		.source = source,
	};
	struct kc_strings refused;
	int r;

	r = kc_param_list(host, run, "refuse", &refused);
	if (r < 0)
		return r;
	finding.message = name_fault(name, &refused);
	if (finding.message)
		finding.verdict = KC_FAIL;
	return kc_finding(host, run, &finding);
}

/* For want of a name: an error with the host's own sentence, or a skip with a reason. */
static int no_name(const struct kc_host *host, struct kc_run *run, uint32_t horizon,
		   const char *reason, const char *source)
{
	const struct kc_finding finding = {
		.size = sizeof(finding),
		.verdict = reason ? KC_SKIP : KC_ERROR,
		.horizon = horizon,
		.source = source,
		.message = reason ? NULL : kc_why(host, run),
		.reason = reason,
	};

	return kc_finding(host, run, &finding);
}

static int judge_now(const struct kc_host *host, struct kc_run *run)
{
	static const char source[] = "/proc/sys/kernel/hostname";
	const char *name;

	if (kc_sysctl(host, run, "kernel.hostname", &name) < 0)
		return no_name(host, run, KC_NOW, NULL, source);
	return judge(host, run, KC_NOW, name, source);
}

/* The name that /etc/hostname sets: where it begins and how long it is; 0 for none. */
static const char *find_name(const struct kc_bytes *text, size_t *ret_n)
{
	const char *line;
	size_t n;

	for (line = text->data; *line; line += n + (line[n] == '\n')) {
		line += strspn(line, " \t\r\n");
		n = strcspn(line, "\n");
		if (n > 0 && *line != '#')
			break;
	}
	*ret_n = strcspn(line, " \t\r\n");
	return line;
}

static int judge_boot(const struct kc_host *host, struct kc_run *run)
{
	static const char path[] = "/etc/hostname";
	struct kc_bytes text;
	const char *line;
	char *name;
	size_t n;
	int r;

	r = kc_read_file(host, run, path, FILE_SIZE_MAX, &text);
	if (r < 0)
		return no_name(host, run, KC_BOOT, r == -ENOENT ? "not-set" : NULL, path);
	line = find_name(&text, &n);
	if (n == 0)
		return no_name(host, run, KC_BOOT, "not-set", path);
	name = kc_alloc(host, run, n + 1);
	if (!name)
		return -ENOMEM;
	memcpy(name, line, n);
	name[n] = 0;
	return judge(host, run, KC_BOOT, name, path);
}

int hostname_valid_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	uint32_t horizons = kc_horizons(host, run);
	int r = 0;

	(void)state;
	if (horizons & KC_NOW)
		r = judge_now(host, run);
	if (r == 0 && (horizons & KC_BOOT))
		r = judge_boot(host, run);
	return r;
}

/* ---- the repair ---- */

static int is_fine(const char *name, size_t n, const struct kc_strings *refused)
{
	char copy[NAME_LONGEST + 1];

	if (n > NAME_LONGEST)
		return 0;
	memcpy(copy, name, n);
	copy[n] = 0;
	return !name_fault(copy, refused);
}

static int plan_now(const struct kc_host *host, struct kc_run *run, const char *wanted,
		    const struct kc_strings *refused)
{
	const char *name;

	if (kc_sysctl(host, run, "kernel.hostname", &name) < 0 ||
	    is_fine(name, strlen(name), refused))
		return 0;
	return kc_step(host, run,
		       &(const struct kc_step){
			       .size = sizeof(struct kc_step),
			       .kind = KC_STEP_SYSCTL,
			       .horizon = KC_NOW,
			       .target = "kernel.hostname",
			       .content = wanted,
			       .content_size = strlen(wanted),
			       .why = "The kernel has the name until the next start.",
		       });
}

/* The file with another name in the place of the one that it sets; all else stays. */
static int plan_boot(const struct kc_host *host, struct kc_run *run, const char *wanted,
		     const struct kc_strings *refused)
{
	static const char path[] = "/etc/hostname";
	size_t n, start, length = strlen(wanted);
	struct kc_bytes text;
	const char *name;
	char *new;

	if (kc_read_file(host, run, path, FILE_SIZE_MAX, &text) < 0)
		return 0;
	name = find_name(&text, &n);
	if (n == 0 || is_fine(name, n, refused))
		return 0;
	start = (size_t)(name - text.data);
	new = kc_alloc(host, run, text.size - n + length + 1);
	if (!new)
		return -ENOMEM;
	memcpy(new, text.data, start);
	memcpy(new + start, wanted, length);
	memcpy(new + start + length, name + n, text.size - start - n);
	return kc_step(host, run,
		       &(const struct kc_step){
			       .size = sizeof(struct kc_step),
			       .kind = KC_STEP_EDIT_FILE,
			       .flags = KC_STEP_KEEP_OWNER,
			       .horizon = KC_BOOT,
			       .target = path,
			       .content = new,
			       .content_size = text.size - n + length,
			       .before = text.data,
			       .before_size = text.size,
			       .why = "systemd sets the name from there at every start.",
		       });
}

static int plan_by_hand(const struct kc_host *host, struct kc_run *run)
{
	static const char commands[] = "hostnamectl set-hostname NAME\n";

	return kc_step(host, run,
		       &(const struct kc_step){
			       .size = sizeof(struct kc_step),
			       .kind = KC_STEP_MANUAL,
			       .horizon = kc_horizons(host, run) & KC_BOOT ? KC_BOOT : KC_NOW,
			       .content = commands,
			       .content_size = sizeof(commands) - 1,
			       .why = "The profile gives no name for this host.",
		       });
}

int hostname_valid_plan(void *state, const struct kc_host *host, struct kc_run *run)
{
	uint32_t horizons = kc_horizons(host, run);
	struct kc_strings refused;
	const char *wanted;
	int r;

	(void)state;
	r = kc_param_string(host, run, "name", &wanted);
	if (r == 0)
		r = kc_param_list(host, run, "refuse", &refused);
	if (r < 0)
		return r;
	if (name_fault(wanted, &refused))
		return plan_by_hand(host, run);
	if (horizons & KC_NOW)
		r = plan_now(host, run, wanted, &refused);
	if (r == 0 && (horizons & KC_BOOT))
		r = plan_boot(host, run, wanted, &refused);
	return r;
}
