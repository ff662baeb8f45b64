"""The forms that tell what can be in a record: exact patterns, and the one gate over all of them.

An automaton that knows every form at once is fast only while few of its states are ever seen. So
the gate looks at what does not change from line to line: at a skeleton, where every digit is `0`
and every letter `A` or `a`, for what tells by its outline; at lower case for what tells by its
words; and at runs of one alphabet for blobs. It may say yes too often, never too seldom: `shapes`
and the other readers judge what the exact patterns find.
"""

import re

from proto.phi.scan import SETS_MAX, Gate, Pattern

_MONTHS = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]{0,6}"
_SEP = r"(?:[-. /_]| - |-?\r?\n[ \t]{0,8})"
_AT, _DOT = r"\s?[\[({<]\s?(?i:at)\s?[\])}>]\s?", r"\s?[\[({<]\s?(?i:dot)\s?[\])}>]\s?"
"""Marks that people spell out: `ann [at] example (dot) org`."""

EXACT = {
    "ssn": rf"[0-9]{{3}}{_SEP}[0-9]{{2}}{_SEP}[0-9]{{4}}",
    "phone": r"(?:\+[0-9]{1,3}[-. ]?|\b1[-. ])?\(?[0-9]{3}\)?(?:[-. /]{1,2}|\) ?|-\r?\n[ \t]{0,8})[0-9]{3}(?:[-. ]|-\r?\n[ \t]{0,8})[0-9]{4}|\+[0-9]{11,15}|\+[0-9]{1,3}(?:[ .-][0-9]{2,5}){2,5}|\([0-9]{3}\)[0-9]{3}-?[0-9]{4}",
    "email": rf"[a-zA-Z0-9._%+'-]{{1,64}}(?:{_DOT}[a-zA-Z0-9._%+'-]{{1,64}}){{0,3}}(?:@|%40|{_AT})[a-zA-Z0-9-]{{1,63}}(?:(?:\.|{_DOT})[a-zA-Z0-9-]{{1,63}}){{1,4}}"
    r"|[a-zA-Z0-9._%+'-]{1,64}(?:[ _](?i:dot)[ _][a-zA-Z0-9-]{1,64}){0,3}[ _](?i:at)[ _][a-zA-Z0-9-]{1,63}(?:[ _](?i:dot)[ _][a-zA-Z0-9-]{1,63}){1,4}"
    r"|[a-zA-Z0-9._%+'-]{1,64} @ [a-zA-Z0-9-]{1,63}(?: ?\. ?(?:com|net|org|edu|gov|us|me)\b)",
    "mbi": r"[1-9][a-zA-Z][a-zA-Z0-9][0-9](?:-| {1,2})?[a-zA-Z][a-zA-Z0-9][0-9](?:-| {1,2})?[a-zA-Z]{2}[0-9]{2}",
    "card": r"[3-6][0-9]{3}[- ][0-9]{4,6}[- ][0-9]{4,5}(?:[- ][0-9]{1,7})?",
    "vin": r"[A-HJ-NPR-Z0-9]{17}",
    "street": r"[0-9]{1,6}(?:[A-Za-z]|-[0-9]{1,4})? (?:[NSEW]\.? |[NS][EW]\.? |[0-9]{1,3}(?:st|nd|rd|th) |[A-Z][A-Za-z'.-]{1,24} ){0,5}[A-Z][A-Za-z]{1,14}\b",
    "pobox": r"(?i:p\.? ?o\.? ?box [0-9]{1,7})",
    "zip": r"[A-Z][A-Za-z.' -]{1,40},? [A-Z]{2},?[ .]{1,3}[0-9]{5}(?:-[0-9]{4})?",
    "age": r"(?i:(?:9[0-9]|1[0-2][0-9])[- ]?(?:y/?o|yrs?|years?)(?:[- ]?old)?\b|(?:9[0-9]|1[0-2][0-9]) ?y[ /]?[mf]\b|\bage[d]?[ :=]{1,3}(?:9[0-9]|1[0-2][0-9])\b)",
    "date": rf"(?i:[0-9]{{4}}[-/.][0-9]{{1,2}}[-/.][0-9]{{1,2}}|[0-9]{{1,2}}[-/.][0-9]{{1,2}}[-/.](?:[0-9]{{4}}|[0-9]{{2}})\b|\b{_MONTHS}[ .,_-]{{1,2}}[0-9]{{1,2}}(?:st|nd|rd|th)?,?[ _-]{{1,2}}[0-9]{{4}}|\b[0-9]{{1,2}}(?:st|nd|rd|th)?[ _-](?:day of |of )?{_MONTHS}[ ,._-]{{1,2}}[0-9]{{4}}|\b[0-9]{{2}}-{_MONTHS}-[0-9]{{2}}\b|\b(?:19|20)[0-9]{{6}}\b)",
    "ip": r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}",
    "caret": r"[A-Za-z][A-Za-z' -]{1,40}\^[A-Za-z]",
    "account": r"[A-Za-z][A-Za-z0-9.-]{1,24}\\{1,2}[A-Za-z][A-Za-z0-9._-]{2,40}",
    "profile": r"(?i:[\\/](?:users|homes?\$?|home[ _-]?(?:dirs?|folders|drives?)|userdata|documents and settings|profiles\$?)[\\/]{1,4}[^\\/\s\"'<>|:;,]{2,60})",
    "iban": r"[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){3,7}",
}
SCANS = {name: Pattern(form) for name, form in EXACT.items()}

