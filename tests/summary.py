#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Adds up what scripts/test ran: meson's logs and its own notes. Prints skips with reasons, then one line."""

import glob
import json
import os
import sys


def reason(entry):
    lines = [line for line in (entry.get("stdout") or "").splitlines() if line.strip()]
    lines += [line for line in (entry.get("stderr") or "").splitlines() if line.strip()]
    for line in reversed(lines):
        if line.lower().startswith("skip"):
            return line
    return lines[-1] if lines else "no reason given"


def main():
    folder = sys.argv[1]
    passed, failed, skipped = 0, 0, []
    failures = []
    for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
        step = os.path.basename(path)[: -len(".json")]
        with open(path) as f:
            for line in f:
                entry = json.loads(line)
                name = f"{step}: {entry['name']}"
                result = entry["result"]
                if result in ("OK", "EXPECTEDFAIL"):
                    passed += 1
                elif result == "SKIP":
                    skipped.append((name, reason(entry)))
                else:
                    failed += 1
                    failures.append(f"{name} ({result})")
    notes = os.path.join(folder, "notes")
    if os.path.exists(notes):
        with open(notes) as f:
            for line in f:
                result, name, why = line.rstrip("\n").split("\t")
                if result == "ok":
                    passed += 1
                elif result == "skip":
                    skipped.append((name, why))
                else:
                    failed += 1
                    failures.append(name)
    for name, why in skipped:
        print(f"skipped {name}: {why}")
    for name in failures:
        print(f"failed {name}")
    print(f"{passed} passed, {failed} failed, {len(skipped)} skipped")
    return 1 if failed or not passed else 0


sys.exit(main())
