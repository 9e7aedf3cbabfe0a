#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which plugins are loaded: each rule of trust broken in turn, and files that are no plugin, or another one."""

import os
import random
import re
import shutil
import struct
import sys
import tempfile

import k8s
from k8s import Suite, call

PROGRAM, PLUGINS, FAULTY, PROBE, SUPPORT = sys.argv[1:6]
ROOT = os.geteuid() == 0
SOMEBODY = 4242

suite = Suite("loader")

PROFILE = """\
rules:
  - {id: trace, check: probe.trace, title: Leaves a trace}
"""
BOTH = (
    PROFILE
    + """\
  - {id: good, check: sysctl.value, title: A good rule, with: {keys: [test.good], value: 1}}
"""
)


def read(path):
    with open(path, "rb") as f:
        return f.read()


ORIGINAL = read(os.path.join(PROBE, "probe.so"))
MANIFEST = read(os.path.join(PROBE, "probe.yaml")).decode()


class Place:
    """TOP/parent/plugins with the plugin probe, good at first."""

    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="k8scheck-test-")
        self.parent = os.path.join(self.top, "parent")
        self.dir = os.path.join(self.parent, "plugins")
        os.makedirs(self.dir)
        for path in (self.parent, self.dir):
            os.chmod(path, 0o755)
        self.so, self.yaml = os.path.join(self.dir, "probe.so"), os.path.join(self.dir, "probe.yaml")
        self.put(self.so, ORIGINAL)
        self.put(self.yaml, MANIFEST.encode())

    @staticmethod
    def put(path, data, mode=0o644):
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, mode)

    def run(self, profile=PROFILE, **options):
        return k8s.run(PROGRAM, "--plugin-dir", self.dir, "--plugin-dir", PLUGINS, profile=profile, **options)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.top)


def accepted(what, prepare=None, wanted="pass"):
    with Place() as place:
        if prepare:
            prepare(place)
        result = place.run()
        suite.expect(f"{what}: exit code", result.code, 0)
        suite.expect(f"{what}: verdict", result.verdict("trace"), wanted)
        suite.expect(f"{what}: standard error", result.err, "")


def refused(what, prepare, message):
    """Exit 2, no report, and a sentence that names plugin, file and reason; @ is the folder of the test."""
    with Place() as place:
        prepare(place)
        result = place.run()
        suite.expect(f"{what}: exit code", result.code, 2)
        suite.expect(f"{what}: no report", (result.report, result.out), (None, ""))
        suite.expect_in(what, message.replace("@", place.top), result.err)
        suite.expect_in(f"{what}: the plugin is named", "probe", result.err.replace(place.top, ""))
        suite.expect(f"{what}: one sentence", result.err.count("\n"), 1)


