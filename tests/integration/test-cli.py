#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line: every option and verb of --help, and what it says when it is misused."""

import os
import re
import sys
import tempfile

import k8s
from k8s import Host, Suite
from three_rules import FILES, PROFILE

PROGRAM, PLUGINS, FAULTY = sys.argv[1:4]

suite = Suite("command line")
used = set()


def note(args):
    used.update(a.split("=", 1)[0] for a in args if a.startswith("--"))
    used.update(a for a in args if a in ("check", "list", "explain", "lint", "rollback", "help", "version"))


def run(*args, **options):
    note(args)
    return k8s.run(PROGRAM, *args, **options)


def call(*args, **options):
    note(args)
    return k8s.call(PROGRAM, *args, **options)


def refused(what, args, message, code=2, **options):
    """Nothing is judged or listed: the exit code, a sentence, and nothing on standard output."""
    result = call(*args, **options)
    suite.expect(f"{what}: exit code", result.code, code)
    suite.expect_in(what, message, result.err)
    suite.expect(f"{what}: standard output", result.out, "")
    suite.expect_true(f"{what}: whole lines", result.err.endswith("\n"), result.err)


def test_misuse():
    rows = [
        (
            "an unknown option",
            ["--rooot", "/"],
            "unknown option --rooot, did you mean --root; k8scheck --help lists all",
        ),
        ("an unknown option with a value", ["--proflie=x"], "unknown option --proflie, did you mean --profile"),
        ("an option like no other", ["--zzzzzzzzzz"], "unknown option --zzzzzzzzzz; k8scheck --help lists all"),
        ("an unknown letter", ["-x"], "unknown option -x; k8scheck --help lists all"),
        ("an unknown verb", ["lsit"], "unknown verb lsit, did you mean list; there is list, explain, lint and rollback"),
        ("a verb like no other", ["frobnicate"], "unknown verb frobnicate; there is list"),
        (
            "a word behind check",
            ["check", "crio-1.18"],
            "crio-1.18: nothing is expected there; profiles are given by --profile",
        ),
        ("a list of nothing", ["list"], "say what to list: profiles, rules, checks, plugins, facts or reports"),
        ("two lists", ["list", "rules", "checks"], "say what to list"),
        ("an unknown list", ["list", "ruls"], "there is no list of ruls, did you mean rules; there is profiles"),
        ("rules of no profile", ["list", "rules"], "say which profile by --profile NAME or FILE; installed: crio-1.18"),
        ("explain nothing", ["explain"], "say which rule or check to explain"),
        ("lint a choice of rules", ["lint", "crio-1.18", "--stage", "host"], "lint looks at whole profiles;"),
        ("lint nothing", ["lint"], "say which profile by --profile NAME or FILE; installed: crio-1.18"),
        ("no profile", [], "say which profile by --profile NAME or FILE; installed: crio-1.18"),
        (
            "an unknown stage",
            ["--stage", "hots"],
            "--stage hots: there is host, runtime, kubelet, cluster; did you mean host?",
        ),
        ("an unknown color", ["--color=alwys"], "--color alwys: there is auto, always, never; did you mean always?"),
        ("an unknown horizon", ["--horizon", "boto"], "--horizon boto: there is now, boot, all; did you mean boot?"),
        (
            "an unknown report",
            ["--profile", "crio-1.18", "--report", "jsno"],
            "--report jsno: there is no report format jsno; did you mean json?; there are: json, junit, text",
        ),
        (
            "a report that is a path",
            ["--profile", "crio-1.18", "--report", "../json"],
            "--report ../json: give a format, or FORMAT=FILE",
        ),
        (
            "a report without a file",
            ["--profile", "crio-1.18", "--report", "json="],
            "the name of a file is missing after =",
        ),
        (
            "two reports to standard output",
            ["--profile", "crio-1.18", "--report", "json", "--report=text"],
            "only one report can go to standard output; give the others a file, as in --report json=FILE",
        ),
        ("a flag with a value", ["--strict=yes"], "--strict takes no value"),
        ("--help with a value", ["--help=me"], "--help takes no value"),
        ("an unknown profile", ["--profile", "crio-1.19"], "did you mean 'crio-1.18'?"),
        ("a profile that is a path", ["--profile", "../x"], "cannot open ../x: No such file or directory"),
        ("an unknown file", ["--profile", "no-such.yaml"], "cannot open no-such.yaml: No such file or directory"),
        ("a folder as profile", ["--profile", "/etc/"], "/etc/ is a folder, not a file"),
        (
            "plugins nowhere",
            ["--plugin-dir", "/nonexistent", "--profile", "crio-1.18"],
            "--plugin-dir /nonexistent: No such file or directory",
        ),
        (
            "a list of plugins nowhere",
            ["--plugin-dir", "/nonexistent", "list", "checks"],
            "--plugin-dir /nonexistent: No such file or directory",
        ),
        (
            "a rule that there is not",
            ["--profile", "crio-1.18", "--rule", "ip-forwrd"],
            "--rule ip-forwrd: the profile has no such rule; did you mean ip-forward?",
        ),
        (
            "a skip that there is not",
            ["--profile", "crio-1.18", "--skip", "crio-conmn"],
            "--skip crio-conmn: the profile has no such rule; did you mean crio-conmon?",
        ),
        ("a pattern of nothing", ["--profile", "crio-1.18", "--rule", "z*"], "--rule z*: the profile has no such rule"),
        (
            "all skipped",
            ["--profile", "crio-1.18", "--skip", "*"],
            "no rule is left by --rule, --skip, --stage and --tag",
        ),
        (
            "a tag that there is not",
            ["--profile", "crio-1.18", "--tag", "boot-gaet"],
            "--tag boot-gaet: no rule of the profile has it; did you mean boot-gate?",
        ),
        (
            "an unknown check to explain",
            ["explain", "sysctl.vlaue"],
            "there is no rule or check sysctl.vlaue; did you mean sysctl.value?",
        ),
        (
            "an unknown rule to explain",
            ["explain", "ip-forwrd"],
            "there is no rule or check ip-forwrd; did you mean ip-forward?",
        ),
        (
            "an unknown rule of a profile",
            ["explain", "--profile", "crio-1.18", "crio-scket"],
            "there is no rule or check crio-scket; did you mean crio-socket?",
        ),
        ("a variable that there is not", ["--profile", "crio-1.18", "--var", "verison=1"], "did you mean 'version'?"),
        ("a variable without a value", ["--profile", "crio-1.18", "--var", "version"], "NAME=VALUE"),
        (
            "a set of no rule",
            ["--profile", "crio-1.18", "--set", "ip-forwad.severity=info"],
            "--set ip-forwad.severity: the profile has no rule 'ip-forwad'; did you mean 'ip-forward'?",
        ),
        (
            "a set of no field",
            ["--profile", "crio-1.18", "--set", "ip-forward.severty=info"],
            "did you mean 'severity'?",
        ),
        ("a file of variables that there is not", ["--profile", "crio-1.18", "--vars", "no-such.yaml"], "no-such.yaml"),
    ]
    for what, args, message in rows:
        refused(what, args, message)
    for option in (
        "--profile",
        "--root",
        "--horizon",
        "--rule",
        "--skip",
        "--stage",
        "--tag",
        "--set",
        "--var",
        "--vars",
        "--report",
        "--plugin-dir",
        "--jobs",
        "--timeout",
        "--deadline",
        "--sandbox",
        "--color",
    ):
        refused(f"{option} at the end", [option], f"{option} needs a value behind it")
        refused(f"{option} and an empty word", [option, ""], f"{option} needs a value that is not empty")
        refused(f"{option}=", [option + "="], f"{option} needs a value that is not empty")
    for jobs in ("0", "1025", "-1", "1x", "99999999999999999999"):
        refused(f"--jobs {jobs}", ["--jobs", jobs], f"--jobs {jobs}: give a number from 1 to 1024")
    for option in ("--timeout", "--deadline"):
        for t in ("0", "0s", "-1s", "10x", "25h", "1.5s", "99999999999999999999h"):
            refused(f"{option} {t}", [option, t], f"{option} {t}: give a time such as 500ms, 10s or 2m, at most 24h")
    # What others wrote does not reach the terminal as it is.
    refused("control characters", ["--\x1b[31mx"], "unknown option --\\x1b[31mx")


