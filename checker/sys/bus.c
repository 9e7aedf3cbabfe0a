/* SPDX-License-Identifier: Apache-2.0 */
#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "bus-socket.h"
#include "bus-value.h"
#include "bus.h"

enum {
	/* Less than this proves nothing about the other side: the rule had hardly any time left. */
	REMEMBER_USEC = 250 * 1000,
	WHY_MAX = 256,
};

/* What is kept between questions; see bus.h. An empty text stands for "no failure to remember". */
struct bus_state {
	sd_bus *bus;
	char late[WHY_MAX];
	char service_late[KC_BUS_SERVICE_MAX][WHY_MAX];
};

/* One question and its deadline. */
struct talk {
	const struct kc_root *root;
	struct bus_state *state;
	enum kc_bus_service service;
	uint64_t started, deadline, timeout_usec;
	struct kc_err err;
};

static uint64_t time_left(const struct talk *t)
{
	uint64_t now = kc_now_usec();

	/* sd-bus takes 0 for its own default of 25 s. */
	return now < t->deadline ? t->deadline - now : 1;
}

static void message_unref(sd_bus_message **m)
{
	(void)sd_bus_message_unref(*m);
}

/* Never flushes, which could wait for ever on a bus that does not read. */
static void disconnect(struct bus_state *state)
{
	if (!state->bus)
		return;
	sd_bus_close(state->bus);
	state->bus = sd_bus_unref(state->bus);
}

/* Remembers a time-out, when there was time enough for an answer. */
static int late(struct talk *t, char memory[WHY_MAX], const char *who)
{
	int r = kc_err_set(&t->err, -ETIMEDOUT, "%.180s did not answer within %llu ms", who,
			   (unsigned long long)(t->timeout_usec / 1000));

	if (t->timeout_usec >= REMEMBER_USEC)
		(void)snprintf(memory, WHY_MAX, "%.*s", WHY_MAX - 1, t->err.text);
	return r;
}

static int open_socket(struct talk *t, int *ret_fd)
{
	struct kc_socket_file file = { .path_fd = -EBADF };
	int r;

	r = kc_bus_find(t->root, &t->err, &file);
	if (r < 0)
		return r;
	r = kc_socket_connect(&file, KC_BUS_SOCKET, t->started, t->deadline, &t->err, ret_fd);
	kc_socket_file_done(&file);
	if (r == -ECONNREFUSED)
		return kc_err_set(&t->err, -ENOTCONN,
				  "there is no system bus: nobody listens at %s", KC_BUS_SOCKET);
	return r == -ETIMEDOUT ? late(t, t->state->late, "the system bus at " KC_BUS_SOCKET) : r;
}

static int greeting_failed(struct talk *t, int code)
{
	switch (code) {
	case -EACCES:
		return kc_err_set(&t->err, -EACCES, "the system bus at %s refused us: %s",
				  KC_BUS_SOCKET, kc_strerror(code));
	case -EPERM:
		/* sd-bus has this code for "REJECTED" and for any text that is not of the protocol.
		 */
		return kc_err_set(
			&t->err, -EPROTO,
			"what listens at %s does not accept our authentication, or is no bus",
			KC_BUS_SOCKET);
	case -ECONNRESET:
	case -EPIPE:
	case -ENOTCONN:
		return kc_err_set(&t->err, -ECONNRESET,
				  "the system bus at %s hung up before it had said hello",
				  KC_BUS_SOCKET);
	case -ENOMEM:
		return kc_err_set(&t->err, code, "no memory for the system bus");
	default:
		return kc_err_set(&t->err, -EPROTO, "what listens at %s does not speak D-Bus: %s",
				  KC_BUS_SOCKET, kc_strerror(code));
	}
}

/*
 * Authentication and Hello, to their end. sd-bus itself would wait up to 25 s for each when the
 * first call is made, whatever that call's own deadline is.
 */
