"""Windows, as the window manager has them (EWMH): the places and sizes are those of the frames that it draws."""

import time

from Xlib import X, Xutil
from Xlib.error import XError
from Xlib.protocol import event

from fault import Fault

MAX_TITLE = 500
# Who asks, in EWMH's words: a pager, which a window manager obeys.
PAGER = 2
NORTH_WEST = 1
MOVE, RESIZE = 1 << 8 | 1 << 9, 1 << 10 | 1 << 11
REMOVE, ADD = 0, 1
# A window manager does what it is asked in its own time.
EFFECT_S = 0.5
POLL_S = 0.015


class Windows:
    def __init__(self, display):
        self._display = display
        self._root = display.screen().root

    def list(self):
        """All of them, the topmost first."""
        numbers = reversed(self._property(self._root, "_NET_CLIENT_LIST_STACKING") or [])
        found = (self._info(int(number)) for number in numbers)
        return [info for info in found if info is not None]

    def ask_manager(self):
        """Gives what says whether the window manager answers by now: asked about a window that nobody sees."""
        window = self._root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)

        def answers():
            if self._property(window, "_NET_FRAME_EXTENTS") is None:
                self._send(window.id, "_NET_REQUEST_FRAME_EXTENTS")
                return False
            window.destroy()
            return True

        return answers

    def focus(self, number):
        self._check(number)
        self._send(number, "_NET_ACTIVE_WINDOW", PAGER, X.CurrentTime)
        return self._after(number, lambda info: info["focused"])

    def close(self, number):
        self._check(number)
        self._send(number, "_NET_CLOSE_WINDOW", X.CurrentTime, PAGER)
        return self._after(number, lambda info: info is None)

    def minimize(self, number):
        self._check(number)
        self._send(number, "WM_CHANGE_STATE", Xutil.IconicState)
        return self._after(number, lambda info: info["minimized"])

    def maximize(self, number):
        self.focus(number)
        self._maximized(number, ADD)
        return self._after(number, lambda info: info["maximized"])

    def restore(self, number):
        """As it was before it was minimized or maximized."""
        self.focus(number)
        self._maximized(number, REMOVE)
        return self._after(number, lambda info: not info["maximized"] and not info["minimized"])

    def move(self, number, x, y):
        self._check(number)
        self._send(number, "_NET_MOVERESIZE_WINDOW", NORTH_WEST | MOVE | PAGER << 12, int(x), int(y), 0, 0)
        return self._after(number, lambda info: (info["x"], info["y"]) == (int(x), int(y)))

    def resize(self, number, width, height):
        before = self._check(number)
        left, right, top, bottom = self._frame(number)
        inner = max(1, width - left - right), max(1, height - top - bottom)
        flags = NORTH_WEST | RESIZE | PAGER << 12
        self._send(number, "_NET_MOVERESIZE_WINDOW", flags, 0, 0, *inner)
        # Terminals grow by whole characters: near is as good as exact.
        same = (before["width"], before["height"]) == (width, height)
        changed = lambda info: same or (info["width"], info["height"]) != (before["width"], before["height"])
        return self._after(number, changed)

    def _maximized(self, number, what):
        directions = (self._atom(f"_NET_WM_STATE_MAXIMIZED_{way}") for way in ("VERT", "HORZ"))
        self._send(number, "_NET_WM_STATE", what, *directions, PAGER)

    def _check(self, number):
        info = self._info(number) if number in (self._property(self._root, "_NET_CLIENT_LIST") or []) else None
        if info is None:
            titles = ", ".join(f"{one['window']} ({one['title'][:40]})" for one in self.list()) or "none"
            raise Fault("WINDOW_NOT_FOUND", f"Expected one of the windows there are: {titles}; found {number}.")
        return info

    def _after(self, number, reached):
        """What the window is once the window manager has done as asked, or has had the time for it; None if it went."""
        end = time.monotonic() + EFFECT_S
        before = None
        while True:
            info = self._info(number)
            # State and place come one after the other: it is done when nothing changes any more.
            if info is None or (reached(info) and info == before) or time.monotonic() > end:
                return info
            before = info
            time.sleep(POLL_S)

    def _info(self, number):
        window = self._display.create_resource_object("window", number)
        try:
            size, place = window.get_geometry(), window.translate_coords(self._root, 0, 0)
            left, right, top, bottom = self._frame(number)
            state = self._property(window, "_NET_WM_STATE") or []
            active = self._property(self._root, "_NET_ACTIVE_WINDOW") or [0]
            pid = self._property(window, "_NET_WM_PID")
            kind = window.get_wm_class()
            title = self._text(window, "_NET_WM_NAME") or self._text(window, "WM_NAME")
        except XError:
            return None
        has = lambda name: self._atom(f"_NET_WM_STATE_{name}") in state
        return {
            "window": number,
            "title": title[:MAX_TITLE],
            "class": (kind[1] if kind else "")[:MAX_TITLE],
            "pid": int(pid[0]) if pid else None,
            # Coordinates are told from the root's view of the window: the other way round, negated.
            "x": -place.x - left,
            "y": -place.y - top,
            "width": size.width + left + right,
            "height": size.height + top + bottom,
            "focused": active[0] == number,
            "minimized": has("HIDDEN"),
            "maximized": has("MAXIMIZED_VERT") and has("MAXIMIZED_HORZ"),
        }

    def _frame(self, number):
        window = self._display.create_resource_object("window", number)
        return tuple(self._property(window, "_NET_FRAME_EXTENTS") or (0, 0, 0, 0))

    def _text(self, window, name):
        value = window.get_full_text_property(self._atom(name))
        return value or ""

    def _property(self, window, name):
        found = window.get_full_property(self._atom(name), X.AnyPropertyType)
        return list(found.value) if found else None

    def _atom(self, name):
        return self._display.get_atom(name)

    def _send(self, number, kind, *data):
        message = event.ClientMessage(
            window=number,
            client_type=self._atom(kind),
            data=(32, (list(data) + [0] * 5)[:5]),
        )
        mask = X.SubstructureRedirectMask | X.SubstructureNotifyMask
        self._root.send_event(message, event_mask=mask)
        self._display.sync()
