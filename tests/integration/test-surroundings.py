#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which system a chroot, a container and a folder with --live are taken for; a builder's kernel is not read."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import k8s
from k8s import Host, Suite, verdicts, write
from sysctls import KEYS, host_value, other, sysctl_profile

PROGRAM, PLUGINS, FAULTY, PROBE, SUPPORT = sys.argv[1:6]
ROOT = os.geteuid() == 0

TAKE_AWAY = os.path.join(SUPPORT, "..", "shims", "take-away")

suite = Suite("surroundings")
left_out = []


def in_namespace(script, *args, flags=("--mount",)):
    """Runs a shell script with arguments in a private mount namespace."""
    done = subprocess.run(
        ["unshare", *flags, "--propagation", "private", "/bin/sh", "-eu", "-c", script, "sh", *args],
        capture_output=True,
        text=True,
        timeout=120,
        errors="backslashreplace",
    )
    return done


def namespaces():
    """Why mounts in a namespace of our own cannot be made here, or None."""
    if not ROOT:
        return "only root can mount"
    if not shutil.which("unshare"):
        return "unshare is not installed"
    done = in_namespace("mount --bind /proc /proc")
    return None if done.returncode == 0 else "mounts are refused here: " + done.stderr.strip()


def judged(what, done, report, code=None):
    """The report of a run in a namespace."""
    if code is not None:
        suite.expect(f"{what}: exit code", done.returncode, code)
    if not os.path.exists(report):
        suite.expect_true(f"{what}: a report", False, done.stderr)
        return k8s.Result(done, None)
    with open(report) as f:
        result = k8s.Result(done, json.load(f))
    os.unlink(report)
    return result


def test_bound_proc(tmp):
    """The host's /proc and /sys below the root, as in any chroot of a builder: still not read."""
    keys = [k for k in KEYS if os.path.exists("/proc/sys/" + k.replace(".", "/"))]
    paths = [
        "/proc/sys/kernel/osrelease",
        "/proc/cmdline",
        "/proc/self/mountinfo",
        "/sys/kernel/mm",
        "/proc/1/root/etc/hostname",
        "/proc/self/fd/0",
        "/run/udev",
        "/etc/from-proc.conf",
    ]
    profile = (
        sysctl_profile({k: other(k) for k in keys})
        + f"  - {{id: files, check: probe.files, with: {{paths: [{', '.join(paths)}]}}}}\n"
    )
    with Host(
        {"/proc/empty": "", "/sys/empty": "", "/etc/sysctl.d/99-t.conf": "".join(f"{k} = {other(k)}\n" for k in keys)}
    ) as host:
        host.link("/etc/from-proc.conf", "/proc/sys/kernel/osrelease")
        write(os.path.join(tmp, "p.yaml"), profile)
        report = os.path.join(tmp, "r.json")
        done = in_namespace(
            'mount --rbind /proc "$1/proc"; mount --rbind /sys "$1/sys"; shift; exec "$@"',
            host.path,
            PROGRAM,
            "--root",
            host.path,
            "--plugin-dir",
            PLUGINS,
            "--plugin-dir",
            PROBE,
            "--profile",
            os.path.join(tmp, "p.yaml"),
            "--report",
            "json=" + report,
        )
        result = judged("a bound /proc", done, report, 3)
        for i in range(len(keys)):
            suite.expect(
                f"a bound /proc: {keys[i]}",
                (
                    result.rules[f"key-{i}"]["judgements"]["now"]["verdict"],
                    result.rules[f"key-{i}"]["judgements"]["boot"]["verdict"],
                ),
                ("skip", "pass"),
            )
        findings = result.rules["files"]["judgements"]["boot"]["findings"]
        suite.expect("a bound /proc: what was read", [f for f in findings if f.get("found")], [])
        suite.expect("a bound /proc: ways tried", len(findings), 4 * len(paths))
        text = json.dumps(result.report)
        for secret in (host_value("kernel.osrelease"), host_value("kernel.random.boot_id")):
            suite.expect_true("nothing of the running kernel is in the report", secret not in text, secret)


# Place; the rule that its content makes pass; that content.
def start(program, *args):
    return k8s.start(os.path.join(SUPPORT, program), *args)


# ---- chroots and containers


