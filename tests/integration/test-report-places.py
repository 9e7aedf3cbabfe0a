#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every kind of place that a report can be sent to, as root and as an ordinary user: written whole, or one sentence."""

import errno
import fcntl
import hashlib
import json
import os
import pty
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time

from k8s import Host, Suite
from three_rules import FILES, PROFILE

PROGRAM = sys.argv[1]
ME, OTHER, THIRD = 54321, 54322, 54323
GROUP = 54330
NOBODY = 65534
OLD = "what was there before"
SECONDS = 60  # that a run may take, without one that waits for a reader
STALL = 30  # that the program waits for the reader of a FIFO

suite = Suite("report places")


# ---- what is expected


class Written:
    """A whole report: at `at` (the place itself by default), with that owner and those permissions."""

    code = 0

    def __init__(self, at=None, owner=None, group=None, mode=0o644, changes=()):
        self.at, self.owner, self.group, self.mode, self.changes = at, owner, group, mode, changes


class Swallowed:
    """Written to what is no file: a device, a FIFO, a descriptor."""

    code = 0


class Refused:
    """Known before the rules are judged: nothing is written anywhere."""

    def __init__(self, sentence, code=6):
        self.sentence, self.code = sentence, code


class Lost:
    """Known only when it is written: the other report is there."""

    code = 6

    def __init__(self, sentence):
        self.sentence = sentence


# ---- the arena of a row


class Arena:
    """A folder of root's, and in it `own`, of who runs k8scheck."""

    def __init__(self, path, uid):
        self.path, self.uid = path, uid
        self.pass_fds, self.stdout, self.args, self.undo = (), None, [], []
        os.chmod(path, 0o755)
        self.folder("own", uid)
        self.own = self.at("own")

    def at(self, *names):
        return os.path.join(self.path, *names)

    def give(self, path, uid, gid=None):
        if os.geteuid() == 0:
            os.lchown(path, uid, uid if gid is None else gid)
        elif uid != os.geteuid() or gid not in (None, os.getegid()):
            raise PermissionError(errno.EPERM, "another's")

    def folder(self, name, uid, mode=0o755, gid=None):
        os.mkdir(self.at(name))
        self.give(self.at(name), uid, gid)
        os.chmod(self.at(name), mode)
        return self.at(name)

    def file(self, name, uid=None, mode=0o644, text=OLD):
        with open(self.at(name), "w") as f:
            f.write(text)
        self.give(self.at(name), self.uid if uid is None else uid)
        os.chmod(self.at(name), mode)
        return self.at(name)

    def link(self, name, target, uid=None):
        os.symlink(target, self.at(name))
        self.give(self.at(name), self.uid if uid is None else uid)
        return self.at(name)

    def fifo(self, name, uid=None, reader=True):
        os.mkfifo(self.at(name))
        self.give(self.at(name), self.uid if uid is None else uid)
        os.chmod(self.at(name), 0o666)
        if reader:
            self.read(self.at(name))
        return self.at(name)

    def read(self, path):
        """Whoever reads a FIFO, from before the program opens it."""
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(fd, True)
        self.got = b""

        def drain():
            # Nothing to read means that no writer is there yet, or that the last is gone.
            end = time.monotonic() + SECONDS
            while time.monotonic() < end and not self.ended:
                part = os.read(fd, 65536)
                self.got += part
                if not part:
                    time.sleep(0.01)
            os.close(fd)

        self.ended = False
        thread = threading.Thread(target=drain)
        thread.start()

        def stop():
            self.ended = True
            thread.join()

        self.undo.append(stop)

    def mount(self, *args):
        done = subprocess.run(["mount", *args], capture_output=True, text=True)
        if done.returncode != 0:
            raise PermissionError(errno.EPERM, done.stderr.strip())
        self.undo.append(lambda: subprocess.run(["umount", "-l", args[-1]], check=True))

    def tmpfs(self, name, options):
        os.mkdir(self.at(name))
        self.mount("-t", "tmpfs", "-o", options, "tmpfs", self.at(name))
        os.chmod(self.at(name), 0o755)
        self.give(self.at(name), self.uid)
        return self.at(name)

    def node(self, name, kind, major, minor):
        os.mknod(self.at(name), kind | 0o666, os.makedev(major, minor))
        os.chmod(self.at(name), 0o666)
        self.give(self.at(name), self.uid)
        return self.at(name)


