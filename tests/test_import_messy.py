"""Exports as real programs write them come in whole, with the right totals, or with a question that names the choices."""

import datetime as dt
from decimal import Decimal

import pytest

from forecasting.errors import UserError
from forecasting.imports import import_file
from imported_files import imported, left_by, text_file, workbook

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
    with pytest.raises(UserError, match="net_amount"):
        imported(tmp_path, file)  # Subtotal stands in the first line of each order only
    mapping = "sales: {columns: {net_amount: '= [Lineitem quantity] * [Lineitem price]'}}\n"
    found = imported(tmp_path, file, mapping=mapping)
    assert found.by_month("net_amount") == {"2024-01": D("50.00"), "2024-02": D("20.00")}


def test_an_order_report_of_amazon_with_cancelled_orders(tmp_path):
    head = "amazon-order-id\tpurchase-date\torder-status\tsku\tquantity\tcurrency\titem-price\titem-tax\tship-country\n"
    rows = [
        ("111-1", "2024-01-05T08:12:41+00:00", "Shipped", "A1", 2, "USD", "39.98", "3.20", "US"),
        ("111-2", "2024-01-06T23:12:41+00:00", "Cancelled", "A1", 0, "", "", "", "US"),
        ("111-3", "2024-02-05T08:12:41+00:00", "Shipped", "A2", 1, "USD", "10.00", "0.80", "CA"),
        ("111-4", "2024-02-07T08:12:41+00:00", "Shipped", "A1", 1, "USD", "19.99", "1.60", "US"),
    ]
    file = text_file(tmp_path, "amazon.txt", head + "".join("\t".join(map(str, row)) + "\n" for row in rows))
    with pytest.raises(UserError) as refused:
        imported(tmp_path, file)
    assert "item-price" in str(refused.value) or "order-status" in str(refused.value)
    mapping = (
        "sales:\n  columns: {net_amount: item-price}\n"
        "  rules: {cancellations: {column: order-status, values: [Cancelled], rule: drop}}\n  leave_out: {order-status: [Cancelled]}\n"
    )
    found = imported(tmp_path, file, mapping=mapping)
    assert found.by_month("net_amount") == {"2024-01": D("39.98"), "2024-02": D("29.99")}
    assert found.record["rows"] == {"loaded": 3, "leave_out": 1}


PROFIT_AND_LOSS = [
    ["Acme Ltd"],
    ["Profit and Loss"],
    ["January - March 2024"],
    [],
    [None, "Jan 2024", "Feb 2024", "Mar 2024", "Total"],
    ["Income"],
    ["   Design income", 1000.5, 2000, 3000, 6000.5],
    ["   Services", 500, None, 250.25, 750.25],
    ["Total Income", 1500.5, 2000, 3250.25, 6750.75],
    ["Expenses"],
    ["   Rent", 300, 300, 300, 900],
    ["   Travel", 20, 30.5, None, 50.5],
    ["Total Expenses", 320, 330.5, 300, 950.5],
    ["Net Income", 1180.5, 1669.5, 2950.25, 5800.25],
]


def test_a_profit_and_loss_of_quickbooks_with_months_across(tmp_path):
    file = workbook(tmp_path, "pnl.xlsx", {"Profit and Loss": PROFIT_AND_LOSS})
    sales = imported(tmp_path, file)
    assert sales.by_month("net_amount") == {"2024-01": D("1500.5"), "2024-02": D(2000), "2024-03": D("3250.25")}
    expenses = imported(tmp_path, file, "expenses")
    assert expenses.by_month("amount") == {"2024-01": D(320), "2024-02": D("330.5"), "2024-03": D(300)}


def test_french_amounts_with_thin_blanks(tmp_path):
    rows = [["Date facture", "Région", "Montant HT", "Marge"], ["31/01/2024", "Île-de-France", "1\u202f234,50 €", "200,00 €"],
            ["15/02/2024", "Bretagne", "12\u00a0000,00 €", "1\u202f000,50 €"],
            ["02/02/2024", "Bretagne", "-50,25 €", "-5,00 €"]]  # fmt: skip
    found = imported(tmp_path, workbook(tmp_path, "ventes.xlsx", {"Feuil1": rows}))
    assert found.by_month("net_amount") == {"2024-01": D("1234.50"), "2024-02": D("11949.75")}
    assert found.total("cost_amount") == D("1234.50") + D("11949.75") - D("1195.50")


