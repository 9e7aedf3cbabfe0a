#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds every #include "…" to the house: base <- model <- sys <- {profile, run, fix} <- main, plugins through the
contract and plugins/formats alone, report writers through model alone."""

import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
MAY = {
    "api": set(),
    "base": {"base"},
    "model": {"api", "base", "model"},
    "sys": {"api", "base", "model", "sys"},
    "profile": {"api", "base", "model", "sys", "profile"},
    "run": {"api", "base", "model", "sys", "run"},
    # Unit files are read by the code that judges them.
    "fix": {"api", "base", "model", "sys", "fix", "formats"},
    "main": {"api", "base", "model", "sys", "profile", "run", "fix", "main", "reports"},
    "reports": {"api", "base", "model", "reports"},
    "formats": {"api", "base", "formats"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
GENERATED = re.compile(r"(-descriptor\.h|\.pb-c\.h|^syscall-lists\.h)$")


def layer(path):
    """The layer of a file, by its path from the top."""
    parts = path.split("/")
    if parts[0] == "checker":
        return parts[1] if len(parts) > 2 else "main"
    if parts[0] == "plugins":
        return "formats" if parts[1] == "formats" else "plugin:" + parts[1]
    return parts[0]


def resolve(path, include):
    """The file that an include names, by its path from the top; None when there is none."""
    for folder in (os.path.dirname(path), "checker", "checker/api", "plugins", ""):
        candidate = os.path.normpath(os.path.join(folder, include))
        if os.path.isfile(os.path.join(ROOT, candidate)):
            return candidate
    return None


def main():
    wrong, looked_at = [], 0
    for top in ("checker", "plugins", "reports"):
        for folder, _, files in os.walk(os.path.join(ROOT, top)):
            for name in files:
                if not name.endswith((".c", ".h", ".cc")):
                    continue
                path = os.path.relpath(os.path.join(folder, name), ROOT)
                own = layer(path)
                may = MAY.get(own, {"api", "formats", own})
                with open(os.path.join(ROOT, path), errors="replace") as f:
                    for number, line in enumerate(f, 1):
                        match = INCLUDE.match(line)
                        if not match or GENERATED.search(match.group(1)):
                            continue
                        looked_at += 1
                        target = resolve(path, match.group(1))
                        if target is None:
                            wrong.append(f"{path}:{number}: {match.group(1)} is no file of the tree")
                        elif layer(target) not in may:
                            wrong.append(f"{path}:{number}: {own} must not include {target}")
    print("\n".join(wrong))
    print(f"{looked_at} includes looked at, {len(wrong)} wrong")
    return 1 if wrong or looked_at < 100 else 0


sys.exit(main())