static int greet(struct talk *t)
{
	sd_bus *bus = t->state->bus;
	int r;

	for (;;) {
		r = sd_bus_is_ready(bus);
		if (r > 0)
			return 0;
		if (r >= 0)
			r = sd_bus_process(bus, NULL);
		if (r > 0)
			continue;
		if (r >= 0 && kc_now_usec() >= t->deadline)
			return late(t, t->state->late, "the system bus at " KC_BUS_SOCKET);
		if (r >= 0)
			r = sd_bus_wait(bus, time_left(t));
		if (r < 0 && r != -EINTR)
			return greeting_failed(t, r);
	}
}

static int connect_bus(struct talk *t)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	int r;

	r = open_socket(t, &fd);
	if (r < 0)
		return r;
	r = sd_bus_new(&t->state->bus);
	if (r >= 0)
		r = sd_bus_set_fd(t->state->bus, fd, fd);
	if (r >= 0) {
		(void)TAKE_FD(fd);
		r = sd_bus_set_bus_client(t->state->bus, 1);
	}
	if (r >= 0)
		r = sd_bus_start(t->state->bus);
	r = r < 0 ? greeting_failed(t, r) : greet(t);
	if (r < 0)
		disconnect(t->state);
	return r;
}

/* What the names of errors mean in the terms of our own. */
static const struct {
	const char *name;
	int code;
	const char *what;
} bus_errors[] = {
	{ SD_BUS_ERROR_ACCESS_DENIED, -EACCES, "refuses to tell us" },
	{ SD_BUS_ERROR_AUTH_FAILED, -EACCES, "refuses to tell us" },
	{ SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, -EACCES, "refuses to tell us" },
	{ "org.fedoraproject.FirewallD1.NotAuthorizedException", -EACCES, "refuses to tell us" },
	{ SD_BUS_ERROR_UNKNOWN_METHOD, -ENOTSUP, "does not know this method" },
	{ SD_BUS_ERROR_UNKNOWN_INTERFACE, -ENOTSUP, "does not know this interface" },
	{ SD_BUS_ERROR_UNKNOWN_PROPERTY, -ENOTSUP, "does not know this property" },
	{ SD_BUS_ERROR_NOT_SUPPORTED, -ENOTSUP, "does not support this" },
	{ SD_BUS_ERROR_UNKNOWN_OBJECT, -ENOENT, "has no such object" },
	{ SD_BUS_ERROR_FILE_NOT_FOUND, -ENOENT, "found no such file" },
	{ SD_BUS_ERROR_NAME_HAS_NO_OWNER, -ENOENT, "says that nobody has this name" },
	{ "org.freedesktop.systemd1.NoSuchUnit", -ENOENT, "has not loaded such a unit" },
	{ SD_BUS_ERROR_INVALID_ARGS, -EINVAL, "refuses the arguments" },
	{ SD_BUS_ERROR_LIMITS_EXCEEDED, -EPROTO, "is out of resources" },
	{ SD_BUS_ERROR_NO_REPLY, -ECONNRESET, "went away without an answer" },
	{ SD_BUS_ERROR_DISCONNECTED, -ECONNRESET, "hung up" },
};

/* A question that is being put, for its messages. */
struct call {
	const char *destination, *path, *interface, *member;
	const char *const *args; /* NULL-terminated, or NULL */
};

static int no_owner(struct talk *t, const struct call *call)
{
	if (t->service == KC_BUS_SYSTEMD)
		return kc_err_set(&t->err, -ENOTCONN,
				  "systemd is not on the bus: nobody owns %s at %s",
				  KC_SYSTEMD_NAME, KC_BUS_SOCKET);
	return kc_err_set(&t->err, -ENOENT,
			  "%s is not running: nobody owns that name on the system bus",
			  call->destination);
}

