# SPDX-License-Identifier: Apache-2.0
"""What the readers of unit files say, held against systemd itself: `systemd --test` reads units as PID 1
does, prints them, and starts nothing. usage: test-systemd-oracle.py UNIT-STATE"""
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

SKIP = 77
SYSTEMD = '/usr/lib/systemd/systemd'
UNITS = '/usr/lib/systemd/system'
CONFIG = '/etc/systemd/system'
DIRS = ['/etc/systemd/system.control', CONFIG, '/usr/local/lib/systemd/system', UNITS]

# ExecStart= lines; systemd --test prints the words before variables are replaced.
COMMANDS = [
    r"/bin/a b c",
    r"/bin/a 'b c' "'"d e"'r" f'g h'i ''",
    r"/bin/a \x41 \101 \u00e9 \U0001F600 \t \s x\sy",
    r"/bin/a '\n' "'"\\""'r" \q \8 \x4 \u00 \400",
    r"/bin/a \\ \\\\ '\\'",
    r"-/bin/a b", r"+/bin/a b", r"!/bin/a b", r"!!/bin/a b", r"@/bin/a name b c", r"-@:/bin/a name b",
    r":/bin/a $A ${A}",
    r"/bin/a %n %N %p %i %I %% %t %S %C %L %E %j",
    r"/bin/a %%n x%%",
    r"/bin/a \; b", r"/bin/a ';' b", r"/bin/a ;b c;",
    r"/bin/a b'c",
    r"/bin/", r"bin/a", r"a b", r"-bin/a", r"./a",
    r"@/bin/a", r"--/bin/a b",
    "/bin/a \\\n   b \\\n# comment\n  c",
    "/bin/a \\\n\n",
    "/bin/a\tb\t\tc  ",
    r"/bin/a b \ c",
    r"/bin/a é 'ü ö'",
    r"/bin//a/../b /x",
]


class Root:
    def __init__(self, path):
        self.path = path

    def put(self, path, text):
        full = self.path + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, 'w', encoding='utf-8') as f:
            f.write(text)

    def link(self, path, target):
        full = self.path + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        if os.path.lexists(full):
            os.unlink(full)
        os.symlink(target, full)


