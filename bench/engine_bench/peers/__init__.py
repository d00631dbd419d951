"""Encoders that are measured side by side, each behind one small interface and in a process of its own."""
