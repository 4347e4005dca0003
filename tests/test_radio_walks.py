"""Walks of the radio at random: joining, losing, roaming, guests of the softAP, sleep, resets, in any order.
What the host hears is checked against a model, line by line; the seeds are fixed, so that a walk can be gone again."""

import random
import socket

import pytest
from radiomodel import NETWORKS, Model

WALKS, STEPS = 50, 16


@pytest.mark.parametrize("seed", range(WALKS))
def test_walk(start, seed):
    dice = random.Random(seed)
    board = ("esp32", "esp8266")[seed % 2]
    module = start("--board", board, wifi=NETWORKS)
    module.command("AT+CIPMUX=1")
    taken = []
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        model = Model(module, board, dice, server.getsockname()[1])
        for number in range(STEPS + 1):
            taken.append(dice.choice(model.steps()) if number < STEPS else "look")
            try:
                getattr(model, taken[-1])()
            except AssertionError as error:
                raise AssertionError(f"{', '.join(taken)}: {error}\n{module.console()}") from error
        module.settled()
