#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Secrets planted where checks quote from, looked for in everything that is written: none may appear."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time

import guide
from k8s import Host, Suite, run_on_terminal

PROGRAM, PLUGINS, FAULTY, PROBE, SUPPORT = sys.argv[1:6]
MASK = "***"

suite = Suite("secrets")
numbers = iter(range(100000))


def secret(length=10):
    """Unlike anything else, and told apart from the others."""
    return ("Zq" + format(next(numbers), "05d") + "s" + "aB9" * 10)[: max(length, 8)]


PEM = "-----BEGIN {kind}PRIVATE KEY-----\n{a}\n{b}\n-----END {kind}PRIVATE KEY-----"


def texts():
    """Texts with secrets as hosts have them, each with what must not appear: (name, text, secrets)."""

    def one(name, template, length=10):
        s = secret(length)
        return name, template.replace("@", s), [s]

    rows = [
        one("password=", "password=@"),
        one("passwd:", "passwd: @"),
        one("a name with password", "database_password = @"),
        one("capitals", "DB_PASSWORD=@"),
        one("in quotes", 'password="@"'),
        one("in single quotes", "token='@'"),
        one("with a space in quotes", 'password="@ and more"'),
        one("JSON", '{"user": "u", "password": "@"}'),
        one("JSON in a text", '"{\\"auths\\": {\\"r\\": {\\"password\\": \\"@\\"}}}"'),
        one("YAML", "user: u\ntoken: @\n"),
        one("--flag value", "/usr/bin/x --token @ --verbose"),
        one("--flag=value", "/usr/bin/x --bootstrap-token=@ --verbose"),
        one("an api key", "api_key=@"),
        one("an api key", "x-api-key: @"),
        one("an access key", "AWS_SECRET_ACCESS_KEY=@"),
        one("a bearer", "Authorization: Bearer @"),
        one("a bearer alone", "bearer @"),
        one("basic", "authorization: Basic @"),
        one("a client secret", "client-secret=@"),
        one("a passphrase", "passphrase: @"),
    ]
    s = secret()
    rows.append(("a URL", f"https://user:{s}@registry.example:5000/v2/", [s]))
    s = secret()
    rows.append(("a proxy", f"HTTPS_PROXY=http://proxy:{s}@10.0.0.1:3128", [s]))
    s = "zq7s" + format(next(numbers), "02d") + "." + "zq7s" + format(next(numbers), "04d") + "abcdefgh"
    rows.append(("a bootstrap token", f"kubeadm join --token {s} 10.0.0.1:6443", [s.split(".")[1]]))
    rows.append(("a bootstrap token alone", f"the token was {s}", [s.split(".")[1]]))
    a, b = secret(), secret(30)
    rows.append(("a JSON web token", f"eyJhbGciOiJSUzI1NiJ9.eyJ{a}.{b}", [a, b]))
    for kind in ("", "RSA ", "EC ", "OPENSSH "):
        a, b = secret(30), secret(20)
        rows.append((f"a block of {kind or 'any '}private key", PEM.format(kind=kind, a=a, b=b), [a, b]))
    a = secret(30)
    rows.append(("a block without an end", f"-----BEGIN PRIVATE KEY-----\n{a}\n", [a]))
    a = secret(30)
    rows.append(
        ("a block on one line", f"key: \"-----BEGIN PRIVATE KEY-----\\n{a}\\n-----END PRIVATE KEY-----\\n\"", [a])
    )
    return rows


def all_outputs(*args, env=None):
    """Everything that a run writes: (exit code, all of it, and of each part by name)."""
    with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp:
        paths = {form: os.path.join(tmp, form) for form in ("json", "junit", "text")}
        parts = {}
        for verbose in ([], ["--verbose"]):
            command = [PROGRAM, "--plugin-dir", PLUGINS, "--plugin-dir", PROBE, *args, *verbose]
            done = subprocess.run(
                [
                    *command,
                    "--report",
                    "text",
                    *(x for f in ("json", "junit") for x in ("--report", f"{f}={paths[f]}")),
                ],
                capture_output=True,
                text=True,
                errors="backslashreplace",
                timeout=120,
                env=env,
            )
            suffix = " --verbose" if verbose else ""
            parts["text" + suffix], parts["stderr" + suffix] = done.stdout, done.stderr
            for form in ("json", "junit"):
                if not os.path.exists(paths[form]):
                    continue
                with open(paths[form], errors="backslashreplace") as f:
                    parts[form + suffix] = f.read()
                os.unlink(paths[form])
            if done.returncode == 2:
                break
        return done.returncode, parts


