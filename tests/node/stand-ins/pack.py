# SPDX-License-Identifier: Apache-2.0
"""
Makes Debian packages of the stand-ins: cri-o, kubelet, kubeadm and kubectl of version 1.18, as the guide's repositories
have them, with the units and the configuration that both projects ship.
"""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(TESTS, "integration"))

import guide  # noqa: E402

CRIO_CONF = os.path.join(TESTS, "hosts", "centos-8-untouched", "root", "etc", "crio", "crio.conf")


def read(path):
    with open(path) as f:
        return f.read()


def packages():
    """Name to (programs, files); a program is (path, source)."""
    return {
        "cri-o": (
            [("/usr/bin/crio", "stand-in-crio.c")],
            {
                "/etc/crio/crio.conf": read(CRIO_CONF),
                "/etc/cni/net.d/100-crio-bridge.conf": guide.sample("crio-1.18-10-crio-bridge.conf"),
                "/usr/lib/systemd/system/crio.service": guide.unit_of_crio(),
            },
        ),
        "kubelet": (
            [("/usr/bin/kubelet", "stand-in-kubelet.c")],
            {"/usr/lib/systemd/system/kubelet.service": guide.sample("kubelet.service")},
        ),
        "kubeadm": (
            [("/usr/bin/kubeadm", "stand-in-kubeadm.c")],
            {"/etc/systemd/system/kubelet.service.d/10-kubeadm.conf": guide.drop_in()},
        ),
        "kubectl": ([("/usr/bin/kubectl", "stand-in-kubectl.c")], {}),
    }


# What is linked with each, beside its own source.
LIBRARIES = {"stand-in-crio.c": ["-lnghttp2"]}


def sources():
    """All that the packages are made from."""
    own = [read(os.path.join(HERE, name)) for name in sorted(os.listdir(HERE)) if name.endswith((".c", ".h", ".py"))]
    return own + [repr(packages()), repr(guide.PACKAGES)]


def write(root, path, text):
    full = root + path
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w") as f:
        f.write(text)
    os.chmod(full, 0o644)


def pack(folder, name, programs, files):
    root = os.path.join(folder, name)
    os.makedirs(root + "/DEBIAN")
    for path, source in programs:
        os.makedirs(os.path.dirname(root + path), exist_ok=True)
        subprocess.run(
            ["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-o", root + path]
            + [os.path.join(HERE, source)]
            + LIBRARIES.get(source, []),
            check=True,
        )
    for path, text in files.items():
        write(root, path, text)
    write(
        root,
        "/DEBIAN/control",
        f"Package: {name}\nVersion: {guide.PACKAGES[name]}\nArchitecture: amd64\nSection: admin\nPriority: optional\n"
        f"Maintainer: Nobody <nobody@example.org>\nDescription: stand-in for {name}, of k8scheck's tests\n",
    )
    configuration = [path for path in sorted(files) if path.startswith("/etc/")]
    if configuration:
        write(root, "/DEBIAN/conffiles", "\n".join(configuration) + "\n")
    for where, names, _ in os.walk(root):
        for entry in names:
            os.chmod(os.path.join(where, entry), 0o755)
    package = os.path.join(folder, name + ".deb")
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", root, package], check=True, stdout=subprocess.DEVNULL
    )
    return package


def build(folder):
    """The paths of the packages, made below the folder."""
    return [pack(folder, name, *parts) for name, parts in packages().items()]
