#!/bin/sh
# What Brume writes, read by a reader of its own: the samples that tests/unit/test_safetensors.c left
# in $BUILD/tests/format, and the models that ship. The files in bad/, which Brume refuses, must be
# refused by this reader too.
set -u
BUILD=${BUILD:-build}
samples=$BUILD/tests/format
reader=tests/format/read_safetensors.py
failed=0

fail() {
    echo "$1"
    failed=1
}

# Joins its arguments with tabs, as the reader does.
row() {
    printf '%s' "$1"
    shift
    printf '\t%s' "$@"
    echo
}

# expect FILE: the reader prints what comes on standard input.
expect() {
    /usr/bin/python3 "$reader" "$1" >"$samples/found.txt" || fail "$1 is refused"
    diff - "$samples/found.txt" || fail "$1 holds something else"
}

if [ ! -e "$samples/single.safetensors" ]; then
    echo "$samples/single.safetensors is missing: run make test, which lets test_safetensors write it"
    exit 1
fi

expect "$samples/single.safetensors" <<EOF
$(row metadata kind '"brume.\"sample\" é"')
$(row metadata format '"1"')
$(row tensor z.weight F32 '[2, 3]' 0.10000000149011612 0.3333333432674408)
$(row tensor a.bias F32 '[3]' 0.10000000149011612 65504.0)
$(row tensor scale F32 '[]' -2.5 -2.5)
EOF
expect "$samples/half.safetensors" <<EOF
$(row metadata kind '"brume.\"sample\" é"')
$(row metadata format '"1"')
$(row tensor z.weight F16 '[2, 3]' 0.0999755859375 0.333251953125)
$(row tensor a.bias F16 '[3]' 0.0999755859375 65504.0)
$(row tensor scale F32 '[]' -2.5 -2.5)
EOF

refused=0
for file in "$samples"/bad/*; do
    [ -e "$file" ] || continue
    /usr/bin/python3 "$reader" "$file" >"$samples/found.txt" 2>&1
    [ $? -eq 3 ] || fail "$file is not refused: $(cat "$samples/found.txt")"
    refused=$((refused + 1))
done
[ "$refused" -ge 25 ] || fail "only $refused malformed files in $samples/bad"

models=0
for file in models/weights/*.safetensors; do
    [ -e "$file" ] || continue
    /usr/bin/python3 "$reader" "$file" >"$samples/found.txt" || fail "$file is refused"
    grep -q "$(row metadata kind '"brume.')" "$samples/found.txt" || fail "$file does not say its kind"
    grep -q "^tensor" "$samples/found.txt" || fail "$file has no tensors"
    # Numbers only, as safetensors_read_float takes them.
    awk -F '\t' '$1 == "tensor" && ($3 !~ /^F(16|32)$/ || $5 $6 ~ /nan|inf/) { print; bad = 1 }
                 END { exit bad }' "$samples/found.txt" || fail "$file has tensors that are no weights"
    models=$((models + 1))
done
rm -f "$samples/found.txt"
echo "2 samples and $models models read, $refused malformed files refused"
exit "$failed"