def hold(what, secrets, parts, quoted=True):
    for name, text in parts.items():
        for s in secrets:
            at = text.find(s)
            if at < 0:
                # Wrapped or cut in the middle is a leak as well.
                at = text.find(s[:8])
            suite.expect_true(f"{what}: {name}: {s}", at < 0, repr(text[max(0, at - 150) : at + 50]))
    if quoted:
        for name in ("json", "junit", "text --verbose"):
            suite.expect_in(f"{what}: {name} quotes it masked", MASK, parts.get(name))


def yaml_string(text):
    return json.dumps(text)


def test_findings():
    """Every form, in every field of a finding, in log lines, in what a crashed plugin said, and read from a file."""
    rows = texts()
    with Host() as host, tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp:
        path = os.path.join(tmp, "p.yaml")
        for i, (name, text, secrets) in enumerate(rows):
            host.write(f"/etc/secret{i}", text)
            with open(path, "w") as f:
                f.write(
                    f"rules:\n  - {{id: files, check: probe.files, with: {{paths: [/etc/secret{i}]}}}}\n"
                    f"  - {{id: say, check: probe.say, with: {{text: {yaml_string(text)}}}}}\n"
                    f"  - {{id: crash, check: probe.crash, with: {{text: {yaml_string(text)}}}}}\n"
                )
            code, parts = all_outputs("--root", host.path, "--live", "--profile", path)
            suite.expect(f"{name}: exit code", code, 1)
            hold(name, secrets, parts)
            report = json.loads(parts["json"])
            for rule in report["rules"]:
                suite.expect_in(f"{name}: {rule['id']} quotes it masked", MASK, json.dumps(rule["judgements"]))
            suite.expect_in(f"{name}: the log quotes it masked", MASK, parts["stderr --verbose"])


def replaced(text, old, new):
    assert text.count(old) >= 1, old
    return text.replace(old, new)


