#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
The guide's untouched node as a machine with a kernel of its own: judged, repaired, rebooted, judged again, taken back; drifts
of swap, SELinux, modules and the kernel's settings and arguments, whose boot verdicts are held against what a reboot shows;
power cuts in the midst of a repair; the gate in front of kubeadm, and the units in front of the kubelet.

    test-qemu.py INSTALLED FOLDER [--all] [CASE…]

INSTALLED: what `meson install --destdir` left; FOLDER: where machines are kept meanwhile. Cases, by their names or parts of
them: untouched, gate, units, power, and those of kernel_drifts.py.
"""

import concurrent.futures
import contextlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "integration"), os.path.join(HERE, "..", "support")]

import drifts  # noqa: E402
import gate  # noqa: E402
import judge  # noqa: E402
import kernel_drifts  # noqa: E402
import node  # noqa: E402
import qemu  # noqa: E402
import recipe  # noqa: E402
import terminal  # noqa: E402
import tree  # noqa: E402
from k8s import Suite, skip  # noqa: E402

# The machine is smaller than the guide's.
APART = {"host-memory", "host-disk"}
UNTOUCHED = {
    **node.UNTOUCHED,
    "swap-off": drifts.BOTH,
    "selinux-mode": drifts.BOTH,
    # Mounting one loads it.
    "module-overlay": drifts.NOW,
    **{
        rule: drifts.BOTH
        for rule in (
            *("module-br-netfilter", "bridge-nf-call-iptables", "bridge-nf-call-ip6tables", "inotify-instances"),
            *("kernel-panic", "kernel-panic-on-oops", "vm-overcommit-memory"),
        )
    },
}
EVIDENCE = {
    **node.EVIDENCE,
    "swap-off": "/etc/fstab:2",
    "selinux-mode": "/sys/fs/selinux/enforce",
    "module-overlay": "modprobe overlay",
    "bridge-nf-call-iptables": "The module br_netfilter, which brings this key, is not loaded",
}
# What is emulated takes its time.
TIMES = "--timeout 60s --deadline 5m"
SELECT = " ".join(f"--skip {rule}" for rule in sorted(APART))
K8SCHECK = f"k8scheck --live --profile crio-1.18 --color never {TIMES} {SELECT}"
REPAIR = f"{K8SCHECK} --quiet --fix --yes --allow-weaken"
REPAIRS = "k8scheck --live rollback --list | grep -c '  done: '"
CASE = "/case"
REPORT = CASE + "/report.json"

# What is emulated reads slowly; --fix changes nothing there, and with --all the dry run is looked at there, too.
SLOW = ("usr", "boot")
SNAPSHOT = f"python3 {CASE}/tree.py snapshot / " + " ".join(f"--except {p}" for p in (*node.PASSING, *SLOW))
EVERYTHING = f"python3 {CASE}/tree.py snapshot / --except proc --except sys --except dev --except case --except run/log"
RUNNING = (
    "sysctl -a 2>/dev/null | grep -e ^net -e ^vm -e ^kernel | grep -v -e neigh -e nf_conntrack -e bucket -e random -e stat_ "
    "-e pid -e sched -e ns_last; lsmod | cut -d ' ' -f 1 | sort; swapon --show; getenforce; "
    "systemctl list-units --no-legend --plain --type=service,socket,target,mount,swap | sort; "
    "systemctl list-unit-files --no-legend; firewall-cmd --list-all-zones; ip -br address; cat /proc/mounts"
)

suite = Suite("node, booted by QEMU")


def report(machine, options="--quiet"):
    """(what it says, {rule: verdicts})."""
    _, out = machine.run(f"{K8SCHECK} {options} --report text --report json={REPORT}")
    found = judge.verdicts(machine.get(REPORT))
    if any("error" in pair for pair in found.values()):
        print(out)
    return out, found


def snapshot(machine, name):
    machine.call(f"{SNAPSHOT} >{CASE}/{name}")


def compare(what, machine, name):
    """The tree as it is against a snapshot in the machine."""
    options = " ".join(f"--any-mtime {path}" for path in node.TOUCHED)
    _, out = machine.run(f"{SNAPSHOT} >{CASE}/now; python3 {CASE}/tree.py compare {options} {CASE}/{name} {CASE}/now")
    suite.expect(what, out, "")


def wrong(found):
    return {rule: pair for rule, pair in found.items() if rule not in APART and set(pair) & set(judge.WRONG)}


# ---- the untouched node


def installed_on(booted, place, installed):
    """The untouched node with k8scheck, and a snapshot of it: booted."""
    with booted.resume(place) as machine:
        machine.put(installed)
        machine.call(f"mkdir {CASE}")
        with open(tree.__file__) as f:
            machine.put_file(f"{CASE}/tree.py", f.read())
        snapshot(machine, "untouched")
        return keep(machine, place, "fresh")


def keep(machine, place, name):
    folder = os.path.join(place, name)
    os.makedirs(folder)
    return qemu.keep(machine, folder)


def judged(fresh, place, everything):
    with fresh.resume(place) as machine, node.Clock("untouched: judged, and a dry run"):
        out, found = report(machine, "")
        suite.expect("untouched: what fails, and when", wrong(found), UNTOUCHED)
        node.screen(out, "on the untouched node")
        for rule, evidence in EVIDENCE.items():
            suite.expect_in(f"untouched: evidence for {rule}", evidence, out)
        look = EVERYTHING if everything else EVERYTHING + "".join(f" --except {p}" for p in SLOW)
        machine.call(f"( {RUNNING} ) >{CASE}/running-1; {look} >{CASE}/tree-1")
        code, plan = machine.run(f"{K8SCHECK} --fix --dry-run")
        suite.expect("dry run: exit code", code, 1)
        suite.expect_in("dry run: it says what it is", "nothing was changed", plan.lower())
        suite.expect_in("dry run: the plan", "/etc/modules-load.d/br_netfilter.conf", plan)
        _, out = machine.run(
            f"{look} >{CASE}/tree-2; ( {RUNNING} ) >{CASE}/running-2; cd {CASE}\n"
            "python3 tree.py compare tree-1 tree-2; diff running-1 running-2; wc -l <tree-1"
        )
        suite.expect_true("dry run: nothing changed, in thousands of files", out.strip().isdigit(), out)


def repaired(fresh, place):
    """The node behind --fix and a reboot: booted."""
    with fresh.resume(place) as machine:
        with node.Clock("repaired"):
            code, out = machine.run(REPAIR)
            suite.expect_true("repaired: exit code", code == 0, out)
            out, found = report(machine, "")
            suite.expect("repaired: what is left", set(wrong(found)), node.LEFT)
            node.screen(out, "after --fix")
        with node.Clock("rebooted"):
            machine.reboot()
            out, found = report(machine, "")
            suite.expect("rebooted: what is left", set(wrong(found)), node.LEFT)
            node.screen(out, "after --fix and a reboot")
            probes = sorted({(d.probe, d.good) for d in kernel_drifts.ALL})
            for probe, good in (*probes, drifts.ZONE, drifts.CRIO):
                suite.expect(f"rebooted: {probe}", machine.run(probe)[1].strip(), good)
        return keep(machine, place, "repaired")


def taken_back(behind, place):
    with behind.resume(place) as machine, node.Clock("rolled back, rebooted"):
        code, out = machine.run("k8scheck --live rollback --yes")
        suite.expect_true("rollback: exit code", code == 0, out)
        compare("rolled back: the tree", machine, "untouched")
        machine.reboot()
        suite.expect("rolled back, rebooted: what fails", wrong(report(machine)[1]), UNTOUCHED)
        compare("rolled back, rebooted: the tree", machine, "untouched")


def finished(behind, place):
    """The guide's step 16, which k8scheck leaves to kubeadm: (booted, the verdicts of a good node)."""
    with behind.resume(place) as machine:
        machine.call("mkdir -p /var/lib/kubelet")
        machine.put_file("/var/lib/kubelet/config.yaml", gate.KUBELET_CONFIG)
        machine.call("restorecon -R /var/lib/kubelet; systemctl restart kubelet")
        found = report(machine)[1]
        suite.expect("the good node: what is left", set(wrong(found)), node.LEFT)
        return keep(machine, place, "good"), found


