/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "formats/crio-config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Parts of the input between NUL characters: files in their order, and last the command line. */
static size_t split(const char *text, size_t size, struct kc_crio_file *file, size_t max)
{
	size_t n = 0;

	while (n < max) {
		const char *end = memchr(text, '\0', size);
		size_t length = end ? (size_t)(end - text) : size;

		file[n] = (struct kc_crio_file){
			.path = "/etc/crio/crio.conf.d/fuzz.conf",
			.text = text,
			.size = length,
			.dropin = n > 0,
		};
		n++;
		if (!end)
			break;
		text += length + 1;
		size -= length + 1;
	}
	return n;
}

static size_t words_of(char *text, struct kc_word *word, size_t max)
{
	size_t n = 0;

	for (char *w; n < max && (w = strsep(&text, " \n"));)
		word[n++] = (struct kc_word){ w, { "/etc/sysconfig/crio", 1 } };
	return n;
}

static void check(const struct kc_crio_config *config)
{
	const struct kc_crio_value *const values[] = { &config->conmon, &config->cgroup_manager,
						       &config->listen, &config->default_runtime };

	for (size_t i = 0; i < KC_ARRAY_SIZE(values); i++)
		if (!values[i]->text || !values[i]->source)
			abort();
	for (size_t i = 0; i < config->n_handlers; i++)
		if (kc_crio_conmon(config, &config->handler[i]) &&
		    !kc_crio_conmon(config, &config->handler[i])->text[0])
			abort();
	for (size_t i = 0; i < config->n_faults; i++)
		if (!config->fault[i].subject || !config->fault[i].source || !config->fault[i].text)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kc_arena arena = { 0 };
	struct kc_crio_file file[4];
	struct kc_word word[32];
	struct kc_service_command service = { .command = { .word = word } };
	struct kc_crio_options options;
	struct kc_crio_input input = { .file = file, .options = &options };
	struct kc_crio_config *config;
	char *last;

	if (size == 0)
		return 0;
	input.version = data[0] % 48;
	input.complete = data[0] & 0x80;
	input.n_files = split((const char *)data + 1, size - 1, file, KC_ARRAY_SIZE(file));
	last = kc_arena_memdup(&arena, file[input.n_files - 1].text, file[input.n_files - 1].size);
	if (last)
		service.command.n = words_of(last, word, KC_ARRAY_SIZE(word));
	if (kc_crio_options_parse(&service, &arena, &options) == 0 &&
	    kc_crio_config_merge(&input, &arena, &config) == 0)
		check(config);
	kc_arena_done(&arena);
	return 0;
}
