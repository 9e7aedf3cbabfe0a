/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first program of a machine of qemu.py: loads the drivers that lie beside it, mounts the disk
 * and starts its system. With k8scheck.probe among the kernel's arguments it says that it was
 * reached, and powers off: so it is found out which accelerator boots this kernel.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DISK "/dev/vda1"

static void fail(const char *what)
{
	fprintf(stderr, "initrd: %s: %m\n", what);
	reboot(RB_POWER_OFF);
	_exit(1);
}

static void probe(void)
{
	char arguments[4096] = "";
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, arguments, sizeof(arguments) - 1) < 0)
		fail("/proc/cmdline");
	close(fd);
	if (!strstr(arguments, "k8scheck.probe"))
		return;
	printf("initrd: reached\n");
	fflush(stdout);
	reboot(RB_POWER_OFF);
}

static void load_drivers(void)
{
	char path[32];

	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "/drivers/%02d.ko", i);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return;
		if (syscall(SYS_finit_module, fd, "", 0) < 0)
			fail(path);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	(void)argc;
	mkdir("/proc", 0755);
	mkdir("/dev", 0755);
	mkdir("/disk", 0755);
	if (mount("proc", "/proc", "proc", 0, NULL) < 0)
		fail("/proc");
	if (mount("dev", "/dev", "devtmpfs", 0, NULL) < 0)
		fail("/dev");
	int console = open("/dev/console", O_RDWR);
	for (int fd = 0; console >= 0 && fd < 3; fd++)
		dup2(console, fd);
	probe();
	load_drivers();
	for (int i = 0; access(DISK, F_OK) < 0 && i < 600; i++)
		usleep(100000);
	if (mount(DISK, "/disk", "ext4", 0, NULL) < 0)
		fail(DISK);
	umount("/proc");
	if (mount("/dev", "/disk/dev", NULL, MS_MOVE, NULL) < 0)
		fail("/disk/dev");
	if (chdir("/disk") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
	    chdir("/") < 0)
		fail("/disk");
	argv[0] = "/sbin/init";
	execv("/sbin/init", argv);
	fail("/sbin/init");
}
