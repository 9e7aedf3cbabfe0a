#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pod networks, ports and ways in a network namespace of the test's own: k8scheck's verdicts against what ip(8),
ss(8) and Python's ipaddress say of the same kernel."""

import ipaddress
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile

from k8s import Suite, run, skip

PROGRAM, PLUGINS = sys.argv[1:3]
INSIDE = "--inside"
NAMESPACES = ["unshare", "--net", "--pid", "--fork", "--mount-proc"]
NETWORKS = [
    "10.244.0.0/16", "10.244.7.0/25", "10.244.7.128/25", "10.244.8.0/24", "10.0.0.0/8", "10.96.0.0/12", "10.96.0.0/13",
    "10.104.0.0/13", "10.112.0.0/12", "192.168.0.0/16", "192.168.77.1/32", "192.168.77.0/32", "172.16.0.0/12",
    "172.20.1.0/24", "172.20.2.0/24", "172.21.0.0/16", "198.51.100.0/24", "127.0.0.0/8", "203.0.113.0/24",
    "fd00:10:244::/56", "fd00:10:244:5::/64", "fd00:10:245::/48", "fd00:20::/108", "fd00:20::1:0/112", "2001:db8::/32",
    "fd00:30::/64", "::1/128",
]
TCP = [6443, 6444, 2379, 10250, 10257, 10259, 30080]
UDP = [8472, 8473, 4789]

suite = Suite("network, against ip and ss")


def rule(name, check, parameters):
    return f"  - id: {name}\n    check: network.{check}\n    title: A rule\n    with: {json.dumps(parameters)}\n"


def judge(rules, *args):
    return run(PROGRAM, "--plugin-dir", PLUGINS, "--live", *args, profile="rules:\n" + rules)


def findings(result, name):
    return result.rules[name]["judgements"]["now"]["findings"]


def command(*words):
    subprocess.run(words, check=True, capture_output=True, text=True)


def asked(*words):
    return json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout or "[]")


def make_network():
    command("ip", "link", "set", "lo", "up")
    # A pair of veth is there where dummy is not; a kernel without either is none that runs pods.
    command("ip", "link", "add", "up0", "type", "veth", "peer", "name", "up1")
    command("ip", "link", "add", "cni0", "type", "bridge")
    for link in ("up0", "up1", "cni0"):
        command("ip", "link", "set", link, "up")
    for address, link in (("192.0.2.10/24", "up0"), ("10.244.7.9/25", "up0"), ("192.168.77.1/32", "up0"),
                          ("172.21.0.1/16", "cni0")):
        command("ip", "address", "add", address, "dev", link)
    command("ip", "-6", "address", "add", "fd00:10:244:5::9/64", "dev", "up0", "nodad")
    for words in (["10.96.0.0/13", "via", "192.0.2.1"], ["172.20.1.0/24", "dev", "up1"], ["default", "via", "192.0.2.1"],
                  ["blackhole", "198.51.100.0/24"], ["unreachable", "203.0.113.0/24"]):
        command("ip", "route", "add", *words)
    for words in (["fd00:20::/112", "dev", "up0"], ["default", "dev", "up0"], ["blackhole", "fd00:30::/64"]):
        command("ip", "-6", "route", "add", *words)


def host_networks(family):
    """What ip(8) says that the host has: networks of addresses and of routes that lead anywhere."""
    found = []
    for link in asked("ip", "-j", f"-{family}", "address"):
        if link["ifname"] == "cni0":
            continue
        for address in link["addr_info"]:
            network = ipaddress.ip_interface(f"{address['local']}/{address['prefixlen']}").network
            if not network.is_loopback:
                found.append(network)
    for route in asked("ip", "-j", f"-{family}", "route", "show", "table", "main"):
        if route["dst"] == "default" or route.get("type", "unicast") != "unicast" or route.get("dev") == "cni0":
            continue
        found.append(ipaddress.ip_network(route["dst"]))
    return found


