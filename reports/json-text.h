/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "base/str.h"

/*
 * JSON for reports. Output is ASCII: what a terminal or a log would act upon (C1 controls, marks
 * that turn the direction of text) is then an escape of JSON, and a program that parses it gets the
 * very characters. Functions return 0 or -ENOMEM; those that make a value NULL.
 */
enum {
	KC_JSON_VALUE_MAX = 64 * 1024, /* bytes of a host's value */
};

struct kc_json {
	FILE *out;
	struct kc_buf text; /* scratch: a value on its way to UTF-8 */
	struct kc_buf encoded; /* one dumped value */
};

void kc_json_done(struct kc_json *w);

/* A host's text, or null for NULL. */
json_t *kc_json_text(struct kc_json *w, const char *s);
json_t *kc_json_text_list(struct kc_json *w, const char *const *list);

/* A host's bytes, that may have NUL among them; null for NULL. */
json_t *kc_json_bytes(struct kc_json *w, const char *s, size_t n);

/*
 * Sets a member; its name is a constant of the program. The value is taken, and may be NULL, which
 * fails.
 */
int kc_json_set(json_t *object, const char *name, json_t *value);
int kc_json_set_text(struct kc_json *w, json_t *object, const char *name, const char *s);
int kc_json_set_text_if(struct kc_json *w, json_t *object, const char *name, const char *s);
int kc_json_set_number(json_t *object, const char *name, uint64_t number);

/* Appends a value to `encoded`. */
int kc_json_encode(struct kc_json *w, const json_t *json);

/* Writes what is encoded to the stream, without any mark of a command of CI systems. */
void kc_json_put_encoded(struct kc_json *w);

/* Writes a value, which it takes; NULL, that could not be made, fails. */
int kc_json_put(struct kc_json *w, json_t *value);

/* The same, as a member behind another. */
int kc_json_put_member(struct kc_json *w, const char *name, json_t *value);
