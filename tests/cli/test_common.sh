#!/bin/sh
# tests/cli/common.sh: a script fails where something is not as it should be, says what, and leaves
# nothing behind.
. tests/cli/common.sh

# wrong WORDS...: ends this script, for what counts the others' faults is what is tested.
wrong() {
    echo "FAILED: $*"
    exit 1
}

# try CODE WORDS LINE: a script of this line exits with CODE and says WORDS; said.txt has all.
try() {
    printf '. tests/cli/common.sh\n%s\nfinish\n' "$3" >script.sh
    (cd "$root" && BUILD=$build sh "$work/script.sh") >said.txt 2>&1
    got=$?
    [ $got -eq "$1" ] || wrong "$3: exit code $got, not $1: $(cat said.txt)"
    grep -qF -e "$2" said.txt || wrong "$3: \"$2\" is not in: $(cat said.txt)"
}

cat >says.sh <<'SH'
# usage: says.sh CODE LINE...: says these lines, and exits.
code=$1
shift
printf '%s\n' "$@" >&2
exit "$code"
SH
bad="refuse_command 3 bad sh $work/says.sh"
try 0 fine "$bad 3 'it is bad'; echo fine"
try 1 'FAILED: sh' "$bad 2 'it is bad'"
try 1 'exit code 2, not 3: it is bad' "$bad 2 'it is bad'"
try 1 'exit code 0, not 3' "$bad 0 'it is bad'"
try 1 '"bad" is not in: it is good' "$bad 3 'it is good'"
try 1 'not one line: it is bad' "$bad 3 'it is bad' more"
try 0 fine "said() { grep -v more err.txt; }; $bad 3 'it is bad' more; echo fine"
bad="refuse_command 3 bad sh -c"
try 1 'wrote to standard output: 1' "$bad 'echo 1; echo bad >&2; exit 3'"
try 1 'files came or went: ./new' "$bad 'touch new; echo bad >&2; exit 3'"
try 1 'files came or went: ./leaks.txt' "$bad 'rm leaks.txt; echo bad >&2; exit 3'"
try 1 'exit code 124, not 3' "limit=1; $bad 'echo bad >&2; sleep 2; exit 3'"
try 0 fine 'verb=plot; refuse 2 FILE -o bad.png; echo fine'
try 1 'exit code 2, not 1' 'refuse 1 FILE plot -o bad.png'

# shellcheck disable=SC2016 # the script's
try 0 fine 'limited 3 exits 0 sh -c "[ \$(ulimit -f) = 3 ]"; echo fine'
try 1 'with files of no more than 3 blocks' 'limited 3 exits 1 true'

await='await grep -qs begun out.txt'
try 0 143 "start sh -c 'echo begun; exec sleep 60'; $await; stop TERM; echo \$code"
try 0 3 "start sh -c 'sleep 0.3; echo begun; exit 3'; $await; collect; echo \$code"
try 1 'waited in vain: grep -qs begun out.txt: other' "start sh -c 'echo other'; $await; collect"
try 1 'waited in vain' 'start echo begun; collect; start sleep 0.3; '"$await"

# shellcheck disable=SC2016 # the script's
try 1 FAILED 'fail one; fail two; start sleep 600; echo "left: $work $training"'
[ "$(grep -c FAILED said.txt)" -eq 2 ] || wrong "not all that failed: $(cat said.txt)"
read -r folder process <<END
$(sed -n 's/^left: //p' said.txt)
END
{ [ -n "$folder" ] && [ ! -e "$folder" ]; } || wrong "the script's folder is still there: $folder"
for _ in $(seq 50); do
    kill -0 "$process" 2>/dev/null || break
    sleep 0.1
done
kill -0 "$process" 2>/dev/null && wrong "what it has started still runs"
try 77 'no such thing' 'skip no such thing'

finish
