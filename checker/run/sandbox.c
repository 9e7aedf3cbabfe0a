/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <sys/prctl.h>

#include "sandbox.h"

enum {
	/* For a mount whose server may be gone; most hosts that have any have few. */
	PATIENCE_USEC = 200 * 1000,
};

void kc_sandbox_done(struct kc_sandbox *sandbox)
{
	kc_buf_done(&sandbox->left);
}

static bool has(const struct kc_sandbox *s, enum kc_layer layer)
{
	return s->in_force & (1u << layer);
}

static void note(struct kc_sandbox *s, enum kc_layer layer, int r)
{
	if (r == 0)
		s->in_force |= 1u << layer;
}

void kc_sandbox_begin(struct kc_sandbox *s)
{
	if (s->policy == KC_SANDBOX_OFF)
		return;
	note(s, KC_LAYER_MOUNTS, kc_layer_mounts(s->missing + KC_LAYER_MOUNTS));
	if (has(s, KC_LAYER_MOUNTS))
		note(s, KC_LAYER_READ_ONLY,
		     kc_layer_read_only(true, PATIENCE_USEC, &s->left, &s->n_left,
					s->missing + KC_LAYER_READ_ONLY));
	else
		(void)kc_err_set(s->missing + KC_LAYER_READ_ONLY, -EPERM,
				 "there is no mount namespace to make them so in");
	/* The bounding set takes a capability that goes with kc_sandbox_complete(). */
	note(s, KC_LAYER_PRIVILEGES, kc_layer_privileges(0, s->missing + KC_LAYER_PRIVILEGES));
	note(s, KC_LAYER_LANDLOCK,
	     kc_layer_landlock(false, &s->landlock_abi, s->missing + KC_LAYER_LANDLOCK));
}

bool kc_sandbox_hides_openat2(const struct kc_sandbox *s)
{
	return s->policy != KC_SANDBOX_OFF && !has(s, KC_LAYER_LANDLOCK) &&
	       (!has(s, KC_LAYER_READ_ONLY) || s->n_left > 0);
}

void kc_sandbox_complete(struct kc_sandbox *s)
{
	if (s->policy == KC_SANDBOX_OFF)
		return;
	note(s, KC_LAYER_USER, kc_layer_user_possible(s->missing + KC_LAYER_USER));
	note(s, KC_LAYER_CAPABILITIES,
	     kc_layer_capabilities(KC_CAPABILITIES_ZYGOTE, s->missing + KC_LAYER_CAPABILITIES));
	note(s, KC_LAYER_SYSCALLS,
	     kc_layer_syscalls(KC_SYSCALLS_ZYGOTE, kc_sandbox_hides_openat2(s),
			       s->missing + KC_LAYER_SYSCALLS));
}

int kc_sandbox_insist(const struct kc_sandbox *s, struct kc_err *err)
{
	kc_cleanup(kc_buf_done) struct kc_buf all = { 0 };

	if (s->policy != KC_SANDBOX_REQUIRE)
		return 0;
	for (unsigned i = 0; i < KC_LAYER_MAX; i++) {
		if (!has(s, i))
			kc_buf_addf(&all, "%s%s (%s)", all.len > 0 ? "; " : "", kc_layer_names[i],
				    s->missing[i].text);
	}
	if (s->n_left > 0)
		kc_buf_addf(&all, "%sread-only mounts on %s", all.len > 0 ? "; " : "",
			    kc_buf_error(&s->left) < 0 ? "" : s->left.data);
	if (all.len == 0 && !all.failed)
		return 0;
	return kc_err_set(err, -EPERM, "--sandbox=require: these cannot be had here: %s",
			  kc_buf_error(&all) < 0 ? "(out of memory)" : all.data);
}

void kc_sandbox_broker(enum kc_sandbox_policy policy)
{
	unsigned left;

	if (policy != KC_SANDBOX_OFF && kc_layer_mounts(NULL) == 0)
		(void)kc_layer_read_only(false, PATIENCE_USEC, NULL, &left, NULL);
}

void kc_sandbox_door(enum kc_sandbox_policy policy, uint32_t keep, bool looks_at_processes)
{
	unsigned abi;

	if (policy == KC_SANDBOX_OFF)
		return;
	if (!looks_at_processes)
		(void)kc_layer_landlock(true, &abi, NULL);
	(void)kc_layer_capabilities(keep, NULL);
}

