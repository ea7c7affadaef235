"""A real X program: a window over the whole screen with a grid of targets, each in a colour of its own. Says `ready`,
then a line for each button that is pressed: the target's number (-1 beside them), the button, and the place on the
screen."""

from Xlib import X, display

COLUMNS, ROWS, SIDE = 6, 5, 24

screen = display.Display()
root = screen.screen().root
size = root.get_geometry()
window = root.create_window(
    0, 0, size.width, size.height, 0, X.CopyFromParent,
    background_pixel=0xFFFFFF, override_redirect=1, event_mask=X.ButtonPressMask | X.ExposureMask,
)
# Those at the edges touch the edges of the screen.
places = [
    ((size.width - SIDE) * column // (COLUMNS - 1), (size.height - SIDE) * row // (ROWS - 1))
    for row in range(ROWS)
    for column in range(COLUMNS)
]
for number, (x, y) in enumerate(places):
    target = window.create_window(
        x, y, SIDE, SIDE, 0, X.CopyFromParent, background_pixel=(number + 1) << 2, event_mask=X.NoEventMask
    )
    target.map()
window.map()
screen.sync()
while True:
    event = screen.next_event()
    if event.type == X.Expose and event.count == 0:
        print("ready", flush=True)
    if event.type == X.ButtonPress:
        hit = [
            number
            for number, (x, y) in enumerate(places)
            if x <= event.root_x < x + SIDE and y <= event.root_y < y + SIDE
        ]
        print(hit[0] if hit else -1, event.detail, event.root_x, event.root_y, flush=True)
