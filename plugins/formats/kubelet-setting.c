/* SPDX-License-Identifier: Apache-2.0 */
#include "kubelet-setting.h"

#define LATEST 255

static const struct kc_kubelet_setting settings[] = {
	{ "cgroupDriver", "cgroup-driver", KC_KUBELET_STRING, 0 },
	/* kubernetes/kubernetes#112136: both end points moved into the file in 1.27 */
	{ "containerRuntimeEndpoint", "container-runtime-endpoint", KC_KUBELET_ENDPOINT, 27 },
	{ "imageServiceEndpoint", "image-service-endpoint", KC_KUBELET_ENDPOINT, 27 },
	{ NULL, "container-runtime", KC_KUBELET_STRING, 0 },
	{ "failSwapOn", "fail-swap-on", KC_KUBELET_BOOLEAN, 0 },
	{ "failCgroupV1", NULL, KC_KUBELET_BOOLEAN, 31 },
	{ "memorySwap.swapBehavior", NULL, KC_KUBELET_STRING, 22 },
	{ "protectKernelDefaults", "protect-kernel-defaults", KC_KUBELET_BOOLEAN, 0 },
	{ "resolvConf", "resolv-conf", KC_KUBELET_STRING, 0 },
	{ "port", "port", KC_KUBELET_INTEGER, 0 },
	{ "readOnlyPort", "read-only-port", KC_KUBELET_INTEGER, 0 },
	{ "healthzPort", "healthz-port", KC_KUBELET_INTEGER, 0 },
	{ "healthzBindAddress", "healthz-bind-address", KC_KUBELET_STRING, 0 },
	{ "staticPodPath", "pod-manifest-path", KC_KUBELET_STRING, 0 },
	{ "volumePluginDir", "volume-plugin-dir", KC_KUBELET_STRING, 0 },
	{ "clusterDomain", "cluster-domain", KC_KUBELET_STRING, 0 },
	{ "clusterDNS", "cluster-dns", KC_KUBELET_LIST, 0 },
	{ "maxPods", "max-pods", KC_KUBELET_INTEGER, 0 },
	{ "hairpinMode", "hairpin-mode", KC_KUBELET_STRING, 0 },
	{ "cgroupRoot", "cgroup-root", KC_KUBELET_STRING, 0 },
	{ "cgroupsPerQOS", "cgroups-per-qos", KC_KUBELET_BOOLEAN, 0 },
	{ "rotateCertificates", "rotate-certificates", KC_KUBELET_BOOLEAN, 0 },
	{ "serverTLSBootstrap", "rotate-server-certificates", KC_KUBELET_BOOLEAN, 0 },
	{ "makeIPTablesUtilChains", "make-iptables-util-chains", KC_KUBELET_BOOLEAN, 0 },
	{ "authentication.anonymous.enabled", "anonymous-auth", KC_KUBELET_BOOLEAN, 0 },
	{ "authentication.webhook.enabled", "authentication-token-webhook", KC_KUBELET_BOOLEAN, 0 },
	{ "authentication.x509.clientCAFile", "client-ca-file", KC_KUBELET_STRING, 0 },
	{ "authorization.mode", "authorization-mode", KC_KUBELET_STRING, 0 },
	{ "featureGates", "feature-gates", KC_KUBELET_MAP, 0 },
};

/* Rows of a key (or flag, where there is no key) in the order of `since`; the last that fits
 * counts. */
