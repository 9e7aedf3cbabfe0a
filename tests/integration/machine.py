# SPDX-License-Identifier: Apache-2.0
"""
The verdicts of crio-1.18 on this machine that a test comes to by itself: by reading /proc and /etc, and by asking the
system's own tools (ip, ss, getent, findmnt, swapon, systemctl, modinfo, dpkg-query, firewall-cmd). expected() gives sets of
verdicts, of more than one where this cannot tell.
"""

import configparser
import fnmatch
import glob
import ipaddress
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import time

# Rule: key, comparison, wanted value, the kernel's own default.
SYSCTLS = {
    "bridge-nf-call-iptables": ("net.bridge.bridge-nf-call-iptables", "=", 1, "1"),
    "bridge-nf-call-ip6tables": ("net.bridge.bridge-nf-call-ip6tables", "=", 1, "1"),
    "ip-forward": ("net.ipv4.ip_forward", "=", 1, "0"),
    "inotify-instances": ("fs.inotify.max_user_instances", ">=", 512, "128"),
    "kernel-panic": ("kernel.panic", "=", 10, "0"),
    "kernel-panic-on-oops": ("kernel.panic_on_oops", "=", 1, "0"),
    "vm-overcommit-memory": ("vm.overcommit_memory", "=", 1, "0"),
    "vm-panic-on-oom": ("vm.panic_on_oom", "=", 0, "0"),
    "keys-root-maxkeys": ("kernel.keys.root_maxkeys", "=", 1000000, "1000000"),
    "keys-root-maxbytes": ("kernel.keys.root_maxbytes", "=", 25000000, "25000000"),
}
CRIO = ("crio-conmon", "crio-cgroup-manager", "crio-listen", "crio-drop-ins")
KUBELET = ("kubelet-config", "kubelet-cgroup-driver", "kubelet-arguments", "kubelet-endpoint", "kubelet-crio-agree")
# Of those, and of the rest, the ones that have one horizon.
BOOT_ALONE = ("crio-listen", "crio-drop-ins", "kubelet-config")
ANY = {"pass", "fail", "error", "manual", "skip"}

UNIT_FOLDERS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)


def read(path):
    try:
        with open(path, errors="surrogateescape") as f:
            return f.read()
    except OSError:
        return None


def in_container():
    """As systemd, or the kernel's namespaces, tell it."""
    return os.path.exists("/run/systemd/container") or os.readlink("/proc/self/ns/pid") != "pid:[4026531836]"


def conf_files(kind):
    """NAME.conf of all folders, the first of a name counts, in the order of names: sysctl.d(5), modules-load.d(5)."""
    found = {}
    for folder in ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"):
        for path in glob.glob(f"{folder}/{kind}/*.conf"):
            found.setdefault(os.path.basename(path), path)
    return [found[name] for name in sorted(found)]


def normal(key):
    first = next((c for c in key if c in "./"), ".")
    return key if first == "." else key.translate(str.maketrans("./", "/."))


def boot_value(key):
    """What a file says, the last one wins; None when none does; "?" when this test cannot tell."""
    value = None
    for path in conf_files("sysctl.d"):
        for line in (read(path) or "").splitlines():
            line = line.strip()
            if not line or line[0] in "#;" or "=" not in line:
                continue
            name, text = (part.strip() for part in line.split("=", 1))
            name = normal(name.lstrip("-"))
            if name == key:
                value = text
            elif any(c in name for c in "*?[") and name.split(".")[0] == key.split(".")[0]:
                return "?"
    # procps, where its service is, reads this file last.
    for line in (read("/etc/sysctl.conf") or "").splitlines():
        name, _, text = line.strip().partition("=")
        if normal(name.strip().lstrip("-")) == key and text.strip() != value:
            return "?"
    if f"sysctl.{key}=" in (read("/proc/cmdline") or "") or "sysctl." in (read("/proc/cmdline") or ""):
        return "?"
    return value