def test_the_grid_of_a_database_tool_in_utf16_with_null(tmp_path):
    text = (
        "OrderID\tOrderDate\tCountry\tCategory\tAmount\tCost\r\n"
        "1\t2024-01-31 00:00:00.000\tGermany\tNULL\t1234.5000\t1000.0000\r\n"
        "2\t2024-02-01 00:00:00.000\tNULL\tBikes\t99.9900\tNULL\r\n"
        "3\t2024-02-10 00:00:00.000\tFrance\tBikes\t10.0000\t5.0000\r\n"
    )
    found = imported(tmp_path, text_file(tmp_path, "grid.txt", text, "utf-16"))
    assert found.total("net_amount") == D("1344.49")
    assert [row["region"] for row in found.facts] == ["Germany", None, "France"]
    assert [row["cost_amount"] for row in found.facts] == [D(1000), None, D(5)]


def test_a_workbook_with_a_title_and_totals_in_between(tmp_path):
    day = dt.date
    rows = [
        ["Sales report 2024"], [], ["Region", "Date", "Product", "Net sales"],
        ["North", day(2024, 1, 10), "A", 100.25], ["North", day(2024, 2, 10), "B", 50], ["Total North", None, None, 150.25],
        ["South", day(2024, 1, 11), "A", 10], ["South", day(2024, 2, 12), "A", 20.5], ["Total South", None, None, 30.5],
        ["Grand total", None, None, 180.75],
    ]  # fmt: skip
    found = imported(tmp_path, workbook(tmp_path, "report.xlsx", {"Report": rows}, {1: "yyyy-mm-dd"}))
    assert found.by_month("net_amount") == {"2024-01": D("110.25"), "2024-02": D("70.5")}
    assert {row["region"] for row in found.facts} == {"North", "South"}


def test_indian_grouping_and_rupees(tmp_path):
    text = 'Invoice Date,State,Amount (INR)\n31-01-2024,Kerala,"₹ 1,23,456.50"\n15-02-2024,Goa,"₹ 12,00,000.00"\n03-02-2024,Goa,₹ 999.25\n'
    found = imported(tmp_path, text_file(tmp_path, "gst.csv", text))
    assert found.by_month("net_amount") == {"2024-01": D("123456.50"), "2024-02": D("1200999.25")}


def test_months_as_headers_of_two_years(tmp_path):
    text = "Product line;Territory;Dez-23;Jan-24;Feb-24;Total\nPumps;East;1.000,5;-;2.000;3.000,5\n"
    text += "Valves;West;10;20,25;;30,25\nTotal;;1.010,5;20,25;2.000;3.030,75\n"
    found = imported(tmp_path, text_file(tmp_path, "wide.csv", text, "utf-8-sig"))
    assert found.by_month("net_amount") == {"2023-12": D("1010.5"), "2024-01": D("20.25"), "2024-02": D(2000)}
    assert {(row["region"], row["product_category"]) for row in found.facts} == {("East", "Pumps"), ("West", "Valves")}


def test_a_file_without_a_header(tmp_path):
    text = "".join(f"2024-{1 + n // 28:02}-{1 + n % 28:02},Shop {n % 3},{n}.25\n" for n in range(56))
    found = imported(tmp_path, text_file(tmp_path, "till.csv", text))
    assert found.total("net_amount") == sum(D(n) + D("0.25") for n in range(56))


def test_a_statement_of_a_bank_with_debit_and_credit(tmp_path):
    text = (
        "sep=;\r\nKontonummer: DE00\r\nZeitraum: 01.01.2024 - 29.02.2024\r\n\r\n"
        "Buchungstag;Verwendungszweck;Soll;Haben\r\n31.01.2024;Kunde A;;1.500,00\r\n01.02.2024;Rückzahlung A;500,00;\r\n"
        "02.02.2024;Kunde B;;0,50\r\n;Saldo;;1.000,50\r\n"
    )
    found = imported(tmp_path, text_file(tmp_path, "konto.csv", text, "cp1252"))
    assert found.by_month("net_amount") == {"2024-01": D(1500), "2024-02": D("-499.5")}


