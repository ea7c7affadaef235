"""The desktop's helper: one lasting X client that takes pictures of the screen, for sandboxd."""

import os
import select
import sys

from PIL import Image
from Xlib import display as xdisplay
from Xlib import error as xerror

from fault import Fault, invalid
from framebuffer import Framebuffer, encode, shown_size
from wire import Wire

BACKGROUND = 0x3B4252


class Helper:
    def __init__(self, framebuffer):
        self.wire = Wire()
        self.display = xdisplay.Display()
        # A window that has gone in the meantime is no reason to write about it.
        self.display.set_error_handler(lambda *_: None)
        self.root = self.display.screen().root
        self.screen = Framebuffer(framebuffer)
        self.calls = {
            "screenshot": self.screenshot,
        }
        self.root.change_attributes(background_pixel=BACKGROUND)
        self.root.clear_area()
        self.display.sync()

    def run(self):
        """Answers until sandboxd or the X server has gone."""
        self.wire.answer(0, {"width": self.screen.width, "height": self.screen.height})
        while True:
            readable, _, _ = select.select([self.wire, self.display], [], [])
            if self.display in readable or self.display.pending_events():
                self.drain()
            if self.wire in readable:
                calls = self.wire.calls()
                if calls is None:
                    return
                for call in calls:
                    self.answer(call)

    def drain(self):
        while self.display.pending_events():
            self.display.next_event()

    def answer(self, call):
        number = call["id"]
        try:
            handler = self.calls.get(call["call"])
            if handler is None:
                raise invalid(f"This helper has no call {call['call']}.")
            result, *data = handler(call["args"])
            self.wire.answer(number, result, *data)
        except Fault as fault:
            self.wire.fail(number, fault.code, str(fault))
        except xerror.XError as error:
            self.wire.fail(number, "DESKTOP_FAILED", f"The X server refused it: {error}.")

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
