/* SPDX-License-Identifier: Apache-2.0 */
#include "cni.h"
#include "network-descriptor.h"
#include "network.h"

enum {
	OTHERS_MAX = 12 /* files that a message names */
};

struct cni_rule {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
	const char *dir, *default_network, *alone;
	struct kc_strings plugin_dirs, first, refuse;
	int64_t required;
	struct cni_list list;
};

static int report(const struct cni_rule *rule, uint32_t verdict, const char *expected,
		  const char *found, const char *source, const char *message)
{
	return kc_report(rule->host, rule->run, KC_BOOT, verdict, rule->dir, expected, found,
			 source, message);
}

static int read_rule(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		     struct cni_rule *rule)
{
	int r;

	*rule = (struct cni_rule){ .host = host, .run = run, .arena = arena };
	r = kc_param_string(host, run, "dir", &rule->dir);
	if (!r)
		r = kc_param_string(host, run, "default-network", &rule->default_network);
	if (!r)
		r = kc_param_string(host, run, "alone", &rule->alone);
	if (!r)
		r = kc_param_number(host, run, "required", &rule->required);
	if (!r)
		r = kc_param_list(host, run, "plugin-dirs", &rule->plugin_dirs);
	if (!r)
		r = kc_param_list(host, run, "refuse", &rule->refuse);
	if (!r)
		r = kc_param_list(host, run, "first", &rule->first);
	return r == -ENOENT ? 0 : r;
}

/*
 * The network that pods get: the first usable one, or the first of the name that the runtime is
 * told. A file in front of it that cannot be judged leaves that open: *ret_unsure.
 */
static const struct cni_network *winner(const struct cni_rule *rule,
					const struct cni_network **ret_unsure)
{
	*ret_unsure = NULL;
	for (size_t i = 0; i < rule->list.n; i++) {
		const struct cni_network *network = &rule->list.item[i];

		if (network->state == CNI_UNSURE && !*ret_unsure)
			*ret_unsure = network;
		if (network->state == CNI_USABLE &&
		    (!*rule->default_network || kc_streq(network->name, rule->default_network)))
			return network;
	}
	return NULL;
}

static bool is_refused(const struct cni_rule *rule, const struct cni_network *network)
{
	return network_glob_any(&rule->refuse, network->file);
}

/* The first usable network that the rule does not refuse; NULL: there is none. */
static const struct cni_network *first_good(const struct cni_rule *rule)
{
	for (size_t i = 0; i < rule->list.n; i++) {
		const struct cni_network *network = &rule->list.item[i];

		if (network->state == CNI_USABLE && !is_refused(rule, network))
			return network;
	}
	return NULL;
}

/* Another network that may be meant as well; NULL: there is none. */
static const struct cni_network *rival_of(const struct cni_rule *rule,
					  const struct cni_network *taken)
{
	for (size_t i = 0; i < rule->list.n; i++) {
		const struct cni_network *network = &rule->list.item[i];

		if (network->state == CNI_USABLE && !is_refused(rule, network) &&
		    !kc_streq(network->name, taken->name))
			return network;
	}
	return NULL;
}

/* "k8s-pod-network (calico)" */
static const char *describe(const struct cni_rule *rule, const struct cni_network *network)
{
	return kc_text(rule->host, rule->run, "%s (%s)", network->name, network->types[0]);
}

/* What the other files are, for a message; NULL: there are none. */
static const char *others(const struct cni_rule *rule, const struct cni_network *than)
{
	const char *text = NULL;
	size_t n = 0;

	for (size_t i = 0; i < rule->list.n; i++) {
		const struct cni_network *network = &rule->list.item[i];
		const char *what;

		if (network == than || ++n > OTHERS_MAX)
			continue;
		if (network->state == CNI_USABLE)
			what = kc_text(rule->host, rule->run, "%s has %s", network->file,
				       describe(rule, network));
		else
			what = kc_text(rule->host, rule->run, "%s is %s: %s", network->file,
				       network->state == CNI_SKIPPED ? "left out" : "not judged",
				       network->why);
		text = text ? kc_text(rule->host, rule->run, "%s; %s", text, what) : what;
	}
	if (n > OTHERS_MAX)
		text = kc_text(rule->host, rule->run, "%s; %zu more", text, n - OTHERS_MAX);
	return text ? kc_text(rule->host, rule->run, "Besides: %s.", text) : NULL;
}

