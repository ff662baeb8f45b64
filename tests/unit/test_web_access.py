"""Where a person is sent after signing in is always a page of ours."""

import pytest

from runtime.web.access import safe_path


@pytest.mark.parametrize("path", ["/", "/devices", "/incidents?show=person", "/a/b#c"])
def test_our_own_pages_are_gone_to(path: str) -> None:
    assert safe_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "devices",
        "//evil.example",
        "/\\evil.example",
        "/a\\b",
        "https://evil.example/",
        "javascript:alert(1)",
        "/a\nLocation: x",
        "/\t/evil.example",
        "\\/evil.example",
        "https:/evil.example",
    ],
)
def test_anywhere_else_is_the_first_page(path: str) -> None:
    assert safe_path(path) == "/"
