# SPDX-License-Identifier: Apache-2.0
"""
A whole machine with a kernel of its own: QEMU over a disk made of the recipe's root, with security labels, a swap, and the
guide's SELinux and kernel arguments. Made and booted once; its memory is kept in a file, and each machine is resumed from
that over a disk layer of its own.

The boot loader is this module: a start takes the kernel's arguments from the `linux` line of /boot/grub/grub.cfg.
"""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

import recipe

HERE = os.path.dirname(os.path.abspath(__file__))
QEMU = "qemu-system-x86_64"
MEMORY, CPUS = 2048, 2
DISK_MIB, SWAP_MIB = 3072, 192
# Emulated code runs 10 to 20 times slower, and others may use the machine.
BOOT_SECONDS, COMMAND_SECONDS, PROBE_SECONDS = 400, 400, 20
# What the newest model brings, the emulator of QEMU 7.2 gets wrong.
EMULATED = ("tcg,thread=multi", "Westmere-v1")
NATIVE = ("kvm", "host")

ARGUMENTS = "root=/dev/vda1 rw console=ttyS0 quiet security=selinux selinux=1 systemd.show_status=0"
GRUB = "/boot/grub/grub.cfg"
FSTAB = """\
/dev/vda1 / ext4 defaults 0 0
LABEL=node-swap none swap defaults 0 0
"""
DRIVERS = ("virtio_pci", "virtio_blk")
# Linux' own type of partition, so that nothing but fstab knows of the swap.
PLAIN_TYPE = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
LAYOUT = f"""\
label: gpt
start=2048, size={DISK_MIB * 2048}, type={PLAIN_TYPE}
start={2048 + DISK_MIB * 2048}, size={SWAP_MIB * 2048}, type={PLAIN_TYPE}
"""
# Debian's policy lets nobody have an answer of firewalld who logged in; CentOS' does.
POLICY = """\
(allow firewalld_t unconfined_t (dbus (send_msg)))
(allow unconfined_t firewalld_t (dbus (send_msg)))
(allow firewalld_t initrc_t (dbus (send_msg)))
(allow initrc_t firewalld_t (dbus (send_msg)))
"""
LABELS_TRIED = {"/etc/shadow": "shadow_t", "/usr/sbin/sshd": "sshd_exec_t", "/usr/bin/passwd": "passwd_exec_t"}


class Unavailable(recipe.Unavailable):
    """No machine can be started here, and why."""


def kernel_of(root):
    """(its release, the path of its image)."""
    releases = sorted(n[len("vmlinuz-") :] for n in os.listdir(root + "/boot") if n.startswith("vmlinuz-"))
    if not releases:
        raise Unavailable("the root has no kernel")
    return releases[-1], f"{root}/boot/vmlinuz-{releases[-1]}"


# ---- the image


def drivers(root, release):
    """The files of DRIVERS, each behind those it depends on."""
    folder = f"{root}/lib/modules/{release}"
    needs, found = {}, []
    with open(folder + "/modules.dep") as f:
        for line in f:
            path, _, rest = line.partition(":")
            needs[path] = rest.split()
    for name in DRIVERS:
        paths = [path for path in needs if os.path.basename(path) == name + ".ko"]
        # modprobe loads the last of the line first.
        for path in [p for top in paths for p in (*reversed(needs[top]), top)]:
            if path not in found:
                found.append(path)
    return [os.path.join(folder, path) for path in found]


def cpio(entries):
    """An archive as the kernel unpacks it: (name, mode, bytes)."""
    out = b""
    for inode, (name, mode, data) in enumerate([*entries, ("TRAILER!!!", 0, b"")], 1):
        fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
        out += head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)
    return out


def make_initrd(root, release, path):
    program = path + ".program"
    recipe.run(["gcc", "-std=gnu11", "-O2", "-D_GNU_SOURCE", "-static", "-o", program, HERE + "/initrd.c"], "gcc")
    with open(program, "rb") as f:
        entries = [("init", 0o100755, f.read()), ("drivers", 0o040755, b"")]
    os.unlink(program)
    for i, driver in enumerate(drivers(root, release)):
        with open(driver, "rb") as f:
            entries.append((f"drivers/{i:02}.ko", 0o100644, f.read()))
    with open(path, "wb") as f:
        f.write(cpio(entries))


def write(root, path, text, mode=0o644):
    full = root + path
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w") as f:
        f.write(text)
    os.chmod(full, mode)


