/* SPDX-License-Identifier: Apache-2.0 */
#include "bus.h"
#include "base/clock.h"

#ifdef KC_WITH_BUS
#include <stdio.h>
#include <systemd/sd-bus.h>

#define SYSTEMD	  "org.freedesktop.systemd1"
#define FIREWALLD "org.fedoraproject.FirewallD1"

enum {
	CALL_USEC = 30 * 1000 * 1000,
	/* With thousands of units and slow generators, whose own limit is 90 s. */
	RELOAD_USEC = 100 * 1000 * 1000,
	/* A runtime may take its time to stop; systemd's own limit is 90 s. */
	JOB_USEC = 120 * 1000 * 1000,
	ARGS_MAX = 4,
};

struct kc_fix_bus {
	sd_bus *bus;
};

static void unref_message(sd_bus_message **m)
{
	(void)sd_bus_message_unref(*m);
}

static void free_error(sd_bus_error *e)
{
	sd_bus_error_free(e);
}

static void unref_bus(sd_bus **bus)
{
	if (*bus)
		(void)sd_bus_unref(*bus);
}

static void unref_slot(sd_bus_slot **slot)
{
	(void)sd_bus_slot_unref(*slot);
}

/* The bus of the system that is repaired, which from a container is not the own one. */
static int open_bus(struct kc_fix *fix, sd_bus **ret_bus)
{
	kc_cleanup(unref_bus) sd_bus *bus = NULL;
	const char *root = kc_root_path(fix->root), *address;
	int r;

	if (kc_streq(root, "/"))
		return sd_bus_open_system(ret_bus);
	/* What a D-Bus address would take for its own is not in it then. */
	if (strpbrk(root, ",;%=:"))
		return -EINVAL;
	address = kc_arena_printf(fix->arena, "unix:path=%s/run/dbus/system_bus_socket", root);
	if (!address)
		return -ENOMEM;
	r = sd_bus_new(&bus);
	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(bus, 1);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r >= 0)
		*ret_bus = TAKE_PTR(bus);
	return r;
}

static int connect_bus(struct kc_fix *fix, struct kc_err *err, sd_bus **ret_bus)
{
	int r;

	if (!fix->live)
		return kc_err_set(err, -EOPNOTSUPP, "an image has no bus");
	if (!fix->bus) {
		fix->bus = calloc(1, sizeof(*fix->bus));
		if (!fix->bus)
			return kc_err_set(err, -ENOMEM, "out of memory");
	}
	if (!fix->bus->bus) {
		r = open_bus(fix, &fix->bus->bus);
		if (r < 0)
			return kc_err_set(err, -ENOTCONN, "there is no system bus: %s",
					  kc_strerror(r));
		(void)sd_bus_set_method_call_timeout(fix->bus->bus, CALL_USEC);
	}
	*ret_bus = fix->bus->bus;
	return 0;
}

static int refused(int r, const sd_bus_error *error, const char *what, struct kc_err *err)
{
	if (sd_bus_error_has_name(error, "org.freedesktop.DBus.Error.ServiceUnknown") ||
	    sd_bus_error_has_name(error, "org.freedesktop.DBus.Error.NameHasNoOwner"))
		return kc_err_set(err, -ENOENT, "%s: the service does not run", what);
	return kc_err_set(err, r, "%s: %.500s", what,
			  error->message ? error->message : kc_strerror(r));
}

static int call(struct kc_fix *fix, const char *destination, const char *path,
		const char *interface, const char *method, const char *const *args,
		bool has_timeout, struct kc_err *err, sd_bus_message **ret_reply)
{
	kc_cleanup(unref_message) sd_bus_message *m = NULL;
	kc_cleanup(free_error) sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus *bus;
	int r = connect_bus(fix, err, &bus);

	if (r < 0)
		return r;
	r = sd_bus_message_new_method_call(bus, &m, destination, path, interface, method);
	if (r >= 0)
		r = sd_bus_message_set_auto_start(m, 0);
	KC_FOREACH_STR (arg, args) {
		if (r >= 0)
			r = sd_bus_message_append(m, "s", arg);
	}
	if (r >= 0 && has_timeout)
		r = sd_bus_message_append(m, "i", (int32_t)0);
	if (r < 0)
		return kc_err_set(err, r, "%s: %s", method, kc_strerror(r));
	r = sd_bus_call(bus, m, kc_streq(method, "Reload") ? RELOAD_USEC : 0, &error, ret_reply);
	return r < 0 ? refused(r, &error, method, err) : 0;
}

int kc_fix_bus_unit(struct kc_fix *fix, const char *unit, const char *property, struct kc_err *err,
		    const char **ret_value)
{
	kc_cleanup(free_error) sd_bus_error error = SD_BUS_ERROR_NULL;
	kc_cleanup(kc_freep) char *path = NULL, *value = NULL;
	sd_bus *bus;
	int r = connect_bus(fix, err, &bus);

	if (r < 0)
		return r;
	r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path);
	if (r >= 0)
		r = sd_bus_get_property_string(bus, SYSTEMD, path, SYSTEMD ".Unit", property,
					       &error, &value);
	if (r < 0)
		return refused(r, &error, unit, err);
	*ret_value = kc_arena_strdup(fix->arena, value);
	return *ret_value ? 0 : kc_err_set(err, -ENOMEM, "out of memory");
}

/* A job that is waited for. */
struct job {
	const char *path;
	char result[32];
};