def build(root):
    """This machine's units, and some whose drop-ins, aliases, wants and commands are unusual."""
    shutil.copytree(UNITS, root.path + UNITS, symlinks=True)
    service = '[Service]\nExecStart=/bin/true\n'
    names = []

    def unit(name, text=service, where=UNITS):
        root.put(f'{where}/{name}', text)

    def dropin(name, base, where=UNITS, text='[Unit]\nDescription=x\n'):
        root.put(f'{where}/{name}.d/{base}.conf', text)

    for name in ('foo-bar-baz.service', 'x-t@.service', 'alr.service', 'dash--x.service'):
        unit(name)
    root.link(f'{UNITS}/ala.service', 'alr.service')
    root.link(f'{CONFIG}/alb.service', '../../../usr/lib/systemd/system/ala.service')
    root.link(f'{UNITS}/ali@.service', 'x-t@.service')
    dropin('foo-bar-baz.service', '10-a')
    dropin('foo-bar-baz.service', '20-b', CONFIG)
    dropin('foo-.service', '10-a', CONFIG)
    dropin('foo-bar-.service', '05-c')
    dropin('service', '50-t', CONFIG)
    dropin('service', '20-b')
    dropin('dash--.service', '1')
    dropin('dash-.service', '2')
    dropin('x-t@one.service', '1', CONFIG)
    dropin('x-t@.service', '2')
    dropin('x-@.service', '3')
    dropin('x-@one.service', '3')
    dropin('ali@one.service', '4', CONFIG)
    dropin('ali@.service', '5', CONFIG)
    dropin('alb.service', '1', CONFIG)
    dropin('alr.service', '2')
    dropin('ala.service', '2')
    dropin('alr.service', '.hidden')
    root.put(f'{UNITS}/alr.service.d/other.txt', 'x')
    wanted = ['foo-bar-baz.service', 'x-t@one.service', 'x-t@two.service', 'ali@one.service',
              'ali@two.service', 'alb.service', 'dash--x.service']

    for i, command in enumerate(COMMANDS):
        name = f'k-c{i}@a-b\\x2dc.service'
        unit(name, f'[Service]\nExecStart={command}\n')
        names.append(name)
    root.put(f'{CONFIG}/reset.service', '[Service]\nExecStart=/bin/a\n')
    dropin('reset.service', 'r', CONFIG, '[Service]\nExecStart=\nExecStart=/bin/b c\n')
    root.put(f'{CONFIG}/second.service', '[Service]\nExecStart=/bin/a\nExecStart=/bin/b\n')
    root.put(f'{CONFIG}/oneshot.service', '[Service]\nType=oneshot\nExecStart=/bin/a ; /bin/b c\n')
    root.put(f'{CONFIG}/bom.service', '\ufeff[Service]\r\nExecStart=/bin/a b\r\n')
    names += ['reset.service', 'second.service', 'oneshot.service', 'bom.service']
    root.put(f'{CONFIG}/commands.target', '[Unit]\nWants=' + ' '.join(names) + '\n')

    for name in ('w1', 'w2', 'w3', 'w4', 'w5', 'w6', 'w7', 'w8', 'w9'):
        unit(f'{name}.service')
    unit('wt@.service')
    wants = f'{CONFIG}/multi-user.target.wants'
    root.link(f'{wants}/w1.service', '../../../../usr/lib/systemd/system/w1.service')
    root.link(f'{UNITS}/multi-user.target.wants/w2.service', '../w2.service')
    root.link(f'{wants}/w2.service', '/dev/null')
    root.link(f'{CONFIG}/w1.service.wants/w3.service', '../../../../usr/lib/systemd/system/w3.service')
    root.link(f'{wants}/w4.service', '/nowhere')
    root.put(f'{wants}/w5.service', service)
    root.link(f'{CONFIG}/rescue.target.wants/w6.service', '/usr/lib/systemd/system/w6.service')
    root.link(f'{wants}/wt@i.service', '../../../../usr/lib/systemd/system/wt@.service')
    dropin('w1.service', 'w', CONFIG, '[Unit]\nRequires=w7.service\nWants=gone.service\n')
    dropin('multi-user.target', 'w', CONFIG, '[Unit]\nWants=w8.service "w9.service"\n')
    root.link(f'{wants}/alb.service', '../../../../usr/lib/systemd/system/alr.service')
    root.put(f'{CONFIG}/oracle.target',
             '[Unit]\nWants=default.target commands.target ' + ' '.join(wanted) + '\n')
    return names, wanted + ['w1.service', 'wt@i.service', 'multi-user.target', 'sysinit.target']


def below(root, path):
    return path[len(root.path):] if path.startswith(root.path + '/') else path


def run_systemd(root, target):
    """The units that systemd loads for a target, and those it would start."""
    command = [SYSTEMD, '--test', '--system', '--unit=' + target]
    if os.geteuid() == 0:
        command = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] + command
    env = {'PATH': os.environ['PATH'], 'SYSTEMD_LOG_LEVEL': 'crit', 'LANG': 'C.UTF-8',
           'SYSTEMD_UNIT_PATH': ':'.join(root.path + d for d in DIRS)}
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=60, check=False, cwd='/')
    text = done.stdout.decode('utf-8', 'surrogateescape')
    if done.returncode or '-> By jobs:' not in text:
        return None, None
    units, jobs, unit = {}, set(), None
    for line in text.split('\n'):
        start = re.match(r'\t-> Unit (\S+):$', line)
        if start:
            unit = units.setdefault(start.group(1), {'state': '', 'file': None, 'dropins': [],
                                                     'commands': [], 'aliases': []})
        if line.startswith('-> By jobs'):
            unit = None
        job = re.match(r'\t\tAction: (\S+) -> start$', line)
        if job:
            jobs.add(job.group(1))
        if unit is None:
            continue
        for key, pattern in (('state', r'\t\tUnit Load State: (.*)'), ('file', r'\t\tFragment Path: (.*)')):
            found = re.match(pattern, line)
            if found:
                unit[key] = below(root, found.group(1))
        for key, pattern in (('dropins', r'\t\tDropIn Path: (.*)'), ('aliases', r'\t\tAlias: (.*)')):
            found = re.match(pattern, line)
            if found:
                unit[key].append(below(root, found.group(1)))
        if re.match(r'\t\t-> ExecStart:', line):
            unit['in_start'] = True
        elif re.match(r'\t\t\S', line):
            unit['in_start'] = False
        found = re.match(r'\t\t\tCommand Line: (.*)', line)
        if found and unit.get('in_start'):
            unit['commands'].append(found.group(1))
    return units, jobs


