#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where the program writes: reports to files, FIFOs and devices, colour and progress on a terminal, a closed output."""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree

import k8s
from k8s import Host, Suite, run_on_terminal
from three_rules import FILES, PROFILE

PROGRAM, PLUGINS, FAULTY = sys.argv[1:4]

suite = Suite("output")


def call(*args, **options):
    return k8s.call(PROGRAM, *args, **options)


def refused(what, args, message, code=2, **options):
    """Nothing is judged or listed: the exit code, a sentence, and nothing on standard output."""
    result = call(*args, **options)
    suite.expect(f"{what}: exit code", result.code, code)
    suite.expect_in(what, message, result.err)
    suite.expect(f"{what}: standard output", result.out, "")
    suite.expect_true(f"{what}: whole lines", result.err.endswith("\n"), result.err)


def test_color(host):
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
    with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp:
        path = os.path.join(tmp, "p.yaml")
        with open(path, "w") as f:
            f.write(PROFILE)
        base = [PROGRAM, "--root", host.path, "--live", "--profile", path]
        rows = [
            ("on a terminal", [], {"TERM": "xterm"}, True),
            ("NO_COLOR", [], {"TERM": "xterm", "NO_COLOR": "1"}, False),
            ("an empty NO_COLOR", [], {"TERM": "xterm", "NO_COLOR": ""}, True),
            ("a dumb terminal", [], {"TERM": "dumb"}, False),
            ("--color never", ["--color", "never"], {"TERM": "xterm"}, False),
            ("--color always over NO_COLOR", ["--color=always"], {"TERM": "xterm", "NO_COLOR": "1"}, True),
        ]
        for what, args, extra, colored in rows:
            code, text = run_on_terminal([*base, *args], env={**env, **extra})
            suite.expect(f"{what}: exit code", code, 0)
            suite.expect(f"{what}: colored", "\x1b[1m" in text, colored)
            suite.expect_in(f"{what}: judged", "gate:", text)
        for args, colored in (([], False), (["--color", "always"], True), (["--color", "auto"], False)):
            result = call(*base[1:], *args, env={**env, "TERM": "xterm"})
            suite.expect(f"to a pipe with {args}", "\x1b[" in result.out, colored)
        report = os.path.join(tmp, "report.txt")
        run_on_terminal([*base, "--report", "text=" + report], env={**env, "TERM": "xterm"})
        with open(report) as f:
            suite.expect_true("a file has no color", "\x1b" not in f.read())
        # Lines fit the terminal.
        _, text = run_on_terminal([*base, "--color", "never"], env={**env, "TERM": "xterm"}, columns=60)
        suite.expect(
            "lines too long for 60 columns, beside the last",
            [line for line in text.splitlines()[:-1] if len(line) > 60],
            [],
        )
        # Fast is less than 0.2 s; on a machine that others share it has to be once in ten times.
        for _ in range(10):
            _, text = run_on_terminal([*base, "--report", "json"], env={**env, "TERM": "xterm"})
            if "rules judged" not in text:
                break
        suite.expect_true("a fast run shows no progress", "rules judged" not in text, text[:200])


def test_progress(host):
    with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp:
        path = os.path.join(tmp, "p.yaml")
        with open(path, "w") as f:
            f.write(PROFILE + "  - id: slow\n    check: faulty-sleep.check\n    severity: info\n")
        base = [
            PROGRAM,
            "--root",
            host.path,
            "--live",
            "--profile",
            path,
            "--plugin-dir",
            PLUGINS,
            "--plugin-dir",
            FAULTY,
            "--timeout",
            "3s",
        ]
        code, text = run_on_terminal(base, env={**os.environ, "TERM": "xterm"})
        suite.expect("progress: exit code", code, 0)
        suite.expect_true(
            "progress is shown", re.search(r"\r\x1b\[K3 of 4 rules judged, now slow", text), repr(text[:300])
        )
        gone = text.rfind("rules judged, now")
        suite.expect_true(
            "progress is gone before the report",
            re.match(r"[^\r\n]*\r\x1b\[K(\x1b\[1m)?k8scheck ", text[gone:]),
            repr(text[gone : gone + 200]),
        )
        suite.expect_in("the late rule is told", "no verdict within 3 s", text)
        _, text = run_on_terminal([*base, "--quiet"], env={**os.environ, "TERM": "xterm"})
        suite.expect_true("--quiet has no progress", "rules judged" not in text, repr(text[:300]))
        _, text = run_on_terminal(base, env={**os.environ, "TERM": "dumb"})
        suite.expect_true("a dumb terminal has no progress", "rules judged" not in text, repr(text[:300]))
        result = call(*base[1:])
        suite.expect_true("no progress in a pipe", "rules judged" not in result.err, repr(result.err))
        suite.expect_true(
            "no control characters in a pipe",
            "\r" not in result.err + result.out and "\x1b" not in result.err + result.out,
        )


