#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What k8scheck says of units' enablement and presets, held against `systemctl --root`, over this machine's own
# units and variations of every kind. usage: test-systemctl-oracle.sh UNIT-STATE
set -eu

unit_state=$1
for need in systemctl /usr/lib/systemd/system/multi-user.target; do
	if ! command -v "$need" >/dev/null && ! [ -e "$need" ]; then
		echo "skipped: there is no $need here"
		exit 77
	fi
done

root=$(mktemp -d "${TMPDIR:-/tmp}/kc-systemctl-XXXXXX")
trap 'rm -rf "$root"' EXIT
etc=$root/etc/systemd/system
usr=$root/usr/lib/systemd/system
local=$root/usr/local/lib/systemd/system
control=$root/etc/systemd/system.control
wants=$etc/multi-user.target.wants

mkdir -p "$etc" "$local" "$control" "$wants" "$root/opt" "$root/usr/lib/systemd"
cp -a /usr/lib/systemd/system "$usr"
[ ! -d /usr/lib/systemd/system-preset ] || cp -a /usr/lib/systemd/system-preset "$root/usr/lib/systemd/"
ln -s usr/lib "$root/lib"
mkdir -p "$usr/multi-user.target.wants" "$local/multi-user.target.wants"

# unit FILE [INSTALL-LINE...]
unit() {
	file=$1
	shift
	printf '[Service]\nExecStart=/bin/true\n' >"$file"
	[ $# -eq 0 ] || printf '[Install]\n' >>"$file"
	for line; do printf '%s\n' "$line" >>"$file"; done
}
wanted=WantedBy=multi-user.target

unit "$usr/dis.service" $wanted
unit "$usr/ena.service" $wanted
ln -s /usr/lib/systemd/system/ena.service "$wants/"
unit "$usr/rel.service" $wanted
ln -s ../../../../usr/lib/systemd/system/rel.service "$wants/"
# masks
for name in mask maskempty maskrel maskcontrol maskchain; do unit "$usr/$name.service" $wanted; done
ln -s /dev/null "$etc/mask.service"
: >"$etc/maskempty.service"
ln -s ../../../dev/null "$etc/maskrel.service"
ln -s /dev/null "$control/maskcontrol.service"
ln -s /opt/null "$etc/maskchain.service"
ln -s /dev/null "$root/opt/null"
# aliases
for name in real real3 real4 via selflink samelink; do unit "$usr/$name.service" $wanted; done
unit "$usr/real2.service" $wanted Alias=alias2.service
ln -s /usr/lib/systemd/system/real.service "$etc/alias1.service"
ln -s /usr/lib/systemd/system/real2.service "$etc/alias2.service"
ln -s real3.service "$usr/alias3.service"
ln -s /usr/lib/systemd/system/alias3.service "$wants/"
ln -s real4.service "$usr/alias4.service"
ln -s /usr/lib/systemd/system/real4.service "$wants/alias4.service"
ln -s via.service "$etc/via1.service"
ln -s via1.service "$etc/via2.service"
ln -s selflink.service "$etc/selflink.service"
ln -s /usr/lib/systemd/system/samelink.service "$etc/samelink.service"
ln -s loopb.service "$etc/loopa.service"
ln -s loopa.service "$etc/loopb.service"
ln -s /usr/lib/systemd/system/ena.service "$etc/wrongtype.socket"
ln -s /usr/lib/systemd/system/gone.service "$etc/dangling.service"
unit "$usr/a\\x2db.service" $wanted 'Alias=c\x2dd.service'
ln -s '/usr/lib/systemd/system/a\x2db.service' "$etc/c\\x2dd.service"
printf '[Install]\nWantedBy=multi-user.target\n' >"$usr/mnt-x.mount"
ln -s mnt-x.mount "$usr/mnt-y.mount"
# linked in
unit "$root/opt/linked.service" $wanted
ln -s /opt/linked.service "$etc/"
unit "$root/opt/linkedena.service" $wanted
ln -s /opt/linkedena.service "$etc/"
ln -s /opt/linkedena.service "$wants/"
ln -s /opt/missing.service "$etc/missing.service"
unit "$root/opt/other.service" $wanted
ln -s /opt/other.service "$etc/renamed.service"
# static, indirect
unit "$usr/stat.service"
unit "$usr/statwant.service"
ln -s ../statwant.service "$usr/multi-user.target.wants/"
unit "$usr/statetc.service"
ln -s /usr/lib/systemd/system/statetc.service "$wants/"
unit "$usr/also.service" Also=ena.service
unit "$usr/def.service" Also=ena.service DefaultInstance=x
# templates
unit "$usr/tmpl@.service" $wanted DefaultInstance=one
ln -s /usr/lib/systemd/system/tmpl@.service "$wants/tmpl@one.service"
unit "$usr/tmpl2@.service" $wanted
ln -s /usr/lib/systemd/system/tmpl2@.service "$wants/tmpl2@two.service"
ln -s tmpl2@.service "$usr/tmplalias@.service"
unit "$usr/tmpl3@.service" $wanted
ln -s ../tmpl3@.service "$usr/multi-user.target.wants/tmpl3@x.service"
unit "$usr/tmpl4@.service" $wanted
unit "$usr/tmpl4@own.service"
# drop-ins with [Install]
unit "$usr/drop.service"
mkdir "$etc/drop.service.d"
printf '[Install]\nWantedBy=multi-user.target\n' >"$etc/drop.service.d/i.conf"
unit "$usr/dropreset.service" $wanted
mkdir "$etc/dropreset.service.d"
printf '[Install]\nWantedBy=\n' >"$etc/dropreset.service.d/i.conf"
# folders against each other
unit "$usr/over.service" $wanted
unit "$local/over.service"
unit "$usr/overetc.service"
unit "$etc/overetc.service" $wanted
unit "$usr/ctl.service" $wanted
mkdir "$control/multi-user.target.wants"
ln -s /usr/lib/systemd/system/ctl.service "$control/multi-user.target.wants/"
unit "$usr/vendor.service" $wanted
ln -s ../vendor.service "$usr/multi-user.target.wants/"
unit "$usr/vendorlocal.service" $wanted
ln -s /usr/lib/systemd/system/vendorlocal.service "$local/multi-user.target.wants/"
# text
printf '[Service\n[Install]\nWantedBy=multi-user.target\n' >"$usr/badheader.service"
printf '[Install]\nWantedBy=\377\n' >"$usr/badutf8.service"
printf '\357\273\277[Install]\r\nWantedBy=multi-user.target\r\n' >"$usr/bomcrlf.service"
printf '[Install]\nWantedBy= \\\n# comment\n multi-user.target\n' >"$usr/continued.service"
mkdir "$usr/dir.service"
# odd links
unit "$usr/required.service" RequiredBy=foo.service
mkdir "$etc/foo.service.requires"
ln -s /usr/lib/systemd/system/required.service "$etc/foo.service.requires/"
unit "$usr/linkdir.service" $wanted
mkdir "$root/opt/wants"
ln -s /usr/lib/systemd/system/linkdir.service "$root/opt/wants/"
ln -s /opt/wants "$etc/graphical.target.wants"
unit "$usr/wantsfile.service" $wanted
cp "$usr/wantsfile.service" "$wants/"
unit "$usr/wantsnull.service" $wanted
ln -s /dev/null "$wants/wantsnull.service"
unit "$usr/wantsdangling.service" $wanted
ln -s /nowhere "$wants/wantsdangling.service"

# Every name in the folders, and some that are not there.
names=$(for dir in "$etc" "$usr" "$local" "$control"; do ls "$dir"; done |
	grep -E '\.(service|socket|target|mount|automount|swap|timer|path|slice)$' | sort -u)
names="$names getty@tty1.service getty@tty9.service tmpl@one.service tmpl@two.service tmpl2@two.service
	tmpl3@x.service tmplalias@two.service tmplalias@x.service nosuch.service"

for name in $names; do
	state=$(systemctl --root="$root" is-enabled "$name" 2>/dev/null) || [ -n "$state" ] || state=error
	echo "$name $state"
done >"$root/theirs"
# shellcheck disable=SC2086
"$unit_state" "$root" enablement $names | sed 's/ \(bad\|not-found\)$/ error/' >"$root/ours"
count=$(wc -l <"$root/ours")
[ "$count" -gt 100 ]
grep -q ' masked$' "$root/theirs" && grep -q ' linked$' "$root/theirs"
# What a name of systemd before 251 is cannot be compared where it judged such links otherwise.
version=$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
if [ "$version" -lt 252 ]; then
	for file in theirs ours; do
		grep -vE '^(renamed|samelink|selflink|real4|alias4|wants[a-z]*|statetc)\.service ' "$root/$file" >"$root/$file.old"
		mv "$root/$file.old" "$root/$file"
	done
fi
diff -u "$root/theirs" "$root/ours"
echo "$count units: the same enablement as systemctl"

# Presets, as list-unit-files shows them; units without a rule are enabled by them.
mkdir -p "$root/etc/systemd/system-preset"
printf 'enable tmpl4@.service a b\ndisable *\n' >"$root/usr/lib/systemd/system-preset/80-z.preset"
printf '# comment\nenable dis*.service\ndisable over.service\nenable over.service\nenablenot x.service\n' \
	>"$root/etc/systemd/system-preset/10-a.preset"
ln -s /dev/null "$root/etc/systemd/system-preset/90-systemd.preset"
systemctl --root="$root" list-unit-files --no-legend --no-pager |
	awk '$3 == "enabled" || $3 == "disabled" { print $1, $3 }' | sort >"$root/theirs"
if [ -s "$root/theirs" ]; then
	# shellcheck disable=SC2046
	"$unit_state" "$root" preset $(cut -d' ' -f1 "$root/theirs") | sed 's/ -$/ enabled/' >"$root/ours"
	diff -u "$root/theirs" "$root/ours"
	echo "$(wc -l <"$root/ours") units: the same presets as systemctl"
fi