def test_trust():
    def mode(name, bits):
        return lambda place: os.chmod(getattr(place, name), bits)

    accepted("a good plugin")
    refused(
        "group-writable",
        mode("so", 0o664),
        "k8scheck: plugin probe is refused: @/parent/plugins/probe.so is not trusted: others can write to "
        "@/parent/plugins/probe.so (its mode is 0664)\n",
    )
    refused("world-writable", mode("so", 0o646), "others can write to @/parent/plugins/probe.so (its mode is 0646)\n")
    refused(
        "a manifest that the group writes",
        mode("yaml", 0o664),
        "plugin probe is refused: @/parent/plugins/probe.yaml is not trusted: others can write to @/parent/plugins/probe.yaml (its mode is 0664)\n",
    )
    refused(
        "a manifest that all write",
        mode("yaml", 0o666),
        "others can write to @/parent/plugins/probe.yaml (its mode is 0666)\n",
    )
    refused(
        "a folder that the group writes",
        mode("dir", 0o775),
        "others can write to @/parent/plugins (its mode is 0775)\n",
    )
    refused("a folder that all write", mode("dir", 0o777), "others can write to @/parent/plugins (its mode is 0777)\n")
    refused("a parent that all write", mode("parent", 0o777), "others can write to @/parent (its mode is 0777)\n")
    refused(
        "a parent that the group writes",
        mode("parent", 0o775),
        "others can write to @/parent (its mode is 0775)\n",
    )
    accepted("a sticky parent that the group writes", mode("parent", 0o1775))
    refused(
        "a file that all write in a sticky folder",
        lambda place: (os.chmod(place.dir, 0o1777), os.chmod(place.so, 0o646)),
        "others can write to @/parent/plugins/probe.so (its mode is 0646)\n",
    )
    # In a sticky folder nobody can exchange what belongs to another.
    accepted("a sticky parent", mode("parent", 0o1777))
    accepted("a sticky folder", mode("dir", 0o1777))

    def to_link(target_mode, folder_mode=0o755, part="so"):
        def prepare(place):
            elsewhere = os.path.join(place.top, "elsewhere")
            os.mkdir(elsewhere)
            target = os.path.join(elsewhere, "target")
            os.rename(getattr(place, part), target)
            os.symlink("../../elsewhere/target", getattr(place, part))
            os.chmod(target, target_mode)
            os.chmod(elsewhere, folder_mode)

        return prepare

    accepted("a link to a trusted place", to_link(0o644))
    refused(
        "a link to a file that others write",
        to_link(0o666),
        "others can write to @/elsewhere/target (its mode is 0666)\n",
    )
    refused(
        "a link into a folder that others write",
        to_link(0o644, 0o777),
        "others can write to @/elsewhere (its mode is 0777)\n",
    )
    refused(
        "a manifest by a link into such a folder",
        to_link(0o644, 0o777, "yaml"),
        "others can write to @/elsewhere (its mode is 0777)\n",
    )

    def folder_by_link(place):
        os.rename(place.dir, os.path.join(place.parent, "real"))
        os.symlink("real", place.dir)
        os.chmod(os.path.join(place.parent, "real"), 0o777)

    refused("a folder by a link", folder_by_link, "others can write to @/parent/real (its mode is 0777)\n")

    def in_a_circle(place):
        os.unlink(place.so)
        os.symlink("probe.so", place.so)

    refused("a link to itself", in_a_circle, "one link too many")
    refused(
        "a folder in its place",
        lambda place: (os.unlink(place.so), os.mkdir(place.so)),
        "@/parent/plugins/probe.so is a folder\n",
    )
    refused(
        "a FIFO in its place",
        lambda place: (os.unlink(place.so), os.mkfifo(place.so)),
        "probe.so is not a regular file\n",
    )
    refused(
        "nothing in its place",
        lambda place: os.unlink(place.so),
        "plugin probe is refused: @/parent/plugins/probe.so is not there beside its manifest; was it built?\n",
    )
    # Nothing comes from elsewhere in its stead, and a plugin that no rule uses costs nothing.
    with Place() as place:
        os.chmod(place.so, 0o666)
        result = call(
            PROGRAM, "--plugin-dir", place.dir, "--plugin-dir", PROBE, "--plugin-dir", PLUGINS, profile=PROFILE
        )
        suite.expect("the same name in a later folder does not stand in", result.code, 2)
        result = place.run(profile=BOTH.replace("required", "info").replace(PROFILE.split("\n", 1)[1], ""))
        suite.expect_in("a refused plugin that no rule uses: exit code", result.code, (0, 1, 3))
        suite.expect("a refused plugin that no rule uses: standard error", result.err, "")


def test_owners():
    def give(name):
        return lambda place: os.chown(getattr(place, name), SOMEBODY, SOMEBODY)

    refused("another's file", give("so"), f"@/parent/plugins/probe.so belongs to uid {SOMEBODY}, who could change it\n")
    refused(
        "another's manifest",
        give("yaml"),
        f"@/parent/plugins/probe.yaml belongs to uid {SOMEBODY}, who could change it\n",
    )
    refused("another's folder", give("dir"), f"@/parent/plugins belongs to uid {SOMEBODY}, who could change it\n")
    refused("another's parent", give("parent"), f"@/parent belongs to uid {SOMEBODY}, who could change it\n")

    def others_link(place):
        os.rename(place.so, os.path.join(place.top, "target.so"))
        os.chmod(place.dir, 0o1777)
        os.symlink("../../target.so", place.so)
        os.lchown(place.so, SOMEBODY, SOMEBODY)

    refused(
        "another's link in a sticky folder",
        others_link,
        f"@/parent/plugins/probe.so belongs to uid {SOMEBODY}, who could change it\n",
    )

    def others_file(place):
        os.chmod(place.dir, 0o1777)
        os.chown(place.so, SOMEBODY, SOMEBODY)

    refused(
        "another's file in a sticky folder",
        others_file,
        f"@/parent/plugins/probe.so belongs to uid {SOMEBODY}, who could change it\n",
    )


