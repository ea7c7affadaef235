"""The desktop's helper: one lasting X client that sees and acts for sandboxd."""

import os
import select
import sys
import time

from PIL import Image
from Xlib import X
from Xlib import display as xdisplay
from Xlib import error as xerror

from fault import Fault, invalid
from framebuffer import Framebuffer, encode, shown_size
from keyboard import Keyboard
from pointer import Pointer
from watch import Watch
from windows import Windows
from wire import Wire

BACKGROUND = 0x3B4252
POLL_S = 0.02
REST_S, REST_LIMIT_S = 0.3, 3


class Wait:
    """A call that is answered once something has happened, or its time is over."""

    def __init__(self, number, limit_s, check):
        self.number = number
        self.end = time.monotonic() + limit_s
        # Gives what to answer with, or the seconds after which to look again; None is: when something has happened.
        self.check = check


class Helper:
    def __init__(self, framebuffer):
        self.wire = Wire()
        self.display = xdisplay.Display()
        # A window that has gone in the meantime is no reason to write about it.
        self.display.set_error_handler(lambda *_: None)
        self.root = self.display.screen().root
        self.screen = Framebuffer(framebuffer)
        self.pointer = Pointer(self.display, self.screen.width, self.screen.height)
        self.keyboard = Keyboard(self.display, self.rest)
        self.windows = Windows(self.display)
        self.watch = Watch(self.display)
        self.waits = []
        keyboard, pointer, windows = self.keyboard, self.pointer, self.windows
        self.looks = {
            "screenshot": self.screenshot,
            "cursor": lambda _: pointer.place(),
            "windows": lambda _: {"windows": windows.list()},
        }
        self.acts = {
            **{name: getattr(pointer, name) for name in ("move", "click", "press", "release", "drag", "scroll")},
            "type": lambda args: keyboard.type(args["text"]),
            "key": lambda args: keyboard.tap(args["keys"], args.get("repeat", 1)),
            "key_down": lambda args: keyboard.down(args["keys"]),
            "key_up": lambda args: keyboard.up(args["keys"]),
            **{name: self.window(name) for name in ("focus", "close", "minimize", "maximize", "restore")},
            "move_window": lambda args: {"window": windows.move(args["window"], args["x"], args["y"])},
            "resize_window": lambda args: {
                "window": windows.resize(args["window"], args["width"], args["height"])
            },
        }
        self.checks = {
            "wait_change": self.check_change,
            "wait_still": self.check_still,
            "wait_window": self.check_window,
            "wait_manager": self.check_manager,
        }
        self.root.change_attributes(background_pixel=BACKGROUND)
        self.root.clear_area()
        self.display.sync()

    def run(self):
        """Answers until sandboxd or the X server has gone."""
        self.wire.answer(0, {"width": self.screen.width, "height": self.screen.height})
        while True:
            readable, _, _ = select.select([self.wire, self.display], [], [], self.settle_waits())
            self.drain()
            if self.wire in readable:
                calls = self.wire.calls()
                if calls is None:
                    return
                for call in calls:
                    self.answer(call)

    def drain(self):
        while self.display.pending_events():
            event = self.display.next_event()
            if event.type == X.MappingNotify and event.request == X.MappingKeyboard:
                self.keyboard.forget()
            self.watch.see(event)

    def rest(self):
        """Waits until nothing at all has changed for a while: what programs were told, they have shown."""
        end = time.monotonic() + REST_LIMIT_S
        quiet_since, changes = time.monotonic(), self.watch.changes
        while time.monotonic() < end and time.monotonic() - quiet_since < REST_S:
            time.sleep(POLL_S)
            self.drain()
            if self.watch.changes != changes:
                quiet_since, changes = time.monotonic(), self.watch.changes

    def settle_waits(self):
        """Answers the waits that are over. @returns the seconds until one may be, None where only events can tell."""
        pauses = []
        for wait in list(self.waits):
            found = wait.check()
            left = wait.end - time.monotonic()
            if isinstance(found, dict) or left <= 0:
                self.waits.remove(wait)
                self.wire.answer(wait.number, found if isinstance(found, dict) else {"happened": False})
            else:
                pauses.append(left if found is None else min(found, left))
        return min(pauses, default=None)

    def answer(self, call):
        number, name, args = call["id"], call["call"], call["args"]
        try:
            self.drain()
            if name in self.looks:
                result = self.looks[name](args)
                self.wire.answer(number, *(result if isinstance(result, tuple) else (result,)))
            elif name in self.acts:
                self.wire.answer(number, self.act(self.acts[name], args) or {})
            elif name in self.checks:
                check = self.checks[name](args)
                self.waits.append(Wait(number, args["timeout_ms"] / 1000, check))
            else:
                raise invalid(f"This helper has no call {name}.")
        except Fault as fault:
            self.wire.fail(number, fault.code, str(fault))
        except xerror.XError as error:
            self.wire.fail(number, "DESKTOP_FAILED", f"The X server refused it: {error}.")

    def act(self, action, args):
        self.watch.act()
        modifiers = args.get("modifiers", [])
        for modifier in modifiers:
            self.keyboard.down(modifier)
        try:
            return action(args)
        finally:
            for modifier in reversed(modifiers):
                self.keyboard.up(modifier)
            self.display.sync()

    def window(self, name):
        return lambda args: {"window": getattr(self.windows, name)(args["window"])}

    def check_change(self, _):
        return lambda: {"happened": True} if self.watch.changed() else None

    def check_still(self, args):
        quiet = args["quiet_ms"] / 1000

        def check():
            left = quiet - self.watch.still_for()
            if left > 0:
                return left
            # What is waited for next is a change from this.
            self.watch.changed()
            return {"happened": True}

        return check

    def check_window(self, args):
        known = set(args["known"])

        def check():
            new = [info for info in self.windows.list() if info["window"] not in known]
            return {"happened": True, "windows": new} if new else POLL_S

        return check

    def check_manager(self, _):
        asked = self.windows.ask_manager()
        return lambda: {"happened": True} if asked() else POLL_S

    def screenshot(self, args):
        x, y, width, height = self.screen.region(args.get("region"))
        # What was asked of the X server before is on the screen now.
        pointer = self.root.query_pointer()
        image = self.screen.image(x, y, width, height)
        size = shown_size(width, height, args)
        if size != image.size:
            image = image.resize(size, Image.Resampling.BILINEAR)
        kind = args.get("format", "png")
        data = encode(image, kind)
        return {
            "frame": {
                "region": {"x": x, "y": y, "width": width, "height": height},
                "width": size[0],
                "height": size[1],
            },
            "screen": {"width": self.screen.width, "height": self.screen.height},
            "format": kind,
            "pointer": {"x": pointer.root_x, "y": pointer.root_y},
            "bytes": len(data),
        }, data


try:
    Helper(sys.argv[1]).run()
except (xerror.ConnectionClosedError, xerror.DisplayError, BrokenPipeError) as lost:
    print(f"the display is gone: {lost}", file=sys.stderr)
    os._exit(1)
