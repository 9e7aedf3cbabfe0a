/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/syscall.h>

#include "../shims/filter.h"
#include "root-place.h"
#include "sys/layers.h"

/*
 * Landlock on kernels that say a version and know less than it has: a filter refuses the attributes
 * from a size on, as they do.
 */

enum {
	CREATE_RULESET = 444, /* on every architecture */
};

static int kernel_abi(void)
{
	return (int)syscall(CREATE_RULESET, NULL, 0, 1);
}

/* Sizes that are this large come to `error`; asking for the version (0) does not. */
static int refuse_from(unsigned size, int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CREATE_RULESET, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, size, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return kc_test_filter(code, sizeof(code) / sizeof(code[0]));
}

/* What is left of it still refuses to write, and lets read. */
static int holds(const struct place *p)
{
	kc_cleanup(kc_freep) char *file = in(p->root, "etc/hostname");
	kc_cleanup(kc_closep) int fd = open(file, O_RDONLY | O_CLOEXEC);

	MUST(fd >= 0);
	MUST(open(file, O_WRONLY | O_CLOEXEC) < 0 && errno == EACCES);
	MUST(unlink(file) < 0 && errno == EACCES);
	return 0;
}

static int steps_down(const struct place *p, unsigned size, int error, unsigned most)
{
	struct kc_err err = { 0 };
	unsigned abi = 77;

	if (kernel_abi() <= 0)
		return 77;
	MUST(size == 0 || refuse_from(size, error) == 0);
	MUST(kc_layer_landlock(false, &abi, &err) == 0);
	MUST(abi == KC_MIN((unsigned)kernel_abi(), most));
	return holds(p);
}

static int as_it_is(struct place *p)
{
	return steps_down(p, 0, 0, 6);
}

/* As 5.14.0 of EL 9.7, which says 6. */
static int without_scopes(struct place *p)
{
	return steps_down(p, 24, EINVAL, 5);
}

static int without_network(struct place *p)
{
	return steps_down(p, 16, EINVAL, 3);
}

static int of_a_shorter_structure(struct place *p)
{
	return steps_down(p, 16, E2BIG, 3);
}

static int without_any(struct place *p)
{
	struct kc_err err = { 0 };
	unsigned abi = 77;
	kc_cleanup(kc_freep) char *file = in(p->root, "etc/hostname");

	if (kernel_abi() <= 0)
		return 77;
	MUST(refuse_from(1, EINVAL) == 0);
	MUST(kc_layer_landlock(false, &abi, &err) == -EINVAL);
	MUST(abi == 77 && strstr(err.text, "Landlock"));
	/* And nothing is in force by half. */
	MUST(close(open(file, O_WRONLY | O_CLOEXEC)) == 0);
	return 0;
}

static int off(struct place *p)
{
	struct kc_err err = { 0 };
	unsigned abi;

	(void)p;
	MUST(refuse_from(0, EOPNOTSUPP) == 0);
	MUST(kc_layer_landlock(false, &abi, &err) == -EOPNOTSUPP);
	MUST(strstr(err.text, "lsm="));
	return 0;
}

static void test_as_it_is(void **state)
{
	in_child(as_it_is, *state);
}

static void test_without_scopes(void **state)
{
	in_child(without_scopes, *state);
}

static void test_without_network(void **state)
{
	in_child(without_network, *state);
}

static void test_of_a_shorter_structure(void **state)
{
	in_child(of_a_shorter_structure, *state);
}

static void test_without_any(void **state)
{
	in_child(without_any, *state);
}

static void test_off(void **state)
{
	in_child(off, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(test_as_it_is),	  PLACE_TEST(test_without_scopes),
		PLACE_TEST(test_without_network), PLACE_TEST(test_of_a_shorter_structure),
		PLACE_TEST(test_without_any),	  PLACE_TEST(test_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