# ---- drifts


def rebooted(drift, machine, found):
    """What the boot verdict was about; what was probed."""
    machine.reboot()
    probed = machine.run(drift.probe)[1].strip()
    suite.expect(f"{drift.name}: what the reboot showed", probed, drift.shows)
    boot_verdict = found.get(drift.rule, (None, None))[1]
    suite.expect(
        f"{drift.name}: the boot verdict told the truth", judge.told_the_truth(drift, boot_verdict, probed), True
    )
    behind = report(machine)[1]
    for rule, (_, at_boot) in sorted(found.items()):
        known = at_boot in ("pass", "fail") and behind[rule][0] in ("pass", "fail")
        if known and rule not in drift.brings:
            suite.expect(f"{drift.name}: {rule}, now behind the reboot", behind[rule][0], at_boot)
    return probed


def mended(drift, machine, verdicts):
    """Repaired, rebooted, taken back. What a reboot mends by itself is done again in front of that."""
    if drift.expect and drift.is_of_now():
        machine.call(drift.inject)
    code, out = machine.run(REPAIR)
    suite.expect_true(f"{drift.name}: the exit code of --fix", code == 0, out)
    repairs = int(machine.run(REPAIRS)[1])
    suite.expect(f"{drift.name}: how many repairs there are", repairs, 2 if drift.expect else 1)
    machine.reboot()
    found = report(machine)[1]
    suite.expect(f"{drift.name}: repaired and rebooted", judge.unexpected(found, verdicts, {}, APART), [])
    suite.expect(f"{drift.name}: what it shows then", machine.run(drift.probe)[1].strip(), drift.good)
    if repairs > 1:
        code, out = machine.run("k8scheck --live rollback --yes")
        suite.expect_true(f"{drift.name}: the exit code of rollback", code == 0, out)


