#!/bin/sh
# Installs the system packages that tests use and that are missing, where that is allowed (root and
# apt-get). Elsewhere it names what is left out; the tests in question skip themselves.
set -u

# command      package    what is left out without it
needs="
node           nodejs     the tests with the real SDKs
npm            npm        the tests with the real SDKs
chromium       chromium   the tests of pages in a browser
"

missing=$(echo "$needs" | while read -r command package left_out; do
    [ -z "$command" ] || command -v "$command" >/dev/null || echo "$package $left_out"
done)
[ -n "$missing" ] || exit 0

packages=$(echo "$missing" | cut -d ' ' -f 1 | sort -u | tr '\n' ' ')
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086 # one word per package
    apt-get -qq update </dev/null &&
        apt-get -qq install --yes --no-install-recommends $packages </dev/null >/dev/null && exit 0
    echo "apt-get could not install: $packages"
fi
echo "$missing" | while read -r package left_out; do
    echo "Without the system package $package, left out: $left_out"
done
exit 0