def absent(a):
    return a.at("own/r.json")


def file_of_another(a):
    return a.file("own/r.json", OTHER, 0o666)


def hard_link(a):
    a.file("own/first", mode=0o666)
    os.link(a.at("own/first"), a.at("own/r.json"))
    return a.at("own/r.json")


def broken_loop(a):
    a.link("own/b", "a")
    return a.link("own/a", "b")


def bound_socket(a):
    s = socket.socket(socket.AF_UNIX)
    s.bind(a.at("own/s"))
    s.listen(1)
    a.give(a.at("own/s"), a.uid)
    a.undo.append(s.close)
    return a.at("own/s")


def terminal(a):
    master, slave = pty.openpty()
    a.give(os.ttyname(slave), a.uid)
    os.chmod(os.ttyname(slave), 0o600)
    a.got, ended = b"", []

    def drain():
        os.set_blocking(master, False)
        while not ended:
            try:
                a.got += os.read(master, 65536)
            except BlockingIOError:
                time.sleep(0.01)

    thread = threading.Thread(target=drain)
    thread.start()
    # The last is done first.
    a.undo += [lambda: os.close(slave), lambda: os.close(master), thread.join, lambda: ended.append(1)]
    return os.ttyname(slave)


def sticky(a, uid=0):
    return a.folder("sticky", uid, 0o1777)


def sticky_file(a):
    sticky(a)
    return a.file("sticky/r.json", OTHER, 0o666)


def sticky_link(a):
    """Somebody waits for root, or for me, to write over what is mine."""
    sticky(a)
    return a.link("sticky/r.json", a.file("own/mine"), OTHER)


def sticky_own_link(a):
    sticky(a)
    a.file("own/mine")
    return a.link("sticky/r.json", "../own/mine")


def sticky_dangling(a):
    sticky(a)
    return a.link("sticky/r.json", "../own/new", OTHER)


def sticky_folder_link(a):
    """The link is a folder on the way."""
    sticky(a)
    a.file("own/r.json")
    return a.link("sticky/d", "../own", OTHER) + "/r.json"


def sticky_fifo(a):
    sticky(a)
    return a.fifo("sticky/f", OTHER)


def group_fifo(a):
    a.folder("group", 0, 0o775, GROUP)
    return a.fifo("group/f", OTHER)


def their_sticky_link(a):
    """In a folder of one that all write, another's link at a file of the first."""
    sticky(a, OTHER)
    a.folder("theirs", OTHER)
    return a.link("sticky/r.json", a.file("theirs/r.json", OTHER), THIRD)


def theirs(a, mode=0o755, gid=None):
    return a.folder("theirs", OTHER, mode, gid) + "/r.json"


def their_file(a, uid, mode=0o644):
    theirs(a)
    return a.file("theirs/r.json", uid, mode)


def their_link(a, target):
    theirs(a)
    return a.link("theirs/r.json", target, OTHER)


def their_link_to_mine(a):
    return their_link(a, a.file("own/mine"))


def their_link_to_theirs(a):
    a.folder("deeper", OTHER)
    return their_link(a, "../deeper/r.json")


def their_link_to_a_third(a):
    a.folder("third", THIRD)
    a.link("third/r.json", "../own/r.json", THIRD)
    return their_link(a, "../third/r.json")


def their_link_behind_a_door(a):
    """A folder that all may write, where they could not go."""
    a.folder("own/closed", a.uid, 0o700)
    a.folder("own/closed/open", a.uid, 0o777)
    return their_link(a, a.at("own/closed/open/r.json"))


