"""What a file has beside the columns that are used: said, since a column that is passed over may change what the numbers mean."""

import re

from forecasting.facts.tables import Run, TableSpec, listed, literal, quoted

CURRENCY = r"(?i).*(currenc|waers|waehr|währ|devise|moneda|valuta).*|(doc|local|order)?[ _.-]*(cur|curr|ccy)"
CODES = (
    "AED AFN AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP "
    "CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD "
    "JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO "
    "NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS "
    "TMT TND TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG"
)  # of ISO 4217, but for ALL, TOP and TRY, which are words
SIGNS = {"€": "EUR", "$": "USD", "US$": "USD", "£": "GBP", "¥": "JPY", "KČ": "CZK", "ZŁ": "PLN", "FT": "HUF"}
SAID = f"{CODES} {' '.join(SIGNS)} KR"  # what a column of currencies says, in capitals
MOST_CURRENCIES = 50


def likely_names(spec: TableSpec, table: str, file: str, columns: dict[str, str], unused: list[str]) -> list[str]:
    """Return a note on each unused column that is called nearly as a column of the contract that the file lacks."""
    notes = []
    for header in unused:
        letters = re.sub(r"[\W_]", "", header.lower())
        meant = [name for name in spec.columns if name not in columns and is_like(letters, name.replace("_", ""))]
        if meant:
            stated = f"columns: {{{table}: {{{meant[0]}: {header}}}}}"
            notes.append(
                f"The column '{header}' of {file} is not used. If it is the {meant[0]}, state in params/ {stated}."
            )
    return notes


def is_like(letters: str, name: str) -> bool:
    """Say whether one of two names holds the other, or most of it."""
    return len(letters) >= 4 and (letters in name or name in letters)


def currencies(run: Run, relation: str, unused: list[str]) -> dict[str, dict[str, int]]:
    """Return, of each unused column that holds currencies, what they are and in how many rows; '' counts its empty cells.

    Such a column is called so, or has nothing but codes of ISO 4217 in its first thousand rows.
    """
    if not unused:
        return {}
    coded = ", ".join(
        f"bool_and(list_contains(string_split({literal(SAID)}, ' '), {text_of(name)}))" for name in unused
    )
    (found,) = run(f"select {coded} from (select * from {relation} limit 1000)")
    likely = [name for name, all_codes in zip(unused, found, strict=True) if all_codes or re.fullmatch(CURRENCY, name)]
    counted = {}
    for name in likely:
        rows = run(
            f"select coalesce({text_of(name)}, '') as code, count(*) as n from {relation} "
            f"group by 1 order by n desc, code = '', code limit {MOST_CURRENCIES + 1}"
        )
        if len(rows) <= MOST_CURRENCIES and not any(re.search(r"\d[.,]\d|\d{4}", code) for code, _ in rows):
            counted[name] = dict(rows)
    return counted


def text_of(name: str) -> str:
    """Return the SQL of a column's cell as text in capitals, null where it is empty."""
    return f"nullif(upper(trim(cast({quoted(name)} as varchar))), '')"


def currency_notes(run: Run, relation: str, file: str, unused: list[str], currency: str | None) -> list[str]:
    """Return a note on each unused column with currencies, where there are several or another than the setting says."""
    notes = []
    for column, counts in currencies(run, relation, unused).items():
        said = listed(f"{code or 'empty'} ({n:,} row{'s' * (n > 1)})" for code, n in counts.items())
        codes = [code for code in counts if code]
        if len(codes) > 1:
            advice = "Convert them to one, or export one alone, unless they are converted already."
            notes.append(
                f"Amounts of several currencies are added up: the column '{column}' of {file} has {said}. {advice}"
            )
        elif codes and not {codes[0], SIGNS.get(codes[0], codes[0])} & set(
            re.findall(r"[^\W\d]+|[^\w\s]+", (currency or "").upper())
        ):
            shown = f"'{currency}'" if currency else "not set"
            notes.append(f"The column '{column}' of {file} says {said}; currency in params/ is {shown}.")
    return notes
