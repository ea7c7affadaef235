"""Calls from sandboxd on stdin, a JSON object a line; answers on stdout, each a line and then its bytes."""

import json
import os
import sys

PIECE = 65536


class Wire:
    def __init__(self):
        self._in = sys.stdin.fileno()
        self._out = sys.stdout.buffer
        self._rest = b""

    def fileno(self):
        return self._in

    def calls(self):
        """The calls that have come; None once sandboxd has gone."""
        piece = os.read(self._in, PIECE)
        if not piece:
            return None
        *lines, self._rest = (self._rest + piece).split(b"\n")
        return [json.loads(line) for line in lines]

    def answer(self, number, result, data=b""):
        self._send({"id": number, "result": result, "bytes": len(data)}, data)

    def fail(self, number, code, message):
        self._send({"id": number, "error": {"code": code, "message": message}, "bytes": 0})

    def _send(self, head, data=b""):
        self._out.write(json.dumps(head).encode() + b"\n" + data)
        self._out.flush()
