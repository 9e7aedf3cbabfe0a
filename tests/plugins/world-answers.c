/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdio.h>

#include "base/num.h"
#include "world-internal.h"

static const struct {
	const char *name;
	int code;
} errnos[] = {
#define E(x)          \
	{             \
#x, x \
	}
	E(ENOENT),	    E(EACCES),	  E(EPERM),	   E(EOPNOTSUPP),   E(ENOSYS),
	E(ENOTSUP),	    E(ETIMEDOUT), E(ECONNREFUSED), E(ENOTSOCK),	    E(EISDIR),
	E(ELOOP),	    E(EFBIG),	  E(ECONNRESET),   E(EPROTO),	    E(EBADMSG),
	E(ENOTCONN),	    E(ENOMEM),	  E(EINVAL),	   E(EAGAIN),	    E(EIO),
	E(EPROTONOSUPPORT), E(EREMOTEIO), E(ENETUNREACH),  E(EHOSTUNREACH),
#undef E
};

int world_errno(struct world *w, const char *name)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(errnos); i++) {
		if (kc_streq(errnos[i].name, name))
			return -errnos[i].code;
	}
	world_broken(w, "answers: no such errno", name);
}

static const char *question_text(struct world *w, const struct kc_question *q)
{
	static const char *const words[KC_ASK_MAX] = {
		[KC_ASK_UNIT] = "unit",
		[KC_ASK_BUS] = "bus",
		[KC_ASK_RUNTIME] = "runtime",
		[KC_ASK_HEALTH] = "health",
		[KC_ASK_LOOKUP] = "lookup",
		[KC_ASK_PORT] = "port",
		[KC_ASK_PROGRAM] = "program",
		[KC_ASK_PROCESS] = "process",
		[KC_ASK_SYSCTL] = "sysctl",
		[KC_ASK_ADDRESSES] = "addresses",
		[KC_ASK_SOCKET_HOLDER] = "socket-holder",
		[KC_ASK_SOCKETS] = "sockets",
	};
	static const char *const runtime[] = { "",     "version", "status", "config",
					       "pods", "images",  "info",   "config-file" };
	const char *text = words[q->kind];

	if (q->kind == KC_ASK_BUS && q->number)
		text = "property";
	if (q->kind == KC_ASK_SOCKETS)
		return q->number == KC_PROTOCOL_TCP ? "sockets tcp" : "sockets udp";
	if (q->kind == KC_ASK_PROCESS || q->kind == KC_ASK_SOCKET_HOLDER)
		text = world_text(w, "%s %lld", text, (long long)q->number);
	for (size_t i = 0; i < q->strings.n; i++)
		text = world_text(w, "%s %s", text, q->strings.item[i]);
	if (q->kind == KC_ASK_RUNTIME)
		text = world_text(w, "%s %s", text, runtime[q->number]);
	if (q->kind == KC_ASK_PORT)
		text = world_text(w, "%s %lld", text, (long long)q->number);
	return text;
}

/* "ADDRESS PORT INODE" */
static void add_socket(struct world *w, const char *text, struct kc_arena *arena,
		       struct kc_answer *answer)
{
	kc_cleanup(kc_freep) char *copy = strdup(text);
	char *save = NULL, *address = copy ? strtok_r(copy, " ", &save) : NULL;
	const char *port = address ? strtok_r(NULL, " ", &save) : NULL;
	const char *inode = port ? strtok_r(NULL, " ", &save) : NULL;
	struct kc_socket s = { .family = address && strchr(address, ':') ? 6 : 4 };
	uint64_t number = 0;

	if (!inode || inet_pton(s.family == 4 ? AF_INET : AF_INET6, address, s.address) != 1 ||
	    kc_parse_u64(port, &number) < 0 || kc_parse_u64(inode, &s.inode) < 0)
		world_broken(w, "answers: not ADDRESS PORT INODE", text);
	s.port = (uint16_t)number;
	kc_answer_add(answer, arena, &s, sizeof(s));
}

static void fill_answer(struct world *w, const struct kc_yaml_node *item, uint32_t kind,
			struct kc_arena *arena, struct kc_answer *answer)
{
	const struct kc_yaml_node *node = kc_yaml_get(item, "answer");
	const char *error = world_scalar(item, "error"), *why = world_scalar(item, "why");
	const char *numbers[] = { world_scalar(item, "number"), world_scalar(item, "number2") };

