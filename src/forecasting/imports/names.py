"""What columns are usually called, in the languages that exports are written in, and how near a name comes to that."""

import re
import unicodedata
from functools import cache

# For each meaning, from the surest names to those that are taken where nothing better is there. Names as `words_of` writes them.
USUAL: dict[str, tuple[str, ...]] = {
    "date": (
        "order date|order day|sales date|sale date|date of sale|invoice date|inv date|transaction date|trans date|txn date|date|day|"
        "posting date|pstng date|document date|doc date|billing date|bill date|booking date|purchase date|order created|created at|"
        "created on|created|order date time|date time|datetime|timestamp|date ordered|ordered at|ordered on|invoiced on|sold on|"
        "buchungsdatum|buchungstag|belegdatum|rechnungsdatum|bestelldatum|auftragsdatum|verkaufsdatum|datum|tag|bestellt am|erstellt am|"
        "rechnungstag|fakturadatum|fecha|fecha factura|fecha pedido|fecha venta|fecha orden|fecha emision|date commande|date facture|"
        "date facturation|date vente|date operation|date piece|date comptable|jour|data|data fattura|data ordine|data vendita|"
        "data documento|data registrazione|orderdatum|factuurdatum|boekdatum|verkoopdatum|data pedido|data venda|data emissao|"
        "expense date|snapshot date|stock date|count date|inventory date|movement date|as of date|stichtag|inventurdatum|bestandsdatum|"
        "fecha gasto|fecha inventario|fecha corte|date inventaire|date depense|period end|month end|calendar day|kalendertag|buchung",
        "month|period|year month|yearmonth|calendar month|cal year month|fiscal month|month year|monat|periode|buchungsmonat|kalendermonat|"
        "jahr monat|mes|periodo|mois|mese|maand|mes ano|time period|ref date|reference period|week|week ending|value date|wertstellung|"
        "valuta|valutadatum",
    ),
    "net_amount": (
        "net amount|net sales|net sale|net revenue|net value|net total|net turnover|net price total|net line amount|net invoiced|"
        "netto|nettobetrag|nettoumsatz|netto umsatz|nettowert|umsatz netto|betrag netto|netto betrag|nettoerlos|nettosumme|"
        "importe neto|ventas netas|neto|venta neta|base imponible|montant ht|total ht|ca ht|chiffre affaires ht|prix total ht|"
        "importo netto|imponibile|netto bedrag|nettobedrag|valor liquido|total liquido|amount excl tax|amount excl vat|total excl tax|"
        "total excl vat|amount ex vat|sales ex vat|sales excl vat|amount net|sales net|revenue net",
        "amount|sales|sales amount|sale amount|revenue|turnover|line amount|line total|extended price|extended amount|item total|"
        "sales value|total sales|total revenue|product sales|sales revenue|order amount|invoice amount|transaction amount|"
        "umsatz|betrag|umsatzerlose|erlos|erlose|wert|summe|rechnungsbetrag|positionswert|verkaufserlos|umsatzbetrag|"
        "importe|ventas|venta|monto|ingresos|importe total|montant|ca|chiffre affaires|ventes|recettes|fatturato|importo|ricavi|vendite|"
        "omzet|bedrag|valor|vendas|receita|faturamento|value|retail sales|sales usd|sum|order value|sales total|item subtotal|"
        "net|gross",
        "total|subtotal|sub total|total amount|order total|total price|gesamt|gesamtbetrag|gesamtpreis|total linea|total ligne|"
        "gross sales|gross revenue|gross amount|brutto|bruttobetrag|bruttoumsatz|total ttc|montant ttc|grand total|item price|obs value",
    ),
    "region": (
        "region|sales region|territory|sales territory|sales area|market|region name|bundesland|vertriebsregion|verkaufsgebiet|gebiet|"
        "absatzgebiet|zone|zona|regione|regio|regiao|sales district|sales office|verkaufsburo|vk buro|"
        "sales organization|verkaufsorganisation|vkorg",
        "country|country name|land|pais|pays|paese|nazione|country region|ship country|sales country|laendername|customer country",
        "state|province|state province|kanton|canton|departement|provincia|provincie|estado|county|area|district|comunidad autonoma",
        "store|shop|branch|location|warehouse|site|plant|filiale|niederlassung|lager|werk|standort|sucursal|tienda|almacen|magasin|"
        "agence|entrepot|negozio|magazzino|filiaal|store name|warehouse name|store id|warehouse code|cost center|kostenstelle|geo|entity",
        "city|stadt|ort|ciudad|ville|citta",
    ),
    "product_category": (
        "category|product category|category name|product line|productline|product group|item category|item group|material group|"
        "merchandise category|kategorie|warengruppe|produktgruppe|artikelgruppe|produktkategorie|produktlinie|sparte|categoria|"
        "categoria producto|linea|familia|categorie|famille|gamme|rayon|gruppo|famiglia|categoria prodotto|productgroep|department|"
        "kind business|industry|product family|product type|division",
        "subcategory|sub category|product subcategory|unterkategorie|subcategoria|sous categorie|segment|brand|marke|marca|marque|class|"
        "commodity",
    ),
    "product": (
        "product|product name|item|item name|article|material|lineitem name|line item|artikel|artikelbezeichnung|produkt|produktname|"
        "materialkurztext|bezeichnung|producto|articulo|nombre producto|produit|nom produit|designation|libelle produit|prodotto|"
        "articolo|produto|product title|title",
        "sku|stock code|stockcode|product code|product id|product key|item code|item number|item no|article number|artikelnummer|"
        "artikel nr|materialnummer|codigo|codigo producto|ref|reference|reference produit|codice|codice articolo|asin|ean|upc|productid|"
        "lineitem sku|part number|material number|barcode",
        "description|product description|item description|beschreibung|descripcion|descrizione|libelle",
    ),
    "quantity": (
        "quantity|qty|order quantity|order qty|quantity ordered|qty ordered|quantity sold|units sold|units|sales quantity|sales qty|"
        "lineitem quantity|item quantity|pieces|billed quantity|invoiced quantity|menge|anzahl|stuck|stuckzahl|absatz|absatzmenge|"
        "verkaufsmenge|bestellmenge|fakturierte menge|cantidad|unidades|cant|quantite|qte|nombre unites|quantita|qta|aantal|hoeveelheid|"
        "quantidade|qtd|pcs|volume|quantity purchased|ordered quantity",
    ),
    "cost_amount": (
        "cost amount|total cost|costs|cogs|cost goods sold|cost sales|cost of sales|total product cost|line cost|extended cost|"
        "cost value|net cost|wareneinsatz|gesamtkosten|herstellkosten|einstandswert|materialkosten|einkaufswert|coste total|costo total|"
        "coste ventas|costo ventas|cout total|cout revient|cout ventes|cout achat total|costo venduto|custo total|kostprijs totaal",
        "cost|kosten|coste|costo|cout|custo|kostprijs|einstand",
    ),
    "profit": (
        "profit|gross profit|gross margin|margin|net profit|profit amount|margin amount|total profit|gewinn|rohertrag|rohgewinn|"
        "deckungsbeitrag|db|marge|beneficio|margen|ganancia|margen bruto|benefice|marge brute|utile|margine|winst|lucro",
    ),
    "unit_price": (
        "unit price|net price|price each|price per unit|sales price|selling price|unit sales price|net unit price|lineitem price|"
        "einzelpreis|stuckpreis|verkaufspreis|vk preis|preis pro stuck|nettopreis|precio unitario|precio venta|prix unitaire|pu ht|"
        "prix unitaire ht|prix vente|prezzo unitario|stukprijs|eenheidsprijs|preco unitario",
        "price|preis|precio|prix|prezzo|prijs|preco|rate|item price|list price",
    ),
    "discount": (
        "discount|discount applied|discount pct|discount percent|discount rate|disc|rabatt|rabatt prozent|nachlass|descuento|remise|"
        "sconto|korting|desconto|unit price discount pct|line discount|lineitem discount",
    ),
    "unit_cost": (
        "unit cost|cost per unit|standard cost|cost price|cost each|average cost|avg cost|purchase price|einstandspreis|einkaufspreis|"
        "ek preis|stuckkosten|coste unitario|costo unitario|cout unitaire|prix achat|prix revient unitaire|costo unitario|inkoopprijs|"
        "custo unitario|moving average price|verrechnungspreis",
        "kostprijs|cost|kosten|coste|costo|cout",
    ),
    "quantity_on_hand": (
        "quantity on hand|qty on hand|on hand|units on hand|stock on hand|quantity in stock|units in stock|stock quantity|stock qty|"
        "stock level|inventory quantity|inventory level|units balance|closing stock|unrestricted|unrestricted stock|available stock|soh|"
        "bestand|lagerbestand|bestandsmenge|lagermenge|freier bestand|existencias|stock actual|quantite en stock|stock final|giacenza|"
        "voorraad|estoque|saldo",
        "stock|inventory|quantity|qty|units|menge|anzahl|cantidad|quantite|quantita|aantal|balance|available",
    ),
    "inventory_value": (
        "inventory value|stock value|value of stock|inventory amount|inventory balance|value on hand|total value|stock amount|bestandswert|"
        "lagerwert|inventarwert|valor inventario|valor existencias|valeur stock|valore magazzino|voorraadwaarde|valor estoque|inventories|"
        "retail inventories",
        "value|wert|valor|valeur|valore|waarde|amount|betrag",
    ),
    "amount": (
        "amount|net amount|expense|expenses|expense amount|cost|costs|spend|betrag|ausgaben|aufwand|kosten|nettobetrag|importe|gasto|"
        "gastos|montant|depense|depenses|charges|montant ht|importo|spesa|spese|bedrag|uitgaven|valor|despesa|amount usd|net",
        "total|value|wert|sum|summe|gesamt|soll|debe|total amount",
    ),
    "expense": (
        "expense|expenses|expense amount|expense date|expense type|expense category|operating expenses|ausgabe|ausgaben|aufwand|"
        "aufwendungen|gasto|gastos|fecha gasto|depense|depenses|date depense|spesa|spese|uitgave|uitgaven|despesa|despesas",
    ),
    "year": ("year|fiscal year|calendar year|jahr|geschaftsjahr|kalenderjahr|ano|ejercicio|annee|exercice|anno|jaar|yr",),
    "month": ("month|month name|month number|fiscal period|period|posting period|monat|periode|buchungsperiode|mes|mois|mese|maand",),
    "day": ("day|day of month|tag|dia|jour|giorno|dag",),
}  # fmt: skip
# A name with one of these words means something else, whatever else it says.
NOT_DATE = (
    "ship shipped shipping shipment delivery deliver delivered due birth birthday update updated modified changed paid payment procured "
    "expected requested required expiry expiration start end valid cancelled canceled closed hire liefer lieferdatum lieferung faellig "
    "fallig falligkeit versand envio entrega vencimiento livraison echeance consegna scadenza id number nr no"
)
NOT_AMOUNT = (
    "tax vat mwst ust steuer iva tva btw discount discounts rabatt shipping freight versand fee fees balance saldo unit per pct percent "
    "prozent budget plan planned forecast target prior previous last ytd cum py avg average limit id number nr no count code rate quota "
    "ziel vorjahr cumulative growth change commission tip refunded outstanding tender"
)
NOISE = (
    "in of the for by de des der die das del dei di du da la le les el los las l d usd eur gbp chf jpy inr sek nok dkk pln czk huf aud "
    "cad nzd brl mxn cny euro euros dollar dollars us tsd mio mln million millions thousand thousands k m"
)
CHANGED = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "ł": "l", "&": " ", "’": "'"})


