#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A run as processes: what is left when one of them dies, when the run is interrupted, and when its time is up."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

from k8s import Host, Suite, run

# Whoever runs this may ignore a hang-up (nohup), and a child would inherit that.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
PROGRAM, PLUGINS, FAULTY, GATHER = sys.argv[1:5]
PATIENCE = 20

suite = Suite("a run and its processes")


def rule(name, check, more=""):
    return f"  - id: {name}\n    check: {check}\n    title: A rule\n{more}"


def good(name, when=""):
    return rule(name, "sysctl.value", "    with: {keys: [test.key], value: 1}\n" + when)


FILES = {"/proc/sys/test/key": "1\n", "/etc/sysctl.d/99-test.conf": "test.key = 1\n"}


def processes(root):
    """{comm: [pid, …]} of a run, by its root on the command line."""
    out = subprocess.run(["ps", "-eo", "pid,comm,args"], capture_output=True, text=True).stdout
    found = {}
    for line in out.splitlines():
        words = line.split(None, 2)
        if root in line and "python" not in line and len(words) == 3:
            found.setdefault(words[1], []).append(int(words[0]))
    return found


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return [int(word) for word in f.read().split()]
    except OSError:
        return []


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        got = condition()
        if got:
            return got
        time.sleep(0.02)
    return None


