"""Stands in for the chip's module esp, which the firmware only looks for."""
