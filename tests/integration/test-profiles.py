#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Profiles through the program: faults with their places, nothing that runs before all is valid, and whom to trust."""

import json
import os
import shutil
import sys
import tempfile
import xml.etree.ElementTree

import guide
import k8s
from k8s import Host, Suite, call

PROGRAM, PLUGINS, FAULTY, PROBE = sys.argv[1:5]
ROOT = os.geteuid() == 0
TRACE = "the probe has run"

suite = Suite("profiles")

RULE = """\
rules:
  - id: trace
    check: probe.trace
    title: Leaves a trace
"""

PROGRAM_RULE = """\
rules:
  - id: echo
    check: probe.program
    title: Runs a program
    with: {path: /bin/echo, arguments: [spoken]}
"""


class Place:
    """A folder of profiles, that nobody else can write."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="k8scheck-test-")

    def put(self, name, text, mode=0o644):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.path)


def judge(*args, **options):
    return call(PROGRAM, "--plugin-dir", PLUGINS, "--plugin-dir", PROBE, "--verbose", *args, **options)


def faulty(what, profiles, messages, args=(), **options):
    """Nothing is judged: exactly these lines, exit 2, no report, and no plugin has run."""
    given = [x for p in profiles for x in ("--profile", p)]
    result = judge(*given, *args, **options)
    suite.expect(f"{what}: exit code", result.code, 2)
    lines = result.err.splitlines()
    suite.expect(f"{what}: the faults", lines[:-1], messages)
    count = len(messages)
    suite.expect(
        f"{what}: the last line",
        lines[-1:],
        [f"k8scheck: the profile has {count} fault{'' if count == 1 else 's'}, so nothing was judged"],
    )
    suite.expect(f"{what}: no report", result.out, "")
    suite.expect_true(f"{what}: no plugin has run", TRACE not in result.err)


def test_faults(place):
    rows = [
        (
            "a key that there is not",
            RULE + "    severty: info\n",
            "5:5: a rule has no key 'severty'; did you mean 'severity'?",
        ),
        (
            "a key that stands twice",
            RULE + "    title: again\n",
            "5:5: the key 'title' stands here twice, first in line 4",
        ),
        (
            "a value that there is not",
            RULE + "    stage: hots\n",
            "5:12: 'stage' must be one of host, runtime, kubelet, cluster; this is 'hots'; did you mean 'host'?",
        ),
        ("a wrong type", RULE + "    title2: [x]\n", "5:5: a rule has no key 'title2'; did you mean 'title'?"),
        (
            "a check that there is not",
            RULE.replace("probe.trace", "probe.trcae"),
            "3:12: the plugin probe has no check 'probe.trcae'; did you mean 'probe.trace'?",
        ),
        (
            "a plugin that there is not",
            RULE.replace("probe.trace", "prboe.trace"),
            f"3:12: there is no plugin 'prboe' in {PLUGINS}, {PROBE}; did you mean 'probe'?",
        ),
        (
            "a parameter that there is not",
            RULE + "  - {id: b, check: probe.files, with: {pahts: [x], paths: [x]}}\n",
            "5:40: probe.files has no parameter 'pahts'; did you mean 'paths'?",
        ),
        (
            "a parameter that lacks",
            RULE + "  - {id: b, check: probe.files}\n",
            "5:20: the rule 'b' lacks the parameter 'paths' of probe.files",
        ),
        (
            "a fact that there is not",
            RULE + "    when: {os.idd: debian}\n",
            "5:12: no plugin gathers the fact 'os.idd'; did you mean 'os.id'?",
        ),
        (
            "a variable that there is not",
            "vars: {version: 1}\n" + RULE + "    why: for ${verison}\n",
            "6:10: there is no variable 'verison'; did you mean 'version'?",
        ),
        (
            "a variable of itself",
            "vars: {a: \"${b}\", b: \"${a}\"}\n" + RULE,
            "1:22: the variable 'a' is made of itself",
        ),
        ("no YAML", "rules: [\n", "2:1: did not find expected node content, while parsing a flow node"),
        ("a tab", "rules:\n\t- id: x\n", "2:1: "),
        ("a control character", RULE + "    \"\\e[31mx\": y\n", "5:5: a rule has no key '\\x1b[31mx'"),
    ]
    for what, text, message in rows:
        path = place.put("faulty.yaml", text)
        result = judge("--profile", path)
        suite.expect(f"{what}: exit code", result.code, 2)
        suite.expect_true(
            f"{what}: the message", result.err.startswith(f"{path}:{message}"), f"{result.err!r} is not {message!r}"
        )
        suite.expect(f"{what}: no report", result.out, "")
        suite.expect_true(f"{what}: no plugin has run", TRACE not in result.err)
        suite.expect(f"{what}: no line is broken by what it quotes", "\x1b" in result.err, False)

    # All of them at once, in the order of the text, over several files.
    one = place.put("one.yaml", RULE + "    severty: info\n    stage: hots\n")
    two = place.put("two.yaml", "rules:\n  - id: nothing\n  - id: trace\n    fix: atuo\n")
    faulty(
        "several files",
        [one, two],
        [
            f"{one}:5:5: a rule has no key 'severty'; did you mean 'severity'?",
            f"{one}:6:12: 'stage' must be one of host, runtime, kubelet, cluster; this is 'hots'; did you mean 'host'?",
            f"{two}:2:9: the rule 'nothing' has no 'check', and there is no rule of that id before that it could override",
            f"{two}:4:10: 'fix' must be one of auto, ask, never; this is 'atuo'; did you mean 'auto'?",
        ],
    )
    good = place.put("good.yaml", RULE)
    faulty(
        "options",
        [good],
        [
            "--var x: the profile has no variable 'x'",
            "--set trcae.title: the profile has no rule 'trcae'; did you mean 'trace'?",
        ],
        ["--var", "x=1", "--set", "trcae.title=x"],
    )
    faulty(
        "standard input",
        ["-"],
        ["-:5:5: a rule has no key 'severty'; did you mean 'severity'?"],
        input=RULE + "    severty: info\n",
    )
    faulty("nothing at all", [place.put("empty.yaml", "")], [f"{place.path}/empty.yaml: the profile is empty"])


def test_nothing_runs_before(place):
    # That the trace is seen when the plugin runs.
    good = place.put("good.yaml", RULE)
    result = judge("--profile", good)
    suite.expect("a good profile: exit code", result.code, 0)
    suite.expect_in("a good profile: its plugin runs", TRACE, result.err)
    # One fault in the last rule of the last file is enough.
    later = place.put(
        "later.yaml", "rules:\n  - {id: other, check: sysctl.value, with: {keys: [a.b], value: 1, compare: equals}}\n"
    )
    faulty(
        "one fault in another file",
        [good, later],
        [
            f"{later}:2:77: 'compare' must be one of equal, at-least, at-most, one-of; this is 'equals'; did you mean 'equal'?"
        ],
    )
    for what, args in (
        ("a rule", ["--rule", "trcae"]),
        ("a report", ["--report", "jsno"]),
        ("a place for a report", ["--report", "json=/nonexistent/x"]),
        ("a tag", ["--tag", "x"]),
        ("a variable", ["--var", "x=1"]),
    ):
        result = judge("--profile", good, *args)
        suite.expect_in(f"{what}: exit code", result.code, (2, 6))
        suite.expect_true(f"{what}: no plugin has run", TRACE not in result.err, result.err)


def test_extends(place):
    place.put("base.yaml", RULE + "    severity: info\n    why: base\n")
    child = place.put("child.yaml", "extends: base\nrules: [{id: trace, severity: required}]\n")
    result = k8s.run(PROGRAM, "--plugin-dir", PLUGINS, "--plugin-dir", PROBE, "--profile", child)
    suite.expect("a parent beside it", (result.code, result.rules["trace"]["severity"]), (0, "required"))
    chain = place.put("chain.yaml", "extends: [child, crio-1.18]\n")
    result = call(PROGRAM, "--plugin-dir", PLUGINS, "--plugin-dir", PROBE, "list", "rules", "--profile", chain)
    suite.expect_true(
        "two parents, one of them installed",
        result.code == 0 and "trace " in result.out and "ip-forward " in result.out,
        result.err,
    )

    a = place.put("a.yaml", "extends: b\n" + RULE)
    b = place.put("b.yaml", "extends: c\n" + RULE)
    c = place.put("c.yaml", "extends: a\n" + RULE)
    faulty(
        "a circle",
        [a],
        [f"{c}:1:10: the profiles extend each other in a circle ({a} extends {b} extends {c} extends {a})"],
    )
    own = place.put("own.yaml", "extends: own\n" + RULE)
    faulty("a circle of one", [own], [f"{own}:1:10: the profiles extend each other in a circle ({own} extends {own})"])
    orphan = place.put("orphan.yaml", "extends: chlid\n" + RULE)
    result = judge("--profile", orphan)
    suite.expect("a missing parent: exit code", result.code, 2)
    suite.expect_true(
        "a missing parent",
        result.err.startswith(f"{orphan}:1:10: there is no profile 'chlid' in {place.path}, "),
        result.err,
    )
    suite.expect_in("a missing parent: the nearest", "; did you mean 'child'? (", result.err)
    for n in range(40):
        place.put(f"deep{n}.yaml", (f"extends: deep{n + 1}\n" if n < 39 else "") + RULE)
    result = judge("--profile", os.path.join(place.path, "deep0.yaml"))
    suite.expect("forty deep: exit code", result.code, 2)
    suite.expect_in("forty deep", "profiles extend each other more than 32 deep", result.err)
    path = place.put("path.yaml", "extends: ../base\n" + RULE)
    result = judge("--profile", path)
    suite.expect("a parent that is a path: exit code", result.code, 2)
    suite.expect_in("a parent that is a path", f"{path}:1:10: a profile's name is [a-z0-9.-]+", result.err)


def everywhere(what, part, *args):
    """The text stands in every report."""
    with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp:
        paths = {form: os.path.join(tmp, form) for form in ("text", "json", "junit")}
        result = judge(*args, *(x for form, path in paths.items() for x in ("--report", f"{form}={path}")))
        suite.expect(f"{what}: exit code", result.code, 0)
        for form, path in paths.items():
            if not os.path.exists(path):
                suite.expect_true(f"{what}: there is a report {form}", False, result.err)
                continue
            with open(path) as f:
                text = f.read()
            if form == "json":
                text = " ".join(json.loads(text)["run"]["warnings"])
            elif form == "junit":
                text = " ".join(
                    "".join(e.itertext()) + " ".join(e.attrib.values())
                    for e in xml.etree.ElementTree.fromstring(text).iter()
                )
            else:
                text = " ".join(text.split())
            suite.expect_in(f"{what}: {form}", part, text)
    return result


def test_writable(place):
    trusted = place.put("trusted.yaml", RULE)
    loose = place.put("loose.yaml", RULE, 0o666)
    group = place.put("group.yaml", RULE, 0o664)
    for path, mode in ((loose, "0666"), (group, "0664")):
        everywhere(
            f"mode {mode}", f"{path} is not trusted: others can write to {path} (its mode is {mode})", "--profile", path
        )
        result = call(PROGRAM, "--plugin-dir", PLUGINS, "--plugin-dir", PROBE, "lint", path)
        suite.expect_in(f"lint, mode {mode}", "others can write to", result.out)
    os.mkdir(os.path.join(place.path, "open"))
    inside = place.put("open/p.yaml", RULE)
    os.chmod(os.path.join(place.path, "open"), 0o777)
    everywhere("a folder", f"others can write to {place.path}/open (its mode is 0777)", "--profile", inside)
    # A parent counts as much, and so does a file of variables.
    child = place.put("child2.yaml", "extends: loose\n")
    everywhere("a parent", f"others can write to {loose}", "--profile", child)
    values = place.put("values.yaml", "x: y\n", 0o666)
    with_var = place.put("with-var.yaml", "vars: {x: z}\n" + RULE)
    everywhere("variables", f"others can write to {values}", "--profile", with_var, "--vars", values)
    result = k8s.run(PROGRAM, "--plugin-dir", PLUGINS, "--plugin-dir", PROBE, "--profile", trusted)
    warnings = [w for w in result.report["run"]["warnings"] if "not as root" not in w]
    suite.expect("nobody else writes it", warnings, [])
    if ROOT:
        foreign = place.put("foreign.yaml", RULE)
        os.chown(foreign, 4242, 4242)
        everywhere("another's", f"{foreign} belongs to uid 4242, who could change it", "--profile", foreign)


def test_programs(place):
    good = place.put("program.yaml", PROGRAM_RULE)
    result = k8s.run(PROGRAM, "--plugin-dir", PLUGINS, "--plugin-dir", PROBE, "--profile", good)
    suite.expect("a program of a trusted profile", result.verdict("echo"), "pass")
    suite.expect_in("what it wrote", "spoken", result.messages("echo"))
    suite.expect(
        "programs that were run",
        result.report["run"]["programs_run"] if "programs_run" in result.report["run"] else 1,
        1,
    )

    def untrusted(what, *args):
        refused = judge(*args)
        suite.expect(f"{what}: exit code", refused.code, 2)
        suite.expect_in(
            what,
            "k8scheck: rule echo runs a program, and its profile can be written by others than root; that is refused\n",
            refused.err,
        )
        suite.expect(f"{what}: no report", refused.out, "")
        suite.expect_true(f"{what}: it has not run", TRACE not in refused.err)

    loose = place.put("loose-program.yaml", PROGRAM_RULE, 0o666)
    untrusted("a profile that others write", "--profile", loose)
    child = place.put("child-program.yaml", "extends: loose-program\n")
    untrusted("a parent that others write", "--profile", child)
    override = place.put("override.yaml", "rules: [{id: echo, with: {arguments: [other]}}]\n", 0o666)
    untrusted("an override that others write", "--profile", good, "--profile", override)
    override = place.put("override2.yaml", "rules: [{id: echo, title: Ours}]\n", 0o666)
    untrusted("an override of the title alone", "--profile", good, "--profile", override)
    variable = place.put("variable.yaml", "vars: {what: spoken}\n" + PROGRAM_RULE.replace("[spoken]", "['${what}']"))
    values = place.put("program-values.yaml", "what: other\n", 0o666)
    untrusted("a variable that others write", "--profile", variable, "--vars", values)
    result = k8s.run(
        PROGRAM, "--plugin-dir", PLUGINS, "--plugin-dir", PROBE, "--profile", variable, "--var", "what=mine"
    )
    suite.expect("a variable of the command line", result.verdict("echo"), "pass")
    suite.expect_in("its value", "mine", result.messages("echo"))
    # Another rule of an untrusted profile costs this one nothing, and one that is not selected neither.
    other = place.put("other.yaml", RULE, 0o666)
    result = k8s.run(PROGRAM, "--plugin-dir", PLUGINS, "--plugin-dir", PROBE, "--profile", good, "--profile", other)
    suite.expect(
        "another rule that others write",
        (result.code, result.verdict("echo"), result.verdict("trace")),
        (0, "pass", "pass"),
    )
    both = place.put("both.yaml", PROGRAM_RULE + RULE.split("\n", 1)[1], 0o666)
    suite.expect("a rule that is not selected", judge("--profile", both, "--skip", "echo").code, 0)


# Rules of crio-1.18 that apply to some hosts alone: the role and the state of the cluster that each asks for.
ONLY = {
    "left-overs": {"cluster": "absent"},
    "pod-network": {"cluster": "absent"},
    "control-plane-ports": {"var.role": "control-plane", "cluster": "absent"},
    "worker-ports": {"var.role": "worker", "cluster": "absent"},
    "control-plane-answers": {"var.role": "worker"},
    "kubelet-active": {"cluster": "joined"},
    "kubelet-health": {"cluster": "joined"},
}


def excluded(rule, role, cluster):
    """The sentence of the first condition that does not hold; variables are known before any fact is."""
    is_so = {"var.role": role, "cluster": cluster}
    for name, wanted in sorted(ONLY.get(rule, {}).items(), reverse=True):
        if is_so[name] != wanted:
            return f"it applies when {name} is {wanted}; here it is {is_so[name]}"
    return None


def test_conditions():
    """Each role before and after the cluster is there: rules for the others are skipped, and say what for."""
    joined = "/etc/kubernetes/kubelet.conf"
    for cluster in ("absent", "joined"):
        with Host() as host:
            guide.lay(host)
            if cluster == "joined":
                host.write(joined, "apiVersion: v1\nkind: Config\n", 0o600)
            for role in ("control-plane", "worker"):
                what = f"{role}, {cluster}"
                result = k8s.run(
                    PROGRAM,
                    *("--root", host.path, "--profile", "crio-1.18", "--var", f"role={role}"),
                    *("--var", "control-plane=192.0.2.1"),
                )
                suite.expect(f"{what}: exit code", (result.code, result.err), (0, ""))
                facts = {f["name"]: f for f in result.report["facts"]}
                known = "absent" if facts["cluster"]["state"] == "absent" else facts["cluster"].get("value")
                suite.expect(f"{what}: the fact", known, cluster)
                suite.expect(f"{what}: the rules that it knows", set(ONLY) - set(result.rules), set())
                for name, rule in result.rules.items():
                    why = excluded(name, role, cluster)
                    findings = [f for j in rule["judgements"].values() for f in j["findings"]]
                    conditions = {f["message"] for f in findings if f.get("reason") == "condition"}
                    offline = {f["reason"] for f in findings if f.get("reason") == "offline"}
                    if why is None:
                        suite.expect(f"{what}: {name} applies", conditions, set())
                        continue
                    suite.expect(f"{what}: {name}", rule["verdict"], "skip")
                    # Of a rule for the running system alone no fact is asked where nothing runs.
                    if not conditions and offline and "boot" not in rule["judgements"]:
                        suite.expect_true(f"{what}: {name} says why", not why.startswith("it applies when var."), why)
                    else:
                        suite.expect(f"{what}: {name} says why", conditions, {why})
                if cluster == "joined":
                    suite.expect_in(f"{what}: left-overs", "cluster", result.messages("left-overs"))


def test_unknown_role():
    """A role that there is not is none of both: nothing of either applies, and the check says so."""
    with Host() as host:
        guide.lay(host)
        result = k8s.run(PROGRAM, "--root", host.path, "--profile", "crio-1.18", "--var", "role=wroker")
        suite.expect("a role that there is not: exit code", (result.code, result.report), (2, None))
        suite.expect_in("a role that there is not", "did you mean 'worker'?", result.err)


with Place() as place:
    test_conditions()
    test_unknown_role()
    test_faults(place)
    test_nothing_runs_before(place)
    test_extends(place)
    test_writable(place)
    test_programs(place)
suite.end()