def pod_networks():
    result = judge("".join(rule(f"net-{i}", "pod-networks", {"networks": [n]}) for i, n in enumerate(NETWORKS)))
    there = {family: host_networks(family) for family in (4, 6)}
    suite.expect_true("ip(8) has addresses and routes", len(there[4]) >= 4 and len(there[6]) >= 2, there)
    verdicts = set()
    for i, text in enumerate(NETWORKS):
        network = ipaddress.ip_network(text)
        overlaps = [str(n) for n in there[network.version] if n.overlaps(network)]
        want = "fail" if overlaps else "pass"
        verdicts.add(want)
        suite.expect(f"{text} ({overlaps})", result.verdict(f"net-{i}"), want)
        if overlaps:
            shown = " ".join(f["found"] for f in findings(result, f"net-{i}"))
            for other in overlaps:
                near = str(ipaddress.ip_network(other).network_address)
                on = [a for a in ("10.244.7.9", "192.168.77.1", "fd00:10:244:5::9") if
                      ipaddress.ip_address(a) in ipaddress.ip_network(other)]
                suite.expect_true(f"{text}: {other} is named", any(w in shown for w in [near, *on]), shown)
    suite.expect("both verdicts were seen", verdicts, {"fail", "pass"})
    suite.expect_in("the bridge of the pod network is named", "172.21.0.1/16 on cni0",
                    findings(result, f"net-{NETWORKS.index('172.21.0.0/16')}")[0]["message"])


def listeners():
    """Sockets of this process, which the tables have with its PID and name."""
    kept = []
    for family, kind, address in (
            (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 6443)), (socket.AF_INET6, socket.SOCK_STREAM, ("::", 10250)),
            (socket.AF_INET6, socket.SOCK_STREAM, ("::1", 10257)), (socket.AF_INET, socket.SOCK_STREAM, ("192.0.2.10", 30080)),
            (socket.AF_INET, socket.SOCK_DGRAM, ("0.0.0.0", 8472)), (socket.AF_INET6, socket.SOCK_DGRAM, ("::1", 4789))):
        s = socket.socket(family, kind)
        if family == socket.AF_INET6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(address)
        if kind == socket.SOCK_STREAM:
            s.listen()
        kept.append(s)
    # Connections, which the tables have behind the sockets that listen.
    for address in (("127.0.0.1", 6443), ("::1", 10257)):
        kept.append(socket.create_connection(address))
    return kept


def held_ports(option):
    out = subprocess.run(["ss", "-Hln" + option], check=True, capture_output=True, text=True).stdout
    return {int(line.split()[3].rsplit(":", 1)[1]) for line in out.splitlines()}


def ports(kept):
    name = open("/proc/self/comm").read().strip()
    rules = "".join(rule(f"tcp-{p}", "ports", {"tcp": [str(p)]}) for p in TCP)
    rules += "".join(rule(f"udp-{p}", "ports", {"udp": [str(p)]}) for p in UDP)
    rules += rule("may", "ports", {"tcp": [str(p) for p in TCP], "allow": [name]})
    rules += rule("range", "ports", {"tcp": ["10000-31000"]})
    result = judge(rules)
    tcp, udp = held_ports("t"), held_ports("u")
    suite.expect("ss(8) sees the test's sockets", (tcp & set(TCP), udp & set(UDP)), ({6443, 10250, 10257, 30080}, {8472, 4789}))
    for protocol, numbers, held in (("tcp", TCP, tcp), ("udp", UDP, udp)):
        for port in numbers:
            suite.expect(f"{protocol} {port}", result.verdict(f"{protocol}-{port}"), "fail" if port in held else "pass")
            if port in held:
                suite.expect_in(f"{protocol} {port} names who has it", f"{name} (PID {os.getpid()}) on ",
                                findings(result, f"{protocol}-{port}")[0]["found"])
    suite.expect("a program that may have them", result.verdict("may"), "pass")
    suite.expect("a range", [f["subject"] for f in findings(result, "range")],
                 [f"TCP {p}" for p in sorted(tcp) if 10000 <= p <= 31000])
    busy = len(kept)
    suite.expect("the test's sockets are still open", sum(s.fileno() >= 0 for s in kept), busy)


