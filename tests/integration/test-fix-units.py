#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Units that are started, stopped and restarted over a real bus, with a systemd that is mocked on it by python-dbusmock:
jobs that end well, that fail, and that end before they are told of; links that systemd has to read; and all of it taken
back. test-fix-units.py K8SCHECK [--all]; the one whose job never ends takes two minutes, and is there by --all alone.
Exits with 77 where something for that is missing.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixer as f  # noqa: E402
from k8s import Suite, skip  # noqa: E402
from repair import STORE, tree  # noqa: E402

PROGRAM = sys.argv[1]
PYTHON = "/usr/bin/python3"
HERE = os.path.dirname(os.path.abspath(__file__))
BUS_CONF = """<busconfig>
  <type>custom</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
  </policy>
</busconfig>
"""
UNITS = {
    "down.service": "inactive",
    "up.service": "active",
    "early-down.service": "inactive",
    "fails-down.service": "inactive",
    "never-down.service": "inactive",
    "broken.service": "failed",
}
PROFILE = """\
title: Units
rules:
  - {id: down, check: systemd.unit, title: It runs, with: {unit: down.service, enabled: enabled, active: active}}
  - {id: up, check: systemd.unit, title: It does not run, with: {unit: up.service, active: inactive}}
  - {id: early, check: systemd.unit, title: It runs, with: {unit: early-down.service, active: active}}
  - {id: fails, check: systemd.unit, title: It runs, with: {unit: fails-down.service, active: active}}
  - {id: never, check: systemd.unit, title: It runs, with: {unit: never-down.service, active: active}}
  - {id: broken, check: systemd.unit, title: It runs, with: {unit: broken.service, active: active}}
  - {id: unknown, check: systemd.unit, title: It runs, with: {unit: unknown.service, active: active}}
"""
suite = Suite("fix-units")


