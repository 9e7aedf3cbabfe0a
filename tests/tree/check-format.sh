#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every C file stands as clang-format 14 with the tree's own style has it.
cd "$(dirname "$0")/../.." || exit 1
for tool in clang-format-14 clang-format; do
    command -v "$tool" >/dev/null && break
done
version=$("$tool" --version 2>/dev/null | sed 's/.*version \([0-9]*\).*/\1/')
if [ "$version" != 14 ]; then
    echo "skipped: the style is written for clang-format 14, and here is ${version:-none}"
    exit 77
fi
find checker plugins reports tests -name '*.[ch]' -o -name '*.cc' | grep -v '^tests/plugins/.*/root/' | sort |
    xargs "$tool" --dry-run -Werror
