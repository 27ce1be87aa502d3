"""The letters that stand for a person."""

from types import SimpleNamespace

import pytest

from crm.templatetags.people import letters


@pytest.mark.parametrize(
    ("name", "phone", "shown"),
    [
        ("ada osei mensah", "", "AO"),
        ("山田 花子", "+819055500104", "山花"),
        ("", "+8613855500105", "05"),
        ("+8613855500105", "+8613855500105", "05"),
        (None, None, ""),
    ],
)
def test_two_words_begin_them_or_a_number_ends_in_them(name, phone, shown):
    assert letters({"name": name, "phone": phone}) == letters(SimpleNamespace(name=name, phone=phone)) == shown


def test_nobody_has_none():
    assert letters(None) == letters("") == ""
