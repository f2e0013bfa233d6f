"""What Jupyter shows of a result."""

from __future__ import annotations

from html.parser import HTMLParser

import enhance


class Tags(HTMLParser):
    """Counts what is opened, and fails on what is closed out of order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.sources.append(dict(attrs)["src"] or "")
        else:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def test_jupyter_shows_pictures_settings_and_gain(enhanced: enhance.TuneResult) -> None:
    tags = Tags(enhanced._repr_html_())
    assert tags.open == []
    assert len(set(tags.sources)) == 2  # before and after differ
    assert all(source.startswith("data:image/jpeg;base64,") for source in tags.sources)
    assert enhanced.reason in tags.words
    assert all(name in tags.words for name in enhanced.settings)


def test_an_untouched_photo_is_shown_twice(refused: enhance.TuneResult) -> None:
    tags = Tags(refused._repr_html_())
    assert len(tags.sources) == 2
    assert len(set(tags.sources)) == 1
    assert tags.words.split()[0] == "untouched:"
