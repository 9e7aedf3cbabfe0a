#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds playbooks against what reads them: PyYAML, and ansible-playbook --syntax-check.

usage: check-playbooks.py PROGRAM [ARGUMENT...]

PROGRAM is called with a temporary folder as its last argument and writes *.yaml files into it; it has to write at
least one. Exits with 0 when all are as they have to be, with 1 when one is not, and with 77, which meson takes for
skipped, when neither PyYAML nor ansible-playbook with the collections is installed.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

try:
    import yaml
except ImportError:
    yaml = None

MODULES = {"ansible.builtin.assert", "ansible.builtin.copy", "ansible.builtin.debug", "ansible.builtin.file",
           "ansible.builtin.lineinfile", "ansible.builtin.setup", "ansible.builtin.stat", "ansible.builtin.systemd",
           "ansible.posix.firewalld", "ansible.posix.selinux", "ansible.posix.sysctl", "community.general.modprobe"}
KEYWORDS = {"name", "register", "when"}
PROBE = """- hosts: localhost
  tasks:
    - ansible.posix.sysctl: {name: a, value: b}
    - community.general.modprobe: {name: a}
"""


def load(text):
    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        """Knows the one tag that playbooks have."""

    Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))
    return yaml.load(text, Loader)


def faults(document):
    if not isinstance(document, list) or len(document) != 1:
        return ["it is not one play"]
    tasks = document[0]["tasks"]
    wrong = []
    for number, task in enumerate(tasks):
        modules = set(task) - KEYWORDS
        if len(modules) != 1 or not modules <= MODULES or not isinstance(task["name"], str):
            wrong.append(f"task {number}: {sorted(task)}")
    return wrong


def syntax(path):
    done = subprocess.run(["ansible-playbook", "--syntax-check", "-i", "localhost,", str(path)], check=False,
                          capture_output=True, text=True, errors="replace", cwd=path.parent)
    return [] if done.returncode == 0 else [done.stdout[-300:] + done.stderr[-600:]]


def has_ansible(folder):
    probe = pathlib.Path(folder) / "probe.yml"
    probe.write_text(PROBE, encoding="utf-8")
    return bool(shutil.which("ansible-playbook")) and not syntax(probe)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as folder:
        ansible = has_ansible(folder)
        if not yaml and not ansible:
            print("skipped: neither python3-yaml nor Ansible with its collections is installed")
            sys.exit(77)
        subprocess.run([*sys.argv[1:], folder], check=True)
        paths = sorted(pathlib.Path(folder).glob("*.yaml"))
        if not paths:
            sys.exit("nothing to check: no file was written")
        wrong = 0
        for path in paths:
            found = faults(load(path.read_bytes())) if yaml else []
            # One start of Ansible takes a second: one plan of all kinds, one of hostile texts, one empty.
            if ansible and path.stem in ("plain-00", "hostile-13", "hostile-16", "empty-00"):
                found += syntax(path)
            for fault in found:
                print(f"{path.name}: {fault}")
            wrong += bool(found)
    print(f"{len(paths) - wrong} of {len(paths)} playbooks are right{'' if ansible else '; Ansible is not installed'}")
    sys.exit(1 if wrong else 0)


main()