def test_standard_output(host):
    with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp:
        path, report = os.path.join(tmp, "p.yaml"), os.path.join(tmp, "r.json")
        with open(path, "w") as f:
            f.write(PROFILE)
        check = ["--root", host.path, "--live", "--profile", path]
        for what, args in (
            ("--help", ["--help"]),
            ("--version", ["--version"]),
            ("list", ["list", "checks"]),
            ("explain", ["explain", "sysctl.value"]),
            ("lint", ["lint", path]),
            ("check", check),
            ("json", [*check, "--report", "json"]),
            ("junit", [*check, "--report", "junit"]),
        ):
            for where in ("/dev/full", "closed", "read-only", "a pipe without reader"):
                if where == "closed":
                    done = subprocess.run(
                        ["/bin/sh", "-c", 'exec "$@" >&-', "sh", PROGRAM, *args],
                        stderr=subprocess.PIPE,
                        text=True,
                        timeout=60,
                    )
                elif where == "a pipe without reader":
                    r, w = os.pipe()
                    os.close(r)
                    done = subprocess.run([PROGRAM, *args], stdout=w, stderr=subprocess.PIPE, text=True, timeout=60)
                    os.close(w)
                else:
                    with open(
                        "/dev/full" if where == "/dev/full" else "/dev/null", "wb" if where == "/dev/full" else "rb"
                    ) as out:
                        done = subprocess.run(
                            [PROGRAM, *args], stdout=out, stderr=subprocess.PIPE, text=True, timeout=60
                        )
                suite.expect(f"{what} to {where}: exit code", done.returncode, 6)
                suite.expect_in(f"{what} to {where}", "standard output", done.stderr)
                suite.expect(f"{what} to {where}: one sentence", done.stderr.count("\n"), 1)
        # Who asked for files alone does not need it.
        done = subprocess.run(
            ["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", PROGRAM, *check, "--report", "json=" + report], timeout=60
        )
        suite.expect("all closed, report to a file: exit code", done.returncode, 0)
        with open(report) as f:
            suite.expect("all closed: the report", len(json.load(f)["rules"]), 3)