/*
 * Where procfs hides processes and names no group that sees them, it is root's (proc(5)), which
 * sockets of root have, too: it is taken where the filter leaves no socket to connect.
 */
static int64_t group_of(const struct kc_sandbox *s)
{
	return s->group == 0 && !has(s, KC_LAYER_SYSCALLS) ? -1 : s->group;
}

int kc_sandbox_worker(const struct kc_sandbox *s, struct kc_err *err)
{
	int r = 0;

	if (s->policy == KC_SANDBOX_OFF)
		return 0;
	if (has(s, KC_LAYER_USER))
		r = kc_layer_user(group_of(s), err);
	if (r == 0 && has(s, KC_LAYER_CAPABILITIES))
		r = kc_layer_capabilities(KC_CAPABILITIES_WORKER, err);
	/* Which a change of user forgets. */
	if (r == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		r = kc_err_set(err, -errno, "PR_SET_PDEATHSIG: %s", kc_strerror(errno));
	/* No core: where cores go to a program, the limit on their size is not asked. */
	if (r == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		r = kc_err_set(err, -errno, "PR_SET_DUMPABLE: %s", kc_strerror(errno));
	if (r == 0 && has(s, KC_LAYER_SYSCALLS))
		r = kc_layer_syscalls(KC_SYSCALLS_WORKER, false, err);
	return r;
}

void kc_sandbox_put(struct kc_buf *b, const struct kc_sandbox *s)
{
	kc_put_u32(b, s->policy);
	kc_put_u32(b, s->in_force);
	kc_put_u32(b, s->landlock_abi);
	for (unsigned i = 0; i < KC_LAYER_MAX; i++)
		kc_put_text(b, has(s, i) ? NULL : s->missing[i].text);
	kc_put_u32(b, s->n_left);
	kc_put_text(b, kc_buf_error(&s->left) < 0 ? "" : s->left.data);
}

static const char *name_of(unsigned layer, unsigned abi, uint32_t n_left, struct kc_arena *arena)
{
	if (layer == KC_LAYER_LANDLOCK)
		return kc_arena_printf(arena, "%s ABI %u", kc_layer_names[layer], abi);
	if (layer == KC_LAYER_READ_ONLY && n_left > 0)
		return kc_arena_printf(arena, "%s (all but %u)", kc_layer_names[layer], n_left);
	return kc_layer_names[layer];
}

static const char *why_not(unsigned layer, const char *why, struct kc_arena *arena)
{
	return kc_arena_printf(arena, "%s (%s)", kc_layer_names[layer], why ? why : "");
}

int kc_sandbox_get(struct kc_reader *r, struct kc_arena *arena, struct kc_sandbox_told *ret_told)
{
	uint32_t policy = kc_reader_u32(r), in_force = kc_reader_u32(r), abi = kc_reader_u32(r);
	const char **layers = kc_arena_zalloc(arena, KC_LAYER_MAX + 1, sizeof(*layers));
	const char **missing = kc_arena_zalloc(arena, KC_LAYER_MAX + 2, sizeof(*missing));
	const char *why[KC_LAYER_MAX], *left;
	size_t n = 0, n_missing = 0;
	uint32_t n_left;

	for (unsigned i = 0; i < KC_LAYER_MAX; i++)
		why[i] = kc_reader_text(r);
	n_left = kc_reader_u32(r);
	left = kc_reader_text(r);
	if (r->failed || policy > KC_SANDBOX_OFF)
		return -EBADMSG;
	if (!layers || !missing)
		return -ENOMEM;
	for (unsigned i = 0; i < KC_LAYER_MAX; i++) {
		bool in = in_force & (1u << i);
		const char *text = in ? name_of(i, abi, n_left, arena) : NULL;

		if (in)
			layers[n++] = text;
		else if (policy != KC_SANDBOX_OFF)
			text = missing[n_missing++] = why_not(i, why[i], arena);
		if (!text && policy != KC_SANDBOX_OFF)
			return -ENOMEM;
	}
	if (n_left > 0) {
		missing[n_missing] = kc_arena_printf(
			arena, "read-only mounts on %s (left as they are)", left ? left : "");
		if (!missing[n_missing])
			return -ENOMEM;
	}
	*ret_told = (struct kc_sandbox_told){ .layers = layers, .missing = missing };
	return 0;
}
