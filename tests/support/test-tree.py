#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tree.py finds each kind of difference, by its name, and finds none where there is none."""

import array
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import tree

SET_FLAGS, NODUMP = 0x40086602, 0x40
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.geteuid() == 0
failed = []


def check(what, good, more=""):
    if not good:
        failed.append(what)
    print(f"{'ok' if good else 'FAILED'}: {what} {more if not good else ''}".rstrip())


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def build(top):
    """Always the same; all times are those of one instant."""
    os.makedirs(top + "/folder/below")
    os.makedirs(top + "/state/below")
    write(top + "/folder/file", "content\n")
    write(top + "/folder/other", "content\n")
    write(top + "/state/below/file", "state\n")
    os.link(top + "/folder/other", top + "/folder/same")
    write(top + "/folder/third", "content\n")
    os.symlink("file", top + "/folder/link")
    os.mkfifo(top + "/folder/fifo")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(top + "/folder/socket")
    write(os.fsencode(top) + b"/folder/not \xff\n text", "name\n")
    if ROOT:
        os.mknod(top + "/folder/device", 0o600 | 0o020000, os.makedev(1, 3))
    settle(top)


def settle(top):
    """What was done to the names of a tree does not show in the times of its folders."""
    for folder, folders, files in os.walk(top, topdown=False):
        for name in files + folders:
            os.utime(os.path.join(folder, name), ns=(5, 10**18 + 7), follow_symlinks=False)
        os.utime(folder, ns=(5, 10**18 + 7))


def set_nodump(path):
    """Beside what the file system has set for itself."""
    value = array.array("l", [0])
    fd = os.open(path, os.O_RDONLY)
    try:
        fcntl.ioctl(fd, tree.GET_FLAGS, value, True)
        value[0] |= NODUMP
        fcntl.ioctl(fd, SET_FLAGS, value)
    finally:
        os.close(fd)


def retime(path, ns):
    os.utime(path, ns=(5, ns), follow_symlinks=False)


def acl(user):
    """system.posix_acl_access: what mode 644 is, and r for one more user."""
    rows = [(1, 6, 0xFFFFFFFF), (2, 4, user), (4, 4, 0xFFFFFFFF), (0x10, 4, 0xFFFFFFFF), (0x20, 4, 0xFFFFFFFF)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *row) for row in rows)


def relink(path, target):
    os.unlink(path)
    os.symlink(target, path)


def become_folder(path):
    os.unlink(path)
    os.mkdir(path, 0o644)


def become_device(path, minor):
    os.unlink(path)
    os.mknod(path, 0o600 | 0o020000, os.makedev(1, minor))


def swap_names(top):
    """Of the same content, and so known by nothing but which two are one."""
    os.unlink(top + "/folder/same")
    os.rename(top + "/folder/third", top + "/folder/same")
    os.link(top + "/folder/other", top + "/folder/third")


# What is done to a tree, and all that is to be said of it then; times of folders are put back first.
CASES = [
    ("content", lambda t: write(t + "/folder/file", "CONTENT\n"), ["folder/file: sha256"]),
    ("size", lambda t: write(t + "/folder/file", "more content\n"), ["folder/file: sha256", "folder/file: size"]),
    ("mode", lambda t: os.chmod(t + "/folder/file", 0o4644), ["folder/file: mode"]),
    ("mode of a folder", lambda t: os.chmod(t + "/folder/below", 0o700), ["folder/below: mode"]),
    ("mode of the root", lambda t: os.chmod(t, 0o711), [".: mode"]),
    ("a new file", lambda t: write(t + "/folder/below/new", ""), ["folder/below/new: is new, a file"]),
    ("a new folder", lambda t: os.mkdir(t + "/folder/new"), ["folder/new: is new, a folder"]),
    ("a file gone", lambda t: os.unlink(t + "/folder/file"), ["folder/file: is gone, was a file"]),
    ("a folder gone", lambda t: os.rmdir(t + "/folder/below"), ["folder/below: is gone, was a folder"]),
    ("a link elsewhere", lambda t: relink(t + "/folder/link", "elsewhere"), ["folder/link: target"]),
    ("a file that is one more name", lambda t: os.link(t + "/folder/file", t + "/state/name"), ["folder/file: nlink"]),
    (
        "which names are one file",
        swap_names,
        ["folder/same: nlink", "folder/same: same_as", "folder/third: nlink", "folder/third: same_as"],
    ),
]
# The same of the times, which are not put back.
TIMES = [
    ("mtime of a file, by a nanosecond", lambda t: retime(t + "/folder/file", 10**18 + 8), ["folder/file: mtime"]),
    ("mtime of a folder", lambda t: retime(t + "/folder", 10**18), ["folder: mtime"]),
    ("mtime of a link", lambda t: retime(t + "/folder/link", 10**18), ["folder/link: mtime"]),
    ("mtime of the root", lambda t: retime(t, 10**18), [".: mtime"]),
    ("a name that came and went", lambda t: os.rmdir(t + "/folder/below/x"), ["folder/below: mtime"]),
    ("atime alone", lambda t: os.utime(t + "/folder/file", ns=(99, 10**18 + 7)), []),
    ("nothing", lambda t: None, []),
]
OF_ROOT = [
    ("owner", lambda t: os.chown(t + "/folder/file", 12, -1), ["folder/file: uid"]),
    ("group", lambda t: os.chown(t + "/folder/below", -1, 12), ["folder/below: gid"]),
    ("owner of a link", lambda t: os.lchown(t + "/folder/link", 12, -1), ["folder/link: uid"]),
    ("a device's number", lambda t: become_device(t + "/folder/device", 5), ["folder/device: device"]),
]


