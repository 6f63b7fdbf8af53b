"""Words of messages."""


def count(n: int, thing: str) -> str:
    """So many things: "1 text", "2 texts". The plural of thing ends in s."""
    return f"{n} {thing}" + ("" if n == 1 else "s")


def size(n: int) -> str:
    """So many bytes, in words."""
    return f"{n / 1e9:.1f} GB" if n >= 1e9 else f"{n / 1e6:.1f} MB"
