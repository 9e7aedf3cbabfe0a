#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile texts in every place beside the host's values: arguments, names of files, profiles, manifests."""

import os
import re
import subprocess
import sys
import tempfile

import hostile
from k8s import Host, Suite, run_on_terminal

PROGRAM, PLUGINS, FAULTY, PROBE, SUPPORT = sys.argv[1:6]
BASE = ["--plugin-dir", PLUGINS, "--plugin-dir", PROBE]

suite = Suite("hostile places")


def is_sanitized():
    with open(PROGRAM, "rb") as f:
        return b"__asan_init" in f.read()


# A sanitized program takes ten times as long: each text meets one place in four there, another one each.
EVERY = 4 if is_sanitized() else 1


def some(places, n):
    return [place for i, place in enumerate(places) if (i + n) % EVERY == 0]


def quoted(text):
    """As YAML writes it: each character by its number."""
    return '"' + "".join(c if c.isascii() and c.isalnum() else f"\\U{ord(c):08x}" for c in text) + '"'


# ---- arguments: name, arguments of a text, exit code

ARGUMENTS = [
    ("an option", lambda t: [b"--" + t], 2),
    ("a verb", lambda t: [t], 2),
    ("a profile's name", lambda t: ["--profile", t], 2),
    ("a file of variables", lambda t: ["--profile", "p.yaml", "--vars", b"./" + t], 2),
    ("a variable", lambda t: ["--profile", "p.yaml", "--var", t + b"=1"], 2),
    ("a variable without value", lambda t: ["--profile", "p.yaml", "--var", t], 2),
    ("an override", lambda t: ["--profile", "p.yaml", "--set", b"value." + t + b"=x"], 2),
    ("an override of no rule", lambda t: ["--profile", "p.yaml", "--set", t + b".severity=info"], 2),
    ("an override's value", lambda t: ["--profile", "p.yaml", "--set", b"value.severity=" + t], 2),
    ("a rule", lambda t: ["--profile", "p.yaml", "--rule", t], 2),
    ("a rule to skip", lambda t: ["--profile", "p.yaml", "--skip", t], 2),
    ("a stage", lambda t: ["--profile", "p.yaml", "--stage", t], 2),
    ("a tag", lambda t: ["--profile", "p.yaml", "--tag", t], 2),
    ("a time", lambda t: ["--timeout", t], 2),
    ("a colour", lambda t: ["--color", t], 2),
    ("a sandbox", lambda t: ["--sandbox", t], 2),
    ("a horizon", lambda t: ["--horizon", t], 2),
    ("a root", lambda t: ["--profile", "p.yaml", "--root", t], 2),
    ("a folder of plugins", lambda t: ["list", "plugins", "--plugin-dir", b"./" + t], 2),
    ("a report's format", lambda t: ["--profile", "p.yaml", "--root", ".", "--report", t], 2),
    ("a report's file", lambda t: ["--profile", "p.yaml", "--root", ".", "--report", b"json=" + t + b"/no/r"], 6),
    ("a list", lambda t: ["list", t], 2),
    ("a second list", lambda t: ["list", "profiles", t], 2),
    ("what to explain", lambda t: ["explain", t], 2),
]

# ---- profiles: name, text of the profile, further arguments and whether the text is shown

RULE = "  - {{id: value, check: probe.files, with: {{paths: [/etc/value]}}, title: {0}, why: {1}, remedy: {1}, tags: [{0}], references: [{1}]}}\n"
GOOD = "title: {0}\nrules:\n" + RULE + "  - {{id: say, check: probe.say, with: {{text: {1}}}}}\n"
SHOWN = ["--root", ".", "--profile", "t.yaml"]

