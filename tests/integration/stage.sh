#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the build into a folder of its own, where the other tests find a whole k8scheck: SOURCE BUILD STAGE.
set -eu
rm -rf "$3"
DESTDIR="$3" meson install -C "$2" --no-rebuild --quiet >/dev/null
test -x "$3$4/k8scheck"
echo "installed into $3"
