/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "fix.h"
#include "label.h"
#include "policy.h"

enum {
	/* Who may read a file that is not shown: its owner, and perhaps its group. */
	OTHERS = 0004,
};

/* Where a step before makes the folder, what is in it is not there yet. */
static bool is_made_earlier(const struct kc_fix_step *earlier, size_t n, const char *path)
{
	const char *slash = strrchr(path, '/');

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < earlier[i].n_changes; k++) {
			const struct kc_change *change = &earlier[i].changes[k].change;

			if (earlier[i].state == KC_STATE_NEEDED &&
			    change->after.type == KC_FILE_DIRECTORY && !change->before.type &&
			    strlen(change->path) == (size_t)(slash - path) &&
			    strncmp(change->path, path, (size_t)(slash - path)) == 0)
				return true;
		}
	}
	return false;
}

static struct kc_fix_change *new_change(struct kc_fix *fix, struct kc_fix_step *step)
{
	void *grown = kc_arena_grow(fix->arena, step->changes, step->n_changes, &step->changes_room,
				    sizeof(*step->changes));

	if (!grown)
		return NULL;
	step->changes = grown;
	step->changes[step->n_changes] = (struct kc_fix_change){ 0 };
	return step->changes + step->n_changes;
}

static int look_at(struct kc_fix *fix, const char *path, unsigned place_flags, unsigned look_flags,
		   struct kc_fix_change *c, struct kc_err *err)
{
	kc_cleanup(kc_buf_done) struct kc_buf content = { 0 };
	struct kc_fix_place place;
	int r = kc_place_open(fix->root, path, place_flags, err, &place);

