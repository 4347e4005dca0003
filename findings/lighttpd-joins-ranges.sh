#!/bin/sh
# lighttpd 1.4.69 (Debian 12, lighttpd 1.4.69-1): who asks for two ranges that are near to each other gets one, with the
# bytes between them that nobody asked for, and not the multipart/byteranges that two ranges far from each other get. A
# client of HTTP/1.0 that asks for a range gets the whole file. Expected were two parts, and a 206 in either version, as
# from nginx. Both are allowed (RFC 9110, sections 14.2 and 15.3.7.2); a client has to look at Content-Range.
#
# Output seen:
#   1.1 bytes=0-0,5-9 206 bytes 0-9/1000
#   1.1 bytes=0-0,500-509 206 multipart/byteranges
#   1.1 bytes=900- 206 bytes 900-999/1000
#   1.0 bytes=900- 200 None
set -eu
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
apt-get download -qq lighttpd=1.4.69-1 libpcre2-8-0 libxxhash0 libnettle8 libhogweed6 libgmp10 2>"$folder/apt.log" ||
    { cat "$folder/apt.log" >&2; exit 1; }
for package in *.deb; do dpkg-deb -x "$package" root; done
python3 -c 'print("x" * 1000, end="")' > file
cat > ask.py <<'END'
import http.client
import pathlib
import socket
import sys
import time

if sys.argv[1:] == ["port"]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        print(free.getsockname()[1])
    sys.exit()
port = int(pathlib.Path("port").read_text())
for _ in range(100):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        break
    except ConnectionRefusedError:
        time.sleep(0.05)
asked = (11, "bytes=0-0,5-9"), (11, "bytes=0-0,500-509"), (11, "bytes=900-"), (10, "bytes=900-")
for version, ranges in asked:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection._http_vsn, connection._http_vsn_str = version, f"HTTP/1.{version % 10}"
    connection.request("GET", "/file", headers={"Range": ranges, "Connection": "close"})
    answer = connection.getresponse()
    kind = answer.getheader("Content-Type", "").split(";")[0]
    part = kind if kind.startswith("multipart") else answer.getheader("Content-Range")
    print(f"1.{version % 10}", ranges, answer.status, part)
END
python3 ask.py port > port
printf 'server.document-root = "%s"\nserver.bind = "127.0.0.1"\nserver.port = %s\n' "$folder" "$(cat port)" > conf
libraries=$(echo "$folder"/root/usr/lib/*-linux-gnu)
LD_LIBRARY_PATH=$libraries root/usr/sbin/lighttpd -D -m root/usr/lib/lighttpd -f conf 2>log &
server=$!
python3 ask.py > said
cat said
cmp - said <<'END'
1.1 bytes=0-0,5-9 206 bytes 0-9/1000
1.1 bytes=0-0,500-509 206 multipart/byteranges
1.1 bytes=900- 206 bytes 900-999/1000
1.0 bytes=900- 200 None
END