def loaded_at_boot(module, key, live):
    """Built in, or named by a file; None when this test cannot tell."""

    def same(a):
        return a.strip().replace("-", "_") == module

    if any(same(line) for path in conf_files("modules-load.d") for line in (read(path) or "").splitlines()):
        return True
    if not live:
        return None if kernels() else False
    builtin = read(f"/lib/modules/{os.uname().release}/modules.builtin")
    if builtin and f"/{module}.ko" in builtin.replace("-", "_"):
        return True
    listed = any(same(line.split()[0]) for line in (read("/proc/modules") or "").splitlines())
    if os.path.exists("/proc/sys/" + key.replace(".", "/")) and not listed:
        return True
    if read("/etc/modules") and any(same(line) for line in read("/etc/modules").splitlines()):
        return None
    if "modules" in (read("/proc/cmdline") or ""):
        return None
    return False


def compare(value, comparison, wanted):
    number = int(value)
    return "pass" if (number == wanted if comparison == "=" else number >= wanted) else "fail"


def has_boot_loader():
    """Whose entries have the arguments of the next start, which this test does not read."""
    return any(glob.glob(p) for p in ("/boot/loader/entries/*", "/boot/grub*/grub.cfg", "/boot/efi/EFI/*", "/efi/*"))


def panic(live):
    """What the running kernel was told, and none else tells the next one."""
    arguments = (read("/proc/cmdline") or "").split() if live else []
    return ([a[6:] for a in arguments if re.fullmatch(r"panic=-?\d+", a)] or ["0"])[-1]


def expect_sysctl(rule, live):
    key, comparison, wanted, default = SYSCTLS[rule]
    verdicts = {}
    if live:
        value = read("/proc/sys/" + key.replace(".", "/"))
        if value is not None:
            verdicts["now"] = {compare(value, comparison, wanted)}
        else:
            # A key that is not there: its module is not loaded, or this kernel has none.
            verdicts["now"] = {"fail", "error", "skip"}
    value = boot_value(key)
    if key.startswith("net.bridge."):
        loaded = loaded_at_boot("br_netfilter", key, live)
        if loaded is None:
            return {**verdicts, "boot": ANY}
        if not loaded:
            return {**verdicts, "boot": {"fail", "error"}}
    if value == "?":
        verdicts["boot"] = ANY
    elif value is not None:
        verdicts["boot"] = {compare(value, comparison, wanted)}
    else:
        verdicts["boot"] = {compare(default, comparison, wanted)}
        if rule == "kernel-panic":
            verdicts["boot"] = {"pass", "fail"} if has_boot_loader() else {compare(panic(live), comparison, wanted)}
    return verdicts


def unit_file(name):
    return next((os.path.join(f, name) for f in UNIT_FOLDERS if os.path.lexists(os.path.join(f, name))), None)


def systemctl(verb, unit):
    done = subprocess.run(["systemctl", verb, unit], capture_output=True, text=True)
    return done.stdout.strip()


def expect_unit(unit, live, asks_active):
    verdicts = {}
    systemd = os.path.exists("/run/systemd/system") and os.path.exists("/run/dbus/system_bus_socket")
    if live and not asks_active:
        verdicts["now"] = {"skip"}
    elif live and not systemd:
        verdicts["now"] = {"error"}
    elif live:
        verdicts["now"] = {"pass" if systemctl("is-active", unit) == "active" else "fail"}
    if not unit_file(unit):
        verdicts["boot"] = {"fail"}
    elif shutil.which("systemctl"):
        verdicts["boot"] = {"pass"} if systemctl("is-enabled", unit) == "enabled" else {"fail", "error"}
    else:
        verdicts["boot"] = ANY
    return verdicts


def running(name):
    return any((read(path) or "").strip() == name for path in glob.glob("/proc/[0-9]*/comm"))


def expect_socket(live):
    """`now` alone is judged."""
    path = "/var/run/crio/crio.sock"
    if not live:
        return {}
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return {"now": {"fail"}}
    except PermissionError:
        return {"now": {"error"}}
    if not stat.S_ISSOCK(mode):
        return {"now": {"fail"}}
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(path)
        except OSError:
            return {"now": {"fail", "error"}}
    return {"now": {"pass", "fail"}}


def expect_component(rule, unit, files, live):
    """Nothing of it is here: every horizon is skipped. Else this test has no opinion beyond that there is a verdict."""
    installed = unit_file(unit) or any(os.path.exists(f) for f in files) or running(unit[: -len(".service")])
    horizons = (["now"] if live and rule not in BOOT_ALONE else []) + ["boot"]
    return {h: ANY if installed else {"skip"} for h in horizons}


