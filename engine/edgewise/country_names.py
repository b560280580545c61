"""What countries are called, and on which continent they lie."""

from __future__ import annotations

import unicodedata

import msgspec


class Country(msgspec.Struct, frozen=True):
    """A country; the name is the English one that is used in everyday texts.

    Shape: `continent` is one of AF, AN, AS, EU, NA, OC and SA.
    """

    code: str
    continent: str
    name: str


# code, continent, name, further names; one country per line.
_TABLE = """
AD EU Andorra
AE AS United Arab Emirates; UAE
AF AS Afghanistan
AG NA Antigua and Barbuda
AI NA Anguilla
AL EU Albania
AM AS Armenia
AO AF Angola
AQ AN Antarctica
AR SA Argentina
AS OC American Samoa
AT EU Austria; Österreich
AU OC Australia
AW NA Aruba
AX EU Åland Islands; Aland
AZ AS Azerbaijan
BA EU Bosnia and Herzegovina; Bosnia
BB NA Barbados
BD AS Bangladesh
BE EU Belgium; Belgique; België
BF AF Burkina Faso
BG EU Bulgaria
BH AS Bahrain
BI AF Burundi
BJ AF Benin
BL NA Saint Barthélemy
BM NA Bermuda
BN AS Brunei; Brunei Darussalam
BO SA Bolivia; Bolivia, Plurinational State of
BQ NA Caribbean Netherlands; Bonaire, Sint Eustatius and Saba
BR SA Brazil; Brasil
BS NA Bahamas; The Bahamas
BT AS Bhutan
BV AN Bouvet Island
BW AF Botswana
BY EU Belarus
BZ NA Belize
CA NA Canada
CC AS Cocos (Keeling) Islands; Cocos Islands
CD AF Democratic Republic of the Congo; Congo, Democratic Republic of the; DR Congo; Congo-Kinshasa
CF AF Central African Republic
CG AF Republic of the Congo; Congo; Congo-Brazzaville
CH EU Switzerland; Schweiz; Suisse; Svizzera
CI AF Côte d’Ivoire; Côte d'Ivoire; Ivory Coast
CK OC Cook Islands
CL SA Chile
CM AF Cameroon
CN AS China; People's Republic of China
CO SA Colombia
CR NA Costa Rica
CU NA Cuba
CV AF Cape Verde; Cabo Verde
CW NA Curaçao
CX AS Christmas Island
CY AS Cyprus
CZ EU Czechia; Czech Republic
DE EU Germany; Deutschland
DJ AF Djibouti
DK EU Denmark; Danmark
DM NA Dominica
DO NA Dominican Republic
DZ AF Algeria
EC SA Ecuador
EE EU Estonia
EG AF Egypt
EH AF Western Sahara
ER AF Eritrea
ES EU Spain; España
ET AF Ethiopia
FI EU Finland; Suomi
FJ OC Fiji
FK SA Falkland Islands; Falkland Islands (Malvinas)
FM OC Micronesia; Federated States of Micronesia; Micronesia, Federated States of
FO EU Faroe Islands
FR EU France
GA AF Gabon
GB EU United Kingdom; UK; Great Britain; United Kingdom of Great Britain and Northern Ireland
GD NA Grenada
GE AS Georgia
GF SA French Guiana
GG EU Guernsey
GH AF Ghana
GI EU Gibraltar
GL NA Greenland
GM AF Gambia; The Gambia
GN AF Guinea
GP NA Guadeloupe
GQ AF Equatorial Guinea
GR EU Greece
GS AN South Georgia and the South Sandwich Islands
GT NA Guatemala
GU OC Guam
GW AF Guinea-Bissau
GY SA Guyana
HK AS Hong Kong; Hong Kong SAR China
HM AN Heard Island and McDonald Islands
HN NA Honduras
HR EU Croatia; Hrvatska
HT NA Haiti
HU EU Hungary; Magyarország
ID AS Indonesia
IE EU Ireland; Éire
IL AS Israel
IM EU Isle of Man
IN AS India
IO AS British Indian Ocean Territory
IQ AS Iraq
IR AS Iran; Iran, Islamic Republic of
IS EU Iceland; Ísland
IT EU Italy; Italia
JE EU Jersey
JM NA Jamaica
JO AS Jordan
JP AS Japan
KE AF Kenya
KG AS Kyrgyzstan
KH AS Cambodia
KI OC Kiribati
KM AF Comoros
KN NA Saint Kitts and Nevis
KP AS North Korea; Korea, Democratic People's Republic of
KR AS South Korea; Korea, Republic of; Republic of Korea; Korea
KW AS Kuwait
KY NA Cayman Islands
KZ AS Kazakhstan
LA AS Laos; Lao People's Democratic Republic
LB AS Lebanon
LC NA Saint Lucia
LI EU Liechtenstein
LK AS Sri Lanka
LR AF Liberia
LS AF Lesotho
LT EU Lithuania
LU EU Luxembourg
LV EU Latvia
LY AF Libya
MA AF Morocco
MC EU Monaco
MD EU Moldova; Moldova, Republic of; Republic of Moldova
ME EU Montenegro
MF NA Saint Martin; Saint Martin (French part)
MG AF Madagascar
MH OC Marshall Islands
MK EU North Macedonia; Macedonia
ML AF Mali
MM AS Myanmar; Burma
MN AS Mongolia
MO AS Macao; Macau
MP OC Northern Mariana Islands
MQ NA Martinique
MR AF Mauritania
MS NA Montserrat
MT EU Malta
MU AF Mauritius
MV AS Maldives
MW AF Malawi
MX NA Mexico; México
MY AS Malaysia
MZ AF Mozambique
NA AF Namibia
NC OC New Caledonia
NE AF Niger
NF OC Norfolk Island
NG AF Nigeria
NI NA Nicaragua
NL EU Netherlands; The Netherlands; Holland; Nederland
NO EU Norway; Norge
NP AS Nepal
NR OC Nauru
NU OC Niue
NZ OC New Zealand
OM AS Oman
PA NA Panama
PE SA Peru
PF OC French Polynesia
PG OC Papua New Guinea
PH AS Philippines; The Philippines
PK AS Pakistan
PL EU Poland; Polska
PM NA Saint Pierre and Miquelon
PN OC Pitcairn; Pitcairn Islands
PR NA Puerto Rico
PS AS Palestine; State of Palestine; Palestine, State of
PT EU Portugal
PW OC Palau
PY SA Paraguay
QA AS Qatar
RE AF Réunion
RO EU Romania; România
RS EU Serbia
RU EU Russia; Russian Federation
RW AF Rwanda
SA AS Saudi Arabia
SB OC Solomon Islands
SC AF Seychelles
SD AF Sudan
SE EU Sweden; Sverige
SG AS Singapore
SH AF Saint Helena; Saint Helena, Ascension and Tristan da Cunha
SI EU Slovenia; Slovenija
SJ EU Svalbard and Jan Mayen
SK EU Slovakia; Slovensko
SL AF Sierra Leone
SM EU San Marino
SN AF Senegal
SO AF Somalia
SR SA Suriname
SS AF South Sudan
ST AF São Tomé and Príncipe
SV NA El Salvador
SX NA Sint Maarten; Sint Maarten (Dutch part)
SY AS Syria; Syrian Arab Republic
SZ AF Eswatini; Swaziland
TC NA Turks and Caicos Islands
TD AF Chad
TF AN French Southern Territories
TG AF Togo
TH AS Thailand
TJ AS Tajikistan
TK OC Tokelau
TL AS Timor-Leste; East Timor
TM AS Turkmenistan
TN AF Tunisia
TO OC Tonga
TR AS Turkey; Türkiye
TT NA Trinidad and Tobago
TV OC Tuvalu
TW AS Taiwan; Taiwan, Province of China
TZ AF Tanzania; Tanzania, United Republic of
UA EU Ukraine
UG AF Uganda
UM OC United States Minor Outlying Islands
US NA United States; United States of America; USA; U.S.A.; U.S.; America
UY SA Uruguay
UZ AS Uzbekistan
VA EU Vatican City; Holy See
VC NA Saint Vincent and the Grenadines
VE SA Venezuela; Venezuela, Bolivarian Republic of
VG NA British Virgin Islands; Virgin Islands, British
VI NA United States Virgin Islands; Virgin Islands, U.S.; U.S. Virgin Islands
VN AS Vietnam; Viet Nam
VU OC Vanuatu
WF OC Wallis and Futuna
WS OC Samoa
XK EU Kosovo
YE AS Yemen
YT AF Mayotte
ZA AF South Africa
ZM AF Zambia
ZW AF Zimbabwe
"""

_ACCENTS = {0x2019: "'"}


def find_country(text: str) -> Country | None:
    """Return the country that a text names by its two-letter code or by one of its names.

    Upper and lower case are the same, and accents may be missing.
    """
    text = text.strip()
    return _BY_NAME.get(_plain(text))


def _plain(text: str) -> str:
    """A text without case and accents."""
    parts = unicodedata.normalize("NFKD", text.translate(_ACCENTS).casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


def _read(table: str) -> dict[str, Country]:
    found: dict[str, Country] = {}
    for line in table.strip().splitlines():
        code, continent, names = line.split(" ", 2)
        first, *others = names.split("; ")
        country = Country(code, continent, first)
        for name in (code, first, *others):
            found[_plain(name)] = country
    return found


_BY_NAME = _read(_TABLE)
