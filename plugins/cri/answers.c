/* SPDX-License-Identifier: Apache-2.0 */
#include "cri-descriptor.h"
#include "cri.h"

/* What kc_runtime() takes a time-out of 0 for, too. */
enum {
	TIMEOUT_DEFAULT = 1000000
};

static const char *kind_name(uint32_t type)
{
	static const char *const names[] = {
		[KC_FILE_REGULAR] = "a regular file",  [KC_FILE_DIRECTORY] = "a folder",
		[KC_FILE_SYMLINK] = "a symbolic link", [KC_FILE_FIFO] = "a FIFO",
		[KC_FILE_CHAR_DEVICE] = "a device",    [KC_FILE_BLOCK_DEVICE] = "a device",
	};

	return type < KC_ARRAY_SIZE(names) && names[type] ? names[type] : "something else";
}

/* The socket file. *ret_good: it is one, and there is somebody to ask. */
static int judge_socket(const struct cri_check *c, bool *ret_good)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	const char *found;
	int r;

	*ret_good = false;
	r = kc_stat(c->host, c->run, c->path, 0, &st);
	if (r == -ENOENT)
		return kc_report(c->host, c->run, KC_NOW, KC_FAIL, "socket", "a socket", "nothing",
				 c->path,
				 "No container runtime has made this socket. Start the runtime, or "
				 "correct the end point: kubelet and runtime must name the same.");
	if (r < 0)
		return kc_report_error(c->host, c->run, KC_NOW, "socket", c->path);
	if (st.type != KC_FILE_SOCKET)
		return kc_report(
			c->host, c->run, KC_NOW, KC_FAIL, "socket", "a socket", kind_name(st.type),
			c->path,
			"Move it aside and restart the runtime, which makes its socket anew.");
	*ret_good = true;
	found = kc_text(c->host, c->run, "a socket, mode %04o, owner %u:%u", (unsigned)st.mode,
			(unsigned)st.uid, (unsigned)st.gid);
	return kc_report(c->host, c->run, KC_NOW, KC_PASS, "socket", "a socket", found, c->path,
			 NULL);
}

/* "1.18" is 1.18 and 1.18.4, not 1.180; a "v" in front says nothing. */
static bool has_version(const char *found, const char *wanted)
{
	const char *rest;

	found += *found == 'v';
	wanted += *wanted == 'v';
	rest = kc_after_prefix(found, wanted);
	return rest && !(*rest >= '0' && *rest <= '9');
}

static int judge_version(const struct cri_check *c, const char **ret_name)
{
	const char *name, *version, *wanted_name = NULL, *wanted_version = NULL;
	const char *expected, *found;
	struct kc_pairs answer;
	uint64_t left;
	bool good;
	int r;

	r = kc_param_string(c->host, c->run, "runtime", &wanted_name);
	if (r < 0 && r != -ENOENT)
		return r;
	r = kc_param_string(c->host, c->run, "version", &wanted_version);
	if (r < 0 && r != -ENOENT)
		return r;
	left = kc_time_left(c->host, c->run);
	r = kc_runtime(c->host, c->run, c->endpoint, KC_RUNTIME_VERSION, c->timeout, &answer);
	if (r < 0)
		return cri_report_failure(c, r, left, "Version", c->endpoint);
	name = cri_value(&answer, "runtime_name");
	version = cri_value(&answer, "runtime_version");
	if (!name || !version)
		return kc_report(c->host, c->run, KC_NOW, KC_ERROR, "Version", NULL, NULL,
				 c->endpoint, "The answer has neither name nor version.");
	*ret_name = name;
	good = (!wanted_name || kc_streq(name, wanted_name)) &&
	       (!wanted_version || has_version(version, wanted_version));
	if (wanted_name || wanted_version)
		expected =
			kc_text(c->host, c->run, "%s %s", wanted_name ? wanted_name : "any runtime",
				wanted_version ? wanted_version : "of any version");
	else
		expected = kc_text(c->host, c->run, "an answer within %s",
				   cri_duration(c, c->timeout));
	found = kc_text(c->host, c->run, "%s %s (CRI %s)", name, version,
			cri_value(&answer, "api") ? cri_value(&answer, "api") : "unknown");
	return kc_report(c->host, c->run, KC_NOW, good ? KC_PASS : KC_FAIL, "Version", expected,
			 found, c->endpoint,
			 good ? NULL : "Another runtime, or another version of it, answers there.");
}

static const char *detail(const struct cri_check *c, const struct kc_pairs *answer,
			  const char *condition, const char *what)
{
	const char *value = cri_value(answer, kc_text(c->host, c->run, "%s.%s", condition, what));

	return value ? value : "";
}

