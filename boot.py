# Runs first, on the chip and in the simulator. What belongs to the board alone
# goes into /board.json, so there is nothing to do here.
