/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>

#include "network.h"

int network_is_hosts(const struct kc_host *host, struct kc_run *run)
{
	struct kc_stat own = { .size_of = sizeof(own) }, init = { .size_of = sizeof(init) };
	int r;

	if (kc_stat(host, run, "/proc/net/tcp", 0, &own) ||
	    kc_stat(host, run, "/proc/1/net/tcp", 0, &init))
		return 1;
	if (own.inode == init.inode && own.device == init.device)
		return 1;
	r = kc_report(
		host, run, KC_NOW, KC_ERROR, NULL, NULL, NULL, "/proc/1/net",
		"k8scheck runs in another network namespace than the first process of this "
		"host, and sees that network alone: run it in the host's (nsenter --net=/proc/"
		"1/ns/net, hostNetwork of a pod).");
	return r;
}

bool network_glob_any(const struct kc_strings *patterns, const char *name)
{
	for (size_t i = 0; i < patterns->n; i++) {
		if (fnmatch(patterns->item[i], name, 0) == 0)
			return true;
	}
	return false;
}

const char *network_join(const struct kc_host *host, struct kc_run *run,
			 const struct kc_strings *words, const char *empty)
{
	const char *text = empty;

	for (size_t i = 0; i < words->n; i++)
		text = i ? kc_text(host, run, "%s, %s", text, words->item[i]) : words->item[i];
	return text;
}
