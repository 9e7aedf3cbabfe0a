/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "policy-parts.h"

/*
 * The kubelet's flags and configuration that let others in, or name what it runs as root: static
 * pods, plugins, other files of configuration. Each may get one of the values that are listed, and
 * no other; without a list none. A value that ends in "/" stands for all paths below it.
 */
struct opening {
	const char *flag; /* kubelet(1); NULL: of the file alone */
	const char *key; /* KubeletConfiguration (v1beta1), its last name; NULL: a flag alone */
	const char *values[5];
};

#define OWN_FOLDERS    "/usr/", "/opt/"
#define SOCKET_FOLDERS "unix:///run/", "unix:///var/run/", "/run/", "/var/run/"

static const struct opening openings[] = {
	{ "anonymous-auth", NULL, { "false" } },
	{ "authorization-mode", "mode", { "Webhook" } },
	{ "authentication-token-webhook", NULL, { "true" } },
	{ "read-only-port", "readOnlyPort", { "0" } },
	{ "client-ca-file", "clientCAFile", { NULL } },
	{ "tls-cert-file", "tlsCertFile", { NULL } },
	{ "tls-private-key-file", "tlsPrivateKeyFile", { NULL } },
	{ "cert-dir", NULL, { NULL } },
	{ "root-dir", NULL, { NULL } },
	{ "config", NULL, { NULL } },
	{ "config-dir", NULL, { NULL } },
	{ "dynamic-config-dir", NULL, { NULL } },
	{ "kubeconfig", NULL, { NULL } },
	{ "bootstrap-kubeconfig", NULL, { NULL } },
	{ "pod-manifest-path", "staticPodPath", { "/etc/kubernetes/manifests" } },
	{ "manifest-url", "staticPodURL", { NULL } },
	{ "manifest-url-header", "staticPodURLHeader", { NULL } },
	{ "volume-plugin-dir", "volumePluginDir", { OWN_FOLDERS } },
	{ "cni-bin-dir", NULL, { OWN_FOLDERS } },
	{ "image-credential-provider-bin-dir", NULL, { NULL } },
	{ "image-credential-provider-config", NULL, { NULL } },
	{ "container-runtime-endpoint", "containerRuntimeEndpoint", { SOCKET_FOLDERS } },
	{ "image-service-endpoint", "imageServiceEndpoint", { SOCKET_FOLDERS } },
	{ "allowed-unsafe-sysctls", "allowedUnsafeSysctls", { NULL } },
	{ "protect-kernel-defaults", "protectKernelDefaults", { "true" } },
	{ "seccomp-default", "seccompDefault", { "true" } },
	{ "rotate-certificates", "rotateCertificates", { "true" } },
	{ "log-file", NULL, { NULL } },
	{ "log-dir", NULL, { NULL } },
	/* Of whom it is said stands in lines before, so that both are for a person. */
	{ NULL, "enabled", { NULL } },
	{ NULL, "authentication", { NULL } },
	{ NULL, "anonymous", { NULL } },
	{ NULL, "webhook", { NULL } },
	{ NULL, "x509", { NULL } },
	{ NULL, "authorization", { NULL } },
};

static bool is_allowed(const struct opening *opening, const char *value)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(opening->values) && opening->values[i]; i++) {
		const char *allowed = opening->values[i];

		if (kc_endswith(allowed, "/")
			    ? kc_after_prefix(value, allowed) && !strstr(value, "..")
			    : kc_streq(value, allowed))
			return true;
	}
	return false;
}

/* ---- flags, in environment files ---- */

/* A backslash hides a character, and has the next line go on with this one; a quote does so, too.
 */
static bool is_whole(const char *line)
{
	unsigned quotes[2] = { 0 };

	for (const char *p = line; *p; p++) {
		quotes[0] += *p == '"';
		quotes[1] += *p == '\'';
	}
	return quotes[0] % 2 == 0 && quotes[1] % 2 == 0 && !strchr(line, '\\');
}

bool kc_policy_kubelet_line(const char *line)
{
	line += strspn(line, " \t");
	if (!is_whole(line))
		return true;
	if (!*line || *line == '#' || *line == ';')
		return false;
	return !kc_after_prefix(line, "KUBELET_") ||
	       line[strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_")] != '=';
}

/* Of a comment with "#" before: a word is another one when it is no longer in a comment. */
void kc_policy_kubelet_words(const char *text, size_t size, struct kc_buf *out)
{
	bool first = true, begun = false, comment = false, flag = false;

	for (const char *p = text; p < text + size; p++) {
		const bool ends_line = *p == '\n' || *p == '\r' || *p == '\0';

		if (ends_line || *p == ' ' || *p == '\t') {
			if (begun)
				kc_buf_addc(out, '\n');
			begun = false;
			first = first || ends_line;
			continue;
		}
		if (first)
			comment = *p == '#' || *p == ';';
		first = false;
		if (*p == '"' || *p == '\'')
			continue;
		if (!begun) {
			flag = *p == '-';
			if (comment)
				kc_buf_addc(out, '#');
		}
		/* The name of the variable is a word of its own. */
		begun = flag || *p != '=';
		if (!begun) {
			kc_buf_addc(out, '\n');
			continue;
		}
		/* The kubelet takes "_" in names of flags for "-". No value that counts has it. */
		kc_buf_addc(out, *p == '_' ? '-' : *p);
	}
}

bool kc_policy_kubelet_word(const char *line)
{
	const char *flag = kc_after_prefix(line + (*line == '#'), "--");
	size_t n;

	if (!flag)
		return false;
	n = strcspn(flag, "=");
	for (size_t i = 0; i < KC_ARRAY_SIZE(openings); i++) {
		const char *name = openings[i].flag;

		if (name && strlen(name) == n && strncmp(name, flag, n) == 0)
			return flag[n] != '=' || !is_allowed(&openings[i], flag + n + 1);
	}
	return false;
}

/* ---- its configuration ---- */

/*
 * A setting of a line of its own. What else YAML knows (flows, anchors, tags, blocks, escapes)
 * could say the same in ways that are not seen here.
 */
bool kc_policy_kubelet_config_line(const char *line)
{
	kc_cleanup(kc_freep) char *copy = strdup(line);
	char *key, *value, *colon, *comment;

	if (!copy)
		return true;
	key = copy + strspn(copy, " ");
	if (!*key || *key == '#')
		return false;
	if (strpbrk(key, "\\{}[]&*!|>?`@\t"))
		return true;
	comment = strstr(key, " #");
	if (comment)
		*comment = '\0';
	if (kc_after_prefix(key, "- "))
		key += 2 + strspn(key + 2, " ");
	colon = strchr(key, ':');
	/* An item of a list has no name; another line would go on with the value before. */
	if (!colon)
		return !kc_after_prefix(copy + strspn(copy, " "), "- ");
	*colon = '\0';
	value = kc_strstrip(colon + 1);
	if (strpbrk(key, "'\" "))
		return true;
	if (*value == '"' || *value == '\'') {
		const char quote = *value++;
		char *end = strchr(value, quote);

		if (!end || end[1])
			return true;
		*end = '\0';
	}
	for (size_t i = 0; i < KC_ARRAY_SIZE(openings); i++) {
		if (openings[i].key && strcasecmp(openings[i].key, key) == 0)
			return !is_allowed(&openings[i], value);
	}
	return false;
}
