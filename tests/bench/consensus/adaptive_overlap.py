"""Votes spent when voting stops early, against five votes each: simulated from CIFAR-10N, seeded.

CIFAR-10N has three votes a task, too few to stop at seven. So each task gets a chance for every class, as
a Dirichlet-multinomial sees it: its three votes, and the confusion of its true class, worth as many votes
as make the real votes likeliest. Votes are drawn from these; right means equal to CIFAR-10's own label.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from core.consensus.truth.stopping import Stop, StoppingRule, simple_posterior, stops
from tests.bench.consensus.crowds import SHARED, cifar

RULES = {
    "lead 2, at most 7": StoppingRule(lead=2, maximum=7),
    "posterior 0.95, at most 7": StoppingRule(lead=None, posterior=0.95, maximum=7),
    "posterior 0.99, at most 7": StoppingRule(lead=None, posterior=0.99, maximum=7),
    "fixed 3": StoppingRule(lead=None, maximum=3),
    "fixed 5": StoppingRule(lead=None, maximum=5),
}


def run(_folder, _python, seeds=5, shared=SHARED):
    """Return for each rule votes a task, accuracy, and its votes beside those of five each."""
    if not shared.is_dir():
        return {"skipped": "CIFAR-10N is not beside this checkout"}
    chances, truth, single = _chances(cifar(shared))
    found = {}
    for name, rule in RULES.items():
        ends = [_simulate(chances, rule, single, seed) for seed in range(seeds)]
        spent = float(np.mean([votes.sum(axis=1).mean() for votes, _ in ends]))
        right = float(np.mean([(label == truth).mean() for _, label in ends]))
        found[name] = {"votes": round(spent, 3), "accuracy": round(right, 4)}
        found[name]["of_fixed_5"] = round(spent / 5, 3)
    return {"n": len(truth), "seeds": seeds, "single_vote_accuracy": round(single, 4), **found}


def _chances(crowd):
    """Return each task's chances of a vote for each class, the truth, and a single vote's accuracy."""
    tally = np.zeros((len(crowd.truth), crowd.classes))
    np.add.at(tally, (crowd.task, crowd.label), 1)
    confusion = np.zeros((crowd.classes, crowd.classes))
    np.add.at(confusion, crowd.truth, tally)
    confusion = (confusion + 1) / (confusion + 1).sum(axis=1, keepdims=True)
    prior = confusion[crowd.truth]
    grid = np.geomspace(0.1, 30, 40)
    worth = grid[np.argmax([_likelihood(tally, prior * votes) for votes in grid])]
    mixed = tally + worth * prior
    single = float((crowd.label == crowd.truth[crowd.task]).mean())
    return mixed / mixed.sum(axis=1, keepdims=True), crowd.truth, single


def _likelihood(tally, alpha):
    """Return the log-likelihood of the votes when chances are Dirichlet, less what does not change."""
    whole = gammaln(alpha.sum(axis=1)) - gammaln((alpha + tally).sum(axis=1))
    return float(whole.sum() + (gammaln(alpha + tally) - gammaln(alpha)).sum())


def _simulate(chances, rule, single, seed):
    """Return the votes at the end, and the label: most votes, of equal ones at random."""
    rng = np.random.default_rng(seed)
    steps, votes = chances.cumsum(axis=1), np.zeros_like(chances)
    going = np.arange(len(chances))
    while len(going):
        drawn = (rng.random(len(going))[:, None] > steps[going]).sum(axis=1)
        votes[going, np.minimum(drawn, chances.shape[1] - 1)] += 1
        code = stops(rule, votes[going], simple_posterior(votes[going], single))
        going = going[code == Stop.OPEN]
    return votes, np.argmax(votes + 0.5 * rng.random(votes.shape), axis=1)
