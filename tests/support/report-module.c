/* SPDX-License-Identifier: Apache-2.0 */
/* A report module for tests of the loader; what is wrong with it is told by -D. */
#include "model/report.h"

#ifndef MAGIC
#define MAGIC KC_REPORT_MAGIC
#endif
#ifndef SIZE
#define SIZE sizeof(struct kc_report)
#endif
#ifndef NAME
#define NAME "good"
#endif
#ifndef SYMBOL
#define SYMBOL kc_report_format
#endif

static int write_report(const struct kc_report *report, const struct kc_report_style *style,
			FILE *out, struct kc_err *err)
{
	return 0;
}

extern const struct kc_report_format SYMBOL;
__attribute__((visibility("default"))) const struct kc_report_format SYMBOL = {
	.magic = MAGIC,
	.size = SIZE,
	.name = NAME,
	.title = "for tests",
	.write = write_report,
};