def set_labels(root):
    """By the tree's own setfiles, and looked at: where nothing was labelled it does not say so."""
    contexts = "/etc/selinux/default/contexts/files/file_contexts"
    # It needs /proc, and would leave out all that /proc/mounts does not have "seclabel" of.
    script = 'mount -t proc proc "$0/proc" && exec chroot "$0" /usr/sbin/setfiles -F -m -e /proc "$1" /'
    recipe.run(["unshare", "--mount", "sh", "-c", script, root, contexts], "setfiles")
    for path, want in LABELS_TRIED.items():
        try:
            label = os.getxattr(root + path, "security.selinux").decode()
        except OSError as e:
            raise Unavailable(f"files cannot be labelled here: {e}") from e
        if want not in label.split(":"):
            raise Unavailable(f"{path} is labelled {label}, not {want}")


def prepare(root, release, key):
    """What the machine has beside the recipe."""
    with open(key + ".pub") as f:
        write(root, "/root/.ssh/authorized_keys", f.read(), 0o600)
    os.chmod(root + "/root/.ssh", 0o700)
    recipe.run(["ssh-keygen", "-A", "-f", root], "ssh-keygen")
    recipe.run(["systemctl", "--root=" + root, "--quiet", "enable", "ssh.service"], "systemctl")
    write(root, "/etc/fstab", FSTAB)
    # One that is not the first boot, at which presets would enable all that is installed.
    write(root, "/etc/machine-id", recipe.digest_of("machine")[:32] + "\n", 0o444)
    write(
        root,
        GRUB,
        f"set default=0\nmenuentry 'Debian' {{\n\tlinux /boot/vmlinuz-{release} {ARGUMENTS}\n"
        f"\tinitrd /boot/initrd.img-{release}\n}}\n",
    )
    write(root, "/var/lib/k8scheck-node.cil", POLICY)
    recipe.run(
        ["chroot", root, "/usr/sbin/semodule", "-n", "-s", "default", "-i", "/var/lib/k8scheck-node.cil"], "semodule"
    )
    os.unlink(root + "/var/lib/k8scheck-node.cil")
    set_labels(root)


def make_disk(root, path):
    """A disk of two partitions, of which the first is made from a folder with its attributes."""
    raw, swap = path + ".raw", path + ".swap"
    for name, size in ((raw, DISK_MIB + SWAP_MIB + 2), (swap, SWAP_MIB)):
        with open(name, "wb") as f:
            f.truncate(size << 20)
    subprocess.run(["sfdisk", "--quiet", raw], input=LAYOUT, text=True, check=True, stdout=subprocess.DEVNULL)
    options = f"offset={1 << 20},lazy_itable_init=0"
    recipe.run(["mkfs.ext4", "-q", "-F", "-m", "1", "-E", options, "-d", root, raw, f"{DISK_MIB}M"], "mkfs.ext4")
    recipe.run(["mkswap", "-q", "-L", "node-swap", swap], "mkswap")
    with open(swap, "rb") as f, open(raw, "r+b") as disk:
        disk.seek((1 + DISK_MIB) << 20)
        disk.write(f.read(1 << 20))
    recipe.run(["qemu-img", "convert", "-O", "qcow2", raw, path], "qemu-img")
    os.unlink(raw)
    os.unlink(swap)


def make_image(folder):
    source = recipe.root()
    release, kernel = kernel_of(source)
    shutil.copyfile(kernel, folder + "/kernel")
    make_initrd(source, release, folder + "/initrd")
    key = folder + "/key"
    recipe.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "node", "-f", key], "ssh-keygen")
    with tempfile.TemporaryDirectory(prefix=".copy-", dir=folder) as tmp:
        root = tmp + "/root"
        subprocess.run(["cp", "-a", "--reflink=auto", source, root], check=True)
        prepare(root, release, key)
        make_disk(root, folder + "/disk.qcow2")


def version_of_qemu():
    done = subprocess.run([QEMU, "--version"], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()[0]


def image():
    """The folder of the image, with the machine's booted state beside it."""
    if os.geteuid() != 0:
        raise Unavailable("it takes root to make a disk with owners")
    for program in (QEMU, "qemu-img", "mkfs.ext4", "mkswap", "sfdisk", "ssh", "ssh-keygen", "gcc", "chroot"):
        if not shutil.which(program):
            raise Unavailable(program + " is not installed")
    parts = [recipe.digest(), recipe.source("qemu.py"), recipe.source("initrd.c"), version_of_qemu()]
    return recipe.cached("disk", recipe.digest_of(*parts), make_image)


def accelerator(folder):
    """The first that brings the kernel to its first program in time: that /dev/kvm is there says little."""
    if os.access("/dev/kvm", os.R_OK | os.W_OK):
        machine, model = NATIVE
        command = [QEMU, "-nodefaults", "-display", "none", "-no-reboot", "-machine", "q35", "-accel", machine]
        command += ["-cpu", model, "-m", "512", "-serial", "stdio", "-kernel", folder + "/kernel"]
        command += ["-initrd", folder + "/initrd", "-append", "console=ttyS0 quiet k8scheck.probe"]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=PROBE_SECONDS,
                check=False,
            )
            if b"initrd: reached" in done.stdout:
                return NATIVE
        except subprocess.TimeoutExpired:
            pass
    return EMULATED


