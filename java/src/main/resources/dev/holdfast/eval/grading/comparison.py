def _compare(candidate):
    import copy
    import json
    import math
    import re

    def same(expected, actual):
        if isinstance(expected, float) or isinstance(actual, float):
            if not isinstance(expected, (int, float)) or not isinstance(actual, (int, float)):
                return False
            both_nan = math.isnan(expected) and math.isnan(actual)
            return both_nan or math.isclose(expected, actual, rel_tol=1e-7, abs_tol=@TOLERANCE@)
        if isinstance(expected, (list, tuple)) and isinstance(actual, (list, tuple)):
            return len(expected) == len(actual) and all(map(same, expected, actual))
        if isinstance(expected, dict) and isinstance(actual, dict):
            return expected.keys() == actual.keys() and all(same(expected[key], actual[key]) for key in expected)
        if isinstance(expected, re.Match):
            return isinstance(actual, re.Match)
        return expected == actual

    reference = {}
    exec(@REFERENCE@, reference)
    for arguments in json.loads(@INPUTS@):
        try:
            expected = reference[@ENTRY_POINT@](*copy.deepcopy(arguments))
        except Exception:
            continue  # An input that the reference refuses says nothing.
        actual = candidate(*copy.deepcopy(arguments))
        assert same(expected, actual), f"{arguments!r}: expected {expected!r}, got {actual!r}"


_compare(globals()[@ENTRY_POINT@])
