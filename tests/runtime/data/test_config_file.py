"""A ``dataset.toml``: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine_runtime.data.config_file import load_config, parse_config
from engine_runtime.errors import UsageError

ITEMS = '[items]\nid = "i"\ntext = "{t}"\n'
EVENTS = '[events]\nuser = "u"\nitem = "i"\ntime = "t"\n'
EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_examples_parse(path: Path) -> None:
    """Every example is a valid configuration and bears the name of its data set."""
    assert load_config(path).name == path.stem


@pytest.mark.parametrize("name", ["ml-100k", "complete-journey"])
def test_examples_of_what_is_fetched_are_the_packaged_ones(name: str) -> None:
    """The example of a data set that can be fetched is the text that fetch writes."""
    from engine_runtime.data.fetch import configuration

    assert (EXAMPLES / f"{name}.toml").read_text(encoding="utf-8") == configuration(name)


def test_the_documented_settings_parse() -> None:
    """The annotated TOML of the documentation is valid, and names every section."""
    page = (EXAMPLES.parent / "docs" / "data.md").read_text(encoding="utf-8")
    config = parse_config(page.split("```toml\n")[1].split("```")[0], "docs/data.md")
    assert config.events is not None
    assert config.items is not None
    assert config.users is not None
    assert list(config.types) == ["purchase", "view", "return"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "neither"),
        (ITEMS + 'colour = "c"\n', "colour"),
        ("[events]\n", "user"),
        ("name = \n", "dataset.toml"),
        ('[events]\nuser = "u"\ntime = "t"\n', "exactly one"),
        ('[events]\nuser = "u"\nitem = "i"\nitem_list = "l"\n', "exactly one"),
        ('[events]\nuser = "u"\nitem = "i"\n', "a history has an order"),
        ('[events]\nuser = "u"\nitem_list = "l"\ntime = "t"\n', "that of the list"),
        ('[events]\nuser = "u"\nitem_list = "l"\nseparator = ""\n', "separator is empty"),
        (EVENTS + "unknown_order = -1\n", "without 'order'"),
        (EVENTS + 'time_format = "unix"\n', "strptime"),
        (EVENTS + 'type = "k"\n', r"\[event_types\]"),
        (EVENTS + 'default_type = "x"\n[event_types]\ny = 1.0\n', "'x' is not in"),
        (EVENTS + "[event_types]\nx = 1.0\ny = 1.0\n", "several types"),
        (EVENTS + "[event_types]\nx = nan\n", "finite"),
        (EVENTS + "[event_types]\n" + "".join(f"t{n} = 1.0\n" for n in range(128)), "at most 127"),
        ('[items]\nid = "i"\ntext = "plain"\n', "names no column"),
        ('[items]\nid = "i"\ntext = "{a:3}"\n', "no plain column"),
        ('[items]\nid = "i"\ntext = "{a"\n', "no template"),
        (ITEMS + 'not_ranked = "("\n', "regular expression"),
        (ITEMS + "[ingest]\nbuckets = 0\n", "buckets is 0"),
        (ITEMS + '[users]\nid = "u"\nattributes = ["a", "a"]\n', "repeat a name"),
    ],
)
def test_refuses(text: str, said: str) -> None:
    """A configuration that cannot be meant is a usage error that names the file and the fault."""
    with pytest.raises(UsageError, match=said) as caught:
        parse_config(text if text.startswith("name") else 'name = "n"\n' + text, "dataset.toml")
    assert "dataset.toml" in str(caught.value)


def test_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    """A configuration that cannot be read is a usage error."""
    with pytest.raises(UsageError, match="cannot be read"):
        load_config(tmp_path / "dataset.toml")