_OUTLINES = {
    "ssn": r"000[-. /_\n\t]+00[-. /_\n\t]+0000",
    "phone": r"000[-. /)\n\t]+000[-. \n\t]*0000|\+0{11}|\+0{1,3}[ .-]00",
    "mbi": r"0[Aa][Aa0]0[- ]*[Aa][Aa0]0[- ]*[Aa]{2}00",
    "card": r"0000[- ]0000",
    "street": r"0[Aa]? [A0]",
    "zip": r"AA,?[ .]+00000",
    "date": r"0[-/.]00?[-/.]0|00000000",
    "day": r"0/00?/00",
    "ip": r"0\.0+\.0+\.0",
    "caret": r"[Aa' -]\^[Aa]",
    "account": r"[Aa0.-]\\{1,2}[Aa]",
    "slashed": r"A/A",
    "noted": r"\([Aa][Aa0._-]+,? \[?(?:00?[/:]|0000-0|Aaa  ?0|0000000000)",
    "labelled": r"[Aa\x01]_0{8}",
    "titled": r"a A[a'-]{3}[a'-]* A[a'-]{3}",
    "pair": r"A[a'-]+,? A[Aa'-]+(?:$|[\"'),;|<>\n.\]]| [a(\[)-])",
    "acts": r"A[Aa'-]+ A[Aa'-]+ a",
    "twofold": r"[a0._-][\"']?(?:[,;|\t] ?| ?\(| - )[\"']?A[a'-]+ A[Aa'-]|A[a'-]+ A[Aa'-]+[\"']?(?:[,;|\t] ?| ?[(<\[]| - )[\"']?a",
    "caller": r"\" ?<[Aa:+]{0,7}0{10}",
    "pan": r"(?:^|[^Aa0])0{15,16}(?:$|[^Aa0])",
    "named_day": r"[Aa'-][.)]?,?[ _]{1,2}\(?(?:AAA:? ?)?0{1,4}[-/]0",
    "quoted_day": r"A[Aa'-]+[\"'], ?[\"'](?:0{8}|0{1,4}[-/]0)",
    "called_day": r"[Aa]\(0000, ?0",
    "middle": r"[Aa'-] A\. A",
    "titled_behind": r"A\. A[Aa'-]+,? A[Aa]",
    "parsed": r"[\"'](?:A{0,3}000000|000-000-000|00-00-00)",
    "piped": r"0[|;~^]A[Aa'-]*[|;~^]A",
    "initials": r"[Aa] A\. ?A",
    "joined": r"[Aa'-]_A[Aa'-]*_0{6}",
    "slashes": r"[Aa'-]/0{1,4}[-/]0|[Aa'-]/A[Aa'-]* (?:0{1,4}[-/]0|00000000)|[Aa'-]/00000000",
    "folder": r"[Aa'-], A[Aa'-]*[\\/.]|0{6}\)?[\\/]|[\\/]A[Aa'-]+ A[Aa'-]+(?: [Aa0#-]|[\\/])",
    "in_brackets": r"[Aa]\.?,? [(\[][Aa#: ]{0,10}(?:0{6}|000-000)",
    "ids": r"0-00-00|0-000-00|A000000",
    "ten": r"0000000000",
    "iban": r"AA00 ?[A0]{4} ?[A0]{4}",
    "spaced": r"(?:^|[^Aa0_])[Aa0](?:(?: [-/(] | ?[ ._-])[Aa0]){3}(?: [-/()] |[ ._-])",
    "quoted": r"=[A0]{2}|=\n",
    "hex": r"(?:[Aa0]{2}[ :,-]){7}[Aa0]{2}|(?:[Aa0]{4} ){3}[Aa0]{4}|0a[Aa0]{2}, ?0a[Aa0]{2}, ?0a|(?:0{2,3}, ?){7}00",
    "blob": r"[Aa0+/]{11}==?(?:$|[ ,;)\]}\"'|&\n])",
    "folded": r"[Aa0,.)/'&@-]\n\n?[ \t]+[Aa0(@.+]",
    "broken": r"[Aa]-\n\n?a",
    "hl7": r"(?:^|[^Aa0])A[A0]{2}\|",
    "dotted": r"\.[Aa0_-]{6}\.[Aa0_-]{8}",
    "astm": r"A\|0+\|",
    "dicom": r"\([Aa0]{4},[Aa0]{4}\)",
    "gs1": r"\(00\)0{14}",
}
_WORDS = {
    "escape": r"%[0-9a-f]{2}|\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|&#?[a-z0-9]{2,8};|\\\"|=\?[a-z0-9_-]+\?[bq]\?|\\(?:033|e)\[|\^\[\[|\\[23][0-7]{2}\\[23][0-7]{2}|(?:\\[0-3][0-7]{2}){3}|%u[0-9a-f]{4}|\\u\{|_x[0-9a-f]{4}_|&#0[0-9]{1,6}|\\'[0-9a-f]{2}|(?:chrw?|char)(?:\(|\]) ?[0-9]|[a-z0-9,.]\\[ ,][ a-z0-9\\]|[a-z,]\\2[c0][a-z\\]|[a-z]\\0[a-z]\\0|\\\r?\n|\\[rn](?:pid|nk1|pv1|obr|obx|in1|gt1|msh)\||[\"'] ?(?:\+|\|\|) ?[\"']|[=:? ][0-9]{1,6}\+[a-z.]+\+",
    "marked": r"=(?:20|2c|2d|2e|2f|27|40)[a-z0-9]|(?:=[0-9a-f]{2}){4}|[a-z0-9.@_, -]=(?:\r?\n|\\+n)[a-z0-9@. /-]",
    "arrays": r"[\"'](?:headers?|columns?|cols|fields|keys|names)[\"'] ?: ?\[ ?[\"']",
    "spelled": r"(?:first|second|third|f(?:our|if)th|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|teenth|twentieth|thirtieth)(?: day)? (?:of |in )?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? (?:the )?(?:first|second|third|f(?:our|if)th|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|[a-z]+teenth|twent|thirt)",
    "dictated": r"(?:(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|cero|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|al[pf]|bravo|charlie|delta|echo|foxtrot|golf|hotel|india|juliet|kilo|lima|mike|november|oscar|papa|quebec|romeo|sierra|tango|uniform|victor|whiskey|x-?ray|yankee|zulu|dash|hyphen|double|triple|point|[0-9])[a-z]*[ ,.-]+){4}",
    "as_in": r"(?:^|[^a-z0-9])[a-z],? (?:as|like|for) [a-z]+[ ,;.]",
    "glued": r"(?:^|[^a-z0-9])(?:ssn|ss|mrn|chart|pt_?id|pat_?id|patient_?id|dob|bday|birth_?date|ph|phone|cell|tel|mobile|acct|account|member_?id|subscriber_?id)[#_-]?[a-z]{0,3}[0-9]{6}",
    "nested": r"[\"']: ?[{\[]|</[a-z]+></",
    "apart": r"[\"'](?:pid|nk1|in1|gt1|pv1)[-_.]?[0-9]|label=|[0-9]{3}-[a-z][0-9a-z][=: ]|args:|binding parameter|set(?:n?string|object|date)\([0-9]|copy [a-z_.]+[ ,]|['\"], |','|nm10|dmg02|n30|n40|per0|ref02|sbr03|clm01|clp01|(?:pid|nk1|in1|gt1|pv1|mrg)[-.]|uplicate|row contains|full row: |uncated value|\)=\(|alue: '|[@$:][a-z0-9_]+ ?= ?[ne]?'|appointment|appt|visit|slot",
    "called": r"(?:id|#|no\.?|number|subject|bar ?code|wristband|arm ?band|band|ref|reference|folio|record|authorized|authorised|for|vs|versus|against|keep|kept|deleted?|survivor|retired|into|exists as|dup[a-z]* of|same as|enc|csn|clp|clm|emp|empl)[:# ]{0,2}(?:[a-z]{0,3}[0-9]{6}|[0-9]{2,3}-[0-9]{2,3}-[0-9]{2})",
    "worn": r"(?:device|pump|pdm|meter|monitor|implant|icd|pacemaker|cpap|cgm|sensor|transmitter|receiver|reader|recorder|processor|stimulator|programmer|lead|valve|holter|controller|ventilator|concentrator|aids?|s/n|sn|serial|interrogated|paired|loaner)(?:[ _]?id| no\.?| number|[ _]?serial| #| s/n:?| sn:?| [a-z]{2,10})?(?: |[\"']? ?[:=] ?[\"']?)[a-z0-9]",
    "resource": r"(?:patient|practitioner|relatedperson|person|encounter|coverage|visit|appointment|claim|referral)(?:/|\(id=)",
    "aged_sex": r"(?:9[0-9]|1[01][0-9])(?:[mf]|(?: ?y\.?[/ ]?o\.?)? (?:female|male|woman|man|lady|gentleman))",
    "born": r"born|b\.|yob|birth|[?&;](?:y|yr|year|by|byr|dob_?y[a-z]*)=1[89]",
    "email": r"@|%40|[\[({<]\s?at\s?[\])}>]|[ _]at[ _][a-z0-9-]+[ _]dot[ _]",
    "pobox": r"box [0-9]",
    "age": r"(?:9[0-9]|1[0-2][0-9])[- ]?y|age[d]?[ :=]+[19]",
    "month": r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ .,_-]+[0-9]",
    "profile": r"[\\/](?:users|homes?\$?|home[ _-]?(?:dirs?|folders|drives?)|userdata|documents and settings|profiles\$?)[\\/]",
    "file": r"\.(?:pdf|jpe?g|png|tiff?|dcm|docx?|rtf|xlsx?|csv|txt|xml|hl7|zip|heic|bmp|gif|mp4|wav|msg|eml|html?|ccda|json|7z|ps|prn|spl|xps|835|837[pid]?|edi|docm|xlsm|dmp|bak|pptx?|odt|wma|m4a|mp3|dss|ds2|pst|ost|vhdx?|nk2)",
    "url": r"://",
    "x12": r"isa\*|(?:^|[~\n\r \"'|])(?:nm1|n3|n4|dmg|ref|clm|per|sbr|dtp|trn|clp|n1)\*",
    "sql": r"insert into|values ?\(|(?:call|exec|execute) [a-z_.]+ ?\(?[\"']",
    "masked": r"[*x#]{2}[- ]?[0-9]{4}|end(?:ing|s)(?: in| with)?[ :]+[*x.]*[0-9]{4}",
    "cars": r"(?:^|[^a-z])(?:ocr|vin|vehicles?|plates?|parking|a?lpr|anpr|obd|odometer|lpn|valet|garage|tow|towing|towed|fleet|carpool|boot|keeper|ambulance|permit|shuttle|van [a-z0-9]+|vehicle_[a-z]+|vehicle[a-z]+|lic_?plate|veh)(?:$|[^a-z])",
    "fhir": r"resourcetype|hl7\.org/fhir|vr[\\\"']",
    "merged": r"merg|dup|already|belongs|mismatch",
    "asks": r"(?:get|post|put|delete|patch|head) /[^ ]*\?",
    "route": r"(?:get|post|put|delete|patch|head) /[^ ]*-|/(?:patients?|charts?|people|persons?|members?|clients|contacts|guarantors|subscribers|users?|records?|results|encounters?|visits?|appointments?|invite|profile|portal|intake|p|u|r|pt)/[a-z]{0,2}[0-9]{6}",
    "car": r" (?:sedan|suv|truck|van|car|coupe|pickup|minivan|jeep|honda|toyota|ford|chevy|nissan|subaru|kia|hyundai|bmw|tesla|mazda|civic|accord|camry|corolla|altima|prius|rav4|outback|forester|elantra|sonata|jetta|passat|silverado|tahoe|wrangler|odyssey|sienna|highlander|equinox|malibu|impala|focus|fusion|mustang|charger|durango|sentra|rogue|tacoma|tundra)(?:[^a-z]|$)",
    "dated": r"[a-z][_ ^-](?:19|20)[0-9]{2}-?[01][0-9]-?[0-3][0-9]",
    "mrns": r"(?:mrns|mrn list|record n[ou]|chart (?:n[ou]|ids)|patient ids)",
    "former": r"[\[(](?:prev|was|old|now|former|aka|new|alias|dup|merged|ex|orig|from|into|survivor|retired)[^)\]\n]{0,24}[0-9]{5}",
    "defanged": r"[\[({][.@][\])}]",
    "dashed_at": r"-at-|_at_",
    "guest": r"#ext#",
    "born_part": r"(?:dob|birth|born|bday|d\.o\.b\.?)[a-z_ -]{0,6}[ ._\[-]{0,2}(?:month|mm|mon|mo|day|dd|dy|d|m)|(?:months?|days?|mm|dd)[ _-]?of[ _-]?birth|(?:dob|birth[ _-]?(?:date|day)|of[ _-]?birth|birth|born|bday|d\.o\.b\.?)\\{0,3}[\"']? ?[:=] ?\\{0,3}[{(]",
    "called_part": r"(?:phones?|tel|telephone|cell|mobile|fax|home|work|contact|callback|number|num|no)\\{0,3}[\"'] ?: ?\{|(?:phone|tel|cell|mobile|fax|ph)[._-]?(?:area|npa|ac|prefix|ex|nxx|line|suffix|number|p|[1234])",
    "put_together": r"[\"'](?:\(?\{[0-9]?\}|\(?%[sd])|[\])] ?(?:\.join|-join)|[\"'][-./ ][\"']\.join",
    "vcard": r"(?:^|[^a-z]|\\n)(?:n|fn|nickname|sort-string|bday|tel|email|adr|label);[a-z0-9-]",
    "compound": r"(?:patients?|pts?|pat|chart|dear|recall|intake|guarantor|client|member|subscriber|insured)(?:[_-](?:[a-z]{5}|[a-z]+[_-][a-z])|[a-z]{9})|[a-z]{3}[_-](?:patients?|pts?|pat|chart|dear|recall|intake|guarantor|client|member|subscriber|insured)(?:$|[^a-z])",
    "compound_value": r"(?:patients?|pts?|pat|chart|dear|recall|intake|guarantor|client|member|subscriber|insured)[a-z_-]{0,10}\\{0,3}[\"']? ?[:=]",
    "column": r"[\"'`][,;:.)]{0,2} [^\"'`\n]*(?:column|field|property|attribute|parameter|key) ",
    "strong": r"passw|passphrase|passcode|securestring|credential|pass[^a-z]|pwd?[^a-z]|creds?[^a-z]",
    "opaque": r"(?:key|signature|secret|token)[\"']? ?[:=] ?[\"']?[a-z0-9+/_=-]{8}|https?://|sess|csrf|xsrf|connect\.sid",
    "trunk": r"(?:sip|pjsip|iax2|dahdi|local|trunk)/[^ ]*[2-9][0-9]{6}|[/\\_-]1?[2-9][0-9]{8,9}[0-9a-z_-]*\.(?:wav|mp3|gsm|ogg|tif|pdf)",
    "afar": r"[a-z0-9]/[0-9]{1,3}\.[0-9]+\.[0-9]+\.[0-9]+:",
    "system": r"/(?:mrn|ssn|mpi|patient-?ids?|chart|medrec|account)\|",
    "four": r"last[ _-]?(?:4|four)",
    "greeted": r"(?:[,!]| -) (?:view|see|pay|reply|your|please|this|we|you|confirm|thank|don't|it's|time|our|click|tap|call|text|just|remember)",
    "role": r"(?:contact|customer|client|recipient|callee|party|attendee|invitee|payer|visitor|renter|name|person|driver|who|callerid) ?[\"'][a-z]",
    "told": r"told |texted |asked |e-?mailed |paged |phoned |contacted |notified |reminded |informed |helped |spoke (?:with|to) |talk(?:ed|ing) (?:with|to) |met with |left (?:a )?(?:message|voicemail|vm) |voicemail from |reminder (?:to|for) |removed? |add |added |invited? |enroll(?:ed)? |register(?:ed)? |discharged? |admit(?:ted)? |refer(?:red)? |book(?:ed)? |reschedul(?:e|ed) ",
    "practice": r"[a-z'-] (?:family |pediatrics|peds|ortho|derm|dental|dentistry|oral surgery|endodontics|periodontics|internal medicine|medical|clinic|cardiology|urology|neurology|ob-?gyn|women's health|eye c|vision|optometry|podiatry|chiropractic|physical therapy|rheumatology|gastroenterology|surgery|pharmacy|law|llp|& |and associates)",
    "said_of": r",? [(\[]?(?:dob|d\.o\.b|born|mrn|ssn|chart|b\. ?[0-9])",
    "column_ahead": r"(?:column|field|property|attribute|parameter) [\"'`(\[]?[a-z_]",
    "login": r"(?:^|[ =:(\"'\[\\])[a-z]+\.[a-z]+(?:$|[ ,;)\]\"'\n])",
    "body": r"rk1s|(?:^|[^a-z])(?:finger|face|facial|palm|iris|retina|voice ?print|biometric|minutiae|vein|iso ?19794|template|tmpl)",
    "colon": r"(?:pt|patient|chart|mrn)[:#-][0-9]{6}",
    "sip": r"(?:sips?|tel|callto|sms):\+?1?[2-9][0-9]{9}",
    "query": r"(?:pid|pat|patid|ptid|pt) ?= ?'?[0-9]{5}|(?:^|[?&; ])(?:(?:set|get|sel|edit|view|show|open|cur)_?)?(?:pid|id|pt|pat|no|num|ref|key|uid|acct|rec|number|p|cid|oid|person|chartid|room|visit|v)=[a-z]{0,3}[0-9]{2,}[0-9-]{3}",
    "owner": r"(?:'s?|s') (?:[a-z]+ )?(?:imac|iphone|ipad|ipod|phone|laptop|macbook|pc|computer|tablet|watch|airpods|galaxy|desktop|cell|mac|kindle|pixel|android|notebook|workstation|surface|printer|echo|hotspot|headset|monitor|chart|mom|mother|dad|father|wife|husband|daughter|son|insurance|app|account|record|lab|result|desk|office|inbox|mailbox|calendar|login|password|car|van|truck|home|birthday|visit|schedule|shift|badge|parents|sister|address|envelope|copay|letter|label|kid|email|coverage|paperwork|photo|teeth|tooth|brother|family|refill|prescription|rx|meds|x-?ray|dob|ssn|mrn|voicemail|extension|statement|bill|balance|claim)|(?:phone|ipad|ipod|laptop|macbook|pc|computer|tablet|watch|airpods|galaxy|desktop|cell|mac|kindle|pixel|android|notebook|workstation|surface|printer|echo|hotspot|headset|monitor) (?:of|for) ",
    "account": r"(?:failed|accepted) [a-z/-]+ for |failed for |login (?:ok|incorrect)|sudo(?:\[[0-9]+\])?: |cron\[|[^a-z]su(?:\[[0-9]+\])?: \(|^su(?:\[[0-9]+\])?: \(|smbd(?:\[[0-9]+\])?: |session (?:opened|closed) for user |subject: | (?:80|443|8080|8443) [a-z]| identity(?:: |=| )['\"]|(?:imap|pop3|lmtp|submission|managesieve)(?:-login)?\(|smbd_audit|(?:unlock|reset|disable|enable|offboard|onboard) [a-z]",
    "does": r"[a-z0-9._-] (?:viewed|opened|accessed|(?:re)?printed|exported|(?:e-|co-?)?signed|edited|downloaded|unlocked|released|faxed|(?:looked|pulled) up|searched for|broke (?:the )?glass|used break|unmasked|overrode|voided|merged|queried|logged (?:in|on|off|out)) ",
    "handed": r"by [a-z][a-z0-9._-]+ from [0-9]|(?:routed|assigned|escalated|forwarded|handed|transferred|delegated|addressed|referred|queued|delivered|dispatched) |(?:to|by|from|for) (?:staff|user|agent|nurse|clinician|employee|clerk) |notif|(?:clerk|cashier|biller|scheduler|dispatcher)[:= ]|(?:submitted|validated?|verified|released|reviewed|approved|resulted|posted|keyed) by|by [\"']",
    "directory": r"uid=[a-z0-9._-]+,",
    "listing": r"[-dlbcps][r-][w-][xst-][r-][w-][xst-][r-][w-][xst-][.+@]? +[0-9]+ +[a-z]",
    "asking": r"user@host: ",
    "glass": r"glass",
    "user_listed": r"(?:user|nurse|staff|caller|operator|owner|badge|handset|tech|clinician|provider|employee|holder|wearer|assignee) [a-z'-]+, [a-z]",
    "speaks": r"(?:its|it's|it is|this is|name is|name's|im|i'm|i am|here is) [a-z]+ [a-z]{3}",
    "account_of": r"locked out: ?[\"'\[<(]?[a-z]|(?:reset|unlock(?:ed)?|denied|approved|expired|sent|created|disabled|enabled|revoked|provisioned|started|failed|challenge|session|profile|licen[sc]e|token|mailbox|account|quota|ticket|certificate) for |connected as |session from |initiated by |(?:added|removed) member |mailboxowner|requester |participant |punch for |(?:create|alter|drop) (?:user|role|login) |grant [a-z, ]+ |author: [a-z0-9._-]+ <|[a-z0-9._-] (?:has been (?:added|removed|locked|disabled|enabled)|was (?:added|removed|locked|disabled|enabled|granted|denied)|(?:logged|signed) (?:in|out|on|off)|joined the|left the (?:call|meeting|room)|(?:punched|clocked|badged|checked) (?:in|out)|entered (?:suite|room|door|area|zone)|printed [0-9]|scanned [0-9]|uploaded a|downloaded a)",
    "at_host": r"[a-z0-9]@(?:[0-9]+\.|[a-z0-9-]+(?:$|[ :,'\")>]))|(?:cn|uid|samaccountname)=[a-z]|\\(?:users|homes?|profiles|redirected|userdata|folderredirection|userhomes)\$\\",
    "daemon": r"peer connection init|[a-z0-9._-]/(?:[0-9]+\.){3}[0-9]+:[0-9]+ |\] (?:ok|fail) [a-z]|user [a-z][a-z0-9._-]*(?:: | \()|user \[[^\]]*\]\\\[|\(uid=|unix-user:|new user: name=|password (?:changed|expired|reset) for |'? (?:added |removed )?(?:to|from) (?:shadow )?group|(?:added|removed) (?:to|from|by)|[a-z0-9._-] [0-9]+ \[[0-9]{2}/[a-z]{3}/|role \"[a-z]|(?:started|aborted|approved|triggered) (?:the )?build|- [a-z][a-z0-9._-]* (?:- )?\"?(?:get|post|put|delete|patch|head|options|propfind) /|type=(?:user|cred|add|del|acct)_|acct=|\| *[a-z][a-z0-9._-]+ +\| +[0-9]+\.|r[0-9]+ \| [a-z]|[0-9a-f]\|[a-z][a-z0-9._-]+\]|\) (?:reload|list|replace|begin edit|end edit|info)|orig_to=<|from tty[0-9]+ for |(?:user|actor|subject|initiator|principal|requestor|caller|account)[\"'] ?: ?\{",
    "queried": r"[0-9] +(?:active|disc|conn|idle|shadow|down)",
    "who": r" (?:pts/[0-9]+|tty[a-z0-9]+|:[0-9]) ",
    "option": r" -(?:mailbox|sourcem|targetm|trustee|delegate|samacc|userprinc|targetuser|login|username|member|manager|owner|grantsend|managedby|forwarding|recipient|requester|primaryuser|assigneduser)",
    "mailbox": r"(?:mailbox|mbx|mail ?drop)[:=a-z ]* [\"'<(]?[a-z]",
    "claim": r"[\"'](?:sub|preferred_username|upn|unique_name|login_hint|uid|name_?id|onprem_sid_user|cognito:username|act_as|impersonated_by)[\\\"']",
    "web": r"(?:get|post|put|delete|patch|head|options|propfind) /[^ ]* [^ ]+ [0-9]{2,5} [a-z0-9-]",
    "drawn": r"(?:operator|phlebotomist|collector|caregiver)[ _#a-z.]*[ :=#]+[0-9]",
    "medrec": r"m(?:r|\.r\.|edrec) ?(?:#|n(?:o|br|um))",
    "long_pid": r"pid[ :=#\"]{1,6}[0-9]{8}",
    "identifier": r"[?&]identifier",
    "cmdlet": r"-[a-z]*(?:user|mailbox|account|groupmember|recipient)",
    "command": r"(?:net1? user|passwd|chage|usermod|userdel|useradd|deluser|adduser|finger|quser|query user|logname|pdbedit|faillock|pam_tally|dsquery|dsget|kinit|wbinfo|gpresult|lastlog|terminate-user|pkill -u|crontab -u|sudo -u|failed su|[^a-z]su -|^su -)",
    "member_of": r" -(?:members?|user(?:name|id)?|samaccountname|trustee|logonname) ",
    "radius": r"login (?:ok|incorrect)",
    "proxied": r"[a-z0-9._-] (?:hier_|direct/|none/|first_?up|default_p|timeout_|roundrobin_|cache_dig)",
    "served": r"[a-z0-9._-] \[[0-9]{2}/[a-z]{3}/[0-9]{4}:",
    "sought": r"grep|findstr|select-string|locate|mdfind|search|look(?:ed|ing|s)?[ -]?up",
    "licensed": r"daq",
    "keyed_short": r"(?:^|[^a-z])(?:enc|encntr|vis|adm|epi|ord|spec|clm|accn|appt|apt|sched|stmt|stud)(?:_?(?:id|no|num))?[\"']?[=:#]",
    "kin": r"(?:parent|child|kid|kiddo|grandma|grandpa|grandfather|aunt|uncle|guardian|caregiver|widow|stepmother|stepfather|roommate|neighbor)(?:'s name)? (?:of|is|named) | (?:family|household)",
    "aged": r"(?:is|turned|turns|turning) (?:[a-z]+ )?(?:9[0-9]|1[01][0-9])",
    "zpl": r"\^f[dv]",
    "talk": r"(?m:^)(?:\[?|\[[0-9/. -]{6,12},? )[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?: ?[ap]m)?\]?,? ?-? ?<?@?[a-z]+[^0-9:\n]*[:>] ",
    "member": r"[\"'](?:path|pointer|field|column|attribute|attr|property|prop|key|name|item|element|label|question|param)[a-z_]*\\{0,3}[\"'] ?: ?",
    "listed": r"<(?:[a-z]+:)?(?:key|name|field|fieldname|column|columnname|property|attribute|label|param|th|dt|string)[^<>]*>[^<>]+</[^<>]+>\s*<",
    "changed": r"from |old[ _]|(?:old|value|before|was|prev|previous)[=: ]|[-=~]>",
    "form": r"name=\\?[\"'][^\"']+[\"'](?:\r?\n|\\r\\n|\\n)",
    "issued": r"[0-9]:aa|atatt3|age-secret-key|key-[0-9a-f]{8}|[0-9a-f]-us[0-9]|gl(?:sa|c)_|nr(?:ak|js|ii)-|dapi[0-9a-f]{8}|sq0[a-z]{3}-|tskey-|hf_|pmak-|lin_api_|dp\.(?:pt|st|ct|sa)\.|gocspx-|1//0|xapp-|rubygems_|oy2[a-z0-9]{8}|nfp_|figd_|ntn_|cfpat-|dckr_oat|whsec_|[sr]k_test_|bkua_|atlasv1|sbp_|xkeysib|re_[a-z0-9]{8}_|shp(?:ss|ca|pa)_|sntrys_|pul-[a-f0-9]{8}|rnd_|eaa[ac][a-z0-9_-]{8}|apa91b|akcp|sk[0-9a-f]{8}|[78]q~|abia|acca|fwogz|iqojb|amzn\.mws|atz[ar]\||hv[bs]\.|\$production\$|v1\.0-|ops_|v2\.(?:local|public)\.|vault:v",
    "hashed": r"\$(?:apr1|krb5|pbkdf2|scrypt|sha1|sha256|md5|argon2|8|9|14|s[0-2]|gy|y|p|h|dcc2)[a-z0-9_-]*\$|\{(?:ssha|sha|smd5|md5|crypt|pbkdf2|argon2|bcrypt|cipher)|\*[0-9a-f]{8}|0x0[12]00|md5[0-9a-f]{8}|scram-sha|(?:pbkdf2|scrypt|bcrypt|argon2)[_:a-z0-9]*[$:]|01000000d08c|aqaaancmnd8|enc\(|=\}|\{aqaaab|::|(?:enc|encrypted|encpw|encpass|crypt|cipher|obfuscated|hash|hashed|hash(?:ed)?_?pw|hash(?:ed)?_?pass|password)[\"']?\s?[=:]",
    "gear": r"(?:password|passwd|secret|key|md5|sha-?[0-9]*|key-string|passphrase|psk|community)[ \t]+(?:enc|[0-9]|encrypted|ascii|hex|simple|cipher|plain)|radius|tacacs|ntp|hsrp|vrrp|ospf|bgp|eigrp|isis|isakmp|ike|ipsec|l2tp|ppp|pptp|wlan|wpa|dot1x|macsec|stack[^a-z]|standby|nhrp|glbp|snmp|community|com2sec|createuser|(?:auth|priv)[a-z]*[- ](?:password |key )?(?:md5|sha|des|3des|aes)|: psk |-(?:pre-shared-key|passphrase|password|secret|psk|shared-key)[= ]|[\"'][ \t]+[\"']?(?:\*|[0-9]{1,3}\.)",
    "files": r"securestring|-(?:p|pw|w) [^\n]* -?-[ul]|key(?: file)?:?[ \t]*\r?\n|(?:login|user|username|uid|u) [^\s]+,? +(?:password|passwd|pass|pw|pwd) |reg_|ansible_vault|[a-z0-9_]/[^\s/@]+@|webhook|ntlm|hash|rc4_|aes256_|:(?:[0-9]{4,5}|\*):[^\s:]+:[^\s:]+:|private-(?:lines|mac)|<value>|numerical password",
    "spelt": r"passw|send(?:line)? (?:-- )?[\"']|pwd|pw[^a-z0-9_]|passphrase|identified (?:by|with|via)|ugfzc3dvcmq6|auth(?:enticate)?[ =](?:plain|login|xoauth2|cram|digest)|[0-9] login |pass [^\s]|(?:230|331|530|logged)|(?:tried|attempted|typed|entered|sent) ",
    "options": r"add_user|change_password|htpasswd|_passwd|setpassword|set-password|autologon|-login |sp_[a-z]+|community (?:set|add)|key-string|[0-9] => [0-9]|-u [^\s]*,|[\"' ](?:-p|-w|--?pass|/p|-rp|/rp)|(?:--?|/)[a-z0-9-]*(?:passw|passph|passc|secret|token|api-?key|access-?key|psk|cred|authkey|pwd)|(?:setx|export|set|env|declare -x) |\| ?(?:sudo|passwd|smbpasswd|chpasswd|openssl|docker login|kinit|cryptsetup|gpg)|<<<|--?a(?:uth)?[ =][\"']?[a-z0-9._@-]+:|chpasswd|redis|net user |[a-z]_(?:pw|pass|password|passwd|pwd|secret) |credential|auth\s?\(|(?:admin|root|sa|user|login|service|svc)[a-z0-9_.-]* ?[/:]",
    "cookie": r"cookie",
    "ticket": r"[?&;](?:session|sid|sess|sessionid|auth|ticket|key|jwt|t|k|invite|magic|otp|reset|confirm|verify|access|sso|saml[a-z]*|assertion|login_token|wresult)=",
    "saidpw": r"(?:typed|entered|tried) [^ ]+ (?:at|as|for|in|into) |passw|pass[^a-z]|passphrase|passcode|pswd|psswd|pwd|pw[^a-z]|login[ :=]",
    "wifi": r"wi-?fi|ssid|wlan|hotspot|wpa|psk",
    "creds": r"(?:use|try|using|with) [a-z0-9._ -]+ / |cred|log-?in|logon|sign-?in|basic auth|u/p|user/pass",
    "phrase": r"(?:recovery|seed|backup|mnemonic|emergency)[ _-](?:phrase|word|key|code|kit|secret)",
    "licence": r"key[^a-z0-9_]|serial|licen[sc]e|activation|product[ -]?key|registration|unlock|serial (?:key|code)|subscription|cd[ -]?key",
    "keyed": r"(?:key|token|secret|seed)s?(?: |[:=])",
    "code": r"2fa|mfa|[0-9] => [0-9]|token|pins?[^a-z]|password|codes?|combo|combination|otp",
    "secret": r"eyj[a-z0-9_-]|registered_?users|basic_?auth|http_?users|htpasswd|user_?passwords|-----begin|://[^\s/@]*:[^\s/@]*@|akia|asia[0-9a-z]|gh[pousr]_|xox[abprs]-|sk[-_](?:live|test|proj|ant)|aiza|glpat-|(?:basic|bearer) [a-z0-9._~+/=-]|npm_|sg\.|[\"' ](?:-p|/p[ :=]|/pass|/rp[ :=]|-a|-u|-w|-c|--user|--pass|-[a-z]{1,6}u )|pass:|net1? use|cpassword|github_pat_|pypi-|hvs\.|dop_v1_|shpat_|aroa[0-9a-z]|aida[0-9a-z]|[rp]k_live|securestring|negotiate |ntlm |apikey |token [a-z0-9._~+/=-]{12}|net1? user|sk-[a-z0-9]{20}|[?&;](?:code|signature|x-amz-s|sv_sig)|[a-z0-9]-[a-z0-9]{5}-[a-z0-9]{5}-[a-z0-9]{5}-|(?:aws|secret)[a-z_ ]*[=: ]|passw|passph|passc|pin[^a-z0-9_\n\"'=:][^\n\"'=:]*[: ]{1,2}[\"']|wifi:|[0-9]-[0-9]{6}-|\$[0-9a-z-]+\$|hooks\.slack|sig=|aq[a-z][a-z0-9]{8}|dckr_pat|eaac|ya29\.|ac[a-f0-9]{8}",
}
_SKELETON = bytes(
    ord("0") if chr(byte).isdigit() and byte < 128
    else ord("A") if 65 <= byte <= 90
    else ord("a") if 97 <= byte <= 122
    else ord("\n") if byte == 13
    else byte
    for byte in range(256)
)  # fmt: skip


