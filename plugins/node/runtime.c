/* SPDX-License-Identifier: Apache-2.0 */
#include "node.h"

enum {
	ANSWER_USEC = 1000 * 1000,
	VERSION_FILE_MAX = 4096
};

/* In the order in which they are looked for. */
struct runtime {
	const char *name, *socket;
	const char *const *programs, *const *packages;
	const char *const *version_files; /* written by the daemon, or NULL */
};

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const struct runtime runtimes[] = {
	{
		.name = "cri-o",
		.socket = "/var/run/crio/crio.sock",
		.programs = WORDS("/usr/bin/crio", "/usr/local/bin/crio"),
		.packages = WORDS("cri-o"),
		.version_files = WORDS("/var/run/crio/version", "/var/lib/crio/version"),
	},
	{
		.name = "containerd",
		.socket = "/run/containerd/containerd.sock",
		.programs = WORDS("/usr/bin/containerd", "/usr/local/bin/containerd"),
		.packages = WORDS("containerd", "containerd.io"),
	},
	{
		.name = "docker",
		.socket = "/var/run/cri-dockerd.sock",
		.programs = WORDS("/usr/bin/dockerd", "/usr/local/bin/dockerd"),
		.packages = WORDS("docker-ce", "docker.io", "moby-engine", "docker"),
	},
};

static const char *pair(const struct kc_pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (kc_streq(pairs->item[i].key, key) && pairs->item[i].value[0])
			return pairs->item[i].value;
	return NULL;
}

static const char *endpoint_of(struct node *n, const struct runtime *runtime)
{
	return node_text(n, "unix://%s", runtime->socket);
}

static void set_answer(struct node *n, const struct runtime *runtime, const struct kc_pairs *answer)
{
	const char *endpoint = endpoint_of(n, runtime);
	const char *source = node_text(n, "Version at %s", endpoint);
	const char *name = pair(answer, "runtime_name"), *version = pair(answer, "runtime_version");

	node_known(n, "runtime.endpoint", endpoint, source);
	node_known(n, "runtime.name", name ? name : runtime->name,
		   name ? source : node_text(n, "the socket %s", runtime->socket));
	if (version)
		node_known(n, "runtime.version", version + (*version == 'v'), source);
	else
		node_unknown(n, "runtime.version", node_text(n, "%s says none", source));
}

static bool is_socket(struct node *n, const char *path)
{
	struct kc_stat st = { .size_of = sizeof(st) };

	return kc_stat(n->host, n->run, path, 0, &st) >= 0 && st.type == KC_FILE_SOCKET;
}

/*
 * Asks the sockets that are there. True when one answered. A socket that was left behind by a
 * daemon that is gone says nothing about what runs; one that fails otherwise is the runtime's, in
 * *ret_failed.
 */
static bool ask_sockets(struct node *n, const struct runtime **ret_failed, const char **ret_why)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(runtimes); i++) {
		struct kc_pairs answer;
		int r;

		if (!is_socket(n, runtimes[i].socket))
			continue;
		r = kc_runtime(n->host, n->run, endpoint_of(n, &runtimes[i]), KC_RUNTIME_VERSION,
			       ANSWER_USEC, &answer);
		if (r >= 0) {
			set_answer(n, &runtimes[i], &answer);
			return true;
		}
		*ret_why = node_why(n);
		if (r != -ECONNREFUSED) {
			*ret_failed = &runtimes[i];
			return false;
		}
	}
	return false;
}

/* CRI-O writes its version, in quotes, when it starts. */
static bool read_version_file(struct node *n, const struct runtime *runtime,
			      struct node_value *ret_value)
{
	KC_FOREACH_STR (file, runtime->version_files) {
		struct kc_bytes text;
		const char *version;

		if (kc_read_file(n->host, n->run, file, VERSION_FILE_MAX, &text) < 0)
			continue;
		version = node_find_version(n, text.data);
		if (version) {
			*ret_value = (struct node_value){ KC_FACT_KNOWN, version, file };
			return true;
		}
	}
	return false;
}

static void set_installed(struct node *n, const struct runtime *runtime, const char *path)
{
	const struct node_program program = { path, runtime->packages, "--version", NULL };
	struct node_value value = { 0 };

	node_known(n, "runtime.name", runtime->name, path);
	if (!read_version_file(n, runtime, &value))
		value = node_program_version(n, &program);
	node_set(n, "runtime.version", &value);
}

/* What is installed, where nobody answered. True when there is something. */
static bool find_installed(struct node *n, const struct runtime *only, const char **ret_unseen)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(runtimes); i++) {
		const char *path;
		int r;

		if (only && only != &runtimes[i])
			continue;
		r = node_first_of(n, runtimes[i].programs, &path);
		if (r > 0) {
			set_installed(n, &runtimes[i], path);
			return true;
		}
		if (r < 0)
			*ret_unseen = node_why(n);
	}
	return false;
}

static void set_endpoint(struct node *n, const char *why)
{
	if (!n->live)
		node_unknown(n, "runtime.endpoint", "sockets are there on a running system alone");
	else if (why)
		node_unknown(n, "runtime.endpoint", why);
	else
		node_absent(n, "runtime.endpoint",
			    "no socket of CRI-O, containerd or cri-dockerd at its usual place");
}

void node_gather_runtime(struct node *n)
{
	static const char none[] =
		"no program and no socket of CRI-O, containerd or docker at its usual place";
	const struct runtime *failed = NULL;
	const char *why = NULL, *unseen = NULL;

	if (n->live && ask_sockets(n, &failed, &why))
		return;
	set_endpoint(n, why);
	if (find_installed(n, failed, &unseen))
		return;
	if (failed) {
		node_known(n, "runtime.name", failed->name,
			   node_text(n, "the socket %s", failed->socket));
		node_unknown(n, "runtime.version", why);
	} else if (unseen || why) {
		node_unknown(n, "runtime.name", unseen ? unseen : why);
		node_unknown(n, "runtime.version", unseen ? unseen : why);
	} else {
		node_absent(n, "runtime.name", none);
		node_absent(n, "runtime.version", none);
	}
}
