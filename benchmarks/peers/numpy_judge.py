"""Count what NumPy, as judge, says of odd calls of every function that works on Tensors.

    python benchmarks/peers/numpy_judge.py

The calls are those of tests/ops/test_numpy_is_judge.py, where each must be right: axes that do not
exist, arrays of other shapes, unknown words, small dtypes.

    agree      the same value, shape and dtype, or NumPy's kind of error
    refused    NumPy takes the call; here a sentence says why not
    wrong      anything else, listed
"""

import collections
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "ops"))
import test_numpy_is_judge as judge


def main():
    counts: collections.Counter = collections.Counter()
    for f in judge.CALLS:
        calls = list(judge.odd_calls(f))
        for dtype in judge.SMALL:
            calls += [
                (judge.in_dtype(args, dtype), {k: judge.in_dtype(v, dtype) for k, v in kw.items()})
                for args, kw in judge.CALLS[f]
            ]
        for args, kwargs in calls:
            wrong = judge.verdict(f, args, kwargs)
            if wrong:
                print(judge.label(f), *map(np.shape, args), kwargs, wrong)
                counts["wrong"] += 1
            else:
                counts["refused" if refused(f, args, kwargs) else "agree"] += 1
    print(f"{len(judge.CALLS)} functions, {sum(counts.values())} calls")
    for name in ("agree", "refused", "wrong"):
        print(f"{counts[name]:6}  {name}")


def refused(f, args, kwargs):
    """Tell whether NumPy takes a call that is refused here."""
    ours = judge.answer(f, [judge.tensors(a) for a in args], kwargs)[1]
    return ours is not None and judge.answer(f, args, kwargs)[1] is None


if __name__ == "__main__":
    main()
