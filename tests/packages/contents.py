# SPDX-License-Identifier: Apache-2.0
"""What packages of k8scheck are built from, what has to be in them, and how their programs are linked."""

import os
import re
import shutil
import stat
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))

from k8s import skip  # noqa: E402

REPORTS = ("json", "junit")
DOORS = ("bus", "runtime")
MAN = {"main": ("1/k8scheck.1", "5/k8scheck-profile.5", "7/k8scheck-units.7"), "devel": ("7/k8scheck-plugin.7",)}
UNITS = ("k8scheck@.service", "k8scheck-drift@.service", "k8scheck-drift@.timer")


def need(programs):
    for program in programs:
        if not shutil.which(program):
            skip(program + " is not installed")


def copy_sources(folder):
    """What is tracked, and what is about to be; never the builds."""
    listed = subprocess.run(
        ["git", "-C", TREE, "ls-files", "-co", "--exclude-standard", "-z"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    if listed.returncode != 0:
        skip("this is no checkout: " + listed.stderr.decode("utf-8", "replace").strip())
    for name in filter(None, listed.stdout.decode().split("\0")):
        source, target = os.path.join(TREE, name), os.path.join(folder, name)
        if os.path.lexists(source):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)


def version():
    with open(os.path.join(TREE, "meson.build")) as f:
        return re.search(r"version: '([^']+)'", f.read()).group(1)


def names(folder, suffix):
    return sorted(name[: -len(suffix)] for name in os.listdir(os.path.join(TREE, folder)) if name.endswith(suffix))


def plugins():
    """By their manifests in the tree, so that one that a build left out is missed."""
    found = sorted(n for n in os.listdir(TREE + "/plugins") if os.path.isfile(f"{TREE}/plugins/{n}/{n}.yaml"))
    assert len(found) > 10, found
    return found


def expected(libdir, module_mode):
    """Paths with their modes: (k8scheck's, those for authors of plugins), without documentation."""
    lib = libdir + "/k8scheck"
    main = {"usr/bin/k8scheck": 0o755, "usr/libexec/k8scheck/k8scheck-fixer": 0o755, lib + "/plugins/manifests.index": 0o644}
    for name in plugins():
        main[f"{lib}/plugins/{name}.so"] = module_mode
        main[f"{lib}/plugins/{name}.yaml"] = 0o644
    for kind, modules in (("reports", REPORTS), ("doors", DOORS)):
        for name in modules:
            main[f"{lib}/{kind}/{name}.so"] = module_mode
    for name in names("profiles", ".yaml"):
        main[f"usr/share/k8scheck/profiles/{name}.yaml"] = 0o644
    for name in names("reports", ".schema.json"):
        main[f"usr/share/k8scheck/{name}.schema.json"] = 0o644
    for unit in UNITS:
        main["usr/lib/systemd/system/" + unit] = 0o644
    main["usr/share/bash-completion/completions/k8scheck"] = 0o644
    main["usr/share/fish/vendor_completions.d/k8scheck.fish"] = 0o644
    for page in MAN["main"]:
        main[f"usr/share/man/man{page}.gz"] = 0o644
    devel = {
        "usr/include/k8scheck-plugin.h": 0o644,
        lib + "/k8scheck-descriptor": 0o755,
        libdir + "/pkgconfig/k8scheck.pc": 0o644,
    }
    for page in MAN["devel"]:
        devel[f"usr/share/man/man{page}.gz"] = 0o644
    return main, devel


def files(folder, but_not=()):
    """The files below a folder with their modes; those below a path of `but_not` are left out."""
    found = {}
    for top, _, here in os.walk(folder):
        for name in here:
            path = os.path.relpath(os.path.join(top, name), folder)
            if not path.startswith(tuple(but_not)):
                found[path] = stat.S_IMODE(os.lstat(os.path.join(top, name)).st_mode)
    return found


def strangers(folder):
    """What nobody but root may change does not hold for."""
    wrong = []
    for top, folders, here in os.walk(folder):
        for name in folders + here:
            st = os.lstat(os.path.join(top, name))
            if not stat.S_ISLNK(st.st_mode) and st.st_mode & (stat.S_IWGRP | stat.S_IWOTH | stat.S_ISUID | stat.S_ISGID):
                wrong.append(os.path.join(top, name))
    return wrong


# ---- programs


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout


def is_elf(path):
    with open(path, "rb") as f:
        return f.read(4) == b"\177ELF"


def faults_of_link(path):
    """What is not as a hardened build has it: a list of sentences."""
    dynamic = output("readelf", "-Wd", path)
    segments = output("readelf", "-Wl", path)
    symbols = output("readelf", "-W", "--dyn-syms", path)
    is_module = path.endswith(".so")
    faults = []
    for what, wrong in (
        ("no position-independent code", "Type:                              DYN" not in output("readelf", "-Wh", path)),
        ("no position-independent program", not is_module and not re.search(r"FLAGS_1.*\bPIE\b", dynamic)),
        ("no read-only relocations", "GNU_RELRO" not in segments),
        ("symbols are bound late", not re.search(r"FLAGS_1.*\bNOW\b", dynamic)),
        ("the stack can be executed", not re.search(r"GNU_STACK .* RW ", segments)),
        ("a segment can be written and executed", re.search(r"LOAD .* RWE ", segments)),
        ("no guard of the stack", "__stack_chk_fail" not in symbols),
        ("no checked functions of the C library", not re.search(r"_chk(@| )", symbols.replace("__stack_chk_fail", ""))),
        ("a path of libraries", re.search(r"\((RPATH|RUNPATH)\)", dynamic)),
        ("text is relocated", "TEXTREL" in dynamic),
        ("it is not stripped", ".symtab" in output("readelf", "-WS", path)),
    ):
        if wrong:
            faults.append(what)
    if is_module:
        exported = re.findall(r"(?:GLOBAL|WEAK) +DEFAULT +\d+ (\S+)$", symbols, re.M)
        if len(exported) != 1 or not exported[0].startswith("kc_"):
            faults.append(f"it exports {exported}")
    return faults


def look_at_programs(suite, folder):
    seen = 0
    for path in sorted(files(folder)):
        full = os.path.join(folder, path)
        if is_elf(full):
            seen += 1
            suite.expect(f"how {path} is linked", faults_of_link(full), [])
    suite.expect("how many programs and modules there are", seen, 3 + len(plugins()) + len(REPORTS) + len(DOORS))


def look_at_pkg_config(suite, folder, libdir):
    """As its users ask it; the folder stands for the root."""
    path = os.path.join(folder, libdir, "pkgconfig")
    env = dict(os.environ, PKG_CONFIG_LIBDIR=path, PKG_CONFIG_PATH="", PKG_CONFIG_ALLOW_SYSTEM_CFLAGS="1")
    env.pop("PKG_CONFIG_SYSROOT_DIR", None)

    def ask(*question):
        return subprocess.run(
            ["pkg-config", *question, "k8scheck"], env=env, stdout=subprocess.PIPE, universal_newlines=True
        ).stdout.split()

    suite.expect("pkg-config: version", ask("--modversion"), [version()])
    suite.expect("pkg-config: where plugins are", ask("--variable=plugindir"), [f"/{libdir}/k8scheck/plugins"])
    suite.expect("pkg-config: where the header is", ask("--cflags"), ["-I/usr/include"])
    suite.expect("pkg-config: nothing is linked", ask("--libs"), [])
    for descriptor in ask("--variable=descriptor") or ["is not named"]:
        suite.expect_true("pkg-config: the descriptor is there", os.access(folder + descriptor, os.X_OK), descriptor)


def show_failed(what, log, lines=60):
    with open(log, errors="backslashreplace") as f:
        print("\n".join(line.rstrip()[:300] for line in f.readlines()[-lines:]))
    print(f"not ok {what}")
    sys.exit(1)