@cache
def words_of(name: str) -> str:
    """Return a name as words: small letters without accents, parted by one blank, without what only says the unit.

    `OrderDate` and `ORDER_DATE` are «order date»; `Umsatz (EUR)` is «umsatz»; `# Units` is «units».
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name.replace("%", " pct "))
    plain = unicodedata.normalize("NFKD", spaced.translate(CHANGED)).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", " ", plain).split()
    noise = NOISE.split()
    kept = [word for word in words if word not in noise]
    return " ".join(kept or words)


@cache
def tiers(meaning: str) -> tuple[frozenset[str], ...]:
    """Return the usual names of a meaning, the surest first, as `words_of` writes them."""
    return tuple(frozenset(words_of(name) for name in tier.split("|")) for tier in USUAL[meaning])


def rank(meaning: str, name: str) -> float | None:
    """Return how sure a name has a meaning, 0 is the surest; None where it does not look like it.

    A name that is one of the usual ones has the number of its tier; one that ends or begins with such a name comes after all of them.
    """
    words = words_of(name)
    for place, tier in enumerate(tiers(meaning)):
        if words in tier:
            return float(place)
    if excluded(meaning, words):
        return None
    for place, tier in enumerate(tiers(meaning)):
        if any(len(usual) > 3 and (words.endswith(" " + usual) or words.startswith(usual + " ")) for usual in tier):
            return place + len(tiers(meaning)) + 0.0
    return None


def excluded(meaning: str, words: str) -> bool:
    """Say whether a name has a word that means something else."""
    other = {"date": NOT_DATE, "month": NOT_DATE, "year": NOT_DATE, "day": NOT_DATE}.get(meaning, "")
    if meaning in ("net_amount", "amount", "inventory_value", "profit", "cost_amount"):
        other = NOT_AMOUNT + ("" if meaning in ("profit", "cost_amount") else " price cost profit margin preis kosten")
    elif meaning in ("unit_price", "unit_cost", "quantity", "quantity_on_hand"):
        other = "pct percent prozent discount id number nr no code total date type"
    elif meaning in ("region", "product_category", "product"):
        other = "id key number nr no phone zip postal plz date amount sales price customer" + (
            " code" if meaning == "product" else ""
        )
    return bool(set(words.split()) & set(other.split()))
