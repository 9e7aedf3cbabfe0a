#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
firewalld.default-zone on a real firewalld: started without systemd on a bus of its own, in namespaces of its own
(network, mounts, processes), with a private /etc/firewalld. Then odd configurations on an offline root, held against
what firewalld's own code makes of them. Exits with 77 where something for that is missing.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time

from k8s import Host, Suite, run, skip, write

PROGRAM = sys.argv[1]
INSIDE = "KC_TEST_FIREWALLD_INSIDE"
# The distribution's interpreter is the one that firewalld's modules are for.
PYTHON = "/usr/bin/python3"
FIREWALLD = "/usr/sbin/firewalld"
BUS = "/run/dbus/system_bus_socket"
CONF = "/etc/firewalld/firewalld.conf"
SYSTEM = "/etc/systemd/system"
WANTS = SYSTEM + "/multi-user.target.wants/firewalld.service"
TARGET = "[Unit]\nDescription=Multi-User System\n"
BUS_CONF = """<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
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
PROFILE = """
title: firewalld
rules:
  - id: zone
    check: firewalld.default-zone
    title: the default zone
    severity: required
    with: {{zone: {zone}, stopped: {stopped}}}
"""
suite = Suite("firewalld")


def judge(*args, zone="trusted", stopped="pass"):
    return run(PROGRAM, *args, profile=PROFILE.format(zone=zone, stopped=stopped))


def summary(result, horizon):
    """(verdict, what the first finding found, subjects of the others)."""
    judgement = result.rules["zone"]["judgements"].get(horizon)
    if not judgement:
        return None
    findings = judgement["findings"]
    return judgement["verdict"], findings[0].get("found"), [f.get("subject") for f in findings[1:]]


def expect(what, now, boot, **options):
    # The namespaces look like a container's; what runs in them is what this test is about.
    result = judge("--live", **options)
    suite.expect(what + ", now", summary(result, "now"), now)
    suite.expect(what + ", boot", summary(result, "boot"), boot)
    return result


def command(*args, check=True):
    done = subprocess.run(args, capture_output=True, text=True, timeout=60)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(args)}: {done.returncode}: {done.stdout}{done.stderr}")
    return done


def wait_for(condition, process, what):
    for _ in range(300):
        if condition():
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    skip(f"{what} cannot start here")


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


def make_private(path, keep=()):
    """An empty folder in the place of this one, with what shall stay copied; only this mount namespace has it."""
    saved = {name: open(os.path.join(path, name), "rb").read() for name in keep}
    command("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", path)
    for name, content in saved.items():
        write(os.path.join(path, name), content)


def make_host(unit):
    """The places that decide, made anew: what this machine has in them is none of the test's business."""
    os.makedirs("/run/dbus", exist_ok=True)
    make_private("/run/dbus")
    make_private("/etc/firewalld")
    os.makedirs("/etc/firewalld/zones")
    os.makedirs(SYSTEM, exist_ok=True)
    make_private(SYSTEM)
    for path in ("/etc/NetworkManager", "/etc/sysconfig"):
        if os.path.isdir(path):
            make_private(path)
    write(SYSTEM + "/multi-user.target", TARGET)
    os.symlink(SYSTEM + "/multi-user.target", SYSTEM + "/default.target")
    os.makedirs(os.path.dirname(WANTS))
    os.symlink(unit, WANTS)
    write(CONF, "DefaultZone=public\n")
    command("ip", "link", "set", "lo", "up")


def start_bus(folder):
    path = os.path.join(folder, "bus.conf")
    write(path, BUS_CONF.format(socket=BUS))
    with open(os.path.join(folder, "bus.log"), "w") as log:
        bus = subprocess.Popen(
            ["dbus-daemon", "--config-file=" + path, "--nofork", "--nopidfile", "--nosyslog"], stdout=log, stderr=log
        )
    wait_for(lambda: os.path.exists(BUS), bus, "dbus-daemon")
    return bus


