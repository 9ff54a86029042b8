"""A soak as a picture: curves over time, below each other, as SVG."""

WIDTH, HEIGHT, LEFT, GAP = 900, 130, 90, 34
STYLE = ("text{font:12px sans-serif;fill:#333}.title{font-weight:bold}"
         "path{fill:none;stroke:#1f6feb;stroke-width:1.2}"
         ".frame{fill:none;stroke:#ccc}.quiet{fill:#eee}")


def rates(times, totals):
    """What was added per second, between one row and the next."""
    return [0.0] + [
        max(0.0, (after - before) / max(end - begin, 1e-3))
        for begin, end, before, after in zip(
            times, times[1:], totals, totals[1:])]


def short_number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def bands(times, quiet):
    """Where nobody came, as (begin, end)."""
    found, begin = [], None
    for time, is_quiet in zip(times, quiet):
        if is_quiet and begin is None:
            begin = time
        elif not is_quiet and begin is not None:
            found.append((begin, time))
            begin = None
    return found + ([(begin, times[-1])] if begin is not None else [])


def panel(top, title, times, values, quiet):
    span, most = max(times[-1], 1e-3), max(max(values), 1e-9)

    def x(time):
        return LEFT + time / span * WIDTH

    def y(value):
        return top + HEIGHT - value / most * HEIGHT

    line = " L".join(f"{x(t):.1f},{y(v):.1f}" for t, v in zip(times, values))
    return [
        *(f'<rect class="quiet" x="{x(begin):.1f}" y="{top}" '
          f'width="{x(end) - x(begin):.1f}" height="{HEIGHT}"/>'
          for begin, end in bands(times, quiet)),
        f'<rect class="frame" x="{LEFT}" y="{top}" width="{WIDTH}" '
        f'height="{HEIGHT}"/>',
        f'<text class="title" x="{LEFT}" y="{top - 6}">{title}</text>',
        f'<text x="{LEFT - 6}" y="{top + 12}" text-anchor="end">'
        f'{short_number(most)}</text>',
        f'<text x="{LEFT - 6}" y="{top + HEIGHT}" text-anchor="end">0</text>',
        f'<path d="M{line}"/>']


def draw(rows, columns):
    """The whole text of the picture."""
    by_name = dict(zip(columns, zip(*rows)))
    times = by_name["seconds"]
    panels = [
        ("resident memory, MiB", [v / (1 << 20) for v in by_name["rss"]]),
        ("open descriptors", by_name["descriptors"]),
        ("connections per second", rates(times, by_name["connections"])),
        ("processors in use", rates(times, by_name["cpu_seconds"]))]
    parts = []
    for number, (title, values) in enumerate(panels):
        top = GAP + number * (HEIGHT + GAP)
        parts += panel(top, title, times, values, by_name["quiet"])
    height = GAP + len(panels) * (HEIGHT + GAP)
    parts.append(f'<text x="{LEFT + WIDTH}" y="{height - 14}" '
                 f'text-anchor="end">{times[-1]:.0f} s; grey: nobody comes'
                 "</text>")
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" '
        f'width="{LEFT + WIDTH + 20}" height="{height}">',
        f"<style>{STYLE}</style>", *parts, "</svg>", ""])