def test_help():
    for args in (["--help"], ["help"], ["-h"], ["list", "--help"]):
        result = call(*args)
        suite.expect(f"{args}: exit code", result.code, 0)
        suite.expect_in(f"{args}", "k8scheck --profile crio-1.18            judge this host", result.out)
        suite.expect_in(f"{args}", "Exit: 0 the gate is open; 1 closed", result.out)
        suite.expect(f"{args}: standard error", result.err, "")
    for args in (["--version"], ["version"], ["-V"]):
        result = call(*args)
        suite.expect(f"{args}: exit code", result.code, 0)
        suite.expect_true(
            f"{args}", re.fullmatch(r"k8scheck \d+\.\d+\.\d+ \(plugin ABI \d+\.\d+\)\n", result.out), result.out
        )


def test_lists():
    checks = call("list", "checks")
    suite.expect("list checks: exit code", checks.code, 0)
    names = [line.split()[0] for line in checks.out.splitlines()]
    for name in ("sysctl.value", "systemd.unit", "cri.answers", "crio.conmon", "kubelet.agrees"):
        suite.expect_in("list checks", name, names)
    for name in names:
        text = call("explain", name)
        suite.expect(f"explain {name}: exit code", text.code, 0)
        suite.expect(f"explain {name}: standard error", text.err, "")
        suite.expect_true(f"explain {name}: its title", text.out.startswith(name + ": "), text.out[:80])
        for section in ("\nJudges\n", "\nVerdicts\n", "\nLooks at\n", "\nTo mend it by hand\n", "\nFrom plugin "):
            suite.expect_in(f"explain {name}", section, text.out)
    plugins = call("list", "plugins")
    suite.expect(
        "list plugins",
        {line.split()[0] for line in plugins.out.splitlines()},
        {n[:-5] for n in os.listdir(PLUGINS) if n.endswith(".yaml")},
    )
    suite.expect(
        "the plugins that have checks",
        {n.split(".")[0] for n in names} - {line.split()[0] for line in plugins.out.splitlines()},
        set(),
    )
    suite.expect("list plugins: exit code", plugins.code, 0)
    facts = call("list", "facts")
    for name in ("os.id", "kernel.release", "runtime.version", "kubelet.version"):
        suite.expect_true(f"list facts: {name}", re.search(rf"^{re.escape(name)} +\S", facts.out, re.M))
    reports = call("list", "reports")
    suite.expect("list reports", [line.split()[0] for line in reports.out.splitlines()], ["json", "junit", "text"])
    profiles = call("list", "profiles")
    suite.expect_in("list profiles", "crio-1.18  CRI-O 1.18 as the runtime", profiles.out)
    for result in (facts, reports, profiles):
        suite.expect("exit code", result.code, 0)
        suite.expect("standard error", result.err, "")
    rules = call("list", "rules", "--profile", "crio-1.18")
    suite.expect("list rules: exit code", rules.code, 0)
    ids = [line.split()[0] for line in rules.out.splitlines()]
    suite.expect_true(
        "list rules",
        re.search(r"^ip-forward +sysctl.value +host +required +The host forwards IPv4$", rules.out, re.M),
        rules.out,
    )
    for rule in ids:
        text = call("explain", rule)
        suite.expect(f"explain {rule}: exit code", text.code, 0)
        suite.expect_true(f"explain {rule}: its title", text.out.startswith(rule + ": "), text.out[:80])
        for section in ("\nWhy\n", "\nTo mend it by hand\n", "\nJudges\n", "\nVerdicts\n"):
            suite.expect_in(f"explain {rule}", section, text.out)
    two = call("explain", "ip-forward", "nonsense-of-ours", "crio.conmon")
    suite.expect("explain three: exit code", two.code, 2)
    suite.expect_in("explain goes on behind what there is not", "crio.conmon: ", two.out)


