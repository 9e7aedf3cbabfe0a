# SPDX-License-Identifier: Apache-2.0
"""Kernel parameters of this host, and values that it does not have: what is seen of a root must not be the host's."""


def host_value(key):
    with open("/proc/sys/" + key.replace(".", "/")) as f:
        return f.read().strip()


KEYS = {
    "net.ipv4.ip_forward": ("0", "1"),
    "kernel.panic": ("17", "18"),
    "vm.swappiness": ("61", "60"),
    "net.core.somaxconn": ("1234", "4321"),
}


def other(key):
    """A value that this host does not have."""
    return next(v for v in KEYS[key] if v != host_value(key))


def sysctl_profile(values):
    lines = ["rules:"]
    for i, (key, value) in enumerate(values.items()):
        lines += [f"  - id: key-{i}", "    check: sysctl.value", f"    with: {{keys: [{key}], value: \"{value}\"}}"]
    return "\n".join(lines) + "\n"
