/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "root.h"

/*
 * A folder below a root that was listed, and is asked for single names of it: at one system call
 * for each, or none, where a path from the root takes three.
 */
enum kc_folder_exactness {
	KC_FOLDER_UNASKED = 0, /* the file system decides, which is asked when it matters */
	KC_FOLDER_EXACT = 1, /* a lookup finds what is listed, and nothing else */
	KC_FOLDER_INEXACT = 2,
};

struct kc_folder {
	struct kc_strings names; /* sorted, without . and .. */
	struct kc_strings links; /* those of them that are symbolic links, if has_links */
	bool has_links;
	enum kc_folder_exactness exactness;
	int fd; /* the folder; -EBADF: nothing can be asked of it any more */
};

/*
 * Lists a folder; all of it lives in the arena but the descriptor, which the caller closes.
 * `links`: they are wanted even where each name has to be looked at for it. At most 65,536 names
 * (-EFBIG).
 */
int kc_folder_list(const struct kc_root *root, const char *path, bool links, struct kc_arena *arena,
		   struct kc_err *err, struct kc_folder *ret_folder);

/* True when it is certain that looking the name up in the folder would find nothing. */
bool kc_folder_lacks(struct kc_folder *folder, const char *name);

/* True for a name that is a symbolic link by the listing. */
bool kc_folder_has_link(const struct kc_folder *folder, const char *name);

/*
 * As kc_root_stat() with KC_NOFOLLOW and kc_root_read_link() of the path, whose last part is `name`
 * and whose other parts lead to the folder. `name` is neither empty nor "." nor "..". For roots
 * that are live: in others each object's file system would have to be looked at.
 */
int kc_folder_stat(const struct kc_folder *folder, const char *name, const char *path,
		   struct kc_err *err, struct kc_stat *ret_stat);
int kc_folder_read_link(const struct kc_folder *folder, const char *name, const char *path,
			struct kc_err *err, struct kc_buf *b);