PROFILES = [
    ("the text report", GOOD, [*SHOWN, "--verbose"], 1),
    ("the short text report", GOOD, [*SHOWN, "--quiet"], 1),
    ("the JSON report", GOOD, [*SHOWN, "--report", "json"], 1),
    ("the JUnit report", GOOD, [*SHOWN, "--report", "junit"], 1),
    ("list rules", GOOD, ["list", "rules", "--profile", "t.yaml"], 0),
    ("list rules --effective", GOOD, ["list", "rules", "--effective", "--profile", "t.yaml"], 0),
    ("explain", GOOD, ["explain", "value", "--profile", "t.yaml"], 0),
    ("an unknown key", "rules:\n  - {{id: value, check: probe.files, {0}: x}}\n", ["lint", "t.yaml"], 2),
    ("an unknown key of the top", "{0}: x\nrules: []\n", ["lint", "t.yaml"], 2),
    ("an unknown stage", "rules:\n  - {{id: value, check: probe.files, stage: {0}}}\n", ["lint", "t.yaml"], 2),
    ("an unknown check", "rules:\n  - {{id: value, check: {0}}}\n", ["lint", "t.yaml"], 2),
    ("an id", "rules:\n  - {{id: {0}, check: probe.files}}\n", ["lint", "t.yaml"], 2),
    (
        "an unknown parameter",
        "rules:\n  - {{id: value, check: probe.files, with: {{{0}: x}}}}\n",
        ["lint", "t.yaml"],
        2,
    ),
    ("an unknown fact", "rules:\n  - {{id: value, check: probe.files, when: {{{0}: x}}}}\n", ["lint", "t.yaml"], 2),
    ("what is extended", "extends: {0}\nrules: []\n", ["lint", "t.yaml"], 2),
    ("an alias", "rules: *{0}\n", ["lint", "t.yaml"], 2),
]

# A manifest alone is enough for what is listed and explained.
MANIFEST = """\
name: sample
title: {0}
version: "1"
doc: {1}
checks:
  check:
    title: {0}
    doc: {1}
    horizons: [now]
    parameters:
      value: {{type: string, default: {0}, doc: {1}}}
      way: {{type: choice, choices: [{0}, b], default: b, doc: {1}}}
    results: {{pass: {1}}}
    reads: [{0}]
    references: [{0}]
    remedy: {1}
"""
MANIFESTS = [
    ("list plugins", ["list", "plugins"]),
    ("list checks", ["list", "checks"]),
    ("explain a check", ["explain", "sample.check"]),
]


def call(args, cwd):
    return subprocess.run([PROGRAM, *args], cwd=cwd, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)


def judge(what, done, code, seen):
    suite.expect(f"{what}: exit code", (done.returncode, done.stderr if done.returncode != code else b""), (code, b""))
    suite.expect(f"{what}: standard output", hostile.harm(done.stdout), [])
    suite.expect(f"{what}: standard error", hostile.harm(done.stderr), [])
    suite.expect_true(f"{what}: the text is shown", not seen or b"owned" in done.stdout + done.stderr, repr(done))


def of_texts(text):
    """The text in a title, and as a line of its own in what has several."""
    return quoted(text), quoted(f"first\n{text}\n\n{text}\nlast")


def judge_arguments(n, name, raw, cwd):
    for place, args, code in some(ARGUMENTS, n):
        # An option ends at its =, the name of a rule at its dot, and a value that is no YAML is not quoted.
        whole = not re.search(rb"[=.\[\x00-\x1f\x80-\xff]", raw) or not place.startswith(
            ("an option", "a variable", "an override")
        )
        judge(f"{name}, {place}", call([*BASE, *args(raw)], cwd), code, whole)
    # The path of a profile begins a line of its own.
    folder = os.path.join(os.fsencode(cwd), raw.replace(b"/", b"_"))
    os.mkdir(folder)
    path = raw.replace(b"/", b"_") + b"/p.yaml"
    # What looks like an option is one.
    path = b"./" + path if path.startswith(b"-") else path
    for text, code in (
        (b"rules:\n  - {id: value, check: probe.files, x: y}\n", 2),
        (b"rules:\n  - {id: v, check: probe.files, with: {paths: [/x]}}\n", 0),
    ):
        with open(os.path.join(folder, b"p.yaml"), "wb") as f:
            f.write(text)
        verbs = (["lint"], ["list", "rules", "--effective", "--profile"], ["explain", "v", "--profile"])
        for verb in some(verbs, n):
            done = call([*BASE, *verb, path], cwd)
            if code == 0 or verb != ["explain", "v", "--profile"]:
                judge(f"{name}, a profile's path, {verb[0]}, {code}", done, code, True)
    # A plugin's file, and its manifest.
    plugins = tempfile.mkdtemp(prefix=b"plugins-", dir=os.fsencode(cwd))
    os.chmod(plugins, 0o755)
    for ending in (b".so", b".yaml"):
        with open(os.path.join(plugins, raw.replace(b"/", b"_")[:200] + ending), "wb") as f:
            f.write(b"\x7fELF")
    done = call(["list", "plugins", "--plugin-dir", PLUGINS, "--plugin-dir", plugins], cwd)
    judge(f"{name}, a plugin's file", done, 0, False)


