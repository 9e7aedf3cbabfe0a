# SPDX-License-Identifier: Apache-2.0
"""The files that the set-up guide of CRI-O 1.18 and Kubernetes 1.18 lays onto a host, from what both projects ship."""

import os

SAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "samples")


def sample(name):
    with open(os.path.join(SAMPLES, name)) as f:
        return f.read()


def crio_conf():
    """A full configuration, with the two values that the guide changes."""
    text = sample("crio-1.17-full.conf")
    for old, new in (
        ('conmon = ""', 'conmon = "/usr/bin/conmon"'),
        ('cgroup_manager = "cgroupfs"', 'cgroup_manager = "systemd"'),
    ):
        assert text.count("\n" + old + "\n") == 1, old
        text = text.replace("\n" + old + "\n", "\n" + new + "\n")
    return text


SYSCTLS = """\
net.bridge.bridge-nf-call-iptables = 1
net.bridge.bridge-nf-call-ip6tables = 1
net.ipv4.ip_forward = 1
"""

# Beyond the guide: what the kubelet would set by itself, or refuses to start without.
KUBELET_SYSCTLS = """\
fs.inotify.max_user_instances = 8192
fs.inotify.max_user_watches = 524288
kernel.panic = 10
kernel.panic_on_oops = 1
vm.overcommit_memory = 1
vm.panic_on_oom = 0
kernel.keys.root_maxkeys = 1000000
kernel.keys.root_maxbytes = 25000000
"""

KUBELET_CONFIG = """\
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: systemd
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
"""

KUBELET_ARGUMENTS = (
    "--container-runtime=remote --cgroup-driver=systemd "
    "--container-runtime-endpoint='unix:///var/run/crio/crio.sock' --runtime-request-timeout=5m"
)


def drop_in():
    """kubeadm's for Debian, where the last file is /etc/default/kubelet."""
    return sample("10-kubeadm.conf").replace("/etc/sysconfig/kubelet", "/etc/default/kubelet")


def files():
    """Path to text; those in PROGRAMS are executable."""
    return {
        "/etc/modules-load.d/crio.conf": "overlay\nbr_netfilter\n",
        "/etc/sysctl.d/99-kubernetes-cri.conf": SYSCTLS,
        "/etc/sysctl.d/90-kubelet.conf": KUBELET_SYSCTLS,
        "/etc/crio/crio.conf": crio_conf(),
        "/etc/sysconfig/crio": sample("crio-1.18.sysconfig"),
        "/usr/lib/systemd/system/crio.service": sample("crio-1.18.service"),
        "/usr/lib/systemd/system/kubelet.service": sample("kubelet.service"),
        "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf": drop_in(),
        "/etc/default/kubelet": f"KUBELET_EXTRA_ARGS={KUBELET_ARGUMENTS}\n",
        "/var/lib/kubelet/config.yaml": KUBELET_CONFIG,
        "/usr/bin/conmon": "#!/bin/sh\n",
        "/usr/local/bin/crio": "#!/bin/sh\n",
        "/usr/bin/kubelet": "#!/bin/sh\n",
    }


PROGRAMS = ("/usr/bin/conmon", "/usr/local/bin/crio", "/usr/bin/kubelet")

# What systemctl enable makes.
LINKS = {
    "/etc/systemd/system/multi-user.target.wants/crio.service": "/usr/lib/systemd/system/crio.service",
    "/etc/systemd/system/multi-user.target.wants/kubelet.service": "/usr/lib/systemd/system/kubelet.service",
}

# What an image has beside, when it is not a whole distribution.
SYSTEM = {
    "/etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    "/usr/lib/systemd/system/multi-user.target": "[Unit]\nDescription=Multi-User System\nAllowIsolate=yes\n",
    "/usr/lib/systemd/systemd": "",
}
SYSTEM_LINKS = {
    "/sbin/init": "/usr/lib/systemd/systemd",
    "/etc/systemd/system/default.target": "/usr/lib/systemd/system/multi-user.target",
}


def lay(host, system=True):
    """Into a k8s.Host."""
    for path, text in {**files(), **(SYSTEM if system else {})}.items():
        host.write(path, text, 0o755 if path in PROGRAMS or path.endswith("/systemd") else 0o644)
    for path, target in {**LINKS, **(SYSTEM_LINKS if system else {})}.items():
        host.link(path, target)
