# SPDX-License-Identifier: Apache-2.0
"""
A booted Debian in a container: systemd-nspawn over a copy of the recipe's root, in a network of its own. A script is run in
each boot, when all jobs have ended; then the machine is powered off. What it does to its root stays for the next boot.
"""

import os
import shutil
import subprocess

import recipe

# A boot takes a second or two; a machine that is busy, or sanitizers, take longer.
BOOT_SECONDS = 120
UNIT = """\
[Unit]
Description=What a test does in this boot
[Service]
Type=simple
ExecStart=/bin/bash -c 'systemctl is-system-running --wait >/dev/null; /var/log/case/script >/var/log/case/out 2>&1; echo $? >/var/log/case/code; \
systemctl poweroff --no-block'
[Install]
WantedBy=multi-user.target
"""


class Unavailable(recipe.Unavailable):
    """No machine can be booted here, and why."""


class Machine:
    """One whose root is in a folder of its own, made anew from the recipe."""

    def __init__(self, folder, installed=None):
        """`installed`: a folder as `make install` fills it with DESTDIR, laid over the root."""
        if not shutil.which("systemd-nspawn"):
            raise Unavailable("systemd-nspawn is not installed")
        self.root = os.path.join(folder, "root")
        subprocess.run(["cp", "-a", "--reflink=auto", recipe.root(), self.root], check=True)
        if installed:
            subprocess.run(["cp", "-a", installed + "/.", self.root + "/"], check=True)
        self.write("/etc/systemd/system/case.service", UNIT)
        wants = self.root + "/etc/systemd/system/multi-user.target.wants"
        os.makedirs(wants, exist_ok=True)
        os.symlink("../case.service", wants + "/case.service")

    def write(self, path, text, mode=0o644):
        full = self.root + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w") as f:
            f.write(text)
        os.chmod(full, mode)

    def read(self, path):
        with open(self.root + path, errors="backslashreplace") as f:
            return f.read()

    def copy(self, folder):
        """Another machine, as this one is while it is off."""
        other = object.__new__(Machine)
        other.root = os.path.join(folder, "root")
        os.makedirs(folder, exist_ok=True)
        subprocess.run(["cp", "-a", "--reflink=auto", self.root, other.root], check=True)
        return other

    def boot(self, script):
        """Boots, runs the lines of a shell script, powers off: (its exit code, what it wrote)."""
        self.write("/var/log/case/script", "#!/bin/bash\n" + script, 0o755)
        for name in ("/var/log/case/out", "/var/log/case/code"):
            if os.path.exists(self.root + name):
                os.unlink(self.root + name)
        done = subprocess.run(
            [
                "systemd-nspawn",
                "--quiet",
                "--directory=" + self.root,
                "--boot",
                "--private-network",
                "--register=no",
                "--keep-unit",
                "--capability=all",
                "--console=pipe",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=BOOT_SECONDS,
            check=False,
        )
        if not os.path.exists(self.root + "/var/log/case/code"):
            raise Unavailable("no system boots here: " + done.stdout.decode("utf-8", "replace").strip()[-300:])
        return int(self.read("/var/log/case/code")), self.read("/var/log/case/out")
