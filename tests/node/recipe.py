#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
The Debian 12 root that the booted tests have: the guide's untouched node, with stand-ins for what Debian does not have.

    recipe.py             makes the root unless there is one already, and prints its path
    recipe.py --digest    prints what the root is named by: the digest of all that goes into it

Kept in $K8SCHECK_NODE_CACHE, or ~/.cache/k8scheck/node. Exit: 0, 77 where no root can be made, with the reason.
"""

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
sys.path.insert(0, os.path.join(HERE, "stand-ins"))

import guide  # noqa: E402
import pack  # noqa: E402

SUITE = "bookworm"
PACKAGES = (
    # A system that boots.
    "systemd systemd-sysv dbus udev kmod procps iproute2 netbase util-linux fdisk e2fsprogs openssh-server python3 "
    "libnss-myhostname "
    # Its own kernel, for those who boot it with one.
    "linux-image-cloud-amd64 initramfs-tools busybox systemd-zram-generator "
    # What the guide has to do with.
    "firewalld nftables iptables selinux-policy-default selinux-utils policycoreutils checkpolicy semodule-utils "
    "containerd conmon crun "
    # What k8scheck and the stand-ins are linked with.
    "libyaml-0-2 libnettle8 libjansson4 libseccomp2 libxml2 libsystemd0 libmount1 libnghttp2-14 libprotobuf-c1 libkmod2 "
    "libselinux1 libstdc++6"
).split()

# The address is the one of the wire that nspawn.py and qemu.py give it.
HOSTNAME = "node1"
ADDRESS = "192.168.77.2"
FILES = {
    "/etc/hostname": HOSTNAME + "\n",
    "/etc/hosts": f"127.0.0.1 localhost\n{ADDRESS} {HOSTNAME}\n::1 localhost ip6-localhost ip6-loopback\n",
    "/etc/resolv.conf": "",
    # Empty: each gets its own, and it is no first boot, at which Debian's presets would enable all that is installed.
    "/etc/machine-id": "",
    # The other end of a container's wire may be down.
    "/etc/systemd/network/10-node.network": "[Match]\nName=host0 en* eth*\n[Network]\n"
    f"Address={ADDRESS}/24\nConfigureWithoutCarrier=yes\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n",
    "/etc/selinux/config": "SELINUX=enforcing\nSELINUXTYPE=default\n",
    "/etc/fstab": "# Nothing of the image's own.\n",
    # Debian's has a swap device in it.
    "/etc/systemd/zram-generator.conf": "",
}
# containerd is there for those who start it: the guide's runtime is another one.
UNITS = (
    ("enable", "systemd-networkd.service"),
    ("disable", "containerd.service"),
    # Who wants it makes keys and enables it.
    ("disable", "ssh.service"),
    ("mask", "systemd-networkd-wait-online.service"),
    ("mask", "apt-daily.timer"),
    ("mask", "apt-daily-upgrade.timer"),
    ("mask", "dpkg-db-backup.timer"),
    ("mask", "e2scrub_all.timer"),
    ("mask", "fstrim.timer"),
)


class Unavailable(Exception):
    """No root, and why: a reason to skip."""


def cache_folder():
    own = os.environ.get("K8SCHECK_NODE_CACHE")
    return own or os.path.join(os.path.expanduser("~"), ".cache", "k8scheck", "node")


def digest_of(*parts):
    """Of several texts; where one ends counts."""
    hashed = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode()
        hashed.update(b"%d:" % len(data) + data)
    return hashed.hexdigest()


def source(path):
    with open(os.path.join(HERE, path), "rb") as f:
        return f.read()


def digest():
    return digest_of(source("recipe.py"), platform.machine(), *pack.sources())


@contextlib.contextmanager
def locked(path):
    """Others who want the same thing wait."""
    with open(path, "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def cached(kind, name, make):
    """
    The folder KIND-NAME of the cache; where there is none, make(FOLDER) fills one, and it is there only once it is whole.
    """
    cache = cache_folder()
    os.makedirs(cache, exist_ok=True)
    folder = os.path.join(cache, f"{kind}-{name[:16]}")
    with locked(folder + ".lock"):
        if os.path.isdir(folder):
            return folder
        partial = tempfile.mkdtemp(prefix=f".{kind}-", dir=cache)
        try:
            os.chmod(partial, 0o755)
            make(partial)
            os.rename(partial, folder)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    return folder


def sources_of_this_machine(folder):
    """Files of apt's sources for mmdebstrap: those of this machine that have this suite; else mmdebstrap knows one."""
    places = ["/etc/apt/sources.list"]
    with contextlib.suppress(OSError):
        places += sorted(os.path.join("/etc/apt/sources.list.d", n) for n in os.listdir("/etc/apt/sources.list.d"))
    found = []
    for place in places:
        kind = ".sources" if place.endswith(".sources") else ".list" if place.endswith(".list") else None
        if kind is None or not os.path.isfile(place):
            continue
        with open(place) as f:
            text = f.read()
        # A paragraph of deb822, a line of the older format.
        parts = text.split("\n\n") if kind == ".sources" else text.splitlines()
        wanted = [p for p in parts if any(word.split("-")[0] == SUITE and "/" not in word for word in p.split())]
        if wanted and "debian" in text:
            path = os.path.join(folder, f"sources-{len(found)}{kind}")
            with open(path, "w") as f:
                f.write(("\n\n" if kind == ".sources" else "\n").join(wanted) + "\n")
            found.append(path)
    return found


