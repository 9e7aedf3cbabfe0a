#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
A real firewalld whose default zone and ports are repaired, and taken back byte for byte: on a bus of its own, in
namespaces of its own (network, mounts, processes), its folder below a root of the test's. Exits with 77 where something
for that is missing.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixer as f  # noqa: E402
from k8s import Suite, skip  # noqa: E402
from repair import tree  # noqa: E402

PROGRAM = sys.argv[1]
INSIDE = "KC_TEST_FIREWALLD_INSIDE"
# The distribution's interpreter is the one that firewalld's modules are for.
PYTHON = "/usr/bin/python3"
FIREWALLD = "/usr/sbin/firewalld"
BUS = "/run/dbus/system_bus_socket"
BUS_CONF = f"""<busconfig>
  <type>system</type>
  <listen>unix:path={BUS}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
  </policy>
</busconfig>
"""
CONF = "# by hand\nDefaultZone=public\n\nLogDenied=off\n"
PROFILE = """\
title: firewalld
rules:
  - {id: zone, check: firewalld.default-zone, title: The default zone, with: {zone: trusted, stopped: pass}}
"""
# No check that is built in opens ports.
MANIFEST = """\
name: ports
version: "1"
title: Ports
doc: For tests.
checks:
  open:
    title: A port is open
    doc: For tests.
    horizons: [now]
    plans: true
    results: {pass: "It is."}
    reads: [nothing]
    touches: [public, "*/tcp"]
    remedy: None.
"""
PORTS = "title: ports\nrules:\n  - {id: port, check: ports.open, title: A port}\n"
suite = Suite("fix-firewalld")


def command(*args, check=True):
    done = subprocess.run(args, capture_output=True, text=True, timeout=60, check=False)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(args)}: {done.returncode}: {done.stdout}{done.stderr}")
    return done


def needs():
    if os.geteuid() != 0:
        skip("namespaces need root")
    for program in (FIREWALLD, "firewall-cmd", "dbus-daemon", "unshare", "mount", "ip"):
        if not shutil.which(program):
            skip(f"{program} is not installed")
    if command(PYTHON, "-c", "import dbus, gi, nftables", check=False).returncode != 0:
        skip("firewalld's modules for Python, or those of its backend nftables, are not installed")
    if command("unshare", "--net", "--mount", "--pid", "--fork", "true", check=False).returncode != 0:
        skip("namespaces cannot be made here")


# ---- inside


class Node:
    """A root of which firewalld has /etc/firewalld, and which has the bus and what is installed."""

    def __init__(self, folder):
        self.folder = folder
        self.root = folder + "/root"
        for path in ("etc/firewalld/zones", "etc/systemd/system", "var/lib", "run/dbus", "usr/lib/systemd/system"):
            os.makedirs(f"{self.root}/{path}")
        # Copies: what is mounted below the root of a test is removed with it when something goes wrong.
        shutil.copytree("/usr/lib/firewalld", self.root + "/usr/lib/firewalld")
        self.write("/usr/lib/systemd/system/multi-user.target", "[Unit]\n")
        self.write("/usr/lib/systemd/system/firewalld.service", "[Service]\nExecStart=/usr/sbin/firewalld --nofork\n")
        os.makedirs(self.root + "/usr/sbin")
        self.write("/usr/sbin/firewalld", "#!/usr/bin/python3\n")
        os.symlink("multi-user.target", self.root + "/usr/lib/systemd/system/default.target")
        os.makedirs(self.root + "/etc/systemd/system/multi-user.target.wants")
        wants = self.root + "/etc/systemd/system/multi-user.target.wants/firewalld.service"
        os.symlink("/usr/lib/systemd/system/firewalld.service", wants)
        self.write("/etc/os-release", "ID=debian\n")
        self.write("/etc/firewalld/firewalld.conf", CONF)
        os.chmod(self.root + "/etc/firewalld/firewalld.conf", 0o640)
        os.makedirs("/run/dbus", exist_ok=True)
        command("mount", "--bind", self.root + "/run/dbus", "/run/dbus")
        command("mount", "--bind", self.root + "/etc/firewalld", "/etc/firewalld")
        command("ip", "link", "set", "lo", "up")
        for base, names, files in os.walk(self.root + "/etc"):
            for name in names + files:
                os.utime(os.path.join(base, name), ns=(10**18, 10**18), follow_symlinks=False)

    def write(self, path, text):
        with open(self.root + path, "w", encoding="ascii") as out:
            out.write(text)

    def read(self, path):
        try:
            with open(self.root + path, encoding="utf-8") as content:
                return content.read()
        except FileNotFoundError:
            return None

    def start(self, what, args, is_there):
        with open(f"{self.folder}/{what}.log", "w", encoding="ascii") as log:
            process = subprocess.Popen(args, stdout=log, stderr=log)
        for _ in range(300):
            if is_there():
                return process
            if process.poll() is not None:
                break
            time.sleep(0.1)
        return skip(f"{what} cannot start here")

    def snapshot(self):
        return tree.snapshot(self.root + "/etc")

    def profile(self, text):
        path = self.folder + "/profile.yaml"
        with open(path, "w", encoding="ascii") as out:
            out.write(text)
        return path

    def k8scheck(self, *arguments):
        done = command(PROGRAM, "--root", self.root, "--live", "--color", "never", *arguments, check=False)
        return done.returncode, done.stdout + done.stderr

    def fix(self, text, *more):
        return self.k8scheck("--profile", self.profile(text), "--fix", "--yes", *more)


