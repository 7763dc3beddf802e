"""`run --dry-run`: whether a recipe would run here, and how long it would take.

A part of the data goes through the real preparation in a temporary folder, and a few real
training steps run on it in a process of their own, whose memory and speed are measured.
"""