def one(drift, good, verdicts, place):
    """One drift in a machine of its own; the line of the table."""
    begun = time.monotonic()
    with good.resume(place) as machine:
        machine.call(drift.inject)
        found = report(machine)[1]
        suite.expect(f"{drift.name}: verdicts", judge.unexpected(found, verdicts, drift.expect, APART), [])
        snapshot(machine, "drifted")
        probed = rebooted(drift, machine, found)
        if drift.repairs:
            mended(drift, machine, verdicts)
        compare(f"{drift.name}: rolled back", machine, "drifted")
    alarms = judge.false_alarms(found, verdicts, drift.expect, APART)
    return judge.row(drift, found, probed, time.monotonic() - begun, alarms)


def every_drift(chosen, good, verdicts, place):
    print(judge.HEAD, flush=True)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for line in pool.map(lambda drift: one(drift, good, verdicts, place), chosen):
            print(line, flush=True)


# ---- power cuts

CUTS = "{:>4} {:>7} {:24} {:12} {}"
STATES = ("done", "cut off", "nothing")


def state_of(machine):
    """What a cut left of the repair."""
    _, out = machine.run("k8scheck --live rollback --list")
    lines = [line for line in out.splitlines() if ": " in line]
    return lines[-1].strip() if lines else "nothing"


def time_of_repair(fresh, place):
    with fresh.resume(place) as machine:
        begun = time.monotonic()
        machine.call(REPAIR)
        return time.monotonic() - begun