def test_year_and_month_in_two_columns_with_a_quarantined_cell(tmp_path):
    rows = [f"{2023 + n // 24},{MONTHS[n // 2 % 12][:3]},{'EU' if n % 2 else 'US'},{n}.5" for n in range(48)]
    text = "Year,Month,Region,Revenue\n" + "\n".join(rows) + "\n2024,Dec,EU,n/a\n"
    found = imported(tmp_path, text_file(tmp_path, "monthly.csv", text))
    assert found.total("net_amount") == sum(D(n) + D("0.5") for n in range(48))
    assert found.facts[-1]["order_date"] == dt.date(2024, 12, 1)
    assert [(row["line"], "n/a" in row["reason"]) for row in found.quarantine] == [("50", True)]
    assert found.record["rows"] == {"loaded": 48, "quarantined": 1}


def test_months_down_and_years_across(tmp_path):
    rows = [["Month", "2022", "2023"], *[[month, 10 * n + 0.5, 100 * n] for n, month in enumerate(MONTHS, 1)]]
    found = imported(tmp_path, workbook(tmp_path, "matrix.xlsx", {"Sales": rows}))
    assert found.by_month("net_amount")["2022-03"] == D("30.5")
    assert found.by_month("net_amount")["2023-12"] == 1200
    assert len(found.facts) == 24


def test_a_stock_list_with_serial_days_and_unit_costs(tmp_path):
    text = "Snapshot date\tWarehouse\tSKU\tOn hand\tUnit cost\n45322\tA\tP1\t10\t1.25\n45322\tB\tP1\t-2\t1.25\n45351\tA\tP1\t7\t1.30\n"
    found = imported(tmp_path, text_file(tmp_path, "stock.tsv", text), "inventory")
    assert [(row["snapshot_date"], row["quantity_on_hand"], row["unit_cost"]) for row in found.facts] == [
        (dt.date(2024, 1, 31), 10, D("1.25")), (dt.date(2024, 1, 31), -2, D("1.25")), (dt.date(2024, 2, 29), 7, D("1.30")),
    ]  # fmt: skip


def test_ledger_entries_whose_costs_are_negative(tmp_path):
    rows = [
        f"{n % 27 + 1:02}/01/2023;{n % 27 + 1:02}/01/2023;{'EAST' if n % 2 else 'WEST'};FURN;{n};{n * 10}.50;-{n * 5}.25"
        for n in range(1, 28)
    ]
    text = "Posting Date;Document Date;Location Code;Item Category Code;Quantity;Sales Amount (Actual);Cost Amount (Actual)\r\n"
    file = text_file(tmp_path, "entries.csv", text + "\r\n".join(rows) + "\r\n")
    found = imported(tmp_path, file)
    assert found.total("cost_amount") == sum(D(n * 5) + D("0.25") for n in range(1, 28))
    assert {row["region"] for row in found.facts} == {"EAST", "WEST"}


def test_sums_of_quarters_between_the_months(tmp_path):
    rows = [["Month", "Sales"]]
    for quarter in range(4):
        values = [100 * (3 * quarter + n + 1) for n in range(3)]
        rows += [[f"{MONTHS[3 * quarter + n]} 2023", value] for n, value in enumerate(values)] + [
            [f"Q{quarter + 1} 2023", sum(values)]
        ]
    found = imported(tmp_path, workbook(tmp_path, "quarters.xlsx", {"Sales": rows}))
    assert found.total("net_amount") == 7800
    assert found.record["rows"] == {"loaded": 12, "totals": 4}


def test_money_in_and_out_in_pounds(tmp_path):
    text = "Transaction Date\tMoney In\tMoney Out\tBalance\n01 Jan 2024\t£1,000.00\t\t£1,000.00\n02 Feb 2024\t\t£1.50\t£998.50\n"
    found = imported(tmp_path, text_file(tmp_path, "bank.tsv", text, "cp1252"))
    assert found.by_month("net_amount") == {"2024-01": D(1000), "2024-02": D("-1.5")}


