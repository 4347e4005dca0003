"""atterm: a console for an AT module, on a serial port or on a simulator of its own.
With a terminal as stdin it is a line editor, else it runs the lines of stdin as a script."""

import argparse
import asyncio
import os
import signal
import subprocess
import sys

from .console_port import ConsoleError, Port, Simulator, describe_ports
from .console_script import Script

_ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def _arguments(argv):
    parser = argparse.ArgumentParser(
        prog="atterm",
        description="Talk to an AT module: by hand, or with the lines of stdin as a script.",
        epilog="Options after -- go to atsim; they need --simulator.",
    )
    parser.add_argument("port", nargs="?", metavar="PORT", help="serial port, or the terminal of a running atsim")
    parser.add_argument("--baud", type=int, default=115200, help="baud rate of the port (default 115200)")
    parser.add_argument("--timestamps", action="store_true", help="show when each line came (F2 toggles it)")
    parser.add_argument("--simulator", action="store_true", help="start atsim and attach to it")
    parser.add_argument("--timeout", type=float, default=30, help="seconds a script waits for each answer (default 30)")
    own, options = argv, []
    if "--" in argv:
        own, options = argv[: argv.index("--")], argv[argv.index("--") + 1 :]
    arguments = parser.parse_args(own)
    if arguments.simulator and arguments.port:
        parser.error("either PORT or --simulator, not both")
    if options and not arguments.simulator:
        parser.error("options after -- are for atsim: add --simulator")
    arguments.options = options
    return arguments


def _script(port, arguments):
    script = Script(port, sys.stdin.fileno(), sys.stdout.fileno(), arguments.timeout)
    try:
        script.run(await_ready=arguments.simulator)
    finally:
        for note in script.notes:
            print(f"atterm: {note}", file=sys.stderr)


def _interactive(port, arguments, log):
    # The editor takes longer to import than a whole short script takes to run.
    from .catalog import load, own
    from .console_view import View

    simulator = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    simulator.add_argument("--commands")
    folder = simulator.parse_known_args(arguments.options)[0].commands
    commands = load() + (own(folder) if folder else [])

    async def run():
        # Within asyncio a signal must not raise wherever the loop happens to be.
        for number in _ENDING_SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, asyncio.current_task().cancel)
        await View(port, commands, arguments.timestamps, log).run()

    asyncio.run(run())


def _talk(arguments):
    interactive = sys.stdin.isatty()
    simulator = None
    port = None
    try:
        if arguments.simulator:
            # Messages of atsim would cut into the editor, so there the view shows them; a script lets them through.
            simulator = Simulator(arguments.options, stderr=subprocess.PIPE if interactive else None)
            arguments.port = simulator.wait_for_port(arguments.timeout)
        elif not arguments.port:
            raise ConsoleError(f"which PORT? {describe_ports()}")
        port = Port(arguments.port, arguments.baud, simulated=arguments.simulator)
        if interactive:
            _interactive(port, arguments, simulator and simulator.process.stderr)
        else:
            _script(port, arguments)
    except ConsoleError as error:
        raise ConsoleError((simulator and simulator.failure()) or str(error)) from None
    finally:
        if port:
            port.close()
        if simulator:
            simulator.stop()


def main(argv: list[str] | None = None) -> int:
    """Run the console; returns the exit status: 0, 1 after an error, 2 for wrong arguments (by SystemExit)."""
    arguments = _arguments(sys.argv[1:] if argv is None else argv)
    for number in _ENDING_SIGNALS:
        # An exception, so that the simulator is ended on the way out.
        signal.signal(number, lambda received, frame: sys.exit(128 + received))
    try:
        _talk(arguments)
    except ConsoleError as error:
        print(f"atterm: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
