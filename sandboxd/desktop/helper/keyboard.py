"""The keyboard, through the X server's XTEST extension.

A character that the layout lacks is put on a key that has none, or on such a key with Shift. Programs learn of that by an
event that they get before the key's own; but they ask for the layout only when they come to that event, so a place that
was given to a character keeps it until all places are in use, and then the one that was used longest ago is taken.
"""

from Xlib import XK, X
from Xlib.ext import xtest

from fault import Fault
from keynames import keysym_of_char, parse_chord

SHIFT = XK.string_to_keysym("Shift_L")
# Requests are sent on in lots of so many keys: a program can draw while the rest of a long text is on its way.
BURST = 200


# Keys of media keyboards, which nobody presses here: taken at the start, so that what is lent later lies side by side.
MEDIA_KEYS = range(208, 256)


class Keyboard:
    def __init__(self, display, rest):
        """@param rest waits until programs seem to have taken in what was typed"""
        self._display = display
        self._rest = rest
        display.change_keyboard_mapping(MEDIA_KEYS.start, [(0,)] * len(MEDIA_KEYS))
        # By keysym: the key, and whether it takes Shift.
        self._codes = {}
        # Places, as they are in _codes, that have no character.
        self._spare = []
        # Places that were given a character, by its keysym, the one that was used longest ago first.
        self._lent = {}
        self._stale = False
        self.learn()

    def learn(self):
        """Reads the layout: at the start, and after a program has changed it."""
        first = self._display.display.info.min_keycode
        count = self._display.display.info.max_keycode - first + 1
        layout = dict(enumerate(self._display.get_keyboard_mapping(first, count), first))
        self._lent = {
            keysym: place for keysym, place in self._lent.items() if layout[place[0]][place[1]] == keysym
        }
        lent = set(self._lent.values())
        free = {code for code, keysyms in layout.items() if not any(keysyms)}
        free.update(code for code, _ in lent)
        runs = sorted(_runs({code: code for code in free}), key=lambda run: -len(run[1]))
        codes = [code for _, lot in runs for code in lot]
        self._spare = [
            (code, shifted) for shifted in (False, True) for code in codes if (code, shifted) not in lent
        ]
        self._codes = dict(self._lent)
        for code, keysyms in layout.items():
            for shifted, keysym in enumerate(keysyms[:2]):
                if keysym and code not in free:
                    self._codes.setdefault(keysym, (code, bool(shifted)))
        self._stale = False

    def forget(self):
        """The layout has changed."""
        self._stale = True

    def type(self, text):
        keysyms = [keysym_of_char(char) for char in text.replace("\r\n", "\n")]
        done = 0
        while done < len(keysyms):
            # As many as the spare keys have room for at once.
            part = self._prepare(keysyms[done:])
            for at, keysym in enumerate(keysyms[done : done + part], 1):
                self._tap([keysym])
                if at % BURST == 0:
                    self._display.sync()
            self._display.sync()
            done += part

    def tap(self, keys, repeat=1):
        chords = [parse_chord(chord) for chord in keys.split()] * repeat
        for chord in chords:
            self._prepare(chord)
            self._tap(chord)

    def down(self, keys):
        self._hold(X.KeyPress, parse_chord(keys))

    def up(self, keys):
        self._hold(X.KeyRelease, parse_chord(keys)[::-1])

    def _hold(self, kind, keysyms):
        self._prepare(keysyms)
        for keysym in keysyms:
            self._key(kind, self._codes[keysym][0])

    def _tap(self, keysyms):
        """Presses keys in their order and releases them in the opposite one, with Shift where the last one needs it."""
        codes = [self._codes[keysym][0] for keysym in keysyms]
        shift = self._codes[SHIFT][0]
        if self._codes[keysyms[-1]][1] and shift not in codes:
            codes.insert(0, shift)
        for code in codes:
            self._key(X.KeyPress, code)
        for code in reversed(codes):
            self._key(X.KeyRelease, code)

    def _key(self, kind, code):
        xtest.fake_input(self._display, kind, code)

    def _prepare(self, keysyms):
        """Makes keys for the first of some keysyms that the layout lacks; says for how many of them there is one."""
        if self._stale:
            self.learn()
        missing = dict.fromkeys(keysym for keysym in keysyms if keysym not in self._codes)
        in_use = {keysym for keysym in keysyms if keysym in self._lent}
        for keysym in in_use:
            self._lent[keysym] = self._lent.pop(keysym)
        room = len(self._spare) + len(self._lent)
        if missing and room == 0:
            raise Fault("DESKTOP_FAILED", "The keyboard's layout has no key free for what is to be typed.")
        wanted = list(missing)
        if len(wanted) + len(in_use) > room:
            wanted, keysyms = self._fitting(keysyms, room)
        if len(wanted) > len(self._spare):
            # Until programs have read what the places meant before.
            self._display.sync()
            self._rest()
        for keysym in wanted:
            self._lend(keysym)
        changed = {self._codes[keysym][0] for keysym in wanted}
        on_key = {place: keysym for keysym, place in self._lent.items()}
        rows = {code: (on_key.get((code, False), 0), on_key.get((code, True), 0)) for code in changed}
        for first, lot in _runs(rows):
            self._display.change_keyboard_mapping(first, lot)
        if wanted:
            self._display.sync()
        return len(keysyms)

    def _fitting(self, keysyms, room):
        needed = {}
        for at, keysym in enumerate(keysyms):
            if keysym in self._codes and keysym not in self._lent:
                continue
            if keysym not in needed and len(needed) == room:
                return [one for one in needed if one not in self._lent], keysyms[:at]
            needed[keysym] = True
        return [one for one in needed if one not in self._lent], keysyms

    def _lend(self, keysym):
        if self._spare:
            place = self._spare.pop(0)
        else:
            oldest = next(iter(self._lent))
            place = self._lent.pop(oldest)
            del self._codes[oldest]
        self._lent[keysym] = place
        self._codes[keysym] = place


def _runs(rows):
    """Neighbouring keys together: every change is an event for every program, and some take long over it."""
    first, lot = None, []
    for code, row in sorted(rows.items()):
        if lot and code != first + len(lot):
            yield first, lot
            lot = []
        if not lot:
            first = code
        lot.append(row)
    if lot:
        yield first, lot
