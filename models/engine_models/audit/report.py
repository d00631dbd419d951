"""An audit: every attack on one output, in one list of figures. Knows the attacks and their order; formats nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine_models.audit.attributes import attributes_of, probe_attributes
from engine_models.audit.figures import IDENTIFYING_AUC, IDENTIFYING_GAIN, Figure
from engine_models.audit.groups import SMALLEST, count_concepts, count_groups, count_ids
from engine_models.audit.linkage import link_rows
from engine_models.audit.released import Release
from engine_models.audit.subjects import Subjects, choose_subjects, load_engine
from engine_models.audit.texts import find_texts, item_profiles
from engine_models.audit.training import compare_training, not_asked
from engine_runtime.artefacts import bundle as bundle_layout
from engine_runtime.artefacts import dataset as dataset_layout
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.manifest import check_parent
from engine_runtime.data.schema import USER_ID
from engine_runtime.data.stored import read_histories, read_users
from engine_runtime.serve.engine import Engine, check_event_types

Report = Callable[[str], None]


@dataclass(frozen=True)
class Audit:
    """What was found.

    Attributes
    ----------
    output
        Digest of the profiles that were audited.
    n_rows, n_matched, n_users
        Rows; users of the data set who were found among them; those who were drawn to be asked for.
    columns
        Columns of the output.
    seed, k
        Of all that is drawn; the size of a group that is not small.
    identifying_auc, identifying_gain
        From where a figure is said to identify.
    figures
        All of them, in the order of the sections.
    """

    output: str
    n_rows: int
    n_matched: int
    n_users: int
    columns: tuple[str, ...]
    seed: int
    k: int
    identifying_auc: float
    identifying_gain: float
    figures: tuple[Figure, ...]


def audit(
    output: Path,
    engine: Engine,
    dataset: Dataset,
    *,
    attributes: Sequence[str] = (),
    key: bytes | None = None,
    outsiders: Dataset | None = None,
    most_users: int = 2000,
    seed: int = 0,
    report: Report = lambda message: None,
) -> Audit:
    """Attack an output.

    Parameters
    ----------
    output
        Profiles as `engine serve-batch` writes them, or released ones made of such.
    engine
        Of the bundle that served them; with the index or without.
    dataset
        Whose users were served.
    attributes
        Those to look for; if none, all that have few values.
    key
        Of the pseudonyms; None where ids are plain.
    outsiders
        Users who were not in the training.
    most_users
        Users that are asked for, at most.
    seed
        Of all that is drawn; the figures are a function of it and of the artefacts.
    report
        Told what happens, a line at a time.

    Raises
    ------
    ArtefactError
        Something is damaged, or the output was made from another bundle or data set.
    InputError, UsageError
        Nobody is found in the output, an attribute can not be audited, or all outsiders are users.
    """
    release = _opened(output, engine, dataset)
    users = read_users(dataset)
    classes = attributes_of(users, dataset.info.attributes, attributes)
    subjects = choose_subjects(load_engine(engine, dataset), dataset, release, key, most_users, seed)
    report(f"{len(subjects):,} users of {len(release):,} rows are asked for")
    known = {name: found.numbers[subjects.users] for name, found in classes.items()}
    report("learning attributes from vectors" if known else "the data set has no attribute to look for")
    figures = list(probe_attributes(subjects.released, subjects.spaces, known, seed))
    report("looking for texts")
    profiles = item_profiles(subjects.engine)
    figures += find_texts(subjects, profiles, seed)
    report("looking for users")
    figures += _trained_on(subjects, dataset, outsiders, most_users, seed)
    figures += link_rows(subjects, release, seed)
    report("counting groups")
    everybody = read_histories(dataset)
    numbered = dataclasses.replace(everybody, items=np.asarray(subjects.numbers[everybody.items], np.int32))
    figures += [count_ids(release, users[USER_ID]), *count_groups(release), count_concepts(profiles, numbered)]
    return Audit(
        output=release.manifest.digest,
        n_rows=len(release),
        n_matched=subjects.n_matched,
        n_users=len(subjects),
        columns=release.columns,
        seed=seed,
        k=SMALLEST,
        identifying_auc=IDENTIFYING_AUC,
        identifying_gain=IDENTIFYING_GAIN,
        figures=tuple(figures),
    )


def _opened(output: Path, engine: Engine, dataset: Dataset) -> Release:
    """The profiles, which were made from this bundle and data set as far as they say."""
    release = Release.open(output)
    parents = {bundle_layout.KIND: engine.bundle.manifest.digest, dataset_layout.KIND: dataset.manifest.digest}
    for kind in parents.keys() & release.manifest.parents.keys():
        check_parent(output, release.manifest, kind, parents[kind])
    check_event_types(engine.info, dataset)
    return release


def _trained_on(
    subjects: Subjects, dataset: Dataset, outsiders: Dataset | None, most_users: int, seed: int
) -> Iterable[Figure]:
    """Whether the model knows whom it was trained on."""
    if outsiders is None:
        return not_asked()
    check_event_types(subjects.engine.info, outsiders)
    return compare_training(subjects.engine, subjects.histories, outsiders, dataset, most_users, seed)
