"""Trainer of multilingual translation models."""
