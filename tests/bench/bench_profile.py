#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Prints a profile of N sysctl rules over keys that this host has, with the values they have: bench_profile.py N [SOCKET].
Or, with the files that it looks at, the list of the set-up that goss was measured with: bench_profile.py list FOLDER SOCKET.
"""

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


# What goss can say of the set-up without services and commands: ten resources, eighteen results.
LIST = """\
title: the list that goss was measured with
rules:
  - {{id: swap, check: swap.off}}
  - id: crio-conf
    check: file.state
    with: {{path: {folder}/crio.conf, type: regular, mode: "0644", owner: root}}
  - id: crio-conf-lines
    check: file.lines
    with: {{path: {folder}/crio.conf, has: ['cgroup_manager = "systemd"', "selinux = true"], lacks: ['cgroup_manager = "cgroupfs"']}}
  - {{id: crio-sock, check: file.state, with: {{path: {socket}, type: socket}}}}
  - id: kubelet-conf
    check: file.lines
    with: {{path: {folder}/config.yaml, has: ["cgroupDriver: systemd", "failSwapOn: true"], matches: [unix:///var/run/crio/crio.sock]}}
  - {{id: modules-load, check: file.lines, with: {{path: {folder}/k8s.conf, has: [br_netfilter, overlay]}}}}
  - {{id: proc-modules, check: file.state, with: {{path: /proc/modules}}}}
  - {{id: sys-module, check: file.state, with: {{path: /sys/module}}}}
  - {{id: iptables, check: sysctl.value, with: {{keys: [net.bridge.bridge-nf-call-iptables], value: 1}}}}
  - {{id: ip6tables, check: sysctl.value, with: {{keys: [net.bridge.bridge-nf-call-ip6tables], value: 1}}}}
  - {{id: ip-forward, check: sysctl.value, with: {{keys: [net.ipv4.ip_forward], value: 1}}}}
"""
LIST_FILES = {
    "crio.conf": '[crio.runtime]\nselinux = true\ncgroup_manager = "systemd"\n',
    "config.yaml": "cgroupDriver: systemd\nfailSwapOn: true\ncontainerRuntimeEndpoint: unix:///var/run/crio/crio.sock\n",
    "k8s.conf": "overlay\nbr_netfilter\n",
}


def print_list(folder, socket):
    for name, text in LIST_FILES.items():
        path = os.path.join(folder, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o644)
    print(LIST.format(folder=folder, socket=socket), end="")


def main():
    if sys.argv[1] == "list":
        print_list(*sys.argv[2:4])
        return
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