static const struct {
	const char *name;
	uint8_t since;
	uint8_t until; /* last minor version of the row */
	const char *with_file, *without_file;
} defaults[] = {
	{ "cgroupDriver", 0, LATEST, "cgroupfs", "cgroupfs" },
	{ "container-runtime", 0, 23, "docker", "docker" },
	/* dockershim left in 1.24; the flag itself in 1.27 (kubernetes/kubernetes#114017) */
	{ "container-runtime", 24, LATEST, "remote", "remote" },
	{ "containerRuntimeEndpoint", 0, 23, "unix:///var/run/dockershim.sock",
	  "unix:///var/run/dockershim.sock" },
	/* 1.24 to 1.26 refuse to start without the flag */
	{ "containerRuntimeEndpoint", 24, 26, "", "" },
	{ "containerRuntimeEndpoint", 27, LATEST, "unix:///run/containerd/containerd.sock",
	  "unix:///run/containerd/containerd.sock" },
	{ "failSwapOn", 0, LATEST, "true", "true" },
	{ "failCgroupV1", 31, 34, "false", "false" },
	{ "failCgroupV1", 35, LATEST, "true", "true" }, /* KEP-5573 */
	{ "memorySwap.swapBehavior", 22, 29, "LimitedSwap", "LimitedSwap" },
	{ "memorySwap.swapBehavior", 30, LATEST, "NoSwap", "NoSwap" },
	{ "protectKernelDefaults", 0, LATEST, "false", "false" },
	{ "resolvConf", 0, LATEST, "/etc/resolv.conf", "/etc/resolv.conf" },
	{ "port", 0, LATEST, "10250", "10250" },
	{ "readOnlyPort", 0, LATEST, "0", "10255" },
	{ "healthzPort", 0, LATEST, "10248", "10248" },
	{ "healthzBindAddress", 0, LATEST, "127.0.0.1", "127.0.0.1" },
	{ "volumePluginDir", 0, LATEST, "/usr/libexec/kubernetes/kubelet-plugins/volume/exec/",
	  "/usr/libexec/kubernetes/kubelet-plugins/volume/exec/" },
	{ "maxPods", 0, LATEST, "110", "110" },
	{ "hairpinMode", 0, LATEST, "promiscuous-bridge", "promiscuous-bridge" },
	{ "cgroupsPerQOS", 0, LATEST, "true", "true" },
	{ "rotateCertificates", 0, LATEST, "false", "false" },
	{ "serverTLSBootstrap", 0, LATEST, "false", "false" },
	{ "makeIPTablesUtilChains", 0, LATEST, "true", "true" },
	{ "authentication.anonymous.enabled", 0, LATEST, "false", "true" },
	{ "authentication.webhook.enabled", 0, LATEST, "true", "false" },
	{ "authorization.mode", 0, LATEST, "Webhook", "AlwaysAllow" },
};

static const char *const boolean_flags[] = {
	"allow-privileged",
	"alsologtostderr",
	"anonymous-auth",
	"authentication-token-webhook",
	"cgroups-per-qos",
	"containerized",
	"contention-profiling",
	"cpu-cfs-quota",
	"docker-only",
	"docker-tls",
	"enable-cadvisor-json-endpoints",
	"enable-controller-attach-detach",
	"enable-debugging-handlers",
	"enable-load-reader",
	"enable-server",
	"exit-on-lock-contention",
	"experimental-allocatable-ignore-eviction",
	"experimental-check-node-capabilities-before-mount",
	"experimental-kernel-memcg-notification",
	"fail-swap-on",
	"help",
	"keep-terminated-pod-volumes",
	"kernel-memcg-notification",
	"local-storage-capacity-isolation",
	"log-cadvisor-usage",
	"log-json-split-stream",
	"log-text-split-stream",
	"logtostderr",
	"make-iptables-util-chains",
	"one-output",
	"protect-kernel-defaults",
	"really-crash-for-testing",
	"redirect-container-streaming",
	"register-node",
	"register-schedulable",
	"rotate-certificates",
	"rotate-server-certificates",
	"runonce",
	"seccomp-default",
	"serialize-image-pulls",
	"skip-headers",
	"skip-log-headers",
	"storage-driver-secure",
	"version",
	NULL,
};

static const struct kc_kubelet_removed_flag removed_flags[] = {
	{ "cadvisor-port", 12, "Remove it.",
	  "Kubernetes 1.12 release notes, kubernetes/kubernetes#65707" },
	{ "allow-privileged", 15, "Remove it.",
	  "Kubernetes 1.15 release notes, kubernetes/kubernetes#77820" },
	{ "network-plugin", 24, "Remove it: the runtime sets up the network.",
	  "Kubernetes 1.24 release notes, kubernetes/kubernetes#106907" },
	{ "network-plugin-mtu", 24, "Remove it: the runtime sets up the network.",
	  "Kubernetes 1.24 release notes, kubernetes/kubernetes#97252" },
	{ "cni-bin-dir", 24, "Remove it: the runtime has its own setting.",
	  "Kubernetes 1.24 release notes, kubernetes/kubernetes#106907" },
	{ "cni-conf-dir", 24, "Remove it: the runtime has its own setting.",
	  "Kubernetes 1.24 release notes, kubernetes/kubernetes#106907" },
	{ "cni-cache-dir", 24, "Remove it: the runtime has its own setting.",
	  "Kubernetes 1.24 release notes, kubernetes/kubernetes#97252" },
	{ "docker-endpoint", 24, "Remove it: the kubelet no longer speaks to Docker.",
	  "Kubernetes 1.24 release notes, kubernetes/kubernetes#97252" },
	{ "image-pull-progress-deadline", 24, "Remove it.",
	  "Kubernetes 1.24 release notes, kubernetes/kubernetes#97252" },
	{ "container-runtime", 27, "Remove it: every kubelet from 1.24 on uses a remote runtime.",
	  "Kubernetes 1.27 release notes, kubernetes/kubernetes#114017" },
	{ "pod-infra-container-image", 35,
	  "Remove it: the image is set in the runtime (pause_image of CRI-O).",
	  "kubernetes/kubernetes#133779" },
};

