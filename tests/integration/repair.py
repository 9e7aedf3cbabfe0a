# SPDX-License-Identifier: Apache-2.0
"""
A host that every kind of step repairs that there is for an image, its profile, and what a test does with it: repairs,
rollbacks, copies, and trees that are compared.
"""

import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import tree  # noqa: E402

INSIDE = "K8SCHECK_TEST_NAMESPACE"
STORE = "var/lib/k8scheck"

# File, folder and link made; lines edited; units enabled, disabled, masked; a file moved aside; owner and mode set; a
# drop-in of several rules.
PROFILE = """\
title: Every kind of repair
rules:
  - {id: forward, check: sysctl.value, title: It forwards, with: {keys: [net.ipv4.ip_forward], value: 1}}
  - {id: panic, check: sysctl.value, title: It restarts, with: {keys: [kernel.panic], value: 10}}
  - {id: overcommit, check: sysctl.value, title: It overcommits, with: {keys: [vm.overcommit_memory], value: 1}}
  - {id: module, check: modules.loaded, title: A module is loaded, with: {modules: [k8s_test_only]}}
  - {id: swap, check: swap.off, title: No swap}
  - {id: selinux, check: selinux.mode, title: SELinux permits, with: {modes: [permissive]}}
  - {id: enabled, check: systemd.unit, title: A unit starts, with: {unit: wanted.service, enabled: enabled}}
  - {id: disabled, check: systemd.unit, title: A unit stays away, with: {unit: unwanted.service, enabled: disabled}}
  - {id: masked, check: systemd.unit, title: A unit cannot start, with: {unit: harmful.service, enabled: masked}}
  - {id: strays, check: crio.drop-ins, title: No copies}
  - {id: manager, check: crio.cgroup-manager, title: One manager, with: {manager: systemd}}
  - {id: driver, check: kubelet.cgroup-driver, title: One driver, with: {driver: systemd}}
  - {id: owner, check: file.state, title: It is root's, with: {path: /etc/app/secret, owner: "0", mode: "0600"}}
"""

# What runs and what the next start has, in a folder that is taken for the running system.
LIVE = """\
title: What runs
rules:
  - {id: forward, check: sysctl.value, title: It forwards, with: {keys: [net.ipv4.ip_forward], value: 1}}
  - {id: panic, check: sysctl.value, title: It restarts, with: {keys: [kernel.panic], value: 5}}
"""
# Its files stand for the kernel's.
SYSCTLS = {"proc/sys/net/ipv4/ip_forward": "0\n", "proc/sys/kernel/panic": "0\n"}

FILES = {
    "/etc/os-release": "ID=centos\nVERSION_ID=8\n",
    "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "/etc/shadow": "root:*:18000::::::\n",
    "/etc/group": "root:x:0:\n",
    "/etc/sysctl.d/50-own.conf": "kernel.panic = 0\n",
    "/etc/modules-load.d/.keep": "",
    "/etc/fstab": "UUID=1 / ext4 defaults 0 1\n# by hand\nUUID=2 none swap sw 0 0\n",
    "/etc/selinux/config": "# how\nSELINUX=enforcing\nSELINUXTYPE=targeted\n",
    "/etc/selinux/targeted/policy/policy.31": "",
    "/etc/app/secret": "password\n",
    "/etc/crio/crio.conf": '[crio.runtime]\ncgroup_manager = "cgroupfs"\nconmon_cgroup = "pod"\n',
    "/etc/crio/crio.conf.d/10-own.conf": "[crio.runtime]\n",
    "/etc/crio/crio.conf.d/10-own.conf.bak": "[crio.runtime]\n",
    "/usr/bin/crio": "",
    "/usr/bin/kubelet": "",
    "/usr/lib/systemd/system/crio.service": "[Service]\nExecStart=/usr/bin/crio\n",
    "/usr/lib/systemd/system/kubelet.service": "[Service]\nExecStart=/usr/bin/kubelet --config=/var/lib/kubelet/config.yaml\n",
    "/usr/lib/systemd/system/multi-user.target": "[Unit]\n",
    "/usr/lib/systemd/system/swap.target": "[Unit]\n",
    "/var/lib/dpkg/status": "",
}
PROGRAMS = ("/usr/bin/crio", "/usr/bin/kubelet")
UNITS = ("wanted", "unwanted", "harmful")


def set_attributes(path):
    """What only some file systems take: (its name, whether this one has)."""
    taken = []
    # Version 2; owner rw, user 65534 r, group r, mask r, others none.
    acl = bytes.fromhex(
        "02000000" "01000600ffffffff" "02000400feff0000" "04000400ffffffff" "10000400ffffffff" "20000000ffffffff"
    )
    for name, value in (("user.k8scheck.test", b"a\0b"), ("system.posix_acl_access", acl)):
        try:
            os.setxattr(path, name, value)
            taken.append(name)
        except OSError:
            pass
    return taken