def many_sockets():
    """More lines than one read has."""
    kept = []
    for i in range(2, 1200):
        s = socket.socket()
        s.bind((f"127.0.{i // 250}.{i % 250 + 1}", 20000))
        s.listen(1)
        kept.append(s)
    result = judge(rule("last", "ports", {"tcp": ["20000", "20001"]}))
    suite.expect("many sockets", result.verdict("last"), "fail")
    shown = findings(result, "last")
    suite.expect("those of one port", [(f["subject"], f["verdict"]) for f in shown],
                 [("TCP 20000", "fail"), ("TCP 20001", "pass"), ("TCP", "fail")])
    suite.expect("the rest is counted", shown[-1]["found"], f"{len(kept) - 256} sockets more in these ranges")
    for s in kept:
        s.close()


def traffic():
    """Sockets of every kind that the tables have: those that hold a port, and all the others."""
    kept = []

    def opened(family, kind, address, *options):
        s = socket.socket(family, kind)
        for level, name, value in options:
            s.setsockopt(level, name, value)
        s.bind(address)
        if kind == socket.SOCK_STREAM:
            s.listen()
        kept.append(s)
        return s

    shared = (socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    only6 = (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        opened(socket.AF_INET6, kind, ("::", 21000))  # both families
        opened(socket.AF_INET, kind, ("0.0.0.0", 21001))
        opened(socket.AF_INET6, kind, ("::", 21001), only6)
        for address in ("127.0.0.1", "127.0.0.2", "192.0.2.10"):
            opened(socket.AF_INET, kind, (address, 21002))
        for _ in range(3):
            opened(socket.AF_INET, kind, ("0.0.0.0", 21003), shared)
            opened(socket.AF_INET6, kind, ("::", 21004), shared, only6)
    server = opened(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 21005))
    server6 = opened(socket.AF_INET6, socket.SOCK_STREAM, ("::1", 21006))
    for one, family, left in ((server, socket.AF_INET, 21015), (server6, socket.AF_INET6, 21016)):
        for last in ("client", "server", None):
            client = socket.socket(family)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            client.bind((one.getsockname()[0], left))
            client.connect(one.getsockname()[:2])
            there = one.accept()[0]
            left += 2
            # Who closes first keeps its end in TIME_WAIT; the last connection stays.
            for s in {"client": (client, there), "server": (there, client), None: ()}[last]:
                s.close()
            if not last:
                kept.extend((client, there))
    # A UDP socket that is connected holds its port, too, but from one peer alone: it counts as no holder.
    connected = opened(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 21030))
    connected.connect(("127.0.0.1", 21002))
    # Bound, and does not listen.
    bound = socket.socket()
    bound.bind(("127.0.0.1", 21031))
    kept.append(bound)
    states = subprocess.run(["ss", "-Hant"], check=True, capture_output=True, text=True).stdout
    for state in ("LISTEN", "ESTAB", "TIME-WAIT"):
        suite.expect_in("the kernel has sockets of every state", state, states)
    return kept


