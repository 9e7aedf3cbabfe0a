/* SPDX-License-Identifier: Apache-2.0 */
#include "root-internal.h"

/* From linux/magic.h and the kernel's sources; written out, since older headers lack half of them.
 */
static const uint32_t kernel_magics[] = {
	0x00009fa0, /* proc */
	0x62656572, /* sysfs */
	0x0027e0eb, /* cgroup */
	0x63677270, /* cgroup2 */
	0x64626720, /* debugfs */
	0x74726163, /* tracefs */
	0x73636673, /* securityfs */
	0x5a3c69f0, /* apparmorfs */
	0xf97cff8c, /* selinuxfs */
	0x43415d53, /* smackfs */
	0x62656570, /* configfs */
	0x65735543, /* fusectl */
	0x42494e4d, /* binfmt_misc */
	0x19800202, /* mqueue */
	0x00001cd1, /* devpts */
	0xcafe4a11, /* bpf */
	0xde5e81e4, /* efivarfs */
	0x6165676c, /* pstore */
	0x6e736673, /* nsfs */
	0x50494446, /* pidfs */
	0x67596969, /* rpc_pipefs */
	0x6e667364, /* nfsd */
	0x958458f6, /* hugetlbfs */
	0x07655821, /* resctrl */
	0xabba1974, /* xenfs */
	0x6c6f6f70, /* binder */
	0x64646178, /* daxfs */
};

bool kc_is_kernel_fs(uint64_t magic)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(kernel_magics); i++) {
		if (kernel_magics[i] == (uint32_t)magic)
			return true;
	}
	return false;
}
