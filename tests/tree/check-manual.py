#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the manual to the program: what the code has, the pages have; an option that a page names, the code has."""

import glob
import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
HEADER = ("checker", "api", "k8scheck-plugin.h")


def read(*path):
    with open(os.path.join(ROOT, *path)) as f:
        return f.read()


def part(path, begin, end="};"):
    """The text of a file from one mark to another."""
    text = read(*path)
    text = text[text.index(begin):]
    return text[:text.index(end)]


def keys(file, name):
    """The keys in a table of struct kc_key, or the like, of the profile loader."""
    return re.findall(r'\{ "([a-z-]+)"', part(("checker", "profile", file), name))


def manifests():
    """The checks and facts of the plugins, by lines: manifests of the tree are written in one style."""
    checks, facts = [], []
    for path in sorted(glob.glob(os.path.join(ROOT, "plugins", "*", "*.yaml"))):
        name, block = os.path.basename(path)[:-len(".yaml")], None
        with open(path) as f:
            for line in f:
                top = re.match(r"([a-z]+):", line)
                block = top.group(1) if top else block
                entry = re.match(r"  ([a-z0-9.-]+):", line)
                if entry and block == "checks":
                    checks.append(f"{name}.{entry.group(1)}")
                elif entry and block == "facts":
                    facts.append(entry.group(1))
    return checks, facts


def has(text, word):
    return re.search(r"(?<![\w.-])" + re.escape(word) + r"(?![\w-])", text) is not None


def main():
    header = read(*HEADER)
    options = re.findall(r'"-(-[a-z-]+)"', part(("checker", "options.c"), "kc_option_names[]"))
    verbs = re.findall(r'"([a-z]+)"', part(("checker", "options.c"), "verb_names[]"))
    exits = re.findall(r"KC_EXIT_\w+ = (\d+)", read("checker", "model", "verdict.h"))
    services = re.findall(r"\(\*(\w+)\)\(", part(HEADER, "struct kc_host {", "\n};"))
    manifest = [k for table in ("top_keys[TOP_KEYS]", "check_keys[CHECK_KEYS]", "param_keys[PARAM_KEYS]")
                for k in keys("manifest.c", table)]
    types = re.findall(r'"([a-z]+)"', part(("checker", "model", "verdict.c"), "kc_type_names[]"))
    checks, facts = manifests()

    # A page, what it must have, how it marks that, and the fewest of them that there can be.
    wanted = [
        ("man/k8scheck.1", options, "Fl ", 20),
        ("man/k8scheck.1", verbs, "Cm ", 4),
        ("man/k8scheck.1", [e for e in exits if e not in ("4", "5")], ".It ", 5),
        ("man/k8scheck-profile.5", keys("extends.c", "keys[KEYS]"), ".It Cm ", 4),
        ("man/k8scheck-profile.5", ["id"] + keys("draft.c", "} keys[]"), ".It Cm ", 13),
        ("man/k8scheck-profile.5", types, ".It Cm ", 8),
        ("man/k8scheck-profile.5", facts, "", 16),
        ("man/k8scheck-plugin.7", services, "Fn ", 35),
        ("man/k8scheck-plugin.7", manifest, "Cm ", 24),
        ("man/k8scheck-plugin.7", re.findall(r"^\t(KC_STEP_\w+) =\s*\d", header, re.M), "", 20),
        ("man/k8scheck-plugin.7", re.findall(r"^\t(KC_RUNTIME_\w+) =\s*\d", header, re.M), "", 7),
        ("README.md", checks, "", 12),
    ]
    wrong, looked_at = [], 0
    for path, words, mark, fewest in wanted:
        text = read(*path.split("/"))
        looked_at += len(words)
        if len(words) < fewest:
            wrong.append(f"{path}: {len(words)} of {words[:1]} and so on were found in the code, fewer than {fewest}")
        for word in words:
            # mdoc lists several after one macro: ".Cm now , boot".
            if not any(mark in line and has(line, word) for line in text.splitlines()):
                wrong.append(f"{path}: nothing of {word}")
    page = read("man", "k8scheck.1")
    for name in sorted(set(re.findall(r"Fl (-[a-z-]+)", page))):
        looked_at += 1
        if name not in options:
            wrong.append(f"man/k8scheck.1: there is no option -{name}")
    # The profile that README.md explains is one that a test lints.
    looked_at += 1
    if read("examples", "our-nodes.yaml").split("\n", 1)[1] not in read("README.md"):
        wrong.append("README.md: its profile is not examples/our-nodes.yaml")
    print("\n".join(wrong))
    print(f"{looked_at} names looked at, {len(wrong)} wrong")
    return 1 if wrong else 0


sys.exit(main())