def make_host(path):
    """Makes it in a folder that is there; what attributes its file system takes."""
    os.chmod(path, 0o755)
    old = 1_600_000_000_123_456_789
    for name, text in FILES.items():
        full = path + name
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w") as f:
            f.write(text)
        os.chmod(full, 0o755 if name in PROGRAMS else 0o644)
    for unit in UNITS:
        with open(f"{path}/usr/lib/systemd/system/{unit}.service", "w") as f:
            f.write(
                f"[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\nAlias={unit}-other.service\n"
            )
    os.makedirs(path + "/etc/systemd/system/multi-user.target.requires")
    wants = path + "/etc/systemd/system/sockets.target.wants"
    os.makedirs(wants)
    os.symlink("/usr/lib/systemd/system/unwanted.service", wants + "/unwanted.service")
    os.symlink("multi-user.target", path + "/usr/lib/systemd/system/default.target")
    os.symlink("/usr/lib/systemd/system/unwanted.service", path + "/etc/systemd/system/unwanted-other.service")
    os.chmod(path + "/etc/shadow", 0o000)
    os.chmod(path + "/etc/app/secret", 0o644)
    os.chmod(path + "/etc/fstab", 0o600)
    if os.geteuid() == 0:
        os.chown(path + "/etc/app/secret", 65534, 65534)
        os.chown(path + "/etc/selinux/config", 0, 3)
    taken = set_attributes(path + "/etc/fstab")
    for folder, names, files in os.walk(path, topdown=False):
        for name in names + files:
            os.utime(os.path.join(folder, name), ns=(old, old), follow_symlinks=False)
    os.utime(path, ns=(old, old))
    return taken


class Bench:
    """A k8scheck, a profile, and a folder of a real file system for hosts and copies of them."""

    def __init__(self, program, place, profile=PROFILE, own_etc=False, live=False):
        """`own_etc`: each host's /etc is a mount of its own; in a namespace of mounts that is private."""
        self.program = program
        self.own_etc = own_etc
        self.live = ["--live"] if live else []
        self.folder = tempfile.mkdtemp(prefix="k8scheck-repair-", dir=place)
        self.profile = os.path.join(self.folder, "profile.yaml")
        with open(self.profile, "w") as f:
            f.write(profile)
        self.start = self.new("start")
        self.attributes = make_host(self.start)
        for path, value in SYSCTLS.items() if live else ():
            full = os.path.join(self.start, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w") as f:
                f.write(value)
        self.before = list(tree.snapshot(self.start, [STORE]))

    def new(self, name):
        path = os.path.join(self.folder, name)
        os.mkdir(path)
        return path

    def copy(self, name, of=None):
        """With all that belongs to a file; the same name twice is made anew."""
        path = os.path.join(self.folder, name)
        self.drop(path)
        subprocess.run(["cp", "-a", of or self.start, path], check=True)
        if self.own_etc:
            subprocess.run(["mount", "--bind", path + "/etc", path + "/etc"], check=True)
        return path

    def drop(self, path):
        if os.path.ismount(path + "/etc") or (self.own_etc and os.path.exists(path)):
            subprocess.run(["umount", path + "/etc"], check=True)
        shutil.rmtree(path, ignore_errors=True)

    def fix(self, root, *more):
        return [self.program, "--profile", self.profile, "--root", root, *self.live, "--fix", *more]

    def full_fix(self, root, *more):
        return self.fix(root, "--yes", "--allow-weaken", *more)

    def rollback(self, root, *more):
        return [self.program, "rollback", "--root", root, *self.live, "--yes", *more]

    def differences(self, root):
        """To the start, but for the journal's own folder."""
        return tree.compare(self.before, tree.snapshot(root, [STORE]), [STORE], SYSCTLS)

    def end(self):
        if self.own_etc:
            for name in os.listdir(self.folder):
                subprocess.run(["umount", os.path.join(self.folder, name, "etc")], capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def run(command, timeout=120):
    """(exit code, standard output and error)."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout, errors="backslashreplace"
    )
    return done.returncode, done.stdout


def roll_all_back(bench, root):
    """Until there is nothing more to be taken back: (exit code of the last that was not 0, all that was said)."""
    said = ""
    for _ in range(20):
        code, out = run(bench.rollback(root))
        said += out
        if code or "there is no repair to be taken back" in out:
            return code, said
    return -1, said


def within_namespace(main=None):
    """Runs main() in a mount namespace of its own, as far as one can be had; without `main`, whether it was."""
    if main is None:
        return os.environ.get(INSIDE) == "1"
    if os.environ.get(INSIDE):
        return main()
    own = ["unshare", "--mount", "--propagation", "private"]
    tried = [*own, "mount", "--bind", "/tmp", "/tmp"]
    able = os.geteuid() == 0 and subprocess.run(tried, capture_output=True).returncode == 0
    os.environ[INSIDE] = "1" if able else "0"
    return sys.exit(subprocess.run([*(own if able else []), sys.executable, *sys.argv]).returncode)
