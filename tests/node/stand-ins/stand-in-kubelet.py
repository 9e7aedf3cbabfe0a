#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Stands in for the kubelet in tests: says how it was called, refuses to start without its configuration, answers /healthz."""

import http.server
import os
import sys

LOG = "/var/log/stand-in/kubelet.log"


class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *unused):
        pass


def main():
    if sys.argv[1:] == ["--version"]:
        print("Kubernetes v1.18.20")
        return 0
    os.makedirs(os.path.dirname(LOG), exist_ok=True)
    with open(LOG, "a") as f:
        f.write(" ".join(sys.argv[1:]) + "\n")
    config = [a.split("=", 1)[1] for a in sys.argv[1:] if a.startswith("--config=")]
    if config and not os.path.exists(config[-1]):
        print(f"failed to load Kubelet config file {config[-1]}", file=sys.stderr)
        return 255
    http.server.HTTPServer(("127.0.0.1", 10248), Health).serve_forever()
    return 0


sys.exit(main())
