"""Which users of a data set stand for the others where only some can be looked at. Knows the users' table alone."""

from __future__ import annotations

import numpy as np

from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.data.schema import USER_ID
from engine_runtime.data.stored import read_users
from engine_runtime.errors import InputError


def sample_users(dataset: Dataset, count: int, seed: int = 0) -> list[str]:
    """Draw users at random, each as likely as any other, whatever is known of them.

    Parameters
    ----------
    dataset
        Whose users are drawn.
    count
        How many; all where there are fewer.
    seed
        Equal seeds draw equal users from equal data sets.

    Returns
    -------
    list of str
        Their ids, in the order of the data set.

    Raises
    ------
    InputError
        The data set has no users.
    """
    users = read_users(dataset)[USER_ID]
    if not len(users):
        raise InputError(f"{dataset.root} has no users to draw from.")
    drawn = np.random.default_rng(seed).choice(len(users), min(count, len(users)), replace=False)
    return [users[int(row)].as_py() for row in np.sort(drawn)]
