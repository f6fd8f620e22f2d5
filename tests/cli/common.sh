# What scripts that test the command have in common. One begins with
#
#     #!/bin/sh
#     # What it tests.
#     . tests/cli/common.sh
#
# is run from the repository's root, and ends with `finish`. What it makes lies in a folder of its own,
# where it stands from the third line on and where the command takes its home to be; that folder goes
# when the script ends, and so does what it has started and not stopped. Functions are told below.
#
# root, build, work   the repository, the folder of the programs (BUILD), the script's own folder
# brume               the command
# verb                words that `refuse` puts before its arguments: a script sets it
# limit               seconds that a command which is refused may take
# code                how `stop` and `collect` found that it had ended
# out.txt, err.txt    what was said by the command that a function has run or started last
#
# shellcheck shell=sh disable=SC2034 # those who source it use them
set -u
root=$PWD
build=$(realpath "${BUILD:-build}") || exit 1
brume=$build/brume
work=$(mktemp -d) || exit 1
verb=
limit=60
training=
failures=0

clear_up() {
    [ -z "$training" ] || kill "$training" 2>/dev/null
    rm -rf "$work"
}
trap clear_up EXIT
cd "$work" || exit 1
export HOME="$work" XDG_DATA_HOME="$work/data"
unset BRUME_MODELS
# Fontconfig keeps its caches until the process ends; a leak of ours still fails the test.
echo leak:libfontconfig >leaks.txt
export LSAN_OPTIONS="suppressions=$work/leaks.txt:print_suppressions=0"

# fail WORDS...: something is not as it should be; the script goes on, and fails at its end.
fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# skip WORDS...: there is nothing to test here, and that is why.
skip() {
    echo "$*"
    exit 77
}

# finish: the last line of a script.
finish() {
    exit $((failures > 0))
}

# exits CODE COMMAND...: it ends with CODE, in time, and no file has come or gone.
exits() {
    expected=$1
    shift
    touch out.txt err.txt
    before=$(find .)
    timeout "$limit" "$@" >out.txt 2>err.txt
    got=$?
    [ $got -eq "$expected" ] || fail "$*: exit code $got, not $expected: $(cat err.txt)"
    changed=$({ echo "$before" && find .; } | sort | uniq -u)
    [ -z "$changed" ] || fail "$*: files came or went: $changed"
}

# said: the lines of err.txt that count. A script whose commands warn as well defines its own.
said() {
    cat err.txt
}

# refuse_command CODE WORD COMMAND...: it exits with CODE, says WORD in its one line, and leaves nothing.
refuse_command() {
    expected=$1 word=$2
    shift 2
    exits "$expected" "$@"
    [ -s out.txt ] && fail "$*: wrote to standard output: $(cat out.txt)"
    [ "$(said | wc -l)" -eq 1 ] || fail "$*: not one line: $(cat err.txt)"
    said | grep -qF -e "$word" || fail "$*: \"$word\" is not in: $(cat err.txt)"
}

# refuse CODE WORD ARGUMENTS...: the same of brume with $verb and ARGUMENTS.
refuse() {
    expected=$1 word=$2
    shift 2
    # shellcheck disable=SC2086 # words
    refuse_command "$expected" "$word" "$brume" $verb "$@"
}

# limited BLOCKS FUNCTION...: one of those above, where no file may have more than so many blocks of 512 bytes.
limited() {
    (
        failures=0
        ulimit -f "$1" || exit 1
        shift
        "$@"
        finish
    ) || fail "with files of no more than $1 blocks"
}

# start COMMAND...: in the background. What waits for a line must not find it in what the command
# before has written, so that is gone first.
start() {
    rm -f out.txt err.txt
    "$@" >out.txt 2>err.txt &
    training=$!
}

# await COMMAND...: until it says yes, which it has to within five minutes, and before what was started ends.
await() {
    for _ in $(seq 3000); do
        "$@" && return
        kill -0 "$training" 2>/dev/null || break
        sleep 0.1
    done
    "$@" || fail "waited in vain: $*: $(cat out.txt err.txt)"
}

# collect: waits until what was started ends; sets code.
collect() {
    wait "$training"
    code=$? training=
}

# stop SIGNAL: the same, after this signal.
stop() {
    kill "-$1" "$training"
    collect
}

# tensors A B [PREFIX]: two models have the same tensors (whose names begin so), to the bit.
tensors() {
    /usr/bin/python3 "$root/tests/cli/tensors.py" "$@"
}
