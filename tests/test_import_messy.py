"""Exports as real programs write them come in whole, with the right totals, or with a question that names the choices."""

import datetime as dt
from decimal import Decimal

import pytest

from forecasting.errors import UserError
from imported_files import imported, text_file, workbook

D = Decimal
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def test_a_list_of_sap_with_titles_bars_and_trailing_minus(tmp_path):
    text = (
        "12.03.2024                     Dynamische Listenausgabe                          1\r\n\r\n"
        "Verkaufsorganisation  1000\r\n\r\n"
        "-------------------------------------------------------------\r\n"
        "|Fakturadat.|Material  |Warengruppe|  Fakt.Menge|    Nettowert|Währg|\r\n"
        "-------------------------------------------------------------\r\n"
        "|02.01.2024 |100-100   |Pumpen     |       10,000|     1.234,50|EUR  |\r\n"
        "|15.01.2024 |100-200   |Ventile    |        2,000|       177,41-|EUR  |\r\n"
        "|31.01.2024 |100-100   |Pumpen     |    1.000,000|    12.000,00|EUR  |\r\n"
        "|05.02.2024 |100-300   |Ventile    |        3,000|        99,90|EUR  |\r\n"
        "-------------------------------------------------------------\r\n"
        "|*          |          |           |    1.015,000|    13.156,99|EUR  |\r\n"
        "-------------------------------------------------------------\r\n"
    )
    found = imported(tmp_path, text_file(tmp_path, "sap.txt", text, "cp1252"))
    assert found.by_month("net_amount") == {"2024-01": D("13057.09"), "2024-02": D("99.90")}
    assert {row["product_category"] for row in found.facts} == {"Pumpen", "Ventile"}
    assert found.total("quantity") == 1015


def test_german_semicolons_in_an_old_code_page(tmp_path):
    text = (
        "Belegdatum;Kunde;Gebiet;Warengruppe;Menge;Umsatz netto €\r\n"
        "31.01.2024;Müller;Süd;Möbel;1;1.001,18\r\n"
        "5.2.24;Weiß;Nord;Küche;2;-17,50\r\n"
        "13.02.2024;Groß;Süd;Möbel;10;12.345,00\r\n"
        "Summe;;;;13;13.328,68\r\n"
    )
    found = imported(tmp_path, text_file(tmp_path, "umsatz.csv", text, "cp1252"))
    assert found.total("net_amount") == D("13328.68")
    assert [row["region"] for row in found.facts] == ["Süd", "Nord", "Süd"]
    assert found.facts[1]["order_date"] == dt.date(2024, 2, 5)


def test_datev_bookings_whose_sign_and_year_stand_elsewhere(tmp_path):
    text = (
        '"EXTF";700;21;"Buchungsstapel";9;20240131;;"RE";"";"";1001;456;20240101;4;20240101;20240131\r\n'
        "Umsatz (ohne Soll/Haben-Kz);Soll/Haben-Kennzeichen;WKZ Umsatz;Konto;Gegenkonto;Belegdatum;Belegfeld 1;Buchungstext\r\n"
        '1190,00;"H";"EUR";8400;1200;1501;"RE-1";"Pumpe"\r\n'
        '119,00;"S";"EUR";8400;1200;3101;"GS-1";"Gutschrift"\r\n'
        '50,50;"H";"EUR";8400;1200;102;"RE-2";"Ventil"\r\n'
    )
    file = text_file(tmp_path, "EXTF_Buchungsstapel.csv", text, "cp1252")
    mapping = (
        "sales:\n  file: {header_line: 2}\n"
        "  columns:\n    order_date: {day_month: Belegdatum, year: 2024}\n    product: Buchungstext\n"
    )
    found = imported(tmp_path, file, mapping=mapping)
    assert found.by_month("net_amount") == {"2024-01": D("1071.00"), "2024-02": D("50.50")}


def test_orders_of_shopify_with_a_line_per_item_and_refunds(tmp_path):
    text = (
        "Name,Email,Financial Status,Paid at,Currency,Subtotal,Shipping,Taxes,Total,Created at,Lineitem quantity,Lineitem name,"
        "Lineitem price,Lineitem sku,Shipping Country\n"
        "#1001,a@x.com,paid,2024-01-03 10:00:00 +0100,EUR,50.00,5.00,9.00,55.00,2024-01-03 09:59:58 +0100,2,Mug,10.00,M-1,DE\n"
        "#1001,a@x.com,,,,,,,,2024-01-03 09:59:58 +0100,1,Shirt,30.00,S-1,\n"
        "#1002,b@x.com,paid,2024-02-03 10:00:00 +0100,EUR,20.00,5.00,4.00,25.00,2024-02-03 09:59:58 +0100,2,Mug,10.00,M-1,AT\n"
    )
    file = text_file(tmp_path, "orders_export.csv", text)
    assert imported(tmp_path, text_file(tmp_path, "line.csv", line), name="line").total("net_amount") == total