# ---- the machine


def said(*words):
    """What a program prints, None where there is no such program."""
    if not shutil.which(words[0]):
        return None
    return subprocess.run(words, capture_output=True, text=True, timeout=60).stdout.strip()


def in_path(name):
    return shutil.which(name, path=PATH)


def with_now(live, now, boot):
    return {**({"now": now} if live else {}), "boot": boot}


def expect_cpus(live):
    return {"now": {"pass" if len(os.sched_getaffinity(0)) >= 2 else "fail"}}


def expect_memory(live):
    total = int(re.search(r"^MemTotal: +(\d+) kB", read("/proc/meminfo"), re.M).group(1))
    return {"now": {"pass" if total * 100 >= 4 * 1024 * 1024 * 85 else "fail"}}


def expect_disk(live):
    st = os.statvfs("/var/lib")
    large = st.f_blocks * st.f_frsize * 100 >= 12 * 10**9 * 95
    free = st.f_bavail * 100 >= st.f_blocks * 10
    inodes = st.f_files == 0 or st.f_ffree * 100 >= st.f_files * 5
    return {"now": {"pass" if large and free and inodes else "fail"}}


def expect_os(live):
    names = said("sh", "-c", '. /etc/os-release && echo "$ID $VERSION_ID"').split()
    known = names and names[0] in ("centos", "rhel", "rocky", "almalinux", "ol")
    return {"boot": {"pass" if known and names[1:] and re.match(r"8(\.|$)", names[1]) else "fail"}}


def is_node_name(name):
    part = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
    return len(name) <= 253 and re.fullmatch(rf"{part}(\.{part})*", name) and name != "localhost"


def addresses_of_host():
    """Of all interfaces, with their prefixes, as ip(8) has them; None where it is not installed."""
    text = said("ip", "-j", "addr")
    if text is None:
        return None
    return [
        (i["ifname"], ipaddress.ip_interface(f"{a['local']}/{a['prefixlen']}"))
        for i in json.loads(text)
        for a in i["addr_info"]
    ]


def expect_name_now(name):
    if not is_node_name(name):
        return {"fail"}
    start = time.monotonic()
    text, own = said("getent", "ahosts", name), addresses_of_host()
    if text is None or own is None or time.monotonic() - start > 1:
        return {"pass", "fail", "error"}
    found = {ipaddress.ip_address(line.split()[0].split("%")[0]) for line in text.splitlines()}
    usable = {i.ip for _, i in own if not i.ip.is_loopback and not i.ip.is_link_local}
    if found:
        return {"pass" if found & usable else "fail"}
    # Nobody knows it; whether that is an answer or none is DNS's to say.
    return {"fail", "error"}


def expect_name_boot(live):
    lines = [line.strip() for line in (read("/etc/hostname") or "").splitlines()]
    name = next((line for line in lines if line and line[0] != "#"), "localhost")
    if "systemd.hostname=" in (read("/proc/cmdline") or ""):
        return ANY
    if name == "localhost":
        return {"skip"}
    if not is_node_name(name) or (live and name != os.uname().nodename):
        return {"fail"}
    rows = [line.split("#")[0].split() for line in (read("/etc/hosts") or "").splitlines()]
    found = [ipaddress.ip_address(row[0].split("%")[0]) for row in rows if name in row[1:]]
    return {"fail" if found and all(a.is_loopback for a in found) else "pass"}


def expect_name(live):
    return with_now(live, expect_name_now(os.uname().nodename), expect_name_boot(live))


# ---- what must not be on


def enabled(unit):
    return systemctl("is-enabled", unit) if shutil.which("systemctl") else "?"


def default_starts_services():
    return said("systemctl", "get-default") in ("multi-user.target", "graphical.target")


SWAP_SERVICES = ("zramswap", "zram-config", "zram-swap", "dphys-swapfile", "swapspace", "systemd-swap", "zramd")
NO_SIZE = r"^\s*(SIZE|PERCENT|ALLOCATION|CONF_SWAPSIZE)=[\"']?0+[\"']?\s*$"


