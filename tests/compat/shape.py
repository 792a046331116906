"""How an answer differs in shape from a sample: members that are missing, added or retyped."""

_KINDS = {bool: "boolean", int: "number", float: "number", str: "string", list: "list"}
_KINDS |= {dict: "object", type(None): "null"}


def shape_differences(sample, answer, path=""):
    """Return `-member`, `+member`, `member: kind is kind` and `member: list is empty`."""
    before, now = _KINDS[type(sample)], _KINDS[type(answer)]
    if before != now:
        return {f"{path}: {before} is {now}"}
    if before == "object":
        return _of_objects(sample, answer, path)
    if before == "list" and sample:
        if not answer:
            return {f"{path}: list is empty"}
        return set().union(*(shape_differences(sample[0], entry, f"{path}[]") for entry in answer))
    return set()


def _of_objects(sample, answer, path):
    """Compare member by member."""
    prefix = f"{path}." if path else ""
    found = {f"-{prefix}{name}" for name in sample.keys() - answer.keys()}
    found |= {f"+{prefix}{name}" for name in answer.keys() - sample.keys()}
    for name in sample.keys() & answer.keys():
        found |= shape_differences(sample[name], answer[name], f"{prefix}{name}")
    return found
