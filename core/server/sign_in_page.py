"""What the sign-in page looks like. Every value is escaped where it is put in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from html import escape
from importlib.util import find_spec
from pathlib import Path
from string import Template

from core.access import Role
from core.catalogue import catalogue, languages
from core.errors import TiebreakError
from core.services.accounts.sessions import DemoPerson
from core.web import SIGN_IN_PATH

HERE = Path(__file__).parent
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; font-src 'self'; img-src data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

_MARK = (
    '<svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" fill="#2F6FDE"/>'
    '<path d="M8 11h16M16 11v12" stroke="#fff" stroke-width="3" stroke-linecap="round" fill="none"/>'
    '<circle cx="8.6" cy="20" r="2.4" fill="#fff" opacity=".75"/>'
    '<circle cx="23.4" cy="20" r="2.4" fill="#fff" opacity=".75"/></svg>'
)
_GLYPHS = {
    Role.EXPERT: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6z",
    Role.LEAD: "M12 4v16M7 20h10M5 8h14M5 8l-2.5 6h5zM19 8l-2.5 6h5z",
    Role.MANAGER: "M4 20V10M10 20V4M16 20v-7M21 20H3",
    Role.ADMIN: "M12 3l7.5 3v5.5c0 4.5-3 8-7.5 9.5-4.5-1.5-7.5-5-7.5-9.5V6z",
}


@dataclass(frozen=True, slots=True)
class SignInPage:
    """What the page shows.

    Attributes:
        base: The app's base path.
        target: Where to go afterwards.
        language: Code of the language to write in.
        demo: People one may become with one click.
        anybody: Whether anybody has a password at all.
        error: What went wrong at the last try.
        name: The name that was typed then.
    """

    base: str
    target: str
    language: str
    demo: tuple[DemoPerson, ...] = ()
    anybody: bool = True
    error: TiebreakError | None = None
    name: str = ""


def preferred(accept_language: str) -> str:
    """Return the first language of the browser's list that we have, else English."""
    have = languages()
    wanted = (part.split(";")[0].strip().lower()[:2] for part in accept_language.split(","))
    return next((code for code in wanted if code in have), "en")


def render(page: SignInPage) -> str:
    """Return the page as HTML."""
    _ = catalogue(page.language).gettext
    document = Template((HERE / "account.html").read_text("utf-8"))
    return document.substitute(
        lang=page.language,
        title=escape(_("Sign in")),
        font=_font_face(page.base),
        style=(HERE / "account.css").read_text("utf-8"),
        body=_with_demo(page) if page.demo else _alone(page),
    )


def _alone(page: SignInPage) -> str:
    card = _form(page) if page.anybody else _nobody(page)
    return f'<main><div class="brand">{_MARK}Tiebreak</div><div class="card">{card}</div></main>'


def _with_demo(page: SignInPage) -> str:
    _ = catalogue(page.language).gettext
    return (
        '<main class="wide"><div class="pitch">'
        f'<div class="brand">{_MARK}Tiebreak</div>'
        f"<h1>{escape(_('The model proposes, people correct, votes settle.'))}</h1>"
        f"<p>{escape(_('This is the demo. Choose who you want to be; you can sign out and change at any time.'))}</p>"
        f'<div class="roles">{"".join(_demo_button(page, p) for p in _one_per_role(page.demo))}</div>'
        f"{_colleagues(page)}"
        f'<p class="simulated">{escape(_("All people and answers in the demo are simulated."))}</p>'
        f'</div><div class="card">{_form(page)}</div></main>'
    )


def _one_per_role(people: tuple[DemoPerson, ...]) -> list[DemoPerson]:
    first: dict[Role, DemoPerson] = {}
    for person in people:
        first.setdefault(person.role, person)
    return list(first.values())


