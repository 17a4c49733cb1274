"""Commands about what a model may decide alone: simulate, certify, audit."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from core.access import Actor
from core.cli.figures import percent
from core.cli.options import JsonOption, ProjectArgument, WorkspaceOption, opened
from core.cli.output import Meter, emit
from core.errors import InputError, NotFound, one_of
from core.services.certificates.accept import AcceptedView, accept
from core.services.certificates.audits import AuditRow, audit_standing, draw_audit, watch_audit
from core.services.certificates.campaign import (
    CampaignView,
    CertificateView,
    certify_all,
    get_campaign,
    list_certificates,
    open_campaign,
)
from core.services.certificates.simulate import settings_for, simulate_project
from core.services.certificates.simulation import Simulation
from core.services.models.promotion import list_models
from core.services.workspace import Workspace

TargetOption = Annotated[
    float, typer.Option(help="Largest share of wrong labels among those accepted.")
]
ConfidenceOption = Annotated[
    float, typer.Option(help="How sure that is, over all looks of the campaign together.")
]


def simulate(
    project: ProjectArgument,
    truth: Annotated[
        Path | None, typer.Option(help="Table file, label; the labels in force by default.")
    ] = None,
    target_error: TargetOption = 0.05,
    confidence: ConfidenceOption = 0.9,
    seeds: Annotated[int, typer.Option(min=1, help="How many campaigns.")] = 20,
    looks: Annotated[
        int,
        typer.Option(min=1, help="Looks a campaign may take; one in the other modes than probe."),
    ] = 3,
    mode: Annotated[
        str,
        typer.Option(
            help="probe; hard-first: people label what it is least sure of; fine-tune: minutes each."
        ),
    ] = "probe",
    backbone: Annotated[str | None, typer.Option(help="Name of a torchvision model.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run whole campaigns against known labels: what a team would have saved."""
    settings = settings_for(target_error, confidence, looks)
    ws, me = opened(workspace)
    meter = Meter(as_json)
    try:
        found = simulate_project(
            ws, me, project, truth, settings, range(seeds),
            lambda step: meter.show(step.phase, step.done, step.total, step.seconds_left),
            backbone, mode,
        )  # fmt: skip
    except KeyboardInterrupt:
        meter.close()
        sys.stderr.write("stopped: a simulation keeps nothing, and the record was not touched.\n")
        raise typer.Exit(1) from None
    finally:
        meter.close()
    emit(found.to_dict(), as_json, _simulation_text(found))


def _simulation_text(found: Simulation) -> str:
    lines = [
        f"{found.seeds} campaigns on {found.n:,} images, at most {percent(found.target_error)} wrong at "
        f"{percent(found.confidence, 0)} confidence ({found.seconds:.0f} s):",
        f"people label {percent(found.human_share)} ({percent(found.low)} to {percent(found.high)}); accepted labels "
        f"are wrong in {percent(found.auto_error, 2)} (at most {percent(found.auto_error_max, 2)}); "
        f"{percent(found.runs_over_target, 0)} of the {found.seeds} runs are over the target (95 % interval "
        f"{percent(found.runs_low, 0)} to {percent(found.runs_high, 0)}); the final labels are right in "
        f"{percent(found.final_accuracy, 2)}. Ranges are over the runs.",
        *_refusals(found),
        f"{'way':<18}{'by people':>10}{'error':>9}{'over':>7}{'right':>9}",
    ]
    lines += [
        f"{w.way:<18}{percent(w.human_share):>10}{percent(w.auto_error, 2):>9}{percent(w.runs_over_target, 0):>7}"
        f"{percent(w.final_accuracy, 2):>9}"
        for w in found.table
    ]
    if found.n_refused:
        first = found.refused[0]
        lines.append(f"{found.n_refused} lines were left out. Line {first.line}: {first.reason}")
    return "\n".join([*lines, *([found.notice] if found.notice else [])])


def _refusals(found: Simulation) -> list[str]:
    """Tell of runs in which nothing was accepted, and what may help."""
    if not found.refused_runs:
        return []
    said = (
        f"In {found.refused_runs} of {found.seeds} runs nothing could be certified, so people label all; "
        "they count as no error."
    )
    if found.mode == "probe":
        return [
            said
            + " '--mode hard-first' lets people take the hardest first; '--mode fine-tune' too."
        ]
    return [said + " More images, more labels or a laxer target may help."]


