# SPDX-License-Identifier: Apache-2.0
"""
The fault matrix of files, as a table: each place that a check reads, the rule that it decides, and the verdict of that
rule under each fault. README.md beside this file has the words and the faults.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import guide
import k8s

# Faults of files. Those of the text are made at the needle, the part of the text that decides.
NO_FILE = ("directory", "fifo", "socket", "device", "unreadable", "loop")
HUGE = ("sparse", "long-line")
TEXT = ("nested", "nul", "utf-8", "crlf", "bom", "cut-before", "cut-in", "cut-after")
FILE_FAULTS = ("absent", "empty", *NO_FILE, "dangling", *HUGE, *TEXT, "changing")
# Faults of folders.
FOLDER_FAULTS = ("absent", "empty", "file", "fifo", "socket", "device", "unreadable", "loop", "dangling", "many")

# Why a fault may pass wherever it does, unless a place has a reason of its own.
WHY = {
    "cut-after": "the part that decides is whole, and stands in the last line, which needs no end",
    "changing": "both texts that it changes between say the same",
}


def encoded(text):
    """Bytes; a text beyond the first 256 characters of Unicode is none."""
    return text if text is None else text.encode("latin-1")


class Place:
    """
    `good` is the verdict of the text as it stands; `expect` has those under each fault, "A|B" for either. What it does
    not name is an error for what is no file or too large, as absent for a link that leads nowhere, `good` or an error
    while it changes, and any of fail and error for the rest.
    """

    def __init__(
        self,
        path,
        check,
        expect,
        called=None,
        text=None,
        needle=None,
        good="pass",
        why=None,
        parameters=None,
        live=False,
        files=None,
        links=None,
        remove=(),
        nested=None,
        mode=0o644,
        name=None,
        hidden=(),
        horizon=None,
    ):
        self.path, self.check, self.good, self.live = path, check, good, live
        self.parameters, self.files, self.links, self.remove = parameters or {}, files or {}, links or {}, remove
        self.text, self.needle, self.nested, self.mode = encoded(text), encoded(needle), nested, mode
        self.name = f"{path} by {name or check}"
        self.folder = text is None
        self.why = {**WHY, **(why or {})}
        # Faults under which the report may leave the path out: what stands there is all that there is to say.
        self.hidden = hidden
        # The name by which the report may have it.
        self.called = called or path
        self.judged = horizon
        self.expected = self.read(expect)

    @property
    def horizon(self):
        return self.judged or ("now" if self.live else "boot")

    def read(self, expect):
        given = {}
        for word in expect.split():
            names, verdicts = word.split(":")
            for name in names.split(","):
                assert name in FILE_FAULTS + FOLDER_FAULTS, (self.name, name)
                given[name] = set(verdicts.split("|"))
        expected = {}
        for fault in FOLDER_FAULTS if self.folder else FILE_FAULTS:
            if fault in given:
                expected[fault] = given[fault]
            elif fault == "nested" and self.nested is None:
                continue
            elif fault == "dangling":
                expected[fault] = given["absent"]
            elif fault in NO_FILE + HUGE + ("file", "many"):
                expected[fault] = {"error"}
            elif fault == "changing":
                expected[fault] = {*self.good.split("|"), "error"}
            elif fault == "cut-after":
                expected[fault] = set(self.good.split("|"))
            else:
                expected[fault] = {"fail", "error"}
            if "pass" in expected[fault]:
                assert self.why.get(fault), f"{self.name}: {fault} may pass, and the table does not say why"
        return expected


def sysctl(key, value):
    return {"keys": [key], "value": value}


def of(faults, reason):
    return {fault: reason for fault in faults.split(",")}


# What is there in the place of a folder.
SOMETHING = "file,fifo,socket,device"

KERNEL = guide.KERNEL
RELEASE = KERNEL.rsplit("/", 1)[1]
DEEP = 100000
NESTED_YAML = "a: " + "[" * DEEP + "]" * DEEP + "\n"
NESTED_JSON = "[" * DEEP + "]" * DEEP
NESTED_TOML = "a = " + "[" * DEEP + "]" * DEEP + "\n"
NESTED_XML = "<zone>" * DEEP + "</zone>" * DEEP
NESTED_GRUB = "if true; then\n" * DEEP + "fi\n" * DEEP

# What uname(2) says.
NAMES = {
    f"/proc/sys/kernel/{k}": v + "\n" for k, v in (("osrelease", RELEASE), ("hostname", "node1"), ("arch", "x86_64"))
}
OPTIONS = "root=/dev/sda2 ro sysctl.vm.swappiness=7"
ENTRY = f"title Debian\nversion {RELEASE}\nlinux /vmlinuz-{RELEASE}\noptions {OPTIONS}\n"
GRUB = (
    f"set timeout=5\nmenuentry 'Debian' {{\n\tlinux /boot/vmlinuz-{RELEASE} {OPTIONS}\n\tinitrd /boot/initrd.img\n}}\n"
)
# Nothing of the running kernel shows SELinux, so that what it was built with tells of the next start.
SELINUX_LATER = {"/proc/filesystems": "nodev\tsysfs\n\text4\n", "/proc/cmdline": "root=/dev/sda2 ro\n", **NAMES}
# A system on a GPT disk, where systemd looks for partitions of the type swap.
GPT = {
    "/proc/cmdline": "root=/dev/sda2\n",
    "/proc/1/mountinfo": "22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw\n23 22 0:21 / /proc rw - proc proc rw\n",
    "/proc/swaps": "Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n",
    "/usr/lib/systemd/libsystemd-shared-252.so": "",
    "/usr/lib/systemd/system-generators/systemd-gpt-auto-generator": "\n",
    "/run/udev/data/b8:0": "E:ID_PART_TABLE_TYPE=gpt\n",
    "/run/udev/data/b8:2": "E:ID_PART_ENTRY_SCHEME=gpt\nE:ID_PART_ENTRY_TYPE=0fc63daf-8483-4772-8e79-3d69d8477de4\n"
    "E:ID_PART_ENTRY_DISK=8:0\n",
}
SWAPPINESS = {"parameters": sysctl("vm.swappiness", 7), "check": "sysctl.value"}
MULTI_USER = "/etc/systemd/system/multi-user.target.wants"
SERVICE = "[Unit]\nDescription=Some swap\n[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
CONFLIST = """\
{"cniVersion": "0.3.1", "name": "pods",
 "plugins": [{"type": "bridge", "ipam": {"type": "host-local"}}]}
