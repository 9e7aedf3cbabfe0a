/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "fix.h"

/*
 * What the fixer asks of systemd and firewalld over the system bus, by sd-bus. Nothing is started
 * by a message. -ENOSYS: built without libsystemd; -ENOTCONN: there is no bus; -ENOENT: nobody owns
 * the name; others with the words of the other side.
 */

/* ActiveState and the like; *ret_value lives in the fix's arena. */
int kc_fix_bus_unit(struct kc_fix *fix, const char *unit, const char *property, struct kc_err *err,
		    const char **ret_value);

/* StartUnit, StopUnit, RestartUnit, and waits until the job has ended. */
int kc_fix_bus_job(struct kc_fix *fix, const char *method, const char *unit, struct kc_err *err);

/* Reload of the manager. */
int kc_fix_bus_reload(struct kc_fix *fix, struct kc_err *err);

/* A method of firewalld's. */
struct kc_firewalld_call {
	const char *path; /* NULL: its main object */
	const char *interface; /* behind "org.fedoraproject.FirewallD1" */
	const char *method;
	const char *const *args; /* strings, NULL-terminated; may be NULL */
	bool has_timeout; /* one more argument: 0, for ever */
	char answer; /* 's', 'o', or 'b', which comes as "yes" and "no"; 0: it is not looked at */
};

/* *ret_text lives in the fix's arena; NULL where the answer is not looked at. */
int kc_fix_bus_firewalld(struct kc_fix *fix, const struct kc_firewalld_call *call,
			 struct kc_err *err, const char **ret_text);

void kc_fix_bus_free(struct kc_fix_bus *bus);
