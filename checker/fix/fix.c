/* SPDX-License-Identifier: Apache-2.0 */
#include "fix.h"
#include "bus.h"
#include "formats/unit.h"
#include "policy.h"
#include "runtime.h"

void kc_fix_done(struct kc_fix *fix)
{
	kc_fix_bus_free(fix->bus);
	fix->bus = NULL;
}

static bool is_of_unit(uint32_t kind)
{
	return kind == KC_STEP_UNIT_ENABLE || kind == KC_STEP_UNIT_DISABLE ||
	       kind == KC_STEP_UNIT_MASK;
}

static bool names_unit(uint32_t kind)
{
	return kind >= KC_STEP_UNIT_ENABLE && kind <= KC_STEP_UNIT_RESTART;
}

static int look(struct kc_fix *fix, struct kc_fix_step *step, const struct kc_fix_step *earlier,
		size_t n_earlier, struct kc_err *err)
{
	const char *unit;
	int r;

	/* As systemctl(1) takes names: a service needs no type. What is none the policy refuses. */
	if (names_unit(step->step.kind) && step->step.target) {
		unit = kc_unit_name_complete(fix->arena, step->step.target);
		step->step.target = unit ? unit : step->step.target;
	}
	r = kc_policy_step(&step->step, err);
	if (r < 0)
		return r;
	if (step->step.kind == KC_STEP_MANUAL) {
		step->state = KC_STATE_BY_HAND;
		return 0;
	}
	if (is_of_unit(step->step.kind))
		return kc_fix_look_unit(fix, step, earlier, n_earlier, err);
	if (!kc_runtime_kind(step->step.kind))
		return kc_fix_look_file(fix, step, earlier, n_earlier, err);
	if (!fix->live)
		return kc_err_set(err, -EOPNOTSUPP, "nothing runs in an image");
	return kc_runtime_look(fix, step, earlier, n_earlier, err);
}

int kc_fix_look(struct kc_fix *fix, struct kc_fix_step *step, const struct kc_fix_step *earlier,
		size_t n_earlier, struct kc_err *err)
{
	struct kc_err own = { 0 };
	int r = look(fix, step, earlier, n_earlier, &own);

	if (r == -ENOMEM)
		return kc_err_set(err, r, "out of memory");
	if (r < 0) {
		step->state = KC_STATE_REFUSED;
		step->n_changes = 0;
		step->text = kc_arena_strdup(fix->arena, *own.text ? own.text : kc_strerror(r));
		if (!step->text)
			return kc_err_set(err, -ENOMEM, "out of memory");
	}
	step->step.flags |= kc_policy_flags(&step->step);
	return 0;
}

int kc_fix_apply(struct kc_fix *fix, struct kc_transaction *t, struct kc_fix_step *step,
		 struct kc_err *err)
{
	if (kc_runtime_kind(step->step.kind))
		return kc_runtime_do(fix, t, step, err);
	for (size_t i = 0; i < step->n_changes; i++) {
		uint32_t record;
		int r = kc_change_do(t, &step->changes[i].change, err, &record);

		if (r < 0)
			return r;
	}
	if (is_of_unit(step->step.kind) && step->n_changes > 0)
		fix->units_changed = true;
	return 0;
}

int kc_fix_reload(struct kc_fix *fix, struct kc_err *err)
{
	int r;

	if (!fix->live || !fix->units_changed)
		return 0;
	r = kc_fix_bus_reload(fix, err);
	/* Where there is no systemd to read them, the next start does. */
	if (r == -ENOTCONN || r == -ENOENT || r == -ENOSYS)
		r = 0;
	if (r == 0)
		fix->units_changed = false;
	return r;
}

/* A forged journal names what it likes: it is held to the same table as a plan. */
static int vet_change(const struct kc_record *record, struct kc_err *err)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	const struct kc_node *before, *after;
	struct kc_change change;
	int r = kc_change_read(record, &arena, err, &change);

	if (r < 0)
		return r;
	before = &change.before;
	after = &change.after;
	if (kc_after_prefix(change.path, "/etc/systemd/system/")) {
		/* Links alone are made there, and folders for them. */
		if ((before->type && before->type != KC_FILE_SYMLINK) ||
		    (after->type == KC_FILE_REGULAR))
			return kc_policy_path(before->sha256 || after->sha256 ? KC_STEP_WRITE_FILE
									      : KC_STEP_SET_MODE,
					      change.path, err);
		if (after->type == KC_FILE_DIRECTORY)
			return 0;
		r = kc_policy_unit_link(change.path, err);
		if (r == 0 && before->link)
			r = kc_policy_unit_link_target(before->link, err);
		if (r == 0 && after->link)
			r = kc_policy_unit_link_target(after->link, err);
		return r;
	}
	if (before->type == after->type && !before->sha256 && !before->link)
		return kc_policy_path(KC_STEP_SET_MODE, change.path, err);
	return kc_policy_path(before->type && after->type ? KC_STEP_EDIT_FILE : KC_STEP_WRITE_FILE,
			      change.path, err);
}

int kc_fix_undo(struct kc_fix *fix, struct kc_transaction *t, const struct kc_record *record,
		unsigned flags, struct kc_err *err)
{
	const char *path = kc_record_get(record, "path");
	int r;

	if (kc_streq(record->verb, "runtime"))
		return kc_runtime_undo(fix, t, record, flags, err);
	r = vet_change(record, err);
	if (r == 0)
		r = kc_change_undo(t, record, flags, err);
	if (path && kc_after_prefix(path, "/etc/systemd/system/"))
		fix->units_changed = true;
	return r;
}

int kc_fix_undoable(struct kc_fix *fix, struct kc_transaction *t, const struct kc_record *record,
		    struct kc_err *err)
{
	int r;

	if (kc_streq(record->verb, "runtime"))
		return kc_runtime_undoable(fix, t, record, err);
	r = vet_change(record, err);
	return r < 0 ? r : kc_change_undoable(t, record, err);
}

int kc_fix_complete(struct kc_fix *fix, struct kc_transaction *t, const struct kc_record *record,
		    struct kc_err *err)
{
	const char *path = kc_record_get(record, "path");
	int r;

	if (kc_streq(record->verb, "runtime"))
		return kc_runtime_complete(fix, t, record, err);
	r = vet_change(record, err);
	if (r == 0)
		r = kc_change_complete(t, record, err);
	if (path && kc_after_prefix(path, "/etc/systemd/system/"))
		fix->units_changed = true;
	return r;
}
