# SPDX-License-Identifier: Apache-2.0
"""The gate in front of kubeadm, and the units in front of the kubelet, in a booted container."""

import os
import shlex
import shutil
import tempfile

import nspawn
import terminal

KUBELET_CONFIG = """\
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: systemd
"""

# ---- in front of kubeadm

INIT = ("init", "--pod-network-cidr=10.244.0.0/16")
JOIN = ("join", "192.168.77.2:6443", "--token", "abcdef.0123456789abcdef")
CALLED = "/var/log/stand-in/kubeadm"
# A control plane, as far as a worker's rule asks: something that listens.
LISTENER = """\
import socket, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("192.168.77.2", 6443))
s.listen(8)
time.sleep(600)
"""
# Says yes to all that it is asked, and prints each question.
CONSENT = """\
import sys
sys.path.insert(0, "/case")
import terminal
with terminal.Session(sys.argv[1:]) as session:
    while True:
        question = session.question()
        if not question:
            break
        print("asked: " + question)
        session.send(b"y\\n")
    print("code", session.wait())
"""


def machine_on(lower, folder, what):
    return nspawn.Machine(tempfile.mkdtemp(prefix=what.replace(" ", "-") + "-", dir=folder), lower.root)


def log(machine, suffix="log"):
    """How the stand-in was called last; None where it was not."""
    path = f"{machine.root}{CALLED}.{suffix}"
    if not os.path.exists(path):
        return None
    with open(path) as f:
        return f.read().splitlines()


def closed_then_open(suite, fresh, folder, k8scheck):
    machine = machine_on(fresh, folder, "init")
    kubeadm = " ".join(("kubeadm", *INIT))
    code, out = machine.boot(f"{k8scheck} -- {kubeadm}")
    suite.expect("gate, closed: exit code", code, 125)
    suite.expect_in("gate, closed: why", "crio-conmon", out)
    suite.expect("gate, closed: kubeadm is not run", log(machine), None)
    code, out = machine.boot(f"cd /srv; export OWN='a b'; {k8scheck} --fix --yes --allow-weaken -- {kubeadm}")
    suite.expect_true("gate, repaired: exit code is kubeadm's", code == 0, out)
    suite.expect("gate, repaired: kubeadm is run", log(machine), list(INIT))
    for line in ("cwd\t/srv", "env\tOWN=a b"):
        suite.expect_true(f"gate, repaired: {line!r} reaches kubeadm", line in (log(machine, "state") or ()), out)
    machine.remove()


def yes_without_weaken(suite, fresh, folder, k8scheck):
    """What lowers the protection of the host is not carried out, and the gate stays closed."""
    machine = machine_on(fresh, folder, "unweakened")
    code, out = machine.boot(f"{k8scheck} --fix --yes -- kubeadm {' '.join(INIT)}")
    suite.expect_true("gate, not weakened: exit code", code == 125, out)
    suite.expect_in("gate, not weakened: the option is named", "--allow-weaken", out)
    suite.expect("gate, not weakened: kubeadm is not run", log(machine), None)
    machine.remove()


def join(suite, fresh, folder, k8scheck):
    machine = machine_on(fresh, folder, "join")
    machine.write(nspawn.CASE + "/listener.py", LISTENER)
    worker = f"{k8scheck} --var role=worker --var control-plane=192.168.77.2"
    code, out = machine.boot(f"{worker} --fix --yes --allow-weaken -- kubeadm {' '.join(JOIN)}")
    suite.expect_true("gate, a worker without its control plane: exit code", code == 125, out)
    suite.expect_in("gate, a worker without its control plane: the rule", "control-plane-answers", out)
    suite.expect("gate, a worker without its control plane: kubeadm is not run", log(machine), None)
    code, out = machine.boot(
        "python3 /case/listener.py & sleep 1\n" + f"{worker} --fix --yes --allow-weaken -- kubeadm {' '.join(JOIN)}"
    )
    suite.expect_true("gate, a worker: exit code", code == 0, out)
    suite.expect("gate, a worker: kubeadm is run", log(machine), list(JOIN))
    machine.remove()


def on_a_terminal(suite, fresh, folder, k8scheck):
    machine = machine_on(fresh, folder, "terminal")
    shutil.copy(terminal.__file__, machine.root + nspawn.CASE + "/terminal.py")
    machine.write(nspawn.CASE + "/consent.py", CONSENT)
    words = shlex.split(k8scheck)
    command = " ".join(shlex.quote(w) for w in (f"/usr/bin/{words[0]}", *words[1:], "--fix", "--", "kubeadm", *INIT))
    code, out = machine.boot(f"python3 /case/consent.py {command}")
    asked = [line for line in out.splitlines() if line.startswith("asked: ")]
    print("\n".join(asked))
    suite.expect_true("gate, on a terminal: asked for the plan, and apart for what weakens", len(asked) == 2, out)
    suite.expect_in("gate, on a terminal: the plan", "Carry this plan out", "\n".join(asked))
    suite.expect_in("gate, on a terminal: what weakens", "lower the protection of this host", asked[-1] if asked else "")
    suite.expect_in("gate, on a terminal: exit code", "code 0\n", out)
    suite.expect("gate, on a terminal: kubeadm is run", log(machine), list(INIT))
    machine.remove()


def in_front_of_kubeadm(suite, fresh, folder, k8scheck):
    for case in (closed_then_open, yes_without_weaken, join, on_a_terminal):
        case(suite, fresh, folder, k8scheck)


# ---- in front of the kubelet

