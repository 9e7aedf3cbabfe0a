/* SPDX-License-Identifier: Apache-2.0 */
#include "make-report.h"
#include "base/str.h"

static const struct kc_manifest_text reasons[] = {
	{ "no-key", "the kernel does not have this key" },
	{ "offline", "nothing runs below an offline root" },
};

static const struct kc_manifest_check sysctl_check = {
	.id = "sysctl.value",
	.title = "Kernel parameters have the values that are asked for",
	.flags = KC_CHECK_NOW | KC_CHECK_BOOT,
	.reasons = reasons,
	.n_reasons = KC_ARRAY_SIZE(reasons),
	.remedy = "Set the value in a file of /etc/sysctl.d and run: sysctl --system",
};

static const struct kc_manifest sysctl_manifest = {
	.file = "/usr/lib/k8scheck/plugins/sysctl.yaml",
	.name = "sysctl",
	.version = "0.1.0",
	.title = "Kernel parameters",
	.checks = &sysctl_check,
	.n_checks = 1,
};

static const struct kc_report_plugin plugins[] = {
	{ .name = "sysctl",
	  .version = "0.1.0",
	  .path = "/usr/lib/k8scheck/plugins/sysctl.so",
	  .sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
	  .size = 40960 },
};

static const struct kc_source sources[] = {
	{ .name = "profiles/crio-1.18.yaml" },
	{ .name = "--set" },
};
static const char *const source_digests[] = {
	"60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
	NULL,
};

static const char *const layers[] = { "mount namespace", "read-only mounts", "no new privileges",
				      NULL };
static const char *const missing_layers[] = { "Landlock (the kernel has none)", NULL };
static const char *const warnings[] = { "profiles/crio-1.18.yaml can be written by others", NULL };

static const struct kc_fact_value facts[] = {
	{ "os.id", KC_FACT_KNOWN, "debian", "/etc/os-release:3" },
	{ "runtime.version", KC_FACT_ABSENT, NULL, "no container runtime was found" },
	{ "kubelet.version", KC_FACT_UNKNOWN, NULL, "/usr/bin/kubelet could not be read" },
};

/* What a finding says, in the order of struct kc_result_finding. */
struct made_finding {
	uint32_t horizon;
	struct kc_result_finding finding;
};

struct made_rule {
	const char *id, *title, *remedy;
	uint8_t severity, stage;
	uint32_t verdict; /* 0: what the findings come to */
	struct made_finding findings[4];
};

static const struct made_rule made_rules[] = {
	{ "swap-off",
	  "Swap is off",
	  NULL,
	  KC_REQUIRED,
	  KC_STAGE_HOST,
	  0,
	  { { KC_NOW, { KC_PASS, NULL, "no swap", "no swap", "/proc/swaps", NULL, NULL } },
	    { KC_BOOT, { KC_PASS, NULL, "no swap", "no swap", "/etc/fstab", NULL, NULL } } } },
	{ "ip-forward",
	  "IPv4 forwarding is on",
	  "Write the line\n  net.ipv4.ip_forward = 1\ninto /etc/sysctl.d/99-kubernetes.conf",
	  KC_REQUIRED,
	  KC_STAGE_HOST,
	  0,
	  { { KC_NOW,
	      { KC_PASS, "net.ipv4.ip_forward", "1", "1", "/proc/sys/net/ipv4/ip_forward", NULL,
		NULL } },
	    { KC_BOOT,
	      { KC_FAIL, "net.ipv4.ip_forward", "1", "0", "/etc/sysctl.d/99-cloud.conf:3",
		"it overrides /etc/sysctl.d/10-kubernetes.conf:1", NULL } } } },
	{ "bridge-calls",
	  "Bridged packets pass iptables",
	  NULL,
	  KC_REQUIRED,
	  KC_STAGE_HOST,
	  0,
	  { { KC_NOW,
	      { KC_FAIL, "net.bridge.bridge-nf-call-iptables", "1", "0",
		"/proc/sys/net/bridge/bridge-nf-call-iptables", NULL, NULL } },
	    { KC_BOOT,
	      { KC_PASS, "net.bridge.bridge-nf-call-iptables", "1", "1", "/etc/sysctl.d/k8s.conf:2",
		NULL, NULL } } } },
	{ "panic",
	  "The kernel reboots after a panic",
	  NULL,
	  KC_RECOMMENDED,
	  KC_STAGE_HOST,
	  0,
	  { { KC_NOW,
	      { KC_FAIL, "kernel.panic", "at least 10", "0", "/proc/sys/kernel/panic", NULL,
		NULL } },
	    { KC_BOOT,
	      { KC_FAIL, "kernel.panic", "at least 10", "", "the kernel's default", NULL,
		NULL } } } },
	{ "clock",
	  "The clock is synchronized",
	  NULL,
	  KC_REQUIRED,
	  KC_STAGE_HOST,
	  0,
	  { { KC_NOW,
	      { KC_ERROR, "org.freedesktop.timedate1", NULL, NULL, "the system bus",
		"nobody answered within 2 s", NULL } } } },
	{ "crio-socket",
	  "CRI-O answers",
	  NULL,
	  KC_REQUIRED,
	  KC_STAGE_RUNTIME,
	  0,
	  { { KC_NOW, { KC_SKIP, NULL, NULL, NULL, NULL, NULL, "offline" } },
	    { KC_BOOT,
	      { KC_SKIP, NULL, NULL, NULL, NULL,
		"it applies when runtime.name is cri-o; here it is "
		"not there",
		"no-key" } } } },
	{ "storage",
	  "The storage driver suits the file system",
	  NULL,
	  KC_INFO,
	  KC_STAGE_RUNTIME,
	  0,
	  { { KC_NOW,
	      { KC_MANUAL, "/var/lib/containers", NULL, "overlay on xfs", "/proc/self/mountinfo",
		"whether this is fast enough is for a person to say", NULL } },
	    { KC_BOOT,
	      { KC_MANUAL, "/var/lib/containers", NULL, "overlay on xfs", "/etc/fstab",
		"whether this is fast enough is for a person to say", NULL } } } },
	{ "max-pods",
	  "The kubelet takes 110 pods",
	  NULL,
	  KC_INFO,
	  KC_STAGE_KUBELET,
	  0,
	  { { KC_BOOT,
	      { KC_FAIL, "maxPods", "110", "250", "/var/lib/kubelet/config.yaml:12", NULL,
		NULL } } } },
	{ "cgroup-driver",
	  "Kubelet and runtime agree on the cgroup driver",
	  NULL,
	  KC_REQUIRED,
	  KC_STAGE_KUBELET,
	  KC_WAIVED,
	  { { KC_NOW,
	      { KC_FAIL, NULL, "systemd", "cgroupfs", "/var/lib/kubelet/config.yaml:4", NULL,
		NULL } } } },
	{ "joined",
	  "The node is part of a cluster",
	  NULL,
	  KC_REQUIRED,
	  KC_STAGE_CLUSTER,
	  0,
	  { { 0 } } },
};

