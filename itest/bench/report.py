"""What came of the benchmark: ratios round by round, a table and a plot."""

import html
import math
import statistics

from peers import PEERS

OURS = "lbproxyd"


def kind_of(name):
    """Of a row: ours, default, tuned or floor."""
    return PEERS[name].kind if name in PEERS else "floor"


def spread(values):
    """Median, ends and number of those that there are."""
    values = [v for v in values if v is not None]
    if not values:
        return None
    return {"median": statistics.median(values), "min": min(values),
            "max": max(values), "rounds": len(values)}


def ratios(values, names):
    """Of ours to the best of others, round by round: what is compared was
    measured within the same minute."""
    found = []
    for number, ours in enumerate(values.get(OURS, [])):
        others = [values[name][number] for name in names
                  if values[name][number] is not None]
        if ours is not None and others and min(others) > 0:
            found.append(ours / min(others))
    return spread(found)


def summarize(values, names, wanted):
    """For each measure its rows, and how ours stands."""
    default = [n for n in names if kind_of(n) == "default"]
    any_peer = default + [n for n in names if kind_of(n) == "tuned"]
    result = {}
    for m in wanted:
        of = values[m.name]
        result[m.name] = {
            "text": m.text, "unit": m.unit, "aims": list(m.aims),
            "ratio_to_best_as_it_comes": ratios(of, default),
            "ratio_to_best": ratios(of, any_peer),
            "proxies": {name: {"values": of[name], "spread": spread(of[name])}
                        for name in names}}
    return result


def shown(numbers, digits):
    """A spread in words."""
    if numbers is None:
        return "-"
    return "{median:.{d}f} ({min:.{d}f}-{max:.{d}f})".format(
        d=digits, **numbers)


def verdict(ratio, aim):
    """Whether a ratio is as it should be."""
    if ratio is None or aim is None:
        return ""
    return f", aim {aim} {'met' if ratio['median'] <= aim else 'MISSED'}"


def print_table(result):
    """A block for each measure: the rows, then the ratios."""
    for name, measure in result.items():
        print(f"\n{name}: {measure['text']}, {measure['unit']}")
        digits = 3 if measure["unit"] == "s/GB" else 1
        for proxy, row in measure["proxies"].items():
            if row["spread"]:
                print(f"  {proxy:<14} {shown(row['spread'], digits):>24}  "
                      f"{kind_of(proxy)}")
        aims = measure["aims"] or [None, None]
        for text, key, aim in (
                ("to the best peer as it comes", "ratio_to_best_as_it_comes",
                 aims[0]),
                ("to the best of all, tuned too", "ratio_to_best", aims[1])):
            print(f"  {text:<30} {shown(measure[key], 2):>18}"
                  f"{verdict(measure[key], aim)}")


# --- the plot ---------------------------------------------------------------

LEFT, WIDTH, ROW, TOP = 130, 640, 40, 54
MOST = 2.5  # times ours; what is beyond stands at the edge
COLOURS = {"default": "#7a7f87", "tuned": "#2f6fab", "floor": "#2e8b57"}


def x_of(ratio):
    """Where a ratio to ours stands."""
    return LEFT + WIDTH * min(ratio, MOST) / MOST


def text(x, y, words, extra=""):
    """A piece of text."""
    return (f'<text x="{x:.1f}" y="{y:.1f}" {extra}>'
            f'{html.escape(words)}</text>')


def mark(name, numbers, ours, y, is_below):
    """A peer's median with its spread, as a multiple of ours."""
    low, middle, high = (x_of(numbers[k] / ours)
                         for k in ("min", "median", "max"))
    colour = COLOURS[kind_of(name)]
    return (f'<g stroke="{colour}" fill="{colour}"><title>'
            f'{html.escape(name)}: {numbers["median"] / ours:.2f}</title>'
            f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}"/>'
            f'<circle cx="{middle:.1f}" cy="{y}" r="3.5"/></g>'
            + text(middle, y + (13 if is_below else -6), name,
                   f'fill="{colour}" font-size="8" text-anchor="middle"'))


def rows_of(measures):
    """One for each measure that ours has a figure for."""
    y = TOP
    for name, measure in measures.items():
        ours = measure["proxies"].get(OURS, {}).get("spread")
        if not ours:
            continue
        yield (f'<line x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{y}" y2="{y}" '
               'stroke="#ddd"/>')
        yield text(LEFT - 8, y + 4, name, 'text-anchor="end"')
        peers = [(row["spread"], peer) for peer, row in
                 measure["proxies"].items() if peer != OURS and row["spread"]]
        peers.sort(key=lambda pair: pair[0]["median"])
        for number, (numbers, peer) in enumerate(peers):
            yield mark(peer, numbers, ours["median"], y, number % 2)
        y += ROW


def write_plot(report, path):
    """Each peer against ours, which is the line at 1."""
    rows = list(rows_of(report["measures"]))
    bottom = TOP + ROW * sum("text-anchor=\"end\"" in row for row in rows)
    ticks = [text(x_of(n / 2), TOP - 22, f"{n / 2:g}",
                  'text-anchor="middle" fill="#777"')
             for n in range(int(2 * MOST) + 1)]
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 40}"'
            f' height="{bottom}" font-family="sans-serif" font-size="11">'
            f'<rect width="100%" height="100%" fill="#fff"/>')
    title = text(LEFT, 18, "What a peer takes, as a multiple of what lbproxyd "
                 f"takes; beyond {MOST:g} at the edge")
    one = (f'<line x1="{x_of(1):.1f}" x2="{x_of(1):.1f}" y1="{TOP - 16}" '
           f'y2="{bottom - 12}" stroke="#c0392b"/>')
    path.write_text("\n".join([head, title, *ticks, *rows, one, "</svg>", ""]))


# --- curves -----------------------------------------------------------------

CURVE = ["#2f6fab", "#c0392b", "#2e8b57", "#8e44ad", "#b9770e"]


def write_curves(values, path):
    """What an operation costs as a multiple of the least number's, against
    that number in powers of ten."""
    left, top, width, height, most = 60, 40, 460, 260, 2.0

    def place(n, ratio):
        decades = math.log10(max(n, 1)) / 5
        return (f"{left + width * decades:.1f},"
                f"{top + height * (1 - min(ratio, most) / most):.1f}")

    parts = []
    for (name, points), colour in zip(values.items(), CURVE):
        first = next(iter(points.values()))
        line = " ".join(place(n, v / first) for n, v in points.items())
        parts.append(f'<polyline points="{line}" fill="none" '
                     f'stroke="{colour}" stroke-width="2"/>')
        parts.append(text(left + width + 10, top + 16 * len(parts), name,
                          f'fill="{colour}"'))
    for decade in range(6):
        x = left + width * decade / 5
        parts.append(text(x, top + height + 16, f"{10 ** decade}",
                          'text-anchor="middle" fill="#777"'))
    for half in range(int(2 * most) + 1):
        y = top + height * (1 - half / 2 / most)
        parts.append(f'<line x1="{left}" x2="{left + width}" y1="{y:.1f}" '
                     f'y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(text(left - 6, y + 4, f"{half / 2:g}",
                          'text-anchor="end" fill="#777"'))
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 110}"'
        f' height="{top + height + 30}" font-family="sans-serif" '
        'font-size="11"><rect width="100%" height="100%" fill="#fff"/>\n'
        + text(left, 20, "An operation's cost with so many, as a multiple of "
               "that with the fewest") + "\n" + "\n".join(parts) + "\n</svg>\n")
