/* SPDX-License-Identifier: Apache-2.0 */
#include <netdb.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "child.h"
#include "doors.h"

enum {
	MAX_NAME = 253,
	MAX_ADDRESSES = 64,
	MAX_DATA_MIB = 256,
	MAX_FILES = 64,
};

/* Printable ASCII without spaces: wide enough for any name of /etc/hosts, and safe in any message.
 */
static bool name_is_valid(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < n; i++)
		if (name[i] <= ' ' || name[i] >= 0x7f)
			return false;
	return n > 0 && n <= MAX_NAME;
}

/*
 * The resolver loads modules that others configure and reads what strangers send: this process
 * keeps no right that they could use. A change of user also drops the signal at the end of the
 * parent.
 */
static int give_up_rights(void)
{
	pid_t parent = getppid();
	int r;

	r = kc_child_drop_privileges();
	if (r >= 0)
		r = kc_child_limit(MAX_FILES, MAX_DATA_MIB);
	if (r < 0)
		return r;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	return getppid() == parent ? 0 : -ESRCH;
}

static bool answer_has(const struct kc_answer *answer, const char *text)
{
	for (size_t i = 0; i < answer->n_items; i++)
		if (kc_streq(answer->items[i].data, text))
			return true;
	return false;
}

static void fail(struct kc_answer *answer, struct kc_arena *arena, const char *name, int error,
		 int system)
{
	int code;

	switch (error) {
	case EAI_NONAME:
	case EAI_NODATA:
	case EAI_ADDRFAMILY:
		code = -ENOENT;
		break;
	case EAI_AGAIN:
		code = -ETIMEDOUT;
		break;
	case EAI_MEMORY:
		code = -ENOMEM;
		break;
	case EAI_SYSTEM:
		code = system > 0 ? -system : -EPROTO;
		break;
	default:
		code = -EPROTO;
	}
	kc_answer_fail(answer, arena, code, "%s cannot be looked up: %s", name,
		       error == EAI_SYSTEM ? kc_strerror(system) : gai_strerror(error));
}

static void add_addresses(const struct addrinfo *list, struct kc_arena *arena,
			  struct kc_answer *answer)
{
	for (const struct addrinfo *a = list; a && answer->n_items < MAX_ADDRESSES;
	     a = a->ai_next) {
		char address[NI_MAXHOST];

		if (getnameinfo(a->ai_addr, a->ai_addrlen, address, sizeof(address), NULL, 0,
				NI_NUMERICHOST) == 0 &&
		    !answer_has(answer, address))
			kc_answer_adds(answer, arena, address);
	}
}

const char *kc_lookup_late(const struct kc_question *question, struct kc_arena *arena)
{
	const char *name = question->strings.n == 1 ? question->strings.item[0] : "";

	return kc_arena_printf(arena, "%s could not be looked up within %llu ms",
			       name_is_valid(name) ? name : "the name",
			       (unsigned long long)(question->timeout_usec / 1000));
}

void kc_door_lookup(const struct kc_door_host *host, void **state,
		    const struct kc_question *question, struct kc_arena *arena,
		    struct kc_answer *ret_answer)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	const char *name;
	int r;

	*ret_answer = (struct kc_answer){ 0 };
	name = question->strings.n == 1 ? question->strings.item[0] : "";
	if (!name_is_valid(name)) {
		kc_answer_fail(ret_answer, arena, -EINVAL,
			       "a name to look up has 1 to %d printable characters without spaces",
			       MAX_NAME);
		return;
	}
	if (!kc_streq(kc_root_path(host->root), "/")) {
		kc_answer_fail(
			ret_answer, arena, -EOPNOTSUPP,
			"%s is not looked up: the resolver of the root %s cannot be used from here",
			name, kc_root_path(host->root));
		return;
	}
	r = give_up_rights();
	if (r < 0) {
		kc_answer_fail(ret_answer, arena, r,
			       "%s is not looked up: the resolver's process keeps rights it shall "
			       "not have: %s",
			       name, kc_strerror(r));
		return;
	}
	r = getaddrinfo(name, NULL, &hints, &list);
	if (r != 0) {
		fail(ret_answer, arena, name, r, errno);
		return;
	}
	add_addresses(list, arena, ret_answer);
	freeaddrinfo(list);
	if (ret_answer->code == 0 && ret_answer->n_items == 0)
		fail(ret_answer, arena, name, EAI_NODATA, 0);
}
