/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/*
 * A lease on a file (fcntl(2), F_SETLEASE): while it is held, nobody can begin to write to the
 * file. Who opens it for writing waits until it is given up, and it can be asked whether somebody
 * does. Readers are not kept out. SIGIO, by which the kernel tells, has to be ignored.
 *
 * A write lease would be refused for as long as anybody reads the file; who holds a descriptor for
 * writing, or a shared mapping of it, bars this kind, too.
 */

/*
 * Takes one on a file that is open for reading alone, and waits up to two seconds for writers to go
 * away: -EBUSY, they did not. *ret_held is false where the file system has no leases.
 */
int kc_lease_take(int fd, struct kc_err *err, bool *ret_held);

/* False once somebody waits to write. */
bool kc_lease_holds(int fd);

void kc_lease_give_up(int fd);
