/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/str.h"
#include "make-plan.h"

#define TEXT(s) .text = (s), .size = sizeof(s) - 1
#define FILE_OF(s)                                             \
	{                                                      \
		.type = KC_FILE_REGULAR, .mode = 0644, TEXT(s) \
	}
#define LINK_TO(s)                                             \
	{                                                      \
		.type = KC_FILE_SYMLINK, .mode = 0777, TEXT(s) \
	}
#define CHANGES(list) .changes = (list), .n_changes = KC_ARRAY_SIZE(list)
#define STEPS(list)   .steps = (list), .n_steps = KC_ARRAY_SIZE(list)

static const struct kc_manifest_check check = { .id = "made.up", .title = "A check" };

static const struct kc_rule rules[] = {
	{ .id = "swap-off", .title = "Swap is off", .severity = KC_REQUIRED },
	{ .id = "modules", .title = "Modules of the network are loaded", .severity = KC_REQUIRED },
	{ .id = "sysctl", .title = "IPv4 forwarding is on", .severity = KC_REQUIRED },
	{ .id = "selinux", .title = "SELinux is permissive", .severity = KC_RECOMMENDED },
	{ .id = "firewall", .title = "Packets of pods pass", .severity = KC_REQUIRED },
	{ .id = "crio", .title = "CRI-O runs, configured as it is to be", .severity = KC_REQUIRED },
	{ .id = "units", .title = "Units are as they are to be", .severity = KC_INFO },
	{ .id = "kubelet-config", .title = "The kubelet's file is its own", .severity = KC_INFO },
	{ .id = "software", .title = "Versions are held", .severity = KC_REQUIRED },
	{ .id = "storage", .title = "The storage driver is overlay", .severity = KC_REQUIRED },
	{ .id = "cpu", .title = "There are two processors", .severity = KC_REQUIRED },
};

/* ---- swap-off ---- */

static const struct kc_plan_change fstab[] = {
	{ .path = "/etc/fstab",
	  .before = { .type = KC_FILE_REGULAR,
		      .mode = 0644,
		      .sha256 = "1111111111111111111111111111111111111111111111111111111111111111",
		      TEXT("# /etc/fstab\n"
			   "UUID=6f5a / ext4 defaults 0 1\n"
			   "UUID=77aa /boot ext4 defaults 0 2\n"
			   "/dev/mapper/vg-swap none swap sw 0 0\n"
			   "tmpfs /tmp tmpfs defaults 0 0\n"
			   "//nas/x /mnt cifs username=me,password=hunter2 0 0\n") },
	  .after = { .type = KC_FILE_REGULAR,
		     .mode = 0644,
		     .sha256 = "2222222222222222222222222222222222222222222222222222222222222222",
		     TEXT("# /etc/fstab\n"
			  "UUID=6f5a / ext4 defaults 0 1\n"
			  "UUID=77aa /boot ext4 defaults 0 2\n"
			  "#k8scheck# /dev/mapper/vg-swap none swap sw 0 0\n"
			  "tmpfs /tmp tmpfs defaults 0 0\n"
			  "//nas/x /mnt cifs username=me,password=hunter2 0 0\n") } },
};

static const struct kc_plan_step swap_steps[] = {
	{ .kind = KC_STEP_EDIT_FILE,
	  .horizon = KC_BOOT,
	  .state = KC_STATE_NEEDED,
	  .target = "/etc/fstab",
	  .why = "The line turns swap on at the next boot.",
	  .inverse = "the file is put back",
	  CHANGES(fstab) },
	{ .kind = KC_STEP_SWAP_OFF,
	  .flags = KC_STEP_DISTURBS,
	  .horizon = KC_NOW,
	  .state = KC_STATE_NEEDED,
	  .target = "/dev/dm-1",
	  .inverse = "it is turned on again",
	  .value_before = "on",
	  .value_after = "off" },
};

/* ---- modules ---- */

static const struct kc_plan_change modules_file[] = {
	{ .path = "/etc/modules-load.d/crio.conf", .after = FILE_OF("overlay\nbr_netfilter\n") },
};