def test_effective():
    with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp:
        path = os.path.join(tmp, "p.yaml")
        more = os.path.join(tmp, "more.yaml")
        values = os.path.join(tmp, "vars.yaml")
        for name, text in (
            (path, PROFILE),
            (more, "rules:\n  - id: panic\n    severity: info\n"),
            (values, "panic: '30'\n"),
        ):
            with open(name, "w") as f:
                f.write(text)
        result = call(
            "list",
            "rules",
            "--effective",
            "--profile",
            path,
            "--profile",
            more,
            "--vars",
            values,
            "--var",
            "forward=0",
            "--set",
            "ip-nonlocal.title=Ours",
        )
        suite.expect("--effective: exit code", result.code, 0)
        blocks = {b.split("\n")[0]: b for b in re.split(r"^- id: ", result.out, flags=re.M)[1:]}
        suite.expect("--effective: the rules", list(blocks), ["ip-forward", "ip-nonlocal", "panic"])
        suite.expect_in("a field of the file", f"  title: \"The host forwards\"  # {path}:8:5\n", blocks["ip-forward"])
        suite.expect_in("a field of nobody", "  severity: required  # default\n", blocks["ip-forward"])
        suite.expect_in("a parameter of --var", "    value: \"0\"  # ", blocks["ip-forward"])
        suite.expect_in("a parameter of the manifest", "# manifest\n", blocks["ip-forward"])
        suite.expect_in("a field of --set", "  title: \"Ours\"  # --set\n", blocks["ip-nonlocal"])
        suite.expect_in("a field of the later file", f"  severity: info  # {more}:3:5\n", blocks["panic"])
        suite.expect_in("a parameter of --vars", "    value: \"30\"  # ", blocks["panic"])


