/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats.h"

/* Names that systemd makes of paths and of fstab's sources; pure. */

/*
 * The unit for a path: "/dev/sda2" and ".swap" is "dev-sda2.swap", "/" and ".mount" is "-.mount"
 * (unit_name_path_escape() of systemd's src/basic/unit-name.c, systemd-escape(1) --path). In the
 * arena; NULL: no memory.
 */
const char *kc_unit_of_path(struct kc_arena *arena, const char *path, const char *suffix);

/*
 * The device that a source of fstab means: UUID=x is /dev/disk/by-uuid/x, with the characters that
 * udev writes as \xNN (encode_devnode_name() of systemd's src/shared/device-nodes.c); others are
 * themselves. In the arena; NULL: no memory.
 */
const char *kc_device_of_source(struct kc_arena *arena, const char *what);