def zone():
    return command("firewall-cmd", "--get-default-zone").stdout.strip()


def has_port(port, *more):
    return command("firewall-cmd", "--zone=public", "--query-port=" + port, *more, check=False).stdout.strip()


def expect_back(node, what, before):
    code, out = node.k8scheck("rollback", "--yes")
    suite.expect(what + ": the rollback", code, 0)
    if code:
        print(out)
    suite.expect(what + ": files are as they were", tree.compare(before, node.snapshot()), [])


def hold_zone(node):
    before = node.snapshot()
    code, out = node.fix(PROFILE)
    suite.expect("it weakens: nothing without --allow-weaken", (code, zone()), (1, "public"))
    suite.expect_in("and says so", "--allow-weaken", out)
    suite.expect("no file has changed", tree.compare(before, node.snapshot()), [])

    code, out = node.fix(PROFILE, "--allow-weaken")
    suite.expect("the zone is repaired", (code, zone()), (0, "trusted"))
    if code:
        print(out)
    suite.expect_in("its file too", "DefaultZone=trusted\n", node.read("/etc/firewalld/firewalld.conf"))
    code, out = node.fix(PROFILE, "--allow-weaken")
    suite.expect("a second time there is nothing to do", (code, zone()), (0, "trusted"))
    expect_back(node, "the zone", before)
    suite.expect("the zone is as it was", zone(), "public")
    suite.expect("byte for byte", node.read("/etc/firewalld/firewalld.conf"), CONF)
    suite.expect("no copy is left", node.read("/etc/firewalld/firewalld.conf.old"), None)
    command("firewall-cmd", "--reload")
    suite.expect("also when firewalld reads its file again", zone(), "public")


def hold_zone_alone(node):
    """The file says so already, and what runs does not."""
    node.write("/etc/firewalld/firewalld.conf", CONF.replace("public", "trusted"))
    before = node.snapshot()
    code, out = node.fix(PROFILE, "--allow-weaken")
    suite.expect("what runs is repaired", (code, zone()), (0, "trusted"))
    expect_back(node, "what runs", before)
    suite.expect("what runs is as it was", zone(), "public")
    node.write("/etc/firewalld/firewalld.conf", CONF)


