/* SPDX-License-Identifier: Apache-2.0 */
#include "swap-descriptor.h"
#include "swap.h"

#define ZRAM_CONFIG "/etc/systemd/zram-generator.conf"

struct plan {
	struct swap_boot *boot;
	bool target_masked, zram_written;
};

static int step(const struct plan *p, uint32_t kind, const char *target, const char *content,
		const char *why)
{
	const struct kc_step s = {
		.size = sizeof(s),
		.kind = kind,
		.horizon = KC_BOOT,
		.mode = kind == KC_STEP_WRITE_FILE ? 0644 : 0,
		.target = target,
		.content = content,
		.content_size = content ? strlen(content) : 0,
		.why = why,
	};

	return kc_step(p->boot->host, p->boot->run, &s);
}

static int edit(const struct plan *p, const char *path, const struct kc_bytes *before,
		const struct kc_buf *after, const char *why)
{
	const struct kc_step s = {
		.size = sizeof(s),
		.kind = KC_STEP_EDIT_FILE,
		.flags = KC_STEP_KEEP_OWNER,
		.horizon = KC_BOOT,
		.target = path,
		.content = after->data,
		.content_size = after->len,
		.before = before->data,
		.before_size = before->size,
		.why = why,
	};

	return kc_step(p->boot->host, p->boot->run, &s);
}

/* fstab once more, with a mark before the lines that turn swap on. */
static int plan_fstab(const struct plan *p)
{
	const struct swap_boot *boot = p->boot;
	kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };
	unsigned *lines = kc_arena_zalloc(boot->arena, boot->n, sizeof(*lines));
	size_t n = 0;

	if (!lines)
		return -ENOMEM;
	for (size_t i = 0; i < boot->n; i++)
		if (boot->cause[i].verdict == KC_FAIL && boot->cause[i].origin == SWAP_FROM_FSTAB)
			lines[n++] = boot->cause[i].line;
	if (swap_comment_lines(boot->fstab.data, boot->fstab.size, lines, n, &out))
		return -ENOMEM;
	return edit(p, SWAP_FSTAB, &boot->fstab, &out,
		    "A line that is a comment turns nothing on; the rest stays as it is.");
}

/* A mask is a link below /etc, where a unit's own file cannot be replaced. */
static int plan_unit(const struct plan *p, const struct swap_cause *c)
{
	if (!c->fragment || !kc_after_prefix(c->fragment, "/etc/systemd/system/"))
		return step(p, KC_STEP_UNIT_MASK, c->unit, NULL,
			    "Nothing can start what is masked.");
	if (c->enabled)
		return step(p, KC_STEP_UNIT_DISABLE, c->unit, NULL,
			    "The next start leaves out what is disabled.");
	return step(p, KC_STEP_MANUAL, NULL,
		    kc_text(p->boot->host, p->boot->run, "rm %s && systemctl mask '%s'\n",
			    c->fragment, c->unit),
		    "Its file lies where a mask would, and other units want it.");
}

/* Of several devices in the file all go at once. */
static int plan_zram_edit(struct plan *p)
{
	const struct swap_boot *boot = p->boot;
	kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };
	struct kc_bytes before;
	int r = kc_read_file(boot->host, boot->run, ZRAM_CONFIG, SWAP_FILE_MAX, &before);

	if (r)
		return r;
	kc_buf_add(&out, before.data, before.size);
	for (size_t i = 0; i < boot->n; i++) {
		const struct swap_cause *c = &boot->cause[i];
		kc_cleanup(kc_buf_done) struct kc_buf next = { 0 };

		if (c->verdict != KC_FAIL || c->origin != SWAP_FROM_ZRAM || c->shared)
			continue;
		if (kc_buf_error(&out) || swap_comment_device(out.data, out.len, c->subject, &next))
			return -ENOMEM;
		kc_buf_reset(&out);
		kc_buf_add(&out, next.data, next.len);
	}
	if (kc_buf_error(&out))
		return -ENOMEM;
	return edit(p, ZRAM_CONFIG, &before, &out,
		    "A section that is a comment makes no device; the rest stays as it is.");
}

