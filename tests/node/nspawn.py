# SPDX-License-Identifier: Apache-2.0
"""
A booted Debian in a container: systemd-nspawn over the recipe's root, in a network of its own that leads nowhere. A script
is run in each boot, when all jobs have ended; then the machine is powered off. What it does to its root stays for the next
boot.
"""

import contextlib
import itertools
import os
import shutil
import subprocess
import sys

import recipe

# A boot takes a second or two; a machine that is busy takes longer.
BOOT_SECONDS = 300
INSIDE = "K8SCHECK_NODE_NAMESPACE"
# What is the test's own in the machine: the script of a boot, what it said, its exit code, reports.
CASE = "/case"
UNIT = """\
[Unit]
Description=What a test does in this boot
[Service]
ExecStart=/bin/bash -c 'timeout 60 systemctl is-system-running --wait >/dev/null; cd /case; ./script >out 2>&1; echo $? >code; \
systemctl poweroff --no-block'
[Install]
WantedBy=multi-user.target
"""
# The network has an interface with the node's address, and another end that nobody listens at.
NETWORK = {
    "/etc/systemd/network/10-wire.netdev": "[NetDev]\nName=host0\nKind=veth\n[Peer]\nName=wire0\n",
    "/etc/systemd/network/10-wire.network": "[Match]\nName=wire0\n[Network]\nLinkLocalAddressing=no\n",
}
numbers = itertools.count()


class Unavailable(recipe.Unavailable):
    """No machine can be booted here, and why."""


def enter_namespace():
    """Starts this program again where its mounts are its own, and end with it."""
    if os.environ.get(INSIDE):
        return
    if os.geteuid() != 0:
        raise Unavailable("it takes root to boot a machine")
    if not shutil.which("systemd-nspawn"):
        raise Unavailable("systemd-nspawn is not installed")
    tried = subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.PIPE, universal_newlines=True)
    if tried.returncode != 0:
        raise Unavailable("no namespace of mounts: " + tried.stderr.strip())
    os.execvpe(
        "unshare",
        ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv],
        dict(os.environ, **{INSIDE: "1"}),
    )


def hierarchies():
    """Where systemd keeps its groups: of version 2, and the one that it has beside version 1."""
    found = []
    with open("/proc/self/mountinfo") as f:
        for line in f:
            words = line.split()
            kind, options = words[words.index("-") + 1], words[-1]
            if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options.split(",")):
                found.append(words[4])
    return found


class Group:
    """Groups of processes of its own: two machines in one would take each other's for their own."""

    def __init__(self, name):
        self.paths = []
        for top in hierarchies():
            path = os.path.join(top, name)
            # Where that is refused, the machine shares this program's group, and no other runs meanwhile.
            with contextlib.suppress(OSError):
                os.mkdir(path)
                self.paths.append(path)

    def join(self):
        for path in self.paths:
            with open(path + "/cgroup.procs", "w") as f:
                f.write(str(os.getpid()))

    def remove(self):
        for path in self.paths:
            for folder, _, _ in os.walk(path, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(folder)


def may_run_together():
    """Whether two machines may run at a time."""
    group = Group(f"k8scheck-node-{os.getpid()}")
    group.remove()
    return bool(group.paths)


class Machine:
    """One whose root is in a folder of its own."""

    def __init__(self, folder, lower):
        """A layer over the folder `lower`, which nobody may change meanwhile; where there are no layers, a copy of it."""
        self.folder = folder
        self.root = os.path.join(folder, "root")
        upper, work = os.path.join(folder, "upper"), os.path.join(folder, "work")
        for path in (self.root, upper, work):
            os.makedirs(path)
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        mount = subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", self.root], stderr=subprocess.DEVNULL)
        self.layered = mount.returncode == 0
        if not self.layered:
            copy_root(lower, self.root)

    @classmethod
    def copied(cls, folder, installed):
        """A copy of the recipe's root, with what `make install` left in a folder laid over it."""
        self = object.__new__(cls)
        self.folder, self.layered = folder, False
        self.root = os.path.join(folder, "root")
        copy_root(recipe.root(), self.root)
        subprocess.run(["cp", "-a", "--no-preserve=ownership", installed + "/.", self.root + "/"], check=True)
        self.write("/etc/systemd/system/case.service", UNIT)
        wants = self.root + "/etc/systemd/system/multi-user.target.wants"
        os.makedirs(wants, exist_ok=True)
        os.symlink("../case.service", wants + "/case.service")
        for path, text in NETWORK.items():
            self.write(path, text)
        os.makedirs(self.root + CASE)
        return self

    def remove(self):
        if self.layered:
            subprocess.run(["umount", self.root], check=True)
        shutil.rmtree(self.folder)

    def write(self, path, text, mode=0o644):
        full = self.root + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w") as f:
            f.write(text)
        os.chmod(full, mode)

    def read(self, path):
        with open(self.root + path, errors="backslashreplace") as f:
            return f.read()

    def boot(self, script, *arguments):
        """
        Boots, runs the lines of a shell script, powers off: (its exit code, what it wrote). `arguments` are the system's: in a
        container, what it takes for the kernel's.
        """
        self.write(CASE + "/script", "#!/bin/bash\n" + script, 0o755)
        for name in ("out", "code"):
            if os.path.exists(f"{self.root}{CASE}/{name}"):
                os.unlink(f"{self.root}{CASE}/{name}")
        name = f"k8scheck-node-{os.getpid()}-{next(numbers)}"
        group = Group(name)
        try:
            done = subprocess.run(
                [
                    "systemd-nspawn",
                    "--quiet",
                    "--directory=" + self.root,
                    "--machine=" + name,
                    "--boot",
                    "--private-network",
                    "--register=no",
                    "--keep-unit",
                    "--capability=all",
                    "--console=pipe",
                    *arguments,
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=BOOT_SECONDS,
                preexec_fn=group.join,
            )
        finally:
            group.remove()
        if not os.path.exists(f"{self.root}{CASE}/code"):
            raise Unavailable("no system boots here: " + done.stdout.decode("utf-8", "replace").strip()[-300:])
        return int(self.read(CASE + "/code")), self.read(CASE + "/out")


def copy_root(source, target):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.isdir(target):
        os.rmdir(target)
    subprocess.run(["cp", "-a", "-x", "--reflink=auto", source, target], check=True)
