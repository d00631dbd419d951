"""What a run and a bundle say of their label heads: which attributes of users are predicted, and how well."""

from __future__ import annotations

from dataclasses import dataclass

LABELS_FILE = "labels.npz"


@dataclass(frozen=True)
class Interval:
    """A measure with its 95 % bootstrap interval over users."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class LabelInfo:
    """One attribute, the classes that are told apart, and how well on users who were held out of the fit.

    Attributes
    ----------
    name
        Of the attribute in the data set.
    classes
        Values, or the names of the bands of a number, in the order of the head's columns.
    edges
        Bounds of the bands, rising; band i holds numbers from ``edges[i - 1]`` and below ``edges[i]``. Empty where
        the classes are values.
    penalty, temperature
        Chosen by cross-validation among the fitted users; the temperature is in the weights already.
    n_fitted, n_held_out
        Users.
    majority
        Share of the held-out users who have the fitted users' most common class.
    fitted_accuracy, accuracy
        Share of users whose likeliest class is theirs: those of the fit, and those held out.
    auc
        Area under the ROC curve; of more than two classes the mean over the classes, each against the rest.
    calibration_error
        Of the likeliest class's probability; see `engine_models.label_measures`.
    """

    name: str
    classes: tuple[str, ...]
    edges: tuple[float, ...]
    penalty: float
    temperature: float
    n_fitted: int
    n_held_out: int
    majority: float
    fitted_accuracy: float
    accuracy: Interval
    auc: Interval
    calibration_error: float
