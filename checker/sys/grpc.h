/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

/*
 * Framing and status of gRPC over HTTP/2 (PROTOCOL-HTTP2.md of the gRPC project), as far as one
 * empty request and one answer go. Pure.
 */

enum {
	KC_GRPC_PREFIX = 5, /* a flag, and the length in four bytes, big end first */
	KC_GRPC_OK = 0,
	KC_GRPC_UNIMPLEMENTED = 12,
};

/* A request without fields. */
extern const char kc_grpc_empty_request[KC_GRPC_PREFIX];

/*
 * The one message of a body, borrowed from it. -EBADMSG when it is cut, is followed by more, or is
 * compressed, which was not asked for. Messages name no place.
 */
int kc_grpc_message(const void *body, size_t size, struct kc_err *err, const void **ret_message,
		    size_t *ret_size);

/* How many bytes the body will have, by its prefix; 0 when that is not there yet. */
size_t kc_grpc_expected(const void *body, size_t size);

/* A grpc-status: 0 to 999; -EBADMSG when it is no number. */
int kc_grpc_status_parse(const char *text, size_t size, int *ret_status);

/* "UNAVAILABLE"; "status N" is written to buf for those that have no name. */
enum {
	KC_GRPC_STATUS_TEXT = 32
};
const char *kc_grpc_status_name(int status, char buf[KC_GRPC_STATUS_TEXT]);

/* The errno of k8scheck-plugin.h for a status that is not KC_GRPC_OK. */
int kc_grpc_status_errno(int status);

/* Appends a grpc-message, its %XX decoded; what is no such escape stays as it is. */
void kc_grpc_message_text(const char *text, size_t size, struct kc_buf *b);
