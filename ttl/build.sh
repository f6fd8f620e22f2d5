#!/bin/sh
# usage: build.sh BRUME MODEL BUNDLE: writes the bundle's manifest.ttl, brume.ttl and presets/*.ttl.
# BRUME is the command, which tells the names of MODEL's classes; in the sources @rain@ stands for the
# number of the class rain, @LAST@ for that of the last class, @POINTS@ for all of them.
set -eu
brume=$1 model=$2 bundle=$3
classes=$("$brume" info --json "$model" | tr -d '\\' |
    sed -n 's/.*"classes":\["\([^]]*\)"\].*/\1/p' | sed 's/","/ /g')
case $classes in
'' | *[!A-Za-z0-9_\ -]*)
    echo "ttl/build.sh: $model: no classes, or names other than letters and digits: $classes" >&2
    exit 1
    ;;
esac

# number CLASS: its place, or 0 if there is none of that name.
number() {
    n=0
    for class in $classes; do
        [ "$class" = "$1" ] && echo $n && return
        n=$((n + 1))
    done
    echo 0
}

points= program= last=-1
for class in $classes; do
    last=$((last + 1))
    label=$(echo "$class" | cut -c1 | tr '[:lower:]' '[:upper:]')$(echo "$class" | cut -c2- | tr _ ' ')
    points="$points${points:+ , }[ rdfs:label \"$label\" ; rdf:value $last ]"
    program="$program;s/@$class@/$last/g"
done
program="s/@RAIN@/$(number rain)/;s/@WAVES@/$(number waves)/;s/@LAST@/$last/;s/@POINTS@/$points/$program"

fill() {
    sed "$program" "$1" >"$2"
    if grep -n '@[A-Za-z_]*@' "$2" >&2; then
        rm -f "$2"
        echo "ttl/build.sh: $1 names a class that $model does not have (it has: $classes)" >&2
        exit 1
    fi
}

mkdir -p "$bundle/presets"
rm -f "$bundle"/presets/*.ttl
fill ttl/brume.ttl.in "$bundle/brume.ttl"
fill ttl/manifest.ttl.in "$bundle/manifest.ttl"
for source in presets/*.ttl.in; do
    preset=$(basename "$source" .ttl.in)
    fill "$source" "$bundle/presets/$preset.ttl"
    label=$(sed -n 's/^[[:space:]]*rdfs:label "\(.*\)" ;$/\1/p' "$source")
    cat >>"$bundle/manifest.ttl" <<END

<urn:brume:brume#preset-$preset>
	a pset:Preset ;
	lv2:appliesTo <urn:brume:brume> ;
	rdfs:label "$label" ;
	rdfs:seeAlso <presets/$preset.ttl> .
END
done
