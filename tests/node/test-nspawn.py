#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
The guide's untouched node, booted: judged, repaired, rebooted, judged again, taken back; single drifts of a good node, whose
boot verdict is held against what a reboot shows; the gate, and the units in front of the kubelet. What needs a kernel of its
own (modules, swap, SELinux) is left out: systemd-nspawn shares this machine's.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "integration"), os.path.join(HERE, "..", "support")]

import drifts  # noqa: E402
import nspawn  # noqa: E402
import recipe  # noqa: E402
import tree  # noqa: E402
from k8s import Suite, skip  # noqa: E402

INSTALLED, BUILD = sys.argv[1:3]
ALL = "--all" in sys.argv or bool(os.environ.get("K8SCHECK_TEST_ALL"))

# What belongs to this machine's kernel, and not to the container.
SKIPPED = "swap-off overlay-loaded br-netfilter-loaded selinux-mode kernel-* memory cpus"
CHECK = "k8scheck --live --profile crio-1.18 --color never"
# What a boot changes by itself, and what is not the machine's but the test's.
PASSING = (
    "run",
    "tmp",
    "proc",
    "sys",
    "dev",
    "var/log",
    "var/tmp",
    "var/cache",
    "var/lib/systemd",
    "var/lib/dbus",
    "var/lib/k8scheck",
    "var/lib/containerd",
    "etc/machine-id",
    "etc/.updated",
    "var/.updated",
    "case.sh",
    "case.out",
    "case.code",
    "report.json",
)

suite = Suite("node, booted by systemd-nspawn")


def verdicts(report):
    """{rule: {horizon: verdict}} of a report's text."""
    return {
        rule["id"]: {horizon: j["verdict"] for horizon, j in rule["judgements"].items()}
        for rule in json.loads(report)["rules"]
    }


def judged(machine, before="", after=""):
    """Boots, and judges: (verdicts, all that was said)."""
    script = f"{before}\n{CHECK} --quiet --report text --report json=/report.json\n{after}\ntrue\n"
    code, out = machine.boot(script)
    suite.expect("the script ends well", code, 0)
    return verdicts(machine.read("/report.json")), out


def failing(found):
    return {rule for rule, horizons in found.items() if "fail" in horizons.values()}


def snapshot(machine):
    return list(tree.snapshot(machine.root, PASSING))


class Folder:
    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="k8scheck-node-", dir=BUILD)
        os.chmod(self.path, 0o755)
        return self.path

    def __exit__(self, *unused):
        shutil.rmtree(self.path, ignore_errors=True)


def timed(what, function, *arguments):
    begun = time.monotonic()
    result = function(*arguments)
    print(f"{what}: {time.monotonic() - begun:.1f} s", flush=True)
    return result


def untouched(folder):
    """From the guide's untouched node to one that passes, over a reboot, and back."""
    machine = nspawn.Machine(folder, INSTALLED)
    # Firewalld takes its names from netfilter of its own network; swap and modules are this machine's.
    first, out = judged(machine)
    print(out)
    suite.expect("untouched: what fails", failing(first) - drifts.OF_THE_KERNEL, drifts.UNTOUCHED)
    before = snapshot(machine)
    code, out = machine.boot(f"{CHECK} --fix --dry-run")
    suite.expect("dry run: exit code is that of the judgement", code, 1)
    suite.expect_in("dry run: the plan", "nothing was changed", out)
    suite.expect("dry run: nothing changed", tree.compare(before, snapshot(machine), PASSING), [])
    code, out = machine.boot(
        f"{CHECK} --skip swap-off --skip '*-loaded' --fix --yes --allow-weaken\necho code $?\n"
        "systemctl is-active crio firewalld\nfirewall-cmd --get-default-zone\nsysctl net.ipv4.ip_forward\n"
        f"{CHECK} --report json=/report.json >/dev/null\ntrue"
    )
    print(out)
    now = verdicts(machine.read("/report.json"))
    suite.expect("repaired: what still fails", failing(now) - drifts.OF_THE_KERNEL, drifts.LEFT)
    rebooted, _ = judged(machine)
    suite.expect("rebooted: what still fails", failing(rebooted) - drifts.OF_THE_KERNEL, drifts.LEFT)
    for rule, horizons in now.items():
        if horizons.get("boot") == "pass" and "now" in rebooted[rule]:
            suite.expect_true(
                f"rebooted: {rule} is as its boot verdict said",
                rebooted[rule]["now"] in ("pass", "skip") or rule in drifts.OF_THE_KERNEL,
                rebooted[rule],
            )
    good = machine.copy(os.path.dirname(folder) + "/" + os.path.basename(folder) + ".good")
    code, out = machine.boot("k8scheck --live rollback --yes\n")
    suite.expect_true("rollback", code == 0, out)
    code, out = machine.boot("true")
    suite.expect("taken back: the tree", tree.compare(before, snapshot(machine), PASSING), [])
    last, _ = judged(machine)
    suite.expect("taken back: what fails", failing(last) - drifts.OF_THE_KERNEL, drifts.UNTOUCHED)
    return good


