# Runs first, on the chip and in the simulator: finds the slot that the firmware is started from, and leaves in `news`
# what main.py has to know of it. What belongs to the board alone goes into /board.json.
import os
import sys

import machine


def choose():
    # /slot has five words: the slot in use, 0 or 1; how often it may have been started without reaching `ready`, 0 once
    # it has; 1 if the host is to hear that it came back; the versions in both slots, - where no whole firmware is.
    # Where the slots belong to different images of MicroPython, the labels of the partitions with those follow.
    try:
        with open("/slot") as file:
            state = file.read(99).split()
        slot, tries, news = [int(word) for word in state[:3]]
        if slot >> 1 or len(state) not in (5, 7):
            raise ValueError
        if len(state) > 5 and state[4 - slot] != "-" and runs(state[6 - slot]):
            tries = 3  # the bootloader went back, or was not told to go on before the power went
    except (OSError, ValueError):  # there was no update yet, or the file is damaged
        slot = tries = news = 0
    if slot or not (there("") or there("/rom")):
        mount()
        if there("/b"):
            sys.path[:] = ["/b"] + [place for place in sys.path if "/rom" not in place]
        if bool(slot) != (sys.path[0] == "/b"):
            return 1
    return (lambda: begin(state, slot, tries)) if tries else news


def there(place):
    try:
        return os.stat(place + "/firmware/app.mpy")
    except OSError:
        return None


def mount():
    # With ROMFS slot 1 is the second half of its partition, otherwise the folder /b.
    try:
        import vfs

        rom = vfs.rom_ioctl(2, 0)
        vfs.mount(vfs.VfsRom(memoryview(rom)[len(rom) // 2 :]), "/b")
    except (ImportError, AttributeError, TypeError, OSError):
        pass


def runs(label, brings=False):
    # Whether this image of MicroPython is running. `brings`: it was `ready` before, and is to be started from now on;
    # mostly the bootloader has seen to that already.
    try:
        from esp32 import Partition

        if brings:
            if Partition(Partition.BOOT).info()[4] != label:
                Partition(label).set_boot()
            Partition.mark_app_valid_cancel_rollback()
        return Partition(Partition.RUNNING).info()[4] == label
    except (ImportError, OSError):  # it is not there any more
        return False


def begin(state, slot, tries):
    # Counts a start that has not reached `ready`. The third one brings the other slot back, and one that hangs ends
    # after a while.
    back = tries > 2
    state[1] = str(tries + 1)
    if back:
        if len(state) > 5:
            runs(state[6 - slot], True)
        state[:3] = str(1 - slot), "0", "1"
        state[3 + slot] = "-"
    with open("/slot.new", "w") as file:
        file.write(" ".join(state))
    os.rename("/slot.new", "/slot")
    if back:
        machine.reset()
    timer = machine.Timer(0)  # not every ESP32 port has virtual ones, and the ESP8266 takes any number
    timer.init(mode=machine.Timer.ONE_SHOT, period=30000, callback=lambda _: machine.reset())
    return timer


news = choose()
if not news:
    begin = None
choose = mount = there = None  # noqa: F811  the firmware has better uses for the memory

try:
    import esp32  # noqa: F401  only the ESP32 family has it
except ImportError:
    pass
else:
    if not callable(news):
        runs = None
    if machine.reset_cause() == machine.SOFT_RESET:
        # Only somebody at MicroPython's prompt starts anew so, as mpremote does. On this chip the prompt forgets that
        # AT+MPYREPL has given it the AT port; on the ESP8266 it is there by itself.
        try:
            from firmware import board

            board.load().prompt()
        except (ImportError, TypeError):  # MicroPython is too old, or /board.json has a fault: main.py says so
            pass
