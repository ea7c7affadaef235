"""The screen as the X server keeps it: Xvfb's -fbdir file, an X window dump (XWD version 7) that it draws into."""

import mmap
import struct

from PIL import Image

from fault import Fault, invalid
from png import encode_png

HEADER = struct.Struct(">25I")
COLOR_BYTES = 12
JPEG_QUALITY = 85


class Framebuffer:
    def __init__(self, path):
        with open(path, "rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        header = HEADER.unpack_from(self._map)
        header_bytes, self.width, self.height, colors = header[0], header[4], header[5], header[19]
        bits, self._stride = header[11], header[12]
        if bits != 32:
            raise Fault("DESKTOP_FAILED", f"Expected a screen of 32 bits per pixel; found {bits}.")
        start = header_bytes + colors * COLOR_BYTES
        self._pixels = memoryview(self._map)[start : start + self._stride * self.height]

    def region(self, wanted):
        """What of a region lies on the screen, as (x, y, width, height); None is the whole screen."""
        if wanted is None:
            return 0, 0, self.width, self.height
        x, y = wanted["x"], wanted["y"]
        width, height = min(wanted["width"], self.width - x), min(wanted["height"], self.height - y)
        if width < 1 or height < 1:
            raise invalid(f"region: expected a part of the screen of {self.width}x{self.height}; found {x},{y}.")
        return x, y, width, height

    def image(self, x, y, width, height):
        """A copy of a region, in RGB."""
        offset = y * self._stride + x * 4
        end = offset + (height - 1) * self._stride + width * 4
        rows = self._pixels[offset:end]
        if width * 4 != self._stride:
            # The decoder wants whole rows, which the last one is not.
            rows = bytes(rows) + bytes(self._stride - width * 4)
        return Image.frombytes("RGB", (width, height), rows, "raw", "BGRX", self._stride, 1)


def shown_size(width, height, args):
    """The size at which a region is shown: never larger than it is, its proportions kept."""
    scale = min(
        1,
        args.get("scale") or 1,
        (args.get("max_width") or width) / width,
        (args.get("max_height") or height) / height,
    )
    # Halves go up, so that sandboxd's callers can reckon the same.
    return max(1, int(width * scale + 0.5)), max(1, int(height * scale + 0.5))


def encode(image, kind):
    """The bytes of an image file."""
    if kind == "png":
        return encode_png(image)
    from io import BytesIO

    target = BytesIO()
    image.save(target, "JPEG", quality=JPEG_QUALITY)
    return target.getvalue()
