#!/usr/bin/python3
"""Reads safetensors files as the format's specification says, and prints what is in them.

usage: read_safetensors.py FILE...

It shares nothing with Brume's own reader: it is there to check what Brume writes. For each file it
prints `metadata KEY VALUE` (the value as JSON) and `tensor NAME DTYPE SHAPE FIRST LAST`, separated
by tabs, in the header's order. Exit status: 0 all files are right, 3 one is not (standard error
says which and why).

Specification: https://github.com/huggingface/safetensors, README, sections "Format" and "Notes".
"""
import json
import struct
import sys

MAX_HEADER = 100_000_000
MAX_PRODUCT = 2**64
# dtype -> (bits an element, code of the struct module or None)
DTYPES = {
    "BOOL": (8, "?"), "U8": (8, "B"), "I8": (8, "b"), "U16": (16, "H"), "I16": (16, "h"),
    "U32": (32, "I"), "I32": (32, "i"), "U64": (64, "Q"), "I64": (64, "q"),
    "F16": (16, "e"), "F32": (32, "f"), "F64": (64, "d"), "BF16": (16, None), "C64": (64, None),
    "F8_E5M2": (8, None), "F8_E4M3": (8, None), "F8_E8M0": (8, None),
    "F6_E2M3": (6, None), "F6_E3M2": (6, None), "F4": (4, None),
}


class Refused(Exception):
    """The file is not what the specification says; the text says where."""


def unique(pairs):
    """A JSON object's members; a key may not come twice."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Refused("a key comes twice")
    return members


def constant(word):
    raise Refused(f"{word} is not JSON")


def natural(value):
    """JSON's true is an int to Python, but not a number to the format."""
    return type(value) is int and 0 <= value < MAX_PRODUCT


def parse_header(content):
    if len(content) < 8:
        raise Refused("shorter than the 8 bytes of the header's length")
    (length,) = struct.unpack("<Q", content[:8])
    if length > MAX_HEADER:
        raise Refused(f"the header's length {length} is above {MAX_HEADER}")
    if length > len(content) - 8:
        raise Refused(f"the header's length {length} is past the end of the file")
    text = content[8 : 8 + length]
    if not text.startswith(b"{"):
        raise Refused("the header does not begin with '{'")
    text = text.rstrip(b" ")
    if not text.endswith(b"}"):
        raise Refused("the header is followed by something other than spaces")
    try:
        header = json.loads(
            text.decode("utf-8"), object_pairs_hook=unique, parse_constant=constant
        )
    except (ValueError, RecursionError) as fault:
        raise Refused(f"the header is not JSON: {fault}") from fault
    return header, content[8 + length :]


def check_metadata(metadata):
    if type(metadata) is not dict:
        raise Refused("__metadata__ is not an object")
    for key, value in metadata.items():
        if type(value) is not str:
            raise Refused(f"__metadata__ {key!r} is not a string")


def check_tensor(name, entry, size):
    """Returns the tensor's offsets."""
    if type(entry) is not dict:
        raise Refused(f"{name!r} is not an object")
    for key in ("dtype", "shape", "data_offsets"):
        if key not in entry:
            raise Refused(f"{name!r} has no {key}")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if type(dtype) is not str or dtype not in DTYPES:
        raise Refused(f"{name!r} has the unknown dtype {dtype!r}")
    if type(shape) is not list or not all(natural(n) for n in shape):
        raise Refused(f"{name!r} has the shape {shape!r}")
    if type(offsets) is not list or len(offsets) != 2 or not all(natural(n) for n in offsets):
        raise Refused(f"{name!r} has the offsets {offsets!r}")
    begin, end = offsets
    if not begin <= end <= size:
        raise Refused(f"{name!r} lies at {begin}..{end} of {size} bytes")
    elements = 1
    for n in shape:
        elements *= n
        if elements >= MAX_PRODUCT:
            raise Refused(f"{name!r} has a shape whose product overflows")
    if elements * DTYPES[dtype][0] != (end - begin) * 8:
        raise Refused(f"{name!r}: {end - begin} bytes are not {dtype} {shape}")
    return begin, end


def check_layout(spans, size):
    """The tensors cover the buffer exactly."""
    at = 0
    for begin, end, name in sorted(spans):
        if begin != at:
            raise Refused(f"{name!r} begins at {begin}, not at {at}")
        at = end
    if at != size:
        raise Refused(f"{size - at} bytes follow the last tensor")


def first_and_last(dtype, raw):
    bits, code = DTYPES[dtype]
    if not raw or code is None:
        return "-", "-"
    return tuple(
        repr(struct.unpack("<" + code, part)[0]) for part in (raw[: bits // 8], raw[-bits // 8 :])
    )


def read(path):
    """Returns the lines to print."""
    with open(path, "rb") as file:
        header, data = parse_header(file.read())
    metadata = header.pop("__metadata__", {})
    check_metadata(metadata)
    spans = [(*check_tensor(name, entry, len(data)), name) for name, entry in header.items()]
    check_layout(spans, len(data))
    lines = [("metadata", key, json.dumps(value, ensure_ascii=False)) for key, value in metadata.items()]
    for begin, end, name in spans:
        dtype, shape = header[name]["dtype"], header[name]["shape"]
        ends = first_and_last(dtype, data[begin:end])
        lines.append(("tensor", name, dtype, json.dumps(shape), *ends))
    return lines


def main(paths):
    if not paths:
        sys.exit(__doc__)
    sys.stdout.reconfigure(encoding="utf-8")
    for path in paths:
        try:
            lines = read(path)
        except (Refused, OSError) as fault:
            print(f"{path}: {fault}", file=sys.stderr)
            sys.exit(3)
        for line in lines:
            print("\t".join(line))


main(sys.argv[1:])
