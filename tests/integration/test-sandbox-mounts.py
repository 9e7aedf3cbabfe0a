#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mounts and the sandbox: thousands, what checks see of the host's, and a volume that the host unmounts meanwhile."""

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import k8s
from k8s import Suite, run
from sandbox_targets import contain, read

PROGRAM, PLUGINS, FOLDER = sys.argv[1:4]
TAKE_AWAY = os.path.join(FOLDER, "..", "shims", "take-away")
KEYS = ["kernel.pid_max", "kernel.threads-max", "kernel.hostname", "kernel.shmmax", "net.ipv4.ip_default_ttl",
        "fs.file-max"]
MANY = 3000
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
        return {"report": result.err}, [], took
    found = [f for j in result.rules["see"]["judgements"].values() for f in j["findings"]]
    seen = {f.get("subject", "?"): f.get("found") or f.get("message") for f in found}
    return seen, result.report["run"]["sandbox"], took


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
    return sum((number, path) in tops for number, _, _, _, path in mounts)


def hold_read_only(what, found, n, layers, left):
    suite.expect(f"{what}: layers", [x for x in layers if x.startswith("read-only")], ["read-only mounts"])
    own = f"{n} mounts, {left} writable, {left} with devices, 0 at the place"
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
        found, layers, took = see(args, away)
        n = hold_view(what, found)
        if args:
            suite.expect(f"{what}: layers", layers, [])
        else:
            hold_read_only(what, found, n, layers, covered() if away else 0)
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


def worker_is_up():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if read(f"/proc/{pid}/comm") == "@\n":
            return True
    return False


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
    end = time.monotonic() + 20
    while not worker_is_up() and time.monotonic() < end:
        time.sleep(0.005)
    suite.expect_true(f"{what}: the worker runs", worker_is_up())
    suite.expect(f"{what}: it is in use before", is_free(device), False)
    start = time.monotonic()
    done = subprocess.run(["umount", place], capture_output=True, text=True)
    took = time.monotonic() - start
    suite.expect(f"{what}: the host can", (done.returncode, done.stderr), (0, ""))
    suite.expect_true(f"{what}: at once", took < 1, f"{took:.2f} s")
    suite.expect(f"{what}: the device is free", is_free(device), True)
    suite.expect(f"{what}: the worker still runs", worker_is_up(), True)
    with open(go, "w"):
        pass
    thread.join()
    suite.expect_in(f"{what}: it is gone there too", ", 0 at the place", seen[0][0].get("own"))
    subprocess.run(["losetup", "--detach", device], check=False)


if not contain():
    k8s.skip("it takes root, and namespaces of its own")
tmp = tempfile.mkdtemp(prefix="k8scheck-mounts-")
os.chmod(tmp, 0o755)
# As systemd has it: what a host mounts and unmounts, others with a copy see.
mount("none", "/", "none", MS_REC | MS_SHARED)
try:
    hold_view("few mounts", see()[0])
    test_many(os.path.join(tmp, "many"))
    test_unmount(tmp, "")
    test_unmount(tmp, "mount_setattr")
finally:
    libc.umount2(os.path.join(tmp, "many").encode(), MNT_DETACH)
    shutil.rmtree(tmp, ignore_errors=True)
suite.end()