def stated(differences):
    """The differences without what was and what is."""
    return [d.split(" was ")[0] if not d.endswith(("file", "folder")) else d for d in differences]


def run_case(before, tmp, name, act, expected, times_back):
    top = os.path.join(tmp, "after")
    build(top)
    if "came and went" in name:
        os.mkdir(top + "/folder/below/x")
    act(top)
    if times_back:
        settle(top)
    said = tree.compare(before, tree.snapshot(top), ["/state"])
    check(name, stated(said) == expected, said)
    shutil.rmtree(top)


def run_attribute(before, tmp, name, act, expected):
    """What not every file system has; one that has it not says so."""
    top = os.path.join(tmp, "after")
    build(top)
    try:
        act(top)
    except OSError as e:
        print(f"not here: {name}: {e.strerror}")
    else:
        said = tree.compare(before, tree.snapshot(top), ["state"])
        check(name, len(said) == 1 and said[0].startswith(expected), said)
    shutil.rmtree(top)


ATTRIBUTES = [
    (
        "an extended attribute",
        lambda t: os.setxattr(t + "/folder/file", "user.k8scheck", b"\0\xff"),
        'folder/file: user.k8scheck was null, is "00ff"',
    ),
    (
        "an ACL",
        lambda t: os.setxattr(t + "/folder/file", "system.posix_acl_access", acl(12)),
        "folder/file: system.posix_acl_access was null, is ",
    ),
    (
        "an ACL for new files",
        lambda t: os.setxattr(t + "/folder/below", "system.posix_acl_default", acl(12)),
        "folder/below: system.posix_acl_default was null, is ",
    ),
    (
        "capabilities",
        lambda t: os.setxattr(t + "/folder/file", "security.capability", struct.pack("<5I", 0x2000000, 1, 0, 0, 0)),
        "folder/file: security.capability was null, is ",
    ),
    (
        "an attribute of a link",
        lambda t: os.setxattr(t + "/folder/link", "trusted.k8scheck", b"x", follow_symlinks=False),
        'folder/link: trusted.k8scheck was null, is "78"',
    ),
    ("inode flags", lambda t: set_nodump(t + "/folder/file"), "folder/file: flags was 0, is 64"),
]


def run(*args):
    command = [sys.executable, os.path.join(HERE, "tree.py"), *args]
    return subprocess.run(command, capture_output=True, text=True, errors="backslashreplace", timeout=60)


def test_program(top, tmp):
    kept = os.path.join(tmp, "snapshot")
    done = run("snapshot", top)
    write(kept, done.stdout)
    check("a snapshot is printed", (done.returncode, done.stderr) == (0, ""), done)
    done = run("compare", kept, top)
    check("no difference is exit 0, and nothing said", (done.returncode, done.stdout, done.stderr) == (0, "", ""), done)
    os.chmod(top + "/folder/file", 0o600)
    write(top + "/state/new", "")
    done = run("compare", kept, top, "--except", "/state")
    said = 'folder/file: mode was "0644", is "0600"\n'
    check("differences are exit 1", (done.returncode, done.stdout, done.stderr) == (1, said, ""), done)
    done = run("compare", kept, top)
    check("without --except more", done.returncode == 1 and "state/new: is new" in done.stdout, done)
    done = run("compare", top, kept, "--except", "folder", "--except", "state/new", "--any-mtime", "/state")
    check("--except and --any-mtime may be repeated", (done.returncode, done.stdout) == (0, ""), done)
    write(kept, "")
    for bad in (kept, top + "/none"):
        done = run("compare", bad, top)
        check("what is no tree is exit 2", done.returncode == 2 and done.stderr, done)


def test_excepted(before, top):
    paths = [entry["path"] for entry in before]
    check("what is excepted has no entry", "state" not in paths and "folder/below" in paths, paths)
    check("an excepted name ends where it ends", "state" in [e["path"] for e in tree.snapshot(top, ["stat"])])
    check("the name that is no text is there", "folder/not \udcff\n text" in paths, paths)


os.umask(0o022)
# On a disk, where there is one: more kinds of attributes are had there.
with tempfile.TemporaryDirectory(prefix="k8scheck-tree-", dir="/var/tmp") as tmp:
    top = os.path.join(tmp, "before")
    build(top)
    before = tree.snapshot(top, ["/state"])
    test_excepted(before, top)
    for case in CASES + (OF_ROOT if ROOT else []):
        run_case(before, tmp, *case, True)
    for case in TIMES:
        run_case(before, tmp, *case, False)
    after = os.path.join(tmp, "after")
    build(after)
    become_folder(after + "/folder/file")
    said = stated(tree.compare(before, tree.snapshot(after, ["/state"])))
    check("type", "folder/file: type" in said, said)
    shutil.rmtree(after)
    for case in ATTRIBUTES:
        run_attribute(before, tmp, *case)
    test_program(top, tmp)
print(f"{len(failed)} failed")
sys.exit(1 if failed else 0)
