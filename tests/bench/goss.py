#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same list as bench_profile.py, for goss: goss.py N [SOCKET]. goss takes a key once, so a key that is needed again is
asked by the file below /proc/sys."""

import sys

import bench_profile as generator


def main():
    number = int(sys.argv[1])
    known = generator.keys()
    print("kernel-param:")
    for key, value in known[:number]:
        print(f"  {key}: {{value: \"{value}\"}}")
    if len(sys.argv) > 2 or number > len(known):
        print("file:")
    if len(sys.argv) > 2:
        print(f"  {sys.argv[2]}: {{exists: true, filetype: socket}}")
    for i in range(len(known), number):
        key, value = known[i % len(known)]
        path = "/proc/sys" + "/." * (i // len(known)) + "/" + key.replace(".", "/")
        print(f"  {path}: {{exists: true, contents: [\"{value}\"]}}")


main()
