"""Figures of the literature on the same data and protocol, quoted beside what is run here. Knows numbers alone.

Only rows whose data and split are those of our data set: leave-one-out, the last item asked for, the whole catalogue
ranked. Other people's tuning, seeds and machines: they are quoted, not run.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Quoted:
    """One row of somebody else's table.

    Attributes
    ----------
    system, source
        Its name, and where the figures stand.
    recall, ndcg
        Recall@10 and NDCG@10.
    """

    system: str
    source: str
    recall: float
    ndcg: float


_S3REC = "S3-Rec repository, full ranking table"
_ESASREC = "eSASRec repository (RecSys 2025)"
_RECBOARD = "RecBoard benchmark, 5 seeds"
_META = "Meta generative-recommenders repository"

PUBLISHED: dict[str, tuple[Quoted, ...]] = {
    "amazon-beauty": (
        Quoted("SASRec, one negative, untuned", _S3REC, 0.0605, 0.0318),
        Quoted("S3-Rec", _S3REC, 0.0647, 0.0327),
        Quoted("TIGER", "its paper", 0.0648, 0.0384),
        Quoted("HSTU", _RECBOARD, 0.0948, 0.0541),
        Quoted("FuXi-alpha", _ESASREC, 0.0809, 0.0451),
        Quoted("eSASRec", _ESASREC, 0.0928, 0.0523),
        Quoted("SASRec, sampled softmax", _ESASREC, 0.0921, 0.0531),
        Quoted("SASRec, full softmax, tuned", "CE-SCE-LLMRec logs, 5 seeds", 0.0986, 0.0597),
        Quoted("BSARec, full softmax", _RECBOARD, 0.1004, 0.0609),
    ),
    "ml-1m": (
        Quoted("gSASRec", "gSASRec-pytorch repository", 0.3003, 0.1726),
        Quoted("SASRec, sampled softmax", _META, 0.2853, 0.1603),
        Quoted("HSTU", _META, 0.3097, 0.1720),
        Quoted("HSTU-large", _META, 0.3294, 0.1893),
        Quoted("eSASRec", _ESASREC, 0.3133, 0.1772),
        Quoted("FuXi-alpha", _ESASREC, 0.3164, 0.1813),
    ),
}
"""By the name of the data set."""