def expect_swap(live):
    """What this test cannot weigh makes both possible: arguments, masks, units, zram-generator, partitions by type."""
    used = said("swapon", "--show=NAME", "--noheadings")
    if used is None:
        used = "".join((read("/proc/swaps") or "").splitlines(True)[1:])
    started = [s for s in SWAP_SERVICES if unit_file(f"{s}.service") and enabled(f"{s}.service") != "disabled"]
    sizes = (read("/etc/default/zramswap") or "") + (read("/etc/dphys-swapfile") or "")
    doubts = [
        any(glob.glob(f"{f}/{p}") for f in UNIT_FOLDERS for p in ("*.swap", "*/*.swap")),
        os.path.lexists("/etc/systemd/system/swap.target"),
        glob.glob("/usr/lib/systemd/system-generators/zram-generator"),
        "0657fd6d" in "".join(read(f) or "" for f in glob.glob("/run/udev/data/b*")),
        any(word in (read("/proc/cmdline") or "") for word in ("swap", "fstab=", "systemd.mask", "zram")),
        re.search(NO_SIZE, sizes, re.M) or not default_starts_services(),
        any(enabled(f"{s}.service") != "enabled" for s in started),
    ]
    lines = said("findmnt", "--fstab", "--types", "swap", "--noheadings", "--output", "OPTIONS")
    if lines is None:
        lines = "\n".join(x for x in (read("/etc/fstab") or "").splitlines() if " swap " in x and x[0] != "#")
    listed = [line for line in lines.splitlines() if "noauto" not in line.split(",")]
    boot = {"pass", "fail"} if any(doubts) else {"fail"} if started or listed else {"pass"}
    return with_now(live, {"fail" if used.strip() else "pass"}, boot)


def expect_firewall_boot():
    bus = glob.glob("/usr/*/dbus-1/system-services/org.fedoraproject.FirewallD1.service")
    state = enabled("firewalld.service")
    if bus or state not in ("enabled", "disabled", "masked") or not default_starts_services():
        return {"pass", "fail", "error"}
    if state != "enabled":
        return {"pass"}
    zone = re.search(r"^\s*DefaultZone\s*=\s*([^=\n]*?)\s*$", read("/etc/firewalld/firewalld.conf") or "", re.M)
    if not zone or zone.group(1) != "trusted":
        return {"fail"}
    bound = glob.glob("/etc/firewalld/zones/*") + glob.glob("/etc/NetworkManager/system-connections/*")
    return {"pass", "fail", "error"} if bound or os.path.exists("/etc/sysconfig/network-scripts") else {"pass"}


def expect_firewall(live):
    if not unit_file("firewalld.service") and not in_path("firewalld"):
        return with_now(live, {"skip"}, {"skip"})
    if not os.path.exists(BUS):
        now = {"error"}
    elif said("firewall-cmd", "--state") == "running":
        zone = said("firewall-cmd", "--get-default-zone")
        now = {"pass", "fail"} if zone == "trusted" else {"fail"}
    else:
        now = {"pass", "manual", "error"}
    return with_now(live, now, expect_firewall_boot())


def expect_selinux(live):
    """With SELinux in the kernel by its own word and by the configuration's; without, there is next to nothing to say."""
    enforce = read("/sys/fs/selinux/enforce")
    config = read("/etc/selinux/config")
    word = re.search(r"^SELINUX=(enforcing|permissive|disabled)", config or "", re.M | re.I)
    known = "selinuxfs" in (read("/proc/filesystems") or "") or "selinux" in (read("/sys/kernel/security/lsm") or "")
    if enforce is not None:
        now = {"fail" if enforce.strip() == "1" else "pass"}
    else:
        now = {"pass"} if known or config is not None else {"skip"}
    if re.search(r"\b(selinux|enforcing|lsm|security)=", read("/proc/cmdline") or ""):
        boot = {"pass", "fail", "error", "skip"}
    elif live and known:
        boot = {"fail" if word and word.group(1).lower() == "enforcing" else "pass"}
    elif config is None:
        boot = {"skip"}
    else:
        boot = {"pass", "fail", "error", "skip"} if word and word.group(1).lower() == "enforcing" else {"pass", "skip"}
    return with_now(live, now, boot)