# ---- a machine


class Gone(Exception):
    """It does not answer any more."""


class Monitor:
    """QEMU's own control (QMP)."""

    def __init__(self, path, process):
        self.socket = socket.socket(socket.AF_UNIX)
        end = time.monotonic() + 60
        while True:
            try:
                self.socket.connect(path)
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > end:
                    raise Unavailable("QEMU does not start") from None
                time.sleep(0.05)
        self.socket.settimeout(120)
        self.file = self.socket.makefile("rw")
        self.file.readline()
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        self.file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.file.flush()
        while True:
            line = self.file.readline()
            if not line:
                raise Gone(command)
            answer = json.loads(line)
            if "error" in answer:
                raise Gone(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def close(self):
        self.file.close()
        self.socket.close()


class Machine:
    """Resumed or booted over a disk layer in a folder of its own, which belongs to it."""

    def __init__(self, image_folder, accel, folder):
        self.image, self.accel, self.folder = image_folder, accel, folder
        self.disk = folder + "/disk.qcow2"
        self.process, self.monitor, self.port = None, None, None
        self.arguments = ARGUMENTS

    def layer(self, below):
        """An empty layer over a disk."""
        recipe.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", below, "-F", "qcow2", self.disk], "qemu-img")

    def start(self, state=None):
        machine, model = self.accel
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        control = self.folder + "/qmp"
        if os.path.exists(control):
            os.unlink(control)
        network = "user,id=net,restrict=on,net=192.168.77.0/24,host=192.168.77.1,dhcpstart=192.168.77.100"
        network += f",hostfwd=tcp:127.0.0.1:{self.port}-{recipe.ADDRESS}:22"
        command = [QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35", "-accel", machine]
        command += ["-cpu", model, "-smp", str(CPUS), "-m", str(MEMORY), "-qmp", f"unix:{control},server=on,wait=off"]
        command += ["-serial", f"file:{self.folder}/console"]
        command += ["-drive", f"file={self.disk},if=none,id=disk,format=qcow2,cache=unsafe,discard=unmap"]
        command += ["-device", "virtio-blk-pci,drive=disk", "-netdev", network]
        command += ["-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci"]
        command += ["-kernel", self.image + "/kernel", "-initrd", self.image + "/initrd", "-append", self.arguments]
        if state:
            command += ["-incoming", "exec:cat " + shlex.quote(state)]
        with open(self.folder + "/qemu.log", "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.monitor = Monitor(control, self.process)

    def boot(self):
        self.start()
        self.wait()

    def resume(self, state):
        self.start(state)
        end = time.monotonic() + 120
        while self.monitor.ask("query-status")["status"] == "inmigrate":
            if time.monotonic() > end:
                raise Gone("the state is not taken")
            time.sleep(0.05)
        self.monitor.ask("cont")
        self.wait_for_ssh()
        self.call(f"date -s @{time.time():.0f}")

    def save(self, state):
        """Writes memory and devices to a file, and ends: with the disk as it is then it goes on."""
        self.call("sync")
        self.close_ssh()
        self.monitor.ask("stop")
        self.monitor.ask("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
        self.monitor.ask("migrate", uri="exec:cat > " + shlex.quote(state))
        while True:
            status = self.monitor.ask("query-migrate")["status"]
            if status == "completed":
                break
            if status in ("failed", "cancelled"):
                raise Gone("the state is not saved")
            time.sleep(0.05)
        self.end()

    # ssh

    def ssh(self, *more):
        return [
            "ssh",
            *("-F", "/dev/null", "-i", self.image + "/key", "-p", str(self.port), "-o", "BatchMode=yes"),
            *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"),
            *("-o", "ConnectTimeout=20", "-o", "ControlMaster=auto", "-o", "ControlPersist=300"),
            *("-o", f"ControlPath={self.folder}/ssh", "-o", "IdentitiesOnly=yes", "-o", "ServerAliveInterval=30"),
            *more,
            "root@127.0.0.1",
        ]

    def close_ssh(self):
        if os.path.exists(self.folder + "/ssh"):
            subprocess.run(
                [*self.ssh("-O", "exit")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30, check=False
            )
            if os.path.exists(self.folder + "/ssh"):
                os.unlink(self.folder + "/ssh")

    def run(self, script, timeout=COMMAND_SECONDS, input=None):
        """Runs lines of bash: (exit code, what they wrote). 255 where the connection was lost."""
        done = subprocess.run(
            [*self.ssh(), "bash -c " + shlex.quote(script)],
            input=input if input is not None else b"",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )
        return done.returncode, done.stdout.decode("utf-8", "backslashreplace")

    def call(self, script, **options):
        """The same, of what has to succeed: what it wrote."""
        code, out = self.run(script, **options)
        if code != 0:
            raise Gone(f"{script}: {code}: {out}")
        return out

    def put(self, folder, where="/"):
        """The content of a folder, with owner root; labels are those of the places."""
        packed = subprocess.run(
            ["tar", "-C", folder, "--owner=0", "--group=0", "-c", "."], stdout=subprocess.PIPE, check=True
        ).stdout
        names = " ".join(
            shlex.quote(os.path.join(where, os.path.relpath(os.path.join(at, n), folder)))
            for at, _, files in os.walk(folder)
            for n in files
        )
        self.call(f"tar -C {where} --no-overwrite-dir -x && restorecon -F {names}", input=packed)

    def get(self, path):
        return self.call("cat " + shlex.quote(path))

    def put_file(self, path, data, mode="644"):
        self.call(
            f"cat >{shlex.quote(path)} && chmod {mode} {shlex.quote(path)}",
            input=data if isinstance(data, bytes) else data.encode(),
        )

    def wait_for_ssh(self):
        end = time.monotonic() + BOOT_SECONDS
        while True:
            try:
                if self.run("true", timeout=60)[0] == 0:
                    return
            except subprocess.TimeoutExpired:
                pass
            if self.process.poll() is not None:
                raise Gone("QEMU ended: " + self.last_words())
            if time.monotonic() > end:
                raise Gone("no answer: " + self.last_words())
            time.sleep(0.3)

    def last_words(self):
        said = ""
        for name in ("qemu.log", "console"):
            if os.path.exists(f"{self.folder}/{name}"):
                with open(f"{self.folder}/{name}", errors="backslashreplace") as f:
                    said += f.read()[-1500:]
        return said

    def wait(self):
        """Until all jobs of the boot have ended."""
        self.wait_for_ssh()
        self.run("systemctl is-system-running --wait")

    # Ends of a boot.

    def reboot(self):
        """Orderly, with the arguments that the boot loader's entry has by then."""
        found = re.search(r"^\s*linux\s+\S+\s+(.*)$", self.get(GRUB), re.M)
        self.arguments = found.group(1).strip()
        self.run("systemctl poweroff", timeout=60)
        self.close_ssh()
        try:
            self.process.wait(BOOT_SECONDS)
        except subprocess.TimeoutExpired:
            raise Gone("it does not power off: " + self.last_words()) from None
        self.end()
        self.boot()

    def power_cut(self):
        """Kills it: what the machine had not written is lost."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.end()

    def end(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.close_ssh()
        if self.monitor:
            self.monitor.close()
        self.process, self.monitor = None, None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)


def new_folder(parent):
    """A short name: paths of sockets are short."""
    return tempfile.mkdtemp(prefix="q-", dir=parent)


class Booted:
    """A machine that was booted once: its disk and its memory, from which others go on."""

    def __init__(self, image_folder, accel, disk, state, arguments=ARGUMENTS):
        self.image, self.accel, self.disk, self.state, self.arguments = image_folder, accel, disk, state, arguments

    def resume(self, parent):
        machine = Machine(self.image, self.accel, new_folder(parent))
        machine.arguments = self.arguments
        machine.layer(self.disk)
        try:
            machine.resume(self.state)
        except BaseException:
            machine.__exit__()
            raise
        return machine


def keep(machine, folder):
    """Ends a machine so that others go on from where it is; its disk moves into the folder."""
    state, disk = folder + "/state", folder + "/disk.qcow2"
    machine.save(state)
    os.rename(machine.disk, disk)
    return Booted(machine.image, machine.accel, disk, state, machine.arguments)


def untouched():
    """The guide's untouched node, booted; made once, and kept beside its image."""
    image_folder = image()
    accel = accelerator(image_folder)

    def make(folder):
        with Machine(image_folder, accel, new_folder(folder)) as machine:
            machine.layer(image_folder + "/disk.qcow2")
            machine.boot()
            # What is started by timers soon after a boot is over by then.
            machine.run("systemctl list-jobs; sleep 5")
            keep(machine, folder)

    name = recipe.digest_of(image_folder, *accel)
    folder = recipe.cached("booted", name, make)
    return Booted(image_folder, accel, folder + "/disk.qcow2", folder + "/state")
