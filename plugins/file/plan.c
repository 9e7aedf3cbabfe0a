/* SPDX-License-Identifier: Apache-2.0 */
#include "file-descriptor.h"
#include "state.h"

static int by_hand(const struct file_place *place, const char *commands, const char *why)
{
	return kc_plan_by_hand(place->host, place->run, place->horizon, commands, why);
}

#define place_text(place, ...) kc_text((place)->host, (place)->run, __VA_ARGS__)

/* What the rule wants, and the rest as it is. False for what is no mode or owner: an error. */
static bool read_wanted(const struct state_rule *rule, const struct kc_stat *st, uint32_t *ret_mode,
			uint32_t *ret_uid, uint32_t *ret_gid)
{
	uint32_t mode = st->mode & 07777, most = 07777, uid = st->uid, gid = st->gid;

	if ((rule->mode && !state_mode(rule->mode, &mode)) ||
	    (rule->at_most_mode && !state_mode(rule->at_most_mode, &most)) ||
	    (rule->owner && file_owner_id(&rule->place, false, rule->owner, &uid) < 0) ||
	    (rule->group && file_owner_id(&rule->place, true, rule->group, &gid) < 0))
		return false;
	*ret_mode = mode & most;
	*ret_uid = uid;
	*ret_gid = gid;
	return true;
}

/* Mode and owner in one step. One that would let more people do more is a person's to take. */
static int plan_mode(const struct state_rule *rule, const struct kc_stat *st)
{
	const struct file_place *place = &rule->place;
	struct kc_step step = {
		.size = sizeof(step),
		.kind = KC_STEP_SET_MODE,
		.horizon = KC_BOOT,
		.target = place->path,
		.why = "Its content stays as it is.",
	};

	if (!read_wanted(rule, st, &step.mode, &step.uid, &step.gid) ||
	    (step.mode == (st->mode & 07777) && step.uid == st->uid && step.gid == st->gid))
		return 0;
	if (st->type == KC_FILE_SYMLINK || place->horizon != KC_BOOT ||
	    (step.mode & ~st->mode & 07777))
		return by_hand(place,
			       place_text(place, "chown -h %u:%u '%s'\nchmod %04o '%s'\n",
					  (unsigned)step.uid, (unsigned)step.gid, place->path,
					  (unsigned)step.mode, place->path),
			       st->type == KC_FILE_SYMLINK ? "It is a link."
			       : place->horizon != KC_BOOT
				       ? "The running system makes this file, and "
					 "makes it anew at every start."
				       : "The mode would allow more than it "
					 "does now.");
	if (st->uid == 0 && step.uid != 0)
		step.flags = KC_STEP_WEAKENS;
	return kc_step(place->host, place->run, &step);
}

static int plan_label(const struct state_rule *rule, const struct kc_stat *st)
{
	const struct file_place *place = &rule->place;
	const char *label, *type;

	if (!rule->label || st->type == KC_FILE_SYMLINK ||
	    kc_label(place->host, place->run, place->path, &label) < 0)
		return 0;
	type = strchr(rule->label, ':') ? rule->label : place_text(place, ":%s:", rule->label);
	if (strstr(place_text(place, "%s:", label), type))
		return 0;
	return by_hand(place, place_text(place, "restorecon -v '%s'\n", place->path),
		       "Which label a file gets is the policy's to say.");
}

static int plan(const struct state_rule *rule)
{
	const struct file_place *place = &rule->place;
	struct kc_stat st = { .size_of = sizeof(st) };
	const char *missing;
	int r = kc_stat(place->host, place->run, place->path, rule->follow ? 0 : KC_NOFOLLOW, &st);

	if (file_is_absent(r) && rule->exists) {
		r = kc_param_string(place->host, place->run, "missing", &missing);
		return r || !kc_streq(missing, "fail")
			       ? r
			       : by_hand(place,
					 place_text(place, "# Install what brings %s.\n",
						    place->path),
					 "What shall be in it is not known here.");
	}
	if (r < 0 || (!rule->exists && state_asks_more(rule)))
		return 0;
	if (!rule->exists || !state_is_type(rule, st.type))
		return by_hand(place,
			       place_text(place,
					  "ls -lZd '%s'\n# Move it away, if nobody needs it.\n",
					  place->path),
			       "It shall not be there as it is; who made it is not known here.");
	r = plan_mode(rule, &st);
	return r ? r : plan_label(rule, &st);
}

int file_state_plan(void *state, const struct kc_host *host, struct kc_run *run)
{
	struct state_rule rule = { 0 };
	const char *path;
	int r = state_rule_read(host, run, &rule, &path);

	if (!r)
		r = file_place_locate(host, run, path, rule.follow, &rule.place);
	if (r < 0 || !rule.place.judged)
		return r < 0 ? r : 0;
	return plan(&rule);
}