class Elf:
    """As much of a 64-bit little-endian object as is needed to spoil it."""

    def __init__(self, data):
        self.data = bytearray(data)
        (self.shoff,) = struct.unpack_from("<Q", data, 40)
        (self.shnum,) = struct.unpack_from("<H", data, 60)

    def section(self, kind):
        for i in range(self.shnum):
            at = self.shoff + 64 * i
            if struct.unpack_from("<I", self.data, at + 4)[0] == kind:
                return struct.unpack_from("<QQI", self.data, at + 24)
        raise LookupError(kind)

    def add_dynamic(self, tag, value):
        """In the place of one of the empty entries that linkers leave at the end."""
        offset, size, _ = self.section(6)
        tags = [struct.unpack_from("<q", self.data, offset + 16 * i)[0] for i in range(size // 16)]
        first = tags.index(0)
        assert tags[first : first + 2] == [0, 0]
        struct.pack_into("<qQ", self.data, offset + 16 * first, tag, value)
        return bytes(self.data)

    def string(self, text):
        """The offset of a text among the dynamic strings."""
        _, _, link = self.section(11)
        offset, size = struct.unpack_from("<QQ", self.data, self.shoff + 64 * link + 24)
        return bytes(self.data[offset : offset + size]).index(text.encode() + b"\0")


def patched(offset, text):
    data = bytearray(ORIGINAL)
    data[offset : offset + len(text)] = text
    return bytes(data)


def test_files():
    def put(data):
        return lambda place: place.put(place.so, data)

    is_64_little = ORIGINAL[4] == 2 and ORIGINAL[5] == 1
    magic = struct.pack("<I" if ORIGINAL[5] == 1 else ">I", 0x6B386373)
    suite.expect("magic numbers in the plugin", ORIGINAL.count(magic), 1)
    at = ORIGINAL.index(magic)
    major, minor = struct.unpack_from("<HH" if ORIGINAL[5] == 1 else ">HH", ORIGINAL, at + 4)
    order = "<H" if ORIGINAL[5] == 1 else ">H"
    refused("an empty file", put(b""), "@/parent/plugins/probe.so is no shared object (0 bytes)\n")
    refused("a text", put(b"#!/bin/sh\nrm -rf /\n"), "probe.so is no shared object (no ELF header)\n")
    refused(
        "another ABI",
        put(patched(at + 4, struct.pack(order, major + 9))),
        f"probe.so is built for plugin ABI {major + 9}.{minor}, and this k8scheck has {major}.{minor}; build it again with the installed k8scheck-plugin.h\n",
    )
    accepted("a later minor ABI", put(patched(at + 6, struct.pack(order, minor + 9))))
    refused(
        "another magic number",
        put(patched(at, b"xxxx")),
        "probe.so is no k8scheck plugin: its kc_plugin has another magic number\n",
    )
    refused(
        "another machine",
        put(patched(18, struct.pack(order, 40))),
        "probe.so is built for another machine than this k8scheck\n",
    )
    refused(
        "another class",
        put(patched(4, bytes([3 - ORIGINAL[4]]))),
        "probe.so is built for another machine than this k8scheck\n",
    )
    refused(
        "another byte order",
        put(patched(5, bytes([3 - ORIGINAL[5]]))),
        "probe.so is built for another machine than this k8scheck\n",
    )
    refused("a relocatable file", put(patched(16, struct.pack(order, 1))), "probe.so is no shared object\n")
    with open("/proc/self/maps") as f:
        library = next(line.split()[-1] for line in f if re.search(r"/libc[.-]", line))
    refused("another library", put(read(library)), "probe.so is no k8scheck plugin: it exports no kc_plugin\n")
    if is_64_little:
        refused(
            "a RUNPATH",
            put(Elf(ORIGINAL).add_dynamic(29, 1)),
            "probe.so has an RPATH or RUNPATH, which could load code from folders that nobody vetted; link it without\n",
        )
        refused("an RPATH", put(Elf(ORIGINAL).add_dynamic(15, 1)), "probe.so has an RPATH or RUNPATH")
        test_missing_library()
        test_needed_libraries()
        test_current_folder()
        test_needed_by_a_door()
        test_truncated()
    else:
        print("left out: RUNPATH, missing libraries and cut files, which are written for 64-bit little-endian machines")


def test_missing_library():
    elf = Elf(ORIGINAL)
    with Place() as place:
        place.put(place.so, elf.add_dynamic(1, elf.string("kc_plugin")))
        with k8s.Host({"/etc/sysctl.d/99-t.conf": "test.good = 1\n", "/proc/sys/test/good": "1\n"}) as host:
            result = k8s.run(
                PROGRAM, "--plugin-dir", place.dir, "--plugin-dir", PLUGINS, "--root", host.path, "--live", profile=BOTH
            )
        suite.expect("a missing library: exit code", result.code, 3)
        suite.expect("a missing library: its rule", result.verdict("trace"), "error")
        suite.expect_in(
            "a missing library: the reason",
            f"plugin probe ({place.so}) cannot be loaded: kc_plugin: cannot open shared object file",
            result.messages("trace"),
        )
        suite.expect("a missing library: the other rule", result.verdict("good"), "pass")


def test_needed_libraries():
    """What a plugin needs is held to the same rules: here some library, under a name that the plugin has a word for."""
    elf = Elf(ORIGINAL)
    needing = elf.add_dynamic(1, elf.string("kc_plugin"))

    def place_with(folder_mode=0o755, file_mode=0o644, owner=None, top_mode=0o755):
        place = Place()
        place.put(place.so, needing)
        libraries = os.path.join(place.top, "between", "libraries")
        os.makedirs(libraries)
        library = os.path.join(libraries, "kc_plugin")
        place.put(library, some_library(), file_mode)
        if owner:
            os.chown(library, owner, owner)
        os.chmod(libraries, folder_mode)
        os.chmod(os.path.dirname(libraries), top_mode)
        return place, libraries

    def verdict(**modes):
        place, libraries = place_with(**modes)
        with place:
            result = place.run(env={**os.environ, "LD_LIBRARY_PATH": libraries})
            return result.code, result.verdict("trace"), result.err + result.messages("trace"), libraries

    code, got, said, _ = verdict()
    suite.expect("a library in a trusted folder", (code, got), (0, "pass"))
    cases = [
        ("a library in a folder that all write", {"folder_mode": 0o777}, ""),
        ("a library in a folder that the group writes", {"folder_mode": 0o775}, ""),
        ("a library that all write", {"file_mode": 0o666}, "/kc_plugin"),
        ("a library that the group writes", {"file_mode": 0o664}, "/kc_plugin"),
        ("a library below a folder that all write", {"top_mode": 0o777}, None),
    ]
    if ROOT:
        cases.append(("another's library", {"owner": SOMEBODY}, "/kc_plugin"))
    for what, modes, culprit in cases:
        code, got, said, libraries = verdict(**modes)
        suite.expect_in(f"{what}: exit code", code, (2, 3))
        suite.expect_in(f"{what}: no verdict but error", got, (None, "error"))
        named = os.path.dirname(libraries) if culprit is None else libraries + culprit
        suite.expect_in(f"{what}: it is named", named, said)
        suite.expect_in(f"{what}: why", "belongs to uid" if "another" in what else "others can write to", said)


def some_library():
    """The bytes of a library that this process has mapped."""
    with open("/proc/self/maps") as f:
        return read(next(line.split()[-1] for line in f if re.search(r"/lib(m|z)[.-]", line)))


def test_current_folder():
    """A library that is found by way of the current folder is nobody's that was vetted, whoever owns that folder."""
    elf = Elf(ORIGINAL)
    needing = elf.add_dynamic(1, elf.string("kc_plugin"))
    for where in (".", "./libraries", ":", "nowhere:", "of the root"):
        with Place() as place:
            place.put(place.so, needing)
            os.mkdir(place.top + "/libraries", 0o755)
            for folder in (place.top, place.top + "/libraries"):
                place.put(folder + "/kc_plugin", some_library())
            os.chmod(place.top, 0o755)
            # Plugins are loaded from "/", where k8scheck was not started.
            path = place.top.lstrip("/") if where == "of the root" else where
            result = place.run(env={**os.environ, "LD_LIBRARY_PATH": path}, cwd=place.top)
            what = f"a library by LD_LIBRARY_PATH={where}"
            code, got, why = 3, "error", "kc_plugin: cannot open shared object file"
            if where == "of the root":
                code, got, why = 2, None, "which was found by way of the current folder"
            suite.expect(f"{what}: exit code", result.code, code)
            suite.expect(f"{what}: verdict", result.verdict("trace"), got)
            suite.expect_in(f"{what}: why", why, result.err + result.messages("trace"))


DOOR = """\
rules:
  - {id: one, check: systemd.unit, title: One, with: {unit: one.service, active: active}}
  - {id: two, check: systemd.unit, title: Two, with: {unit: two.service, active: active}}
"""


def test_needed_by_a_door():
    """What asks the bus is held to the same rules, and what was refused once is not taken the second time."""
    top = os.path.dirname(os.path.dirname(PROGRAM))
    bus = os.path.join(os.path.dirname(PLUGINS), "doors", "bus.so")
    if not os.path.exists(bus):
        print("left out: what asks the bus, which is not built")
        return
    with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp, k8s.Host() as host:
        os.chmod(tmp, 0o755)
        # The program finds its folders by where it is below its prefix.
        copy = tmp + top[top.rindex("/usr") :]
        shutil.copytree(top, copy, symlinks=True)
        program = os.path.join(copy, os.path.relpath(PROGRAM, top))
        elf = Elf(read(bus))
        Place.put(os.path.join(copy, os.path.relpath(bus, top)), elf.add_dynamic(1, elf.string("kc_door_module")))
        libraries = os.path.join(tmp, "libraries")
        os.mkdir(libraries)
        Place.put(os.path.join(libraries, "kc_door_module"), some_library())
        started = k8s.start(os.path.join(SUPPORT, "fake-bus"), host.path)
        try:
            for mode, wanted in ((0o755, "fail"), (0o777, "error")):
                os.chmod(libraries, mode)
                for profile in (DOOR, DOOR.replace("one", "three")):
                    result = k8s.run(
                        program,
                        "--root",
                        host.path,
                        "--live",
                        "--horizon",
                        "now",
                        profile=profile,
                        env={**os.environ, "LD_LIBRARY_PATH": libraries},
                    )
                    for rule, got in result.rules.items():
                        suite.expect(f"a door's library of mode {mode:o}: rule {rule}", got["verdict"], wanted)
                        if wanted == "error":
                            suite.expect_in(
                                f"a door's library of mode {mode:o}: why",
                                "the module bus.so is refused: it needs " + libraries + "/kc_door_module",
                                result.messages(rule),
                            )
                    suite.expect(f"a door's library of mode {mode:o}: rules", len(result.rules), 2)
        finally:
            started.kill()
            started.wait()


class Indexed(Place):
    """The plugin sysctl with its manifest, and the index that was made with it."""

    def __init__(self):
        super().__init__()
        for name in ("sysctl.so", "sysctl.yaml", "manifests.index"):
            self.put(os.path.join(self.dir, name), read(os.path.join(PLUGINS, name)))
        self.manifest = os.path.join(self.dir, "sysctl.yaml")
        self.index = os.path.join(self.dir, "manifests.index")

    def judge(self, host):
        """All that a user sees of it, but for times and the folder's name."""
        result = k8s.run(PROGRAM, "--plugin-dir", self.dir, "--root", host.path, profile=INDEXED)
        err = re.sub(r"k8scheck-run-\w+", "k8scheck-run", result.err.replace(self.top, "@"))
        return (
            result.code,
            err,
            result.rules
            and {
                name: (
                    rule["title"],
                    rule["judgements"]["boot"]["verdict"],
                    result.messages(name).replace(self.top, "@"),
                )
                for name, rule in result.rules.items()
            },
        )


INDEXED = """\
rules:
  - {id: good, check: sysctl.value, with: {keys: [test.good], value: 1}}
  - {id: bad, check: sysctl.value, with: {settings: {test.good: 2}}}
"""


def test_index():
    def owned(place):
        os.chown(place.index, SOMEBODY, SOMEBODY)

    def others_link(place):
        os.rename(place.index, os.path.join(place.top, "target"))
        os.symlink("../../target", place.index)
        os.lchown(place.index, SOMEBODY, SOMEBODY)

    def replaced(make):
        return lambda place: (os.unlink(place.index), make(place.index))

    def sparse(path):
        with open(path, "w") as f:
            f.truncate(10 << 30)

    def told(place, old, new):
        """The manifest says something else, and the index knows nothing of it."""
        text = read(place.manifest)
        assert text.count(old) >= 1, old
        place.put(place.manifest, text.replace(old, new, 1))

    with k8s.Host({"/etc/sysctl.d/99-t.conf": "test.good = 1\n"}) as host:
        with Indexed() as place:
            with_index = place.judge(host)
            suite.expect("with the index", (with_index[0], with_index[2]["good"][1]), (1, "pass"))
            os.unlink(place.index)
            without = place.judge(host)
            suite.expect("the index changes nothing", with_index, without)
        # That the index is used at all: one that is trusted and knows no such parameter is believed.
        lie = read(os.path.join(PLUGINS, "manifests.index")).replace(b"settings\0", b"sittengs\0")
        with Indexed() as place:
            place.put(place.index, lie)
            suite.expect("a trusted index is used", place.judge(host)[0], 2)
        distrusted = {
            "that the group writes": lambda place: os.chmod(place.index, 0o664),
            "that all write": lambda place: os.chmod(place.index, 0o666),
        }
        if ROOT:
            distrusted["of somebody"] = owned
            distrusted["by somebody's link"] = others_link
        for what, prepare in distrusted.items():
            with Indexed() as place:
                place.put(place.index, lie)
                prepare(place)
                suite.expect(f"a lying index {what}", place.judge(host), without)
        for what, prepare in {
            "empty": lambda place: place.put(place.index, b""),
            "of zeroes": lambda place: place.put(place.index, b"\0" * 100000),
            "of noise": lambda place: place.put(place.index, random.Random(2).randbytes(100000)),
            "a folder": replaced(os.mkdir),
            "a FIFO": replaced(os.mkfifo),
            "a link to itself": replaced(lambda path: os.symlink("manifests.index", path)),
            "a link to nothing": replaced(lambda path: os.symlink("nothing", path)),
            "of 10 GiB": replaced(sparse),
            "unreadable": lambda place: os.chmod(place.index, 0),
        }.items():
            with Indexed() as place:
                prepare(place)
                suite.expect(f"an index that is {what}", place.judge(host), without)
        with Indexed() as place:
            whole = read(place.index)
            for n in sorted({1, 3, 4, 7, 8, 11, 12, 16, len(whole) - 1} | {len(whole) * i // 40 for i in range(1, 40)}):
                place.put(place.index, whole[:n])
                suite.expect(f"the first {n} bytes of the index", place.judge(host), without)
        # A manifest that changed counts, and not what the index has of the one before.
        for what, old, new in (
            ("another title", b"Values of kernel parameters", b"Kernel parameters' values"),
            (
                "a parameter less",
                b"      settings: {type: map, doc: \"key to value, for several keys with values of their own\"}\n",
                b"",
            ),
            ("a fault", b"title: Kernel parameters\n", b"tilte: Kernel parameters\n"),
        ):
            with Indexed() as place:
                told(place, old, new)
                stale = place.judge(host)
                os.unlink(place.index)
                suite.expect(f"a stale index: {what}", stale, place.judge(host))
                suite.expect_true(f"a stale index: {what}: it is seen", stale != without, str(stale)[:300])


def test_truncated():
    shoff = struct.unpack_from("<Q", ORIGINAL, 40)[0]
    lengths = sorted(
        set(
            list(range(1, 130, 7))
            + [len(ORIGINAL) * i // 40 for i in range(1, 40)]
            + list(range(shoff, len(ORIGINAL), 97))
            + [len(ORIGINAL) - 1]
        )
    )
    with Place() as place:
        for n in lengths:
            place.put(place.so, ORIGINAL[:n])
            result = place.run()
            if n <= shoff:
                suite.expect(f"the first {n} bytes: exit code", result.code, 2)
                suite.expect_in(f"the first {n} bytes", "plugin probe is refused: ", result.err)
            else:
                # Headers of sections that nobody needs may be cut.
                suite.expect_in(
                    f"the first {n} bytes: exit code", (result.code, result.verdict("trace")), ((2, None), (0, "pass"))
                )
        # Bytes of the headers and of the dynamic section, changed at random: never a crash, and never a hang.
        chance = random.Random(1)
        dynamic, size, _ = Elf(ORIGINAL).section(6)
        spots = (
            list(range(64))
            + list(range(64, 64 + 56 * 8))
            + list(range(dynamic, dynamic + size))
            + list(range(shoff, len(ORIGINAL)))
        )
        for _ in range(80):
            spot = chance.choice(spots)
            value = chance.choice([0, 1, 0x7F, 0x80, 0xFF])
            place.put(place.so, patched(spot, bytes([value])))
            result = place.run(timeout=60)
            suite.expect_in(f"byte {spot} as {value}: exit code", result.code, (0, 2, 3))
            suite.expect_true(
                f"byte {spot} as {value}: it is told",
                result.code == 0 or "probe" in result.err or result.verdict("trace") == "error",
                result.err,
            )


def test_manifests():
    def edit(old, new, count=1):
        def prepare(place):
            assert MANIFEST.count(old) >= 1, old
            place.put(place.yaml, MANIFEST.replace(old, new, count).encode())

        return prepare

    def disagrees(what, old, new, message):
        refused(
            what,
            edit(old, new),
            "plugin probe disagrees with its manifest @/parent/plugins/probe.yaml: "
            + message
            + "; build the two together",
        )

    accepted("another title", edit("title: A plugin", "title: The plugin"))
    disagrees("another version", 'version: "1"', 'version: "2"', "it is of version 1")
    disagrees("another horizon", "horizons: [now, boot]", "horizons: [now]", "other flags has the check probe.trace")
    disagrees("no word of programs", "    runs-program: true\n", "", "other flags has the check probe.program")
    disagrees(
        "another type",
        "path: {type: string, required: true",
        "path: {type: integer, required: true",
        "another type has the parameter path",
    )
    disagrees(
        "a parameter that may lack",
        "path: {type: string, required: true",
        "path: {type: string, required: false",
        "another type has the parameter path",
    )
    disagrees("another parameter", "      path: {", "      where: {", "another parameter stands in the place of where")
    disagrees(
        "one parameter less",
        '      arguments: {type: list, doc: "Behind its name"}\n',
        "",
        "another number of parameters has the check probe.program",
    )
    disagrees(
        "a reason",
        "    results: {pass: \"It ran.\"}\n",
        "    results: {pass: \"It ran.\"}\n    reasons: {never: \"Never.\"}\n",
        "other reasons to skip has the check probe.trace",
    )
    disagrees("a fact", "checks:\n", "facts: {probe.fact: \"A fact\"}\nchecks:\n", "another number of facts has probe")
    start = MANIFEST.index("  program:\n")
    end = MANIFEST.index("  files:\n")
    disagrees("one check less", MANIFEST[start:end], "", "another number of checks has probe")
    disagrees("another check", "  files:\n", "  fils:\n", "the manifest lacks the check probe.files")
    with Place() as place:
        place.put(place.yaml, MANIFEST.replace("name: probe", "name: prboe").encode())
        result = place.run()
        suite.expect("the manifest of another: exit code", result.code, 2)
        suite.expect_in(
            "the manifest of another",
            f"{place.yaml}: this is the manifest of 'prboe'; it must be called prboe.yaml",
            result.err,
        )
        place.put(place.yaml, MANIFEST.replace("doc: For tests.\nchecks", "dco: For tests.\nchecks").encode())
        result = place.run()
        suite.expect("a faulty manifest: exit code", result.code, 2)
        suite.expect_in(
            "a faulty manifest", f"{place.yaml}:5:1: a manifest has no key 'dco'; did you mean 'doc'?", result.err
        )
        os.unlink(place.yaml)
        result = place.run()
        suite.expect("no manifest: exit code", result.code, 2)
        suite.expect_in("no manifest", "there is no plugin 'probe' in ", result.err)


test_trust()
if ROOT:
    test_owners()
else:
    print("left out: files of other owners, which root alone can make")
test_files()
test_manifests()
test_index()
suite.end()