# ---- modules and programs


def kernels():
    found = glob.glob("/lib/modules/*/modules.dep") + glob.glob("/lib/modules/*/modules.builtin")
    return {os.path.basename(os.path.dirname(p)) for p in found}


def module_now(module, sign):
    """How the running kernel has it: "live", "there" (could be loaded), or None."""
    listed = any(line.split()[0] == module for line in (read("/proc/modules") or "").splitlines())
    if listed or os.path.exists(f"/sys/module/{module}") or os.path.exists(sign):
        return "live"
    if f"\t{module}\n" in (read("/proc/filesystems") or ""):
        return "live"
    place = said("modinfo", "-F", "filename", module)
    return None if not place else "live" if "builtin" in place else "there"


def is_mentioned(module):
    """Something may keep it away: what that comes to is beyond this test."""
    files = [p for f in ("/etc", "/usr/local/lib", "/usr/lib", "/lib") for p in glob.glob(f"{f}/modprobe.d/*")]
    texts = [read(p) or "" for p in files] + [read("/proc/cmdline") or ""]
    return any(re.search(rf"^[^#]*\b{module.replace('_', '[-_]')}\b", t, re.M) for t in texts)


def expect_module(module, sign, live, loadable):
    state, installed = module_now(module, sign), kernels()
    listed = loaded_at_boot(module, "", False)
    if is_mentioned(module):
        boot = ANY
    elif not installed and live and state == "live" and module not in (read("/proc/modules") or ""):
        boot = {"pass"}
    elif not installed and live and read("/proc/modules") is None:
        boot = {"fail"}
    elif not installed and loadable:
        boot = {"error"} if live else {"pass"} if listed else {"skip"}
    elif not installed:
        boot = {"pass"} if listed else {"fail"}
    elif live and installed == {os.uname().release}:
        place = said("modinfo", "-F", "filename", module)
        has = {"pass"} if place and ("builtin" in place or loadable or listed) else {"fail"}
        boot = ANY if place is None else has
    else:
        boot = {"pass", "fail"}
    lost = not os.path.isdir(f"/lib/modules/{os.uname().release}")
    now = {"pass"} if state == "live" else {"fail", "error"} if lost else {"fail"}
    return with_now(live, now, boot)


def expect_tc(live):
    """The kubelet's PATH is systemd's, unless a unit says otherwise."""
    return {"boot": {"pass", "fail"} if unit_file("kubelet.service") else {"pass" if in_path("tc") else "fail"}}


# ---- packages, versions, repositories

REPOSITORIES = {
    "repository-container-selinux": "*rhcontainerbot*container-selinux*",
    "repository-libcontainers": "devel_kubic_libcontainers_stable",
    "repository-crio": "devel_kubic_libcontainers_stable_cri-o_1.18",
    "repository-kubernetes": "kubernetes",
}
DNF = ("/usr/bin/dnf", "/usr/bin/dnf5", "/usr/bin/microdnf", "/usr/bin/yum", "/etc/dnf/dnf.conf", "/etc/yum.conf")


def expect_repository(pattern):
    if not any(os.path.exists(p) for p in DNF):
        return {"boot": {"skip"}}
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read(glob.glob("/etc/yum.repos.d/*.repo") + ["/etc/dnf/dnf.conf", "/etc/yum.conf"])
    except configparser.Error:
        return {"boot": {"pass", "fail", "error"}}
    if any(fnmatch.fnmatchcase(name, pattern) for name in parser.sections()):
        return {"boot": {"pass", "fail"}}
    elsewhere = [f for f in ("/etc/yum/repos.d", "/etc/distro.repos.d", "/usr/share/dnf5/repos.d") if os.path.isdir(f)]
    return {"boot": {"pass", "fail"} if elsewhere or parser.has_option("main", "reposdir") else {"fail"}}