def ask(tool, root, question, names):
    done = subprocess.run([tool, root.path, question] + names, stdout=subprocess.PIPE, check=True)
    answers = {}
    for line in done.stdout.decode().splitlines():
        name, _, rest = line.partition(' ')
        answers[name] = rest
    return answers


def decode(answer):
    return [bytes.fromhex('' if word == '-' else word).decode() for word in answer.split()]


def compare(what, name, theirs, ours):
    if theirs == ours:
        return 0
    print(f'{what} of {name}:\n  systemd  {theirs}\n  k8scheck {ours}')
    return 1


def check_files(tool, root, units):
    names = [n for n, u in units.items() if u['file'] and u['state'] == 'loaded' and
             os.path.exists(root.path + u['file'])]
    ours = ask(tool, root, 'files', names)
    wrong = 0
    for name in names:
        theirs = ' '.join([units[name]['file']] + units[name]['dropins'])
        wrong += compare('files', name, theirs, ours[name])
    return wrong, len(names)


def check_commands(tool, root, units, names):
    ours = ask(tool, root, 'command', names)
    wrong = 0
    for name in names:
        unit = units[name]
        # A service without a command that counts is refused, too.
        refused = unit['state'] != 'loaded'
        if refused or ours[name] in ('fault', ''):
            wrong += compare('command', name, 'refused' if refused else unit['commands'],
                             'refused' if ours[name] in ('fault', '') else decode(ours[name]))
            continue
        theirs, words = unquote(unit['commands'][-1]), decode(ours[name])
        # systemd prints the name that "@" gives the program; k8scheck keeps the program.
        skip = 1 if theirs[0] == 'name' else 0
        wrong += compare('command', name, theirs[skip:], words[skip:])
    return wrong, len(names)


def unquote(line):
    """The words of a line as systemd prints it: quotes with backslashes for control characters."""
    line = re.sub(r"\$'((?:[^'\\]|\\.)*)'", r'"\1"', line)
    return [word.replace('\\t', '\t').replace('\\n', '\n').replace('\\$', '$')
            for word in shlex.split(line)]


def check_starts(tool, root, units, jobs):
    names = [n for n, u in units.items() if u['state'] == 'loaded' and u['file'] and
             re.search(r'\.(service|target|timer|path)$', n)]
    ours = ask(tool, root, 'start', names)
    wrong = 0
    for name in names:
        wrong += compare('start', name, 'yes' if name in jobs else 'no', ours[name])
    return wrong, len(names)


def main():
    tool = sys.argv[1]
    if not os.access(SYSTEMD, os.X_OK) or not os.path.exists(UNITS + '/multi-user.target'):
        print('skipped: there is no systemd here')
        return SKIP
    with tempfile.TemporaryDirectory(prefix='kc-oracle-') as path:
        os.chmod(path, 0o755)
        root = Root(path)
        commands, wanted = build(root)
        units, _ = run_systemd(root, 'oracle.target')
        if units is None:
            print('skipped: systemd --test does not work here')
            return SKIP
        missing = [n for n in wanted + commands if n not in units and not any(
            n in u['aliases'] for u in units.values())]
        assert not missing, f'systemd did not load {missing}'
        booted, jobs = run_systemd(root, 'default.target')
        results = [check_files(tool, root, units), check_commands(tool, root, units, commands),
                   check_starts(tool, root, booted, jobs)]
    wrong = sum(w for w, _ in results)
    print(f'{[n for _, n in results]} units compared (files, commands, starts), {wrong} differ')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