def cut(number, after, resumes, fresh, place):
    """The power is cut so many seconds into --fix; behind the next boot the repair goes on, or is taken back."""
    begun = time.monotonic()
    what = f"power cut {number}, after {after:.2f} s"
    with fresh.resume(place) as machine:
        machine.call("sync")
        with subprocess.Popen(
            [*machine.ssh(), REPAIR], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as repair:
            time.sleep(after)
            machine.power_cut()
            repair.kill()
        machine.boot()
        left = state_of(machine)
        if resumes and "cut off" in left:
            code, out = machine.run(f"{REPAIR} --resume")
            suite.expect_true(f"{what}: gone on with", code == 0, out)
            suite.expect(f"{what}: what is left then", set(wrong(report(machine)[1])), node.LEFT)
        then = "nothing to do"
        if left != "nothing":
            code, out = machine.run("k8scheck --live rollback --yes")
            suite.expect_true(f"{what}: taken back", code == 0, out)
            then = "gone on, taken back" if resumes and "cut off" in left else "taken back"
        compare(f"{what}: the tree", machine, "untouched")
    print(CUTS.format(number, f"{after:.2f}", left[:24], then, f"{time.monotonic() - begun:.1f}"), flush=True)
    return left


def power_cuts(n, fresh, place):
    """At instants that are spread over a repair; where in its part each falls is drawn, always the same."""
    drawn = random.Random(1118)
    whole = time_of_repair(fresh, place)
    instants = [whole * (0.1 + 0.85 * (i + drawn.random()) / n) for i in range(n)]
    print(CUTS.format("cut", "at, s", "left", "then", "s"), flush=True)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        left = list(
            pool.map(lambda i: cut(i + 1, instants[i], i % 4 == 3, fresh, place), range(n)),
        )
    hit = sum("cut off" in state for state in left)
    print(f"{n} power cuts in a repair of {whole:.1f} s, {hit} of them left half of one")
    # Where none did, nothing was tried.
    suite.expect_true("power cuts: some leave half a repair", n < 10 or hit > 0, str(left))


# ---- the gate


def in_front_of_kubeadm(fresh, place):
    init, join = (" ".join(("kubeadm", *words)) for words in (gate.INIT, gate.JOIN))
    worker = f"{K8SCHECK} --var role=worker --var control-plane=192.168.77.2"
    with fresh.resume(place) as machine:
        code, out = machine.run(f"{K8SCHECK} -- {init}")
        suite.expect("gate, closed: exit code", code, 125)
        suite.expect_in("gate, closed: why", "module-br-netfilter", out)
        suite.expect("gate, closed: kubeadm is not run", machine.run(f"test -e {gate.CALLED}.log")[0], 1)
        code, out = machine.run(f"{K8SCHECK} --fix --yes --allow-weaken -- {init}")
        suite.expect_true("gate, repaired: exit code is kubeadm's", code == 0, out)
        suite.expect("gate, repaired: kubeadm is run", machine.get(f"{gate.CALLED}.log").splitlines(), list(gate.INIT))
    with fresh.resume(place) as machine:
        machine.put_file(f"{CASE}/listener.py", gate.LISTENER)
        machine.call(f"systemd-run -q python3 {CASE}/listener.py; sleep 2")
        code, out = machine.run(f"{worker} --fix --yes --allow-weaken -- {join}")
        suite.expect_true("gate, a worker: exit code", code == 0, out)
        suite.expect("gate, a worker: kubeadm is run", machine.get(f"{gate.CALLED}.log").splitlines(), list(gate.JOIN))
    with fresh.resume(place) as machine:
        command = [*machine.ssh("-tt"), f"{K8SCHECK} --fix -- {init}"]
        asked = []
        with terminal.Session([shutil.which("ssh"), *command[1:]]) as session:
            while True:
                question = session.question()
                if not question:
                    break
                asked.append(question)
                session.send(b"y\n")
            code = session.wait()
        print("\n".join("asked: " + question for question in asked))
        suite.expect_true("gate, on a terminal: asked for the plan, and apart for what weakens", len(asked) == 2, asked)
        suite.expect_true("gate, on a terminal: exit code", code == 0, session.seen[-3000:])
        suite.expect("gate, on a terminal: kubeadm is run", machine.get(f"{gate.CALLED}.log").splitlines(), list(gate.INIT))


def in_front_of_kubelet(good, place):
    """Without its bridge filter the kubelet is held back; an argument of the real kernel lets it go."""
    with good.resume(place) as machine:
        machine.call("mkdir -p /etc/k8scheck")
        machine.put_file("/etc/k8scheck/crio-1.18.env", f"OPTIONS=--live {SELECT}\n")
        machine.call(gate.WAITS.format("crio-1.18"))

        def expect(what, want):
            machine.reboot()
            _, out = machine.run(gate.STATE.format("crio-1.18"))
            suite.expect(f"units, {what}: the kubelet, and the gate", out.split(), want)

        expect("on the good node", ["active", "open"])
        machine.call("echo install br_netfilter /bin/false >/etc/modprobe.d/site.conf")
        expect("on a bad node", ["inactive", "closed"])
        machine.call(kernel_drifts.argument(gate.OFF))
        expect(f"on a bad node with {gate.OFF}", ["active", "closed"])


def main():
    words = [w for w in sys.argv[1:] if not w.startswith("--")]
    everything = "--all" in sys.argv or bool(os.environ.get("K8SCHECK_TEST_ALL"))
    installed, folder, names = os.path.abspath(words[0]), os.path.abspath(words[1]), words[2:]

    def wanted(name):
        return not names or any(part in name for part in names)

    chosen = [d for d in kernel_drifts.ALL if wanted(d.name) and (everything or names or d.short)]
    place = None
    try:
        with node.Clock("the untouched node, booted"):
            booted = qemu.untouched()
        print("accelerator: " + booted.accel[0])
        os.makedirs(folder, exist_ok=True)
        place = tempfile.mkdtemp(prefix="node-", dir=folder)
        fresh = installed_on(booted, place, installed)
        if wanted("untouched"):
            judged(fresh, place, everything)
        if wanted("untouched") or wanted("units") or chosen:
            behind = repaired(fresh, place)
        if wanted("untouched"):
            taken_back(behind, place)
        if chosen or wanted("units"):
            good, verdicts = finished(behind, place)
        if chosen:
            with node.Clock(f"{len(chosen)} drifts"):
                every_drift(chosen, good, verdicts, place)
        if wanted("power"):
            with node.Clock("power cuts"):
                power_cuts(20 if everything else 2, fresh, place)
        if wanted("gate"):
            with node.Clock("the gate"):
                in_front_of_kubeadm(fresh, place)
        if wanted("units") and (everything or names):
            with node.Clock("units"):
                in_front_of_kubelet(good, place)
    except recipe.Unavailable as e:
        skip(str(e))
    finally:
        with contextlib.suppress(TypeError):
            shutil.rmtree(place, ignore_errors=True)
    suite.end()


main()