def test_fiscal_periods_with_leading_zeros(tmp_path):
    text = "Fiscal Year,Period,Sales Org,Net Value\n" + "".join(
        f"2023,{1 + n % 12:03},{1000 + n % 2},{n}.25\n" for n in range(48)
    )
    found = imported(tmp_path, text_file(tmp_path, "periods.csv", text))
    assert found.by_month("net_amount")["2023-11"] == 10 + 22 + 34 + 46 + 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "date,sales\n" + "".join(f"1/{day}/2023,{day}\n" for day in range(1, 13)),
            r"(?s)dates: date.*%d/%m/%Y.*%m/%d/%Y",
        ),
        (
            "Date,Amount\n" + "".join(f"2023-01-{day:02},1.{day:03}\n" for day in range(1, 29)),
            r"(?s)Amount.*total 28.41.*total 28,406.00",
        ),
        (
            "Date,Total,VAT\n2023-01-01,119.00,19.00\n2023-01-02,11.90,1.90\n",
            r"(?s)\[Total\] - \[VAT\]\?.*total 110.00.*total 130.90",
        ),
        (
            "Order date,Invoice date,Sales\n2023-01-01,2023-02-01,5\n2023-01-02,2023-02-02,6\n",
            r"(?s)order_date: Order date.*Invoice date",
        ),
        ("Region,Q1 2023,Q2 2023\nN,1,2\nS,4,5\n", "no column holds dates"),
    ],
)
def test_what_two_readings_may_mean_is_asked(tmp_path, text, said):
    with pytest.raises(UserError, match=said):
        imported(tmp_path, text_file(tmp_path, "doubt.csv", text))


def test_price_or_amount_is_told_by_what_a_product_costs_in_several_quantities(tmp_path):
    head = "Date,Product,Quantity,Price\n"
    price = {"A": D("2.50"), "B": D("10.00"), "C": D("0.75")}
    rows = [(f"2024-01-{n % 28 + 1:02}", "ABC"[n % 3], n % 5 + 1) for n in range(60)]
    each = head + "".join(f"{day},{product},{n},{price[product]}\n" for day, product, n in rows)
    line = head + "".join(f"{day},{product},{n},{price[product] * n}\n" for day, product, n in rows)
    total = sum(price[product] * n for _, product, n in rows)
    assert imported(tmp_path, text_file(tmp_path, "each.csv", each), name="each").total("net_amount") == total
    assert imported(tmp_path, text_file(tmp_path, "line.csv", line), name="line").total("net_amount") == total


def test_a_decimal_mark_is_that_of_the_other_columns_of_the_file(tmp_path):
    text = "Datum;Umsatz netto;Wareneinsatz\n" + "".join(f"{n}.05.2024;{n}.000;{n}00,50\n" for n in range(13, 29))
    found = imported(tmp_path, text_file(tmp_path, "marks.csv", text))
    assert found.total("net_amount") == sum(range(13, 29)) * 1000


def test_sheets_of_years_with_a_sheet_of_notes(tmp_path):
    head, day = ["Date", "Region", "Amount"], dt.date
    sheets = {
        f"{year}": [
            [f"Sales {year}"],
            [],
            head,
            *([day(year, month, 3), "N", month + 0.5] for month in range(1, 13)),
            ["Total", None, 84],
        ]
        for year in (2022, 2023)
    }
    file = workbook(tmp_path, "years.xlsx", {**sheets, "Notes": [["Prepared by X"]]}, {0: "yyyy-mm-dd"})
    found = imported(tmp_path, file)
    assert found.by_month("net_amount")["2023-05"] == D("5.5")
    assert found.total("net_amount") == 168


def test_settlements_with_the_name_of_a_clock_and_refunds(tmp_path):
    head = "\ufeffIncludes all\nAll in USD\ndate/time,settlement id,type,sku,quantity,product sales,total\n"
    rows = [
        f'"Jan {n + 1}, 2024 12:03:50 AM PST",123,{"Order" if n % 9 else "Refund"},S{n % 5},1,{"" if n % 9 else "-"}{n + 20}.99,{n}.5'
        for n in range(28)
    ]
    found = imported(tmp_path, text_file(tmp_path, "settlement.csv", head + "\n".join(rows) + "\n"))
    assert found.total("net_amount") == sum((D(n + 20) + D("0.99")) * (1 if n % 9 else -1) for n in range(28))


