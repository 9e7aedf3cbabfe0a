/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <sysexits.h>

#include "base/num.h"
#include "sys/bus.h"

/*
 * ask-bus ROOT TIMEOUT unit NAME
 * ask-bus ROOT TIMEOUT property DESTINATION PATH INTERFACE NAME
 * ask-bus ROOT TIMEOUT method DESTINATION PATH INTERFACE NAME [ARGUMENT…]
 *
 * Asks through the door itself, and prints NAME=VALUE lines of a unit, or a value a line; or "error
 * ERRNO: SENTENCE" with exit code 1. A question that stands several times, parted by "--", is put
 * again over the same connection.
 */
static int print(const struct kc_answer *answer, bool pairs)
{
	if (answer->code < 0) {
		printf("error %d: %s\n", -answer->code, answer->why);
		return 1;
	}
	for (size_t i = 0; i < answer->n_items; i++)
		printf("%s%c", answer->items[i].data, pairs && i % 2 == 0 ? '=' : '\n');
	return 0;
}

static int ask(const struct kc_root *root, void **state, uint64_t timeout, char **words, size_t n)
{
	const struct kc_door_host host = { .root = root };
	struct kc_question question = { .timeout_usec = timeout };
	struct kc_arena arena = { 0 };
	struct kc_answer answer;
	bool unit;
	int r;

	unit = n == 2 && kc_streq(words[0], "unit");
	if (!unit && !(n >= 5 && (kc_streq(words[0], "property") || kc_streq(words[0], "method"))))
		return EX_USAGE;
	question.kind = unit ? KC_ASK_UNIT : KC_ASK_BUS;
	question.number = kc_streq(words[0], "property");
	question.strings =
		(struct kc_strings){ .n = n - 1, .item = (const char *const *)(words + 1) };
	kc_door_bus(&host, state, &question, &arena, &answer);
	r = print(&answer, unit);
	kc_arena_done(&arena);
	return r;
}

int main(int argc, char **argv)
{
	kc_cleanup(kc_root_freep) struct kc_root *root = NULL;
	struct kc_err err = { 0 };
	void *state = NULL;
	uint64_t timeout;
	int r = EX_USAGE;

	if (argc < 4 || kc_parse_duration(argv[2], &timeout) < 0 || timeout == 0)
		return EX_USAGE;
	if (kc_root_open(argv[1], KC_ROOT_LIVE, &err, &root) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return EX_NOINPUT;
	}
	for (int i = 3; i < argc;) {
		int end = i;

		while (end < argc && !kc_streq(argv[end], "--"))
			end++;
		r = ask(root, &state, timeout, argv + i, (size_t)(end - i));
		i = end + 1;
	}
	kc_bus_state_free(state);
	return r;
}