static struct kc_rule *make_rules(struct kc_arena *arena, uint32_t n)
{
	struct kc_rule *rules = kc_arena_zalloc(arena, n, sizeof(*rules));

	for (uint32_t i = 0; rules && i < n; i++) {
		rules[i].index = i;
		rules[i].plugin = &sysctl_manifest;
		rules[i].check = &sysctl_check;
		rules[i].selected = true;
	}
	return rules;
}

static struct kc_report *make_frame(struct kc_arena *arena, struct kc_rule *rules,
				    struct kc_result *results, uint32_t n)
{
	static const struct kc_manifest *const manifests[] = { &sysctl_manifest };
	struct kc_report *report = kc_arena_zalloc(arena, 1, sizeof(*report));
	struct kc_profile *profile = kc_arena_zalloc(arena, 1, sizeof(*profile));

	if (!report || !profile || !rules || !results)
		return NULL;
	*profile = (struct kc_profile){
		.name = "crio-1.18",
		.title = "A node with CRI-O 1.18",
		.rules = rules,
		.n_rules = n,
		.sources = sources,
		.n_sources = KC_ARRAY_SIZE(sources),
		.plugins = manifests,
		.n_plugins = KC_ARRAY_SIZE(manifests),
	};
	*report = (struct kc_report){
		.source_digests = source_digests,
		.host = { .hostname = "node-1",
			  .kernel = "5.10.0-28-amd64",
			  .machine = "x86_64",
			  .os = "Debian GNU/Linux 11 (bullseye)",
			  .machine_id_hash = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5"
					     "e886266e7ae",
			  .root = "/",
			  .live = true },
		.run = { .version = "0.1.0",
			 .started_usec = 1769846400000000u,
			 .duration_usec = 12345,
			 .facts_usec = 2100,
			 .horizons = KC_NOW | KC_BOOT,
			 .uid = 0,
			 .sandbox = layers,
			 .sandbox_missing = missing_layers,
			 .warnings = warnings },
		.profile = profile,
		.plugins = plugins,
		.n_plugins = KC_ARRAY_SIZE(plugins),
		.facts = facts,
		.n_facts = KC_ARRAY_SIZE(facts),
		.results = results,
		.n_results = n,
	};
	return report;
}

