#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mounts and the sandbox: thousands, what checks see of the host's, and a volume that the host unmounts meanwhile."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import k8s
from k8s import Suite, run
from sandbox_targets import contain, read

PROGRAM, PLUGINS, FOLDER, SUPPORT = sys.argv[1:5]
TAKE_AWAY = os.path.join(FOLDER, "..", "shims", "take-away")
KEYS = ["kernel.pid_max", "kernel.threads-max", "kernel.hostname", "kernel.shmmax", "net.ipv4.ip_default_ttl",
        "fs.file-max"]
MANY = 3000
MARK = "K8SCHECK_TEST_MOUNTS"
MS_BIND, MS_REC, MS_PRIVATE, MS_SHARED, MNT_DETACH = 4096, 16384, 1 << 18, 1 << 20, 2

suite = Suite("sandbox and mounts")
libc = ctypes.CDLL(None, use_errno=True)


def mount(source, target, kind, flags):
    if libc.mount(source.encode(), target.encode(), kind.encode(), flags, None) != 0:
        raise OSError(ctypes.get_errno(), target)


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def profile(place="", until=""):
    return ("rules:\n  - id: see\n    check: bystander.see\n    title: Sees\n    with:\n"
            f"      keys: [{', '.join(KEYS)}]\n"
            f"      place: \"{place}\"\n      until: \"{until}\"\n")


def see(args=(), away="", **options):
    """Subject to what was found; and how long it took."""
    command = [TAKE_AWAY, away, PROGRAM] if away else [PROGRAM]
    start = time.monotonic()
    result = run(*command, "--plugin-dir", PLUGINS, "--plugin-dir", FOLDER, *args, profile=profile(**options))
    took = time.monotonic() - start
    if not result.report:
        return {"report": result.err}, {"sandbox": [], "sandbox_missing": []}, took
    found = [f for j in result.rules["see"]["judgements"].values() for f in j["findings"]]
    seen = {f.get("subject", "?"): f.get("found") or f.get("message") for f in found}
    return seen, result.report["run"], took


def hold_view(what, found):
    """It is the host's, not the sandbox's."""
    with open("/proc/self/mountinfo", "rb") as f:
        mounts = f.read()
    suite.expect(f"{what}: mounts", found.get("mounts"), f"{len(mounts)} {fnv(mounts):016x}")
    for key in KEYS:
        suite.expect(f"{what}: {key}", found.get(key), " ".join(read("/proc/sys/" + key.replace(".", "/")).split()))
    return mounts.count(b"\n")


def covered():
    """Mounts that no path leads to, since another is on top: these are left as they are, but by mount_setattr."""
    mounts = [line.split()[:5] for line in read("/proc/self/mountinfo").splitlines()]
    tops = {(parent, path) for _, parent, _, _, path in mounts}
    return [path for number, _, _, _, path in mounts if (number, path) in tops]


def hold_read_only(what, found, n, ran, left):
    layers = [x for x in ran["sandbox"] if x.startswith("read-only")]
    missing = [x for x in ran.get("sandbox_missing", []) if x.startswith("read-only")]
    suite.expect(f"{what}: layers", layers, ["read-only mounts" + (f" (all but {len(left)})" if left else "")])
    names = ", ".join(path + " beneath another mount" for path in left)
    suite.expect(f"{what}: left", missing, [f"read-only mounts on {names} (left as they are)"] if left else [])
    own = f"{n} mounts, {len(left)} writable, {len(left)} with devices, 0 at the place"
    suite.expect(f"{what}: its own", found.get("own"), own)


def many_mounts(place):
    os.makedirs(place)
    mount("none", place, "tmpfs", 0)
    # Else each of them would have a copy of all others.
    mount("none", place, "none", MS_PRIVATE)
    for i in range(MANY):
        path = os.path.join(place, str(i))
        os.mkdir(path)
        mount(place, path, "none", MS_BIND)


def test_many(place):
    many_mounts(place)
    for what, args, away in (
        ("--sandbox=off", ["--sandbox=off"], ""), ("mount_setattr", [], ""), ("one after another", [], "mount_setattr"),
    ):
        found, ran, took = see(args, away)
        n = hold_view(what, found)
        if args:
            suite.expect(f"{what}: layers", ran["sandbox"], [])
        else:
            hold_read_only(what, found, n, ran, covered() if away else [])
        suite.expect_true(f"{what}: it took 10 s at most", took < 10, f"{took:.2f} s")
        print(f"{n} mounts, {what}: {took * 1000:.0f} ms for the whole run")
    libc.umount2(place.encode(), MNT_DETACH)