class Node:
    """A root with a bus in it, and the mock on that."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="k8scheck-units-")
        self.path = self.folder + "/root"
        self.log = self.folder + "/calls"
        self.profile = self.folder + "/profile.yaml"
        self.processes = []
        for folder in ("etc/systemd/system", "usr/lib/systemd/system", "var/lib", "run/dbus", "run/systemd/system"):
            os.makedirs(f"{self.path}/{folder}")
        self.write("/etc/os-release", "ID=debian\n")
        self.write("/usr/lib/systemd/system/multi-user.target", "[Unit]\n")
        os.symlink("multi-user.target", self.path + "/usr/lib/systemd/system/default.target")
        for unit in UNITS:
            text = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
            self.write("/usr/lib/systemd/system/" + unit, text)
        with open(self.profile, "w", encoding="ascii") as out:
            out.write(PROFILE)
        with open(self.log, "w", encoding="ascii"):
            pass
        # Folders of the root are nobody else's.
        subprocess.run(["chmod", "-R", "go-w", self.folder], check=True)
        os.chmod(self.folder, 0o755)
        self.socket = self.path + "/run/dbus/system_bus_socket"

    def write(self, path, text):
        with open(self.path + path, "w", encoding="ascii") as out:
            out.write(text)

    def start(self, what, command, is_there, **env):
        with open(f"{self.folder}/{what}.log", "w", encoding="ascii") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **env})
        self.processes.append(process)
        for _ in range(200):
            if is_there():
                return
            if process.poll() is not None:
                break
            time.sleep(0.05)
        with open(f"{self.folder}/{what}.log", encoding="utf-8") as log:
            said = log.read()[-300:]
        self.end()
        skip(f"{what} cannot start here: {said}")

    def start_bus(self):
        conf = self.folder + "/bus.conf"
        with open(conf, "w", encoding="ascii") as out:
            out.write(BUS_CONF.format(socket=self.socket))
        command = ["dbus-daemon", "--config-file=" + conf, "--nofork", "--nopidfile", "--nosyslog"]
        self.start("dbus-daemon", command, lambda: os.path.exists(self.socket))

    def start_systemd(self):
        address = "unix:path=" + self.socket
        ask = [
            PYTHON,
            "-c",
            f"import dbus; dbus.bus.BusConnection('{address}').get_name_owner('org.freedesktop.systemd1')",
        ]
        self.start(
            "dbusmock",
            [PYTHON, "-B", "-m", "dbusmock", "--template", HERE + "/systemd_jobs.py"],
            lambda: subprocess.run(ask, capture_output=True, check=False).returncode == 0,
            DBUS_SYSTEM_BUS_ADDRESS=address,
            KC_JOBS_LOG=self.log,
            KC_JOBS_UNITS=" ".join(f"{name}={state}" for name, state in UNITS.items()),
        )

    def calls(self):
        """Those since the last time this was asked."""
        with open(self.log, "r+", encoding="ascii") as log:
            lines = log.read().split("\n")[:-1]
            log.truncate(0)
        return lines

    def state(self, unit):
        address = "unix:path=" + self.socket
        code = (
            f"import dbus; b = dbus.bus.BusConnection('{address}');"
            f"m = b.get_object('org.freedesktop.systemd1', '/org/freedesktop/systemd1');"
            f"u = b.get_object('org.freedesktop.systemd1', m.GetUnit('{unit}'));"
            "print(u.Get('org.freedesktop.systemd1.Unit', 'ActiveState'))"
        )
        return subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=False).stdout.strip()

    def snapshot(self):
        return tree.snapshot(self.path, [STORE, "run"])

    def k8scheck(self, *arguments):
        done = subprocess.run(
            [PROGRAM, "--root", self.path, "--live", "--color", "never", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=300,
            check=False,
        )
        return done.returncode, done.stdout

    def fixer(self, *more):
        arguments = ["--profile", self.profile, "--root", self.path, "--live", "--fix", "--yes", *more]
        return f.Fixer(PROGRAM, *arguments)

    def end(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        shutil.rmtree(self.folder)


def carry_out(node, what, rules, said=None):
    """The outcome of a plan that is agreed to."""
    with node.fixer() as fixer:
        plan = fixer.plan(rules)
        if not isinstance(plan, dict):
            suite.expect_true(what + ": there is a plan", False, plan)
            return {}
        outcome = fixer.agree(plan["hash"], [rule[0] for rule in rules])
    if not isinstance(outcome, dict):
        suite.expect_true(what + ": there is an outcome", False, outcome)
        return {}
    if said:
        suite.expect_in(what, said, outcome["text"])
    return outcome


def taken_back(node, what, before):
    code, out = node.k8scheck("rollback", "--yes")
    suite.expect(what + ": the rollback", code, 0)
    if code:
        print(out)
    suite.expect(what + ": files are as they were", tree.compare(before, node.snapshot()), [])


def from_end_to_end(node):
    before = node.snapshot()
    options = ["--profile", node.profile]
    for rule in ("down", "up", "early", "broken"):
        options += ["--rule", rule]
    code, out = node.k8scheck(*options, "--fix", "--dry-run")
    suite.expect("a dry run asks for nothing", node.calls(), [])
    suite.expect("a dry run changes nothing", tree.compare(before, node.snapshot()), [])
    code, out = node.k8scheck(*options, "--fix", "--yes")
    suite.expect("all pass behind it", code, 0)
    if code:
        print(out)
    calls = node.calls()
    suite.expect("systemd reads the links first, once", (calls[:1], calls.count("reload")), (["reload"], 1))
    suite.expect(
        "and does this",
        sorted(calls[1:]),
        ["start broken.service replace", "start down.service replace", "start early-down.service replace"]
        + ["stop up.service replace"],
    )
    suite.expect_true("what stops comes before what starts", calls[1:2] == ["stop up.service replace"], calls)
    suite.expect("it runs", [node.state(u) for u in ("down.service", "up.service")], ["active", "inactive"])
    code, out = node.k8scheck(*options, "--fix", "--yes")
    suite.expect("a second time there is nothing to do", (code, node.calls()), (0, []))
    taken_back(node, "end to end", before)
    calls = node.calls()
    suite.expect(
        "it is done the other way round",
        sorted(c for c in calls if c != "reload"),
        ["start up.service replace", "stop broken.service replace", "stop down.service replace"]
        + ["stop early-down.service replace"],
    )
    suite.expect_true("systemd reads that the links are gone", "reload" in calls, calls)
    suite.expect("it runs as before", [node.state(u) for u in ("down.service", "up.service")], ["inactive", "active"])


def jobs_that_fail(node):
    before = node.snapshot()
    now = dict(horizon=f.NOW)
    rules = [
        ("down", [f.step(f.UNIT_ENABLE, "down.service"), f.step(f.UNIT_START, "down.service", **now)]),
        ("fails", [f.step(f.UNIT_START, "fails-down.service", **now)]),
    ]
    outcome = carry_out(node, "a job that fails", rules, "journalctl -u fails-down.service")
    suite.expect("all is taken back", outcome.get("result"), 2)
    suite.expect("files are as they were", tree.compare(before, node.snapshot()), [])
    suite.expect("what was started is stopped", node.state("down.service"), "inactive")
    suite.expect_true("it was started before", "start down.service replace" in node.calls())
    code, out = node.k8scheck("rollback", "--yes")
    suite.expect("nothing is left to be taken back", (code, "no repair" in out), (0, True))


def units_that_there_are_not(node):
    """systemd says so of a unit that it is to start."""
    rules = [("unknown", [f.step(f.UNIT_START, "unknown.service", horizon=f.NOW)])]
    with node.fixer() as fixer:
        plan = fixer.plan(rules)
        step = plan["steps"][0]
        suite.expect("a unit that systemd does not know", step["state"], f.REFUSED_STEP)
        suite.expect_in("it is named", "unknown.service", step["text"])
    suite.expect("it is not asked to start it", node.calls(), [])


def restarts(node):
    """A restart is a restart: done whatever is there, and not taken back."""
    rules = [
        (
            "up",
            [f.step(f.UNIT_RESTART, "up.service", horizon=f.NOW), f.step(f.UNIT_START, "up.service", horizon=f.NOW)],
        ),
    ]
    outcome = carry_out(node, "a restart", rules)
    suite.expect("a restart", (outcome.get("result"), node.calls()), (1, ["restart up.service replace"]))
    code, out = node.k8scheck("rollback", "--yes")
    suite.expect("its rollback asks for nothing", (code, node.calls()), (0, []))
    reload = [("up", [f.step(f.SYSTEMD_RELOAD, None, horizon=f.NOW)])]
    outcome = carry_out(node, "a reload", reload)
    suite.expect("a reload", (outcome.get("result"), node.calls()), (1, ["reload"]))
    node.k8scheck("rollback", "--yes")


def changed_since(node):
    """Somebody stopped it since: it is left so, and named."""
    rules = [("down", [f.step(f.UNIT_START, "down.service", horizon=f.NOW)])]
    with node.fixer() as fixer:
        plan = fixer.plan(rules)
        other = carry_out(node, "meanwhile", rules)
        suite.expect("meanwhile another does it", other.get("result"), 1)
        outcome = fixer.agree(plan["hash"], ["down"])
        suite.expect_in("it has changed since", "has changed since the plan", str(outcome))
    suite.expect("it was started once", node.calls(), ["start down.service replace"])
    code, out = node.k8scheck("rollback", "--yes")
    suite.expect("and is stopped", (code, node.calls()), (0, ["stop down.service replace"]))


def never(node):
    begun = time.monotonic()
    rules = [("never", [f.step(f.UNIT_START, "never-down.service", horizon=f.NOW)])]
    with node.fixer() as fixer:
        fixer.socket.settimeout(200)
        plan = fixer.plan(rules)
        outcome = fixer.agree(plan["hash"], ["never"])
    suite.expect_in("a job that never ends", "did not end within 120 s", outcome["text"])
    suite.expect("it is taken back", outcome["result"], 2)
    print(f"a job that never ends was waited for for {time.monotonic() - begun:.0f} s")


def main():
    if subprocess.run([PYTHON, "-c", "import dbusmock, gi"], capture_output=True, check=False).returncode:
        skip("python3-dbusmock is not installed")
    if not shutil.which("dbus-daemon"):
        skip("dbus-daemon is not installed")
    node = Node()
    try:
        node.start_bus()
        node.start_systemd()
        from_end_to_end(node)
        jobs_that_fail(node)
        units_that_there_are_not(node)
        restarts(node)
        changed_since(node)
        if "--all" in sys.argv or os.environ.get("K8SCHECK_TEST_ALL"):
            never(node)
    finally:
        node.end()
    suite.end()


if __name__ == "__main__":
    main()
