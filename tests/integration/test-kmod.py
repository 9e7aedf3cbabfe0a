# SPDX-License-Identifier: Apache-2.0
"""What the plugin modules says of kernel modules, held against kmod itself: modules are made by the assembler, indexed by
depmod, and looked up by modprobe, which loads nothing (--dry-run). usage: test-kmod.py KMOD-STATE"""
import os
import shutil
import subprocess
import sys
import tempfile

SKIP = 77
RELEASE = '6.1.0-13-amd64'
# Path: name, aliases, exported symbols, symbols of others.
MODULES = {
    'kernel/fs/overlayfs/overlay.ko': ('overlay', ['fs-overlay'], [], []),
    'kernel/net/llc/llc.ko': ('llc', [], ['llc_sap_open'], []),
    'kernel/net/802/stp.ko': ('stp', [], ['stp_proto_register'], ['llc_sap_open']),
    'kernel/net/bridge/bridge.ko': ('bridge', ['rtnl-link-bridge'], ['br_forward'],
                                    ['stp_proto_register', 'llc_sap_open']),
    'kernel/net/bridge/br_netfilter.ko': ('br_netfilter', [], [], ['br_forward']),
    'kernel/net/netfilter/nf-dashed.ko': ('nf_dashed', ['nf-other-*'], [], []),
    'extra/gone.ko': ('gone', ['gone-alias'], [], []),
    'updates/short.ko': ('s', [], [], []),
}
BUILTIN = ['kernel/fs/ext4/ext4.ko', 'kernel/crypto/sha256-generic.ko']
NAMES = ['overlay', 'llc', 'stp', 'bridge', 'br_netfilter', 'br-netfilter', 'nf_dashed', 'nf-dashed', 'gone', 'short',
         'ext4', 'sha256_generic', 'sha256-generic', 'br_netfilte', 'r_netfilter', 'nowhere', 'overlay.ko', 'ko']
ALIASES = ['fs-overlay', 'fs_overlay', 'rtnl-link-bridge', 'nf-other-1', 'gone-alias', 'fs-nowhere']

# Files of modprobe.d, and what becomes of br_netfilter by each.
CONFIGS = [
    {'a.conf': ''},
    {'a.conf': 'blacklist br_netfilter\n'},
    {'a.conf': 'blacklist br-netfilter\n'},
    {'a.conf': 'blacklist br_netfilter_x\nblacklist bridge\n'},
    {'a.conf': '  blacklist\tbr_netfilter trailing words\n'},
    {'a.conf': '# blacklist br_netfilter\n'},
    {'a.conf': ' # blacklist br_netfilter\n'},
    {'a.conf': 'black\\\nlist br_\\\nnetfilter\n'},
    {'a.conf': 'blacklist br_netfilter\r\n'},
    {'a.conf': 'blacklist br_netfil\\ter\n'},
    {'a.conf': '# a comment that goes on \\\nblacklist br_netfilter\n'},
    {'a.conf': 'blacklist br_netfilter'},
    {'a.alias': 'blacklist br_netfilter\n'},
    {'a.conf.bak': 'blacklist br_netfilter\n'},
    {'.a.conf': 'blacklist br_netfilter\n'},
    {'a.conf': 'BLACKLIST br_netfilter\n'},
    {'a.conf': 'blacklist br*\n'},
    {'a.conf': 'install br_netfilter /bin/true\n'},
    {'a.conf': 'install br_netfilter\n'},
    {'a.conf': 'install br-netfilter /bin/false\n'},
    {'a.conf': 'install br* /bin/true\n'},
    {'a.conf': 'install br?net* /bin/true\n'},
    {'a.conf': 'install br[_-]netfilter /bin/true\n'},
    {'a.conf': 'install [a-c]r_netfilter /bin/true\n'},
    {'a.conf': 'install *netfilte /bin/true\n'},
    {'a.conf': 'install br_netfilter /sbin/modprobe -i br_netfilter\ninstall br_netfilter /bin/true\n'},
    {'a.conf': 'install br_netfilter /sbin/modprobe -i br_netfilter\n', 'b.conf': 'install br_netfilter /bin/true\n'},
    {'b.conf': 'install br_netfilter /sbin/modprobe -i br_netfilter\n', 'a.conf': 'install br_netfilter /bin/true\n'},
    {'a.conf': 'install br_netfilter /bin/true\nsoftdep br_netfilter pre: overlay\n'},
    {'a.conf': 'alias br_netfilter off\n'},
    {'a.conf': 'alias br_netfilter overlay\n'},
    {'a.conf': 'alias br_* overlay\n'},
    {'a.conf': 'alias br_netfilter br-netfilter\n'},
    {'a.conf': 'alias br_netfilter overlay\nalias br-netfilter br_netfilter\n'},
    {'a.conf': 'alias br_netfilter\n'},
    {'a.conf': 'alias overlay br_netfilter\n'},
    {'a.conf': 'remove br_netfilter /bin/true\noptions br_netfilter x=1\n'},
]


