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

# Of the installer, whose swap the guide turned off, and what else the guide sets.
FSTAB = """\
UUID=4a5b1c2d-0e0f-4a4b-8c8d-112233445566 / ext4 defaults 0 1
# UUID=6a6b1c2d-0e0f-4a4b-8c8d-112233445566 none swap sw 0 0
"""
HOSTNAME = "node1.example.net"
HOSTS = f"127.0.0.1 localhost\n192.168.0.21 {HOSTNAME} node1\n"
SELINUX = "SELINUX=permissive\nSELINUXTYPE=targeted\n"

FIREWALLD = """\
[Unit]
Description=firewalld - dynamic firewall daemon
[Service]
Type=dbus
BusName=org.fedoraproject.FirewallD1
ExecStart=/usr/sbin/firewalld --nofork --nopid
[Install]
WantedBy=multi-user.target
Alias=dbus-org.fedoraproject.FirewallD1.service
"""
TRUSTED = '<?xml version="1.0" encoding="utf-8"?>\n<zone target="ACCEPT"><short>Trusted</short></zone>\n'

# The kernel that starts next, by the indexes that depmod writes.
KERNEL = "/lib/modules/6.1.0-25-amd64"
MODULES = """\
kernel/net/llc/llc.ko:
kernel/net/802/stp.ko: kernel/net/llc/llc.ko
kernel/net/bridge/bridge.ko: kernel/net/802/stp.ko kernel/net/llc/llc.ko
kernel/net/bridge/br_netfilter.ko: kernel/net/bridge/bridge.ko kernel/net/802/stp.ko kernel/net/llc/llc.ko
kernel/fs/overlayfs/overlay.ko:
"""

# What dpkg's database says beside what is there already.
PACKAGES = {"cri-o": "1.18.4~3", "kubelet": "1.18.20-00", "kubeadm": "1.18.20-00", "kubectl": "1.18.20-00"}
STATUS = "/var/lib/dpkg/status"


def status(packages=None):
    """Entries of dpkg's database, each with an empty line in front of it."""
    return "".join(
        f"\nPackage: {name}\nStatus: install ok installed\nPriority: optional\nSection: admin\n"
        f"Maintainer: Nobody <nobody@example.org>\nArchitecture: amd64\nVersion: {version}\nDescription: {name}\n"
        for name, version in (packages or PACKAGES).items()
    )


def repository(name, more=""):
    return f"[{name}]\nname={name}\nbaseurl=https://example.org/{name}\nenabled=1\ngpgcheck=1\n{more}"


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


def unit_of_crio():
    """As the package has it; what make install has is in /usr/local."""
    return sample("crio-1.18.service").replace("/usr/local/bin/crio", "/usr/bin/crio")


def files():
    """Path to text; those in PROGRAMS are executable."""
    modules = {f"{KERNEL}/{line.split(':')[0]}": "" for line in MODULES.splitlines()}
    return {
        "/etc/fstab": FSTAB,
        "/etc/hostname": HOSTNAME + "\n",
        "/etc/hosts": HOSTS,
        "/etc/selinux/config": SELINUX,
        "/usr/lib/systemd/system/firewalld.service": FIREWALLD,
        "/etc/firewalld/firewalld.conf": "# Of the package, and what the guide sets.\nDefaultZone=trusted\n",
        "/usr/lib/firewalld/zones/trusted.xml": TRUSTED,
        f"{KERNEL}/modules.dep": MODULES,
        f"{KERNEL}/modules.builtin": "kernel/fs/ext4/ext4.ko\n",
        **modules,
        "/etc/modules-load.d/crio.conf": "overlay\nbr_netfilter\n",
        "/etc/sysctl.d/99-kubernetes-cri.conf": SYSCTLS,
        "/etc/sysctl.d/90-kubelet.conf": KUBELET_SYSCTLS,
        "/etc/dnf/dnf.conf": "[main]\ngpgcheck=1\n",
        "/etc/yum.repos.d/container-selinux.repo": repository("copr:rhcontainerbot:container-selinux"),
        "/etc/yum.repos.d/libcontainers.repo": repository("devel_kubic_libcontainers_stable"),
        "/etc/yum.repos.d/cri-o.repo": repository("devel_kubic_libcontainers_stable_cri-o_1.18"),
        "/etc/yum.repos.d/kubernetes.repo": repository("kubernetes", "exclude=kubelet kubeadm kubectl\n"),
        "/etc/crio/crio.conf": crio_conf(),
        "/etc/sysconfig/crio": sample("crio-1.18.sysconfig"),
        "/etc/cni/net.d/100-crio-bridge.conf": sample("crio-1.18-10-crio-bridge.conf"),
        "/usr/lib/systemd/system/crio.service": unit_of_crio(),
        "/usr/lib/systemd/system/kubelet.service": sample("kubelet.service"),
        "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf": drop_in(),
        "/etc/default/kubelet": f"KUBELET_EXTRA_ARGS={KUBELET_ARGUMENTS}\n",
        "/var/lib/kubelet/config.yaml": KUBELET_CONFIG,
        **{path: "#!/bin/sh\n" for path in PROGRAMS},
    }


PROGRAMS = (
    "/opt/cni/bin/bridge",
    "/opt/cni/bin/host-local",
    "/usr/bin/conmon",
    "/usr/bin/crio",
    "/usr/bin/kubeadm",
    "/usr/bin/kubectl",
    "/usr/bin/kubelet",
    "/usr/sbin/firewalld",
    "/usr/sbin/tc",
    "/usr/sbin/xtables-nft-multi",
)

# What systemctl enable makes.
LINKS = {
    "/etc/systemd/system/multi-user.target.wants/crio.service": "/usr/lib/systemd/system/crio.service",
    "/etc/systemd/system/multi-user.target.wants/kubelet.service": "/usr/lib/systemd/system/kubelet.service",
    "/etc/systemd/system/multi-user.target.wants/firewalld.service": "/usr/lib/systemd/system/firewalld.service",
    "/etc/systemd/system/dbus-org.fedoraproject.FirewallD1.service": "/usr/lib/systemd/system/firewalld.service",
    # And what the packages have.
    "/usr/sbin/iptables": "xtables-nft-multi",
    "/usr/sbin/ip6tables": "xtables-nft-multi",
}

# What the profile says of the next start, where that is no pass: Debian is none of the systems that the guide is for, no
# pod network is installed yet, and the node has joined no cluster.
NO_PASS = {"host-os": "fail", "cni": "skip", "kubelet-active": "skip"}

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
    host.append(STATUS, status())
    for path, target in {**LINKS, **(SYSTEM_LINKS if system else {})}.items():
        host.link(path, target)
