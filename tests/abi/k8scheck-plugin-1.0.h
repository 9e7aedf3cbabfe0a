/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * k8scheck-plugin.h as it was when ABI 1.0 was frozen: plugins were built with it, and a test
 * builds one still. It changes only with the major, and then a copy of the new one stands beside
 * it.
 *
 * A plugin is a shared object NAME.so with its manifest NAME.yaml beside it. It exports one
 * constant, `kc_plugin`, and nothing else; it links against nothing of k8scheck. It is loaded in a
 * worker process, which runs its checks one after another, single-threaded.
 *
 * A plugin reaches the machine only through `struct kc_host`. It changes nothing, prints nothing,
 * never exits, and keeps no mutable globals: what it wants to keep between rules lives in its
 * state.
 *
 * Versions. `abi_major` must be equal. A new member at the end of a structure raises `abi_minor`;
 * every structure begins with its size, a reader copies the smaller of the two sizes and takes what
 * is not there as zero. What stands in 1.0 keeps its place and meaning for as long as the major
 * is 1.
 *
 * Ownership. Strings and bytes that the host hands out live until `run` (or `plan`, `open`,
 * `gather`) returns, and are never freed by the plugin; what the plugin hands in is copied before
 * the call returns. Descriptors handed out belong to the plugin, which closes them.
 *
 * Errors. Functions return 0 or a negative errno, and write their `ret_` parameters only on
 * success. After a failure kc_why() has a sentence about it that fits into a finding. What the
 * values mean, for all services alike:
 *
 *   -ENOENT      it is not there (no such file, unit, name; no socket at the end point)
 *   -EACCES      this process may not see it, so nothing can be said about it
 *   -EPERM       the rules of the sandbox or of the broker forbid the question
 *   -EOPNOTSUPP  it belongs to a running system and only an offline root is looked at
 *   -ENOSYS      this host of the contract does not have the service
 *   -ENOTSUP     the other side does not know the question; on Linux the number of -EOPNOTSUPP,
 *                so that kc_is_live() tells the two apart
 *   -ETIMEDOUT   nobody answered within the deadline
 *   -ECONNREFUSED  a socket is there and nobody listens behind it
 *   -ENOTSOCK, -EISDIR, -ELOOP, -EFBIG  what is there is of the wrong kind, or too large
 *   -ECONNRESET  the other side went away in the middle of its answer
 *   -EPROTO      the other side speaks another protocol, or rubbish
 *   -EBADMSG     the answer is complete but cannot be understood
 *   -EAGAIN      the other side says that it is not available yet, or has no room
 *   -EREMOTEIO   the other side answers that it failed; kc_why() has its words
 *   -ENOTCONN    there is no bus, so nobody can be asked
 *   -EIO         the question was lost on k8scheck's own side: nothing can be said about the host
 *   -ENOMEM      memory (of the process, or of the rule's bound) is short
 */

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KC_PLUGIN_MAGIC 0x6b386373u /* "k8cs" */
#define KC_ABI_MAJOR	1
#define KC_ABI_MINOR	0

/* When something is judged: in the running system, or in what the next start will make of it. */
enum {
	KC_NOW = 1u << 0,
	KC_BOOT = 1u << 1,
};

/* What a finding says. The verdict of a judgement is the worst of its findings. */
enum kc_verdict {
	KC_PASS = 1,
	KC_SKIP = 2, /* does not apply here; needs a reason that the manifest lists */
	KC_MANUAL = 3, /* a person must judge */
	KC_ERROR = 4, /* could not be decided */
	KC_FAIL = 5,
};

/* Types of parameters and facts. */
enum kc_type {
	KC_TYPE_STRING = 1,
	KC_TYPE_INTEGER = 2, /* int64_t */
	KC_TYPE_BOOLEAN = 3,
	KC_TYPE_DURATION = 4, /* int64_t, microseconds; written 2s, 500ms, 1m30s */
	KC_TYPE_SIZE = 5, /* int64_t, bytes; written 4Gi, 15G, 512M */
	KC_TYPE_CHOICE = 6, /* a string out of `choices` */
	KC_TYPE_LIST = 7, /* strings */
	KC_TYPE_MAP = 8, /* string to string, in the order of the profile */
};

/* struct kc_check.flags */
enum {
	KC_CHECK_NOW = 1u << 0, /* judges the running system */
	KC_CHECK_BOOT = 1u << 1, /* judges the next start; works on an offline root */
	KC_CHECK_PLANS = 1u << 2, /* has `plan` */
	/* runs a program that the profile names: trusted profiles only */
	KC_CHECK_RUNS_PROGRAM = 1u << 3,
	/* runs programs that the plugin itself names (rpm), whoever wrote the profile */
	KC_CHECK_RUNS_OWN_PROGRAM = 1u << 4,
};

struct kc_host;
struct kc_run; /* one run of one check for one rule; opaque */

/* ---- what a plugin describes ---- */

/* A parameter as the manifest declares it. The host has validated every value before `run`. */
struct kc_param {
	uint32_t size;
	uint32_t type; /* enum kc_type */
	const char *name;
	const char *fallback; /* the default as it would be written, NULL when there is none */
	const char *const *choices; /* NULL-terminated, for KC_TYPE_CHOICE; else NULL */
	uint32_t required; /* not 0: a rule must give it */
	uint32_t reserved;
};

struct kc_check {
	uint32_t size;
	uint32_t flags;
	const char *id; /* "plugin.check" */
	const struct kc_param *const *params;
	uint32_t n_params;
	uint32_t n_reasons;
	const char *const *reasons; /* ids of reasons to skip, as the manifest lists them */

	/*
	 * Judges one rule, at the horizons of kc_horizons(), by reporting findings: at least one
	 * for each of them, else the judgement is `error`. Returns 0 when it did its work, whatever
	 * the verdicts; a negative errno when it could not, which makes every judgement without
	 * finding an `error`.
	 */
	int (*run)(void *state, const struct kc_host *host, struct kc_run *run);

	/*
	 * Describes by kc_step() what would turn the rule's failures into passes. Called for rules
	 * that failed; changes nothing. NULL without KC_CHECK_PLANS.
	 */
	int (*plan)(void *state, const struct kc_host *host, struct kc_run *run);
};

/* A fact that the plugin gathers once, before the rules. */
struct kc_fact_source {
	uint32_t size;
	uint32_t n_names;
	const char *const *names; /* "os.id", "kubelet.version", …: those that gather() may set */
	int (*gather)(void *state, const struct kc_host *host, struct kc_run *run);
};

struct kc_plugin {
	uint32_t magic;
	uint16_t abi_major, abi_minor;
	uint32_t size;
	uint32_t n_checks;
	uint32_t n_facts;
	uint32_t reserved;
	const char *name; /* as the file is called, without .so */
	const char *version; /* for reports */
	const struct kc_check *const *checks;
	const struct kc_fact_source *const *facts;

	/*
	 * Both may be NULL. `open` runs once in a worker, before its first rule. `close` undoes it
	 * for hosts that go on afterwards, as tests do; a worker ends with its process instead.
	 */
	int (*open)(const struct kc_host *host, struct kc_run *run, void **ret_state);
	void (*close)(void *state);
};

/* ---- what goes between the two ---- */

/* Bytes, always followed by a NUL that `size` does not count. */
struct kc_bytes {
	const char *data;
	size_t size;
};

struct kc_strings {
	size_t n;
	const char *const *item; /* followed by a NULL */
};

struct kc_pair {
	const char *key, *value;
};

struct kc_pairs {
	size_t n;
	const struct kc_pair *item;
};

enum kc_file_type {
	KC_FILE_REGULAR = 1,
	KC_FILE_DIRECTORY = 2,
	KC_FILE_SYMLINK = 3,
	KC_FILE_SOCKET = 4,
	KC_FILE_FIFO = 5,
	KC_FILE_CHAR_DEVICE = 6,
	KC_FILE_BLOCK_DEVICE = 7,
};

struct kc_stat {
	uint32_t size_of; /* set by the caller to sizeof(struct kc_stat) */
	uint32_t type; /* enum kc_file_type */
	uint32_t mode; /* permission bits, 07777 */
	uint32_t uid, gid;
	uint32_t nlink;
	uint64_t size;
	uint64_t device, inode;
	int64_t mtime_usec;
};

/* Flags of stat and open_file. */
enum {
	KC_NOFOLLOW = 1u << 0, /* do not follow a link in the last component */
};

/* Figures of the file system behind a path, as statfs(2) has them. */
struct kc_filesystem {
	uint32_t size_of; /* set by the caller */
	uint32_t flags;
	uint64_t type; /* magic */
	uint64_t bytes, bytes_free, bytes_available;
	uint64_t inodes, inodes_free;
};

/*
 * Something that was judged. `expected`, `found` and `source` are the evidence: what the rule asks,
 * what the host has, and where (FILE:LINE, a kernel object, a bus property, an end point). Texts
 * are of any bytes; the host masks secrets and escapes them. NULL where there is none.
 */
struct kc_finding {
	uint32_t size;
	uint32_t verdict; /* enum kc_verdict */
	uint32_t horizon; /* KC_NOW or KC_BOOT, one of them */
	uint32_t reserved;
	const char *subject; /* which of several: a key, a unit, a path */
	const char *expected;
	const char *found;
	const char *source;
	const char *message; /* a sentence, where the three above do not say it all */
	const char *reason; /* with KC_SKIP: id of one of the check's reasons */
};

/*
 * Steps of a repair: a closed set. A step says what shall be; the fixer finds out whether it is so
 * already, keeps what was, and knows the inverse. It takes a target only if the check's `touches`
 * names it, and a table of its own allows it (k8scheck-plugin(7), REPAIRS): files are written below
 * /etc, /usr/local/etc and /var/lib alone.
 *
 * Steps are carried out files first, then modules, then what the kernel and firewalld have, then
 * units; within that in the order of the plan.
 */
enum kc_step_kind {
	KC_STEP_MAKE_DIR = 1, /* target; mode, uid, gid. One that is there is left as it is */
	KC_STEP_WRITE_FILE = 2, /* target, content: the whole new file; mode, uid, gid when new */
	KC_STEP_EDIT_FILE = 3, /* target, content: its new text, as computed from `before` */
	KC_STEP_MOVE_ASIDE = 4, /* target: a file that daemons shall no longer read; it is kept */
	KC_STEP_REMOVE_FILE = 5, /* target: a file or link; it is kept as long as the journal is */
	KC_STEP_SET_MODE = 6, /* target: a file or folder; mode, uid, gid */
	KC_STEP_SYSCTL = 7, /* target: key; content: value */
	KC_STEP_LOAD_MODULE = 8, /* target: module. Has no inverse */
	KC_STEP_SWAP_OFF = 9, /* target: device or file as /proc/swaps names it */
	/* content: "permissive" or "enforcing", of the running system; touches names
	 * /sys/fs/selinux/enforce */
	KC_STEP_SELINUX_MODE = 10,
	KC_STEP_UNIT_ENABLE = 11, /* target: unit. By the links that its [Install] section names */
	KC_STEP_UNIT_DISABLE = 12, /* target: unit. By taking its links away */
	KC_STEP_UNIT_MASK = 13, /* target: unit. By a link to /dev/null below /etc */
	KC_STEP_UNIT_START = 14, /* target: unit */
	KC_STEP_UNIT_STOP = 15, /* target: unit */
	KC_STEP_UNIT_RESTART = 16, /* target: unit. Has no inverse */
	KC_STEP_SYSTEMD_RELOAD =
		17, /* Has no inverse; behind a change of links it comes by itself */
	/* target: firewalld.service; content: default zone, now and permanent. Touches names both
	 */
	KC_STEP_FIREWALLD_ZONE = 18,
	/* target: zone; content: PORT/PROTOCOL, now and permanent. Touches names both */
	KC_STEP_FIREWALLD_PORT = 19,
	KC_STEP_MANUAL = 20, /* content: commands for a person; nothing is carried out */
};

enum {
	KC_STEP_WEAKENS = 1u << 0, /* lowers the protection of the host: asked for apart */
	KC_STEP_DISTURBS = 1u << 1, /* touches what runs: needs a drained node */
	KC_STEP_NEEDS_REBOOT = 1u << 2, /* is complete only after a reboot */
	/* mode, uid and gid below are not to be set; a new file is root's, mode 0644 */
	KC_STEP_KEEP_OWNER = 1u << 3,
};

struct kc_step {
	uint32_t size;
	uint32_t kind; /* enum kc_step_kind */
	uint32_t flags;
	uint32_t horizon; /* KC_NOW or KC_BOOT: which judgement it mends */
	uint32_t mode, uid, gid;
	uint32_t reserved;
	const char *target;
	const void *content;
	uint64_t content_size;
	const void *before; /* KC_STEP_EDIT_FILE: the bytes the plan was computed from */
	uint64_t before_size;
	const char *why; /* a sentence for the plan that is shown */
};

/* A question to the bus: read-only members of known interfaces; nothing is ever started by it. */
struct kc_bus_question {
	uint32_t size;
	uint32_t reserved;
	const char *destination; /* "org.freedesktop.systemd1" */
	const char *path; /* object path; for units see kc_unit() */
	const char *interface;
	const char *member; /* a property with property != 0, else a method */
	const char *const *args; /* NULL-terminated string arguments of a method, or NULL */
	uint32_t property;
	uint32_t reserved2;
};

/* What is asked of a container runtime at its end point. */
enum kc_runtime_question {
	/* CRI Version: api, runtime_name, runtime_version, runtime_api_version */
	KC_RUNTIME_VERSION = 1,
	KC_RUNTIME_STATUS = 2, /* CRI Status: api, and by condition C: C, C.reason, C.message */
	KC_RUNTIME_CONFIG = 3, /* CRI RuntimeConfig: cgroup_driver ("systemd", "cgroupfs") */
	/* CRI ListPodSandbox: by pod id its "NAMESPACE/NAME Ready" or "… NotReady" */
	KC_RUNTIME_PODS = 4,
	KC_RUNTIME_IMAGES = 5, /* CRI ListImages: by image id its first tag, else first digest */
	KC_RUNTIME_INFO = 6, /* CRI-O's GET /info: strings and numbers of its JSON object */
	KC_RUNTIME_CONFIG_FILE = 7, /* CRI-O's GET /config: one pair "config" with the TOML text */
};

/* Protocols whose ports kc_sockets() lists, by their numbers. */
enum kc_protocol {
	KC_PROTOCOL_TCP = 6,
	KC_PROTOCOL_UDP = 17,
};

/* A socket that holds a port. */
struct kc_socket {
	uint32_t family; /* 4 or 6; one of IPv6 may take what comes by IPv4, too */
	uint16_t port;
	uint16_t reserved;
	uint8_t address[16]; /* local, in network order: of IPv4 the first four bytes, zero behind
			      */
	uint32_t uid; /* of its owner */
	uint32_t reserved2;
	uint64_t inode; /* for kc_socket_holder(); 0: no descriptor has it */
};

struct kc_sockets {
	size_t n;
	const struct kc_socket *item;
};

/* A program to run, without shell, environment and network, below its own deadline. */
struct kc_program {
	uint32_t size;
	uint32_t reserved;
	const char *path; /* absolute; held to the trust rules, on its descriptor */
	const char *const *argv; /* NULL-terminated, argv[0] included */
	uint64_t timeout_usec; /* 0: what the rule has left */
};

struct kc_program_result {
	uint32_t size_of; /* set by the caller */
	int32_t exit_code; /* -1 when a signal ended it */
	int32_t signal;
	uint32_t reserved;
	struct kc_bytes out, err; /* each cut at 64 KiB */
};

enum kc_fact_state {
	KC_FACT_KNOWN = 1,
	KC_FACT_ABSENT = 2, /* the thing is not on this host */
	KC_FACT_UNKNOWN = 3, /* could not be found out */
};

struct kc_fact {
	uint32_t size;
	uint32_t state; /* enum kc_fact_state */
	const char *name;
	const char *value; /* as text; NULL unless known */
	const char *source; /* where it was found, or why it could not be */
};

enum kc_log_level {
	KC_LOG_ERROR = 3,
	KC_LOG_WARNING = 4,
	KC_LOG_INFO = 6,
	KC_LOG_DEBUG = 7,
};

/* ---- the table of services ---- */

/*
 * Call these through the wrappers below, which know what an older host does not have. Paths are
 * absolute, and resolved below the root that is looked at: links, absolute ones too, never lead
 * out.
 */
struct kc_host {
	uint32_t size;
	uint16_t abi_major, abi_minor;

	/* the rule */
	uint32_t (*horizons)(struct kc_run *run);
	int (*is_live)(struct kc_run *run);
	uint64_t (*time_left)(struct kc_run *run);
	const char *(*why)(struct kc_run *run);
	int (*param_string)(struct kc_run *run, const char *name, const char **ret_value);
	int (*param_number)(struct kc_run *run, const char *name, int64_t *ret_value);
	int (*param_list)(struct kc_run *run, const char *name, struct kc_strings *ret_value);
	int (*param_map)(struct kc_run *run, const char *name, struct kc_pairs *ret_value);
	int (*fact)(struct kc_run *run, const char *name, struct kc_fact *ret_fact);

	/* what it hands in */
	int (*finding)(struct kc_run *run, const struct kc_finding *finding);
	int (*set_fact)(struct kc_run *run, const struct kc_fact *fact);
	int (*step)(struct kc_run *run, const struct kc_step *step);
	void (*log)(struct kc_run *run, uint32_t level, const char *text);
	void *(*alloc)(struct kc_run *run, size_t size);

	/* files below the root */
	int (*read_file)(struct kc_run *run, const char *path, size_t max,
			 struct kc_bytes *ret_bytes);
	int (*open_file)(struct kc_run *run, const char *path, uint32_t flags, int *ret_fd);
	int (*read_link)(struct kc_run *run, const char *path, const char **ret_target);
	int (*list_dir)(struct kc_run *run, const char *path, struct kc_strings *ret_names);
	int (*stat)(struct kc_run *run, const char *path, uint32_t flags, struct kc_stat *ret_stat);
	int (*resolve)(struct kc_run *run, const char *path, const char **ret_path);
	int (*filesystem)(struct kc_run *run, const char *path, struct kc_filesystem *ret_figures);
	int (*label)(struct kc_run *run, const char *path, const char **ret_label);

	/* the running kernel and machine */
	int (*sysctl)(struct kc_run *run, const char *key, const char **ret_value);
	int (*mountinfo)(struct kc_run *run, struct kc_bytes *ret_bytes);
	int (*kernel)(struct kc_run *run, const char **ret_release, const char **ret_machine,
		      const char **ret_hostname);
	int (*addresses)(struct kc_run *run, struct kc_pairs *ret_interface_to_address);
	int (*clock)(struct kc_run *run, int64_t *ret_realtime_usec, int64_t *ret_monotonic_usec);
	int (*process_link)(struct kc_run *run, uint32_t pid, const char *name,
			    const char **ret_target);

	/* others that are asked, through the broker */
	int (*unit)(struct kc_run *run, const char *name, struct kc_pairs *ret_properties);
	int (*bus)(struct kc_run *run, const struct kc_bus_question *question,
		   struct kc_strings *ret_values);
	int (*runtime)(struct kc_run *run, const char *endpoint, uint32_t question,
		       uint64_t timeout_usec, struct kc_pairs *ret_answer);
	int (*health)(struct kc_run *run, const char *url, uint64_t timeout_usec, int *ret_status,
		      struct kc_bytes *ret_body);
	int (*lookup)(struct kc_run *run, const char *name, uint64_t timeout_usec,
		      struct kc_strings *ret_addresses);
	int (*try_port)(struct kc_run *run, const char *address, uint16_t port,
			uint64_t timeout_usec);
	int (*program)(struct kc_run *run, const struct kc_program *program,
		       struct kc_program_result *ret_result);

	int (*open_dir)(struct kc_run *run, const char *path, int *ret_fd);
	int (*socket_holder)(struct kc_run *run, uint64_t inode, uint32_t *ret_pid,
			     const char **ret_program);
	int (*list_links)(struct kc_run *run, const char *path, struct kc_strings *ret_names);

	int (*sockets)(struct kc_run *run, uint32_t protocol, struct kc_sockets *ret_sockets);
};

#define KC_HOST_HAS(host, member)                                                     \
	((host)->size >= offsetof(struct kc_host, member) + sizeof((host)->member) && \
	 (host)->member)

#define KC_HOST_CALL(host, member, ...) \
	(KC_HOST_HAS(host, member) ? (host)->member(__VA_ARGS__) : -ENOSYS)

/* The horizons to judge now: KC_NOW, KC_BOOT, or both. Never more than the check's own. */
static inline uint32_t kc_horizons(const struct kc_host *host, struct kc_run *run)
{
	return KC_HOST_HAS(host, horizons) ? host->horizons(run) : 0;
}

/* 1: the running system is looked at; 0: an offline root (no kernel, bus or daemon to ask). */
static inline int kc_is_live(const struct kc_host *host, struct kc_run *run)
{
	return KC_HOST_HAS(host, is_live) ? host->is_live(run) : 0;
}

/* Microseconds that the rule has left before its worker is ended. */
static inline uint64_t kc_time_left(const struct kc_host *host, struct kc_run *run)
{
	return KC_HOST_HAS(host, time_left) ? host->time_left(run) : 0;
}

/* One sentence about the last service that failed, that names the place; never NULL. */
static inline const char *kc_why(const struct kc_host *host, struct kc_run *run)
{
	return KC_HOST_HAS(host, why) ? host->why(run) : "";
}

/*
 * Values of parameters, the rule's or else the default. -ENOENT when the rule gives none and there
 * is no default; -EINVAL when the check has no parameter of that name and type. Numbers are
 * integers, booleans (0, 1), durations (µs) and sizes (bytes); strings are strings and choices.
 */
static inline int kc_param_string(const struct kc_host *host, struct kc_run *run, const char *name,
				  const char **ret_value)
{
	return KC_HOST_CALL(host, param_string, run, name, ret_value);
}

static inline int kc_param_number(const struct kc_host *host, struct kc_run *run, const char *name,
				  int64_t *ret_value)
{
	return KC_HOST_CALL(host, param_number, run, name, ret_value);
}

static inline int kc_param_list(const struct kc_host *host, struct kc_run *run, const char *name,
				struct kc_strings *ret_value)
{
	return KC_HOST_CALL(host, param_list, run, name, ret_value);
}

static inline int kc_param_map(const struct kc_host *host, struct kc_run *run, const char *name,
			       struct kc_pairs *ret_value)
{
	return KC_HOST_CALL(host, param_map, run, name, ret_value);
}

/*
 * A fact by name; -ENOENT when nobody gathers it. Waits while facts are still gathered, which is
 * not the rule's time. Set ret_fact->size before.
 */
static inline int kc_fact(const struct kc_host *host, struct kc_run *run, const char *name,
			  struct kc_fact *ret_fact)
{
	return KC_HOST_CALL(host, fact, run, name, ret_fact);
}

/* Reports a finding. -EINVAL: no such verdict or horizon, or a reason that is not listed. */
static inline int kc_finding(const struct kc_host *host, struct kc_run *run,
			     const struct kc_finding *finding)
{
	return KC_HOST_CALL(host, finding, run, finding);
}

/* Sets a fact, in `gather` only, and one of the source's names only. */
static inline int kc_set_fact(const struct kc_host *host, struct kc_run *run,
			      const struct kc_fact *fact)
{
	return KC_HOST_CALL(host, set_fact, run, fact);
}

/* Describes a step, in `plan` only. */
static inline int kc_step(const struct kc_host *host, struct kc_run *run,
			  const struct kc_step *step)
{
	return KC_HOST_CALL(host, step, run, step);
}

/* A line for --verbose. */
static inline void kc_log(const struct kc_host *host, struct kc_run *run, uint32_t level,
			  const char *text)
{
	if (KC_HOST_HAS(host, log))
		host->log(run, level, text);
}

/* Memory that lives as long as what the host hands out; bounded by rule, NULL when used up. */
static inline void *kc_alloc(const struct kc_host *host, struct kc_run *run, size_t size)
{
	return KC_HOST_HAS(host, alloc) ? host->alloc(run, size) : NULL;
}

/*
 * Reads a regular file of at most `max` bytes, whole. -EISDIR for a folder, -EINVAL for FIFOs,
 * devices and sockets (which are never opened), -EFBIG when there is more.
 */
static inline int kc_read_file(const struct kc_host *host, struct kc_run *run, const char *path,
			       size_t max, struct kc_bytes *ret_bytes)
{
	return KC_HOST_CALL(host, read_file, run, path, max, ret_bytes);
}

/* Opens a regular file for reading, for a library that wants a descriptor or a stream. */
static inline int kc_open_file(const struct kc_host *host, struct kc_run *run, const char *path,
			       uint32_t flags, int *ret_fd)
{
	return KC_HOST_CALL(host, open_file, run, path, flags, ret_fd);
}

/*
 * Opens a folder (O_PATH), for a library that wants one: by /proc/self/fd/N as its path. Such a
 * library follows links of its own accord and blocks on a FIFO, so look at every file that it will
 * open with kc_stat() first.
 */
static inline int kc_open_dir(const struct kc_host *host, struct kc_run *run, const char *path,
			      int *ret_fd)
{
	return KC_HOST_CALL(host, open_dir, run, path, ret_fd);
}

/* The text of a symbolic link, unresolved. -EINVAL when it is none. */
static inline int kc_read_link(const struct kc_host *host, struct kc_run *run, const char *path,
			       const char **ret_target)
{
	return KC_HOST_CALL(host, read_link, run, path, ret_target);
}

/* Names in a folder in byte order, without . and ..; at most 65,536 (-EFBIG). */
static inline int kc_list_dir(const struct kc_host *host, struct kc_run *run, const char *path,
			      struct kc_strings *ret_names)
{
	return KC_HOST_CALL(host, list_dir, run, path, ret_names);
}

/* Those of them that are symbolic links, without a look at each. */
static inline int kc_list_links(const struct kc_host *host, struct kc_run *run, const char *path,
				struct kc_strings *ret_names)
{
	return KC_HOST_CALL(host, list_links, run, path, ret_names);
}

static inline int kc_stat(const struct kc_host *host, struct kc_run *run, const char *path,
			  uint32_t flags, struct kc_stat *ret_stat)
{
	return KC_HOST_CALL(host, stat, run, path, flags, ret_stat);
}

/* The path without links, "." and "..", as seen from the root; its last component must exist. */
static inline int kc_resolve(const struct kc_host *host, struct kc_run *run, const char *path,
			     const char **ret_path)
{
	return KC_HOST_CALL(host, resolve, run, path, ret_path);
}

static inline int kc_filesystem(const struct kc_host *host, struct kc_run *run, const char *path,
				struct kc_filesystem *ret_figures)
{
	return KC_HOST_CALL(host, filesystem, run, path, ret_figures);
}

/* The security label (security.selinux) of a file; -ENODATA when it has none. */
static inline int kc_label(const struct kc_host *host, struct kc_run *run, const char *path,
			   const char **ret_label)
{
	return KC_HOST_CALL(host, label, run, path, ret_label);
}

/*
 * The running kernel's value of a sysctl, by key ("net.ipv4.ip_forward") or path below /proc/sys
 * ("net/ipv4/conf/eth0.1/forwarding"), without the newline at its end. The first separator decides
 * which, as in sysctl.d(5). -ENOENT: this kernel has no such key.
 */
static inline int kc_sysctl(const struct kc_host *host, struct kc_run *run, const char *key,
			    const char **ret_value)
{
	return KC_HOST_CALL(host, sysctl, run, key, ret_value);
}

/* /proc/self/mountinfo as the host has it, from before any sandbox. */
static inline int kc_mountinfo(const struct kc_host *host, struct kc_run *run,
			       struct kc_bytes *ret_bytes)
{
	return KC_HOST_CALL(host, mountinfo, run, ret_bytes);
}

/* uname(2): release, machine and node name. */
static inline int kc_kernel(const struct kc_host *host, struct kc_run *run,
			    const char **ret_release, const char **ret_machine,
			    const char **ret_hostname)
{
	return KC_HOST_CALL(host, kernel, run, ret_release, ret_machine, ret_hostname);
}

/* Local addresses: interface to ADDRESS/PREFIX, a pair each. */
static inline int kc_addresses(const struct kc_host *host, struct kc_run *run,
			       struct kc_pairs *ret_interface_to_address)
{
	return KC_HOST_CALL(host, addresses, run, ret_interface_to_address);
}

static inline int kc_clock(const struct kc_host *host, struct kc_run *run,
			   int64_t *ret_realtime_usec, int64_t *ret_monotonic_usec)
{
	return KC_HOST_CALL(host, clock, run, ret_realtime_usec, ret_monotonic_usec);
}

/* A link below /proc/PID: "exe", "cwd", "root", or "fd/N". */
static inline int kc_process_link(const struct kc_host *host, struct kc_run *run, uint32_t pid,
				  const char *name, const char **ret_target)
{
	return KC_HOST_CALL(host, process_link, run, pid, name, ret_target);
}

/*
 * A process that has a socket open, by the inode that /proc/net has for it, and the name that the
 * kernel has for it ("kube-apiserver", cut at 15 bytes). The lowest PID where there are several.
 * -ENOENT: no process has it that can be seen (the kernel itself, or another PID namespace).
 * -EACCES: one that may not be seen could have it.
 */
static inline int kc_socket_holder(const struct kc_host *host, struct kc_run *run, uint64_t inode,
				   uint32_t *ret_pid, const char **ret_program)
{
	return KC_HOST_CALL(host, socket_holder, run, inode, ret_pid, ret_program);
}

/*
 * The sockets that hold a port of a protocol (enum kc_protocol) in this network namespace: of TCP
 * those that listen, of UDP those that are bound and not connected; IPv4 first, each family in the
 * order of /proc/net. The kernel has them without a walk through its connections, which reading
 * /proc/net/tcp is. -EOPNOTSUPP too where another root than "/" is looked at, and where to ask
 * could make the kernel load a module: /proc/net has them then.
 */
static inline int kc_sockets(const struct kc_host *host, struct kc_run *run, uint32_t protocol,
			     struct kc_sockets *ret_sockets)
{
	return KC_HOST_CALL(host, sockets, run, protocol, ret_sockets);
}

/*
 * systemd's view of a unit, without loading it: pairs LoadState, ActiveState, SubState,
 * UnitFileState, FragmentPath, NeedDaemonReload, Result and, where it has one, MainPID. A unit that
 * systemd has not loaded is an answer: its LoadState is "not-loaded" (a file is there) or
 * "not-found", and its UnitFileState is what the files say. Booleans are "yes" and "no"; Result is
 * there for the types that have one. -ENOTCONN: there is no bus; -ENOENT is never returned.
 */
static inline int kc_unit(const struct kc_host *host, struct kc_run *run, const char *name,
			  struct kc_pairs *ret_properties)
{
	return KC_HOST_CALL(host, unit, run, name, ret_properties);
}

/*
 * Asks a property, or one of a short list of read-only methods. Values come as text, in order:
 * booleans as "yes" and "no", a dictionary as key, value, key, value. -ENOENT too when nobody owns
 * the destination.
 */
static inline int kc_bus(const struct kc_host *host, struct kc_run *run,
			 const struct kc_bus_question *question, struct kc_strings *ret_values)
{
	return KC_HOST_CALL(host, bus, run, question, ret_values);
}

/*
 * Asks a container runtime at its socket (a path, or unix://PATH). CRI v1 is tried, then v1alpha2;
 * the pair "api" says which answered. 0 as time-out: 1 s. See kc_why() for what went wrong, and how
 * far the conversation got.
 */
static inline int kc_runtime(const struct kc_host *host, struct kc_run *run, const char *endpoint,
			     uint32_t question, uint64_t timeout_usec, struct kc_pairs *ret_answer)
{
	return KC_HOST_CALL(host, runtime, run, endpoint, question, timeout_usec, ret_answer);
}

/* GET of a health end point, http://127.0.0.1:PORT/PATH or http://[::1]:PORT/PATH only. */
static inline int kc_health(const struct kc_host *host, struct kc_run *run, const char *url,
			    uint64_t timeout_usec, int *ret_status, struct kc_bytes *ret_body)
{
	return KC_HOST_CALL(host, health, run, url, timeout_usec, ret_status, ret_body);
}

/* The addresses of a name as this host's nsswitch finds them. */
static inline int kc_lookup(const struct kc_host *host, struct kc_run *run, const char *name,
			    uint64_t timeout_usec, struct kc_strings *ret_addresses)
{
	return KC_HOST_CALL(host, lookup, run, name, timeout_usec, ret_addresses);
}

/* 0 when something accepts a TCP connection at the numeric address and port. */
static inline int kc_try_port(const struct kc_host *host, struct kc_run *run, const char *address,
			      uint16_t port, uint64_t timeout_usec)
{
	return KC_HOST_CALL(host, try_port, run, address, port, timeout_usec);
}

static inline int kc_program(const struct kc_host *host, struct kc_run *run,
			     const struct kc_program *program, struct kc_program_result *ret_result)
{
	return KC_HOST_CALL(host, program, run, program, ret_result);
}

/* The symbol that the host looks for; a test that links several plugins statically renames it. */
#ifndef KC_PLUGIN_SYMBOL
#define KC_PLUGIN_SYMBOL kc_plugin
#endif

#define KC_PLUGIN_EXPORT                                                                       \
	extern const struct kc_plugin KC_PLUGIN_SYMBOL __attribute__((visibility("default"))); \
	const struct kc_plugin KC_PLUGIN_SYMBOL

#ifdef __cplusplus
}
#endif