def expect_packages(names, live):
    if os.path.exists("/var/lib/dpkg/status") and os.path.getsize("/var/lib/dpkg/status"):
        states = [said("dpkg-query", "-W", "-f", "${db:Status-Status}\n", n) for n in names]
        if None in states:
            return {"boot": {"pass", "fail"}}
        return {"boot": {"pass" if all("installed" in s.splitlines() for s in states) else "fail"}}
    if not any(
        glob.glob(f"{d}/{f}") for d in ("/usr/lib/sysimage/rpm", "/var/lib/rpm") for f in ("rpmdb.sqlite", "Packages*")
    ):
        return {"boot": {"skip"}}
    if not live:
        return {"boot": {"error"}}
    there = all(subprocess.run(["rpm", "-q", n], capture_output=True).returncode == 0 for n in names)
    return {"boot": {"pass" if there else "fail"}}


def expect_versions(live):
    """One that is not installed is enough for a failure; what the others are is more than this test finds out."""
    missing = [
        name
        for name, unit in (("crio", "crio.service"), ("kubelet", "kubelet.service"), ("kubeadm", ""), ("kubectl", ""))
        if not in_path(name) and not (unit and unit_file(unit))
    ]
    if running("crio") or running("kubelet"):
        now = {"pass", "fail", "error"}
    else:
        # Whether the kubelet's unit has a process is systemd's to say.
        now = {"skip"} if os.path.exists(BUS) else {"error"}
    return with_now(live, now, {"fail"} if missing else {"pass", "fail", "error"})


# ---- the cluster and its network

INTERFACES = (
    "cni0",
    "flannel.*",
    "cali*",
    "vxlan.calico",
    "cilium_*",
    "kube-ipvs0",
    "kube-bridge",
    "nodelocaldns",
    "antrea-gw0",
    "ovn-k8s-mp0",
    "weave*",
)
MANIFESTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")
LEFT_OVERS = (
    *(f"/etc/kubernetes/manifests/{name}.yaml" for name in MANIFESTS),
    *(
        f"/etc/kubernetes/{name}.conf"
        for name in ("bootstrap-kubelet", "admin", "super-admin", "controller-manager", "scheduler")
    ),
    *(f"/etc/kubernetes/pki/{name}.crt" for name in ("apiserver", "apiserver-kubelet-client", "front-proxy-client")),
    "/var/lib/etcd/*",
    "/var/lib/etcd/.*",
    "/var/lib/kubelet/pki/kubelet-client-*",
    "/var/lib/kubelet/pki/kubelet-server-*",
)
NETWORKS = [ipaddress.ip_network(n) for n in ("10.244.0.0/16", "10.96.0.0/12")]


def joined():
    names = ("/etc/kubernetes/kubelet.conf", "/var/lib/kubelet/pki/kubelet-client-current.pem")
    return any(os.path.exists(n) for n in names)


def expect_left_overs(live):
    found = [p for pattern in LEFT_OVERS for p in glob.glob(pattern)]
    # Certificates of etcd alone are beyond this list.
    boot = {"fail"} if found else {"pass", "fail"} if os.path.isdir("/etc/kubernetes/pki/etcd") else {"pass"}
    names = os.listdir("/sys/class/net")
    now = {"fail" if any(fnmatch.fnmatchcase(n, p) for n in names for p in INTERFACES) else "pass"}
    return with_now(live, now, boot)


def expect_pod_network(live):
    addresses, routes = addresses_of_host(), said("ip", "-4", "-j", "route")
    if addresses is None or routes is None:
        return {"now": {"pass", "fail"}}
    there = [(name, i.network) for name, i in addresses if i.version == 4 and not i.is_loopback]
    for route in json.loads(routes or "[]"):
        if route["dst"] != "default" and route.get("dev") and route.get("type", "unicast") == "unicast":
            there.append((route["dev"], ipaddress.ip_network(route["dst"])))
    if not there and "default" not in routes:
        return {"now": {"error"}}
    overlaps = [name for name, network in there if any(network.overlaps(n) for n in NETWORKS)]
    # Interfaces that a pod network made are its own.
    own = [name for name in overlaps if any(fnmatch.fnmatchcase(name, p) for p in INTERFACES)]
    return {"now": {"pass", "fail"} if own else {"fail"} if overlaps else {"pass"}}


