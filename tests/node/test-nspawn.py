#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
The guide's untouched node, booted by systemd-nspawn: judged, repaired, rebooted, judged again, taken back; drifts of a good
node, whose boot verdicts are held against what a reboot shows; the gate in front of kubeadm, and the units in front of the
kubelet. What takes a kernel of its own is left to QEMU: a container shares this machine's.

    test-nspawn.py INSTALLED FOLDER [--all] [CASE…]

INSTALLED: what `meson install --destdir` left; FOLDER: where machines are kept meanwhile. Cases, by their names or parts of
them: untouched, gate, units, and those of drifts.py.
"""

import concurrent.futures
import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "integration"), os.path.join(HERE, "..", "support")]

import drifts  # noqa: E402
import gate  # noqa: E402
import judge  # noqa: E402
import node  # noqa: E402
import nspawn  # noqa: E402
import recipe  # noqa: E402
import tree  # noqa: E402
from k8s import Suite, skip  # noqa: E402

# Of this machine's kernel and hardware, which no container changes, nor any test; and of its next start nothing is known.
APART = {
    "host-cpus",
    "host-memory",
    "host-disk",
    "swap-off",
    "selinux-mode",
    "module-overlay",
    "module-br-netfilter",
    "bridge-nf-call-iptables",
    "bridge-nf-call-ip6tables",
    "inotify-instances",
    "kernel-panic",
    "kernel-panic-on-oops",
    "vm-overcommit-memory",
    "vm-panic-on-oom",
    "keys-root-maxkeys",
    "keys-root-maxbytes",
}
SELECT = " ".join(f"--skip {rule}" for rule in sorted(APART))
K8SCHECK = f"k8scheck --live --profile crio-1.18 --color never {SELECT}"
REPAIR = f"{K8SCHECK} --quiet --fix --yes --allow-weaken"

# What runs, and what the kernel has of the container's own: compared in front of and behind a dry run.
RUNNING = (
    "sysctl -a 2>/dev/null | grep ^net | grep -v -e neigh -e nf_conntrack -e bucket; systemctl list-units --no-legend --plain "
    "--type=service,socket,target,mount,swap | sort; systemctl list-unit-files --no-legend; firewall-cmd --list-all-zones; "
    "ip -br address; cat /proc/mounts; ls /run /run/lock"
)
EVERYTHING = "python3 /case/tree.py snapshot / --except proc --except sys --except run/log --except var/log --except case"

suite = Suite("node, booted by systemd-nspawn")


def report(number):
    return f"--report text --report json={nspawn.CASE}/report-{number}.json"


def reported(machine, number=1):
    return judge.verdicts(machine.read(f"{nspawn.CASE}/report-{number}.json"))


def boot(machine, what, script):
    """What the script said; it has to end well."""
    code, out = machine.boot(script)
    suite.expect_true(f"{what}: the script ends well", code == 0, out)
    return out


def snapshot(machine):
    return list(tree.snapshot(machine.root, node.PASSING))


def compare(what, before, machine):
    suite.expect(what, tree.compare(before, snapshot(machine), node.PASSING, node.TOUCHED), [])


# ---- the untouched node


def wrong(found):
    return {rule: pair for rule, pair in found.items() if rule not in APART and set(pair) & set(judge.WRONG)}


def untouched(folder, installed):
    """From the guide's untouched node to one that passes, over a reboot: (the first, the second, the tree of the first)."""
    fresh = nspawn.Machine.copied(os.path.join(folder, "untouched"), installed)
    shutil.copy(tree.__file__, fresh.root + nspawn.CASE + "/tree.py")
    # What the first boot makes is no change by k8scheck.
    boot(fresh, "first boot", "true")
    before = snapshot(fresh)
    machine = nspawn.Machine(os.path.join(folder, "repaired"), fresh.root)
    with node.Clock("untouched: judged, and a dry run"):
        out = boot(
            machine,
            "untouched",
            f"{K8SCHECK} {report(1)} >judged; test $? = 1 || exit 1\n"
            f"( {RUNNING} ) >running-1; {EVERYTHING} >tree-1 || exit 1\n"
            f"{K8SCHECK} --fix --dry-run; echo code $?\n"
            f"{EVERYTHING} >tree-2 || exit 1; ( {RUNNING} ) >running-2\n"
            "python3 tree.py compare tree-1 tree-2; diff running-1 running-2; wc -l <tree-1",
        )
        suite.expect("untouched: what fails, and when", wrong(reported(machine)), node.UNTOUCHED)
        node.screen(machine.read(nspawn.CASE + "/judged"), "on the untouched node")
        for rule, evidence in node.EVIDENCE.items():
            suite.expect_in(f"untouched: evidence for {rule}", evidence, machine.read(nspawn.CASE + "/judged"))
        suite.expect_in("dry run: it says what it is", "nothing was changed", out.lower())
        plan, _, differences = out.partition("code 1\n")
        suite.expect_in("dry run: the plan", "/etc/crio/crio.conf.d/", plan)
        suite.expect_true("dry run: nothing changed, in thousands of files", differences.strip().isdigit(), differences)
        compare("dry run, behind a boot", before, machine)
    with node.Clock("repaired"):
        out = boot(machine, "repaired", f"{REPAIR}; echo code $?\n{K8SCHECK} {report(1)} >judged; echo code $?")
        suite.expect_true("repaired, and the gate is open", out.endswith("code 0\ncode 0\n"), out)
        suite.expect("repaired: what is left", set(wrong(reported(machine))), node.LEFT)
        print(out)
        node.screen(machine.read(nspawn.CASE + "/judged"), "after --fix")
    with node.Clock("rebooted"):
        probes = (drifts.FORWARD, drifts.ZONE, drifts.CRIO)
        out = boot(machine, "rebooted", f"{K8SCHECK} {report(1)} >judged\n" + "\n".join(p[0] for p in probes))
        suite.expect("rebooted: what is left", set(wrong(reported(machine))), node.LEFT)
        suite.expect("rebooted: what the system has", out.split(), [p[1] for p in probes])
        node.screen(machine.read(nspawn.CASE + "/judged"), "after --fix and a reboot")
    return fresh, machine, before


