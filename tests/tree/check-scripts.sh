#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Shell and Python files parse; with shellcheck where it is installed.
cd "$(dirname "$0")/../.." || exit 1
wrong=0
while IFS= read -r file; do
    case $(head -n 1 "$file") in
    *bash*) bash -n "$file" || wrong=1 ;;
    *sh*) sh -n "$file" || wrong=1 ;;
    *python*) python3 -c 'import ast,sys; ast.parse(open(sys.argv[1]).read())' "$file" || wrong=1 ;;
    esac
    if command -v shellcheck >/dev/null && head -n 1 "$file" | grep -qE '^#!.*sh$|shellcheck shell'; then
        shellcheck -x -S warning "$file" || wrong=1
    fi
done < <(find scripts .ci tests -type f \( -perm -u+x -o -name '*.sh' -o -name '*.py' \) -not -path '*/root/*')
exit $wrong
