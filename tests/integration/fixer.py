# SPDX-License-Identifier: Apache-2.0
"""What k8scheck says to the fixer over their socket (checker/fix-message.c), for tests that say something else."""

import os
import socket
import struct
import subprocess

MAGIC = 0x6B386678
REQUEST, PLAN, CONSENT, PROGRESS, OUTCOME, ROLLBACK, LIST, REFUSED = range(1, 9)
NOW, BOOT = 1, 2
NONE = 0xFFFFFFFF

(
    MAKE_DIR,
    WRITE_FILE,
    EDIT_FILE,
    MOVE_ASIDE,
    REMOVE_FILE,
    SET_MODE,
    SYSCTL,
    LOAD_MODULE,
    SWAP_OFF,
    SELINUX_MODE,
    UNIT_ENABLE,
    UNIT_DISABLE,
    UNIT_MASK,
    UNIT_START,
    UNIT_STOP,
    UNIT_RESTART,
    SYSTEMD_RELOAD,
    FIREWALLD_ZONE,
    FIREWALLD_PORT,
    MANUAL,
) = range(1, 21)

NEEDED, ALREADY, BY_HAND, HELD, REFUSED_STEP, DONE, FAILED, TAKEN_BACK, STUCK, NOT_BEGUN = range(1, 11)


def u32(value):
    return struct.pack("=I", value & 0xFFFFFFFF)


def sized(data):
    return u32(len(data)) + data + b"\0"


def text(value):
    if value is None:
        return u32(NONE)
    return sized(value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape"))


def maybe(data):
    """Bytes, or none."""
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogateescape")
    return u32(data is not None) + sized(data or b"")


def step(kind, target, content=None, before=None, mode=0, uid=0, gid=0, flags=0, horizon=BOOT, why="Because."):
    head = b"".join(u32(v) for v in (kind, flags, horizon, mode, uid, gid))
    return head + text(target) + maybe(content) + maybe(before) + text(why)


def request(rules):
    """`rules`: (id, steps) or (id, steps, fault)."""
    out = u32(len(rules))
    for rule, steps, *fault in rules:
        out += text(rule) + text(fault[0] if fault else None) + u32(len(steps)) + b"".join(steps)
    return out


def consent(digest, rules, weaken=True):
    return text(digest) + u32(weaken) + u32(len(rules)) + b"".join(text(rule) for rule in rules)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def u32(self):
        self.at += 4
        return struct.unpack("=I", self.data[self.at - 4 : self.at])[0]

    def u64(self):
        self.at += 8
        return struct.unpack("=Q", self.data[self.at - 8 : self.at])[0]

    def text(self):
        size = self.u32()
        if size == NONE:
            return None
        self.at += size + 1
        return self.data[self.at - size - 1 : self.at - 1].decode("utf-8", "surrogateescape")

    def maybe(self):
        there, value = self.u32(), self.text()
        return value if there else None


def read_node(r):
    node = {"type": r.u32(), "mode": r.u32(), "uid": r.u32(), "gid": r.u32(), "size": r.u64(), "sha256": r.text()}
    node["text"] = r.maybe()
    return node


def read_step(r):
    names = ("target", "content", "why", "text", "inverse", "before", "after")
    s = {"kind": r.u32(), "flags": r.u32(), "horizon": r.u32(), "state": r.u32()}
    s.update((name, r.text()) for name in names)
    s["changes"] = [
        {"path": r.text(), "secret": r.u32(), "before": read_node(r), "after": read_node(r)} for _ in range(r.u32())
    ]
    return s


def read_plan(data):
    r = Reader(data)
    plan = {name: r.text() for name in ("profile", "root", "hash", "transaction", "refusal")}
    plan["rules"] = [
        {"id": r.text(), "text": r.text(), "steps": [read_step(r) for _ in range(r.u32())]} for _ in range(r.u32())
    ]
    plan["steps"] = [s for rule in plan["rules"] for s in rule["steps"]]
    return plan


def read_outcome(data):
    r = Reader(data)
    out = {"result": r.u32(), "text": r.text(), "transaction": r.text(), "notes": [r.text() for _ in range(r.u32())]}
    out["changed"] = r.u32()
    return out


def hold_the_place():
    """Keeps descriptor 3 taken, so that nothing of a child's start lies where its socket has to be."""
    try:
        os.fstat(3)
    except OSError:
        null = os.open("/dev/null", os.O_RDONLY)
        if null != 3:
            os.dup2(null, 3)
            os.close(null)


class Fixer:
    """One that runs, started as k8scheck starts it."""

    def __init__(self, k8scheck, *arguments):
        program = os.path.join(os.path.dirname(k8scheck), "..", "libexec", "k8scheck", "k8scheck-fixer")
        hold_the_place()
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(60)
        self.process = subprocess.Popen(
            ["k8scheck", *arguments],
            executable=program,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(3,),
            preexec_fn=lambda: os.dup2(theirs.fileno(), 3),
        )
        theirs.close()

    def raw(self, data):
        """False: it does not listen any more."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def send(self, kind, data):
        return self.raw(u32(MAGIC) + u32(kind) + u32(len(data)) + data)

    def exactly(self, n):
        data = b""
        while len(data) < n:
            try:
                part = self.socket.recv(n - len(data))
            except ConnectionResetError:
                part = b""
            if not part:
                return None
            data += part
        return data

    def receive(self):
        """(type, data), or (None, b"") when it has gone."""
        head = self.exactly(12)
        if head is None:
            return None, b""
        magic, kind, size = struct.unpack("=III", head)
        assert magic == MAGIC
        return kind, self.exactly(size) or b""

    def plan(self, rules):
        """The plan of a request, or the sentence of a refusal."""
        self.send(REQUEST, rules if isinstance(rules, bytes) else request(rules))
        kind, data = self.receive()
        return read_plan(data) if kind == PLAN else Reader(data).text() if kind == REFUSED else None

    def agree(self, digest, rules, weaken=True):
        self.send(CONSENT, consent(digest, rules, weaken))
        return self.outcome()

    def outcome(self):
        """The outcome, the sentence of a refusal, or None."""
        while True:
            kind, data = self.receive()
            if kind == OUTCOME:
                return read_outcome(data)
            if kind == REFUSED:
                return Reader(data).text()
            if kind is None:
                return None

    def end(self):
        """What it said on its way, and its exit code."""
        self.socket.close()
        out, _ = self.process.communicate(timeout=60)
        return self.process.returncode, out.decode("utf-8", "backslashreplace")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.returncode is None:
            self.end()