def their_fifo(a):
    theirs(a)
    return a.fifo("theirs/f", OTHER)


def parent_link(a):
    a.folder("own/d", a.uid)
    return a.link("own/l", "d") + "/r.json"


def group_folder(a):
    return a.folder("own/g", a.uid, 0o2775, GROUP) + "/r.json"


def read_only(a):
    path = a.tmpfs("ro", "size=64k")
    a.file("ro/r.json")
    a.mount("-o", "remount,ro", path)
    a.undo.pop()
    return path + "/r.json"


def fill(path):
    with open(path, "wb", buffering=0) as f:
        try:
            while True:
                f.write(b"\0" * 4096)
        except OSError:
            pass


def full(a):
    path = a.tmpfs("full", "size=64k")
    a.file("full/r.json")
    fill(path + "/fill")
    return path + "/r.json"


def no_inodes(a):
    return a.tmpfs("inodes", "size=64k,nr_inodes=1") + "/r.json"


def quota(a):
    """Of tmpfs, since Linux 6.6; a page is what the old report has."""
    path = a.tmpfs("quota", "size=1m,usrquota_block_hardlimit=4096")
    return a.file("quota/r.json") and path + "/r.json"


def mounted_file(a):
    a.file("own/r.json")
    a.mount("--bind", a.file("mine"), a.at("own/r.json"))
    return a.at("own/r.json")


def immutable(a):
    path = a.file("own/r.json")
    if subprocess.run(["chattr", "+i", path], capture_output=True).returncode != 0:
        raise PermissionError(errno.EPERM, "no immutable files here")
    a.undo.append(lambda: subprocess.run(["chattr", "-i", path], check=True))
    return path


def standard_output(a, path, place):
    fd = os.open(path, os.O_WRONLY)
    a.stdout = fd
    a.undo.append(lambda: os.close(fd))
    return place


def own_output(a, place):
    """The report is to take the name of the file that standard output goes to."""
    a.args = ["--report", "text"]
    return standard_output(a, a.file("own/r.json"), place(a))


def closed_output(a):
    a.stdout = "closed"
    return "-"


def read_only_output(a):
    fd = os.open("/dev/null", os.O_RDONLY)
    a.stdout = fd
    a.undo.append(lambda: os.close(fd))
    return "/dev/stdout"


def inherited(a):
    fd = os.open(a.file("own/log"), os.O_WRONLY | os.O_APPEND)
    a.pass_fds = (fd,)
    a.undo.append(lambda: os.close(fd))
    return f"/dev/fd/{fd}"


def second(a, name, place):
    """A second report at a place of the first."""
    a.args = ["--report", "junit=" + place]
    return a.at(name)


def two_names_by_a_link(a):
    a.link("own/l", ".")
    return second(a, "own/r.json", a.at("own/l/r.json"))


def two_to_a_fifo(a):
    return second(a, "own/f", a.fifo("own/f"))


def two_names_of_a_file(a):
    """Each name gets a file of its own."""
    hard_link(a)
    return second(a, "own/r.json", a.at("own/first"))


def unwritable_beside(a):
    """One place that is none spoils nothing of the other."""
    a.args = ["--report", "junit=/dev/full"]
    return a.at("own/r.json")


DENIED = Refused("Permission denied")
TAKEN = Refused(f"Permission denied, with the rights of user {OTHER}")
FOREIGN = Refused(f"leads over a link of user {OTHER}: name the file itself")
NOT_MINE = Refused(f"belongs to user {OTHER}, in a folder where only the owner of a file may replace it")
SAME = Written()

