"""The pointer, through the X server's XTEST extension: programs cannot tell it from a mouse."""

import time

from Xlib import X
from Xlib.ext import xtest

from fault import invalid

BUTTONS = {"left": 1, "middle": 2, "right": 3, "back": 8, "forward": 9}
UP, DOWN, LEFT, RIGHT = 4, 5, 6, 7
# Programs tell a drag from a click by motion between press and release, some by several motions.
DRAG_STEP_PIXELS = 12
DRAG_STEPS = (8, 40)
DRAG_STEP_S = 0.004


class Pointer:
    def __init__(self, display, width, height):
        self._display = display
        self._root = display.screen().root
        self._width, self._height = width, height

    def place(self):
        found = self._root.query_pointer()
        return {"x": found.root_x, "y": found.root_y}

    def move(self, args, x="x", y="y"):
        """Moves to where the arguments say; nowhere when they do not."""
        if args.get(x) is None and args.get(y) is None:
            return
        self._move(*self._inside(args.get(x), args.get(y)))

    def click(self, args):
        button = BUTTONS[args.get("button", "left")]
        self.move(args)
        for _ in range(args.get("count", 1)):
            self._button(X.ButtonPress, button)
            self._button(X.ButtonRelease, button)

    def press(self, args):
        self.move(args)
        self._button(X.ButtonPress, BUTTONS[args.get("button", "left")])

    def release(self, args):
        self.move(args)
        self._button(X.ButtonRelease, BUTTONS[args.get("button", "left")])

    def drag(self, args):
        start = self._inside(args["from_x"], args["from_y"])
        end = self._inside(args["x"], args["y"])
        button = BUTTONS[args.get("button", "left")]
        distance = max(abs(end[0] - start[0]), abs(end[1] - start[1]))
        steps = min(max(distance // DRAG_STEP_PIXELS, DRAG_STEPS[0]), DRAG_STEPS[1])
        self._move(*start)
        self._button(X.ButtonPress, button)
        for step in range(1, steps + 1):
            self._pause()
            self._move(*(a + (b - a) * step // steps for a, b in zip(start, end)))
        self._pause()
        self._button(X.ButtonRelease, button)

    def scroll(self, args):
        self.move(args)
        down, right = args.get("dy", 0), args.get("dx", 0)
        for button, notches in ((DOWN, down), (UP, -down), (RIGHT, right), (LEFT, -right)):
            for _ in range(notches):
                self._button(X.ButtonPress, button)
                self._button(X.ButtonRelease, button)

    def _inside(self, x, y):
        for name, value, size in (("x", x, self._width), ("y", y, self._height)):
            if value is None or not 0 <= value < size:
                raise invalid(f"{name}: expected 0 to {size - 1} on this screen; found {value}.")
        return int(x), int(y)

    def _move(self, x, y):
        xtest.fake_input(self._display, X.MotionNotify, x=x, y=y)

    def _button(self, kind, number):
        xtest.fake_input(self._display, kind, number)

    def _pause(self):
        self._display.sync()
        time.sleep(DRAG_STEP_S)
