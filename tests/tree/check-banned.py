#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Functions that have no place here: those without bounds or errors anywhere, and in plugins every way to the host
that goes around the table of services."""

import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
ANYWHERE = ["strcpy", "strcat", "sprintf", "vsprintf", "gets", "atoi", "atol", "atof", "strtol", "strtoul", "strtoll",
            "strtoull", "strtok", "alloca", "system", "popen", "tmpnam", "mktemp", "basename", "dirname"]
IN_PLUGINS = ["open", "openat", "fopen", "opendir", "stat", "lstat", "fstatat", "readlink", "access", "getenv",
              "fork", "vfork", "execv", "execve", "socket", "connect", "printf", "fprintf", "puts", "exit", "abort",
              "dlopen", "sd_bus_open_system", "uname", "gethostname", "getaddrinfo"]

# By file and function, with the reason.
EXCEPT = {
    ("plugins/modules/kmod.c", "dlopen"): "its own library, where it is asked: to map it takes longer than the check",
    ("plugins/formats/mount-library.c", "dlopen"): "libmount, where a line needs it: to map it takes longer than the check",
}


def pattern(names):
    return re.compile(r"(?<![\w.>])(" + "|".join(names) + r")\s*\(")


def strip(text):
    """Comments and texts hold words that are no calls."""
    text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.S)
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r'"(\\.|[^"\\\n])*"', '""', text)


def main():
    wrong, looked_at = [], 0
    for top in ("checker", "plugins", "reports"):
        for folder, _, files in os.walk(os.path.join(ROOT, top)):
            for name in sorted(files):
                if not name.endswith((".c", ".h", ".cc")):
                    continue
                path = os.path.relpath(os.path.join(folder, name), ROOT)
                names = ANYWHERE + (IN_PLUGINS if path.startswith("plugins/") else [])
                with open(os.path.join(ROOT, path), errors="replace") as f:
                    text = strip(f.read())
                looked_at += 1
                for number, line in enumerate(text.splitlines(), 1):
                    for match in pattern(names).finditer(line):
                        if (path, match.group(1)) not in EXCEPT:
                            wrong.append(f"{path}:{number}: {match.group(1)}()")
    print("\n".join(wrong))
    print(f"{looked_at} files looked at, {len(wrong)} wrong")
    return 1 if wrong or looked_at < 50 else 0


sys.exit(main())