# Name; who makes it; what root gets; what an ordinary user gets (None: the same as root).
PLACES = [
    ("nothing", absent, Written(), None),
    ("a file", lambda a: a.file("own/r.json", mode=0o640), Written(mode=0o640), None),
    ("a set-user-ID file", lambda a: a.file("own/r.json", mode=0o4755), Written(mode=0o755), None),
    ("a file that may not be written", lambda a: a.file("own/r.json", mode=0o400), Written(mode=0o400), None),
    ("a file of another in a folder of one's own", file_of_another, Written(), None),
    ("a file with two names", hard_link, Written(), None),
    ("a link to a file", lambda a: a.file("own/t") and a.link("own/l", "t"), Written(at="own/t"), None),
    ("a link to nothing", lambda a: a.link("own/l", "t"), Written(at="own/t"), None),
    ("a link to a device", lambda a: a.link("own/l", "/dev/null"), Swallowed(), None),
    ("a link to a device that is full", lambda a: a.link("own/l", "/dev/full"), Lost("No space left on device"), None),
    ("a link to a folder", lambda a: a.link("own/l", "."), Refused("is a folder; name a file in it"), None),
    ("links in a circle", broken_loop, Refused("leads over too many links"), None),
    ("a link to itself", lambda a: a.link("own/l", "l"), Refused("leads over too many links"), None),
    ("a folder", lambda a: a.own, Refused("is a folder; name a file in it"), None),
    ("a folder with a slash", lambda a: a.own + "/", Refused("is a folder; name a file in it"), None),
    ("a folder by a dot", lambda a: a.own + "/.", Refused("is a folder; name a file in it"), None),
    ("nothing with a slash", lambda a: a.at("own/r.json/"), Refused("No such file or directory"), None),
    ("a file with a slash", lambda a: a.file("own/f") + "/", Refused("Not a directory"), None),
    ("a file as folder", lambda a: a.file("own/f") + "/r.json", Refused("Not a directory"), None),
    ("a folder that is missing", lambda a: a.at("own/no/r.json"), Refused("No such file or directory"), None),
    ("no name", lambda a: "", Refused("the name of a file is missing after =", 2), None),
    ("a name of 255 bytes", lambda a: a.at("own", "n" * 255), Written(), None),
    ("a name of 256 bytes", lambda a: a.at("own", "n" * 256), Refused("File name too long"), None),
    ("a path of 9000 bytes", lambda a: a.own + "/." * 4500 + "/r.json", Written(at="own/r.json"), None),
    ("a FIFO that nobody reads", lambda a: a.fifo("own/f", reader=False), Refused("nobody reads from this FIFO"), None),
    ("a FIFO", lambda a: a.fifo("own/f"), Swallowed(), None),
    ("a socket", bound_socket, Refused("is a socket; name a file"), None),
    ("/dev/null", lambda a: "/dev/null", Swallowed(), None),
    ("/dev/full", lambda a: "/dev/full", Lost("No space left on device"), None),
    ("/dev/tty of nobody", lambda a: "/dev/tty", Refused("No such device or address"), None),
    ("a terminal", terminal, Swallowed(), None),
    (
        "a block device",
        lambda a: a.node("own/b", stat.S_IFBLK, 7, 200),
        Refused("is a block device, whose content"),
        None,
    ),
    (
        "a link to a block device",
        lambda a: a.node("own/b", stat.S_IFBLK, 7, 200) and a.link("own/l", "b"),
        Refused("is a block device, whose content"),
        None,
    ),
    (
        "a file of the kernel",
        lambda a: "/proc/sys/kernel/printk",
        Refused("could not write the report json to /proc"),
        None,
    ),
    ("a path by /proc", lambda a: "/proc/self/cwd/r.json", Refused("leads over a link of /proc"), None),
    # Folders that others write
    ("nothing, where all write", lambda a: sticky(a) + "/r.json", Written(), None),
    ("a file of another, where all write", sticky_file, Written(), NOT_MINE),
    ("a link of another, where all write", sticky_link, TAKEN, FOREIGN),
    ("a link of another to nothing, where all write", sticky_dangling, TAKEN, FOREIGN),
    ("a link of another on the way, where all write", sticky_folder_link, TAKEN, FOREIGN),
    ("a link of one's own, where all write", sticky_own_link, Written(at="own/mine"), None),
    ("a FIFO of another, where all write", sticky_fifo, Refused(f"is a FIFO of user {OTHER}"), None),
    ("a FIFO of another, where a group writes", group_fifo, Refused(f"is a FIFO of user {OTHER}"), None),
    ("a folder of a group", group_folder, Written(group=GROUP), None),
    # Folders of another user
    ("a folder of another", theirs, Written(owner=OTHER, group=OTHER), DENIED),
    ("a folder of another that all write", lambda a: theirs(a, 0o777), Written(owner=OTHER, group=OTHER), Written()),
    ("a folder of another in root's group", lambda a: theirs(a, 0o755, 0), Written(owner=OTHER, group=NOBODY), DENIED),
    ("a folder of another that its owner may not write", lambda a: theirs(a, 0o555), TAKEN, DENIED),
    (
        "a file in a folder of another",
        lambda a: their_file(a, OTHER, 0o600),
        Written(owner=OTHER, group=OTHER, mode=0o600),
        DENIED,
    ),
    (
        "a file of root in a folder of another",
        lambda a: their_file(a, 0, 0o666),
        Written(owner=OTHER, group=OTHER),
        DENIED,
    ),
    ("a link in a folder of another to one's own", their_link_to_mine, TAKEN, FOREIGN),
    (
        "a link in a folder of another to another of theirs",
        their_link_to_theirs,
        Written(at="deeper/r.json", owner=OTHER, group=OTHER),
        FOREIGN,
    ),
    (
        "links of two others",
        their_link_to_a_third,
        Refused(f"over links of several users ({OTHER} and {THIRD})"),
        FOREIGN,
    ),
    (
        "a link of a third in a folder of another",
        their_sticky_link,
        Refused(f"over links of several users ({OTHER} and {THIRD})"),
        FOREIGN,
    ),
    ("a link of another past a closed folder", their_link_behind_a_door, TAKEN, FOREIGN),
    (
        "a link of another to standard output",
        lambda a: their_link(a, "/dev/stdout"),
        Refused(f"leads to an open file over a link of user {OTHER}"),
        FOREIGN,
    ),
    ("a FIFO in a folder of another", their_fifo, Swallowed(), None),
    ("a folder by a link", parent_link, Written(at="own/d/r.json"), None),
    # File systems
    ("a file system that is read-only", read_only, Refused("Read-only file system"), None),
    ("a file system that is full", full, Lost("No space left on device"), None),
    ("a file system without inodes", no_inodes, Refused("No space left on device"), None),
    ("a quota that is used up", quota, None, Lost("Disk quota exceeded")),
    ("a file that is mounted", mounted_file, Refused("is mounted by itself and cannot be replaced"), None),
    ("a file that is immutable", immutable, Lost("Operation not permitted"), None),
    # Descriptors
    ("an inherited descriptor", inherited, Swallowed(), None),
    ("a closed descriptor", lambda a: "/dev/fd/777", Refused("No such file or directory"), None),
    ("standard output that is closed", closed_output, Refused("standard output: it is closed"), None),
    (
        "/dev/stdout that is closed",
        lambda a: closed_output(a) and "/dev/stdout",
        Refused("/dev/stdout: it is closed"),
        None,
    ),
    ("standard output that is read-only", read_only_output, Refused("it is not open for writing"), None),
    ("the file that standard output is", lambda a: own_output(a, absent), Refused("two reports go to", 2), None),
    (
        "that file by /dev/stdout",
        lambda a: own_output(a, lambda a: "/dev/stdout"),
        Refused("two reports go to", 2),
        None,
    ),
    (
        "the file that an idle standard output is",
        lambda a: standard_output(a, a.file("own/r.json"), absent(a)),
        SAME,
        None,
    ),
    # Two reports
    ("two reports to a name", lambda a: second(a, "own/r.json", absent(a)), Refused("two reports go to", 2), None),
    ("two reports to a name by a link", two_names_by_a_link, Refused("two reports go to", 2), None),
    ("two reports to a FIFO", two_to_a_fifo, Refused("two reports go to", 2), None),
    ("two reports to two names of a file", two_names_of_a_file, Written(changes=["own/first"]), None),
    (
        "two reports to /dev/null",
        lambda a: second(a, "own/r.json", "/dev/null") and second(a, "/dev/null", "/dev/null"),
        Swallowed(),
        None,
    ),
    ("a report beside one that is lost", unwritable_beside, Written(), None),
]