static const struct kc_plan_step module_steps[] = {
	{ .kind = KC_STEP_WRITE_FILE,
	  .horizon = KC_BOOT,
	  .state = KC_STATE_NEEDED,
	  .target = "/etc/modules-load.d/crio.conf",
	  .why = "Nothing loads br_netfilter at boot.",
	  .inverse = "it is removed again",
	  CHANGES(modules_file) },
	{ .kind = KC_STEP_LOAD_MODULE,
	  .horizon = KC_NOW,
	  .state = KC_STATE_NEEDED,
	  .target = "br_netfilter",
	  .value_before = "not loaded",
	  .value_after = "loaded" },
	{ .kind = KC_STEP_LOAD_MODULE,
	  .horizon = KC_NOW,
	  .state = KC_STATE_ALREADY,
	  .target = "overlay",
	  .value_before = "loaded",
	  .value_after = "loaded" },
};

/* ---- sysctl ---- */

static const struct kc_plan_change sysctl_file[] = {
	{ .path = "/etc/sysctl.d/99-k8s.conf",
	  .before = FILE_OF("# by hand\nnet.ipv4.ip_forward = 0"),
	  .after = FILE_OF("# by hand\nnet.ipv4.ip_forward = 1\n") },
};

static const struct kc_plan_step sysctl_steps[] = {
	{ .kind = KC_STEP_EDIT_FILE,
	  .horizon = KC_BOOT,
	  .state = KC_STATE_NEEDED,
	  .target = "/etc/sysctl.d/99-k8s.conf",
	  .inverse = "the file is put back",
	  CHANGES(sysctl_file) },
	{ .kind = KC_STEP_SYSCTL,
	  .horizon = KC_NOW,
	  .state = KC_STATE_NEEDED,
	  .target = "net.ipv4.ip_forward",
	  .content = "1",
	  .inverse = "it is set to 0 again",
	  .value_before = "0",
	  .value_after = "1" },
	{ .kind = KC_STEP_SYSCTL,
	  .horizon = KC_NOW,
	  .state = KC_STATE_NEEDED,
	  .target = "net.bridge.bridge-nf-call-iptables",
	  .content = "1",
	  .inverse = "it is set to 0 again",
	  .value_before = "0",
	  .value_after = "1" },
};

/* ---- selinux ---- */

static const struct kc_plan_change selinux_file[] = {
	{ .path = "/etc/selinux/config",
	  .before = FILE_OF("SELINUX=enforcing\nSELINUXTYPE=targeted\n"),
	  .after = FILE_OF("SELINUX=permissive\nSELINUXTYPE=targeted\n") },
};

static const struct kc_plan_step selinux_steps[] = {
	{ .kind = KC_STEP_EDIT_FILE,
	  .flags = KC_STEP_WEAKENS | KC_STEP_NEEDS_REBOOT,
	  .horizon = KC_BOOT,
	  .state = KC_STATE_NEEDED,
	  .target = "/etc/selinux/config",
	  .inverse = "the file is put back",
	  CHANGES(selinux_file) },
	{ .kind = KC_STEP_SELINUX_MODE,
	  .flags = KC_STEP_WEAKENS,
	  .horizon = KC_NOW,
	  .state = KC_STATE_NEEDED,
	  .content = "permissive",
	  .why = "It holds until the next boot; the configuration decides from then on.",
	  .inverse = "it is enforcing again",
	  .value_before = "enforcing",
	  .value_after = "permissive" },
};

/* ---- firewall ---- */

static const struct kc_plan_step firewall_steps[] = {
	{ .kind = KC_STEP_FIREWALLD_ZONE,
	  .flags = KC_STEP_WEAKENS | KC_STEP_DISTURBS,
	  .horizon = KC_NOW,
	  .state = KC_STATE_NEEDED,
	  .content = "trusted",
	  .inverse = "public is the default zone again",
	  .value_before = "public",
	  .value_after = "trusted" },
	{ .kind = KC_STEP_FIREWALLD_PORT,
	  .horizon = KC_NOW,
	  .state = KC_STATE_NEEDED,
	  .target = "public",
	  .content = "10250/tcp",
	  .inverse = "it is closed again",
	  .value_before = "closed",
	  .value_after = "open" },
	{ .kind = KC_STEP_UNIT_STOP,
	  .flags = KC_STEP_WEAKENS | KC_STEP_DISTURBS,
	  .horizon = KC_NOW,
	  .state = KC_STATE_HELD,
	  .target = "firewalld.service",
	  .text = "it touches what runs: drain the node, and say --drained" },
};

/* ---- crio ---- */

