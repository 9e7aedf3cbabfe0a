# SPDX-License-Identifier: Apache-2.0
"""What tests/sandbox's plugin acts on, one way a target, and what can be seen of it from outside before and after."""

import ctypes
import ctypes.util
import errno
import fcntl
import os
import select
import shutil
import socket
import stat
import struct
import subprocess
import sys
import time

CONTAINED = "K8SCHECK_TEST_CONTAINED"
FS_IOC_GETFLAGS, TIOCSPTLCK, TIOCGPTN = 0x80086601, 0x40045431, 0x80045430
IOPRIO_GET = {"x86_64": 252, "aarch64": 31}.get(os.uname().machine)

# A process of who runs k8scheck, whose state is the trace.
OF_VICTIM = {
    "kill", "kill-group", "tgkill", "tkill", "sigqueue", "tgsigqueue", "pidfd-signal", "setown-signal", "ptrace",
    "vm-write", "proc-mem", "prlimit", "affinity", "priority", "io-priority", "scheduler", "pidfd-getfd", "proc-root",
    "proc-oom-score", "proc-timer-slack", "proc-core-filter",
}
OF_OTHER = {"kill-other-user", "pidfd-signal-other-user"}
# With a mount of their own at m.
OF_MOUNT = {"mount-writable", "mount-setattr", "umount", "move-mount"}
# What all share, of the namespaces that the test has.
SYSCTLS = {
    "proc-sys": "/proc/sys/kernel/hostname", "sethostname": "/proc/sys/kernel/hostname",
    "setdomainname": "/proc/sys/kernel/domainname", "proc-sys-net": "/proc/sys/net/ipv4/ip_default_ttl",
}
KINDS = ("shm", "msg", "sem")
# Nothing of it is left to see: the kernel's answer is all there is, and the control (--sandbox=off) shows that it can
# be yes.
BY_WORD = {
    "open-device-read", "open-device-write", "open-kmsg", "open-sysrq", "flock", "lock-record", "lease", "dnotify",
    "inotify", "fanotify", "name-to-handle", "pidfd-getfd", "sibling-pidfd-getfd", "setns", "chroot", "setuid",
    "setresuid", "setresgid", "setgroups", "setfsuid", "capset", "personality", "setsid", "setpgid", "pdeathsig",
    "dumpable", "set-ptracer", "fsopen", "open-tree", "pivot-root", "settimeofday", "adjtimex", "clock-adjtime",
    "reboot", "swapon", "swapoff", "init-module", "finit-module", "delete-module", "kexec-load", "kexec-file-load",
    "bpf", "perf-event-open", "quotactl", "quotactl-fd", "acct", "iopl", "ioperm", "vhangup", "syslog", "add-key",
    "keyctl", "map-anonymous", "memfd", "memfd-secret", "io-uring", "userfaultfd", "any-number", "socket-unix",
    "socket-inet", "socket-inet6", "socket-raw", "socket-netlink", "socket-packet", "socket-vsock", "socket-alg",
    "socket-bluetooth", "socketpair", "bind-port", "send-descriptor", "write-slots", "dlopen",
} | {f"unshare-{n}" for n in ("mount", "uts", "ipc", "user", "pid", "net", "cgroup", "time")}

libc = ctypes.CDLL(None, use_errno=True)
librt = ctypes.CDLL(ctypes.util.find_library("rt") or None, use_errno=True)


def read(path):
    try:
        with open(path, errors="backslashreplace") as f:
            return f.read()
    except OSError as e:
        return errno.errorcode[e.errno]


def write(path, text, owner, mode=0o666):
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)
    give(path, owner)


def give(path, owner):
    if os.geteuid() == 0:
        os.chown(path, owner, owner, follow_symlinks=False)


def flags_of(path):
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        return struct.unpack("i", fcntl.ioctl(fd, FS_IOC_GETFLAGS, b"\0\0\0\0"))[0]
    except OSError:
        return None
    finally:
        os.close(fd)


def look_at(path):
    """All that a file is, but for when it was last read."""
    st = os.lstat(path)
    seen = [st.st_mode, st.st_uid, st.st_gid, st.st_nlink, st.st_mtime_ns, st.st_ctime_ns]
    if stat.S_ISLNK(st.st_mode):
        seen.append(os.readlink(path))
    if stat.S_ISREG(st.st_mode):
        seen += [st.st_size, st.st_blocks, read(path), flags_of(path)]
        seen.append({n: os.getxattr(path, n) for n in os.listxattr(path)})
    return seen


def look_below(top, device=None):
    """The same of everything below a folder, but of what is mounted there."""
    device = device or os.lstat(top).st_dev
    seen = {top: look_at(top)}
    for name in sorted(os.listdir(top)):
        path = os.path.join(top, name)
        st = os.lstat(path)
        if st.st_dev != device:
            seen[path] = "a mount"
        elif stat.S_ISDIR(st.st_mode):
            seen.update(look_below(path, device))
        else:
            seen[path] = look_at(path)
    return seen


