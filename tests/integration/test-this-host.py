#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
The profile crio-1.18 on the machine that runs the tests: every rule has a verdict with evidence, and the verdict is the
one that this test finds by itself, by reading /proc/sys, the folders of sysctl.d and modules-load.d, units and sockets.
"""

import glob
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile

from k8s import Suite, hold_schemas

PROGRAM = sys.argv[1]
suite = Suite("this host")

# Rule: key, comparison, wanted value, the kernel's own default.
SYSCTLS = {
    "bridge-nf-call-iptables": ("net.bridge.bridge-nf-call-iptables", "=", 1, "1"),
    "bridge-nf-call-ip6tables": ("net.bridge.bridge-nf-call-ip6tables", "=", 1, "1"),
    "ip-forward": ("net.ipv4.ip_forward", "=", 1, "0"),
    "inotify-instances": ("fs.inotify.max_user_instances", ">=", 512, "128"),
    "kernel-panic": ("kernel.panic", "=", 10, "0"),
    "kernel-panic-on-oops": ("kernel.panic_on_oops", "=", 1, "0"),
    "vm-overcommit-memory": ("vm.overcommit_memory", "=", 1, "0"),
    "vm-panic-on-oom": ("vm.panic_on_oom", "=", 0, "0"),
    "keys-root-maxkeys": ("kernel.keys.root_maxkeys", "=", 1000000, "1000000"),
    "keys-root-maxbytes": ("kernel.keys.root_maxbytes", "=", 25000000, "25000000"),
}
CRIO = ("crio-conmon", "crio-cgroup-manager", "crio-listen", "crio-drop-ins")
KUBELET = ("kubelet-config", "kubelet-cgroup-driver", "kubelet-arguments", "kubelet-endpoint", "kubelet-crio-agree")
BOOT_ALONE = ("crio-listen", "crio-drop-ins", "kubelet-config")
ANY = {"pass", "fail", "error", "manual", "skip"}
WORST = ("fail", "error", "manual", "pass", "skip")

UNIT_FOLDERS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)


def read(path):
    try:
        with open(path, errors="surrogateescape") as f:
            return f.read()
    except OSError:
        return None


def in_container():
    """As systemd, or the kernel's namespaces, tell it."""
    return os.path.exists("/run/systemd/container") or os.readlink("/proc/self/ns/pid") != "pid:[4026531836]"


def conf_files(kind):
    """NAME.conf of all folders, the first of a name counts, in the order of names: sysctl.d(5), modules-load.d(5)."""
    found = {}
    for folder in ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"):
        for path in glob.glob(f"{folder}/{kind}/*.conf"):
            found.setdefault(os.path.basename(path), path)
    return [found[name] for name in sorted(found)]


def normal(key):
    first = next((c for c in key if c in "./"), ".")
    return key if first == "." else key.translate(str.maketrans("./", "/."))


def boot_value(key):
    """What a file says, the last one wins; None when none does; "?" when this test cannot tell."""
    value = None
    for path in conf_files("sysctl.d"):
        for line in (read(path) or "").splitlines():
            line = line.strip()
            if not line or line[0] in "#;" or "=" not in line:
                continue
            name, text = (part.strip() for part in line.split("=", 1))
            name = normal(name.lstrip("-"))
            if name == key:
                value = text
            elif any(c in name for c in "*?[") and name.split(".")[0] == key.split(".")[0]:
                return "?"
    # procps, where its service is, reads this file last.
    for line in (read("/etc/sysctl.conf") or "").splitlines():
        name, _, text = line.strip().partition("=")
        if normal(name.strip().lstrip("-")) == key and text.strip() != value:
            return "?"
    if f"sysctl.{key}=" in (read("/proc/cmdline") or "") or "sysctl." in (read("/proc/cmdline") or ""):
        return "?"
    return value


