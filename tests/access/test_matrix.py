"""The role matrix: every service function × every role × whose project it is; and default deny.

What is expected comes from ``MATRIX``; how each function is called is data here. A new service
function that takes an actor must be added, or the introspection test fails.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import core.services
from core.access import ANONYMOUS, Action, Actor, Resource, Role, can, can_anywhere
from core.access.roles import MATRIX, OWNED
from core.analytics.paces import By
from core.clock import new_uuid
from core.consensus.policy import Policy
from core.errors import AccessError, Forbidden, NotFound, NotSignedIn, TiebreakError
from core.jobs.rows import JobStatus, create_job, finish_job
from core.labels.operations import Recolour, Retire
from core.labels.schema import Task
from core.learning.calibration import reliability
from core.learning.certify import Candidates, Evidence
from core.learning.curve import Costs, risk_coverage
from core.learning.loop import LoopSettings
from core.queue.plan import QueuePlan
from core.services.accounts import changing, grants, people, skills, teams
from core.services.accounts.changing import add_person
from core.services.accounts.people import actor_of, operator
from core.services.analytics import costs as analytics_costs
from core.services.analytics import fatigue as analytics_fatigue
from core.services.analytics import forecast as analytics_forecast
from core.services.analytics import marks as analytics_marks
from core.services.analytics import paces as analytics_paces
from core.services.analytics import people_quality
from core.services.analytics import stages as analytics_stages
from core.services.analytics import teams as figure_teams
from core.services.bias import (
    bounties,
    confirmation_bias,
    guideline_rules,
    measured,
    measurement_bias,
    object_sizes,
    reference_sets,
    said_labels,
    selection_bias,
    slice_ask,
    slice_items,
    slice_prepare,
    slices,
    too_clean,
)
from core.services.certificates import (
    accept,
    audits,
    looks,
    promises,
    recall,
    savings,
    simulate,
    theatre,
    views,
)
from core.services.consensus import dry_run, replay, resolve
from core.services.grid import page, votes
from core.services.issues import answers as issue_answers
from core.services.issues import finding as issue_finding
from core.services.items import about, lists, why
from core.services.models import card as model_card
from core.services.models import compare as model_compare
from core.services.models import (
    datasets,
    general,
    jobs,
    next_labels,
    promotion,
    recipes_preview,
    skew,
    training,
    watching,
)
from core.services.pictures import crops, images, tiles
from core.services.projects import project as projects
from core.services.projects import queue_plans, training_rules
from core.services.report import weekly
from core.services.review import (
    adjudication,
    admission,
    autopsy,
    bulk,
    claiming,
    disputes,
    drafts,
    gold_pool,
    leases,
    overturn,
    recent,
    rulings,
    submitting,
    used,
)
from core.services.review.ruling import Ruling, decide
from core.services.review.submission import Submission
from core.services.steering import given_policy, history, policy_versions, rules, schemas
from core.services.talk import threads, writing
from core.services.transfer import import_report, imports
from core.services.versions import differing, exporting, lineage, snapshot
from tests.record import World, add_items, make_project, make_world, rule, say

ROLES = tuple(Role)
SEEN = {Action.SEE_PROJECT, Action.SEE_IMAGE}
PICTURES = (
    "pictures.images.item_image",
    "pictures.images.visible_item",
    "pictures.tiles.item_tile",
    "pictures.crops.item_crop",
)


@dataclass(frozen=True)
class Call:
    """One service function, what it asks of the gate, and a harmless way to call it.

    Attributes:
        everywhere: Whether the right must be held for all projects.
    """

    name: str
    action: Action
    run: Callable[[World, Actor], object]
    everywhere: bool = False


LONELY = Candidates(np.array([10**9]), np.array([0.5]))


def sent(world: World) -> Submission:
    return Submission(new_uuid(), world.items[0], "vote", say("cat"))


def ruling(world: World) -> Ruling:
    return Ruling(new_uuid(), world.items[2], "discard", None, "no image", 0)


def job_of(world: World) -> int:
    with world.ws.store.write() as connection:
        made = create_job(connection, world.project.id, "train", {}, world.cast.admin.person_id, 1)
        finish_job(connection, made, JobStatus.DONE, 2.0)
    return made


def by_slug(function: Callable, *rest: object) -> Callable[[World, Actor], object]:
    return lambda w, a: function(w.ws, a, w.slug, *rest)


REFERENCE = reference_sets.ReferenceAsk("camera=A")
NO_SCENE = theatre.TheatreData(
    1,
    risk_coverage(LONELY, Evidence(LONELY.item_ids[:0], np.zeros(0, bool))),
    reliability(np.zeros(0), np.zeros(0, bool)),
    Costs(1.0),
    False,
    0,
    "",
    LONELY,
    np.array(["cat"], object),
)

CALLS = (
    Call("review.claiming.claim_items", Action.VOTE, by_slug(claiming.claim_items, 1)),
    Call(
        "review.leases.open_item",
        Action.SEE_IMAGE,
        lambda w, a: leases.open_item(w.ws, a, w.slug, w.items[0]),
    ),
    Call("review.leases.renew_leases", Action.VOTE, by_slug(leases.renew_leases, [])),
    Call("review.leases.release_items", Action.VOTE, by_slug(leases.release_items, [])),
    Call(
        "review.drafts.save_draft",
        Action.VOTE,
        lambda w, a: drafts.save_draft(w.ws, a, w.slug, w.items[0], say("cat")),
    ),
    Call("review.recent.my_recent", Action.SEE_OWN, by_slug(recent.my_recent)),
    Call(
        "analytics.people_quality.person_quality",
        Action.SEE_OWN,
        lambda w, a: people_quality.person_quality(w.ws, a, w.slug, a.person_id),
    ),
    Call(
        "analytics.people_quality.everybodys_quality",
        Action.SEE_FIGURES,
        by_slug(people_quality.everybodys_quality),
    ),
    Call("report.weekly.weekly_report", Action.SEE_FIGURES, by_slug(weekly.weekly_report)),
    Call("bias.slices.slices_of", Action.SEE_FIGURES, by_slug(slices.slices_of)),
    Call(
        "bias.slice_prepare.prepare",
        Action.SEE_FIGURES,
        by_slug(slice_prepare.prepare, slice_ask.SliceAsk()),
    ),
    Call(
        "analytics.marks.work_behind",
        Action.SEE_FIGURES,
        by_slug(analytics_marks.work_behind, analytics_marks.Work()),
    ),
    Call(
        "analytics.marks.statements_behind",
        Action.SEE_FIGURES,
        by_slug(analytics_marks.statements_behind, analytics_marks.Statement()),
    ),
    Call(
        "analytics.marks.differing_behind",
        Action.SEE_FIGURES,
        by_slug(analytics_marks.differing_behind),
    ),
    Call(
        "analytics.marks.standing_behind",
        Action.SEE_FIGURES,
        by_slug(analytics_marks.standing_behind, 0.0),
    ),
    Call(
        "analytics.marks.firsts_behind",
        Action.SEE_FIGURES,
        by_slug(analytics_marks.firsts_behind, analytics_marks.Firsts.KEPT),
    ),
    Call(
        "analytics.marks.gold_behind",
        Action.SEE_GOLD,
        by_slug(analytics_marks.gold_behind, 1),
    ),
    Call(
        "bias.measurement_bias.measurement_bias",
        Action.SEE_FIGURES,
        by_slug(measurement_bias.measurement_bias),
    ),
    Call(
        "bias.confirmation_bias.confirmation_bias",
        Action.SEE_FIGURES,
        by_slug(confirmation_bias.confirmation_bias),
    ),
    Call(
        "bias.confirmation_bias.cell_items",
        Action.SEE_FIGURES,
        by_slug(confirmation_bias.cell_items, said_labels.BiasAsk(), ("camera", "A"), "cat"),
    ),
    Call("bias.measured.measured_now", Action.SEE_FIGURES, by_slug(measured.measured_now)),
    Call("bias.measured.measure_items", Action.SEE_FIGURES, by_slug(measured.measure_items)),
    Call(
        "bias.slice_items.slice_items",
        Action.SEE_FIGURES,
        by_slug(slice_items.slice_items, slice_ask.SliceAsk(), [("camera", "A")]),
    ),
    Call(
        "bias.slice_items.slice_bounty",
        Action.SEE_FIGURES,
        by_slug(slice_items.slice_bounty, slice_ask.SliceAsk(), [("camera", "A")], 3.0),
    ),
    Call(
        "bias.slice_items.make_bounty",
        Action.STEER,
        by_slug(slice_items.make_bounty, slice_ask.SliceAsk(), [("camera", "A")], 3.0),
    ),
    Call(
        "bias.bounties.queued_bounties",
        Action.SEE_FIGURES,
        by_slug(bounties.queued_bounties, [("camera", "A")]),
    ),
    Call(
        "bias.bounties.take_back_bounty",
        Action.STEER,
        by_slug(bounties.take_back_bounty, 10**6),
    ),
    Call(
        "bias.slice_items.queue_first",
        Action.STEER,
        lambda w, a: slice_items.queue_first(w.ws, a, w.slug, "first", w.items[:1], "a test"),
    ),
    Call(
        "bias.reference_sets.references",
        Action.SEE_FIGURES,
        by_slug(reference_sets.references),
    ),
    Call(
        "bias.reference_sets.two_sets",
        Action.SEE_FIGURES,
        by_slug(reference_sets.two_sets, REFERENCE),
    ),
    Call(
        "bias.selection_bias.selection_bias",
        Action.SEE_FIGURES,
        by_slug(selection_bias.selection_bias, REFERENCE),
    ),
    Call(
        "bias.selection_bias.selection_pictures",
        Action.SEE_FIGURES,
        by_slug(selection_bias.selection_pictures, REFERENCE, "light", "dusk"),
    ),
    Call(
        "bias.too_clean.too_clean",
        Action.SEE_FIGURES,
        by_slug(too_clean.too_clean, REFERENCE),
    ),
    Call(
        "bias.too_clean.telling_pictures",
        Action.SEE_FIGURES,
        by_slug(too_clean.telling_pictures, REFERENCE),
    ),
    Call(
        "bias.object_sizes.object_sizes",
        Action.SEE_FIGURES,
        by_slug(object_sizes.object_sizes),
    ),
    Call(
        "bias.object_sizes.size_pictures",
        Action.SEE_FIGURES,
        by_slug(object_sizes.size_pictures, REFERENCE, "cat", 1),
    ),
    Call(
        "bias.guideline_rules.rules_view",
        Action.SEE_FIGURES,
        by_slug(guideline_rules.rules_view),
    ),
    Call(
        "bias.guideline_rules.rule_violations",
        Action.SEE_FIGURES,
        by_slug(guideline_rules.rule_violations, 2),
    ),
    Call(
        "bias.guideline_rules.send_violations_first",
        Action.STEER,
        by_slug(guideline_rules.send_violations_first, 2),
    ),
    Call(
        "bias.guideline_rules.settled_violations",
        Action.ADJUDICATE,
        by_slug(guideline_rules.settled_violations, 2),
    ),
    Call(
        "review.admission.standing_events", Action.SEE_FIGURES, by_slug(admission.standing_events)
    ),
    Call("review.gold_pool.gold_pool", Action.SEE_GOLD, by_slug(gold_pool.gold_pool)),
    Call(
        "review.admission.pause_person",
        Action.STEER,
        lambda w, a: admission.pause_person(
            w.ws, a, w.slug, w.cast.experts[3].person_id, "on leave"
        ),
    ),
    Call(
        "review.admission.resume_person",
        Action.STEER,
        lambda w, a: admission.resume_person(
            w.ws, a, w.slug, w.cast.experts[3].person_id, "is back"
        ),
    ),
    Call(
        "review.submitting.submit",
        Action.VOTE,
        lambda w, a: submitting.submit(w.ws, a, w.slug, sent(w)),
    ),
    Call(
        "issues.finding.issues_of",
        Action.SEE_FIGURES,
        lambda w, a: issue_finding.issues_of(w.ws, a, w.slug, make=False),
    ),
    Call(
        "issues.finding.known_issues",
        Action.SEE_FIGURES,
        by_slug(issue_finding.known_issues),
    ),
    Call(
        "issues.finding.images_of",
        Action.SEE_FIGURES,
        lambda w, a: issue_finding.images_of(w.ws, a, w.slug, w.items[:1]),
    ),
    Call(
        "issues.answers.send_back",
        Action.ADJUDICATE,
        lambda w, a: issue_answers.send_back(
            w.ws, a, w.slug, w.items[0], "looks wrong", new_uuid()
        ),
    ),
    Call(
        "issues.answers.call_right",
        Action.ADJUDICATE,
        lambda w, a: issue_answers.call_right(
            w.ws, a, w.slug, w.items[0], "outlier", 0, new_uuid()
        ),
    ),
    Call(
        "issues.answers.ask_again",
        Action.ADJUDICATE,
        lambda w, a: issue_answers.ask_again(w.ws, a, w.slug, w.items[0], "outlier", 0, new_uuid()),
    ),
    Call("review.adjudication.disputes", Action.ADJUDICATE, by_slug(adjudication.disputes)),
    Call(
        "review.adjudication.list_disputes",
        Action.ADJUDICATE,
        by_slug(adjudication.list_disputes),
    ),
    Call(
        "review.disputes.get_dispute",
        Action.ADJUDICATE,
        lambda w, a: disputes.get_dispute(w.ws, a, w.slug, w.items[0]),
    ),
    Call(
        "review.ruling.decide",
        Action.ADJUDICATE,
        lambda w, a: decide(w.ws, a, w.slug, ruling(w)),
    ),
    Call("review.autopsy.autopsies", Action.ADJUDICATE, by_slug(autopsy.autopsies)),
    Call("review.autopsy.autopsy_of", Action.ADJUDICATE, by_slug(autopsy.autopsy_of, 1)),
    Call(
        "review.bulk.bulk_rule",
        Action.ADJUDICATE,
        lambda w, a: bulk.bulk_rule(
            w.ws, a, w.slug, [(w.items[1], 0)], "discard", None, "no image", new_uuid()
        ),
    ),
    Call(
        "review.overturn.overturn",
        Action.ADJUDICATE,
        lambda w, a: overturn.overturn(
            w.ws, a, w.slug, [(w.items[1], 0)], "discard", None, "no image", new_uuid()
        ),
    ),
    Call("review.rulings.rulings", Action.ADJUDICATE, by_slug(rulings.rulings)),
    Call(
        "review.used.what_used",
        Action.EXCHANGE,
        lambda w, a: used.what_used(w.ws, a, w.slug, w.items[0]),
    ),
    Call(
        "items.why.explain",
        Action.SEE_PROJECT,
        lambda w, a: why.explain(w.ws, a, w.slug, w.items[0]),
    ),
    Call(
        "items.about.about_item",
        Action.SEE_IMAGE,
        lambda w, a: about.about_item(w.ws, a, w.slug, w.items[0]),
    ),
    Call(
        "talk.writing.start_thread",
        Action.SEE_IMAGE,
        lambda w, a: writing.start_thread(w.ws, a, w.slug, w.items[0], "hello", new_uuid()),
    ),
    Call(
        "talk.writing.reply", Action.SEE_IMAGE, by_slug(writing.reply, 10**6, "hello", "a-uuid-1")
    ),
    Call(
        "talk.writing.resolve_thread",
        Action.SEE_IMAGE,
        by_slug(writing.resolve_thread, 10**6, "a-uuid-2"),
    ),
    Call(
        "talk.writing.reopen_thread",
        Action.SEE_IMAGE,
        by_slug(writing.reopen_thread, 10**6, "a-uuid-3"),
    ),
    Call(
        "talk.threads.item_threads",
        Action.SEE_IMAGE,
        lambda w, a: threads.item_threads(w.ws, a, w.slug, w.items[0]),
    ),
    Call("talk.threads.mentionable", Action.SEE_IMAGE, by_slug(threads.mentionable)),
    Call("grid.page.grid_page", Action.VOTE, by_slug(page.grid_page)),
    Call("grid.page.hold_tiles", Action.VOTE, by_slug(page.hold_tiles, [])),
    Call("grid.votes.decide_tiles", Action.VOTE, by_slug(votes.decide_tiles, [])),
    Call("grid.page.my_attention", Action.SEE_OWN, by_slug(page.my_attention)),
    Call(
        "pictures.crops.item_crop",
        Action.SEE_IMAGE,
        lambda w, a: crops.item_crop(w.ws, a, w.items[0], "0,0,9,9"),
    ),
    Call("projects.project.get_project", Action.SEE_PROJECT, by_slug(projects.get_project)),
    Call("consensus.replay.replay", Action.STEER, by_slug(replay.replay, ())),
    Call(
        "steering.policy_versions.policy_versions",
        Action.STEER,
        by_slug(policy_versions.policy_versions),
    ),
    Call(
        "steering.policy_versions.put_back",
        Action.STEER,
        by_slug(policy_versions.put_back, 1, "why"),
    ),
    Call(
        "steering.given_policy.given_policy",
        Action.STEER,
        by_slug(given_policy.given_policy, Path(os.devnull)),
    ),
    Call("steering.rules.set_policy", Action.STEER, by_slug(rules.set_policy, Policy(), "why")),
    Call("steering.rules.set_guideline", Action.STEER, by_slug(rules.set_guideline, "look", "why")),
    Call("steering.rules.example_of", Action.STEER, by_slug(rules.example_of, "00000.png")),
    Call(
        "steering.schemas.preview_edit",
        Action.STEER,
        by_slug(schemas.preview_edit, [Retire("label", 2)]),
    ),
    Call(
        "steering.schemas.edit_schema",
        Action.STEER,
        by_slug(schemas.edit_schema, [Recolour("label", 0, "#112233")], "why", 1),
    ),
    Call("steering.history.project_history", Action.SEE_PROJECT, by_slug(history.project_history)),
    Call("consensus.dry_run.dry_run", Action.STEER, by_slug(dry_run.dry_run)),
    Call("consensus.resolve.resolve", Action.STEER, by_slug(resolve.resolve)),
    Call(
        "projects.queue_plans.get_queue_plan",
        Action.SEE_PROJECT,
        by_slug(queue_plans.get_queue_plan),
    ),
    Call(
        "projects.queue_plans.set_queue_plan",
        Action.STEER,
        by_slug(queue_plans.set_queue_plan, QueuePlan(), "why"),
    ),
    Call(
        "items.lists.make_list",
        Action.STEER,
        lambda w, a: lists.make_list(w.ws, a, w.slug, f"list {new_uuid()}", w.items[:2]),
    ),
    Call("items.lists.list_lists", Action.SEE_PROJECT, by_slug(lists.list_lists)),
    Call(
        "transfer.imports.import_data",
        Action.EXCHANGE,
        lambda w, a: imports.import_data(w.ws, a, w.slug, w.ws.root / "incoming" / "nothing"),
    ),
    Call(
        "transfer.import_report.list_batches", Action.EXCHANGE, by_slug(import_report.list_batches)
    ),
    Call("models.datasets.freeze_labels", Action.EXCHANGE, by_slug(datasets.freeze_labels)),
    Call("models.datasets.list_versions", Action.EXCHANGE, by_slug(datasets.list_versions)),
    Call("versions.snapshot.snapshot", Action.EXCHANGE, by_slug(snapshot.snapshot)),
    Call(
        "versions.differing.diff_versions",
        Action.EXCHANGE,
        by_slug(differing.diff_versions, "v1", "v2"),
    ),
    Call(
        "versions.exporting.export_version",
        Action.EXCHANGE,
        by_slug(exporting.export_version, "v1", "csv"),
    ),
    Call(
        "versions.exporting.write_version",
        Action.EXCHANGE,
        by_slug(exporting.write_version, "v1", "csv", Path(os.devnull)),
    ),
    Call("versions.exporting.past_exports", Action.EXCHANGE, by_slug(exporting.past_exports)),
    Call("versions.lineage.label_lineage", Action.EXCHANGE, by_slug(lineage.label_lineage, 10**6)),
    Call("versions.lineage.model_lineage", Action.EXCHANGE, by_slug(lineage.model_lineage, 10**6)),
    Call("models.training.training_readiness", Action.TRAIN, by_slug(training.training_readiness)),
    Call("models.training.queue_training", Action.TRAIN, by_slug(training.queue_training)),
    Call("models.training.start_training", Action.TRAIN, by_slug(training.start_training)),
    Call("models.training.queue_prelabel", Action.TRAIN, by_slug(training.queue_prelabel)),
    Call("models.training.start_prelabel", Action.TRAIN, by_slug(training.start_prelabel)),
    Call(
        "models.general.queue_general",
        Action.TRAIN,
        by_slug(general.queue_general, "no such model"),
    ),
    Call(
        "models.general.start_general",
        Action.TRAIN,
        by_slug(general.start_general, "no such model"),
    ),
    Call("models.jobs.list_jobs", Action.TRAIN, by_slug(jobs.list_jobs)),
    Call("models.jobs.get_job", Action.TRAIN, lambda w, a: jobs.get_job(w.ws, a, job_of(w))),
    Call(
        "models.jobs.cancel_job",
        Action.TRAIN,
        lambda w, a: jobs.cancel_job(w.ws, a, job_of(w)),
    ),
    Call(
        "projects.training_rules.get_training_rules",
        Action.TRAIN,
        by_slug(training_rules.get_training_rules),
    ),
    Call(
        "projects.training_rules.set_training_rules",
        Action.STEER,
        by_slug(training_rules.set_training_rules, training_rules.TrainingRules(), "why"),
    ),
    Call(
        "certificates.promises.open_campaign",
        Action.STEER,
        by_slug(promises.open_campaign, 0.05, 0.1, "all", 0.5, "save time"),
    ),
    Call("certificates.promises.get_campaign", Action.SEE_FIGURES, by_slug(promises.get_campaign)),
    Call("certificates.looks.certify_now", Action.STEER, by_slug(looks.certify_now, 1)),
    Call("certificates.looks.certify_all", Action.STEER, by_slug(looks.certify_all, 1)),
    Call(
        "certificates.views.list_certificates", Action.SEE_FIGURES, by_slug(views.list_certificates)
    ),
    Call("certificates.accept.accept", Action.PROMOTE, by_slug(accept.accept, 1, "good")),
    Call("certificates.recall.revoke", Action.PROMOTE, by_slug(recall.revoke, 1, "all", "bad")),
    Call("certificates.recall.affected", Action.PROMOTE, by_slug(recall.affected, 1)),
    Call("certificates.recall.taken_back", Action.PROMOTE, by_slug(recall.taken_back)),
    Call("certificates.audits.audit_standing", Action.SEE_FIGURES, by_slug(audits.audit_standing)),
    Call("certificates.audits.watch_audit", Action.PROMOTE, by_slug(audits.watch_audit)),
    Call("certificates.audits.draw_audit", Action.STEER, by_slug(audits.draw_audit, 1, 5)),
    Call(
        "certificates.savings.measured_savings",
        Action.SEE_FIGURES,
        by_slug(savings.measured_savings),
    ),
    Call("certificates.theatre.theatre_data", Action.SEE_FIGURES, by_slug(theatre.theatre_data, 1)),
    Call(
        "certificates.theatre.detection_trade",
        Action.SEE_FIGURES,
        by_slug(theatre.detection_trade, 1),
    ),
    Call(
        "certificates.theatre.riskiest_items",
        Action.SEE_FIGURES,
        by_slug(theatre.riskiest_items, NO_SCENE, 0.5),
    ),
    Call(
        "certificates.simulate.simulate_project",
        Action.TRAIN,
        by_slug(simulate.simulate_project, None, LoopSettings(), range(1)),
    ),
    Call("models.promotion.list_models", Action.TRAIN, by_slug(promotion.list_models)),
    Call("models.promotion.promote", Action.PROMOTE, by_slug(promotion.promote, 1, "better")),
    Call("models.promotion.roll_back", Action.PROMOTE, by_slug(promotion.roll_back, "worse")),
    Call(
        "models.promotion.promotion_standing",
        Action.TRAIN,
        by_slug(promotion.promotion_standing),
    ),
    Call("models.compare.compare", Action.TRAIN, by_slug(model_compare.compare, 1, 2)),
    Call("models.card.model_card", Action.TRAIN, by_slug(model_card.model_card, 1)),
    Call(
        "models.recipes_preview.preview_recipe",
        Action.TRAIN,
        by_slug(recipes_preview.preview_recipe, recipes_preview.NAMED["light"], 1, 1),
    ),
    Call("models.recipes_preview.balance_of", Action.TRAIN, by_slug(recipes_preview.balance_of)),
    Call(
        "models.next_labels.next_labels",
        Action.STEER,
        by_slug(next_labels.next_labels, 1, "margin", 5),
    ),
    Call(
        "models.watching.run_figures",
        Action.TRAIN,
        lambda w, a: watching.run_figures(w.ws, a, job_of(w)),
    ),
    Call("models.skew.check_serving", Action.TRAIN, by_slug(skew.check_serving, 1)),
    Call(
        "pictures.images.item_image",
        Action.SEE_IMAGE,
        lambda w, a: images.item_image(w.ws, a, w.items[0]),
    ),
    Call(
        "pictures.images.visible_item",
        Action.SEE_IMAGE,
        lambda w, a: images.visible_item(w.ws, a, w.items[0]),
    ),
    Call(
        "pictures.tiles.item_tile",
        Action.SEE_IMAGE,
        lambda w, a: tiles.item_tile(w.ws, a, w.items[0], 0, 0, 0),
    ),
    Call(
        "projects.project.create_project",
        Action.CREATE_PROJECT,
        lambda w, a: projects.create_project(
            w.ws, a, projects.NewProject(f"p-{new_uuid()}", Task.CLASSIFICATION, ("a", "b"))
        ),
        everywhere=True,
    ),
    Call(
        "accounts.people.list_people",
        Action.MANAGE_PEOPLE,
        lambda w, a: people.list_people(w.ws, a),
        everywhere=True,
    ),
    Call(
        "accounts.changing.add_person",
        Action.MANAGE_PEOPLE,
        lambda w, a: changing.add_person(w.ws, a, f"p{new_uuid()}"),
        everywhere=True,
    ),
    Call(
        "accounts.changing.set_password",
        Action.MANAGE_PEOPLE,
        lambda w, a: changing.set_password(w.ws, a, w.cast.experts[0].person_id, "long enough"),
        everywhere=True,
    ),
    Call(
        "accounts.changing.set_active",
        Action.MANAGE_PEOPLE,
        lambda w, a: changing.set_active(w.ws, a, w.cast.experts[0].person_id, True),
        everywhere=True,
    ),
    Call(
        "accounts.skills.grant_skill",
        Action.STEER,
        lambda w, a: skills.grant_skill(w.ws, a, w.slug, w.cast.experts[0].person_id, "birds"),
    ),
    Call(
        "accounts.skills.revoke_skill",
        Action.STEER,
        lambda w, a: skills.revoke_skill(w.ws, a, w.slug, w.cast.experts[0].person_id, "birds"),
    ),
    Call("accounts.skills.skills_of", Action.STEER, by_slug(skills.skills_of)),
    Call(
        "accounts.teams.set_team",
        Action.MANAGE_PEOPLE,
        lambda w, a: teams.set_team(w.ws, a, w.cast.experts[0].person_id, "North"),
        everywhere=True,
    ),
    Call(
        "accounts.teams.teams_of_people",
        Action.MANAGE_PEOPLE,
        lambda w, a: teams.teams_of_people(w.ws, a),
        everywhere=True,
    ),
    Call("analytics.teams.team_names", Action.SEE_FIGURES, by_slug(figure_teams.team_names)),
    Call(
        "analytics.paces.paces_of",
        Action.SEE_FIGURES,
        by_slug(analytics_paces.paces_of, By.PERSON),
    ),
    Call("analytics.stages.stages_of", Action.SEE_FIGURES, by_slug(analytics_stages.stages_of)),
    Call("analytics.forecast.burn_down", Action.SEE_FIGURES, by_slug(analytics_forecast.burn_down)),
    Call("analytics.fatigue.fatigue_of", Action.SEE_FIGURES, by_slug(analytics_fatigue.fatigue_of)),
    Call("analytics.costs.costs_of", Action.SEE_FIGURES, by_slug(analytics_costs.costs_of)),
    Call(
        "analytics.costs.set_team_rate",
        Action.STEER,
        by_slug(analytics_costs.set_team_rate, "North", 12.5),
    ),
    Call(
        "accounts.grants.grant",
        Action.MANAGE_PEOPLE,
        lambda w, a: grants.grant(w.ws, a, w.cast.experts[0].person_id, Role.LEAD, w.slug),
        everywhere=True,
    ),
    Call(
        "accounts.grants.revoke",
        Action.MANAGE_PEOPLE,
        lambda w, a: grants.revoke(w.ws, a, w.cast.experts[0].person_id, Role.LEAD, w.slug),
        everywhere=True,
    ),
)

EXEMPT = {
    "visibility.eligible.barred_for": "asks within a transaction whose caller has asked",
    "visibility.eligible.in_conflict": "asks within a transaction whose caller has asked",
    "visibility.eligible.may_not_vote": "asks within a transaction whose caller has asked",
    "review.ruling.put_in_force": "writes within a transaction whose caller has asked",
    "talk.waiting.waiting_threads": "looks only into the projects that list_projects gives",
    "talk.threads.threads_on": "reads within a transaction whose caller has asked",
    "talk.threads.sees_all": "is itself a question to the gate",
    "talk.writing.open_for_flag": "writes within a transaction whose caller has asked for the vote",
    "review.admission.admission": "reads within a transaction whose caller has asked",
    "review.admission.check_may_review": "reads within a transaction whose caller has asked",
    "review.admission.judge": "judges within a claim, whose function has asked",
    "review.admission.judged": "reads within a claim, whose function has asked",
    "review.claiming.to_come": "counts within a transaction whose caller has asked",
    "review.planting.still_unseen": "reads within a transaction whose caller has asked",
    "review.probe_answers.answer_probe": "writes within a transaction whose caller has asked",
    "review.probe_answers.probe_receipt": "reads within a transaction whose caller has asked",
    "review.leases.claim_one": "claims within a transaction whose caller has asked",
    "review.leases.answers_as_expert": "looks up a lease within a transaction whose caller has asked",
    "review.drafts.drop_draft": "writes within a transaction whose caller has asked",
    "review.standing.standing_answer": "reads within a transaction whose caller has asked",
    "review.standing.check_open": "reads within a transaction whose caller has asked",
    "review.submitting.submit_batch": "asks who is signed in, then calls submit, which asks for each row",
    "projects.project.list_projects": "asks `can` of each project and leaves out what is not granted",
    "projects.project.project_for": "is the gate for a project; the callers name the action",
    "accounts.changing.set_language": "one's own language needs no role, only to be signed in",
    "accounts.preferences.get_preferences": "one's own keys need no role, only to be signed in",
    "accounts.preferences.set_preferences": "one's own keys need no role, only to be signed in",
    "models.datasets.freeze_rows": "writes labels that its callers, who have asked, gathered",
    "bias.reference_sets.pictures_to_show": "shows pictures of a project whose gate the caller asked",
    "bias.selection_bias.selection_bias": "asks through `two_sets`, which opens the figures of both",
    "bias.selection_bias.selection_pictures": "asks through `two_sets`",
    "bias.too_clean.too_clean": "asks through `two_sets`",
    "bias.too_clean.telling_pictures": "asks through `two_sets`",
    "bias.slices.slices_of": "asks through `prepare`, which opens the figures",
    "bias.slice_items.slice_bounty": "asks through `prepare`, which opens the figures",
    "models.promotion.record_promotion": "writes within a transaction whose caller has asked",
    "transfer.import_origin.check_origin": "looks at a path; the caller has asked for the project",
    "items.past.history_of": "reads within a transaction whose caller has asked",
    "visibility.views.item_views": "shapes rows within a transaction whose caller has asked",
}
"""Functions with an actor that the table leaves out, and why that is right."""

HERE = {c.name.rpartition(".")[0] for c in CALLS}
"""Modules put to every role here; the others (figures, exports) by their own tests."""


@pytest.fixture(scope="module")
def places(tmp_path_factory, sqlite_template):
    """Give a workspace with two projects and a person of each role in each place."""
    import shutil

    from core.services.workspace import open_workspace

    root = tmp_path_factory.mktemp("matrix")
    shutil.copy(sqlite_template, root / "tiebreak.db")
    ws = open_workspace(root)
    world = make_world(ws, n_items=3)
    other = make_project(ws, "plants")
    add_items(ws, other, 1)
    boss = operator(ws)
    held: dict[tuple[str, Role | None], Actor] = {("nobody", None): ANONYMOUS}
    for role in ROLES:
        for place, slug in (("own", "pets"), ("other", "plants"), ("everywhere", None)):
            made = add_person(ws, boss, f"{role}-{place}", roles=[(role, slug)])
            held[place, role] = actor_of(ws, made)
    held["none", None] = actor_of(ws, add_person(ws, boss, "no-role"))
    held["disabled", None] = replace(held["everywhere", Role.ADMIN], active=False)
    yield world, held
    ws.store.close()


PEOPLE = [
    *[(place, role) for role in ROLES for place in ("own", "other", "everywhere")],
    ("none", None),
    ("nobody", None),
    ("disabled", None),
]


@pytest.mark.parametrize("call", CALLS, ids=lambda c: c.name)
def test_each_role_may_exactly_what_the_table_says(call: Call, places):
    """Allowed: no refusal by the gate, whatever else. Not allowed: refused, and the right way."""
    world, held = places
    for place, role in PEOPLE:
        allowed = role is not None and role in MATRIX[call.action] and place != "other"
        if call.everywhere:
            allowed = allowed and place == "everywhere"
        error = None
        try:
            call.run(world, held[place, role])
        except TiebreakError as raised:
            error = raised
        case = f"{call.name} as {role} of {place}: {error!r}"
        if place in ("nobody", "disabled"):
            assert isinstance(error, NotSignedIn | NotFound), case
            assert not isinstance(error, NotFound) or call.name in PICTURES, case
        elif allowed:
            assert not isinstance(error, AccessError), case
            assert not isinstance(error, NotFound) or "for you" not in error.message, case
        else:
            assert isinstance(error, Forbidden | NotFound), case


def test_what_one_may_not_see_is_not_told_from_what_is_not_there(places):
    """A stranger gets the same answer for a project, job or item that exists and one that does not."""
    world, held = places
    stranger = held["other", Role.MANAGER]
    pairs = [
        (lambda s: projects.get_project(world.ws, stranger, s), ("pets", "nothing")),
        (lambda j: jobs.get_job(world.ws, stranger, j), (job_of(world), 10**6)),
        (lambda j: jobs.cancel_job(world.ws, stranger, j), (job_of(world), 10**6)),
        (lambda i: images.item_image(world.ws, stranger, i), (world.items[0], 10**6)),
    ]
    for ask, values in pairs:
        said = []
        for value in values:
            with pytest.raises(NotFound) as refused:
                ask(value)
            said.append(str(refused.value).replace(str(value), "X"))
        assert said[0] == said[1]


def test_the_list_of_projects_holds_what_one_may_see(places):
    """Each person's list is theirs; nobody's is empty."""
    world, held = places

    def listed(place: str, role: Role | None) -> set[str]:
        return {p.slug for p in projects.list_projects(world.ws, held[place, role])}

    assert listed("own", Role.EXPERT) == {"pets"}
    assert listed("other", Role.LEAD) == {"plants"}
    assert listed("everywhere", Role.MANAGER) >= {"pets", "plants"}
    assert listed("none", None) == listed("nobody", None) == listed("disabled", None) == set()


# --- the gate itself --------------------------------------------------------------------------


def test_the_table_covers_every_action_and_denies_the_unknown():
    """No action without a row; what is no action is refused even to an admin."""
    assert set(MATRIX) == set(Action)
    admin = Actor(1, "a", "A", frozenset({(Role.ADMIN, None)}))
    assert not can(admin, "format the disk")  # type: ignore[arg-type]


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("role", ROLES)
def test_the_gate_answers_as_the_table(action: Action, role: Role):
    """Role × action × own, other or no project × owner, against the table."""
    here = Actor(7, "x", "X", frozenset({(role, 1)}))
    granted = role in MATRIX[action]
    assert can(here, action, Resource(1)) is granted
    assert can(here, action, Resource(2)) is False
    assert can(here, action, Resource(None)) is False
    assert can(here, action, Resource(1, owner_id=7)) is granted
    assert can(here, action, Resource(1, owner_id=8)) is (granted and action not in OWNED)
    assert can(replace(here, active=False), action, Resource(1)) is False
    assert can_anywhere(here, action) is granted


def test_the_published_table_is_the_table():
    """The rows of the product's role matrix, written out once more by hand."""
    everyone = {Role.EXPERT, Role.LEAD, Role.MANAGER, Role.ADMIN}
    steering = {Role.LEAD, Role.MANAGER, Role.ADMIN}
    assert {
        a: set(r) for a, r in MATRIX.items()
    } == {
        Action.SEE_PROJECT: everyone, Action.SEE_IMAGE: everyone, Action.SEE_OWN: everyone,
        Action.VOTE: {Role.EXPERT, Role.LEAD},
        Action.SEE_OTHERS_VOTES: {Role.MANAGER, Role.ADMIN},
        Action.ADJUDICATE: {Role.LEAD},
        Action.SEE_GOLD: steering, Action.STEER: steering, Action.EXCHANGE: steering,
        Action.TRAIN: steering, Action.PROMOTE: steering, Action.SEE_FIGURES: steering,
        Action.WRITE_RUN: {Role.WORKER},
        Action.CREATE_PROJECT: {Role.MANAGER, Role.ADMIN},
        Action.MANAGE_PEOPLE: {Role.ADMIN},
    }  # fmt: skip


