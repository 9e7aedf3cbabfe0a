# SPDX-License-Identifier: Apache-2.0
"""
Drifts of a good node, and their verdicts at both horizons as they have to be, written down beforehand.

Each is injected alone into a node that was repaired and finished as the guide says. What a reboot makes of it is looked at
with the system's own programs: `probe` is a shell command; a good node answers `good`, and behind the reboot this one
answers `shows`.
"""


class Drift:
    def __init__(self, name, rule, inject, expect, probe, shows, repairs=True, brings=(), short=False):
        """
        `rule`: the one that has to name it. `inject`: lines of a shell script. `expect`: {rule: (now, boot)} of all rules
        that are not as on the good node. `probe`: (command, what a good node answers). `repairs`: whether --fix makes a
        good node of it, without a person. `brings`: rules that fail only behind the reboot, of what this one has said.
        """
        self.name, self.rule, self.inject, self.expect = name, rule, inject, expect
        self.probe, self.good = probe
        self.shows, self.repairs, self.brings, self.short = shows, repairs, brings, short

    def is_of_now(self):
        """Whether a reboot mends it."""
        return all(pair[1] != "fail" for pair in self.expect.values())


NOW, BOOT, BOTH = ("fail", "pass"), ("pass", "fail"), ("fail", "fail")
# Judged at boot alone, or now alone.
AT_BOOT, AT_NOW = ("skip", "fail"), ("fail", "skip")
# Nobody is there who could say what is so now.
SILENT = {rule: ("skip", "pass") for rule in ("crio-cgroup-manager", "crio-conmon", "kubelet-crio-agree")}

FORWARD = ("sysctl -n net.ipv4.ip_forward", "1")
ZONE = ("firewall-cmd --get-default-zone 2>/dev/null || systemctl is-active firewalld", "trusted")
OPEN = (
    "case $(systemctl is-active firewalld):$(firewall-cmd --get-default-zone 2>/dev/null) in active:trusted|inactive:*) echo open ;; "
    "*) echo closed ;; esac",
    "open",
)
CRIO = ("systemctl is-active crio", "active")
KUBELET = ("systemctl is-active kubelet", "active")
DRIVER = ("journalctl -b -u kubelet -o cat | sed -n 's/^stand-in kubelet: //p' | tail -n 1", "cgroup driver systemd")
MANAGER = (
    "python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.connect(\"/run/crio/crio.sock\"); "
    's.sendall(b"GET /info HTTP/1.1\\r\\nHost: crio\\r\\n\\r\\n"); print(s.makefile().read())\''
    " | grep -o '\"cgroup_driver\":\"[a-z]*\"'",
    '"cgroup_driver":"systemd"',
)
NAME = ("getent ahostsv4 node1 | head -n 1 | cut -d ' ' -f 1", "192.168.77.2")
# It is asked where its files say that it listens, and does not listen there yet.
UNHEARD = {rule: SILENT[rule] for rule in ("crio-cgroup-manager", "crio-conmon")}
# No kubelet will be there to read its files.
UNREAD = {
    "kubelet-config": ("skip", "skip"),
    **{
        rule: ("pass", "skip")
        for rule in ("kubelet-arguments", "kubelet-cgroup-driver", "kubelet-crio-agree", "kubelet-endpoint")
    },
}

CONMON = "printf '[crio.runtime]\\nconmon = \"/usr/libexec/crio/conmon\"\\n'"
DEAD = "systemctl kill --signal=KILL --kill-who=all crio; sleep 0.5"

