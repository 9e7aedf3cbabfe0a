#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
The examples for CI systems and for Ansible do what they say: their commands are run, on an image whose gate is closed and on
one whose gate is open.

    test-examples.py K8SCHECK MAKE-HOST HOSTS EXAMPLES ci|ansible
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

from k8s import Suite, skip

PROGRAM, MAKE_HOST, HOSTS, EXAMPLES = map(os.path.abspath, sys.argv[1:5])

suite = Suite("examples")


def commands(path):
    """Lines by which a file of a CI system runs k8scheck."""
    with open(path) as f:
        return re.findall(r"(?m)(k8scheck --profile [^'\n]+)'?$", f.read())


def run(command, folder, **options):
    env = dict(os.environ, PATH=os.path.dirname(PROGRAM) + ":" + os.environ["PATH"])
    return subprocess.run(
        command,
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        universal_newlines=True,
        timeout=300,
        check=False,
        **options,
    )


def test_ci(folder):
    for name in ("github-actions.yml", "gitlab-ci.yml", "Jenkinsfile"):
        found = commands(os.path.join(EXAMPLES, "ci", name))
        suite.expect(f"{name}: it runs k8scheck once", len(found), 1)
        for command in found:
            done = run(command, folder, shell=True)
            suite.expect(f"{name}: the gate is closed", done.returncode, 1)
            suite.expect_in(f"{name}: the text", "gate: closed", done.stdout)
        with open(folder + "/k8scheck.json") as f:
            suite.expect(f"{name}: the report", json.load(f)["summary"]["exit_code"], 1)
        cases = ElementTree.parse(folder + "/k8scheck.xml").getroot().findall(".//testcase")
        suite.expect_true(f"{name}: JUnit has cases", len(cases) > 40, str(len(cases)))
        suite.expect_true(f"{name}: and failures", any(case.find("failure") is not None for case in cases))
        for left in ("k8scheck.json", "k8scheck.xml"):
            os.unlink(os.path.join(folder, left))


def play(folder, *more):
    variables = {
        "k8scheck": PROGRAM,
        "k8scheck_root": ["--root", folder + "/rootfs"],
        # What an image can show, and a repair can mend.
        "k8scheck_options": ["--rule", "ip-forward", "--rule", "kernel-panic", "--strict"],
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    return run(
        [
            "ansible-playbook",
            "--inventory",
            "localhost,",
            "--connection",
            "local",
            "--extra-vars",
            json.dumps(variables),
            os.path.join(EXAMPLES, "ansible", "k8scheck.yml"),
            *more,
        ],
        folder,
    )


def recap(done):
    """What Ansible counts, of the one host."""
    return {key: int(n) for key, n in re.findall(r"(ok|changed|failed)=(\d+)", done.stdout)}


def test_ansible(folder):
    done = play(folder, "--check")
    suite.expect_true("check mode: the gate is closed", recap(done).get("failed") == 1, done.stdout)
    suite.expect("check mode: nothing is changed", recap(done).get("changed"), 0)
    suite.expect("check mode: nothing is there", os.path.exists(folder + "/rootfs/var/lib/k8scheck"), False)
    done = play(folder)
    suite.expect_true("it repairs", (recap(done).get("failed"), recap(done).get("changed")) == (0, 1), done.stdout)
    done = play(folder)
    suite.expect_true("once", (recap(done).get("failed"), recap(done).get("changed")) == (0, 0), done.stdout)
    done = play(folder, "--check")
    suite.expect_true("and the gate is open", (recap(done).get("failed"), recap(done).get("changed")) == (0, 0), done.stdout)


def main():
    if sys.argv[5] == "ansible" and not shutil.which("ansible-playbook"):
        skip("ansible-playbook is not installed")
    with tempfile.TemporaryDirectory(prefix="k8scheck-examples-") as folder:
        os.chmod(folder, 0o755)
        subprocess.run([MAKE_HOST, HOSTS, "centos-8-untouched", folder + "/rootfs"], check=True, stdout=subprocess.DEVNULL)
        (test_ansible if sys.argv[5] == "ansible" else test_ci)(folder)
    suite.end()


main()