"""
BRIDGE = "/etc/cni/net.d/100-crio-bridge.conf"
MEMINFO = "MemTotal:        8009408 kB\nMemFree:         6009408 kB\n"
SWAPS = "Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n"
OVERLAY = "overlay 151552 0 - Live 0x0000000000000000\n"
MOUNTS = "22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw\n"
VAR = "23 22 8:3 / /var/lib/pods rw,nodev,relatime shared:2 - ext4 /dev/sda3 rw\n"

ABSENT_IS_PUBLIC = "where firewalld.conf is missing firewalld takes its fallback, public"
NO_SUCH = "{0} takes a missing {1} for an empty one"
SYSTEMD_CR = "systemd strips white space at the end of a line, a carriage return with it"

# As depmod wrote it; one character a byte.
with open(
    os.path.join(
        os.path.dirname(os.path.abspath(__file__)),
        "../hosts/el-9/root/usr/lib/modules/5.14.0-427.13.1.el9_4.x86_64/modules.dep.bin",
    ),
    encoding="latin-1",
    newline="",
) as f:
    DEP_BIN = f.read()

PLACES = [
    # ---- sysctl.d and what else sets a kernel parameter
    Place(
        "/etc/sysctl.d/99-kubernetes-cri.conf",
        "sysctl.value",
        "absent,empty,directory:fail crlf:pass bom:pass cut-before,cut-in:fail",
        text="# Of the guide\nnet.ipv4.ip_forward = 1\nnet.ipv4.conf.all.rp_filter = 1\n",
        needle="net.ipv4.ip_forward = 1",
        why={"crlf": SYSTEMD_CR, "bom": "it spoils the first line alone, which is a comment that is then no setting"},
        parameters=sysctl("net.ipv4.ip_forward", 1),
    ),
    Place(
        "/usr/lib/sysctl.d/50-default.conf",
        "sysctl.value",
        "absent,empty,directory:fail crlf:pass bom:fail cut-in:fail",
        text="kernel.sysrq = 16\n# of the distribution\n",
        needle="kernel.sysrq = 16",
        why={"crlf": SYSTEMD_CR},
        parameters=sysctl("kernel.sysrq", 16),
    ),
    Place(
        "/etc/sysctl.conf",
        "sysctl.value",
        "absent,empty,directory,device:fail crlf:pass bom:fail cut-in:fail",
        text="kernel.sysrq = 16\n# the host's own\n",
        needle="kernel.sysrq = 16",
        why={"crlf": SYSTEMD_CR},
        parameters=sysctl("kernel.sysrq", 16),
        links={"/etc/sysctl.d/99-sysctl.conf": "../sysctl.conf"},
        name="its link in sysctl.d",
        called="/etc/sysctl.d/99-sysctl.conf",
    ),
    Place(
        "/etc/sysctl.d", "sysctl.value", f"absent,empty,{SOMETHING}:fail", parameters=sysctl("net.ipv4.ip_forward", 1)
    ),
    Place(
        "/usr/lib/sysctl.d",
        "sysctl.value",
        f"absent,empty,{SOMETHING}:pass",
        why={
            "absent": "the file in /etc decides alone",
            "empty": "the file in /etc decides alone",
            "dangling": "a folder that leads nowhere has no files, for systemd as well",
            **of(SOMETHING, "systemd passes over what is no folder"),
        },
        files={"/usr/lib/sysctl.d/50-x.conf": "kernel.sysrq = 16\n"},
        parameters=sysctl("net.ipv4.ip_forward", 1),
    ),
    # ---- the kernel's arguments
    Place(
        "/boot/loader/entries/debian.conf",
        **SWAPPINESS,
        expect="absent,empty:fail|error crlf:pass bom:pass",
        text=ENTRY,
        needle="sysctl.vm.swappiness=7",
        why={
            "bom": "it spoils the first line, which is the title",
            "crlf": "systemd-boot takes a carriage return for the end of a line",
        },
    ),
    Place(
        "/boot/loader/entries",
        **SWAPPINESS,
        expect=f"absent,empty:fail|error {SOMETHING}:fail",
        files={"/boot/loader/entries/debian.conf": ENTRY},
    ),
    Place(
        "/boot/loader/loader.conf",
        **SWAPPINESS,
        expect="absent,empty:fail crlf:fail|error|pass bom:fail|error",
        text="default debian.conf\n",
        needle="default debian.conf",
        files={
            "/boot/loader/entries/debian.conf": ENTRY.replace(RELEASE, "1.0"),
            "/boot/loader/entries/zz-other.conf": ENTRY.replace("=7", "=9").replace(RELEASE, "9.0"),
        },
        why={"crlf": "systemd-boot takes a carriage return for the end of a line"},
    ),
    Place(
        "/boot/grub/grub.cfg",
        **SWAPPINESS,
        expect="absent,empty:fail|error crlf:fail|error|pass bom:pass cut-after:error",
        text=GRUB,
        needle="sysctl.vm.swappiness=7",
        nested=NESTED_GRUB,
        why={
            "bom": "it spoils the first command, which sets a time-out",
            "crlf": "GRUB reads lines with carriage returns as well",
        },
    ),
    Place(
        "/boot/grub/grubenv",
        **SWAPPINESS,
        expect="absent,empty:fail|error crlf,bom:fail|error",
        text=f"# GRUB Environment Block\nkernelopts={OPTIONS}\n".ljust(1024, "#"),
        needle="sysctl.vm.swappiness=7",
        files={"/boot/grub/grub.cfg": "load_env\n" + GRUB.replace(OPTIONS, "$kernelopts")},
    ),
    # ---- modules
    Place(
        "/etc/modules-load.d/crio.conf",
        "modules.loaded",
        "absent,empty,directory:fail crlf:pass bom:pass cut-before,cut-in:fail",
        text="overlay\nbr_netfilter\n",
        needle="br_netfilter",
        parameters={"modules": ["br_netfilter"]},
        why={"crlf": SYSTEMD_CR, "bom": "it spoils the first line alone, which names another module"},
    ),
    Place(
        "/etc/modules-load.d",
        "modules.loaded",
        f"absent,empty,{SOMETHING}:fail",
        parameters={"modules": ["br_netfilter"]},
    ),
    Place(
        "/etc/modprobe.d/local.conf",
        "modules.loaded",
        "absent,empty,directory:pass crlf:pass|fail|error utf-8,bom,cut-before,cut-in:pass",
        text="blacklist br_netfilter\n# of an administrator\n",
        needle="blacklist br_netfilter",
        good="fail",
        parameters={"modules": ["br_netfilter"]},
        why={
            "absent": NO_SUCH.format("libkmod", "file"),
            "empty": "nothing keeps the module away",
            "dangling": "libkmod passes over a link that leads nowhere",
            "directory": "libkmod passes over folders",
            "utf-8": "another module is kept away",
            "crlf": "libkmod takes the carriage return for a part of the name",
            "bom": "libkmod does not know the command, and passes over the line",
            "cut-before": "nothing keeps the module away",
            "cut-in": "another module is kept away",
        },
    ),
    Place(
        "/etc/modprobe.d",
        "modules.loaded",
        "absent,empty:pass",
        good="fail",
        files={"/etc/modprobe.d/local.conf": "blacklist br_netfilter\n"},
        parameters={"modules": ["br_netfilter"]},
        why={
            "absent": "nothing keeps the module away",
            "empty": "nothing keeps the module away",
            "dangling": "nothing keeps the module away",
        },
    ),
    Place(
        f"{KERNEL}/modules.dep",
        "modules.loaded",
        "absent:fail|error empty:fail crlf:pass bom:pass",
        text=guide.MODULES,
        needle="kernel/fs/overlayfs/overlay.ko:",
        parameters={"modules": ["overlay"], "at-boot": "loadable"},
        why={
            "crlf": "what follows the colon are modules that it needs, and there are none",
            "bom": "it spoils the first line alone, which is of another module",
        },
    ),
    Place(
        f"{KERNEL}/modules.builtin",
        "modules.loaded",
        "absent,empty:fail|error crlf:pass|fail|error bom:pass",
        text="kernel/fs/ext4/ext4.ko\nkernel/fs/zzfs/zzfs.ko\n",
        needle="zzfs.ko",
        parameters={"modules": ["zzfs"], "at-boot": "loadable"},
        why={
            "bom": "it spoils the first line alone, which is of another module",
            "crlf": "depmod writes no carriage returns; the name is all the same",
        },
    ),
    Place(
        KERNEL.rsplit("/", 1)[0],
        "modules.loaded",
        "absent,empty:skip",
        files={"/etc/modules-load.d/crio.conf": "br_netfilter\n"},
        parameters={"modules": ["overlay"], "at-boot": "loadable"},
        name="modules.loaded, all kernels",
    ),
    # ---- the machine and its name
    Place(
        "/etc/os-release",
        "host.os",
        "absent,empty:error|fail crlf:pass|fail bom:pass|fail|error",
        text='ID=debian\nVERSION_ID="12"\n',
        needle='ID=debian',
        parameters={"ids": ["debian"]},
        why={
            "crlf": "systemd's reader takes carriage returns for ends of lines",
            "bom": "systemd's reader passes over a byte-order mark",
        },
        files={"/usr/lib/os-release": 'ID=other\n'},
    ),
    Place(
        "/usr/lib/os-release",
        "host.os",
        "absent:error empty:fail crlf:pass|fail bom:pass|fail|error",
        text='ID=debian\nVERSION_ID="12"\n',
        needle='ID=debian',
        parameters={"ids": ["debian"]},
        why={
            "crlf": "systemd's reader takes carriage returns for ends of lines",
            "bom": "systemd's reader passes over a byte-order mark",
        },
        remove=["/etc/os-release"],
    ),
    Place(
        "/etc/hostname",
        "host.name",
        "absent,empty:skip crlf:pass cut-before:skip cut-in:pass",
        text="# of this host\nnode1.example.net\n",
        needle="node1.example.net",
        why={"crlf": SYSTEMD_CR, "cut-in": "half of a name is a name, too", "bom": "it spoils the comment"},
    ),
    Place(
        "/etc/hosts",
        "host.name",
        "absent,empty,cut-before,cut-in:pass utf-8,nul:fail|error|pass crlf:fail bom:fail|pass",
        text="127.0.0.1 localhost\n127.0.1.1 node1.example.net\n",
        needle="127.0.1.1 node1.example.net",
        good="fail",
        why={
            "absent": NO_SUCH.format("glibc", "/etc/hosts"),
            "empty": "the name is up to DNS",
            "dangling": NO_SUCH.format("glibc", "/etc/hosts"),
            "cut-before": "the name is up to DNS",
            "cut-in": "the name is up to DNS",
            "utf-8": "the line has another name then",
            "nul": "glibc's line ends there, and has another name",
            "bom": "it spoils the first line alone, which is of another name",
        },
    ),
    # ---- the firewall
    Place(
        "/etc/firewalld/firewalld.conf",
        "firewalld.default-zone",
        "absent,empty,utf-8,bom,cut-before,cut-in:fail nul:error crlf:pass",
        text="DefaultZone=trusted\nCleanupOnExit=yes\n",
        needle="DefaultZone=trusted",
        why={"crlf": "firewalld strips white space at both ends of a line"},
    ),
    Place(
        "/usr/lib/firewalld/zones/trusted.xml",
        "firewalld.default-zone",
        "absent,empty:fail|error crlf:pass bom:pass cut-after:fail|error",
        text=guide.TRUSTED,
        needle='<zone target="ACCEPT">',
        nested=NESTED_XML,
        why={"crlf": "XML takes both for ends of lines", "bom": "XML allows a byte-order mark"},
    ),
    Place(
        "/etc/firewalld/zones/public.xml",
        "firewalld.default-zone",
        "absent:pass dangling:error empty:error crlf,bom:fail cut-after:fail|error changing:fail|error",
        text='<?xml version="1.0" encoding="utf-8"?>\n<zone><interface name="ens3"/></zone>\n',
        needle='<interface name="ens3"/>',
        good="fail",
        nested=NESTED_XML,
        why={"absent": "no interface is bound then"},
    ),
    Place(
        "/etc/firewalld/zones",
        "firewalld.default-zone",
        f"absent,empty,{SOMETHING}:pass",
        good="fail",
        files={"/etc/firewalld/zones/public.xml": '<zone><interface name="ens3"/></zone>\n'},
        why={
            "absent": "no interface is bound then",
            "empty": "no interface is bound then",
            "dangling": "no interface is bound then",
            **of(SOMETHING, "firewalld passes over what is no folder"),
        },
    ),
    Place(
        "/etc/NetworkManager/system-connections/ens3.nmconnection",
        "firewalld.default-zone",
        "absent,empty,directory,fifo,socket,device,nul,bom:pass cut-before,cut-in:pass utf-8:fail|error crlf:fail",
        text="[connection]\nid=ens3\ntype=ethernet\ninterface-name=ens3\nzone=public\n",
        needle="zone=public",
        good="fail",
        mode=0o600,
        why={
            "absent": "there is no such profile then",
            "empty": "it is no profile then",
            "dangling": "there is no such profile then",
            "cut-before": "the profile names no zone then",
            "cut-in": "the profile names no zone then",
            "nul": "GLib's value ends there, and is empty",
            "bom": "GLib refuses the file, and there is no such profile",
            **of("directory,fifo,socket,device", "NetworkManager reads regular files alone"),
        },
    ),
    Place(
        "/etc/sysconfig/network-scripts/ifcfg-ens3",
        "firewalld.default-zone",
        "absent,empty,directory,fifo,socket,device,cut-before,cut-in:pass nul,utf-8,bom:fail|error crlf:fail",
        text="TYPE=Ethernet\nDEVICE=ens3\nZONE=public\n",
        needle="ZONE=public",
        good="fail",
        why={
            "absent": "there is no such profile then",
            "empty": "it names no zone then",
            "dangling": "there is no such profile then",
            "cut-before": "it names no zone then",
            "cut-in": "it names no zone then",
            **of("directory,fifo,socket,device", "NetworkManager reads regular files alone"),
        },
    ),
    # ---- SELinux
    Place(
        "/etc/selinux/config",
        "selinux.mode",
        "absent:skip|fail|error empty,cut-before,cut-in,bom:fail crlf:pass",
        text="SELINUX=enforcing\nSELINUXTYPE=targeted\n",
        needle="SELINUX=enforcing",
        parameters={"modes": ["enforcing"]},
        why={"crlf": "libselinux compares the beginning of what follows the sign alone"},
    ),
    # ---- packages
    Place(
        "/var/lib/dpkg/status",
        "software.package",
        "absent,empty:skip crlf:error bom:pass cut-after:error|fail",
        text=guide.status()[1:] + guide.status({"zlib1g": "1:1.2.13"}),
        needle="Package: kubelet\n",
        parameters={"packages": ["kubelet"]},
        why={"bom": "it spoils the first line alone, which is of another package"},
    ),
    Place(
        "/var/lib/dpkg/status.d/kubelet",
        "software.package",
        "absent:skip|fail empty:fail|error crlf:pass",
        text="Package: kubelet\nVersion: 1.18.20-00\nArchitecture: amd64\n",
        needle="Version: 1.18.20-00",
        parameters={"packages": ["kubelet"]},
        remove=["/var/lib/dpkg/status"],
        why={"crlf": "white space at the ends of a value does not count"},
        files={"/var/lib/dpkg/status.d/base": "Package: base-files\nVersion: 12\nArchitecture: amd64\n"},
    ),
    Place(
        "/etc/yum.repos.d/kubernetes.repo",
        "software.repository",
        "absent,empty:fail crlf,bom:pass cut-before,cut-in:fail|error",
        text=guide.repository("kubernetes", "exclude=kubelet kubeadm kubectl\n"),
        needle="exclude=kubelet kubeadm kubectl",
        parameters={"ids": ["kubernetes"], "exclude": ["kubelet", "kubeadm", "kubectl"]},
        why={
            "crlf": "libdnf's reader strips white space at the end of a line",
            "bom": "libdnf's reader passes over a byte-order mark",
        },
    ),
    Place(
        "/etc/dnf/dnf.conf",
        "software.repository",
        "absent,empty:fail crlf,bom:pass",
        text="[main]\nexclude=kubelet\ngpgcheck=1\n",
        needle="exclude=kubelet",
        parameters={"ids": ["devel_kubic_libcontainers_stable"], "exclude": ["kubelet"]},
        files={"/usr/bin/dnf": "#!/bin/sh\n"},
        why={
            "crlf": "libdnf's reader strips white space at the end of a line",
            "bom": "libdnf's reader passes over a byte-order mark",
        },
    ),
    Place(
        "/etc/yum.repos.d", "software.repository", f"absent,empty,{SOMETHING}:fail", parameters={"ids": ["kubernetes"]}
    ),
    Place(
        "/etc/systemd/system.conf",
        "software.program",
        "absent,empty:fail crlf:pass bom:fail|error|pass",
        text='[Manager]\nDefaultEnvironment="PATH=/opt/bin:/usr/bin"\n',
        needle='DefaultEnvironment="PATH=/opt/bin:/usr/bin"',
        parameters={"name": "mytool", "unit": "kubelet.service"},
        files={"/opt/bin/mytool": "#!/bin/sh\n"},
        why={"crlf": SYSTEMD_CR, "bom": "systemd's reader passes over a byte-order mark"},
    ),
    # ---- units
    Place(
        "/usr/lib/systemd/system/crio.service",
        "systemd.unit",
        "absent,empty,directory,fifo,socket,device,loop:fail crlf:pass bom:pass nul:fail|error|pass "
        "utf-8:fail|error|pass cut-before,cut-in:fail|pass|error",
        text=guide.unit_of_crio(),
        needle="WantedBy=multi-user.target",
        parameters={"unit": "crio.service", "enabled": "enabled"},
        why={
            "crlf": SYSTEMD_CR,
            "bom": "systemd's reader passes over a byte-order mark",
            "nul": "the link in multi-user.target.wants is what starts it",
            "utf-8": "the link is what starts it",
            "cut-before": "the link is what starts it",
            "cut-in": "the link is what starts it",
        },
    ),
    Place(
        "/etc/systemd/system",
        "systemd.unit",
        f"absent,empty,{SOMETHING}:fail",
        parameters={"unit": "crio.service", "enabled": "enabled"},
    ),
    Place(
        "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
        "kubelet.endpoint",
        "absent,empty,directory,fifo,socket,device:fail crlf:pass bom:pass nul,utf-8:fail cut-before,cut-in:fail",
        text=guide.drop_in(),
        needle="$KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS",
        why={"crlf": SYSTEMD_CR, "bom": "it spoils the first line, which is a comment"},
    ),
    Place("/etc/systemd/system/kubelet.service.d", "kubelet.endpoint", f"absent,empty,{SOMETHING}:fail"),
    # ---- the kubelet
    Place(
        "/etc/default/kubelet",
        "kubelet.endpoint",
        "absent,empty,directory:fail crlf:pass bom:pass",
        text=f"# local\nKUBELET_EXTRA_ARGS={guide.KUBELET_ARGUMENTS}\n",
        needle="--container-runtime-endpoint='unix:///var/run/crio/crio.sock'",
        why={
            "crlf": "systemd's reader of environment files takes carriage returns for ends of lines",
            "bom": "it spoils the first line, which is a comment",
        },
    ),
    Place(
        "/var/lib/kubelet/kubeadm-flags.env",
        "kubelet.arguments",
        "absent,empty,directory:fail crlf:pass bom:fail|error",
        text='KUBELET_KUBEADM_ARGS="--pod-infra-container-image=registry.k8s.io/pause:3.2"\n',
        needle="--pod-infra-container-image=registry.k8s.io/pause:3.2",
        parameters={"arguments": {"pod-infra-container-image": "registry.k8s.io/pause:3.2"}},
        why={"crlf": "systemd's reader of environment files takes carriage returns for ends of lines"},
    ),
    Place(
        "/var/lib/kubelet/config.yaml",
        "kubelet.cgroup-driver",
        "absent:skip|fail empty,directory:fail crlf,bom:pass cut-before:fail cut-in:fail|error",
        text=guide.KUBELET_CONFIG,
        needle="cgroupDriver: systemd",
        nested=NESTED_YAML,
        parameters={"driver": "systemd"},
        files={"/etc/default/kubelet": "KUBELET_EXTRA_ARGS=\n"},
        why={"crlf": "YAML takes both for ends of lines", "bom": "YAML allows a byte-order mark"},
    ),
    Place(
        "/var/lib/kubelet/config.yaml",
        "kubelet.config",
        "absent:skip empty,directory:fail crlf,bom:pass cut-before,cut-in:fail|error",
        text=guide.KUBELET_CONFIG,
        needle="kind: KubeletConfiguration",
        nested=NESTED_YAML,
        why={"crlf": "YAML takes both for ends of lines", "bom": "YAML allows a byte-order mark"},
    ),
    # ---- CRI-O
    Place(
        "/etc/crio/crio.conf",
        "crio.cgroup-manager",
        "absent,empty,cut-before,directory,fifo,socket,device,loop:fail crlf:pass bom:pass|fail cut-in:fail|error",
        text='[crio.runtime]\nconmon_cgroup = "pod"\ncgroup_manager = "cgroupfs"\n',
        needle='cgroup_manager = "cgroupfs"',
        parameters={"manager": "cgroupfs"},
        nested=NESTED_TOML,
        why={"crlf": "TOML takes both for ends of lines", "bom": "TOML readers pass over a byte-order mark"},
    ),
    Place(
        "/etc/crio/crio.conf.d/50-local.conf",
        "crio.cgroup-manager",
        "absent,empty,cut-before,directory,fifo,socket,device,loop:fail crlf:pass bom:pass|fail cut-in:fail|error",
        text='[crio.runtime]\nconmon_cgroup = "pod"\ncgroup_manager = "cgroupfs"\n',
        needle='cgroup_manager = "cgroupfs"',
        parameters={"manager": "cgroupfs"},
        nested=NESTED_TOML,
        why={"crlf": "TOML takes both for ends of lines", "bom": "TOML readers pass over a byte-order mark"},
    ),
    Place(
        "/etc/crio/crio.conf.d",
        "crio.cgroup-manager",
        f"absent,empty,{SOMETHING},loop:fail",
        files={
            "/etc/crio/crio.conf.d/50-local.conf": '[crio.runtime]\nconmon_cgroup = "pod"\ncgroup_manager = "cgroupfs"\n'
        },
        parameters={"manager": "cgroupfs"},
    ),
    Place(
        "/etc/crio/crio.conf",
        "crio.drop-ins",
        "absent:skip directory,fifo,socket,device,loop:fail empty:pass crlf:pass bom:pass|fail cut-before:pass "
        "cut-in:fail|error",
        text=guide.crio_conf(),
        needle='cgroup_manager = "systemd"',
        nested=NESTED_TOML,
        why={
            "empty": "CRI-O starts with an empty file",
            "crlf": "TOML takes both for ends of lines",
            "bom": "TOML readers pass over a byte-order mark",
            "cut-before": "what is left is a whole file",
        },
    ),
    Place(
        "/etc/sysconfig/crio",
        "crio.listen",
        "absent,empty,directory:fail crlf:pass bom:fail|error cut-before,cut-in:fail|error",
        text="CONTAINER_LISTEN=/run/other/crio.sock\n",
        needle="CONTAINER_LISTEN=/run/other/crio.sock",
        parameters={"endpoint": "/run/other/crio.sock"},
        why={"crlf": "systemd's reader of environment files takes carriage returns for ends of lines"},
    ),
    # ---- swap and mounts
    Place(
        "/etc/fstab",
        "swap.off",
        "absent,empty,cut-before:pass nul,utf-8:fail|error crlf,bom:fail|error cut-in:pass|fail|error",
        text=f"{guide.FSTAB.splitlines()[0]}\n/dev/sda3 none swap sw 0 0\n",
        needle="/dev/sda3 none swap sw 0 0",
        good="fail",
        why={
            "absent": NO_SUCH.format("systemd-fstab-generator", "fstab"),
            "empty": "it turns nothing on",
            "dangling": NO_SUCH.format("systemd-fstab-generator", "fstab"),
            "cut-before": "the swap is not in it any more",
            "cut-in": "a line without a type is none",
        },
    ),
    Place(
        "/etc/fstab",
        "mount.options",
        "absent,empty:skip cut-before:fail crlf:pass|fail bom:pass cut-in:fail|error|skip",
        text=f"{guide.FSTAB.splitlines()[0]}\n/dev/sda3 /var/lib/pods ext4 nodev 0 0\n",
        needle="/dev/sda3 /var/lib/pods ext4 nodev 0 0",
        parameters={"path": "/var/lib/pods", "has": ["nodev"]},
        why={
            "bom": "it spoils the first line alone, which is of another mount",
            "crlf": "libmount takes what stands behind the last number for nothing",
        },
    ),
    Place(
        "/usr/lib/systemd/system/dev-sda3.swap",
        "swap.off",
        "absent,empty:pass dangling:error crlf,bom:fail nul,utf-8:fail|error cut-before,cut-in:fail|pass|error",
        text="[Unit]\nDescription=swap\n[Swap]\nWhat=/dev/sda3\n",
        needle="What=/dev/sda3",
        good="fail",
        links={
            "/etc/systemd/system/swap.target.wants/dev-sda3.swap": "/usr/lib/systemd/system/dev-sda3.swap",
            f"{MULTI_USER}/swap.target": "/usr/lib/systemd/system/swap.target",
        },
        files={"/usr/lib/systemd/system/swap.target": "[Unit]\nDescription=Swaps\n"},
        why={
            "absent": "there is no such unit",
            "empty": "an empty unit file is a mask",
            "cut-before": "systemd refuses a swap unit without What=",
            "cut-in": "systemd refuses it",
        },
    ),
    Place(
        "/etc/systemd/zram-generator.conf",
        "swap.off",
        "absent,empty,utf-8:pass nul:fail|error crlf,bom:fail|error cut-before,cut-in:pass|fail|error",
        text="# of the host\n[zram0]\nzram-size = ram / 2\n",
        needle="[zram0]",
        good="fail",
        mode=0o644,
        files={"/usr/lib/systemd/system-generators/zram-generator": "#!/bin/sh\n"},
        why={
            "absent": NO_SUCH.format("zram-generator", "file"),
            "empty": "it names no device",
            "dangling": NO_SUCH.format("zram-generator", "file"),
            "cut-in": "it names no device",
            "cut-before": "it names no device",
            "utf-8": "zram-generator refuses what is not UTF-8, and makes no device",
        },
    ),
    Place(
        "/etc/dphys-swapfile",
        "swap.off",
        f"absent,empty,directory,fifo,socket,device,unreadable,loop,sparse,long-line:fail crlf,bom:fail|error cut-in:fail",
        text="CONF_SWAPSIZE=0\n",
        needle="CONF_SWAPSIZE=0",
        files={"/usr/lib/systemd/system/dphys-swapfile.service": SERVICE},
        links={f"{MULTI_USER}/dphys-swapfile.service": "/usr/lib/systemd/system/dphys-swapfile.service"},
    ),
    # ---- the pod network
    Place(
        "/etc/cni/net.d/10-pods.conflist",
        "network.cni",
        "absent:skip empty:skip|error directory,loop:skip crlf:pass bom:skip|error|fail nul,utf-8:skip|error|fail "
        "nested:skip|error cut-before,cut-in,cut-after:skip|error",
        text=CONFLIST,
        needle='"name": "pods"',
        nested=NESTED_JSON,
        remove=[BRIDGE],
        why={"crlf": "JSON takes both for white space"},
    ),
    Place(
        "/etc/cni/net.d",
        "network.cni",
        "absent,empty:skip",
        remove=[BRIDGE],
        files={"/etc/cni/net.d/10-pods.conflist": CONFLIST},
    ),
    # ---- what is left of a cluster
    Place(
        "/etc/kubernetes/kubelet.conf",
        "cluster.leftovers",
        "absent:pass empty,directory,fifo,socket,device,unreadable,loop,sparse,long-line:fail|error "
        "nul,utf-8,crlf,bom,cut-before,cut-in:fail dangling:fail|pass",
        text="apiVersion: v1\nkind: Config\n",
        needle="kind: Config",
        good="fail",
        mode=0o600,
        why={"absent": "nothing is left", "dangling": "kubeadm looks behind links, and finds nothing"},
    ),
    Place(
        "/etc/kubernetes/manifests",
        "cluster.leftovers",
        "absent,empty:pass dangling:pass|fail many:fail|error " "file,fifo,socket,device,loop:fail|error",
        good="fail",
        files={"/etc/kubernetes/manifests/etcd.yaml": "kind: Pod\n"},
        why={"absent": "nothing is left", "empty": "nothing is left", "dangling": "nothing is left"},
    ),
    # ---- files by name
    Place(
        "/etc/motd.conf",
        "file.lines",
        "absent,empty,cut-before,cut-in:fail crlf:pass|fail bom:pass",
        text="# head\nPermit=no\n",
        needle="Permit=no",
        parameters={"path": "/etc/motd.conf", "has": ["Permit=no"]},
        why={"bom": "it spoils the first line alone", "crlf": "white space at the end of a line does not count"},
    ),
    Place(
        "/etc/passwd",
        "file.state",
        "absent,empty,cut-before,cut-in:fail|error crlf,bom:pass",
        text=f"root:x:0:0:root:/root:/bin/sh\nkeeper:x:{os.geteuid()}:0::/:/bin/sh\n",
        needle=f"keeper:x:{os.geteuid()}:",
        parameters={"path": "/etc/fstab", "owner": "keeper"},
        why={"bom": "it spoils the first line alone", "crlf": "the number stands before it"},
    ),
    # ---- the running system
    Place(
        "/proc/swaps",
        "swap.off",
        "absent,empty:error crlf,bom:fail|error cut-before:pass cut-in:fail|error cut-after:error",
        text=SWAPS + "/dev/dm-1                               partition\t4194300\t\t0\t\t-2\n",
        needle="/dev/dm-1                               partition\t4194300",
        good="fail",
        live=True,
        why={"cut-before": "the table is whole, and empty"},
    ),
    Place(
        "/proc/meminfo",
        "host.memory",
        "absent,empty,nul,utf-8,bom,cut-before:error crlf:pass|error cut-in:fail|error",
        text=MEMINFO,
        needle="MemTotal:        8009408 kB",
        parameters={"at-least": "4Gi"},
        live=True,
        why={"crlf": "the number is whole"},
    ),
    Place(
        "/proc/self/status",
        "host.cpus",
        "absent,empty,nul,utf-8,cut-before:error crlf:pass|error bom:pass cut-in:fail|error",
        text="Name:\tk8scheck\nCpus_allowed_list:\t0-3\n",
        needle="Cpus_allowed_list:\t0-3",
        live=True,
        parameters={"at-least": 2},
        files={"/sys/devices/system/cpu/online": "0-3\n", "/sys/devices/system/cpu/present": "0-3\n"},
        why={"crlf": "the list is whole", "bom": "it spoils the first line alone"},
    ),
    Place(
        "/sys/devices/system/cpu/online",
        "host.cpus",
        "absent,nul,utf-8,bom:error empty:fail|error crlf:pass|error cut-in:fail|error",
        text="0-3\n",
        needle="0-3",
        live=True,
        parameters={"at-least": 2},
        files={"/proc/self/status": "Name:\tk8scheck\nCpus_allowed_list:\t0-3\n"},
        why={"crlf": "the list is whole"},
    ),
    Place(
        "/proc/modules",
        "modules.loaded",
        "absent,empty,cut-before:fail|error crlf,bom:pass|fail|error cut-in,cut-after:fail|error",
        text="ext4 1024 1 - Live 0x0\n" + OVERLAY,
        needle="overlay",
        live=True,
        files=NAMES,
        parameters={"modules": ["overlay"]},
        why={"crlf": "the state is whole", "bom": "it spoils the first line alone"},
    ),
    Place(
        "/proc/filesystems",
        "modules.loaded",
        "absent,empty,cut-before,cut-in,cut-after,directory,fifo,socket,device,unreadable,loop,sparse,long-line:fail "
        "crlf:pass|fail|error bom:pass",
        text="nodev\tsysfs\n\text4\nnodev\tzzfs\n",
        needle="zzfs",
        live=True,
        parameters={"modules": ["zzfs"]},
        files={"/proc/modules": "ext4 1024 1 - Live 0x0\n", **NAMES},
        why={"crlf": "the name is whole", "bom": "it spoils the first line alone"},
    ),
    Place(
        "/proc/sys/net/ipv4/ip_forward",
        "sysctl.value",
        "absent,empty:fail|error crlf:pass bom:fail|error",
        text="1\n",
        needle="1",
        live=True,
        parameters=sysctl("net.ipv4.ip_forward", 1),
        why={"crlf": "white space does not count"},
    ),
    Place(
        "/proc/1/mountinfo",
        "mount.options",
        "absent,empty:error|fail cut-before:fail crlf,bom:pass|fail|error cut-in,cut-after:fail|error",
        text=MOUNTS + VAR,
        needle="23 22 8:3 / /var/lib/pods rw,nodev,relatime",
        live=True,
        parameters={"path": "/var/lib/pods", "has": ["nodev"]},
        called="/proc/self/mountinfo",
        why={"crlf": "the last field is one that does not count", "bom": "it spoils the first line alone"},
    ),
    Place(
        "/proc/net/tcp",
        "network.ports",
        "absent,empty:error crlf:fail|error bom:fail|error " "cut-before:pass cut-in,cut-after:error|fail",
        text="  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 00000000:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 20414 1 0 100 0 0 10 0\n",
        needle="   0: 00000000:192B 00000000:0000 0A 00000000:00000000",
        good="fail|error",
        live=True,
        parameters={"tcp": ["6443"]},
        files={"/proc/net/tcp6": "  sl  local_address rem_address st\n", "/proc/net/udp": "  sl  local_address\n"},
        why={"cut-before": "the table has no socket then"},
    ),
    Place(
        "/sys/fs/selinux/enforce",
        "selinux.mode",
        "absent:pass dangling:error empty,nul,utf-8,bom:fail|error crlf:pass|error " "cut-in:error|fail",
        text="0\n",
        needle="0",
        live=True,
        files={"/etc/selinux/config": "SELINUX=permissive\n"},
        why={"absent": "where selinuxfs is not mounted SELinux is off", "crlf": "the number is whole"},
    ),
    Place(
        "/proc/1/attr/current",
        "selinux.mode",
        "absent,empty,directory,fifo,socket,device,unreadable,loop,sparse,long-line,crlf,bom,nul,utf-8,cut-in:pass "
        "cut-before:fail",
        text="system_u:system_r:init_t:s0\n",
        needle=":system_r:init_t:s0",
        live=True,
        parameters={"modes": ["permissive"]},
        files={"/sys/fs/selinux/enforce": "0\n"},
        hidden=FILE_FAULTS,
        why={
            **of(
                "absent,dangling,empty,directory,fifo,socket,device,unreadable,loop,sparse,long-line",
                "a kernel with selinuxfs that does not tell of a process has a policy: enforce decides",
            ),
            **of("crlf,bom,nul,utf-8,cut-in", "a colon is what a policy's contexts have"),
        },
    ),
    Place(
        "/proc/net/ip_tables_names",
        "network.iptables-backend",
        "absent,empty:pass crlf,bom,cut-in:fail nul,utf-8:fail|error",
        text="filter\n",
        needle="lter",
        good="fail",
        live=True,
        why={"absent": "the older back end is not loaded", "empty": "it has no table", "dangling": "it is not loaded"},
    ),
    # ---- more of each kind
    Place(
        "/proc/cmdline",
        **SWAPPINESS,
        live=True,
        horizon="boot",
        expect="absent,empty:fail|error crlf:pass|fail bom:pass",
        text="BOOT_IMAGE=/vmlinuz root=/dev/sda2 sysctl.vm.swappiness=7\n",
        needle="sysctl.vm.swappiness=7",
        files=NAMES,
        why={
            "bom": "it spoils the first argument alone",
            "crlf": "the kernel takes a carriage return for white space",
        },
    ),
    Place(
        "/etc/sysconfig/network/ifcfg-eth0",
        "firewalld.default-zone",
        "absent,empty,directory,fifo,socket,device,cut-before,cut-in:pass nul,utf-8,bom:fail|error crlf:fail",
        text="STARTMODE='auto'\nZONE=public\n",
        needle="ZONE=public",
        good="fail",
        why={
            "absent": "there is no such profile then",
            "empty": "it names no zone then",
            "dangling": "there is no such profile then",
            "cut-before": "it names no zone then",
            "cut-in": "it names no zone then",
            **of("directory,fifo,socket,device", "wicked reads regular files alone"),
        },
    ),
    Place(
        "/etc/dnf/repos.override.d/50-local.repo",
        "software.repository",
        "absent,empty,cut-before,utf-8:pass cut-in,crlf,bom,nul:fail|error directory:fail|error|pass",
        text="# of the host\n[kubernetes]\nenabled=0\n",
        needle="enabled=0",
        good="fail",
        parameters={"ids": ["kubernetes"]},
        files={"/usr/bin/dnf5": "#!/bin/sh\n"},
        why={
            "absent": "nothing overrides the repository",
            "empty": "nothing overrides the repository",
            "dangling": "nothing overrides the repository",
            "cut-before": "a section without a key overrides nothing",
            "utf-8": "the key is another then, which dnf5 does not know",
            "directory": "dnf5 passes over folders",
        },
    ),
    Place(
        "/etc/default/zramswap",
        "swap.off",
        "absent,empty,directory,fifo,socket,device,unreadable,loop,sparse,long-line:fail crlf,bom:fail|error cut-in:fail",
        text="SIZE=0\n",
        needle="SIZE=0",
        files={"/usr/lib/systemd/system/zramswap.service": SERVICE},
        links={f"{MULTI_USER}/zramswap.service": "/usr/lib/systemd/system/zramswap.service"},
    ),
    Place(
        "/usr/lib/systemd/system/multi-user.target",
        "systemd.unit",
        "absent,empty,directory,fifo,socket,device,loop:fail|error dangling:fail|error crlf,bom:pass "
        "cut-before,cut-in,nul,utf-8:pass unreadable:pass|error",
        text="[Unit]\nDescription=Multi-User System\nAllowIsolate=yes\n",
        needle="AllowIsolate=yes",
        parameters={"unit": "crio.service", "enabled": "enabled"},
        why={
            "crlf": SYSTEMD_CR,
            "bom": "systemd's reader passes over a byte-order mark",
            "unreadable": "systemd is root; its folder of links says what it wants",
            **of("cut-before,cut-in,nul,utf-8", "systemd starts it at boot all the same; the setting is for systemctl"),
        },
    ),
    Place(
        "/usr/lib/systemd/system/kubelet.service",
        "kubelet.endpoint",
        "absent,empty:fail|error|skip device:skip loop:fail|error crlf,bom:pass nul,utf-8,cut-before,cut-in:pass|fail|error",
        text=guide.sample("kubelet.service"),
        needle="ExecStart=/usr/bin/kubelet",
        why={
            "crlf": SYSTEMD_CR,
            "bom": "systemd's reader passes over a byte-order mark",
            "device": "systemd takes any device node for /dev/null: the unit is masked",
            **of("nul,utf-8,cut-before,cut-in", "the drop-in replaces ExecStart="),
        },
    ),
    Place(
        "/proc/net/ip6_tables_names",
        "network.iptables-backend",
        "absent,empty:pass crlf,bom,cut-in:fail nul,utf-8:fail|error",
        text="nat\n",
        needle="at",
        good="fail",
        live=True,
        why={"absent": "the older back end is not loaded", "empty": "it has no table", "dangling": "it is not loaded"},
    ),
    Place(
        "/etc/group",
        "file.state",
        "absent,empty,cut-before,cut-in:fail|error crlf,bom:pass",
        text=f"root:x:0:\nkeepers:x:{os.getegid()}:\n",
        needle=f"keepers:x:{os.getegid()}:",
        parameters={"path": "/etc/fstab", "group": "keepers"},
        why={"bom": "it spoils the first line alone", "crlf": "the number stands before it"},
    ),
    # What the kernel was built with, where nothing of the running one shows SELinux.
    Place(
        f"/boot/config-{RELEASE}",
        "selinux.mode",
        "absent,empty,cut-before:error cut-in:error crlf,bom,nul,utf-8:fail|error|pass",
        text="#\n# Linux\n#\nCONFIG_NET=y\nCONFIG_SECURITY=y\nCONFIG_SECURITY_SELINUX=y\nCONFIG_LSM=\"selinux\"\nCONFIG_CRYPTO=y\n",
        needle="CONFIG_SECURITY_SELINUX=y",
        live=True,
        horizon="boot",
        parameters={"modes": ["enforcing"]},
        files={**SELINUX_LATER, "/etc/selinux/config": "SELINUX=enforcing\nSELINUXTYPE=targeted\n"},
        called="/boot/config-",
        why={
            "crlf": "the options stand before it",
            "bom": "it spoils the first line alone, which is a comment",
            **of("nul,utf-8", "CONFIG_LSM= says on its own that the kernel brings it up"),
        },
    ),
    Place(
        "/etc/selinux/targeted/policy",
        "selinux.mode",
        f"absent,empty:fail {SOMETHING},unreadable,loop,dangling,many:fail|error",
        good="pass",
        live=True,
        horizon="boot",
        parameters={"modes": ["permissive"]},
        files={**SELINUX_LATER, "/proc/filesystems": "nodev\tselinuxfs\n", "/etc/selinux/targeted/policy/policy.31": "x"},
        remove=("/etc/selinux/config",),
    ),
    Place(
        "/etc/systemd/system-preset/10-local.preset",
        "systemd.unit",
        "absent,empty,directory,fifo,socket,device,unreadable,loop,sparse,long-line,nul,utf-8,crlf,bom,cut-before,cut-in,"
        "cut-after,changing:fail|error",
        text="# of the host\nenable crio.service\n",
        needle="enable crio.service",
        good="fail",
        parameters={"unit": "crio.service", "enabled": "enabled"},
        remove=("/etc/systemd/system/multi-user.target.wants/crio.service",),
    ),
    # udev's word on partitions, which it writes anew and moves to its place.
    Place(
        "/run/udev/data/b8:3",
        "swap.off",
        "absent,empty:pass cut-before,cut-in,crlf,nul,utf-8:error bom,cut-after:fail",
        text="S:disk/by-partuuid/x\nE:ID_PART_ENTRY_DISK=8:0\nE:ID_PART_ENTRY_TYPE=0657fd6d-a4ab-43c4-84e5-0933c84b4f4f\n",
        needle="E:ID_PART_ENTRY_TYPE=0657fd6d-a4ab-43c4-84e5-0933c84b4f4f",
        good="fail",
        live=True,
        horizon="boot",
        files=GPT,
        why={
            "absent": "there is no such partition",
            "dangling": "udev makes no links there: there is no such partition",
            "empty": "what has neither type nor disk is no partition, such as a loop device",
        },
    ),
    Place(
        "/run/udev/data/b8:2",
        "swap.off",
        "absent,empty,directory,cut-before,cut-in,crlf,nul,utf-8:error bom,cut-after:fail",
        text="S:disk/by-partuuid/y\nE:ID_PART_ENTRY_DISK=8:0\nE:ID_PART_ENTRY_TYPE=0fc63daf-8483-4772-8e79-3d69d8477de4\n"
        "E:ID_PART_ENTRY_SCHEME=gpt\n",
        needle="E:ID_PART_ENTRY_SCHEME=gpt",
        good="fail",
        live=True,
        horizon="boot",
        files={
            **GPT,
            "/run/udev/data/b8:3": "E:ID_PART_ENTRY_DISK=8:0\nE:ID_PART_ENTRY_TYPE=0657fd6d-a4ab-43c4-84e5-0933c84b4f4f\n",
        },
        called="/run/udev/data",
        name="swap.off, the system's disk",
    ),
    # What libkmod reads: where it may not, the text beside it says the same.
    Place(
        f"{KERNEL}/modules.dep.bin",
        "modules.loaded",
        "absent,empty,nul,utf-8,crlf,bom,cut-before,cut-in,cut-after,directory,fifo,socket,device,unreadable,loop,"
        "sparse,long-line:fail",
        text=DEP_BIN,
        needle=DEP_BIN[len(DEP_BIN) // 2 :][:8],
        good="fail",
        live=True,
        parameters={"modules": ["overlay"]},
        files={"/proc/modules": "ext4 1024 1 - Live 0x0\n", **NAMES},
        name="libkmod",
    ),
]
