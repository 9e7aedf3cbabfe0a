/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"

/*
 * The shared objects that the dynamic loader has mapped into this process: those that a plugin or a
 * module needs come from where the loader looks (ld.so(8)), which may be a folder that others can
 * write, such as /usr/local/lib where a group owns it. What is mapped runs, so each is held to the
 * rules of trust.h, as the plugin itself is.
 */
struct kc_objects {
	unsigned long long adds, subs; /* dl_iterate_phdr(3) */
	size_t n;
};

/* Takes what is mapped by now for granted: the program itself, and what it needs. */
void kc_objects_begin(struct kc_objects *objects);

/*
 * Vets what was mapped since. -EPERM with a sentence that names the object and who could change it.
 * An object that is known by a descriptor (/proc/self/fd/N) was vetted by who opened it.
 */
int kc_objects_vet(struct kc_objects *objects, struct kc_err *err);
