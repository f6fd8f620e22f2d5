#!/bin/sh
# Installs those of the named Debian packages that are missing; asks for root only then.
set -eu
missing=
for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null; then
    echo "deps: this is not Debian; please install what these packages hold:$missing" >&2
    exit 1
fi
root=
[ "$(id -u)" = 0 ] || root=sudo
echo "deps: installing$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of words
$root apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 || {
    $root apt-get update -qq
    $root apt-get install -y -qq --no-install-recommends $missing >/dev/null
}