class Victim:
    def __init__(self, program, uid, *args):
        command = [program, *args]
        if os.geteuid() == 0 and uid != 0:
            command = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *command]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        pid, self.mark = self.process.stdout.readline().split()
        self.pid = int(pid)
        self.before = None

    def wait_until_asleep(self):
        """In what it does last, which is to wait."""
        end = time.monotonic() + 5
        while read(f"/proc/{self.pid}/stat").rpartition(")")[2].split()[:1] != ["S"] and time.monotonic() < end:
            time.sleep(0.001)

    def wait_a_little(self):
        try:
            self.process.wait(0.3)
        except subprocess.TimeoutExpired:
            pass

    def look(self):
        if self.process.poll() is not None:
            return "gone"
        io = libc.syscall(IOPRIO_GET, 1, self.pid) if IOPRIO_GET else None
        return (
            read(f"/proc/{self.pid}/limits"), sorted(os.sched_getaffinity(self.pid)),
            os.getpriority(os.PRIO_PROCESS, self.pid), os.sched_getscheduler(self.pid), io,
            [read(f"/proc/{self.pid}/{name}") for name in ("oom_score_adj", "coredump_filter", "timerslack_ns")],
        )

    def end(self):
        """What it says of itself: 0 if it is whole."""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.stdout.close()
        return self.process.wait(timeout=10)


