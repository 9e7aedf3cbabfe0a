/* SPDX-License-Identifier: Apache-2.0 */
#include "accounts.h"
#include "file.h"

enum {
	ACCOUNTS_MAX = 4 * 1024 * 1024, /* of passwd or group */
};

static bool is_number(const char *text, uint32_t *ret_id)
{
	uint64_t value;

	if (strspn(text, "0123456789") != strlen(text) || kc_parse_u64(text, &value) < 0 ||
	    value > UINT32_MAX)
		return false;
	*ret_id = (uint32_t)value;
	return true;
}

/* "owner root (0)", or the number alone where no name is known. */
static const char *describe(const struct file_place *place, const char *what,
			    const struct kc_bytes *accounts, uint32_t id)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	const char *name = file_account_name(accounts->data, accounts->size, id, &arena);

	return name ? kc_text(place->host, place->run, "%s %s (%u)", what, name, (unsigned)id)
		    : kc_text(place->host, place->run, "%s %u", what, (unsigned)id);
}

int file_owner_id(const struct file_place *place, bool group, const char *wanted, uint32_t *ret_id)
{
	struct kc_bytes accounts;
	int r;

	if (is_number(wanted, ret_id))
		return 0;
	r = kc_read_file(place->host, place->run, group ? "/etc/group" : "/etc/passwd",
			 ACCOUNTS_MAX, &accounts);
	return r < 0 ? r : file_account_id(accounts.data, accounts.size, wanted, ret_id);
}

int file_judge_owner(const struct file_place *place, bool group, const char *wanted, uint32_t id)
{
	const char *what = group ? "group" : "owner", *file = group ? "/etc/group" : "/etc/passwd";
	struct kc_bytes accounts = { .data = "" };
	uint32_t wanted_id = 0;
	bool number = is_number(wanted, &wanted_id);
	int r = kc_read_file(place->host, place->run, file, ACCOUNTS_MAX, &accounts);

	/* A number needs no file; that only names it. */
	if (r < 0 && !number)
		return kc_report_error(place->host, place->run, place->horizon, place->path, file);
	if (!number && file_account_id(accounts.data, accounts.size, wanted, &wanted_id) < 0)
		return kc_report(place->host, place->run, place->horizon, KC_ERROR, place->path,
				 kc_text(place->host, place->run, "%s %s", what, wanted),
				 describe(place, what, &accounts, id), file,
				 kc_text(place->host, place->run,
					 "%s has no \"%s\". Where names come from elsewhere, give "
					 "the number.",
					 file, wanted));
	return file_report(place, id == wanted_id ? KC_PASS : KC_FAIL,
			   kc_text(place->host, place->run, "%s %s", what, wanted),
			   describe(place, what, &accounts, id), NULL);
}