static int error_answer(struct talk *t, const struct call *call, const sd_bus_error *error)
{
	const char *text = error->message ? error->message : error->name;

	/* With auto-start forbidden, the bus daemon itself answers for a name that nobody has. */
	if (kc_streq(error->name, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	    (t->service != KC_BUS_DAEMON && kc_streq(error->name, SD_BUS_ERROR_NAME_HAS_NO_OWNER)))
		return no_owner(t, call);
	for (size_t i = 0; i < KC_ARRAY_SIZE(bus_errors); i++)
		if (kc_streq(error->name, bus_errors[i].name))
			return kc_err_set(&t->err, bus_errors[i].code, "%s (%s of %s) %s: %.300s",
					  call->destination, call->member, call->path,
					  bus_errors[i].what, text);
	return kc_err_set(&t->err, -EBADMSG, "%s (%s of %s) answered with the error %.100s: %.300s",
			  call->destination, call->member, call->path, error->name, text);
}

/* `code` of sd_bus_call(), which fills `error` from it when no answer did. */
static int call_failed(struct talk *t, const struct call *call, int code, const sd_bus_error *error)
{
	if (code == -ETIMEDOUT && (!error->name || kc_streq(error->name, SD_BUS_ERROR_TIMEOUT)))
		return late(t, t->state->service_late[t->service], call->destination);
	if (sd_bus_is_open(t->state->bus) <= 0)
		return kc_err_set(&t->err, -ECONNRESET,
				  "the system bus hung up when %s was asked for %s",
				  call->destination, call->member);
	if (sd_bus_error_is_set(error))
		return error_answer(t, call, error);
	return kc_err_set(&t->err, code, "%s cannot be asked for %s: %s", call->destination,
			  call->member, kc_strerror(code));
}

static int put(struct talk *t, const struct call *call, sd_bus_message **ret_reply)
{
	kc_cleanup(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	kc_cleanup(message_unref) sd_bus_message *m = NULL;
	int r;

	r = sd_bus_message_new_method_call(t->state->bus, &m, call->destination, call->path,
					   call->interface, call->member);
	if (r >= 0)
		r = sd_bus_message_set_auto_start(m, 0);
	KC_FOREACH_STR (arg, call->args)
		if (r >= 0)
			r = sd_bus_message_append_basic(m, 's', arg);
	if (r >= 0)
		r = sd_bus_call(t->state->bus, m, time_left(t), &error, ret_reply);
	return r < 0 ? call_failed(t, call, r, &error) : 0;
}

static int put_property(struct talk *t, const char *destination, const char *path,
			const char *interface, const char *name, sd_bus_message **ret_reply)
{
	const char *const args[] = { interface, name, NULL };
	const struct call call = { destination, path, "org.freedesktop.DBus.Properties", "Get",
				   args };
	int r = put(t, &call, ret_reply);

	/* Services written with GLib and Python say so for a property that they do not have. */
	if (r == -EINVAL)
		r = -ENOTSUP;
	if (r < 0 && r != -ETIMEDOUT && r != -ENOTCONN)
		(void)kc_err_prefix(&t->err, "property %s.%s", interface, name);
	t->err.code = r;
	return r;
}

static int bad_answer(struct talk *t, const char *what)
{
	return kc_err_set(&t->err, -EBADMSG, "%s was answered with other types than are read here",
			  what);
}

/* Where systemd has a loaded unit's object. The path lives as long as the reply. */
static int get_unit(struct talk *t, const char *name, sd_bus_message **ret_reply,
		    const char **ret_path)
{
	const char *const args[] = { name, NULL };
	const struct call call = { KC_SYSTEMD_NAME, KC_SYSTEMD_PATH, KC_SYSTEMD_MANAGER, "GetUnit",
				   args };
	int r = put(t, &call, ret_reply);

	if (r < 0)
		return r;
	return sd_bus_message_read_basic(*ret_reply, 'o', ret_path) <= 0 ? bad_answer(t, "GetUnit")
									 : 0;
}

/* Systemd loads a unit whose object is spoken to: so it is asked first whether it has. */
static int check_loaded(struct talk *t, const char *path)
{
	kc_cleanup(message_unref) sd_bus_message *reply = NULL;
	char name[KC_UNIT_NAME_SIZE];
	const char *loaded;
	int r;

	r = kc_unit_name_of_path(path, name);
	if (r < 0)
		return kc_err_set(&t->err, r, "%.300s is not the path of a unit", path);
	return r == 0 ? 0 : get_unit(t, name, &reply, &loaded);
}

static int ask_member(struct talk *t, const struct kc_question *question, struct kc_arena *arena,
		      struct kc_answer *answer)
{
	kc_cleanup(message_unref) sd_bus_message *reply = NULL;
	const char *const *s = question->strings.item;
	const struct call call = { s[0], s[1], s[2], s[3], s + 4 };
	int r;

	r = check_loaded(t, s[1]);
	if (r < 0)
		return r;
	r = question->number ? put_property(t, s[0], s[1], s[2], s[3], &reply)
			     : put(t, &call, &reply);
	if (r < 0)
		return r;
	r = kc_bus_read_reply(reply, arena, answer);
	return r == -EBADMSG ? bad_answer(t, s[3])
	       : r < 0	     ? kc_err_set(&t->err, r, "%s: %s", s[3], kc_strerror(r))
			     : 0;
}

/* What a unit is told of, in the order of the answer. */
static const char *const unit_properties[] = {
	"LoadState",	"ActiveState",	    "SubState", "UnitFileState",
	"FragmentPath", "NeedDaemonReload", NULL,
};

static int unit_properties_of(struct talk *t, const char *name, const char *path,
			      struct kc_arena *arena, struct kc_answer *answer)
{
	kc_cleanup(message_unref) sd_bus_message *reply = NULL;
	const char *const args[] = { KC_SYSTEMD_UNIT, NULL };
	const struct call call = { KC_SYSTEMD_NAME, path, "org.freedesktop.DBus.Properties",
				   "GetAll", args };
	const char *values[KC_ARRAY_SIZE(unit_properties)] = { NULL };
	int r;

	r = put(t, &call, &reply);
	if (r < 0)
		return r;
	r = kc_bus_read_properties(reply, unit_properties, arena, values);
	/* The two that every systemd has: without them the answer is of something else. */
	if (r < 0 || !values[0] || !values[1])
		return r == -ENOMEM ? kc_err_set(&t->err, r, "no memory for the state of %s", name)
				    : bad_answer(t, name);
	for (size_t i = 0; unit_properties[i]; i++) {
		if (!values[i])
			continue;
		kc_answer_adds(answer, arena, unit_properties[i]);
		kc_answer_adds(answer, arena, values[i]);
	}
	return 0;
}

/* A property of the unit's own type; one that it does not have is left out. */
static int add_type_property(struct talk *t, const char *path, const char *interface,
			     const char *name, struct kc_arena *arena, struct kc_answer *answer)
{
	kc_cleanup(message_unref) sd_bus_message *reply = NULL;
	struct kc_answer value = { 0 };
	int r;

	r = put_property(t, KC_SYSTEMD_NAME, path, interface, name, &reply);
	if (r == -ENOTSUP)
		return 0;
	if (r < 0)
		return r;
	r = kc_bus_read_reply(reply, arena, &value);
	if (r < 0 || value.n_items != 1)
		return bad_answer(t, name);
	kc_answer_adds(answer, arena, name);
	kc_answer_adds(answer, arena, value.items[0].data);
	return 0;
}

/* Systemd has not loaded it: its files are all there is to say, and no reason to load it. */
static int ask_unit_file(struct talk *t, const char *name, struct kc_arena *arena,
			 struct kc_answer *answer)
{
	kc_cleanup(message_unref) sd_bus_message *reply = NULL;
	const char *const args[] = { name, NULL };
	const struct call call = { KC_SYSTEMD_NAME, KC_SYSTEMD_PATH, KC_SYSTEMD_MANAGER,
				   "GetUnitFileState", args };
	const char *state = "";
	int r;

	r = put(t, &call, &reply);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r >= 0 && sd_bus_message_read_basic(reply, 's', &state) <= 0)
		return bad_answer(t, "GetUnitFileState");
	kc_answer_adds(answer, arena, "LoadState");
	kc_answer_adds(answer, arena, r < 0 ? "not-found" : "not-loaded");
	kc_answer_adds(answer, arena, "ActiveState");
	kc_answer_adds(answer, arena, "inactive");
	kc_answer_adds(answer, arena, "SubState");
	kc_answer_adds(answer, arena, "dead");
	kc_answer_adds(answer, arena, "UnitFileState");
	kc_answer_adds(answer, arena, state);
	return 0;
}

static int ask_unit(struct talk *t, const char *name, struct kc_arena *arena,
		    struct kc_answer *answer)
{
	kc_cleanup(message_unref) sd_bus_message *reply = NULL;
	const char *path, *interface;
	int r;

	if (kc_unit_name_check(name) == KC_UNIT_NAME_TEMPLATE)
		return ask_unit_file(t, name, arena, answer);
	r = get_unit(t, name, &reply, &path);
	if (r >= 0)
		r = unit_properties_of(t, name, path, arena, answer);
	/* Not loaded, or unloaded between the two questions. */
	if (r == -ENOENT)
		return ask_unit_file(t, name, arena, answer);
	interface = kc_unit_result_interface(name);
	if (r < 0 || !interface)
		return r;
	r = add_type_property(t, path, interface, "Result", arena, answer);
	if (r >= 0 && kc_endswith(name, ".service"))
		r = add_type_property(t, path, interface, "MainPID", arena, answer);
	return r;
}

static int ask(struct talk *t, const struct kc_question *question, struct kc_arena *arena,
	       struct kc_answer *answer)
{
	if (question->kind == KC_ASK_UNIT)
		return ask_unit(t, question->strings.item[0], arena, answer);
	return ask_member(t, question, arena, answer);
}

/* A connection that was kept may have died since, with its daemon: that is no answer yet. */
static int ask_connected(struct talk *t, const struct kc_question *question, struct kc_arena *arena,
			 struct kc_answer *answer)
{
	bool kept = t->state->bus;
	int r = kept ? 0 : connect_bus(t);

	if (r >= 0)
		r = ask(t, question, arena, answer);
	if (r < 0 && t->state->bus && sd_bus_is_open(t->state->bus) <= 0) {
		disconnect(t->state);
		if (kept) {
			*answer = (struct kc_answer){ 0 };
			return ask_connected(t, question, arena, answer);
		}
	}
	return r;
}

static int remembered(struct talk *t)
{
	const char *why = t->state->late[0] ? t->state->late : t->state->service_late[t->service];

	return why[0] ? kc_err_set(&t->err, -ETIMEDOUT, "%s", why) : 0;
}

void kc_door_bus(const struct kc_door_host *host, void **state, const struct kc_question *question,
		 struct kc_arena *arena, struct kc_answer *ret_answer)
{
	struct talk t = {
		.root = host->root,
		.started = kc_now_usec(),
		.timeout_usec = question->timeout_usec,
	};
	int r;

	t.deadline = t.started + t.timeout_usec;
	*ret_answer = (struct kc_answer){ 0 };
	if (!*state)
		*state = calloc(1, sizeof(struct bus_state));
	t.state = *state;
	r = t.state ? kc_bus_check(t.root, question, &t.err, &t.service)
		    : kc_err_set(&t.err, -ENOMEM, "no memory for the bus");
	if (r >= 0)
		r = remembered(&t);
	if (r >= 0)
		r = ask_connected(&t, question, arena, ret_answer);
	if (r < 0) {
		t.err.code = r;
		kc_answer_err(ret_answer, arena, &t.err);
	}
}

void kc_bus_state_free(void *state)
{
	if (state)
		disconnect(state);
	free(state);
}