def _colleagues(page: SignInPage) -> str:
    """Return small buttons for the people whose role another one's card stands for."""
    shown = {p.name for p in _one_per_role(page.demo)}
    rest = [p for p in page.demo if p.name not in shown]
    if not rest:
        return ""
    _ = catalogue(page.language).gettext
    names = "".join(
        f'<button type="submit" name="name" value="{escape(p.name)}">{escape(p.display_name)}</button>'
        for p in rest
    )
    return (
        f'<form class="colleagues" method="post" action="{escape(page.base)}/account/demo">'
        f"{_next(page)}<span>{escape(_('Or a colleague:'))}</span>{names}</form>"
    )


def _demo_button(page: SignInPage, person: DemoPerson) -> str:
    _ = catalogue(page.language).gettext
    title, text = {
        Role.EXPERT: (_("Expert"), _("Reviews doubtful images, fast, with the keyboard")),
        Role.LEAD: (_("Lead"), _("Breaks ties and keeps quality honest")),
        Role.MANAGER: (_("Manager"), _("Reads quality, throughput and bias")),
        Role.ADMIN: (_("Admin"), _("Looks after people and roles")),
    }[person.role]
    return (
        f'<form method="post" action="{escape(page.base)}/account/demo">{_next(page)}'
        f'<button type="submit" name="name" value="{escape(person.name)}">'
        f'<span class="glyph"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="{_GLYPHS[person.role]}"/></svg></span>'
        f"<span><b>{escape(title)} · {escape(person.display_name)}</b><small>{escape(text)}</small></span>"
        '<span class="arrow" aria-hidden="true">→</span></button></form>'
    )


def _form(page: SignInPage) -> str:
    _ = catalogue(page.language).gettext
    alert = ""
    if page.error is not None:
        said = f"{page.error.message} {page.error.advice}".strip()
        alert = f'<div role="alert">{escape(said)}</div>'
    focus = "" if page.demo and page.error is None else " autofocus"
    # After a wrong password the name stands and the cursor waits in the password.
    at_name, at_password = ("", focus) if page.name else (focus, "")
    return (
        f'<form method="post" action="{escape(page.base)}{SIGN_IN_PATH}">'
        f"<h2>{escape(_('Sign in'))}</h2>{alert}{_next(page)}"
        f'<label for="name">{escape(_("Name"))}</label>'
        f'<input id="name" name="name" type="text" autocomplete="username" autocapitalize="none" '
        f'spellcheck="false" maxlength="64" required value="{escape(page.name)}"{at_name}>'
        f'<label for="password">{escape(_("Password"))}</label>'
        f'<input id="password" name="password" type="password" autocomplete="current-password" '
        f'maxlength="1000" required{at_password}>'
        f'<button class="primary" type="submit">{escape(_("Sign in"))}</button>'
        f'<p class="hint">{escape(_("No account, or password forgotten? An admin sets it for you."))}</p>'
        "</form>"
    )


def _nobody(page: SignInPage) -> str:
    _ = catalogue(page.language).gettext
    return (
        f"<h1>{escape(_('Nobody has an account yet'))}</h1>"
        f"<p>{escape(_('This workspace is new. On the server, run'))}</p>"
        "<p><code>tiebreak user add NAME --role admin</code></p>"
        f'<p class="hint">{escape(_("Then reload this page. To look around first: tiebreak demo."))}</p>'
    )


def _next(page: SignInPage) -> str:
    return f'<input type="hidden" name="next" value="{escape(page.target)}">'


@lru_cache(maxsize=4)
def _font_face(base: str) -> str:
    """Return the rule that loads the app's own font, so that both look alike; none if it moved."""
    spec = find_spec("streamlit")
    folder = (
        Path(spec.origin).parent / "static" / "static" / "media" if spec and spec.origin else HERE
    )
    found = sorted(folder.glob("SourceSansVF-Upright*.woff2"))
    if not found:
        return ""
    source = f"{base}/static/media/{found[0].name}"
    return (
        '@font-face{font-family:"Source Sans";font-weight:200 900;font-display:swap;'
        f'src:url("{source}") format("woff2")}}'
    )