def make_volume(tmp):
    """A file system on a device of its own: (device, why not)."""
    image = os.path.join(tmp, "image")
    with open(image, "wb") as f:
        f.truncate(8 << 20)
    if not shutil.which("mkfs.ext4") or subprocess.run(["mkfs.ext4", "-q", image], capture_output=True).returncode:
        return None, "mkfs.ext4 makes no file system here"
    done = subprocess.run(["losetup", "--find", "--show", image], capture_output=True, text=True)
    return (done.stdout.strip(), None) if done.returncode == 0 else (None, "there are no loop devices here")


def worker():
    """The id of the one that says that it runs, or none."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if read(f"/proc/{pid}/comm") == "@\n":
            return pid
    return None


def wait_for_worker():
    end = time.monotonic() + 20
    while not worker() and time.monotonic() < end:
        time.sleep(0.005)
    return worker()


def is_free(device):
    """Nobody has it mounted, in whatever namespace: else it could not be had alone."""
    try:
        os.close(os.open(device, os.O_RDWR | os.O_EXCL))
        return True
    except OSError:
        return False


def test_unmount(tmp, away):
    what = f"a volume is unmounted meanwhile ({away or 'mount_setattr'})"
    device, why = make_volume(tmp)
    if not device:
        print(f"left out: {what}: {why}")
        return
    place, go = os.path.join(tmp, "volume"), os.path.join(tmp, "go")
    os.makedirs(place, exist_ok=True)
    if os.path.exists(go):
        os.unlink(go)
    mount(device, place, "ext4", 0)
    seen = []
    thread = threading.Thread(target=lambda: seen.append(see((), away, place=place, until=go)))
    thread.start()
    suite.expect_true(f"{what}: the worker runs", wait_for_worker())
    suite.expect(f"{what}: it is in use before", is_free(device), False)
    start = time.monotonic()
    done = subprocess.run(["umount", place], capture_output=True, text=True)
    took = time.monotonic() - start
    suite.expect(f"{what}: the host can", (done.returncode, done.stderr), (0, ""))
    suite.expect_true(f"{what}: at once", took < 1, f"{took:.2f} s")
    suite.expect(f"{what}: the device is free", is_free(device), True)
    suite.expect_true(f"{what}: the worker still runs", worker())
    with open(go, "w"):
        pass
    thread.join()
    suite.expect_in(f"{what}: it is gone there too", ", 0 at the place", seen[0][0].get("own"))
    subprocess.run(["losetup", "--detach", device], check=False)


def test_place(tmp):
    """Who starts k8scheck may stand beneath a mount, to which no path leads: a worker does not stand there."""
    place, go = os.path.join(tmp, "place"), os.path.join(tmp, "go-on")
    os.makedirs(place)
    mount("none", place, "tmpfs", 0)
    os.chdir(place)
    mount("none", place, "tmpfs", 0)
    seen = []
    thread = threading.Thread(target=lambda: seen.append(see((), "mount_setattr", place=place, until=go)))
    thread.start()
    pid = wait_for_worker()
    suite.expect("a covered place: where a worker stands", os.readlink(f"/proc/{pid}/cwd"), "/")
    at, root = os.stat(f"/proc/{pid}/cwd"), os.stat("/")
    suite.expect("a covered place: that is the root", (at.st_dev, at.st_ino), (root.st_dev, root.st_ino))
    with open(go, "w"):
        pass
    thread.join()
    hold_read_only("a covered place", {"own": seen[0][0].get("own", "").replace(", 2 at the", ", 0 at the")},
                   read("/proc/self/mountinfo").count("\n"), seen[0][1], covered())
    os.chdir("/")
    os.unlink(go)
    for _ in range(2):
        libc.umount2(place.encode(), MNT_DETACH)


def start_silent(place):
    """A file system of a process that answers nothing any more, with a mount in it: (process, why not)."""
    os.makedirs(place, exist_ok=True)
    server = subprocess.Popen([os.path.join(SUPPORT, "silent-fs"), place], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True)
    if not server.stdout.readline():
        return None, server.stderr.read().strip()
    mount("none", os.path.join(place, "below"), "tmpfs", 0)
    server.send_signal(signal.SIGUSR1)
    return server, None


SILENT = """
rules:
  - id: see
    check: bystander.see
    title: Sees
    with: {{keys: [kernel.pid_max]}}
  - id: disk
    check: host.filesystem
    title: Asks the file system itself
    with: {{path: {place}, free: 1Mi}}
  - id: disk-below
    check: host.filesystem
    title: Asks one to which the path leads through it
    with: {{path: {place}/below/data, free: 1Mi}}
  - id: mount
    check: mount.options
    title: Asks what is mounted there
    with: {{path: {place}/data, has: [rw]}}
  - id: after
    check: host.memory
    title: Is judged all the same
    with: {{at-least: 1Mi}}
  - id: other
    check: sysctl.value
    title: Asks elsewhere
    with: {{keys: [kernel.pid_max], value: "1", compare: at-least}}
