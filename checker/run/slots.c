/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "slots.h"

int kc_slots_map(struct kc_slots *slots)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *memory = mmap(NULL, KC_SLOTS_MAX * page, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return -errno;
	*slots = (struct kc_slots){ .memory = memory, .page = page };
	return 0;
}

void kc_slots_unmap(struct kc_slots *slots)
{
	if (slots->memory)
		(void)munmap(slots->memory, KC_SLOTS_MAX * slots->page);
	*slots = (struct kc_slots){ 0 };
}

struct kc_slot *kc_slots_at(const struct kc_slots *slots, uint32_t index)
{
	return (struct kc_slot *)(void *)(slots->memory + index * slots->page);
}

int kc_slots_take(struct kc_slots *slots, uint32_t *ret_index)
{
	for (uint32_t i = 0; i < KC_ARRAY_SIZE(slots->used); i++) {
		unsigned bit = slots->used[i] == UINT64_MAX
				       ? 64
				       : (unsigned)__builtin_ctzll(~slots->used[i]);

		if (bit == 64)
			continue;
		slots->used[i] |= 1ull << bit;
		*ret_index = i * 64 + bit;
		*kc_slots_at(slots, *ret_index) = (struct kc_slot){ 0 };
		return 0;
	}
	return -EAGAIN;
}

void kc_slots_give(struct kc_slots *slots, uint32_t index)
{
	slots->used[index / 64] &= ~(1ull << (index % 64));
}

int kc_slots_leave(const struct kc_slots *slots, uint32_t index)
{
	char *own = slots->memory + index * slots->page, *behind = own + slots->page;
	size_t before = (size_t)(own - slots->memory);
	size_t after = KC_SLOTS_MAX * slots->page - before - slots->page;

	if ((before > 0 && munmap(slots->memory, before) < 0) ||
	    (after > 0 && munmap(behind, after) < 0))
		return -errno;
	return 0;
}
