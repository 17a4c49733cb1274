"""The page of suspicious labels: nothing looked at yet, a list with its filters, who may answer."""

from __future__ import annotations

from dataclasses import replace

from core.services.issues.finding import known_issues
from core.services.issues.kept import keep
from core.services.issues.material import looked_at, state_of
from core.services.issues.values import Finding, Findings, IssuesView, Kind
from core.services.projects.project import get_project
from tests.pages.browser import Visit, words
from tests.pages.house import House


def find(house: House, *found: Finding, notes: tuple[str, ...] = ()) -> None:
    """Keep findings as a look would have."""
    project = get_project(house.ws, house.actor("mia"), "leaves")
    with house.ws.store.read() as connection:
        state = state_of(connection, project)
        n = len(looked_at(connection, project))
    keep(house.ws, project, Findings(found, n, n, 1, "A linear probe.", notes, state, 0.0))


def outlier(house: House, score: float = 0.7) -> Finding:
    """Return that the first image is unlike all others."""
    project = get_project(house.ws, house.actor("mia"), "leaves")
    with house.ws.store.read() as connection:
        item = looked_at(connection, project)[0]
    reason = "Unlike all others: <b>far</b> away."
    return Finding(item.id, Kind.OUTLIER, "", "", "", score, reason, item.final_seq)


def test_before_anybody_looked_the_page_offers_to(house: House, monkeypatch) -> None:
    """The empty page says what would be done, and has the button for it."""
    at = Visit(house, monkeypatch, "mia").open("suspicious", project="leaves")
    assert not at.exception
    assert "Nobody has looked yet" in words(at)
    assert [b.label for b in at.button if b.label.startswith("Look")] == [
        "Look for suspicious labels"
    ]


def test_what_was_found_can_be_narrowed_in_the_address(house: House, monkeypatch) -> None:
    """The counts are told, and a kind in the address is chosen in the filter."""
    find(house, outlier(house))
    at = Visit(house, monkeypatch, "mia").open("suspicious", project="leaves", kind="outlier")
    assert not at.exception
    assert "1 suspicion" in words(at)
    assert at.selectbox(key="suspicious.kind").value == "outlier"
    other = Visit(house, monkeypatch, "mia").open("suspicious", project="leaves", kind="label")
    assert "Nothing of this kind" in words(other)
    odd = Visit(house, monkeypatch, "mia").open("suspicious", project="leaves", kind="<script>")
    assert not odd.exception
    assert odd.selectbox(key="suspicious.kind").value == ""


def test_two_questions_are_listed_one_at_a_time_and_counted_alike(house: House) -> None:
    """Each question has its own list; what is counted for a filter is what choosing it lists."""
    first = outlier(house)
    mine = replace(first, kind=Kind.LABEL, label="oak", score=0.9)
    other = replace(mine, question="Condition", label="damaged", later=True)
    find(house, first, mine, other, replace(other, label="healthy"))

    def known(**asked: object) -> IssuesView:
        view = known_issues(house.ws, house.actor("mia"), "leaves", **asked)  # type: ignore[arg-type]
        assert view is not None
        return view

    assert known().questions == {"": 2, "Condition": 2}
    assert known().matching == known().total == 4
    main = known(question="", limit=1)
    assert (len(main.issues), main.matching) == (1, 2)
    assert (main.kinds, main.classes) == ({Kind.OUTLIER: 1, Kind.LABEL: 1}, {"oak": 1})
    for name, n in known(question="Condition").classes.items():
        chosen = known(question="Condition", label=name)
        assert (chosen.matching, {i.label for i in chosen.issues}) == (n, {name})


def test_nothing_suspicious_is_said_with_what_was_not_judged(house: House, monkeypatch) -> None:
    """A look that found nothing says so, and why where it could not look."""
    find(house, notes=("Regions were not judged: no model.",))
    text = words(Visit(house, monkeypatch, "mia").open("suspicious", project="leaves"))
    assert "Nothing looks suspicious" in text
    assert "Regions were not judged" in text


def test_experts_do_not_see_it(house: House, monkeypatch) -> None:
    """Who votes must not be told which labels are in doubt."""
    find(house, outlier(house))
    at = Visit(house, monkeypatch, "ada").open("suspicious", project="leaves")
    assert "suspicion" not in words(at)