# ---- a row


def snapshot(path):
    """All that can be told of a tree without reading what blocks."""
    seen = {}
    for folder, folders, files in os.walk(path):
        for name in folders + files:
            full = os.path.join(folder, name)
            st = os.lstat(full)
            what = [stat.S_IFMT(st.st_mode), st.st_mode, st.st_uid, st.st_gid, st.st_ino, st.st_rdev]
            if stat.S_ISLNK(st.st_mode):
                what.append(os.readlink(full))
            elif stat.S_ISREG(st.st_mode):
                with open(full, "rb") as f:
                    what.append(hashlib.sha256(f.read()).hexdigest())
            seen[os.path.relpath(full, path)] = what
    return seen


def command(uid, args):
    if uid == os.geteuid():
        return args
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *args]


def run(arena, host, place):
    args = [PROGRAM, "--root", host.path, "--live", "--profile", host.path + "/p.yaml"]
    args += ["--report", "text=" + arena.at("own/other.txt")] if "text" not in arena.args else []
    args += [*arena.args, "--report", "json=" + place]
    if arena.stdout == "closed":
        args = ["/bin/sh", "-c", 'exec "$@" >&-', "sh", *args]
    start = time.monotonic()
    done = subprocess.run(
        command(arena.uid, args),
        stdin=subprocess.DEVNULL,
        stdout=arena.stdout if isinstance(arena.stdout, int) else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=arena.pass_fds,
        start_new_session=True,
        timeout=SECONDS,
    )
    return done.returncode, done.stderr.decode("utf-8", "backslashreplace"), time.monotonic() - start


