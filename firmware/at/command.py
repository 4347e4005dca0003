"""The declaration of a command: its name, its parameters and what each of its forms does, in one place.
Parsing, range checks, AT+X=?, AT+CMD?, the reference in the docs and the console's completion read it."""

EXECUTE = 0
QUERY = 1
SET = 2
SIGNATURES = 3
SAVED = 4

# When a set command's parameters go to flash: always, while AT+SYSSTORE=1, or not at all.
ALWAYS = 1
STORE = 2
NEVER = 3

declared = {}


# Which chip this is, as its board calls it; what is declared for another one is left out.
_chip = ""


def limit(chip):
    """Says which chip this is."""
    global _chip
    _chip = chip


def command(name, *signatures, saved=0, anytime=False, board=""):
    """Declares the class below it as the AT command `name` ("AT+CIPMUX").

    The class is only a form of writing: its functions `execute(at)`, `query(at)` and `set(at, ...)`
    are the forms that the command has; each gets the firmware's parts as `at` (see app.App), and `set` one argument
    per parameter. A function returns None for OK or bytes that end the answer instead; an `async` one may
    wait. It raises ATError or OSError for ERROR. `signatures` are the parameters of the set form (see at.parameters);
    with several, the numbers and choices of words that they begin with tell which one holds. `saved` says when
    the parameters are kept in flash (a handler may name others, see Interpreter.keep), `anytime` that it runs even
    while another command does, `board` that only this one can do it ("esp32" stands for the whole family)."""

    def declare(forms):
        if not _chip.lower().startswith(board):
            return
        declared[name] = (
            getattr(forms, "execute", None),
            getattr(forms, "query", None),
            getattr(forms, "set", None),
            signatures,
            saved,
            anytime,
        )

    return declare
