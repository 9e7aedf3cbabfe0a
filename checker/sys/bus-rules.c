/* SPDX-License-Identifier: Apache-2.0 */
#include "bus-rules.h"
#include "base/str.h"

enum {
	MAX_ARGUMENTS = 4,
	MAX_ARGUMENT = 4096,
	MAX_PATH = 1024,
};

/* Every member is only read by these; none of them starts, loads or changes anything. */
static const char *const manager_properties[] = {
	"Architecture",
	"ConfidentialVirtualization",
	"ConfirmSpawn",
	"ControlGroup",
	"DefaultLimitNOFILE",
	"DefaultLimitNPROC",
	"DefaultTasksMax",
	"Features",
	"NFailedJobs",
	"NFailedUnits",
	"NJobs",
	"NNames",
	"SystemState",
	"Tainted",
	"UnitPath",
	"UserspaceTimestamp",
	"Version",
	"Virtualization",
	NULL,
};

static const char *const unit_properties[] = {
	"ActiveEnterTimestamp",
	"ActiveState",
	"After",
	"Before",
	"BindsTo",
	"ConditionResult",
	"Conflicts",
	"Description",
	"DropInPaths",
	"FragmentPath",
	"Following",
	"Id",
	"LoadError",
	"LoadState",
	"Names",
	"NeedDaemonReload",
	"PartOf",
	"RequiredBy",
	"Requires",
	"Requisite",
	"SourcePath",
	"SubState",
	"UnitFilePreset",
	"UnitFileState",
	"WantedBy",
	"Wants",
	NULL,
};

static const char *const service_properties[] = {
	"CPUAccounting", "ControlGroup",     "Delegate",    "ExecMainCode",
	"ExecMainPID",	 "ExecMainStatus",   "GID",	    "KillMode",
	"LimitCORE",	 "LimitMEMLOCK",     "LimitNOFILE", "LimitNPROC",
	"MainPID",	 "MemoryAccounting", "NRestarts",   "OOMScoreAdjust",
	"PIDFile",	 "Restart",	     "Result",	    "Slice",
	"StatusText",	 "TasksMax",	     "Type",	    "UID",
	"User",		 "WatchdogUSec",     NULL,
};

static const char *const socket_properties[] = { "Listen", "NAccepted", "NConnections", "Result",
						 NULL };
static const char *const mount_properties[] = {
	"Options", "Result", "Type", "What", "Where", NULL
};
static const char *const swap_properties[] = { "Options", "Priority", "Result", "What", NULL };

static const char *const firewalld_properties[] = {
	"IPSet", "IPv4", "IPv6", "interface_version", "state", "version", NULL,
};

static const char *const hostname_properties[] = {
	"Chassis",
	"DefaultHostname",
	"Deployment",
	"Hostname",
	"HostnameSource",
	"KernelName",
	"KernelRelease",
	"OperatingSystemCPEName",
	"OperatingSystemPrettyName",
	"StaticHostname",
	NULL,
};

static const char *const timedate_properties[] = {
	"CanNTP", "LocalRTC", "NTP", "NTPSynchronized", "TimeUSec", "Timezone", NULL,
};

static const char *const resolve_properties[] = {
	"DNSOverTLS",	   "DNSSEC",	     "DNSSECSupported",
	"DNSStubListener", "LLMNR",	     "LLMNRHostname",
	"MulticastDNS",	   "ResolvConfMode", NULL,
};

struct rule {
	uint8_t service; /* enum kc_bus_service */
	uint8_t n_args; /* of methods */
	bool below; /* `path` is a folder of objects, else the object */
	const char *path, *interface;
	const char *const *properties; /* or, when NULL: */
	const char *method;
};

static const char *const service_names[KC_BUS_SERVICE_MAX] = {
	[KC_BUS_SYSTEMD] = KC_SYSTEMD_NAME,
	[KC_BUS_DAEMON] = "org.freedesktop.DBus",
	[KC_BUS_FIREWALLD] = "org.fedoraproject.FirewallD1",
	[KC_BUS_HOSTNAMED] = "org.freedesktop.hostname1",
	[KC_BUS_TIMEDATED] = "org.freedesktop.timedate1",
	[KC_BUS_RESOLVED] = "org.freedesktop.resolve1",
};

#define UNITS	  KC_SYSTEMD_PATH "/unit/"
#define DAEMON	  "/org/freedesktop/DBus"
#define FIREWALL  "/org/fedoraproject/FirewallD1"
#define FIREWALLD "org.fedoraproject.FirewallD1"

