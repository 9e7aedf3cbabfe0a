#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Stands in for crio in tests: reads crio.conf and its drop-ins for what the guide is about, refuses to start with a conmon
that is not there, as CRI-O does, and has stand-in-runtime answer on its socket.
"""

import os
import re
import socket
import subprocess
import sys

CONF, DROP_INS, SOCKET = "/etc/crio/crio.conf", "/etc/crio/crio.conf.d", "/var/run/crio/crio.sock"
RUNTIME = "/usr/lib/stand-in/stand-in-runtime"


def configuration():
    """Keys of [crio.runtime] that are one line of text; a later file overrides, and CRI-O reads whatever lies there."""
    files = [CONF]
    for folder, _, names in sorted(os.walk(DROP_INS)):
        files += [os.path.join(folder, name) for name in sorted(names)]
    found = {}
    for path in files:
        section = ""
        if not os.path.isfile(path):
            continue
        with open(path) as f:
            for line in f:
                head = re.match(r"\s*\[([^]]+)\]", line)
                value = re.match(r'\s*(\w+)\s*=\s*"([^"]*)"', line)
                section = head.group(1) if head else section
                if value and section == "crio.runtime":
                    found[value.group(1)] = value.group(2)
    return found


def find_conmon(path):
    if path:
        return path if os.path.exists(path) else None
    for folder in os.environ.get("PATH", "").split(":"):
        if os.access(os.path.join(folder, "conmon"), os.X_OK):
            return os.path.join(folder, "conmon")
    return None


def notify(text):
    place = os.environ.get("NOTIFY_SOCKET", "")
    if place:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.sendto(text.encode(), "\0" + place[1:] if place[0] == "@" else place)


def main():
    if sys.argv[1:] == ["--version"]:
        print("crio version 1.18.4")
        return 0
    conmon = configuration().get("conmon", "")
    if not find_conmon(conmon):
        print(f"invalid conmon path: stat {conmon}: no such file or directory", file=sys.stderr)
        return 1
    os.makedirs(os.path.dirname(SOCKET), exist_ok=True)
    if os.path.exists(SOCKET):
        os.unlink(SOCKET)
    runtime = subprocess.Popen([RUNTIME, SOCKET, "crio"], stdout=subprocess.PIPE)
    runtime.stdout.readline()
    notify("READY=1")
    return runtime.wait()


sys.exit(main())
