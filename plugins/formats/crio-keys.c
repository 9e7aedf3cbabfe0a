/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "base/str.h"
#include "crio-keys.h"

/*
 * From the configuration structures of CRI-O (pkg/config/config.go, internal/config/nri) at 1.18 to
 * 1.37, and the files that `crio config` of 1.17 and 1.37 prints.
 */
static const struct kc_crio_key keys[] = {
	/* clang-format off */
	{ "", "crio", KC_CRIO_TABLE, 0, 0 },
	{ "crio", "api", KC_CRIO_TABLE, 0, 0 },
	{ "crio", "runtime", KC_CRIO_TABLE, 0, 0 },
	{ "crio", "image", KC_CRIO_TABLE, 0, 0 },
	{ "crio", "network", KC_CRIO_TABLE, 0, 0 },
	{ "crio", "metrics", KC_CRIO_TABLE, 0, 0 },
	{ "crio", "tracing", KC_CRIO_TABLE, 23, 0 },
	{ "crio", "stats", KC_CRIO_TABLE, 23, 0 },
	{ "crio", "nri", KC_CRIO_TABLE, 26, 0 },
	{ "crio", "checkpoint_restore", KC_CRIO_TABLE, 37, 0 },
	{ "crio", "root", KC_CRIO_TEXT, 0, 0 },
	{ "crio", "runroot", KC_CRIO_TEXT, 0, 0 },
	{ "crio", "imagestore", KC_CRIO_TEXT, 29, 0 },
	{ "crio", "storage_driver", KC_CRIO_TEXT, 0, 0 },
	{ "crio", "storage_option", KC_CRIO_TEXTS, 0, 0 },
	{ "crio", "log_dir", KC_CRIO_TEXT, 0, 0 },
	{ "crio", "version_file", KC_CRIO_TEXT, 0, 0 },
	{ "crio", "version_file_persist", KC_CRIO_TEXT, 19, 0 },
	{ "crio", "clean_shutdown_file", KC_CRIO_TEXT, 21, 0 },
	{ "crio", "internal_wipe", KC_CRIO_TRUTH, 22, 0 },
	{ "crio", "internal_repair", KC_CRIO_TRUTH, 28, 0 },
	{ "crio", "file_locking", KC_CRIO_TRUTH, 0, 17 },
	{ "crio", "file_locking_path", KC_CRIO_TEXT, 0, 17 },
	{ "crio.api", "grpc_max_send_msg_size", KC_CRIO_NUMBER, 0, 0 },
	{ "crio.api", "grpc_max_recv_msg_size", KC_CRIO_NUMBER, 0, 0 },
	{ "crio.api", "listen", KC_CRIO_TEXT, 0, 0 },
	{ "crio.api", "stream_address", KC_CRIO_TEXT, 0, 0 },
	{ "crio.api", "stream_port", KC_CRIO_TEXT, 0, 0 },
	{ "crio.api", "stream_enable_tls", KC_CRIO_TRUTH, 0, 0 },
	{ "crio.api", "stream_tls_cert", KC_CRIO_TEXT, 0, 0 },
	{ "crio.api", "stream_tls_key", KC_CRIO_TEXT, 0, 0 },
	{ "crio.api", "stream_tls_ca", KC_CRIO_TEXT, 0, 0 },
	{ "crio.api", "stream_idle_timeout", KC_CRIO_TEXT, 0, 0 },
	{ "crio.api", "host_ip", KC_CRIO_TEXTS, 0, 0 },
	{ "crio.api", "tls_min_version", KC_CRIO_TEXT, 36, 0 },
	{ "crio.api", "tls_cipher_suites", KC_CRIO_TEXTS, 36, 0 },
	{ "crio.runtime", "no_pivot", KC_CRIO_TRUTH, 0, 0 },
	{ "crio.runtime", "selinux", KC_CRIO_TRUTH, 0, 0 },
	{ "crio.runtime", "log_to_journald", KC_CRIO_TRUTH, 0, 0 },
	{ "crio.runtime", "drop_infra_ctr", KC_CRIO_TRUTH, 19, 0 },
	{ "crio.runtime", "read_only", KC_CRIO_TRUTH, 0, 0 },
	{ "crio.runtime", "conmon_env", KC_CRIO_TEXTS, 0, 0 },
	{ "crio.runtime", "hooks_dir", KC_CRIO_TEXTS, 0, 0 },
	{ "crio.runtime", "default_mounts", KC_CRIO_TEXTS, 0, 0 },
	{ "crio.runtime", "default_capabilities", KC_CRIO_TEXTS, 0, 0 },
	{ "crio.runtime", "add_inheritable_capabilities", KC_CRIO_TRUTH, 0, 0 },
	{ "crio.runtime", "default_env", KC_CRIO_TEXTS, 0, 0 },
	{ "crio.runtime", "default_sysctls", KC_CRIO_TEXTS, 0, 0 },
	{ "crio.runtime", "default_ulimits", KC_CRIO_TEXTS, 0, 0 },
	{ "crio.runtime", "allowed_devices", KC_CRIO_TEXTS, 24, 0 },
	{ "crio.runtime", "additional_devices", KC_CRIO_TEXTS, 0, 0 },
	{ "crio.runtime", "cdi_spec_dirs", KC_CRIO_TEXTS, 24, 0 },
	{ "crio.runtime", "device_ownership_from_security_context", KC_CRIO_TRUTH, 0, 0 },
	{ "crio.runtime", "default_runtime", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime", "decryption_keys_path", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime", "conmon", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime", "conmon_cgroup", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime", "seccomp_profile", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime", "seccomp_use_default_when_empty", KC_CRIO_TRUTH, 20, 30 },
	{ "crio.runtime", "privileged_seccomp_profile", KC_CRIO_TEXT, 33, 0 },
	{ "crio.runtime", "apparmor_profile", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime", "blockio_config_file", KC_CRIO_TEXT, 22, 0 },
	{ "crio.runtime", "blockio_reload", KC_CRIO_TRUTH, 22, 0 },
	{ "crio.runtime", "irqbalance_config_file", KC_CRIO_TEXT, 21, 0 },
	{ "crio.runtime", "irqbalance_config_restore_file", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime", "rdt_config_file", KC_CRIO_TEXT, 22, 0 },
	{ "crio.runtime", "cgroup_manager", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime", "default_mounts_file", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime", "container_exits_dir", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime", "container_attach_socket_dir", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime", "bind_mount_prefix", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime", "uid_mappings", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime", "gid_mappings", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime", "minimum_mappable_uid", KC_CRIO_NUMBER, 0, 0 },
	{ "crio.runtime", "minimum_mappable_gid", KC_CRIO_NUMBER, 0, 0 },
	{ "crio.runtime", "log_level", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime", "log_filter", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime", "namespaces_dir", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime", "pinns_path", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime", "enable_criu_support", KC_CRIO_TRUTH, 25, 0 },
	{ "crio.runtime", "runtimes", KC_CRIO_TABLES, 0, 0 },
	{ "crio.runtime", "workloads", KC_CRIO_TABLES, 21, 0 },
	{ "crio.runtime", "pids_limit", KC_CRIO_NUMBER, 0, 0 },
	{ "crio.runtime", "log_size_max", KC_CRIO_NUMBER, 0, 0 },
	{ "crio.runtime", "ctr_stop_timeout", KC_CRIO_NUMBER, 0, 0 },
	{ "crio.runtime", "separate_pull_cgroup", KC_CRIO_TEXT, 20, 0 },
	{ "crio.runtime", "infra_ctr_cpuset", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime", "shared_cpuset", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime", "absent_mount_sources_to_reject", KC_CRIO_TEXTS, 0, 0 },
	{ "crio.runtime", "enable_pod_events", KC_CRIO_TRUTH, 26, 0 },
	{ "crio.runtime", "hostnetwork_disable_selinux", KC_CRIO_TRUTH, 27, 0 },
	{ "crio.runtime", "disable_hostport_mapping", KC_CRIO_TRUTH, 28, 0 },
	{ "crio.runtime", "timezone", KC_CRIO_TEXT, 30, 0 },
	{ "crio.runtime", "manage_ns_lifecycle", KC_CRIO_TRUTH, 0, 21 },
	{ "crio.runtime", "manage_network_ns_lifecycle", KC_CRIO_TRUTH, 0, 19 },
	{ "crio.runtime", "additional_artifact_stores", KC_CRIO_TEXTS, 0, 0 },
	{ "crio.runtime", "min_injected_gomaxprocs", KC_CRIO_NUMBER, 0, 0 },
	{ "crio.runtime.runtimes.*", "runtime_config_path", KC_CRIO_TEXT, 22, 0 },
	{ "crio.runtime.runtimes.*", "runtime_path", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime.runtimes.*", "runtime_type", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime.runtimes.*", "runtime_root", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime.runtimes.*", "privileged_without_host_devices", KC_CRIO_TRUTH, 0, 0 },
	{ "crio.runtime.runtimes.*", "allowed_annotations", KC_CRIO_TEXTS, 0, 0 },
	{ "crio.runtime.runtimes.*", "disallowed_annotations", KC_CRIO_TEXTS, 0, 0 },
	{ "crio.runtime.runtimes.*", "monitor_path", KC_CRIO_TEXT, 24, 0 },
	{ "crio.runtime.runtimes.*", "monitor_cgroup", KC_CRIO_TEXT, 24, 0 },
	{ "crio.runtime.runtimes.*", "monitor_env", KC_CRIO_TEXTS, 24, 0 },
	{ "crio.runtime.runtimes.*", "monitor_exec_cgroup", KC_CRIO_TEXT, 24, 0 },
	{ "crio.runtime.runtimes.*", "platform_runtime_paths", KC_CRIO_MAP, 0, 0 },
	{ "crio.runtime.runtimes.*", "runtime_pull_image", KC_CRIO_TRUTH, 0, 0 },
	{ "crio.runtime.runtimes.*", "container_min_memory", KC_CRIO_TEXT, 30, 0 },
	{ "crio.runtime.runtimes.*", "no_sync_log", KC_CRIO_TRUTH, 31, 0 },
	{ "crio.runtime.runtimes.*", "inherit_default_runtime", KC_CRIO_TRUTH, 32, 0 },
	{ "crio.runtime.runtimes.*", "default_annotations", KC_CRIO_MAP, 32, 0 },
	{ "crio.runtime.runtimes.*", "stream_websockets", KC_CRIO_TRUTH, 0, 0 },
	{ "crio.runtime.runtimes.*", "exec_cpu_affinity", KC_CRIO_TEXT, 34, 0 },
	{ "crio.runtime.runtimes.*", "seccomp_profile", KC_CRIO_TEXT, 0, 0 },
	{ "crio.runtime.runtimes.*", "container_create_timeout", KC_CRIO_NUMBER, 35, 0 },
	{ "crio.image", "default_transport", KC_CRIO_TEXT, 0, 0 },
	{ "crio.image", "global_auth_file", KC_CRIO_TEXT, 0, 0 },
	{ "crio.image", "namespaced_auth_dir", KC_CRIO_TEXT, 35, 0 },
	{ "crio.image", "pause_image", KC_CRIO_TEXT, 0, 0 },
	{ "crio.image", "pause_image_auth_file", KC_CRIO_TEXT, 0, 0 },
	{ "crio.image", "pause_command", KC_CRIO_TEXT, 0, 0 },
	{ "crio.image", "pinned_images", KC_CRIO_TEXTS, 28, 0 },
	{ "crio.image", "signature_policy", KC_CRIO_TEXT, 0, 0 },
	{ "crio.image", "signature_policy_dir", KC_CRIO_TEXT, 28, 0 },
	{ "crio.image", "insecure_registries", KC_CRIO_TEXTS, 0, 0 },
	{ "crio.image", "image_volumes", KC_CRIO_TEXT, 0, 0 },
	{ "crio.image", "big_files_temporary_dir", KC_CRIO_TEXT, 0, 0 },
	{ "crio.image", "registries", KC_CRIO_TEXTS, 0, 31 },
	{ "crio.image", "auto_reload_registries", KC_CRIO_TRUTH, 0, 0 },
	{ "crio.image", "pull_progress_timeout", KC_CRIO_DURATION, 0, 0 },
	{ "crio.image", "oci_artifact_mount_support", KC_CRIO_TRUTH, 33, 0 },
	{ "crio.image", "short_name_mode", KC_CRIO_TEXT, 34, 0 },
	{ "crio.network", "cni_default_network", KC_CRIO_TEXT, 0, 0 },
	{ "crio.network", "network_dir", KC_CRIO_TEXT, 0, 0 },
	{ "crio.network", "plugin_dir", KC_CRIO_TEXT, 0, 0 },
	{ "crio.network", "plugin_dirs", KC_CRIO_TEXTS, 0, 0 },
	{ "crio.network", "cni_status_grace_period", KC_CRIO_DURATION, 37, 0 },
	{ "crio.metrics", "enable_metrics", KC_CRIO_TRUTH, 0, 0 },
	{ "crio.metrics", "metrics_collectors", KC_CRIO_TEXTS, 0, 0 },
	{ "crio.metrics", "metrics_host", KC_CRIO_TEXT, 30, 0 },
	{ "crio.metrics", "metrics_port", KC_CRIO_NUMBER, 0, 0 },
	{ "crio.metrics", "metrics_socket", KC_CRIO_TEXT, 0, 0 },
	{ "crio.metrics", "metrics_cert", KC_CRIO_TEXT, 0, 0 },
	{ "crio.metrics", "metrics_key", KC_CRIO_TEXT, 0, 0 },
	{ "crio.tracing", "enable_tracing", KC_CRIO_TRUTH, 0, 0 },
	{ "crio.tracing", "tracing_endpoint", KC_CRIO_TEXT, 0, 0 },
	{ "crio.tracing", "tracing_sampling_rate_per_million", KC_CRIO_NUMBER, 0, 0 },
	{ "crio.stats", "stats_collection_period", KC_CRIO_NUMBER, 0, 0 },
	{ "crio.stats", "collection_period", KC_CRIO_NUMBER, 0, 0 },
	{ "crio.stats", "included_pod_metrics", KC_CRIO_TEXTS, 0, 0 },
	{ "crio.nri", "enable_nri", KC_CRIO_TRUTH, 0, 0 },
	{ "crio.nri", "nri_listen", KC_CRIO_TEXT, 0, 0 },
	{ "crio.nri", "nri_plugin_dir", KC_CRIO_TEXT, 0, 0 },
	{ "crio.nri", "nri_plugin_config_dir", KC_CRIO_TEXT, 0, 0 },
	{ "crio.nri", "nri_plugin_registration_timeout", KC_CRIO_DURATION, 0, 0 },
	{ "crio.nri", "nri_plugin_request_timeout", KC_CRIO_DURATION, 0, 0 },
	{ "crio.nri", "nri_disable_connections", KC_CRIO_TRUTH, 0, 0 },
	{ "crio.nri", "default_validator", KC_CRIO_TABLE, 0, 0 },
	{ "crio.nri.default_validator", "nri_enable_default_validator", KC_CRIO_TRUTH, 0, 0 },
	{ "crio.nri.default_validator",
	  "nri_validator_reject_oci_hook_adjustment", KC_CRIO_TRUTH, 0, 0 },
	{ "crio.nri.default_validator",
	  "nri_validator_reject_runtime_default_seccomp_adjustment", KC_CRIO_TRUTH, 0, 0 },
	{ "crio.nri.default_validator",
	  "nri_validator_reject_unconfined_seccomp_adjustment", KC_CRIO_TRUTH, 0, 0 },
	{ "crio.nri.default_validator",
	  "nri_validator_reject_custom_seccomp_adjustment", KC_CRIO_TRUTH, 0, 0 },
	{ "crio.nri.default_validator",
	  "nri_validator_reject_namespace_adjustment", KC_CRIO_TRUTH, 0, 0 },
	{ "crio.nri.default_validator", "nri_validator_required_plugins", KC_CRIO_TEXTS, 0, 0 },
	{ "crio.nri.default_validator",
	  "nri_validator_tolerate_missing_plugins_annotation", KC_CRIO_TEXT, 0, 0 },
	{ "crio.checkpoint_restore", "container_level_enabled", KC_CRIO_TEXT, 0, 0 },
	/* clang-format on */
};

const struct kc_crio_key *kc_crio_key(const char *table, const char *name)
{
	const struct kc_crio_key *loose = NULL;

	for (size_t i = 0; i < KC_ARRAY_SIZE(keys); i++) {
		if (!kc_streq(keys[i].table, table))
			continue;
		if (kc_streq(keys[i].name, name))
			return &keys[i];
		if (strcasecmp(keys[i].name, name) == 0)
			loose = &keys[i];
	}
	return loose;
}

const char *kc_crio_key_nearest(const char *table, const char *name)
{
	const char *names[KC_ARRAY_SIZE(keys) + 1];
	size_t n = 0;

	for (size_t i = 0; i < KC_ARRAY_SIZE(keys); i++)
		if (kc_streq(keys[i].table, table))
			names[n++] = keys[i].name;
	names[n] = NULL;
	return kc_nearest(name, names);
}

bool kc_crio_table_listed(const char *table)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(keys); i++)
		if (kc_streq(keys[i].table, table))
			return true;
	return false;
}

static bool all_of(const struct kc_toml_node *node, uint32_t type)
{
	for (uint32_t i = 0; i < node->n; i++)
		if (node->child[i].type != type)
			return false;
	return true;
}

const char *kc_crio_key_wants(const struct kc_crio_key *key, const struct kc_toml_node *node)
{
	switch (key->type) {
	case KC_CRIO_TEXT:
		return node->type == KC_TOML_STRING ? NULL : "a string";
	case KC_CRIO_TRUTH:
		return node->type == KC_TOML_BOOLEAN ? NULL : "true or false, without quotes";
	case KC_CRIO_NUMBER:
		return node->type == KC_TOML_INTEGER ? NULL : "a number, without quotes";
	case KC_CRIO_TEXTS:
		return node->type == KC_TOML_ARRAY && all_of(node, KC_TOML_STRING)
			       ? NULL
			       : "a list of strings";
	case KC_CRIO_DURATION:
		return node->type == KC_TOML_STRING || node->type == KC_TOML_INTEGER ? NULL
										     : "a duration";
	case KC_CRIO_TABLES:
		return node->type == KC_TOML_TABLE && all_of(node, KC_TOML_TABLE) ? NULL : "tables";
	case KC_CRIO_MAP:
		return node->type == KC_TOML_TABLE && all_of(node, KC_TOML_STRING)
			       ? NULL
			       : "a table of strings";
	default:
		return node->type == KC_TOML_TABLE ? NULL : "a table";
	}
}
