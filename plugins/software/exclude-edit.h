/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

/*
 * A repository file's text in which a section excludes these names, too; pure. They come behind
 * those of its last exclude= (or excludepkgs=), whose further lines stay, or into a line
 * exclude= of their own behind the section's last setting. -ENOENT: no such section; -ENOTSUP: NUL
 * bytes, or a line that is neither a section nor a setting; -ENOMEM.
 */
int exclude_edit(const char *text, size_t size, const char *section, const char *names,
		 struct kc_buf *out);