static int make_result(struct kc_arena *arena, const struct made_rule *made, struct kc_rule *rule,
		       struct kc_result *result)
{
	rule->id = made->id;
	rule->title = made->title;
	rule->remedy = made->remedy;
	rule->severity = made->severity;
	rule->stage = made->stage;
	rule->fix = KC_FIX_ASK;
	result->rule = rule;
	result->duration_usec = 40 + 7 * rule->index;
	for (unsigned j = 0; j < KC_J_MAX; j++) {
		struct kc_judgement *judgement = result->judgements + j;
		uint32_t horizon = j == KC_J_NOW ? KC_NOW : KC_BOOT;

		judgement->findings = kc_arena_zalloc(arena, KC_ARRAY_SIZE(made->findings),
						      sizeof(*judgement->findings));
		if (!judgement->findings)
			return -ENOMEM;
		for (unsigned i = 0; i < KC_ARRAY_SIZE(made->findings); i++) {
			if (made->findings[i].horizon == horizon)
				judgement->findings[judgement->n_findings++] =
					made->findings[i].finding;
		}
	}
	kc_result_conclude(result);
	if (made->verdict)
		result->verdict = made->verdict;
	return 0;
}

struct kc_report *kc_make_report(struct kc_arena *arena)
{
	uint32_t n = KC_ARRAY_SIZE(made_rules);
	struct kc_rule *rules = make_rules(arena, n);
	struct kc_result *results = kc_arena_zalloc(arena, n, sizeof(*results));
	struct kc_report *report = make_frame(arena, rules, results, n);

	if (!report)
		return NULL;
	for (uint32_t i = 0; i < n; i++) {
		if (make_result(arena, made_rules + i, rules + i, results + i) < 0)
			return NULL;
	}
	kc_report_conclude(report);
	return report;
}

static void repair_result(struct kc_result *result, uint32_t verdict)
{
	for (unsigned j = 0; j < KC_J_MAX && verdict == KC_FIXED; j++) {
		struct kc_judgement *judgement = result->judgements + j;

		judgement->verdict = KC_PASS;
		for (uint32_t i = 0; i < judgement->n_findings; i++) {
			judgement->findings[i].verdict = KC_PASS;
			judgement->findings[i].found = judgement->findings[i].expected;
			judgement->findings[i].message = NULL;
		}
	}
	result->verdict = verdict;
}

struct kc_report *kc_make_report_repaired(struct kc_arena *arena, const char *text, bool changed)
{
	static const char *const notes[] = { "what others wrote is kept as /etc/sysctl.conf.kept",
					     NULL };
	struct kc_report *report = kc_make_report(arena);

	if (!report)
		return NULL;
	report->repair = (struct kc_report_repair){
		.asked = true,
		.changed = changed,
		.reboot_required = !text,
		.failed = text != NULL,
		.transaction = "20260131-080000-1",
		.text = text,
		.notes = notes,
	};
	for (uint32_t i = 0; i < report->n_results && !text; i++) {
		struct kc_result *result = (struct kc_result *)report->results + i;

		if (kc_streq(result->rule->id, "ip-forward"))
			repair_result(result, KC_FIXED);
		else if (kc_streq(result->rule->id, "bridge-calls"))
			repair_result(result, KC_PENDING);
	}
	kc_report_conclude(report);
	return report;
}

struct kc_report *kc_make_report_of(struct kc_arena *arena, const char *text)
{
	struct kc_report *report = kc_make_report(arena);
	struct kc_fact_value *copies =
		kc_arena_zalloc(arena, KC_ARRAY_SIZE(facts), sizeof(*copies));
	const char **list = kc_arena_zalloc(arena, 2, sizeof(*list));

	if (!report || !copies || !list)
		return NULL;
	for (uint32_t i = 0; i < KC_ARRAY_SIZE(facts); i++) {
		copies[i] = facts[i];
		copies[i].value = copies[i].state == KC_FACT_KNOWN ? text : NULL;
		copies[i].source = text;
	}
	list[0] = text;
	report->facts = copies;
	report->run.warnings = list;
	report->repair = (struct kc_report_repair){
		.asked = true,
		.changed = true,
		.reboot_required = true,
		.failed = true,
		.transaction = text,
		.text = text,
		.notes = list,
	};
	report->host.hostname = text;
	report->host.os = text;
	report->host.kernel = text;
	report->host.root = text;
	for (uint32_t i = 0; i < report->n_results; i++) {
		for (unsigned j = 0; j < KC_J_MAX; j++) {
			const struct kc_judgement *judgement = report->results[i].judgements + j;

			for (uint32_t k = 0; k < judgement->n_findings; k++) {
				struct kc_result_finding *f = judgement->findings + k;

				f->subject = f->expected = f->found = f->source = f->message = text;
			}
		}
	}
	return report;
}