class Started:
    """k8scheck on its way, with a profile of its own."""

    def __init__(self, host, profile, *args):
        self.host = host
        self.tmp = tempfile.TemporaryDirectory(prefix="k8scheck-run-")
        path = os.path.join(self.tmp.name, "profile.yaml")
        with open(path, "w") as f:
            f.write("rules:\n" + profile)
        self.report = os.path.join(self.tmp.name, "report.json")
        self.process = subprocess.Popen(
            [PROGRAM, "--plugin-dir", PLUGINS, "--plugin-dir", FAULTY, "--root", host.path, "--live", "--profile", path,
             "--report", "json=" + self.report, *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def end(self):
        """(exit code, standard error, the report or None)"""
        out, err = self.process.communicate(timeout=PATIENCE * 3)
        report = None
        if os.path.exists(self.report):
            with open(self.report) as f:
                report = json.load(f)
        left = os.listdir(self.tmp.name)
        self.tmp.cleanup()
        return self.process.returncode, err, report, left

    def verdict(self, report, name):
        return {r["id"]: r["verdict"] for r in report["rules"]}.get(name) if report else None


def texts(report, name):
    for r in report["rules"] if report else []:
        if r["id"] == name:
            return json.dumps(r["judgements"])
    return ""


def interrupted():
    """A signal to k8scheck, whichever it is: nothing of the run is left, not even half a report."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
        with Host(FILES) as host:
            started = Started(host, rule("slow", "faulty-sleep.check") + rule("wild", "faulty-daemon.check") + good("g"))
            # k8scheck, its zygote, and a worker that has begun to judge.
            there = wait_for(lambda: sum(len(p) for p in processes(host.path).values()) >= 3)
            suite.expect_true(f"{number.name}: it runs", there)
            time.sleep(0.3)
            started.process.send_signal(number)
            code, _, report, left = started.end()
            suite.expect(f"{number.name}: exit", code, -number)
            suite.expect(f"{number.name}: report", report, None)
            suite.expect(f"{number.name}: files left", left, ["profile.yaml"])
            gone = wait_for(lambda: not processes(host.path))
            suite.expect_true(f"{number.name}: processes left", gone, processes(host.path))


def what_a_worker_has():
    """A plugin gets the descriptors of its own, and none of k8scheck's, of its report, or of another's."""
    with Host(FILES) as host:
        started = Started(host, rule("slow", "faulty-sleep.check") + rule("s", "faulty-silent.check"))
        worker = wait_for(lambda: processes(host.path).get("kc-faulty-sleep"))
        suite.expect_true("a worker", worker, processes(host.path))
        time.sleep(0.3)
        fds = f"/proc/{worker[0]}/fd"
        has = sorted(os.path.basename(os.readlink(f"{fds}/{fd}")).split(":")[0] for fd in os.listdir(fds))
        suite.expect("descriptors of a worker", has,
                     sorted(["null", "pipe", "pipe", "faulty-sleep.so", os.path.basename(host.path), "socket"]))
        started.process.kill()
        started.end()


def signals_ignored():
    """Whoever starts it may have signals ignored, which stays so over exec."""
    with Host(FILES) as host, tempfile.TemporaryDirectory(prefix="k8scheck-run-") as tmp:
        with open(tmp + "/p.yaml", "w") as f:
            f.write("rules:\n" + good("g") + rule("crash", "faulty-exit.check"))
        began = time.monotonic()
        numbers = (signal.SIGCHLD, signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGTERM)
        # A shell would not do: it takes SIGCHLD back.
        done = subprocess.run(
            [PROGRAM, "--plugin-dir", PLUGINS, "--plugin-dir", FAULTY, "--root", host.path, "--live", "--profile",
             tmp + "/p.yaml"],
            capture_output=True, text=True, timeout=60, restore_signals=False,
            preexec_fn=lambda: [signal.signal(number, signal.SIG_IGN) for number in numbers])
        suite.expect("signals ignored: exit", done.returncode, 3)
        # With a sanitizer, who looks for leaks at an exit starts a process for it.
        ends = ("exited with status 0", "signal 31")
        suite.expect_true("signals ignored", any(end in done.stdout for end in ends), done.stdout)
        suite.expect_true("signals ignored: at once", time.monotonic() - began < 5)
        suite.expect_true("signals ignored: processes left", wait_for(lambda: not processes(host.path)),
                          processes(host.path))


def named(host, started, name):
    """Children of k8scheck of that name."""
    return [p for p in children(started.process.pid) if p in processes(host.path).get(name, [])]


def zygote_dies():
    with Host(FILES) as host:
        started = Started(host, rule("slow", "faulty-sleep.check") + good("g"))
        zygote = wait_for(lambda: named(host, started, "kc-zygote"))
        suite.expect("one zygote", len(zygote or []), 1)
        wait_for(lambda: children(zygote[0]))
        os.kill(zygote[0], signal.SIGKILL)
        code, err, report, _ = started.end()
        suite.expect("zygote dies: exit", code, 2)
        suite.expect_in("zygote dies", "the process that starts workers is gone", err)
        suite.expect("zygote dies: report", report, None)
        gone = wait_for(lambda: not processes(host.path))
        suite.expect_true("zygote dies: processes left", gone, processes(host.path))


def broker_dies():
    """Who waits for an answer gets one, and the next question starts another broker."""
    with Host(FILES) as host, socket.socket(socket.AF_UNIX) as silent:
        os.makedirs(host.path + "/run")
        silent.bind(host.path + "/run/s.sock")
        silent.listen(4)
        ask = "    with: {endpoint: unix:///run/s.sock, timeout: 15s}\n"
        started = Started(host, rule("asks", "cri.answers", ask) + good("g"), "--timeout", "20s", "--horizon", "now")
        broker = wait_for(lambda: [p for p in named(host, started, "kc-broker") if len(children(p)) == 1])
        suite.expect_true("a broker has a door", broker, processes(host.path))
        began = time.monotonic()
        if broker:
            os.kill(broker[0], signal.SIGKILL)
        code, err, report, _ = started.end()
        suite.expect_true("broker dies: at once", time.monotonic() - began < 10)
        suite.expect("broker dies: who asked", started.verdict(report, "asks"), "error")
        suite.expect_in("broker dies: why", "the broker died", texts(report, "asks"))
        suite.expect("broker dies: others", started.verdict(report, "g"), "pass")
        suite.expect_true("broker dies: processes left", wait_for(lambda: not processes(host.path)), processes(host.path))


def idle_broker_dies():
    """Before anybody has asked: nobody notices, and nothing of it is left."""
    with Host(FILES) as host:
        started = Started(host, rule("slow", "faulty-sleep.check") + good("g"), "--timeout", "2s")
        broker = wait_for(lambda: named(host, started, "kc-broker"))
        suite.expect("an idle broker", len(broker or []), 1)
        os.kill(broker[0], signal.SIGKILL)
        code, err, report, _ = started.end()
        suite.expect("idle broker dies: exit", code, 3)
        suite.expect("idle broker dies: others", started.verdict(report, "g"), "pass")
        suite.expect_true("idle broker dies: processes left", wait_for(lambda: not processes(host.path)),
                          processes(host.path))


def nothing_judged():
    """What was started while the profile was read ends when there is no profile."""
    with Host(FILES) as host:
        for profile in ("  - {id: a, check: none.such}\n", "  - [\n"):
            code, err, report, _ = Started(host, profile).end()
            suite.expect("no profile: exit", code, 2)
            suite.expect("no profile: report", report, None)
            suite.expect_true("no profile: processes left", wait_for(lambda: not processes(host.path)),
                              processes(host.path))


def time_is_up():
    """--deadline: who is stuck is an error, and what stands before and behind it is judged."""
    with Host(FILES) as host:
        # Of one plugin, so that one worker has them all: its first result lies with it when it is stuck.
        profile = "".join(good(f"g{i}") for i in range(5)) + rule("slow", "faulty-sleep.check")
        profile += rule("early", "faulty-hang-early.check") + rule("slow2", "faulty-sleep.check")
        began = time.monotonic()
        started = Started(host, profile, "--deadline", "3s", "--timeout", "60s")
        code, err, report, _ = started.end()
        took = time.monotonic() - began
        suite.expect("deadline: exit", code, 3)
        suite.expect_true("deadline: in time", 2 < took < 5, f"{took:.2f} s")
        for i in range(5):
            suite.expect(f"deadline: g{i}", started.verdict(report, f"g{i}"), "pass")
        for name in ("slow", "early", "slow2"):
            suite.expect(f"deadline: {name}", started.verdict(report, name), "error")
            suite.expect_in(f"deadline: {name}", "(--deadline)", texts(report, name))
        suite.expect_true("deadline: processes left", wait_for(lambda: not processes(host.path)), processes(host.path))
        # So short that it hits at any moment of the start.
        for milliseconds in (1, 2, 3, 5, 8, 13, 21, 34, 55):
            started = Started(host, profile, "--deadline", f"{milliseconds}ms")
            code, err, report, _ = started.end()
            suite.expect(f"deadline {milliseconds} ms: exit", code, 3)
            suite.expect(f"deadline {milliseconds} ms: rules", len(report["rules"]) if report else err, 8)
            for name in ("slow", "early", "slow2"):
                suite.expect(f"deadline {milliseconds} ms: {name}", started.verdict(report, name), "error")


def asks_while_opened():
    """A plugin may ask before it is ready; what it is told to do meanwhile it does then."""
    with Host(FILES) as host:
        for lines, wanted in (("", "pass"), ("    when: {opener.fact: known}\n", "pass"), ("    when: {opener.fact: x}\n", "skip")):
            profile = "rules:\n" + "".join(rule(f"r{i}", "opener.check") + lines for i in range(3)) + good("g", lines)
            result = run(PROGRAM, "--plugin-dir", PLUGINS, "--plugin-dir", GATHER, "--root", host.path, "--live",
                         profile=profile)
            for name in ("r0", "r1", "r2", "g"):
                suite.expect(f"asks while opened, {lines.strip() or 'no condition'}: {name}", result.verdict(name), wanted)


def gatherers():
    """What goes wrong while facts are gathered costs those facts, and no rule that does not ask for them."""
    causes = {"crash": "signal 9", "hang": "no verdict within 1 s", "foreign": "does not list the fact"}
    with Host(FILES) as host:
        profile = "rules:\n" + good("free")
        for fault in causes:
            profile += rule(f"own-{fault}", f"gather-{fault}.check")
            profile += good(f"asks-{fault}", f"    when: {{gather.{fault}: anything}}\n")
        result = run(PROGRAM, "--plugin-dir", PLUGINS, "--plugin-dir", GATHER, "--root", host.path, "--live",
                     "--timeout", "1s", "--horizon", "now", profile=profile)
        suite.expect("a rule without conditions", result.verdict("free"), "pass")
        facts = {f["name"]: f for f in result.report["facts"]} if result.report else {}
        for fault, cause in causes.items():
            suite.expect(f"{fault}: its own rule", result.verdict(f"own-{fault}"), "pass")
            suite.expect(f"{fault}: a rule that asks", result.verdict(f"asks-{fault}"), "error")
            suite.expect_in(f"{fault}: why", cause, result.messages(f"asks-{fault}"))
            suite.expect_in(f"{fault}: the fact", "unknown", json.dumps(facts.get(f"gather.{fault}")))
        suite.expect_true("no fact is forged", "forged" not in json.dumps(result.report))


def standard_descriptors():
    """Whoever starts it with some of them closed loses nothing but what went there."""
    with Host(FILES) as host, tempfile.TemporaryDirectory(prefix="k8scheck-run-") as tmp:
        with open(tmp + "/p.yaml", "w") as f:
            f.write("rules:\n" + good("g") + rule("forks", "faulty-fork.check"))
        base = [PROGRAM, "--plugin-dir", PLUGINS, "--plugin-dir", FAULTY, "--root", host.path, "--live", "--profile",
                tmp + "/p.yaml"]
        for closed in ("<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"):
            report = tmp + "/report.json"
            done = subprocess.run(["sh", "-c", f'exec "$@" {closed}', "sh", *base, "--report", "json=" + report],
                                  capture_output=True, text=True, timeout=60)
            suite.expect(f"closed {closed}: exit", done.returncode, 3)
            with open(report) as f:
                rules = {r["id"]: r["verdict"] for r in json.load(f)["rules"]}
            suite.expect(f"closed {closed}: rules", rules, {"g": "pass", "forks": "error"})
            os.unlink(report)
            done = subprocess.run(["sh", "-c", f'exec "$@" {closed}', "sh", *base], capture_output=True, text=True,
                                  timeout=60)
            suite.expect(f"closed {closed}: text", done.returncode, 6 if ">&-" in closed.replace("2>&-", "") else 3)


def no_descriptors_left():
    """So few that no worker can be started: said, and nothing hangs."""
    with Host(FILES) as host:
        # One that has spoken before anybody knows whether it gets a rule.
        profile = "rules:\n" + rule("e", "faulty-speak-early.check") + good("g") + rule("s", "faulty-silent.check")
        for limit in [*range(4, 40, 3), *6 * [13]]:
            result = run("sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh", PROGRAM, "--plugin-dir", PLUGINS,
                         "--plugin-dir", FAULTY, "--root", host.path, "--live", profile=profile, timeout=60)
            suite.expect_true(f"{limit} descriptors: exit", result.code in (2, 3, 6, 127), (result.code, result.err))
            if result.code == 3:
                suite.expect_true(f"{limit} descriptors: judged", result.verdict("g") in ("pass", "error"))
                suite.expect(f"{limit} descriptors: judged", result.verdict("s"), "error")
            else:
                suite.expect_true(f"{limit} descriptors: a sentence", result.err, result.code)
        suite.expect_true("descriptors: processes left", wait_for(lambda: not processes(host.path)),
                          processes(host.path))


interrupted()
what_a_worker_has()
signals_ignored()
zygote_dies()
# Left out of a build without the runtime's door.
if os.path.exists(PLUGINS + "/cri.so"):
    broker_dies()
    idle_broker_dies()
    nothing_judged()
time_is_up()
asks_while_opened()
gatherers()
standard_descriptors()
no_descriptors_left()
suite.end()
