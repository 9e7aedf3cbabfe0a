/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "cluster-descriptor.h"
#include "formats/kubelet-config.h"

#define SUBJECT	    "kubelet"
#define DEFAULT_URL "http://127.0.0.1:10248/healthz"

enum {
	MEMORY_MAX = 64 << 20,
	SHOWN_MAX = 200, /* bytes of an answer */
};

struct health {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
	const char *url; /* NULL: may not be asked, and was reported */
	const char *from; /* a sentence where address and port are set, or NULL */
	int64_t timeout;
};

static int setting(const struct health *h, const struct kc_kubelet_config *config, const char *key,
		   struct kc_kubelet_value *ret_value)
{
	return kc_kubelet_value(config, kc_kubelet_setting_by_key(key), h->arena, ret_value);
}

/* The loopback address at which a kubelet that binds to this one can be asked; NULL: none. */
static const char *loopback_of(const char *address)
{
	if (kc_streq(address, "127.0.0.1") || kc_streq(address, "0.0.0.0"))
		return "127.0.0.1";
	if (kc_streq(address, "::1") || kc_streq(address, "::"))
		return "[::1]";
	return NULL;
}

/* Makes the URL of the kubelet's own settings; 1 when there is none, which was reported. */
static int url_of_settings(struct health *h, const struct kc_kubelet_config *config)
{
	struct kc_kubelet_value port, address;
	const char *loopback;
	uint64_t number;
	int r;

	r = setting(h, config, "healthzPort", &port);
	if (!r)
		r = setting(h, config, "healthzBindAddress", &address);
	if (r)
		return r;
	h->url = DEFAULT_URL;
	if (!port.value || !address.value)
		return 0;
	if (kc_parse_u64(port.value, &number) == 0 && number == 0) {
		h->url = NULL;
		r = kc_report(h->host, h->run, KC_NOW, KC_ERROR, SUBJECT, "200 ok", NULL,
			      port.source,
			      "healthzPort is 0: the kubelet has no health end point.");
		return r ? r : 1;
	}
	loopback = loopback_of(address.value);
	if (!loopback) {
		h->url = NULL;
		r = kc_report(h->host, h->run, KC_NOW, KC_ERROR, SUBJECT, "200 ok", NULL,
			      address.source,
			      kc_text(h->host, h->run,
				      "healthzBindAddress is %s, and only loopback addresses are "
				      "asked.",
				      address.value));
		return r ? r : 1;
	}
	h->url = kc_text(h->host, h->run, "http://%s:%s/healthz", loopback, port.value);
	if (port.origin != KC_KUBELET_FROM_DEFAULT)
		h->from = kc_text(h->host, h->run, "The port is that of %s.", port.source);
	return 0;
}

/* What to ask; 1 when nothing is, which was reported. */
static int find_url(struct health *h)
{
	struct kc_kubelet_config config;
	int r = kc_param_string(h->host, h->run, "url", &h->url);

	if (r != -ENOENT)
		return r;
	r = kc_kubelet_boot(h->host, h->run, h->arena, NULL, &config);
	if (r)
		return r;
	if (config.state == KC_KUBELET_ABSENT) {
		r = kc_report_skip(h->host, h->run, KC_NOW, SUBJECT, "not-installed", NULL);
		return r ? r : 1;
	}
	return url_of_settings(h, &config);
}

static const char *join(const struct health *h, const char *a, const char *b)
{
	if (!a || !b)
		return a ? a : b;
	return kc_text(h->host, h->run, "%s. %s", a, b);
}

/* Nothing, or no whole answer. What is wrong with the question itself is no fault of the kubelet's.
 */
static int report_no_answer(const struct health *h, int code, uint64_t left)
{
	static const struct {
		int code;
		const char *found;
	} faults[] = {
		{ -ECONNREFUSED, "nobody listens" },
		{ -ETIMEDOUT, "no answer in time" },
		{ -ECONNRESET, "a broken answer" },
		{ -EPROTO, "another protocol than HTTP" },
		{ -EBADMSG, "an answer that cannot be understood" },
		{ -EFBIG, "an answer without end" },
	};
	const char *why = kc_text(h->host, h->run, "%s", kc_why(h->host, h->run));

	if (code == -ETIMEDOUT && left < (uint64_t)h->timeout)
		return kc_report(h->host, h->run, KC_NOW, KC_ERROR, SUBJECT, "200 ok", NULL, h->url,
				 join(h, why,
				      "The rule's own time was up by then: raise --timeout above "
				      "the check's timeout."));
	for (size_t i = 0; i < KC_ARRAY_SIZE(faults); i++)
		if (faults[i].code == code)
			return kc_report(h->host, h->run, KC_NOW, KC_FAIL, SUBJECT, "200 ok",
					 faults[i].found, h->url, join(h, why, h->from));
	return kc_report(h->host, h->run, KC_NOW, KC_ERROR, SUBJECT, "200 ok", NULL, h->url, why);
}

/* "500 [-]syncloop failed: …", cut, with its lines joined. */
static const char *describe(const struct health *h, int status, const struct kc_bytes *body)
{
	char text[SHOWN_MAX + 1];
	size_t n = 0;

	for (size_t i = 0; i < body->size && n < SHOWN_MAX; i++) {
		char c = body->data[i] == '\n' || body->data[i] == '\0' ? ' ' : body->data[i];

		if (c != ' ' || (n > 0 && text[n - 1] != ' '))
			text[n++] = c;
	}
	while (n > 0 && text[n - 1] == ' ')
		n--;
	text[n] = '\0';
	return kc_text(h->host, h->run, "%d%s%s%s", status, n > 0 ? " " : "", text,
		       body->size > SHOWN_MAX ? " …" : "");
}

static bool is_ok(const struct kc_bytes *body)
{
	size_t n = body->size;

	while (n > 0 && kc_isspace(body->data[n - 1]))
		n--;
	return n == 2 && memcmp(body->data, "ok", 2) == 0;
}

static int judge(const struct health *h)
{
	uint64_t left = kc_time_left(h->host, h->run);
	struct kc_bytes body;
	bool healthy;
	int r, status;

	r = kc_health(h->host, h->run, h->url, (uint64_t)h->timeout, &status, &body);
	if (r)
		return report_no_answer(h, r, left);
	healthy = status == 200 && is_ok(&body);
	return kc_report(h->host, h->run, KC_NOW, healthy ? KC_PASS : KC_FAIL, SUBJECT, "200 ok",
			 describe(h, status, &body), h->url,
			 healthy ? NULL : join(h, "journalctl -u kubelet says more", h->from));
}

int cluster_kubelet_health_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = MEMORY_MAX };
	struct health h = { .host = host, .run = run, .arena = &arena };
	int r;

	if (!(kc_horizons(host, run) & KC_NOW))
		return 0;
	r = kc_param_number(host, run, "timeout", &h.timeout);
	if (!r)
		r = find_url(&h);
	if (!r)
		r = judge(&h);
	return r < 0 ? r : 0;
}