def test_lint():
    with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp:
        good, bad = os.path.join(tmp, "good.yaml"), os.path.join(tmp, "bad.yaml")
        with open(good, "w") as f:
            f.write(PROFILE)
        with open(bad, "w") as f:
            f.write(
                PROFILE.replace("severity: info", "severty: info").replace("kernel.panic]", "kernel.panic], kyes: [x]")
            )
        result = call("lint", good)
        suite.expect("lint good: exit code", result.code, 0)
        suite.expect_in("lint good", "profile good: no faults, 3 rules, 3 pieces of advice\n", result.out)
        suite.expect_in("lint good: advice", f"{good}:7:5: rule ip-forward has no why\n", result.out)
        for args in (["lint", bad], ["lint", "--profile", bad]):
            result = call(*args)
            suite.expect("lint bad: exit code", result.code, 2)
            suite.expect(
                "lint bad",
                result.err,
                f"{bad}:15:5: a rule has no key 'severty'; did you mean 'severity'?\n"
                f"{bad}:24:34: sysctl.value has no parameter 'kyes'; did you mean 'keys'?\n"
                "k8scheck: the profile has 2 faults\n",
            )
        suite.expect_in("lint of an installed one", "profile crio-1.18: no faults", call("lint", "crio-1.18").out)
        suite.expect("lint of two", call("lint", "crio-1.18", good).code, 0)