def taken_back(machine, before, folder):
    back = nspawn.Machine(os.path.join(folder, "back"), machine.root)
    with node.Clock("rolled back, rebooted"):
        out = boot(back, "rollback", "k8scheck --live rollback --yes; echo code $?")
        suite.expect_in("rollback: exit code", "code 0\n", out)
        compare("rolled back: the tree", before, back)
        boot(back, "rolled back, rebooted", f"{K8SCHECK} {report(1)}\ntrue")
        suite.expect("rolled back, rebooted: what fails", wrong(reported(back)), node.UNTOUCHED)
        compare("rolled back, rebooted: the tree", before, back)
    back.remove()


def finish(machine):
    """The guide's step 16, which k8scheck leaves to kubeadm; with it the kubelet runs. The verdicts of a good node."""
    machine.write("/var/lib/kubelet/config.yaml", gate.KUBELET_CONFIG)
    boot(machine, "finished", "true")
    probes = {(d.probe, d.good) for d in drifts.ALL}
    script = "".join(f"test \"$({command})\" = '{good}' || exit 1\n" for command, good in sorted(probes))
    boot(machine, "the good node", f"set -x; {script}{K8SCHECK} {report(1)}")
    found = reported(machine)
    suite.expect("the good node: what is left", set(wrong(found)), node.LEFT)
    return found


# ---- drifts


# Of those that are still there; the good node has one of its own, which stays.
REPAIRS = "k8scheck --live rollback --list | grep -c '  done: '"


