#!/bin/sh
# usage: libraries.sh BUILD: a table of what the command renders where the libraries, too, take the
# processor for a lesser one: glibc's mathematics by its tunables, OpenBLAS by its core type. Fails if a
# row that must be the same to the bit is not.
set -u
build=$(realpath "$1")
export BRUME_MODELS="$build/brume.lv2/models"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
less_avx512='-AVX512F,-AVX512VL,-AVX512BW,-AVX512CD,-AVX512DQ'
less_avx2="$less_avx512,-AVX2,-AVX,-FMA,-FMA4"

# sound NAME BRUME HWCAPS CORE: a texture, and an answer, into the files NAME.*
sound() {
    for job in texture melody; do
        case $job in
        texture) set -- "$1" "$2" "$3" "$4" render --seconds 4 --seed 7 --rate 48000 ;;
        melody) set -- "$1" "$2" "$3" "$4" continue tests/prompts/piano.flac --seconds 4 --seed 7 ;;
        esac
        name=$1 brume=$2 hwcaps=$3 core=$4
        shift 4
        env ${hwcaps:+"GLIBC_TUNABLES=glibc.cpu.hwcaps=$hwcaps"} ${core:+"OPENBLAS_CORETYPE=$core"} \
            "$brume" "$@" --quiet -o "$work/$name.$job.wav" || exit 1
        set -- "$name" "$brume" "$hwcaps" "$core"
    done
}

sound usual "$build/brume" '' ''
sound prescott "$build/brume" '' Prescott
sound haswell "$build/brume" '' Haswell
sound avx2 "$build/tests/exact/avx2/brume" "$less_avx512" Haswell
sound ssse3 "$build/tests/exact/ssse3/brume" "$less_avx2" Prescott
sound sse2 "$build/tests/exact/sse2/brume" "$less_avx2,-SSSE3,-SSE4_1,-SSE4_2" Prescott
/usr/bin/python3 - "$work" <<'PYTHON'
import sys

import numpy
import soundfile

work = sys.argv[1]
rows = [("prescott", "this machine's kernels, OpenBLAS as on a Prescott", True),
        ("haswell", "this machine's kernels, OpenBLAS as on a Haswell", True),
        ("avx2", "AVX2 and FMA, libraries too", False),
        ("ssse3", "SSSE3, libraries too", False),
        ("sse2", "SSE2, libraries too", False)]
print("\n## With the libraries of lesser processors\n\nThe difference from `brume render --seconds 4 --seed 7 "
      "--rate 48000` and\n`brume continue tests/prompts/piano.flac --seconds 4 --seed 7` as they are here.\n\n"
      "| sound | with | peak | power, dB beside the signal's |\n|---|---|---|---|")
failed = False
for job in ("texture", "melody"):
    usual = soundfile.read(f"{work}/usual.{job}.wav")[0]
    for name, what, exact in rows:
        sound = soundfile.read(f"{work}/{name}.{job}.wav")[0]
        wrong = sound - usual
        peak = numpy.abs(wrong).max()
        failed |= exact and peak > 0
        power = 10 * numpy.log10((wrong ** 2).sum() / (usual ** 2).sum()) if peak > 0 else None
        print(f"| {job} | {what} | {peak:.2g} | " +
              ("the same to the bit |" if power is None else f"{power:.1f} |"))
sys.exit(failed)
PYTHON