	if (r < 0)
		return r;
	c->change.path = kc_arena_strdup(fix->arena, place.path);
	r = c->change.path ? kc_change_look(&place, look_flags, fix->arena, err, &c->change.before,
					    &content)
			   : -ENOMEM;
	kc_place_done(&place);
	if (r < 0)
		return r;
	c->secret = c->change.before.type == KC_FILE_REGULAR && !(c->change.before.mode & OTHERS);
	if (content.data) {
		c->old = kc_arena_memdup(fix->arena, content.data, content.len);
		if (!c->old)
			return kc_err_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

int kc_fix_add_change(struct kc_fix *fix, struct kc_fix_step *step, const char *path,
		      unsigned look_flags, const struct kc_fix_step *earlier, size_t n_earlier,
		      struct kc_err *err, struct kc_fix_change **ret_change)
{
	const bool link = step->step.kind == KC_STEP_UNIT_ENABLE ||
			  step->step.kind == KC_STEP_UNIT_DISABLE ||
			  step->step.kind == KC_STEP_UNIT_MASK;
	const bool follow = step->step.kind == KC_STEP_WRITE_FILE ||
			    step->step.kind == KC_STEP_EDIT_FILE ||
			    step->step.kind == KC_STEP_SET_MODE;
	struct kc_fix_change *c = new_change(fix, step);
	int r = c ? look_at(fix, path, follow ? KC_PLACE_FOLLOW : 0, look_flags, c, err) : -ENOMEM;

	if (r == -ENOENT && is_made_earlier(earlier, n_earlier, path)) {
		c->change.path = kc_arena_strdup(fix->arena, path);
		r = c->change.path ? 0 : -ENOMEM;
	}
	if (r < 0)
		return r;
	/* Links on the way must not lead anywhere else than the policy has it. */
	r = link ? kc_policy_unit_link(c->change.path, err)
		 : kc_policy_path(step->step.kind, c->change.path, err);
	if (r < 0)
		return r;
	c->change.after = c->change.before;
	*ret_change = c;
	return 0;
}

/* A new object belongs to root, as everything below /etc does, unless the step says otherwise. */
static int make_new(struct kc_fix *fix, struct kc_fix_step *step, uint32_t type,
		    struct kc_change *change, struct kc_err *err)
{
	const bool keep = step->step.flags & KC_STEP_KEEP_OWNER;
	struct kc_node *after = &change->after;

	after->type = type;
	after->mode = keep || !step->step.mode ? (type == KC_FILE_DIRECTORY ? 0755 : 0644)
					       : step->step.mode;
	/* Without root a system can be repaired that belongs to who runs this. */
	after->uid = geteuid() != 0 ? geteuid() : keep ? 0 : step->step.uid;
	after->gid = geteuid() != 0 ? getegid() : keep ? 0 : step->step.gid;
	/* Who owns it may write to it. */
	if (geteuid() == 0 && after->uid != 0)
		step->step.flags |= KC_STEP_WEAKENS;
	return kc_label_new(fix, change, err);
}

static int set_content(struct kc_fix *fix, const struct kc_fix_step *step, struct kc_change *change,
		       struct kc_err *err)
{
	char hex[KC_DIGEST_TEXT];

	kc_digest(step->step.content, step->step.content_size, hex);
	change->content = step->step.content;
	change->size = step->step.content_size;
	change->after.size = change->size;
	change->after.sha256 = kc_arena_strdup(fix->arena, hex);
	return change->after.sha256 ? 0 : kc_err_set(err, -ENOMEM, "out of memory");
}

static int look_at_write(struct kc_fix *fix, struct kc_fix_step *step, struct kc_fix_change *c,
			 struct kc_err *err)
{
	int r;

	if (c->change.before.type && c->change.before.type != KC_FILE_REGULAR)
		return kc_err_set(err, -EINVAL, "%s is there, and no file", c->change.path);
	if (step->step.kind == KC_STEP_EDIT_FILE) {
		char hex[KC_DIGEST_TEXT];

		if (!c->change.before.type)
			return kc_err_set(err, -ENOENT, "%s is not there", c->change.path);
		kc_digest(step->step.before, step->step.before_size, hex);
		if (!kc_streq(hex, c->change.before.sha256))
			return kc_err_set(err, -EBUSY, "%s has changed since it was judged",
					  c->change.path);
	}
	r = kc_policy_content(&step->step, c->change.path, err);
	if (r == 0)
		r = set_content(fix, step, &c->change, err);
	if (r == 0 && !c->change.before.type)
		r = make_new(fix, step, KC_FILE_REGULAR, &c->change, err);
	step->inverse = c->change.before.type ? "gets its old content back" : "is removed again";
	return r;
}

static bool has_acl(const struct kc_node *node)
{
	for (uint32_t i = 0; i < node->n_xattrs; i++) {
		if (kc_streq(node->xattrs[i].name, "system.posix_acl_access"))
			return true;
	}
	return false;
}

static int look_at_mode(struct kc_fix_step *step, struct kc_fix_change *c, struct kc_err *err)
{
	uint32_t gained;

	if (!c->change.before.type)
		return kc_err_set(err, -ENOENT, "%s is not there", c->change.path);
	gained = step->step.mode & ~c->change.before.mode;
	if (c->change.before.type == KC_FILE_REGULAR && (gained & 06000))
		return kc_err_set(err, -EPERM,
				  "%s: no repair may make it run with the rights of its owner",
				  c->change.path);
	/* Anybody may write there, or what is made there has another's group. */
	if (gained & 06002)
		step->step.flags |= KC_STEP_WEAKENS;
	/* A mode is part of the list, and the list part of what is kept (acl(5)). */
	if (has_acl(&c->change.before) && ((step->step.mode ^ c->change.before.mode) & 0777))
		return kc_err_set(err, -EOPNOTSUPP,
				  "%s has an access control list (getfacl shows it), which a mode "
				  "would change: setfacl is for that",
				  c->change.path);
	c->change.after.mode = step->step.mode;
	c->change.after.uid = step->step.uid;
	c->change.after.gid = step->step.gid;
	step->inverse = "gets its owner and mode back";
	return 0;
}

static int look_at_dir(struct kc_fix *fix, struct kc_fix_step *step, struct kc_fix_change *c,
		       struct kc_err *err)
{
	step->inverse = "is removed again, if nothing else is in it";
	if (c->change.before.type == KC_FILE_DIRECTORY)
		return 0;
	if (c->change.before.type)
		return kc_err_set(err, -ENOTDIR, "%s is there, and no folder", c->change.path);
	return make_new(fix, step, KC_FILE_DIRECTORY, &c->change, err);
}

static int look_at_removal(struct kc_fix_step *step, struct kc_fix_change *c, struct kc_err *err)
{
	if (c->change.before.type == KC_FILE_DIRECTORY)
		return kc_err_set(err, -EISDIR, "%s is a folder", c->change.path);
	c->change.after = (struct kc_node){ 0 };
	step->inverse = "is put back";
	return 0;
}

int kc_fix_look_file(struct kc_fix *fix, struct kc_fix_step *step,
		     const struct kc_fix_step *earlier, size_t n_earlier, struct kc_err *err)
{
	const bool content =
		step->step.kind != KC_STEP_SET_MODE && step->step.kind != KC_STEP_MAKE_DIR;
	struct kc_fix_change *c;
	int r = kc_fix_add_change(fix, step, step->step.target, content ? KC_NODE_CONTENT : 0,
				  earlier, n_earlier, err, &c);

	if (r < 0)
		return r;
	switch (step->step.kind) {
	case KC_STEP_MAKE_DIR:
		r = look_at_dir(fix, step, c, err);
		break;
	case KC_STEP_WRITE_FILE:
	case KC_STEP_EDIT_FILE:
		r = look_at_write(fix, step, c, err);
		break;
	case KC_STEP_SET_MODE:
		r = look_at_mode(step, c, err);
		break;
	default:
		r = look_at_removal(step, c, err);
		break;
	}
	if (r < 0)
		return r;
	step->n_changes = kc_node_same(&c->change.before, &c->change.after) ? 0 : 1;
	step->state = step->n_changes ? KC_STATE_NEEDED : KC_STATE_ALREADY;
	return 0;
}
