# SPDX-License-Identifier: Apache-2.0
"""What the booted tests, in containers and in machines, know of the guide's untouched node, and of what a boot does to it."""

import time

import drifts

# (now, boot) of the guide's untouched node, where that is neither a pass nor a skip.
UNTOUCHED = {
    "host-os": ("skip", "fail"),
    "firewall": drifts.BOTH,
    "ip-forward": drifts.BOTH,
    "crio-service": drifts.BOTH,
    "crio-socket": drifts.AT_NOW,
    "crio-conmon": drifts.AT_BOOT,
    "kubelet-cgroup-driver": drifts.AT_BOOT,
    "kubelet-arguments": drifts.AT_BOOT,
    "kubelet-crio-agree": drifts.AT_BOOT,
    "kubelet-service": drifts.AT_BOOT,
}
# Its evidence, as the report says it.
EVIDENCE = {
    "host-os": "debian 12",
    "firewall": "default zone public",
    "ip-forward": "/proc/sys/net/ipv4/ip_forward",
    "crio-conmon": "/usr/libexec/crio/conmon: not there",
    "kubelet-cgroup-driver": "cgroupfs",
}
# Debian is none of the systems that the guide is for.
LEFT = {"host-os"}

# What a boot changes by itself, and what is the test's own; all else is compared.
PASSING = (
    "case",
    "dev",
    "proc",
    "run",
    "sys",
    "tmp",
    ".autorelabel",
    "etc/machine-id",
    # Updated once by the first boot.
    "etc/.updated",
    "var/.updated",
    "var/cache/ldconfig",
    "var/log",
    "var/tmp",
    "var/lib/systemd",
    "var/lib/dbus",
    "var/lib/private",
    # Transactions are kept.
    "var/lib/k8scheck",
)
# Folders that have what comes and goes.
TOUCHED = (".", "etc", "var", "var/lib", "var/cache")


def screen(out, title):
    print(f"---- k8scheck {title}\n{out}----", flush=True)


class Clock:
    def __init__(self, what):
        self.what, self.begun = what, time.monotonic()

    def seconds(self):
        return time.monotonic() - self.begun

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        print(f"{self.what}: {self.seconds():.1f} s", flush=True)
