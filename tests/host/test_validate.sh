#!/bin/sh
# The bundle's description against LV2's own rules, and what brume.so shows to a host's process: one
# symbol, no missing library, no executable stack. BUILD is the folder that holds brume.lv2.
set -u
bundle=${BUILD:-build}/brume.lv2
failed=0

symbols=$(nm -D --defined-only "$bundle/brume.so" | awk '$2 ~ /[TDBRVW]/ { print $3 }')
if [ "$symbols" != lv2_descriptor ]; then
    echo "brume.so exports:" $symbols
    failed=1
fi
if ldd -r "$bundle/brume.so" 2>&1 | grep -E 'not found|undefined' | grep -vE '__(asan|tsan|ubsan)'; then
    failed=1
fi
if readelf -lW "$bundle/brume.so" | grep -q 'GNU_STACK.*RWE'; then
    echo "brume.so asks for an executable stack"
    failed=1
fi
for file in brume.ttl manifest.ttl; do
    [ -s "$bundle/$file" ] || { echo "$bundle/$file is missing" && failed=1; }
done
grep -q "@[a-zA-Z]*@" "$bundle"/*.ttl "$bundle"/presets/*.ttl && failed=1
[ $failed = 0 ] || exit 1

if ! command -v lv2_validate >/dev/null; then
    echo "lv2_validate is not there (package lv2-dev, sordi)"
    exit 77
fi
lv2_validate "$bundle"/*.ttl "$bundle"/presets/*.ttl
