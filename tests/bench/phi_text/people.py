"""Invented people: their names from many languages, and how systems write them.

Nobody's list has everybody: a part of the names is made of syllables, and a part are words that
machines and clinics use too (Root, Case, Grace, Mark), which is where a scrubber goes wrong.
"""

import random
import string
from dataclasses import dataclass
from unicodedata import normalize

Draw = random.Random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST = _words(
    "James Mary Patricia Jennifer Robert Linda Michael Elizabeth Barbara David Susan Joseph Karen "
    "Thomas Nancy Daniel Betty Matthew Sandra Ashley Kimberly Donna Emily Carol Brian Deborah "
    "Guadalupe Jesús María José Ximena Joaquín Itzel Thuy Linh Quang Minh Mei Xiu Haruto Yuki "
    "Oluwaseun Chiamaka Adaeze Kwame Abena Fatima Ahmed Yusuf Leila Nasrin Priya Arjun Lakshmi "
    "Sanjay Oksana Dmytro Wojciech Małgorzata Zdeněk Jiřina Søren Ingrid Þórunn Guðrún Giulia "
    "Étienne Zoë François Siobhan Niamh Keanu Leilani DeShawn LaTonya Shaniqua Tyrone Rose Mark "
    "Grace Faith April Will Grant Bill Kevin Tiffany Brandon Heather Justin Amanda Tyler Megan "
    "Austin Kayla Dylan Brittany Logan Hailey Ethan Madison Aiden Addison Jayden Nevaeh Mason "
    "Harper Liam Olivia Noah Isabella Sophia Gladys Mildred Ethel Clarence Elmer Bernice Harold "
    "Walter Doris Irene Lorraine Marvin Wilma Vernon Thelma Edna Rafael Alejandra Esteban Marisol "
    "Ignacio Rocío Ángel Núria Paulo Thiago Beatriz Rodrigo Anil Deepa Rajesh Sunita Vikram "
    "Meenakshi Gurpreet Harjinder Manpreet Hyun-woo Ji-young Seo-yeon Min-jun Wei Xiaoming Lihua "
    "Guoqiang Nguyet Phuong Tuan Hiroshi Sakura Kenji Aiko Bayarmaa Temuulen Aigerim Nursultan "
    "Olena Svitlana Bohdan Ilya Natalya Sergei Katarzyna Agnieszka Tomasz Jadwiga Jana Lukáš Petra "
    "Zsófia Gergő Ionuț Mihaela Cătălin Dragana Milorad Vesna Fisnik Arta Eleni Kostas Despina "
    "Ebru Emre Gökçe Şule Hüseyin Parisa Behrouz Shahnaz Khalid Noor Aaliyah Ibrahim Zainab "
    "Hassan Mariam Tewodros Selam Yohannes Makeda Nkechi Obinna Folasade Babatunde Wanjiru Kamau "
    "Thandiwe Sipho Lerato Annika Björn Linnéa Kjell Astrid Jörg Heike Jürgen Anneliese Pieter "
    "Marieke Sander Maud Aurélie Benoît Solène Loïc Chiara Matteo Ginevra Caoimhe Aoife Eoin Rhys "
    "Cerys Angus Hamish Kalani Mahina Sione Losa Anahera Tane Waban Nizhoni Art Ray Drew Dean "
    "Dale Glen Cliff Summer Autumn June August Melody Ruby Pearl Amber Crystal Ginger Olive Ivy "
    "Daisy Violet Iris Jade Frank Rich Pat Gene Earl Miles Max Star Angel Christian Eve Dawn Hope "
    "Joy Chase Sandy Robin Jay Dusty Royal Destiny Major"
)
LAST = _words(
    "Smith Johnson Williams Jones Davis Miller Wilson Anderson Taylor Thomas Moore Thompson White "
    "Lewis Robinson Walker Young Allen Wright Scott Nguyen Hill Green Adams Nelson Baker Rivera "
    "Campbell Mitchell García Rodríguez Hernández Muñoz Peña Ibáñez Tran Pham Huynh Chen Zhang "
    "Wong Kobayashi Takahashi Okafor Adeyemi Mensah Boateng Haddad Rahman Siddiqui Khoury Patel "
    "Krishnamurthy Iyer Shevchenko Kovalenko Wiśniewski Zielińska Dvořák Černý Sørensen Lindqvist "
    "Guðmundsdóttir Esposito Lefèvre O'Connor O'Shaughnessy MacDonald van-der-Berg Smith-Barnes "
    "Kealoha Washington Jefferson Page Long Case Fields Stone Bush Cash Marsh Bishop Church "
    "Crawford Ferguson Holloway Whitaker Pruitt Stallworth Gaines Mcallister Fitzgerald Delgado "
    "Villanueva Castañeda Quintero Barrientos Echeverría Zambrano Oliveira Carvalho Figueiredo "
    "Bittencourt Gupta Sharma Mukherjee Chatterjee Venkataraman Subramanian Bhattacharya Dhillon "
    "Grewal Sandhu Kim Park Choi Yoon Jeong Li Wang Liu Zhao Huang Ouyang Watanabe Yamamoto "
    "Nakamura Ishikawa Fujimoto Bui Dang Vuong Truong Santos Reyes Bautista Macaraeg Dimaculangan "
    "Ivanova Petrov Sokolova Kuznetsov Tymoshenko Bondarenko Nowak Kowalczyk Szymański Jabłońska "
    "Novotná Procházka Horváth Szabó Popescu Ionescu Dumitrescu Jovanović Petrović Marković "
    "Krasniqi Hoxha Papadopoulos Karagiannis Nikolaidis Y\u0131lmaz Özdemir Kaya Aydoğan Hosseini "
    "Tehrani Farahani Al-Sayed El-Amin Abdullahi Mohamud Warsame Tesfaye Gebremariam Nwosu "
    "Chukwuemeka Olatunji Mwangi Otieno Ndlovu Dlamini Mkhize Johansson Bergström Nygård Halvorsen "
    "Mikkelsen Virtanen Korhonen Müller Schäfer Großmann Vogelsang Köhler Vandenberghe De-Vries "
    "Jansen Dubois Moreau Beauchamp Gauthier Ricci Marchetti Bianchi DiGiovanni McLaughlin "
    "O'Driscoll Gallagher Llewellyn Pritchard Kamakawiwo Tupuola Fonoti Begay Yazzie Tsosie "
    "King Prince Pope Temple Root Short Small Little Best Goodman Love Moon Day Winter Rain Snow "
    "Frost Wood Woods Rock Lake Rivers Brook Banks Bridge Ford Street Lane Parks Brown Black Gray "
    "Gold Rich Rice Bean Berry Fish Fox Wolf Lamb Swan Crane Drake Finch Sparks Powers Key Locke "
    "Drive Price Sharp Swift Close Strong Wise Savage Head Hand Foote Bright Post Link Read Cook "
    "Carver Marks Sessions Block Branch Hooks Early Noble Dial Ray Fry Roy Rush Self Person Joiner"
)
_HEADS = _words(
    "bra ko mi ru vel an dor zeo kuo thoe feqa wen pri xio za pau fi nko obi lae dra hau"
)
_TAILS = _words(
    "mur tze ish qua len tho shi gan sen oglu escu ski dottir enko ula ppan yan ert olia"
)
INVENTED_SHARE = 0.12
SPELLED = str.maketrans("łøđðþæœ\u0131ŁØĐ", "lodhtaoilod")