def judge_profiles(n, name, text, cwd):
    one, several = of_texts(text)
    for place, form, args, code in some(PROFILES, n):
        with open(os.path.join(cwd, "t.yaml"), "w") as f:
            f.write(form.format(one, several))
        # An alias is refused before it is read, and a check's name ends at its dot.
        whole = place != "an alias" and (place != "an unknown check" or "." not in text)
        judge(f"{name}, {place}", call([*BASE, *args], cwd), code, whole)
    with open(os.path.join(cwd, "t.yaml"), "w") as f:
        f.write(GOOD.format(one, several))
    for columns in some((40, 57, 80), n):
        command = [
            PROGRAM,
            *BASE,
            "--root",
            cwd,
            "--profile",
            os.path.join(cwd, "t.yaml"),
            "--verbose",
            "--color=never",
        ]
        code, shown = run_on_terminal(command, env={**os.environ, "TERM": "dumb"}, columns=columns)
        suite.expect(f"{name}, {columns} columns: exit code", code, 1)
        suite.expect(f"{name}, {columns} columns", hostile.harm(shown.replace("\r\n", "\n").encode()), [])


def judge_wrapped(n, name, text, cwd):
    """A terminal breaks lines where it must, at any word of a text."""
    for words in some(range(1, 12), n):
        padded = "word " * words + text
        with open(os.path.join(cwd, "t.yaml"), "w") as f:
            f.write(GOOD.format(quoted(padded), quoted(padded)))
        command = [PROGRAM, *BASE, "--root", cwd, "--profile", os.path.join(cwd, "t.yaml"), "--color=never"]
        _, shown = run_on_terminal(command, env={**os.environ, "TERM": "dumb"}, columns=60)
        suite.expect(f"{name}, behind {words} words", hostile.harm(shown.replace("\r\n", "\n").encode()), [])


def judge_manifests(n, name, text, cwd):
    one, several = of_texts(text)
    folder = os.path.join(cwd, "manifests")
    os.makedirs(folder, exist_ok=True)
    for ending, content in ((".yaml", MANIFEST.format(one, several)), (".so", "")):
        with open(os.path.join(folder, "sample" + ending), "w") as f:
            f.write(content)
    for place, args in some(MANIFESTS, n):
        judge(f"{name}, {place}", call([*args, "--plugin-dir", folder], cwd), 0, True)


def main():
    os.umask(0o022)
    with Host({"/etc/value": "x"}) as host, tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp:
        host.write("/p.yaml", GOOD.format("t", "t"))
        for n, (name, raw) in enumerate(hostile.TEXTS):
            judge_arguments(n, name, raw, host.path)
        for n, (name, text) in enumerate(hostile.COMMANDS + hostile.CHARACTERS):
            judge_profiles(n, name, text, host.path)
            judge_manifests(n, name, text, host.path)
        for n, (name, text) in enumerate(hostile.COMMANDS):
            judge_wrapped(n, name, text, host.path)
        # The table of ways sees what is wrong: each text does harm as it is.
        for name, raw in hostile.TEXTS:
            suite.expect_true(f"{name} does harm", hostile.harm(raw))
    suite.end()


main()