def test_expenses_with_debit_and_credit(tmp_path):
    text = "Posting date;Cost center;Debit;Credit\n2024-01-02;A;100.00;\n2024-01-03;B;;5.00\n2024-02-02;A;7.25;\n"
    found = imported(tmp_path, text_file(tmp_path, "expenses.csv", text), "expenses")
    assert found.by_month("amount") == {"2024-01": D(95), "2024-02": D("7.25")}


def test_stock_with_months_across_is_asked_for_its_unit(tmp_path):
    text = "Item;Jan-24;Feb-24;Mar-24\n" + "".join(f"P{n};{n};{n + 1};{n + 2}\n" for n in range(9))
    with pytest.raises(UserError, match="(?s)units, or their value.*quantity_on_hand"):
        imported(tmp_path, text_file(tmp_path, "stock.csv", text), "inventory")


def test_a_sheet_of_products_by_month_without_a_name_over_the_products(tmp_path, capsys):
    text = (
        '"Acme Inc."\n"Sales by Product"\n"January - March 2023"\n\n'
        '"","Jan 2023","Feb 2023","Mar 2023","Total"\n'
        '"Bikes","$1,000.50","$200.00","","$1,200.50"\n"Helmets","$10.00","($2.25)","$3.00","$10.75"\n'
        '"TOTAL","$1,010.50","$197.75","$3.00","$1,211.25"\n\n"Cash Basis Thursday, January 4, 2024 10:01 AM GMT-5"\n'
    )
    file = text_file(tmp_path, "sales_by_product.csv", text)
    import_file(tmp_path, "acme", str(file), yes=True)
    found = left_by(tmp_path, file)
    assert found.by_month("net_amount") == {"2023-01": D("1010.50"), "2023-02": D("197.75"), "2023-03": D("3.00")}
    assert {row["product_category"] for row in found.facts} == {"Bikes", "Helmets"}
    assert "not used          Total" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("table", "header", "column"),
    [
        ("inventory", "As Of,Warehouse,On Hand", "On Hand"),
        ("inventory", "Stichtag,Werk,Lagerbestand", "Lagerbestand"),
        ("expenses", "Expense Date,Account,Amount", "Expense Date"),
    ],
)
def test_what_is_called_as_stock_or_expenses_is_not_taken_for_sales(tmp_path, table, header, column):
    file = text_file(tmp_path, "facts.csv", f"{header}\n2024-01-31,A,5\n2024-02-29,B,6\n2024-03-31,A,7\n")
    with pytest.raises(UserError, match=f"«{column}», as {table} facts have. Say which table it is: TABLE={table}"):
        imported(tmp_path, file, table="")
    assert not (tmp_path / "params").exists()


def test_a_text_and_a_web_page_that_are_called_as_workbooks(tmp_path):
    text = "Fkdat\tVkBüro\tNettowert\r\n31.01.2024\tSüd\t1.234,50\r\n01.02.2024\tNord\t177,41-\r\n"
    found = imported(tmp_path, text_file(tmp_path, "sap.xls", text))
    assert found.total("net_amount") == D("1057.09")
    with pytest.raises(UserError, match="HTML"):
        imported(tmp_path, text_file(tmp_path, "page.xls", "<html><table><tr><td>Date</td></tr></table></html>"))


@pytest.mark.parametrize("sign", ["/", "-", "."])
def test_years_of_two_digits_before_months_and_days(tmp_path, sign):
    days = [dt.date(2023, 1, 1) + dt.timedelta(5 * n) for n in range(100)]
    for date_format in (f"%y{sign}%m{sign}%d", f"%d{sign}%m{sign}%y"):
        lines = [f"{day.strftime(date_format)};Nord;{n + 1}" for n, day in enumerate(days)]
        file = text_file(tmp_path, f"{date_format[1]}.csv", "Date;Region;Net Sales\n" + "\n".join(lines) + "\n")
        found = imported(tmp_path, file, mapping="sales: {new_files: replace}\n")
        assert [row["order_date"] for row in found.facts] == days


