/* SPDX-License-Identifier: Apache-2.0 */

/* Stands in for kubectl in tests: says how it was called, and does nothing. */

#include "record.h"

int main(int argc, char **argv)
{
	if (argc > 1 && (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0)) {
		(void)puts("Client Version: v1.18.20");
		return 0;
	}
	record_call("kubectl", argv);
	(void)printf("stand-in kubectl was called with %d arguments\n", argc - 1);
	return 0;
}
