"""What the made-up people are called, and what they write about."""

from dataclasses import dataclass

RARE_WORD = "recall"
"""In the subjects of a few messages."""

OLD_WORD = "winterfest"
"""In many subjects, all of them of the first days."""

FREQUENT_WORD = "your"
"""In about every second subject."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One kind of message that a business sends."""

    subject: str
    """With `{number}`, `{name}`, `{city}`, `{month}` and `{day}` to be filled in."""
    tag: str
    text: str


@dataclass(frozen=True, slots=True)
class Business:
    """A user, and what the user's applications send."""

    username: str
    sender: str
    """The From header."""
    weight: int
    """How much it sends, beside the others."""
    topics: tuple[Topic, ...]

    @property
    def address(self) -> str:
        """The bare address of its From header."""
        return self.sender.partition("<")[2].rstrip(">")


_SIGNED_UP = Topic(
    "Confirm your address, {name}",
    "sign-up",
    "Hello {name},\n\nplease confirm your address with this code: {number}\n",
)
_RESET = Topic(
    "Reset your password",
    "password",
    "Somebody asked for a new password. If it was you, use this code: {number}\n",
)
_INVOICE = Topic(
    "Your invoice {number} for {month}",
    "invoice",
    "Hello {name},\n\nyour invoice {number} for {month} is ready.\n",
)

BUSINESSES = (
    Business(
        "nordlicht",
        "Nordlicht Shop <orders@shop.example.com>",
        34,
        (
            Topic("Your order {number} has shipped", "order", "Parcel {number} is on its way.\n"),
            Topic("We have your order {number}", "order", "Thank you, {name}.\n"),
            Topic("{name}, your basket is waiting", "reminder", "Order {number} is not placed.\n"),
            Topic("How do you like order {number}?", "review", "Tell us, {name}.\n"),
            _INVOICE,
            _RESET,
        ),
    ),
    Business(
        "parcels",
        "Parcel Line <track@parcels.example.net>",
        22,
        (
            Topic("Parcel {number} arrives on {day}", "tracking", "It is in {city}.\n"),
            Topic("Parcel {number} is in {city}", "tracking", "It arrives on {day}.\n"),
            Topic("We could not deliver parcel {number}", "tracking", "Collect it in {city}.\n"),
        ),
    ),
    Business(
        "stadtwerke",
        "City Utilities <service@utilities.example.org>",
        12,
        (
            _INVOICE,
            Topic("Please read your meter by {day}", "meter", "Meter {number}, {city}.\n"),
            Topic("Water is off in {city} on {day}", "outage", "We are sorry, {name}.\n"),
        ),
    ),
    Business(
        "tickets",
        "Curtain <box-office@tickets.example.com>",
        9,
        (
            Topic("Your tickets for {day}", "ticket", "Booking {number}, {city}.\n"),
            Topic("{city}: doors open at seven", "reminder", "See you on {day}, {name}.\n"),
            _RESET,
        ),
    ),
    Business(
        "clinic",
        "Riverside Clinic <appointments@clinic.example.org>",
        6,
        (
            Topic("Your appointment on {day}", "appointment", "Reference {number}.\n"),
            Topic("Results {number} are ready", "results", "Please sign in, {name}.\n"),
        ),
    ),
    Business(
        "university",
        "Registrar <registrar@university.example.net>",
        6,
        (
            Topic("Seminar {number} moves to {day}", "timetable", "The room is in {city}.\n"),
            Topic("Enrolment closes in {month}", "enrolment", "Matriculation {number}.\n"),
            _SIGNED_UP,
        ),
    ),
    Business(
        "payroll",
        "Payroll <payroll@staff.example.com>",
        4,
        (Topic("Your payslip for {month}", "payslip", "Employee {number}.\n"),),
    ),
    Business(
        "alerts",
        "Watchtower <alerts@ops.example.net>",
        3,
        (
            Topic("Disk {number} in {city} is filling up", "alert", "92 % used.\n"),
            Topic("Recovered: node {number} in {city}", "alert", "It answers again.\n"),
        ),
    ),
    Business(
        "forum",
        "Garden Forum <hello@forum.example.org>",
        2,
        (
            Topic("{name} answered your question", "reply", "Thread {number}.\n"),
            Topic("What grows in {month}", "newsletter", "Hello {name},\n\nplenty.\n"),
            _SIGNED_UP,
        ),
    ),
    Business(
        "travel",
        "Slow Trains <booking@trains.example.com>",
        1,
        (
            Topic("Booking {number}: {city} on {day}", "booking", "Have a good trip, {name}.\n"),
            Topic("Your train on {day} is late", "delay", "Booking {number}.\n"),
        ),
    ),
    Business(
        "demo",
        "Demo <demo@example.com>",
        1,
        (
            _SIGNED_UP,
            _RESET,
            _INVOICE,
        ),
    ),
)

RARE_TOPIC = Topic(
    "Recall of lot {number}", "recall", "Please stop using it, and send it back to {city}.\n"
)
OLD_TOPIC = Topic("{name}, come to the Winterfest in {city}", "campaign", "It begins on {day}.\n")

# 31 and 37 have no common divisor: pairs do not repeat before 1,147 people
_FIRST_NAMES = (
    "Ada Amir Anna Bea Carlos Chloe Dana Deniz Elif Emma Finn Frida Hana Hugo Ida Ines Jan Jonas "
    "Kaya Lena Liam Mara Mila Noor Omar Pia Ravi Rosa Sam Tom Yara"
)
_LAST_NAMES = (
    "Abel Adler Aydin Bakker Berg Blanc Costa Dahl Diaz Ekberg Fischer Garcia Haas Hansen Ivanov "
    "Jensen Keller Klein Kovac Lang Lopez Meyer Moreau Novak Okafor Peters Petrov Rossi Sato "
    "Schmidt Silva Singh Tanaka Vogel Weber Wolf Zhang"
)
MAIL_DOMAINS = tuple(
    f"{name}.example.{end}"
    for name in ("mail", "post", "inbox", "office", "home", "uni", "studio", "works", "lab", "city")
    for end in ("com", "net", "org")
)
FIRST_NAMES, LAST_NAMES = tuple(_FIRST_NAMES.split()), tuple(_LAST_NAMES.split())
CITIES = ("Bergen", "Graz", "Leipzig", "Lyon", "Porto", "Turku", "Ghent", "Aarhus", "Brno", "Cork")
_MONTHS = "January February March April May June July August September October November December"
MONTHS = tuple(_MONTHS.split())
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