def test_letters_that_cannot_be_seen_make_no_other_region(tmp_path):
    text = "Date,Region,Net Sales\n2024-01-31,Nord,1.5\n2024-01-31,Nord\u200b,2.5\n2024-02-01,\ufeffNord\u00a0,3.5\n"
    found = imported(tmp_path, text_file(tmp_path, "unseen.csv", text))
    assert {row["region"] for row in found.facts} == {"Nord"}


def test_a_cell_that_is_written_once_for_the_rows_below_is_asked_for(tmp_path):
    pivot = [["Region", "Category", "Jan 2024", "Feb 2024", "Grand Total"]]
    for place, region in enumerate(("North", "South", "West")):
        pivot += [
            [region, "A", None, 1 if place < 2 else None, 1],
            [None, "B", 10 + place, 20, 30 + place],
            [None, "C", 5, 5, 10],
        ]
        pivot += [[f"{region} Total", None, 15 + place, 26, 41 + place]]
    file = workbook(tmp_path, "pivot.xlsx", {"Pivot": pivot})
    with pytest.raises(UserError, match="fill_down: {Region: true}"):
        imported(tmp_path, file)
    found = imported(tmp_path, file, mapping="sales: {fill_down: {Region: true}}\n")
    assert {(row["region"], row["product_category"]) for row in found.facts} == {
        (region, category) for region in ("North", "South", "West") for category in "ABC"
    } - {("West", "A")}
    assert found.total("net_amount") == 48 + 77


def test_months_written_once_with_results_between(tmp_path):
    lines = ["Kalenderjahr/Monat;Vertriebsregion;Nettoumsatz"]
    for month in ("01.2024", "02.2024", "03.2024"):
        lines += [f"{month};Nord;10,50", ";Süd;20,25", ";West;1,00", ";Ergebnis;31,75"]
    file = text_file(tmp_path, "bw.csv", "\n".join([*lines, "Gesamtergebnis;;95,25"]) + "\n")
    with pytest.raises(UserError, match="fill_down: {Kalenderjahr/Monat: true}"):
        imported(tmp_path, file)
    found = imported(tmp_path, file, mapping="sales: {fill_down: {Kalenderjahr/Monat: true}}\n")
    assert found.by_month("net_amount") == {f"2024-0{month}": D("31.75") for month in (1, 2, 3)}
    assert {row["region"] for row in found.facts} == {"Nord", "Süd", "West"}


def test_amounts_of_several_kinds_below_each_other_are_asked_for(tmp_path):
    kinds = (("Revenue", "10.50"), ("Cost", "4.25"), ("Units", "3"))
    lines = [f"2024-0{month},Nord,{kind},{value}" for month in (1, 2, 3) for kind, value in kinds]
    file = text_file(tmp_path, "long.csv", "Period,Region,Measure,Value\n" + "\n".join(lines) + "\n")
    with pytest.raises(UserError, match=r"only: \{Measure: \[Revenue\]\} .*total 31.50"):
        imported(tmp_path, file)
    found = imported(tmp_path, file, mapping="sales: {only: {Measure: [Revenue]}}\n")
    assert (found.total("net_amount"), found.record["rows"]) == (D("31.50"), {"loaded": 3, "only": 6})


def test_before_or_after_a_fee_is_asked_for(tmp_path):
    rows = [("31.01.2024", "1.000,00", "-20,00", "980,00"), ("01.02.2024", "10,00", "-0,55", "9,45")]
    lines = [";".join(row) for row in rows]
    file = text_file(tmp_path, "pay.csv", "Datum;Brutto;Gebühr;Netto\n" + "\n".join(lines) + "\n")
    with pytest.raises(UserError, match="net_amount: Brutto(.|\n)*net_amount: Netto"):
        imported(tmp_path, file)
    found = imported(tmp_path, file, mapping="sales: {columns: {net_amount: Brutto}}\n")
    assert found.total("net_amount") == 1010
