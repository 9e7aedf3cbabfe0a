#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
The plugin cluster on real things: interfaces of the kernel's in a network namespace of the test's own, and an HTTP
server that is healthy, ill, silent, and gone. Exits with 77 where no namespace can be made.
"""

import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading

from k8s import Suite, run, skip

PROGRAM = sys.argv[1]
INSIDE = "KC_TEST_CLUSTER_INSIDE"
PROFILE = """
title: cluster
rules:
  - id: leftovers
    check: cluster.leftovers
    title: nothing is left
    severity: required
  - id: health
    check: cluster.kubelet-health
    title: the kubelet is healthy
    severity: required
    with: {{url: "http://127.0.0.1:{port}/healthz", timeout: 300ms}}
"""
suite = Suite("cluster")


class Kubelet(http.server.BaseHTTPRequestHandler):
    status, body = 200, b"ok"

    def do_GET(self):
        self.send_response(Kubelet.status if self.path == "/healthz" else 404)
        self.send_header("Content-Length", str(len(Kubelet.body)))
        self.end_headers()
        self.wfile.write(Kubelet.body)

    def log_message(self, *unused):
        pass


def findings(port, rule):
    """(verdict, [(subject, found)]) of the running system; files are another test's."""
    result = run(PROGRAM, "--live", "--horizon", "now", profile=PROFILE.format(port=port))
    judgement = result.rules[rule]["judgements"]["now"]
    return judgement["verdict"], [(f.get("subject"), f.get("found")) for f in judgement["findings"]]


def ip(*args):
    subprocess.run(["ip", *args], check=True, capture_output=True, text=True)


def hold_interfaces():
    ip("link", "set", "lo", "up")
    suite.expect("no interface", findings(1, "leftovers"), ("pass", [("interfaces", "nothing left (1 looked at)")]))
    ip("link", "add", "cni0", "type", "veth", "peer", "name", "cali0123456789a")
    ip("addr", "add", "10.85.0.1/16", "dev", "cni0")
    suite.expect(
        "two interfaces",
        findings(1, "leftovers"),
        ("fail", [("cali0123456789a", "there"), ("cni0", "there, with 10.85.0.1/16")]),
    )
    ip("link", "del", "cni0")
    suite.expect("they are gone", findings(1, "leftovers")[0], "pass")


def hold_health():
    server = http.server.HTTPServer(("127.0.0.1", 0), Kubelet)
    port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    suite.expect("healthy", findings(port, "health"), ("pass", [("kubelet", "200 ok")]))
    Kubelet.body = b"[-]syncloop failed: reason withheld\nhealthz check failed\n"
    Kubelet.status = 500
    suite.expect(
        "ill",
        findings(port, "health"),
        ("fail", [("kubelet", "500 [-]syncloop failed: reason withheld healthz check failed")]),
    )
    server.shutdown()
    thread.join()
    server.server_close()
    suite.expect("gone", findings(port, "health"), ("fail", [("kubelet", "nobody listens")]))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        suite.expect("silent", findings(port, "health"), ("fail", [("kubelet", "no answer in time")]))


def inside():
    # What /sys shows of the network is that of the namespace it was mounted in.
    if subprocess.run(["mount", "-t", "sysfs", "sysfs", "/sys"], capture_output=True).returncode != 0:
        skip("/sys cannot be mounted here")
    try:
        ip("link", "add", "test0", "type", "veth", "peer", "name", "test1")
        ip("link", "del", "test0")
    except subprocess.CalledProcessError as e:
        skip(f"no interface can be made here: {e.stderr.strip()}")
    hold_interfaces()
    hold_health()
    suite.end()


if os.environ.get(INSIDE):
    inside()
if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"):
    skip("namespaces need root, unshare and ip")
UNSHARE = ["unshare", "--net", "--mount", "--propagation", "private"]
if subprocess.run([*UNSHARE, "true"], capture_output=True).returncode != 0:
    skip("namespaces cannot be made here")
sys.exit(subprocess.run([*UNSHARE, sys.executable, *sys.argv], env=dict(os.environ, **{INSIDE: "1"})).returncode)