def test_live_root():
    """--root DIR --live: a container's view of the machine at DIR, with its kernel, its bus and its runtime."""
    profile = """\
rules:
  - {id: forward, check: sysctl.value, with: {keys: [net.ipv4.ip_forward], value: 1}}
  - {id: crio, check: systemd.unit, with: {unit: crio.service, active: active}}
  - {id: kubelet, check: systemd.unit, with: {unit: kubelet.service, active: active}}
  - {id: socket, check: cri.answers, with: {endpoint: unix:///run/crio/crio.sock, runtime: cri-o, version: "1.18"}}
"""
    with Host(
        {
            "/proc/sys/net/ipv4/ip_forward": "1\n",
            "/etc/sysctl.d/9.conf": "net.ipv4.ip_forward = 0\n",
            "/etc/hostname": "x\n",
            "/usr/lib/systemd/system/crio.service": "[Service]\nExecStart=/bin/true\n",
        }
    ) as host:
        os.makedirs(host.path + "/run/crio")
        bus, runtime = start("fake-bus", host.path), start("fake-runtime", host.path + "/run/crio/crio.sock", "crio")
        try:
            if not bus or not runtime:
                left_out.append("--live with a bus and a runtime, which are not built")
                return
            result = k8s.run(PROGRAM, "--root", host.path, "--live", profile=profile)
            now, boot = verdicts(result, "now"), verdicts(result, "boot")
            suite.expect(
                "now, of the fixture", now, {"forward": "pass", "crio": "pass", "kubelet": "fail", "socket": "pass"}
            )
            suite.expect("boot, of the fixture", boot.get("forward"), "fail")
            suite.expect("--live: exit code", result.code, 1)
            suite.expect("--live is in the report", result.report["host"]["live"], True)
            suite.expect_in("the runtime's answer", "1.18.4", result.messages("socket"))
            # Without --live none of them is asked.
            result = k8s.run(PROGRAM, "--root", host.path, profile=profile)
            suite.expect("without --live", set(verdicts(result, "now").values()), {"skip"})
            suite.expect_true("without --live the runtime is not asked", "1.18.4" not in json.dumps(result.report))
            runtime.kill()
            runtime.wait()
            result = k8s.run(PROGRAM, "--root", host.path, "--live", "--horizon", "now", profile=profile)
            suite.expect("a socket left behind", result.verdict("socket"), "fail")
        finally:
            for process in (bus, runtime):
                if process:
                    process.kill()
                    process.wait()


def libraries(*files):
    found = set()
    for file in files:
        out = subprocess.run(["ldd", file], capture_output=True, text=True).stdout
        found.update(re.findall(r"(/[^ ]+) \(0x", out))
    return found


def make_chroot(path):
    """The installed program below another root, with its libraries; its place is that of the stage."""
    stage = PROGRAM[: -len("/usr/bin/k8scheck")] if PROGRAM.endswith("/usr/bin/k8scheck") else None
    if stage is None:
        return "the program is not staged below /usr"
    for folder in ("usr/bin", "usr/share"):
        shutil.copytree(os.path.join(stage, folder), os.path.join(path, folder))
    relative = os.path.dirname(PLUGINS)[len(stage) + 1 :]
    shutil.copytree(os.path.join(stage, relative), os.path.join(path, relative))
    objects = [
        os.path.join(folder, f)
        for folder, _, names in os.walk(os.path.join(stage, relative))
        for f in names
        if f.endswith(".so")
    ]
    for library in libraries(PROGRAM, *objects):
        target = path + library
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if not os.path.exists(target):
            shutil.copy(os.path.realpath(library), target)
    return None


def hold_without_proc(host, enter):
    for args in ([], ["--live"], ["--root", "/"]):
        done = in_namespace('chroot "$@"', host.path, *enter, *args)
        suite.expect(f"a chroot without /proc, {args}: exit code", done.returncode, 2)
        suite.expect_in(
            f"a chroot without /proc, {args}",
            "k8scheck: /proc is not mounted here, and nothing can be judged without it; "
            "mount it (mount -t proc proc /proc), or judge this system from outside by --root\n",
            done.stderr,
        )


def test_chroot(tmp):
    profile = sysctl_profile({"net.ipv4.ip_forward": "1"})
    with Host(
        {
            "/etc/sysctl.d/9.conf": "net.ipv4.ip_forward = 1\n",
            "/proc/.keep": "",
            "/root/p.yaml": profile,
            "/etc/hostname": "x\n",
        }
    ) as host:
        os.chmod(host.path, 0o755)
        why = make_chroot(host.path)
        if why:
            left_out.append("a chroot: " + why)
            return
        report = host.path + "/root/r.json"
        forward = "pass" if host_value("net.ipv4.ip_forward") == "1" else "fail"
        enter = ["/usr/bin/k8scheck", "--profile", "/root/p.yaml", "--report", "json=/root/r.json"]
        rows = [
            ("a chroot with /proc", 'mount --bind /proc "$1/proc"; chroot "$@"', [], "skip", 0),
            (
                "a chroot with /proc and --live",
                'mount --bind /proc "$1/proc"; chroot "$@"',
                ["--live"],
                forward,
                0 if forward == "pass" else 1,
            ),
            (
                "a chroot that is a mount",
                'mount --bind "$1" "$1"; mount --bind /proc "$1/proc"; chroot "$@"',
                [],
                "skip",
                0,
            ),
            (
                "a chroot that is a mount, with --live",
                'mount --bind "$1" "$1"; mount --bind /proc "$1/proc"; chroot "$@"',
                ["--live"],
                forward,
                0 if forward == "pass" else 1,
            ),
        ]
        if any("libasan" in library for library in libraries(PROGRAM)):
            left_out.append("a chroot without /proc, where AddressSanitizer does not start")
        else:
            hold_without_proc(host, enter)
        for what, script, args, now, code in rows:
            done = in_namespace(script, host.path, *enter, *args)
            result = judged(what, done, report, code)
            if not result.report:
                continue
            suite.expect(f"{what}: now", verdicts(result, "now"), {"key-0": now})
            suite.expect(f"{what}: boot", verdicts(result, "boot"), {"key-0": "pass"})
            warned = "chroot (the root of process 1 is another)" in " ".join(result.report["run"]["warnings"])
            suite.expect(f"{what}: it is told", warned, not args)