def one_drift(good, name, drift, folder):
    """Injected alone into the good node; what was written down beforehand is held against what is found."""
    machine = good.copy(folder)
    found, _ = judged(machine, drift["inject"])
    mine = found[drift["rule"]]
    suite.expect(f"{name}: {drift['rule']}", (mine.get("now"), mine.get("boot")), (drift["now"], drift["boot"]))
    alarms = failing(found) - drifts.OF_THE_KERNEL - drifts.LEFT - set(drift.get("also", ())) - {drift["rule"]}
    suite.expect(f"{name}: no other rule fails", alarms, set())
    rebooted, _ = judged(machine)
    after = rebooted[drift["rule"]].get("now")
    if drift["boot"]:
        suite.expect(f"{name}: the boot verdict told the truth", after, drift.get("after", drift["boot"]))
    if drift.get("fixable", True):
        code, out = machine.boot(f"{CHECK} --rule {drift['rule']} --fix --yes --allow-weaken\ntrue")
        suite.expect_true(f"{name}: repaired", code == 0, out)
        mended, _ = judged(machine)
        suite.expect(f"{name}: after a reboot", "fail" in mended[drift["rule"]].values(), False)
    print(f"{name:28} {drift['rule']:22} now {mine.get('now')!s:6} boot {mine.get('boot')!s:6} after a reboot {after!s:6}"
          f" false alarms {sorted(alarms) or 'none'}", flush=True)


WAITS = """
mkdir -p /etc/k8scheck /etc/systemd/system/kubelet.service.d
echo OPTIONS=--live >/etc/k8scheck/crio-1.18.env
cp /usr/share/doc/k8scheck/kubelet-waits.conf /etc/systemd/system/kubelet.service.d/
mkdir -p /var/lib/kubelet; test -s /var/lib/kubelet/config.yaml || echo 'kind: KubeletConfiguration' >/var/lib/kubelet/config.yaml
systemctl daemon-reload
"""
STATE = "systemctl is-active kubelet.service; test -e /run/k8scheck/crio-1.18.closed && echo closed || echo open\n"