/* No configuration that the runtime could use. */
static int judge_none(const struct cni_rule *rule)
{
	const char *besides = others(rule, NULL);
	const char *text;

	if (rule->required)
		return report(rule, KC_FAIL, "a network configuration", "none", rule->dir, besides);
	text = kc_text(rule->host, rule->run,
		       "There is no network configuration that could be used: no pod network is "
		       "installed.%s%s",
		       besides ? " " : "", besides ? besides : "");
	return kc_report_skip(rule->host, rule->run, KC_BOOT, rule->dir, "none", text);
}

static const char *expected_of(const struct cni_rule *rule)
{
	if (rule->first.n)
		return kc_text(rule->host, rule->run, "first of all: %s",
			       network_join(rule->host, rule->run, &rule->first, ""));
	if (rule->refuse.n)
		return kc_text(rule->host, rule->run, "none of %s in front",
			       network_join(rule->host, rule->run, &rule->refuse, ""));
	return "a network configuration";
}

static int judge_refused(const struct cni_rule *rule, const struct cni_network *network)
{
	const struct cni_network *good = first_good(rule);
	const char *message, *besides = others(rule, network);

	if (!good && kc_streq(rule->alone, "skip"))
		return kc_report_skip(rule->host, rule->run, KC_BOOT, rule->dir, "alone",
				      kc_text(rule->host, rule->run,
					      "%s has %s, and no pod network is installed behind "
					      "or before it.",
					      network->path, describe(rule, network)));
	message = good ? kc_text(rule->host, rule->run,
				 "The runtime takes the first name: pods get addresses of this "
				 "network, and not of %s in %s.",
				 good->name, good->file)
		       : "Pods get addresses of this network until another one goes before it.";
	return report(rule, KC_FAIL, expected_of(rule), describe(rule, network), network->path,
		      besides ? kc_text(rule->host, rule->run, "%s %s", message, besides)
			      : message);
}

static int judge(const struct cni_rule *rule)
{
	const struct cni_network *unsure, *rival, *network = winner(rule, &unsure);

	if (unsure)
		return report(rule, KC_ERROR, expected_of(rule), NULL, unsure->path,
			      kc_text(rule->host, rule->run,
				      "Whether the runtime takes this file cannot be told: %s.",
				      unsure->why));
	if (!network && (!*rule->default_network || !first_good(rule)))
		return judge_none(rule);
	if (!network)
		return report(rule, KC_FAIL,
			      kc_text(rule->host, rule->run, "a network called %s",
				      rule->default_network),
			      "none of that name", rule->dir, others(rule, NULL));
	if (is_refused(rule, network))
		return judge_refused(rule, network);
	if (rule->first.n && !network_glob_any(&rule->first, network->name))
		return report(rule, KC_FAIL, expected_of(rule), describe(rule, network),
			      network->path, others(rule, network));
	rival = rule->first.n || *rule->default_network ? NULL : rival_of(rule, network);
	if (rival)
		return report(rule, KC_MANUAL, "the pod network alone", describe(rule, network),
			      network->path,
			      kc_text(rule->host, rule->run,
				      "The runtime takes this one, and %s has %s. Which of them is "
				      "the pod network the rule does not say (first:).",
				      rival->path, describe(rule, rival)));
	return report(rule, KC_PASS, expected_of(rule), describe(rule, network), network->path,
		      others(rule, network));
}