"""


LAST = """
rules:
  - id: disk
    check: host.filesystem
    title: Asks the file system itself, and nothing comes after
    with: {{path: {place}, free: 1Mi}}
"""


def test_last(what, place, command):
    """Nothing else is to be judged, and the one worker cannot be ended."""
    for option, most in (("--timeout", 8), ("--deadline", 6)):
        start = time.monotonic()
        result = run(*command, "--plugin-dir", PLUGINS, "--horizon", "now", option, "1s", profile=LAST.format(place=place),
                     timeout=60)
        took = time.monotonic() - start
        suite.expect_true(f"{what}, nothing else, {option}: in time", took < most, f"{took:.2f} s")
        suite.expect(f"{what}, nothing else, {option}", (result.code, result.verdict("disk")), (3, "error"))
        suite.expect_in(f"{what}, nothing else, {option}: why", option, result.messages("disk"))


def test_silent(tmp, away):
    what = f"a mount without an answer ({away or 'mount_setattr'})"
    place = os.path.join(tmp, "silent")
    before = covered()
    server, why = start_silent(place)
    if not server:
        print(f"left out: {what}: {why}")
        return
    command = [TAKE_AWAY, away, PROGRAM] if away else [PROGRAM]
    start = time.monotonic()
    result = run(*command, "--plugin-dir", PLUGINS, "--plugin-dir", FOLDER, "--horizon", "now", "--timeout", "1s", "--deadline", "20s",
                 profile=SILENT.format(place=place))
    took = time.monotonic() - start
    print(f"{what}: {took * 1000:.0f} ms, {({i: r['verdict'] for i, r in result.rules.items()})}")
    suite.expect_true(f"{what}: in time", took < 15, f"{took:.2f} s")
    for rule, verdict in {"see": "fail", "disk": "error", "disk-below": "error", "mount": "error", "after": "pass",
                          "other": "pass"}.items():
        suite.expect(f"{what}: {rule}", result.verdict(rule), verdict)
    for rule in "disk", "disk-below", "mount":
        suite.expect_in(f"{what}: {rule}", "1 s", result.messages(rule))
    if result.report:
        missing = [x for x in result.report["run"].get("sandbox_missing", []) if x.startswith("read-only")]
        names = [path + " beneath another mount" for path in before] + [place + "/below"]
        want = f"read-only mounts on {', '.join(names)} (left as they are)"
        suite.expect(f"{what}: what is left", missing, [want] if away else [])
        own = [f.get("found") for j in result.rules["see"]["judgements"].values() for f in j["findings"]
               if f.get("subject") == "own"]
        suite.expect_in(f"{what}: its own", f" {len(names) if away else 0} writable", own[0] if own else "")
        suite.expect(f"{what}: nobody is blamed", [w for w in result.report["run"].get("warnings", []) if "behind" in w], [])
    test_last(what, place, command)
    suite.expect_true(f"{what}: some wait", left_over())
    # With its server all who wait are gone, and nothing is left of the run.
    server.kill()
    server.wait()
    libc.umount2(os.path.join(place, "below").encode(), MNT_DETACH)
    libc.umount2(place.encode(), MNT_DETACH)
    end = time.monotonic() + 5
    while left_over() and time.monotonic() < end:
        time.sleep(0.01)
    suite.expect(f"{what}: processes left", left_over(), [])


def left_over():
    """Processes of runs of this test, by the environment that they began with."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if f"{MARK}={os.getpid()}\0" in read(f"/proc/{pid}/environ") and read(f"/proc/{pid}/comm") != "silent-fs\n":
            found.append(read(f"/proc/{pid}/comm").strip())
    return found


if not contain():
    k8s.skip("it takes root, and namespaces of its own")
os.environ[MARK] = str(os.getpid())
tmp = tempfile.mkdtemp(prefix="k8scheck-mounts-")
os.chmod(tmp, 0o755)
# As systemd has it: what a host mounts and unmounts, others with a copy see.
mount("none", "/", "none", MS_REC | MS_SHARED)
try:
    hold_view("few mounts", see()[0])
    test_many(os.path.join(tmp, "many"))
    test_unmount(tmp, "")
    test_unmount(tmp, "mount_setattr")
    test_place(tmp)
    test_silent(tmp, "")
    test_silent(tmp, "mount_setattr")
finally:
    libc.umount2(os.path.join(tmp, "many").encode(), MNT_DETACH)
    shutil.rmtree(tmp, ignore_errors=True)
suite.end()