/* One condition of Status; `required` when the rule says that it must be true. */
static int judge_condition(const struct cri_check *c, const struct kc_pairs *answer,
			   const char *condition, bool required)
{
	const char *value = cri_value(answer, condition);
	const char *reason = detail(c, answer, condition, "reason");
	const char *message = detail(c, answer, condition, "message");
	const char *found;
	bool good;

	if (!value)
		return kc_report(c->host, c->run, KC_NOW, KC_ERROR, condition, "true", NULL,
				 c->endpoint, "The runtime does not report this condition.");
	good = kc_streq(value, "true");
	found = *reason ? kc_text(c->host, c->run, "%s (%s)", value, reason) : value;
	if (!required && !*message)
		message = "The rule does not ask for this condition.";
	else if (!required)
		message = kc_text(c->host, c->run, "%s%s The rule does not ask for this condition.",
				  message, strchr(".!?", message[strlen(message) - 1]) ? "" : ".");
	return kc_report(c->host, c->run, KC_NOW, good || !required ? KC_PASS : KC_FAIL, condition,
			 required ? "true" : NULL, found, c->endpoint, *message ? message : NULL);
}

/* Names of conditions are those keys whose ".reason" is there, too. */
static bool is_condition(const struct kc_pairs *answer, const char *key, const struct cri_check *c)
{
	return cri_value(answer, kc_text(c->host, c->run, "%s.reason", key)) != NULL;
}

/* *ret_answered: there was an answer, whatever it says. */
static int judge_status(const struct cri_check *c, bool *ret_answered)
{
	struct kc_strings wanted = { 0 };
	struct kc_pairs answer;
	uint64_t left;
	int r;

	*ret_answered = false;
	r = kc_param_list(c->host, c->run, "conditions", &wanted);
	if (r < 0 && r != -ENOENT)
		return r;
	left = kc_time_left(c->host, c->run);
	r = kc_runtime(c->host, c->run, c->endpoint, KC_RUNTIME_STATUS, c->timeout, &answer);
	if (r < 0)
		return cri_report_failure(c, r, left, "Status", c->endpoint);
	*ret_answered = true;
	for (size_t i = 0; i < wanted.n; i++) {
		r = judge_condition(c, &answer, wanted.item[i], true);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < answer.n; i++) {
		const char *key = answer.item[i].key;

		if (!is_condition(&answer, key, c) || kc_strv_has(wanted.item, key))
			continue;
		r = judge_condition(c, &answer, key, false);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Evidence only: the kubelet does without it, so nothing here can fail. */
static int show_info(const struct cri_check *c)
{
	static const char *const keys[] = { "cgroup_driver", "storage_driver", "storage_root",
					    NULL };
	const char *source = kc_text(c->host, c->run, "%s GET /info", c->endpoint), *found = "";
	struct kc_pairs answer;
	int r;

	r = kc_runtime(c->host, c->run, c->endpoint, KC_RUNTIME_INFO, c->timeout, &answer);
	if (r < 0)
		return kc_report(c->host, c->run, KC_NOW, KC_PASS, "/info", NULL, "no answer",
				 source,
				 kc_text(c->host, c->run, "%s. The kubelet does not need it.",
					 kc_why(c->host, c->run)));
	KC_FOREACH_STR (key, keys) {
		const char *value = cri_value(&answer, key);

		if (value)
			found = kc_text(c->host, c->run, "%s%s%s %s", found, *found ? ", " : "",
					key, value);
	}
	return kc_report(c->host, c->run, KC_NOW, KC_PASS, "/info", NULL, *found ? found : "{}",
			 source, NULL);
}

/* The path in unix://PATH, unix:PATH or PATH; NULL for everything else. */
static const char *endpoint_path(const char *endpoint)
{
	const char *path = kc_after_prefix(endpoint, "unix://");

	if (!path)
		path = kc_after_prefix(endpoint, "unix:");
	if (!path)
		path = endpoint;
	return path[0] == '/' ? path : NULL;
}

int cri_answers_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	struct cri_check c = { .host = host, .run = run };
	const char *name = NULL;
	int64_t timeout = 0;
	bool good;
	int r;

	if (!(kc_horizons(host, run) & KC_NOW))
		return 0;
	r = kc_param_string(host, run, "endpoint", &c.endpoint);
	if (r == 0)
		r = kc_param_number(host, run, "timeout", &timeout);
	if (r < 0)
		return r;
	c.timeout = timeout > 0 ? (uint64_t)timeout : TIMEOUT_DEFAULT;
	c.path = endpoint_path(c.endpoint);
	if (!c.path)
		return kc_report(
			host, run, KC_NOW, KC_ERROR, "socket", "a unix socket", c.endpoint, NULL,
			"Only unix sockets can be asked: give the end point as unix://PATH.");
	r = judge_socket(&c, &good);
	if (r < 0 || !good)
		return r;
	r = judge_version(&c, &name);
	if (r < 0 || !name)
		return r;
	r = judge_status(&c, &good);
	if (r == 0 && good && kc_streq(name, "cri-o"))
		r = show_info(&c);
	return r;
}
