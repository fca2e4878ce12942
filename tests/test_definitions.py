"""Reading files as named definitions, and putting definitions in place by name."""

from __future__ import annotations

import gc
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from coursekit import definitions
from coursekit.definitions import Unreadable, merge, pieces, put_in_place, read, used_names


def names(source: str) -> list[tuple[str, ...]]:
    return [statement.names for statement in read(textwrap.dedent(source))]


def merged(old: str, new: str) -> str:
    return merge(textwrap.dedent(old), textwrap.dedent(new))[0]


def test_every_kind_of_definition_has_names():
    source = """
        '''A docstring is no definition.'''
        from __future__ import annotations
        import torch.nn as nn, os.path
        from math import log as ln
        RATE: float = 0.1
        low, (high, *rest) = 1, (2, 3)
        async def fetch(): ...
        class Metric: ...
        try:
            import rich
        except ImportError:
            rich = None
        print(RATE)
    """

    assert names(source) == [
        ("nn", "os"),
        ("ln",),
        ("RATE",),
        ("low", "high", "rest"),
        ("fetch",),
        ("Metric",),
        ("rich",),
        (),
    ]


def test_an_unnamed_method_goes_by_the_function_and_its_types():
    assert names("@rotate.method\ndef _(x: Boxes, angle): ...") == [("rotate(x: Boxes, angle)",)]


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("def f(x)\n    return x", "it, line 1, `def f(x)`, cannot be read as Python: expected ':'."),
        ("\nreturn 3", "it, line 2, `return 3`, cannot be read as Python: 'return' outside function."),
        ("x = 1\0", "it cannot be read as Python: source code string cannot contain null bytes."),
        ("(" * 10_000, "it, line 1, `(((("),
    ],
)
def test_text_that_is_no_python_is_named_with_its_line(source: str, sentence: str):
    with pytest.raises(Unreadable) as caught:
        read(source)

    assert caught.value.sentence("it").startswith(sentence)


def test_a_function_needs_its_defaults_at_once_and_its_body_later():
    statement = read("@wrap\ndef f(x: Tensor = START) -> Tensor:\n    return helper(x)")[0]

    assert used_names(statement.node, at_once=True) == {"wrap", "START"}
    assert {"helper", "Tensor"} <= used_names(statement.node)


def test_helpers_that_call_each_other_are_put_once():
    ours = read("def a(): ...")
    theirs = read(
        "def even(n): return not n or odd(n - 1)\ndef odd(n): return even(n + 1)\ndef a(x=even(2)): ..."
    )

    assert sorted(s.names[0] for s in put_in_place(ours, theirs)) == ["a", "even", "odd"]
    assert put_in_place(ours, theirs)[-1].names == ("a",)


def test_a_definition_takes_the_place_of_its_name_and_all_else_stays():
    old = '''\
        """Mine."""

        import torch

        HALF = 0.5  # of it

        # How good.
        @torch.no_grad()
        def accuracy(p, t):
            """Old,
        not indented."""
            return 1

        # A note of mine.

        def helper():
            return HALF
        '''
    new = """\
        # How very good.
        def accuracy(p, t):
            return 2
        """

    assert merged(old, new) == textwrap.dedent('''\
        """Mine."""

        import torch

        HALF = 0.5  # of it

        # How very good.
        def accuracy(p, t):
            return 2

        # A note of mine.

        def helper():
            return HALF
        ''')


def test_merging_twice_changes_nothing_more():
    once = merged("def a(): return 1\n", "import math\nB = 2\n\ndef c(): return B\n")

    assert merged(once, "import math\nB = 2\n\ndef c(): return B\n") == once


def test_new_imports_go_to_the_imports_and_new_definitions_to_the_end():
    text = merged("import os\n\n\ndef a(): ...\n", "import math\n\ndef b(): ...\n")

    assert text == "import os\nimport math\n\n\ndef a(): ...\n\n\ndef b(): ...\n"


def test_new_imports_find_a_place_in_a_file_of_imports():
    assert merged("import os", "import math") == "import os\nimport math\n"


def test_methods_of_one_function_replace_only_the_method_for_the_same_types():
    old = "@method\ndef rotate(x: Image): return 1\n\n@method\ndef rotate(x: Mask): return 2\n"
    text = merged(old, "@method\ndef rotate(x: Mask): return 3\n")

    assert "return 1" in text
    assert "return 2" not in text
    assert "return 3" in text


def test_a_replaced_pair_keeps_the_half_that_did_not_come():
    assert merged("low, high = 1, 2\n", "low = 3\n") == "low, high = 1, 2\nlow = 3\n"


def test_lines_that_define_nothing_are_left_out():
    text, left_out = merge("", "def a(): return 1\n\nprint(a())\nassert a() == 1\n")

    assert text == "def a(): return 1\n"
    assert left_out == ["print(a())", "assert a() == 1"]


def test_a_form_feed_in_a_string_does_not_shift_the_lines():
    old = "A = '\\x0c \x0c \u2028'\n\ndef b(): return 1\n\nC = 3\n"

    assert merged(old, "def b(): return 2\n") == old.replace("return 1", "return 2")


def test_pieces_keep_the_methods_of_a_function_together():
    found = pieces("@method\ndef turn(x: A): ...\n\n@method\ndef turn(x: B): ...\n\nclass C: ...\n")

    assert list(found) == ["turn", "C"]
    assert found["turn"].count("@method") == 2


def test_threads_may_read_at_the_same_time() -> None:
    """Python 3.11.7 confuses the depths of two trees when another thread goes on in the middle of one."""
    text = Path(definitions.__file__).read_text(encoding="utf-8")
    threshold = gc.get_threshold()

    def let_others_go_on(*about: object) -> None:
        time.sleep(0)

    gc.callbacks.append(let_others_go_on)
    gc.set_threshold(50)
    try:
        with ThreadPoolExecutor(4) as threads:
            trees = list(threads.map(definitions.parse, [text] * 200))
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(let_others_go_on)

    assert len({len(tree.body) for tree in trees}) == 1
