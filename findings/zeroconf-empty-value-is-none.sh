#!/bin/sh
# zeroconf 0.148.0: in the properties of a service "a=" is the same as "a": both have the value None. Expected was b""
# for "a=", as RFC 6763, section 6.4, tells an empty value from none. A key is also kept as it is written, so that "A=1"
# and "a=2" are two, where keys are the same in capitals (the first counts), and one without a key, "=x", is kept under
# "", where the section has it ignored.
#
# Output seen:
#   a {b'a': None}
#   a= {b'a': None}
#   a=1 a=2 {b'a': b'1'}
#   A=1 a=2 {b'A': b'1', b'a': b'2'}
#   =x {b'': b'x'}
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check zeroconf==0.148.0
cat > "$folder/read.py" <<'END'
from zeroconf import ServiceInfo

for text in ("a", "a=", "a=1 a=2", "A=1 a=2", "=x"):
    record = b"".join(bytes((len(part),)) + part.encode() for part in text.split(" "))
    print(text, ServiceInfo("_x._tcp.local.", "n._x._tcp.local.", port=1, properties=record).properties)
END
"$folder/venv/bin/python" "$folder/read.py" > "$folder/said"
cat "$folder/said"
cmp - "$folder/said" <<'END'
a {b'a': None}
a= {b'a': None}
a=1 a=2 {b'a': b'1'}
A=1 a=2 {b'A': b'1', b'a': b'2'}
=x {b'': b'x'}
END