/* Reads rule and folder; 1 when what is wrong has been reported, which `plan` does not do. */
static int read_all(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		    bool planning, struct cni_rule *rule)
{
	int r = read_rule(host, run, arena, rule);

	if (r)
		return r;
	r = cni_list_read(host, run, arena, rule->dir, &rule->plugin_dirs, &rule->list);
	if (!r || r == -ENOMEM)
		return r;
	if (planning)
		return 1;
	if (r == -E2BIG)
		r = report(rule, KC_ERROR, NULL, NULL, rule->dir,
			   "There are more than 1,024 network configurations.");
	else
		r = kc_report_error(host, run, KC_BOOT, rule->dir, rule->dir);
	return r ? r : 1;
}

int network_cni_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = NETWORK_MEMORY_MAX };
	struct cni_rule rule;
	int r = read_all(host, run, &arena, false, &rule);

	if (r)
		return r < 0 ? r : 0;
	return judge(&rule);
}

/*
 * Moves aside what the rule refuses and the runtime would take: those in front of the first good
 * network, all of them where there is none.
 */
static int plan_moves(const struct cni_rule *rule)
{
	const struct cni_network *good = first_good(rule);
	int r = 0;

	for (size_t i = 0; !r && i < rule->list.n && &rule->list.item[i] != good; i++) {
		const struct cni_network *item = &rule->list.item[i];
		const struct kc_step step = {
			.size = sizeof(step),
			.kind = KC_STEP_MOVE_ASIDE,
			.flags = KC_STEP_DISTURBS,
			.horizon = KC_BOOT,
			.target = item->path,
			.why = "The runtime takes the first network of the folder, and notices at "
			       "once that this one is gone.",
		};

		if (item->state == CNI_USABLE)
			r = kc_step(rule->host, rule->run, &step);
	}
	return r;
}

static int by_hand(const struct cni_rule *rule, const char *commands, const char *why)
{
	return kc_plan_by_hand(rule->host, rule->run, KC_BOOT, commands, why);
}

/* Where no file is in the way, but the right one is missing or not in front. */
static int plan_choice(const struct cni_rule *rule, const struct cni_network *taken)
{
	if (!taken && *rule->default_network && first_good(rule))
		return by_hand(rule,
			       kc_text(rule->host, rule->run,
				       "# Correct cni_default_network in CRI-O's configuration: no "
				       "network is called %s.\nsystemctl restart crio\n",
				       rule->default_network),
			       "Which of the networks is meant is for a person to say.");
	if (!taken && rule->required)
		return by_hand(rule, "# Install the pod network: kubectl apply -f MANIFEST\n",
			       "Nothing there could be taken.");
	if (taken && rule->first.n && !network_glob_any(&rule->first, taken->name))
		return by_hand(
			rule,
			kc_text(rule->host, rule->run,
				"ls %s\n# Move %s out of it, once "
				"no pod uses that network.\n",
				rule->dir, taken->path),
			"The network is another one, and not one that a package left behind.");
	return 0;
}

/* With a network named, the order of the files decides nothing. */
int network_cni_plan(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = NETWORK_MEMORY_MAX };
	const struct cni_network *unsure, *taken;
	struct cni_rule rule;
	int r = read_all(host, run, &arena, true, &rule);

	if (r)
		return r < 0 ? r : 0;
	taken = winner(&rule, &unsure);
	if (unsure)
		return 0;
	if (!taken || !is_refused(&rule, taken))
		return plan_choice(&rule, taken);
	if (!first_good(&rule) && kc_streq(rule.alone, "skip"))
		return 0;
	if (*rule.default_network)
		return by_hand(
			&rule,
			kc_text(host, run,
				"# Correct cni_default_network in CRI-O's configuration: %s is "
				"a network of %s.\nsystemctl restart crio\n",
				rule.default_network, taken->path),
			"CRI-O is told to take that network.");
	return plan_moves(&rule);
}
