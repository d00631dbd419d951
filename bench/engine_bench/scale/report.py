"""The journey as tables and lines; knows results and nothing of how they came about."""

from __future__ import annotations

from engine_bench.scale.journey import Journey, Scale
from engine_bench.scale.steps import Step
from engine_bench.sheets import Sheet

COLUMNS = ("step", "seconds", "CPU s", "users/s", "events/s", "peak MB", "written MB")
PER_USER_COLUMNS = ("step", "users", "a user", "beside the first", "CPU", "beside the first")
MADE_UP = ("generate", "keep back")
"""Steps that a user of the engine would not run: they count for nothing in the time per user."""
OF_ITEMS = ("index",)
"""Steps whose work grows with the catalogue, which is the same at every size, and not with users."""
BESIDE_INDEX = ("index", "serve-batch")
"""Steps that hold the index in memory."""
KEY = (
    "seconds: of the clock, from the start of the command to its end; CPU s: of all its processes. peak MB: most "
    "resident memory of the command and its children together. written MB: what it leaves on the disk."
)


def sheets(found: Journey) -> list[Sheet]:
    """The tables of a journey."""
    tables = (
        [Sheet("the bundle", COLUMNS, tuple(step_cells(step) for step in found.learning))] if found.learning else []
    )
    for scale in found.scales:
        title = f"{scale.users:,} users, {scale.events:,} events, {scale.items:,} items"
        rows = tuple(step_cells(step, scale) for step in scale.steps)
        tables.append(Sheet(title, COLUMNS, rows))
    return [*tables, per_user(found), quality(found)]


def step_cells(step: Step, scale: Scale | None = None) -> tuple[str, ...]:
    """A step's line; rates where a size is given."""
    took = step.took
    rates = ("", "")
    if scale is not None:
        rates = (f"{scale.users / took.seconds:,.0f}", f"{scale.events / took.seconds:,.0f}")
    return (
        step.name,
        f"{took.seconds:.1f}",
        f"{took.cpu:.1f}",
        *rates,
        f"{took.peak / 1e6:,.0f}",
        f"{step.written / 1e6:,.1f}",
    )


def per_user(found: Journey) -> Sheet:
    """Microseconds for each user, by step and size: of the clock, and of all CPUs, each beside the first size."""
    first = found.scales[0]
    names = [step.name for step in first.steps if step.name not in MADE_UP]
    sums = {name: [name] for name in names}
    sums |= {"all but index": [name for name in names if name not in OF_ITEMS], "all": names}
    rows = []
    for title, chosen in sums.items():
        for scale in found.scales:
            cells = [title, f"{scale.users:,}"]
            for now, then in zip(micros(scale, chosen), micros(first, chosen), strict=True):
                cells += [f"{now:,.0f} us", f"{now / max(then, 1e-9):.2f}x"]
            rows.append(tuple(cells))
    return Sheet("time per user", PER_USER_COLUMNS, tuple(rows))


def micros(scale: Scale, names: list[str]) -> tuple[float, float]:
    """Microseconds a user of some steps together, of the clock and of all CPUs."""
    steps = [step.took for step in scale.steps if step.name in names]
    return 1e6 * sum(took.seconds for took in steps) / scale.users, 1e6 * sum(took.cpu for took in steps) / scale.users


def quality(found: Journey) -> Sheet:
    """NDCG@10 of what was served at each size."""
    rows = []
    for scale in found.scales:
        judged = scale.quality
        rows.append(
            (
                f"{scale.users:,} users",
                f"{judged.users:,}",
                f"{judged.ndcg.mean:.4f} [{judged.ndcg.low:.4f}, {judged.ndcg.high:.4f}]",
                f"{judged.popular:.4f}",
            )
        )
    title = "quality of the served rows: the next event of some users was kept back"
    return Sheet(title, ("", "users judged", "NDCG@10", "of the most popular items"), tuple(rows))


def notes(found: Journey) -> list[str]:
    """Lines after the tables: what the columns mean, the most memory, and who else was on the machine."""
    most, step, scale = max(
        (beside_index(step, scale), step.name, scale.users) for scale in found.scales for step in scale.steps
    )
    memory = f"Most memory beside the index: {most / 1e6:,.0f} MB, in {step} of {scale:,} users"
    lines = [KEY, f"{memory}; --memory {found.memory}, {found.workers} workers."]
    steps = [*found.learning, *(step for scale in found.scales for step in scale.steps)]
    busiest = max((step.took.foreign for step in steps if step.took.foreign is not None), default=None)
    if busiest is not None:
        lines.append(f"Other processes kept {busiest:.2f} CPUs busy during a step at most.")
    return lines


def beside_index(step: Step, scale: Scale) -> int:
    """Peak memory of a step, less the index where it holds one, in bytes."""
    return step.took.peak - (scale.index if step.name in BESIDE_INDEX else 0)