def start_firewalld(folder):
    daemon = subprocess.Popen(
        [PYTHON, FIREWALLD, "--nofork", "--nopid", "--log-target=file", "--log-file=" + os.path.join(folder, "log")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: command("firewall-cmd", "--get-default-zone", check=False).returncode == 0, daemon, "firewalld")
    return daemon


def stop(process):
    process.terminate()
    process.wait(timeout=60)


def hold_running(folder):
    public = "default zone public"
    trusted = "default zone trusted"

    daemon = start_firewalld(folder)
    expect("as it comes", ("fail", public, []), ("fail", public, []))
    expect("as it comes, and that is wanted", ("pass", public, []), ("pass", public, []), zone="public")

    command("firewall-cmd", "--set-default-zone", "trusted")
    expect("set by firewall-cmd", ("pass", trusted, []), ("pass", trusted, []))

    write(CONF, "DefaultZone=public\n")
    expect("changed behind its back", ("pass", trusted, []), ("fail", public, []))
    command("firewall-cmd", "--reload")
    expect("and reloaded", ("fail", public, []), ("fail", public, []))
    write(CONF, "DefaultZone=trusted\n")
    result = expect("set in the file alone", ("fail", public, []), ("pass", trusted, []))
    suite.expect_in("it says what is missing", "firewall-cmd --reload", result.messages("zone"))
    command("firewall-cmd", "--reload")
    expect("reloaded again", ("pass", trusted, []), ("pass", trusted, []))

    command("firewall-cmd", "--zone=public", "--add-interface=eth7")
    expect("an interface bound now", ("fail", trusted, ["eth7"]), ("pass", trusted, []))
    command("firewall-cmd", "--runtime-to-permanent")
    expect("and for good", ("fail", trusted, ["eth7"]), ("fail", trusted, ["eth7"]))
    command("firewall-cmd", "--permanent", "--zone=trusted", "--change-interface=eth7")
    command("firewall-cmd", "--zone=trusted", "--change-interface=eth7")
    expect("bound to the right zone", ("pass", trusted, []), ("pass", trusted, []))
    command("firewall-cmd", "--zone=drop", "--add-source=192.0.2.0/24")
    result = expect("a source bound", ("pass", trusted, []), ("pass", trusted, []))
    suite.expect_in("the source is told", "192.0.2.0/24 gets zone drop", result.messages("zone"))

    command("firewall-cmd", "--permanent", "--new-zone=nodes")
    write(CONF, "DefaultZone=nodes\n")
    expect("a zone of one's own", ("fail", trusted, []), ("fail", "default zone nodes", ["eth7"]), zone="nodes")
    stop(daemon)


def hold_refused(folder):
    """A zone file that firewalld does not take."""
    write(CONF, "DefaultZone=trusted\n")
    write("/etc/firewalld/zones/home.xml", "<zone><short>Home</zone>\n")
    daemon = start_firewalld(folder)
    result = judge("--live")
    suite.expect("a broken zone file, boot", summary(result, "boot"), ("error", "default zone trusted", ["firewalld"]))
    got = command("firewall-cmd", "--get-default-zone").stdout.strip()
    suite.expect(
        "a broken zone file, now",
        summary(result, "now"),
        ("pass" if got == "trusted" else "fail", "default zone " + got, []),
    )
    os.unlink("/etc/firewalld/zones/home.xml")
    stop(daemon)


def hold_stopped(bus):
    trusted = "default zone trusted"
    expect("stopped, and enabled", ("pass", "not running", []), ("pass", trusted, []))
    write(CONF, "DefaultZone=public\n")
    expect("stopped, and it comes back", ("pass", "not running", []), ("fail", "default zone public", []))
    os.unlink(WANTS)
    disabled = "not started (disabled)"
    expect("disabled", ("pass", "not running", []), ("pass", disabled, []))
    expect("disabled, and it shall run", ("fail", "not running", []), ("fail", disabled, []), stopped="fail")
    os.symlink("/dev/null", SYSTEM + "/firewalld.service")
    expect("masked", ("pass", "not running", []), ("pass", "not started (masked)", []))
    os.unlink(SYSTEM + "/firewalld.service")
    write(CONF, "DefaultZone=public\nCleanupOnExit=no\n")
    expect("told to leave its rules", ("manual", "not running", []), ("pass", disabled, []))
    stop(bus)
    expect("no bus", ("error", None, []), ("pass", disabled, []))


# ---- on an offline root

# What firewalld's own code makes of each folder.
ORACLE = """
import sys
from firewall import config
from firewall.core.fw import Firewall
for path in sys.argv[1:]:
    config.set_system_config_paths(path)
    firewall = Firewall(offline=True)
    firewall.start()
    print(firewall.get_default_zone())
"""

CONFIGURATIONS = {
    "plain": b"DefaultZone=trusted\n",
    "no end of line": b"DefaultZone=trusted",
    "spaces": b" \t DefaultZone \t = \x0b trusted \x0c\n",
    "spaces of Unicode": "DefaultZone\u2003=\u00a0trusted\u3000\u2028\n".encode(),
    "next line": "DefaultZone=trusted\u0085\n".encode(),
    "separators of ASCII": b"DefaultZone=trusted\x1c\x1d\x1e\x1f\n",
    "carriage returns": b"#\rDefaultZone=trusted\r\rLockdown=no\r",
    "lines of DOS": b"# firewalld\r\nDefaultZone=trusted\r\n",
    "comments": b"#DefaultZone=trusted\n;DefaultZone=trusted\n",
    "a comment behind": b"DefaultZone=trusted # all\n",
    "two equals": b"DefaultZone=trusted=\n",
    "twice": b"DefaultZone=trusted\nDefaultZone=drop\n",
    "nothing, then something": b"DefaultZone=\nDefaultZone=drop\n",
    "case": b"defaultzone=trusted\n",
    "quotes": b'DefaultZone="trusted"\n',
    "no such zone": b"DefaultZone=nowhere\n",
    "a path": b"DefaultZone=../zones/trusted\n",
    "empty": b"",
    "not UTF-8": b"DefaultZone=trusted\n# gr\xfcn\n",
    "not UTF-8, surrogates": b"DefaultZone=trusted\n# \xed\xa0\x80\n",
    "a byte order mark": b"\xef\xbb\xbfDefaultZone=trusted\n",
    "combined": b"DefaultZone=nodes\n",
    "an empty folder": b"DefaultZone=hollow\n",
    "a backup": b"DefaultZone=saved\n",
}


def hold_configurations():
    with open("/usr/lib/firewalld/zones/trusted.xml") as f:
        zone = f.read()
    with Host({"/usr/lib/systemd/system/multi-user.target": TARGET, "/usr/sbin/firewalld": "#!/usr/bin/python3\n"}) as host:
        shutil.copytree("/usr/lib/firewalld/zones", host.path + "/usr/lib/firewalld/zones")
        host.write("/usr/lib/systemd/system/firewalld.service", "[Service]\nExecStart=/usr/sbin/firewalld --nofork\n")
        host.link("/usr/lib/systemd/system/default.target", "multi-user.target")
        host.link(WANTS, "/usr/lib/systemd/system/firewalld.service")
        host.write("/etc/firewalld/zones/nodes/one.xml", zone)
        host.write("/etc/firewalld/zones/hollow/one.txt", zone)
        host.write("/etc/firewalld/zones/saved.xml.old", zone)
        folders = []
        for i, text in enumerate(CONFIGURATIONS.values()):
            folders.append(f"{host.path}/conf{i}")
            shutil.copytree(host.path + "/etc/firewalld", folders[-1])
            write(folders[-1] + "/firewalld.conf", text)
        done = subprocess.run(
            [PYTHON, "-c", ORACLE, *folders],
            capture_output=True,
            text=True,
            timeout=120,
            env=dict(os.environ, LC_ALL="C.UTF-8"),
        )
        zones = done.stdout.split()
        suite.expect("firewalld read them all", (len(zones), done.returncode), (len(folders), 0))
        for (name, text), zone in zip(CONFIGURATIONS.items(), zones):
            write(host.path + CONF, text)
            got = summary(judge("--root", host.path), "boot")
            suite.expect("as firewalld reads it: " + name, got and got[1], "default zone " + zone)


def inside():
    unit = next(
        (p for p in ("/usr/lib/systemd/system", "/lib/systemd/system") if os.path.exists(p + "/firewalld.service")), None
    )
    if not unit:
        skip("firewalld.service is not installed")
    with tempfile.TemporaryDirectory(prefix="k8scheck-firewalld-") as folder:
        make_host(unit + "/firewalld.service")
        bus = start_bus(folder)
        hold_running(folder)
        hold_refused(folder)
        hold_stopped(bus)
    hold_configurations()
    suite.end()


if os.environ.get(INSIDE):
    inside()
needs()
sys.exit(
    subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"]
        + [sys.executable, *sys.argv],
        env=dict(os.environ, **{INSIDE: "1"}),
    ).returncode
)
