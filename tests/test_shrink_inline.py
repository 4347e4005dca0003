"""Functions that are called in one place go there, for the ESP8266: the programs do the same as before."""

import asyncio

import pytest
from mpyat.shrink.inline import inline

PATH = "firmware/app.py"


def short(source, **others):
    texts = {PATH: source} | {f"firmware/{name}.py": text for name, text in others.items()}
    return inline(texts, PATH)[0][PATH]


def result(source):
    """What main() returns, and what it has noted in `said`."""
    names = {"said": []}
    exec(source, names)
    value = names["main"]()
    return (asyncio.run(value) if asyncio.iscoroutine(value) else value), names["said"]


# A function, and what calls it.
GONE = {
    "a statement": ("def f(x):\n said.append(x)\n", "def main():\n f(3)\n return 1\n"),
    "a value": ("def f(x, y=2):\n said.append(x)\n return x + y\n", "def main():\n z = f(3)\n return z\n"),
    "what it returns": ("def f(x):\n if x:\n  return x + 1\n", "def main():\n y = 4\n return f(y)\n"),
    "nothing to return": ("def f(x):\n if x:\n  said.append(x)\n", "def main():\n return f(4)\n"),
    "in the middle": (
        "def f(x):\n if x > 2:\n  return 7\n said.append(x)\n",
        "def main():\n y = f(3)\n y += 1\n return y\n",
    ),
    "the end": ("def f(x):\n if x > 2:\n  return x\n said.append(x)\n", "def main():\n if 1:\n  f(2)\n"),
    "the same names": (
        "def f(x):\n y = x + 1\n return y * x\n",
        "def main():\n x = 5\n y = 7\n z = f(y)\n return x, y, z\n",
    ),
    "a parameter is changed": ("def f(x):\n x += 1\n return x\n", "def main():\n y = 1\n z = f(y)\n return y, z\n"),
    "a global is changed": ("n = 1\n\ndef f():\n global n\n n += 1\n", "def main():\n f()\n return n\n"),
    "an argument that changes": (
        "n = [1]\n\ndef f(x):\n n.append(2)\n return x\n",
        "def main():\n y = f(len(n))\n return y\n",
    ),
    "finally": (
        "def f(x):\n try:\n  return x / 0\n except ZeroDivisionError as e:\n  return 2\n finally:\n  said.append(x)\n",
        "def main():\n try:\n  y = f(3)\n finally:\n  said.append(4)\n return y\n",
    ),
    "awaited": ("async def f(x):\n return x\n", "async def main():\n y = await f(3)\n return y\n"),
    "in each other": (
        "def g(x):\n said.append(x)\n return 5\n\ndef f(x):\n y = g(x)\n return y + 1\n",
        "def main():\n z = f(1)\n return z\n",
    ),
    "imports": ("def f():\n from math import pi\n return pi\n", "def main():\n pi = 3\n x = f()\n return pi, x\n"),
    "in a loop": ("def f():\n said.append(1)\n", "def main():\n for i in range(3):\n  f()\n"),
    "none": ("def f(x):\n pass\n", "def main():\n y = f(3)\n return y\n"),
}
STAY = {
    "twice": ("def f(x):\n said.append(x)\n", "def main():\n f(3)\n f(4)\n"),
    "in an expression": ("def f(x):\n return x\n", "def main():\n return 1 + f(3)\n"),
    "not awaited": ("async def f(x):\n return x\n", "async def main():\n y = f(3)\n return await y\n"),
    "handed on": ("def f(x):\n return x\n", "def main():\n return list(map(f, [1]))\n"),
    "returns in a loop": (
        "def f(x):\n for i in x:\n  if i:\n   return i\n",
        "def main():\n y = f([0, 2])\n y += 1\n return y\n",
    ),
    "variables in a loop": ("def f(x):\n y = x\n said.append(y)\n", "def main():\n for i in range(3):\n  f(i)\n"),
    "a try alone": (
        "def f(x):\n try:\n  return x / 0\n except ZeroDivisionError:\n  return 2\n",
        "def main():\n y = f(3)\n return y\n",
    ),
    "more than plain": ("def f(*x):\n said.append(x)\n", "def main():\n f(1, 2)\n"),
    "by keyword": ("def f(x):\n said.append(x)\n", "def main():\n f(x=1)\n"),
    "functions inside": ("def f(x):\n return [y for y in x]\n", "def main():\n z = f([1])\n return z\n"),
    "a generator": ("def f(x):\n yield x\n", "def main():\n z = f(1)\n return list(z)\n"),
    "another is called so": ("def g():\n said.append(1)\n\ndef f():\n g()\n", "def main():\n g = 3\n f()\n return g\n"),
    "arguments cross": ("def f(x, y):\n x += y\n y += 1\n return x, y\n", "def main():\n z = f(1, 2)\n return z\n"),
}


@pytest.mark.parametrize("source", ["".join(pair) for pair in GONE.values()], ids=GONE)
def test_a_function_goes_into_its_caller(source):
    new = short(source)
    assert "def f" not in new
    assert result(new) == result(source)


@pytest.mark.parametrize("source", list(map("".join, STAY.values()))[:-2], ids=list(STAY)[:-2])
def test_a_function_stays(source):
    new = short(source)
    assert "def f" in new
    assert result(new) == result(source)


@pytest.mark.parametrize("source", list(map("".join, STAY.values()))[-2:], ids=list(STAY)[-2:])
def test_names_are_not_mixed_up(source):
    assert result(short(source)) == result(source)


def test_what_others_use_stays():
    source = "def f(x):\n    said.append(x)\n\ndef main():\n    f(3)\n"
    for other in ("from firmware.app import f\n", "def g(at):\n    at.f(1)\n", "NAME = 'f'\n"):
        assert "def f" in short(source, other=other)
    assert "def f" in inline({PATH: source}, PATH, ["f"])[0][PATH]


def test_what_run_calls_stays_and_is_deleted():
    source = "def g():\n    pass\n\ndef f():\n    g()\n\ndef run():\n    global f, g\n    f()\n    del f, g\n"
    assert short(source) == "def f():\n    pass\n\ndef run():\n    global f\n    f()\n    del f\n"


def test_lines_are_followed():
    source = "def f(x):\n    said.append(x)\n\n\ndef main():\n    f(3)\n    return 1\n"
    assert inline({PATH: source}, PATH)[1][PATH] == {1: (PATH, 5), 2: (PATH, 2), 3: (PATH, 7)}
