#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Completion of k8scheck in a shell that runs on a terminal: what it offers, what becomes of the line, and what it runs.
PROGRAM SOURCES SHELL: the staged k8scheck, the source tree, and bash, zsh or fish.
"""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

from k8s import Suite, call, skip, write

PROGRAM, SOURCES, SHELL = sys.argv[1:4]
SHARE = os.path.join(os.path.dirname(os.path.dirname(PROGRAM)), "share")
BASH_COMPLETION = "/usr/share/bash-completion/bash_completion"

suite = Suite("completion for " + SHELL)

# What comes before the line that is tried: a file is written when a shell is ready, and one for each line.
BASH = r"""
PS1= PS2=
bind 'set bell-style none' 2>/dev/null
bind 'set completion-query-items 0' 2>/dev/null
bind 'set page-completions off' 2>/dev/null
_tried() { "$tried_function" "$@"; local r=$?; printf '%s\n' "${COMPREPLY[@]}" >"$OUT/offers"; return $r; }
_done() { printf '%s' "$READLINE_LINE" >"$OUT/line.new"; mv "$OUT/line.new" "$OUT/line"; READLINE_LINE=; }
bind -x '"\C-t": _done'
"""
BASH_PLAIN = r"""
source "$SHARE/bash-completion/completions/k8scheck"
tried_function=_k8scheck
complete -F _tried k8scheck
"""
# The loader of the package finds the file by the name of the command.
BASH_PACKAGE = r"""
source /usr/share/bash-completion/bash_completion
BASH_COMPLETION_USER_DIR=$SHARE/bash-completion
if declare -F _comp_load >/dev/null; then _comp_load k8scheck; else _completion_loader k8scheck; fi
tried_function=$(complete -p k8scheck | sed 's/.*-F \([^ ]*\) .*/\1/')
complete -F _tried k8scheck
"""
ZSH = r"""
unsetopt zle_bracketed_paste beep 2>/dev/null
stty rows 200 cols 200
PROMPT= RPROMPT= LISTMAX=0
fpath=("$SHARE/zsh/site-functions" $fpath)
autoload -Uz compinit && compinit -u -D
compadd() {
    # Those calls fill arrays, and offer nothing.
    if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
    typeset -a __offered
    builtin compadd -A __offered "$@"
    (( $#__offered )) && print -rl -- $__offered >>"$OUT/offers"
    builtin compadd "$@"
}
tried() {
    : >"$OUT/offers"
    zle complete-word
    print -rn -- "$BUFFER" >"$OUT/line.new"
    mv "$OUT/line.new" "$OUT/line"
    BUFFER=
}
zle -N tried
bindkey '^T' tried
"""
READY = 'touch "$OUT/ready"\n'


class Terminal:
    """An interactive bash or zsh."""

    def __init__(self, folder, path, setup):
        self.folder = folder
        self.shown = b""
        os.makedirs(folder, exist_ok=True)
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        write(os.path.join(folder, "setup"), setup + READY)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(WORK)
            shell = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}[SHELL]
            os.execvpe(shell[0], shell, environment(folder, path))
        self.send(f" . {folder}/setup\n")
        if not self.wait("ready"):
            self.close()
            raise AssertionError(f"{SHELL} does not get ready: {self.shown!r}")
        self.shown = b""

    def send(self, text):
        os.write(self.fd, text.encode())

    def wait(self, name, seconds=60):
        end = time.monotonic() + seconds
        while not os.path.exists(os.path.join(self.folder, name)) and time.monotonic() < end:
            if select.select([self.fd], [], [], 0.01)[0]:
                try:
                    self.shown += os.read(self.fd, 65536)
                except OSError:
                    break
        return os.path.exists(os.path.join(self.folder, name))

    def take(self, name):
        path = os.path.join(self.folder, name)
        if not os.path.exists(path):
            return ""
        with open(path) as f:
            text = f.read()
        os.unlink(path)
        return text

    def complete(self, line):
        """What is offered, and what becomes of the line."""
        self.shown = b""
        # zsh completes in the function that notes it down.
        self.send(line + ("\t" if SHELL == "bash" else "") + "\x14")
        assert self.wait("line"), (line, self.shown)
        line = self.take("line")
        return [word for word in self.take("offers").splitlines() if word], line

    def close(self):
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


class Fish:
    def __init__(self, folder, path, setup):
        self.environment = environment(folder, path)
        self.shown = b""

    def complete(self, line):
        done = subprocess.run(
            [
                "fish",
                "--no-config",
                "-c",
                'source "$SHARE/fish/vendor_completions.d/k8scheck.fish"; complete -C "$argv[1]"',
                line,
            ],
            env=self.environment,
            cwd=WORK,
            capture_output=True,
            timeout=60,
        )
        self.shown = done.stderr
        offers = [row.split("\t")[0] for row in done.stdout.decode().splitlines()]
        # What a person gets by Tab, where only one thing is offered.
        before = line[: len(line) - len(line.split(" ")[-1])]
        alone = len(offers) == 1
        return offers, before + offers[0] + ("" if offers[0].endswith("/") else " ") if alone else line

    def close(self):
        pass


def environment(folder, path):
    return {
        "PATH": path + ":" + os.environ["PATH"],
        "HOME": WORK,
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
        "OUT": folder,
        "SHARE": SHARE,
    }


def start(name, path, package=False):
    folder = os.path.join(TMP, name)
    if SHELL == "fish":
        return Fish(folder, path, None)
    setup = BASH + (BASH_PACKAGE if package else BASH_PLAIN) if SHELL == "bash" else ZSH
    return Terminal(folder, path, setup)



def offers(shell, what, line, wanted=(), unwanted=()):
    got, _ = shell.complete(line)
    for word in wanted:
        suite.expect_true(f"{what}: {line!r} offers {word}", word in got, f"among {got}")
    for word in unwanted:
        suite.expect_true(f"{what}: {line!r} does not offer {word}", word not in got, f"among {got}")
    suite.expect(f"{what}: {line!r} prints no error", re.findall(rb"k8scheck: [^\r]*|not found", shell.shown), [])
    return got


def becomes(shell, what, line, wanted):
    _, got = shell.complete(line)
    suite.expect(f"{what}: {line!r} becomes", got, wanted)


def lists(*arguments):
    done = call(PROGRAM, "list", *arguments)
    suite.expect(f"k8scheck list {' '.join(arguments)}", done.code, 0)
    return [line.split()[0] for line in done.out.splitlines()]


def source(path):
    with open(os.path.join(SOURCES, path)) as f:
        return f.read()


def part(text, begin):
    text = text[text.index(begin):]
    return text[: text.index("};")]


def hold_everything(shell):
    """Every option of --help and every verb, and nothing else; and which of the options take a value."""
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", call(PROGRAM, "--help").out))
    text = source("checker/options.c")
    verbs = re.findall(r'"([a-z]+)"', part(text, "verb_names[]"))
    with_value = [f"--{o.lower().replace('_', '-')}" for o in re.findall(r"\[OPT_(\w+)\] = true", part(text, "takes_value"))]
    suite.expect_true("there are options and verbs", len(options) > 30 and len(verbs) == 7, f"{options} {verbs}")
    suite.expect_true("some take a value", 15 < len(with_value) < len(options), str(with_value))
    suite.expect("verbs", set(offers(shell, "verbs", "k8scheck ")) & set(verbs), set(verbs))
    offered = set()
    for verb in ("--profile crio-1.18", *verbs):
        offered |= {word for word in offers(shell, "options", f"k8scheck {verb} --") if word.startswith("--")}
    suite.expect("options", offered, options)
    for option in sorted(options - {"--help", "--version"}):
        # A value is no verb, so that one may still come.
        may = offers(shell, "a value", f"k8scheck {option} cluster l")
        suite.expect(f"{option} takes a value", "list" in may, option in with_value)


def hold_names(shell):
    """What only k8scheck knows."""
    profiles, reports = lists("profiles"), lists("reports")
    rules, checks = lists("rules", "--profile", "crio-1.18"), lists("checks")
    suite.expect_true("there are some", len(rules) > 40 and len(checks) > 30 and len(reports) == 3, f"{rules} {checks}")
    offers(shell, "profiles", "k8scheck --profile ", profiles)
    offers(shell, "profiles to lint", "k8scheck lint ", profiles)
    offers(shell, "rules", "k8scheck --profile crio-1.18 --rule ", rules)
    offers(shell, "rules of every profile", "k8scheck --skip ", rules)
    offers(shell, "rules of none that there is", "k8scheck --profile no-such --rule ", unwanted=rules)
    offers(shell, "rules of a file", "k8scheck --profile ./own.yaml --rule ", ["our-own"], rules)
    offers(shell, "rules of a file with =", "k8scheck --profile=own.yaml --rule ", ["our-own"], rules)
    # Files of which k8scheck would wait for an end.
    offers(shell, "a FIFO as profile", "k8scheck --profile ./fifo.yaml --rule ", rules)
    offers(shell, "standard input as profile", "k8scheck --profile - --rule ", rules)
    offers(shell, "what can be explained", "k8scheck explain ", rules + checks)
    offers(shell, "reports", "k8scheck --report ", reports)
    offers(shell, "tags", "k8scheck --profile crio-1.18 --tag ", ["boot-gate", "network"])
    offers(shell, "kinds", "k8scheck list ", ["profiles", "rules", "checks", "plugins", "facts", "reports"])
    offers(shell, "one kind is enough", "k8scheck list rules ", unwanted=["profiles", "checks"])
    for option, values in {
        "--horizon": ("now", "boot", "all"),
        "--stage": ("host", "runtime", "kubelet", "cluster"),
        "--format": ("text", "json", "ansible"),
        "--color": ("auto", "always", "never"),
        "--sandbox": ("best-effort", "require", "off"),
    }.items():
        got = offers(shell, "values", f"k8scheck {option} ")
        suite.expect(f"values of {option}", sorted(got), sorted(values))
        # The program agrees.
        verb = ["--fix", "--dry-run", "--root", WORK] if option == "--format" else ["version"]
        for value in values:
            done = call(PROGRAM, *verb, f"{option}={value}")
            suite.expect_true(f"{option}={value}", "there is" not in done.err, done.err)
    for option, unfit in (("--fix", "rollback"), ("--force", "--profile crio-1.18"), ("--profile", "rollback")):
        offers(shell, "what does not go together", f"k8scheck {unfit} --", unwanted=[option])


def hold_lines(shell):
    """What becomes of a line that has one way to go on."""
    becomes(shell, "a verb", "k8scheck expl", "k8scheck explain ")
    becomes(shell, "a profile", "k8scheck --profile cri", "k8scheck --profile crio-1.18 ")
    becomes(shell, "a profile behind =", "k8scheck --profile=cri", "k8scheck --profile=crio-1.18 ")
    becomes(shell, "a rule", "k8scheck --rule ip-f", "k8scheck --rule ip-forward ")
    becomes(shell, "a report behind =", "k8scheck --report=js", "k8scheck --report=json ")
    becomes(shell, "a report's file", "k8scheck --report json=sub/repo", "k8scheck --report json=sub/report.json ")
    becomes(shell, "a report's file behind =", "k8scheck --report=json=sub/repo", "k8scheck --report=json=sub/report.json ")
    becomes(shell, "a folder", "k8scheck --root su", "k8scheck --root sub/")
    becomes(shell, "no file as folder", "k8scheck --root own", "k8scheck --root own")
    becomes(shell, "variables", "k8scheck --vars own", "k8scheck --vars own.yaml ")
    becomes(shell, "a profile's file", "k8scheck lint ./ow", "k8scheck lint ./own.yaml ")
    becomes(shell, "a command", "k8scheck --profile crio-1.18 -- only-he", "k8scheck --profile crio-1.18 -- only-here ")
    becomes(shell, "a command's file", "k8scheck --fix -- only-here ./ow", "k8scheck --fix -- only-here ./own.yaml ")
    becomes(shell, "an option of none", "k8scheck -- only-here --stri", "k8scheck -- only-here --stri")
    fields = offers(shell, "fields", "k8scheck --profile crio-1.18 --set ip-forward.seve")
    suite.expect("a field", [re.sub(r".*\.|=$", "", field) for field in fields], ["severity"])


def hold_transactions(shell):
    root = os.path.join(TMP, "host")
    write(root + "/etc/sysctl.conf", "")
    os.makedirs(root + "/var/lib")
    rule = "{id: areas, check: sysctl.value, title: t, severity: required, stage: host, with: {keys: [vm.max_map_count], value: '7'}}"
    done = call(PROGRAM, "--root", root, "--fix", "--yes", profile=f"title: t\nrules:\n  - {rule}\n")
    suite.expect("a repair", (done.code, done.err), (0, ""))
    ids = os.listdir(root + "/var/lib/k8scheck/transactions")
    suite.expect("one transaction", len(ids), 1)
    for line in (f"k8scheck rollback --root {root} ", f"k8scheck rollback --root={root} --forget "):
        got = offers(shell, "transactions", line)
        suite.expect("transactions of that root", [i for i in got if not i.startswith("-")], ids if os.geteuid() == 0 else [])
    got = offers(shell, "no transaction", f"k8scheck rollback --root {WORK} ")
    suite.expect("no transaction", [i for i in got if not i.startswith("-")], [])


def hold_what_was_run(log):
    with open(log) as f:
        ran = [line.rstrip("\n") for line in f]
    suite.expect_true("it was asked", len(ran) > 20, str(ran))
    for line in ran:
        suite.expect_true("nothing but lists is run", re.match(r"(list|rollback --list)( |$)", line), line)


def hold_without_program():
    """A k8scheck that fails loudly, and none at all."""
    broken = os.path.join(TMP, "broken")
    write(broken + "/k8scheck", "#!/bin/sh\necho 'k8scheck: error, all is lost' >&2\nexit 2\n", 0o755)
    for what, path in (("one that fails", broken), ("none", os.path.join(TMP, "nothing"))):
        shell = start("without", path)
        for line in ("--profile ", "--rule ", "--set ip-forward.", "--tag ", "--report ", "explain ip", "rollback "):
            offers(shell, what, "k8scheck " + line, unwanted=["crio-1.18", "ip-forward", "json", "k8scheck:"])
        offers(shell, what, "k8scheck --sandb", ["--sandbox"])
        shell.close()


def main():
    if not shutil.which(SHELL):
        skip(f"{SHELL} is not installed")
    # The one that is completed says what it was run with.
    log = os.path.join(TMP, "log")
    path = os.path.join(TMP, "bin")
    write(path + "/k8scheck", f"#!/bin/sh\necho \"$*\" >>'{log}'\nexec '{PROGRAM}' \"$@\"\n", 0o755)
    write(path + "/only-here", "#!/bin/sh\n", 0o755)
    write(WORK + "/sub/report.json", "")
    own = "{id: our-own, check: host.cpus, title: t, severity: info, stage: host, with: {at-least: 1}}"
    write(WORK + "/own.yaml", f"title: t\nrules:\n  - {own}\n")
    os.mkfifo(WORK + "/fifo.yaml")
    kinds = [False]
    if SHELL == "bash" and os.path.exists(BASH_COMPLETION):
        kinds.append(True)
    elif SHELL == "bash":
        print("left out: the package bash-completion, which is not installed")
    for package in kinds:
        shell = start("tried", path, package)
        hold_everything(shell)
        hold_names(shell)
        hold_lines(shell)
        hold_transactions(shell)
        shell.close()
        shutil.rmtree(os.path.join(TMP, "host"))
    hold_what_was_run(log)
    hold_without_program()
    suite.end()


with tempfile.TemporaryDirectory(prefix="k8scheck-completions-") as TMP:
    WORK = os.path.join(TMP, "work")
    os.makedirs(WORK)
    main()