static const struct kc_plan_change crio_folder[] = {
	{ .path = "/etc/crio/crio.conf.d", .after = { .type = KC_FILE_DIRECTORY, .mode = 0755 } },
};
static const struct kc_plan_change crio_file[] = {
	{ .path = "/etc/crio/crio.conf.d/10-conmon.conf",
	  .after = FILE_OF("[crio.runtime]\n\tconmon = \"/usr/bin/conmon\"\n") },
};
static const struct kc_plan_change crio_link[] = {
	{ .path = "/etc/systemd/system/multi-user.target.wants/crio.service",
	  .after = LINK_TO("/usr/lib/systemd/system/crio.service") },
	{ .path = "/etc/systemd/system/cri-o.service",
	  .after = LINK_TO("/usr/lib/systemd/system/crio.service") },
};

static const struct kc_plan_step crio_steps[] = {
	{ .kind = KC_STEP_MAKE_DIR,
	  .horizon = KC_BOOT,
	  .state = KC_STATE_NEEDED,
	  .target = "/etc/crio/crio.conf.d",
	  .inverse = "it is removed again, if it is empty",
	  CHANGES(crio_folder) },
	{ .kind = KC_STEP_WRITE_FILE,
	  .horizon = KC_BOOT,
	  .state = KC_STATE_NEEDED,
	  .target = "/etc/crio/crio.conf.d/10-conmon.conf",
	  .inverse = "it is removed again",
	  CHANGES(crio_file) },
	{ .kind = KC_STEP_UNIT_ENABLE,
	  .horizon = KC_BOOT,
	  .state = KC_STATE_NEEDED,
	  .target = "crio.service",
	  .inverse = "the links are removed again",
	  CHANGES(crio_link) },
	{ .kind = KC_STEP_SYSTEMD_RELOAD, .horizon = KC_NOW, .state = KC_STATE_NEEDED },
	{ .kind = KC_STEP_UNIT_RESTART,
	  .flags = KC_STEP_DISTURBS,
	  .horizon = KC_NOW,
	  .state = KC_STATE_NEEDED,
	  .target = "crio.service",
	  .why = "It reads its configuration when it starts." },
};

/* ---- units ---- */

static const struct kc_plan_change unmask[] = {
	{ .path = "/etc/systemd/system/swap.target",
	  .before = LINK_TO("/usr/lib/systemd/system/swap.target"),
	  .after = LINK_TO("/dev/null") },
};

static const struct kc_plan_step unit_steps[] = {
	{ .kind = KC_STEP_UNIT_DISABLE,
	  .horizon = KC_BOOT,
	  .state = KC_STATE_NEEDED,
	  .target = "docker.service",
	  .inverse = "it is enabled again" },
	{ .kind = KC_STEP_UNIT_MASK,
	  .horizon = KC_BOOT,
	  .state = KC_STATE_NEEDED,
	  .target = "swap.target",
	  .inverse = "the link is put back",
	  CHANGES(unmask) },
	{ .kind = KC_STEP_UNIT_START,
	  .horizon = KC_NOW,
	  .state = KC_STATE_NEEDED,
	  .target = "chronyd.service",
	  .inverse = "it is stopped again",
	  .value_before = "inactive",
	  .value_after = "active" },
	{ .kind = KC_STEP_UNIT_RESTART,
	  .flags = KC_STEP_DISTURBS,
	  .horizon = KC_NOW,
	  .state = KC_STATE_NEEDED,
	  .target = "kubelet.service" },
};

/* ---- kubelet-config ---- */

static const struct kc_plan_change owner[] = {
	{ .path = "/etc/kubernetes/kubelet.conf",
	  .before = { .type = KC_FILE_REGULAR, .mode = 0644, .uid = 1000, .gid = 1000, .size = 9 },
	  .after = { .type = KC_FILE_REGULAR, .mode = 0600, .size = 9 },
	  .secret = true },
};
static const struct kc_plan_change secret[] = {
	{ .path = "/var/lib/kubelet/config.yaml",
	  .before = { .type = KC_FILE_REGULAR, .mode = 0600, .size = 900 },
	  .after = { .type = KC_FILE_REGULAR, .mode = 0600, .size = 920 },
	  .secret = true },
};
static const struct kc_plan_change stray[] = {
	{ .path = "/etc/cni/net.d/87-podman.conflist",
	  .before = { .type = KC_FILE_REGULAR, .mode = 0644, TEXT("{}\n") } },
	{ .path = "/etc/cni/net.d/87-podman.conflist.k8scheck",
	  .after = { .type = KC_FILE_REGULAR, .mode = 0644, TEXT("{}\n") } },
};
static const struct kc_plan_change gone[] = {
	{ .path = "/etc/sysctl.d/old.conf", .before = FILE_OF("vm.swappiness = 1\n") },
};
static const struct kc_plan_change hidden[] = {
	{ .path = "/etc/sysconfig/kubelet",
	  .before = FILE_OF("TOKEN=\"{{ a }}\"\n"),
	  .after = FILE_OF("TOKEN=\"{{ b }}\"\n") },
};
static const struct kc_plan_change templated[] = {
	{ .path = "/etc/default/kubelet",
	  .after = FILE_OF("  FORMAT=\"{{ .Name }}\"\n::not a command\n---\n\n") },
};

