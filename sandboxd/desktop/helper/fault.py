"""What a call can fail with."""


class Fault(Exception):
    """A failure with a code of the error registry, to be told to the caller."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def invalid(message):
    return Fault("INVALID_ARGUMENT", message)
