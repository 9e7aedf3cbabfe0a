/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ask-runtime ROOT ENDPOINT QUESTION…: puts the questions through the door itself, one after the
 * other, and prints "KEY=VALUE" lines; a failure as "error ERRNO: sentence". Exit code 1 when one
 * failed.
 */

#include <stdio.h>

#include "base/str.h"
#include "sys/runtime.h"

static const char *const questions[] = {
	[KC_RUNTIME_VERSION] = "version",	  [KC_RUNTIME_STATUS] = "status",
	[KC_RUNTIME_CONFIG] = "config",		  [KC_RUNTIME_PODS] = "pods",
	[KC_RUNTIME_IMAGES] = "images",		  [KC_RUNTIME_INFO] = "info",
	[KC_RUNTIME_CONFIG_FILE] = "config-file",
};

static int question_number(const char *name)
{
	for (int i = KC_RUNTIME_VERSION; i <= KC_RUNTIME_CONFIG_FILE; i++) {
		if (kc_streq(questions[i], name))
			return i;
	}
	return -1;
}

static int ask(const struct kc_root *root, void **state, const char *endpoint, int number)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	const struct kc_door_host host = { .root = root };
	const struct kc_question question = {
		.kind = KC_ASK_RUNTIME,
		.timeout_usec = 5 * 1000 * 1000,
		.number = number,
		.strings = { .n = 1, .item = (const char *const[]){ endpoint, NULL } },
	};
	struct kc_answer answer;

	kc_door_runtime(&host, state, &question, &arena, &answer);
	if (answer.code < 0) {
		(void)printf("error %d: %s\n", -answer.code, answer.why);
		return 1;
	}
	for (size_t i = 0; i + 1 < answer.n_items; i += 2)
		(void)printf("%s=%s\n", answer.items[i].data, answer.items[i + 1].data);
	return 0;
}

int main(int argc, char **argv)
{
	kc_cleanup(kc_root_freep) struct kc_root *root = NULL;
	struct kc_err err = { 0 };
	void *state = NULL;
	int failed = 0;

	if (argc < 4) {
		(void)fprintf(stderr, "usage: ask-runtime ROOT ENDPOINT QUESTION...\n");
		return 2;
	}
	if (kc_root_open(argv[1], KC_ROOT_LIVE, &err, &root) < 0) {
		(void)fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	for (int i = 3; i < argc; i++) {
		int number = question_number(argv[i]);

		if (number < 0) {
			(void)fprintf(stderr, "ask-runtime: there is no question '%s'\n", argv[i]);
			return 2;
		}
		failed |= ask(root, &state, argv[2], number);
	}
	kc_door_runtime_close(state);
	return failed;
}