def test_selection(host):
    base = ["--root", host.path, "--live"]

    def selected(*args):
        result = run(*base, *args, profile=PROFILE)
        return sorted(i for i, r in result.rules.items() if r.get("verdict")), result.code

    suite.expect("all", selected(), (["ip-forward", "ip-nonlocal", "panic"], 0))
    suite.expect("all, with the verb", selected("check"), (["ip-forward", "ip-nonlocal", "panic"], 0))
    suite.expect("--rule", selected("--rule", "panic"), (["panic"], 3))
    suite.expect("--rule with a pattern", selected("--rule", "ip-*"), (["ip-forward", "ip-nonlocal"], 0))
    suite.expect("--rule twice", selected("--rule", "ip-forward", "--rule=pan?c"), (["ip-forward", "panic"], 0))
    suite.expect("--skip", selected("--skip", "panic", "--skip", "*-nonlocal"), (["ip-forward"], 0))
    suite.expect("--rule and --skip", selected("--rule", "ip-*", "--skip", "ip-n*"), (["ip-forward"], 0))
    suite.expect("--stage", selected("--stage", "runtime", "--stage", "kubelet"), (["ip-nonlocal", "panic"], 3))
    suite.expect("--tag", selected("--tag", "boot-gate"), (["ip-forward"], 0))
    suite.expect("--tag twice", selected("--tag", "network", "--tag", "panic"), (["ip-forward", "panic"], 0))
    suite.expect("--strict", selected("--strict"), (["ip-forward", "ip-nonlocal", "panic"], 1))
    suite.expect("--var", selected("--var", "forward=0"), (["ip-forward", "ip-nonlocal", "panic"], 1))
    suite.expect(
        "--set of a parameter", selected("--set", "ip-forward.value=0"), (["ip-forward", "ip-nonlocal", "panic"], 1)
    )
    suite.expect(
        "--set with.", selected("--set", "ip-forward.with.value=0"), (["ip-forward", "ip-nonlocal", "panic"], 1)
    )
    suite.expect(
        "--set of a field", selected("--set", "panic.severity=required"), (["ip-forward", "ip-nonlocal", "panic"], 1)
    )
    suite.expect(
        "--set disabled", selected("--set", "panic.disabled=true", "--strict"), (["ip-forward", "ip-nonlocal"], 0)
    )
    suite.expect("--jobs and --deadline", selected("--jobs", "1", "--deadline", "1m", "--timeout=5s")[1], 0)

    for sandbox in ("best-effort", "off"):
        result = run(*base, f"--sandbox={sandbox}", profile=PROFILE)
        suite.expect(f"--sandbox={sandbox}: none", result.report["run"]["sandbox"] == [], sandbox == "off")

    for horizon, horizons in (("now", ["now"]), ("boot", ["boot"]), ("all", ["boot", "now"])):
        result = run(*base, "--horizon", horizon, profile=PROFILE)
        suite.expect(f"--horizon {horizon}", sorted(result.rules["panic"]["judgements"]), horizons)

    # Several profiles, one of them from standard input; a later one overrides.
    with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp:
        first, values = os.path.join(tmp, "first.yaml"), os.path.join(tmp, "v.yaml")
        with open(first, "w") as f:
            f.write(PROFILE)
        with open(values, "w") as f:
            f.write("panic: 0\n")
        later = "rules: [{id: panic, severity: required}]\n"
        result = run(*base, "--profile", first, "--profile", "-", input=later)
        suite.expect(
            "standard input overrides a file", (result.code, result.rules["panic"]["severity"]), (1, "required")
        )
        result = run(
            *base,
            "--profile",
            "-",
            "--profile",
            first,
            input=PROFILE.replace("severity: recommended", "severity: required"),
        )
        suite.expect(
            "a file overrides standard input", (result.code, result.rules["panic"]["severity"]), (0, "recommended")
        )
        result = run(*base, "--profile", first, "--strict", "--vars", values)
        suite.expect("--vars", (result.code, result.verdict("panic")), (0, "pass"))
        result = run(*base, "--profile", first, "--strict", "--vars", values, "--var", "panic=7")
        suite.expect("--var over --vars", (result.code, result.verdict("panic")), (1, "fail"))
        refused(
            "standard input twice",
            ["--profile", "-", "--profile", "-"],
            "standard input can be read only once",
            input=PROFILE,
        )
        refused("standard input that is empty", ["--profile", "-"], "the profile is empty", input="")


