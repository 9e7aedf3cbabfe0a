#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Debian's packages, built from a clean copy of the tree: without warnings, clean for lintian, with all that belongs into them
and nothing else, as hardened as they say; and built once more as the next version, for the upgrade that
test-debian-node.py makes.

    test-debian.py FOLDER [--checked]     the packages stay in FOLDER/old and FOLDER/new; --checked: dh_auto_test, too
"""

import glob
import os
import re
import shutil
import subprocess
import sys

import contents
from k8s import Suite

MAJOR, MINOR, PATCH = contents.version().split(".")
NEXT = f"{MAJOR}.{MINOR}.{int(PATCH) + 1}~test"
# On stderr of dpkg-buildpackage and in the build's log.
WARNING = re.compile(r"^(dpkg-\S+|dh_\S+): warning|\bwarning: |^WARNING:|^make.*warning", re.I)

suite = Suite("Debian packages")


def build(sources, log, *options, checked=False):
    env = dict(os.environ, DEB_BUILD_OPTIONS=("" if checked else "nocheck ") + f"parallel={os.cpu_count() or 1}")
    for name in ("CFLAGS", "CPPFLAGS", "CXXFLAGS", "LDFLAGS", "DEB_BUILD_PROFILES", "MAKEFLAGS", "DESTDIR"):
        env.pop(name, None)
    with open(log, "w") as f:
        done = subprocess.run(
            ["dpkg-buildpackage", "-us", "-uc", "-b", *options],
            cwd=sources,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=f,
            stderr=subprocess.STDOUT,
        )
    if done.returncode != 0:
        with open(log, errors="backslashreplace") as f:
            unmet = re.search(r"Unmet build dependencies: .*", f.read())
        if unmet:
            contents.skip(unmet.group(0))
        contents.show_failed("the packages are built", log)
    with open(log, errors="backslashreplace") as f:
        return [line.rstrip() for line in f if WARNING.search(line)]


def keep(folder, name):
    """Moves what was built to a folder of its own: {package: path}."""
    target = os.path.join(folder, name)
    os.makedirs(target)
    for path in glob.glob(folder + "/*.*"):
        if path.endswith((".deb", ".changes", ".buildinfo")):
            shutil.move(path, target)
    return {os.path.basename(p).split("_")[0]: p for p in glob.glob(target + "/*.deb")}


def field(package, name):
    return contents.output("dpkg-deb", "-f", package, name).strip()


def lint(changes):
    done = subprocess.run(
        ["lintian", "--fail-on", "error,warning", "--no-tag-display-limit", "-EI", changes],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    suite.expect("lintian", (done.returncode, done.stdout), (0, ""))


def unpacked(package, folder):
    subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
    return folder


def look_inside(packages, folder):
    triplet = contents.output("dpkg-architecture", "-qDEB_HOST_MULTIARCH").strip()
    libdir = "usr/lib/" + triplet
    main, devel = contents.expected(libdir, 0o644)
    main["usr/share/zsh/vendor-completions/_k8scheck"] = 0o644
    main["usr/share/lintian/overrides/k8scheck"] = 0o644
    for name, wanted in (("k8scheck", main), ("k8scheck-dev", devel)):
        root = unpacked(packages[name], os.path.join(folder, "root-" + name))
        doc = f"usr/share/doc/{name}/"
        suite.expect(f"{name}: files and modes", contents.files(root, [doc]), wanted)
        suite.expect(f"{name}: who may write", contents.strangers(root), [])
        for part in ("copyright", "changelog.gz"):
            suite.expect_true(f"{name}: {part}", os.path.isfile(os.path.join(root, doc, part)))
    root = os.path.join(folder, "root-k8scheck")
    doc = root + "/usr/share/doc/k8scheck/"
    for part in ("README.Debian", "kubelet-waits.conf", "README.md.gz", "examples/ci/gitlab-ci.yml", "examples/own-rules.yaml"):
        suite.expect_true("k8scheck: " + part, os.path.isfile(doc + part))
    suite.expect("k8scheck: the folder of a site's profiles", os.listdir(root + "/etc/k8scheck/profiles"), [])
    example = os.path.join(folder, "root-k8scheck-dev/usr/share/doc/k8scheck-dev/examples")
    suite.expect("k8scheck-dev: the example", sorted(os.listdir(example + "/plugin")), ["Makefile", "hostname.c", "hostname.yaml"])
    both = os.path.join(folder, "root-both")
    for name in ("k8scheck", "k8scheck-dev"):
        unpacked(packages[name], both)
    contents.look_at_programs(suite, both)
    contents.look_at_pkg_config(suite, os.path.join(folder, "root-k8scheck-dev"), libdir)


def look_at_relations(packages):
    def libraries(name):
        return set(re.findall(r"lib[a-z0-9.+-]+", field(packages["k8scheck"], name)))

    depends, recommends = libraries("Depends"), libraries("Recommends")
    suite.expect(
        "libraries of single parts are recommended",
        recommends,
        {"libjansson4", "libmount1", "libnghttp2-14", "libprotobuf-c1", "libxml2"},
    )
    suite.expect_true("what the program itself needs is depended on", {"libc6", "libyaml-0-2"} <= depends, depends)
    suite.expect("nothing is both", depends & recommends, set())
    suite.expect_in("plugins of others are for this version", "k8scheck (= ", field(packages["k8scheck-dev"], "Recommends"))


def next_version(sources):
    """What an upgrade has to bring, and to take away."""
    path = os.path.join(sources, "debian/changelog")
    with open(path) as f:
        old = f.read()
    date = re.search(r"^ -- .*$", old, re.M).group(0)
    with open(path, "w") as f:
        f.write(f"k8scheck ({NEXT}) unstable; urgency=medium\n\n  * For a test of upgrades.\n\n{date}\n\n" + old)
    with open(os.path.join(sources, "profiles/crio-1.18.yaml"), "a") as f:
        f.write("# Of the next version.\n")
    os.unlink(os.path.join(sources, "examples/our-nodes.yaml"))


def main():
    words = [w for w in sys.argv[1:] if not w.startswith("--")]
    contents.need(["dpkg-buildpackage", "dpkg-deb", "dh", "lintian", "meson", "ninja", "readelf", "pkg-config", "git"])
    folder = os.path.abspath(words[0])
    shutil.rmtree(folder, ignore_errors=True)
    sources = os.path.join(folder, "sources")
    os.umask(0o022)
    os.makedirs(sources)
    contents.copy_sources(sources)
    suite.expect("the build's warnings", build(sources, folder + "/build.log", checked="--checked" in sys.argv), [])
    packages = keep(folder, "old")
    suite.expect("the packages", {n for n in packages if not n.endswith("-dbgsym")}, {"k8scheck", "k8scheck-dev"})
    suite.expect("their version", {field(p, "Version") for p in packages.values()}, {contents.version()})
    (changes,) = glob.glob(folder + "/old/*.changes")
    lint(changes)
    look_at_relations(packages)
    look_inside(packages, folder)
    next_version(sources)
    suite.expect("warnings of the next build", build(sources, folder + "/build-next.log", "-nc"), [])
    packages = keep(folder, "new")
    suite.expect("the next version", {field(p, "Version") for p in packages.values()}, {NEXT})
    shutil.rmtree(sources)
    suite.end()


main()
