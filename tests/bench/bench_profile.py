#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints a profile of N sysctl rules over keys that this host has, with the values they have: bench_profile.py N [SOCKET]."""

import os
import sys


def keys():
    found = []
    for folder, _, files in os.walk("/proc/sys"):
        for name in files:
            path = os.path.join(folder, name)
            try:
                if not os.stat(path).st_mode & 0o004:
                    continue
                with open(path) as f:
                    value = f.read(64).strip()
            except (OSError, UnicodeDecodeError):
                continue
            if value.isdigit() and "." not in path[len("/proc/sys/"):]:
                found.append((path[len("/proc/sys/"):].replace("/", "."), value))
    return sorted(found)


def main():
    number = int(sys.argv[1])
    known = keys()
    print(f"title: {number} sysctl rules\nrules:")
    for i in range(number):
        key, value = known[i % len(known)]
        print(f"  - id: rule-{i}\n    check: sysctl.value\n    with: {{keys: [{key}], value: {value}}}")
    if len(sys.argv) > 2:
        print(f"  - id: socket\n    check: cri.answers\n    title: The runtime answers\n"
              f"    stage: runtime\n    with: {{endpoint: \"unix://{sys.argv[2]}\", conditions: []}}")


if __name__ == "__main__":
    main()