def both_ways():
    """The kernel's own list and its tables: the same verdicts and the same evidence. Below any root but / the tables
    are read; here it is the same machine once more."""
    other = tempfile.mkdtemp()
    kept = traffic()
    numbers = [*range(21000, 21040), 1]
    rules = "".join(rule(f"{p}-{n}", "ports", {p: [str(n)]}) for p in ("tcp", "udp") for n in numbers)
    rules += rule("range", "ports", {"tcp": ["20990-21040"], "udp": ["20990-21040"]})
    rules += rule("may", "ports", {"tcp": ["21000-21040"], "allow": [open("/proc/self/comm").read().strip(), "other"]})
    rules += rule("may-not", "ports", {"tcp": ["21000-21040"], "allow": ["other"]})
    command("mount", "--rbind", "/", other)
    asked_kernel, read_tables = judge(rules), judge(rules, "--root", other)
    command("umount", "--lazy", other)
    os.rmdir(other)
    verdicts = set()
    for name in asked_kernel.rules:
        verdicts.add(asked_kernel.verdict(name))
        suite.expect(f"both ways: {name}", asked_kernel.verdict(name), read_tables.verdict(name))
        suite.expect(f"both ways: findings of {name}", findings(asked_kernel, name), findings(read_tables, name))
    suite.expect("both ways: verdicts", verdicts, {"pass", "fail"})
    held = {n for n in numbers if asked_kernel.verdict(f"tcp-{n}") == "fail"}
    suite.expect("ports that TCP holds", held, {*range(21000, 21007)})
    held = {n for n in numbers if asked_kernel.verdict(f"udp-{n}") == "fail"}
    suite.expect("ports that UDP holds", held, {*range(21000, 21005)})
    for s in kept:
        s.close()


def reaches():
    cases = {
        "answers": ({"address": "127.0.0.1"}, "pass", "an answer"),
        "own-port": ({"address": "[::1]:10257"}, "pass", "an answer"),
        "refused": ({"address": "127.0.0.1", "port": 6444}, "fail", "refused"),
        "unreachable": ({"address": "203.0.113.9:6443"}, "fail", "no route to the host"),
        "silent": ({"address": "192.0.2.77:6443", "timeout": "200ms"}, "fail", "no answer"),
        "not-given": ({"address": ""}, "skip", None),
        "malformed": ({"address": "127.0.0.1:port"}, "error", None),
    }
    result = judge("".join(rule(name, "reaches", parameters) for name, (parameters, _, _) in cases.items()))
    for name, (_, verdict, found) in cases.items():
        suite.expect(f"reaches: {name}", result.verdict(name), verdict)
        if found:
            suite.expect_in(f"reaches: {name}", found, findings(result, name)[0]["found"])


def inside():
    make_network()
    kept = listeners()
    pod_networks()
    ports(kept)
    both_ways()
    many_sockets()
    reaches()
    suite.end()


def other_namespace():
    """With the first process of the host in another network namespace, nothing is said of the host."""
    rules = rule("pods", "pod-networks", {"networks": ["10.244.0.0/16"]}) + rule("ports", "ports", {"tcp": ["6443"]})
    rules += rule("reaches", "reaches", {"address": "127.0.0.1"})
    # unshare(1) of the program alone: its /proc is still that of the host.
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "test-network.py")
    done = subprocess.run(["unshare", "--net", sys.executable, script, *sys.argv[1:], "--other", rules], text=True,
                          capture_output=True)
    suite.expect("the run in another namespace", (done.returncode, done.stderr), (0, ""))
    suite.expect("another namespace", json.loads(done.stdout or "null"), {"pods": "error", "ports": "error", "reaches": "error"})


def main():
    if INSIDE in sys.argv:
        inside()
    if "--other" in sys.argv:
        result = judge(sys.argv[sys.argv.index("--other") + 1])
        print(json.dumps({name: result.verdict(name) for name in result.rules}))
        sys.exit(0)
    for tool in ("unshare", "ip", "ss"):
        if not shutil.which(tool):
            skip(f"{tool} is not installed")
    tried = subprocess.run([*NAMESPACES, "ip", "link", "add", "up0", "type", "veth", "peer", "name", "up1"],
                           capture_output=True, text=True)
    if tried.returncode:
        skip("a network namespace of its own, with a link in it, is not to be had here: " + tried.stderr.strip())
    other_namespace()
    done = subprocess.run([*NAMESPACES, sys.executable, os.path.abspath(__file__), *sys.argv[1:], INSIDE])
    suite.expect("inside", done.returncode, 0)
    suite.end()


main()
