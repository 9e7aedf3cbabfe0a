/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "cri.h"

/* What stands at the end point, for each way in which it can fail to answer. */
static const struct {
	int code;
	const char *found, *advice;
} failures[] = {
	{ -ENOENT, "no socket", "Start the runtime, or correct the end point" },
	{ -ENOTSOCK, "something that is not a socket",
	  "Move it aside and restart the runtime, which makes its socket anew" },
	{ -ECONNREFUSED, "a socket left behind by a dead daemon",
	  "Restart the runtime; its log says why it ended" },
	{ -ETIMEDOUT, "no answer in time",
	  "The daemon hangs or is overloaded: see its log, then restart it" },
	{ -ECONNRESET, "a broken answer",
	  "The daemon ended or gave up in the middle: see its log" },
	{ -EPROTO, "another protocol than CRI",
	  "Something else listens there: correct the end point" },
	{ -EBADMSG, "an answer that cannot be understood",
	  "The runtime is damaged, or something else listens there" },
	{ -EFBIG, "an answer without end", "Something else listens there: correct the end point" },
	{ -ENOTSUP, "a server without CRI v1 and v1alpha2",
	  "The runtime's CRI is switched off, or the runtime is too old or too new" },
	{ -EAGAIN, "a runtime that is not available yet",
	  "It is still starting, or overloaded: see its log" },
	{ -EREMOTEIO, "a runtime that answers with an error", "See its log" },
};

int cri_report_failure(const struct cri_check *c, int code, uint64_t left, const char *question,
		       const char *source)
{
	const char *expected, *message;

	/* Who was not given the time that the rule allows has not failed. */
	if (code == -ETIMEDOUT && left < c->timeout)
		return kc_report(
			c->host, c->run, KC_NOW, KC_ERROR, question,
			kc_text(c->host, c->run, "an answer within %s",
				cri_duration(c, c->timeout)),
			NULL, source,
			kc_text(c->host, c->run,
				"%s. The rule's own time was up by then: raise --timeout above the "
				"check's timeout.",
				kc_why(c->host, c->run)));
	for (size_t i = 0; i < KC_ARRAY_SIZE(failures); i++) {
		if (failures[i].code != code)
			continue;
		expected = kc_text(c->host, c->run, "an answer within %s",
				   cri_duration(c, c->timeout));
		message = kc_text(c->host, c->run, "%s. %s.", kc_why(c->host, c->run),
				  failures[i].advice);
		return kc_report(c->host, c->run, KC_NOW, KC_FAIL, question, expected,
				 failures[i].found, source, message);
	}
	return kc_report_error(c->host, c->run, KC_NOW, question, source);
}

const char *cri_duration(const struct cri_check *c, uint64_t usec)
{
	if (usec % 1000000 == 0)
		return kc_text(c->host, c->run, "%" PRIu64 "s", usec / 1000000);
	if (usec % 1000 == 0)
		return kc_text(c->host, c->run, "%" PRIu64 "ms", usec / 1000);
	return kc_text(c->host, c->run, "%" PRIu64 "us", usec);
}

const char *cri_value(const struct kc_pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->n; i++) {
		if (kc_streq(pairs->item[i].key, key))
			return pairs->item[i].value;
	}
	return NULL;
}
