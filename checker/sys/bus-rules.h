/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/k8scheck-plugin.h"
#include "base/err.h"

/* What may be asked on the bus: one table, and no other question. Pure. */

enum kc_bus_service {
	KC_BUS_SYSTEMD = 0,
	KC_BUS_DAEMON = 1,
	KC_BUS_FIREWALLD = 2,
	KC_BUS_HOSTNAMED = 3,
	KC_BUS_TIMEDATED = 4,
	KC_BUS_RESOLVED = 5,
	KC_BUS_SERVICE_MAX = 6,
};

#define KC_SYSTEMD_NAME	   "org.freedesktop.systemd1"
#define KC_SYSTEMD_PATH	   "/org/freedesktop/systemd1"
#define KC_SYSTEMD_MANAGER KC_SYSTEMD_NAME ".Manager"
#define KC_SYSTEMD_UNIT	   KC_SYSTEMD_NAME ".Unit"

/*
 * Whether a question (strings: destination, path, interface, member, arguments…) may be put. -EPERM
 * when it is not on the list; -EINVAL when its number of strings, or the shape of an argument, is
 * wrong. On success *ret_service is the row's.
 */
int kc_bus_allowed(const struct kc_strings *strings, bool property, struct kc_err *err,
		   enum kc_bus_service *ret_service);

enum kc_unit_name {
	KC_UNIT_NAME_INVALID = 0,
	KC_UNIT_NAME_PLAIN = 1, /* "crio.service", "getty@tty1.service" */
	KC_UNIT_NAME_TEMPLATE = 2, /* "getty@.service": has a file, and is never loaded */
};

/* A unit's name by the rules of systemd.unit(5): characters, length, a type as suffix. */
enum kc_unit_name kc_unit_name_check(const char *name);

/* The interface of the unit's own type that has "Result", or NULL ("…Service" of "crio.service").
 */
const char *kc_unit_result_interface(const char *name);

enum {
	KC_UNIT_NAME_SIZE = 256
};

/*
 * The unit that an object path stands for ("/org/freedesktop/systemd1/unit/crio_2eservice"). 1, or
 * 0 when the path lies elsewhere, or -EINVAL when it stands for no unit's name.
 */
int kc_unit_name_of_path(const char *path, char name[KC_UNIT_NAME_SIZE]);