def assemble(path, name, aliases, exports, imports):
    strings = [f'name={name}', 'license=GPL', 'depends='] + [f'alias={a}' for a in aliases]
    lines = ['.section .modinfo,"a"'] + [f'.asciz "{s}"' for s in strings]
    lines += ['.section __ksymtab_strings,"a"'] + [f'.asciz "{s}"' for s in exports]
    lines += ['.data'] + [f'.quad {s}' for s in imports]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    subprocess.run(['gcc', '-c', '-x', 'assembler', '-', '-o', path], input='\n'.join(lines) + '\n', text=True,
                   check=True)


def make_root(root):
    folder = os.path.join(root, 'lib/modules', RELEASE)
    for path, module in MODULES.items():
        assemble(os.path.join(folder, path), *module)
    for name, paths in (('modules.builtin', BUILTIN), ('modules.order', [])):
        with open(os.path.join(folder, name), 'w') as f:
            f.write(''.join(p + '\n' for p in paths))
    subprocess.run(['depmod', '-b', root, RELEASE], check=True, stderr=subprocess.DEVNULL)
    os.unlink(os.path.join(folder, 'extra/gone.ko'))


class Oracle:
    def __init__(self, program, root):
        self.program, self.root, self.config = program, root, os.path.join(root, 'etc/modprobe.d')
        self.seen, self.wrong = 0, []

    def ask(self, question, names):
        out = subprocess.run([self.program, self.root, RELEASE, question, *names], capture_output=True, text=True,
                             check=True).stdout
        return [line.split(' ') for line in out.splitlines()]

    def modprobe(self, name, *options):
        """The lines that modprobe would act on: insmod PATH, install COMMAND, builtin NAME; None where it finds nothing."""
        run = subprocess.run(['modprobe', '-d', self.root, '-S', RELEASE, '-C', self.config, '--show-depends', *options,
                              name], capture_output=True, text=True)
        return [line.split() for line in run.stdout.splitlines()] if run.returncode == 0 else None

    def expect(self, what, ours, theirs):
        self.seen += 1
        if ours != theirs:
            self.wrong.append(f'{what}: k8scheck says {ours}, kmod {theirs}')

    def their_lookup(self, name):
        lines = self.modprobe(name)
        if lines is None:
            return 'absent', None
        if lines[-1][0] == 'builtin':
            return 'builtin', None
        path = lines[-1][1][len(self.root):]
        return ('there' if os.path.exists(self.root + path) else 'gone'), path


def compare_lookups(oracle):
    for name, state, *rest in oracle.ask('text', NAMES):
        theirs = oracle.their_lookup(name)
        oracle.expect(f'text index, {name}', (state, None if rest[0] == '-' else rest[0]), theirs)
    for name, state, *rest in oracle.ask('library', NAMES + ALIASES):
        theirs = oracle.their_lookup(name)
        oracle.expect(f'libkmod, {name}', (state, None if rest[1] == '-' else rest[1]), theirs)


def their_effect(oracle, lines):
    """free: br_netfilter itself is inserted; unknown where libkmod passes over a command that would do nothing."""
    if lines is None or not lines:
        return 'barred'
    last = [line for line in lines if line[0] == 'install' or line[1].endswith('/br_netfilter.ko')]
    if not last:
        return 'barred'
    if last[-1][0] == 'insmod' or 'modprobe' in last[-1][1]:
        return 'free'
    return 'barred'


def compare_configs(oracle):
    for files in CONFIGS:
        shutil.rmtree(oracle.config, ignore_errors=True)
        os.makedirs(oracle.config)
        for name, text in files.items():
            with open(os.path.join(oracle.config, name), 'w', newline='') as f:
                f.write(text)
        theirs = their_effect(oracle, oracle.modprobe('br_netfilter', '--use-blacklist'))
        ours = oracle.ask('files', ['br_netfilter'])[0][1]
        # What a softdep does to a command rests on modules that the files do not show.
        if any('softdep' in text for text in files.values()):
            oracle.expect(f'{files}', ours, 'unknown')
        else:
            oracle.expect(f'{files}', ours, theirs)


def main():
    for need in ('gcc', 'depmod', 'modprobe'):
        if not shutil.which(need, path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin'):
            print(f'skipped: there is no {need} here')
            return SKIP
    os.environ['PATH'] += ':/usr/sbin:/sbin'
    root = tempfile.mkdtemp(prefix='kc-kmod-')
    try:
        make_root(root)
        os.makedirs(os.path.join(root, 'etc/modprobe.d'))
        oracle = Oracle(sys.argv[1], root)
        compare_lookups(oracle)
        compare_configs(oracle)
    finally:
        shutil.rmtree(root)
    for line in oracle.wrong:
        print(line)
    want = len(NAMES) * 2 + len(ALIASES) + len(CONFIGS)
    if oracle.seen != want:
        print(f'{oracle.seen} answers were compared, and {want} asked for')
        return 1
    print(f'{oracle.seen} answers compared, {len(oracle.wrong)} differ')
    return 1 if oracle.wrong else 0


if __name__ == '__main__':
    sys.exit(main())