def loaded_at_boot(module, key, live):
    """Built in, or named by a file; None when this test cannot tell."""

    def same(a):
        return a.strip().replace("-", "_") == module

    if any(same(line) for path in conf_files("modules-load.d") for line in (read(path) or "").splitlines()):
        return True
    if not live:
        return None
    builtin = read(f"/lib/modules/{os.uname().release}/modules.builtin")
    if builtin and f"/{module}.ko" in builtin.replace("-", "_"):
        return True
    listed = any(same(line.split()[0]) for line in (read("/proc/modules") or "").splitlines())
    if os.path.exists("/proc/sys/" + key.replace(".", "/")) and not listed:
        return True
    if read("/etc/modules") and any(same(line) for line in read("/etc/modules").splitlines()):
        return None
    if "modules" in (read("/proc/cmdline") or ""):
        return None
    return False


def compare(value, comparison, wanted):
    number = int(value)
    return "pass" if (number == wanted if comparison == "=" else number >= wanted) else "fail"


def expect_sysctl(rule, live):
    key, comparison, wanted, default = SYSCTLS[rule]
    verdicts = {}
    if live:
        value = read("/proc/sys/" + key.replace(".", "/"))
        if value is not None:
            verdicts["now"] = {compare(value, comparison, wanted)}
        else:
            # A key that is not there: its module is not loaded, or this kernel has none.
            verdicts["now"] = {"fail", "error", "skip"}
    value = boot_value(key)
    if key.startswith("net.bridge."):
        loaded = loaded_at_boot("br_netfilter", key, live)
        if loaded is None:
            return {**verdicts, "boot": ANY}
        if not loaded:
            return {**verdicts, "boot": {"fail", "error"}}
    if value == "?":
        verdicts["boot"] = ANY
    elif value is not None:
        verdicts["boot"] = {compare(value, comparison, wanted)}
    else:
        # A kernel argument such as panic= may have its say, and this test does not read those.
        verdicts["boot"] = {compare(default, comparison, wanted)} if rule != "kernel-panic" else {"pass", "fail"}
    return verdicts


def unit_file(name):
    return next((os.path.join(f, name) for f in UNIT_FOLDERS if os.path.lexists(os.path.join(f, name))), None)


def systemctl(verb, unit):
    done = subprocess.run(["systemctl", verb, unit], capture_output=True, text=True)
    return done.stdout.strip()


def expect_unit(unit, live, asks_active):
    verdicts = {}
    systemd = os.path.exists("/run/systemd/system") and os.path.exists("/run/dbus/system_bus_socket")
    if live and not asks_active:
        verdicts["now"] = {"skip"}
    elif live and not systemd:
        verdicts["now"] = {"error"}
    elif live:
        verdicts["now"] = {"pass" if systemctl("is-active", unit) == "active" else "fail"}
    if not unit_file(unit):
        verdicts["boot"] = {"fail"}
    elif shutil.which("systemctl"):
        verdicts["boot"] = {"pass"} if systemctl("is-enabled", unit) == "enabled" else {"fail", "error"}
    else:
        verdicts["boot"] = ANY
    return verdicts


def running(name):
    return any((read(path) or "").strip() == name for path in glob.glob("/proc/[0-9]*/comm"))


def expect_socket(live):
    """`now` alone is judged."""
    path = "/var/run/crio/crio.sock"
    if not live:
        return {}
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return {"now": {"fail"}}
    except PermissionError:
        return {"now": {"error"}}
    if not stat.S_ISSOCK(mode):
        return {"now": {"fail"}}
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(path)
        except OSError:
            return {"now": {"fail", "error"}}
    return {"now": {"pass", "fail"}}


def expect_component(rule, unit, files, live):
    """Nothing of it is here: every horizon is skipped. Else this test has no opinion beyond that there is a verdict."""
    installed = unit_file(unit) or any(os.path.exists(f) for f in files) or running(unit[: -len(".service")])
    horizons = (["now"] if live and rule not in BOOT_ALONE else []) + ["boot"]
    return {h: ANY if installed else {"skip"} for h in horizons}


