# SPDX-License-Identifier: Apache-2.0
"""What the booted tests make of reports: verdicts, what differs from what was written down, and the table of drifts."""

import json

WRONG = ("fail", "error")


def verdicts(text):
    """{rule: (now, boot)} of a JSON report; a horizon that a rule has not is skipped."""
    found = {}
    for rule in json.loads(text)["rules"]:
        judgements = rule.get("judgements", {})
        found[rule["id"]] = tuple(judgements.get(h, {}).get("verdict", "skip") for h in ("now", "boot"))
    return found


def failing(found, apart=()):
    """The rules that fail at a horizon."""
    return {rule for rule, pair in found.items() if "fail" in pair and rule not in apart}


def unexpected(found, good, expected, apart=()):
    """A sentence for each rule whose verdicts are neither those of the good node nor those that were written down."""
    said = []
    for rule in sorted({*found, *good}):
        want = expected.get(rule, good.get(rule))
        if rule not in apart and found.get(rule) != want:
            said.append(f"{rule}: {shown(found.get(rule))}, expected {shown(want)}")
    return said


def false_alarms(found, good, expected, apart=()):
    """Rules that are wrong at a horizon at which they are neither on the good node nor written down to be."""
    alarms = []
    for rule, pair in sorted(found.items()):
        usual = zip(pair, good.get(rule, (None, None)), expected.get(rule, (None, None)))
        if rule not in apart and any(v in WRONG and v not in (g, e) for v, g, e in usual):
            alarms.append(rule)
    return alarms


def shown(pair):
    return "not judged" if pair is None else f"now {pair[0]}, boot {pair[1]}"


def told_the_truth(drift, boot, probed):
    """
    Whether the verdict of the next boot said beforehand what the reboot showed: what was probed is that of a good node
    exactly where the verdict was a pass.
    """
    return (boot == "pass") == (probed == drift.good)


COLUMNS = "{:34} {:22} {:5} {:5} {:34} {:7} {}"
HEAD = COLUMNS.format("drift", "rule", "now", "boot", "the reboot showed", "s", "false alarms")


def row(drift, found, probed, seconds, alarms):
    now, boot = found.get(drift.rule, (None, None))
    seen = probed.replace("\n", ", ") + ("" if probed == drift.good else f" (good: {drift.good})".replace("\n", ", "))
    return COLUMNS.format(
        drift.name, drift.rule, str(now), str(boot), seen, f"{seconds:.1f}", ", ".join(alarms) or "none"
    )
