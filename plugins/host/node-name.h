/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

/*
 * Why a name cannot be that of a node: a clause for a finding; NULL when it can. The name of a Node
 * is a subdomain of RFC 1123 in lower case (IsDNS1123Subdomain of k8s.io/apimachinery): at most 253
 * characters, labels of a to z, 0 to 9 and "-" that begin and end with a letter or digit. Names
 * that mean the machine itself everywhere (localhost, localhost.localdomain, …) are none. Pure.
 */
const char *host_node_name_fault(const char *name);

/* localhost, or a name below it or that begins with it. */
bool host_name_is_localhost(const char *name);

/*
 * The name in the text of hostname(5): the first line that is neither empty nor a comment, without
 * white space around it. In the arena; -ENOENT: no line has one; -EBADMSG: NUL bytes; -ENOMEM.
 * Pure.
 */
int host_hostname_parse(const char *text, size_t size, struct kc_arena *arena,
			const char **ret_name, unsigned *ret_line);
