# SPDX-License-Identifier: Apache-2.0
"""What the integration tests have in common: run k8scheck, read its JSON, say what was wrong."""

import fcntl
import json
import os
import pty
import select
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import termios
import time

try:
    import jsonschema
except ImportError:
    jsonschema = None

SKIP = 77


class Suite:
    """Counts what was looked at, so that a test that looked at nothing fails."""

    def __init__(self, name):
        self.name = name
        self.checked = 0
        self.failed = 0

    def expect(self, what, got, want):
        self.checked += 1
        if got != want:
            self.failed += 1
            print(f"not ok {what}: got {got!r}, expected {want!r}")

    def expect_in(self, what, part, text):
        self.checked += 1
        if part not in (text or ""):
            self.failed += 1
            print(f"not ok {what}: {part!r} is not in {text!r}")

    def expect_true(self, what, condition, detail=""):
        self.checked += 1
        if not condition:
            self.failed += 1
            print(f"not ok {what} {detail}")

    def end(self):
        print(f"{self.name}: {self.checked} looked at, {self.failed} wrong")
        sys.exit(1 if self.failed or not self.checked else 0)


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIP)


if os.environ.get("KC_TEST_LACKS", "").strip():
    skip("this build is without " + ", ".join(os.environ["KC_TEST_LACKS"].split()))


class Host:
    """A folder that is a host's root, made from a mapping of paths to texts."""

    def __init__(self, files=None):
        self.path = tempfile.mkdtemp(prefix="k8scheck-test-")
        for path, text in (files or {}).items():
            self.write(path, text)

    def write(self, path, text, mode=0o644):
        full = self.path + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w" if isinstance(text, str) else "wb") as f:
            f.write(text)
        os.chmod(full, mode)
        return full

    def append(self, path, text):
        full = self.path + path
        old = ""
        if os.path.exists(full):
            with open(full) as f:
                old = f.read()
        self.write(path, old + text)

    def link(self, path, target):
        full = self.path + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        os.symlink(target, full)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.path, ignore_errors=True)


class Result:
    def __init__(self, done, report):
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr
        self.report = report
        self.rules = {r["id"]: r for r in report["rules"]} if report else {}

    def verdict(self, rule):
        return self.rules.get(rule, {}).get("verdict")

    def messages(self, rule):
        found = []
        for judgement in self.rules.get(rule, {}).get("judgements", {}).values():
            for finding in judgement["findings"]:
                found.append(" ".join(str(v) for v in finding.values() if v))
        return " | ".join(found)


def verdicts(result, horizon):
    return {i: r["judgements"][horizon]["verdict"] for i, r in result.rules.items() if horizon in r["judgements"]}


def is_trusted(path, entered_by_all=False):
    """Whether programs in a folder are run: it and all above belong to root or us, and nobody else can write."""
    while True:
        st = os.stat(path)
        if st.st_uid not in (0, os.geteuid()) or st.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return False
        if entered_by_all and not st.st_mode & stat.S_IXOTH:
            return False
        if path == "/":
            return True
        path = os.path.dirname(path)


def trusted_folder(build, entered_by_all=False):
    for place in (build, os.path.expanduser("~"), "/var/lib", "/opt"):
        place = os.path.realpath(place)
        if os.path.isdir(place) and os.access(place, os.W_OK) and is_trusted(place, entered_by_all):
            return tempfile.mkdtemp(prefix="k8scheck-exec-", dir=place)
    return skip("there is no folder here whose programs would be run")


# ---- never the host's own values


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w" if isinstance(text, str) else "wb") as f:
        f.write(text)
    os.chmod(path, mode)


def hold_schema(report):
    """Every JSON report of every test by the tree's schema, where python3-jsonschema is there."""
    if jsonschema is None:
        return
    path = os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "..", "..", "reports", "k8scheck-report.schema.json"
    )
    with open(path) as f:
        jsonschema.Draft7Validator(json.load(f)).validate(report)


def run(program, *args, profile=None, json_report=True, input=None, timeout=120, env=None, cwd=None):
    """Runs k8scheck; `profile` is YAML text. The JSON report goes to a file beside what else it prints."""
    with tempfile.TemporaryDirectory(prefix="k8scheck-run-") as tmp:
        command = [program, *args]
        if profile is not None:
            path = os.path.join(tmp, "profile.yaml")
            with open(path, "w") as f:
                f.write(profile)
            command += ["--profile", path]
        report_path = os.path.join(tmp, "report.json")
        if json_report:
            command += ["--report", "json=" + report_path]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=timeout,
            input=input,
            errors="backslashreplace",
            env=env,
            cwd=cwd,
        )
        report = None
        if os.path.exists(report_path):
            with open(report_path) as f:
                report = json.load(f)
            hold_schema(report)
        return Result(done, report)


def call(program, *args, **options):
    """The same without a JSON report: what a user sees."""
    return run(program, *args, json_report=False, **options)


def start(path, *args):
    """A process that says by a line that it is ready; None when it is not built."""
    if not os.access(path, os.X_OK):
        return None
    process = subprocess.Popen([path, *args], stdout=subprocess.PIPE)
    process.stdout.readline()
    return process


def run_on_terminal(command, timeout=60, columns=100, env=None, stderr_too=True):
    """Runs a command whose standard output (and error) is a pseudo-terminal: (exit code, all that was written)."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=slave, env=env, stderr=slave if stderr_too else subprocess.DEVNULL
    )
    os.close(slave)
    written = b""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if select.select([master], [], [], 0.2)[0]:
            try:
                part = os.read(master, 65536)
            except OSError:
                break
            if not part:
                break
            written += part
        elif process.poll() is not None:
            break
    else:
        process.kill()
    os.close(master)
    return process.wait(), written.decode("utf-8", "backslashreplace")


def hold_schemas(suite, program, json_reports, junit_reports):
    """Every report by the installed JSON schema and by both schemas of JUnit, as far as there are tools for it."""
    tests = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    schema = os.path.join(os.path.dirname(os.path.dirname(program)), "share", "k8scheck", "k8scheck-report.schema.json")
    done = subprocess.run(
        [sys.executable, os.path.join(tests, "check-json-schema.py"), schema, *json_reports],
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode == SKIP:
        print("left out: the JSON schema:", done.stdout.strip())
    else:
        n = len(json_reports)
        suite.expect(
            "every JSON report is valid",
            (done.returncode, done.stdout.splitlines()[-1:], done.stderr),
            (0, [f"{n} of {n} documents are valid"], ""),
        )
        print("\n".join(done.stdout.splitlines()))
    if not shutil.which("xmllint"):
        print("left out: the JUnit schemas, since xmllint is not installed")
        return
    for schema in ("windyroad.xsd", "junit-10.xsd"):
        done = subprocess.run(
            ["xmllint", "--noout", "--huge", "--schema", os.path.join(tests, "data", "junit", schema), *junit_reports],
            capture_output=True,
            text=True,
            timeout=300,
        )
        suite.expect(
            f"every JUnit report is valid by {schema}",
            (done.returncode, done.stderr.count(" validates\n")),
            (0, len(junit_reports)),
        )
        for line in done.stderr.splitlines():
            if not line.endswith(" validates"):
                print(line[:300])
