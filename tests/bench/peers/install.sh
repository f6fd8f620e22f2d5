#!/bin/sh
# usage: install.sh BUILD: installs what tests/bench/peers compares with, where it can: torch and onnx from
# Debian, onnxruntime for Node into BUILD/peers. What cannot be had is left out of the tables; nothing else
# needs any of it.
set -u
peers=$1/peers
python=/usr/bin/python3
for module in torch onnx; do
    $python -c "import $module" 2>/dev/null || sh tests/deps.sh "python3-$module" >&2 ||
        echo "bench: $module cannot be installed" >&2
done
command -v npm >/dev/null || sh tests/deps.sh nodejs npm >&2 || echo "bench: node cannot be installed" >&2
# Without the package's scripts: its library for processors lies in it, only those for graphics cards do not.
if command -v npm >/dev/null && [ ! -d "$peers/node_modules/onnxruntime-node" ]; then
    mkdir -p "$peers"
    npm install --ignore-scripts --no-audit --no-fund --prefix "$peers" onnxruntime-node >&2 ||
        echo "bench: onnxruntime-node cannot be installed" >&2
fi
exit 0