int kc_kubelet_release_parse(const char *version, struct kc_kubelet_release *ret_release)
{
	unsigned number[2] = { 0, 0 };
	const char *s = version;

	if (!version) {
		*ret_release = (struct kc_kubelet_release){ 0 };
		return 0;
	}
	/* an epoch of a Debian or RPM package */
	if (strspn(s, "0123456789") && s[strspn(s, "0123456789")] == ':')
		s += strspn(s, "0123456789") + 1;
	if (*s == 'v')
		s++;
	for (int i = 0; i < 2; i++) {
		size_t n = strspn(s, "0123456789");

		if (n == 0 || n > 3)
			return -EINVAL;
		for (; n > 0; n--)
			number[i] = number[i] * 10 + (unsigned)(*s++ - '0');
		if (i == 0 && *s++ != '.')
			return -EINVAL;
	}
	if (number[0] != 1 || number[1] == 0 || number[1] >= LATEST || (*s && !strchr(".-+~ ", *s)))
		return -EINVAL;
	*ret_release = (struct kc_kubelet_release){ .minor = number[1], .text = version };
	return 0;
}

const char *kc_kubelet_release_name(const struct kc_kubelet_release *release,
				    struct kc_arena *arena)
{
	const char *name = NULL;

	if (release->minor)
		name = kc_arena_printf(arena, "kubelet %s", release->text);
	return name ? name : "the kubelet";
}

const struct kc_kubelet_setting *kc_kubelet_setting_by_key(const char *key)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(settings); i++)
		if (settings[i].key && kc_streq(settings[i].key, key))
			return &settings[i];
	return NULL;
}

const struct kc_kubelet_setting *kc_kubelet_setting_by_flag(const char *flag)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(settings); i++)
		if (settings[i].flag && kc_streq(settings[i].flag, flag))
			return &settings[i];
	return NULL;
}

const struct kc_kubelet_setting *kc_kubelet_settings(size_t *ret_n)
{
	*ret_n = KC_ARRAY_SIZE(settings);
	return settings;
}

const char *kc_kubelet_setting_default(const struct kc_kubelet_setting *setting,
				       const struct kc_kubelet_release *release, bool has_file)
{
	const char *name = setting->key ? setting->key : setting->flag;

	for (size_t i = 0; i < KC_ARRAY_SIZE(defaults); i++) {
		bool fits;

		if (!kc_streq(defaults[i].name, name))
			continue;
		fits = release->minor ? release->minor >= defaults[i].since &&
						release->minor <= defaults[i].until
				      : defaults[i].since == 0 && defaults[i].until == LATEST;
		if (fits)
			return has_file ? defaults[i].with_file : defaults[i].without_file;
	}
	return NULL;
}

void kc_kubelet_flag_name(char *name)
{
	for (; *name; name++)
		if (*name == '_')
			*name = '-';
}

bool kc_kubelet_flag_is_boolean(const char *flag)
{
	return kc_strv_has(boolean_flags, flag);
}

const struct kc_kubelet_removed_flag *kc_kubelet_flag_removed(const char *flag)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(removed_flags); i++)
		if (kc_streq(removed_flags[i].flag, flag))
			return &removed_flags[i];
	return NULL;
}

int kc_kubelet_gate_default(const char *gate, const struct kc_kubelet_release *release,
			    bool *ret_locked)
{
	/* alpha 1.28, beta and on 1.31, general and locked 1.34 (KK pkg/features/kube_features.go)
	 */
	if (!kc_streq(gate, "KubeletCgroupDriverFromCRI"))
		return -ENOENT;
	if (!release->minor)
		return -ENODATA;
	if (ret_locked)
		*ret_locked = release->minor < 28 || release->minor >= 34;
	return release->minor >= 31;
}

const char *kc_endpoint_path(const char *endpoint, struct kc_arena *arena)
{
	static const char var_run[] = "/var/run/";
	const char *s = kc_after_prefix(endpoint, "unix:");
	char *path, *to;

	if (!s)
		s = endpoint;
	if (*s != '/')
		return kc_arena_strdup(arena, endpoint);
	path = kc_arena_strdup(arena, s);
	if (!path)
		return NULL;
	to = path;
	for (const char *from = path; *from; from++)
		if (*from != '/' || to == path || to[-1] != '/')
			*to++ = *from;
	*to = '\0';
	return kc_after_prefix(path, var_run) ? path + strlen("/var") : path;
}