def hold_changed_since(node):
    """Another zone was set since: it stays, and is named; by force it goes."""
    for more, left in (((), "work"), (("--force",), "public")):
        node.fix(PROFILE, "--allow-weaken")
        suite.expect("repaired", zone(), "trusted")
        command("firewall-cmd", "--set-default-zone", "work")
        code, out = node.k8scheck("rollback", "--yes", *more)
        suite.expect(f"a zone of somebody's, {more}", (code == 0, zone()), (bool(more), left))
        suite.expect_in("it is named", "/etc/firewalld/firewalld.conf was changed by somebody since", out)
        conf = node.read("/etc/firewalld/firewalld.conf")
        suite.expect(f"its file, {more}", conf == CONF if more else "DefaultZone=work" in conf, True)
        command("firewall-cmd", "--set-default-zone", "public")
        node.write("/etc/firewalld/firewalld.conf", CONF)


def agree(node, options, port):
    with f.Fixer(PROGRAM, *options) as fixer:
        plan = fixer.plan([("port", [f.step(f.FIREWALLD_PORT, "public", port, horizon=f.NOW)])])
        if not isinstance(plan, dict):
            return plan
        step = plan["steps"][0]
        outcome = fixer.agree(plan["hash"], ["port"])
    return step["before"], step["after"], outcome and outcome["changed"], step["text"]


def hold_ports(node):
    plugins = node.folder + "/plugins"
    os.mkdir(plugins)
    with open(plugins + "/ports.yaml", "w", encoding="ascii") as out:
        out.write(MANIFEST)
    options = ["--profile", node.profile(PORTS), "--plugin-dir", plugins, "--root", node.root, "--live", "--fix"]
    options += ["--yes", "--allow-weaken"]
    before = node.snapshot()
    suite.expect("a port is opened", agree(node, options, "6443/tcp"), ("closed", "open", 1, None))
    suite.expect("now and at boot", (has_port("6443/tcp"), has_port("6443/tcp", "--permanent")), ("yes", "yes"))
    suite.expect("it is open already", agree(node, options, "6443/tcp")[2:], (0, None))
    suite.expect_in("the zone's file has it", '"6443"', node.read("/etc/firewalld/zones/public.xml"))
    expect_back(node, "the port", before)
    suite.expect("it is closed again", (has_port("6443/tcp"), has_port("6443/tcp", "--permanent")), ("no", "no"))

    # Half of it somebody has done.
    command("firewall-cmd", "--zone=public", "--add-port=10250/tcp")
    suite.expect("open now alone", agree(node, options, "10250/tcp"), ("open now alone", "open", 1, None))
    suite.expect("now at boot, too", has_port("10250/tcp", "--permanent"), "yes")
    expect_back(node, "the half of it", before)
    suite.expect("as it was", (has_port("10250/tcp"), has_port("10250/tcp", "--permanent")), ("yes", "no"))
    said = agree(node, options, "53/udp")
    suite.expect_in("a port that no manifest names", "manifest", said[3])


def inside(folder):
    os.chmod(folder, 0o755)
    node = Node(folder)
    with open(folder + "/bus.conf", "w", encoding="ascii") as out:
        out.write(BUS_CONF)
    args = ["dbus-daemon", "--config-file=" + folder + "/bus.conf", "--nofork", "--nopidfile", "--nosyslog"]
    node.start("dbus-daemon", args, lambda: os.path.exists(BUS))
    args = [PYTHON, FIREWALLD, "--nofork", "--nopid", "--log-target=file", "--log-file=" + folder + "/log"]
    answers = ("firewall-cmd", "--get-default-zone")
    node.start("firewalld", args, lambda: command(*answers, check=False).returncode == 0)
    hold_zone(node)
    hold_zone_alone(node)
    hold_changed_since(node)
    hold_ports(node)
    suite.end()


def main():
    needs()
    # All that runs in the namespaces, and all that is mounted there, ends with them.
    own = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"]
    with tempfile.TemporaryDirectory(prefix="k8scheck-firewalld-") as folder:
        env = {**os.environ, INSIDE: folder}
        code = subprocess.run([*own, sys.executable, *sys.argv], env=env, check=False).returncode
    sys.exit(code)


if __name__ == "__main__":
    if os.environ.get(INSIDE):
        inside(os.environ[INSIDE])
    main()
