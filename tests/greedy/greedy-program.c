/* SPDX-License-Identifier: Apache-2.0 */

/* greedy-program WHAT KEY: the same as tests/greedy/greedy.c, as a program that a check runs. */

#include <stdlib.h>
#include <string.h>

#include "greedy.h"

int main(int argc, char **argv)
{
	struct greedy g = { .at = "/var/tmp" };
	greed *take;
	int r;

	if (argc != 3)
		return 2;
	g.key = (uint32_t)strtoul(argv[2], NULL, 10);
	take = find_greed(argv[1]);
	if (!take)
		return 2;
	r = take(&g);
	(void)printf("%s: %s %s\n", argv[1], r < 0 ? strerror(-r) : "taken", g.said);
	return r < 0;
}
