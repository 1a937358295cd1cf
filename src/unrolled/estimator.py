"""scikit-learn's contract, without scikit-learn: arguments by name, its call as text, fitted or not."""

from __future__ import annotations

import inspect
from typing import Any, Self

from unrolled.errors import ArgumentError, fault, nearest


class Estimator:
    """What every estimator shares: `__init__` stores its arguments, this class reads and replaces them."""

    @classmethod
    def _names(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return all arguments by name, as scikit-learn does.

        Args:
            deep: taken for scikit-learn's sake; there is nothing nested.
        """
        return {name: getattr(self, name) for name in self._names()}

    def set_params(self, **params: Any) -> Self:
        """Replace arguments by name, and return self.

        Raises:
            ArgumentError: there is no such argument.
        """
        names = self._names()
        unknown = [name for name in params if name not in names]
        if unknown:
            raise ArgumentError(
                *(
                    fault("argument.unknown", name=n, known=", ".join(names), nearest=nearest(n, names))
                    for n in unknown
                )
            )
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        """Return the call that makes it, without what is as by default."""
        parameters = inspect.signature(type(self).__init__).parameters
        changed = [
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if type(value) is not type(parameters[name].default) or value != parameters[name].default
        ]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn asks of every estimator; only scikit-learn calls it, so it is there."""
        from sklearn.utils import Tags, TargetTags

        return Tags(estimator_type=None, target_tags=TargetTags(required=False))

    def __sklearn_is_fitted__(self) -> bool:
        """Whether `fit` has run."""
        return hasattr(self, "network_")
