"""The measures of a portrait, one a file, named as in ISO/IEC 29794-5 where it names them.

They return native values and decide nothing; None says that it could not be assessed. Every file
beside this one but `measure` is one: it is found, not listed.
"""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from biometrics.face.measures.measure import Measure


def _found() -> Mapping[str, Measure]:
    names = sorted(entry.name for entry in iter_modules(__path__) if entry.name != "measure")
    measures: list[Measure] = [import_module(f"{__name__}.{name}").MEASURE for name in names]
    return MappingProxyType({measure.name: measure for measure in measures})


MEASURES = _found()
"""By name. Each says what it measures, in which unit, and where it comes from."""