STATE = "systemctl is-active kubelet.service; test -e /run/k8scheck/{0}.closed && echo closed || echo open\n"
WAITS = """
set -e
mkdir -p /etc/k8scheck /etc/systemd/system/kubelet.service.d
cp /usr/share/doc/k8scheck/kubelet-waits.conf /etc/systemd/system/kubelet.service.d/
sed -i s/crio-1.18/{0}/g /etc/systemd/system/kubelet.service.d/kubelet-waits.conf
systemctl --quiet enable kubelet.service k8scheck@{0}.service
"""
OFF = "k8scheck.gate=off"
# One rule each; what a kernel setting is does not depend on the node's other parts.
RULE = "{{id: one, check: sysctl.value, title: one, {}with: {{settings: {{net.ipv4.ip_forward: '{}'}}}}}}"
OWN = {
    "fails, without the tag": (RULE.format("", "0"), "active", "open"),
    "cannot be decided": (
        "{id: one, check: file.state, title: one, tags: [boot-gate], with: {path: /loop, type: regular}}",
        "active",
        "open",
    ),
    "takes too long": (
        "{id: one, check: exec.run, title: one, tags: [boot-gate], with: {program: /usr/bin/slow, arguments: []}}",
        "active",
        "open",
    ),
}


def expect_state(suite, what, machine, profile, want, *arguments):
    _, out = machine.boot(STATE.format(profile) + f"journalctl -b -o cat -u k8scheck@{profile} -u kubelet\n", *arguments)
    suite.expect_true(f"{what}: the kubelet, and the gate", out.split()[:2] == want, out)
    return out


def guide_profile(suite, good, folder, k8scheck):
    """The guide's own profile, but for rules of this machine's kernel."""
    waits = WAITS.format("crio-1.18")
    options = " ".join(shlex.split(k8scheck)[1:]).replace("--profile crio-1.18", "").replace("--color never", "")
    machine = machine_on(good, folder, "waits")
    machine.write("/etc/k8scheck/crio-1.18.env", f"OPTIONS={options}\n")
    code, out = machine.boot(waits)
    suite.expect_true("units: the drop-in of the documentation", code == 0, out)
    expect_state(suite, "units, on the good node", machine, "crio-1.18", ["active", "open"])
    # Worse than any other rule's failure: this one ends in no pod at all.
    machine.write("/etc/sysctl.d/zz-site.conf", "net.ipv4.ip_forward = 0\n")
    out = expect_state(suite, "units, on a bad node", machine, "crio-1.18", ["inactive", "closed"])
    suite.expect_in("units, on a bad node: the journal names the rule", "ip-forward", out)
    expect_state(suite, f"units, on a bad node with {OFF}", machine, "crio-1.18", ["active", "closed"], OFF)
    _, out = machine.boot(
        "sysctl -q net.ipv4.ip_forward=1; rm /etc/sysctl.d/zz-site.conf; systemctl start kubelet\n" + STATE.format("crio-1.18")
    )
    suite.expect("units, mended: the kubelet starts, without a boot", out.split(), ["active", "open"])
    # The stand-in's conmon is right by now: a package's update takes it away.
    machine.write("/etc/crio/crio.conf.d/zz-site.conf", '[crio.runtime]\nconmon = "/usr/libexec/crio/conmon"\n')
    expect_state(suite, "units, on a node whose runtime does not start", machine, "crio-1.18", ["inactive", "closed"])
    machine.remove()


def reports_only(suite, good, folder, k8scheck):
    """Without the drop-in the unit holds nothing back; the timer's service leaves a report, and fails."""
    options = " ".join(shlex.split(k8scheck)[1:]).replace("--profile crio-1.18", "").replace("--color never", "")
    machine = machine_on(good, folder, "reports")
    machine.write("/etc/k8scheck/crio-1.18.env", f"OPTIONS={options}\n")
    machine.write("/etc/sysctl.d/zz-site.conf", "net.ipv4.ip_forward = 0\n")
    machine.boot("systemctl --quiet enable kubelet k8scheck@crio-1.18.service k8scheck-drift@crio-1.18.timer")
    _, out = machine.boot(
        STATE.format("crio-1.18") + "systemctl is-active k8scheck-drift@crio-1.18.timer\n"
        "systemctl start k8scheck-drift@crio-1.18.service; systemctl is-failed k8scheck-drift@crio-1.18.service\n"
        "python3 -c 'import json; print([r[\"id\"] for r in json.load(open(\"/var/log/k8scheck/drift-crio-1.18.json\"))"
        "[\"rules\"] if r[\"verdict\"] == \"fail\" and r[\"severity\"] == \"required\"])'\n"
        "journalctl -b -o cat -u k8scheck-drift@crio-1.18"
    )
    lines = out.splitlines()
    suite.expect_true("units, without the drop-in", lines[:2] == ["active", "closed"], out)
    suite.expect_true("units, the timer waits", lines[2:3] == ["active"], out)
    suite.expect_true("units, the look for drift fails, and leaves a report", "failed" in lines[3:], out)
    suite.expect_in("units, the report has the rule", "['ip-forward']", out)
    machine.remove()


def own_profiles(suite, good, folder):
    for what, (rule, *want) in OWN.items():
        machine = machine_on(good, folder, what)
        machine.write("/usr/share/k8scheck/profiles/gate.yaml", f"rules: [{rule}]\n")
        machine.write("/etc/k8scheck/gate.env", "OPTIONS=--live\n")
        machine.write("/usr/bin/slow", "#!/bin/sh\nsleep 300\n", 0o755)
        os.symlink("loop", machine.root + "/loop")
        machine.boot(WAITS.format("gate"))
        expect_state(suite, f"units, a rule that {what}", machine, "gate", want)
        machine.remove()


def in_front_of_kubelet(suite, good, folder, k8scheck, everything):
    guide_profile(suite, good, folder, k8scheck)
    reports_only(suite, good, folder, k8scheck)
    if everything:
        own_profiles(suite, good, folder)
