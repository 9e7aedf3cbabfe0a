#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
k8scheck --fix on a terminal: what it asks and what it takes for a yes, and that the fixer ends what it was told to do when
the terminal goes away, when k8scheck dies, and when somebody presses keys. Below a root of the test's own.
"""

import json
import os
import signal
import subprocess
import sys
import time

from k8s import Host, Suite, call
from terminal import ASKS, BOUND, Session

PROGRAM, PLUGINS, FAULTY, PROBE, SUPPORT = sys.argv[1:6]
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tree  # noqa: E402

STATE = "/var/lib/k8scheck"

PROFILE = """\
title: A rule of each kind
rules:
  - {id: panic, check: sysctl.value, title: It restarts, with: {keys: [kernel.panic], value: 10}}
  - {id: asked, check: sysctl.value, title: It overcommits, fix: ask, with: {keys: [vm.overcommit_memory], value: 1}}
  - {id: never, check: sysctl.value, title: An oops is a panic, fix: never, with: {keys: [kernel.panic_on_oops], value: 1}}
  - {id: selinux, check: selinux.mode, title: SELinux permits, with: {modes: [permissive]}}
"""
FILES = {
    "/etc/os-release": "ID=centos\nVERSION_ID=8\n",
    "/etc/sysctl.d/50-own.conf": "# by hand\nkernel.panic_on_oops = 0\n",
    "/etc/selinux/config": "SELINUX=enforcing\nSELINUXTYPE=targeted\n",
    "/etc/selinux/targeted/policy/policy.31": "",
}
CONFIG = "/etc/selinux/config"

suite = Suite("repairs on a terminal")


class Image(Host):
    """A root with its profile beside it."""

    def __init__(self, profile=PROFILE):
        super().__init__()
        self.profile = self.write("/profile.yaml", profile)
        self.root = os.path.join(self.path, "root")
        for path, text in FILES.items():
            self.write("/root" + path, text)
        os.makedirs(self.root + "/var/lib")
        self.before = tree.snapshot(self.root)

    def command(self, *more):
        return [PROGRAM, "--profile", self.profile, "--root", self.root, *more]

    def read(self, path):
        with open(self.root + path) as f:
            return f.read()

    def sysctls(self):
        """All that files of sysctl.d say."""
        folder = self.root + "/etc/sysctl.d"
        return "".join(self.read("/etc/sysctl.d/" + name) for name in sorted(os.listdir(folder)))

    def expect_untouched(self, what):
        suite.expect(f"{what}: the tree", tree.compare(self.before, tree.snapshot(self.root)), [])

    def expect_taken_back(self, what):
        result = call(PROGRAM, "rollback", "--root", self.root, "--yes")
        suite.expect(f"{what}: rollback", (result.code, result.err), (0, ""))
        now = tree.snapshot(self.root, [STATE])
        suite.expect(f"{what}: taken back", tree.compare(self.before, now, [STATE]), [])

    def states(self):
        return call(PROGRAM, "rollback", "--root", self.root, "--list").out


def ended(pid):
    """Whether a process, whose parent may be gone, ends."""
    end = time.monotonic() + BOUND
    while time.monotonic() < end:
        try:
            with open(f"/proc/{pid}/stat") as f:
                if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


# ---- questions


def test_questions():
    """What is asked one by one, then the rest, then what weakens, apart."""
    with Image() as image, Session(image.command("--fix")) as session:
        suite.expect("first", session.question(), "Repair asked?")
        suite.expect_in("the plan stands before it", "kernel.panic = 10", session.seen)
        suite.expect_in("what weakens is marked", "[weakens the host]", session.seen)
        image.expect_untouched("at the first question")
        session.send(b"y\n")
        suite.expect("then", session.question(), "Carry this plan out for 2 rules?")
        session.send(b"y\n")
        suite.expect(
            "at last",
            session.question(),
            "Steps of selinux lower the protection of this host. Carry those out, too?",
        )
        image.expect_untouched("at the last question")
        session.send(b"y\n")
        suite.expect("all agreed: exit code", session.wait(), 1)
        suite.expect_in("all agreed: the report", "fixed    panic", session.seen)
        suite.expect_in("all agreed: the report", "fixed    asked", session.seen)
        suite.expect_in("all agreed: the report", "fixed    selinux", session.seen)
        suite.expect_in("all agreed: the report", "fail     never", session.seen)
        suite.expect_in("all agreed: how it is taken back", f" --root {image.root}\n", session.seen)
        suite.expect_in("all agreed: files", "kernel.panic = 10", image.sysctls())
        suite.expect_in("all agreed: files", "vm.overcommit_memory = 1", image.sysctls())
        suite.expect_in("all agreed: files", "kernel.panic_on_oops = 0", image.sysctls())
        suite.expect_in("all agreed: files", "SELINUX=permissive", image.read(CONFIG))
        suite.expect_in("all agreed: list", "done", image.states())
        image.expect_taken_back("all agreed")


def answer_all(image, answers, *more):
    """Each question in turn gets its answer: (exit code, what was on the terminal)."""
    with Session(image.command("--fix", *more)) as session:
        for answer in answers:
            if not session.question():
                break
            session.send(answer)
        return session.wait(), session.seen


def test_left_out():
    """What was not agreed to is not done, and leaves no line in what others write."""
    for what, answers, done, left in (
        ("not the one", (b"n\n", b"y\n", b"y\n", b"y\n"), ("panic", "selinux"), ("asked",)),
        ("the one alone", (b"y\n", b"n\n", b"y\n"), ("asked",), ("panic", "selinux")),
        ("not what weakens", (b"y\n", b"y\n", b"n\n"), ("panic", "asked"), ("selinux",)),
    ):
        with Image() as image:
            code, seen = answer_all(image, answers)
            suite.expect(f"{what}: exit code", code, 1)
            lines = {
                "panic": "kernel.panic = 10" in image.sysctls(),
                "asked": "vm.overcommit_memory = 1" in image.sysctls(),
                "selinux": "SELINUX=permissive" in image.read(CONFIG),
            }
            for rule in done:
                suite.expect_in(f"{what}: {rule}", f"fixed    {rule}", seen)
            suite.expect(f"{what}: files", {rule for rule, there in lines.items() if there}, set(done))
            for rule in left:
                suite.expect_in(f"{what}: {rule}", f"fail     {rule}", seen)
            image.expect_taken_back(what)


def test_what_is_left_is_shown():
    """After a no the plan is another, which is shown and asked for before it is carried out."""
    with Image() as image, Session(image.command("--fix")) as session:
        suite.expect("left: first", session.question(), "Repair asked?")
        session.send(b"n\n")
        suite.expect("left: then", session.question(), "Carry this plan out for 2 rules?")
        session.send(b"y\n")
        seen = len(session.seen)
        suite.expect("left: the rest", session.question(), "This is left of it. Carry it out?")
        suite.expect_in("left: the rest", "kernel.panic = 10", session.seen[seen:])
        suite.expect_true("left: not what was refused", "vm.overcommit_memory = 1" not in session.seen[seen:])
        session.send(b"n\n")
        suite.expect("left: exit code", session.wait(), 2)
        suite.expect_in("left: what it says", "nothing was changed", session.seen)
        image.expect_untouched("left")


def test_refusals():
    """Whatever is no yes is a no."""
    for answer in (
        b"n\n",
        b"no\n",
        b"\n",
        b"\x04",
        b"yy\n",
        b"y n\n",
        b" y\n",
        b"yes please\n",
        b"j\n",
        b"\xc3\xbf\xff\n",
        b"\x1b[A\n",
        b"n" * 1000 + b"y\n",
        b"%s%n%s\n",
    ):
        with Image() as image:
            code, seen = answer_all(image, (answer, answer))
            suite.expect(f"{answer[:20]!r}: exit code", code, 2)
            suite.expect_in(f"{answer[:20]!r}: what it says", "nothing was changed", seen)
            image.expect_untouched(f"{answer[:20]!r}")
    for answer in (b"Y\n", b"yes\n"):
        with Image() as image:
            code, _ = answer_all(image, (answer,) * 3)
            suite.expect(f"{answer!r}: exit code", code, 1)
            suite.expect_in(f"{answer!r}: files", "SELINUX=permissive", image.read(CONFIG))


def test_no_question():
    """--yes asks nothing at all; what stands ready on standard input is no answer."""
    with Image() as image, Session(image.command("--fix", "--yes")) as session:
        suite.expect("--yes: exit code", session.wait(), 1)
        suite.expect_true("--yes: no question", ASKS not in session.seen)
        suite.expect_in("--yes: what weakens", "--allow-weaken", session.seen)
        suite.expect_in("--yes: what weakens", "SELINUX=enforcing", image.read(CONFIG))
    with Image() as image:
        done = subprocess.run(
            image.command("--fix"),
            input="y\ny\ny\n",
            capture_output=True,
            text=True,
            timeout=BOUND,
            start_new_session=True,
        )
        suite.expect("no terminal: exit code", done.returncode, 2)
        suite.expect_in("no terminal: what it says", "--yes", done.stderr)
        suite.expect_in("no terminal: what it says", "nothing was changed", done.stderr)
        image.expect_untouched("no terminal")
    # There is a terminal, and other things are where its input and output would be.
    with Image() as image:
        command = " ".join(image.command("--fix", "--report", "json")) + f" </dev/null >{image.path}/out 2>{image.path}/err"
        with Session(["/bin/sh", "-c", command]) as session:
            for _ in range(3):
                suite.expect_true("a terminal beside pipes: a question", session.question())
                session.send(b"y\n")
            suite.expect("a terminal beside pipes: exit code", session.wait(), 1)
        with open(image.path + "/out") as f:
            report = json.load(f)
        suite.expect("a terminal beside pipes: the report", report["repair"]["changed"], True)


def test_never():
    with Image() as image:
        plan = json.loads(call(*image.command("--fix", "--dry-run", "--format", "json")).out)
        rules = {rule["id"]: rule for rule in plan["rules"]}
        suite.expect("fix: never has no steps", rules["never"]["steps"], [])
        suite.expect_in("fix: never says so", "fix: never", rules["never"]["left_because"])
        result = call(*image.command("--fix", "--yes", "--allow-weaken", "--rule", "never"))
        suite.expect("fix: never alone: exit code", result.code, 1)
        image.expect_untouched("fix: never alone")


# ---- the command line


def test_options():
    with Image() as image:
        dashed = [PROGRAM, "--profile", "-", "--root", image.root, "--fix", "--yes"]
        result = call(*dashed, input=PROFILE)
        suite.expect("a profile from standard input: exit code", result.code, 2)
        suite.expect_in("a profile from standard input", "standard input", result.err)
        image.expect_untouched("a profile from standard input")
        for options, message in (
            (["--yes"], "--yes goes with --fix or rollback"),
            (["--dry-run"], "--dry-run goes with --fix or rollback"),
            (["--drained"], "--drained goes with --fix or rollback"),
            (["--allow-weaken"], "--allow-weaken goes with --fix"),
            (["--resume"], "--resume goes with --fix"),
            (["--force"], "--force goes with rollback"),
            (["--list"], "--list goes with rollback"),
            (["--forget", "1"], "--forget goes with rollback"),
            (["--format", "json"], "--format goes with --fix --dry-run"),
            (["--fix", "--yes", "--format", "json"], "--format goes with --fix --dry-run"),
            (["--fix", "--yes", "--force"], "--force goes with rollback"),
            (["--fix", "--dry-run", "--format", "yaml"], "there is text, json, ansible"),
            (["--fix", "--yes", "--resume"], "nothing to go on with"),
        ):
            result = call(*image.command(*options))
            what = " ".join(options)
            suite.expect(f"{what}: exit code", result.code, 2)
            suite.expect_in(what, message, result.err)
            image.expect_untouched(what)
        for options, message in (
            (["--fix"], "--fix goes with a profile"),
            (["--allow-weaken"], "--allow-weaken goes with --fix"),
            (["--resume"], "--resume goes with --fix"),
            (["--list", "0001"], "one id at most"),
            (["--list", "--forget", "1"], "one id at most"),
            (["1", "2"], "one id at most"),
        ):
            result = call(PROGRAM, "rollback", "--root", image.root, *options)
            what = "rollback " + " ".join(options)
            suite.expect(f"{what}: exit code", result.code, 2)
            suite.expect_in(what, message, result.err)
            image.expect_untouched(what)
        for options in (["list", "rules"], ["explain", "panic"], ["lint"]):
            result = call(PROGRAM, *options, "--profile", image.profile, "--fix", "--yes")
            suite.expect_true(f"{options[0]} --fix repairs nothing", result.code in (0, 2), result.code)
        image.expect_untouched("other verbs")


def test_exit_codes():
    with Image(PROFILE.replace("{id: never,", "{id: never, severity: recommended,")) as image:
        for turn in ("once", "twice"):
            result = call(*image.command("--fix", "--yes", "--allow-weaken"))
            suite.expect(f"all that is required is repaired, {turn}: exit code", result.code, 0)
        image.expect_taken_back("all that is required")


# ---- what may happen meanwhile


class Stopped:
    """A repair that was agreed to, whose fixer is halted before it begins; "go on" lets it."""

    def __init__(self, image, *more):
        self.session = Session(image.command("--fix", "--allow-weaken", *more))
        suite.expect("agreed to", self.session.question(), "Repair asked?")
        self.session.send(b"y\n")
        suite.expect("agreed to", self.session.question(), "Carry this plan out for 2 rules?")
        self.fixer = self.session.fixer()
        suite.expect_true("there is a fixer", self.fixer)
        os.kill(self.fixer, signal.SIGSTOP)
        self.session.send(b"y\n")

    def is_awaited(self):
        """Until k8scheck has sent the consent, and reads the socket to the fixer."""
        end = time.monotonic() + BOUND
        while time.monotonic() < end:
            if waits_for_socket(self.session.pid):
                return True
            time.sleep(0.01)
        return False

    def go_on(self):
        os.kill(self.fixer, signal.SIGCONT)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        try:
            os.kill(self.fixer, signal.SIGCONT)
        except OSError:
            pass
        self.session.__exit__()


def waits_for_socket(pid):
    """Whether the call that a process is in has a socket as its first argument."""
    with open(f"/proc/{pid}/syscall") as f:
        words = f.read().split()
    try:
        return os.readlink(f"/proc/{pid}/fd/{int(words[1], 16)}").startswith("socket:")
    except (OSError, ValueError, IndexError):
        return False


def expect_done(image, what):
    suite.expect_in(f"{what}: it is done", " done: ", image.states())
    suite.expect_in(f"{what}: files", "kernel.panic = 10", image.sysctls())
    suite.expect_in(f"{what}: files", "vm.overcommit_memory = 1", image.sysctls())
    suite.expect_in(f"{what}: files", "SELINUX=permissive", image.read(CONFIG))
    image.expect_taken_back(what)


def test_gone_meanwhile():
    """The fixer was told, and ends it; nobody has to be there to hear of it."""
    for what, number in (("SIGHUP", signal.SIGHUP), ("SIGKILL", signal.SIGKILL), ("SIGTERM", signal.SIGTERM)):
        with Image() as image, Stopped(image) as stopped:
            suite.expect_true(f"{what} to k8scheck: it waits", stopped.is_awaited())
            os.kill(stopped.session.pid, number)
            suite.expect(f"{what} to k8scheck", stopped.session.wait(), -number)
            image.expect_untouched(f"{what} to k8scheck, before the fixer goes on")
            stopped.go_on()
            suite.expect_true(f"{what} to k8scheck: the fixer ends", ended(stopped.fixer))
            expect_done(image, f"{what} to k8scheck")
    with Image() as image, Stopped(image) as stopped:
        suite.expect_true("the terminal hangs up: it waits", stopped.is_awaited())
        stopped.session.hang_up()
        suite.expect("the terminal hangs up", stopped.session.wait(), -signal.SIGHUP)
        stopped.go_on()
        suite.expect_true("the terminal hangs up: the fixer ends", ended(stopped.fixer))
        expect_done(image, "the terminal hangs up")


def test_keys_meanwhile():
    """Ctrl-C and Ctrl-\\ end k8scheck, and not the fixer, which is in a session of its own."""
    for key, number in ((b"\x03", signal.SIGINT), (b"\x1c", signal.SIGQUIT)):
        with Image() as image, Stopped(image) as stopped:
            suite.expect_true(f"{key!r}: it waits", stopped.is_awaited())
            stopped.session.send(key)
            suite.expect(f"{key!r}", stopped.session.wait(), -number)
            stopped.go_on()
            suite.expect_true(f"{key!r}: the fixer ends", ended(stopped.fixer))
            expect_done(image, f"{key!r}")


def test_signals_to_the_fixer():
    """Those that a shutdown or a shell sends to all."""
    with Image() as image, Stopped(image) as stopped:
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGTTOU, signal.SIGTSTP):
            os.kill(stopped.fixer, number)
        stopped.go_on()
        suite.expect("signals to the fixer: exit code", stopped.session.wait(), 1)
        expect_done(image, "signals to the fixer")


def test_changed_meanwhile():
    """What was shown is not what is there any more: all is taken back, and theirs stays."""
    with Image() as image, Stopped(image) as stopped:
        theirs = "SELINUX=enforcing\n# theirs\n"
        image.write("/root" + CONFIG, theirs)
        stopped.go_on()
        suite.expect("changed meanwhile: exit code", stopped.session.wait(), 4)
        suite.expect_in("changed meanwhile: its name", CONFIG, stopped.session.seen)
        suite.expect("changed meanwhile: theirs", image.read(CONFIG), theirs)
        suite.expect_true("changed meanwhile: no other", "kernel.panic = 10" not in image.sysctls())
        suite.expect_in("changed meanwhile: list", "taken back", image.states())


def test_interrupt_at_the_question():
    for what, act, wanted in (
        ("Ctrl-C", lambda s: s.send(b"\x03"), -signal.SIGINT),
        ("SIGTERM", lambda s: os.kill(s.pid, signal.SIGTERM), -signal.SIGTERM),
        ("SIGKILL", lambda s: os.kill(s.pid, signal.SIGKILL), -signal.SIGKILL),
        ("a hang-up", lambda s: s.hang_up(), -signal.SIGHUP),
    ):
        with Image() as image, Session(image.command("--fix")) as session:
            suite.expect_true(f"{what} at the question: it asks", session.question())
            fixer = session.fixer()
            suite.expect_true(f"{what} at the question: there is a fixer", fixer)
            act(session)
            suite.expect(f"{what} at the question", session.wait(), wanted)
            suite.expect_true(f"{what} at the question: the fixer ends", ended(fixer))
            image.expect_untouched(f"{what} at the question")


# ---- rollback asks, too


def test_rollback():
    with Image() as image:
        call(*image.command("--fix", "--yes", "--allow-weaken"))
        repaired = tree.snapshot(image.root)
        command = [PROGRAM, "rollback", "--root", image.root]
        for answer, wanted in ((b"n\n", 2), (b"\x04", 2), (b"what\n", 2), (b"\x03", -signal.SIGINT)):
            with Session(command) as session:
                suite.expect_in(f"rollback, {answer!r}: the question", "back?", session.question())
                session.send(answer)
                suite.expect(f"rollback, {answer!r}: exit code", session.wait(), wanted)
        done = subprocess.run(
            command, input="y\n", capture_output=True, text=True, timeout=BOUND, start_new_session=True
        )
        suite.expect("rollback without a terminal: exit code", done.returncode, 2)
        suite.expect_in("rollback without a terminal", "nothing was changed", done.stderr)
        suite.expect("rollback, not agreed to: the tree", tree.compare(repaired, tree.snapshot(image.root)), [])
        with Session(command) as session:
            suite.expect_in("rollback: the question", "back?", session.question())
            session.send(b"y\n")
            suite.expect("rollback: exit code", session.wait(), 0)
        now = tree.snapshot(image.root, [STATE])
        suite.expect("rollback: the tree", tree.compare(image.before, now, [STATE]), [])


for test in (
    test_questions,
    test_left_out,
    test_what_is_left_is_shown,
    test_refusals,
    test_no_question,
    test_never,
    test_options,
    test_exit_codes,
    test_gone_meanwhile,
    test_keys_meanwhile,
    test_signals_to_the_fixer,
    test_changed_meanwhile,
    test_interrupt_at_the_question,
    test_rollback,
):
    test()
suite.end()
