"""Knows when the screen changes: the X server's DAMAGE extension reports what programs draw, the pointer left out."""

import time

from Xlib.ext import damage

# A blinking text cursor is no larger.
SMALL_PIXELS = 400


class Watch:
    def __init__(self, display):
        self._display = display
        display.damage_query_version()
        display.screen().root.damage_create(damage.DamageReportRawRectangles)
        self._event = display.extension_event.DamageNotify
        self.changes = 0
        self._since = 0
        self._last_large = time.monotonic()

    def see(self, event):
        if event.type != self._event:
            return
        self.changes += 1
        if event.area.width * event.area.height > SMALL_PIXELS:
            self._last_large = time.monotonic()

    def act(self):
        """To be called before whatever may change the screen: waiting for a change counts from here."""
        self._since = self.changes
        self._last_large = time.monotonic()

    def changed(self):
        """Whether anything has changed since the last act, or the last time that this was so."""
        if self.changes == self._since:
            return False
        self._since = self.changes
        return True

    def still_for(self):
        """Seconds since the last change that was larger than a text cursor."""
        return time.monotonic() - self._last_large