def hold_written(what, arena, place, expected, before, after):
    path = os.path.join(arena.path, expected.at) if expected.at else place
    name = os.path.relpath(path, arena.path)
    with open(path) as f:
        suite.expect(f"{what}: a whole report", len(json.load(f)["rules"]), 3)
    st = os.lstat(path)
    owner = arena.uid if expected.owner is None else expected.owner
    group = arena.uid if expected.group is None else expected.group
    suite.expect(f"{what}: its owner", (st.st_uid, st.st_gid), (owner, group))
    suite.expect(f"{what}: its permissions", oct(stat.S_IMODE(st.st_mode)), oct(expected.mode))
    suite.expect_true(f"{what}: it is new", before.get(name) != after[name])
    return {name, *expected.changes}


def judge(name, make, expected, uid, host, left_out):
    what = f"{name}, as {'root' if uid == 0 else 'a user'}"
    with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp:
        arena = Arena(tmp, uid)
        try:
            try:
                place = make(arena)
            except PermissionError as e:
                left_out.append(f"{what}: {e}")
                return
            before = snapshot(tmp)
            code, err, seconds = run(arena, host, place)
            after = snapshot(tmp)
            beside = 6 if "junit=/dev/full" in arena.args else expected.code
            suite.expect(f"{what}: exit code", (code, err if code != beside else ""), (beside, ""))
            touched = {k for k in before.keys() | after.keys() if before.get(k) != after.get(k)}
            mine = set()
            if isinstance(expected, Written):
                mine = hold_written(what, arena, place, expected, before, after)
            if isinstance(expected, (Refused, Lost)):
                suite.expect_in(f"{what}: the sentence", expected.sentence, err)
                suite.expect_true(f"{what}: it names the place", place in err or place in ("", "-"), err)
                suite.expect(f"{what}: one sentence", err.count("\n"), 1)
            if not isinstance(expected, Refused) and "text" not in arena.args:
                mine.add("own/other.txt")
                with open(arena.at("own/other.txt")) as f:
                    suite.expect_in(f"{what}: the other report", "gate: ", f.read())
            if isinstance(expected, Swallowed):
                mine |= {"own/log"} & touched
                if hasattr(arena, "got"):
                    end = time.monotonic() + 10
                    while not arena.got.rstrip().endswith(b"}") and time.monotonic() < end:
                        time.sleep(0.01)
                    suite.expect(f"{what}: what came out", len(json.loads(arena.got)["rules"]), 3)
            suite.expect(f"{what}: nothing else was touched", touched - mine, set())
            suite.expect_true(f"{what}: at once", seconds < STALL, f"{seconds:.1f} s")
        finally:
            for undo in reversed(arena.undo):
                undo()


