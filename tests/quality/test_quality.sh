#!/bin/sh
# A quick guard of the model that ships: rain is as near to held-out rain as it was, and joins are
# not to be heard. Needs the recordings and the referee, which lie beside the repository where they
# are; tests/quality/measure_texture.py measures everything. BUILD is the folder of the programs.
set -u
model=models/weights/texture.safetensors
sounds=../shared/data/textures
measure=../shared/measure
for needed in "$model" "$sounds" "$measure/texture_distance.py"; do
    if [ ! -e "$needed" ]; then
        echo "$needed is not there"
        exit 77
    fi
done
case ${BUILD:-build} in
*asan | *tsan)
    echo "how it sounds does not depend on sanitizers"
    exit 77
    ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
/usr/bin/python3 tests/quality/measure_texture.py "$model" --sounds "$sounds" --measure "$measure" \
    --class rain --seeds 3 --referee-seeds 3 --quick --json "$work/figures.json" || exit 1
/usr/bin/python3 - "$work/figures.json" <<'PYTHON'
import json
import sys

rain = json.load(open(sys.argv[1]))["classes"]["rain"]
faults = []
if rain["total"]["mean"] > 1.25:
    faults.append("TOTAL is %.2f, over 1.25" % rain["total"]["mean"])
for name, z in rain["seams"].items():
    if abs(z["mean"]) > 3:
        faults.append("joins show: the mean z of the %s is %.1f" % (name, z["mean"]))
print("; ".join(faults))
sys.exit(bool(faults))
PYTHON