/* clang-format off */
static const struct rule rules[] = {
	{ KC_BUS_SYSTEMD, 0, false, KC_SYSTEMD_PATH, KC_SYSTEMD_MANAGER, manager_properties, NULL },
	{ KC_BUS_SYSTEMD, 1, false, KC_SYSTEMD_PATH, KC_SYSTEMD_MANAGER, NULL, "GetUnit" },
	{ KC_BUS_SYSTEMD, 1, false, KC_SYSTEMD_PATH, KC_SYSTEMD_MANAGER, NULL, "GetUnitFileState" },
	{ KC_BUS_SYSTEMD, 0, false, KC_SYSTEMD_PATH, KC_SYSTEMD_MANAGER, NULL, "GetDefaultTarget" },
	{ KC_BUS_SYSTEMD, 0, true, UNITS, KC_SYSTEMD_UNIT, unit_properties, NULL },
	{ KC_BUS_SYSTEMD, 0, true, UNITS, KC_SYSTEMD_NAME ".Service", service_properties, NULL },
	{ KC_BUS_SYSTEMD, 0, true, UNITS, KC_SYSTEMD_NAME ".Socket", socket_properties, NULL },
	{ KC_BUS_SYSTEMD, 0, true, UNITS, KC_SYSTEMD_NAME ".Mount", mount_properties, NULL },
	{ KC_BUS_SYSTEMD, 0, true, UNITS, KC_SYSTEMD_NAME ".Swap", swap_properties, NULL },
	{ KC_BUS_DAEMON, 1, false, DAEMON, "org.freedesktop.DBus", NULL, "GetNameOwner" },
	{ KC_BUS_DAEMON, 1, false, DAEMON, "org.freedesktop.DBus", NULL, "NameHasOwner" },
	{ KC_BUS_DAEMON, 0, false, DAEMON, "org.freedesktop.DBus", NULL, "ListNames" },
	{ KC_BUS_DAEMON, 0, false, DAEMON, "org.freedesktop.DBus", NULL, "ListActivatableNames" },
	{ KC_BUS_FIREWALLD, 0, false, FIREWALL, FIREWALLD, firewalld_properties, NULL },
	{ KC_BUS_FIREWALLD, 0, false, FIREWALL, FIREWALLD, NULL, "getDefaultZone" },
	{ KC_BUS_FIREWALLD, 0, false, FIREWALL, FIREWALLD, NULL, "listServices" },
	{ KC_BUS_FIREWALLD, 0, false, FIREWALL, FIREWALLD ".zone", NULL, "getZones" },
	{ KC_BUS_FIREWALLD, 0, false, FIREWALL, FIREWALLD ".zone", NULL, "getActiveZones" },
	{ KC_BUS_FIREWALLD, 1, false, FIREWALL, FIREWALLD ".zone", NULL, "getZoneOfInterface" },
	{ KC_BUS_FIREWALLD, 1, false, FIREWALL, FIREWALLD ".zone", NULL, "getInterfaces" },
	{ KC_BUS_FIREWALLD, 1, false, FIREWALL, FIREWALLD ".zone", NULL, "getSources" },
	{ KC_BUS_FIREWALLD, 1, false, FIREWALL, FIREWALLD ".zone", NULL, "getServices" },
	{ KC_BUS_FIREWALLD, 1, false, FIREWALL, FIREWALLD ".zone", NULL, "getPorts" },
	{ KC_BUS_FIREWALLD, 1, false, FIREWALL, FIREWALLD ".zone", NULL, "queryMasquerade" },
	{ KC_BUS_FIREWALLD, 2, false, FIREWALL, FIREWALLD ".zone", NULL, "queryService" },
	{ KC_BUS_FIREWALLD, 3, false, FIREWALL, FIREWALLD ".zone", NULL, "queryPort" },
	{ KC_BUS_HOSTNAMED, 0, false, "/org/freedesktop/hostname1", "org.freedesktop.hostname1",
	  hostname_properties, NULL },
	{ KC_BUS_TIMEDATED, 0, false, "/org/freedesktop/timedate1", "org.freedesktop.timedate1",
	  timedate_properties, NULL },
	{ KC_BUS_RESOLVED, 0, false, "/org/freedesktop/resolve1",
	  "org.freedesktop.resolve1.Manager", resolve_properties, NULL },
};
/* clang-format on */

static bool path_matches(const struct rule *rule, const char *path)
{
	const char *name = kc_after_prefix(path, rule->path);

	if (!name)
		return false;
	if (!rule->below)
		return *name == '\0';
	/* One more component, of the characters that object paths have. */
	return *name != '\0' && strlen(path) < MAX_PATH &&
	       name[strspn(name,
			   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] ==
		       '\0';
}

static bool rule_matches(const struct rule *rule, const struct kc_strings *strings, bool property)
{
	const char *const *s = strings->item;

	if (!kc_streq(service_names[rule->service], s[0]) || !kc_streq(rule->interface, s[2]) ||
	    !path_matches(rule, s[1]))
		return false;
	return property ? kc_strv_has(rule->properties, s[3]) : kc_streq0(rule->method, s[3]);
}

/* Arguments are names; anything that a bus would refuse as a string is refused here. */
static bool argument_is_valid(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < ' ' || (unsigned char)s[i] >= 0x7f)
			return false;
	return n <= MAX_ARGUMENT;
}