@dataclass(frozen=True, slots=True)
class Person:
    """Everything that tells one invented person."""

    first: str
    last: str
    middle: str
    born: tuple[int, int, int]


def person(draw: Draw) -> Person:
    """Invent a person."""
    first = _invented(draw) if draw.random() < INVENTED_SHARE else draw.choice(FIRST)
    last = _invented(draw) if draw.random() < INVENTED_SHARE else draw.choice(LAST)
    born = (draw.randint(1936, 2023), draw.randint(1, 12), draw.randint(1, 28))
    return Person(first, last, draw.choice(string.ascii_uppercase), born)


def _invented(draw: Draw) -> str:
    middle = draw.choice(_HEADS) if draw.random() < 0.4 else ""
    return f"{draw.choice(_HEADS)}{middle}{draw.choice(_TAILS)}".capitalize()


def plain(name: str) -> str:
    """A name in lower-case ASCII letters, as a login or a file has it."""
    bare = normalize("NFKD", name.lower().translate(SPELLED))
    return "".join(letter for letter in bare if letter.isascii() and letter.isalpha())


def name_forms(who: Person) -> dict[str, str]:
    """A person's name as systems write it."""
    first, last, middle = who.first, who.last, who.middle
    bare = last.replace("'", "").replace("-", "")
    return {
        "first": first,
        "last": last,
        "FIRST": first.upper(),
        "LAST": last.upper(),
        "lastlow": last.lower(),
        "fl": f"{first} {last}",
        "lf": f"{last}, {first}",
        "fml": f"{first} {middle}. {last}",
        "lfm": f"{last}, {first} {middle}",
        "LFM": f"{last.upper()}, {first.upper()} {middle}",
        "LF": f"{last.upper()}, {first.upper()}",
        "LFt": f"{last.upper()},{first.upper()}",
        "LFs": f"{last.upper()} {first.upper()}",
        "FL": f"{first.upper()} {last.upper()}",
        "flow": f"{first.lower()} {last.lower()}",
        "lflow": f"{last.lower()}, {first.lower()}",
        "fil": f"{first[0]}. {last}",
        "fli": f"{first} {last[0]}.",
        "lfi": f"{last}, {first[0]}.",
        "inits": f"{first[0]}.{last[0]}.",
        "file": f"{last}_{first}",
        "FILE": f"{last.upper()}_{first.upper()}",
        "lowfile": f"{plain(last)}_{plain(first)}",
        "dash": f"{first.lower()}-{last.lower()}",
        "dot": f"{plain(first)}.{plain(last)}",
        "camel": f"{bare}{first}",
        "Camel": f"{first}{bare}",
        "hl7": f"{last.upper()}^{first.upper()}^{middle}",
        "pn": f"{last.upper()}^{first.upper()}",
        "x12": f"{last.upper()}*{first.upper()}",
        "plus": f"{first}+{last}",
        "pct": f"{first}%20{last}",
        "lfpct": f"{last}%2C%20{first}",
        "lfamp": f"{last},&nbsp;{first}",
    }