# ---- what the table has no room for


def own_descriptors(host):
    """The program's own descriptors are no place for a report, though the kernel would open them."""
    with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp:
        arena = Arena(tmp, os.geteuid())
        for fd in range(3, 40):
            code, err, _ = run(arena, host, f"/dev/fd/{fd}")
            suite.expect(f"/dev/fd/{fd}: exit code", code, 6)
            suite.expect_true(f"/dev/fd/{fd}", "it is closed" in err or "No such file or directory" in err, err)


def stalled(host):
    """A reader that opened a FIFO and takes nothing: given up, and the report to a file does not wait for it."""
    with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp:
        arena = Arena(tmp, os.geteuid())
        path = arena.fifo("own/f", reader=False)
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        # No room for even a small report: a page, and it is full.
        writer = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        fcntl.fcntl(fd, 1031, 4096)  # F_SETPIPE_SZ
        try:
            while True:
                os.write(writer, b"x" * 4096)
        except BlockingIOError:
            pass
        start = time.monotonic()
        process = subprocess.Popen(
            [
                PROGRAM,
                "--root",
                host.path,
                "--live",
                "--profile",
                host.path + "/p.yaml",
                "--report",
                "json=" + path,
                "--report",
                "text=" + arena.at("own/other.txt"),
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        while not os.path.exists(arena.at("own/other.txt")) and time.monotonic() < start + STALL / 2:
            time.sleep(0.05)
        suite.expect_true(
            "a FIFO that stalls: the file is there meanwhile",
            os.path.exists(arena.at("own/other.txt")) and process.poll() is None,
        )
        _, err = process.communicate(timeout=STALL * 3)
        suite.expect("a FIFO that stalls: exit code", process.returncode, 6)
        suite.expect_in("a FIFO that stalls", f"{path}: its reader took nothing for {STALL} s", err)
        os.close(writer)
        os.close(fd)


def main():
    if os.geteuid() == 0 and "KC_TEST_MOUNTS" not in os.environ:
        # Mounts of the rows are nobody else's.
        os.environ["KC_TEST_MOUNTS"] = "own"
        done = subprocess.run(["unshare", "-m", "--propagation", "private", "true"], capture_output=True)
        if done.returncode == 0:
            os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable, *sys.argv])
    os.umask(0o022)
    left_out = []
    with Host(FILES) as host:
        os.chmod(host.path, 0o755)
        host.write("/p.yaml", PROFILE)
        waits = threading.Thread(target=stalled, args=(host,))
        waits.start()
        for name, make, root, user in PLACES:
            if root and os.geteuid() == 0:
                judge(name, make, root, 0, host, left_out)
            judge(name, make, user or root, ME if os.geteuid() == 0 else os.geteuid(), host, left_out)
        own_descriptors(host)
        waits.join()
    for line in left_out:
        print(f"left out: {line}")
    suite.expect_true("most places could be made", len(left_out) < len(PLACES))
    suite.end()


main()