static const struct kc_plan_step kubelet_steps[] = {
	{ .kind = KC_STEP_SET_MODE,
	  .horizon = KC_BOOT,
	  .state = KC_STATE_NEEDED,
	  .target = "/etc/kubernetes/kubelet.conf",
	  .inverse = "they are set back",
	  CHANGES(owner) },
	{ .kind = KC_STEP_EDIT_FILE,
	  .horizon = KC_BOOT,
	  .state = KC_STATE_NEEDED,
	  .target = "/var/lib/kubelet/config.yaml",
	  .inverse = "the file is put back",
	  CHANGES(secret) },
	{ .kind = KC_STEP_MOVE_ASIDE,
	  .horizon = KC_BOOT,
	  .state = KC_STATE_NEEDED,
	  .target = "/etc/cni/net.d/87-podman.conflist",
	  .inverse = "it is moved back",
	  CHANGES(stray) },
	{ .kind = KC_STEP_REMOVE_FILE,
	  .horizon = KC_BOOT,
	  .state = KC_STATE_NEEDED,
	  .target = "/etc/sysctl.d/old.conf",
	  .inverse = "the file is put back",
	  CHANGES(gone) },
	{ .kind = KC_STEP_EDIT_FILE,
	  .horizon = KC_BOOT,
	  .state = KC_STATE_NEEDED,
	  .target = "/etc/sysconfig/kubelet",
	  .inverse = "the file is put back",
	  CHANGES(hidden) },
	{ .kind = KC_STEP_WRITE_FILE,
	  .horizon = KC_BOOT,
	  .state = KC_STATE_NEEDED,
	  .target = "/etc/default/kubelet",
	  .inverse = "it is removed again",
	  CHANGES(templated) },
};

/* ---- software, storage, cpu ---- */

static const struct kc_plan_step software_steps[] = {
	{ .kind = KC_STEP_MANUAL,
	  .horizon = KC_BOOT,
	  .state = KC_STATE_BY_HAND,
	  .content = "dnf install kubelet-1.18.4\n\n--- not a command\nsystemctl reboot\n",
	  .why = "Packages are installed by a person." },
	{ .kind = KC_STEP_EDIT_FILE,
	  .horizon = KC_BOOT,
	  .state = KC_STATE_REFUSED,
	  .target = "/etc/yum.repos.d/kubernetes.repo",
	  .text = "/etc/yum.repos.d can be written by others" },
};

static const struct kc_plan_rule plan_rules[] = {
	{ .rule = rules + 0, STEPS(swap_steps) },
	{ .rule = rules + 1, STEPS(module_steps) },
	{ .rule = rules + 2, STEPS(sysctl_steps) },
	{ .rule = rules + 3, STEPS(selinux_steps) },
	{ .rule = rules + 4, STEPS(firewall_steps) },
	{ .rule = rules + 5, STEPS(crio_steps) },
	{ .rule = rules + 6, STEPS(unit_steps) },
	{ .rule = rules + 7, STEPS(kubelet_steps) },
	{ .rule = rules + 8, STEPS(software_steps) },
	{ .rule = rules + 9, .text = "the profile says fix: never" },
	{ .rule = rules + 10 },
};

/* Copies that can be changed. */
static int copy_steps(struct kc_arena *arena, struct kc_plan_rule *rule)
{
	struct kc_plan_step *steps = kc_arena_zalloc(arena, rule->n_steps, sizeof(*steps));
	struct kc_rule *copy = kc_arena_zalloc(arena, 1, sizeof(*copy));

	if (!steps || !copy)
		return -ENOMEM;
	*copy = *rule->rule;
	copy->check = &check;
	copy->stage = KC_STAGE_HOST;
	if (rule->n_steps > 0)
		memcpy(steps, rule->steps, rule->n_steps * sizeof(*steps));
	for (uint32_t i = 0; i < rule->n_steps; i++) {
		struct kc_plan_change *changes =
			kc_arena_zalloc(arena, steps[i].n_changes, sizeof(*changes));

		if (!changes)
			return -ENOMEM;
		if (steps[i].n_changes > 0)
			memcpy(changes, steps[i].changes, steps[i].n_changes * sizeof(*changes));
		steps[i].changes = changes;
	}
	rule->rule = copy;
	rule->steps = steps;
	return 0;
}