static int plan_zram(struct plan *p, const struct swap_cause *c)
{
	if (c->shared)
		return step(p, KC_STEP_UNIT_MASK, c->unit, NULL,
			    "A drop-in file, an argument of the kernel or another use of the same "
			    "file stands against an empty " ZRAM_CONFIG ".");
	if (p->zram_written)
		return 0;
	p->zram_written = true;
	if (kc_streq(c->fragment, ZRAM_CONFIG))
		return plan_zram_edit(p);
	return step(p, KC_STEP_WRITE_FILE, ZRAM_CONFIG,
		    "# Written by k8scheck: without a section there is no device.\n",
		    "It replaces the configuration below /usr (zram-generator.conf(5)).");
}

static int plan_target(struct plan *p)
{
	if (p->target_masked)
		return 0;
	p->target_masked = true;
	return step(p, KC_STEP_UNIT_MASK, SWAP_TARGET, NULL,
		    "systemd-gpt-auto-generator turns on what has the type swap; since systemd 254 "
		    "the unit's name is another one at each start, so that the target is masked.");
}

static int plan_cause(struct plan *p, const struct swap_cause *c)
{
	switch (c->origin) {
	case SWAP_FROM_UNIT:
	case SWAP_FROM_SERVICE:
		return plan_unit(p, c);
	case SWAP_FROM_ZRAM:
		return plan_zram(p, c);
	case SWAP_FROM_GPT:
		return plan_target(p);
	case SWAP_FROM_ARGUMENT:
		return step(p, KC_STEP_MANUAL, NULL,
			    "# Take systemd.swap-extra= out of the boot loader's configuration:\n"
			    "grubby --update-kernel=ALL --remove-args=systemd.swap-extra\n",
			    "The boot loader is not changed by k8scheck.");
	default:
		return 0;
	}
}

static int plan_boot(const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = SWAP_MEMORY_MAX };
	kc_cleanup(swap_boot_done) struct swap_boot boot = { .host = host,
							     .run = run,
							     .arena = &arena };
	struct plan p = { .boot = &boot };
	size_t fstab = 0;
	int r;

	r = swap_boot_collect(&boot);
	for (size_t i = 0; i < boot.n && !r; i++) {
		const struct swap_cause *c = &boot.cause[i];

		if (c->verdict != KC_FAIL)
			continue;
		if (c->origin != SWAP_FROM_FSTAB)
			r = plan_cause(&p, c);
		else if (fstab++ == 0)
			r = plan_fstab(&p);
	}
	/* Without any line in fstab the partition's type would decide. */
	if (!r && fstab && fstab == boot.fstab_swaps && boot.gpt_later)
		r = plan_target(&p);
	return r;
}

static int plan_now(const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = SWAP_MEMORY_MAX };
	struct kc_mount_table swaps;
	int r;

	/* What cannot be read has been reported, and nothing can be planned of it. */
	if (swap_active(host, run, &arena, &swaps) != 0)
		return 0;
	r = 0;
	for (size_t i = 0; i < swaps.n && !r; i++) {
		const struct kc_step s = {
			.size = sizeof(s),
			.kind = KC_STEP_SWAP_OFF,
			.flags = KC_STEP_DISTURBS,
			.horizon = KC_NOW,
			.target = swaps.item[i].what,
			.why = "What it holds goes back to memory, which must have room for it.",
		};

		r = kc_step(host, run, &s);
	}
	return r;
}

int swap_off_plan(void *state, const struct kc_host *host, struct kc_run *run)
{
	uint32_t horizons = kc_horizons(host, run);
	int r = 0;

	if (horizons & KC_BOOT)
		r = plan_boot(host, run);
	if (!r && (horizons & KC_NOW))
		r = plan_now(host, run);
	return r;
}