def test_reports(host):
    base = ["--root", host.path, "--live"]
    with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp:

        def at(name):
            return os.path.join(tmp, name)

        with open(at("p.yaml"), "w") as f:
            f.write(PROFILE)
        base += ["--profile", at("p.yaml")]
        # All formats at once; the exit code does not depend on them.
        for strict, code in (([], 0), (["--strict"], 1)):
            result = call(
                *base,
                *strict,
                "--report",
                "json=" + at("r.json"),
                "--report",
                "junit=" + at("r.xml"),
                "--report",
                "text=" + at("r.txt"),
            )
            suite.expect("three files: exit code", result.code, code)
            suite.expect("three files: nothing is printed", (result.out, result.err), ("", ""))
            with open(at("r.json")) as f:
                report = json.load(f)
            suite.expect("json", [r["id"] for r in report["rules"]], ["ip-forward", "ip-nonlocal", "panic"])
            suite.expect(
                "json: the exit code",
                report["summary"]["exit_code"] if "exit_code" in report["summary"] else code,
                code,
            )
            suite.expect("junit: cases", len(list(xml.etree.ElementTree.parse(at("r.xml")).iter("testcase"))), 6)
            with open(at("r.txt")) as f:
                suite.expect_in("text", "gate: ", f.read())
            for form in ("text", "json", "junit"):
                suite.expect(f"{form} alone: exit code", call(*base, *strict, "--report", form).code, code)
                suite.expect(f"{form}=-: exit code", call(*base, *strict, "--report", form + "=-").code, code)
        suite.expect("no temporary files are left", sorted(os.listdir(tmp)), ["p.yaml", "r.json", "r.txt", "r.xml"])
        suite.expect(
            "a new report is for its owner's umask", oct(os.stat(at("r.json")).st_mode & 0o777), oct(0o666 & ~umask())
        )

        # A file that is there keeps its permissions and is replaced as a whole.
        os.chmod(at("r.json"), 0o600)
        before = os.stat(at("r.json"))
        call(*base, "--report", "json=" + at("r.json"))
        after = os.stat(at("r.json"))
        suite.expect("its permissions stay", oct(after.st_mode & 0o777), "0o600")
        suite.expect_true("it is another file", after.st_ino != before.st_ino)

        # Places that cannot be written are told before anything is judged, and again none is touched.
        with open(at("kept.json"), "w") as f:
            f.write("kept")
        os.mkdir(at("folder"))
        rows = [
            ("a folder that is missing", "json=" + at("no/r.json"), "No such file or directory"),
            ("a folder", "json=" + at("folder"), "is a folder; name a file in it"),
            ("a file as folder", "json=" + at("kept.json/x"), "Not a directory"),
        ]
        for what, spec, message in rows:
            refused(what, [*base, "--report", spec, "--report", "text=" + at("kept.json")], message, code=6)
        with open(at("kept.json")) as f:
            suite.expect("the other file is kept", f.read(), "kept")
        # Nothing was judged: what is there stays.
        refused(
            "a faulty command", [*base, "--report", "json=" + at("kept.json"), "--rule", "nonsense"], "no such rule"
        )
        refused("a faulty variable", [*base, "--report", "json=" + at("kept.json"), "--var", "x=1"], "x")
        with open(at("kept.json")) as f:
            suite.expect("the report of the last run is kept", f.read(), "kept")

        result = call(*base, "--report", "json=/dev/full", "--report", "text")
        suite.expect("/dev/full: exit code", result.code, 6)
        suite.expect(
            "/dev/full: the sentence",
            result.err,
            "k8scheck: could not write the report json to /dev/full: No space left on device\n",
        )
        suite.expect_in("/dev/full: the other report is written", "gate: open", result.out)
        suite.expect_true("/dev/full is still a device", not os.path.isfile("/dev/full"))
        suite.expect("/dev/null takes all", call(*base, "--report", "json=/dev/null").code, 0)

        for names in (("one.x", "one.x"), ("one.x", "folder/../one.x")):
            both = ["--report", "json=" + at(names[0]), "--report", "junit=" + at(names[1])]
            refused("two reports to one file", [*base, *both], "(json and junit); give each a file of its own")
        suite.expect_true("neither is written", not os.path.exists(at("one.x")))
        refused("a file without name", [*base, "--report", "json="], "--report json=: the name of a file is missing")

        # A limit on the size of files is an error of writing like others.
        limited = subprocess.run(
            ["/bin/sh", "-c", 'ulimit -f 1; exec "$@"', "sh", PROGRAM, *base, "--report", "json=" + at("large.json")],
            capture_output=True,
            text=True,
            timeout=60,
        )
        suite.expect("a limit of size: exit code", limited.returncode, 6)
        suite.expect_in("a limit of size", "could not write the report json", limited.stderr)

        os.mkfifo(at("fifo"))
        refused(
            "a FIFO without reader", [*base, "--report", "json=" + at("fifo")], "nobody reads from this FIFO", code=6
        )
        got = []
        reader = threading.Thread(target=lambda: got.append(open(at("fifo")).read()))
        reader.start()
        for _ in range(100):
            # The reader's open has to come first; opening is all that it waits for.
            result = call(*base, "--report", "json=" + at("fifo"))
            if result.code != 6:
                break
            time.sleep(0.05)
        reader.join(10)
        suite.expect("a FIFO with a reader: exit code", result.code, 0)
        suite.expect("a FIFO with a reader: the report", len(json.loads(got[0])["rules"]) if got else None, 3)
        suite.expect_true("it is still a FIFO", not os.path.isfile(at("fifo")))
        suite.expect("no temporary files are left", [n for n in os.listdir(tmp) if n.startswith(".")], [])
        # A link is followed, and stays a link.
        os.symlink("target.json", at("link.json"))
        suite.expect("a link: exit code", call(*base, "--report", "json=" + at("link.json")).code, 0)
        suite.expect_true(
            "it is still a link, to a report", os.path.islink(at("link.json")) and os.path.isfile(at("target.json"))
        )


def test_digests(host):
    """Of what was judged by, in JSON: as sha256sum(1) has them."""
    with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp:
        path = os.path.join(tmp, "p.yaml")
        with open(path, "w") as f:
            f.write(PROFILE)
        result = call("--root", host.path, "--live", "--profile", path, "--report", "json")
        report = json.loads(result.out)
        suite.expect(
            "the profile", [(s["file"], s["sha256"]) for s in report["run"]["profile"]["sources"]], [(path, digest(path))]
        )
        suite.expect_true("plugins", len(report["run"]["plugins"]) > 0)
        for plugin in report["run"]["plugins"]:
            suite.expect(f"the plugin {plugin['name']}", plugin["sha256"], digest(plugin["path"]))


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def umask():
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


with Host(FILES) as host:
    test_color(host)
    test_progress(host)
    test_standard_output(host)
    test_reports(host)
    test_digests(host)
suite.end()
