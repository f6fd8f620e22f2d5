#!/bin/sh
# The rigs of ../shared/hosts, if they are there: the audio-thread checker in its modes, and with
# BRUME_RIGS=1 the slow ones, which need Ardour, JACK and jalv. BUILD is the folder that holds
# brume.lv2; BRUME_RIG_BLOCKS how many blocks are checked.
set -u
rigs=../shared/hosts
build=${BUILD:-build}
if [ ! -d "$rigs/rtcheck" ]; then
    echo "the rigs are not there"
    exit 77
fi
case $build in
*asan | *tsan)
    echo "the checker does not go with sanitizers"
    exit 77
    ;;
esac
work=$build/tests/rigs
rm -rf "$work"
mkdir -p "$work/bundles"
cp -r "$rigs/rtcheck" "$work"
chmod -R u+w "$work"
# A copy, not a link: the validators look at the real folder around the bundle.
cp -r "$build/brume.lv2" "$work/bundles/brume.lv2"
bash "$work/rtcheck/build.sh" || exit 1
LV2_PATH=$(realpath "$work/bundles"):/usr/lib/lv2
export LV2_PATH
failed=0

# check NAME ARGUMENTS...: times and faults of one run of the checker. Those at a sound card's pace
# give the generator and the worker time to do something; the others press hard.
check() {
    name=$1
    shift
    echo "== $name"
    timeout 600 "$work/rtcheck/rtcheck" --blocks "${BRUME_RIG_BLOCKS:-2000}" "$@" \
        urn:brume:brume >"$work/$name.txt" 2>&1 || failed=1
    grep -E '^(time|VIOLATION|NOTE|rtcheck:|RTCHECK|port (underruns|load))' "$work/$name.txt"
}

model=$(realpath "$build/tests/host/tiny/other.safetensors")
state=$(realpath "$work")/state
check plain --not-silent --save-state "$state"
check sweep --sweep
check inplace --inplace --sweep
check paced-64 --block 64 --pace --not-silent
check paced-sweep --max 256 --pace --sweep
check transform --block 64 --pace --set mode=2
check live-restore --max 256 --pace --live-restore --state "$state"
check patch --max 256 --pace --patch "urn:brume:brume#model=$model" \
    --patch 'urn:brume:brume#model=/nowhere.safetensors'

if [ "${BRUME_RIGS:-0}" = 1 ]; then
    sh tests/host/slow_rigs.sh "$rigs" "$work" || failed=1
fi
exit $failed