def plants():
    """Files of the guide with secrets in them: (name, {path: text}, secrets, whether something quotes it)."""
    files = guide.files()
    rows = []

    def plant(name, path, make, quoted=True):
        a, b = secret(), secret()
        rows.append((name, {path: make(a, b)}, [a, b], quoted))

    crio, unit = "/etc/crio/crio.conf", "/usr/lib/systemd/system/kubelet.service"
    dropin, env = "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf", "/etc/default/kubelet"
    config, sysctl = "/var/lib/kubelet/config.yaml", "/etc/sysctl.d/99-kubernetes-cri.conf"
    plant(
        "conmon",
        crio,
        lambda a, b: replaced(files[crio], '"/usr/bin/conmon"', f'"/usr/bin/conmon --password={a} --token {b}"'),
    )
    plant(
        "the cgroup manager",
        crio,
        lambda a, b: replaced(
            files[crio], 'cgroup_manager = "systemd"', f'cgroup_manager = "https://user:{a}@host/?token={b}"'
        ),
    )
    plant(
        "CRI-O's socket",
        crio,
        lambda a, b: replaced(
            files[crio], 'listen = "/var/run/crio/crio.sock"', f'listen = "/run/password={a},token={b}"'
        ),
    )
    plant(
        "a line of crio.conf that does not parse",
        crio,
        lambda a, b: files[crio] + f'\n[crio.image]\npassword = {a} token = "{b}"\n',
        False,
    )
    plant(
        "a key that CRI-O does not know",
        crio,
        lambda a, b: replaced(
            files[crio], "[crio.runtime]", f'[crio.runtime]\nregistry_password = "{a}"\ntoken = "{b}"'
        ),
        False,
    )
    plant(
        "CRI-O's options",
        "/etc/sysconfig/crio",
        lambda a, b: f'CRIO_CONFIG_OPTIONS="--cgroup-manager=password={a} --conmon=token={b}"\n',
    )
    plant(
        "CRI-O's options that do not parse",
        "/etc/sysconfig/crio",
        lambda a, b: f'CRIO_CONFIG_OPTIONS="--password={a} --token={b}\n',
        False,
    )
    plant(
        "the kubelet's end point",
        env,
        lambda a, b: replaced(files[env], "unix:///var/run/crio/crio.sock", f"https://user:{a}@host/?token={b}"),
    )
    plant(
        "the kubelet's driver",
        env,
        lambda a, b: replaced(files[env], "--cgroup-driver=systemd", f"--cgroup-driver=password={a},token={b}"),
    )
    plant(
        "a flag that there is not",
        env,
        lambda a, b: replaced(
            files[env], "--cgroup-driver=systemd", f"--cgroup-driver=systemd --registry-password={a} --api-token={b}"
        ),
        False,
    )
    plant(
        "a word that is no flag",
        env,
        lambda a, b: replaced(files[env], "--cgroup-driver=systemd", f"--cgroup-driver=systemd password={a} token={b}"),
        False,
    )
    plant(
        "a quote without an end",
        env,
        lambda a, b: f"KUBELET_EXTRA_ARGS=\"--cgroup-driver=systemd --password={a}\n--token={b}\n",
        False,
    )
    plant(
        "kubeadm's flags",
        "/var/lib/kubelet/kubeadm-flags.env",
        lambda a, b: f'KUBELET_KUBEADM_ARGS="--cgroup-driver=password={a} --container-runtime-endpoint=token={b}"\n',
        False,
    )
    plant(
        "the unit",
        unit,
        lambda a, b: replaced(
            files[unit],
            "ExecStart=/usr/bin/kubelet",
            f"Environment=PASSWORD={a}\nExecStart=/usr/bin/kubelet --password={a} --token={b}",
        ),
        False,
    )
    plant(
        "a drop-in",
        dropin,
        lambda a, b: replaced(
            files[dropin],
            "$KUBELET_EXTRA_ARGS",
            f"--cgroup-driver=password={a} --container-runtime-endpoint=https://u:{b}@h/",
        ),
    )
    plant(
        "a drop-in that does not parse",
        dropin,
        lambda a, b: files[dropin] + f"\n[Service\nEnvironment=\"TOKEN={a} PASSWORD={b}\n",
        False,
    )
    plant(
        "the driver of the file",
        config,
        lambda a, b: replaced(files[config], "cgroupDriver: systemd", f"cgroupDriver: \"password={a} token={b}\""),
        False,
    )
    plant("a file that does not parse", config, lambda a, b: files[config] + f"password: {a}\n  token: [{b}\n", False)
    plant("a key twice", config, lambda a, b: files[config] + f"password: {a}\npassword: {b}\n", False)
    plant(
        "a value of a sysctl",
        sysctl,
        lambda a, b: replaced(files[sysctl], "ip_forward = 1", f"ip_forward = password={a} token={b}"),
    )
    plant(
        "a sysctl that is beaten",
        "/etc/sysctl.d/00-first.conf",
        lambda a, b: f"net.ipv4.ip_forward = password={a} token={b}\n",
        False,
    )
    plant("a line of no sysctl", sysctl, lambda a, b: files[sysctl] + f"password {a}\ntoken: {b}\n", False)
    plant("os-release", "/etc/os-release", lambda a, b: f'ID=debian\nPRETTY_NAME="password={a} token={b}"\n')
    plant("the host's name", "/etc/hostname", lambda a, b: f"password={a}\ntoken={b}\n")
    return rows


def test_files():
    quoting = 0
    for name, files, secrets, quoted in plants():
        with Host() as host:
            guide.lay(host)
            for path, text in files.items():
                host.write(path, text)
            code, parts = all_outputs("--root", host.path, "--profile", "crio-1.18")
            suite.expect_in(f"{name}: exit code", code, (0, 1, 3))
            hold(name, secrets, parts, quoted)
            quoting += MASK in parts["json"]
    print(f"{quoting} of {len(plants())} plants are quoted by some check")
    suite.expect_true("most plants are quoted", quoting >= 12, str(quoting))