def units(good, folder):
    """The kubelet waits: held back by a rule that failed, let go by one that could not be decided, and after too long."""
    profile = "extends: [crio-1.18]\nrules:\n"
    own = "/usr/share/k8scheck/profiles/gate.yaml"
    # Of the node's kernel nothing is known here; one rule of each kind stands for all.
    cases = {
        "passes": ("{id: one, check: sysctl.value, title: t, tags: [boot-gate], with: {settings: {net.ipv4.ip_forward: '1'}}}",
                   "active", "open"),
        "fails": ("{id: one, check: sysctl.value, title: t, tags: [boot-gate], with: {settings: {net.ipv4.ip_forward: '0'}}}",
                  "inactive", "closed"),
        "fails, without the tag": ("{id: one, check: sysctl.value, title: t, with: {settings: {net.ipv4.ip_forward: '0'}}}",
                                   "active", "open"),
        "cannot be decided": ("{id: one, check: file.state, title: t, tags: [boot-gate], with: {path: /loop, type: regular}}",
                              "active", "open"),
    }
    del profile
    for what, (rule, active, gate) in cases.items():
        machine = good.copy(os.path.join(folder, what.replace(" ", "-")))
        os.symlink("loop", machine.root + "/loop")
        machine.write(own, f"rules: [{rule}]\n")
        machine.boot(WAITS.replace("crio-1.18", "gate") + "sed -i s/crio-1.18/gate/g /etc/systemd/system/kubelet.service.d/k*\n"
                     "systemctl enable kubelet k8scheck@gate.service")
        code, out = machine.boot(STATE.replace("crio-1.18", "gate"))
        suite.expect(f"a rule {what}: the kubelet, and the gate", out.split(), [active, gate])
        if gate == "closed":
            code, out = machine.boot(
                "sysctl -q net.ipv4.ip_forward=0; echo net.ipv4.ip_forward=0 >/etc/sysctl.d/zz-last.conf\n"
                "systemctl start kubelet\n" + STATE.replace("crio-1.18", "gate")
            )
            suite.expect("mended: the kubelet starts", out.split(), ["active", "open"])
    machine = good.copy(os.path.join(folder, "slow"))
    machine.write(own, "rules: [{id: one, check: exec.run, title: t, tags: [boot-gate], with: {program: /usr/bin/slow, arguments: []}}]\n")
    machine.write("/usr/bin/slow", "#!/bin/sh\nsleep 300\n", 0o755)
    machine.boot(WAITS.replace("crio-1.18", "gate") + "sed -i s/crio-1.18/gate/g /etc/systemd/system/kubelet.service.d/k*\n"
                 "systemctl enable kubelet k8scheck@gate.service")
    code, out = machine.boot(STATE.replace("crio-1.18", "gate"))
    suite.expect("a rule that takes too long: the kubelet, and the gate", out.split(), ["active", "open"])
    code, out = machine.boot(
        "echo OPTIONS=--live >/etc/k8scheck/crio-1.18.env; systemctl start k8scheck-drift@crio-1.18.service; "
        "systemctl is-failed k8scheck-drift@crio-1.18.service; python3 -c 'import json; print(len(json.load(open("
        '"/var/log/k8scheck/drift-crio-1.18.json"))["rules"]))' + "'"
    )
    suite.expect_true("the timer's service leaves its report", out.split()[-1].isdigit() and int(out.split()[-1]) > 40, out)


def gate(good, folder):
    """One line does the guide's second half."""
    machine = good.copy(folder)
    kubeadm = "kubeadm init --pod-network-cidr=10.244.0.0/16"
    select = "--rule ip-forward --rule crio-conmon --rule crio-service"
    code, out = machine.boot(
        "sed -i 's,^conmon = .*,conmon = \"/usr/libexec/crio/conmon\",' /etc/crio/crio.conf; rm -f /etc/crio/crio.conf.d/*\n"
        f"{CHECK} {select} -- {kubeadm}; echo code $?; cat /var/log/stand-in/kubeadm.log 2>&1\n"
        f"{CHECK} {select} --fix --yes --allow-weaken -- {kubeadm}; echo code $?; cat /var/log/stand-in/kubeadm.log\n"
        f"{CHECK} {select} --var role=worker --var control-plane=192.168.77.1 -- kubeadm join 192.168.77.1:6443 --token t\n"
        "cat /var/log/stand-in/kubeadm.log\n"
    )
    suite.expect_in("closed: kubeadm is not run", "code 125", out)
    suite.expect_in("open, repaired: kubeadm is run", "code 0\ninit\n--pod-network-cidr=10.244.0.0/16\n", out)
    suite.expect_in("a worker joins", "join\n192.168.77.1:6443\n--token\nt\n", out)


def main():
    try:
        recipe.root()
        with Folder() as folder:
            good = timed("untouched, repaired, rebooted, taken back", untouched, folder)
            try:
                chosen = drifts.ALL if ALL else {n: d for n, d in drifts.ALL.items() if d.get("short")}
                for name, drift in chosen.items():
                    with Folder() as place:
                        one_drift(good, name, drift, place)
                with Folder() as place:
                    timed("the gate", gate, good, place)
                with Folder() as place:
                    timed("units", units, good, place)
            finally:
                shutil.rmtree(os.path.dirname(good.root), ignore_errors=True)
    except recipe.Unavailable as e:
        skip(str(e))
    suite.end()


main()