	if (error) {
		kc_answer_fail(answer, arena, world_errno(w, error), "%s", why ? why : error);
		return;
	}
	for (unsigned i = 0; i < 2; i++) {
		if (numbers[i] && kc_parse_i64(numbers[i], &answer->numbers[i]) < 0)
			world_broken(w, "answers: not a number", numbers[i]);
	}
	for (uint32_t i = 0; node && i < node->n; i++) {
		if (kind == KC_ASK_SOCKETS) {
			add_socket(w, node->item[i]->scalar, arena, answer);
			continue;
		}
		if (node->type == KC_YAML_SCALAR) {
			kc_answer_adds(answer, arena, node->scalar);
			return;
		}
		if (node->type == KC_YAML_SEQUENCE) {
			kc_answer_adds(answer, arena, node->item[i]->scalar);
			continue;
		}
		kc_answer_adds(answer, arena, node->pair[i].key->scalar);
		kc_answer_adds(answer, arena, node->pair[i].value->scalar);
	}
	if (node && node->type == KC_YAML_SCALAR && node->n == 0)
		kc_answer_adds(answer, arena, "");
}

/* As the program holds it: a program is run for a check whose manifest says so, and for facts. */
static void check_program(struct world *w, const struct kc_question *question)
{
	if (question->kind == KC_ASK_PROGRAM && w->rule &&
	    !(w->rule->check->flags & (KC_CHECK_RUNS_PROGRAM | KC_CHECK_RUNS_OWN_PROGRAM)))
		world_complain(w, "%s runs %s, and its manifest does not say that it runs programs",
			       w->rule->check->id, question->strings.item[0]);
}

/* A line to add to the case, once for each question. */
static void note_unanswered(struct world *w, const char *text)
{
	kc_cleanup(kc_buf_done) struct kc_buf line = { 0 };

	kc_buf_adds(&line, "  - {ask: ");
	world_write_text(&line, text);
	kc_buf_adds(&line, ", answer: {}}\n");
	if (!line.data || (w->unanswered.data && strstr(w->unanswered.data, line.data)))
		return;
	kc_buf_adds(&w->unanswered, line.data);
}

void world_ask(void *context, const struct kc_question *question, struct kc_arena *arena,
	       struct kc_answer *ret_answer)
{
	struct world *w = context;
	const struct kc_yaml_node *answers = kc_yaml_get(w->yaml, "answers");
	const char *text = question_text(w, question);

	check_program(w, question);
	for (uint32_t i = 0; answers && i < answers->n; i++) {
		const char *ask = world_scalar(answers->item[i], "ask");

		if (!ask || !kc_streq(ask, text))
			continue;
		w->asked[i] = true;
		fill_answer(w, answers->item[i], question->kind, arena, ret_answer);
		return;
	}
	if (world_ask_rpm(w, question, arena, ret_answer))
		return;
	/* As the door does for every root but "/": the tables below /proc/net are read then. */
	if (question->kind == KC_ASK_SOCKETS) {
		kc_answer_fail(ret_answer, arena, -EOPNOTSUPP, "the sockets of a case's root");
		return;
	}
	world_complain(w, "asked what the case does not answer%s%s: %s", w->rule ? " by rule " : "",
		       w->rule ? w->rule->id : "", text);
	note_unanswered(w, text);
	kc_answer_fail(ret_answer, arena, -ENOSYS, "no answer in the case");
}

void world_rewind(struct world *w)
{
	const struct kc_yaml_node *answers = kc_yaml_get(w->yaml, "answers");

	w->asked = kc_arena_zalloc(&w->arena, answers ? answers->n + 1 : 1, sizeof(bool));
	if (!w->asked)
		abort();
}

void world_settle(struct world *w)
{
	const struct kc_yaml_node *answers = kc_yaml_get(w->yaml, "answers");

	for (uint32_t i = 0; answers && i < answers->n; i++) {
		const char *ask = world_scalar(answers->item[i], "ask");

		if (!w->asked[i] && !world_scalar(answers->item[i], "optional"))
			world_complain(w, "never asked: %s",
				       ask ? ask : "(an item without \"ask\")");
	}
	if (w->unanswered.len > 0)
		(void)printf("  to add to `answers`, with what they shall be:\n%s",
			     w->unanswered.data);
	kc_buf_done(&w->unanswered);
}