static int check_arguments(const struct rule *rule, const struct kc_strings *strings, bool property,
			   struct kc_err *err)
{
	size_t n = strings->n - 4, wanted = property ? 0 : rule->n_args;

	if (n != wanted)
		return kc_err_set(err, -EINVAL, "%s.%s takes %zu arguments, not %zu",
				  strings->item[2], strings->item[3], wanted, n);
	for (size_t i = 4; i < strings->n; i++)
		if (!argument_is_valid(strings->item[i]))
			return kc_err_set(
				err, -EINVAL,
				"%s.%s: an argument is not printable text of at most %d bytes",
				strings->item[2], strings->item[3], MAX_ARGUMENT);
	if (rule->service == KC_BUS_SYSTEMD && n == 1 &&
	    kc_unit_name_check(strings->item[4]) == KC_UNIT_NAME_INVALID)
		return kc_err_set(err, -EINVAL, "\"%s\" is not the name of a unit",
				  strings->item[4]);
	return 0;
}

int kc_bus_allowed(const struct kc_strings *strings, bool property, struct kc_err *err,
		   enum kc_bus_service *ret_service)
{
	if (strings->n < 4 || strings->n > 4 + MAX_ARGUMENTS)
		return kc_err_set(err, -EINVAL,
				  "a question to the bus has a destination, a path, an "
				  "interface, a member and at most %d arguments",
				  MAX_ARGUMENTS);
	for (size_t i = 0; i < KC_ARRAY_SIZE(rules); i++) {
		int r;

		if (!rule_matches(&rules[i], strings, property))
			continue;
		r = check_arguments(&rules[i], strings, property, err);
		if (r < 0)
			return r;
		*ret_service = rules[i].service;
		return 0;
	}
	return kc_err_set(err, -EPERM,
			  "the %s %.200s.%.200s of %.200s at %.200s is not among those that "
			  "may be asked on the bus",
			  property ? "property" : "method", strings->item[2], strings->item[3],
			  strings->item[0], strings->item[1]);
}

/* The types of units, with the interface that has Result where they have one. */
static const struct {
	const char *suffix, *result;
} unit_types[] = {
	{ "service", KC_SYSTEMD_NAME ".Service" },
	{ "socket", KC_SYSTEMD_NAME ".Socket" },
	{ "target", NULL },
	{ "device", NULL },
	{ "mount", KC_SYSTEMD_NAME ".Mount" },
	{ "automount", KC_SYSTEMD_NAME ".Automount" },
	{ "swap", KC_SYSTEMD_NAME ".Swap" },
	{ "timer", KC_SYSTEMD_NAME ".Timer" },
	{ "path", KC_SYSTEMD_NAME ".Path" },
	{ "slice", NULL },
	{ "scope", KC_SYSTEMD_NAME ".Scope" },
};

static int find_unit_type(const char *name)
{
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && dot != name && i < KC_ARRAY_SIZE(unit_types); i++)
		if (kc_streq(dot + 1, unit_types[i].suffix))
			return (int)i;
	return -ENOENT;
}

enum kc_unit_name kc_unit_name_check(const char *name)
{
	const char *at = strchr(name, '@');
	const char *dot = strrchr(name, '.');
	size_t n;

	if (strlen(name) >= KC_UNIT_NAME_SIZE || find_unit_type(name) < 0)
		return KC_UNIT_NAME_INVALID;
	n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@");
	if (name[n] != '\0' || at == name)
		return KC_UNIT_NAME_INVALID;
	return at && at + 1 == dot ? KC_UNIT_NAME_TEMPLATE : KC_UNIT_NAME_PLAIN;
}

const char *kc_unit_result_interface(const char *name)
{
	int i = find_unit_type(name);

	return i < 0 ? NULL : unit_types[i].result;
}

/* Lower case alone, as systemd escapes paths: a unit has one path that is allowed, and no second.
 */
static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -EINVAL;
}

int kc_unit_name_of_path(const char *path, char name[KC_UNIT_NAME_SIZE])
{
	const char *p = kc_after_prefix(path, UNITS);
	size_t n = 0;

	if (!p)
		return 0;
	for (; *p && n + 1 < KC_UNIT_NAME_SIZE; p++) {
		int high, low;

		if (*p != '_') {
			name[n++] = *p;
			continue;
		}
		high = hex_digit(p[1]);
		low = high < 0 ? high : hex_digit(p[2]);
		if (low < 0)
			return -EINVAL;
		name[n++] = (char)(high << 4 | low);
		p += 2;
	}
	name[n] = '\0';
	return *p || kc_unit_name_check(name) != KC_UNIT_NAME_PLAIN ? -EINVAL : 1;
}