def run(command, what):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
    if done.returncode != 0:
        print(done.stdout[-4000:], file=sys.stderr)
        raise Unavailable(f"{what}: " + (done.stdout.strip().splitlines() or ["says nothing"])[-1])


def make_root(folder):
    root = os.path.join(folder, "root")
    with tempfile.TemporaryDirectory(prefix="k8scheck-node-") as tmp:
        stand_ins = pack.build(tmp)
        run(
            [
                "mmdebstrap",
                "--quiet",
                "--mode=root",
                "--variant=minbase",
                "--include=" + ",".join(PACKAGES),
                # Nobody reads them there, and every copy of the root would have them.
                "--dpkgopt=path-exclude=/usr/share/doc/*",
                "--dpkgopt=path-exclude=/usr/share/man/*",
                "--dpkgopt=path-exclude=/usr/share/locale/*",
                SUITE,
                root,
                *sources_of_this_machine(tmp),
            ],
            "mmdebstrap",
        )
        run(["dpkg", "--root=" + root, "--install", *stand_ins], "dpkg")
    for path, text in FILES.items():
        with open(root + path, "w") as f:
            f.write(text)
    for verb, unit in UNITS:
        run(["systemctl", "--root=" + root, "--quiet", verb, unit], "systemctl")
    # Who boots it with SELinux labels it himself.
    with contextlib.suppress(FileNotFoundError):
        os.unlink(root + "/.autorelabel")
    # No keys in an image that several boot.
    for name in os.listdir(root + "/etc/ssh"):
        if name.startswith("ssh_host_"):
            os.unlink(f"{root}/etc/ssh/{name}")


def root():
    """The path of the root, which nobody may change. Unavailable where there is none."""
    if os.geteuid() != 0:
        raise Unavailable("it takes root to make a root with owners")
    if platform.machine() != "x86_64":
        raise Unavailable("the root is made for x86_64")
    for program in ("mmdebstrap", "dpkg-deb", "systemctl", "gcc"):
        if not shutil.which(program):
            raise Unavailable(program + " is not installed")
    return os.path.join(cached("root", digest(), make_root), "root")


def main():
    if sys.argv[1:] == ["--digest"]:
        print(digest())
        return 0
    if sys.argv[1:]:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        print(root())
    except Unavailable as e:
        print(f"skipped: {e}")
        return 77
    return 0


if __name__ == "__main__":
    sys.exit(main())
