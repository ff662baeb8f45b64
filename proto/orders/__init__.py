"""Orders, one module a type: parameters, tier, limits, examples accepted and refused.

`kinds` says what a type is made of, `sensors` what those about agents share, `registry` lists all.
"""