def _runs_of(letters: bytes) -> bytes:
    """Return a table that leaves runs of these bytes as runs of `X`."""
    return bytes(88 if byte in letters else 32 for byte in range(256))


_DIGITS, _CAPITALS = b"0123456789", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BLOB = _runs_of(_DIGITS + _CAPITALS + _CAPITALS.lower() + b"+/_-")
_HEX = _runs_of(_DIGITS + b"ABCDEFabcdef")
_VIN = _runs_of(_DIGITS + _CAPITALS.translate(None, b"IOQ"))
_RUN, _VIN_RUN = b"X" * 16, b"X" * 17
_HEX_PAIR = re.compile(rb":[0-9A-Fa-f]{32}")
"""The second of two hashes of a password."""
_ROW_MARK = re.compile(rb"[|\t;,^]|--- |[Aa]  +A")
_REPEATING = frozenset(
    ["secret", "spelt", "strong", "opaque", "column", "code", "car", "trunk", "form", "dated"]
)
"""Forms that repeat: beside the others each would multiply the states, so they have their own gate."""
_OUTLINE_GATE = Gate(_OUTLINES)
_WORD_GATE = Gate({name: form for name, form in _WORDS.items() if name not in _REPEATING})
_REPEATING_GATE = Gate({name: form for name, form in _WORDS.items() if name in _REPEATING})
_Key = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[str, ...]]
_SEEN: dict[_Key, frozenset[str]] = {}