def expect_ports(live):
    text = said("ss", "-Hltnp")
    if text is None:
        return {"now": {"pass", "fail", "error"}}
    wanted = {6443, 2379, 2380, 10250, 10257, 10259}
    held = [line for line in text.splitlines() if int(line.split()[3].rsplit(":", 1)[1]) in wanted]
    strangers = [line for line in held if '(("kubelet",' not in line]
    return {"now": {"fail" if strangers else "pass"}}


def expect_iptables(live):
    """Each of the two by where its links lead; in a PATH that the kubelet's unit does not change."""
    kinds = {
        "xtables-nft-multi": "nft",
        "xtables-compat-multi": "nft",
        "xtables-legacy-multi": "legacy",
        "xtables-multi": "legacy",
    }
    found = [in_path(name) for name in ("iptables", "ip6tables") if in_path(name)]
    if unit_file("kubelet.service"):
        return with_now(live, ANY, ANY)
    if not in_path("iptables"):
        return with_now(live, {"skip"}, {"skip"})
    has = {kinds.get(os.path.basename(os.path.realpath(path)), "?") for path in found}
    boot = {"fail"} if "legacy" in has else {"error"} if "?" in has else {"pass"}
    tables = (read("/proc/net/ip_tables_names") or "") + (read("/proc/net/ip6_tables_names") or "")
    return with_now(live, {"fail"} if tables.strip() else boot, boot)


def expect_cni(live):
    files = [p for end in ("conf", "conflist", "json") for p in glob.glob(f"/etc/cni/net.d/*.{end}")]
    return {"boot": {"pass", "fail", "skip", "error"} if files else {"skip"}}


def expect_kubelet_active(live):
    return {"now": {"pass", "fail", "error"}, "boot": {"skip"}} if joined() else with_now(live, {"skip"}, {"skip"})


PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BUS = "/run/dbus/system_bus_socket"
BRIDGE = "/proc/sys/net/bridge"
SKIPPED = {"now": {"skip"}}
WHOLE = {
    "host-cpus": expect_cpus,
    "host-memory": expect_memory,
    "host-disk": expect_disk,
    "host-os": expect_os,
    "host-name": expect_name,
    "swap-off": expect_swap,
    "firewall": expect_firewall,
    "selinux-mode": expect_selinux,
    "module-overlay": lambda live: expect_module("overlay", "/sys/module/overlay", live, True),
    "module-br-netfilter": lambda live: expect_module("br_netfilter", BRIDGE, live, False),
    "tc": expect_tc,
    "crio-package": lambda live: expect_packages(["cri-o"], live),
    "kubernetes-packages": lambda live: expect_packages(["kubelet", "kubeadm", "kubectl"], live),
    "versions": expect_versions,
    "left-overs": lambda live: with_now(live, {"skip"}, {"skip"}) if joined() else expect_left_overs(live),
    "pod-network": lambda live: SKIPPED if joined() else expect_pod_network(live),
    "control-plane-ports": lambda live: SKIPPED if joined() else expect_ports(live),
    "worker-ports": lambda live: SKIPPED,
    "control-plane-answers": lambda live: SKIPPED,
    "iptables-backend": expect_iptables,
    "cni": expect_cni,
    "kubelet-active": expect_kubelet_active,
    "kubelet-health": lambda live: {"now": {"pass", "fail", "error"}} if joined() else SKIPPED,
}


def expected(rule, live):
    if rule in WHOLE:
        return WHOLE[rule](live)
    if rule in REPOSITORIES:
        return expect_repository(REPOSITORIES[rule])
    if rule in SYSCTLS:
        return expect_sysctl(rule, live)
    if rule == "crio-service":
        return expect_unit("crio.service", live, True)
    if rule == "kubelet-service":
        return expect_unit("kubelet.service", live, False)
    if rule == "crio-socket":
        return expect_socket(live)
    if rule in CRIO:
        return expect_component(
            rule, "crio.service", ["/etc/crio", "/usr/bin/crio", "/usr/local/bin/crio", "/usr/libexec/crio"], live
        )
    if rule in KUBELET:
        return expect_component(
            rule,
            "kubelet.service",
            ["/usr/bin/kubelet", "/usr/local/bin/kubelet", "/var/lib/kubelet/config.yaml", "/etc/kubernetes"],
            live,
        )
    return None
