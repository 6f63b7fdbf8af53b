"""Words of messages."""


def count(n: int, thing: str) -> str:
    """So many things: "1 text", "2 texts". The plural of thing ends in s."""
    return f"{n} {thing}" + ("" if n == 1 else "s")
