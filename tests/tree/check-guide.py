#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds docs/guide-crio-1.18.md to the profile: every step but the update has rules, every rule is told, none is made up;
and the rules whose failure makes a boot pointless carry the tag for it."""

import re
import sys

GUIDE = "docs/guide-crio-1.18.md"
PROFILE = "profiles/crio-1.18.yaml"
STEPS = range(1, 23)
NO_RULE = {4}
# What a boot without it comes to nothing: swap, modules, sysctls, conmon, the cgroup driver of both sides.
BOOT_GATE = {
    "swap-off", "module-overlay", "module-br-netfilter", "bridge-nf-call-iptables",
    "bridge-nf-call-ip6tables", "ip-forward", "crio-conmon", "crio-cgroup-manager",
    "kubelet-cgroup-driver", "kubelet-crio-agree",
}


def rules_of_profile(text):
    """The ids, and those with the tag boot-gate; by lines, since a fresh machine need not have a YAML module."""
    tags, rule = {}, None
    for line in text.splitlines():
        if found := re.match(r"  - id: ([a-z0-9-]+)$", line):
            rule = found[1]
            tags[rule] = []
        elif found := re.match(r"    tags: \[(.*)\]$", line):
            tags[rule] = [tag.strip() for tag in found[1].split(",")]
    return set(tags), {rule for rule, own in tags.items() if "boot-gate" in own}


def steps_of_guide(text):
    steps = {}
    for line in text.splitlines():
        if found := re.match(r"\| (\d+) [^|]*\|[^|]*\| (.*) \|$", line):
            steps[int(found[1])] = set(re.findall(r"`([a-z0-9-]+)`", found[2]))
    beyond = re.search(r"^Beyond the guide,.*?\n\n", text, re.M | re.S)
    return steps, set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", beyond[0])) if beyond else set()


def main():
    with open(GUIDE, encoding="utf-8") as f:
        steps, beyond = steps_of_guide(f.read())
    with open(PROFILE, encoding="utf-8") as f:
        rules, boot_gate = rules_of_profile(f.read())
    wrong = []
    if not rules or sorted(steps) != list(STEPS):
        wrong.append(f"{GUIDE}: the table has the steps {sorted(steps)}, and {PROFILE} {len(rules)} rules")
    told = beyond.union(*steps.values())
    for number, own in sorted(steps.items()):
        if bool(own) == (number in NO_RULE):
            wrong.append(f"{GUIDE}: step {number} has {len(own)} rules")
    for rule in sorted(told - rules):
        wrong.append(f"{GUIDE}: {PROFILE} has no rule {rule}")
    for rule in sorted(rules - told):
        wrong.append(f"{GUIDE}: the rule {rule} is of no step, and not beyond the guide")
    for rule in sorted(boot_gate ^ BOOT_GATE):
        wrong.append(f"{PROFILE}: {rule}: the tag boot-gate " + ("is missing" if rule in BOOT_GATE else "is too much"))
    print("\n".join(wrong + ["", f"{len(rules)} rules looked at, {len(wrong)} wrong"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
