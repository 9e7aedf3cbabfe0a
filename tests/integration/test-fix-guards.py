#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What --fix leaves alone on a node that is in use, on systems made of images, and what it weakens only when told to."""

import os
import shutil
import subprocess
import sys

from k8s import Host, Suite

PROGRAM, SUPPORT = sys.argv[1], sys.argv[5]

suite = Suite("guards of repairs")

PROFILE = """
rules:
  - {id: cni, check: network.cni, title: CNI, severity: required, with: {first: [pods]}}
  - {id: forward, check: sysctl.value, title: forwarding, severity: required, with: {settings: {net.ipv4.ip_forward: "1"}}}
"""
LEFT_OVER = '{"cniVersion": "0.4.0", "name": "crio", "type": "bridge"}\n'
PODS = '{"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "bridge"}]}\n'


def node():
    """A node whose CNI folder has a left-over in front, and that does not forward."""
    host = Host(
        {
            "/etc/os-release": "ID=debian\n",
            "/etc/cni/net.d/10-crio-bridge.conf": LEFT_OVER,
            "/etc/cni/net.d/20-pods.conflist": PODS,
            "/opt/cni/bin/bridge": "#!/bin/sh\n",
            "/proc/sys/net/ipv4/ip_forward": "0\n",
            "/profile.yaml": PROFILE,
        }
    )
    os.chmod(host.path + "/opt/cni/bin/bridge", 0o755)
    os.chmod(host.path, 0o755)
    os.makedirs(host.path + "/var/lib")
    os.makedirs(host.path + "/etc/sysctl.d")
    return host


