/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <link.h>

#include "base/fdio.h"
#include "base/str.h"
#include "objects.h"
#include "trust.h"

struct walk {
	struct kc_objects now;
	size_t first; /* the first that has to be vetted */
	int code;
	struct kc_err *err;
};

static int count(struct dl_phdr_info *info, size_t size, void *context)
{
	struct kc_objects *objects = context;

	objects->adds = info->dlpi_adds;
	objects->subs = info->dlpi_subs;
	objects->n++;
	return 0;
}

void kc_objects_begin(struct kc_objects *objects)
{
	*objects = (struct kc_objects){ 0 };
	(void)dl_iterate_phdr(count, objects);
}

static int vet(struct dl_phdr_info *info, size_t size, void *context)
{
	struct walk *w = context;
	kc_cleanup(kc_closep) int fd = -EBADF;

	(void)count(info, size, &w->now);
	if (w->now.n <= w->first || w->code < 0)
		return 0;
	/* The program itself and the kernel's own have no file; a plugin's was opened by who vetted
	 * it. */
	if (!strchr(info->dlpi_name, '/') || kc_after_prefix(info->dlpi_name, "/proc/self/fd/"))
		return 0;
	if (info->dlpi_name[0] != '/') {
		w->code = kc_err_set(w->err, -EPERM,
				     "it needs %s, which was found by way of the current folder",
				     info->dlpi_name);
		return 0;
	}
	w->code = kc_trust_open(AT_FDCWD, info->dlpi_name, KC_TRUST_STICKY, w->err, &fd);
	if (w->code < 0)
		w->code = kc_err_prefix(w->err, "it needs %s", info->dlpi_name);
	return 0;
}

static int peek(struct dl_phdr_info *info, size_t size, void *context)
{
	(void)count(info, size, context);
	return 1;
}

int kc_objects_vet(struct kc_objects *objects, struct kc_err *err)
{
	struct kc_objects now = { 0 };
	struct walk w = { .first = objects->n, .err = err };

	(void)dl_iterate_phdr(peek, &now);
	if (now.adds == objects->adds && now.subs == objects->subs)
		return 0;
	/* Those that went have left their places to others. */
	if (now.subs != objects->subs)
		w.first = 0;
	(void)dl_iterate_phdr(vet, &w);
	if (w.code < 0)
		return w.code;
	*objects = w.now;
	return 0;
}
