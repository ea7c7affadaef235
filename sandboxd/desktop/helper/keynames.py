"""What keys are called."""

import unicodedata

from Xlib import XK

from fault import invalid

MODIFIERS = {
    "ctrl": "Control_L",
    "control": "Control_L",
    "shift": "Shift_L",
    "alt": "Alt_L",
    "option": "Alt_L",
    "altgr": "ISO_Level3_Shift",
    "super": "Super_L",
    "meta": "Super_L",
    "win": "Super_L",
    "cmd": "Super_L",
}
NAMES = {
    "enter": "Return",
    "esc": "Escape",
    "del": "Delete",
    "ins": "Insert",
    "pageup": "Prior",
    "page_up": "Prior",
    "pagedown": "Next",
    "page_down": "Next",
    "backspace": "BackSpace",
    "space": "space",
    "arrowup": "Up",
    "arrowdown": "Down",
    "arrowleft": "Left",
    "arrowright": "Right",
    "capslock": "Caps_Lock",
    "numlock": "Num_Lock",
    "printscreen": "Print",
    "plus": "plus",
    "minus": "minus",
}
# The X library's names of these are in no group that it loads by itself.
for group in ("xf86", "xkb"):
    XK.load_keysym_group(group)
ALL = {name[3:].lower(): name[3:] for name in dir(XK) if name.startswith("XK_") and len(name) > 4}

CONTROL = {"\n": "Return", "\r": "Return", "\t": "Tab", "\b": "BackSpace", "\x1b": "Escape", "\x7f": "Delete"}
UNICODE = 0x01000000


def keysym_of_char(char):
    """X's number of a character: Latin-1 as it is, what has no older number by its code point."""
    if char in CONTROL:
        return XK.string_to_keysym(CONTROL[char])
    code = ord(char)
    if unicodedata.category(char) == "Cc":
        raise invalid(f"text: expected characters that can be typed; found U+{code:04X}.")
    return code if 0x20 <= code <= 0x7E or 0xA0 <= code <= 0xFF else UNICODE | code


def parse_chord(chord):
    """The keysyms of a chord such as `ctrl+shift+t`, the modifiers first."""
    parts = chord[:-2].split("+") + ["+"] if len(chord) > 2 and chord.endswith("++") else chord.split("+")
    if chord == "+":
        parts = ["+"]
    keysyms = [_keysym(part, chord, alone=len(parts) == 1) for part in parts]
    return keysyms


def _keysym(name, chord, alone):
    lower = name.lower()
    if len(name) == 1:
        # Nobody who writes ctrl+A means the Shift key.
        return keysym_of_char(name if alone else lower)
    known = MODIFIERS.get(lower) or NAMES.get(lower) or ALL.get(lower)
    keysym = XK.string_to_keysym(name) or (XK.string_to_keysym(known) if known else 0)
    if not keysym:
        raise invalid(
            f"keys: expected names such as ctrl+s, Return, Escape, Tab, F5, Up or a character; "
            f"found {name!r} in {chord!r}."
        )
    return keysym
