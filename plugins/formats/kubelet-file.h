/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/yaml.h"
#include "kubelet-setting.h"

/*
 * One file of the kubelet's configuration (KubeletConfiguration of kubelet.config.k8s.io/v1beta1),
 * as the kubelet decodes it: strictly first, then leniently with a warning in its log, so that
 * unknown fields and keys that stand twice are no reason not to start, and wrong types, another
 * kind, or text that is no YAML are (KK pkg/kubelet/kubeletconfig/util/codec/codec.go). JSON is
 * YAML here. Pure.
 */

enum {
	KC_KUBELET_FILE_MAX = 1024 * 1024, /* bytes */
};

struct kc_kubelet_file {
	const char *path;
	bool dropin;
	bool missing; /* it is not there */
	int64_t mtime_usec; /* 0: not known */
	const char *text; /* as read; NULL when it was not */
	size_t size;
	const struct kc_yaml_node *root; /* NULL when refused or not readable */
	/* At most one of these two; sentences without the place, which is `at`. */
	const char *refusal; /* the kubelet would not start with it */
	const char *unread; /* it could not be read or understood here, which says nothing of the
			       kubelet */
	/* The kubelet starts, but not with what the file seems to say. */
	const char *warning;
	const char *at; /* FILE, FILE:LINE or FILE:LINE:COLUMN of refusal or unread */
	const char *warning_at;
};

/*
 * Parses `size` bytes. What is wrong with them is told in *ret_file; `path` is borrowed, all else
 * lives in the arena. Only -ENOMEM is returned as an error.
 */
int kc_kubelet_file_parse(const char *path, const char *text, size_t size, bool dropin,
			  struct kc_arena *arena, struct kc_kubelet_file *ret_file);

/*
 * The node that sets a key ("authentication.x509.clientCAFile"); NULL when the file does not, or
 * sets it to null. An empty text counts as not set in a base file (the kubelet puts the default in
 * its place) and as set in a drop-in, where no default follows.
 */
const struct kc_yaml_node *kc_kubelet_file_get(const struct kc_kubelet_file *file, const char *key);

/*
 * A node as text: scalars as written (booleans as true and false), lists and mappings in one line
 * as YAML writes them, cut after 4 KiB. NULL only for want of memory.
 */
const char *kc_kubelet_node_text(const struct kc_yaml_node *node, uint8_t type,
				 struct kc_arena *arena);

/*
 * The text with one top-level key set to a plain word, all else kept byte for byte: the value is
 * replaced where the key stands, or a line is added at the end. The result is parsed again and
 * compared before it is given. -ENOTSUP when the text is such that this cannot be done (flow style
 * without the key, several documents, a value that is not one word, a key that stands twice);
 * -ENOMEM.
 */
int kc_kubelet_file_set(const struct kc_kubelet_file *file, const char *key, const char *word,
			struct kc_arena *arena, const char **ret_text, size_t *ret_size);
