# SPDX-License-Identifier: Apache-2.0
"""Texts that do harm to who reads them on a terminal or in a log, and what tells that one came through."""

import re
import unicodedata

# Every character that cannot be seen or turns text around: of a category, or Default_Ignorable_Code_Point of Unicode 15.1.
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
IGNORED = {
    *(0x34F, 0x3164, 0xFFA0, 0x115F, 0x1160, 0x17B4, 0x17B5),
    *range(0x180B, 0x1810),
    *range(0x2060, 0x2070),
    *range(0xFE00, 0xFE10),
    *range(0xFFF0, 0xFFF9),
    *range(0xE0000, 0xE1000),
}
FORMAT = "".join(chr(c) for c in range(0x80, 0x110000) if unicodedata.category(chr(c)) in ("Cf", "Zl", "Zp"))

# At the beginning of a line, white space before it or not; anywhere.
BEGINS = re.compile(
    r"^\s*(::|---|\+\+\+|~~~|\^\^\^|1\.\.|Bail out!|TAP version|section_(start|end):|travis_|<\d+>|(not )?ok(\s|$))",
    re.M,
)
ANYWHERE = re.compile(r"##[a-zA-Z]*\[")

# What obeys a text: its name, and lines of it. Each ends in a word that tells that the text was there.
COMMANDS = [
    ("GitHub: set-output", "::set-output name=a::owned"),
    ("GitHub: error", "::error file=a,line=1::owned"),
    ("GitHub: stop-commands", "::stop-commands::owned"),
    ("GitHub: behind white space", "  ::add-mask::owned"),
    ("GitHub: of the first version", "##[add-path]owned"),
    ("Azure: a group", "##[group]owned"),
    ("Azure: a variable", "x ##vso[task.setvariable variable=a]owned"),
    ("TeamCity", "##teamcity[buildStatus status='SUCCESS' text='owned']"),
    ("GitLab: a section", "section_start:1:a[collapsed=true]\r\x1b[0Kowned"),
    ("GitLab: its end", "section_end:1:a\r\x1b[0Kowned"),
    ("Travis: a fold", "travis_fold:start:owned"),
    ("Buildkite: a group", "--- owned"),
    ("Buildkite: an open group", "+++ owned"),
    ("Buildkite: a muted group", "~~~ owned"),
    ("Buildkite: the last group", "^^^ +++ owned"),
    ("TAP: a test", "ok 1 - owned"),
    ("TAP: a failed test", "not ok 1 owned"),
    ("TAP: the end", "Bail out! owned"),
    ("TAP: a plan", "1..0 # skip owned"),
    ("TAP: a version", "TAP version 13 owned"),
    ("the journal: a priority", "<0>owned"),
    ("the journal: with a facility", "<27>owned"),
]

# What moves a terminal or cannot be seen.
CHARACTERS = [
    ("CSI", "\x1b[2J\x1b[31mowned"),
    ("OSC 0: a title", "\x1b]0;a\x07owned"),
    ("OSC 8: a link", "\x1b]8;;http://a/\x1b\\b\x1b]8;;\x1b\\owned"),
    ("OSC 52: the clipboard", "\x1b]52;c;b3duZWQ=\x07owned"),
    ("DCS, APC, PM", "\x1bPq\x1b\\\x1b_a\x1b\\\x1b^b\x1b\\owned"),
    ("C1 in UTF-8", "".join(chr(c) for c in range(0x80, 0xA0)) + "owned"),
    ("a carriage return alone", "all is well\rowned"),
    ("backspaces and DEL", "a\b\b\x7fowned"),
    ("form feed and vertical tab", "\f\vowned"),
    ("the direction of text", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061cowned"),
    ("of no width", "\u200b\u200c\u200d\u2060\u2061\ufeffowned"),
    ("tags", "\U000e0001\U000e0041\U000e007fowned"),
    ("separators of lines", "a\u2028::error::b\u2029owned"),
    ("annotations", "\ufff9a\ufffab\ufffbowned"),
    *((f"formats from U+{ord(FORMAT[i]):04X}", FORMAT[i : i + 20] + "owned") for i in range(0, len(FORMAT), 20)),
    ("fillers", "\u034f\u115f\u1160\u3164\uffa0\u17b4\u17b5owned"),
    ("variations", "a\ufe00b\ufe0fc\u180bd\U000e0100owned"),
    ("noncharacters", "\ufffe\uffff\ufdd0\U0001fffe\U0010ffffowned"),
]

# What is no UTF-8.
BYTES = [
    ("raw C1", b"\x9b31m\x85owned"),
    ("overlong", b"\xc0\x9b\xe0\x80\x9b\xf0\x80\x80\x9bowned"),
    ("surrogates", b"\xed\xa0\x80\xed\xbf\xbfowned"),
    ("cut and lone", b"\xe2\x80\xff\x80\xf0\x9fowned"),
    ("beyond Unicode", b"\xf4\x90\x80\x80owned"),
]

TEXTS = [(name, text.encode()) for name, text in COMMANDS + CHARACTERS] + BYTES


def harm(written):
    """What of these bytes does harm; [] for none."""
    try:
        text = written.decode("utf-8")
    except UnicodeDecodeError as e:
        return [str(e)]
    odd = {
        f"U+{ord(c):04X}"
        for c in set(text) - {"\n"}
        if unicodedata.category(c) in UNSEEN
        or ord(c) in IGNORED
        or (ord(c) & 0xFFFE) == 0xFFFE
        or 0xFDD0 <= ord(c) <= 0xFDEF
    }
    return sorted(odd) + [m.group() for m in BEGINS.finditer(text)] + ANYWHERE.findall(text)
