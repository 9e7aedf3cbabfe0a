/* SPDX-License-Identifier: Apache-2.0 */

/* Where every member stands, by the header of this build; built once by each header. */

#ifdef ABI_FROZEN
#include "k8scheck-plugin-1.0.h"
#define LAYOUT layout_frozen
#else
#include <k8scheck-plugin.h>
#define LAYOUT layout_now
#endif

#include "layout.h"

#define M(type, member)                            \
	{ .name = #type "." #member,               \
	  .offset = offsetof(struct type, member), \
	  .size = sizeof(((struct type *)0)->member) },
#define V(value) { .name = #value, .offset = (size_t)(value) },
#define S(type)	 { .name = "sizeof " #type, .least = sizeof(struct type) },

const struct layout LAYOUT[] = {
#include "layout.inc"
	{ 0 },
};
