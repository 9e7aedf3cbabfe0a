/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "api/k8scheck-plugin.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "digest.h"

/*
 * What is at a name of a folder: nothing, a file, a folder, a link, with all that a rollback has to
 * bring back: content by its digest, owner, mode, times, and extended attributes, the security
 * label and access control lists among them.
 */

struct kc_node_xattr {
	const char *name;
	const char *value;
	size_t size;
};

struct kc_node {
	uint32_t type; /* enum kc_file_type; 0: nothing is there */
	uint32_t mode, uid, gid;
	uint64_t size;
	struct timespec atime, mtime;
	const char *sha256; /* of a file's content, if it was read; else NULL */
	const char *link; /* text of a link; else NULL */
	const struct kc_node_xattr *xattrs; /* in the order of their names */
	uint32_t n_xattrs;
	/* Which object it is: true of the running system alone, and in no journal. */
	uint64_t device, inode;
	uint32_t nlink;
	struct timespec ctime;
	bool overlay; /* it is in an overlayfs, which may give it another number (copy-up) */
};

enum {
	KC_NODE_SIZE_MAX = 4 * 1024 * 1024, /* bytes of a file that may be changed */
};

enum {
	KC_NODE_CONTENT = 1u << 0, /* of a file: read it, too */
};

/*
 * Looks at a name, without following a link; `flags` are 0 or KC_NODE_CONTENT. `content` (may be
 * NULL) gets the bytes of a file; *ret_fd (may be NULL) is the file, open for reading, or -EBADF.
 * Devices, FIFOs and sockets are told by their type and never opened. Texts live in the arena. 0
 * also where nothing is there. -EFBIG: the file is larger than KC_NODE_SIZE_MAX.
 */
int kc_node_read(int dir, const char *name, unsigned flags, struct kc_arena *arena,
		 struct kc_err *err, struct kc_node *ret_node, struct kc_buf *content, int *ret_fd);

/* The same of a file or folder that is open. */
int kc_node_read_fd(int fd, unsigned flags, struct kc_arena *arena, struct kc_err *err,
		    struct kc_node *ret_node, struct kc_buf *content);

/* True for the same content: type, bytes or text of the link. */
bool kc_node_same_content(const struct kc_node *a, const struct kc_node *b);

/*
 * The same type, owner, mode and extended attributes. A label of a security module that one alone
 * has is no difference: new files get one, and images without any are labelled when they start.
 */
bool kc_node_same_owner(const struct kc_node *a, const struct kc_node *b);

/* Both. Times are not compared. */
bool kc_node_same(const struct kc_node *a, const struct kc_node *b);

/*
 * True for the same object, not changed in between as far as its times tell. In an overlayfs whose
 * layers are of several file systems, the first write makes another object of a file, of the same
 * content, attributes and time (Documentation/filesystems/overlayfs.rst, "Non-standard behavior"):
 * that is no change.
 */
bool kc_node_untouched(const struct kc_node *a, const struct kc_node *b);

/*
 * As text for a journal, and back (pure; -EBADMSG for what kc_node_put() does not write). Texts
 * live in the arena.
 */
void kc_node_put(struct kc_buf *b, const struct kc_node *node);
int kc_node_get(const char *text, struct kc_arena *arena, struct kc_node *ret_node);

/*
 * Gives a file or folder that is open owner, mode, extended attributes and, with `times`, times of
 * a node. Attributes that no copy may have (security.ima, security.evm, trusted.overlay.*), and
 * labels that the node does not have, are left to the kernel.
 */
int kc_node_apply(int fd, const struct kc_node *node, bool times, struct kc_err *err);

/* The same of a link, by its name in a folder. */
int kc_node_apply_link(int dir, const char *name, const struct kc_node *node, bool times,
		       struct kc_err *err);