struct kc_plan *kc_make_empty_plan(struct kc_arena *arena)
{
	struct kc_plan *plan = kc_arena_zalloc(arena, 1, sizeof(*plan));

	if (plan)
		*plan = (struct kc_plan){ .profile = "crio-1.18", .root = "/" };
	return plan;
}

struct kc_plan *kc_make_plan(struct kc_arena *arena)
{
	uint32_t n = KC_ARRAY_SIZE(plan_rules);
	struct kc_plan *plan = kc_make_empty_plan(arena);
	struct kc_plan_rule *copies = kc_arena_zalloc(arena, n, sizeof(*copies));

	if (!plan || !copies)
		return NULL;
	memcpy(copies, plan_rules, sizeof(plan_rules));
	for (uint32_t i = 0; i < n; i++) {
		if (copy_steps(arena, copies + i) < 0)
			return NULL;
	}
	plan->hash = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752";
	plan->rules = copies;
	plan->n_rules = n;
	return plan;
}

/* The plan's steps are copies of this file's, so they may be written to. */
static struct kc_plan_step *steps_of(struct kc_plan *plan, uint32_t i)
{
	return (struct kc_plan_step *)plan->rules[i].steps;
}

struct kc_plan *kc_make_outcome(struct kc_arena *arena)
{
	struct kc_plan *plan = kc_make_plan(arena);

	if (!plan)
		return NULL;
	plan->transaction = "20260131-080000-1";
	for (uint32_t i = 0; i < plan->n_rules; i++) {
		for (uint32_t k = 0; k < plan->rules[i].n_steps; k++) {
			struct kc_plan_step *step = steps_of(plan, i) + k;

			if (step->state == KC_STATE_NEEDED)
				step->state = i < 2    ? KC_STATE_TAKEN_BACK
					      : i == 3 ? KC_STATE_DONE
						       : KC_STATE_NOT_BEGUN;
		}
	}
	steps_of(plan, 1)[1].state = KC_STATE_STUCK;
	steps_of(plan, 1)[1].text = "a module stays loaded";
	steps_of(plan, 2)[0].state = KC_STATE_FAILED;
	steps_of(plan, 2)[0].text = "/etc/sysctl.d/99-k8s.conf: no space left on device";
	return plan;
}

static void fill_node(struct kc_plan_node *node, const char *text)
{
	if (node->type != 0) {
		node->text = text;
		node->size = strlen(text);
		node->sha256 = node->sha256 ? text : NULL;
	}
}

static void fill_step(struct kc_plan_step *step, const char *text)
{
	step->target = step->content = step->why = step->text = step->inverse = text;
	step->value_before = step->value_after = text;
	for (uint32_t i = 0; i < step->n_changes; i++) {
		struct kc_plan_change *change = (struct kc_plan_change *)step->changes + i;

		change->path = text;
		fill_node(&change->before, "another\n");
		fill_node(&change->after, text);
		change->secret = false;
	}
}

struct kc_plan *kc_make_plan_of(struct kc_arena *arena, const char *text)
{
	struct kc_plan *plan = kc_make_plan(arena);

	if (!plan)
		return NULL;
	plan->profile = plan->root = plan->refusal = text;
	for (uint32_t i = 0; i < plan->n_rules; i++) {
		struct kc_plan_rule *rule = (struct kc_plan_rule *)plan->rules + i;

		rule->text = text;
		((struct kc_rule *)rule->rule)->title = text;
		for (uint32_t k = 0; k < rule->n_steps; k++)
			fill_step(steps_of(plan, i) + k, text);
	}
	return plan;
}

char *kc_write_plan(struct kc_arena *arena, kc_plan_writer *writer, const struct kc_plan *plan,
		    const struct kc_report_style *style, size_t *ret_size)
{
	kc_cleanup(kc_freep) char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct kc_err err;
	char *copy;
	int r;

	if (!out)
		return NULL;
	r = writer(plan, style, out, &err);
	if (fclose(out) != 0 || r < 0)
		return NULL;
	copy = kc_arena_memdup(arena, text, size);
	if (ret_size)
		*ret_size = size;
	return copy;
}