def lit(data: bytes, lower: bytes) -> frozenset[str]:
    """Return the names of the forms that may be in a record.

    Args:
        data: its bytes.
        lower: the same in lower case.
    """
    outline = data.translate(_SKELETON)
    key = (
        _OUTLINE_GATE.numbers(outline),
        _WORD_GATE.numbers(lower),
        _REPEATING_GATE.numbers(lower),
        _counted(data, outline),
    )
    found = _SEEN.get(key)
    if found is None:
        if len(_SEEN) >= SETS_MAX:
            _SEEN.clear()
        found = _OUTLINE_GATE.names(key[0]) | _WORD_GATE.names(key[1])
        found |= _REPEATING_GATE.names(key[2]) | frozenset(key[3])
        if "month" in found:
            found |= _DATE_TOO
        _SEEN[key] = found
    return found


def _counted(data: bytes, outline: bytes) -> tuple[str, ...]:
    """Return those forms that long runs and lines tell: in a gate they multiply its states."""
    found: tuple[str, ...] = ()
    if _RUN in data.translate(_BLOB):
        found = ("blob",)
        if _RUN in data.translate(_HEX):
            found += ("hex", "secret", "hashed") if _HEX_PAIR.search(data) else ("hex",)
        if _VIN_RUN in data.translate(_VIN):
            found += ("vin",)
    end = outline.rfind(b"\n")
    if end > 0 and _ROW_MARK.search(outline, 0, end) is not None:
        found += ("rows",)
    return found


_DATE_TOO = frozenset({"date"})
"""A day may be written with its month's name."""
