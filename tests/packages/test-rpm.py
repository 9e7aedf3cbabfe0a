#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
The RPM spec: read as EL 8, EL 9 and Fedora read it; built as for EL 8, as far as another distribution can (without its
dependencies, with stand-ins for its macros, and toml++'s headers from here in the place of the source package); what is in
the packages, and how it is linked; and installed into a node's root, booted, and erased, by scriptlets that are run.

    test-rpm.py FOLDER [--checked]      --checked: %check, too
"""

import glob
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE] + [os.path.join(HERE, "..", part) for part in ("integration", "node", "support")]

import contents  # noqa: E402
import nspawn  # noqa: E402
import recipe  # noqa: E402
import tree  # noqa: E402
from k8s import Suite, skip  # noqa: E402

SPEC = os.path.join(contents.TREE, "packaging", "k8scheck.spec")
SYSTEMS = {"el8": ("rhel 8", "dist .el8"), "el9": ("rhel 9", "dist .el9"), "fedora": ("fedora 40", "dist .fc40")}
BUNDLED = {"el8": True, "el9": True, "fedora": False}
HEADERS = "/usr/include/toml++"
LIBDIR = "usr/lib64"
WANTED = "/etc/systemd/system/multi-user.target.wants/k8scheck@crio-1.18.service"
STAMP = "/var/lib/systemd/timers/stamp-k8scheck-drift@crio-1.18.timer"
# What Debian's rpm says of itself.
DEBIANS = re.compile(r"rpm: (RPM should not be used directly|However assuming you know)")
# Of the package "filesystem" and of systemd's, where rpm is at home.
THEIRS = ("usr/lib64/pkgconfig", "usr/share/licenses", *(f"usr/share/man/man{n}" for n in (1, 5, 7)), "var/lib/systemd/timers")

suite = Suite("RPM")


def stand_ins():
    """Options for the macros that this rpm does not have."""
    known = contents.output("rpm", "-E", "%{?meson}%{?_unitdir}").strip()
    return [] if known else ["--load", os.path.join(HERE, "rpm-macros")]


def for_system(name):
    return stand_ins() + [word for macro in SYSTEMS[name] for word in ("-D", macro)]


def read_as(name):
    def ask(*question):
        return contents.output("rpmspec", *for_system(name), *question, SPEC).split("\n")

    version = contents.version()
    suite.expect(f"{name}: packages", [p for p in ask("-q", "--qf", "%{NAME} %{VERSION}\\n") if p],
                 [f"k8scheck {version}", f"k8scheck-devel {version}"])
    needed, given = ask("-q", "--buildrequires"), ask("-q", "--provides")
    suite.expect(f"{name}: toml++ as a package", "tomlplusplus-devel" in needed, not BUNDLED[name])
    suite.expect(f"{name}: toml++ as a source", any("bundled(tomlplusplus)" in p for p in given), BUNDLED[name])
    suite.expect(f"{name}: systemd's macros", "systemd-rpm-macros" in needed, name != "el8")
    sources = [line for line in ask("-P") if line.startswith("Source")]
    suite.expect(f"{name}: sources", len(sources), 2 if BUNDLED[name] else 1)
    # What rpm did not know, it leaves as it stands.
    unknown = [line for line in ask("-P") if re.search(r"%\{?[a-z_]+", line) and not line.startswith("#")]
    unknown = [line for line in unknown if not re.match(r"%(prep|build|install|check|preun|postun|files|dir|doc|license|"
                                                        r"description|package|changelog|defattr)\b", line)]
    suite.expect(f"{name}: every macro is known", unknown, [])


def rpm_query(package, *question):
    return contents.output("rpm", "-qp", *question, package).split("\n")[:-1]


def build(folder, checked):
    """As for EL 8: {package: path}."""
    version = contents.version()
    sources = os.path.join(folder, "SOURCES")
    top = os.path.join(folder, "k8scheck-" + version)
    os.makedirs(sources)
    contents.copy_sources(top)
    with tarfile.open(f"{sources}/k8scheck-{version}.tar.gz", "w:gz", compresslevel=1) as tar:
        tar.add(top, "k8scheck-" + version)
    toml = re.search(r"toml_version (\S+)", open(SPEC).read()).group(1)
    with tempfile.TemporaryDirectory(prefix="k8scheck-toml-") as tmp:
        shutil.copytree(HEADERS, tmp + "/include/toml++")
        with open(tmp + "/LICENSE", "w") as f:
            f.write("A stand-in: the headers are those of this system.\n")
        with tarfile.open(f"{sources}/tomlplusplus-{toml}.tar.gz", "w:gz") as tar:
            tar.add(tmp, "tomlplusplus-" + toml)
    shutil.rmtree(top)
    env = dict(os.environ)
    for name in ("CFLAGS", "CPPFLAGS", "CXXFLAGS", "LDFLAGS", "MAKEFLAGS", "DESTDIR"):
        env.pop(name, None)
    command = ["rpmbuild", "-bb", "--nodeps", "--noclean", *for_system("el8"), "-D", "_topdir " + folder]
    command += [] if checked else ["--nocheck"]
    log = folder + "/rpmbuild.log"
    with open(log, "w") as f:
        done = subprocess.run([*command, SPEC], env=env, stdin=subprocess.DEVNULL, stdout=f, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        contents.show_failed("rpmbuild", log)
    with open(log, errors="backslashreplace") as f:
        text = f.read()
    suite.expect("the build's warnings", re.findall(r"^.*(?:warning|WARNING): .*$", text, re.M), [])
    work = f"{folder}/BUILD/k8scheck-{version}"
    used = contents.output("ninja", "-C", work + "/redhat-linux-build", "-t", "deps")
    suite.expect_in("toml++ is the source's", f"tomlplusplus-{toml}/include/toml++/toml.h", used)
    suite.expect_true("toml++ is not the system's", HEADERS + "/" not in used)
    shutil.rmtree(folder + "/BUILD")
    found = {}
    for path in glob.glob(folder + "/RPMS/*/*.rpm"):
        found[rpm_query(path, "--qf", "%{NAME}\\n")[0]] = path
    return found


def look_at_packages(packages):
    main, devel = contents.expected(LIBDIR, 0o755)
    main["usr/share/zsh/site-functions/_k8scheck"] = 0o644
    apart = ("/usr/share/doc/", "/usr/share/licenses/")
    for name, wanted in (("k8scheck", main), ("k8scheck-devel", devel)):
        listed = rpm_query(packages[name], "--qf", "[%{FILEMODES:octal} %{FILEUSERNAME}:%{FILEGROUPNAME} %{FILENAMES}\\n]")
        entries = [line.split(" ", 2) for line in listed]
        kinds = {path: int(mode, 8) for mode, _, path in entries}
        found = {
            path[1:]: stat.S_IMODE(mode)
            for path, mode in kinds.items()
            if stat.S_ISREG(mode) and not path.startswith(apart)
        }
        suite.expect(f"{name}: files and modes", found, wanted)
        suite.expect(f"{name}: owners", {owner for _, owner, _ in entries}, {"root:root"})
        suite.expect_true(f"{name}: the licence", any(path.endswith("/LICENSE") for _, _, path in entries))
        # A folder that nobody owns stays behind when the package goes.
        owned = {path for path, mode in kinds.items() if stat.S_ISDIR(mode)}
        for folder in sorted({os.path.dirname("/" + path) for path in wanted if "k8scheck/" in path and "devel" not in name}):
            suite.expect_true(f"{name}: {folder} is the package's", folder in owned)
    docs = [os.path.basename(p) for p in rpm_query(packages["k8scheck"], "-d")]
    for name in ("kubelet-waits.conf", "README.md", "gitlab-ci.yml", "own-rules.yaml"):
        suite.expect_true("documentation: " + name, name in docs)
    requires = rpm_query(packages["k8scheck"], "--requires")
    suite.expect("libraries of single parts are not required", [r for r in requires if re.match(r"lib(jansson|xml|ngh|proto)", r)], [])
    for name in ("libyaml", "libnettle", "libkmod", "libselinux", "libsystemd"):
        suite.expect_true(f"{name} is required", any(r.startswith(name) for r in requires), requires)
    suite.expect("recommended", sorted(rpm_query(packages["k8scheck"], "--recommends")),
                 ["jansson", "libmount", "libnghttp2", "libxml2", "protobuf-c"])
    provides = rpm_query(packages["k8scheck"], "--provides")
    suite.expect("plugins provide nothing", [p for p in provides if ".so" in p], [])
    suite.expect_true("pkgconfig(k8scheck)", any("pkgconfig(k8scheck)" in p for p in rpm_query(packages["k8scheck-devel"], "--provides")))
    suite.expect(
        "which scriptlets there are",
        re.findall(r"^(\w+) scriptlet", "\n".join(rpm_query(packages["k8scheck"], "--scripts")), re.M),
        ["preuninstall", "postuninstall"],
    )


def rpm(root, *words):
    """By this machine's rpm, in a node's root, where scriptlets are run."""
    done = subprocess.run(
        ["rpm", "--root", root, "--nodeps", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True
    )
    said = [line for line in done.stdout.splitlines() if not DEBIANS.match(line)]
    suite.expect(" ".join(os.path.basename(w) for w in words), (done.returncode, said), (0, []))


def link_by(root):
    """As `systemctl enable` leaves it, and a timer that has run."""
    os.symlink("/usr/lib/systemd/system/k8scheck@.service", root + WANTED)
    os.makedirs(os.path.dirname(root + STAMP), exist_ok=True)
    open(root + STAMP, "w").close()


def comes_and_goes(packages, folder):
    empty = os.path.join(folder, "empty")
    os.makedirs(empty)
    machine = nspawn.Machine.copied(os.path.join(folder, "machine"), empty)
    code, out = machine.boot("true")
    suite.expect("the first boot", (code, out), (0, ""))
    passing = ("case", "dev", "proc", "run", "sys", "tmp", "var/lib/rpm", "var/log", "var/lib/systemd/random-seed",
               "var/cache/ldconfig", "etc/machine-id", ".autorelabel", "var/tmp", "var/lib/systemd/catalog", "root/.rpmdb")
    for path in THEIRS:
        os.makedirs(os.path.join(machine.root, path), exist_ok=True)
    # The database is rpm's own; it is there before the tree is looked at.
    subprocess.run(["rpm", "--root", machine.root, "--initdb"], check=True)
    before = list(tree.snapshot(machine.root, passing))
    folders = [entry["path"] for entry in before if entry["type"] == "folder"]
    rpm(machine.root, "-i", packages["k8scheck"], packages["k8scheck-devel"])
    rpm(machine.root, "-V", "k8scheck", "k8scheck-devel")
    code, out = machine.boot(
        "k8scheck --version\nk8scheck list plugins | wc -l\n"
        "k8scheck --live --profile crio-1.18 --report text=/case/judged --report json=/case/report.json\necho code $?\n"
        "systemd-analyze verify --man=no k8scheck@crio-1.18.service k8scheck-drift@crio-1.18.timer 2>&1 | grep k8scheck\n"
        "systemctl list-unit-files --no-legend 'k8scheck*' | grep '^[^ ]* *enabled'\ntrue"
    )
    said = out.splitlines()
    suite.expect_in("it runs", f"k8scheck {contents.version()}", out)
    suite.expect("its plugins are there, and the node is judged", said[1:], [str(len(contents.plugins())), "code 1"])
    suite.expect("no plugin, and no door, is missing", re.findall(r".*cannot be loaded.*", machine.read("/case/judged")), [])
    link_by(machine.root)
    # An upgrade, of which this is a part, takes nothing away.
    rpm(machine.root, "-U", "--replacepkgs", packages["k8scheck"])
    suite.expect("an upgrade leaves links and times", [os.path.lexists(machine.root + p) for p in (WANTED, STAMP)], [True, True])
    rpm(machine.root, "-e", "k8scheck-devel", "k8scheck")
    suite.expect("erased: the tree is as before", tree.compare(before, list(tree.snapshot(machine.root, passing)), passing, folders), [])
    machine.remove()


def main():
    words = [w for w in sys.argv[1:] if not w.startswith("--")]
    contents.need(["rpm", "rpmspec", "rpmbuild", "meson", "ninja", "readelf", "git"])
    folder = os.path.abspath(words[0])
    shutil.rmtree(folder, ignore_errors=True)
    os.umask(0o022)
    for name in SYSTEMS:
        read_as(name)
    if not os.path.isdir(HEADERS):
        skip("the headers of toml++ are not installed, so that only the spec file was read")
    try:
        nspawn.enter_namespace()
        packages = build(folder, "--checked" in sys.argv)
        suite.expect("the packages", sorted(packages), ["k8scheck", "k8scheck-devel"])
        look_at_packages(packages)
        unpacked = os.path.join(folder, "root")
        os.makedirs(unpacked)
        rpm(unpacked, "--noscripts", "-i", *packages.values())
        shutil.rmtree(unpacked + "/var", ignore_errors=True)
        contents.look_at_programs(suite, unpacked)
        contents.look_at_pkg_config(suite, unpacked, LIBDIR)
        place = tempfile.mkdtemp(prefix="node-", dir=folder)
        try:
            comes_and_goes(packages, place)
        finally:
            shutil.rmtree(place, ignore_errors=True)
    except recipe.Unavailable as e:
        skip(str(e))
    suite.end()


main()
