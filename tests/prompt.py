"""MicroPython's prompt at the module's terminal, for the tests that work there with the real mpremote."""

import subprocess
import sys

from module import LIMIT


def to_the_prompt(module):
    module.send("AT+MPYREPL")
    module.match(r".*OK\r\nMicroPython .*?\r\n>>> ")


def mpremote(module, *words):
    """Runs mpremote on the module's terminal, which it has for itself meanwhile; returns what it prints."""
    module.close()
    command = [sys.executable, "-m", "mpremote", "connect", module.port, *map(str, words)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    assert result.returncode == 0, result.stdout + result.stderr
    module.open()
    return result.stdout
