# SPDX-License-Identifier: Apache-2.0
"""Drifts that take a kernel of the machine's own: swap, SELinux, modules, their settings, and the kernel's arguments."""

from drifts import BOOT, FORWARD, NOW, Drift

SWAP = ("swapon --noheadings --show=NAME", "")
MODE = ("getenforce", "Permissive")
BRIDGED = ("sysctl -n net.bridge.bridge-nf-call-iptables 2>/dev/null || echo no such key", "1")
OVERLAY = ("test -e /sys/module/overlay && echo loaded || echo not loaded", "loaded")
PANIC = ("sysctl -n kernel.panic", "10")
OVERCOMMIT = ("sysctl -n vm.overcommit_memory", "1")

LISTED = "/etc/modules-load.d/br_netfilter.conf"
UNLISTED = {rule: BOOT for rule in ("module-br-netfilter", "bridge-nf-call-iptables", "bridge-nf-call-ip6tables")}
UNIT = "[Swap]\\nWhat=/dev/vda2\\n[Install]\\nWantedBy=swap.target\\n"


def argument(word):
    """The line of a shell script that adds an argument of the kernel to the boot loader's entry."""
    return f"sed -i 's,^\\(\\s*linux .*\\),\\1 {word},' /boot/grub/grub.cfg"


ALL = (
    # Swap.
    Drift(
        "swap, on by hand",
        "swap-off",
        "swapon /dev/vda2",
        {"swap-off": NOW},
        SWAP,
        "",
    ),
    Drift(
        "swap, by fstab",
        "swap-off",
        "echo LABEL=node-swap none swap defaults 0 0 >>/etc/fstab",
        {"swap-off": BOOT},
        SWAP,
        "/dev/vda2",
    ),
    Drift(
        "swap, by a unit",
        "swap-off",
        f"printf '{UNIT}' >/etc/systemd/system/dev-vda2.swap; systemctl -q enable dev-vda2.swap",
        {"swap-off": BOOT},
        SWAP,
        "/dev/vda2",
    ),
    Drift(
        "swap, by zram-generator",
        "swap-off",
        "printf '[zram0]\\nzram-size = 64\\n' >/etc/systemd/zram-generator.conf",
        {"swap-off": BOOT},
        SWAP,
        "/dev/zram0",
        short=True,
    ),
    Drift(
        "swap, by the type of its partition",
        "swap-off",
        "sfdisk --quiet --no-reread --no-tell-kernel --part-type /dev/vda 2 0657FD6D-A4AB-43C4-84E5-0933C84B4F4F",
        {"swap-off": BOOT},
        SWAP,
        "/dev/vda2",
    ),
    # A line that nobody acts on: it says noauto.
    Drift(
        "swap, by fstab with noauto",
        "swap-off",
        "echo LABEL=node-swap none swap noauto 0 0 >>/etc/fstab",
        {},
        SWAP,
        "",
    ),
    # SELinux.
    Drift(
        "SELinux, enforcing by hand",
        "selinux-mode",
        "setenforce 1",
        {"selinux-mode": NOW},
        MODE,
        "Permissive",
    ),
    Drift(
        "SELinux, enforcing by its configuration",
        "selinux-mode",
        "sed -i s/^SELINUX=.*/SELINUX=enforcing/ /etc/selinux/config",
        {"selinux-mode": BOOT},
        MODE,
        "Enforcing",
    ),
    Drift(
        "SELinux, enforcing by an argument",
        "selinux-mode",
        argument("enforcing=1"),
        {"selinux-mode": BOOT},
        MODE,
        "Enforcing",
        repairs=False,
        short=True,
    ),
    # Modules.
    Drift(
        "module loaded, not listed",
        "module-br-netfilter",
        f"rm {LISTED}",
        UNLISTED,
        BRIDGED,
        "no such key",
        short=True,
    ),
    Drift(
        "module listed, blacklisted",
        "module-br-netfilter",
        "echo blacklist br_netfilter >/etc/modprobe.d/site.conf",
        UNLISTED,
        BRIDGED,
        "no such key",
    ),
    Drift(
        "module listed, an install line",
        "module-br-netfilter",
        "echo install br_netfilter /bin/false >/etc/modprobe.d/site.conf",
        UNLISTED,
        BRIDGED,
        "no such key",
        repairs=False,
    ),
    Drift(
        "module listed, by a masked file",
        "module-br-netfilter",
        f"mv {LISTED} /usr/lib/modules-load.d/; ln -s /dev/null {LISTED}",
        UNLISTED,
        BRIDGED,
        "no such key",
    ),
    Drift(
        "module listed, the service masked",
        "module-br-netfilter",
        "systemctl -q mask systemd-modules-load.service",
        UNLISTED,
        BRIDGED,
        "no such key",
        repairs=False,
    ),
    # Another place names it: nothing may be said.
    Drift(
        "module listed, by an argument alone",
        "module-br-netfilter",
        f"rm {LISTED}; " + argument("modules_load=br_netfilter"),
        {},
        BRIDGED,
        "1",
    ),
    Drift(
        "overlay cannot be loaded",
        "module-overlay",
        "echo install overlay /bin/false >/etc/modprobe.d/site.conf",
        {"module-overlay": BOOT},
        OVERLAY,
        "not loaded",
        repairs=False,
    ),
    # Kernel settings.
    Drift(
        "net.bridge, by a later file",
        "bridge-nf-call-iptables",
        "echo net.bridge.bridge-nf-call-iptables=0 >/etc/sysctl.d/zz-site.conf",
        {"bridge-nf-call-iptables": BOOT},
        BRIDGED,
        "0",
    ),
    Drift(
        "kernel.panic, by a later file",
        "kernel-panic",
        "echo kernel.panic=60 >/etc/sysctl.d/zz-site.conf",
        {"kernel-panic": BOOT},
        PANIC,
        "60",
    ),
    Drift(
        "vm.overcommit_memory, by /etc/sysctl.conf",
        "vm-overcommit-memory",
        "echo vm.overcommit_memory=2 >>/etc/sysctl.conf",
        {"vm-overcommit-memory": BOOT},
        OVERCOMMIT,
        "2",
    ),
    # A file sets it again, later.
    Drift(
        "sysctl, by an argument of the kernel",
        "ip-forward",
        argument("sysctl.net.ipv4.ip_forward=0"),
        {},
        FORWARD,
        "1",
    ),
)
