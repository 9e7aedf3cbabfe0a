/* SPDX-License-Identifier: Apache-2.0 */
#include "playbook.h"

/*
 * What no file decides, by modules. What they do is by the documentation of ansible-core 2.14,
 * ansible.posix 1.5 and community.general 6.6, and by their code where that says less.
 */

#define SCRATCH_FOLDER "/run/sysctl.d"
#define SCRATCH_FILE   SCRATCH_FOLDER "/99-k8scheck.conf"
#define ZONE_FILE      "/etc/firewalld/firewalld.conf"
#define SELINUX_FILE   "/etc/selinux/config"

/* KEY = VALUE as the last of the key's lines, as ansible.posix.sysctl reads a file. */
static bool sets_key(const struct kc_plan_node *node, const char *key, const char *value)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	char *save = NULL;
	bool found = false;

	kc_buf_add(&text, node->text, node->size);
	if (text.failed)
		return false;
	for (char *s = strtok_r(text.data, "\n", &save); s; s = strtok_r(NULL, "\n", &save)) {
		char *line = kc_strstrip(s), *equals = strchr(line, '=');

		if (!equals || *line == '#' || *line == ';')
			continue;
		*equals = 0;
		if (kc_streq(kc_strstrip(line), key))
			found = kc_streq(kc_strstrip(equals + 1), value);
	}
	return found;
}

static bool is_sysctl_file(const struct kc_plan_change *c)
{
	return c->after.type == KC_FILE_REGULAR && !kc_playbook_why_no_content(c) &&
	       kc_playbook_can_hold(c->path) &&
	       (kc_after_prefix(c->path, "/etc/sysctl.d/") ||
		kc_streq(c->path, "/etc/sysctl.conf"));
}

/* A change of a task in front of this one that a function asks for; NULL: there is none. */
static const struct kc_plan_change *find_earlier(const struct kc_playbook *p,
						 bool (*is_it)(const struct kc_plan_change *,
							       const char *, const char *),
						 const char *a, const char *b)
{
	for (uint32_t i = 0; i <= p->rule; i++) {
		const struct kc_plan_rule *rule = p->plan->rules + i;
		uint32_t end = i == p->rule ? p->step : rule->n_steps;

		for (uint32_t k = 0; k < end; k++) {
			const struct kc_plan_step *step = rule->steps + k;

			for (uint32_t c = 0; step->state == KC_STATE_NEEDED && c < step->n_changes;
			     c++) {
				if (is_it(step->changes + c, a, b))
					return step->changes + c;
			}
		}
	}
	return NULL;
}

static bool is_file_of_key(const struct kc_plan_change *c, const char *key, const char *value)
{
	return is_sysctl_file(c) && sets_key(&c->after, key, value);
}

static void scratch_folder(struct kc_playbook *p)
{
	if (p->scratch)
		return;
	p->scratch = true;
	kc_playbook_task(p, "make the folder " SCRATCH_FOLDER);
	kc_playbook_module(p, "ansible.builtin.file");
	kc_playbook_argument_text(p, "path", SCRATCH_FOLDER);
	kc_playbook_argument(p, "state", "directory");
	kc_playbook_argument_text(p, "owner", "root");
	kc_playbook_argument_text(p, "group", "root");
	kc_playbook_argument_text(p, "mode", "0755");
}

/* The module never sets what runs alone: it writes a file as well, /etc/sysctl.conf if not told. */
void kc_playbook_sysctl(struct kc_playbook *p, const struct kc_plan_step *step)
{
	const struct kc_plan_change *c;

	if (!kc_playbook_can_hold(step->target) || !kc_playbook_can_hold(step->content)) {
		kc_playbook_leave(p, step, "Its value is no text, which a playbook cannot hold.");
		return;
	}
	c = find_earlier(p, is_file_of_key, step->target, step->content);
	if (!c) {
		kc_playbook_comment(
			p, "The module writes a file, too: here one that the next boot forgets.");
		scratch_folder(p);
	}
	kc_playbook_step_task(p, step);
	kc_playbook_module(p, "ansible.posix.sysctl");
	kc_playbook_argument_text(p, "name", step->target);
	kc_playbook_argument_text(p, "value", step->content);
	kc_playbook_argument(p, "sysctl_set", "true");
	kc_playbook_argument_text(p, "sysctl_file", c ? c->path : SCRATCH_FILE);
	kc_playbook_argument(p, "state", "present");
	kc_playbook_argument(p, "reload", "false");
}

void kc_playbook_load_module(struct kc_playbook *p, const struct kc_plan_step *step)
{
	kc_playbook_step_task(p, step);
	kc_playbook_module(p, "community.general.modprobe");
	kc_playbook_argument_text(p, "name", step->target);
	kc_playbook_argument(p, "state", "present");
}

/* The unit of a path, as systemd-escape(1) --path --suffix=swap has it. */
static void add_swap_unit(struct kc_buf *b, const char *path)
{
	bool first = true;

	for (path += strspn(path, "/"); *path; first = false) {
		char c = *path;

		if (c == '/') {
			path += strspn(path, "/");
			if (*path)
				kc_buf_addc(b, '-');
			continue;
		}
		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    c == ':' || c == '_' || (c == '.' && !first))
			kc_buf_addc(b, c);
		else
			kc_buf_addf(b, "\\x%02x", (unsigned)(unsigned char)c);
		path++;
	}
	kc_buf_adds(b, ".swap");
}