def test_containers(tmp):
    """Rules that look at nothing: this host itself is not judged."""
    profile, report = os.path.join(tmp, "trace.yaml"), os.path.join(tmp, "r.json")
    write(profile, "rules: [{id: trace, check: probe.trace}]\n")
    enter = [
        PROGRAM,
        "--plugin-dir",
        PLUGINS,
        "--plugin-dir",
        PROBE,
        "--profile",
        profile,
        "--report",
        "json=" + report,
    ]
    mark = 'mount -t tmpfs none /run; mkdir /run/systemd; echo docker >/run/systemd/container; exec "$@"'
    pid = ("--mount", "--pid", "--fork", "--mount-proc")
    rows = [
        ("systemd's mark", mark, ("--mount",), [], "skip", "a container (/run/systemd/container is there)"),
        ("systemd's mark with --live", mark, ("--mount",), ["--live"], "pass", None),
        (
            "a PID namespace",
            'exec "$@"',
            pid,
            [],
            "skip",
            "a container (its processes are in a namespace of their own)",
        ),
        ("a PID namespace with --live", 'exec "$@"', pid, ["--live"], "pass", None),
    ]
    if os.readlink("/proc/self/ns/pid") == "pid:[4026531836]" and not os.path.exists("/run/systemd/container"):
        rows.append(("a mount namespace alone", 'exec "$@"', ("--mount",), [], "pass", None))
    for what, script, flags, args, now, warning in rows:
        done = in_namespace(script, *enter, *args, flags=flags)
        result = judged(what, done, report, 0)
        if not result.report:
            continue
        suite.expect(f"{what}: now", verdicts(result, "now"), {"trace": now})
        suite.expect(f"{what}: boot", verdicts(result, "boot"), {"trace": "pass"})
        text = " ".join(result.report["run"]["warnings"])
        if warning:
            suite.expect_in(f"{what}: it is told", warning, text)
            suite.expect_in(f"{what}: and what to do", "say --live to judge it all the same", text)
        else:
            suite.expect(f"{what}: no warning", text, "")


HIDDEN = """
    mount -t proc -o remount,hidepid=2 proc /proc
    grep -q hidepid=invisible /proc/self/mountinfo || grep -q hidepid=2 /proc/self/mountinfo
    cp /bin/sleep "$1/kubelet"
    "$1/kubelet" 60 &
    sleeper=$!
    "$2" --profile "$3" --live --horizon now --report "json=$1/root.json" >/dev/null || true
    "$4" seccomp "$2" --profile "$3" --live --horizon now --report "json=$1/unfiltered.json" >/dev/null || true
    setpriv --reuid=65534 --regid=65534 --clear-groups \
        "$2" --profile "$3" --live --horizon now --report json >"$1/nobody.json" || true
    kill $sleeper
"""


def test_hidden_processes(tmp):
    """procfs that shows nobody the processes of others: a worker sees them as root does, and who may not says so."""
    profile = os.path.join(tmp, "hidden.yaml")
    with open(profile, "w") as f:
        f.write("rules:\n  - {id: driver, check: kubelet.cgroup-driver}\n")
    os.chmod(tmp, 0o755)
    done = in_namespace(HIDDEN, tmp, PROGRAM, profile, TAKE_AWAY, flags=("--mount", "--pid", "--fork", "--mount-proc"))
    suite.expect("hidepid: the script", (done.returncode, done.stderr), (0, ""))
    reports = {}
    for who in ("root", "unfiltered", "nobody"):
        try:
            with open(os.path.join(tmp, who + ".json")) as f:
                reports[who] = json.load(f)
        except (OSError, ValueError) as e:
            suite.expect(f"hidepid: the report of {who}", str(e), None)
            return
    texts = {who: json.dumps(report["rules"]) for who, report in reports.items()}
    suite.expect_true("hidepid: root sees the process", "hidden here" not in texts["root"], texts["root"])
    suite.expect_true("hidepid: and does not skip it", "does not run" not in texts["root"], texts["root"])
    suite.expect_in("hidepid: nobody is told", "the processes of others are hidden here", texts["nobody"])
    # Who sees them is in group root, which no worker joins that could connect to root's sockets.
    suite.expect_in("hidepid: nor who has no filter", "the processes of others are hidden here", texts["unfiltered"])


with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp:
    test_live_root()
    why = namespaces()
    if why:
        left_out.append("chroots, containers, and the host's /proc below a root: " + why)
    else:
        test_bound_proc(tmp)
        test_chroot(tmp)
        test_containers(tmp)
        test_hidden_processes(tmp)
for what in left_out:
    print("left out:", what)
suite.end()