def certify(
    project: ProjectArgument,
    model: Annotated[int | None, typer.Option(help="The promoted model by default.")] = None,
    target_error: Annotated[
        float | None, typer.Option(help="As in the campaign in force; 0.05 in the first.")
    ] = None,
    confidence: Annotated[
        float | None, typer.Option(help="As in the campaign in force; 0.9 in the first.")
    ] = None,
    scope: Annotated[
        str | None,
        typer.Option(help="all, classes or slices:<column>: as in the campaign in force, or all."),
    ] = None,
    iou: Annotated[
        float | None, typer.Option(help="From which overlap on a region is right; 0.5 at first.")
    ] = None,
    count: Annotated[int | None, typer.Option(help="Accept at most so many items.")] = None,
    accept_it: Annotated[
        bool, typer.Option("--accept", help="Let what was certified count at once.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Kept with the campaign and the acceptance.")] = "",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look whether a model's labels may be accepted; each look spends its share of the error."""
    ws, me = opened(workspace)
    # All that may be refused is looked at first: another promise would end the one in force.
    if count is not None and count < 1:
        raise InputError(f"'--count' is 1 or more, found {count}.", "Correct it; nothing was done.")
    if confidence is not None and not 0 < confidence < 1:
        raise InputError(
            f"The confidence lies between 0 and 1, found {confidence:g}.",
            "0.9 is usual; no campaign was opened.",
        )
    chosen = _chosen(ws, me, project, model)
    said = reason or "asked for on the command line"
    campaign = _promised(ws, me, project, (target_error, confidence, scope, iou), said)
    found = certify_all(ws, me, project, chosen, count)
    done = [accept(ws, me, project, c.id, said) for c in found if c.certified and accept_it]
    notice = campaign.notice
    best = max(found, key=lambda c: c.accepted)
    doc = {
        **_certificate_doc(best),
        "campaign": campaign.id,
        "notice": notice,
        "certificates": [_certificate_doc(c) for c in found],
        "accepted_now": sum(d.accepted for d in done),
        "withheld": sum(d.withheld for d in done),
        "released": sum(d.released for d in done),
    }
    emit(doc, as_json, _certify_text(found, done, notice))


def _promised(
    ws: Workspace,
    me: Actor,
    project: str,
    asked: tuple[float | None, float | None, str | None, float | None],
    reason: str,
) -> CampaignView:
    """Return the campaign asked for; what is not named is as in the one in force."""
    last = get_campaign(ws, me, project)
    target, confidence, scope, iou = asked
    delta = None if confidence is None else round(1 - confidence, 12)
    if last is not None and asked == (None,) * 4:
        return last
    before = (last.target, last.delta, last.scope, last.iou) if last else (0.05, 0.1, "all", 0.5)
    return open_campaign(
        ws,
        me,
        project,
        before[0] if target is None else target,
        before[1] if delta is None else delta,
        before[2] if scope is None else scope,
        before[3] if iou is None else iou,
        reason,
    )


def _chosen(ws: Workspace, me: Actor, project: str, model: int | None) -> int:
    """Return the model named, or the promoted one.

    Raises:
        NotFound: There is no such model.
    """
    known = list_models(ws, me, project)
    if model is not None:
        if model not in {m.id for m in known}:
            raise NotFound(
                f"There is no model {model} in '{project}'; nothing was done.",
                one_of(sorted(m.id for m in known), "None was trained yet."),
            )
        return model
    found = [m.id for m in known if m.promoted]
    if not found:
        raise NotFound(
            f"'{project}' has no promoted model to certify.",
            "Label some items, train a model, and put it in force.",
        )
    return found[0]


def _certificate_doc(found: CertificateView) -> dict[str, object]:
    return {
        "id": found.id,
        "outcome": found.outcome,
        "scope": found.scope,
        "sentence": found.sentence,
        "threshold": found.threshold,
        "accepted": found.accepted,
        "sampled": found.sampled,
        "errors": found.errors,
        "bound": found.bound,
        "needs": found.needs,
        "look": found.look,
        "delta_spent": found.delta_spent,
        "delta_left": found.delta_left,
    }


def _certify_text(found: list[CertificateView], done: list[AcceptedView], notice: str) -> str:
    lines = [notice] if notice else []
    lines += [f"{c.scope}: {c.outcome}. {c.sentence}" for c in found]
    if found:
        one = found[0]
        lines.append(
            f"This was look {one.look}; it spent {percent(one.delta_spent, 2)} of what the campaign may err, "
            f"{percent(one.delta_left, 2)} is left for further looks."
        )
    lines += [d.sentence for d in done]
    if any(c.certified for c in found) and not done:
        lines.append("Nothing counts yet; '--accept' lets it.")
    return "\n".join(lines)


def audit(
    project: ProjectArgument,
    draw: Annotated[
        int, typer.Option(min=0, help="Send so many more accepted items to people, unseen.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Draws them.")] = 0,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how the audit of accepted labels stands; take back what it shows to be wrong too often."""
    ws, me = opened(workspace)
    revoked = watch_audit(ws, me, project)
    drawn = 0
    if draw:
        newest = next((c for c in list_certificates(ws, me, project) if c.standing), None)
        if newest is None:
            raise NotFound(f"Nothing stands as accepted in '{project}'.", "Certify a model first.")
        drawn = draw_audit(ws, me, project, newest.id, draw, seed)
    rows = audit_standing(ws, me, project)
    text = "\n".join(map(_audit_text, rows)) or "Nothing was accepted yet."
    if revoked:
        text += f"\n{len(revoked):,} labels were taken back."
    emit({"rows": rows, "revoked": revoked, "drawn": drawn}, as_json, text)


def _audit_text(row: AuditRow) -> str:
    state = "taken back" if row.revoked else f"{row.standing:,} stand"
    warning = "; errors may be growing" if row.drifting else ""
    return (
        f"certificate {row.certificate_id}, {row.scope}: {row.wrong} of {row.n} checked were wrong "
        f"({percent(row.low)} to {percent(row.high)}; {percent(row.target)} allowed), stake {row.e:.2g} of "
        f"{row.needed:.3g}; {state}{warning}"
    )
