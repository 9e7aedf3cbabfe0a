#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Stands in for kubeadm in tests: says how it was called, an argument a line."""

import os
import sys

LOG = "/var/log/stand-in/kubeadm.log"

if "--version" in sys.argv or sys.argv[1:2] == ["version"]:
    print("v1.18.20")
    sys.exit(0)
os.makedirs(os.path.dirname(LOG), exist_ok=True)
with open(LOG, "w") as f:
    f.write("".join(a + "\n" for a in sys.argv[1:]))
print("stand-in kubeadm: " + " ".join(sys.argv[1:]))