def test_process():
    """The arguments of a kubelet that runs."""
    a, b, c = secret(), secret(), secret()
    arguments = [
        "/usr/bin/kubelet",
        f"--cgroup-driver=password={a}",
        f"--container-runtime-endpoint=https://user:{b}@host/",
        "--token",
        c,
    ]
    with Host() as host:
        guide.lay(host)
        host.write("/proc/812/comm", "kubelet\n")
        host.write("/proc/812/stat", "812 (kubelet) S 1 812 812 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 14 0 2500 1 1 1\n")
        host.write("/proc/812/cmdline", "\0".join(arguments) + "\0")
        host.write("/proc/1/comm", "systemd\n")
        code, parts = all_outputs("--root", host.path, "--live", "--profile", "crio-1.18", "--rule", "kubelet-*")
        suite.expect("a process: exit code", code, 1)
        hold("a process", [a, b, c], parts)
        suite.expect_in("a process: its arguments are quoted", "/proc/812/cmdline, argument 1", parts["json"])


def test_runtime():
    """What a runtime answers."""
    fake = os.path.join(SUPPORT, "fake-runtime")
    if not os.access(fake, os.X_OK):
        print("left out: a runtime's answer, since no runtime is built")
        return
    with Host() as host:
        os.makedirs(host.path + "/run/crio")
        process = subprocess.Popen([fake, host.path + "/run/crio/crio.sock", "secrets"], stdout=subprocess.PIPE)
        try:
            process.stdout.readline()
            host.write(
                "/p.yaml", "rules: [{id: socket, check: cri.answers, with: {endpoint: unix:///run/crio/crio.sock}}]\n"
            )
            code, parts = all_outputs("--root", host.path, "--live", "--profile", host.path + "/p.yaml")
            suite.expect_in("a runtime: exit code", code, (1, 3))
            hold("a runtime", ["Zq7runtime1", "Zq7runtime2"], parts)
            suite.expect_in("a runtime: the rest of its sentence", "registry.example", parts["json"])
        finally:
            process.kill()
            process.wait()


def test_terminal():
    """Colour and width change nothing: a secret that is wrapped is one, too."""
    s = secret(30)
    with Host() as host:
        host.write(
            "/p.yaml",
            f"rules: [{{id: say, check: probe.say, with: {{text: {yaml_string('x ' * 20 + 'password=' + s + ' ' + 'y ' * 20)}}}}}]\n",
        )
        for columns in (40, 60, 100):
            _, text = run_on_terminal(
                [
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
                    "--verbose",
                ],
                columns=columns,
                env={**os.environ, "TERM": "xterm"},
            )
            squeezed = re.sub(r"\x1b\[[0-9;]*[A-Za-z]|\s", "", text)
            suite.expect_true(f"{columns} columns: no secret", s[:8] not in squeezed, repr(text[:500]))
            suite.expect_in(f"{columns} columns: masked", "password=***", squeezed)


def test_command_line():
    """Faults of a command line or profile do not repeat a secret value."""
    with Host() as host:
        for what, args, text in (
            ("--var", ["--var", "nothing=@"], None),
            ("--var without a profile's variable", ["--var", "passwrd=@"], None),
            ("--set", ["--set", "key.nothing=@"], None),
        ):
            s = secret()
            host.write("/p.yaml", text or "rules: [{id: key, check: sysctl.value, with: {keys: [a.b], value: 1}}]\n")
            code, parts = all_outputs(
                "--root", host.path, "--profile", host.path + "/p.yaml", *(a.replace("@", s) for a in args)
            )
            suite.expect(f"{what}: exit code", code, 2)
            hold(what, [s], parts, False)


started = time.monotonic()
test_findings()
test_files()
test_process()
test_runtime()
test_terminal()
test_command_line()
print(f"{time.monotonic() - started:.1f} s")
suite.end()
