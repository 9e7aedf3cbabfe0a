/* SPDX-License-Identifier: Apache-2.0 */
#include "bus-socket.h"

int kc_bus_check(const struct kc_root *root, const struct kc_question *question, struct kc_err *err,
		 enum kc_bus_service *ret_service)
{
	const struct kc_strings *strings = &question->strings;

	if (!kc_root_is_live(root))
		return kc_err_set(err, -EOPNOTSUPP,
				  "there is no bus to ask: only files are looked at");
	if (question->kind == KC_ASK_BUS)
		return kc_bus_allowed(strings, question->number != 0, err, ret_service);
	if (strings->n != 1)
		return kc_err_set(err, -EINVAL, "one unit is asked for at a time");
	if (kc_unit_name_check(strings->item[0]) == KC_UNIT_NAME_INVALID)
		return kc_err_set(
			err, -EINVAL,
			"\"%.256s\" is not the name of a unit: one has a type at its end, such "
			"as .service",
			strings->item[0]);
	*ret_service = KC_BUS_SYSTEMD;
	return 0;
}

int kc_bus_find(const struct kc_root *root, struct kc_err *err, struct kc_socket_file *ret_file)
{
	int r = kc_socket_find(root, KC_BUS_SOCKET, err, ret_file);

	if (r == -ENOENT)
		return kc_err_set(err, -ENOTCONN, "there is no system bus: %s is missing",
				  KC_BUS_SOCKET);
	return r;
}
