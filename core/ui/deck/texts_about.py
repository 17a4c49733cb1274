"""What is known of an item beside the vote: its history, its neighbours, its discussion."""

from __future__ import annotations

from core.ui.text import _


def about_texts() -> dict[str, str | dict[str, str]]:
    """Return the texts of what is known of an item beside the vote, and of its discussion."""
    return {
        "history": _("History"),
        "alike": _("Similar labelled images"),
        "discussion": _("Discussion"),
        "discussionOpen": _("Discussion ({n} open)"),
        "aboutOffline": _("This cannot be loaded now. Reviewing goes on without it."),
        "alikeLater": _("Neighbours appear after the first training or pre-labelling."),
        "noneAlike": _("No labelled image is like this one yet."),
        "alikeOne": _("{label}: {name}, {share} alike"),
        "you": _("You"),
        "historyKinds": {
            "imported": _("Imported, {when}"),
            "prelabel": _("{who}: {what}, {when}"),
            "vote": _("{who} said {what}, {when}"),
            "skip": _("{who} skipped it, {when}"),
            "flag": _("{who} flagged it, {when}"),
            "withdraw": _("{who} took the answer back, {when}"),
            "decide": _("{who} decided: {what}, {when}"),
            "discard": _("{who} discarded the image, {when}"),
            "neutral": _("{who} found that no class fits, {when}"),
            "send-back": _("{who} sent it back for more votes, {when}"),
            "settled": _("Label in force: {what}, {when}"),
        },
        "settledStates": {
            "dispute": _("in dispute"),
            "neutral": _("no class fits"),
            "discarded": _("discarded"),
        },
        "threadOpen": _("Open, comments: {n}"),
        "threadClosed": _("Resolved, comments: {n}"),
        "threadKinds": {
            "resolve": _("{who} resolved it, {when}"),
            "reopen": _("{who} opened it again, {when}"),
        },
        "reply": _("Reply"),
        "resolve": _("Resolve"),
        "reopen": _("Open again"),
        "replyTo": _("In the thread: {text}"),
        "newThread": _("New thread"),
        "people": _("People"),
        "comment": _("Comment"),
        "commentHint": _("Enter sends, Shift+Enter breaks the line, @ names somebody, Esc leaves."),
        "notSent": _("Not sent; the text is kept here. Press Enter to try again."),
    }
