/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host.h"

/* What the files of the table of services share among themselves; nobody else includes it. */

/* Sets the sentence of kc_why() and returns the code. */
int kc_host_fail(struct kc_run *run, int code, const char *fmt, ...) kc_printf(3, 4);
int kc_host_fail_err(struct kc_run *run, const struct kc_err *err);
int kc_host_fail_memory(struct kc_run *run);

/* The run's memory, with its bound. */
struct kc_arena *kc_host_arena(struct kc_run *run);

/* Copies the text of a buffer into the run's memory. */
int kc_host_keep_string(struct kc_run *run, const struct kc_buf *b, const char **ret_text);

uint64_t kc_host_time_left(struct kc_run *run);

/* The services, as k8scheck-plugin.h documents them: files below the root, */
int kc_host_read_file(struct kc_run *run, const char *path, size_t max, struct kc_bytes *ret_bytes);
int kc_host_open_file(struct kc_run *run, const char *path, uint32_t flags, int *ret_fd);
int kc_host_open_dir(struct kc_run *run, const char *path, int *ret_fd);
int kc_host_read_link(struct kc_run *run, const char *path, const char **ret_target);
int kc_host_list_dir(struct kc_run *run, const char *path, struct kc_strings *ret_names);
int kc_host_list_links(struct kc_run *run, const char *path, struct kc_strings *ret_names);
int kc_host_stat(struct kc_run *run, const char *path, uint32_t flags, struct kc_stat *ret_stat);
int kc_host_resolve(struct kc_run *run, const char *path, const char **ret_path);
int kc_host_filesystem(struct kc_run *run, const char *path, struct kc_filesystem *ret_figures);
int kc_host_label(struct kc_run *run, const char *path, const char **ret_label);

/* and the running kernel, the machine, and others that are asked. */
int kc_host_sysctl(struct kc_run *run, const char *key, const char **ret_value);
int kc_host_mountinfo(struct kc_run *run, struct kc_bytes *ret_bytes);
int kc_host_kernel(struct kc_run *run, const char **ret_release, const char **ret_machine,
		   const char **ret_hostname);
int kc_host_addresses(struct kc_run *run, struct kc_pairs *ret_addresses);
int kc_host_clock(struct kc_run *run, int64_t *ret_realtime_usec, int64_t *ret_monotonic_usec);
int kc_host_process_link(struct kc_run *run, uint32_t pid, const char *name,
			 const char **ret_target);
int kc_host_socket_holder(struct kc_run *run, uint64_t inode, uint32_t *ret_pid,
			  const char **ret_program);
int kc_host_sockets(struct kc_run *run, uint32_t protocol, struct kc_sockets *ret_sockets);
int kc_host_unit(struct kc_run *run, const char *name, struct kc_pairs *ret_properties);
int kc_host_bus(struct kc_run *run, const struct kc_bus_question *asked,
		struct kc_strings *ret_values);
int kc_host_runtime(struct kc_run *run, const char *endpoint, uint32_t asked, uint64_t timeout_usec,
		    struct kc_pairs *ret_answer);
int kc_host_health(struct kc_run *run, const char *url, uint64_t timeout_usec, int *ret_status,
		   struct kc_bytes *ret_body);
int kc_host_lookup(struct kc_run *run, const char *name, uint64_t timeout_usec,
		   struct kc_strings *ret_addresses);
int kc_host_try_port(struct kc_run *run, const char *address, uint16_t port, uint64_t timeout_usec);
int kc_host_program(struct kc_run *run, const struct kc_program *program,
		    struct kc_program_result *ret_result);