def with_actor() -> dict[str, object]:
    """Return every public service function that takes an actor."""
    found = {}
    for module in pkgutil.walk_packages(core.services.__path__, "core.services."):
        if module.name == "core.services.models.worker":
            continue  # a process of its own: it acts on a job whose starter was asked
        loaded = importlib.import_module(module.name)
        place = module.name.removeprefix("core.services.")
        for name, function in inspect.getmembers(loaded, inspect.isfunction):
            ours = function.__module__ == loaded.__name__ and not name.startswith("_")
            if ours and "actor" in inspect.signature(function).parameters:
                found[f"{place}.{name}"] = function
    return found


GATES = {"require", "require_signed_in", "project_for", "can"}


def calls_in(function: object) -> set[str]:
    tree = ast.parse(inspect.getsource(function).lstrip())  # type: ignore[arg-type]
    names = [n.func for n in ast.walk(tree) if isinstance(n, ast.Call)]
    return {n.id if isinstance(n, ast.Name) else getattr(n, "attr", "") for n in names}


def test_every_function_that_takes_an_actor_asks_the_gate():
    """Itself, or through functions of its own module that it calls."""
    silent = []
    for name, function in with_actor().items():
        reached, todo = set(), [function]
        while todo:
            asked = todo.pop()
            for called in calls_in(asked) - reached:
                reached.add(called)
                helper = getattr(inspect.getmodule(asked), called, None)
                if inspect.isfunction(helper) and helper.__module__.startswith("core.services"):
                    todo.append(helper)
        if not reached & GATES and name not in EXEMPT:
            silent.append(name)
    assert silent == []


def test_every_function_that_takes_an_actor_is_in_the_matrix_or_has_a_reason_not_to_be():
    """A new service function must be put to every role here, or in its own module's tests."""
    known = {c.name for c in CALLS} | set(EXEMPT)
    missing = {n for n in with_actor() if n.rpartition(".")[0] in HERE} - known
    assert missing == set()
    assert not known - set(with_actor())


def test_worker_asks_nothing_of_a_person():
    """The worker's module defines no function that a page could call with an actor of its choice."""
    source = Path(core.services.__path__[0]) / "models" / "worker.py"
    tree = ast.parse(source.read_text())
    public = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name[0] != "_"]
    assert not [n.name for n in public if "actor" in {a.arg for a in n.args.args}]


def test_a_role_taken_away_counts_at_once(places):
    """Roles are read from the record with each session lookup, not kept with the person."""
    world, _ = places
    boss = operator(world.ws)
    made = add_person(world.ws, boss, "short-lived", roles=[(Role.LEAD, "pets")])
    rule(world, actor_of(world.ws, made), world.items[2], "discard")
    grants.revoke(world.ws, boss, made, Role.LEAD, "pets")
    with pytest.raises(NotFound):
        rule(world, actor_of(world.ws, made), world.items[2], "discard")