/* No module calls swapoff(2), but systemd has a unit for whatever it finds in /proc/swaps. */
void kc_playbook_swap_off(struct kc_playbook *p, const struct kc_plan_step *step)
{
	kc_cleanup(kc_buf_done) struct kc_buf unit = { 0 };

	/* A name of /proc/swaps with a backslash is one with white space, or a file that is gone.
	 */
	if (*step->target != '/' || strchr(step->target, '\\')) {
		kc_playbook_leave(p, step, "Its name does not say which unit of systemd it is.");
		return;
	}
	kc_playbook_comment(
		p, "systemd turns it off, which has a unit for each swap that is on. Nothing here\n"
		   "looks whether memory has room for what it holds.");
	add_swap_unit(&unit, step->target);
	kc_playbook_step_task(p, step);
	kc_playbook_module(p, "ansible.builtin.systemd");
	kc_playbook_argument_text(p, "name", unit.failed ? "" : unit.data);
	kc_playbook_argument(p, "state", "stopped");
}

static bool is_selinux_file(const struct kc_plan_change *c, const char *key, const char *mode)
{
	return kc_streq(c->path, SELINUX_FILE) && c->after.type == KC_FILE_REGULAR &&
	       !kc_playbook_why_no_content(c) && sets_key(&c->after, key, mode);
}

/* The module sets the mode that runs and the configured one, never the first alone. */
void kc_playbook_selinux_mode(struct kc_playbook *p, const struct kc_plan_step *step)
{
	bool enforcing = kc_streq0(step->content, "enforcing");

	if (!enforcing && !kc_streq0(step->content, "permissive")) {
		kc_playbook_leave(p, step, "No module sets such a mode.");
		return;
	}
	if (!find_earlier(p, is_selinux_file, "SELINUX", step->content)) {
		kc_playbook_leave(
			p, step,
			"ansible.posix.selinux would change the mode of the next boot, too, which "
			"the plan leaves as it is.");
		kc_playbook_comment(p, enforcing ? "  setenforce 1" : "  setenforce 0");
		return;
	}
	kc_playbook_task(p, "look at SELinux");
	kc_playbook_module(p, "ansible.builtin.setup");
	kc_buf_addf(&p->tasks, "%*sgather_subset: [\"!all\", \"!min\", \"selinux\"]\n",
		    KC_PLAYBOOK_ARGUMENT, "");
	kc_playbook_step_task(p, step);
	kc_playbook_module(p, "ansible.posix.selinux");
	kc_playbook_argument(p, "policy", "\"{{ ansible_facts.selinux.type }}\"");
	kc_playbook_argument(p, "state", step->content);
}

void kc_playbook_default_zone(struct kc_playbook *p, const struct kc_plan_step *step)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	uint32_t result;

	kc_playbook_comment(
		p, "ansible.posix.firewalld has no default zone: firewalld's file has it, which "
		   "firewalld reads");
	kc_playbook_comment(p, "when it reloads. Rules that are not permanent are gone then.");
	kc_buf_addf(&text, "DefaultZone=%s", step->content);
	kc_playbook_step_task(p, step);
	kc_playbook_module(p, "ansible.builtin.lineinfile");
	kc_playbook_argument_text(p, "path", ZONE_FILE);
	kc_playbook_argument_text(p, "regexp", "^\\s*DefaultZone\\s*=");
	kc_playbook_argument_text(p, "line", text.failed ? "" : text.data);
	result = kc_playbook_register_result(p);
	kc_playbook_task(p, "make firewalld read its configuration again");
	kc_playbook_module(p, "ansible.builtin.systemd");
	kc_playbook_argument_text(p, "name", "firewalld.service");
	kc_playbook_argument(p, "state", "reloaded");
	kc_buf_addf(&p->tasks, "%*swhen: k8scheck_%u is changed\n", KC_PLAYBOOK_MODULE, "", result);
}

void kc_playbook_port(struct kc_playbook *p, const struct kc_plan_step *step)
{
	kc_playbook_step_task(p, step);
	kc_playbook_module(p, "ansible.posix.firewalld");
	kc_playbook_argument_text(p, "zone", step->target);
	kc_playbook_argument_text(p, "port", step->content);
	kc_playbook_argument(p, "permanent", "true");
	kc_playbook_argument(p, "immediate", "true");
	kc_playbook_argument(p, "state", "enabled");
}

void kc_playbook_unit(struct kc_playbook *p, const struct kc_plan_step *step, const char *name,
		      const char *value)
{
	kc_playbook_step_task(p, step);
	kc_playbook_module(p, "ansible.builtin.systemd");
	kc_playbook_argument_text(p, "name", step->target);
	kc_playbook_argument(p, name, value);
}

/* Only if something of the rule was changed: a playbook may run again. */
void kc_playbook_restart(struct kc_playbook *p, const struct kc_plan_step *step)
{
	const char *separator = "";

	if (p->registered < p->first_of_rule)
		kc_playbook_comment(
			p, "Nothing in front of it says whether it is needed: it is done whenever "
			   "this runs.");
	kc_playbook_unit(p, step, "state", "restarted");
	if (p->registered < p->first_of_rule)
		return;
	kc_buf_addf(&p->tasks, "%*swhen: ", KC_PLAYBOOK_MODULE, "");
	for (uint32_t i = p->first_of_rule; i <= p->registered; i++) {
		kc_buf_addf(&p->tasks, "%sk8scheck_%u is changed", separator, i);
		separator = " or ";
	}
	kc_buf_addc(&p->tasks, '\n');
}

void kc_playbook_systemd_reload(struct kc_playbook *p, const struct kc_plan_step *step)
{
	kc_playbook_step_task(p, step);
	kc_playbook_module(p, "ansible.builtin.systemd");
	kc_playbook_argument(p, "daemon_reload", "true");
}
