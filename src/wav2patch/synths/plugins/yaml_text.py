"""YAML as a person means it: ``Off`` is a word, ``1e-3`` a number, a repeated key a mistake."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

_BOOL = re.compile(r"^(?:true|false)$")
_INT = re.compile(r"^[-+]?[0-9]+$")
_FLOAT = re.compile(r"^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$")
_NULL = re.compile(r"^(?:null|~|)$")
_TAGS = (
    ("bool", _BOOL, list("tf")),
    ("int", _INT, list("-+0123456789")),
    ("float", _FLOAT, list("-+.0123456789")),
    ("null", _NULL, ["n", "~", ""]),
)


class YamlError(Exception):
    """A text that is not YAML, with the line where it goes wrong."""


def parse(text: str) -> Any:
    """What a YAML text holds, in dictionaries, lists, strings, numbers and booleans.

    Words are words: of YAML 1.1's oddities, neither ``Off`` and ``No`` as booleans nor ``1:30`` as 90 are taken.

    Raises:
        YamlError: It is not YAML, or a mapping has a key twice.
    """
    import yaml  # noqa: PLC0415 - 20 ms, and only plug-ins need it

    try:
        return yaml.load(text, Loader=_loader())
    except yaml.MarkedYAMLError as error:
        where = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise YamlError(f"{where}{error.problem}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise YamlError(str(error).splitlines()[0]) from None


def flow(value: Any) -> str:
    """A value on one line."""
    # Inside a list nothing is left to guess: a bare scalar would come with an end-of-document mark.
    return _dump([value], default_flow_style=True)[1:-1]


def block(value: Any) -> str:
    """A value over several lines, a line an item; a text as it stands."""
    return _dump(value, default_flow_style=False)


def _dump(value: Any, default_flow_style: bool) -> str:
    import yaml  # noqa: PLC0415 - as above

    options: dict[str, Any] = {"sort_keys": False, "allow_unicode": True, "width": 10**6}
    return yaml.dump(value, Dumper=_dumper(), default_flow_style=default_flow_style, **options).strip("\n")


@cache
def _loader() -> Any:
    import yaml  # noqa: PLC0415 - as above

    # The parser written in C takes a tenth of the time, where PyYAML came with it.
    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):
        """Safe, with the resolvers of `_TAGS` alone."""

        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            seen = set()
            for key_node, _ in node.value:
                key = self.construct_object(key_node, deep=True)
                problem = "a key is not a word" if not isinstance(key, str | int | float) else ""
                problem = problem or (f"{key!r} appears twice" if key in seen else "")
                if problem:
                    raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
                seen.add(key)
            return super().construct_mapping(node, deep)

    for name, pattern, first in _TAGS:
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{name}", pattern, first)
    Loader.add_constructor("tag:yaml.org,2002:int", _number_of(int))
    Loader.add_constructor("tag:yaml.org,2002:float", _number_of(float))
    return Loader


@cache
def _dumper() -> Any:
    import yaml  # noqa: PLC0415 - as above

    class Dumper(yaml.SafeDumper):
        """Quotes what either reading of YAML would take for something else; never refers back to an earlier value."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    for name, pattern, first in _TAGS:
        Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{name}", pattern, first)
    Dumper.add_representer(str, _represent_text)
    Dumper.add_representer(tuple, lambda dumper, data: dumper.represent_list(data))
    return Dumper


def _number_of(kind: type[int] | type[float]) -> Any:
    return lambda loader, node: kind(loader.construct_scalar(node))


def _represent_text(dumper: Any, text: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)