class Target:
    """What one way of one set acts on. The trace is whatever look() gives; end() gives that of what has ended."""

    def __init__(self, way, at, key, uid, victim_program, object_file, privileged):
        self.way, self.at, self.key, self.uid = way, at, key, uid
        self.victim = self.other = None
        self.open, self.mounts, self.cgroup = [], [], None
        os.mkdir(at)
        for name in ("f", "f2"):
            write(os.path.join(at, name), "kept\n", uid)
        try:
            os.setxattr(os.path.join(at, "f"), "user.old", b"kept")
        except OSError:
            pass
        os.mkdir(os.path.join(at, "d"))
        os.chmod(os.path.join(at, "d"), 0o777)
        give(os.path.join(at, "d"), uid)
        if way in OF_VICTIM:
            self.victim = Victim(victim_program, uid)
        if way in OF_OTHER and os.geteuid() == 0:
            self.other = Victim(victim_program, 0 if uid else 65534)
        self.lay(way, victim_program, object_file, privileged)
        os.chmod(at, 0o777)
        give(at, uid)
        self.before = self.look()
        if self.victim:
            self.victim.before = self.victim.look()
        if self.other:
            self.other.before = self.other.look()

    def path(self, name):
        return os.path.join(self.at, name)

    def lay(self, way, victim_program, object_file, privileged):
        if way == "open-fifo":
            os.mkfifo(self.path("fifo"))
            os.chmod(self.path("fifo"), 0o666)
            self.victim = Victim(victim_program, self.uid, self.path("fifo"))
            self.victim.wait_until_asleep()
        elif way == "open-terminal":
            self.open_terminal()
        elif way in ("connect-path", "send-path"):
            self.listen_at("stream" if way == "connect-path" else "datagram")
        elif way == "connect-abstract":
            self.listen(socket.AF_UNIX, socket.SOCK_STREAM, f"\0k8scheck-{self.key:08x}")
        elif way in ("connect-tcp", "send-udp"):
            kind = socket.SOCK_STREAM if way == "connect-tcp" else socket.SOCK_DGRAM
            self.listen(socket.AF_INET, kind, ("127.0.0.1", 0))
            write(self.path("port"), str(self.open[0].getsockname()[1]), self.uid)
        elif way in ("dlopen", "dlopen-write"):
            shutil.copy(object_file, self.path("object.so"))
            os.chmod(self.path("object.so"), 0o666)
        elif way in OF_MOUNT or way in ("sysfs", "cgroup-write", "cgroup-mkdir"):
            self.lay_mounts(way, privileged)

    def open_terminal(self):
        """One whose other end nobody had open so far: when somebody has had, it says so."""
        self.terminal = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
        fcntl.ioctl(self.terminal, TIOCSPTLCK, struct.pack("i", 0))
        name = "/dev/pts/%d" % struct.unpack("i", fcntl.ioctl(self.terminal, TIOCGPTN, b"\0\0\0\0"))[0]
        os.chmod(name, 0o666)
        os.symlink(name, self.path("terminal"))

    def listen(self, family, kind, address):
        s = socket.socket(family, kind)
        s.bind(address)
        if kind == socket.SOCK_STREAM:
            s.listen(1)
        s.setblocking(False)
        self.open.append(s)

    def listen_at(self, name):
        self.listen(socket.AF_UNIX, socket.SOCK_STREAM if name == "stream" else socket.SOCK_DGRAM, self.path(name))
        os.chmod(self.path(name), 0o777)

    def mount(self, *args):
        if subprocess.run(["mount", *args], capture_output=True).returncode != 0:
            return False
        self.mounts.append(args[-1])
        return True

    def lay_mounts(self, way, privileged):
        for name in ("m", "sys", "cgroup"):
            os.mkdir(self.path(name))
        if not privileged:
            return
        if way in OF_MOUNT:
            # What lies on a shared mount cannot be moved.
            self.mount("-t", "tmpfs", "-o", "mode=0777", "none", self.path("m"))
            write(self.path("m/f"), "kept\n", self.uid)
        elif way == "sysfs":
            if self.mount("-t", "sysfs", "sysfs", self.path("sys")):
                os.chmod(self.path("sys/class/net/lo/mtu"), 0o666)
        else:
            self.lay_cgroup()

    def lay_cgroup(self):
        os.mkdir(self.path("cgroup2"))
        if not self.mount("-t", "cgroup2", "none", self.path("cgroup2")):
            return
        cgroup = self.path(f"cgroup2/k8scheck-{self.key:08x}")
        try:
            os.mkdir(cgroup)
        except OSError:
            return
        self.cgroup = cgroup
        for name in ("", "cgroup.max.depth"):
            os.chmod(os.path.join(cgroup, name), 0o777)
            give(os.path.join(cgroup, name), self.uid)
        self.mount("--bind", cgroup, self.path("cgroup"))

    def look_at_mounts(self):
        """Those below its folder: root, place, options."""
        lines = [line.split() for line in read("/proc/self/mountinfo").splitlines()]
        return sorted(f[3:6] for f in lines if f[4].startswith(self.at + "/"))

    def look(self):
        seen = [look_below(self.at), self.look_at_mounts(), [self.key in keys(kind) for kind in KINDS]]
        seen.append(read(SYSCTLS[self.way]) if self.way in SYSCTLS else None)
        seen.append(read(self.path("m/f")))
        seen.append(read(self.path("sys/class/net/lo/mtu")))
        seen.append(read(self.path("cgroup/cgroup.max.depth")))
        seen.append(os.path.exists(self.path("cgroup/new")))
        return seen

    def met(self):
        """Whether somebody came to a socket, a terminal, a queue."""
        if self.way == "open-terminal":
            poll = select.poll()
            poll.register(self.terminal, select.POLLIN)
            return any(events & select.POLLHUP for _, events in poll.poll(0))
        for s in self.open:
            if select.select([s], [], [], 0)[0]:
                return True
        return self.way == "mq-open" and librt.mq_unlink(b"/k8scheck-%08x" % self.key) == 0

    def changed(self):
        """What has changed, as a text, or an empty one."""
        now = self.look()
        if self.way == "open-fifo":
            self.victim.wait_a_little()
        if now != self.before:
            return "what is seen of it"
        if self.met():
            return "somebody came"
        for process in (self.victim, self.other):
            if process and process.before != process.look():
                return "the process"
        return ""

    def end(self):
        """Takes all of it away again; what ended otherwise than it should is a change as well."""
        ended = ""
        for process in (self.victim, self.other):
            if process and self.way == "open-fifo":
                process.process.kill()
                process.end()
            elif process and process.end() != 0:
                ended = "the process's memory"
        for s in self.open:
            s.close()
        if self.way == "open-terminal":
            os.close(self.terminal)
        self.end_mounts()
        for option, kind in zip("MQS", KINDS):
            if self.key in keys(kind):
                subprocess.run(["ipcrm", "-" + option, f"{self.key:#x}"], check=False)
        if self.way in SYSCTLS and read(SYSCTLS[self.way]) != self.before[3]:
            with open(SYSCTLS[self.way], "w") as f:
                f.write(self.before[3])
        return ended

    def end_mounts(self):
        if self.cgroup:
            for path in (os.path.join(self.cgroup, "new"), self.cgroup):
                if os.path.isdir(path):
                    os.rmdir(path)
        for path in sorted((f[1] for f in self.look_at_mounts()), reverse=True):
            subprocess.run(["umount", "-l", path], capture_output=True, check=False)


def keys(kind):
    lines = read("/proc/sysvipc/" + kind).splitlines()[1:]
    return {int(line.split()[0]) & 0xFFFFFFFF for line in lines if line.split()}


def contain():
    """In namespaces of its own, so that what is done with --sandbox=off is done to nobody else."""
    if os.geteuid() != 0 or os.environ.get(CONTAINED):
        return os.environ.get(CONTAINED) == "1"
    command = ["unshare", "--mount", "--uts", "--ipc", "--net", "--propagation", "private"]
    able = subprocess.run([*command, "true"], capture_output=True).returncode == 0
    os.environ[CONTAINED] = "1" if able else "0"
    if able:
        os.execvp("unshare", [*command, sys.executable, *sys.argv])
    return False
