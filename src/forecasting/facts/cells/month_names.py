"""The names of months in English, German, French, Spanish, Italian and Dutch, in full and shortened, without accents: each one month."""

from forecasting.facts.tables import literal

NAMES = {
    1: "jan january januar jaen jaenner janner janv janvier ene ener enero gen genn gennaio januari",
    2: "feb february febr februar feber fev fevr fevrier febrero febb febbraio februari",
    3: "mar march mrz marz maerz mars marzo mrt maart",
    4: "apr april avr avril abr abril aprile",
    5: "may mai mayo mag magg maggio mei",
    6: "jun june juni juin junio giu giugno",
    7: "jul july juli juil juill juillet julio lug lugl luglio",
    8: "aug august aou aout ago agos agosto augustus",
    9: "sep sept september septembre septiembre setiembre set sett settembre",
    10: "oct october okt oktober octobre octubre ott otto ottobre",
    11: "nov november novembre noviembre novem",
    12: "dec december dez dezember decembre dic dici diciembre dicembre decem",
}
MONTHS = {name: month for month, names in NAMES.items() for name in names.split()}


def number_of(name: str) -> str:
    """Return the SQL of the number of a month by its name in small letters without accents; null for any other text."""
    names, numbers = ", ".join(map(literal, MONTHS)), ", ".join(map(str, MONTHS.values()))
    return f"[{numbers}][list_position([{names}], {name})]"
