"""Label heads: attributes of users learned from their histories and profiles, measured, and put into a run.

A fifth of the users is held out of everything: the counts, the fit, the choice of the penalty, the temperature. Knows
runs and data sets; the features and the regression are elsewhere.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.special import softmax

from engine_models.classes import Classes, classes_of
from engine_models.corpus import events_of, read_corpus
from engine_models.label_features import Material, Users, heads_of, prepare
from engine_models.label_measures import accuracy, auc, calibration_error, interval
from engine_models.logistic import Doubles, choose, fit, temperature
from engine_models.model import load_model
from engine_models.queries import last_profiles
from engine_models.systems import learned_vectors
from engine_runtime.artefacts import run as layout
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.labels import LABELS_FILE, LabelInfo
from engine_runtime.artefacts.manifest import check_parent
from engine_runtime.artefacts.run import Run
from engine_runtime.artefacts.writing import check_free, drafting
from engine_runtime.data.scaling import scaled
from engine_runtime.data.stored import read_users
from engine_runtime.errors import InputError, UsageError

MOST_USERS = 20_000
"""Users that a head learns from."""

Report = Callable[[str], None]


def add_labels(
    run: Run,
    dataset: Dataset,
    names: Sequence[str],
    out: Path,
    *,
    replace: bool = False,
    seed: int = 0,
    report: Report = lambda message: None,
) -> Run:
    """Write a copy of `run` at `out` with heads for the attributes `names`, in place of those it has.

    Parameters
    ----------
    run, dataset
        A run and what it was trained on.
    names
        Attributes of the users.
    out
        Where the run goes; the run's own place where it may be replaced.
    replace
        Whether a run at `out` may be replaced.
    seed
        Of the fifth that is held out, the folds and the bootstrap.
    report
        Told what happens, a line at a time.

    Raises
    ------
    ArtefactError
        The run was trained on another data set.
    UsageError, InputError
        An attribute is not there, or has nothing to be learned.
    """
    check_free(out, layout.KIND, replace=replace)
    check_parent(run.root, run.manifest, "dataset", dataset.manifest.digest)
    known = attribute_classes(dataset, names)
    material = prepare(read_features(run, dataset), seed)
    weights, infos = [], []
    for name, classes in known.items():
        report(f"learning to tell {name}")
        fitted, info = fit_head(material, name, classes, seed)
        weights.append(fitted)
        infos.append(info)
    with drafting(out, layout.KIND, replace=replace) as draft:
        for file in run.manifest.files.keys() - {LABELS_FILE}:
            shutil.copyfile(run.root / file, draft.path / file)
        heads_of(material, np.concatenate(weights, axis=1)).save(draft.path / LABELS_FILE)
        draft.seal(dataclasses.replace(run.info, labels=tuple(infos)), run.manifest.parents)
    return Run.open(out)


def attribute_classes(dataset: Dataset, names: Sequence[str]) -> dict[str, Classes]:
    """Classes of each of the attributes `names`; raises `UsageError` or `InputError` where one cannot be learned."""
    if unknown := [name for name in names if name not in dataset.info.attributes]:
        there = ", ".join(dataset.info.attributes) or "none"
        raise UsageError(f"{dataset.root} has no attribute {', '.join(unknown)} of users; it has: {there}.")
    users = read_users(dataset)
    return {name: classes_of(name, users[name].to_pylist()) for name in names}


def read_features(run: Run, dataset: Dataset) -> Users:
    """What heads read of every user of a data set, from the refiner in float32."""
    split = read_corpus(dataset).split
    histories, model = split.histories, load_model(run)
    vectors = learned_vectors(run)
    events = events_of(split, run.info.value, run.info.gap, torch.device("cpu"))
    some = np.flatnonzero(histories.lengths)
    profiles = np.zeros((len(histories), run.info.shape.n_concepts), np.float32)
    first, stop = histories.offsets[some], histories.offsets[some + 1]
    profiles[some] = last_profiles(model.refiner, torch.from_numpy(vectors), events, first, stop).numpy()
    return Users(histories, scaled(histories.values, run.info.value), profiles, vectors)


def fit_head(material: Material, name: str, classes: Classes, seed: int) -> tuple[Doubles, LabelInfo]:
    """Calibrated weights of one head, fitted on users inside and measured on those outside.

    Raises
    ------
    InputError
        Too few users with events have the attribute.
    """
    truth, n_classes = classes.numbers, len(classes.names)
    inside, outside = (rows[truth[rows] >= 0] for rows in (material.inside, material.outside))
    if not len(outside) or len(np.unique(truth[inside])) < n_classes:
        raise InputError(
            f"too few users with events have the attribute '{name}': {len(inside)} to learn from, {len(outside)} held "
            "out. Leave it out of --labels."
        )
    inside = np.sort(np.random.default_rng(seed).permutation(inside)[:MOST_USERS])
    within, own = material.design.rows(inside), truth[inside]
    choice = choose(within, own, n_classes, seed)
    heat = temperature(choice.logits, own)
    weights = fit(within, own, n_classes, choice.penalty) / heat
    found = softmax(material.design.rows(outside).times(weights), axis=1)
    usual = np.bincount(own).argmax()
    return weights, LabelInfo(
        name=name,
        classes=classes.names,
        edges=classes.edges,
        penalty=choice.penalty,
        temperature=heat,
        n_fitted=len(inside),
        n_held_out=len(outside),
        majority=float((truth[outside] == usual).mean()),
        fitted_accuracy=accuracy(within.times(weights), own),
        accuracy=interval(accuracy, found, truth[outside], seed),
        auc=interval(auc, found, truth[outside], seed),
        calibration_error=calibration_error(found, truth[outside]),
    )
