"""The command that makes a component of a listener in Python: `python -m sporegate_build`."""
