/* SPDX-License-Identifier: Apache-2.0 */
#include "kubelet.h"

#ifdef HAVE_CRIO_CONFIG
#include "formats/crio-config.h"

int kubelet_crio_side(const struct judgement *j, struct crio_side *ret_side)
{
	const char *version = kubelet_fact(j, "runtime.version");
	const char *name = kubelet_fact(j, "runtime.name");
	struct crio_side side = { .state = CRIO_READ };
	struct kc_crio_config *crio;
	const struct kc_crio_fault *fault;
	bool is_crio = name && kc_streq(name, "cri-o");
	int r;

	r = kc_crio_config_load(j->host, j->run, j->arena,
				version && is_crio ? kc_crio_version(version) : 0, &crio);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		*ret_side = (struct crio_side){
			.state = CRIO_UNKNOWN,
			.why = kc_text(j->host, j->run, "CRI-O's unit cannot be read: %s",
				       kc_why(j->host, j->run)),
			.why_source = KC_CRIO_UNIT,
		};
		return 0;
	}
	if (!crio->installed) {
		*ret_side = (struct crio_side){ .state = CRIO_ABSENT };
		return 0;
	}
	side.driver = crio->cgroup_manager.text;
	side.driver_source = crio->cgroup_manager.source;
	side.socket = crio->listen.text;
	side.socket_source = crio->listen.source;
	fault = crio->refused ? crio->refused : crio->unseen;
	if (fault) {
		side.why = kc_text(j->host, j->run, "%s %s",
				   crio->refused ? "CRI-O would not start:"
						 : "CRI-O's configuration cannot be read:",
				   fault->text);
		side.why_source = fault->source;
	} else if (!side.driver || !side.socket) {
		side.why = "The defaults of this version of CRI-O are not known.";
		side.why_source = KC_CRIO_CONFIG;
	}
	if (side.why)
		side.state = CRIO_UNKNOWN;
	*ret_side = side;
	return 0;
}

#else

int kubelet_crio_side(const struct judgement *j, struct crio_side *ret_side)
{
	*ret_side = (struct crio_side){
		.state = CRIO_UNKNOWN,
		.why = "This k8scheck was built without TOML and cannot read CRI-O's "
		       "configuration.",
		.why_source = "/etc/crio/crio.conf",
	};
	return 0;
}

#endif
