#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Any byte may stand in a value of a host: every report stays valid, says what was there, and harms no reader."""

import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import guide
import hostile
from k8s import Host, Suite, hold_schemas, run_on_terminal

PROGRAM, PLUGINS, FAULTY, PROBE, SUPPORT = sys.argv[1:6]
MEGABYTE = 1 << 20

suite = Suite("hostile values")

# Name; bytes; how the reports for people write a part of it (None: nothing in particular).
VALUES = [
    ("plain", b"plain", "plain"),
    ("control characters", bytes(range(1, 32)) + b"\x7f", "\\x01\\x02"),
    ("terminal escapes", b"a\x1b[2J\x1b]0;owned\x07\x1b[31mred", "a\\x1b[2J\\x1b]0;owned\\x07"),
    ("C1 controls", b"a\xc2\x9b31m\xc2\x85b", "a\\x9b31m\\x85b"),
    ("raw C1", b"a\x9b31mb", "a\\x9b31mb"),
    ("lone bytes", b"\x80\xbf\xc0\xc1\xf5\xfe\xff", "\\x80\\xbf\\xc0"),
    ("cut sequences", b"\xe2\x82\xf0\x9f\x98", "\\xe2\\x82"),
    ("overlong", b"\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf", "\\xc0\\xaf"),
    ("surrogates", b"\xed\xa0\x80\xed\xbf\xbf", "\\xed\\xa0\\x80"),
    ("beyond Unicode", b"\xf4\x90\x80\x80", "\\xf4\\x90"),
    ("noncharacters", "a\ufffeb\uffffc\U0010ffffd\ufdd0".encode(), "\\u{fffe}"),
    ("direction", "a\u202eb\u2066c\u200fd\u061ce".encode(), "a\\u{202e}b"),
    ("invisible", "a\u200bb\ufeffc\u00add\u2028e\u2029f\U000e0041g".encode(), "a\\u{200b}b"),
    ("good Unicode", "Größe 寸法 😀 é".encode(), "Größe 寸法 😀"),
    ("markup", b"<testsuite name='x' a=\"b\">&amp;&#0;&lt;</failure>", "</failure>"),
    ("the end of CDATA", b"]]>]]]]><![CDATA[>]]>", "]]>"),
    ("a comment and an entity", b"<!-- --> <!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]> &y;", "&y;"),
    ("quotes and backslashes", b'"\'\\\\\\"\\u0000 \\x41 ${a} $(b) `c`', "`c`"),
    ("GitHub's commands", b"::error file=a::owned\n::set-output name=a::b\n  ::add-mask::c", "set-output"),
    ("Azure's commands", b"##vso[task.setvariable variable=a]owned\nx ##[error]y ##[group]", "\\x23"),
    ("TeamCity's commands", b"##teamcity[buildStatus status='SUCCESS']", "\\x23teamcity["),
    ("GitLab's sections", b"section_start:0:x[collapsed=true]\r\x1b[0Kowned", "\\r\\x1b[0K"),
    ("lines", b"a\n\n\nb\r\nc\rd\n", "a\\n\\n\\nb\\r\\nc"),
    ("white space", b" \t \n", None),
    ("formulas", b"=cmd|'/c calc'!A0", "calc"),
    ("percent", b"%s%n%0A%d", "%s%n%0A%d"),
    *((name, text, "owned") for name, text in hostile.TEXTS if name not in ("surrogates", "overlong", "noncharacters")),
    ("a megabyte", b"x" * MEGABYTE, "xxxx"),
    ("a megabyte of words", b"word " * (MEGABYTE // 5), "word word"),
    ("a megabyte of controls", b"\x01" * MEGABYTE, "\\x01\\x01"),
    ("a megabyte of lines", b"\n" * MEGABYTE, None),
    ("a megabyte of broken UTF-8", b"\xff" * MEGABYTE, "\\xff\\xff"),
    ("a megabyte of ]]>", b"]]>" * (MEGABYTE // 3), "]]>]]>"),
    ("a megabyte of wide characters", "寸".encode() * (MEGABYTE // 3), "寸寸"),
]


def prepare(host, value):
    """The value in every place that a check, a fact or the report's head quotes."""
    guide.lay(host)
    line = value.replace(b"\n", b" ")
    quoted = line.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    host.write("/etc/value", value)
    host.write("/etc/hostname", line[:200])
    host.write(
        "/etc/os-release", b'ID=debian\nVERSION_ID="' + quoted[:5000] + b'"\nPRETTY_NAME="' + quoted[:5000] + b'"\n'
    )
    host.write("/proc/sys/net/ipv4/ip_forward", value + b"\n")
    host.write(
        "/etc/sysctl.d/99-kubernetes-cri.conf", b"net.ipv4.ip_forward = " + line + b"\nkernel.panic = " + line + b"\n"
    )
    host.write(
        "/etc/crio/crio.conf",
        guide.crio_conf()
        .replace('conmon = "/usr/bin/conmon"', "")
        .encode()
        .replace(b'cgroup_manager = "systemd"', b'cgroup_manager = "' + quoted + b'"'),
    )
    host.write(
        "/etc/default/kubelet",
        b'KUBELET_EXTRA_ARGS="--cgroup-driver=' + quoted + b" --container-runtime-endpoint=" + quoted + b'"\n',
    )
    host.write(
        "/var/lib/kubelet/config.yaml",
        b'kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\ncgroupDriver: "' + quoted + b'"\n',
    )
    # Names of files are anybody's, too.
    name = re.sub(rb"[/\x00]", b"_", value)[:100]
    for folder in ("/etc/sysctl.d", "/etc/crio/crio.conf.d"):
        path = os.fsencode(host.path + folder) + b"/zz" + name + b".conf"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(
                b"kernel.panic_on_oops = " + line[:1000] + b"\n"
                if b"sysctl" in path
                else b'[crio.api]\nlisten = "' + quoted[:1000] + b'"\n'
            )


PROFILE = """\
extends: crio-1.18
rules:
  - {id: value, check: probe.files, with: {paths: [/etc/value]}, title: Quotes a file}
"""


def harmless(what, text, colored=False):
    """No raw control character, nothing that a CI system obeys, nothing that turns text around."""
    if colored:
        text = re.sub(r"\x1b\[[0-9;]*m", "", re.sub(r"\r\x1b\[K|\r\n", "\n", text))
        # The progress line, which is gone before the report.
        text = re.sub(r"[^\n]*rules judged[^\n]*\n", "", text)
    suite.expect(f"{what}: what does harm", hostile.harm(text.encode("utf-8", "surrogateescape")), [])


def found_in(report):
    findings = report["rules"][-1]["judgements"]["boot"]["findings"]
    return next(f["found"] for f in findings if f.get("subject") == "read" or f.get("found"))


def expected_json(value):
    """What the JSON says of a value: all of it, but for bytes that are no UTF-8."""
    text = value.decode("utf-8", "surrogateescape")
    return "".join(
        f"\\x{ord(c) - 0xdc00:02x}" if 0xDC80 <= ord(c) <= 0xDCFF else "\\x7f" if c == "\x7f" else c for c in text
    )


def judge(name, value, shown, tmp):
    with Host() as host:
        prepare(host, value)
        host.write("/p.yaml", PROFILE)
        slug = re.sub(r"\W", "_", name)
        paths = {
            "json": os.path.join(tmp, slug + ".json"),
            "junit": os.path.join(tmp, slug + ".xml"),
            "text": os.path.join(tmp, slug + ".txt"),
        }
        base = [
            PROGRAM,
            "--plugin-dir",
            PLUGINS,
            "--plugin-dir",
            PROBE,
            "--root",
            host.path,
            "--live",
            "--profile",
            host.path + "/p.yaml",
        ]
        done = subprocess.run(
            [*base, "--verbose", *(x for form, path in paths.items() for x in ("--report", f"{form}={path}"))],
            capture_output=True,
            timeout=120,
        )
        suite.expect(f"{name}: exit code", done.returncode, 1)
        harmless(f"{name}: standard error", done.stderr.decode("utf-8", "surrogateescape"))
        with open(paths["json"], "rb") as f:
            raw = f.read()
        report = json.loads(raw.decode("utf-8"))
        suite.expect(f"{name}: rules", report["rules"][-1]["id"], "value")
        suite.expect_true(
            f"{name}: JSON has no raw control character", not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", raw)
        )
        got = found_in(report)
        if len(value) < 10000:
            suite.expect(f"{name}: JSON says what was there", got, expected_json(value))
        else:
            suite.expect_true(
                f"{name}: JSON says that it was cut",
                re.search(r"\(cut here: 10\d{5} bytes in all\)$|cut.*\d{5,}", got[-200:]),
                repr(got[-200:]),
            )
            suite.expect_true(
                f"{name}: JSON shows the beginning",
                got.startswith(value[:999].decode() if value[:1] != b"\xff" else "\\xff" * 100),
                repr(got[:100]),
            )
        for form in ("junit", "text"):
            with open(paths[form], encoding="utf-8", newline="") as f:
                text = f.read()
            if form == "text":
                harmless(f"{name}: text", text)
                flat = "".join(text.split())
            else:
                root = xml.etree.ElementTree.fromstring(text.encode())
                parts = [t for e in root.iter() for t in (e.text or "", *(f"{k}={v}" for k, v in e.attrib.items()))]
                harmless(f"{name}: junit", "\n".join(parts))
                suite.expect_true(
                    f"{name}: junit has no entity but the five",
                    not re.search(r"<!DOCTYPE|<!ENTITY", text.replace("&lt;", "")),
                )
                flat = "".join("".join(parts).split())
            if shown:
                suite.expect_in(f"{name}: {form} says what was there", "".join(shown.split()), flat)
            if len(value) > 10000:
                suite.expect_true(f"{name}: {form} says that it was cut", re.search(r"cut.{0,40}\d{5,}", flat))
            suite.expect_true(f"{name}: {form} is bounded", len(text) < 12 * MEGABYTE, str(len(text)))
        if len(value) < 10000:
            code, text = run_on_terminal([*base, "--verbose"], env={**os.environ, "TERM": "xterm"}, columns=80)
            suite.expect(f"{name}: exit code on a terminal", code, 1)
            harmless(f"{name}: terminal", text, True)
    return paths


def test_profiles(tmp):
    """The texts of a profile, and the faults that are found in it."""
    text = '"\\e[31m\\x07 ::error::x ##vso[y]z \\u202e ]]> <a>"'
    with Host({"/etc/value": "x"}) as host:
        host.write(
            "/p.yaml",
            f"title: {text}\nrules:\n  - {{id: value, check: probe.files, with: {{paths: [/etc/value]}}, title: {text}, why: {text}, remedy: {text}, "
            f"tags: [{text}], references: [{text}]}}\n",
        )
        base = [
            PROGRAM,
            "--plugin-dir",
            PLUGINS,
            "--plugin-dir",
            PROBE,
            "--root",
            host.path,
            "--profile",
            host.path + "/p.yaml",
        ]
        paths = {"json": os.path.join(tmp, "profile.json"), "junit": os.path.join(tmp, "profile.xml")}
        done = subprocess.run(
            [*base, "--report", "text", *(x for form, path in paths.items() for x in ("--report", f"{form}={path}"))],
            capture_output=True,
            timeout=60,
        )
        suite.expect("a profile's texts: exit code", done.returncode, 1)
        harmless("a profile's texts", done.stdout.decode())
        suite.expect_in("a profile's texts are shown", "\\x1b[31m\\x07", done.stdout.decode())
        host.write(
            "/faulty.yaml",
            f"rules:\n  - {{id: value, check: probe.files, {text}: x, stage: {text}}}\n  - {{id: {text}, check: {text}}}\n",
        )
        for args in (
            ["--profile", host.path + "/faulty.yaml"],
            ["lint", host.path + "/faulty.yaml"],
            ["--profile", "##vso[x]y"],
            ["--\x1b[31m##[error]x"],
            ["--rule", "\x1b##[x]", "--profile", "crio-1.18"],
            ["explain", "##vso[x]\x1b"],
            ["list", "##vso[x]\x1b"],
        ):
            done = subprocess.run(
                [PROGRAM, "--plugin-dir", PLUGINS, "--plugin-dir", PROBE, *args], capture_output=True, timeout=60
            )
            suite.expect(f"{args[0]}: exit code", done.returncode, 2)
            suite.expect_true(f"{args[0]}: something is said", len(done.stderr) > 20)
            harmless(f"{args[0]}: standard error", done.stderr.decode())
    return paths


with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp:
    reports = [judge(name, value, shown, tmp) for name, value, shown in VALUES]
    reports.append(test_profiles(tmp))
    hold_schemas(suite, PROGRAM, [r["json"] for r in reports], [r["junit"] for r in reports])
suite.end()