def one(drift, good, verdicts, folder):
    """One drift in a machine of its own; the line of the table."""
    begun = time.monotonic()
    machine = nspawn.Machine(tempfile.mkdtemp(prefix="drift-", dir=folder), good.root)
    name, command = drift.name, drift.probe
    inject = f"{{ {drift.inject}\n}} || exit 1\n"
    boot(machine, name, f"{inject}{K8SCHECK} --quiet {report(1)}\ntrue")
    found = reported(machine)
    suite.expect(f"{name}: verdicts", judge.unexpected(found, verdicts, drift.expect, APART), [])
    before = snapshot(machine)
    # Rebooted: what the boot verdict was about. Then the repair, of what a reboot mends by itself in front of one.
    again = inject if drift.expect and drift.is_of_now() else ""
    boot(
        machine,
        name,
        f"({command}) >probed\n{K8SCHECK} --quiet {report(2)}\n{again}{REPAIR} {report(3)}; echo $? >fixed\n{REPAIRS} >repairs\ntrue",
    )
    probed, fixed = machine.read(nspawn.CASE + "/probed").strip(), machine.read(nspawn.CASE + "/fixed").strip()
    rebooted = reported(machine, 2)
    boot_verdict = found.get(drift.rule, (None, None))[1]
    suite.expect(f"{name}: what the reboot showed", probed, drift.shows)
    if boot_verdict != "skip":
        suite.expect(f"{name}: the boot verdict told the truth", judge.told_the_truth(drift, boot_verdict, probed), True)
    for rule, (_, at_boot) in sorted(found.items()):
        known = at_boot in ("pass", "fail") and rebooted[rule][0] in ("pass", "fail")
        if known and rule not in APART and rule not in drift.brings:
            suite.expect(f"{name}: {rule}, now behind the reboot", rebooted[rule][0], at_boot)
    if drift.repairs:
        suite.expect(f"{name}: the exit code of --fix", fixed, "0")
        repairs = int(machine.read(nspawn.CASE + "/repairs"))
        suite.expect(f"{name}: how many repairs there are", repairs, 2 if drift.expect else 1)
        boot(
            machine,
            name,
            f"({command}) >probed\n{K8SCHECK} --quiet {report(4)}\ntest {repairs} = 1 || k8scheck --live rollback --yes",
        )
        suite.expect(f"{name}: repaired and rebooted", judge.unexpected(reported(machine, 4), verdicts, {}, APART), [])
        suite.expect(f"{name}: what it shows then", machine.read(nspawn.CASE + "/probed").strip(), drift.good)
    compare(f"{name}: rolled back", before, machine)
    alarms = judge.false_alarms(found, verdicts, drift.expect, APART)
    line = judge.row(drift, found, probed, time.monotonic() - begun, alarms)
    machine.remove()
    return line


def every_drift(chosen, good, verdicts, folder):
    print(judge.HEAD, flush=True)
    with concurrent.futures.ThreadPoolExecutor(2 if nspawn.may_run_together() else 1) as pool:
        for line in pool.map(lambda drift: one(drift, good, verdicts, folder), chosen):
            print(line, flush=True)


def main():
    words = [w for w in sys.argv[1:] if not w.startswith("--")]
    everything = "--all" in sys.argv or bool(os.environ.get("K8SCHECK_TEST_ALL"))
    installed, folder, names = os.path.abspath(words[0]), os.path.abspath(words[1]), words[2:]

    def wanted(name):
        return not names or any(part in name for part in names)

    chosen = [d for d in drifts.ALL if wanted(d.name) and (everything or names or d.short)]
    try:
        nspawn.enter_namespace()
        with node.Clock("the root"):
            recipe.root()
        os.makedirs(folder, exist_ok=True)
        place = tempfile.mkdtemp(prefix="node-", dir=folder)
        try:
            fresh, machine, before = untouched(place, installed)
            if wanted("untouched"):
                taken_back(machine, before, place)
            verdicts = finish(machine)
            if chosen:
                with node.Clock(f"{len(chosen)} drifts"):
                    every_drift(chosen, machine, verdicts, place)
            if wanted("gate"):
                with node.Clock("the gate"):
                    gate.in_front_of_kubeadm(suite, fresh, place, K8SCHECK)
            if wanted("units"):
                with node.Clock("units"):
                    gate.in_front_of_kubelet(suite, machine, place, K8SCHECK, everything)
        finally:
            shutil.rmtree(place, ignore_errors=True)
    except recipe.Unavailable as e:
        skip(str(e))
    suite.end()


main()
