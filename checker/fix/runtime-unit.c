/* SPDX-License-Identifier: Apache-2.0 */
#include "bus.h"
#include "runtime.h"

/* What systemd has in between ("activating", "reloading") comes to one of two, or to itself. */
static int get(struct kc_fix *fix, const char *target, const char *content, struct kc_err *err,
	       const char **ret_value)
{
	int r = kc_fix_bus_unit(fix, target, "ActiveState", err, ret_value);

	/* One that failed does not run, and to start it is no different. */
	if (r == 0 && kc_streq(*ret_value, "failed"))
		*ret_value = "inactive";
	else if (r == 0 && kc_streq(*ret_value, "reloading"))
		*ret_value = "active";
	return r;
}

static const char *active(const char *content)
{
	return "active";
}

static const char *inactive(const char *content)
{
	return "inactive";
}

static int set(struct kc_fix *fix, const char *target, const char *content, const char *value,
	       struct kc_err *err)
{
	int r = kc_fix_reload(fix, err);

	if (r < 0)
		return r;
	return kc_fix_bus_job(fix, kc_streq(value, "active") ? "StartUnit" : "StopUnit", target,
			      err);
}

const struct kc_runtime_kind kc_runtime_unit_start = {
	.kind = KC_STEP_UNIT_START,
	.get = get,
	.wanted = active,
	.set = set,
	.inverse = "is stopped again, within this boot",
};

const struct kc_runtime_kind kc_runtime_unit_stop = {
	.kind = KC_STEP_UNIT_STOP,
	.get = get,
	.wanted = inactive,
	.set = set,
	.inverse = "is started again, within this boot",
};

/* Whatever the state is, a restart is asked for. */
static int get_nothing(struct kc_fix *fix, const char *target, const char *content,
		       struct kc_err *err, const char **ret_value)
{
	const char *state;

	*ret_value = NULL;
	return kc_fix_bus_unit(fix, target, "ActiveState", err, &state);
}

static const char *nothing(const char *content)
{
	return NULL;
}

static int restart(struct kc_fix *fix, const char *target, const char *content, const char *value,
		   struct kc_err *err)
{
	int r = kc_fix_reload(fix, err);

	return r < 0 ? r : kc_fix_bus_job(fix, "RestartUnit", target, err);
}

const struct kc_runtime_kind kc_runtime_unit_restart = {
	.kind = KC_STEP_UNIT_RESTART,
	.get = get_nothing,
	.wanted = nothing,
	.set = restart,
};

static int get_manager(struct kc_fix *fix, const char *target, const char *content,
		       struct kc_err *err, const char **ret_value)
{
	*ret_value = NULL;
	return 0;
}

static int reload(struct kc_fix *fix, const char *target, const char *content, const char *value,
		  struct kc_err *err)
{
	fix->units_changed = true;
	return kc_fix_reload(fix, err);
}

const struct kc_runtime_kind kc_runtime_reload = {
	.kind = KC_STEP_SYSTEMD_RELOAD,
	.get = get_manager,
	.wanted = nothing,
	.set = reload,
};
