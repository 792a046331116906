"""Commands of `python -m gateway`: keys, audit, receipts, feedback, secrets. One file each."""