def k8scheck(host, *arguments):
    return subprocess.run(
        [PROGRAM, "--root", host.path, "--live", "--color", "never", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        universal_newlines=True,
        timeout=120,
        check=False,
    )


def fix(host, *arguments):
    return k8scheck(host, "--profile", host.path + "/profile.yaml", "--fix", "--yes", *arguments)


class Runtime:
    """A runtime that answers on the node's socket."""

    def __init__(self, host, mode):
        self.socket = host.path + "/run/crio/crio.sock"
        os.makedirs(os.path.dirname(self.socket), exist_ok=True)
        self.process = subprocess.Popen(
            [os.path.join(SUPPORT, "fake-runtime"), self.socket, mode], stdout=subprocess.PIPE
        )
        suite.expect_true(f"a runtime starts, {mode}", self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        os.unlink(self.socket)


def is_moved(host):
    return not os.path.exists(host.path + "/etc/cni/net.d/10-crio-bridge.conf")


def forwards(host):
    with open(host.path + "/proc/sys/net/ipv4/ip_forward", encoding="ascii") as f:
        return f.read().strip() == "1"


def check(what, host, moved, *arguments, part=None):
    """What touches what runs is done, or left; what is for the next boot is done in any case."""
    done = fix(host, *arguments)
    suite.expect(what + ": the left-over is moved", is_moved(host), moved)
    suite.expect(what + ": forwarding is on", forwards(host), True)
    if part:
        suite.expect_in(what, part, done.stdout)
    return done


def test_free():
    with node() as host:
        done = check("a node that nobody uses", host, True)
        suite.expect("a node that nobody uses: exit code", done.returncode, 0)


def test_joined():
    with node() as host:
        host.write("/etc/kubernetes/kubelet.conf", "apiVersion: v1\n", 0o600)
        done = check("a node of a cluster", host, False, part="/etc/kubernetes/kubelet.conf")
        suite.expect("a node of a cluster: exit code", done.returncode, 1)
        check("the same, drained", host, True, "--drained")
        back = k8scheck(host, "rollback", "--yes")
        suite.expect("a rollback of what the runtime watches", back.returncode, 2)
        suite.expect_in("a rollback of what the runtime watches", "add --drained", back.stdout)
        suite.expect("nothing of it is taken back", is_moved(host), True)
        plan = k8scheck(host, "rollback", "--dry-run")
        suite.expect_in("its dry run says so, too", "add --drained", plan.stdout)
        back = k8scheck(host, "rollback", "--yes", "--drained")
        suite.expect("it is, drained", back.returncode, 0)
        suite.expect("its file is back", is_moved(host), False)


def test_joined_by_others():
    """A cluster of another make, and what cannot be looked at."""
    for path in ("/var/lib/kubelet/kubeconfig", "/var/lib/rancher/k3s/agent/kubelet.kubeconfig"):
        with node() as host:
            host.write(path, "apiVersion: v1\n", 0o600)
            check("a node that has " + path, host, False, part=path)
    with node() as host:
        os.makedirs(host.path + "/etc/kubernetes")
        os.symlink("kubelet.conf", host.path + "/etc/kubernetes/kubelet.conf")
        check("a kubelet.conf that leads nowhere", host, False, part="/etc/kubernetes/kubelet.conf")


def test_images_that_run():
    """A root that runs is no image, whatever it is called."""
    with node() as host:
        os.makedirs(host.path + "/run/systemd/system")
        for arguments in (("--profile", host.path + "/profile.yaml", "--fix", "--yes"), ("rollback", "--yes")):
            done = subprocess.run(
                [PROGRAM, "--root", host.path, *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                universal_newlines=True,
                timeout=120,
                check=False,
            )
            suite.expect(f"an image that runs, {arguments[0]}: exit code", done.returncode, 2)
            suite.expect_in(f"an image that runs, {arguments[0]}", "add --live", done.stdout)
        suite.expect("an image that runs: nothing is moved", is_moved(host), False)


def test_pods():
    with node() as host:
        host.write("/etc/kubernetes/kubelet.conf", "apiVersion: v1\n", 0o600)
        with Runtime(host, "busy"):
            check("a node with pods", host, False, part="default/web-1")
            check("--drained that does not hold", host, False, "--drained", part="--drained does not hold: default/web-1")
        with Runtime(host, "drained"):
            check("daemon sets and static pods", host, False, part="networking/proxy-x7k2p")
            check("they are no obstacle once it is drained", host, True, "--drained")


def test_silent():
    with node() as host, Runtime(host, "undecodable"):
        check("a runtime that says nothing, drained", host, False, "--drained", part="cannot be believed")
        check("a runtime that says nothing", host, False, part="does not say which pods run")


def test_rollback_is_held():
    with node() as host:
        check("before it joined", host, True)
        host.write("/etc/kubernetes/kubelet.conf", "apiVersion: v1\n", 0o600)
        held = k8scheck(host, "rollback", "--yes")
        suite.expect("a rollback that touches what runs", held.returncode, 2)
        suite.expect_in("a rollback that touches what runs", "--drained", held.stdout)
        suite.expect("nothing of it is taken back", forwards(host), True)
        suite.expect("it is, drained", k8scheck(host, "rollback", "--yes", "--drained").returncode, 0)
        suite.expect("the kernel too", forwards(host), False)


def test_images():
    for path, part in (
        ("/run/ostree-booted", "ostree"),
        ("/usr/sbin/transactional-update", None),
    ):
        with node() as host:
            host.write(path, "")
            done = fix(host)
            if part:
                suite.expect(path + ": exit code", done.returncode, 2)
                suite.expect_in(path, part, done.stdout)
            suite.expect(path + ": the left-over is moved", is_moved(host), part is None)
            plan = k8scheck(host, "--profile", host.path + "/profile.yaml", "--fix", "--dry-run")
            if part:
                suite.expect_in(path + ": the plan is shown all the same", "99-kubernetes-cri.conf", plan.stdout)


def test_weakening():
    with node() as host:
        host.write("/etc/selinux/config", "SELINUX=enforcing\nSELINUXTYPE=targeted\n")
        host.write("/sys/fs/selinux/enforce", "1")
        host.write("/sys/kernel/security/lsm", "capability,selinux\n")
        host.write("/proc/filesystems", "nodev\tselinuxfs\n")
        host.write("/proc/cmdline", "\n")
        host.write(
            "/profile.yaml",
            "rules: [{id: selinux, check: selinux.mode, severity: required, with: {modes: [permissive]}}]\n",
        )
        done = fix(host, "--horizon", "boot")
        with open(host.path + "/etc/selinux/config", encoding="ascii") as f:
            suite.expect_in("what weakens is left out", "SELINUX=enforcing", f.read())
        suite.expect_in("and the option is named", "--allow-weaken", done.stdout)
        fix(host, "--horizon", "boot", "--allow-weaken")
        with open(host.path + "/etc/selinux/config", encoding="ascii") as f:
            suite.expect_in("until it is allowed", "SELINUX=permissive", f.read())


def main():
    if not shutil.which(os.path.join(SUPPORT, "fake-runtime")):
        print("left out: pods, since no runtime is built")
    else:
        test_pods()
        test_silent()
    test_free()
    test_joined()
    test_joined_by_others()
    test_images_that_run()
    test_rollback_is_held()
    test_images()
    test_weakening()
    suite.end()


main()
