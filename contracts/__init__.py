"""What two deployables must agree on: data, limits, decoding, decisions and the model file.

Imports nothing else of ours. A file belongs here when two deployables would break each other
by holding different versions of it.
"""
