# SPDX-License-Identifier: Apache-2.0
"""A profile of three rules, and a host that they are judged on: two pass, one fails."""

PROFILE = """\
title: Three rules
vars:
  forward: "1"
  panic: "10"
rules:
  - id: ip-forward
    check: sysctl.value
    title: The host forwards
    stage: host
    tags: [boot-gate, network]
    with: {keys: [net.ipv4.ip_forward], value: "${forward}"}
  - id: ip-nonlocal
    check: sysctl.value
    title: The host binds foreign addresses
    severity: info
    stage: runtime
    with: {keys: [net.ipv4.ip_nonlocal_bind], value: 0}
  - id: panic
    check: sysctl.value
    title: The host reboots by itself
    severity: recommended
    stage: kubelet
    tags: [panic]
    with: {keys: [kernel.panic], value: "${panic}"}
"""

FILES = {
    "/proc/sys/net/ipv4/ip_forward": "1\n",
    "/proc/sys/net/ipv4/ip_nonlocal_bind": "0\n",
    "/proc/sys/kernel/panic": "0\n",
    "/etc/sysctl.d/99-k.conf": "net.ipv4.ip_forward = 1\nnet.ipv4.ip_nonlocal_bind = 0\nkernel.panic = 0\n",
}