def test_empty_root():
    """A mount point without its disk holds nothing, and so nothing that is forbidden."""
    with Host() as empty:
        absent = "rules: [{id: a, check: systemd.unit, with: {unit: firewalld, enabled: disabled}}]\n"
        refused("an empty root", ["--root", empty.path], "holds no system", profile=absent)
        os.mkdir(empty.path + "/etc")
        suite.expect("a root with a folder of a system", call("--root", empty.path, profile=absent).code, 0)


def test_verbosity(host):
    base = ["--root", host.path, "--live"]
    plain = call(*base, profile=PROFILE)
    quiet = call(*base, "--quiet", profile=PROFILE)
    verbose = call(*base, "--verbose", profile=PROFILE)
    suite.expect("exit codes", [plain.code, quiet.code, verbose.code], [0, 0, 0])
    suite.expect_true("plain shows a pass", re.search(r"^ +pass +ip-forward", plain.out, re.M), plain.out)
    suite.expect_true(
        "plain shows a fail with its evidence",
        re.search(
            r"fail +panic .*expected +10\n +found +0\n +source now +/proc/sys/kernel/panic\n +source boot +/etc/sysctl.d/99-k.conf:3\n",
            plain.out,
            re.S,
        ),
        plain.out,
    )
    suite.expect_in("a summary of one line", "gate: open", plain.out.splitlines()[-1])
    suite.expect_true("quiet leaves passes out", not re.search(r"^ +pass ", quiet.out, re.M), quiet.out)
    suite.expect_true("quiet shows a fail", re.search(r"fail +panic", quiet.out), quiet.out)
    suite.expect_true(
        "verbose shows evidence of a pass",
        re.search(r"pass +ip-forward.*?found +1\n.*?fail +panic", verbose.out, re.S),
        verbose.out,
    )
    for result in (plain, quiet, verbose):
        suite.expect("standard error", result.err, "")


def test_repairs():
    """Options of repairs go together, or are refused by name; test-fix-*.py have what they do."""
    for words, part in (
        (["--dry-run"], "--dry-run goes with --fix or rollback"),
        (["--yes"], "--yes goes with --fix or rollback"),
        (["--drained"], "--drained goes with --fix or rollback"),
        (["--allow-weaken"], "--allow-weaken goes with --fix"),
        (["--resume"], "--resume goes with --fix"),
        (["--fix", "--format", "json"], "--format goes with --fix --dry-run"),
        (["--list"], "--list goes with rollback"),
        (["--force"], "--force goes with rollback"),
        (["--forget", "0001-20260131T080000Z"], "--forget goes with rollback"),
        (["rollback", "--fix"], "--fix goes with a profile"),
        (["rollback", "a", "b"], "rollback takes one id at most"),
    ):
        got = call(*words)
        suite.expect(" ".join(words) + ": exit code", got.code, 2)
        suite.expect_in(" ".join(words), part, got.err)
    with Host(FILES) as host:
        os.chmod(host.path, 0o755)
        got = call("rollback", "--root", host.path, "--list")
        suite.expect("rollback --list: exit code", got.code, 0)
        suite.expect_in("rollback --list", "no repair was made here", got.out)


def test_all_is_tested():
    text = call("--help").out
    options = set(re.findall(r"--[a-z][a-z-]*", text))
    suite.expect_true("--help has options", len(options) >= 20, str(options))
    suite.expect("options of --help that no test uses", options - used, set())
    suite.expect("verbs that no test uses", {"list", "explain", "lint", "rollback", "check", "help", "version"} - used, set())


with Host(FILES) as host:
    test_misuse()
    test_help()
    test_lists()
    test_effective()
    test_lint()
    test_selection(host)
    test_empty_root()
    test_verbosity(host)
    test_repairs()
    test_all_is_tested()
suite.end()