static int make_large_result(struct kc_arena *arena, struct kc_rule *rule, struct kc_result *result,
			     bool fails)
{
	char *id = kc_arena_printf(arena, "sysctl-%05u", rule->index);
	char *key = kc_arena_printf(arena, "net.ipv4.conf.eth%u.rp_filter", rule->index);

	rule->id = id;
	rule->title = "Reverse path filtering is loose";
	rule->severity = KC_REQUIRED;
	rule->stage = KC_STAGE_HOST;
	result->rule = rule;
	result->duration_usec = 9;
	for (unsigned j = 0; j < KC_J_MAX; j++) {
		struct kc_result_finding *f = kc_arena_zalloc(arena, 1, sizeof(*f));

		if (!id || !key || !f)
			return -ENOMEM;
		*f = (struct kc_result_finding){
			.verdict = fails ? KC_FAIL : KC_PASS,
			.subject = key,
			.expected = "one of 0, 2",
			.found = fails ? "1" : "2",
			.source = j == KC_J_NOW ? "/proc/sys/net/ipv4/conf"
						: "/etc/sysctl.d/k8s.conf:7",
		};
		result->judgements[j].findings = f;
		result->judgements[j].n_findings = 1;
	}
	kc_result_conclude(result);
	return 0;
}

struct kc_report *kc_make_report_large(struct kc_arena *arena, uint32_t n, uint32_t fail_every)
{
	struct kc_rule *rules = make_rules(arena, n);
	struct kc_result *results = kc_arena_zalloc(arena, n, sizeof(*results));
	struct kc_report *report = make_frame(arena, rules, results, n);

	if (!report)
		return NULL;
	for (uint32_t i = 0; i < n; i++) {
		if (make_large_result(arena, rules + i, results + i,
				      fail_every > 0 && i % fail_every == 0) < 0)
			return NULL;
	}
	kc_report_conclude(report);
	return report;
}

enum {
	MEGABYTE = 1024 * 1024
};

static char *repeat(struct kc_arena *arena, const char *s)
{
	size_t n = strlen(s);
	char *text = kc_arena_alloc(arena, MEGABYTE + 1);

	if (!text)
		return NULL;
	for (size_t i = 0; i < MEGABYTE; i++)
		text[i] = s[i % n];
	text[MEGABYTE] = 0;
	return text;
}

const char *const *kc_hostile_texts(struct kc_arena *arena)
{
	static const char *const texts[] = {
		"",
		" ",
		"\x01\x02\x03\x04\x05\x06\x07\x08\t\n\v\f\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17"
		"\x18\x19"
		"\x1a\x1b\x1c\x1d\x1e\x1f\x7f",
		"\x1b[31mred\x1b]0;title\x07\x1b[2J",
		"\xc2\x9b"
		"31m\xc2\x85",
		"\xff\xfe\x80\xc0\xaf\xe2\x82",
		"\xed\xa0\x80\xed\xbf\xbf",
		"\xf4\x90\x80\x80\xf8\x88\x80\x80\x80",
		"]]>",
		"<![CDATA[<&\"'>]]>&amp;&#27;",
		"\xef\xbf\xbf\xef\xbf\xbe\xef\xb7\x90\xf4\x8f\xbf\xbf",
		"\xe2\x80\xaegpj.exe\xe2\x81\xa6\xe2\x80\x8b\xef\xbb\xbf",
		"::set-output name=a::b",
		"\n::error::x\r\n::stop-commands::y",
		"word ::warning::x ::error::y and more words ::debug::z so that the line is "
		"wrapped",
		"##[error]x ##vso[task.setvariable variable=a]b ##teamcity[message] ###[group] ##",
		"\"\\\"\\u0000\\",
		"%s%n%1$s",
		"J\xc3\xbcrgen \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80",
	};
	size_t n = KC_ARRAY_SIZE(texts);
	const char **list = kc_arena_zalloc(arena, n + 5, sizeof(*list));

	if (!list)
		return NULL;
	memcpy(list, texts, sizeof(texts));
	list[n] = repeat(arena, "A");
	list[n + 1] = repeat(arena, "\xff\x01");
	list[n + 2] = repeat(arena, "\xf0\x9f\x98\x80");
	list[n + 3] = repeat(arena, "\n::error::]]>##[error] ");
	return list[n] && list[n + 1] && list[n + 2] && list[n + 3] ? list : NULL;
}

char *kc_write_report(struct kc_arena *arena, kc_report_writer *writer,
		      const struct kc_report *report, const struct kc_report_style *style,
		      size_t *ret_size)
{
	kc_cleanup(kc_freep) char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct kc_err err;
	char *copy;
	int r;

	if (!out)
		return NULL;
	r = writer(report, style, out, &err);
	if (fclose(out) != 0 || r < 0)
		return NULL;
	copy = kc_arena_memdup(arena, text, size);
	if (ret_size)
		*ret_size = size;
	return copy;
}
