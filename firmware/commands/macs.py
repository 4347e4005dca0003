"""MAC addresses as commands have them: "aa:bb:cc:dd:ee:ff"."""

from firmware.at.messages import E_PARSE, ATError


def mac_bytes(text, index):
    """The six bytes of the parameter at a place; ATError for what is none."""
    try:
        mac = bytes.fromhex(text.replace(":", ""))
    except ValueError:
        mac = b""
    if len(mac) != 6 or len(text) != 17:
        raise ATError(E_PARSE, index)
    return mac


def mac_text(mac):
    """The text of six bytes."""
    return ":".join("%02x" % byte for byte in mac)