def expected(rule, live):
    if rule in SYSCTLS:
        return expect_sysctl(rule, live)
    if rule == "crio-service":
        return expect_unit("crio.service", live, True)
    if rule == "kubelet-service":
        return expect_unit("kubelet.service", live, False)
    if rule == "crio-socket":
        return expect_socket(live)
    if rule in CRIO:
        return expect_component(
            rule, "crio.service", ["/etc/crio", "/usr/bin/crio", "/usr/local/bin/crio", "/usr/libexec/crio"], live
        )
    if rule in KUBELET:
        return expect_component(
            rule,
            "kubelet.service",
            ["/usr/bin/kubelet", "/usr/local/bin/kubelet", "/var/lib/kubelet/config.yaml", "/etc/kubernetes"],
            live,
        )
    return None


def has_evidence(finding):
    if finding["verdict"] in ("pass", "fail"):
        return bool((finding.get("expected") or finding.get("found")) and finding.get("source"))
    if finding["verdict"] == "skip":
        return bool(finding.get("message") or finding.get("reason"))
    return bool(finding.get("message"))


def hold(rule, live):
    name = rule["id"]
    wanted = expected(name, live)
    if wanted is None:
        suite.expect_true(f"{name}: this test knows the rule", False, "write down what is expected of it")
        return
    judgements = rule["judgements"]
    suite.expect_true(f"{name}: something was judged", judgements)
    for horizon, judgement in judgements.items():
        suite.expect_true(f"{name}: {horizon} has findings", judgement["findings"])
        for finding in judgement["findings"]:
            suite.expect_true(f"{name}: {horizon} has evidence", has_evidence(finding), json.dumps(finding))
        if not live and horizon == "now":
            suite.expect(f"{name}: now in a container", judgement["verdict"], "skip")
        elif horizon in wanted:
            suite.expect_true(
                f"{name}: {horizon} is {judgement['verdict']}",
                judgement["verdict"] in wanted[horizon],
                f"expected {wanted[horizon]}: {judgement['findings']}",
            )
    for horizon in wanted:
        suite.expect_in(f"{name}: its horizons", horizon, judgements)
    worst = min((j["verdict"] for j in judgements.values()), key=WORST.index)
    suite.expect(f"{name}: the verdict is the worst of them", rule["verdict"], worst)


with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp:
    paths = {form: os.path.join(tmp, form) for form in ("json", "junit")}
    done = subprocess.run(
        [
            PROGRAM,
            "--profile",
            "crio-1.18",
            "--color",
            "never",
            "--report",
            "text",
            *(x for f, p in paths.items() for x in ("--report", f"{f}={p}")),
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    print(done.stdout, done.stderr, sep="")
    with open(paths["json"]) as f:
        report = json.load(f)
    live = not in_container()
    suite.expect("the running system is looked at", report["host"]["live"], live)
    suite.expect("nothing of the host but its root", report["host"]["root"], "/")
    if live:
        suite.expect("the kernel", report["host"]["kernel"], os.uname().release)
        suite.expect("the host's name", report["host"]["hostname"], os.uname().nodename)
    for rule in report["rules"]:
        hold(rule, live)
    verdicts = [r["verdict"] for r in report["rules"]]
    failed = [r["id"] for r in report["rules"] if r["severity"] == "required" and r["verdict"] == "fail"]
    undecided = [r["id"] for r in report["rules"] if r["severity"] == "required" and r["verdict"] == "error"]
    suite.expect("exit code", done.returncode, 1 if failed else 3 if undecided else 0)
    decided = sum(v in ("pass", "fail") for v in verdicts)
    suite.expect_true(
        "half of the rules at least are pass or fail", 2 * decided >= len(verdicts), f"{decided} of {len(verdicts)}"
    )
    hold_schemas(suite, PROGRAM, [paths["json"]], [paths["junit"]])
    print(f"{decided} of {len(verdicts)} rules are pass or fail")
suite.end()
