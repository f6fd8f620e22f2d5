"""How the programs of this folder fail."""


class Fault(Exception):
    """What keeps us from measuring; the message says what, and the mend."""
