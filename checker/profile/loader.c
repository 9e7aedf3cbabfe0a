/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "base/fdio.h"
#include "base/grow.h"
#include "loader.h"
#include "search.h"

enum {
	INPUTS_MAX = 10000
};

void kc_loader_done(struct kc_loader *l)
{
	free(l->inputs);
	free(l->variables);
	free(l->drafts.items);
	free(l->drafts.table);
	kc_faults_done(&l->faults);
	kc_arena_done(&l->scratch);
	kc_trust_folder_done(&l->folder);
}

int kc_loader_add(struct kc_loader *l, const char *name, const char *label, bool option,
		  uint16_t *ret_input)
{
	struct kc_input *inputs;

	if (l->n_inputs == INPUTS_MAX)
		return -ENOMEM;
	inputs = kc_grow(l->inputs, l->n_inputs, &l->inputs_size, sizeof(*inputs));
	if (!inputs)
		return -ENOMEM;
	l->inputs = inputs;
	inputs[l->n_inputs] = (struct kc_input){ .name = name, .label = label, .option = option };
	*ret_input = (uint16_t)l->n_inputs++;
	return 0;
}

struct kc_where kc_loader_where(struct kc_loader *l, uint16_t input)
{
	const struct kc_input *i = l->inputs + input;

	return (struct kc_where){
		.faults = &l->faults, .file = i->label, .order = input, .option = i->option
	};
}

bool kc_loader_untrusted(const struct kc_loader *l, uint16_t input)
{
	return l->inputs[input].warning != NULL;
}

static int parse(struct kc_loader *l, uint16_t input, const struct kc_buf *text, const char *what,
		 const struct kc_yaml_node **ret_node)
{
	struct kc_where where = kc_loader_where(l, input);
	const struct kc_yaml_node *node = NULL;
	struct kc_err err = { 0 };
	int r;

	r = kc_yaml_parse_apart(where.file, text->data, text->len, 0, &l->scratch, l->arena, &err,
				&node);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		kc_fault_said(&where, NULL, err.text);
	else if (!node)
		kc_fault_at(&where, NULL, "the %s is empty", what);
	l->incomplete |= r < 0;
	*ret_node = node;
	return 0;
}

/* Room for the whole file, so that a large one is not copied while it grows. */
static void reserve(int fd, struct kc_buf *text)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size >= KC_PROFILE_SIZE_MAX)
		return;
	text->data = malloc((size_t)st.st_size + 1);
	if (text->data)
		text->size = (size_t)st.st_size + 1;
}

int kc_loader_read(struct kc_loader *l, int fd, const char *name, const struct kc_err *distrust,
		   const char *what, uint16_t *ret_input, const struct kc_yaml_node **ret_node)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	uint16_t input = 0;
	int r;

	*ret_node = NULL;
	r = kc_loader_add(l, name, name, false, &input);
	if (r < 0)
		return r;
	*ret_input = input;
	reserve(fd, &text);
	r = kc_read_all(fd, KC_PROFILE_SIZE_MAX, &text);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		struct kc_where where = kc_loader_where(l, input);

		l->incomplete = true;
		kc_fault_at(&where, NULL, "cannot read the %s: %s", what,
			    r == -EFBIG ? "it is larger than 16 MiB" : kc_strerror(r));
		return 0;
	}
	if (l->request->keep_texts) {
		l->inputs[input].text = kc_arena_memdup(l->arena, text.data, text.len);
		l->inputs[input].size = text.len;
		if (!l->inputs[input].text)
			return -ENOMEM;
	}
	if (distrust->text[0]) {
		l->inputs[input].warning = kc_arena_strdup(l->arena, distrust->text);
		if (!l->inputs[input].warning)
			return -ENOMEM;
	}
	return parse(l, input, &text, what, ret_node);
}
