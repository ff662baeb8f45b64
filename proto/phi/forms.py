"""The forms that tell what can be in a record: exact patterns, and the one gate over all of them.

The gate's forms may be looser than the exact ones, so that its automaton stays small; `shapes`
judges what the exact ones find, and the other readers ask the gate whether to look at all.
"""

from proto.phi.scan import Gate, Pattern

_MONTHS = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]{0,6}"
_SEP = r"(?:[-. /_]| - |-?\r?\n)"

PATTERNS = {
    "ssn": rf"[0-9]{{3}}{_SEP}[0-9]{{2}}{_SEP}[0-9]{{4}}",
    "phone": r"(?:\+[0-9]{1,3}[-. ]?|1[-. ])?\(?[0-9]{3}\)?(?:[-. /]{1,2}|\) ?|-\r?\n)[0-9]{3}(?:[-. ]|-\r?\n)[0-9]{4}|\+[0-9]{11,15}|\+[0-9]{1,3}(?:[ .-][0-9]{2,5}){2,5}|\([0-9]{3}\)[0-9]{3}-?[0-9]{4}",
    "email": r"[a-zA-Z0-9._%+'-]{1,64}(?:@|%40| ?\[at\] ?| at (?:[a-z]+ dot ))[a-zA-Z0-9-]{1,63}(?:(?:\.| ?\[dot\] ?)[a-zA-Z0-9-]{1,63}){1,4}",
    "mbi": r"[1-9][a-zA-Z][a-zA-Z0-9][0-9]-?[a-zA-Z][a-zA-Z0-9][0-9]-?[a-zA-Z]{2}[0-9]{2}",
    "card": r"[3-6][0-9]{3}[- ][0-9]{4,6}[- ][0-9]{4,5}(?:[- ][0-9]{1,7})?",
    "vin": r"[A-HJ-NPR-Z0-9]{17}",
    "street": r"[0-9]{1,6}(?:[A-Za-z]|-[0-9]{1,4})? (?:[NSEW]\.? |[NS][EW]\.? |[0-9]{1,3}(?:st|nd|rd|th) |[A-Z][A-Za-z'.-]{1,24} ){0,4}[A-Z][A-Za-z]{1,14}\b",
    "pobox": r"(?i:p\.? ?o\.? ?box [0-9]{1,7})",
    "zip": r"[A-Z][A-Za-z.' -]{1,40},? [A-Z]{2},?[ .]{1,3}[0-9]{5}(?:-[0-9]{4})?",
    "age": r"(?i:(?:9[0-9]|1[0-2][0-9])[- ]?(?:y/?o|yrs?|years?)(?:[- ]?old)?\b|(?:9[0-9]|1[0-2][0-9]) ?y[ /]?[mf]\b|\bage[d]?[ :=]{1,3}(?:9[0-9]|1[0-2][0-9])\b)",
    "date": rf"(?i:[0-9]{{4}}[-/.][0-9]{{1,2}}[-/.][0-9]{{1,2}}|[0-9]{{1,2}}[-/.][0-9]{{1,2}}[-/.](?:[0-9]{{4}}|[0-9]{{2}})\b|\b{_MONTHS}[ .,_-]{{1,2}}[0-9]{{1,2}}(?:st|nd|rd|th)?,?[ _-]{{1,2}}[0-9]{{4}}|\b[0-9]{{1,2}}(?:st|nd|rd|th)?[ _-]{_MONTHS}[ ,._-]{{1,2}}[0-9]{{4}}|\b(?:19|20)[0-9]{{6}}\b)",
    "ip": r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}",
    "caret": r"[A-Za-z][A-Za-z' -]{1,40}\^[A-Za-z]",
    "account": r"[A-Za-z][A-Za-z0-9.-]{1,24}\\{1,2}[A-Za-z][A-Za-z0-9._-]{2,40}",
    "profile": r"(?i:[\\/](?:users|home|documents and settings|profiles\$?)[\\/]{1,4}[^\\/\s\"'<>|:;,]{2,60})",
    "iban": r"[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){3,7}",
    "escape": r"%[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|&#?[a-zA-Z0-9]{2,8};|\\\"",
    "quoted": r"=[0-9A-F]{2}|=\r?\n",
    "blob": r"[A-Za-z0-9+/_-]{16}",
    "hex": r"[0-9A-Fa-f]{16}|(?:[0-9A-Fa-f]{2}[ :]){8}",
    "spaced": r"(?:\b[A-Za-z0-9](?: - |[ ._-])){4}",
    "secret": r"(?i:eyJ[a-z0-9_-]{8}|-----BEGIN|://[^\s/:@\"']{0,80}:[^\s\"'/]{1,120}@|AKIA[0-9A-Z]{12}|ASIA[0-9A-Z]{12}|gh[pousr]_[a-z0-9]{20}|xox[abprs]-|sk[-_](?:live|test|proj|ant)|AIza[0-9a-z_-]{20}|glpat-|basic [a-z0-9+/]{8}|bearer [a-z0-9._~+/-]{8}|npm_[a-z0-9]{20}|SG\.[a-z0-9_-]{16}|[\"' ](?:-p|/p:|/rp |/pass|-pw|-P|-a|-u|-w|-c|--user)[ :]?[^\s]{3}|pass:|net use|cpassword|[0-9]{6}(?:-[0-9]{6}){7}|\$[0-9a-z]{1,8}\$|hooks\.slack|sig=|[0-9a-f]{32}:[0-9a-f]{32}|AQ[A-Z][a-z0-9]{20}|dckr_pat|EAAC|ya29\.|AC[a-f0-9]{32})",
    "file": r"(?i:\.(?:pdf|jpe?g|png|tiff?|dcm|docx?|rtf|xlsx?|csv|txt|xml|hl7|zip|heic|bmp|gif|mp4|wav|msg|eml|htm|html|ccda|json|7z))",
    "hl7": r"(?:^|[\r\n\x0b])[A-Z][A-Z0-9]{2}\|",
    "x12": r"ISA\*|(?:^|[~\n\r])(?:NM1|N3|N4|DMG|REF|CLM|PER|SBR|DTP|TRN|CLP|N1)\*",
    "dicom": r"\([0-9A-Fa-f]{4},[0-9A-Fa-f]{4}\)",
    "rows": r"(?s:(?:[|\t;,]|--- ).*)\n",
    "sql": r"(?i:insert into)",
}
# The gate's forms are looser and shorter: an automaton of them all stays small, and so fast.
_LOOSE = {
    "ssn": r"[0-9]{3}[-. /_\r\n]+[0-9]{2}[-. /_\r\n]+[0-9]{4}",
    "phone": r"[0-9]{3}[-. /)\r\n]+[0-9]{3}[-. \r\n]*[0-9]{4}|\+[0-9]",
    "email": r"@|%40|\[at\]| at [a-z]+ dot ",
    "card": r"[3-6][0-9]{3}[- ][0-9]{4,6}[- ][0-9]{4}",
    "street": r"[0-9][A-Za-z]? [A-Z0-9]",
    "pobox": r"(?i:box) [0-9]",
    "zip": r"[A-Z]{2},?[ .]+[0-9]{5}",
    "age": r"(?i:(?:9[0-9]|1[0-2][0-9])[- ]?y|age[d]?[ :=]+(?:9[0-9]|1[0-2][0-9]))",
    "date": r"[0-9][-/.][0-9]{1,2}[-/.][0-9]|(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|(?:19|20)[0-9]{6}",
    "ip": r"[0-9]\.[0-9]+\.[0-9]+\.[0-9]",
    "caret": r"[A-Za-z]\^[A-Za-z]",
    "account": r"[A-Za-z0-9]\\{1,2}[A-Za-z]",
    "profile": r"(?i:[\\/](?:users|home|documents and settings|profiles\$?)[\\/])",
    "iban": r"[A-Z]{2}[0-9]{2} ?[A-Z0-9]{4} ?[A-Z0-9]{4}",
    "secret": PATTERNS["secret"]
    .replace("[^\\s/:@\\\"']{0,80}:[^\\s\\\"'/]{1,120}@", "[^\\s/@]*:[^\\s/@]*@")
    .replace("[0-9]{6}(?:-[0-9]{6}){7}", "[0-9]{6}-[0-9]{6}-")
    .replace("[0-9a-f]{32}:[0-9a-f]{32}", "[0-9a-f]{8}:[0-9a-f]{8}")
    .replace("[a-f0-9]{32}", "[a-f0-9]{8}"),
}
GATE = Gate({**PATTERNS, **_LOOSE})
SCANS = {
    name: Pattern(PATTERNS[name])
    for name in (
        "ssn",
        "phone",
        "email",
        "mbi",
        "card",
        "vin",
        "street",
        "pobox",
        "zip",
        "age",
        "date",
        "ip",
        "caret",
        "account",
        "profile",
        "iban",
    )
}