ALL = (
    # Kernel settings.
    Drift(
        "sysctl, by a later file",
        "ip-forward",
        "echo net.ipv4.ip_forward=0 >/etc/sysctl.d/zz-site.conf",
        {"ip-forward": BOOT},
        FORWARD,
        "0",
        short=True,
    ),
    Drift(
        "sysctl, by /etc/sysctl.conf",
        "ip-forward",
        "echo net.ipv4.ip_forward=0 >>/etc/sysctl.conf; ls -l /etc/sysctl.d",
        {"ip-forward": BOOT},
        FORWARD,
        "0",
    ),
    Drift(
        "sysctl, a packaged file that wins",
        "ip-forward",
        "echo net/ipv4/ip_forward = 0 >/usr/lib/sysctl.d/zz-vendor.conf",
        {"ip-forward": BOOT},
        FORWARD,
        "0",
    ),
    Drift(
        "sysctl, its file masked",
        "ip-forward",
        "for f in $(grep -l ip_forward /etc/sysctl.d/*); do ln -sf /dev/null $f; done",
        {"ip-forward": BOOT},
        FORWARD,
        "0",
    ),
    Drift(
        "sysctl, by hand",
        "ip-forward",
        "sysctl -q net.ipv4.ip_forward=0",
        {"ip-forward": NOW},
        FORWARD,
        "1",
        short=True,
    ),
    # What is in /run is gone by then: nothing may be said.
    Drift(
        "sysctl, by a file in /run",
        "ip-forward",
        "mkdir -p /run/sysctl.d; echo net.ipv4.ip_forward=0 >/run/sysctl.d/zzz.conf",
        {},
        FORWARD,
        "1",
    ),
    # Nobody reads it: its name does not end in .conf.
    Drift(
        "sysctl, an old copy of a file",
        "ip-forward",
        "echo net.ipv4.ip_forward=0 >/etc/sysctl.d/zz-site.conf.rpmsave",
        {},
        FORWARD,
        "1",
    ),
    # The firewall.
    Drift(
        "firewalld stopped but enabled",
        "firewall",
        "firewall-cmd -q --set-default-zone=public; systemctl stop firewalld",
        {"firewall": BOOT},
        ZONE,
        "public",
        short=True,
    ),
    Drift(
        "firewalld, a zone right now alone",
        "firewall",
        "sed -i s/^DefaultZone=.*/DefaultZone=public/ /etc/firewalld/firewalld.conf",
        {"firewall": BOOT},
        ZONE,
        "public",
    ),
    Drift(
        "firewalld, wrong zone but disabled",
        "firewall",
        "systemctl start firewalld; systemctl -q disable firewalld; firewall-cmd -q --set-default-zone=public",
        {"firewall": NOW},
        OPEN,
        "open",
    ),
    # CRI-O.
    Drift(
        "conmon, by a stray copy",
        "crio-conmon",
        CONMON + " >/etc/crio/crio.conf.d/99-zz.conf.bak",
        {"crio-conmon": BOOT, "crio-drop-ins": AT_BOOT},
        CRIO,
        "failed",
        brings=("crio-service",),
        short=True,
    ),
    Drift(
        "conmon, by a drop-in",
        "crio-conmon",
        CONMON + " >/etc/crio/crio.conf.d/zz-site.conf",
        {"crio-conmon": BOOT},
        CRIO,
        "failed",
        brings=("crio-service",),
        repairs=False,
    ),
    Drift(
        "cgroup manager, by a drop-in",
        "crio-cgroup-manager",
        "printf '[crio.runtime]\\ncgroup_manager = \"cgroupfs\"\\nconmon_cgroup = \"pod\"\\n' >/etc/crio/crio.conf.d/50-site.conf",
        {"crio-cgroup-manager": BOOT, "kubelet-crio-agree": BOOT},
        MANAGER,
        '"cgroup_driver":"cgroupfs"',
    ),
    Drift(
        "crio enabled but dead",
        "crio-service",
        "systemctl stop crio",
        {"crio-service": NOW, "crio-socket": AT_NOW, **SILENT},
        CRIO,
        "active",
        short=True,
    ),
    Drift(
        "a socket left by a dead crio",
        "crio-socket",
        "systemctl -q mask --runtime crio; " + DEAD + "; test -S /run/crio/crio.sock",
        {"crio-service": NOW, "crio-socket": AT_NOW, **SILENT},
        CRIO,
        "active",
        repairs=False,
    ),
    Drift(
        "crio runs but is disabled",
        "crio-service",
        "systemctl -q disable crio",
        {"crio-service": BOOT},
        CRIO,
        "inactive",
        short=True,
    ),
    Drift(
        "crio runs but is masked",
        "crio-service",
        "systemctl -q mask crio",
        {"crio-service": BOOT},
        CRIO,
        "inactive",
        repairs=False,
    ),
    Drift(
        "crio's unit edited, not reloaded",
        "crio-listen",
        "mkdir -p /etc/systemd/system/crio.service.d; printf '[Service]\\nExecStart=\\n"
        "ExecStart=/usr/bin/crio --listen /run/crio/other.sock\\n' >/etc/systemd/system/crio.service.d/50-site.conf",
        {"crio-listen": AT_BOOT, "kubelet-crio-agree": BOOT, **UNHEARD},
        ("test -S /run/crio/crio.sock && echo listens || echo does not", "listens"),
        "does not",
        repairs=False,
    ),
    Drift(
        "another target is the default",
        "crio-service",
        "systemctl cat basic.target >/dev/null; printf '[Unit]\\nRequires=basic.target\\nAfter=basic.target\\nAllowIsolate=yes\\n"
        "Wants=case.service dbus.service firewalld.service systemd-networkd.service kubelet.service\\n' "
        ">/etc/systemd/system/own.target; systemctl -q set-default own.target",
        {"crio-service": BOOT},
        CRIO,
        "inactive",
        repairs=False,
    ),
    Drift(
        "crio listens elsewhere, by a drop-in",
        "crio-listen",
        "printf '[crio.api]\\nlisten = \"/run/crio/other.sock\"\\n' >/etc/crio/crio.conf.d/50-site.conf",
        {"crio-listen": AT_BOOT, "kubelet-crio-agree": BOOT, **UNHEARD},
        ("test -S /run/crio/crio.sock && echo listens || echo does not", "listens"),
        "does not",
        repairs=False,
    ),
    # The kubelet. Of a flag given twice, the last one counts.
    Drift(
        "kubelet's driver, by two flags",
        "kubelet-cgroup-driver",
        "sed -i 's/--cgroup-driver=systemd/--cgroup-driver=cgroupfs &/' /etc/default/kubelet; systemctl restart kubelet",
        {},
        DRIVER,
        "cgroup driver systemd",
    ),
    Drift(
        "kubelet's driver, by a flag",
        "kubelet-cgroup-driver",
        "sed -i s/--cgroup-driver=systemd/--cgroup-driver=cgroupfs/ /etc/default/kubelet",
        {"kubelet-cgroup-driver": BOOT, "kubelet-arguments": BOOT, "kubelet-crio-agree": BOOT},
        DRIVER,
        "cgroup driver cgroupfs",
        short=True,
    ),
    Drift(
        "kubelet disabled",
        "kubelet-service",
        "systemctl -q disable kubelet",
        {"kubelet-service": AT_BOOT},
        KUBELET,
        "inactive",
    ),
    Drift(
        "kubelet masked",
        "kubelet-service",
        "systemctl -q mask kubelet",
        {"kubelet-service": AT_BOOT, **UNREAD},
        KUBELET,
        "inactive",
        repairs=False,
    ),
    Drift(
        "kubelet's unit copied, edited",
        "kubelet-arguments",
        "sed 's,^ExecStart=.*,ExecStart=/usr/bin/kubelet --config=/var/lib/kubelet/config.yaml,' "
        "/usr/lib/systemd/system/kubelet.service >/etc/systemd/system/kubelet.service; "
        "rm /etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
        {"kubelet-arguments": BOOT, "kubelet-endpoint": BOOT, "kubelet-crio-agree": BOOT},
        ("grep -c container-runtime-endpoint=unix:///var/run/crio/crio.sock /var/log/stand-in/kubelet.log", "1"),
        "0",
        repairs=False,
    ),
    # The name.
    Drift(
        "the name leads to loopback",
        "host-name",
        "sed -i 's/^192.168.77.2 .*/127.0.1.1 node1/' /etc/hosts",
        {"host-name": BOTH},
        NAME,
        "127.0.1.1",
        repairs=False,
    ),
)