static int on_job(sd_bus_message *m, void *context, sd_bus_error *error)
{
	struct job *job = context;
	const char *path, *unit, *result;
	uint32_t id;

	if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0)
		return 0;
	/* The answer with the path may come behind the signal: all are kept until it is known. */
	if (job->path && kc_streq(job->path, path))
		(void)snprintf(job->result, sizeof(job->result), "%s", result);
	return 0;
}

static int wait_for(sd_bus *bus, struct job *job, const char *unit, struct kc_err *err)
{
	uint64_t deadline = kc_now_usec() + JOB_USEC;

	while (!*job->result) {
		uint64_t now = kc_now_usec();
		int r;

		if (now >= deadline)
			return kc_err_set(err, -ETIMEDOUT, "%s: its job did not end within %u s",
					  unit, JOB_USEC / 1000000);
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, deadline - now);
		if (r < 0 && r != -EINTR)
			return kc_err_set(err, r, "%s: the bus went away: %s", unit,
					  kc_strerror(r));
	}
	if (kc_streq(job->result, "done") || kc_streq(job->result, "skipped"))
		return 0;
	return kc_err_set(err, -EREMOTEIO,
			  "%s: systemd says its job is '%s'; journalctl -u %s says why", unit,
			  job->result, unit);
}

int kc_fix_bus_job(struct kc_fix *fix, const char *method, const char *unit, struct kc_err *err)
{
	kc_cleanup(unref_message) sd_bus_message *reply = NULL;
	kc_cleanup(unref_slot) sd_bus_slot *slot = NULL;
	struct job job = { 0 };
	sd_bus *bus;
	int r = connect_bus(fix, err, &bus);

	if (r < 0)
		return r;
	r = sd_bus_match_signal(bus, &slot, SYSTEMD, "/org/freedesktop/systemd1",
				SYSTEMD ".Manager", "JobRemoved", on_job, &job);
	if (r < 0)
		return kc_err_set(err, r, "%s: %s", unit, kc_strerror(r));
	/* Signals are dispatched by wait_for() alone, so that none comes before the path is known.
	 */
	r = call(fix, SYSTEMD, "/org/freedesktop/systemd1", SYSTEMD ".Manager", "Subscribe", NULL,
		 false, err, &reply);
	if (r < 0)
		return r;
	reply = sd_bus_message_unref(reply);
	r = call(fix, SYSTEMD, "/org/freedesktop/systemd1", SYSTEMD ".Manager", method,
		 (const char *const[]){ unit, "replace", NULL }, false, err, &reply);
	if (r < 0)
		return err ? kc_err_prefix(err, "%s", unit) : r;
	r = sd_bus_message_read(reply, "o", &job.path);
	if (r < 0)
		return kc_err_set(err, -EBADMSG, "%s: systemd's answer is none", unit);
	return wait_for(bus, &job, unit, err);
}

int kc_fix_bus_reload(struct kc_fix *fix, struct kc_err *err)
{
	kc_cleanup(unref_message) sd_bus_message *reply = NULL;

	return call(fix, SYSTEMD, "/org/freedesktop/systemd1", SYSTEMD ".Manager", "Reload", NULL,
		    false, err, &reply);
}

int kc_fix_bus_firewalld(struct kc_fix *fix, const struct kc_firewalld_call *c, struct kc_err *err,
			 const char **ret_text)
{
	kc_cleanup(unref_message) sd_bus_message *reply = NULL;
	kc_cleanup(kc_freep) char *interface = kc_asprintf("%s%s", FIREWALLD, c->interface);
	const char *text = NULL;
	int yes, r;

	if (!interface)
		return kc_err_set(err, -ENOMEM, "out of memory");
	r = call(fix, FIREWALLD, c->path ? c->path : "/org/fedoraproject/FirewallD1", interface,
		 c->method, c->args, c->has_timeout, err, &reply);
	if (r < 0 || !c->answer)
		return r;
	r = c->answer == 'b' ? sd_bus_message_read(reply, "b", &yes)
			     : sd_bus_message_read_basic(reply, c->answer, &text);
	if (r < 0)
		return kc_err_set(err, -EBADMSG, "firewalld's answer to %s is none", c->method);
	if (c->answer == 'b')
		text = yes ? "yes" : "no";
	*ret_text = kc_arena_strdup(fix->arena, text);
	return *ret_text ? 0 : kc_err_set(err, -ENOMEM, "out of memory");
}

void kc_fix_bus_free(struct kc_fix_bus *bus)
{
	if (bus && bus->bus) {
		sd_bus_close(bus->bus);
		(void)sd_bus_unref(bus->bus);
	}
	free(bus);
}
#else
static int missing(struct kc_err *err)
{
	return kc_err_set(err, -ENOSYS,
			  "k8scheck was built without libsystemd, so that it cannot "
			  "ask systemd or firewalld for anything");
}

int kc_fix_bus_unit(struct kc_fix *fix, const char *unit, const char *property, struct kc_err *err,
		    const char **ret_value)
{
	return missing(err);
}

int kc_fix_bus_job(struct kc_fix *fix, const char *method, const char *unit, struct kc_err *err)
{
	return missing(err);
}

int kc_fix_bus_reload(struct kc_fix *fix, struct kc_err *err)
{
	return missing(err);
}

int kc_fix_bus_firewalld(struct kc_fix *fix, const struct kc_firewalld_call *c, struct kc_err *err,
			 const char **ret_text)
{
	return missing(err);
}

void kc_fix_bus_free(struct kc_fix_bus *bus)
{
}
#endif
