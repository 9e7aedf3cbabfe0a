#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Every path that a manifest of the tree says its check reads has a row in places.py, or a file in it has, or stands here with
the row that is read in the same way, or with why it has none: PROGRAM (which is not run).
"""

import glob
import os
import re

import places

HERE = os.path.dirname(os.path.abspath(__file__))
MANIFESTS = os.path.join(HERE, "..", "..", "plugins", "*", "*.yaml")
PATH = re.compile(r"(?<![\w$)])/[A-Za-z][\w./?*-]*[\w*]")

# Read by the same function as the row.
SAME = {
    "/boot": "/boot/loader/entries",
    "/efi": "/boot/loader/entries",
    "/etc/distro.repos.d": "/etc/yum.repos.d",
    "/etc/dnf/libdnf5.conf.d": "/etc/dnf/repos.override.d/50-local.repo",
    "/usr/share/dnf5/libdnf.conf.d": "/etc/dnf/repos.override.d/50-local.repo",
    "/usr/share/dnf5/repos.override.d": "/etc/dnf/repos.override.d/50-local.repo",
    "/usr/share/dnf5/repos.d": "/etc/yum.repos.d",
    "/etc/yum/repos.d": "/etc/yum.repos.d",
    "/etc/yum.conf": "/etc/dnf/dnf.conf",
    "/etc/sysconfig/kubelet": "/etc/default/kubelet",
    "/etc/systemd/system.attached": "/etc/systemd/system",
    "/etc/systemd/system.control": "/etc/systemd/system",
    "/lib/sysctl.d": "/usr/lib/sysctl.d",
    "/usr/local/lib/sysctl.d": "/usr/lib/sysctl.d",
    "/lib/systemd/system": "/etc/systemd/system",
    "/usr/local/lib/systemd/system": "/etc/systemd/system",
    "/usr/lib/modprobe.d": "/etc/modprobe.d",
    "/usr/local/lib/modprobe.d": "/etc/modprobe.d",
    "/usr/lib/modules-load.d": "/etc/modules-load.d",
    "/usr/local/lib/modules-load.d": "/etc/modules-load.d",
    "/usr/lib/NetworkManager/system-connections": "/etc/NetworkManager/system-connections/ens3.nmconnection",
    "/proc/self/mountinfo": "/proc/1/mountinfo",
    "/proc/net/tcp6": "/proc/net/tcp",
    "/proc/net/udp": "/proc/net/tcp",
    "/proc/net/udp6": "/proc/net/tcp",
    "/proc/sys/kernel/hostname": "/etc/hostname",
    "/var/lib/kubelet/instance-config.yaml": "/var/lib/kubelet/config.yaml",
}

# What no row can have.
OTHER_ROOT = "read once the kernel has named its addresses or sockets, which it does not for another root; tests/plugins/network"
OF_RPM = "read once rpm has named the package, which it is not run for on another root; tests/plugins/software"
FOLDERS = "names that other rows complete: the same of each folder"
NONE = {
    "/etc": FOLDERS,
    "/lib": FOLDERS,
    "/usr/lib": FOLDERS,
    "/usr/local/lib": FOLDERS,
    "/etc/systemd": FOLDERS,
    "/usr/lib/systemd": FOLDERS,
    "/usr/local/lib/systemd": FOLDERS,
    "/sys": "links of devices, which name a partition; without them it is named by its number",
    "/sys/class/net": "names of interfaces alone, of which each is a link",
    "/sys/module": "whether a folder is there",
    "/sys/devices/system/cpu/present": "it tells more CPUs than are online, and goes into a remark",
    "/sys/kernel/kexec_crash_size": "it goes into a remark, and into no verdict",
    "/sys/kernel/security/lsm": "beside /proc/filesystems, and like it no more than a hint: the kernel's configuration decides",
    "/etc/init.d": "whether a script is there, and may be executed; it is not read",
    "/etc/rc?.d": "names of links alone",
    "/etc/kubernetes/pki": "names of files alone, by the row of /etc/kubernetes/manifests",
    "/var/lib/kubelet/pki": "names of files alone, by the row of /etc/kubernetes/manifests",
    "/etc/dnf/plugins/versionlock.conf": OF_RPM,
    "/etc/dnf/versionlock.toml": OF_RPM,
    "/etc/yum/pluginconf.d/versionlock.conf": OF_RPM,
    "/proc/net/route": OTHER_ROOT,
    "/proc/net/ipv6_route": OTHER_ROOT,
    "/proc/net/sockstat": OTHER_ROOT,
    "/proc/1/net/tcp": "its inode alone, which is the network namespace's",
    "/proc/PID/cmdline": "processes are looked for on a running system; tests/plugins/kubelet",
    "/usr/share/dbus-1/system-services": "whether a name is there",
    "/runtime.v1.RuntimeService/Version": "a question to a runtime: talks.py",
    "/info": "a question to a runtime: talks.py",
    "/config": "a question to a runtime: talks.py",
}


def reads(path):
    """The paths in the lists of a manifest called "reads", with the text that each stands in."""
    with open(path) as f:
        lines = f.read().splitlines()
    depth = None
    for line in lines:
        head = re.match(r"( *)reads:(.*)$", line)
        if head:
            depth = len(head.group(1))
            text = head.group(2)
        elif depth is not None and (not line.strip() or len(line) - len(line.lstrip()) > depth):
            text = line
        else:
            depth = None
            continue
        for found in PATH.findall(text):
            yield found, text.strip()


def main():
    suite = places.k8s.Suite("what checks read")
    rows = {place.path for place in places.PLACES}
    used, with_row = set(), 0
    for manifest in sorted(glob.glob(MANIFESTS)):
        for path, text in reads(manifest):
            here = path in rows or any(row.startswith(path + "/") for row in rows if path.count("/") > 1)
            with_row += here
            used.add(path)
            where = os.path.relpath(manifest, os.path.join(HERE, "..", ".."))
            known = here or path in SAME or path in NONE
            suite.expect_true(f"{where}: {path} ({text}) has a row in places.py, or a word in test-reads.py", known)
    for path, row in SAME.items():
        suite.expect_true(f"{path} is read as a row that there is", row in rows, row)
    for path in {*SAME, *NONE} - used:
        suite.expect_true(f"{path} is read by a check", False)
    suite.expect_true("manifests were read", with_row > 50, with_row)
    print(f"{len(used)} paths, of which {len(used & set(SAME))} are read as another is, and {len(used & set(NONE))} have no row")
    suite.end()


main()
