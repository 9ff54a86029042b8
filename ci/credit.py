"""Which mutants speak for which requirement, from the verdicts of ci/mutate.

A test that fails with a mutant shows that it looks at something; of which of
the ids in its name, nobody can tell. So a mutant speaks for an id only if
  - a test or an oracle failed that cites at most this one and another, or
  - all that failed cite it.
And an id that in all of these stands together with the same other one has no
mutant of its own: it may have been made up, and be written in that test's name.
"""

CITED_MAX = 2


def counts_for(found, tests):
    """The tests, as sets of ids, through which a mutant speaks for an id;
    tests: the sets of all that failed with it."""
    if all(found in cited for cited in tests):
        return list(tests)
    return [c for c in tests if found in c and len(c) <= CITED_MAX]


def table(files):
    """Id -> {"kills": how many mutants speak for it, "first": three of these,
    "with": an id that it never fails without}; files: path -> what kills.json
    keeps of it."""
    names = {}
    through = {}
    for entry in files.values():
        for name, mutant in entry.get("mutants", {}).items():
            tests = [frozenset(t) for t in mutant.get("tests", {}).values()]
            for found in frozenset().union(*tests):
                cited = counts_for(found, tests)
                names.setdefault(found, []).extend([name] if cited else [])
                through.setdefault(found, []).extend(cited)
    ids = {}
    for found in sorted(names):
        shared = frozenset.intersection(*through[found] or [frozenset()])
        shared -= {found}
        kills = [] if shared else sorted(names[found])
        ids[found] = {"kills": len(kills), "first": kills[:3]}
        if shared:
            ids[found]["with"] = min(shared)
    return ids


def selftest():
    """What is wrong with the rules above, a line each."""

    def kills(*mutants):
        tests = [{"tests": dict(enumerate(one))} for one in mutants]
        files = {"x.c": {"mutants": dict(enumerate(tests))}}
        return {i: entry["kills"] for i, entry in table(files).items()}

    cases = [
        ("a test of its own", kills([["A-1"]]), {"A-1": 1}),
        ("a made-up id beside another one", kills([["A-1", "X-1"]], [["A-1"]]),
         {"A-1": 2, "X-1": 0}),
        ("a made-up id beside two", kills([["A-1", "A-2", "X-1"], ["A-2"]]),
         {"A-1": 0, "A-2": 1, "X-1": 0}),
        ("nobody knows which of the two", kills([["A-1", "A-2"]]),
         {"A-1": 0, "A-2": 0}),
        ("each beside another one", kills([["A-1", "A-2"], ["A-1", "A-3"]]),
         {"A-1": 1, "A-2": 0, "A-3": 0}),
        ("all that failed have it in common",
         kills([["A-1", "A-2", "A-3"], ["A-1", "A-4", "A-5"]]),
         {"A-1": 1, "A-2": 0, "A-3": 0, "A-4": 0, "A-5": 0}),
        ("a test that cites none", kills([[], ["A-1", "A-2", "A-3"]]),
         {"A-1": 0, "A-2": 0, "A-3": 0}),
    ]
    return [f"{what}: {got}" for what, got, want in cases if got != want]
