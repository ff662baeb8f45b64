"""Orders, one module a type: parameters, tier, limits, examples accepted and refused.

`kinds` says what a type is made of, `registry` lists them all.
"""
